# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory audit log: what accepted writes leave behind."""

from __future__ import annotations

import uuid
from typing import Any

from m365_simulator.graph.router import Call


def record_change(call: Call, kind: str, activity: str, target_id: str, target_name: str | None) -> None:
    """`kind` is the type of the target: User, Group, Policy, Role or Other."""
    categories = {"User": "UserManagement", "Group": "GroupManagement", "Role": "RoleManagement"}
    entry: dict[str, Any] = {
        "id": f"Directory_{uuid.uuid4()}",
        "category": categories.get(kind, "Policy"),
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
        "targetResources": [
            {
                "id": target_id,
                "displayName": target_name,
                "type": kind,
                "userPrincipalName": target_name if kind == "User" else None,
                "groupType": None,
                "modifiedProperties": [],
            }
        ],
        "additionalDetails": [],
    }
    call.store.insert("directoryAudit", entry["id"], entry)
