# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Built-in directory roles: name, template id (which is also the definition id), what it is for.

Identifiers: Microsoft's page "Microsoft Entra built-in roles".
"""

from __future__ import annotations

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"

BUILT_IN_ROLES: dict[str, tuple[str, str]] = {
    "Global Administrator": (GLOBAL_ADMINISTRATOR, "Can manage all aspects of Microsoft Entra ID."),
    "Application Administrator": ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Can manage all aspects of applications."),
    "Authentication Administrator": (
        "c4e39bd9-1100-46d3-8c65-fb160da0071f",
        "Can reset authentication methods of users who are no administrators.",
    ),
    "Authentication Policy Administrator": (
        "0526716b-113d-4c15-b2c8-68e3c22b9f80",
        "Can manage the authentication methods policy and multifactor settings.",
    ),
    "Billing Administrator": ("b0f54661-2d74-4c50-afa3-1ec803f12efe", "Can do billing tasks."),
    "Cloud Application Administrator": (
        "158c047a-c907-4556-b7ef-446551a6b5f7",
        "Can manage applications, except the application proxy.",
    ),
    "Conditional Access Administrator": ("b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "Can manage Conditional Access."),
    "Directory Readers": ("88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "Can read basic directory information."),
    "Directory Synchronization Accounts": (
        "d29b2b05-8046-44ba-8758-1e26182fcf32",
        "Only used by the directory synchronization service.",
    ),
    "Exchange Administrator": ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Can manage all aspects of Exchange."),
    "Global Reader": ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Can read what a Global Administrator can."),
    "Guest Inviter": ("95e79109-95c0-4d8e-aee3-d01accf2d47b", "Can invite guests."),
    "Helpdesk Administrator": ("729827e3-9c14-49f7-bb1b-9608f156bbb8", "Can reset passwords of ordinary users."),
    "Hybrid Identity Administrator": (
        "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
        "Can manage synchronization and federation.",
    ),
    "Identity Governance Administrator": ("45d8d3c5-c802-45c6-b32a-1d70b5e1e86e", "Can manage access governance."),
    "Intune Administrator": ("3a2c62db-5318-420d-8d74-23affee5d9d5", "Can manage all aspects of Intune."),
    "License Administrator": ("4d6ac14f-3453-41d0-bef9-a3e0c569773a", "Can manage licences of users and groups."),
    "Password Administrator": ("966707d0-3269-4727-9be2-8c3a10f19b9d", "Can reset passwords of ordinary users."),
    "Privileged Authentication Administrator": (
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
        "Can reset authentication methods of anybody, administrators included.",
    ),
    "Privileged Role Administrator": ("e8611ab8-c189-46e8-94e1-60213ab1f814", "Can manage role assignments."),
    "Reports Reader": ("4a5d8f65-41da-4de4-8968-e035b65339cf", "Can read sign-in and audit reports."),
    "Security Administrator": ("194ae4cb-b126-40b2-bd5b-6091b380977d", "Can read and manage security settings."),
    "Security Operator": ("5f2222b1-57c3-48ba-8ad5-d4759f1fde6f", "Can handle security events."),
    "Security Reader": ("5d6b6bb7-de71-4623-b4af-96380a352509", "Can read security settings and reports."),
    "SharePoint Administrator": ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "Can manage all aspects of SharePoint."),
    "User Administrator": ("fe930be7-5e62-47db-91af-98c3a49a38b1", "Can manage users and groups."),
}

PRIVILEGED_ROLES = frozenset(
    template
    for name, (template, _unused) in BUILT_IN_ROLES.items()
    if name.endswith("Administrator") and name not in ("Billing Administrator", "License Administrator")
)
