# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose sign-in sessions are revoked (private to the collection). Pure functions.

Source: Graph reference, "user: revokeSignInSessions" (sets ``signInSessionsValidFromDateTime`` to now, and does not
revoke the sessions of external users, who sign in through their home tenant).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .emergency_access_activity import moment
from .facts import UnexpectedShape, optional_text, text

VALID_FROM = "signInSessionsValidFromDateTime"
USER_PROPERTIES = ("id", "userPrincipalName", "externalUserState", VALID_FROM)


def whole_seconds(written: str) -> datetime:
    """A date and time in UTC, without the fraction of a second, which Graph does not show. Raises ValueError."""
    try:
        return moment(written).replace(microsecond=0)
    except OverflowError:
        raise ValueError("it is out of range") from None


def is_external(user: Mapping[str, Any]) -> bool:
    """Whether a user of Graph signs in at another tenant, or may. Raises UnexpectedShape.

    Guests who were made here have neither mark, and sign in here.
    """
    marked = "#EXT#" in text(user, "userPrincipalName").upper()
    return optional_text(user, "externalUserState") is not None or marked


def is_revoked(user: Mapping[str, Any], since: datetime) -> bool:
    """Whether no session from before ``since``, in whole seconds, is valid. Raises UnexpectedShape."""
    written = optional_text(user, VALID_FROM)
    if written is None:
        return False
    try:
        return whole_seconds(written) >= since
    except ValueError:
        raise UnexpectedShape(f"'{VALID_FROM}' is no date and time") from None
