# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turns a scenario into the objects of one tenant. The same scenario, seed and start give the same objects."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import func

from m365_simulator.assumptions import default_assumptions
from m365_simulator.clock import days_before, to_stamp
from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.errors import SimulatorError
from m365_simulator.graph.conditional_access import read_back
from m365_simulator.licences import subscribed_sku
from m365_simulator.method_defaults import default_configurations, default_policy, default_service_policy
from m365_simulator.objects import GRAPH_APP_ID, SECURITY_DEFAULTS_ID, new_group, role_assignment, role_definitions
from m365_simulator.population import Place, UserRow, generate_people, make_user, new_id
from m365_simulator.state import OBJECTS, TenantStore
from m365_simulator.tenants import Application, Tenant

DEFAULT_PERMISSIONS = (
    "Application.Read.All",
    "AuditLog.Read.All",
    "Domain.Read.All",
    "Group.ReadWrite.All",
    "LicenseAssignment.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
    "Policy.ReadWrite.AuthenticationMethod",
    "Policy.ReadWrite.Authorization",
    "Policy.ReadWrite.ConditionalAccess",
    "Policy.ReadWrite.SecurityDefaults",
    "RoleManagement.ReadWrite.Directory",
    "User.ReadWrite.All",
    "User.RevokeSessions.All",
    "UserAuthenticationMethod.ReadWrite.All",
)

LEGACY_CLIENTS = ("IMAP4", "POP3", "Authenticated SMTP", "Exchange ActiveSync", "Other clients")
MODERN_CLIENTS = ("Browser", "Mobile Apps and Desktop clients")


def tenant_random(seed: int, number: int, purpose: str) -> random.Random:
    """A source of its own per purpose, so that one part of a scenario does not change the ids of another."""
    return random.Random(f"{seed}/{number}/{purpose}")


def describe_tenant(
    scenario: Mapping[str, Any], name: str, *, number: int, repeat: int, seed: int, now: float
) -> Tenant:
    """The tenant itself and its application. `repeat` counts earlier tenants of the same scenario.

    The certificate is added by the caller, which owns the keys.
    """
    rng = tenant_random(seed, number, "tenant")
    about = scenario.get("tenant", {})
    label = _numbered(about.get("initial_domain", name), repeat)
    wanted = scenario.get("application", {})
    application = Application(
        client_id=new_id(rng),
        object_id=new_id(rng),
        display_name=wanted.get("display_name", "Zero trust baseline"),
        client_secret=wanted.get("client_secret") or secrets.token_urlsafe(30),
        secret_expires=now + wanted.get("secret_valid_days", 180) * 86400,
        certificate="",
        permissions=list(wanted.get("permissions", DEFAULT_PERMISSIONS)),
    )
    return Tenant(
        number=number,
        id=new_id(rng),
        scenario=name,
        initial_domain=f"{label}.onmicrosoft.com",
        region=about.get("region", "EU"),
        kind=about.get("kind", "AAD"),
        application=application,
        assumptions={**default_assumptions(), **{k: str(v) for k, v in scenario.get("assumptions", {}).items()}},
    )


def build_tenant(
    store: TenantStore,
    tenant: Tenant,
    scenario: Mapping[str, Any],
    *,
    repeat: int,
    seed: int,
    now: float,
    users: int | None,
) -> None:
    """Fill an empty TenantStore. `users` is the total number of users wanted, None for the scenario's own."""
    _Builder(store, tenant, scenario, repeat, seed, now, users).build()


