# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configurations of the authentication methods policy, property by property (private to the collection).

Source: the Graph reference of authenticationMethodConfiguration and of each type derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .._engine.compare import held_by
from .._engine.properties import Property, arguments

V1, BETA = "v1.0", "beta"
ON_OFF = ("enabled", "disabled")
THREE_STATES = ("default", "enabled", "disabled")
AFFINITY = ("low", "high")
CERTIFICATE_MODES = ("x509CertificateSingleFactor", "x509CertificateMultiFactor")

UNMANAGED = {
    "id": "names the method",
    "state": "an option of its own",
    "includeTargets": "an option of its own",
    "excludeTargets": "an option of its own",
}


@dataclass(frozen=True)
class Method:
    """One configuration: ``id`` and ``kind`` as Microsoft writes them, ``option`` the name of its sub-dictionary.

    ``target_rows`` are the properties of a target beside the group, ``new_target`` their values where none is written
    for a group that was not included before. ``versions`` are those of Graph that know the
    method; ``only_in`` names the version that alone knows a property, by the names of the options, with dots between.
    ``unmanaged`` names the other properties of Microsoft's type, each with the reason why there is no row for it.
    """

    id: str
    kind: str
    option: str = ""
    rows: tuple[Property, ...] = ()
    target_rows: tuple[Property, ...] = ()
    new_target: Mapping[str, Any] = field(default_factory=lambda: {"isRegistrationRequired": False})
    versions: tuple[str, ...] = (V1, BETA)
    only_in: Mapping[str, str] = field(default_factory=dict)
    unmanaged: Mapping[str, str] = field(default_factory=dict)

    @property
    def type_name(self) -> str:
        return f"#microsoft.graph.{self.kind}AuthenticationMethodConfiguration"


# Graph answers null where nothing was ever set. That must not hinder a task that is about something else.
a_property = partial(Property, nullable=True)


def a_list(option: str, graph: str, *, rows: tuple[Property, ...] = (), public: bool = False) -> Property:
    """A list that is wanted as a whole, in any order."""
    elements = "dict" if rows else "str"
    return a_property(option, graph, type="list", elements=elements, rows=rows, public=public, compare=held_by)


def a_dict(option: str, graph: str, *rows: Property, not_sent: tuple[str, ...] = (), public: bool = False) -> Property:
    """An object of which only what was written is compared."""
    return a_property(option, graph, type="dict", rows=rows, not_sent=not_sent, public=public, compare=held_by)


REGISTRATION_REQUIRED = a_property("is_registration_required", "isRegistrationRequired", type="bool")

KEY_RESTRICTIONS = a_dict(
    "key_restrictions",
    "keyRestrictions",
    a_property("is_enforced", "isEnforced", type="bool"),
    a_property("enforcement_type", "enforcementType", choices=("allow", "block")),
    a_property("aa_guids", "aaGuids", type="list", elements="str", canonical=str.lower, compare=held_by),
    public=True,
)

# A profile of the list of Fido2, which is edited by adding, removing and setting, not as a whole.
PASSKEY_PROFILE = (
    a_property("id", "id", canonical=str.lower),
    a_property("name", "name"),
    a_property(
        "passkey_types", "passkeyTypes", type="list", elements="str", choices=("deviceBound", "synced"), flags=True
    ),
    a_property("attestation_enforcement", "attestationEnforcement", choices=("disabled", "registrationOnly")),
    KEY_RESTRICTIONS,
)

FEATURE_TARGET = (
    a_property("id", "id", required=True, canonical=str.lower),
    a_property("target_type", "targetType", choices=("group", "administrativeUnit", "role"), default="group"),
)


def a_feature(option: str, graph: str) -> Property:
    return a_dict(
        option,
        graph,
        a_property("state", "state", choices=THREE_STATES),
        a_dict("include_target", "includeTarget", *FEATURE_TARGET),
        a_dict("exclude_target", "excludeTarget", *FEATURE_TARGET),
    )


