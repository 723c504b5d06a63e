# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrative units beside scenario 35: what they are, who is in them, and whose sign-in they leave alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    ASSIGNMENTS,
    DELETED_USERS,
    GLOBAL_ADMINISTRATOR,
    GRAPH_URL,
    NOBODY,
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    UNITS,
    USER_ADMINISTRATOR,
    USERS,
    add_to_unit,
    assume,
    give_role,
    new_unit,
    new_user,
    refused,
    user_named,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Client

AUDITS = "/v1.0/auditLogs/directoryAudits"


def restricted_user(client: Client) -> tuple[str, str]:
    """A new person in a new restricted unit: both ids."""
    person, unit = str(new_user(client).body["id"]), new_unit(client, isMemberManagementRestricted=True)
    assert add_to_unit(client, unit, person).status == 204
    return person, unit


def is_restricted(client: Client, person: str) -> Any:
    return client.get(f"{USERS}/{person}?$select=isManagementRestricted").body["isManagementRestricted"]


def scope_of(unit: str) -> str:
    return f"/administrativeUnits/{unit}"


def test_a_unit_is_made_read_changed_and_deleted(business: Client) -> None:
    made = business.call("POST", UNITS, {"displayName": "North", "description": "Of the north"})
    unit = made.body["id"]
    assert made.body["isMemberManagementRestricted"] is False
    listed = business.get(f"{UNITS}?$filter=displayName eq 'North'&$select=id,displayName").value
    assert [(item["id"], item["displayName"]) for item in listed] == [(unit, "North")]
    assert business.call("PATCH", f"{UNITS}/{unit}", {"description": None}).status == 204
    assert business.get(f"/beta/directory/administrativeUnits/{unit}").body["description"] is None
    assert business.call("DELETE", f"{UNITS}/{unit}").status == 204
    refused(business.get(f"{UNITS}/{unit}"), 404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": ""},
        {"displayName": 3},
        {"displayName": "x", "id": NOBODY},
        {"displayName": "x", "isMemberManagementRestricted": "true"},
        {"displayName": "x", "membershipType": "Dynamic"},
        {"displayName": "x", "visibility": "HiddenMembership"},
        {"displayName": "x", "unheard": 1},
    ],
)
def test_what_is_no_unit_is_refused(business: Client, body: dict[str, Any]) -> None:
    assert business.call("POST", UNITS, body).status == 400
    assert business.get(UNITS).value == []


def test_members_come_once_and_go_once(business: Client) -> None:
    unit, person = new_unit(business), user_named(business, "Daan Mulder")
    assert add_to_unit(business, unit, person).status == 204
    assert "already exist" in refused(add_to_unit(business, unit, person), 400, "Request_BadRequest")
    (member,) = business.get(f"{UNITS}/{unit}/members").value
    assert (member["@odata.type"], member["id"]) == ("#microsoft.graph.user", person)
    assert is_restricted(business, person) is None, "an ordinary unit restricts nobody"
    assert business.call("DELETE", f"{UNITS}/{unit}/members/{person}/$ref").status == 204
    for path in (f"{UNITS}/{unit}/members/{person}/$ref", f"{UNITS}/{NOBODY}/members/{person}/$ref"):
        refused(business.call("DELETE", path), 404, "Request_ResourceNotFound")
    refused(add_to_unit(business, unit, NOBODY), 404, "Request_ResourceNotFound")
    assert add_to_unit(business, unit, business.tenant.application.object_id).status == 400


def test_a_restriction_ends_with_the_membership_and_with_the_unit(business: Client) -> None:
    person, unit = restricted_user(business)
    assert is_restricted(business, person) is True
    assert business.call("DELETE", f"{UNITS}/{unit}/members/{person}/$ref").status == 204
    assert is_restricted(business, person) is None
    assert business.call("PATCH", f"{USERS}/{person}", {"jobTitle": "Free"}).status == 204

    add_to_unit(business, unit, person)
    give_role(business, person, USER_ADMINISTRATOR, scope_of(unit))
    assert business.call("DELETE", f"{UNITS}/{unit}").status == 204
    assert is_restricted(business, person) is None
    assert business.get(f"{ASSIGNMENTS}?$filter=principalId eq '{person}'").value == []
    assert business.call("PATCH", f"{USERS}/{person}", {"jobTitle": "Freer"}).status == 204


