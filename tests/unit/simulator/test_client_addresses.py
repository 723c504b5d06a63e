# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other people's clients ask for on their way: discovery, objects by id, roles, applications, Azure."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import jwt
import pytest

from m365_simulator.builder import DEFAULT_PERMISSIONS
from m365_simulator.directory_roles import BUILT_IN_ROLES, GLOBAL_ADMINISTRATOR
from m365_simulator.graph.app_roles import PERMISSION_IDS
from m365_simulator.graph.directory_objects import MOST_IDS
from m365_simulator.graph.further_policies import MADE_BY_TENANT, SINGLE
from m365_simulator.graph.permissions import PERMISSIONS
from m365_simulator.objects import GRAPH_APP_ID
from m365_simulator.words import words

LOGIN = "https://login.microsoftonline.com"
NOBODY = "00000000-0000-4000-8000-00000000dead"
GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def at(client: Any, host: str, path: str, **more: Any) -> Any:
    """A GET under another host name."""
    return client.send("GET", path, headers={"Host": host, **more})


def asked_of_instance(endpoint: str) -> str:
    return f"/common/discovery/instance?api-version=1.1&authorization_endpoint={quote(endpoint, safe='')}"


@pytest.fixture
def reader(business: Any) -> Any:
    """With the permission that directory objects of every type need."""
    business.grant(*DEFAULT_PERMISSIONS, "Directory.Read.All")
    return business


# Instance discovery and OpenID metadata


@pytest.mark.parametrize("host", ["login.microsoftonline.com", "login.windows.net", "localhost:8443"])
def test_instance_discovery_knows_microsofts_clouds(greenfield: Any, host: str) -> None:
    found = at(greenfield, host, asked_of_instance(f"{LOGIN}/common/oauth2/v2.0/authorize")).body
    assert found["tenant_discovery_endpoint"] == f"{LOGIN}/common/v2.0/.well-known/openid-configuration"
    public = next(one for one in found["metadata"] if "sts.windows.net" in one["aliases"])
    assert (public["preferred_network"], public["preferred_cache"]) == (
        "login.microsoftonline.com",
        "login.windows.net",
    )
    known = {name for one in found["metadata"] for name in one["aliases"]}
    assert {"login.microsoftonline.us", "login.partner.microsoftonline.cn"} <= known
    assert ("localhost" in known) == host.startswith("localhost")


def test_instance_discovery_of_the_older_version(greenfield: Any) -> None:
    found = greenfield.send("GET", asked_of_instance(f"{LOGIN}/contoso.example/oauth2/authorize")).body
    assert found["tenant_discovery_endpoint"] == f"{LOGIN}/contoso.example/.well-known/openid-configuration"


def test_instance_discovery_of_the_simulator_itself(greenfield: Any) -> None:
    found = greenfield.send("GET", asked_of_instance("https://localhost:8443/common/oauth2/v2.0/authorize"))
    assert found.body["tenant_discovery_endpoint"].startswith("https://localhost:8443/common/v2.0/")
    assert greenfield.send("GET", "/common/discovery/instance?api-version=1.1").status == 200


def test_instance_discovery_refuses_a_stranger(greenfield: Any) -> None:
    answer = greenfield.send("GET", asked_of_instance("https://login.example.com/common/oauth2/v2.0/authorize"))
    assert (answer.status, answer.body["error"], answer.body["error_codes"]) == (400, "invalid_instance", [50049])


@pytest.mark.parametrize(
    ("name", "issuer"),
    [
        ("common", f"{LOGIN}/{{tenantid}}/v2.0"),
        ("organizations", f"{LOGIN}/{{tenantid}}/v2.0"),
        ("consumers", f"{LOGIN}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"),
    ],
)
def test_metadata_of_every_tenant(greenfield: Any, name: str, issuer: str) -> None:
    found = at(greenfield, "login.microsoftonline.com", f"/{name}/v2.0/.well-known/openid-configuration").body
    assert found["issuer"] == issuer
    assert found["token_endpoint"] == f"{LOGIN}/{name}/oauth2/v2.0/token"
    assert found["tenant_region_scope"] is None


