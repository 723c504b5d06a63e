# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes per-user MFA in waves (private to the collection).

Before each wave: what covers the users must still be there, and their states are read the documented way and put into
the ledger. After it: every answer is looked at, and every state read again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .._engine.engine import Poll, is_doubtful
from .._engine.run import Run
from .._graph.batch import BatchRequest
from .._graph.errors import M365Error, NoAnswer, NotFound, Throttled, Unauthorized
from .._policy.coverage import SECURITY_DEFAULTS, Cover, MfaPolicy
from .._policy.per_user_mfa import PROPERTY, converged
from .._policy.per_user_mfa_ledger import (
    CHANGE,
    CHANGED,
    COVER,
    REFUSED,
    RESTORE,
    RESTORED,
    Entry,
    change,
    cover_seen,
    line,
)
from .cover import read_tenant_cover
from .ledger import Ledger
from .per_user_mfa_reading import read_states, requirements_path

MOST_NAMED = 20
# Graph's published limit of writes by one application in one tenant: so many in any so many seconds. Keeping to it is
# faster than being throttled.
MOST_WRITES, SPAN = 3000, 150.0


@dataclass(frozen=True)
class Wish:
    """One user to be changed. ``expected`` are the states that may be changed; ``cover`` is what covers the user."""

    id: str
    name: str
    before: str
    to: str
    expected: frozenset[str]
    cover: Cover | None = None


class SomeFailed(M365Error):
    """Some users could not be changed, or the waves were stopped. ``failures`` are sentences by name."""

    def __init__(self, lead: str, failures: Mapping[str, str], changed: int, remaining: int) -> None:
        self.failures, self.changed, self.remaining = dict(failures), changed, remaining
        shown = " ".join(f"{name}: {why}" for name, why in list(failures.items())[:MOST_NAMED])
        more = f" And {len(failures) - MOST_NAMED} more." if len(failures) > MOST_NAMED else ""
        said = f"{changed} {'user was' if changed == 1 else 'users were'} changed."
        super().__init__(f"{lead} {said} {shown}{more}".strip())

    def details(self) -> dict[str, Any]:
        return {"refused": self.failures, "changed": self.changed, "remaining": self.remaining}


class CoverGone(M365Error):
    """What covered the users is not there any more, or was changed meanwhile."""


