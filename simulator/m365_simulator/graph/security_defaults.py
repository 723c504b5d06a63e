# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/policies/identitySecurityDefaultsEnforcementPolicy."""

from __future__ import annotations

from typing import Any

from m365_simulator.graph.answers import answer_one, check_known, no_content
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import GraphError, bad_policy
from m365_simulator.graph.managed_policies import has_managed_policies, managed_policies
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.policy_schema import read_back
from m365_simulator.graph.router import V1, Call, GraphResponse, Route
from m365_simulator.licences import FREE, tier_of
from m365_simulator.objects import SECURITY_DEFAULTS_ID
from m365_simulator.state import Row, TenantStore

PATH = "/policies/identitySecurityDefaultsEnforcementPolicy"
ENTITY = EntityType("identitySecurityDefaultsEnforcementPolicy", "securityDefaults")
WRITABLE = ("isEnabled", "displayName", "description", "id")


def read_security_defaults(store: TenantStore) -> Row:
    row = store.read("securityDefaults", SECURITY_DEFAULTS_ID)
    assert row is not None
    return row


def get_policy(call: Call) -> GraphResponse:
    document = dict(read_security_defaults(call.store).document)
    if call.version == V1:
        # Seen by live tools in beta only, and in no metadata.
        del document["securityDefaultsUpsell"]
    return answer_one(call, ENTITY, "policies/identitySecurityDefaultsEnforcementPolicy/$entity", document)


def patch_policy(call: Call) -> GraphResponse:
    body = call.body()
    check_known(body, WRITABLE, ENTITY.name)
    wanted = body.get("isEnabled")
    if "isEnabled" in body and not isinstance(wanted, bool):
        raise bad_policy("Cannot convert the literal to the expected type 'Edm.Boolean'.")
    row = read_security_defaults(call.store)
    if wanted is None:
        return no_content()
    if wanted == row.document["isEnabled"]:
        if call.assumes("security_defaults_same_value") == "400":
            raise bad_policy("The policy already has this value.")
        return no_content()
    blocker = _blocker(call, row) if wanted else None
    if blocker:
        return _blocked_answer(call, blocker)
    private = {**row.private, "switchedOff": None if wanted else call.clock.now()}
    call.store.update(ENTITY.kind, row.id, document={**row.document, "isEnabled": wanted}, private=private)
    activity = "Enable security defaults" if wanted else "Disable security defaults"
    record_change(call, "Policy", activity, row.id, row.document["displayName"])
    if not wanted:
        _deploy_managed_policies(call)
    return no_content()


def exclude_enabled_policies(call: Call) -> bool:
    """Whether security defaults are on, or were until a moment ago (how long is an assumption)."""
    row = read_security_defaults(call.store)
    if row.document["isEnabled"]:
        return True
    seconds = int(call.assumes("security_defaults_off_after_seconds"))
    switched_off = row.private.get("switchedOff")
    return switched_off is not None and call.clock.now() < switched_off + seconds


def _blocker(call: Call, row: Row) -> str | None:
    """What keeps security defaults from being enabled: Conditional Access (how far is an assumption), classic policies
    or Identity Protection, as the portals say. None when nothing does."""
    hidden = call.assumes("security_defaults_hidden_blocker")
    if hidden == "classic" or row.private.get("classicPolicies"):
        return "Classic policies"
    if hidden == "identityProtection":
        return "Identity Protection policies"
    blocked_by = call.assumes("security_defaults_blocked_by")
    states = [policy["state"] for policy in call.store.documents("conditionalAccessPolicy")]
    blocked = bool(states) if blocked_by == "any" else blocked_by == "enabled" and "enabled" in states
    return "Conditional Access policies" if blocked else None


def _blocked_answer(call: Call, blocker: str) -> GraphResponse:
    """No public source has Graph's own answer."""
    answer = call.assumes("security_defaults_blocked_answer")
    if answer == "ignored":
        return no_content()
    message = f"{blocker} are enabled in the tenant. You must disable {blocker} before enabling Security Defaults."
    raise GraphError(int(answer), "BadRequest" if answer == "400" else "AccessDenied", message)


def _deploy_managed_policies(call: Call) -> None:
    """What Microsoft does by itself for a tenant with P1: there at once here, within a minute in what users saw."""
    state = call.assumes("managed_policies_after_security_defaults")
    free = tier_of(call.store.documents("subscribedSku")) == FREE
    if state == "none" or free or has_managed_policies(call.store):
        return
    for wanted in managed_policies(state):
        policy: dict[str, Any] = {
            "createdDateTime": call.clock.stamp(),
            "modifiedDateTime": None,
            **read_back(wanted),
        }
        call.store.insert("conditionalAccessPolicy", policy["id"], policy, private={"managed": True})


ROUTES = [Route("GET", PATH, get_policy), Route("PATCH", PATH, patch_policy)]
