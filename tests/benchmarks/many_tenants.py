# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/baseline.yml on many tenants that need no change, and the same shape of tasks that do nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.zerotrust.m365.tests.benchmarks.measuring import Measured, Playing, interleaved
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import TaskResult
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import (
    Request,
    Simulator,
    Tenant,
    sent,
    token_requests,
)

BASELINE = "zerotrust.m365.baseline"
# Emergency accounts cannot be usable here: nobody registers their second factors.
WITHOUT_EMERGENCY_ACCESS = (
    *("--skip-tags", "emergency_access"),
    *("--extra-vars", json.dumps({"security_defaults_accept_risks": ["unproven_emergency_access"]})),
)
OURS = "zerotrust.m365."

ACTION = "action door"
IDLE_ACTIONS = "no-op actions in their place"
MODULE = "module door"
IDLE_MODULES = "no-op modules (importing msal and requests) in their place"


@dataclass
class FanOut:
    """By case and round: tenants per minute of the clock, and CPU seconds per tenant. Requests by tenant and run."""

    tenants: int
    tasks: int = 0
    own_tasks: int = 0
    tenants_per_minute: dict[str, list[float]] = field(default_factory=dict)
    cpu_per_tenant: dict[str, list[float]] = field(default_factory=dict)
    requests: set[int] = field(default_factory=set)
    token_requests: set[int] = field(default_factory=set)


def fan_out(simulator: Simulator, folder: Path, rounds: int) -> FanOut:
    """The simulator's tenants must all be at the baseline already."""
    playing = Playing(folder)
    hosts = inventory(folder, simulator, simulator.tenants)
    recorded = playing.play(BASELINE, *WITHOUT_EMERGENCY_ACCESS, "--inventory", hosts, "--limit", "tenant0").run.results
    found = FanOut(
        tenants=len(simulator.tenants),
        tasks=sum(not task.skipped for task in recorded),
        own_tasks=sum(is_ours(task) for task in recorded),
    )

    def measured(name: str, playbook: str | list[dict[str, Any]], variables: Mapping[str, Any]) -> float:
        options = WITHOUT_EMERGENCY_ACCESS if playbook == BASELINE else ()
        simulator.forget()
        done: Measured = playing.play(playbook, *options, "--inventory", hosts, variables=variables)
        if playbook == BASELINE:
            by_tenant = requests_by_tenant(simulator)
            found.requests |= {len(sent(requests)) for requests in by_tenant}
            found.token_requests |= {len(token_requests(requests)) for requests in by_tenant}
        found.cpu_per_tenant.setdefault(name, []).append(done.cpu / found.tenants)
        return found.tenants / done.seconds * 60

    idle_actions, idle_modules = idle(recorded, "idle_action"), idle(recorded, "idle_module_with_libraries")
    found.tenants_per_minute = {
        **interleaved(
            {
                ACTION: lambda: measured(ACTION, BASELINE, {"m365_in_process": True}),
                IDLE_ACTIONS: lambda: measured(IDLE_ACTIONS, idle_actions, {}),
            },
            rounds,
        ),
        **interleaved(
            {
                MODULE: lambda: measured(MODULE, BASELINE, {"m365_in_process": False}),
                IDLE_MODULES: lambda: measured(IDLE_MODULES, idle_modules, {}),
            },
            1,  # minutes
        ),
    }
    return found


def inventory(folder: Path, simulator: Simulator, tenants: Sequence[Tenant]) -> str:
    hosts = {f"tenant{number}": simulator.host_variables(tenant) for number, tenant in enumerate(tenants)}
    path = folder / "tenants.json"
    path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    return str(path)


def is_ours(task: TaskResult) -> bool:
    return task.action.startswith(OURS) and not task.skipped


def idle(recorded: Sequence[TaskResult], in_place_of_ours: str) -> list[dict[str, Any]]:
    """A play with as many tasks as were recorded, the same ones skipped, and nothing in them.

    What is Ansible's own in the play (set_fact, assert, the check of a role's arguments) becomes a no-op action too.
    """
    tasks = []
    for number, task in enumerate(recorded):
        plugin = in_place_of_ours if is_ours(task) else "idle_action"
        tasks.append({"name": f"Task {number}", plugin: {}, "when": not task.skipped})
    variables = {
        "ansible_connection": "local",
        "ansible_pipelining": True,
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    return [{"hosts": "all", "gather_facts": False, "vars": variables, "tasks": tasks}]


def requests_by_tenant(simulator: Simulator) -> list[list[Request]]:
    journal = simulator.journal()
    return [[request for request in journal if request.concerns(tenant)] for tenant in simulator.tenants]
