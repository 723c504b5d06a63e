# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/_admin: state, journal, reset, clock, faults, assumptions, application; and state that survives a restart."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from m365_simulator.errors import SimulatorError
from m365_simulator.simulation import Options, Simulation

DEFAULTS = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"


def test_state_holds_everything_but_secrets(business: Any) -> None:
    state = business.admin("GET", "/state").body
    assert len(state["objects"]["user"]) == 60
    assert state["objects"]["conditionalAccessPolicy"][0]["displayName"].startswith("CA001")
    assert state["memberships"]
    assert business.tenant.application.client_secret not in json.dumps(state)
    assert "PRIVATE KEY" not in json.dumps(state)


def test_state_of_an_unknown_tenant(business: Any) -> None:
    answer = business.admin("GET", "/state?tenant=nowhere")
    assert (answer.status, answer.body) == (400, {"error": "There is no tenant nowhere."})


def test_journal_is_ordered_and_complete(greenfield: Any) -> None:
    token = greenfield.token()
    greenfield.get("/v1.0/users?$top=2&$select=id", token=token)
    greenfield.call("PATCH", DEFAULTS, {"isEnabled": True}, token=token)
    greenfield.call("PATCH", DEFAULTS, {"isEnabled": "x"}, token=token)
    greenfield.sign_in(client_secret="wrong")
    greenfield.send("GET", "/v1.0/organization")
    entries = greenfield.admin("GET", "/journal").body
    application = greenfield.tenant.application.client_id
    token_path = f"/{greenfield.tenant.id}/oauth2/v2.0/token"
    shown = [(e["method"], e["version"], e["path"], e["status"], e["app"], e["wrote"]) for e in entries]
    assert shown == [
        ("POST", None, token_path, 200, application, False),
        ("GET", "v1.0", "/users", 200, application, False),
        ("PATCH", "v1.0", DEFAULTS.removeprefix("/v1.0"), 204, application, True),
        ("PATCH", "v1.0", DEFAULTS.removeprefix("/v1.0"), 400, application, False),
        ("POST", None, token_path, 401, None, False),
        ("GET", "v1.0", "/organization", 401, None, False),
    ]
    assert [e["number"] for e in entries] == sorted(e["number"] for e in entries)
    assert entries[1]["query"] == "$top=2&$select=id"
    assert {e["tenant"] for e in entries} == {greenfield.tenant.id, None}
    assert len(greenfield.admin("GET", f"/journal?tenant={greenfield.tenant.id}").body) == 4
    greenfield.admin("DELETE", "/journal")
    assert greenfield.admin("GET", "/journal").body == []


def test_journal_holds_no_secret(greenfield: Any) -> None:
    token = greenfield.token()
    greenfield.get("/v1.0/users", token=token)
    text = greenfield.admin("GET", "/journal").content.decode()
    assert greenfield.tenant.application.client_secret not in text
    assert token not in text


def test_reset_brings_back_the_very_same_state(legacy: Any) -> None:
    before = legacy.admin("GET", "/state").body
    token = legacy.token()
    users = legacy.get("/v1.0/users?$select=id", token=token).value
    legacy.call("PATCH", DEFAULTS, {"isEnabled": True}, token=token)
    legacy.call("DELETE", f"/v1.0/users/{users[9]['id']}", token=token)
    legacy.admin("POST", "/faults", {"path": "/users", "status": 503, "times": None})
    legacy.admin("POST", "/clock", {"advance_seconds": 100})
    legacy.admin("POST", "/assumptions", {"mfa_service_policy": "404"})
    legacy.grant()
    assert legacy.admin("GET", "/state").body != before
    assert legacy.admin("POST", "/reset").status == 200
    assert legacy.admin("GET", "/state").body == before
    assert legacy.admin("GET", "/journal").body == []
    assert legacy.admin("GET", "/faults").body == []
    assert legacy.admin("GET", "/clock").body["offset_seconds"] == 0
    assert legacy.sign_in().status == 200


def test_one_tenant_is_reset_and_the_other_left_alone(open_simulation_client: Any) -> None:
    client = open_simulation_client(scenarios=("greenfield",), tenants=2)
    first, second = client.simulation.tenants.values()
    for tenant in (first, second):
        store = client.simulation.store.tenant(tenant.number)
        store.delete("user", store.documents("user")[0]["id"])
    assert client.admin("POST", f"/reset?tenant={second.id}").status == 200
    assert len(client.admin("GET", f"/state?tenant={first.id}").body["objects"]["user"]) == 5
    assert len(client.admin("GET", f"/state?tenant={second.id}").body["objects"]["user"]) == 6


def test_tenants_do_not_see_each_other(open_simulation_client: Any) -> None:
    client = open_simulation_client(scenarios=("greenfield",), tenants=2)
    first, second = client.simulation.tenants.values()
    token = client.token()
    assert client.get("/v1.0/organization", token=token).value[0]["id"] == first.id
    client.tenant = second
    other = client.token()
    assert client.get("/v1.0/organization", token=other).value[0]["id"] == second.id
    user = client.get("/v1.0/users?$top=1", token=other).value[0]["id"]
    assert client.get(f"/v1.0/users/{user}", token=token).status == 404
    refused = client.sign_in(first.id)
    assert refused.body["error_codes"] == [700016]


