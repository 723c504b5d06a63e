# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant made by hand, with one rule at a time."""

from __future__ import annotations

from typing import Any

from m365_simulator.assumptions import check_assumption, default_assumptions
from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.method_defaults import default_configurations, default_policy, default_service_policy
from m365_simulator.objects import SECURITY_DEFAULTS_ID, role_assignment
from m365_simulator.sign_in_rules import Answer, Attempt, Directory, Protection, judge, protection
from m365_simulator.sign_in_rules.directory import epoch
from m365_simulator.state import Store
from m365_simulator.tenants import Application, Tenant

NOW = epoch("2026-11-23T12:00:00Z")
MANAGED, FEDERATED, INITIAL = "contoso.example", "corp.contoso.example", "contoso.onmicrosoft.com"
STRENGTH = "00000000-0000-0000-0000-00000000000"
"""With 2, 3 or 4 behind it: MFA, passwordless, phishing-resistant."""


class Scene:
    """Created in 2020, security defaults off, no policy, the methods of a fresh tenant, migrated."""

    def __init__(self, store: Store, created: str = "2020-01-01T00:00:00Z") -> None:
        self.store = store.tenant(0)
        self.store.clear()
        application = Application("", "", "", "", 0.0, "", [])
        self.tenant = Tenant(0, "tenant", "scene", INITIAL, "EU", "AAD", application, default_assumptions())
        self.now = NOW
        self._count = 0
        self.store.insert("organization", "tenant", {"id": "tenant", "createdDateTime": created})
        defaults = {"id": SECURITY_DEFAULTS_ID, "isEnabled": False}
        self.store.insert("securityDefaults", SECURITY_DEFAULTS_ID, defaults)
        policy = {**default_policy(created), "policyMigrationState": "migrationComplete"}
        self.store.insert("authenticationMethodsPolicy", policy["id"], policy)
        for name, configuration in default_configurations().items():
            self.store.insert("methodConfiguration", name, configuration)
        service = default_service_policy()
        self.store.insert("mfaServicePolicy", service["id"], service)
        for domain in (INITIAL, MANAGED, FEDERATED):
            kind = "Federated" if domain == FEDERATED else "Managed"
            self.store.insert("domain", domain, {"id": domain, "authenticationType": kind}, name=domain)
        self.federation(None)

    def id(self) -> str:
        self._count += 1
        return f"00000000-0000-4000-8000-{self._count:012x}"

    def user(
        self,
        *methods: str,
        roles: tuple[str, ...] = (),
        per_user_mfa: str = "disabled",
        enabled: bool = True,
        kind: str = "Member",
        invited: bool = False,
        domain: str = MANAGED,
        app_password: bool = False,
        scope: str = "/",
    ) -> str:
        """The id of a new user who has registered `methods`."""
        id = self.id()
        name = f"user{self._count}_partner.example#EXT#@{INITIAL}" if invited else f"user{self._count}@{domain}"
        document = {
            "id": id,
            "userPrincipalName": name,
            "displayName": f"User {self._count}",
            "accountEnabled": enabled,
            "userType": kind,
            "perUserMfaState": per_user_mfa,
        }
        private = {"methodsRegistered": list(methods), "appPasswords": app_password}
        self.store.insert("user", id, document, name=name, private=private)
        for role in roles:
            self.assign(role, id, scope)
        return id

    def administrator(self, *methods: str) -> str:
        return self.user(*methods, roles=("Global Administrator",))

    def assign(self, role: str, principal: str, scope: str = "/") -> None:
        assignment = role_assignment(BUILT_IN_ROLES[role][0], principal, scope)
        self.store.insert("roleAssignment", assignment["id"], assignment)

    def change_user(self, id: str, **changes: Any) -> None:
        row = self.store.read("user", id)
        assert row is not None
        self.store.update("user", id, document={**row.document, **changes})

    def group(self, *members: str) -> str:
        id = self.id()
        self.store.insert("group", id, {"id": id, "displayName": f"Group {self._count}"})
        self.store.link_many((id, member) for member in members)
        return id

    def policy(
        self,
        *controls: str,
        state: str = "enabled",
        operator: str = "OR",
        users: dict[str, Any] | None = None,
        applications: dict[str, Any] | None = None,
        clients: tuple[str, ...] = ("all",),
        strength: str | None = None,
        session: dict[str, Any] | None = None,
        terms: tuple[str, ...] = (),
        **conditions: Any,
    ) -> str:
        """A Conditional Access policy for everybody and everything, unless said otherwise."""
        id = self.id()
        grant: dict[str, Any] = {"operator": operator, "builtInControls": list(controls), "termsOfUse": list(terms)}
        if strength:
            grant["authenticationStrength"] = {"id": strength, "displayName": "Strength", "allowedCombinations": []}
        policy = {
            "id": id,
            "displayName": f"Policy {self._count}",
            "state": state,
            "conditions": {
                "clientAppTypes": list(clients),
                "users": {"includeUsers": ["All"]} if users is None else users,
                "applications": {"includeApplications": ["All"]} if applications is None else applications,
                **conditions,
            },
            "grantControls": grant if controls or strength or terms else None,
            "sessionControls": session,
        }
        self.store.insert("conditionalAccessPolicy", id, policy)
        return id

    def change_policy(self, id: str, **changes: Any) -> None:
        row = self.store.read("conditionalAccessPolicy", id)
        assert row is not None
        self.store.update("conditionalAccessPolicy", id, document={**row.document, **changes})

    def location(self, *ranges: str, countries: tuple[str, ...] = (), trusted: bool = False) -> str:
        id = self.id()
        document: dict[str, Any] = {"id": id, "displayName": f"Location {self._count}"}
        if ranges:
            document.update(isTrusted=trusted, ipRanges=[{"cidrAddress": text} for text in ranges])
        else:
            document.update(countriesAndRegions=list(countries))
        self.store.insert("namedLocation", id, document)
        return id

    def security_defaults(self, on: bool = True) -> None:
        document = {"id": SECURITY_DEFAULTS_ID, "isEnabled": on}
        self.store.update("securityDefaults", SECURITY_DEFAULTS_ID, document=document)

    def method(self, id: str, **changes: Any) -> None:
        row = self.store.read("methodConfiguration", id)
        assert row is not None
        self.store.update("methodConfiguration", id, document={**row.document, **changes})

    def enable(self, *ids: str) -> None:
        for id in ids:
            self.method(id, state="enabled")

    def migration(self, state: str | None) -> None:
        policy = self.store.documents("authenticationMethodsPolicy")[0]
        changed = {**policy, "policyMigrationState": state}
        self.store.update("authenticationMethodsPolicy", policy["id"], document=changed)

    def service(self, **changes: Any) -> None:
        policy = self.store.documents("mfaServicePolicy")[0]
        self.store.update("mfaServicePolicy", policy["id"], document={**policy, **changes})

    def federation(self, behaviour: str | None) -> None:
        self.store.delete("federation", "federation")
        document = {"id": "federation", "federatedIdpMfaBehavior": behaviour}
        self.store.insert("federation", "federation", document, name=FEDERATED)

    def assume(self, name: str, value: str) -> None:
        check_assumption(name, value)
        self.tenant.assumptions[name] = value

    def directory(self) -> Directory:
        return Directory.read(self.store, self.tenant, self.now)

    def judge(self, user: str, application: str = "Office365", **more: Any) -> Answer:
        return judge(self.directory(), Attempt(user, application, **more))

    def ask(self, user: str, application: str = "Office365", **more: Any) -> tuple[str, str]:
        """Whether the sign-in succeeds, and what of MFA."""
        answer = self.judge(user, application, **more)
        return answer.sign_in, answer.mfa

    def protection(self, user: str) -> Protection:
        return protection(self.directory(), user)

    def protects(self, user: str) -> tuple[str, str]:
        """The MFA, and the way in."""
        found = self.protection(user)
        return found.mfa, found.way_in
