# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Per-user MFA against simulated tenants in this process. The simulator's watch sees whoever loses MFA."""

from __future__ import annotations

import json
import stat
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError

from ansible_collections.zerotrust.m365.plugins.module_utils._resources import per_user_mfa, security_defaults
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.per_user_mfa import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_tenant import OpenTenant, SimulatedTenant
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL
from m365_simulator.licences import subscribed_sku
from m365_simulator.objects import GROUP_ASSIGNMENT, GROUP_ELIGIBILITY, group_eligibility
from m365_simulator.simulation import Options, Simulation

GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
NAMED = ("sofia.martin", "daan.mulder", "karim.ali")
EVENTS = ("change", "changed")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def legacy(open_tenant: OpenTenant) -> SimulatedTenant:
    """40 users on per-user MFA in all three states, free of charge, security defaults off."""
    return open_tenant("legacy")


@pytest.fixture
def covered(legacy: SimulatedTenant) -> SimulatedTenant:
    switch_defaults(legacy, on=True)
    return legacy


@pytest.fixture
def business(open_tenant: OpenTenant) -> SimulatedTenant:
    tenant = open_tenant("business")
    for user in tenant.users():
        tenant.store.update("user", user["id"], document={**user, "perUserMfaState": "enforced"})
    return tenant


def switch_defaults(tenant: SimulatedTenant, *, on: bool) -> None:
    path = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
    assert tenant.client.call("PATCH", path, {"isEnabled": on}).status == 204
    tenant.simulation.journal.clear()


def states(tenant: SimulatedTenant) -> dict[str, str]:
    return {user["userPrincipalName"]: user["perUserMfaState"] for user in tenant.users()}


def counts(tenant: SimulatedTenant) -> Counter[str]:
    return Counter(states(tenant).values())


def run(tenant: SimulatedTenant, ledger: Path | None = None, **options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"settle_time": 0, "max_retries": 0, "wait_timeout": 1}
    if "restore_from" not in options:
        given |= {"state": "disabled", "ledger": str(ledger)}
        given |= {} if {"users", "groups", "all"} & set(options) else {"all": True}
    tenant.simulation.journal.clear()
    return tenant.run(RESOURCE, **{**given, **options})


def writes(tenant: SimulatedTenant) -> list[dict[str, Any]]:
    return [entry for entry in tenant.entries() if entry["method"] == "PATCH"]


def lines(ledger: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ledger.read_text().splitlines()]


def add_policy(tenant: SimulatedTenant, name: str, users: dict[str, Any], **more: Any) -> None:
    policy = {
        "displayName": name,
        "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"]},
            "users": users,
            **more,
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    }
    assert tenant.client.call("POST", "/v1.0/identity/conditionalAccess/policies", policy).status == 201
    tenant.simulation.journal.clear()


def group_id(tenant: SimulatedTenant, name: str) -> str:
    return next(str(one["id"]) for one in tenant.store.documents("group") if one["displayName"] == name)


def plain_user(tenant: SimulatedTenant) -> dict[str, Any]:
    """Somebody with enforced per-user MFA and no role."""
    holders = {assignment["principalId"] for assignment in tenant.store.documents("roleAssignment")}
    return next(one for one in tenant.users() if one["perUserMfaState"] == "enforced" and one["id"] not in holders)


def make_reader(tenant: SimulatedTenant) -> str:
    """The name of somebody with enforced per-user MFA who gets a role outside of the sixteen, and has no other."""
    user = plain_user(tenant)
    body = {"principalId": user["id"], "roleDefinitionId": GLOBAL_READER, "directoryScopeId": "/"}
    assert tenant.client.call("POST", "/v1.0/roleManagement/directory/roleAssignments", body).status == 201
    return str(user["userPrincipalName"])


# Cover, then remove


@pytest.mark.parametrize("check_mode", [True, False])
def test_nobody_without_cover_loses_it(legacy: SimulatedTenant, ledger: Path, check_mode: bool) -> None:
    before = states(legacy)
    result = run(legacy, ledger, check_mode=check_mode)
    found = result["per_user_mfa"]
    assert not result["changed"]
    assert writes(legacy) == []
    assert states(legacy) == before
    assert not ledger.exists()
    assert found["changed"] == found["remaining"] == 0
    assert len(found["skipped"]) == sum(state != "disabled" for state in before.values())
    assert {one["verdict"] for one in found["skipped"]} == {"uncovered"}
    assert all(one["reason"].startswith("Security defaults are off.") for one in found["skipped"])
    assert "were left as they are" in result["msg"]


def test_under_security_defaults_all_are_covered(covered: SimulatedTenant, ledger: Path) -> None:
    before = states(covered)
    in_use = {name: state for name, state in before.items() if state != "disabled"}
    predicted = run(covered, ledger, check_mode=True)
    assert writes(covered) == []
    assert not ledger.exists()
    applied = run(covered, ledger)
    assert applied["changed"]
    assert predicted["diff"] == applied["diff"]
    assert predicted["per_user_mfa"] == applied["per_user_mfa"]
    assert counts(covered) == {"disabled": len(before)}
    assert covered.violations() == []
    (diff,) = applied["diff"]
    assert diff["before"] == in_use
    assert diff["after"] == dict.fromkeys(in_use, "disabled")
    cover = applied["per_user_mfa"]["cover"]
    assert {(one["by"], one["policy"], one["asks"]) for one in cover} == {
        ("security_defaults", None, "always"),
        ("security_defaults", None, "when_necessary"),
    }
    assert sum(one["users"] for one in cover) == len(in_use)
    assert "only when Entra finds it necessary" in " ".join(applied["per_user_mfa"]["notes"])


def test_a_second_run_costs_no_write_and_no_request_per_user(covered: SimulatedTenant, ledger: Path) -> None:
    run(covered, ledger)
    content = ledger.read_bytes()
    for check_mode in (False, True):
        again = run(covered, ledger, check_mode=check_mode)
        assert not again["changed"]
        assert again["msg"] == "Nobody's per-user MFA has to be changed."
        assert writes(covered) == []
        assert len([entry for entry in covered.entries() if entry["batch"] is None]) == 2
    assert ledger.read_bytes() == content


def test_the_ledger_has_every_state_before_it_is_changed(covered: SimulatedTenant, ledger: Path) -> None:
    before = states(covered)
    kept: list[set[str]] = []

    def look(method: str, path: str, body: bytes) -> None:
        if path == "/beta/$batch" and b'"PATCH"' in body:
            kept.append({line["id"] for line in lines(ledger)})
            asked = {item["url"].split("/")[2] for item in json.loads(body)["requests"]}
            assert asked <= kept[-1]

    covered.on_request = look
    run(covered, ledger)
    assert kept
    found = lines(ledger)
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600
    assert {line["tenant_id"] for line in found} == {covered.simulation.first.id}
    for event in EVENTS:
        told = {line["user_principal_name"]: line["before"] for line in found if line["event"] == event}
        assert told == {name: state for name, state in before.items() if state != "disabled"}
    assert {line["left"] for line in found} == {"disabled"}


def test_holders_of_other_roles_keep_it_unless_named(covered: SimulatedTenant, ledger: Path) -> None:
    name = make_reader(covered)
    (skipped,) = run(covered, ledger)["per_user_mfa"]["skipped"]
    assert (skipped["user_principal_name"], skipped["verdict"]) == (name, "weaker")
    assert states(covered)[name] == "enforced"
    result = run(covered, ledger, weaker_cover_for=[name])
    assert result["per_user_mfa"]["changed"] == 1
    assert states(covered)[name] == "disabled"


