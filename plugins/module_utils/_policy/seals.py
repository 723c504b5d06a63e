# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealed secrets of emergency accounts, and what they say of the accounts (private to the collection). Pure functions.

A document is what is sealed: ``secret`` and what is known of it. The document of a password has besides

- ``state``: ``pending`` until it is known that an account has this password, then ``live``; ``refused`` when it is
  known that the account has another one,
- ``tenant_id`` and ``user_principal_name`` of the account,
- ``sealed`` and ``tried_until``, between which the account gets it, as ``YYYY-MM-DDTHH:MM:SSZ`` by the clock of the
  machine that runs Ansible,
- ``password_changed``, Graph's ``lastPasswordChangeDateTime`` since it is live, else None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

PENDING, LIVE, REFUSED = "pending", "live", "refused"
# How much the clock of the machine that runs Ansible may differ from Microsoft's. That the account was not there when
# its password was sealed is known anyway.
CLOCKS_DIFFER = timedelta(minutes=5)
MOST_PARTS = 4

Document = dict[str, Any]


class Damaged(ValueError):
    """Documents that cannot be what was sealed. Its text says why, in a sentence without a secret."""


def cut(document: Mapping[str, Any], parts: int, seal: str) -> list[Document]:
    """The document in so many parts. Each has a piece of the secret, and all are needed to have it.

    ``seal`` names the seal in all of its parts, unless the document names it already: a document that was sealed before
    keeps its name as long as it keeps its secret. Raises Damaged for a document without a secret that is text.
    """
    secret = document.get("secret")
    if not isinstance(secret, str) or len(secret) < parts:
        raise Damaged("What is to be sealed has no secret, or a secret that is shorter than the number of parts.")
    if parts == 1:
        return [dict(document)]
    named = {"seal": seal, **document}
    ends = [round(len(secret) * part / parts) for part in range(parts + 1)]
    return [
        {**named, "part": part + 1, "parts": parts, "secret": secret[ends[part] : ends[part + 1]]}
        for part in range(parts)
    ]


def join(found: Sequence[Mapping[str, Any] | None]) -> Document | None:
    """The document of which these are the parts in their order, None for one that is missing; None when all are, or
    when writing them was interrupted: a secret of which no complete seal was ever made was never used.

    Parts that differ in more than their piece come from an interrupted rewriting of the same secret: the one that is
    not ``live`` yet is right. Raises Damaged for parts that do not belong together in another way.
    """
    parts = [part for part in found if part is not None]
    for place, part in enumerate(found, 1):
        if part is not None and (part.get("part", 1), part.get("parts", 1)) != (place, len(found)):
            raise Damaged("It was sealed in another number of parts, or its parts were interchanged.")
    if any(not isinstance(part.get("secret"), str) for part in parts):
        raise Damaged("It has no secret.")
    if len(parts) < len(found) or len({part.get("seal") for part in parts}) > 1:
        return None
    whole = min(parts, key=lambda part: part.get("state") == LIVE)
    shown = {name: value for name, value in whole.items() if name not in ("part", "parts")}
    return {**shown, "secret": "".join(part["secret"] for part in parts)}


CREATE, CREATE_AGAIN, PROMOTE, KEEP, STOP = "create", "create_again", "promote", "keep", "stop"


def decide(
    account: Mapping[str, Any], seal: Mapping[str, Any] | None, tenant_id: str, *, adopted: bool = False
) -> tuple[str, str]:
    """What is to be done about an account and the seal of its password, and why, in a sentence about the account.

    ``account`` has ``id`` (None where there is no account), ``user_principal_name`` and ``last_password_change``; the
    seal is a document without its secret. An adopted account is one whose password the operator keeps elsewhere.

    - create: seal a password, the one of the seal again if it is pending, and create the account with it.
    - create_again: the same with a new password, for an account that was deleted. The old seal is kept.
    - promote: the sealed password is the one of the account: make the seal live.
    - keep: nothing.
    - stop: nobody is known to hold the password of the account.
    """
    name = str(account["user_principal_name"])
    if seal and not _is_of(seal, name, tenant_id):
        return STOP, "its seal is of another account or tenant."
    state = seal.get("state") if seal else None
    if not account["id"]:
        if state == LIVE:
            return CREATE_AGAIN, "it was deleted, and is created again with a new password."
        return CREATE, "it is created."
    decision, sentence = _decide_about_existing(account, seal, state)
    if decision == STOP and adopted:
        return KEEP, "its password is kept elsewhere."
    return decision, sentence


def _decide_about_existing(
    account: Mapping[str, Any], seal: Mapping[str, Any] | None, state: str | None
) -> tuple[str, str]:
    if not seal:
        return STOP, "its password is not sealed: nobody is known to hold it."
    changed = _time(account["last_password_change"])
    if changed is None:
        return STOP, "when its password was set could not be read, so whether it is the sealed one is not known."
    if state == LIVE:
        if changed == _time(seal.get("password_changed")):
            return KEEP, "its password is sealed."
        return STOP, "its password was changed after it was sealed: the sealed one does not open it any more."
    if state == REFUSED:
        return STOP, "somebody else created it while it was to be created, so its password is not the sealed one."
    sealed, tried_until = _time(seal.get("sealed")), _time(seal.get("tried_until"))
    if sealed and tried_until and sealed - CLOCKS_DIFFER <= changed <= tried_until + CLOCKS_DIFFER:
        return PROMOTE, "its password is the one that an interrupted run has sealed."
    return STOP, (
        "whether its password is the sealed one is not known: it was not set while a run that sealed it could have set "
        "it, or a clock is wrong."
    )


def _is_of(seal: Mapping[str, Any], name: str, tenant_id: str) -> bool:
    same_name = str(seal.get("user_principal_name")).casefold() == name.casefold()
    return same_name and str(seal.get("tenant_id")).casefold() == tenant_id.casefold()


def _time(text: Any) -> datetime | None:
    """A time of Graph, or of a document, to the second; None for what is none."""
    try:
        return datetime.strptime(str(text)[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
