# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.conditional_access_reach import (
    ORDINARY_MEMBER,
    Memberships,
    Person,
    catches,
    excludes,
    is_about_workloads,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape

IDS = ("a", "B", "c", "me")

lists = st.none() | st.lists(st.sampled_from(IDS), unique=True)
users = st.fixed_dictionaries(
    {
        "includeUsers": st.sampled_from([None, [], ["All"], ["None"], ["ME"], ["GuestsOrExternalUsers"], ["other"]]),
        "includeGroups": lists,
        "includeRoles": lists,
        "excludeUsers": st.sampled_from([None, [], ["Me"], ["other"], ["GuestsOrExternalUsers"]]),
        "excludeGroups": lists,
        "excludeRoles": lists,
    }
)
memberships = st.builds(Memberships, st.frozensets(st.sampled_from(["a", "b", "c"])), st.booleans())
people = st.builds(Person, st.just("me"), st.booleans(), memberships, memberships)


def policy(conditions: Any) -> dict[str, Any]:
    return {"conditions": {"users": conditions}}


def plainly(conditions: dict[str, Any], person: Person) -> bool:
    """The same by sets alone, for a person of whom all is known."""

    def named(verb: str) -> bool:
        listed, groups, roles = (
            {one.lower() for one in conditions[f"{verb}{kind}"] or ()} for kind in ("Users", "Groups", "Roles")
        )
        words = {"all", "me"} | ({"guestsorexternalusers"} if person.guest else set())
        return bool(listed & words or groups & person.groups.ids or roles & person.roles.ids)

    return named("include") and not named("exclude")


def may_be(known: Memberships) -> list[Memberships]:
    """What the whole of it may be, where it is not complete."""
    return [Memberships(known.ids | more) for more in ((set(), {"a"}, {"b", "c"}) if not known.complete else (set(),))]


@given(users, people)
def test_what_is_said_holds_whatever_else_somebody_belongs_to(conditions: dict[str, Any], person: Person) -> None:
    said = catches(policy(conditions), person)
    truths = {
        plainly(conditions, replace(person, groups=groups, roles=roles))
        for groups in may_be(person.groups)
        for roles in may_be(person.roles)
    }
    if said is None:
        assert not (person.groups.complete and person.roles.complete)
    else:
        assert truths == {said}


@given(users, people)
def test_who_is_excluded_is_not_caught(conditions: dict[str, Any], person: Person) -> None:
    if excludes(policy(conditions), person):
        assert catches(policy(conditions), person) is False


@pytest.mark.parametrize(("guest", "caught"), [(True, None), (False, False)])
def test_which_guests_are_meant_is_not_known(guest: bool, caught: bool | None) -> None:
    kinds = {"guestOrExternalUserTypes": "b2bCollaborationGuest"}
    person = Person("me", guest, Memberships(frozenset()), Memberships(frozenset()))
    assert catches(policy({"includeGuestsOrExternalUsers": kinds}), person) is caught


INTERNAL, GUEST, OF_A_PARTNER = "internalGuest", "b2bCollaborationGuest", "serviceProvider"
EVERYWHERE = {"membershipKind": "all"}


@pytest.mark.parametrize(
    ("named", "tenants", "may_be", "caught"),
    [
        (GUEST, None, [GUEST], True),
        (GUEST.upper(), EVERYWHERE, [GUEST], True),
        (f"{INTERNAL}, {GUEST}", None, [GUEST, INTERNAL], True),
        (f"{INTERNAL},{GUEST},later", None, [GUEST], True),
        (GUEST, None, [GUEST, INTERNAL], None),
        (GUEST, None, [INTERNAL, OF_A_PARTNER], False),
        (f"{GUEST},", None, [INTERNAL], False),
        ("none", None, [INTERNAL], False),
        ("", None, [INTERNAL], False),
        ("later", None, [INTERNAL], None),
        (f"{GUEST},later", None, [INTERNAL], None),
        (GUEST, {"membershipKind": "enumerated", "members": ["x"]}, [GUEST], None),
        (GUEST, {"membershipKind": "enumerated", "members": ["x"]}, [INTERNAL], False),
        (GUEST, "all", [GUEST], None),
        (GUEST, None, [ORDINARY_MEMBER], False),
        (GUEST, None, [GUEST, ORDINARY_MEMBER], None),
        (GUEST, None, None, None),
        (5, None, [GUEST], None),
        (None, None, [GUEST], None),
    ],
)
def test_which_kinds_of_guests_are_meant(named: Any, tenants: Any, may_be: Any, caught: bool | None) -> None:
    guests = {"guestOrExternalUserTypes": named, "externalTenants": tenants}
    nothing = Memberships(frozenset())
    person = Person("me", True, nothing, nothing, None if may_be is None else frozenset(may_be))
    assert catches(policy({"includeGuestsOrExternalUsers": guests}), person) is caught
    assert excludes(policy({"excludeGuestsOrExternalUsers": guests}), person) is caught


