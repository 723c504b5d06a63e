# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that strike a request: which, how often, on whom, and what they answer."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from m365_simulator.graph.router import GraphRequest

DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
ORGANIZATION = "/v1.0/organization"
JSON = {"Content-Type": "application/json"}


def load(client: Any, *faults: dict[str, Any], tenant: str | None = None, **plan: Any) -> None:
    query = f"?tenant={tenant}" if tenant else ""
    answer = client.admin("POST", f"/faults/plan{query}", {"faults": list(faults), **plan})
    assert answer.status == 200, answer.body


def statuses(client: Any, count: int, path: str = ORGANIZATION) -> list[int]:
    token = client.token()
    return [client.get(path, token=token).status for _unused in range(count)]


def struck(client: Any) -> list[str | None]:
    return [entry["fault"] for entry in client.admin("GET", "/journal").body if entry["version"]]


# Which requests, and how often


def test_after_lets_the_first_ones_pass_and_times_ends_it(greenfield: Any) -> None:
    load(greenfield, {"path": "/organization", "status": 503, "after": 2, "times": 2})
    assert statuses(greenfield, 6) == [200, 200, 503, 503, 200, 200]


def test_a_fault_strikes_once_unless_told_otherwise(greenfield: Any) -> None:
    load(greenfield, {"path": "/organization", "status": 503})
    assert statuses(greenfield, 3) == [503, 200, 200]
    load(greenfield, {"path": "/organization", "status": 503, "times": None})
    assert statuses(greenfield, 3) == [503, 503, 503]


def test_a_fault_is_for_its_path_and_its_verbs(greenfield: Any) -> None:
    load(greenfield, {"path": "^/beta/.*Policy$", "method": ["patch", "DELETE"], "status": 500, "times": None})
    body = {"isEnabled": False}
    assert greenfield.call("PATCH", f"/beta{DEFAULTS}", body).status == 500
    assert greenfield.call("PATCH", f"/v1.0{DEFAULTS}", body).status == 204
    assert greenfield.get(f"/beta{DEFAULTS}").status == 200


def test_of_several_faults_the_first_wins_and_all_count(greenfield: Any) -> None:
    load(
        greenfield,
        {"path": "/organization", "status": 500, "after": 1},
        {"path": "/organization", "status": 502, "after": 1, "times": 2},
    )
    assert statuses(greenfield, 5) == [200, 500, 502, 502, 200]


def test_probability_is_drawn_from_the_seed(greenfield: Any) -> None:
    fault = {"path": "/organization", "status": 503, "probability": 0.3}
    runs = []
    for seed in (1, 1, 2):
        load(greenfield, fault, seed=seed)
        runs.append(statuses(greenfield, 60))
    assert runs[0] == runs[1] != runs[2]
    assert 5 <= runs[0].count(503) <= 35


def test_the_draw_of_one_fault_does_not_depend_on_another(greenfield: Any) -> None:
    fault = {"path": "/organization", "status": 503, "probability": 0.5}
    load(greenfield, fault)
    alone = statuses(greenfield, 40)
    load(greenfield, fault, {"path": "/users", "status": 500, "probability": 0.5})
    together = []
    token = greenfield.token()
    for _unused in range(40):
        greenfield.get("/v1.0/users?$top=1", token=token)
        together.append(greenfield.get(ORGANIZATION, token=token).status)
    assert together == alone


def test_probability_bounds(greenfield: Any) -> None:
    load(greenfield, {"path": "/organization", "status": 503, "probability": 1})
    assert statuses(greenfield, 5) == [503] * 5
    load(greenfield, {"path": "/organization", "status": 503, "probability": 0})
    assert statuses(greenfield, 5) == [200] * 5


