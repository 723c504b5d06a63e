# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""Authorities that were loaded before Ansible forks save time, and never change who is trusted."""

import json
import os
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from urllib3 import HTTPSConnectionPool

from ansible_collections.zerotrust.m365.plugins.module_utils._graph import authorities, session
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.authorities import preload, preloaded_context
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import ConnectionFailed
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.retry import BoundedRetry, RetryPolicy
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import Connect, Server, make_token

Trusting = Callable[[Path], dict[str, Any]]
# The latter in the words of urllib3 1.26, which compares the names itself in contexts of its own.
NOT_THIS_HOST = r"is not trusted: Hostname mismatch, certificate is not valid for 'localhost'|: CertificateError\."


@pytest.fixture(autouse=True)
def _nothing_loaded_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorities, "_LOADED", {})
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return written(tmp_path / "bundle.pem", trustme.CA())


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was loaded into any context since."""
    seen: list[Any] = []
    original = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, *arguments: Any, **keywords: Any) -> None:
        seen.append([*arguments, *keywords.values()])
        original(context, *arguments, **keywords)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    return seen


def written(path: Path, *authorities_of_it: trustme.CA) -> Path:
    path.write_bytes(b"".join(authority.cert_pem.bytes() for authority in authorities_of_it))
    return path


# What is loaded, and when it is used


def test_a_bundle_is_loaded_once(bundle: Path, loads: list[Any]) -> None:
    preload(str(bundle))
    assert len(loads) == 1
    assert preloaded_context(str(bundle)) is preloaded_context(str(bundle))
    assert len(loads) == 1


def test_the_context_checks_everything(bundle: Path) -> None:
    preload(str(bundle))
    context = preloaded_context(str(bundle))
    assert context is not None
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert [trusted["serialNumber"] for trusted in context.get_ca_certs()] == serial_numbers(bundle)


def serial_numbers(bundle: Path) -> list[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    return [str(trusted["serialNumber"]) for trusted in context.get_ca_certs()]


def test_no_other_path_shares_it(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pem"
    copy.write_bytes(bundle.read_bytes())
    preload(str(bundle))
    assert preloaded_context(str(copy)) is None
    assert preloaded_context(str(tmp_path / "missing.pem")) is None


def test_a_changed_bundle_is_not_what_was_loaded(bundle: Path) -> None:
    preload(str(bundle))
    before, status = bundle.read_bytes(), bundle.stat()
    changed = written(bundle, trustme.CA()).read_bytes()
    bundle.write_bytes((changed + before)[: len(before)])
    os.utime(bundle, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (bundle.stat().st_size, bundle.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert preloaded_context(str(bundle)) is None
    bundle.write_bytes(before)
    assert preloaded_context(str(bundle)) is not None
    bundle.unlink()
    assert preloaded_context(str(bundle)) is None


def test_a_bundle_that_changes_while_it_is_loaded_is_left_out(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = ssl.SSLContext.load_verify_locations
    before = bundle.read_bytes()

    def replaced_meanwhile(context: ssl.SSLContext, *arguments: Any, **keywords: Any) -> None:
        written(bundle, trustme.CA())
        original(context, *arguments, **keywords)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", replaced_meanwhile)
    preload(str(bundle))
    bundle.write_bytes(before)
    assert preloaded_context(str(bundle)) is None


def no_certificate(path: Path) -> None:
    path.write_text("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")


def too_large(path: Path) -> None:
    with written(path, trustme.CA()).open("ab") as file:
        file.truncate(authorities.MAX_BUNDLE_BYTES + 1)


def nothing(_path: Path) -> None:
    """Leaves the file out."""


@pytest.mark.parametrize(
    "make", [nothing, Path.mkdir, os.mkfifo, Path.touch, no_certificate, too_large], ids=lambda make: make.__name__
)
def test_anything_unusual_is_left_to_requests(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    """A pipe, too, which would be read empty, or waited for."""
    path = tmp_path / "bundle.pem"
    make(path)
    preload(str(path))
    assert preloaded_context(str(path)) is None


def test_a_file_that_may_not_be_read_is_left_to_requests(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: Path) -> bytes:
        raise PermissionError

    preload(str(bundle))
    monkeypatch.setattr(Path, "read_bytes", refused)
    assert preloaded_context(str(bundle)) is None
    authorities._LOADED.clear()
    preload(str(bundle))
    assert authorities._LOADED == {}


def test_who_wants_the_keys_of_connections_gets_a_context_of_their_own(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preload(str(bundle))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "of_this_task"))
    assert preloaded_context(str(bundle)) is None
    authorities._LOADED.clear()
    preload(str(bundle))
    monkeypatch.delenv("SSLKEYLOGFILE")
    assert preloaded_context(str(bundle)) is None


@pytest.mark.parametrize("check", ["check_hostname", "verify_mode"])
def test_a_context_that_stopped_checking_is_never_used(bundle: Path, check: str) -> None:
    preload(str(bundle))
    context = preloaded_context(str(bundle))
    assert context is not None
    context.check_hostname = False
    if check == "verify_mode":
        context.verify_mode = ssl.CERT_NONE
    assert preloaded_context(str(bundle)) is None


def test_a_stand_in_for_the_context_is_not_shared(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """urllib3 can be made to use pyOpenSSL, whose context knows no check_hostname."""
    monkeypatch.setattr(authorities, "create_urllib3_context", object)
    preload(str(bundle))
    assert preloaded_context(str(bundle)) is None


@pytest.mark.parametrize(
    ("environment", "loaded"),
    [
        ({"M365_CA_PATH": "BUNDLE", "REQUESTS_CA_BUNDLE": "/other", "CURL_CA_BUNDLE": "/other"}, True),
        ({"REQUESTS_CA_BUNDLE": "BUNDLE", "CURL_CA_BUNDLE": "/other"}, True),
        ({"M365_CA_PATH": "", "CURL_CA_BUNDLE": "BUNDLE"}, True),
        ({"M365_CA_PATH": "/missing", "REQUESTS_CA_BUNDLE": "BUNDLE"}, False),
        ({"M365_CA_PATH": "~nobody-of-this-name/ca.pem", "REQUESTS_CA_BUNDLE": "BUNDLE"}, False),
    ],
)
def test_the_bundle_is_the_one_that_tasks_will_use(bundle: Path, environment: dict[str, str], loaded: bool) -> None:
    session.preload_authorities({name: path.replace("BUNDLE", str(bundle)) for name, path in environment.items()})
    assert list(authorities._LOADED) == ([str(bundle)] if loaded else [])


def test_without_any_setting_it_is_the_one_of_requests() -> None:
    session.preload_authorities({})
    assert list(authorities._LOADED) == [requests.utils.DEFAULT_CA_BUNDLE_PATH]


# Who is trusted, through real connections


@contextmanager
def serving(authority: trustme.CA, certificate: trustme.LeafCert, folder: Path) -> Iterator[Server]:
    server = Server(authority, certificate, folder)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(params=["ca_path", "M365_CA_PATH", "REQUESTS_CA_BUNDLE", "neither"])
def trusting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Trusting:
    """Arguments of ``connected`` that make a bundle the one to use, in each way there is."""

    def by(bundle: Path) -> dict[str, Any]:
        if request.param == "ca_path":
            return {"ca_path": str(bundle)}
        if request.param != "neither":
            return {"environment": {request.param: str(bundle)}}
        monkeypatch.setattr(requests.utils, "DEFAULT_CA_BUNDLE_PATH", str(bundle))
        monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(bundle))
        # requests 2.32 has a context of its own for this.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(bundle)
        monkeypatch.setattr(requests.adapters, "_preloaded_ssl_context", context, raising=False)
        return {}

    return by


@pytest.fixture(params=[True, False], ids=["preloaded", "not preloaded"])
def preloaded(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def reach(connected: Connect, server: Server, bundle: Path, trusting: Trusting, preloaded: bool) -> list[Any]:
    server.answer(200, {"value": []})
    if preloaded:
        preload(str(bundle))
    arguments = trusting(bundle)
    options = {name: value for name, value in server.options().items() if name != "ca_path"}
    client = connected(**{**options, **arguments})
    assert isinstance(client._session.get_adapter(server.url), session.OneContextAdapter) is preloaded
    return client.list("/users", action="list users")


def test_the_right_authority_is_trusted(
    connected: Connect, server: Server, trusting: Trusting, preloaded: bool
) -> None:
    assert reach(connected, server, Path(server.ca_path), trusting, preloaded) == []


def test_a_foreign_authority_is_refused(
    connected: Connect, server: Server, bundle: Path, trusting: Trusting, preloaded: bool
) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        reach(connected, server, bundle, trusting, preloaded)
    assert caught.value.message.startswith(
        f"Could not list users: The certificate of localhost:{server.port} is not trusted: "
        "unable to get local issuer certificate. For a private authority"
    )
    assert server.seen == []


def test_an_expired_certificate_is_refused(
    connected: Connect, authority: trustme.CA, tmp_path: Path, trusting: Trusting, preloaded: bool
) -> None:
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    expired = authority.issue_cert("localhost", not_before=yesterday - timedelta(days=1), not_after=yesterday)
    with serving(authority, expired, tmp_path) as server:
        with pytest.raises(ConnectionFailed, match=r"is not trusted: certificate has expired\. It has to be renewed"):
            reach(connected, server, Path(server.ca_path), trusting, preloaded)
        assert server.seen == []


def test_a_certificate_for_another_host_is_refused(
    connected: Connect, authority: trustme.CA, tmp_path: Path, trusting: Trusting, preloaded: bool
) -> None:
    with serving(authority, authority.issue_cert("graph.example.com"), tmp_path) as server:
        with pytest.raises(ConnectionFailed, match=NOT_THIS_HOST):
            reach(connected, server, Path(server.ca_path), trusting, preloaded)
        assert server.seen == []


def test_an_unusable_bundle_is_told_at_once(
    connected: Connect, server: Server, tmp_path: Path, waits: list[float]
) -> None:
    no_certificate(bundle := tmp_path / "unusable.pem")
    preload(str(bundle))
    options = {**server.options(), "ca_path": str(bundle)}
    with pytest.raises(ConnectionFailed, match=r"authorities to trust cannot be read: '.*unusable.pem' is damaged"):
        connected(**options).list("/users")
    assert waits == []


def test_ca_path_beats_what_was_preloaded(connected: Connect, server: Server, bundle: Path) -> None:
    """The server's authority is loaded, as by the environment of ansible-playbook; the task trusts only another."""
    preload(server.ca_path)
    options = {**server.options(), "ca_path": str(bundle)}
    with pytest.raises(ConnectionFailed, match="is not trusted"):
        connected({"M365_CA_PATH": server.ca_path}, **options).list("/users")
    assert server.seen == []


