# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The invariant watch: what it finds, what it leaves alone, and that it looks at no more people than it must."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from m365_simulator.directory_roles import BUILT_IN_ROLES, GLOBAL_ADMINISTRATOR
from m365_simulator.sign_in_rules import Directory, protections
from m365_simulator.state import TenantStore
from m365_simulator.watch import RULES, findings
from m365_simulator.watch.findings import MOST_USERS
from m365_simulator.watch.touched import can_write

DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
ACCESS = "/identity/conditionalAccess/policies"
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
ADMINISTRATOR, MFA, WAY_IN, CHECK_MODE = RULES

UNGUARDED = {"sensitive_actions_by_applications": "allowed"}
BLOCK_ALL: dict[str, Any] = {
    "displayName": "Block everybody",
    "state": "enabled",
    "conditions": {
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeUsers": ["All"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["block"]},
}
MFA_FOR_ALL = {
    **BLOCK_ALL,
    "displayName": "MFA for everybody",
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}


def announce(client: Any, **run: Any) -> None:
    answer = client.admin("POST", "/run", run)
    assert answer.status == 200, answer.body


def found(client: Any, tenant: str | None = None) -> Any:
    return client.admin("GET", f"/violations?tenant={tenant}" if tenant else "/violations").body


def violations(client: Any) -> list[tuple[str, int]]:
    return [(one["rule"], one["count"]) for one in found(client)["violations"]]


def weaker(client: Any) -> list[tuple[str, int]]:
    return [(one["rule"], one["count"]) for one in found(client)["weaker"]]


def users(client: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.simulation.store.tenant(client.tenant.number).documents("user")
    return found


def user(client: Any, name: str) -> str:
    """The id of the user with this display name."""
    (id,) = [str(one["id"]) for one in users(client) if one["displayName"] == name]
    return id


def write(client: Any, method: str, path: str, body: Any = None) -> Any:
    answer = client.call(method, path, body)
    assert answer.status < 300, answer.content
    return answer.body if answer.content else None


def set_defaults(client: Any, enabled: bool) -> None:
    write(client, "PATCH", f"/v1.0{DEFAULTS}", {"isEnabled": enabled})


def set_mfa(client: Any, id: str, state: str) -> None:
    write(client, "PATCH", f"/beta/users/{id}/authentication/requirements", {"perUserMfaState": state})


# What breaks a rule


def test_security_defaults_off_for_a_moment(locked: Any) -> None:
    set_defaults(locked, False)
    set_defaults(locked, True)
    (violation,) = found(locked)["violations"]
    assert violation["rule"] == MFA
    assert violation["tenant"] == locked.tenant.id
    assert violation["count"] == len([one for one in users(locked) if one["accountEnabled"]])
    assert violation["users"] == [one["id"] for one in users(locked) if one["accountEnabled"]][:MOST_USERS]
    assert violation["sentence"] == (
        f"After PATCH /v1.0{DEFAULTS} people are without the MFA that protected them at the start of the run: "
        "freya.berg@tailspin.example, jonas.keller@tailspin.example, priya.shah@tailspin.example and 11 more."
    )
    entry = next(line for line in locked.admin("GET", "/journal").body if line["number"] == violation["journal"])
    assert violation["line"] == entry
    assert (entry["method"], entry["path"], entry["wrote"]) == ("PATCH", DEFAULTS, True)


def test_people_whom_a_legacy_protocol_lets_in_can_still_lose_mfa(legacy: Any) -> None:
    """Whoever is merely enabled gets in by a legacy protocol with the password alone, but is asked everywhere else."""
    enabled = next(one["id"] for one in users(legacy) if one["perUserMfaState"] == "enabled" and one["accountEnabled"])
    set_mfa(legacy, enabled, "disabled")
    assert violations(legacy) == [(MFA, 1)]


def test_a_moment_within_a_batch(locked: Any) -> None:
    items = [
        {
            "id": str(number),
            "method": "PATCH",
            "url": DEFAULTS,
            "headers": {"Content-Type": "application/json"},
            "body": {"isEnabled": enabled},
        }
        for number, enabled in enumerate((False, True))
    ]
    write(locked, "POST", "/v1.0/$batch", {"requests": items})
    (violation,) = found(locked)["violations"]
    assert violation["line"]["batch"] is not None
    assert (violation["rule"], violation["line"]["path"]) == (MFA, DEFAULTS)


def test_per_user_mfa_removed_before_anything_covers(legacy: Any) -> None:
    ada = user(legacy, "Ada Jansen")
    set_mfa(legacy, ada, "disabled")
    (violation,) = found(legacy)["violations"]
    assert (violation["rule"], violation["users"], violation["count"]) == (MFA, [ada], 1)
    assert weaker(legacy) == []


def test_per_user_mfa_removed_when_security_defaults_cover(legacy: Any) -> None:
    set_defaults(legacy, True)
    set_mfa(legacy, user(legacy, "Ada Jansen"), "disabled")
    assert violations(legacy) == []


def test_what_mfa_asks_less_often_is_told_apart(legacy: Any) -> None:
    """Security defaults ask people who are no administrators only when Entra finds it necessary."""
    (enforced, *_more) = [
        one["id"]
        for one in users(legacy)
        if one["perUserMfaState"] == "enforced" and one["accountEnabled"] and one["displayName"] not in NAMED
    ]
    set_defaults(legacy, True)
    set_mfa(legacy, enforced, "disabled")
    assert violations(legacy) == []
    assert (MFA, 1) in weaker(legacy)


NAMED = ("Ada Jansen", "Pieter Smit", "Root", "Yara Kaya", "Sven Olsen")


def policy(client: Any, name: str) -> str:
    policies = client.simulation.store.tenant(client.tenant.number).documents("conditionalAccessPolicy")
    (id,) = [str(one["id"]) for one in policies if one["displayName"].startswith(name)]
    return f"/v1.0{ACCESS}/{id}"


@pytest.mark.parametrize("way", ["disable", "report", "delete"])
def test_a_policy_that_protected(business: Any, way: str) -> None:
    address = policy(business, "CA001")
    if way == "delete":
        write(business, "DELETE", address)
    else:
        state = {"disable": "disabled", "report": "enabledForReportingButNotEnforced"}[way]
        write(business, "PATCH", address, {"state": state})
    ((rule, count),) = violations(business)
    assert rule == MFA
    assert count >= 3


def test_an_exclusion_takes_protection_away(business: Any) -> None:
    id = user(business, "Sofia Martin")
    excluded = next(
        one["id"]
        for one in business.simulation.store.tenant(business.tenant.number).documents("group")
        if one["displayName"] == "Excluded from Conditional Access"
    )
    bind = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{id}"}
    write(business, "POST", f"/v1.0/groups/{excluded}/members/$ref", bind)
    (violation,) = found(business)["violations"]
    assert (violation["rule"], violation["users"]) == (MFA, [id])


def test_a_role_that_brought_protection_is_taken_away(business: Any) -> None:
    id = user(business, "Sofia Martin")
    (assignment,) = [one["id"] for one in assignments(business) if one["principalId"] == id]
    write(business, "DELETE", f"/v1.0{ASSIGNMENTS}/{assignment}")
    (violation,) = found(business)["violations"]
    assert (violation["rule"], violation["users"]) == (MFA, [id])


@pytest.mark.parametrize("way", ["member leaves", "group leaves", "group is deleted"])
def test_a_group_that_brought_protection(business: Any, way: str) -> None:
    """A policy names the outer group, and with it the members of the inner one."""
    store = business.simulation.store.tenant(business.tenant.number)
    groups = {one["displayName"]: one["id"] for one in store.documents("group")}
    inner, outer = groups["Finance and HR"], groups["Sensitive work"]
    members = [row.document for _kind, row in store.members(inner)]
    paths = {
        "member leaves": [f"/v1.0/groups/{inner}/members/{one['id']}/$ref" for one in members],
        "group leaves": [f"/v1.0/groups/{outer}/members/{inner}/$ref"],
        "group is deleted": [f"/v1.0/groups/{inner}"],
    }
    for path in paths[way]:
        write(business, "DELETE", path)
    assert {rule for rule, _count in violations(business)} == {MFA}
    only_by_policy = {
        one["id"] for one in members if one["accountEnabled"] and one["perUserMfaState"] == "disabled"
    } - set(administrators(business))
    assert {id for one in found(business)["violations"] for id in one["users"]} == only_by_policy


def test_nobody_can_sign_in(business: Any) -> None:
    write(business, "POST", f"/v1.0{ACCESS}", BLOCK_ALL)
    assert {rule for rule, _count in violations(business)} >= {ADMINISTRATOR, WAY_IN}
    found_before = found(business)["violations"]
    set_mfa(business, user(business, "Sofia Martin"), "enabled")
    assert found(business)["violations"] == found_before  # told once


def test_a_refused_write_changes_nothing(business: Any) -> None:
    answer = business.call("POST", f"/v1.0{ACCESS}", {**BLOCK_ALL, "colour": "red"})
    assert answer.status == 400
    assert found(business) == {"violations": [], "weaker": [], "left_off": {"violations": 0, "weaker": 0}}


def test_a_write_whose_answer_a_fault_takes_away(locked: Any) -> None:
    locked.admin("POST", "/faults", {"path": DEFAULTS, "method": "PATCH", "status": 503, "when": "after"})
    assert locked.call("PATCH", f"/v1.0{DEFAULTS}", {"isEnabled": False}).status == 503
    assert [rule for rule, _count in violations(locked)] == [MFA]


# Administrators and their accounts


def assignments(client: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.simulation.store.tenant(client.tenant.number).documents("roleAssignment")
    return found


def administrators(client: Any) -> list[str]:
    return [one["principalId"] for one in assignments(client) if one["roleDefinitionId"] == GLOBAL_ADMINISTRATOR]


def enable(client: Any, id: str, enabled: bool) -> None:
    write(client, "PATCH", f"/v1.0/users/{id}", {"accountEnabled": enabled})


def allow_acting_on_administrators(client: Any) -> None:
    client.admin("POST", "/assumptions", UNGUARDED)


@pytest.mark.parametrize("first_is", ["disabled", "deleted", "no administrator any more"])
def test_the_last_administrator(locked: Any, first_is: str) -> None:
    allow_acting_on_administrators(locked)
    first, last = administrators(locked)
    if first_is == "disabled":
        enable(locked, first, False)
    elif first_is == "deleted":
        write(locked, "DELETE", f"/v1.0/users/{first}")
    else:
        (assignment,) = [one for one in assignments(locked) if one["principalId"] == first]
        write(locked, "DELETE", f"/v1.0{ASSIGNMENTS}/{assignment['id']}")
    assert violations(locked) == []
    enable(locked, last, False)
    # An account that was disabled or deleted on purpose is nobody who lost a way in, or MFA.
    (violation,) = found(locked)["violations"]
    assert violation["rule"] == ADMINISTRATOR
    assert violation["sentence"].endswith(" no Global Administrator can sign in any more.")
    enable(locked, last, True)
    enable(locked, last, False)
    assert violations(locked) == [(ADMINISTRATOR, 0), (ADMINISTRATOR, 0)]


def test_an_emergency_account_that_is_there(business: Any) -> None:
    allow_acting_on_administrators(business)
    emergency = user(business, "Emergency one")
    announce(business, emergency_accounts=["emergency.one@CONTOSO.onmicrosoft.com"])
    for id in administrators(business):
        if id != emergency:
            enable(business, id, False)
    assert violations(business) == []
    enable(business, emergency, False)
    assert violations(business) == [(ADMINISTRATOR, 0)]
    assert "no emergency account can sign in any more" in found(business)["violations"][0]["sentence"]


def test_an_emergency_account_that_comes_during_the_run(greenfield: Any) -> None:
    name = f"emergency@{greenfield.tenant.initial_domain}"
    announce(greenfield, emergency_accounts=[name])
    id = write(
        greenfield,
        "POST",
        "/v1.0/users",
        {
            "accountEnabled": True,
            "displayName": "Emergency",
            "mailNickname": "emergency",
            "userPrincipalName": name,
            "passwordProfile": {"password": "correct-Horse7-battery"},
        },
    )["id"]
    assignment = {"principalId": id, "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"}
    made = write(greenfield, "POST", f"/v1.0{ASSIGNMENTS}", assignment)
    assert violations(greenfield) == []
    write(greenfield, "DELETE", f"/v1.0{ASSIGNMENTS}/{made['id']}")
    # The other administrators are there as before, but the emergency account is none any more.
    assert violations(greenfield) == [(ADMINISTRATOR, 0)]


def test_an_account_enabled_again_is_held_to_its_start(locked: Any) -> None:
    id = [one["id"] for one in users(locked) if one["accountEnabled"]][-1]
    enable(locked, id, False)
    set_defaults(locked, False)
    assert id not in found(locked)["violations"][0]["users"]
    enable(locked, id, True)
    assert [one["users"] for one in found(locked)["violations"][1:]] == [[id]]


# Runs


def test_a_run_in_check_mode_writes_nothing(greenfield: Any) -> None:
    announce(greenfield, check_mode=True)
    greenfield.get("/v1.0/users")
    write(greenfield, "POST", "/v1.0/$batch", {"requests": [{"id": "1", "method": "GET", "url": "/users"}]})
    assert violations(greenfield) == []
    set_defaults(greenfield, True)
    greenfield.call("PATCH", f"/v1.0{DEFAULTS}", {"isEnabled": "x"})
    greenfield.send("DELETE", "/v1.0/users/1")
    item = {"id": "1", "method": "DELETE", "url": "/users/nobody@example.org"}
    write(greenfield, "POST", "/v1.0/$batch", {"requests": [item]})
    sentences = [one["sentence"] for one in found(greenfield)["violations"] if one["rule"] == CHECK_MODE]
    assert sentences == [
        f"PATCH /v1.0{DEFAULTS} in check mode was accepted.",
        f"PATCH /v1.0{DEFAULTS} in check mode was refused.",
        "DELETE /v1.0/users/1 in check mode was refused.",
        "DELETE /v1.0/users/nobody@example.org in check mode was refused.",
    ]
    announce(greenfield)
    set_defaults(greenfield, False)
    assert CHECK_MODE not in [rule for rule, _count in violations(greenfield)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_write_that_ends_in_a_closed_connection_counts(start_server: Callable[..., Any], when: str) -> None:
    server = start_server()
    server.admin("POST", "/run", {"check_mode": True})
    server.admin("POST", "/faults", {"path": DEFAULTS, "method": "PATCH", "status": "reset", "when": when})
    with pytest.raises(requests.exceptions.ConnectionError):
        server.call("PATCH", f"/v1.0{DEFAULTS}", json={"isEnabled": True})
    (violation,) = server.admin("GET", "/violations").json()["violations"]
    assert violation["rule"] == CHECK_MODE
    assert violation["line"]["wrote"] is (when == "after")


@pytest.mark.parametrize(
    ("method", "path", "writes"),
    [
        ("GET", "/users", False),
        ("POST", "/$batch", False),
        ("POST", "/directoryObjects/getByIds", False),
        ("POST", "/users/1/microsoft.graph.getMemberGroups", False),
        ("POST", "/users/1/revokeSignInSessions", True),
        ("PUT", "/users/1", True),
    ],
)
def test_which_requests_ask_for_a_change(method: str, path: str, writes: bool) -> None:
    assert can_write(method, path) is writes


def test_a_new_run_begins_with_what_is_there(locked: Any) -> None:
    set_defaults(locked, False)
    assert violations(locked) != []
    announce(locked)
    assert violations(locked) == []
    set_defaults(locked, True)
    set_defaults(locked, False)  # as at the start of this run
    assert violations(locked) == []


def test_reset_begins_anew(locked: Any) -> None:
    announce(locked, check_mode=True)
    set_defaults(locked, False)
    locked.admin("POST", "/reset")
    assert found(locked) == {"violations": [], "weaker": [], "left_off": {"violations": 0, "weaker": 0}}
    set_defaults(locked, False)
    assert [rule for rule, _count in violations(locked)] == [MFA]


def test_an_assumption_is_no_write(locked: Any) -> None:
    """What changes because the rules are read otherwise, no write has done."""
    set_defaults(locked, False)
    before = found(locked)
    locked.admin("POST", "/assumptions", {"mfa_service_policy": "404"})
    set_mfa(locked, user(locked, "Priya Shah"), "enabled")
    assert found(locked) == before


def test_tenants_are_told_apart(open_simulation_client: Any) -> None:
    client = open_simulation_client(scenarios=("locked", "locked", "greenfield"))
    own, other, _third = client.simulation.tenants
    answer = client.admin("POST", f"/run?tenant={other}", {"check_mode": True})
    assert answer.body == {"tenants": [other], "check_mode": True, "emergency_accounts": []}
    set_defaults(client, False)
    client.send("DELETE", "/v1.0/users/1")  # nobody knows of which tenant
    assert [one["tenant"] for one in found(client)["violations"]] == [own]
    assert found(client, other)["violations"] == []
    client.admin("POST", f"/reset?tenant={own}")
    assert found(client)["violations"] == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"check": True}, "A run has no check."),
        ({"check_mode": "yes"}, "check_mode must be true or false."),
        ({"emergency_accounts": "me"}, "emergency_accounts must be a list of ids and principal names."),
        ({"emergency_accounts": [1]}, "emergency_accounts must be a list of ids and principal names."),
    ],
)
def test_bad_announcements(greenfield: Any, body: Any, sentence: str) -> None:
    answer = greenfield.admin("POST", "/run", body)
    assert (answer.status, answer.body) == (400, {"error": sentence})


