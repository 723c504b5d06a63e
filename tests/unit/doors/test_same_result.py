# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both doors give the same result, word for word: the module's file in a process of its own, and the action's part."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine import engine
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import (
    authentication_method,
    graph_info,
    graph_request,
    login,
    security_defaults,
    tenant_info,
)
from ansible_collections.zerotrust.m365.plugins.plugin_utils._action import run_in_process
from ansible_collections.zerotrust.m365.tests.unit.doors.module_door import Case, broken, run_modules

RESOURCES = {
    resource.name: resource
    for resource in (
        authentication_method.RESOURCE,
        graph_info.RESOURCE,
        graph_request.RESOURCE,
        login.RESOURCE,
        security_defaults.RESOURCE,
        tenant_info.RESOURCE,
    )
}
TENANT_ID = "0f1c1a80-0000-4000-8000-000000000001"


def token(tenant_id: str = TENANT_ID, valid_for: int = 3600) -> str:
    """An access token as the doors see it; nobody here checks its signature."""
    claims = {
        "tid": tenant_id,
        "aud": "https://graph.microsoft.com",
        "roles": ["Policy.Read.All"],
        "exp": int(time.time()) + valid_for,
    }
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims, "a signature")]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


TOKEN = token()
SIGNED_IN = {"tenant_id": TENANT_ID, "access_token": TOKEN}

CASES: dict[str, Case] = {
    "an unknown option": Case("login", {"tenent_id": "contoso.example"}),
    "unknown options": Case("graph_info", {"zone": 1, "area": 2, "path": "/users"}),
    "an unknown option and missing ones": Case("graph_request", {"nothing": 1}),
    "missing options": Case("graph_request"),
    "a missing option": Case("graph_request", {"path": "/users"}),
    "a null for a required option": Case("security_defaults", {"enabled": None}),
    "no int": Case("login", {"max_retries": "many"}),
    "no float": Case("login", {"connect_timeout": "soon"}),
    "no bool": Case("security_defaults", {"enabled": "maybe"}),
    "a number for a dictionary with options": Case("authentication_method", {"id": "Fido2", "fido2": 0}),
    "escapes and line breaks": Case("login", {"cloud": "\x1b[31mmars\r\n\u202e", "\x1b]0;x\x07": 1}),
    "a very long choice": Case("login", {"cloud": "a" * 100_000}),
    "a long secret in a message": Case("login", {"client_secret": "hunter-2" * 50, "cloud": "hunter-2" * 50}),
    "a number without an end": Case("login", {"connect_timeout": 10**400}),
    "no dict": Case("graph_info", {"path": "/users", "parameters": "nothing"}),
    "no list": Case("tenant_info", {"gather_subset": {"kind": True}}),
    "a list of dicts for a list of strings": Case("tenant_info", {"gather_subset": [{"kind": True}]}),
    "a wrong choice": Case("login", {"cloud": "mars"}),
    "wrong choices in a list": Case("tenant_info", {"gather_subset": ["kind", "moon", "mars"]}),
    "several errors": Case("login", {"cloud": "mars", "max_retries": "many", "nothing": 1}),
    "converted values": Case(
        "security_defaults",
        {"enabled": "yes", "max_retries": "3", "accept_risks": "unprotected_users", "wait_timeout": "5", "x": 1},
    ),
    "other types for strings": Case("login", {"tenant_id": 5, "client_id": True, "proxy": 1.5, "cloud": "mars"}),
    "expanded paths": Case("login", {"ca_path": "~/ca.pem", "client_certificate_path": "$HOME/a.pem", "cloud": "mars"}),
    "a secret inside a message": Case("login", {"client_secret": "hunter-2", "max_retries": "hunter-2"}),
    "a secret inside another option": Case("login", {"client_secret": "hunter-2", "tenant_id": "a-hunter-2", "x": 1}),
    "a number as a secret": Case("login", {"client_secret": 12345678, "tenant_id": "a-12345678", "cloud": "mars"}),
    "an empty secret": Case("login", {"client_secret": "", "cloud": "mars"}),
    "secrets in a body": Case(
        "graph_request",
        {"method": "GET", "path": "/hunter-2", "secret_body": {"profile": [{"value": "hunter-2", "n": 4711}]}},
    ),
    "a secret body written as text": Case("graph_request", {"path": "/4711", "secret_body": "value=4711"}),
    "a secret body that is none": Case("graph_request", {"path": "/hunter-2", "secret_body": ["hunter-2"]}),
    "no credentials": Case("login"),
    "no credentials in check mode": Case("tenant_info", check_mode=True),
    "two kinds of credentials": Case("login", {"client_secret": "hunter-2", "managed_identity": True}),
    "an unusable token": Case("login", {"access_token": "hunter-2"}),
    "a token of another tenant": Case("login", {**SIGNED_IN, "tenant_id": "0f1c1a80-0000-4000-8000-000000000002"}),
    "an expired token": Case("login", {**SIGNED_IN, "access_token": token(valid_for=-60)}),
    "a secret of the environment": Case(
        "login",
        {"tenant_id": "hunter-2"},
        environment={"AZURE_SECRET": "hunter-2", "AZURE_CLIENT_ID": TENANT_ID},
    ),
    "a login": Case("login", SIGNED_IN),
    "a login with the environment's token": Case("login", environment={"M365_ACCESS_TOKEN": TOKEN}),
    "a login in check mode": Case("login", SIGNED_IN, check_mode=True),
    "a path that cannot be": Case("graph_info", {**SIGNED_IN, "path": "users"}),
    "a query that cannot be": Case("graph_info", {**SIGNED_IN, "path": "/users", "query": "[?"}),
    "a secret body written as text, refused later": Case(
        "graph_request", {**SIGNED_IN, "path": "/users", "method": "PATCH", "secret_body": '{"a": ["hunter-2", ""]}'}
    ),
    "a bug": Case("tenant_info", {"client_secret": "hunter-2"}, broken=True),
    "a request without a desired state": Case("graph_request", {**SIGNED_IN, "path": "/users", "method": "PATCH"}),
}


