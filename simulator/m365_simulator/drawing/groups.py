# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups: departments inside divisions inside everybody, the exclusions of policies, holders of roles."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from m365_simulator.drawing.facts import Facts
from m365_simulator.names import DEPARTMENTS

EXCLUDED, SERVICES, PHONES, STAFF = "Excluded from Conditional Access", "Service accounts", "Phone users", "All staff"
DIVISIONS = {
    "Commerce": ("Sales", "Marketing"),
    "Office": ("Finance", "Human Resources", "IT"),
    "Production": ("Operations", "Research"),
}


def draw_groups(rng: random.Random, facts: Facts, named: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The key `groups` of a scenario. Whoever must always get in is a member of the excluded group."""
    emergency = [person["user"] for person in named if str(person.get("user")).startswith("emergency.")]
    services = [person["user"] for person in named if person.get("kind") == "service"]
    premium = facts.licence in ("P1", "P2")
    groups: list[dict[str, Any]] = [
        {
            "name": EXCLUDED,
            "description": "Emergency accounts" if emergency else "Administrators",
            "role_assignable": premium and rng.random() < 0.6,
            "members": _users(emergency or [named[0]["name"]]),
        },
        {"name": SERVICES, "members": _users(services)},
        {"name": PHONES, "departments": ["Operations"]},
        *_staff(nested=facts.users >= 25 or rng.random() < 0.3),
    ]
    if premium and rng.random() < 0.5:
        members = [person["name"] for person in named if person.get("department") == "IT"]
        role = {"roles": ["Helpdesk Administrator"], "role_assignable": True}
        groups.append({"name": "Helpdesk", **role, "members": _users(members)})
    if rng.random() < 0.4:
        groups.append({"name": "Old project", "description": "Nobody is left in it"})
    return {"groups": groups}


def _users(names: Sequence[str]) -> list[str]:
    return [f"user:{name}" for name in names]


def _staff(*, nested: bool) -> list[dict[str, Any]]:
    if not nested:
        return [{"name": STAFF, "departments": list(DEPARTMENTS)}]
    return [
        *({"name": f"Department {name}", "departments": [name]} for name in DEPARTMENTS),
        *(
            {"name": f"Division {name}", "members": [f"group:Department {inner}" for inner in departments]}
            for name, departments in DIVISIONS.items()
        ),
        {"name": STAFF, "members": [f"group:Division {name}" for name in DIVISIONS]},
    ]
