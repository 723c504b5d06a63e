# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/users with their authentication methods, per-user MFA state and sessions."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from m365_simulator.directory_roles import BUILT_IN_ROLES, GLOBAL_ADMINISTRATOR
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
from m365_simulator.graph.certificate_user_ids import read_authorization_info
from m365_simulator.graph.errors import GraphError, bad_policy, bad_request, no_premium_licence, not_found
from m365_simulator.graph.odata import EntityType, pick
from m365_simulator.graph.permissions import READ_LOGS, WRITE_USERS, permission_missing
from m365_simulator.graph.restricted_management import UNIT, check_restriction, restricted, restricting_units
from m365_simulator.graph.router import BETA, Call, GraphResponse, Route
from m365_simulator.licences import FREE, tier_of
from m365_simulator.role_terms import ACTIVE, ELIGIBLE
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
REQUIREMENTS = EntityType("strongAuthenticationRequirements", "user", properties=frozenset((MFA_STATE,)))
USER_WITHOUT_MFA_STATE = replace(USER, properties=PROPERTIES)
USER_WITH_MFA_STATE_FILTER = replace(USER, filterable=PROPERTIES - NOT_FILTERABLE | {MFA_STATE})

OTHER_TYPES: dict[str, type] = {
    **dict.fromkeys(("accountEnabled", "isResourceAccount", "showInAddressList"), bool),
    **dict.fromkeys(
        ("businessPhones", "otherMails", "imAddresses", "identities", "interests", "pastProjects", "skills"), list
    ),
    **dict.fromkeys(("responsibilities", "schools"), list),
    **dict.fromkeys(("authorizationInfo", "passwordProfile", "onPremisesExtensionAttributes", "employeeOrgData"), dict),
}
"""Of the properties that can be written and are no text."""

MFA_STATES = ("disabled", "enabled", "enforced")
READ_ONLY = frozenset(
    words(
        """
    id createdDateTime creationType deletedDateTime assignedLicenses assignedPlans provisionedPlans
    lastPasswordChangeDateTime licenseAssignmentStates onPremisesSyncEnabled onPremisesLastSyncDateTime
    proxyAddresses securityIdentifier signInActivity signInSessionsValidFromDateTime isManagementRestricted
    """
    )
)
SENSITIVE = frozenset(
    words(
        """
    accountEnabled authorizationInfo businessPhones mobilePhone onPremisesImmutableId otherMails passwordProfile
    userPrincipalName
    """
    )
)
"""What only a privileged caller may change in an administrator. Source: Microsoft's page on the resource type user,
"Who can perform sensitive actions?"; for authorizationInfo, "Certificate user IDs"; that it binds applications as it
does people is an assumption."""
NOT_AT_CREATION = READ_ONLY | {"passwordProfile", "authorizationInfo"}
MAY_ACT_ON_ADMINISTRATORS = frozenset(
    {GLOBAL_ADMINISTRATOR, BUILT_IN_ROLES["Privileged Authentication Administrator"][0]}
)
DELETED_KIND = "deletedUser"
ONLY_WHILE_DELETED = ("userPrincipalName", "groups", "roles")
"""Private members of a deleted user: the name, the groups and administrative units, and the roles of before; each role
with its `kind`, `document` and `private`."""
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


def find_user_of_methods(call: Call) -> Row:
    """The same, but below /authentication users saw a 403 too."""
    try:
        return find_user(call)
    except GraphError:
        if call.assumes("methods_of_missing_user") == "403":
            raise GraphError(403, "accessDenied", "Request Authorization failed") from None
        raise


def holds_role(call: Call, id: str) -> bool:
    """Whether a user has any directory role, directly or through a group."""
    principals = {id.lower()}
    groups = call.store.sources(id)
    while groups:
        new = {group.lower() for group in groups} - principals
        principals |= new
        groups = [above for group in new for above in call.store.sources(group)]
    return any(assignment["principalId"].lower() in principals for assignment in _assignments(call))


