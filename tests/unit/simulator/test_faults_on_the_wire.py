# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the connection itself, which only the real server has; and the collection's client in the midst of all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.batch import BatchRequest
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.connect import connect

DEFAULTS = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
ORGANIZATION = "/v1.0/organization"


@pytest.fixture
def faulty(server: Any) -> Iterator[Callable[..., Any]]:
    """The server with a plan in force, for the time of the test."""

    def load(*faults: dict[str, Any], **plan: Any) -> Any:
        answer = server.admin("POST", "/faults/plan", {"faults": list(faults), **plan})
        assert answer.status_code == 200, answer.text
        return server

    yield load
    assert server.admin("POST", "/reset").status_code == 200


def enabled(server: Any) -> bool:
    return bool(server.call("GET", DEFAULTS).json()["isEnabled"])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reset_connection(faulty: Callable[..., Any], when: str) -> None:
    server = faulty({"path": "Enforcement", "method": "PATCH", "status": "reset", "when": when})
    with pytest.raises(requests.exceptions.ConnectionError):
        server.call("PATCH", DEFAULTS, json={"isEnabled": True})
    assert enabled(server) is (when == "after")
    entry = next(entry for entry in server.admin("GET", "/journal").json() if entry["method"] == "PATCH")
    assert (entry["status"], entry["wrote"], entry["fault"]) == (None, when == "after", "reset at Enforcement")


@pytest.mark.parametrize(("path", "method"), [("/organization", "GET"), ("Enforcement", "PATCH")])
def test_a_cut_answer(faulty: Callable[..., Any], path: str, method: str) -> None:
    """An answer without a body is cut before its first byte. The write has taken effect."""
    server = faulty({"path": path, "method": method, "kind": "truncated"})
    address = ORGANIZATION if method == "GET" else DEFAULTS
    body = None if method == "GET" else {"isEnabled": True}
    broken = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)
    with pytest.raises(broken) as caught:
        server.call(method, address, json=body)
    if method == "GET":
        assert "IncompleteRead" in str(caught.value)
        assert server.call("GET", ORGANIZATION).status_code == 200
    else:
        assert enabled(server) is True


def test_cut_and_reset_at_sign_in(faulty: Callable[..., Any]) -> None:
    server = faulty({"path": "/token$", "kind": "truncated"}, {"path": "/token$", "status": "reset"})
    for _unused in range(2):
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
            server.token()
    assert server.token().status_code == 200


@pytest.mark.deep
def test_a_slow_answer_outlasts_the_patience_of_the_client_and_its_write_is_made(faulty: Callable[..., Any]) -> None:
    server = faulty({"path": "Enforcement", "method": "PATCH", "kind": "slow", "seconds": 400}, time_scale=100)
    token = server.token().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    address = server.ready["graph_url"] + DEFAULTS
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.patch(
            address, json={"isEnabled": True}, headers=headers, timeout=(30, 0.2), verify=server.ready["ca_file"]
        )
    assert server.session.get(address, headers=headers).json()["isEnabled"] is False
    deadline = time.monotonic() + 30
    while not server.session.get(address, headers=headers).json()["isEnabled"]:
        assert time.monotonic() < deadline


