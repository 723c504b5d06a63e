# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read, and how often, to know who may not get in under security defaults, in a simulated tenant."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import security_defaults, ways_in
from ansible_collections.zerotrust.m365.tests.unit._resources.conftest import OpenSimulation
from ansible_collections.zerotrust.m365.tests.unit._resources.hardware_tokens import (
    activate_token,
    assign_token,
    forget_methods,
    leave_only_a_token,
)
from ansible_collections.zerotrust.m365.tests.unit._resources.registration_report import leave_out_of_report
from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_graph import Task
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Client

SCENARIOS = Path(__file__).parents[2] / "integration/scenarios"
FREE, LICENSED = str(SCENARIOS / "switched_off.yml"), str(SCENARIOS / "switched_off_licensed.yml")
POLICY = "/beta/policies/authenticationMethodsPolicy"
REPORT = "/v1.0/reports/authenticationMethods/userRegistrationDetails"
REQUEST = re.compile(r" \(request-id \S+\)")
NAME = re.compile(r"'([\w.]+)@")
WHAT_IT_READS = ("Directory.Read.All", "Policy.Read.All", "RoleManagement.Read.Directory", "User.Read.All")
WRITES = ("Policy.ReadWrite.SecurityDefaults", "Policy.ReadWrite.AuthenticationMethod")
REST = ("Organization.Read.All", "UserAuthenticationMethod.Read.All", "Policy.ReadWrite.SecurityDefaults")
OF_ADMINISTRATORS = ["emergency.one", "lena.fischer", "tim.bakker"]


class Tenant:
    """Runs security_defaults: always dry first."""

    def __init__(self, simulated: Client) -> None:
        self.simulated = simulated
        self.task = Task(security_defaults.RESOURCE, simulated)

    def effects(self, *risks: str, **options: Any) -> list[str]:
        """What a dry run and a run tell of what people have registered."""
        found = []
        for check_mode in (True, False):
            accepted = ["unproven_emergency_access", *risks]
            result = self.task.run(check_mode=check_mode, enabled=True, accept_risks=accepted, **options)
            found.append([REQUEST.sub("", line) for line in result["impact"]["effects"] if "registered" in line])
        assert found[0] == found[1]
        return found[0]

    def refusal(self, *risks: str, **options: Any) -> str:
        """The same words of a dry run and of a run."""
        messages = []
        for check_mode in (True, False):
            accepted = ["unproven_emergency_access", *risks]
            with pytest.raises(OptionError) as caught:
                self.task.run(check_mode=check_mode, enabled=True, accept_risks=accepted, **options)
            assert self.task.wrote == []
            messages.append(REQUEST.sub("", caught.value.message))
        assert messages[0] == messages[1]
        return messages[0]

    def refused(self) -> list[str]:
        """The names of those who may not get in any more."""
        return NAME.findall(self.refusal("unknown_ways_in"))

    def configure(self, id: str, **properties: Any) -> None:
        path = f"{POLICY}/authenticationMethodConfigurations/{id}"
        kind = self.simulated.get(path).body["@odata.type"]
        answer = self.simulated.call("PATCH", path, {"@odata.type": kind, **properties})
        assert answer.status == 204, answer.content

    def user(self, name: str) -> str:
        return str(self.simulated.get(f"/v1.0/users?$filter=startsWith(userPrincipalName,'{name}')").value[0]["id"])

    def register(self, name: str, *methods: str) -> None:
        answer = self.simulated.admin("POST", f"/users/{self.user(name)}/register", {"methods": list(methods)})
        assert answer.status < 300, answer.content

    def sent(self, path: str) -> int:
        return [one for _method, one in self.task.sent].count(path)


Open = Callable[[str], Tenant]


@pytest.fixture
def open_tenant(open_simulation: OpenSimulation) -> Open:
    return lambda scenario: Tenant(Client(open_simulation(scenario), []))


@pytest.fixture
def free(open_tenant: Open) -> Tenant:
    return open_tenant(FREE)


