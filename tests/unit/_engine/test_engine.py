# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine import engine
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.plan import Change, Plan, Request
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import Resource
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.run import STARTED_BY, Run, WriteGuard
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    GraphError,
    M365Error,
    OptionError,
    Unavailable,
    UnreadableAnswer,
)
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, answered, refused, run_of

PERMISSIONS = (frozenset(["Policy.ReadWrite.Example"]), frozenset(["Policy.Read.All", "Policy.Read.Example"]))
OTHER_PERMISSIONS = (frozenset(["Group.ReadWrite.All"]),)
GRANTED = frozenset(["Policy.ReadWrite.Example", "Policy.Read.All", "Group.ReadWrite.All"])


class Pair(Resource):
    """Two settings with a PATCH each: the smallest resource that can fail half-way."""

    name = "pair"

    def read(self, run: Run) -> dict[str, Any]:
        answer: dict[str, Any] = run.client.get("/pair", action="read the pair")
        return answer

    def plan(self, run: Run, state: dict[str, Any]) -> Plan:
        wanted = run.options
        changes = [
            Change(
                title=f"the {name} setting",
                before={name: state[name]},
                after={name: wanted[name]},
                request=Request(
                    "PATCH", f"/{name}", f"change the {name} setting", {"value": wanted[name]}, permissions=permissions
                ),
            )
            for name, permissions in (("first", PERMISSIONS), ("second", OTHER_PERMISSIONS))
            if wanted[name] != state[name]
        ]
        return Plan(changes, planned="Would change.", done="Changed." if changes else "As wanted.", extra={"note": 1})

    def result(self, run: Run, plan: Plan, state: dict[str, Any]) -> dict[str, Any]:
        return {"pair": dict(state)}


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return 1000 + self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(engine, "time", clock)
    return clock


def pair_of(first: Any = "old", second: Any = "old") -> FakeGraph:
    """A tenant with the two settings, whose writes take effect at once."""
    graph = FakeGraph({"/pair": {"first": first, "second": second}}, roles=GRANTED)

    def write(_method: str, path: str, body: Any) -> None:
        graph.objects["/pair"] = {**graph.objects["/pair"], path[1:]: body["value"]}

    graph.on_write = write
    return graph


def execute(
    graph: FakeGraph | BaseException,
    monkeypatch: pytest.MonkeyPatch,
    *,
    resource: Resource | None = None,
    check_mode: bool = False,
    connected: Callable[..., None] = lambda *_options, **_keywords: None,
    environment: Mapping[str, str] | None = None,
    warn: Callable[[str], None] = lambda _: None,
    secret: Callable[[str], None] = lambda _: None,
    **options: Any,
) -> dict[str, Any]:
    def connect(given: Any, **keywords: Any) -> Any:
        connected(given, **keywords)
        return answered(graph)

    monkeypatch.setattr(engine, "connect", connect)
    return engine.execute(
        resource or Pair(),
        {"first": "new", "second": "new", "wait_timeout": 10, **options},
        environment={"AZURE_TENANT_ID": "contoso.example"} if environment is None else environment,
        check_mode=check_mode,
        warn=warn,
        secret=secret,
    )


DIFF = [
    {
        "before_header": f"the {name} setting",
        "after_header": f"the {name} setting",
        "before": {name: "old"},
        "after": {name: "new"},
    }
    for name in ("first", "second")
]


def test_a_run_makes_the_planned_changes_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = pair_of()
    result = execute(graph, monkeypatch)
    assert graph.writes == [("PATCH", "/first", {"value": "new"}), ("PATCH", "/second", {"value": "new"})]
    assert result == {
        "changed": True,
        "diff": DIFF,
        "msg": "Changed.",
        "pair": {"first": "new", "second": "new"},
        "note": 1,
        "graph_calls": graph.calls.as_result(),
    }
    assert graph.closed == 1


