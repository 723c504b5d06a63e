# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_tenant import OpenTenant, SimulatedTenant
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL
from m365_simulator.simulation import Options, Simulation

OpenSimulation = Callable[[str], Simulation]


@pytest.fixture(scope="session")
def simulations_kept() -> Iterator[dict[str, Simulation]]:
    """One for each scenario: to make one takes longer than most tests."""
    made: dict[str, Simulation] = {}
    yield made
    for simulation in made.values():
        simulation.close()


@pytest.fixture
def open_simulation(simulations_kept: dict[str, Simulation]) -> OpenSimulation:
    """A scenario as it was at the start."""

    def open_one(scenario: str) -> Simulation:
        if scenario not in simulations_kept:
            simulations_kept[scenario] = Simulation(Options(scenarios=(scenario,)), [URL])
        simulations_kept[scenario].reset()
        return simulations_kept[scenario]

    return open_one


@pytest.fixture
def open_tenant(open_simulation: OpenSimulation, monkeypatch: pytest.MonkeyPatch) -> OpenTenant:
    """The tenant of a scenario, as it was at the start."""
    return lambda scenario: SimulatedTenant(open_simulation(scenario), monkeypatch)
