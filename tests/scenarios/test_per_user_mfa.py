# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios 22 to 26: per-user MFA and the service settings of before."""

from __future__ import annotations

from typing import Any

from ansible_collections.zerotrust.m365.tests.scenarios.asking import USERS, assume, refused, under, user_named
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Client

SERVICE_POLICY = "/beta/policies/mfaServicePolicy"
NOT_SUPPORTED = "Request_UnsupportedQuery"


def requirements(user: str, version: str = "beta") -> str:
    return f"/{version}/users/{user}/authentication/requirements"


def state(client: Client, user: str) -> str:
    return str(client.get(requirements(user)).body["perUserMfaState"])


@under("unknown_segment")
def test_scenario_22_the_state_is_read_and_written_in_beta(legacy: Client, unknown_segment: str) -> None:
    assume(legacy, unknown_segment=unknown_segment)
    user = user_named(legacy, "Yara Kaya")
    for wanted in ("disabled", "disabled", "enforced", "enabled"):
        answer = legacy.call("PATCH", requirements(user), {"perUserMfaState": wanted})
        assert (answer.status, answer.content) == (204, b"")
        assert state(legacy, user) == wanted
    code = {"400": "BadRequest", "404": "ResourceNotFound"}[unknown_segment]
    for method, body in (("GET", None), ("PATCH", {"perUserMfaState": "disabled"})):
        answer = legacy.call(method, requirements(user, "v1.0"), body)
        message = refused(answer, int(unknown_segment), code)
        assert message == "Resource not found for the segment 'requirements'."
    for wrong in ({"perUserMfaState": "unknownFutureValue"}, {"state": "disabled"}, {}):
        assert legacy.call("PATCH", requirements(user), wrong).status == 400
    assert state(legacy, user) == "enabled"


@under("user_mfa_state_filter")
@under("user_mfa_state_in_list")
def test_scenario_23_the_list_of_users_tells_the_state(
    legacy: Client, user_mfa_state_in_list: str, user_mfa_state_filter: str
) -> None:
    assume(legacy, user_mfa_state_in_list=user_mfa_state_in_list, user_mfa_state_filter=user_mfa_state_filter)
    assert all("perUserMfaState" not in user for user in legacy.get(f"{USERS}?$top=999").value)
    selected = legacy.get(f"{USERS}?$select=id,userPrincipalName,perUserMfaState&$top=999")
    filtered = legacy.get(f"{USERS}?$filter=perUserMfaState eq 'enforced'&$select=id")
    if user_mfa_state_in_list == "absent":
        assert (selected.status, filtered.status) == (400, 400)
        return
    states = {user["id"]: user["perUserMfaState"] for user in selected.value}
    assert set(states.values()) == {"disabled", "enabled", "enforced"}
    some = user_named(legacy, "Yara Kaya")
    assert states[some] == state(legacy, some)
    if user_mfa_state_filter == "works":
        assert {user["id"] for user in filtered.value} == {id for id, one in states.items() if one == "enforced"}
    else:
        refused(filtered, 400, NOT_SUPPORTED)


def test_scenario_24_registering_makes_enabled_enforced(legacy: Client) -> None:
    user = user_named(legacy, "Yara Kaya")

    def register(*methods: str) -> Any:
        return legacy.admin("POST", f"/users/{user}/register", {"methods": list(methods)})

    legacy.call("PATCH", requirements(user), {"perUserMfaState": "enabled"})
    methods = f"{USERS}/{user}/authentication/methods"
    before = len(legacy.get(methods).value)
    assert register("email").body["perUserMfaState"] == "enabled", "email resets passwords; it is no second factor"
    assert register("microsoftAuthenticatorPush", "email").body["perUserMfaState"] == "enforced"
    assert state(legacy, user) == "enforced"
    assert len(legacy.get(methods).value) == before + 2
    legacy.call("PATCH", requirements(user), {"perUserMfaState": "disabled"})
    register("softwareOneTimePasscode")
    assert state(legacy, user) == "disabled"
    assert register("carrierPigeon").status == 400
    for path, body in (("nobody", {"methods": []}), (user, {}), (user, {"methods": "email"})):
        assert legacy.admin("POST", f"/users/{path}/register", body).status == 400


@under("methods_of_missing_user")
def test_scenario_25_the_authentication_of_a_missing_user(legacy: Client, methods_of_missing_user: str) -> None:
    assume(legacy, methods_of_missing_user=methods_of_missing_user, sensitive_actions_by_applications="allowed")
    user = user_named(legacy, "Yara Kaya")
    assert legacy.call("DELETE", f"{USERS}/{user}").status == 204
    code = {"404": "Request_ResourceNotFound", "403": "accessDenied"}[methods_of_missing_user]
    for path in (requirements(user), f"{USERS}/{user}/authentication/methods"):
        refused(legacy.get(path), int(methods_of_missing_user), code)
    refused(legacy.get(f"{USERS}/{user}"), 404, "Request_ResourceNotFound")
    other = user_named(legacy, "Ada Jansen")
    items = [{"id": id, "method": "GET", "url": f"/users/{id}/authentication/requirements"} for id in (user, other)]
    answers = legacy.call("POST", "/beta/$batch", {"requests": items}).body["responses"]
    assert {item["id"]: item["status"] for item in answers} == {user: int(methods_of_missing_user), other: 200}


@under("mfa_service_policy")
def test_scenario_26_the_service_settings_have_an_address(legacy: Client, mfa_service_policy: str) -> None:
    assume(legacy, mfa_service_policy=mfa_service_policy)
    answer = legacy.get(SERVICE_POLICY)
    assert answer.status == int(mfa_service_policy)
    if answer.status == 200:
        assert {"allowAppPasswords", "trustedIps", "rememberMfaOnTrustedDevice"} <= set(answer.body)
        legacy.grant("Policy.Read.All")
        assert legacy.get(SERVICE_POLICY).status == 200
        legacy.grant("Policy.ReadWrite.AuthenticationMethod")
        assert legacy.get(SERVICE_POLICY).status == 403
    assert legacy.get("/v1.0/policies/mfaServicePolicy").status == 400
