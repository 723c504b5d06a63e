# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables in schema/ (made by make_schema.py), with the known exceptions added: what Graph has, by version."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import yaml

HERE = Path(__file__).parent
VERSIONS = ("v1.0", "beta")
EXCEPTIONS = HERE / "exceptions.yml"

ENTITY = "microsoft.graph.entity"
VARIABLE = "{}"
BY_KEY = re.compile(r"^([\w.]+)\((.*)\)$")

Type = Any
"""A type as in the tables: a name, or a list of one name for a collection."""


NewNames = TypeVar("NewNames", bound=Collection[str])


class NotNeeded(Exception):
    """A known exception that Microsoft's own table has by now."""


@dataclass(frozen=True)
class KnownException:
    """One entry of exceptions.yml: what is added to which versions' tables, and why it is believed to be there."""

    name: str
    evidence: str
    versions: tuple[str, ...]
    paths: Mapping[str, Mapping[str, Any]]
    types: Mapping[str, Mapping[str, Any]]
    enums: Mapping[str, Mapping[str, Any]]


def read_exceptions(path: Path = EXCEPTIONS) -> list[KnownException]:
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        KnownException(
            name=entry["name"],
            evidence=entry["evidence"],
            versions=tuple(entry["versions"]),
            **{part: entry.get(part, {}) for part in ("paths", "types", "enums")},
        )
        for entry in entries
    ]


class Table:
    """One version of Graph. `used` holds the names of the known exceptions that were looked up."""

    def __init__(self, version: str, content: Mapping[str, Any], exceptions: Sequence[KnownException] = ()) -> None:
        """Raises NotNeeded for an exception that adds nothing."""
        self.version, self.sdk = version, content["sdk"]
        self.paths: dict[str, dict[str, Any]] = {path: dict(methods) for path, methods in content["paths"].items()}
        self.types: dict[str, dict[str, Any]] = {
            name: {**kind, "properties": dict(kind["properties"])} for name, kind in content["types"].items()
        }
        self.enums: dict[str, dict[str, Any]] = {
            name: {**enum, "members": list(enum["members"])} for name, enum in content["enums"].items()
        }
        self.used: set[str] = set()
        self._origin: dict[tuple[str, str], str] = {}
        for exception in exceptions:
            if version in exception.versions:
                self._add(exception)
        self._tree = _tree(self.paths)
        self.properties = cache(self._properties)
        self.below = cache(self._below)

    def _add(self, exception: KnownException) -> None:
        for path, methods in exception.paths.items():
            for method, description in methods.items():
                self._add_operation(exception, path, method, dict(description))
        for name, kind in exception.types.items():
            self._add_type(exception, name, dict(kind))
        for name, enum in exception.enums.items():
            known = self.enums.setdefault(name, {"members": []})
            known["members"] += self._new_names(exception, name, known["members"], enum["members"])

    def _add_operation(self, exception: KnownException, path: str, method: str, added: dict[str, Any]) -> None:
        """A new method or path; or, for one that is there, query options."""
        methods = self.paths.setdefault(path, {})
        if method not in methods:
            methods[method] = added
            self._origin[path, method] = exception.name
        elif set(added) == {"query"}:
            known = methods[method].get("query", [])
            new = self._new_names(exception, f"{method} {path}", known, added["query"])
            methods[method] = {**methods[method], "query": [*known, *new]}
        else:
            raise NotNeeded(f"{exception.name}: {self.version} has {method} {path}.")

    def _add_type(self, exception: KnownException, name: str, added: dict[str, Any]) -> None:
        """A new type; or, for one that is there, properties."""
        known = self.types.setdefault(name, {"properties": {}})
        new = self._new_names(exception, name, known["properties"], added.pop("properties"))
        known["properties"].update(new)
        known.update(added)

    def _new_names(self, exception: KnownException, where: str, known: Collection[str], new: NewNames) -> NewNames:
        for name in new:
            if name in known:
                raise NotNeeded(f"{exception.name}: {self.version} has {name} at {where}.")
            self._origin[where, name] = exception.name
        return new

    def use(self, *key: str) -> None:
        """Remember the exception that something which was looked up comes from."""
        if key in self._origin:
            self.used.add(self._origin[key])

    def template(self, path: str) -> str | None:
        """The template that a path without its version is one of; segments are compared without regard to case."""
        node, found = self._tree, []
        for segment in segments(path):
            name = segment.lower() if segment.lower() in node else VARIABLE
            if name not in node:
                return None
            found.append(node[name][0])
            node = node[name][1]
        template = "/" + "/".join(found)
        return template if template in self.paths else None

    def operation(self, template: str, method: str) -> dict[str, Any] | None:
        operation = self.paths.get(template, {}).get(method)
        if operation is not None:
            self.use(template, method)
        return operation

    def _properties(self, type_name: str) -> dict[str, tuple[Type, str]]:
        """Every property of a type and of its bases: its type, and the name of the type that declares it."""
        kind = self.types[type_name]
        inherited = self.properties(kind["base"]) if "base" in kind else {}
        return {**inherited, **{name: (value, type_name) for name, value in kind["properties"].items()}}

    def _below(self, type_name: str) -> frozenset[str]:
        """The type and all types derived from it."""
        return frozenset({type_name, *self.types[type_name].get("derived", ())})

    def is_entity(self, type_name: str) -> bool:
        """Whether a property of this type is a navigation property; a type out of reach of the table is one."""
        if type_name in self.enums or "." not in type_name:
            return False
        kind = self.types.get(type_name)
        if kind is None or type_name == ENTITY:
            return True
        return "base" in kind and self.is_entity(kind["base"])


def segments(path: str) -> list[str]:
    """Decoded; a key in parentheses is a segment of its own, `()` of a function is nothing, `me` is a user."""
    found: list[str] = []
    for raw in path.split("/"):
        segment = unquote(raw)
        if not segment:
            continue
        match = BY_KEY.match(segment)
        found += [segment] if match is None else [match[1], match[2]] if match[2] else [match[1]]
    return ["users", VARIABLE, *found[1:]] if found[:1] == ["me"] else found


Tree = dict[str, Any]


def _tree(paths: Mapping[str, Any]) -> Tree:
    """Lower-case segment -> the segment as Microsoft writes it, and what may follow."""
    root: Tree = {}
    for path in paths:
        node = root
        for segment in path.strip("/").split("/"):
            node = node.setdefault(segment.lower(), (segment, {}))[1]
    return root


@cache
def read_table(version: str) -> Any:
    return json.loads((HERE / "schema" / f"{version}.json").read_text(encoding="utf-8"))


def load_tables() -> dict[str, Table]:
    exceptions = read_exceptions()
    return {version: Table(version, read_table(version), exceptions) for version in VERSIONS}
