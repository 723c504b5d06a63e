# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the authentication methods policy, in a simulated tenant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import NotShown
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    GraphError,
    M365Error,
    MissingPermissions,
    OptionError,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import authentication_method
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.authentication_methods_policy import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._resources.conftest import OpenSimulation
from ansible_collections.zerotrust.m365.tests.unit._resources.hardware_tokens import leave_only_a_token
from ansible_collections.zerotrust.m365.tests.unit._resources.registration_report import leave_out_of_report
from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_graph import Task
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Answer, Client

PATH = "policies/authenticationMethodsPolicy"
V1, BETA = f"/v1.0/{PATH}", f"/beta/{PATH}"
EMERGENCY = "Excluded from Conditional Access"


class Policy:
    """Runs the resource as a task would: always dry first, and a second time after."""

    def __init__(self, simulated: Client) -> None:
        self.simulated = simulated
        self.task = Task(RESOURCE, simulated)

    def done(self, **options: Any) -> dict[str, Any]:
        """What a run says that a dry run predicted, and that leaves nothing to do."""
        planned = self.task.run(check_mode=True, **options)
        assert self.task.wrote == []
        result = self.task.run(**options)
        wrote = self.task.wrote
        assert result["diff"] == planned["diff"]
        assert result["authentication_methods_policy"] == planned["authentication_methods_policy"]
        again = self.task.run(**options)
        assert not again["changed"], again["diff"]
        assert again["authentication_methods_policy"] == result["authentication_methods_policy"]
        self.task.wrote = wrote
        return result

    def refused(self, kind: type[M365Error], **options: Any) -> str:
        with pytest.raises(kind) as caught:
            self.task.run(check_mode=True, **options)
        with pytest.raises(kind):
            self.task.run(**options)
        assert self.task.wrote == []
        return caught.value.message

    def read(self, version: str = "beta") -> dict[str, Any]:
        found: dict[str, Any] = self.simulated.get(f"/{version}/{PATH}").body
        return found


Open = Callable[[str], Policy]


@pytest.fixture
def open_tenant(open_simulation: OpenSimulation) -> Open:
    return lambda scenario: Policy(Client(open_simulation(scenario), []))


@pytest.fixture
def business(open_tenant: Open) -> Policy:
    return open_tenant("business")


@pytest.fixture
def greenfield(open_tenant: Open) -> Policy:
    return open_tenant("greenfield")


@pytest.fixture
def legacy(open_tenant: Open) -> Policy:
    return open_tenant("legacy")


# Migration


def test_the_migration_goes_on_and_back(legacy: Policy) -> None:
    for state in ("migrationInProgress", "preMigration"):
        shown = legacy.done(policy_migration_state=state)["authentication_methods_policy"]
        assert shown["policy_migration_state"] == state
    assert legacy.task.wrote == [("PATCH", V1)]


def test_graph_refuses_the_way_back_to_a_tenant_that_began_later(business: Policy) -> None:
    with pytest.raises(GraphError, match="cannot be set to preMigration"):
        business.task.run(policy_migration_state="preMigration")
    business.simulated.admin("POST", "/assumptions", {"migration_back_refusal": "ignored"})
    with pytest.raises(NotShown):
        business.task.run(policy_migration_state="preMigration")


def test_a_tenant_without_a_state_is_complete(greenfield: Policy) -> None:
    result = greenfield.task.run(policy_migration_state="migrationComplete")
    assert not result["changed"]
    assert result["authentication_methods_policy"]["policy_migration_state"] is None
    message = greenfield.refused(M365Error, policy_migration_state="migrationInProgress")
    assert "its migration is complete" in message


def test_who_depends_on_the_legacy_policies_is_named(legacy: Policy) -> None:
    """Authenticator is enabled for everybody, software OATH for nobody, and phones are."""
    message = legacy.refused(M365Error, policy_migration_state="migrationComplete")
    assert "sven.olsen@fabrikam.com" in message
    assert "pieter.smit" not in message
    assert "may still allow" not in message
    assert "add 'only_way_in' to accept_risks" in message
    legacy.done(policy_migration_state="migrationComplete", accept_risks=["only_way_in"])


