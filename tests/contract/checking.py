# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks an exchange with Graph against Microsoft's schema.

Checked: path, method and version; query options, and the names in $select, $expand, $orderby and $filter; names and
types of properties, members of enumerations, @odata.type where the declared type does not say it; collections; status
and body of an answer; the shape of errors. Not known, hence not checked: which properties may be null, which must be
there, what may be filtered by, and what a property means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

from ansible_collections.zerotrust.m365.tests.contract.names_in_queries import names_in_query
from ansible_collections.zerotrust.m365.tests.contract.tables import ENTITY, Table, Type, load_tables, segments

Findings = Iterator[str]


class Exchange(Protocol):
    """As m365_simulator.exchanges.Exchange has it."""

    @property
    def version(self) -> str:
        """v1.0 or beta."""

    @property
    def method(self) -> str:
        """In capitals."""

    @property
    def path(self) -> str:
        """Below the version."""

    @property
    def query(self) -> str:
        """Without the question mark."""

    @property
    def request(self) -> Any:
        """The body as JSON, None where there is none."""

    @property
    def status(self) -> int:
        """Of HTTP."""

    @property
    def answer(self) -> Any:
        """The body as JSON, None where there is none."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a request and with its answer; ``what`` is the request in short."""

    what: str
    request: list[str]
    answer: list[str]


PATTERNS = {
    "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "date": r"\d{4}-\d\d-\d\d",
    "time": r"\d\d:\d\d:\d\d(\.\d+)?",
    "duration": r"-?P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?",
    "uuid": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "base64url": r"[A-Za-z0-9+/_=*-]*",
    "string": r"(?s:.*)",
}
JSON_TYPES: dict[str, tuple[type, ...]] = {"boolean": (bool,), "integer": (int,), "number": (int, float)}

ANSWER_ANNOTATIONS: dict[str, type] = {
    "@odata.context": str,
    "@odata.count": int,
    "@odata.nextLink": str,
    "@odata.deltaLink": str,
    "@odata.etag": str,
    "@odata.id": str,
    "@odata.type": str,
    "@odata.editLink": str,
    "@removed": dict,
    "@microsoft.graph.tips": str,
}
REQUEST_ANNOTATIONS: dict[str, type] = {"@odata.context": str, "@odata.id": str, "@odata.type": str}
ANSWER_SUFFIXES = ("@odata.context", "@odata.count", "@odata.nextLink", "@odata.type", "@odata.navigationLink")
REQUEST_SUFFIXES = ("@odata.bind", "@odata.type", "@odata.context")

# Graph includes these navigation properties unasked, as the examples of its reference show.
ALWAYS_EXPANDED = frozenset(
    {
        "authenticationMethodConfigurations",
        "authenticationStrength",
        "combinationConfigurations",
        "device",
        "includeTargets",
        "passkeyProfiles",
    }
)
OPAQUE_OPTIONS = ("$skiptoken", "$deltatoken")
BATCH_ITEM = {"id", "method", "url", "headers", "body", "dependsOn"}
BATCH_ANSWER = {"id", "status", "headers", "body"}
ERROR_MEMBERS = {"code", "message", "target", "details", "innerError", "innererror"}
INNER_ERROR_MEMBERS = {"code", "date", "request-id", "client-request-id"}


