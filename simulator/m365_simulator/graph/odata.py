# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OData queries: parsing, `$filter` to SQL, paging, `$select`, and the rules of ConsistencyLevel."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from odata_query import ast
from odata_query.exceptions import ODataException
from odata_query.grammar import ODataLexer, ODataParser
from sqlalchemy import ColumnElement, and_, exists, false, func, literal, not_, or_, select

from m365_simulator.graph.errors import ADVANCED_QUERIES, GraphError, bad_policy, bad_request, unsupported_query
from m365_simulator.state import OBJECTS, Row

Column = ColumnElement[Any]
Condition = ColumnElement[bool]

FUNCTION_NAMES = {name.lower(): name for name in ("startswith", "endswith", "contains", "tolower", "toupper")}


@dataclass(frozen=True)
class EntityType:
    """How one Graph type is listed.

    `name` is the type (`user`), `kind` its key in the store. `properties` None allows any that the document has;
    `default` None shows the whole document. `filterable` None allows any property. `directory` switches on the rules
    of ConsistencyLevel. `page` is the default page size (None: no paging), `largest_page` the highest $top.
    `columns` gives SQL for properties that are not in the document, `lists` for those of them that are JSON arrays.
    """

    name: str
    kind: str
    properties: frozenset[str] | None = None
    default: tuple[str, ...] | None = None
    filterable: frozenset[str] | None = None
    directory: bool = False
    page: int | None = None
    largest_page: int = 999
    columns: Mapping[str, Callable[[], Column]] = field(default_factory=dict)
    lists: Mapping[str, Callable[[], Column]] = field(default_factory=dict)


@dataclass(frozen=True)
class Query:
    """The system query options of one request; `pairs` holds all parameters as they came."""

    pairs: tuple[tuple[str, str], ...]
    options: Mapping[str, str]

    @classmethod
    def parse(cls, query: str) -> Query:
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        options: dict[str, str] = {}
        for key, value in pairs:
            if key.startswith("$"):
                if key in options:
                    raise bad_policy(f"Query option '{key}' was specified more than once, but it must be at most once.")
                options[key] = value
        return cls(pairs, options)

    @property
    def select(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.options.get("$select", "").split(",") if name.strip())

    @property
    def count(self) -> bool:
        return self.options.get("$count", "").lower() == "true"

    def number(self, option: str) -> int | None:
        value = self.options.get(option)
        if value is None:
            return None
        if not value.isdigit():
            raise bad_policy(
                f"Invalid value '{value}' for {option} query option found. "
                f"The {option} query option requires a non-negative integer value."
            )
        return int(value)

    def following(self, position: Mapping[str, int]) -> str:
        """The query string of the next page: everything as it came, with a new $skiptoken."""
        pairs = [(key, value) for key, value in self.pairs if key not in ("$skiptoken", "$skip")]
        return urlencode([*pairs, ("$skiptoken", write_skip_token(position))], quote_via=quote, safe="$,'()/:@")


@dataclass(frozen=True)
class Page:
    """`following` is where the next page begins, None on the last one; `count` None where it is not asked for."""

    rows: list[Row]
    following: dict[str, int] | None
    count: int | None


def check_selected(entity: EntityType, names: Iterable[str]) -> None:
    for name in names:
        if entity.properties is not None and name not in entity.properties and name != "*":
            raise bad_policy(
                "Parsing OData Select and Expand failed: Could not find a property named "
                f"'{name}' on type 'microsoft.graph.{entity.name}'."
            )


