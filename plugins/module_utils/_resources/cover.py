# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what asks users for MFA, and what decides whom it asks (private to the collection).

The tenant's side takes one ``$batch``. Of people only that is read which the policies name: their groups from the
groups' side, and roles where a policy, or security defaults, look at them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from .._graph.batch import Read
from .._graph.client import GraphClient
from .._graph.errors import GraphError, LicenceMissing, M365Error
from .._graph.query import path_segment
from .._policy.conditional_access_reach import Memberships, Person
from .._policy.coverage import Defences, defences
from .._policy.facts import Fact, UnexpectedShape, boolean, known, objects, optional_text, text, unknown
from .facts import ORGANIZATION, ROLE_ASSIGNMENTS, SECURITY_DEFAULTS

GUEST_PROPERTIES = ("creationType", "externalUserState")
WHOLE_TENANT = "/"
GRACE = timedelta(hours=24)

POLICIES = Read("/identity/conditionalAccess/policies", collection=True, action="list the Conditional Access policies")
LOCATIONS = Read("/identity/conditionalAccess/namedLocations", collection=True, action="list the named locations")
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


@dataclass(frozen=True)
class TenantCover:
    """``kind`` is the fact whether this is an ordinary tenant."""

    defences: Defences
    kind: Fact


def read_tenant_cover(client: GraphClient, *, trusted_locations: bool) -> TenantCover:
    """``trusted_locations`` says whether these may go without MFA. What cannot be read covers nobody."""
    reads = [SECURITY_DEFAULTS, POLICIES, ORGANIZATION, *([LOCATIONS] if trusted_locations else [])]
    answers = dict(zip([read.path for read in reads], client.read_many(reads), strict=True))
    unread: list[str] = []
    security_defaults = _security_defaults(answers, client.now(), unread)
    policies = _listed(answers[POLICIES.path], "the Conditional Access policies", unread)
    trusted: list[str] | None = None
    if trusted_locations:
        trusted = _trusted(_listed(answers[LOCATIONS.path], "the named locations", unread))
    return TenantCover(defences(security_defaults, policies, trusted, " ".join(unread)), _kind(answers))


def _kind(answers: Mapping[str, Any]) -> Fact:
    try:
        return known(text(_organization(answers), "tenantType"))
    except (M365Error, UnexpectedShape) as error:
        return unknown(_reason(error))


def _security_defaults(answers: Mapping[str, Any], now: float, unread: list[str]) -> bool | None:
    """Whether they are in force for everybody; None when that is not known."""
    try:
        answer = answers[SECURITY_DEFAULTS.path]
        if isinstance(answer, GraphError):
            raise answer
        if not boolean(answer, "isEnabled"):
            return False
        created = optional_text(_organization(answers), "createdDateTime")
        moment = datetime.fromisoformat(created.replace("Z", "+00:00")) if created else None
    except (M365Error, UnexpectedShape, ValueError) as error:
        unread.append(f"Whether security defaults cover everybody could not be read: {_reason(error)}")
        return None
    if moment is None or datetime.fromtimestamp(now, timezone.utc) - moment < GRACE:
        unread.append("In the first 24 hours of a tenant, security defaults let people put registration off.")
        return None
    return True


