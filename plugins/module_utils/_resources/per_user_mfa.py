# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The per-user MFA state of many users as one resource (private to the collection).

Nobody loses per-user MFA who is not demonstrably covered by something else, and every state is in the ledger before it
is changed. Source: Graph reference (beta), "Update authentication method states" (PATCH answers 204).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from .._engine.plan import NO_ID, Bulk, Change, Plan, Request
from .._engine.properties import StateUnknown
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.batch import Read
from .._graph.errors import GraphError, NotFound, OptionError
from .._graph.query import path_segment
from .._options import WAIT_OPTIONS
from .._policy import tenants
from .._policy.coverage import (
    COVERED,
    SECURITY_DEFAULTS,
    UNKNOWN,
    WEAKER,
    WHEN_NECESSARY,
    Defences,
    Verdict,
    kinds_of_guest,
    verdict,
)
from .._policy.facts import UnexpectedShape, text
from .._policy.per_user_mfa import DISABLED, PROPERTY, STATES, USER_PROPERTIES, converged
from .._policy.per_user_mfa_ledger import Entry
from .cover import Expected, read_tenant_cover
from .ledger import Ledger
from .many_users import (
    FEW,
    MOST_LISTED,
    MOST_NAMED,
    SELECTING,
    cut_into_waves,
    meant_users,
    refuse_bad_selection,
    refuse_small_numbers,
    refuse_too_many,
    users_in_words,
)
from .people import GUEST_PROPERTIES, People, read_people, read_people_again
from .per_user_mfa_ledger import LedgerContent, read_ledger, stamp_of
from .per_user_mfa_reading import raise_what_concerns_all, read_everybody, read_states, requirements_path
from .per_user_mfa_waves import FAIL, SKIP, Skipped, Waves, Wish, note_what_is_gone
from .registration import read_registration

CAME_MEANWHILE = (
    "Covered only by something that came meanwhile, which may not be in force everywhere yet: run this again."
)


