# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of a run at a request of each tenant, while the simulator holds that request; and what is left of the run."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ansible_collections.zerotrust.m365.tests.integration.running_playbook import (
    HERE,
    PlaybookRun,
    RunningPlaybook,
    leftovers,
    wait_for_processes_of,
)
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import (
    Request,
    Simulator,
    Tenant,
    writes,
)
from ansible_collections.zerotrust.m365.tests.integration.searching import forms

PLAYBOOK, WORKER, MODULE = "ansible-playbook", "worker", "module"
KINDS = (PLAYBOOK, WORKER, MODULE)
DEAD_WORKER = "A worker was found in a dead state"
SECONDS_TO_REACH_THE_REQUEST = 600
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[A-Za-z0-9_-]{40,}")
TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ")
"""How every access token begins."""


class Work(Protocol):
    """What a playbook has to do in one tenant. ``folder`` holds what it keeps: seals, ledgers, drills, looks."""

    tenant: Tenant
    folder: Path

    def variables(self) -> dict[str, Any]:
        """For the host of the inventory that stands for the tenant."""

    def prepare(self) -> None:
        """Bring the tenant to where the playbook has something to do."""

    def kept(self) -> tuple[Any, ...]:
        """What lies in the folder now, without what differs from tenant to tenant."""

    def secrets(self) -> list[str]:
        """What is sealed now."""

    def nothing_is_lost(self) -> None:
        """Asserted whenever a run was killed."""

    def is_done(self, run: PlaybookRun, host: str) -> None:
        """Asserted after a run that was not killed."""


@dataclass(frozen=True)
class Point:
    """A request at which a run is killed, the ``number``-th of a whole run.

    It is held after so many that come to that stage ``before`` it. With ``drop`` what had not taken effect never does:
    the request itself, or what comes after it in its $batch.
    """

    number: int
    before: int
    when: str
    drop: bool


def points(journal: Sequence[Request]) -> list[Point]:
    """Of a whole run: each request on the wire when it has been answered but for the answer, each write also before it
    takes effect, and each write in a $batch when those after it are not done."""
    found = []
    done = [request.number for request in _in_order_of_completion(journal) if _completes(request)]
    for number, request in enumerate(journal):
        if request.batch is not None and not request.wrote:
            continue
        in_batch = request.batch is not None
        if _completes(request):
            found.append(Point(number, done.index(request.number), "after", drop=in_batch))
        else:  # an error is no longer struck after it, and has no effect
            found.append(Point(number, number, "before", drop=False))
        if request.wrote and not in_batch:
            found.append(Point(number, number, "before", drop=True))
    return found


def _in_order_of_completion(journal: Sequence[Request]) -> Iterator[Request]:
    """What is in a $batch comes before it."""
    for request in journal:
        if request.batch is None:
            yield from (item for item in journal if item.batch == request.number)
            yield request


def _completes(request: Request) -> bool:
    return request.sign_in or (request.status is not None and request.status < 400)


@dataclass
class Kills:
    """How many runs of a tenant were killed, by what was; the states that they left; and what is left of files."""

    killed: dict[str, int]
    requests: int = 0
    runs_again: int = 0
    orphans: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} of the {kind}" for kind, count in self.killed.items())
        return (
            f"{sum(self.killed.values())} kills ({kinds}) at {self.requests} requests, {self.orphans} orphans, "
            f"{self.runs_again} states left behind that were run again, {self.seconds:.0f} s"
        )


