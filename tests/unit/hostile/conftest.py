# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.unit.hostile.replayed_tenant import ReplayedTenant
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL
from m365_simulator.simulation import Options, Simulation

OpenTenant = Callable[[str], ReplayedTenant]
Variables = Callable[[ReplayedTenant], Mapping[str, Any]]


@pytest.fixture(scope="session")
def simulations_kept() -> Iterator[dict[str, Simulation]]:
    made: dict[str, Simulation] = {}
    yield made
    for simulation in made.values():
        simulation.close()


@pytest.fixture
def open_tenant(simulations_kept: dict[str, Simulation], monkeypatch: pytest.MonkeyPatch) -> OpenTenant:
    """The tenant of a scenario, as it was at the start."""

    def open_one(scenario: str) -> ReplayedTenant:
        if scenario not in simulations_kept:
            simulations_kept[scenario] = Simulation(Options(scenarios=(scenario,)), [URL])
        tenant = ReplayedTenant(simulations_kept[scenario], monkeypatch)
        tenant.start_again()
        return tenant

    return open_one


@pytest.fixture
def variables(tmp_path: Path) -> Variables:
    """What the playbooks of tests/integration/targets are given."""

    def of_tenant(tenant: ReplayedTenant) -> Mapping[str, Any]:
        first = tenant.simulation.first
        return {
            "tenant_id": first.id,
            "client_id": first.application.client_id,
            "client_secret": first.application.client_secret,
            "initial_domain": first.initial_domain,
            "new_password": "correct-Horse7-battery",
            "ledger_folder": str(tmp_path),
            "security_key_pin": "safe-key-493716",
        }

    return of_tenant
