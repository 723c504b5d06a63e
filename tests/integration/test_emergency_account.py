# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emergency account in a tenant that is slow, half-hearted, or taken apart between runs.

Without playbooks: the resource is run in this process, as the action door does it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.zerotrust.m365.plugins.module_utils._door import argument_spec
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import execute
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import GLOBAL_ADMINISTRATOR
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.emergency_account import RESOURCE
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes

PASSWORD = "correct-Horse7-battery"
OTHER_PASSWORD = "wrong-Donkey8-capacitor"
GROUP = "Excluded from Conditional Access"
WHOLE: dict[str, Any] = {"exclusion_group": "Emergency access", "administrative_unit": "Emergency"}
USER, MEMBER, ROLE = "/users", "/groups/*/members/$ref", "/roleManagement/directory/roleAssignments"
REQUEST = re.compile(r" \(request-id \S+\)")
OWN_WRITES = r"/(users|\$ref|roleAssignments)$"
UNIT = "/directory/administrativeUnits/*/members/$ref"


class Account:
    """Runs the resource against one tenant of the simulator."""

    def __init__(self, simulator: Simulator, tenant: Tenant, name: str = "emergency1") -> None:
        self.simulator = simulator
        self.tenant = tenant
        self.name = name
        self._access_token = simulator.access_token(tenant)

    def run(self, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        self.simulator.announce_run(check_mode=check_mode)
        validation = ArgumentSpecValidator(argument_spec(RESOURCE)).validate(
            {
                "graph_url": self.simulator.graph_url,
                "login_url": self.simulator.login_url,
                "ca_path": self.simulator.ca_file,
                "access_token": self._access_token,
                "user_principal_name": self.name,
                "password": PASSWORD,
                "wait_timeout": 20,
                "max_retries": 0,
                **options,
            }
        )
        assert validation.error_messages == []
        result = execute(
            RESOURCE,
            validation.validated_parameters,
            environment={},
            check_mode=check_mode,
            warn=lambda _: None,
            secret=lambda _: None,
        )
        told = json.dumps(result)
        assert PASSWORD not in told
        assert OTHER_PASSWORD not in told
        return result

    def done(self, **options: Any) -> dict[str, Any]:
        result = self.run(**options)
        assert not result.get("failed"), result["msg"]
        return result

    def refused(self, **options: Any) -> str:
        """The message of what a dry run and a run refuse with the same words, without a write."""
        self.simulator.forget()
        messages = []
        for check_mode in (True, False):
            result = self.run(check_mode=check_mode, **options)
            assert result["failed"], result["msg"]
            assert not result["changed"]
            messages.append(REQUEST.sub("", result["msg"]))
        assert messages[0] == messages[1]
        assert writes(self.simulator.journal(self.tenant)) == []
        return messages[0]

    def users(self) -> list[dict[str, Any]]:
        objects = self.simulator.state(self.tenant)["objects"]["user"]
        return [user for user in objects if user["userPrincipalName"].startswith(f"{self.name}@")]

    def wrote(self) -> list[str]:
        """The accepted writes since the journal was emptied, ids as a star."""
        return [shortened(request.path) for request in self.simulator.journal(self.tenant) if request.wrote]


def shortened(path: str) -> str:
    return "/".join("*" if segment.count("-") == 4 else segment for segment in path.split("/"))


Make = Callable[..., Account]


@pytest.fixture
def account(simulator: Simulator) -> Make:
    return lambda scenario="emergency_account", name="emergency1": Account(simulator, simulator.tenant(scenario), name)


def test_the_restricted_unit_comes_last_and_the_role_after_the_password(account: Make) -> None:
    emergency = account()
    planned = emergency.done(check_mode=True, **WHOLE)
    assert emergency.wrote() == []
    made = emergency.done(**WHOLE)
    assert emergency.wrote() == [USER, MEMBER, ROLE, UNIT]
    assert made["diff"] == planned["diff"]
    assert made["effects"] == planned["effects"]
    assert len(made["effects"]) == 2
    shown = made["emergency_account"]
    assert shown["last_password_change"]
    predicted = {**planned["emergency_account"], "id": shown["id"]}
    assert {**predicted, "last_password_change": shown["last_password_change"]} == shown
    assert shown["global_administrator"] == "permanent"
    assert shown["permanence"] == "read"

    again = emergency.done(**WHOLE)
    assert not again["changed"]
    assert not again["emergency_account"]["password_set"]
    assert again["effects"] == []
    assert {**again["emergency_account"], "password_set": True} == shown
    # With a role of its own, but none that is assigned at the unit, the application is locked out.
    refused = emergency.run(display_name="Other", **WHOLE)
    assert "a role that is assigned at that unit" in refused["msg"]
    assert refused["diff"][0]["after"] == {"display_name": "Other"}


@pytest.mark.parametrize(
    ("scenario", "options"),
    [
        ("greenfield", {}),
        pytest.param("hybrid", {}, marks=pytest.mark.deep),
        pytest.param("business", {"exclusion_group": GROUP}, marks=pytest.mark.deep),
    ],
)
def test_without_p2_permanence_is_inferred(account: Make, scenario: str, options: dict[str, Any]) -> None:
    emergency = account(scenario)
    made = emergency.done(**options)["emergency_account"]
    assert (made["global_administrator"], made["permanence"]) == ("permanent", "inferred")
    assert not emergency.done(**options)["changed"]
    assert len(emergency.users()) == 1


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("bound", "time_bound"),
        pytest.param("eligible", "eligible", marks=pytest.mark.deep),
        pytest.param("activated", "time_bound", marks=pytest.mark.deep),
    ],
)
def test_the_role_becomes_permanent(account: Make, name: str, before: str) -> None:
    emergency = account(name=name)
    assert emergency.done(assign_role=False)["emergency_account"]["global_administrator"] == before
    result = emergency.done()
    assert result["diff"][-1]["before"] == {"global_administrator": before}
    assert result["emergency_account"]["global_administrator"] == "permanent"
    assert not emergency.done()["changed"]