def pick(entity: EntityType, document: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """What is shown of a document: the selected properties, or the type's default ones.

    What the document lacks is null, but only where the type is known to have it.
    """
    if not names or "*" in names:
        if entity.default is None:
            return dict(document)
        names = entity.default
    picked = {key: document[key] for key in ("@odata.type",) if key in document}
    picked.update((name, document.get(name)) for name in names if entity.properties is not None or name in document)
    if "id" not in picked and "id" in document and entity.directory:
        # The directory adds the id of every object to whatever was selected.
        picked["id"] = document["id"]
    return picked


def list_rows(store: Any, entity: EntityType, query: Query, consistent: bool, *where: Condition) -> Page:
    """One page. `consistent` says whether the header ConsistencyLevel: eventual was sent. Raises GraphError."""
    text = query.options.get("$filter")
    order_text = query.options.get("$orderby")
    search = query.options.get("$search")
    advanced = consistent and query.count
    conditions = list(where)
    if text is not None:
        tree = parse_filter(text)
        if entity.directory and not advanced:
            _refuse_advanced(tree, order_text)
        conditions.append(_Translator(entity).condition(tree))
    if search is not None:
        if not entity.directory:
            raise bad_policy("Query option 'Search' is not allowed.")
        if not consistent:
            raise unsupported_query(
                "Request with $search query parameter only works through MSGraph with a special request header: "
                "'ConsistencyLevel: eventual'"
            )
        conditions.append(_search_condition(entity, search))
    if entity.directory and "$skip" in query.options:
        raise bad_request("'$skip' is not supported by the service.")
    order = _order(entity, order_text) if order_text else []
    size = None
    if entity.page is not None or "$top" in query.options:
        size = page_size(entity.page or entity.largest_page, entity.largest_page, query)
    position = read_skip_token(query.options.get("$skiptoken"))
    offset = position.get("offset", 0) or (query.number("$skip") or 0)
    if "after" in position:
        conditions.append(OBJECTS.c.sequence > position["after"])
    rows: list[Row] = store.rows(
        entity.kind, *conditions, order=order, offset=offset, limit=None if size is None else size + 1
    )
    following = None
    if size is not None and len(rows) > size:
        rows = rows[:size]
        following = {"offset": offset + size} if order else {"after": rows[-1].sequence}
    count = None
    if query.count and (consistent or not entity.directory) and not position:
        count = store.count(entity.kind, *conditions)
    return Page(rows, following, count)


def count_rows(store: Any, entity: EntityType, query: Query, consistent: bool, *where: Condition) -> int:
    """What `.../$count` answers. Directory objects need ConsistencyLevel: eventual."""
    if entity.directory and not consistent:
        raise bad_request("$count is not currently supported.")
    conditions = list(where)
    if "$filter" in query.options:
        conditions.append(_Translator(entity).condition(parse_filter(query.options["$filter"])))
    if "$search" in query.options:
        conditions.append(_search_condition(entity, query.options["$search"]))
    found: int = store.count(entity.kind, *conditions)
    return found


@lru_cache(maxsize=512)
def parse_filter(text: str) -> Any:
    """The syntax tree of a $filter. Raises GraphError."""
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(normalise_filter(text)))
    except (ODataException, ValueError, AttributeError):
        tree = None
    if tree is None:
        raise bad_policy(f"Invalid filter clause: Syntax error in '{text}'.")
    return tree


def normalise_filter(text: str) -> str:
    """Spell `not(x)` and function names as the parser wants them, outside string literals."""
    parts = re.split(r"('(?:[^']|'')*')", text)
    for index in range(0, len(parts), 2):
        part = re.sub(r"\bnot\s*\(", "not (", parts[index])
        parts[index] = re.sub(r"\b(\w+)\(", lambda match: FUNCTION_NAMES.get(match[1].lower(), match[1]) + "(", part)
    return "".join(parts)


def _refuse_advanced(tree: Any, order_text: str | None) -> None:
    if order_text:
        raise unsupported_query(f"Sorting not supported for current query. {ADVANCED_QUERIES}")
    for node in _walk(tree):
        name = None
        if isinstance(node, ast.Compare) and isinstance(node.comparator, ast.NotEq):
            name = "NotEqualsMatch"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            name = "Not"
        elif isinstance(node, ast.Call) and node.func.name == "endswith":
            name = "EndsWith"
        if name:
            raise unsupported_query(
                f"Operator '{name}' is not supported because the 'ConsistencyLevel:eventual' header is missing. "
                f"{ADVANCED_QUERIES}"
            )


