# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service principals of the application and of Microsoft Graph."""

from __future__ import annotations

from typing import Any

from m365_simulator.building.making import Making
from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.objects import GRAPH_APP_ID
from m365_simulator.population import new_id


def build_service_principals(making: Making) -> None:
    application = making.tenant.application
    own = {
        "id": application.object_id,
        "appId": application.client_id,
        "displayName": application.display_name,
        "appDisplayName": application.display_name,
        "appOwnerOrganizationId": making.tenant.id,
        "servicePrincipalNames": [application.client_id],
    }
    rng = making.random("service principals")
    graph = {
        "id": new_id(rng),
        "appId": GRAPH_APP_ID,
        "displayName": "Microsoft Graph",
        "appDisplayName": "Microsoft Graph",
        "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "servicePrincipalNames": [GRAPH_APP_ID, "https://graph.microsoft.com"],
    }
    for item in (own, graph):
        document: dict[str, Any] = {
            "deletedDateTime": None,
            "accountEnabled": True,
            "appRoleAssignmentRequired": False,
            "description": None,
            "replyUrls": [],
            "servicePrincipalType": "Application",
            "signInAudience": "AzureADMyOrg",
            "tags": [],
            **item,
        }
        making.add("servicePrincipal", document["id"], document, name=document["appId"])
    for role in making.scenario.get("application", {}).get("roles", []):
        making.assign(BUILT_IN_ROLES[role][0], application.object_id)
