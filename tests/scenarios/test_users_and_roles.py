# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios 27 to 39: users, passwords, roles."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    ASSIGNMENTS,
    DELETED_USERS,
    GLOBAL_ADMINISTRATOR,
    GRAPH_URL,
    NOBODY,
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    UNITS,
    USER_ADMINISTRATOR,
    USERS,
    add_to_unit,
    advance,
    assignments_of,
    assume,
    configure,
    give_role,
    keys_of,
    new_unit,
    new_user,
    passes_of,
    refused,
    under,
    user_named,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Answer, Client
from ansible_collections.zerotrust.m365.tests.unit.simulator.software_authenticator import SoftwareAuthenticator
from m365_simulator.clock import from_stamp

TAKEN = "Another object with the same value for property userPrincipalName already exists."
WEAK = (
    "The specified password does not comply with password complexity requirements. Please provide a different password."
)
CONFLICT = "A conflicting object with one or more of the specified property values is present in the directory."
ALREADY_MEMBER = "One or more added object references already exist for the following modified properties: 'members'."
PRIVILEGES = "Insufficient privileges to complete the operation."
DAY = 86400


def test_scenario_27_a_principal_name_is_taken_once(greenfield: Client) -> None:
    assert new_user(greenfield).status == 201
    answer = new_user(greenfield, displayName="Another")
    assert refused(answer, 400, "Request_BadRequest") == TAKEN
    assert [detail["code"] for detail in answer.body["error"]["details"]] == ["ObjectConflict"]
    assert new_user(greenfield, userPrincipalName=f"NEW.ONE@{greenfield.tenant.initial_domain}").status == 400


@pytest.mark.parametrize("password", ["Short-1", "alllowercaseletters", "ALLUPPER12345678", "abcdefgh12345678", ""])
def test_scenario_28_weak_passwords_are_refused(greenfield: Client, password: str) -> None:
    answer = new_user(greenfield, passwordProfile={"password": password})
    assert refused(answer, 400, "Request_BadRequest") == WEAK
    user = new_user(greenfield).body["id"]
    changed = greenfield.call("PATCH", f"{USERS}/{user}", {"passwordProfile": {"password": password}})
    assert refused(changed, 400, "Request_BadRequest") == WEAK


@under("role_assigned_twice")
def test_scenario_31_a_role_is_assigned_once(greenfield: Client, role_assigned_twice: str) -> None:
    assume(greenfield, role_assigned_twice=role_assigned_twice)
    user = user_named(greenfield, "Omar Haddad")
    made = give_role(greenfield, user, GLOBAL_ADMINISTRATOR)
    assert made.status == 201
    code = {"400": "Request_BadRequest", "409": "Request_MultipleObjectsWithSameKeyValue"}[role_assigned_twice]
    assert refused(give_role(greenfield, user, GLOBAL_ADMINISTRATOR), int(role_assigned_twice), code) == CONFLICT
    holders = [item["principalId"] for item in assignments_of(greenfield, GLOBAL_ADMINISTRATOR)]
    assert holders.count(user) == 1


def test_scenario_32_a_member_is_added_once(business: Client) -> None:
    group = business.get("/v1.0/groups?$filter=displayName eq 'Service accounts'").value[0]["id"]
    reference = {"@odata.id": f"{GRAPH_URL}/v1.0/directoryObjects/{user_named(business, 'Emma Peeters')}"}
    assert business.call("POST", f"/v1.0/groups/{group}/members/$ref", reference).status == 204
    again = business.call("POST", f"/v1.0/groups/{group}/members/$ref", reference)
    assert refused(again, 400, "Request_BadRequest") == ALREADY_MEMBER


@under("last_global_administrator_refusal")
def test_scenario_33_the_last_global_administrator_stays(
    greenfield: Client, last_global_administrator_refusal: str
) -> None:
    assume(
        greenfield,
        last_global_administrator_refusal=last_global_administrator_refusal,
        sensitive_actions_by_applications="allowed",
    )
    first, last = (item["principalId"] for item in assignments_of(greenfield, GLOBAL_ADMINISTRATOR))
    assert greenfield.call("DELETE", f"{USERS}/{first}").status == 204
    (assignment,) = assignments_of(greenfield, GLOBAL_ADMINISTRATOR)
    for path in (f"{USERS}/{last}", f"{ASSIGNMENTS}/{assignment['id']}"):
        assert greenfield.call("DELETE", path).status == int(last_global_administrator_refusal)
    assert assignments_of(greenfield, GLOBAL_ADMINISTRATOR) == [assignment]
    assert greenfield.get(f"{USERS}/{last}").status == 200

    application = greenfield.tenant.application.object_id
    own = give_role(greenfield, application, GLOBAL_ADMINISTRATOR).body["id"]
    assert "self" in refused(greenfield.call("DELETE", f"{ASSIGNMENTS}/{own}"), 400, "Request_BadRequest")


