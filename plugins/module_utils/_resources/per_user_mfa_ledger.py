# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the ledger of per-user MFA of a tenant, and notes there what covers nobody any more (private)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .._engine.run import Run
from .._graph.errors import OptionError
from .._policy.facts import UnexpectedShape
from .._policy.per_user_mfa_ledger import (
    COVER_GONE,
    Entry,
    cover_gone,
    cover_seen,
    line,
    open_entries,
    other_tenants,
    taken_since,
)
from .ledger import Ledger


@dataclass(frozen=True)
class LedgerContent:
    """What can be put back, by object id; when what covers was first seen, by name; and since when MFA is taken away.

    ``begun`` is False where there is no ledger yet.
    """

    begun: bool = False
    entries: Mapping[str, Entry] = field(default_factory=dict)
    cover_seen: Mapping[str, str] = field(default_factory=dict)
    since: str = ""


def read_ledger(run: Run, option: str, ledger: Ledger) -> LedgerContent:
    """Raises OptionError for one that is no good, or of another tenant."""
    lines = ledger.lines()
    if not lines:
        return LedgerContent()
    try:
        others = other_tenants(lines, run.client.token().tenant_id)
        if not others:
            return LedgerContent(True, open_entries(lines), cover_seen(lines), taken_since(lines))
    except UnexpectedShape as error:
        raise OptionError(f"{option}: '{ledger.path}' cannot be used: {error}.") from None
    raise OptionError(f"{option}: '{ledger.path}' is about another tenant ({', '.join(others)}).")


def note_cover_gone(
    run: Run,
    ledger: Ledger,
    seen: Iterable[str],
    *,
    security_defaults: bool | None,
    policies: Collection[str] | None = None,
) -> None:
    """Put into the ledger what of ``seen`` the tenant has no more: once it is back, it settles anew.

    The others are as in ``cover_gone``. Raises LedgerFailed.
    """
    stamp, tenant_id = stamp_of(run), run.client.token().tenant_id
    gone = cover_gone(seen, security_defaults, policies)
    ledger.append(line(COVER_GONE, tenant_id, stamp, by=by) for by in gone)


def stamp_of(run: Run) -> str:
    """This moment, by Graph's clock, as the ledger writes it."""
    return datetime.fromtimestamp(run.client.now(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
