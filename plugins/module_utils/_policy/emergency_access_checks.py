# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked of an emergency account, one function each (private to the collection). Pure functions.

Sources: Microsoft's pages "Manage emergency access accounts" (June 2026), "Assign Microsoft Entra roles in Privileged
Identity Management" and "Self-service password reset policies" (expiry of passwords). A check that could not be read
is unknown, never passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from . import second_factors
from .conditional_access import DISABLED, ENABLED, REPORT_ONLY, STATES
from .conditional_access_reach import Memberships, Person, any_of, catches, excludes, is_about_workloads
from .emergency_access_facts import Account, Domain, Drill, Others, Tenant, User, day_of
from .emergency_accounts import (
    ELIGIBLE,
    INFERRED,
    PERMANENT,
    TIME_BOUND,
    WHOLE_TENANT,
    GlobalAdministrators,
    never_expires,
)
from .facts import Fact, UnexpectedShape, known, text
from .passkeys import Allowance
from .roles import GLOBAL_ADMINISTRATOR
from .security_defaults import counted, quoted

PASSED, FAILED, UNKNOWN = "passed", "failed", "unknown"

PASSWORDS_NEVER_EXPIRE = 2147483647
# Sign-in activity is late by hours, and the day of a drill is the operator's, not that of UTC.
LATENESS_OF_SIGN_INS = timedelta(days=2)
GLOBAL_ADMINISTRATOR_NAME = "Global Administrator"
NO_ACCOUNT = "There is no such account."
SECURITY_DEFAULTS = "security_defaults"
NO_METHOD_NAMED = (
    "The drill does not say with which second factor it was done, so it proves none. Do another one, or name the "
    "second factor among its methods."
)
NEW_GROUP = "Make a new group to which roles can be assigned, and name that one as the exclusion group."
PASSKEYS_REFUSED = (
    "Enable the method Fido2 for the account, with key restrictions or a passkey profile that take its passkey, or "
    "register another one."
)


@dataclass(frozen=True)
class Check:
    name: str
    state: str
    sentence: str
    essential: bool = True

    def as_result(self) -> dict[str, Any]:
        return {"name": self.name, "state": self.state, "sentence": self.sentence, "essential": self.essential}


def checks(tenant: Tenant, account: Account, others: Others) -> list[Check]:
    """All checks of one account, in a fixed order; those of the exclusion group only where one was asked about."""
    group = tenant.exclusion_group
    found = [
        _exists(account),
        _about_user("enabled", account, _enabled),
        _about_user("cloud_only", account, _cloud_only),
        _initial_domain(tenant, account),
        _about_user("password_never_expires", account, lambda user: _password(tenant.domain, user)),
        _about_user("global_administrator", account, lambda user: _role(tenant, account, user)),
        _about_user("conditional_access", account, lambda _user: _conditional_access(tenant, account)),
        _about_user("second_factor", account, lambda user: _second_factor(tenant, account, user)),
        _under_security_defaults(tenant, account),
        _advice(_about_user("excluded_from_every_policy", account, lambda _user: _excluded(tenant, account))),
        _advice(_about_user("exclusion_group", account, lambda _user: _exclusion_group(tenant, account))),
        _advice(_about_user("exclusion_group_protected", account, lambda _user: _protected(tenant))),
        _advice(_about_user("different_second_factor", account, lambda _user: _different(account, others))),
        _advice(_about_user("last_sign_in", account, lambda _user: _last_sign_in(account))),
        _advice(_drill(tenant, account)),
    ]
    asked = not group.known or group.value is not None
    return [check for check in found if asked or not check.name.startswith("exclusion_group")]


Judged = tuple[str, str]
Question = Callable[[Mapping[str, Any], Person], "bool | None"]


def _advice(check: Check) -> Check:
    return Check(check.name, check.state, check.sentence, essential=False)


def _about_user(name: str, account: Account, judge: Callable[[User], Judged]) -> Check:
    if not account.user.known:
        return Check(name, UNKNOWN, f"The account could not be read: {account.user.reason}")
    if account.user.value is None:
        return Check(name, UNKNOWN, NO_ACCOUNT)
    state, said = judge(account.user.value)
    return Check(name, state, said)