def test_a_bundle_that_no_longer_trusts_the_server_is_obeyed(connected: Connect, server: Server) -> None:
    preload(server.ca_path)
    written(Path(server.ca_path), trustme.CA())
    with pytest.raises(ConnectionFailed, match="is not trusted"):
        connected(**server.options()).list("/users")
    assert server.seen == []


@pytest.mark.usefixtures("waits")
def test_no_connection_loads_what_was_preloaded(connected: Connect, server: Server, loads: list[Any]) -> None:
    preload(server.ca_path)
    for _session in range(2):
        server.answer(200, {"value": []})
        server.instead("reset")
        server.answer(200, {"value": []})
        client = connected(**server.options())
        client.list("/users")
        client.list("/users")
    assert server.connections == 4
    assert loads == [[server.ca_path]]


def test_a_foreign_host_name_does_not_spoil_the_context_for_others(
    connected: Connect, authority: trustme.CA, server: Server, tmp_path: Path
) -> None:
    preload(server.ca_path)
    with serving(authority, authority.issue_cert("graph.example.com"), tmp_path) as other:
        for _attempt in range(2):
            with pytest.raises(ConnectionFailed, match=NOT_THIS_HOST):
                connected(**{**other.options(), "ca_path": server.ca_path}).list("/users")
    server.answer(200, {"value": []})
    assert connected(**server.options()).list("/users") == []


