# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which application permissions each call needs: every set must be met, one permission out of a set suffices.

Source: Microsoft's published permission table and the permissions sections of the Graph documentation. Where live
services differ (Conditional Access writes need Policy.Read.All besides), the live behaviour stands.
"""

from __future__ import annotations

from m365_simulator.graph.errors import GraphError

Needs = tuple[frozenset[str], ...]

GET, POST, PATCH, DELETE = "GET", "POST", "PATCH", "DELETE"


def _any(*names: str) -> frozenset[str]:
    return frozenset(names)


READ_ALL = _any("Policy.Read.All")
DIRECTORY_READ = ("Directory.Read.All", "Directory.ReadWrite.All")
READ_ORGANIZATION = _any("Organization.Read.All", "Organization.ReadWrite.All", *DIRECTORY_READ)
READ_DOMAINS = _any("Domain.Read.All", "Domain.ReadWrite.All", *DIRECTORY_READ)
READ_FEDERATION = (READ_DOMAINS - {*DIRECTORY_READ}) | {
    "Domain-InternalFederation.Read.All",
    "Domain-InternalFederation.ReadWrite.All",
}
READ_SKUS = READ_ORGANIZATION | {"LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All"}
READ_METHODS_POLICY = _any(
    "Policy.Read.All", "Policy.Read.AuthenticationMethod", "Policy.ReadWrite.AuthenticationMethod"
)
WRITE_METHODS_POLICY = _any("Policy.ReadWrite.AuthenticationMethod")
READ_ACCESS = _any("Policy.Read.All", "Policy.Read.ConditionalAccess")
WRITE_ACCESS = _any("Policy.ReadWrite.ConditionalAccess")
READ_USERS = _any("User.Read.All", "User.ReadWrite.All", *DIRECTORY_READ)
WRITE_USERS = _any("User.ReadWrite.All", "Directory.ReadWrite.All")
CHANGE_USERS = WRITE_USERS | {"User-PasswordProfile.ReadWrite.All", "User.EnableDisableAccount.All"}
READ_GROUPS = _any("Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All") | {
    *DIRECTORY_READ
}
WRITE_GROUPS = _any("Group.ReadWrite.All", "Directory.ReadWrite.All")
WRITE_MEMBERS = WRITE_GROUPS | {"GroupMember.ReadWrite.All"}
READ_ROLE_MANAGEMENT = _any(
    "RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory"
)
READ_ROLES = READ_ROLE_MANAGEMENT | {*DIRECTORY_READ}
WRITE_ROLES = _any("RoleManagement.ReadWrite.Directory")
SCHEDULES = {
    f"role{word}Schedule{form}": word
    for word in ("Assignment", "Eligibility")
    for form in ("Requests", "s", "Instances")
}
"""Of Privileged Identity Management, each with the word that its permissions have."""


def _write_schedules(word: str) -> frozenset[str]:
    return WRITE_ROLES | {f"Role{word}Schedule.ReadWrite.Directory"}


def _read_schedules(word: str) -> frozenset[str]:
    return READ_ROLE_MANAGEMENT | _write_schedules(word) | {f"Role{word}Schedule.Read.Directory"}


def _read_group_schedules(word: str) -> frozenset[str]:
    return _any(*(f"Privileged{word}Schedule.{verb}.AzureADGroup" for verb in ("Read", "ReadWrite")))


READ_UNITS = _any("AdministrativeUnit.Read.All", "AdministrativeUnit.ReadWrite.All", *DIRECTORY_READ)
WRITE_UNITS = _any("AdministrativeUnit.ReadWrite.All", "Directory.ReadWrite.All")
READ_RISK = _any("IdentityRiskyUser.Read.All", "IdentityRiskyUser.ReadWrite.All")
READ_LOGS = _any("AuditLog.Read.All")
READ_USER_METHODS = _any("UserAuthenticationMethod.Read.All", "UserAuthenticationMethod.ReadWrite.All")


def _write_method(word: str) -> frozenset[str]:
    """`word` as the permissions made for one method have it."""
    return _any("UserAuthenticationMethod.ReadWrite.All", f"UserAuthMethod-{word}.ReadWrite.All")


def _read_method(word: str) -> frozenset[str]:
    return READ_USER_METHODS | _write_method(word) | {f"UserAuthMethod-{word}.Read.All"}


READ_APPLICATIONS = _any("Application.Read.All", "Application.ReadWrite.All", *DIRECTORY_READ)

READ_OWN_APPLICATIONS = READ_APPLICATIONS | {"Application.ReadWrite.OwnedBy"}
READ_GRANTS = READ_APPLICATIONS | {"AppRoleAssignment.ReadWrite.All"}
READ_ROLE_POLICIES = _any(
    "RoleManagement.Read.Directory",
    "RoleManagement.Read.All",
    "RoleManagement.ReadWrite.Directory",
    "RoleManagementPolicy.Read.Directory",
    "RoleManagementPolicy.ReadWrite.Directory",
)
READ_STRENGTHS = READ_ALL | {
    "Policy.Read.AuthenticationMethod",
    "Policy.ReadWrite.AuthenticationMethod",
    "Policy.Read.ConditionalAccess",
    "Policy.ReadWrite.ConditionalAccess",
}
CONFIGURES_APPLICATIONS = READ_ALL | {"Policy.ReadWrite.ApplicationConfiguration"}
NEVER_BY_AN_APPLICATION = _any()

METHODS = "/policies/authenticationMethodsPolicy"
ACCESS = "/identity/conditionalAccess"
ROLES = "/roleManagement/directory"
UNITS = "/directory/administrativeUnits"
PASSKEYS = "/users/{id}/authentication/fido2Methods"
OATH_DEVICES = "/directory/authenticationMethodDevices/hardwareOathDevices"
OATH_METHODS = "/users/{id}/authentication/hardwareOathMethods"
ACCESS_PASSES = "/users/{id}/authentication/temporaryAccessPassMethods"

PERMISSIONS: dict[tuple[str, str], Needs] = {
    (GET, "/organization"): (READ_ORGANIZATION,),
    (GET, "/organization/{id}"): (READ_ORGANIZATION,),
    (GET, "/domains"): (READ_DOMAINS,),
    (GET, "/domains/{id}"): (READ_DOMAINS,),
    (GET, "/domains/{id}/federationConfiguration"): (READ_FEDERATION,),
    (GET, "/domains/{id}/federationConfiguration/{federation}"): (READ_FEDERATION,),
    (GET, "/subscribedSkus"): (READ_SKUS,),
    (GET, "/subscribedSkus/{id}"): (READ_SKUS,),
    (GET, "/policies/identitySecurityDefaultsEnforcementPolicy"): (READ_ALL,),
    (PATCH, "/policies/identitySecurityDefaultsEnforcementPolicy"): (
        READ_ALL,
        _any("Policy.ReadWrite.SecurityDefaults", "Policy.ReadWrite.ConditionalAccess"),
    ),
    (GET, "/policies/authorizationPolicy"): (READ_ALL | {"Policy.ReadWrite.Authorization"},),
    (GET, "/policies/authorizationPolicy/{id}"): (READ_ALL | {"Policy.ReadWrite.Authorization"},),
    (PATCH, "/policies/authorizationPolicy"): (_any("Policy.ReadWrite.Authorization"),),
    (PATCH, "/policies/authorizationPolicy/{id}"): (_any("Policy.ReadWrite.Authorization"),),
    (GET, "/policies/mfaServicePolicy"): (READ_ALL,),
    (PATCH, "/policies/mfaServicePolicy"): (WRITE_METHODS_POLICY,),
    (GET, METHODS): (READ_METHODS_POLICY,),
    (PATCH, METHODS): (WRITE_METHODS_POLICY,),
    (GET, METHODS + "/authenticationMethodConfigurations"): (READ_METHODS_POLICY,),
    (POST, METHODS + "/authenticationMethodConfigurations"): (WRITE_METHODS_POLICY,),
    (GET, METHODS + "/authenticationMethodConfigurations/{id}"): (READ_METHODS_POLICY,),
    (PATCH, METHODS + "/authenticationMethodConfigurations/{id}"): (WRITE_METHODS_POLICY,),
    (DELETE, METHODS + "/authenticationMethodConfigurations/{id}"): (WRITE_METHODS_POLICY,),
    (GET, ACCESS + "/policies"): (READ_ACCESS,),
    (GET, ACCESS + "/policies/$count"): (READ_ACCESS,),
    (GET, ACCESS + "/policies/{id}"): (READ_ACCESS,),
    (POST, ACCESS + "/policies"): (READ_ALL, WRITE_ACCESS),
    (PATCH, ACCESS + "/policies/{id}"): (READ_ALL, WRITE_ACCESS),
    (DELETE, ACCESS + "/policies/{id}"): (READ_ALL, WRITE_ACCESS),
    (GET, ACCESS + "/namedLocations"): (READ_ACCESS,),
    (GET, ACCESS + "/namedLocations/{id}"): (READ_ACCESS,),
    (POST, ACCESS + "/evaluate"): (READ_ACCESS,),
    (POST, ACCESS + "/namedLocations"): (READ_ALL, WRITE_ACCESS),
    (PATCH, ACCESS + "/namedLocations/{id}"): (READ_ALL, WRITE_ACCESS),
    (DELETE, ACCESS + "/namedLocations/{id}"): (READ_ALL, WRITE_ACCESS),
    **{
        (method, f"{ACCESS}/deletedItems/{name}{path}"): (READ_ACCESS,) if method == GET else (READ_ALL, WRITE_ACCESS)
        for name in ("policies", "namedLocations")
        for method, path in ((GET, ""), (GET, "/{id}"), (DELETE, "/{id}"), (POST, "/{id}/restore"))
    },
    (GET, "/directory/deletedItems/microsoft.graph.user"): (READ_USERS,),
    (GET, "/directory/deletedItems/{id}"): (READ_USERS,),
    (DELETE, "/directory/deletedItems/{id}"): (_any("User.ReadWrite.All", "User.DeleteRestore.All"),),
    (POST, "/directory/deletedItems/{id}/restore"): (_any("User.ReadWrite.All", "User.DeleteRestore.All"),),
    (GET, "/users"): (READ_USERS,),
    (GET, "/users/$count"): (READ_USERS,),
    (POST, "/users"): (WRITE_USERS | {"User.Create"},),
    (GET, "/users/{id}"): (READ_USERS,),
    (PATCH, "/users/{id}"): (CHANGE_USERS,),
    (DELETE, "/users/{id}"): (_any("User.ReadWrite.All", "User.DeleteRestore.All"),),
    (GET, "/users/{id}/authentication/requirements"): (READ_ALL,),
    (PATCH, "/users/{id}/authentication/requirements"): (WRITE_METHODS_POLICY,),
    (GET, "/users/{id}/authentication/methods"): (READ_USER_METHODS,),
    **{
        (GET, f"/users/{{id}}/authentication/{name}"): (_read_method(word),)
        for name, word in (
            ("emailMethods", "Email"),
            ("microsoftAuthenticatorMethods", "MicrosoftAuthApp"),
            ("passwordMethods", "Password"),
            ("phoneMethods", "Phone"),
            ("softwareOathMethods", "SoftwareOATH"),
            ("windowsHelloForBusinessMethods", "WindowsHello"),
        )
    },
    (GET, PASSKEYS): (_read_method("Passkey"),),
    (POST, PASSKEYS): (_write_method("Passkey"),),
    (GET, PASSKEYS + "/creationOptions"): (_write_method("Passkey"),),
    (GET, PASSKEYS + "/{method}"): (_read_method("Passkey"),),
    (DELETE, PASSKEYS + "/{method}"): (_write_method("Passkey"),),
    (GET, OATH_DEVICES): (READ_METHODS_POLICY,),
    (POST, OATH_DEVICES): (WRITE_METHODS_POLICY,),
    (GET, OATH_DEVICES + "/{id}"): (READ_METHODS_POLICY,),
    (DELETE, OATH_DEVICES + "/{id}"): (WRITE_METHODS_POLICY,),
    (GET, OATH_METHODS): (_read_method("HardwareOATH"),),
    (POST, OATH_METHODS): (_write_method("HardwareOATH"),),
    (GET, OATH_METHODS + "/{method}"): (_read_method("HardwareOATH"),),
    (DELETE, OATH_METHODS + "/{method}"): (_write_method("HardwareOATH"),),
    **{
        (POST, f"{OATH_METHODS}/{action}"): (_write_method("HardwareOATH"),)
        for action in (
            "assignAndActivate",
            "assignAndActivateBySerialNumber",
            "{method}/activate",
            "{method}/deactivate",
        )
    },
    (GET, ACCESS_PASSES): (_read_method("TAP"),),
    (POST, ACCESS_PASSES): (_write_method("TAP"),),
    (GET, ACCESS_PASSES + "/{method}"): (_read_method("TAP"),),
    (DELETE, ACCESS_PASSES + "/{method}"): (_write_method("TAP"),),
    (POST, "/users/{id}/revokeSignInSessions"): (_any("User.RevokeSessions.All"),),
    (GET, "/users/{id}/memberOf"): (READ_USERS | {"GroupMember.Read.All"},),
    (GET, "/users/{id}/transitiveMemberOf"): (READ_USERS | {"Group.Read.All", "GroupMember.Read.All"},),
    (GET, "/groups"): (READ_GROUPS,),
    (GET, "/groups/$count"): (READ_GROUPS,),
    (POST, "/groups"): (WRITE_GROUPS | {"Group.Create"},),
    (GET, "/groups/{id}"): (READ_GROUPS,),
    (DELETE, "/groups/{id}"): (_any("Group.ReadWrite.All"),),
    (GET, "/groups/{id}/members"): (READ_GROUPS,),
    (GET, "/groups/{id}/members/$count"): (READ_GROUPS,),
    (GET, "/groups/{id}/transitiveMembers"): (READ_GROUPS,),
    (POST, "/groups/{id}/members/$ref"): (WRITE_MEMBERS,),
    (DELETE, "/groups/{id}/members/{member}/$ref"): (WRITE_MEMBERS,),
    (GET, UNITS): (READ_UNITS,),
    (GET, UNITS + "/$count"): (READ_UNITS,),
    (POST, UNITS): (WRITE_UNITS,),
    (GET, UNITS + "/{id}"): (READ_UNITS,),
    (PATCH, UNITS + "/{id}"): (WRITE_UNITS,),
    (DELETE, UNITS + "/{id}"): (WRITE_UNITS,),
    (GET, UNITS + "/{id}/members"): (READ_UNITS,),
    (POST, UNITS + "/{id}/members/$ref"): (WRITE_UNITS,),
    (DELETE, UNITS + "/{id}/members/{member}/$ref"): (WRITE_UNITS,),
    (GET, ROLES + "/roleDefinitions"): (READ_ROLES,),
    (GET, ROLES + "/roleDefinitions/{id}"): (READ_ROLES,),
    (GET, ROLES + "/roleAssignments"): (READ_ROLES,),
    (GET, ROLES + "/roleAssignments/{id}"): (READ_ROLES,),
    (POST, ROLES + "/roleAssignments"): (WRITE_ROLES,),
    (DELETE, ROLES + "/roleAssignments/{id}"): (WRITE_ROLES,),
    **{(GET, f"{ROLES}/{name}{id}"): (_read_schedules(SCHEDULES[name]),) for name in SCHEDULES for id in ("", "/{id}")},
    **{
        (POST, f"{ROLES}/{name}"): (_write_schedules(SCHEDULES[name]),)
        for name in SCHEDULES
        if name.endswith("Requests")
    },
    **{
        (GET, f"/identityGovernance/privilegedAccess/group/{word.lower()}ScheduleInstances"): (
            _read_group_schedules(word),
        )
        for word in ("Assignment", "Eligibility")
    },
    (GET, "/identityProtection/riskyUsers"): (READ_RISK,),
    (GET, "/directoryObjects/{id}"): (_any(*DIRECTORY_READ),),
    (POST, "/directoryObjects/getByIds"): (_any(*DIRECTORY_READ),),
    (GET, "/directoryRoleTemplates"): (READ_ROLES,),
    (GET, "/directoryRoleTemplates/{id}"): (READ_ROLES,),
    (GET, "/directoryRoles"): (READ_ROLES,),
    (GET, "/directoryRoles/{id}"): (READ_ROLES,),
    (GET, "/directoryRoles/{id}/members"): (READ_ROLES,),
    (GET, "/reports/authenticationMethods/userRegistrationDetails"): (READ_LOGS,),
    (GET, "/reports/authenticationMethods/userRegistrationDetails/{id}"): (READ_LOGS,),
    (GET, "/auditLogs/signIns"): (READ_LOGS,),
    (GET, "/auditLogs/signIns/{id}"): (READ_LOGS,),
    (GET, "/auditLogs/directoryAudits"): (READ_LOGS,),
    (GET, "/auditLogs/directoryAudits/{id}"): (READ_LOGS,),
    (GET, "/policies/adminConsentRequestPolicy"): (READ_ALL | {"Policy.ReadWrite.ConsentRequest"},),
    (GET, "/policies/authenticationFlowsPolicy"): (READ_ALL | {"Policy.ReadWrite.AuthenticationFlows"},),
    (GET, "/policies/authenticationStrengthPolicies"): (READ_STRENGTHS,),
    (GET, "/policies/authenticationStrengthPolicies/{id}"): (READ_STRENGTHS,),
    (GET, "/policies/conditionalAccessPolicies"): (READ_ACCESS,),
    (GET, "/policies/crossTenantAccessPolicy"): (READ_ALL | {"Policy.ReadWrite.CrossTenantAccess"},),
    (GET, "/policies/defaultAppManagementPolicy"): (CONFIGURES_APPLICATIONS,),
    (GET, "/policies/deviceRegistrationPolicy"): (
        _any("Policy.Read.DeviceConfiguration", "Policy.ReadWrite.DeviceConfiguration"),
    ),
    (GET, "/policies/activityBasedTimeoutPolicies"): (CONFIGURES_APPLICATIONS,),
    (GET, "/policies/appManagementPolicies"): (CONFIGURES_APPLICATIONS,),
    (GET, "/policies/claimsMappingPolicies"): (CONFIGURES_APPLICATIONS,),
    (GET, "/policies/homeRealmDiscoveryPolicies"): (CONFIGURES_APPLICATIONS,),
    (GET, "/policies/tokenIssuancePolicies"): (CONFIGURES_APPLICATIONS,),
    (GET, "/policies/tokenLifetimePolicies"): (CONFIGURES_APPLICATIONS,),
    (GET, "/policies/featureRolloutPolicies"): (NEVER_BY_AN_APPLICATION,),
    (GET, "/policies/permissionGrantPolicies"): (
        _any("Policy.Read.PermissionGrant", "Policy.ReadWrite.PermissionGrant"),
    ),
    (GET, "/policies/roleManagementPolicies"): (READ_ROLE_POLICIES,),
    (GET, "/applications"): (READ_OWN_APPLICATIONS,),
    (GET, "/applications/$count"): (READ_OWN_APPLICATIONS,),
    (GET, "/applications/{id}"): (READ_OWN_APPLICATIONS,),
    (GET, "/servicePrincipals"): (READ_APPLICATIONS,),
    (GET, "/servicePrincipals/$count"): (READ_APPLICATIONS,),
    (GET, "/servicePrincipals/{id}"): (READ_APPLICATIONS,),
    (GET, "/servicePrincipals/{id}/appRoleAssignments"): (READ_GRANTS,),
    (GET, "/servicePrincipals/{id}/appRoleAssignedTo"): (READ_GRANTS,),
}


def check_permissions(method: str, template: str, granted: frozenset[str]) -> None:
    """Raise Graph's 403 for the area when a permission is missing."""
    missing = [needed for needed in PERMISSIONS[method, template] if not needed & granted]
    if missing:
        raise permission_missing(template, missing[0])


def permission_missing(template: str, needed: frozenset[str]) -> GraphError:
    """Each area of Graph has its own words for it."""
    if template.startswith(("/reports", "/auditLogs")):
        return GraphError(
            403,
            "Authentication_MSGraphPermissionMissing",
            f"Calling principal does not have required MSGraph permissions {', '.join(sorted(needed))}",
        )
    if template.startswith(("/policies", "/identity")) or "/authentication/" in template:
        return GraphError(
            403,
            "AccessDenied",
            "You cannot perform the requested operation, required scopes are missing in the token.",
        )
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