@pytest.mark.parametrize(
    ("host", "graph", "instance"),
    [
        ("login.microsoftonline.com", "graph.microsoft.com", "microsoftonline.com"),
        ("login.microsoftonline.us", "graph.microsoft.us", "microsoftonline.us"),
        ("login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", "partner.microsoftonline.cn"),
    ],
)
def test_metadata_names_graph_of_the_same_cloud(greenfield: Any, host: str, graph: str, instance: str) -> None:
    found = at(greenfield, host, f"/{greenfield.tenant.id}/v2.0/.well-known/openid-configuration").body
    assert (found["msgraph_host"], found["cloud_instance_name"]) == (graph, instance)
    assert found["issuer"] == f"https://{host}/{greenfield.tenant.id}/v2.0"
    assert found["tenant_region_scope"] == "EU"


def test_metadata_of_version_1(greenfield: Any) -> None:
    id = greenfield.tenant.id
    found = at(greenfield, "login.microsoftonline.com", f"/{id}/.well-known/openid-configuration").body
    assert found["issuer"] == f"https://sts.windows.net/{id}/"
    assert found["token_endpoint"] == f"{LOGIN}/{id}/oauth2/token"
    assert found["jwks_uri"] == f"{LOGIN}/{id}/discovery/keys"
    keys = greenfield.send("GET", f"/{id}/discovery/keys").body["keys"]
    assert jwt.get_unverified_header(greenfield.token())["kid"] in [key["kid"] for key in keys]
    assert jwt.decode(greenfield.token(), options={"verify_signature": False})["iss"] == found["issuer"]


def test_token_of_version_1(greenfield: Any) -> None:
    application = greenfield.tenant.application
    form = f"grant_type=client_credentials&client_id={application.client_id}"
    form += f"&client_secret={quote(application.client_secret)}"
    path = f"/{greenfield.tenant.id}/oauth2/token"
    answer = greenfield.send("POST", path, content=f"{form}&resource=https://localhost:8443/".encode()).body
    assert answer["resource"] == "https://localhost:8443/"
    assert int(answer["expires_on"]) - int(answer["not_before"]) == int(answer["expires_in"])
    assert greenfield.get("/v1.0/organization", token=answer["access_token"]).status == 200
    without = greenfield.send("POST", path, content=form.encode())
    assert (without.status, without.body["error_codes"]) == (400, [900144])


def test_a_token_bears_the_audience_as_it_was_asked_for(greenfield: Any) -> None:
    """Azure's command line asks for `https://graph.microsoft.com//.default`."""
    for scope, audience in (
        ("https://localhost:8443//.default", "https://localhost:8443/"),
        ("https://localhost:8443/.default", "https://localhost:8443"),
    ):
        token = greenfield.sign_in(scope=scope).body["access_token"]
        assert jwt.decode(token, options={"verify_signature": False})["aud"] == audience
        assert greenfield.get("/v1.0/organization", token=token).status == 200


@pytest.mark.parametrize("name", ["common", "organizations"])
def test_an_application_signs_in_to_a_tenant_of_its_own(greenfield: Any, name: str) -> None:
    answer = greenfield.sign_in(name)
    assert (answer.status, answer.body["error_codes"]) == (400, [50059])


def test_the_token_endpoint_wants_a_post(greenfield: Any) -> None:
    answer = greenfield.send("GET", f"/{greenfield.tenant.id}/oauth2/v2.0/token")
    assert (answer.status, answer.body["error_codes"]) == (400, [900561])


# How clients write requests


def test_double_slashes(greenfield: Any) -> None:
    wanted = greenfield.get("/v1.0/organization").body["value"]
    assert greenfield.get("/v1.0//organization").body["value"] == wanted
    assert greenfield.get("//v1.0/organization/").body["value"] == wanted


