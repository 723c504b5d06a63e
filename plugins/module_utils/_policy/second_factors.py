# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Second factors of accounts that stay in a safe (private to the collection). Pure functions.

Sources: Microsoft's pages "Manage emergency access accounts" (passkeys or certificates, other than what the
administrators use), "Manage authentication methods" (a method that the policy does not allow cannot be used), and the
Graph reference of authenticationMethod. Graph shows no certificate of a user, only the ids that certificates may have;
it shows hardware OATH tokens in its beta version only. The names in the sign-in log are those that queries of
practitioners look for, for Microsoft lists some of them only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .authentication_methods import ALL_USERS, MIGRATION_COMPLETE, migration_state
from .conditional_access_reach import Memberships, any_of
from .facts import Fact, UnexpectedShape, objects, text
from .temporary_access_passes import end_of

PASSKEY = "passkey"
CERTIFICATE = "certificate"
HARDWARE_OATH_TOKEN = "hardware_oath_token"
TOTP_TOKEN = "totp_token"
TEMPORARY_ACCESS_PASS = "temporary_access_pass"

# Each factor with its configuration in the authentication methods policy.
CONFIGURATIONS = {
    PASSKEY: "Fido2",
    CERTIFICATE: "X509Certificate",
    HARDWARE_OATH_TOKEN: "HardwareOath",
    TOTP_TOKEN: "SoftwareOath",
    TEMPORARY_ACCESS_PASS: "TemporaryAccessPass",
}
FACTORS = tuple(CONFIGURATIONS)
WORDS = {
    PASSKEY: "passkey",
    CERTIFICATE: "certificate",
    HARDWARE_OATH_TOKEN: "hardware OATH token",
    TOTP_TOKEN: "TOTP token",
    TEMPORARY_ACCESS_PASS: "Temporary Access Pass",
}
# By Microsoft's name, for we ask of no account to have it.
AUTHENTICATOR_APP = "microsoftAuthenticator"
# What a method may stand for, by how its name begins in the sign-in log, or by our own name. A verification code comes
# from any token, and from Microsoft Authenticator.
MEANINGS = {
    **{factor: frozenset([factor]) for factor in FACTORS},
    "fido2": frozenset([PASSKEY]),
    "oath hardware token": frozenset([HARDWARE_OATH_TOKEN]),
    "oath verification code": frozenset([HARDWARE_OATH_TOKEN, TOTP_TOKEN, AUTHENTICATOR_APP]),
    "temporary access pass": frozenset([TEMPORARY_ACCESS_PASS]),
    "x.509 certificate": frozenset([CERTIFICATE]),
}
# Passkeys are not: Graph shows every one of them.
ATTESTABLE = (CERTIFICATE, HARDWARE_OATH_TOKEN, TOTP_TOKEN)
# Before the migration is complete, settings that Graph does not show may allow them as well.
ALLOWED_BY_LEGACY_SETTINGS = (HARDWARE_OATH_TOKEN, TOTP_TOKEN)

REGISTERED, PREPARED, ATTESTED, NONE, UNKNOWN = "registered", "prepared", "attested", "none", "unknown"

TYPE_PREFIX, TYPE_SUFFIX = "#microsoft.graph.", "AuthenticationMethod"
METHODS = {
    "fido2": PASSKEY,
    "hardwareOath": HARDWARE_OATH_TOKEN,
    "softwareOath": TOTP_TOKEN,
    "temporaryAccessPass": TEMPORARY_ACCESS_PASS,
}
NO_SECOND_FACTOR = ("password", "email", "qrCodePin")
NOT_ENROLLED = "A TOTP token is vouched for, but Graph shows none: enrol it."


