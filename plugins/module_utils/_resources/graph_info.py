# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any GET of Microsoft Graph (private to the collection)."""

from __future__ import annotations

from typing import Any, TypeAlias

from .._engine.plan import Plan
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.errors import OptionError
from .graph_options import PATH_OPTIONS, check_expression, headers, search, text_values

Answer: TypeAlias = "dict[str, Any] | list[dict[str, Any]]"


class GraphInfo(Resource):
    name = "graph_info"
    options = {
        **PATH_OPTIONS,
        "parameters": {"type": "dict", "default": {}},
        "all_pages": {"type": "bool", "default": True},
        "max_items": {"type": "int"},
        "query": {"type": "str"},
    }

    def read(self, run: Run) -> Answer:
        options = run.options
        limit = options["max_items"]
        if limit is not None and limit < 1:
            raise OptionError("max_items must be 1 or more.")
        check_expression(options["query"], "query")
        path = options["path"]
        return run.client.read(
            path,
            version=options["api_version"],
            parameters=text_values(options["parameters"], "parameters"),
            headers=headers(options),
            action=f"read {path}",
            all_pages=options["all_pages"],
            max_items=limit,
        )

    def plan(self, run: Run, state: Answer) -> Plan:
        return Plan(done=f"Read {len(state)} items." if isinstance(state, list) else "Read one object.")

    def result(self, run: Run, plan: Plan, state: Answer) -> dict[str, Any]:
        query = run.options["query"]
        return {"result": search(query, state, "query") if query else state}


RESOURCE = GraphInfo()
