# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import Progress, work
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.batch import Read
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    LicenceMissing,
    OptionError,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import GLOBAL_ADMINISTRATOR
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.emergency_access_info import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, not_found, refused, run_of
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values

INITIAL = "contoso.onmicrosoft.com"
ME = "c7a1d9f0-0000-4000-8000-000000000001"
ADMINISTRATOR = "c7a1d9f0-0000-4000-8000-000000000002"
MEMBER = "c7a1d9f0-0000-4000-8000-000000000003"
GROUP = "6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a01"
ADMINISTRATORS = "6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a02"

DOMAINS = "/domains"
POLICIES = "/identity/conditionalAccess/policies"
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
ACTIVE = "/roleManagement/directory/roleAssignmentScheduleInstances"
ELIGIBLE = "/roleManagement/directory/roleEligibilityScheduleInstances"
METHODS_POLICY = "/policies/authenticationMethodsPolicy"
SECURITY_DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
GROUPS = "/groups"
BY_ID = f"/groups/{GROUP}"
BY_NAME = f"/users/emergency1%40{INITIAL}"
MEMBERS = f"/groups/{ADMINISTRATORS}/transitiveMembers"
MEMBER_OF = f"/users/{ME}/transitiveMemberOf"
METHODS = f"/users/{ME}/authentication/methods"
OTHER_METHODS = f"/users/{ADMINISTRATOR}/authentication/methods"
METHODS_OF_MEMBER = f"/users/{MEMBER}/authentication/methods"
CERTIFICATE = f"/users/{ME}?authorizationInfo"
SIGN_IN = f"/users/{ME}?signInActivity"

MODEL = "de1e552d-db1d-4423-a619-566b625cdc84"
PASSKEY = {
    "@odata.type": "#microsoft.graph.fido2AuthenticationMethod",
    "id": "fido2",
    "aaGuid": MODEL,
    "passkeyType": "deviceBound",
    "createdDateTime": "2020-01-06T08:00:00Z",
}
TODAY = datetime.now(timezone.utc).date()


def object_of(kind: str, identity: str) -> dict[str, Any]:
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": identity}


def assignment(kind: str, identity: str) -> dict[str, Any]:
    return {
        "roleDefinitionId": GLOBAL_ADMINISTRATOR,
        "principalId": identity,
        "directoryScopeId": "/",
        "principal": object_of(kind, identity),
    }


def method(kind: str) -> dict[str, Any]:
    return {"@odata.type": f"#microsoft.graph.{kind}AuthenticationMethod", "id": kind}


def group_item(identity: str, **changes: Any) -> dict[str, Any]:
    properties = {"visibility": "Private", "isAssignableToRole": True, "isManagementRestricted": None}
    return {"id": identity, **properties, **changes}


def answers() -> dict[str, Any]:
    """What Graph answers about a healthy account, by path and, for a part of a user, the part's name."""
    return {
        SECURITY_DEFAULTS: {"isEnabled": False},
        DOMAINS: [
            {"id": "contoso.example", "isInitial": False, "authenticationType": "Federated"},
            {"id": INITIAL, "isInitial": True, "authenticationType": "Managed", "passwordValidityPeriodInDays": 90},
        ],
        POLICIES: [
            {
                "id": "1",
                "displayName": "MFA",
                "state": "enabled",
                "conditions": {"users": {"includeUsers": ["All"], "excludeGroups": [GROUP]}},
            }
        ],
        ASSIGNMENTS: [assignment("user", ME), assignment("user", ADMINISTRATOR), assignment("group", ADMINISTRATORS)],
        ACTIVE: LicenceMissing(action="list", status=400, code="AadPremiumLicenseRequired", text="P2 is needed."),
        ELIGIBLE: LicenceMissing(action="list", status=400, code="AadPremiumLicenseRequired", text="P2 is needed."),
        METHODS_POLICY: {
            "policyMigrationState": None,
            "authenticationMethodConfigurations": [
                {
                    "id": "Fido2",
                    "state": "enabled",
                    "includeTargets": [{"id": GROUP}],
                    "excludeTargets": [],
                    "isAttestationEnforced": False,
                    "keyRestrictions": {"isEnforced": True, "enforcementType": "allow", "aaGuids": [MODEL]},
                }
            ],
        },
        GROUPS: [group_item(GROUP)],
        BY_ID: group_item(GROUP),
        BY_NAME: {
            "id": ME.upper(),
            "userPrincipalName": f"emergency1@{INITIAL}",
            "accountEnabled": True,
            "userType": "Member",
            "onPremisesSyncEnabled": None,
            "passwordPolicies": "DisablePasswordExpiration",
            "lastPasswordChangeDateTime": "2026-10-01T08:00:00Z",
            "createdDateTime": "2020-01-05T08:00:00Z",
        },
        MEMBERS: [object_of("user", MEMBER), object_of("servicePrincipal", "robot"), object_of("user", ME)],
        MEMBER_OF: [object_of("group", GROUP.upper()), object_of("directoryRole", "role")],
        METHODS: [method("password"), PASSKEY],
        CERTIFICATE: {"authorizationInfo": {"certificateUserIds": []}},
        SIGN_IN: refused("read the last sign-in"),
        OTHER_METHODS: [method("password"), method("microsoftAuthenticator")],
        METHODS_OF_MEMBER: [method("phone")],
    }


