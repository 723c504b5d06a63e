# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Administrative units with their members."""

from __future__ import annotations

from m365_simulator.building.making import Making
from m365_simulator.graph.administrative_units import new_unit
from m365_simulator.graph.restricted_management import UNIT
from m365_simulator.population import new_id


def build_administrative_units(making: Making) -> None:
    rng = making.random("administrative units")
    for item in making.scenario.get("administrative_units", []):
        restricted = item.get("restricted", False)
        unit = new_unit(new_id(rng), item["name"], description=item.get("description"), restricted=restricted)
        making.add(UNIT, unit["id"], unit, name=unit["displayName"])
        members = list(dict.fromkeys(making.resolve(member) for member in item.get("members", [])))
        making.store.link_many((unit["id"], member) for member in members)
        if restricted:
            making.restrict(members)