def _walk(node: Any) -> Iterable[Any]:
    yield node
    for name in getattr(node, "__dataclass_fields__", ()):
        value = getattr(node, name)
        for inner in value if isinstance(value, (list, tuple)) else (value,):
            if hasattr(inner, "__dataclass_fields__"):
                yield from _walk(inner)


class _Translator:
    """A $filter as a condition on the table of objects. Text is compared without regard to case, as Graph does."""

    def __init__(self, entity: EntityType, scope: Mapping[str, Column] | None = None) -> None:
        self.entity = entity
        self.scope = dict(scope or {})

    def condition(self, node: Any) -> Condition:
        if isinstance(node, ast.BoolOp):
            joined = and_ if isinstance(node.op, ast.And) else or_
            return joined(self.condition(node.left), self.condition(node.right))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not_(func.coalesce(self.condition(node.operand), false()))
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.CollectionLambda):
            return self._lambda(node)
        if isinstance(node, (ast.Identifier, ast.Attribute)):
            return self._column(node) == 1
        raise bad_policy("Invalid filter clause: an expression that is neither true nor false.")

    def _compare(self, node: Any) -> Condition:
        left, right = node.left, node.right
        if isinstance(node.comparator, ast.In):
            return or_(*(self._equal(self._column(left), value) for value in right.val))
        if isinstance(left, ast._Literal) and not isinstance(right, ast._Literal):
            raise bad_policy("Invalid filter clause: the property stands on the left.")
        column = self._column(left)
        if isinstance(node.comparator, ast.Eq):
            return self._equal(column, right)
        if isinstance(node.comparator, ast.NotEq):
            return not_(func.coalesce(self._equal(column, right), false()))
        value = _value(right)
        operators: dict[type, Callable[[Any, Any], Any]] = {
            ast.Lt: lambda a, b: a < b,
            ast.LtE: lambda a, b: a <= b,
            ast.Gt: lambda a, b: a > b,
            ast.GtE: lambda a, b: a >= b,
        }
        compared: Condition = operators[type(node.comparator)](column, literal(value))
        return compared

    def _equal(self, column: Column, node: Any) -> Condition:
        if isinstance(node, ast.Null):
            return column.is_(None)
        value = _value(node)
        if isinstance(value, str):
            return column.collate("NOCASE") == value
        return column == value

    def _call(self, node: Any) -> Condition:
        name = node.func.name
        if name not in ("startswith", "endswith", "contains") or not isinstance(node.args[1], ast.String):
            raise bad_policy(f"Invalid filter clause: An unknown function with name '{name}' was found.")
        if name == "contains" and self.entity.directory:
            raise unsupported_query("Unsupported Query.")
        text = re.sub(r"([%_\\])", r"\\\1", node.args[1].val)
        pattern = ("" if name == "startswith" else "%") + text + ("" if name == "endswith" else "%")
        return self._column(node.args[0]).like(pattern, escape="\\")

    def _lambda(self, node: Any) -> Condition:
        path = self._path(node.owner)
        self._check(path[0])
        if path[0] in self.entity.lists:
            items = func.json_each(self.entity.lists[path[0]]()).table_valued("value")
        else:
            items = func.json_each(OBJECTS.c.document, "$." + ".".join(path)).table_valued("value")
        inside = select(literal(1)).select_from(items)
        if node.lambda_ is None:
            return exists(inside)
        scope = {**self.scope, node.lambda_.identifier.name: items.c.value}
        condition = _Translator(self.entity, scope).condition(node.lambda_.expression)
        if isinstance(node.operator, ast.All):
            return not_(exists(inside.where(not_(func.coalesce(condition, false())))))
        return exists(inside.where(condition))

    def _column(self, node: Any) -> Column:
        if isinstance(node, ast.Call) and node.func.name in ("tolower", "toupper"):
            return self._column(node.args[0])
        if not isinstance(node, (ast.Identifier, ast.Attribute)):
            raise bad_policy("Invalid filter clause: a property was expected.")
        path = self._path(node)
        if path[0] in self.scope:
            value = self.scope[path[0]]
            return value if len(path) == 1 else func.json_extract(value, "$." + ".".join(path[1:]))
        self._check(path[0])
        if len(path) == 1 and path[0] in self.entity.columns:
            return self.entity.columns[path[0]]()
        if path == ["id"]:
            return OBJECTS.c.id
        return func.json_extract(OBJECTS.c.document, "$." + ".".join(f'"{part}"' for part in path))

    def _path(self, node: Any) -> list[str]:
        if isinstance(node, ast.Identifier):
            return [node.name]
        return [*self._path(node.owner), node.attr]

    def _check(self, name: str) -> None:
        if self.entity.properties is not None and name not in self.entity.properties:
            raise bad_policy(
                f"Invalid filter clause: Could not find a property named '{name}' on type "
                f"'microsoft.graph.{self.entity.name}'."
            )
        if self.entity.filterable is not None and name not in self.entity.filterable:
            raise unsupported_query(
                f"Unsupported or invalid query filter clause specified for property '{name}' of resource "
                f"'{self.entity.name[:1].upper()}{self.entity.name[1:]}'."
            )


