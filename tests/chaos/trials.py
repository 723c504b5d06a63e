# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs cases: one simulator with a tenant for each, and for each playbook one run over all of its tenants."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.zerotrust.m365.tests.chaos.cases import RESTORE, SHORT_MIGRATION, WAYS, Case
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun, TaskResult, run_playbook
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import (
    Request,
    Simulator,
    Tenant,
    Violation,
)

VAULT_PASSWORD = "of the seals, and kept elsewhere"
FORKS = 8
MINUTES_AT_MOST = 15
"""For all the tenants of a run, on a machine with much else to do."""
SETTINGS = "[defaults]\ninternal_poll_interval = 0.02\n"
"""Ansible looks for results a thousand times a second otherwise, while hosts wait for a retry."""
OF_ONE_RUN = re.compile(r"\(request-id [^)]*\)|(?<=')/[^']*(?=/)")
"""In messages: the request, and the folder of a file."""


@dataclass(frozen=True)
class HostRun:
    """One run of a playbook, as far as one host is concerned. ``output`` is what the run said of every host."""

    results: list[TaskResult]
    items: list[TaskResult]
    recap: dict[str, int]
    journal: list[Request]
    output: str

    @property
    def failed(self) -> bool:
        return bool(self.recap.get("failures") or self.recap.get("unreachable") or not self.recap)

    @property
    def changed(self) -> int:
        return self.recap.get("changed", 0)

    @property
    def failures(self) -> list[TaskResult]:
        return [one for one in self.results if one.failed and not one.ignored]

    @property
    def verdict(self) -> tuple[bool, str]:
        """What two runs must have in common to have ended alike."""
        said = self.failures[-1].message if self.failures else ""
        return self.failed, OF_ONE_RUN.sub("", said).strip()

    @property
    def accepted_writes(self) -> list[Request]:
        return [request for request in self.journal if request.write and request.wrote]


@dataclass
class Trial:
    """A case and all that happened to its tenant."""

    case: Case
    tenant: Tenant
    folder: Path
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    predicted: HostRun | None = None
    faulted: HostRun | None = None
    rerun: HostRun | None = None
    once_more: HostRun | None = None
    pristine: HostRun | None = None
    violations: list[Violation] = field(default_factory=list)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    seals: dict[str, dict[str, Any]] = field(default_factory=dict)

    def variables(self, simulator: Simulator) -> dict[str, Any]:
        """Of the host."""
        way = self.case.way
        ledgers = {"per_user_mfa_retirement_ledger_folder": str(self.folder)}
        return {
            **simulator.host_variables(self.tenant),
            **self.case.variables,
            **(ledgers if way.retires or self.case.playbook == RESTORE else {}),
            "emergency_access_seal_folder": str(self.folder / "seals"),
            "emergency_access_vault_password": VAULT_PASSWORD,
        }

    def read_files(self) -> None:
        ledger = self.folder / f"{self.tenant.tenant_id}.jsonl"
        if ledger.exists():
            self.ledger = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
        vault = VaultLib([("any", VaultSecret(VAULT_PASSWORD.encode()))])
        for path in sorted((self.folder / "seals").rglob("*.yml")):
            self.seals[path.stem] = yaml.safe_load(vault.decrypt(path.read_text(encoding="utf-8")))


