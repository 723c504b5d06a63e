# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a simulation in this process for everything that it has, and changes some of everything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from ansible_collections.zerotrust.m365.tests.unit.simulator.software_authenticator import SoftwareAuthenticator
from m365_simulator.exchanges import Exchange
from m365_simulator.graph.hardware_oath import one_time_code
from m365_simulator.graph.permissions import PERMISSIONS
from m365_simulator.graph.router import BOTH, GraphRequest, GraphResponse, Route
from m365_simulator.graph.service import ROUTES
from m365_simulator.simulation import Simulation

BASE = "https://localhost:8443"
SOME = 3
"""So many objects of each collection are asked for one by one."""


METHODS = "{}/policies/authenticationMethodsPolicy"
USER = {
    "accountEnabled": True,
    "displayName": "Contract",
    "mailNickname": "contract",
    "passwordProfile": {"password": "Planted-4-secret", "forceChangePasswordNextSignIn": True},
}
GROUP = {"displayName": "Contract", "mailNickname": "contract", "mailEnabled": False, "securityEnabled": True}
POLICY = {
    "displayName": "Contract",
    "state": "disabled",
    "conditions": {
        "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"],
        "users": {"includeUsers": ["All"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}
LOCATION = {
    "@odata.type": "#microsoft.graph.ipNamedLocation",
    "displayName": "Contract",
    "isTrusted": False,
    "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "192.0.2.0/24"}],
}
TOKEN = {
    "manufacturer": "Contract",
    "model": "C1",
    "secretKey": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    "timeIntervalInSeconds": 30,
    "hashFunction": "hmacsha1",
}
SMS = {
    "@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration",
    "includeTargets": [{"id": "all_users", "targetType": "group", "isUsableForSignIn": False}],
}
EXTERNAL = {
    "@odata.type": "#microsoft.graph.externalAuthenticationMethodConfiguration",
    "displayName": "Contract",
    "appId": "11111111-2222-3333-4444-555555555555",
    "openIdConnectSetting": {"clientId": "contract", "discoveryUrl": "https://login.example/openid"},
}
CAMPAIGN = {
    "state": "enabled",
    "snoozeDurationInDays": 0,
    "excludeTargets": [],
    "includeTargets": [
        {"id": "all_users", "targetType": "group", "targetedAuthenticationMethod": "microsoftAuthenticator"}
    ],
}


class Driver:
    """Speaks to the first tenant with every permission, and keeps each exchange."""

    def __init__(self, simulation: Simulation) -> None:
        self.exchanges: list[Exchange] = []
        self._graph, self._clock = simulation.graph, simulation.clock
        self._graph.exchanges.observers.append(self.exchanges.append)
        tenant = simulation.first
        every = {name for names in PERMISSIONS.values() for alternatives in names for name in alternatives}
        tenant.application.permissions = sorted(every)
        self.token = simulation.tokens.issue(tenant, audience=BASE, credential="1", wids=[], base=BASE)
        self._found: dict[str, list[str]] = {}

    def ask(self, method: str, path: str, body: Any = None, query: str = "") -> GraphResponse:
        """`path` with its version."""
        _empty, version, rest = path.split("/", 2)
        headers = {"authorization": f"Bearer {self.token}", "consistencylevel": "eventual"}
        content = None if body is None else json.dumps(body).encode()
        request = GraphRequest(method, version, f"/{rest}", query, headers, content, BASE)
        return asyncio.run(self._graph.answer(request))

    def write_something_of_everything(self) -> None:
        """Requests that are right, and leave deleted objects and entries in logs behind."""
        user = self._made("/v1.0/users", USER | {"userPrincipalName": f"contract@{self._domain}"})
        self._accepted("PATCH", f"/v1.0/users/{user}", {"accountEnabled": False, "otherMails": ["a@example.org"]})
        ids = {"certificateUserIds": ["X509:<PN>contract@example.org"]}
        self._accepted("PATCH", f"/v1.0/users/{user}", {"authorizationInfo": ids})
        self.ask("GET", f"/v1.0/users/{user}", query="$select=id,authorizationInfo")
        self._accepted("PATCH", f"/beta/users/{user}/authentication/requirements", {"perUserMfaState": "enabled"})
        self._accepted("POST", f"/v1.0/users/{user}/revokeSignInSessions")
        group = self._made("/v1.0/groups", GROUP)
        self._accepted("POST", f"/v1.0/groups/{group}/members/$ref", {"@odata.id": f"{BASE}/v1.0/users/{user}"})
        self._accepted("DELETE", f"/v1.0/groups/{group}/members/{user}/$ref")
        unit = self._made("/v1.0/directory/administrativeUnits", {"displayName": "Contract", "description": "Kept"})
        reference = {"@odata.id": f"{BASE}/v1.0/directoryObjects/{user}"}
        self._accepted("PATCH", f"/v1.0/directory/administrativeUnits/{unit}", {"displayName": "Changed"})
        self._accepted("POST", f"/v1.0/directory/administrativeUnits/{unit}/members/$ref", reference)
        self.ask("GET", f"/v1.0/directory/administrativeUnits/{unit}/members")
        self.ask("GET", f"/v1.0/users/{user}/memberOf")
        self._accepted("DELETE", f"/v1.0/directory/administrativeUnits/{unit}/members/{user}/$ref")
        gone = self._made("/beta/directory/administrativeUnits", {"displayName": "Gone"})
        self._accepted("DELETE", f"/beta/directory/administrativeUnits/{gone}")
        roles = self.ask("GET", "/v1.0/roleManagement/directory/roleDefinitions").body["value"]
        reader = next(role["id"] for role in roles if role["displayName"] == "Global Reader")
        assignment = {"principalId": user, "roleDefinitionId": reader, "directoryScopeId": "/"}
        assigned = self._made("/v1.0/roleManagement/directory/roleAssignments", assignment)
        self._accepted("DELETE", f"/v1.0/roleManagement/directory/roleAssignments/{assigned}")
        self._write_methods()
        for version in BOTH:
            self._write_policies(f"/{version}")
        self._accepted("PATCH", "/beta/policies/mfaServicePolicy", {"rememberMfaOnTrustedDevice": {"isEnabled": False}})
        self._accepted("PATCH", METHODS.format("/beta"), {"optOutSettings": {"passkeyDynamicMigration": True}})
        self._accepted("DELETE", f"/v1.0/groups/{group}")
        self._accepted("DELETE", f"/v1.0/users/{user}")
        self.ask("GET", "/v1.0/users", query=f"$select=id,perUserMfaState&$top={SOME}")

    def _write_methods(self) -> None:
        """Of users who are there; left where the reading comes by."""
        kept, other = self.ids("/v1.0/users")[:2]
        enabled = {"@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration"}
        configurations = f"{METHODS.format('/v1.0')}/authenticationMethodConfigurations"
        self._accepted("PATCH", f"{configurations}/TemporaryAccessPass", {**enabled, "state": "enabled"})
        enabled = {"@odata.type": "#microsoft.graph.fido2AuthenticationMethodConfiguration"}
        self._accepted("PATCH", f"{configurations}/Fido2", {**enabled, "state": "enabled"})
        keys = f"/users/{kept}/authentication/fido2Methods"
        for version in BOTH:
            options = self._accepted("GET", f"/v1.0{keys}/creationOptions")["publicKey"]
            body = {"displayName": "Contract", "publicKeyCredential": SoftwareAuthenticator().create(options)}
            self._made(f"/{version}{keys}", body)
        gone = self._accepted("GET", f"/v1.0{keys}")["value"][-1]["id"]
        self._accepted("DELETE", f"/v1.0{keys}/{gone}")
        passes = "/users/{}/authentication/temporaryAccessPassMethods"
        if (
            self.ask("POST", "/v1.0" + passes.format(kept), {"lifetimeInMinutes": 60, "isUsableOnce": True}).status
            == 403
        ):
            return  # the tenant has no licence for it
        self._write_oath(kept, other)
        gone = self._made("/beta" + passes.format(other), {})
        self._accepted("DELETE", f"/v1.0{passes.format(other)}/{gone}")

    def _write_oath(self, kept: str, other: str) -> None:
        devices = "/beta/directory/authenticationMethodDevices/hardwareOathDevices"
        methods = "/beta/users/{}/authentication/hardwareOathMethods"
        first, second = (self._made(devices, TOKEN | {"serialNumber": str(number)}) for number in range(2))
        self._made(methods.format(kept), {"device": {"id": first}})
        code = one_time_code(b"12345678901234567890", self._clock.now(), 30, "hmacsha1")
        self._accepted("POST", f"{methods.format(kept)}/{first}/activate", {"verificationCode": code})
        body = {"device": {"id": second}, "verificationCode": code, "displayName": "Contract"}
        self._accepted("POST", f"{methods.format(other)}/assignAndActivate", body)
        self._accepted("POST", f"{methods.format(other)}/{second}/deactivate")
        self._accepted("DELETE", f"{methods.format(other)}/{second}")
        by_number = {"serialNumber": "1", "verificationCode": code}
        self._accepted("POST", f"{methods.format(other)}/assignAndActivateBySerialNumber", by_number)
        self._accepted("DELETE", f"{methods.format(other)}/{second}")
        self.ask("GET", f"/beta/users/{kept}/authentication/methods")
        self._accepted("DELETE", f"{devices}/{second}")

    def _write_policies(self, version: str) -> None:
        policies = f"{version}/identity/conditionalAccess/policies"
        locations = f"{version}/identity/conditionalAccess/namedLocations"
        for collection, body in ((policies, POLICY), (locations, LOCATION)):
            if self.ask("POST", collection, body).status == 403:
                continue  # the tenant has no licence for it
            kept, deleted = (self._made(collection, body) for _number in range(2))
            self._accepted("PATCH", f"{collection}/{kept}", {**body, "displayName": "Changed"})
            self._accepted("DELETE", f"{collection}/{deleted}")
        configurations = f"{METHODS.format(version)}/authenticationMethodConfigurations"
        self._accepted("PATCH", f"{configurations}/Sms", SMS)
        self._accepted("DELETE", f"{configurations}/Sms")
        kept, deleted = (self._made(configurations, EXTERNAL) for _number in range(2))
        self._accepted("PATCH", f"{configurations}/{kept}", {**EXTERNAL, "state": "enabled"})
        self._accepted("DELETE", f"{configurations}/{deleted}")
        campaign = {"authenticationMethodsRegistrationCampaign": CAMPAIGN}
        self._accepted("PATCH", METHODS.format(version), {"registrationEnforcement": campaign})
        self._accepted("PATCH", f"{version}/policies/identitySecurityDefaultsEnforcementPolicy", {"isEnabled": False})
        authorization = f"{version}/policies/authorizationPolicy"
        authorization += "/authorizationPolicy" if version == "/beta" else ""
        self._accepted("PATCH", authorization, {"allowedToSignUpEmailBasedSubscriptions": False})

    @property
    def _domain(self) -> str:
        domains = self.ask("GET", "/v1.0/domains").body["value"]
        return next(str(domain["id"]) for domain in domains if domain["isInitial"])

    def _accepted(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, path, body)
        assert answer.status < 300, f"{method} {path}: {answer.body}"
        return answer.body

    def _made(self, collection: str, body: Any) -> str:
        return str(self._accepted("POST", collection, body)["id"])

    def read_everything(self) -> None:
        """Each GET of the simulator, in each version, of some objects where a path names one."""
        for route in ROUTES:
            for version in route.versions:
                if route.method == "GET":
                    for path in self.paths(version, route):
                        self.ask("GET", path)

    def paths(self, version: str, route: Route) -> Iterator[str]:
        """The route's template with ids of objects that are there."""
        head, brace, tail = route.template.partition("{")
        if not brace:
            yield f"/{version}{route.template}"
            return
        yield from self._fill(f"/{version}{head}", brace + tail)

    def _fill(self, before: str, after: str) -> Iterator[str]:
        _variable, _brace, rest = after.partition("}")
        middle, brace, tail = rest.partition("{")
        for id in self.ids(before.rstrip("/")):
            path = f"{before}{id}{middle}"
            if brace:
                yield from self._fill(path, brace + tail)
            else:
                yield path

    def ids(self, collection: str) -> list[str]:
        """Of some objects of a collection, or none where there is no such collection."""
        if collection not in self._found:
            # Objects of all kinds cannot be listed.
            listed = self.ask("GET", collection.replace("/directoryObjects", "/users")).body
            items = listed.get("value", [])
            self._found[collection] = [item["id"] for item in items[:SOME] if "id" in item]
        return self._found[collection]