class Contract:
    """Both versions of Graph, with the known exceptions."""

    def __init__(self, tables: Mapping[str, Table] | None = None) -> None:
        self.tables = tables or load_tables()

    @property
    def used_exceptions(self) -> set[str]:
        return {name for table in self.tables.values() for name in table.used}

    def check(self, exchange: Exchange, *, every_request: bool = True) -> list[str]:
        """What is wrong, each in a sentence.

        Unless ``every_request``, requests may be wrong on purpose: only what was accepted is looked at, and not for
        what Graph is lenient about.
        """
        verdict = self.judge(exchange, every_request)
        return [*(verdict.request if every_request or exchange.status < 400 else ()), *verdict.answer]

    def judge(self, exchange: Exchange, strict: bool = True) -> Verdict:
        what = f"{exchange.method} /{exchange.version}{exchange.path}"
        return Verdict(
            what,
            [f"{what}, request: {finding}" for finding in self.check_request(exchange, strict)],
            [f"{what}, answer {exchange.status}: {finding}" for finding in self.check_answer(exchange)],
        )

    def check_request(self, exchange: Exchange, strict: bool = True) -> Findings:
        table = self.tables.get(exchange.version)
        if table is None:
            yield f"there is no version {exchange.version}"
            return
        if _is_batch(exchange):
            yield from _check_batch(exchange.request, "requests", BATCH_ITEM)
            return
        template = table.template(exchange.path)
        operation = table.operation(template, exchange.method) if template else None
        if template is None or operation is None:
            yield f"{table.sdk} knows no such path" + ("" if template is None else f" with {exchange.method}")
            return
        if strict:
            yield from _check_spelling(template, exchange.path)
        yield from _Checker(table, "request").query(template, operation, exchange, strict)
        if strict or "request" in operation:
            yield from _Checker(table, "request").request(operation, exchange)

    def check_answer(self, exchange: Exchange) -> Findings:
        if exchange.status >= 400:
            yield from check_error(exchange.answer)
            return
        table = self.tables[exchange.version]
        if _is_batch(exchange):
            yield from _check_batch(exchange.answer, "responses", BATCH_ANSWER)
            return
        template = table.template(exchange.path)
        operation = table.operation(template, exchange.method) if template else None
        if template is None or operation is None:
            yield f"{table.sdk} knows no such path or method"
            return
        is_collection = "page" in _as_dict(table.paths[template].get("GET", {}).get("answer"))
        yield from _check_status(exchange, operation, is_collection)
        yield from _Checker(table, "answer", _selected(exchange)).answer(operation, exchange)


