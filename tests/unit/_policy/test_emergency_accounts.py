# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.emergency_accounts import (
    GlobalAdministrators,
    can_sign_in_without_help,
    domain_refusal,
    group_refusal,
    kind_refusal,
    name_refusal,
    never_expires,
    password_refusal,
    unit_refusal,
    was_called,
    with_never_expires,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import GLOBAL_ADMINISTRATOR
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values, places, removed, replaced

INITIAL = "contoso.onmicrosoft.com"
ACCOUNT = "4562bcc8-c436-4f95-b7c0-4f8ce89dca5e"
OTHER = "4562bcc8-c436-4f95-b7c0-4f8ce89dca5f"


@pytest.mark.parametrize("name", ["emergency1", "break-glass.o'neil_~#^!", "a" * 64, f"Emergency1@{INITIAL.upper()}"])
def test_names_that_entra_takes(name: str) -> None:
    assert domain_refusal(name, INITIAL) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "letters A-Z"),
        ("emergency 1", "letters A-Z"),
        ("notfäll", "letters A-Z"),
        ("emergency/../1", "letters A-Z"),
        ("emergency1\n", "letters A-Z"),
        ("emergency1.", "no dot right before"),
        (f"emergency1.@{INITIAL}", "no dot right before"),
        ("emergency1@", "needs one @"),
        (f"emergency1@x@{INITIAL}", "needs one @"),
        ("a" * 65, "too long"),
        ("a@" + "b" * 49, "too long"),
        ("a" * 64 + "@" + "b" * 48, None),
    ],
)
def test_names_that_entra_does_not_take(name: str, words: str | None) -> None:
    refusal = name_refusal(name)
    assert (refusal is None) if words is None else (refusal is not None and words in refusal)


def test_a_name_that_is_too_long_only_with_its_domain() -> None:
    assert name_refusal("a" * 64) is None
    assert "too long" in str(domain_refusal("a" * 64, "b" * 34 + ".onmicrosoft.com"))


@pytest.mark.parametrize("domain", ["contoso.com", "other.onmicrosoft.com", f"x.{INITIAL}", "contoso.onmicrosoft.de"])
def test_names_on_other_domains_are_refused(domain: str) -> None:
    assert "is not on the tenant's initial domain" in str(domain_refusal(f"emergency1@{domain}", INITIAL))


def test_a_name_with_the_initial_domain_at_its_end_only_is_refused() -> None:
    assert domain_refusal(f"emergency1@other.example@{INITIAL}", INITIAL) is not None


@pytest.mark.parametrize("password", ["Abcdefg1", "abcdefg1!", "ABC 123 !?", "Aa1" * 85 + "x"])
def test_passwords_that_entra_takes(password: str) -> None:
    assert password_refusal(password, ["emergency1", "Emergency access"]) is None


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("Abcde1!", "8 to 256 characters"),
        ("Aa1!" * 65, "8 to 256 characters"),
        ("abcdefgh1", "of 3 of these 4 classes"),
        ("Abcdef gh", "of 3 of these 4 classes"),
        ("Abcdéfgh1", "ASCII"),
        ("Abcdefg1\n", "ASCII"),
        ("xEMERGENCY1x!", "the account's name"),
        ("7-Access-7-granted", "the account's name"),
    ],
)
def test_passwords_that_entra_does_not_take(password: str, words: str) -> None:
    refusal = password_refusal(password, ["emergency1", "Emergency access"])
    assert refusal is not None
    assert words in refusal


@pytest.mark.parametrize(("name", "taken"), [("Ann", True), ("Anna", False), ("x.anna", False)])
def test_only_words_of_four_letters_count_in_a_password(name: str, taken: bool) -> None:
    assert (password_refusal("Annanas-1", [name]) is None) is taken


@given(st.text(max_size=300), st.text(max_size=20))
def test_a_refusal_never_shows_the_password(password: str, name: str) -> None:
    refusal = password_refusal(password, [name])
    assert refusal in {password_refusal(other, names) for other, names in EVERY_REFUSAL} | {None}


EVERY_REFUSAL: list[tuple[str, list[str]]] = [
    ("", []),
    ("é" * 8, []),
    ("a" * 8, []),
    ("Abcdefg1", ["bcde"]),
]


