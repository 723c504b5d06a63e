# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes per-user MFA in waves (private to the collection).

Before each wave: what covers the users is read again, with their memberships, and their states are read the documented
way and put into the ledger. After it: every answer is looked at, and every state read again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from .._engine.engine import Poll
from .._engine.run import Run
from .._graph.batch import BatchRequest, is_doubtful
from .._graph.errors import GraphError, M365Error, NoAnswer, NotFound, Throttled, Unauthorized
from .._policy.coverage import SECURITY_DEFAULTS, Cover, Defences, MfaPolicy
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
    policy_cover,
)
from .cover import read_tenant_cover
from .ledger import Ledger
from .many_users import Pace, SomeFailed
from .per_user_mfa_ledger import note_cover_gone, stamp_of
from .per_user_mfa_reading import read_states, requirements_path

SKIP, FAIL = "skip", "fail"
"""What to do with users whom nothing covers."""


@dataclass(frozen=True)
class Wish:
    """One user to be changed. ``expected`` are the states that may be changed; ``cover`` is what covers the user."""

    id: str
    name: str
    before: str
    to: str
    expected: frozenset[str]
    cover: Cover | None = None


@dataclass(frozen=True)
class Skipped:
    """One user who is left as is, and why."""

    id: str
    name: str
    state: str
    verdict: str
    reason: str

    def as_result(self) -> dict[str, str]:
        return {
            "id": self.id,
            "user_principal_name": self.name,
            "state": self.state,
            "verdict": self.verdict,
            "reason": self.reason,
        }


def note_what_is_gone(run: Run, ledger: Ledger, seen: Iterable[str], now: Defences) -> None:
    """Raises LedgerFailed."""
    policies = None if now.unread else [policy.name for policy in now.policies]
    note_cover_gone(run, ledger, seen, security_defaults=now.security_defaults, policies=policies)


class CoverGone(M365Error):
    """What covered the users is not there any more, or was changed meanwhile."""


