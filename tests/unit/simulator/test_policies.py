# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Security defaults, Conditional Access and the authentication methods policy."""

from __future__ import annotations

import json
from typing import Any

import pytest

DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
ACCESS = "/v1.0/identity/conditionalAccess/policies"
METHODS = "/policies/authenticationMethodsPolicy"
CONFIGURATIONS = f"{METHODS}/authenticationMethodConfigurations"

MFA_FOR_ALL: dict[str, Any] = {
    "displayName": "MFA for all",
    "state": "enabledForReportingButNotEnforced",
    "conditions": {
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeUsers": ["All"]},
    },
    "grantControls": {"operator": "AND", "builtInControls": ["mfa"]},
}


def set_defaults(client: Any, enabled: bool) -> Any:
    return client.call("PATCH", f"/v1.0{DEFAULTS}", {"isEnabled": enabled})


def is_enabled(client: Any) -> bool:
    return bool(client.get(f"/v1.0{DEFAULTS}").body["isEnabled"])


def write_policy(client: Any, **changes: Any) -> Any:
    return client.call("POST", ACCESS, {**MFA_FOR_ALL, **changes})


def test_security_defaults_are_set_and_set_again(greenfield: Any) -> None:
    for wanted in (True, True, False):
        answer = set_defaults(greenfield, wanted)
        assert (answer.status, answer.content) == (204, b"")
        assert is_enabled(greenfield) is wanted


def test_only_beta_announces_automatic_enabling(legacy: Any) -> None:
    assert "securityDefaultsUpsell" not in legacy.get(f"/v1.0{DEFAULTS}").body
    upsell = legacy.get(f"/beta{DEFAULTS}").body["securityDefaultsUpsell"]
    assert upsell["action"] == "autoEnabledNotify"
    assert upsell["dueDateTime"].endswith("Z")


@pytest.mark.parametrize("body", [{"isEnabled": "yes"}, {"isenabled": True}, {"colour": 1}, [], "x"])
def test_bad_bodies_change_nothing(greenfield: Any, body: Any) -> None:
    answer = greenfield.call("PATCH", f"/v1.0{DEFAULTS}", body)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert not is_enabled(greenfield)


def test_enabled_policies_keep_security_defaults_off(business: Any) -> None:
    answer = set_defaults(business, True)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert "Conditional Access" in answer.message
    assert not is_enabled(business)


@pytest.mark.parametrize(
    ("blocked_by", "answered", "status", "enabled"),
    [
        ("enabled", "403", 403, False),
        ("enabled", "ignored", 204, False),
        ("nothing", "400", 204, True),
        ("any", "400", 400, False),
    ],
)
def test_what_blocks_is_an_assumption(
    business: Any, blocked_by: str, answered: str, status: int, enabled: bool
) -> None:
    business.admin(
        "POST",
        "/assumptions",
        {"security_defaults_blocked_by": blocked_by, "security_defaults_blocked_answer": answered},
    )
    assert set_defaults(business, True).status == status
    assert is_enabled(business) is enabled


def test_report_only_policies_block_only_if_assumed(business: Any) -> None:
    for policy in business.get(ACCESS).value:
        if policy["state"] == "enabled":
            assert business.call("PATCH", f"{ACCESS}/{policy['id']}", {"state": "disabled"}).status == 204
    business.admin("POST", "/assumptions", {"security_defaults_blocked_by": "any"})
    assert set_defaults(business, True).status == 400
    business.admin("POST", "/assumptions", {"security_defaults_blocked_by": "enabled"})
    assert set_defaults(business, True).status == 204


def test_security_defaults_keep_policies_from_being_enabled(business: Any) -> None:
    business.admin("POST", "/assumptions", {"security_defaults_blocked_by": "nothing"})
    set_defaults(business, True)
    sentence = (
        "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a "
        "Conditional Access policy."
    )
    refused = write_policy(business, state="enabled")
    assert (refused.status, refused.code, refused.message) == (400, "BadRequest", sentence)
    for state in ("enabledForReportingButNotEnforced", "disabled"):
        made = write_policy(business, state=state)
        assert made.status == 201
    patched = business.call("PATCH", f"{ACCESS}/{made.body['id']}", {"state": "enabled"})
    assert patched.message == sentence


