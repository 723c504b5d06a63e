# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""Batches: mixed results, items sent again by their own Retry-After, pages, interruption."""

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import requests
import responses
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.batch import BatchRequest, BatchResponse, Read
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    GraphError,
    LicenceMissing,
    NotFound,
    OptionError,
    Throttled,
    UnreadableAnswer,
    WriteInCheckMode,
)
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import (
    GRAPH,
    Connect,
    Told,
    make_token,
)

BATCH = f"{GRAPH}/v1.0/$batch"
Answers = Callable[[dict[str, Any]], dict[str, Any] | None]


def answering(answers: Answers, sizes: list[int] | None = None) -> Callable[[Any], tuple[int, dict[str, str], str]]:
    """A $batch endpoint that answers each item by itself, last item first."""

    def callback(request: Any) -> tuple[int, dict[str, str], str]:
        items = json.loads(request.body)["requests"]
        if sizes is not None:
            sizes.append(len(items))
        replies = [{"id": item["id"], **reply} for item in items if (reply := answers(item)) is not None]
        return 200, {}, json.dumps({"responses": list(reversed(replies))})

    return callback


def ok(item: dict[str, Any]) -> dict[str, Any]:
    return {"status": 200, "headers": {}, "body": {"url": item["url"]}}


def always(reply: dict[str, Any]) -> Answers:
    return lambda _item: reply


def reads(number: int) -> list[BatchRequest]:
    return [BatchRequest("GET", f"/users/{place}") for place in range(number)]


def urls(answers: Sequence[BatchResponse]) -> list[str]:
    return [answer.body["url"] for answer in answers]


@pytest.fixture
def unordered() -> Any:
    with responses.RequestsMock() as script:
        yield script


def test_order_is_that_of_the_requests(client: GraphClient, http: responses.RequestsMock) -> None:
    http.add_callback("POST", BATCH, answering(ok))
    assert urls(client.batch(reads(20))) == [f"/users/{place}" for place in range(20)]


def test_twenty_travel_together(client: GraphClient, unordered: responses.RequestsMock) -> None:
    sizes: list[int] = []
    unordered.add_callback("POST", BATCH, answering(ok, sizes))
    assert urls(client.batch(reads(101))) == [f"/users/{place}" for place in range(101)]
    assert sorted(sizes) == [1, 20, 20, 20, 20, 20]


def test_nothing_asked_nothing_sent(client: GraphClient, http: responses.RequestsMock) -> None:
    assert client.batch([]) == []
    assert client.read_many([]) == []
    assert len(http.calls) == 0


def test_items_carry_query_headers_and_body(client: GraphClient, http: responses.RequestsMock) -> None:
    http.add_callback("POST", BATCH, answering(ok))
    client.batch(
        [
            BatchRequest("get", "/users", parameters={"$filter": "a eq 'b'"}, headers={"ConsistencyLevel": "eventual"}),
            BatchRequest("PATCH", "/users/1", body={"a": None}),
        ]
    )
    assert json.loads(http.calls[0].request.body or "")["requests"] == [
        {
            "id": "0",
            "method": "GET",
            "url": "/users?$filter=a%20eq%20%27b%27",
            "headers": {"ConsistencyLevel": "eventual"},
        },
        {
            "id": "1",
            "method": "PATCH",
            "url": "/users/1",
            "headers": {"Content-Type": "application/json"},
            "body": {"a": None},
        },
    ]