@under("sensitive_actions_by_applications")
def test_scenario_34_administrators_are_out_of_reach_of_applications(
    greenfield: Client, sensitive_actions_by_applications: str
) -> None:
    assume(greenfield, sensitive_actions_by_applications=sensitive_actions_by_applications)
    administrator, person = user_named(greenfield, "Lena Fischer"), user_named(greenfield, "Omar Haddad")
    sensitive: list[dict[str, Any]] = [
        {"passwordProfile": {"password": "Correct-Horse-2"}},
        {"accountEnabled": False},
        {"otherMails": ["private@example.org"]},
        {"mobilePhone": "+31 600000000"},
    ]

    def try_all(user: str) -> list[Answer]:
        return [greenfield.call("PATCH", f"{USERS}/{user}", body) for body in sensitive]

    for answer in try_all(person):
        assert answer.status == 204
    allowed = sensitive_actions_by_applications == "allowed"
    for answer in try_all(administrator):
        if allowed:
            assert answer.status == 204
        else:
            assert refused(answer, 403, "Authorization_RequestDenied") == PRIVILEGES
    assert greenfield.call("PATCH", f"{USERS}/{administrator}", {"jobTitle": "Keeper"}).status == 204
    if not allowed:
        refused(greenfield.call("DELETE", f"{USERS}/{administrator}"), 403, "Authorization_RequestDenied")
        mixed = greenfield.call("PATCH", f"{USERS}/{administrator}", {"jobTitle": "Other", "accountEnabled": False})
        refused(mixed, 403, "Authorization_RequestDenied")
        shown = greenfield.get(f"{USERS}/{administrator}?$select=jobTitle,accountEnabled").body
        assert (shown["jobTitle"], shown["accountEnabled"]) == ("Keeper", True)
        give_role(greenfield, greenfield.tenant.application.object_id, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR)
        assert {answer.status for answer in try_all(administrator)} == {204}
    assert greenfield.call("DELETE", f"{USERS}/{administrator}").status == 204


def test_a_role_through_a_group_makes_an_administrator_too(business: Client) -> None:
    group = business.get("/v1.0/groups?$filter=displayName eq 'Excluded from Conditional Access'").value[0]["id"]
    person = new_user(business).body["id"]
    reference = {"@odata.id": f"{GRAPH_URL}/v1.0/directoryObjects/{person}"}
    assert business.call("POST", f"/v1.0/groups/{group}/members/$ref", reference).status == 204
    change = {"accountEnabled": False}
    assert business.call("PATCH", f"{USERS}/{person}", change).status == 204
    assert give_role(business, group, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR).status == 201
    assert business.call("PATCH", f"{USERS}/{person}", change).status == 403


@under("restricted_management_refusal")
def test_scenario_35_a_restricted_unit_shuts_out_permissions(
    business: Client, restricted_management_refusal: str
) -> None:
    assume(business, restricted_management_refusal=restricted_management_refusal)
    person = user_named(business, "Daan Mulder")
    unit = new_unit(business, isMemberManagementRestricted=True)
    assert add_to_unit(business, unit, person).status == 204
    shown = business.get(f"{USERS}/{person}?$select=id,isManagementRestricted").body
    assert shown["isManagementRestricted"] is True
    path = f"{USERS}/{person}"
    writes: list[tuple[str, str, Any]] = [
        ("PATCH", path, {"jobTitle": "Keeper"}),
        ("PATCH", path, {"usageLocation": "DE", "jobTitle": "Keeper"}),
        ("PATCH", path, {"passwordProfile": {"password": "Correct-Horse-2"}}),
        ("PATCH", f"/beta/users/{person}/authentication/requirements", {"perUserMfaState": "disabled"}),
        ("POST", f"{path}/revokeSignInSessions", None),
        ("DELETE", path, None),
    ]
    for method, address, body in writes:
        message = refused(business.call(method, address, body), 403, restricted_management_refusal)
        assert "restricted management administrative unit" in message
    group = business.get("/v1.0/groups?$filter=displayName eq 'Service accounts'").value[0]["id"]
    reference = {"@odata.id": f"{GRAPH_URL}/v1.0/directoryObjects/{person}"}
    assert business.call("PATCH", path, {"usageLocation": "DE"}).status == 204
    assert business.call("POST", f"/v1.0/groups/{group}/members/$ref", reference).status == 204
    assert unit in [found["id"] for found in business.get(f"{path}/memberOf").value]

    application = business.tenant.application.object_id
    assert give_role(business, application, USER_ADMINISTRATOR).status == 201
    refused(business.call(*writes[0]), 403, restricted_management_refusal)
    assert give_role(business, application, USER_ADMINISTRATOR, f"/administrativeUnits/{unit}").status == 201
    assert business.call(*writes[0]).status == 204

    changed = business.call("PATCH", f"{UNITS}/{unit}", {"isMemberManagementRestricted": False})
    assert changed.status == 400
    assert business.get(f"{UNITS}/{unit}").body["isMemberManagementRestricted"] is True


