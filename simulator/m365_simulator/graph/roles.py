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
from m365_simulator.graph.audit import record_change, target_of
from m365_simulator.graph.errors import GraphError, bad_request, not_found
from m365_simulator.graph.groups import find_object, show_object
from m365_simulator.graph.odata import Condition, EntityType
from m365_simulator.graph.restricted_management import SCOPE, UNIT
from m365_simulator.graph.router import BETA, Call, GraphResponse, Route
from m365_simulator.graph.users import is_last_global_administrator, last_global_administrator
from m365_simulator.objects import role_assignment
from m365_simulator.state import OBJECTS

PATH = "/roleManagement/directory"
NEVER_SCOPED = frozenset({GLOBAL_ADMINISTRATOR, BUILT_IN_ROLES["Privileged Role Administrator"][0]})
"""Roles for the whole tenant only, by Microsoft's page "Restricted management administrative units"."""
ASSIGNMENT = EntityType("unifiedRoleAssignment", "roleAssignment", page=100)
DEFINITION = EntityType("unifiedRoleDefinition", "roleDefinition")
TEMPLATE = EntityType(
    "directoryRoleTemplate",
    "roleDefinition",
    properties=frozenset(("id", "deletedDateTime", "description", "displayName")),
    directory=True,
)
DIRECTORY_ROLE = EntityType(
    "directoryRole",
    "roleDefinition",
    properties=frozenset(("id", "deletedDateTime", "description", "displayName", "roleTemplateId")),
    filterable=frozenset(("displayName", "roleTemplateId")),
    directory=True,
    columns={"roleTemplateId": lambda: OBJECTS.c.id},
)


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


def expands(call: Call) -> dict[str, Callable[[dict[str, Any]], Any]]:
    definitions = {row.id: _show_definition(call, row.document) for row in call.store.rows(DEFINITION.kind)}
    return {
        "principal": lambda item: show_principal(call, item),
        "roleDefinition": lambda item: definitions.get(item["roleDefinitionId"]),
    }


def show_principal(call: Call, assignment: dict[str, Any]) -> dict[str, Any] | None:
    found = find_object(call.store, assignment["principalId"])
    return show_object(found[0], found[1].document) if found else None


def list_assignments(call: Call) -> GraphResponse:
    suffix = "roleManagement/directory/roleAssignments{select}"
    return answer_list(call, ASSIGNMENT, suffix, expands=expands(call))


def _find(call: Call) -> dict[str, Any]:
    row = call.store.read(ASSIGNMENT.kind, call.id)
    if row is None:
        raise not_found(call.id)
    return row.document


def get_assignment(call: Call) -> GraphResponse:
    suffix = "roleManagement/directory/roleAssignments/$entity"
    return answer_one(call, ASSIGNMENT, suffix, _find(call), expands=expands(call))


def create_assignment(call: Call) -> GraphResponse:
    body = call.body()
    role, principal = body.get("roleDefinitionId"), body.get("principalId")
    scope = body.get("directoryScopeId", "/")
    if call.store.read(DEFINITION.kind, str(role)) is None:
        raise not_found(str(role))
    found = find_object(call.store, str(principal))
    if found is None:
        raise not_found(str(principal))
    check_scope(call, str(role).lower(), scope)
    assignment = role_assignment(str(role).lower(), found[1].id, scope)
    if call.store.read(ASSIGNMENT.kind, assignment["id"]) is not None:
        raise _conflict(call)
    call.store.insert(ASSIGNMENT.kind, assignment["id"], assignment)
    _record(call, "Add member to role", assignment)
    return answer_created(call, "roleManagement/directory/roleAssignments/$entity", assignment)


def _conflict(call: Call) -> GraphError:
    """Users saw 400, some of them 409."""
    message = "A conflicting object with one or more of the specified property values is present in the directory."
    if call.assumes("role_assigned_twice") == "409":
        return GraphError(409, "Request_MultipleObjectsWithSameKeyValue", message)
    return bad_request(message)