FAULTS: dict[str, list[dict[str, Any]]] = {
    "created, but unknown for a while": [
        {"path": "/users$", "method": "POST", "kind": "late_visibility", "seconds": 1}
    ],
    "known to some replicas only": [
        {"path": "/users$", "method": "POST", "kind": "late_visibility", "seconds": 1, "share": 0.5},
        {"path": ".", "method": "POST", "kind": "stale", "seconds": 1, "share": 0.5, "times": None},
    ],
    "old answers to every read": [{"path": "/", "method": "POST", "kind": "stale", "seconds": 1, "times": None}],
}


@pytest.mark.parametrize(
    "faults",
    [pytest.param(name, marks=pytest.mark.deep if number else ()) for number, name in enumerate(FAULTS)],
)
def test_replication_is_waited_out(simulator: Simulator, account: Make, faults: str) -> None:
    for fault in FAULTS[faults]:
        simulator.strike(**fault)
    emergency = account("business")
    made = emergency.done(exclusion_group=GROUP)
    assert made["emergency_account"]["exists"]
    assert emergency.wrote() == [USER, MEMBER, ROLE]
    simulator.heal()
    assert not emergency.done(exclusion_group=GROUP)["changed"]
    assert len(emergency.users()) == 1


def test_an_account_that_reads_hide_is_not_made_twice(simulator: Simulator, account: Make) -> None:
    simulator.strike(path="/users$", method="POST", kind="late_visibility", seconds=2, where=["object", "list"])
    emergency = account("business")
    first = emergency.run(assign_role=False, wait_timeout=0)
    assert first["failed"]
    assert "did not show it" in first["msg"]
    second = emergency.done()
    assert emergency.wrote() == [USER, ROLE]
    assert not second["emergency_account"]["password_set"]
    assert [change["before_header"] for change in second["diff"]] == [
        "the role Global Administrator of emergency1@contoso.onmicrosoft.com"
    ]


@pytest.mark.deep
def test_a_name_that_stays_hidden_is_refused_in_the_words_of_graph(simulator: Simulator, account: Make) -> None:
    simulator.strike(path="/users$", method="POST", kind="late_visibility", seconds=60, where=["object", "list"])
    emergency = account("business")
    emergency.run(assign_role=False, wait_timeout=0)
    refused = emergency.run(wait_timeout=1)
    assert "userPrincipalName already exists" in refused["msg"]
    assert refused["error"]["status"] == 400
    assert not refused["changed"]


@pytest.mark.parametrize(
    ("index", "when"),
    [
        pytest.param(index, when, marks=() if (index, when) == (0, "after") else pytest.mark.deep)
        for index in range(4)
        for when in ("before", "after")
    ],
)
def test_the_next_run_finishes_what_was_cut_off(simulator: Simulator, account: Make, index: int, when: str) -> None:
    emergency = account()
    simulator.strike(path=OWN_WRITES, method="POST", status="reset", when=when, after=index)
    first = emergency.run(**WHOLE)
    assert first["failed"], "the fault did not strike"
    assert len(emergency.wrote()) == index + (when == "after")
    second = emergency.done(**WHOLE)
    assert second["emergency_account"]["password_set"] == ((index, when) == (0, "before"))
    assert second["emergency_account"]["administrative_unit"]["member"]
    assert emergency.wrote() == [USER, MEMBER, ROLE, UNIT]
    assert not emergency.done(**WHOLE)["changed"]


