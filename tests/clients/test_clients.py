# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that others wrote, unmodified: they read the simulator's state, and the collection sees what they change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.clients.conftest import USERS, Clients, State

pytestmark = pytest.mark.clients

GRAPH = "https://graph.microsoft.com"
DEFAULTS = "policies/identitySecurityDefaultsEnforcementPolicy"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"


def ids(items: list[dict[str, Any]]) -> list[str]:
    return sorted(item["id"] for item in items)


def look_at_defaults(clients: Clients) -> Any:
    """Whether security defaults are on, as the collection reads them."""
    run = clients.play(
        {"name": "Look", "zerotrust.m365.tenant_info": {"gather_subset": ["security_defaults"]}, "register": "found"}
    )
    return run.task("Look").result["tenant"]["security_defaults"]["value"]["enabled"]


def look_at_user(clients: Clients, user_id: str, *names: str) -> list[Any]:
    """Properties of a user, as the collection reads them."""
    parameters = {"path": f"/users/{user_id}", "parameters": {"$select": ",".join(names)}}
    found = clients.play({"name": "Look", "zerotrust.m365.graph_info": parameters}).task("Look").result["result"]
    return [found[name] for name in names]


# The collection itself, in the cloud that is its default


def test_the_collection_under_microsofts_names(clients_of_greenfield: Clients) -> None:
    clients = clients_of_greenfield
    clients.play({"name": "Enable", "zerotrust.m365.security_defaults": {"enabled": True}})
    assert look_at_defaults(clients) is True
    organization = clients.simulator.state(clients.tenant)["objects"]["organization"][0]["displayName"]
    told = clients.play({"name": "Look", "zerotrust.m365.tenant_info": {"gather_subset": ["organization", "region"]}})
    tenant = told.task("Look").result["tenant"]
    assert tenant["organization"]["value"]["display_name"] == organization
    assert tenant["region"]["value"] == {"cloud": "global", "scope": "EU"}


# msal


def test_msal(clients: Clients, state: State) -> None:
    told = clients.python("msal", "msal_client.py", clients.tenant.certificate_path)
    for how in ("secret", "certificate"):
        assert [one["id"] for one in told["read"][how]] == state.ids("organization")
        assert told["read"][how][0]["displayName"] == state.all("organization")[0]["displayName"]
    assert told["wrong secret"]["error_codes"] == [7000215]


# azure-identity and msgraph-sdk


def test_msgraph_sdk_reads(clients: Clients, state: State) -> None:
    told = clients.python("msgraph-sdk", "msgraph_client.py", "read")
    assert len(told["users"]) == USERS
    assert sorted(told["users"]) == state.ids("user")
    assert len(told["guests"]) > 5  # more than one page
    assert sorted(told["guests"]) == state.ids("user", userType="Guest")
    assert told["guest types"] == ["Guest"]
    assert sorted(told["groups"]) == sorted(one["displayName"] for one in state.all("group"))
    policies = [[one["displayName"], one["state"]] for one in state.all("conditionalAccessPolicy")]
    assert sorted(told["policies"]) == sorted(policies)
    # v1.0 has no hardware tokens.
    methods = {one["id"]: one["state"] for one in state.all("methodConfiguration") if one["id"] != "HardwareOath"}
    assert {id: value for _type, id, value in told["methods"]} == methods
    assert all(name.endswith("AuthenticationMethodConfiguration") for name, _id, _value in told["methods"])
    assert told["security defaults"] is state.all("securityDefaults")[0]["isEnabled"]
    assert sorted(told["domains"]) == state.ids("domain")
    assigned = state.all("roleAssignment", roleDefinitionId=GLOBAL_ADMINISTRATOR)
    assert sorted(told["administrators"]) == sorted(one["principalId"] for one in assigned)
    assert told["role templates"] == len(state.all("roleDefinition"))
    assert told["applications"] == [clients.tenant.client_id]
    assert sorted(told["service principals"]) == sorted([clients.tenant.client_id, GRAPH_APP_ID])


def test_msgraph_sdk_writes(clients_of_greenfield: Clients) -> None:
    clients = clients_of_greenfield
    user = clients.simulator.state(clients.tenant)["objects"]["user"][-1]["id"]
    assert look_at_defaults(clients) is False
    told = clients.python("msgraph-sdk", "msgraph_client.py", "write", user)
    assert told["batch"] == [204, 200, 404]
    assert look_at_user(clients, user, "department", "jobTitle") == ["Changed by batch", "Changed by PATCH"]
    assert look_at_defaults(clients) is True


# azure-cli


class Azure:
    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        tenant = clients.tenant
        words = ("-u", tenant.client_id, "-p", tenant.client_secret, "--tenant", tenant.tenant_id)
        self.accounts = self.az("login", "--service-principal", *words, "--allow-no-subscriptions")

    def az(self, *words: str) -> Any:
        return self.clients.json("azure-cli", "az", *words, "--output", "json")


