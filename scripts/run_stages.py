"""Run make targets one after the other, up to the first that fails, and say how long each took.

`python scripts/run_stages.py TARGET [TARGET ...]`
"""

from __future__ import annotations

import os
import subprocess
import sys
import time


def main(stages: list[str]) -> int:
    """Run the stages and return 0 when all of them passed."""
    make = os.environ.get("MAKE", "make")
    seconds: dict[str, float] = {}
    failed = 0
    for stage in stages:
        print(f"\n=== {stage}", flush=True)
        start = time.monotonic()
        failed = subprocess.run([make, "--no-print-directory", stage], check=False).returncode
        seconds[stage] = time.monotonic() - start
        if failed:
            break
    print("\n=== seconds")
    for stage, taken in seconds.items():
        print(f"{stage:<12} {taken:6.1f}")
    print(f"{'all':<12} {sum(seconds.values()):6.1f}")
    if failed:
        left = stages[len(seconds) :]
        print(f"{stage} failed" + (f"; not run: {', '.join(left)}" if left else ""))
    passed = len(seconds) - bool(failed)
    print(f"stages: {passed} passed, {int(bool(failed))} failed", flush=True)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
