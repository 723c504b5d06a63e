# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Graph's published limits: what a request costs, and what passes."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m365_simulator.clock import Clock, Pace
from m365_simulator.faults.throttling import (
    CONDITIONAL_ACCESS,
    DIRECTORY,
    LIMITS,
    REPORTS,
    WRITES,
    Bucket,
    Throttle,
    charges,
    resource_units,
)

POLICIES = "/v1.0/identity/conditionalAccess/policies"
DETAILS = "/v1.0/reports/authenticationMethods/userRegistrationDetails"
DEFAULTS = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"


@pytest.fixture(autouse=True)
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated time passes only where a test moves the clock, however slow the machine is."""
    monkeypatch.setattr(Pace, "now", lambda pace: pace._clock.offset)


def load(client: Any, **plan: Any) -> None:
    answer = client.admin("POST", "/faults/plan", plan)
    assert answer.status == 200, answer.body


def advance(client: Any, seconds: float) -> None:
    token = client.kept_token
    client.admin("POST", "/clock", {"advance_seconds": seconds})
    client.kept_token = token


# Costs


@pytest.mark.parametrize(
    ("method", "path", "options", "cost"),
    [
        ("GET", "users", {}, 2),
        ("GET", "users", {"$select": "id"}, 1),
        ("GET", "users", {"$top": "19"}, 1),
        ("GET", "users", {"$top": "20"}, 2),
        ("GET", "users", {"$top": "5", "$select": "id"}, 1),
        ("GET", "users", {"$expand": "manager"}, 3),
        ("GET", "users/1", {}, 1),
        ("GET", "users/1/memberof", {}, 2),
        ("GET", "groups/1/members", {}, 3),
        ("GET", "groups/1/members", {"$select": "id", "$top": "10"}, 1),
        ("GET", "groups/1/transitivemembers", {"$expand": "x"}, 6),
        ("GET", "subscribedskus", {}, 3),
        ("GET", "applications", {}, 2),
        ("POST", "directoryobjects/getbyids", {}, 3),
        ("POST", "users/1/checkmembergroups", {}, 4),
        ("GET", "organization", {"$select": "id"}, 1),
        ("PATCH", "users/1", {}, 1),
        ("DELETE", "groups/1", {}, 1),
    ],
)
def test_what_a_request_costs(method: str, path: str, options: dict[str, str], cost: int) -> None:
    assert resource_units(method, path.split("/"), options) == cost


@pytest.mark.parametrize(
    ("method", "path", "charged"),
    [
        ("GET", "users", [(DIRECTORY, 2)]),
        ("POST", "users", [(DIRECTORY, 1), (WRITES, 1)]),
        ("POST", "directoryobjects/getbyids", [(DIRECTORY, 3)]),
        ("PATCH", "identity/conditionalaccess/policies/1", [(CONDITIONAL_ACCESS, 1)]),
        ("GET", "identityprotection/riskyusers", [(CONDITIONAL_ACCESS, 1)]),
        ("GET", "auditlogs/signins", [(REPORTS, 1)]),
        ("GET", "reports/authenticationmethods/userregistrationdetails", [(REPORTS, 1)]),
    ],
)
def test_which_limits_a_request_counts_against(method: str, path: str, charged: list[tuple[str, int]]) -> None:
    assert charges(method, path.split("/"), {}) == charged


def test_the_cost_is_told_even_without_limits(legacy: Any) -> None:
    for path, cost in (("/v1.0/users", "2"), ("/v1.0/users?$select=id", "1"), ("/v1.0/subscribedSkus", "3")):
        assert legacy.get(path).headers["x-ms-resource-unit"] == cost


# Buckets


@given(
    st.integers(6, 30),
    st.sampled_from([1.0, 10.0, 150.0]),
    st.lists(st.tuples(st.floats(0, 20), st.integers(1, 6), st.booleans()), max_size=60),
)
def test_never_more_than_the_limit_passes_in_any_span(
    amount: int, seconds: float, asked: list[tuple[float, int, bool]]
) -> None:
    bucket, now = Bucket(amount, seconds), 0.0
    passed: list[tuple[float, int]] = []
    for pause, cost, patient in asked:
        now += pause
        wait = bucket.wait(now, cost)
        if wait > 0 and patient:
            now = math.nextafter(now + wait, math.inf)
            wait = bucket.wait(now, cost)
            assert wait == 0, "whoever waits as long as told may pass"
        if wait == 0:
            bucket.take(now, cost)
            passed.append((now, cost))
    for start, _unused in passed:
        assert sum(cost for at, cost in passed if start <= at < start + seconds) <= amount


@given(st.integers(6, 30), st.lists(st.integers(1, 6), max_size=40))
def test_nothing_is_refused_below_the_limit(amount: int, costs: list[int]) -> None:
    bucket, taken = Bucket(amount, 10), 0
    for cost in costs:
        fits = taken + cost <= amount
        assert (bucket.wait(0, cost) == 0) is fits
        if fits:
            bucket.take(0, cost)
            taken += cost
            assert bucket.used() == taken / amount


def test_no_request_costs_more_than_the_lowest_limit() -> None:
    highest = max(resource_units("GET", ["groups", "1", "transitivemembers"], {"$expand": "x"}), 4)
    assert LIMITS[DIRECTORY].lowest == highest


# The limits in force


def test_off_by_default(greenfield: Any) -> None:
    assert {greenfield.get(POLICIES).status for _unused in range(5)} == {200}


def test_the_directory_refuses_with_decimal_seconds(legacy: Any) -> None:
    load(legacy, limits={"directory": 10})
    answers = [legacy.get("/v1.0/users?$select=id&$top=20") for _unused in range(12)]
    assert [answer.status for answer in answers] == [200] * 10 + [429] * 2
    told = [answer.headers.get("x-ms-throttle-limit-percentage") for answer in answers]
    assert told == [None] * 8 + ["0.90", "1.00", "1.10", "1.10"]
    refused = answers[-1]
    assert (refused.code, refused.body["error"]["innerError"]["code"]) == ("TooManyRequests", "429")
    assert refused.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    client, tenant = legacy.tenant.application.client_id, legacy.tenant.id
    assert refused.headers["x-ms-throttle-scope"] == f"Tenant_Application/ReadWrite/{client}/{tenant}"
    assert refused.headers["retry-after"] == "10.000"
    advance(legacy, 9.9)
    assert legacy.get("/v1.0/users?$select=id&$top=20").headers["retry-after"] == "0.100"
    advance(legacy, 0.1)
    assert legacy.get("/v1.0/users?$select=id&$top=20").status == 200
    journal = legacy.admin("GET", "/journal").body
    assert [entry["fault"] for entry in journal if entry["status"] == 429] == ["throttling: directory"] * 3


def test_writes_have_a_limit_of_their_own(greenfield: Any) -> None:
    load(greenfield, limits={"writes": 2})
    body = {"isEnabled": False}
    answers = [greenfield.call("PATCH", DEFAULTS, body) for _unused in range(3)]
    assert [answer.status for answer in answers] == [204, 204, 429]
    assert answers[-1].headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    assert answers[-1].headers["retry-after"] == "150.000"
    assert greenfield.get(DEFAULTS).status == 200
    wrote = [entry["wrote"] for entry in greenfield.admin("GET", "/journal").body if entry["method"] == "PATCH"]
    assert wrote == [True, True, False]


def test_conditional_access_refuses_without_retry_after(business: Any) -> None:
    load(business, throttling=True)
    answers = [business.get(POLICIES) for _unused in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert "retry-after" not in answers[1].headers
    assert business.get("/v1.0/users").status == 200
    advance(business, 1)
    assert business.get(POLICIES).status == 200


def test_reports_refuse_the_sixth_request(business: Any) -> None:
    load(business, throttling=True)
    answers = [business.get(path) for path in [DETAILS, "/v1.0/auditLogs/directoryAudits"] * 3]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "10"
    advance(business, 10)
    assert business.get(DETAILS).status == 200


@pytest.mark.parametrize(("users", "amount"), [(49, 3500), (50, 5000), (500, 5000), (501, 8000)])
def test_the_directory_limit_follows_the_size_of_the_tenant(users: int, amount: int) -> None:
    throttle = Throttle({}, True, Pace(Clock()))
    passed = 0
    while throttle.judge([(DIRECTORY, 5)], "tenant", "app", lambda: users, accrues=False).refused is None:
        passed += 5
    assert passed == amount


@pytest.mark.parametrize(
    ("scale", "directory", "reports"), [(1, "10.000", "10"), (100, "0.100", "1"), (3, "3.334", "4")]
)
def test_retry_after_is_in_real_seconds(business: Any, scale: int, directory: str, reports: str) -> None:
    load(business, limits={"directory": 6, "reports": 1}, time_scale=scale)
    for path, expected in (("/v1.0/subscribedSkus", directory), (DETAILS, reports)):
        answers = [business.get(path) for _unused in range(3)]
        assert (answers[-1].status, answers[-1].headers["retry-after"]) == (429, expected)


def test_items_of_a_batch_are_counted_one_by_one(legacy: Any) -> None:
    load(legacy, limits={"directory": 6})
    items = [{"id": str(n), "method": "GET", "url": "/users?$top=20&$select=id"} for n in range(8)]
    answer = legacy.call("POST", "/v1.0/$batch", {"requests": items})
    assert (answer.status, "retry-after" in answer.headers) == (200, False)
    found = {item["id"]: item for item in answer.body["responses"]}
    assert [found[str(n)]["status"] for n in range(8)] == [200] * 6 + [429] * 2
    for n in "67":
        assert found[n]["headers"]["Retry-After"] == "10.000"
        assert found[n]["body"]["error"]["code"] == "TooManyRequests"


def test_tenants_have_their_own_buckets(open_simulation_client: Any) -> None:
    client = open_simulation_client(scenarios=("greenfield",), tenants=2)
    load(client, limits={"directory": 6})
    for tenant in client.simulation.tenants.values():
        client.tenant, client.kept_token = tenant, None
        assert [client.get("/v1.0/organization").status for _unused in range(7)] == [200] * 6 + [429]


@pytest.mark.parametrize(("counts", "status"), [("no", 200), ("yes", 429)])
def test_whether_refused_requests_count(legacy: Any, counts: str, status: int) -> None:
    legacy.admin("POST", "/assumptions", {"throttled_requests_count": counts})
    load(legacy, limits={"directory": 6})
    for _unused in range(2):
        advance(legacy, 6)
        for _again in range(6):
            legacy.get("/v1.0/organization")
    advance(legacy, 4)
    assert legacy.get("/v1.0/organization").status == status


def test_a_request_without_a_token_costs_nothing(legacy: Any) -> None:
    load(legacy, limits={"directory": 6})
    for _unused in range(8):
        assert legacy.send("GET", "/v1.0/users").status == 401
    assert legacy.get("/v1.0/organization").status == 200
