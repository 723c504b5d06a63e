# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults in force: which of them strikes a request, counted and drawn for each tenant by itself."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from m365_simulator.clock import Clock, Pace
from m365_simulator.errors import SimulatorError
from m365_simulator.faults.held import Held
from m365_simulator.faults.late import Late, make_late
from m365_simulator.faults.past import Change
from m365_simulator.faults.plan import SLOW, Asked, Fault, Plan, read_fault
from m365_simulator.faults.throttling import Throttle


@dataclass
class _Count:
    rng: random.Random
    seen: int = 0
    struck: int = 0


class _Rule:
    """A fault with its counts. `seed` is its own, so that no other fault changes what it draws."""

    def __init__(self, fault: Fault, seed: str) -> None:
        self.fault, self._seed = fault, seed
        self._counts: dict[str, _Count] = {}

    def meets(self, asked: Asked) -> bool:
        """Count a request that matches, and say whether it is to be struck."""
        fault = self.fault
        if not fault.matches(asked):
            return False
        count = self.count(asked.tenant)
        count.seen += 1
        drawn = fault.probability is None or count.rng.random() < fault.probability
        return drawn and count.seen > fault.after and (fault.times is None or count.struck < fault.times)

    def count(self, tenant: str) -> _Count:
        if tenant not in self._counts:
            self._counts[tenant] = _Count(random.Random(f"{self._seed}/{tenant}"))
        return self._counts[tenant]

    def forget(self, tenant: str) -> None:
        self._counts.pop(tenant, None)

    def as_json(self) -> dict[str, Any]:
        struck = {tenant: count.struck for tenant, count in self._counts.items() if count.struck}
        return {**fault_as_json(self.fault), "struck": struck}