def _exists(account: Account) -> Check:
    name = account.declared.user_principal_name
    if not account.user.known:
        return Check("exists", UNKNOWN, f"Whether it exists could not be read: {account.user.reason}")
    if account.user.value is None:
        return Check("exists", FAILED, f"There is no account {name}: it was never made, was deleted, or was renamed.")
    return Check("exists", PASSED, "It exists.")


def _enabled(user: User) -> Judged:
    return (PASSED, "It is enabled.") if user.enabled else (FAILED, "It is disabled: nobody can sign in.")


def _cloud_only(user: User) -> Judged:
    if user.guest:
        return FAILED, "It is a guest, who signs in somewhere else."
    if user.synchronised:
        return FAILED, "It is synchronised from on premises: what happens there happens to it."
    was = " It was synchronised once." if user.synchronised is False else ""
    return PASSED, f"It lives in the cloud only.{was}"


def _initial_domain(tenant: Tenant, account: Account) -> Check:
    name = "initial_domain"
    if not tenant.domain.known:
        return Check(name, UNKNOWN, f"The initial domain could not be read: {tenant.domain.reason}")
    domain: Domain = tenant.domain.value
    if not domain.managed:
        return Check(
            name, FAILED, f"The initial domain {domain.name} is federated: sign-in depends on another service."
        )
    return _about_user(name, account, lambda user: _on_domain(domain, user))


def _on_domain(domain: Domain, user: User) -> Judged:
    if user.name.rpartition("@")[2].lower() != domain.name.lower():
        return FAILED, f"It is called {user.name}, which is not on the initial domain {domain.name}."
    return PASSED, f"It is on the initial domain {domain.name}, whose users sign in at Microsoft."


def _password(domain: Fact, user: User) -> Judged:
    changed = f" It was changed last on {user.password_changed[:10]}." if user.password_changed else ""
    if never_expires(user.password_policies):
        return PASSED, f"Its password does not expire.{changed}"
    if not domain.known:
        return UNKNOWN, f"Its password may expire as its domain says, which could not be read: {domain.reason}"
    if domain.value.password_validity == PASSWORDS_NEVER_EXPIRE:
        return PASSED, f"No password of its domain expires, by a setting that can change.{changed}"
    return FAILED, f"Its password expires: DisablePasswordExpiration is not among its password policies.{changed}"


# The role


def _role(tenant: Tenant, account: Account, user: User) -> Judged:
    if not tenant.assignments.known:
        return UNKNOWN, f"Its roles could not be read: {tenant.assignments.reason}"
    try:
        return _standing(tenant, account, user)
    except UnexpectedShape as error:
        return UNKNOWN, f"Its roles could not be read: Graph's answer has an unexpected shape: {error}."


def _standing(tenant: Tenant, account: Account, user: User) -> Judged:
    holders = {
        text(item, "principalId").lower()
        for item in tenant.assignments.value
        if text(item, "roleDefinitionId").lower() == GLOBAL_ADMINISTRATOR
        and text(item, "directoryScopeId") == WHOLE_TENANT
    }
    through = _groups(account).one_of(holders)
    if user.id not in holders and through is None:
        return UNKNOWN, (
            f"It is not {GLOBAL_ADMINISTRATOR_NAME} itself; whether it is through a group could not be read: "
            f"{account.groups.reason}"
        )
    if not tenant.active.known:
        if user.id in holders or through:
            return (
                UNKNOWN,
                f"It is {GLOBAL_ADMINISTRATOR_NAME}, but for how long could not be read: {tenant.active.reason}",
            )
        return FAILED, f"It is not {GLOBAL_ADMINISTRATOR_NAME} at present."
    administrators = GlobalAdministrators(
        assignments=tenant.assignments.value,
        active=tenant.active.value or (),
        eligible=tenant.eligible.value or (),
        schedules=tenant.active.value is not None,
    )
    standing, evidence = administrators.standing_of(user.id)
    if standing == PERMANENT:
        how = "permanence is inferred, since no schedule is shown" if evidence == INFERRED else "permanently"
        return PASSED, f"It is {GLOBAL_ADMINISTRATOR_NAME}, active, {how}."
    if through:
        return _through_a_group(administrators)
    if standing == TIME_BOUND:
        return FAILED, f"It is {GLOBAL_ADMINISTRATOR_NAME} for a limited time only."
    if standing == ELIGIBLE:
        return FAILED, f"It is only eligible to be {GLOBAL_ADMINISTRATOR_NAME}; nobody may be there to approve."
    doubt = "" if tenant.eligible.known else f" Whether it is eligible could not be read: {tenant.eligible.reason}"
    return FAILED, f"It is not {GLOBAL_ADMINISTRATOR_NAME} of the whole tenant.{doubt}"