class Killer:
    """One playbook on the tenants of one simulator, each of which is killed once and run again."""

    def __init__(
        self, simulator: Simulator, playbook: str, options: Sequence[str], folder: Path, works: Mapping[str, Work]
    ) -> None:
        self.simulator, self._playbook, self._options, self._works = simulator, playbook, options, works
        self._runs = folder / "runs"
        self._inventory = folder / "inventory.json"
        hosts = {name: {**simulator.host_variables(one.tenant), **one.variables()} for name, one in works.items()}
        self._inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        self.kills = Kills(dict.fromkeys(KINDS, 0))
        self._groups = 0
        self._started = time.monotonic()

    def start(
        self, hosts: Iterable[str], *, in_process: bool = True, playbook: str | Path | None = None
    ) -> RunningPlaybook:
        """Each tenant goes its own way: one that is held does not keep the others back."""
        self._runs.mkdir(exist_ok=True)
        names = list(hosts)
        return RunningPlaybook(
            self._runs / str(len(list(self._runs.iterdir()))),
            playbook or self._playbook,
            *("--inventory", str(self._inventory), "--limit", ",".join(names), "--forks", str(len(names))),
            *(() if playbook else self._options),
            environment={"ANSIBLE_STRATEGY": "free", "PYTHONPATH": str(HERE / "patience")},
            variables={"m365_in_process": in_process},
        )

    def run(self, hosts: Iterable[str], playbook: Path | None = None) -> PlaybookRun:
        return self.start(hosts, playbook=playbook).wait()

    def kill(self, kind: str, chosen: Mapping[str, Point]) -> list[str]:
        """Kill what works for each of these hosts at its request; returns those that were left in a new state."""
        self.simulator.forget()
        self.simulator.announce_run(check_mode=False)
        for host, point in chosen.items():
            self.simulator.hold(self._works[host].tenant, point.before, when=point.when)
        # The orphans of a killed ansible-playbook are modules, which have a shell between them, and workers.
        self._groups += 1
        modules = kind == MODULE or (kind == PLAYBOOK and self._groups % 2 == 1)
        run = self.start(chosen, in_process=not modules)
        held = self._wait_until_held(len(chosen), run)
        killed = {PLAYBOOK: run.kill, WORKER: run.kill_workers, MODULE: run.kill_modules}[kind]()
        assert kind == PLAYBOOK or killed == len(chosen), f"{killed} of {len(chosen)} {kind}s were found"
        for drop in (True, False):
            for host, point in chosen.items():
                if point.drop == drop:
                    self.simulator.release(self._works[host].tenant, drop=drop)
        if kind == WORKER:
            # With the strategy free, unlike linear, Ansible waits for ever for a worker that is dead.
            run.kill()
        done = run.wait()
        wait_for_processes_of(done.folder)
        self.simulator.heal()
        assert (done.return_code == -9) == (kind != MODULE), done.output
        self.kills.killed[kind] += len(chosen)
        self.kills.requests += len({point.number for point in chosen.values()})
        if kind != MODULE:  # else the playbook goes on as it does after any failure
            self._nothing_more_was_written(chosen, held)
        for host in chosen:
            self._works[host].nothing_is_lost()
        nothing_is_open_to_others([done.folder, *(self._works[host].folder for host in chosen)])
        no_secret_is_left(done, [secret for host in chosen for secret in self._secrets(host)])
        return list(chosen)

    def left(self, host: str) -> tuple[Any, ...]:
        """The state in which the killed run left a tenant and the files about it: two alike need no two looks."""
        made = writes(self.simulator.journal(self._works[host].tenant))
        wrote = tuple((one.method, IDENTIFIER.sub("ID", one.path)) for one in made if one.wrote)
        return wrote, self._works[host].kept()

    def run_again(self, hosts: Sequence[str]) -> None:
        """The next run finishes everything."""
        self.simulator.forget()
        self.simulator.announce_run(check_mode=False)
        run = self.run(hosts)
        for host in hosts:
            self._works[host].is_done(run, host)
        nothing_is_open_to_others([run.folder, *(self._works[host].folder for host in hosts)])
        self.kills.runs_again += len(hosts)
        self.kills.seconds = time.monotonic() - self._started

    def _wait_until_held(self, wanted: int, run: RunningPlaybook) -> dict[str, int]:
        """The number of the held request, by tenant."""
        deadline = time.monotonic() + SECONDS_TO_REACH_THE_REQUEST
        while True:
            held = self.simulator.held(wanted, seconds=2)
            if len(held) == wanted:
                return {str(one["tenant"]): one["number"] for one in held}
            if run.ended or time.monotonic() > deadline:
                run.kill()
                raise AssertionError(f"{len(held)} of {wanted} requests came.\n{run.wait().output}")

    def _nothing_more_was_written(self, chosen: Iterable[str], held: Mapping[str, int]) -> None:
        for host in chosen:
            tenant = self._works[host].tenant
            journal = self.simulator.journal(tenant)
            number = held[tenant.tenant_id]
            batch = next(one.batch for one in journal if one.number == number)
            held_too = {number, batch} - {None}  # what is in the $batch that is held, or beside what is held
            later = [one for one in journal if one.number > number and one.batch not in held_too]
            self.kills.orphans += bool(later)
            assert [one for one in later if one.write] == [], f"{host}: an orphan wrote"

    def _secrets(self, host: str) -> list[str]:
        work = self._works[host]
        return [work.tenant.client_secret, *work.secrets()]


def nothing_is_open_to_others(folders: Iterable[Path]) -> None:
    """No file that others than its owner could read: neither by its mode, nor kept from them by a folder above it."""
    found = []
    for folder in folders:
        for path in leftovers(folder):
            ways = [path, *(parent for parent in path.parents if parent.is_relative_to(folder) and parent != folder)]
            needed = [0o044, *[0o011] * (len(ways) - 1)]
            if all(way.stat().st_mode & bits for way, bits in zip(ways, needed, strict=True)):
                found.append(f"{path} ({path.stat().st_mode & 0o777:o})")
    if found:
        raise AssertionError(found)


def no_secret_is_left(run: PlaybookRun, secrets: Iterable[str]) -> None:
    """In what a run has shown, and in what it has left, in no form of it."""
    wanted = {form for secret in secrets for form in forms(secret)}
    places = {"output": run.output, "results": (run.folder / "results.jsonl").read_text(encoding="utf-8")}
    places |= {str(path): path.read_text("utf-8", "replace") for path in leftovers(run.folder)}
    assert [place for place, text in places.items() if any(secret in text for secret in wanted)] == []
    assert [place for place, text in places.items() if TOKEN.search(text)] == []
