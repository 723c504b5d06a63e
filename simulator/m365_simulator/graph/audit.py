# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory audit log: what accepted writes leave behind."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from m365_simulator.graph.router import Call

CATEGORIES = {
    "User": "UserManagement",
    "Group": "GroupManagement",
    "Role": "RoleManagement",
    "AdministrativeUnit": "AdministrativeUnit",
    "Device": "UserManagement",
}


@dataclass(frozen=True)
class Target:
    """What was changed. `kind` is its type: User, Group, Policy, Role, AdministrativeUnit, Device or Other."""

    kind: str
    id: str
    name: str | None


def record_change(
    call: Call, kind: str, activity: str, target_id: str, target_name: str | None, *members: Target
) -> None:
    """`kind` is the type of the target, as in Target. Of a membership or an assignment, `members` are the objects that
    it is about: Entra names them first, then what they belong to."""
    entry: dict[str, Any] = {
        "id": f"Directory_{uuid.uuid4()}",
        "category": CATEGORIES.get(kind, "Policy"),
        "correlationId": str(uuid.uuid4()),
        "result": "success",
        "resultReason": "",
        "activityDisplayName": activity,
        "activityDateTime": call.clock.stamp(),
        "loggedByService": "Core Directory",
        "operationType": "Update",
        "initiatedBy": {
            "user": None,
            "app": {
                "appId": None,
                "displayName": call.tenant.application.display_name,
                "servicePrincipalId": call.caller.object_id,
                "servicePrincipalName": None,
            },
        },
        "targetResources": [_resource(target) for target in (*members, Target(kind, target_id, target_name))],
        "additionalDetails": [],
    }
    call.store.insert("directoryAudit", entry["id"], entry)


def _resource(target: Target) -> dict[str, Any]:
    return {
        "id": target.id,
        "displayName": target.name,
        "type": target.kind,
        "userPrincipalName": target.name if target.kind == "User" else None,
        "groupType": None,
        "modifiedProperties": [],
    }


def target_of(kind: str, document: Mapping[str, Any]) -> Target:
    """Of an object in the store: `kind` is its key there (user, group, servicePrincipal, administrativeUnit)."""
    name = document.get("userPrincipalName") if kind == "user" else document.get("displayName")
    return Target(kind[:1].upper() + kind[1:], str(document["id"]), name)