def test_a_dry_run_judges_by_what_earlier_tasks_would_enable(legacy: Policy) -> None:
    """All that people have registered would be enabled by then, and so the dry run says what the run does."""
    method = Task(authentication_method.RESOURCE, legacy.simulated)
    enabled: list[dict[str, Any]] = [
        {"id": name, "state": "enabled", "include_targets": {"set": [{"group": "all_users"}]}}
        for name in ("MicrosoftAuthenticator", "Sms", "Voice", "SoftwareOath")
    ]
    given: dict[str, Any] = {"policy_migration_state": "migrationComplete"}
    dry = [method.run(check_mode=True, **one) for one in enabled]
    found = [one["expected_configuration"] for one in dry if one["changed"]]
    assert [one["expected_configuration"] for one in dry if not one["changed"]] == [None] * (len(dry) - len(found))
    assert {one["state"] for one in found} == {"enabled"}
    legacy.refused(M365Error, **given)
    predicted = legacy.task.run(check_mode=True, **given, expected_configurations=found)
    nonsense: list[dict[str, Any]] = [{}]
    for expected in (found, nonsense):  # only a dry run takes for granted what is not there yet
        with pytest.raises(M365Error, match="the only way to sign in"):
            legacy.task.run(**given, expected_configurations=expected)
    for one in enabled:
        assert method.run(**one)["expected_configuration"] is None
    assert legacy.task.run(**given)["diff"] == predicted["diff"]


@pytest.mark.parametrize("wrong", [[{}], [{"id": "Sms"}], [{"id": "Sms", "state": "enabled", "includeTargets": "all"}]])
def test_what_is_expected_has_to_be_a_configuration(legacy: Policy, wrong: list[dict[str, Any]]) -> None:
    with pytest.raises(OptionError, match="expected_configurations: "):
        legacy.task.run(check_mode=True, policy_migration_state="migrationComplete", expected_configurations=wrong)


