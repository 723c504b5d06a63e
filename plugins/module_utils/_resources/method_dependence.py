# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read to know who depends on an authentication method (private to the collection).

Nothing, unless a method is narrowed. Then the report of registered methods, which takes P1, and the methods of each
enabled user whom it leaves out, as long as they are few; the members of the groups that the policy names; and passkeys
one by one where their model decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._engine.properties import StateUnknown
from .._engine.run import Run
from .._graph.batch import Read
from .._graph.client import GraphClient
from .._graph.errors import GraphError, LicenceMissing, M365Error, NotFound, OptionError
from .._graph.query import path_segment
from .._policy import method_dependence as rules
from .._policy.conditional_access_reach import Memberships
from .._policy.facts import Fact, UnexpectedShape, known, objects, text, unknown
from .._policy.method_dependence import Methods, Person
from .._policy.security_defaults import Obstacle, refused
from .facts import SECURITY_DEFAULTS
from .methods_policy import CONFIGURATIONS

REPORT = "/reports/authenticationMethods/userRegistrationDetails"
MOST_PEOPLE = 500
NOT_EVERYBODY = "The report of registered methods lags some hours and may leave people out."
HARDWARE_OATH, HARDWARE_TOKEN = "HardwareOath", "hardwareOneTimePasscode"
FORBIDDEN = 403


@dataclass(frozen=True)
class Comparison:
    """The policy before and after a change, and the registered methods that the change may concern.

    With ``legacy``, the legacy settings count as allowing what they can before the change.
    """

    before: Methods
    after: Methods
    changed: frozenset[str]
    legacy: bool = False

    def loses(self, person: Person) -> bool | None:
        return rules.loses_the_only_way_in(self.before, self.after, person, self.changed, legacy=self.legacy)


