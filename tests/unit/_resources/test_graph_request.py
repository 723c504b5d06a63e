# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.compare import contains
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.plan import NOT_SHOWN, Plan
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import GraphError, OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.graph_request import RESOURCE, Found, merged
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, refused, run_of
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_objects

POLICY = "/policies/authorizationPolicy"
PRESENT = {"allowInvitesFrom": "everyone", "id": "authorizationPolicy", "@odata.context": "x"}
WANTED = {"allowInvitesFrom": "adminsAndGuestInviters"}


def options(**given_options: Any) -> dict[str, Any]:
    defaults = {name: argument.get("default") for name, argument in RESOURCE.options.items()}
    return {**defaults, "path": POLICY, **given_options}


def planned(graph: FakeGraph, check_mode: bool = False, **given_options: Any) -> Plan:
    run = run_of(graph, options(**given_options), check_mode)
    return RESOURCE.plan(run, RESOURCE.read(run))


def refusal_of(graph: FakeGraph | None = None, **given_options: Any) -> str:
    graph = graph or FakeGraph({POLICY: PRESENT})
    with pytest.raises(OptionError) as caught:
        planned(graph, **given_options)
    assert graph.writes == []
    return caught.value.message


# What can be asked


NOT_IDEMPOTENT: list[dict[str, Any]] = [
    {"method": "PATCH"},
    {"method": "PATCH", "desired": {}},
    {"method": "PUT", "body": {"a": 1}},
    {"method": "POST", "read_path": "/things"},
    {"method": "POST", "desired": {"a": 1}},
    {"method": "DELETE", "desired": {"a": 1}},
    {"method": "DELETE", "desired": {}},
    {"method": "DELETE", "body": {"a": 1}},
    {"method": "POST", "always": True, "desired": {"a": 1}},
    {"method": "POST", "always": True, "read_path": "/things"},
    {"method": "POST", "always": True, "read_query": "value[0]"},
    {"method": "PATCH", "desired": {"a": 1}, "read_query": "[?"},
]


@pytest.mark.parametrize("wrong", NOT_IDEMPOTENT, ids=repr)
def test_what_cannot_be_idempotent_is_refused_before_anything_is_read(wrong: dict[str, Any]) -> None:
    graph = FakeGraph({POLICY: PRESENT, "/things": {}})
    refusal_of(graph, **wrong)
    assert graph.sent == []


def test_a_header_of_the_client_is_refused_before_anything_is_read() -> None:
    graph = FakeGraph({POLICY: PRESENT})
    refusal_of(graph, method="PATCH", desired=WANTED, headers={"Authorization": "x"})
    refusal_of(graph, method="POST", always=True, headers={"Authorization": "x"})
    assert graph.sent == []


# PATCH and PUT


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_differs_is_sent(method: str) -> None:
    plan = planned(FakeGraph({POLICY: PRESENT}), method=method, desired=WANTED)
    (change,) = plan.changes
    assert (change.outline().method, change.outline().path, change.outline().body) == (method, POLICY, WANTED)
    assert change.outline().creates is False
    assert (change.before, change.after) == ({"allowInvitesFrom": "everyone"}, WANTED)
    assert (plan.planned, plan.done) == (f"{method} {POLICY} would be sent.", f"{method} {POLICY} was sent.")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_is_as_desired_is_not_sent(method: str) -> None:
    plan = planned(FakeGraph({POLICY: {**PRESENT, **WANTED}}), method=method, desired=WANTED)
    assert (plan.changes, plan.done) == ((), f"{POLICY} is as desired.")


@given(json_objects, json_objects)
def test_a_plan_is_empty_exactly_when_the_object_shows_what_is_desired(present: Any, desired: dict[str, Any]) -> None:
    if desired:
        plan = planned(FakeGraph({POLICY: present}), method="PATCH", desired=desired)
        assert bool(plan.changes) is not contains(present, desired)
        after = planned(FakeGraph({POLICY: {**present, **desired}}), method="PATCH", desired=desired)
        assert after.changes == ()


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_does_not_exist_cannot_be_changed(method: str) -> None:
    assert refusal_of(FakeGraph(), method=method, desired=WANTED).startswith(f"{POLICY} does not exist")


def test_another_body_may_be_sent() -> None:
    (change,) = planned(FakeGraph({POLICY: PRESENT}), method="PATCH", desired=WANTED, body={"other": 1}).changes
    assert change.outline().body == {"other": 1}
    (change,) = planned(FakeGraph({POLICY: PRESENT}), method="PATCH", desired=WANTED, body={}).changes
    assert change.outline().body == {}


