# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates that are bound to a user."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    USERS,
    give_role,
    new_user,
    refused,
    user_named,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Answer, Client

NAME = "X509:<PN>ada@contoso.example"
EVERY_PATTERN = [
    NAME,
    "X509:<RFC822>ada@contoso.example",
    "X509:<I>DC=com,DC=contoso,CN=CA<S>DC=com,CN=ada",
    "X509:<S>DC=com,CN=ada",
    "X509:<SKI>aB1cD2eF3gH4iJ5kL6-mN7oP8qR",
    "X509:<SHA1-PUKEY>aB1cD2eF3gH4iJ5kL6-mN7oP8qR",
    "X509:<I>DC=com,CN=CA<SR>b24134139f069b49997212a86ba0ef48",
]


def bind(client: Client, person: str, ids: Any) -> Answer:
    return client.call("PATCH", f"{USERS}/{person}", {"authorizationInfo": {"certificateUserIds": ids}})


def bound(client: Client, person: str) -> Any:
    return client.get(f"{USERS}/{person}?$select=id,authorizationInfo").body["authorizationInfo"]


def test_a_binding_is_written_read_and_taken_away(greenfield: Client) -> None:
    person = user_named(greenfield, "Omar Haddad")
    assert "authorizationInfo" not in greenfield.get(f"{USERS}/{person}").body
    for ids in (EVERY_PATTERN, [NAME], []):
        assert bind(greenfield, person, ids).status == 204
        assert bound(greenfield, person) == {"certificateUserIds": ids}


@pytest.mark.parametrize(
    "ids",
    [
        ["ada@contoso.example"],
        ["X509:<XX>ada"],
        ["X509:<PN>"],
        [3],
        "X509:<PN>ada",
        [NAME, NAME],
        [f"X509:<PN>{number}" for number in range(11)],
        ["X509:<PN>" + "a" * 1024],
    ],
)
def test_what_binds_nothing_is_refused(greenfield: Client, ids: Any) -> None:
    person = user_named(greenfield, "Omar Haddad")
    bind(greenfield, person, [NAME])
    refused(bind(greenfield, person, ids), 400, "Request_BadRequest")
    assert bound(greenfield, person) == {"certificateUserIds": [NAME]}


def test_a_certificate_is_one_users(greenfield: Client) -> None:
    person, other = user_named(greenfield, "Omar Haddad"), str(new_user(greenfield).body["id"])
    assert bind(greenfield, person, [NAME]).status == 204
    assert bind(greenfield, person, [NAME, EVERY_PATTERN[1]]).status == 204, "its own is no other's"
    assert "already exists" in refused(bind(greenfield, other, [NAME]), 400, "Request_BadRequest")


def test_an_administrators_binding_takes_a_role(greenfield: Client) -> None:
    administrator = user_named(greenfield, "Lena Fischer")
    refused(bind(greenfield, administrator, [NAME]), 403, "Authorization_RequestDenied")
    give_role(greenfield, greenfield.tenant.application.object_id, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR)
    assert bind(greenfield, administrator, [NAME]).status == 204


def test_no_method_of_the_user_shows_it(greenfield: Client) -> None:
    person = user_named(greenfield, "Omar Haddad")
    before = greenfield.get(f"{USERS}/{person}/authentication/methods").value
    bind(greenfield, person, [NAME])
    assert greenfield.get(f"{USERS}/{person}/authentication/methods").value == before
