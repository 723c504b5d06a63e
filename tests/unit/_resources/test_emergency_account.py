# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import Progress, work
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    GraphError,
    LicenceMissing,
    MissingPermissions,
    OptionError,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import GLOBAL_ADMINISTRATOR
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.emergency_account import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, refused, run_of
from ansible_collections.zerotrust.m365.tests.unit._resources.tenant_answers import ORGANIZATION, domain

INITIAL = "contoso.onmicrosoft.com"
NAME = f"emergency1@{INITIAL}"
ACCOUNT = "4562bcc8-c436-4f95-b7c0-4f8ce89dca5e"
OTHER = "4562bcc8-c436-4f95-b7c0-4f8ce89dca5f"
GROUP = "6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a01"
UNIT = "6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a02"
PASSWORD = "correct-Horse7-battery"

DOMAINS = "/domains"
USER = f"/users/emergency1%40{INITIAL}"
MEMBER_OF = f"{USER}/memberOf"
DELETED = "/directory/deletedItems/microsoft.graph.user"
ROLES = "/roleManagement/directory"
ASSIGNMENTS, ACTIVE = f"{ROLES}/roleAssignments", f"{ROLES}/roleAssignmentScheduleInstances"
ELIGIBLE, SCHEDULE_REQUESTS = f"{ROLES}/roleEligibilityScheduleInstances", f"{ROLES}/roleAssignmentScheduleRequests"
TO_GROUP, TO_UNIT = f"/groups/{GROUP}/members/$ref", f"/directory/administrativeUnits/{UNIT}/members/$ref"
ALLOWED = frozenset(
    [
        "User.ReadWrite.All",
        "RoleManagement.ReadWrite.Directory",
        "GroupMember.ReadWrite.All",
        "AdministrativeUnit.ReadWrite.All",
    ]
)
WHOLE: dict[str, Any] = {"exclusion_group": "Emergency access", "administrative_unit": "Emergency"}


def unlicensed() -> GraphError:
    return LicenceMissing(action="list schedules", status=400, code="AadPremiumLicenseRequired", text="P2 is needed.")


def user(identity: str = ACCOUNT, name: str = NAME, **properties: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "userPrincipalName": name,
        "displayName": "Emergency access",
        "accountEnabled": True,
        "passwordPolicies": "DisablePasswordExpiration",
        "lastPasswordChangeDateTime": "2026-11-01T00:00:00Z",
        "onPremisesSyncEnabled": None,
        "userType": "Member",
        "isManagementRestricted": None,
        **properties,
    }


def assignment(identity: str = ACCOUNT, name: str = NAME) -> dict[str, Any]:
    principal = {"@odata.type": "#microsoft.graph.user", "id": identity, "userPrincipalName": name}
    return {
        "principalId": identity,
        "principal": principal,
        "roleDefinitionId": GLOBAL_ADMINISTRATOR,
        "directoryScopeId": "/",
    }


def instance(end: str | None = None) -> dict[str, Any]:
    return {
        "principalId": ACCOUNT,
        "directoryScopeId": "/",
        "memberType": "Direct",
        "assignmentType": "Assigned",
        "endDateTime": end,
    }


class Tenant(FakeGraph):
    """A tenant in which writes take effect at once, and without the account unless it is added."""

    def __init__(self, *, roles: frozenset[str] = ALLOWED) -> None:
        super().__init__(roles=roles)
        group = {
            "id": GROUP,
            "displayName": "Emergency access",
            "groupTypes": [],
            "securityEnabled": True,
            "mailEnabled": False,
            "onPremisesSyncEnabled": None,
            "isAssignableToRole": True,
            "visibility": "Private",
        }
        unit = {
            "id": UNIT,
            "displayName": "Emergency",
            "isMemberManagementRestricted": True,
            "membershipType": None,
        }
        self.objects = {
            DOMAINS: [domain("federated.example", "Federated"), domain(INITIAL, "Managed", initial=True)],
            "/groups": [group],
            f"/groups/{GROUP}": group,
            "/directory/administrativeUnits": [unit],
            f"/directory/administrativeUnits/{UNIT}": unit,
            DELETED: [],
            ORGANIZATION: [{"tenantType": "AAD"}],
            ASSIGNMENTS: [assignment(OTHER, f"other@{INITIAL}")],
            ACTIVE: [],
            ELIGIBLE: [],
            f"/users/{OTHER}": user(OTHER, f"other@{INITIAL}"),
        }
        self.on_write = self._change

    def add(self, **properties: Any) -> None:
        self.objects[USER] = {**user(), **properties}
        self.objects[MEMBER_OF] = []

    def complete(self) -> None:
        """The account with all that WHOLE asks for."""
        self.add()
        self.objects[MEMBER_OF] = [{"id": GROUP.upper()}, {"id": UNIT}]
        self.objects[ASSIGNMENTS] = [*self.objects[ASSIGNMENTS], assignment()]

    def _change(self, method: str, path: str, body: Any) -> Any:
        if method == "DELETE":
            del self.objects[USER]
        elif path == "/users":
            self.add(lastPasswordChangeDateTime="2026-11-23T00:00:00Z")
            return self.objects[USER]
        elif path.endswith("/restore"):
            self.add(**self.objects.pop(DELETED)[0] | {"userPrincipalName": NAME})
        elif method == "PATCH":
            self.objects[USER] = {**self.objects[USER], **body}
        elif path.endswith("/members/$ref"):
            self.objects[MEMBER_OF] = [*self.objects[MEMBER_OF], {"id": path.split("/")[-3]}]
        elif path == ASSIGNMENTS:
            self.objects[ASSIGNMENTS] = [*self.objects[ASSIGNMENTS], assignment()]
        else:
            assert path == SCHEDULE_REQUESTS
            self.objects[ACTIVE] = [instance()]
        return None


