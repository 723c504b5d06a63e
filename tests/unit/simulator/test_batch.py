# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""$batch."""

from __future__ import annotations

from typing import Any

DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
JSON = {"Content-Type": "application/json"}


def item(id: str, url: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    return {"id": id, "method": method, "url": url, **more}


def send(client: Any, *items: dict[str, Any], version: str = "v1.0") -> Any:
    return client.call("POST", f"/{version}/$batch", {"requests": list(items)})


def by_id(answer: Any) -> dict[str, dict[str, Any]]:
    assert answer.status == 200
    return {response["id"]: response for response in answer.body["responses"]}


def test_items_are_answered_each_by_itself_and_out_of_order(legacy: Any) -> None:
    users = legacy.get("/v1.0/users?$top=20&$select=id").value
    items = [item(str(n), f"/users/{user['id']}?$select=id") for n, user in enumerate(users)]
    answer = send(legacy, *items)
    found = by_id(answer)
    assert [found[str(n)]["body"]["id"] for n in range(20)] == [user["id"] for user in users]
    assert [response["id"] for response in answer.body["responses"]] != [str(n) for n in range(20)]
    assert found["0"]["headers"]["Content-Type"] == "application/json"


def test_one_item_may_fail(legacy: Any) -> None:
    found = by_id(send(legacy, item("1", "/organization"), item("2", "users/nobody"), item("3", "/frobnicate")))
    assert (found["1"]["status"], found["2"]["status"], found["3"]["status"]) == (200, 404, 400)
    assert found["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"


def test_permissions_are_checked_per_item(legacy: Any) -> None:
    legacy.grant("Organization.Read.All")
    found = by_id(send(legacy, item("1", "/organization"), item("2", "/users")))
    assert (found["1"]["status"], found["2"]["status"]) == (200, 403)


def test_writes_and_the_journal(greenfield: Any) -> None:
    greenfield.admin("DELETE", "/journal")
    token = greenfield.token()
    body = {
        "requests": [
            item("1", DEFAULTS, "PATCH", body={"isEnabled": True}, headers=JSON),
            item("2", DEFAULTS, dependsOn=["1"]),
        ]
    }
    found = by_id(greenfield.call("POST", "/v1.0/$batch", body, token=token))
    assert found["1"]["status"] == 204
    assert "body" not in found["1"]
    assert found["2"]["body"]["isEnabled"] is True
    entries = greenfield.admin("GET", "/journal").body
    outer = entries[1]
    assert (outer["path"], outer["wrote"], outer["batch"], outer["status"]) == ("/$batch", False, None, 200)
    assert [(e["method"], e["path"], e["wrote"], e["batch"], e["status"]) for e in entries[2:]] == [
        ("PATCH", DEFAULTS, True, outer["number"], 204),
        ("GET", DEFAULTS, False, outer["number"], 200),
    ]


def test_what_depends_on_a_failure_fails(greenfield: Any) -> None:
    found = by_id(
        send(greenfield, item("1", "/users/nobody"), item("2", DEFAULTS, dependsOn=["1"]), item("3", "/organization"))
    )
    assert (found["1"]["status"], found["2"]["status"], found["3"]["status"]) == (404, 424, 200)


def test_batches_that_are_refused(legacy: Any) -> None:
    twenty_one = send(legacy, *(item(str(n), "/organization") for n in range(21)))
    assert (twenty_one.status, twenty_one.code) == (400, "MaximumValueExceeded")
    assert send(legacy, item("1", "/organization"), item("1", "/domains")).status == 400
    assert send(legacy, {"id": "1", "url": "/users"}).status == 400
    assert send(legacy, item("1", DEFAULTS, "PATCH", body={"isEnabled": True})).status == 400
    assert send(legacy, item("1", "/users", dependsOn=["2"]), item("2", "/users")).status == 400
    assert legacy.call("POST", "/v1.0/$batch", {"requests": 3}).status == 400
    assert legacy.call("GET", "/v1.0/$batch").status == 405
    assert not legacy.get(f"/v1.0{DEFAULTS}").body["isEnabled"]


def test_no_batch_in_a_batch_and_no_absolute_address(legacy: Any) -> None:
    nested = item("1", "/$batch", "POST", body={"requests": []}, headers=JSON)
    found = by_id(send(legacy, nested, item("2", "https://localhost:8443/v1.0/users")))
    assert (found["1"]["status"], found["2"]["status"]) == (400, 400)


def test_version_is_that_of_the_batch(legacy: Any) -> None:
    id = legacy.get("/v1.0/users?$top=1").value[0]["id"]
    path = f"/users/{id}/authentication/requirements"
    assert by_id(send(legacy, item("1", path)))["1"]["status"] == 400
    assert by_id(send(legacy, item("1", path), version="beta"))["1"]["status"] == 200


def test_an_item_is_throttled_by_itself(legacy: Any) -> None:
    legacy.admin("POST", "/faults", {"path": "/users/", "status": 429, "retry_after": "2.128", "times": 1})
    ids = [user["id"] for user in legacy.get("/v1.0/users?$top=3").value]
    answer = send(legacy, *(item(str(n), f"/users/{id}") for n, id in enumerate(ids)))
    found = by_id(answer)
    assert [found[str(n)]["status"] for n in range(3)] == [429, 200, 200]
    assert found["0"]["headers"]["Retry-After"] == "2.128"
    assert "retry-after" not in answer.headers


def test_paging_out_of_a_batch(legacy: Any) -> None:
    page = by_id(send(legacy, item("1", "/users?$top=25&$select=id")))["1"]["body"]
    link = page["@odata.nextLink"]
    assert link.startswith("https://localhost:8443/v1.0/users?")
    rest = legacy.get(link.removeprefix("https://localhost:8443")).value
    assert len(page["value"]) + len(rest) == 40
