# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a resource is to the engine (private to the collection).

A resource reads the tenant, plans changes as a pure comparison, and says what the result looks like. It writes
nothing: the engine makes the changes of the plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .._graph.permissions import Need, needs_of
from .compare import restrict
from .plan import Change, Plan, Request
from .properties import Properties, arguments, current_values, differing, shown, wanted_values
from .run import Run


class Resource:
    """Base of all resources. ``name`` is the module's name, ``options`` its own part of the argument spec.

    ``secret_results`` names the results that are secrets themselves, by dotted path: usable as variables, never shown.
    A result that holds one is hidden as a whole; one that holds none is not.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    secret_results: ClassVar[Sequence[str]] = ()

    def read(self, run: Run) -> Any:
        """The current state, complete, or an M365Error."""
        raise NotImplementedError

    def plan(self, run: Run, state: Any) -> Plan:
        """The changes that lead from the state to what was asked. A resource that only reads plans nothing."""
        return Plan()

    def reached(self, run: Run, plan: Plan, state: Any) -> bool:
        """Whether a state read after the changes shows them all."""
        return not self.plan(run, state).changes

    def result(self, run: Run, plan: Plan, state: Any) -> dict[str, Any]:
        """The resource under its noun. In check mode ``state`` is the one before the changes."""
        raise NotImplementedError


@dataclass(frozen=True)
class PropertyTable:
    """A single object of Graph, managed by a table: where it is, what it is called, and its rows.

    ``unmanaged`` names the other properties of Microsoft's type, each with the reason why there is no row for it.
    """

    title: str
    path: str
    rows: Properties
    version: str = "v1.0"
    body: Mapping[str, Any] = field(default_factory=dict)
    unmanaged: Mapping[str, str] = field(default_factory=dict)

    def arguments(self) -> dict[str, dict[str, Any]]:
        return arguments(self.rows)

    def read(self, run: Run) -> dict[str, Any]:
        answer = run.client.get(self.path, version=self.version, action=f"read {self.title}")
        return current_values(self.rows, answer, self.path)

    def change(self, run: Run, current: Mapping[str, Any], present: Mapping[str, Any] | None = None) -> Change | None:
        """One PATCH with the differing keys, or None. ``present`` is what Graph answered, for what is sent whole."""
        wanted = wanted_values(self.rows, run.options)
        rows = differing(self.rows, wanted, current)
        if not rows:
            return None
        before = {name: restrict(current.get(name), value) for name, value in wanted.items()}
        after = {**before, **{name: row.announced(wanted[name]) for name, row in rows.items()}}
        kept = present or {}
        return Change(
            title=self.title,
            before=shown(self.rows, before),
            after=after,
            request=Request(
                method="PATCH",
                path=self.path,
                version=self.version,
                action=f"change {self.title}",
                body={
                    **self.body,
                    **{row.graph: row.write(wanted[name], kept.get(row.graph)) for name, row in rows.items()},
                },
            ),
        )


def needs(request: Request) -> list[Need]:
    """The permissions that a request is known to need: declared with it, or from Microsoft's table."""
    if request.permissions:
        return [Need(what=request.action, all_of=request.permissions)]
    known = needs_of(request.method, request.version, request.path)
    return [known] if known else []