def test_exactly_the_right_users_are_left_out(business: SimulatedTenant, ledger: Path) -> None:
    """Policies for administrators, for a group around groups but not from the offices, and for guests."""
    add_policy(
        business,
        "MFA for all but some",
        {"includeGroups": [group_id(business, "Sensitive work")], "excludeGroups": [group_id(business, "Research")]},
    )
    add_policy(
        business,
        "MFA for guests",
        {
            "includeGuestsOrExternalUsers": {
                "guestOrExternalUserTypes": "b2bCollaborationGuest,internalGuest,otherExternalUser",
                "externalTenants": {
                    "@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants",
                    "membershipKind": "all",
                },
            }
        },
    )
    people = {user["userPrincipalName"]: user for user in business.users()}
    administrators = {
        name for name in people if name.startswith(("emma.peeters", "karim.ali", "sofia.martin", "daan.mulder"))
    }
    inside = {user for user in people if people[user].get("department") in ("Finance", "Human Resources")}
    in_finance = {
        user["userPrincipalName"]
        for user in business.users()
        if user["id"] in business.store.targets(group_id(business, "Finance and HR"))
    }
    guests = {name for name, user in people.items() if user["userType"] == "Guest"}
    result = run(business, ledger)
    gone = {name for name, state in states(business).items() if state == "disabled"}
    assert gone == administrators | in_finance | guests
    assert in_finance >= inside - guests
    assert result["per_user_mfa"]["gaps"] == {
        "CA003: Require MFA for sensitive work outside the offices": ["it excludes places"]
    }
    assert {one["user_principal_name"] for one in result["per_user_mfa"]["skipped"]} == set(people) - gone
    assert {one["policy"] for one in result["per_user_mfa"]["cover"]} == {
        "CA001: Require MFA for administrators",
        "MFA for all but some",
        "MFA for guests",
    }
    assert business.violations() == []


def test_trusted_locations_may_be_accepted(business: SimulatedTenant, ledger: Path) -> None:
    result = run(business, ledger, check_mode=True, accept_trusted_locations=True)
    policies = {one["policy"] for one in result["per_user_mfa"]["cover"]}
    assert "CA003: Require MFA for sensitive work outside the offices" in policies
    assert result["per_user_mfa"]["gaps"] == {}


def test_what_is_uncovered_can_fail_the_task(business: SimulatedTenant, ledger: Path) -> None:
    for check_mode in (True, False):
        result = run(business, ledger, check_mode=check_mode, uncovered="fail")
        assert result["failed"]
        assert "would be skipped, and nobody may be" in result["msg"]
        assert "emergency.one@" in result["msg"]
        assert writes(business) == []


def test_cover_need_not_be_required(legacy: SimulatedTenant, ledger: Path) -> None:
    result = run(legacy, ledger, require_cover=False)
    assert counts(legacy).keys() == {"disabled"}
    assert "was not looked at" in " ".join(result["per_user_mfa"]["notes"])
    assert legacy.violations() != []


def test_what_cannot_be_read_covers_nobody(business: SimulatedTenant, ledger: Path) -> None:
    business.client.grant("User.Read.All", "Policy.Read.All", "Policy.ReadWrite.AuthenticationMethod")
    result = run(business, ledger)
    assert result["failed"]
    assert "kind of tenant" in result["msg"]
    business.client.grant(
        "User.Read.All", "Organization.Read.All", "Policy.Read.All", "Policy.ReadWrite.AuthenticationMethod"
    )
    business.client.admin("POST", "/faults", {"path": "/conditionalAccess/policies", "status": 403, "times": None})
    result = run(business, ledger)
    found = result["per_user_mfa"]["skipped"]
    assert {one["verdict"] for one in found} == {"unknown"}
    assert all("Not read: the Conditional Access policies" in one["reason"] for one in found)
    assert writes(business) == []


def test_groups_that_cannot_be_read_leave_it_open(business: SimulatedTenant, ledger: Path) -> None:
    business.client.grant(
        "User.ReadBasic.All",
        "User.Read.All",
        "Policy.Read.All",
        "Organization.Read.All",
        "Policy.ReadWrite.AuthenticationMethod",
        "RoleManagement.Read.Directory",
    )
    found = run(business, ledger)["per_user_mfa"]
    assert found["changed"] == 0
    assert {one["verdict"] for one in found["skipped"]} >= {"unknown"}
    assert "could not be read" in " ".join(found["notes"])
    assert writes(business) == []


def test_a_group_that_is_gone_leaves_it_open(business: SimulatedTenant, ledger: Path) -> None:
    gone = "5f4e1c2a-0000-4000-8000-000000000001"
    add_policy(business, "MFA for all", {"includeUsers": ["All"], "excludeGroups": [gone]})
    options: dict[str, Any] = {"users": [business.user("svc.backup")["id"]]}
    found = run(business, ledger, **options)["per_user_mfa"]
    assert [(one["verdict"], "'MFA for all'" in one["reason"]) for one in found["skipped"]] == [("unknown", True)]
    assert gone in " ".join(found["notes"])


def test_the_permission_to_write_is_named_before_the_first_write(covered: SimulatedTenant, ledger: Path) -> None:
    covered.client.grant("Directory.Read.All", "Policy.Read.All", "RoleManagement.Read.Directory")
    result = run(covered, ledger)
    assert result["failed"]
    assert "Policy.ReadWrite.AuthenticationMethod" in result["msg"]
    assert not ledger.exists()


def test_other_kinds_of_tenants_are_refused(covered: SimulatedTenant, ledger: Path) -> None:
    (organization,) = covered.store.documents("organization")
    covered.store.update("organization", organization["id"], document={**organization, "tenantType": "CIAM"})
    assert "only changes ordinary workforce tenants" in run(covered, ledger)["msg"]
    assert writes(covered) == []


def test_the_first_day_of_a_tenant_is_no_cover(covered: SimulatedTenant, ledger: Path) -> None:
    (organization,) = covered.store.documents("organization")
    now = covered.simulation.clock.stamp()
    covered.store.update("organization", organization["id"], document={**organization, "createdDateTime": now})
    (verdict,) = {one["verdict"] for one in run(covered, ledger)["per_user_mfa"]["skipped"]}
    assert verdict == "unknown"


# When things change meanwhile


def test_cover_that_goes_away_between_two_waves_stops_the_run(covered: SimulatedTenant, ledger: Path) -> None:
    before = states(covered)
    seen: list[str] = []

    def look(method: str, path: str, body: bytes) -> None:
        if path == "/beta/$batch" and b'"PATCH"' in body:
            seen.append(path)
            policy = covered.store.documents("securityDefaults")[0]
            covered.store.update("securityDefaults", policy["id"], document={**policy, "isEnabled": False})

    covered.on_request = look
    result = run(covered, ledger, canary=3)
    assert result["failed"]
    assert "security defaults" in result["msg"]
    assert len(seen) == 1
    after = states(covered)
    assert sum(before[name] != after[name] for name in before) == 3


def after_the_canary(tenant: SimulatedTenant, change: Callable[[], object]) -> None:
    """Have something done once, right after the first writes were answered."""

    def look(method: str, path: str, body: bytes) -> None:
        if path == "/beta/$batch" and b'"PATCH"' in body:
            tenant.on_answer = lambda _method, _path, _body: None
            change()

    tenant.on_answer = look


def covered_staff(tenant: SimulatedTenant) -> tuple[list[str], str]:
    """The ids of four plain users whom a policy covers by a group, and the group that it excludes."""
    holders = {assignment["principalId"] for assignment in tenant.store.documents("roleAssignment")}
    plain = [one["id"] for one in tenant.users() if one["userType"] == "Member" and one["id"] not in holders][:4]
    spared = make_group(tenant, "Spared", [])
    around = make_group(tenant, "Around the spared", [spared])
    add_policy(
        tenant,
        "MFA for some",
        {"includeGroups": [make_group(tenant, "Asked", plain)], "excludeGroups": [around]},
    )
    return sorted(plain), spared


def make_group(tenant: SimulatedTenant, name: str, members: Sequence[str]) -> str:
    body = {"displayName": name, "mailEnabled": False, "mailNickname": name.replace(" ", ""), "securityEnabled": True}
    group: str = tenant.client.call("POST", "/v1.0/groups", body).body["id"]
    put_into(tenant, group, *members)
    return group


def put_into(tenant: SimulatedTenant, group: str, *members: str) -> None:
    for member in members:
        reference = {"@odata.id": f"https://localhost:8443/v1.0/directoryObjects/{member}"}
        assert tenant.client.call("POST", f"/v1.0/groups/{group}/members/$ref", reference).status == 204


