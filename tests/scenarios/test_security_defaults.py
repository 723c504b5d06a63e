# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios 1 to 10: security defaults, and what excludes them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    DEFAULTS,
    DEFAULTS_ARE_ON,
    DISABLED,
    ENABLED,
    LOCATIONS,
    MFA_FOR_ALL,
    POLICIES,
    REPORT_ONLY,
    USERS,
    advance,
    assume,
    defaults_are_on,
    refused,
    set_defaults,
    under,
    user_named,
    without_enabled_policies,
    write_policy,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Client

SCOPES_MISSING = "You cannot perform the requested operation, required scopes are missing in the token."


@under("security_defaults_same_value")
def test_scenario_01_security_defaults_are_switched(greenfield: Client, security_defaults_same_value: str) -> None:
    assume(greenfield, security_defaults_same_value=security_defaults_same_value)
    for wanted in (True, False):
        answer = set_defaults(greenfield, wanted)
        assert (answer.status, answer.content) == (204, b"")
        assert set_defaults(greenfield, wanted).status == int(security_defaults_same_value)
        assert defaults_are_on(greenfield) is wanted


def test_scenario_02_writing_defaults_takes_two_permissions(greenfield: Client) -> None:
    for granted in ("Policy.ReadWrite.SecurityDefaults", "Policy.Read.All"):
        greenfield.grant(granted)
        assert refused(set_defaults(greenfield, True), 403, "AccessDenied") == SCOPES_MISSING
    for write in ("Policy.ReadWrite.SecurityDefaults", "Policy.ReadWrite.ConditionalAccess"):
        greenfield.grant("Policy.Read.All", write)
        assert set_defaults(greenfield, True).status == 204


def with_defaults_on(client: Client) -> Client:
    """The same tenant, its policies disabled and security defaults on."""
    assert set_defaults(without_enabled_policies(client), True).status == 204
    return client


def test_scenario_03_defaults_keep_policies_from_being_enabled(business: Client) -> None:
    with_defaults_on(business)
    assert refused(write_policy(business, state=ENABLED), 400, "BadRequest") == DEFAULTS_ARE_ON
    policy = write_policy(business, state=REPORT_ONLY).body["id"]
    patched = business.call("PATCH", f"{POLICIES}/{policy}", {"state": ENABLED})
    assert refused(patched, 400, "BadRequest") == DEFAULTS_ARE_ON
    assert {item["state"] for item in business.get(POLICIES).value} == {DISABLED, REPORT_ONLY}


@under("disabled_policy_under_security_defaults")
def test_scenario_04_other_states_are_accepted(business: Client, disabled_policy_under_security_defaults: str) -> None:
    with_defaults_on(business)
    assume(business, disabled_policy_under_security_defaults=disabled_policy_under_security_defaults)
    assert write_policy(business, state=REPORT_ONLY).status == 201
    accepted = disabled_policy_under_security_defaults == "accepted"
    assert write_policy(business, state=DISABLED).status == (201 if accepted else 400)


@under("security_defaults_blocked_answer")
@under("security_defaults_blocked_by")
def test_scenario_05_policies_keep_defaults_off(
    business: Client, security_defaults_blocked_by: str, security_defaults_blocked_answer: str
) -> None:
    assume(
        business,
        security_defaults_blocked_by=security_defaults_blocked_by,
        security_defaults_blocked_answer=security_defaults_blocked_answer,
    )

    def try_to_enable(blocked: bool) -> None:
        answer = set_defaults(business, True)
        if blocked and security_defaults_blocked_answer != "ignored":
            code = {"400": "BadRequest", "403": "AccessDenied"}[security_defaults_blocked_answer]
            assert "Conditional Access" in refused(answer, int(security_defaults_blocked_answer), code)
        else:
            assert answer.status == 204
        assert defaults_are_on(business) is not blocked

    try_to_enable(security_defaults_blocked_by != "nothing")
    if security_defaults_blocked_by == "nothing":
        return
    without_enabled_policies(business)
    try_to_enable(security_defaults_blocked_by == "any")


@under("security_defaults_hidden_blocker")
def test_scenario_06_other_policies_keep_defaults_off(
    greenfield: Client, locked: Client, security_defaults_hidden_blocker: str
) -> None:
    words = {"classic": "Classic policies", "identityProtection": "Identity Protection policies"}
    assume(greenfield, security_defaults_hidden_blocker=security_defaults_hidden_blocker)
    answer = set_defaults(greenfield, True)
    if security_defaults_hidden_blocker in words:
        assert words[security_defaults_hidden_blocker] in refused(answer, 400, "BadRequest")
    else:
        assert answer.status == 204
    assert greenfield.get(POLICIES).value == [], "nothing that Graph shows tells why"