def test_a_role_scoped_to_another_unit_opens_nothing(business: Client) -> None:
    person, _unit = restricted_user(business)
    ordinary = new_unit(business, displayName="Ordinary")
    add_to_unit(business, ordinary, person)
    give_role(business, business.tenant.application.object_id, USER_ADMINISTRATOR, scope_of(ordinary))
    refused(business.call("PATCH", f"{USERS}/{person}", {"jobTitle": "x"}), 403, "Authorization_RequestDenied")


def test_an_administrator_in_a_restricted_unit_is_out_of_every_applications_reach(business: Client) -> None:
    person, unit = restricted_user(business)
    assert give_role(business, person, GLOBAL_ADMINISTRATOR).status == 201, "roles are not the user's own properties"
    application = business.tenant.application.object_id
    assert give_role(business, application, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR).status == 201
    assert give_role(business, application, USER_ADMINISTRATOR, scope_of(unit)).status == 201
    change = {"accountEnabled": False}
    refused(business.call("PATCH", f"{USERS}/{person}", change), 403, "Authorization_RequestDenied")
    assert business.call("PATCH", f"{USERS}/{person}", {"jobTitle": "Seen to"}).status == 204
    assert business.call("DELETE", f"{UNITS}/{unit}/members/{person}/$ref").status == 204
    assert business.call("PATCH", f"{USERS}/{person}", change).status == 204


def test_a_restricted_group_keeps_its_members(business: Client) -> None:
    group = business.get("/v1.0/groups?$filter=displayName eq 'Service accounts'").value[0]["id"]
    role_group = business.get("/v1.0/groups?$filter=displayName eq 'Excluded from Conditional Access'").value[0]["id"]
    unit = new_unit(business, isMemberManagementRestricted=True)
    for one in (group, role_group):
        assert add_to_unit(business, unit, one).status == 204
    assert business.get(f"/v1.0/groups/{group}?$select=isManagementRestricted").body["isManagementRestricted"] is True
    member = user_named(business, "Emergency one")
    reference = {"@odata.id": f"{GRAPH_URL}/v1.0/directoryObjects/{member}"}
    add = ("POST", f"/v1.0/groups/{group}/members/$ref", reference)
    for write in (add, ("DELETE", f"/v1.0/groups/{group}", None)):
        refused(business.call(*write), 403, "Authorization_RequestDenied")
    give_role(business, business.tenant.application.object_id, USER_ADMINISTRATOR, scope_of(unit))
    assert business.call(*add).status == 204
    away = f"/v1.0/groups/{role_group}/members/{member}/$ref"
    refused(business.call("DELETE", away), 403, "Authorization_RequestDenied")


@pytest.mark.parametrize("role", [GLOBAL_ADMINISTRATOR, "e8611ab8-c189-46e8-94e1-60213ab1f814"])
def test_two_roles_have_no_scope_but_the_tenant(business: Client, role: str) -> None:
    unit, person = new_unit(business), user_named(business, "Daan Mulder")
    refused(give_role(business, person, role, scope_of(unit)), 400, "Request_BadRequest")
    for nowhere in (scope_of(NOBODY), "/elsewhere"):
        refused(give_role(business, person, USER_ADMINISTRATOR, nowhere), 404, "Request_ResourceNotFound")


def test_a_restored_user_is_still_restricted(business: Client) -> None:
    person, unit = restricted_user(business)
    give_role(business, business.tenant.application.object_id, USER_ADMINISTRATOR, scope_of(unit))
    assert business.call("DELETE", f"{USERS}/{person}").status == 204
    assert business.get(f"{UNITS}/{unit}/members").value == []
    assert business.call("POST", f"{DELETED_USERS}/{person}/restore").status == 200
    assert is_restricted(business, person) is True
    business.call("DELETE", f"{USERS}/{person}")
    business.call("DELETE", f"{UNITS}/{unit}")
    assert business.call("POST", f"{DELETED_USERS}/{person}/restore").status == 200
    assert is_restricted(business, person) is None


