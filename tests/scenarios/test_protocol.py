# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios 29, 30 and 51 to 60: what holds for all of Graph, and for signing in."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    ASSIGNMENTS,
    CONFIGURATIONS,
    DEFAULTS,
    EVENTUAL,
    GLOBAL_ADMINISTRATOR,
    GRAPH_URL,
    METHODS,
    POLICIES,
    REGISTRATIONS,
    USERS,
    advance,
    assume,
    give_role,
    new_user,
    refused,
    under,
    user_named,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Answer, Client

NOT_SUPPORTED = "Request_UnsupportedQuery"
BATCH = "/v1.0/$batch"


def strike(client: Client, **fault: Any) -> None:
    assert client.admin("POST", "/faults", fault).status == 200


def test_scenario_29_what_was_just_made_may_be_missing(greenfield: Client) -> None:
    strike(greenfield, kind="late_visibility", path="/users$", seconds=10)
    made = new_user(greenfield)
    assert made.status == 201
    user = made.body["id"]
    refused(greenfield.get(f"{USERS}/{user}"), 404, "Request_ResourceNotFound")
    assert user not in [item["id"] for item in greenfield.get(f"{USERS}?$top=999").value]
    assert give_role(greenfield, user, GLOBAL_ADMINISTRATOR).status in (400, 404)
    advance(greenfield, 11)
    assert greenfield.get(f"{USERS}/{user}").status == 200
    assert user in [item["id"] for item in greenfield.get(f"{USERS}?$top=999").value]
    assert give_role(greenfield, user, GLOBAL_ADMINISTRATOR).status == 201


def test_scenario_30_what_was_just_changed_may_be_read_as_before(greenfield: Client) -> None:
    user = user_named(greenfield, "Omar Haddad")
    strike(greenfield, kind="stale", path="/users/", seconds=10)
    assert greenfield.call("PATCH", f"{USERS}/{user}", {"jobTitle": "Director"}).status == 204

    def titles() -> set[str]:
        one = greenfield.get(f"{USERS}/{user}?$select=jobTitle")
        listed = {item["id"]: item["jobTitle"] for item in greenfield.get(f"{USERS}?$select=id,jobTitle").value}
        assert one.status == 200
        return {one.body["jobTitle"], listed[user]}

    assert titles() == {"Account manager"}
    advance(greenfield, 11)
    assert titles() == {"Director"}


def test_scenario_51_advanced_queries_need_a_header(greenfield: Client) -> None:
    message = refused(greenfield.get(f"{USERS}/$count"), 400, "Request_BadRequest")
    assert message == "$count is not currently supported."
    assert greenfield.get(f"{USERS}/$count", headers=EVENTUAL).content == b"6"
    assert "@odata.count" not in greenfield.get(f"{USERS}?$count=true").body
    for query in (
        "$filter=department ne 'Sales'",
        "$filter=endsWith(mail,'x')",
        "$filter=department eq 'Sales'&$orderby=displayName",
    ):
        refused(greenfield.get(f"{USERS}?{query}"), 400, NOT_SUPPORTED)
        assert greenfield.get(f"{USERS}?{query}&$count=true", headers=EVENTUAL).status == 200


def test_scenario_52_next_links_are_followed_as_they_stand(business: Client) -> None:
    path = f"{USERS}?$select=id&$count=true&$top=3&$filter=department ne 'Sales'"
    whole = business.get(path.replace("$top=3", "$top=999"), headers=EVENTUAL)
    first = business.get(path, headers=EVENTUAL)
    assert first.body["@odata.count"] == len(whole.value) > 3
    link = first.body["@odata.nextLink"].removeprefix(GRAPH_URL)
    refused(business.get(link), 400, NOT_SUPPORTED)
    second = business.get(link, headers=EVENTUAL)
    assert "@odata.count" not in second.body
    assert [user["id"] for user in first.value + second.value] == [user["id"] for user in whole.value][:6]
    broken = business.get(link.replace("$skiptoken=", "$skiptoken=x"), headers=EVENTUAL)
    assert broken.status == 400


def batch(client: Client, *requests: dict[str, Any]) -> Answer:
    numbered = [{"id": str(number), "method": "GET", **request} for number, request in enumerate(requests)]
    return client.call("POST", BATCH, {"requests": numbered})


