# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Conditional Access policies of a tenant amount to (private to the collection). Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .facts import text

ENABLED = "enabled"
DISABLED = "disabled"
REPORT_ONLY = "enabledForReportingButNotEnforced"
STATES = (ENABLED, REPORT_ONLY, DISABLED)


def by_state(policies: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Policy names by state, sorted. A state unknown to us keeps its own name. Raises UnexpectedShape."""
    names: dict[str, list[str]] = {state: [] for state in STATES}
    for policy in policies:
        names.setdefault(text(policy, "state"), []).append(text(policy, "displayName"))
    return {state: sorted(found) for state, found in names.items()}
