# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Emergency accounts in every state of repair, and what becomes of one that is taken apart between two looks.

Without playbooks: the resource is run in this process, as the action door does it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.zerotrust.m365.plugins.module_utils._door import argument_spec
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import execute
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import GLOBAL_ADMINISTRATOR
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.emergency_access_info import RESOURCE
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes

ESSENTIAL = {
    "exists",
    "enabled",
    "cloud_only",
    "initial_domain",
    "password_never_expires",
    "global_administrator",
    "conditional_access",
    "second_factor",
}


def looked(simulator: Simulator, tenant: Tenant, *accounts: dict[str, Any], **options: Any) -> dict[str, Any]:
    validation = ArgumentSpecValidator(argument_spec(RESOURCE)).validate(
        {
            "graph_url": simulator.graph_url,
            "login_url": simulator.login_url,
            "ca_path": simulator.ca_file,
            "tenant_id": tenant.tenant_id,
            "client_id": tenant.client_id,
            "client_secret": tenant.client_secret,
            "max_retries": 0,
            "accounts": list(accounts),
            **options,
        }
    )
    assert validation.error_messages == []
    result = execute(
        RESOURCE,
        validation.validated_parameters,
        environment={},
        check_mode=True,
        warn=lambda _: None,
        secret=lambda _: None,
    )
    assert not result.get("failed"), result["msg"]
    assert not result["changed"]
    found: dict[str, Any] = result["emergency_access"]
    return found


def states(account: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in account["checks"]}


def wrong(account: dict[str, Any]) -> dict[str, str]:
    """The essential checks that did not pass."""
    return {name: state for name, state in states(account).items() if name in ESSENTIAL and state != "passed"}


def sentence(account: dict[str, Any], name: str) -> str:
    return next(str(check["sentence"]) for check in account["checks"] if check["name"] == name)


def declared(name: str, **more: Any) -> dict[str, Any]:
    return {"user_principal_name": name, **more}


EXPECTED: dict[str, dict[str, str]] = {
    "well": {},
    "alsowell": {},
    "eligible": {"global_administrator": "failed"},
    "bound": {"global_administrator": "failed"},
    "grouped": {"global_administrator": "unknown"},
    "caught": {"conditional_access": "failed"},
    "phone": {"second_factor": "failed"},
    "disabled": {"enabled": "failed"},
    "synced": {"cloud_only": "failed"},
    "nobody": dict.fromkeys(ESSENTIAL, "unknown") | {"exists": "failed"},
}


def test_each_account_is_called_what_it_is(simulator: Simulator) -> None:
    tenant = simulator.tenant("emergency_access")
    found = looked(simulator, tenant, *map(declared, EXPECTED), exclusion_group="Emergency access", wanted=3)
    assert {account["user_principal_name"].partition("@")[0]: wrong(account) for account in found["accounts"]} == (
        EXPECTED
    )
    assert (found["usable"], found["unknown"], found["proven"], found["enough"]) == (2, 1, 0, None)
    by_name = {account["user_principal_name"].partition("@")[0]: account for account in found["accounts"]}
    assert found["policies_that_catch"][by_name["caught"]["user_principal_name"]] == ["MFA for everybody"]
    assert found["policies_that_catch"][by_name["well"]["user_principal_name"]] == []
    assert "inferred" not in sentence(by_name["well"], "global_administrator")
    assert "'Block administrators abroad'" in sentence(by_name["alsowell"], "conditional_access")
    assert states(by_name["well"])["excluded_from_every_policy"] == "passed"
    assert states(by_name["alsowell"])["excluded_from_every_policy"] == "failed"
    assert states(by_name["alsowell"])["exclusion_group"] == "passed"
    assert states(by_name["well"])["exclusion_group"] == "failed"
    assert states(by_name["well"])["exclusion_group_protected"] == "passed"
    assert states(by_name["well"])["different_second_factor"] == "passed"
    assert "not counted: phone" in sentence(by_name["phone"], "second_factor")
    assert writes(simulator.journal(tenant)) == []


Change = Callable[[Simulator, Tenant, str], None]


def disable(simulator: Simulator, tenant: Tenant, user: str) -> None:
    simulator.change(tenant, "PATCH", f"/users/{user}", {"accountEnabled": False})


def delete(simulator: Simulator, tenant: Tenant, user: str) -> None:
    simulator.change(tenant, "DELETE", f"/users/{user}")


def rename(simulator: Simulator, tenant: Tenant, user: str) -> None:
    simulator.change(tenant, "PATCH", f"/users/{user}", {"userPrincipalName": "alsowell@woodgrove.example"})


