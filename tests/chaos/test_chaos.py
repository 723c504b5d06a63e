# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sixty seeds of `make chaos`, and a dry run against the run on forty tenants."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.zerotrust.m365.tests.chaos.cases import RESTORE, SHORT_BASELINE, SHORT_MIGRATION, draw_case
from ansible_collections.zerotrust.m365.tests.chaos.run import Comparison, Summary, compare_seeds, run_seeds

SEEDS = {SHORT_BASELINE: 34, "baseline": 16, SHORT_MIGRATION: 6, RESTORE: 3, "emergency_access": 1}
COMPARED = {SHORT_BASELINE: 24, "baseline": 8, SHORT_MIGRATION: 6, "migrate_per_user_mfa": 2}
"""How many seeds of each. What takes long has few: this is to be done in two minutes on two cores."""
AT_ONCE = 25


def parts(wanted: dict[str, int]) -> list[tuple[str, int, int]]:
    """Playbook, first seed and number of seeds, of which so many share a run."""
    return [
        (playbook, first, min(AT_ONCE, number - first + 1))
        for playbook, number in wanted.items()
        for first in range(1, number + 1, AT_ONCE)
    ]


@pytest.mark.parametrize(("playbook", "first", "number"), parts(SEEDS))
def test_whatever_goes_wrong_the_next_run_ends_well(playbook: str, first: int, number: int, tmp_path: Path) -> None:
    summary = Summary()
    for trial in run_seeds([draw_case(seed, playbook) for seed in range(first, first + number)], tmp_path, at_once=1):
        summary.add(trial)
    assert not summary.complaints, summary.told()
    assert sum(summary.runs.values()) == number
    assert summary.struck > number / 4


@pytest.mark.parametrize(("playbook", "first", "number"), parts(COMPARED))
def test_the_dry_run_is_the_run(playbook: str, first: int, number: int, tmp_path: Path) -> None:
    comparison = Comparison()
    for trial in compare_seeds(
        [draw_case(seed, playbook) for seed in range(first, first + number)], tmp_path, at_once=1
    ):
        comparison.add(trial)
    assert not comparison.complaints, comparison.told()
    assert sum(comparison.runs.values()) == number
    assert comparison.written > 0
