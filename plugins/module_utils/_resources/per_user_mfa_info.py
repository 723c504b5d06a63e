# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of per-user MFA (private to the collection)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._engine.plan import Plan
from .._engine.properties import StateUnknown
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.errors import OptionError
from .._policy.facts import UnexpectedShape
from .._policy.per_user_mfa import DISABLED, STATES, UNKNOWN, Inventory
from .per_user_mfa_reading import Origin, read_everybody


class PerUserMfaInfo(Resource):
    name = "per_user_mfa_info"
    options = {
        "states": {"type": "list", "elements": "str", "choices": [*STATES, UNKNOWN], "default": []},
        "max_listed": {"type": "int", "default": 1000},
    }

    def read(self, run: Run) -> dict[str, Any]:
        most = run.options["max_listed"]
        if most < 0:
            raise OptionError(f"max_listed must not be negative, but is {most}.")
        states = frozenset(run.options["states"])
        try:
            inventory, origin = read_everybody(run.client, lambda: Inventory(states, most))
        except UnexpectedShape as error:
            raise StateUnknown(f"Graph's answer for the users has an unexpected shape: {error}.") from None
        if origin.reason:
            run.warn(f"{origin.reason} Everybody's state was read one by one instead.")
        return _report(inventory, origin)

    def plan(self, run: Run, state: Mapping[str, Any]) -> Plan:
        return Plan(done=_sentence(state))

    def result(self, run: Run, plan: Plan, state: Mapping[str, Any]) -> dict[str, Any]:
        return {"per_user_mfa": state}


def _report(inventory: Inventory, origin: Origin) -> dict[str, Any]:
    reason = origin.doubt
    if inventory.unknown:
        reason = f"The state of {inventory.unknown} users could not be read."
    return {
        "completeness": "unknown" if reason else "known",
        "reason": reason,
        "source": origin.source,
        "source_reason": origin.reason,
        "sample": origin.sample,
        **inventory.as_result(),
    }


def _sentence(report: Mapping[str, Any]) -> str:
    states = report["states"]
    in_use = sum(count for state, count in states.items() if state not in (DISABLED, UNKNOWN))
    said = f"{in_use} of {report['total']} users have per-user MFA"
    if report["completeness"] == "known":
        return f"{said}."
    return f"{said}, as far as it is known: {report['reason']}"


RESOURCE = PerUserMfaInfo()
