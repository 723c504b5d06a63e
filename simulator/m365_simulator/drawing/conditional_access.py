# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Named locations and Conditional Access policies, with the exclusions and the neglect that real ones have."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from m365_simulator.drawing.facts import Facts, weighted
from m365_simulator.drawing.groups import EXCLUDED, SERVICES, STAFF

ENABLED, REPORT_ONLY, DISABLED = "enabled", "enabledForReportingButNotEnforced", "disabled"
OFFICES, COUNTRIES = "Offices", "Where we work"
AZURE_MANAGEMENT = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
PHISHING_RESISTANT = "00000000-0000-0000-0000-000000000004"

ROLES = (
    "Global Administrator",
    "Application Administrator",
    "Authentication Administrator",
    "Conditional Access Administrator",
    "Exchange Administrator",
    "Helpdesk Administrator",
    "Privileged Authentication Administrator",
    "Privileged Role Administrator",
    "Security Administrator",
    "SharePoint Administrator",
    "User Administrator",
)
MFA = {"operator": "OR", "builtInControls": ["mfa"]}
BLOCK = {"operator": "OR", "builtInControls": ["block"]}


def draw_conditional_access(rng: random.Random, facts: Facts, author: str) -> dict[str, Any]:
    """`author` is the name of the Global Administrator whom the strict policies spare, as Microsoft's portal proposes.

    The keys of a scenario for named locations, for policies and for the Microsoft-managed ones. Empty without P1."""
    if not facts.may_have_policies:
        return {}
    in_use = facts.protection == "Conditional Access"
    if not in_use and rng.random() < 0.5:
        return {}
    states = {ENABLED: 60, REPORT_ONLY: 25, DISABLED: 15} if in_use else {REPORT_ONLY: 60, DISABLED: 40}
    policies = [
        {**policy, "displayName": f"CA{number:03}: {policy['displayName']}", "state": weighted(rng, states)}
        for number, policy in enumerate(_policies(rng, facts, author), start=1)
    ]
    if in_use:
        policies[0]["state"] = ENABLED
    drawn: dict[str, Any] = {"named_locations": _locations(rng), "conditional_access_policies": policies}
    if in_use and facts.licence != "lapsed" and rng.random() < 0.3:
        drawn["microsoft_managed_policies"] = rng.choice((ENABLED, REPORT_ONLY))
    return drawn


def _locations(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "@odata.type": "#microsoft.graph.ipNamedLocation",
            "displayName": OFFICES,
            "isTrusted": rng.random() < 0.7,
            "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}],
        },
        {
            "@odata.type": "#microsoft.graph.countryNamedLocation",
            "displayName": COUNTRIES,
            "countriesAndRegions": rng.sample(("NL", "DE", "FR", "BE", "NO", "PT", "US", "CA"), 4),
            "includeUnknownCountriesAndRegions": rng.random() < 0.2,
            "countryLookupMethod": "clientIpAddress",
        },
    ]


def _policies(rng: random.Random, facts: Facts, author: str) -> Iterator[dict[str, Any]]:
    """The first one asks for MFA. All but some of those exclude the group of those who must always get in."""
    excluded = {"excludeGroups": [f"group:{EXCLUDED}"]}
    spared = {**excluded, "excludeUsers": [f"user:{author}"]}
    careless: Mapping[str, Any] = {} if rng.random() < 0.25 else excluded
    services = {"excludeGroups": [f"group:{EXCLUDED}", f"group:{SERVICES}"]}
    everybody = {"includeUsers": ["All"]}
    administrators = {"includeRoles": [f"role:{name}" for name in rng.sample(ROLES[1:], rng.randint(4, 10))]}
    administrators["includeRoles"].insert(0, f"role:{ROLES[0]}")
    first = [
        _policy("Require MFA for everybody", {**everybody, **services}, MFA),
        _policy("Require MFA for administrators", {**administrators, **careless}, MFA),
        _policy("Require MFA for staff", {"includeGroups": [f"group:{STAFF}"], **careless}, MFA),
    ]
    rng.shuffle(first)
    further = [
        _policy(
            "Block legacy authentication", {**everybody, **services}, BLOCK, clients=["exchangeActiveSync", "other"]
        ),
        _policy("Require MFA for Azure management", {**everybody, **careless}, MFA, applications=[AZURE_MANAGEMENT]),
        _policy(
            "Require MFA for guests",
            {"includeGuestsOrExternalUsers": _guests(), **excluded},
            MFA,
            applications=rng.choice((["All"], ["Office365"])),
        ),
        _policy(
            "Require MFA outside the offices",
            {**everybody, **excluded},
            MFA,
            locations={"includeLocations": ["All"], "excludeLocations": [f"location:{OFFICES}"]},
        ),
        _policy(
            "Block where nobody works",
            {**everybody, **spared},
            BLOCK,
            locations={"includeLocations": ["All"], "excludeLocations": [f"location:{COUNTRIES}"]},
        ),
        _policy(
            "Block device code flow",
            {**everybody, **excluded},
            BLOCK,
            authenticationFlows={"transferMethods": "deviceCodeFlow"},
        ),
        _policy(
            "Require a managed device for Office",
            {"includeGroups": [f"group:{STAFF}"], **spared},
            {"operator": "OR", "builtInControls": ["compliantDevice", "domainJoinedDevice"]},
            applications=["Office365"],
        ),
        _policy(
            "Require phishing-resistant MFA for administrators",
            {**administrators, **spared},
            {"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": PHISHING_RESISTANT}},
        ),
        _register_methods_in_offices({**everybody, **spared}),
        _ask_administrators_daily({**administrators, **excluded}),
    ]
    if facts.licence == "P2":
        further += [
            _policy("Require MFA at risk", {**everybody, **excluded}, MFA, signInRiskLevels=["high", "medium"]),
            _policy("Block users at high risk", {**everybody, **excluded}, BLOCK, userRiskLevels=["high"]),
        ]
    yield from first[: rng.randint(1, 3)]
    yield from rng.sample(further, rng.randint(1, len(further)))


def _policy(
    name: str,
    users: Mapping[str, Any],
    grant: Mapping[str, Any],
    *,
    applications: list[str] | None = None,
    clients: list[str] | None = None,
    **conditions: Any,
) -> dict[str, Any]:
    return {
        "displayName": name,
        "conditions": {
            "clientAppTypes": clients or ["all"],
            "applications": {"includeApplications": applications or ["All"]},
            "users": dict(users),
            **conditions,
        },
        "grantControls": dict(grant),
    }


def _register_methods_in_offices(users: Mapping[str, Any]) -> dict[str, Any]:
    locations = {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}
    policy = _policy("Register methods in the offices only", users, BLOCK, locations=locations)
    policy["conditions"]["applications"] = {"includeUserActions": ["urn:user:registersecurityinfo"]}
    return policy


def _ask_administrators_daily(users: Mapping[str, Any]) -> dict[str, Any]:
    frequency = {"value": 12, "type": "hours", "isEnabled": True, "frequencyInterval": "timeBased"}
    session = {"signInFrequency": {**frequency, "authenticationType": "primaryAndSecondaryAuthentication"}}
    return {**_policy("Ask administrators every day", users, MFA), "sessionControls": session}


def _guests() -> dict[str, Any]:
    kind = "#microsoft.graph.conditionalAccessAllExternalTenants"
    return {
        "guestOrExternalUserTypes": "b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,internalGuest",
        "externalTenants": {"@odata.type": kind, "membershipKind": "all"},
    }
