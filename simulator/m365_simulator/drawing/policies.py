# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security defaults, the authentication methods policy, the MFA service settings and the authorization policy."""

from __future__ import annotations

import random
from typing import Any

from m365_simulator.drawing.facts import Facts
from m365_simulator.drawing.groups import EXCLUDED, PHONES, SERVICES

MEMBER_ROLE = "a0b1b346-4d3e-4e8b-98f8-753987be4970"
GUEST_ROLE = "10dae51f-b6af-4016-8d66-8c2a99b929b3"
RESTRICTED_GUEST_ROLE = "2af84b1e-32c8-42b7-82bc-daa82404023b"
CONSENTS = ("microsoft-user-default-legacy", "microsoft-user-default-recommended", "microsoft-user-default-low", None)


def draw_policies(rng: random.Random, facts: Facts) -> dict[str, Any]:
    """The keys of a scenario that are named like these policies."""
    return {
        "security_defaults": _security_defaults(rng, facts),
        "authentication_methods_policy": {"migration_state": facts.migration_state, "methods": _methods(rng, facts)},
        "mfa_service_policy": {
            "allowAppPasswords": rng.random() < 0.6,
            "rememberMfaOnTrustedDevice": {
                "isEnabled": rng.random() < 0.4,
                "allowedNumberOfDays": rng.choice((1, 14, 60, 90, 365)),
            },
            "trustedIps": {
                "skipMfaForFederatedUsers": facts.synchronised == "federated" and rng.random() < 0.3,
                "ipRanges": ["203.0.113.0/24"] if rng.random() < 0.3 else [],
            },
        },
        "authorization_policy": _authorization(rng),
    }


def _security_defaults(rng: random.Random, facts: Facts) -> dict[str, Any]:
    wanted: dict[str, Any] = {"enabled": facts.protection == "security defaults"}
    if facts.licence == "free" and not wanted["enabled"] and rng.random() < 0.2:
        wanted["upsell"] = {
            "action": rng.choice(("autoEnable", "autoEnabledNotify")),
            "due_in_days": rng.choice((7, 14, 30, 60)),
        }
    return wanted


def _methods(rng: random.Random, facts: Facts) -> dict[str, Any]:
    """What differs from a fresh tenant. Authenticator stays on for all, as nearly everywhere."""
    changes: dict[str, Any] = {}
    if facts.migration_state is not None and rng.random() < 0.6:
        changes["Sms"] = {"state": "enabled"}
        if rng.random() < 0.4:
            changes["Sms"]["includeTargets"] = [{**_target(PHONES), "isUsableForSignIn": rng.random() < 0.5}]
    if "Sms" in changes and rng.random() < 0.5:
        changes["Voice"] = {"state": "enabled", "isOfficePhoneAllowed": rng.random() < 0.5}
    if rng.random() < 0.5:
        changes["Fido2"] = {"state": "enabled"}
        if rng.random() < 0.3:
            target = {"targetType": "group", "id": f"group:{SERVICES}"}
            changes["Fido2"]["excludeTargets"] = [target]
    if rng.random() < 0.5:
        changes["SoftwareOath"] = {"state": "enabled"}
    if rng.random() < 0.4:
        changes["TemporaryAccessPass"] = {"state": "enabled", "isUsableOnce": rng.random() < 0.5}
        if rng.random() < 0.3:
            changes["TemporaryAccessPass"]["includeTargets"] = [_target(EXCLUDED)]
    if rng.random() < 0.2:
        changes["MicrosoftAuthenticator"] = {"isSoftwareOathEnabled": True}
    return changes


def _target(group: str) -> dict[str, Any]:
    return {"targetType": "group", "id": f"group:{group}", "isRegistrationRequired": False}


def _authorization(rng: random.Random) -> dict[str, Any]:
    consent = rng.choice(CONSENTS)
    return {
        "allowInvitesFrom": rng.choice(
            ("everyone", "adminsGuestInvitersAndAllMembers", "adminsAndGuestInviters", "none")
        ),
        "guestUserRoleId": rng.choice((MEMBER_ROLE, GUEST_ROLE, GUEST_ROLE, RESTRICTED_GUEST_ROLE)),
        "allowedToUseSSPR": rng.random() < 0.8,
        "blockMsolPowerShell": rng.random() < 0.3,
        "defaultUserRolePermissions": {
            "allowedToCreateApps": rng.random() < 0.7,
            "allowedToCreateSecurityGroups": rng.random() < 0.6,
            "allowedToCreateTenants": rng.random() < 0.6,
            "allowedToReadBitlockerKeysForOwnedDevice": True,
            "allowedToReadOtherUsers": True,
            "permissionGrantPoliciesAssigned": [f"ManagePermissionGrantsForSelf.{consent}"] if consent else [],
        },
    }