def test_each_item_has_its_own_result(client: GraphClient, http: responses.RequestsMock) -> None:
    replies: list[dict[str, Any] | None] = [
        {"status": 200, "body": {"a": 1}},
        {"status": 204},
        {"status": 404, "body": {"error": {"code": "Request_ResourceNotFound", "message": "No."}}},
        {"status": 403, "body": {"error": {"code": "AccessDenied", "message": "not licensed"}}},
        {"status": 302, "headers": {"Location": "https://graph.example.com"}},
        {"status": "200", "body": {}},
        {"status": 424, "headers": "x", "body": "base64"},
        None,
    ]
    http.add_callback("POST", BATCH, answering(lambda item: replies[int(item["id"])]))
    answers = client.batch(
        [BatchRequest("PATCH", f"/users/{place}", body={}) for place in range(8)], action="change it"
    )
    kinds = [type(answer.error) for answer in answers]
    assert kinds == [
        type(None),
        type(None),
        NotFound,
        LicenceMissing,
        UnreadableAnswer,
        UnreadableAnswer,
        GraphError,
        UnreadableAnswer,
    ]
    assert [answer.status for answer in answers] == [200, 204, 404, 403, 302, 0, 424, 0]
    assert answers[0].body == {"a": 1}
    assert answers[2].error is not None
    assert answers[2].error.message.startswith("Could not change it: Microsoft Graph answered 404")
    assert client.calls.as_result()[:3] == [
        {"method": "POST", "path": "/v1.0/$batch", "status": 200, "count": 1},
        {"method": "PATCH", "path": "/v1.0/users/0 (in $batch)", "status": 200, "count": 1},
        {"method": "PATCH", "path": "/v1.0/users/1 (in $batch)", "status": 204, "count": 1},
    ]


def test_throttled_items_go_again_by_their_own_retry_after(
    client: GraphClient, unordered: responses.RequestsMock, waits: list[float], told: Told
) -> None:
    asked: dict[str, int] = {}

    def reply(item: dict[str, Any]) -> dict[str, Any]:
        asked[item["url"]] = asked.get(item["url"], 0) + 1
        if asked[item["url"]] > 1:
            return ok(item)
        place = int(item["url"].rpartition("/")[2])
        return [
            ok(item),
            {"status": 429, "headers": {"retry-after": "2.128"}},
            {"status": 429, "headers": {"Retry-After": "30"}},
            {"status": 503, "headers": {}},
        ][place % 4]

    sizes: list[int] = []
    unordered.add_callback("POST", BATCH, answering(reply, sizes))
    answers = client.batch(reads(8))
    assert urls(answers) == [f"/users/{place}" for place in range(8)]
    assert set(asked.values()) == {1, 2}
    assert sizes[0] == 8
    assert sum(sizes) == 14
    # Nobody waits less than asked: what may go after 1 or 2 seconds does not wait for what may go after 30.
    assert waits[0] <= 1.0
    assert 30 <= max(waits) <= 31
    assert len(told.warnings) >= 1


def test_a_creating_item_is_not_blindly_sent_again(
    client: GraphClient, http: responses.RequestsMock, waits: list[float]
) -> None:
    replies: dict[str, list[dict[str, Any]]] = {
        "/a": [{"status": 503}],
        "/b": [{"status": 503, "headers": {"Retry-After": "1"}}, {"status": 201}],
        "/c": [{"status": 429}, {"status": 201}],
    }
    for _round in range(3):
        http.add_callback("POST", BATCH, answering(lambda item: replies[item["url"]].pop(0)))
    answers = client.batch([BatchRequest("POST", path, body={}) for path in ("/a", "/b", "/c")])
    assert [answer.status for answer in answers] == [503, 201, 201]
    assert len(waits) == 2


def test_an_item_throttled_for_good_is_an_error(
    client: GraphClient, http: responses.RequestsMock, waits: list[float]
) -> None:
    for _attempt in range(7):
        http.add_callback("POST", BATCH, answering(always({"status": 429, "headers": {"Retry-After": "3"}})))
    answers = client.batch(reads(1))
    assert isinstance(answers[0].error, Throttled)
    assert len(waits) == 6


@pytest.mark.parametrize(
    ("retries", "times", "patient", "done"),
    [(6, 2, True, True), (6, 4, True, False), (6, 2, False, False), (0, 1, True, False)],
)
def test_a_patient_batch_waits_out_throttling_for_longer(
    connected: Connect,
    unordered: responses.RequestsMock,
    waits: list[float],
    retries: int,
    times: int,
    patient: bool,
    done: bool,
) -> None:
    """Each time 100 seconds: three minutes and not five, and never more than a client that is not to try again."""
    left = [times]

    def reply(item: dict[str, Any]) -> dict[str, Any]:
        left[0] -= 1
        return ok(item) if left[0] < 0 else {"status": 429, "headers": {"Retry-After": "100"}}

    unordered.add_callback("POST", BATCH, answering(reply))
    client = connected(access_token=make_token(), max_retries=retries)
    (answer,) = client.batch(reads(1), patient=patient)
    assert isinstance(answer.error, Throttled) is not done
    assert sum(waits) <= 301


