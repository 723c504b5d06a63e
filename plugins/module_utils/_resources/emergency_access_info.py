# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health of declared emergency accounts (private to the collection).

Three rounds of reads, each one ``$batch`` for up to 20 of them: the tenant; the accounts by name, and the groups that
hold the role; then by object id what belongs to each account. Source for the last: Graph finds ``signInActivity`` by
object id only (reported by users).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

from .._engine.plan import Plan
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.batch import Read
from .._graph.client import GraphClient
from .._graph.errors import LicenceMissing, M365Error, NotFound, OptionError
from .._graph.query import path_segment
from .._policy import second_factors
from .._policy.emergency_access import report, sentence
from .._policy.emergency_access_facts import (
    Account,
    Declared,
    Domain,
    Drill,
    Others,
    Tenant,
    drill_day,
    group_of,
    groups_of,
    initial_domain,
    last_sign_in,
    user_of,
)
from .._policy.emergency_accounts import domain_refusal, local_part_of, name_refusal
from .._policy.facts import Fact, UnexpectedShape, boolean, known, objects, text, unknown
from .._policy.roles import GLOBAL_ADMINISTRATOR
from .directory import object_read
from .facts import DOMAINS, METHODS_POLICY, ROLE_ASSIGNMENTS, SECURITY_DEFAULTS

POLICIES = Read(
    "/identity/conditionalAccess/policies",
    parameters={"$select": "id,displayName,state,conditions"},
    collection=True,
    action="list the Conditional Access policies",
)
ACTIVE = Read(
    "/roleManagement/directory/roleAssignmentScheduleInstances",
    parameters={"$filter": f"roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'"},
    collection=True,
    action="list the schedules of active Global Administrators",
)
ELIGIBLE = Read(
    "/roleManagement/directory/roleEligibilityScheduleInstances",
    parameters={"$filter": f"roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'", "$expand": "principal"},
    collection=True,
    action="list the eligible Global Administrators",
)

USER_SELECT = (
    "id,userPrincipalName,accountEnabled,userType,onPremisesSyncEnabled,passwordPolicies,lastPasswordChangeDateTime,"
    "createdDateTime"
)
GROUP_SELECT = "id,visibility,isAssignableToRole,isManagementRestricted"
MISSING = unknown("There is no such account.")
# Somewhere on earth it is tomorrow already: the operator's day may be ahead of UTC.
EARLIEST_TIME_ZONE = timedelta(hours=14)


HEALTH_OPTIONS: dict[str, Any] = {
    "accounts": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "user_principal_name": {"type": "str", "required": True},
            "second_factor": {"type": "str", "choices": list(second_factors.FACTORS)},
            "attested": {
                "type": "list",
                "elements": "str",
                "choices": list(second_factors.ATTESTABLE),
                "default": [],
            },
            "drill": {
                "type": "dict",
                "options": {
                    "date": {"type": "str", "required": True},
                    "enforcement": {"type": "bool", "default": False},
                    "security_defaults": {"type": "bool", "default": False},
                    "methods": {"type": "list", "elements": "str", "default": []},
                    "by": {"type": "str"},
                },
            },
        },
    },
    "exclusion_group": {"type": "str"},
    "wanted": {"type": "int", "default": 2},
    "drill_max_age_days": {"type": "int", "default": 90},
}


class EmergencyAccessInfo(Resource):
    name = "emergency_access_info"
    options = HEALTH_OPTIONS

    def read(self, run: Run) -> dict[str, Any]:
        return health(run.client, run.options)

    def plan(self, run: Run, state: Mapping[str, Any]) -> Plan:
        return Plan(done=sentence(state))

    def result(self, run: Run, plan: Plan, state: Mapping[str, Any]) -> dict[str, Any]:
        return {"emergency_access": state}


def health(client: GraphClient, options: Mapping[str, Any]) -> dict[str, Any]:
    """The report on the accounts that ``options``, those of this module, declare. Raises OptionError, GraphError."""
    now = datetime.now(timezone.utc)
    return Reading(client, options, now.date()).report(declared_accounts(options, _latest_day(now)))


def _latest_day(now: datetime) -> date:
    return (now + EARLIEST_TIME_ZONE).date()


def refuse_bad_declaration(options: Mapping[str, Any]) -> None:
    """Raises OptionError for what cannot be, whatever the tenant is like."""
    declared_accounts(options, _latest_day(datetime.now(timezone.utc)))


def declared_accounts(options: Mapping[str, Any], latest: date) -> list[Declared]:
    """The accounts as they were written. Raises OptionError for what cannot be, before anything is sent."""
    for option in ("wanted", "drill_max_age_days"):
        if options[option] < 1:
            raise OptionError(f"{option} must be at least 1, but is {options[option]}.")
    found: list[Declared] = []
    for account in options["accounts"]:
        name = account["user_principal_name"]
        refusal = name_refusal(name)
        if refusal:
            raise OptionError(f"accounts: {refusal}")
        if any(_is_same_name(name, one.user_principal_name) for one in found):
            raise OptionError(f"accounts: '{name}' is named more than once.")
        found.append(
            Declared(
                user_principal_name=name,
                second_factor=account.get("second_factor"),
                attested=frozenset(account.get("attested") or ()),
                drill=_drill(name, account.get("drill"), latest),
            )
        )
    return found


