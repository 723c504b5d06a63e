# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills the process that looks it up, as a system short of memory would: for a task's option, Ansible's worker."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kill_this_process
short_description: Kill the process that looks it up, for the tests
description:
  - Ends the process with SIGKILL.
options: {}
"""

import os
import signal
from typing import Any

from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    def run(self, terms: Any, variables: Any = None, **keywords: Any) -> list[Any]:
        os.kill(os.getpid(), signal.SIGKILL)
        return []
