# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs against one tenant, as AWX may start them, and two tenants in one run of which one comes to grief.

The simulator holds the writes of both runs until each has come to one, so that they meet at every write.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.integration.killing import DEAD_WORKER
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import (
    PlaybookRun,
    RunningPlaybook,
    run_playbook,
    wait_for_processes_of,
)
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, writes
from ansible_collections.zerotrust.m365.tests.integration.test_emergency_access import NAMES, Sealed
from ansible_collections.zerotrust.m365.tests.integration.test_killed import Baseline, nobody_plays

BASELINE = "zerotrust.m365.baseline"
WRITES = ["POST", "PATCH", "PUT", "DELETE"]
TASK = "Fail when the baseline was not reached"
SECURITY_DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
AGAIN = re.compile("[Aa]nother run|Somebody else creates accounts of this name")
"""What a run says that came too late."""


def two_at_once(
    simulator: Simulator, folder: Path, variables: Mapping[str, Any], *options: str, playbook: str = BASELINE
) -> list[PlaybookRun]:
    """Start two runs, and let neither write before the other one wants to, or has ended."""
    tenant = simulator.tenants[0]
    path = r"^(?!.*\$batch$)"  # what is in a $batch is held by itself
    simulator.strike(path=path, kind="hold", method=WRITES, tenant=tenant.tenant_id, times=None)
    running = [
        RunningPlaybook(
            folder / f"run{number}",
            playbook,
            *options,
            environment=simulator.environment(tenant),
            variables={"m365_in_process": True, **variables},
        )
        for number in range(2)
    ]
    while not all(run.ended for run in running):
        left = sum(not run.ended for run in running)
        held = simulator.held(left, seconds=5)
        if len(held) >= sum(not run.ended for run in running):
            simulator.release()
    simulator.heal()
    done = [run.wait() for run in running]
    for run in done:
        assert "Traceback" not in run.output
        assert "This is a bug" not in run.output
        wait_for_processes_of(run.folder)
    return done


def said(run: PlaybookRun) -> str:
    """What a run that failed says at the end; nothing of one that did not."""
    return "" if run.return_code == 0 else run.task(TASK).message