def test_clock_moves(greenfield: Any) -> None:
    now = greenfield.admin("GET", "/clock").body["now"]
    moved = greenfield.admin("POST", "/clock", {"advance_seconds": 86400}).body
    assert moved["now"] > now
    assert moved["offset_seconds"] == 86400
    assert greenfield.get("/v1.0/organization").headers["date"][5:7] == moved["now"][8:10]
    assert greenfield.admin("POST", "/clock", {"advance_seconds": "soon"}).status == 400


def test_faults_strike_as_often_as_asked(greenfield: Any) -> None:
    fault = {"path": "/users$", "method": "get", "status": 429, "retry_after": "2.128", "times": 2}
    assert greenfield.admin("POST", "/faults", fault).status == 200
    for _unused in range(2):
        answer = greenfield.get("/v1.0/users")
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (429, "TooManyRequests", "2.128")
        assert answer.body["error"]["innerError"]["code"] == "429"
    assert greenfield.get("/v1.0/users").status == 200


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_have_no_message(greenfield: Any, status: int) -> None:
    greenfield.admin("POST", "/faults", {"path": "/organization", "status": status})
    answer = greenfield.get("/v1.0/organization")
    assert (answer.status, answer.code, answer.message) == (status, "UnknownError", "")
    assert "retry-after" not in answer.headers


def test_a_fault_after_the_write_leaves_the_write(greenfield: Any) -> None:
    greenfield.admin("POST", "/faults", {"path": "SecurityDefaults", "method": "PATCH", "status": 503, "when": "after"})
    token = greenfield.token()
    assert greenfield.call("PATCH", DEFAULTS, {"isEnabled": True}, token=token).status == 503
    assert greenfield.get(DEFAULTS, token=token).body["isEnabled"] is True
    entry = greenfield.admin("GET", "/journal").body[1]
    assert (entry["status"], entry["wrote"]) == (503, True)


def test_a_fault_before_the_write_prevents_it(greenfield: Any) -> None:
    greenfield.admin("POST", "/faults", {"path": "SecurityDefaults", "method": "PATCH", "status": 503})
    token = greenfield.token()
    assert greenfield.call("PATCH", DEFAULTS, {"isEnabled": True}, token=token).status == 503
    assert greenfield.get(DEFAULTS, token=token).body["isEnabled"] is False
    assert not greenfield.admin("GET", "/journal").body[1]["wrote"]


def test_faults_at_sign_in(greenfield: Any) -> None:
    greenfield.admin("POST", "/faults", {"path": "/oauth2/v2.0/token", "status": 503, "retry_after": "1"})
    answer = greenfield.sign_in()
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert greenfield.sign_in().status == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"path": "("},
        {"path": "/x", "status": 200},
        {"path": "/x", "status": "broken"},
        {"path": "/x", "status": 500, "when": "later"},
        {"path": "/x", "status": 500, "times": "often"},
        {"path": "/x", "status": 500, "colour": "red"},
    ],
)
def test_bad_faults(greenfield: Any, body: dict[str, Any]) -> None:
    assert greenfield.admin("POST", "/faults", body).status == 400
    assert greenfield.admin("GET", "/faults").body == []


def test_bad_requests_to_the_administration(greenfield: Any) -> None:
    assert greenfield.admin("POST", "/assumptions", {"weather": "fine"}).status == 400
    assert greenfield.admin("POST", "/assumptions", {"mfa_service_policy": "500"}).status == 400
    assert greenfield.admin("POST", "/application", {"colour": "red"}).status == 400
    assert greenfield.send("POST", "/_admin/faults", content=b"[").status == 400
    assert greenfield.admin("GET", "/nothing").status == 404


def test_assumptions_are_explained(greenfield: Any) -> None:
    found = greenfield.admin("GET", "/assumptions").body["mfa_service_policy"]
    assert (found["value"], found["values"]) == ("200", ["200", "403", "404"])


def test_shutdown_asks_the_server(greenfield: Any) -> None:
    assert greenfield.admin("POST", "/shutdown").status == 200
    assert greenfield.stopped == [True]


def open_simulation(path: Path, **changes: Any) -> Simulation:
    return Simulation(Options(**{"scenarios": ("locked",), "state": path, **changes}), ["https://localhost:8443"])


def test_state_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    first = open_simulation(path)
    tenant, pem = first.first, first.token_key.pem
    store = first.store.tenant(0)
    user = store.documents("user")[0]
    store.update("user", user["id"], document={**user, "jobTitle": "Survivor"})
    tenant.application.permissions = ["User.Read.All"]
    first.keep()
    dumped = first.dump(tenant)
    first.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = open_simulation(path)
    assert second.first.application == tenant.application
    assert second.token_key.pem == pem
    assert second.dump(second.first) == dumped
    second.reset()
    assert second.store.tenant(0).documents("user")[0] == user
    assert second.first.application.client_secret == tenant.application.client_secret
    second.close()


def test_state_of_other_options_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    open_simulation(path).close()
    with pytest.raises(SimulatorError, match="made with other options"):
        open_simulation(path, seed=2)


def test_state_files_that_cannot_be_used(tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.db"
    spoilt.write_bytes(b"this is no database" * 100)
    with pytest.raises(SimulatorError, match="no database of the simulator"):
        open_simulation(spoilt)
    with pytest.raises(SimulatorError, match="cannot be used"):
        open_simulation(tmp_path / "nowhere" / "state.db")
    with pytest.raises(SimulatorError, match="cannot be used: Is a directory"):
        open_simulation(tmp_path)