@pytest.mark.parametrize("left", [1, 3], ids=["one of a wave", "the whole wave"])
def test_whoever_loses_cover_between_two_waves_keeps_it(business: SimulatedTenant, ledger: Path, left: int) -> None:
    """They come into a group inside of one that the policy excludes."""
    users, spared = covered_staff(business)
    late = users[4 - left :]
    names = {one["userPrincipalName"] for one in business.users() if one["id"] in late}
    after_the_canary(business, lambda: put_into(business, spared, *late))
    result = run(business, ledger, users=users, canary=1)
    assert not result.get("failed"), result["msg"]
    told = result["per_user_mfa"]
    assert {one["user_principal_name"]: one["verdict"] for one in told["skipped"]} == dict.fromkeys(names, "uncovered")
    assert "exclude the user: 'MFA for some'" in told["skipped"][0]["reason"]
    assert (told["changed"], told["remaining"]) == (4 - left, 0)
    assert result["msg"].startswith(f"Per-user MFA was changed for {4 - left} user")
    assert result["diff"][0]["after"].keys() == result["diff"][0]["before"].keys()
    assert len(result["diff"][0]["after"]) == 4 - left == len(writes(business))
    assert {states(business)[name] for name in names} == {"enforced"}
    assert not names & {line["user_principal_name"] for line in lines(ledger)}
    again = run(business, ledger, users=users)
    assert not again["changed"]
    assert len(again["per_user_mfa"]["skipped"]) == left


def test_where_nobody_may_be_skipped_lost_cover_fails_the_task(business: SimulatedTenant, ledger: Path) -> None:
    users, spared = covered_staff(business)
    after_the_canary(business, lambda: put_into(business, spared, users[3]))
    result = run(business, ledger, users=users, canary=1, uncovered="fail")
    assert result["failed"]
    assert "exclude the user: 'MFA for some'" in result["msg"]
    assert len(writes(business)) == len(result["diff"][0]["after"]) == 3


@pytest.mark.parametrize("path", ["/transitiveMemberOf", "/roleManagement/directory/roleAssignments"])
def test_where_graph_does_not_answer_before_a_wave_it_stops(business: SimulatedTenant, ledger: Path, path: str) -> None:
    users, _spared = covered_staff(business)
    fault = {"path": path, "status": 503, "times": None}
    after_the_canary(business, lambda: business.client.admin("POST", "/faults", fault))
    result = run(business, ledger, users=users, canary=1)
    assert result["failed"]
    assert "503" in result["msg"]
    assert len(writes(business)) == 1


def test_whoever_gets_another_role_between_two_waves_keeps_it(covered: SimulatedTenant, ledger: Path) -> None:
    """Security defaults would ask them only when Entra finds it necessary."""
    holders = {assignment["principalId"] for assignment in covered.store.documents("roleAssignment")}
    chosen = [one for one in covered.users() if one["perUserMfaState"] != "disabled" and one["id"] not in holders]
    users = sorted(one["id"] for one in chosen)
    body = {"principalId": users[-1], "roleDefinitionId": GLOBAL_READER, "directoryScopeId": "/"}
    assign = ("POST", "/v1.0/roleManagement/directory/roleAssignments", body)
    after_the_canary(covered, lambda: covered.client.call(*assign))
    (skipped,) = run(covered, ledger, users=users, canary=1)["per_user_mfa"]["skipped"]
    assert (skipped["id"], skipped["verdict"]) == (users[-1], "weaker")
    assert sum(user["perUserMfaState"] != "disabled" for user in covered.users() if user["id"] in users) == 1


def test_whose_groups_cannot_be_read_again_keeps_it(business: SimulatedTenant, ledger: Path) -> None:
    users, _spared = covered_staff(business)
    fault = {"path": f"/users/{users[2]}/transitiveMemberOf", "status": 403, "times": None}
    business.client.admin("POST", "/faults", fault)
    (skipped,) = run(business, ledger, users=users)["per_user_mfa"]["skipped"]
    assert (skipped["id"], skipped["verdict"]) == (users[2], "unknown")
    assert len(writes(business)) == 3


def test_what_reading_cover_again_costs(business: SimulatedTenant, ledger: Path) -> None:
    """For each wave one request of the tenant, one of the roles, and one for every 20 users; nothing when converged."""
    users, _spared = covered_staff(business)
    many = [one["id"] for one in business.users()]
    put_into(business, group_id(business, "Asked"), *(set(many) - set(users)))
    result = run(business, ledger, canary=4)
    changed, skipped = result["per_user_mfa"]["changed"], result["per_user_mfa"]["skipped"]
    assert changed + len(skipped) == len(many)
    read_again = [entry for entry in business.entries() if entry["path"].endswith("/transitiveMemberOf")]
    assert len(read_again) == changed
    assert len({entry["batch"] for entry in read_again}) == 1 + -(-(changed - 4) // 20)
    policies = [entry for entry in business.entries() if entry["path"] == "/identity/conditionalAccess/policies"]
    assert len(policies) == 3
    again = run(business, ledger, exclude_users=[one["id"] for one in skipped])
    assert again["msg"] == "Nobody's per-user MFA has to be changed."
    assert not [entry for entry in business.entries() if "/transitiveMember" in entry["path"]]


def test_who_is_deleted_meanwhile_is_told(covered: SimulatedTenant, ledger: Path) -> None:
    name = plain_user(covered)["userPrincipalName"]

    def look(method: str, path: str, body: bytes) -> None:
        if path == "/beta/$batch" and b'"PATCH"' in body:
            covered.on_request = lambda _method, _path, _body: None
            assert covered.client.call("DELETE", f"/v1.0/users/{name}").status == 204

    covered.on_request = look
    result = run(covered, ledger)
    assert not result.get("failed"), result["msg"]
    assert result["per_user_mfa"]["gone"] == [name]
    assert counts(covered).keys() == {"disabled"}


def test_who_registers_meanwhile_is_changed_and_the_ledger_right(covered: SimulatedTenant, ledger: Path) -> None:
    name = next(name for name, state in states(covered).items() if state == "enabled")

    def look(method: str, path: str, body: bytes) -> None:
        if path == "/v1.0/$batch":
            covered.change(name, perUserMfaState="enforced")
            covered.on_request = lambda _method, _path, _body: None

    covered.on_request = look
    run(covered, ledger)
    assert states(covered)[name] == "disabled"
    assert {line["before"] for line in lines(ledger) if line["user_principal_name"] == name} == {"enforced"}


def refuse(tenant: SimulatedTenant, *names: str) -> None:
    """Users in a restricted management unit, whom the application may not touch."""
    body = {"displayName": "Restricted", "isMemberManagementRestricted": True}
    unit = tenant.client.call("POST", "/v1.0/directory/administrativeUnits", body).body["id"]
    for name in names:
        reference = {"@odata.id": f"https://localhost:8443/v1.0/users/{tenant.user(name)['id']}"}
        path = f"/v1.0/directory/administrativeUnits/{unit}/members/$ref"
        assert tenant.client.call("POST", path, reference).status == 204


def test_one_refusal_does_not_keep_the_others(business: SimulatedTenant, ledger: Path) -> None:
    refuse(business, "sofia.martin")
    result = run(
        business,
        ledger,
        users=[business.user(one)["userPrincipalName"] for one in ("sofia.martin", "daan.mulder", "karim.ali")],
    )
    assert result["failed"]
    assert result["changed"]
    assert "1 user could not be changed" in result["msg"]
    assert [name.split("@")[0] for name in result["error"]["refused"]] == ["sofia.martin"]
    assert states(business)[business.user("daan.mulder")["userPrincipalName"]] == "disabled"
    assert states(business)[business.user("sofia.martin")["userPrincipalName"]] == "enforced"
    events = [line["event"] for line in lines(ledger) if line["user_principal_name"].startswith("sofia.martin")]
    assert events == ["change", "refused"]


def test_a_canary_that_fails_stops_the_rest(business: SimulatedTenant, ledger: Path) -> None:
    names = sorted((business.user(one)["id"], one) for one in NAMED)
    refuse(business, names[0][1])
    result = run(business, ledger, users=[identity for identity, _name in names], canary=1)
    assert result["failed"]
    assert not result["changed"]
    assert result["msg"].startswith("Stopped after the canary. 0 users were changed.")
    assert result["error"]["remaining"] == 3
    assert all(business.user(name)["perUserMfaState"] == "enforced" for _id, name in names)


def test_a_canary_that_is_well_goes_on(covered: SimulatedTenant, ledger: Path) -> None:
    total = sum(state != "disabled" for state in states(covered).values())
    result = run(covered, ledger, canary=2)
    assert not result.get("failed")
    assert result["per_user_mfa"]["changed"] == total
    assert counts(covered).keys() == {"disabled"}


# Waves and bounds


def test_waves_are_tasks_of_their_own(covered: SimulatedTenant, ledger: Path) -> None:
    total = sum(state != "disabled" for state in states(covered).values())
    remaining, waves = total, 0
    while remaining:
        result = run(covered, ledger, wave_size=7)
        waves += 1
        assert result["per_user_mfa"]["changed"] == min(7, remaining)
        remaining -= min(7, remaining)
        assert result["per_user_mfa"]["remaining"] == remaining
    assert waves == -(-total // 7)
    assert counts(covered).keys() == {"disabled"}


@pytest.mark.parametrize("check_mode", [True, False])
def test_too_many_changes_are_refused(covered: SimulatedTenant, ledger: Path, check_mode: bool) -> None:
    total = sum(state != "disabled" for state in states(covered).values())
    result = run(covered, ledger, max_changes=total - 1, check_mode=check_mode)
    assert result["failed"]
    assert f"{total} users would be changed, which is more than max_changes allows ({total - 1})" in result["msg"]
    assert writes(covered) == []
    assert not run(covered, ledger, max_changes=total).get("failed")


# Throttled and failing

REQUIREMENTS = "authentication/requirements"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 0.05, "times": 9},
        pytest.param({"status": 429, "times": 2}, marks=pytest.mark.deep),
        pytest.param({"status": 503, "times": 2}, marks=pytest.mark.deep),
        pytest.param({"status": 503, "when": "after", "times": 3}, marks=pytest.mark.deep),
    ],
)
def test_throttled_and_failing_writes_are_done_once(
    covered: SimulatedTenant, ledger: Path, fault: dict[str, Any]
) -> None:
    before = states(covered)
    covered.client.admin("POST", "/faults", {"path": REQUIREMENTS, "method": "PATCH", **fault})
    result = run(covered, ledger, max_retries=6)
    assert not result.get("failed"), result["msg"]
    assert counts(covered).keys() == {"disabled"}
    told = [line["user_principal_name"] for line in lines(ledger) if line["event"] == "change"]
    assert sorted(told) == sorted(name for name, state in before.items() if state != "disabled")
    assert covered.violations() == []


