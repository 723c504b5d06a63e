# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/policies/identitySecurityDefaultsEnforcementPolicy."""

from __future__ import annotations

from m365_simulator.graph.answers import answer_one, check_known, no_content
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import GraphError, bad_policy
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import V1, Call, GraphResponse, Route
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
    if wanted and not row.document["isEnabled"] and _is_blocked(call, row):
        return _blocked_answer(call)
    if wanted is not None and wanted != row.document["isEnabled"]:
        call.store.update(ENTITY.kind, row.id, document={**row.document, "isEnabled": wanted})
        activity = "Enable security defaults" if wanted else "Disable security defaults"
        record_change(call, "Policy", activity, row.id, row.document["displayName"])
    return no_content()


def _is_blocked(call: Call, row: Row) -> bool:
    """By Conditional Access (how far is an assumption), or by classic policies, as the portals say."""
    if row.private.get("classicPolicies"):
        return True
    blocked_by = call.assumes("security_defaults_blocked_by")
    states = [policy["state"] for policy in call.store.documents("conditionalAccessPolicy")]
    if blocked_by == "any":
        return bool(states)
    return blocked_by == "enabled" and "enabled" in states


def _blocked_answer(call: Call) -> GraphResponse:
    """No public source has Graph's own answer."""
    answer = call.assumes("security_defaults_blocked_answer")
    if answer == "ignored":
        return no_content()
    message = (
        "Conditional Access policies are enabled in the tenant. You must disable Conditional Access policies before "
        "enabling Security Defaults."
    )
    raise GraphError(int(answer), "BadRequest" if answer == "400" else "AccessDenied", message)


ROUTES = [Route("GET", PATH, get_policy), Route("PATCH", PATH, patch_policy)]
