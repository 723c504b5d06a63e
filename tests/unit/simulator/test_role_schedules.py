# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a directory role, who is only eligible for it, and until when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    ASSIGNMENTS,
    DELETED_USERS,
    GLOBAL_ADMINISTRATOR,
    NOBODY,
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    USER_ADMINISTRATOR,
    USERS,
    advance,
    assume,
    give_role,
    new_user,
    refused,
    user_named,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL, Answer, Client
from m365_simulator.clock import to_stamp
from m365_simulator.simulation import Options, Simulation

SCENARIO = """
subscriptions: [{part_number: AAD_PREMIUM_P2, bought: 5}]
people:
  named:
    - {name: Permanent One, roles: [Global Administrator]}
    - {name: Eligible Two, eligible_roles: [Global Administrator]}
    - {name: Bound Three, time_bound_roles: [{role: Global Administrator, days: 2}]}
    - {name: Activated Four, time_bound_roles: [{role: User Administrator, days: 0.1, activated: true}],
       eligible_roles: [User Administrator]}
    - {name: Ordinary Five}
"""
DIRECTORY = "/v1.0/roleManagement/directory"
ACTIVE, ELIGIBLE = "roleAssignmentSchedule", "roleEligibilitySchedule"
DAY = 86400
FOR_EVER: dict[str, Any] = {"expiration": {"type": "noExpiration"}}


@pytest.fixture(scope="module")
def premium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    file = tmp_path_factory.mktemp("scenario") / "p2.yml"
    file.write_text(SCENARIO)
    simulation = Simulation(Options(scenarios=(str(file),)), [URL])
    yield simulation
    simulation.close()


@pytest.fixture
def client(premium: Simulation, client_of: Callable[[Simulation], Client]) -> Client:
    premium.reset()
    return client_of(premium)


def instances(client: Client, kind: str, person: str) -> list[dict[str, Any]]:
    return client.get(f"{DIRECTORY}/{kind}Instances?$filter=principalId eq '{person}'").value


def holds(client: Client, person: str) -> list[str]:
    """The roles that /roleAssignments shows."""
    return [item["roleDefinitionId"] for item in client.get(f"{ASSIGNMENTS}?$filter=principalId eq '{person}'").value]


def ask(client: Client, kind: str, person: str, **changes: Any) -> Answer:
    body = {
        "action": "adminAssign",
        "principalId": person,
        "roleDefinitionId": USER_ADMINISTRATOR,
        "directoryScopeId": "/",
        "justification": "A test",
        "scheduleInfo": FOR_EVER,
        **changes,
    }
    return client.call("POST", f"{DIRECTORY}/{kind}Requests", body)


def until(client: Client, seconds: float) -> dict[str, Any]:
    end = to_stamp(client.simulation.clock.now() + seconds)
    return {"expiration": {"type": "afterDateTime", "endDateTime": end}}


def test_the_scenario_tells_permanent_eligible_and_time_bound_apart(client: Client) -> None:
    permanent, eligible = user_named(client, "Permanent One"), user_named(client, "Eligible Two")
    bound, activated = user_named(client, "Bound Three"), user_named(client, "Activated Four")
    shown = {}
    for person in (permanent, eligible, bound, activated):
        active = [(item["assignmentType"], bool(item["endDateTime"])) for item in instances(client, ACTIVE, person)]
        shown[person] = (active, len(instances(client, ELIGIBLE, person)), len(holds(client, person)))
    assert shown == {
        permanent: ([("Assigned", False)], 0, 1),
        eligible: ([], 1, 0),
        bound: ([("Assigned", True)], 0, 1),
        activated: ([("Activated", True)], 1, 1),
    }
    (instance,) = instances(client, ACTIVE, bound)
    assert instance["memberType"] == "Direct"
    schedule = client.get(f"{DIRECTORY}/{ACTIVE}s/{instance['roleAssignmentScheduleId']}").body
    assert schedule["scheduleInfo"]["expiration"]["type"] == "afterDateTime"
    assert schedule["scheduleInfo"]["expiration"]["endDateTime"] == instance["endDateTime"]


