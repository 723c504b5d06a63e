# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When Entra makes a Temporary Access Pass, and how long it is good (private to the collection). Pure functions.

Sources: Microsoft's page "Configure Temporary Access Pass", and the Graph reference of
temporaryAccessPassAuthenticationMethod and of its configuration in the authentication methods policy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from .facts import UnexpectedShape, boolean, text

NOT_YET_VALID = "NotYetValid"
EXTERNAL = "#ext#"
SHORTEST, LONGEST = 10, 43200

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(?:[Zz]|([+-]\d\d:\d\d))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Rules:
    """What the authentication methods policy says of passes. Minutes."""

    default_lifetime: int
    shortest: int
    longest: int
    one_time_only: bool


def rules_of(configuration: Mapping[str, Any]) -> Rules:
    """Raises UnexpectedShape."""
    return Rules(
        default_lifetime=_minutes(configuration, "defaultLifetimeInMinutes"),
        shortest=_minutes(configuration, "minimumLifetimeInMinutes"),
        longest=_minutes(configuration, "maximumLifetimeInMinutes"),
        one_time_only=boolean(configuration, "isUsableOnce"),
    )


def _minutes(configuration: Mapping[str, Any], name: str) -> int:
    value = configuration.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnexpectedShape(f"'{name}' is no number")
    return value


def kind_refusal(name: str) -> str | None:
    """Why a user of this principal name gets no pass, whatever the policy says."""
    if EXTERNAL in name.casefold():
        return f"{name} is an external guest, who signs in at home: Entra makes no Temporary Access Pass for them."
    return None


def policy_refusal(rules: Rules, name: str, enabled: bool | None, lifetime: int, once: bool) -> str | None:
    """Why the policy keeps this pass from being made; None when it does not. ``enabled`` as of is_enabled_for."""
    if enabled is None:
        return f"Whether the authentication methods policy allows {name} a Temporary Access Pass could not be told."
    if not enabled:
        return (
            f"The authentication methods policy does not allow {name} a Temporary Access Pass: enable the method "
            "TemporaryAccessPass there, for a group that the user is in."
        )
    if not rules.shortest <= lifetime <= rules.longest:
        return (
            f"A Temporary Access Pass of {lifetime} minutes is not allowed: the authentication methods policy demands "
            f"{rules.shortest} to {rules.longest} minutes."
        )
    if rules.one_time_only and not once:
        return (
            "The authentication methods policy demands that every Temporary Access Pass works only once: leave out "
            "'is_usable_once: false'."
        )
    return None


def lasts(access_pass: Mapping[str, Any]) -> bool:
    """Whether a pass can be used, now or when its time comes. Raises UnexpectedShape."""
    return boolean(access_pass, "isUsable") or text(access_pass, "methodUsabilityReason") == NOT_YET_VALID


def moment(written: str) -> datetime | None:
    """A moment in ISO 8601, in UTC unless it says otherwise; None when it is none. Fractions of seconds are cut off."""
    found = _MOMENT.fullmatch(written.strip())
    if not found:
        return None
    day, time, zone = found.groups()
    offset = zone or "+00:00"
    try:
        return datetime.fromisoformat(f"{day}T{time}{offset}").astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def as_graph_writes(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def end_of(start: Any, lifetime: Any) -> str | None:
    """When a pass ends, from what Graph shows of it; None when that cannot be told."""
    begins = moment(start) if isinstance(start, str) else None
    if begins is None or not isinstance(lifetime, int) or isinstance(lifetime, bool):
        return None
    try:
        return as_graph_writes(begins + timedelta(minutes=lifetime))
    except OverflowError:
        return None
