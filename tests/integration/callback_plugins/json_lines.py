# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what Ansible tells its callbacks as one JSON object a line, to the file named by JSON_LINES_PATH.

Ansible hands a callback what may be shown: the result of a task that hides it arrives censored. Works on ansible-core
2.16 to 2.21.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: json_lines
type: aggregate
short_description: Task results as JSON lines, for the tests
description:
  - Writes each task result, each loop item and the recap as one JSON object a line.
requirements:
  - The file to write to, in the environment variable JSON_LINES_PATH.
"""

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "json_lines"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result, "task")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record(result, "task", failed=True, ignored=ignore_errors)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._record(result, "task", skipped=True)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record(result, "task", failed=True)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._record(result, "item")

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._record(result, "item", failed=True)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        self._record(result, "item", skipped=True)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        recap = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self._write({"event": "recap", "recap": recap, "custom": stats.custom})

    def _record(
        self, result: Any, event: str, failed: bool = False, skipped: bool = False, ignored: bool = False
    ) -> None:
        self._write(
            {
                "event": event,
                "host": result._host.get_name(),
                "task": result._task.get_name(),
                "action": result._task.action,
                "changed": bool(result._result.get("changed", False)),
                "failed": failed,
                "skipped": skipped,
                "ignored": ignored,
                "result": result._result,
            }
        )

    def _write(self, record: dict[str, Any]) -> None:
        with Path(os.environ["JSON_LINES_PATH"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, default=str) + "\n")