class PerUserMfa(Resource):
    name = "per_user_mfa"
    options = {
        "state": {"type": "str", "choices": list(STATES)},
        "restore_from": {"type": "path"},
        "users": {"type": "list", "elements": "str", "default": []},
        "groups": {"type": "list", "elements": "str", "default": []},
        "all": {"type": "bool", "default": False},
        "current_states": {"type": "list", "elements": "str", "choices": list(STATES), "default": list(STATES)},
        "exclude_users": {"type": "list", "elements": "str", "default": []},
        "exclude_groups": {"type": "list", "elements": "str", "default": []},
        "require_cover": {"type": "bool", "default": True},
        "uncovered": {"type": "str", "choices": [SKIP, FAIL], "default": SKIP},
        "accept_trusted_locations": {"type": "bool", "default": False},
        "weaker_cover_for": {"type": "list", "elements": "str", "default": []},
        "cover_expected": {
            "type": "dict",
            "options": {
                "security_defaults": {"type": "bool"},
                "excluded_users": {"type": "list", "elements": "str", "default": []},
            },
        },
        "report_registration": {"type": "bool", "default": False},
        "settle_time": {"type": "int", "default": 900},
        "ledger": {"type": "path"},
        "canary": {"type": "int", "default": 0},
        "wave_size": {"type": "int"},
        "max_changes": {"type": "int"},
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> State:
        """The users who are meant and their states. After the writes it is what the waves saw."""
        state: State | None = run.kept.get("state")
        if state is None:
            _refuse_bad_options(run)
            state = run.kept["state"] = _read(run)
        return state

    def reached(self, run: Run, plan: Plan, state: State) -> bool:
        """Each wave was read again when it was written; what went wrong in one comes out here, after all of them."""
        waves: Waves = run.kept["waves"]
        if waves.failures:
            waves.fail(f"{users_in_words(len(waves.failures))} could not be changed, all others were.")
        return True

    def plan(self, run: Run, state: State) -> Plan:
        decided = run.kept["decided"] = _decide(run, state)
        refuse_too_many(run.options, len(decided.wishes))
        size = run.options["wave_size"]
        now = decided.wishes[:size] if size else decided.wishes
        if not now:
            return Plan(done=_nothing_to_do(decided))
        return Plan(
            changes=[_change(run, now, decided, {one.id: one for one in state.chosen})],
            planned=f"Per-user MFA would be changed for {users_in_words(len(now))}.{_aside(decided, len(now))}",
            done=_done(decided, len(now)),
        )

    def result(self, run: Run, plan: Plan, state: State) -> dict[str, Any]:
        decided: Decided = run.kept["decided"]
        waves: Waves | None = run.kept.get("waves")
        planned = len(plan.changes[0].after or {}) if plan.changes else 0
        left = list(waves.left.values()) if waves else []
        if left:
            decided.skipped += left
            decided.wishes = [wish for wish in decided.wishes if waves and wish.id not in waves.left]
        return {
            **({"msg": _done(decided, planned)} if left else {}),
            "per_user_mfa": {
                "state": run.options["state"],
                "selected": state.selected,
                "as_wanted": state.as_wanted,
                "changed": len(waves.changed) if waves and not run.check_mode else planned,
                "remaining": len(decided.wishes) - planned,
                "skipped": [one.as_result() for one in decided.skipped[:MOST_LISTED]],
                "skipped_left_off": max(0, len(decided.skipped) - MOST_LISTED),
                "gone": waves.gone if waves else [],
                "cover": [
                    {"by": key[0], "policy": key[1] or None, "asks": key[2], "users": count}
                    for key, count in sorted(decided.covers.items())
                ],
                "gaps": {name: list(found) for name, found in sorted(decided.gaps.items())},
                "registration": decided.registration,
                "notes": decided.notes,
                "ledger": str(_ledger(run.options).path),
                "since": _since(run) or None,
            },
        }


@dataclass(frozen=True)
class Chosen:
    """A user whose state is not as wanted, and no more than that: there may be many."""

    id: str
    name: str
    state: str
    to: str
    guest: bool
    kinds: frozenset[str] | None

    @classmethod
    def of(cls, item: Mapping[str, Any], to: str) -> Chosen:
        """A user of Graph. Raises UnexpectedShape."""
        return cls(
            text(item, "id"),
            text(item, "userPrincipalName"),
            text(item, PROPERTY),
            to,
            item.get("userType") == "Guest",
            kinds_of_guest(item),
        )


@dataclass
class State:
    """Who is meant: how many, how many are as wanted, who is not, and of whom it is not known."""

    selected: int = 0
    as_wanted: int = 0
    chosen: list[Chosen] = field(default_factory=list)
    unknown: list[Skipped] = field(default_factory=list)


@dataclass
class Decided:
    """Who is changed, in order, and who is not and why. ``covers`` counts users by (by, policy, asks)."""

    wishes: list[Wish] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    covers: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    gaps: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    defences: Defences | None = None
    registration: Mapping[str, Any] | None = None


# What was asked


def _refuse_bad_options(run: Run) -> None:
    """Raises OptionError for what cannot be, before anything is sent."""
    options = run.options
    if options["cover_expected"] and not run.check_mode:
        raise OptionError("cover_expected is for a dry run only. In a run, only what is there covers anybody.")
    selecting = [name for name in SELECTING if options[name]]
    if options["restore_from"]:
        if options["state"] or selecting:
            raise OptionError("restore_from says what to put back for whom; give neither 'state' nor users with it.")
    elif not options["state"]:
        raise OptionError("Give 'state', or 'restore_from'.")
    else:
        refuse_bad_selection(options, "state it is about")
        if not options["ledger"]:
            raise OptionError("Give 'ledger', the file that keeps the states of before.")
    refuse_small_numbers(options, {"canary": 0, "settle_time": 0, "wave_size": 1, "max_changes": 0})
    _ledger(options).check()


def _ledger_option(options: Mapping[str, Any]) -> str:
    return "restore_from" if options["restore_from"] else "ledger"


def _ledger(options: Mapping[str, Any]) -> Ledger:
    option = _ledger_option(options)
    return Ledger(option, options[option])


# Reading


def _read(run: Run) -> State:
    try:
        if run.options["restore_from"]:
            return _read_restored(run)
        return _read_selected(run)
    except UnexpectedShape as error:
        raise StateUnknown(f"Graph's answer for the users has an unexpected shape: {error}.") from None


def _read_restored(run: Run) -> State:
    """The users of the ledger who are still as the last run left them."""
    content = _content(run)
    if not content.begun:
        raise OptionError(f"restore_from: '{run.options['restore_from']}' does not exist or is empty.")
    return _sort_restored(content.entries, _read_users(run, list(content.entries)))


def _content(run: Run) -> LedgerContent:
    """What the ledger said at the beginning. Raises OptionError for one that is no good."""
    content: LedgerContent | None = run.kept.get("ledger")
    if content is None:
        content = run.kept["ledger"] = read_ledger(run, _ledger_option(run.options), _ledger(run.options))
    return content


def _since(run: Run) -> str:
    """Since when per-user MFA is being taken away: anew, where a run would turn security defaults on again."""
    content, expected = _content(run), run.options["cover_expected"] or {}
    anew = expected.get("security_defaults") and SECURITY_DEFAULTS in content.cover_seen
    return stamp_of(run) if anew else content.since


def _sort_restored(entries: Mapping[str, Entry], found: Mapping[str, Mapping[str, Any] | None]) -> State:
    state = State(selected=len(entries))
    for identity, entry in sorted(entries.items(), key=lambda item: item[1].name):
        item = found[identity]
        if item is None:
            state.unknown.append(Skipped(identity, entry.name, "unknown", "gone", "The user is gone."))
            continue
        current = item[PROPERTY]
        if current is None:
            state.unknown.append(_unread(identity, entry.name))
        elif current == entry.before:
            state.as_wanted += 1
        elif converged(entry.left, current):
            state.chosen.append(Chosen.of(item, entry.before))
        else:
            reason = f"Somebody changed the state since; it was left {entry.left}."
            state.unknown.append(Skipped(identity, entry.name, current, "changed_since", reason))
    return state


def _unread(identity: str, name: str) -> Skipped:
    return Skipped(identity, name, "unknown", "unknown", "The state of per-user MFA could not be read.")


def _read_selected(run: Run) -> State:
    """The users who were asked for, but for those who were excluded."""
    options = run.options
    _content(run)  # no good ledger, no reading
    excluded = meant_users(run.client, options["exclude_users"], options["exclude_groups"])
    if options["all"]:
        selection = _everybody(run, None, excluded)
    else:
        meant = meant_users(run.client, options["users"], options["groups"]) - excluded
        if len(meant) <= FEW:
            selection = Selection(options["state"], options["current_states"], meant, excluded)
            found = _read_users(run, sorted(meant))
            selection.add([item for item in found.values() if item is not None])
        else:
            selection = _everybody(run, meant, excluded)
    return selection.state


class Selection:
    """Takes pages of users and keeps those who are meant and not as wanted. ``meant`` None is everybody."""

    def __init__(
        self, wanted: str, states: Collection[str], meant: Collection[str] | None, excluded: Collection[str]
    ) -> None:
        self.state = State()
        self._wanted, self._states, self._meant, self._excluded = wanted, frozenset(states), meant, excluded

    def add(self, items: Sequence[Mapping[str, Any]]) -> None:
        for item in items:
            identity = text(item, "id").lower()
            if identity in self._excluded or (self._meant is not None and identity not in self._meant):
                continue
            name, current = text(item, "userPrincipalName"), item.get(PROPERTY)
            if current not in STATES:
                self.state.selected += 1
                self.state.unknown.append(_unread(text(item, "id"), name))
            elif current in self._states:
                self.state.selected += 1
                if converged(self._wanted, current):
                    self.state.as_wanted += 1
                else:
                    self.state.chosen.append(Chosen.of(item, self._wanted))


def _everybody(run: Run, meant: Collection[str] | None, excluded: Collection[str]) -> Selection:
    options = run.options
    selection, origin = read_everybody(
        run.client, lambda: Selection(options["state"], options["current_states"], meant, excluded), GUEST_PROPERTIES
    )
    if origin.doubt:
        raise StateUnknown(f"{origin.doubt} Nothing was changed.")
    if origin.reason:
        run.warn(f"{origin.reason} Everybody's state was read one by one instead.")
    return selection


def _read_users(run: Run, identities: Sequence[str]) -> dict[str, Mapping[str, Any] | None]:
    """Users by id, with PROPERTY as the documented way shows it; None for who is gone. Raises GraphError."""
    select = ",".join((*USER_PROPERTIES, *GUEST_PROPERTIES))
    reads = [
        Read(f"/users/{path_segment(identity)}", parameters={"$select": select}, action="read a user")
        for identity in identities
    ]
    users = run.client.read_many(reads) if reads else []
    states = read_states(run.client, identities)
    raise_what_concerns_all(states.values())
    found: dict[str, Mapping[str, Any] | None] = {}
    for identity, user in zip(identities, users, strict=True):
        state = states[identity]
        if isinstance(user, NotFound) or isinstance(state, NotFound):
            found[identity] = None
        elif isinstance(user, GraphError):
            raise user
        elif isinstance(user, dict):
            found[identity] = {**user, PROPERTY: state if isinstance(state, str) else None}
        else:
            raise UnexpectedShape("a user is no object")
    return found


# Deciding


def _decide(run: Run, state: State) -> Decided:
    """Who is changed: whoever loses per-user MFA only where something else demonstrably covers them."""
    decided = Decided(skipped=list(state.unknown))
    if state.chosen:
        trusting = run.options["accept_trusted_locations"]
        tenant = read_tenant_cover(run.client, trusted_locations=trusting, expected=_expected(run))
        wrong_kind = tenants.refusal(tenant.kind)
        if wrong_kind:
            raise OptionError(wrong_kind)
        if not run.check_mode:
            note_what_is_gone(run, _ledger(run.options), _content(run).cover_seen, tenant.defences)
        losing = [one for one in state.chosen if one.to == DISABLED]
        if losing and run.options["require_cover"]:
            decided.defences = tenant.defences
            decided.gaps = tenant.defences.gaps
            verdicts = _verdicts(run, tenant.defences, losing, decided)
        else:
            verdicts = {}
        uncovered = _uncovered(run, losing, verdicts) if verdicts else {}
        decided.skipped += uncovered.values()
        for one in state.chosen:
            if one.id not in uncovered:
                _take(run, one, verdicts.get(one.id), decided)
        if losing and not run.options["require_cover"]:
            decided.notes.append(
                f"Whether something else covers them was not looked at, for {users_in_words(len(losing))}."
            )
    _note_what_defaults_mean(decided)
    _refuse_uncovered(run, decided)
    if decided.wishes and run.options["report_registration"]:
        decided.registration = read_registration(run.client, {wish.id: wish.name for wish in decided.wishes})
    return decided


def _expected(run: Run) -> Expected:
    """What earlier steps of this dry run would change. Raises OptionError for a name that nobody has."""
    told = run.options["cover_expected"] or {}
    excluded = meant_users(run.client, told.get("excluded_users") or [], ())
    return Expected(told.get("security_defaults"), excluded)


def _verdicts(run: Run, defences: Defences, losing: Sequence[Chosen], decided: Decided) -> dict[str, Verdict]:
    people = run.kept["people"] = read_people(run.client, defences, [one.id for one in losing])
    decided.notes.extend(people.reasons)
    return _judged(people, defences, losing)


def _judged(people: People, defences: Defences, chosen: Collection[Chosen]) -> dict[str, Verdict]:
    return {one.id: verdict(people.person(one.id, guest=one.guest, kinds=one.kinds), defences) for one in chosen}


def _uncovered(run: Run, chosen: Collection[Chosen], verdicts: Mapping[str, Verdict]) -> dict[str, Skipped]:
    """By id those whom nothing covers, by these verdicts, or not well enough."""
    found = {}
    for one in chosen:
        its = verdicts[one.id]
        if its.state != COVERED and not (its.state == WEAKER and one.id.lower() in _weaker_cover_for(run)):
            found[one.id] = Skipped(one.id, one.name, one.state, its.state, its.reason)
    return found


def _judge_again(
    run: Run, chosen: Mapping[str, Chosen], now: Defences, settled: Defences, ids: Collection[str]
) -> dict[str, Skipped]:
    """The same of a wave, right before it, with memberships and roles as they are now, and by what has settled."""
    wave = [chosen[identity] for identity in ids]
    people = read_people_again(run.client, now, ids, run.kept["people"])
    notes = run.kept["decided"].notes
    notes.extend(reason for reason in people.reasons[:1] if reason not in notes)
    uncovered = _uncovered(run, wave, _judged(people, now, wave))
    unsettled = _uncovered(run, wave, _judged(people, settled, wave))
    return {
        identity: uncovered.get(identity) or replace(one, verdict=UNKNOWN, reason=CAME_MEANWHILE)
        for identity, one in unsettled.items()
    }


def _take(run: Run, one: Chosen, found: Verdict | None, decided: Decided) -> None:
    """Put a user among those who are changed."""
    cover = found.cover if found else None
    expected = frozenset(run.options["current_states"]) if run.options["state"] else frozenset({one.state})
    expected = frozenset(state for state in expected if not converged(one.to, state))
    decided.wishes.append(Wish(one.id, one.name, one.state, one.to, expected, cover))
    if cover:
        decided.covers[(cover.by, cover.name, cover.asks)] += 1


def _weaker_cover_for(run: Run) -> frozenset[str]:
    """Ids of the users who were named for it. Raises OptionError for a name that nobody has."""
    if "weaker_cover_for" not in run.kept:
        run.kept["weaker_cover_for"] = meant_users(run.client, run.options["weaker_cover_for"], ())
    found: frozenset[str] = run.kept["weaker_cover_for"]
    return found


def _note_what_defaults_mean(decided: Decided) -> None:
    count = sum(number for (_by, _name, asks), number in decided.covers.items() if asks == WHEN_NECESSARY)
    if count:
        decided.notes.append(
            f"Security defaults ask {users_in_words(count)} for MFA only when Entra finds it necessary, which is less "
            "often than per-user MFA does. Microsoft recommends them all the same."
        )


def _refuse_uncovered(run: Run, decided: Decided) -> None:
    if run.options["uncovered"] == FAIL and decided.skipped:
        named = " ".join(f"{one.name}: {one.reason}" for one in decided.skipped[:MOST_NAMED])
        more = len(decided.skipped) - MOST_NAMED
        raise OptionError(
            f"{users_in_words(len(decided.skipped))} would be skipped, and nobody may be. Nothing was changed. {named}"
            + (f" And {more} more." if more > 0 else "")
        )


# Planning


def _change(run: Run, wishes: Sequence[Wish], decided: Decided, chosen: Mapping[str, Chosen]) -> Change:
    covering = [] if decided.defences is None else decided.defences.policies
    used = {wish.cover.name for wish in wishes if wish.cover}
    canary = min(run.options["canary"], len(wishes))
    before = {wish.name: wish.before for wish in wishes}
    after = {wish.name: wish.to for wish in wishes}
    waves = run.kept["waves"] = Waves(
        run,
        {wish.id: wish for wish in wishes},
        _ledger(run.options),
        [policy for policy in covering if policy.name in used],
        partial(_judge_again, run, chosen),
        shown=(before, after),
        restores=bool(run.options["restore_from"]),
        canary=canary > 0,
    )
    return Change(
        title=f"per-user MFA of {users_in_words(len(wishes))}",
        before=before,
        after=after,
        request=Request(
            method="PATCH",
            path=requirements_path(NO_ID),
            version="beta",
            action="change the per-user MFA state of a user",
            bulk=Bulk(cut_into_waves([wish.id for wish in wishes], canary), waves.prepare, waves.finish),
        ),
    )


def _done(decided: Decided, count: int) -> str:
    return f"Per-user MFA was changed for {users_in_words(count)}.{_aside(decided, count)}"


def _nothing_to_do(decided: Decided) -> str:
    return f"Nobody's per-user MFA has to be changed.{_aside(decided, 0)}"


def _aside(decided: Decided, now: int) -> str:
    remaining = len(decided.wishes) - now
    sentences = []
    if remaining:
        sentences.append(f" {users_in_words(remaining)} {'remains' if remaining == 1 else 'remain'} for the next wave.")
    if decided.skipped:
        left = "was left as it is" if len(decided.skipped) == 1 else "were left as they are"
        sentences.append(f" {users_in_words(len(decided.skipped))} {left}, for the reasons given.")
    return "".join(sentences)


RESOURCE = PerUserMfa()
