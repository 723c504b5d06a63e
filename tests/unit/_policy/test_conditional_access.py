# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.conditional_access import by_state
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape

STATES = ("enabled", "enabledForReportingButNotEnforced", "disabled")

policies = st.lists(
    st.fixed_dictionaries({"state": st.sampled_from([*STATES, "unknownFutureValue"]), "displayName": st.text()}),
    max_size=8,
)


@given(policies)
def test_every_policy_is_named_under_its_own_state(listed: list[dict[str, Any]]) -> None:
    names = by_state(listed)
    told = sorted((state, name) for state, found in names.items() for name in found)
    assert told == sorted((policy["state"], policy["displayName"]) for policy in listed)


@given(policies)
def test_names_are_sorted_and_the_order_of_the_answer_does_not_matter(listed: list[dict[str, Any]]) -> None:
    names = by_state(listed)
    assert names == by_state(listed[::-1])
    assert all(found == sorted(found) for found in names.values())


def test_the_known_states_are_always_there() -> None:
    assert by_state([]) == {state: [] for state in STATES}


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        "policy",
        [],
        {},
        {"displayName": "Block legacy"},
        {"state": "enabled"},
        {"state": None, "displayName": "Block legacy"},
        {"state": True, "displayName": "Block legacy"},
        {"state": "enabled", "displayName": None},
        {"state": ["enabled"], "displayName": "Block legacy"},
    ],
    ids=repr,
)
def test_a_malformed_policy_is_unexpected(malformed: Any) -> None:
    with pytest.raises(UnexpectedShape):
        by_state([{"state": "disabled", "displayName": "Another"}, malformed])
