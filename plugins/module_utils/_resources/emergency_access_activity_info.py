# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who used emergency accounts, and who changed them (private to the collection).

The logs are asked by object id, one question for each account: filters of that form are the ones that the Graph
reference names and that live tools use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from .._engine.plan import Plan
from .._engine.properties import StateUnknown
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.batch import Read
from .._graph.client import GraphClient
from .._graph.errors import GraphError, LicenceMissing, NotFound, OptionError
from .._graph.query import is_guid, path_segment, quote_string
from .._policy import emergency_access_activity as activity
from .._policy.emergency_access_activity import Account, Log, Self
from .._policy.emergency_access_facts import initial_domain
from .._policy.emergency_accounts import domain_refusal, local_part_of, name_refusal, was_called
from .._policy.facts import UnexpectedShape, text
from .._policy.security_defaults import counted
from .facts import DOMAINS

USER_SELECT = "id,userPrincipalName"
DEFAULT_WINDOW = timedelta(hours=24)
DELETED_USERS = Read(
    "/directory/deletedItems/microsoft.graph.user",
    parameters={"$select": USER_SELECT, "$top": "999"},
    collection=True,
    action="list the deleted users",
)
ANY_KIND = "signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')"


@dataclass(frozen=True)
class Window:
    """``start`` lies before ``since``, for entries that came late to the log."""

    since: datetime
    start: datetime
    until: datetime
    now: datetime

    def condition(self, name: str) -> str:
        until = f" and {name} le {activity.stamp(self.until)}" if self.until != self.now else ""
        return f"{name} ge {activity.stamp(self.start)}{until}"


@dataclass(frozen=True)
class State:
    window: Window
    accounts: Sequence[Account]
    sign_ins: Log
    non_interactive: Log
    changes: Log
    news: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @property
    def logs(self) -> tuple[Log, ...]:
        return self.sign_ins, self.non_interactive, self.changes


class EmergencyAccessActivityInfo(Resource):
    name = "emergency_access_activity_info"
    options = {
        "accounts": {"type": "list", "elements": "str", "required": True},
        "since": {"type": "str"},
        "until": {"type": "str"},
        "overlap_hours": {"type": "int", "default": 0},
        "reported": {"type": "list", "elements": "str", "default": []},
        "expected_initiators": {"type": "list", "elements": "str", "default": []},
    }

    def read(self, run: Run) -> State:
        window = window_of(run.options, datetime.now(timezone.utc))
        names = checked_names(run.options["accounts"])
        try:
            accounts = find_accounts(run.client, names)
            return look(run, window, accounts)
        except UnexpectedShape as error:
            raise StateUnknown(f"Graph's answers have an unexpected shape: {error}.") from None

    def plan(self, run: Run, state: State) -> Plan:
        return Plan(done=sentence(state))

    def result(self, run: Run, plan: Plan, state: State) -> dict[str, Any]:
        return {
            "emergency_access_activity": {
                "since": activity.stamp(state.window.start),
                "until": activity.stamp(state.window.until),
                "seen": activity.seen(state.news, state.accounts, *state.logs),
                "news": list(state.news),
                "accounts": [account.as_result() for account in state.accounts],
                "sign_ins": state.sign_ins.as_result(),
                "non_interactive_sign_ins": state.non_interactive.as_result(),
                "directory_changes": state.changes.as_result(),
                "entries": sorted({entry["id"] for log in state.logs for entry in log.entries or ()}),
            }
        }


# What was asked


def window_of(options: Mapping[str, Any], now: datetime) -> Window:
    """Raises OptionError."""
    until = _moment(options, "until") or now
    since = _moment(options, "since") or until - DEFAULT_WINDOW
    if options["overlap_hours"] < 0:
        raise OptionError(f"overlap_hours must not be negative, but is {options['overlap_hours']}.")
    if since >= until:
        raise OptionError(f"since ({activity.stamp(since)}) must lie before until ({activity.stamp(until)}).")
    try:
        start = since - timedelta(hours=options["overlap_hours"])
    except OverflowError:
        raise OptionError(f"overlap_hours is too large: {options['overlap_hours']}.") from None
    return Window(since, start, until, now)


