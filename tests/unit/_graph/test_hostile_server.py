# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that means harm, behind a certificate that is trusted: nothing hangs, grows or leaks."""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from ansible_collections.zerotrust.m365.plugins.module_utils._graph import client as graph_client
from ansible_collections.zerotrust.m365.plugins.module_utils._graph import session
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.answers import MAX_DEPTH, read_json
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.batch import BatchRequest, Read
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    ConnectionFailed,
    GraphError,
    M365Error,
    SignInError,
    UnreadableAnswer,
)
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import CLIENT, TENANT, Connect, Server

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
READ_TIMEOUT = 30.0
MIB = 1024 * 1024


@pytest.fixture
def local(connected: Connect, server: Server) -> GraphClient:
    return connected(**server.options(), max_retries=0)


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between one look at the clock and the next, two seconds pass."""
    seconds = itertools.count(step=2)
    monkeypatch.setattr(session, "clock", lambda: float(next(seconds)))


@pytest.fixture
def foreign(authority: trustme.CA, certificate: trustme.LeafCert, tmp_path: Path) -> Iterator[Server]:
    """Another server, behind a certificate of the same authority: only the client itself can keep away from it."""
    (tmp_path / "foreign").mkdir()
    made = Server(authority, certificate, tmp_path / "foreign")
    yield made
    made.close()


def forever(part: bytes) -> Iterator[bytes]:
    return itertools.repeat(part)


# Time


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (HEAD + b"Content-Length: 1000000\r\n\r\n", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD + b"X-Long: ", b"a"),
        (b"HTTP/1.1 ", b" "),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["body", "chunks", "header", "status line", "100 Continue"],
)
@pytest.mark.usefixtures("passing")
def test_an_answer_that_trickles_in_is_given_up(connected: Connect, server: Server, first: bytes, then: bytes) -> None:
    server.send(parts=itertools.chain([first], forever(then)))
    client = connected(**server.options(), read_timeout=READ_TIMEOUT, max_retries=100)
    with pytest.raises(ConnectionFailed, match="within 300 seconds, which is 10 times read_timeout"):
        client.list("/users")
    assert len(server.seen) == 1


@pytest.mark.usefixtures("passing")
def test_a_slow_answer_that_ends_is_read(connected: Connect, server: Server) -> None:
    content = b'{"value": []}'
    parts = [content[at : at + 1] for at in range(len(content))]
    server.send(HEAD, b"Content-Length: %d\r\n\r\n" % len(content), *parts)
    assert connected(**server.options(), read_timeout=READ_TIMEOUT).list("/users") == []


# Memory


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_ANSWER_BYTES", MIB)


def peak(ask: Callable[[], Any], error: type[Exception], words: str) -> int:
    """The most bytes that were in use while an answer was refused."""
    tracemalloc.start()
    try:
        with pytest.raises(error, match=words):
            ask()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("first", "then"),
    [
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n"),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", b" " * 65536),
        (b"", b"HTTP/1.1 100 Continue\r\nX-Long: " + b"a" * 60000 + b"\r\n\r\n"),
    ],
    ids=["chunks", "body", "100 Continue"],
)
def test_what_never_ends_is_refused(local: GraphClient, server: Server, first: bytes, then: bytes) -> None:
    server.send(parts=itertools.chain([first], forever(then)))
    assert peak(lambda: local.list("/users"), UnreadableAnswer, "larger than this client accepts") < 4 * MIB


@pytest.mark.parametrize("then", [b"a" * 65536, b"X-More: a\r\n" * 100], ids=["one long", "many"])
def test_headers_without_an_end_are_refused(local: GraphClient, server: Server, then: bytes) -> None:
    server.send(parts=itertools.chain([HEAD + b"X-Long: "], forever(then)))
    assert peak(lambda: local.list("/users"), ConnectionFailed, "broke off") < 4 * MIB


@pytest.mark.usefixtures("small")
def test_a_bomb_is_refused_before_it_is_large(local: GraphClient, server: Server) -> None:
    bomb = gzip.compress(b" " * 16 * MIB)
    assert len(bomb) < MIB / 32
    server.answer(200, bomb, Content_Encoding="gzip")
    assert peak(lambda: local.list("/users"), UnreadableAnswer, "larger than this client accepts") < 4 * MIB


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate", "br", "zstd", "gzip\tgzip", "compress", "unheard-of"])
def test_another_encoding_is_refused(local: GraphClient, server: Server, encoding: str) -> None:
    content = zlib.compress(b"{}") if encoding == "deflate" else gzip.compress(gzip.compress(b" " * 8 * MIB))
    server.answer(200, content, Content_Encoding=encoding)
    assert peak(lambda: local.get("/users"), UnreadableAnswer, "compressed in a way that was not asked for") < 2 * MIB
    assert server.seen[0].headers["Accept-Encoding"] == "gzip"


def test_what_is_not_compressed_at_all_is_refused(local: GraphClient, server: Server) -> None:
    server.answer(200, b'{"value": []}', Content_Encoding="gzip")
    with pytest.raises(UnreadableAnswer, match="compressed in a way"):
        local.list("/users")


def test_half_of_a_compressed_answer_is_asked_for_again(connected: Connect, server: Server, waits: list[float]) -> None:
    whole = gzip.compress(b'{"value": [{"id": "1"}]}')
    server.answer(200, whole[:-9], Content_Encoding="gzip")
    server.answer(200, whole, Content_Encoding="gzip")
    assert connected(**server.options()).list("/users") == [{"id": "1"}]
    assert len(waits) == 1


# What is no JSON to everybody


@pytest.mark.parametrize(
    "content",
    [
        b'{"isEnabled": NaN}',
        b'{"isEnabled": Infinity}',
        b'{"isEnabled": 1e999}',
        b'{"isEnabled": ' + b"9" * 5000 + b"}",
        b'{"isEnabled": false, "isEnabled": true}',
        b'{"isEnabled": "\xed\xa0\x80"}',
        b'{"isEnabled": true}'.decode().encode("utf-16"),
        b'{"isEnabled": ' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"<html><body>Sign in to the hotel</body></html>",
        b"\x00",
    ],
    ids=range(12),
)
@pytest.mark.usefixtures("nothing_is_collected")
def test_what_is_no_json_is_unreadable(local: GraphClient, server: Server, content: bytes) -> None:
    server.answer(200, content)
    with pytest.raises(UnreadableAnswer, match="it is not JSON"):
        local.get("/policies/identitySecurityDefaultsEnforcementPolicy")


def test_half_of_a_character_is_replaced() -> None:
    whole = {"displayName": "\U0001f511 Anna", "id": "\ufffd", "\ufffdx": ["\ufffd\ufffd"]}
    assert read_json(rb'{"displayName": "\ud83d\udd11 Anna", "id": "\ud83d", "\udd11x": ["\uDD11\uD83D"]}') == whole
    assert read_json(json.dumps(whole).encode()) == whole


# Where the token goes


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(connected: Connect, server: Server, foreign: Server, status: int) -> None:
    client = connected(**server.options())
    for target in (foreign.url, foreign.url.replace("https", "http"), server.url, f"//localhost:{foreign.port}", "."):
        for ask in (
            lambda: client.list("/users"),
            lambda: client.patch("/users/1", {"a": 1}),
            lambda: client.batch([BatchRequest("GET", "/users/1")]),
        ):
            server.answer(status, None, Location=f"{target}/v1.0/users")
            with pytest.raises(UnreadableAnswer, match="a redirect, which is not followed"):
                ask()
    assert foreign.connections == 0
    assert len(server.seen) == 15


def test_no_link_leads_the_token_elsewhere(local: GraphClient, server: Server, foreign: Server) -> None:
    port = server.port
    for link in (
        f"{foreign.url}/v1.0/users?$skiptoken=1",
        f"http://localhost:{port}/v1.0/users?$skiptoken=1",
        f"https://localhost:{port}@localhost:{foreign.port}/v1.0/users",
        f"https://localhost:{port}\\@localhost:{foreign.port}/v1.0/users",
        f"https://localhost:{port}/beta/users",
        f"https://localhost:{port}/v1.0/../beta/users",
        f"https://localhost:{port}/v1.0/%2e%2e/beta/users",
        f"//localhost:{foreign.port}/v1.0/users",
        f"https://localhost:{port}/{TENANT}/v1.0/users",
        "/v1.0/users?$skiptoken=1",
    ):
        page = {"value": [], "@odata.nextLink": link}
        server.answer(200, page)
        with pytest.raises(UnreadableAnswer, match="leads to another host or version"):
            local.list("/users")
        server.answer(200, {"responses": [{"id": str(place), "status": 200, "body": page} for place in range(2)]})
        answers = local.read_many([Read("/users", collection=True), Read("/groups", collection=True)])
        assert all(isinstance(answer, UnreadableAnswer) for answer in answers)
    assert foreign.connections == 0
    assert len(server.seen) == 20


def test_pages_without_an_end_are_given_up(local: GraphClient, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_client, "MAX_PAGES", 5)
    for number in range(10):
        server.answer(200, {"value": [], "@odata.nextLink": f"{server.url}/v1.0/users?$skiptoken={number}"})
    with pytest.raises(UnreadableAnswer, match="more than 5 pages"):
        local.list("/users")
    assert len(server.seen) == 5


def signing_in(server: Server) -> dict[str, Any]:
    options = {name: value for name, value in server.options().items() if name != "access_token"}
    return {**options, "tenant_id": TENANT, "client_id": CLIENT, "client_secret": "hunter-2-hunter-2", "max_retries": 0}


def metadata(server: Server, **changes: Any) -> dict[str, Any]:
    base = f"{server.url}/{TENANT}"
    return {
        "issuer": f"{base}/v2.0",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        **changes,
    }


def test_the_secret_goes_to_no_other_token_endpoint(connected: Connect, server: Server, foreign: Server) -> None:
    for endpoint in (
        f"{foreign.url}/{TENANT}/oauth2/v2.0/token",
        f"http://localhost:{server.port}/{TENANT}/oauth2/v2.0/token",
        f"https://localhost:{server.port}@localhost:{foreign.port}/token",
        f"//localhost:{foreign.port}/token",
        "https://login.example.com/token",
        "file:///etc/passwd",
        "https://[",
        "",
        7,
        None,
    ):
        server.answer(200, metadata(server, token_endpoint=endpoint))
        with pytest.raises(SignInError, match="gave an answer that cannot be used"):
            connected(**signing_in(server)).token()
    assert foreign.connections == 0
    assert {one.method for one in server.seen} == {"GET"}
    assert not any(b"hunter" in one.body for one in server.seen)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"<html></html>",
        b"[]",
        b"[" * 100_000,
        b'{"access_token": null}',
        b'{"access_token": ["a"]}',
        b'{"access_token": "a.b.c", "expires_in": 1e999}',
        b'{"access_token": "a.b.c", "expires_in": "soon"}',
        b'{"error": {"error": ["invalid_client"]}, "error_codes": {"a": 1}}',
        b'{"error": "\\u001b[31m", "error_description": "' + b"x" * 100_000 + b'"}',
    ],
    ids=range(10),
)
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.usefixtures("nothing_is_collected")
def test_no_answer_of_the_token_endpoint_is_a_crash(
    connected: Connect, server: Server, content: bytes | None, status: int
) -> None:
    server.answer(200, metadata(server))
    server.answer(status, content)
    with pytest.raises(SignInError) as refused:
        connected(**signing_in(server)).token()
    assert "hunter" not in refused.value.message
    assert len(refused.value.message) < 1000


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_of_the_sign_in_service_is_followed(
    connected: Connect, server: Server, foreign: Server, status: int
) -> None:
    server.answer(status, None, Location=foreign.url)
    with pytest.raises(SignInError):
        connected(**signing_in(server)).token()
    server.answer(200, metadata(server))
    server.answer(status, None, Location=foreign.url)
    with pytest.raises(SignInError):
        connected(**signing_in(server)).token()
    assert foreign.connections == 0


# Whose answer it is


def test_what_follows_an_answer_is_not_taken_for_the_next_one(connected: Connect, server: Server) -> None:
    client = connected(**server.options(), max_retries=0)
    forged = HEAD + b'Content-Length: 16\r\n\r\n{"id": "forged"}'
    server.send(HEAD + b"Content-Length: 2\r\n\r\n{}" + forged, keep_alive=True)
    server.answer(200, {"id": "right"})
    assert client.get("/users/1") == {}
    assert client.get("/users/2") == {"id": "right"}


@pytest.mark.parametrize("status", [101, 102, 103])
def test_a_preliminary_answer_is_no_success(local: GraphClient, server: Server, status: int) -> None:
    server.send(b"HTTP/1.1 %d Wait\r\n\r\n" % status)
    with pytest.raises(GraphError, match="it is not the final one"):
        local.patch("/users/1", {"a": 1})


def answered(*items: Any) -> dict[str, Any]:
    return {"responses": list(items)}


RIGHT = {"id": "0", "status": 204, "body": {}}


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{**RIGHT, "id": "7"}],
        [{**RIGHT, "id": None}],
        [{**RIGHT, "id": ["0"]}],
        [{**RIGHT, "id": 0.0}],
        [RIGHT, RIGHT],
        [RIGHT, {**RIGHT, "status": 403}],
        [{**RIGHT, "id": 0}, RIGHT],
        [None, "0", [RIGHT]],
        [{"id": "1", "status": 200, "body": answered(RIGHT)}],
        *[[{**RIGHT, "status": status}] for status in (None, True, "204", 204.0, 0, -1, 1, 100, 199, 600, 10**30)],
    ],
    ids=range(21),
)
def test_a_batch_without_one_clear_answer_is_no_success(local: GraphClient, server: Server, items: list[Any]) -> None:
    server.answer(200, answered(*items))
    (answer,) = local.batch([BatchRequest("PATCH", "/users/1", body={})])
    assert isinstance(answer.error, UnreadableAnswer)
    assert "without an answer to this request" in answer.error.message


@pytest.mark.parametrize(
    "retry_after", ["9" * 400, "-1", "1e9", "Thu, 31 Dec 9999 23:59:59 GMT", "soon", "\x1b[31m", ""]
)
def test_no_retry_after_is_obeyed_beyond_the_bound(
    connected: Connect, server: Server, waits: list[float], retry_after: str
) -> None:
    client = connected(**server.options(), max_retries=2, max_retry_wait=30)
    for _attempt in range(4):
        server.answer(429, {"error": {"code": "TooManyRequests"}}, Retry_After=retry_after)
    with pytest.raises(M365Error, match="run the task later"):
        client.get("/organization")
    assert sum(waits) <= 30
    assert len(server.seen) <= 3
