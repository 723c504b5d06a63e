# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups with their members."""

from __future__ import annotations

from typing import Any

from m365_simulator.building.making import Making
from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.objects import GROUP_ELIGIBILITY, group_eligibility, new_group
from m365_simulator.population import new_id


def build_groups(making: Making) -> None:
    rng = making.random("groups")
    for item in making.scenario.get("groups", []):
        making.ids[f"group:{item['name']}"] = new_id(rng)
    for item in making.scenario.get("groups", []):
        wanted: dict[str, Any] = {
            "displayName": item["name"],
            "description": item.get("description"),
            "mailNickname": item["name"].lower().replace(" ", "-"),
            "isAssignableToRole": True if item.get("role_assignable") else None,
        }
        group = new_group(making.ids[f"group:{item['name']}"], making.created, wanted)
        making.add("group", group["id"], group, name=group["displayName"])
        members = [making.resolve(member) for member in item.get("members", [])]
        for department in item.get("departments", []):
            members += making.departments[department]
        making.store.link_many((group["id"], member) for member in dict.fromkeys(members))
        for member in item.get("eligible_members", []):
            eligibility = group_eligibility(group["id"], making.resolve(member), making.created)
            making.add(GROUP_ELIGIBILITY, eligibility["id"], eligibility)
        for role in item.get("roles", []):
            making.assign(BUILT_IN_ROLES[role][0], group["id"])