def _through_a_group(administrators: GlobalAdministrators) -> Judged:
    """With Privileged Identity Management the membership of a group may end, which is not read here."""
    if administrators.schedules:
        return UNKNOWN, (
            f"It is {GLOBAL_ADMINISTRATOR_NAME} through a group only, and whether its membership lasts is not known. "
            "Assign the role to the account itself."
        )
    return PASSED, (
        f"It is {GLOBAL_ADMINISTRATOR_NAME}, active, through a group; permanence is inferred, since no schedule is "
        "shown."
    )


# Conditional Access


def _groups(account: Account) -> Memberships:
    return Memberships(account.groups.value) if account.groups.known else Memberships(frozenset(), complete=False)


def _person(tenant: Tenant, account: Account) -> Person:
    user, groups = account.user.value, _groups(account)
    roles: set[str] = set()
    if tenant.assignments.known:
        roles = {
            text(item, "roleDefinitionId").lower()
            for item in tenant.assignments.value
            if text(item, "directoryScopeId") == WHOLE_TENANT
            and text(item, "principalId").lower() in {user.id, *groups.ids}
        }
    complete = tenant.assignments.known and groups.complete
    return Person(id=user.id, guest=user.guest, groups=groups, roles=Memberships(frozenset(roles), complete))


def _person_or_none(tenant: Tenant, account: Account) -> Person | None:
    try:
        return _person(tenant, account)
    except UnexpectedShape:
        return None


@dataclass(frozen=True)
class Reach:
    """Names of policies by what they do to an account; ``doubtful`` are not known to catch it nor to miss it."""

    catching: list[str]
    doubtful: list[str]
    not_excluding: list[str]


def _reach(tenant: Tenant, account: Account, is_meant: Callable[[Any], bool]) -> Reach:
    """Of the policies whose state is meant. Those about workload identities alone are about nobody."""
    found = Reach([], [], [])
    person = _person_or_none(tenant, account)
    for policy in tenant.policies.value:
        if is_meant(policy.get("state")) and not is_about_workloads(policy):
            name = _policy_name(policy)
            caught = _asked(catches, policy, person)
            if caught is not False:
                (found.catching if caught else found.doubtful).append(name)
            if _asked(excludes, policy, person) is not True:
                found.not_excluding.append(name)
    return Reach(sorted(found.catching), sorted(found.doubtful), sorted(found.not_excluding))


def _asked(question: Question, policy: Mapping[str, Any], person: Person | None) -> bool | None:
    try:
        return question(policy, person) if person else None
    except UnexpectedShape:
        return None


def _policy_name(policy: Mapping[str, Any]) -> str:
    return str(policy.get("displayName") or policy.get("id") or "a policy without a name")


def _enforced(tenant: Tenant, account: Account) -> tuple[list[str], list[str]]:
    """Policies that catch an account, and those that may. One in a state unknown to us may be enforced."""
    enabled = _reach(tenant, account, lambda state: state == ENABLED)
    odd = _reach(tenant, account, lambda state: state not in STATES)
    return enabled.catching, sorted(enabled.doubtful + odd.catching + odd.doubtful)


def policies_that_catch(tenant: Tenant, account: Account) -> list[str] | None:
    """Names of the enabled policies that catch an account; None when that is not known."""
    if not tenant.policies.known or not account.user.known or account.user.value is None:
        return None
    catching, doubtful = _enforced(tenant, account)
    return None if doubtful else catching


def _conditional_access(tenant: Tenant, account: Account) -> Judged:
    if not tenant.policies.known:
        return UNKNOWN, f"The Conditional Access policies could not be read: {tenant.policies.reason}"
    catching, doubtful = _enforced(tenant, account)
    later = _reach(tenant, account, lambda state: state == REPORT_ONLY).catching
    warning = f" Once enabled, these would catch it too: {quoted(later)}." if later else ""
    if catching:
        return FAILED, f"Enabled Conditional Access policies catch it: {quoted(catching)}.{warning}"
    if doubtful:
        unread = next((fact.reason for fact in (account.groups, tenant.assignments) if not fact.known), None)
        why = f" Not read: {unread}" if unread else ""
        said = f"Whether these Conditional Access policies catch it is unknown: {quoted(doubtful)}."
        return UNKNOWN, f"{said}{why}{warning}"
    return PASSED, f"No enabled Conditional Access policy catches it.{warning}"


