# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/groups and their members."""

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
from m365_simulator.graph.audit import Target, record_change, target_of
from m365_simulator.graph.errors import GraphError, bad_request, not_found, unsupported_query
from m365_simulator.graph.odata import EntityType, page_size, read_skip_token
from m365_simulator.graph.permissions import WRITE_ROLES, permission_missing
from m365_simulator.graph.restricted_management import check_restriction, restricted, restricting_units
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.graph.users import DEFAULT_PROPERTIES
from m365_simulator.licences import FREE, tier_of
from m365_simulator.objects import new_group
from m365_simulator.state import MEMBER_KINDS, Row, TenantStore

GROUP = EntityType(
    "group",
    "group",
    properties=frozenset(new_group("00000000-0000-4000-8000-000000000000", "", {}))
    | {"assignedLicenses", "isManagementRestricted"},
    directory=True,
    page=100,
)

PAGE, LARGEST_PAGE = 100, 999
MEMBER_PROPERTIES: dict[str, tuple[str, ...] | None] = {
    "user": DEFAULT_PROPERTIES,
    "group": None,
    "servicePrincipal": None,
}
LARGEST_BIND = 20


def find_object(store: TenantStore, id: str) -> tuple[str, Row] | None:
    """A directory object of any kind that can be a member or hold a role: its kind and row."""
    for kind in MEMBER_KINDS:
        row = store.read(kind, id)
        if row is not None:
            return kind, row
    return None


def show_object(kind: str, document: dict[str, Any], select: tuple[str, ...] = ()) -> dict[str, Any]:
    """As it stands in a collection of mixed objects, with its type and the selected or default properties."""
    names = select or MEMBER_PROPERTIES[kind]
    shown = document if names is None else {name: document.get(name) for name in names}
    return {"@odata.type": f"#microsoft.graph.{kind}", **shown}


def find_group(call: Call) -> Row:
    row = call.store.read("group", call.id)
    if row is None:
        raise not_found(call.id)
    return row


def list_groups(call: Call) -> GraphResponse:
    return answer_list(call, GROUP, "groups{select}")


def count_groups(call: Call) -> GraphResponse:
    return answer_count(call, GROUP)


def get_group(call: Call) -> GraphResponse:
    return answer_one(call, GROUP, "groups{select}/$entity", find_group(call).document)


def create_group(call: Call) -> GraphResponse:
    body = call.body()
    references = body.pop("members@odata.bind", [])
    assert GROUP.properties is not None
    check_known(body, GROUP.properties, "group")
    for name in ("displayName", "mailNickname", "mailEnabled", "securityEnabled"):
        if body.get(name) in (None, ""):
            raise bad_request(f"A value is required for property '{name}' of resource 'Group'.")
    if body.get("isAssignableToRole"):
        if not WRITE_ROLES & call.caller.roles:
            raise permission_missing("/groups", WRITE_ROLES)
        if tier_of(call.store.documents("subscribedSku")) == FREE:
            raise GraphError(
                400, "Request_BadRequest", "The tenant needs a premium license to create role-assignable groups."
            )
    if len(references) > LARGEST_BIND:
        raise bad_request(f"The number of references must not exceed {LARGEST_BIND}.")
    members = [_referenced(call, reference)[1].id for reference in references]
    group = new_group(str(uuid.uuid4()), call.clock.stamp(), {k: v for k, v in body.items() if "@odata." not in k})
    call.store.insert("group", group["id"], group, name=group["displayName"])
    call.store.link_many((group["id"], member) for member in dict.fromkeys(members))
    record_change(call, "Group", "Add group", group["id"], group["displayName"])
    return answer_created(call, "groups/$entity", group)


def delete_group(call: Call) -> GraphResponse:
    row = find_group(call)
    check_restriction(call, row.id)
    call.store.delete("group", row.id)
    record_change(call, "Group", "Delete group", row.id, row.document["displayName"])
    return no_content()


def _referenced(call: Call, reference: Any) -> tuple[str, Row]:
    """The object that an @odata.id names, with its kind."""
    id = str(reference).rstrip("/").rpartition("/")[2]
    found = find_object(call.store, id)
    if found is None:
        raise not_found(id)
    return found


def list_members(call: Call) -> GraphResponse:
    return _answer_members(call, transitive=False)


def list_transitive_members(call: Call) -> GraphResponse:
    return _answer_members(call, transitive=True)


def _answer_members(call: Call, *, transitive: bool) -> GraphResponse:
    """Objects of all kinds in one collection, which $filter and $orderby do not reach here."""
    group = find_group(call)
    for option in ("$filter", "$orderby", "$search", "$expand"):
        if option in call.query.options:
            raise unsupported_query("Unsupported Query.")
    size = page_size(PAGE, LARGEST_PAGE, call.query)
    start = read_skip_token(call.query.options.get("$skiptoken")).get("offset", 0)
    found = call.store.members(group.id, transitive=transitive, offset=start, limit=size + 1)
    body: dict[str, Any] = {"@odata.context": call.context("directoryObjects{select}")}
    if call.query.count and call.consistent and not start:
        body["@odata.count"] = call.store.count_members(group.id, transitive=transitive)
    if len(found) > size:
        body["@odata.nextLink"] = next_link(call, {"offset": start + size})
    body["value"] = [show_object(kind, row.document, call.query.select) for kind, row in found[:size]]
    return GraphResponse(200, body)


def count_members(call: Call) -> GraphResponse:
    group = find_group(call)
    if not call.consistent:
        raise bad_request("$count is not currently supported.")
    return GraphResponse(200, call.store.count_members(group.id))


def add_member(call: Call) -> GraphResponse:
    group = find_group(call)
    kind, member = _referenced(call, call.body().get("@odata.id", ""))
    _check_membership(call, group)
    if not call.store.link(group.id, member.id):
        raise bad_request(
            "One or more added object references already exist for the following modified properties: 'members'."
        )
    _record_membership(call, "Add member to group", group, target_of(kind, member.document))
    return no_content()


def remove_member(call: Call) -> GraphResponse:
    group = find_group(call)
    member = call.parameters["member"]
    found = find_object(call.store, member)
    _check_membership(call, group)
    if found is None or not call.store.unlink(group.id, member):
        raise not_found(member)
    _record_membership(call, "Remove member from group", group, target_of(found[0], found[1].document))
    return no_content()


def _check_membership(call: Call, group: Row) -> None:
    """Raise the 403 of a restricted management unit. The members of a role-assignable group in one are out of reach
    even of roles scoped to it, says Microsoft's page on such units."""
    check_restriction(call, group.id)
    if group.document.get("isAssignableToRole") and restricting_units(call.store, group.id):
        raise restricted(call)


def _record_membership(call: Call, activity: str, group: Row, member: Target) -> None:
    record_change(call, "Group", activity, group.id, group.document["displayName"], member)


ROUTES = [
    Route("GET", "/groups", list_groups),
    Route("GET", "/groups/$count", count_groups),
    Route("POST", "/groups", create_group),
    Route("GET", "/groups/{id}", get_group),
    Route("DELETE", "/groups/{id}", delete_group),
    Route("GET", "/groups/{id}/members", list_members),
    Route("GET", "/groups/{id}/members/$count", count_members),
    Route("POST", "/groups/{id}/members/$ref", add_member),
    Route("DELETE", "/groups/{id}/members/{member}/$ref", remove_member),
    Route("GET", "/groups/{id}/transitiveMembers", list_transitive_members),
]