METHODS: tuple[Method, ...] = (
    Method(
        id="Fido2",
        kind="fido2",
        option="fido2",
        rows=(
            a_property("is_self_service_registration_allowed", "isSelfServiceRegistrationAllowed", type="bool"),
            a_property("is_attestation_enforced", "isAttestationEnforced", type="bool"),
            a_property("default_passkey_profile", "defaultPasskeyProfile", public=True),
            KEY_RESTRICTIONS,
        ),
        target_rows=(
            REGISTRATION_REQUIRED,
            a_property(
                "allowed_passkey_profiles",
                "allowedPasskeyProfiles",
                type="list",
                elements="str",
                canonical=str.lower,
                compare=held_by,
                public=True,
            ),
        ),
        unmanaged={"passkeyProfiles": "the option passkey_profiles adds, removes and sets"},
    ),
    Method(
        id="MicrosoftAuthenticator",
        kind="microsoftAuthenticator",
        option="microsoft_authenticator",
        rows=(
            a_property("is_software_oath_enabled", "isSoftwareOathEnabled", type="bool"),
            a_dict(
                "feature_settings",
                "featureSettings",
                a_feature("display_app_information_required_state", "displayAppInformationRequiredState"),
                a_feature("display_location_information_required_state", "displayLocationInformationRequiredState"),
                a_feature("companion_app_allowed_state", "companionAppAllowedState"),
                # Graph refuses it since number matching became permanent in 2023 (reported by users).
                not_sent=("numberMatchingRequiredState",),
            ),
        ),
        target_rows=(
            REGISTRATION_REQUIRED,
            a_property("authentication_mode", "authenticationMode", choices=("deviceBasedPush", "push", "any")),
        ),
        new_target={"isRegistrationRequired": False, "authenticationMode": "any"},
        only_in={"feature_settings.companion_app_allowed_state": BETA},
    ),
    Method(
        id="Sms",
        kind="sms",
        target_rows=(REGISTRATION_REQUIRED, a_property("is_usable_for_sign_in", "isUsableForSignIn", type="bool")),
        new_target={"isRegistrationRequired": False, "isUsableForSignIn": False},
    ),
    Method(
        id="Voice",
        kind="voice",
        option="voice",
        rows=(
            a_property("is_office_phone_allowed", "isOfficePhoneAllowed", type="bool"),
            a_property("caller_id_number", "callerIdNumber"),
        ),
        target_rows=(REGISTRATION_REQUIRED,),
        only_in={"caller_id_number": BETA},
    ),
    Method(
        id="Email",
        kind="email",
        option="email",
        rows=(
            a_property(
                "allow_external_id_to_use_email_otp",
                "allowExternalIdToUseEmailOtp",
                choices=("default", "enabled", "disabled"),
            ),
        ),
        target_rows=(REGISTRATION_REQUIRED,),
    ),
    Method(id="SoftwareOath", kind="softwareOath", target_rows=(REGISTRATION_REQUIRED,)),
    Method(id="HardwareOath", kind="hardwareOath", target_rows=(REGISTRATION_REQUIRED,), versions=(BETA,)),
    Method(
        id="TemporaryAccessPass",
        kind="temporaryAccessPass",
        option="temporary_access_pass",
        rows=(
            a_property("default_lifetime_in_minutes", "defaultLifetimeInMinutes", type="int"),
            a_property("default_length", "defaultLength", type="int"),
            a_property("minimum_lifetime_in_minutes", "minimumLifetimeInMinutes", type="int"),
            a_property("maximum_lifetime_in_minutes", "maximumLifetimeInMinutes", type="int"),
            a_property("is_usable_once", "isUsableOnce", type="bool"),
        ),
        target_rows=(REGISTRATION_REQUIRED,),
    ),
    Method(
        id="X509Certificate",
        kind="x509Certificate",
        option="x509_certificate",
        rows=(
            a_list(
                "certificate_user_bindings",
                "certificateUserBindings",
                rows=(
                    a_property("x509_certificate_field", "x509CertificateField", required=True),
                    a_property("user_property", "userProperty", required=True),
                    a_property("priority", "priority", type="int", required=True),
                    a_property("trust_affinity_level", "trustAffinityLevel", choices=AFFINITY),
                ),
            ),
            a_dict(
                "authentication_mode_configuration",
                "authenticationModeConfiguration",
                a_property(
                    "x509_certificate_authentication_default_mode",
                    "x509CertificateAuthenticationDefaultMode",
                    choices=CERTIFICATE_MODES,
                ),
                a_property(
                    "x509_certificate_default_required_affinity_level",
                    "x509CertificateDefaultRequiredAffinityLevel",
                    choices=AFFINITY,
                ),
                a_list(
                    "rules",
                    "rules",
                    rows=(
                        a_property(
                            "x509_certificate_rule_type",
                            "x509CertificateRuleType",
                            required=True,
                            choices=("issuerSubject", "policyOID", "issuerSubjectAndPolicyOID"),
                        ),
                        a_property("identifier", "identifier"),
                        a_property("issuer_subject_identifier", "issuerSubjectIdentifier"),
                        a_property("policy_oid_identifier", "policyOidIdentifier"),
                        a_property(
                            "x509_certificate_authentication_mode",
                            "x509CertificateAuthenticationMode",
                            required=True,
                            choices=CERTIFICATE_MODES,
                        ),
                        a_property(
                            "x509_certificate_required_affinity_level",
                            "x509CertificateRequiredAffinityLevel",
                            choices=AFFINITY,
                        ),
                    ),
                ),
            ),
            a_dict(
                "crl_validation_configuration",
                "crlValidationConfiguration",
                a_property("state", "state", choices=ON_OFF),
                a_list(
                    "exempted_certificate_authorities_subject_key_identifiers",
                    "exemptedCertificateAuthoritiesSubjectKeyIdentifiers",
                    public=True,
                ),
            ),
            a_dict(
                "issuer_hints_configuration",
                "issuerHintsConfiguration",
                a_property("state", "state", choices=ON_OFF),
            ),
            a_list(
                "certificate_authority_scopes",
                "certificateAuthorityScopes",
                rows=(
                    a_property("subject_key_identifier", "subjectKeyIdentifier", required=True),
                    a_property("public_key_infrastructure_identifier", "publicKeyInfrastructureIdentifier"),
                    a_list(
                        "include_targets",
                        "includeTargets",
                        rows=(
                            a_property("id", "id", required=True, canonical=str.lower),
                            a_property("target_type", "targetType", choices=("group", "user"), default="group"),
                        ),
                    ),
                ),
            ),
            a_property("require_certificate_sid_alignment", "requireCertificateSidAlignment", type="bool"),
        ),
        target_rows=(REGISTRATION_REQUIRED,),
        only_in={"crl_validation_configuration": V1, "require_certificate_sid_alignment": BETA},
    ),
    Method(
        id="QRCodePin",
        kind="qrCodePin",
        option="qr_code_pin",
        rows=(
            a_property("standard_qr_code_lifetime_in_days", "standardQRCodeLifetimeInDays", type="int"),
            a_property("pin_length", "pinLength", type="int"),
        ),
        target_rows=(REGISTRATION_REQUIRED,),
    ),
)

