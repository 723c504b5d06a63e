# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths to handlers, by Graph version; and the shape of requests and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from m365_simulator.clock import Clock
from m365_simulator.graph.errors import GraphError, method_not_allowed, unknown_segment, unreadable_body
from m365_simulator.graph.odata import Query
from m365_simulator.state import TenantStore
from m365_simulator.tenants import Tenant
from m365_simulator.tokens import Caller

V1, BETA = "v1.0", "beta"
BOTH = (V1, BETA)

KEY_IN_PARENTHESES = re.compile(r"^(\w+)\((.*)\)$")


@dataclass(frozen=True)
class GraphRequest:
    """`path` is still percent-encoded and begins after the version; `base` is scheme and host; header names are
    lower case; `body` is None when there was none."""

    method: str
    version: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes | None
    base: str


@dataclass
class GraphResponse:
    """`body` None sends none, bytes are sent as they are. `truncated`: a fault cuts it on the way."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    truncated: bool = False


@dataclass
class Call:
    """What a handler works with: the request, who calls, and the state of the caller's tenant."""

    request: GraphRequest
    query: Query
    parameters: Mapping[str, str]
    caller: Caller
    tenant: Tenant
    store: TenantStore
    clock: Clock

    @property
    def version(self) -> str:
        return self.request.version

    @property
    def consistent(self) -> bool:
        return self.request.headers.get("consistencylevel", "").lower() == "eventual"

    @property
    def id(self) -> str:
        return self.parameters["id"]

    def assumes(self, name: str) -> str:
        return self.tenant.assumptions[name]

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent. Raises GraphError when it is none."""
        return read_json(self.request.body)

    def context(self, suffix: str) -> str:
        """An @odata.context, with what was selected where the suffix says `{select}`."""
        selected = f"({','.join(self.query.select)})" if self.query.select else ""
        return f"{self.request.base}/{self.version}/$metadata#{suffix.replace('{select}', selected)}"


Handler = Callable[[Call], GraphResponse]


@dataclass(frozen=True)
class Route:
    """`reads` marks a POST that changes nothing."""

    method: str
    template: str
    handler: Handler
    versions: tuple[str, ...] = BOTH
    reads: bool = False

    @property
    def writes(self) -> bool:
        return self.method != "GET" and not self.reads


class _Node:
    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.routes: dict[str, Route] = {}


class Router:
    """Segments are compared without regard to case; a template's `{name}` takes any one segment."""

    def __init__(self, routes: list[Route]) -> None:
        self._roots = {V1: _Node(), BETA: _Node()}
        for route in routes:
            for version in route.versions:
                node = self._roots[version]
                for segment in route.template.strip("/").split("/"):
                    if segment.startswith("{"):
                        node.variable = node.variable or _Node()
                        node = node.variable
                    else:
                        node = node.children.setdefault(segment.lower(), _Node())
                node.routes[route.method] = route

    def find(self, method: str, version: str, path: str) -> tuple[Route, dict[str, str]]:
        """Raises GraphError as Graph answers an unknown version, segment or verb."""
        if version not in self._roots:
            raise GraphError(400, "BadRequest", "Invalid version.")
        node = self._roots[version]
        values: list[str] = []
        segments = split_path(path)
        for segment in segments:
            child = node.children.get(segment.lower())
            if child is None and node.variable is not None:
                child = node.variable
                values.append(segment)
            if child is None:
                raise unknown_segment(segment)
            node = child
        if not node.routes:
            raise unknown_segment(segments[-1] if segments else "")
        if method not in node.routes:
            raise method_not_allowed()
        route = node.routes[method]
        names = re.findall(r"\{(\w+)\}", route.template)
        return route, dict(zip(names, values, strict=True))


def read_json(body: bytes | None) -> dict[str, Any]:
    """The JSON object in a request's body. Raises GraphError when it is none."""
    try:
        value = json.loads(body or b"")
    except ValueError:
        raise unreadable_body() from None
    if not isinstance(value, dict):
        raise unreadable_body()
    return value


def split_path(path: str) -> list[str]:
    """Decoded segments; double slashes count once, and `users('x')` is the same as `users/x`."""
    segments: list[str] = []
    for raw in path.split("/"):
        segment = unquote(raw)
        if not segment:
            continue
        match = KEY_IN_PARENTHESES.match(segment)
        if match is None:
            segments.append(segment)
        else:
            segments.append(match[1])
            segments.append(_key(match[2]))
    return segments


def _key(text: str) -> str:
    """`'x'` gives x with its doubled quotes made single; `appId='x'` stays, without the quotes."""
    name, equals, value = text.partition("=") if re.match(r"\w+=", text) else ("", "", text)
    if value.startswith("'") and value.endswith("'") and len(value) >= 2:
        value = value[1:-1].replace("''", "'")
    return f"{name}{equals}{value}"