def test_a_proxy_does_not_cost_the_context(connected: Connect, bundle: Path) -> None:
    preload(str(bundle))
    client = connected(access_token=make_token(), ca_path=str(bundle), proxy="http://127.0.0.1:9")
    adapter: Any = client._session.get_adapter("https://graph.microsoft.com")
    manager = adapter.proxy_manager_for("http://127.0.0.1:9")
    assert manager.connection_pool_kw["ssl_context"] is preloaded_context(str(bundle))
    assert manager.proxy_config.ssl_context is None


def test_the_certificate_of_a_proxy_is_checked_as_ever(connected: Connect, bundle: Path) -> None:
    """urllib3 would check it against the system's authorities."""
    preload(str(bundle))
    client = connected(access_token=make_token(), ca_path=str(bundle), proxy="HTTPS://127.0.0.1:9")
    assert not isinstance(client._session.get_adapter("https://graph.microsoft.com"), session.OneContextAdapter)


def test_a_pool_that_lacks_the_context_loads_the_right_authorities(bundle: Path) -> None:
    """Should a requests of the future make its pools otherwise: slower, but never with the system's authorities."""
    preload(str(bundle))
    context = preloaded_context(str(bundle))
    assert context is not None
    adapter = session.OneContextAdapter(BoundedRetry(policy=RetryPolicy(0, 0.0, print)), context)
    pool = HTTPSConnectionPool("localhost")
    adapter.cert_verify(pool, "https://localhost", str(bundle), None)
    assert (pool.cert_reqs, pool.ca_certs) == ("CERT_REQUIRED", str(bundle))