class _InForce:
    """A plan at work."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self.plan, self.pace = plan, Pace(clock, plan.time_scale)
        self.rules = [_Rule(fault, f"{plan.seed}/{n}") for n, fault in enumerate(plan.faults)]
        self.throttle = Throttle(plan.limits, plan.throttling, self.pace)


@dataclass(frozen=True)
class Struck:
    """What happens to a request: `delay` real seconds, then `fault`, if any. `name` tells the journal."""

    name: str | None = None
    delay: float = 0.0
    fault: Fault | None = None


NOTHING = Struck()


@dataclass
class _Pages:
    """Which page of its collection a link leads to, noted when the link is given."""

    numbers: dict[tuple[str, frozenset[tuple[str, str]]], int] = field(default_factory=dict)

    def number(self, path: str, query: str) -> int | None:
        if "skiptoken=" not in query.lower():
            return 1
        return self.numbers.get((path.lower(), frozenset(parse_qsl(query))))

    def note(self, path: str, link: str, number: int) -> None:
        self.numbers[(path.lower(), frozenset(parse_qsl(link.partition("?")[2])))] = number


class Faults:
    """One plan for all tenants, or for a tenant its own, and the faults that were added one by one, which are for all.

    Counts, draws, buckets and lagging reads are kept for each tenant by itself: what happens to one does not depend on
    what others do. `tenants` are the ids that may be named; they are set when the tenants are there.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tenants: Collection[str] = ()
        self._first = Plan()
        self.held = Held()
        self.clear()

    # What is in force

    def start(self, plan: Plan) -> None:
        """The plan that a reset brings back. Raises SimulatorError when it names an unknown tenant."""
        self._check_tenants(plan.faults)
        self._first = plan
        self.restart()

    def restart(self) -> None:
        self.clear()
        self._common = _InForce(self._first, self._clock)

    def clear(self, tenant: str | None = None) -> None:
        """No faults any more; with a tenant, not those of its own plan, and the common ones count from the start."""
        if tenant is not None:
            self._own.pop(tenant, None)
            self.forget(tenant)
            return
        self._common = _InForce(Plan(), self._clock)
        self._own: dict[str, _InForce] = {}
        self._added: list[_Rule] = []
        self._late: dict[str, list[Late]] = {}
        self._hidden: dict[str, int] = {}
        self._pages: dict[str, _Pages] = {}
        self.held.release()

    def forget(self, tenant: str) -> None:
        """Count from the start for a tenant whose state is new."""
        for rule in (*self._rules(tenant), *self._common.rules):
            rule.forget(tenant)
        self._in_force(tenant).throttle.forget(tenant)
        self._late.pop(tenant, None)
        self._hidden.pop(tenant, None)
        self._pages.pop(tenant, None)

    def load(self, plan: Plan, tenant: str | None = None) -> None:
        """Replace everything in force, or the plan of one tenant. Raises SimulatorError for an unknown tenant."""
        self._check_tenants(plan.faults)
        self.clear(tenant)
        if tenant is None:
            self._common = _InForce(plan, self._clock)
        else:
            self._own[tenant] = _InForce(plan, self._clock)

    def add(self, body: Mapping[str, Any], tenant: str | None = None) -> None:
        """One fault more. Raises SimulatorError when `body` describes none."""
        fault = read_fault({**body, **({} if tenant is None else {"tenant": tenant})}, "the fault")
        self._check_tenants((fault,))
        self._added.append(_Rule(fault, f"{self._common.plan.seed}/added/{len(self._added)}"))

    def as_json(self) -> list[dict[str, Any]]:
        """Every fault, with how often it struck each tenant."""
        shown = [rule.as_json() for rule in (*self._common.rules, *self._added)]
        for tenant, own in self._own.items():
            shown += [{**rule.as_json(), "tenant": tenant} for rule in own.rules]
        return shown

    def plan_as_json(self, tenant: str | None = None) -> dict[str, Any]:
        """The plan in force for a tenant, or for those that have none of their own, with the faults added."""
        force = self._common if tenant is None else self._in_force(tenant)
        rules = [*force.rules, *self._added]
        return {
            "seed": force.plan.seed,
            "time_scale": force.plan.time_scale,
            "throttling": force.plan.throttling,
            "limits": dict(force.plan.limits),
            "faults": [rule.as_json() for rule in rules],
        }

    def _check_tenants(self, faults: Collection[Fault]) -> None:
        for fault in faults:
            if fault.tenant is not None and fault.tenant not in self.tenants:
                raise SimulatorError(f"There is no tenant {fault.tenant}, which a fault names.")

    # What strikes

    @property
    def idle(self) -> bool:
        """Whether nothing at all is in force, so that a request need not ask."""
        return not (self._added or self._own or self._common.rules or self._common.throttle.on)

    def take(self, asked: Asked, stage: str) -> Struck:
        """What strikes this request now. Every fault counts every request that matches it; delays add up, and of the
        other faults the first one wins."""
        winner: _Rule | None = None
        delay, names = 0.0, []
        for rule in self._rules(asked.tenant):
            if rule.fault.stage != stage or not rule.meets(asked):
                continue
            if rule.fault.kind == SLOW:
                delay += rule.fault.seconds or 0.0
            elif winner is None:
                winner = rule
            else:
                continue
            rule.count(asked.tenant).struck += 1
            names.append(rule.fault.name)
        if not names:
            return NOTHING
        return Struck("; ".join(names), self.pace(asked.tenant).real(delay), winner.fault if winner else None)

    def pace(self, tenant: str) -> Pace:
        return self._in_force(tenant).pace

    def throttle(self, tenant: str) -> Throttle:
        return self._in_force(tenant).throttle

    def _rules(self, tenant: str) -> Iterator[_Rule]:
        yield from self._in_force(tenant).rules
        yield from self._added

    def _in_force(self, tenant: str) -> _InForce:
        return self._own.get(tenant, self._common)

    # Pages

    def page(self, tenant: str, path: str, query: str) -> int | None:
        """The number of the page that a request asks for; None when it is not known."""
        return self._pages.setdefault(tenant, _Pages()).number(path, query)

    def note_link(self, tenant: str, path: str, query: str, link: str) -> None:
        """A page was given, with the link to the next one."""
        if any(rule.fault.page is not None for rule in self._rules(tenant)):
            number = self.page(tenant, path, query)
            if number is not None:
                self._pages[tenant].note(path, link, number + 1)

    # Writes that are not seen yet

    def hide(self, tenant: str, fault: Fault, changes: list[Change]) -> None:
        """A write that `fault` struck has been made."""
        self._hidden[tenant] = number = self._hidden.get(tenant, 0) + 1
        force = self._in_force(tenant)
        rng = random.Random(f"{force.plan.seed}/share/{tenant}/{number}")
        self._late.setdefault(tenant, []).append(make_late(fault, changes, force.pace, rng))

    def late(self, tenant: str) -> list[Late]:
        """The writes of a tenant that are not seen everywhere yet, in their order."""
        waiting = [late for late in self._late.get(tenant, ()) if not late.over()]
        if waiting:
            self._late[tenant] = waiting
        else:
            self._late.pop(tenant, None)
        return waiting


def fault_as_json(fault: Fault) -> dict[str, Any]:
    """As it may be posted again, without what was left at its default; `times` is always told."""
    shown: dict[str, Any] = {"name": fault.name, "kind": fault.kind, "path": fault.path.pattern}
    if fault.methods is not None:
        shown["method"] = list(fault.methods)
    for name in ("probability", "page", "tenant", "retry_after", "seconds", "reads"):
        if getattr(fault, name) is not None:
            shown[name] = getattr(fault, name)
    if fault.status:
        shown["status"], shown["body"] = fault.status, fault.body
    if fault.where:
        shown["where"], shown["share"] = list(fault.where), fault.share
    elif fault.kind != "truncated" and fault.stage != "before":
        shown["when"] = fault.stage
    return {**shown, "times": fault.times, "after": fault.after}