@pytest.fixture
def licensed(open_tenant: Open) -> Tenant:
    return open_tenant(LICENSED)


@pytest.mark.parametrize("scenario", [FREE, LICENSED], ids=["free", "licensed"])
def test_who_has_only_what_is_switched_off_is_named(open_tenant: Open, scenario: str) -> None:
    tenant = open_tenant(scenario)
    assert tenant.refused() == [*OF_ADMINISTRATORS, "omar.haddad"]
    tenant.configure("Sms", state="enabled")
    assert tenant.refused() == ["lena.fischer"]
    tenant.configure("Voice", state="enabled", isOfficePhoneAllowed=True)
    assert tenant.effects() == []


def test_the_risk_is_taken_by_its_name(free: Tenant) -> None:
    (line,) = free.effects("no_way_in")
    assert NAME.findall(line) == [*OF_ADMINISTRATORS, "omar.haddad"]


def test_what_it_costs(free: Tenant) -> None:
    """One request for everybody, beside those for the facts; none when nothing changes, and none to turn it off."""
    risks = ["no_way_in", "unproven_emergency_access"]
    free.task.run(enabled=True, accept_risks=risks, check_mode=True)
    assert [path.partition("?")[0] for _method, path in free.task.sent if "/groups/" not in path] == [
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
        "/v1.0/$batch",  # the facts
        "/v1.0/users",
        "/beta/$batch",  # the methods of everybody
    ]
    free.configure("Sms", state="enabled")
    free.configure("Voice", state="enabled", isOfficePhoneAllowed=True)
    free.task.run(enabled=True, accept_risks=risks, check_mode=True)
    assert (free.sent("/v1.0/$batch"), free.sent("/beta/$batch"), len(free.task.sent)) == (1, 1, 5)
    free.task.run(enabled=True, accept_risks=risks)
    free.task.run(enabled=True, accept_risks=risks)
    assert len(free.task.sent) == 1
    free.task.run(enabled=False, accept_risks=["unprotected_users"], check_mode=True)
    assert free.sent("/v1.0/$batch") == 1


def test_groups_that_the_policy_names_are_looked_into(free: Tenant) -> None:
    group = free.simulated.get("/v1.0/groups").value[0]["id"]
    target = {"id": group, "targetType": "group"}
    free.configure("Voice", state="enabled", isOfficePhoneAllowed=True, includeTargets=[target])
    assert free.refused() == ["emergency.one", "tim.bakker", "omar.haddad"]
    free.configure("Sms", state="enabled", excludeTargets=[target])
    assert free.effects() == []


def test_an_access_pass_is_a_way_in(licensed: Tenant) -> None:
    licensed.configure("TemporaryAccessPass", state="enabled")
    path = f"/v1.0/users/{licensed.user('tim.bakker')}/authentication/temporaryAccessPassMethods"
    assert licensed.simulated.call("POST", path, {"lifetimeInMinutes": 60}).status == 201
    assert licensed.refused() == ["emergency.one", "lena.fischer", "omar.haddad"]


def test_a_hardware_token_is_a_way_in_once_it_is_activated(licensed: Tenant) -> None:
    """Only beta shows it."""
    licensed.configure("HardwareOath", state="enabled")
    token = assign_token(licensed.simulated, licensed.user("tim.bakker"))
    assert "tim.bakker" in licensed.refused()
    activate_token(licensed.simulated, token)
    assert licensed.refused() == ["emergency.one", "lena.fischer", "omar.haddad"]
    licensed.configure("HardwareOath", state="disabled")
    assert "tim.bakker" in licensed.refused()


@pytest.mark.parametrize("name", ["tim.bakker", "omar.haddad"], ids=["an administrator", "somebody else"])
@pytest.mark.parametrize("report", [True, False], ids=["with the report", "one by one"])
def test_whoever_has_nothing_but_a_token_is_named_while_tokens_are_off(
    licensed: Tenant, name: str, report: bool
) -> None:
    licensed.configure("HardwareOath", state="enabled")
    leave_only_a_token(licensed.simulated, licensed.user(name))
    if not report:
        licensed.simulated.grant(*WHAT_IT_READS, *WRITES, "UserAuthenticationMethod.Read.All")
    assert name not in licensed.refused()
    licensed.configure("HardwareOath", state="disabled")
    assert name in licensed.refused()


