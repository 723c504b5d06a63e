# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sign-in sessions of many users as one resource (private to the collection).

Source: Graph reference, "user: revokeSignInSessions" (POST answers 200).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .._engine.engine import Poll
from .._engine.plan import NO_ID, Bulk, Change, Plan, Request
from .._engine.properties import StateUnknown
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.batch import BatchRequest, Read, is_doubtful
from .._graph.errors import GraphError, M365Error, NoAnswer, NotFound, OptionError, Throttled, Unauthorized
from .._graph.query import path_segment
from .._options import WAIT_OPTIONS
from .._policy.emergency_access_activity import stamp
from .._policy.facts import UnexpectedShape, optional_text, text
from .._policy.sign_in_sessions import USER_PROPERTIES, VALID_FROM, is_external, is_revoked, whole_seconds
from .many_users import (
    FEW,
    MOST_LISTED,
    PAGE_SIZE,
    Pace,
    SomeFailed,
    cut_into_waves,
    meant_users,
    refuse_bad_selection,
    refuse_small_numbers,
    refuse_too_many,
    users_in_words,
)

REVOKED = "revoked"
SELECT = ",".join(USER_PROPERTIES)
# Clocks differ by seconds, people are wrong by hours.
SOON = 300


class SignInSessions(Resource):
    name = "sign_in_sessions"
    options = {
        "state": {"type": "str", "choices": [REVOKED], "default": REVOKED},
        "revoked_since": {"type": "str", "required": True},
        "users": {"type": "list", "elements": "str", "default": []},
        "groups": {"type": "list", "elements": "str", "default": []},
        "all": {"type": "bool", "default": False},
        "exclude_users": {"type": "list", "elements": "str", "default": []},
        "exclude_groups": {"type": "list", "elements": "str", "default": []},
        "canary": {"type": "int", "default": 0},
        "wave_size": {"type": "int"},
        "max_changes": {"type": "int"},
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> State:
        """The users who are meant. After the writes it is what was read first: each wave was read again."""
        state: State | None = run.kept.get("state")
        if state is None:
            refuse_bad_selection(run.options, "sessions it is about")
            refuse_small_numbers(run.options, {"canary": 0, "wave_size": 1, "max_changes": 0})
            state = run.kept["state"] = _read(run, _since(run.options["revoked_since"]))
            _refuse_the_future(run, state.since)
        return state

    def reached(self, run: Run, plan: Plan, state: State) -> bool:
        """Each wave was read again when it was written; what went wrong in one comes out here, after all of them."""
        waves: Waves = run.kept["waves"]
        if waves.failures:
            waves.fail(f"The sessions of {users_in_words(len(waves.failures))} could not be revoked, all others were.")
        return True

    def plan(self, run: Run, state: State) -> Plan:
        refuse_too_many(run.options, len(state.chosen))
        size = run.options["wave_size"]
        now = state.chosen[:size] if size else state.chosen
        if not now:
            return Plan(done="Nobody's sign-in sessions have to be revoked.")
        remaining = len(state.chosen) - len(now)
        verb = "remains" if remaining == 1 else "remain"
        aside = f" {users_in_words(remaining)} {verb} for the next wave." if remaining else ""
        return Plan(
            changes=[_change(run, now, state.since)],
            planned=f"The sign-in sessions of {users_in_words(len(now))} would be revoked.{aside}",
            done=f"The sign-in sessions of {users_in_words(len(now))} were revoked.{aside}",
        )

    def result(self, run: Run, plan: Plan, state: State) -> dict[str, Any]:
        waves: Waves | None = run.kept.get("waves")
        planned = len(plan.changes[0].after or {}) if plan.changes else 0
        return {
            "sign_in_sessions": {
                "revoked_since": stamp(state.since),
                "selected": state.selected,
                "as_wanted": state.as_wanted,
                "changed": len(waves.changed) if waves and not run.check_mode else planned,
                "remaining": len(state.chosen) - planned,
                "external": state.external[:MOST_LISTED],
                "external_left_off": max(0, len(state.external) - MOST_LISTED),
                "gone": waves.gone if waves else [],
            }
        }


@dataclass(frozen=True)
class Chosen:
    """A user whose sessions are to be revoked. ``valid_from`` is as Graph writes it; None where it never was set."""

    id: str
    name: str
    valid_from: str | None


@dataclass
class State:
    """Who is meant: how many, of how many the sessions are revoked, of whom not, and who signs in elsewhere.

    ``meant`` None is everybody.
    """

    since: datetime
    meant: Collection[str] | None
    excluded: Collection[str]
    selected: int = 0
    as_wanted: int = 0
    chosen: list[Chosen] = field(default_factory=list)
    external: list[str] = field(default_factory=list)

    def add(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Take one page. Raises UnexpectedShape."""
        for item in items:
            identity = text(item, "id").lower()
            if identity in self.excluded or (self.meant is not None and identity not in self.meant):
                continue
            self.selected += 1
            name = text(item, "userPrincipalName")
            try:
                if is_external(item):
                    self.external.append(name)
                elif is_revoked(item, self.since):
                    self.as_wanted += 1
                else:
                    self.chosen.append(Chosen(text(item, "id"), name, optional_text(item, VALID_FROM)))
            except UnexpectedShape as error:
                raise UnexpectedShape(f"{error} ({name})") from None


# What was asked


def _since(written: str) -> datetime:
    try:
        return whole_seconds(written)
    except ValueError:
        raise OptionError(f"revoked_since is no date and time like 2026-11-23T08:00:00Z: '{written}'.") from None


def _refuse_the_future(run: Run, since: datetime) -> None:
    """Raises OptionError: Graph could never show that sessions were revoked then. Its answers have told its clock."""
    if since.timestamp() > run.client.now() + SOON:
        raise OptionError(f"revoked_since is in the future: {stamp(since)}. Nothing was changed.")


# Reading


def _read(run: Run, since: datetime) -> State:
    options, client = run.options, run.client
    try:
        excluded = meant_users(client, options["exclude_users"], options["exclude_groups"])
        meant = None if options["all"] else meant_users(client, options["users"], options["groups"]) - excluded
        state = State(since, meant, excluded)
        if meant is not None and len(meant) <= FEW:
            for _unused, answer in _read_users(run, sorted(meant)):
                if not isinstance(answer, GraphError):
                    state.add([answer])
                elif not isinstance(answer, NotFound):
                    raise answer
        else:
            for page in client.pages(
                "/users", parameters={"$select": SELECT, "$top": PAGE_SIZE}, action="list the users"
            ):
                state.add(page)
    except UnexpectedShape as error:
        raise StateUnknown(f"Graph's answer for the users has an unexpected shape: {error}.") from None
    return state


def _read_users(run: Run, identities: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Users by id, or the GraphError that says why not; 20 in one request."""
    reads = [
        Read(f"/users/{path_segment(identity)}", parameters={"$select": SELECT}, action="read a user")
        for identity in identities
    ]
    yield from zip(identities, run.client.read_many(reads) if reads else [], strict=True)


# Revoking


def _path(identity: str) -> str:
    return f"/users/{path_segment(identity)}/revokeSignInSessions"


def _change(run: Run, chosen: Sequence[Chosen], since: datetime) -> Change:
    canary = min(run.options["canary"], len(chosen))
    waves = run.kept["waves"] = Waves(
        run, {one.id: one for one in chosen}, since, Pace(run.client.policy), canary=canary > 0
    )
    return Change(
        title=f"sign-in sessions of {users_in_words(len(chosen))}",
        before={one.name: f"valid from {one.valid_from}" if one.valid_from else "valid" for one in chosen},
        after={one.name: REVOKED for one in chosen},
        request=Request(
            method="POST",
            path=_path(NO_ID),
            action="revoke the sign-in sessions of a user",
            bulk=Bulk(cut_into_waves([one.id for one in chosen], canary), waves.prepare, waves.finish),
        ),
    )


@dataclass
class Waves:
    """Revokes in waves. After each, every answer is looked at and every user read again. All ids are Graph's."""

    run: Run
    chosen: Mapping[str, Chosen]
    since: datetime
    pace: Pace
    canary: bool
    changed: set[str] = field(default_factory=set)
    gone: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def prepare(self, ids: Sequence[str]) -> dict[str, BatchRequest]:
        # What is revoked before that moment would never count as revoked since then.
        ahead = self.since.timestamp() - self.run.client.now()
        if ahead > 0:
            self.run.client.policy.pause(ahead)
        self.pace.wait_for(len(ids))
        return {identity: BatchRequest("POST", _path(identity), creates=False) for identity in ids}

    def finish(self, answers: Mapping[str, M365Error | None]) -> None:
        """Raises SomeFailed where going on makes no sense."""
        self.pace.note(len(answers))
        shown, unread = self._until_shown(
            [identity for identity, error in answers.items() if error is None or is_doubtful(error)]
        )
        self.changed |= shown
        for identity, error in answers.items():
            name = self.chosen[identity].name
            if identity in shown or name in self.gone:
                continue
            if isinstance(error, NotFound):
                self.gone.append(name)
            else:
                accepted = unread.get(identity, "Graph accepted it, but does not show it.")
                self.failures[name] = error.message if error else accepted
        self._stop_where_it_makes_no_sense(answers, shown)

    def _until_shown(self, identities: Collection[str]) -> tuple[set[str], dict[str, str]]:
        """Ids of those of whom Graph shows it, read until all are or the time is up; and why others were not read."""
        poll = Poll(self.run)
        shown: set[str] = set()
        unread: dict[str, str] = {}
        waiting = set(identities)
        while waiting:
            unread = {}
            for identity, user in _read_users(self.run, sorted(waiting)):
                if isinstance(user, NotFound):
                    self.gone.append(self.chosen[identity].name)
                    waiting.discard(identity)
                elif isinstance(user, GraphError):
                    unread[identity] = user.message
                else:
                    try:
                        if is_revoked(user, self.since):
                            shown.add(identity)
                            waiting.discard(identity)
                    except UnexpectedShape as error:
                        unread[identity] = f"Graph's answer for the user has an unexpected shape: {error}."
            if waiting and not poll.wait():
                break
        return shown, unread

    def _stop_where_it_makes_no_sense(self, answers: Mapping[str, M365Error | None], shown: Collection[str]) -> None:
        failed = any(self.chosen[identity].name in self.failures for identity in answers)
        systemic = any(isinstance(error, (Throttled, Unauthorized, NoAnswer)) for error in answers.values())
        first, self.canary = self.canary, False
        if failed and (first or systemic or not shown):
            self.fail("Stopped after the canary." if first else "Stopped: Graph does not revoke the sessions.")

    def fail(self, lead: str) -> None:
        remaining = len(self.chosen) - len(self.changed) - len(self.gone)
        raise SomeFailed(lead, self.failures, len(self.changed), remaining)


RESOURCE = SignInSessions()
