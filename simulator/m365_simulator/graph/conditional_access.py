# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/identity/conditionalAccess: policies and named locations."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from m365_simulator.graph.answers import answer_count, answer_created, answer_list, answer_one, check_types, no_content
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import GraphError, bad_policy, not_licensed
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.graph.security_defaults import read_security_defaults
from m365_simulator.licences import FREE, P2, tier_of

PATH = "/identity/conditionalAccess"
POLICY = EntityType("conditionalAccessPolicy", "conditionalAccessPolicy")
LOCATION = EntityType("namedLocation", "namedLocation")

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
BUILT_IN_STRENGTHS = {
    "00000000-0000-0000-0000-000000000002": ("Multifactor authentication", "mfa"),
    "00000000-0000-0000-0000-000000000003": ("Passwordless MFA", "mfa"),
    "00000000-0000-0000-0000-000000000004": ("Phishing-resistant MFA", "mfa"),
}

SCHEMA_MISMATCH = (
    "1007: Incoming ConditionalAccessPolicy object is null or does not match the schema of ConditionalAccessPolicy "
    "type. For examples, please see API documentation at https://learn.microsoft.com/graph/api/"
    "conditionalaccessroot-post-policies."
)


def read_back(policy: Mapping[str, Any]) -> dict[str, Any]:
    """A written policy as Graph shows it: every member there, one control makes AND an OR, a strength expanded,
    ineffective session controls null."""
    shown = {name: value for name, value in policy.items() if "@odata." not in name}
    conditions = {**CONDITION_MEMBERS, **(policy.get("conditions") or {})}
    for name in ("platforms", "locations", "devices", "clientApplications", "authenticationFlows"):
        if not conditions.get(name):
            conditions[name] = None
    flows = conditions["authenticationFlows"]
    if flows and isinstance(flows.get("transferMethods"), str):
        conditions["authenticationFlows"] = {"transferMethods": _sorted_flags(flows["transferMethods"])}
    conditions["applications"] = {**APPLICATION_MEMBERS, **(conditions["applications"] or {})}
    conditions["users"] = {**USER_MEMBERS, **(conditions["users"] or {})}
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
        name, requirement = BUILT_IN_STRENGTHS.get(id, ("Custom", "mfa"))
        shown["authenticationStrength"] = {
            "id": id,
            "createdDateTime": "2021-12-01T08:00:00Z",
            "modifiedDateTime": "2021-12-01T08:00:00Z",
            "displayName": name,
            "description": "",
            "policyType": "builtIn" if id in BUILT_IN_STRENGTHS else "custom",
            "requirementsSatisfied": requirement,
            "allowedCombinations": [],
            "combinationConfigurations": [],
        }
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


def _tier(call: Call) -> str:
    return tier_of(call.store.documents("subscribedSku"))


def _check_read(call: Call) -> None:
    if call.assumes("conditional_access_read_on_free") == "403" and _tier(call) == FREE:
        raise not_licensed()


def list_policies(call: Call) -> GraphResponse:
    _check_read(call)
    return answer_list(call, POLICY, "identity/conditionalAccess/policies{select}")


def count_policies(call: Call) -> GraphResponse:
    _check_read(call)
    return answer_count(call, POLICY)


def _find(call: Call) -> dict[str, Any]:
    row = call.store.read(POLICY.kind, call.id)
    if row is None:
        raise GraphError(404, "ResourceNotFound", f"ConditionalAccessPolicy with id {call.id} does not exist.")
    return row.document


def get_policy(call: Call) -> GraphResponse:
    _check_read(call)
    return answer_one(call, POLICY, "identity/conditionalAccess/policies/$entity", _find(call))


def create_policy(call: Call) -> GraphResponse:
    body = call.body()
    for name in ("displayName", "state", "conditions"):
        if not body.get(name):
            raise bad_policy(SCHEMA_MISMATCH)
    _check(call, body, body)
    policy = {
        "id": str(uuid.uuid4()),
        "templateId": None,
        "createdDateTime": call.clock.stamp(),
        "modifiedDateTime": None,
        **read_back({name: value for name, value in body.items() if name != "id"}),
    }
    call.store.insert(POLICY.kind, policy["id"], policy)
    record_change(call, "Policy", "Add conditional access policy", policy["id"], policy["displayName"])
    return answer_created(call, "identity/conditionalAccess/policies/$entity", policy)


def patch_policy(call: Call) -> GraphResponse:
    stored = _find(call)
    body = {name: value for name, value in call.body().items() if name != "id"}
    merged = {**stored, **body}
    if isinstance(body.get("conditions"), dict):
        # A part of the conditions that is not sent keeps its value.
        merged["conditions"] = {**stored["conditions"], **body["conditions"]}
    _check(call, body, merged)
    policy = {**read_back(merged), "modifiedDateTime": call.clock.stamp()}
    call.store.update(POLICY.kind, stored["id"], document=policy)
    record_change(call, "Policy", "Update conditional access policy", policy["id"], policy["displayName"])
    return no_content()


def delete_policy(call: Call) -> GraphResponse:
    stored = _find(call)
    call.store.delete(POLICY.kind, stored["id"])
    record_change(call, "Policy", "Delete conditional access policy", stored["id"], stored["displayName"])
    return no_content()


def _check(call: Call, sent: Mapping[str, Any], merged: Mapping[str, Any]) -> None:
    """Licence, schema, references and the exclusion of security defaults, in the order in which Graph refuses."""
    tier = _tier(call)
    if tier == FREE:
        raise not_licensed()
    _check_schema(sent, merged)
    conditions = merged["conditions"]
    if tier != P2 and any(conditions.get(name) for name in ("userRiskLevels", "signInRiskLevels")):
        raise bad_policy(
            "1039: Cannot create or update policies with premium P2 features. Upgrade to a premium P2 license and "
            "try again."
        )
    locations = conditions.get("locations") or {}
    for name in (*(locations.get("includeLocations") or ()), *(locations.get("excludeLocations") or ())):
        if name not in ("All", "AllTrusted") and call.store.read(LOCATION.kind, name) is None:
            raise bad_policy(f"1040: NamedLocation with id {name} does not exist in the directory.")
    if merged["state"] == "enabled" and read_security_defaults(call.store).document["isEnabled"]:
        raise bad_policy(
            "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a "
            "Conditional Access policy."
        )


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


def _check_schema(sent: Mapping[str, Any], merged: Mapping[str, Any]) -> None:
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


def list_locations(call: Call) -> GraphResponse:
    _check_read(call)
    return answer_list(call, LOCATION, "identity/conditionalAccess/namedLocations{select}")


def get_location(call: Call) -> GraphResponse:
    _check_read(call)
    row = call.store.read(LOCATION.kind, call.id)
    if row is None:
        raise GraphError(404, "ResourceNotFound", f"NamedLocation with id {call.id} does not exist in the directory.")
    return answer_one(call, LOCATION, "identity/conditionalAccess/namedLocations/$entity", row.document)


ROUTES = [
    Route("GET", PATH + "/policies", list_policies),
    Route("GET", PATH + "/policies/$count", count_policies),
    Route("POST", PATH + "/policies", create_policy),
    Route("GET", PATH + "/policies/{id}", get_policy),
    Route("PATCH", PATH + "/policies/{id}", patch_policy),
    Route("DELETE", PATH + "/policies/{id}", delete_policy),
    Route("GET", PATH + "/namedLocations", list_locations),
    Route("GET", PATH + "/namedLocations/{id}", get_location),
]
