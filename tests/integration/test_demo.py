# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make demo` runs."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.zerotrust.m365.tests.integration.running_playbook import (
    COLLECTIONS,
    bare_environment,
    wait_for_processes_of,
)

DEMO = COLLECTIONS / "ansible_collections/zerotrust/m365/scripts/demo.py"
CHANGED = re.compile(r"^localhost .* changed=(\d+)", re.MULTILINE)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short path: ansible-core 2.21 makes a socket below it, whose path may have 107 characters."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def demo(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, DEMO],
        cwd=folder,
        # Credentials of a real tenant, which are none of the demonstration's business.
        env={**bare_environment(folder), "AZURE_CLIENT_SECRET": "of-a-real-tenant", "M365_ACCESS_TOKEN": "a.b.c"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_demonstration(demo: subprocess.Popen[str]) -> None:
    output, _nothing = demo.communicate(timeout=120)
    assert demo.returncode == 0, output
    assert CHANGED.findall(output) == ["0", "7", "1", "1", "0", "0"]
    shown = re.findall(r"Security defaults +(on|off)", output)
    assert (shown[0], shown[-1]) == ("off", "on")
    assert "WARNING" not in output
    told = output.rpartition("the simulator is stopped")[2].splitlines()[2:]
    assert len(told) == 4
    assert "--check --diff" in output.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_stops_the_simulator(number: signal.Signals, demo: subprocess.Popen[str], folder: Path) -> None:
    assert demo.stdout is not None
    seen = ""
    while "TASK [" not in seen:  # in the midst of the first playbook
        line = demo.stdout.readline()
        assert line, seen
        seen += line
    demo.send_signal(number)
    rest, _nothing = demo.communicate(timeout=30)
    assert demo.returncode == 130
    assert rest.endswith("Interrupted; the simulator is stopped.\n")
    assert "Traceback" not in rest
    wait_for_processes_of(folder, seconds=5)
