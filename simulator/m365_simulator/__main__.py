# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`python -m m365_simulator` is the console script `m365-simulator`."""

from __future__ import annotations

import sys

from m365_simulator.cli import main

sys.exit(main())