@pytest.mark.parametrize("guests", ["all", []], ids=repr)
def test_guests_of_an_odd_shape_are_unexpected(guests: Any) -> None:
    person = Person("me", True, Memberships(frozenset()), Memberships(frozenset()))
    with pytest.raises(UnexpectedShape, match="'includeGuestsOrExternalUsers' is no object"):
        catches(policy({"includeGuestsOrExternalUsers": guests}), person)


@pytest.mark.parametrize("conditions", [None, "All", {"includeUsers": "All"}, {"excludeGroups": [1]}])
def test_an_odd_shape_is_not_read_as_empty(conditions: Any) -> None:
    person = Person("me", False, Memberships(frozenset()), Memberships(frozenset()))
    with pytest.raises(UnexpectedShape):
        catches(policy(conditions), person)


WORKLOADS = {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"], "excludeServicePrincipals": []}
# As Graph shows it; "None" is the word for nobody.
NOBODY: dict[str, Any] = {
    "includeUsers": ["None"],
    "excludeUsers": [],
    "includeGroups": [],
    "excludeGroups": [],
    "includeRoles": [],
    "excludeRoles": [],
    "includeGuestsOrExternalUsers": None,
    "excludeGuestsOrExternalUsers": None,
}


@pytest.mark.parametrize(
    ("users", "workloads"),
    [
        (None, True),
        (NOBODY, True),
        ({"includeUsers": ["None"]}, True),
        ({**NOBODY, "excludeUsers": ["a"], "excludeGroups": ["b"]}, True),
        ({**NOBODY, "includeUsers@odata.type": "#Collection(String)"}, True),
        ({**NOBODY, "includeUsers": ["All"]}, False),
        ({**NOBODY, "includeUsers": ["None", "a"]}, False),
        ({**NOBODY, "includeUsers": []}, False),
        ({**NOBODY, "includeGroups": ["a"]}, False),
        ({**NOBODY, "includeRoles": ["a"]}, False),
        ({**NOBODY, "includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "internalGuest"}}, False),
        ({**NOBODY, "includeSomethingOfTomorrow": ["a"]}, False),
        ({**NOBODY, "includeUsers": "None"}, False),
        ({**NOBODY, "excludeUsers": "a"}, False),
        ({}, False),
        ([], False),
        ("None", False),
    ],
    ids=repr,
)
def test_a_policy_is_about_workloads_only_where_it_includes_nobody(users: Any, workloads: bool) -> None:
    assert is_about_workloads({"conditions": {"users": users, "clientApplications": WORKLOADS}}) is workloads


@pytest.mark.parametrize("users", [None, NOBODY], ids=repr)
@pytest.mark.parametrize(
    "applications",
    [
        None,
        {},
        [],
        ["includeServicePrincipals"],
        "All",
        {"includeServicePrincipals": []},
        {"includeServicePrincipals": None},
        {"includeServicePrincipals": "All"},
        {"includeServicePrincipals": [1]},
        {"excludeServicePrincipals": ["a"]},
        {**WORKLOADS, "excludeServicePrincipals": "a"},
    ],
    ids=repr,
)
def test_a_policy_is_about_workloads_only_where_it_shows_them(applications: Any, users: Any) -> None:
    assert not is_about_workloads({"conditions": {"users": users, "clientApplications": applications}})


@pytest.mark.parametrize(
    ("conditions", "workloads"),
    [
        ({"clientApplications": {"includeServicePrincipals": ["a"]}}, True),
        ({"users": NOBODY}, False),
        ({}, False),
        (None, False),
    ],
    ids=repr,
)
def test_of_what_a_policy_does_not_show(conditions: Any, workloads: bool) -> None:
    assert is_about_workloads({"conditions": conditions}) is workloads