def test_free_tenants_write_no_policies_in_any_state(greenfield: Any) -> None:
    for state in ("enabled", "disabled", "enabledForReportingButNotEnforced"):
        answer = write_policy(greenfield, state=state)
        assert (answer.status, answer.code) == (403, "AccessDenied")
        assert "not licensed" in answer.message
    assert greenfield.get(ACCESS).value == []
    greenfield.admin("POST", "/assumptions", {"conditional_access_read_on_free": "403"})
    assert greenfield.get(ACCESS).status == 403


def test_policies_are_read_back_as_the_service_shows_them(business: Any) -> None:
    flows = {"transferMethods": "deviceCodeFlow,authenticationTransfer"}
    made = write_policy(
        business,
        conditions={**MFA_FOR_ALL["conditions"], "authenticationFlows": flows, "platforms": {}},
        grantControls={"operator": "AND", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}},
        sessionControls={"signInFrequency": None, "cloudAppSecurity": {"isEnabled": False}},
    ).body
    assert made["grantControls"]["operator"] == "OR"
    assert made["grantControls"]["authenticationStrength"]["displayName"] == "Phishing-resistant MFA"
    assert made["conditions"]["authenticationFlows"]["transferMethods"] == "authenticationTransfer,deviceCodeFlow"
    assert made["conditions"]["platforms"] is None
    assert made["conditions"]["users"]["excludeUsers"] == []
    assert made["sessionControls"] is None
    assert made["modifiedDateTime"] is None
    address = f"{ACCESS}/{made['id']}"
    assert business.call("PATCH", address, {"displayName": "Renamed"}).status == 204
    shown = business.get(address).body
    assert shown["displayName"] == "Renamed"
    assert shown["modifiedDateTime"] is not None
    assert shown["grantControls"] == made["grantControls"]
    assert business.call("DELETE", address).status == 204
    assert business.get(address).status == 404


def test_two_controls_keep_their_and(business: Any) -> None:
    made = write_policy(business, grantControls={"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]})
    assert made.body["grantControls"]["operator"] == "AND"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "on"},
        {"displayName": None},
        {"conditions": None},
        {"colour": "red"},
        {"conditions": {**MFA_FOR_ALL["conditions"], "colour": {}}},
        {"conditions": {**MFA_FOR_ALL["conditions"], "clientAppTypes": ["telnet"]}},
        {"conditions": {**MFA_FOR_ALL["conditions"], "clientAppTypes": []}},
        {"grantControls": {"operator": "OR", "builtInControls": ["handshake"]}},
        {"grantControls": None},
    ],
)
def test_policies_that_do_not_fit_the_schema(business: Any, changes: dict[str, Any]) -> None:
    answer = write_policy(business, **changes)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert answer.message.startswith("1007: ")


def test_risk_needs_p2_and_locations_must_be_there(business: Any) -> None:
    conditions = MFA_FOR_ALL["conditions"]
    assert write_policy(business, conditions={**conditions, "userRiskLevels": ["high"]}).message.startswith("1039: ")
    nowhere = {"includeLocations": ["11111111-2222-4333-8444-555555555555"]}
    assert write_policy(business, conditions={**conditions, "locations": nowhere}).message.startswith("1040: ")
    locations = business.get("/v1.0/identity/conditionalAccess/namedLocations").value
    somewhere = {"includeLocations": ["All"], "excludeLocations": [locations[0]["id"]]}
    assert write_policy(business, conditions={**conditions, "locations": somewhere}).status == 201


def test_policies_can_be_filtered_and_limited(business: Any) -> None:
    enabled = business.get(f"{ACCESS}?$filter=state eq 'enabled'&$select=id,state").value
    assert [set(policy) for policy in enabled] == [{"id", "state"}] * 3
    assert len(business.get(f"{ACCESS}?$top=2").value) == 2
    assert business.get(f"{ACCESS}?$count=true").body["@odata.count"] == 5


def test_v1_leaves_out_what_only_beta_has(legacy: Any) -> None:
    stable, beta = legacy.get(f"/v1.0{METHODS}").body, legacy.get(f"/beta{METHODS}").body
    extra = {"systemCredentialPreferences", "reportSuspiciousActivitySettings", "optOutSettings"}
    assert set(beta) - set(stable) == extra
    campaign = "authenticationMethodsRegistrationCampaign"
    member = "enforceRegistrationAfterAllowedSnoozes"
    assert member not in stable["registrationEnforcement"][campaign]
    assert member in beta["registrationEnforcement"][campaign]

    def ids(policy: dict[str, Any]) -> set[str]:
        return {item["id"] for item in policy["authenticationMethodConfigurations"]}

    assert ids(beta) - ids(stable) == {"HardwareOath"}
    assert legacy.get(f"/v1.0{CONFIGURATIONS}/HardwareOath").status == 404
    assert legacy.get(f"/beta{CONFIGURATIONS}/HardwareOath").status == 200


