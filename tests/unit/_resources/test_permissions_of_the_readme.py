# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What README.md says that an application needs for a dry run is enough for one, and none of it is too much."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import M365Error
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import (
    emergency_access_info,
    emergency_account,
    security_defaults,
    tenant_info,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.facts import ALL_FACTS
from ansible_collections.zerotrust.m365.tests.unit._resources.conftest import OpenSimulation
from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_graph import Task
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Client

README = Path(__file__).parents[3] / "README.md"
(ROW,) = re.findall(r"^ *\| reading .*$", README.read_text(encoding="utf-8"), re.MULTILINE)
READING = re.findall(r"`([\w.-]+)`", ROW)
LACKING = re.compile("Missing permission|permission is missing|lacks permissions")
ADMINISTRATORS = "/v1.0/directoryRoles(roleTemplateId='62e90394-69f5-4237-9190-012177145e10')/members"
OF_GRAPH = [name for name in ALL_FACTS if name != "region"]
"""The region comes from the sign-in."""


def unread(simulated: Client, *granted: str) -> list[str]:
    """What the modules of baseline say of permissions, in a tenant with an administrator for the emergency account."""
    (initial,) = [one["id"] for one in simulated.get("/v1.0/domains").value if one["isInitial"]]
    names = [one["userPrincipalName"] for one in simulated.get(ADMINISTRATORS).value]
    name = next(name for name in names if name.endswith(f"@{initial}"))
    simulated.grant(*granted)
    found = []

    def run(resource: Any, **options: Any) -> dict[str, Any]:
        try:
            return Task(resource, simulated).run(check_mode=True, **options)
        except M365Error as error:
            found.append(error.message)
            return {}

    facts = run(tenant_info.RESOURCE, gather_subset=OF_GRAPH).get("tenant", {})
    found += [fact["reason"] for fact in facts.values() if fact["completeness"] != "known"]
    run(emergency_account.RESOURCE, user_principal_name=name, password="correct horse battery staple 1A")
    judged = run(
        emergency_access_info.RESOURCE, accounts=[{"user_principal_name": name}], exclusion_group="Emergency access"
    )
    found.append(str(judged))
    run(security_defaults.RESOURCE, enabled=True, accept_risks=["unproven_emergency_access"])
    return [text for text in found if LACKING.search(text)]


@pytest.fixture
def hybrid(open_simulation: OpenSimulation) -> Client:
    return Client(open_simulation("hybrid"), [])


def test_they_are_enough(hybrid: Client) -> None:
    assert unread(hybrid, *READING) == []


@pytest.mark.parametrize("permission", READING)
def test_none_of_them_is_too_much(hybrid: Client, permission: str) -> None:
    assert unread(hybrid, *(name for name in READING if name != permission)) != []
