# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watch of each tenant: what its people had at the start of the run, and what each write made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import func, true

from m365_simulator.clock import Clock
from m365_simulator.directory_roles import GLOBAL_ADMINISTRATOR
from m365_simulator.graph.router import Call, Route
from m365_simulator.journal import Entry
from m365_simulator.state import OBJECTS, Store, TenantStore
from m365_simulator.tenants import Tenant
from m365_simulator.watch.findings import MOST_USERS, Finding, Findings
from m365_simulator.watch.touched import EVERYONE, NOBODY, Touched, can_write, people_behind, touched_users

ADMINISTRATOR, MFA, WAY_IN, CHECK_MODE = "administrator_can_sign_in", "mfa_protection", "way_in", "check_mode"
RULES = (ADMINISTRATOR, MFA, WAY_IN, CHECK_MODE)

MFA_ANSWERS = ("never", "unknown", "when_necessary", "always")
"""From the weakest; the last two protect."""
WAYS_IN = ("no", "unknown", "yes")
PROTECTS = MFA_ANSWERS.index("when_necessary")
UNPROTECTED, WEAKER, LOCKED_OUT, UNCERTAIN = 1, 2, 4, 8
NAMES_SHOWN = 3
FEW = 100


class Protection(Protocol):
    """How well a user is protected, in MFA_ANSWERS and WAYS_IN."""

    @property
    def mfa(self) -> str:
        """The weakest MFA that any sign-in meets."""

    @property
    def modern_mfa(self) -> str:
        """The same without legacy protocols."""

    @property
    def way_in(self) -> str:
        """Whether there is any."""


Look = Callable[[Sequence[str] | None], Iterator[tuple[str, Protection]]]
"""Of some users by id, or of all: each with how well protected they are. To be used before the next write."""
Judge = Callable[[TenantStore, Tenant, float, bool], Look]
"""A look at the state of a tenant now, in seconds since the epoch. True when nothing but users has changed since the
last look at this tenant."""


@dataclass(slots=True)
class Run:
    """What the watch knows of one tenant since the start of its run.

    `start` holds for each user what _pack makes of a Protection, from before the first write that could
    change them: what nothing has touched is as it was at the start. `wrong` holds what is now worse, for those few.
    """

    check_mode: bool = False
    emergency_accounts: tuple[str, ...] = ()
    start: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    administrators: frozenset[str] | None = None  # Global Administrators, also by a group
    best_way_in: int = 0
    emergency_seen: bool = False
    nobody_left: bool = False
    only_people_changed: bool = False  # since the last look
    violations: Findings = field(default_factory=Findings)
    weaker: Findings = field(default_factory=Findings)


@dataclass(frozen=True, slots=True)
class Write:
    """One write that is being made, and whose sign-in it can change."""

    tenant: Tenant
    template: str
    touched: Touched