class Trials:
    """Some cases in one simulator. ``run`` makes everything happen; what is thought of it is others' business."""

    def __init__(self, cases: Sequence[Case], folder: Path, forks: int = FORKS) -> None:
        self._folder, self._forks, self._numbers = folder, forks, count(1)
        scenarios = folder / "scenarios"
        scenarios.mkdir(parents=True)
        self._settings = folder / "ansible.cfg"
        self._settings.write_text(SETTINGS, encoding="utf-8")
        for case in cases:
            (scenarios / f"{case.name}.yml").write_text(json.dumps(case.scenario), encoding="utf-8")
        self.simulator = Simulator(folder, [str(scenarios / f"{case.name}.yml") for case in cases])
        self.trials = [Trial(case, self.simulator.tenant(case.name), self._make_folder(case.name)) for case in cases]

    def close(self) -> None:
        self.simulator.stop()

    def run(self) -> list[Trial]:
        """A run with faults, one without, one more where that changed something, and one on the tenant as it was where
        that failed."""
        self._prepare(self.trials)
        for trial in self.trials:
            trial.before = self.simulator.state(trial.tenant)
        self.simulator.announce_run(check_mode=False)
        for trial in self.trials:
            self.simulator.plan(trial.tenant, trial.case.faults)
        for trial, done in self._play(self.trials):
            trial.faulted = done
        self.simulator.heal()
        for trial, done in self._play(self.trials):
            trial.rerun = done
        for trial, done in self._play([one for one in self.trials if one.rerun and one.rerun.changed]):
            trial.once_more = done
        for violation in self.simulator.violations():
            for trial in self.trials:
                if trial.tenant.tenant_id == violation.tenant:
                    trial.violations.append(violation)
        for trial in self.trials:
            trial.after = self.simulator.state(trial.tenant)
            trial.read_files()
        self._run_pristine([one for one in self.trials if one.rerun and one.rerun.failed])
        return self.trials

    def compare(self) -> list[Trial]:
        """A dry run, a run, and one more. Nothing goes wrong."""
        self._prepare(self.trials)
        for trial in self.trials:
            trial.before = self.simulator.state(trial.tenant)
        self.simulator.announce_run(check_mode=True)
        for trial, done in self._play(self.trials, "--check"):
            trial.predicted = done
        self.simulator.announce_run(check_mode=False)
        for trial, done in self._play(self.trials):
            trial.rerun = done
        for trial, done in self._play(self.trials):
            trial.once_more = done
        return self.trials

    def _run_pristine(self, trials: list[Trial]) -> None:
        """Where a run fails though nothing goes wrong, it must fail on the tenant as it was, too."""
        again = []
        for trial in trials:
            self.simulator.reset_tenant(trial.tenant)
            again.append(Trial(trial.case, trial.tenant, self._make_folder(f"{trial.case.name}-pristine")))
        self._prepare(again)
        for trial, (_unused, done) in zip(trials, self._play(again), strict=True):
            trial.pristine = done

    def _prepare(self, trials: Iterable[Trial]) -> None:
        self._run([trial for trial in trials if trial.case.playbook == RESTORE], SHORT_MIGRATION)

    def _play(self, trials: list[Trial], *options: str) -> list[tuple[Trial, HostRun]]:
        """In the order of ``trials``."""
        found: dict[str, HostRun] = {}
        for playbook in sorted({trial.case.playbook for trial in trials}):
            some = [trial for trial in trials if trial.case.playbook == playbook]
            found.update(self._run(some, playbook, *options))
        return [(trial, found[trial.case.name]) for trial in trials]

    def _run(self, trials: list[Trial], playbook: str, *options: str) -> dict[str, HostRun]:
        if not trials:
            return {}
        way = WAYS[playbook]
        hosts = {trial.case.name: trial.variables(self.simulator) for trial in trials}
        number = next(self._numbers)
        inventory = self._folder / f"inventory{number}.json"
        inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        self.simulator.forget()
        run = run_playbook(
            self._folder / f"run{number}",
            f"zerotrust.m365.{way.playbook}",
            *("--inventory", str(inventory), "--forks", str(self._forks), "--diff", *way.options, *options),
            environment={"ANSIBLE_STRATEGY": "free", "ANSIBLE_CONFIG": str(self._settings)},
            variables={"m365_in_process": True},
            minutes=MINUTES_AT_MOST,
        )
        journal = self.simulator.journal()
        said = run.output + (run.folder / "results.jsonl").read_text(encoding="utf-8")
        return {trial.case.name: _of_host(run, trial, journal, said) for trial in trials}

    def _make_folder(self, name: str) -> Path:
        folder = self._folder / "kept" / name
        (folder / "seals").mkdir(parents=True)
        return folder


def _of_host(run: PlaybookRun, trial: Trial, journal: Sequence[Request], said: str) -> HostRun:
    name = trial.case.name
    return HostRun(
        results=[one for one in run.results if one.host == name],
        items=[one for one in run.items if one.host == name],
        recap=run.recap.get(name, {}),
        journal=[request for request in journal if request.concerns(trial.tenant)],
        output=said,
    )