def options(**given: Any) -> dict[str, Any]:
    defaults = {name: argument.get("default") for name, argument in RESOURCE.options.items()}
    return {**defaults, "user_principal_name": "emergency1", "password": PASSWORD, "wait_timeout": 0, **given}


def worked(tenant: Tenant, check_mode: bool = False, **given: Any) -> dict[str, Any]:
    return work(RESOURCE, run_of(tenant, options(**given), check_mode), Progress())


def refusal(tenant: Tenant, error: type[Exception] = OptionError, **given: Any) -> str:
    """In a dry run and in a run alike."""
    messages = set()
    for check_mode in (True, False):
        with pytest.raises(error) as caught:
            worked(tenant, check_mode, **given)
        messages.add(str(caught.value))
    assert tenant.writes == []
    (message,) = messages
    return message


def test_a_new_account_is_whole_before_it_is_powerful() -> None:
    tenant = Tenant()
    result = worked(tenant, **WHOLE)
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{ACCOUNT}"}
    created = {
        "accountEnabled": True,
        "displayName": "Emergency access",
        "mailNickname": "emergency1",
        "userPrincipalName": NAME,
        "passwordPolicies": "DisablePasswordExpiration",
        "passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": False},
    }
    role = {"roleDefinitionId": GLOBAL_ADMINISTRATOR, "principalId": ACCOUNT, "directoryScopeId": "/"}
    assert tenant.writes == [
        ("POST", "/users", created),
        ("POST", TO_GROUP, reference),
        ("POST", ASSIGNMENTS, role),
        ("POST", TO_UNIT, reference),
    ]
    assert result["msg"] == (
        f"{NAME} was created, added to the group 'Emergency access', made Global Administrator permanently and put "
        "into the restricted administrative unit 'Emergency'."
    )
    of_role, of_unit = result["effects"]
    assert "Privileged Authentication Administrator" in of_role
    assert "unit 'Emergency'" in of_unit
    assert PASSWORD not in str(result)
    assert worked(tenant, **WHOLE)["msg"] == f"{NAME} is as wanted."
    assert len(tenant.writes) == 4


def test_a_dry_run_says_what_the_run_does() -> None:
    tenant = Tenant()
    planned = worked(tenant, True, **WHOLE)
    assert tenant.writes == []
    made = worked(tenant, **WHOLE)
    predicted, shown = planned["emergency_account"], made["emergency_account"]
    only_known_afterwards = {"id": ACCOUNT, "last_password_change": "2026-11-23T00:00:00Z"}
    assert {**predicted, **only_known_afterwards} == {**shown, "permanence": "read"}
    assert planned["effects"] == made["effects"]
    assert planned["msg"] == made["msg"].replace(" was ", " would be ")


def test_the_group_the_unit_and_the_domain_are_read_once_in_a_run() -> None:
    tenant = Tenant()
    worked(tenant, **WHOLE)
    read = [one.path for reads in tenant.read_together for one in reads]
    assert [read.count(path) for path in (DOMAINS, "/groups", "/directory/administrativeUnits", USER)] == [1, 1, 1, 2]


