# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""What the tests of the Graph client work against: tokens, scripted sign-in answers, a real HTTPS server."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import responses
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
GRAPH = "https://graph.microsoft.com"
LOGIN = "https://login.microsoftonline.com"

Connect = Callable[..., GraphClient]


def make_token(*, audience: str = GRAPH, tenant: str = TENANT, lifetime: int = 3600, **claims: Any) -> str:
    """A token as Entra makes them, with a signature that nobody checks. ``lifetime`` may be negative: expired."""
    now = int(time.time())
    payload = {
        "aud": audience,
        "tid": tenant,
        "appid": CLIENT,
        "iat": now + lifetime - 3660,
        "exp": now + lifetime,
        "roles": ["Policy.Read.All"],
        **claims,
    }
    parts = (json.dumps({"alg": "RS256"}).encode(), json.dumps(payload).encode(), b"signature" + str(now).encode())
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@dataclass
class Told:
    """What a client told its caller."""

    warnings: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    writes: int = 0

    def before_write(self) -> None:
        self.writes += 1


def discovery(http: responses.RequestsMock, tenant: str = TENANT) -> None:
    """The one request that msal needs before it asks for a token."""
    http.get(
        f"{LOGIN}/{tenant}/v2.0/.well-known/openid-configuration",
        json={
            "issuer": f"{LOGIN}/{TENANT}/v2.0",
            "token_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/token",
            "authorization_endpoint": f"{LOGIN}/{TENANT}/oauth2/v2.0/authorize",
            "tenant_region_scope": "EU",
        },
    )


def token_answer(token: str) -> dict[str, Any]:
    return {"token_type": "Bearer", "expires_in": 3599, "access_token": token}


@dataclass
class Pem:
    """A private key, and a certificate for it that is valid today."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: str

    def private(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def make_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> Pem:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    return Pem(key, builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode())


# A real server, for what a mock cannot show.


@dataclass
class Seen:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Step:
    """One answer: JSON or bytes; or ``instead`` of it 'reset' (none), 'truncate' (a part), 'hang' (none in time).

    ``raw`` are the very bytes that are sent, status line and all, part by part.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    instead: str = ""
    raw: Iterable[bytes] = ()
    keep_alive: bool = False

    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Server:
    """An HTTPS server on localhost that answers by a script, and keeps what it was asked."""

    def __init__(self, authority: trustme.CA, certificate: trustme.LeafCert, folder: Path) -> None:
        self.script: list[Step] = []
        self.seen: list[Seen] = []
        self.connections = 0
        self.released = threading.Event()
        self.ca_path = str(folder / "authority.pem")
        authority.cert_pem.write_to_path(self.ca_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(self))
        self._http.daemon_threads = True
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._http.server_address[1]
        self.url = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def answer(self, status: int = 200, body: Any = None, **headers: str) -> None:
        self.script.append(Step(status, body, {name.replace("_", "-"): value for name, value in headers.items()}))

    def instead(self, what: str) -> None:
        self.script.append(Step(instead=what))

    def send(self, *raw: bytes, parts: Iterable[bytes] = (), keep_alive: bool = False) -> None:
        self.script.append(Step(raw=parts or raw, keep_alive=keep_alive))

    def options(self) -> dict[str, Any]:
        """Options of a client that reaches this server with a ready token."""
        return {
            "graph_url": self.url,
            "login_url": self.url,
            "ca_path": self.ca_path,
            "access_token": make_token(audience=self.url),
        }

    def close(self) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def write_until(released: threading.Event, file: BufferedIOBase, parts: Iterable[bytes]) -> None:
    for part in parts:
        if released.is_set():
            return
        file.write(part)


def handler_for(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def log_message(self, format: str, *arguments: Any) -> None:
            """Silence."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # the client went away, which is what some tests are about
                self.close_connection = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.seen.append(Seen(self.command, self.path, dict(self.headers.items()), body))
            step = server.script.pop(0) if server.script else Step(599, {"error": {"code": "NothingScripted"}})
            if step.instead == "hang":
                server.released.wait(10)
            if step.instead in ("hang", "reset"):
                self.close_connection = True
                return
            if step.raw:
                self.close_connection = not step.keep_alive
                write_until(server.released, self.wfile, step.raw)
                return
            content = step.content()
            self.send_response_only(step.status)
            for name, value in step.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + (100 if step.instead == "truncate" else 0)))
            self.end_headers()
            self.wfile.write(content)
            if step.instead == "truncate":
                self.close_connection = True

    for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    return Handler
