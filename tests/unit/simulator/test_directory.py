# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users, groups, roles, reports and the application's own service principal."""

from __future__ import annotations

from typing import Any

import pytest

EVENTUAL = {"ConsistencyLevel": "eventual"}
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ASSIGNMENTS = "/v1.0/roleManagement/directory/roleAssignments"
NOBODY = "11111111-2222-4333-8444-555555555555"


def new_user(**changes: Any) -> dict[str, Any]:
    return {
        "accountEnabled": True,
        "displayName": "New One",
        "mailNickname": "new.one",
        "userPrincipalName": "new.one@northwind.onmicrosoft.com",
        "passwordProfile": {"password": "Correct-Horse-1", "forceChangePasswordNextSignIn": False},
        **changes,
    }


def find(client: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1.0/users?$filter=displayName eq '{name}'").value[0]
    return found


def test_a_user_is_made_changed_and_deleted(greenfield: Any) -> None:
    made = greenfield.call("POST", "/v1.0/users", new_user())
    assert made.status == 201
    assert "passwordProfile" not in made.body
    address = f"/v1.0/users/{made.body['id']}"
    assert greenfield.call("PATCH", address, {"jobTitle": "Tester", "accountEnabled": False}).status == 204
    shown = greenfield.get(f"{address}?$select=jobTitle,accountEnabled,passwordPolicies").body
    assert (shown["jobTitle"], shown["accountEnabled"], shown["passwordPolicies"]) == ("Tester", False, None)
    assert greenfield.call("DELETE", address).status == 204
    gone = greenfield.get(address)
    assert (gone.status, gone.code) == (404, "Request_ResourceNotFound")
    assert made.body["id"] in gone.message


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"passwordProfile": {"password": "weak"}}, "password complexity"),
        ({"passwordProfile": {"password": "alllowercaseletters"}}, "password complexity"),
        ({"userPrincipalName": "noor.visser@northwind.onmicrosoft.com"}, "userPrincipalName already exists"),
        ({"userPrincipalName": "a@elsewhere.example"}, "domain portion"),
        ({"userPrincipalName": "nonsense"}, "userPrincipalName is invalid"),
        ({"displayName": None}, "A value is required for property 'displayName'"),
        ({"colour": "red"}, "Invalid property 'colour'"),
    ],
)
def test_users_that_are_refused(greenfield: Any, changes: dict[str, Any], sentence: str) -> None:
    answer = greenfield.call("POST", "/v1.0/users", new_user(**changes))
    assert (answer.status, answer.code) == (400, "Request_BadRequest")
    assert sentence in answer.message
    assert greenfield.get("/v1.0/users/$count", headers=EVENTUAL).content == b"6"


def test_read_only_properties(greenfield: Any) -> None:
    id = find(greenfield, "Noor Visser")["id"]
    assert greenfield.call("PATCH", f"/v1.0/users/{id}", {"createdDateTime": "2020-01-01T00:00:00Z"}).status == 400


def test_narrow_permissions_change_their_property_only(greenfield: Any) -> None:
    id = find(greenfield, "Omar Haddad")["id"]
    greenfield.grant("User.Read.All", "User.EnableDisableAccount.All")
    assert greenfield.call("PATCH", f"/v1.0/users/{id}", {"accountEnabled": False}).status == 204
    assert greenfield.call("PATCH", f"/v1.0/users/{id}", {"jobTitle": "x"}).status == 403


def test_methods_of_a_user(legacy: Any) -> None:
    user = find(legacy, "Ada Jansen")
    methods = legacy.get(f"/v1.0/users/{user['id']}/authentication/methods").value
    assert [method["@odata.type"].rpartition(".")[2] for method in methods] == [
        "passwordAuthenticationMethod",
        "microsoftAuthenticatorAuthenticationMethod",
        "phoneAuthenticationMethod",
    ]
    assert methods == legacy.get(f"/v1.0/users/{user['id']}/authentication/methods").value


def test_sessions_are_revoked(legacy: Any) -> None:
    id = find(legacy, "Ada Jansen")["id"]
    select = f"/v1.0/users/{id}?$select=signInSessionsValidFromDateTime"
    before = legacy.get(select).body["signInSessionsValidFromDateTime"]
    answer = legacy.call("POST", f"/v1.0/users/{id}/revokeSignInSessions")
    assert (answer.status, answer.body["value"]) == (200, True)
    assert legacy.get(select).body["signInSessionsValidFromDateTime"] > before
    legacy.grant("User.ReadWrite.All", "Directory.ReadWrite.All")
    assert legacy.call("POST", f"/v1.0/users/{id}/revokeSignInSessions").status == 403


def test_me_needs_a_user(legacy: Any) -> None:
    assert legacy.get("/v1.0/me").message == "/me request is only valid with delegated authentication flow."