COLLECTIONS = {path for path, answer in answers().items() if isinstance(answer, list)} | {ACTIVE, ELIGIBLE}
"""The client gives lists for these and objects for the rest; what is in them may be anything."""


class Tenant(FakeGraph):
    """``versions`` are those in which each path was read."""

    def __init__(self, **changes: Any) -> None:
        super().__init__()
        self.objects = {**answers(), **changes}
        self.versions: dict[str, str] = {}

    def read_many(self, reads: Sequence[Read]) -> list[Any]:
        self.read_together.append(list(reads))
        self.versions.update({read.path: read.version for read in reads})
        return [self.objects.get(self._key(read), not_found(read.path)) for read in reads]

    def _key(self, read: Read) -> str:
        part = f"{read.path}?{read.parameters.get('$select')}"
        return part if part in self.objects else read.path


def declared(name: str = "emergency1", **options: Any) -> dict[str, Any]:
    return {"user_principal_name": name, "second_factor": None, "attested": [], "drill": None, **options}


def looked(tenant: Tenant, *accounts: dict[str, Any], **options: Any) -> dict[str, Any]:
    given = {"accounts": list(accounts), "exclusion_group": None, "wanted": 2, "drill_max_age_days": 90, **options}
    progress = Progress()
    result = work(RESOURCE, run_of(tenant, given), progress)
    assert tenant.writes == []
    assert not progress.planned
    found: dict[str, Any] = result["emergency_access"]
    assert result["msg"].endswith(".")
    return found


def states(shown: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in shown["checks"]}


def sentences(shown: dict[str, Any]) -> str:
    return " ".join(check["sentence"] for check in shown["checks"])


@pytest.mark.parametrize("name", ["emergency1", f"emergency1@{INITIAL}", f"EMERGENCY1@{INITIAL.upper()}"])
def test_a_healthy_account_is_usable_and_its_permanence_is_said_to_be_inferred(name: str) -> None:
    tenant = Tenant()
    if name.isupper():
        tenant.objects[f"/users/EMERGENCY1%40{INITIAL}"] = tenant.objects[BY_NAME]
    found = looked(tenant, declared(name), wanted=1)
    (shown,) = found["accounts"]
    assert (shown["verdict"], shown["id"], found["usable"], found["enough"]) == ("usable", ME, 1, True)
    assert "inferred" in sentences(shown)
    assert shown["last_sign_in"]["completeness"] == "unknown"
    assert "Not allowed." in shown["last_sign_in"]["reason"]
    assert states(shown)["different_second_factor"] == "passed"
    assert found["policies_that_catch"] == {shown["user_principal_name"]: []}


def test_three_rounds_of_reads_whatever_the_number_of_accounts() -> None:
    tenant = Tenant()
    tenant.objects[f"/users/emergency2%40{INITIAL}"] = {**tenant.objects[BY_NAME], "id": "two"}
    looked(tenant, declared(), declared("emergency2"), exclusion_group="Emergency access")
    assert len(tenant.read_together) == 3
    assert max(len(reads) for reads in tenant.read_together) <= 20


