# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies that other clients list and this simulator never changes: as they are in a tenant that left them alone.

Contents: the resource pages and examples of Microsoft's Graph documentation. Kinds of policies of which a tenant has
none until somebody makes one are read from the state, where nobody can make one.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from m365_simulator.authentication_strengths import STRENGTHS, show_strength
from m365_simulator.graph.answers import answer_one, answer_plain_list
from m365_simulator.graph.conditional_access import list_policies
from m365_simulator.graph.errors import GraphError, bad_policy, not_found, unknown_segment
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import Call, GraphResponse, Handler, Route
from m365_simulator.licences import P2, tier_of

PATH = "/policies"

SINGLE: dict[str, dict[str, Any]] = {
    "adminConsentRequestPolicy": {
        "isEnabled": False,
        "notifyReviewers": False,
        "remindersEnabled": False,
        "requestDurationInDays": 0,
        "version": 0,
        "reviewers": [],
    },
    "authenticationFlowsPolicy": {
        "id": "authenticationFlowsPolicy",
        "displayName": "Authentication flows policy",
        "description": "Authentication flows policy allows modification of settings related to authentication flows in "
        "AAD tenant, such as self-service sign up configuration.",
        "selfServiceSignUp": {"isEnabled": False},
    },
    "crossTenantAccessPolicy": {
        "id": "crossTenantAccessPolicy",
        "displayName": "CrossTenantAccessPolicy",
        "allowedCloudEndpoints": [],
    },
    "defaultAppManagementPolicy": {
        "id": "00000000-0000-0000-0000-000000000000",
        "displayName": "Default app management tenant policy",
        "description": "Default tenant policy that enforces app management restrictions on applications and service "
        "principals. To apply policy to targeted resources, create a new policy under appManagementPolicies "
        "collection.",
        "isEnabled": False,
        "applicationRestrictions": {"passwordCredentials": [], "keyCredentials": []},
        "servicePrincipalRestrictions": {"passwordCredentials": [], "keyCredentials": []},
    },
    "deviceRegistrationPolicy": {
        "id": "deviceRegistrationPolicy",
        "displayName": "Device Registration Policy",
        "description": "Tenant-wide policy that manages intial provisioning controls using quota restrictions, "
        "additional authentication and authorization checks",
        "userDeviceQuota": 50,
        "multiFactorAuthConfiguration": "notRequired",
        "azureADRegistration": {
            "isAdminConfigurable": False,
            "allowedToRegister": {"@odata.type": "#microsoft.graph.allDeviceRegistrationMembership"},
        },
        "azureADJoin": {
            "isAdminConfigurable": True,
            "allowedToJoin": {"@odata.type": "#microsoft.graph.allDeviceRegistrationMembership"},
            "localAdmins": {
                "enableGlobalAdmins": True,
                "registeringUsers": {"@odata.type": "#microsoft.graph.allDeviceRegistrationMembership"},
            },
        },
        "localAdminPassword": {"isEnabled": False},
    },
}

MADE_BY_TENANT = (
    "activityBasedTimeoutPolicies",
    "appManagementPolicies",
    "claimsMappingPolicies",
    "homeRealmDiscoveryPolicies",
    "tokenIssuancePolicies",
    "tokenLifetimePolicies",
)
WITHOUT_CONTENT = ("featureRolloutPolicies", "permissionGrantPolicies")
"""Known by their permissions only: the first cannot be read by applications, the second needs one of its own."""

STRENGTH = EntityType("authenticationStrengthPolicy", "")
ROLE_SCOPES = ("Directory", "DirectoryRole")


def _get_single(name: str) -> Handler:
    entity = EntityType(name, "")

    def get(call: Call) -> GraphResponse:
        return answer_one(call, entity, f"policies/{name}/$entity", SINGLE[name])

    return get


def _list_made(name: str) -> Handler:
    def list_them(call: Call) -> GraphResponse:
        return answer_plain_list(call, f"policies/{name}{{select}}", call.store.documents(name))

    return list_them


def _refuse(name: str) -> Handler:
    def refuse(_call: Call) -> GraphResponse:
        raise unknown_segment(name)

    return refuse


def list_strengths(call: Call) -> GraphResponse:
    return answer_plain_list(
        call, "policies/authenticationStrengthPolicies{select}", [show_strength(id) for id in STRENGTHS]
    )


def get_strength(call: Call) -> GraphResponse:
    if call.id not in STRENGTHS:
        raise not_found(call.id)
    return answer_one(call, STRENGTH, "policies/authenticationStrengthPolicies/$entity", show_strength(call.id))


def list_role_policies(call: Call) -> GraphResponse:
    """Privileged Identity Management's policy of each directory role. Needs P2, and a filter by scope and its type."""
    if tier_of(call.store.documents("subscribedSku")) != P2:
        raise GraphError(
            400,
            "AadPremiumLicenseRequired",
            "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
        )
    wanted = re.fullmatch(
        r"\s*scopeId eq '(?P<scope>[^']*)' and scopeType eq '(?P<type>\w+)'\s*", call.query.options.get("$filter", "")
    )
    if wanted is None or wanted["scope"] != "/" or wanted["type"] not in ROLE_SCOPES:
        raise bad_policy("The filter is invalid.")
    found = [
        {
            "id": f"{wanted['type']}_{call.tenant.id}_{uuid.uuid5(uuid.UUID(call.tenant.id), role['id'])}",
            "displayName": wanted["type"],
            "description": wanted["type"],
            "isOrganizationDefault": False,
            "scopeId": "/",
            "scopeType": wanted["type"],
            "lastModifiedDateTime": None,
            "lastModifiedBy": {"displayName": None, "id": None},
        }
        for role in call.store.documents("roleDefinition")
    ]
    body = {"@odata.context": call.context("policies/roleManagementPolicies"), "value": found}
    return GraphResponse(200, body)


def _routes(names: tuple[str, ...], make: Callable[[str], Handler]) -> list[Route]:
    return [Route("GET", f"{PATH}/{name}", make(name)) for name in names]


ROUTES = [
    *_routes(tuple(SINGLE), _get_single),
    *_routes(MADE_BY_TENANT, _list_made),
    *_routes(WITHOUT_CONTENT, _refuse),
    Route("GET", f"{PATH}/authenticationStrengthPolicies", list_strengths),
    Route("GET", f"{PATH}/authenticationStrengthPolicies/{{id}}", get_strength),
    Route("GET", f"{PATH}/roleManagementPolicies", list_role_policies),
    # The older address of the same list.
    Route("GET", f"{PATH}/conditionalAccessPolicies", list_policies),
]