def registered_methods(methods: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """What a user can prove themselves with besides a password: factors by our names, others by Microsoft's.

    A Temporary Access Pass counts while it is usable, a hardware token once it is activated. Raises UnexpectedShape.
    """
    found = set()
    for method in methods:
        name = text(method, "@odata.type").removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
        factor = METHODS.get(name, name)
        if (
            name in NO_SECOND_FACTOR
            or (factor == TEMPORARY_ACCESS_PASS and not method.get("isUsable"))
            or (factor == HARDWARE_OATH_TOKEN and not is_activated(method.get("device")))
        ):
            continue
        found.add(factor)
    return frozenset(found)


def registered_passkeys(methods: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The passkeys among the methods of a user, as Graph shows them. Raises UnexpectedShape."""
    return [one for one in methods if registered_methods([one]) == {PASSKEY}]


def end_of_pass(methods: Iterable[Mapping[str, Any]]) -> str | None:
    """When the usable Temporary Access Pass among the methods of a user ends; None without one, and where Graph does
    not tell. A user has one at most. Raises UnexpectedShape."""
    passes = [one for one in methods if registered_methods([one]) == {TEMPORARY_ACCESS_PASS}]
    return end_of(passes[0].get("startDateTime"), passes[0].get("lifetimeInMinutes")) if passes else None


def meant(methods: Iterable[str]) -> frozenset[str]:
    """What the methods of a sign-in may stand for; of names that nobody knows, nothing."""
    return frozenset().union(*(_meant(name) for name in methods))


def used(methods: Iterable[str], owned: Collection[str]) -> frozenset[str]:
    """The factors of an account that owns these and signed in so. A name that stands for two of them tells of none."""
    found = [_meant(name).intersection(owned) for name in methods]
    return frozenset().union(*(factors for factors in found if len(factors) == 1))


def _meant(name: str) -> frozenset[str]:
    return next((factors for start, factors in MEANINGS.items() if name.lower().startswith(start)), frozenset())


def is_activated(device: Any) -> bool:
    """Whether a hardware token can be used, as far as Graph says so; one that was only assigned cannot."""
    return not isinstance(device, Mapping) or device.get("status") in (None, "activated")


def has_certificate_ids(user: Mapping[str, Any]) -> bool:
    """Whether certificates are bound to a user by ``certificateUserIds``. Raises UnexpectedShape."""
    if "authorizationInfo" not in user:
        raise UnexpectedShape("'authorizationInfo' is missing")
    information = user["authorizationInfo"]
    if information is None:
        return False
    found = information.get("certificateUserIds") if isinstance(information, Mapping) else None
    if not isinstance(found, list):
        raise UnexpectedShape("'certificateUserIds' is no list")
    return bool(found)


@dataclass(frozen=True)
class Grade:
    """How good the evidence for a second factor is, and which factors it is about."""

    name: str
    factors: frozenset[str]
    sentence: str


def grade(expected: str | None, attested: Collection[str], methods: Fact, certificate: Fact) -> Grade:
    """``methods`` holds registered_methods, ``certificate`` whether ids of certificates are bound.

    ``expected`` narrows the question to that one factor. Without it, a software OATH token or a Temporary Access Pass
    that Graph shows does not count by itself: the one may be somebody's phone, the other is gone tomorrow. A TOTP token
    that is attested counts only where Graph shows a software OATH token as well.
    """
    shown = {factor: _shown(factor, methods, certificate) for factor in FACTORS}
    asked = [expected] if expected else [PASSKEY, HARDWARE_OATH_TOKEN, CERTIFICATE]
    found = [factor for factor in asked if shown[factor].known and shown[factor].value]
    registered = [factor for factor in found if factor not in (CERTIFICATE, TEMPORARY_ACCESS_PASS)]
    token = shown[TOTP_TOKEN]
    enrolled = token.known and token.value
    vouched = {factor for factor in attested if expected in (None, factor) and (enrolled or factor != TOTP_TOKEN)}
    if registered:
        return Grade(REGISTERED, frozenset(found) | vouched, f"Registered: {listed(registered)}.")
    if found:
        sentence = f"Prepared: {listed(found)}. That it works is proven by a drill only."
        return Grade(PREPARED, frozenset(found) | vouched, sentence)
    if vouched:
        sentence = f"By the operator's word, for Graph does not show it or not whose it is: {listed(vouched)}."
        return Grade(ATTESTED, frozenset(vouched), sentence)
    unread = [shown[factor].reason for factor in asked if not shown[factor].known]
    if unread:
        return Grade(UNKNOWN, frozenset(), f"Whether it has a second factor could not be read: {unread[0]}")
    missing = f" {NOT_ENROLLED}" if TOTP_TOKEN in attested and expected in (None, TOTP_TOKEN) else ""
    return Grade(NONE, frozenset(), _nothing(expected, methods) + missing)


def _shown(factor: str, methods: Fact, certificate: Fact) -> Fact:
    if factor == CERTIFICATE:
        return certificate
    return Fact(known=True, value=factor in methods.value) if methods.known else methods


def _nothing(expected: str | None, methods: Fact) -> str:
    sentence = f"It has no {_words(expected)}." if expected else "It has no passkey and no other second factor."
    others = sorted(methods.value) if methods.known else []
    if others:
        sentence += f" Registered, but not counted: {listed(others)}."
    return sentence


def listed(factors: Iterable[str]) -> str:
    """In words."""
    return ", ".join(_words(factor) for factor in sorted(factors))


def _words(factor: str) -> str:
    return WORDS.get(factor, factor)


def is_allowed(policy: Mapping[str, Any], factor: str, user: str, groups: Memberships) -> bool | None:
    """Whether the authentication methods policy lets a user use a factor; None when that cannot be told.

    Raises UnexpectedShape.
    """
    for method in objects(policy, "authenticationMethodConfigurations"):
        if text(method, "id").lower() == CONFIGURATIONS[factor].lower():
            allowed = is_enabled_for(method, user, groups)
            break
    else:
        return None
    if allowed is False and factor in ALLOWED_BY_LEGACY_SETTINGS and migration_state(policy) != MIGRATION_COMPLETE:
        return None
    return allowed


def is_enabled_for(method: Mapping[str, Any], user: str, groups: Memberships) -> bool | None:
    """Whether the configuration of one method includes a user, by an id in lower case; None when that cannot be told.

    Raises UnexpectedShape.
    """
    if text(method, "state") != "enabled":
        return False
    included, excluded = (
        _targets(method, "includeTargets", user, groups),
        _targets(method, "excludeTargets", user, groups),
    )
    if included is False or excluded is True:
        return False
    return True if included and excluded is False else None


def _targets(method: Mapping[str, Any], name: str, user: str, groups: Memberships) -> bool | None:
    targets = {text(target, "id").lower() for target in objects(method, name)}
    return any_of([ALL_USERS in targets or user in targets, groups.one_of(targets - {ALL_USERS, user})])
