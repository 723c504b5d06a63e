# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator under Microsoft's own host names, and clients that know of none of this."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.clients.installing import program
from ansible_collections.zerotrust.m365.tests.clients.private_names import HOST_NAMES, LOOPBACK
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun, run_playbook
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, credentials

HERE = Path(__file__).resolve().parent
USERS = 250
"""More than two of Graph's default pages."""
SECONDS_AT_MOST = 120
NODE = [str(Path(found).parent) for found in [shutil.which("node")] if found]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    try:
        elsewhere = [name for name in HOST_NAMES if socket.gethostbyname(name) != LOOPBACK]
    except OSError as error:
        elsewhere = [str(error)]
    if elsewhere:
        pytest.fail("These tests run by `make clients` only, which gives them Microsoft's host names.")
    options = [word for name in HOST_NAMES for word in ("--hostname", name)]
    simulator = Simulator(
        tmp_path_factory.mktemp("simulator"),
        ("business", "greenfield"),
        *("--port", "443", "--users", str(USERS), *options),
    )
    yield simulator
    simulator.stop()


@pytest.fixture
def simulator(running: Simulator) -> Simulator:
    """As it was at the start."""
    running.reset()
    return running


class Clients:
    """Runs programs of clients with one tenant's credentials, and nothing else that they could find."""

    def __init__(self, home: Path, simulator: Simulator, tenant: Tenant) -> None:
        self.home, self.simulator, self.tenant = home, simulator, tenant
        self._runs = 0

    def environment(self) -> dict[str, str]:
        """Trust in the simulator's certificate comes by the settings that each client has for such things."""
        return {
            "PATH": os.pathsep.join((*NODE, "/usr/local/bin", "/usr/bin", "/bin")),
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "LC_ALL": "C.UTF-8",
            "REQUESTS_CA_BUNDLE": self.simulator.ca_file,
            "SSL_CERT_FILE": self.simulator.ca_file,
            "NODE_EXTRA_CA_CERTS": self.simulator.ca_file,
            "AZURE_CONFIG_DIR": str(self.home / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            **credentials(self.tenant),
        }

    def run(self, client: str, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program(client, name), *words],
            cwd=self.home,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS_AT_MOST,
            check=False,
        )

    def json(self, client: str, name: str, *words: str) -> Any:
        """What a program printed; it must have succeeded."""
        done = self.run(client, name, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def python(self, client: str, script: str, *words: str) -> Any:
        """What one of our programs printed, written with a client's library and run by its own Python."""
        return self.json(client, "python", str(HERE / "programs" / script), *words)

    def play(self, *tasks: dict[str, Any]) -> PlaybookRun:
        """Tasks of the collection, with the credentials in the environment and the clouds' own addresses."""
        self._runs += 1
        playbook = self.home / f"playbook{self._runs}.yml"
        play = {"name": "Look", "hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}
        playbook.write_text(json.dumps([play]), encoding="utf-8")
        environment = {**credentials(self.tenant), "M365_CA_PATH": self.simulator.ca_file}
        run = run_playbook(self.home / f"run{self._runs}", playbook, environment=environment)
        assert run.return_code == 0, run.output
        return run


@pytest.fixture
def clients(simulator: Simulator, tmp_path: Path) -> Clients:
    """With the tenant of the scenario `business`, which has Conditional Access."""
    return Clients(tmp_path, simulator, simulator.tenant("business"))


@pytest.fixture
def clients_of_greenfield(simulator: Simulator, tmp_path: Path) -> Clients:
    """With the tenant of the scenario `greenfield`, where security defaults can be enabled."""
    return Clients(tmp_path, simulator, simulator.tenant("greenfield"))


class State:
    """What the simulator itself says that a tenant holds."""

    def __init__(self, objects: dict[str, list[dict[str, Any]]]) -> None:
        self._objects = objects

    def all(self, kind: str, **where: Any) -> list[dict[str, Any]]:
        return [one for one in self._objects[kind] if all(one.get(name) == value for name, value in where.items())]

    def ids(self, kind: str, **where: Any) -> list[str]:
        return sorted(one["id"] for one in self.all(kind, **where))


@pytest.fixture
def state(clients: Clients) -> State:
    """At the start of the test."""
    return State(clients.simulator.state(clients.tenant)["objects"])