def _organization(answers: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = answers[ORGANIZATION.path]
    if isinstance(answer, GraphError):
        raise answer
    if not isinstance(answer, list) or len(answer) != 1:
        raise UnexpectedShape("not one organization was listed")
    return objects({"value": answer}, "value")[0]


def _listed(answer: Any, what: str, unread: list[str]) -> list[Mapping[str, Any]]:
    if isinstance(answer, list):
        return answer
    unread.append(f"Not read: {what}. {_reason(answer)}")
    return []


def _trusted(locations: Iterable[Mapping[str, Any]]) -> list[str]:
    """Ids of the locations that are marked as trusted, which only address ranges can be."""
    return [str(location.get("id")) for location in locations if location.get("isTrusted") is True]


def _reason(error: Any) -> str:
    return error.message if isinstance(error, M365Error) else f"Graph's answer has an unexpected shape: {error}."


@dataclass
class People:
    """What policies see of some users; their ids, in lower case, were told to ``read_people``."""

    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sometimes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unread_groups: frozenset[str] = frozenset()
    roles_complete: bool = True
    reasons: Sequence[str] = ()

    def person(self, identity: str, *, guest: bool, kinds: frozenset[str] | None) -> Person:
        """``kinds`` as from ``kinds_of_guest``, for which GUEST_PROPERTIES are read."""
        identity = identity.lower()
        nothing: frozenset[str] = frozenset()
        return Person(
            id=identity,
            guest=guest,
            groups=Memberships(self.groups.get(identity, nothing), sometimes=self.unread_groups),
            roles=Memberships(
                self.roles.get(identity, nothing), self.roles_complete, self.sometimes.get(identity, nothing)
            ),
            kinds=kinds,
        )


def read_people(client: GraphClient, tenant: Defences, identities: Collection[str]) -> People:
    """Read what decides whether these users are covered. What cannot be read leaves it open."""
    wanted = {identity.lower() for identity in identities}
    people = People()
    reasons: list[str] = []
    inside, people.unread_groups = _groups(client, sorted(tenant.groups()), wanted, reasons)
    people.groups = _by_member(inside)
    if tenant.security_defaults or tenant.roles():
        _read_roles(client, people, wanted, reasons)
    people.reasons = reasons
    return people


def _groups(
    client: GraphClient, groups: Sequence[str], wanted: Collection[str], reasons: list[str]
) -> tuple[dict[str, set[str]], frozenset[str]]:
    """By group those of the wanted users who are in it, however deep; and the groups that could not be read."""
    inside: dict[str, set[str]] = {}
    unread = set()
    for group in groups:
        try:
            inside[group] = _members(client, group, wanted)
        except (GraphError, UnexpectedShape) as error:
            # A group that is gone may come back, and one that is new may not be shown yet.
            unread.add(group)
            reasons.append(f"Who is in the group {group} could not be read: {_reason(error)}")
    return inside, frozenset(unread)


def _members(client: GraphClient, group: str, wanted: Collection[str]) -> set[str]:
    """Page by page: only those who are wanted are kept. Raises GraphError, UnexpectedShape."""
    found: set[str] = set()
    for page in client.pages(
        f"/groups/{path_segment(group)}/transitiveMembers",
        parameters={"$select": "id", "$top": "999"},
        action="list the members of a group",
    ):
        found.update(identity for member in page if (identity := text(member, "id").lower()) in wanted)
    return found


def _by_member(inside: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """Sets that are equal are one object: there are few different ones among many people."""
    around: dict[str, frozenset[str]] = {}
    same: dict[frozenset[str], frozenset[str]] = {}
    for group, members in inside.items():
        for member in members:
            more = around.get(member, frozenset()) | {group}
            around[member] = same.setdefault(more, more)
    return around


def _read_roles(client: GraphClient, people: People, wanted: Collection[str], reasons: list[str]) -> None:
    """Active roles for the whole tenant, and those that somebody may hold at another time or in another scope."""
    reads = [ROLE_ASSIGNMENTS, ACTIVE_ROLES, ELIGIBLE_ROLES]
    answers = client.read_many(reads)
    lists: list[Sequence[Mapping[str, Any]]] = []
    for read, answer in zip(reads, answers, strict=True):
        if isinstance(answer, list):
            lists.append(answer)
            continue
        lists.append([])
        # Without P2 there are neither ends of assignments nor eligible people.
        if read is ROLE_ASSIGNMENTS or not isinstance(answer, LicenceMissing):
            people.roles_complete = False
            reasons.append(f"Roles could not be read: {_reason(answer)}")
    try:
        always, sometimes = _holders(*lists)
        groups = {
            text(principal, "id").lower()
            for assignment in (*lists[0], *lists[2])
            if (principal := _principal(assignment)) and principal.get("@odata.type") == "#microsoft.graph.group"
        }
    except UnexpectedShape as error:
        people.roles_complete = False
        reasons.append(f"Roles could not be read: {_reason(error)}")
        return
    inside, unread = _groups(client, sorted(groups), wanted, reasons)
    people.roles_complete = people.roles_complete and not unread
    people.roles = _of_people(always, inside, wanted)
    people.sometimes = _of_people(sometimes, inside, wanted)


Holders = dict[str, set[str]]


def _holders(
    assignments: Sequence[Mapping[str, Any]],
    instances: Sequence[Mapping[str, Any]],
    eligible: Sequence[Mapping[str, Any]],
) -> tuple[Holders, Holders]:
    """Roles by principal: held for good over the whole tenant, and otherwise. Raises UnexpectedShape."""
    ending = {
        (text(item, "principalId").lower(), text(item, "roleDefinitionId").lower())
        for item in instances
        if item.get("endDateTime") is not None or item.get("assignmentType") != "Assigned"
    }
    always: Holders = {}
    sometimes: Holders = {}
    for item in assignments:
        held = (text(item, "principalId").lower(), text(item, "roleDefinitionId").lower())
        for_good = text(item, "directoryScopeId") == WHOLE_TENANT and held not in ending
        (always if for_good else sometimes).setdefault(held[0], set()).add(held[1])
    for item in (*instances, *eligible):
        principal, role = text(item, "principalId").lower(), text(item, "roleDefinitionId").lower()
        if role not in always.get(principal, ()):
            sometimes.setdefault(principal, set()).add(role)
    return always, sometimes


def _principal(assignment: Mapping[str, Any]) -> Mapping[str, Any]:
    principal = assignment.get("principal")
    if not isinstance(principal, Mapping):
        raise UnexpectedShape("a role assignment does not show its principal")
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
