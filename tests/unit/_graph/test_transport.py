# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""What only a real connection shows: TLS, proxies, retries through urllib3, resets, slow and endless answers."""

import contextlib
import gzip
import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import trustme

from ansible_collections.zerotrust.m365.plugins.module_utils._graph import authorities, session
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.batch import BatchRequest
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    GraphError,
    M365Error,
    OptionError,
    Throttled,
    Unavailable,
    UnreadableAnswer,
)
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import (
    CLIENT,
    TENANT,
    Connect,
    Server,
    Step,
    Told,
    make_token,
)


@pytest.fixture
def local(connected: Connect, server: Server) -> GraphClient:
    """A client of the real server."""
    return connected(**server.options())


@pytest.fixture(params=[True, False], ids=["preloaded", "not preloaded"])
def preload(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Loads a bundle as the parent of an action's worker does, or nothing, as before a module."""
    monkeypatch.setattr(authorities, "_LOADED", {})
    return authorities.preload if request.param else lambda _path: None


# Connections and TLS


def test_a_connection_is_kept(local: GraphClient, server: Server) -> None:
    for _request in range(3):
        server.answer(200, {"value": []})
        local.list("/users")
    assert server.connections == 1


def test_a_foreign_authority_is_refused_at_once(
    connected: Connect, server: Server, tmp_path: Path, waits: list[float]
) -> None:
    foreign = tmp_path / "foreign.pem"
    trustme.CA().cert_pem.write_to_path(str(foreign))
    client = connected(**{**server.options(), "ca_path": str(foreign)})
    with pytest.raises(
        ConnectionFailed, match=r"Could not list users: The certificate of localhost.* ca_path"
    ) as caught:
        client.list("/users", action="list users")
    assert caught.value.certain
    assert (server.seen, waits) == ([], [])


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_ca_path_beats_the_environment(
    connected: Connect, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    foreign = str(tmp_path / "foreign.pem")
    trustme.CA().cert_pem.write_to_path(foreign)
    monkeypatch.setenv(name, foreign)
    server.answer(200, {"value": []})
    assert connected({name: foreign}, **server.options()).list("/users") == []


def test_the_environment_says_the_authority_when_no_option_does(connected: Connect, server: Server) -> None:
    options = server.options()
    environment = {"REQUESTS_CA_BUNDLE": options.pop("ca_path")}
    server.answer(200, {"value": []})
    assert connected(environment, **options).list("/users") == []


def test_msal_trusts_ca_path_too(
    connected: Connect, server: Server, monkeypatch: pytest.MonkeyPatch, preload: Callable[[str], None]
) -> None:
    preload(server.ca_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/dev/null")
    options = {**server.options(), "tenant_id": TENANT, "client_id": CLIENT, "client_secret": "s3cret"}
    token = options.pop("access_token")
    server.answer(
        200,
        {
            "issuer": f"{server.url}/{TENANT}/v2.0",
            "token_endpoint": f"{server.url}/{TENANT}/oauth2/v2.0/token",
            "authorization_endpoint": f"{server.url}/x",
        },
    )
    server.answer(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": token})
    server.answer(200, {"value": []})
    assert connected(**options).list("/users") == []
    assert [seen.path.partition("?")[0] for seen in server.seen] == [
        f"/{TENANT}/v2.0/.well-known/openid-configuration",
        f"/{TENANT}/oauth2/v2.0/token",
        "/v1.0/users",
    ]
    assert server.connections == 1
    assert all(seen.headers["User-Agent"].startswith("zerotrust.m365/") for seen in server.seen)


def test_a_netrc_never_replaces_the_token(
    local: GraphClient, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login eve password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.answer(200, {"value": []})
    local.list("/users")
    assert server.seen[0].headers["Authorization"] == f"Bearer {local.token().secret}"


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_an_unusable_ca_path_is_bad_input(connected: Connect, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OptionError, match=r"ca_path: .*ca\.pem"):
        connected(access_token=make_token(), ca_path=str(path))


def test_a_closed_port_is_told(connected: Connect, server: Server, waits: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"https://localhost:{unused.getsockname()[1]}"
        options = {**server.options(), "graph_url": url, "access_token": make_token(audience=url)}
        with pytest.raises(ConnectionFailed, match="cannot be reached: Connection refused") as caught:
            connected(**options).patch("/users/1", {})
    assert caught.value.certain
    assert "not known whether" not in caught.value.message
    assert len(waits) == 2


def test_an_unknown_name_is_told(connected: Connect, waits: list[float]) -> None:
    url = "https://graph.invalid"
    client = connected(graph_url=url, login_url=url, access_token=make_token(audience=url))
    with pytest.raises(ConnectionFailed, match=r"The name of graph\.invalid cannot be resolved"):
        client.list("/users")


# Retries


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "2.128"}, 2.128, 3.128),
        ({"Retry-After": "7"}, 7, 8),
        ({}, 0.5, 1.0),
        ({"Retry-After": "0"}, 0.5, 1.0),
        ({"Retry-After": "soon"}, 0.5, 1.0),
        ({"Retry-After": "-3"}, 0.5, 1.0),
        # A date is measured against the server's own clock, whatever this machine's says.
        ({"Retry-After": formatdate(1000000010, usegmt=True), "Date": formatdate(1000000000, usegmt=True)}, 10, 11),
        ({"Retry-After": formatdate(999999999, usegmt=True), "Date": formatdate(1000000000, usegmt=True)}, 0.5, 1.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_each_form(
    connected: Connect,
    server: Server,
    waits: list[float],
    told: Told,
    headers: dict[str, str],
    least: float,
    most: float,
    status: int,
) -> None:
    client = connected(**server.options())
    server.answer(status, {"error": {"code": "TooManyRequests"}}, **headers)
    server.answer(200, {"value": []})
    assert client.list("/users") == []
    assert len(waits) == 1
    assert least <= waits[0] <= most
    phrase = "Too Many Requests" if status == 429 else "Service Unavailable"
    trying = f"trying again in {waits[0]:.1f} seconds (1 of at most 6 retries)."
    assert told.warnings == [f"GET /v1.0/users: answer {status} {phrase}; {trying}"]
    assert [call["status"] for call in client.calls.as_result()] == [status, 200]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_other_outages_are_tried_again(local: GraphClient, server: Server, waits: list[float], status: int) -> None:
    server.answer(status, {"error": {"code": "UnknownError", "message": ""}})
    server.answer(status, b"<html>")
    server.answer(200, {"value": []})
    assert local.list("/users") == []
    assert len(waits) == 2
    assert 0.5 <= waits[0] <= 1.0
    assert 1.0 <= waits[1] <= 2.0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 423, 501])
def test_other_refusals_are_final(local: GraphClient, server: Server, waits: list[float], status: int) -> None:
    server.answer(status, {"error": {"code": "x", "message": "y"}})
    with pytest.raises(GraphError):
        local.list("/users")
    assert waits == []


def test_hours_of_retry_after_are_not_waited(local: GraphClient, server: Server, waits: list[float]) -> None:
    server.answer(429, {"error": {"code": "TooManyRequests"}}, Retry_After="7200")
    with pytest.raises(Throttled, match="7200 seconds"):
        local.list("/users")
    assert waits == []


def test_the_total_wait_is_bounded(connected: Connect, server: Server, waits: list[float]) -> None:
    client = connected(**server.options(), max_retry_wait=50)
    for _attempt in range(3):
        server.answer(429, {}, Retry_After="20")
    with pytest.raises(Throttled):
        client.list("/users")
    assert len(waits) == 2
    assert sum(waits) <= 50


def test_the_number_of_retries_is_bounded(connected: Connect, server: Server, waits: list[float]) -> None:
    client = connected(**server.options(), max_retries=2)
    for _attempt in range(3):
        server.answer(503)
    with pytest.raises(Unavailable):
        client.list("/users")
    assert len(waits) == 2
    assert client.calls.as_result() == [{"method": "GET", "path": "/v1.0/users", "status": 503, "count": 3}]


def test_no_retries_at_all(connected: Connect, server: Server, waits: list[float]) -> None:
    client = connected(**server.options(), max_retries=0)
    server.answer(429)
    with pytest.raises(Throttled):
        client.list("/users")
    assert waits == []


@pytest.mark.parametrize("what", ["reset", "truncate", "hang"])
def test_a_broken_read_is_tried_again(
    connected: Connect, server: Server, waits: list[float], told: Told, what: str
) -> None:
    client = connected(**server.options(), read_timeout=1.0 if what == "hang" else 60.0)
    server.instead(what)
    server.answer(200, {"value": []})
    assert client.list("/users") == []
    assert len(waits) == 1
    assert "no answer" in told.warnings[0]
    assert [call["status"] for call in client.calls.as_result()] == [0, 200]


def test_a_read_that_stays_broken_is_told(connected: Connect, server: Server, waits: list[float]) -> None:
    client = connected(**server.options(), max_retries=1)
    server.instead("reset")
    server.instead("truncate")
    with pytest.raises(ConnectionFailed, match="broke off"):
        client.list("/users")
    assert len(waits) == 1


def test_a_slow_answer_is_told(connected: Connect, server: Server, waits: list[float]) -> None:
    client = connected(**{**server.options(), "read_timeout": 0.3}, max_retries=0)
    server.instead("hang")
    with pytest.raises(ConnectionFailed, match=r"did not answer within 0\.3 seconds"):
        client.list("/users")


@pytest.mark.parametrize("what", ["reset", "truncate", "hang"])
def test_a_creation_is_never_blindly_repeated(
    connected: Connect, server: Server, waits: list[float], told: Told, what: str
) -> None:
    client = connected(**{**server.options(), "read_timeout": 0.3})
    server.instead(what)
    with pytest.raises(ConnectionFailed, match="not known whether the change was made"):
        client.post("/users", {"a": 1})
    assert (len(server.seen), waits, told.writes) == (1, [], 1)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_creation_that_may_have_happened_is_not_repeated(
    local: GraphClient, server: Server, waits: list[float], status: int
) -> None:
    server.answer(status)
    with pytest.raises(Unavailable):
        local.post("/users", {})
    assert len(server.seen) == 1


@pytest.mark.parametrize(("status", "headers"), [(429, {}), (429, {"Retry_After": "1"}), (503, {"Retry_After": "1"})])
def test_a_creation_that_was_refused_is_repeated(
    local: GraphClient, server: Server, waits: list[float], told: Told, status: int, headers: dict[str, str]
) -> None:
    server.answer(status, {}, **headers)
    server.answer(201, {"id": "1"})
    assert local.post("/users", {"a": 1}) == {"id": "1"}
    assert [json.loads(seen.body) for seen in server.seen] == [{"a": 1}, {"a": 1}]
    assert told.writes == 2


@pytest.mark.parametrize("what", ["reset", "truncate"])
def test_a_change_is_repeated_and_asks_each_time(
    local: GraphClient, server: Server, waits: list[float], told: Told, what: str
) -> None:
    server.instead(what)
    server.answer(204)
    assert local.patch("/users/1", {"a": 1}) is None
    assert (len(server.seen), told.writes) == (2, 2)


def test_a_batch_that_creates_is_never_blindly_repeated(local: GraphClient, server: Server, waits: list[float]) -> None:
    server.instead("reset")
    with pytest.raises(ConnectionFailed, match="not known whether"):
        local.batch([BatchRequest("GET", "/users/1"), BatchRequest("POST", "/users", body={})])
    assert (len(server.seen), waits) == (1, [])


def test_a_batch_that_only_changes_is_repeated(
    local: GraphClient, server: Server, waits: list[float], told: Told
) -> None:
    server.instead("reset")
    server.answer(200, {"responses": [{"id": "0", "status": 204}]})
    assert local.batch([BatchRequest("PATCH", "/users/1", body={})])[0].status == 204
    assert (len(server.seen), told.writes) == (2, 2)


def test_a_post_that_creates_nothing_is_repeated(local: GraphClient, server: Server, waits: list[float]) -> None:
    server.instead("reset")
    server.answer(200, {"value": True})
    assert local.post("/users/1/revokeSignInSessions", None, creates=False) == {"value": True}


def test_a_deletion_whose_answer_was_lost_is_done(local: GraphClient, server: Server, waits: list[float]) -> None:
    server.instead("reset")
    server.answer(404, {"error": {"code": "Request_ResourceNotFound"}})
    local.delete("/users/1")
    assert len(server.seen) == 2


@pytest.mark.parametrize(("status", "certain"), [(429, True), (503, False), (500, False)])
def test_a_retry_of_a_write_that_comes_too_late_is_not_sent(
    status: int, certain: bool, connected: Connect, server: Server, waits: list[float]
) -> None:
    asked: list[int] = []

    def once() -> None:
        asked.append(1)
        if len(asked) > 1:
            raise DeadlineExceeded("Too late.")

    client = connected(before_write=once, **server.options())
    server.answer(status)
    with pytest.raises(DeadlineExceeded) as raised:
        client.patch("/users/1", {})
    assert len(server.seen) == 1
    assert raised.value.maybe_done is not certain
    doubt = "" if certain else " An earlier attempt may have been done all the same."
    assert raised.value.message == f"Too late.{doubt}"


@pytest.mark.parametrize(("first", "certain"), [("reset", False), (503, False), (429, True)])
def test_a_write_is_certain_not_to_be_done_only_by_all_its_attempts(
    connected: Connect,
    server: Server,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    first: Any,
    certain: bool,
) -> None:
    """The first attempt reaches the server, all others find its port closed."""

    def refuse(*_arguments: Any, **_keywords: Any) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")

    def close(_message: str) -> None:
        monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)

    client = connected(warn=close, **server.options())
    server.script.append(Step(instead="reset") if first == "reset" else Step(first, headers={"Connection": "close"}))
    with pytest.raises(ConnectionFailed, match="Connection refused") as caught:
        client.patch("/users/1", {})
    assert len(server.seen) == 1
    assert caught.value.certain is certain
    assert ("It is not known whether the change was made." in caught.value.message) is not certain


@pytest.mark.parametrize(
    ("method", "statuses", "doubtful"),
    [
        ("PATCH", (504, 429), True),
        ("PATCH", (500, 403), True),
        ("PATCH", (504, 429, 429), True),
        ("PATCH", (429, 429), False),
        ("PATCH", (403,), False),
        ("PATCH", (504, 401), True),
        ("GET", (504, 429), False),
    ],
)
def test_a_refusal_says_whether_an_earlier_attempt_may_have_been_done(
    connected: Connect,
    server: Server,
    waits: list[float],
    method: str,
    statuses: tuple[int, ...],
    doubtful: bool,
) -> None:
    client = connected(**server.options(), max_retries=len(statuses) - 1)
    for status in statuses:
        server.answer(status)
    with pytest.raises(GraphError) as caught:
        client.get("/users/1") if method == "GET" else client.patch("/users/1", {})
    assert caught.value.status == statuses[-1]
    assert caught.value.maybe_done is doubtful
    assert caught.value.message.endswith("An earlier attempt may have been done all the same.") is doubtful


@pytest.mark.parametrize(("first", "doubtful"), [(504, True), (429, False)])
@pytest.mark.parametrize("last", [403, 504, None])
def test_doubt_outlives_a_token_that_is_renewed(
    connected: Connect,
    server: Server,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    first: int,
    doubtful: bool,
    last: int | None,
) -> None:
    """It is answered by ``last``, or comes too late."""
    asked: list[int] = []

    def not_the_third_time() -> None:
        asked.append(1)
        if last is None and len(asked) == 3:
            raise DeadlineExceeded("Too late.")

    client = connected(before_write=not_the_third_time, **server.options(), max_retries=1)
    monkeypatch.setattr(client._tokens, "renewed", lambda token: token)
    for status in (first, 401, last, 403):
        if status is not None:
            server.answer(status)
    with pytest.raises(M365Error) as caught:
        client.patch("/users/1", {})
    assert isinstance(caught.value, DeadlineExceeded) is (last is None)
    assert caught.value.maybe_done is (doubtful or last == 504)


@pytest.mark.parametrize(("first", "doubtful"), [(504, True), (429, False)])
def test_what_a_batch_may_have_done_before_stays_in_doubt(
    connected: Connect, server: Server, waits: list[float], first: int, doubtful: bool
) -> None:
    server.answer(first)
    server.answer(200, {"responses": [{"id": "0", "status": 403, "body": {}}, {"id": "1", "status": 204}]})
    requests = [BatchRequest("PATCH", f"/users/{number}", body={}) for number in range(2)]
    refused, done = connected(**server.options()).batch(requests)
    assert refused.error is not None
    assert refused.error.maybe_done is doubtful
    assert done.error is None


def test_closing_ends_a_wait(connected: Connect, server: Server) -> None:
    closing: list[threading.Thread] = []

    def close_soon(_message: str) -> None:
        closing.append(threading.Thread(target=client.close))
        closing[0].start()

    client = connected(warn=close_soon, **server.options())
    server.answer(429, {}, Retry_After="100")
    with pytest.raises(ConnectionFailed, match="Interrupted"):
        client.list("/users")
    closing[0].join()
    assert len(server.seen) == 1


# Sizes


def test_a_compressed_answer_is_read(local: GraphClient, server: Server) -> None:
    server.answer(200, gzip.compress(json.dumps({"value": [{"id": "1"}]}).encode()), Content_Encoding="gzip")
    assert local.list("/users") == [{"id": "1"}]


def test_a_huge_answer_is_refused(local: GraphClient, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_ANSWER_BYTES", 1024 * 1024)
    bomb = gzip.compress(b" " * 8 * 1024 * 1024)
    assert len(bomb) < 100_000
    server.answer(200, bomb, Content_Encoding="gzip")
    with pytest.raises(UnreadableAnswer, match="larger than this client accepts"):
        local.list("/users")


def test_a_redirect_is_not_followed(local: GraphClient, server: Server) -> None:
    server.answer(302, None, Location=f"{server.url}/v1.0/elsewhere")
    with pytest.raises(UnreadableAnswer, match="redirect"):
        local.list("/users")
    assert len(server.seen) == 1


def test_the_product_has_the_version_of_the_collection(local: GraphClient, server: Server) -> None:
    galaxy = Path(session.__file__).parents[3] / "galaxy.yml"
    version = next(line for line in galaxy.read_text().splitlines() if line.startswith("version:")).split()[1]
    server.answer(200, {"value": []})
    local.list("/users")
    assert server.seen[0].headers["User-Agent"] == f"zerotrust.m365/{version}"


def test_cookies_are_not_kept(local: GraphClient, server: Server) -> None:
    server.answer(200, {"value": []}, Set_Cookie="a=b; Path=/")
    server.answer(200, {"value": []})
    local.list("/users")
    local.list("/users")
    assert "Cookie" not in server.seen[1].headers


# Proxies


class Proxy:
    """An HTTP proxy for CONNECT, which keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.credentials: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._socket.accept()
            except OSError:
                return
            with contextlib.suppress(ConnectionError):  # a client that does not trust the server breaks off
                self._tunnel(client)

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        lines = head.decode().split("\r\n")
        target = lines[0].split()[1]
        self.asked.append(target)
        self.credentials += [line for line in lines if line.lower().startswith("proxy-authorization")]
        host, _colon, port = target.partition(":")
        with client, socket.create_connection((host, int(port))) as upstream:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            pairs = {client: upstream, upstream: client}
            while True:
                for readable in select.select(list(pairs), [], [])[0]:
                    data = readable.recv(65536)
                    if not data:
                        return
                    pairs[readable].sendall(data)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("option", "environment", "through"),
    [
        ("PROXY", {}, True),
        (None, {"HTTPS_PROXY": "PROXY"}, True),
        (None, {"https_proxy": "PROXY"}, True),
        ("PROXY", {"HTTPS_PROXY": "http://127.0.0.1:9"}, True),
        (None, {"HTTPS_PROXY": "PROXY", "NO_PROXY": "example.com"}, True),
        (None, {"HTTPS_PROXY": "PROXY", "NO_PROXY": "example.com,localhost"}, False),
        ("PROXY", {"no_proxy": "localhost"}, False),
        (None, {"HTTP_PROXY": "http://127.0.0.1:9"}, False),
        (None, {}, False),
    ],
)
def test_proxies(
    connected: Connect, server: Server, proxy: Proxy, option: str | None, environment: dict[str, str], through: bool
) -> None:
    settings = {name: value.replace("PROXY", proxy.url) for name, value in environment.items()}
    options: dict[str, Any] = server.options()
    if option:
        options["proxy"] = option.replace("PROXY", proxy.url)
    server.answer(200, {"value": []})
    client = connected(settings, **options)
    assert client.list("/users") == []
    client.close()
    assert proxy.asked == ([f"localhost:{server.port}"] if through else [])


def test_a_proxy_changes_nothing_about_trust(
    connected: Connect, server: Server, proxy: Proxy, tmp_path: Path, preload: Callable[[str], None]
) -> None:
    foreign = str(tmp_path / "foreign.pem")
    trustme.CA().cert_pem.write_to_path(foreign)
    for bundle in (server.ca_path, foreign):
        preload(bundle)
    server.answer(200, {"value": []})
    trusting = connected(**server.options(), proxy=proxy.url)
    assert trusting.list("/users") == []
    trusting.close()
    doubting = connected(**{**server.options(), "ca_path": foreign}, proxy=proxy.url)
    with pytest.raises(ConnectionFailed, match=r"The certificate of localhost.* is not trusted"):
        doubting.list("/users")
    assert len(server.seen) == 1
    assert proxy.asked == [f"localhost:{server.port}"] * 2


def test_the_process_environment_is_not_read(
    connected: Connect, server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the environment handed to connect counts: that of the task."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    server.answer(200, {"value": []})
    assert connected(**server.options()).list("/users") == []


def test_a_failing_proxy_is_told_without_its_password(
    connected: Connect, server: Server, waits: list[float], told: Told
) -> None:
    client = connected(**server.options(), proxy="http://eve:s3cret%21@127.0.0.1:9")
    with pytest.raises(ConnectionFailed, match="through the proxy") as caught:
        client.list("/users")
    assert "s3cret" not in repr(caught.value) + repr(client)
    assert {"s3cret%21", "s3cret!"} <= set(told.secrets)


def test_a_proxy_must_be_a_url(connected: Connect) -> None:
    with pytest.raises(OptionError, match="proxy must be a URL"):
        connected(access_token=make_token(), proxy="proxy.example.com:8080")
