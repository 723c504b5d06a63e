# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import Progress, work
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    ConnectionFailed,
    GraphError,
    LicenceMissing,
    MissingPermissions,
    OptionError,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.temporary_access_pass import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, not_found, refused, run_of

USER = "4562bcc8-c436-4f95-b7c0-4f8ce89dca5e"
GROUP = "6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a01"
NAME = "ann@contoso.example"
PASSES = f"/users/{USER}/authentication/temporaryAccessPassMethods"
POLICY = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass"
GROUPS = f"/users/{USER}/transitiveMemberOf"
ALLOWED = frozenset(["UserAuthMethod-TAP.ReadWrite.All"])
SECRET = "x7Kq9bTz"


def access_pass(reason: str = "EnabledByPolicy", **properties: Any) -> dict[str, Any]:
    return {
        "id": "pass-1",
        "startDateTime": "2026-11-23T09:00:00Z",
        "lifetimeInMinutes": 60,
        "isUsableOnce": True,
        "isUsable": reason == "EnabledByPolicy",
        "methodUsabilityReason": reason,
        "temporaryAccessPass": None,
        **properties,
    }


def policy(**properties: Any) -> dict[str, Any]:
    return {
        "id": "TemporaryAccessPass",
        "state": "enabled",
        "includeTargets": [{"id": GROUP, "targetType": "group"}],
        "excludeTargets": [],
        "defaultLifetimeInMinutes": 60,
        "minimumLifetimeInMinutes": 30,
        "maximumLifetimeInMinutes": 480,
        "isUsableOnce": True,
        **properties,
    }


class Tenant(FakeGraph):
    """A tenant with one user, who may have a pass. ``answer`` is what Graph says to the one who makes a pass."""

    def __init__(self, *passes: dict[str, Any], roles: frozenset[str] = ALLOWED, tier: str = "SPB") -> None:
        super().__init__(roles=roles)
        user = {"id": USER, "userPrincipalName": NAME}
        plan = {"servicePlanId": "41781fb2-bc02-4b7c-bd55-b576c07bb09d", "provisioningStatus": "Success"}
        self.objects = {
            f"/users/{NAME.replace('@', '%40')}": user,
            f"/users/{USER}": user,
            PASSES: list(passes),
            POLICY: policy(),
            GROUPS: [{"id": GROUP}],
            "/subscribedSkus": [{"skuPartNumber": tier, "capabilityStatus": "Enabled", "servicePlans": [plan]}]
            if tier
            else [],
        }
        self.answer: Any = access_pass(id="pass-2", temporaryAccessPass=SECRET)
        self.on_write = self._change

    def _change(self, method: str, path: str, body: Any) -> Any:
        if method == "DELETE":
            self.objects[PASSES] = [one for one in self.objects[PASSES] if not path.endswith(one["id"])]
            return None
        if isinstance(self.answer, dict):
            self.objects[PASSES] = [{**self.answer, "temporaryAccessPass": None}]
        return self.answer


