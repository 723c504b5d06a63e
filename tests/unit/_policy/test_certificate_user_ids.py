# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.certificate_user_ids import (
    ids_of,
    refusal,
    too_many,
    wanted_ids,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape


@pytest.mark.parametrize(
    "one",
    [
        "X509:<PN>bob@woodgrove.com",
        "X509:<PN>bob@woodgrove",
        "X509:<RFC822>user@woodgrove.com",
        "X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<S>DC=com,DC=contoso,OU=UserAccounts,CN=mfatest",
        "X509:<S>DC=com,DC=contoso,OU=User Accounts,CN=mfatest",
        "X509:<SKI>aB1cD2eF3gH4iJ5kL6-mN7oP8qR",
        "X509:<SHA1-PUKEY>123456789abcdef",
        "X509:<I>DC=com,DC=contoso,CN=CONTOSO-DC-CA<SR>b24134139f069b49997212a86ba0ef48",
    ],
)
def test_the_forms_of_microsofts_page_are_taken(one: str) -> None:
    assert refusal([one]) is None


@pytest.mark.parametrize(
    "one",
    [
        "",
        "bob@woodgrove.com",
        "X509:<pn>bob@woodgrove.com",
        "x509:<PN>bob@woodgrove.com",
        "X509:<PN>",
        "X509:<PN> bob",
        "X509:<PN>bob ",
        "X509:<PN>bob\n",
        "X509:<I>CN=CA",
        "X509:<I>CN=CA<SR>b2 41",
        "X509:<I><S>CN=x",
        "X509:<SKI>12 34",
        "X509:<XX>1",
        "X509:<PN>a<S>b",
        " X509:<PN>bob",
    ],
)
def test_no_other_form_is(one: str) -> None:
    assert refusal(["X509:<PN>a", one]) == (
        f"certificate_user_ids: '{one}' has none of the forms that Entra knows: X509:<PN>name, X509:<RFC822>address, "
        "X509:<I>issuer<S>subject, X509:<S>subject, X509:<SKI>identifier, X509:<SHA1-PUKEY>hash, "
        "X509:<I>issuer<SR>serial number."
    )


def test_length_and_repetition_are_bounded() -> None:
    assert refusal(["X509:<PN>" + "a" * 1015]) is None
    assert refusal(["X509:<PN>" + "a" * 1016]) == (
        f"certificate_user_ids: 'X509:<PN>{'a' * 31}...' is longer than 1024 characters."
    )
    assert refusal(["X509:<PN>b", "X509:<PN>c", "X509:<PN>b", "X509:<PN>a", "X509:<PN>a"]) == (
        "certificate_user_ids: 'X509:<PN>a' is named more than once."
    )
    assert too_many([str(number) for number in range(10)], "Ann") is None
    assert too_many([str(number) for number in range(11)], "Ann") == (
        "Ann would have 11 certificate user IDs, but Entra allows 10. Take some away."
    )


IDS = st.lists(st.sampled_from("abcdef"), unique=True)


@given(IDS, IDS, st.sampled_from(["present", "absent", "set"]))
def test_each_state_is_reached_and_kept(current: list[str], given_ids: list[str], state: str) -> None:
    wanted = wanted_ids(current, given_ids, state)
    assert len(set(wanted)) == len(wanted)
    assert wanted_ids(wanted, given_ids, state) == wanted
    expected = {
        "present": {*current, *given_ids},
        "absent": {*current} - {*given_ids},
        "set": {*given_ids},
    }[state]
    assert set(wanted) == expected
    if set(current) == expected:
        assert wanted == current, "the order in which Graph has them is no change"


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"authorizationInfo": None}, []),
        ({"authorizationInfo": {"certificateUserIds": []}}, []),
        ({"authorizationInfo": {"certificateUserIds": ["X509:<PN>a"]}}, ["X509:<PN>a"]),
    ],
)
def test_what_graph_shows_is_read(user: dict[str, Any], expected: list[str]) -> None:
    assert ids_of(user) == expected


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({}, "'authorizationInfo' is missing"),
        ({"authorizationInfo": {}}, "'certificateUserIds' is no list of strings"),
        ({"authorizationInfo": 3}, "'certificateUserIds' is no list of strings"),
        ({"authorizationInfo": {"certificateUserIds": [1]}}, "'certificateUserIds' is no list of strings"),
    ],
)
def test_what_graph_does_not_show_is_not_taken_for_none(user: dict[str, Any], words: str) -> None:
    with pytest.raises(UnexpectedShape, match=words):
        ids_of(user)
