# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One emergency account as one resource (private to the collection).

The order of the changes is what makes a run safe to interrupt: the password is set while the account is an ordinary
one, whom an application may still change, then come the exclusion group and the role, and last the restricted
administrative unit, after which nobody changes the account.

Sources: Microsoft's page "Manage emergency access accounts"; the Graph reference of user, unifiedRoleAssignment,
unifiedRoleAssignmentScheduleRequest, administrativeUnit and "Restore deleted item".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._engine.plan import NOT_SHOWN, Change, Ids, MakeRequest, Plan, Request
from .._engine.properties import Property, StateUnknown, arguments, current_values, differing
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.batch import Read
from .._graph.errors import GraphError, LicenceMissing, NotFound, OptionError
from .._graph.permissions import MEMBERS_WRITE, ROLES_WRITE, USERS_WRITE
from .._graph.query import path_segment
from .._options import WAIT_OPTIONS
from .._policy import emergency_accounts as rules
from .._policy import tenants
from .._policy.emergency_accounts import GlobalAdministrators
from .._policy.facts import UnexpectedShape, boolean, optional_boolean, optional_text, text
from .._policy.roles import GLOBAL_ADMINISTRATOR
from .directory import EXPECTED_GROUPS, expected_groups, object_read, only_object
from .facts import DOMAINS, gather

USERS = "/users"
DELETED_USERS = "/directory/deletedItems/microsoft.graph.user"
GROUPS = "/groups"
UNITS = "/directory/administrativeUnits"
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
ACTIVE = "/roleManagement/directory/roleAssignmentScheduleInstances"
ELIGIBLE = "/roleManagement/directory/roleEligibilityScheduleInstances"
SCHEDULE_REQUESTS = "/roleManagement/directory/roleAssignmentScheduleRequests"

USER_SELECT = (
    "id,userPrincipalName,displayName,accountEnabled,passwordPolicies,lastPasswordChangeDateTime,onPremisesSyncEnabled,"
    "userType,isManagementRestricted"
)
GROUP_SELECT = (
    "id,displayName,groupTypes,securityEnabled,mailEnabled,onPremisesSyncEnabled,isAssignableToRole,visibility"
)
# Of a group that is not there yet: a security group.
EXPECTED = {
    "expected": True,
    "groupTypes": [],
    "securityEnabled": True,
    "mailEnabled": False,
    "onPremisesSyncEnabled": None,
    "isAssignableToRole": None,
    "visibility": None,
}
UNIT_SELECT = "id,displayName,isMemberManagementRestricted,membershipType"
OF_GLOBAL_ADMINISTRATOR = f"roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'"
ROLE_READS = (
    Read(
        ASSIGNMENTS,
        parameters={"$filter": OF_GLOBAL_ADMINISTRATOR, "$expand": "principal"},
        collection=True,
        action="list the Global Administrators",
    ),
    Read(
        ACTIVE,
        parameters={"$filter": OF_GLOBAL_ADMINISTRATOR},
        collection=True,
        action="list until when the Global Administrators are active",
    ),
    Read(
        ELIGIBLE,
        parameters={"$filter": OF_GLOBAL_ADMINISTRATOR},
        collection=True,
        action="list who is eligible as Global Administrator",
    ),
)

ROWS = (
    Property("display_name", "displayName", default="Emergency access"),
    Property("enabled", "accountEnabled", type="bool"),
    Property(
        "password_policies",
        "passwordPolicies",
        nullable=True,
        compare=lambda _wanted, current: rules.never_expires(current),
    ),
)
ENABLE_OR_DISABLE = ("User.EnableDisableAccount.All", *USERS_WRITE)
SET_PASSWORD = ("User-PasswordProfile.ReadWrite.All", *USERS_WRITE)
HIDDEN = {"password": NOT_SHOWN}


