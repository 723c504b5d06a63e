# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.exclusions import (
    Excluded,
    is_managed,
    users_as_written,
    wanted_exclusions,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape

IDS = ("a", "B", "c", "D", "e")

lists = st.one_of(st.none(), st.lists(st.sampled_from(IDS), unique=True))
sets = st.frozensets(st.sampled_from([*IDS, "b", "d"]))
excluded = st.builds(Excluded, users=sets, groups=sets, members=sets)
policies = st.builds(
    lambda name, users, groups, more: {
        "displayName": name,
        "conditions": {"users": {"includeUsers": ["All"], "excludeUsers": users, "excludeGroups": groups, **more}},
    },
    st.sampled_from(["Microsoft-managed: MFA", "Own"]),
    lists,
    lists,
    st.sampled_from([{}, {"includeRoles": ["r"]}, {"excludeUsers@odata.context": "x"}]),
)


def changed(policy: dict[str, Any], asked: Excluded, present: bool) -> dict[str, Any]:
    users = users_as_written(policy, wanted_exclusions(policy, asked, present))
    return {**policy, "conditions": {"users": users}}


def lowered(policy: dict[str, Any], name: str) -> set[str]:
    return {item.lower() for item in policy["conditions"]["users"].get(name) or []}


@given(policies, excluded, st.booleans())
def test_a_changed_policy_is_as_wanted(policy: dict[str, Any], asked: Excluded, present: bool) -> None:
    assert wanted_exclusions(changed(policy, asked, present), asked, present) == {}


@given(policies, excluded)
def test_nobody_loses_an_exclusion_and_all_who_are_asked_for_have_one(policy: dict[str, Any], asked: Excluded) -> None:
    after = changed(policy, asked, present=True)
    for name in ("excludeUsers", "excludeGroups"):
        assert lowered(policy, name) <= lowered(after, name)
    wanted = asked.users | asked.members if is_managed(policy) else asked.users
    assert {one.lower() for one in wanted} <= lowered(after, "excludeUsers")
    if not is_managed(policy):
        assert {one.lower() for one in asked.groups} <= lowered(after, "excludeGroups")


@given(policies, excluded)
def test_who_is_to_be_excluded_no_longer_is_not_and_all_others_stay(policy: dict[str, Any], asked: Excluded) -> None:
    after = changed(policy, asked, present=False)["conditions"]["users"]
    users = asked.users | asked.members if is_managed(policy) else asked.users
    groups = frozenset[str]() if is_managed(policy) else asked.groups
    for name, gone in (("excludeUsers", users), ("excludeGroups", groups)):
        lower = {one.lower() for one in gone}
        before = policy["conditions"]["users"][name] or []
        assert (after[name] or []) == [one for one in before if one.lower() not in lower]


@given(policies, excluded, st.booleans())
def test_nothing_but_the_exclusions_changes(policy: dict[str, Any], asked: Excluded, present: bool) -> None:
    before, after = policy["conditions"]["users"], changed(policy, asked, present)["conditions"]["users"]
    touched = {name for name in after if before.get(name) != after[name]}
    assert touched <= {"excludeUsers", "excludeGroups"}
    assert {name for name in before if name not in after} == before.keys() & {"excludeUsers@odata.context"}


@given(policies, excluded)
def test_groups_are_never_written_into_a_managed_policy(policy: dict[str, Any], asked: Excluded) -> None:
    if is_managed(policy):
        assert "excludeGroups" not in wanted_exclusions(policy, asked, present=True)


NO_USERS = "a Conditional Access policy does not show its users"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"displayName": "A"}, NO_USERS),
        ({"displayName": "A", "conditions": None}, NO_USERS),
        ({"displayName": "A", "conditions": {"users": []}}, NO_USERS),
        ({"displayName": "A", "conditions": {"users": {"excludeUsers": "a"}}}, "'excludeUsers' is no list of ids"),
        ({"displayName": "A", "conditions": {"users": {"excludeGroups": [1]}}}, "'excludeGroups' is no list of ids"),
        ({"conditions": {"users": {}}}, "'displayName' is missing"),
    ],
    ids=repr,
)
def test_a_policy_of_another_shape_is_not_guessed_at(policy: dict[str, Any], words: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"^{words}$"):
        wanted_exclusions(policy, Excluded(frozenset("a"), frozenset("b"), frozenset()), present=True)
