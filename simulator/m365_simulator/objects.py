# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directory objects in the shape in which Graph shows them, used both to build a tenant and to answer a POST."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from m365_simulator.directory_roles import BUILT_IN_ROLES, PRIVILEGED_ROLES

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
SECURITY_DEFAULTS_ID = "00000000-0000-0000-0000-000000000005"

PRIVATE_FACTS: dict[str, str] = {
    "methodsRegistered": "registered authentication methods, in the words of the registration report; always there",
    "accountKind": "what a user is when it is no person: service, shared (mailbox), room, device or sync",
    "legacyProtocols": "legacy authentication that the account uses, in the words of the sign-in log",
    "temporaryAccessPass": "the Temporary Access Pass without its secret, and whether it was used; absent for none",
    "passkeys": "passkeys that were registered through Graph, or are beside such; absent where none was",
    "appPasswords": "how many app passwords the user has; absent for none",
}
"""What is known of a user and Graph does not show as such: under `_private` in /_admin/state. What a deleted
user has besides stands at graph.users.ONLY_WHILE_DELETED."""


SECRET_FACTS = ("secretKey",)
"""Of any object, what /_admin/state does not show."""


def role_definitions() -> list[dict[str, Any]]:
    """The built-in unifiedRoleDefinitions, with the member that only beta shows."""
    actions = {"allowedResourceActions": ["microsoft.directory/users/standard/read"], "condition": None}
    return [
        {
            "id": template,
            "description": description,
            "displayName": name,
            "isBuiltIn": True,
            "isEnabled": True,
            "isPrivileged": template in PRIVILEGED_ROLES,
            "resourceScopes": ["/"],
            "templateId": template,
            "version": "1",
            "rolePermissions": [actions],
        }
        for name, (template, description) in BUILT_IN_ROLES.items()
    ]


def role_assignment(role: str, principal: str, scope: str = "/") -> dict[str, Any]:
    """A unifiedRoleAssignment; like Graph's, its id is opaque and the same for the same three parts."""
    opaque = uuid.uuid5(uuid.UUID(role), f"{principal.lower()}{scope}").hex
    return {
        "id": f"{opaque}-1",
        "principalId": principal,
        "directoryScopeId": scope,
        "roleDefinitionId": role,
    }


GROUP_ELIGIBILITY, GROUP_ASSIGNMENT = "groupEligibility", "groupAssignment"
"""Kinds in the store of what Privileged Identity Management for groups knows."""


def group_eligibility(group: str, principal: str, start: str) -> dict[str, Any]:
    """A privilegedAccessGroupEligibilityScheduleInstance of a member, without an end."""
    id = f"{group}_member_{uuid.uuid5(uuid.UUID(group), principal)}"
    return {
        "id": id,
        "accessId": "member",
        "endDateTime": None,
        "groupId": group,
        "memberType": "direct",
        "principalId": principal,
        "startDateTime": start,
        "eligibilityScheduleId": id,
    }


def new_group(id: str, created: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A security group as Graph shows it after creation, with what the creator wrote. One that can hold roles is
    private, says Microsoft's page "group resource type"."""
    return {
        "id": id,
        "deletedDateTime": None,
        "classification": None,
        "createdDateTime": created,
        "creationOptions": [],
        "description": None,
        "displayName": None,
        "expirationDateTime": None,
        "groupTypes": [],
        "isAssignableToRole": None,
        "mail": None,
        "mailEnabled": False,
        "mailNickname": None,
        "membershipRule": None,
        "membershipRuleProcessingState": None,
        "onPremisesDomainName": None,
        "onPremisesLastSyncDateTime": None,
        "onPremisesNetBiosName": None,
        "onPremisesSamAccountName": None,
        "onPremisesSecurityIdentifier": None,
        "onPremisesSyncEnabled": None,
        "preferredDataLocation": None,
        "preferredLanguage": None,
        "proxyAddresses": [],
        "renewedDateTime": created,
        "resourceBehaviorOptions": [],
        "resourceProvisioningOptions": [],
        "securityEnabled": True,
        "securityIdentifier": _security_identifier(id),
        "theme": None,
        "uniqueName": None,
        "visibility": _visibility(wanted),
        "onPremisesProvisioningErrors": [],
        "serviceProvisioningErrors": [],
        **wanted,
    }


def _visibility(wanted: Mapping[str, Any]) -> str | None:
    """A Microsoft 365 group is public unless its creator wants it otherwise."""
    if wanted.get("isAssignableToRole"):
        return "Private"
    return "Public" if "Unified" in (wanted.get("groupTypes") or ()) else None


def _security_identifier(id: str) -> str:
    """The SID that Entra derives from an object id: its bytes as four little-endian numbers."""
    raw = uuid.UUID(id).bytes_le
    parts = [int.from_bytes(raw[start : start + 4], "little") for start in range(0, 16, 4)]
    return "S-1-12-1-" + "-".join(str(part) for part in parts)
