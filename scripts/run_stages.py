"""Run make targets one after the other, up to the first that fails, and say how long each took.

`python scripts/run_stages.py [--beside TARGET] TARGET [TARGET ...]`

The target of `--beside` runs at the same time as the others: a long one that keeps only one core busy. Its output is
shown after the others'.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Stages:
    """What ran, in seconds, and what failed."""

    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def run(self, stage: str) -> None:
        """Run one make target and let it write where it wants."""
        print(f"\n=== {stage}", flush=True)
        self._run(stage, None)

    def run_quietly(self, stage: str, output: TextIO) -> None:
        """Run one make target and keep what it writes."""
        self._run(stage, output)

    def _run(self, stage: str, output: TextIO | None) -> None:
        command = [os.environ.get("MAKE", "make"), "--no-print-directory", stage]
        start = time.monotonic()
        failed = subprocess.run(command, check=False, stdout=output, stderr=output and subprocess.STDOUT).returncode
        self.seconds[stage] = time.monotonic() - start
        if failed:
            self.failed.append(stage)


def main(stages: list[str], beside: str | None) -> int:
    """Run the stages and return 0 when all of them passed."""
    start = time.monotonic()
    done = Stages()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        side = threading.Thread(target=done.run_quietly, args=(beside, output))
        if beside:
            print(f"=== {beside} has begun; its output comes after the others'", flush=True)
            side.start()
        for stage in stages:
            if not done.failed:
                done.run(stage)
        if beside:
            print(f"\n=== {beside}", flush=True)
            side.join()
            output.seek(0)
            print(output.read(), end="")
    print("\n=== seconds")
    for stage, taken in done.seconds.items():
        print(f"{stage:<12} {taken:6.1f}")
    print(f"{'all':<12} {time.monotonic() - start:6.1f}")
    left = [stage for stage in stages if stage not in done.seconds]
    if done.failed:
        print(f"{', '.join(done.failed)} failed" + (f"; not run: {', '.join(left)}" if left else ""))
    passed = len(done.seconds) - len(done.failed)
    print(f"stages: {passed} passed, {len(done.failed)} failed", flush=True)
    return int(bool(done.failed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--beside", metavar="TARGET", help="runs at the same time as the others")
    parser.add_argument("stages", nargs="+", metavar="TARGET")
    arguments = parser.parse_args()
    sys.exit(main(arguments.stages, arguments.beside))