def _excluded(tenant: Tenant, account: Account) -> Judged:
    """Microsoft asks for exclusion from every policy: one that misses the account today may catch it tomorrow."""
    if not tenant.policies.known:
        return UNKNOWN, f"The Conditional Access policies could not be read: {tenant.policies.reason}"
    missing = _reach(tenant, account, lambda state: state != DISABLED).not_excluding
    if not missing:
        return PASSED, "Every Conditional Access policy in use excludes it."
    if not _groups(account).complete:
        return UNKNOWN, f"Whether these policies exclude it is unknown, for its groups are: {account.groups.reason}"
    return FAILED, f"These Conditional Access policies do not exclude it: {quoted(missing)}."


def _exclusion_group(tenant: Tenant, account: Account) -> Judged:
    if not tenant.exclusion_group.known:
        return UNKNOWN, f"The exclusion group could not be read: {tenant.exclusion_group.reason}"
    groups = tenant.exclusion_group.value
    if not groups:
        return FAILED, "There is no such exclusion group in this tenant."
    if len(groups) > 1:
        return (
            UNKNOWN,
            f"{len(groups)} groups have the name of the exclusion group; give the id of the one that is meant.",
        )
    member = _groups(account).one_of([group.id for group in groups])
    if member is None:
        return UNKNOWN, f"Its groups could not be read: {account.groups.reason}"
    return (PASSED, "It is in the exclusion group.") if member else (FAILED, "It is not in the exclusion group.")


def _protected(tenant: Tenant) -> Judged:
    """Whoever is put into the group is out of reach of the policies that exclude it."""
    fact, policies = tenant.exclusion_group, tenant.policies
    if not fact.known:
        return UNKNOWN, f"The exclusion group could not be read: {fact.reason}"
    groups = fact.value or []
    if len(groups) != 1:
        return UNKNOWN, "Who can change the members of the exclusion group is unknown, for it is not clear which it is."
    group = groups[0]
    if group.public:
        return FAILED, f"The exclusion group is public, so anybody can join it. Make it private at once. {NEW_GROUP}"
    if group.protected:
        return PASSED, "Only highly privileged administrators can change the members of the exclusion group."
    if policies.known and not policies.value:
        return PASSED, "There are no Conditional Access policies to exclude its members from."
    said = "Its owners and every Groups Administrator can add members to the exclusion group"
    if not policies.known:
        return UNKNOWN, f"{said}; whether there are Conditional Access policies could not be read: {policies.reason}"
    return FAILED, f"{said}, who then escape the Conditional Access policies that exclude it. {NEW_GROUP}"


# Second factors


def grade_of(account: Account) -> second_factors.Grade:
    declared = account.declared
    return second_factors.grade(declared.second_factor, declared.attested, account.methods, account.certificate)


def _second_factor(tenant: Tenant, account: Account, user: User) -> Judged:
    grade = grade_of(account)
    if grade.name == second_factors.UNKNOWN:
        return UNKNOWN, grade.sentence
    if grade.name == second_factors.NONE:
        return FAILED, grade.sentence
    if grade.factors == {second_factors.TEMPORARY_ACCESS_PASS}:
        end = account.pass_end.value or "it ends"
        return FAILED, f"It has but a Temporary Access Pass, which does not last. Register the passkey before {end}."
    if not tenant.methods_policy.known:
        return UNKNOWN, f"{grade.sentence} Whether it may be used could not be read: {tenant.methods_policy.reason}"
    try:
        allowed = {factor: _is_allowed(tenant, account, user, factor) for factor in sorted(grade.factors)}
    except UnexpectedShape as error:
        said = f"{grade.sentence} Whether it may be used could not be read"
        return UNKNOWN, f"{said}: Graph's answer has an unexpected shape: {error}."
    refused = [factor for factor, answer in allowed.items() if answer is False]
    note = (
        f" The authentication methods policy does not let it use: {second_factors.listed(refused)}." if refused else ""
    )
    if second_factors.PASSKEY in refused:
        note += f" {PASSKEYS_REFUSED}"
    if any_of(allowed.values()) is None:
        return UNKNOWN, f"{grade.sentence} Whether the tenant's settings allow it cannot be told.{note}"
    return (PASSED if any_of(allowed.values()) else FAILED), f"{grade.sentence}{note}"