def test_a_token_that_was_never_activated_is_nothing_registered(licensed: Tenant) -> None:
    """Who has nothing registers on the way in."""
    user = licensed.user("tim.bakker")
    forget_methods(licensed.simulated, user)
    assign_token(licensed.simulated, user)
    assert "tim.bakker" not in licensed.refused()


def test_a_group_that_may_not_use_tokens_is_looked_into(licensed: Tenant) -> None:
    licensed.configure("HardwareOath", state="enabled")
    user = licensed.user("lena.fischer")
    activate_token(licensed.simulated, assign_token(licensed.simulated, user))
    assert "lena.fischer" not in licensed.refused()
    group = licensed.simulated.get("/v1.0/groups").value[0]["id"]
    licensed.configure("HardwareOath", excludeTargets=[{"id": group, "targetType": "group"}])
    assert "lena.fischer" in licensed.refused()


def test_passkeys_of_the_report_are_looked_at_where_their_model_decides(licensed: Tenant) -> None:
    licensed.register("omar.haddad", "fido2SecurityKey")
    assert "omar.haddad" in licensed.refused()
    licensed.configure("Fido2", state="enabled")
    assert "omar.haddad" not in licensed.refused()
    restrictions = {"isEnforced": True, "enforcementType": "allow", "aaGuids": ["de1e552d-db1d-4423-a619-566b625cdc84"]}
    licensed.configure("Fido2", keyRestrictions=restrictions)
    (closed, unknown) = licensed.effects("no_way_in", "unknown_ways_in")
    assert "omar.haddad" not in closed
    assert unknown == (
        f"Whether 1 other person ('omar.haddad@{licensed.simulated.tenant.initial_domain}') can use what they have "
        "registered for MFA is unknown."
    )


def test_declared_emergency_accounts_are_judged_elsewhere(free: Tenant) -> None:
    declared = {"accounts": [{"user_principal_name": "emergency.one"}], "wanted": 1}
    message = free.refusal(emergency_access=declared)
    assert NAME.findall(message) == ["lena.fischer", "tim.bakker", "omar.haddad"]


# Whom the report leaves out


