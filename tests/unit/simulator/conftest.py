# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated tenant in this process, reached over ASGI; and a real server in a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests

from ansible_collections.zerotrust.m365.tests.contract.watching import Recorded, check_answer, fail_on
from m365_simulator.simulation import Options, Simulation
from m365_simulator.web import WebApplication

URL = "https://localhost:8443"
SECRET_TYPE = {"grant_type": "client_credentials", "scope": f"{URL}/.default"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])

    @property
    def value(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.body["value"]
        return found


class Client:
    """Speaks HTTP to one simulation without a network. One request at a time, whatever thread it comes from: the
    simulator's state belongs to the one loop that serves it."""

    def __init__(self, simulation: Simulation, stopped: list[bool]) -> None:
        self.simulation = simulation
        self.tenant = simulation.first
        self.application = WebApplication(simulation, lambda: stopped.append(True))
        self.stopped = stopped
        self._turn = threading.Lock()
        simulation.graph.exchanges.observers[:] = [check_answer]
        self.kept_token: str | None = None

    def send(self, method: str, path: str, *, content: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        location, _unused, query = path.partition("?")
        sent_headers = {"host": "localhost:8443", **{name.lower(): value for name, value in (headers or {}).items()}}
        raw = [(name.encode(), value.encode()) for name, value in sent_headers.items()]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": location,
            "raw_path": location.encode(),
            "query_string": quote(query, safe="=&$'(),/:%+").encode(),
            "root_path": "",
            "headers": raw,
            "server": ("localhost", 8443),
            "client": ("127.0.0.1", 1),
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        with self._turn:
            asyncio.run(self.application(scope, receive, send))
        answered = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], answered, b"".join(part.get("body", b"") for part in sent[1:]))

    def sign_in(self, tenant: str | None = None, **changes: str | None) -> Answer:
        """By secret unless the changes say otherwise; a change to None leaves the field out."""
        application = self.tenant.application
        form: dict[str, str | None] = {
            **SECRET_TYPE,
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            **changes,
        }
        content = urlencode({name: value for name, value in form.items() if value is not None}).encode()
        return self.send("POST", f"/{tenant or self.tenant.id}/oauth2/v2.0/token", content=content)

    def token(self) -> str:
        return str(self.sign_in().body["access_token"])

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """A Graph request with a token as fresh as the last change through `admin`, or with the one given."""
        if token is None and self.kept_token is None:
            self.kept_token = self.token()
        content = b"" if body is None else json.dumps(body).encode()
        bearer = {"Authorization": f"Bearer {token or self.kept_token}"}
        return self.send(method, path, content=content, headers={**bearer, **(headers or {})})

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def admin(self, method: str, path: str, body: Any = None) -> Answer:
        self.kept_token = None
        return self.send(method, f"/_admin{path}", content=b"" if body is None else json.dumps(body).encode())

    def grant(self, *permissions: str) -> None:
        """What the application's tokens allow from now on."""
        self.admin("POST", "/application", {"permissions": list(permissions)})


@pytest.fixture(scope="session")
def simulations() -> Iterator[Callable[[str], Simulation]]:
    made: dict[str, Simulation] = {}

    def make(scenario: str) -> Simulation:
        if scenario not in made:
            made[scenario] = Simulation(Options(scenarios=(scenario,)), [URL])
        return made[scenario]

    yield make
    for simulation in made.values():
        simulation.close()


@pytest.fixture(scope="session")
def client_of() -> Callable[[Simulation], Client]:
    return lambda simulation: Client(simulation, [])


@pytest.fixture
def simulate(simulations: Callable[[str], Simulation]) -> Callable[[str], Client]:
    """A client of a scenario in its first state."""

    def open_client(scenario: str) -> Client:
        simulation = simulations(scenario)
        simulation.reset()
        return Client(simulation, [])

    return open_client


@pytest.fixture
def open_simulation_client() -> Iterator[Callable[..., Client]]:
    """A client of a simulation of its own, with the given options."""
    opened: list[Simulation] = []

    def open_client(**options: Any) -> Client:
        opened.append(Simulation(Options(**options), [URL]))
        return Client(opened[-1], [])

    yield open_client
    for simulation in opened:
        simulation.close()


@pytest.fixture
def greenfield(simulate: Callable[[str], Client]) -> Client:
    return simulate("greenfield")


@pytest.fixture
def legacy(simulate: Callable[[str], Client]) -> Client:
    return simulate("legacy")


@pytest.fixture
def business(simulate: Callable[[str], Client]) -> Client:
    return simulate("business")


@pytest.fixture
def hybrid(simulate: Callable[[str], Client]) -> Client:
    return simulate("hybrid")


@pytest.fixture
def locked(simulate: Callable[[str], Client]) -> Client:
    return simulate("locked")


class Server:
    """`m365-simulator serve` in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.ready_file = folder / "ready.json"
        self.exchanges = folder / "exchanges.jsonl"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "m365_simulator", "serve", *self.files(), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        assert self.said.startswith("Simulating"), self.said
        self.ready: dict[str, Any] = json.loads(self.ready_file.read_text())
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = self.ready["ca_file"]

    def files(self) -> list[str]:
        return ["--ready-file", str(self.ready_file), "--exchanges", str(self.exchanges)]

    def token(self, **changes: Any) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.ready["client_id"],
            "client_secret": self.ready["client_secret"],
            "scope": f"{self.ready['graph_url']}/.default",
            **changes,
        }
        return self.session.post(f"{self.ready['login_url']}/{self.ready['tenant_id']}/oauth2/v2.0/token", data=form)

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token().json()['access_token']}"}
        return self.session.request(method, f"{self.ready['graph_url']}{path}", headers=headers, **more)

    def admin(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.session.request(method, f"{self.ready['admin_url']}{path}", json=body)

    def stop(self) -> int:
        """Its exit status after SIGTERM; harmless when it has ended."""
        self.session.close()
        self.process.terminate()
        status = self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        fail_on([finding for verdict in Recorded(self.exchanges).new() for finding in verdict.answer])
        return status


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*arguments: str) -> Server:
        started.append(Server(tmp_path, *arguments))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"), "--managed-identity-port", "0", "--hostname", "graph.example")
    yield running
    assert running.stop() == 0
