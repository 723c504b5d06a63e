# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state as it was before some of its writes, for reads that lag behind.

While a write is recorded, triggers of the database note what every row was. A read of the past puts those rows back,
asks whatever is asked, and rolls back. So every read lags, whatever it filters, counts or expands, and nothing of this
is there for requests that no fault strikes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import String, Table, UniqueConstraint, and_, column, delete, insert, literal_column, select, table

from m365_simulator.state import METADATA, Store

NOTES = table("rows_of_write", *(column(name, String) for name in ("name", "before", "after")))
TABLES = tuple(kept for kept in METADATA.sorted_tables if "tenant" in kept.c)


class Change(NamedTuple):
    """One row that a write inserted (`before` None), changed, or deleted (`after` None)."""

    table: Table
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Past:
    """Works on the store's one connection, between its transactions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def recorded(self) -> Iterator[list[Change]]:
        """Commits what is written inside; the list is filled when it ends. After an error nothing is written."""
        connection = self._store.connection
        connection.exec_driver_sql(f"CREATE TEMP TABLE {NOTES.name} (name TEXT, before TEXT, after TEXT)")
        try:
            for kept in TABLES:
                for verb in ("INSERT", "UPDATE", "DELETE"):
                    connection.exec_driver_sql(_trigger(kept, verb))
            changes: list[Change] = []
            yield changes
            for name, before, after in connection.execute(select(NOTES).order_by(literal_column("rowid"))):
                changes.append(Change(METADATA.tables[name], _row(before), _row(after)))
            self._store.commit()
        except BaseException:
            self._store.rollback()
            raise
        finally:
            for kept in TABLES:
                for verb in ("INSERT", "UPDATE", "DELETE"):
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS temp.{_name(kept, verb)}")
            connection.exec_driver_sql(f"DROP TABLE temp.{NOTES.name}")
            self._store.commit()

    @contextmanager
    def restored(self, changes: Iterable[Change]) -> Iterator[None]:
        """Inside, the state is what it was before `changes` (in the order of their writing). Nothing written inside
        remains."""
        connection = self._store.connection
        try:
            for change in reversed(list(changes)):
                row = change.after or change.before
                assert row is not None
                connection.execute(delete(change.table).where(_same(change.table, row)))
                if change.before is not None:
                    connection.execute(insert(change.table).values(self._free(change.table, change.before)))
            yield
        finally:
            self._store.rollback()

    def _free(self, table: Table, row: dict[str, Any]) -> dict[str, Any]:
        """The row without its number, if another one has it by now."""
        numbers = [column for column in table.primary_key if column.name in row]
        if not numbers:
            return row
        taken = select(table).where(and_(*(column == row[column.name] for column in numbers)))
        if self._store.connection.execute(taken).first() is None:
            return row
        return {name: value for name, value in row.items() if name not in {column.name for column in numbers}}


def _key(kept: Table) -> list[str]:
    """The columns that tell the rows of a table apart."""
    for constraint in kept.constraints:
        if isinstance(constraint, UniqueConstraint):
            return [one.name for one in constraint.columns]
    return [one.name for one in kept.primary_key]


def _same(table: Table, row: dict[str, Any]) -> Any:
    return and_(*(table.c[name] == row[name] for name in _key(table)))


def _name(table: Table, verb: str) -> str:
    return f"note_{verb.lower()}_of_{table.name}"


def _trigger(table: Table, verb: str) -> str:
    before = "NULL" if verb == "INSERT" else _json_of(table, "OLD")
    after = "NULL" if verb == "DELETE" else _json_of(table, "NEW")
    head = f"CREATE TEMP TRIGGER {_name(table, verb)} AFTER {verb} ON main.{table.name}"
    note = insert(NOTES).values(name=table.name, before=literal_column(before), after=literal_column(after))
    return f"{head} BEGIN {note.compile(compile_kwargs={'literal_binds': True})}; END"


def _json_of(table: Table, row: str) -> str:
    return "json_object(" + ", ".join(f"'{column.name}', {row}.{column.name}" for column in table.c) + ")"


def _row(text: str | None) -> dict[str, Any] | None:
    return None if text is None else dict(json.loads(text))
