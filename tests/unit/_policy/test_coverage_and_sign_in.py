# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is called covered is asked for MFA by the simulator's sign-in rules, which share no line with ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.conditional_access_reach import (
    Memberships,
    Person,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.coverage import (
    COVERED,
    defences,
    kinds_of_guest,
    verdict,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import FEDERATED, STRENGTH, Scene
from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.graph.policy_schema import read_back
from m365_simulator.state import Store

ROLES = ("Global Administrator", "Global Reader", "Directory Synchronization Accounts")
ALL_KINDS = "b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,internalGuest,otherExternalUser"
WHO = ("me", "somebody", "my group", "group around it", "another group", "guests", "kinds", "some kinds", *ROLES)

people = st.fixed_dictionaries(
    {
        "methods": st.lists(st.sampled_from(["microsoftAuthenticatorPush", "mobilePhone"]), unique=True),
        "roles": st.lists(st.sampled_from(ROLES), unique=True, max_size=2),
        "scope": st.sampled_from(["/", "/", "/administrativeUnits/1"]),
        "kind": st.sampled_from(["Member", "Member", "Guest"]),
        "invited": st.booleans(),
        "domain": st.sampled_from(["contoso.example", FEDERATED]),
    }
)
PLAIN: dict[str, Any] = {
    "controls": ["mfa"],
    "strength": None,
    "operator": "OR",
    "state": "enabled",
    "clients": ("all",),
    "applications": ["All"],
    "place": None,
    "platforms": None,
    "risks": [],
    "flow": None,
    "filter": None,
}
TWISTS: list[dict[str, Any]] = [
    {"controls": ["mfa", "compliantDevice"]},
    {"controls": ["mfa", "compliantDevice"], "operator": "AND"},
    {"controls": ["block"]},
    {"controls": [], "strength": f"{STRENGTH}2"},
    {"controls": ["compliantDevice"], "strength": f"{STRENGTH}4", "operator": "AND"},
    {"state": "enabledForReportingButNotEnforced"},
    {"state": "disabled"},
    {"clients": ("browser", "mobileAppsAndDesktopClients")},
    {"clients": ("browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other")},
    {"clients": ("exchangeActiveSync", "other"), "controls": ["block"]},
    {"applications": ["Office365"]},
    {"place": "outside the offices"},
    {"place": "outside trusted places"},
    {"place": "in the offices"},
    {"platforms": {"includePlatforms": ["iOS"]}},
    {"platforms": {"includePlatforms": ["all"]}},
    {"risks": ["high"]},
    {"flow": {"transferMethods": "deviceCodeFlow"}},
    {"filter": {"deviceFilter": {"mode": "exclude", "rule": ""}}},
]
# Most policies are about everybody and have one twist at most, so that many cover somebody.
policies = st.builds(
    lambda included, excluded, twist: {**PLAIN, **twist, "included": included, "excluded": excluded},
    st.lists(st.sampled_from([*["All"] * len(WHO), *WHO]), min_size=1, max_size=2),
    st.lists(st.sampled_from(WHO), max_size=1),
    st.sampled_from([{}] * 8 + TWISTS),
)


def users_of(policy: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    users: dict[str, Any] = {}
    for verb, whom in (("include", policy["included"]), ("exclude", policy["excluded"])):
        users[f"{verb}Users"] = [ids[one] for one in whom if one in ("me", "somebody", "guests")]
        if "All" in whom:
            users[f"{verb}Users"] = ["All"]
        users[f"{verb}Groups"] = [ids[one] for one in whom if "group" in one]
        users[f"{verb}Roles"] = [BUILT_IN_ROLES[one][0] for one in whom if one in ROLES]
        kinds = ALL_KINDS if "kinds" in whom else "internalGuest" if "some kinds" in whom else None
        users[f"{verb}GuestsOrExternalUsers"] = {"guestOrExternalUserTypes": kinds} if kinds else None
    return users


def build(scene: Scene, person: dict[str, Any], several: list[dict[str, Any]]) -> str:
    me = scene.user(*person["methods"], **{name: value for name, value in person.items() if name != "methods"})
    inner = scene.group(me)
    ids = {
        "me": me.upper(),
        "somebody": scene.user(),
        "guests": "GuestsOrExternalUsers",
        "my group": inner.upper(),
        "group around it": scene.group(inner),
        "another group": scene.group(),
    }
    offices = scene.location("203.0.113.0/24", trusted=True)
    places = {
        None: None,
        "outside the offices": {"includeLocations": ["All"], "excludeLocations": [offices]},
        "in the offices": {"includeLocations": [offices], "excludeLocations": []},
        "outside trusted places": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]},
    }
    for policy in several:
        scene.policy(
            *policy["controls"],
            strength=policy["strength"],
            operator=policy["operator"],
            state=policy["state"],
            users=users_of(policy, ids),
            applications={"includeApplications": policy["applications"]},
            clients=policy["clients"],
            locations=places[policy["place"]],
            platforms=policy["platforms"],
            signInRiskLevels=policy["risks"],
            authenticationFlows=policy["flow"],
            devices=policy["filter"],
        )
    return me


def as_graph_shows(scene: Scene, user: str) -> Person:
    """What a reader of Graph can know of somebody: every group around, roles by scope, the kind of guest."""
    row = scene.store.read("user", user)
    assert row is not None
    known = {"creationType": None, "externalUserState": None, **row.document}
    groups: set[str] = set()
    around = {user}
    while around:
        around = {group for one in around for group in scene.store.sources(one)} - groups
        groups |= around
    held = [
        (assignment["roleDefinitionId"], assignment["directoryScopeId"] == "/")
        for assignment in scene.store.documents("roleAssignment")
        if assignment["principalId"] == user
    ]
    roles = Memberships(
        frozenset(role for role, whole in held if whole),
        sometimes=frozenset(role for role, whole in held if not whole),
    )
    return Person(
        user, row.document["userType"] == "Guest", Memberships(frozenset(groups)), roles, kinds_of_guest(known)
    )


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store(None)
    yield store
    store.close()


@pytest.mark.parametrize("examples", [50, pytest.param(500, marks=pytest.mark.deep)])
@pytest.mark.parametrize("security_defaults", [False, True])
def test_who_is_covered_is_asked_for_mfa(store: Store, security_defaults: bool, examples: int) -> None:
    found: Counter[str] = Counter()

    @settings(max_examples=examples, derandomize=True, database=None, deadline=None)
    @given(people, st.lists(policies, max_size=3), st.booleans())
    def holds(person: dict[str, Any], several: list[dict[str, Any]], trusting: bool) -> None:
        scene = Scene(store)
        scene.security_defaults(security_defaults)
        me = build(scene, person, [] if security_defaults else several)
        shown = [read_back(policy) for policy in scene.store.documents("conditionalAccessPolicy")]
        trusted = [place["id"] for place in scene.store.documents("namedLocation")] if trusting else None
        state = verdict(as_graph_shows(scene, me), defences(security_defaults, shown, trusted)).state
        protected = scene.protection(me).mfa in ("always", "when_necessary")
        found[f"{state}, {'protected' if protected else 'not protected'}"] += 1
        if state == COVERED:
            assert protected

    holds()
    assert found["covered, protected"] >= examples / 10, found
    assert found["uncovered, not protected"] >= examples / 10 or security_defaults, found