def test_schedules_are_filtered_and_expanded(client: Client) -> None:
    path = f"{DIRECTORY}/{ACTIVE}Instances"
    bound = f"$filter=roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}' and endDateTime ne null"
    (found,) = client.get(f"{path}?{bound}&$expand=principal").value
    assert found["principal"]["displayName"] == "Bound Three"
    (found,) = client.get(f"{path}?$filter=assignmentType eq 'Activated'&$select=principalId").value
    assert found == {"principalId": user_named(client, "Activated Four")}
    assert client.get(f"{path}?$filter=justification eq 'x'").status == 400
    refused(client.get(f"{path}/{NOBODY}"), 404, "Request_ResourceNotFound")
    (found,) = client.get(f"/beta/roleManagement/directory/{ELIGIBLE}s?$filter=principalId eq '{NOBODY}'").value or [{}]
    assert found == {}


def test_a_time_bound_role_ends(client: Client) -> None:
    bound = user_named(client, "Bound Three")
    advance(client, 1.9 * DAY)
    assert holds(client, bound) == [GLOBAL_ADMINISTRATOR]
    advance(client, 0.2 * DAY)
    client.admin("GET", f"/protection?user={bound}")
    assert (holds(client, bound), instances(client, ACTIVE, bound)) == ([], [])
    protection = client.admin("GET", f"/protection?user={bound}").body
    assert protection["administrator"] is False


def test_an_eligible_role_gives_no_power(client: Client) -> None:
    eligible = user_named(client, "Eligible Two")
    assert client.admin("GET", f"/protection?user={eligible}").body["administrator"] is False
    assert client.call("PATCH", f"{USERS}/{eligible}", {"accountEnabled": False}).status == 204


def test_roles_are_asked_for_changed_and_removed(client: Client) -> None:
    person = user_named(client, "Ordinary Five")
    made = ask(client, ACTIVE, person, scheduleInfo=until(client, DAY))
    assert (made.status, made.body["status"]) == (201, "Provisioned")
    assert holds(client, person) == [USER_ADMINISTRATOR]
    refused(ask(client, ACTIVE, person), 400, "RoleAssignmentExists")
    assert ask(client, ACTIVE, person, action="adminUpdate").status == 201
    (instance,) = instances(client, ACTIVE, person)
    assert instance["endDateTime"] is None
    advance(client, 2 * DAY)
    assert holds(client, person) == [USER_ADMINISTRATOR]
    removed = ask(client, ACTIVE, person, action="adminRemove", scheduleInfo=None)
    assert (removed.status, removed.body["status"]) == (201, "Revoked")
    assert holds(client, person) == []
    refused(ask(client, ACTIVE, person, action="adminRemove"), 400, "RoleAssignmentDoesNotExist")
    actions = [item["action"] for item in client.get(f"{DIRECTORY}/{ACTIVE}Requests").value]
    assert actions == ["adminAssign", "adminUpdate", "adminRemove"]


def test_an_eligibility_is_asked_for_without_a_reason(client: Client) -> None:
    person = user_named(client, "Ordinary Five")
    duration = {"expiration": {"type": "afterDuration", "duration": "P1DT2H"}}
    assert ask(client, ELIGIBLE, person, justification=None, scheduleInfo=duration).status == 201
    assert holds(client, person) == []
    advance(client, DAY)
    assert len(instances(client, ELIGIBLE, person)) == 1
    advance(client, 3 * 3600)
    assert instances(client, ELIGIBLE, person) == []
    message = refused(
        ask(client, ACTIVE, person, justification=None), 400, "RoleAssignmentRequestPolicyValidationFailed"
    )
    assert "JustificationRule" in message


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"principalId": NOBODY}, 404, "SubjectNotFound"),
        ({"roleDefinitionId": NOBODY}, 404, "RoleNotFound"),
        ({"directoryScopeId": "/administrativeUnits/" + NOBODY}, 404, "Request_ResourceNotFound"),
        ({"directoryScopeId": None}, 400, "BadRequest"),
        ({"action": "selfActivate"}, 400, "BadRequest"),
        ({"scheduleInfo": None}, 400, "BadRequest"),
        ({"scheduleInfo": {"expiration": {"type": "soon"}}}, 400, "BadRequest"),
        ({"scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "P"}}}, 400, "BadRequest"),
        ({"scheduleInfo": {"startDateTime": "2100-01-01T00:00:00Z", **FOR_EVER}}, 400, "BadRequest"),
        (
            {"scheduleInfo": {"expiration": {"type": "afterDateTime", "endDateTime": "2020-01-01T00:00:00Z"}}},
            400,
            "BadRequest",
        ),
        ({"unheard": 1}, 400, "BadRequest"),
    ],
)
def test_what_cannot_be_is_refused(client: Client, changes: dict[str, Any], status: int, code: str) -> None:
    person = user_named(client, "Ordinary Five")
    for kind in (ACTIVE, ELIGIBLE):
        refused(ask(client, kind, person, **changes), status, code)
        assert client.get(f"{DIRECTORY}/{kind}Requests").value == []
    assert holds(client, person) == []


