# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The four Microsoft-managed policies that take the place of security defaults in a tenant with P1.

Sources: users saw them appear, enabled, within a minute of switching security defaults off; Microsoft's page
"Microsoft-managed Conditional Access policies" names them and says what may be changed in them. Their bodies follow
Microsoft's templates of the same purpose; that they are exactly these is an assumption, and so is their state.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.state import TenantStore

AZURE_MANAGEMENT = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
"""The application id of the Windows Azure Service Management API."""

ADMINISTRATOR_ROLES = tuple(
    BUILT_IN_ROLES[name][0]
    for name in (
        "Global Administrator",
        "Application Administrator",
        "Authentication Administrator",
        "Billing Administrator",
        "Cloud Application Administrator",
        "Conditional Access Administrator",
        "Exchange Administrator",
        "Helpdesk Administrator",
        "Password Administrator",
        "Privileged Authentication Administrator",
        "Privileged Role Administrator",
        "Security Administrator",
        "SharePoint Administrator",
        "User Administrator",
    )
)
LEGACY_CLIENTS = ("exchangeActiveSync", "other")

EDITABLE_USERS = ("excludeUsers", "excludeGroups", "excludeRoles", "excludeGuestsOrExternalUsers")
WRITTEN_BY_SERVICE = ("createdDateTime", "modifiedDateTime", "templateId")


def managed_policies(state: str) -> list[dict[str, Any]]:
    """The four as they are written, in Microsoft's order; `state` is that of all of them."""
    everyone = {"includeUsers": ["All"]}
    return [
        _policy(
            "Microsoft-managed: Block legacy authentication",
            state,
            "0b2282f9-2862-4178-88b5-d79340b36cb8",
            users=everyone,
            control="block",
            clients=LEGACY_CLIENTS,
        ),
        _policy(
            "Microsoft-managed: Multifactor authentication for Azure Management",
            state,
            "d8c51a9a-e6b1-454d-86af-554e7872e2c1",
            users=everyone,
            applications=(AZURE_MANAGEMENT,),
        ),
        _policy(
            "Microsoft-managed: Multifactor authentication for admins",
            state,
            "c7503427-338e-4c5e-902d-abe252abfb43",
            users={"includeRoles": list(ADMINISTRATOR_ROLES)},
        ),
        _policy(
            "Microsoft-managed: Multifactor authentication for all users",
            state,
            "a3d0a415-b068-4326-9251-f9cdf9feeb64",
            users=everyone,
        ),
    ]


def _policy(
    name: str,
    state: str,
    template: str,
    *,
    users: Mapping[str, Any],
    control: str = "mfa",
    clients: Iterable[str] = ("all",),
    applications: Iterable[str] = ("All",),
) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "templateId": template,
        "displayName": name,
        "state": state,
        "conditions": {
            "clientAppTypes": list(clients),
            "applications": {"includeApplications": list(applications)},
            "users": dict(users),
        },
        "grantControls": {"operator": "OR", "builtInControls": [control]},
    }


def has_managed_policies(store: TenantStore) -> bool:
    return any(row.private.get("managed") for row in store.rows("conditionalAccessPolicy"))


def is_allowed_change(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether nothing but the state and the exclusion of users differs between two policies as Graph shows them."""
    return _fixed_part(stored) == _fixed_part(wanted)


def _fixed_part(policy: Mapping[str, Any]) -> dict[str, Any]:
    conditions = policy["conditions"]
    users = {name: value for name, value in conditions["users"].items() if name not in EDITABLE_USERS}
    kept = {name: value for name, value in policy.items() if name not in ("state", *WRITTEN_BY_SERVICE)}
    return {**kept, "conditions": {**conditions, "users": users}}