def _moment(options: Mapping[str, Any], name: str) -> datetime | None:
    written = options.get(name)
    if not written:
        return None
    try:
        return activity.moment(written)
    except (ValueError, OverflowError):
        raise OptionError(f"{name} must be a date and time like 2026-11-23T09:00:00Z, but is '{written}'.") from None


def checked_names(names: Sequence[str]) -> list[str]:
    """Raises OptionError for what cannot be the name or id of an account."""
    if not names:
        raise OptionError("accounts must name at least one account.")
    for name in names:
        refusal = None if is_guid(name) else name_refusal(name)
        if refusal:
            raise OptionError(f"accounts: {refusal}")
    return list(dict.fromkeys(names))


# Who is meant


def find_accounts(client: GraphClient, names: Sequence[str]) -> list[Account]:
    """Each object once. One that was deleted has its id still. Raises OptionError, GraphError, UnexpectedShape."""
    domain = _initial_domain(client) if any("@" not in name and not is_guid(name) for name in names) else ""
    whole = [_whole_name(name, domain) for name in names]
    reads = [
        Read(f"/users/{path_segment(name)}", parameters={"$select": USER_SELECT}, action=f"read the user {name}")
        for name in whole
    ]
    found = [_account(*one) for one in zip(names, whole, client.read_many(reads), strict=True)]
    if any(account.found == activity.MISSING for account in found):
        deleted = _deleted_users(client)
        found = [_deleted(account, deleted) for account in found]
    by_id: dict[str, Account] = {}
    for account in found:
        key = account.id or account.name.lower()
        if key not in by_id or by_id[key].found == activity.BY_ID:
            by_id[key] = account
    return list(by_id.values())


def _initial_domain(client: GraphClient) -> str:
    answer: Any = client.read_many([DOMAINS])[0]
    if isinstance(answer, GraphError):
        raise answer
    return initial_domain(answer).name


def _whole_name(name: str, domain: str) -> str:
    if is_guid(name) or "@" in name:
        return name
    refusal = domain_refusal(name, domain)
    if refusal:
        raise OptionError(f"accounts: {refusal}")
    return f"{local_part_of(name)}@{domain}"


def _account(asked: str, name: str, answer: Any) -> Account:
    if isinstance(answer, NotFound):
        # The logs know an id whether there is an object or not.
        return Account(asked, name.lower() if is_guid(name) else None, name, activity.MISSING)
    if isinstance(answer, GraphError):
        raise answer
    found = activity.BY_ID if is_guid(asked) else activity.PRESENT
    return Account(asked, text(answer, "id").lower(), text(answer, "userPrincipalName"), found)


def _deleted_users(client: GraphClient) -> list[Mapping[str, Any]]:
    answer: Any = client.read_many([DELETED_USERS])[0]
    if isinstance(answer, GraphError):
        raise answer
    found: list[Mapping[str, Any]] = answer
    return found


def _deleted(account: Account, users: Iterable[Mapping[str, Any]]) -> Account:
    if account.found != activity.MISSING:
        return account
    for user in users:
        identity = text(user, "id").lower()
        if identity == account.id or was_called(user, account.name):
            name = account.name
            if is_guid(name):
                name = text(user, "userPrincipalName").removeprefix(identity.replace("-", ""))
            return Account(account.asked, identity, name, activity.DELETED)
    return account


# What the logs tell


