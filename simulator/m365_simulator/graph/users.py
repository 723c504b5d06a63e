# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/users with their authentication methods, per-user MFA state and sessions."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from m365_simulator.graph.answers import (
    answer_count,
    answer_created,
    answer_list,
    answer_one,
    answer_plain_list,
    check_known,
    no_content,
)
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import GraphError, bad_policy, bad_request, no_premium_licence, not_found
from m365_simulator.graph.odata import EntityType, pick
from m365_simulator.graph.permissions import READ_LOGS, WRITE_USERS, permission_missing
from m365_simulator.graph.router import BETA, Call, GraphResponse, Route
from m365_simulator.licences import FREE, tier_of
from m365_simulator.state import OBJECTS, Row
from m365_simulator.words import words

DEFAULT_PROPERTIES = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)

PROPERTIES = frozenset(
    words(
        """
    aboutMe accountEnabled ageGroup assignedLicenses assignedPlans authorizationInfo birthday businessPhones
    city companyName consentProvidedForMinor country createdDateTime creationType deletedDateTime department
    displayName employeeHireDate employeeId employeeLeaveDateTime employeeOrgData employeeType externalUserState
    externalUserStateChangeDateTime faxNumber givenName hireDate id identities imAddresses interests
    isManagementRestricted isResourceAccount jobTitle lastPasswordChangeDateTime legalAgeGroupClassification
    licenseAssignmentStates mail mailNickname mobilePhone mySite officeLocation onPremisesDistinguishedName
    onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId onPremisesLastSyncDateTime
    onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled
    onPremisesUserPrincipalName otherMails passwordPolicies passwordProfile pastProjects postalCode
    preferredDataLocation preferredLanguage preferredName provisionedPlans proxyAddresses responsibilities
    schools securityIdentifier serviceProvisioningErrors showInAddressList signInActivity
    signInSessionsValidFromDateTime skills state streetAddress surname usageLocation userPrincipalName userType
    """
    )
)
"""As in Microsoft's metadata, without navigation properties."""

MFA_STATE = "perUserMfaState"
"""In no metadata and no documentation, but live tools select it."""

NOT_FILTERABLE = frozenset(
    words(
        """
    aboutMe birthday interests mySite onPremisesDomainName onPremisesDistinguishedName passwordPolicies
    passwordProfile pastProjects preferredName responsibilities schools signInSessionsValidFromDateTime skills
    """
    )
)

USER = EntityType(
    "user",
    "user",
    properties=PROPERTIES | {MFA_STATE},
    default=DEFAULT_PROPERTIES,
    filterable=PROPERTIES - NOT_FILTERABLE,
    directory=True,
    page=100,
)
USER_WITHOUT_MFA_STATE = replace(USER, properties=PROPERTIES)

OTHER_TYPES: dict[str, type] = {
    **dict.fromkeys(("accountEnabled", "isResourceAccount", "showInAddressList"), bool),
    **dict.fromkeys(
        ("businessPhones", "otherMails", "imAddresses", "identities", "interests", "pastProjects", "skills"), list
    ),
    **dict.fromkeys(("responsibilities", "schools"), list),
    **dict.fromkeys(("passwordProfile", "onPremisesExtensionAttributes", "employeeOrgData"), dict),
}
"""Of the properties that can be written and are no text."""

MFA_STATES = ("disabled", "enabled", "enforced")
READ_ONLY = frozenset(
    words(
        """
    id createdDateTime creationType deletedDateTime assignedLicenses assignedPlans provisionedPlans
    lastPasswordChangeDateTime licenseAssignmentStates onPremisesSyncEnabled onPremisesLastSyncDateTime
    proxyAddresses securityIdentifier signInActivity signInSessionsValidFromDateTime isManagementRestricted
    authorizationInfo
    """
    )
)
PASSWORD_METHOD = "28c10230-6103-485e-b985-444c60001490"
"""The id of every user's password method."""

METHOD_TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "microsoftAuthenticatorPush": (
        "microsoftAuthenticator",
        {"displayName": "Phone", "deviceTag": "SoftwareTokenActivated", "phoneAppVersion": "6.2409.6094"},
    ),
    "microsoftAuthenticatorPasswordless": (
        "microsoftAuthenticator",
        {"displayName": "Phone", "deviceTag": "SoftwareTokenActivated", "phoneAppVersion": "6.2409.6094"},
    ),
    "softwareOneTimePasscode": ("softwareOath", {"secretKey": None}),
    "mobilePhone": (
        "phone",
        {"phoneNumber": "+31 600000000", "phoneType": "mobile", "smsSignInState": "notAllowedByPolicy"},
    ),
    "alternateMobilePhone": (
        "phone",
        {"phoneNumber": "+31 600000001", "phoneType": "alternateMobile", "smsSignInState": "notSupported"},
    ),
    "officePhone": (
        "phone",
        {"phoneNumber": "+31 200000000", "phoneType": "office", "smsSignInState": "notSupported"},
    ),
    "email": ("email", {"emailAddress": "private@example.org"}),
    "fido2SecurityKey": (
        "fido2",
        {"displayName": "Security key", "model": "Security key", "attestationLevel": "attested"},
    ),
    "passKeyDeviceBound": ("fido2", {"displayName": "Passkey", "model": "Passkey", "attestationLevel": "notAttested"}),
    "windowsHelloForBusiness": ("windowsHelloForBusiness", {"displayName": "Laptop", "keyStrength": "normal"}),
}
"""Registered method (the vocabulary of the registration report) to its authentication method type and members."""


