# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads of people what decides whether policies and security defaults cover them (private to the collection).

Only that is read which the policies name: memberships of groups, and roles where a policy, or security defaults, look
at them. Many people are read from the side of the groups, few from their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._graph.batch import Read
from .._graph.client import GraphClient
from .._graph.errors import GraphError, LicenceMissing, M365Error, NoAnswer, Throttled, Unauthorized, Unavailable
from .._graph.query import path_segment, quote_string
from .._policy.conditional_access_reach import Memberships, Person
from .._policy.coverage import Defences
from .._policy.facts import UnexpectedShape, objects, text
from .facts import ROLE_ASSIGNMENTS

GUEST_PROPERTIES = ("creationType", "externalUserState")
WHOLE_TENANT = "/"
GROUP = "#microsoft.graph.group"

ACTIVE_ROLES = Read(
    "/roleManagement/directory/roleAssignmentScheduleInstances",
    collection=True,
    action="list the schedules of active roles",
)
ELIGIBLE_ROLES = Read(
    "/roleManagement/directory/roleEligibilityScheduleInstances",
    parameters={"$expand": "principal"},
    collection=True,
    action="list who is eligible for roles",
)

Members = dict[str, set[str]]
"""Ids of users by the id of a group, all in lower case."""


@dataclass
class People:
    """What policies see of some users; their ids, in lower case, were told to ``read_people``.

    ``joins`` are those who are in a group for a time only, or may join it.
    """

    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    groups_at_times: Mapping[str, frozenset[str]] = field(default_factory=dict)
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    roles_at_times: Mapping[str, frozenset[str]] = field(default_factory=dict)
    joins: Members = field(default_factory=dict)
    unread_groups: frozenset[str] = frozenset()
    unread_people: frozenset[str] = frozenset()
    roles_complete: bool = True
    reasons: Sequence[str] = ()

    def person(self, identity: str, *, guest: bool, kinds: frozenset[str] | None) -> Person:
        """``kinds`` as from ``kinds_of_guest``, for which GUEST_PROPERTIES are read."""
        identity = identity.lower()
        nothing: frozenset[str] = frozenset()
        read = identity not in self.unread_people
        return Person(
            id=identity,
            guest=guest,
            groups=Memberships(
                self.groups.get(identity, nothing),
                read,
                self.unread_groups | self.groups_at_times.get(identity, nothing),
            ),
            roles=Memberships(
                self.roles.get(identity, nothing),
                self.roles_complete and read,
                self.roles_at_times.get(identity, nothing),
            ),
            kinds=kinds,
        )


def read_people(client: GraphClient, tenant: Defences, identities: Collection[str]) -> People:
    """Read what decides whether these users are covered. What cannot be read leaves it open.

    Takes as many requests as the groups that decide it have pages, however many the users are.
    """
    memberships = MembersOfGroups(client, frozenset(identity.lower() for identity in identities))
    inside, unread_groups = memberships.read(sorted(tenant.groups()))
    roles = _read_roles(tenant, memberships)
    joins = _read_joins(memberships, {*inside, *roles.inside})
    return _people(memberships, inside, unread_groups, roles, joins)


def read_people_again(client: GraphClient, tenant: Defences, identities: Collection[str], before: People) -> People:
    """The same from the side of the users, of whom there are few: 20 in one request, however large the groups are.

    Who is in a group for a time only is taken from ``before``. Raises GraphError where Graph does not answer for now.
    """
    memberships = GroupsOfUsers(client, frozenset(identity.lower() for identity in identities))
    inside, unread_groups = memberships.read(sorted(tenant.groups()))
    return _people(memberships, inside, unread_groups, _read_roles(tenant, memberships), before.joins)


@dataclass
class MembersOfGroups:
    """Who of the ``wanted`` users is in a group, however deep, from the side of the groups.

    ``around`` has, by group, those of the groups that were read in which it is.
    """

    client: GraphClient
    wanted: frozenset[str]
    unread_people: frozenset[str] = frozenset()
    reasons: list[str] = field(default_factory=list)
    around: dict[str, set[str]] = field(default_factory=dict)

    def read(self, groups: Sequence[str]) -> tuple[Members, frozenset[str]]:
        """Members by group; and the groups that could not be read."""
        inside: Members = {}
        unread = set()
        for group in groups:
            try:
                inside[group] = self._members(group)
            except (GraphError, UnexpectedShape) as error:
                # A group that is gone may come back, and one that is new may not be shown yet.
                unread.add(group)
                self.reasons.append(f"Who is in the group {group} could not be read: {_reason(error)}")
        return inside, frozenset(unread)

    def _members(self, group: str) -> set[str]:
        """Page by page: only those who are wanted are kept. Raises GraphError, UnexpectedShape."""
        found: set[str] = set()
        for page in self.client.pages(
            f"/groups/{path_segment(group)}/transitiveMembers",
            parameters={"$select": "id", "$top": "999"},
            action="list the members of a group",
        ):
            for member in page:
                identity = text(member, "id").lower()
                if identity in self.wanted:
                    found.add(identity)
                elif member.get("@odata.type") == GROUP:
                    self.around.setdefault(identity, set()).add(group)
        return found


