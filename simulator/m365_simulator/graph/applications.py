# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/applications: the one registration that a simulated tenant has, that of the application that signs in to it."""

from __future__ import annotations

import base64
import uuid
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import literal

from m365_simulator.clock import to_stamp
from m365_simulator.graph.answers import answer_count, answer_list, answer_one
from m365_simulator.graph.app_roles import permission_id
from m365_simulator.graph.errors import not_found
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import V1, Call, GraphResponse, Route
from m365_simulator.objects import GRAPH_APP_ID
from m365_simulator.state import OBJECTS
from m365_simulator.tenants import Application, Tenant
from m365_simulator.words import words

PROPERTIES = frozenset(
    words(
        """
    addIns api appId appRoles applicationTemplateId authenticationBehaviors certification createdByAppId
    createdDateTime defaultRedirectUri deletedDateTime description disabledByMicrosoftStatus displayName
    groupMembershipClaims id identifierUris info isDeviceOnlyAuthSupported isDisabled isFallbackPublicClient
    keyCredentials nativeAuthenticationApisEnabled notes oauth2RequirePostResponse optionalClaims
    parentalControlSettings passwordCredentials publicClient publisherDomain requestSignatureVerification
    requiredResourceAccess samlMetadataUrl serviceManagementReference servicePrincipalLockConfiguration
    signInAudience spa tags tokenEncryptionKeyId uniqueName verifiedPublisher web
    """
    )
)
"""As in Microsoft's metadata, without navigation properties and media."""

ONLY_IN_V1 = frozenset(("addIns", "applicationTemplateId", "oauth2RequirePostResponse"))
FILTERABLE = frozenset(("appId", "displayName", "id"))
NULL = words(
    """
    applicationTemplateId certification createdByAppId defaultRedirectUri deletedDateTime description
    disabledByMicrosoftStatus groupMembershipClaims isDeviceOnlyAuthSupported isDisabled isFallbackPublicClient
    nativeAuthenticationApisEnabled notes optionalClaims requestSignatureVerification samlMetadataUrl
    serviceManagementReference servicePrincipalLockConfiguration tokenEncryptionKeyId uniqueName
    """
)
CERTIFICATE_ISSUED_EARLIER = timedelta(days=1)
"""An application's certificate is valid from a day before the start, see keys.make_certificate."""


def registered_at(application: Application) -> str:
    """When the application came into being: with its certificate."""
    certificate = x509.load_pem_x509_certificate(application.certificate.encode())
    return to_stamp((certificate.not_valid_before_utc + CERTIFICATE_ISSUED_EARLIER).timestamp())


def registration_id(tenant: Tenant) -> str:
    """The object id of the registration, which is not that of its service principal."""
    return str(uuid.uuid5(uuid.UUID(tenant.id), f"application {tenant.application.client_id}"))


def show_application(call: Call) -> dict[str, Any]:
    """The whole entity, out of the settings by which the application signs in."""
    application = call.tenant.application
    created = registered_at(application)
    permissions = [{"id": permission_id(name), "type": "Role"} for name in sorted(application.permissions)]
    shown: dict[str, Any] = {
        **dict.fromkeys(NULL),
        "id": registration_id(call.tenant),
        "appId": application.client_id,
        "displayName": application.display_name,
        "createdDateTime": created,
        "publisherDomain": call.tenant.initial_domain,
        "signInAudience": "AzureADMyOrg",
        "identifierUris": [],
        "tags": [],
        "addIns": [],
        "appRoles": [],
        "oauth2RequirePostResponse": False,
        "verifiedPublisher": {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None},
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": None,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "info": {
            "logoUrl": None,
            "marketingUrl": None,
            "privacyStatementUrl": None,
            "supportUrl": None,
            "termsOfServiceUrl": None,
        },
        "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        "publicClient": {"redirectUris": []},
        "spa": {"redirectUris": []},
        "web": {
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": [],
            "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
            "redirectUriSettings": [],
        },
        "requiredResourceAccess": [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": permissions}] * bool(permissions),
        "keyCredentials": [_key_credential(application)],
        "passwordCredentials": [_password_credential(application, created)],
    }
    return {name: value for name, value in shown.items() if call.version == V1 or name not in ONLY_IN_V1}


def _key_credential(application: Application) -> dict[str, Any]:
    certificate = x509.load_pem_x509_certificate(application.certificate.encode())
    thumbprint = certificate.fingerprint(hashes.SHA1())
    return {
        "customKeyIdentifier": base64.b64encode(thumbprint).decode(),
        "displayName": f"CN={application.display_name}",
        "endDateTime": to_stamp(certificate.not_valid_after_utc.timestamp()),
        # Shown only when one application is asked for with $select=keyCredentials; here never.
        "key": None,
        "keyId": str(uuid.uuid5(uuid.UUID(application.client_id), thumbprint.hex())),
        "startDateTime": to_stamp(certificate.not_valid_before_utc.timestamp()),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def _password_credential(application: Application, created: str) -> dict[str, Any]:
    return {
        "customKeyIdentifier": None,
        "displayName": application.display_name,
        "endDateTime": to_stamp(application.secret_expires),
        "hint": application.client_secret[:3],
        "keyId": str(uuid.uuid5(uuid.UUID(application.client_id), "secret")),
        "secretText": None,
        "startDateTime": created,
    }


def _entity(call: Call) -> EntityType:
    """The registration is listed and filtered by way of its service principal, which has the same names."""
    own = registration_id(call.tenant)
    return EntityType(
        "application",
        "servicePrincipal",
        properties=PROPERTIES if call.version == V1 else PROPERTIES - ONLY_IN_V1,
        filterable=FILTERABLE,
        directory=True,
        page=100,
        columns={"id": lambda: literal(own)},
    )


def _find(call: Call) -> dict[str, Any]:
    """By object id, or as applications(appId='...'). Raises Graph's 404."""
    shown = show_application(call)
    key, equals, value = call.id.partition("=")
    wanted, found = (value, shown["appId"]) if equals and key.lower() == "appid" else (call.id, shown["id"])
    if wanted.lower() != found:
        raise not_found(wanted)
    return shown


def list_applications(call: Call) -> GraphResponse:
    own = OBJECTS.c.id == call.tenant.application.object_id
    return answer_list(call, _entity(call), "applications{select}", own, show=lambda _row: show_application(call))


def count_applications(call: Call) -> GraphResponse:
    return answer_count(call, _entity(call), OBJECTS.c.id == call.tenant.application.object_id)


def get_application(call: Call) -> GraphResponse:
    return answer_one(call, _entity(call), "applications{select}/$entity", _find(call))


ROUTES = [
    Route("GET", "/applications", list_applications),
    Route("GET", "/applications/$count", count_applications),
    Route("GET", "/applications/{id}", get_application),
]
