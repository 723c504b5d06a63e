# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.users import (
    PER_USER_MFA_STATES,
    Accounts,
    UserCount,
)
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values

users = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.uuids().map(str),
            "accountEnabled": st.booleans(),
            "userType": st.sampled_from(["Member", "Guest", None]),
            "onPremisesSyncEnabled": st.sampled_from([True, False, None]),
        },
        optional={"perUserMfaState": st.sampled_from([*PER_USER_MFA_STATES, None, "unknownFutureValue", ""])},
    ),
    max_size=12,
)


def user(**properties: Any) -> dict[str, Any]:
    return {
        "id": "b7a1d9f0-0000-4000-8000-000000000001",
        "userPrincipalName": "anna@contoso.example",
        "accountEnabled": True,
        "userType": "Member",
        "onPremisesSyncEnabled": None,
        "perUserMfaState": "disabled",
        **properties,
    }


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in user().items() if key != name}


def counted(*pages: list[dict[str, Any]]) -> UserCount:
    count = UserCount()
    for page in pages:
        count.add(page)
    return count


@given(users)
def test_the_sums_add_up(listed: list[dict[str, Any]]) -> None:
    count = counted(listed)
    people = count.people()
    assert people["total"] == len(listed)
    assert people["members"] + people["guests"] + people["other"] == people["total"]
    assert people["synchronised"] + people["cloud_only"] == people["total"]
    assert people["enabled_members"] + people["enabled_guests"] + people["disabled"] == people["total"]
    assert sum(count.per_user_mfa_states().values()) + count.per_user_mfa_unreadable == people["total"]


@given(users)
def test_each_count(listed: list[dict[str, Any]]) -> None:
    people = counted(listed).people()
    assert people["members"] == [one["userType"] for one in listed].count("Member")
    assert people["guests"] == [one["userType"] for one in listed].count("Guest")
    assert people["synchronised"] == [one["onPremisesSyncEnabled"] for one in listed].count(True)
    assert people["disabled"] == [one["accountEnabled"] for one in listed].count(False)
    assert people["enabled_guests"] == sum(one["accountEnabled"] and one["userType"] == "Guest" for one in listed)


@given(users)
def test_each_per_user_mfa_state_is_counted_by_itself(listed: list[dict[str, Any]]) -> None:
    shown = [one.get("perUserMfaState") for one in listed]
    assert counted(listed).per_user_mfa_states() == {state: shown.count(state) for state in PER_USER_MFA_STATES}


@given(users, st.integers(0, 12))
def test_pages_make_no_difference(listed: list[dict[str, Any]], cut: int) -> None:
    assert counted(listed[:cut], listed[cut:]) == counted(listed)


@given(json_values)
def test_an_unreadable_per_user_mfa_state_is_never_a_state(value: Any) -> None:
    assume(value not in PER_USER_MFA_STATES)
    count = counted([user(perUserMfaState=value)])
    assert count.per_user_mfa_unreadable == 1
    assert sum(count.per_user_mfa_states().values()) == 0


def test_a_missing_per_user_mfa_state_is_never_disabled() -> None:
    count = counted([without("perUserMfaState"), user()])
    assert count.per_user_mfa_unreadable == 1
    assert count.per_user_mfa_states() == {"disabled": 1, "enabled": 0, "enforced": 0}


@pytest.mark.parametrize("name", ["id", "accountEnabled", "userType", "onPremisesSyncEnabled"])
def test_a_missing_property_is_unexpected(name: str) -> None:
    with pytest.raises(UnexpectedShape):
        counted([without(name)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": None},
        {"id": 4},
        {"accountEnabled": None},
        {"accountEnabled": "true"},
        {"accountEnabled": 1},
        {"onPremisesSyncEnabled": "true"},
        {"onPremisesSyncEnabled": 1},
        {"userType": 7},
        {"userType": True},
        {"userType": ["Member"]},
    ],
    ids=repr,
)
def test_a_property_of_another_type_is_unexpected(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedShape):
        counted([user(**wrong)])


def test_a_user_without_user_type_counts_as_other_and_as_enabled_member() -> None:
    people = counted([user(userType=None)]).people()
    assert (people["members"], people["guests"], people["other"]) == (0, 0, 1)
    assert people["enabled_members"] == 1


@pytest.mark.parametrize("malformed", [None, "anna", ["anna"], 5], ids=repr)
def test_a_user_that_is_no_object_is_unexpected(malformed: Any) -> None:
    with pytest.raises(UnexpectedShape):
        counted([user(), malformed])


@pytest.mark.parametrize("page", [None, {}, "anna", ({},)], ids=repr)
def test_a_page_that_is_no_list_is_unexpected(page: Any) -> None:
    with pytest.raises(UnexpectedShape, match="a page of users is no list"):
        counted(page)


def test_names_of_enabled_accounts_are_kept() -> None:
    accounts = Accounts()
    pages = [[user(id="A", accountEnabled=False), user(id="B", userPrincipalName="b@x")]]
    pages += [[user(id="C", userPrincipalName="c@x"), user(id="E", accountEnabled=False)]]
    for page in pages:
        accounts.add(page)
    assert accounts == Accounts(disabled={"a", "e"}, enabled={"b": "b@x", "c": "c@x"})


@pytest.mark.parametrize("name", ["id", "accountEnabled", "userPrincipalName"])
def test_an_account_that_does_not_show_what_counts_is_unexpected(name: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"'{name}' is missing"):
        Accounts().add([without(name)])