def _is_allowed(tenant: Tenant, account: Account, user: User, factor: str) -> bool | None:
    """Of passkeys, whether one of those that are registered may be used. Raises UnexpectedShape."""
    policy, groups = tenant.methods_policy.value, _groups(account)
    if factor != second_factors.PASSKEY:
        return second_factors.is_allowed(policy, factor, user.id, groups)
    if not account.passkeys.known:
        return None
    allowance = Allowance(policy, user.id, groups)
    return any_of([allowance.allows(passkey) for passkey in account.passkeys.value])


def _under_security_defaults(tenant: Tenant, account: Account) -> Check:
    """Essential unless the security defaults are known to be off."""
    check = _about_user(SECURITY_DEFAULTS, account, lambda user: _accepted(tenant, account, user))
    on = tenant.security_defaults
    if not on.known and check.state == FAILED:
        said = f"{check.sentence} Whether security defaults are on could not be read: {on.reason}"
        return Check(check.name, UNKNOWN, said)
    return check if not on.known or on.value else _advice(check)


def _accepted(tenant: Tenant, account: Account, user: User) -> Judged:
    """Security defaults take Microsoft Authenticator and codes of OATH applications. On passkeys, certificates and
    hardware tokens, Microsoft's pages contradict each other: only a drill with the defaults on tells."""
    drill, judged = account.declared.drill, _taken(tenant, account, user)
    if judged[0] == PASSED or not drill or not drill.enforcement or not drill.security_defaults:
        return judged
    if _drill(tenant, account).state != PASSED:
        return judged
    state, said = proof(tenant, account, user, drill)
    if state == PASSED:
        return PASSED, "A drill with security defaults on has proven its second factor."
    return (UNKNOWN if UNKNOWN in (state, judged[0]) else FAILED), f"{judged[1]} {said}"


def _taken(tenant: Tenant, account: Account, user: User) -> Judged:
    """Whether they take its second factor, without a drill."""
    declared, methods = account.declared, account.methods
    if methods.known and second_factors.AUTHENTICATOR_APP in methods.value:
        return PASSED, "Security defaults take Microsoft Authenticator, which it has."
    if second_factors.TOTP_TOKEN in {declared.second_factor, *declared.attested}:
        return _totp_token(tenant, account, user)
    grade = grade_of(account)
    if grade.name == second_factors.NONE:
        return FAILED, grade.sentence
    if grade.name == second_factors.UNKNOWN:
        return UNKNOWN, grade.sentence
    return UNKNOWN, (
        f"Whether security defaults take its second factor ({second_factors.listed(grade.factors)}) is told "
        "differently by Microsoft's own pages. Keep a TOTP token besides, in a safe, or prove it by a drill with the "
        "defaults on."
    )


def _totp_token(tenant: Tenant, account: Account, user: User) -> Judged:
    """One that the operator vouches for, and that Graph shows as software OATH token."""
    if not account.methods.known:
        return UNKNOWN, f"Whether its TOTP token is enrolled could not be read: {account.methods.reason}"
    if second_factors.TOTP_TOKEN not in account.methods.value:
        return FAILED, second_factors.NOT_ENROLLED
    if not tenant.methods_policy.known:
        return UNKNOWN, f"Whether it may use its TOTP token could not be read: {tenant.methods_policy.reason}"
    try:
        allowed = second_factors.is_allowed(
            tenant.methods_policy.value, second_factors.TOTP_TOKEN, user.id, _groups(account)
        )
    except UnexpectedShape as error:
        return UNKNOWN, f"Whether it may use its TOTP token could not be read: Graph's answer is unexpected: {error}."
    if allowed is None:
        return UNKNOWN, "Whether the tenant's settings allow its TOTP token cannot be told."
    if not allowed:
        return FAILED, "The authentication methods policy does not let it use its TOTP token."
    return PASSED, "Security defaults take its TOTP token."


