# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shape of a Conditional Access policy: what may be written, and how Graph shows it afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from m365_simulator.authentication_strengths import STRENGTHS, show_strength
from m365_simulator.graph.answers import check_types
from m365_simulator.graph.errors import GraphError, bad_policy

STATES = ("enabled", "disabled", "enabledForReportingButNotEnforced")
CLIENT_APP_TYPES = (
    "all",
    "browser",
    "mobileAppsAndDesktopClients",
    "exchangeActiveSync",
    "easSupported",
    "other",
)
CONTROLS = (
    "block",
    "mfa",
    "compliantDevice",
    "domainJoinedDevice",
    "approvedApplication",
    "compliantApplication",
    "passwordChange",
    "riskRemediation",
)
POLICY_MEMBERS = ("displayName", "state", "conditions", "grantControls", "sessionControls", "description", "id")
CONDITION_MEMBERS: dict[str, Any] = {
    "userRiskLevels": [],
    "signInRiskLevels": [],
    "clientAppTypes": [],
    "servicePrincipalRiskLevels": [],
    "insiderRiskLevels": None,
    "platforms": None,
    "locations": None,
    "devices": None,
    "clientApplications": None,
    "authenticationFlows": None,
    "applications": None,
    "users": None,
}
APPLICATION_MEMBERS: dict[str, Any] = {
    "includeApplications": [],
    "excludeApplications": [],
    "includeUserActions": [],
    "includeAuthenticationContextClassReferences": [],
    "applicationFilter": None,
}
USER_MEMBERS: dict[str, Any] = {
    "includeUsers": [],
    "excludeUsers": [],
    "includeGroups": [],
    "excludeGroups": [],
    "includeRoles": [],
    "excludeRoles": [],
    "includeGuestsOrExternalUsers": None,
    "excludeGuestsOrExternalUsers": None,
}
GRANT_MEMBERS: dict[str, Any] = {
    "operator": "OR",
    "builtInControls": [],
    "customAuthenticationFactors": [],
    "termsOfUse": [],
    "authenticationStrength": None,
}
SESSION_MEMBERS: dict[str, Any] = {
    "disableResilienceDefaults": None,
    "applicationEnforcedRestrictions": None,
    "cloudAppSecurity": None,
    "signInFrequency": None,
    "persistentBrowser": None,
    "secureSignInSession": None,
}

SCHEMA_MISMATCH = (
    "1007: Incoming ConditionalAccessPolicy object is null or does not match the schema of ConditionalAccessPolicy "
    "type. For examples, please see API documentation at https://learn.microsoft.com/graph/api/"
    "conditionalaccessroot-post-policies."
)