def test_what_is_not_asked_for_is_neither_read_nor_changed() -> None:
    tenant = Tenant()
    tenant.add()
    result = worked(tenant, assign_role=False)
    assert tenant.writes == []
    assert MEMBER_OF not in {one.path for reads in tenant.read_together for one in reads}
    assert result["emergency_account"]["global_administrator"] == "none"
    assert result["emergency_account"]["exclusion_group"] is None


@pytest.mark.parametrize("named", [{"exclusion_group": GROUP}, {"administrative_unit": UNIT}])
def test_a_group_and_a_unit_may_be_given_by_id(named: dict[str, Any]) -> None:
    tenant = Tenant()
    tenant.complete()
    assert "as wanted" in worked(tenant, **named)["msg"]


@pytest.mark.parametrize(
    ("properties", "body", "words"),
    [
        ({"displayName": "Old"}, {"displayName": "Emergency access"}, "changed (display name)"),
        ({"accountEnabled": False}, {"accountEnabled": True}, "changed (enabled)"),
        (
            {"accountEnabled": False, "passwordPolicies": "DisableStrongPassword"},
            {"accountEnabled": True, "passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword"},
            "changed (enabled, password policies)",
        ),
        ({"passwordPolicies": "DisablePasswordExpiration, DisableStrongPassword"}, None, "as wanted"),
    ],
)
def test_one_request_mends_the_properties(properties: dict[str, Any], body: Any, words: str) -> None:
    tenant = Tenant()
    tenant.complete()
    tenant.add(**properties)
    assert words in worked(tenant)["msg"]
    assert tenant.writes == ([("PATCH", f"/users/{ACCOUNT}", body)] if body else [])


@pytest.mark.parametrize(
    ("properties", "wanted"),
    [({"accountEnabled": False}, "User.EnableDisableAccount.All"), ({"displayName": "x"}, "User.ReadWrite.All")],
)
def test_least_permissions_are_asked_for(properties: dict[str, Any], wanted: str) -> None:
    tenant = Tenant(roles=frozenset(["Directory.Read.All"]))
    tenant.complete()
    tenant.add(**properties)
    with pytest.raises(MissingPermissions) as caught:
        worked(tenant)
    assert wanted in caught.value.message
    assert tenant.writes == []


def test_a_group_that_can_hold_roles_takes_more_permissions() -> None:
    tenant = Tenant(roles=ALLOWED - {"RoleManagement.ReadWrite.Directory"})
    with pytest.raises(MissingPermissions) as caught:
        worked(tenant, exclusion_group=GROUP, assign_role=False)
    assert "RoleManagement.ReadWrite.Directory" in caught.value.message
    tenant.objects[f"/groups/{GROUP}"]["isAssignableToRole"] = None
    assert worked(tenant, exclusion_group=GROUP, assign_role=False)["emergency_account"]["exclusion_group"]["member"]


def test_a_new_password_is_set_in_every_run_when_asked_for() -> None:
    tenant = Tenant()
    tenant.complete()
    for number in (1, 2):
        result = worked(tenant, update_password="always")
        assert result["emergency_account"]["password_set"]
        assert len(tenant.writes) == number
    profile = {"password": PASSWORD, "forceChangePasswordNextSignIn": False}
    assert tenant.writes[0] == ("PATCH", f"/users/{ACCOUNT}", {"passwordProfile": profile})


def test_the_password_is_set_before_the_role_is_assigned() -> None:
    tenant = Tenant()
    tenant.add()
    worked(tenant, update_password="always", **WHOLE)
    assert [path for _method, path, _body in tenant.writes] == [f"/users/{ACCOUNT}", TO_GROUP, ASSIGNMENTS, TO_UNIT]


def test_the_password_is_set_before_anything_is_mended() -> None:
    """So a run that was refused and changed nothing has not set it, and one that changed something has tried to."""
    tenant = Tenant()
    tenant.complete()
    tenant.add(displayName="Old", accountEnabled=False)
    given: dict[str, Any] = {"update_password": "always", "assign_role": False}
    mended = {"displayName": "Emergency access", "accountEnabled": True}
    profile = {"password": PASSWORD, "forceChangePasswordNextSignIn": False}
    assert worked(tenant, True, **given)["msg"].endswith("given a new password and changed (display name, enabled).")
    made, tenant.on_write = tenant.on_write, lambda *_sent: refused()
    progress = Progress()
    with pytest.raises(GraphError):
        work(RESOURCE, run_of(tenant, options(**given)), progress)
    assert ([body for _method, _path, body in tenant.writes], progress.written) == ([{"passwordProfile": profile}], 0)
    tenant.on_write = made
    worked(tenant, **given)
    assert [body for _method, _path, body in tenant.writes][1:] == [{"passwordProfile": profile}, mended]


