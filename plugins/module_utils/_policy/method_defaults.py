# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each configuration of the authentication methods policy is by default (private to the collection).

As live tools have recorded it in fresh tenants. Microsoft changes defaults now and then, so a reset may lead elsewhere.
"""

from __future__ import annotations

from typing import Any

from .authentication_methods import ALL_USERS

EVERYBODY = {"id": ALL_USERS}

DEFAULTS: dict[str, dict[str, Any]] = {
    "Fido2": {
        "state": "disabled",
        "isSelfServiceRegistrationAllowed": True,
        "keyRestrictions": {"isEnforced": False},
        "includeTargets": [EVERYBODY],
        "excludeTargets": [],
    },
    "MicrosoftAuthenticator": {
        "state": "enabled",
        "isSoftwareOathEnabled": False,
        "includeTargets": [{**EVERYBODY, "authenticationMode": "any"}],
        "excludeTargets": [],
    },
    "Sms": {"state": "disabled", "includeTargets": [{**EVERYBODY, "isUsableForSignIn": True}], "excludeTargets": []},
    "Voice": {
        "state": "disabled",
        "isOfficePhoneAllowed": False,
        "includeTargets": [EVERYBODY],
        "excludeTargets": [],
    },
    "Email": {
        "state": "enabled",
        "allowExternalIdToUseEmailOtp": "default",
        "includeTargets": [],
        "excludeTargets": [],
    },
    "SoftwareOath": {"state": "disabled", "includeTargets": [EVERYBODY], "excludeTargets": []},
    "HardwareOath": {"state": "disabled", "includeTargets": [EVERYBODY], "excludeTargets": []},
    "TemporaryAccessPass": {
        "state": "disabled",
        "defaultLifetimeInMinutes": 60,
        "defaultLength": 8,
        "minimumLifetimeInMinutes": 60,
        "maximumLifetimeInMinutes": 480,
        "isUsableOnce": False,
        "includeTargets": [EVERYBODY],
        "excludeTargets": [],
    },
    "X509Certificate": {
        "state": "disabled",
        "authenticationModeConfiguration": {
            "x509CertificateAuthenticationDefaultMode": "x509CertificateSingleFactor",
            "rules": [],
        },
        "includeTargets": [EVERYBODY],
        "excludeTargets": [],
    },
    "QRCodePin": {
        "state": "disabled",
        "standardQRCodeLifetimeInDays": 365,
        "pinLength": 8,
        "includeTargets": [EVERYBODY],
        "excludeTargets": [],
    },
}
