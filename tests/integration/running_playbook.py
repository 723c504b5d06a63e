# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook as a user runs it: a process of its own, with an environment that is built from nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
COLLECTIONS = next(path for path in map(Path, sys.path) if (path / "ansible_collections/zerotrust/m365").is_dir())
BIN = Path(sys.executable).parent
MINUTES_AT_MOST = 3

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WARNING = re.compile(r"^\[(?:DEPRECATION )?WARNING\]", re.MULTILINE)


@dataclass(frozen=True)
class TaskResult:
    """What the callback was told of one task on one host, or of one item of its loop."""

    host: str
    task: str
    action: str
    changed: bool
    failed: bool
    skipped: bool
    ignored: bool
    result: dict[str, Any]

    @property
    def message(self) -> str:
        return str(self.result.get("msg", ""))

    @property
    def diff(self) -> Any:
        return self.result.get("diff")


@dataclass(frozen=True)
class PlaybookRun:
    """One run. ``recap`` and ``custom`` (set_stats) are by host; ``folder`` is its private home."""

    return_code: int
    stdout: str
    stderr: str
    results: list[TaskResult]
    items: list[TaskResult]
    recap: dict[str, dict[str, int]]
    custom: dict[str, dict[str, Any]]
    folder: Path = field(repr=False)

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    @property
    def warned(self) -> bool:
        return WARNING.search(self.output) is not None

    def task(self, name: str, host: str | None = None) -> TaskResult:
        """The only result of the task of this name (on this host)."""
        found = [one for one in self.results if one.task == name and host in (None, one.host)]
        assert len(found) == 1, f"{len(found)} results of the task '{name}'\n{self.output}"
        return found[0]

    def of_collection(self, host: str | None = None) -> list[TaskResult]:
        """The results of the collection's own modules that were not skipped, in order."""
        return [
            one
            for one in self.results
            if one.action.startswith("zerotrust.m365.") and not one.skipped and host in (None, one.host)
        ]

    def changes(self) -> list[tuple[str, str, Any]]:
        """Host, task and diff of everything that changed: the prediction of a dry run, and what a run did."""
        return [(one.host, one.task, one.diff) for one in self.of_collection() if one.changed]

    def changed(self, host: str = "localhost") -> int:
        return self.recap[host]["changed"]


def run_playbook(
    folder: Path,
    playbook: str | Path,
    *options: str,
    environment: Mapping[str, str] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> PlaybookRun:
    """Run a playbook, a path or a name of a collection. ``folder`` must be new; everything it leaves lies there."""
    folder.mkdir(parents=True)
    lines = folder / "results.jsonl"
    lines.touch()
    command: list[str | Path] = [BIN / "ansible-playbook", playbook, *options]
    if variables:
        file = folder / "variables.json"  # not on the command line, which Ansible shows at -vvvv
        file.write_text(json.dumps(variables), encoding="utf-8")
        command += ["--extra-vars", f"@{file}"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**bare_environment(folder), **reporting(lines), **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=MINUTES_AT_MOST * 60,
        check=False,
    )
    return _collected(done, lines, folder)


def bare_environment(folder: Path) -> dict[str, str]:
    """Nothing of the caller's: no credentials, no certificate bundles, no Ansible settings, a home in ``folder``."""
    (folder / "temporary").mkdir(exist_ok=True)
    (folder / "ansible.cfg").touch()
    return {
        "PATH": os.pathsep.join([str(BIN), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(folder),
        "TMPDIR": str(folder / "temporary"),
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": "localhost,127.0.0.1",
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        # Ansible asks for the home of the user, not for HOME.
        "ANSIBLE_REMOTE_TEMP": str(folder / "modules"),
        "ANSIBLE_ASYNC_DIR": str(folder / "background"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_NOCOLOR": "true",
    }


def reporting(lines: Path) -> dict[str, str]:
    """Have our callback write to ``lines``, and do without the warnings about a missing inventory."""
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "json_lines",
        "JSON_LINES_PATH": str(lines),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }


def plugged_in(pin: str, **more: Any) -> dict[str, str]:
    """The environment in which a run finds a software security key; ``more`` says what it is like."""
    return {
        "PYTHONPATH": str(HERE / "security_key"),
        "SOFTWARE_SECURITY_KEY": json.dumps({"pin": pin, **more}),
    }


def _collected(done: subprocess.CompletedProcess[str], lines: Path, folder: Path) -> PlaybookRun:
    records = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    found: dict[str, list[TaskResult]] = {"task": [], "item": []}
    recap: dict[str, dict[str, int]] = {}
    custom: dict[str, dict[str, Any]] = {}
    for record in records:
        event = record.pop("event")
        if event == "recap":
            recap, custom = record["recap"], record["custom"]
        else:
            found[event].append(TaskResult(**record))
    return PlaybookRun(
        return_code=done.returncode,
        stdout=COLOUR.sub("", done.stdout),
        stderr=COLOUR.sub("", done.stderr),
        results=found["task"],
        items=found["item"],
        recap=recap,
        custom=custom,
        folder=folder,
    )


def leftovers(folder: Path) -> Sequence[Path]:
    """Every file that a run left behind, but for what the harness itself put there."""
    ours = {folder / name for name in ("ansible.cfg", "results.jsonl", "variables.json")}
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path not in ours]


def wait_for_processes_of(folder: Path, seconds: float = 60) -> None:
    """Wait until no process is left that has ``folder`` as its home: none that a run has started."""
    deadline = time.monotonic() + seconds
    mark = f"HOME={folder}\0".encode()
    while any(mark in environment for environment in _environments()):
        assert time.monotonic() < deadline, "a process is left"
        time.sleep(0.1)


def _environments() -> list[bytes]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found.append(path.read_bytes())
        except OSError:  # it has ended, or is another user's
            continue
    return found
