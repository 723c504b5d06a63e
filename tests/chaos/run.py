# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make chaos`: many seeds, each a tenant, a playbook and a plan of faults. Prints what the seed of a failure takes to
be run again, and writes a summary.

    .venv/bin/python tests/chaos/run.py --seed 7 --playbook baseline

It must run in the environment that make has made, with the tree of collections that make has made.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / ".cache/collections"))

from ansible_collections.zerotrust.m365.tests.chaos.cases import WAYS, Case, draw_case, without_faults
from ansible_collections.zerotrust.m365.tests.chaos.judging import complaints
from ansible_collections.zerotrust.m365.tests.chaos.predictions import disagreements
from ansible_collections.zerotrust.m365.tests.chaos.trials import Trial, Trials

COMMAND = ".venv/bin/python tests/chaos/run.py"
AT_ONCE = 4
"""Simulators, and runs of ansible-playbook: some wait for a retry while the two cores work for others."""
IN_ONE_RUN = 25
"""Tenants."""


@dataclass
class Comparison:
    """Dry runs against the runs after them. ``complaints`` are by the seed and the playbook."""

    runs: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    written: int = 0
    complaints: dict[tuple[int, str], list[str]] = field(default_factory=dict)

    def add(self, trial: Trial) -> None:
        assert trial.rerun is not None
        self.runs[trial.case.playbook] += 1
        self.failed += trial.rerun.failed
        self.written += len(trial.rerun.accepted_writes)
        self._keep(trial, disagreements(trial))

    def _keep(self, trial: Trial, found: list[str]) -> None:
        if found:
            self.complaints[trial.case.seed, trial.case.playbook] = found

    def as_json(self) -> dict[str, object]:
        return {
            "tenants": sum(self.runs.values()),
            "tenants_by_playbook": dict(self.runs.most_common()),
            "writes": self.written,
            "end_in_an_error": self.failed,
            "complaints": self._by_seed(),
        }

    def told(self, more: str = "--dry-run ") -> str:
        """Of each failing seed, what is wrong and the command that runs it again."""
        lines = []
        for (seed, playbook), found in self.complaints.items():
            again = f"{COMMAND} {more}--seed {seed} --playbook {playbook}"
            lines += [f"seed {seed}, {playbook}:", *(f"  {one}" for one in found), f"  again: {again}"]
        return "\n".join(lines)

    def _by_seed(self) -> dict[str, list[str]]:
        return {f"{seed} {playbook}": found for (seed, playbook), found in self.complaints.items()}


@dataclass
class Summary(Comparison):
    """Runs while things go wrong, and those after them."""

    failed_with_faults: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    struck: int = 0

    def add(self, trial: Trial) -> None:
        assert trial.faulted is not None
        assert trial.rerun is not None
        self.runs[trial.case.playbook] += 1
        self.failed_with_faults += trial.faulted.failed
        self.failed += trial.rerun.failed
        self.written += len(trial.faulted.accepted_writes) + len(trial.rerun.accepted_writes)
        found = [kind for request in trial.faulted.journal for kind in _kinds(request.fault)]
        self.faults.update(found)
        self.struck += bool(found)
        self._keep(trial, complaints(trial))

    def as_json(self) -> dict[str, object]:
        return {
            "runs": sum(self.runs.values()),
            "runs_by_playbook": dict(self.runs.most_common()),
            "runs_that_met_a_fault": self.struck,
            "requests_that_faults_struck": sum(self.faults.values()),
            "requests_by_kind_of_fault": dict(self.faults.most_common()),
            "accepted_writes": self.written,
            "ended_in_an_error_under_faults": self.failed_with_faults,
            "end_in_that_error_without_any_fault_too": self.failed,
            "complaints": self._by_seed(),
        }

    def told(self, more: str = "") -> str:
        return super().told(more)


def _kinds(fault: str | None) -> Iterator[str]:
    """`503 at /users; stale at .` are `503` and `stale`. Throttling by a limit names that."""
    for one in (fault or "").split("; "):
        if one:
            yield one.partition(" at ")[0]