@dataclass
class GroupsOfUsers:
    """The same from the side of the users, all of whom are read once, and only when some group is asked for."""

    client: GraphClient
    wanted: frozenset[str]
    unread_people: frozenset[str] = frozenset()
    reasons: list[str] = field(default_factory=list)
    groups: dict[str, frozenset[str]] | None = None

    def read(self, groups: Sequence[str]) -> tuple[Members, frozenset[str]]:
        """Members by group; no group is unread here, but some of the people may be."""
        if groups and self.groups is None:
            self.groups = self._read()
        of_users = (self.groups or {}).items()
        return {group: {user for user, its in of_users if group in its} for group in groups}, frozenset()

    def _read(self) -> dict[str, frozenset[str]]:
        users = sorted(self.wanted)
        reads = [
            Read(
                f"/users/{path_segment(user)}/transitiveMemberOf",
                parameters={"$select": "id", "$top": "999"},
                collection=True,
                action="list the groups of a user",
            )
            for user in users
        ]
        found: dict[str, frozenset[str]] = {}
        answers = self.client.read_many(reads)
        _raise_what_passes(answers)
        for user, answer in zip(users, answers, strict=True):
            try:
                found[user] = frozenset(text(group, "id").lower() for group in _list(answer))
            except (GraphError, UnexpectedShape) as error:
                self.unread_people |= {user}
                self.reasons.append(f"The groups of a user could not be read: {_reason(error)}")
        return found


def _people(
    memberships: MembersOfGroups | GroupsOfUsers,
    inside: Members,
    unread_groups: frozenset[str],
    roles: Roles,
    joins: Members,
) -> People:
    for group, users in joins.items():
        for side in (inside, roles.inside):
            side.get(group, set()).difference_update(users)
    wanted = memberships.wanted
    return People(
        groups=_by_member(inside),
        groups_at_times=_by_member({group: users & wanted for group, users in joins.items() if group in inside}),
        roles=_of_people(roles.always, roles.inside, wanted),
        roles_at_times=_at_times(roles, joins, wanted),
        joins=joins,
        unread_groups=unread_groups,
        unread_people=memberships.unread_people,
        roles_complete=roles.complete,
        reasons=memberships.reasons,
    )


def _at_times(roles: Roles, joins: Members, wanted: Collection[str]) -> dict[str, frozenset[str]]:
    """Roles that are held at times, by members of whatever kind, and those of groups whose member one is at times."""
    inside = {group: members | joins.get(group, set()) for group, members in roles.inside.items()}
    held = _of_people(roles.at_times, inside, wanted)
    joined = _of_people({group: roles.always.get(group, ()) for group in joins.keys() & inside.keys()}, joins, wanted)
    nothing: frozenset[str] = frozenset()
    return {user: held.get(user, nothing) | joined.get(user, nothing) for user in held.keys() | joined.keys()}