@pytest.mark.deep
def test_others_are_served_meanwhile(faulty: Callable[..., Any]) -> None:
    server = faulty({"path": "/organization", "kind": "slow", "seconds": 200}, time_scale=100)
    token = server.token().json()["access_token"]
    address = server.ready["graph_url"]
    finished: list[str] = []

    def ask(path: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(address + path, headers=headers, verify=server.ready["ca_file"], timeout=30)
        assert answer.status_code == 200
        finished.append(path)

    slow = threading.Thread(target=ask, args=(ORGANIZATION,))
    slow.start()
    while not any(entry["path"] == "/organization" for entry in server.admin("GET", "/journal").json()):
        pass
    ask("/v1.0/domains")
    slow.join()
    assert finished == ["/v1.0/domains", ORGANIZATION]


@pytest.mark.deep
def test_a_slow_answer_does_not_hold_up_the_end(start_server: Callable[..., Any], tmp_path: Path) -> None:
    plan = tmp_path / "faults.yml"
    plan.write_text("faults:\n  - {path: /organization, kind: slow, seconds: 3600}\n")
    server = start_server("--faults", str(plan))
    headers = {"Authorization": f"Bearer {server.token().json()['access_token']}"}
    address, ca_file = server.ready["graph_url"] + ORGANIZATION, server.ready["ca_file"]
    statuses: list[int] = []
    waiting = threading.Thread(
        target=lambda: statuses.append(requests.get(address, headers=headers, verify=ca_file, timeout=30).status_code)
    )
    waiting.start()
    while not any(entry["path"] == "/organization" for entry in server.admin("GET", "/journal").json()):
        pass
    assert server.stop() == 0
    waiting.join()
    assert statuses == [500]


# The collection's client

MANY_FAULTS = [
    {"path": "/token$", "status": 503, "retry_after": "0.01"},
    {"path": "/token$", "kind": "truncated"},
    {"path": "/users$", "method": "GET", "page": 2, "status": 503, "retry_after": 0.01},
    {"path": "/users$", "method": "GET", "page": 3, "kind": "truncated"},
    {"path": "/users$", "method": "GET", "page": 3, "status": "reset"},
    {"path": "/users$", "method": "GET", "page": 4, "kind": "token_expired"},
    {"path": "/users$", "method": "GET", "kind": "slow", "seconds": 0.01, "times": None},
    {"path": "Enforcement", "method": "PATCH", "status": 504, "body": "html", "when": "after"},
    {"path": "Enforcement", "method": "PATCH", "status": "reset", "when": "before"},
    {"path": "Enforcement", "method": "PATCH", "status": 502, "body": "empty"},
    {"path": r"/users/[^/]+$", "method": "GET", "status": 429, "retry_after": 0.01, "probability": 0.2, "times": 6},
    {"path": r"/users/[^/]+$", "method": "GET", "status": 503, "retry_after": 0.01, "probability": 0.2, "times": 6},
    {"path": r"/\$batch$", "status": 429, "retry_after": 0.01},
    {"path": r"/\$batch$", "kind": "truncated"},
]


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def client(server: Any, warnings: list[str]) -> Iterator[GraphClient]:
    ready = server.ready
    options = {
        **{name: ready[name] for name in ("tenant_id", "client_id", "client_secret", "graph_url", "login_url")},
        "ca_path": ready["ca_file"],
        "max_retries": 10,
    }
    made = connect(
        options,
        environment={},
        check_mode=False,
        warn=warnings.append,
        secret=lambda _secret: None,
        before_write=lambda: None,
    )
    yield made
    made.close()


def test_the_client_gets_through_all_of_it(
    faulty: Callable[..., Any], client: GraphClient, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every read is complete and every write made once it says so, with the state to prove it."""
    monkeypatch.setattr(type(client.policy), "pause", lambda _policy, _seconds: None)
    server = faulty(*MANY_FAULTS, seed=11)
    state = server.admin("GET", "/state").json()["objects"]
    users = client.list("/users", parameters={"$top": "1", "$select": "id,displayName"})
    assert {user["id"] for user in users} == {user["id"] for user in state["user"]}
    client.patch("/policies/identitySecurityDefaultsEnforcementPolicy", {"isEnabled": True})
    assert client.get("/policies/identitySecurityDefaultsEnforcementPolicy")["isEnabled"] is True
    for _unused in range(3):
        answers = client.batch([BatchRequest("GET", f"/users/{user['id']}") for user in users])
        assert [(answer.status, answer.body["id"]) for answer in answers] == [(200, user["id"]) for user in users]
    journal = server.admin("GET", "/journal").json()
    struck = {name for entry in journal for name in (entry["fault"] or "").split("; ") if name}
    planned = {fault["name"] for fault in server.admin("GET", "/faults").json()}
    assert struck == planned, "a fault that never struck proves nothing"
    assert sum(entry["wrote"] for entry in journal if entry["method"] == "PATCH") == 2, "once unseen, once answered"
    assert any("trying again" in warning for warning in warnings)


def test_the_client_keeps_to_the_limits(faulty: Callable[..., Any], client: GraphClient) -> None:
    """Of 8 items 6 pass; it waits for the other two as long as it is told, and asks for them alone."""
    server = faulty(limits={"directory": 6}, time_scale=5)
    answers = client.batch([BatchRequest("GET", "/organization")] * 8)
    assert [answer.status for answer in answers] == [200] * 8
    journal = [entry for entry in server.admin("GET", "/journal").json() if entry["path"] == "/organization"]
    assert [entry["status"] for entry in journal] == [200] * 6 + [429] * 2 + [200] * 2
    assert {entry["fault"] for entry in journal if entry["status"] == 429} == {"throttling: directory"}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("drop", [False, True])
def test_a_held_request(faulty: Callable[..., Any], when: str, drop: bool) -> None:
    """It has taken effect or not, and goes on when it is told to. What is dropped never takes effect any more."""
    server = faulty({"path": "Enforcement", "method": "PATCH", "kind": "hold", "when": when})
    found: list[Any] = []

    def turn_on() -> None:
        try:
            found.append(server.call("PATCH", DEFAULTS, json={"isEnabled": True}).status_code)
        except requests.exceptions.ConnectionError as error:
            found.append(error)

    asking = threading.Thread(target=turn_on)
    asking.start()
    (held,) = server.admin("GET", "/held?wanted=1&seconds=20").json()
    assert (held["method"], held["path"], held["when"]) == ("PATCH", DEFAULTS.removeprefix("/v1.0"), when)
    assert enabled(server) is (when == "after")
    assert found == []
    server.admin("DELETE", f"/held?drop={str(drop).lower()}")
    asking.join(20)
    assert enabled(server) is (when == "after" or not drop)
    assert isinstance(found[0], requests.exceptions.ConnectionError) if drop else found == [204]
    assert server.admin("GET", "/held").json() == []


def test_nothing_is_held_for_longer_than_it_is_asked_for(faulty: Callable[..., Any]) -> None:
    server = faulty()
    assert server.admin("GET", "/held?wanted=1&seconds=0.01").json() == []
    assert server.admin("GET", "/held?wanted=many").status_code == 400
    assert server.admin("DELETE", "/held?drop=perhaps").status_code == 400