class _Checker:
    """Values against types. ``side`` is request or answer; ``shown`` are the names that the query asked for."""

    def __init__(self, table: Table, side: str, shown: _Shown | None = None) -> None:
        self.table, self.side, self.shown = table, side, shown or _Shown()
        self.annotations = REQUEST_ANNOTATIONS if side == "request" else ANSWER_ANNOTATIONS
        self.suffixes = REQUEST_SUFFIXES if side == "request" else ANSWER_SUFFIXES

    def request(self, operation: Mapping[str, Any], exchange: Exchange) -> Findings:
        declared, body = operation.get("request"), exchange.request
        if declared is None:
            if body not in (None, {}):
                yield "there is a body where none belongs"
        elif isinstance(declared, dict):
            yield from self.inline(declared, body)
        else:
            yield from self.value(body, declared, "body", null=False)

    def answer(self, operation: Mapping[str, Any], exchange: Exchange) -> Findings:
        declared, body = operation.get("answer"), exchange.answer
        if body is None:
            return
        if declared is None:
            yield "there is a body where none belongs"
            return
        if isinstance(body, dict):
            yield from self.context(body, exchange.version)
        if isinstance(declared, dict) and "page" in declared:
            yield from self.page(declared["page"], body, exchange.version)
        elif isinstance(declared, dict):
            yield from self.inline(declared, body)
        else:
            yield from self.value(body, declared, "body", null=False, top=True)

    def context(self, body: Mapping[str, Any], version: str) -> Findings:
        context = body.get("@odata.context")
        if not isinstance(context, str):
            yield "there is no @odata.context"
        elif f"/{version}/$metadata#" not in context:
            yield f"@odata.context is of another version: {context}"

    def page(self, item: Type, body: Any, version: str) -> Findings:
        if not isinstance(body, dict) or not isinstance(body.get("value"), list):
            yield "a page of a collection needs a list named value"
            return
        for name, value in body.items():
            if name == "value":
                continue
            if name not in self.annotations:
                yield f"a page of a collection has no {name}"
            elif not _is_instance(value, self.annotations[name]):
                yield f"{name} is {value!r}"
            elif name in ("@odata.nextLink", "@odata.deltaLink") and f"/{version}/" not in value:
                yield f"{name} is of another version: {value}"
        for entry in body["value"]:
            yield from self.value(entry, item, "value[]", null=False, top=True)

    def inline(self, declared: Mapping[str, Any], body: Any) -> Findings:
        """A body that is described with the operation, of an action or a function."""
        if not isinstance(body, dict):
            yield "the body is no object"
            return
        known = declared["properties"]
        for name, value in body.items():
            if name in self.annotations:
                continue
            if name not in known:
                yield f"there is no {name}"
            else:
                yield from self.value(value, known[name], name)

    def value(self, value: Any, declared: Type, where: str, *, null: bool = True, top: bool = False) -> Findings:
        if isinstance(declared, list):
            if not isinstance(value, list):
                yield f"{where} is {_short(value)}, not a collection"
                return
            for item in value:
                yield from self.value(item, declared[0], f"{where}[]", null=False)
        elif value is None:
            if not null:
                yield f"{where} is null"
        elif declared in self.table.enums:
            yield from self.enum(value, declared, where)
        elif declared in self.table.types:
            yield from self.object(value, declared, where, top)
        elif declared in JSON_TYPES or declared in PATTERNS:
            if not _is_primitive(value, declared):
                yield f"{where} is {_short(value)}, not {declared}"
        else:
            yield f"{where} is of the type {declared}, which the table does not reach"

    def enum(self, value: Any, name: str, where: str) -> Findings:
        known = self.table.enums[name]
        members = value.split(",") if known.get("flags") and isinstance(value, str) else [value]
        for member in members:
            if member not in known["members"]:
                yield f"{where} is {_short(member)}, which is no {_last(name)}"
            else:
                self.table.use(name, member)

    def object(self, value: Any, declared: str, where: str, top: bool) -> Findings:
        if not isinstance(value, dict):
            yield f"{where} is {_short(value)}, not an object"
            return
        actual = declared
        if "@odata.type" in value:
            actual = str(value["@odata.type"]).removeprefix("#")
            if actual not in self.table.types or (declared != ENTITY and actual not in self.table.below(declared)):
                yield f"{where} says it is {value['@odata.type']}, which is no {_last(declared)}"
                return
        elif self.table.types[declared].get("abstract"):
            yield f"{where} needs an @odata.type: {_last(declared)} is abstract"
        properties = self.table.properties(actual)
        for name, item in value.items():
            if "@" in name:
                yield from self.annotation(name, item, properties, where)
            elif name not in properties:
                yield f"{_last(actual)} has no {name}{_hint(name, properties)}"
            else:
                kind, declaring = properties[name]
                self.table.use(declaring, name)
                yield from self.asked_for(name, kind, declaring, top)
                yield from self.value(item, kind, name if where in ("body", "value[]") else f"{where}.{name}")

    def asked_for(self, name: str, kind: Type, declaring: str, top: bool) -> Findings:
        """Whether an answer may show this property: navigation properties only where expanded, others as selected."""
        if self.side == "request":
            return
        expanded = top and name.lower() in self.shown.expanded
        single = kind[0] if isinstance(kind, list) else kind
        if self.table.is_entity(single):
            if not expanded and name not in ALWAYS_EXPANDED:
                yield f"{_last(declaring)}.{name} is a navigation property that nobody expanded"
        elif top and not self.shown.includes(name):
            yield f"{name} was not selected"

    def annotation(self, name: str, value: Any, properties: Mapping[str, Any], where: str) -> Findings:
        bare, _at, rest = name.partition("@")
        if not bare:
            if name not in self.annotations:
                yield f"{where} has the annotation {name}, which does not belong in this {self.side}"
            elif not _is_instance(value, self.annotations[name]):
                yield f"{name} is {_short(value)}"
        elif f"@{rest}" not in self.suffixes:
            yield f"{where} has the annotation {name}, which does not belong in this {self.side}"
        elif bare not in properties:
            yield f"{where} has the annotation {name}, but no property {bare}"

    def query(self, template: str, operation: Mapping[str, Any], exchange: Exchange, strict: bool) -> Findings:
        answer = operation.get("answer")
        of_type = answer.get("page") if isinstance(answer, dict) else answer
        if template.endswith("/$count"):
            collection = self.table.paths.get(template.removesuffix("/$count"), {}).get("GET", {}).get("answer")
            of_type = _as_dict(collection).get("page")
        for option, text in parse_qsl(exchange.query, keep_blank_values=True):
            if option in OPAQUE_OPTIONS:
                continue
            if option not in operation.get("query", ()):
                if strict:
                    yield f"there is no {option} here"
                continue
            self.table.use(f"{exchange.method} {template}", option)
            if of_type in self.table.types:
                yield from names_in_query(self.table, of_type, option, text)


