# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a Conditional Access policy catches (private to the collection). Pure functions.

Source: Microsoft's page "Conditional Access: users, groups, agents, and workload identities": an exclusion wins over
every inclusion, groups count with the groups inside them, and roles count where they are active for the whole tenant.
What cannot be told is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .exclusions import conditions_on_users, ids

EVERYBODY = "all"
GUESTS = "guestsorexternalusers"


@dataclass(frozen=True)
class Memberships:
    """Ids in lower case of what somebody belongs to. ``complete`` is False when there may be more."""

    ids: frozenset[str]
    complete: bool = True

    def one_of(self, asked: Iterable[str]) -> bool | None:
        """Whether one of these ids is among them; None when that is not known."""
        wanted = {identity.lower() for identity in asked}
        if not wanted:
            return False
        if wanted & self.ids:
            return True
        return False if self.complete else None


@dataclass(frozen=True)
class Person:
    """Somebody as policies see them: ``id`` in lower case, transitive groups, roles active for the whole tenant."""

    id: str
    guest: bool
    groups: Memberships
    roles: Memberships


def is_about_workloads(policy: Mapping[str, Any]) -> bool:
    """Whether a policy is about workload identities and says nothing of users."""
    conditions = policy.get("conditions")
    if not isinstance(conditions, Mapping):
        return False
    return bool(conditions.get("clientApplications")) and conditions.get("users") is None


def catches(policy: Mapping[str, Any], person: Person) -> bool | None:
    """Whether the policy is about this person, whatever its state. Raises UnexpectedShape."""
    users = conditions_on_users(policy)
    included, excluded = _named(users, person, "include"), _named(users, person, "exclude")
    if included is False or excluded is True:
        return False
    return True if included and excluded is False else None


def excludes(policy: Mapping[str, Any], person: Person) -> bool | None:
    """Whether the policy excludes this person, in whatever way. Raises UnexpectedShape."""
    return _named(conditions_on_users(policy), person, "exclude")


def _named(users: Mapping[str, Any], person: Person, verb: str) -> bool | None:
    listed = {identity.lower() for identity in ids(users, f"{verb}Users")}
    return any_of(
        [
            EVERYBODY in listed or person.id in listed,
            GUESTS in listed and person.guest,
            # Which kinds of guests are meant says more than the type of a user does.
            None if person.guest and users.get(f"{verb}GuestsOrExternalUsers") else False,
            person.groups.one_of(ids(users, f"{verb}Groups")),
            person.roles.one_of(ids(users, f"{verb}Roles")),
        ]
    )


def any_of(answers: Collection[bool | None]) -> bool | None:
    """Whether one of them is yes; None when none is and one is not known."""
    if True in answers:
        return True
    return None if None in answers else False
