# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which application permissions a request needs (private to the collection). One table, pure functions.

Source: the "Permissions" section of each operation in the Microsoft Graph documentation, least privileged permission
first, then the higher privileged ones it lists. Where two permissions are needed together, the row has two sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .query import VERSIONS

Alternatives = tuple[str, ...]


@dataclass(frozen=True)
class Need:
    """What is to be done ("change ..."), and for each permission it needs the names of which one suffices.

    ``role`` is the directory role that an application needs besides, where this is done to an administrator.
    """

    what: str
    all_of: tuple[frozenset[str], ...]
    role: str = ""

    def missing(self, granted: Iterable[str]) -> tuple[frozenset[str], ...]:
        have = set(granted)
        return tuple(alternatives for alternatives in self.all_of if not alternatives & have)


@dataclass(frozen=True)
class Row:
    """``methods`` and ``path`` (``{}`` stands for one segment) that need ``all_of``; what a person calls it.

    ``role`` as in Need. Source: the page on the resource type user, "Who can perform sensitive actions?".
    """

    methods: tuple[str, ...]
    path: str
    what: str
    all_of: tuple[Alternatives, ...]
    versions: tuple[str, ...] = VERSIONS
    role: str = ""


READ = ("GET",)
CHANGE = ("PATCH", "PUT")
FOR_ADMINISTRATORS = "Privileged Authentication Administrator"

DIRECTORY_READ = ("Directory.Read.All", "Directory.ReadWrite.All")
POLICY_READ = ("Policy.Read.All",)
METHODS_READ = ("Policy.Read.AuthenticationMethod", "Policy.Read.All", "Policy.ReadWrite.AuthenticationMethod")
METHODS_WRITE = ("Policy.ReadWrite.AuthenticationMethod",)
ACCESS_READ = ("Policy.Read.ConditionalAccess", "Policy.Read.All")
ACCESS_WRITE = ("Policy.ReadWrite.ConditionalAccess",)
USERS_READ = ("User.Read.All", "User.ReadWrite.All", *DIRECTORY_READ)
USERS_BASIC = ("User.ReadBasic.All", *USERS_READ)
USERS_WRITE = ("User.ReadWrite.All", "Directory.ReadWrite.All")
DOMAINS_READ = ("Domain.Read.All", "Domain.ReadWrite.All", *DIRECTORY_READ)
FEDERATION_READ = (
    "Domain-InternalFederation.Read.All",
    "Domain-InternalFederation.ReadWrite.All",
    "Domain.Read.All",
    "Domain.ReadWrite.All",
)
ORGANIZATION_READ = ("Organization.Read.All", "Organization.ReadWrite.All", *DIRECTORY_READ)
LICENCES_READ = (
    "LicenseAssignment.Read.All",
    "LicenseAssignment.ReadWrite.All",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    *DIRECTORY_READ,
)
ROLES_READ = ("RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory")
ROLES_WRITE = ("RoleManagement.ReadWrite.Directory",)
ACTIVE_ROLES_READ = (
    "RoleAssignmentSchedule.Read.Directory",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    *ROLES_READ,
)
ELIGIBLE_ROLES_READ = (
    "RoleEligibilitySchedule.Read.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    *ROLES_READ,
)
GROUPS_READ = ("Group.Read.All", "Group.ReadWrite.All", *DIRECTORY_READ)
MEMBERS_READ = (
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    *DIRECTORY_READ,
)
MEMBERS_WRITE = ("GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All")
UNITS_READ = ("AdministrativeUnit.Read.All", "AdministrativeUnit.ReadWrite.All", *DIRECTORY_READ)
PASSKEYS_READ = (
    "UserAuthMethod-Passkey.Read.All",
    "UserAuthMethod-Passkey.ReadWrite.All",
    "UserAuthenticationMethod.Read.All",
    "UserAuthenticationMethod.ReadWrite.All",
)
PASSKEYS_WRITE = ("UserAuthMethod-Passkey.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All")
PASSES_READ = (
    "UserAuthMethod-TAP.Read.All",
    "UserAuthMethod-TAP.ReadWrite.All",
    "UserAuthenticationMethod.Read.All",
    "UserAuthenticationMethod.ReadWrite.All",
)
PASSES_WRITE = ("UserAuthMethod-TAP.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All")
OATH_READ = (
    "UserAuthMethod-HardwareOATH.Read.All",
    "UserAuthMethod-HardwareOATH.ReadWrite.All",
    "UserAuthenticationMethod.Read.All",
    "UserAuthenticationMethod.ReadWrite.All",
)
OATH_WRITE = ("UserAuthMethod-HardwareOATH.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All")
REGISTRATION_READ = ("AuditLog.Read.All",)

