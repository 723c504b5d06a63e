# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be asked of the sign-in rules, and what they answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from m365_simulator.errors import SimulatorError
from m365_simulator.sign_in_rules.three_valued import Maybe
from m365_simulator.words import words

SignIn = Literal["yes", "yes_after_mfa", "yes_after_registration", "no", "unknown"]
Mfa = Literal["always", "when_necessary", "never", "unknown"]

RISKS = ("none", "low", "medium", "high")
VALUES: dict[str, tuple[str, ...]] = {
    "client_app": ("browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"),
    "flow": ("interactive", "deviceCode", "authenticationTransfer"),
    "platform": ("android", "iOS", "windows", "windowsPhone", "macOS", "linux", "unknown"),
    "sign_in_risk": RISKS,
    "user_risk": RISKS,
    "user_action": ("urn:user:registersecurityinfo", "urn:user:registerdevice"),
}
LEGACY_CLIENTS = ("exchangeActiveSync", "other")
METHODS = words(
    """
    password appPassword mobilePhone alternateMobilePhone officePhone email microsoftAuthenticatorPush
    microsoftAuthenticatorPasswordless softwareOneTimePasscode hardwareOneTimePasscode fido2SecurityKey
    passKeyDeviceBound passKeyDeviceBoundAuthenticator passKeyDeviceBoundWindowsHello passKeySynced
    windowsHelloForBusiness macOsSecureEnclaveKey temporaryAccessPass securityQuestion qrCode externalAuthMethod
    x509CertificateSingleFactor x509CertificateMultiFactor federatedMfa
    """
)
"""`methodsRegistered` of the registration report (Microsoft's page "userRegistrationDetails"), and what it leaves out.
`federatedMfa` is MFA done elsewhere: by the federated identity provider, or by a guest's home tenant."""


@dataclass(frozen=True)
class Attempt:
    """Somebody signing in with the right credentials. None is unknown, except in `methods`, and in `user_action` and
    `authentication_context`, of which most sign-ins have none.

    user_id: object id or principal name.
    application: application id, or "Office365", "AzureManagement", "MicrosoftAdminPortals", "MicrosoftGraph".
    client_app: the last two of VALUES are legacy authentication, which is a name and a password only.
    methods: what this attempt brings, of METHODS; None is the password and whatever the user has registered.
    outside_named_locations: from none of the tenant's named locations and trusted ranges.
    familiar: whether the user has signed in from this place and device before.
    remembered: whether the user said on this device not to be asked again, some days ago at most.
    inside_corporate_network: what a federated identity provider claims.
    device_filter_matches: what the rule of a policy's device filter would say of the device.
    """

    user_id: str
    application: str
    client_app: str = "browser"
    flow: str = "interactive"
    methods: tuple[str, ...] | None = None
    ip_address: str | None = None
    country: str | None = None
    outside_named_locations: bool = False
    familiar: Maybe = None
    remembered: Maybe = None
    inside_corporate_network: Maybe = None
    platform: str | None = None
    device_compliant: Maybe = None
    device_hybrid_joined: Maybe = None
    device_filter_matches: Maybe = None
    approved_application: Maybe = None
    compliant_application: Maybe = None
    sign_in_risk: str | None = None
    user_risk: str | None = None
    user_action: str | None = None
    authentication_context: str | None = None

    @property
    def legacy(self) -> bool:
        return self.client_app in LEGACY_CLIENTS


@dataclass(frozen=True)
class Answer:
    """`mfa` is what the rules demand of this attempt, whether or not it ends well: of a blocked one too. Where
    `when_necessary` leaves it to Entra, `sign_in` follows the assumption on it. `reasons` are plain sentences."""

    sign_in: SignIn
    mfa: Mfa
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Protection:
    """How well MFA protects a user, and whether the user can get in.

    modern_mfa: the weakest over ordinary sign-ins by a browser or a modern client, to Exchange Online and to an
    application that no policy names, from outside the named locations, on an unmanaged device, without risk. What ends
    in "no" counts as always. Judged as if the account were enabled, so that disabling or enabling it changes nothing
    here. "unknown" for somebody who is not there.
    mfa: the weakest of these and of sign-ins by a legacy protocol with the password alone.
    way_in: some interactive modern sign-in ends in yes, with what the user has; for holders of one of the sixteen
    administrator roles it has to be to the admin portals or to Graph. "no" for a disabled account.
    administrator: holds one of the sixteen roles that security defaults ask for MFA always.
    """

    mfa: Mfa
    modern_mfa: Mfa
    way_in: Literal["yes", "no", "unknown"]
    administrator: bool
    reasons: tuple[str, ...] = ()


_FLAGS = frozenset(field.name for field in fields(Attempt) if field.type in ("Maybe", "bool"))
_NAMES = tuple(field.name for field in fields(Attempt))


def read_attempt(body: Mapping[str, Any]) -> Attempt:
    """An Attempt out of JSON. Raises SimulatorError in one sentence."""
    unknown = sorted(set(body) - set(_NAMES))
    if unknown:
        raise SimulatorError(f"An attempt has no {', '.join(unknown)}; it has {', '.join(_NAMES)}.")
    for name in ("user_id", "application"):
        if not body.get(name):
            raise SimulatorError(f"An attempt needs {name}.")
    given = {name: value for name, value in body.items() if value is not None}
    for name, value in given.items():
        _check(name, value)
    if "methods" in given:
        given["methods"] = tuple(given["methods"])
    return Attempt(**given)


def _check(name: str, value: Any) -> None:
    if name in _FLAGS:
        if not isinstance(value, bool):
            raise SimulatorError(f"{name} must be true, false or null.")
    elif name == "methods":
        if not isinstance(value, list) or not all(method in METHODS for method in value):
            raise SimulatorError(f"methods must be a list of any of {', '.join(METHODS)}.")
    elif not isinstance(value, str):
        raise SimulatorError(f"{name} must be a text.")
    elif name in VALUES and value not in VALUES[name]:
        raise SimulatorError(f"{name} cannot be {value!r}; choose from {', '.join(VALUES[name])}.")
    elif name == "ip_address":
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise SimulatorError(f"ip_address cannot be {value!r}: that is no IP address.") from None
