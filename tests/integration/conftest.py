# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun, run_playbook
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator

OWN = Path(__file__).parent / "scenarios"
# One tenant for each, in one simulator. Three of them are alike, for tests of many tenants.
SCENARIOS = (
    *("greenfield", "greenfield", "greenfield", "legacy", "business", "hybrid", "locked"),
    *(str(path) for path in sorted(OWN.glob("*.yml"))),
)

Play = Callable[..., PlaybookRun]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    simulator = Simulator(tmp_path_factory.mktemp("simulator"), SCENARIOS, record=True)
    yield simulator
    simulator.stop()


@pytest.fixture
def simulator(running: Simulator) -> Iterator[Simulator]:
    """The simulator as it was at the start. A test in which a write breaks a rule of its watch fails, and one in
    which a request or an answer is not as Microsoft's schema has it.
    """
    with running.watched(), running.held_to_schema():
        yield running


@pytest.fixture(scope="session")
def play(running: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Runs a playbook through one of the doors (None: the inventory says). Fails on a warning, unless ``warns``.

    The simulator is told before, so that it holds a dry run to writing nothing.
    """
    numbers = count(1)
    runs = tmp_path_factory.mktemp("runs")

    def play(
        playbook: str | Path,
        *options: str,
        door: str | None = "action",
        environment: Mapping[str, str] | None = None,
        variables: Mapping[str, Any] | None = None,
        warns: bool = False,
    ) -> PlaybookRun:
        running.announce_run(check_mode="--check" in options)
        run = run_playbook(
            runs / str(next(numbers)),
            playbook,
            *options,
            environment=environment,
            variables={**({"m365_in_process": door == "action"} if door else {}), **(variables or {})},
        )
        assert run.warned == warns, run.output
        return run

    return play
