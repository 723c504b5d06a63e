# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.run import Run
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.graph_info import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, run_of

USERS = [{"id": "1", "name": "b"}, {"id": "2", "name": "a"}]


def options(**given: Any) -> dict[str, Any]:
    defaults = {name: argument.get("default") for name, argument in RESOURCE.options.items()}
    return {**defaults, "path": "/users", **given}


def result_of(run: Run) -> tuple[Any, str]:
    state = RESOURCE.read(run)
    plan = RESOURCE.plan(run, state)
    assert plan.changes == ()
    return RESOURCE.result(run, plan, state)["result"], plan.done


def test_a_list_is_returned_whole() -> None:
    graph = FakeGraph({"/users": USERS})
    assert result_of(run_of(graph, options())) == (USERS, "Read 2 items.")
    assert graph.asked == [
        {
            "version": "v1.0",
            "parameters": {},
            "headers": {},
            "action": "read /users",
            "all_pages": True,
            "max_items": None,
        }
    ]


def test_an_object_is_returned_as_it_is() -> None:
    policy = {"id": "x", "values": [1]}
    assert result_of(run_of(FakeGraph({"/users": policy}), options())) == (policy, "Read one object.")


def test_everything_that_was_asked_reaches_the_client() -> None:
    graph = FakeGraph({"/users": []})
    asked = options(
        api_version="beta",
        parameters={"$count": True, "$top": 5},
        headers={"ConsistencyLevel": "eventual"},
        all_pages=False,
        max_items=3,
    )
    assert result_of(run_of(graph, asked)) == ([], "Read 0 items.")
    assert graph.asked == [
        {
            "version": "beta",
            "parameters": {"$count": "true", "$top": "5"},
            "headers": {"ConsistencyLevel": "eventual"},
            "action": "read /users",
            "all_pages": False,
            "max_items": 3,
        }
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [("[].name", ["b", "a"]), ("sort_by(@, &name)[0].id", "2"), ("length(@)", 2), ("[?name=='c']", []), ("x", None)],
)
def test_a_query_is_applied_to_the_list_of_items(query: str, found: Any) -> None:
    assert result_of(run_of(FakeGraph({"/users": USERS}), options(query=query)))[0] == found


def test_a_query_is_applied_to_an_object() -> None:
    assert result_of(run_of(FakeGraph({"/users": {"a": {"b": 5}}}), options(query="a.b")))[0] == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_items": 0},
        {"max_items": -1},
        {"query": "[?"},
        {"parameters": {"$select": ["id"]}},
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"X-Note": "a\nb"}},
        {"headers": {"X-Note": None}},
    ],
    ids=repr,
)
def test_bad_input_is_refused_before_anything_is_sent(wrong: dict[str, Any]) -> None:
    graph = FakeGraph({"/users": USERS})
    with pytest.raises(OptionError):
        RESOURCE.read(run_of(graph, options(**wrong)))
    assert graph.sent == []


def test_a_query_that_does_not_fit_the_answer_is_named() -> None:
    with pytest.raises(OptionError, match="query"):
        result_of(run_of(FakeGraph({"/users": {"a": 5}}), options(query="join(',', a)")))