def test_everything_that_was_asked_reaches_the_request() -> None:
    graph = FakeGraph({POLICY: PRESENT})
    (change,) = planned(
        graph,
        method="PATCH",
        desired=WANTED,
        api_version="beta",
        headers={"If-Match": "*"},
        permissions=["Policy.ReadWrite.Authorization", "Policy.Read.All"],
    ).changes
    request = change.outline()
    assert (request.version, request.headers) == ("beta", {"If-Match": "*"})
    assert request.permissions == (frozenset(["Policy.ReadWrite.Authorization"]), frozenset(["Policy.Read.All"]))
    assert graph.asked == [{"version": "beta", "headers": {"If-Match": "*"}, "action": f"read {POLICY}"}]


def test_the_object_may_be_read_elsewhere() -> None:
    graph = FakeGraph({"/elsewhere": {"value": [PRESENT]}})
    (change,) = planned(graph, method="PATCH", desired=WANTED, read_path="/elsewhere", read_query="value[0]").changes
    assert [path for _unused, path, _unused in graph.sent] == ["/elsewhere"]
    assert change.before == {"allowInvitesFrom": "everyone"}


def test_a_read_that_fails_is_no_missing_object() -> None:
    with pytest.raises(GraphError):
        planned(FakeGraph({POLICY: refused()}), method="DELETE")


# POST


GROUP = {"displayName": "Emergency access"}
FIND_GROUP: dict[str, Any] = {
    "method": "POST",
    "path": "/groups",
    "desired": GROUP,
    "read_path": "/groups?$filter=displayName eq 'Emergency access'",
    "read_query": "value[0]",
}


def groups(*found: dict[str, Any]) -> FakeGraph:
    return FakeGraph({FIND_GROUP["read_path"]: {"value": list(found)}})


def test_what_is_not_found_is_created() -> None:
    (change,) = planned(groups(), **FIND_GROUP, body={**GROUP, "mailEnabled": False}).changes
    assert change.outline().method == "POST"
    assert change.outline().creates is True
    assert change.outline().body == {**GROUP, "mailEnabled": False}
    assert (change.before, change.after) == (None, GROUP)


def test_what_is_found_is_not_created_again() -> None:
    assert planned(groups({**GROUP, "id": "x"}), **FIND_GROUP).changes == ()


def test_a_missing_place_to_look_means_that_it_does_not_exist() -> None:
    assert planned(FakeGraph(), **FIND_GROUP).changes


def test_no_second_one_is_created_beside_one_that_differs() -> None:
    assert "POST would create a second one" in refusal_of(groups({"displayName": "Another"}), **FIND_GROUP)


@pytest.mark.parametrize("query", ["value[?displayName=='Emergency access']", "value[?displayName=='x'].id"])
def test_a_filter_that_finds_nothing_means_that_it_does_not_exist(query: str) -> None:
    (change,) = planned(groups(), **{**FIND_GROUP, "read_query": query}).changes
    assert change.before is None


def test_a_filter_that_finds_one_finds_the_object() -> None:
    query = "value[?displayName=='Emergency access']"
    found = groups({"displayName": "Another"}, {**GROUP, "id": "x"})
    assert planned(found, **{**FIND_GROUP, "read_query": query}).changes == ()


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_filter_that_finds_several_is_refused(method: str) -> None:
    desired = None if method == "DELETE" else GROUP
    asked = {**FIND_GROUP, "method": method, "desired": desired, "read_query": "value[?mailEnabled]"}
    found = groups({**GROUP, "mailEnabled": True}, {**GROUP, "mailEnabled": True})
    assert "finds 2 objects" in refusal_of(found, **asked)


# DELETE


def test_what_exists_is_deleted() -> None:
    (change,) = planned(FakeGraph({POLICY: PRESENT}), method="DELETE").changes
    assert (change.outline().method, change.outline().path, change.outline().body) == ("DELETE", POLICY, None)
    assert (change.before, change.after) == ({"exists": True}, None)


def test_what_does_not_exist_is_not_deleted() -> None:
    plan = planned(FakeGraph(), method="DELETE")
    assert (plan.changes, plan.done) == ((), f"{POLICY} does not exist.")


@pytest.mark.parametrize("query", ["value[0]", "value[?id=='x']"])
def test_what_a_query_does_not_find_is_not_deleted(query: str) -> None:
    graph = FakeGraph({"/things": {"value": []}})
    assert planned(graph, method="DELETE", read_path="/things", read_query=query).changes == ()


# always


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_always_sends_without_reading(method: str) -> None:
    graph = FakeGraph()
    (change,) = planned(graph, method=method, always=True, body={"a": 1}).changes
    assert graph.sent == []
    assert (change.outline().method, change.outline().body) == (method, {"a": 1})
    assert change.before is None


