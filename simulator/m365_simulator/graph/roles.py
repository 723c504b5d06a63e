# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/roleManagement/directory and the older /directoryRoles, which show the same assignments."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from m365_simulator.directory_roles import BUILT_IN_ROLES, GLOBAL_ADMINISTRATOR
from m365_simulator.graph.answers import answer_created, answer_list, answer_one, answer_plain_list, no_content
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import bad_request, not_found
from m365_simulator.graph.groups import find_object, show_object
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import BETA, Call, GraphResponse, Route
from m365_simulator.objects import role_assignment

PATH = "/roleManagement/directory"
ASSIGNMENT = EntityType("unifiedRoleAssignment", "roleAssignment", page=100)
DEFINITION = EntityType("unifiedRoleDefinition", "roleDefinition")


def _show_definition(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    """Only beta tells which roles are privileged."""
    return {name: value for name, value in document.items() if name != "isPrivileged" or call.version == BETA}


def list_definitions(call: Call) -> GraphResponse:
    suffix = "roleManagement/directory/roleDefinitions{select}"
    return answer_list(call, DEFINITION, suffix, show=lambda row: _show_definition(call, row.document))


def get_definition(call: Call) -> GraphResponse:
    row = call.store.read(DEFINITION.kind, call.id)
    if row is None:
        raise not_found(call.id)
    suffix = "roleManagement/directory/roleDefinitions/$entity"
    return answer_one(call, DEFINITION, suffix, _show_definition(call, row.document))


def _expands(call: Call) -> dict[str, Callable[[dict[str, Any]], Any]]:
    definitions = {row.id: _show_definition(call, row.document) for row in call.store.rows(DEFINITION.kind)}

    def principal(assignment: dict[str, Any]) -> dict[str, Any] | None:
        found = find_object(call.store, assignment["principalId"])
        return show_object(found[0], found[1].document) if found else None

    return {"principal": principal, "roleDefinition": lambda item: definitions.get(item["roleDefinitionId"])}


def list_assignments(call: Call) -> GraphResponse:
    suffix = "roleManagement/directory/roleAssignments{select}"
    return answer_list(call, ASSIGNMENT, suffix, expands=_expands(call))


def _find(call: Call) -> dict[str, Any]:
    row = call.store.read(ASSIGNMENT.kind, call.id)
    if row is None:
        raise not_found(call.id)
    return row.document


def get_assignment(call: Call) -> GraphResponse:
    suffix = "roleManagement/directory/roleAssignments/$entity"
    return answer_one(call, ASSIGNMENT, suffix, _find(call), expands=_expands(call))


def create_assignment(call: Call) -> GraphResponse:
    body = call.body()
    role, principal = body.get("roleDefinitionId"), body.get("principalId")
    scope = body.get("directoryScopeId", "/")
    if call.store.read(DEFINITION.kind, str(role)) is None:
        raise not_found(str(role))
    found = find_object(call.store, str(principal))
    if found is None:
        raise not_found(str(principal))
    assignment = role_assignment(str(role).lower(), found[1].id, scope)
    if call.store.read(ASSIGNMENT.kind, assignment["id"]) is not None:
        raise bad_request(
            "A conflicting object with one or more of the specified property values is present in the directory."
        )
    call.store.insert(ASSIGNMENT.kind, assignment["id"], assignment)
    record_change(call, "Role", "Add member to role", found[1].id, found[1].document["displayName"])
    return answer_created(call, "roleManagement/directory/roleAssignments/$entity", assignment)


def delete_assignment(call: Call) -> GraphResponse:
    assignment = _find(call)
    role = assignment["roleDefinitionId"]
    holders = [item for item in call.store.documents(ASSIGNMENT.kind) if item["roleDefinitionId"] == role]
    if role == GLOBAL_ADMINISTRATOR and len(holders) == 1:
        # No public source has the text.
        raise bad_request("The last Global Administrator of the tenant cannot be removed.")
    call.store.delete(ASSIGNMENT.kind, assignment["id"])
    record_change(call, "Role", "Remove member from role", assignment["principalId"], None)
    return no_content()


def _directory_roles(call: Call) -> list[dict[str, Any]]:
    """Only roles that somebody was ever given are there."""
    assigned = {item["roleDefinitionId"] for item in call.store.documents(ASSIGNMENT.kind)}
    return [
        {
            "id": _directory_role_id(call, template),
            "deletedDateTime": None,
            "description": description,
            "displayName": name,
            "roleTemplateId": template,
        }
        for name, (template, description) in BUILT_IN_ROLES.items()
        if template in assigned
    ]


def _directory_role_id(call: Call, template: str) -> str:
    return str(uuid.uuid5(uuid.UUID(call.tenant.id), template))


def _find_directory_role(call: Call) -> dict[str, Any]:
    wanted = call.id.removeprefix("roleTemplateId=").strip("'").lower()
    for role in _directory_roles(call):
        if wanted in (role["id"], role["roleTemplateId"]):
            return role
    raise not_found(call.id)


def list_directory_roles(call: Call) -> GraphResponse:
    return answer_plain_list(call, "directoryRoles{select}", _directory_roles(call))


def get_directory_role(call: Call) -> GraphResponse:
    entity = EntityType("directoryRole", "")
    return answer_one(call, entity, "directoryRoles/$entity", _find_directory_role(call))


def list_directory_role_members(call: Call) -> GraphResponse:
    template = _find_directory_role(call)["roleTemplateId"]
    members = []
    for assignment in call.store.documents(ASSIGNMENT.kind):
        if assignment["roleDefinitionId"] == template and assignment["directoryScopeId"] == "/":
            found = find_object(call.store, assignment["principalId"])
            if found:
                members.append(show_object(found[0], found[1].document))
    return answer_plain_list(call, "directoryObjects{select}", members)


ROUTES = [
    Route("GET", PATH + "/roleDefinitions", list_definitions),
    Route("GET", PATH + "/roleDefinitions/{id}", get_definition),
    Route("GET", PATH + "/roleAssignments", list_assignments),
    Route("POST", PATH + "/roleAssignments", create_assignment),
    Route("GET", PATH + "/roleAssignments/{id}", get_assignment),
    Route("DELETE", PATH + "/roleAssignments/{id}", delete_assignment),
    Route("GET", "/directoryRoles", list_directory_roles),
    Route("GET", "/directoryRoles/{id}", get_directory_role),
    Route("GET", "/directoryRoles/{id}/members", list_directory_role_members),
]