@pytest.mark.parametrize("answer", ["refused", "accepted"])
def test_a_restricted_unit_takes_a_licence_if_so_assumed(greenfield: Client, answer: str) -> None:
    assume(greenfield, restricted_management_on_free=answer)
    made = greenfield.call("POST", UNITS, {"displayName": "x", "isMemberManagementRestricted": True})
    assert made.status == {"refused": 400, "accepted": 201}[answer]
    assert greenfield.call("POST", UNITS, {"displayName": "y"}).status == 201


def test_units_take_their_own_permissions(business: Client) -> None:
    business.grant("AdministrativeUnit.Read.All", "User.ReadWrite.All")
    assert business.get(UNITS).status == 200
    refused(business.call("POST", UNITS, {"displayName": "x"}), 403, "Authorization_RequestDenied")
    business.grant("User.ReadWrite.All")
    refused(business.get(UNITS), 403, "Authorization_RequestDenied")


def test_the_audit_log_names_whom_a_membership_is_about(business: Client) -> None:
    person = str(new_user(business).body["id"])
    group = business.get("/v1.0/groups?$filter=displayName eq 'Service accounts'").value[0]["id"]
    unit = new_unit(business, isMemberManagementRestricted=True)
    reference = {"@odata.id": f"{GRAPH_URL}/v1.0/directoryObjects/{person}"}
    business.call("POST", f"/v1.0/groups/{group}/members/$ref", reference)
    business.call("DELETE", f"/v1.0/groups/{group}/members/{person}/$ref")
    assignment = give_role(business, person, USER_ADMINISTRATOR).body["id"]
    business.call("DELETE", f"{ASSIGNMENTS}/{assignment}")
    add_to_unit(business, unit, person)
    business.call("DELETE", f"{UNITS}/{unit}/members/{person}/$ref")
    entries = business.get(f"{AUDITS}?$filter=targetResources/any(t: t/id eq '{person}')").value
    assert {entry["activityDisplayName"] for entry in entries} == {
        "Add user",
        "Add member to group",
        "Remove member from group",
        "Add member to role",
        "Remove member from role",
        "Add member to restricted management administrative unit",
        "Remove member from restricted management administrative unit",
    }
    for entry in entries:
        assert entry["targetResources"][0]["type"] == "User"
        assert entry["targetResources"][0]["userPrincipalName"].startswith("new.one@")
    wholes = {entry["targetResources"][-1]["id"] for entry in entries}
    assert wholes == {person, group, unit, USER_ADMINISTRATOR}


SCENARIO = """
people: {named: [{name: Ada One}, {name: Bob Two}]}
groups: [{name: Guarded}, {name: Open}]
administrative_units:
  - {name: Vault, description: Of the emergency accounts, restricted: true, members: ["user:ada.one", "group:Guarded"]}
  - {name: North, members: ["user:bob.two", "user:ada.one"]}
"""


def test_a_scenario_has_units(open_simulation_client: Callable[..., Client], tmp_path: Path) -> None:
    file = tmp_path / "units.yml"
    file.write_text(SCENARIO)
    client = open_simulation_client(scenarios=(str(file),))
    vault, north = client.get(UNITS).value
    assert [vault["isMemberManagementRestricted"], north["isMemberManagementRestricted"]] == [True, False]
    ada, bob = user_named(client, "Ada One"), user_named(client, "Bob Two")
    assert {item["id"] for item in client.get(f"{UNITS}/{north['id']}/members").value} == {ada, bob}
    assert (is_restricted(client, ada), is_restricted(client, bob)) == (True, None)
    groups = client.get("/v1.0/groups?$select=displayName,isManagementRestricted").value
    assert {item["displayName"]: item["isManagementRestricted"] for item in groups} == {"Guarded": True, "Open": None}
