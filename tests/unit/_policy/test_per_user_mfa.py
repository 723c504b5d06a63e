# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections import Counter
from typing import Any
from zlib import crc32

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


def user(identity: str, state: Any, kind: Any = "Member", enabled: bool = True, synchronised: Any = None) -> Any:
    return {
        "id": identity,
        "userPrincipalName": f"{identity}@b.example",
        "accountEnabled": enabled,
        "userType": kind,
        "onPremisesSyncEnabled": synchronised,
        "perUserMfaState": state,
    }


def test_an_inventory_in_full() -> None:
    inventory = Inventory(frozenset({"enforced", "unknown"}), 2)
    inventory.add([user("1", "enforced", enabled=False, synchronised=True), user("2", "disabled", "Guest")])
    inventory.add([user("3", None, None, synchronised=False), user("4", "enforced"), user("5", "enabled", "Later")])
    none = {"disabled": 0, "enabled": 0, "enforced": 0, "unknown": 0}
    assert inventory.unknown == 1
    assert inventory.as_result() == {
        "total": 5,
        "states": {"disabled": 1, "enabled": 1, "enforced": 2, "unknown": 1},
        "by_user_type": {
            "member": {**none, "enforced": 2},
            "guest": {**none, "disabled": 1},
            "other": {**none, "enabled": 1, "unknown": 1},
        },
        "enabled_accounts": {"disabled": 1, "enabled": 1, "enforced": 1, "unknown": 1},
        "disabled_accounts": {**none, "enforced": 1},
        "users": [
            {
                "id": "1",
                "user_principal_name": "1@b.example",
                "state": "enforced",
                "user_type": "member",
                "account_enabled": False,
                "synchronised": True,
            },
            {
                "id": "3",
                "user_principal_name": "3@b.example",
                "state": "unknown",
                "user_type": "other",
                "account_enabled": True,
                "synchronised": False,
            },
        ],
        "users_left_off": 1,
    }


def test_without_a_question_nobody_is_listed() -> None:
    inventory = Inventory()
    inventory.add([user("1", "enforced")])
    assert (inventory.as_result()["users"], inventory.as_result()["users_left_off"]) == ([], 0)


@pytest.mark.parametrize(("size", "of_each"), [(1, (1, 0, 0)), (4, (2, 1, 1)), (6, (2, 2, 2)), (60, (9, 9, 9))])
def test_a_sample_has_as_many_of_each_state_those_with_the_smallest_checksums(
    size: int, of_each: tuple[int, ...]
) -> None:
    sample = Sample(size)
    for start in range(3):
        assert sample.add([user(str(number), STATES[number % 3]) for number in range(start, 27, 3)])
    chosen = sample.chosen()
    for place, count in enumerate(of_each):
        ids = sorted((str(number) for number in range(place, 27, 3)), key=lambda one: crc32(one.encode()))
        assert [identity for identity, state in chosen.items() if state == STATES[place]] == ids[:count]


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


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (None, "a page of users is no list"),
        ({}, "a page of users is no list"),
        ([user("1", "enabled"), "user"], "an object was expected"),
        ([{}], "'id' is missing"),
        ([{"id": 1}], "'id' is no string"),
    ],
)
def test_a_page_without_users_is_refused(page: Any, words: str) -> None:
    check_users([user("1", "enabled"), {"id": "2"}])
    with pytest.raises(UnexpectedShape, match=words):
        check_users(page)