@pytest.fixture(scope="module")
def of_modules() -> dict[str, dict[str, Any]]:
    return dict(zip(CASES, run_modules(list(CASES.values())), strict=True))


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("CLIENT_ID", "CLIENT_SECRET", "SECRET", "TENANT", "TENANT_ID", "CLIENT_CERTIFICATE_PATH"):
        monkeypatch.delenv(f"AZURE_{kind}", raising=False)
    for name in ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLOUD_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("M365_ACCESS_TOKEN", "M365_GRAPH_URL", "M365_LOGIN_URL", "M365_CA_PATH"):
        monkeypatch.delenv(name, raising=False)


def of_action(case: Case, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the action gives, after the way through JSON that every task's result takes."""
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    if case.broken:
        monkeypatch.setattr(engine, "connect", broken)
    result = run_in_process(RESOURCES[case.module], case.arguments, case.action, case.check_mode)
    passed: dict[str, Any] = json.loads(json.dumps(result))
    return passed


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    """Without what differs between any two processes.

    Ansible lists the words for a boolean from a set, and a traceback names the file that called.
    """
    before, mark, words = result["msg"].partition("Valid booleans include: ")
    traceback = {"error": {"traceback": "a traceback"}} if "traceback" in (result.get("error") or {}) else {}
    return {**result, **traceback, "msg": before + mark + ", ".join(sorted(words.split(", ")))}


@pytest.mark.parametrize("name", CASES)
def test_the_doors_cannot_be_told_apart(
    name: str, of_modules: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert comparable(of_action(CASES[name], monkeypatch)) == comparable(of_modules[name])


# What the comparison stands on: that the cases are what they are called


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("a login")])
def test_bad_input_fails_in_both(
    name: str, of_modules: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for result in (of_action(CASES[name], monkeypatch), of_modules[name]):
        assert result["failed"] is True
        assert result.get("changed", False) is False
        assert "hunter-2" not in json.dumps(result)
        assert TOKEN not in json.dumps(result)
        assert ("bug of zerotrust.m365" in result["msg"]) is CASES[name].broken


@pytest.mark.parametrize("name", ["no credentials", "an expired token", "a path that cannot be", "a bug"])
def test_a_failure_tells_what_was_sent(
    name: str, of_modules: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By that, roles tell a refusal from a module that died: Ansible says of both that nothing was changed."""
    for result in (of_action(CASES[name], monkeypatch), of_modules[name]):
        assert (result["changed"], result["graph_calls"]) == (False, [])


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("a login")])
def test_a_login_shows_its_token_as_the_result_only(
    name: str, of_modules: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for result in (of_action(CASES[name], monkeypatch), of_modules[name]):
        assert "failed" not in result
        assert result["access_token"] == TOKEN
        assert TOKEN not in json.dumps({key: value for key, value in result.items() if key != "access_token"})
        assert result["tenant_id"] == TENANT_ID
        assert (result["changed"], result["graph_calls"]) == (False, [])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("an unknown option", "Unsupported parameters for (zerotrust.m365.login) module: tenent_id. Supported "),
        ("missing options", "missing required arguments: method, path"),
        ("a wrong choice", "value of cloud must be one of: global, usgov, usgov_dod, china, got: mars"),
        ("no credentials", "No credentials: give one of client_secret"),
    ],
)
def test_messages_are_those_that_users_know(
    name: str, message: str, of_modules: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert of_action(CASES[name], monkeypatch)["msg"].startswith(message)
    assert of_modules[name]["msg"].startswith(message)


def test_every_resource_is_compared() -> None:
    assert {case.module for case in CASES.values()} == set(RESOURCES)