def test_no_metadata(business: Any) -> None:
    accept = {"Accept": "application/json;odata.metadata=none"}
    page = business.get("/v1.0/users?$top=5&$count=true", headers={**accept, "ConsistencyLevel": "eventual"})
    assert "odata.metadata=none" in page.headers["content-type"]
    assert set(page.body) == {"@odata.count", "@odata.nextLink", "@microsoft.graph.tips", "value"}
    group = next(one for one in business.get("/v1.0/groups").value if one["displayName"] == "Sensitive work")
    path = f"/v1.0/groups/{group['id']}/members"
    assert {one["@odata.type"] for one in business.get(path).value} == {"#microsoft.graph.group"}
    bare = business.get(path, headers=accept)
    assert [name for one in [bare.body, *bare.value] for name in one if "@odata" in name] == []
    refused = business.get("/v1.0/users/nobody", headers=accept)
    assert (refused.status, refused.code) == (404, "Request_ResourceNotFound")


def test_an_absolute_address_in_a_batch(greenfield: Any) -> None:
    """As users of Microsoft's SDK for Python were answered (microsoftgraph/msgraph-sdk-python, issue 1015)."""
    item = {"id": "1", "method": "GET", "url": "https://graph.microsoft.com/v1.0/organization"}
    answer = greenfield.call("POST", "/v1.0/$batch", {"requests": [item]}).body["responses"][0]
    assert answer["status"] == 400
    assert answer["body"]["error"]["message"] == "Resource not found for the segment 'https:'."


# Directory objects


def test_an_object_of_any_type_by_its_id(reader: Any) -> None:
    user, group = reader.get("/v1.0/users?$top=1").value[0], reader.get("/v1.0/groups?$top=1").value[0]
    own = reader.get(f"/v1.0/servicePrincipals(appId='{reader.tenant.application.client_id}')").body
    application = reader.get("/v1.0/applications").value[0]
    role = reader.get("/v1.0/directoryRoles").value[0]
    for kind, item in {
        "user": user,
        "group": group,
        "servicePrincipal": own,
        "application": application,
        "directoryRole": role,
    }.items():
        found = reader.get(f"/v1.0/directoryObjects/{item['id'].upper()}").body
        assert found["@odata.type"] == f"#microsoft.graph.{kind}"
        assert {name: found[name] for name in item if "@" not in name} == {
            name: value for name, value in item.items() if "@" not in name
        }


def test_an_object_that_is_not_there(reader: Any) -> None:
    answer = reader.get(f"/v1.0/directoryObjects/{NOBODY}")
    assert (answer.status, answer.code) == (404, "Request_ResourceNotFound")
    assert reader.get("/v1.0/directoryObjects/nonsense").status == 400


def test_selected_properties_of_an_object(reader: Any) -> None:
    group = reader.get("/v1.0/groups?$top=1").value[0]
    found = reader.get(f"/v1.0/directoryObjects/{group['id']}?$select=displayName,userPrincipalName").body
    del found["@odata.context"]
    assert found == {
        "@odata.type": "#microsoft.graph.group",
        "id": group["id"],
        "displayName": group["displayName"],
    }


def test_objects_by_their_ids(reader: Any) -> None:
    users = [one["id"] for one in reader.get("/v1.0/users?$top=3").value]
    group = reader.get("/v1.0/groups?$top=1").value[0]["id"]
    asked = {"ids": [*users, group, NOBODY, users[0]]}
    found = reader.call("POST", "/v1.0/directoryObjects/getByIds", asked).value
    assert [one["id"] for one in found] == [*users, group]
    only = reader.call("POST", "/v1.0/directoryObjects/getByIds", {**asked, "types": ["group"]}).value
    assert [one["@odata.type"] for one in only] == ["#microsoft.graph.group"]
    assert [one for one in reader.simulation.journal.entries(reader.tenant.id) if one["wrote"]] == []


def test_bad_requests_for_objects(reader: Any) -> None:
    for ids in ([], "x", ["x"], [NOBODY] * (MOST_IDS + 1), None):
        answer = reader.call("POST", "/v1.0/directoryObjects/getByIds", {"ids": ids})
        assert (answer.status, answer.code) == (400, "Request_BadRequest")
    assert reader.call("POST", "/v1.0/directoryObjects/getByIds", {"ids": [NOBODY], "colour": "red"}).status == 400