@under("roles_of_restored_user")
def test_scenario_36_a_deleted_user_can_be_restored(business: Client, roles_of_restored_user: str) -> None:
    assume(business, roles_of_restored_user=roles_of_restored_user)
    application = business.tenant.application.object_id
    give_role(business, application, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR)
    user = user_named(business, "Emergency one")
    before = business.get(f"{USERS}/{user}").body
    assert business.call("DELETE", f"{USERS}/{user}").status == 204
    assert business.get(f"{USERS}/{user}").status == 404
    (gone,) = business.get(f"{DELETED_USERS}/microsoft.graph.user?$select=id,deletedDateTime,userPrincipalName").value
    assert gone["id"] == user
    assert gone["deletedDateTime"] is not None
    assert gone["userPrincipalName"] == user.replace("-", "") + before["userPrincipalName"]
    assert business.get(f"{DELETED_USERS}/{user}").body["id"] == user
    assert user not in [item["principalId"] for item in assignments_of(business, GLOBAL_ADMINISTRATOR)]

    restored = business.call("POST", f"{DELETED_USERS}/{user}/restore")
    assert (restored.status, restored.body["userPrincipalName"]) == (200, before["userPrincipalName"])
    assert business.get(f"{DELETED_USERS}/microsoft.graph.user").value == []
    groups = [group["displayName"] for group in business.get(f"{USERS}/{user}/memberOf").value]
    assert "Excluded from Conditional Access" in groups
    methods = business.get(f"{USERS}/{user}/authentication/methods").value
    assert "#microsoft.graph.fido2AuthenticationMethod" in [method["@odata.type"] for method in methods]
    holders = [item["principalId"] for item in assignments_of(business, GLOBAL_ADMINISTRATOR)]
    assert (user in holders) is (roles_of_restored_user == "restored")


def test_restoring_an_administrator_is_a_sensitive_action(business: Client) -> None:
    user, application = user_named(business, "Karim Ali"), business.tenant.application.object_id
    role = give_role(business, application, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR).body["id"]
    assert business.call("DELETE", f"{USERS}/{user}").status == 204
    assert business.call("DELETE", f"{ASSIGNMENTS}/{role}").status == 204
    for method, path in (("POST", f"{DELETED_USERS}/{user}/restore"), ("DELETE", f"{DELETED_USERS}/{user}")):
        refused(business.call(method, path), 403, "Authorization_RequestDenied")


def test_deleted_users_end(greenfield: Client) -> None:
    first, second = new_user(greenfield).body["id"], user_named(greenfield, "Omar Haddad")
    for user in (first, second):
        assert greenfield.call("DELETE", f"{USERS}/{user}").status == 204
    assert greenfield.call("DELETE", f"{DELETED_USERS}/{first}").status == 204
    for method, path in (("GET", ""), ("POST", "/restore"), ("DELETE", "")):
        refused(greenfield.call(method, f"{DELETED_USERS}/{first}{path}"), 404, "Request_ResourceNotFound")
    advance(greenfield, 29 * DAY)
    assert greenfield.get(f"{DELETED_USERS}/{second}").status == 200
    advance(greenfield, 2 * DAY)
    assert greenfield.get(f"{DELETED_USERS}/{second}").status == 404
    assert greenfield.get(f"{DELETED_USERS}/microsoft.graph.user").value == []
    assert greenfield.get(f"{DELETED_USERS}/microsoft.graph.group").status == 400