def test_a_write_whose_answer_is_lost_is_read_again(covered: SimulatedTenant, ledger: Path) -> None:
    fault = {"path": REQUIREMENTS, "method": "PATCH", "status": 504, "when": "after", "times": 4}
    covered.client.admin("POST", "/faults", fault)
    result = run(covered, ledger)
    assert not result.get("failed"), result["msg"]
    assert counts(covered).keys() == {"disabled"}


def test_a_tenant_that_stays_throttled_stops_the_run(covered: SimulatedTenant, ledger: Path) -> None:
    before = states(covered)
    fault = {"path": REQUIREMENTS, "method": "PATCH", "status": 429, "times": None}
    covered.client.admin("POST", "/faults", fault)
    result = run(covered, ledger)
    assert result["failed"]
    assert not result["changed"]
    assert result["msg"].startswith("Stopped: Graph does not take the changes.")
    assert states(covered) == before
    covered.client.admin("DELETE", "/faults")
    run(covered, ledger)
    assert counts(covered).keys() == {"disabled"}
    run(covered, restore_from=str(ledger))
    assert states(covered) == before


def lose_answers(
    tenant: SimulatedTenant, *, times: int | None = None, after: Callable[[], object] | None = None
) -> None:
    """Writes are done and answered by 504; ``after`` is called once they were."""
    fault = {"path": REQUIREMENTS, "method": "PATCH", "status": 504, "when": "after", "times": times}
    tenant.client.admin("POST", "/faults", fault)

    def look(_method: str, _path: str, body: bytes) -> None:
        if b'"PATCH"' in body and after:
            tenant.on_answer = lambda _method, _path, _body: None
            tenant.client.admin("DELETE", "/faults")
            after()

    tenant.on_answer = look


@pytest.mark.parametrize("fault", [{"status": 429, "retry_after": 4000}, {"status": 403}], ids=["throttled", "refused"])
def test_what_was_done_before_the_last_answer_is_put_back(
    covered: SimulatedTenant, ledger: Path, fault: dict[str, Any]
) -> None:
    """The first attempt is done, its answers are lost, and the second one is not taken."""
    before = states(covered)
    then = {"path": REQUIREMENTS, "method": "PATCH", "times": None, **fault}
    lose_answers(covered, after=lambda: covered.client.admin("POST", "/faults", then))
    result = run(covered, ledger, max_retries=1)
    assert result["changed"]
    # The first 20 were done, and are known to be; what was never taken may be told as such.
    done = {name for name in before if states(covered)[name] != before[name]}
    told: dict[str, set[str]] = {}
    for line in lines(ledger):
        told.setdefault(line["event"], set()).add(line.get("user_principal_name", ""))
    assert done
    assert told["changed"] == done
    assert not told.get("refused", set()) & done
    covered.client.admin("DELETE", "/faults")
    run(covered, ledger)
    run(covered, restore_from=str(ledger))
    assert states(covered) == before


def lose_the_connection(tenant: SimulatedTenant, *, done: bool) -> None:
    """No write gets an answer, and it is said that none was sent."""

    def lost(_method: str, _path: str, body: bytes) -> None:
        if b'"PATCH"' in body:
            pool = HTTPSConnectionPool("localhost")
            refused = NewConnectionError(HTTPSConnection("localhost"), "Connection refused")
            raise requests.exceptions.ConnectionError(MaxRetryError(pool, "/", refused))

    if done:
        tenant.on_answer = lost
    else:
        tenant.on_request = lost


@pytest.mark.parametrize("done", [True, False])
def test_a_refusal_is_noted_only_where_graph_shows_what_was_before(
    covered: SimulatedTenant, ledger: Path, done: bool
) -> None:
    before = states(covered)
    in_use = sum(state != "disabled" for state in before.values())
    lose_the_connection(covered, done=done)
    result = run(covered, ledger)
    covered.on_request = covered.on_answer = lambda _method, _path, _body: None
    assert result["failed"]
    assert "cannot be reached" in result["msg"]
    assert Counter(line["event"] for line in lines(ledger)) == {
        "change": in_use,
        "changed" if done else "refused": in_use,
    }
    result = run(covered, restore_from=str(ledger)) if done else run(covered, ledger, check_mode=True)
    assert result["per_user_mfa"]["changed"] == in_use
    assert states(covered) == before


@pytest.mark.parametrize("fault", [{"status": 403}, None], ids=["one by one", "all of them"])
def test_where_the_refused_cannot_be_read_the_change_stays_open(
    covered: SimulatedTenant, ledger: Path, fault: dict[str, Any] | None
) -> None:
    before = states(covered)
    covered.client.admin("POST", "/faults", {"path": REQUIREMENTS, "method": "PATCH", "status": 403, "times": None})

    def look(_method: str, _path: str, body: bytes) -> None:
        if b'"PATCH"' in body and fault:
            covered.client.admin("POST", "/faults", {"path": REQUIREMENTS, "method": "GET", "times": None, **fault})
        elif b'"PATCH"' in body:
            covered.on_request = gone

    def gone(_method: str, _path: str, _body: bytes) -> None:
        raise requests.exceptions.ConnectionError("reset")

    covered.on_answer = look
    result = run(covered, ledger, wave_size=3)
    covered.on_request = covered.on_answer = lambda _method, _path, _body: None
    covered.client.admin("DELETE", "/faults")
    assert result["failed"]
    assert "403" in result["msg"]
    assert {line["event"] for line in lines(ledger)} == {"change"}
    assert states(covered) == before
    # It was not done, so there is nothing to put back.
    restored = run(covered, restore_from=str(ledger))
    assert not restored["changed"]
    assert restored["per_user_mfa"]["skipped"] == []


