# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Schedules of directory roles in Privileged Identity Management: who holds a role actively, who is eligible for it,
and until when.

Source: Microsoft's pages on unifiedRoleAssignmentSchedule, unifiedRoleEligibilitySchedule, their instances and
requests; the codes of refusals as live tools handle them. Simulated are requests of administrators (adminAssign,
adminUpdate, adminExtend, adminRenew, adminRemove) that begin at once, under the role settings that a tenant has at
first: permanent assignments are allowed, and an active one takes a justification. Members of a group are not shown with
its roles.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal

from m365_simulator.clock import from_stamp, to_stamp
from m365_simulator.graph.answers import answer_created, answer_list, answer_one, check_known
from m365_simulator.graph.audit import record_change, target_of
from m365_simulator.graph.errors import GraphError, bad_policy, not_found
from m365_simulator.graph.groups import find_object
from m365_simulator.graph.odata import Column, EntityType
from m365_simulator.graph.roles import DEFINITION, PATH, check_removal, check_scope, expands
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.licences import P2, tier_of
from m365_simulator.objects import role_assignment
from m365_simulator.role_terms import ACTIVE, ASSIGNED, ELIGIBLE, eligibility_of, name_of, term
from m365_simulator.state import OBJECTS, Row
from m365_simulator.words import words

