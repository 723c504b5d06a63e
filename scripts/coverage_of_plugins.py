"""Run tests and say how much of `plugins/` they ran: lines and branches, through both doors, in every process.

`python scripts/coverage_of_plugins.py [TARGET ...]`

The make targets are `unit` and `integration` when none is named. Named ones are added to what was measured before, so
that it can be done in parts; `report` only shows the table. Fails below 95%, and when a target fails.

The environment names the settings, also to the playbooks that the tests run. By it coverage.py starts in each Python:
pytest and its workers, ansible-playbook, the forks in which its tasks run, and the modules, which come as archives in
temporary folders.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from coverage import CoverageData

CHECKOUT = Path(__file__).resolve().parent.parent
PLUGINS = CHECKOUT / "plugins"
FOLDER = CHECKOUT / ".cache/coverage"
SETTINGS_FILE = FOLDER / "settings.ini"
DATA = FOLDER / "data"
LOWEST = 95
ELSEWHERE = "*/ansible_collections/zerotrust/m365/plugins"
SETTINGS = f"""\
[run]
branch = true
parallel = true
patch = _exit, fork
data_file = {DATA}
include =
    {PLUGINS}/*
    {ELSEWHERE}/*
disable_warnings = no-data-collected, module-not-measured, module-not-imported

[paths]
plugins =
    {PLUGINS}
    {ELSEWHERE}

[report]
exclude_also =
    if TYPE_CHECKING:
show_missing = true
skip_covered = true
skip_empty = true
"""


def main(targets: list[str]) -> int:
    """Return 0 when all targets passed and enough was covered."""
    if not targets:
        shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    SETTINGS_FILE.write_text(SETTINGS, encoding="utf-8")
    failed = [target for target in targets or ["unit", "integration"] if target != "report" and not run(target)]
    covered = report()
    if failed:
        print(f"failed: {', '.join(failed)}")
    return int(bool(failed) or not covered)


def run(target: str) -> bool:
    """Run a make target with every Python in it measured, and say whether it passed."""
    environment = {**os.environ, "COVERAGE_PROCESS_START": str(SETTINGS_FILE)}
    command = [os.environ.get("MAKE", "make"), "--no-print-directory", target]
    passed = subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode == 0
    if any(FOLDER.glob("data.*")):  # one for each process, thousands
        _coverage("combine", "--append", "--quiet")
    return passed


def report() -> bool:
    """Print what was not covered, and say whether enough was. What no test imported counts as well."""
    data = CoverageData(str(DATA))
    data.read()
    if not data.measured_files():
        print("nothing was measured")
        return False
    data.touch_files([str(file) for file in PLUGINS.rglob("*.py")])
    data.write()
    return _coverage("report", f"--fail-under={LOWEST}", "--precision=1") == 0


def _coverage(*arguments: str) -> int:
    command = [sys.executable, "-m", "coverage", arguments[0], f"--rcfile={SETTINGS_FILE}", *arguments[1:]]
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
