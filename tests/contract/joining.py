# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's own description, with Microsoft's types for what is sent and answered, as schemathesis wants it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.zerotrust.m365.tests.contract.checking import ALWAYS_EXPANDED, PATTERNS
from ansible_collections.zerotrust.m365.tests.contract.tables import Table, Type

Schema = dict[str, Any]

FORMATS = {"date-time": "date-time", "date": "date", "uuid": "uuid"}
ANNOTATIONS: Schema = {"@": {}}
ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string", "minLength": 1}, "message": {"type": "string"}},
        }
    },
}
UNKNOWN_ID = "00000000-0000-0000-0000-000000000001"
DEPTH = 3
"""Of objects in generated requests."""


def join(document: Mapping[str, Any], tables: Mapping[str, Table], ids: Callable[[str], list[str]]) -> Schema:
    """The description with schemas; ``ids`` are those of objects in a collection, for a path with its version."""
    joined: Schema = {**document, "paths": {}, "components": {**document["components"], "schemas": {}}}
    for path, operations in document["paths"].items():
        _empty, version, rest = path.split("/", 2)
        answers = _Answers(tables[version], joined["components"]["schemas"])
        template = tables[version].template(re.sub(r"\{\w+\}", "x", f"/{rest}"))
        assert template is not None, path
        joined["paths"][path] = {
            method: _operation(operation, answers, answers.table.paths[template][method.upper()], _ids_in(path, ids))
            for method, operation in operations.items()
        }
    return joined


def _ids_in(path: str, ids: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """For each variable of the path, ids that may stand there; of collections inside an object, of the first one."""
    found: dict[str, list[str]] = {}
    concrete = ""
    for part in re.split(r"(\{\w+\})", path):
        if part.startswith("{"):
            known = ids(concrete.rstrip("/"))
            found[part.strip("{}")] = [*known, UNKNOWN_ID]
            part = found[part.strip("{}")][0]
        concrete += part
    return found


def _operation(operation: Mapping[str, Any], answers: _Answers, described: Mapping[str, Any], ids: Any) -> Schema:
    joined: Schema = {**operation, "responses": dict(operation["responses"])}
    of_type = described.get("answer")
    item = of_type.get("page") if isinstance(of_type, dict) else of_type
    properties = sorted(answers.table.properties(item)) if item in answers.table.types else []
    joined["parameters"] = [_parameter(parameter, ids, properties) for parameter in operation["parameters"]]
    for status in ("4XX", "5XX"):
        joined["responses"][status] = {"description": status, "content": {"application/json": {"schema": ERROR}}}
    if isinstance(of_type, dict) or item in answers.table.types:
        content = {"application/json": {"schema": answers.body(of_type)}}
        joined["responses"]["2XX"] = {"description": "done", "content": content}
    if "requestBody" in operation and "request" in described:
        body = _request(answers.table, described["request"], DEPTH)
        joined["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return joined


def _parameter(parameter: Mapping[str, Any], ids: Mapping[str, list[str]], properties: list[str]) -> Schema:
    name = parameter["name"]
    if parameter["in"] == "path":
        return {**parameter, "schema": {"type": "string", "enum": ids[name]}}
    if name in ("$select", "$orderby", "$expand") and properties:
        return {**parameter, "schema": {"type": "string", "enum": [*properties, ",".join(properties[:3]), "nothing"]}}
    if name == "$filter" and properties:
        texts = [f"{name} {rest}" for name in properties for rest in ("eq null", "eq 'x'", "eq true", "ge 3")]
        return {**parameter, "schema": {"type": "string", "enum": [*texts, "id eq", "startswith(displayName, 'A')"]}}
    if name in ("$top", "$skip"):
        return {**parameter, "schema": {"type": "integer", "minimum": 0, "maximum": 2000}}
    return dict(parameter)


class _Answers:
    """JSON schemas that allow what Microsoft's types have, and nothing else. ``schemas`` collects them by name."""

    def __init__(self, table: Table, schemas: Schema) -> None:
        self.table, self._schemas = table, schemas

    def body(self, described: Any) -> Schema:
        if not isinstance(described, dict):
            return self._any_of_type(described, top=True)
        if "page" not in described:
            return self._object({name: self._property(kind) for name, kind in described["properties"].items()})
        item = self._any_of_type(described["page"], top=True)
        return {**self._object({"value": {"type": "array", "items": item}}), "required": ["value", "@odata.context"]}

    def _property(self, kind: Type) -> Schema:
        if isinstance(kind, list):
            return {"type": "array", "items": self._single(kind[0])}
        return {"anyOf": [self._single(kind), {"type": "null"}]}

    def _single(self, name: str) -> Schema:
        return self._any_of_type(name) if name in self.table.types else _primitive(self.table, name)

    def _any_of_type(self, name: str, top: bool = False) -> Schema:
        """The type or one derived from it. Navigation properties only at the top, where they can be expanded."""
        choices = [self._exactly(actual, actual != name, top) for actual in sorted(self.table.below(name))]
        return {"anyOf": choices} if len(choices) > 1 else choices[0]

    def _exactly(self, name: str, named: bool, top: bool) -> Schema:
        key = f"{self.table.version}.{name}.{'named' if named else 'bare'}.{'top' if top else 'inner'}"
        if key not in self._schemas:
            self._schemas[key] = {}
            properties = {
                member: self._property(kind)
                for member, (kind, _declaring) in self.table.properties(name).items()
                if top or member in ALWAYS_EXPANDED or not self._is_navigation(kind)
            }
            if named or self.table.types[name].get("abstract"):
                properties["@odata.type"] = {"const": f"#{name}"}
            self._schemas[key] = self._object(properties)
            if "@odata.type" in properties:
                self._schemas[key]["required"] = ["@odata.type"]
        return {"$ref": f"#/components/schemas/{key}"}

    def _is_navigation(self, kind: Type) -> bool:
        return self.table.is_entity(kind[0] if isinstance(kind, list) else kind)

    @staticmethod
    def _object(properties: Schema) -> Schema:
        return {
            "type": "object",
            "properties": properties,
            "patternProperties": ANNOTATIONS,
            "additionalProperties": False,
        }


def _primitive(table: Table, name: str) -> Schema:
    if name in table.enums:
        members = table.enums[name]["members"]
        if not table.enums[name].get("flags"):
            return {"enum": members}
        one = "|".join(members)
        return {"type": "string", "pattern": f"^({one})(,({one}))*$"}
    if name in ("boolean", "integer", "number"):
        return {"type": name}
    if name in PATTERNS:
        return {"type": "string", "format": FORMATS[name]} if name in FORMATS else {"type": "string"}
    return {}


def _request(table: Table, kind: Type, depth: int) -> Schema:
    """What may be sent, down to a depth, so that generating it stays cheap."""
    if isinstance(kind, dict):
        properties = {name: _request(table, inner, depth - 1) for name, inner in kind["properties"].items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}
    if isinstance(kind, list):
        return {"type": "array", "items": _request(table, kind[0], depth - 1), "maxItems": 2}
    if kind not in table.types:
        return _primitive(table, kind) if kind in table.enums or kind in (*PATTERNS, "boolean", "integer") else {}
    if depth == 0:
        return {"type": "object", "maxProperties": 1}
    known = table.properties(kind)
    inner = {
        name: _request(table, of_type, depth - 1)
        for name, (of_type, _declaring) in known.items()
        if not table.is_entity(of_type[0] if isinstance(of_type, list) else of_type)
    }
    inner["@odata.type"] = {"enum": sorted(f"#{name}" for name in table.below(kind))}
    return {"type": "object", "properties": inner, "additionalProperties": False}