def _assignments(call: Call) -> list[dict[str, Any]]:
    return call.store.documents("roleAssignment")


def is_last_global_administrator(call: Call, principal: str) -> bool:
    holders = {item["principalId"] for item in _assignments(call) if item["roleDefinitionId"] == GLOBAL_ADMINISTRATOR}
    return holders == {principal}


def last_global_administrator(call: Call) -> GraphError:
    """No public source has Graph's own answer."""
    message = "The last Global Administrator of the tenant cannot be removed."
    if call.assumes("last_global_administrator_refusal") == "403":
        return GraphError(403, "Authorization_RequestDenied", message)
    return bad_request(message)


def check_sensitive_action(call: Call, on_administrator: bool, id: str = "") -> None:
    """Raise Graph's 403 when the target is an administrator and the application has none of the roles it takes, for the
    whole tenant. For an administrator with this `id` in a restricted management unit no role is enough, as none that
    is can have the unit as its scope (Microsoft's page on such units, "Limitations")."""
    if not on_administrator or call.assumes("sensitive_actions_by_applications") == "allowed":
        return
    if id and restricting_units(call.store, id):
        raise restricted(call)
    own = {
        item["roleDefinitionId"]
        for item in _assignments(call)
        if item["principalId"] == call.caller.object_id and item["directoryScopeId"] == "/"
    }
    if not own & MAY_ACT_ON_ADMINISTRATORS:
        refusal = permission_missing("/users/{id}", WRITE_USERS)
        raise refusal


