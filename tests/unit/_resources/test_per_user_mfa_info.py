# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections import Counter
from typing import Any

from ansible_collections.zerotrust.m365.plugins.module_utils._resources.per_user_mfa_info import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, not_found, refused, run_of
from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_tenant import OpenTenant
from ansible_collections.zerotrust.m365.tests.unit._resources.tenant_answers import user

STATES = ("disabled", "enabled", "enforced")


def path(number: int) -> str:
    return f"/users/{user(number)['id']}/authentication/requirements"


def plain(number: int) -> str:
    return f"/users/{user(number)['id']}"


def shown(graph: FakeGraph, states: Any = (), most: int = 1000, warnings: list[str] | None = None) -> dict[str, Any]:
    run = run_of(graph, {"states": list(states), "max_listed": most})
    run.warn = (warnings if warnings is not None else []).append
    state = RESOURCE.read(run)
    found = RESOURCE.result(run, RESOURCE.plan(run, state), state)["per_user_mfa"]
    assert isinstance(found, dict)
    return {**found, "msg": RESOURCE.plan(run, state).done}


def test_the_list_is_taken_and_a_sample_of_it_checked(open_tenant: OpenTenant) -> None:
    tenant = open_tenant("legacy")
    truth = Counter((one["perUserMfaState"], one["userType"], one["accountEnabled"]) for one in tenant.users())
    result = tenant.run(RESOURCE, check_mode=True, states=["enforced"])
    found = result["per_user_mfa"]
    assert (found["completeness"], found["reason"], found["source"]) == ("known", None, "list")
    assert 0 < found["sample"] <= 20
    assert found["total"] == truth.total()
    for state in STATES:
        assert found["states"][state] == sum(count for key, count in truth.items() if key[0] == state)
        assert found["by_user_type"]["member"][state] == sum(
            count for key, count in truth.items() if key[:2] == (state, "Member")
        )
        assert found["disabled_accounts"][state] == sum(
            count for key, count in truth.items() if key[0] == state and not key[2]
        )
    assert found["states"]["unknown"] == 0
    assert {one["id"] for one in found["users"]} == {
        one["id"] for one in tenant.users() if one["perUserMfaState"] == "enforced"
    }
    in_use = found["states"]["enabled"] + found["states"]["enforced"]
    assert result["msg"] == f"{in_use} of {found['total']} users have per-user MFA."
    assert not result["changed"]
    sent = [entry for entry in tenant.entries() if entry["batch"] is None]
    assert len(sent) <= 2 * -(-found["total"] // 1000) + 5
    assert tenant.warnings == []


def test_without_the_property_everybody_is_read_singly(open_tenant: OpenTenant) -> None:
    tenant = open_tenant("legacy")
    expected = tenant.run(RESOURCE)["per_user_mfa"]
    tenant.assume(user_mfa_state_in_list="absent")
    found = tenant.run(RESOURCE)["per_user_mfa"]
    assert found["source"] == "single_reads"
    assert "does not show 'perUserMfaState'" in found["source_reason"]
    assert found["completeness"] == "known"
    assert found["states"] == expected["states"]
    assert found["by_user_type"] == expected["by_user_type"]
    assert ["read one by one" in warning for warning in tenant.warnings] == [True]


def test_the_sample_has_all_states_and_is_the_same_each_time() -> None:
    people = [user(number, perUserMfaState="disabled") for number in range(300)]
    people += [user(number, perUserMfaState="enabled") for number in range(300, 303)]
    graph = FakeGraph(users=[people[:150], people[150:]])
    graph.objects = {path(number): {"perUserMfaState": people[number]["perUserMfaState"]} for number in range(303)}
    assert shown(graph)["sample"] == 10
    (first,) = graph.read_together
    assert {path(300), path(301), path(302)} < {read.path for read in first}
    shown(graph)
    assert graph.read_together[1] == first


def test_a_list_that_says_something_else_is_not_used() -> None:
    graph = FakeGraph(users=[[user(1, perUserMfaState="disabled"), user(2, perUserMfaState="enforced")]])
    graph.objects = {path(1): {"perUserMfaState": "enforced"}, path(2): {"perUserMfaState": "enforced"}}
    graph.objects |= {plain(1): {"perUserMfaState": "disabled"}}
    warnings: list[str] = []
    found = shown(graph, warnings=warnings)
    assert (found["source"], found["completeness"]) == ("single_reads", "known")
    assert found["states"] == {"disabled": 0, "enabled": 0, "enforced": 2, "unknown": 0}
    assert "for 1 of 2 users that were looked at" in found["source_reason"]
    assert len(warnings) == 1


def test_a_change_between_the_reads_is_no_disagreement() -> None:
    graph = FakeGraph(users=[[user(1, perUserMfaState="enabled")]])
    graph.objects = {path(1): {"perUserMfaState": "enforced"}, plain(1): {"perUserMfaState": "enforced"}}
    assert shown(graph)["source"] == "list"


def test_who_is_deleted_meanwhile_does_not_count_against_the_list() -> None:
    graph = FakeGraph(users=[[user(1), user(2)]])
    graph.objects = {path(1): {"perUserMfaState": "disabled"}, path(2): not_found("/users/2")}
    assert (shown(graph)["source"], shown(graph)["completeness"]) == ("list", "known")


def test_a_list_that_nothing_can_check_is_not_known() -> None:
    graph = FakeGraph(users=[[user(1), user(2, perUserMfaState="enabled")]])
    graph.objects = {path(1): refused("read it"), path(2): refused("read it")}
    found = shown(graph)
    assert (found["source"], found["completeness"]) == ("list", "unknown")
    assert "Nothing could check" in found["reason"]
    assert "as far as it is known" in found["msg"]


def test_a_user_who_cannot_be_read_is_unknown() -> None:
    graph = FakeGraph(users=[[user(1), user(2), user(3), user(4)]])
    for one in graph.users[0]:
        del one["perUserMfaState"]
    graph.objects = {
        path(1): {"perUserMfaState": "enforced"},
        path(2): refused("read it"),
        path(3): {"perUserMfaState": "a state of the future"},
        path(4): not_found("/users/4"),
    }
    found = shown(graph, states=["unknown"])
    assert found["states"] == {"disabled": 0, "enabled": 0, "enforced": 1, "unknown": 2}
    assert (found["total"], found["completeness"]) == (3, "unknown")
    assert [one["id"] for one in found["users"]] == [user(2)["id"], user(3)["id"]]
    assert "2 users could not be read" in found["reason"]


def test_a_list_of_users_has_an_end() -> None:
    graph = FakeGraph(users=[[user(number, perUserMfaState="enabled") for number in range(5)]])
    graph.objects = {path(number): {"perUserMfaState": "enabled"} for number in range(5)}
    found = shown(graph, states=["enabled"], most=3)
    assert (len(found["users"]), found["users_left_off"], found["states"]["enabled"]) == (3, 2, 5)


def test_an_empty_tenant_is_known() -> None:
    found = shown(FakeGraph(users=[[]]))
    assert (found["total"], found["completeness"], found["sample"]) == (0, "known", 0)


def test_an_odd_user_fails_the_task(open_tenant: OpenTenant) -> None:
    tenant = open_tenant("greenfield")
    some = tenant.users()[0]
    tenant.store.update("user", some["id"], document={**some, "accountEnabled": None})
    result = tenant.run(RESOURCE)
    assert result["failed"]
    assert "unexpected shape" in result["msg"]


def test_a_missing_permission_is_named(open_tenant: OpenTenant) -> None:
    tenant = open_tenant("legacy")
    tenant.client.grant("User.Read.All")
    found = tenant.run(RESOURCE)["per_user_mfa"]
    assert (found["source"], found["completeness"]) == ("list", "unknown")
    assert "Policy.Read.All" in found["reason"]
    tenant.assume(user_mfa_state_in_list="absent")
    result = tenant.run(RESOURCE)
    assert result["failed"]
    assert "Policy.Read.All" in result["msg"]
