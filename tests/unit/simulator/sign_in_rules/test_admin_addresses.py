# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""POST /_admin/sign_in and GET /_admin/protection."""

from __future__ import annotations

import json
from typing import Any

import pytest

from m365_simulator.sign_in_rules.attempt import METHODS, Attempt


@pytest.fixture(scope="module")
def legacy_client(simulations: Any, client_of: Any) -> Any:
    simulation = simulations("legacy")
    simulation.reset()
    return client_of(simulation)


def user_named(client: Any, name: str) -> dict[str, Any]:
    users: list[dict[str, Any]] = client.admin("GET", "/state").body["objects"]["user"]
    return next(user for user in users if user["displayName"] == name)


def test_an_answer(legacy_client: Any) -> None:
    user = user_named(legacy_client, "Ada Jansen")
    attempt = {"user_id": user["id"], "application": "Office365", "outside_named_locations": True, "remembered": False}
    answer = legacy_client.admin("POST", "/sign_in", attempt)
    assert answer.status == 200
    assert answer.body == {"sign_in": "yes_after_mfa", "mfa": "always", "reasons": ["Per-user MFA is enforced."]}
    by_name = legacy_client.admin("POST", "/sign_in", {**attempt, "user_id": user["userPrincipalName"]})
    assert by_name.body == answer.body
    tenant = legacy_client.tenant.id
    assert legacy_client.admin("POST", f"/sign_in?tenant={tenant}", attempt).body == answer.body
    legacy = {**attempt, "client_app": "other", "methods": ["password"]}
    assert legacy_client.admin("POST", "/sign_in", legacy).body["sign_in"] == "no"


def test_nobody_signs_in_by_it(legacy_client: Any) -> None:
    before = legacy_client.admin("GET", "/state").body
    user = before["objects"]["user"][0]["id"]
    legacy_client.admin("POST", "/sign_in", {"user_id": user, "application": "Office365"})
    legacy_client.admin("GET", "/protection")
    assert legacy_client.admin("GET", "/state").body == before


def test_it_follows_the_state(simulate: Any) -> None:
    client = simulate("greenfield")
    user = user_named(client, "Noor Visser")["id"]
    attempt = {"user_id": user, "application": "Office365"}
    assert client.admin("POST", "/sign_in", attempt).body["mfa"] == "never"
    path = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
    assert client.call("PATCH", path, {"isEnabled": True}).status == 204
    assert client.admin("POST", "/sign_in", attempt).body["mfa"] == "always"
    assert client.admin("GET", f"/protection?user={user}").body["mfa"] == "always"
    client.admin("POST", "/assumptions", {"security_defaults_accept_passkeys": "no"})
    assert client.admin("GET", f"/protection?user={user}").body["way_in"] == "yes"


def test_the_protection_of_one_and_of_all(legacy_client: Any) -> None:
    everybody = legacy_client.admin("GET", "/protection").body
    assert len(everybody) == 40
    for item in everybody[:5]:
        one = legacy_client.admin("GET", f"/protection?user={item['user_id']}").body
        assert {"user_id": item["user_id"], **one} == item
        assert set(one) == {"mfa", "modern_mfa", "way_in", "administrator", "reasons"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "An attempt needs user_id."),
        ({"user_id": "a"}, "An attempt needs application."),
        ({"user_id": "a", "application": 7}, "application must be a text."),
        (
            {"user_id": "a", "application": "b", "client_app": "gopher"},
            "client_app cannot be 'gopher'; choose from browser, mobileAppsAndDesktopClients, exchangeActiveSync,",
        ),
        ({"user_id": "a", "application": "b", "familiar": "yes"}, "familiar must be true, false or null."),
        ({"user_id": "a", "application": "b", "outside_named_locations": 1}, "outside_named_locations must be true,"),
        ({"user_id": "a", "application": "b", "ip_address": "here"}, "ip_address cannot be 'here': that is no IP"),
        ({"user_id": "a", "application": "b", "methods": "password"}, f"methods must be a list of any of {METHODS[0]}"),
        ({"user_id": "a", "application": "b", "methods": [["x"]]}, "methods must be a list of any of"),
        ({"user_id": "a", "application": "b", "sign_in_risk": "much"}, "sign_in_risk cannot be 'much'; choose from"),
        ({"user_id": "a", "application": "b", "mood": 1, "hat": 2}, "An attempt has no hat, mood; it has user_id,"),
        (["a"], "The body must be a JSON object."),
    ],
)
def test_bad_input(legacy_client: Any, body: Any, error: str) -> None:
    answer = legacy_client.send("POST", "/_admin/sign_in", content=json.dumps(body).encode())
    assert answer.status == 400
    assert answer.body["error"].startswith(error)
    assert answer.body["error"].endswith(".")


def test_unknown_users_and_tenants(legacy_client: Any) -> None:
    assert legacy_client.admin("GET", "/protection?user=nobody").body == {"error": "There is no user nobody."}
    assert legacy_client.admin("GET", "/protection?tenant=none").body == {"error": "There is no tenant none."}
    attempt = {"user_id": "nobody", "application": "Office365"}
    answer = legacy_client.admin("POST", "/sign_in", attempt)
    assert answer.body == {"sign_in": "no", "mfa": "unknown", "reasons": ["There is no such user."]}


def test_null_is_as_good_as_nothing(legacy_client: Any) -> None:
    attempt = {"user_id": "nobody", "application": "Office365"}
    full = dict.fromkeys(Attempt.__dataclass_fields__) | attempt
    assert legacy_client.admin("POST", "/sign_in", full).status == 200


CONFIGURATIONS = "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
FIDO2 = {"@odata.type": "#microsoft.graph.fido2AuthenticationMethodConfiguration"}
POLICY = {
    "displayName": "Odd",
    "state": "enabled",
    "conditions": {
        "clientAppTypes": ["all"],
        "users": {"includeUsers": ["All", 1, None], "includeRoles": [None], "excludeGroups": [2.5]},
        "applications": {"includeApplications": [None, 3, "All"]},
        "platforms": {"includePlatforms": [None], "excludePlatforms": []},
        "locations": {"includeLocations": ["All"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}
ODD_WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v1.0/identity/conditionalAccess/policies", POLICY),
    ("PATCH", "/beta/policies/mfaServicePolicy", {"trustedIps": {"ipRanges": ["not a range", "0.0.0.0/99"]}}),
    ("PATCH", "/beta/policies/mfaServicePolicy", {"trustedIps": {}, "rememberMfaOnTrustedDevice": {}}),
    ("PATCH", f"{CONFIGURATIONS}/Fido2", {**FIDO2, "includeTargets": [{"targetType": "group"}], "state": "enabled"}),
    ("PATCH", f"{CONFIGURATIONS}/Fido2", {**FIDO2, "passkeyProfiles": [{"name": "nameless"}]}),
    ("PATCH", f"{CONFIGURATIONS}/Fido2", {**FIDO2, "keyRestrictions": {"isEnforced": True}}),
]


@pytest.mark.parametrize(("method", "path", "body"), ODD_WRITES)
def test_whatever_graph_accepts_can_be_judged(simulate: Any, method: str, path: str, body: dict[str, Any]) -> None:
    client = simulate("business")
    assert client.call(method, path, body).status in (200, 201, 204, 400)
    assert client.admin("GET", "/protection").status == 200
    user = client.admin("GET", "/protection").body[0]["user_id"]
    attempt = {"user_id": user, "application": "Office365", "ip_address": "192.0.2.1", "platform": "iOS"}
    assert client.admin("POST", "/sign_in", attempt).status == 200