TABLE: tuple[Row, ...] = (
    # Security defaults: the known issue "also requires Policy.Read.All" is still so in Microsoft's permission table.
    Row(
        READ,
        "/policies/identitySecurityDefaultsEnforcementPolicy",
        "read the security defaults policy",
        (POLICY_READ,),
    ),
    Row(
        CHANGE,
        "/policies/identitySecurityDefaultsEnforcementPolicy",
        "change the security defaults policy",
        (POLICY_READ, ("Policy.ReadWrite.SecurityDefaults", "Policy.ReadWrite.ConditionalAccess")),
    ),
    # Undocumented; seen in live tools. Which permission writing takes is not known, so there is no row for it.
    Row(READ, "/policies/mfaServicePolicy", "read the settings of per-user MFA", (POLICY_READ,), ("beta",)),
    Row(READ, "/policies/authenticationMethodsPolicy", "read the authentication methods policy", (METHODS_READ,)),
    Row(CHANGE, "/policies/authenticationMethodsPolicy", "change the authentication methods policy", (METHODS_WRITE,)),
    Row(
        READ,
        "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations",
        "read the authentication methods",
        (METHODS_READ,),
    ),
    Row(
        ("POST",),
        "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations",
        "create an external authentication method",
        (METHODS_WRITE,),
    ),
    Row(
        READ,
        "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{}",
        "read an authentication method",
        (METHODS_READ,),
    ),
    Row(
        ("PATCH", "PUT", "DELETE"),
        "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{}",
        "change an authentication method",
        (METHODS_WRITE,),
    ),
    Row(READ, "/identity/conditionalAccess/policies", "list Conditional Access policies", (ACCESS_READ,)),
    Row(READ, "/identity/conditionalAccess/policies/{}", "read a Conditional Access policy", (ACCESS_READ,)),
    Row(
        ("POST",),
        "/identity/conditionalAccess/policies",
        "create a Conditional Access policy",
        (POLICY_READ, ACCESS_WRITE),
    ),
    Row(
        ("PATCH", "PUT", "DELETE"),
        "/identity/conditionalAccess/policies/{}",
        "change a Conditional Access policy",
        (POLICY_READ, ACCESS_WRITE),
    ),
    Row(READ, "/users", "list users", (USERS_BASIC,)),
    Row(READ, "/users/$count", "count users", (USERS_BASIC,)),
    Row(READ, "/users/{}", "read a user", (USERS_BASIC,)),
    Row(("POST",), "/users", "create a user", (("User.Create", *USERS_WRITE),)),
    Row(
        CHANGE,
        "/users/{}",
        "change a user",
        (("User-PasswordProfile.ReadWrite.All", "User.EnableDisableAccount.All", *USERS_WRITE),),
        role=FOR_ADMINISTRATORS,
    ),
    Row(
        ("DELETE",),
        "/users/{}",
        "delete a user",
        (("User.DeleteRestore.All", *USERS_WRITE),),
        role=FOR_ADMINISTRATORS,
    ),
    Row(
        ("POST",),
        "/users/{}/revokeSignInSessions",
        "revoke the sign-in sessions of a user",
        (("User.RevokeSessions.All",),),
    ),
    Row(READ, "/users/{}/memberOf", "list the groups of a user", (("GroupMember.Read.All", *USERS_READ),)),
    Row(
        READ,
        "/users/{}/transitiveMemberOf",
        "list the groups of a user",
        (("User.Read.All", "GroupMember.Read.All", "Group.Read.All", *DIRECTORY_READ),),
    ),
    Row(READ, "/directory/deletedItems/microsoft.graph.user", "list deleted users", (USERS_READ,)),
    Row(
        ("POST",),
        "/directory/deletedItems/{}/restore",
        "restore a deleted user",
        (("User.DeleteRestore.All", *USERS_WRITE),),
        role=FOR_ADMINISTRATORS,
    ),
    Row(
        READ,
        "/users/{}/authentication/requirements",
        "read the per-user MFA state",
        (METHODS_READ,),
        ("beta",),
    ),
    Row(CHANGE, "/users/{}/authentication/requirements", "change the per-user MFA state", (METHODS_WRITE,), ("beta",)),
    Row(
        READ,
        "/users/{}/authentication/methods",
        "read a user's authentication methods",
        (("UserAuthenticationMethod.Read.All", "UserAuthenticationMethod.ReadWrite.All"),),
    ),
    Row(READ, "/users/{}/authentication/fido2Methods", "list a user's passkeys", (PASSKEYS_READ,)),
    Row(("POST",), "/users/{}/authentication/fido2Methods", "register a passkey for a user", (PASSKEYS_WRITE,)),
    Row(
        READ,
        "/users/{}/authentication/fido2Methods/creationOptions",
        "begin to register a passkey for a user",
        (PASSKEYS_WRITE,),
        ("v1.0",),
    ),
    Row(("DELETE",), "/users/{}/authentication/fido2Methods/{}", "remove a user's passkey", (PASSKEYS_WRITE,)),
    Row(
        READ,
        "/users/{}/authentication/temporaryAccessPassMethods",
        "read a user's Temporary Access Pass",
        (PASSES_READ,),
    ),
    Row(
        ("POST",),
        "/users/{}/authentication/temporaryAccessPassMethods",
        "make a Temporary Access Pass",
        (PASSES_WRITE,),
    ),
    Row(
        ("DELETE",),
        "/users/{}/authentication/temporaryAccessPassMethods/{}",
        "delete a Temporary Access Pass",
        (PASSES_WRITE,),
    ),
    Row(
        READ,
        "/directory/authenticationMethodDevices/hardwareOathDevices",
        "list hardware OATH tokens",
        ((*POLICY_READ, *METHODS_WRITE),),
        ("beta",),
    ),
    Row(
        ("POST",),
        "/directory/authenticationMethodDevices/hardwareOathDevices",
        "upload a hardware OATH token",
        (METHODS_WRITE,),
        ("beta",),
    ),
    Row(
        ("DELETE",),
        "/directory/authenticationMethodDevices/hardwareOathDevices/{}",
        "delete a hardware OATH token",
        (METHODS_WRITE,),
        ("beta",),
    ),
    Row(
        READ,
        "/users/{}/authentication/hardwareOathMethods",
        "list a user's hardware OATH tokens",
        (OATH_READ,),
        ("beta",),
    ),
    Row(
        ("POST",),
        "/users/{}/authentication/hardwareOathMethods",
        "assign a hardware OATH token",
        (OATH_WRITE,),
        ("beta",),
    ),
    Row(
        ("POST",),
        "/users/{}/authentication/hardwareOathMethods/{}/activate",
        "activate a hardware OATH token",
        (OATH_WRITE,),
        ("beta",),
    ),
    Row(
        ("DELETE",),
        "/users/{}/authentication/hardwareOathMethods/{}",
        "take away a hardware OATH token",
        (OATH_WRITE,),
        ("beta",),
    ),
    Row(READ, "/domains", "list domains", (DOMAINS_READ,)),
    Row(READ, "/domains/{}", "read a domain", (DOMAINS_READ,)),
    Row(READ, "/domains/{}/federationConfiguration", "read the federation of a domain", (FEDERATION_READ,)),
    Row(READ, "/organization", "read the organization", (ORGANIZATION_READ,)),
    Row(READ, "/organization/{}", "read the organization", (ORGANIZATION_READ,)),
    Row(READ, "/subscribedSkus", "read the licences", (LICENCES_READ,)),
    Row(READ, "/roleManagement/directory/roleDefinitions", "list roles", ((*ROLES_READ, *DIRECTORY_READ),)),
    Row(READ, "/roleManagement/directory/roleDefinitions/{}", "read a role", ((*ROLES_READ, *DIRECTORY_READ),)),
    Row(READ, "/roleManagement/directory/roleAssignments", "list role holders", ((*ROLES_READ, *DIRECTORY_READ),)),
    Row(
        READ,
        "/roleManagement/directory/roleAssignments/{}",
        "read a role assignment",
        ((*ROLES_READ, *DIRECTORY_READ),),
    ),
    Row(("POST",), "/roleManagement/directory/roleAssignments", "assign a role", (ROLES_WRITE,)),
    Row(("DELETE",), "/roleManagement/directory/roleAssignments/{}", "remove a role assignment", (ROLES_WRITE,)),
    Row(
        READ,
        "/roleManagement/directory/roleAssignmentScheduleInstances",
        "list role holders with their ends",
        (ACTIVE_ROLES_READ,),
    ),
    Row(
        READ,
        "/roleManagement/directory/roleEligibilityScheduleInstances",
        "list who is eligible for roles",
        (ELIGIBLE_ROLES_READ,),
    ),
    Row(
        READ,
        "/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
        "list who may join a group for a time",
        (("PrivilegedEligibilitySchedule.Read.AzureADGroup", "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"),),
    ),
    Row(
        READ,
        "/identityGovernance/privilegedAccess/group/assignmentScheduleInstances",
        "list who is in a group for a time",
        (("PrivilegedAssignmentSchedule.Read.AzureADGroup", "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"),),
    ),
    Row(
        ("POST",),
        "/roleManagement/directory/roleAssignmentScheduleRequests",
        "change when a role ends",
        (("RoleAssignmentSchedule.ReadWrite.Directory", *ROLES_WRITE),),
    ),
    Row(READ, "/directoryRoles", "list roles", ((*ROLES_READ, *DIRECTORY_READ),)),
    Row(READ, "/directoryRoles/{}/members", "list the members of a role", ((*ROLES_READ, *DIRECTORY_READ),)),
    Row(READ, "/groups", "list groups", (("GroupMember.Read.All", *GROUPS_READ),)),
    Row(READ, "/groups/{}", "read a group", (("GroupMember.Read.All", *GROUPS_READ),)),
    Row(READ, "/groups/{}/members", "list the members of a group", (MEMBERS_READ,)),
    Row(READ, "/groups/{}/transitiveMembers", "list the members of a group", (MEMBERS_READ,)),
    Row(("POST",), "/groups/{}/members/$ref", "add a member to a group", (MEMBERS_WRITE,)),
    Row(READ, "/directory/administrativeUnits", "list administrative units", (UNITS_READ,)),
    Row(READ, "/directory/administrativeUnits/{}", "read an administrative unit", (UNITS_READ,)),
    Row(
        ("POST",),
        "/directory/administrativeUnits/{}/members/$ref",
        "add a member to an administrative unit",
        (("AdministrativeUnit.ReadWrite.All",),),
    ),
    Row(
        READ,
        "/reports/authenticationMethods/userRegistrationDetails",
        "read the report of registered methods",
        (REGISTRATION_READ,),
    ),
    Row(
        READ,
        "/reports/authenticationMethods/userRegistrationDetails/{}",
        "read the report of registered methods",
        (REGISTRATION_READ,),
    ),
    Row(READ, "/auditLogs/signIns", "read the sign-in log", (("AuditLog.Read.All", "Directory.Read.All"),)),
    Row(READ, "/auditLogs/directoryAudits", "read the audit log", (("AuditLog.Read.All", "Directory.Read.All"),)),
)