@given(st.lists(st.sampled_from(string.printable.strip()), min_size=64, max_size=64))
def test_long_random_passwords_are_judged_by_their_classes(characters: list[str]) -> None:
    password = "".join(characters)
    classes = [string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation]
    present = sum(any(character in group for character in password) for group in classes)
    assert (password_refusal(password, []) is None) == (present >= 3)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        (None, "DisablePasswordExpiration"),
        ("None", "DisablePasswordExpiration"),
        ("DisableStrongPassword", "DisablePasswordExpiration, DisableStrongPassword"),
        ("DisablePasswordExpiration", "DisablePasswordExpiration"),
        ("DisableStrongPassword, DisablePasswordExpiration", "DisableStrongPassword, DisablePasswordExpiration"),
    ],
)
def test_other_password_policies_stay(policies: str | None, expected: str) -> None:
    assert with_never_expires(policies) == expected
    assert never_expires(expected)
    assert never_expires(policies) == (policies is not None and "Expiration" in policies)


@pytest.mark.parametrize(("synced", "kind", "refused"), [
    (None, "Member", False), (False, None, False), (True, "Member", True), (None, "Guest", True), (None, "Robot", True),
])  # fmt: skip
def test_only_cloud_only_members_can_be_emergency_accounts(synced: Any, kind: Any, refused: bool) -> None:
    assert (kind_refusal({"onPremisesSyncEnabled": synced, "userType": kind}, "x") is not None) == refused


GROUP = {
    "displayName": "Emergency access",
    "groupTypes": [],
    "securityEnabled": True,
    "mailEnabled": False,
    "onPremisesSyncEnabled": None,
    "visibility": None,
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"groupTypes": ["Unified"], "mailEnabled": True, "visibility": "Private"}, None),
        ({"groupTypes": ["Unified"], "mailEnabled": True, "visibility": "Public"}, "anybody can join it"),
        ({"visibility": "Public"}, "Make a new security group"),
        ({"securityEnabled": False}, "not security-enabled"),
        ({"groupTypes": ["DynamicMembership"]}, "come from a rule"),
        ({"onPremisesSyncEnabled": True}, "synchronised"),
        ({"mailEnabled": True}, "mail-enabled security group"),
    ],
)
def test_groups(change: dict[str, Any], words: str | None) -> None:
    refusal = group_refusal({**GROUP, **change})
    assert (refusal is None) if words is None else (refusal is not None and words in refusal)
    assert refusal is None or "'Emergency access'" in refusal


def test_a_group_of_no_known_kind_is_not_judged() -> None:
    with pytest.raises(UnexpectedShape, match="'groupTypes'"):
        group_refusal({**GROUP, "groupTypes": None})


@pytest.mark.parametrize(("restricted", "kind", "words"), [
    (True, None, None), (True, "Assigned", None), (True, "Dynamic", "rule"), (False, None, "protects nothing"),
    (None, None, "protects nothing"),
])  # fmt: skip
def test_administrative_units(restricted: Any, kind: Any, words: str | None) -> None:
    unit = {"displayName": "Emergency", "isMemberManagementRestricted": restricted, "membershipType": kind}
    refusal = unit_refusal(unit)
    assert (refusal is None) if words is None else (refusal is not None and words in refusal)
    assert refusal is None or "'Emergency'" in refusal


def test_a_deleted_user_is_known_by_the_name_of_before() -> None:
    name = f"emergency1@{INITIAL}"
    renamed = {"id": ACCOUNT, "userPrincipalName": ACCOUNT.replace("-", "") + name.upper()}
    assert was_called(renamed, name)
    assert was_called({"id": ACCOUNT, "userPrincipalName": name}, name)
    assert not was_called({"id": OTHER, "userPrincipalName": renamed["userPrincipalName"]}, name)
    assert not was_called(renamed, f"1@{INITIAL}")


def assignment(principal: str = ACCOUNT, scope: str = "/", name: str = "a@x", kind: str = "user") -> dict[str, Any]:
    shown = {"@odata.type": f"#microsoft.graph.{kind}", "id": principal, "userPrincipalName": name}
    role = {"roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": scope}
    return {**role, "principalId": principal, "principal": shown}


def instance(kind: str = "Assigned", end: str | None = None, member: str = "Direct", **change: Any) -> dict[str, Any]:
    base = {"principalId": ACCOUNT.upper(), "directoryScopeId": "/", "memberType": member}
    return {**base, "assignmentType": kind, "endDateTime": end, **change}