def test_an_action_may_have_no_body() -> None:
    (change,) = planned(FakeGraph(), method="POST", always=True).changes
    assert change.outline().body is None


def test_always_returns_what_graph_answered_without_its_secrets() -> None:
    run = run_of(FakeGraph(), options(method="POST", always=True))
    plan = RESOURCE.plan(run, RESOURCE.read(run))
    run.answers.append({"id": "x", "temporaryAccessPass": "a-secret", "inner": [{"secretText": "a-secret"}]})
    assert RESOURCE.result(run, plan, RESOURCE.read(run)) == {
        "resource": {"id": "x", "temporaryAccessPass": NOT_SHOWN, "inner": [{"secretText": NOT_SHOWN}]},
        "created_id": "x",
    }
    assert RESOURCE.reached(run, plan, RESOURCE.read(run))


def test_always_returns_null_for_an_empty_answer_and_in_check_mode() -> None:
    for answers in ([None], []):
        run = run_of(FakeGraph(), options(method="POST", always=True))
        run.answers.extend(answers)
        plan = RESOURCE.plan(run, Found(readable=False))
        assert RESOURCE.result(run, plan, Found(readable=False)) == {"resource": None, "created_id": None}


# Reached


@pytest.mark.parametrize(
    ("method", "value", "reached"),
    [
        ("PATCH", {**PRESENT, **WANTED}, True),
        ("PATCH", PRESENT, False),
        ("PATCH", None, False),
        ("POST", WANTED, True),
        ("POST", None, False),
        ("DELETE", None, True),
        ("DELETE", PRESENT, False),
    ],
)
def test_reached(method: str, value: Any, reached: bool) -> None:
    desired = None if method == "DELETE" else WANTED
    run = run_of(FakeGraph(), options(method=method, desired=desired))
    assert RESOURCE.reached(run, Plan(), Found(readable=True, value=value)) is reached


def test_the_result_is_the_object() -> None:
    run = run_of(FakeGraph(), options(method="PATCH", desired=WANTED))
    assert RESOURCE.result(run, Plan(), Found(readable=True, value=PRESENT)) == {
        "resource": PRESENT,
        "created_id": None,
    }


# Secrets


def test_a_secret_body_is_sent_and_not_shown() -> None:
    (change,) = planned(
        FakeGraph({POLICY: {"profile": {"force": False}}}),
        method="PATCH",
        desired={"profile": {"force": True}},
        secret_body={"profile": {"value": "hunter-2"}},
    ).changes
    assert change.outline().body == {"profile": {"force": True, "value": "hunter-2"}}
    assert change.after == {"profile": {"force": True}, "secret_body": NOT_SHOWN}
    assert "hunter-2" not in repr(change)


def test_a_secret_body_alone_does_not_make_a_difference() -> None:
    graph = FakeGraph({POLICY: PRESENT})
    desired = {"allowInvitesFrom": "everyone"}
    assert planned(graph, method="PATCH", desired=desired, secret_body={"value": "hunter-2"}).changes == ()


def test_a_secret_body_may_be_all_that_is_sent() -> None:
    (change,) = planned(FakeGraph(), method="POST", always=True, secret_body={"value": "hunter-2"}).changes
    assert change.outline().body == {"value": "hunter-2"}
    assert "hunter-2" not in repr(change)


@pytest.mark.parametrize(
    "name",
    ["password", "passwordProfile", "secretText", "PASSWORD", "newPassword", "currentPassword", "clientSecret"],
)
def test_properties_that_hold_secrets_are_not_shown(name: str) -> None:
    present = {"inner": [{name: "old-secret", "on": False}]}
    (change,) = planned(
        FakeGraph({POLICY: present}), method="PATCH", desired={"inner": [{name: "new-secret", "on": True}]}
    ).changes
    assert "secret" not in repr((change.before, change.after)).lower().replace(name.lower(), "")
    assert change.outline().body == {"inner": [{name: "new-secret", "on": True}]}


# Merging bodies


def test_merging_goes_into_objects_and_the_addition_wins() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"c": 3, "e": 4}, "d": [2]}) == {
        "a": {"b": 1, "c": 3, "e": 4},
        "d": [2],
    }


@given(json_objects, json_objects)
def test_merging_keeps_the_addition_and_changes_neither_side(body: dict[str, Any], addition: dict[str, Any]) -> None:
    before = repr((body, addition))
    result = merged(body, addition)
    assert repr((body, addition)) == before
    assert set(result) == set(body) | set(addition)
    assert contains(result, addition)
    assert merged(body, {}) == body
    assert merged({}, addition) == addition
