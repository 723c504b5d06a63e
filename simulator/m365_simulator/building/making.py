# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all that make a part of a tenant share: where it goes, out of which scenario, and the ids given so far."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from m365_simulator.clock import days_before
from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.errors import SimulatorError
from m365_simulator.objects import role_assignment
from m365_simulator.population import UserRow
from m365_simulator.role_terms import (
    ACTIVATED,
    ACTIVE,
    ASSIGNED,
    ELIGIBLE,
    eligibility_of,
    name_of,
    term,
)
from m365_simulator.state import TenantStore
from m365_simulator.tenants import Tenant

MOST_SIGNERS = 60
REFERENCES = ("user:", "group:", "role:", "location:")


def tenant_random(seed: int, number: int, purpose: str) -> random.Random:
    """A source of its own per purpose, so that one part of a scenario does not change the ids of another."""
    return random.Random(f"{seed}/{number}/{purpose}")


def scenario_random(scenario: Mapping[str, Any], seed: int, number: int, purpose: str) -> random.Random:
    """The same, but from the scenario's own seed where it has one: its tenant is the same wherever it stands."""
    own = scenario.get("seed")
    return tenant_random(seed, number, purpose) if own is None else tenant_random(own, 0, purpose)


class Making:
    """A tenant that is being made. `ids` has the id of `user:NAME`, `group:NAME`, `role:NAME` and `location:NAME`."""

    def __init__(
        self,
        store: TenantStore,
        tenant: Tenant,
        scenario: Mapping[str, Any],
        repeat: int,
        seed: int,
        now: float,
        users: int | None,
    ) -> None:
        self.store, self.tenant, self.scenario = store, tenant, scenario
        self.repeat, self.seed, self.now, self.users = repeat, seed, now, users
        self.about: Mapping[str, Any] = scenario.get("tenant", {})
        self.age_days = float(self.about.get("age_days", 365))
        self.created = days_before(now, self.age_days)
        self.ids: dict[str, str] = {f"role:{name}": template for name, (template, _unused) in BUILT_IN_ROLES.items()}

        self._objects: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = []
        self._departments_in_groups = {
            department for group in scenario.get("groups", []) for department in group.get("departments", [])
        }
        self.departments: defaultdict[str, list[str]] = defaultdict(list)
        self.signers: list[UserRow] = []
        self.legacy_signers: list[UserRow] = []

    def add(
        self, kind: str, id: str, document: dict[str, Any], *, name: str = "", private: dict[str, Any] | None = None
    ) -> None:
        """An object that `finish` stores: one insert of many costs much less than many."""
        self._objects.append((kind, id, name, document, private or {}))

    def finish(self) -> None:
        self.store.insert_all(self._objects)

    def note_user(self, row: UserRow) -> None:
        """Remember the members of departments, some users for the sign-in log, and some with legacy protocols."""
        department = row.document.get("department", "")
        if department in self._departments_in_groups:
            self.departments[department].append(row.id)
        if len(self.signers) < MOST_SIGNERS and row.document["accountEnabled"]:
            self.signers.append(row)
        if len(self.legacy_signers) < MOST_SIGNERS and "legacyProtocols" in row.private:
            self.legacy_signers.append(row)

    def random(self, purpose: str) -> random.Random:
        return scenario_random(self.scenario, self.seed, self.tenant.number, purpose)

    def numbered(self, name: str) -> str:
        return numbered(name, self.repeat)

    def restrict(self, members: Collection[str]) -> None:
        """Show on users and groups that a restricted management unit has them."""
        for kind, id, _name, document, _private in self._objects:
            if kind == "group" and id in members:
                document["isManagementRestricted"] = True
        for member in members:
            row = self.store.read("user", member)
            if row is not None:
                self.store.update("user", row.id, document={**row.document, "isManagementRestricted": True})

    def assign(self, role: str, principal: str) -> None:
        """Actively and for ever."""
        assignment = role_assignment(role, principal)
        self.add(ACTIVE, assignment["id"], assignment)

    def assign_until(self, role: str, principal: str, days: float, *, activated: bool) -> None:
        """Actively, for so many days more; `activated`: by somebody who was eligible for it, a moment ago."""
        assignment, end = role_assignment(role, principal), days_before(self.now, -days)
        kind = ACTIVATED if activated else ASSIGNED
        start = days_before(self.now, 0) if activated else self.created
        private = term(start, start=start, end=end, kind=kind)
        self.add(ACTIVE, assignment["id"], assignment, name=name_of(private), private=private)

    def make_eligible(self, role: str, principal: str) -> None:
        """For ever."""
        eligibility = eligibility_of(role_assignment(role, principal))
        self.add(ELIGIBLE, eligibility["id"], eligibility, private=term(self.created, start=self.created))

    def resolve(self, reference: str) -> str:
        if reference.startswith(REFERENCES):
            if reference not in self.ids:
                raise SimulatorError(f"The scenario {self.tenant.scenario} refers to an unknown {reference!r}.")
            return self.ids[reference]
        return reference

    def resolve_all(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.resolve_all(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.resolve_all(inner) for inner in value]
        return self.resolve(value) if isinstance(value, str) else value


def numbered(name: str, repeat: int) -> str:
    """`fabrikam.com` for the first tenant of a scenario, then `fabrikam2.com` and so on."""
    if repeat == 0:
        return name
    label, dot, rest = name.partition(".")
    return f"{label}{repeat + 1}{dot}{rest}"
