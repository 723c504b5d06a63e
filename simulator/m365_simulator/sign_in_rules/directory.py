# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One tenant's state as the sign-in rules see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func

from m365_simulator.assumptions import default_assumptions
from m365_simulator.objects import SECURITY_DEFAULTS_ID
from m365_simulator.registered_methods import registered_methods
from m365_simulator.sign_in_rules.attempt import Protection
from m365_simulator.sign_in_rules.person import Person, external_type
from m365_simulator.sign_in_rules.three_valued import Maybe
from m365_simulator.state import OBJECTS, Row, TenantStore
from m365_simulator.tenants import Tenant

PEOPLE_AT_ONCE = 5000
ONE_BY_ONE = 50
"""After so many people asked for singly, all are read together."""


class Directory:
    """A tenant at one moment: policies, settings, roles and assumptions are those at `read`, and people are read when
    asked for, so it is of no use after the next write.

    evaluations: how many protections were worked out, and not remembered from an equal person.
    """

    def __init__(self, store: TenantStore, tenant: Tenant, now: float, states: tuple[str, ...] = ("enabled",)) -> None:
        self._store = store
        self.now = now
        self.assumptions: Mapping[str, str] = {**default_assumptions(), **tenant.assumptions}
        organizations = store.documents("organization")
        self.created = epoch(organizations[0]["createdDateTime"]) if organizations else 0.0
        self.policies = tuple(
            policy for policy in store.documents("conditionalAccessPolicy") if policy["state"] in states
        )
        self.locations = {row.id.lower(): row.document for row in store.rows("namedLocation")}
        self.security_defaults = self._security_defaults()
        self.service = _single(store, "mfaServicePolicy")
        methods_policy = _single(store, "authenticationMethodsPolicy")
        self.migration_state: str = methods_policy.get("policyMigrationState") or "migrationComplete"
        self.methods = {row.id.lower(): row.document for row in store.rows("methodConfiguration")}
        self._federation = self._federated_domains()
        self._roles = self._role_holders()
        self._groups = {group.lower() for group in store.ids("group")}
        named = {str(name).lower() for name in _named(self.policies, self.methods.values())}
        self._named_groups = (named | self._roles.keys()) & self._groups
        self._named = named
        self._everybody: dict[str, Person] | None = None
        self._asked = 0
        self.known_protections: dict[Person, Protection] = {}
        self.evaluations = 0

    @classmethod
    def read(cls, store: TenantStore, tenant: Tenant, now: float, states: tuple[str, ...] = ("enabled",)) -> Directory:
        """`now` is seconds since the epoch. `states` are those of the Conditional Access policies that count: only
        enabled ones do for a sign-in, what-if looks at more."""
        return cls(store, tenant, now, states)

    def assumes(self, name: str) -> str:
        return self.assumptions[name]

    def person(self, user_id: str) -> Person | None:
        """By object id or principal name; None when there is no such user, or it was deleted."""
        if self._everybody is not None and user_id.lower() in self._everybody:
            return self._everybody[user_id.lower()]
        row = self._store.read("user", user_id) or self._store.read_by_name("user", user_id)
        if row is None:
            return None
        self._asked += 1
        if self._asked > ONE_BY_ONE and self._everybody is None:
            self._everybody = {id.lower(): person for id, person in self.people()}
        if self._everybody is not None:
            return self._everybody[row.id.lower()]
        return self._person(row, self._groups_around(row.id))

    def people(self) -> Iterator[tuple[str, Person]]:
        """Everybody, with the object id, in bounded memory; those in the same situation are one object."""
        inside = self._groups_of_everybody()
        known: dict[Person, Person] = {}
        nowhere: frozenset[str] = frozenset()
        last = 0
        while rows := self._store.rows("user", OBJECTS.c.sequence > last, limit=PEOPLE_AT_ONCE):
            for row in rows:
                person = self._person(row, frozenset(inside.get(row.id.lower(), nowhere)))
                yield row.id, known.setdefault(person, person)
            last = rows[-1].sequence

    def forget_people(self) -> None:
        """After writes that changed users and nothing else: they are read again, the rest still holds."""
        self._everybody, self._asked = None, 0

    def is_deleted(self, user_id: str) -> bool:
        return self._store.read("deletedUser", user_id) is not None

    def _person(self, row: Row, groups: frozenset[str]) -> Person:
        user, id = row.document, row.id.lower()
        held = [role for holder in (id, *sorted(groups)) for role in self._roles.get(holder, ())]
        external = external_type(user)
        domain = user["userPrincipalName"].rpartition("@")[2].lower()
        return Person(
            id=id if id in self._named else "",
            enabled=bool(user.get("accountEnabled")),
            external=external,
            per_user_mfa=user.get("perUserMfaState") or "disabled",
            methods=_registered(row.private, self.now),
            federation=self._federation.get(domain),
            roles=frozenset(role for role, whole in held if whole),
            scoped_roles=frozenset(role for role, whole in held if not whole),
            groups=groups,
        )

    def _groups_around(self, id: str) -> frozenset[str]:
        """Upwards from one person."""
        found: set[str] = set()
        if not self._named_groups:
            return frozenset()
        waiting = [id]
        while waiting:
            above = {group.lower() for group in self._store.sources(waiting.pop())} - found
            found |= above
            waiting.extend(above)
        return frozenset(found & self._named_groups)

    def _groups_of_everybody(self) -> dict[str, frozenset[str]]:
        """Downwards from the groups that policies name. Sets that are equal are one object."""
        inside: dict[str, frozenset[str]] = {}
        known: dict[frozenset[str], frozenset[str]] = {}
        for group in sorted(self._named_groups):
            seen, waiting = {group}, [group]
            people: set[str] = set()
            while waiting:
                members = {member.lower() for member in self._store.targets(waiting.pop())}
                deeper = (members & self._groups) - seen
                people |= members - self._groups
                seen |= deeper
                waiting.extend(deeper)
            for person in people:
                around = inside.get(person, frozenset()) | {group}
                inside[person] = known.setdefault(around, around)
        return inside

    def _security_defaults(self) -> Maybe:
        """Whether they are in force; unknown while a change of theirs may still be on its way."""
        row = self._store.read("securityDefaults", SECURITY_DEFAULTS_ID)
        if row is None:
            return False
        delay = float(self.assumptions["security_defaults_take_effect_after_seconds"])
        if delay:
            activity = func.json_extract(OBJECTS.c.document, "$.activityDisplayName")
            changes = self._store.rows(
                "directoryAudit",
                activity.in_(("Enable security defaults", "Disable security defaults")),
                order=(OBJECTS.c.sequence.desc(),),
                limit=1,
            )
            if changes and self.now < epoch(changes[0].document["activityDateTime"]) + delay:
                return None
        return bool(row.document["isEnabled"])

    def _federated_domains(self) -> dict[str, str]:
        """With their federatedIdpMfaBehavior, empty where it is not set."""
        found: dict[str, str] = {}
        for domain in self._store.documents("domain"):
            if domain["authenticationType"] == "Federated":
                configured = self._store.documents("federation", OBJECTS.c.name == domain["id"])
                behaviours = [document.get("federatedIdpMfaBehavior") or "" for document in configured]
                found[domain["id"].lower()] = behaviours[0] if behaviours else ""
        return found

    def _role_holders(self) -> dict[str, set[tuple[str, bool]]]:
        """By principal: the roles, each with whether it is held over the whole tenant."""
        holders: dict[str, set[tuple[str, bool]]] = {}
        for assignment in self._store.documents("roleAssignment"):
            role = (assignment["roleDefinitionId"].lower(), assignment["directoryScopeId"] == "/")
            holders.setdefault(assignment["principalId"].lower(), set()).add(role)
        return holders


def epoch(stamp: str) -> float:
    """Seconds since the epoch of a time as Graph writes it."""
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def _registered(private: Mapping[str, Any], now: float) -> frozenset[str]:
    methods = frozenset(registered_methods(private, now))
    return methods | {"appPassword"} if private.get("appPasswords") else methods


def _single(store: TenantStore, kind: str) -> dict[str, Any]:
    documents = store.documents(kind)
    return documents[0] if documents else {}


def _named(policies: Iterable[Mapping[str, Any]], methods: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    """Ids of the users and groups that a policy or the target of a method names."""
    for policy in policies:
        users = policy["conditions"].get("users") or {}
        for member in ("includeUsers", "excludeUsers", "includeGroups", "excludeGroups"):
            yield from users.get(member) or ()
    for configuration in methods:
        for member in ("includeTargets", "excludeTargets"):
            for target in configuration.get(member) or ():
                yield target.get("id")
