# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose sign-in a write can change, told by its route: what is not known here can change everybody's."""

from __future__ import annotations

from m365_simulator.graph.errors import GraphError
from m365_simulator.graph.router import Call
from m365_simulator.state import TenantStore

READING_ACTIONS = frozenset(
    {
        "checkmembergroups",
        "checkmemberobjects",
        "evaluate",
        "getavailableextensionproperties",
        "getbyids",
        "getmembergroups",
        "getmemberobjects",
        "validatepassword",
        "validateproperties",
    }
)
"""OData actions (a POST) that change nothing, lower case."""

NO_SIGN_IN_OF_PEOPLE = ("applications", "servicePrincipals")
EVERYONE = None
NOBODY: frozenset[str] = frozenset()

Touched = frozenset[str] | None
"""Ids of users who are there, as they are written in the state; None is everybody."""


def can_write(method: str, path: str) -> bool:
    """Whether a request asks Graph for a change. The items of a $batch count, not the $batch."""
    action = path.rstrip("/").rpartition("/")[2].rpartition(".")[2].lower()
    return method not in ("GET", "HEAD", "OPTIONS") and action != "$batch" and action not in READING_ACTIONS


def touched_users(call: Call, method: str, template: str) -> Touched:
    """Asked before the write is made, of the route that makes it. In doubt it is everybody."""
    segments = template.strip("/").split("/")
    match segments:
        case ["users"] | ["groups"]:
            return NOBODY  # nobody who is there already, and no policy can name it yet
        case ["users", "{id}", *_more]:
            return _user(call.store, call.id)
        case ["groups", "{id}"] if method == "DELETE":
            return people_behind(call.store, call.id)
        case ["groups", "{id}", "members", "$ref"]:
            return people_behind(call.store, _last_segment(call, "@odata.id"))
        case ["groups", "{id}", "members", "{member}", "$ref"]:
            return people_behind(call.store, call.parameters["member"])
        case ["directory", "authenticationMethodDevices", *_more]:
            return NOBODY  # a token is good for nothing before it is activated
        case ["directory", "administrativeUnits", *more]:
            # Roles scoped to a unit go with it.
            return EVERYONE if method == "DELETE" and len(more) == 1 else NOBODY
        case ["roleManagement", "directory", "roleEligibilityScheduleRequests"]:
            return NOBODY  # an eligible role is none yet
        case ["roleManagement", "directory", "roleAssignments" | "roleAssignmentScheduleRequests"]:
            return people_behind(call.store, _last_segment(call, "principalId"))
        case ["roleManagement", "directory", "roleAssignments", "{id}"]:
            row = call.store.read("roleAssignment", call.id)
            return NOBODY if row is None else people_behind(call.store, row.document["principalId"])
        case [first, *_more] if first in NO_SIGN_IN_OF_PEOPLE:
            return NOBODY
    return EVERYONE


def people_behind(store: TenantStore, id: str | None) -> frozenset[str]:
    """The ids of the users that an object stands for: itself, or all members of a group, also those inside groups."""
    if id is None:
        return NOBODY
    row = store.read("user", id)
    if row is not None:
        return frozenset((row.id,))
    return frozenset(member.id for kind, member in store.members(id, transitive=True) if kind == "user")


def _user(store: TenantStore, id: str) -> frozenset[str]:
    row = store.read("user", id) or store.read_by_name("user", id)
    return NOBODY if row is None else frozenset((row.id,))


def _last_segment(call: Call, name: str) -> str | None:
    """Of a member of the body. None when the body is unreadable, so that nothing will be written."""
    try:
        return str(call.body().get(name, "")).rstrip("/").rpartition("/")[2]
    except GraphError:
        return None