def test_sign_in_activity_needs_a_licence_and_a_permission(legacy: Any, business: Any) -> None:
    path = "/v1.0/users?$select=id,signInActivity&$top=1"
    assert legacy.get(path).code == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    assert "lastSignInDateTime" in business.get(path).value[0]["signInActivity"]
    business.grant("User.Read.All")
    assert business.get(path).code == "Authentication_MSGraphPermissionMissing"


def test_groups_and_members(business: Any) -> None:
    group = business.get("/v1.0/groups?$filter=displayName eq 'Sensitive work'").value[0]["id"]
    direct = business.get(f"/v1.0/groups/{group}/members").value
    assert {member["@odata.type"] for member in direct} == {"#microsoft.graph.group"}
    inside = business.get(f"/v1.0/groups/{group}/transitiveMembers?$select=id&$top=999").value
    kinds = [member["@odata.type"] for member in inside]
    assert kinds.count("#microsoft.graph.group") == 2
    assert kinds.count("#microsoft.graph.user") > 3
    assert business.get(f"/v1.0/groups/{group}/members/$count").status == 400
    assert business.get(f"/v1.0/groups/{group}/members/$count", headers=EVENTUAL).content == b"2"


def test_members_are_paged(business: Any) -> None:
    group = business.get("/v1.0/groups?$filter=displayName eq 'Sensitive work'").value[0]["id"]
    path = f"/v1.0/groups/{group}/transitiveMembers?$select=id&$top=2"
    found: list[str] = []
    while path:
        page = business.get(path)
        assert len(page.value) <= 2
        found += [member["id"] for member in page.value]
        path = page.body.get("@odata.nextLink", "").removeprefix("https://localhost:8443")
    whole = business.get(f"/v1.0/groups/{group}/transitiveMembers?$select=id&$top=999").value
    assert found == [member["id"] for member in whole]


def test_groups_in_a_circle_come_to_an_end(business: Any) -> None:
    groups = {group["displayName"]: group["id"] for group in business.get("/v1.0/groups").value}
    reference = {"@odata.id": f"https://localhost:8443/v1.0/directoryObjects/{groups['Sensitive work']}"}
    assert business.call("POST", f"/v1.0/groups/{groups['Research']}/members/$ref", reference).status == 204
    assert business.get(f"/v1.0/groups/{groups['Research']}/transitiveMembers").status == 200


def test_a_group_is_made_and_filled(greenfield: Any) -> None:
    users = [user["id"] for user in greenfield.get("/v1.0/users?$select=id").value]
    wanted = {
        "displayName": "Team",
        "mailNickname": "team",
        "mailEnabled": False,
        "securityEnabled": True,
        "members@odata.bind": [f"https://localhost:8443/v1.0/users/{users[0]}"],
    }
    made = greenfield.call("POST", "/v1.0/groups", wanted)
    assert made.status == 201
    address = f"/v1.0/groups/{made.body['id']}/members"
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{users[1]}"}
    assert greenfield.call("POST", f"{address}/$ref", reference).status == 204
    twice = greenfield.call("POST", f"{address}/$ref", reference)
    assert "already exist" in twice.message
    assert {member["id"] for member in greenfield.get(address).value} == set(users[:2])
    assert greenfield.call("DELETE", f"{address}/{users[0]}/$ref").status == 204
    assert greenfield.call("DELETE", f"{address}/{users[0]}/$ref").status == 404
    assert [group["displayName"] for group in greenfield.get(f"/v1.0/users/{users[1]}/memberOf").value] == ["Team"]
    assert greenfield.call("POST", f"{address}/$ref", {"@odata.id": f"x/{NOBODY}"}).status == 404
    assert greenfield.call("DELETE", f"/v1.0/groups/{made.body['id']}").status == 204
    assert greenfield.get(f"/v1.0/users/{users[1]}/memberOf").value == []


def test_role_assignable_groups_need_more(greenfield: Any, business: Any) -> None:
    wanted = {
        "displayName": "Admins",
        "mailNickname": "admins",
        "mailEnabled": False,
        "securityEnabled": True,
        "isAssignableToRole": True,
    }
    assert "premium" in greenfield.call("POST", "/v1.0/groups", wanted).message
    assert business.call("POST", "/v1.0/groups", wanted).status == 201
    business.grant("Group.ReadWrite.All")
    assert business.call("POST", "/v1.0/groups", wanted).code == "Authorization_RequestDenied"


def test_who_may_join_a_group_is_shown(business: Any) -> None:
    for wanted, visibility in (
        ({}, None),
        ({"isAssignableToRole": True}, "Private"),
        ({"groupTypes": ["Unified"], "mailEnabled": True}, "Public"),
        ({"groupTypes": ["Unified"], "mailEnabled": True, "visibility": "Private"}, "Private"),
    ):
        body = {"displayName": "Team", "mailNickname": "team", "mailEnabled": False, "securityEnabled": True, **wanted}
        made = business.call("POST", "/v1.0/groups", body).body["id"]
        shown = business.get(f"/v1.0/groups/{made}?$select=id,visibility,isManagementRestricted").body
        assert (shown["visibility"], shown["isManagementRestricted"]) == (visibility, None)