def test_tenants_count_and_draw_by_themselves(open_simulation_client: Any) -> None:
    client = open_simulation_client(scenarios=("greenfield",), tenants=2)
    first, second = client.simulation.tenants.values()
    fault = {"path": "/organization", "status": 503, "probability": 0.5, "times": 5}
    load(client, fault)
    alone = statuses(client, 30)
    load(client, fault)
    tokens = {}
    for tenant in (first, second):
        client.tenant = tenant
        tokens[tenant.id] = client.token()
    mixed: dict[str, list[int]] = {first.id: [], second.id: []}
    for _unused in range(30):
        for tenant in (second, first):
            mixed[tenant.id].append(client.get(ORGANIZATION, token=tokens[tenant.id]).status)
    assert mixed[first.id] == alone
    assert mixed[second.id] != alone
    assert mixed[second.id].count(503) == 5


def test_a_tenant_may_have_a_plan_of_its_own(open_simulation_client: Any) -> None:
    client = open_simulation_client(scenarios=("greenfield",), tenants=2)
    first, second = client.simulation.tenants.values()
    load(client, {"path": "/organization", "status": 500, "times": None})
    load(client, {"path": "/users", "status": 502, "times": None}, tenant=second.id)
    client.admin("POST", f"/faults?tenant={first.id}", {"path": "/groups", "status": 503, "times": None})
    found = {}
    for tenant in (first, second):
        client.tenant = tenant
        found[tenant.id] = [statuses(client, 1, path)[0] for path in (ORGANIZATION, "/v1.0/users", "/v1.0/groups")]
    assert found[first.id] == [500, 200, 503]
    assert found[second.id] == [200, 502, 200]
    shown = client.admin("GET", "/faults").body
    assert [(fault["status"], fault.get("tenant")) for fault in shown] == [
        (500, None),
        (503, first.id),
        (502, second.id),
    ]
    assert client.admin("GET", f"/faults/plan?tenant={second.id}").body["faults"][0]["struck"] == {second.id: 1}
    assert [fault["status"] for fault in client.admin("DELETE", f"/faults?tenant={second.id}").body] == [500, 503]
    client.tenant = second
    assert statuses(client, 1) == [500]
    assert client.admin("DELETE", "/faults").body == []


def test_a_fault_for_an_unknown_tenant_is_refused(greenfield: Any) -> None:
    fault = {"path": "/x", "status": 500, "tenant": "nobody"}
    for address, body in (("/faults", fault), ("/faults/plan", {"faults": [fault]})):
        answer = greenfield.admin("POST", address, body)
        assert (answer.status, answer.body) == (400, {"error": "There is no tenant nobody, which a fault names."})


def test_what_is_shown_can_be_loaded_again(greenfield: Any) -> None:
    faults: list[dict[str, Any]] = [
        {"path": "/a", "status": 429, "retry_after": 2.5, "method": "GET", "page": 2, "when": "after"},
        {"path": "/b", "status": "reset", "times": None, "after": 4},
        {"path": "/c", "kind": "slow", "seconds": 3},
        {"path": "/d", "kind": "stale", "reads": 2, "share": 0.5, "where": "list", "probability": 0.25},
        {"path": "/e", "kind": "truncated", "name": "cut"},
        {"path": "/f", "kind": "late_visibility", "seconds": 9, "tenant": greenfield.tenant.id},
    ]
    load(greenfield, *faults, seed=4, time_scale=10, throttling=True, limits={"writes": 7})
    shown = greenfield.admin("GET", "/faults/plan").body
    for fault in shown["faults"]:
        assert fault.pop("struck") == {}
    assert greenfield.admin("POST", "/faults/plan", shown).status == 200
    again = greenfield.admin("GET", "/faults/plan").body
    for fault in again["faults"]:
        fault.pop("struck")
    assert again == shown
    assert (shown["seed"], shown["time_scale"], shown["limits"]) == (4, 10, {"writes": 7})


def test_a_reset_brings_back_the_plan_of_the_start(open_simulation_client: Any, tmp_path: Any) -> None:
    file = tmp_path / "faults.yml"
    file.write_text("faults:\n  - {path: /organization, status: 503}\n")
    client = open_simulation_client(faults=file)
    assert statuses(client, 2) == [503, 200]
    load(client, {"path": "/organization", "status": 500, "times": None})
    client.admin("POST", "/reset")
    assert statuses(client, 2) == [503, 200]
    client.admin("POST", f"/reset?tenant={client.tenant.id}")
    assert statuses(client, 2) == [503, 200]