def _is_same_name(one: str, other: str) -> bool:
    """A local part stands for the name on the initial domain, where every emergency account is."""
    if "@" in one and "@" in other:
        return one.casefold() == other.casefold()
    return local_part_of(one).casefold() == local_part_of(other).casefold()


def _drill(name: str, written: Mapping[str, Any] | None, latest: date) -> Drill | None:
    if not written:
        return None
    day, refusal = drill_day(written["date"], latest)
    if day is None:
        raise OptionError(f"accounts: {name}: {refusal}")
    return Drill(
        day=day,
        enforcement=bool(written.get("enforcement")),
        by=written.get("by") or "",
        security_defaults=bool(written.get("security_defaults")),
        methods=tuple(written.get("methods") or ()),
    )


Answers = Mapping[Hashable, Any]


class Reading:
    """One look at a tenant and the declared accounts in it."""

    def __init__(self, client: GraphClient, options: Mapping[str, Any], today: date) -> None:
        self._client = client
        self._options = options
        self._today = today

    def report(self, declared: Sequence[Declared]) -> dict[str, Any]:
        tenant = self._tenant()
        if tenant.domain.known:
            declared = [_completed(one, tenant.domain.value) for one in declared]
        principals, unread = _administrators(tenant)
        groups = sorted(identity for identity, kind in principals.items() if kind == "group")
        answers = self._read(
            {
                **{one: _user_read(one) for one in declared if "@" in one.user_principal_name},
                **{group: _members_read(group) for group in groups},
            }
        )
        users = {one: _user(tenant, answers.get(one)) for one in declared}
        members, unread_members = _members(answers, groups)
        own = {user.value.id for user in users.values() if user.known and user.value}
        people = {identity for identity, kind in principals.items() if kind == "user"} | members
        accounts, others = self._details(users, sorted(people - own), unread or unread_members)
        return report(tenant, accounts, others, self._options["wanted"])

    def _read(self, reads: Mapping[Any, Read]) -> dict[Hashable, Any]:
        return dict(zip(reads, self._client.read_many(list(reads.values())) if reads else [], strict=True))

    def _tenant(self) -> Tenant:
        reads: dict[str, Read] = {
            "domain": DOMAINS,
            "policies": POLICIES,
            "assignments": ROLE_ASSIGNMENTS,
            "active": ACTIVE,
            "eligible": ELIGIBLE,
            "methods_policy": METHODS_POLICY,
            "security_defaults": SECURITY_DEFAULTS,
        }
        group = self._options.get("exclusion_group")
        if group:
            reads["exclusion_group"] = object_read("group", "/groups", group, GROUP_SELECT)
        answers = self._read(reads)
        return Tenant(
            domain=_fact(answers["domain"], initial_domain),
            policies=_fact(answers["policies"], _list),
            assignments=_fact(answers["assignments"], _list),
            active=_schedules(answers["active"]),
            eligible=_schedules(answers["eligible"]),
            methods_policy=_fact(answers["methods_policy"], dict),
            exclusion_group=_exclusion_group(answers["exclusion_group"]) if group else known(None),
            security_defaults=_fact(answers["security_defaults"], lambda answer: boolean(answer, "isEnabled")),
            drill_max_age_days=self._options["drill_max_age_days"],
            today=self._today,
        )

    def _details(
        self, users: Mapping[Declared, Fact], other_administrators: Sequence[str], unread: str | None
    ) -> tuple[list[Account], Others]:
        reads: dict[Hashable, Read] = {}
        for declared, user in users.items():
            if user.known and user.value:
                reads.update(_reads_about(declared, user.value.id))
        reads.update({identity: _methods_read(identity) for identity in other_administrators})
        answers = self._read(reads)
        accounts = [
            Account(
                declared,
                user,
                groups=_detail(answers, user, (declared, "groups"), groups_of),
                methods=_detail(answers, user, (declared, "methods"), second_factors.registered_methods),
                passkeys=_detail(answers, user, (declared, "methods"), second_factors.registered_passkeys),
                pass_end=_detail(answers, user, (declared, "methods"), second_factors.end_of_pass),
                certificate=_detail(answers, user, (declared, "certificate"), second_factors.has_certificate_ids),
                sign_in=_detail(answers, user, (declared, "sign_in"), last_sign_in),
            )
            for declared, user in users.items()
        ]
        methods = [_fact(answers[one], second_factors.registered_methods) for one in other_administrators]
        return accounts, Others(
            count=len(methods),
            methods=frozenset().union(*(fact.value for fact in methods if fact.known)),
            unread=unread or next((fact.reason for fact in methods if not fact.known), None),
        )


