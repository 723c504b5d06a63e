# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was deleted and can be restored for 30 days: users, Conditional Access policies and named locations.

Sources: Microsoft's pages "Delete a user" and "Restore deleted item"; the metadata for Conditional Access, which has no
page of its own: that its items, too, last 30 days is an assumption.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import func

from m365_simulator.clock import days_before
from m365_simulator.graph import conditional_access, named_locations, users
from m365_simulator.graph.administrative_units import mark_member
from m365_simulator.graph.answers import answer_list, answer_one, no_content
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import GraphError, not_found, unknown_segment
from m365_simulator.graph.hardware_oath import release_tokens
from m365_simulator.graph.odata import Condition, EntityType, pick
from m365_simulator.graph.restricted_management import UNIT
from m365_simulator.graph.router import Call, GraphResponse, Handler, Route
from m365_simulator.role_terms import ACTIVE, end_roles, name_of
from m365_simulator.state import OBJECTS, Row

DIRECTORY = "/directory/deletedItems"
ACCESS = conditional_access.PATH + "/deletedItems"
DAYS = 30

USER = replace(users.USER, kind=users.DELETED_KIND)
CAST = "microsoft.graph."


def _still_there(call: Call) -> Condition:
    deleted = func.json_extract(OBJECTS.c.document, "$.deletedDateTime")
    condition: Condition = deleted >= days_before(call.clock.now(), DAYS)
    return condition


def _find(call: Call, kind: str) -> Row | None:
    rows = call.store.rows(kind, OBJECTS.c.id == call.id, _still_there(call), limit=1)
    return rows[0] if rows else None


def list_users(call: Call) -> GraphResponse:
    return answer_list(call, USER, "directoryObjects/microsoft.graph.user{select}", _still_there(call))


def _find_user(call: Call) -> Row:
    if call.id.lower().startswith(CAST):
        # A cast to a type whose deleted items are not simulated.
        raise unknown_segment(call.id)
    row = _find(call, USER.kind)
    if row is None:
        raise not_found(call.id)
    return row


def get_user(call: Call) -> GraphResponse:
    row = _find_user(call)
    shown = {"@odata.type": "#microsoft.graph.user", **row.document}
    return answer_one(call, USER, "directoryObjects/$entity", shown)


def _was_administrator(row: Row) -> bool:
    return any(role["kind"] == ACTIVE for role in row.private["roles"])


def restore_user(call: Call) -> GraphResponse:
    row = _find_user(call)
    users.check_sensitive_action(call, _was_administrator(row))
    document = {**row.document, "deletedDateTime": None, "userPrincipalName": row.private["userPrincipalName"]}
    users.check_principal_name(call, document["userPrincipalName"])
    private = {name: value for name, value in row.private.items() if name not in users.ONLY_WHILE_DELETED}
    call.store.delete(USER.kind, row.id)
    call.store.insert("user", row.id, document, name=document["userPrincipalName"], private=private)
    for group in row.private["groups"]:
        if call.store.read("group", group) is not None or call.store.read(UNIT, group) is not None:
            call.store.link(group, row.id)
    mark_member(call.store, row.id)
    if call.assumes("roles_of_restored_user") == "restored":
        for role in row.private["roles"]:
            term, held = role["private"], role["document"]
            call.store.insert(role["kind"], held["id"], held, name=name_of(term), private=term)
        end_roles(call.store, call.clock.now())
    record_change(call, "User", "Restore user", row.id, document["userPrincipalName"])
    shown = {"@odata.type": "#microsoft.graph.user", **pick(USER, document, ())}
    return GraphResponse(200, {"@odata.context": call.context("directoryObjects/$entity"), **shown})


def delete_user_for_good(call: Call) -> GraphResponse:
    row = _find_user(call)
    users.check_sensitive_action(call, _was_administrator(row))
    call.store.delete(USER.kind, row.id)
    release_tokens(call, row.id)
    record_change(call, "User", "Hard Delete user", row.id, row.document["userPrincipalName"])
    return no_content()


Check = Callable[[Call, dict[str, Any]], None]


class _AccessItems:
    """The deleted items of one collection of Conditional Access. `check` raises what keeps a document away."""

    def __init__(self, name: str, kind: str, live: EntityType, check: Check | None = None) -> None:
        self._name, self._live, self._check = name, live, check
        self._entity = replace(live, kind=kind)
        self._suffix = f"identity/conditionalAccess/deletedItems/{name}"

    def routes(self) -> list[Route]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "", self._list),
            ("GET", "/{id}", self._get),
            ("DELETE", "/{id}", self._delete),
            ("POST", "/{id}/restore", self._restore),
        ]
        return [Route(method, f"{ACCESS}/{self._name}{path}", handler) for method, path, handler in table]

    def _find(self, call: Call) -> Row:
        row = _find(call, self._entity.kind)
        if row is None:
            raise GraphError(404, "ResourceNotFound", f"A deleted item with id {call.id} does not exist.")
        return row

    def _list(self, call: Call) -> GraphResponse:
        conditional_access.check_read(call)
        return answer_list(call, self._entity, self._suffix + "{select}", _still_there(call))

    def _get(self, call: Call) -> GraphResponse:
        conditional_access.check_read(call)
        return answer_one(call, self._entity, self._suffix + "/$entity", self._find(call).document)

    def _delete(self, call: Call) -> GraphResponse:
        row = self._find(call)
        call.store.delete(self._entity.kind, row.id)
        record_change(call, "Policy", f"Hard Delete {self._live.name}", row.id, row.document["displayName"])
        return no_content()

    def _restore(self, call: Call) -> GraphResponse:
        row = self._find(call)
        document = {name: value for name, value in row.document.items() if name != "deletedDateTime"}
        if self._check is not None:
            self._check(call, document)
        call.store.delete(self._entity.kind, row.id)
        call.store.insert(self._live.kind, row.id, document)
        record_change(call, "Policy", f"Restore {self._live.name}", row.id, row.document["displayName"])
        return answer_one(call, self._live, f"identity/conditionalAccess/{self._name}/$entity", document)


ROUTES = [
    Route("GET", DIRECTORY + "/microsoft.graph.user", list_users),
    Route("GET", DIRECTORY + "/{id}", get_user),
    Route("DELETE", DIRECTORY + "/{id}", delete_user_for_good),
    Route("POST", DIRECTORY + "/{id}/restore", restore_user),
    *_AccessItems(
        "policies",
        conditional_access.DELETED_POLICY_KIND,
        conditional_access.POLICY,
        lambda call, policy: conditional_access.check_restored(call, policy["state"]),
    ).routes(),
    *_AccessItems("namedLocations", named_locations.DELETED_LOCATION_KIND, named_locations.LOCATION).routes(),
]