ELIGIBLE = {"principalId": ACCOUNT, "directoryScopeId": "/"}
END = "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("assignments", "active", "eligible", "expected"),
    [
        ([], [], [], ("none", "read")),
        ([assignment(OTHER)], [instance(principalId=OTHER)], [], ("none", "read")),
        ([assignment()], [instance()], [], ("permanent", "read")),
        ([assignment()], [], [], ("permanent", "inferred")),
        ([assignment()], [instance(end=END)], [], ("time_bound", "read")),
        ([assignment()], [instance(end=END), instance()], [], ("permanent", "read")),
        ([assignment()], [instance("Activated", END)], [ELIGIBLE], ("time_bound", "read")),
        ([assignment()], [instance("Activated")], [ELIGIBLE], ("time_bound", "read")),
        ([], [], [ELIGIBLE], ("eligible", "read")),
        ([], [instance()], [], ("time_bound", "read")),
        ([], [instance(member="Group")], [], ("none", "read")),
        ([assignment(scope="/administrativeUnits/x")], [], [], ("none", "read")),
        ([], [], [{**ELIGIBLE, "directoryScopeId": "/administrativeUnits/x"}], ("none", "read")),
    ],
)
def test_how_an_account_is_global_administrator(
    assignments: list[Any], active: list[Any], eligible: list[Any], expected: tuple[str, str]
) -> None:
    assert GlobalAdministrators(assignments, active, eligible).standing_of(ACCOUNT) == expected


@pytest.mark.parametrize(("assignments", "expected"), [([], "none"), ([assignment()], "permanent")])
def test_without_schedules_it_is_inferred(assignments: list[Any], expected: str) -> None:
    assert GlobalAdministrators(assignments, schedules=False).standing_of(ACCOUNT) == (expected, "inferred")


def test_of_the_holders_only_users_for_the_whole_tenant_count() -> None:
    found = GlobalAdministrators(
        [
            assignment(),
            assignment(OTHER, kind="servicePrincipal"),
            assignment("g", kind="group"),
            assignment("u", scope="/administrativeUnits/x"),
            {**assignment("gone"), "principal": None},
            assignment("another", name="b@x"),
        ]
    )
    assert found.users() == {ACCOUNT: "a@x", "another": "b@x"}


USER = {
    "accountEnabled": True,
    "onPremisesSyncEnabled": None,
    "userType": "Member",
    "userPrincipalName": f"a@{INITIAL}",
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"accountEnabled": False}, False),
        ({"onPremisesSyncEnabled": True}, False),
        ({"userType": "Guest"}, False),
        ({"userPrincipalName": "a@Federated.example"}, False),
        ({"userPrincipalName": "a@b@federated.example"}, False),
    ],
)
def test_who_can_sign_in_without_help(change: dict[str, Any], expected: bool) -> None:
    assert can_sign_in_without_help({**USER, **change}, ["federated.example"]) == expected


UNIT = {"displayName": "Emergency", "isMemberManagementRestricted": True, "membershipType": None}
DELETED = {"id": ACCOUNT, "userPrincipalName": f"a@{INITIAL}"}
JUDGES: list[tuple[Any, Callable[[Any], Any]]] = [
    (USER, lambda user: can_sign_in_without_help(user, [])),
    (GROUP, group_refusal),
    (UNIT, unit_refusal),
    (DELETED, lambda user: was_called(user, "x")),
    (assignment(), lambda item: GlobalAdministrators([item]).standing_of(ACCOUNT)),
    (assignment(), lambda item: GlobalAdministrators([item]).users()),
    (instance(), lambda item: GlobalAdministrators([assignment()], [item]).standing_of(ACCOUNT)),
    (ELIGIBLE, lambda item: GlobalAdministrators([], [], [item]).standing_of(ACCOUNT)),
]


@given(st.data())
def test_a_broken_answer_is_judged_or_unexpected(data: st.DataObject) -> None:
    document, judge = data.draw(st.sampled_from(JUDGES))
    place = data.draw(st.sampled_from(list(places(document))))
    broken = data.draw(st.sampled_from([removed(document, place), replaced(document, place, data.draw(json_values))]))
    with contextlib.suppress(UnexpectedShape):
        judge(broken)