def test_role_assignments_expand_one_thing_at_a_time(hybrid: Any) -> None:
    found = hybrid.get(f"{ASSIGNMENTS}?$filter=roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'&$expand=principal").value
    assert {item["principal"]["@odata.type"] for item in found} == {"#microsoft.graph.user"}
    named = hybrid.get(f"{ASSIGNMENTS}?$expand=roleDefinition").value
    assert "Directory Synchronization Accounts" in {item["roleDefinition"]["displayName"] for item in named}
    assert hybrid.get(f"{ASSIGNMENTS}?$expand=principal,roleDefinition").status == 400
    assert hybrid.get(f"{ASSIGNMENTS}?$expand=colour").status == 400


def test_a_role_is_given_once_and_the_last_administrator_stays(greenfield: Any) -> None:
    user = find(greenfield, "Omar Haddad")["id"]
    body = {"roleDefinitionId": GLOBAL_ADMINISTRATOR, "principalId": user, "directoryScopeId": "/"}
    made = greenfield.call("POST", ASSIGNMENTS, body)
    assert made.status == 201
    assert "conflicting object" in greenfield.call("POST", ASSIGNMENTS, body).message
    assert greenfield.call("POST", ASSIGNMENTS, {**body, "principalId": NOBODY}).status == 404
    holders = greenfield.get(f"{ASSIGNMENTS}?$filter=roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'").value
    statuses = [greenfield.call("DELETE", f"{ASSIGNMENTS}/{holder['id']}").status for holder in holders]
    assert statuses == [204, 204, 400]


def test_role_definitions(greenfield: Any) -> None:
    path = "/roleManagement/directory/roleDefinitions"
    found = greenfield.get(f"/v1.0{path}?$filter=displayName eq 'Global Administrator'").value
    assert [item["id"] for item in found] == [GLOBAL_ADMINISTRATOR]
    assert "isPrivileged" not in found[0]
    assert greenfield.get(f"/beta{path}/{GLOBAL_ADMINISTRATOR}").body["isPrivileged"] is True


def test_directory_roles_are_those_in_use(greenfield: Any) -> None:
    roles = greenfield.get("/v1.0/directoryRoles").value
    assert {role["displayName"] for role in roles} == {"Global Administrator", "User Administrator"}
    members = greenfield.get(f"/v1.0/directoryRoles/{roles[0]['id']}/members").value
    assert len(members) == 2
    by_template = f"/v1.0/directoryRoles/roleTemplateId={GLOBAL_ADMINISTRATOR}"
    assert greenfield.get(by_template).body["id"] == roles[0]["id"]


def test_registration_report(business: Any, legacy: Any) -> None:
    path = "/v1.0/reports/authenticationMethods/userRegistrationDetails"
    refused = legacy.get(path)
    assert (refused.status, refused.code) == (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    assert "innererror" in refused.body["error"]
    whole = business.get(path).value
    users = business.get("/v1.0/users?$top=999&$select=id").value
    assert len(whole) == len(users)
    for clause, rule in (
        ("isMfaRegistered eq false", lambda item: not item["isMfaRegistered"]),
        ("isAdmin eq true", lambda item: item["isAdmin"]),
        ("userType eq 'guest'", lambda item: item["userType"] == "guest"),
        ("isPasswordlessCapable eq true and isAdmin eq true", lambda i: i["isPasswordlessCapable"] and i["isAdmin"]),
    ):
        chosen = {item["id"] for item in business.get(f"{path}?$filter={clause}").value}
        assert chosen == {item["id"] for item in whole if rule(item)}
        assert 0 < len(chosen) < len(whole)
    assert business.get(f"{path}/{whole[0]['id']}").body["userPrincipalName"] == whole[0]["userPrincipalName"]


def test_sign_in_log(business: Any) -> None:
    path = "/v1.0/auditLogs/signIns"
    whole = business.get(path).value
    stamps = [entry["createdDateTime"] for entry in whole]
    assert stamps == sorted(stamps, reverse=True)
    clause = "clientAppUsed eq 'IMAP4' or clientAppUsed eq 'POP3' or clientAppUsed eq 'Authenticated SMTP'"
    legacy_clients = business.get(f"{path}?$filter=({clause}) and status/errorCode eq 0").value
    assert 0 < len(legacy_clients) < len(whole)
    assert {entry["status"]["errorCode"] for entry in legacy_clients} == {0}
    assert business.get(f"{path}/{whole[0]['id']}").body["id"] == whole[0]["id"]


def test_the_application_finds_itself(greenfield: Any) -> None:
    application = greenfield.tenant.application
    found = greenfield.get(f"/v1.0/servicePrincipals?$filter=appId eq '{application.client_id}'").value
    assert [item["id"] for item in found] == [application.object_id]
    by_key = greenfield.get(f"/v1.0/servicePrincipals(appId='{application.client_id}')").body
    assert by_key["displayName"] == application.display_name