def delete_assignment(call: Call) -> GraphResponse:
    assignment = _find(call)
    check_removal(call, assignment)
    call.store.delete(ASSIGNMENT.kind, assignment["id"])
    _record(call, "Remove member from role", assignment)
    return no_content()


def check_removal(call: Call, assignment: dict[str, Any]) -> None:
    """Raise Graph's refusal to take the role of a Global Administrator from oneself, or from the last one."""
    if assignment["roleDefinitionId"] == GLOBAL_ADMINISTRATOR:
        if assignment["principalId"] == call.caller.object_id:
            raise bad_request("Removing self from Global Administrator built-in role is not allowed.")
        if is_last_global_administrator(call, assignment["principalId"]):
            raise last_global_administrator(call)


def _record(call: Call, activity: str, assignment: dict[str, Any]) -> None:
    definition = call.store.read(DEFINITION.kind, assignment["roleDefinitionId"])
    found = find_object(call.store, assignment["principalId"])
    members = () if found is None else (target_of(found[0], found[1].document),)
    name = None if definition is None else definition.document["displayName"]
    record_change(call, "Role", activity, assignment["roleDefinitionId"], name, *members)


def check_scope(call: Call, role: str, scope: Any) -> None:
    """Raise Graph's refusal of a scope that is not there, or that the role cannot have."""
    if scope == "/":
        return
    unit = str(scope).removeprefix(SCOPE)
    if unit == scope or call.store.read(UNIT, unit) is None:
        raise not_found(unit)
    if role in NEVER_SCOPED:
        raise bad_request("The role cannot be assigned at the scope of an administrative unit.")


def _show_directory_role(call: Call, definition: dict[str, Any]) -> dict[str, Any]:
    template = definition["id"]
    return {
        "id": str(uuid.uuid5(uuid.UUID(call.tenant.id), template)),
        "deletedDateTime": None,
        "description": definition["description"],
        "displayName": definition["displayName"],
        "roleTemplateId": template,
    }


def _assigned(call: Call) -> Condition:
    """A role is activated, and so in /directoryRoles, once somebody was given it."""
    return OBJECTS.c.id.in_({item["roleDefinitionId"] for item in call.store.documents(ASSIGNMENT.kind)})


def activated_roles(call: Call) -> list[dict[str, Any]]:
    return [_show_directory_role(call, item) for item in call.store.documents(DEFINITION.kind, _assigned(call))]


def _find_directory_role(call: Call) -> dict[str, Any]:
    """By either id, or as directoryRoles(roleTemplateId='...'). Raises Graph's 404."""
    wanted = call.id.lower().removeprefix("roletemplateid=")
    for role in activated_roles(call):
        if wanted in (role["id"], role["roleTemplateId"]):
            return role
    raise not_found(call.id)


def list_directory_roles(call: Call) -> GraphResponse:
    return answer_list(
        call,
        DIRECTORY_ROLE,
        "directoryRoles{select}",
        _assigned(call),
        show=lambda row: _show_directory_role(call, row.document),
    )


def get_directory_role(call: Call) -> GraphResponse:
    return answer_one(call, DIRECTORY_ROLE, "directoryRoles/$entity", _find_directory_role(call))


def _show_template(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": document["id"],
        "deletedDateTime": None,
        "description": document["description"],
        "displayName": document["displayName"],
    }


def list_templates(call: Call) -> GraphResponse:
    found = [_show_template(document) for document in call.store.documents(DEFINITION.kind)]
    return answer_plain_list(call, "directoryRoleTemplates{select}", found)


def get_template(call: Call) -> GraphResponse:
    row = call.store.read(DEFINITION.kind, call.id)
    if row is None:
        raise not_found(call.id)
    return answer_one(call, TEMPLATE, "directoryRoleTemplates/$entity", _show_template(row.document))


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
    Route("GET", "/directoryRoleTemplates", list_templates),
    Route("GET", "/directoryRoleTemplates/{id}", get_template),
]
