# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.plan import Plan
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import needs
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.security_defaults import RISKS
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.security_defaults import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, not_found, refused, run_of
from ansible_collections.zerotrust.m365.tests.unit._resources.tenant_answers import (
    ASSIGNMENTS,
    CONDITIONAL_ACCESS,
    METHODS,
    ORGANIZATION,
    SECURITY_DEFAULTS,
    SKUS,
    answers,
    person,
    tenant,
)

OFF, ON = {"enabled": False}, {"enabled": True}


def options(enabled: bool, accept_risks: Any = ()) -> dict[str, Any]:
    return {"enabled": enabled, "accept_risks": list(accept_risks), "emergency_access": None, "ledger": None}


def plan_of(graph: FakeGraph, state: dict[str, bool], enabled: bool, accept_risks: Any = ()) -> Plan:
    """Emergency access is a matter of tests of its own."""
    return RESOURCE.plan(run_of(graph, options(enabled, [*accept_risks, "unproven_emergency_access"])), state)


def refusal_of(changed: dict[str, Any], accept_risks: Any = (), enabled: bool = True) -> str:
    graph = tenant(objects={**answers(), **changed})
    with pytest.raises(OptionError) as caught:
        plan_of(graph, {"enabled": not enabled}, enabled, accept_risks)
    assert graph.writes == []
    return caught.value.message


def methods(reach: list[dict[str, Any]], migration: str | None = None) -> dict[str, Any]:
    return {"policyMigrationState": migration, "authenticationMethodConfigurations": reach}


