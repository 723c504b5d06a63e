# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Domains, subscriptions and the organization itself."""

from __future__ import annotations

from typing import Any

from m365_simulator.building.making import Making
from m365_simulator.clock import days_before
from m365_simulator.licences import subscribed_sku
from m365_simulator.population import new_id


def build_domains(making: Making) -> list[dict[str, Any]]:
    rng = making.random("domains")
    wanted = making.scenario.get("domains", [])
    domains = [_domain(making.tenant.initial_domain, initial=True, default=not any(d.get("default") for d in wanted))]
    for item in wanted:
        name = making.numbered(item["name"])
        domains.append(_domain(name, default=item.get("default", False), federated="federation" in item))
        if "federation" in item:
            federation: dict[str, Any] = {
                "id": new_id(rng),
                "displayName": making.about.get("display_name", making.tenant.scenario),
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
            making.add("federation", federation["id"], federation, name=name)
    for domain in domains:
        making.add("domain", domain["id"], domain, name=domain["id"])
    return domains


def build_subscriptions(making: Making) -> list[dict[str, Any]]:
    return [
        subscribed_sku(
            making.tenant.id,
            item["part_number"],
            bought=item.get("bought", 25),
            consumed=0,
            status=item.get("status", "Enabled"),
        )
        for item in making.scenario.get("subscriptions", [])
    ]


def build_organization(making: Making, domains: list[dict[str, Any]], skus: list[dict[str, Any]]) -> None:
    plans = [
        {
            "assignedDateTime": making.created,
            "capabilityStatus": "Enabled",
            "service": "AADPremiumService" if plan["servicePlanName"].startswith("AAD") else "exchange",
            "servicePlanId": plan["servicePlanId"],
        }
        for sku in skus
        for plan in sku["servicePlans"]
    ]
    people = making.scenario.get("people", {})
    synced = people.get("generated", {}).get("synced", 0) > 0 or any(
        person.get("kind") in ("synced", "sync") for person in people.get("named", [])
    )
    making.add(
        "organization",
        making.tenant.id,
        {
            "id": making.tenant.id,
            "deletedDateTime": None,
            "businessPhones": [],
            "city": None,
            "country": None,
            "countryLetterCode": making.about.get("country", "NL"),
            "createdDateTime": making.created,
            "defaultUsageLocation": None,
            "displayName": making.about.get("display_name", making.tenant.scenario.capitalize()),
            "marketingNotificationEmails": [],
            "mobileDeviceManagementAuthority": "unknown",
            "onPremisesLastSyncDateTime": days_before(making.now, 0.02) if synced else None,
            "onPremisesSyncEnabled": True if synced else None,
            "partnerTenantType": None,
            "postalCode": None,
            "preferredLanguage": "en",
            "privacyProfile": None,
            "securityComplianceNotificationMails": [],
            "securityComplianceNotificationPhones": [],
            "state": None,
            "street": None,
            "technicalNotificationMails": [f"it@{making.tenant.initial_domain}"],
            "tenantType": making.tenant.kind,
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