def test_whom_the_report_leaves_out_is_read_one_by_one(licensed: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_of_report(monkeypatch, "omar.haddad")
    assert "omar.haddad" in licensed.refused()
    assert (licensed.sent("/beta/$batch"), len([path for _method, path in licensed.task.sent if "/users" in path])) == (
        1,
        1,
    )
    leave_out_of_report(monkeypatch, "")
    assert licensed.refused() == [*OF_ADMINISTRATORS, "omar.haddad"]


def test_of_too_many_whom_the_report_leaves_out_it_is_unknown(
    licensed: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_of_report(monkeypatch, "omar.haddad")
    monkeypatch.setattr(ways_in, "MOST_PEOPLE", 0)
    closed, unknown = licensed.effects("no_way_in")
    assert NAME.findall(closed) == OF_ADMINISTRATORS
    assert unknown == (
        "Whether other people can use what they have registered for MFA is unknown: The report of registered methods "
        "lags some hours and may leave people out. To read it person by person, there are too many (more than 0)."
    )


def test_whom_the_report_leaves_out_is_unknown_without_a_permission_to_read_them(
    licensed: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_out_of_report(monkeypatch, "omar.haddad")
    licensed.simulated.grant(*WHAT_IT_READS, *WRITES, "AuditLog.Read.All")
    closed, unknown = licensed.effects("no_way_in")
    assert NAME.findall(closed) == OF_ADMINISTRATORS
    assert "Whether other people can use what they have registered for MFA is unknown: " in unknown
    assert "Missing permission: UserAuthenticationMethod.Read.All" in unknown


def test_whom_the_report_leaves_out_is_unknown_without_a_list_of_people(licensed: Tenant) -> None:
    reading = ("Policy.Read.All", "RoleManagement.Read.Directory", "GroupMember.Read.All", "AuditLog.Read.All")
    licensed.simulated.grant(*reading, *REST)
    closed, unknown = licensed.effects("no_way_in")
    assert NAME.findall(closed) == [*OF_ADMINISTRATORS, "mila.novak", "omar.haddad"], "who is disabled, was not told"
    assert "lags some hours and may leave people out. Could not list the users: " in unknown


# What cannot be read


def test_without_a_permission_for_methods_it_is_unknown_of_administrators(free: Tenant) -> None:
    free.simulated.grant(*WHAT_IT_READS, *WRITES)
    message = free.refusal("no_way_in")
    assert "Missing permission: UserAuthenticationMethod.Read.All" in message
    assert "add 'unknown_ways_in' to accept_risks" in message
    administrators, others = free.effects("unknown_ways_in")
    assert administrators.startswith("Whether administrators can use what they have registered for MFA is unknown: ")
    assert others.startswith("Whether other people can use what they have registered for MFA is unknown: ")


@pytest.mark.parametrize(
    "permission", ["AuditLog.Read.All", "UserAuthenticationMethod.Read.All"], ids=["report", "report and methods"]
)
def test_one_permission_is_enough_with_a_licence(licensed: Tenant, permission: str) -> None:
    licensed.simulated.grant(*WHAT_IT_READS, *WRITES, permission)
    message = licensed.refusal()
    assert "unknown_ways_in" not in message
    assert NAME.findall(message) == [*OF_ADMINISTRATORS, "omar.haddad"]


def test_of_too_many_people_only_administrators_are_read(free: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways_in, "MOST_PEOPLE", 5)
    closed, unknown = free.effects("no_way_in")
    assert NAME.findall(closed) == OF_ADMINISTRATORS
    assert unknown == (
        "Whether other people can use what they have registered for MFA is unknown: The report of registered methods "
        "takes Microsoft Entra ID P1. To read it person by person, there are too many (more than 5)."
    )


def test_as_many_as_may_be_are_read(free: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six are enabled."""
    monkeypatch.setattr(ways_in, "MOST_PEOPLE", 6)
    assert "omar.haddad" in free.refused()


def test_without_the_roles_everybody_is_read_all_the_same(free: Tenant) -> None:
    free.simulated.grant(
        "Policy.Read.All", "User.Read.All", "Organization.Read.All", "UserAuthenticationMethod.Read.All"
    )
    message = free.refusal()
    assert "4 other people (" in message
    assert "unknown_ways_in" not in message


def test_without_roles_and_people_the_administrators_are_not_known(
    free: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ways_in, "MOST_PEOPLE", 5)
    free.simulated.grant(
        "Policy.Read.All", "User.Read.All", "Organization.Read.All", "UserAuthenticationMethod.Read.All"
    )
    message = free.refusal()
    assert "may not get in any more: Who they are could not be read. " in message
    assert "add 'unknown_ways_in' to accept_risks" in message


def test_people_are_listed_where_graph_does_not_show_states_of_per_user_mfa(free: Tenant) -> None:
    free.simulated.admin("POST", "/assumptions", {"user_mfa_state_in_list": "absent"})
    assert free.refused() == [*OF_ADMINISTRATORS, "omar.haddad"]


def test_without_a_list_of_people_only_administrators_are_read(free: Tenant) -> None:
    free.simulated.grant("Policy.Read.All", "RoleManagement.Read.Directory", "GroupMember.Read.All", *REST)
    closed, unknown = free.effects("no_way_in")
    assert NAME.findall(closed) == OF_ADMINISTRATORS
    assert "The report of registered methods takes Microsoft Entra ID P1. Could not list the users: " in unknown