def test_the_other_administrators_are_the_active_and_the_eligible_ones_and_those_in_groups() -> None:
    tenant = Tenant(**{ACTIVE: [], ELIGIBLE: [assignment("user", "three")]})
    tenant.objects["/users/three/authentication/methods"] = [method("fido2")]
    (shown,) = looked(tenant, declared())["accounts"]
    asked = {read.path for reads in tenant.read_together for read in reads if "/authentication/" in read.path}
    assert asked == {f"/users/{one}/authentication/methods" for one in (ME, ADMINISTRATOR, MEMBER, "three")}
    assert states(shown)["different_second_factor"] == "failed"


@pytest.mark.parametrize(
    ("path", "check", "verdict"),
    [
        (DOMAINS, "initial_domain", "unknown"),
        (POLICIES, "conditional_access", "unknown"),
        (ASSIGNMENTS, "global_administrator", "unknown"),
        (ACTIVE, "global_administrator", "unknown"),
        (ELIGIBLE, "different_second_factor", "usable"),
        (METHODS_POLICY, "second_factor", "unknown"),
        (BY_NAME, "exists", "unknown"),
        (MEMBER_OF, "conditional_access", "unknown"),
        (METHODS, "second_factor", "unknown"),
        (MEMBERS, "different_second_factor", "usable"),
        (OTHER_METHODS, "different_second_factor", "usable"),
        (SIGN_IN, "last_sign_in", "usable"),
        (GROUPS, "exclusion_group", "usable"),
    ],
)
@pytest.mark.parametrize("read", [True, False])
def test_what_cannot_be_read_is_unknown_and_says_why(path: str, check: str, verdict: str, read: bool) -> None:
    odd = {"signInActivity": {"unexpected": True}}
    tenant = Tenant(**{path: ([odd] if path in COLLECTIONS else odd) if read else refused()})
    (shown,) = looked(tenant, declared(f"emergency1@{INITIAL}"), exclusion_group="Emergency access")["accounts"]
    assert states(shown)[check] == "unknown"
    assert shown["verdict"] == verdict
    why = "'a policy without a name'" if path == POLICIES else "unexpected shape"
    assert (why if read else "Not allowed.") in sentences(shown)


def test_policies_outlive_licences() -> None:
    unlicensed = LicenceMissing(action="list", status=403, code="AccessDenied", text="Your tenant is not licensed.")
    found = looked(Tenant(**{POLICIES: unlicensed}), declared())
    (shown,) = found["accounts"]
    assert (states(shown)["conditional_access"], shown["verdict"]) == ("unknown", "unknown")
    assert found["policies_that_catch"] == {shown["user_principal_name"]: None}
    assert found["enough"] is False  # one is declared, two are wanted


def test_without_the_domain_a_local_part_cannot_be_looked_up() -> None:
    tenant = Tenant(**{DOMAINS: refused()})
    found = looked(tenant, declared(), wanted=1)
    (shown,) = found["accounts"]
    assert (shown["user_principal_name"], shown["verdict"], found["enough"]) == ("emergency1", "unknown", None)
    assert "Not allowed." in sentences(shown)


def test_a_missing_account_is_unusable() -> None:
    tenant = Tenant()
    del tenant.objects[BY_NAME]
    (shown,) = looked(tenant, declared())["accounts"]
    assert (shown["verdict"], shown["id"]) == ("unusable", None)
    assert shown["last_sign_in"] == {"completeness": "unknown", "reason": "There is no such account.", "value": None}


def test_hardware_tokens_are_read_where_graph_shows_them() -> None:
    tenant = Tenant(**{METHODS: [method("hardwareOath")]})
    tenant.objects[METHODS_POLICY]["authenticationMethodConfigurations"][0]["id"] = "HardwareOath"
    (shown,) = looked(tenant, declared(second_factor="hardware_oath_token"))["accounts"]
    assert (shown["second_factor"], shown["verdict"]) == ("registered", "usable")
    assert (tenant.versions[METHODS], tenant.versions[OTHER_METHODS]) == ("beta", "v1.0")