def find_user(call: Call) -> Row:
    """By object id or principal name. Raises Graph's 404."""
    row = call.store.read("user", call.id) or call.store.read_by_name("user", call.id)
    if row is None:
        raise not_found(call.id)
    return row


def _entity(call: Call) -> EntityType:
    """What may be selected depends on the licence, on permissions, and on the assumption about the MFA state."""
    if "signInActivity" in call.query.select or "signInActivity" in call.query.options.get("$filter", ""):
        if not READ_LOGS & call.caller.roles:
            raise permission_missing("/auditLogs", READ_LOGS)
        if tier_of(call.store.documents("subscribedSku")) == FREE:
            raise no_premium_licence()
    return USER if call.assumes("user_mfa_state_in_list") == "present" else USER_WITHOUT_MFA_STATE


def list_users(call: Call) -> GraphResponse:
    entity = _entity(call)
    if "aboutMe" in call.query.select:
        raise GraphError(501, "NotImplemented", "This operation target is not yet supported.")
    return answer_list(call, entity, "users{select}", expands={})


def count_users(call: Call) -> GraphResponse:
    return answer_count(call, _entity(call))


def get_user(call: Call) -> GraphResponse:
    return answer_one(call, _entity(call), "users{select}/$entity", find_user(call).document)


def create_user(call: Call) -> GraphResponse:
    body = call.body()
    check_known(body, PROPERTIES, "user")
    _check_types(body)
    password = (body.get("passwordProfile") or {}).get("password")
    for name in ("accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"):
        if body.get(name) in (None, ""):
            raise bad_request(f"A value is required for property '{name}' of resource 'User'.")
    _check_password(password)
    _check_principal_name(call, body["userPrincipalName"])
    document = {
        "id": str(uuid.uuid4()),
        **{name: value for name, value in body.items() if name not in READ_ONLY and name != "passwordProfile"},
        "userType": body.get("userType", "Member"),
        "createdDateTime": call.clock.stamp(),
        "lastPasswordChangeDateTime": call.clock.stamp(),
        "signInSessionsValidFromDateTime": call.clock.stamp(),
        "businessPhones": body.get("businessPhones", []),
        "assignedLicenses": [],
        "proxyAddresses": [],
        MFA_STATE: "disabled",
    }
    call.store.insert(
        "user",
        document["id"],
        document,
        name=document["userPrincipalName"],
        private={"methodsRegistered": []},
    )
    record_change(call, "User", "Add user", document["id"], document["userPrincipalName"])
    return answer_created(call, "users/$entity", pick(USER, document, ()))


def patch_user(call: Call) -> GraphResponse:
    row = find_user(call)
    body = call.body()
    check_known(body, PROPERTIES, "user")
    _check_types(body)
    _check_change_permissions(call, set(body))
    for name in body:
        if name in READ_ONLY:
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")
    document = dict(row.document)
    changes = {name: value for name, value in body.items() if "@odata." not in name}
    profile = changes.pop("passwordProfile", None)
    if profile is not None:
        _check_password(profile.get("password"))
        document["lastPasswordChangeDateTime"] = call.clock.stamp()
    principal_name = changes.get("userPrincipalName", document["userPrincipalName"])
    if str(principal_name).lower() != document["userPrincipalName"].lower():
        _check_principal_name(call, principal_name)
    document.update(changes)
    if document.get("passwordPolicies") == "None":
        document["passwordPolicies"] = None
    call.store.update("user", row.id, document=document, name=document["userPrincipalName"])
    activity = "Reset user password" if profile is not None else "Update user"
    record_change(call, "User", activity, row.id, document["userPrincipalName"])
    return no_content()


def delete_user(call: Call) -> GraphResponse:
    row = find_user(call)
    document = {**row.document, "deletedDateTime": call.clock.stamp()}
    call.store.delete("user", row.id)
    for assignment in call.store.documents("roleAssignment"):
        if assignment["principalId"] == row.id:
            call.store.delete("roleAssignment", assignment["id"])
    call.store.insert("deletedUser", row.id, document, private=row.private)
    record_change(call, "User", "Delete user", row.id, document["userPrincipalName"])
    return no_content()


def _check_change_permissions(call: Call, names: set[str]) -> None:
    """Permissions made for one property allow that property only."""
    granted = call.caller.roles
    if granted & WRITE_USERS:
        return
    allowed: set[str] = set()
    if "User-PasswordProfile.ReadWrite.All" in granted:
        allowed.add("passwordProfile")
    if "User.EnableDisableAccount.All" in granted:
        allowed.add("accountEnabled")
    if names - allowed:
        refusal = permission_missing("/users/{id}", WRITE_USERS)
        raise refusal