def needs_of(method: str, version: str, path: str) -> Need | None:
    """What the table says of a request; None where the table does not know it."""
    row = _ROWS.get((method.upper(), version, _shape(path)))
    return Need(row.what, tuple(frozenset(names) for names in row.all_of), row.role) if row else None


def missing_names(needs: Iterable[Need], granted: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """For each thing to do, what is missing, in words: 'Policy.Read.All', or 'A (or B, C)', least privileged first."""
    have = frozenset(granted)
    missing: dict[str, list[str]] = {}
    for need in needs:
        for alternatives in need.missing(have):
            words = _in_words(alternatives)
            if words not in missing.setdefault(need.what, []):
                missing[need.what].append(words)
    return missing


def _in_words(alternatives: frozenset[str]) -> str:
    first, *others = _IN_ORDER.get(alternatives) or sorted(alternatives)
    return f"{first} (or {', '.join(others)})" if others else first


# Fixed words of the paths above: any other segment is an id.
_WORDS = {segment for row in TABLE for segment in row.path.lower().split("/")} - {"{}"}
_ROWS = {
    (method, version, row.path.lower()): row for row in TABLE for method in row.methods for version in row.versions
}
# Least privileged first, as the rows name them.
_IN_ORDER = {frozenset(names): names for row in TABLE for names in row.all_of}


def _shape(path: str) -> str:
    segments = path.partition("?")[0].rstrip("/").lower().split("/")
    if len(segments) > 1 and "(" in segments[1]:  # users('id') is users/id
        name, _mark, _key = segments[1].partition("(")
        segments[1:2] = [name, "{}"]
    return "/".join(segment if segment in _WORDS else "{}" for segment in segments)
