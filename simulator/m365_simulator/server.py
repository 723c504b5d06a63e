# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listens: sockets, TLS, the ready file, and a graceful end."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
import uvicorn

from m365_simulator.errors import SimulatorError
from m365_simulator.exchanges import ExchangeFile
from m365_simulator.managed_identity import APP_SERVICE_PATH, make_managed_identity
from m365_simulator.simulation import Options, Simulation
from m365_simulator.web import WebApplication

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class ServeOptions:
    """`port` 0 takes any free one; `managed_identity_port` None leaves that endpoint out; `exchanges` is
    a file for all exchanges with Graph."""

    simulation: Options
    port: int = 0
    ready_file: Path | None = None
    hostnames: tuple[str, ...] = ()
    managed_identity_port: int | None = None
    exchanges: Path | None = None


def serve(options: ServeOptions, say: Callable[[str], None]) -> None:
    """Run until SIGTERM, SIGINT or POST /_admin/shutdown. Raises SimulatorError when it cannot start."""
    if options.ready_file is not None:
        check_folder(options.ready_file)
    with (
        open_socket(options.port) as listener,
        tempfile.TemporaryDirectory(prefix="m365-simulator-") as folder,
        ExitStack() as closing_at_end,
    ):
        urls = make_urls(listener.getsockname()[1], options.hostnames)
        simulation = Simulation(options.simulation, urls)
        try:
            if options.exchanges is not None:
                recorder = closing_at_end.enter_context(closing(ExchangeFile(options.exchanges)))
                simulation.graph.exchanges.observers.append(recorder)
            _Runner(options, simulation, listener, Path(folder), urls, say).run()
        finally:
            simulation.close()


def open_socket(port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise SimulatorError(f"There is no port {port}; ports are 0 to 65535.")
    try:
        return socket.create_server((LOOPBACK, port), backlog=512)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SimulatorError(f"Port {port} cannot be used: {reason}.") from None


def make_urls(port: int, hostnames: Sequence[str]) -> list[str]:
    """Every address that leads here, the preferred one first. Port 443 is not written."""
    names = ("localhost", LOOPBACK, *hostnames)
    urls = [f"https://{name}:{port}" for name in names]
    if port == 443:
        urls = [f"https://{name}" for name in names] + urls
    return urls


class _Server(uvicorn.Server):
    """Uvicorn that leaves signals to us and tells when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening = listening

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A client that keeps its connection open does not answer the end of TLS, and would be waited for.
        for connection in list(self.server_state.connections):
            cycle: Any = getattr(connection, "cycle", None)
            if cycle is None or cycle.response_complete:
                connection.transport.abort()
        await super().shutdown(sockets)


class _Runner:
    def __init__(
        self,
        options: ServeOptions,
        simulation: Simulation,
        listener: socket.socket,
        folder: Path,
        urls: list[str],
        say: Callable[[str], None],
    ) -> None:
        self._options, self._simulation, self._folder, self._urls, self._say = options, simulation, folder, urls, say
        self._identity_secret = secrets.token_hex(16)
        self._sockets = [listener]
        authority = self._authority()
        self._ca_file = folder / "ca.pem"
        _write_private(self._ca_file, authority.cert_pem.bytes())
        config = _config(WebApplication(simulation, self._stop))
        config.ssl = _tls_context(authority, options.hostnames)
        self._servers = [_Server(config, self._one_listens)]
        if options.managed_identity_port is not None:
            self._sockets.append(open_socket(options.managed_identity_port))
            identity = _config(make_managed_identity(simulation, self._identity_secret))
            self._servers.append(_Server(identity, self._one_listens))
        self._waiting = len(self._servers)
        self._failure: SimulatorError | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._run())
            if self._failure is not None:
                raise self._failure
        finally:
            for listener in self._sockets[1:]:
                listener.close()
            if self._options.ready_file is not None:
                # A ready file without a server would lie, and it holds a secret.
                self._options.ready_file.unlink(missing_ok=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        pairs = zip(self._servers, self._sockets, strict=True)
        await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in pairs))

    def _stop(self) -> None:
        for server in self._servers:
            server.should_exit = True

    def _one_listens(self) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            try:
                self._announce()
            except SimulatorError as error:
                # Raised when the servers have ended: they must not be torn out of their loop.
                self._failure = error
                self._stop()

    def _announce(self) -> None:
        ready = self._ready()
        if self._options.ready_file is not None:
            write_ready_file(self._options.ready_file, ready)
        scenarios = ", ".join(dict.fromkeys(tenant.scenario for tenant in self._simulation.tenants.values()))
        self._say(f"Simulating {len(self._simulation.tenants)} tenant(s) ({scenarios}) at {ready['graph_url']}")

    def _ready(self) -> dict[str, Any]:
        url = self._simulation.url
        tenants = []
        for tenant in self._simulation.tenants.values():
            certificate_path = self._folder / f"{tenant.id}.pem"
            pem = tenant.application.certificate + self._simulation.client_key.pem
            _write_private(certificate_path, pem.encode())
            tenants.append(
                {
                    "tenant_id": tenant.id,
                    "client_id": tenant.application.client_id,
                    "client_secret": tenant.application.client_secret,
                    "certificate_path": str(certificate_path),
                    "scenario": tenant.scenario,
                    "initial_domain": tenant.initial_domain,
                }
            )
        first = tenants[0]
        ready: dict[str, Any] = {
            "graph_url": url,
            "login_url": url,
            "ca_file": str(self._ca_file),
            **{name: first[name] for name in ("tenant_id", "client_id", "client_secret", "certificate_path")},
            "admin_url": f"{url}/_admin",
            "tenants": tenants,
        }
        if self._options.managed_identity_port is not None:
            host = f"http://{LOOPBACK}:{self._sockets[1].getsockname()[1]}"
            ready["managed_identity_host"] = host
            ready["managed_identity_endpoint"] = host + APP_SERVICE_PATH
            ready["managed_identity_header"] = self._identity_secret
        return ready

    def _authority(self) -> trustme.CA:
        """Kept with the state, so that a restart needs no new trust."""
        kept = self._simulation.store.setting("tls authority")
        if kept is not None:
            return trustme.CA.from_pem(kept["certificate"].encode(), kept["key"].encode())
        authority = trustme.CA(organization_name="m365-simulator")
        self._simulation.store.keep_setting(
            "tls authority",
            {
                "certificate": authority.cert_pem.bytes().decode(),
                "key": authority.private_key_pem.bytes().decode(),
            },
        )
        self._simulation.store.commit()
        return authority


def _config(application: Any) -> uvicorn.Config:
    config = uvicorn.Config(
        application,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
    )
    config.load()
    return config


def _tls_context(authority: trustme.CA, hostnames: Sequence[str]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", LOOPBACK, *hostnames).configure_cert(context)
    return context


def check_folder(ready_file: Path) -> None:
    """Raise SimulatorError when the ready file could not be written: better now than after a large start."""
    try:
        tempfile.TemporaryFile(dir=ready_file.parent).close()
    except OSError as error:
        raise SimulatorError(f"The ready file {ready_file} cannot be written: {error.strerror}.") from None


def write_ready_file(path: Path, ready: dict[str, Any]) -> None:
    """In one step, readable by its owner only. Raises SimulatorError."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(ready, file, indent=2)
        Path(name).replace(path)
    except OSError as error:
        raise SimulatorError(f"The ready file {path} cannot be written: {error.strerror}.") from None


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
