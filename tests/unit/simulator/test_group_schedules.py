# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may join a group by Privileged Identity Management."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL, Client
from m365_simulator.simulation import Options, Simulation

SCENARIO = """
subscriptions: [{part_number: PART_NUMBER, bought: 5}]
people:
  named:
    - {name: Always One, roles: [Global Administrator]}
    - {name: Eligible Two}
groups:
  - {name: Inner, members: ["user:Always One"]}
  - {name: Joined, members: ["user:Always One"], eligible_members: ["user:Eligible Two", "group:Inner"]}
"""
INSTANCES = "/v1.0/identityGovernance/privilegedAccess/group/{}ScheduleInstances"

Tell = Callable[[str], Client]


@pytest.fixture
def tell(tmp_path: Path, client_of: Callable[[Simulation], Client]) -> Iterator[Tell]:
    """A tenant with a subscription of this part number."""
    opened = []

    def open_tenant(part_number: str) -> Client:
        file = tmp_path / f"{part_number}.yml"
        file.write_text(SCENARIO.replace("PART_NUMBER", part_number))
        opened.append(Simulation(Options(scenarios=(str(file),)), [URL]))
        return client_of(opened[-1])

    yield open_tenant
    for simulation in opened:
        simulation.close()


def test_who_may_join_is_listed_by_group_and_by_principal(tell: Tell) -> None:
    client = tell("AAD_PREMIUM_P2")
    group = client.get("/v1.0/groups?$filter=displayName eq 'Joined'").value[0]["id"]
    path = INSTANCES.format("eligibility")
    found = client.get(f"{path}?$filter=groupId eq '{group}'&$expand=principal").value
    assert sorted(item["principal"]["@odata.type"] for item in found) == [
        "#microsoft.graph.group",
        "#microsoft.graph.user",
    ]
    assert {(item["accessId"], item["groupId"], item["endDateTime"]) for item in found} == {("member", group, None)}
    for item in found:
        assert client.get(f"{path}?$filter=principalId eq '{item['principalId']}'").value[0]["id"] == item["id"]
    assert client.get(f"{INSTANCES.format('assignment')}?$filter=groupId eq '{group}'").value == []


def test_it_takes_a_filter_a_permission_and_a_licence(tell: Tell) -> None:
    client = tell("AAD_PREMIUM_P2")
    for word in ("eligibility", "assignment"):
        assert client.call("GET", INSTANCES.format(word)).status == 400
    client.grant("RoleManagement.Read.Directory", "PrivilegedAssignmentSchedule.Read.AzureADGroup")
    statuses = {
        word: client.call("GET", f"{INSTANCES.format(word)}?$filter=groupId eq 'a'").status
        for word in ("eligibility", "assignment")
    }
    assert statuses == {"eligibility": 403, "assignment": 200}
    refused = tell("AAD_PREMIUM").call("GET", f"{INSTANCES.format('assignment')}?$filter=groupId eq 'a'")
    assert (refused.status, refused.body["error"]["code"]) == (400, "AadPremiumLicenseRequired")
