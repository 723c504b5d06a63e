# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditional Access policies and named locations."""

from __future__ import annotations

from m365_simulator.building.making import Making
from m365_simulator.graph.managed_policies import managed_policies
from m365_simulator.graph.policy_schema import read_back
from m365_simulator.population import new_id


def build_conditional_access(making: Making) -> None:
    rng = making.random("conditional access")
    for item in making.scenario.get("named_locations", []):
        location = {"id": new_id(rng), "createdDateTime": making.created, "modifiedDateTime": making.created, **item}
        making.ids[f"location:{location.get('displayName')}"] = location["id"]
        making.add("namedLocation", location["id"], location)
    for item in making.scenario.get("conditional_access_policies", []):
        policy = read_back(making.resolve_all(item))
        policy = {"id": new_id(rng), "templateId": None, "createdDateTime": making.created, **policy}
        policy.setdefault("modifiedDateTime", None)
        making.add("conditionalAccessPolicy", policy["id"], policy)
    if "microsoft_managed_policies" in making.scenario:
        for managed in managed_policies(making.scenario["microsoft_managed_policies"]):
            policy = {**read_back(managed), "id": new_id(rng), "createdDateTime": making.created}
            policy["modifiedDateTime"] = None
            making.add("conditionalAccessPolicy", policy["id"], policy, private={"managed": True})
