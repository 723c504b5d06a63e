# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong is said clearly, fails the task, and changes nothing.

The cases are hosts of one inventory, so that one run tries them all, each fails by itself, and none stops another.
"""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import certifi
import jwt
import pytest
import yaml

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import (
    PlaybookRun,
    wait_for_processes_of,
)
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes

NOBODY = "00000000-0000-0000-0000-000000000001"
UNPROVEN = "unproven_emergency_access"
TURN_ON = {"enabled": True, "accept_risks": [UNPROVEN]}


@dataclass(frozen=True)
class Case:
    """A task that must fail. ``options`` stand beside the right credentials; None takes one of those away.

    ``words`` must all be in the message; ``keywords`` are further keywords of the task, ``variables`` of the host.
    """

    name: str
    words: tuple[str, ...]
    module: str = "security_defaults"
    options: Mapping[str, Any] = field(default_factory=lambda: TURN_ON)
    scenario: str = "greenfield"
    keywords: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)


def reading(name: str, path: str, *words: str, **options: Any) -> Case:
    return Case(name, words, "graph_info", {"path": path, **options})


def writing(name: str, *words: str, **options: Any) -> Case:
    return Case(name, words, "graph_request", {"path": "/policies/authorizationPolicy", **options})


SIGN_IN = [
    Case(
        "unknown_tenant",
        ("Could not sign in (AADSTS90002): The tenant does not exist in this cloud. Check tenant_id and cloud.",),
        "login",
        {"tenant_id": NOBODY},
    ),
    Case(
        "unknown_application",
        ("Could not sign in (AADSTS700016): The application does not exist in this tenant. Check client_id",),
        "login",
        {"client_id": NOBODY},
    ),
    Case(
        "wrong_secret",
        ("Could not sign in (AADSTS7000215): The client secret is wrong. Give the secret's value, not its id",),
        "login",
        {"client_secret": "not-the-secret"},
    ),
    Case(
        "wrong_secret_before_a_change",
        ("Could not sign in (AADSTS7000215)",),
        options={**TURN_ON, "client_secret": "not-the-secret"},
    ),
    Case(
        "expired_secret",
        ("Could not sign in (AADSTS7000222): The client secret has expired. Create a new one",),
        "login",
        {},
        scenario="expired_secret",
    ),
    Case(
        "unreadable_certificate",
        ("client_certificate_path: cannot read '/nowhere/certificate.pem': No such file or directory.",),
        "login",
        {"client_secret": None, "client_certificate_path": "/nowhere/certificate.pem"},
    ),
    Case(
        "certificate_without_key",
        ("client_certificate must hold one private key in PEM form, but holds none.",),
        "login",
        {"client_secret": None, "client_certificate": "-----BEGIN NOTHING-----"},
    ),
    Case(
        "two_kinds_of_credentials",
        ("Two kinds of credentials at once: a client secret (client_secret) and a certificate", "Give one of them."),
        "login",
        {"client_certificate_path": "/nowhere/certificate.pem"},
    ),
    Case(
        "no_credentials",
        ("No credentials: give one of client_secret,", "AZURE_CLIENT_SECRET"),
        options={**TURN_ON, "client_secret": None},
    ),
    Case(
        "empty_secret",
        ("client_secret is given, but empty. Leave it out, or give it a value.",),
        "login",
        {"client_secret": ""},
    ),
    Case(
        "no_tenant", ("tenant_id is needed to sign in: give it, or set AZURE_TENANT_ID.",), "login", {"tenant_id": None}
    ),
    Case(
        "tenant_of_many",
        ("tenant_id must name one tenant; 'common' stands for many.",),
        "login",
        {"tenant_id": "common"},
    ),
    Case(
        "client_id_no_guid",
        ("client_id must be the application (client) id, a GUID, but is 'baseline'.",),
        "login",
        {"client_id": "baseline"},
    ),
    Case(
        "tenant_is_a_date",
        ("tenant_id must be a tenant's GUID or one of its domain names, but is '2026-01-31'.",),
        "login",
        {"tenant_id": datetime.date(2026, 1, 31)},
    ),
]

ADDRESSES = [
    Case(
        "http_url",
        ("graph_url", "https"),
        options={**TURN_ON, "graph_url": "http://graph.example"},
    ),
    Case("graph_url_alone", ("graph_url", "login_url"), options={**TURN_ON, "login_url": None}),
    Case("unknown_cloud", ("cloud", "global, usgov, usgov_dod, china"), options={**TURN_ON, "cloud": "moon"}),
    Case(
        "no_server",
        ("localhost:1",),
        options={**TURN_ON, "login_url": "https://localhost:1", "max_retries": 0},
    ),
    Case(
        "no_certificate_authorities", ("ca_path", "/nowhere/ca.pem"), options={**TURN_ON, "ca_path": "/nowhere/ca.pem"}
    ),
]

OPTIONS = [
    Case(
        "date_for_a_boolean",
        ("argument 'enabled' is of type", "we were unable to convert to bool", "2026-01-31"),
        options={"enabled": datetime.date(2026, 1, 31)},
    ),
    Case("nothing_for_a_required_option", ("missing required arguments: enabled",), options={}),
    Case(
        "unknown_option",
        (
            "Unsupported parameters for (zerotrust.m365.security_defaults) module: enable.",
            "Supported parameters include:",
        ),
        options={**TURN_ON, "enable": True},
    ),
    Case(
        "unknown_risk",
        ("value of accept_risks must be one or more of:", "Got no match for: everything"),
        options={**TURN_ON, "accept_risks": ["everything"]},
    ),
    Case(
        "retries_below_none",
        ("max_retries must be between 0 and 100, but is -1.",),
        options={**TURN_ON, "max_retries": -1},
    ),
    Case(
        "unknown_door",
        ("m365_in_process must be auto, true or false, not 'perhaps'.",),
        variables={"m365_in_process": "perhaps"},
    ),
    Case(
        "max_duration_of_nothing",
        ("Stopped before a write: max_duration of 0 seconds has passed.",),
        options={**TURN_ON, "max_duration": 0},
    ),
]

PATHS = [
    reading("name_with_a_space", "/users/anna smith@contoso.example", "A path must not hold spaces"),
    reading("guest_not_encoded", "/users/anna_partner.example#EXT#@contoso.example", "encode them", "#EXT#"),
    reading("no_such_user", "/users/nobody@contoso.example", "404 Request_ResourceNotFound", "nobody@contoso.example"),
    reading("no_such_id", "/users/123", "404 Request_ResourceNotFound"),
    reading("path_with_a_host", "https://graph.example/v1.0/users", "A path must begin with one slash"),
    reading("path_to_another_host", "//graph.example/users", "A path must begin with one slash and hold no double one"),
    reading("path_upwards", "/users/../../beta/users", "A path must not hold '.' or '..' as a segment"),
    reading("path_upwards_encoded", "/users/%2e%2e/organization", "A path must not hold '.' or '..' as a segment"),
    reading("path_with_a_control_character", "/users/anna\r\nHost: evil", "control characters"),
    reading("path_with_an_encoded_control_character", "/users/anna%0d%0aHost", "control characters"),
    reading("relative_path", "users", "A path must begin with one slash"),
    reading("unknown_segment", "/nothing", "Resource not found for the segment 'nothing'"),
    reading(
        "unknown_version", "/users", "value of api_version must be one of: v1.0, beta, got: v2.0", api_version="v2.0"
    ),
    reading(
        "reserved_header",
        "/users",
        "headers: 'authorization' is set by the module and cannot be given.",
        headers={"authorization": "Bearer x"},
    ),
    reading(
        "header_with_a_line_break", "/users", "headers: 'Prefer' is no valid header.", headers={"Prefer": "a\nHost: b"}
    ),
    reading(
        "parameter_of_a_wrong_type",
        "/users",
        "parameters: '$select' must be a string, a number or a boolean.",
        parameters={"$select": ["id"]},
    ),
    reading("wrong_expression", "/users", "query, a JMESPath expression, does not work: ", query="[?"),
    reading("no_items", "/users", "max_items must be 1 or more.", max_items=0),
]

REQUESTS = [
    writing("no_desired_state", "PATCH needs 'desired', the properties that the object must show", method="PATCH"),
    writing("creation_unread", "POST needs 'read_path'", method="POST", desired={"displayName": "x"}),
    writing(
        "deletion_with_a_body",
        "DELETE takes neither 'desired' nor 'body'",
        method="DELETE",
        desired={"displayName": "x"},
    ),
    writing(
        "compared_and_always",
        "with 'always: true' nothing is compared",
        method="PATCH",
        desired={"displayName": "x"},
        always=True,
    ),
    writing(
        "nothing_to_change",
        "/users/nobody@contoso.example does not exist, so there is nothing to change with PATCH.",
        method="PATCH",
        path="/users/nobody@contoso.example",
        desired={"displayName": "x"},
    ),
    writing(
        "expression_for_reading",
        "read_query, a JMESPath expression, does not work: ",
        method="PATCH",
        desired={"displayName": "x"},
        read_query="[?",
    ),
    writing(
        "many_permissions",
        "The application lacks permissions, so nothing was touched.",
        "Sites.FullControl.All",
        "Mail.Send",
        method="PATCH",
        desired={"allowInvitesFrom": "none"},
        permissions=["Sites.FullControl.All", "Policy.Read.All", "Mail.Send"],
    ),
]

REFUSALS = [
    Case(
        "missing_permission",
        (
            "The application lacks permissions, so nothing was touched. ",
            "Needed to change the security defaults policy: ",
            "Policy.ReadWrite.SecurityDefaults",
            "with admin consent",
        ),
        scenario="reader",
    ),
    Case(
        "creation_of_a_second_object",
        ("shows an object that differs from 'desired', and POST would create a second one",),
        "graph_request",
        {
            "method": "POST",
            "path": "/groups",
            "desired": {"displayName": "All staff", "description": "Another one"},
            "read_path": "/groups?$filter=displayName eq 'All staff'",
            "read_query": "value[0]",
        },
        scenario="legacy",
    ),
    Case(
        "conditional_access_enabled",
        (
            "Security defaults were not turned on. 3 Conditional Access policies are enabled",
            "'CA001: Require MFA for administrators'",
            "'CA002: Block legacy authentication'",
            "'CA003: Require MFA for sensitive work outside the offices'",
        ),
        scenario="business",
    ),
    Case(
        "conditional_access_unknown",
        (
            "Security defaults were not turned on. Whether Conditional Access policies are enabled could not be read",
            "not licensed for this feature",
            "add 'unknown_conditional_access' to accept_risks",
        ),
        scenario="conditional_access_unreadable",
    ),
    Case(
        "nobody_can_register",
        ("with security defaults nobody could register, administrators included",),
        options={**TURN_ON, "accept_risks": [UNPROVEN, "unknown_registration_methods", "limited_registration_methods"]},
        scenario="nobody_can_register",
    ),
    Case(
        "turned_off_unaware",
        ("Security defaults were not turned off. ", "add 'unprotected_users' to accept_risks"),
        options={"enabled": False},
        scenario="locked",
    ),
    Case(
        "tenant_of_another_kind",
        ("This is an external tenant for customers; zerotrust.m365 only changes ordinary workforce tenants.",),
        scenario="customers",
    ),
]


def right_options(simulator: Simulator, tenant: Tenant) -> dict[str, Any]:
    return {
        "tenant_id": tenant.tenant_id,
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "graph_url": simulator.graph_url,
        "login_url": simulator.login_url,
        "ca_path": simulator.ca_file,
    }


def token_cases(simulator: Simulator) -> list[Case]:
    """Ready tokens that must not be used. Their signatures are never looked at, so these are signed with anything."""
    own, other, _third = simulator.tenants_of("greenfield")
    claims = {"aud": simulator.graph_url, "tid": own.tenant_id, "exp": int(time.time()) + 3600}

    def ready(name: str, token: str, *words: str) -> Case:
        without = {"client_id": None, "client_secret": None}
        return Case(name, words, options={**TURN_ON, **without, "access_token": token})

    def signed(**changed: Any) -> str:
        return jwt.encode({**claims, **changed}, "some key that is long enough for HS256")

    return [
        ready(
            "token_of_another_tenant",
            simulator.access_token(other),
            f"The access token is of tenant {other.tenant_id}, but the task is for tenant {own.tenant_id}.",
        ),
        ready(
            "token_for_another_service",
            signed(aud="https://management.azure.com"),
            f"is for 'https://management.azure.com', not for Microsoft Graph at {simulator.graph_url}.",
        ),
        ready("expired_token", signed(exp=int(time.time()) - 60), "The access token has expired", "log in again"),
        ready("no_token", "a-b-c", "access_token is no access token of Microsoft Entra"),
        ready("forged_token", signed(), "401 InvalidAuthenticationToken", "log in again"),
    ]


class CaseRun:
    """One run over cases, and what came of it."""

    def __init__(self, cases: list[Case], simulator: Simulator, folder: Path, door: str, play: Play) -> None:
        self.cases = cases
        self.simulator = simulator
        hosts = {}
        for case in cases:
            options = {**right_options(simulator, simulator.tenant(case.scenario)), **case.options}
            task = {
                "name": case.name,
                f"zerotrust.m365.{case.module}": {name: value for name, value in options.items() if value is not None},
                **case.keywords,
            }
            (folder / f"{case.name}.yml").write_text(yaml.safe_dump([task], sort_keys=False), encoding="utf-8")
            hosts[case.name] = {"m365_in_process": door == "action", **case.variables}
        inventory = folder / "inventory.yml"
        everywhere = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": everywhere}}), encoding="utf-8")
        playbook = folder / "cases.yml"
        tasks = [{"name": "Try", "ansible.builtin.include_tasks": "{{ inventory_hostname }}.yml"}]
        playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        self.run: PlaybookRun = play(playbook, "--inventory", str(inventory), door=None)

    def check(self) -> None:
        """Each case failed with its words; nothing was written, nothing escaped."""
        assert self.run.return_code == 2, self.run.output
        wrong = {}
        for case in self.cases:
            result = self.run.task(case.name, case.name)
            fine = result.failed and not result.changed and self.run.recap[case.name]["failures"] == 1
            if not fine or not all(word in result.message for word in case.words):
                wrong[case.name] = result.message
        assert wrong == {}
        assert "Traceback" not in self.run.output
        assert "This is a bug" not in self.run.output
        assert writes(self.simulator.journal()) == []
        assert not [tenant for tenant in self.simulator.tenants if tenant.client_secret in self.run.output]


@pytest.mark.parametrize("door", ["action", pytest.param("module", marks=pytest.mark.deep)])
def test_every_case(door: str, simulator: Simulator, play: Play, tmp_path: Path) -> None:
    wrong_ca = Case(
        "wrong_certificate_authority", ("certificate", "ca_path"), options={**TURN_ON, "ca_path": certifi.where()}
    )
    simulator.expects_wrong_request("GET /v1.0/nothing")
    cases = [*SIGN_IN, *ADDRESSES, *OPTIONS, *PATHS, *REQUESTS, *REFUSALS, wrong_ca, *token_cases(simulator)]
    CaseRun(cases, simulator, tmp_path, door, play).check()


def module_and_action_hosts(folder: Path) -> str:
    """An inventory of two hosts, ``action`` and ``module``, which go through the door of their name."""
    everywhere = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    hosts = {"action": {"m365_in_process": True}, "module": {"m365_in_process": False}}
    inventory = folder / "inventory.yml"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": everywhere}}), encoding="utf-8")
    return str(inventory)


def write_playbook(folder: Path, *tasks: Mapping[str, Any], **keywords: Any) -> Path:
    playbook = folder / "playbook.yml"
    content = [{"hosts": "all", "gather_facts": False, "tasks": list(tasks), **keywords}]
    playbook.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return playbook


@pytest.mark.parametrize("library", ["msal", "requests", "jmespath"])
def test_a_missing_library(library: str, simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenant = simulator.tenant("greenfield")
    without = tmp_path / "without"
    without.mkdir()
    (without / f"{library}.py").write_text(f"raise ImportError('no {library} here')\n", encoding="utf-8")
    run = play(
        write_playbook(
            tmp_path,
            {
                "name": "Read with an expression",
                "zerotrust.m365.graph_info": {"path": "/organization", "query": "[].id"},
            },
        ),
        *("--inventory", module_and_action_hosts(tmp_path)),
        door=None,
        environment={**simulator.environment(tenant), "PYTHONPATH": str(without)},
    )
    assert run.return_code == 2
    for host in ("action", "module"):
        result = run.task("Read with an expression", host)
        assert result.failed
        assert library in result.message
        assert "library" in result.message
    assert simulator.journal() == []


def test_a_killed_module_fails_its_own_host_only(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenants = simulator.tenants_of("greenfield")
    killed = tmp_path / "killed"
    killed.mkdir()
    (killed / "msal.py").write_text("import os\nos.kill(os.getpid(), 9)\n", encoding="utf-8")
    hosts = {
        f"tenant{number}": {**simulator.host_variables(tenant), "m365_in_process": False}
        for number, tenant in enumerate(tenants)
    }
    hosts["tenant1"]["python_path"] = str(killed)
    inventory = tmp_path / "inventory.yml"
    everywhere = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": everywhere}}), encoding="utf-8")
    options = {name.removeprefix("m365_"): f"{{{{ {name} }}}}" for name in simulator.host_variables(tenants[0])}
    run = play(
        write_playbook(
            tmp_path,
            {
                "name": "Turn security defaults on",
                "zerotrust.m365.security_defaults": {**TURN_ON, **options},
                "environment": {"PYTHONPATH": "{{ python_path | default('') }}"},
            },
        ),
        *("--inventory", str(inventory)),
        door=None,
    )
    assert run.return_code == 2
    assert [run.recap[f"tenant{number}"]["failures"] for number in range(3)] == [0, 1, 0]
    assert [run.recap[f"tenant{number}"]["changed"] for number in range(3)] == [1, 0, 1]
    assert run.task("Turn security defaults on", "tenant1").result["rc"] in (-9, 128 + 9)
    assert simulator.journal(tenants[1]) == []


def test_a_killed_worker_ends_the_run(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenant = simulator.tenant("greenfield")
    run = play(
        write_playbook(
            tmp_path,
            {
                "name": "Turn security defaults on",
                "zerotrust.m365.security_defaults": {**TURN_ON, "cloud": "{{ lookup('kill_this_process') }}"},
            },
            {"name": "Go on", "ansible.builtin.debug": {"msg": "This is never reached"}},
        ),
        *("--inventory", module_and_action_hosts(tmp_path)),
        door=None,
        environment={
            **simulator.environment(tenant),
            "ANSIBLE_LOOKUP_PLUGINS": str(Path(__file__).parent / "lookup_plugins"),
        },
    )
    assert run.return_code != 0
    assert "A worker was found in a dead state" in run.output
    assert "This is never reached" not in run.output
    assert "Traceback" not in run.output
    assert simulator.journal() == []


def one_task(play: Play, environment: Mapping[str, str], folder: Path, task: Mapping[str, Any]) -> PlaybookRun:
    """Run one task through both doors, one after the other."""
    return play(
        write_playbook(folder, {**task, "ignore_errors": True}, serial=1),
        *("--inventory", module_and_action_hosts(folder)),
        door=None,
        environment=environment,
    )


def test_a_write_that_graph_refuses(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenant = simulator.tenant("greenfield")
    simulator.fail("identitySecurityDefaultsEnforcementPolicy", 400, method="PATCH", times=None)
    task = {"name": "Turn on", "zerotrust.m365.security_defaults": TURN_ON}
    run = one_task(play, simulator.environment(tenant), tmp_path, task)
    for host in ("action", "module"):
        result = run.task("Turn on", host)
        assert result.failed
        assert not result.changed
        assert "Could not change security defaults: Microsoft Graph answered 400" in result.message
        assert result.result["error"]["request_id"] in result.message
        assert result.result["error"]["method"] == "PATCH"
    assert [write.wrote for write in writes(simulator.journal())] == [False, False]


def test_a_write_that_graph_does_not_show(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenant = simulator.tenant("write_ignored")
    task = {"name": "Turn on", "zerotrust.m365.security_defaults": {**TURN_ON, "wait_timeout": 1}}
    run = one_task(play, simulator.environment(tenant), tmp_path, task)
    for host in ("action", "module"):
        result = run.task("Turn on", host)
        assert result.failed
        assert "did not show it within 1 seconds" in result.message


def test_a_task_that_takes_too_long_writes_nothing(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenant = simulator.tenant("greenfield")
    # Both doors are told to wait beyond the timeout; a module goes on after that, and must not write then.
    simulator.fail("identitySecurityDefaultsEnforcementPolicy", 429, method="GET", retry_after="8", times=2)
    # Long enough for a busy machine to start a module in it.
    task = {"name": "Turn on", "zerotrust.m365.security_defaults": TURN_ON, "timeout": 6}
    run = one_task(play, simulator.environment(tenant), tmp_path, task)
    wait_for_processes_of(run.folder)
    for host in ("action", "module"):
        result = run.task("Turn on", host)
        assert result.failed
        assert "expected time frame (6)" in result.message or "Timed out after 6 second" in result.message
    assert writes(simulator.journal()) == []
    # The module did go on: it has asked again.
    reads = [one for one in simulator.journal() if one.path.endswith("identitySecurityDefaultsEnforcementPolicy")]
    assert [one.status for one in reads] == [429, 429, 200]


@pytest.mark.parametrize(
    ("scenario", "enabled", "risk", "broken"),
    [
        ("conditional_access_unreadable", True, "unknown_conditional_access", []),
        ("locked", False, "unprotected_users", ["mfa_protection"]),
    ],
)
def test_a_risk_accepted_by_name(
    scenario: str, enabled: bool, risk: str, broken: list[str], simulator: Simulator, play: Play, tmp_path: Path
) -> None:
    """The counterpart of the refusals above: the task that was refused, with the name that its message gave."""
    tenant = simulator.tenant(scenario)
    for rule in broken:
        simulator.expects_violation(rule, tenant)
    options = {"enabled": enabled, "accept_risks": [risk, UNPROVEN]}
    task = {"name": "Switch", "zerotrust.m365.security_defaults": options}
    run = play(write_playbook(tmp_path, task, hosts="localhost"), environment=simulator.environment(tenant))
    assert run.return_code == 0, run.output
    assert run.task("Switch").changed
    assert run.task("Switch").result["security_defaults"] == {"enabled": enabled}
    assert [write.wrote for write in writes(simulator.journal())] == [True]