def test_only_a_usable_temporary_access_pass_is_one() -> None:
    for usable, grade in ((True, "prepared"), (False, "none")):
        tenant = Tenant(**{METHODS: [{**method("temporaryAccessPass"), "isUsable": usable}]})
        (shown,) = looked(tenant, declared(second_factor="temporary_access_pass"))["accounts"]
        assert shown["second_factor"] == grade


@pytest.mark.parametrize(
    ("group", "found", "state"),
    [
        (GROUP, None, "passed"),
        ("6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9aff", None, "failed"),
        ("Emergency access", [group_item(GROUP.upper())], "passed"),
        ("Emergency access", [group_item("other")], "failed"),
        ("Emergency access", [], "failed"),
        ("Emergency access", [group_item(GROUP), group_item("other")], "unknown"),
    ],
)
def test_the_exclusion_group_is_looked_at_by_id_or_name(group: str, found: Any, state: str) -> None:
    tenant = Tenant(**{GROUPS: found})
    (shown,) = looked(tenant, declared(), exclusion_group=group)["accounts"]
    assert states(shown)["exclusion_group"] == state
    assert any(read.path == GROUPS for reads in tenant.read_together for read in reads) == (found is not None)


@pytest.mark.parametrize("group", [GROUP, "Emergency access"])
@pytest.mark.parametrize(
    ("properties", "state"),
    [
        ({}, "passed"),
        ({"isAssignableToRole": None}, "failed"),
        ({"isAssignableToRole": None, "isManagementRestricted": True}, "passed"),
        ({"visibility": "Public"}, "failed"),
    ],
)
def test_who_else_may_get_into_the_exclusion_group_is_told(group: str, properties: dict[str, Any], state: str) -> None:
    item = group_item(GROUP, **properties)
    tenant = Tenant(**{GROUPS: [item], BY_ID: item})
    (shown,) = looked(tenant, declared(), exclusion_group=group)["accounts"]
    assert (states(shown)["exclusion_group_protected"], shown["verdict"]) == (state, "usable")
    assert len(tenant.read_together) == 3


def test_a_pass_is_to_be_used_before_it_ends() -> None:
    lasting = {"isUsable": True, "startDateTime": "2026-11-23T12:00:00Z", "lifetimeInMinutes": 60}
    tenant = Tenant(**{METHODS: [{**method("temporaryAccessPass"), **lasting}]})
    found = looked(tenant, declared(second_factor="temporary_access_pass"), wanted=1)
    assert (found["usable"], found["enough"], found["accounts"][0]["second_factor"]) == (0, False, "prepared")
    assert "Register the passkey before 2026-11-23T13:00:00Z." in sentences(found["accounts"][0])


@pytest.mark.parametrize(
    ("methods", "created", "proven"),
    [
        (["Passkey (device-bound)"], PASSKEY["createdDateTime"], True),
        (["Passkey (device-bound)"], TODAY.isoformat(), False),
        (["Temporary Access Pass"], PASSKEY["createdDateTime"], False),
        ([], PASSKEY["createdDateTime"], False),
        (None, PASSKEY["createdDateTime"], False),
    ],
)
def test_a_drill_proves_the_second_factor_that_it_was_done_with(methods: Any, created: str, proven: bool) -> None:
    drill = {"date": (TODAY - timedelta(days=3)).isoformat(), "enforcement": True, "by": "Noor", "methods": methods}
    tenant = Tenant(**{METHODS: [{**PASSKEY, "createdDateTime": created}]})
    found = looked(tenant, declared(drill=drill), wanted=1)
    assert (found["accounts"][0]["proven"], found["proven"]) == (proven, int(proven))
    assert "by Noor" in sentences(found["accounts"][0])


def test_entra_may_know_that_a_drill_was_none() -> None:
    seen = {"signInActivity": {"lastSuccessfulSignInDateTime": "2020-01-01T00:00:00Z"}}
    drill = {"date": (TODAY - timedelta(days=3)).isoformat(), "enforcement": True, "by": None}
    (shown,) = looked(Tenant(**{SIGN_IN: seen}), declared(drill=drill))["accounts"]
    assert (states(shown)["drill"], shown["proven"], shown["verdict"]) == ("failed", False, "usable")
    assert shown["last_sign_in"]["value"] == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(("days", "proven"), [(2, False), (4, True)])
