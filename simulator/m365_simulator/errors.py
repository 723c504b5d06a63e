# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person at the command line is told."""

from __future__ import annotations


class SimulatorError(Exception):
    """Bad input or an unusable environment; its text is one clear sentence, shown without a traceback."""