@dataclass(frozen=True)
class Surroundings:
    """What the account is to stand in, which a run does not change: read once."""

    initial_domain: str
    federated: frozenset[str]
    group: Mapping[str, Any] | None
    unit: Mapping[str, Any] | None


@dataclass(frozen=True)
class State:
    """``deleted`` are soft-deleted users of that name, read where there is no user of it. ``administrators`` is an
    error where Graph does not show them. ``member_of`` are the ids of groups and administrative units."""

    name: str
    around: Surroundings
    user: Mapping[str, Any] | None
    deleted: Sequence[Mapping[str, Any]]
    administrators: GlobalAdministrators | GraphError
    member_of: frozenset[str]

    @property
    def subject(self) -> Mapping[str, Any] | None:
        """The user, or the deleted one who is to be restored."""
        return self.user or (self.deleted[0] if self.deleted else None)

    def is_member(self, of: Mapping[str, Any] | None) -> bool:
        return of is not None and self.user is not None and text(of, "id").lower() in self.member_of

    def standing(self) -> tuple[str, str]:
        """How the account is Global Administrator, and whether that was read or inferred."""
        if isinstance(self.administrators, GraphError):
            return rules.UNKNOWN, rules.READ
        if self.user is None:
            return rules.NONE, rules.READ if self.administrators.schedules else rules.INFERRED
        return self.administrators.standing_of(text(self.user, "id"))


@dataclass(frozen=True)
class Step:
    """A change, and the words for it that follow "was" or "would be"; ``effect`` is what an approver must know."""

    change: Change
    words: str
    effect: str | None = None