@pytest.mark.parametrize("status", [500, 503])
def test_patience_is_for_throttling_only(
    connected: Connect, unordered: responses.RequestsMock, waits: list[float], status: int
) -> None:
    unordered.add_callback("POST", BATCH, answering(always({"status": status, "headers": {}})))
    client = connected(access_token=make_token(), max_retries=2)
    (answer,) = client.batch(reads(1), patient=True)
    assert answer.status == status
    assert len(waits) == 2


def test_hours_are_not_waited(client: GraphClient, http: responses.RequestsMock, waits: list[float]) -> None:
    http.add_callback("POST", BATCH, answering(always({"status": 429, "headers": {"Retry-After": "7200"}})))
    answers = client.batch(reads(1))
    assert isinstance(answers[0].error, Throttled)
    assert waits == []


@pytest.mark.parametrize("body", [{}, {"responses": {}}, [], "x"])
def test_a_batch_must_be_answered_as_one(client: GraphClient, http: responses.RequestsMock, body: Any) -> None:
    http.post(BATCH, json=body)
    with pytest.raises(UnreadableAnswer):
        client.batch(reads(2))


def test_a_whole_batch_that_fails_raises(client: GraphClient, http: responses.RequestsMock) -> None:
    http.post(BATCH, status=400, json={"error": {"code": "BadRequest", "message": "Bad."}})
    with pytest.raises(GraphError, match="400 BadRequest"):
        client.batch(reads(2))


def test_what_is_done_is_told_when_the_rest_fails(client: GraphClient, unordered: responses.RequestsMock) -> None:
    lock = threading.Lock()
    served: list[int] = []

    def first_only(request: Any) -> Any:
        with lock:
            served.append(1)
            if len(served) > 1:
                raise requests.exceptions.ConnectionError("reset")
        return answering(always({"status": 204}))(request)

    unordered.add_callback("POST", BATCH, first_only)
    writes = [BatchRequest("PATCH", f"/users/{place}", body={}) for place in range(200)]
    answers = client.batch(writes, action="change users")
    done = [answer for answer in answers if answer.status == 204]
    failed = [answer.error for answer in answers if answer.error]
    assert len(done) == 20
    assert len(failed) == 180
    assert {error.code for error in failed} == {"NoAnswer", "NotSent"}
    assert all(error.message.startswith("Could not change users: ") for error in failed)
    assert len(served) <= 5  # one done, and what was on its way: the queue was cancelled


@pytest.mark.parametrize(("status", "code"), [(503, "NoAnswer"), (200, "NoAnswer"), (400, "NotSent")])
def test_what_is_in_doubt_is_told_from_what_was_not_done(
    connected: Connect, unordered: responses.RequestsMock, status: int, code: str
) -> None:
    lock = threading.Lock()
    served: list[int] = []

    def first_only(request: Any) -> Any:
        with lock:
            served.append(1)
            if len(served) > 1:
                return status, {}, "{}"
        return answering(always({"status": 204}))(request)

    client = connected(access_token=make_token(), max_retries=0)
    unordered.add_callback("POST", BATCH, first_only)
    answers = client.batch([BatchRequest("PATCH", f"/users/{place}", body={}) for place in range(40)])
    assert [answer.error.code for answer in answers if answer.error] == [code] * 20


def change(number: int) -> list[BatchRequest]:
    return [BatchRequest("PATCH", f"/users/{place}", body={}) for place in range(number)]


