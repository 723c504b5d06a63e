# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that are not what they should be are refused in one sentence, before a byte of a secret goes out to them."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa

from ansible_collections.zerotrust.m365.tests.integration.running_playbook import run_playbook
from ansible_collections.zerotrust.m365.tests.integration.searching import Search, key_lines, token_parts
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import CLIENT, TENANT, make_pem, make_token

SECRET = "wrong+But/still=Secret& 7#Zq"
DOORS = ("action", "module")
TOKEN_ENDPOINT = b'{"token_endpoint": "https://localhost/token"}'


class Listener:
    """Keeps what clients send to a port: within TLS, once they have accepted its certificate, and as it is."""

    def __init__(self, certificate: trustme.LeafCert | None) -> None:
        self.received = b""
        self.connections = 0
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(self._context)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:  # closed
                return
            self.connections += 1
            with contextlib.suppress(OSError), connection:
                connection.settimeout(5)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        self.received += connection.recv(65536)
        body = TOKEN_ENDPOINT
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        connection.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


AUTHORITY = trustme.CA()
"""The one that is trusted."""
NOW = datetime.now(timezone.utc)
WORDS = {
    "foreign": "give its certificate with ca_path",
    "expired": "The certificate of localhost is not trusted: certificate has expired. It has to be renewed",
    "other-name": "The certificate of localhost is not trusted: Hostname mismatch",
    "not-yet-valid": "The certificate of localhost is not trusted: certificate is not yet valid. Check this",
    "without-tls": "localhost",
    "http": "must begin with https:// and name a host",
}
"""What is told of each kind of server."""


def certificate_of(kind: str) -> trustme.LeafCert | None:
    if kind in ("without-tls", "http"):
        return None
    if kind == "foreign":
        return trustme.CA().issue_cert("localhost")
    if kind == "other-name":
        return AUTHORITY.issue_cert("graph.example")
    if kind == "trusted":
        return AUTHORITY.issue_cert("localhost")
    start = NOW + timedelta(days=2 if kind == "not-yet-valid" else -2)
    return AUTHORITY.issue_cert("localhost", not_before=start, not_after=start + timedelta(days=1))


@pytest.fixture
def listeners() -> Iterator[dict[str, Listener]]:
    found = {kind: Listener(certificate_of(kind)) for kind in [*WORDS, "trusted"]}
    yield found
    for listener in found.values():
        listener.close()


def credentials(url: str, certificate: Path) -> dict[str, dict[str, Any]]:
    """Ways to show a secret to a server: the sign-in service gets a client secret or an assertion, Graph a token."""
    graph = "https://graph.microsoft.com"
    return {
        "client-secret": {"client_id": CLIENT, "client_secret": SECRET, "login_url": url, "graph_url": graph},
        "certificate": {
            "client_id": CLIENT,
            "client_certificate_path": str(certificate),
            "login_url": url,
            "graph_url": graph,
        },
        "token": {"access_token": make_token(audience=url), "graph_url": url, "login_url": url},
    }


@pytest.mark.deep
def test_no_secret_goes_to_a_server_that_is_not_trusted(listeners: dict[str, Listener], tmp_path: Path) -> None:
    pem = make_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(pem.private() + pem.certificate, encoding="utf-8")
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    hosts: dict[str, dict[str, Any]] = {}
    secrets = {"client secret": SECRET, **key_lines(certificate)}
    for kind, listener in listeners.items():
        url = f"{'http' if kind == 'http' else 'https'}://localhost:{listener.port}"
        for way, options in credentials(url, certificate).items():
            if "access_token" in options:
                secrets |= token_parts(f"token for {kind}", options["access_token"])
            for door in DOORS if kind != "trusted" else ("action",):
                hosts[f"{kind}_{way}_{door}"] = {"m365_in_process": door == "action", "options": options}
    inventory, playbook = tmp_path / "inventory.yml", tmp_path / "playbook.yml"
    everywhere = {
        "ansible_connection": "local",
        "ansible_pipelining": True,
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": everywhere}}), encoding="utf-8")
    options = {name: f"{{{{ options.{name} | default(omit) }}}}" for one in hosts.values() for name in one["options"]}
    bounds = {"ca_path": str(tmp_path / "authority.pem"), "max_retries": 0, "read_timeout": 5, "tenant_id": TENANT}
    task = {
        "name": "Ask",
        "zerotrust.m365.security_defaults": {
            "enabled": True,
            "accept_risks": ["unproven_emergency_access"],
            **bounds,
            **options,
        },
    }
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    run = run_playbook(tmp_path / "run", playbook, "--inventory", str(inventory), "-vvvv")

    told = {host: re.sub(r"localhost:\d+", "localhost", run.task("Ask", host).message) for host in hosts}
    assert all(run.task("Ask", host).failed for host in hosts)
    wrong = {
        host: message
        for host, message in told.items()
        if WORDS.get(host.partition("_")[0], "") not in message or len(message) > 400 or "\n" in message
    }
    assert wrong == {}
    assert "Traceback" not in run.output
    search = Search(secrets)
    assert search.in_runs([run]) == []
    # Nothing was sent within TLS; and where no TLS was spoken, no more than the greeting of it.
    for kind, listener in listeners.items():
        assert (listener.connections == 0) == (kind == "http")
        assert search.in_bytes(listener.received) == set() or kind == "trusted"
        assert listener.received == b"" or kind in ("without-tls", "trusted")
    assert search.in_bytes(listeners["trusted"].received) != set(), "a listener sees nothing at all"
