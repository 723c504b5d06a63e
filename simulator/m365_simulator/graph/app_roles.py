# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Application permissions of Microsoft Graph as its service principal publishes them: app roles with their ids.

Source of ids and names: Microsoft's page "Microsoft Graph permissions reference". Only the permissions that the
simulator itself asks for are here, a small part of the several hundred that the real service principal has.
"""

from __future__ import annotations

import uuid
from typing import Any

from m365_simulator.objects import GRAPH_APP_ID

PERMISSION_IDS: dict[str, tuple[str, str]] = {
    "UserAuthMethod-Passkey.ReadWrite.All": (
        "0400e371-7db1-4338-a269-96069eb65227",
        "Read and write all users' passkey authentication methods",
    ),
    "AdministrativeUnit.Read.All": ("134fd756-38ce-4afd-ba33-e9623dbe66c2", "Read all administrative units"),
    "AdministrativeUnit.ReadWrite.All": (
        "5eb59dd3-1da2-4329-8733-9dabdc435916",
        "Read and write all administrative units",
    ),
    "Application.Read.All": ("9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30", "Read all applications"),
    "Application.ReadWrite.All": ("1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9", "Read and write all applications"),
    "Application.ReadWrite.OwnedBy": (
        "18a4783c-866b-4cc7-a460-3d5e5662c884",
        "Manage apps that this app creates or owns",
    ),
    "AppRoleAssignment.ReadWrite.All": (
        "06b708a9-e830-4db3-a914-8e69da51d44f",
        "Manage app permission grants and app role assignments",
    ),
    "AuditLog.Read.All": ("b0afded3-3588-46d8-8b3d-9842eff778da", "Read all audit log data"),
    "Directory.Read.All": ("7ab1d382-f21e-4acd-a863-ba3e13f7da61", "Read directory data"),
    "Directory.ReadWrite.All": ("19dbc75e-c2e2-444c-a770-ec69d8559fc7", "Read and write directory data"),
    "Domain.Read.All": ("dbb9058a-0e50-45d7-ae91-66909b5d4664", "Read domains"),
    "Domain.ReadWrite.All": ("7e05723c-0bb0-42da-be95-ae9f08a6e53c", "Read and write domains"),
    "Group.Create": ("bf7b1a76-6e77-406b-b258-bf5c7720e98f", "Create groups"),
    "Group.Read.All": ("5b567255-7703-4780-807c-7be8301ae99b", "Read all groups"),
    "Group.ReadWrite.All": ("62a82d76-70ea-41e2-9197-370581804d09", "Read and write all groups"),
    "GroupMember.Read.All": ("98830695-27a2-44f7-8c18-0c3ebc9698f6", "Read all group memberships"),
    "GroupMember.ReadWrite.All": ("dbaae8cf-10b5-4b86-a4a1-f871c94c6695", "Read and write all group memberships"),
    "IdentityRiskyUser.Read.All": (
        "dc5007c0-2d7d-4c42-879c-2dab87571379",
        "Read all identity risky user information",
    ),
    "IdentityRiskyUser.ReadWrite.All": (
        "656f6061-f9fe-4807-9708-6a2e0934df76",
        "Read and write all risky user information",
    ),
    "LicenseAssignment.Read.All": ("e2f98668-2877-4f38-a2f4-8202e0717aa1", "Read all license assignments."),
    "LicenseAssignment.ReadWrite.All": ("5facf0c1-8979-4e95-abcf-ff3d079771c0", "Manage all license assignments"),
    "Organization.Read.All": ("498476ce-e0fe-48b0-b801-37ba7e2685c6", "Read organization information"),
    "Organization.ReadWrite.All": ("292d869f-3427-49a8-9dab-8c70152b74e9", "Read and write organization information"),
    "Policy.Read.All": ("246dd0d5-5bd0-4def-940b-0421030a5b68", "Read your organization's policies"),
    "Policy.Read.AuthenticationMethod": (
        "8e3bc81b-d2f3-4b7b-838c-32c88218d2f0",
        "Read authentication method policies",
    ),
    "Policy.Read.ConditionalAccess": (
        "37730810-e9ba-4e46-b07e-8ca78d182097",
        "Read your organization's conditional access policies",
    ),
    "Policy.Read.PermissionGrant": (
        "9e640839-a198-48fb-8b9a-013fd6f6cbcd",
        "Read consent and permission grant policies",
    ),
    "Policy.ReadWrite.ApplicationConfiguration": (
        "be74164b-cff1-491c-8741-e671cb536e13",
        "Read and write your organization's application configuration policies",
    ),
    "Policy.ReadWrite.AuthenticationFlows": (
        "25f85f3c-f66c-4205-8cd5-de92dd7f0cec",
        "Read and write authentication flow policies",
    ),
    "Policy.ReadWrite.AuthenticationMethod": (
        "29c18626-4985-4dcd-85c0-193eef327366",
        "Read and write all authentication method policies ",
    ),
    "Policy.ReadWrite.Authorization": (
        "fb221be6-99f2-473f-bd32-01c6a0e9ca3b",
        "Read and write your organization's authorization policy",
    ),
    "Policy.ReadWrite.ConditionalAccess": (
        "01c0a623-fc9b-48e9-b794-0756f8e8f067",
        "Read and write your organization's conditional access policies",
    ),
    "Policy.ReadWrite.ConsentRequest": (
        "999f8c63-0a38-4f1b-91fd-ed1947bdd1a9",
        "Read and write your organization's consent request policy",
    ),
    "Policy.ReadWrite.CrossTenantAccess": (
        "338163d7-f101-4c92-94ba-ca46fe52447c",
        "Read and write your organization's cross tenant access policies",
    ),
    "Policy.ReadWrite.FeatureRollout": (
        "2044e4f1-e56c-435b-925c-44cd8f6ba89a",
        "Read and write feature rollout policies",
    ),
    "Policy.ReadWrite.PermissionGrant": (
        "a402ca1c-2696-4531-972d-6e5ee4aa11ea",
        "Manage consent and permission grant policies",
    ),
    "Policy.ReadWrite.SecurityDefaults": (
        "1c6e93a6-28e2-4cbb-9f64-1a46a821124d",
        "Read and write your organization's security defaults policy",
    ),
    "RoleAssignmentSchedule.Read.Directory": (
        "d5fe8ce8-684c-4c83-a52c-46e882ce4be1",
        "Read all active role assignments and role schedules for your company's directory",
    ),
    "RoleAssignmentSchedule.ReadWrite.Directory": (
        "dd199f4a-f148-40a4-a2ec-f0069cc799ec",
        "Read, update, and delete all policies for privileged role assignments of your company's directory",
    ),
    "RoleEligibilitySchedule.Read.Directory": (
        "ff278e11-4a33-4d0c-83d2-d01dc58929a5",
        "Read all eligible role assignments and role schedules for your company's directory",
    ),
    "RoleEligibilitySchedule.ReadWrite.Directory": (
        "fee28b28-e1f3-4841-818e-2704dc62245f",
        "Read, update, and delete all eligible role assignments and schedules for your company's directory",
    ),
    "PrivilegedAssignmentSchedule.Read.AzureADGroup": (
        "cd4161cb-f098-48f8-a884-1eda9a42434c",
        "Read assignment schedules for access to Azure AD groups",
    ),
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup": (
        "41202f2c-f7ab-45be-b001-85c9728b9d69",
        "Read, create, and delete assignment schedules for access to Azure AD groups",
    ),
    "PrivilegedEligibilitySchedule.Read.AzureADGroup": (
        "edb419d6-7edc-42a3-9345-509bfdf5d87c",
        "Read eligibility schedules for access to Azure AD groups",
    ),
    "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup": (
        "618b6020-bca8-4de6-99f6-ef445fa4d857",
        "Read, create, and delete eligibility schedules for access to Azure AD groups",
    ),
    "RoleManagement.Read.All": (
        "c7fbd983-d9aa-4fa7-84b8-17382c103bc4",
        "Read role management data for all RBAC providers",
    ),
    "RoleManagement.Read.Directory": ("483bed4a-2ad3-4361-a73b-c83ccdbdc53c", "Read all directory RBAC settings"),
    "RoleManagement.ReadWrite.Directory": (
        "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
        "Read and write all directory RBAC settings",
    ),
    "RoleManagementPolicy.Read.Directory": (
        "fdc4c997-9942-4479-bfcb-75a36d1138df",
        "Read all policies for privileged role assignments of your company's directory",
    ),
    "RoleManagementPolicy.ReadWrite.Directory": (
        "31e08e0a-d3f7-4ca2-ac39-7343fb83e8ad",
        "Read, update, and delete all policies for privileged role assignments of your company's directory",
    ),
    "User-PasswordProfile.ReadWrite.All": (
        "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7",
        "Read and write all password profiles and reset user passwords",
    ),
    "User.Create": ("4240f680-4f73-4082-a766-aa916a2dc9b3", "Create users"),
    "User.DeleteRestore.All": ("eccc023d-eccf-4e7b-9683-8813ab36cecc", "Delete and restore all users"),
    "User.EnableDisableAccount.All": ("3011c876-62b7-4ada-afa2-506cbbecc68c", "Enable and disable user accounts"),
    "User.Read.All": ("df021288-bdef-4463-88db-98f22de89214", "Read all users' full profiles"),
    "User.ReadWrite.All": ("741f803b-c850-494e-b5df-cde7c675a1ca", "Read and write all users' full profiles"),
    "User.RevokeSessions.All": ("77f3a031-c388-4f99-b373-dc68676a979e", "Revoke all sign in sessions for a user"),
    "UserAuthenticationMethod.Read.All": (
        "38d9df27-64da-44fd-b7c5-a6fbac20248f",
        "Read all users' authentication methods",
    ),
    "UserAuthenticationMethod.ReadWrite.All": (
        "50483e42-d915-4231-9639-7fdb7fd190e5",
        "Read and write all users' authentication methods ",
    ),
}


def permission_id(permission: str) -> str:
    """The app role's id. A permission that is not in the table has one derived from its name, so that what was
    granted, what is assigned and what is published stay the same thing; it is not the real one."""
    known = PERMISSION_IDS.get(permission)
    return known[0] if known else str(uuid.uuid5(uuid.UUID(GRAPH_APP_ID), permission))


def published_app_roles(granted: list[str]) -> list[dict[str, Any]]:
    """appRoles of Microsoft Graph's service principal: all that are known, and whatever else was granted."""
    return [
        {
            "allowedMemberTypes": ["Application"],
            "description": None,
            "displayName": PERMISSION_IDS.get(permission, ("", permission))[1],
            "id": permission_id(permission),
            "isEnabled": True,
            "origin": "Application",
            "value": permission,
        }
        for permission in sorted({*PERMISSION_IDS, *granted})
    ]
