# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table and the tests match one to one, and every assumption is tested under each of its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.document import DOCUMENT, with_tables
from ansible_collections.zerotrust.m365.tests.scenarios.table import ROWS, SECTIONS, Row
from m365_simulator.assumptions import ASSUMPTIONS

NAME = re.compile(r"test_scenario_(\d\d)_\w+")
EVIDENCE = {"DOC", "USER", "META", "GUESS", "K"}


def scenario_tests() -> Iterator[tuple[int, Callable[..., None]]]:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        module = import_module(f"ansible_collections.zerotrust.m365.tests.scenarios.{path.stem}")
        for name, value in vars(module).items():
            match = NAME.fullmatch(name)
            if match and value.__module__ == module.__name__:
                yield int(match[1]), value


def values_of(name: str) -> tuple[str, ...] | None:
    return ASSUMPTIONS[name].values if name in ASSUMPTIONS else None


def test_the_numbers_run_from_1_to_60() -> None:
    assert [row.number for row in ROWS] == list(range(1, 61))


def test_every_row_has_one_test_unless_it_is_pending() -> None:
    tested = [number for number, _test in scenario_tests()]
    assert sorted(tested) == [row.number for row in ROWS if not row.pending]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.number))
def test_a_row_is_complete(row: Row) -> None:
    assert row.section in SECTIONS
    assert row.title
    assert row.source
    assert set(re.split(r"[/+]", row.evidence)) <= EVIDENCE
    assert set(row.assumptions) <= set(ASSUMPTIONS)
    if row.guess or row.evidence == "GUESS":
        assert row.assumptions or row.pending, "what is guessed is switchable"


def test_every_assumption_of_a_row_is_tested_under_all_values() -> None:
    wanted = {row.number: set(row.assumptions) for row in ROWS if not row.pending}
    for number, test in scenario_tests():
        marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
        under = {name for name, values in (mark.args for mark in marks) if values == values_of(name)}
        assert under == wanted[number], number


def test_the_documentation_has_the_table() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert document == with_tables(document), "run make simulator-docs"
