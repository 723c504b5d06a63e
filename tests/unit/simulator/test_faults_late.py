# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that lag behind writes: objects not there yet, and old values."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m365_simulator.clock import Clock, Pace
from m365_simulator.faults.late import make_late
from m365_simulator.faults.past import Change, Past
from m365_simulator.faults.plan import read_fault
from m365_simulator.graph.router import GraphRequest
from m365_simulator.state import OBJECTS, Store

DEFAULTS = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
EVENTUAL = {"ConsistencyLevel": "eventual"}


@pytest.fixture(autouse=True)
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated time passes only where a test moves the clock, however slow the machine is."""
    monkeypatch.setattr(Pace, "now", lambda pace: pace._clock.offset)


def load(client: Any, *faults: dict[str, Any], **plan: Any) -> None:
    answer = client.admin("POST", "/faults/plan", {"faults": list(faults), **plan})
    assert answer.status == 200, answer.body


def advance(client: Any, seconds: float) -> None:
    token = client.kept_token
    client.admin("POST", "/clock", {"advance_seconds": seconds})
    client.kept_token = token


def domain_of(client: Any) -> str:
    return str(client.tenant.initial_domain)


def create_user(client: Any, name: str = "newcomer") -> Any:
    return client.call(
        "POST",
        "/v1.0/users",
        {
            "accountEnabled": True,
            "displayName": "A newcomer",
            "mailNickname": name,
            "userPrincipalName": f"{name}@{domain_of(client)}",
            "passwordProfile": {"password": "Long enough 1!"},
        },
    )


def create_group(client: Any, name: str = "Newcomers") -> Any:
    body = {"displayName": name, "mailNickname": "newcomers", "mailEnabled": False, "securityEnabled": True}
    return client.call("POST", "/v1.0/groups", body)


def assign_role(client: Any, user: str) -> Any:
    body = {"roleDefinitionId": GLOBAL_READER, "principalId": user, "directoryScopeId": "/"}
    return client.call("POST", "/v1.0/roleManagement/directory/roleAssignments", body)


def security_defaults(client: Any) -> bool:
    return bool(client.get(DEFAULTS).body["isEnabled"])


def enable(client: Any, enabled: bool = True) -> Any:
    return client.call("PATCH", DEFAULTS, {"isEnabled": enabled})


# Late visibility


def test_a_new_user_is_nowhere_for_some_seconds(greenfield: Any) -> None:
    before = [user["id"] for user in greenfield.get("/v1.0/users?$select=id").value]
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "seconds": 30})
    made = create_user(greenfield)
    assert made.status == 201
    id, name = made.body["id"], made.body["userPrincipalName"]
    for key in (id, name):
        answer = greenfield.get(f"/v1.0/users/{key}")
        assert (answer.status, answer.code) == (404, "Request_ResourceNotFound")
    assert [user["id"] for user in greenfield.get("/v1.0/users?$select=id").value] == before
    assert greenfield.get(f"/v1.0/users?$filter=userPrincipalName eq '{name}'").value == []
    assert greenfield.get("/v1.0/users/$count", headers=EVENTUAL).body == len(before)
    assert greenfield.get(f"/v1.0/users/{id}/memberOf").status == 404
    assert greenfield.get(f"/beta/users/{id}/authentication/requirements").status == 404
    advance(greenfield, 29.9)
    assert greenfield.get(f"/v1.0/users/{id}").status == 404
    advance(greenfield, 0.2)
    assert greenfield.get(f"/v1.0/users/{id}").status == 200
    assert len(greenfield.get("/v1.0/users").value) == len(before) + 1
    journal = [(entry["fault"], entry["status"]) for entry in greenfield.admin("GET", "/journal").body]
    assert ("late visibility at /users$", 201) in journal
    assert journal[-1] == (None, 200)


def test_writes_that_name_a_new_user_are_refused(greenfield: Any) -> None:
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "seconds": 30})
    made = create_user(greenfield).body
    group = create_group(greenfield).body["id"]
    reference = {"@odata.id": f"https://localhost:8443/v1.0/directoryObjects/{made['id']}"}
    refused = [
        assign_role(greenfield, made["id"]),
        greenfield.call("POST", f"/v1.0/groups/{group}/members/$ref", reference),
    ]
    for answer in refused:
        assert (answer.status, answer.code) == (400, "Request_BadRequest")
        assert "does not exist or one of its queried reference-property objects are not present" in answer.message
    for key in ("id", "userPrincipalName"):
        change = greenfield.call("PATCH", f"/v1.0/users/{made[key]}", {"displayName": "Other"})
        assert (change.status, change.code) == (404, "Request_ResourceNotFound")
    assert greenfield.admin("GET", "/journal").body[-1]["wrote"] is False
    advance(greenfield, 31)
    assert assign_role(greenfield, made["id"]).status == 201
    assert greenfield.get(f"/v1.0/users/{made['id']}").body["displayName"] == "A newcomer"


def test_what_a_reference_to_a_new_object_is_answered_is_an_assumption(greenfield: Any) -> None:
    greenfield.admin("POST", "/assumptions", {"reference_to_new_object": "404"})
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "seconds": 30})
    answer = assign_role(greenfield, create_user(greenfield).body["id"])
    assert (answer.status, answer.code) == (404, "Request_ResourceNotFound")


def test_a_name_is_taken_at_once(greenfield: Any) -> None:
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "seconds": 30})
    assert create_user(greenfield).status == 201
    again = create_user(greenfield)
    assert (again.status, again.message.startswith("Another object with the same value")) == (400, True)
    advance(greenfield, 31)
    name = f"newcomer@{domain_of(greenfield)}"
    assert len(greenfield.get(f"/v1.0/users?$filter=userPrincipalName eq '{name}'").value) == 1


def test_other_writes_go_on(greenfield: Any) -> None:
    old = greenfield.get("/v1.0/users?$top=1").value[0]["id"]
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "seconds": 30})
    create_user(greenfield)
    assert greenfield.call("PATCH", f"/v1.0/users/{old}", {"displayName": "Changed"}).status == 204
    assert greenfield.get(f"/v1.0/users/{old}").body["displayName"] == "Changed"
    assert assign_role(greenfield, old).status == 201


def test_a_number_of_reads(greenfield: Any) -> None:
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "reads": 3})
    other = greenfield.get("/v1.0/users?$top=1").value[0]["id"]
    id = create_user(greenfield).body["id"]
    paths = (f"/users/{other}", f"/users/{id}", "/organization", f"/users/{id}", f"/users/{id}", f"/users/{id}")
    found = [greenfield.get(f"/v1.0{path}").status for path in paths]
    assert found == [200, 404, 200, 404, 404, 200], "reads of other things do not count"


def test_refused_writes_count_as_reads(greenfield: Any) -> None:
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "reads": 2})
    id = create_user(greenfield).body["id"]
    assert [assign_role(greenfield, id).status for _unused in range(3)] == [400, 400, 201]


def test_a_wrong_write_is_refused_for_what_is_wrong_with_it(greenfield: Any) -> None:
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "reads": 1})
    id = create_user(greenfield).body["id"]
    answer = greenfield.call("PATCH", f"/v1.0/users/{id}", {"colour": "red"})
    assert (answer.status, answer.message) == (400, "Invalid property 'colour'.")
    assert greenfield.admin("GET", "/journal").body[-1]["fault"] is None
    assert [greenfield.get(f"/v1.0/users/{id}").status for _unused in range(2)] == [404, 200]


def test_two_new_objects_count_by_themselves(greenfield: Any) -> None:
    load(greenfield, {"kind": "late_visibility", "path": "/(users|groups)$", "reads": 2, "times": 2})
    user, group = create_user(greenfield).body["id"], create_group(greenfield).body["id"]
    paths = [f"/users/{user}", f"/users/{user}", f"/users/{user}", f"/groups/{group}", f"/groups/{group}"]
    assert [greenfield.get(f"/v1.0{path}").status for path in paths] == [404, 404, 200, 404, 404]
    assert greenfield.get(f"/v1.0/groups/{group}").status == 200


@pytest.mark.parametrize(
    ("where", "object_", "listed", "assigned"),
    [
        ("object", 404, True, 201),
        ("list", 200, False, 201),
        ("write", 200, True, 400),
        (["object", "list"], 404, False, 201),
    ],
)
def test_where_it_is_not_seen(greenfield: Any, where: Any, object_: int, listed: bool, assigned: int) -> None:
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "seconds": 30, "where": where})
    id = create_user(greenfield).body["id"]
    assert greenfield.get(f"/v1.0/users/{id}").status == object_
    assert (id in [user["id"] for user in greenfield.get("/v1.0/users?$select=id").value]) is listed
    assert assign_role(greenfield, id).status == assigned


def test_an_object_of_a_batch_is_late_too(greenfield: Any) -> None:
    load(greenfield, {"kind": "late_visibility", "path": "/groups$", "seconds": 30})
    body = {"displayName": "Late", "mailNickname": "late", "mailEnabled": False, "securityEnabled": True}
    items = [
        {"id": "1", "method": "POST", "url": "/groups", "body": body, "headers": {"Content-Type": "application/json"}},
        {"id": "2", "method": "GET", "url": "/groups?$filter=displayName eq 'Late'", "dependsOn": ["1"]},
    ]
    answer = greenfield.call("POST", "/v1.0/$batch", {"requests": items})
    found = {item["id"]: item for item in answer.body["responses"]}
    assert (found["1"]["status"], found["2"]["body"]["value"]) == (201, [])
    advance(greenfield, 31)
    assert len(greenfield.get("/v1.0/groups?$filter=displayName eq 'Late'").value) == 1


def test_a_new_location_is_unknown_to_policies_at_first(business: Any) -> None:
    load(business, {"kind": "late_visibility", "path": "/namedLocations$", "seconds": 10})
    location = business.call(
        "POST",
        "/v1.0/identity/conditionalAccess/namedLocations",
        {
            "@odata.type": "#microsoft.graph.ipNamedLocation",
            "displayName": "Office",
            "isTrusted": True,
            "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "192.0.2.0/24"}],
        },
    ).body["id"]
    policy = {
        "displayName": "Outside the office",
        "state": "disabled",
        "conditions": {
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
            "locations": {"includeLocations": ["All"], "excludeLocations": [location]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    }
    path = "/v1.0/identity/conditionalAccess/policies"
    assert business.call("POST", path, policy).status == 400
    advance(business, 11)
    assert business.call("POST", path, policy).status == 201


# Old values


def test_an_old_value_for_some_seconds(greenfield: Any) -> None:
    load(greenfield, {"kind": "stale", "path": "Enforcement", "seconds": 20})
    assert enable(greenfield).status == 204
    assert security_defaults(greenfield) is False
    advance(greenfield, 19)
    assert security_defaults(greenfield) is False
    advance(greenfield, 2)
    assert security_defaults(greenfield) is True


def test_an_old_value_for_some_reads(greenfield: Any) -> None:
    load(greenfield, {"kind": "stale", "path": "Enforcement", "reads": 2})
    enable(greenfield)
    assert [security_defaults(greenfield) for _unused in range(4)] == [False, False, True, True]


def test_the_newest_write_is_the_last_to_be_seen(greenfield: Any) -> None:
    id = greenfield.get("/v1.0/users?$top=1").value[0]["id"]
    load(greenfield, {"kind": "stale", "path": "/users/", "seconds": 20, "times": None})
    first = greenfield.get(f"/v1.0/users/{id}").body["displayName"]
    names = []
    for name in ("Second", "Third"):
        assert greenfield.call("PATCH", f"/v1.0/users/{id}", {"displayName": name}).status == 204
        names.append(greenfield.get(f"/v1.0/users/{id}").body["displayName"])
        advance(greenfield, 15)
    for _unused in range(2):
        names.append(greenfield.get(f"/v1.0/users/{id}").body["displayName"])
        advance(greenfield, 15)
    assert names == [first, first, "Second", "Third"]


def test_lists_filters_and_counts_are_old_too(greenfield: Any) -> None:
    id, old = (greenfield.get("/v1.0/users?$top=1").value[0][key] for key in ("id", "displayName"))
    load(greenfield, {"kind": "stale", "path": "/users/", "seconds": 20})
    greenfield.call("PATCH", f"/v1.0/users/{id}", {"displayName": "Changed"})

    def seen() -> list[Any]:
        return [
            [user["displayName"] for user in greenfield.get("/v1.0/users").value if user["id"] == id],
            len(greenfield.get("/v1.0/users?$filter=displayName eq 'Changed'").value),
            greenfield.get("/v1.0/users/$count?$filter=displayName eq 'Changed'", headers=EVENTUAL).body,
        ]

    assert seen() == [[old], 0, 0]
    advance(greenfield, 21)
    assert seen() == [["Changed"], 1, 1]


def test_a_deleted_user_is_still_there(greenfield: Any) -> None:
    before = greenfield.get("/v1.0/users").value
    id = before[-1]["id"]
    roles = greenfield.get("/v1.0/roleManagement/directory/roleAssignments").value
    load(greenfield, {"kind": "stale", "path": "/users/", "method": "DELETE", "seconds": 20})
    assert greenfield.call("DELETE", f"/v1.0/users/{id}").status == 204
    create_group(greenfield)
    assert greenfield.get(f"/v1.0/users/{id}").status == 200
    assert greenfield.get("/v1.0/users").value == before
    assert greenfield.get("/v1.0/roleManagement/directory/roleAssignments").value == roles
    assert greenfield.call("PATCH", f"/v1.0/users/{id}", {"displayName": "Ghost"}).status == 404
    advance(greenfield, 21)
    assert greenfield.get(f"/v1.0/users/{id}").status == 404
    assert [user["id"] for user in greenfield.get("/v1.0/users").value] == [user["id"] for user in before[:-1]]


def test_memberships_are_late(greenfield: Any) -> None:
    group = create_group(greenfield).body["id"]
    user = greenfield.get("/v1.0/users?$top=1").value[0]["id"]
    load(greenfield, {"kind": "stale", "path": r"/members/", "seconds": 20})
    reference = {"@odata.id": f"https://localhost:8443/v1.0/directoryObjects/{user}"}
    assert greenfield.call("POST", f"/v1.0/groups/{group}/members/$ref", reference).status == 204
    paths = (f"/v1.0/groups/{group}/members", f"/v1.0/groups/{group}/transitiveMembers", f"/v1.0/users/{user}/memberOf")
    assert [len(greenfield.get(path).value) for path in paths] == [0, 0, 0]
    assert greenfield.call("POST", f"/v1.0/groups/{group}/members/$ref", reference).status == 400
    advance(greenfield, 21)
    assert [len(greenfield.get(path).value) for path in paths] == [1, 1, 1]


def test_stale_reads_do_not_hold_up_writes_unless_asked(greenfield: Any) -> None:
    load(greenfield, {"kind": "stale", "path": "/users$", "method": "POST", "seconds": 20})
    id = create_user(greenfield).body["id"]
    assert greenfield.get(f"/v1.0/users/{id}").status == 404
    assert assign_role(greenfield, id).status == 201


def test_the_past_may_judge_writes(business: Any) -> None:
    """Security defaults that were just switched off still keep Conditional Access from being enabled."""
    policies = "/v1.0/identity/conditionalAccess/policies"
    for policy in business.get(policies).value:
        assert business.call("PATCH", f"{policies}/{policy['id']}", {"state": "disabled"}).status == 204
    id = business.get(policies).value[0]["id"]
    assert enable(business).status == 204
    load(business, {"kind": "stale", "path": "Enforcement", "seconds": 3, "where": "write"})
    assert enable(business, False).status == 204
    assert security_defaults(business) is False
    refused = business.call("PATCH", f"{policies}/{id}", {"state": "enabled"})
    assert (refused.status, "Security Defaults is enabled" in refused.message) == (400, True)
    advance(business, 4)
    assert business.call("PATCH", f"{policies}/{id}", {"state": "enabled"}).status == 204


def test_reads_may_flicker(greenfield: Any) -> None:
    runs = []
    for _unused in range(2):
        greenfield.admin("POST", "/reset")
        load(greenfield, {"kind": "stale", "path": "Enforcement", "seconds": 20, "share": 0.5}, seed=3)
        enable(greenfield)
        runs.append([security_defaults(greenfield) for _again in range(30)])
        advance(greenfield, 21)
        assert {security_defaults(greenfield) for _again in range(10)} == {True}
    assert runs[0] == runs[1]
    assert {True, False} == set(runs[0])
    assert runs[0] != sorted(runs[0])


def test_the_state_itself_is_never_old(greenfield: Any) -> None:
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "seconds": 30})
    id = create_user(greenfield).body["id"]
    for _unused in range(2):
        assert id in [user["id"] for user in greenfield.admin("GET", "/state").body["objects"]["user"]]
        assert greenfield.get(f"/v1.0/users/{id}").status == 404


def test_a_refused_write_hides_nothing(greenfield: Any) -> None:
    load(greenfield, {"kind": "late_visibility", "path": "/users$", "seconds": 30, "times": 2})
    assert greenfield.call("POST", "/v1.0/users", {"displayName": "Nobody"}).status == 400
    assert greenfield.get("/v1.0/users").status == 200
    id = create_user(greenfield).body["id"]
    assert greenfield.get(f"/v1.0/users/{id}").status == 404


@pytest.mark.parametrize("end", ["faults", "plan", "reset"])
def test_when_faults_end_everything_is_seen(greenfield: Any, end: str) -> None:
    load(greenfield, {"kind": "stale", "path": "Enforcement", "seconds": 1000})
    enable(greenfield)
    assert security_defaults(greenfield) is False
    if end == "faults":
        greenfield.admin("DELETE", "/faults")
    elif end == "plan":
        load(greenfield)
    else:
        greenfield.admin("POST", f"/reset?tenant={greenfield.tenant.id}")
        enable(greenfield)
        assert security_defaults(greenfield) is False, "the fault counts from the start again"
        greenfield.admin("POST", "/reset")
        enable(greenfield)
    assert security_defaults(greenfield) is True


def test_tenants_lag_by_themselves(open_simulation_client: Any) -> None:
    client = open_simulation_client(scenarios=("greenfield",), tenants=2)
    first, second = client.simulation.tenants.values()
    load(client, {"kind": "stale", "path": "Enforcement", "seconds": 20, "tenant": second.id})
    seen = []
    for tenant in (first, second):
        client.tenant, client.kept_token = tenant, None
        enable(client)
        seen.append(security_defaults(client))
    assert seen == [True, False]


def test_nothing_is_recorded_where_no_fault_strikes(greenfield: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise AssertionError("the past is not needed here")

    monkeypatch.setattr(Past, "recorded", refuse)
    monkeypatch.setattr(Past, "restored", refuse)
    load(greenfield, {"kind": "stale", "path": "/nowhere", "seconds": 20, "times": None})
    assert enable(greenfield).status == 204
    assert security_defaults(greenfield) is True


def test_works_on_a_file_that_survives(open_simulation_client: Any, tmp_path: Any) -> None:
    state = tmp_path / "state.db"
    client = open_simulation_client(state=state)
    load(client, {"kind": "late_visibility", "path": "/users$", "seconds": 30})
    id = create_user(client).body["id"]
    assert client.get(f"/v1.0/users/{id}").status == 404
    client.simulation.close()
    again = open_simulation_client(state=state)
    assert again.get(f"/v1.0/users/{id}").status == 200


# The past itself

KEYS = st.sampled_from(["a", "b", "c"])
WRITES = st.one_of(
    st.tuples(st.just("insert"), KEYS, st.integers(0, 9)),
    st.tuples(st.just("update"), KEYS, st.integers(0, 9)),
    st.tuples(st.just("delete"), KEYS, st.just(0)),
    st.tuples(st.just("link"), KEYS, KEYS),
    st.tuples(st.just("unlink"), KEYS, KEYS),
)


@contextmanager
def memory() -> Iterator[Store]:
    store = Store(None)
    try:
        yield store
    finally:
        store.close()


def write(store: Store, verb: str, key: str, value: Any) -> None:
    tenant = store.tenant(0)
    if verb == "insert" and tenant.read("user", key) is None:
        tenant.insert("user", key, {"id": key, "value": value}, name=f"name of {key}")
    elif verb == "update":
        tenant.update("user", key, document={"id": key, "value": value})
    elif verb == "delete":
        tenant.delete("user", key)
    elif verb == "link":
        tenant.link(key, value)
    elif verb == "unlink":
        tenant.unlink(key, value)


def dump(store: Store) -> Any:
    tenant = store.tenant(0)
    rows = sorted((row.id, row.document["value"]) for row in tenant.rows("user"))
    return rows, sorted((link["group"], link["member"]) for link in tenant.links())


@settings(max_examples=20)
@given(st.lists(WRITES, max_size=4), st.lists(st.lists(WRITES, min_size=1, max_size=4), max_size=4), st.data())
def test_any_writes_can_be_taken_back(before: list[Any], steps: list[list[Any]], data: Any) -> None:
    """From any point on: the state then, and afterwards the state now."""
    with memory() as store:
        past, states, recorded = Past(store), [], []
        for one in before:
            write(store, *one)
        store.commit()
        for step in steps:
            states.append(dump(store))
            with past.recorded() as changes:
                for one in step:
                    write(store, *one)
            recorded.append(changes)
        now = dump(store)
        point = data.draw(st.integers(0, len(steps)))
        later = [change for changes in recorded[point:] for change in changes]
        with past.restored(later):
            assert dump(store) == [*states, now][point]
        assert dump(store) == now


def test_an_error_while_recording_leaves_nothing() -> None:
    with memory() as store:
        past = Past(store)
        write(store, "insert", "a", 1)
        store.commit()

        def fail() -> None:
            with past.recorded():
                write(store, "update", "a", 2)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert dump(store) == ([("a", 1)], [])
        with past.recorded() as changes:
            write(store, "update", "a", 3)
        assert [change.before and change.before["document"] for change in changes] == ['{"id":"a","value":1}']
        tables = store.connection.exec_driver_sql("SELECT name FROM sqlite_temp_master").fetchall()
        assert tables == []


def test_a_number_that_was_given_away_stays_with_its_new_owner() -> None:
    """SQLite gives the number of a deleted last row to the next one."""
    with memory() as store:
        past = Past(store)
        write(store, "insert", "a", 1)
        store.commit()
        with past.recorded() as changes:
            write(store, "delete", "a", 0)
        write(store, "insert", "b", 2)
        store.commit()
        with past.restored(changes):
            assert dump(store)[0] == [("a", 1), ("b", 2)]
        assert dump(store)[0] == [("b", 2)]


def test_a_request_names_an_object_in_any_case() -> None:
    fault = read_fault({"kind": "late_visibility", "path": "x", "reads": 1}, "the fault")
    row = {"tenant": 0, "kind": "user", "id": "0A1B-2C3D", "name": "Ada@Example.org", "document": "{}"}
    late = make_late(fault, [Change(OBJECTS, None, row)], Pace(Clock()), random.SystemRandom())

    def asks(path: str, body: bytes | None = None) -> bool:
        return late.concerns(GraphRequest("PATCH", "v1.0", path, "", {}, body, ""))

    assert asks("/users/0a1b-2c3d")
    assert asks("/users/ada%40example.org")
    assert asks("/groups/1/members/$ref", b'{"@odata.id": "https://x/users/0A1B-2c3d"}')
    assert not asks("/users/0a1b", b"\xff")
