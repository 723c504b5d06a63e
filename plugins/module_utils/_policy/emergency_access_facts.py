# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of declared emergency accounts and their tenant (private to the collection). Pure values.

Sources: the Graph reference of user, domain and signInActivity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from .emergency_accounts import is_public
from .facts import Fact, UnexpectedShape, boolean, optional_boolean, optional_text, text

MANAGED = "Managed"
GUEST = "Guest"
GUEST_MARK = "#ext#"


@dataclass(frozen=True)
class Drill:
    """A rehearsal by the operator's word. ``enforcement``: MFA was enforced for everybody at the time;
    ``security_defaults``: by the security defaults. ``methods``: with what, in the words of the sign-in log or ours."""

    day: date
    enforcement: bool
    by: str
    security_defaults: bool = False
    methods: tuple[str, ...] = ()


@dataclass(frozen=True)
class Declared:
    """An account that the operator calls an emergency account, by its whole user principal name."""

    user_principal_name: str
    second_factor: str | None
    attested: frozenset[str]
    drill: Drill | None


@dataclass(frozen=True)
class User:
    """``name`` is the user principal name. ``password_changed`` is Graph's date and time. ``created``: the day by UTC,
    None for one of before June 2018."""

    id: str
    name: str
    enabled: bool
    guest: bool
    synchronised: bool | None
    password_policies: str | None
    password_changed: str | None
    created: date | None


@dataclass(frozen=True)
class Domain:
    """``password_validity``: days until passwords of this domain expire; None where Graph does not say."""

    name: str
    managed: bool
    password_validity: int | None


@dataclass(frozen=True)
class Group:
    """``public``: anybody can join it. ``protected``: only highly privileged administrators, or those of its restricted
    management administrative unit, can change its members."""

    id: str
    public: bool
    protected: bool


@dataclass(frozen=True)
class Tenant:
    """What is the same for all accounts, each known or unknown.

    ``domain``: the initial Domain. ``policies``: Conditional Access policies. ``assignments``: role assignments, with
    their principals. ``active``, ``eligible``: instances of the schedules of Global Administrators; a known None means
    that the licence has no schedules. ``methods_policy``: the authentication methods policy. ``exclusion_group``: the
    Groups of that name or id, or None where no group was asked about. ``security_defaults``: whether they are on.
    """

    domain: Fact
    policies: Fact
    assignments: Fact
    active: Fact
    eligible: Fact
    methods_policy: Fact
    exclusion_group: Fact
    security_defaults: Fact
    drill_max_age_days: int
    today: date


@dataclass(frozen=True)
class Account:
    """What Graph shows of one declared account.

    ``user``: a User, or a known None for one who is not there. ``groups``: ids in lower case, transitively.
    ``methods``: second_factors.registered_methods, ``passkeys``: registered_passkeys, ``pass_end``: end_of_pass.
    ``certificate``: whether ids of certificates are bound.
    ``sign_in``: date and time of the last sign-in, a known None for no sign-in.
    """

    declared: Declared
    user: Fact
    groups: Fact
    methods: Fact
    passkeys: Fact
    pass_end: Fact
    certificate: Fact
    sign_in: Fact


@dataclass(frozen=True)
class Others:
    """Second factors of the other Global Administrators. ``unread`` says why there may be more of them."""

    count: int
    methods: frozenset[str]
    unread: str | None


def user_of(item: Mapping[str, Any]) -> User:
    """Raises UnexpectedShape."""
    name = text(item, "userPrincipalName")
    return User(
        id=text(item, "id").lower(),
        name=name,
        enabled=boolean(item, "accountEnabled"),
        guest=optional_text(item, "userType") == GUEST or GUEST_MARK in name.lower(),
        synchronised=optional_boolean(item, "onPremisesSyncEnabled"),
        password_policies=optional_text(item, "passwordPolicies"),
        password_changed=optional_text(item, "lastPasswordChangeDateTime"),
        created=_created(item),
    )


def _created(item: Mapping[str, Any]) -> date | None:
    """Null is documented for accounts of before June 2018 only, so it is no gap in what is known."""
    stamp = optional_text(item, "createdDateTime")
    if stamp is None:
        return None
    day = day_of(stamp)
    if day is None:
        raise UnexpectedShape("'createdDateTime' is no date and time")
    return day


def initial_domain(domains: Iterable[Mapping[str, Any]]) -> Domain:
    """Raises UnexpectedShape unless one domain is the initial one."""
    found = [domain for domain in domains if boolean(domain, "isInitial")]
    if len(found) != 1:
        raise UnexpectedShape(f"{len(found)} domains are the initial one instead of one")
    days = found[0].get("passwordValidityPeriodInDays")
    return Domain(
        name=text(found[0], "id"),
        managed=text(found[0], "authenticationType") == MANAGED,
        password_validity=days if isinstance(days, int) else None,
    )


def group_of(item: Mapping[str, Any]) -> Group:
    """Raises UnexpectedShape."""
    marks = [optional_boolean(item, name) is True for name in ("isAssignableToRole", "isManagementRestricted")]
    return Group(id=text(item, "id").lower(), public=is_public(item), protected=any(marks))


def groups_of(items: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Raises UnexpectedShape."""
    return frozenset(text(item, "id").lower() for item in items if text(item, "@odata.type").endswith(".group"))


def last_sign_in(user: Mapping[str, Any]) -> str | None:
    """The last successful sign-in, or where Graph does not tell it, the last attempt. Raises UnexpectedShape."""
    activity = user.get("signInActivity")
    if activity is None:
        return None
    successful = activity.get("lastSuccessfulSignInDateTime") if isinstance(activity, Mapping) else None
    return successful if isinstance(successful, str) else optional_text(activity, "lastSignInDateTime")


def day_of(stamp: str) -> date | None:
    """The day of one of Graph's dates and times."""
    try:
        return date.fromisoformat(stamp[:10])
    except ValueError:
        return None


def drill_day(written: str, latest: date) -> tuple[date | None, str]:
    """The day that an operator wrote, or None and why it cannot be."""
    try:
        day = date(*(int(part) for part in written.split("-"))) if _looks_like_a_day(written) else None
    except ValueError:
        day = None
    if day is None:
        return None, f"'{written}' is no date: write the day of a drill as YYYY-MM-DD."
    if day > latest:
        return None, f"A drill on {written} lies in the future."
    return day, ""


def _looks_like_a_day(written: str) -> bool:
    return [len(part) for part in written.split("-") if part.isascii() and part.isdigit()] == [4, 2, 2]