REQUEST_MEMBERS = words(
    """
    action appScopeId directoryScopeId isValidationOnly justification principalId roleDefinitionId scheduleInfo
    targetScheduleId ticketInfo
    """
)
ASSIGN, REMOVE = "adminAssign", "adminRemove"
CHANGES = ("adminUpdate", "adminExtend", "adminRenew")
DURATION = re.compile(r"P(?=.)(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
AT_ONCE = 300
"""Seconds in the future at most, of a start that counts as now."""


def _of_schedule(member: str) -> Callable[[], Column]:
    return lambda: func.json_extract(OBJECTS.c.private, f"$.schedule.{member}")


@dataclass(frozen=True)
class _Roles:
    """What is simulated twice: `word` is Assignment or Eligibility, `kind` its key in the store."""

    word: str
    kind: str

    @property
    def active(self) -> bool:
        return self.kind == ACTIVE

    @property
    def requests(self) -> EntityType:
        return EntityType(f"unifiedRole{self.word}ScheduleRequest", f"{self.kind}Request", page=100)

    def entity(self, form: str, members: str) -> EntityType:
        """`form` is Schedule or ScheduleInstance; `members` are those it has beside the parts of an assignment."""
        columns: dict[str, Callable[[], Column]] = {
            "memberType": lambda: literal("Direct"),
            "status": lambda: literal("Provisioned"),
            "assignmentType": lambda: func.coalesce(_of_schedule("assignmentType")(), ASSIGNED),
            "startDateTime": _of_schedule("startDateTime"),
            "endDateTime": _of_schedule("endDateTime"),
            "createdDateTime": _of_schedule("createdDateTime"),
        }
        known = frozenset(words(f"id principalId roleDefinitionId directoryScopeId appScopeId memberType {members}"))
        known -= set() if self.active else {"assignmentType"}
        return EntityType(
            f"unifiedRole{self.word}{form}",
            self.kind,
            properties=known,
            filterable=known & {"id", "principalId", "roleDefinitionId", "directoryScopeId", *columns},
            page=100,
            columns={name: column for name, column in columns.items() if name in known},
        )

    @property
    def schedules(self) -> EntityType:
        return self.entity(
            "Schedule", "assignmentType createdUsing createdDateTime modifiedDateTime status scheduleInfo"
        )

    @property
    def instances(self) -> EntityType:
        own = "roleAssignmentOriginId roleAssignmentScheduleId" if self.active else "roleEligibilityScheduleId"
        return self.entity("ScheduleInstance", f"assignmentType startDateTime endDateTime {own}")

    def suffix(self, form: str) -> str:
        return f"roleManagement/directory/role{self.word}{form}"


ROLES = (_Roles("Assignment", ACTIVE), _Roles("Eligibility", ELIGIBLE))


def check_licence(call: Call) -> None:
    if tier_of(call.store.documents("subscribedSku")) != P2:
        raise GraphError(
            400,
            "AadPremiumLicenseRequired",
            "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
        )


def _parts(roles: _Roles, row: Row) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both forms show, and the term."""
    kept = row.private.get("schedule", {})
    shown: dict[str, Any] = {**row.document, "appScopeId": None, "memberType": "Direct"}
    if roles.active:
        shown["assignmentType"] = kept.get("assignmentType", ASSIGNED)
    return shown, kept


def _show_schedule(roles: _Roles, row: Row) -> dict[str, Any]:
    shown, kept = _parts(roles, row)
    return {
        **shown,
        "createdUsing": kept.get("createdUsing") or row.id,
        "createdDateTime": kept.get("createdDateTime"),
        "modifiedDateTime": kept.get("modifiedDateTime"),
        "status": "Provisioned",
        "scheduleInfo": _schedule_info(kept.get("startDateTime"), kept.get("endDateTime")),
    }


def _schedule_info(start: str | None, end: str | None) -> dict[str, Any]:
    kind = "afterDateTime" if end else "noExpiration"
    return {
        "startDateTime": start,
        "recurrence": None,
        "expiration": {"type": kind, "endDateTime": end, "duration": None},
    }


def _show_instance(roles: _Roles, row: Row) -> dict[str, Any]:
    shown, kept = _parts(roles, row)
    shown.update(startDateTime=kept.get("startDateTime"), endDateTime=kept.get("endDateTime"))
    if roles.active:
        return {**shown, "roleAssignmentOriginId": row.id, "roleAssignmentScheduleId": row.id}
    return {**shown, "roleEligibilityScheduleId": row.id}


Show = Callable[[_Roles, Row], dict[str, Any]]


def _lists(roles: _Roles, form: str, entity: EntityType, show: Show) -> Callable[[Call], GraphResponse]:
    def answer(call: Call) -> GraphResponse:
        check_licence(call)
        suffix = roles.suffix(form) + "{select}"
        return answer_list(call, entity, suffix, show=lambda row: show(roles, row), expands=expands(call))

    return answer


def _gets(roles: _Roles, form: str, entity: EntityType, show: Show) -> Callable[[Call], GraphResponse]:
    def answer(call: Call) -> GraphResponse:
        check_licence(call)
        row = call.store.read(entity.kind, call.id)
        if row is None:
            raise not_found(call.id)
        return answer_one(call, entity, roles.suffix(form) + "/$entity", show(roles, row), expands=expands(call))

    return answer


def _show_request(_roles: _Roles, row: Row) -> dict[str, Any]:
    return row.document


@dataclass(frozen=True)
class _Wanted:
    """A request that is in order. `start` and `end` are stamps, `end` None for ever."""

    action: str
    assignment: dict[str, Any]
    start: str
    end: str | None


def _posts(roles: _Roles) -> Callable[[Call], GraphResponse]:
    def answer(call: Call) -> GraphResponse:
        check_licence(call)
        body = {name: value for name, value in call.body().items() if "@odata." not in name}
        check_known(body, REQUEST_MEMBERS, roles.requests.name)
        wanted = _read_request(call, roles, body)
        existing = call.store.read(roles.kind, wanted.assignment["id"])
        _check_request(call, roles, wanted, existing, body)
        request = _request(call, wanted, body)
        if not body.get("isValidationOnly"):
            _carry_out(call, roles, wanted, existing, request["id"])
            call.store.insert(roles.requests.kind, request["id"], request)
        return answer_created(call, roles.suffix("ScheduleRequests") + "/$entity", request)

    return answer


def _read_request(call: Call, roles: _Roles, body: Mapping[str, Any]) -> _Wanted:
    action = body.get("action")
    if action not in (ASSIGN, REMOVE, *CHANGES):
        raise bad_policy(f"The action '{action}' is not supported.")
    role, principal = str(body.get("roleDefinitionId", "")).lower(), str(body.get("principalId", ""))
    if call.store.read(DEFINITION.kind, role) is None:
        raise GraphError(404, "RoleNotFound", "The role is not found.")
    found = find_object(call.store, principal)
    if found is None:
        raise GraphError(404, "SubjectNotFound", "The subject is not found.")
    scope = body.get("directoryScopeId")
    if not isinstance(scope, str):
        raise bad_policy("A value is required for property 'directoryScopeId'.")
    check_scope(call, role, scope)
    assignment = role_assignment(role, found[1].id, scope)
    start, end = _read_schedule(call, body.get("scheduleInfo")) if action != REMOVE else (call.clock.stamp(), None)
    return _Wanted(str(action), assignment if roles.active else eligibility_of(assignment), start, end)


def _read_schedule(call: Call, info: Any) -> tuple[str, str | None]:
    """The start and the end of a scheduleInfo, as stamps. Raises Graph's 400."""
    expiration = info.get("expiration") if isinstance(info, dict) else None
    if not isinstance(expiration, dict):
        raise bad_policy("A value is required for property 'scheduleInfo'.")
    now = call.clock.now()
    start = _read_stamp("startDateTime", info["startDateTime"]) if info.get("startDateTime") else now
    if start > now + AT_ONCE:
        raise bad_policy("This simulator has no role that begins later.")
    start = max(start, now)
    kind = expiration.get("type")
    if kind == "noExpiration":
        return to_stamp(start), None
    if kind == "afterDateTime":
        end = _read_stamp("endDateTime", expiration.get("endDateTime"))
    elif kind == "afterDuration":
        end = start + _read_duration(expiration.get("duration"))
    else:
        raise bad_policy(f"Requested value '{kind}' was not found.")
    if end <= start:
        raise bad_policy("The schedule ends before it begins.")
    return to_stamp(start), to_stamp(end)


def _read_stamp(name: str, value: Any) -> float:
    try:
        return from_stamp(str(value))
    except ValueError:
        raise bad_policy(f"Cannot convert the value of '{name}' to the expected type.") from None


def _read_duration(value: Any) -> float:
    match = DURATION.fullmatch(str(value))
    if match is None:
        raise bad_policy("Cannot convert the value of 'duration' to the expected type.")
    return sum(int(number or 0) * unit for number, unit in zip(match.groups(), (86400, 3600, 60, 1), strict=True))


def _check_request(call: Call, roles: _Roles, wanted: _Wanted, existing: Row | None, body: Mapping[str, Any]) -> None:
    if wanted.action == ASSIGN and existing is not None:
        raise GraphError(400, "RoleAssignmentExists", "The Role assignment already exists.")
    if wanted.action != ASSIGN and existing is None:
        raise GraphError(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
    if wanted.action == REMOVE:
        if roles.active:
            check_removal(call, wanted.assignment)
    elif roles.active and not body.get("justification"):
        raise GraphError(
            400,
            "RoleAssignmentRequestPolicyValidationFailed",
            'The following policy rules failed: ["JustificationRule"]',
        )


def _carry_out(call: Call, roles: _Roles, wanted: _Wanted, existing: Row | None, request: str) -> None:
    id = wanted.assignment["id"]
    call.store.delete(roles.kind, id)
    if wanted.action != REMOVE:
        now = call.clock.stamp()
        kept = existing.private.get("schedule", {}) if existing is not None else {}
        private = term(
            kept.get("createdDateTime") or now,
            start=kept.get("startDateTime") or wanted.start,
            end=wanted.end,
            request=kept.get("createdUsing") or request,
        )
        private["schedule"]["modifiedDateTime"] = now if existing is not None else None
        call.store.insert(roles.kind, id, wanted.assignment, name=name_of(private), private=private)
    _record(call, roles, wanted)


def _record(call: Call, roles: _Roles, wanted: _Wanted) -> None:
    member = "member" if roles.active else "eligible member"
    how = "timebound" if wanted.end else "permanent"
    activity = f"Add {member} to role in PIM completed ({how})"
    if wanted.action == REMOVE:
        activity = f"Remove {member} from role in PIM completed ({how})"
    definition = call.store.read(DEFINITION.kind, wanted.assignment["roleDefinitionId"])
    found = find_object(call.store, wanted.assignment["principalId"])
    assert definition is not None
    assert found is not None
    target = target_of(found[0], found[1].document)
    record_change(call, "Role", activity, definition.id, definition.document["displayName"], target)


def _request(call: Call, wanted: _Wanted, body: Mapping[str, Any]) -> dict[str, Any]:
    """The request as Graph shows it once it is carried out."""
    now = call.clock.stamp()
    removed = wanted.action == REMOVE
    ticket = body.get("ticketInfo") or {}
    application = {"id": call.caller.object_id, "displayName": call.tenant.application.display_name}
    return {
        "id": str(uuid.uuid4()),
        "status": "Revoked" if removed else "Provisioned",
        "createdDateTime": now,
        "completedDateTime": now,
        "approvalId": None,
        "customData": None,
        "action": wanted.action,
        "principalId": wanted.assignment["principalId"],
        "roleDefinitionId": wanted.assignment["roleDefinitionId"],
        "directoryScopeId": wanted.assignment["directoryScopeId"],
        "appScopeId": None,
        "isValidationOnly": bool(body.get("isValidationOnly")),
        "targetScheduleId": wanted.assignment["id"],
        "justification": body.get("justification"),
        "createdBy": {"application": application, "device": None, "user": None},
        "scheduleInfo": None if removed else _schedule_info(wanted.start, wanted.end),
        "ticketInfo": {name: ticket.get(name) for name in ("ticketNumber", "ticketSystem")},
    }


def _routes(roles: _Roles) -> list[Route]:
    table = (
        ("Schedules", roles.schedules, _show_schedule),
        ("ScheduleInstances", roles.instances, _show_instance),
        ("ScheduleRequests", roles.requests, _show_request),
    )
    routes = [Route("POST", f"{PATH}/role{roles.word}ScheduleRequests", _posts(roles))]
    for form, entity, show in table:
        path = f"{PATH}/role{roles.word}{form}"
        routes.append(Route("GET", path, _lists(roles, form, entity, show)))
        routes.append(Route("GET", f"{path}/{{id}}", _gets(roles, form, entity, show)))
    return routes


ROUTES = [route for roles in ROLES for route in _routes(roles)]
