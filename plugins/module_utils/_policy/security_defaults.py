# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's rules about security defaults (private to the collection). Pure functions.

Sources: Microsoft's pages "Security defaults in Microsoft Entra ID" and "Conditional Access: users, groups, and
workload identities"; that enabled Conditional Access policies and security defaults exclude each other is also
Graph's own answer to the reverse order, as many users report it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .authentication_methods import MIGRATION_COMPLETE
from .conditional_access import ENABLED, STATES
from .facts import Fact

# Risks an operator may accept by name. Everything else that stands in the way must be mended first.
UNKNOWN_CONDITIONAL_ACCESS = "unknown_conditional_access"
UNKNOWN_REGISTRATION_METHODS = "unknown_registration_methods"
LIMITED_REGISTRATION_METHODS = "limited_registration_methods"
UNPROTECTED_USERS = "unprotected_users"
UNPROVEN_EMERGENCY_ACCESS = "unproven_emergency_access"
NO_WAY_IN = "no_way_in"
UNKNOWN_WAYS_IN = "unknown_ways_in"
RISKS = (
    UNKNOWN_CONDITIONAL_ACCESS,
    UNKNOWN_REGISTRATION_METHODS,
    LIMITED_REGISTRATION_METHODS,
    NO_WAY_IN,
    UNKNOWN_WAYS_IN,
    UNPROTECTED_USERS,
    UNPROVEN_EMERGENCY_ACCESS,
)


@dataclass(frozen=True)
class Obstacle:
    """Why security defaults must not be switched now. ``risk`` is its name when an operator may accept it."""

    sentence: str
    risk: str | None = None


def obstacles_to_enabling(conditional_access: Fact, methods: Fact) -> list[Obstacle]:
    """What stands in the way of turning security defaults on.

    ``conditional_access``: policy names by state. ``methods``: {migration_state, registration_reach}.
    """
    return [*_conditional_access_obstacles(conditional_access), *_method_obstacles(methods)]


def _conditional_access_obstacles(fact: Fact) -> list[Obstacle]:
    if not fact.known:
        return [
            Obstacle(
                "Whether Conditional Access policies are enabled could not be read, and these exclude security "
                f"defaults: {fact.reason}",
                UNKNOWN_CONDITIONAL_ACCESS,
            )
        ]
    obstacles = []
    unfamiliar = sorted(name for state, names in fact.value.items() if state not in STATES for name in names)
    if unfamiliar:
        obstacles.append(
            Obstacle(
                "Some Conditional Access policies are in a state that this version does not know, so they may be "
                f"enabled: {quoted(unfamiliar)}.",
                UNKNOWN_CONDITIONAL_ACCESS,
            )
        )
    names = fact.value[ENABLED]
    if names:
        obstacles.append(_enabled_policies(names))
    return obstacles


def _enabled_policies(names: list[str]) -> Obstacle:
    return Obstacle(
        f"{counted(len(names), 'Conditional Access policy is', 'Conditional Access policies are')} enabled, which "
        f"excludes security defaults: {quoted(names)}. Keep Conditional Access, or disable these policies first "
        "(report-only does not protect anybody)."
    )


def _method_obstacles(fact: Fact) -> list[Obstacle]:
    if not fact.known:
        return [
            Obstacle(
                "Which methods people may register could not be read; without Microsoft Authenticator or software "
                f"OATH tokens, security defaults lock everybody out, administrators included: {fact.reason}",
                UNKNOWN_REGISTRATION_METHODS,
            )
        ]
    reach = fact.value["registration_reach"]
    if reach == "everybody":
        return []
    if reach == "some":
        return [
            Obstacle(
                "Microsoft Authenticator and software OATH tokens are enabled for some users only; security defaults "
                "lock out the others. Include all users in one of the two methods, the Authenticator in another "
                "mode than passwordless sign-in only (deviceBasedPush).",
                LIMITED_REGISTRATION_METHODS,
            )
        ]
    if fact.value["migration_state"] != MIGRATION_COMPLETE:
        return [
            Obstacle(
                "Neither notifications of Microsoft Authenticator nor software OATH tokens are enabled in the "
                "authentication methods policy. The legacy MFA settings may still allow them (the migration is not "
                "complete), but Graph does not show those. Enable one of the two methods for all users.",
                UNKNOWN_REGISTRATION_METHODS,
            )
        ]
    return [
        Obstacle(
            "Neither notifications of Microsoft Authenticator nor software OATH tokens are enabled in the "
            "authentication methods policy: with security defaults nobody could register, administrators included. "
            "Enable one of the two methods for all users."
        )
    ]


