# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.table import ROWS
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import (
    URL,
    Client,
    greenfield,
    legacy,
    locked,
    simulate,
    simulations,
)
from m365_simulator.simulation import Options, Simulation

__all__ = ["business", "greenfield", "legacy", "locked", "simulate", "simulations"]

FEW = 12


@pytest.fixture(scope="session")
def few_people() -> Iterator[Simulation]:
    simulation = Simulation(Options(scenarios=("business",), users=FEW), [URL])
    yield simulation
    simulation.close()


@pytest.fixture
def business(few_people: Simulation) -> Client:
    """A client of the scenario in its first state, with fewer people: after each write all of them are looked at."""
    few_people.reset()
    return Client(few_people, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What is not simulated yet is said, not skipped."""
    terminalreporter.section("scenarios of Microsoft Graph that are pending")
    for row in ROWS:
        if row.pending:
            terminalreporter.line(f"pending: {row.number} {row.title} ({row.pending})")
