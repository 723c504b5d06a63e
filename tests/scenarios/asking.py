# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the scenarios ask of a simulated tenant again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Answer, Client
from ansible_collections.zerotrust.m365.tests.unit.simulator.software_authenticator import SoftwareAuthenticator
from m365_simulator.assumptions import ASSUMPTIONS

DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
ACCESS = "/v1.0/identity/conditionalAccess"
POLICIES = f"{ACCESS}/policies"
LOCATIONS = f"{ACCESS}/namedLocations"
METHODS = "/policies/authenticationMethodsPolicy"
CONFIGURATIONS = f"{METHODS}/authenticationMethodConfigurations"
USERS = "/v1.0/users"
UNITS = "/v1.0/directory/administrativeUnits"
DELETED_USERS = "/v1.0/directory/deletedItems"
ASSIGNMENTS = "/v1.0/roleManagement/directory/roleAssignments"
REGISTRATIONS = "/v1.0/reports/authenticationMethods/userRegistrationDetails"

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_AUTHENTICATION_ADMINISTRATOR = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
NOBODY = "11111111-2222-4333-8444-555555555555"
EVENTUAL = {"ConsistencyLevel": "eventual"}
GRAPH_URL = "https://localhost:8443"

ENABLED, REPORT_ONLY, DISABLED = "enabled", "enabledForReportingButNotEnforced", "disabled"
DEFAULTS_ARE_ON = (
    "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a Conditional "
    "Access policy."
)

MFA_FOR_ALL: dict[str, Any] = {
    "displayName": "MFA for all",
    "state": REPORT_ONLY,
    "conditions": {
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeUsers": ["All"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}


def under(assumption: str) -> pytest.MarkDecorator:
    """Run a test under every value of an assumption, which it takes by its name."""
    return pytest.mark.parametrize(assumption, ASSUMPTIONS[assumption].values)


def assume(client: Client, **values: str) -> None:
    assert client.admin("POST", "/assumptions", values).status == 200


@contextmanager
def without_contract(client: Client) -> Iterator[None]:
    """For what Graph is assumed to accept although its schema does not have it."""
    observers = client.simulation.graph.exchanges.observers
    kept = list(observers)
    observers.clear()
    yield
    observers.extend(kept)


def refused(answer: Answer, status: int, code: str) -> str:
    """The message of an answer that must be this error."""
    assert (answer.status, answer.code) == (status, code), answer.content
    return answer.message


def set_defaults(client: Client, enabled: bool) -> Answer:
    return client.call("PATCH", f"/v1.0{DEFAULTS}", {"isEnabled": enabled})


def defaults_are_on(client: Client) -> bool:
    return bool(client.get(f"/v1.0{DEFAULTS}").body["isEnabled"])


def write_policy(client: Client, **changes: Any) -> Answer:
    return client.call("POST", POLICIES, {**MFA_FOR_ALL, **changes})


def without_enabled_policies(client: Client) -> Client:
    """The same tenant with all of its policies disabled."""
    for policy in client.get(POLICIES).value:
        if policy["state"] == ENABLED:
            assert client.call("PATCH", f"{POLICIES}/{policy['id']}", {"state": DISABLED}).status == 204
    return client


def new_user(client: Client, **changes: Any) -> Answer:
    body = {
        "accountEnabled": True,
        "displayName": "New One",
        "mailNickname": "new.one",
        "userPrincipalName": f"new.one@{client.tenant.initial_domain}",
        "passwordProfile": {"password": "Correct-Horse-1"},
        **changes,
    }
    return client.call("POST", USERS, body)


def user_named(client: Client, name: str) -> str:
    """The id."""
    return str(client.get(f"{USERS}?$filter=displayName eq '{name}'").value[0]["id"])


def new_unit(client: Client, **changes: Any) -> str:
    """The id of an administrative unit."""
    answer = client.call("POST", UNITS, {"displayName": "Emergency accounts", **changes})
    assert answer.status == 201, answer.content
    return str(answer.body["id"])


def add_to_unit(client: Client, unit: str, member: str) -> Answer:
    reference = {"@odata.id": f"{GRAPH_URL}/v1.0/directoryObjects/{member}"}
    return client.call("POST", f"{UNITS}/{unit}/members/$ref", reference)


def give_role(client: Client, principal: str, role: str, scope: str = "/") -> Answer:
    body = {"roleDefinitionId": role, "principalId": principal, "directoryScopeId": scope}
    return client.call("POST", ASSIGNMENTS, body)


def assignments_of(client: Client, role: str) -> list[dict[str, Any]]:
    return client.get(f"{ASSIGNMENTS}?$filter=roleDefinitionId eq '{role}'").value


def configure(client: Client, name: str, version: str = "v1.0", **changes: Any) -> Answer:
    """Write a method configuration with its type."""
    type_name = f"#microsoft.graph.{name[0].lower()}{name[1:]}AuthenticationMethodConfiguration"
    return client.call("PATCH", f"/{version}{CONFIGURATIONS}/{name}", {"@odata.type": type_name, **changes})


def configuration(client: Client, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1.0{CONFIGURATIONS}/{name}").body
    return found


def passes_of(user: str) -> str:
    return f"{USERS}/{user}/authentication/temporaryAccessPassMethods"


def keys_of(user: str) -> str:
    return f"{USERS}/{user}/authentication/fido2Methods"


def register_passkey(client: Client, user: str, key: SoftwareAuthenticator, **changes: Any) -> Answer:
    options = client.get(f"{keys_of(user)}/creationOptions").body["publicKey"]
    body = {"displayName": "Security key", "publicKeyCredential": key.create(options), **changes}
    return client.call("POST", keys_of(user), body)


def advance(client: Client, seconds: float) -> None:
    client.admin("POST", "/clock", {"advance_seconds": seconds})