def _check_types(body: Mapping[str, Any]) -> None:
    for name, value in body.items():
        if value is None or "@odata." in name:
            continue
        kind = OTHER_TYPES.get(name, str)
        if not isinstance(value, kind):
            raise bad_request(f"Invalid value specified for property '{name}' of resource 'User'.")


def _check_password(password: Any) -> None:
    classes = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")
    if (
        not isinstance(password, str)
        or not 8 <= len(password) <= 256
        or sum(bool(re.search(pattern, password)) for pattern in classes) < 3
    ):
        raise bad_request(
            "The specified password does not comply with password complexity requirements. Please provide a "
            "different password."
        )


def _check_principal_name(call: Call, name: Any) -> None:
    local, at, domain = str(name).rpartition("@")
    if not at or not re.fullmatch(r"[A-Za-z0-9'.\-_!#^~]{1,64}", local) or local.endswith(".") or len(str(name)) > 113:
        raise bad_request("Property userPrincipalName is invalid.")
    if call.store.read("domain", domain) is None:
        raise bad_request(
            "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain "
            "names in your organization."
        )
    if call.store.read_by_name("user", str(name)) is not None:
        raise GraphError(
            400,
            "Request_BadRequest",
            "Another object with the same value for property userPrincipalName already exists.",
            details=[
                {
                    "code": "ObjectConflict",
                    "target": "userPrincipalName",
                    "message": "Another object with the same value for property userPrincipalName already exists.",
                }
            ],
        )


def get_requirements(call: Call) -> GraphResponse:
    row = find_user(call)
    return GraphResponse(
        200,
        {
            "@odata.context": call.context(f"users('{row.id}')/authentication/requirements/$entity"),
            MFA_STATE: row.document[MFA_STATE],
        },
    )


def patch_requirements(call: Call) -> GraphResponse:
    row = find_user(call)
    body = call.body()
    check_known(body, (MFA_STATE,), "strongAuthenticationRequirements")
    state = body.get(MFA_STATE)
    if state not in MFA_STATES:
        raise bad_policy(f"Requested value '{state}' was not found.")
    if state != row.document[MFA_STATE]:
        call.store.update("user", row.id, document={**row.document, MFA_STATE: state})
        record_change(call, "User", "Update per-user multifactor authentication state", row.id, _name(row.document))
    return no_content()


def list_methods(call: Call) -> GraphResponse:
    row = find_user(call)
    created = row.document["createdDateTime"]
    methods: list[dict[str, Any]] = [
        {
            "@odata.type": "#microsoft.graph.passwordAuthenticationMethod",
            "id": PASSWORD_METHOD,
            "password": None,
            "createdDateTime": row.document.get("lastPasswordChangeDateTime", created),
        }
    ]
    for name in row.private.get("methodsRegistered", []):
        type_name, members = METHOD_TYPES[name]
        methods.append(
            {
                "@odata.type": f"#microsoft.graph.{type_name}AuthenticationMethod",
                "id": str(uuid.uuid5(uuid.UUID(row.id), name)),
                "createdDateTime": created,
                **members,
            }
        )
    return answer_plain_list(call, f"users('{row.id}')/authentication/methods", methods)


def revoke_sessions(call: Call) -> GraphResponse:
    row = find_user(call)
    document = {**row.document, "signInSessionsValidFromDateTime": call.clock.stamp()}
    call.store.update("user", row.id, document=document)
    record_change(call, "User", "Update StsRefreshTokenValidFrom Timestamp", row.id, _name(document))
    return GraphResponse(200, {"@odata.context": call.context("Edm.Boolean"), "value": True})


def list_member_of(call: Call) -> GraphResponse:
    """Groups only; directory roles are read elsewhere."""
    row = find_user(call)
    groups = call.store.documents("group", OBJECTS.c.id.in_(call.store.sources(row.id)))
    found = [{"@odata.type": "#microsoft.graph.group", **group} for group in groups]
    return answer_plain_list(call, "directoryObjects{select}", found)


def _name(document: Mapping[str, Any]) -> str:
    return str(document["userPrincipalName"])


def refuse_me(_call: Call) -> GraphResponse:
    raise bad_policy("/me request is only valid with delegated authentication flow.")


ROUTES = [
    Route("GET", "/users", list_users),
    Route("GET", "/users/$count", count_users),
    Route("POST", "/users", create_user),
    Route("GET", "/users/{id}", get_user),
    Route("PATCH", "/users/{id}", patch_user),
    Route("DELETE", "/users/{id}", delete_user),
    Route("GET", "/users/{id}/authentication/requirements", get_requirements, (BETA,)),
    Route("PATCH", "/users/{id}/authentication/requirements", patch_requirements, (BETA,)),
    Route("GET", "/users/{id}/authentication/methods", list_methods),
    Route("POST", "/users/{id}/revokeSignInSessions", revoke_sessions),
    Route("GET", "/users/{id}/memberOf", list_member_of),
    Route("GET", "/me", refuse_me),
]
