# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python reads this when it starts with this folder in PYTHONPATH: no connection gives up waiting for ten minutes.

A request that the simulator holds waits for the other tenants of its run, which may take long on a busy machine.
"""

from __future__ import annotations

import socket

TEN_MINUTES = 600.0

_settimeout = socket.socket.settimeout


def _settimeout_patiently(self: socket.socket, value: float | None, /) -> None:
    _settimeout(self, value if value is None or value == 0 else TEN_MINUTES)


socket.socket.settimeout = _settimeout_patiently  # type: ignore[assignment, method-assign]