# Which process loads them

PROGRAM = """
    import json, os, ssl, sys
    import requests  # 2.32 loads certifi's authorities, once and for itself

    loads = []
    original = ssl.SSLContext.load_verify_locations

    def counted(context, *arguments, **keywords):
        loads.append(os.getpid())
        original(context, *arguments, **keywords)

    ssl.SSLContext.load_verify_locations = counted
    options = json.loads(sys.argv[1])
    from ansible_collections.zerotrust.m365.plugins.module_utils import _door
    from ansible_collections.zerotrust.m365.plugins.module_utils._graph.connect import connect
    print(len(loads), flush=True)
    if options["door"] == "action":
        from ansible_collections.zerotrust.m365.plugins.plugin_utils import _action
    print(len(loads), flush=True)
    worker = os.fork()
    if not worker:
        client = connect(
            options, environment=os.environ, check_mode=True, warn=print, secret=len, before_write=print
        )
        print(client.list("/users"), loads.count(os.getpid()), flush=True)
        os._exit(0)
    os.waitpid(worker, 0)
"""


def printed(server: Server, door: str, environment: dict[str, str]) -> list[str]:
    server.answer(200, {"value": []})
    options = {name: value for name, value in server.options().items() if name != "ca_path"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), json.dumps({**options, "door": door})],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_action_loads_them_before_ansible_forks(server: Server) -> None:
    assert printed(server, "action", {"M365_CA_PATH": server.ca_path}) == ["0", "1", "[] 0"]


def test_a_module_loads_them_when_it_connects(server: Server) -> None:
    assert printed(server, "module", {"M365_CA_PATH": server.ca_path}) == ["0", "0", "[] 1"]
