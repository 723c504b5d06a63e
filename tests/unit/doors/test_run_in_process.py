# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._door import argument_spec, masked
from ansible_collections.zerotrust.m365.plugins.module_utils._engine import engine
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.plan import Change, Plan, Request
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import Resource
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.run import Run
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import graph_request, login
from ansible_collections.zerotrust.m365.plugins.plugin_utils import _action
from ansible_collections.zerotrust.m365.plugins.plugin_utils._action import run_in_process
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, answered
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values

SECRET = "hunter-2"
MASK = "********"


class Thing(Resource):
    """Whatever a test wants it to be."""

    name = "thing"
    options = {
        "name": {"type": "str"},
        "count": {"type": "int", "default": 3},
        "password": {"type": "str", "no_log": True},
    }

    def __init__(self, act: Callable[[Run], Any] = lambda _run: {}) -> None:
        self.act = act

    def read(self, run: Run) -> Any:
        return answered(self.act(run))

    def plan(self, run: Run, state: Any) -> Plan:
        return state if isinstance(state, Plan) else Plan(done="Done.")

    def result(self, run: Run, plan: Plan, state: Any) -> dict[str, Any]:
        return state if isinstance(state, dict) else {}


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> FakeGraph:
    graph = FakeGraph()
    monkeypatch.setattr(engine, "connect", lambda _options, **_keywords: graph)
    return graph