def _completed(declared: Declared, domain: Domain) -> Declared:
    """With its whole name. Raises OptionError for one that is not on the initial domain."""
    refusal = domain_refusal(declared.user_principal_name, domain.name)
    if refusal:
        raise OptionError(f"accounts: {refusal}")
    return replace(declared, user_principal_name=f"{local_part_of(declared.user_principal_name)}@{domain.name}")


# Reads


def _user_read(declared: Declared) -> Read:
    name = declared.user_principal_name
    return Read(f"/users/{path_segment(name)}", parameters={"$select": USER_SELECT}, action=f"read the user {name}")


def _members_read(group: str) -> Read:
    return Read(
        f"/groups/{path_segment(group)}/transitiveMembers",
        parameters={"$select": "id"},
        collection=True,
        action="list the members of a group of Global Administrators",
    )


def _methods_read(user: str, version: str = "v1.0") -> Read:
    path = f"/users/{path_segment(user)}/authentication/methods"
    return Read(path, version=version, collection=True, action="read the authentication methods of an administrator")


def _reads_about(declared: Declared, user: str) -> dict[Hashable, Read]:
    """Apart from each other, for each may be refused by itself."""
    path = f"/users/{path_segment(user)}"
    name = declared.user_principal_name
    beta = declared.second_factor == second_factors.HARDWARE_OATH_TOKEN
    return {
        (declared, "groups"): Read(
            f"{path}/transitiveMemberOf",
            parameters={"$select": "id"},
            collection=True,
            action=f"list the groups of {name}",
        ),
        (declared, "methods"): _methods_read(user, "beta" if beta else "v1.0"),
        (declared, "certificate"): Read(
            path, parameters={"$select": "authorizationInfo"}, action=f"read the certificate ids of {name}"
        ),
        (declared, "sign_in"): Read(
            path, parameters={"$select": "signInActivity"}, action=f"read the last sign-in of {name}"
        ),
    }


# Answers


def _fact(answer: Any, make: Callable[[Any], Any]) -> Fact:
    if isinstance(answer, M365Error):
        return unknown(answer.message)
    try:
        return known(make(answer))
    except UnexpectedShape as error:
        return unknown(f"Graph's answer has an unexpected shape: {error}.")


def _detail(answers: Answers, user: Fact, key: Hashable, make: Callable[[Any], Any]) -> Fact:
    if key in answers:
        return _fact(answers[key], make)
    return MISSING if user.known else unknown(f"The account could not be read: {user.reason}")


def _list(answer: Any) -> list[Mapping[str, Any]]:
    return objects({"value": answer}, "value")


def _exclusion_group(answer: Any) -> Fact:
    """The groups of the name, or the one with the id."""
    found = [] if isinstance(answer, NotFound) else answer
    return _fact(found, lambda it: [group_of(item) for item in (it if isinstance(it, list) else [it])])


def _schedules(answer: Any) -> Fact:
    """A known None where the tenant has no licence for schedules, and so none."""
    return known(None) if isinstance(answer, LicenceMissing) else _fact(answer, _list)


def _user(tenant: Tenant, answer: Any) -> Fact:
    if answer is None:  # a local part alone, and nothing to complete it with
        return unknown(f"The initial domain could not be read: {tenant.domain.reason}")
    return known(None) if isinstance(answer, NotFound) else _fact(answer, user_of)


def _administrators(tenant: Tenant) -> tuple[dict[str, str], str | None]:
    """Global Administrators, active or eligible: their kinds by id. And why there may be more."""
    principals: dict[str, str] = {}
    unread = None
    for fact in (tenant.assignments, tenant.eligible):
        if not fact.known:
            unread = fact.reason
            continue
        try:
            principals.update(_principals(fact.value or ()))
        except UnexpectedShape as error:
            unread = f"Graph's answer has an unexpected shape: {error}."
    return principals, unread


def _principals(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    found = {}
    for item in items:
        if text(item, "roleDefinitionId").lower() == GLOBAL_ADMINISTRATOR and text(item, "directoryScopeId") == "/":
            principal = item.get("principal")
            found[text(principal, "id").lower()] = text(principal, "@odata.type").rpartition(".")[2]
    return found


def _members(answers: Answers, groups: Iterable[str]) -> tuple[set[str], str | None]:
    """The people in these groups, and why there may be more."""
    people: set[str] = set()
    unread = None
    for group in groups:
        members = _fact(answers[group], _people)
        people |= members.value if members.known else set()
        unread = unread or members.reason
    return people, unread


def _people(items: Iterable[Mapping[str, Any]]) -> set[str]:
    return {text(item, "id").lower() for item in items if text(item, "@odata.type").endswith(".user")}


RESOURCE = EmergencyAccessInfo()