def test_on_create_an_existing_account_keeps_its_password() -> None:
    tenant = Tenant()
    tenant.complete()
    assert not worked(tenant)["emergency_account"]["password_set"]
    assert worked(tenant, password=None)["emergency_account"]["last_password_change"] == "2026-11-01T00:00:00Z"


def test_a_role_with_an_end_loses_its_end() -> None:
    tenant = Tenant()
    tenant.complete()
    tenant.objects[ACTIVE] = [instance("2027-01-01T00:00:00Z")]
    assert worked(tenant)["emergency_account"]["global_administrator"] == "permanent"
    ((_method, path, body),) = tenant.writes
    assert path == SCHEDULE_REQUESTS
    assert (body["action"], body["scheduleInfo"]) == ("adminUpdate", {"expiration": {"type": "noExpiration"}})


def test_eligible_is_not_enough() -> None:
    tenant = Tenant()
    tenant.add()
    tenant.objects[ELIGIBLE] = [{"principalId": ACCOUNT, "directoryScopeId": "/"}]
    planned = worked(tenant, True)
    assert planned["emergency_account"]["global_administrator"] == "permanent"
    assert worked(tenant, True, assign_role=False)["emergency_account"]["global_administrator"] == "eligible"


def test_without_p2_an_assignment_counts_as_permanent() -> None:
    tenant = Tenant()
    tenant.complete()
    tenant.objects[ACTIVE] = tenant.objects[ELIGIBLE] = unlicensed()
    result = worked(tenant)["emergency_account"]
    assert (result["global_administrator"], result["permanence"]) == ("permanent", "inferred")


@pytest.mark.parametrize("path", [ASSIGNMENTS, ACTIVE, ELIGIBLE])
def test_roles_that_cannot_be_read_are_unknown(path: str) -> None:
    tenant = Tenant()
    tenant.complete()
    tenant.objects[path] = refused()
    assert worked(tenant, assign_role=False)["emergency_account"]["global_administrator"] == "unknown"
    refusal(tenant, GraphError)
    assert "is unknown" in refusal(tenant, state="absent", force=True)


def deleted(tenant: Tenant, **properties: Any) -> None:
    tenant.objects[DELETED] = [user(ACCOUNT, ACCOUNT.replace("-", "") + NAME, **properties)]


def test_a_deleted_account_is_restored_only_when_asked() -> None:
    tenant = Tenant()
    deleted(tenant, accountEnabled=False)
    assert "restore: true" in refusal(tenant)
    planned = worked(tenant, True, restore=True, password=None)
    assert planned["emergency_account"]["id"] == ACCOUNT
    result = worked(tenant, restore=True, password=None)
    assert [path for _method, path, _body in tenant.writes] == [
        f"/directory/deletedItems/{ACCOUNT}/restore",
        f"/users/{ACCOUNT}",
        ASSIGNMENTS,
    ]
    assert result["msg"] == (f"{NAME} was restored, changed (enabled) and made Global Administrator permanently.")
    assert not result["emergency_account"]["password_set"]


def several_deleted(tenant: Tenant) -> None:
    tenant.objects[DELETED] = [user(one, one.replace("-", "") + NAME) for one in (ACCOUNT, OTHER)]


def federated_initial_domain(tenant: Tenant) -> None:
    tenant.objects[DOMAINS] = [domain(INITIAL, "Federated", initial=True)]


def renamed(tenant: Tenant) -> None:
    tenant.objects[ASSIGNMENTS] = [assignment(OTHER, "Emergency1@contoso.com")]


def of_group(**change: Any) -> Callable[[Tenant], None]:
    return lambda tenant: tenant.objects["/groups"][0].update(change)


def twice(path: str) -> Callable[[Tenant], None]:
    return lambda tenant: tenant.objects.update({path: tenant.objects[path] * 2})