# How many people it looks at


class Protection(NamedTuple):
    mfa: str
    modern_mfa: str
    way_in: str


class Counting:
    """In place of the sign-in rules: MFA is as the per-user state says, everybody has a way in, and looks count."""

    def __init__(self, client: Any) -> None:
        self.looks = 0
        self.states = 0
        client.simulation.watch.judge = self

    def __call__(
        self, store: TenantStore, _tenant: Any, _now: float, only_people_changed: bool
    ) -> Callable[[Sequence[str] | None], Iterator[tuple[str, Protection]]]:
        self.states += not only_people_changed

        def look(wanted: Sequence[str] | None) -> Iterator[tuple[str, Protection]]:
            for row in store.rows("user"):
                if wanted is None or row.id in wanted:
                    self.looks += 1
                    mfa = "never" if row.document["perUserMfaState"] == "disabled" else "always"
                    yield row.id, Protection(mfa, mfa, "yes")

        return look


def test_a_write_to_one_user_looks_at_that_user(legacy: Any) -> None:
    counting = Counting(legacy)
    write(legacy, "PATCH", f"/v1.0/users/{users(legacy)[20]['id']}", {"city": "Delft"})
    assert counting.looks <= 3  # it before and after, and one administrator at the start
    assert counting.states == 1
    counting.looks = counting.states = 0
    everybody = [one["id"] for one in users(legacy) if one["accountEnabled"]][5:]
    for id in everybody:
        set_mfa(legacy, id, "enforced")
        set_mfa(legacy, id, "disabled")
    assert counting.looks <= 3 * len(everybody)
    assert counting.states == 0  # policies and settings are as they were