def test_azure_cli_reads(clients: Clients, state: State) -> None:
    azure = Azure(clients)
    assert [(one["tenantId"], one["name"]) for one in azure.accounts] == [
        (clients.tenant.tenant_id, "N/A(tenant level account)")
    ]
    assert ids(azure.az("ad", "user", "list")) == state.ids("user")
    guests = azure.az("ad", "user", "list", "--filter", "userType eq 'Guest'")
    assert ids(guests) == state.ids("user", userType="Guest")
    assert ids(azure.az("ad", "group", "list")) == state.ids("group")
    own = azure.az("ad", "sp", "show", "--id", clients.tenant.client_id)
    assert own["appId"] == clients.tenant.client_id
    read = azure.az("rest", "--url", f"{GRAPH}/v1.0//organization")
    assert ids(read["value"]) == state.ids("organization")


def test_azure_cli_follows_a_role_assignment(clients: Clients, state: State) -> None:
    azure = Azure(clients)
    url = f"{GRAPH}/v1.0/roleManagement/directory/roleAssignments"
    query = f"$filter=roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'&$expand=principal"
    assigned = azure.az("rest", "--url", f"{url}?{query}")["value"]
    names = {one["principal"]["userPrincipalName"] for one in assigned}
    holders = {one["principalId"] for one in state.all("roleAssignment", roleDefinitionId=GLOBAL_ADMINISTRATOR)}
    assert names == {one["userPrincipalName"] for one in state.all("user") if one["id"] in holders}


def test_azure_cli_writes(clients_of_greenfield: Clients) -> None:
    clients = clients_of_greenfield
    azure = Azure(clients)
    assert look_at_defaults(clients) is False
    azure.az("rest", "--method", "patch", "--url", f"{GRAPH}/v1.0/{DEFAULTS}", "--body", '{"isEnabled": true}')
    assert look_at_defaults(clients) is True


def test_azure_cli_is_told_what_is_wrong(clients: Clients) -> None:
    Azure(clients)
    done = clients.run("azure-cli", "az", "rest", "--url", f"{GRAPH}/v1.0/users/nobody@contoso.example")
    assert done.returncode != 0
    assert "Request_ResourceNotFound" in done.stderr


# CLI for Microsoft 365


class CliForMicrosoft365:
    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        tenant = clients.tenant
        words = ("--appId", tenant.client_id, "--tenant", tenant.tenant_id, "--secret", tenant.client_secret)
        self.run("login", "--authType", "secret", *words)

    def run(self, *words: str) -> Any:
        return self.clients.json("cli-microsoft365", "m365", *words, "--output", "json")


def test_cli_for_microsoft_365_reads(clients: Clients, state: State) -> None:
    m365 = CliForMicrosoft365(clients)
    assert (
        m365.run("status")["connectedAs"] == m365.clients.simulator.state(clients.tenant)["application"]["display_name"]
    )
    assert ids(m365.run("entra", "user", "list")) == state.ids("user")
    assert ids(m365.run("entra", "user", "list", "--type", "Guest")) == state.ids("user", userType="Guest")
    assert ids(m365.run("entra", "group", "list")) == state.ids("group")
    defaults = m365.run("entra", "policy", "list", "--type", "identitySecurityDefaultsEnforcement")
    assert defaults["isEnabled"] is state.all("securityDefaults")[0]["isEnabled"]
    policies = m365.run("entra", "policy", "list", "--type", "conditionalAccess")
    assert ids(policies) == state.ids("conditionalAccessPolicy")
    methods = m365.run("entra", "policy", "list", "--type", "authenticationMethods")
    assert methods["policyMigrationState"] == state.all("authenticationMethodsPolicy")[0]["policyMigrationState"]
    strengths = m365.run("entra", "policy", "list", "--type", "authenticationStrength")
    assert [one["policyType"] for one in strengths] == ["builtIn"] * 3
    assert "@odata.context" not in json.dumps([defaults, policies])  # it asks for no metadata


def test_cli_for_microsoft_365_cannot_read_every_policy_as_an_application(clients: Clients) -> None:
    """Nor can it in a real tenant: staged rollout can be read on behalf of a user only, so all of them fail."""
    CliForMicrosoft365(clients)
    done = clients.run("cli-microsoft365", "m365", "entra", "policy", "list", "--output", "json")
    assert done.returncode != 0
    assert "required scopes are missing in the token" in done.stdout + done.stderr or "P2" in done.stdout + done.stderr


def test_cli_for_microsoft_365_writes(clients_of_greenfield: Clients) -> None:
    clients = clients_of_greenfield
    m365 = CliForMicrosoft365(clients)
    assert look_at_defaults(clients) is False
    body = ("--content-type", "application/json", "--body", '{"isEnabled": true}')
    m365.run("request", "--method", "patch", "--url", f"@graph/{DEFAULTS}", *body)
    assert look_at_defaults(clients) is True
    read = m365.run("request", "--url", f"{GRAPH}//v1.0/{DEFAULTS}")
    assert read["isEnabled"] is True