def test_who_registers_while_refused_is_as_before(covered: SimulatedTenant, ledger: Path) -> None:
    name = next(name for name, state in states(covered).items() if state == "enabled")
    covered.client.admin("POST", "/faults", {"path": REQUIREMENTS, "method": "PATCH", "status": 403, "times": None})

    def look(_method: str, _path: str, body: bytes) -> None:
        if "PATCH" in str(body):
            covered.change(name, perUserMfaState="enforced")

    covered.on_answer = look
    run(covered, ledger, users=[name])
    assert [line["event"] for line in lines(ledger)] == ["change", "refused"]


def test_who_somebody_else_changed_while_refused_stays_open(covered: SimulatedTenant, ledger: Path) -> None:
    name = next(name for name, state in states(covered).items() if state == "enforced")
    covered.client.admin("POST", "/faults", {"path": REQUIREMENTS, "method": "PATCH", "status": 403, "times": None})

    def look(_method: str, _path: str, body: bytes) -> None:
        if "PATCH" in str(body):
            covered.change(name, perUserMfaState="enabled")

    covered.on_answer = look
    run(covered, ledger, users=[name])
    assert [line["event"] for line in lines(ledger)] == ["change"]


def test_a_refusal_to_put_back_is_looked_at_too(covered: SimulatedTenant, ledger: Path) -> None:
    before = states(covered)
    run(covered, ledger)
    lose_the_connection(covered, done=True)
    run(covered, restore_from=str(ledger))
    assert states(covered) == before
    assert Counter(line["event"] for line in lines(ledger))["restored"] == sum(
        state != "disabled" for state in before.values()
    )


@pytest.mark.deep
def test_a_state_that_is_shown_late_is_waited_for(covered: SimulatedTenant, ledger: Path) -> None:
    before = states(covered)
    covered.client.admin("POST", "/faults", {"kind": "stale", "path": "/users", "reads": 1, "times": None})
    result = run(covered, ledger, wait_timeout=20)
    assert not result.get("failed"), result["msg"]
    assert counts(covered).keys() == {"disabled"}
    covered.client.admin("DELETE", "/faults")
    run(covered, restore_from=str(ledger))
    assert states(covered) == before


# Whom it is about


def test_users_groups_and_exclusions(covered: SimulatedTenant, ledger: Path) -> None:
    result = run(
        covered,
        ledger,
        groups=["Administrators"],
        users=["yara.kaya@fabrikam.com"],
        exclude_users=["ada.jansen@fabrikam.com"],
    )
    changed = set(result["diff"][0]["after"])
    assert {name.split(".")[0] for name in changed} == {"pieter", "yara"}
    assert result["per_user_mfa"]["selected"] == 2


def test_only_some_current_states(covered: SimulatedTenant, ledger: Path) -> None:
    before = counts(covered)
    run(covered, ledger, current_states=["enabled"], exclude_groups=["Administrators"])
    after = counts(covered)
    assert after["enabled"] == 0
    assert after["enforced"] == before["enforced"]


def test_a_large_group_is_read_by_the_list(
    covered: SimulatedTenant, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = run(covered, ledger, groups=["All staff"], exclude_groups=["Administrators"], check_mode=True)
    assert [entry for entry in covered.entries() if entry["path"] == "/users"] == []
    monkeypatch.setattr(f"{per_user_mfa.__name__}.FEW", 5)
    many = run(covered, ledger, groups=["All staff"], exclude_groups=["Administrators"], check_mode=True)
    assert len([entry for entry in covered.entries() if entry["path"] == "/users"]) == 1
    assert many["diff"] == few["diff"]
    assert many["per_user_mfa"] == few["per_user_mfa"]


@pytest.mark.parametrize("option", ["users", "groups", "exclude_users", "exclude_groups", "weaker_cover_for"])
def test_a_name_that_nobody_has_is_refused(covered: SimulatedTenant, ledger: Path, option: str) -> None:
    before = states(covered)
    options = {option: ["nobody@nowhere.example"]}
    if option == "weaker_cover_for":
        make_reader(covered)
    if "exclude" in option or option == "weaker_cover_for":
        options["all"] = True  # type: ignore[assignment]
    result = run(covered, ledger, **options)
    assert result["failed"]
    assert "There is no" in result["msg"]
    assert states(covered) == before


# Who has registered


def test_who_has_not_registered_is_told(business: SimulatedTenant, ledger: Path) -> None:
    names = [str(business.user(one)["userPrincipalName"]) for one in NAMED]
    assert run(business, ledger, users=names, check_mode=True)["per_user_mfa"]["registration"] is None
    options: dict[str, Any] = {"require_cover": False, "report_registration": True, "check_mode": True}
    found = run(business, ledger, **options)["per_user_mfa"]["registration"]
    methods = {
        row.document["userPrincipalName"]: row.private["methodsRegistered"] for row in business.store.rows("user")
    }
    assert (found["completeness"], found["reason"], found["unknown"]) == ("known", None, [])
    assert set(found["unregistered"]) == {name for name, registered in methods.items() if not registered}
    assert found["registered"] == len(methods) - len(found["unregistered"])


def test_without_the_licence_nobody_is_called_unregistered(covered: SimulatedTenant, ledger: Path) -> None:
    result = run(covered, ledger, report_registration=True, check_mode=True)
    found = result["per_user_mfa"]["registration"]
    assert (found["completeness"], found["registered"], found["unregistered"]) == ("unknown", 0, [])
    assert len(found["unknown"]) == result["per_user_mfa"]["changed"]
    assert "licence" in found["reason"]


# Towards more MFA


def test_enabled_converges_as_entra_does(legacy: SimulatedTenant, ledger: Path) -> None:
    before = counts(legacy)
    result = run(legacy, ledger, state="enabled")
    assert result["per_user_mfa"]["changed"] == before["disabled"]
    assert result["per_user_mfa"]["as_wanted"] == before["enabled"] + before["enforced"]
    assert counts(legacy) == {"enabled": before["enabled"] + before["disabled"], "enforced": before["enforced"]}
    assert not run(legacy, ledger, state="enabled")["changed"]
    run(legacy, ledger, state="enforced")
    assert counts(legacy).keys() == {"enforced"}
    assert not run(legacy, ledger, state="enabled")["changed"]
    assert not run(legacy, ledger, state="enforced")["changed"]


# Putting back


def test_restoring_gives_back_the_very_same_states(covered: SimulatedTenant, ledger: Path) -> None:
    before = states(covered)
    run(covered, ledger)
    predicted = run(covered, restore_from=str(ledger), check_mode=True)
    assert writes(covered) == []
    restored = run(covered, restore_from=str(ledger))
    assert restored["changed"]
    assert predicted["diff"] == restored["diff"]
    assert states(covered) == before
    again = run(covered, restore_from=str(ledger))
    assert not again["changed"]
    assert again["per_user_mfa"]["selected"] == 0


def test_only_who_is_as_the_run_left_them_is_put_back(covered: SimulatedTenant, ledger: Path) -> None:
    run(covered, ledger)
    entries = [line for line in lines(ledger) if line["event"] == "change" and line["before"] == "enforced"]
    touched, gone = entries[0], entries[1]
    covered.change(touched["user_principal_name"], perUserMfaState="enabled")
    covered.store.delete("user", gone["id"])
    result = run(covered, restore_from=str(ledger))
    assert {(one["user_principal_name"], one["verdict"]) for one in result["per_user_mfa"]["skipped"]} == {
        (touched["user_principal_name"], "changed_since"),
        (gone["user_principal_name"], "gone"),
    }
    assert states(covered)[touched["user_principal_name"]] == "enabled"


def test_restoring_to_disabled_needs_cover_too(legacy: SimulatedTenant, ledger: Path) -> None:
    before = states(legacy)
    run(legacy, ledger, state="enabled")
    result = run(legacy, restore_from=str(ledger))
    assert not result["changed"]
    assert {one["verdict"] for one in result["per_user_mfa"]["skipped"]} == {"uncovered"}
    run(legacy, restore_from=str(ledger), require_cover=False)
    assert states(legacy) == before


def test_a_refused_change_is_not_put_back(business: SimulatedTenant, ledger: Path) -> None:
    refuse(business, "sofia.martin")
    run(business, ledger, users=[business.user(one)["userPrincipalName"] for one in ("sofia.martin", "daan.mulder")])
    business.change("sofia.martin", perUserMfaState="disabled")
    result = run(business, restore_from=str(ledger))
    assert set(result["diff"][0]["after"]) == {business.user("daan.mulder")["userPrincipalName"]}
    assert business.user("sofia.martin")["perUserMfaState"] == "disabled"


# Stopped anywhere


class Killed(BaseException):
    pass


def killed_at(tenant: SimulatedTenant, ledger: Path, number: int, *, answered: bool) -> bool:
    """Run, and die before the request of that number is sent, or its answer comes; whether it came so far."""
    count = 0

    def look(_method: str, _path: str, _body: bytes) -> None:
        nonlocal count
        count += 1
        if count > number and not answered:
            raise Killed

    def look_after(_method: str, _path: str, _body: bytes) -> None:
        if count > number:
            raise Killed

    tenant.on_request, tenant.on_answer = look, look_after
    try:
        run(tenant, ledger, canary=2)
    except Killed:
        return True
    finally:
        tenant.on_request = tenant.on_answer = lambda _method, _path, _body: None
    return False


def stopped_and_run_again(tenant: SimulatedTenant, ledger: Path, number: int, *, answered: bool) -> bool:
    """Whatever it was stopped at, the next run has the same end, and the ledger gives everything back."""
    tenant.start_again()
    switch_defaults(tenant, on=True)
    before = states(tenant)
    was_killed = killed_at(tenant, ledger, number, answered=answered)
    result = run(tenant, ledger)
    assert not result.get("failed"), result["msg"]
    assert counts(tenant).keys() == {"disabled"}
    assert tenant.violations() == []
    run(tenant, restore_from=str(ledger))
    assert states(tenant) == before, number
    assert not run(tenant, restore_from=str(ledger))["changed"]
    return was_killed


# The write of the canary, what is read after it, and one of the writes after that.
@pytest.mark.parametrize(("number", "answered"), [(8, True), (13, False)])
def test_stopped_at_a_request_and_run_again(
    legacy: SimulatedTenant, tmp_path: Path, number: int, answered: bool
) -> None:
    assert stopped_and_run_again(legacy, tmp_path / "ledger", number, answered=answered)


@pytest.mark.deep
@pytest.mark.parametrize("answered", [True, False])
def test_stopped_at_any_request_and_run_again(legacy: SimulatedTenant, tmp_path: Path, answered: bool) -> None:
    number = 0
    while stopped_and_run_again(legacy, tmp_path / str(number), number, answered=answered):
        number += 1
    assert number > 10


def test_a_line_that_was_broken_off_is_no_harm(covered: SimulatedTenant, ledger: Path) -> None:
    before = states(covered)
    run(covered, ledger, wave_size=5)
    with ledger.open("ab") as file:
        file.write(b'{"event": "change", "id": "')
    run(covered, ledger)
    assert len(lines(ledger)) == 2 * sum(state != "disabled" for state in before.values())
    run(covered, restore_from=str(ledger))
    assert states(covered) == before


# Who may join groups for a time


@pytest.fixture
def premium(business: SimulatedTenant) -> SimulatedTenant:
    tenant = business.simulation.first.id
    sku = subscribed_sku(tenant, "AAD_PREMIUM_P2", bought=5, consumed=0, status="Enabled")
    business.store.insert("subscribedSku", sku["id"], sku)
    business.simulation.store.commit()
    return business


def let_join(tenant: SimulatedTenant, group: str, principal: str, **more: Any) -> None:
    """Make somebody eligible; with more members, give them an assignment instead."""
    document = {**group_eligibility(group, principal, tenant.simulation.clock.stamp()), **more}
    if more:
        document["assignmentScheduleId"] = document.pop("eligibilityScheduleId")
    tenant.store.insert(GROUP_ASSIGNMENT if more else GROUP_ELIGIBILITY, document["id"], document)
    tenant.simulation.store.commit()


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["verdict"] for one in result["per_user_mfa"]["skipped"]}


