# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/identity/conditionalAccess/policies."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from m365_simulator.graph.answers import answer_count, answer_created, answer_list, answer_one, no_content
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import GraphError, bad_policy, not_licensed
from m365_simulator.graph.managed_policies import is_allowed_change
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.policy_schema import SCHEMA_MISMATCH, check_schema, read_back
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.graph.security_defaults import exclude_enabled_policies
from m365_simulator.licences import FREE, P2, WORKLOAD_IDENTITIES_PLANS, plans_of, tier_of
from m365_simulator.state import Row

PATH = "/identity/conditionalAccess"
POLICY = EntityType("conditionalAccessPolicy", "conditionalAccessPolicy")
DELETED_POLICY_KIND = "deletedConditionalAccessPolicy"
LOCATION_KIND = "namedLocation"


def _tier(call: Call) -> str:
    return tier_of(call.store.documents("subscribedSku"))


def check_read(call: Call) -> None:
    if call.assumes("conditional_access_read_on_free") == "403" and _tier(call) == FREE:
        raise not_licensed()


def list_policies(call: Call) -> GraphResponse:
    check_read(call)
    return answer_list(call, POLICY, "identity/conditionalAccess/policies{select}")


def count_policies(call: Call) -> GraphResponse:
    check_read(call)
    return answer_count(call, POLICY)


def _find(call: Call) -> Row:
    row = call.store.read(POLICY.kind, call.id)
    if row is None:
        raise GraphError(404, "ResourceNotFound", f"ConditionalAccessPolicy with id {call.id} does not exist.")
    return row


def get_policy(call: Call) -> GraphResponse:
    check_read(call)
    return answer_one(call, POLICY, "identity/conditionalAccess/policies/$entity", _find(call).document)


def create_policy(call: Call) -> GraphResponse:
    body = call.body()
    for name in ("displayName", "state", "conditions"):
        if not body.get(name):
            raise bad_policy(SCHEMA_MISMATCH)
    _check(call, body, body)
    _check_limit(call)
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
    row = _find(call)
    stored = row.document
    body = {name: value for name, value in call.body().items() if name != "id"}
    merged = {**stored, **body}
    if isinstance(body.get("conditions"), dict):
        # A part of the conditions that is not sent keeps its value.
        merged["conditions"] = {**stored["conditions"], **body["conditions"]}
    _check(call, body, merged)
    policy = {**read_back(merged), "modifiedDateTime": call.clock.stamp()}
    if row.private.get("managed") and not is_allowed_change(stored, policy):
        raise _managed(call)
    call.store.update(POLICY.kind, stored["id"], document=policy)
    record_change(call, "Policy", "Update conditional access policy", policy["id"], policy["displayName"])
    return no_content()


def delete_policy(call: Call) -> GraphResponse:
    """Into the deleted items of Conditional Access."""
    row = _find(call)
    if row.private.get("managed"):
        raise _managed(call)
    call.store.delete(POLICY.kind, row.id)
    call.store.insert(DELETED_POLICY_KIND, row.id, {**row.document, "deletedDateTime": call.clock.stamp()})
    record_change(call, "Policy", "Delete conditional access policy", row.id, row.document["displayName"])
    return no_content()


def _managed(call: Call) -> GraphError:
    """No public source has Graph's own answer."""
    message = "Microsoft-managed policies cannot be renamed or deleted. Only their state and exclusions can be changed."
    if call.assumes("managed_policy_refusal") == "403":
        return GraphError(403, "AccessDenied", message)
    return bad_policy(message)


def _check_limit(call: Call) -> None:
    """Policies in any state count, those that Microsoft manages do not. No public source has the text."""
    own = [row for row in call.store.rows(POLICY.kind) if not row.private.get("managed")]
    if len(own) < int(call.assumes("conditional_access_policy_limit")):
        return
    message = "The tenant has reached the maximum number of Conditional Access policies."
    if call.assumes("conditional_access_limit_refusal") == "403":
        raise GraphError(403, "Directory_QuotaExceeded", message)
    raise bad_policy(message)


def _check(call: Call, sent: Mapping[str, Any], merged: Mapping[str, Any]) -> None:
    """Licence, schema, references and the exclusion of security defaults, in the order in which Graph refuses."""
    tier = _tier(call)
    if tier == FREE:
        raise not_licensed()
    check_schema(sent, merged)
    conditions = merged["conditions"]
    if tier != P2 and any(conditions.get(name) for name in ("userRiskLevels", "signInRiskLevels")):
        raise bad_policy(
            "1039: Cannot create or update policies with premium P2 features. Upgrade to a premium P2 license and "
            "try again."
        )
    if conditions.get("clientApplications") and not WORKLOAD_IDENTITIES_PLANS & plans_of(
        call.store.documents("subscribedSku")
    ):
        raise bad_policy(
            "1150: Cannot create or update policies with workload identity premium features. Upgrade to a workload "
            "identity premium P1 or P2 license and try again"
        )
    locations = conditions.get("locations") or {}
    for name in (*(locations.get("includeLocations") or ()), *(locations.get("excludeLocations") or ())):
        if name not in ("All", "AllTrusted") and call.store.read(LOCATION_KIND, name) is None:
            raise bad_policy(f"1040: NamedLocation with id {name} does not exist in the directory.")
    _check_defaults(call, merged["state"])


def _check_defaults(call: Call, state: str) -> None:
    """Raise Graph's refusal of an enabled policy while security defaults are on."""
    if state == "enabledForReportingButNotEnforced":
        return
    if state == "disabled" and call.assumes("disabled_policy_under_security_defaults") == "accepted":
        return
    if exclude_enabled_policies(call):
        raise bad_policy(
            "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a "
            "Conditional Access policy."
        )


def check_restored(call: Call, state: str) -> None:
    """Raise what keeps a deleted policy from coming back."""
    _check_limit(call)
    _check_defaults(call, state)


ROUTES = [
    Route("GET", PATH + "/policies", list_policies),
    Route("GET", PATH + "/policies/$count", count_policies),
    Route("POST", PATH + "/policies", create_policy),
    Route("GET", PATH + "/policies/{id}", get_policy),
    Route("PATCH", PATH + "/policies/{id}", patch_policy),
    Route("DELETE", PATH + "/policies/{id}", delete_policy),
]