def _different(account: Account, others: Others) -> Judged:
    grade = grade_of(account)
    if not grade.factors:
        return (FAILED if grade.name == second_factors.NONE else UNKNOWN), grade.sentence
    own = grade.factors - others.methods
    if not own:
        return FAILED, "Other Global Administrators use the same second factor, so one failure may shut out all."
    if others.unread:
        return UNKNOWN, f"What other Global Administrators use could not be read: {others.unread}"
    if others.count and own == {second_factors.CERTIFICATE}:
        return UNKNOWN, "Whether other Global Administrators use certificates too is not shown by Graph."
    return PASSED, (
        "No other Global Administrator uses this second factor."
        if others.count
        else "There are no other Global Administrators."
    )


# Use


def _last_sign_in(account: Account) -> Judged:
    if not account.sign_in.known:
        return UNKNOWN, f"The last sign-in could not be read: {account.sign_in.reason}"
    value = account.sign_in.value
    return PASSED, f"Its last sign-in was on {value[:10]}." if value else "No sign-in is recorded."


def _drill(tenant: Tenant, account: Account) -> Check:
    drill, name = account.declared.drill, "drill"
    if drill is None:
        return Check(name, FAILED, "No drill is recorded.")
    age = max(0, (tenant.today - drill.day).days)
    by = f" by {drill.by}" if drill.by else ""
    said = f"The last drill{by} was on {drill.day.isoformat()}, {counted(age, 'day', 'days')} ago"
    if age > tenant.drill_max_age_days:
        return Check(name, FAILED, f"{said}; at most {tenant.drill_max_age_days} days are allowed.")
    user: User | None = account.user.value
    if user and user.created and drill.day < user.created:
        return Check(
            name,
            FAILED,
            f"{said}; it was of an earlier account of this name, for this one was created on "
            f"{user.created.isoformat()} (UTC). Do a drill with this one.",
        )
    if _is_contradicted(tenant.today, drill, account.sign_in):
        return Check(name, FAILED, f"{said}, but Entra has recorded no sign-in of the account since then.")
    if not drill.enforcement:
        return Check(name, PASSED, f"{said}, without MFA enforced, which proves little.")
    state, why = proof(tenant, account, user, drill) if user else (PASSED, "")
    return Check(name, PASSED, f"{said}, with MFA enforced." + ("" if state == PASSED else f" {why}"))


def proof(tenant: Tenant, account: Account, user: User, drill: Drill) -> Judged:
    """Whether a drill was done with a second factor that the account has still, and may use. A passkey that was
    registered after it is another one. A Temporary Access Pass does not last."""
    if not drill.methods:
        return FAILED, NO_METHOD_NAMED
    methods, factors = account.methods, grade_of(account).factors
    owned = methods.value | factors if methods.known else frozenset().union(*second_factors.MEANINGS.values())
    proven = (second_factors.used(drill.methods, owned) & factors) - {second_factors.TEMPORARY_ACCESS_PASS}
    if not proven:
        seen = methods.known and account.certificate.known
        return (FAILED if seen else UNKNOWN), (
            f"The drill was done with {quoted(list(drill.methods))}, which is not known to be a second factor that the "
            "account has now, so it proves none. Do a drill with the one that it has."
        )
    if not tenant.methods_policy.known:
        return UNKNOWN, f"Whether the drill proves what it may use could not be read: {tenant.methods_policy.reason}"
    then = replace(account, passkeys=_there_on(account.passkeys, drill.day))
    try:
        allowed = any_of([_is_allowed(tenant, then, user, factor) for factor in proven])
    except UnexpectedShape as error:
        return UNKNOWN, f"Whether the drill proves what it may use could not be read: {error}."
    if allowed is None:
        return UNKNOWN, "Whether the drill proves what it may use cannot be told."
    if allowed:
        return PASSED, "It proves a second factor that the account has."
    return FAILED, (
        f"The drill was done with {second_factors.listed(proven)}, but what the account has of it was registered "
        "later, or may not be used. Do a drill with the second factor that it has."
    )


def _there_on(passkeys: Fact, day: date) -> Fact:
    """Those of which it is known that they were registered by then."""
    if not passkeys.known:
        return passkeys
    dated = [(day_of(str(one.get("createdDateTime"))), one) for one in passkeys.value]
    return known([one for created, one in dated if created and created <= day])


def _is_contradicted(today: date, drill: Drill, sign_in: Fact) -> bool:
    """Whether Entra knows better than the operator."""
    if not sign_in.known or today - drill.day < LATENESS_OF_SIGN_INS:
        return False
    latest = day_of(sign_in.value) if sign_in.value else None
    return sign_in.value is None or (latest is not None and latest < drill.day - timedelta(days=1))