def test_scenario_53_batches(greenfield: Client) -> None:
    one = {"url": "/organization"}
    assert batch(greenfield, *[one] * 21).status == 400
    full = batch(greenfield, *[one] * 20)
    assert full.status == 200
    ids = [item["id"] for item in full.body["responses"]]
    assert sorted(ids) == sorted(str(number) for number in range(20)) != ids, "in any order"

    strike(greenfield, path="/v1.0/domains", status=429, retry_after="7")
    found = {
        item["id"]: item
        for item in batch(
            greenfield,
            {"url": "/domains"},
            {"url": "/organization", "dependsOn": ["0"]},
            {"url": f"{GRAPH_URL}/v1.0/organization"},
            {"url": "/$batch", "method": "POST", "body": {"requests": []}, "headers": {"Content-Type": "a/json"}},
            {"url": "/subscribedSkus"},
        ).body["responses"]
    }
    assert [found[str(number)]["status"] for number in range(5)] == [429, 424, 400, 400, 200]
    assert found["0"]["headers"]["Retry-After"] == "7"


def test_scenario_54_throttling_differs_by_area(business: Client) -> None:
    assert business.admin("POST", "/faults/plan", {"throttling": True}).status == 200

    def until_throttled(path: str) -> tuple[int, Answer]:
        for passed in range(10_000):
            answer = business.get(path)
            if answer.status == 429:
                return passed, answer
        raise AssertionError("nothing was throttled")

    passed, answer = until_throttled(POLICIES)
    assert passed < 5
    assert answer.code == "TooManyRequests"
    assert "retry-after" not in answer.headers
    passed, answer = until_throttled(REGISTRATIONS)
    assert passed <= 6
    assert int(answer.headers["retry-after"]) >= 0
    shown = business.get(f"{USERS}?$select=id")
    assert shown.status == 200, "every area has its own limit"
    assert int(shown.headers["x-ms-resource-unit"]) >= 1

    # Published: 5,000 units per 10 seconds for 50 to 500 users. Set lower, so that it is reached in a test.
    limits = {"throttling": True, "limits": {"directory": 20}}
    assert business.admin("POST", "/faults/plan", limits).status == 200
    passed, answer = until_throttled(USERS)
    assert passed <= 20
    assert "." in answer.headers["retry-after"]
    assert answer.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert business.tenant.id in answer.headers["x-ms-throttle-scope"]


@pytest.mark.parametrize("status", [500, 503, 504])
def test_scenario_55_transient_errors_have_no_message(greenfield: Client, status: int) -> None:
    strike(greenfield, path="/users", status=status)
    assert refused(greenfield.get(USERS), status, "UnknownError") == ""
    assert greenfield.get(USERS).status == 200


def test_scenario_56_errors_are_spelt_in_different_ways(greenfield: Client) -> None:
    spelt = {
        name
        for path in (REGISTRATIONS, f"{USERS}/nobody")
        for name in greenfield.get(path).body["error"]
        if name.lower() == "innererror"
    }
    assert spelt == {"innererror", "innerError"}


def codes(answer: Answer) -> list[int]:
    body = answer.body
    assert {"error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id"} <= set(body)
    assert body["error_description"].startswith(f"AADSTS{body['error_codes'][0]}: ")
    return list(body["error_codes"])


def test_scenario_58_sign_in_refuses_with_entras_codes(greenfield: Client) -> None:
    wrong = greenfield.sign_in(client_secret="wrong")
    assert (wrong.status, codes(wrong)) == (401, [7000215])
    nothing = greenfield.sign_in(client_secret=None)
    assert (nothing.status, codes(nothing)) == (401, [7000218])
    stranger = greenfield.sign_in(client_id="11111111-2222-4333-8444-555555555555")
    assert (stranger.status, codes(stranger)) == (400, [700016])
    nowhere = greenfield.sign_in(tenant="11111111-2222-4333-8444-555555555555")
    assert (nowhere.status, codes(nowhere)) == (400, [90002])
    greenfield.admin("POST", "/application", {"secret_valid_days": -1})
    expired = greenfield.sign_in()
    assert (expired.status, codes(expired)) == (401, [7000222])


@under("permission_takes_effect")
def test_scenario_59_tokens_keep_the_permissions_of_their_birth(
    greenfield: Client, permission_takes_effect: str
) -> None:
    assume(greenfield, permission_takes_effect=permission_takes_effect)
    greenfield.grant("Organization.Read.All")
    token = greenfield.token()
    assert greenfield.get(USERS, token=token).status == 403
    greenfield.grant("User.Read.All")
    new_token = greenfield.token()
    at_once = permission_takes_effect == "at_once"
    assert greenfield.get(USERS, token=token).status == (200 if at_once else 403)
    assert greenfield.get("/v1.0/organization", token=token).status == (403 if at_once else 200)
    assert greenfield.get(USERS, token=new_token).status == 200


def test_scenario_60_answers_carry_annotations(greenfield: Client) -> None:
    assert "@microsoft.graph.tips" in greenfield.get(f"/v1.0{DEFAULTS}").body
    for path in (METHODS, f"{CONFIGURATIONS}/Sms"):
        text = greenfield.get(f"/v1.0{path}").content
        assert b'"includeTargets@odata.context"' in text
    assert greenfield.get(ASSIGNMENTS).status == 200