def read_back(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A written policy as Graph shows it: every member there, one control makes AND an OR, a strength expanded,
    ineffective session controls null, users None where it is for workload identities."""
    shown = {name: value for name, value in policy.items() if "@odata." not in name}
    conditions = {**CONDITION_MEMBERS, **(policy.get("conditions") or {})}
    for name in ("platforms", "locations", "devices", "clientApplications", "authenticationFlows"):
        if not conditions.get(name):
            conditions[name] = None
    flows = conditions["authenticationFlows"]
    if flows and isinstance(flows.get("transferMethods"), str):
        conditions["authenticationFlows"] = {"transferMethods": _sorted_flags(flows["transferMethods"])}
    conditions["applications"] = {**APPLICATION_MEMBERS, **(conditions["applications"] or {})}
    nobody = {"includeUsers": ["None"]} if conditions["clientApplications"] else {}
    conditions["users"] = {**USER_MEMBERS, **(conditions["users"] or nobody)}
    shown["conditions"] = conditions
    shown["grantControls"] = _read_back_grant(policy.get("grantControls"))
    session = policy.get("sessionControls")
    effective = session and any(_is_effective(value) for value in session.values())
    shown["sessionControls"] = {**SESSION_MEMBERS, **session} if session and effective else None
    return shown


def _read_back_grant(grant: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not grant:
        return None
    shown = {**GRANT_MEMBERS, **{name: value for name, value in grant.items() if "@odata." not in name}}
    strength = shown["authenticationStrength"]
    if strength:
        id = strength["id"]
        shown["authenticationStrength"] = (
            show_strength(id)
            if id in STRENGTHS
            else {
                "id": id,
                "createdDateTime": "2021-12-01T08:00:00Z",
                "modifiedDateTime": "2021-12-01T08:00:00Z",
                "displayName": "Custom",
                "description": "",
                "policyType": "custom",
                "requirementsSatisfied": "mfa",
                "allowedCombinations": [],
                "combinationConfigurations": [],
            }
        )
    for name in ("builtInControls", "customAuthenticationFactors", "termsOfUse"):
        shown[name] = shown[name] or []
    controls = len(shown["builtInControls"]) + len(shown["customAuthenticationFactors"]) + len(shown["termsOfUse"])
    if controls + bool(strength) <= 1:
        shown["operator"] = "OR"
    return shown


def _is_effective(value: Any) -> bool:
    return bool(value) and not (isinstance(value, dict) and value.get("isEnabled") is False)


def _sorted_flags(text: str) -> str:
    return ",".join(sorted(part.strip() for part in text.split(",")))


EXAMPLE: dict[str, Any] = {
    "displayName": "",
    "state": "",
    "conditions": {
        "clientAppTypes": [""],
        "userRiskLevels": [""],
        "signInRiskLevels": [""],
        "servicePrincipalRiskLevels": [""],
        "platforms": {"includePlatforms": [""], "excludePlatforms": [""]},
        "locations": {"includeLocations": [""], "excludeLocations": [""]},
        "devices": {"deviceFilter": {"mode": "", "rule": ""}},
        "clientApplications": {"includeServicePrincipals": [""], "excludeServicePrincipals": [""]},
        "authenticationFlows": {"transferMethods": ""},
        "applications": {
            "includeApplications": [""],
            "excludeApplications": [""],
            "includeUserActions": [""],
            "includeAuthenticationContextClassReferences": [""],
            "applicationFilter": {"mode": "", "rule": ""},
        },
        "users": {
            "includeUsers": [""],
            "excludeUsers": [""],
            "includeGroups": [""],
            "excludeGroups": [""],
            "includeRoles": [""],
            "excludeRoles": [""],
            "includeGuestsOrExternalUsers": {},
            "excludeGuestsOrExternalUsers": {},
        },
    },
    "grantControls": {
        "operator": "",
        "builtInControls": [""],
        "customAuthenticationFactors": [""],
        "termsOfUse": [""],
        "authenticationStrength": {"id": ""},
    },
    "sessionControls": {"disableResilienceDefaults": True, "signInFrequency": {}, "persistentBrowser": {}},
}
"""A value of the right type for each member."""


def _has_right_types(policy: Mapping[str, Any]) -> bool:
    try:
        check_types(dict(policy), EXAMPLE, "policy")
    except GraphError:
        return False
    strength = (policy.get("grantControls") or {}).get("authenticationStrength")
    return strength is None or "id" in strength


def check_schema(sent: Mapping[str, Any], merged: Mapping[str, Any]) -> None:
    conditions, grant, session = merged.get("conditions"), merged.get("grantControls"), merged.get("sessionControls")
    fits = (
        _knows(sent, POLICY_MEMBERS)
        and _has_right_types(merged)
        and merged.get("state") in STATES
        and isinstance(merged.get("displayName"), str)
        and isinstance(conditions, dict)
        and _knows(conditions, {**CONDITION_MEMBERS, "times": None, "deviceStates": None})
        and _knows(conditions.get("applications"), APPLICATION_MEMBERS)
        and _knows(conditions.get("users"), USER_MEMBERS)
        and bool(conditions.get("clientAppTypes"))
        and set(conditions["clientAppTypes"]) <= set(CLIENT_APP_TYPES)
        and (conditions.get("users") is not None or conditions.get("clientApplications") is not None)
        and _knows(grant, GRANT_MEMBERS)
        and set((grant or {}).get("builtInControls") or ()) <= set(CONTROLS)
        and (grant or {}).get("operator", "OR") in ("AND", "OR")
        and _knows(session, SESSION_MEMBERS)
        and bool(grant or session)
    )
    if not fits:
        raise bad_policy(SCHEMA_MISMATCH)


def _knows(value: Any, members: Iterable[str]) -> bool:
    if value is None:
        return True
    return isinstance(value, dict) and all(name in members or "@odata." in name for name in value)
