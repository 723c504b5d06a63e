# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What large and many simulated tenants cost: seconds to start, milliseconds for a page, memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from ansible_collections.zerotrust.m365.tests.benchmarks.measuring import BenchmarkFailed

USERS = 100_000
TENANTS = 300
PAGE = "/v1.0/users?$top=999&$select=id,userPrincipalName,accountEnabled,userType,perUserMfaState"
PAGES = 30


@dataclass(frozen=True)
class Started:
    """A simulator that has just begun to listen. ``cpu`` and ``seconds`` are those until then."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    seconds: float
    cpu: float

    def peak_memory(self) -> float:
        """MiB, the greatest so far."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise BenchmarkFailed("The system does not tell the peak memory of a process.")


@dataclass(frozen=True)
class SimulatorCosts:
    """``page`` is in seconds, ``page_cpu`` in CPU seconds of the simulator, ``memory`` in MiB after reading pages.

    ``load`` is the load average of the minute before.
    """

    large_start: float
    large_cpu: float
    page: float
    page_cpu: float
    memory: float
    many_start: float
    many_cpu: float
    many_users: int
    load: float


def costs_of_simulator() -> SimulatorCosts:
    """Of one tenant with many users, and of many tenants."""
    load = os.getloadavg()[0]
    with _started("--scenario", "generated", "--seed", "7", "--users", str(USERS)) as large:
        before = _cpu(large.process.pid)
        page = _seconds_per_page(large.ready)
        page_cpu = (_cpu(large.process.pid) - before) / PAGES
        memory = large.peak_memory()
    with _started("--scenario", "generated", "--seed", "7", "--tenants", str(TENANTS)) as many:
        users = sum(_count_users(many.ready, tenant) for tenant in many.ready["tenants"])
    return SimulatorCosts(large.seconds, large.cpu, page, page_cpu, memory, many.seconds, many.cpu, users, load)


@contextmanager
def _started(*options: str) -> Iterator[Started]:
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        ready_file = Path(name) / "ready.json"
        command = [sys.executable, "-m", "m365_simulator", "serve", "--ready-file", str(ready_file), *options]
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            if not said.startswith("Simulating"):
                raise BenchmarkFailed(f"The simulator did not start: {said}")
            seconds = time.monotonic() - begun
            yield Started(process, json.loads(ready_file.read_text(encoding="utf-8")), seconds, _cpu(process.pid))
        finally:
            process.terminate()
            process.communicate(timeout=60)


def _cpu(process: int) -> float:
    """Seconds in user and system mode so far."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _session(ready: dict[str, Any], tenant: dict[str, Any]) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = ready["ca_file"]
    form = {
        "grant_type": "client_credentials",
        "client_id": tenant["client_id"],
        "client_secret": tenant["client_secret"],
        "scope": f"{ready['graph_url']}/.default",
    }
    answer = session.post(f"{ready['login_url']}/{tenant['tenant_id']}/oauth2/v2.0/token", data=form)
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def _seconds_per_page(ready: dict[str, Any]) -> float:
    """The median over the first pages, each read and parsed."""
    taken: list[float] = []
    with _session(ready, ready["tenants"][0]) as session:
        address = f"{ready['graph_url']}{PAGE}"
        for _unused in range(PAGES):
            begun = time.monotonic()
            body = session.get(address).json()
            taken.append(time.monotonic() - begun)
            if len(body["value"]) != 999:
                raise BenchmarkFailed(f"A page has {len(body['value'])} users.")
            address = body["@odata.nextLink"]
    return statistics.median(taken)


def _count_users(ready: dict[str, Any], tenant: dict[str, Any]) -> int:
    with _session(ready, tenant) as session:
        answer = session.get(f"{ready['graph_url']}/v1.0/users/$count", headers={"ConsistencyLevel": "eventual"})
    return int(answer.text.lstrip("\ufeff"))
