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
from .._policy import security_defaults, tenants, ways_in
from .._policy.emergency_access import obstacles_to_enforcement
from .._policy.facts import Fact, UnexpectedShape
from .._policy.users import Accounts
from .._policy.ways_in import WaysIn
from .emergency_access_info import HEALTH_OPTIONS, health, refuse_bad_declaration
from .facts import METHODS_POLICY, SECURITY_DEFAULTS, FactRow, gather
from .ledger import Ledger
from .per_user_mfa_ledger import note_cover_gone, read_ledger
from .ways_in import read_ways_in

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
# The whole of it, for who can use what.
WHOLE_METHODS_POLICY = FactRow("whole_methods_policy", (METHODS_POLICY,), lambda answers, _more: answers[0])


class SecurityDefaults(Resource):
    name = "security_defaults"
    options = {
        **POLICY.arguments(),
        "emergency_access": {"type": "dict", "options": HEALTH_OPTIONS},
        "ledger": {"type": "path"},
        "accept_risks": {"type": "list", "elements": "str", "choices": list(security_defaults.RISKS), "default": []},
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> dict[str, Any]:
        if run.options["emergency_access"]:
            refuse_bad_declaration(run.options["emergency_access"])
        if run.options["enabled"] and run.options["ledger"]:
            Ledger("ledger", run.options["ledger"]).check()
        return POLICY.read(run)

    def reached(self, run: Run, plan: Plan, state: Mapping[str, Any]) -> bool:
        return POLICY.change(run, state) is None

    def plan(self, run: Run, state: Mapping[str, Any]) -> Plan:
        change = POLICY.change(run, state)
        if change is None:
            return Plan(done=f"Security defaults are {_on_off(state['enabled'])}.")
        enabled = bool(run.options["enabled"])
        accounts = Accounts()
        facts = gather(run.client, FACTS_BEFORE_SWITCHING, rows=[WHOLE_METHODS_POLICY], accounts=accounts)
        policy = facts.pop(WHOLE_METHODS_POLICY.name)
        impact = security_defaults.summary(enabled, facts)
        _refuse_another_kind_of_tenant(facts)
        if enabled:
            emergency = _emergency_access(run)
            found = _ways_in(run, facts, policy, accounts, emergency)
            impact["effects"] += ways_in.effects(found)
            obstacles = [
                *security_defaults.obstacles_to_enabling(facts["conditional_access"], facts["authentication_methods"]),
                *ways_in.obstacles(found),
                *obstacles_to_enforcement(emergency),
            ]
        else:
            obstacles = security_defaults.obstacles_to_disabling()
        _refuse(run, enabled, obstacles)
        if enabled and run.options["ledger"]:
            _note_that_they_are_off(run)
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


def _refuse_another_kind_of_tenant(facts: Mapping[str, Fact]) -> None:
    """Raises OptionError."""
    wrong_kind = tenants.refusal(facts["kind"])
    if wrong_kind:
        raise OptionError(wrong_kind)


def _refuse(run: Run, enabled: bool, obstacles: list[security_defaults.Obstacle]) -> None:
    """Raises OptionError with every obstacle and what to do about it, in check mode just as in a run."""
    refused = security_defaults.refused(obstacles, list(run.options["accept_risks"]))
    if refused:
        raise OptionError(security_defaults.refusal(refused, enabled))


def _note_that_they_are_off(run: Run) -> None:
    """So that nobody loses per-user MFA before they have spread, if the ledger knows them from an earlier time.

    Raises OptionError for a ledger that is no good, and LedgerFailed.
    """
    ledger = Ledger("ledger", run.options["ledger"])
    seen = read_ledger(run, "ledger", ledger).cover_seen
    if not run.check_mode:
        note_cover_gone(run, ledger, seen, security_defaults=False)


def _emergency_access(run: Run) -> dict[str, Any] | None:
    """The report on the declared emergency accounts; None without any."""
    declared = run.options["emergency_access"]
    return health(run.client, declared) if declared else None


def _ways_in(
    run: Run, facts: Mapping[str, Fact], policy: Fact, accounts: Accounts, emergency: Mapping[str, Any] | None
) -> WaysIn:
    """Without the emergency accounts, which have been judged already."""
    if not policy.known:
        return WaysIn(unread_others=policy.reason)
    apart = [account["id"] for account in (emergency or {}).get("accounts", ()) if account["id"]]
    try:
        return read_ways_in(run, facts, policy.value, accounts, apart)
    except UnexpectedShape as error:
        return WaysIn(unread_administrators=f"Graph's answer has an unexpected shape: {error}.")


def _on_off(enabled: Any) -> str:
    return "on" if enabled else "off"


RESOURCE = SecurityDefaults()
