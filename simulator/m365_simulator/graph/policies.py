# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/policies/authorizationPolicy and the undocumented /policies/mfaServicePolicy (beta)."""

from __future__ import annotations

from typing import Any

from m365_simulator.graph.answers import answer_one, answer_plain_list, check_known, check_types, no_content
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import GraphError, bad_policy
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.permissions import READ_ALL, permission_missing
from m365_simulator.graph.router import BETA, V1, Call, GraphResponse, Route

AUTHORIZATION = EntityType("authorizationPolicy", "authorizationPolicy")
SERVICE = EntityType("mfaServicePolicy", "mfaServicePolicy")

INVITES_FROM = ("none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone")
GUEST_ROLES = (
    "10dae51f-b6af-4016-8d66-8c2a99b929b3",
    "2af84b1e-32c8-42b7-82bc-daa82404023b",
    "a0b1b346-4d3e-4e8b-98f8-753987be4970",
)
"""Guest user (the default), restricted guest, and as members; from the reference of authorizationPolicy."""

AUTHORIZATION_PATH = "/policies/authorizationPolicy"
SERVICE_PATH = "/policies/mfaServicePolicy"


def _read(call: Call, kind: str) -> dict[str, Any]:
    row = call.store.read(kind, kind)
    assert row is not None
    return row.document


def _beta_authorization(document: dict[str, Any]) -> dict[str, Any]:
    """Beta keeps the list of consent policies at the top level, under another name."""
    permissions = dict(document["defaultUserRolePermissions"])
    assigned = permissions.pop("permissionGrantPoliciesAssigned", [])
    return {
        **document,
        "defaultUserRolePermissions": permissions,
        "permissionGrantPolicyIdsAssignedToDefaultUserRole": assigned,
        "enabledPreviewFeatures": [],
    }


def get_authorization(call: Call) -> GraphResponse:
    document = _read(call, "authorizationPolicy")
    return answer_one(call, AUTHORIZATION, "policies/authorizationPolicy/$entity", document)


def list_authorization_beta(call: Call) -> GraphResponse:
    document = _beta_authorization(_read(call, "authorizationPolicy"))
    return answer_plain_list(call, "policies/authorizationPolicy{select}", [document])


def get_authorization_beta(call: Call) -> GraphResponse:
    document = _beta_authorization(_read(call, "authorizationPolicy"))
    return answer_one(call, AUTHORIZATION, "policies/authorizationPolicy/$entity", document)


def _check_values(body: dict[str, Any]) -> None:
    if body.get("allowInvitesFrom", INVITES_FROM[0]) not in INVITES_FROM:
        raise bad_policy(f"Requested value '{body['allowInvitesFrom']}' was not found.")
    if body.get("guestUserRoleId", GUEST_ROLES[0]) not in GUEST_ROLES:
        raise bad_policy(f"Invalid value specified for property 'guestUserRoleId': '{body['guestUserRoleId']}'.")


def patch_authorization(call: Call) -> GraphResponse:
    body = call.body()
    document = _read(call, "authorizationPolicy")
    shown = document if call.version == V1 else _beta_authorization(document)
    check_known(body, shown, AUTHORIZATION.name)
    check_types(body, shown, AUTHORIZATION.name)
    _check_values(body)
    permissions = {**document["defaultUserRolePermissions"], **(body.pop("defaultUserRolePermissions", None) or {})}
    assigned = body.pop("permissionGrantPolicyIdsAssignedToDefaultUserRole", None)
    if assigned is not None:
        permissions["permissionGrantPoliciesAssigned"] = assigned
    body.pop("id", None)
    call.store.update(
        "authorizationPolicy",
        "authorizationPolicy",
        document={**document, **body, "defaultUserRolePermissions": permissions},
    )
    record_change(call, "Policy", "Update authorization policy", "authorizationPolicy", document["displayName"])
    return no_content()


def _check_service_policy(call: Call) -> None:
    assumed = call.assumes("mfa_service_policy")
    if assumed == "404":
        raise GraphError(404, "ResourceNotFound", "Resource not found for the segment 'mfaServicePolicy'.")
    if assumed == "403":
        raise permission_missing(SERVICE_PATH, READ_ALL)


def get_service_policy(call: Call) -> GraphResponse:
    _check_service_policy(call)
    return answer_one(call, SERVICE, "policies/mfaServicePolicy/$entity", _read(call, "mfaServicePolicy"))


def patch_service_policy(call: Call) -> GraphResponse:
    _check_service_policy(call)
    body = call.body()
    document = _read(call, "mfaServicePolicy")
    check_known(body, document, SERVICE.name)
    check_types(body, document, SERVICE.name)
    merged = {
        name: {**document[name], **value} if isinstance(value, dict) and isinstance(document.get(name), dict) else value
        for name, value in body.items()
        if "@odata." not in name
    }
    days = (merged.get("rememberMfaOnTrustedDevice") or {}).get("allowedNumberOfDays", 14)
    if not isinstance(days, int) or not 1 <= days <= 365:
        raise GraphError(400, "BadRequest", "The number of days must be between 1 and 365.")
    call.store.update("mfaServicePolicy", "mfaServicePolicy", document={**document, **merged})
    return no_content()


ROUTES = [
    Route("GET", AUTHORIZATION_PATH, get_authorization, (V1,)),
    Route("PATCH", AUTHORIZATION_PATH, patch_authorization, (V1,)),
    Route("GET", AUTHORIZATION_PATH, list_authorization_beta, (BETA,)),
    Route("GET", AUTHORIZATION_PATH + "/{id}", get_authorization_beta, (BETA,)),
    Route("PATCH", AUTHORIZATION_PATH + "/{id}", patch_authorization, (BETA,)),
    Route("GET", SERVICE_PATH, get_service_policy, (BETA,)),
    Route("PATCH", SERVICE_PATH, patch_service_policy, (BETA,)),
]