def test_validation_alone_changes_nothing(client: Client) -> None:
    person = user_named(client, "Ordinary Five")
    assert ask(client, ACTIVE, person, isValidationOnly=True).status == 201
    assert holds(client, person) == []
    assert client.get(f"{DIRECTORY}/{ACTIVE}Requests").value == []


def test_the_last_global_administrator_stays_here_too(client: Client) -> None:
    for name in ("Bound Three", "Permanent One"):
        answer = ask(
            client,
            ACTIVE,
            user_named(client, name),
            action="adminRemove",
            roleDefinitionId=GLOBAL_ADMINISTRATOR,
        )
    assert answer.status == 400
    assert holds(client, user_named(client, "Permanent One")) == [GLOBAL_ADMINISTRATOR]


def test_a_plain_assignment_is_a_permanent_schedule(client: Client) -> None:
    person = user_named(client, "Ordinary Five")
    give_role(client, person, USER_ADMINISTRATOR)
    (instance,) = instances(client, ACTIVE, person)
    assert (instance["assignmentType"], instance["startDateTime"], instance["endDateTime"]) == ("Assigned", None, None)
    refused(ask(client, ACTIVE, person), 400, "RoleAssignmentExists")


def test_a_deleted_user_comes_back_with_what_is_left_of_the_roles(client: Client) -> None:
    assume(client, sensitive_actions_by_applications="allowed")
    bound, eligible = user_named(client, "Bound Three"), user_named(client, "Eligible Two")
    for person in (bound, eligible):
        assert client.call("DELETE", f"{USERS}/{person}").status == 204
        assert (instances(client, ACTIVE, person), instances(client, ELIGIBLE, person)) == ([], [])
    assert client.call("POST", f"{DELETED_USERS}/{eligible}/restore").status == 200
    assert len(instances(client, ELIGIBLE, eligible)) == 1
    advance(client, 3 * DAY)
    assert client.call("POST", f"{DELETED_USERS}/{bound}/restore").status == 200
    assert holds(client, bound) == []


def test_the_permissions_of_one_kind_are_not_those_of_the_other(client: Client) -> None:
    client.grant("RoleEligibilitySchedule.Read.Directory")
    assert client.get(f"{DIRECTORY}/{ELIGIBLE}Instances").status == 200
    refused(client.get(f"{DIRECTORY}/{ACTIVE}Instances"), 403, "Authorization_RequestDenied")
    refused(ask(client, ELIGIBLE, NOBODY), 403, "Authorization_RequestDenied")


def test_the_audit_log_says_who_became_what(client: Client) -> None:
    person = str(new_user(client).body["id"])
    ask(client, ACTIVE, person, scheduleInfo=until(client, DAY))
    ask(client, ELIGIBLE, person, roleDefinitionId=PRIVILEGED_AUTHENTICATION_ADMINISTRATOR)
    path = f"/v1.0/auditLogs/directoryAudits?$filter=targetResources/any(t: t/id eq '{person}')"
    activities = {entry["activityDisplayName"] for entry in client.get(path).value}
    assert {
        "Add member to role in PIM completed (timebound)",
        "Add eligible member to role in PIM completed (permanent)",
    } <= activities


def test_without_p2_there_are_none(business: Client) -> None:
    for kind in (ACTIVE, ELIGIBLE):
        refused(business.get(f"{DIRECTORY}/{kind}s/{NOBODY}"), 400, "AadPremiumLicenseRequired")
        refused(ask(business, kind, NOBODY), 400, "AadPremiumLicenseRequired")
