# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security defaults, the authentication methods policy, the MFA service settings and the authorization policy."""

from __future__ import annotations

from typing import Any

from m365_simulator.building.making import Making
from m365_simulator.clock import to_stamp
from m365_simulator.errors import SimulatorError
from m365_simulator.method_defaults import default_configurations, default_policy, default_service_policy
from m365_simulator.objects import SECURITY_DEFAULTS_ID


def build_policies(making: Making) -> None:
    defaults = making.scenario.get("security_defaults", {})
    upsell = defaults.get("upsell", {})
    due = to_stamp(making.now + upsell["due_in_days"] * 86400) if "due_in_days" in upsell else None
    making.add(
        "securityDefaults",
        SECURITY_DEFAULTS_ID,
        {
            "id": SECURITY_DEFAULTS_ID,
            "displayName": "Security Defaults",
            "description": "Basic identity security that Microsoft recommends to every organization.",
            "isEnabled": defaults.get("enabled", False),
            "securityDefaultsUpsell": {"action": upsell.get("action", "none"), "dueDateTime": due},
        },
        private={"classicPolicies": making.about.get("classic_policies", False)},
    )
    wanted = making.scenario.get("authentication_methods_policy", {})
    policy = default_policy(making.created)
    policy["policyMigrationState"] = wanted.get("migration_state")
    policy.update(making.resolve_all(wanted.get("settings", {})))
    making.add(
        "authenticationMethodsPolicy", policy["id"], policy, private={"startedAs": wanted.get("migration_state")}
    )
    changes = making.resolve_all(wanted.get("methods", {}))
    configurations = default_configurations()
    for name in changes:
        if name not in configurations:
            raise SimulatorError(f"The scenario {making.tenant.scenario} names an unknown method, {name!r}.")
    for name, configuration in configurations.items():
        making.add("methodConfiguration", name, {**configuration, **changes.get(name, {})})
    service = {**default_service_policy(), **making.scenario.get("mfa_service_policy", {})}
    making.add("mfaServicePolicy", service["id"], service)
    authorization: dict[str, Any] = {
        "id": "authorizationPolicy",
        "displayName": "Authorization Policy",
        "description": "Used to manage authorization related settings across the company.",
        "allowInvitesFrom": "everyone",
        "allowedToSignUpEmailBasedSubscriptions": True,
        "allowedToUseSSPR": True,
        "allowEmailVerifiedUsersToJoinOrganization": False,
        "allowUserConsentForRiskyApps": None,
        "blockMsolPowerShell": False,
        "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
        "defaultUserRolePermissions": {
            "allowedToCreateApps": True,
            "allowedToCreateSecurityGroups": True,
            "allowedToCreateTenants": True,
            "allowedToReadBitlockerKeysForOwnedDevice": True,
            "allowedToReadOtherUsers": True,
            "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-recommended"],
        },
        **making.scenario.get("authorization_policy", {}),
    }
    making.add("authorizationPolicy", authorization["id"], authorization)
