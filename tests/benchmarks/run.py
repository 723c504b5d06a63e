# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: measures, and writes docs/benchmarks.md. Ten minutes on two idle cores at most.

It must run in the environment that make has made, with the tree of collections that make has made. For a quick look:
`make venv`, then `.venv/bin/python tests/benchmarks/run.py --rounds 1 --tenants 5 --output /dev/stdout`.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / ".cache/collections"))

from ansible_collections.zerotrust.m365.tests.benchmarks import report
from ansible_collections.zerotrust.m365.tests.benchmarks.many_tenants import fan_out
from ansible_collections.zerotrust.m365.tests.benchmarks.one_task import seconds_per_task
from ansible_collections.zerotrust.m365.tests.benchmarks.per_user_mfa import costs_of_per_user_mfa
from ansible_collections.zerotrust.m365.tests.benchmarks.requests_of_baseline import SCENARIOS, requests_by_scenario
from ansible_collections.zerotrust.m365.tests.benchmarks.simulator import costs_of_simulator
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator


@contextlib.contextmanager
def simulated(scenarios: Sequence[str]) -> Iterator[tuple[Simulator, Path]]:
    """A simulator with one tenant for each scenario, and a folder for plays."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        simulator = Simulator(folder, scenarios)
        try:
            yield simulator, folder
        finally:
            simulator.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the collection against the simulator.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--output", type=Path, default=CHECKOUT / "docs/benchmarks.md")
    parser.add_argument("--only-simulator", action="store_true", help="replace the simulator's section, keep the rest")
    parser.add_argument("--only-per-user-mfa", action="store_true", help="replace that section, keep the rest")
    options = parser.parse_args()
    started = time.monotonic()
    if options.only_per_user_mfa:
        text = options.output.read_text(encoding="utf-8") if options.output.is_file() else ""
        costs_per_user_mfa = costs_of_per_user_mfa(options.rounds)
        options.output.write_text(report.with_per_user_mfa(text, costs_per_user_mfa), encoding="utf-8")
        return
    costs_simulated = costs_of_simulator()
    if options.only_simulator:
        text = options.output.read_text(encoding="utf-8") if options.output.is_file() else ""
        options.output.write_text(report.with_simulator(text, costs_simulated), encoding="utf-8")
        return
    with simulated(SCENARIOS) as (simulator, folder):
        requests = requests_by_scenario(simulator, folder)
    with simulated(["locked"]) as (simulator, folder):
        costs = seconds_per_task(simulator, folder, options.rounds)
    with simulated(["locked"] * options.tenants) as (simulator, folder):
        many = fan_out(simulator, folder, options.rounds)
    costs_per_user_mfa = costs_of_per_user_mfa(options.rounds)
    text = report.document(costs, many, requests, costs_per_user_mfa, costs_simulated)
    options.output.write_text(text, encoding="utf-8")
    print(f"Wrote {options.output} after {time.monotonic() - started:.0f} seconds.")


if __name__ == "__main__":
    main()
