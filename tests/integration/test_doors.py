# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action and the module cannot be told apart, but by the time they take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.integration.comparing import comparable_run, without_moments
from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, writes

HERE = Path(__file__).parent
DOORS = HERE / "playbooks/doors.yml"
HANDED_OVER = HERE / "playbooks/handed_over.yml"
SECURITY_DEFAULTS = "identitySecurityDefaultsEnforcementPolicy"


@pytest.fixture
def inventory(tmp_path: Path, simulator: Simulator) -> str:
    """The host ``tenant`` with its credentials as variables, and its neighbour."""
    tenant = simulator.tenant("greenfield")
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "tenant_id": tenant.tenant_id,
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
    }
    path = tmp_path / "inventory.yml"
    content = {"all": {"hosts": {"tenant": {}, "neighbour": {}}, "vars": variables}}
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def results(run: PlaybookRun, task: str) -> list[Any]:
    return [one.result for one in [*run.results, *run.items] if one.task == task]


def test_both_doors_give_the_same(simulator: Simulator, play: Play, inventory: str) -> None:
    runs = {}
    for door in ("action", "module"):
        simulator.reset()
        environment = {**simulator.address(), "ANSIBLE_INJECT_INVOCATION": "true"}  # no longer the default in 2.21
        runs[door] = play(DOORS, "--inventory", inventory, "--diff", door=door, environment=environment)
        assert runs[door].return_code == 0, runs[door].output
        assert [write.method for write in writes(simulator.journal())] == ["PATCH"]
        assert "a-very-secret-value" not in runs[door].output
    for through_action, through_module in zip(*map(comparable_run, runs.values()), strict=True):
        assert through_action == through_module

    run = runs["action"]
    assert run.task("Nothing to sign in with").message.startswith("No credentials: ")
    assert run.task("The environment of the task").result["result"] == ["Northwind Traders"]
    messages = [item.message for item in run.items if item.task == "The environment of each item"]
    assert [message.split(":")[0] for message in messages] == [
        "Read 1 items.",
        "No credentials",
        "Could not sign in (AADSTS7000215)",
        "Read 1 items.",
    ]
    assert run.task("A dry run within a run").changed
    assert run.task("Words for booleans and numbers").result["invocation"]["module_args"]["accept_risks"] == [
        "unknown_conditional_access",
        "unproven_emergency_access",
    ]
    assert run.task("Words for booleans and numbers").result["invocation"]["module_args"]["max_retries"] == 3
    assert run.task("A secret among the options").result["invocation"]["module_args"]["secret_body"] == {
        "whisper": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    }
    assert run.task("Values out of templates, a moment among them").result["result"] == 1
    assert "max_duration of 0 seconds" in run.task("Out of time before the write").message
    assert run.task("A change").changed
    assert [one.task for one in run.results if "deprecations" in one.result] == []


@pytest.mark.parametrize("door", ["action", "module"])
def test_the_doors_are_what_they_say(door: str, simulator: Simulator, play: Play, inventory: str) -> None:
    run = play(
        HANDED_OVER,
        *("--inventory", inventory, "-vvv", "--tags", "simplest"),
        door=door,
        environment=simulator.environment(simulator.tenant("greenfield")),
    )
    assert run.task("In the simplest way").result["complete"]
    assert (" EXEC " in run.stdout) == (door == "module")


def mark(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    return {
        **environment,
        "BECOME_MARK": str(folder / "became"),
        "ANSIBLE_BECOME_PLUGINS": str(HERE / "become_plugins"),
        "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "connection_plugins"),
    }


def test_handing_over(simulator: Simulator, play: Play, inventory: str, tmp_path: Path) -> None:
    environment = mark(tmp_path, simulator.environment(simulator.tenant("greenfield")))
    run = play(HANDED_OVER, "--inventory", inventory, "-vvv", environment=environment)
    assert run.return_code == 0, run.output
    (simplest,) = results(run, "In the simplest way")
    for task in ("In the background", "As somebody else", "Over another connection"):
        (result,) = results(run, task)
        assert without_moments(result) == without_moments(simplest), task
        after = run.stdout.partition(f"TASK [{task}]")[2].partition("TASK [")[0]
        assert " EXEC " in after, task
    assert "ansible_job_id" in results(run, "In the background")[0]
    assert (tmp_path / "became").exists()


def test_retries_are_warnings(simulator: Simulator, play: Play, inventory: str) -> None:
    warnings = []
    for door in ("action", "module"):
        simulator.reset()
        simulator.fail(SECURITY_DEFAULTS, 429, method="PATCH", retry_after="0.1")
        simulator.fail("/users", 503, method="GET")
        run = play(
            DOORS,
            *("--inventory", inventory, "--start-at-task", "A change"),
            door=door,
            environment=simulator.address(),
            warns=True,
        )
        assert run.return_code == 0, run.output
        result = run.task("A change")
        assert result.changed
        assert [write.status for write in writes(simulator.journal())] == [429, 204]
        warnings.append(without_moments(result.result)["warnings"])
        assert len(warnings[-1]) == 2
        assert all("trying again in WAIT seconds" in warning for warning in warnings[-1])
        shown = without_moments({"output": " ".join(run.output.split())})["output"]
        assert all(warning in shown for warning in warnings[-1])
    assert warnings[0] == warnings[1]


@pytest.mark.parametrize("door", ["action", "module"])
def test_a_run_within_a_dry_run(door: str, simulator: Simulator, play: Play, inventory: str, tmp_path: Path) -> None:
    playbook = tmp_path / "playbook.yml"
    options = {"enabled": True, "accept_risks": ["unproven_emergency_access"]}
    tasks = [{"zerotrust.m365.security_defaults": options, "check_mode": False, "name": "Do it all the same"}]
    playbook.write_text(json.dumps([{"hosts": "tenant", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    tenant = simulator.tenant("greenfield")
    simulator.expects_violation("check_mode", tenant)
    environment = simulator.environment(tenant)
    run = play(playbook, "--inventory", inventory, "--check", door=door, environment=environment)
    assert run.task("Do it all the same").changed
    assert [write.method for write in writes(simulator.journal())] == ["PATCH"]