def worked(tenant: Tenant, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    given = {"user": NAME, "is_usable_once": True, "replace": False, "state": "present", "wait_timeout": 0, **options}
    return work(RESOURCE, run_of(tenant, given, check_mode), Progress())


@pytest.mark.parametrize("named", [NAME, USER])
def test_a_pass_is_made_and_told_once(named: str) -> None:
    tenant = Tenant()
    result = worked(tenant, user=named)
    assert tenant.writes == [("POST", PASSES, {"lifetimeInMinutes": 60, "isUsableOnce": True})]
    made = result["temporary_access_pass"]
    assert made["temporary_access_pass"] == SECRET
    assert made["end_date_time"] == "2026-11-23T10:00:00Z"
    assert made["user_principal_name"] == NAME
    assert SECRET not in repr({**result, "temporary_access_pass": None})

    again = worked(tenant, user=named)
    assert again["msg"].startswith(f"{NAME} has a valid Temporary Access Pass already, which is kept.")
    assert again["temporary_access_pass"] == {**made, "temporary_access_pass": None}
    assert len(tenant.writes) == 1


def test_nothing_is_read_after_the_pass_was_told() -> None:
    """A read that fails would cost the pass."""
    tenant = Tenant()
    read_before: list[int] = []

    def made(_method: str, _path: str, _body: Any) -> Any:
        read_before.append(len(tenant.read_together))
        return tenant.answer

    tenant.on_write = made
    worked(tenant)
    assert read_before == [len(tenant.read_together)]


def test_a_dry_run_says_what_a_run_does() -> None:
    options: dict[str, Any] = {"lifetime_in_minutes": 90, "start_date_time": "2026-12-01T10:00:00+01:00"}
    tenant = Tenant()
    planned = worked(tenant, True, **options)
    assert tenant.writes == []
    predicted = planned["temporary_access_pass"]
    assert (predicted["start_date_time"], predicted["end_date_time"]) == (
        "2026-12-01T09:00:00Z",
        "2026-12-01T10:30:00Z",
    )
    assert (predicted["lifetime_in_minutes"], predicted["temporary_access_pass"]) == (90, None)
    assert planned["msg"] == f"A Temporary Access Pass would be made for {NAME}."
    run = worked(tenant, **options)
    assert run["msg"].startswith(f"A Temporary Access Pass was made for {NAME}.")
    assert tenant.writes[0][2] == {
        "lifetimeInMinutes": 90,
        "isUsableOnce": True,
        "startDateTime": "2026-12-01T09:00:00Z",
    }


@pytest.mark.parametrize(
    ("reason", "replace", "writes", "effects"),
    [
        ("EnabledByPolicy", False, 0, []),
        ("NotYetValid", False, 0, []),
        ("Expired", False, 1, []),
        ("OneTimeUsed", False, 1, []),
        ("EnabledByPolicy", True, 1, ["The pass that is there stops working."]),
        ("NotYetValid", True, 1, ["The pass that is there stops working."]),
    ],
)
def test_only_a_pass_of_no_use_is_replaced_unasked(reason: str, replace: bool, writes: int, effects: list[str]) -> None:
    tenant = Tenant(access_pass(reason))
    result = worked(tenant, replace=replace)
    assert len(tenant.writes) == writes
    assert result["effects"] == effects
    assert (result["temporary_access_pass"]["temporary_access_pass"] == SECRET) is bool(writes)


@pytest.mark.parametrize("reason", ["EnabledByPolicy", "Expired"])
def test_any_pass_is_deleted(reason: str) -> None:
    tenant = Tenant(access_pass(reason))
    planned = worked(tenant, True, state="absent")
    result = worked(tenant, state="absent")
    assert tenant.writes == [("DELETE", f"{PASSES}/pass-1", None)]
    assert result["temporary_access_pass"] == planned["temporary_access_pass"]
    assert not result["temporary_access_pass"]["exists"]
    assert worked(tenant, state="absent")["msg"] == f"{NAME} has no Temporary Access Pass."
    assert len(tenant.writes) == 1


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("configuration", "options", "words"),
    [
        ({"state": "disabled"}, {}, "does not allow"),
        ({"includeTargets": [{"id": "other", "targetType": "group"}]}, {}, "does not allow"),
        ({"excludeTargets": [{"id": GROUP.upper(), "targetType": "group"}]}, {}, "does not allow"),
        ({}, {"lifetime_in_minutes": 20}, "demands 30 to 480 minutes"),
        ({}, {"lifetime_in_minutes": 9}, "must be 10 to 43200, but is 9"),
        ({}, {"is_usable_once": False}, "works only once"),
        ({}, {"start_date_time": "tomorrow"}, "'tomorrow' is no moment"),
        ({}, {"user": "nobody@contoso.example"}, "There is no user 'nobody@contoso.example'"),
    ],
)
def test_refusals(configuration: dict[str, Any], options: dict[str, Any], words: str, check_mode: bool) -> None:
    tenant = Tenant()
    tenant.objects[POLICY] = policy(**configuration)
    with pytest.raises(OptionError, match=words):
        worked(tenant, check_mode, **options)
    assert tenant.writes == []