@under("managed_policy_refusal")
@under("managed_policies_after_security_defaults")
def test_scenario_07_managed_policies_take_the_place_of_defaults(
    business: Client, managed_policies_after_security_defaults: str, managed_policy_refusal: str
) -> None:
    state = managed_policies_after_security_defaults
    assume(business, managed_policies_after_security_defaults=state, managed_policy_refusal=managed_policy_refusal)
    with_defaults_on(business)
    before = [policy["id"] for policy in business.get(POLICIES).value]
    for wanted in (False, True, False):
        # With managed policies that are enabled, defaults do not come back by themselves.
        set_defaults(business, wanted)
    managed = [policy for policy in business.get(POLICIES).value if policy["id"] not in before]
    if state == "none":
        assert managed == []
        return
    assert len(managed) == 4
    assert {policy["state"] for policy in managed} == {state}
    assert len({policy["displayName"] for policy in managed}) == 4
    blocking = [policy for policy in managed if policy["grantControls"]["builtInControls"] == ["block"]]
    assert [policy["conditions"]["clientAppTypes"] for policy in blocking] == [["exchangeActiveSync", "other"]]

    address = f"{POLICIES}/{managed[0]['id']}"
    users = managed[0]["conditions"]["users"]
    person = user_named(business, "Emma Peeters")
    allowed: list[dict[str, Any]] = [
        {"state": DISABLED},
        {"conditions": {"users": {**users, "excludeUsers": [person]}}},
        {"displayName": managed[0]["displayName"], "state": REPORT_ONLY},
    ]
    for body in allowed:
        assert business.call("PATCH", address, body).status == 204
    forbidden: list[tuple[str, Any]] = [
        ("DELETE", None),
        ("PATCH", {"displayName": "Ours now"}),
        ("PATCH", {"grantControls": MFA_FOR_ALL["grantControls"]}),
        ("PATCH", {"conditions": {"users": {**users, "includeUsers": [person]}}}),
    ]
    shown = business.get(address).body
    for method, change in forbidden:
        assert business.call(method, address, change).status == int(managed_policy_refusal)
    assert business.get(address).body == shown


def test_scenario_08_only_beta_announces_automatic_enabling(legacy: Client) -> None:
    assert "securityDefaultsUpsell" not in legacy.get(f"/v1.0{DEFAULTS}").body
    upsell = legacy.get(f"/beta{DEFAULTS}").body["securityDefaultsUpsell"]
    assert upsell["action"] == "autoEnabledNotify"
    assert upsell["dueDateTime"].endswith("Z")


@under("security_defaults_block_device_code")
def test_scenario_09_nobody_signs_in_by_device_code(
    greenfield: Client, legacy: Client, security_defaults_block_device_code: str
) -> None:
    """Of the two tenants, only the first was made after 1 July 2026. Entra's code for it is not simulated."""
    for client, new in ((greenfield, True), (legacy, False)):
        assume(client, security_defaults_block_device_code=security_defaults_block_device_code)
        user = client.get(f"{USERS}?$filter=userType eq 'Member'&$select=id&$top=1").value[0]["id"]
        attempt = {"user_id": user, "application": "MicrosoftGraph", "flow": "deviceCode"}
        assert client.admin("POST", "/sign_in", attempt).body["sign_in"] != "no"
        assert set_defaults(client, True).status == 204
        blocked = new or security_defaults_block_device_code == "always"
        answer = client.admin("POST", "/sign_in", attempt).body
        assert (answer["sign_in"] == "no") is blocked, answer
        assert client.admin("POST", "/sign_in", {**attempt, "flow": "interactive"}).body["sign_in"] != "no"


@under("security_defaults_off_after_seconds")
def test_scenario_10_defaults_go_off_with_a_delay(business: Client, security_defaults_off_after_seconds: str) -> None:
    seconds = int(security_defaults_off_after_seconds)
    assume(business, security_defaults_off_after_seconds=security_defaults_off_after_seconds)
    with_defaults_on(business)
    assert set_defaults(business, False).status == 204
    if seconds:
        assert not defaults_are_on(business)
        assert refused(write_policy(business, state=ENABLED), 400, "BadRequest") == DEFAULTS_ARE_ON
        advance(business, seconds)
    assert write_policy(business, state=ENABLED).status == 201


def test_locations_are_no_policies(greenfield: Client) -> None:
    assert greenfield.get(LOCATIONS).status == 200
    assert set_defaults(greenfield, True).status == 204


@pytest.mark.parametrize("scenario", ["greenfield", "legacy"])
def test_free_tenants_get_no_managed_policies(simulate: Any, scenario: str) -> None:
    client = simulate(scenario)
    for wanted in (True, False):
        assert set_defaults(client, wanted).status == 204
    assert client.get(POLICIES).value == []