def obstacles_to_disabling() -> list[Obstacle]:
    """What stands in the way of turning security defaults off: nothing can cover people before they are off."""
    return [
        Obstacle(
            "Turning security defaults off leaves everybody without MFA until something else is enforced: enabled "
            "Conditional Access policies cannot exist beside them, so nothing can cover people beforehand.",
            UNPROTECTED_USERS,
        )
    ]


def refused(obstacles: list[Obstacle], accepted: list[str]) -> list[Obstacle]:
    """The obstacles that the operator has not accepted by name, or may not accept."""
    return [obstacle for obstacle in obstacles if obstacle.risk is None or obstacle.risk not in accepted]


def refusal(obstacles: list[Obstacle], enabled: bool) -> str:
    """One message for all obstacles, each with what to do."""
    verb = "on" if enabled else "off"
    lines = []
    for obstacle in obstacles:
        hint = f" To go on all the same, add '{obstacle.risk}' to accept_risks." if obstacle.risk else ""
        lines.append(obstacle.sentence + hint)
    return f"Security defaults were not turned {verb}. " + " ".join(lines)


def effects(enabled: bool, facts: Mapping[str, Fact]) -> list[str]:
    """What switching changes, for whom, in sentences an approver can read. Unknown counts are called unknown."""
    return _effects_on(facts) if enabled else _effects_off(facts)


def _effects_on(facts: Mapping[str, Fact]) -> list[str]:
    users, roles, per_user = facts["users"], facts["privileged_roles"], facts["per_user_mfa"]
    lines = []
    if users.known:
        members, guests = users.value["enabled_members"], users.value["enabled_guests"]
        lines.append(
            f"{counted(members, 'member', 'members')} and {counted(guests, 'guest', 'guests')} must register for MFA "
            "at their next sign-in, and do MFA when Entra finds it necessary. There are no exclusions: emergency "
            "accounts and user accounts used as service accounts are included."
        )
    else:
        lines.append(f"How many users must register for MFA is unknown: {users.reason}")
    if roles.known:
        count = len(roles.value["protected_administrators"])
        lines.append(f"{counted(count, 'administrator does', 'administrators do')} MFA at every sign-in.")
        exempt = roles.value["directory_synchronization_accounts"]
        if exempt:
            lines.append(f"Exempt as directory synchronisation accounts: {quoted(exempt)}.")
        uncovered = roles.value["other_administrators"]
        if uncovered:
            lines.append(
                f"{counted(len(uncovered), 'holder', 'holders')} of roles outside the sixteen that security defaults "
                "protect do MFA only when Entra finds it necessary."
            )
    else:
        lines.append(f"Which administrators do MFA at every sign-in is unknown: {roles.reason}")
    lines.append(
        "Legacy authentication (IMAP, POP, SMTP AUTH, old Office clients) and the device code flow are blocked; the "
        "Azure portal, CLI and PowerShell need MFA."
    )
    if per_user.known:
        legacy = per_user.value["enabled"] + per_user.value["enforced"]
        if legacy:
            lines.append(f"{counted(legacy, 'user still has', 'users still have')} per-user MFA; it stays as it is.")
    else:
        lines.append(f"Whether per-user MFA is in use is unknown: {per_user.reason}")
    lines.extend(
        _licence_note(facts, "Conditional Access, which could replace security defaults, is licensed ({tier}).")
    )
    return lines


def _effects_off(facts: Mapping[str, Fact]) -> list[str]:
    lines = ["Nobody is asked for MFA by security defaults any more, and legacy authentication is no longer blocked."]
    per_user = facts["per_user_mfa"]
    if per_user.known:
        legacy = per_user.value["enabled"] + per_user.value["enforced"]
        lines.append(f"Per-user MFA remains for {counted(legacy, 'user', 'users')}.")
    else:
        lines.append(f"Whether per-user MFA remains for anybody is unknown: {per_user.reason}")
    lines.extend(
        _licence_note(
            facts,
            "With {tier}, Microsoft then creates managed Conditional Access policies by itself, which may be enabled "
            "at once: exclude emergency accounts from them.",
        )
    )
    return lines


def _licence_note(facts: Mapping[str, Fact], sentence: str) -> list[str]:
    licences = facts["licences"]
    if not licences.known:
        return [f"The licence is unknown: {licences.reason}"]
    return [] if licences.value["tier"] == "free" else [sentence.format(tier=licences.value["tier"])]


def counted(count: int, singular: str, plural: str) -> str:
    return f"{count} {singular if count == 1 else plural}"


def quoted(names: list[str], most: int = 10) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def summary(enabled: bool, facts: Mapping[str, Fact]) -> dict[str, Any]:
    """What the module returns as ``impact``: the sentences and the counts behind them."""
    return {
        "effects": effects(enabled, facts),
        "facts": {name: fact.as_result() for name, fact in sorted(facts.items())},
    }
