# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes that reads do not see yet.

Source: Microsoft Graph documentation, "List users" (a note on replication delay); reported by users of live tools:
reads after a create may be 404 for seconds, lists may lack the object, reads after a change may be an old 200, and an
application has no guarantee to read what it wrote.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from m365_simulator.clock import Pace
from m365_simulator.faults.past import Change, Past
from m365_simulator.faults.plan import LATE_VISIBILITY, LIST, OBJECT, WRITE, Fault
from m365_simulator.graph.errors import GraphError
from m365_simulator.graph.router import GraphRequest, GraphResponse, split_path

Outcome = GraphResponse | GraphError
Run = Callable[[], GraphResponse]

SHORTEST_NAME = 4
"""Names shorter than this are too common to tell that a request is about the object."""


@dataclass
class Late:
    """One write. It is over after `until` (simulated seconds of `pace`), or when `reads` have shown the old state.

    `names` are the ids and names of what it created: only writes that mention one of them are refused. None: any write
    may be.
    """

    fault: Fault
    changes: list[Change]
    pace: Pace
    rng: random.Random
    until: float | None
    reads: int | None
    names: frozenset[str] | None

    def over(self) -> bool:
        if self.until is not None:
            return self.pace.now() >= self.until
        return not self.reads

    def shows(self, where: str) -> bool:
        """Whether the old state is seen there this time."""
        if where not in self.fault.where:
            return False
        return self.fault.share >= 1 or self.rng.random() < self.fault.share

    def seen(self) -> None:
        if self.reads:
            self.reads -= 1

    def concerns(self, request: GraphRequest) -> bool:
        if self.names is None:
            return True
        text = unquote(request.path).lower() + "\n" + (request.body or b"").decode("utf-8", "replace").lower()
        return any(name in text for name in self.names)


def make_late(fault: Fault, changes: list[Change], pace: Pace, rng: random.Random) -> Late:
    names: set[str] = set()
    for change in changes:
        if change.before is None and change.after is not None:
            named = (str(change.after.get(key, "")).lower() for key in ("id", "name"))
            names.update(name for name in named if len(name) >= SHORTEST_NAME)
    return Late(
        fault=fault,
        changes=changes,
        pace=pace,
        rng=rng,
        until=None if fault.seconds is None else pace.now() + fault.seconds,
        reads=fault.reads,
        names=frozenset(names) if fault.kind == LATE_VISIBILITY else None,
    )


def read_late(past: Past, waiting: Iterable[Late], run: Run) -> tuple[Outcome, list[Late]]:
    """The answer to a read, and the writes that it does not show. Only answers that differ from the present one are
    of the past, and only they count."""
    now = _outcome(run)
    place = LIST if _is_list(now) else OBJECT
    lagging = [late for late in waiting if late.shows(place)]
    if not lagging:
        return now, []
    then = _outcome_before(past, lagging, run)
    if _same(now, then):
        return now, []
    hidden = lagging
    if len(lagging) > 1:
        hidden = [late for late in lagging if not _same(now, _outcome_before(past, [late], run))] or lagging
    for late in hidden:
        late.seen()
    return then, hidden


def refusal_of_write(
    past: Past, waiting: Iterable[Late], request: GraphRequest, run: Run, status: str
) -> tuple[GraphError, list[Late]] | None:
    """Why a write is refused that only the past would not allow; None when it may go on. `status` is that of an object
    which the body names and which is not there yet; in the path it is 404."""
    lagging = [late for late in waiting if late.concerns(request) and late.shows(WRITE)]
    if not lagging:
        return None
    then = _outcome_before(past, lagging, run)
    if not isinstance(then, GraphError) or isinstance(_outcome_before(past, (), run), GraphError):
        # What the present refuses is refused by the present.
        return None
    for late in lagging:
        late.seen()
    segments = {segment.lower() for segment in split_path(request.path)}
    named_in_path = any(late.names and not segments.isdisjoint(late.names) for late in lagging)
    if then.status == 404 and not named_in_path and status == "400":
        then = GraphError(400, "Request_BadRequest", then.message)
    return then, lagging


def _outcome(run: Run) -> Outcome:
    try:
        return run()
    except GraphError as error:
        return error


def _outcome_before(past: Past, lagging: Iterable[Late], run: Run) -> Outcome:
    with past.restored([change for late in lagging for change in late.changes]):
        return _outcome(run)


def _is_list(outcome: Outcome) -> bool:
    if isinstance(outcome, GraphError):
        return False
    body = outcome.body
    return isinstance(body, int) or (isinstance(body, dict) and isinstance(body.get("value"), list))


def _same(one: Outcome, other: Outcome) -> bool:
    if isinstance(one, GraphError) or isinstance(other, GraphError):
        return (
            isinstance(one, GraphError)
            and isinstance(other, GraphError)
            and (one.status, one.code, one.message) == (other.status, other.code, other.message)
        )
    return (one.status, one.body) == (other.status, other.body)