def test_directory_objects_need_a_permission_for_all_of_them(business: Any) -> None:
    """With those of the shipped application alone, which cover each type."""
    answer = business.get(f"/v1.0/directoryObjects/{NOBODY}")
    assert (answer.status, answer.code) == (403, "Authorization_RequestDenied")
    assert business.call("POST", "/v1.0/directoryObjects/getByIds", {"ids": [NOBODY]}).status == 403


# Roles


def test_role_templates_are_all_the_built_in_roles(business: Any) -> None:
    found = business.get("/v1.0/directoryRoleTemplates").value
    assert {one["displayName"]: one["id"] for one in found} == {
        name: template for name, (template, _unused) in BUILT_IN_ROLES.items()
    }
    assert business.get(f"/v1.0/directoryRoleTemplates/{GLOBAL_ADMINISTRATOR}").body["displayName"] == (
        "Global Administrator"
    )
    assert business.get(f"/v1.0/directoryRoleTemplates/{NOBODY}").status == 404
    assert business.get("/v1.0/directoryRoleTemplates?$filter=displayName eq 'x'").status == 400


def test_a_directory_role_by_its_template(business: Any) -> None:
    listed = business.get(f"/v1.0/directoryRoles?$filter=roleTemplateId eq '{GLOBAL_ADMINISTRATOR}'").value
    assert [one["displayName"] for one in listed] == ["Global Administrator"]
    assert business.get("/v1.0/directoryRoles?$filter=displayName eq 'Global Administrator'").value == listed
    by_template = f"/v1.0/directoryRoles(roleTemplateId='{GLOBAL_ADMINISTRATOR}')"
    assert business.get(by_template).body["id"] == listed[0]["id"]
    members = {one["id"] for one in business.get(f"{by_template}/members").value}
    where = f"$filter=roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'"
    assigned = business.get(f"/v1.0/roleManagement/directory/roleAssignments?{where}").value
    assert members == {one["principalId"] for one in assigned}
    assert len(members) == 3


def test_only_roles_that_somebody_holds_are_activated(business: Any) -> None:
    held = {one["roleTemplateId"] for one in business.get("/v1.0/directoryRoles").value}
    unused = BUILT_IN_ROLES["Reports Reader"][0]
    assert unused not in held
    assert business.get(f"/v1.0/directoryRoles(roleTemplateId='{unused}')").status == 404
    user = business.get("/v1.0/users?$top=1").value[0]["id"]
    body = {"principalId": user, "roleDefinitionId": unused, "directoryScopeId": "/"}
    assert business.call("POST", "/v1.0/roleManagement/directory/roleAssignments", body).status == 201
    found = business.get(f"/v1.0/directoryRoles(roleTemplateId='{unused}')/members").value
    assert [one["id"] for one in found] == [user]


def test_role_assignments_with_whom_and_what(business: Any) -> None:
    path = "/v1.0/roleManagement/directory/roleAssignments"
    for item in business.get(f"{path}?$expand=principal").value:
        assert item["principal"]["id"] == item["principalId"]
        assert item["principal"]["@odata.type"].startswith("#microsoft.graph.")
    for item in business.get(f"{path}?$expand=roleDefinition").value:
        assert item["roleDefinition"]["id"] == item["roleDefinitionId"]
        assert item["roleDefinition"]["displayName"] in BUILT_IN_ROLES
    for item in business.get(f"{path}?$expand=principal($select=id,displayName)").value:
        assert set(item["principal"]) == {"@odata.type", "id", "displayName"}
    for wrong in ("owner", "principal($top=1)", "principal,roleDefinition"):
        assert business.get(f"{path}?$expand={wrong}").status == 400


# Applications and service principals


