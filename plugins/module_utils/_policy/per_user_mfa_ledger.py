# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ledger of per-user MFA says (private to the collection). Pure functions.

Each line is a JSON object with ``event``, ``tenant_id`` and ``at``:

- ``change`` stands there before the write is sent: ``id``, ``user_principal_name``, ``before`` and ``left``, the states
  before it and after it; ``changed`` once Graph shows it, ``refused`` when it surely was not done,
- ``restore`` and ``restored`` are the same for putting a state back,
- ``cover`` says when something that covers users (``by``) was first seen, ``cover_gone`` when it was seen not to be
  there any more. Once it is back it settles anew, and so it does after anything was put back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .coverage import SECURITY_DEFAULTS
from .facts import UnexpectedShape, text
from .per_user_mfa import STATES

CHANGE, CHANGED, REFUSED = "change", "changed", "refused"
RESTORE, RESTORED = "restore", "restored"
COVER, COVER_GONE = "cover", "cover_gone"

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """The last change of a user that was not undone: the states before it and after it."""

    id: str
    name: str
    before: str
    left: str


def line(event: str, tenant_id: str, at: str, **more: str) -> dict[str, str]:
    return {"event": event, "at": at, "tenant_id": tenant_id, **more}


def change(event: str, tenant_id: str, at: str, entry: Entry) -> dict[str, str]:
    return line(
        event,
        tenant_id,
        at,
        id=entry.id,
        user_principal_name=entry.name,
        before=entry.before,
        left=entry.left,
    )


def open_entries(lines: Iterable[Line]) -> dict[str, Entry]:
    """By object id, what can be put back. Raises UnexpectedShape, which names no line.

    A refused change leaves the one before it; what was restored is done with.
    """
    open_ones: dict[str, list[Entry]] = {}
    for item in lines:
        event = text(item, "event")
        if event in (CHANGED, RESTORE, COVER, COVER_GONE):
            continue
        identity = text(item, "id")
        if event == CHANGE:
            entry = Entry(identity, text(item, "user_principal_name"), _state(item, "before"), _state(item, "left"))
            open_ones.setdefault(identity, []).append(entry)
        elif event == REFUSED:
            del open_ones.get(identity, [])[-1:]
        elif event == RESTORED:
            open_ones.pop(identity, None)
        else:
            raise UnexpectedShape(f"the event '{event}' is not known to this version")
    return {identity: entries[-1] for identity, entries in open_ones.items() if entries}


def cover_seen(lines: Iterable[Line]) -> dict[str, str]:
    """By name, when each cover that is there was first seen, as ``YYYY-MM-DDTHH:MM:SSZ``. Raises UnexpectedShape."""
    seen: dict[str, str] = {}
    for item in lines:
        event = text(item, "event")
        if event in (RESTORE, RESTORED):
            seen.clear()
        elif event == COVER_GONE:
            seen.pop(text(item, "by"), None)
        elif event == COVER:
            seen.setdefault(text(item, "by"), text(item, "at"))
    return seen


def cover_gone(seen: Iterable[str], security_defaults: bool | None, policies: Collection[str] | None) -> list[str]:
    """What of ``seen``, of which the ledger says that it is there, the tenant does not have.

    ``policies`` are names of those that cover somebody. None of either is not known, and says nothing.
    """
    here = set() if policies is None else {policy_cover(name) for name in policies}
    return [
        by
        for by in seen
        if (security_defaults is False if by == SECURITY_DEFAULTS else policies is not None and by not in here)
    ]


def taken_since(lines: Iterable[Line]) -> str:
    """Since when per-user MFA is being taken away, as ``YYYY-MM-DDTHH:MM:SSZ``; empty where nothing tells.

    That is the first change after states were last put back or cover was last seen to be gone; where there is none,
    that moment itself. Raises UnexpectedShape.
    """
    begun = first = ""
    for item in lines:
        event, at = text(item, "event"), text(item, "at")
        if event in (RESTORED, COVER_GONE):
            begun, first = at, ""
        begun = begun or at
        if event == CHANGE:
            first = first or at
    return first or begun


def policy_cover(name: str) -> str:
    """What the ledger calls the cover of a policy of this name."""
    return f"policy {name}"


def other_tenants(lines: Iterable[Line], tenant_id: str) -> list[str]:
    """The ids of other tenants that a ledger is about. Raises UnexpectedShape."""
    return sorted({text(item, "tenant_id") for item in lines} - {tenant_id})


def _state(item: Line, name: str) -> str:
    state = text(item, name)
    if state not in STATES:
        raise UnexpectedShape(f"'{name}' is '{state}', which is no state of per-user MFA")
    return state
