# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the simulator has, asked for and held against Microsoft's schema."""

from __future__ import annotations

import re
from functools import cache

import pytest

from ansible_collections.zerotrust.m365.tests.contract.checking import Contract
from ansible_collections.zerotrust.m365.tests.contract.driving import BASE, Driver
from ansible_collections.zerotrust.m365.tests.contract.tables import read_exceptions
from m365_simulator.exchanges import Exchange
from m365_simulator.graph.service import ROUTES
from m365_simulator.scenarios import scenario_names
from m365_simulator.simulation import Options, Simulation

USERS = 12
DRIVEN = ("business", "hybrid")
EVERYWHERE = [
    pytest.param(scenario, marks=() if scenario in DRIVEN else pytest.mark.deep) for scenario in scenario_names()
]
# Simulated as far as their refusal: what needs Entra ID P2, what no application may read, who it is not.
REFUSED = re.compile(
    r"/roleManagement/directory/role(Assignment|Eligibility)Schedule.*|/identityProtection/.*|/identityGovernance/.*"
    r"|/me|/policies/(permissionGrantPolicies|roleManagementPolicies|featureRolloutPolicies)"
)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract()


@cache
def drive(scenario: str) -> list[Exchange]:
    simulation = Simulation(Options(scenarios=(scenario,), users=USERS), [BASE])
    try:
        driver = Driver(simulation)
        driver.write_something_of_everything()
        driver.read_everything()
        return driver.exchanges
    finally:
        simulation.close()


@pytest.mark.parametrize("scenario", EVERYWHERE)
def test_everything_is_as_the_schema_has_it(contract: Contract, scenario: str) -> None:
    exchanges = drive(scenario)
    findings = {finding for exchange in exchanges for finding in contract.check(exchange)}
    assert not findings, "\n".join(sorted(findings))


def test_little_was_left_out(contract: Contract) -> None:
    """Else the test above would prove little. Between them, the two scenarios have all that there is."""
    exchanges = [exchange for scenario in DRIVEN for exchange in drive(scenario)]
    assert not unanswered(exchanges)
    for exchange in exchanges:
        contract.check(exchange)
    unused = {exception.name for exception in read_exceptions()} - contract.used_exceptions
    assert not unused, "no longer needed in exceptions.yml"


def unanswered(exchanges: list[Exchange]) -> set[str]:
    """Routes that gave no answer but errors, which proves little."""
    answered = {f"/{exchange.version}{exchange.path}" for exchange in exchanges if exchange.status == 200}
    return {
        f"/{version}{route.template}"
        for route in ROUTES
        for version in route.versions
        if route.method == "GET" and not REFUSED.fullmatch(route.template)
        if not any(pattern(f"/{version}{route.template}").fullmatch(path) for path in answered)
    }


@cache
def pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))


def test_known_exceptions_have_evidence() -> None:
    assert all(exception.evidence.strip() for exception in read_exceptions())


def test_every_route_is_in_the_schema(contract: Contract) -> None:
    unknown = set()
    for route in ROUTES:
        for version in route.versions:
            table = contract.tables[version]
            template = table.template(re.sub(r"\{\w+\}", "x", route.template))
            if template is None or table.operation(template, route.method) is None:
                unknown.add(f"{route.method} /{version}{route.template}")
    assert not unknown
