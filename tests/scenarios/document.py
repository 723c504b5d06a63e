# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of scenarios and assumptions in docs/simulator.md. Run it to write them anew: `make simulator-docs`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ansible_collections.zerotrust.m365.tests.scenarios.table import ROWS, SECTIONS, Row
from m365_simulator.assumptions import ASSUMPTIONS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"
BEGIN, END = "<!-- Made by make simulator-docs -->", "<!-- The end of what is made -->"


def tables() -> str:
    """Every behaviour with its evidence, by section, and every assumption with its values, as Markdown."""
    blocks = [
        f"### {title}\n\n" + _table(("", "behaviour", "evidence", "guessed, and its switches"), map(_cells, rows))
        for section, title in SECTIONS.items()
        if (rows := [row for row in ROWS if row.section == section])
    ]
    assumptions = (
        (f"`{name}`", ", ".join(one.values), one.default, one.meaning) for name, one in sorted(ASSUMPTIONS.items())
    )
    return "\n".join([*blocks, "### Assumptions\n\n" + _table(("name", "values", "default", "meaning"), assumptions)])


def _cells(row: Row) -> tuple[str, ...]:
    behaviour = f"{row.title} (pending: {row.pending})" if row.pending else row.title
    switches = ", ".join(f"`{name}`" for name in row.assumptions)
    return str(row.number), behaviour, f"{row.evidence}: {row.source}", "; ".join(filter(None, (row.guess, switches)))


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def with_tables(document: str) -> str:
    """The document with its made part made anew. Raises ValueError when the part is not marked."""
    before, begin, rest = document.partition(BEGIN)
    _made, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{DOCUMENT.name} lacks {BEGIN} or {END}.")
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
