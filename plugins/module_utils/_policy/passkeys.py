# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which passkeys the authentication methods policy allows somebody (private to the collection). Pure functions.

Sources: Microsoft's pages "Enable passkeys (FIDO2)" (restrictions by AAGUID, enforced attestation), "Passkey profiles",
and "Known issues with Microsoft Graph" (an administrator can register passkeys for others only where the policy allows
people to register their own).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .authentication_methods import ALL_USERS, check_shape
from .conditional_access_reach import Memberships, any_of
from .facts import UnexpectedShape, boolean, objects, text
from .second_factors import CONFIGURATIONS, PASSKEY, is_allowed

DEVICE_BOUND, SYNCED = "deviceBound", "synced"
ATTESTED_AT_REGISTRATION = "registrationOnly"


@dataclass(frozen=True)
class Rule:
    """One set of conditions that a passkey may meet. ``kinds`` of deviceBound and synced, None for both.

    ``models`` are AAGUIDs in lower case: the only ones allowed where ``allows`` is True, the blocked ones where it is
    False. ``attested`` asks that the maker of the authenticator vouches for it when the passkey is registered.
    """

    kinds: frozenset[str] | None
    attested: bool
    models: frozenset[str]
    allows: bool

    def takes(self, kind: str) -> bool:
        return self.kinds is None or kind in self.kinds

    def fits(self, kind: str, model: str, *, attested: bool) -> bool:
        return self.takes(kind) and (attested or not self.attested) and (model.lower() in self.models) is self.allows

    def keeps(self, kind: str, model: Any) -> bool | None:
        """Of a passkey that is registered already. None where its model is not shown, but matters."""
        if self.models and not isinstance(model, str):
            return None if self.takes(kind) else False
        return self.fits(kind, str(model), attested=True)


@dataclass(frozen=True)
class Allowance:
    """What the authentication methods policy says of one user. ``user`` is the object id in lower case."""

    policy: Mapping[str, Any]
    user: str
    groups: Memberships

    def registration_refusal(self, name: str) -> str | None:
        """Why Graph would refuse to register a security key for this user. Raises UnexpectedShape.

        ``name`` is what people call the user.
        """
        allowed = is_allowed(self.policy, PASSKEY, self.user, self.groups)
        if allowed is not True:
            how = "does not enable" if allowed is False else "does not show that it enables"
            return (
                f"The authentication methods policy {how} passkeys (FIDO2) for {name}, so none can be registered. "
                "Enable the method Fido2 for the account, or for a group that it is in."
            )
        if not boolean(_configuration(self.policy), "isSelfServiceRegistrationAllowed"):
            return (
                "The authentication methods policy does not allow self-service set-up of passkeys (FIDO2). Graph then "
                "refuses to register them for others, too (a known issue): allow it."
            )
        rules = self.rules()
        if rules is not None and not any(rule.takes(DEVICE_BOUND) for rule in rules):
            return (
                f"The authentication methods policy allows {name} synced passkeys only, and none on security keys. "
                "Allow device-bound ones in a passkey profile."
            )
        return None

    def key_refusal(self, model: str, *, attested: bool) -> str | None:
        """Why Graph would refuse a security key of this model (AAGUID). Raises UnexpectedShape.

        ``attested`` is True for as long as it is not known.
        """
        rules = self.rules()
        if rules is None or any(rule.fits(DEVICE_BOUND, model, attested=attested) for rule in rules):
            return None
        if any(rule.fits(DEVICE_BOUND, model, attested=True) for rule in rules):
            return (
                "The authentication methods policy enforces attestation, but the security key gave none. Take a key "
                "that is certified by the FIDO Alliance."
            )
        return (
            f"The authentication methods policy does not allow security keys of this model: its AAGUID is {model}. "
            "Allow it in the key restrictions of the method Fido2, or take another key."
        )

    def allows(self, passkey: Mapping[str, Any]) -> bool | None:
        """Whether the user may sign in with this registered passkey; None when that cannot be told.

        Attestation is asked for at registration only. Raises UnexpectedShape.
        """
        allowed = is_allowed(self.policy, PASSKEY, self.user, self.groups)
        if not allowed:
            return allowed
        rules = self.rules()
        if rules is None:
            return None
        kind = passkey.get("passkeyType") or DEVICE_BOUND
        return any_of([rule.keeps(kind, passkey.get("aaGuid")) for rule in rules])

    def rules(self) -> Sequence[Rule] | None:
        """Of which a passkey must meet one; None where Graph does not show them, or not whether the user is in a group
        that has others. Raises UnexpectedShape."""
        check_shape(self.policy)
        configuration = _configuration(self.policy)
        chosen: set[str] = set()
        for target in objects(configuration, "includeTargets"):
            identity = text(target, "id").lower()
            profiles_of_target = {str(profile).lower() for profile in target.get("allowedPasskeyProfiles") or ()}
            meant = identity in (ALL_USERS, self.user) or self.groups.one_of([identity])
            if meant is None and profiles_of_target:
                return None
            if meant:
                chosen |= profiles_of_target
        if not chosen:
            attested = boolean(configuration, "isAttestationEnforced")
            return [_rule(None, attested, configuration.get("keyRestrictions"))]
        profiles = {text(profile, "id").lower(): profile for profile in configuration.get("passkeyProfiles") or ()}
        if not chosen <= profiles.keys():
            return None
        return [
            _rule(
                frozenset(kind.strip() for kind in text(profiles[identity], "passkeyTypes").split(",")),
                profiles[identity].get("attestationEnforcement") == ATTESTED_AT_REGISTRATION,
                profiles[identity].get("keyRestrictions"),
            )
            for identity in sorted(chosen)
        ]


def _configuration(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    for method in objects(policy, "authenticationMethodConfigurations"):
        if text(method, "id").lower() == CONFIGURATIONS[PASSKEY].lower():
            return method
    raise UnexpectedShape("the method 'Fido2' is missing")


def _rule(kinds: frozenset[str] | None, attested: bool, restrictions: Any) -> Rule:
    if not isinstance(restrictions, Mapping) or not restrictions.get("isEnforced"):
        return Rule(kinds, attested, frozenset(), allows=False)
    models = frozenset(str(model).lower() for model in restrictions.get("aaGuids") or ())
    return Rule(kinds, attested, models, allows=text(restrictions, "enforcementType") == "allow")
