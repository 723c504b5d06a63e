# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real server: command line, TLS, ready file, connection resets, a graceful end."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from m365_simulator.cli import main


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "m365_simulator", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_ready_file_and_certificates(server: Any) -> None:
    assert stat.S_IMODE(server.ready_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(server.ready["certificate_path"]).stat().st_mode) == 0o600
    assert set(server.ready) >= {
        "graph_url",
        "login_url",
        "ca_file",
        "tenant_id",
        "client_id",
        "client_secret",
        "certificate_path",
        "admin_url",
        "tenants",
    }
    first = server.ready["tenants"][0]
    assert first["scenario"] == "greenfield"
    assert {name: server.ready[name] for name in first if name in server.ready} == {
        name: first[name] for name in first if name in server.ready
    }
    pem = Path(server.ready["certificate_path"]).read_text()
    assert "BEGIN CERTIFICATE" in pem
    assert "BEGIN PRIVATE KEY" in pem


def test_tls_is_only_trusted_by_its_own_authority(server: Any) -> None:
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(server.ready["admin_url"] + "/clock")


def test_further_names_are_in_the_certificate(server: Any) -> None:
    import ssl

    port = int(server.ready["graph_url"].rpartition(":")[2])
    context = ssl.create_default_context(cafile=server.ready["ca_file"])
    for name in ("localhost", "127.0.0.1", "graph.example"):
        with socket.create_connection(("127.0.0.1", port)) as plain:
            context.wrap_socket(plain, server_hostname=name).close()
    with socket.create_connection(("127.0.0.1", port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname="other.example")


def test_a_token_for_a_further_name_is_accepted(server: Any) -> None:
    port = server.ready["graph_url"].rpartition(":")[2]
    token = server.token(scope=f"https://graph.example:{port}/.default").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Host": f"graph.example:{port}"}
    answer = server.session.get(server.ready["graph_url"] + "/v1.0/users?$top=1", headers=headers)
    assert answer.json()["@odata.nextLink"].startswith(f"https://graph.example:{port}/v1.0/users?")


def test_connection_reset(server: Any) -> None:
    server.admin("POST", "/faults", {"path": "/organization", "status": "reset"})
    with pytest.raises(requests.exceptions.ConnectionError):
        server.call("GET", "/v1.0/organization")
    assert server.call("GET", "/v1.0/organization").status_code == 200


def test_connection_reset_after_a_write(server: Any) -> None:
    path = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
    server.admin("POST", "/faults", {"path": path, "method": "PATCH", "status": "reset", "when": "after"})
    with pytest.raises(requests.exceptions.ConnectionError):
        server.call("PATCH", path, json={"isEnabled": True})
    assert server.call("GET", path).json()["isEnabled"] is True
    server.admin("POST", "/reset")


def test_several_tenants_and_shutdown(start_server: Callable[..., Any]) -> None:
    server = start_server("--scenario", "greenfield", "--scenario", "locked", "--tenants", "3")
    assert [tenant["scenario"] for tenant in server.ready["tenants"]] == ["greenfield", "locked", "greenfield"]
    assert len({tenant["client_secret"] for tenant in server.ready["tenants"]}) == 3
    folder = Path(server.ready["ca_file"]).parent
    assert server.admin("POST", "/shutdown").status_code == 200
    assert server.process.wait(timeout=20) == 0
    assert not server.ready_file.exists()
    assert not folder.exists()


def test_restart_with_state(start_server: Callable[..., Any], tmp_path: Path) -> None:
    state = str(tmp_path / "state.db")
    first = start_server("--scenario", "legacy", "--state", state)
    authority = Path(first.ready["ca_file"]).read_text()
    token = first.token().json()["access_token"]
    path = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
    assert first.call("PATCH", path, json={"isEnabled": True}).status_code == 204
    assert first.stop() == 0
    port = first.ready["graph_url"].rpartition(":")[2]
    second = start_server("--scenario", "legacy", "--state", state, "--port", port)
    assert second.ready["client_secret"] == first.ready["client_secret"]
    assert Path(second.ready["ca_file"]).read_text() == authority
    answer = second.session.get(second.ready["graph_url"] + path, headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["isEnabled"] is True


def test_port_in_use(server: Any) -> None:
    port = server.ready["graph_url"].rpartition(":")[2]
    found = run("serve", "--port", port)
    assert found.returncode == 2
    assert found.stderr == f"m365-simulator: Port {port} cannot be used: Address already in use.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--scenario", "nowhere"], "There is no scenario 'nowhere'; choose from business, generated, greenfield,"),
        (["--scenario", "/nonexistent.yml"], "cannot be read: No such file or directory"),
        (["--state", "/nonexistent/state.db"], "cannot be used: No such file or directory"),
        (["--port", "99999"], "There is no port 99999"),
        (["--assume", "weather=fine"], "There is no assumption 'weather'"),
        (["--assume", "weather"], "--assume takes NAME=VALUE"),
        (["--ready-file", "/nonexistent/ready.json"], "cannot be written: No such file or directory"),
    ],
)
def test_one_clear_sentence(arguments: list[str], sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", *arguments]) == 2
    error = capfd.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert error.startswith("m365-simulator: ")


@pytest.mark.parametrize("arguments", [[], ["serve", "--users", "-1"], ["serve", "--tenants", "0"], ["fly"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: m365-simulator" in capsys.readouterr().err


def test_list_of_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["business", "generated", "greenfield", "hybrid", "legacy", "locked"]
    assert all(len(line.split()) > 3 for line in lines)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert "--ready-file PATH" in shown
    assert "mfa_service_policy=200|403|404" in shown


def test_ready_file_is_json(server: Any) -> None:
    assert json.loads(server.ready_file.read_text()) == server.ready
