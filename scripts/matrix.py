"""Run sanity, unit and integration tests on each supported ansible-core that a Python is there for.

`python scripts/matrix.py [2.16 ...]`; without arguments, all of them. Each has its environment and its log in
`.cache/matrix`. A core without a Python is named, and counted as skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDER = Path(".cache/matrix")  # relative, as the Makefile wants it
# The Pythons each ansible-core runs on, in the order they are wanted: between them, the cores meet every Python.
# Source: the ansible-core support matrix.
CORES = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.17": ("3.12", "3.11", "3.10"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.13", "3.12", "3.11"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.13", "3.14", "3.12"),
}
TARGETS = ("sanity", "unit", "integration")
LINES_OF_A_FAILURE = 40


def find_python(version: str) -> str | None:
    """Return the path of a Python of this version that can make environments: from PATH, or one that pyenv made."""
    folders = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders += sorted(pyenv.glob(f"versions/{version}.*/bin"))
    question = "import ensurepip, sys, venv; print(sys._base_executable)"
    for folder in folders:
        if folder.name == "shims" or not (folder / f"python{version}").exists():
            continue
        answer = subprocess.run(
            [folder / f"python{version}", "-c", question], check=False, capture_output=True, text=True
        )
        if answer.returncode == 0:
            return answer.stdout.strip()
    return None


def run_core(core: str, python: str) -> bool:
    """Run the tests on one ansible-core and say how it went."""
    make = os.environ.get("MAKE", "make")
    log = CHECKOUT / FOLDER / f"{core}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        passed = not subprocess.run(
            [
                *(make, "--keep-going", *TARGETS),
                *(f"VENV={FOLDER / core}", f"ANSIBLE_CORE=ansible-core~={core}.0", f"PYTHON={python}"),
            ],
            cwd=CHECKOUT,
            check=False,
            stdout=output,
            stderr=subprocess.STDOUT,
        ).returncode
    print(f"{'passed' if passed else 'FAILED'} in {time.monotonic() - start:.0f} s", flush=True)
    if not passed:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        print(f"--- the end of {log}", *lines[-LINES_OF_A_FAILURE:], "---", sep="\n")
    return passed


def main(cores: list[str]) -> int:
    """Run the matrix and return 0 when something ran and nothing failed."""
    results: list[bool] = []
    skipped = 0
    for core in cores or CORES:
        python = next(filter(None, map(find_python, CORES[core])), None)
        print(f"ansible-core {core}: ", end="", flush=True)
        if python is None:
            print(f"not run: needs one of Python {', '.join(CORES[core])}")
            skipped += 1
            continue
        print(f"{python} ... ", end="", flush=True)
        results.append(run_core(core, python))
    print(f"cores: {sum(results)} passed, {results.count(False)} failed, {skipped} skipped")
    return int(not results or not all(results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
