# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of Graph the simulator has, as an OpenAPI 3.1 description of paths, methods and parameters.

Bodies are described as far as that they are JSON objects: Microsoft's own description says what is in them.
"""

from __future__ import annotations

import re
from typing import Any

from m365_simulator import __version__
from m365_simulator.graph.router import Route
from m365_simulator.graph.service import ROUTES

QUERY_OPTIONS: dict[str, dict[str, Any]] = {
    "$select": {"type": "string"},
    "$expand": {"type": "string"},
    "$filter": {"type": "string"},
    "$orderby": {"type": "string"},
    "$search": {"type": "string"},
    "$top": {"type": "integer"},
    "$skip": {"type": "integer"},
    "$count": {"type": "boolean"},
}
CONSISTENCY = {
    "name": "ConsistencyLevel",
    "in": "header",
    "description": "What advanced queries on directory objects need.",
    "schema": {"type": "string", "enum": ["eventual"]},
}
OBJECT = {"application/json": {"schema": {"type": "object"}}}
NUMBER = {"text/plain": {"schema": {"type": "string", "pattern": "^[0-9]+$"}}}


def describe() -> dict[str, Any]:
    """An OpenAPI 3.1 document, to be written as JSON."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        for version in route.versions:
            paths.setdefault(f"/{version}{route.template}", {})[route.method.lower()] = _operation(version, route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "m365-simulator",
            "version": __version__,
            "description": "The part of Microsoft Graph that m365-simulator has.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }


def _operation(version: str, route: Route) -> dict[str, Any]:
    counts = route.template.endswith("/$count")
    operation: dict[str, Any] = {
        "operationId": f"{route.method} /{version}{route.template}",
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in re.findall(r"\{(\w+)\}", route.template)
        ],
        "responses": {
            "2XX": {"description": "done", "content": NUMBER if counts else OBJECT},
            "4XX": {"description": "an error, as Graph words it", "content": OBJECT},
            "5XX": {"description": "a fault that was asked for", "content": OBJECT},
        },
    }
    if route.method != "GET":
        operation["responses"]["204"] = {"description": "done, and nothing to say"}
    if route.method == "GET":
        options = ("$filter", "$search") if counts else tuple(QUERY_OPTIONS)
        operation["parameters"] += [{"name": name, "in": "query", "schema": QUERY_OPTIONS[name]} for name in options]
        operation["parameters"].append(CONSISTENCY)
    elif route.method != "DELETE":
        operation["requestBody"] = {"content": OBJECT}
    return operation
