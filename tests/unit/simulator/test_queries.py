# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paging, $select, $filter, $orderby, $search, $count and ConsistencyLevel."""

from __future__ import annotations

from typing import Any

import pytest

from m365_simulator.graph.odata import normalise_filter

EVENTUAL = {"ConsistencyLevel": "eventual"}


def all_pages(client: Any, path: str, headers: dict[str, str] | None = None) -> tuple[list[dict[str, Any]], int]:
    """Everything, and the number of pages. Follows @odata.nextLink as it stands."""
    items, pages = [], 0
    token = client.token()
    while path:
        answer = client.get(path, token=token, headers=headers)
        assert answer.status == 200, answer.body
        items += answer.value
        pages += 1
        path = answer.body.get("@odata.nextLink", "").removeprefix("https://localhost:8443")
    return items, pages


def test_pages_hold_every_user_once(legacy: Any) -> None:
    users, pages = all_pages(legacy, "/v1.0/users?$top=7&$select=id,userPrincipalName")
    assert pages == 6
    assert len({user["id"] for user in users}) == 40
    assert set(users[0]) == {"id", "userPrincipalName"}


def test_default_page_is_a_hundred(simulate: Any) -> None:
    client = simulate("legacy")
    template = client.simulation.store.tenant(0).documents("user")[0]
    rows: list[Any] = [
        (f"00000000-0000-4000-8000-{n:012}", f"u{n}@x", {**template, "id": f"{n}"}, {}) for n in range(100)
    ]
    client.simulation.store.tenant(0).insert_many("user", rows)
    assert len(client.get("/v1.0/users").value) == 100
    users, pages = all_pages(client, "/v1.0/users")
    assert (len(users), pages) == (140, 2)


def test_pages_in_an_order(legacy: Any) -> None:
    users, pages = all_pages(legacy, "/v1.0/users?$top=9&$orderby=displayName desc&$select=displayName")
    names = [user["displayName"].lower() for user in users]
    assert pages == 5
    assert names == sorted(names, reverse=True)


def test_a_deletion_between_pages_loses_nobody(legacy: Any) -> None:
    first = legacy.get("/v1.0/users?$top=10&$select=id")
    seen = [user["id"] for user in first.value]
    assert legacy.call("DELETE", f"/v1.0/users/{seen[-1]}").status == 204
    rest, _unused = all_pages(legacy, first.body["@odata.nextLink"].removeprefix("https://localhost:8443"))
    assert len({*seen, *(user["id"] for user in rest)}) == 40


def test_spoilt_page_token(legacy: Any) -> None:
    answer = legacy.get("/v1.0/users?$skiptoken=%21%21")
    assert (answer.status, answer.code) == (400, "Directory_ExpiredPageToken")


@pytest.mark.parametrize("top", ["0", "1000"])
def test_page_size_out_of_range(legacy: Any, top: str) -> None:
    answer = legacy.get(f"/v1.0/users?$top={top}")
    assert answer.message == f"Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive."


def test_users_show_eleven_properties_unless_asked(legacy: Any) -> None:
    user = legacy.get("/v1.0/users?$top=1").value[0]
    assert len(user) == 11
    assert "perUserMfaState" not in user
    assert "accountEnabled" not in user


def test_select_of_an_unknown_property(legacy: Any) -> None:
    answer = legacy.get("/v1.0/users?$select=id,colour")
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert "Could not find a property named 'colour' on type 'microsoft.graph.user'" in answer.message


