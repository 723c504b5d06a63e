# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorder of exchanges, and the description of what the simulator has."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from m365_simulator.cli import main
from m365_simulator.errors import SimulatorError
from m365_simulator.exchanges import MASK, NOT_JSON, Exchange, ExchangeFile, masked

SECRET = "Planted-4-secret"


@pytest.fixture
def seen(greenfield: Any) -> list[Exchange]:
    """What an observer is told from now on."""
    found: list[Exchange] = []
    greenfield.simulation.graph.exchanges.observers.append(found.append)
    return found


def test_a_request_and_its_answer(greenfield: Any, seen: list[Exchange]) -> None:
    answer = greenfield.get("/v1.0/organization?$select=id")
    journal = greenfield.admin("GET", "/journal").body
    assert seen == [
        Exchange(
            number=journal[-1]["number"],
            batch=None,
            tenant=greenfield.tenant.id,
            version="v1.0",
            method="GET",
            path="/organization",
            query="$select=id",
            request=None,
            status=200,
            answer=answer.body,
        )
    ]


def test_items_of_a_batch_and_then_the_batch(greenfield: Any, seen: list[Exchange]) -> None:
    items = [{"id": str(number), "method": "GET", "url": "/organization"} for number in range(2)]
    greenfield.call("POST", "/v1.0/$batch", {"requests": items})
    assert [exchange.path for exchange in seen] == ["/organization", "/organization", "/$batch"]
    assert {exchange.batch for exchange in seen[:2]} == {seen[2].number}
    assert seen[2].batch is None


def test_errors_and_unreadable_bodies(greenfield: Any, seen: list[Exchange]) -> None:
    greenfield.get("/v1.0/nowhere")
    token = {"Authorization": f"Bearer {greenfield.token()}"}
    greenfield.send("POST", "/v1.0/users", content=b'{"password": "' + SECRET.encode(), headers=token)
    assert [(exchange.status, exchange.request) for exchange in seen] == [(400, None), (400, NOT_JSON)]
    assert seen[0].answer["error"]["code"] == "BadRequest"


def test_secrets_are_masked(greenfield: Any, seen: list[Exchange]) -> None:
    profile = {"passwordProfile": {"password": SECRET, "forceChangePasswordNextSignIn": True}}
    user = greenfield.get("/v1.0/users?$top=1&$select=id").value[0]["id"]
    item = {"id": "1", "method": "PATCH", "url": f"/users/{user}", "body": profile}
    item["headers"] = {"Content-Type": "application/json"}
    greenfield.call("POST", "/v1.0/$batch", {"requests": [item]})
    assert seen[1].request == {"passwordProfile": {"password": MASK, "forceChangePasswordNextSignIn": True}}
    assert SECRET not in repr(seen)


def test_only_texts_are_masked_and_names_in_any_case() -> None:
    body = {"a": [{"SecretText": SECRET, "password": None}], "keyId": "x", "key": "y"}
    assert masked(body) == {"a": [{"SecretText": MASK, "password": None}], "keyId": "x", "key": MASK}


def test_the_file(tmp_path: Path, greenfield: Any, seen: list[Exchange]) -> None:
    path = tmp_path / "exchanges.jsonl"
    for _time in range(2):
        with closing(ExchangeFile(path)) as file:
            greenfield.get("/v1.0/organization")
            file(seen[-1])
    lines = [Exchange(**json.loads(line)) for line in path.read_text().splitlines()]
    assert lines == seen
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match="cannot be written: No such file or directory"):
        ExchangeFile(tmp_path / "nowhere" / "exchanges.jsonl")


def test_the_description_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["openapi"].startswith("3.1")
    get = described["paths"]["/v1.0/users/{id}"]["get"]
    assert [parameter["name"] for parameter in get["parameters"] if parameter["in"] == "path"] == ["id"]
    assert "/v1.0/policies/mfaServicePolicy" not in described["paths"]
    assert set(described["paths"]["/beta/policies/mfaServicePolicy"]) == {"get", "patch"}
