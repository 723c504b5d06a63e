# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Becomes nobody else, but leaves a mark: needs no sudo, and shows that a module was started."""

from __future__ import annotations

DOCUMENTATION = r"""
name: mark
short_description: Become nobody else, for the tests
description:
  - Runs the command as it is, and leaves the file of the environment variable BECOME_MARK behind.
options: {}
"""

import os
import shlex
from typing import Any

from ansible.plugins.become import BecomeBase


class BecomeModule(BecomeBase):
    name = "mark"

    def build_become_command(self, cmd: Any, shell: Any) -> Any:
        super().build_become_command(cmd, shell)
        mark = shlex.quote(os.environ["BECOME_MARK"])
        return f"touch {mark}; {self._build_success_command(cmd, shell)}" if cmd else cmd
