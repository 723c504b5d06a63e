# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios 11 to 21: the authentication methods policy."""

from __future__ import annotations

from typing import Any

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    CONFIGURATIONS,
    METHODS,
    NOBODY,
    assume,
    configuration,
    configure,
    refused,
    under,
    without_contract,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Answer, Client

CAMPAIGN = "authenticationMethodsRegistrationCampaign"


def migrate(client: Client, state: str) -> Answer:
    return client.call("PATCH", f"/v1.0{METHODS}", {"policyMigrationState": state})


def migration(client: Client) -> str | None:
    found: str | None = client.get(f"/v1.0{METHODS}").body["policyMigrationState"]
    return found


@under("migration_back_refusal")
def test_scenario_11_migration_never_goes_back_before_its_beginning(
    legacy: Client, business: Client, migration_back_refusal: str
) -> None:
    for state in ("migrationInProgress", "migrationComplete", "preMigration", "migrationComplete", "preMigration"):
        assert migrate(legacy, state).status == 204
        assert migration(legacy) == state
    assume(business, migration_back_refusal=migration_back_refusal)
    for state in ("migrationComplete", "migrationInProgress"):
        assert migrate(business, state).status == 204
        assert migration(business) == state
        assert migrate(business, "preMigration").status == (204 if migration_back_refusal == "ignored" else 400)
        assert migration(business) == state


def test_scenario_12_the_state_of_a_new_tenant_stays_null(greenfield: Client) -> None:
    assert migration(greenfield) is None
    assert migrate(greenfield, "migrationComplete").status == 204
    assert migration(greenfield) is None
    assert migrate(greenfield, "finished").status == 400


@under("method_type_refusal")
def test_scenario_13_a_configuration_is_written_with_its_type(legacy: Client, method_type_refusal: str) -> None:
    assume(legacy, method_type_refusal=method_type_refusal)
    path = f"/v1.0{CONFIGURATIONS}/Sms"
    words = {"abstract": "abstract class", "unresolved": "could not be resolved"}[method_type_refusal]
    assert words in refused(legacy.call("PATCH", path, {"state": "disabled"}), 400, "BadRequest")
    wrong = {"@odata.type": "#microsoft.graph.voiceAuthenticationMethodConfiguration", "state": "disabled"}
    assert legacy.call("PATCH", path, wrong).status == 400
    assert configuration(legacy, "Sms")["state"] == "enabled"
    assert configure(legacy, "Sms", state="disabled").status == 204
    assert configuration(legacy, "Sms")["state"] == "disabled"


def test_scenario_14_delete_brings_the_defaults_back(legacy: Client, greenfield: Client) -> None:
    for name in ("Voice", "Sms"):
        assert configuration(legacy, name) != configuration(greenfield, name)
        answer = legacy.call("DELETE", f"/v1.0{CONFIGURATIONS}/{name}")
        assert (answer.status, answer.content) == (204, b"")
        assert configuration(legacy, name) == configuration(greenfield, name)


def test_scenario_15_number_matching_is_no_longer_written(legacy: Client) -> None:
    settings = {"numberMatchingRequiredState": {"state": "enabled"}}
    for version in ("v1.0", "beta"):
        assert configure(legacy, "MicrosoftAuthenticator", version, featureSettings=settings).status == 400


def test_scenario_16_v1_leaves_out_what_only_beta_has(legacy: Client) -> None:
    stable, beta = legacy.get(f"/v1.0{METHODS}").body, legacy.get(f"/beta{METHODS}").body
    assert set(beta) - set(stable) == {
        "systemCredentialPreferences",
        "reportSuspiciousActivitySettings",
        "optOutSettings",
    }
    campaigns = [policy["registrationEnforcement"][CAMPAIGN] for policy in (stable, beta)]
    assert set(campaigns[1]) - set(campaigns[0]) == {"enforceRegistrationAfterAllowedSnoozes"}

    def ids(policy: dict[str, Any]) -> set[str]:
        return {item["id"] for item in policy["authenticationMethodConfigurations"]}

    assert ids(beta) - ids(stable) == {"HardwareOath"}
    assert legacy.get(f"/v1.0{CONFIGURATIONS}/HardwareOath").status == 404
    assert legacy.get(f"/beta{CONFIGURATIONS}/HardwareOath").status == 200


