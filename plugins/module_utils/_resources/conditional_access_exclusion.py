# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exclusions from every Conditional Access policy as one resource (private to the collection)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._engine.plan import Change, Plan, Request
from .._engine.properties import StateUnknown
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.batch import Read
from .._graph.errors import GraphError, OptionError
from .._graph.query import path_segment
from .._options import WAIT_OPTIONS
from .._policy.conditional_access_reach import is_about_workloads
from .._policy.exclusions import (
    Excluded,
    conditions_on_users,
    ids,
    is_managed,
    users_as_written,
    wanted_exclusions,
)
from .._policy.facts import UnexpectedShape, text
from .directory import EXPECTED_GROUPS, ExpectedGroup, expected_groups, find_groups, find_members, find_users

POLICIES = "/identity/conditionalAccess/policies"
OPTION_NAMES = {"excludeUsers": "users", "excludeGroups": "groups"}


@dataclass(frozen=True)
class Policies:
    """All policies that can concern people, as Graph shows them, and names by id of whom the task is about."""

    policies: Sequence[Mapping[str, Any]]
    excluded: Excluded
    names: Mapping[str, str]


class ConditionalAccessExclusion(Resource):
    name = "conditional_access_exclusion"
    options = {
        "users": {"type": "list", "elements": "str", "default": []},
        "groups": {"type": "list", "elements": "str", "default": []},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **EXPECTED_GROUPS,
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> Policies:
        users, groups = run.options["users"], run.options["groups"]
        if not users and not groups:
            raise OptionError("Give 'users' or 'groups': whom the policies are to exclude.")
        found_users = find_users(run.client, list(dict.fromkeys(users)))
        expected = expected_groups(run)
        found_groups = find_groups(run.client, list(dict.fromkeys(groups)), expected)
        listed = run.client.list(POLICIES, action="list the Conditional Access policies")
        # These never concern people, so there is nobody to exclude.
        policies = [policy for policy in listed if not is_about_workloads(policy)]
        try:
            members = (
                self._members(run, found_groups, expected) if any(is_managed(policy) for policy in policies) else {}
            )
            for policy in policies:
                text(policy, "id")
                text(policy, "state")
                for name in OPTION_NAMES:
                    ids(conditions_on_users(policy), name)
        except UnexpectedShape as error:
            raise StateUnknown(f"Conditional Access policies cannot be read: {error}. Nothing was written.") from None
        excluded = Excluded(frozenset(found_users), frozenset(found_groups), frozenset(members))
        return Policies(policies, excluded, {**members, **found_users, **found_groups})

    def plan(self, run: Run, state: Policies) -> Plan:
        changes = [
            change
            for policy in state.policies
            if (change := self._change(policy, state, run.options["state"] == "present"))
        ]
        if not changes:
            return Plan(done=f"All {len(state.policies)} Conditional Access policies are as wanted.")
        count = f"{len(changes)} of {len(state.policies)} Conditional Access policies"
        return Plan(changes, planned=f"{count} would be changed.", done=f"{count} were changed.", keep_going=True)

    def result(self, run: Run, plan: Plan, state: Policies) -> dict[str, Any]:
        present = run.options["state"] == "present"
        planned = {change.outline().path for change in plan.changes}
        return {
            "policies": [
                {
                    "id": text(policy, "id"),
                    "display_name": text(policy, "displayName"),
                    "state": text(policy, "state"),
                    "managed": is_managed(policy),
                    "excluded": present
                    if _path(policy) in planned
                    else _excludes(policy, state.excluded, present=present),
                }
                for policy in state.policies
            ]
        }

    def _members(self, run: Run, groups: Mapping[str, str], expected: Mapping[str, ExpectedGroup]) -> dict[str, str]:
        """The people in these groups: Microsoft-managed policies exclude users, not groups. Raises UnexpectedShape."""
        coming = [group for group in expected.values() if group.id in groups]
        members = find_members(run.client, [name for group in coming for name in group.members])
        reads = [
            Read(
                f"/groups/{path_segment(group)}/transitiveMembers",
                parameters={"$select": "id,userPrincipalName"},
                collection=True,
                action=f"list the members of the group '{name}'",
            )
            for group, name in groups.items()
            if group not in {one.id for one in coming}
        ]
        for answer in run.client.read_many(reads) if reads else []:
            if isinstance(answer, GraphError):
                raise answer
            users = [member for member in answer if text(member, "@odata.type") == "#microsoft.graph.user"]
            members.update({text(user, "id"): text(user, "userPrincipalName") for user in users})
        return members

    def _change(self, policy: Mapping[str, Any], state: Policies, present: bool) -> Change | None:
        changes = wanted_exclusions(policy, state.excluded, present)
        if not changes:
            return None
        title = f"the exclusions of '{text(policy, 'displayName')}'"
        users = conditions_on_users(policy)
        before = {OPTION_NAMES[name]: _shown(ids(users, name), state.names) for name in changes}
        after = {OPTION_NAMES[name]: _shown(wanted, state.names) for name, wanted in changes.items()}
        return Change(
            title=title,
            before=before,
            after=after,
            request=Request(
                method="PATCH",
                path=_path(policy),
                action=f"change {title}",
                body={"conditions": {"users": users_as_written(policy, changes)}},
            ),
        )


def _path(policy: Mapping[str, Any]) -> str:
    return f"{POLICIES}/{path_segment(text(policy, 'id'))}"


def _excludes(policy: Mapping[str, Any], excluded: Excluded, *, present: bool) -> bool:
    """Whether a policy that is as wanted excludes all of them."""
    return present or not wanted_exclusions(policy, excluded, present=True)


def _shown(identities: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Names where they are known, ids for everybody else whom the policy excludes."""
    by_id = {identity.lower(): name for identity, name in names.items()}
    return sorted(by_id.get(identity.lower(), identity) for identity in identities)


RESOURCE = ConditionalAccessExclusion()