def refuse_what_locks_out(run: Run, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises OptionError with every obstacle and what to do about it, in check mode just as in a run."""
    try:
        changed = rules.narrowed(before, after)
        obstacles = rules.invisible_obstacles(before, after, changed)
        if rules.is_about_registration(changed):
            obstacles += rules.registration_obstacles(_security_defaults(run.client), changed, after)
        concerned = rules.governed(changed)
        if concerned:
            old, new = (Methods(with_hardware_tokens(run, policy)) for policy in (before, after))
            obstacles += _lockouts(run.client, Comparison(old, new, concerned), before)
    except UnexpectedShape as error:
        reason = f"The authentication methods policy cannot be read: {error}. Nothing was written."
        raise StateUnknown(reason) from None
    refuse(obstacles, run.options["accept_risks"])


def refuse_end_of_legacy_settings(run: Run, policy: Mapping[str, Any]) -> None:
    """When the migration is complete, the legacy settings allow nothing any more. Raises OptionError."""
    try:
        methods = Methods(with_hardware_tokens(run, policy))
        comparison = Comparison(methods, methods, frozenset(rules.ALLOWED_BY_LEGACY_SETTINGS), legacy=True)
        obstacles = _lockouts(run.client, comparison, {**policy, "policyMigrationState": None})
    except UnexpectedShape as error:
        reason = f"The authentication methods policy cannot be read: {error}. Nothing was written."
        raise StateUnknown(reason) from None
    refuse(obstacles, run.options["accept_risks"])


def with_hardware_tokens(run: Run, policy: Mapping[str, Any]) -> Mapping[str, Any]:
    """The policy with the method that only beta shows, if beta does. Without it, hardware tokens count as unknown."""
    shown = objects(policy, "authenticationMethodConfigurations")
    if any(text(configuration, "id") == HARDWARE_OATH for configuration in shown):
        return policy
    if HARDWARE_OATH not in run.kept:
        path = f"{CONFIGURATIONS}/{HARDWARE_OATH}"
        try:
            run.kept[HARDWARE_OATH] = run.client.get(path, version="beta", action="read the method of hardware tokens")
        except M365Error:
            run.kept[HARDWARE_OATH] = None
    found = run.kept[HARDWARE_OATH]
    return {**policy, "authenticationMethodConfigurations": [*shown, *([found] if found else [])]}


def refuse(obstacles: list[Obstacle], accepted: list[str]) -> None:
    left = refused(obstacles, accepted)
    if left:
        raise OptionError(rules.refusal(left))


def _lockouts(client: GraphClient, comparison: Comparison, policy: Mapping[str, Any]) -> list[Obstacle]:
    """Raises UnexpectedShape for a policy that cannot be read."""
    people = _people(client, comparison.changed)
    if not people.known:
        return [rules.unreadable_obstacle(str(people.reason))]
    policies = comparison.before.groups() | comparison.after.groups()
    groups = memberships(client, sorted(policies) if people.value else [])
    found = [replace(person, groups=groups.get(person.id, _nothing(groups))) for person in people.value]
    verdicts = {person: comparison.loses(person) for person in found}
    unclear = [person for person, verdict in verdicts.items() if verdict is None and person.passkeys is None]
    for person in with_passkeys(client, unclear):
        verdicts[person] = comparison.loses(person)
        verdicts.pop(replace(person, passkeys=None))
    lost = [person.name for person, verdict in verdicts.items() if verdict]
    open_questions = [person.name for person, verdict in verdicts.items() if verdict is None]
    return rules.lockout_obstacles(lost, open_questions, policy)


def _nothing(groups: Mapping[str, Memberships]) -> Memberships:
    """Of somebody who was found in no group. Whether all groups could be read is the same for everybody."""
    return Memberships(frozenset(), complete=groups[""].complete)


def _people(client: GraphClient, methods: frozenset[str]) -> Fact:
    """Those who have registered one of these methods, as a list of Person without groups; or why that is unknown."""
    found: list[Person] = []
    reported: set[str] = set()
    try:
        for page in client.pages(REPORT, action="read the report of registered methods"):
            for item in page:
                identity, name, registered = rules.from_registration_details(item)
                reported.add(identity.lower())
                if rules.concerned(registered, methods):
                    found.append(Person(identity.lower(), name, registered, Memberships(frozenset())))
    except (M365Error, UnexpectedShape) as error:
        reason = reason_of(error)
        if isinstance(error, LicenceMissing) or (isinstance(error, GraphError) and error.status == FORBIDDEN):
            return _people_one_by_one(client, methods, reason)
        return unknown(reason)
    left_out = _people_one_by_one(client, methods, NOT_EVERYBODY, reported)
    return known([*found, *left_out.value]) if left_out.known else left_out


def methods_of(identity: str, name: str, version: str = "beta") -> Read:
    """v1.0 leaves hardware tokens out: whoever has nothing else has nothing there."""
    return Read(
        f"/users/{path_segment(identity)}/authentication/methods",
        version=version,
        collection=True,
        action=f"read the authentication methods of {name}",
    )


def _people_one_by_one(
    client: GraphClient, methods: frozenset[str], reason: str, reported: Collection[str] = ()
) -> Fact:
    """The same from each person's methods, but for those ``reported``, by ids in lower case.

    ``reason`` says why the report is not enough: it is not there for want of a licence or a permission, or lags.
    """
    try:
        users: dict[str, str] = {}
        for page in client.pages(
            "/users",
            parameters={"$select": "id,userPrincipalName", "$filter": "accountEnabled eq true", "$top": "999"},
            action="list the users",
        ):
            names = {text(user, "id").lower(): text(user, "userPrincipalName") for user in page}
            users.update({identity: name for identity, name in names.items() if identity not in reported})
            if len(users) > MOST_PEOPLE:
                return unknown(f"{reason} To read it person by person, there are too many (more than {MOST_PEOPLE}).")
        version = "beta" if HARDWARE_TOKEN in methods else "v1.0"
        reads = [methods_of(identity, name, version) for identity, name in users.items()]
        found = []
        for (identity, name), answer in zip(users.items(), client.read_many(reads) if reads else [], strict=True):
            if isinstance(answer, NotFound):
                continue  # deleted a moment ago
            if isinstance(answer, GraphError):
                raise answer
            registered, passkeys = rules.from_methods(answer if isinstance(answer, list) else [])
            if rules.concerned(registered, methods):
                found.append(Person(identity, name, registered, Memberships(frozenset()), passkeys))
        return known(found)
    except (M365Error, UnexpectedShape) as error:
        return unknown(f"{reason} {reason_of(error)}")


def memberships(client: GraphClient, asked: Sequence[str]) -> dict[str, Memberships]:
    """By the id of a person, and under "" for everybody else: in which of the groups asked for they are."""
    reads = [
        Read(
            f"/groups/{path_segment(group)}/transitiveMembers",
            parameters={"$select": "id"},
            collection=True,
            action=f"list the members of the group {group}",
        )
        for group in asked
    ]
    members: dict[str, set[str]] = {}
    complete = True
    for group, answer in zip(asked, client.read_many(reads) if reads else [], strict=True):
        if isinstance(answer, NotFound):
            continue  # nobody is in a group that is gone, or in a target that is no group
        if not isinstance(answer, list):
            complete = False
            continue
        for member in answer:
            members.setdefault(text(member, "id").lower(), set()).add(group)
    found = {identity: Memberships(frozenset(groups), complete) for identity, groups in members.items()}
    return {"": Memberships(frozenset(), complete), **found}


def with_passkeys(client: GraphClient, people: Iterable[Person]) -> list[Person]:
    """Those who have passkeys, now read one by one; those who could not be read are left out."""
    asked = [person for person in people if person.methods & frozenset(rules.PASSKEYS)]
    if not asked or len(asked) > MOST_PEOPLE:
        return []
    reads = [
        Read(
            f"/users/{path_segment(person.id)}/authentication/fido2Methods",
            collection=True,
            action=f"read the passkeys of {person.name}",
        )
        for person in asked
    ]
    found = []
    for person, answer in zip(asked, client.read_many(reads), strict=True):
        if isinstance(answer, list):
            found.append(replace(person, passkeys=tuple(rules.passkey_of(item) for item in answer)))
    return found


def _security_defaults(client: GraphClient) -> Fact:
    try:
        return known(rules.is_on(client.get(SECURITY_DEFAULTS.path, action=SECURITY_DEFAULTS.action)))
    except (M365Error, UnexpectedShape) as error:
        return unknown(reason_of(error))


def reason_of(error: Exception) -> str:
    return error.message if isinstance(error, M365Error) else f"Graph's answer has an unexpected shape: {error}."
