# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.plan import Plan
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.run import Run
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.clouds import CLOUDS
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import GraphError, OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.legacy_mfa_settings import PORTAL, RISKS, WARNING
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.legacy_mfa_settings import RESOURCE
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.legacy_mfa_settings_info import (
    RESOURCE as INFO,
)
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, not_found, refused, run_of
from ansible_collections.zerotrust.m365.tests.unit._resources.tenant_answers import ORGANIZATION, answers, tenant

PATH = "/policies/mfaServicePolicy"
BODY: dict[str, Any] = {
    "@odata.context": "https://graph.microsoft.com/beta/$metadata#policies/mfaServicePolicy/$entity",
    "id": "mfaServicePolicy",
    "allowAppPasswords": True,
    "trustedIps": {"skipMfaForFederatedUsers": False, "ipRanges": ["203.0.113.0/24"], "new": 1, "x@odata.type": "y"},
    "rememberMfaOnTrustedDevice": {"isEnabled": True, "allowedNumberOfDays": 90},
}
VALUES = {
    "allow_app_passwords": True,
    "remember_mfa_on_trusted_device": {"enabled": True, "days": 90},
    "trusted_ips": {"skip_mfa_for_federated_users": False, "ip_ranges": ["203.0.113.0/24"]},
}
HIDDEN = {**BODY, "trustedIps": {"skipMfaForFederatedUsers": False}}


def graph_with(body: Any = None) -> FakeGraph:
    return tenant(objects={**answers(), PATH: BODY if body is None else body})


def options(**written: Any) -> dict[str, Any]:
    written.setdefault("accept_risks", list(RISKS))
    validation = ArgumentSpecValidator(dict(RESOURCE.options)).validate(written)
    assert validation.error_messages == []
    return dict(validation.validated_parameters)


def run_with(graph: FakeGraph, check_mode: bool = False, **written: Any) -> Run:
    return run_of(graph, options(**written), check_mode)


def plan_of(graph: FakeGraph, **written: Any) -> Plan:
    run = run_with(graph, **written)
    return RESOURCE.plan(run, RESOURCE.read(run))


UNKNOWN: list[tuple[Any, str]] = [
    (not_found(PATH), "404"),
    (refused(), "403"),
    (GraphError(action="read", status=400, code="BadRequest", text="Resource not found for the segment"), "400"),
    ({}, "no 'allowAppPasswords'"),
    ({**BODY, "allowAppPasswords": "true"}, "that is no bool"),
    ({**BODY, "trustedIps": None}, "'trustedIps' that is no dict"),
    ({**BODY, "trustedIps": {"ipRanges": []}}, "no 'skipMfaForFederatedUsers'"),
    ({**BODY, "trustedIps": {"skipMfaForFederatedUsers": False, "ipRanges": "all"}}, "'ipRanges' that is no list"),
    ({**BODY, "rememberMfaOnTrustedDevice": {"isEnabled": True}}, "no 'allowedNumberOfDays'"),
    ({**BODY, "rememberMfaOnTrustedDevice": {"isEnabled": 1, "allowedNumberOfDays": 2}}, "'isEnabled' that is no bool"),
]
AGES = [words for _answer, words in UNKNOWN]


@pytest.mark.parametrize(("answer", "words"), UNKNOWN, ids=AGES)
def test_what_cannot_be_read_is_unknown_with_the_reason_and_the_page(answer: Any, words: str) -> None:
    run = run_of(graph_with(answer), {})
    state = INFO.read(run)
    found = INFO.result(run, INFO.plan(run, state), state)["legacy_mfa_settings"]
    assert (found["completeness"], found["value"], found["where_to_look"]) == ("unknown", None, PORTAL)
    assert words in found["reason"]
    assert INFO.plan(run, state).done.startswith("The settings of per-user MFA are unknown: ")
    assert PORTAL in INFO.plan(run, state).done


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(("answer", "words"), UNKNOWN, ids=AGES)
def test_unknown_settings_are_not_written(answer: Any, words: str, check_mode: bool) -> None:
    graph = graph_with(answer)
    with pytest.raises(StateUnknown) as caught:
        RESOURCE.read(run_with(graph, check_mode, allow_app_passwords=False))
    assert words in caught.value.message
    assert PORTAL in caught.value.message
    assert caught.value.message.endswith("Nothing was written.")
    assert graph.writes == []


