# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks/baseline.yml asks of a tenant that needs no change, by scenario, from the simulator's journal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.zerotrust.m365.tests.benchmarks.many_tenants import (
    BASELINE,
    WITHOUT_EMERGENCY_ACCESS,
    inventory,
    requests_by_tenant,
)
from ansible_collections.zerotrust.m365.tests.benchmarks.measuring import Playing
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import (
    Request,
    Simulator,
    sent,
    token_requests,
    writes,
)

SCENARIOS = ("greenfield", "legacy", "business", "hybrid", "locked")


@dataclass(frozen=True)
class Requests:
    """HTTP requests to one tenant, and what its $batch held. ``again``: reads that an earlier task had made."""

    scenario: str
    tokens: int
    other_sign_in: int
    graph: int
    in_batches: int
    written: int
    again: int

    @property
    def over_http(self) -> int:
        return self.tokens + self.other_sign_in + self.graph

    @classmethod
    def of(cls, scenario: str, journal: list[Request]) -> Requests:
        over_http, tokens = sent(journal), token_requests(journal)
        reads = Counter(
            (request.version, request.path, request.query)
            for request in journal
            if request.method == "GET" and not request.sign_in
        )
        return cls(
            scenario=scenario,
            tokens=len(tokens),
            other_sign_in=sum(request.sign_in for request in over_http) - len(tokens),
            graph=sum(not request.sign_in for request in over_http),
            in_batches=len(journal) - len(over_http),
            written=len(writes(journal)),
            again=sum(times - 1 for times in reads.values()),
        )


def requests_by_scenario(simulator: Simulator, folder: Path) -> list[Requests]:
    """The simulator has one tenant for each scenario. They are brought to the baseline first, which is not counted."""
    playing = Playing(folder)
    hosts = inventory(folder, simulator, simulator.tenants)
    playing.play(BASELINE, *WITHOUT_EMERGENCY_ACCESS, "--inventory", hosts, changes=True)
    simulator.forget()
    playing.play(BASELINE, *WITHOUT_EMERGENCY_ACCESS, "--inventory", hosts)
    journals = requests_by_tenant(simulator)
    return [Requests.of(tenant.scenario, journal) for tenant, journal in zip(simulator.tenants, journals, strict=True)]