def migrate(client: Any, state: str) -> Any:
    return client.call("PATCH", f"/v1.0{METHODS}", {"policyMigrationState": state})


def migration(client: Any) -> Any:
    return client.get(f"/v1.0{METHODS}").body["policyMigrationState"]


def test_migration_from_the_beginning_may_go_anywhere(legacy: Any) -> None:
    for state in ("migrationInProgress", "migrationComplete", "preMigration", "migrationComplete"):
        assert migrate(legacy, state).status == 204
        assert migration(legacy) == state


def test_migration_that_began_in_progress_never_goes_back(business: Any) -> None:
    assert migrate(business, "migrationComplete").status == 204
    assert migrate(business, "migrationInProgress").status == 204
    assert migrate(business, "preMigration").status == 400
    assert migration(business) == "migrationInProgress"


def test_a_new_tenant_keeps_null(greenfield: Any) -> None:
    assert migrate(greenfield, "migrationComplete").status == 204
    assert migration(greenfield) is None
    assert migrate(greenfield, "finished").status == 400


def configure(client: Any, name: str, type_name: str | None, version: str = "v1.0", **changes: Any) -> Any:
    body = dict(changes)
    if type_name is not None:
        body["@odata.type"] = f"#microsoft.graph.{type_name}AuthenticationMethodConfiguration"
    return client.call("PATCH", f"/{version}{CONFIGURATIONS}/{name}", body)


def read_configuration(client: Any, name: str, version: str = "v1.0") -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/{version}{CONFIGURATIONS}/{name}").body
    return found


def test_a_configuration_is_changed_and_reset(legacy: Any) -> None:
    targets = [{"targetType": "group", "id": "all_users", "isUsableForSignIn": False}]
    assert configure(legacy, "sms", "sms", state="disabled", includeTargets=targets).status == 204
    found = read_configuration(legacy, "Sms")
    assert found["state"] == "disabled"
    assert found["includeTargets"] == [{"isRegistrationRequired": False, **targets[0]}]
    assert legacy.call("DELETE", f"/v1.0{CONFIGURATIONS}/Voice").status == 204
    voice = read_configuration(legacy, "Voice")
    assert (voice["state"], voice["isOfficePhoneAllowed"]) == ("disabled", False)


def test_the_type_must_be_named(legacy: Any) -> None:
    assert "abstract class" in configure(legacy, "Sms", None, state="disabled").message
    assert "could not be resolved" in configure(legacy, "Sms", "voice", state="disabled").message
    assert read_configuration(legacy, "Sms")["state"] == "enabled"


@pytest.mark.parametrize(
    ("name", "type_name", "changes"),
    [
        ("Sms", "sms", {"state": "on"}),
        ("Sms", "sms", {"colour": "red"}),
        ("Sms", "sms", {"includeTargets": [{"id": "all_users"}]}),
        ("Sms", "sms", {"includeTargets": {}}),
        ("Voice", "voice", {"callerIdNumber": "+31"}),
        ("TemporaryAccessPass", "temporaryAccessPass", {"defaultLength": 7}),
        ("TemporaryAccessPass", "temporaryAccessPass", {"maximumLifetimeInMinutes": 30}),
        (
            "MicrosoftAuthenticator",
            "microsoftAuthenticator",
            {"featureSettings": {"numberMatchingRequiredState": {"state": "enabled"}}},
        ),
    ],
)
def test_configurations_that_are_refused(legacy: Any, name: str, type_name: str, changes: dict[str, Any]) -> None:
    before = read_configuration(legacy, name)
    assert configure(legacy, name, type_name, **changes).status == 400
    assert read_configuration(legacy, name) == before


def test_email_stays_while_external_users_need_it(legacy: Any) -> None:
    assert configure(legacy, "Email", "email", allowExternalIdToUseEmailOtp="enabled").status == 204
    assert configure(legacy, "Email", "email", state="disabled").status == 400
    assert configure(legacy, "Email", "email", state="disabled", allowExternalIdToUseEmailOtp="default").status == 204