def _value(node: Any) -> str | int | float:
    if isinstance(node, ast.Boolean):
        return int(node.py_val)
    if isinstance(node, ast.Integer):
        return int(node.val)
    if isinstance(node, ast.Float):
        return float(node.val)
    if isinstance(node, ast.DateTime):
        return _stamp(node.val)
    if isinstance(node, ast.Date):
        return f"{node.val}T00:00:00Z"
    if isinstance(node, (ast.String, ast.GUID)):
        return str(node.val)
    raise bad_policy("Invalid filter clause: a literal value was expected.")


def _stamp(text: str) -> str:
    """A literal in the form that documents use: whole seconds, UTC."""
    return re.sub(r"(\.\d+)?(Z|[+-]00:?00)$", "Z", text)


def _order(entity: EntityType, text: str) -> list[Column]:
    order: list[Column] = []
    for part in text.split(","):
        name, _unused, direction = part.strip().partition(" ")
        if direction not in ("", "asc", "desc"):
            raise bad_policy(f"Syntax error at position {len(name)} in '{text}'.")
        column = _Translator(entity)._column(ast.Identifier(name)).collate("NOCASE")
        order.append(column.desc() if direction == "desc" else column.asc())
    return order


def _search_condition(entity: EntityType, text: str) -> Condition:
    """`"displayName:ada" OR "mail:ada"`: each word that the property contains."""
    terms = re.split(r"\s+(AND|OR)\s+", text.strip())
    result: Condition | None = None
    for index in range(0, len(terms), 2):
        match = re.fullmatch(r'"?\s*(\w+)\s*:\s*(.*?)\s*"?', terms[index])
        if match is None:
            raise bad_request(f"Invalid $search clause: Syntax error in '{text}'.")
        column = _Translator(entity)._column(ast.Identifier(match[1]))
        condition = column.like("%" + re.sub(r"([%_\\])", r"\\\1", match[2]) + "%", escape="\\")
        if result is None:
            result = condition
        else:
            result = and_(result, condition) if terms[index - 1] == "AND" else or_(result, condition)
    assert result is not None
    return result


def page_size(default: int, largest: int, query: Query) -> int:
    """What $top asks for, or the default. Raises GraphError when it is out of range."""
    top = query.number("$top")
    if top is None:
        return default
    if not 1 <= top <= largest:
        raise unsupported_query(f"Invalid page size specified: '{top}'. Must be between 1 and {largest} inclusive.")
    return top


def write_skip_token(position: Mapping[str, int]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def read_skip_token(token: str | None) -> dict[str, int]:
    if token is None:
        return {}
    try:
        position = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return {key: int(position[key]) for key in position if key in ("after", "offset")}
    except (ValueError, TypeError):
        raise GraphError(
            400,
            "Directory_ExpiredPageToken",
            "The specified page token value has expired and can no longer be included in your request.",
        ) from None
