# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Property tables: one row gives the option, the payload, the comparison and the diff (private to the collection)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._graph.errors import M365Error
from .compare import same
from .plan import NOT_SHOWN

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "list": (list,),
    "dict": (dict,),
}


class StateUnknown(M365Error):
    """Graph answered, but not with the property that a table names: the state is unknown, so nothing is written."""


@dataclass(frozen=True)
class Property:
    """One managed property.

    ``option`` is Ansible's name, ``graph`` Microsoft's, ``type`` Ansible's type name. ``nullable`` says that Graph may
    answer null. ``compare`` decides whether two Graph values are the same. ``write_only`` values are never read,
    compared or shown.

    ``public`` says that a name that Ansible would take for that of a secret (key, pass) is none.

    ``rows`` is the table of an object's own properties, or of the items of a list; ``not_sent`` names members that
    Graph shows in such an object, but does not take back. ``flags`` marks a list that Graph writes as one string with
    commas. ``canonical`` gives a value, or an item of a list, the form in which two are compared.
    """

    option: str
    graph: str
    type: str = "str"
    required: bool = False
    choices: tuple[str, ...] = ()
    elements: str = ""
    default: Any = None
    nullable: bool = False
    write_only: bool = False
    public: bool = False
    compare: Callable[[Any, Any], bool] = field(default=same)
    rows: tuple[Property, ...] = ()
    not_sent: tuple[str, ...] = ()
    flags: bool = False
    canonical: Callable[[Any], Any] | None = None

    def argument(self) -> dict[str, Any]:
        """This row as an entry of an Ansible argument spec."""
        argument: dict[str, Any] = {"type": self.type}
        if self.required:
            argument["required"] = True
        if self.choices:
            argument["choices"] = list(self.choices)
        if self.elements:
            argument["elements"] = self.elements
        if self.default is not None:
            argument["default"] = self.default
        if self.write_only:
            argument["no_log"] = True
        if self.public:
            argument["no_log"] = False
        if self.rows:
            argument["options"] = arguments(self.rows)
        return argument

    def announced(self, value: Any) -> Any:
        """A wanted value for the diff, where a secret only shows that it changes."""
        return f"{NOT_SHOWN} (changed)" if self.write_only else value

    def read(self, body: Mapping[str, Any], path: str) -> Any:
        """The value in Graph's answer; raises StateUnknown when it is missing or of another type."""
        if self.graph not in body:
            raise StateUnknown(f"Graph's answer for {path} has no '{self.graph}'; its state is unknown.")
        value = body[self.graph]
        if value is None and self.nullable:
            return None
        expected = "str" if self.flags else self.type
        if not _is(value, expected):
            raise StateUnknown(f"Graph's answer for {path} has a '{self.graph}' that is no {expected}.")
        if self.flags:
            return sorted(flag.strip() for flag in value.split(",") if flag.strip())
        if self.rows:
            return self._read_below(value, path)
        if self.elements in JSON_TYPES and not all(_is(item, self.elements) for item in value):
            raise StateUnknown(
                f"Graph's answer for {path} has a '{self.graph}' with an item that is no {self.elements}."
            )
        return self._in_canonical_form(value)

    def _read_below(self, value: Any, path: str) -> Any:
        """The object, or each object of the list, by its own table. What Graph leaves out there is left out here."""
        where = f"{path} ({self.graph})"
        found = []
        for item in value if self.type == "list" else [value]:
            if not isinstance(item, Mapping):
                raise StateUnknown(f"Graph's answer for {where} has an item that is no dict.")
            found.append({row.option: row.read(item, where) for row in self.rows if row.graph in item})
        return found if self.type == "list" else found[0]

    def wanted(self, value: Any) -> Any:
        """What the user wrote, without the suboptions that were not written, and in the form of what is read."""
        if value is None:
            return None
        if self.rows:
            items = [wanted_values(self.rows, item) for item in (value if self.type == "list" else [value])]
            return items if self.type == "list" else items[0]
        return sorted(value) if self.flags else self._in_canonical_form(value)

    def write(self, value: Any, present: Any = None) -> Any:
        """A wanted value as Graph takes it. Of an object, what was not written keeps its ``present`` value."""
        if self.flags:
            return ",".join(value)
        if not self.rows or value is None:
            return value
        if self.type == "list":
            return [
                {row.graph: row.write(item[row.option]) for row in self.rows if row.option in item} for item in value
            ]
        kept = present if isinstance(present, Mapping) else {}
        kept = {name: item for name, item in kept.items() if "@" not in name and name not in self.not_sent}
        written = {
            row.graph: row.write(value[row.option], kept.get(row.graph)) for row in self.rows if row.option in value
        }
        return {**kept, **written}

    def _in_canonical_form(self, value: Any) -> Any:
        if self.canonical is None:
            return value
        return [self.canonical(item) for item in value] if isinstance(value, list) else self.canonical(value)


def _is(value: Any, of_type: str) -> bool:
    """Whether a JSON value is of Ansible's type; unlike in Python, true is no int."""
    return isinstance(value, JSON_TYPES[of_type]) and (of_type == "bool" or not isinstance(value, bool))


Properties = Sequence[Property]


def arguments(properties: Properties) -> dict[str, dict[str, Any]]:
    """The argument spec that a table stands for."""
    return {row.option: row.argument() for row in properties}


def current_values(properties: Properties, body: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Graph's answer under option names; write-only properties left out."""
    return {row.option: row.read(body, path) for row in properties if not row.write_only}


def wanted_values(properties: Properties, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the user wrote: an option that is absent or null is not managed."""
    return {row.option: row.wanted(options[row.option]) for row in properties if options.get(row.option) is not None}


def differing(
    properties: Properties, wanted: Mapping[str, Any], current: Mapping[str, Any] | None
) -> dict[str, Property]:
    """The rows whose wanted value is not the current one, by option name."""
    rows = {}
    for row in properties:
        if row.option not in wanted:
            continue
        if row.write_only or current is None or not row.compare(wanted[row.option], current[row.option]):
            rows[row.option] = row
    return rows


def shown(properties: Properties, values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Values for a diff: secrets replaced by a constant."""
    if values is None:
        return None
    secret = {row.option for row in properties if row.write_only}
    return {name: NOT_SHOWN if name in secret else value for name, value in values.items()}