class Watch:
    """Of all tenants, by id. Nothing is evaluated before the first write, and then only whom it can change."""

    def __init__(self, store: Store, tenants: Mapping[str, Tenant], clock: Clock, judge: Judge) -> None:
        self._store, self._tenants, self._clock, self.judge = store, tenants, clock, judge
        self._runs: dict[str, Run] = {}

    def start(self, tenant: Tenant, *, check_mode: bool = False, emergency_accounts: Iterable[str] = ()) -> None:
        """A run begins: the tenant as it is now is what later states are held against. What was found is forgotten.
        `emergency_accounts` are ids or principal names; they need not exist yet."""
        self._runs[tenant.id] = Run(check_mode, tuple(emergency_accounts))

    def rebase(self, tenant: Tenant) -> None:
        """Something other than a write changed what sign-in answers: later states are held against the present one.
        What was found stays."""
        old = self._run(tenant)
        self._runs[tenant.id] = Run(
            old.check_mode, old.emergency_accounts, violations=old.violations, weaker=old.weaker
        )

    def arrived(self, entry: Entry) -> None:
        """A request was answered, or refused: in a run in check mode none may ask for a change. One whose token says
        no tenant counts when all of them are in check mode."""
        if not can_write(entry.method, entry.path):
            return
        tenants = [tenant for tenant in self._tenants.values() if entry.tenant in (None, tenant.id)]
        if not all(self._run(tenant).check_mode for tenant in tenants):
            return
        outcome = "was accepted" if entry.wrote else "was refused"
        for tenant in tenants[:1]:
            sentence = f"{_request(entry)} in check mode {outcome}."
            self._run(tenant).violations.add(Finding(CHECK_MODE, entry.tenant, (), 0, sentence, entry))

    def before(self, call: Call, route: Route) -> Write | None:
        """To be called before a request is handled; None when it reads."""
        if not route.writes:
            return None
        write = Write(call.tenant, route.template, touched_users(call, route.method, route.template))
        run, store = self._run(call.tenant), self._store_of(call.tenant)
        look: Look | None = None
        if run.administrators is None:
            look = self._look(call.tenant, run)
            run.administrators = _administrators(store)
            run.best_way_in = _best_way_in(store, look, run.administrators)
            run.emergency_seen = _emergency_account_works(store, look, run)
        there = store.ids("user") if write.touched is EVERYONE else sorted(write.touched)
        new = [user for user in there if user not in run.start]
        if new:
            look = look or self._look(call.tenant, run)
            run.start.update((user, _pack(protection)) for user, protection in look(new))
        return write

    def after(self, write: Write, entry: Entry) -> None:
        """To be called when the write was accepted and is part of the state."""
        run, store = self._run(write.tenant), self._store_of(write.tenant)
        run.only_people_changed = run.only_people_changed and _is_of_users(write)
        if write.touched == NOBODY:
            return
        look = self._look(write.tenant, run)
        _check_people(write, entry, run, store, look)
        if _touches_administrators(write, run):
            _check_administrators(write, entry, run, store, look)

    def found(self, tenant: Tenant | None = None) -> dict[str, Any]:
        """`violations`, and in `weaker` what became worse without breaking a rule; of one tenant, or of all."""
        runs = [self._run(one) for one in ([tenant] if tenant else self._tenants.values())]
        return {
            "violations": [finding.as_json() for run in runs for finding in run.violations.kept],
            "weaker": [finding.as_json() for run in runs for finding in run.weaker.kept],
            "left_off": {
                "violations": sum(run.violations.left_off for run in runs),
                "weaker": sum(run.weaker.left_off for run in runs),
            },
        }

    def _run(self, tenant: Tenant) -> Run:
        return self._runs.setdefault(tenant.id, Run())

    def _store_of(self, tenant: Tenant) -> TenantStore:
        return self._store.tenant(tenant.number)

    def _look(self, tenant: Tenant, run: Run) -> Look:
        look = self.judge(self._store_of(tenant), tenant, self._clock.now(), run.only_people_changed)
        run.only_people_changed = True
        return look


def _check_people(write: Write, entry: Entry, run: Run, store: TenantStore, look: Look) -> None:
    """Accounts that are disabled or deleted have nothing to lose; one that is enabled again is held to its start."""
    now: dict[str, int] = {}
    before: dict[str, int] = {}
    for user, protection in look(None if write.touched is EVERYONE else sorted(write.touched)):
        wrong = _compare(run.start[user], _pack(protection)) if user in run.start else 0
        if wrong:
            now[user] = wrong
        if user in run.wrong:
            before[user] = run.wrong.pop(user)
    worse: dict[int, list[str]] = {UNPROTECTED: [], LOCKED_OUT: [], WEAKER: [], UNCERTAIN: []}
    for user in _enabled(store, frozenset(now)):
        run.wrong[user] = now[user]
        for flag, users in worse.items():
            if now[user] & ~before.get(user, 0) & flag:
                users.append(user)
    for flag, users in worse.items():
        if users:
            rule, is_violation, words = MEANING[flag]
            sentence = f"After {_request(entry)} {words}: {_names(store, users)}."
            finding = Finding(rule, write.tenant.id, tuple(users[:MOST_USERS]), len(users), sentence, entry)
            (run.violations if is_violation else run.weaker).add(finding)


MEANING: dict[int, tuple[str, bool, str]] = {
    UNPROTECTED: (MFA, True, "people are without the MFA that protected them at the start of the run"),
    LOCKED_OUT: (WAY_IN, True, "people have lost their only way in"),
    WEAKER: (MFA, False, "people are asked for MFA when necessary only, and no longer always"),
    UNCERTAIN: (WAY_IN, False, "people may have lost their only way in"),
}
"""Its rule, whether it is a violation, and the words for it."""


