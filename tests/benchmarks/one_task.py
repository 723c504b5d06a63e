# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one converged task costs through each door, against tasks that do nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi

from ansible_collections.zerotrust.m365.tests.benchmarks.measuring import Playing, interleaved
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator

FEW = 5
MANY_ACTIONS = 45
MANY_MODULES = 13

IDLE_ACTION = "no-op action"
IDLE_MODULE = "no-op module that imports msal and requests"
ACTION = "security_defaults, action door"
ACTION_PUBLIC = "security_defaults, action door, public CAs"
MODULE = "security_defaults, module door"
MODULE_PUBLIC = "security_defaults, module door, public CAs"


@dataclass(frozen=True)
class Case:
    """A task, how often a longer and a shorter play repeat it, and the CA file that the environment names."""

    task: dict[str, Any]
    many: int
    in_process: bool = True
    authorities: Path | None = None


def seconds_per_task(simulator: Simulator, folder: Path, rounds: int) -> dict[str, list[float]]:
    """CPU seconds per task, by case and round.

    Real tasks, each with a worker of its own, and no items of a loop. The difference of a long and a short play leaves
    out what Ansible needs to start.
    """
    public = folder / "public_authorities.pem"
    public.write_text(
        Path(certifi.where()).read_text(encoding="utf-8") + Path(simulator.ca_file).read_text(encoding="utf-8"),
        encoding="utf-8",
    )
    private = Path(simulator.ca_file)
    converged: dict[str, Any] = {
        "zerotrust.m365.security_defaults": {"enabled": True, "access_token": "{{ ready_token }}"}
    }
    cases = {
        IDLE_ACTION: Case({"idle_action": {}}, MANY_ACTIONS),
        ACTION: Case(converged, MANY_ACTIONS, authorities=private),
        ACTION_PUBLIC: Case(converged, MANY_ACTIONS, authorities=public),
        IDLE_MODULE: Case({"idle_module_with_libraries": {}}, MANY_MODULES),
        MODULE: Case(converged, MANY_MODULES, in_process=False, authorities=private),
        MODULE_PUBLIC: Case(converged, MANY_MODULES, in_process=False, authorities=public),
    }
    playing = Playing(folder)
    variables = {"ready_token": simulator.access_token(simulator.tenants[0])}

    def cpu(case: Case, tasks: int) -> float:
        environment = {**simulator.address(), "M365_CA_PATH": str(case.authorities)} if case.authorities else {}
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {
                "ansible_connection": "local",
                "ansible_pipelining": True,
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "m365_in_process": case.in_process,
            },
            "tasks": [{"name": f"Task {number}", **case.task} for number in range(tasks)],
        }
        return playing.play([play], environment=environment, variables=variables).cpu

    def per_task(case: Case) -> Callable[[], float]:
        return lambda: (cpu(case, case.many) - cpu(case, FEW)) / (case.many - FEW)

    return interleaved({name: per_task(case) for name, case in cases.items()}, rounds)
