# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security defaults as a resource (private to the collection).

Source: Graph reference, "Update identitySecurityDefaultsEnforcementPolicy" (PATCH answers 204).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._engine.plan import Plan
from .._engine.properties import Property
from .._engine.resource import PropertyTable, Resource
from .._engine.run import Run
from .._graph.errors import OptionError
from .._options import WAIT_OPTIONS
from .._policy import security_defaults, tenants
from .._policy.emergency_access import obstacles_to_enforcement
from .emergency_access_info import HEALTH_OPTIONS, health, refuse_bad_declaration
from .facts import SECURITY_DEFAULTS, gather

POLICY = PropertyTable(
    title="security defaults",
    path=SECURITY_DEFAULTS.path,
    rows=(Property("enabled", "isEnabled", type="bool", required=True),),
    unmanaged={
        "id": "always the same",
        "displayName": "Microsoft's fixed text",
        "description": "Microsoft's fixed text",
        "deletedDateTime": "the policy cannot be deleted",
    },
)

# What decides whether switching is safe, and what tells an approver whom it concerns. Read only when it will change.
FACTS_BEFORE_SWITCHING = (
    "kind",
    "licences",
    "authentication_methods",
    "conditional_access",
    "privileged_roles",
    "users",
    "per_user_mfa",
)


class SecurityDefaults(Resource):
    name = "security_defaults"
    options = {
        **POLICY.arguments(),
        "emergency_access": {"type": "dict", "options": HEALTH_OPTIONS},
        "accept_risks": {"type": "list", "elements": "str", "choices": list(security_defaults.RISKS), "default": []},
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> dict[str, Any]:
        if run.options["emergency_access"]:
            refuse_bad_declaration(run.options["emergency_access"])
        return POLICY.read(run)

    def reached(self, run: Run, plan: Plan, state: Mapping[str, Any]) -> bool:
        return POLICY.change(run, state) is None

    def plan(self, run: Run, state: Mapping[str, Any]) -> Plan:
        change = POLICY.change(run, state)
        if change is None:
            return Plan(done=f"Security defaults are {_on_off(state['enabled'])}.")
        enabled = bool(run.options["enabled"])
        facts = gather(run.client, FACTS_BEFORE_SWITCHING)
        impact = security_defaults.summary(enabled, facts)
        _refuse_what_is_not_safe(run, enabled, facts)
        verb = _on_off(enabled)
        return Plan(
            changes=[change],
            planned=f"Security defaults would be turned {verb}.",
            done=f"Security defaults were turned {verb}.",
            extra={"impact": impact},
        )

    def result(self, run: Run, plan: Plan, state: Mapping[str, Any]) -> dict[str, Any]:
        shown = dict(plan.changes[0].after or {}) if plan.changes else dict(state)
        return {"security_defaults": shown, "impact": None}


def _refuse_what_is_not_safe(run: Run, enabled: bool, facts: Mapping[str, Any]) -> None:
    """Raises OptionError with every obstacle and what to do about it, in check mode just as in a run."""
    wrong_kind = tenants.refusal(facts["kind"])
    if wrong_kind:
        raise OptionError(wrong_kind)
    obstacles = _obstacles_to_enabling(run, facts) if enabled else security_defaults.obstacles_to_disabling()
    refused = security_defaults.refused(obstacles, list(run.options["accept_risks"]))
    if refused:
        raise OptionError(security_defaults.refusal(refused, enabled))


def _obstacles_to_enabling(run: Run, facts: Mapping[str, Any]) -> list[security_defaults.Obstacle]:
    declared = run.options["emergency_access"]
    return [
        *security_defaults.obstacles_to_enabling(facts["conditional_access"], facts["authentication_methods"]),
        *obstacles_to_enforcement(health(run.client, declared) if declared else None),
    ]


def _on_off(enabled: Any) -> str:
    return "on" if enabled else "off"


RESOURCE = SecurityDefaults()