@pytest.mark.parametrize(
    ("clause", "names"),
    [
        ("displayName eq 'ada jansen'", {"Ada Jansen"}),
        ("startswith(displayName,'Ada')", {"Ada Jansen"}),
        ("startsWith(displayName,'Ada') and accountEnabled eq true", {"Ada Jansen"}),
        ("userType eq 'Guest' and startswith(displayName,'Maria')", {"Maria Lopez"}),
        ("displayName in ('Root','Board room')", {"Root", "Board room"}),
        ("displayName eq 'Root' or mailNickname eq 'scan'", {"Root", "Service scan to mail"}),
        ("displayName eq 'O''Neil'", set()),
        ("displayName eq 'Ada' or displayName eq '100%'", set()),
    ],
)
def test_filters(legacy: Any, clause: str, names: set[str]) -> None:
    assert {user["displayName"] for user in legacy.get(f"/v1.0/users?$filter={clause}").value} == names


def test_filters_that_need_the_index(legacy: Any) -> None:
    for clause in ("userType ne 'Guest'", "not(userType eq 'Guest')", "endswith(userPrincipalName,'fabrikam.com')"):
        path = f"/v1.0/users?$filter={clause}&$select=userType,userPrincipalName&$top=999"
        plain = legacy.get(path)
        assert (plain.status, plain.code) == (400, "Request_UnsupportedQuery"), clause
        counted = legacy.get(f"{path}&$count=true", headers=EVENTUAL)
        assert 0 < len(counted.value) < 40
        assert counted.body["@odata.count"] == len(counted.value)
        assert "Guest" not in {user["userType"] for user in counted.value}


def test_filter_with_order_needs_the_index(legacy: Any) -> None:
    path = "/v1.0/users?$filter=accountEnabled eq true&$orderby=displayName"
    assert legacy.get(path).code == "Request_UnsupportedQuery"
    assert legacy.get(f"{path}&$count=true", headers=EVENTUAL).status == 200


def test_filter_on_elements_of_a_list(legacy: Any) -> None:
    sku = legacy.get("/v1.0/subscribedSkus").value[0]
    clause = f"assignedLicenses/any(x:x/skuId eq {sku['skuId']})"
    found = legacy.get(f"/v1.0/users?$filter={clause}&$top=999&$select=id").value
    assert len(found) == sku["consumedUnits"]


def test_filter_on_dates(legacy: Any) -> None:
    before = legacy.get("/v1.0/users?$filter=createdDateTime le 2100-01-01T00:00:00Z&$top=999&$select=id").value
    after = legacy.get("/v1.0/users?$filter=createdDateTime ge 2100-01-01T00:00:00.000Z&$top=999&$select=id").value
    assert (len(before), len(after)) == (40, 0)


@pytest.mark.parametrize(
    ("clause", "code"),
    [
        ("perUserMfaState eq 'enabled'", "Request_UnsupportedQuery"),
        ("colour eq 'red'", "BadRequest"),
        ("displayName eq", "BadRequest"),
        ("displayName eq 'open", "BadRequest"),
        ("frobnicate(displayName,'a')", "BadRequest"),
        ("contains(displayName,'a')", "Request_UnsupportedQuery"),
    ],
)
def test_filters_that_graph_refuses(legacy: Any, clause: str, code: str) -> None:
    answer = legacy.get(f"/v1.0/users?$filter={clause}")
    assert (answer.status, answer.code) == (400, code)


def test_count_segment(legacy: Any) -> None:
    plain = legacy.get("/v1.0/users/$count")
    assert (plain.status, plain.message) == (400, "$count is not currently supported.")
    counted = legacy.get("/v1.0/users/$count", headers=EVENTUAL)
    assert (counted.status, counted.content) == (200, b"40")
    assert counted.headers["content-type"].startswith("text/plain")


def test_count_without_the_header_is_ignored(legacy: Any) -> None:
    assert "@odata.count" not in legacy.get("/v1.0/users?$count=true").body


def test_count_stands_on_the_first_page_only(legacy: Any) -> None:
    first = legacy.get("/v1.0/users?$count=true&$top=30", headers=EVENTUAL).body
    assert first["@odata.count"] == 40
    link = first["@odata.nextLink"].removeprefix("https://localhost:8443")
    assert "@odata.count" not in legacy.get(link, headers=EVENTUAL).body