class Both(Sealed):
    """All of the baseline in one tenant: emergency accounts, methods, enforcement, retirement."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        super().__init__(simulator, simulator.tenants[0], nobody_plays, folder)
        self.migration = Baseline(simulator, self.tenant, folder)
        self.migration.prepare()

    def everything(self, **more: Any) -> dict[str, Any]:
        return {**self.variables(), **self.migration.variables(), **more}

    def again(self, folder: Path, **more: Any) -> PlaybookRun:
        environment = self.simulator.environment(self.tenant)
        return run_playbook(folder, BASELINE, environment=environment, variables=self.everything(**more))

    def made_once(self) -> None:
        objects = self.simulator.state(self.tenant)["objects"]
        assert [one["displayName"] for one in objects["group"]].count("Emergency access") == 1
        holders = [role["principalId"] for role in objects["roleAssignment"]]
        for name in NAMES:
            (user,) = self.users(name)
            assert holders.count(user["id"]) == 1


@pytest.fixture
def legacy(tmp_path: Path) -> Iterator[Simulator]:
    (tmp_path / "simulator").mkdir()
    simulator = Simulator(tmp_path / "simulator", ["legacy"])
    try:
        with simulator.watched():
            yield simulator
    finally:
        simulator.stop()


@pytest.mark.deep
def test_two_baselines_from_nothing(legacy: Simulator, tmp_path: Path) -> None:
    """On one folder of seals and one of ledgers. Whoever comes too late says so; the next run finishes all of it."""
    both = Both(legacy, tmp_path)
    for run in two_at_once(legacy, tmp_path, both.everything()):
        assert not said(run) or AGAIN.search(said(run)), said(run)
    both.again(tmp_path / "again")
    last = both.again(tmp_path / "last")
    assert last.return_code == 0, last.output
    assert last.changed() == 0
    both.healthy()
    both.made_once()
    both.migration.is_done(last, "localhost")


@pytest.mark.deep
def test_two_runs_that_both_seal(legacy: Simulator, tmp_path: Path) -> None:
    """The group is there. Both have read that there is no seal; only one of them seals, and creates the account."""
    both = Both(legacy, tmp_path)
    group = {"displayName": "Emergency access", "mailEnabled": False, "mailNickname": "e", "securityEnabled": True}
    legacy.change(both.tenant, "POST", "/groups", group)
    done = two_at_once(legacy, tmp_path, both.everything(), "--tags", "emergency_access")
    assert sorted(run.return_code for run in done) == [0, 2], [run.output for run in done]
    assert AGAIN.search("".join(map(said, done)))
    both.healthy()
    both.made_once()


def test_two_migrations_that_meet_at_every_write(legacy: Simulator, tmp_path: Path) -> None:
    """Both turn security defaults on, and take per-user MFA from the same users, with one ledger."""
    migration = Baseline(legacy, legacy.tenants[0], tmp_path)
    migration.prepare()
    options = ("--tags", "security_defaults,per_user_mfa_retirement")
    for run in two_at_once(legacy, tmp_path, migration.variables(), *options):
        assert run.return_code == 0, run.output
    had = {name: state for name, state in migration.before.items() if state != "disabled"}
    assert set(migration.states().values()) == {"disabled"}
    assert migration.noted() == had
    assert [one.wrote for one in writes(legacy.journal()) if one.path == SECURITY_DEFAULTS] == [True, True]


# Two tenants, and more, in one run


@pytest.mark.deep
def test_whatever_comes_to_grief_touches_nothing_of_the_others(tmp_path: Path) -> None:
    """A wrong secret, a Graph that is not there, and a worker that is killed; the next run finishes those that may."""
    (tmp_path / "simulator").mkdir()
    simulator = Simulator(tmp_path / "simulator", ["legacy"] * 4)
    good, wrong, dead, killed = simulator.tenants
    hosts = {
        "good": simulator.host_variables(good),
        "wrong": {**simulator.host_variables(wrong), "m365_client_secret": "not-the-secret"},
        "dead": {**simulator.host_variables(dead), "m365_graph_url": "https://localhost:1"},
        "killed": simulator.host_variables(killed),
    }
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    options = ("--inventory", str(inventory), "--tags", "security_defaults", "--forks", "4")
    variables = {"security_defaults_accept_risks": ["unproven_emergency_access"], "m365_in_process": True}
    try:
        with simulator.watched():
            simulator.hold(killed, path=SECURITY_DEFAULTS, method="PATCH")
            run = RunningPlaybook(tmp_path / "killed", BASELINE, *options, variables=variables)
            deadline = time.monotonic() + 120
            while not (simulator.held(1) and run.workers() == 1):  # until those of the other tenants are done
                assert not run.ended
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert run.kill_workers() == 1
            simulator.release(drop=True)
            done = run.wait()
            assert done.return_code != 0
            assert DEAD_WORKER in done.output
            journals = {tenant: writes(simulator.journal(tenant)) for tenant in simulator.tenants}
            assert [len(journals[tenant]) for tenant in (good, wrong, dead, killed)] == [1, 0, 0, 1]
            assert [one.wrote for one in journals[killed]] == [False]

            simulator.heal()
            simulator.forget()
            done = run_playbook(tmp_path / "next", BASELINE, *options, variables=variables)
            assert {host for host, counts in done.recap.items() if counts["failures"]} == {"wrong", "dead"}
            assert [len(writes(simulator.journal(tenant))) for tenant in simulator.tenants] == [0, 0, 0, 1]
            for tenant in (good, killed):
                (policy,) = simulator.state(tenant)["objects"]["securityDefaults"]
                assert policy["isEnabled"]
    finally:
        simulator.stop()