def test_the_policy_has_a_largest_size(legacy: Any) -> None:
    targets = [{"targetType": "group", "id": f"00000000-0000-4000-8000-{number:012}"} for number in range(200)]
    answer = configure(legacy, "Sms", "sms", includeTargets=targets)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert "20 KB" in answer.message


def campaign_body(**changes: Any) -> dict[str, Any]:
    campaign = {"snoozeDurationInDays": 3, "state": "enabled", "excludeTargets": [], "includeTargets": [], **changes}
    return {"registrationEnforcement": {"authenticationMethodsRegistrationCampaign": campaign}}


def test_registration_campaign(legacy: Any) -> None:
    assert legacy.call("PATCH", f"/v1.0{METHODS}", campaign_body()).status == 204
    shown = legacy.get(f"/v1.0{METHODS}").body["registrationEnforcement"]["authenticationMethodsRegistrationCampaign"]
    assert (shown["state"], shown["snoozeDurationInDays"]) == ("enabled", 3)
    for changes in ({"snoozeDurationInDays": 15}, {"state": "maybe"}, {"includeTargets": None}):
        assert legacy.call("PATCH", f"/v1.0{METHODS}", campaign_body(**changes)).status == 400


def test_beta_settings_are_written_in_beta_only(legacy: Any) -> None:
    body = {"optOutSettings": {"passkeyDynamicMigration": True}}
    assert legacy.call("PATCH", f"/v1.0{METHODS}", body).status == 400
    assert legacy.call("PATCH", f"/beta{METHODS}", body).status == 204
    assert legacy.get(f"/beta{METHODS}").body["optOutSettings"] == {"passkeyDynamicMigration": True}


@pytest.mark.parametrize(("assumed", "status"), [("200", 200), ("403", 403), ("404", 404)])
def test_the_undocumented_service_policy_may_be_absent(legacy: Any, assumed: str, status: int) -> None:
    legacy.admin("POST", "/assumptions", {"mfa_service_policy": assumed})
    assert legacy.get("/beta/policies/mfaServicePolicy").status == status


def test_service_policy_is_written_in_part(legacy: Any) -> None:
    path = "/beta/policies/mfaServicePolicy"
    assert legacy.call("PATCH", path, {"rememberMfaOnTrustedDevice": {"isEnabled": False}}).status == 204
    shown = legacy.get(path).body
    assert shown["rememberMfaOnTrustedDevice"] == {"isEnabled": False, "allowedNumberOfDays": 90}
    assert legacy.call("PATCH", path, {"rememberMfaOnTrustedDevice": {"allowedNumberOfDays": 400}}).status == 400


def test_authorization_policy_in_both_shapes(greenfield: Any) -> None:
    stable, beta = "/v1.0/policies/authorizationPolicy", "/beta/policies/authorizationPolicy/authorizationPolicy"
    body = {"defaultUserRolePermissions": {"allowedToCreateApps": False}}
    assert greenfield.call("PATCH", stable, body).status == 204
    shown = greenfield.get(stable).body["defaultUserRolePermissions"]
    assert (shown["allowedToCreateApps"], shown["allowedToCreateTenants"]) == (False, True)
    assert greenfield.call("PATCH", beta, {"permissionGrantPolicyIdsAssignedToDefaultUserRole": []}).status == 204
    assert greenfield.get(stable).body["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"] == []
    assert len(greenfield.get("/beta/policies/authorizationPolicy").value) == 1


def test_changes_stand_in_the_audit_log_of_a_free_tenant(greenfield: Any) -> None:
    assert greenfield.get("/v1.0/auditLogs/directoryAudits").value == []
    set_defaults(greenfield, True)
    set_defaults(greenfield, True)
    entries = greenfield.get("/v1.0/auditLogs/directoryAudits").value
    assert [entry["activityDisplayName"] for entry in entries] == ["Enable security defaults"]
    assert entries[0]["initiatedBy"]["app"]["servicePrincipalId"] == greenfield.tenant.application.object_id


def test_answers_are_json_that_says_so(greenfield: Any) -> None:
    answer = greenfield.get(f"/v1.0{DEFAULTS}")
    assert answer.headers["content-type"].startswith("application/json;odata.metadata=minimal")
    assert json.loads(answer.content)["@odata.context"].startswith("https://localhost:8443/v1.0/$metadata#policies")
