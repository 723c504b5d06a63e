# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/policies/authenticationMethodsPolicy and its authenticationMethodConfigurations, in v1.0 and beta form."""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Mapping
from typing import Any

from m365_simulator.graph.answers import (
    answer_created,
    answer_one,
    answer_plain_list,
    check_known,
    check_types,
    no_content,
)
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import GraphError, bad_policy
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import V1, Call, GraphResponse, Route
from m365_simulator.method_defaults import default_configurations, external_configuration

PATH = "/policies/authenticationMethodsPolicy"
CONFIGURATIONS = "authenticationMethodConfigurations"
POLICY = EntityType("authenticationMethodsPolicy", "authenticationMethodsPolicy")
CONFIGURATION = EntityType("authenticationMethodConfiguration", "methodConfiguration")

LARGEST_BYTES = 20 * 1024
MIGRATION_STATES = ("preMigration", "migrationInProgress", "migrationComplete")
THREE_STATES = ("default", "enabled", "disabled")
BETA_POLICY = ("systemCredentialPreferences", "reportSuspiciousActivitySettings", "optOutSettings")
BETA_CONFIGURATIONS = ("HardwareOath",)
BETA_MEMBERS: dict[str, tuple[str, ...]] = {"Voice": ("callerIdNumber",)}
V1_MEMBERS: dict[str, tuple[str, ...]] = {"X509Certificate": ("crlValidationConfiguration",)}
BETA_FEATURES = ("companionAppAllowedState", "numberMatchingRequiredState")
READ_ONLY = ("id", "displayName", "description", "lastModifiedDateTime", "policyVersion")
CAMPAIGN_MEMBERS = ("snoozeDurationInDays", "state", "excludeTargets", "includeTargets")
LONGEST_SNOOZE = 14
TARGET_MEMBERS = {
    "excludeTarget": ("id", "targetType"),
    "excludeTargets": ("id", "targetType"),
    "includeTarget": ("id", "targetType"),
    "includeTargets": (
        "allowedPasskeyProfiles",
        "authenticationMode",
        "id",
        "isRegistrationRequired",
        "isUsableForSignIn",
        "targetType",
        "targetedAuthenticationMethod",
    ),
}
"""Of a target, whatever the method; in Microsoft's metadata each method has a type of its own."""
TARGET_TYPES = ("group", "user", "unknownFutureValue")
RANGES: dict[str, tuple[int, int]] = {
    "defaultLength": (8, 48),
    "minimumLifetimeInMinutes": (10, 43200),
    "maximumLifetimeInMinutes": (10, 43200),
    "defaultLifetimeInMinutes": (10, 43200),
    "pinLength": (8, 20),
    "standardQRCodeLifetimeInDays": (1, 395),
}


