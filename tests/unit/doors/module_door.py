# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs real module files as Ansible does: a process of their own, arguments as JSON on stdin, the result on stdout.

All cases go to one new Python, which imports the libraries once and forks for each case: most of a module's time is
its start.
"""

from __future__ import annotations

import io
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from ansible.module_utils.common.parameters import PASS_VARS

MODULES = "ansible_collections/zerotrust/m365/plugins/modules"


@dataclass(frozen=True)
class Case:
    """One task: the module, its arguments, and what the environment holds besides the ordinary.

    ``broken``: a bug shows before anything is sent.
    """

    module: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    check_mode: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    broken: bool = False

    @property
    def action(self) -> str:
        return f"zerotrust.m365.{self.module}"


def broken(*_arguments: Any, **_keywords: Any) -> Any:
    """Stands for a function with a bug."""
    return 1 // 0


def run_modules(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """The result of each case, as Ansible would read it."""
    root = next(path for path in sys.path if Path(path, MODULES).is_dir())
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "M365_"))}
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps({"folder": f"{root}/{MODULES}", "cases": [asdict(case) for case in cases]}),
        env={**environment, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _main() -> None:
    asked = json.load(sys.stdin)
    for case in asked["cases"]:
        # What a module imports is loaded here, once; its own file runs in the fork.
        runpy.run_path(f"{asked['folder']}/{case['module']}.py", run_name="imported")
    for case in asked["cases"]:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _run(f"{asked['folder']}/{case['module']}.py", case)
        _unused, status = os.waitpid(child, 0)
        if status:
            raise RuntimeError(f"{case['module']} ended with {status}")


def _run(file: str, case: Mapping[str, Any]) -> None:
    """Runs one module and ends this process: with 0 when the module left with a result."""
    os.environ.update(case["environment"])
    if case["broken"]:
        from ansible_collections.zerotrust.m365.plugins.module_utils._engine import engine

        mock.patch.object(engine, "connect", broken).start()
    arguments = {
        **case["arguments"],
        "_ansible_check_mode": case["check_mode"],
        "_ansible_module_name": f"zerotrust.m365.{case['module']}",
    }
    if "inject_invocation" in PASS_VARS:  # from 2.21 a setting, before always on
        arguments["_ansible_inject_invocation"] = True
    sys.stdin = io.TextIOWrapper(io.BytesIO(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()))
    output, sys.stdout = sys.stdout, io.StringIO()
    try:
        runpy.run_path(file, run_name="__main__")
    except SystemExit:
        written = sys.stdout.getvalue()
        output.write(json.dumps(json.loads(written)) + "\n")
        output.flush()
        os._exit(0)
    finally:
        os._exit(1)


if __name__ == "__main__":
    _main()
