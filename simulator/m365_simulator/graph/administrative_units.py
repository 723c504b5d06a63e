# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/directory/administrativeUnits and their members.

Source: Microsoft's pages "administrativeUnit resource type" and "Restricted management administrative units in
Microsoft Entra ID". Dynamic membership and hidden membership are not simulated: they are refused.
"""

from __future__ import annotations

import uuid
from typing import Any

from m365_simulator.graph.answers import (
    answer_count,
    answer_created,
    answer_list,
    answer_one,
    check_known,
    next_link,
    no_content,
)
from m365_simulator.graph.audit import record_change, target_of
from m365_simulator.graph.errors import bad_request, not_found, unsupported_query
from m365_simulator.graph.groups import LARGEST_PAGE, PAGE, find_object, show_object
from m365_simulator.graph.odata import EntityType, page_size, read_skip_token
from m365_simulator.graph.restricted_management import SCOPE, UNIT, restricting_units
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.licences import FREE, tier_of
from m365_simulator.state import Row, TenantStore
from m365_simulator.words import words

PATH = "/directory/administrativeUnits"
ENTITY = EntityType(
    "administrativeUnit",
    UNIT,
    properties=frozenset(
        words(
            """
        id deletedDateTime displayName description visibility isMemberManagementRestricted membershipType
        membershipRule membershipRuleProcessingState
        """
        )
    ),
    directory=True,
    page=100,
)
READ_ONLY = ("id", "deletedDateTime")
NOT_SIMULATED = {"membershipType": (None, "Assigned"), "membershipRule": (None,), "visibility": (None, "Public")}
"""Properties of which only these values are."""
MOST_RESTRICTED = 100
MEMBER_KINDS = ("user", "group")


def new_unit(id: str, display_name: str, *, description: str | None = None, restricted: bool = False) -> dict[str, Any]:
    """As Graph shows it after creation."""
    return {
        "id": id,
        "deletedDateTime": None,
        "displayName": display_name,
        "description": description,
        "isMemberManagementRestricted": restricted,
        "visibility": None,
        "membershipType": None,
        "membershipRule": None,
        "membershipRuleProcessingState": None,
    }


def mark_member(store: TenantStore, id: str) -> None:
    """Show on the object itself whether a restricted unit has it."""
    found = find_object(store, id)
    if found is None:
        return
    kind, row = found
    if kind in MEMBER_KINDS:
        shown = True if restricting_units(store, row.id) else None
        store.update(kind, row.id, document={**row.document, "isManagementRestricted": shown})


def _find(call: Call) -> Row:
    row = call.store.read(UNIT, call.id)
    if row is None:
        raise not_found(call.id)
    return row


def list_units(call: Call) -> GraphResponse:
    return answer_list(call, ENTITY, "directory/administrativeUnits{select}")


def count_units(call: Call) -> GraphResponse:
    return answer_count(call, ENTITY)


def get_unit(call: Call) -> GraphResponse:
    return answer_one(call, ENTITY, "directory/administrativeUnits{select}/$entity", _find(call).document)


def create_unit(call: Call) -> GraphResponse:
    body = _checked_body(call)
    if body.get("displayName") in (None, ""):
        raise bad_request("A value is required for property 'displayName' of resource 'AdministrativeUnit'.")
    restricted = body.get("isMemberManagementRestricted") or False
    if restricted:
        _check_may_restrict(call)
    unit = new_unit(
        str(uuid.uuid4()), body["displayName"], description=body.get("description"), restricted=bool(restricted)
    )
    call.store.insert(UNIT, unit["id"], unit, name=unit["displayName"])
    record_change(call, "AdministrativeUnit", "Add administrative unit", unit["id"], unit["displayName"])
    return answer_created(call, "directory/administrativeUnits/$entity", unit)


def _check_may_restrict(call: Call) -> None:
    if (
        tier_of(call.store.documents("subscribedSku")) == FREE
        and call.assumes("restricted_management_on_free") == "refused"
    ):
        raise bad_request("The tenant needs a premium license to create restricted management administrative units.")
    if sum(unit["isMemberManagementRestricted"] for unit in call.store.documents(UNIT)) >= MOST_RESTRICTED:
        raise bad_request(f"The tenant has {MOST_RESTRICTED} restricted management administrative units already.")


def _checked_body(call: Call) -> dict[str, Any]:
    body = {name: value for name, value in call.body().items() if "@odata." not in name}
    assert ENTITY.properties is not None
    check_known(body, ENTITY.properties, "administrativeUnit")
    for name, value in body.items():
        if name in READ_ONLY:
            raise bad_request(f"Property '{name}' is read-only and cannot be set.")
        kind = bool if name == "isMemberManagementRestricted" else str
        if (value is not None and not isinstance(value, kind)) or value not in NOT_SIMULATED.get(name, (value,)):
            raise bad_request(f"Invalid value specified for property '{name}' of resource 'AdministrativeUnit'.")
    return body


def patch_unit(call: Call) -> GraphResponse:
    row = _find(call)
    body = _checked_body(call)
    if "isMemberManagementRestricted" in body:
        # It can be set at creation only, says Microsoft's page; Graph's words are not public.
        raise bad_request("Property 'isMemberManagementRestricted' cannot be changed once the unit is created.")
    if body.get("displayName", row.document["displayName"]) in (None, ""):
        raise bad_request("Invalid value specified for property 'displayName' of resource 'AdministrativeUnit'.")
    document = {**row.document, **body}
    call.store.update(UNIT, row.id, document=document, name=document["displayName"])
    record_change(call, "AdministrativeUnit", "Update administrative unit", row.id, document["displayName"])
    return no_content()


def delete_unit(call: Call) -> GraphResponse:
    """With the role assignments that have no other scope."""
    row = _find(call)
    members = call.store.targets(row.id)
    call.store.delete(UNIT, row.id)
    for member in members:
        mark_member(call.store, member)
    for assignment in call.store.documents("roleAssignment"):
        if assignment["directoryScopeId"].lower() == f"{SCOPE}{row.id}".lower():
            call.store.delete("roleAssignment", assignment["id"])
    record_change(call, "AdministrativeUnit", "Delete administrative unit", row.id, row.document["displayName"])
    return no_content()


def list_members(call: Call) -> GraphResponse:
    """Objects of all kinds in one collection, which $filter and $orderby do not reach here."""
    unit = _find(call)
    for option in ("$filter", "$orderby", "$search", "$expand"):
        if option in call.query.options:
            raise unsupported_query("Unsupported Query.")
    size = page_size(PAGE, LARGEST_PAGE, call.query)
    start = read_skip_token(call.query.options.get("$skiptoken")).get("offset", 0)
    found = call.store.members(unit.id, offset=start, limit=size + 1)
    body: dict[str, Any] = {"@odata.context": call.context("directoryObjects{select}")}
    if call.query.count and call.consistent and not start:
        body["@odata.count"] = call.store.count_members(unit.id)
    if len(found) > size:
        body["@odata.nextLink"] = next_link(call, {"offset": start + size})
    body["value"] = [show_object(kind, row.document, call.query.select) for kind, row in found[:size]]
    return GraphResponse(200, body)


def add_member(call: Call) -> GraphResponse:
    unit = _find(call)
    id = str(call.body().get("@odata.id", "")).rstrip("/").rpartition("/")[2]
    found = find_object(call.store, id)
    if found is None:
        raise not_found(id)
    kind, row = found
    if kind not in MEMBER_KINDS:
        raise bad_request(f"An object of type '{kind}' cannot be a member of an administrative unit.")
    restricted = unit.document["isMemberManagementRestricted"]
    if restricted and kind == "group" and (row.document.get("groupTypes") or row.document.get("mailEnabled")):
        raise bad_request("Only security groups can be members of a restricted management administrative unit.")
    if not call.store.link(unit.id, row.id):
        raise bad_request(
            "One or more added object references already exist for the following modified properties: 'members'."
        )
    mark_member(call.store, row.id)
    _record(call, "Add member to", unit, target_kind=kind, member=row)
    return no_content()


def remove_member(call: Call) -> GraphResponse:
    unit = _find(call)
    id = call.parameters["member"]
    found = find_object(call.store, id)
    if found is None or not call.store.unlink(unit.id, id):
        raise not_found(id)
    mark_member(call.store, id)
    _record(call, "Remove member from", unit, target_kind=found[0], member=found[1])
    return no_content()


def _record(call: Call, activity: str, unit: Row, *, target_kind: str, member: Row) -> None:
    kind = "restricted management administrative unit"
    if not unit.document["isMemberManagementRestricted"]:
        kind = "administrative unit"
    record_change(
        call,
        "AdministrativeUnit",
        f"{activity} {kind}",
        unit.id,
        unit.document["displayName"],
        target_of(target_kind, member.document),
    )


ROUTES = [
    Route("GET", PATH, list_units),
    Route("GET", PATH + "/$count", count_units),
    Route("POST", PATH, create_unit),
    Route("GET", PATH + "/{id}", get_unit),
    Route("PATCH", PATH + "/{id}", patch_unit),
    Route("DELETE", PATH + "/{id}", delete_unit),
    Route("GET", PATH + "/{id}/members", list_members),
    Route("POST", PATH + "/{id}/members/$ref", add_member),
    Route("DELETE", PATH + "/{id}/members/{member}/$ref", remove_member),
]