@pytest.mark.parametrize(
    ("method", "statuses", "doubtful"),
    [
        ("PATCH", (504, 429), True),
        ("PATCH", (503, 429, 429), True),
        ("PATCH", (500, 403), True),
        ("PATCH", (429, 403), False),
        ("PATCH", (429, 429), False),
        ("PATCH", (429, 503), False),  # an Unavailable is in doubt by itself
        ("GET", (504, 429), False),
    ],
)
def test_an_item_that_may_have_been_done_before_stays_in_doubt(
    connected: Connect,
    unordered: responses.RequestsMock,
    waits: list[float],
    method: str,
    statuses: tuple[int, ...],
    doubtful: bool,
) -> None:
    left = list(statuses)
    unordered.add_callback("POST", BATCH, answering(lambda _item: {"status": left.pop(0)}))
    client = connected(access_token=make_token(), max_retries=len(statuses) - 1)
    (answer,) = client.batch([BatchRequest(method, "/users/1")])
    assert answer.status == statuses[-1]
    assert answer.error is not None
    assert answer.error.maybe_done is doubtful


@pytest.mark.parametrize(("status", "doubtful"), [(504, True), (429, False)])
def test_a_batch_that_never_got_through_again_says_whether_it_may_have_been_done(
    connected: Connect, unordered: responses.RequestsMock, waits: list[float], status: int, doubtful: bool
) -> None:
    """Items were answered for the moment, and then no connection is to be had."""
    served: list[int] = []

    def first_only(request: Any) -> Any:
        served.append(1)
        if len(served) > 1:
            pool = HTTPSConnectionPool("localhost")
            refused = NewConnectionError(HTTPSConnection("localhost"), "Connection refused")
            raise requests.exceptions.ConnectionError(MaxRetryError(pool, BATCH, refused))
        return answering(always({"status": status}))(request)

    unordered.add_callback("POST", BATCH, first_only)
    client = connected(access_token=make_token(), max_retries=1)
    with pytest.raises(ConnectionFailed) as caught:
        client.batch(change(2))
    assert (caught.value.certain, caught.value.maybe_done) == (True, doubtful)


def test_doubt_about_one_item_is_none_about_another(
    connected: Connect, unordered: responses.RequestsMock, waits: list[float]
) -> None:
    """One is done, one may have been done, one was throttled; then it is too late."""
    asked: list[int] = []

    def only_once() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise DeadlineExceeded("Too late.")

    statuses = {"/users/0": 204, "/users/1": 504, "/users/2": 429}
    unordered.add_callback("POST", BATCH, answering(lambda item: {"status": statuses[item["url"]]}))
    client = connected(access_token=make_token(), before_write=only_once, max_retries=1)
    errors = [answer.error for answer in client.batch(change(3))]
    assert [error and error.code for error in errors] == [None, "NoAnswer", "NotSent"]


def test_a_connection_that_fails_at_once_raises(client: GraphClient, unordered: responses.RequestsMock) -> None:
    unordered.post(BATCH, body=requests.exceptions.ConnectionError("reset"))
    with pytest.raises(ConnectionFailed):
        client.batch(reads(30))


