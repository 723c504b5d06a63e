# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The property names in $select, $expand, $orderby and $filter, against the type that they are about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.zerotrust.m365.tests.contract.tables import Table, Type

WORDS = frozenset(
    ("and", "or", "not", "eq", "ne", "gt", "ge", "lt", "le", "in", "has", "any", "all", "true", "false", "null")
)
LITERAL = re.compile(
    r"'(?:[^']|'')*'|\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-][\d:]+)?)?|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
LAMBDA = re.compile(r"([\w/]+)/(?:any|all)\(\s*(\w+)\s*:")
COMPARED = re.compile(r"([A-Za-z][\w/]*)\s+(?:eq|ne)\s+'((?:[^']|'')*)'")


def names_in_query(table: Table, type_name: str, option: str, text: str) -> Iterator[str]:
    """What is wrong with one query option of a request about this type."""
    if option == "$select":  # where * stands for all of them
        yield from _each(table, type_name, option, [name for name in text.split(",") if name.strip() != "*"])
    elif option == "$orderby":
        yield from _each(table, type_name, option, [item.split()[0] for item in text.split(",") if item.split()])
    elif option == "$expand":
        yield from _expand(table, type_name, text)
    elif option == "$filter":
        yield from _filter(table, type_name, text)


def find_type(table: Table, type_name: str, path: str) -> Type | None:
    """The type of a property, or of one inside it (`a/b`), of the type or of one derived from it; or None."""
    name, _slash, rest = path.partition("/")
    for candidate in sorted(table.below(type_name)):
        found = table.properties(candidate).get(name) if candidate in table.types else None
        if found is None:
            continue
        table.use(found[1], name)
        kind: Type = found[0]
        if not rest or rest == "$count":
            return kind
        inner = kind[0] if isinstance(kind, list) else kind
        return find_type(table, inner, rest) if inner in table.types else None
    return None


def _each(table: Table, type_name: str, option: str, names: list[str]) -> Iterator[str]:
    for name in filter(None, map(str.strip, names)):
        if find_type(table, type_name, name) is None:
            yield f"{option} names {name!r}, which {type_name} does not have"


def _expand(table: Table, type_name: str, text: str) -> Iterator[str]:
    for name, options in re.findall(r"([\w/*]+)(?:\(([^()]*)\))?", text):
        kind = find_type(table, type_name, name)
        single = kind[0] if isinstance(kind, list) else kind
        if single is None or not table.is_entity(single):
            yield f"$expand names {name!r}, which is no navigation property of {type_name}"
        elif single in table.types:
            for option in options.split(";") if options else ():
                inner, _equals, value = option.partition("=")
                yield from names_in_query(table, single, inner, value)


def _filter(table: Table, type_name: str, text: str) -> Iterator[str]:
    for name, value in COMPARED.findall(text):
        kind = find_type(table, type_name, _without_variable(name, text))
        single = kind[0] if isinstance(kind, list) else kind
        if single in table.enums and value not in table.enums[single]["members"]:
            yield f"$filter compares {name} with {value!r}, which is no {single}"
    bare = LITERAL.sub(" ", text)
    variables = {variable for _collection, variable in LAMBDA.findall(bare)}
    # Neither functions nor the declarations of variables.
    for path in re.findall(r"[A-Za-z$][\w/$]*\b(?!\s*[(:])", re.sub(r"/(?:any|all)\(", " , ", bare)):
        if path in WORDS or path in variables:
            continue
        if find_type(table, type_name, _without_variable(path, bare)) is None:
            yield f"$filter names {path!r}, which {type_name} does not have"


def _without_variable(path: str, text: str) -> str:
    """`x/b` inside `a/any(x:...)` is about `a/b`."""
    first, slash, rest = path.partition("/")
    for collection, variable in LAMBDA.findall(text):
        if first == variable:
            return f"{collection}{slash}{rest}"
    return path
