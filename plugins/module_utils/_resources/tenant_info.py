# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant as it is, fact by fact (private to the collection)."""

from __future__ import annotations

from typing import Any

from .._engine.plan import Plan
from .._engine.resource import Resource
from .._engine.run import Run
from .._policy.facts import Fact
from .facts import ALL_FACTS, gather


class TenantInfo(Resource):
    name = "tenant_info"
    options = {
        "gather_subset": {"type": "list", "elements": "str", "choices": ["all", *ALL_FACTS], "default": ["all"]},
    }

    def read(self, run: Run) -> dict[str, Fact]:
        subset = run.options["gather_subset"]
        return gather(run.client, ALL_FACTS if "all" in subset else subset)

    def plan(self, run: Run, state: dict[str, Fact]) -> Plan:
        missing = sorted(name for name, fact in state.items() if not fact.known)
        if missing:
            return Plan(
                done=f"{len(state) - len(missing)} of {len(state)} facts are known; unknown: {', '.join(missing)}."
            )
        return Plan(done=f"All {len(state)} facts are known.")

    def result(self, run: Run, plan: Plan, state: dict[str, Fact]) -> dict[str, Any]:
        tenant = {name: fact.as_result() for name, fact in state.items()}
        return {
            "tenant": tenant,
            "tenant_id": run.client.token().tenant_id,
            "complete": all(fact.known for fact in state.values()),
        }


RESOURCE = TenantInfo()