def test_a_report_that_has_nobody_yet_is_not_the_whole(business: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the day after P1 was bought."""
    leave_out_of_report(monkeypatch, "")
    message = business.refused(M365Error, policy_migration_state="migrationComplete")
    assert "3 people lose the only way to sign in with more than a password: 'finn.okafor@contoso.example'" in message
    assert "add 'only_way_in' to accept_risks" in message


def test_who_has_nothing_but_a_hardware_token_depends_on_the_legacy_policies(business: Policy) -> None:
    """One by one, for want of a permission for the report."""
    tokens = f"{BETA}/authenticationMethodConfigurations/HardwareOath"
    kind = business.simulated.get(tokens).body["@odata.type"]
    assert business.simulated.call("PATCH", tokens, {"@odata.type": kind, "state": "enabled"}).status == 204
    leave_only_a_token(business.simulated, business.simulated.get("/v1.0/users/daan.mulder@contoso.example").body["id"])
    assert business.simulated.call("PATCH", tokens, {"@odata.type": kind, "state": "disabled"}).status == 204
    business.simulated.grant(
        "Policy.Read.All",
        "Policy.ReadWrite.AuthenticationMethod",
        "GroupMember.Read.All",
        "User.Read.All",
        "UserAuthenticationMethod.Read.All",
    )
    message = business.refused(M365Error, policy_migration_state="migrationComplete")
    assert "daan.mulder@contoso.example" in message


# Settings


def test_the_campaign_leaves_the_emergency_accounts_out(business: Policy) -> None:
    group = business.simulated.get(f"/v1.0/groups?$filter=displayName eq '{EMERGENCY}'").value[0]["id"]
    campaign = {
        "state": "enabled",
        "snooze_duration_in_days": 3,
        "include_targets": {"set": [{"group": "all_users", "targeted_authentication_method": "fido2"}]},
        "exclude_targets": {"add": [EMERGENCY]},
    }
    shown = business.done(registration_campaign=campaign)["authentication_methods_policy"]["registration_campaign"]
    assert shown["exclude_targets"] == [{"id": group, "target_type": "group", "display_name": EMERGENCY}]
    assert business.task.wrote == [("PATCH", V1)]
    stored = business.read()["registrationEnforcement"]["authenticationMethodsRegistrationCampaign"]
    assert stored["includeTargets"][0]["targetedAuthenticationMethod"] == "fido2"
    assert stored["enforceRegistrationAfterAllowedSnoozes"] is True
    business.done(registration_campaign={"include_targets": {"add": [{"group": "Research"}]}})
    stored = business.read()["registrationEnforcement"]["authenticationMethodsRegistrationCampaign"]
    assert [target["targetedAuthenticationMethod"] for target in stored["includeTargets"]] == [
        "fido2",
        "microsoftAuthenticator",
    ]
    assert stored["snoozeDurationInDays"] == 3


def test_settings_of_both_versions_in_one_task(business: Policy) -> None:
    result = business.done(
        policy_migration_state="migrationComplete",
        registration_campaign={"state": "disabled"},
        system_credential_preferences={"state": "enabled", "exclude_targets": {"set": ["Research"]}},
        report_suspicious_activity_settings={"state": "enabled", "include_target": {"id": "Finance and HR"}},
        opt_out_settings={"passkey_dynamic_migration": True},
        accept_risks=["only_way_in"],
    )
    assert business.task.wrote == [("PATCH", V1), ("PATCH", BETA)]
    assert result["msg"].endswith(
        "changed (policy migration state, registration campaign, system credential preferences, "
        "report suspicious activity settings, opt out settings)."
    )
    stored = business.read()
    assert stored["optOutSettings"] == {"passkeyDynamicMigration": True}
    assert stored["reportSuspiciousActivitySettings"]["voiceReportingCode"] == 0
    assert stored["systemCredentialPreferences"]["includeTargets"] == [{"id": "all_users", "targetType": "group"}]
    assert stored["registrationEnforcement"]["authenticationMethodsRegistrationCampaign"]["state"] == "disabled"


def test_the_campaign_in_beta(business: Policy) -> None:
    campaign = {"enforce_registration_after_allowed_snoozes": False, "state": "enabled"}
    business.done(registration_campaign=campaign)
    assert business.task.wrote == [("PATCH", BETA)]


# What is refused


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Give at least one setting"),
        ({"registration_campaign": {"snooze_duration_in_days": 15}}, "is 0 to 14, not 15"),
        (
            {"registration_campaign": {"exclude_targets": {"add": [EMERGENCY], "remove": [EMERGENCY]}}},
            "registration_campaign.exclude_targets: both added and removed",
        ),
        ({"registration_campaign": {"exclude_targets": {"add": ["Missing"]}}}, "There is no group 'Missing'"),
    ],
)
def test_nonsense(business: Policy, options: dict[str, Any], words: str) -> None:
    assert words in business.refused(M365Error, **options)


MIXED: dict[str, Any] = {
    "registration_campaign": {"state": "disabled"},
    "opt_out_settings": {"passkey_dynamic_migration": True},
}


def test_missing_permissions_are_named_before_the_first_of_two_writes(business: Policy) -> None:
    business.simulated.grant("Policy.Read.All")
    with pytest.raises(MissingPermissions) as caught:
        business.task.run(**MIXED)
    assert "Policy.ReadWrite.AuthenticationMethod" in caught.value.message
    assert business.task.wrote == []


def answering(monkeypatch: pytest.MonkeyPatch, policy: Policy, start: str, answer: Answer) -> None:
    send = policy.simulated.send
    monkeypatch.setattr(
        policy.simulated,
        "send",
        lambda method, path, **more: answer if path.startswith(start) else send(method, path, **more),
    )


def test_a_beta_that_is_not_there_is_said_before_a_write(business: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, business, BETA, business.simulated.get("/beta/policies/nothing"))
    assert "Graph has none (beta)" in business.refused(M365Error, **MIXED)
    # What v1.0 has is none of its business.
    business.done(registration_campaign={"state": "disabled"})


def test_a_setting_that_beta_does_not_show_is_unknown(business: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, business, BETA, business.simulated.get(V1))
    assert "the state of opt out settings is unknown" in business.refused(StateUnknown, **MIXED)


def test_a_cloud_without_the_policy(business: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, business, V1, business.simulated.get("/v1.0/policies/nothing"))
    assert "unsupported in this cloud" in business.refused(M365Error, **MIXED)