def test_who_may_join_a_group_that_a_policy_excludes_is_not_known_to_be_covered(
    premium: SimulatedTenant, ledger: Path
) -> None:
    """Oneself, by a group that is eligible, and for a group inside of the excluded one."""
    users, inner = covered_staff(premium)
    around = group_id(premium, "Around the spared")
    let_join(premium, around, users[0])
    let_join(premium, around, make_group(premium, "Eligible", users[1:2]))
    let_join(premium, inner, users[2])
    result = run(premium, ledger, users=users, canary=1)
    assert verdicts(result) == dict.fromkeys(users[:3], "unknown")
    assert "Whether these policies cover the user is not known: 'MFA for some'." in str(
        result["per_user_mfa"]["skipped"]
    )
    assert result["per_user_mfa"]["notes"] == []
    assert len(writes(premium)) == 1


@pytest.mark.parametrize(
    ("assignment", "covered_by_it"),
    [
        ({"assignmentType": "assigned", "endDateTime": None}, True),
        ({"assignmentType": "assigned", "endDateTime": "2099-01-01T00:00:00Z"}, False),
        ({"assignmentType": "activated", "endDateTime": "2099-01-01T00:00:00Z"}, False),
        ({"assignmentType": "assigned", "accessId": "owner", "endDateTime": "2099-01-01T00:00:00Z"}, True),
    ],
)
def test_who_is_in_a_group_for_a_time_only_is_not_known_to_be_covered(
    premium: SimulatedTenant, ledger: Path, assignment: dict[str, Any], covered_by_it: bool
) -> None:
    users, _spared = covered_staff(premium)
    let_join(premium, group_id(premium, "Asked"), users[0], **assignment)
    assert verdicts(run(premium, ledger, users=users)) == ({} if covered_by_it else {users[0]: "unknown"})


def test_who_may_join_a_group_with_another_role_keeps_it(premium: SimulatedTenant, ledger: Path) -> None:
    for policy in premium.store.documents("conditionalAccessPolicy"):
        premium.store.delete("conditionalAccessPolicy", policy["id"])
    switch_defaults(premium, on=True)
    holders = {assignment["principalId"] for assignment in premium.store.documents("roleAssignment")}
    user, other = [one["id"] for one in premium.users() if one["userType"] == "Member" and one["id"] not in holders][:2]
    readers = make_group(premium, "Readers", [])
    give = {"principalId": readers, "roleDefinitionId": GLOBAL_READER, "directoryScopeId": "/"}
    document = {**premium.store.documents("roleAssignment")[0], **give, "id": "readers"}
    premium.store.insert("roleAssignment", "readers", document)
    let_join(premium, readers, user)
    assert verdicts(run(premium, ledger, users=[user, other])) == {user: "weaker"}


def test_what_cannot_be_read_of_joining_is_told(premium: SimulatedTenant, ledger: Path) -> None:
    users, _spared = covered_staff(premium)
    granted = premium.simulation.first.application.permissions
    premium.client.grant(*(permission for permission in granted if "AzureADGroup" not in permission))
    result = run(premium, ledger, users=users)
    assert verdicts(result) == {}
    (note,) = result["per_user_mfa"]["notes"]
    assert "Who may join groups for a time was not looked at" in note
    assert "PrivilegedAssignmentSchedule.Read.AzureADGroup" in note


# A dry run of what comes after other changes


@pytest.mark.parametrize("on", [True, False])
def test_expected_cover_is_judged_as_in_the_run(legacy: SimulatedTenant, ledger: Path, on: bool) -> None:
    """Somebody with another role, and all others: the very same answer before and after security defaults."""
    make_reader(legacy)
    switch_defaults(legacy, on=not on)
    predicted = run(legacy, ledger, check_mode=True, cover_expected={"security_defaults": on})
    assert writes(legacy) == []
    assert not ledger.exists()
    switch_defaults(legacy, on=on)
    done = run(legacy, ledger)
    assert done["per_user_mfa"] == predicted["per_user_mfa"]
    assert done["diff"] == predicted["diff"]
    assert {one["verdict"] for one in done["per_user_mfa"]["skipped"]} == {"weaker" if on else "uncovered"}