def _by_member(inside: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """Sets that are equal are one object: there are few different ones among many people."""
    around: dict[str, frozenset[str]] = {}
    same: dict[frozenset[str], frozenset[str]] = {}
    for group, members in inside.items():
        for member in members:
            more = around.get(member, frozenset()) | {group}
            around[member] = same.setdefault(more, more)
    return around


@dataclass
class Roles:
    """Roles by who holds them, users and groups: for good over the whole tenant, and otherwise. ``inside`` are the
    members of these groups."""

    always: Members = field(default_factory=dict)
    at_times: Members = field(default_factory=dict)
    inside: Members = field(default_factory=dict)
    complete: bool = True


def _read_roles(tenant: Defences, memberships: MembersOfGroups | GroupsOfUsers) -> Roles:
    """Active roles for the whole tenant, and those that somebody may hold at another time or in another scope."""
    roles = Roles()
    if not tenant.security_defaults and not tenant.roles():
        return roles
    reads = [ROLE_ASSIGNMENTS, ACTIVE_ROLES, ELIGIBLE_ROLES]
    answers = memberships.client.read_many(reads)
    if isinstance(memberships, GroupsOfUsers):
        _raise_what_passes(answers)
    lists: list[Sequence[Mapping[str, Any]]] = []
    for read, answer in zip(reads, answers, strict=True):
        if isinstance(answer, list):
            lists.append(answer)
            continue
        lists.append([])
        # Without P2 there are neither ends of assignments nor eligible people.
        if read is ROLE_ASSIGNMENTS or not isinstance(answer, LicenceMissing):
            roles.complete = False
            memberships.reasons.append(f"Roles could not be read: {_reason(answer)}")
    try:
        roles.always, roles.at_times = _holders(*lists)
        groups = {
            text(principal, "id").lower()
            for assignment in (*lists[0], *lists[2])
            if (principal := _principal(assignment)).get("@odata.type") == GROUP
        }
    except UnexpectedShape as error:
        memberships.reasons.append(f"Roles could not be read: {_reason(error)}")
        return Roles(complete=False)
    roles.inside, unread = memberships.read(sorted(groups))
    roles.complete = roles.complete and not unread
    return roles


def _holders(
    assignments: Sequence[Mapping[str, Any]],
    instances: Sequence[Mapping[str, Any]],
    eligible: Sequence[Mapping[str, Any]],
) -> tuple[Members, Members]:
    """Roles by principal: held for good over the whole tenant, and otherwise. Raises UnexpectedShape."""
    ending = {
        (text(item, "principalId").lower(), text(item, "roleDefinitionId").lower())
        for item in instances
        if item.get("endDateTime") is not None or item.get("assignmentType") != "Assigned"
    }
    always: Members = {}
    at_times: Members = {}
    for item in assignments:
        held = (text(item, "principalId").lower(), text(item, "roleDefinitionId").lower())
        for_good = text(item, "directoryScopeId") == WHOLE_TENANT and held not in ending
        (always if for_good else at_times).setdefault(held[0], set()).add(held[1])
    for item in (*instances, *eligible):
        principal, role = text(item, "principalId").lower(), text(item, "roleDefinitionId").lower()
        if role not in always.get(principal, ()):
            at_times.setdefault(principal, set()).add(role)
    return always, at_times


def _principal(assignment: Mapping[str, Any]) -> Mapping[str, Any]:
    principal = assignment.get("principal")
    if not isinstance(principal, Mapping):
        raise UnexpectedShape("an assignment does not show its principal")
    return principal


def _of_people(
    holders: Mapping[str, Collection[str]], inside: Mapping[str, Collection[str]], wanted: Collection[str]
) -> dict[str, frozenset[str]]:
    """Roles by user, with those held through a group."""
    found: dict[str, set[str]] = {}
    for principal, roles in holders.items():
        for user in inside.get(principal, (principal,)):
            if user in wanted:
                found.setdefault(user, set()).update(roles)
    return {user: frozenset(roles) for user, roles in found.items()}


# Privileged Identity Management for groups


def _read_joins(memberships: MembersOfGroups, groups: Collection[str]) -> Members:
    """Who may join these groups, or groups inside of them, for a time, or is in one for a time only.

    Source: Microsoft's pages "List eligibilityScheduleInstances" and "List assignmentScheduleInstances" of
    privilegedAccessGroup. Without P2 there is nobody. Where it cannot be read otherwise, that is told.
    """
    outer = {group: memberships.around.get(group, set()) | {group} for group in sorted({*groups, *memberships.around})}
    reads = [
        Read(
            f"/identityGovernance/privilegedAccess/group/{word}ScheduleInstances",
            parameters={"$filter": f"groupId eq {quote_string(group)}", "$expand": "principal"},
            collection=True,
            action="list who may be in a group for a time",
        )
        for group in outer
        for word in ("eligibility", "assignment")
    ]
    answers = memberships.client.read_many(reads) if reads else []
    joining: Members = {}
    inner: set[str] = set()
    problems: set[str] = set()
    for number, answer in enumerate(answers):
        try:
            for principal in _members_at_times(_list(answer)):
                identity = text(principal, "id").lower()
                joining.setdefault(identity, set()).update(list(outer.values())[number // 2] & set(groups))
                if principal.get("@odata.type") == GROUP:
                    inner.add(identity)
        except LicenceMissing:
            continue
        except (GraphError, UnexpectedShape) as error:
            problems.add(_reason(error))
    for problem in sorted(problems)[:1]:
        memberships.reasons.append(
            f"Who may join groups for a time was not looked at, for it could not be read: {problem}"
        )
    members, _unread = memberships.read(sorted(inner))
    joins: Members = {}
    for identity, joined in joining.items():
        for group in joined:
            joins.setdefault(group, set()).update(members.get(identity, {identity} & memberships.wanted))
    return joins


def _members_at_times(instances: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The principals of those that are about members, and not about being one for good. Raises UnexpectedShape."""
    return [
        _principal(item)
        for item in instances
        if text(item, "accessId") == "member"
        and (item.get("endDateTime") is not None or str(item.get("assignmentType")).lower() != "assigned")
    ]


def _list(answer: Any) -> list[Mapping[str, Any]]:
    """Raises GraphError, UnexpectedShape."""
    if isinstance(answer, GraphError):
        raise answer
    return objects({"value": answer}, "value")


def _raise_what_passes(answers: Sequence[Any]) -> None:
    """Raises an error that says nothing of what was read."""
    for answer in answers:
        if isinstance(answer, (NoAnswer, Throttled, Unauthorized, Unavailable)):
            raise answer


def _reason(error: Any) -> str:
    return error.message if isinstance(error, M365Error) else f"Graph's answer has an unexpected shape: {error}."
