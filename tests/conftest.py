# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from hypothesis import Phase, settings

# The same examples in every run, no example database, and no deadline, which a busy machine would miss.
settings.register_profile("repeatable", max_examples=50, derandomize=True, database=None, deadline=None)
# For thousands of runs of which only the outcome counts: scripts/mutation.py.
settings.register_profile(
    "few", parent=settings.get_profile("repeatable"), max_examples=20, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("repeatable")
