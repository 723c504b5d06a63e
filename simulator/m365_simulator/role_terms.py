# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For how long a directory role is held: what an active or eligible assignment has beside its three parts.

It stands under `schedule` in the private part of the assignment. An assignment without one is permanent and was made
by /roleAssignments.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func

from m365_simulator.clock import to_stamp
from m365_simulator.state import OBJECTS, TenantStore

ACTIVE, ELIGIBLE = "roleAssignment", "roleEligibility"
"""Kinds in the store."""
ENDS = "ends"
"""The name, in the store, of what does not last for ever."""
ASSIGNED, ACTIVATED = "Assigned", "Activated"


def term(
    created: str, *, start: str | None = None, end: str | None = None, kind: str = ASSIGNED, request: str | None = None
) -> dict[str, Any]:
    """The private part of an assignment. `request` is the id of the schedule request that made it."""
    return {
        "schedule": {
            "createdDateTime": created,
            "startDateTime": start,
            "endDateTime": end,
            "assignmentType": kind,
            "createdUsing": request,
        }
    }


def eligibility_of(assignment: dict[str, Any]) -> dict[str, Any]:
    """The same three parts, with the id that tells an eligibility from an active assignment."""
    return {**assignment, "id": f"{assignment['id']}-e"}


def name_of(private: dict[str, Any]) -> str:
    """The name to store an assignment with."""
    return ENDS if private.get("schedule", {}).get("endDateTime") else ""


def end_roles(store: TenantStore, now: float) -> bool:
    """Take away the roles whose time is over; whether there were any."""
    over = func.json_extract(OBJECTS.c.private, "$.schedule.endDateTime") <= to_stamp(now)
    ended = [(kind, id) for kind in (ACTIVE, ELIGIBLE) for id in store.ids(kind, OBJECTS.c.name == ENDS, over)]
    for kind, id in ended:
        store.delete(kind, id)
    return bool(ended)