def show_configuration(call: Call, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as the version shows it, with the annotations of expanded targets."""
    document = copy.deepcopy(dict(stored))
    if call.version == V1:
        for name in BETA_MEMBERS.get(document["id"], ()):
            document.pop(name, None)
        for name in BETA_FEATURES:
            document.get("featureSettings", {}).pop(name, None)
    else:
        for name in V1_MEMBERS.get(document["id"], ()):
            document.pop(name, None)
    targets = document.pop("includeTargets")
    type_name = document["@odata.type"].lstrip("#")
    base = f"policies/authenticationMethodsPolicy/{CONFIGURATIONS}('{document['id']}')/{type_name}/includeTargets"
    document["includeTargets@odata.context"] = f"{call.request.base}/{call.version}/$metadata#{base}"
    document["includeTargets"] = targets
    return document


def _configurations(call: Call) -> list[dict[str, Any]]:
    return [
        show_configuration(call, document)
        for document in call.store.documents(CONFIGURATION.kind)
        if call.version != V1 or document["id"] not in BETA_CONFIGURATIONS
    ]


def _policy(call: Call) -> dict[str, Any]:
    row = call.store.read(POLICY.kind, "authenticationMethodsPolicy")
    assert row is not None
    return row.document


def get_policy(call: Call) -> GraphResponse:
    document = copy.deepcopy(_policy(call))
    if call.version == V1:
        for name in BETA_POLICY:
            document.pop(name, None)
        campaign = document["registrationEnforcement"]["authenticationMethodsRegistrationCampaign"]
        campaign.pop("enforceRegistrationAfterAllowedSnoozes", None)
    context = f"{call.request.base}/{call.version}/$metadata#policies/authenticationMethodsPolicy/{CONFIGURATIONS}"
    document[f"{CONFIGURATIONS}@odata.context"] = context
    document[CONFIGURATIONS] = _configurations(call)
    return answer_one(call, POLICY, "authenticationMethodsPolicy", document)


def patch_policy(call: Call) -> GraphResponse:
    body = call.body()
    document = copy.deepcopy(_policy(call))
    allowed = set(document) | {"reconfirmationInDays", "microsoftAuthenticatorPlatformSettings"}
    if call.version == V1:
        only_beta = {*BETA_POLICY, "microsoftAuthenticatorPlatformSettings"}
        allowed -= only_beta
        if call.assumes("beta_setting_in_v1") == "ignored":
            body = {name: value for name, value in body.items() if name not in only_beta}
    check_known(body, allowed, POLICY.name)
    check_types(body, document, POLICY.name)
    _check_members(body)
    started_as = call.store.read(POLICY.kind, POLICY.name)
    assert started_as is not None
    for name, value in body.items():
        if name in READ_ONLY or "@odata." in name:
            continue
        if name == "policyMigrationState":
            document[name] = _migrate(call, document[name], value, started_as.private.get("startedAs"))
        elif name == "registrationEnforcement":
            document[name] = _check_campaign(call, document[name], value)
        else:
            _check_settings(name, value)
            document[name] = {**document[name], **value} if isinstance(document.get(name), dict) else value
    _save_policy(call, document)
    record_change(call, "Policy", "Authentication Methods Policy Update", document["id"], document["displayName"])
    return no_content()


def _migrate(call: Call, current: str | None, wanted: Any, started_as: str | None) -> str | None:
    """A tenant that began without the property keeps null; one that began in progress never goes back before it."""
    if wanted not in MIGRATION_STATES:
        raise bad_policy(f"Requested value '{wanted}' was not found.")
    if started_as is None:
        return current
    if wanted == "preMigration" and started_as != "preMigration":
        if call.assumes("migration_back_refusal") == "ignored":
            return current
        raise bad_policy("The migration state of this tenant cannot be set to preMigration.")
    return str(wanted)


def _check_campaign(call: Call, current: Mapping[str, Any], wanted: Any) -> dict[str, Any]:
    old = current["authenticationMethodsRegistrationCampaign"]
    campaign = wanted.get("authenticationMethodsRegistrationCampaign") if isinstance(wanted, dict) else None
    if isinstance(campaign, dict) and call.assumes("incomplete_campaign") == "merged":
        campaign = {**old, **campaign}
    if not isinstance(campaign, dict) or any(campaign.get(name) is None for name in CAMPAIGN_MEMBERS):
        raise bad_policy(
            "A null value was found for a property of 'microsoft.graph.authenticationMethodsRegistrationCampaign', "
            "which is not nullable."
        )
    days = campaign["snoozeDurationInDays"]
    if isinstance(days, int) and call.assumes("snooze_refusal") == "clamped":
        campaign = {**campaign, "snoozeDurationInDays": min(max(days, 0), LONGEST_SNOOZE)}
    elif not isinstance(days, int) or not 0 <= days <= LONGEST_SNOOZE:
        raise bad_policy("snoozeDurationInDays must be between 0 and 14.")
    if campaign["state"] not in THREE_STATES:
        raise bad_policy(f"Requested value '{campaign['state']}' was not found.")
    return {"authenticationMethodsRegistrationCampaign": {**old, **campaign}}


def _check_settings(name: str, value: Any) -> None:
    if name == "reconfirmationInDays":
        return
    if not isinstance(value, dict):
        raise bad_policy(f"The value of '{name}' must be an object.")
    if "state" in value and value["state"] not in THREE_STATES:
        raise bad_policy(f"Requested value '{value['state']}' was not found.")


def _save_policy(call: Call, document: dict[str, Any]) -> None:
    document["lastModifiedDateTime"] = call.clock.stamp()
    _check_size(call, document, call.store.documents(CONFIGURATION.kind))
    call.store.update(POLICY.kind, POLICY.name, document=document)


def _check_size(call: Call, policy: Mapping[str, Any], configurations: list[dict[str, Any]]) -> None:
    """Microsoft documents the limit of 20 KB, not its text."""
    if len(json.dumps([policy, configurations], separators=(",", ":"))) > LARGEST_BYTES:
        message = "The size of the authentication methods policy exceeds the limit of 20 KB."
        if call.assumes("methods_policy_size_refusal") == "413":
            raise GraphError(413, "RequestEntityTooLarge", message)
        raise bad_policy(message)


def _find(call: Call) -> dict[str, Any]:
    row = call.store.read(CONFIGURATION.kind, call.id)
    if row is None or (call.version == V1 and row.id in BETA_CONFIGURATIONS):
        raise GraphError(
            404, "ResourceNotFound", f"Could not find the authentication method configuration '{call.id}'."
        )
    return row.document


def list_configurations(call: Call) -> GraphResponse:
    suffix = f"policies/authenticationMethodsPolicy/{CONFIGURATIONS}{{select}}"
    return answer_plain_list(call, suffix, _configurations(call))


def get_configuration(call: Call) -> GraphResponse:
    document = show_configuration(call, _find(call))
    return answer_one(call, CONFIGURATION, f"policies/authenticationMethodsPolicy/{CONFIGURATIONS}/$entity", document)


def create_configuration(call: Call) -> GraphResponse:
    """Of an external method: the others are there always."""
    body = call.body()
    document = external_configuration(str(uuid.uuid4()))
    if body.get("@odata.type") != document["@odata.type"]:
        raise bad_policy("Cannot create an abstract class, or a configuration that is there already.")
    check_known(body, document, document["@odata.type"].removeprefix("#microsoft.graph."))
    changes = {name: value for name, value in body.items() if "@odata." not in name and name != "id"}
    check_types(changes, document, "externalAuthenticationMethodConfiguration")
    for name in ("displayName", "appId", "openIdConnectSetting"):
        if not changes.get(name):
            raise bad_policy(f"A value is required for the property '{name}'.")
    _check_members(changes)
    _check_configuration(call, document, changes)
    document.update(changes)
    policy = _policy(call)
    _check_size(call, policy, [*call.store.documents(CONFIGURATION.kind), document])
    call.store.insert(CONFIGURATION.kind, document["id"], document)
    _save_policy(call, policy)
    record_change(call, "Policy", "Authentication Methods Policy Update", document["id"], document["displayName"])
    suffix = f"policies/authenticationMethodsPolicy/{CONFIGURATIONS}/$entity"
    return answer_created(call, suffix, show_configuration(call, document))


def patch_configuration(call: Call) -> GraphResponse:
    stored = _find(call)
    body = call.body()
    type_name = body.get("@odata.type")
    if type_name is None and call.assumes("method_type_refusal") == "abstract":
        raise bad_policy(
            "Cannot create an abstract class. The request must name the type of the configuration in '@odata.type'."
        )
    if str(type_name).lstrip("#").lower() != stored["@odata.type"].lstrip("#").lower():
        raise bad_policy(
            f"A type named '{str(type_name or '').lstrip('#')}' could not be resolved for this configuration."
        )
    shown = show_configuration(call, stored)
    check_known(body, shown, stored["@odata.type"].removeprefix("#microsoft.graph."))
    changes = {name: value for name, value in body.items() if "@odata." not in name and name != "id"}
    check_types(changes, stored, stored["id"])
    if None in changes.values():
        raise bad_policy("A null value was found for a property that is not nullable.")
    _check_members(changes)
    _check_configuration(call, stored, changes)
    document = copy.deepcopy(stored)
    for name, value in changes.items():
        if name == "featureSettings":
            document[name] = {**document[name], **value}
        elif name == "includeTargets":
            document[name] = [{"isRegistrationRequired": False, **target} for target in value]
        else:
            document[name] = value
    policy = _policy(call)
    others = [item for item in call.store.documents(CONFIGURATION.kind) if item["id"] != stored["id"]]
    _check_size(call, policy, [*others, document])
    call.store.update(CONFIGURATION.kind, stored["id"], document=document)
    _save_policy(call, policy)
    record_change(call, "Policy", "Authentication Methods Policy Update", stored["id"], stored["id"])
    return no_content()


def _check_members(value: Any, name: str = "") -> None:
    """Refuse members that no target has, wherever in the body."""
    if isinstance(value, dict):
        check_known(value, TARGET_MEMBERS.get(name, value), name)
        for key, item in value.items():
            _check_members(item, key)
    elif isinstance(value, list):
        for item in value:
            _check_members(item, name)


def _check_configuration(call: Call, stored: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    if changes.get("state", "enabled") not in ("enabled", "disabled"):
        raise bad_policy(f"Requested value '{changes['state']}' was not found.")
    features = changes.get("featureSettings")
    if isinstance(features, dict) and "numberMatchingRequiredState" in features:
        # Rejected since number matching became permanent in 2023.
        raise bad_policy("numberMatchingRequiredState can no longer be configured.")
    _check_targets(call, changes)
    for name, (lowest, highest) in RANGES.items():
        value = changes.get(name, lowest)
        if not isinstance(value, int) or not lowest <= value <= highest:
            raise bad_policy(f"{name} must be between {lowest} and {highest}.")
    merged = {**stored, **changes}
    if (
        stored["id"] == "Email"
        and merged["state"] == "disabled"
        and (merged["allowExternalIdToUseEmailOtp"] == "enabled")
    ):
        message = "The email method cannot be disabled while external users may use email one-time passcode."
        if call.assumes("email_method_refusal") == "403":
            raise GraphError(403, "AccessDenied", message)
        raise bad_policy(message)
    if stored["id"] == "TemporaryAccessPass" and not (
        merged["minimumLifetimeInMinutes"] <= merged["defaultLifetimeInMinutes"] <= merged["maximumLifetimeInMinutes"]
    ):
        raise bad_policy("The default lifetime must lie between the minimum and the maximum lifetime.")


def _check_targets(call: Call, changes: Mapping[str, Any]) -> None:
    for name in ("includeTargets", "excludeTargets"):
        targets = changes.get(name, [])
        if not isinstance(targets, list):
            raise bad_policy(f"The value of '{name}' must be a collection.")
        for target in targets:
            if not isinstance(target, dict) or not target.get("id") or target.get("targetType") not in TARGET_TYPES:
                raise bad_policy(f"A target in '{name}' needs an id and a targetType.")
            if target["targetType"] == "user" and call.assumes("user_as_method_target") == "refused":
                raise bad_policy(f"A target in '{name}' must be a group.")


def delete_configuration(call: Call) -> GraphResponse:
    """Back to the default, not away; but an external method has none."""
    stored = _find(call)
    default = default_configurations().get(stored["id"])
    if default is None:
        call.store.delete(CONFIGURATION.kind, stored["id"])
    else:
        call.store.update(CONFIGURATION.kind, stored["id"], document=default)
    _save_policy(call, _policy(call))
    record_change(call, "Policy", "Authentication Methods Policy Reset", stored["id"], stored["id"])
    return no_content()


ROUTES = [
    Route("GET", PATH, get_policy),
    Route("PATCH", PATH, patch_policy),
    Route("GET", f"{PATH}/{CONFIGURATIONS}", list_configurations),
    Route("POST", f"{PATH}/{CONFIGURATIONS}", create_configuration),
    Route("GET", f"{PATH}/{CONFIGURATIONS}/{{id}}", get_configuration),
    Route("PATCH", f"{PATH}/{CONFIGURATIONS}/{{id}}", patch_configuration),
    Route("DELETE", f"{PATH}/{CONFIGURATIONS}/{{id}}", delete_configuration),
]
