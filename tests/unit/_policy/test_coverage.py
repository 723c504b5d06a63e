# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.conditional_access_reach import (
    KINDS_OF_GUESTS,
    ORDINARY_MEMBER,
    Memberships,
    Person,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.coverage import (
    COVERED,
    UNCOVERED,
    UNKNOWN,
    WEAKER,
    Cover,
    Defences,
    Verdict,
    defences,
    kinds_of_guest,
    once_excluded,
    shortcomings,
    verdict,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import (
    DIRECTORY_SYNCHRONIZATION_ACCOUNTS,
    GLOBAL_ADMINISTRATOR,
)

READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
MEMBER = frozenset({ORDINARY_MEMBER})
STRENGTH = "00000000-0000-0000-0000-00000000000"
NONE = Memberships(frozenset())
ANYTHING = Memberships(frozenset(), complete=False)

GOOD: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.conditionalAccessPolicy",
    "id": "4f7e2c1a-0000-4000-8000-000000000001",
    "displayName": "MFA for all",
    "description": "What it is for",
    "state": "enabled",
    "createdDateTime": "2026-01-02T03:04:05Z",
    "modifiedDateTime": None,
    "deletedDateTime": None,
    "templateId": "a3d0a415-b068-4326-9251-f9cdf9feeb64",
    "partialEnablementStrategy": None,
    "conditions": {
        "users": {"includeUsers": ["All"], "excludeGroups": [], "excludeGuestsOrExternalUsers": None},
        "applications": {
            "includeApplications": ["All"],
            "excludeApplications": [],
            "includeUserActions": [],
            "includeAuthenticationContextClassReferences": [],
            "applicationFilter": None,
        },
        "clientAppTypes": ["all"],
        "userRiskLevels": [],
        "signInRiskLevels": [],
        "servicePrincipalRiskLevels": [],
        "insiderRiskLevels": None,
        "locations": None,
        "platforms": None,
        "devices": None,
        "clientApplications": None,
        "authenticationFlows": None,
        "aConditionOfTheFuture": None,
    },
    "grantControls": {
        "operator": "OR",
        "builtInControls": ["mfa"],
        "customAuthenticationFactors": [],
        "termsOfUse": [],
        "authenticationStrength": None,
        "authenticationStrength@odata.context": "somewhere",
    },
    "sessionControls": None,
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good policy with another value, by names with dots between."""
    policy = copy.deepcopy(GOOD)
    *above, last = path.split(".")
    item = policy
    for name in above:
        item = item[name]
    item[last] = value
    return policy


def member(**more: Any) -> Person:
    return Person(**{"id": "me", "guest": False, "groups": NONE, "roles": NONE, "kinds": MEMBER, **more})


def with_roles(*ids: str, **more: Any) -> Person:
    return member(roles=Memberships(frozenset(ids), **more))


# What a policy may have without anybody in its reach getting through without MFA.

HARMLESS = [
    ("conditions.clientAppTypes", ["browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"]),
    ("conditions.locations", {"includeLocations": ["All"], "excludeLocations": []}),
    ("conditions.platforms", {"includePlatforms": ["all"], "excludePlatforms": []}),
    ("grantControls", {"operator": "AND", "builtInControls": ["mfa", "compliantDevice"], "termsOfUse": ["terms"]}),
    ("grantControls", {"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": f"{STRENGTH}4"}}),
    ("grantControls", {"operator": "OR", "builtInControls": ["mfa"], "authenticationStrength": {"id": f"{STRENGTH}2"}}),
    (
        "grantControls.authenticationStrength",
        {"id": "own", "requirementsSatisfied": "mfa", "allowedCombinations": ["fido2", "password,softwareOath"]},
    ),
    (
        "sessionControls",
        {"signInFrequency": {"value": 1, "isEnabled": True}, "cloudAppSecurity": None},
    ),
]

# What narrows a policy, or may.
NARROWING = [
    ("state", "enabledForReportingButNotEnforced"),
    ("state", "disabled"),
    ("state", "a state of the future"),
    ("deletedDateTime", "2026-01-02T03:04:05Z"),
    ("partialEnablementStrategy", "some of the people"),
    ("aPropertyOfTheFuture", []),
    ("conditions.aConditionOfTheFuture", []),
    ("conditions.aConditionOfTheFuture", {"mode": "include"}),
    ("conditions.users.aConditionOfTheFuture", ["one"]),
    ("conditions.applications.includeApplications", ["Office365"]),
    ("conditions.applications.includeApplications", ["None"]),
    ("conditions.applications.includeApplications", []),
    ("conditions.applications.excludeApplications", ["797f4846-ba00-4fd7-ba43-dac1f8f63013"]),
    ("conditions.applications.includeUserActions", ["urn:user:registersecurityinfo"]),
    ("conditions.applications.includeAuthenticationContextClassReferences", ["c1"]),
    ("conditions.applications.applicationFilter", {"mode": "exclude", "rule": "true"}),
    ("conditions.clientAppTypes", ["browser", "mobileAppsAndDesktopClients"]),
    ("conditions.clientAppTypes", ["exchangeActiveSync", "other"]),
    ("conditions.clientAppTypes", []),
    ("conditions.userRiskLevels", ["high"]),
    ("conditions.signInRiskLevels", ["low", "medium", "high"]),
    ("conditions.servicePrincipalRiskLevels", ["high"]),
    ("conditions.insiderRiskLevels", "elevated"),
    ("conditions.locations", {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
    ("conditions.locations", {"includeLocations": ["AllTrusted"], "excludeLocations": []}),
    ("conditions.locations", {"includeLocations": ["All"], "excludeLocations": [], "more": "of it"}),
    ("conditions.locations", {}),
    ("conditions.platforms", {"includePlatforms": ["all"], "excludePlatforms": ["iOS"]}),
    ("conditions.platforms", {"includePlatforms": ["windows"]}),
    ("conditions.devices", {"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}}),
    ("conditions.deviceStates", {"excludeStates": ["Compliant"]}),
    ("conditions.clientApplications", {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}),
    ("conditions.authenticationFlows", {"transferMethods": "deviceCodeFlow"}),
    ("conditions.times", {"all": True}),
    ("grantControls.builtInControls", ["mfa", "compliantDevice"]),
    ("grantControls.builtInControls", ["compliantDevice"]),
    ("grantControls.builtInControls", ["mfa", "aControlOfTheFuture"]),
    ("grantControls.builtInControls", ["block"]),
    ("grantControls.builtInControls", []),
    ("grantControls.termsOfUse", ["terms"]),
    ("grantControls.customAuthenticationFactors", ["other"]),
    ("grantControls.aControlOfTheFuture", ["one"]),
    ("grantControls.operator", "XOR"),
    ("grantControls", {"operator": "AND", "builtInControls": ["compliantDevice", "domainJoinedDevice"]}),
    ("grantControls", {"operator": "AND", "builtInControls": ["mfa", "aControlOfTheFuture"]}),
    ("grantControls.authenticationStrength", {"id": "own", "allowedCombinations": ["fido2"]}),
    (
        "grantControls.authenticationStrength",
        {"id": "own", "requirementsSatisfied": "mfa", "allowedCombinations": ["password", "fido2"]},
    ),
    (
        "grantControls.authenticationStrength",
        {"id": "own", "requirementsSatisfied": "mfa", "allowedCombinations": []},
    ),
    ("sessionControls", {"aControlOfTheFuture": {"isEnabled": True}}),
]
ODD = [
    ("conditions", None),
    ("conditions.users", None),
    ("conditions.users.includeUsers", "All"),
    ("conditions.applications", None),
    ("conditions.applications.includeApplications", "All"),
    ("conditions.clientAppTypes", "all"),
    ("conditions.clientAppTypes", ["all", 1]),
    ("conditions.locations", ["All"]),
    ("conditions.platforms", "all"),
    ("grantControls.builtInControls", "mfa"),
    ("grantControls.operator", None),
    ("grantControls.authenticationStrength", "strong"),
    ("sessionControls", "some"),
]


def test_a_plain_policy_covers_everybody() -> None:
    assert shortcomings(GOOD) == []
    assert verdict(member(), defences(False, [GOOD])).state == COVERED


@pytest.mark.parametrize(("path", "value"), HARMLESS)
def test_what_takes_nothing_away(path: str, value: Any) -> None:
    assert shortcomings(changed(path, value)) == []


@pytest.mark.parametrize(("path", "value"), NARROWING)
def test_what_narrows_a_policy_or_is_not_known_covers_nobody(path: str, value: Any) -> None:
    policy = changed(path, value)
    assert shortcomings(policy)
    found = defences(False, [policy])
    assert found.policies == ()
    assert verdict(member(), found).state == UNCOVERED


@pytest.mark.parametrize(("path", "value"), ODD)
def test_an_odd_shape_covers_nobody(path: str, value: Any) -> None:
    found = defences(False, [changed(path, value)])
    assert found.policies == ()
    assert verdict(member(), found).state == UNCOVERED


def test_why_a_policy_covers_nobody_is_told_by_name() -> None:
    policy = changed("conditions.locations", {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]})
    found = defences(False, [policy, changed("state", "disabled"), changed("grantControls.builtInControls", ["block"])])
    assert found.gaps == {"MFA for all": ("it excludes places",)}


def test_everything_that_narrows_a_policy_is_told() -> None:
    policy = copy.deepcopy(GOOD)
    policy |= {"state": "disabled", "later": 1, "sessionControls": {"later": 1}}
    conditions = policy["conditions"]
    conditions |= {"userRiskLevels": ["high"], "signInRiskLevels": ["low"], "clientAppTypes": ["browser"], "times": 1}
    conditions["users"]["later"] = 1
    conditions["applications"] |= {
        "includeApplications": ["Office365"],
        "excludeApplications": ["x"],
        "includeUserActions": ["urn:user:registerdevice"],
        "includeAuthenticationContextClassReferences": ["c1"],
    }
    conditions["locations"] = {"includeLocations": ["x"], "excludeLocations": ["y"]}
    conditions["platforms"] = {"includePlatforms": ["iOS"]}
    policy["grantControls"] = {
        "operator": "OR",
        "builtInControls": ["mfa", "later", "compliantDevice"],
        "authenticationStrength": {"id": "own"},
    }
    unfamiliar = "it has a {} that is not known to leave everybody covered: {}".format
    assert shortcomings(policy) == [
        "it is not enabled",
        unfamiliar("property", "later"),
        unfamiliar("condition", "times"),
        "it is for some of signInRiskLevels only",
        "it is for some of userRiskLevels only",
        unfamiliar("condition on users", "later"),
        "it is not for all resources",
        "it excludes resources",
        "it is for user actions or authentication contexts",
        "it is for some kinds of clients only",
        "it is for some places only",
        "it excludes places",
        "it is for some platforms only",
        "its authentication strength is not known to be MFA",
        "it has controls that are not known to keep MFA: later",
        "it accepts something else instead of MFA",
        unfamiliar("session control", "later"),
    ]


@pytest.mark.parametrize(
    ("grant", "told"),
    [
        ({"operator": "AND", "builtInControls": ["compliantDevice"]}, ["it does not require MFA"]),
        ({"operator": "XOR", "builtInControls": ["mfa"]}, ["it combines its controls by 'XOR'"]),
    ],
)
def test_what_is_wrong_with_the_controls_is_told(grant: dict[str, Any], told: list[str]) -> None:
    assert shortcomings(changed("grantControls", grant)) == told


def test_places_that_may_not_be_trusted_are_told() -> None:
    policy = changed("conditions.locations", {"includeLocations": ["All"], "excludeLocations": ["x"]})
    assert shortcomings(policy, []) == ["it excludes places that are not known to be trusted"]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({}, "MFA for all"),
        ({"displayName": None}, GOOD["id"]),
        ({"displayName": "", "id": None}, "a policy without a name"),
    ],
)
def test_a_policy_is_called_by_what_it_has(names: dict[str, Any], shown: str) -> None:
    (found,) = defences(False, [{**GOOD, **names}]).policies
    assert found.name == shown


def test_a_policy_of_another_shape_is_told() -> None:
    found = defences(False, [changed("conditions.clientAppTypes", "all"), changed("state", "disabled"), GOOD])
    assert found.gaps == {"MFA for all": ("it has an unexpected shape: 'clientAppTypes' is no list of strings",)}
    assert [policy.name for policy in found.policies] == ["MFA for all"], "whatever stands before it"


UNFAMILIAR = "it has a {} that is not known to leave everybody covered: one, other".format


@pytest.mark.parametrize(
    ("path", "noun"),
    [
        ("", "property"),
        ("conditions", "condition"),
        ("conditions.users", "condition on users"),
        ("conditions.applications", "condition on resources"),
        ("conditions.locations", "condition on places"),
        ("conditions.platforms", "condition on platforms"),
        ("grantControls", "control"),
        ("sessionControls", "session control"),
    ],
)
def test_what_is_not_known_is_told_by_name(path: str, noun: str) -> None:
    policy = copy.deepcopy(GOOD)
    policy["conditions"]["locations"] = {"includeLocations": ["All"]}
    policy["conditions"]["platforms"] = {"includePlatforms": ["all"]}
    policy["sessionControls"] = {}
    assert shortcomings(policy) == []
    item = policy
    for name in path.split(".") if path else ():
        item = item[name]
    item |= {"other": "", "one": 0, "one@odata.context": "somewhere", "a third": None}
    assert shortcomings(policy) == [UNFAMILIAR(noun)]


@pytest.mark.parametrize(
    ("grant", "is_gap"),
    [
        (None, False),
        ({"operator": "OR", "builtInControls": ["compliantDevice"]}, False),
        ({"operator": "OR", "builtInControls": ["compliantDevice", "mfa"]}, True),
        ({"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": "own"}}, True),
        ({"operator": "OR", "builtInControls": "mfa"}, False),
    ],
)
def test_only_policies_that_speak_of_mfa_have_gaps(grant: Any, is_gap: bool) -> None:
    assert list(defences(False, [changed("grantControls", grant)]).gaps) == (["MFA for all"] if is_gap else [])


@pytest.mark.parametrize(
    ("modified", "created", "told"),
    [
        ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
        (None, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        (None, None, None),
    ],
)
def test_when_a_policy_was_changed_last(modified: str | None, created: str | None, told: str | None) -> None:
    (found,) = defences(False, [{**GOOD, "modifiedDateTime": modified, "createdDateTime": created}]).policies
    assert (found.name, found.changed) == ("MFA for all", told)


# Controls of another type are not known to speak of MFA.
@pytest.mark.parametrize(("path", "value"), [one for one in ODD if one[0] != "grantControls.builtInControls"])
def test_what_is_odd_is_told_by_name(path: str, value: Any) -> None:
    ((gap,),) = defences(False, [changed(path, value)]).gaps.values()
    assert re.match(f"it has an unexpected shape: '{path.rpartition('.')[2]}' is no ", gap)


def test_which_policy_covers_somebody_is_told() -> None:
    assert verdict(member(), defences(True, [GOOD])).cover == Cover("conditional_access", "always", "MFA for all")


def test_which_policies_may_cover_somebody_is_told() -> None:
    spared = changed("conditions.users", {"includeUsers": ["All"], "excludeGroups": ["spared"]})
    found = verdict(member(groups=ANYTHING), defences(False, [spared, {**spared, "displayName": "Another"}]))
    assert found.reason == "Whether these policies cover the user is not known: 'MFA for all', 'Another'."


# Trusted locations

HERE = "9d4b1c2e-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("excluded", "covers"),
    [
        (["AllTrusted"], True),
        (["00000000-0000-0000-0000-000000000000"], True),
        ([HERE.upper()], True),
        (["AllTrusted", "00000000-0000-0000-0000-000000000000", HERE], True),
        ([HERE, "another"], False),
        (["All"], False),
    ],
)
def test_trusted_locations_may_be_accepted(excluded: list[str], covers: bool) -> None:
    policy = changed("conditions.locations", {"includeLocations": ["All"], "excludeLocations": excluded})
    assert shortcomings(policy, None)
    assert (shortcomings(policy, [HERE]) == []) is covers
    assert bool(defences(False, [policy], [HERE]).policies) is covers


# People

people = st.builds(
    Person,
    id=st.just("me"),
    guest=st.booleans(),
    groups=st.builds(Memberships, st.frozensets(st.sampled_from("ab")), st.booleans(), st.just(frozenset({"c"}))),
    roles=st.builds(
        Memberships, st.frozensets(st.sampled_from("ab")), st.booleans(), st.frozensets(st.sampled_from("bc"))
    ),
    kinds=st.none() | st.frozensets(st.sampled_from([*KINDS_OF_GUESTS, ORDINARY_MEMBER]), min_size=1),
)
kinds_named = st.none() | st.fixed_dictionaries(
    {
        "guestOrExternalUserTypes": st.lists(st.sampled_from([*KINDS_OF_GUESTS, "aKindOfTheFuture"])).map(",".join),
        "externalTenants": st.sampled_from(
            [None, {"membershipKind": "all"}, {"membershipKind": "enumerated", "members": ["t"]}, {"more": 1}]
        ),
    }
)
sides = {
    f"{verb}{kind}": what
    for verb, kind, what in (
        ("include", "Users", st.sampled_from([["All"], ["None"], ["ME"], ["GuestsOrExternalUsers"], []])),
        ("exclude", "Users", st.sampled_from([None, [], ["Me"], ["other"], ["GuestsOrExternalUsers"]])),
        *(
            (verb, kind, st.none() | st.lists(st.sampled_from("aBcd"), unique=True, max_size=2))
            for verb in ("include", "exclude")
            for kind in ("Groups", "Roles")
        ),
        ("include", "GuestsOrExternalUsers", kinds_named),
        ("exclude", "GuestsOrExternalUsers", kinds_named),
    )
}
policies = st.builds(
    lambda users, change: {**change, "conditions": {**(change.get("conditions") or {}), "users": users}},
    st.fixed_dictionaries(sides),
    st.just(GOOD) | st.sampled_from([changed(*one) for one in [*HARMLESS, *NARROWING, *ODD]]),
)


def readings(person: Person) -> list[tuple[frozenset[str], frozenset[str], str, bool]]:
    """Everything that somebody may be: groups, roles, the kind, and whether a home tenant is named."""

    def sets(known: Memberships) -> list[frozenset[str]]:
        open_ones = set(known.sometimes) | (set() if known.complete else set("abcd"))
        choices = itertools.chain.from_iterable(
            itertools.combinations(sorted(open_ones), count) for count in range(len(open_ones) + 1)
        )
        return [known.ids | set(more) for more in choices]

    if person.kinds is not None:
        kinds = sorted(person.kinds)
    else:
        kinds = [*KINDS_OF_GUESTS] if person.guest else [ORDINARY_MEMBER]
    return list(itertools.product(sets(person.groups), sets(person.roles), kinds, (True, False)))


def plainly_named(
    users: dict[str, Any], verb: str, reading: tuple[frozenset[str], frozenset[str], str, bool], future: bool
) -> bool:
    groups, roles, kind, home_is_named = reading

    def listed(name: str) -> set[str]:
        return {one.lower() for one in users.get(f"{verb}{name}") or ()}

    external = kind != ORDINARY_MEMBER
    words = {"all", "me"} | ({"guestsorexternalusers"} if external else set())
    if listed("Users") & words or listed("Groups") & groups or listed("Roles") & roles:
        return True
    guests = users.get(f"{verb}GuestsOrExternalUsers") or {}
    wanted = str(guests.get("guestOrExternalUserTypes", "")).split(",")
    tenants = guests.get("externalTenants")
    meant = tenants is None or tenants == {"membershipKind": "all"} or home_is_named
    return external and meant and (kind in wanted or (future and "aKindOfTheFuture" in wanted))


@given(policies, people)
def test_coverage_never_says_yes_for_whom_any_reading_of_the_policy_excludes(
    policy: dict[str, Any], person: Person
) -> None:
    if verdict(person, defences(False, [policy])).state != COVERED:
        return
    users = policy["conditions"]["users"]
    for reading in readings(person):
        for future in (True, False):
            assert plainly_named(users, "include", reading, future)
            assert not plainly_named(users, "exclude", reading, future)
    plain = {**policy, "conditions": {**policy["conditions"], "users": GOOD["conditions"]["users"]}}
    assert shortcomings(plain) == []


@given(st.lists(policies, max_size=3), people, st.sampled_from([True, False, None]))
def test_more_policies_never_take_cover_away(
    several: list[dict[str, Any]], person: Person, security_defaults: bool | None
) -> None:
    covered = [verdict(person, defences(security_defaults, [one])).state == COVERED for one in several]
    assert (verdict(person, defences(security_defaults, several)).state == COVERED) is (
        any(covered) or (not several and verdict(person, defences(security_defaults, [])).state == COVERED)
    )


@given(st.lists(policies, max_size=3), people, st.sampled_from([True, False, None]), st.booleans())
def test_whom_every_policy_would_exclude_rests_on_none_and_all_others_as_before(
    several: list[dict[str, Any]], person: Person, security_defaults: bool | None, named: bool
) -> None:
    tenant = defences(security_defaults, several)
    found = verdict(person, once_excluded(tenant, {person.id if named else f"not {person.id}"}))
    if not named:
        assert found == verdict(person, tenant)
        return
    assert found.cover is None or found.cover.by == "security_defaults"
    without_policies = verdict(person, defences(security_defaults, []))
    assert (found.state, found.cover) == (without_policies.state, without_policies.cover)


@pytest.mark.parametrize(
    ("users", "person", "state"),
    [
        ({"includeUsers": ["All"], "excludeUsers": ["ME"]}, member(), UNCOVERED),
        ({"includeUsers": ["other"]}, member(), UNCOVERED),
        ({"includeGroups": ["Staff"]}, member(groups=Memberships(frozenset({"staff"}))), COVERED),
        ({"includeGroups": ["staff"]}, member(groups=ANYTHING), UNKNOWN),
        ({"includeUsers": ["All"], "excludeGroups": ["spared"]}, member(groups=ANYTHING), UNKNOWN),
        ({"includeUsers": ["All"], "excludeRoles": [READER]}, with_roles(sometimes=frozenset({READER})), UNKNOWN),
        ({"includeRoles": [READER]}, with_roles(READER), COVERED),
        ({"includeRoles": [READER]}, with_roles(sometimes=frozenset({READER})), UNKNOWN),
        ({"includeUsers": ["All"], "excludeUsers": ["GuestsOrExternalUsers"]}, member(), COVERED),
    ],
)
def test_who_is_covered(users: dict[str, Any], person: Person, state: str) -> None:
    found = verdict(person, defences(False, [changed("conditions.users", users)]))
    assert (found.state, bool(found.cover), bool(found.reason)) == (state, state == COVERED, state != COVERED)


def test_the_reason_names_the_policies() -> None:
    excluding = changed("conditions.users", {"includeUsers": ["All"], "excludeUsers": ["me"]})
    other = {**changed("conditions.users", {"includeUsers": ["other"]}), "displayName": "MFA for one"}
    assert verdict(member(), defences(False, [excluding, other])).reason == (
        "Security defaults are off. These policies require MFA, but exclude the user: 'MFA for all'. These policies "
        "require MFA, but do not include the user: 'MFA for one'."
    )
    assert verdict(member(), defences(False, [])).reason == (
        "Security defaults are off. No enabled Conditional Access policy requires MFA for all resources without "
        "conditions."
    )
    several = [{**other, "displayName": f"{number}"} for number in range(1, 8)]
    assert verdict(member(), defences(False, several[:5])).reason.endswith("user: '1', '2', '3', '4', '5'.")
    assert verdict(member(), defences(False, several[:6])).reason.endswith("user: '1', '2', '3', '4', '5' and 1 more.")
    assert verdict(member(), defences(False, several)).reason.endswith("user: '1', '2', '3', '4', '5' and 2 more.")


# Security defaults

ON = Defences(True)


@pytest.mark.parametrize(
    ("person", "state", "asks"),
    [
        (member(), COVERED, "when_necessary"),
        (member(guest=True, kinds=None), COVERED, "when_necessary"),
        (with_roles(GLOBAL_ADMINISTRATOR), COVERED, "always"),
        (with_roles(GLOBAL_ADMINISTRATOR, READER), COVERED, "always"),
        (with_roles(READER), WEAKER, "when_necessary"),
        (with_roles(sometimes=frozenset({GLOBAL_ADMINISTRATOR})), WEAKER, "when_necessary"),
        (with_roles(DIRECTORY_SYNCHRONIZATION_ACCOUNTS), UNCOVERED, None),
        (with_roles(sometimes=frozenset({DIRECTORY_SYNCHRONIZATION_ACCOUNTS})), UNKNOWN, None),
        (member(roles=ANYTHING), UNKNOWN, None),
    ],
)
def test_whom_security_defaults_cover(person: Person, state: str, asks: str | None) -> None:
    found = verdict(person, ON)
    assert found.state == state
    assert found.cover == (Cover("security_defaults", asks) if asks else None)


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (member(), ""),
        (
            with_roles(READER),
            (
                "The user holds, or may hold, a directory role, and security defaults would ask for MFA only when "
                "Entra finds it necessary."
            ),
        ),
        (
            with_roles(DIRECTORY_SYNCHRONIZATION_ACCOUNTS),
            "Security defaults exempt directory synchronisation accounts.",
        ),
        (member(roles=ANYTHING), "Which roles the user holds, or may hold, is not known well enough."),
    ],
)
def test_why_security_defaults_do_not_cover_somebody(person: Person, reason: str) -> None:
    assert verdict(person, ON).reason == reason


def test_what_could_not_be_read_is_not_called_uncovered() -> None:
    assert verdict(member(), defences(None, [], unread="Not allowed.")) == Verdict(UNKNOWN, reason="Not allowed.")
    assert verdict(member(), defences(None, [GOOD], unread="Not allowed.")).state == COVERED


# Which kinds of guests a user may be


@pytest.mark.parametrize(
    ("user", "kinds"),
    [
        ({"userType": "Member"}, {ORDINARY_MEMBER}),
        (
            {"userType": "Member", "userPrincipalName": "a_b.example#EXT#@c.example"},
            {ORDINARY_MEMBER, "b2bCollaborationMember", "otherExternalUser"},
        ),
        (
            {"userType": "Member", "creationType": "Invitation"},
            {ORDINARY_MEMBER, "b2bCollaborationMember", "otherExternalUser"},
        ),
        ({"userType": "Guest"}, {"internalGuest", "b2bCollaborationGuest", "otherExternalUser"}),
        (
            {
                "userType": "Guest",
                "userPrincipalName": "a_b.example#EXT#@c.example",
                "creationType": "Invitation",
                "externalUserState": "Accepted",
            },
            {"b2bCollaborationGuest", "otherExternalUser"},
        ),
        ({"userType": None}, {ORDINARY_MEMBER, *KINDS_OF_GUESTS}),
    ],
)
def test_which_kinds_of_guests_somebody_may_be(user: dict[str, Any], kinds: set[str]) -> None:
    plain = {"userPrincipalName": "a@c.example", "creationType": None, "externalUserState": None}
    found = kinds_of_guest({**plain, **user})
    assert found is not None
    assert set(found) == kinds


@pytest.mark.parametrize("missing", ["userType", "userPrincipalName", "creationType", "externalUserState"])
def test_a_property_that_is_not_shown_leaves_the_kind_open(missing: str) -> None:
    user = {"userPrincipalName": "a@c.example", "userType": "Member", "creationType": None, "externalUserState": None}
    del user[missing]
    assert kinds_of_guest(user) is None
