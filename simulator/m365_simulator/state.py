# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of all tenants: JSON documents in SQLite, in memory or in a file that survives a restart."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from m365_simulator.errors import SimulatorError

METADATA = MetaData()

OBJECTS = Table(
    "objects",
    METADATA,
    Column("sequence", Integer, primary_key=True),
    Column("tenant", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String(collation="NOCASE"), nullable=False),
    Column("name", String(collation="NOCASE"), nullable=False),
    Column("document", Text, nullable=False),
    Column("private", Text, nullable=False),
    UniqueConstraint("tenant", "kind", "id"),
)
"""`document` is what Graph can show, `private` what it cannot; `name` is a second key (a user's principal name)."""
Index("objects_by_name", OBJECTS.c.tenant, OBJECTS.c.kind, OBJECTS.c.name)
Index("objects_by_kind", OBJECTS.c.tenant, OBJECTS.c.kind)

LINKS = Table(
    "links",
    METADATA,
    Column("tenant", Integer, nullable=False),
    Column("source", String(collation="NOCASE"), nullable=False),
    Column("target", String(collation="NOCASE"), nullable=False),
    UniqueConstraint("tenant", "source", "target"),
)
"""Group (source) has member (target)."""
Index("links_by_target", LINKS.c.tenant, LINKS.c.target)

SETTINGS = Table("settings", METADATA, Column("key", String, primary_key=True), Column("value", Text, nullable=False))

INSERT_OBJECT = "INSERT INTO objects (tenant, kind, id, name, document, private) VALUES (?, ?, ?, ?, ?, ?)"
INSERT_LINK = "INSERT OR IGNORE INTO links (tenant, source, target) VALUES (?, ?, ?)"
CHUNK = 5000
T = TypeVar("T")
_encode = json.JSONEncoder(separators=(",", ":")).encode
MEMBER_KINDS = ("user", "group", "servicePrincipal")
"""What can be a member of a group or hold a directory role."""


class Row(NamedTuple):
    sequence: int
    id: str
    document: dict[str, Any]
    private: dict[str, Any]


class Store:
    """One SQLite database. `path` None keeps it in memory. Raises SimulatorError when the file cannot be used."""

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            _create_private(path)
        self._engine = create_engine(
            "sqlite://" if path is None else f"sqlite:///{path}",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
        )
        event.listen(self._engine, "connect", _set_pragmas)
        try:
            METADATA.create_all(self._engine)
            self.connection = self._engine.connect()
        except DatabaseError:
            raise SimulatorError(f"The state file {path} cannot be used: it is no database of the simulator.") from None

    def commit(self) -> None:
        self.connection.commit()

    def rollback(self) -> None:
        self.connection.rollback()

    def close(self) -> None:
        self.connection.close()
        self._engine.dispose()

    def setting(self, key: str) -> Any:
        """The JSON value kept under `key`; None when there is none."""
        value = self.connection.execute(select(SETTINGS.c.value).where(SETTINGS.c.key == key)).scalar()
        return None if value is None else json.loads(value)

    def keep_setting(self, key: str, value: Any) -> None:
        self.connection.execute(delete(SETTINGS).where(SETTINGS.c.key == key))
        self.connection.execute(insert(SETTINGS).values(key=key, value=json.dumps(value)))

    def tenant(self, number: int) -> TenantStore:
        return TenantStore(self, number)