def _compare(start: int, now: int) -> int:
    """What is worse now. Sign-ins by modern clients count by themselves too: where a legacy protocol lets people in
    without MFA all along, they can still lose what protects their other sign-ins."""
    *then_asked, way_then = _unpack(start)
    *now_asked, way_now = _unpack(now)
    wrong = 0
    for mfa_then, mfa_now in zip(then_asked, now_asked, strict=True):
        if mfa_then >= PROTECTS > mfa_now:
            wrong |= UNPROTECTED
        elif mfa_then > mfa_now >= PROTECTS:
            wrong |= WEAKER
    if way_then == WAYS_IN.index("yes") != way_now:
        wrong |= LOCKED_OUT if WAYS_IN[way_now] == "no" else UNCERTAIN
    return wrong


def _pack(found: Protection) -> int:
    """MFA_ANSWERS twice and WAYS_IN in one small number: 100,000 users are kept."""
    asked = MFA_ANSWERS.index(found.mfa) * len(MFA_ANSWERS) + MFA_ANSWERS.index(found.modern_mfa)
    return asked * len(WAYS_IN) + WAYS_IN.index(found.way_in)


def _unpack(packed: int) -> tuple[int, int, int]:
    asked, way_in = divmod(packed, len(WAYS_IN))
    return (*divmod(asked, len(MFA_ANSWERS)), way_in)


def _touches_administrators(write: Write, run: Run) -> bool:
    """A write to a user makes nobody an administrator; every other may."""
    if write.touched is EVERYONE or not _is_of_users(write):
        return True
    return bool(write.touched & (run.administrators or frozenset()))


def _is_of_users(write: Write) -> bool:
    return write.template.startswith("/users/") or write.template == "/users"


def _check_administrators(write: Write, entry: Entry, run: Run, store: TenantStore, look: Look) -> None:
    run.administrators = _administrators(store)
    works = _emergency_account_works(store, look, run)
    run.emergency_seen = run.emergency_seen or works
    if run.emergency_seen:
        nobody_left, words = not works, "no emergency account can sign in any more"
    else:
        nobody_left = _best_way_in(store, look, run.administrators) < run.best_way_in
        words = "no Global Administrator can sign in any more"
    if nobody_left and not run.nobody_left:
        sentence = f"After {_request(entry)} {words}."
        run.violations.add(Finding(ADMINISTRATOR, write.tenant.id, (), 0, sentence, entry))
    run.nobody_left = nobody_left


def _administrators(store: TenantStore) -> frozenset[str]:
    """The users who are Global Administrators of the whole tenant, by themselves or by a group."""
    found: set[str] = set()
    for assignment in store.documents("roleAssignment"):
        if assignment["roleDefinitionId"] == GLOBAL_ADMINISTRATOR and assignment["directoryScopeId"] == "/":
            found |= people_behind(store, assignment["principalId"])
    return frozenset(found)


def _best_way_in(store: TenantStore, look: Look, administrators: frozenset[str]) -> int:
    """The best that one of them has, as an index of WAYS_IN; no more are looked at than it takes."""
    best = 0
    for _user, protection in look(_enabled(store, administrators)):
        best = max(best, WAYS_IN.index(protection.way_in))
        if best == WAYS_IN.index("yes"):
            break
    return best


def _emergency_account_works(store: TenantStore, look: Look, run: Run) -> bool:
    named = (store.read("user", name) or store.read_by_name("user", name) for name in run.emergency_accounts)
    accounts = frozenset(row.id for row in named if row is not None) & (run.administrators or frozenset())
    return _best_way_in(store, look, accounts) == WAYS_IN.index("yes")


def _enabled(store: TenantStore, users: frozenset[str]) -> list[str]:
    """Those of them that exist and are not disabled, in the order of creation."""
    if not users:
        return []
    enabled = func.json_extract(OBJECTS.c.document, "$.accountEnabled").is_(true())
    if len(users) <= FEW:
        return store.ids("user", enabled, OBJECTS.c.id.in_(users))
    return [user for user in store.ids("user", enabled) if user in users]


def _names(store: TenantStore, users: list[str]) -> str:
    """`anna@contoso.com, bob@contoso.com, carl@contoso.com and 12 more`."""
    rows = [store.read("user", user) for user in users[:NAMES_SHOWN]]
    names = ", ".join(str(row.document["userPrincipalName"]) for row in rows if row is not None)
    return f"{names} and {len(users) - NAMES_SHOWN} more" if len(users) > NAMES_SHOWN else names


def _request(entry: Entry) -> str:
    return f"{entry.method} /{entry.version}{entry.path}"