class _Builder:
    def __init__(
        self,
        store: TenantStore,
        tenant: Tenant,
        scenario: Mapping[str, Any],
        repeat: int,
        seed: int,
        now: float,
        users: int | None,
    ) -> None:
        self.store, self.tenant, self.scenario = store, tenant, scenario
        self.repeat, self.seed, self.now, self.users = repeat, seed, now, users
        self.about: Mapping[str, Any] = scenario.get("tenant", {})
        self.age_days = float(self.about.get("age_days", 365))
        self.created = days_before(now, self.age_days)
        self.ids: dict[str, str] = {f"role:{name}": template for name, (template, _unused) in BUILT_IN_ROLES.items()}

    def build(self) -> None:
        domains = self._domains()
        skus = self._subscriptions()
        self._organization(domains)
        self.store.insert_many("roleDefinition", ((item["id"], "", item, {}) for item in role_definitions()))
        self._people(domains, skus)
        self._groups()
        self._service_principals()
        self._policies()
        self._conditional_access()
        self._sign_ins()

    def _domains(self) -> list[dict[str, Any]]:
        rng = tenant_random(self.seed, self.tenant.number, "domains")
        wanted = self.scenario.get("domains", [])
        domains = [_domain(self.tenant.initial_domain, initial=True, default=not any(d.get("default") for d in wanted))]
        for item in wanted:
            name = _numbered(item["name"], self.repeat)
            domains.append(_domain(name, default=item.get("default", False), federated="federation" in item))
            if "federation" in item:
                federation: dict[str, Any] = {
                    "id": new_id(rng),
                    "displayName": self.about.get("display_name", self.tenant.scenario),
                    "issuerUri": f"http://sts.{name}/adfs/services/trust/",
                    "metadataExchangeUri": f"https://sts.{name}/adfs/services/trust/mex",
                    "signingCertificate": "MIIC8DCCAdigAwIBAgIQexample",
                    "passiveSignInUri": f"https://sts.{name}/adfs/ls/",
                    "preferredAuthenticationProtocol": "wsFed",
                    "activeSignInUri": f"https://sts.{name}/adfs/services/trust/2005/usernamemixed",
                    "signOutUri": f"https://sts.{name}/adfs/ls/",
                    "promptLoginBehavior": "nativeSupport",
                    "isSignedAuthenticationRequestRequired": None,
                    "nextSigningCertificate": None,
                    "signingCertificateUpdateStatus": None,
                    "passwordResetUri": None,
                    "federatedIdpMfaBehavior": None,
                    **item["federation"],
                }
                self.store.insert("federation", federation["id"], federation, name=name)
        for domain in domains:
            self.store.insert("domain", domain["id"], domain, name=domain["id"])
        return domains

    def _subscriptions(self) -> list[dict[str, Any]]:
        skus = [
            subscribed_sku(
                self.tenant.id,
                item["part_number"],
                bought=item.get("bought", 25),
                consumed=0,
                status=item.get("status", "Enabled"),
            )
            for item in self.scenario.get("subscriptions", [])
        ]
        for sku in skus:
            self.store.insert("subscribedSku", sku["id"], sku)
        return skus

    def _organization(self, domains: list[dict[str, Any]]) -> None:
        plans = [
            {
                "assignedDateTime": self.created,
                "capabilityStatus": "Enabled",
                "service": "AADPremiumService" if plan["servicePlanName"].startswith("AAD") else "exchange",
                "servicePlanId": plan["servicePlanId"],
            }
            for sku in self.store.documents("subscribedSku")
            for plan in sku["servicePlans"]
        ]
        people = self.scenario.get("people", {})
        synced = people.get("generated", {}).get("synced", 0) > 0 or any(
            person.get("kind") in ("synced", "sync") for person in people.get("named", [])
        )
        self.store.insert(
            "organization",
            self.tenant.id,
            {
                "id": self.tenant.id,
                "deletedDateTime": None,
                "businessPhones": [],
                "city": None,
                "country": None,
                "countryLetterCode": self.about.get("country", "NL"),
                "createdDateTime": self.created,
                "defaultUsageLocation": None,
                "displayName": self.about.get("display_name", self.tenant.scenario.capitalize()),
                "marketingNotificationEmails": [],
                "mobileDeviceManagementAuthority": "unknown",
                "onPremisesLastSyncDateTime": days_before(self.now, 0.02) if synced else None,
                "onPremisesSyncEnabled": True if synced else None,
                "partnerTenantType": None,
                "postalCode": None,
                "preferredLanguage": "en",
                "privacyProfile": None,
                "securityComplianceNotificationMails": [],
                "securityComplianceNotificationPhones": [],
                "state": None,
                "street": None,
                "technicalNotificationMails": [f"it@{self.tenant.initial_domain}"],
                "tenantType": self.tenant.kind,
                "assignedPlans": plans,
                "provisionedPlans": [],
                "verifiedDomains": [
                    {
                        "capabilities": "Email, OfficeCommunicationsOnline",
                        "isDefault": domain["isDefault"],
                        "isInitial": domain["isInitial"],
                        "name": domain["id"],
                        "type": domain["authenticationType"],
                    }
                    for domain in domains
                ],
            },
        )

    def _people(self, domains: list[dict[str, Any]], skus: list[dict[str, Any]]) -> None:
        rng = tenant_random(self.seed, self.tenant.number, "people")
        place = Place(
            initial_domain=self.tenant.initial_domain,
            default_domain=next(domain["id"] for domain in domains if domain["isDefault"]),
            country=self.about.get("country", "NL"),
            now=self.now,
            age_days=self.age_days,
            sku_ids=tuple(sku["skuId"] for sku in skus),
        )
        people = self.scenario.get("people", {})
        taken: set[str] = set()
        named: list[UserRow] = []
        assignments: list[tuple[str, str]] = []
        for person in people.get("named", []):
            if "domain" in person and person["domain"] != "initial":
                person = {**person, "domain": _numbered(person["domain"], self.repeat)}
            row = make_user(rng, place, person, taken)
            named.append(row)
            self.ids[f"user:{person.get('user') or person['name']}"] = row[0]
            self.ids[f"user:{row[2]['mailNickname']}"] = row[0]
            assignments += [(BUILT_IN_ROLES[role][0], row[0]) for role in person.get("roles", [])]
        generated = people.get("generated", {})
        count = generated.get("count", 0) if self.users is None else max(0, self.users - len(named))
        licensed = 0

        def counted() -> Iterator[UserRow]:
            nonlocal licensed
            for row in (*named, *generate_people(rng, place, generated, count, taken)):
                licensed += bool(row[2]["assignedLicenses"])
                yield row

        self.store.insert_many("user", counted())
        for sku in skus:
            sku["consumedUnits"] = licensed
            enabled = sku["prepaidUnits"]["enabled"]
            sku["prepaidUnits"]["enabled"] = max(enabled, licensed) if enabled else 0
            self.store.update("subscribedSku", sku["id"], document=sku)
        for role, principal in assignments:
            self.assign(role, principal)

    def assign(self, role: str, principal: str) -> None:
        assignment = role_assignment(role, principal)
        self.store.insert("roleAssignment", assignment["id"], assignment)

    def _groups(self) -> None:
        rng = tenant_random(self.seed, self.tenant.number, "groups")
        for item in self.scenario.get("groups", []):
            self.ids[f"group:{item['name']}"] = new_id(rng)
        for item in self.scenario.get("groups", []):
            wanted: dict[str, Any] = {
                "displayName": item["name"],
                "description": item.get("description"),
                "mailNickname": item["name"].lower().replace(" ", "-"),
                "isAssignableToRole": True if item.get("role_assignable") else None,
            }
            group = new_group(self.ids[f"group:{item['name']}"], self.created, wanted)
            self.store.insert("group", group["id"], group, name=group["displayName"])
            members = [self.resolve(member) for member in item.get("members", [])]
            self.store.link_many((group["id"], member) for member in dict.fromkeys(members))
            if item.get("departments"):
                department = func.json_extract(OBJECTS.c.document, "$.department")
                self.store.link_where(group["id"], "user", department.in_(item["departments"]))

    def _service_principals(self) -> None:
        application = self.tenant.application
        own = {
            "id": application.object_id,
            "appId": application.client_id,
            "displayName": application.display_name,
            "appDisplayName": application.display_name,
            "appOwnerOrganizationId": self.tenant.id,
            "servicePrincipalNames": [application.client_id],
        }
        rng = tenant_random(self.seed, self.tenant.number, "service principals")
        graph = {
            "id": new_id(rng),
            "appId": GRAPH_APP_ID,
            "displayName": "Microsoft Graph",
            "appDisplayName": "Microsoft Graph",
            "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
            "servicePrincipalNames": [GRAPH_APP_ID, "https://graph.microsoft.com"],
        }
        for item in (own, graph):
            document: dict[str, Any] = {
                "deletedDateTime": None,
                "accountEnabled": True,
                "appRoleAssignmentRequired": False,
                "description": None,
                "replyUrls": [],
                "servicePrincipalType": "Application",
                "signInAudience": "AzureADMyOrg",
                "tags": [],
                **item,
            }
            self.store.insert("servicePrincipal", document["id"], document, name=document["appId"])
        for role in self.scenario.get("application", {}).get("roles", []):
            self.assign(BUILT_IN_ROLES[role][0], application.object_id)

    def _policies(self) -> None:
        defaults = self.scenario.get("security_defaults", {})
        upsell = defaults.get("upsell", {})
        due = to_stamp(self.now + upsell["due_in_days"] * 86400) if "due_in_days" in upsell else None
        self.store.insert(
            "securityDefaults",
            SECURITY_DEFAULTS_ID,
            {
                "id": SECURITY_DEFAULTS_ID,
                "displayName": "Security Defaults",
                "description": "Basic identity security that Microsoft recommends to every organization.",
                "isEnabled": defaults.get("enabled", False),
                "securityDefaultsUpsell": {"action": upsell.get("action", "none"), "dueDateTime": due},
            },
            private={"classicPolicies": self.about.get("classic_policies", False)},
        )
        wanted = self.scenario.get("authentication_methods_policy", {})
        policy = default_policy(self.created)
        policy["policyMigrationState"] = wanted.get("migration_state")
        policy.update(wanted.get("settings", {}))
        self.store.insert(
            "authenticationMethodsPolicy", policy["id"], policy, private={"startedAs": wanted.get("migration_state")}
        )
        changes = wanted.get("methods", {})
        configurations = default_configurations()
        for name in changes:
            if name not in configurations:
                raise SimulatorError(f"The scenario {self.tenant.scenario} names an unknown method, {name!r}.")
        for name, configuration in configurations.items():
            self.store.insert("methodConfiguration", name, {**configuration, **changes.get(name, {})})
        service = {**default_service_policy(), **self.scenario.get("mfa_service_policy", {})}
        self.store.insert("mfaServicePolicy", service["id"], service)
        authorization: dict[str, Any] = {
            "id": "authorizationPolicy",
            "displayName": "Authorization Policy",
            "description": "Used to manage authorization related settings across the company.",
            "allowInvitesFrom": "everyone",
            "allowedToSignUpEmailBasedSubscriptions": True,
            "allowedToUseSSPR": True,
            "allowEmailVerifiedUsersToJoinOrganization": False,
            "allowUserConsentForRiskyApps": None,
            "blockMsolPowerShell": False,
            "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
            "defaultUserRolePermissions": {
                "allowedToCreateApps": True,
                "allowedToCreateSecurityGroups": True,
                "allowedToCreateTenants": True,
                "allowedToReadBitlockerKeysForOwnedDevice": True,
                "allowedToReadOtherUsers": True,
                "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-recommended"],
            },
            **self.scenario.get("authorization_policy", {}),
        }
        self.store.insert("authorizationPolicy", authorization["id"], authorization)

    def _conditional_access(self) -> None:
        rng = tenant_random(self.seed, self.tenant.number, "conditional access")
        for item in self.scenario.get("named_locations", []):
            location = {"id": new_id(rng), "createdDateTime": self.created, "modifiedDateTime": self.created, **item}
            self.ids[f"location:{location.get('displayName')}"] = location["id"]
            self.store.insert("namedLocation", location["id"], location)
        for item in self.scenario.get("conditional_access_policies", []):
            policy = read_back(self.resolve_all(item))
            policy = {"id": new_id(rng), "templateId": None, "createdDateTime": self.created, **policy}
            policy.setdefault("modifiedDateTime", None)
            self.store.insert("conditionalAccessPolicy", policy["id"], policy)

    def _sign_ins(self) -> None:
        wanted = self.scenario.get("sign_ins", {})
        rng = tenant_random(self.seed, self.tenant.number, "sign-ins")
        users = self.store.rows("user", limit=60)
        if not users or not wanted:
            return
        moments = sorted(rng.uniform(0, wanted.get("days", 7)) for _unused in range(min(300, 4 * len(users))))
        rows: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []
        for days in moments:
            user = rng.choice(users).document
            legacy = rng.random() < wanted.get("legacy_share", 0.0)
            client = rng.choice(LEGACY_CLIENTS if legacy else MODERN_CLIENTS)
            sign_in = _sign_in(rng, user, client, days_before(self.now, days))
            rows.append((sign_in["id"], "", sign_in, {}))
        self.store.insert_many("signIn", rows)

    def resolve(self, reference: str) -> str:
        if reference.partition(":")[0] in ("user", "group", "role", "location"):
            if reference not in self.ids:
                raise SimulatorError(f"The scenario {self.tenant.scenario} refers to an unknown {reference!r}.")
            return self.ids[reference]
        return reference

    def resolve_all(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.resolve_all(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.resolve_all(inner) for inner in value]
        return self.resolve(value) if isinstance(value, str) else value


def _domain(name: str, *, initial: bool = False, default: bool = False, federated: bool = False) -> dict[str, Any]:
    return {
        "id": name,
        "authenticationType": "Federated" if federated else "Managed",
        "availabilityStatus": None,
        "isAdminManaged": True,
        "isDefault": default,
        "isInitial": initial,
        "isRoot": True,
        "isVerified": True,
        "passwordNotificationWindowInDays": 14,
        "passwordValidityPeriodInDays": 2147483647,
        "state": None,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
    }


def _sign_in(rng: random.Random, user: Mapping[str, Any], client: str, stamp: str) -> dict[str, Any]:
    failed = rng.random() < 0.05
    return {
        "id": new_id(rng),
        "createdDateTime": stamp,
        "userDisplayName": user["displayName"],
        "userPrincipalName": user["userPrincipalName"],
        "userId": user["id"],
        "appId": "00000002-0000-0ff1-ce00-000000000000",
        "appDisplayName": "Office 365 Exchange Online",
        "ipAddress": f"203.0.113.{rng.randrange(1, 255)}",
        "clientAppUsed": client,
        "correlationId": new_id(rng),
        "conditionalAccessStatus": "notApplied",
        "isInteractive": True,
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes_v2": [],
        "resourceDisplayName": "Office 365 Exchange Online",
        "resourceId": "00000002-0000-0ff1-ce00-000000000000",
        "status": {
            "errorCode": 50126 if failed else 0,
            "failureReason": "Invalid username or password." if failed else "Other.",
            "additionalDetails": None,
        },
        "deviceDetail": {
            "deviceId": "",
            "displayName": "",
            "operatingSystem": "Windows",
            "browser": "Edge",
            "isCompliant": False,
            "isManaged": False,
            "trustType": "",
        },
        "location": {"city": "Utrecht", "state": "Utrecht", "countryOrRegion": "NL", "geoCoordinates": None},
        "appliedConditionalAccessPolicies": [],
    }


def _numbered(name: str, repeat: int) -> str:
    """`fabrikam.com` for the first tenant of a scenario, then `fabrikam2.com` and so on."""
    if repeat == 0:
        return name
    label, dot, rest = name.partition(".")
    return f"{label}{repeat + 1}{dot}{rest}"