@dataclass
class Waves:
    """``policies`` are those that cover somebody here. ``changed`` has the states that were seen, by id."""

    run: Run
    wishes: Mapping[str, Wish]
    ledger: Ledger
    policies: Sequence[MfaPolicy]
    restores: bool
    canary: bool
    changed: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    settled: bool = False
    sent: deque[tuple[float, int]] = field(default_factory=deque)

    # Before a wave

    def prepare(self, ids: Sequence[str]) -> dict[str, BatchRequest]:
        wave = [self.wishes[identity] for identity in ids]
        self._pace(len(wave))
        if any(wish.cover for wish in wave):
            if not self.settled:
                self._settle()
                self.settled = True
            self._check_cover()
        states = read_states(self.run.client, ids)
        self.entries = {}
        for wish in wave:
            current = states[wish.id]
            if isinstance(current, NotFound):
                self.gone.append(wish.name)
            elif not isinstance(current, str):
                self.failures[wish.name] = current.message if current else "Graph shows no state that is known."
            elif current in wish.expected:
                self.entries[wish.id] = Entry(wish.id, wish.name, current, wish.to)
            elif not converged(wish.to, current):
                self.failures[wish.name] = f"Somebody made it {current} meanwhile."
        self._note(RESTORE if self.restores else CHANGE, self.entries.values())
        return {
            identity: BatchRequest("PATCH", requirements_path(identity), body={PROPERTY: entry.left})
            for identity, entry in self.entries.items()
        }

    def _pace(self, count: int) -> None:
        """Wait until so many more writes are within the limit."""
        policy = self.run.client.policy
        while self.sent and sum(number for _when, number in self.sent) + count > MOST_WRITES:
            policy.pause(self.sent.popleft()[0] + SPAN - policy.clock())

    def _settle(self) -> None:
        """Wait until what covers has been in force for ``settle_time``: how far it has spread cannot be seen."""
        settle_time = self.run.options["settle_time"]
        if not settle_time:
            return
        now = self.run.client.now()
        since = [_epoch(policy.changed) for policy in self.policies if policy.changed]
        by = [f"policy {policy.name}" for policy in self.policies if not policy.changed]
        if any(wish.cover and wish.cover.by == SECURITY_DEFAULTS for wish in self.wishes.values()):
            by.append(SECURITY_DEFAULTS)
        lines = self.ledger.lines() if by else []
        for one in by:
            seen = cover_seen(lines, one)
            if seen is None:
                seen = self._stamp()
                self.ledger.append([line(COVER, self._tenant_id(), seen, by=one)])
            since.append(_epoch(seen))
        seconds = min(max(since, default=now) + settle_time - now, settle_time)
        if seconds > 0:
            self.run.client.policy.pause(seconds)

    def _check_cover(self) -> None:
        """Raises CoverGone unless all that covers somebody is as it was when that was decided."""
        trusting = self.run.options["accept_trusted_locations"]
        now = read_tenant_cover(self.run.client, trusted_locations=trusting).defences
        wrong = [f"'{policy.name}'" for policy in self.policies if policy not in now.policies]
        uses_defaults = any(wish.cover and wish.cover.by == SECURITY_DEFAULTS for wish in self.wishes.values())
        if uses_defaults and not now.security_defaults:
            wrong.append("security defaults")
        if wrong:
            unread = f" {now.unread}" if now.unread else ""
            raise CoverGone(
                f"Stopped before a write: what covers the users was switched off, changed, or cannot be read any more "
                f"({', '.join(wrong)}).{unread} {len(self.changed)} users were changed before; run the task again."
            )

    # After a wave

    def finish(self, answers: Mapping[str, M365Error | None]) -> None:
        """Raises SomeFailed where going on makes no sense."""
        self.sent.append((self.run.client.policy.clock(), len(answers)))
        self._take_refusals(answers)
        shown = self._until_shown([one for one in self.entries.values() if self._may_be_done(answers[one.id])])
        for entry in self.entries.values():
            error = answers[entry.id]
            if entry.id in shown:
                self.changed[entry.id] = shown[entry.id]
                self.failures.pop(entry.name, None)
            elif self._may_be_done(error) and entry.name not in self.gone:
                why = error.message if error else "Graph accepted the change, but does not show it."
                self.failures[entry.name] = why
        done = RESTORED if self.restores else CHANGED
        self._note(done, [entry for entry in self.entries.values() if entry.id in shown])
        self._stop_where_it_makes_no_sense(answers, shown)

    def _take_refusals(self, answers: Mapping[str, M365Error | None]) -> None:
        refused = []
        for identity, error in answers.items():
            if error is None or is_doubtful(error):
                continue
            entry = self.entries[identity]
            refused.append(entry)
            if isinstance(error, NotFound):
                self.gone.append(entry.name)
            else:
                self.failures[entry.name] = error.message
        if not self.restores:
            self._note(REFUSED, refused)

    def _may_be_done(self, error: M365Error | None) -> bool:
        return error is None or is_doubtful(error)

    def _until_shown(self, entries: Collection[Entry]) -> dict[str, str]:
        """States by id of those whom Graph shows as wanted, read the documented way until all are."""
        poll = Poll(self.run)
        shown: dict[str, str] = {}
        waiting = {entry.id: entry for entry in entries}
        while waiting:
            for identity, state in read_states(self.run.client, list(waiting)).items():
                if isinstance(state, NotFound):
                    self.gone.append(waiting.pop(identity).name)
                elif isinstance(state, str) and converged(waiting[identity].left, state):
                    shown[identity] = state
                    del waiting[identity]
            if waiting and not poll.wait():
                break
        return shown

    def _stop_where_it_makes_no_sense(self, answers: Mapping[str, M365Error | None], shown: Collection[str]) -> None:
        failed = [entry.name for entry in self.entries.values() if entry.name in self.failures]
        systemic = [error for error in answers.values() if isinstance(error, (Throttled, Unauthorized, NoAnswer))]
        first = self.canary
        self.canary = False
        if failed and (first or systemic or not shown):
            lead = "Stopped after the canary." if first else "Stopped: Graph does not take the changes."
            self.fail(lead)

    def fail(self, lead: str) -> None:
        remaining = len(self.wishes) - len(self.changed) - len(self.gone)
        raise SomeFailed(lead, self.failures, len(self.changed), remaining)

    # The ledger

    def _note(self, event: str, entries: Collection[Entry]) -> None:
        stamp, tenant_id = self._stamp(), self._tenant_id()
        self.ledger.append(change(event, tenant_id, stamp, entry) for entry in entries)

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self.run.client.now(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _tenant_id(self) -> str:
        return self.run.client.token().tenant_id


def _epoch(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