def run_seeds(cases: Sequence[Case], folder: Path, *, at_once: int = AT_ONCE) -> Iterator[Trial]:
    """Each with its faults, in no order. Cases of one playbook share its runs."""
    yield from _in_parts(cases, folder, at_once, Trials.run)


def compare_seeds(cases: Sequence[Case], folder: Path, *, at_once: int = AT_ONCE) -> Iterator[Trial]:
    """Each without its faults: a dry run, a run, and one more."""
    yield from _in_parts([without_faults(case) for case in cases], folder, at_once, Trials.compare)


def _in_parts(
    cases: Sequence[Case], folder: Path, at_once: int, run: Callable[[Trials], list[Trial]]
) -> Iterator[Trial]:
    def run_part(number: int, part: Sequence[Case]) -> list[Trial]:
        trials = Trials(part, folder / f"part{number}")
        try:
            return run(trials)
        finally:
            trials.close()

    with ThreadPoolExecutor(at_once) as pool:
        waiting = {pool.submit(run_part, number, part) for number, part in enumerate(_parts(cases))}
        broken: list[BaseException] = []
        for done in as_completed(waiting):
            waiting.discard(done)  # its journals are large
            if error := done.exception():
                broken.append(error)
            else:
                yield from done.result()
    if broken:  # not before the others have been judged
        raise broken[0]


def _parts(cases: Sequence[Case]) -> Iterator[list[Case]]:
    """Of one playbook each, so that no run waits for another; what takes longest first."""
    for playbook in sorted({case.playbook for case in cases}, key=lambda name: WAYS[name].requests, reverse=True):
        left = iter([case for case in cases if case.playbook == playbook])
        while part := list(islice(left, IN_ONE_RUN)):
            yield part


def main() -> int:
    parser = argparse.ArgumentParser(description="Run playbooks on drawn tenants while things go wrong.")
    parser.add_argument("--seed", type=int, help="one only")
    parser.add_argument("--playbook", choices=tuple(WAYS), help="instead of the one drawn from the seed")
    parser.add_argument("--first", type=int, default=1, help="the first of many seeds")
    parser.add_argument("--runs", type=int, default=2000, help="how many seeds")
    parser.add_argument("--dry-run", action="store_true", help="nothing goes wrong; a dry run against the run")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="how many runs of ansible-playbook")
    parser.add_argument("--summary", type=Path, help="where to write the summary")
    parser.add_argument("--keep", type=Path, help="a new folder for everything that the runs leave")
    options = parser.parse_args()
    seeds = [options.seed] if options.seed is not None else range(options.first, options.first + options.runs)
    cases = [draw_case(seed, options.playbook) for seed in seeds]
    summary, run = (Comparison(), compare_seeds) if options.dry_run else (Summary(), run_seeds)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
        try:
            for trial in run(cases, options.keep or Path(temporary), at_once=options.at_once):
                summary.add(trial)
                wrong = f"{len(summary.complaints)} wrong {[seed for seed, _playbook in summary.complaints]}"
                print(f"{sum(summary.runs.values())} of {len(cases)}, {wrong}", flush=True)
                if options.seed is not None and trial.faulted is not None:
                    _show(trial)
        finally:
            _write(summary, time.monotonic() - started, options.summary)
    print(summary.told(), file=sys.stderr)
    return 1 if summary.complaints else 0


def _write(summary: Comparison, seconds: float, file: Path | None) -> None:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = {
        "command": " ".join([COMMAND, *sys.argv[1:]]),
        "seconds": round(seconds),
        "processor_seconds": round(used.ru_utime + used.ru_stime),
        **summary.as_json(),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if file:
        file.write_text(text + "\n", encoding="utf-8")


def _show(trial: Trial) -> None:
    """What a person wants to see of one seed."""
    print(json.dumps({"variables": trial.case.variables, "faults": trial.case.faults}, indent=2))
    for name, run in (("with faults", trial.faulted), ("without", trial.rerun)):
        assert run is not None
        print(f"{name}: changed {run.changed}, {'failed: ' + run.verdict[1] if run.failed else 'ended well'}")
        for request in run.journal:
            if request.fault or request.write:
                print(f"  {request.number} {request.method} {request.path} {request.status} {request.fault or ''}")


if __name__ == "__main__":
    sys.exit(main())