EXTERNAL = Method(
    id="",
    kind="external",
    option="external",
    rows=(
        a_property("app_id", "appId", canonical=str.lower),
        a_dict(
            "open_id_connect_setting",
            "openIdConnectSetting",
            a_property("client_id", "clientId"),
            a_property("discovery_url", "discoveryUrl"),
        ),
    ),
    target_rows=(REGISTRATION_REQUIRED,),
    unmanaged={"displayName": "the option id names an external method by it"},
)

ALL_METHODS = (*METHODS, EXTERNAL)

TARGET_ROWS: dict[str, Property] = {row.option: row for method in ALL_METHODS for row in method.target_rows}


def method_arguments() -> dict[str, dict[str, Any]]:
    """The sub-dictionaries of all methods, as entries of an argument spec."""
    found: dict[str, dict[str, Any]] = {}
    for method in ALL_METHODS:
        if method.option:
            # Ansible takes the name temporary_access_pass for that of a secret, and would warn.
            found[method.option] = {"type": "dict", "options": arguments(method.rows), "no_log": False}
    profiles = arguments(PASSKEY_PROFILE)
    profiles["name"]["required"] = True
    found["fido2"]["options"]["passkey_profiles"] = {
        "type": "dict",
        "no_log": False,
        "options": {
            "add": {"type": "list", "elements": "dict", "options": profiles},
            "remove": {"type": "list", "elements": "str"},
            "set": {"type": "list", "elements": "dict", "options": profiles},
        },
    }
    return found