class TenantStore:
    """The objects and memberships of one tenant. Ids and names are compared without regard to case."""

    def __init__(self, store: Store, number: int) -> None:
        self._connection = store.connection
        self._number = number

    def insert(
        self, kind: str, id: str, document: dict[str, Any], *, name: str = "", private: dict[str, Any] | None = None
    ) -> None:
        self.insert_many(kind, [(id, name, document, private or {})])

    def insert_many(self, kind: str, rows: Iterable[tuple[str, str, dict[str, Any], dict[str, Any]]]) -> None:
        """Rows are (id, name, document, private); a stream of any length is inserted in bounded memory."""
        self.insert_all((kind, *row) for row in rows)

    def insert_all(self, rows: Iterable[tuple[str, str, str, dict[str, Any], dict[str, Any]]]) -> None:
        """Rows of any kinds: (kind, id, name, document, private)."""
        values = (
            (self._number, kind, id, name, _dump(document), _dump(private))
            for kind, id, name, document, private in rows
        )
        for chunk in _chunks(values):
            # Past the compiler of SQLAlchemy, which is half the cost of a large tenant.
            self._connection.exec_driver_sql(INSERT_OBJECT, chunk)

    def read(self, kind: str, id: str) -> Row | None:
        return self._one(kind, OBJECTS.c.id == id)

    def read_by_name(self, kind: str, name: str) -> Row | None:
        return self._one(kind, OBJECTS.c.name == name)

    def update(
        self,
        kind: str,
        id: str,
        *,
        document: dict[str, Any] | None = None,
        private: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        """Replace what is given, keep the rest."""
        values: dict[str, Any] = {}
        if document is not None:
            values["document"] = _dump(document)
        if private is not None:
            values["private"] = _dump(private)
        if name is not None:
            values["name"] = name
        self._connection.execute(update(OBJECTS).where(*self._of(kind), OBJECTS.c.id == id).values(values))

    def delete(self, kind: str, id: str) -> bool:
        """Whether there was one. Its memberships go with it."""
        gone = self._connection.execute(delete(OBJECTS).where(*self._of(kind), OBJECTS.c.id == id)).rowcount > 0
        if gone:
            self._connection.execute(
                delete(LINKS).where(LINKS.c.tenant == self._number, (LINKS.c.source == id) | (LINKS.c.target == id))
            )
        return gone

    def clear(self) -> None:
        self._connection.execute(delete(OBJECTS).where(OBJECTS.c.tenant == self._number))
        self._connection.execute(delete(LINKS).where(LINKS.c.tenant == self._number))

    def rows(
        self,
        kind: str,
        *where: ColumnElement[bool],
        order: Iterable[ColumnElement[Any]] = (),
        offset: int = 0,
        limit: int | None = None,
    ) -> list[Row]:
        """In the order asked for, otherwise in the order of creation."""
        query = (
            select(OBJECTS.c.sequence, OBJECTS.c.id, OBJECTS.c.document, OBJECTS.c.private)
            .where(*self._of(kind), *where)
            .order_by(*order, OBJECTS.c.sequence)
        )
        if limit is not None:
            query = query.limit(limit)
        if offset:
            query = query.limit(-1 if limit is None else limit).offset(offset)
        return [_row(found) for found in self._connection.execute(query)]

    def documents(self, kind: str, *where: ColumnElement[bool]) -> list[dict[str, Any]]:
        return [row.document for row in self.rows(kind, *where)]

    def ids(self, kind: str, *where: ColumnElement[bool]) -> list[str]:
        """In the order of creation, without reading the objects."""
        query = select(OBJECTS.c.id).where(*self._of(kind), *where).order_by(OBJECTS.c.sequence)
        return list(self._connection.execute(query).scalars())

    def count(self, kind: str, *where: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(OBJECTS).where(*self._of(kind), *where)
        return self._connection.execute(query).scalar() or 0

    def kinds(self) -> list[str]:
        query = select(OBJECTS.c.kind).where(OBJECTS.c.tenant == self._number).distinct().order_by(OBJECTS.c.kind)
        return list(self._connection.execute(query).scalars())

    def link(self, source: str, target: str) -> bool:
        """Make `target` a member of `source`; False when it already was one."""
        if target in self.targets(source):
            return False
        self._connection.execute(insert(LINKS).values(tenant=self._number, source=source, target=target))
        return True

    def link_many(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Pairs are (source, target); one that is there already stays."""
        for chunk in _chunks((self._number, source, target) for source, target in pairs):
            self._connection.exec_driver_sql(INSERT_LINK, chunk)

    def unlink(self, source: str, target: str) -> bool:
        """False when it was no member."""
        found = delete(LINKS).where(LINKS.c.tenant == self._number, LINKS.c.source == source, LINKS.c.target == target)
        return self._connection.execute(found).rowcount > 0

    def targets(self, source: str) -> list[str]:
        query = select(LINKS.c.target).where(LINKS.c.tenant == self._number, LINKS.c.source == source)
        return list(self._connection.execute(query).scalars())

    def sources(self, target: str) -> list[str]:
        query = select(LINKS.c.source).where(LINKS.c.tenant == self._number, LINKS.c.target == target)
        return list(self._connection.execute(query).scalars())

    def members(
        self, group: str, *, transitive: bool = False, offset: int = 0, limit: int | None = None
    ) -> list[tuple[str, Row]]:
        """Members with their kind, in the order of creation; those inside member groups too when `transitive`."""
        query = (
            select(OBJECTS.c.kind, OBJECTS.c.sequence, OBJECTS.c.id, OBJECTS.c.document, OBJECTS.c.private)
            .where(*self._members_of(group, transitive))
            .order_by(OBJECTS.c.sequence)
            .limit(-1 if limit is None else limit)
            .offset(offset)
        )
        return [(found[0], _row(found[1:])) for found in self._connection.execute(query)]

    def count_members(self, group: str, *, transitive: bool = False) -> int:
        query = select(func.count()).select_from(OBJECTS).where(*self._members_of(group, transitive))
        return self._connection.execute(query).scalar() or 0

    def _members_of(self, group: str, transitive: bool) -> tuple[ColumnElement[bool], ...]:
        inside = select(LINKS.c.target).where(LINKS.c.tenant == self._number, LINKS.c.source == group)
        if transitive:
            found = inside.cte("inside", recursive=True)
            deeper = select(LINKS.c.target).where(LINKS.c.tenant == self._number, LINKS.c.source == found.c.target)
            inside = select(found.union(deeper).c.target)
        return (
            OBJECTS.c.tenant == self._number,
            OBJECTS.c.kind.in_(MEMBER_KINDS),
            OBJECTS.c.id.in_(inside),
        )

    def links(self) -> list[dict[str, str]]:
        query = select(LINKS.c.source, LINKS.c.target).where(LINKS.c.tenant == self._number)
        return [{"group": source, "member": target} for source, target in self._connection.execute(query)]

    def _of(self, kind: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return OBJECTS.c.tenant == self._number, OBJECTS.c.kind == kind

    def _one(self, kind: str, where: ColumnElement[bool]) -> Row | None:
        rows = self.rows(kind, where, limit=1)
        return rows[0] if rows else None


def _row(found: Any) -> Row:
    return Row(found[0], found[1], json.loads(found[2]), json.loads(found[3]))


def _dump(value: dict[str, Any]) -> str:
    return _encode(value) if value else "{}"


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    chunk: list[T] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _create_private(path: Path) -> None:
    """The file holds keys and secrets, so nobody else may read it."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise SimulatorError(f"The state file {path} cannot be used: {error.strerror}.") from None


def _set_pragmas(connection: Any, _record: Any) -> None:
    """A killed process must not damage the file; a power cut may."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
