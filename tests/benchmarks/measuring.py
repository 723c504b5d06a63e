# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook with what they cost. Everything is compared inside one run of the benchmarks."""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun, run_playbook

PLUGINS = Path(__file__).resolve().parent / "plugins"


class BenchmarkFailed(Exception):
    """A play did not do what was to be measured."""


@dataclass(frozen=True)
class Measured:
    """A run and its seconds: of the clock, and of all processors in user and system mode together.

    ``cpu`` is that of ansible-playbook and of every process that it has started and waited for, which are its workers
    and their modules. The simulator is none of them.
    """

    run: PlaybookRun
    seconds: float
    cpu: float


@dataclass(frozen=True)
class Spread:
    """The least, the median and the greatest of the rounds."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(min(values), statistics.median(values), max(values))


class Playing:
    """Runs plays in folders of their own under ``folder``. Raises BenchmarkFailed unless all of it ended unchanged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    def play(
        self,
        playbook: str | Path | list[dict[str, Any]],
        *options: str,
        environment: Mapping[str, str] | None = None,
        variables: Mapping[str, Any] | None = None,
        changes: bool = False,
    ) -> Measured:
        """``playbook`` is a path, a name of a collection, or the plays themselves. ``changes``: there may be some."""
        folder = self._folder / f"run{next(self._numbers)}"
        if isinstance(playbook, list):
            plays, playbook = playbook, folder.with_suffix(".json")
            playbook.write_text(json.dumps(plays), encoding="utf-8")
        plugins = {"ANSIBLE_ACTION_PLUGINS": str(PLUGINS / "action"), "ANSIBLE_LIBRARY": str(PLUGINS / "modules")}
        cpu, started = cpu_of_ended_processes(), time.monotonic()
        run = run_playbook(
            folder, playbook, *options, environment={**plugins, **(environment or {})}, variables=variables
        )
        measured = Measured(run, time.monotonic() - started, cpu_of_ended_processes() - cpu)
        changed = sum(recap["changed"] for recap in run.recap.values())
        if run.return_code or not run.results or (changed and not changes):
            raise BenchmarkFailed(f"The play ended with {run.return_code}, {changed} tasks changed:\n{run.output}")
        return measured


def cpu_of_ended_processes() -> float:
    """Seconds in user and system mode of the processes that were waited for, and of those they had waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def interleaved(cases: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """The figure of each case in each round: A B A B and not A A B B, so that a busy moment strikes them alike."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(1, rounds + 1):
        for name, measure in cases.items():
            found[name].append(measure())
            print(f"round {number} of {rounds}: {name}: {found[name][-1]:.4g}", flush=True)
    return found


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """The ratio of each round."""
    return Spread.of([one / other for one, other in zip(above, below, strict=True)])