def test_a_principal_name_taken_meanwhile_stays_taken(greenfield: Client) -> None:
    first = new_user(greenfield).body["id"]
    assert greenfield.call("DELETE", f"{USERS}/{first}").status == 204
    assert new_user(greenfield).status == 201
    assert refused(greenfield.call("POST", f"{DELETED_USERS}/{first}/restore"), 400, "Request_BadRequest") == TAKEN
    assert greenfield.get(f"{DELETED_USERS}/{first}").status == 200


def test_scenario_37_revoking_sessions_answers_true(greenfield: Client) -> None:
    user = user_named(greenfield, "Omar Haddad")
    answer = greenfield.call("POST", f"{USERS}/{user}/revokeSignInSessions")
    assert (answer.status, answer.body["value"]) == (200, True)
    refused(greenfield.call("POST", f"{USERS}/{NOBODY}/revokeSignInSessions"), 404, "Request_ResourceNotFound")


@under("temporary_access_pass_on_free")
def test_scenario_38_a_temporary_access_pass_is_told_once(
    business: Client, greenfield: Client, temporary_access_pass_on_free: str
) -> None:
    person, guest = user_named(business, "Daan Mulder"), user_named(business, "Viktor Popov")
    made = business.call("POST", passes_of(person), {"lifetimeInMinutes": 60, "isUsableOnce": True})
    assert made.status == 201
    assert len(made.body["temporaryAccessPass"]) >= 8
    assert (made.body["isUsable"], made.body["methodUsabilityReason"]) == (True, "EnabledByPolicy")
    (listed,) = business.get(passes_of(person)).value
    assert (listed["id"], listed["temporaryAccessPass"]) == (made.body["id"], None)
    everything = business.admin("GET", "/state").content + business.admin("GET", "/journal").content
    assert made.body["temporaryAccessPass"].encode() not in everything

    message = refused(business.call("POST", passes_of(guest), {}), 400, "BadRequest")
    assert message == "Temporary Access Pass cannot be added to an external guest user."
    group = business.get("/v1.0/groups?$filter=displayName eq 'Service accounts'").value[0]["id"]
    narrow = [{"id": group, "targetType": "group", "isRegistrationRequired": False}]
    for change in ({"includeTargets": narrow}, {"state": "disabled"}):
        assert configure(business, "TemporaryAccessPass", **change).status == 204
        message = refused(business.call("POST", passes_of(person), {}), 400, "BadRequest")
        assert "Converged UserCredentialPolicy does not allow creating or updating" in message

    assume(greenfield, temporary_access_pass_on_free=temporary_access_pass_on_free)
    configure(greenfield, "TemporaryAccessPass", state="enabled")
    answer = greenfield.call("POST", passes_of(user_named(greenfield, "Omar Haddad")), {})
    assert answer.status == {"refused": 403, "accepted": 201}[temporary_access_pass_on_free]


def test_scenario_39_creation_options_end_and_need_self_service(business: Client) -> None:
    person = str(new_user(business).body["id"])
    path = f"{keys_of(person)}/creationOptions"
    for seconds, status in ((299, 201), (301, 400)):
        options = business.get(path).body
        assert from_stamp(options["challengeTimeoutDateTime"]) - int(business.simulation.clock.now()) in (299, 300)
        body = {"displayName": "Key", "publicKeyCredential": SoftwareAuthenticator().create(options["publicKey"])}
        business.simulation.clock.advance(seconds - 1)
        answer = business.call("POST", keys_of(person), body)
        assert answer.status == status, answer.content
    assert "expired" in answer.message
    assert len(business.get(keys_of(person)).value) == 1

    changes: list[dict[str, Any]] = [{"isSelfServiceRegistrationAllowed": False}, {"state": "disabled"}]
    for change in changes:
        configure(business, "Fido2", **{"state": "enabled", "isSelfServiceRegistrationAllowed": True, **change})
        refused(business.get(path), 400, "BadRequest")
    group = business.get("/v1.0/groups?$filter=displayName eq 'Service accounts'").value[0]["id"]
    narrow = [{"id": group, "targetType": "group", "isRegistrationRequired": False, "allowedPasskeyProfiles": []}]
    assert configure(business, "Fido2", state="enabled", includeTargets=narrow).status == 204
    refused(business.get(path), 400, "BadRequest")
