# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/servicePrincipals: the tenant's own application, and Microsoft Graph itself with the permissions it grants.

Only what the tenant's state holds is here; a real tenant has a few hundred more, of Microsoft's own applications.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from m365_simulator.graph.answers import answer_count, answer_list, answer_one, answer_plain_list
from m365_simulator.graph.app_roles import permission_id, published_app_roles
from m365_simulator.graph.applications import registered_at
from m365_simulator.graph.errors import not_found
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import BETA, Call, GraphResponse, Route
from m365_simulator.objects import GRAPH_APP_ID
from m365_simulator.state import Row
from m365_simulator.words import words

PROPERTIES = frozenset(
    words(
        """
    accountEnabled addIns alternativeNames appDescription appDisplayName appId appOwnerOrganizationId
    appRoleAssignmentRequired appRoles applicationTemplateId createdByAppId deletedDateTime description
    disabledByMicrosoftStatus displayName homepage id info isDisabled keyCredentials
    loginUrl logoutUrl notes notificationEmailAddresses oauth2PermissionScopes passwordCredentials
    preferredSingleSignOnMode preferredTokenSigningKeyThumbprint replyUrls resourceSpecificApplicationPermissions
    samlSingleSignOnSettings servicePrincipalNames servicePrincipalType signInAudience tags tokenEncryptionKeyId
    verifiedPublisher
    """
    )
)
"""As in Microsoft's metadata, without navigation properties and custom security attributes."""

SERVICE_PRINCIPAL = EntityType("servicePrincipal", "servicePrincipal", properties=PROPERTIES, directory=True, page=100)
OTHER_IN_BETA = {"oauth2PermissionScopes", "resourceSpecificApplicationPermissions"}
IN_BETA = replace(SERVICE_PRINCIPAL, properties=PROPERTIES - OTHER_IN_BETA | {"publishedPermissionScopes"})
NO_VERIFIED_PUBLISHER = {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None}
NO_ADDRESSES = {
    "logoUrl": None,
    "marketingUrl": None,
    "privacyStatementUrl": None,
    "supportUrl": None,
    "termsOfServiceUrl": None,
}
EMPTY = words(
    """
    addIns alternativeNames keyCredentials notificationEmailAddresses oauth2PermissionScopes passwordCredentials
    resourceSpecificApplicationPermissions
    """
)
NULL = words(
    """
    appDescription applicationTemplateId createdByAppId disabledByMicrosoftStatus homepage isDisabled loginUrl
    logoutUrl notes preferredSingleSignOnMode preferredTokenSigningKeyThumbprint samlSingleSignOnSettings
    tokenEncryptionKeyId
    """
)


def show_service_principal(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    """The whole entity: what the state holds, and what follows from the application's settings and grants."""
    application = call.tenant.application
    shown: dict[str, Any] = {
        **dict.fromkeys(NULL),
        **{name: [] for name in EMPTY},
        "appRoles": [],
        "info": NO_ADDRESSES,
        "verifiedPublisher": NO_VERIFIED_PUBLISHER,
        **document,
    }
    if shown["appId"] == GRAPH_APP_ID:
        shown["appRoles"] = published_app_roles(application.permissions)
    elif shown["appId"] == application.client_id:
        shown["accountEnabled"] = application.enabled
    if call.version == BETA:
        # Beta has other names, says its metadata.
        del shown["resourceSpecificApplicationPermissions"]
        shown["publishedPermissionScopes"] = shown.pop("oauth2PermissionScopes")
    return shown


def _entity(call: Call) -> EntityType:
    return IN_BETA if call.version == BETA else SERVICE_PRINCIPAL


def find_service_principal(call: Call) -> Row:
    """By object id, or as servicePrincipals(appId='...'). Raises Graph's 404."""
    key, equals, value = call.id.partition("=")
    row = (
        call.store.read_by_name("servicePrincipal", value)
        if equals and key.lower() == "appid"
        else call.store.read("servicePrincipal", call.id)
    )
    if row is None:
        raise not_found(value or call.id)
    return row


def list_service_principals(call: Call) -> GraphResponse:
    return answer_list(
        call,
        _entity(call),
        "servicePrincipals{select}",
        show=lambda row: show_service_principal(call, row.document),
    )


def count_service_principals(call: Call) -> GraphResponse:
    return answer_count(call, _entity(call))


def get_service_principal(call: Call) -> GraphResponse:
    document = show_service_principal(call, find_service_principal(call).document)
    return answer_one(call, _entity(call), "servicePrincipals{select}/$entity", document)


def _grants(call: Call) -> list[dict[str, Any]]:
    """Every permission granted to the tenant's application, as an assignment of an app role of Microsoft Graph."""
    own = call.store.read("servicePrincipal", call.tenant.application.object_id)
    graph = call.store.read_by_name("servicePrincipal", GRAPH_APP_ID)
    assert own is not None
    assert graph is not None
    return [
        {
            # Opaque, and the same for the same three parts.
            "id": uuid.uuid5(uuid.UUID(own.id), f"{graph.id}/{permission}").hex,
            "deletedDateTime": None,
            "appRoleId": permission_id(permission),
            # Beta has another name, says its metadata.
            "creationTimestamp" if call.version == BETA else "createdDateTime": registered_at(call.tenant.application),
            "principalDisplayName": own.document["displayName"],
            "principalId": own.id,
            "principalType": "ServicePrincipal",
            "resourceDisplayName": graph.document["displayName"],
            "resourceId": graph.id,
        }
        for permission in sorted(call.tenant.application.permissions)
    ]


def list_app_role_assignments(call: Call) -> GraphResponse:
    """What was granted to this service principal."""
    row = find_service_principal(call)
    found = [grant for grant in _grants(call) if grant["principalId"] == row.id]
    return answer_plain_list(call, f"servicePrincipals('{row.id}')/appRoleAssignments{{select}}", found)


def list_app_role_assigned_to(call: Call) -> GraphResponse:
    """To whom this service principal's app roles were granted."""
    row = find_service_principal(call)
    found = [grant for grant in _grants(call) if grant["resourceId"] == row.id]
    return answer_plain_list(call, f"servicePrincipals('{row.id}')/appRoleAssignedTo{{select}}", found)


ROUTES = [
    Route("GET", "/servicePrincipals", list_service_principals),
    Route("GET", "/servicePrincipals/$count", count_service_principals),
    Route("GET", "/servicePrincipals/{id}", get_service_principal),
    Route("GET", "/servicePrincipals/{id}/appRoleAssignments", list_app_role_assignments),
    Route("GET", "/servicePrincipals/{id}/appRoleAssignedTo", list_app_role_assigned_to),
]
