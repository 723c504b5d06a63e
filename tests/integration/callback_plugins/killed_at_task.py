# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills ansible-playbook (kill -9) when the task begins that KILLED_AT_TASK names."""

from __future__ import annotations

DOCUMENTATION = r"""
name: killed_at_task
type: aggregate
short_description: Kill a run when a task begins, for the tests
description:
  - Kills the run with SIGKILL when a task begins.
requirements:
  - The name of the task, without that of its role, in the environment variable KILLED_AT_TASK.
"""

import os
import signal
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "killed_at_task"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if task.name == os.environ["KILLED_AT_TASK"]:
            os.kill(os.getpid(), signal.SIGKILL)
