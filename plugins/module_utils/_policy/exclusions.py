# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom Conditional Access policies exclude (private to the collection). Pure functions.

Sources: Microsoft's page "Manage emergency access accounts" (exclude them from every policy), and "Microsoft-managed
policies", in which administrators may edit the state and the exclusions; that groups may be excluded there is
contradicted by users' reports, so only users are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .facts import UnexpectedShape, text

MANAGED_NAME = "Microsoft-managed:"

USERS = "excludeUsers"
GROUPS = "excludeGroups"


@dataclass(frozen=True)
class Excluded:
    """Ids that are to be excluded, or not: users, groups, and the people in these groups."""

    users: frozenset[str]
    groups: frozenset[str]
    members: frozenset[str]


def is_managed(policy: Mapping[str, Any]) -> bool:
    """Whether Microsoft made the policy, which only its name shows (seen in live tenants). Raises UnexpectedShape."""
    return text(policy, "displayName").startswith(MANAGED_NAME)


def conditions_on_users(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a policy that says whom it concerns. Raises UnexpectedShape."""
    conditions = policy.get("conditions")
    users = conditions.get("users") if isinstance(conditions, Mapping) else None
    if not isinstance(users, Mapping):
        raise UnexpectedShape("a Conditional Access policy does not show its users")
    return users


def ids(users: Mapping[str, Any], name: str) -> list[str]:
    """A list of ids; Graph writes null or nothing for an empty one. Raises UnexpectedShape."""
    value = users.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnexpectedShape(f"'{name}' is no list of ids")
    return value


def wanted_exclusions(policy: Mapping[str, Any], excluded: Excluded, present: bool) -> dict[str, list[str]]:
    """The lists of exclusions that must change, by Graph's names, as they are to be. Raises UnexpectedShape."""
    users = conditions_on_users(policy)
    if is_managed(policy):
        goal = {USERS: excluded.users | excluded.members}
    else:
        goal = {USERS: excluded.users, GROUPS: excluded.groups}
    changes = {}
    for name, asked in goal.items():
        now = ids(users, name)
        then = _with(now, asked) if present else _without(now, asked)
        if then != now:
            changes[name] = then
    return changes


def _with(now: list[str], asked: Collection[str]) -> list[str]:
    have = {item.lower() for item in now}
    return [*now, *sorted(item for item in asked if item.lower() not in have)]


def _without(now: list[str], asked: Collection[str]) -> list[str]:
    gone = {item.lower() for item in asked}
    return [item for item in now if item.lower() not in gone]


def users_as_written(policy: Mapping[str, Any], changes: Mapping[str, list[str]]) -> dict[str, Any]:
    """The whole part about users as it is to be written, so that nothing in it depends on how Graph merges a part.

    Annotations that Graph adds on reading are left out. Raises UnexpectedShape.
    """
    users = conditions_on_users(policy)
    return {name: value for name, value in {**users, **changes}.items() if "@odata." not in name}
