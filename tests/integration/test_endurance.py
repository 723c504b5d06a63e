# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Night after night the same run, each in a process of its own, in one home: nothing is written, grows, or is left."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.integration.running_playbook import (
    PlaybookRun,
    RunningPlaybook,
    leftovers,
    processes_of,
)
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import (
    Simulator,
    sent,
    token_requests,
    writes,
)
from ansible_collections.zerotrust.m365.tests.integration.test_killed import Baseline, EmergencyAccess

BASELINE = "zerotrust.m365.baseline"
DAY = 24 * 60 * 60
WEEK = 7
EXPIRED = "AADSTS7000222"


@dataclass(frozen=True)
class Night:
    """What one run cost, and what is there after it: requests on the wire, tokens, files with their sizes, folders."""

    checked: bool
    requests: int
    tokens: int
    files: dict[str, int]
    folders: int


class Nights:
    """baseline.yml with all its steps on the tenant `legacy`: each night in check mode, but for one in a week."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        self.simulator, self.folder, self.tenant = simulator, folder, simulator.tenants[0]
        self.home = folder / "home"
        self.migration = Baseline(simulator, self.tenant, folder)
        self.migration.prepare()
        self.accounts = EmergencyAccess(simulator, self.tenant, folder)
        self.somebody = next(iter(self.migration.before))

    def run(self, *options: str) -> PlaybookRun:
        self.simulator.forget()
        self.simulator.announce_run(check_mode="--check" in options)
        variables: dict[str, Any] = {**self.accounts.variables(), **self.migration.variables()}
        running = RunningPlaybook(
            self.home,
            BASELINE,
            *options,
            environment=self.simulator.environment(self.tenant),
            variables={**variables, "m365_in_process": True},
            again=True,
        )
        return running.wait()

    def pass_one(self, number: int) -> Night:
        """A day later. Somebody has tried to sign in meanwhile, and the token of yesterday has expired."""
        self.simulator.advance(DAY)
        self.simulator.sign_in_by(self.tenant, self.somebody, wrong_password=True)
        checked = number % WEEK != 0
        run = self.run(*(["--check"] if checked else []))
        assert run.return_code == 0, run.output
        assert run.changed() == 0, run.output
        journal = self.simulator.journal(self.tenant)
        assert writes(journal) == []
        assert processes_of(self.home) == {}
        return Night(checked, len(sent(journal)), len(token_requests(journal)), self.files(), self.folders())

    def with_an_expired_secret(self) -> None:
        """Nothing but a sentence; and the next night it has been renewed."""
        self.simulator.change_application(self.tenant, secret_valid_days=-1)
        run = self.run()
        assert run.return_code == 2
        assert EXPIRED in run.task("Fail when the baseline was not reached").message
        assert writes(self.simulator.journal(self.tenant)) == []
        self.simulator.change_application(self.tenant, secret_valid_days=180)

    def files(self) -> dict[str, int]:
        kept = [*leftovers(self.home), *leftovers(self.accounts.folder), *leftovers(self.migration.folder)]
        return {str(path.relative_to(self.folder)): path.stat().st_size for path in kept}

    def folders(self) -> int:
        return sum(path.is_dir() for path in self.folder.rglob("*"))


def pass_nights(folder: Path, count: int) -> str:
    """Asserts that no night differs from the others; returns the figures."""
    (folder / "simulator").mkdir()
    simulator = Simulator(folder / "simulator", ["legacy"])
    started = time.monotonic()
    try:
        with simulator.watched():
            nights = Nights(simulator, folder)
            first = nights.run()
            assert first.return_code == 0, first.output
            found, memory = [], []
            for number in range(1, count + 1):
                found.append(nights.pass_one(number))
                memory.append(simulator.memory())
                if number % 100 == 0 or number == count:
                    nights.with_an_expired_secret()
            nights.accounts.healthy()
    finally:
        simulator.stop()
    for checked in (True, False):
        assert len({(one.requests, one.tokens) for one in found if one.checked == checked}) <= 1
    assert {one.tokens for one in found} == {1}
    assert all((one.files, one.folders) == (found[0].files, found[0].folders) for one in found)
    return (
        f"{count} nights, {found[0].requests} requests each, {len(found[0].files)} files of "
        f"{sum(found[0].files.values())} bytes after the first and the last, the simulator's memory "
        f"{memory[0] / 2**20:.0f} and {memory[-1] / 2**20:.0f} MiB, {time.monotonic() - started:.0f} s"
    )


@pytest.mark.parametrize(
    "count", [pytest.param(8, marks=pytest.mark.deep), pytest.param(500, marks=pytest.mark.endurance)]
)
def test_night_after_night(count: int, tmp_path: Path) -> None:
    print(pass_nights(tmp_path, count))
