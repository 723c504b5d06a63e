# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_tenant import OpenTenant, SimulatedTenant
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL
from m365_simulator.simulation import Options, Simulation


@pytest.fixture(scope="session")
def simulations_kept() -> Iterator[dict[str, Simulation]]:
    """One for each scenario: to make one takes longer than most tests."""
    made: dict[str, Simulation] = {}
    yield made
    for simulation in made.values():
        simulation.close()


@pytest.fixture
def open_tenant(simulations_kept: dict[str, Simulation], monkeypatch: pytest.MonkeyPatch) -> OpenTenant:
    """The tenant of a scenario, as it was at the start."""

    def open_one(scenario: str) -> SimulatedTenant:
        if scenario not in simulations_kept:
            simulations_kept[scenario] = Simulation(Options(scenarios=(scenario,)), [URL])
        simulations_kept[scenario].reset()
        return SimulatedTenant(simulations_kept[scenario], monkeypatch)

    return open_one