def test_people_are_read_anew_though_settings_are_not(legacy: Any) -> None:
    for one in users(legacy)[5:]:
        write(legacy, "PATCH", f"/v1.0/users/{one['id']}", {"city": "Delft"})
    set_mfa(legacy, user(legacy, "Ada Jansen"), "disabled")
    assert violations(legacy) == [(MFA, 1)]


def test_a_policy_looks_at_everybody_once_before_and_once_after(legacy: Any) -> None:
    counting = Counting(legacy)
    everybody = len(users(legacy))
    set_defaults(legacy, True)
    assert counting.looks <= 2 * everybody + 2
    assert counting.states == 2
    counting.looks = 0
    set_defaults(legacy, False)
    assert counting.looks <= everybody + 1
    assert counting.states == 3


@pytest.mark.parametrize("path", ["/v1.0/users", "/beta/reports/authenticationMethods/userRegistrationDetails"])
def test_reading_looks_at_nobody(legacy: Any, path: str) -> None:
    counting = Counting(legacy)
    announce(legacy)
    legacy.get(path)
    legacy.call("PATCH", "/v1.0/users/nobody@example.org", {"city": "Delft"})
    assert counting.looks <= 1  # one administrator, before the write that was refused


def test_the_lists_have_an_end(greenfield: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST_FINDINGS", 3)
    announce(greenfield, check_mode=True)
    for _unused in range(5):
        greenfield.call("DELETE", "/v1.0/users/nobody@example.org")
    shown = found(greenfield)
    assert len(shown["violations"]) == 3
    assert shown["left_off"] == {"violations": 2, "weaker": 0}


def test_a_finding_names_a_few_and_counts_all(open_simulation_client: Any) -> None:
    client = open_simulation_client(scenarios=("locked",), users=50)
    set_defaults(client, False)
    (violation,) = found(client)["violations"]
    enabled = [one["id"] for one in users(client) if one["accountEnabled"]]
    assert len(enabled) > MOST_USERS
    assert violation["users"] == enabled[:MOST_USERS]
    assert violation["count"] == len(enabled)
    assert violation["sentence"].endswith(f" and {len(enabled) - 3} more.")


# The same as looking at everybody before and after every write


class Oracle:
    """Looks at everybody, always; knows nothing of what a write touches."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.start = self.look()
        self.wrong: dict[str, set[str]] = {}

    def look(self) -> dict[str, tuple[str, str, str]]:
        simulation, tenant = self.client.simulation, self.client.tenant
        directory = Directory.read(simulation.store.tenant(tenant.number), tenant, simulation.clock.now())
        return {id: (look.mfa, look.modern_mfa, look.way_in) for id, look in protections(directory)}

    def after(self) -> set[tuple[str, str]]:
        """What has become wrong by the last write: rules and users."""
        enabled = {one["id"] for one in users(self.client) if one["accountEnabled"]}
        now = self.look()
        wrong: dict[str, set[str]] = {}
        for id in enabled & now.keys():
            (*asked_then, way_then), (*asked_now, way_now) = self.start[id], now[id]
            for mfa_then, mfa_now in zip(asked_then, asked_now, strict=True):
                if mfa_then in ("always", "when_necessary") and mfa_now in ("never", "unknown"):
                    wrong.setdefault(id, set()).add(MFA)
            if (way_then, way_now) == ("yes", "no"):
                wrong.setdefault(id, set()).add(WAY_IN)
        new = {(rule, id) for id, rules in wrong.items() for rule in rules - self.wrong.get(id, set())}
        self.wrong = wrong
        return new


def random_write(client: Any, rng: random.Random) -> tuple[str, str, Any]:
    """A request that changes something on which sign-in depends."""
    store = client.simulation.store.tenant(client.tenant.number)
    someone = rng.choice(store.ids("user"))
    groups = store.ids("group") or ["none"]
    group, inner = rng.choice(groups), rng.choice(groups)
    access = f"/v1.0{ACCESS}/{rng.choice(store.ids('conditionalAccessPolicy') or ['none'])}"
    assignment = rng.choice(store.ids("roleAssignment"))
    state = rng.choice(["enabled", "disabled", "enabledForReportingButNotEnforced"])
    method = rng.choice(["MicrosoftAuthenticator", "Fido2", "SoftwareOath", "Sms"])
    configuration = f"/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{method}"
    type_name = f"#microsoft.graph.{method[0].lower()}{method[1:]}AuthenticationMethodConfiguration"
    reference = {"@odata.id": f"https://localhost:8443/v1.0/directoryObjects/{rng.choice([someone, inner])}"}
    role, _text = rng.choice(list(BUILT_IN_ROLES.values()))
    requirements = f"/beta/users/{someone}/authentication/requirements"
    scoped = {"users": {"includeUsers": ["All"], "excludeGroups": [group]}}
    writes: list[tuple[str, str, Any]] = [
        ("PATCH", requirements, {"perUserMfaState": rng.choice(["disabled", "enabled", "enforced"])}),
        ("PATCH", f"/v1.0/users/{someone}", {"accountEnabled": rng.random() < 0.7}),
        ("PATCH", f"/v1.0/users/{someone}", {"city": "Delft"}),
        ("DELETE", f"/v1.0/users/{someone}", None),
        ("POST", f"/v1.0/groups/{group}/members/$ref", reference),
        ("DELETE", f"/v1.0/groups/{group}/members/{rng.choice(store.targets(group) or ['x'])}/$ref", None),
        ("DELETE", f"/v1.0/groups/{group}", None) if rng.random() < 0.2 else ("DELETE", access, None),
        ("POST", f"/v1.0{ASSIGNMENTS}", {"principalId": someone, "roleDefinitionId": role}),
        ("DELETE", f"/v1.0{ASSIGNMENTS}/{assignment}", None),
        ("PATCH", access, {"state": state}),
        ("PATCH", access, {"conditions": {"users": {"includeUsers": ["All"], "excludeUsers": [someone]}}}),
        ("POST", f"/v1.0{ACCESS}", {**MFA_FOR_ALL, "conditions": {**MFA_FOR_ALL["conditions"], **scoped}}),
        ("PATCH", f"/v1.0{DEFAULTS}", {"isEnabled": rng.random() < 0.5}),
        ("PATCH", configuration, {"@odata.type": type_name, "state": rng.choice(["enabled", "disabled"])}),
    ]
    return rng.choice(writes)


def compare_with_oracle(client: Any, rng: random.Random, writes: int) -> int:
    """How often a rule was broken in a new run of random writes."""
    client.simulation.reset()
    client.kept_token = None
    oracle = Oracle(client)
    accepted, broken = 0, 0
    for _unused in range(writes):
        known = len(found(client)["violations"])
        method, path, body = random_write(client, rng)
        accepted += client.call(method, path, body).status < 300
        new = {
            (one["rule"], id)
            for one in found(client)["violations"][known:]
            for id in one["users"]
            if one["rule"] != ADMINISTRATOR
        }
        expected = oracle.after()
        assert new == expected or (len(expected) > MOST_USERS and new < expected), (method, path, body)
        broken += len(expected)
    assert accepted > writes / 5
    return broken


def broken_in_random_runs(open_simulation_client: Any, scenario: str, runs: int, writes: int) -> int:
    client = open_simulation_client(scenarios=(scenario,), users=14, assumptions=UNGUARDED)
    broken = []

    @settings(max_examples=runs)
    @given(rng=st.randoms(use_true_random=True))
    def compare(rng: random.Random) -> None:
        broken.append(compare_with_oracle(client, rng, writes))

    compare()
    return sum(broken)


@pytest.mark.parametrize("scenario", ["business", "locked"])
def test_narrow_looks_find_what_wide_looks_find(open_simulation_client: Any, scenario: str) -> None:
    assert broken_in_random_runs(open_simulation_client, scenario, 1, 30) > 0


@pytest.mark.deep
@pytest.mark.parametrize("scenario", ["business", "legacy", "hybrid", "locked"])
def test_narrow_looks_find_what_wide_looks_find_in_many_runs(open_simulation_client: Any, scenario: str) -> None:
    assert broken_in_random_runs(open_simulation_client, scenario, 5, 40) > 0
