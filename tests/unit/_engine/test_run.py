# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine import run
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.run import STARTED_BY, WriteGuard, starters_in
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import DeadlineExceeded


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


def test_writes_are_allowed_until_the_deadline(clock: Clock) -> None:
    guard = WriteGuard(30, started=clock.now)
    guard()
    clock.now += 29.9
    guard()
    clock.now += 0.1
    with pytest.raises(DeadlineExceeded, match="max_duration of 30 seconds has passed"):
        guard()


def test_the_deadline_counts_from_the_start_of_the_task_not_from_the_last_write(clock: Clock) -> None:
    guard = WriteGuard(10, started=clock.now)
    for _unused in range(9):
        clock.now += 1
        guard()
    clock.now += 1
    with pytest.raises(DeadlineExceeded):
        guard()


def test_no_time_at_all_allows_no_write(clock: Clock) -> None:
    with pytest.raises(DeadlineExceeded):
        WriteGuard(0, started=clock.now)()


def test_without_max_duration_time_does_not_matter(clock: Clock) -> None:
    guard = WriteGuard(None, started=clock.now)
    clock.now += 10**9
    guard()


def test_the_clock_starts_with_the_task() -> None:
    before = time.monotonic()
    started = WriteGuard(30).started
    assert before <= started <= time.monotonic()


def test_nothing_is_written_once_the_parent_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = WriteGuard(None)
    guard()
    monkeypatch.setattr(os, "getppid", lambda: 1)
    with pytest.raises(DeadlineExceeded, match="the process that started this task is gone"):
        guard()


def test_nothing_is_written_once_somebody_who_waits_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with process:
        environment = {STARTED_BY: f"{os.getpid()} {process.pid}"}
        guard = WriteGuard(None, starters=starters_in(environment))
        guard()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, but its parent has not looked
        with pytest.raises(DeadlineExceeded, match="the process that started this task is gone"):
            guard()
    with pytest.raises(DeadlineExceeded):
        guard()
    assert starters_in({}) == starters_in({STARTED_BY: "none"}) == []


@pytest.mark.parametrize(
    ("files", "gone"),
    [
        ({"7/stat": b"7 (python) Z 1"}, True),
        ({"7/stat": b"7 (python) S 1"}, False),
        ({"7/stat": b"7 (Z) Z (\xff) S 1"}, False),
        ({"7/stat": b"7 (S) S (\xff) Z 1"}, True),
        ({"self/stat": b"8 (python) S 1"}, True),
        ({}, False),
    ],
    ids=["killed", "alive", "alive, of an odd name", "killed, of an odd name", "ended just now", "no Linux"],
)
def test_who_has_ended_is_read_from_the_list_of_processes(
    files: dict[str, bytes], gone: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, content in files.items():
        file = tmp_path / "proc" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    monkeypatch.setattr(os, "kill", lambda _process, _number: None)
    monkeypatch.setattr(run, "Path", lambda path: tmp_path / path.removeprefix("/"))
    assert run.is_gone(7) is gone


def test_a_process_of_somebody_else_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    WriteGuard(None, starters=[1])()


def test_a_parent_other_than_the_one_at_the_start_is_noticed() -> None:
    with pytest.raises(DeadlineExceeded):
        WriteGuard(None, parent=os.getppid() + 1)()