def test_the_first_day_of_a_tenant_is_no_expected_cover(legacy: SimulatedTenant, ledger: Path) -> None:
    document = legacy.store.documents("organization")[0]
    created = {**document, "createdDateTime": legacy.simulation.clock.stamp()}
    legacy.store.update("organization", document["id"], document=created)
    found = run(legacy, ledger, check_mode=True, cover_expected={"security_defaults": True})["per_user_mfa"]
    assert found["changed"] == 0
    assert {one["verdict"] for one in found["skipped"]} == {"unknown"}


def test_expected_exclusions_are_judged_as_in_the_run(business: SimulatedTenant, ledger: Path) -> None:
    users, spared = covered_staff(business)
    name = next(one["userPrincipalName"] for one in business.users() if one["id"] == users[0])
    options = {"users": users, "check_mode": True}
    predicted = run(business, ledger, **options, cover_expected={"excluded_users": [name]})
    put_into(business, spared, users[0])
    actual = run(business, ledger, **options)
    assert actual["per_user_mfa"] == predicted["per_user_mfa"]
    assert actual["diff"] == predicted["diff"]
    assert [one["id"] for one in predicted["per_user_mfa"]["skipped"]] == [users[0]]


# Settling


def test_what_covers_is_given_time_to_spread(
    covered: SimulatedTenant, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(
        "ansible_collections.zerotrust.m365.plugins.module_utils._graph.retry.RetryPolicy.pause",
        lambda _policy, seconds: waited.append(seconds),
    )
    run(covered, ledger, settle_time=100, wave_size=3)
    assert [round(seconds) for seconds in waited] == [100]
    assert [line["by"] for line in lines(ledger) if line["event"] == "cover"] == ["security_defaults"]
    covered.simulation.clock.advance(60)
    run(covered, ledger, settle_time=100, wave_size=3)
    assert 35 <= waited[1] <= 41
    covered.simulation.clock.advance(60)
    run(covered, ledger, settle_time=100, wave_size=3)
    assert len(waited) == 2


@pytest.mark.parametrize(("options", "too_early"), [({}, False), ({"settle_time": 300}, True)])
def test_nobody_is_without_mfa_while_security_defaults_are_on_their_way(
    legacy: SimulatedTenant,
    ledger: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    too_early: bool,
) -> None:
    legacy.assume(security_defaults_take_effect_after_seconds="900")
    switch_defaults(legacy, on=True)
    monkeypatch.setattr(
        "ansible_collections.zerotrust.m365.plugins.module_utils._graph.retry.RetryPolicy.pause",
        lambda _policy, seconds: legacy.simulation.clock.advance(seconds),
    )
    result = legacy.run(RESOURCE, state="disabled", ledger=str(ledger), all=True, **options)
    assert result["changed"]
    assert bool(legacy.violations()) == too_early


def test_a_policy_says_itself_since_when_it_is_there(
    business: SimulatedTenant, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(
        "ansible_collections.zerotrust.m365.plugins.module_utils._graph.retry.RetryPolicy.pause",
        lambda _policy, seconds: waited.append(seconds),
    )
    run(business, ledger, settle_time=100, users=[business.user("daan.mulder")["id"]])
    assert waited == []
    add_policy(business, "MFA for one", {"includeUsers": [business.user("svc.backup")["id"]]})
    run(business, ledger, settle_time=100, users=[business.user("svc.backup")["id"]])
    assert [90 < seconds <= 100 for seconds in waited] == [True]


@pytest.fixture
def pauses(legacy: SimulatedTenant, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited, which pass in the simulated tenant only. Security defaults take their time."""
    waited: list[float] = []

    def pause(_policy: object, seconds: float) -> None:
        waited.append(seconds)
        legacy.simulation.clock.advance(seconds)

    monkeypatch.setattr("ansible_collections.zerotrust.m365.plugins.module_utils._graph.retry.RetryPolicy.pause", pause)
    legacy.assume(security_defaults_take_effect_after_seconds="900")
    return waited


def months_later(tenant: SimulatedTenant) -> None:
    tenant.simulation.clock.advance(90 * 86400)
    tenant.client.kept_token = None


def cover_events(ledger: Path) -> list[str]:
    return [line["event"] for line in lines(ledger) if "by" in line]


def test_security_defaults_that_come_back_after_a_restore_settle_anew(
    legacy: SimulatedTenant, ledger: Path, pauses: list[float]
) -> None:
    switch_defaults(legacy, on=True)
    run(legacy, ledger, settle_time=900)
    assert run(legacy, restore_from=str(ledger))["changed"]
    switch_defaults(legacy, on=False)
    months_later(legacy)
    switch_defaults(legacy, on=True)
    assert run(legacy, ledger, settle_time=900)["changed"]
    assert [899 < seconds <= 900 for seconds in pauses] == [True, True]
    assert cover_events(ledger) == ["cover", "cover"]
    assert legacy.violations() == []


@pytest.mark.parametrize("restores", [False, True], ids=["run", "restore"])
def test_security_defaults_that_were_seen_off_settle_anew(
    legacy: SimulatedTenant, ledger: Path, pauses: list[float], restores: bool
) -> None:
    """A dry run sees it, too, but leaves the ledger alone."""
    switch_defaults(legacy, on=True)
    run(legacy, ledger, settle_time=900, wave_size=3)
    switch_defaults(legacy, on=False)
    months_later(legacy)
    again: dict[str, Any] = {"restore_from": str(ledger)} if restores else {"ledger": ledger}
    run(legacy, **again, check_mode=True)
    assert cover_events(ledger) == ["cover"]
    for _time in range(2):
        run(legacy, **again)
    assert cover_events(ledger) == ["cover", "cover_gone"]
    (nobody_asked_three,) = legacy.violations()
    assert "identitySecurityDefaultsEnforcementPolicy" in nobody_asked_three  # that was this test
    switch_defaults(legacy, on=True)
    run(legacy, ledger, settle_time=900)
    assert [899 < seconds <= 900 for seconds in pauses] == [True, True]
    assert cover_events(ledger) == ["cover", "cover_gone", "cover"]
    assert legacy.violations() == [nobody_asked_three]


def turn_defaults_on(tenant: SimulatedTenant, ledger: Path, **options: Any) -> dict[str, Any]:
    risks = ["unproven_emergency_access"]
    return tenant.run(security_defaults.RESOURCE, enabled=True, accept_risks=risks, ledger=str(ledger), **options)


def test_security_defaults_that_the_module_turns_on_again_settle_anew(
    legacy: SimulatedTenant, ledger: Path, pauses: list[float]
) -> None:
    """Somebody switched them off and gave a user per-user MFA instead, which no run has seen."""
    name = str(plain_user(legacy)["userPrincipalName"])
    assert turn_defaults_on(legacy, ledger)["changed"]
    assert not ledger.exists()
    run(legacy, ledger, settle_time=900)
    switch_defaults(legacy, on=False)
    legacy.change(name, perUserMfaState="enforced")
    months_later(legacy)
    assert turn_defaults_on(legacy, ledger, check_mode=True)["changed"]
    assert cover_events(ledger) == ["cover"]
    assert turn_defaults_on(legacy, ledger)["changed"]
    assert cover_events(ledger) == ["cover", "cover_gone"]
    # Here a run may have been killed.
    assert not turn_defaults_on(legacy, ledger)["changed"]
    assert run(legacy, ledger, settle_time=900)["changed"]
    assert [899 < seconds <= 900 for seconds in pauses] == [True, True]
    assert cover_events(ledger) == ["cover", "cover_gone", "cover"]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("content", "why"),
    [("{}\n", "'tenant_id' is missing"), ("[]\n", "line 1 of"), ('{"tenant_id": "other"}\n', "another tenant")],
)
def test_without_a_good_ledger_security_defaults_are_not_turned_on(
    legacy: SimulatedTenant, ledger: Path, content: str, why: str, check_mode: bool
) -> None:
    ledger.write_text(content)
    ledger.chmod(0o600)
    refused = turn_defaults_on(legacy, ledger, check_mode=check_mode)
    assert refused["failed"]
    assert why in refused["msg"]
    assert writes(legacy) == []
    ledger.chmod(0o644)
    assert "make it 0600" in turn_defaults_on(legacy, ledger, check_mode=check_mode)["msg"]
    assert ledger.read_text() == content


def test_since_when_it_is_taken_away_is_told(legacy: SimulatedTenant, ledger: Path, pauses: list[float]) -> None:
    switch_defaults(legacy, on=True)
    assert run(legacy, ledger, settle_time=900, wave_size=3)["per_user_mfa"]["since"] is None
    first = next(line["at"] for line in lines(ledger) if line["event"] == "change")
    months_later(legacy)
    assert run(legacy, ledger, check_mode=True)["per_user_mfa"]["since"] == first
    assert run(legacy, ledger)["per_user_mfa"]["since"] == first
    switch_defaults(legacy, on=False)
    expected = {"cover_expected": {"security_defaults": True}, "check_mode": True}
    predicted = run(legacy, ledger, **expected)["per_user_mfa"]["since"]
    assert predicted >= max(line["at"] for line in lines(ledger)) > first
    turn_defaults_on(legacy, ledger)
    noted = run(legacy, ledger, check_mode=True)["per_user_mfa"]["since"]
    assert noted == lines(ledger)[-1]["at"]
    assert noted >= predicted


def test_security_defaults_that_go_off_between_two_waves_are_noted(
    covered: SimulatedTenant, ledger: Path, pauses: list[float]
) -> None:
    after_the_canary(covered, lambda: switch_defaults(covered, on=False))
    assert run(covered, ledger, settle_time=900, canary=1)["failed"]
    assert cover_events(ledger) == ["cover", "cover_gone"]


def test_security_defaults_that_cannot_be_read_are_not_gone(
    covered: SimulatedTenant, ledger: Path, pauses: list[float]
) -> None:
    run(covered, ledger, settle_time=900, wave_size=3)
    fault = {"path": "/policies/identitySecurityDefaultsEnforcementPolicy", "status": 403, "times": None}
    covered.client.admin("POST", "/faults", fault)
    assert not run(covered, ledger)["changed"]
    assert cover_events(ledger) == ["cover"]


# Cover that comes meanwhile


def swap_cover_at_the_wave(tenant: SimulatedTenant, change: Callable[[], object]) -> None:
    """Have something done once, after it was decided what covers whom, and before the first wave is judged."""
    decided: list[str] = []

    def look(method: str, path: str, body: bytes) -> None:
        if REQUIREMENTS in path + body.decode() and decided:
            tenant.on_request = lambda _method, _path, _body: None
            change()
        elif b"conditionalAccess" in body:
            decided.append(path)

    tenant.on_request = look


@pytest.mark.parametrize("everybody", [True, False])
def test_who_is_covered_only_by_what_came_meanwhile_keeps_it(
    business: SimulatedTenant, ledger: Path, everybody: bool
) -> None:
    users, spared = covered_staff(business)
    months_later(business)
    late = users if everybody else users[:1]

    def change() -> None:
        put_into(business, spared, *late)
        add_policy(business, "Brand new", {"includeUsers": late})

    swap_cover_at_the_wave(business, change)
    result = run(business, ledger, users=users, settle_time=900)
    assert verdicts(result) == dict.fromkeys(late, "unknown")
    assert {one["reason"] for one in result["per_user_mfa"]["skipped"]} == {per_user_mfa.CAME_MEANWHILE}
    assert result["per_user_mfa"]["changed"] == len(users) - len(late) == len(writes(business))


def test_security_defaults_that_came_meanwhile_do_not_count(business: SimulatedTenant, ledger: Path) -> None:
    users, spared = covered_staff(business)
    months_later(business)

    def change() -> None:
        put_into(business, spared, users[0])
        policy = business.store.documents("securityDefaults")[0]
        business.store.update("securityDefaults", policy["id"], document={**policy, "isEnabled": True})

    swap_cover_at_the_wave(business, change)
    result = run(business, ledger, users=users)
    assert verdicts(result) == {users[0]: "unknown"}
    assert result["per_user_mfa"]["changed"] == 3


# Bad input


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"state": None}, "Give 'state', or 'restore_from'."),
        ({"all": False}, "Give 'users', 'groups' or 'all'"),
        ({"all": True, "users": ["a"]}, "'all' is everybody"),
        ({"ledger": None}, "Give 'ledger'"),
        ({"ledger": "/nowhere/at/all/ledger"}, "does not exist or cannot be written to"),
        ({"ledger": "/dev/null"}, "is no regular file"),
        ({"canary": -1}, "canary must be at least 0"),
        ({"wave_size": 0}, "wave_size must be at least 1"),
        ({"max_changes": -1}, "max_changes must be at least 0"),
        ({"settle_time": -1}, "settle_time must be at least 0"),
        ({"cover_expected": {"security_defaults": True}}, "cover_expected is for a dry run only"),
        ({"restore_from": "/nowhere/ledger", "state": "disabled"}, "restore_from says what to put back"),
        ({"restore_from": "/nowhere/ledger", "state": None, "all": True}, "restore_from says what to put back"),
        ({"restore_from": "/tmp/there-is-no-ledger", "state": None, "all": False}, "does not exist or is empty"),
    ],
)
def test_bad_input(legacy: SimulatedTenant, ledger: Path, options: dict[str, Any], words: str) -> None:
    before = states(legacy)
    given = {"state": "disabled", "all": True, "ledger": str(ledger), **options}
    result = legacy.run(RESOURCE, **{name: value for name, value in given.items() if value is not None})
    assert result["failed"]
    assert words in result["msg"]
    assert states(legacy) == before
    assert not ledger.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no json\n", "line 1 of"),
        (b'{"event": "change"}\n', "'tenant_id' is missing"),
        (b'{"event": "change", "tenant_id": "other"}\n', "about another tenant (other)"),
        (b'{"event": "more", "tenant_id": "TENANT", "id": "1"}\n', "not known to this version"),
        (b'{"event": "cover_gone", "tenant_id": "TENANT"}\n', "'by' is missing"),
        (
            b'{"event": "change", "tenant_id": "TENANT", "id": "1", "user_principal_name": "a", "before": "on"}\n',
            "no state of per-user MFA",
        ),
    ],
)
def test_a_ledger_that_is_no_good(legacy: SimulatedTenant, ledger: Path, content: bytes, words: str) -> None:
    ledger.write_bytes(content.replace(b"TENANT", legacy.simulation.first.id.encode()))
    ledger.chmod(0o600)
    for result in (run(legacy, restore_from=str(ledger)), run(legacy, ledger, check_mode=True)):
        assert result["failed"]
        assert words in result["msg"]


def test_a_ledger_that_others_may_read_is_refused(covered: SimulatedTenant, ledger: Path) -> None:
    ledger.touch(0o644)
    ledger.chmod(0o644)
    assert "make it 0600" in run(covered, ledger)["msg"]
    assert writes(covered) == []


def test_a_ledger_that_cannot_be_written_stops_before_the_write(
    covered: SimulatedTenant, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = states(covered)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    result = run(covered, ledger)
    assert result["failed"]
    assert not result["changed"]
    assert "No space left on device" in result["msg"]
    assert states(covered) == before


# Any tenant


@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(3, 60), marks=pytest.mark.deep)])
def test_in_no_tenant_somebody_loses_mfa(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seeds: range) -> None:
    """Tenants drawn at random, and the simulator's own judgement of who is protected."""
    changed: Counter[bool] = Counter()
    for seed in seeds:
        simulation = Simulation(Options(scenarios=("generated",), seed=seed, users=40), [URL])
        try:
            tenant = SimulatedTenant(simulation, monkeypatch)
            ledger = tmp_path / f"{seed}.jsonl"
            before = states(tenant)
            result = run(tenant, ledger)
            assert not result.get("failed"), result["msg"]
            assert tenant.violations() == [], seed
            assert not run(tenant, ledger)["changed"]
            changed[result["changed"]] += 1
            if result["changed"]:
                run(tenant, restore_from=str(ledger))
            assert states(tenant) == before
        finally:
            simulation.close()
    assert len(changed) == 2 or len(seeds) < 10, changed
