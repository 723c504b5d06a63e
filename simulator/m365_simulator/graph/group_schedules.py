# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Privileged Identity Management for groups: who may join a group for a time, and who is in it for a time.

Source: Microsoft's pages "List eligibilityScheduleInstances" and "List assignmentScheduleInstances" of
privilegedAccessGroup; the refusal without a licence is assumed to be that of role schedules. They are only read: a
scenario says who is eligible, and nobody's time in a group ends here.
"""

from __future__ import annotations

from m365_simulator.graph.answers import answer_list
from m365_simulator.graph.errors import bad_policy
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.role_schedules import check_licence
from m365_simulator.graph.roles import show_principal
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.objects import GROUP_ASSIGNMENT, GROUP_ELIGIBILITY
from m365_simulator.words import words

PATH = "/identityGovernance/privilegedAccess/group"
MEMBERS = frozenset(words("id accessId endDateTime groupId memberType principalId startDateTime"))
FILTERED_BY = ("groupId", "principalId")

ELIGIBILITY = EntityType(
    "privilegedAccessGroupEligibilityScheduleInstance",
    GROUP_ELIGIBILITY,
    properties=MEMBERS | {"eligibilityScheduleId"},
    page=100,
)
ASSIGNMENT = EntityType(
    "privilegedAccessGroupAssignmentScheduleInstance",
    GROUP_ASSIGNMENT,
    properties=MEMBERS | {"assignmentScheduleId", "assignmentType"},
    page=100,
)


def list_eligibility(call: Call) -> GraphResponse:
    return _answer(call, ELIGIBILITY, "eligibilityScheduleInstances")


def list_assignments(call: Call) -> GraphResponse:
    return _answer(call, ASSIGNMENT, "assignmentScheduleInstances")


def _answer(call: Call, entity: EntityType, segment: str) -> GraphResponse:
    check_licence(call)
    if not any(name in call.query.options.get("$filter", "") for name in FILTERED_BY):
        raise bad_policy("The $filter query parameter must name a groupId or a principalId.")
    suffix = f"identityGovernance/privilegedAccess/group/{segment}{{select}}"
    return answer_list(call, entity, suffix, expands={"principal": lambda item: show_principal(call, item)})


ROUTES = [
    Route("GET", f"{PATH}/eligibilityScheduleInstances", list_eligibility),
    Route("GET", f"{PATH}/assignmentScheduleInstances", list_assignments),
]