class _Shown:
    """The names that a query selects and expands, in lower case."""

    def __init__(self, selected: str = "", expanded: str = "") -> None:
        self.selected = {name.strip().partition("/")[0].lower() for name in selected.split(",") if name.strip()}
        self.expanded = {name.strip().lower() for name in re.sub(r"\([^()]*\)", "", expanded).split(",")}

    def includes(self, name: str) -> bool:
        """Keys may always be shown, says OData, and * selects everything."""
        everything = not self.selected or "*" in self.selected
        return everything or name == "id" or name.lower() in self.selected | self.expanded


def _selected(exchange: Exchange) -> _Shown:
    options = dict(parse_qsl(exchange.query))
    return _Shown(options.get("$select", ""), options.get("$expand", ""))


def check_error(body: Any) -> Findings:
    """Graph's own shape, as its reference "Microsoft Graph error responses and resource types" gives it."""
    error = _as_dict(body).get("error")
    if not isinstance(error, dict) or len(body) != 1:
        yield f"an error without Graph's shape: {_short(body)}"
        return
    for name in ("code", "message"):
        if not isinstance(error.get(name), str):
            yield f"error.{name} is {_short(error.get(name))}"
    if error.get("code") == "":
        yield "error.code is empty"
    for name in set(error) - ERROR_MEMBERS:
        yield f"an error has no {name}"
    for detail in error.get("details") or ():
        if set(_as_dict(detail)) - {"code", "message", "target"} or not isinstance(detail, dict):
            yield f"error.details has {_short(detail)}"
    inner = error.get("innerError", error.get("innererror"))
    if not isinstance(inner, dict):
        yield "an error needs its innerError"
        return
    for name in {"date", "request-id", "client-request-id"} - set(inner):
        yield f"innerError needs its {name}"
    for name in set(inner) - INNER_ERROR_MEMBERS:
        yield f"innerError has no {name}"


def _check_status(exchange: Exchange, operation: Mapping[str, Any], is_collection: bool) -> Findings:
    status, body = exchange.status, exchange.answer
    creates = exchange.method == "POST" and is_collection and "answer" in operation
    expected = {"GET": (200,), "DELETE": (204,), "PATCH": (200, 204), "PUT": (200, 201, 204)}.get(
        exchange.method, (201,) if creates else (200, 202, 204)
    )
    if status not in expected:
        yield f"the status should be {' or '.join(map(str, expected))}"
    if status in (200, 201) and body is None:
        yield "there is no body"
    if status == 204 and body is not None:
        yield "there is a body with status 204"


def _check_batch(body: Any, name: str, members: set[str]) -> Findings:
    items = _as_dict(body).get(name)
    if not isinstance(items, list) or set(body) - {name, "@odata.context"}:
        yield f"a batch needs {name}, and nothing else"
        return
    for item in items:
        for unknown in set(_as_dict(item)) - members:
            yield f"an item of a batch has no {unknown}"


def _check_spelling(template: str, path: str) -> Findings:
    """Graph is lenient about case in paths; the schema is not."""
    wanted, written = template.strip("/").split("/"), segments(path)
    for expected, segment in zip(wanted, written, strict=True):
        if expected not in ("{}", segment) and segment != "me":
            yield f"{segment} is written {expected}"


def _is_batch(exchange: Exchange) -> bool:
    return exchange.path.strip("/").lower() == "$batch"


def _is_primitive(value: Any, name: str) -> bool:
    if name in JSON_TYPES:
        return isinstance(value, JSON_TYPES[name]) and (name == "boolean" or not isinstance(value, bool))
    return isinstance(value, str) and re.fullmatch(PATTERNS[name], value) is not None


def _is_instance(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _hint(name: str, known: Mapping[str, Any]) -> str:
    same = [other for other in known if other.lower() == name.lower()]
    return f", but a {same[0]}" if same else ""