def test_the_application_itself(business: Any) -> None:
    settings = business.tenant.application
    listed = business.get("/v1.0/applications").value
    assert [one["appId"] for one in listed] == [settings.client_id]
    application = listed[0]
    assert application["id"] != settings.object_id
    for path in (
        f"/v1.0/applications/{application['id']}",
        f"/v1.0/applications(appId='{settings.client_id}')",
    ):
        found = business.get(path).body
        assert {name: found[name] for name in application} == application
    for text in (f"appId eq '{settings.client_id}'", f"id eq '{application['id']}'", "startswith(displayName,'Zero')"):
        assert business.get(f"/v1.0/applications?$filter={text}").value == listed
    assert business.get(f"/v1.0/applications?$filter=appId eq '{NOBODY}'").value == []
    assert business.get("/v1.0/applications/$count", headers={"ConsistencyLevel": "eventual"}).content == b"1"


def test_an_application_that_is_not_there(business: Any) -> None:
    service_principal = business.tenant.application.object_id
    for key in (f"/{NOBODY}", f"(appId='{NOBODY}')", f"/{service_principal}"):
        answer = business.get(f"/v1.0/applications{key}")
        assert (answer.status, answer.code) == (404, "Request_ResourceNotFound")


def test_an_application_has_no_other_properties(business: Any) -> None:
    assert business.get("/v1.0/applications?$select=colour").status == 400
    assert business.get("/v1.0/servicePrincipals?$select=colour").status == 400
    assert business.get("/v1.0/applications?$filter=colour eq 'red'").status == 400


def test_credentials_of_the_application_are_shown_without_secrets(business: Any) -> None:
    settings = business.tenant.application
    business.admin("POST", "/application", {"secret_valid_days": 10})
    application = business.get("/v1.0/applications").value[0]
    password, key = application["passwordCredentials"][0], application["keyCredentials"][0]
    assert password["secretText"] is None
    assert password["hint"] == settings.client_secret[:3]
    assert settings.client_secret not in str(application)
    assert password["startDateTime"] < password["endDateTime"] < key["endDateTime"]
    assert key["key"] is None


def test_what_was_granted_is_what_the_token_says(business: Any) -> None:
    business.grant("Application.Read.All", "Policy.Read.All", "Made.Up")
    token = jwt.decode(business.token(), options={"verify_signature": False})
    graph = business.get(f"/v1.0/servicePrincipals?$filter=appId eq '{GRAPH_APP_ID}'").value[0]
    roles = {role["id"]: role["value"] for role in graph["appRoles"]}
    assert len(roles) == len(graph["appRoles"])
    own = f"/v1.0/servicePrincipals/{business.tenant.application.object_id}"
    granted = business.get(f"{own}/appRoleAssignments").value
    assert sorted(roles[one["appRoleId"]] for one in granted) == token["roles"]
    assert {one["principalId"] for one in granted} == {token["oid"]}
    assert {one["resourceId"] for one in granted} == {graph["id"]}
    assert business.get(f"/v1.0/servicePrincipals(appId='{GRAPH_APP_ID}')/appRoleAssignedTo").value == granted
    assert business.get(f"{own}/appRoleAssignedTo").value == []
    needed = business.get("/v1.0/applications").value[0]["requiredResourceAccess"][0]["resourceAccess"]
    assert sorted(roles[one["id"]] for one in needed) == token["roles"]


def test_a_disabled_application_shows(business: Any) -> None:
    path = f"/v1.0/servicePrincipals/{business.tenant.application.object_id}"
    assert business.get(path).body["accountEnabled"] is True
    token = business.token()
    business.admin("POST", "/application", {"enabled": False})
    assert business.get(path, token=token).body["accountEnabled"] is False


def test_every_permission_that_is_asked_for_has_its_real_id() -> None:
    """But for a few newer ones, whose ids no public source that we know has."""
    named = {name for needs in PERMISSIONS.values() for need in needs for name in need}
    assert set(DEFAULT_PERMISSIONS) <= set(PERMISSION_IDS)
    assert len(PERMISSION_IDS) == len({id for id, _unused in PERMISSION_IDS.values()})
    assert named - set(PERMISSION_IDS) == WITHOUT_ID


WITHOUT_ID: set[str] = {
    "Domain-InternalFederation.Read.All",
    "Domain-InternalFederation.ReadWrite.All",
    "Policy.Read.DeviceConfiguration",
    "Policy.ReadWrite.DeviceConfiguration",
    "UserAuthMethod-Passkey.Read.All",
    *(
        f"UserAuthMethod-{method}.{verb}.All"
        for method in words("Email HardwareOATH MicrosoftAuthApp Password Phone SoftwareOATH TAP WindowsHello")
        for verb in ("Read", "ReadWrite")
    ),
}