def test_the_journal_names_the_fault(greenfield: Any) -> None:
    load(
        greenfield,
        {"name": "a bad day", "path": "/organization", "status": 503},
        {"name": "a slow line", "path": "/organization", "kind": "slow", "seconds": 0.001},
        {"path": "/users", "status": 500},
    )
    token = greenfield.token()
    for path in (ORGANIZATION, ORGANIZATION, "/v1.0/users"):
        greenfield.get(path, token=token)
    assert struck(greenfield) == ["a bad day; a slow line", None, "500 at /users"]


# What they answer


@pytest.mark.parametrize(("retry_after", "sent"), [(2, "2"), (2.128, "2.128"), ("soon", "soon"), (0, "0")])
def test_retry_after_is_sent_as_given(greenfield: Any, retry_after: Any, sent: str) -> None:
    load(greenfield, {"path": "/organization", "status": 429, "retry_after": retry_after})
    answer = greenfield.get(ORGANIZATION)
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (429, "TooManyRequests", sent)


def test_without_retry_after(greenfield: Any) -> None:
    load(greenfield, {"path": "/organization", "status": 429})
    assert "retry-after" not in greenfield.get(ORGANIZATION).headers


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_gateways_answer_html_or_nothing(greenfield: Any, status: int) -> None:
    load(
        greenfield,
        {"path": "/organization", "status": status, "body": "html", "retry_after": 7},
        {"path": "/organization", "status": status, "body": "empty"},
        {"path": "/organization", "status": status, "body": "graph"},
    )
    page, empty, graph = (greenfield.get(ORGANIZATION) for _unused in range(3))
    assert (page.status, page.headers["content-type"], page.headers["retry-after"]) == (
        status,
        "text/html; charset=utf-8",
        "7",
    )
    assert str(status).encode() in page.content
    assert "request-id" not in page.headers
    assert (empty.status, empty.content) == (status, b"")
    assert (graph.status, graph.code, graph.message) == (status, "UnknownError", "")


def test_an_error_has_the_code_that_it_is_given(greenfield: Any) -> None:
    load(greenfield, {"path": "/organization", "status": 403, "code": "AadPremiumLicenseRequired"})
    answer = greenfield.get(ORGANIZATION)
    assert (answer.status, answer.code, answer.message) == (403, "AadPremiumLicenseRequired", "")


def test_a_page_of_something_else(greenfield: Any) -> None:
    load(greenfield, {"path": "Enforcement", "kind": "not_json", "times": 2}, {"path": "/x", "kind": "truncated"})
    answer = greenfield.get(f"/v1.0{DEFAULTS}")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.content.startswith(b"<!DOCTYPE html>")
    assert greenfield.call("PATCH", f"/v1.0{DEFAULTS}", {"isEnabled": True}).status == 200
    assert greenfield.get(f"/v1.0{DEFAULTS}").body["isEnabled"] is False