@pytest.mark.parametrize("cloud", ["usgov", "china"])
def test_other_clouds_are_not_even_asked(cloud: str) -> None:
    graph = graph_with()
    graph.cloud = CLOUDS[cloud]
    assert "is not known" in str(INFO.read(run_of(graph, {})).reason)
    with pytest.raises(StateUnknown, match="is not asked"):
        RESOURCE.read(run_with(graph, allow_app_passwords=False))
    assert graph.sent == []


def test_settings_that_are_shown() -> None:
    run = run_of(graph_with(), {})
    state = INFO.read(run)
    plan = INFO.plan(run, state)
    assert plan.done == "The settings of per-user MFA are known."
    assert INFO.result(run, plan, state)["legacy_mfa_settings"] == {
        "completeness": "known",
        "reason": None,
        "value": VALUES,
        "not_shown": [],
        "where_to_look": PORTAL,
    }


@pytest.mark.parametrize("trusted", [HIDDEN["trustedIps"], {**HIDDEN["trustedIps"], "ipRanges": None}])
def test_ranges_that_are_not_shown_are_unknown_by_themselves(trusted: Any) -> None:
    run = run_of(graph_with({**BODY, "trustedIps": trusted}), {})
    state = INFO.read(run)
    assert INFO.plan(run, state).done.endswith("known except trusted_ips.ip_ranges.")
    found = INFO.result(run, Plan(), state)["legacy_mfa_settings"]
    assert found["not_shown"] == ["trusted_ips.ip_ranges"]
    assert found["value"]["trusted_ips"] == {"skip_mfa_for_federated_users": False, "ip_ranges": None}


def test_ranges_that_are_not_shown_are_not_written() -> None:
    graph = graph_with(HIDDEN)
    with pytest.raises(StateUnknown, match=r"does not show trusted_ips\.ip_ranges"):
        RESOURCE.read(run_with(graph, trusted_ips={"ip_ranges": []}))
    plan = plan_of(graph, trusted_ips={"skip_mfa_for_federated_users": True})
    assert plan.changes[0].outline().body == {"trustedIps": {"skipMfaForFederatedUsers": True}}
    assert "whether they stay as they are is unknown" in plan.extra["impact"]["effects"][-1]


def test_what_is_as_wanted_costs_one_read() -> None:
    graph = graph_with()
    run = run_with(
        graph,
        remember_mfa_on_trusted_device={"days": 90},
        trusted_ips={"ip_ranges": ["203.0.113.0/24"]},
        accept_risks=[],
    )
    state = RESOURCE.read(run)
    plan = RESOURCE.plan(run, state)
    assert plan == Plan(done="The settings of per-user MFA are as wanted.")
    assert RESOURCE.result(run, plan, state) == {"legacy_mfa_settings": VALUES, "impact": None}
    assert graph.sent == [("GET", PATH, None)]
    assert graph.read_together == []


def test_one_patch_with_what_differs_and_what_graph_shows_beside_it() -> None:
    plan = plan_of(
        graph_with(),
        allow_app_passwords=True,
        remember_mfa_on_trusted_device={"days": 7},
        trusted_ips={"skip_mfa_for_federated_users": True},
    )
    (change,) = plan.changes
    request = change.outline()
    assert (request.method, request.version, request.path) == ("PATCH", "beta", PATH)
    assert request.body == {
        "rememberMfaOnTrustedDevice": {"isEnabled": True, "allowedNumberOfDays": 7},
        "trustedIps": {"skipMfaForFederatedUsers": True, "ipRanges": ["203.0.113.0/24"], "new": 1},
    }
    assert change.before == {
        "allow_app_passwords": True,
        "remember_mfa_on_trusted_device": {"days": 90},
        "trusted_ips": {"skip_mfa_for_federated_users": False},
    }
    assert change.after == {
        "allow_app_passwords": True,
        "remember_mfa_on_trusted_device": {"days": 7},
        "trusted_ips": {"skip_mfa_for_federated_users": True},
    }


def test_the_order_of_ranges_is_no_difference() -> None:
    ranges = ["198.51.100.7/32", "203.0.113.0/24"]
    body = {**BODY, "trustedIps": {"skipMfaForFederatedUsers": False, "ipRanges": ranges}}
    assert plan_of(graph_with(body), trusted_ips={"ip_ranges": ["203.0.113.0/24", "198.51.100.7"]}).changes == ()


