# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.per_user_mfa import (
    STATES,
    Inventory,
    Sample,
    check_users,
    converged,
    state_of,
)
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values

users = st.fixed_dictionaries(
    {
        "id": st.integers(0, 10**6).map(str),
        "userPrincipalName": st.just("a@b.example"),
        "accountEnabled": st.booleans(),
        "userType": st.sampled_from(["Member", "Guest", None, "Other"]),
        "onPremisesSyncEnabled": st.sampled_from([True, False, None]),
        "perUserMfaState": st.sampled_from([*STATES, None, "unknownFutureValue"]),
    }
)


@pytest.mark.parametrize("wanted", STATES)
@pytest.mark.parametrize("current", STATES)
def test_only_enabled_is_met_by_another_state(wanted: str, current: str) -> None:
    assert converged(wanted, current) is (wanted == current or (wanted, current) == ("enabled", "enforced"))


@given(json_values)
def test_a_state_is_one_of_three_or_not_known(value: Any) -> None:
    assert state_of({"perUserMfaState": value}) == (value if value in STATES else None)


@given(st.lists(st.lists(users, max_size=10), max_size=5), st.integers(0, 5))
def test_everybody_is_counted_once_whatever_the_pages(pages: list[list[dict[str, Any]]], most: int) -> None:
    inventory = Inventory(frozenset({"enforced", "unknown"}), most)
    for page in pages:
        inventory.add(page)
    everybody = [user for page in pages for user in page]
    found = inventory.as_result()
    states = Counter(user["perUserMfaState"] if user["perUserMfaState"] in STATES else "unknown" for user in everybody)
    assert found["total"] == len(everybody)
    assert {state: count for state, count in found["states"].items() if count} == dict(states)
    for parts in (found["by_user_type"].values(), [found["enabled_accounts"], found["disabled_accounts"]]):
        assert sum((Counter(part) for part in parts), Counter()) == states
    wanted = states["enforced"] + states["unknown"]
    assert len(found["users"]) == min(most, wanted)
    assert found["users_left_off"] == max(0, wanted - most)


@given(st.lists(users, unique_by=lambda user: str(user["id"]), max_size=200), st.randoms(use_true_random=False))
def test_a_sample_does_not_depend_on_the_order(everybody: list[dict[str, Any]], rng: Any) -> None:
    everybody = [user for user in everybody if user["perUserMfaState"] in STATES]
    samples = []
    for _unused in range(2):
        sample = Sample(20)
        assert sample.add(everybody)
        samples.append(sample.chosen())
        rng.shuffle(everybody)
    assert samples[0] == samples[1]
    states = Counter(user["perUserMfaState"] for user in everybody)
    chosen = Counter(samples[0].values())
    assert sum(chosen.values()) <= 20
    assert all(chosen[state] >= min(6, count) for state, count in states.items())
    assert samples[0].items() <= {user["id"]: user["perUserMfaState"] for user in everybody}.items()


def test_a_sample_ends_at_a_user_without_a_state() -> None:
    assert not Sample(20).add([{"id": "1", "perUserMfaState": None}])


@pytest.mark.parametrize("page", [None, {}, ["user"], [{}], [{"id": 1}]])
def test_a_page_without_users_is_refused(page: Any) -> None:
    with pytest.raises(UnexpectedShape):
        check_users(page)