def test_a_cut_answer_promises_more_than_it_holds(greenfield: Any) -> None:
    whole = greenfield.get(ORGANIZATION).content
    load(greenfield, {"path": "/organization", "kind": "truncated"})
    cut = greenfield.get(ORGANIZATION)
    assert (cut.status, int(cut.headers["content-length"])) == (200, len(whole))
    assert cut.content == whole[: len(whole) // 2]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", [{"kind": "error", "status": 504, "body": "html"}, {"kind": "not_json"}])
def test_before_or_after_the_write(greenfield: Any, kind: dict[str, Any], when: str) -> None:
    load(greenfield, {"path": "Enforcement", "method": "PATCH", "when": when, **kind})
    greenfield.call("PATCH", f"/v1.0{DEFAULTS}", {"isEnabled": True})
    assert greenfield.get(f"/v1.0{DEFAULTS}").body["isEnabled"] is (when == "after")
    wrote = [entry["wrote"] for entry in greenfield.admin("GET", "/journal").body if entry["method"] == "PATCH"]
    assert wrote == [when == "after"]


def test_a_token_expires_in_mid_run(greenfield: Any) -> None:
    load(greenfield, {"path": "/users", "kind": "token_expired", "after": 1})
    old, other = greenfield.token(), greenfield.token()
    assert greenfield.get("/v1.0/users", token=old).status == 200
    for path in ("/v1.0/users", ORGANIZATION):
        answer = greenfield.get(path, token=old)
        assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
        assert answer.message == "Lifetime validation failed, the token is expired."
        assert "WWW-Authenticate".lower() in answer.headers
    assert greenfield.get("/v1.0/users", token=other).status == 200
    assert greenfield.get("/v1.0/users", token=greenfield.token()).status == 200


class Delays:
    """In the place of asyncio.sleep: delays that end when the test says so."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.over = asyncio.Event()
        self._pass_on = asyncio.sleep

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self.over.wait()

    async def begun_in(self, task: asyncio.Task[Any]) -> None:
        while not self.seconds:
            assert not task.done(), "it was not delayed"
            await self._pass_on(0)


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> Delays:
    delays = Delays()
    monkeypatch.setattr(asyncio, "sleep", delays)
    return delays


async def ask(client: Any, token: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token}"}
    request = GraphRequest(method, "v1.0", path, "", headers, content, "https://localhost:8443")
    return await client.simulation.graph.answer(request)


def test_a_slow_answer_keeps_nobody_waiting(greenfield: Any, delays: Delays) -> None:
    load(greenfield, {"path": "/organization", "kind": "slow", "seconds": 30}, time_scale=60)
    token = greenfield.token()

    async def ask_both() -> list[int]:
        slow = asyncio.create_task(ask(greenfield, token, "GET", "/organization"))
        await delays.begun_in(slow)
        quick = await ask(greenfield, token, "GET", "/domains")
        assert not slow.done()
        delays.over.set()
        return [quick.status, (await slow).status]

    assert asyncio.run(ask_both()) == [200, 200]
    assert delays.seconds == [0.5], "real seconds"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_slow_write_takes_effect_when_it_is_said(greenfield: Any, delays: Delays, when: str) -> None:
    """What comes in between is neither undone, nor does it undo."""
    load(
        greenfield,
        {"path": "Enforcement", "method": "PATCH", "kind": "slow", "seconds": 30, "when": when},
        {"path": "/groups$", "method": "POST", "status": 503},
    )
    token = greenfield.token()
    group = {"displayName": "Between", "mailNickname": "between", "mailEnabled": False, "securityEnabled": True}

    async def write_and_look() -> list[Any]:
        slow = asyncio.create_task(ask(greenfield, token, "PATCH", DEFAULTS, {"isEnabled": True}))
        await delays.begun_in(slow)
        refused = await ask(greenfield, token, "POST", "/groups", group)
        made = await ask(greenfield, token, "POST", "/groups", group)
        meanwhile = await ask(greenfield, token, "GET", DEFAULTS)
        delays.over.set()
        done = await slow
        now = await ask(greenfield, token, "GET", DEFAULTS)
        found = await ask(greenfield, token, "GET", f"/groups/{made.body['id']}")
        return [refused.status, meanwhile.body["isEnabled"], done.status, now.body["isEnabled"], found.status]

    assert asyncio.run(write_and_look()) == [503, when == "after", 204, True, 200]


def test_faults_at_sign_in(greenfield: Any) -> None:
    path = "/oauth2/v2.0/token"
    load(
        greenfield,
        {"path": path, "status": 503, "body": "html"},
        {"path": path, "kind": "not_json"},
        {"path": path, "kind": "truncated"},
        {"path": path, "status": 429, "retry_after": "1"},
        {"path": path, "kind": "token_expired", "times": None},
    )
    answers = [greenfield.sign_in() for _unused in range(5)]
    assert [answer.status for answer in answers] == [503, 200, 429, 200, 200]
    assert answers[0].headers["content-type"] == answers[1].headers["content-type"] == "text/html; charset=utf-8"
    assert answers[2].headers["retry-after"] == "1"
    assert len(answers[3].content) < int(answers[3].headers["content-length"])
    assert "access_token" in answers[4].body


def test_faults_at_sign_in_are_those_of_the_tenant(open_simulation_client: Any) -> None:
    client = open_simulation_client(scenarios=("greenfield",), tenants=2)
    _first, second = client.simulation.tenants.values()
    load(client, {"path": "/token$", "status": 503, "times": None, "tenant": second.id})
    assert client.sign_in().status == 200
    client.tenant = second
    assert client.sign_in().status == 503
    assert client.sign_in(second.initial_domain).status == 503


# Pages


def test_a_page_in_the_middle_fails(legacy: Any) -> None:
    load(legacy, {"path": "/users$", "page": 2, "status": 503})
    token = legacy.token()
    first = legacy.get("/v1.0/users?$top=15&$select=id", token=token)
    link = first.body["@odata.nextLink"].removeprefix("https://localhost:8443")
    assert [legacy.get(link, token=token).status for _unused in range(2)] == [503, 200]
    second = legacy.get(link, token=token)
    third = legacy.get(second.body["@odata.nextLink"].removeprefix("https://localhost:8443"), token=token)
    assert [len(page.value) for page in (first, second, third)] == [15, 15, 10]


def test_the_number_of_a_page_is_that_of_its_own_collection(legacy: Any) -> None:
    load(legacy, {"path": "/users$", "page": 3, "status": 503, "times": None})
    found = []
    for top in (5, 15):
        link = f"/v1.0/users?$top={top}"
        for _unused in range(3):
            page = legacy.get(link)
            found.append(page.status)
            if page.status == 200:
                link = page.body["@odata.nextLink"].removeprefix("https://localhost:8443")
    assert found == [200, 200, 503, 200, 200, 503]


# Batches


def send_batch(client: Any, *paths: str) -> dict[str, Any]:
    items = [{"id": str(n), "method": "GET", "url": path} for n, path in enumerate(paths)]
    answer = client.call("POST", "/v1.0/$batch", {"requests": items})
    assert answer.status == 200
    return {item["id"]: item for item in answer.body["responses"]}


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"status": 429, "retry_after": 2.128}, 429),
        ({"status": 502}, 502),
        ({"status": "reset"}, 503),
        ({"kind": "truncated"}, 503),
        ({"kind": "token_expired"}, 401),
    ],
)
def test_an_item_of_a_batch_fails_alone(legacy: Any, fault: dict[str, Any], status: int) -> None:
    load(legacy, {"path": "/organization", **fault})
    found = send_batch(legacy, "/domains", "/organization")
    assert [found[n]["status"] for n in "01"] == [200, status]
    assert found["1"]["headers"].get("Retry-After") == ("2.128" if status == 429 else None)
    assert found["1"]["body"]["error"]["code"]


def test_an_item_that_is_no_json_stands_as_base64(legacy: Any) -> None:
    load(legacy, {"path": "/organization", "status": 502, "body": "html"}, {"path": "/domains", "kind": "not_json"})
    found = send_batch(legacy, "/organization", "/domains", "/subscribedSkus")
    assert [found[n]["status"] for n in "012"] == [502, 200, 200]
    for n in "01":
        assert found[n]["headers"]["Content-Type"] == "text/html; charset=utf-8"
        assert b"<html>" in base64.b64decode(found[n]["body"])


def test_a_whole_batch_fails(legacy: Any) -> None:
    load(legacy, {"path": r"/\$batch$", "status": 503, "times": 1, "when": "after"})
    item = {"id": "1", "method": "PATCH", "url": DEFAULTS, "body": {"isEnabled": False}, "headers": JSON}
    assert legacy.call("POST", "/v1.0/$batch", {"requests": [item]}).status == 503
    wrote = [entry for entry in legacy.admin("GET", "/journal").body if entry["wrote"]]
    assert [entry["path"] for entry in wrote] == [DEFAULTS]