def test_a_deleted_account_is_reported_and_restored_when_asked(simulator: Simulator, account: Make) -> None:
    emergency = account()
    made = emergency.done(exclusion_group="Emergency access")["emergency_account"]
    gone = emergency.done(state="absent", force=True)
    assert gone["emergency_account"]["exists"] is False
    assert made["id"] in emergency.refused()
    options = {"restore": True, "exclusion_group": "Emergency access"}
    planned = emergency.done(check_mode=True, **options)
    simulator.forget()
    restored = emergency.done(**options)
    assert restored["diff"] == planned["diff"]
    shown = restored["emergency_account"]
    assert shown == {**made, "password_set": False, "exclusion_group": {**made["exclusion_group"], "member": True}}
    assert emergency.wrote()[0] == "/directory/deletedItems/*/restore"
    assert not emergency.done(**options)["changed"]


def test_a_disabled_or_demoted_account_is_mended(simulator: Simulator, account: Make) -> None:
    emergency = account()
    made = emergency.done(exclusion_group="Emergency access")["emergency_account"]
    path, tenant = f"/users/{made['id']}", emergency.tenant
    simulator.change(tenant, "PATCH", path, {"accountEnabled": False, "passwordPolicies": "DisableStrongPassword"})
    (role,) = [one for one in simulator.state(tenant)["objects"]["roleAssignment"] if one["principalId"] == made["id"]]
    simulator.change(tenant, "DELETE", f"/roleManagement/directory/roleAssignments/{role['id']}")
    simulator.change(tenant, "DELETE", f"/groups/{made['exclusion_group']['id']}/members/{made['id']}/$ref")
    mended = emergency.done(exclusion_group="Emergency access")
    assert [change["before"] for change in mended["diff"]] == [
        {"enabled": False, "password_policies": "DisableStrongPassword"},
        {"member": False},
        {"global_administrator": "none"},
    ]
    assert mended["emergency_account"] == {**made, "password_set": False}
    assert not emergency.done(exclusion_group="Emergency access")["changed"]


def test_the_password_of_an_administrator_takes_a_role(simulator: Simulator, account: Make) -> None:
    rotation: dict[str, Any] = {"update_password": "always", "password": OTHER_PASSWORD}
    locked_out = account("business")
    locked_out.done()
    refused = locked_out.run(**rotation)
    assert "needs the directory role Privileged Authentication Administrator" in refused["msg"]
    assert refused["diff"][0]["before"] == {"password": "VALUE_NOT_SHOWN"}
    assert not refused["changed"]

    with_role = account()
    with_role.done()
    planned = with_role.done(check_mode=True, **rotation)
    assert planned["emergency_account"]["last_password_change"] is None
    rotated = with_role.done(**rotation)
    assert rotated["emergency_account"]["password_set"]
    assert rotated["diff"] == planned["diff"]
    assert with_role.done(**rotation)["changed"]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("emergency1@relecloud.example", {}, "not on the tenant's initial domain relecloud.onmicrosoft.com"),
        ("synced", {}, "synchronised from on-premises"),
        ("renamed", {}, "the Global Administrator renamed@relecloud.example has the same name on another domain"),
        ("emergency1", {"exclusion_group": "Missing"}, "There is no group 'Missing'"),
        ("emergency1", {"administrative_unit": "Everything"}, "protects nothing"),
    ],
)
def test_what_is_refused_before_a_write(account: Make, name: str, options: dict[str, Any], words: str) -> None:
    assert words in account(name=name).refused(**options)


def test_a_name_that_an_administrator_has_elsewhere_can_be_forced(account: Make) -> None:
    assert account(name="renamed").done(force=True)["emergency_account"]["exists"]


def test_the_last_usable_account_is_never_deleted(simulator: Simulator, account: Make) -> None:
    """The eligible and time-bound ones do not count."""
    emergency = account()
    emergency.done()
    for name in ("noor.visser@relecloud.onmicrosoft.com", "renamed@relecloud.example"):
        simulator.change(emergency.tenant, "PATCH", f"/users/{name}", {"accountEnabled": False})
    assert "no other enabled, cloud-only user" in emergency.refused(state="absent", force=True)
    assert account(name="nobody").done(state="absent", force=True)["changed"] is False


def test_roles_that_cannot_be_read_delete_nobody_and_assign_nothing(simulator: Simulator, account: Make) -> None:
    emergency = account()
    simulator.fail("/roleAssignmentScheduleInstances", 403, times=None)
    assert "403" in emergency.refused()
    made = emergency.done(assign_role=False)
    assert made["emergency_account"]["global_administrator"] == "unknown"
    assert "is unknown" in emergency.refused(state="absent", force=True)


def test_the_assignment_is_of_global_administrator_for_the_whole_tenant(simulator: Simulator, account: Make) -> None:
    emergency = account()
    identity = emergency.done()["emergency_account"]["id"]
    assignments = simulator.state(emergency.tenant)["objects"]["roleAssignment"]
    assert [
        (one["roleDefinitionId"], one["directoryScopeId"]) for one in assignments if one["principalId"] == identity
    ] == [(GLOBAL_ADMINISTRATOR, "/")]