@pytest.mark.parametrize("path", ["/v1.0/applications", "/v1.0/servicePrincipals", "/v1.0/directoryRoleTemplates"])
def test_addresses_need_their_permissions(business: Any, path: str) -> None:
    business.grant("Policy.Read.All")
    answer = business.get(path)
    assert (answer.status, answer.code) == (403, "Authorization_RequestDenied")


# Policies that other clients list


def test_policies_as_they_are_in_a_tenant_that_left_them_alone(business: Any) -> None:
    for name in sorted(set(SINGLE) - {"deviceRegistrationPolicy"}):
        found = business.get(f"/v1.0/policies/{name}").body
        assert found.pop("@odata.context").endswith(f"policies/{name}/$entity")
        found.pop("@microsoft.graph.tips", None)
        assert found == SINGLE[name]
        assert business.call("PATCH", f"/v1.0/policies/{name}", {}).status == 405


def test_policies_that_tenants_make_are_read_from_the_state(business: Any) -> None:
    for name in MADE_BY_TENANT:
        assert business.get(f"/v1.0/policies/{name}").value == []
    policy = {"id": NOBODY, "displayName": "Eight hours", "definition": ["{}"], "isOrganizationDefault": False}
    business.simulation.store.tenant(0).insert("tokenLifetimePolicies", NOBODY, policy)
    assert business.get("/v1.0/policies/tokenLifetimePolicies").value == [policy]


def test_policies_that_an_application_may_not_read(business: Any) -> None:
    for name in ("featureRolloutPolicies", "permissionGrantPolicies", "deviceRegistrationPolicy"):
        answer = business.get(f"/v1.0/policies/{name}")
        assert (answer.status, answer.code) == (403, "AccessDenied")
    business.grant("Policy.Read.DeviceConfiguration")
    assert business.get("/v1.0/policies/deviceRegistrationPolicy").body["userDeviceQuota"] == 50


def test_the_older_address_of_conditional_access(business: Any) -> None:
    wanted = business.get("/v1.0/identity/conditionalAccess/policies").value
    assert wanted
    assert business.get("/v1.0/policies/conditionalAccessPolicies").value == wanted


def test_built_in_authentication_strengths(business: Any) -> None:
    found = business.get("/v1.0/policies/authenticationStrengthPolicies").value
    assert [one["displayName"] for one in found] == [
        "Multifactor authentication",
        "Passwordless MFA",
        "Phishing-resistant MFA",
    ]
    weaker = [set(one["allowedCombinations"]) for one in found]
    assert weaker[2] < weaker[1] < weaker[0]
    one = business.get(f"/v1.0/policies/authenticationStrengthPolicies/{found[2]['id']}").body
    assert one["allowedCombinations"] == found[2]["allowedCombinations"]
    assert business.get(f"/v1.0/policies/authenticationStrengthPolicies/{NOBODY}").status == 404
    body = {
        "displayName": "Phishing-resistant MFA for everybody",
        "state": "disabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": ["All"]},
        },
        "grantControls": {"operator": "OR", "authenticationStrength": {"id": found[2]["id"]}},
    }
    policy = business.call("POST", "/v1.0/identity/conditionalAccess/policies", body).body
    assert policy["grantControls"]["authenticationStrength"] == found[2]


def test_policies_of_privileged_roles_need_p2(business: Any) -> None:
    where = "$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'"
    answer = business.get(f"/v1.0/policies/roleManagementPolicies?{where}")
    assert (answer.status, answer.code) == (400, "AadPremiumLicenseRequired")
    store = business.simulation.store.tenant(0)
    sku = store.documents("subscribedSku")[0]
    plan = {"servicePlanId": "eec0eb4f-6444-4f95-aba0-50c24d67f998", "servicePlanName": "AAD_PREMIUM_P2"}
    plan |= {"provisioningStatus": "Success", "appliesTo": "User"}
    store.update("subscribedSku", sku["id"], document={**sku, "servicePlans": [*sku["servicePlans"], plan]})
    found = business.get(f"/v1.0/policies/roleManagementPolicies?{where}").value
    assert len({one["id"] for one in found}) == len(BUILT_IN_ROLES)
    assert business.get("/v1.0/policies/roleManagementPolicies").status == 400


