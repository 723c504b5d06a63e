# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's built-in authentication strengths. Source: its page "Overview of Microsoft Entra authentication
strength"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PHISHING_RESISTANT = ("windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor")
PASSWORDLESS = (*PHISHING_RESISTANT, "deviceBasedPush")
MULTIFACTOR = (
    *PASSWORDLESS,
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,sms",
    "password,voice",
    "federatedMultiFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
    "hardwareOath,federatedSingleFactor",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
)
STRENGTHS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "00000000-0000-0000-0000-000000000002": (
        "Multifactor authentication",
        "Combinations of methods that satisfy strong authentication, such as a password + SMS",
        MULTIFACTOR,
    ),
    "00000000-0000-0000-0000-000000000003": (
        "Passwordless MFA",
        "Passwordless methods that satisfy strong authentication, such as sign-in with the Microsoft Authenticator",
        PASSWORDLESS,
    ),
    "00000000-0000-0000-0000-000000000004": (
        "Phishing-resistant MFA",
        "Phishing-resistant, Passwordless methods for the strongest authentication, such as a FIDO2 security key",
        PHISHING_RESISTANT,
    ),
}
"""Microsoft's built-in authentication strengths: name, description, allowed combinations."""


def show_strength(id: str) -> dict[str, Any]:
    """A built-in strength as an authenticationStrengthPolicy. Raises KeyError for another id."""
    name, description, combinations = STRENGTHS[id]
    return {
        "id": id,
        "createdDateTime": "2021-12-01T00:00:00Z",
        "modifiedDateTime": "2021-12-01T00:00:00Z",
        "displayName": name,
        "description": description,
        "policyType": "builtIn",
        "requirementsSatisfied": "mfa",
        "allowedCombinations": list(combinations),
        "combinationConfigurations": [],
    }
