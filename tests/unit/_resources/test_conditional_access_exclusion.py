# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import Progress, SomeRefused, work
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import GraphError, OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.conditional_access_exclusion import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, refused, run_of
from ansible_collections.zerotrust.m365.tests.unit._resources.tenant_answers import CONDITIONAL_ACCESS

GROUP = "6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a01"
EMERGENCY = "emergency1@contoso.example"
ALLOWED = frozenset(["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"])


def policy(number: int, name: str, **users: Any) -> dict[str, Any]:
    conditions = {"users": {"includeUsers": ["All"], **users}, "clientAppTypes": ["all"]}
    return {"id": f"policy-{number}", "displayName": name, "state": "enabled", "conditions": conditions}


class Tenant(FakeGraph):
    """A tenant whose policies can be changed, but for those whose path is in ``refusing``."""

    def __init__(self, *policies: dict[str, Any]) -> None:
        super().__init__(roles=ALLOWED)
        self.policies = {f"{CONDITIONAL_ACCESS}/{one['id']}": one for one in policies}
        self.refusing: set[str] = set()
        self.objects = {
            f"/groups/{GROUP}": {"id": GROUP, "displayName": "Emergency access"},
            "/groups": [{"id": GROUP, "displayName": "Emergency access"}],
            f"/users/{EMERGENCY.replace('@', '%40')}": {"id": "user-1", "userPrincipalName": EMERGENCY},
            f"/groups/{GROUP}/transitiveMembers": [
                {"@odata.type": "#microsoft.graph.user", "id": "user-2", "userPrincipalName": "two@contoso.example"},
                {"@odata.type": "#microsoft.graph.group", "id": "group-2", "displayName": "Nested"},
            ],
        }
        self.on_write = self._change

    def list(self, path: str, **keywords: Any) -> Any:
        assert path == CONDITIONAL_ACCESS
        return list(self.policies.values())

    def _change(self, method: str, path: str, body: Any) -> None:
        assert method == "PATCH"
        if path in self.refusing:
            raise refused(f"change {path}")
        now = self.policies[path]
        assert set(body) == {"conditions"}
        self.policies[path] = {**now, "conditions": {**now["conditions"], **body["conditions"]}}


def worked(tenant: Tenant, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    given = {"users": [], "groups": [], "state": "present", "wait_timeout": 0, **options}
    progress = Progress()
    result = work(RESOURCE, run_of(tenant, given, check_mode), progress)
    return {**result, "diff": progress.plan.diff()}


@pytest.mark.parametrize("named", [GROUP, "Emergency access"])
def test_each_policy_that_lacks_the_group_is_changed_in_one_request(named: str) -> None:
    tenant = Tenant(policy(1, "A"), policy(2, "B", excludeGroups=[GROUP]), policy(3, "C", excludeGroups=["other"]))
    result = worked(tenant, groups=[named])
    assert [path[-8:] for _method, path, _body in tenant.writes] == ["policy-1", "policy-3"]
    assert tenant.writes[1][2] == {
        "conditions": {"users": {"includeUsers": ["All"], "excludeGroups": ["other", GROUP]}},
    }
    assert [one["excluded"] for one in result["policies"]] == [True, True, True]
    assert worked(tenant, groups=[named])["msg"] == "All 3 Conditional Access policies are as wanted."
    assert len(tenant.writes) == 2


def test_managed_policies_exclude_the_people_of_the_group() -> None:
    tenant = Tenant(policy(1, "Microsoft-managed: MFA"))
    worked(tenant, groups=[GROUP], users=[EMERGENCY])
    (_method, _path, body) = tenant.writes[0]
    assert body["conditions"]["users"] == {"includeUsers": ["All"], "excludeUsers": ["user-1", "user-2"]}


def test_without_managed_policies_the_members_are_not_read() -> None:
    tenant = Tenant(policy(1, "A"))
    worked(tenant, groups=[GROUP])
    assert not any("transitiveMembers" in read.path for reads in tenant.read_together for read in reads)


def test_a_dry_run_knows_a_group_that_is_not_there_yet() -> None:
    """It shows what the run will, also where a policy excludes the members one by one, of whom some are there."""
    there = Tenant(policy(1, "A"), policy(2, "Microsoft-managed: MFA", excludeUsers=["user-1"]))
    there.objects[f"/groups/{GROUP}/transitiveMembers"].append(
        {"@odata.type": "#microsoft.graph.user", "id": "user-1", "userPrincipalName": EMERGENCY}
    )
    missing = Tenant(*there.policies.values())
    missing.objects["/groups"] = []
    options: dict[str, Any] = {
        "groups": ["emergency access"],
        "expected_groups": [{"display_name": "Emergency access", "members": [EMERGENCY, "two@contoso.example"]}],
    }
    predicted = worked(missing, check_mode=True, **options)
    done = worked(there, **options)
    assert len(there.writes) == 2
    assert predicted["diff"] == done["diff"]
    assert [change["after"] for change in done["diff"]] == [
        {"groups": ["Emergency access"]},
        {"users": sorted([EMERGENCY, "two@contoso.example"])},
    ]
    with pytest.raises(OptionError, match="There is no group 'emergency access'"):
        worked(missing, **options)
    assert missing.writes == []


def test_the_policies_that_could_not_be_changed_are_named_and_the_others_are_changed() -> None:
    tenant = Tenant(policy(1, "A"), policy(2, "B"), policy(3, "C"))
    tenant.refusing = {f"{CONDITIONAL_ACCESS}/policy-1", f"{CONDITIONAL_ACCESS}/policy-3"}
    with pytest.raises(SomeRefused) as caught:
        worked(tenant, groups=[GROUP])
    assert len(tenant.writes) == 3
    assert caught.value.message.startswith("2 changes were refused, 1 was made.")
    assert list(caught.value.details()["refused"]) == ["the exclusions of 'A'", "the exclusions of 'C'"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_exclusion_is_ended_without_touching_that_of_others(check_mode: bool) -> None:
    tenant = Tenant(policy(1, "A", excludeGroups=["other", GROUP.upper()]), policy(2, "B"))
    result = worked(tenant, check_mode, groups=[GROUP], state="absent")
    assert [one["excluded"] for one in result["policies"]] == [False, False]
    bodies = [body["conditions"]["users"]["excludeGroups"] for _method, _path, body in tenant.writes]
    assert bodies == ([] if check_mode else [["other"]])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "Give 'users' or 'groups': whom the policies are to exclude."),
        ({"groups": ["6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a02"]}, "There is no group"),
        ({"users": ["nobody@contoso.example"]}, "There is no user 'nobody@contoso.example' in this tenant."),
    ],
)
def test_bad_input_is_refused_before_any_write(options: dict[str, Any], sentence: str) -> None:
    tenant = Tenant(policy(1, "A"))
    with pytest.raises(OptionError, match=sentence):
        worked(tenant, **options)
    assert tenant.writes == []


