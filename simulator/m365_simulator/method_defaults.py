# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The authentication methods policy of a fresh tenant.

Properties and types follow Microsoft's published metadata; the values are those seen in fresh tenants by live tools.
"""

from __future__ import annotations

from typing import Any

NOBODY = "00000000-0000-0000-0000-000000000000"


def _everyone(**extra: Any) -> list[dict[str, Any]]:
    return [{"targetType": "group", "id": "all_users", "isRegistrationRequired": False, **extra}]


def _feature() -> dict[str, Any]:
    return {
        "state": "default",
        "includeTarget": {"targetType": "group", "id": "all_users"},
        "excludeTarget": {"targetType": "group", "id": NOBODY},
    }


def _configuration(id: str, type_name: str, state: str, targets: list[dict[str, Any]], **extra: Any) -> dict[str, Any]:
    return {
        "@odata.type": f"#microsoft.graph.{type_name}AuthenticationMethodConfiguration",
        "id": id,
        "state": state,
        "excludeTargets": [],
        **extra,
        "includeTargets": targets,
    }


def default_configurations() -> dict[str, dict[str, Any]]:
    """By id, in Graph's order; what DELETE on a configuration brings back."""
    bindings = (
        ("PrincipalName", "userPrincipalName", "low"),
        ("RFC822Name", "userPrincipalName", "low"),
        ("SubjectKeyIdentifier", "certificateUserIds", "high"),
    )
    configurations = [
        _configuration(
            "Fido2",
            "fido2",
            "disabled",
            _everyone(allowedPasskeyProfiles=[]),
            isSelfServiceRegistrationAllowed=True,
            isAttestationEnforced=False,
            defaultPasskeyProfile=None,
            keyRestrictions={"isEnforced": False, "enforcementType": "block", "aaGuids": []},
            passkeyProfiles=[],
        ),
        _configuration(
            "MicrosoftAuthenticator",
            "microsoftAuthenticator",
            "enabled",
            _everyone(authenticationMode="any"),
            isSoftwareOathEnabled=False,
            featureSettings={
                "companionAppAllowedState": _feature(),
                "displayAppInformationRequiredState": _feature(),
                "displayLocationInformationRequiredState": _feature(),
                "numberMatchingRequiredState": {**_feature(), "state": "enabled"},
            },
        ),
        _configuration("Sms", "sms", "disabled", _everyone(isUsableForSignIn=True)),
        _configuration(
            "TemporaryAccessPass",
            "temporaryAccessPass",
            "disabled",
            _everyone(),
            defaultLifetimeInMinutes=60,
            defaultLength=8,
            minimumLifetimeInMinutes=60,
            maximumLifetimeInMinutes=480,
            isUsableOnce=False,
        ),
        _configuration("HardwareOath", "hardwareOath", "disabled", _everyone()),
        _configuration("SoftwareOath", "softwareOath", "disabled", _everyone()),
        _configuration("Voice", "voice", "disabled", _everyone(), isOfficePhoneAllowed=False, callerIdNumber=None),
        _configuration("Email", "email", "enabled", [], allowExternalIdToUseEmailOtp="default"),
        _configuration(
            "X509Certificate",
            "x509Certificate",
            "disabled",
            _everyone(),
            certificateUserBindings=[
                {"x509CertificateField": field, "userProperty": to, "priority": priority, "trustAffinityLevel": level}
                for priority, (field, to, level) in enumerate(bindings, start=1)
            ],
            authenticationModeConfiguration={
                "x509CertificateAuthenticationDefaultMode": "x509CertificateSingleFactor",
                "x509CertificateDefaultRequiredAffinityLevel": "low",
                "rules": [],
            },
            issuerHintsConfiguration={"state": "disabled"},
            crlValidationConfiguration={
                "state": "disabled",
                "exemptedCertificateAuthoritiesSubjectKeyIdentifiers": [],
            },
            certificateAuthorityScopes=[],
        ),
        _configuration(
            "QRCodePin", "qrCodePin", "disabled", _everyone(), standardQRCodeLifetimeInDays=365, pinLength=8
        ),
    ]
    return {configuration["id"]: configuration for configuration in configurations}


def external_configuration(id: str) -> dict[str, Any]:
    """Of an external method as nobody has written anything of it; a tenant has none of its own."""
    return _configuration(
        id,
        "external",
        "disabled",
        _everyone(),
        displayName="",
        appId="",
        openIdConnectSetting={"clientId": "", "discoveryUrl": ""},
    )


def default_policy(stamp: str) -> dict[str, Any]:
    """The root object with its beta members, without the configurations. `stamp` dates its last change."""
    return {
        "id": "authenticationMethodsPolicy",
        "displayName": "Authentication Methods Policy",
        "description": "Controls which authentication methods the tenant allows, and how users register them.",
        "lastModifiedDateTime": stamp,
        "policyVersion": "1.5",
        "policyMigrationState": None,
        "registrationEnforcement": {
            "authenticationMethodsRegistrationCampaign": {
                "snoozeDurationInDays": 1,
                "enforceRegistrationAfterAllowedSnoozes": True,
                "state": "default",
                "excludeTargets": [],
                "includeTargets": [
                    {"id": "all_users", "targetType": "group", "targetedAuthenticationMethod": "microsoftAuthenticator"}
                ],
            }
        },
        "systemCredentialPreferences": {
            "state": "default",
            "excludeTargets": [],
            "includeTargets": [{"id": "all_users", "targetType": "group"}],
        },
        "reportSuspiciousActivitySettings": {
            "state": "default",
            "includeTarget": {"id": "all_users", "targetType": "group"},
            "voiceReportingCode": 0,
        },
        "optOutSettings": {"passkeyDynamicMigration": False},
    }


def default_service_policy() -> dict[str, Any]:
    """The undocumented mfaServicePolicy; only the members that live tools read."""
    return {
        "id": "mfaServicePolicy",
        "allowAppPasswords": True,
        "trustedIps": {"skipMfaForFederatedUsers": False, "ipRanges": []},
        "rememberMfaOnTrustedDevice": {"isEnabled": False, "allowedNumberOfDays": 14},
    }
