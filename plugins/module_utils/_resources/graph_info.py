# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any GET of Microsoft Graph (private to the collection)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._engine.plan import Plan
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.errors import OptionError
from .graph_options import PATH_OPTIONS, headers, search, text_values


class GraphInfo(Resource):
    name = "graph_info"
    options = {
        **PATH_OPTIONS,
        "parameters": {"type": "dict", "default": {}},
        "all_pages": {"type": "bool", "default": True},
        "max_items": {"type": "int"},
        "query": {"type": "str"},
    }

    def read(self, run: Run) -> dict[str, Any]:
        options = run.options
        limit = options["max_items"]
        if limit is not None and limit < 1:
            raise OptionError("max_items must be 1 or more.")
        if options["query"]:
            search(options["query"], {}, "query")
        path, asked = options["path"], text_values(options["parameters"], "parameters")
        answer = run.client.get(
            path,
            version=options["api_version"],
            parameters=asked,
            headers=headers(options),
            action=f"read {path}",
        )
        items = answer.get("value")
        if not isinstance(items, list):
            return answer
        if options["all_pages"] and (limit is None or len(items) < limit):
            items = run.client.follow(
                answer, version=options["api_version"], headers=headers(options), action=f"read {path}", max_items=limit
            )
        kept = {name: value for name, value in answer.items() if name != "@odata.nextLink" or not options["all_pages"]}
        return {**kept, "value": items[:limit]}

    def plan(self, run: Run, state: Mapping[str, Any]) -> Plan:
        items = state.get("value")
        return Plan(done=f"Read {len(items)} items." if isinstance(items, list) else "Read one object.")

    def result(self, run: Run, plan: Plan, state: Mapping[str, Any]) -> dict[str, Any]:
        items = state.get("value")
        whole: Any = items if isinstance(items, list) else dict(state)
        query = run.options["query"]
        return {"result": search(query, whole, "query") if query else whole}


RESOURCE = GraphInfo()