@pytest.mark.parametrize(
    ("prepare", "given", "words"),
    [
        (lambda tenant: tenant.objects.update({ORGANIZATION: [{"tenantType": "CIAM"}]}), {}, "for customers"),
        (lambda tenant: tenant.objects.update({ORGANIZATION: refused()}), {}, "could not be read"),
        (federated_initial_domain, {}, "not managed by Entra but federated"),
        (lambda tenant: tenant.add(onPremisesSyncEnabled=True), {}, "synchronised"),
        (lambda tenant: tenant.add(userType="Guest"), {}, "is a guest"),
        (lambda tenant: tenant.add(userType="Guest"), {"state": "absent", "force": True}, "is a guest"),
        (lambda tenant: deleted(tenant, onPremisesSyncEnabled=True), {"restore": True}, "synchronised"),
        (several_deleted, {"restore": True}, "2 deleted users were called"),
        (renamed, {}, "has the same name on another domain"),
        (of_group(securityEnabled=False), WHOLE, "not security-enabled"),
        (of_group(groupTypes=["DynamicMembership"]), WHOLE, "come from a rule"),
        (of_group(groupTypes=["Unified"], mailEnabled=True, visibility="Public"), WHOLE, "anybody can join it"),
        (of_group(onPremisesSyncEnabled=True), WHOLE, "synchronised"),
        (twice("/groups"), WHOLE, "2 groups are called"),
        (twice("/directory/administrativeUnits"), WHOLE, "2 administrative units are called"),
        (lambda _tenant: None, {"user_principal_name": "emergency1@contoso.com"}, "initial domain"),
        (lambda _tenant: None, {"password": None}, "give the 'password'"),
        (lambda _tenant: None, {"password": "abc"}, "8 to 256"),
        (lambda tenant: tenant.add(), {"password": None, "update_password": "always"}, "takes a 'password'"),
        (lambda _tenant: None, {"exclusion_group": "Nobody's"}, "There is no group"),
    ],
)
def test_what_is_refused(prepare: Callable[[Tenant], None], given: dict[str, Any], words: str) -> None:
    tenant = Tenant()
    prepare(tenant)
    if given.get("exclusion_group") == "Nobody's":
        tenant.objects["/groups"] = []
    assert words in refusal(tenant, **given)


def test_bad_options_are_refused_before_any_request() -> None:
    tenant = Tenant()
    for name, value in (("password", "abc"), ("user_principal_name", "a b"), ("state", "absent"), ("display_name", "")):
        given: dict[str, Any] = {name: value}
        refusal(tenant, **given)
    assert tenant.read_together == []
    assert tenant.sent == []


def test_a_name_on_another_domain_can_be_somebody_else() -> None:
    tenant = Tenant()
    renamed(tenant)
    assert worked(tenant, force=True)["emergency_account"]["exists"]


@pytest.mark.parametrize(
    "change",
    [
        {"accountEnabled": False},
        {"onPremisesSyncEnabled": True},
        {"userType": "Guest"},
        {"userPrincipalName": "other@federated.example"},
        {"accountEnabled": None},
    ],
)
def test_the_last_usable_account_is_kept(change: dict[str, Any]) -> None:
    tenant = Tenant()
    tenant.complete()
    tenant.objects[f"/users/{OTHER}"].update(change)
    assert "no other enabled, cloud-only user" in refusal(tenant, state="absent", force=True)


def test_an_unreadable_administrator_counts_as_none() -> None:
    tenant = Tenant()
    tenant.complete()
    tenant.objects[f"/users/{OTHER}"] = refused()
    assert "no other enabled, cloud-only user" in refusal(tenant, state="absent", force=True)


def test_an_account_is_deleted_when_there_is_another() -> None:
    tenant = Tenant()
    tenant.complete()
    planned = worked(tenant, True, state="absent", force=True, **WHOLE)
    result = worked(tenant, state="absent", force=True, **WHOLE)
    assert tenant.writes == [("DELETE", f"/users/{ACCOUNT}", None)]
    assert planned["emergency_account"] == {**result["emergency_account"], "permanence": "inferred"}
    assert result["emergency_account"]["exists"] is False
    assert result["emergency_account"]["exclusion_group"]["member"] is False
    assert worked(tenant, state="absent", force=True)["msg"] == f"There is no account {NAME}."


def test_restricted_management_that_is_there_already_is_told() -> None:
    tenant = Tenant()
    tenant.complete()
    tenant.add(isManagementRestricted=True, accountEnabled=False)
    assert any("restricted management already" in effect for effect in worked(tenant, True)["effects"])


@pytest.mark.parametrize("name", sorted(user()))
def test_an_answer_without_a_property_is_unknown(name: str) -> None:
    tenant = Tenant()
    tenant.complete()
    del tenant.objects[USER][name]
    refusal(tenant, StateUnknown)


@pytest.mark.parametrize("path", [DOMAINS, USER, "/groups", "/directory/administrativeUnits", MEMBER_OF, DELETED])
def test_what_cannot_be_read_is_not_written(path: str) -> None:
    tenant = Tenant()
    if path == MEMBER_OF:
        tenant.add()
    tenant.objects[path] = refused()
    refusal(tenant, GraphError, **WHOLE)