@pytest.mark.parametrize("found", [[], [{"id": "1", "displayName": "x"}, {"id": "2", "displayName": "x"}]])
def test_a_name_must_belong_to_one_group(found: list[dict[str, str]]) -> None:
    tenant = Tenant(policy(1, "A"))
    tenant.objects["/groups"] = found
    with pytest.raises(OptionError):
        worked(tenant, groups=["x"])


def test_what_cannot_be_read_is_not_written() -> None:
    tenant = Tenant(policy(1, "A"), {"id": "policy-2", "displayName": "B", "state": "enabled", "conditions": {}})
    with pytest.raises(StateUnknown):
        worked(tenant, groups=[GROUP])
    assert tenant.writes == []


WORKLOADS: dict[str, Any] = {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}


def policy_with_applications(applications: Any, users: Any) -> dict[str, Any]:
    conditions = {"users": users, "clientApplications": applications, "clientAppTypes": ["all"]}
    return {**policy(2, "Workloads"), "conditions": conditions}


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("users", [None, {"includeUsers": ["None"], "excludeGroups": []}], ids=repr)
def test_policies_about_workloads_are_left_alone_and_not_counted(users: Any, state: str) -> None:
    excluded = [] if state == "present" else [GROUP]
    tenant = Tenant(policy(1, "A", excludeGroups=excluded), policy_with_applications(WORKLOADS, users))
    result = worked(tenant, groups=[GROUP], state=state)
    assert [path[-8:] for _method, path, _body in tenant.writes] == ["policy-1"]
    assert result["msg"] == "1 of 1 Conditional Access policies were changed."
    assert [one["id"] for one in result["policies"]] == ["policy-1"]
    assert worked(tenant, groups=[GROUP], state=state)["msg"] == "All 1 Conditional Access policies are as wanted."


def test_a_managed_policy_about_workloads_asks_for_no_members() -> None:
    tenant = Tenant({**policy_with_applications(WORKLOADS, None), "displayName": "Microsoft-managed: Workloads"})
    tenant.objects[f"/groups/{GROUP}/transitiveMembers"] = refused("list the members")
    assert worked(tenant, groups=[GROUP])["policies"] == []


@pytest.mark.parametrize("people", [{"includeUsers": ["All"]}, {"includeUsers": ["None"], "includeRoles": ["role"]}])
def test_a_policy_about_workloads_and_people_is_one_about_people(people: dict[str, Any]) -> None:
    tenant = Tenant(policy_with_applications(WORKLOADS, people))
    assert worked(tenant, groups=[GROUP])["msg"] == "1 of 1 Conditional Access policies were changed."
    assert [body for _method, _path, body in tenant.writes] == [
        {"conditions": {"users": {**people, "excludeGroups": [GROUP]}}}
    ]


@pytest.mark.parametrize(
    "applications", [None, {}, "All", {"includeServicePrincipals": []}, {"includeServicePrincipals": "All"}], ids=repr
)
def test_without_users_and_readable_workloads_nothing_is_written(applications: Any) -> None:
    tenant = Tenant(policy(1, "A"), policy_with_applications(applications, None))
    with pytest.raises(StateUnknown, match="does not show its users"):
        worked(tenant, groups=[GROUP])
    assert tenant.writes == []


def test_members_that_may_not_be_read_stop_the_task() -> None:
    tenant = Tenant(policy(1, "Microsoft-managed: MFA"))
    tenant.objects[f"/groups/{GROUP}/transitiveMembers"] = refused("list the members")
    with pytest.raises(GraphError):
        worked(tenant, groups=[GROUP])
    assert tenant.writes == []