def demote(simulator: Simulator, tenant: Tenant, user: str) -> None:
    assignments = simulator.state(tenant)["objects"]["roleAssignment"]
    (role,) = [
        one for one in assignments if (one["principalId"], one["roleDefinitionId"]) == (user, GLOBAL_ADMINISTRATOR)
    ]
    simulator.change(tenant, "DELETE", f"/roleManagement/directory/roleAssignments/{role['id']}")


def take_out_of_the_group(simulator: Simulator, tenant: Tenant, user: str) -> None:
    groups = simulator.state(tenant)["objects"]["group"]
    (group,) = [one["id"] for one in groups if one["displayName"] == "Emergency access"]
    simulator.change(tenant, "DELETE", f"/groups/{group}/members/{user}/$ref")


def forbid_passkeys(simulator: Simulator, tenant: Tenant, _user: str) -> None:
    simulator.expects_violation("way_in", tenant)
    body = {"@odata.type": "#microsoft.graph.fido2AuthenticationMethodConfiguration", "state": "disabled"}
    path = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Fido2"
    simulator.change(tenant, "PATCH", path, body)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (disable, "enabled"),
        (delete, "exists"),
        (rename, "exists"),
        (demote, "global_administrator"),
        (take_out_of_the_group, "conditional_access"),
        (forbid_passkeys, "second_factor"),
    ],
)
def test_what_was_done_to_an_account_meanwhile_is_found(simulator: Simulator, change: Change, check: str) -> None:
    tenant = simulator.tenant("emergency_access")
    before = looked(simulator, tenant, declared("alsowell"), wanted=1)
    assert before["enough"] is True
    change(simulator, tenant, before["accounts"][0]["id"])
    after = looked(simulator, tenant, declared("alsowell"), wanted=1)
    assert after["enough"] is False
    assert states(after["accounts"][0])[check] == "failed"


@pytest.mark.parametrize(
    ("path", "check"),
    [
        ("/domains$", "initial_domain"),
        ("/conditionalAccess/policies$", "conditional_access"),
        ("/roleAssignments$", "global_administrator"),
        ("/roleAssignmentScheduleInstances$", "global_administrator"),
        ("/transitiveMemberOf$", "conditional_access"),
        ("/authentication/methods$", "second_factor"),
        ("/authenticationMethodsPolicy$", "second_factor"),
    ],
)
def test_what_graph_refuses_is_unknown(simulator: Simulator, path: str, check: str) -> None:
    tenant = simulator.tenant("emergency_access")
    simulator.fail(path, 403, times=None)
    name = f"alsowell@{tenant.initial_domain}"
    found = looked(simulator, tenant, declared(name), wanted=1)
    (account,) = found["accounts"]
    assert (account["verdict"], found["enough"]) == ("unknown", None)
    assert states(account)[check] == "unknown"
    assert "403" in sentence(account, check)


@pytest.mark.parametrize("scenario", ["greenfield", "hybrid"])
@pytest.mark.parametrize("refused", [False, True])
def test_a_free_tenant_is_read_as_far_as_it_lets(simulator: Simulator, scenario: str, refused: bool) -> None:
    tenant = simulator.tenant(scenario)
    administrator = {"greenfield": "noor.visser", "hybrid": "camille.dubois"}[scenario]
    if refused:
        simulator.assume(tenant, {"conditional_access_read_on_free": "403"})
    simulator.register(tenant, f"{administrator}@{tenant.initial_domain}", ["softwareOneTimePasscode"])
    found = looked(simulator, tenant, declared(administrator, attested=["totp_token"]), declared("nobody"))
    account, missing = found["accounts"]
    assert states(account)["global_administrator"] == "passed"
    assert "inferred" in sentence(account, "global_administrator")
    assert states(account)["conditional_access"] == ("unknown" if refused else "passed")
    assert account["last_sign_in"]["completeness"] == "unknown"
    assert "premium license" in account["last_sign_in"]["reason"]
    assert account["second_factor"] == "attested"
    assert missing["verdict"] == "unusable"


def test_a_drill_counts_while_entra_does_not_know_better(simulator: Simulator) -> None:
    tenant = simulator.tenant("emergency_access")
    today = datetime.now(timezone.utc).date()
    drills = [
        {"date": str(today - timedelta(days=days)), "enforcement": True, "methods": ["passkey"]} for days in (0, 91)
    ]
    proven = [
        looked(simulator, tenant, declared("well", drill=drill), wanted=1)["accounts"][0]["proven"] for drill in drills
    ]
    assert proven == [True, False]
