# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that is many requests: waves, answers, and what counts as written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import Progress, apply
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.plan import Bulk, Change, Plan, Request
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.batch import (
    NO_ANSWER,
    NOT_SENT,
    BatchRequest,
    BatchResponse,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    ConnectionFailed,
    GraphError,
    M365Error,
    MissingPermissions,
    NoAnswer,
    Throttled,
    Unavailable,
)
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, run_of

WRITE = "Policy.ReadWrite.AuthenticationMethod"
THROTTLED = Throttled(action="change it", status=429)
DOUBTFUL = Unavailable(action="change it", status=503)


@dataclass
class BatchGraph(FakeGraph):
    """Answers each item by its path, or raises."""

    answers: dict[str, M365Error] = field(default_factory=dict)
    raises: M365Error | None = None
    batches: list[tuple[str, list[str]]] = field(default_factory=list)

    def batch(
        self, requests: Sequence[BatchRequest], *, version: str, action: str, patient: bool
    ) -> list[BatchResponse]:
        assert patient
        assert action == "change them"
        self.batches.append((version, [request.path for request in requests]))
        if self.raises:
            raise self.raises
        return [BatchResponse(204, None, {}, self._error(request.path)) for request in requests]

    def _error(self, path: str) -> GraphError | None:
        error = self.answers.get(path)
        assert error is None or isinstance(error, GraphError)
        return error


@dataclass
class Told:
    """What the two hooks were told, in order."""

    order: list[Any] = field(default_factory=list)
    leaves_out: frozenset[str] = frozenset()
    stops: bool = False

    def prepare(self, ids: Sequence[str]) -> dict[str, BatchRequest]:
        self.order.append(("prepare", list(ids)))
        return {one: BatchRequest("PATCH", f"/users/{one}", body={}) for one in ids if one not in self.leaves_out}

    def finish(self, answers: Mapping[str, M365Error | None]) -> None:
        self.order.append(("finish", dict(answers)))
        if self.stops:
            raise M365Error("Stopped.")


def made(graph: BatchGraph, told: Told, waves: Sequence[Sequence[str]], *later: Change) -> Progress:
    request = Request(
        "PATCH",
        "/users/1/authentication/requirements",
        "change them",
        version="beta",
        bulk=Bulk(waves, told.prepare, told.finish),
    )
    plan = Plan([Change("all", {}, {}, request), *later])
    progress = Progress()
    progress.plan = plan
    try:
        apply(run_of(graph, {}), progress, plan)
    except M365Error as error:
        told.order.append(error)
    return progress


def test_one_wave_after_the_other() -> None:
    graph, told = BatchGraph(roles=frozenset({WRITE})), Told(leaves_out=frozenset("c"))
    assert made(graph, told, ["a", "bc"]).written == 2
    assert graph.batches == [("beta", ["/users/a"]), ("beta", ["/users/b"])]
    assert told.order == [
        ("prepare", ["a"]),
        ("finish", {"a": None}),
        ("prepare", ["b", "c"]),
        ("finish", {"b": None}),
    ]


def test_what_is_planned_after_the_waves_is_made_too() -> None:
    graph, told = BatchGraph(roles=frozenset({WRITE})), Told()
    later = Change("later", {}, {}, Request("PATCH", "/later", "change it", {"value": 1}))
    assert made(graph, told, ["a"], later).written == 2
    assert graph.writes == [("PATCH", "/later", {"value": 1})]


def test_a_wave_that_needs_nothing_sends_nothing() -> None:
    graph, told = BatchGraph(roles=frozenset({WRITE})), Told(leaves_out=frozenset("ab"))
    assert made(graph, told, ["a", "b"]).written == 0
    assert graph.batches == []
    assert told.order == [("prepare", ["a"]), ("prepare", ["b"])]


def test_what_was_refused_is_told_and_not_counted() -> None:
    graph, told = BatchGraph(roles=frozenset({WRITE})), Told()
    graph.answers = {"/users/a": THROTTLED, "/users/b": DOUBTFUL}
    assert made(graph, told, ["abc"]).written == 2
    assert told.order[-1] == ("finish", {"a": THROTTLED, "b": DOUBTFUL, "c": None})


@pytest.mark.parametrize(
    ("error", "written"),
    [
        (ConnectionFailed("Gone.", certain=False), 2),
        (ConnectionFailed("Gone.", certain=True), 0),
        (NoAnswer(action="change it", status=0, code=NO_ANSWER), 2),
        (NoAnswer(action="change it", status=0, code=NOT_SENT), 0),
        (THROTTLED, 0),
    ],
)
def test_a_wave_that_fails_as_a_whole_is_looked_at_and_ends_it(error: M365Error, written: int) -> None:
    graph, told = BatchGraph(roles=frozenset({WRITE}), raises=error), Told()
    assert made(graph, told, ["ab", "c"]).written == written
    assert told.order == [("prepare", ["a", "b"]), ("finish", {"a": error, "b": error}), error]


def test_what_stopped_a_wave_is_told_rather_than_what_came_of_it() -> None:
    error = ConnectionFailed("Gone.")
    graph, told = BatchGraph(roles=frozenset({WRITE}), raises=error), Told(stops=True)
    made(graph, told, ["a"])
    assert told.order[-1] is error


def test_a_hook_can_stop_it() -> None:
    graph, told = BatchGraph(roles=frozenset({WRITE})), Told(stops=True)
    assert made(graph, told, ["a", "b"]).written == 1
    assert len(graph.batches) == 1


def test_permissions_are_checked_before_the_first_wave() -> None:
    told = Told()
    made(BatchGraph(), told, ["a"])
    (error,) = told.order
    assert isinstance(error, MissingPermissions)
    assert WRITE in error.message