def thing(act: Callable[[Run], Any], check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    return run_in_process(Thing(act), arguments, "zerotrust.m365.thing", check_mode)


def test_options_arrive_checked_converted_and_with_defaults(graph: FakeGraph) -> None:
    result = thing(lambda run: {"options": dict(run.options)}, name=5)
    options = result["options"]
    assert (options["name"], options["count"], options["max_retries"]) == ("5", 3, 6)
    assert result["invocation"]["module_args"] == options


@pytest.mark.parametrize("check_mode", [True, False])
def test_check_mode_arrives(check_mode: bool, graph: FakeGraph) -> None:
    assert thing(lambda run: {"seen": run.check_mode}, check_mode=check_mode)["seen"] is check_mode


def test_the_client_gets_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def connect(_options: Any, **keywords: Any) -> Any:
        seen.append(keywords["environment"]["AZURE_TENANT_ID"])
        return FakeGraph()

    monkeypatch.setattr(engine, "connect", connect)
    monkeypatch.setenv("AZURE_TENANT_ID", "contoso.example")
    thing(lambda _run: {})
    assert seen == ["contoso.example"]


def test_secrets_among_the_options_are_masked_everywhere(graph: FakeGraph) -> None:
    result = thing(lambda _run: {"found": [{"value": f"x {SECRET} y"}], "whole": SECRET}, password=SECRET)
    assert SECRET not in json.dumps(result)
    assert result["found"] == [{"value": f"x {MASK} y"}]
    assert result["invocation"]["module_args"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def test_secrets_met_on_the_way_are_masked_everywhere(graph: FakeGraph) -> None:
    def act(run: Run) -> Any:
        run.secret(SECRET)
        run.warn(f"Trying {SECRET} again.")
        change = Change(SECRET, {"a": SECRET}, {"a": [f"{SECRET}{SECRET}"]}, Request("PATCH", "/x", "change x"))
        return Plan([change], planned=f"{SECRET} would be changed.", extra={"more": {"deep": (SECRET,)}})

    result = thing(act, check_mode=True)
    assert SECRET not in json.dumps(result)
    assert result["changed"] is True
    assert result["diff"][0]["after"] == {"a": [f"{MASK}{MASK}"]}
    assert result["msg"] == f"{MASK} would be changed."
    assert result["warnings"] == [f"Trying {MASK} again."]


@pytest.mark.parametrize("kind", [OptionError, ValueError])
def test_secrets_in_errors_are_masked(kind: type[Exception], graph: FakeGraph) -> None:
    result = thing(lambda _run: kind(f"{SECRET} is wrong."), password=SECRET)
    assert result["failed"] is True
    assert SECRET not in json.dumps(result)
    assert f"{MASK} is wrong." in result["msg"]


def test_no_exception_gets_out(graph: FakeGraph) -> None:
    result = thing(lambda _run: ZeroDivisionError("division by zero"))
    assert result["failed"] is True
    assert result["changed"] is False
    assert "ZeroDivisionError" in result["msg"]


def test_without_warnings_there_is_no_such_key(graph: FakeGraph) -> None:
    assert "warnings" not in thing(lambda _run: {})


def test_a_warning_is_told_once_and_in_order(graph: FakeGraph) -> None:
    def act(run: Run) -> Any:
        for warning in ("second", "first", "second"):
            run.warn(warning)
        return {}

    assert thing(act)["warnings"] == ["second", "first"]


def test_wrong_arguments_never_reach_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_action, "execute", lambda *_arguments, **_keywords: pytest.fail("it was executed"))
    assert thing(lambda _run: {}, count="many")["failed"] is True
    assert "Unsupported parameters for (zerotrust.m365.thing) module: colour" in thing(lambda _run: {}, colour=1)["msg"]


@given(st.dictionaries(st.sampled_from([*sorted(argument_spec(Thing())), "unknown"]), json_values, max_size=5))
def test_no_arguments_are_an_exception(arguments: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "connect", lambda _options, **_keywords: FakeGraph())
        result = run_in_process(Thing(), arguments, "zerotrust.m365.thing", False)
    assert isinstance(result["msg"], str)
    assert set(result["invocation"]["module_args"]) >= set(arguments)
    json.dumps(result)


def test_arguments_are_not_changed(graph: FakeGraph) -> None:
    arguments = {"name": 5, "password": SECRET}
    run_in_process(Thing(), arguments, "zerotrust.m365.thing", False)
    assert arguments == {"name": 5, "password": SECRET}


# Masking


def test_masking_keeps_booleans_and_null_of_the_top_level() -> None:
    values = {"changed": True, "failed": False, "nothing": None, "text": "True story", "count": 1}
    assert masked(values, ["True", "None", "1"]) == {
        "changed": True,
        "failed": False,
        "nothing": None,
        "text": f"{MASK} story",
        "count": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER",
    }


def test_masking_changes_a_copy() -> None:
    values = {"list": [SECRET], "inner": {"a": SECRET}}
    assert SECRET not in json.dumps(masked(values, [SECRET]))
    assert values == {"list": [SECRET], "inner": {"a": SECRET}}


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_without_secrets_masking_changes_nothing(values: dict[str, Any]) -> None:
    assert masked(values, []) == values


@given(st.dictionaries(st.text(max_size=5), json_values.map(lambda value: [value, f"a{SECRET}b", {"x": SECRET}])))
def test_no_secret_is_left_in_any_value(values: dict[str, Any]) -> None:
    assert SECRET not in json.dumps(masked(values, [SECRET]))


def test_a_secret_body_written_as_text_is_masked_too(graph: FakeGraph) -> None:
    for written in ('{"profile": {"value": "hunter-2"}}', "value=hunter-2"):
        arguments = {"method": "POST", "path": "/things", "always": True, "secret_body": written}
        result = run_in_process(graph_request.RESOURCE, arguments, "zerotrust.m365.graph_request", False)
        assert result["changed"] is True
        assert SECRET not in json.dumps(result)


@pytest.mark.parametrize("written", [{"note": "", "pin": 471100}, '{"note": "", "pin": 471100}'])
def test_empty_texts_in_a_secret_body_mask_nothing_and_numbers_are_secrets(written: Any, graph: FakeGraph) -> None:
    arguments = {"method": "POST", "path": "/things/471100", "always": True, "secret_body": written}
    result = run_in_process(graph_request.RESOURCE, arguments, "zerotrust.m365.graph_request", False)
    assert result["msg"] == f"POST /things/{MASK} was sent."
    assert "471100" not in json.dumps(result)


# The login, whose result is a secret


def test_the_login_reveals_its_token_and_nothing_else(graph: FakeGraph) -> None:
    graph.secret = SECRET
    result = run_in_process(login.RESOURCE, {"access_token": SECRET}, "zerotrust.m365.login", False)
    assert result.pop("access_token") == SECRET
    assert SECRET not in json.dumps(result)


def test_a_failed_login_reveals_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoToken(FakeGraph):
        def token(self) -> Any:
            raise OptionError(f"{SECRET} has expired.")

    monkeypatch.setattr(engine, "connect", lambda _options, **_keywords: NoToken())
    result = run_in_process(login.RESOURCE, {"access_token": SECRET}, "zerotrust.m365.login", False)
    assert result["failed"] is True
    assert "access_token" not in result
    assert SECRET not in json.dumps(result)


def test_the_environment_is_left_as_it_was(graph: FakeGraph) -> None:
    before = dict(os.environ)
    thing(lambda _run: {})
    assert dict(os.environ) == before