def test_check_mode_says_the_same_and_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = pair_of()
    result = execute(graph, monkeypatch, check_mode=True)
    assert graph.sent == [("GET", "/pair", None)]
    assert result["changed"] is True
    assert result["diff"] == DIFF
    assert result["msg"] == "Would change."
    assert result["pair"] == {"first": "old", "second": "old"}
    assert "failed" not in result


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_is_as_wanted_is_read_once_and_left_alone(check_mode: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = pair_of("new", "new")
    result = execute(graph, monkeypatch, check_mode=check_mode)
    assert graph.sent == [("GET", "/pair", None)]
    assert (result["changed"], result["diff"], result["msg"]) == (False, [], "As wanted.")


def test_a_second_run_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = pair_of()
    assert execute(graph, monkeypatch)["changed"] is True
    assert execute(graph, monkeypatch)["changed"] is False


def test_a_dry_run_needs_no_permission_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = pair_of()
    graph.roles = frozenset(["Policy.Read.All"])
    assert execute(graph, monkeypatch, check_mode=True)["changed"] is True


def test_all_missing_permissions_are_named_before_the_first_write(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = pair_of()
    graph.roles = frozenset(["Policy.Read.Example"])
    result = execute(graph, monkeypatch)
    assert graph.writes == []
    assert (result["failed"], result["changed"]) == (True, False)
    assert "Policy.ReadWrite.Example" in result["msg"]
    assert "Group.ReadWrite.All" in result["msg"]
    assert result["error"]["missing_permissions"] == {
        "change the first setting": ["Policy.ReadWrite.Example"],
        "change the second setting": ["Group.ReadWrite.All"],
    }
    assert result["diff"] == DIFF


def test_failing_half_way_is_told_as_changed_and_keeps_the_diff(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = pair_of()
    write = graph.on_write

    def fail_at_second(method: str, path: str, body: Any) -> Any:
        return refused("change the second setting") if path == "/second" else write(method, path, body)

    graph.on_write = fail_at_second
    result = execute(graph, monkeypatch)
    assert result["failed"] is True
    assert result["changed"] is True
    assert result["diff"] == DIFF
    assert result["msg"].startswith("Could not change the second setting")
    assert result["error"]["status"] == 403
    assert [path for _unused, path, _unused in graph.writes] == ["/first", "/second"]
    assert graph.closed == 1


def test_failing_at_the_first_write_has_changed_nothing_and_goes_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = pair_of()
    graph.on_write = lambda _method, _path, _body: refused("change the first setting")
    result = execute(graph, monkeypatch)
    assert (result["failed"], result["changed"]) == (True, False)
    assert [path for _unused, path, _unused in graph.writes] == ["/first"]


def test_a_write_after_the_deadline_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = pair_of()
    graph.on_write = lambda _method, _path, _body: DeadlineExceeded("Stopped before a write.")
    result = execute(graph, monkeypatch)
    assert (result["failed"], result["changed"], result["msg"]) == (True, False, "Stopped before a write.")


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_state_that_cannot_be_read_is_a_failure_without_writes(
    check_mode: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = FakeGraph({"/pair": refused("read the pair")})
    result = execute(graph, monkeypatch, check_mode=check_mode)
    assert (result["failed"], result["changed"], result["diff"]) == (True, False, [])
    assert result["error"]["code"] == "AccessDenied"
    assert graph.writes == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_refused_plan_is_a_failure_without_writes(check_mode: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(Pair):
        def plan(self, run: Run, state: dict[str, Any]) -> Plan:
            raise OptionError("This is not safe.")

    graph = pair_of()
    result = execute(graph, monkeypatch, resource=Refusing(), check_mode=check_mode)
    assert (result["failed"], result["changed"], result["diff"]) == (True, False, [])
    assert result["msg"] == "This is not safe."
    assert graph.writes == []


def test_bad_credentials_are_a_failed_result(monkeypatch: pytest.MonkeyPatch) -> None:
    result = execute(OptionError("Give one kind of credentials."), monkeypatch)
    assert result == {
        "failed": True,
        "msg": "Give one kind of credentials.",
        "changed": False,
        "diff": [],
        "graph_calls": [],
    }


@pytest.mark.parametrize("place", ["connect", "read", "plan", "write", "result"])
def test_an_unexpected_exception_becomes_a_failed_result(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Pair):
        def read(self, run: Run) -> dict[str, Any]:
            return _broken() if place == "read" else super().read(run)

        def plan(self, run: Run, state: dict[str, Any]) -> Plan:
            return _broken() if place == "plan" else super().plan(run, state)

        def result(self, run: Run, plan: Plan, state: dict[str, Any]) -> dict[str, Any]:
            return _broken() if place == "result" else super().result(run, plan, state)

    graph = pair_of()
    if place == "write":
        graph.on_write = lambda _method, _path, _body: _broken()
    result = execute(
        ZeroDivisionError("division by zero") if place == "connect" else graph, monkeypatch, resource=Broken()
    )
    assert result["failed"] is True
    assert "ZeroDivisionError in pair: division by zero" in result["msg"]
    assert "bug of zerotrust.m365" in result["msg"]
    first, *_between, last = result["error"]["traceback"].splitlines()
    assert (first, last) == ("Traceback (most recent call last):", "ZeroDivisionError: division by zero")
    assert result["changed"] is (place == "result")
    assert result["diff"] == (DIFF if place in ("write", "result") else [])
    assert graph.closed == (place != "connect")


def _broken() -> Any:
    return 1 / 0


def test_a_dry_run_that_fails_with_its_plan_made_has_changed_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Speechless(Pair):
        def result(self, run: Run, plan: Plan, state: dict[str, Any]) -> dict[str, Any]:
            raise OptionError("Cannot say.")

    result = execute(pair_of(), monkeypatch, resource=Speechless(), check_mode=True)
    assert (result["failed"], result["changed"], result["diff"]) == (True, False, DIFF)


def test_an_interruption_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = pair_of()
    graph.on_write = lambda _method, _path, _body: KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        execute(graph, monkeypatch)
    assert graph.closed == 1


def test_closing_the_client_cannot_break_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unclosable(FakeGraph):
        def close(self) -> None:
            raise OSError("already gone")

    graph = Unclosable({"/pair": {"first": "new", "second": "new"}})
    assert execute(graph, monkeypatch)["changed"] is False


def test_the_client_is_made_for_this_task(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Any, dict[str, Any]]] = []
    execute(
        pair_of("new", "new"),
        monkeypatch,
        check_mode=True,
        connected=lambda options, **keywords: seen.append((options, keywords)),
        max_duration=30,
    )
    ((options, keywords),) = seen
    assert options["first"] == "new"
    assert keywords["check_mode"] is True
    assert keywords["environment"] == {"AZURE_TENANT_ID": "contoso.example"}
    guard = keywords["before_write"]
    assert isinstance(guard, WriteGuard)
    assert (guard.max_duration, guard.starters) == (30, [])


def test_writes_end_with_the_processes_that_wait_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    execute(
        pair_of("new", "new"),
        monkeypatch,
        environment={STARTED_BY: "12 34"},
        connected=lambda _options, **keywords: seen.append(keywords["before_write"].starters),
    )
    assert seen == [[12, 34]]


def test_what_the_client_and_the_resource_say_reaches_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    class Talking(Pair):
        def read(self, run: Run) -> dict[str, Any]:
            run.warn("second\x1b[31m")
            run.secret("made by the resource")
            return super().read(run)

    def connected(_options: Any, **keywords: Any) -> None:
        keywords["warn"]("first\x07")
        keywords["secret"]("met by the client")

    warnings: list[str] = []
    secrets: list[str] = []
    execute(
        pair_of(),
        monkeypatch,
        resource=Talking(),
        connected=connected,
        check_mode=True,
        warn=warnings.append,
        secret=secrets.append,
    )
    assert [warning.isprintable() for warning in warnings] == [True, True]
    assert [warning[:5] for warning in warnings] == ["first", "secon"]
    assert secrets == ["met by the client", "made by the resource"]


def test_without_max_duration_writes_have_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    execute(
        pair_of("new", "new"), monkeypatch, connected=lambda _options, **keywords: seen.append(keywords["before_write"])
    )
    assert seen[0].max_duration is None


# Verification


def slow_pair(reads_until_shown: float) -> FakeGraph:
    """A tenant that shows a write only after some further reads."""
    graph = pair_of()

    def answer() -> Any:
        reads = [method for method, _unused, _unused in graph.sent].count("GET") - 1
        shown = "new" if graph.writes and reads >= reads_until_shown else "old"
        return {"first": shown, "second": shown}

    graph.objects["/pair"] = answer
    graph.on_write = lambda _method, _path, _body: None
    return graph


def test_reads_go_on_until_graph_shows_the_changes(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    graph = slow_pair(4)
    result = execute(graph, monkeypatch)
    assert result["changed"] is True
    assert result["pair"] == {"first": "new", "second": "new"}
    assert len(clock.slept) == 3
    assert len(graph.writes) == 2


def test_a_change_that_shows_at_once_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    execute(pair_of(), monkeypatch)
    assert clock.slept == []


@pytest.mark.parametrize("wait_timeout", [1, 10, 60, 300])
def test_verification_ends_at_its_bound(wait_timeout: int, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    graph = slow_pair(float("inf"))
    result = execute(graph, monkeypatch, wait_timeout=wait_timeout)
    assert clock.now == pytest.approx(wait_timeout)
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["diff"] == DIFF
    assert f"within {wait_timeout} seconds" in result["msg"]
    assert "the first setting, the second setting" in result["msg"]
    assert len(graph.writes) == 2


def test_waits_grow_to_a_limit(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    execute(slow_pair(float("inf")), monkeypatch, wait_timeout=60)
    assert clock.slept[0] == engine.FIRST_WAIT
    assert max(clock.slept) == engine.LONGEST_WAIT
    assert clock.slept[:-1] == sorted(clock.slept[:-1])


@pytest.mark.parametrize("wait_timeout", [0, None, -5])
def test_without_time_to_wait_graph_is_read_once_more(
    wait_timeout: int | None, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    graph = slow_pair(float("inf"))
    result = execute(graph, monkeypatch, wait_timeout=wait_timeout)
    assert (result["failed"], result["changed"]) == (True, True)
    assert clock.slept == []
    assert [method for method, _unused, _unused in graph.sent] == ["GET", "PATCH", "PATCH", "GET"]


def test_a_failure_while_verifying_is_told_with_the_change(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    graph = pair_of()

    def vanish(_method: str, _path: str, _body: Any) -> None:
        graph.objects["/pair"] = refused("read the pair")

    graph.on_write = vanish
    result = execute(graph, monkeypatch)
    assert (result["failed"], result["changed"], result["diff"]) == (True, True, DIFF)
    assert result["msg"].startswith("Could not read the pair")


# Sending


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_request_is_sent_as_it_is_and_its_answer_kept(method: str) -> None:
    graph = FakeGraph(on_write=lambda _method, _path, _body: {"id": "x"})
    request = Request(method, "/things", "make a thing", {"name": "x"}, version="beta", headers={"If-Match": "*"})
    assert engine.send(graph.as_client(), request) == {"id": "x"}
    assert graph.sent == [(method, "/things", {"name": "x"})]
    creates = {"creates": False} if method == "POST" else {}
    assert graph.asked == [{"version": "beta", "headers": {"If-Match": "*"}, "action": "make a thing", **creates}]


def test_a_delete_is_sent_without_body() -> None:
    graph = FakeGraph()
    request = Request("DELETE", "/things/x", "remove it", {"ignored": 1}, version="beta")
    assert engine.send(graph.as_client(), request) is None
    assert graph.sent == [("DELETE", "/things/x", None)]
    assert graph.asked == [{"version": "beta", "headers": {}, "action": "remove it"}]


def test_a_creating_post_says_so_to_the_client() -> None:
    graph = FakeGraph()
    engine.send(graph.as_client(), Request("POST", "/things", "make it", {}, creates=True))
    assert graph.asked[0]["creates"] is True


def test_a_body_that_takes_somebody_is_made_last_and_only_in_a_run() -> None:
    graph = FakeGraph(roles=GRANTED)
    made: list[int] = []

    def make_body() -> dict[str, int]:
        made.append(len(graph.writes))
        return {"value": 2}

    request = Request("POST", "/second", "answer", make_body=make_body, permissions=OTHER_PERMISSIONS)
    changes = [
        Change("first", None, {}, Request("PATCH", "/first", "change it", 1)),
        Change("second", None, {}, request),
    ]
    plan = Plan(changes)
    assert plan.diff()
    assert changes[1].outline().body is None
    assert made == []
    engine.apply(run_of(graph, {}), engine.Progress(), plan)
    assert made == [1]
    assert graph.writes == [("PATCH", "/first", 1), ("POST", "/second", {"value": 2})]


def test_a_body_that_nobody_makes_ends_the_run_as_far_as_it_came() -> None:
    graph = FakeGraph()
    progress = engine.Progress()

    def make_body() -> None:
        raise OptionError("Nobody is there.")

    changes = [
        Change("first", None, {}, Request("PATCH", "/first", "change it", 1)),
        Change("second", None, {}, Request("POST", "/second", "answer", make_body=make_body)),
    ]
    with pytest.raises(OptionError, match="Nobody is there"):
        engine.apply(run_of(graph, {}), progress, Plan(changes))
    assert progress.written == 1


def test_answers_are_kept_in_order_for_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    class Keeping(Pair):
        def result(self, run: Run, plan: Plan, state: dict[str, Any]) -> dict[str, Any]:
            return {"answers": list(run.answers), "planned": [change.title for change in plan.changes]}

    graph = pair_of()
    write = graph.on_write

    def answer(method: str, path: str, body: Any) -> Any:
        write(method, path, body)
        return {"answer to": path} if path == "/first" else None

    graph.on_write = answer
    result = execute(graph, monkeypatch, resource=Keeping())
    assert result["answers"] == [{"answer to": "/first"}, None]
    assert result["planned"] == ["the first setting", "the second setting"]


@pytest.mark.parametrize("error", [refused(), M365Error("Something."), OptionError("Something.")], ids=repr)
def test_failed_results_hold_what_the_error_says(error: M365Error, monkeypatch: pytest.MonkeyPatch) -> None:
    result = execute(FakeGraph({"/pair": error}), monkeypatch)
    assert result["msg"] == error.message
    assert result.get("error", {}) == error.details()
    assert ("error" in result) is isinstance(error, GraphError)


# Changes that build on each other


CONFLICT = "One or more added object references already exist for the following modified properties: 'members'."
NOT_YET = "Resource 'user-1' does not exist or one of its queried reference-property objects are not present."


def graph_error(status: int, text: str) -> GraphError:
    return GraphError(action="add it", status=status, code="Request_BadRequest", text=text)


class Family(Resource):
    """An object, and a link to it that needs its id."""

    name = "family"

    def read(self, run: Run) -> Any:
        return run.client.get("/family", action="read the family")

    def plan(self, run: Run, state: Any) -> Plan:
        create = Request("POST", "/users", "create the user", {"name": "one"}, creates=True, names="user")

        def link(created: Mapping[str, str]) -> Request:
            path = f"/groups/g/members/{created['user']}"
            return Request("POST", path, "add the member", {"id": created["user"]}, replicates=True, adds=True)

        changes = [
            *([] if state["user"] else [Change("the user", None, {"name": "one"}, create)]),
            *([] if state["member"] else [Change("the membership", None, {"member": True}, link)]),
        ]
        return Plan(changes, planned="Would change.", done="Changed.")

    def result(self, run: Run, plan: Plan, state: Any) -> dict[str, Any]:
        return {"family": dict(state)}


def family(*refusals: GraphError, answer: Any = None) -> FakeGraph:
    """A tenant that answers the first attempts to add the member with these refusals."""
    state = {"user": False, "member": False}
    graph = FakeGraph({"/family": lambda: dict(state)}, roles=frozenset(["User.ReadWrite.All"]))
    left = list(refusals)

    def write(_method: str, path: str, _body: Any) -> Any:
        if path == "/users":
            state["user"] = True
            return {"id": "user-1"} if answer is None else answer
        if left:
            refusal = left.pop(0)
            state["member"] = refusal.means_already_there()
            raise refusal
        state["member"] = True
        return None

    graph.on_write = write
    return graph


def test_a_later_change_uses_the_id_that_an_earlier_one_created(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = family()
    result = execute(graph, monkeypatch, resource=Family())
    assert result["changed"]
    assert not result.get("failed")
    assert graph.writes == [
        ("POST", "/users", {"name": "one"}),
        ("POST", "/groups/g/members/user-1", {"id": "user-1"}),
    ]


def test_a_new_object_that_is_not_replicated_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    graph = family(graph_error(404, "x"), graph_error(400, NOT_YET))
    result = execute(graph, monkeypatch, resource=Family(), wait_timeout=60)
    assert result["changed"]
    assert not result.get("failed")
    assert [path for _verb, path, _body in graph.writes].count("/groups/g/members/user-1") == 3
    assert clock.slept == [0.25, 0.5]


def test_replication_is_waited_for_up_to_the_bound(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    graph = family(*[graph_error(400, NOT_YET) for _unused in range(100)])
    result = execute(graph, monkeypatch, resource=Family(), wait_timeout=10)
    assert result["failed"]
    assert result["changed"]
    assert NOT_YET in result["msg"]
    assert clock.now == 10


@pytest.mark.parametrize("error", [graph_error(400, "Another reason."), graph_error(403, NOT_YET)], ids=str)
def test_any_other_refusal_is_not_waited_out(error: GraphError, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    result = execute(family(error), monkeypatch, resource=Family(), wait_timeout=60)
    assert result["failed"]
    assert clock.slept == []


@pytest.mark.parametrize("status", [400, 409])
def test_a_link_that_is_there_already_is_as_good_as_added(
    status: int, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    result = execute(family(graph_error(status, CONFLICT)), monkeypatch, resource=Family(), wait_timeout=60)
    assert result["changed"]
    assert not result.get("failed")


@pytest.mark.parametrize("answer", [{}, {"id": ""}, {"id": 7}, [], "user-1"], ids=repr)
def test_a_created_object_without_an_id_stops_the_run(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = family(answer=answer)
    result = execute(graph, monkeypatch, resource=Family())
    assert result["failed"]
    assert result["changed"]
    assert "did not say its id" in result["msg"]
    assert len(graph.writes) == 1


def test_what_is_to_be_created_needs_no_id_in_a_dry_run(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = family()
    result = execute(graph, monkeypatch, resource=Family(), check_mode=True)
    assert result["changed"]
    assert graph.writes == []
    assert [part["after"] for part in result["diff"]] == [{"name": "one"}, {"member": True}]


class Made(Resource):
    """A user that is created when reads do not show it, and given a name."""

    name = "made"

    def read(self, run: Run) -> Any:
        return run.client.get("/made", action="read it")

    def plan(self, run: Run, state: Any) -> Plan:
        creation = Change("the user", None, {"there": True}, Request("POST", "/users", "create it", {}, creates=True))
        name = run.options["first"]
        naming = Change("its name", {}, {"name": name}, Request("PATCH", "/users/1", "name it", {"name": name}))
        changes = [] if state["there"] else [creation]
        return Plan([*changes, *([] if state.get("name") == "new" else [naming])], done="Done.")

    def result(self, run: Run, plan: Plan, state: Any) -> dict[str, Any]:
        return {"made": state}


def taken() -> GraphError:
    text = "Another object with the same value for property userPrincipalName already exists."
    return GraphError(action="create it", status=400, code="Request_BadRequest", text=text)


def hidden_for(reads: int) -> FakeGraph:
    """A tenant with the user, which so many reads do not show."""
    states = [{"there": False}] * reads
    graph = FakeGraph(roles=frozenset(["User.ReadWrite.All"]))
    there: dict[str, Any] = {"there": True}

    def write(method: str, _path: str, body: Any) -> Any:
        if method == "POST":
            return taken()
        there.update(body)
        return None

    graph.on_write = write
    graph.objects["/made"] = lambda: states.pop() if states else dict(there)
    return graph


def test_what_reads_hide_is_found_and_planned_anew(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    graph = hidden_for(3)
    result = execute(graph, monkeypatch, resource=Made())
    assert [method for method, _path, _body in graph.writes] == ["POST", "PATCH"]
    assert [change["before_header"] for change in result["diff"]] == ["its name"]
    assert result["changed"]
    assert result["made"] == {"there": True, "name": "new"}
    assert len(clock.slept) == 3


def test_what_goes_on_being_hidden_is_refused_in_the_words_of_graph(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    graph = hidden_for(1000)
    result = execute(graph, monkeypatch, resource=Made())
    assert "already exists" in result["msg"]
    assert result["error"]["code"] == "Request_BadRequest"
    assert not result["changed"]
    assert [method for method, _path, _body in graph.writes] == ["POST"]
    assert clock.now == 10


@pytest.mark.parametrize(
    ("at", "certain", "changed"), [("/first", True, False), ("/first", False, True), ("/second", True, True)]
)
def test_a_lost_connection_is_told_as_changed_unless_it_is_certain_that_nothing_was_made(
    at: str, certain: bool, changed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = pair_of()
    write = graph.on_write

    def lose(method: str, path: str, body: Any) -> Any:
        return ConnectionFailed("Gone.", certain=certain) if path == at else write(method, path, body)

    graph.on_write = lose
    result = execute(graph, monkeypatch)
    assert (result["failed"], result["msg"], result["changed"]) == (True, "Gone.", changed)


@pytest.mark.parametrize("certain", [True, False])
def test_what_ended_for_time_may_have_made_the_change_before(certain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_method: str, _path: str, _body: Any) -> None:
        raise too_late

    too_late = DeadlineExceeded("Too late.")
    if not certain:
        too_late.doubt()
    graph = family()
    graph.on_write = write
    result = execute(graph, monkeypatch, resource=Family())
    assert (result["failed"], result["msg"], result["changed"]) == (True, too_late.message, not certain)


@pytest.mark.parametrize(
    ("kind", "status", "changed"),
    [(Unavailable, 503, True), (UnreadableAnswer, 200, True), (GraphError, 400, False)],
)
def test_a_server_error_may_have_made_the_change(
    kind: type[GraphError], status: int, changed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_method: str, _path: str, _body: Any) -> None:
        raise kind(action="create the user", status=status)

    graph = family()
    graph.on_write = write
    result = execute(graph, monkeypatch, resource=Family())
    assert result["failed"]
    assert result["changed"] is changed


class Careful(Pair):
    """Goes on with the second setting when the first is refused."""

    def plan(self, run: Run, state: dict[str, Any]) -> Plan:
        return replace(super().plan(run, state), keep_going=True)


def refusing(*paths: str) -> FakeGraph:
    graph = pair_of()
    taken_by = graph.on_write

    def write(method: str, path: str, body: Any) -> Any:
        return refused(f"change {path}") if path in paths else taken_by(method, path, body)

    graph.on_write = write
    return graph


def test_a_refused_change_does_not_keep_the_later_ones_from_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = refusing("/first")
    result = execute(graph, monkeypatch, resource=Careful())
    assert [path for _method, path, _body in graph.writes] == ["/first", "/second"]
    assert result["failed"]
    assert result["changed"]
    reason = refused("change /first").message
    assert result["msg"] == f"1 change was refused, 1 was made. the first setting: {reason}"
    assert result["error"] == {"refused": {"the first setting": reason}}


def test_all_refused_changes_are_told_and_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    result = execute(refusing("/first", "/second"), monkeypatch, resource=Careful())
    assert list(result["error"]["refused"]) == ["the first setting", "the second setting"]
    assert result["msg"].startswith("2 changes were refused, 0 were made. the first setting: ")
    assert " the second setting: " in result["msg"]
    assert not result["changed"]


def test_what_was_made_in_spite_of_a_refusal_is_counted() -> None:
    graph = refusing("/second")
    names = ("first", "second", "third", "fourth")
    changes = [Change(name, {}, {}, Request("PATCH", f"/{name}", "change it", {"value": 1})) for name in names]
    plan = Plan(changes, keep_going=True)
    with pytest.raises(engine.SomeRefused) as caught:
        engine.apply(run_of(graph, {}), engine.Progress(), plan)
    assert caught.value.message.startswith("1 change was refused, 3 were made. second: ")
    assert list(caught.value.refused) == ["second"]


class Patient(Pair):
    """Knows by the plan whether a state is the wanted one."""

    def reached(self, run: Run, plan: Plan, state: Any) -> bool:
        return all(state.items() >= (change.after or {}).items() for change in plan.changes)


def test_what_is_reached_is_told_by_the_plan(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    result = execute(pair_of(), monkeypatch, resource=Patient())
    assert not result.get("failed"), result
    assert clock.slept == []