def test_the_header_is_not_carried_by_the_next_link(legacy: Any) -> None:
    path = "/v1.0/users?$filter=userType ne 'Guest'&$count=true&$top=5"
    link = legacy.get(path, headers=EVENTUAL).body["@odata.nextLink"].removeprefix("https://localhost:8443")
    assert legacy.get(link).status == 400
    assert legacy.get(link, headers=EVENTUAL).status == 200


def test_search(legacy: Any) -> None:
    path = '/v1.0/users?$search="displayName:jansen" OR "displayName:smit"'
    assert legacy.get(path).code == "Request_UnsupportedQuery"
    names = {user["displayName"] for user in legacy.get(path, headers=EVENTUAL).value}
    assert {"Ada Jansen", "Pieter Smit"} <= names
    assert legacy.get("/v1.0/users?$search=jansen", headers=EVENTUAL).status == 400


def test_skip_is_not_for_directory_objects(legacy: Any) -> None:
    assert legacy.get("/v1.0/users?$skip=5").message == "'$skip' is not supported by the service."


def test_option_given_twice(legacy: Any) -> None:
    assert legacy.get("/v1.0/users?$top=5&$top=6").status == 400


def test_answers_carry_what_clients_must_ignore(legacy: Any) -> None:
    assert "@microsoft.graph.tips" in legacy.get("/v1.0/users").body
    assert "@microsoft.graph.tips" not in legacy.get("/v1.0/users?$select=id").body


def test_paths(legacy: Any) -> None:
    name = legacy.get("/v1.0/users?$top=1").value[0]["userPrincipalName"]
    id = legacy.get(f"/v1.0/users/{name}").body["id"]
    for path in (f"/v1.0/users('{id}')", f"//v1.0//users/{id}", f"/V1.0/Users/{id.upper()}"):
        assert legacy.get(path).body["id"] == id
    guest = legacy.get("/v1.0/users?$filter=userType eq 'Guest'&$top=1").value[0]
    assert legacy.get(f"/v1.0/users/{guest['userPrincipalName'].replace('#', '%23')}").body["id"] == guest["id"]


@pytest.mark.parametrize(
    ("path", "segment"),
    [
        ("/v1.0/frobnicate", "frobnicate"),
        ("/v1.0/policies/frobnicate", "frobnicate"),
        ("/v1.0/users/x/frobnicate/y", "frobnicate"),
        ("/v1.0/policies", "policies"),
        ("/v1.0/policies/mfaServicePolicy", "mfaServicePolicy"),
    ],
)
def test_unknown_segments(legacy: Any, path: str, segment: str) -> None:
    answer = legacy.get(path)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert answer.message == f"Resource not found for the segment '{segment}'."
    inner = answer.body["error"]["innerError"]
    assert inner["request-id"] == answer.headers["request-id"]


def test_unknown_version_and_wrong_verb(legacy: Any) -> None:
    assert legacy.get("/v3.0/users").message == "Invalid version."
    assert legacy.call("PUT", "/v1.0/organization", {}).status == 405


def test_client_request_id_comes_back(legacy: Any) -> None:
    answer = legacy.get("/v1.0/frobnicate", headers={"client-request-id": "abc"})
    assert answer.headers["client-request-id"] == "abc"
    assert answer.body["error"]["innerError"]["client-request-id"] == "abc"
    assert answer.headers["request-id"] != "abc"
    assert answer.headers["odata-version"] == "4.0"
    assert "x-ms-ags-diagnostic" in answer.headers
    assert "date" in answer.headers


def test_normalisation_leaves_literals_alone() -> None:
    text = "not(startsWith(a,'not(StartsWith(b') or ENDSWITH(c,'it''s not(x)'))"
    assert normalise_filter(text) == "not (startswith(a,'not(StartsWith(b') or endswith(c,'it''s not(x)'))"