AUTHENTICATOR = answers()[METHODS]["authenticationMethodConfigurations"][0]
WITHOUT_PHONES = methods(
    [AUTHENTICATOR, *({**AUTHENTICATOR, "id": id, "state": "disabled"} for id in ("Sms", "Voice"))]
)
ADMINISTRATOR = person("admin", 1)["id"]
PHONE = {"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "1", "phoneType": "mobile"}


@pytest.mark.parametrize("enabled", [True, False])
def test_what_is_as_wanted_costs_one_read(enabled: bool) -> None:
    graph = tenant(objects={SECURITY_DEFAULTS: {"isEnabled": enabled}})
    run = run_of(graph, options(enabled))
    state = RESOURCE.read(run)
    plan = RESOURCE.plan(run, state)
    assert plan == Plan(done=f"Security defaults are {'on' if enabled else 'off'}.")
    assert RESOURCE.result(run, plan, state) == {"security_defaults": {"enabled": enabled}, "impact": None}
    assert graph.sent == [("GET", SECURITY_DEFAULTS, None)]
    assert graph.read_together == []


@pytest.mark.parametrize("answer", [{}, {"isEnabled": None}, {"isEnabled": "false"}, {"isEnabled": 0}], ids=repr)
def test_an_unreadable_state_is_unknown(answer: dict[str, Any]) -> None:
    with pytest.raises(StateUnknown):
        RESOURCE.read(run_of(tenant(objects={SECURITY_DEFAULTS: answer}), options(True)))


def test_turning_on_is_one_patch_with_its_diff() -> None:
    (change,) = plan_of(tenant(), OFF, enabled=True).changes
    assert (change.before, change.after) == (OFF, ON)
    assert (change.outline().method, change.outline().path) == ("PATCH", SECURITY_DEFAULTS)
    assert change.outline().body == {"isEnabled": True}
    assert change.outline().creates is False


def test_the_permissions_of_the_write_are_known() -> None:
    (change,) = plan_of(tenant(), OFF, enabled=True).changes
    (need,) = needs(change.outline())
    assert need.missing(["Policy.Read.All", "Policy.ReadWrite.SecurityDefaults"]) == ()
    assert need.missing(["Policy.Read.All"]) != ()
    assert need.missing(["Policy.ReadWrite.SecurityDefaults"]) != ()


def test_turning_on_says_what_changes_for_whom() -> None:
    plan = plan_of(tenant(), OFF, enabled=True)
    effects = plan.extra["impact"]["effects"]
    assert plan.planned == "Security defaults would be turned on."
    assert plan.done == "Security defaults were turned on."
    told = " ".join(effects)
    assert "1 member and 1 guest must register" in told
    assert "2 administrators do MFA at every sign-in." in told
    assert "2 users still have per-user MFA" in told
    facts = plan.extra["impact"]["facts"]
    assert facts["licences"] == {
        "completeness": "known",
        "reason": None,
        "value": {"tier": "P1", "subscriptions": ["SPB"]},
    }


def test_turning_off_needs_the_accepted_risk() -> None:
    message = refusal_of({}, enabled=False)
    assert message.startswith("Security defaults were not turned off.")
    assert "'unprotected_users'" in message
    (change,) = plan_of(tenant(), ON, False, ["unprotected_users"]).changes
    assert change.outline().body == {"isEnabled": False}


def test_another_accepted_risk_does_not_turn_it_off() -> None:
    others = [risk for risk in RISKS if risk != "unprotected_users"]
    assert "'unprotected_users'" in refusal_of({}, others, enabled=False)


def test_enabled_policies_refuse_whatever_is_accepted() -> None:
    policies = [{"displayName": "MFA for all", "state": "enabled"}]
    message = refusal_of({CONDITIONAL_ACCESS: policies}, RISKS)
    assert "'MFA for all'" in message
    assert "accept_risks" not in message


def test_enabled_policies_do_not_keep_anybody_from_turning_off() -> None:
    objects = {**answers(), CONDITIONAL_ACCESS: [{"displayName": "MFA for all", "state": "enabled"}]}
    assert plan_of(tenant(objects=objects), ON, False, ["unprotected_users"]).changes


@pytest.mark.parametrize(
    ("changed", "risk"),
    [
        ({CONDITIONAL_ACCESS: refused()}, "unknown_conditional_access"),
        ({METHODS: refused()}, "unknown_registration_methods"),
        ({METHODS: methods([], "preMigration")}, "unknown_registration_methods"),
        ({METHODS: methods([{**AUTHENTICATOR, "excludeTargets": [{"id": "x"}]}])}, "limited_registration_methods"),
        ({METHODS: WITHOUT_PHONES, f"/users/{ADMINISTRATOR}/authentication/methods": [PHONE]}, "no_way_in"),
        ({f"/users/{ADMINISTRATOR}/authentication/methods": refused()}, "unknown_ways_in"),
        ({f"/users/{ADMINISTRATOR}/authentication/methods": not_found("methods")}, "unknown_ways_in"),
        ({f"/users/{ADMINISTRATOR}/authentication/methods": [{"id": "1"}]}, "unknown_ways_in"),
        ({METHODS: methods([{**AUTHENTICATOR, "isSoftwareOathEnabled": "yes"}])}, "unknown_ways_in"),
    ],
    ids=[
        "no policies",
        "no methods",
        "legacy methods",
        "methods for some",
        "an administrator's method is off",
        "no methods of an administrator",
        "an administrator who is not found",
        "odd methods of an administrator",
        "an odd policy",
    ],
)
def test_a_risk_is_refused_by_name_and_may_be_accepted(changed: dict[str, Any], risk: str) -> None:
    message = refusal_of(changed, [other for other in RISKS if other != risk])
    assert f"add '{risk}' to accept_risks" in message
    assert plan_of(tenant(objects={**answers(), **changed}), OFF, True, [risk]).changes


def test_no_method_at_all_is_refused_whatever_is_accepted() -> None:
    for migration in (None, "migrationComplete"):
        assert "nobody could register" in refusal_of({METHODS: methods([], migration)}, RISKS)


def test_all_obstacles_are_told_at_once() -> None:
    policies = [{"displayName": "MFA for all", "state": "enabled"}]
    message = refusal_of({CONDITIONAL_ACCESS: policies, METHODS: refused()})
    assert "'MFA for all'" in message
    assert "unknown_registration_methods" in message


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("kind", ["AAD B2C", "CIAM", "Workforce"])
def test_another_kind_of_tenant_is_never_changed(kind: str, enabled: bool) -> None:
    organization = [{**answers()[ORGANIZATION][0], "tenantType": kind}]
    assert "only changes ordinary workforce tenants" in refusal_of({ORGANIZATION: organization}, RISKS, enabled)


@pytest.mark.parametrize("enabled", [True, False])
def test_an_unknown_kind_of_tenant_is_never_changed(enabled: bool) -> None:
    assert "could not be read" in refusal_of({ORGANIZATION: refused()}, RISKS, enabled)


@pytest.mark.parametrize("enabled", [True, False])
def test_check_mode_refuses_what_a_run_would_refuse(enabled: bool) -> None:
    objects = {**answers(), ORGANIZATION: refused()}
    messages = []
    for check_mode in (True, False):
        run = run_of(tenant(objects=objects), options(enabled), check_mode)
        with pytest.raises(OptionError) as caught:
            RESOURCE.plan(run, {"enabled": not enabled})
        messages.append(caught.value.message)
    assert messages[0] == messages[1]


def test_counts_that_cannot_be_read_do_not_stand_in_the_way_but_are_called_unknown() -> None:
    graph = tenant(objects={**answers(), ASSIGNMENTS: refused(), SKUS: refused()}, users=[refused("list the users")])
    plan = plan_of(graph, OFF, True, ["unknown_ways_in"])
    assert plan.changes
    told = [line for line in plan.extra["impact"]["effects"] if "unknown" in line]
    assert len(told) == 6
    assert plan.extra["impact"]["facts"]["users"]["completeness"] == "unknown"


def test_no_read_is_made_twice() -> None:
    graph = tenant()
    plan_of(graph, OFF, enabled=True)
    paths = [read.path for reads in graph.read_together for read in reads]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(("state", "reached"), [(ON, True), (OFF, False)])
def test_the_change_is_reached_when_graph_shows_it(state: dict[str, bool], reached: bool) -> None:
    run = run_of(tenant(), options(True, ["unproven_emergency_access"]))
    plan = RESOURCE.plan(run, OFF)
    assert RESOURCE.reached(run, plan, state) is reached


def test_the_result_is_the_state_that_was_reached_or_would_be() -> None:
    run = run_of(tenant(), options(True, ["unproven_emergency_access"]), check_mode=True)
    plan = RESOURCE.plan(run, OFF)
    assert RESOURCE.result(run, plan, OFF)["security_defaults"] == ON


# Emergency access

EMERGENCY = {"accounts": [{"user_principal_name": "emergency1"}], "wanted": 1, "drill_max_age_days": 90}


def test_without_declared_emergency_accounts_it_is_refused() -> None:
    with pytest.raises(OptionError, match=r"No emergency accounts are declared.*add 'unproven_emergency_access'"):
        RESOURCE.plan(run_of(tenant(), options(True, [risk for risk in RISKS if "emergency" not in risk])), OFF)


def test_declared_accounts_are_looked_at_before_the_change() -> None:
    run = run_of(tenant(), {**options(True), "emergency_access": EMERGENCY})
    with pytest.raises(
        OptionError,
        match=r"0 of 1 wanted emergency account are usable.*emergency1@contoso.onmicrosoft.com: There is no",
    ):
        RESOURCE.plan(run, OFF)
    assert RESOURCE.plan(run_of(tenant(), {**run.options, "accept_risks": ["unproven_emergency_access"]}), OFF).changes


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"wanted": 0}, "wanted must be at least 1"),
        ({"accounts": [{"user_principal_name": "a b"}]}, "accounts: "),
        ({"accounts": [{"user_principal_name": "one"}, {"user_principal_name": "ONE"}]}, "more than once"),
    ],
)
def test_a_bad_declaration_is_refused_before_anything_is_read(changed: dict[str, Any], words: str) -> None:
    graph = tenant()
    with pytest.raises(OptionError, match=words):
        RESOURCE.read(run_of(graph, {**options(True), "emergency_access": {**EMERGENCY, **changed}}))
    assert graph.sent == []
    assert graph.read_together == []