def _entity(call: Call) -> EntityType:
    """What may be selected depends on the licence, on permissions, and on the assumption about the MFA state."""
    if "signInActivity" in call.query.select or "signInActivity" in call.query.options.get("$filter", ""):
        if not READ_LOGS & call.caller.roles:
            raise permission_missing("/auditLogs", READ_LOGS)
        if tier_of(call.store.documents("subscribedSku")) == FREE:
            raise no_premium_licence()
    if call.assumes("user_mfa_state_in_list") == "absent":
        return USER_WITHOUT_MFA_STATE
    return USER_WITH_MFA_STATE_FILTER if call.assumes("user_mfa_state_filter") == "works" else USER


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
    check_principal_name(call, body["userPrincipalName"])
    document = {
        "id": str(uuid.uuid4()),
        **{name: value for name, value in body.items() if name not in NOT_AT_CREATION},
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
        private={"methodsRegistered": [], **_kept_of(password, document["id"])},
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
    check_restriction(call, row.id, set(body))
    document = dict(row.document)
    if SENSITIVE & set(body):
        check_sensitive_action(call, holds_role(call, row.id), row.id)
    changes = {name: value for name, value in body.items() if "@odata." not in name}
    if "authorizationInfo" in changes:
        changes["authorizationInfo"] = read_authorization_info(call, row, changes["authorizationInfo"])
    profile = changes.pop("passwordProfile", None)
    if profile is not None:
        _check_password(profile.get("password"))
        private = {**row.private, **_kept_of(profile["password"], row.id)}
        call.store.update("user", row.id, private=private)
        document["lastPasswordChangeDateTime"] = call.clock.stamp()
    principal_name = changes.get("userPrincipalName", document["userPrincipalName"])
    if str(principal_name).lower() != document["userPrincipalName"].lower():
        check_principal_name(call, principal_name)
    document.update(changes)
    if document.get("passwordPolicies") == "None":
        document["passwordPolicies"] = None
    call.store.update("user", row.id, document=document, name=document["userPrincipalName"])
    activity = "Reset user password" if profile is not None else "Update user"
    record_change(call, "User", activity, row.id, document["userPrincipalName"])
    return no_content()


def delete_user(call: Call) -> GraphResponse:
    """Into the deleted items of the directory. The principal name is free for others from then on: it gets the object
    id in front, as seen in live tenants."""
    row = find_user(call)
    check_restriction(call, row.id)
    check_sensitive_action(call, holds_role(call, row.id), row.id)
    if is_last_global_administrator(call, row.id):
        raise last_global_administrator(call)
    groups = call.store.sources(row.id)
    roles: list[dict[str, Any]] = [
        {"kind": kind, "document": found.document, "private": found.private}
        for kind in (ACTIVE, ELIGIBLE)
        for found in call.store.rows(kind)
        if found.document["principalId"] == row.id
    ]
    name = row.document["userPrincipalName"]
    document = {
        **row.document,
        "deletedDateTime": call.clock.stamp(),
        "userPrincipalName": f"{uuid.UUID(row.id).hex}{name}",
    }
    call.store.delete("user", row.id)
    for role in roles:
        call.store.delete(role["kind"], role["document"]["id"])
    private = {**row.private, **dict(zip(ONLY_WHILE_DELETED, (name, groups, roles), strict=True))}
    call.store.insert(DELETED_KIND, row.id, document, private=private)
    record_change(call, "User", "Delete user", row.id, name)
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


def _kept_of(password: Any, user: str) -> dict[str, str]:
    """What is kept of a password: nothing that it could be read from, but tests can tell whether it is the one."""
    return {"passwordDigest": hashlib.sha256(f"{user}:{password}".encode()).hexdigest()}


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


def check_principal_name(call: Call, name: Any) -> None:
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
    row = find_user_of_methods(call)
    suffix = f"users('{row.id}')/authentication/requirements/$entity"
    return answer_one(call, REQUIREMENTS, suffix, {MFA_STATE: row.document[MFA_STATE]})


def patch_requirements(call: Call) -> GraphResponse:
    row = find_user_of_methods(call)
    body = call.body()
    check_known(body, (MFA_STATE,), "strongAuthenticationRequirements")
    state = body.get(MFA_STATE)
    if state not in MFA_STATES:
        raise bad_policy(f"Requested value '{state}' was not found.")
    check_restriction(call, row.id)
    if state != row.document[MFA_STATE]:
        call.store.update("user", row.id, document={**row.document, MFA_STATE: state})
        record_change(call, "User", "Update per-user multifactor authentication state", row.id, _name(row.document))
    return no_content()


def revoke_sessions(call: Call) -> GraphResponse:
    row = find_user(call)
    check_restriction(call, row.id)
    document = {**row.document, "signInSessionsValidFromDateTime": call.clock.stamp()}
    call.store.update("user", row.id, document=document)
    record_change(call, "User", "Update StsRefreshTokenValidFrom Timestamp", row.id, _name(document))
    return GraphResponse(200, {"@odata.context": call.context("Edm.Boolean"), "value": True})


def list_member_of(call: Call) -> GraphResponse:
    """Groups and administrative units; directory roles are read elsewhere."""
    return _answer_groups_and_units(call, call.store.sources(find_user(call).id))


def _answer_groups_and_units(call: Call, around: Iterable[str]) -> GraphResponse:
    found = [
        {"@odata.type": f"#microsoft.graph.{kind}", **document}
        for kind in ("group", UNIT)
        for document in call.store.documents(kind, OBJECTS.c.id.in_(around))
    ]
    return answer_plain_list(call, "directoryObjects{select}", found)


def list_transitive_member_of(call: Call) -> GraphResponse:
    """With the groups and units around these groups; directory roles are read elsewhere."""
    row = find_user(call)
    around: set[str] = set()
    further = set(call.store.sources(row.id))
    while further:
        around |= further
        further = {above for group in further for above in call.store.sources(group)} - around
    return _answer_groups_and_units(call, around)


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
    Route("POST", "/users/{id}/revokeSignInSessions", revoke_sessions),
    Route("GET", "/users/{id}/memberOf", list_member_of),
    Route("GET", "/users/{id}/transitiveMemberOf", list_transitive_member_of),
    Route("GET", "/me", refuse_me),
]