def test_a_drill_of_an_earlier_account_of_the_name_proves_nothing(days: int, proven: bool) -> None:
    drill = {"date": (TODAY - timedelta(days=3)).isoformat(), "enforcement": True, "methods": ["passkey"]}
    tenant = Tenant()
    tenant.objects[BY_NAME]["createdDateTime"] = f"{TODAY - timedelta(days=days)}T08:00:00Z"
    (shown,) = looked(tenant, declared(drill=drill))["accounts"]
    assert shown["proven"] is proven
    assert ("an earlier account of this name" in sentences(shown)) is not proven
    (asked,) = [read for reads in tenant.read_together for read in reads if read.path == BY_NAME]
    assert "createdDateTime" in str(asked.parameters["$select"]).split(",")


def test_a_token_that_is_vouched_for_counts_where_graph_shows_one() -> None:
    for more, verdict in (([], "unusable"), ([method("softwareOath")], "usable")):
        tenant = Tenant(**{METHODS: [method("password"), *more]})
        tenant.objects[METHODS_POLICY]["authenticationMethodConfigurations"][0]["id"] = "SoftwareOath"
        (shown,) = looked(tenant, declared(attested=["totp_token"]))["accounts"]
        assert shown["verdict"] == verdict


def test_a_passkey_of_a_model_that_the_tenant_forbids_is_no_way_in() -> None:
    for model, verdict in (("90a3ccdf-635c-4729-a248-9b709135078f", "unusable"), (None, "unknown"), (MODEL, "usable")):
        tenant = Tenant(**{METHODS: [{**method("fido2"), "aaGuid": model}]})
        (shown,) = looked(tenant, declared())["accounts"]
        assert (shown["verdict"], shown["second_factor"]) == (verdict, "registered")


def test_when_an_account_was_created_is_never_guessed() -> None:
    tenant = Tenant()
    del tenant.objects[BY_NAME]["createdDateTime"]
    (shown,) = looked(tenant, declared())["accounts"]
    assert (shown["verdict"], states(shown)["exists"]) == ("unknown", "unknown")


FUTURE = (TODAY + timedelta(days=3)).isoformat()


@pytest.mark.parametrize(
    ("accounts", "options", "words"),
    [
        ([declared("emergency one")], {}, "cannot be a user principal name"),
        ([declared("")], {}, "cannot be a user principal name"),
        ([declared("x" * 65)], {}, "too long"),
        ([declared("emergency1@contoso.example")], {}, "not on the tenant's initial domain"),
        ([declared(), declared("Emergency1")], {}, "named more than once"),
        ([declared(), declared(f"emergency1@{INITIAL}")], {}, "named more than once"),
        ([declared(drill={"date": "yesterday"})], {}, "emergency1: 'yesterday' is no date"),
        ([declared(drill={"date": FUTURE})], {}, "lies in the future"),
        ([declared()], {"wanted": 0}, "wanted must be at least 1"),
        ([declared()], {"drill_max_age_days": 0}, "drill_max_age_days must be at least 1"),
    ],
)
def test_bad_input_is_refused(accounts: list[dict[str, Any]], options: dict[str, Any], words: str) -> None:
    tenant = Tenant()
    with pytest.raises(OptionError, match=words):
        looked(tenant, *accounts, **options)
    assert len(tenant.read_together) <= 1


def test_without_accounts_there_are_not_enough() -> None:
    found = looked(Tenant(), wanted=1)
    assert (found["accounts"], found["enough"]) == ([], False)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(answers())), json_values, max_size=4))
def test_no_answer_of_graph_crashes_it_or_makes_an_account_usable_by_mistake(strange: dict[str, Any]) -> None:
    odd = {key: [value] if key in COLLECTIONS else {"value": value} for key, value in strange.items()}
    found = looked(Tenant(**odd), declared(), wanted=1)
    (shown,) = found["accounts"]
    harmless = {
        ELIGIBLE,
        SIGN_IN,
        CERTIFICATE,
        GROUPS,
        BY_ID,
        MEMBERS,
        OTHER_METHODS,
        f"/users/{MEMBER}/authentication/methods",
    }
    if not set(odd) <= harmless:
        assert shown["verdict"] != "usable"
