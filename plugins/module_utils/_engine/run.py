# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of one task: what it was asked, what it may use, what it has said (private to the collection)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._graph.client import GraphClient
from .._graph.errors import DeadlineExceeded

STARTED_BY = "ZEROTRUST_M365_STARTED_BY"
"""The name in the environment under which a door tells the processes, by number, that wait for the result."""


@dataclass
class WriteGuard:
    """Says no to a write that nobody waits for any more.

    A module goes on after its task timed out or after ansible-playbook was killed. Asked before each write, retries
    included: raises DeadlineExceeded once ``max_duration`` seconds have passed, or once the parent process or one of
    ``starters`` is gone. A module's parent is a shell, which outlives those that wait.
    """

    max_duration: int | None
    started: float = field(default_factory=time.monotonic)
    parent: int = field(default_factory=os.getppid)
    starters: Sequence[int] = ()

    def __call__(self) -> None:
        if self.max_duration is not None and time.monotonic() - self.started >= self.max_duration:
            raise DeadlineExceeded(
                f"Stopped before a write: max_duration of {self.max_duration} seconds has passed. "
                "Run the task again; it goes on from the state it finds."
            )
        if os.getppid() != self.parent or any(is_gone(process) for process in self.starters):
            raise DeadlineExceeded("Stopped before a write: the process that started this task is gone.")


def starters_in(environment: Mapping[str, str]) -> list[int]:
    return [int(process) for process in environment.get(STARTED_BY, "").split() if process.isdecimal()]


def is_gone(process: int) -> bool:
    """Whether it has ended. One that was killed stays in the list of processes until its own parent has looked."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's, as under become
        return False
    try:
        status = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:  # ended just now, or no Linux
        return Path("/proc/self/stat").exists()
    return status.rpartition(b")")[2].split()[0] == b"Z"  # after its name, which may hold anything


@dataclass
class Run:
    """What a resource works with: checked options, the Graph client, and the ways to speak to the user.

    ``answers`` collects what Graph answered to each write, in order; None for an empty answer. ``created`` holds the
    ids of what was created, by the names that the requests give them. ``kept`` is for what a resource needs to read but
    once in a run, however often it looks whether a change is shown.
    """

    options: Mapping[str, Any]
    client: GraphClient
    check_mode: bool
    warn: Callable[[str], None]
    secret: Callable[[str], None]
    answers: list[Any] = field(default_factory=list)
    created: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
