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
from .facts import UnexpectedShape, texts

EVERYBODY, NOBODY = "all", "none"
GUESTS = "guestsorexternalusers"

# A member who is no external user, beside Microsoft's guestOrExternalUserTypes.
ORDINARY_MEMBER = "member"
KINDS_OF_GUESTS = (
    "internalGuest",
    "b2bCollaborationGuest",
    "b2bCollaborationMember",
    "b2bDirectConnectUser",
    "otherExternalUser",
    "serviceProvider",
)


@dataclass(frozen=True)
class Memberships:
    """Ids in lower case of what somebody belongs to. ``complete`` is False when there may be more.

    ``sometimes`` are ids of what somebody may belong to at another time, such as a role that can be activated.
    """

    ids: frozenset[str]
    complete: bool = True
    sometimes: frozenset[str] = frozenset()

    def one_of(self, asked: Iterable[str]) -> bool | None:
        """Whether one of these ids is among them; None when that is not known, or not always so."""
        wanted = {identity.lower() for identity in asked}
        if not wanted:
            return False
        if wanted & self.ids:
            return True
        return False if self.complete and not wanted & self.sometimes else None


@dataclass(frozen=True)
class Person:
    """Somebody as policies see them: ``id`` in lower case, transitive groups, roles active for the whole tenant.

    ``kinds`` are all of KINDS_OF_GUESTS, and ORDINARY_MEMBER, that somebody may be; None when that is not known.
    """

    id: str
    guest: bool
    groups: Memberships
    roles: Memberships
    kinds: frozenset[str] | None = None

    @property
    def external(self) -> bool | None:
        """Whether this is a guest or an external user."""
        if self.kinds is None:
            return self.guest
        if self.kinds <= {ORDINARY_MEMBER}:
            return False
        return None if ORDINARY_MEMBER in self.kinds else True


@dataclass(frozen=True)
class Named:
    """Whom one side of a policy names, its inclusions or its exclusions; ids in lower case."""

    people: frozenset[str]
    groups: frozenset[str]
    roles: frozenset[str]
    guests: Mapping[str, Any] | None

    @classmethod
    def read(cls, users: Mapping[str, Any], verb: str) -> Named:
        """``verb`` is include or exclude. Raises UnexpectedShape."""
        guests = users.get(f"{verb}GuestsOrExternalUsers")
        if guests is not None and not isinstance(guests, Mapping):
            raise UnexpectedShape(f"'{verb}GuestsOrExternalUsers' is no object")
        people, groups, roles = (
            frozenset(identity.lower() for identity in ids(users, f"{verb}{kind}"))
            for kind in ("Users", "Groups", "Roles")
        )
        return cls(people, groups, roles, guests or None)

    def names(self, person: Person) -> bool | None:
        return any_of(
            [
                EVERYBODY in self.people or person.id in self.people,
                person.external if GUESTS in self.people else False,
                self._names_kind(person),
                person.groups.one_of(self.groups),
                person.roles.one_of(self.roles),
            ]
        )

    def _names_kind(self, person: Person) -> bool | None:
        """By the kind of guest, which says more than the type of a user does."""
        if self.guests is None or person.external is False:
            return False
        kinds = self.guests.get("guestOrExternalUserTypes")
        tenants = self.guests.get("externalTenants")
        if person.kinds is None or not isinstance(kinds, str):
            return None
        wanted = {kind.strip().lower() for kind in kinds.split(",")} - {"", "none"}
        may_be = {kind.lower() for kind in person.kinds}
        if not may_be & wanted and wanted <= {kind.lower() for kind in KINDS_OF_GUESTS}:
            return False
        from_everywhere = tenants is None or (isinstance(tenants, Mapping) and tenants.get("membershipKind") == "all")
        return True if may_be <= wanted and from_everywhere else None


@dataclass(frozen=True)
class Reach:
    """Whom a policy names on both sides, read once for many people."""

    included: Named
    excluded: Named

    @classmethod
    def read(cls, policy: Mapping[str, Any]) -> Reach:
        """Raises UnexpectedShape."""
        users = conditions_on_users(policy)
        return cls(Named.read(users, "include"), Named.read(users, "exclude"))

    def catches(self, person: Person) -> bool | None:
        included, excluded = self.included.names(person), self.excluded.names(person)
        if included is False or excluded is True:
            return False
        return True if included and excluded is False else None


def is_about_workloads(policy: Mapping[str, Any]) -> bool:
    """Whether a policy is about service principals only, never about people; False where that cannot be told.

    Graph shows no users in such a policy, or ``None`` and nobody else. Sources: Microsoft's pages "Conditional Access
    for workload identities" and "Get policyDeletableItem", whose examples have these two shapes.
    """
    conditions = policy.get("conditions")
    if not isinstance(conditions, Mapping):
        return False
    try:
        included = texts(conditions.get("clientApplications"), "includeServicePrincipals")
        ids(conditions["clientApplications"], "excludeServicePrincipals")
        return bool(included) and (conditions.get("users") is None or _includes_nobody(policy))
    except UnexpectedShape:
        return False


def _includes_nobody(policy: Mapping[str, Any]) -> bool:
    """Whether it says so by ``None``, and includes in no other way, known here or not. Raises UnexpectedShape."""
    users, reach = conditions_on_users(policy), Reach.read(policy)
    ways = {name for name, value in users.items() if value and not name.startswith("exclude") and "@odata." not in name}
    return ways == {"includeUsers"} and reach.included.people == {NOBODY}


def catches(policy: Mapping[str, Any], person: Person) -> bool | None:
    """Whether the policy is about this person, whatever its state. Raises UnexpectedShape."""
    return Reach.read(policy).catches(person)


def excludes(policy: Mapping[str, Any], person: Person) -> bool | None:
    """Whether the policy excludes this person, in whatever way. Raises UnexpectedShape."""
    return Named.read(conditions_on_users(policy), "exclude").names(person)


def any_of(answers: Collection[bool | None]) -> bool | None:
    """Whether one of them is yes; None when none is and one is not known."""
    if True in answers:
        return True
    return None if None in answers else False