@pytest.mark.parametrize(
    ("written", "accepted", "named", "not_named"),
    [
        ({"allow_app_passwords": False}, [], "undocumented_interface", "weaker_mfa"),
        ({"allow_app_passwords": False}, ["weaker_mfa"], "undocumented_interface", "weaker_mfa"),
        (
            {"trusted_ips": {"skip_mfa_for_federated_users": True}},
            ["undocumented_interface"],
            "weaker_mfa",
            "undocumented",
        ),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_risks_are_refused_by_name(
    written: dict[str, Any], accepted: list[str], named: str, not_named: str, check_mode: bool
) -> None:
    graph = graph_with()
    run = run_with(graph, check_mode, **written, accept_risks=accepted)
    state = RESOURCE.read(run)
    with pytest.raises(OptionError) as caught:
        RESOURCE.plan(run, state)
    assert f"add '{named}' to accept_risks" in caught.value.message
    assert not_named not in caught.value.message
    assert graph.writes == []
    assert plan_of(graph, **written, accept_risks=[*accepted, named]).changes


def test_both_risks_are_told_at_once() -> None:
    with pytest.raises(OptionError, match=r"undocumented_interface.*weaker_mfa"):
        plan_of(graph_with(), remember_mfa_on_trusted_device={"days": 365}, accept_risks=[])


def test_another_kind_of_tenant_is_never_changed() -> None:
    organization = [{**answers()[ORGANIZATION][0], "tenantType": "CIAM"}]
    graph = tenant(objects={**answers(), PATH: BODY, ORGANIZATION: organization})
    with pytest.raises(OptionError, match="only changes ordinary workforce tenants"):
        plan_of(graph, allow_app_passwords=False)


def test_users_are_counted_only_for_app_passwords() -> None:
    graph = graph_with()
    assert plan_of(graph, remember_mfa_on_trusted_device={"enabled": False}).extra["impact"]["facts"].keys() == {"kind"}
    assert ("GET", "/users", None) not in graph.sent
    impact = plan_of(graph, allow_app_passwords=False).extra["impact"]
    assert impact["facts"].keys() == {"kind", "per_user_mfa"}
    assert "2 users have per-user MFA." in impact["effects"]


@pytest.mark.parametrize("days", [None, 0, 400])
def test_devices_are_not_remembered_for_no_number_of_days(days: Any) -> None:
    body = {**BODY, "rememberMfaOnTrustedDevice": {"isEnabled": False, "allowedNumberOfDays": days}}
    with pytest.raises(OptionError, match=r"give remember_mfa_on_trusted_device\.days as well"):
        plan_of(graph_with(body), remember_mfa_on_trusted_device={"enabled": True})
    assert plan_of(graph_with(body), remember_mfa_on_trusted_device={"enabled": True, "days": 1}).changes
    assert plan_of(graph_with(body), allow_app_passwords=False).changes


@pytest.mark.parametrize("written", [{}, {"trusted_ips": {}}])
def test_nothing_asked_for_is_a_mistake(written: dict[str, Any]) -> None:
    graph = graph_with()
    with pytest.raises(OptionError, match="Nothing was asked for"):
        RESOURCE.read(run_with(graph, **written))
    assert graph.sent == []


def test_bad_values_are_refused_before_anything_is_read() -> None:
    graph = graph_with()
    with pytest.raises(OptionError, match=r"from 1 to 365.*host bits set"):
        RESOURCE.read(
            run_with(graph, remember_mfa_on_trusted_device={"days": 0}, trusted_ips={"ip_ranges": ["10.1.1.1/8"]})
        )
    assert graph.sent == []


def test_each_run_warns_once() -> None:
    told: list[str] = []
    run = run_with(graph_with(), allow_app_passwords=True)
    run = Run(options=run.options, client=run.client, check_mode=False, warn=told.append, secret=lambda _: None)
    for _attempt in range(3):
        RESOURCE.read(run)
    assert told == [WARNING]


def test_the_dry_run_shows_what_a_run_would_lead_to() -> None:
    run = run_with(graph_with(), True, remember_mfa_on_trusted_device={"days": 30})
    state = RESOURCE.read(run)
    plan = RESOURCE.plan(run, state)
    assert not RESOURCE.reached(run, plan, state)
    assert RESOURCE.result(run, plan, state)["legacy_mfa_settings"] == {
        **VALUES,
        "remember_mfa_on_trusted_device": {"enabled": True, "days": 30},
    }
    changed = {**BODY, "rememberMfaOnTrustedDevice": {"isEnabled": True, "allowedNumberOfDays": 30}}
    later = run_with(graph_with(changed), remember_mfa_on_trusted_device={"days": 30})
    assert RESOURCE.reached(later, plan, RESOURCE.read(later))