class EmergencyAccount(Resource):
    name = "emergency_account"
    options = {
        "user_principal_name": {"type": "str", "required": True},
        **arguments(ROWS[:1]),
        "password": {"type": "str", "no_log": True},
        "update_password": {
            "type": "str",
            "choices": ["on_create", "always"],
            "default": "on_create",
            "no_log": False,
        },
        "assign_role": {"type": "bool", "default": True},
        "exclusion_group": {"type": "str"},
        "administrative_unit": {"type": "str"},
        "restore": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force": {"type": "bool", "default": False},
        **EXPECTED_GROUPS,
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> State:
        _refuse_bad_options(run.options)
        try:
            around = run.kept.get("surroundings") or _surroundings(run)
            run.kept["surroundings"] = around
            return _read_account(run, around)
        except UnexpectedShape as error:
            raise StateUnknown(f"Graph's answers about the account have an unexpected shape: {error}.") from None

    def plan(self, run: Run, state: State) -> Plan:
        try:
            if run.options["state"] == "present":
                _refuse_present(run, state)
            elif state.user is not None:
                _refuse_absent(run, state, state.user)
            steps = _steps(run, state)
        except UnexpectedShape as error:
            raise StateUnknown(f"Graph's answers about the account have an unexpected shape: {error}.") from None
        if not steps:
            present = run.options["state"] == "present"
            return Plan(done=f"{state.name} is as wanted." if present else f"There is no account {state.name}.")
        wrong_kind = tenants.refusal(gather(run.client, ("kind",))["kind"])
        if wrong_kind:
            raise OptionError(wrong_kind)
        words = _listed([step.words for step in steps])
        return Plan(
            [step.change for step in steps],
            planned=f"{state.name} would be {words}.",
            done=f"{state.name} was {words}.",
            extra={"effects": [step.effect for step in steps if step.effect]},
        )

    def reached(self, run: Run, plan: Plan, state: State) -> bool:
        """The password cannot be read, so it is not waited for."""
        return not _steps(run, state, with_password=False)

    def result(self, run: Run, plan: Plan, state: State) -> dict[str, Any]:
        changes = bool(plan.changes)
        account = _predicted(run, state) if run.check_mode and changes else _found(state)
        password_set = any("password" in (change.after or {}) for change in plan.changes)
        if run.check_mode and password_set:
            account["last_password_change"] = None
        return {"emergency_account": {**account, "password_set": password_set}, "effects": []}


def _refuse_bad_options(options: Mapping[str, Any]) -> None:
    """Raises OptionError for what is wrong whatever the tenant is like."""
    name, password = options["user_principal_name"], options.get("password")
    refusal = rules.name_refusal(name)
    if refusal is None and password is not None:
        refusal = rules.password_refusal(password, [rules.local_part_of(name), options["display_name"]])
    if refusal is None and not options["display_name"].strip():
        refusal = "The display name must not be empty."
    if refusal is None and options["state"] == "absent" and not options["force"]:
        refusal = f"Deleting the emergency account {name} takes 'force: true'."
    if refusal:
        raise OptionError(refusal)


# Reading


def _surroundings(run: Run) -> Surroundings:
    """Raises OptionError for a group or unit that is missing or not the only one, UnexpectedShape, GraphError."""
    group, unit = run.options.get("exclusion_group"), run.options.get("administrative_unit")
    reads = [DOMAINS]
    if group:
        reads.append(object_read("group", GROUPS, group, GROUP_SELECT))
    if unit:
        reads.append(object_read("administrative unit", UNITS, unit, UNIT_SELECT))
    answers = run.client.read_many(reads)
    domains = answers.pop(0)
    if isinstance(domains, GraphError):
        raise domains
    initial = [text(domain, "id") for domain in domains if boolean(domain, "isInitial")]
    if len(initial) != 1:
        raise UnexpectedShape(f"{len(initial)} domains are the initial one")
    federated = [text(domain, "id") for domain in domains if text(domain, "authenticationType") != "Managed"]
    return Surroundings(
        initial_domain=initial[0],
        federated=frozenset(name.casefold() for name in federated),
        group=_group(run, group, answers.pop(0)) if group else None,
        unit=only_object("administrative unit", unit, answers.pop(0)) if unit else None,
    )


def _group(run: Run, name: str, answer: Any) -> Mapping[str, Any]:
    """The group, or in a dry run what is expected of one that is not there yet. Raises OptionError, GraphError."""
    expected = expected_groups(run).get(name.casefold())
    if expected is not None and answer == []:
        return {"id": expected.id, "displayName": expected.name, **EXPECTED}
    return only_object("group", name, answer)


def _read_account(run: Run, around: Surroundings) -> State:
    """Raises OptionError for a name on another domain, UnexpectedShape, GraphError."""
    asked = run.options["user_principal_name"]
    refusal = rules.domain_refusal(asked, around.initial_domain)
    if refusal:
        raise OptionError(refusal)
    name = f"{rules.local_part_of(asked)}@{around.initial_domain}"
    path = f"{USERS}/{path_segment(name)}"
    reads = [Read(path, parameters={"$select": USER_SELECT}, action=f"read the user {name}"), *ROLE_READS]
    if around.group is not None or around.unit is not None:
        reads.append(
            Read(
                f"{path}/memberOf",
                parameters={"$select": "id"},
                collection=True,
                action=f"list the groups and administrative units of {name}",
            )
        )
    user, *others = run.client.read_many(reads)
    user, member_of = _there(user), [_there(answer) or [] for answer in others[len(ROLE_READS) :]]
    return State(
        name=name,
        around=around,
        user=None if user is None else _checked(user),
        deleted=_deleted_users(run, name) if user is None and run.options["state"] == "present" else (),
        administrators=_administrators(others[: len(ROLE_READS)]),
        member_of=frozenset(text(item, "id").lower() for items in member_of for item in items),
    )


def _there(answer: Any) -> Any:
    """An answer, or None where Graph does not know the object. Raises GraphError."""
    if isinstance(answer, GraphError) and not isinstance(answer, NotFound):
        raise answer
    return None if isinstance(answer, NotFound) else answer


def _checked(user: Mapping[str, Any]) -> Mapping[str, Any]:
    """A user with every property that is looked at later. Raises UnexpectedShape."""
    for name in ("id", "userPrincipalName", "displayName"):
        text(user, name)
    for name in ("passwordPolicies", "lastPasswordChangeDateTime", "userType"):
        optional_text(user, name)
    for name in ("onPremisesSyncEnabled", "isManagementRestricted"):
        optional_boolean(user, name)
    boolean(user, "accountEnabled")
    return user


def _deleted_users(run: Run, name: str) -> list[Mapping[str, Any]]:
    """Graph has no filter for how a deleted user was called: the page of those of the last 30 days is searched."""
    (answer,) = run.client.read_many(
        [
            Read(
                DELETED_USERS,
                parameters={"$select": USER_SELECT, "$top": "999"},
                collection=True,
                action="list the deleted users",
            )
        ]
    )
    if isinstance(answer, GraphError):
        raise answer
    users: Any = answer
    return [_checked(user) for user in users if rules.was_called(user, name)]


def _administrators(answers: Sequence[Any]) -> GlobalAdministrators | GraphError:
    assignments, *schedules = answers
    if isinstance(assignments, GraphError):
        return assignments
    if any(isinstance(answer, LicenceMissing) for answer in schedules):
        return GlobalAdministrators(assignments, schedules=False)
    for answer in schedules:
        if isinstance(answer, GraphError):
            return answer
    active, eligible = schedules
    return GlobalAdministrators(assignments, active, eligible)


# Refusing, in check mode just as in a run


def _refuse_present(run: Run, state: State) -> None:
    """Raises OptionError, UnexpectedShape; and GraphError where the role is to be assigned and cannot be read."""
    around, options = state.around, run.options
    if around.initial_domain.casefold() in around.federated:
        raise OptionError(
            f"The initial domain {around.initial_domain} is not managed by Entra but federated. An emergency account "
            "there would depend on the other identity provider. Make the domain managed first."
        )
    if options["assign_role"] and isinstance(state.administrators, GraphError):
        raise state.administrators
    subject = state.subject
    for refusal in (
        rules.kind_refusal(subject, state.name) if subject is not None else None,
        rules.group_refusal(around.group) if around.group is not None else None,
        rules.unit_refusal(around.unit) if around.unit is not None else None,
        None if state.user is not None else _refusal_of_new(run, state),
    ):
        if refusal:
            raise OptionError(refusal)
    if options["update_password"] == "always" and not options.get("password"):
        raise OptionError("'update_password: always' takes a 'password'.")


def _refusal_of_new(run: Run, state: State) -> str | None:
    """Why an account that is not there cannot be created or restored. Raises UnexpectedShape."""
    if len(state.deleted) > 1:
        return (
            f"{len(state.deleted)} deleted users were called {state.name}: "
            f"{', '.join(text(user, 'id') for user in state.deleted)}. Restore the right one by hand, or delete the "
            "others for good."
        )
    if state.deleted:
        if run.options["restore"]:
            return None
        return (
            f"The account {state.name} was deleted (object ID {text(state.deleted[0], 'id')}). Restore it with "
            "'restore: true', or delete it for good first."
        )
    moved = _moved(state)
    if moved and not run.options["force"]:
        return (
            f"There is no account {state.name}, but the Global Administrator {moved} has the same name on another "
            "domain. If this is the emergency account, give it back its name on the initial domain; if it is not, "
            "create the account with 'force: true'."
        )
    if not run.options.get("password"):
        return f"There is no account {state.name}. To create it, give the 'password' that it gets."
    return None


def _moved(state: State) -> str | None:
    """A Global Administrator of the same name on another domain: perhaps the account, renamed. Raises
    UnexpectedShape."""
    if isinstance(state.administrators, GraphError):
        return None
    wanted = rules.local_part_of(state.name).casefold()
    others = state.administrators.users().values()
    return next((name for name in others if rules.local_part_of(name).casefold() == wanted), None)


def _refuse_absent(run: Run, state: State, user: Mapping[str, Any]) -> None:
    """Raises OptionError unless somebody else can be relied on. What cannot be read counts as nobody."""
    refusal = rules.kind_refusal(user, state.name)
    if refusal:
        raise OptionError(refusal)
    if isinstance(state.administrators, GraphError):
        raise OptionError(
            f"{state.name} is not deleted: whether there is another Global Administrator is unknown. "
            f"{state.administrators.message}"
        )
    own = text(user, "id").lower()
    others = [
        identity
        for identity in state.administrators.users()
        if identity.lower() != own and state.administrators.standing_of(identity)[0] == rules.PERMANENT
    ]
    reads = [
        Read(f"{USERS}/{path_segment(other)}", parameters={"$select": USER_SELECT}, action="read an administrator")
        for other in others
    ]
    answers = run.client.read_many(reads) if reads else []
    if not any(_can_be_relied_on(answer, state.around.federated) for answer in answers):
        raise OptionError(
            f"{state.name} is not deleted: no other enabled, cloud-only user on a managed domain is permanently Global "
            "Administrator, as far as Graph shows. Create another emergency account first."
        )


def _can_be_relied_on(answer: Any, federated: frozenset[str]) -> bool:
    try:
        return not isinstance(answer, GraphError) and rules.can_sign_in_without_help(answer, federated)
    except UnexpectedShape:
        return False


# Planning


def _steps(run: Run, state: State, *, with_password: bool = True) -> list[Step]:
    """In the order in which they are made. Raises UnexpectedShape."""
    if run.options["state"] == "absent":
        return [] if state.user is None else [_deletion(state, state.user)]
    steps: list[Step] = []
    subject = state.subject
    if subject is None:
        steps.append(_creation(run, state))
    else:
        if state.user is None:
            steps.append(_restoration(state, subject))
        # The password before the properties: of an account that is there, nothing was changed where it is refused.
        if with_password and run.options["update_password"] == "always":
            steps.append(_new_password(run, state, subject))
        steps += [step for step in [_new_properties(run, state, subject)] if step]
    if state.around.group is not None and not state.is_member(state.around.group):
        steps.append(_membership(run, state, state.around.group))
    if run.options["assign_role"] and state.standing()[0] != rules.PERMANENT:
        steps.append(_role(state))
    if state.around.unit is not None and not state.is_member(state.around.unit):
        steps.append(_protection(run, state, state.around.unit))
    return steps


def _creation(run: Run, state: State) -> Step:
    shown = {"user_principal_name": state.name, "display_name": run.options["display_name"], "enabled": True}
    body = {
        "accountEnabled": True,
        "displayName": run.options["display_name"],
        "mailNickname": rules.local_part_of(state.name),
        "userPrincipalName": state.name,
        "passwordPolicies": rules.NEVER_EXPIRES,
        "passwordProfile": {"password": run.options["password"], "forceChangePasswordNextSignIn": False},
    }
    request = Request("POST", USERS, f"create the account {state.name}", body, creates=True, names="user")
    after = {**shown, "password_policies": rules.NEVER_EXPIRES, **HIDDEN}
    return Step(Change(f"the account {state.name}", None, after, request), "created")


def _restoration(state: State, deleted: Mapping[str, Any]) -> Step:
    path = f"/directory/deletedItems/{path_segment(text(deleted, 'id'))}/restore"
    request = Request("POST", path, f"restore the account {state.name}", creates=True)
    before = {"deleted": True, "id": text(deleted, "id")}
    return Step(
        Change(f"the deleted account {state.name}", before, {**before, "deleted": False}, request),
        "restored",
    )


def _new_properties(run: Run, state: State, subject: Mapping[str, Any]) -> Step | None:
    """One PATCH with the properties that differ."""
    current = current_values(ROWS, subject, USERS)
    wanted = {
        "display_name": run.options["display_name"],
        "enabled": True,
        "password_policies": rules.with_never_expires(current["password_policies"]),
    }
    rows = differing(ROWS, wanted, current)
    if not rows:
        return None
    title = f"the properties of {state.name}"
    return Step(
        Change(
            title,
            {name: current[name] for name in rows},
            {name: wanted[name] for name in rows},
            Request(
                "PATCH",
                f"{USERS}/{path_segment(text(subject, 'id'))}",
                f"change {title}",
                {row.graph: wanted[name] for name, row in rows.items()},
                replicates=state.user is None,
                permissions=(frozenset(ENABLE_OR_DISABLE if set(rows) == {"enabled"} else USERS_WRITE),),
            ),
        ),
        f"changed ({', '.join(name.replace('_', ' ') for name in rows)})",
        _restriction(state),
    )


def _new_password(run: Run, state: State, subject: Mapping[str, Any]) -> Step:
    title = f"the password of {state.name}"
    profile = {"password": run.options["password"], "forceChangePasswordNextSignIn": False}
    request = Request(
        "PATCH",
        f"{USERS}/{path_segment(text(subject, 'id'))}",
        f"set {title}",
        {"passwordProfile": profile},
        replicates=state.user is None,
        permissions=(frozenset(SET_PASSWORD),),
    )
    after = {"password": f"{NOT_SHOWN} (changed)"}
    return Step(Change(title, HIDDEN, after, request), "given a new password", _restriction(state))


def _membership(run: Run, state: State, group: Mapping[str, Any]) -> Step:
    name = text(group, "displayName")
    holds_roles = optional_boolean(group, "isAssignableToRole") is True
    needed = (MEMBERS_WRITE, ROLES_WRITE) if holds_roles else (MEMBERS_WRITE,)
    change = _addition(
        run,
        state,
        f"{GROUPS}/{path_segment(text(group, 'id'))}",
        f"the membership of {state.name} in the group '{name}'",
        f"add {state.name} to the group '{name}'",
        tuple(frozenset(names) for names in needed),
    )
    return Step(change, f"added to the group '{name}'")


def _protection(run: Run, state: State, unit: Mapping[str, Any]) -> Step:
    name = text(unit, "displayName")
    change = _addition(
        run,
        state,
        f"{UNITS}/{path_segment(text(unit, 'id'))}",
        f"the membership of {state.name} in the administrative unit '{name}'",
        f"put {state.name} into the administrative unit '{name}'",
    )
    return Step(
        change,
        f"put into the restricted administrative unit '{name}'",
        rules.RESTRICTED_MANAGEMENT.format(unit=name),
    )


def _addition(
    run: Run, state: State, path: str, title: str, action: str, permissions: tuple[frozenset[str], ...] = ()
) -> Change:
    objects = f"{run.client.cloud.graph_url}/v1.0/directoryObjects"

    def request(created: Ids) -> Request:
        return Request(
            "POST",
            f"{path}/members/$ref",
            action,
            {"@odata.id": f"{objects}/{_identity(state, created)}"},
            replicates=True,
            adds=True,
            permissions=permissions,
        )

    return Change(title, {"member": False}, {"member": True}, request)


def _role(state: State) -> Step:
    """A plain role assignment has no end. Where there is one with an end, its schedule is changed: a second assignment
    of the same role would be refused as a duplicate."""
    title = f"the role Global Administrator of {state.name}"
    standing = state.standing()[0]
    request = _without_end(state, title) if standing == rules.TIME_BOUND else _assignment(state, title)
    change = Change(title, {"global_administrator": standing}, {"global_administrator": rules.PERMANENT}, request)
    return Step(change, "made Global Administrator permanently", rules.ADMINISTRATOR)


def _assignment(state: State, title: str) -> MakeRequest:
    def request(created: Ids) -> Request:
        body = {
            "roleDefinitionId": GLOBAL_ADMINISTRATOR,
            "principalId": _identity(state, created),
            "directoryScopeId": rules.WHOLE_TENANT,
        }
        return Request("POST", ASSIGNMENTS, f"assign {title}", body, replicates=True, adds=True)

    return request


def _without_end(state: State, title: str) -> MakeRequest:
    """That this holds for a role that an eligible user has activated, too, is an assumption."""

    def request(created: Ids) -> Request:
        body = {
            "action": "adminUpdate",
            "principalId": _identity(state, created),
            "roleDefinitionId": GLOBAL_ADMINISTRATOR,
            "directoryScopeId": rules.WHOLE_TENANT,
            "justification": "An emergency account is permanently Global Administrator.",
            "scheduleInfo": {"expiration": {"type": "noExpiration"}},
        }
        return Request("POST", SCHEDULE_REQUESTS, f"make permanent {title}", body)

    return request


def _deletion(state: State, user: Mapping[str, Any]) -> Step:
    title = f"the account {state.name}"
    before = {
        "user_principal_name": state.name,
        "display_name": text(user, "displayName"),
        "enabled": boolean(user, "accountEnabled"),
    }
    path = f"{USERS}/{path_segment(text(user, 'id'))}"
    return Step(
        Change(title, before, None, Request("DELETE", path, f"delete {title}")),
        "deleted",
        _restriction(state),
    )


def _identity(state: State, created: Ids) -> str:
    return created["user"] if state.subject is None else text(state.subject, "id")


def _restriction(state: State) -> str | None:
    """What stands in the way of a change to an account that a restricted administrative unit protects already."""
    if state.user is None or optional_boolean(state.user, "isManagementRestricted") is not True:
        return None
    return rules.UNDER_RESTRICTED_MANAGEMENT.format(name=state.name)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


# Saying


def _found(state: State) -> dict[str, Any]:
    user, around = state.user, state.around
    standing, permanence = state.standing()
    return {
        "id": user and text(user, "id"),
        "user_principal_name": state.name,
        "display_name": user and text(user, "displayName"),
        "enabled": user and boolean(user, "accountEnabled"),
        "exists": user is not None,
        "password_never_expires": user and rules.never_expires(optional_text(user, "passwordPolicies")),
        "last_password_change": user and optional_text(user, "lastPasswordChangeDateTime"),
        "global_administrator": standing,
        "permanence": permanence,
        "exclusion_group": _link(around.group, state.is_member(around.group)),
        "administrative_unit": _link(around.unit, state.is_member(around.unit)),
    }


def _predicted(run: Run, state: State) -> dict[str, Any]:
    """What a run would lead to; null where only a run can tell."""
    found = _found(state)
    if run.options["state"] == "absent":
        gone = dict.fromkeys(("id", "display_name", "enabled", "password_never_expires", "last_password_change"))
        links = {
            "exclusion_group": _link(state.around.group, False),
            "administrative_unit": _link(state.around.unit, False),
        }
        return {**found, **gone, **links, "exists": False, "global_administrator": rules.NONE}
    subject = state.subject
    return {
        **found,
        "id": subject and text(subject, "id"),
        "display_name": run.options["display_name"],
        "enabled": True,
        "exists": True,
        "password_never_expires": True,
        "last_password_change": subject and optional_text(subject, "lastPasswordChangeDateTime"),
        "global_administrator": rules.PERMANENT if run.options["assign_role"] else found["global_administrator"],
        "exclusion_group": _link(state.around.group, True),
        "administrative_unit": _link(state.around.unit, True),
    }


def _link(of: Mapping[str, Any] | None, member: bool) -> dict[str, Any] | None:
    if of is None:
        return None
    identity = None if EXPECTED.items() <= of.items() else text(of, "id")
    return {"id": identity, "display_name": text(of, "displayName"), "member": member}


RESOURCE = EmergencyAccount()
