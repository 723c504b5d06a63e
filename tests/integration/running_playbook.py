# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook as a user runs it: a process of its own, with an environment that is built from nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
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
    minutes: float = MINUTES_AT_MOST,
) -> PlaybookRun:
    """Run a playbook, a path or a name of a collection. ``folder`` must be new; everything it leaves lies there."""
    return RunningPlaybook(folder, playbook, *options, environment=environment, variables=variables).wait(minutes)


class RunningPlaybook:
    """A run that goes on meanwhile; for the arguments see ``run_playbook``. With ``again`` the folder is that of an
    earlier run."""

    def __init__(
        self,
        folder: Path,
        playbook: str | Path,
        *options: str,
        environment: Mapping[str, str] | None = None,
        variables: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=again)
        self.folder = folder
        self._lines = folder / "results.jsonl"
        self._lines.write_bytes(b"")
        with (folder / STDOUT).open("wb") as stdout, (folder / STDERR).open("wb") as stderr:
            self._process = subprocess.Popen(
                _command(folder, playbook, options, variables),
                cwd=folder,
                env={**bare_environment(folder), **reporting(self._lines), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def wait(self, minutes: float = MINUTES_AT_MOST) -> PlaybookRun:
        """Until ansible-playbook itself has ended. Kills it, and fails, when that takes too long."""
        try:
            self._process.wait(minutes * 60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return collected(self._process.returncode, self._lines, self.folder)

    def kill(self) -> None:
        """kill -9 of ansible-playbook itself."""
        self._process.kill()
        self._process.wait()

    def workers(self) -> int:
        """How many of Ansible's workers are at work."""
        return len(self._workers())

    def kill_workers(self) -> int:
        """kill -9 of each of Ansible's workers. Returns how many there were."""
        return _kill_all(self._workers())

    def _workers(self) -> list[int]:
        return [process for process, parent in processes_of(self.folder).items() if parent == self._process.pid]

    def kill_family(self) -> int:
        """kill -9 of whatever it has started and is at work. Returns how many there were."""
        return _kill_all(processes_of(self.folder))

    def kill_modules(self) -> int:
        """kill -9 of each module at work: of what the workers have started, and of these what has started nothing."""
        found = processes_of(self.folder)
        parents = set(found.values())
        return _kill_all(
            process
            for process, parent in found.items()
            if parent in found and parent != self._process.pid and process not in parents
        )


STDOUT, STDERR = "stdout.txt", "stderr.txt"


def _kill_all(processes: Iterable[int]) -> int:
    killed = 0
    for process in processes:
        os.kill(process, signal.SIGKILL)
        killed += 1
    return killed


def _command(
    folder: Path, playbook: str | Path, options: Sequence[str], variables: Mapping[str, Any] | None
) -> list[str | Path]:
    command: list[str | Path] = [BIN / "ansible-playbook", playbook, *options]
    if variables:
        file = folder / "variables.json"  # not on the command line, which Ansible shows at -vvvv
        file.write_text(json.dumps(variables), encoding="utf-8")
        command += ["--extra-vars", f"@{file}"]
    return command


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
        **measured(),
    }


def measured() -> dict[str, str]:
    """What has every Python of a run write down what it ran, under `make coverage`."""
    if "COVERAGE_PROCESS_START" not in os.environ:
        return {}
    return {
        "COVERAGE_PROCESS_START": os.environ["COVERAGE_PROCESS_START"],
        "ANSIBLE_WORKER_SHUTDOWN_POLL_COUNT": "100",  # the last worker is killed otherwise, before it has written
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


def collected(return_code: int, lines: Path, folder: Path) -> PlaybookRun:
    """What a run that has ended wrote to its folder, and what our callback wrote to ``lines``."""
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
        return_code=return_code,
        stdout=COLOUR.sub("", (folder / STDOUT).read_text(encoding="utf-8")),
        stderr=COLOUR.sub("", (folder / STDERR).read_text(encoding="utf-8")),
        results=found["task"],
        items=found["item"],
        recap=recap,
        custom=custom,
        folder=folder,
    )


def leftovers(folder: Path) -> Sequence[Path]:
    """Every file that a run left behind, but for what the harness itself put there."""
    ours = {folder / name for name in ("ansible.cfg", "results.jsonl", "variables.json", STDOUT, STDERR)}
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path not in ours]


def wait_for_processes_of(folder: Path, seconds: float = 60) -> None:
    """Wait until no process is left that has ``folder`` as its home: none that a run has started."""
    deadline = time.monotonic() + seconds
    while left := processes_of(folder):
        assert time.monotonic() < deadline, f"{len(left)} processes are left"
        time.sleep(0.1)


def processes_of(folder: Path) -> dict[int, int]:
    """Each process that has ``folder`` as its home, whose descendant it may be, with the process that started it."""
    mark = f"HOME={folder}\0".encode()
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes():
                found[int(path.name)] = int((path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        except OSError:  # it has ended, or is another user's
            continue
    return found
