# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new password of an emergency account calls for (private to the collection). Pure functions.

The new password is sealed as pending, set, and promoted: it becomes the sealed one. A pending document is as in
``seals``, and has besides ``password_before``, Graph's ``lastPasswordChangeDateTime`` before the password was set.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .emergency_access_activity import moment
from .seals import CLOCKS_DIFFER, KEEP, LIVE, PENDING, PROMOTE, STOP, decide

ROTATE, RESUME, CLEAN = "rotate", "resume", "clean"
SEALED, UNKNOWN = "sealed", "unknown"

Documents = Mapping[str, Any]


def decide_rotation(
    account: Documents,
    sealed: Documents,
    pending: Documents,
    tenant_id: str,
    *,
    max_age_days: int,
    now: datetime,
    adopted: bool = False,
    same_secret: bool = False,
) -> tuple[str, str]:
    """What is to be done, and why, in a sentence about the account.

    ``account`` is as in ``seals.decide``; ``sealed`` and ``pending`` are documents without their secrets, empty where
    there is none. ``same_secret``: both hold the same one. An adopted account's password is kept elsewhere.

    - rotate: seal a new password as pending, set it, promote it.
    - resume: set the pending one, promote it.
    - promote: the pending one is set already.
    - clean: it was promoted already, and still is the account's password; remove what is left.
    - keep: nothing.
    - stop: nothing can be done, or only by people.
    """
    if not account["id"]:
        return STOP, "there is no such account: zerotrust.m365.emergency_access makes it."
    is_pending = pending.get("state") == PENDING
    if any(not _is_of(one, account, tenant_id) for one in (sealed, pending) if one):
        return STOP, "its seal is of another account or tenant."
    decision, sentence = decide(account, sealed or None, tenant_id)
    was_promoted = is_pending and same_secret and sealed.get("state") == LIVE
    if was_promoted and decision == KEEP:
        return CLEAN, "its new password is sealed already."
    is_unfinished = is_pending and not was_promoted
    if adopted and not is_unfinished:
        return KEEP, "its password is kept elsewhere."
    if is_unfinished:
        if which_opens(account, sealed, pending) == PENDING:
            return PROMOTE, "its new password was set by an interrupted run."
        return RESUME, "its new password was sealed by an interrupted run, and is set."
    if decision != KEEP:
        return ROTATE, f"it gets a new password. Before, {sentence}"
    age = now - moment(account["last_password_change"])
    if max_age_days and age <= timedelta(days=max_age_days):
        return KEEP, f"its password is {age.days} days old, and sealed; it may be {max_age_days} days old."
    return ROTATE, f"it gets a new password: the old one is {age.days} days old."


def which_opens(account: Documents, sealed: Documents, pending: Documents) -> str:
    """Whether the password of the account is the ``sealed`` one, the ``pending`` one, or that is ``unknown``, by when
    Graph says that it was set last."""
    changed = _moment(account.get("last_password_change"))
    if changed is None:
        return UNKNOWN
    if sealed.get("state") == LIVE and changed == _moment(sealed.get("password_changed")):
        return SEALED
    begun, ended = _moment(pending.get("sealed")), _moment(pending.get("tried_until"))
    if pending.get("state") != PENDING or begun is None or ended is None:
        return UNKNOWN
    if changed != _moment(pending.get("password_before")) and begun - CLOCKS_DIFFER <= changed <= ended + CLOCKS_DIFFER:
        return PENDING
    return UNKNOWN


def _is_of(seal: Documents, account: Documents, tenant_id: str) -> bool:
    same_name = str(seal.get("user_principal_name")).casefold() == str(account["user_principal_name"]).casefold()
    return same_name and str(seal.get("tenant_id")).casefold() == tenant_id.casefold()


def _moment(written: Any) -> datetime | None:
    try:
        return moment(written) if isinstance(written, str) else None
    except ValueError:
        return None