# Both versions


IN_BOTH_VERSIONS = (
    "applications",
    "applications(appId='{app}')",
    "servicePrincipals",
    "servicePrincipals(appId='{app}')",
    "servicePrincipals(appId='{app}')/appRoleAssignments",
    f"servicePrincipals(appId='{GRAPH_APP_ID}')/appRoleAssignedTo",
    "directoryObjects/{sp}",
    "directoryRoles",
    f"directoryRoles(roleTemplateId='{GLOBAL_ADMINISTRATOR}')/members",
    "directoryRoleTemplates",
    "organization",
    "domains",
    "policies/authenticationStrengthPolicies",
    *(f"policies/{name}" for name in (*SINGLE, *MADE_BY_TENANT)),
)


def test_beta_has_these_addresses_too(reader: Any) -> None:
    """In its own schema, which every answer in these tests is held against."""
    application = reader.tenant.application
    reader.grant(*application.permissions, "Policy.Read.DeviceConfiguration")
    for path in IN_BOTH_VERSIONS:
        path = path.format(app=application.client_id, sp=application.object_id)
        for version in ("v1.0", "beta"):
            assert reader.get(f"/{version}/{path}").status == 200, path


def test_service_principals_have_other_names_in_beta(business: Any) -> None:
    for version, name, other in (
        ("v1.0", "oauth2PermissionScopes", "publishedPermissionScopes"),
        ("beta", "publishedPermissionScopes", "oauth2PermissionScopes"),
    ):
        assert business.get(f"/{version}/servicePrincipals?$select={name}").value[0][name] == []
        assert business.get(f"/{version}/servicePrincipals?$select={other}").status == 400


# Azure Resource Manager


ARM = "management.azure.com"
VERSION = "?api-version=2022-12-01"


@pytest.fixture
def azure(business: Any) -> Any:
    """Asks Azure Resource Manager with a token for it."""
    token = business.sign_in(scope="https://management.core.windows.net//.default").body["access_token"]
    return lambda path, bearer=token: at(business, ARM, path, Authorization=f"Bearer {bearer}")


def test_a_tenant_without_subscriptions(business: Any, azure: Any) -> None:
    found = azure(f"/subscriptions{VERSION}")
    assert (found.status, found.value) == (200, [])
    tenant = azure(f"/tenants{VERSION}").value[0]
    assert tenant["tenantId"] == business.tenant.id
    assert tenant["displayName"] == business.get("/v1.0/organization").value[0]["displayName"]
    assert tenant["domains"] == [one["id"] for one in business.get("/v1.0/domains").value]
    assert tenant["defaultDomain"] == "contoso.example"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/subscriptions", 400, "MissingApiVersionParameter"),
        (f"/subscriptions/{NOBODY}{VERSION}", 404, "SubscriptionNotFound"),
        (f"/subscriptions/{NOBODY}/resourceGroups{VERSION}", 404, "SubscriptionNotFound"),
        (f"/providers/Microsoft.Web{VERSION}", 404, "InvalidResourceType"),
    ],
)
def test_what_azure_does_not_have(azure: Any, path: str, status: int, code: str) -> None:
    answer = azure(path)
    assert (answer.status, answer.code) == (status, code)


def test_azure_wants_a_token_of_its_own(business: Any, azure: Any) -> None:
    assert at(business, ARM, f"/subscriptions{VERSION}").code == "AuthenticationFailed"
    for token in (business.token(), "x"):
        answer = azure(f"/subscriptions{VERSION}", token)
        assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")


def test_azure_answers_under_its_own_name_only(business: Any) -> None:
    assert business.send("GET", f"/subscriptions{VERSION}").status == 400
