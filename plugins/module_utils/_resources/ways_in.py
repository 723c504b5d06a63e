# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read to know who may not get in under security defaults (private to the collection).

The methods of each administrator, 20 in one request, for the report of registered methods lags some hours. Of everybody
else the report, which takes P1, and the methods of each whom it leaves out, as long as they are few. Then, for whoever
has nothing that is allowed to all, the members of the groups that the policy names, and passkeys one by one where their
model decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from .._engine.run import Run
from .._graph.client import GraphClient
from .._graph.errors import GraphError, M365Error
from .._policy import ways_in
from .._policy.conditional_access_reach import Memberships
from .._policy.facts import Fact, UnexpectedShape, objects
from .._policy.method_dependence import Methods, Person, from_methods, from_registration_details
from .._policy.users import Accounts
from .._policy.ways_in import OPEN, UNKNOWN, WaysIn
from .method_dependence import (
    HARDWARE_TOKEN,
    MOST_PEOPLE,
    NOT_EVERYBODY,
    REPORT,
    memberships,
    methods_of,
    reason_of,
    with_hardware_tokens,
    with_passkeys,
)

NOT_LICENSED = "The report of registered methods takes Microsoft Entra ID P1."
GROUPS_NOT_READ = Memberships(frozenset(), complete=False)


def read_ways_in(
    run: Run, facts: Mapping[str, Fact], policy: Mapping[str, Any], accounts: Accounts, apart: Collection[str]
) -> WaysIn:
    """``facts`` are licences, privileged_roles and users; ``policy`` is the authentication methods policy; ``apart``
    are ids of those who are judged elsewhere. Raises UnexpectedShape for a policy that cannot be read, and M365Error.
    """
    roles, licences = facts["privileged_roles"], facts["licences"]
    accounts, unlisted = (accounts, None) if facts["users"].known else _list(run.client)
    exempt = ways_in.exempt(roles.value) if roles.known else frozenset()
    reading = Reading(run, policy, frozenset(identity.lower() for identity in apart) | accounts.disabled | exempt)
    administrators = reading.left(ways_in.administrators(roles.value)) if roles.known else {}
    licensed = not licences.known or licences.value["tier"] != "free"
    report, unreported = reading.report() if licensed else ({}, NOT_LICENSED)
    others = {identity: name for identity, name in reading.left(accounts.enabled).items() if identity not in report}
    few = len(others) <= MOST_PEOPLE
    people, unread = reading.one_by_one({**(others if few else {}), **administrators})
    found = {**report, **people}
    unread = {identity: reason for identity, reason in unread.items() if identity not in found}
    unread_administrators = next((unread[identity] for identity in administrators if identity in unread), None)
    unread_others = next((reason for identity, reason in unread.items() if identity not in administrators), None)
    if unlisted or not few:
        too_many = f"To read it person by person, there are too many (more than {MOST_PEOPLE})."
        unread_others = f"{unreported} {unlisted or too_many}"
    if not roles.known and unread_others:
        unread_administrators = f"Who they are could not be read. {roles.reason}"
    verdicts = reading.verdicts(found.values())
    return WaysIn(frozenset(administrators), verdicts, unread_administrators, unread_others)


def _list(client: GraphClient) -> tuple[Accounts, str | None]:
    """Who is there, where the list that has the states of per-user MFA could not be read; and why it is unknown."""
    accounts = Accounts()
    try:
        for page in client.pages(
            "/users",
            parameters={"$select": "id,userPrincipalName,accountEnabled", "$top": "999"},
            action="list the users",
        ):
            accounts.add(page)
    except (M365Error, UnexpectedShape) as error:
        return Accounts(), reason_of(error)
    return accounts, None


class Reading:
    """One look at what people have registered, but for those who are ``apart``, by ids in lower case.

    Raises UnexpectedShape for a policy that cannot be read.
    """

    def __init__(self, run: Run, policy: Mapping[str, Any], apart: frozenset[str]) -> None:
        self._run = run
        self._client = run.client
        self._policy = policy
        self._apart = apart
        self._methods = Methods(policy)
        self._legacy = ways_in.legacy_settings_count(policy)

    def left(self, names: Mapping[str, str]) -> dict[str, str]:
        return {identity: name for identity, name in names.items() if identity not in self._apart}

    def report(self) -> tuple[dict[str, Person], str]:
        """People by id as the report has them, and why that may not be everybody."""
        found: dict[str, Person] = {}
        try:
            for page in self._client.pages(REPORT, action="read the report of registered methods"):
                for item in page:
                    identity, name, methods = from_registration_details(item)
                    found[identity.lower()] = Person(identity.lower(), name, methods, GROUPS_NOT_READ)
        except (M365Error, UnexpectedShape) as error:
            return {}, reason_of(error)
        return {identity: person for identity, person in found.items() if identity not in self._apart}, NOT_EVERYBODY

    def one_by_one(self, names: Mapping[str, str]) -> tuple[dict[str, Person], dict[str, str]]:
        """People by id, and for those who could not be read the reasons."""
        reads = [methods_of(identity, name) for identity, name in names.items()]
        people: dict[str, Person] = {}
        unread: dict[str, str] = {}
        for (identity, name), answer in zip(names.items(), self._client.read_many(reads) if reads else [], strict=True):
            try:
                if isinstance(answer, GraphError):
                    raise answer
                methods, passkeys = from_methods(objects({"value": answer}, "value"))
                people[identity] = Person(identity, name, methods, GROUPS_NOT_READ, passkeys)
            except (GraphError, UnexpectedShape) as error:
                unread[identity] = reason_of(error)
        return people, unread

    def verdicts(self, people: Iterable[Person]) -> dict[Person, str]:
        """Of everybody, with what is read besides for those who have nothing that is allowed to all."""
        found = {person: self._verdict(person) for person in people}
        in_doubt = [person for person, verdict in found.items() if verdict != OPEN]
        if in_doubt:
            if any(HARDWARE_TOKEN in person.methods for person in in_doubt):
                self._methods = Methods(with_hardware_tokens(self._run, self._policy))
            groups = memberships(self._client, sorted(self._methods.groups()))
            for person in in_doubt:
                del found[person]
                member = replace(person, groups=groups.get(person.id, groups[""]))
                found[member] = self._verdict(member)
        # The report does not tell the models of passkeys.
        unclear = {person.id: person for person, verdict in found.items() if verdict == UNKNOWN}
        for person in with_passkeys(self._client, [one for one in unclear.values() if one.passkeys is None]):
            del found[unclear[person.id]]
            found[person] = self._verdict(person)
        return found

    def _verdict(self, person: Person) -> str:
        return ways_in.way_in(self._methods, person, legacy=self._legacy)