@dataclass
class Waves:
    """``policies`` are those that cover somebody here. ``changed`` has the states that were seen, by id.

    ``uncovered`` judges users again, by id, by what the tenant has now, and by what of it has settled: it names those
    whom nothing settled covers any more.
    ``left`` are these, who are left as they are, and taken out of ``shown``, both sides of the diff by name.
    """

    run: Run
    wishes: Mapping[str, Wish]
    ledger: Ledger
    policies: Sequence[MfaPolicy]
    uncovered: Callable[[Defences, Defences, Collection[str]], Mapping[str, Skipped]]
    shown: tuple[dict[str, str], dict[str, str]]
    restores: bool
    canary: bool
    changed: dict[str, str] = field(default_factory=dict)
    left: dict[str, Skipped] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    settled: bool = False
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(self.run.client.policy)

    # Before a wave

    def prepare(self, ids: Sequence[str]) -> dict[str, BatchRequest]:
        wave = [self.wishes[identity] for identity in ids]
        self.pace.wait_for(len(wave))
        if any(wish.cover for wish in wave) and not self.settled:
            self._settle()
            self.settled = True
        states = read_states(self.run.client, ids)
        there = [wish for wish in wave if wish.cover and not isinstance(states[wish.id], NotFound)]
        if there:
            now = self._cover_now()
            left = self.uncovered(now, self._settled_of(now), [wish.id for wish in there])
        else:
            left = {}
        self._leave(left)
        self.entries = {}
        for wish in wave:
            current = states[wish.id]
            if wish.id in left:
                continue
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

    def _leave(self, users: Mapping[str, Skipped]) -> None:
        self.left.update(users)
        if self.run.options["uncovered"] == FAIL:
            self.failures.update({one.name: one.reason for one in users.values()})
        for one in users.values():
            for side in self.shown:
                side.pop(one.name, None)

    def _settle(self) -> None:
        """Wait until what covers has been in force for ``settle_time``: how far it has spread cannot be seen."""
        settle_time = self.run.options["settle_time"]
        if not settle_time:
            return
        now = self.run.client.now()
        since = [_epoch(policy.changed) for policy in self.policies if policy.changed]
        by = [policy_cover(policy.name) for policy in self.policies if not policy.changed]
        if self._uses_defaults():
            by.append(SECURITY_DEFAULTS)
        seen = cover_seen(self.ledger.lines()) if by else {}
        for one in by:
            if one not in seen:
                seen[one] = stamp_of(self.run)
                self.ledger.append([line(COVER, self._tenant_id(), seen[one], by=one)])
            since.append(_epoch(seen[one]))
        seconds = min(max(since, default=now) + settle_time - now, settle_time)
        if seconds > 0:
            self.run.client.policy.pause(seconds)

    def _cover_now(self) -> Defences:
        """Raises CoverGone unless all that covers somebody is as it was when that was decided."""
        trusting = self.run.options["accept_trusted_locations"]
        now = read_tenant_cover(self.run.client, trusted_locations=trusting).defences
        wrong = [f"'{policy.name}'" for policy in self.policies if policy not in now.policies]
        if self._uses_defaults() and not now.security_defaults:
            wrong.append("security defaults")
        if wrong:
            note_what_is_gone(self.run, self.ledger, cover_seen(self.ledger.lines()), now)
            unread = f" {now.unread}" if now.unread else ""
            raise CoverGone(
                f"Stopped before a write: what covers the users was switched off, changed, or cannot be read any more "
                f"({', '.join(wrong)}).{unread} {len(self.changed)} users were changed before; run the task again."
            )
        return now

    def _settled_of(self, now: Defences) -> Defences:
        """Only what was waited for. What came since may not be in force everywhere yet."""
        return replace(
            now, security_defaults=now.security_defaults and self._uses_defaults(), policies=tuple(self.policies)
        )

    def _uses_defaults(self) -> bool:
        return any(wish.cover and wish.cover.by == SECURITY_DEFAULTS for wish in self.wishes.values())

    # After a wave

    def finish(self, answers: Mapping[str, M365Error | None]) -> None:
        """Raises SomeFailed where going on makes no sense."""
        self.pace.note(len(answers))
        shown = self._take_refusals(answers)
        shown |= self._until_shown([one for one in self.entries.values() if self._may_be_done(answers[one.id])])
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

    def _take_refusals(self, answers: Mapping[str, M365Error | None]) -> dict[str, str]:
        """Note who was refused, where Graph still shows what was before. The states by id of those who were changed.

        Of whoever cannot be read, the change stays open in the ledger: what was not done needs no putting back.
        """
        refusals = {key: error for key, error in answers.items() if error is not None and not is_doubtful(error)}
        states = self._read_refused(list(refusals))
        shown: dict[str, str] = {}
        refused = []
        for identity, error in refusals.items():
            entry, state = self.entries[identity], states[identity]
            if isinstance(state, str) and converged(entry.left, state):
                shown[identity] = state
                continue
            if isinstance(error, NotFound):
                self.gone.append(entry.name)
            else:
                self.failures[entry.name] = error.message
            as_before = isinstance(state, str) and converged(entry.before, state)
            if as_before or (isinstance(error, NotFound) and isinstance(state, NotFound)):
                refused.append(entry)
        if not self.restores:
            self._note(REFUSED, refused)
        return shown

    def _read_refused(self, ids: Sequence[str]) -> Mapping[str, str | GraphError | None]:
        try:
            return read_states(self.run.client, ids)
        except M365Error:  # why the changes failed is told, and that is most likely the reason
            return dict.fromkeys(ids)

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
        remaining = len(self.wishes) - len(self.changed) - len(self.gone) - len(self.left)
        raise SomeFailed(lead, self.failures, len(self.changed), remaining)

    # The ledger

    def _note(self, event: str, entries: Collection[Entry]) -> None:
        stamp, tenant_id = stamp_of(self.run), self._tenant_id()
        self.ledger.append(change(event, tenant_id, stamp, entry) for entry in entries)

    def _tenant_id(self) -> str:
        return self.run.client.token().tenant_id


def _epoch(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
