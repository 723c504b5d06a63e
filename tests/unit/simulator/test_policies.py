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


def set_defaults(client: Any, enabled: bool) -> Any:
    return client.call("PATCH", f"/v1.0{DEFAULTS}", {"isEnabled": enabled})


def is_enabled(client: Any) -> bool:
    return bool(client.get(f"/v1.0{DEFAULTS}").body["isEnabled"])


@pytest.mark.parametrize("body", [{"isEnabled": "yes"}, {"isenabled": True}, {"colour": 1}, [], "x"])
def test_bad_bodies_change_nothing(greenfield: Any, body: Any) -> None:
    answer = greenfield.call("PATCH", f"/v1.0{DEFAULTS}", body)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert not is_enabled(greenfield)


def test_policies_can_be_filtered_and_limited(business: Any) -> None:
    enabled = business.get(f"{ACCESS}?$filter=state eq 'enabled'&$select=id,state").value
    assert [set(policy) for policy in enabled] == [{"id", "state"}] * 3
    assert len(business.get(f"{ACCESS}?$top=2").value) == 2
    assert business.get(f"{ACCESS}?$count=true").body["@odata.count"] == 5


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


EXTERNAL = {
    "@odata.type": "#microsoft.graph.externalAuthenticationMethodConfiguration",
    "displayName": "Signer",
    "appId": "11111111-2222-3333-4444-555555555555",
    "openIdConnectSetting": {"clientId": "here", "discoveryUrl": "https://login.example/openid"},
}


def test_an_external_method_has_no_default_to_go_back_to(greenfield: Any) -> None:
    made = greenfield.call("POST", f"/v1.0{CONFIGURATIONS}", EXTERNAL)
    assert (made.status, made.body["state"], made.body["displayName"]) == (201, "disabled", "Signer")
    path = f"/v1.0{CONFIGURATIONS}/{made.body['id']}"
    enabled = {"@odata.type": EXTERNAL["@odata.type"], "state": "enabled"}
    assert greenfield.call("PATCH", path, enabled).status == 204
    assert greenfield.get(path).body["state"] == "enabled"
    assert greenfield.call("DELETE", path).status == 204
    assert greenfield.get(path).status == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration"},
        {"@odata.type": None},
        {"appId": ""},
        {"openIdConnectSetting": None},
        {"colour": "red"},
        {"state": "on"},
    ],
)
def test_external_methods_that_are_refused(greenfield: Any, changes: dict[str, Any]) -> None:
    before = greenfield.get(f"/v1.0{CONFIGURATIONS}").value
    assert greenfield.call("POST", f"/v1.0{CONFIGURATIONS}", {**EXTERNAL, **changes}).status == 400
    assert greenfield.get(f"/v1.0{CONFIGURATIONS}").value == before


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