def look(run: Run, window: Window, accounts: Sequence[Account]) -> State:
    by_id = {account.id: account for account in accounts if account.id}
    reads = {
        "plain": [_sign_ins(one, window) for one in by_id.values()],
        "detailed": [_sign_ins(one, window, beta=True) for one in by_id.values()],
        "changed": [read for one in by_id.values() for read in _changes(one, window)],
    }
    answers = run.client.read_many([read for group in reads.values() for read in group]) if by_id else []
    found: dict[str, list[Any]] = {}
    for name, group in reads.items():
        found[name], answers = answers[: len(group)], answers[len(group) :]
    token = run.client.token()
    own = Self(client_id=token.client_id, object_id=str(token.claims.get("oid") or "").lower())
    reported = frozenset(run.options["reported"])
    expected = frozenset(name.lower() for name in run.options["expected_initiators"])
    plain, detailed = found["plain"], found["detailed"]
    more = [] if _refusals(detailed) else _entries(detailed)
    licensed = not _refusals(plain)
    # Both logs of sign-ins need the same licence: a tenant that shows a part of them has it.
    excused = all(isinstance(answer, GraphError) for answer in (*plain, *detailed))

    def as_sign_ins(entries: Any) -> list[dict[str, Any]]:
        return [activity.sign_in(entry, by_id, reported) for entry in entries]

    sign_ins = _log(
        plain,
        window,
        licensed,
        lambda it: as_sign_ins(filter(activity.is_interactive, activity.merged(it, more))),
        excused=excused,
    )
    non_interactive = _log(
        detailed,
        window,
        licensed,
        lambda it: as_sign_ins(one for one in it if not activity.is_interactive(one)),
        excused=excused,
    )
    changes = _log(
        found["changed"],
        window,
        licensed,
        lambda it: [activity.change(entry, by_id, reported, expected, own) for entry in activity.merged(it, ())],
        excused=False,
    )
    news = activity.news(sign_ins, non_interactive, changes)
    return State(window, accounts, sign_ins, non_interactive, changes, news)


def _sign_ins(account: Account, window: Window, *, beta: bool = False) -> Read:
    condition = f"userId eq '{account.id}' and {window.condition('createdDateTime')}"
    return Read(
        "/auditLogs/signIns",
        version="beta" if beta else "v1.0",
        parameters={"$filter": f"{condition} and {ANY_KIND}" if beta else condition},
        collection=True,
        action=f"read the sign-in log of {account.name}",
    )


def _changes(account: Account, window: Window) -> list[Read]:
    """The changes of an account, and those that it made."""
    when = window.condition("activityDateTime")
    identity = quote_string(account.id or "")
    return [
        Read(
            "/auditLogs/directoryAudits",
            parameters={"$filter": f"{when} and {condition}"},
            collection=True,
            action=f"read the audit log of {account.name}",
        )
        for condition in (f"targetResources/any(t: t/id eq {identity})", f"initiatedBy/user/id eq {identity}")
    ]


def _refusals(answers: Iterable[Any]) -> list[GraphError]:
    return [answer for answer in answers if isinstance(answer, GraphError)]


def _entries(answers: Iterable[Any]) -> list[Mapping[str, Any]]:
    return [entry for answer in answers for entry in answer]


def _log(
    answers: Sequence[Any],
    window: Window,
    licensed: bool,
    make: Callable[[list[Mapping[str, Any]]], list[dict[str, Any]]],
    *,
    excused: bool,
) -> Log:
    """One refusal is enough: a part of a log is not the log. One that is not for a licence goes first."""
    refusals = sorted(_refusals(answers), key=lambda error: isinstance(error, LicenceMissing))
    if refusals:
        first = refusals[0]
        return activity.refused(first.message, for_licence=isinstance(first, LicenceMissing), excused=excused)
    entries = activity.newest_last(make(_entries(answers)))
    gap = activity.beyond_retention(window.since, window.now, licensed)
    return Log(entries, gap, activity.RETENTION if gap else None)


# Saying


def sentence(state: State) -> str:
    missing = [account.name for account in state.accounts if account.found == activity.MISSING]
    parts = [f"{name} does not exist." for name in missing]
    parts += [f"{account.name} was deleted." for account in state.accounts if account.found == activity.DELETED]
    if state.news:
        parts.append(
            f"{counted(len(state.news), 'thing', 'things')} happened since {activity.stamp(state.window.start)}."
        )
    else:
        parts.append(f"Nothing is known to have happened since {activity.stamp(state.window.start)}.")
    unread = {log.reason: name for log, name in zip(state.logs, NAMES, strict=True) if log.reason}
    parts += [f"{name} is unknown: {reason}" for reason, name in unread.items()]
    return " ".join(parts)


NAMES = ("Who signed in", "Who signed in non-interactively", "Who changed something")

RESOURCE = EmergencyAccessActivityInfo()
