# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the methods that a person has registered count now, by the authentication methods policy and, before the
migration is complete, the legacy policies beside it (Microsoft's page "Manage authentication methods")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from m365_simulator.sign_in_rules.attempt import Attempt
from m365_simulator.sign_in_rules.directory import Directory
from m365_simulator.sign_in_rules.person import Person
from m365_simulator.sign_in_rules.three_valued import Maybe, all_of, any_of

PASSKEYS = (
    "fido2SecurityKey",
    "passKeyDeviceBound",
    "passKeyDeviceBoundAuthenticator",
    "passKeyDeviceBoundWindowsHello",
    "passKeySynced",
)
COMBINATIONS: dict[str, tuple[str, ...]] = {
    "microsoftAuthenticatorPush": ("password,microsoftAuthenticatorPush",),
    "microsoftAuthenticatorPasswordless": ("deviceBasedPush", "password,microsoftAuthenticatorPush"),
    "softwareOneTimePasscode": ("password,softwareOath",),
    "hardwareOneTimePasscode": ("password,hardwareOath",),
    "mobilePhone": ("password,sms", "password,voice"),
    "alternateMobilePhone": ("password,voice",),
    "officePhone": ("password,voice",),
    **dict.fromkeys(PASSKEYS, ("fido2",)),
    "windowsHelloForBusiness": ("windowsHelloForBusiness",),
    "macOsSecureEnclaveKey": ("windowsHelloForBusiness",),
    "temporaryAccessPass": ("temporaryAccessPassOneTime", "temporaryAccessPassMultiUse"),
    "x509CertificateMultiFactor": ("x509CertificateMultiFactor",),
    "externalAuthMethod": ("external",),
    "federatedMfa": ("federatedMultiFactor",),
}
"""Method to the combinations of Microsoft's authentication strengths (authenticationMethodModes) that it makes; an
external method makes none of them, yet satisfies the plain demand for MFA."""

PHISHING_RESISTANT = frozenset({"windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"})
PASSWORDLESS = PHISHING_RESISTANT | {"deviceBasedPush"}
STRONG = PASSWORDLESS | {
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,sms",
    "password,voice",
    "federatedMultiFactor",
}
"""The built-in strengths, the last one being "Multifactor authentication"."""
ANY_MFA = STRONG | {"external"}
IDENTIFIES = PASSWORDLESS | {"temporaryAccessPassOneTime", "temporaryAccessPassMultiUse", "federatedMultiFactor"}
"""Good for a whole sign-in, without a password."""

NEVER_REGISTERED = frozenset({"password", "x509CertificateSingleFactor", "x509CertificateMultiFactor", "federatedMfa"})
"""What an attempt may bring though Graph shows no registration of it."""

LEGACY_METHODS: dict[str, tuple[str, ...]] = {
    "password,microsoftAuthenticatorPush": ("all", "application"),
    "password,softwareOath": ("all", "application"),
    "password,hardwareOath": ("all", "application"),
    "password,sms": ("all",),
    "password,voice": ("all",),
}
"""The four verification options of the legacy MFA settings, and under which assumption on them they are on."""

PHONE = ("password,sms", "password,voice")
PHONES = ("mobilePhone", "alternateMobilePhone", "officePhone")
PHONE_ENDS = datetime(2027, 2, 1, tzinfo=timezone.utc).timestamp()
"""Microsoft's page on the retirement of SMS and voice: from then on who has nothing else must register a passkey."""

REGISTRABLE = ("password,microsoftAuthenticatorPush", "password,softwareOath", "password,sms", "password,voice")
"""What a person can register in the middle of a sign-in."""


def usable_combinations(directory: Directory, person: Person, attempt: Attempt) -> dict[str, Maybe]:
    """What this attempt can bring, by combination; unknown where the state does not show it. Absent means not."""
    found: dict[str, list[Maybe]] = {}
    for method in _brought(person, attempt):
        for combination in COMBINATIONS.get(method, ()):
            if "password," in combination and attempt.methods is not None and "password" not in attempt.methods:
                continue
            found.setdefault(combination, []).append(_is_allowed(directory, person, method, combination))
    combinations = {combination: any_of(values) for combination, values in found.items()}
    combinations.update(_elsewhere(directory, person, attempt))
    if person.federation == "enforceMfaByFederatedIdp":
        # A second factor after its password is its own business; a sign-in without password does not pass by it.
        combinations = {name: value for name, value in combinations.items() if name in IDENTIFIES}
    return {name: value for name, value in combinations.items() if value is not False}


def _brought(person: Person, attempt: Attempt) -> Iterable[str]:
    if attempt.methods is None:
        return person.methods
    return [method for method in attempt.methods if method in NEVER_REGISTERED or method in person.methods]


def can_identify(directory: Directory, person: Person, attempt: Attempt) -> Maybe:
    """Whether the attempt has something to begin with. Everybody is taken to have a password."""
    if attempt.methods is None:
        return True
    if "x509CertificateSingleFactor" in attempt.methods and is_method_allowed(directory, person, "X509Certificate"):
        return True
    if "qrCode" in attempt.methods and "qrCode" in person.methods and is_method_allowed(directory, person, "QRCodePin"):
        return True
    if "password" in attempt.methods:
        return True
    return any_of(
        value for name, value in usable_combinations(directory, person, attempt).items() if name in IDENTIFIES
    )


def registrable(directory: Directory, person: Person) -> frozenset[str]:
    """The combinations whose method this person may register during a sign-in."""
    found = frozenset(name for name in REGISTRABLE if _is_on(directory, person, name))
    if _shows_authenticator_codes(directory, person):
        found |= {"password,softwareOath"}
    return found | registrable_without_password(directory, person) if lost_the_phone(directory, person) else found


def registrable_without_password(directory: Directory, person: Person) -> frozenset[str]:
    """What only an assumption lets a person register during a sign-in: a passkey, or the Authenticator alone."""
    found = set()
    passkeys = directory.methods.get("fido2", {})
    if passkeys.get("isSelfServiceRegistrationAllowed") and _is_passkey_allowed(
        directory, person, "passKeyDeviceBound"
    ):
        found.add("fido2")
    if _has_authenticator_mode(directory, person, ("any", "deviceBasedPush")):
        found.add("deviceBasedPush")
    return frozenset(found)


def phone_has_ended(directory: Directory) -> bool:
    return directory.now >= PHONE_ENDS and directory.assumes("phone_after_january_2027") == "ended"


def lost_the_phone(directory: Directory, person: Person) -> bool:
    """By the end of SMS and voice, and not by a policy."""
    return phone_has_ended(directory) and any(method in PHONES for method in person.methods)


def has_registered(person: Person) -> bool:
    """Something that is MFA, whether or not a policy still allows it."""
    return any(method in COMBINATIONS for method in person.methods)


def _elsewhere(directory: Directory, person: Person, attempt: Attempt) -> dict[str, Maybe]:
    """MFA done by a federated identity provider or a guest's home tenant, which this tenant does not see beforehand."""
    if person.invited:
        accepted = directory.assumes("guest_mfa_from_home_tenant") == "trusted"
    else:
        accepted = person.federation is not None and person.federation != "rejectMfaByFederatedIdp"
    if not accepted:
        return {"federatedMultiFactor": False}
    done: Maybe = None if attempt.methods is None else "federatedMfa" in attempt.methods
    return {"federatedMultiFactor": done}


def _is_allowed(directory: Directory, person: Person, method: str, combination: str) -> Maybe:
    if combination in ("windowsHelloForBusiness", "federatedMultiFactor"):
        return True  # not a matter of the methods policy
    if combination == "fido2":
        return _is_passkey_allowed(directory, person, method)
    if combination == "x509CertificateMultiFactor":
        return _is_certificate_mfa(directory, person)
    if combination == "deviceBasedPush":
        return _has_authenticator_mode(directory, person, ("any", "deviceBasedPush"))
    if combination == "external":
        return any_of(
            _is_enabled_for(person, configuration)
            for configuration in directory.methods.values()
            if "externalAuthenticationMethod" in configuration.get("@odata.type", "")
        )
    if combination.startswith("temporaryAccessPass"):
        return is_method_allowed(directory, person, "TemporaryAccessPass")
    return _is_on(directory, person, combination, office=method == "officePhone")


def _is_on(directory: Directory, person: Person, combination: str, *, office: bool = False) -> bool:
    """Of a second factor beside the password, by the methods policy or, while that counts, the legacy settings."""
    if combination in PHONE and phone_has_ended(directory):
        return False
    if directory.migration_state != "migrationComplete":
        assumed = directory.assumes("legacy_verification_options")
        if assumed in LEGACY_METHODS.get(combination, ()):
            return True
    if combination == "password,microsoftAuthenticatorPush":
        return _has_authenticator_mode(directory, person, ("any", "push"))
    if combination == "password,softwareOath":
        return is_method_allowed(directory, person, "SoftwareOath") or (
            directory.assumes("registered_software_token") == "microsoft_authenticator"
            and _shows_authenticator_codes(directory, person)
        )
    if combination == "password,hardwareOath":
        return is_method_allowed(directory, person, "HardwareOath")
    if combination == "password,sms":
        return is_method_allowed(directory, person, "Sms")
    voice = directory.methods.get("voice", {})
    return _is_enabled_for(person, voice) and (not office or bool(voice.get("isOfficePhoneAllowed")))


def _shows_authenticator_codes(directory: Directory, person: Person) -> bool:
    """Graph reference, microsoftAuthenticatorAuthenticationMethodConfiguration: the codes of that application only."""
    authenticator = directory.methods.get("microsoftauthenticator", {})
    return bool(authenticator.get("isSoftwareOathEnabled")) and _is_enabled_for(person, authenticator)


def is_method_allowed(directory: Directory, person: Person, id: str) -> bool:
    """By the configuration of the methods policy with this id."""
    return _is_enabled_for(person, directory.methods.get(id.lower(), {}))


def _is_enabled_for(person: Person, configuration: Mapping[str, Any]) -> bool:
    """Exclusion wins."""
    return (
        configuration.get("state") == "enabled"
        and bool(_targets(person, configuration.get("includeTargets")))
        and not _targets(person, configuration.get("excludeTargets"))
    )


def _targets(person: Person, targets: Iterable[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    """Those that mean this person."""
    found = []
    for target in targets or ():
        id = str(target.get("id")).lower()
        if id == "all_users" or id in person.groups or (person.id and id == person.id):
            found.append(target)
    return found


def _has_authenticator_mode(directory: Directory, person: Person, modes: tuple[str, ...]) -> bool:
    configuration = directory.methods.get("microsoftauthenticator", {})
    return _is_enabled_for(person, configuration) and any(
        target.get("authenticationMode", "any") in modes
        for target in _targets(person, configuration.get("includeTargets"))
    )


def _is_passkey_allowed(directory: Directory, person: Person, method: str) -> Maybe:
    """Unknown under a restriction by AAGUID, as the model of a registered key is not always in the state."""
    kind = "synced" if method == "passKeySynced" else "deviceBound"
    return any_of(
        all_of((rule.kinds is None or kind in rule.kinds, _passes_restrictions(rule.restrictions)))
        for rule in passkey_rules(directory, person)
    )


@dataclass(frozen=True)
class PasskeyRule:
    """`kinds` of synced and deviceBound, None for both; `attested`: registered with an attestation only;
    `restrictions` by AAGUID, as the policy has them."""

    kinds: frozenset[str] | None
    attested: bool
    restrictions: Mapping[str, Any] | None


def passkey_rules(directory: Directory, person: Person) -> list[PasskeyRule]:
    """One of which a passkey of this person has to meet; none where passkeys are not enabled for the person."""
    configuration = directory.methods.get("fido2", {})
    if not _is_enabled_for(person, configuration):
        return []
    profiles = {str(profile.get("id")).lower(): profile for profile in configuration.get("passkeyProfiles") or ()}
    chosen = {
        str(id).lower()
        for target in _targets(person, configuration.get("includeTargets"))
        for id in target.get("allowedPasskeyProfiles") or ()
    } & profiles.keys()
    if not chosen:
        attested = bool(configuration.get("isAttestationEnforced"))
        return [PasskeyRule(None, attested, configuration.get("keyRestrictions"))]
    return [
        PasskeyRule(
            frozenset(_flags(profiles[id].get("passkeyTypes"))),
            profiles[id].get("attestationEnforcement") == "registrationOnly",
            profiles[id].get("keyRestrictions"),
        )
        for id in sorted(chosen)
    ]


def _flags(text: str | None) -> set[str]:
    return {part.strip() for part in (text or "").split(",")}


def _passes_restrictions(restrictions: Mapping[str, Any] | None) -> Maybe:
    if not restrictions or not restrictions.get("isEnforced"):
        return True
    if not restrictions.get("aaGuids"):
        return restrictions.get("enforcementType") == "block"
    return None


def _is_certificate_mfa(directory: Directory, person: Person) -> Maybe:
    """Rules may make a certificate more or less than the default; which rule a certificate meets is not known."""
    if not is_method_allowed(directory, person, "X509Certificate"):
        return False
    mode = directory.methods["x509certificate"].get("authenticationModeConfiguration") or {}
    if mode.get("rules"):
        return None
    return bool(mode.get("x509CertificateAuthenticationDefaultMode") == "x509CertificateMultiFactor")