@under("methods_policy_size_refusal")
def test_scenario_17_the_policy_has_a_largest_size(legacy: Client, methods_policy_size_refusal: str) -> None:
    assume(legacy, methods_policy_size_refusal=methods_policy_size_refusal)
    before = configuration(legacy, "Sms")

    def write(groups: int) -> Answer:
        targets = [{"targetType": "group", "id": f"00000000-0000-4000-8000-{n:012}"} for n in range(groups)]
        return configure(legacy, "Sms", includeTargets=targets)

    answer = write(200)
    assert answer.status == int(methods_policy_size_refusal)
    assert "20 KB" in answer.message
    assert configuration(legacy, "Sms") == before
    assert write(20).status == 204


@under("user_as_method_target")
def test_scenario_18_targets_are_groups_and_users(legacy: Client, user_as_method_target: str) -> None:
    (everyone,) = configuration(legacy, "Sms")["includeTargets"]
    assert (everyone["id"], everyone["targetType"]) == ("all_users", "group")
    assume(legacy, user_as_method_target=user_as_method_target)
    user = {"targetType": "user", "id": NOBODY, "isRegistrationRequired": False}
    accepted = user_as_method_target == "accepted"
    assert configure(legacy, "Sms", includeTargets=[everyone, user]).status == (204 if accepted else 400)
    assert (user in configuration(legacy, "Sms")["includeTargets"]) is accepted


@under("incomplete_campaign")
@under("snooze_refusal")
def test_scenario_19_a_campaign_is_whole_and_in_range(
    legacy: Client, snooze_refusal: str, incomplete_campaign: str
) -> None:
    assume(legacy, snooze_refusal=snooze_refusal, incomplete_campaign=incomplete_campaign)
    whole = {"snoozeDurationInDays": 3, "state": "enabled", "excludeTargets": [], "includeTargets": []}

    def write(**campaign: Any) -> int:
        return legacy.call("PATCH", f"/v1.0{METHODS}", {"registrationEnforcement": {CAMPAIGN: campaign}}).status

    def shown() -> Any:
        return legacy.get(f"/v1.0{METHODS}").body["registrationEnforcement"][CAMPAIGN]

    for days in (0, 14, 3):
        assert write(**{**whole, "snoozeDurationInDays": days}) == 204
        assert shown()["snoozeDurationInDays"] == days
    clamped = snooze_refusal == "clamped"
    for days, nearest in ((-1, 0), (15, 14)):
        assert write(**{**whole, "snoozeDurationInDays": days}) == (204 if clamped else 400)
        assert shown()["snoozeDurationInDays"] == (nearest if clamped else 3)
    before = shown()
    merged = incomplete_campaign == "merged"
    assert write(state="disabled") == (204 if merged else 400)
    assert shown() == ({**before, "state": "disabled"} if merged else before)
    for wrong in ({"includeTargets": None}, {"state": "maybe"}, {"snoozeDurationInDays": "3"}):
        assert write(**{**whole, **wrong}) == 400


@under("email_method_refusal")
def test_scenario_20_email_stays_while_external_users_need_it(legacy: Client, email_method_refusal: str) -> None:
    assume(legacy, email_method_refusal=email_method_refusal)
    assert configure(legacy, "Email", allowExternalIdToUseEmailOtp="enabled").status == 204
    assert configure(legacy, "Email", state="disabled").status == int(email_method_refusal)
    assert configuration(legacy, "Email")["state"] == "enabled"
    assert configure(legacy, "Email", state="disabled", allowExternalIdToUseEmailOtp="default").status == 204


@under("beta_setting_in_v1")
def test_scenario_21_the_opt_out_of_passkeys_is_written_in_beta(legacy: Client, beta_setting_in_v1: str) -> None:
    assume(legacy, beta_setting_in_v1=beta_setting_in_v1)
    body = {"optOutSettings": {"passkeyDynamicMigration": True}}

    def shown() -> Any:
        return legacy.get(f"/beta{METHODS}").body["optOutSettings"]

    with without_contract(legacy):
        written = legacy.call("PATCH", f"/v1.0{METHODS}", body)
    assert written.status == (204 if beta_setting_in_v1 == "ignored" else 400)
    assert shown() == {"passkeyDynamicMigration": False}
    answer = legacy.call("PATCH", f"/beta{METHODS}", body)
    assert (answer.status, answer.content) == (204, b"")
    assert shown() == body["optOutSettings"]
