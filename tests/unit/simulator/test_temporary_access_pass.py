# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary Access Passes beside scenario 38, and the methods of a user by type."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    NOBODY,
    REGISTRATIONS,
    USERS,
    add_to_unit,
    advance,
    configure,
    new_unit,
    passes_of,
    refused,
    user_named,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Client
from m365_simulator.clock import to_stamp

EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"


def create(client: Client, person: str, **body: Any) -> dict[str, Any]:
    answer = client.call("POST", passes_of(person), body)
    assert answer.status == 201, answer.content
    found: dict[str, Any] = answer.body
    return found


def only_pass(client: Client, person: str) -> dict[str, Any]:
    (found,) = client.get(passes_of(person)).value
    return found


def sign_in(client: Client, person: str, *methods: str) -> str:
    attempt = {"user_id": person, "application": EXCHANGE, "methods": list(methods)}
    return str(client.admin("POST", "/sign_in", attempt).body["sign_in"])


@pytest.fixture
def person(business: Client) -> str:
    configure(business, "TemporaryAccessPass", isUsableOnce=False)
    return user_named(business, "Daan Mulder")


def test_a_new_pass_replaces_the_one_before(business: Client, person: str) -> None:
    first, second = create(business, person), create(business, person)
    assert first["id"] != second["id"]
    assert first["temporaryAccessPass"] != second["temporaryAccessPass"]
    assert only_pass(business, person)["id"] == second["id"]
    refused(business.get(f"{passes_of(person)}/{first['id']}"), 404, "resourceNotFound")
    assert business.get(f"{passes_of(person)}/{second['id']}").body["id"] == second["id"]


def test_what_is_left_out_is_as_the_policy_says(business: Client, person: str) -> None:
    changes: dict[str, Any] = {"defaultLifetimeInMinutes": 90, "defaultLength": 24, "isUsableOnce": True}
    configure(business, "TemporaryAccessPass", **changes)
    made = create(business, person)
    assert (made["lifetimeInMinutes"], made["isUsableOnce"], len(made["temporaryAccessPass"])) == (90, True, 24)


@pytest.mark.parametrize(
    "body",
    [
        {"lifetimeInMinutes": 5},
        {"lifetimeInMinutes": 43200},
        {"lifetimeInMinutes": "60"},
        {"lifetimeInMinutes": True},
        {"isUsableOnce": "yes"},
        {"startDateTime": "tomorrow"},
        {"unheard": 1},
    ],
)
def test_what_the_policy_does_not_allow_is_refused(business: Client, person: str, body: dict[str, Any]) -> None:
    refused(business.call("POST", passes_of(person), body), 400, "BadRequest")
    assert business.get(passes_of(person)).value == []


def test_a_policy_of_one_time_passes_refuses_others(business: Client, person: str) -> None:
    configure(business, "TemporaryAccessPass", isUsableOnce=True)
    refused(business.call("POST", passes_of(person), {"isUsableOnce": False}), 400, "BadRequest")


def test_a_pass_begins_and_ends(business: Client, person: str) -> None:
    start = to_stamp(business.simulation.clock.now() + 600)
    create(business, person, startDateTime=start, lifetimeInMinutes=60)
    shown = []
    for seconds in (0, 601, 3600):
        advance(business, seconds)
        found = only_pass(business, person)
        registered = business.get(f"{REGISTRATIONS}/{person}").body["methodsRegistered"]
        shown.append((found["isUsable"], found["methodUsabilityReason"], "temporaryAccessPass" in registered))
        assert sign_in(business, person, "temporaryAccessPass") == ("yes_after_mfa" if found["isUsable"] else "no")
    assert shown == [
        (False, "NotYetValid", False),
        (True, "EnabledByPolicy", True),
        (False, "Expired", False),
    ]


def test_a_pass_that_the_policy_forgot_is_of_no_use(business: Client, person: str) -> None:
    create(business, person)
    configure(business, "TemporaryAccessPass", state="disabled")
    assert only_pass(business, person)["methodUsabilityReason"] == "DisabledByPolicy"
    assert sign_in(business, person, "temporaryAccessPass") == "no"


def test_a_pass_is_deleted(business: Client, person: str) -> None:
    made = create(business, person)
    refused(business.call("DELETE", f"{passes_of(person)}/{NOBODY}"), 404, "resourceNotFound")
    assert business.call("DELETE", f"{passes_of(person)}/{made['id']}").status == 204
    assert business.get(passes_of(person)).value == []
    refused(business.call("POST", passes_of(NOBODY), {}), 404, "Request_ResourceNotFound")


def test_a_pass_is_among_the_methods_and_in_the_audit_log(business: Client, person: str) -> None:
    made = create(business, person)
    methods = business.get(f"{USERS}/{person}/authentication/methods").value
    assert made["id"] in [
        method["id"]
        for method in methods
        if method["@odata.type"] == "#microsoft.graph.temporaryAccessPassAuthenticationMethod"
    ]
    log = business.get(f"/v1.0/auditLogs/directoryAudits?$filter=targetResources/any(t: t/id eq '{person}')").value
    assert "Admin registered temporary access pass method for user" in [entry["activityDisplayName"] for entry in log]


def test_a_restricted_unit_keeps_passes_out(business: Client, person: str) -> None:
    add_to_unit(business, new_unit(business, isMemberManagementRestricted=True), person)
    refused(business.call("POST", passes_of(person), {}), 403, "Authorization_RequestDenied")


def test_a_permission_for_one_method_is_for_that_method(business: Client, person: str) -> None:
    business.grant("UserAuthMethod-TAP.ReadWrite.All")
    assert business.call("POST", passes_of(person), {}).status == 201
    refused(business.get(f"{USERS}/{person}/authentication/phoneMethods"), 403, "AccessDenied")
    business.grant("UserAuthMethod-TAP.Read.All")
    assert business.get(passes_of(person)).status == 200
    refused(business.call("POST", passes_of(person), {}), 403, "AccessDenied")


def test_methods_are_listed_by_type(business: Client) -> None:
    emma = user_named(business, "Emma Peeters")
    counts = {
        name: len(business.get(f"{USERS}/{emma}/authentication/{name}").value)
        for name in ("passwordMethods", "microsoftAuthenticatorMethods", "phoneMethods", "softwareOathMethods")
    }
    assert counts == {
        "passwordMethods": 1,
        "microsoftAuthenticatorMethods": 1,
        "phoneMethods": 0,
        "softwareOathMethods": 0,
    }
    refused(business.get(f"{USERS}/{NOBODY}/authentication/phoneMethods"), 404, "Request_ResourceNotFound")
