# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may not get in any more once security defaults ask for MFA (private to the collection). Pure functions.

Whoever has registered nothing for MFA registers on the way in. Whoever has, has to show it first, and cannot where the
authentication methods policy allows none of it. That Entra lets nobody register another method in its place is an
assumption; it is made because the other one locks people out.

Sources: Microsoft's pages "Security defaults in Microsoft Entra ID", "Manage authentication methods" and
"userRegistrationDetails resource type" (isMfaRegistered and isMfaCapable differ in whether the policy allows it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .authentication_methods import MIGRATION_COMPLETE, migration_state
from .conditional_access_reach import any_of
from .method_dependence import ALLOWED_BY_LEGACY_SETTINGS, NOT_FOR_MFA, Methods, Person
from .roles import DIRECTORY_SYNCHRONIZATION_ACCOUNTS
from .security_defaults import NO_WAY_IN, UNKNOWN_WAYS_IN, Obstacle, counted, quoted

OPEN, CLOSED, BY_LEGACY_SETTINGS, UNKNOWN = "open", "closed", "by_legacy_settings", "unknown"

# Who has set the Authenticator up for a sign-in without password gets its notifications as well.
BESIDES = {"microsoftAuthenticatorPasswordless": "microsoftAuthenticatorPush"}


def legacy_settings_count(policy: Mapping[str, Any]) -> bool:
    """Whether the legacy MFA settings, which Graph does not show, allow methods as well. Raises UnexpectedShape."""
    return migration_state(policy) != MIGRATION_COMPLETE


def way_in(methods: Methods, person: Person, *, legacy: bool) -> str:
    """OPEN with a registered method that the policy allows, or with none at all, and CLOSED with none that it allows.

    BY_LEGACY_SETTINGS where only these may allow one (``legacy``), UNKNOWN where it cannot be told. Raises
    UnexpectedShape.
    """
    registered = person.methods - NOT_FOR_MFA
    if not registered:
        return OPEN
    registered |= {BESIDES[method] for method in registered if method in BESIDES}
    usable = any_of([methods.allows(person, method) for method in registered])
    if usable:
        return OPEN
    if legacy and registered & frozenset(ALLOWED_BY_LEGACY_SETTINGS):
        return BY_LEGACY_SETTINGS
    return UNKNOWN if usable is None else CLOSED


def administrators(roles: Mapping[str, Any]) -> dict[str, str]:
    """Names by id, in lower case, of whom security defaults ask for MFA at every sign-in.

    ``roles`` is the value of the fact privileged_roles.
    """
    return {
        holder["id"].lower(): holder["name"]
        for role in roles["roles"]
        if role["protected_by_security_defaults"]
        for holder in role["holders"]
        if holder["type"] == "user"
    }


def exempt(roles: Mapping[str, Any]) -> frozenset[str]:
    """Ids, in lower case, of whom security defaults ask for nothing: the accounts of directory synchronisation."""
    return frozenset(
        holder["id"].lower()
        for role in roles["roles"]
        if role["id"] == DIRECTORY_SYNCHRONIZATION_ACCOUNTS
        for holder in role["holders"]
    )


@dataclass
class WaysIn:
    """``administrators`` are ids; ``verdicts`` are way_in of those who were read; the reasons say why some were not."""

    administrators: frozenset[str] = frozenset()
    verdicts: Mapping[Person, str] = field(default_factory=dict)
    unread_administrators: str | None = None
    unread_others: str | None = None

    def named(self, verdict: str) -> tuple[list[str], list[str]]:
        """Names of administrators and of others."""
        people = [person for person, found in self.verdicts.items() if found == verdict]
        return (
            sorted(person.name for person in people if person.id in self.administrators),
            sorted(person.name for person in people if person.id not in self.administrators),
        )


def obstacles(found: WaysIn) -> list[Obstacle]:
    """What stands in the way of turning security defaults on.

    That it is unknown of others than administrators does not: an administrator who gets in can help them.
    """
    standing = []
    closed, unclear = found.named(CLOSED), found.named(UNKNOWN)[0]
    if any(closed):
        standing.append(
            Obstacle(
                f"{_closed(*closed)} Switch one of these on for them (zerotrust.m365.authentication_method), have them "
                "register one that is on, or make them a Temporary Access Pass to do so "
                "(zerotrust.m365.temporary_access_pass).",
                NO_WAY_IN,
            )
        )
    if unclear:
        standing.append(
            Obstacle(
                f"Whether {counted(len(unclear), 'administrator', 'administrators')} can use anything that they have "
                f"registered for MFA cannot be told: {quoted(unclear)}.",
                UNKNOWN_WAYS_IN,
            )
        )
    if found.unread_administrators:
        standing.append(
            Obstacle(
                "Whether administrators can use what they have registered for MFA could not be read; whoever cannot "
                f"may not get in any more: {found.unread_administrators}",
                UNKNOWN_WAYS_IN,
            )
        )
    return standing


def effects(found: WaysIn) -> list[str]:
    """The same for an approver, with what does not stand in the way."""
    lines = []
    closed, by_legacy, unclear = (found.named(verdict) for verdict in (CLOSED, BY_LEGACY_SETTINGS, UNKNOWN))
    if any(closed):
        lines.append(_closed(*closed))
    if any(by_legacy):
        lines.append(
            f"Whether {_people(*by_legacy)} can use what they have registered for MFA is unknown: the authentication "
            "methods policy does not allow it, the legacy MFA settings, which Graph does not show, may."
        )
    if any(unclear):
        lines.append(f"Whether {_people(*unclear)} can use what they have registered for MFA is unknown.")
    others = "other people" if found.administrators else "people"
    for whom, reason in (("administrators", found.unread_administrators), (others, found.unread_others)):
        if reason:
            lines.append(f"Whether {whom} can use what they have registered for MFA is unknown: {reason}")
    return lines


def _closed(some_administrators: Iterable[str], others: Iterable[str]) -> str:
    return (
        f"{_people(some_administrators, others)} may not get in any more: the authentication methods policy allows "
        "none of the methods for MFA that they have registered."
    )


def _people(some_administrators: Iterable[str], others: Iterable[str]) -> str:
    """``1 administrator ('a') and 2 other people ('b', 'c')``."""
    parts = []
    for names, one, several in (
        ([*some_administrators], "administrator", "administrators"),
        ([*others], "other person", "other people"),
    ):
        if names:
            parts.append(f"{counted(len(names), one, several)} ({quoted(names)})")
    return " and ".join(parts)