def test_an_interruption_cancels_the_queue(client: GraphClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ansible's task timeout does it: an exception that is no Exception, while the main thread waits."""

    class Timeout(BaseException):
        pass

    release = threading.Event()
    begun: list[Any] = []
    awaited: list[Any] = []

    def slow(call: Any) -> Any:
        begun.append(call)
        if len(begun) == 4:
            raise Timeout
        release.wait(10)
        awaited.append(call)
        raise ConnectionFailed("too late")

    monkeypatch.setattr(client, "send", slow)
    with pytest.raises(Timeout):
        client.batch(reads(400))
    assert (len(begun), awaited) == (4, [])
    assert client.policy.stopped.is_set()
    release.set()


def test_writes_in_check_mode_are_refused(connected: Connect, http: responses.RequestsMock) -> None:
    client = connected(check_mode=True, access_token=make_token())
    with pytest.raises(WriteInCheckMode):
        client.batch([*reads(40), BatchRequest("PATCH", "/users/1", body={})])
    assert len(http.calls) == 0


def test_reads_in_check_mode_are_fine(connected: Connect, http: responses.RequestsMock, told: Told) -> None:
    http.add_callback("POST", BATCH, answering(ok))
    connected(check_mode=True, access_token=make_token()).batch(reads(2))
    assert told.writes == 0


def test_each_batch_with_writes_asks_first(
    connected: Connect, unordered: responses.RequestsMock, waits: list[float]
) -> None:
    asked: list[int] = []

    def two_only() -> None:
        asked.append(1)
        if len(asked) > 2:
            raise DeadlineExceeded("Too late.")

    client = connected(before_write=two_only, access_token=make_token())
    unordered.add_callback("POST", BATCH, answering(always({"status": 429})))
    with pytest.raises(DeadlineExceeded):
        client.batch([BatchRequest("PATCH", "/users/1", body={})])
    assert (len(asked), len(unordered.calls)) == (3, 2)


@pytest.mark.parametrize("path", ["users", "/users/../x", "https://graph.example.com/"])
def test_paths_are_checked(client: GraphClient, http: responses.RequestsMock, path: str) -> None:
    with pytest.raises(OptionError):
        client.batch([BatchRequest("GET", path)])
    assert len(http.calls) == 0


# Many reads


def page(values: list[dict[str, Any]], following: str = "") -> dict[str, Any]:
    link = {"@odata.nextLink": f"{GRAPH}/v1.0{following}"} if following else {}
    return {"status": 200, "headers": {}, "body": {"value": values, **link}}


def test_many_reads_are_few_requests(client: GraphClient, unordered: responses.RequestsMock) -> None:
    table = {
        "/organization": page([{"id": "o"}]),
        "/users?$top=2": page([{"id": "1"}, {"id": "2"}], "/users?$top=2&$skiptoken=x%20y"),
        "/users?$top=2&$skiptoken=x%20y": page([{"id": "3"}]),
        "/policies/p": {"status": 200, "body": {"isEnabled": True}},
        "/auditLogs/signIns": {"status": 403, "body": {"error": {"code": "x", "message": "no premium license"}}},
        "/groups": page([{"id": "1"}], "/groups?$skiptoken=1"),
        "/groups?$skiptoken=1": {"status": 400, "body": {"error": {"code": "Directory_ExpiredPageToken"}}},
        "/domains": page([], "/domains"),
    }
    unordered.add_callback("POST", BATCH, answering(lambda item: table[item["url"]]))
    unordered.add_callback("POST", f"{GRAPH}/beta/$batch", answering(always({"status": 200, "body": {"b": 1}})))
    found = client.read_many(
        [
            Read("/organization", collection=True),
            Read("/users", parameters={"$top": "2"}, collection=True),
            Read("/policies/p"),
            Read("/me", version="beta"),
            Read("/auditLogs/signIns", collection=True, action="read the sign-in log"),
            Read("/groups", collection=True),
            Read("/domains", collection=True),
            Read("/you", version="beta"),
        ]
    )
    assert found[:4] == [[{"id": "o"}], [{"id": "1"}, {"id": "2"}, {"id": "3"}], {"isEnabled": True}, {"b": 1}]
    assert isinstance(found[4], LicenceMissing)
    assert found[4].message.startswith("Could not read the sign-in log:")
    assert isinstance(found[5], GraphError)  # never a short list
    assert isinstance(found[6], UnreadableAnswer)
    assert found[7] == {"b": 1}
    assert len(unordered.calls) == 3


def test_one_read_is_a_plain_request(client: GraphClient, http: responses.RequestsMock) -> None:
    http.get(f"{GRAPH}/v1.0/users", json={"value": [{"id": "1"}]})
    http.get(f"{GRAPH}/v1.0/organization/1", status=404, json={})
    assert client.read_many([Read("/users", collection=True)]) == [[{"id": "1"}]]
    assert isinstance(client.read_many([Read("/organization/1")])[0], NotFound)


def test_reads_of_another_shape_are_unreadable(client: GraphClient, http: responses.RequestsMock) -> None:
    http.add_callback("POST", BATCH, answering(always({"status": 200, "body": [1]})))
    found = client.read_many([Read("/users", collection=True), Read("/organization/1")])
    assert [type(one) for one in found] == [UnreadableAnswer, UnreadableAnswer]