def test_external_guests_are_refused() -> None:
    tenant = Tenant()
    guest = {"id": USER, "userPrincipalName": "ann_fabrikam.example#EXT#@contoso.onmicrosoft.com"}
    tenant.objects[f"/users/{USER}"] = guest
    with pytest.raises(OptionError, match="external guest"):
        worked(tenant, user=USER)


def test_more_than_one_use_where_the_policy_allows_it() -> None:
    tenant = Tenant()
    tenant.objects[POLICY] = policy(isUsableOnce=False, includeTargets=[{"id": "all_users", "targetType": "group"}])
    assert "any number of times" in worked(tenant, is_usable_once=False)["msg"]
    assert tenant.writes[0][2]["isUsableOnce"] is False


@pytest.mark.parametrize("unread", [PASSES, POLICY, GROUPS])
def test_what_cannot_be_read_is_not_written(unread: str) -> None:
    tenant = Tenant()
    tenant.objects[unread] = refused("read it")
    with pytest.raises(GraphError):
        worked(tenant)
    tenant.objects[unread] = [{}] if unread != POLICY else {}
    with pytest.raises(StateUnknown):
        worked(tenant)
    assert tenant.writes == []


@pytest.mark.parametrize(("tier", "effects"), [("SPB", 0), ("", 1)])
def test_a_dry_run_tells_of_a_missing_licence(tier: str, effects: int) -> None:
    tenant = Tenant(tier=tier)
    found = worked(tenant, True)["effects"]
    assert len(found) == effects
    assert all("no Microsoft Entra ID P1" in sentence for sentence in found)


def test_a_licence_that_cannot_be_read_is_no_obstacle() -> None:
    tenant = Tenant()
    tenant.objects["/subscribedSkus"] = refused("read the licences")
    assert worked(tenant)["effects"] == []
    assert len(tenant.writes) == 1


def test_a_refusal_for_the_licence_is_named() -> None:
    tenant = Tenant(tier="")
    text = "Your tenant is not licensed for this feature."
    tenant.answer = LicenceMissing(action="make it", status=403, code="AccessDenied", text=text)
    with pytest.raises(LicenceMissing, match="lacks the licence"):
        worked(tenant)


def test_missing_permissions_are_told_before_anything_is_sent() -> None:
    tenant = Tenant(roles=frozenset(["UserAuthMethod-TAP.Read.All"]))
    with pytest.raises(MissingPermissions, match=r"UserAuthMethod-TAP\.ReadWrite\.All"):
        worked(tenant)
    assert tenant.writes == []


@pytest.mark.parametrize("answer", [None, {"id": "pass-2"}, access_pass(), access_pass(temporaryAccessPass="")])
def test_a_pass_that_was_not_told_is_no_success(answer: Any) -> None:
    tenant = Tenant()
    tenant.answer = answer
    with pytest.raises(StateUnknown, match=r"did not tell it.*replace: true"):
        worked(tenant)


def test_an_answer_that_got_lost_is_not_asked_for_twice() -> None:
    tenant = Tenant()
    tenant.answer = ConnectionFailed("The connection broke off.")
    with pytest.raises(ConnectionFailed):
        worked(tenant)
    assert len(tenant.writes) == 1


def test_a_user_who_was_made_a_moment_ago_is_waited_for() -> None:
    tenant = Tenant()
    answers = [not_found(PASSES), tenant.answer]
    tenant.on_write = lambda *_what: answers.pop(0)
    assert worked(tenant, wait_timeout=5)["temporary_access_pass"]["temporary_access_pass"] == SECRET
