# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python reads this when it starts with this folder in PYTHONPATH: it notes what the processes of a run do.

To the file OBSERVED_PATH goes, as one JSON object a line, how each Python was started, what each of them starts, and
which files and folders it makes. Where a software security key is wanted, it is plugged in, too: a Python reads only
one file of this name.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import threading
from pathlib import Path
from typing import Any

STARTS = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system")
MAKES = {"os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1}
"""Which of its arguments is what an event makes."""
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND

_place = os.environ["OBSERVED_PATH"]
_noting = threading.local()


def _note(**what: Any) -> None:
    _noting.on = True
    try:
        line = json.dumps(what, default=repr).encode() + b"\n"
        file = os.open(_place, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)
    finally:
        _noting.on = False


def _observe(event: str, arguments: tuple[Any, ...]) -> None:
    if getattr(_noting, "on", False):
        return
    if event in STARTS:
        _note(event=event, arguments=arguments)
    elif event in MAKES:
        _note(event="write", path=str(Path(os.fsdecode(arguments[MAKES[event]])).absolute()))
    elif event == "open" and isinstance(arguments[0], (str, bytes)) and (arguments[2] or 0) & WRITES:
        _note(event="write", path=str(Path(os.fsdecode(arguments[0])).absolute()))


_note(event="start", arguments=sys.orig_argv, environment=dict(os.environ))
sys.addaudithook(_observe)

if "SOFTWARE_SECURITY_KEY" in os.environ:
    runpy.run_path(str(Path(__file__).parents[1] / "security_key/sitecustomize.py"))
