# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of two runs without what no two runs have in common: ids made on the way, moments and waits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun, TaskResult

# GUIDs, and the security identifiers that Entra makes of them.
ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|S-1-12-1(?:-\d+){4}")
# The end of what the sign-in service says, which may be cut off in the middle.
TRACE = re.compile(r'Trace ID: [^"\\]*')
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?")
WAIT = re.compile(r"\b\d+\.\d+ seconds")

# What Ansible adds for an async job, and where a module ran.
OF_ANSIBLE = {
    "ansible_async_watchdog_pid",
    "ansible_delegated_vars",
    "ansible_facts",
    "ansible_job_id",
    "finished",
    "results_file",
    "started",
    "stderr",
    "stderr_lines",
    "stdout",
    "stdout_lines",
}


def without_moments(result: dict[str, Any]) -> Any:
    """A result with its ids numbered in the order in which they appear."""
    text = json.dumps(_of_modules(result), sort_keys=True)
    for pattern, word in ((WAIT, "WAIT seconds"), (MOMENT, "MOMENT"), (TRACE, "Trace ID: ...")):
        text = pattern.sub(word, text)
    ids: dict[str, str] = {}
    return json.loads(ID.sub(lambda found: ids.setdefault(found.group(), f"ID-{len(ids) + 1}"), text))


def _of_modules(value: Any) -> Any:
    if isinstance(value, list):
        return [_of_modules(item) for item in value]
    if isinstance(value, dict):
        return {
            name: _of_modules(item)
            for name, item in value.items()
            if not name.startswith("_ansible_") and name not in OF_ANSIBLE
        }
    return value


def comparable(results: Iterable[TaskResult]) -> list[tuple[str, str, bool, bool, Any]]:
    return [(one.host, one.task, one.changed, one.failed, without_moments(one.result)) for one in results]


def comparable_run(run: PlaybookRun) -> list[tuple[str, str, bool, bool, Any]]:
    """What the collection's modules answered in a run, loop items included."""
    items = [one for one in run.items if one.action.startswith("zerotrust.m365.")]
    return comparable([*run.of_collection(), *items])
