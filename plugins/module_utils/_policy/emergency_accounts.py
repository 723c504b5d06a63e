# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Entra and Microsoft's guidance ask of an emergency account (private to the collection). Pure functions.

Sources: Microsoft's pages "Manage emergency access accounts", "Self-service password reset policies" (passwords and
user principal names), "Restricted management administrative units", and the Graph reference of group and of role
assignment schedule instances. That the names of an account must not stand in its password, and that a blank is no
symbol, is the careful reading of these pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .facts import UnexpectedShape, boolean, optional_boolean, optional_text, text
from .roles import GLOBAL_ADMINISTRATOR

LONGEST_NAME = 113
LONGEST_LOCAL_PART = 64
LONGEST_DOMAIN = 48
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 256
CLASSES_WANTED = 3
SHORTEST_NAME_IN_PASSWORD = 4
WHOLE_TENANT = "/"
NEVER_EXPIRES = "DisablePasswordExpiration"
PUBLIC = "Public"

_LOCAL_PART = re.compile(r"[A-Za-z0-9'.\-_!#^~]+")
_CLASSES = tuple(re.compile(pattern) for pattern in (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9 ]"))
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_BETWEEN_WORDS = re.compile(r"[^A-Za-z0-9]+")

PERMANENT, TIME_BOUND, ELIGIBLE, NONE, UNKNOWN = "permanent", "time_bound", "eligible", "none", "unknown"
READ, INFERRED = "read", "inferred"


def name_refusal(name: str) -> str | None:
    """Why Entra would not take this name of an account, whole or without its domain; None when it would."""
    local_part, at, domain = name.partition("@")
    if not _LOCAL_PART.fullmatch(local_part):
        return (
            f"'{name}' cannot be a user principal name: before the @ there must be letters A-Z, digits, and the "
            "characters ' . - _ ! # ^ ~ only."
        )
    if local_part.endswith("."):
        return f"'{name}' cannot be a user principal name: there must be no dot right before the @."
    if at and (not domain or "@" in domain):
        return f"'{name}' cannot be a user principal name: it needs one @, with a domain after it."
    if len(local_part) > LONGEST_LOCAL_PART or len(domain) > LONGEST_DOMAIN or len(name) > LONGEST_NAME:
        return (
            f"'{name}' is too long for a user principal name: Entra allows {LONGEST_LOCAL_PART} characters before the "
            f"@, {LONGEST_DOMAIN} after it, and {LONGEST_NAME} together."
        )
    return None


def domain_refusal(name: str, initial_domain: str) -> str | None:
    """Why an account of this name cannot be an emergency account of the tenant with this initial domain."""
    _local_part, at, domain = name.partition("@")
    if at and domain.casefold() != initial_domain.casefold():
        return (
            f"'{name}' is not on the tenant's initial domain {initial_domain}. An emergency account belongs there: it "
            "must work when other domains or their federation do not."
        )
    return name_refusal(f"{local_part_of(name)}@{initial_domain}")


def local_part_of(name: str) -> str:
    return name.partition("@")[0]


def password_refusal(password: str, names: Iterable[str]) -> str | None:
    """Why Entra would not take this password of an account with these names; None when it would.

    The sentence does not hold any part of the password. Microsoft's list of banned passwords is known to Entra only.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return f"The password must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
    if not _PRINTABLE.fullmatch(password):
        return "The password must hold printable ASCII characters only: Entra takes no others."
    if sum(bool(pattern.search(password)) for pattern in _CLASSES) < CLASSES_WANTED:
        return (
            f"The password must hold characters of {CLASSES_WANTED} of these 4 classes: lower case, upper case, "
            "digits, symbols."
        )
    lowered = password.casefold()
    for name in names:
        for word in {name, *_BETWEEN_WORDS.split(name)}:
            if len(word) >= SHORTEST_NAME_IN_PASSWORD and word.casefold() in lowered:
                return "The password must not hold the account's name, or a word of it."
    return None


def never_expires(password_policies: str | None) -> bool:
    return NEVER_EXPIRES in _policies(password_policies)


def with_never_expires(password_policies: str | None) -> str:
    """The same policies and the one that a password does not expire, as Graph writes them."""
    policies = _policies(password_policies)
    return ", ".join(policies if NEVER_EXPIRES in policies else [NEVER_EXPIRES, *policies])


def _policies(password_policies: str | None) -> list[str]:
    policies = [policy.strip() for policy in (password_policies or "").split(",")]
    return [policy for policy in policies if policy not in ("", "None")]


def kind_refusal(user: Mapping[str, Any], name: str) -> str | None:
    """Why this user cannot be an emergency account. Raises UnexpectedShape.

    ``onPremisesSyncEnabled`` false is a user who was synchronised once and is no more.
    """
    if optional_boolean(user, "onPremisesSyncEnabled") is True:
        return (
            f"{name} is synchronised from on-premises Active Directory. An emergency account must be cloud-only: "
            "choose another name."
        )
    if optional_text(user, "userType") not in (None, "Member"):
        return f"{name} is a guest. An emergency account must be a member of the tenant: choose another name."
    return None


def is_public(group: Mapping[str, Any]) -> bool:
    """Whether anybody can join a group. Raises UnexpectedShape."""
    return optional_text(group, "visibility") == PUBLIC


def group_refusal(group: Mapping[str, Any]) -> str | None:
    """Why an account cannot be put into this group by an application, or not for good. Raises UnexpectedShape."""
    name = text(group, "displayName")
    types = group.get("groupTypes")
    if not isinstance(types, list):
        raise UnexpectedShape("'groupTypes' is no list")
    if not boolean(group, "securityEnabled"):
        return f"The group '{name}' is not security-enabled."
    if "DynamicMembership" in types:
        return f"The members of the group '{name}' come from a rule: nobody can be added."
    if optional_boolean(group, "onPremisesSyncEnabled") is True:
        return f"The group '{name}' is synchronised from on-premises Active Directory: its members are changed there."
    if boolean(group, "mailEnabled") and "Unified" not in types:
        return f"The group '{name}' is a mail-enabled security group, whose members Graph cannot change."
    if is_public(group):
        return (
            f"The group '{name}' is public: anybody can join it, and escape the policies that exclude it. Make a new "
            "security group for the emergency accounts, to which roles can be assigned."
        )
    return None


def unit_refusal(unit: Mapping[str, Any]) -> str | None:
    """Why an account cannot be protected by this administrative unit. Raises UnexpectedShape."""
    name = text(unit, "displayName")
    if optional_boolean(unit, "isMemberManagementRestricted") is not True:
        return (
            f"The administrative unit '{name}' is not a restricted management one, so it protects nothing. That can be "
            "chosen only when a unit is created."
        )
    if unit.get("membershipType") == "Dynamic":
        return f"The members of the administrative unit '{name}' come from a rule: nobody can be added."
    return None


def was_called(deleted_user: Mapping[str, Any], name: str) -> bool:
    """Whether a deleted user had this principal name: since then, it has the id without dashes in front (reported by
    users). Raises UnexpectedShape."""
    now = text(deleted_user, "userPrincipalName").casefold()
    renamed = text(deleted_user, "id").replace("-", "") + name
    return now in (name.casefold(), renamed.casefold())


Objects = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class GlobalAdministrators:
    """What Graph shows of the Global Administrators: their role assignments, with the principals, and the instances of
    the schedules that make them active or eligible. ``schedules`` is False where the tenant has no licence for them.
    """

    assignments: Objects
    active: Objects = ()
    eligible: Objects = ()
    schedules: bool = True

    def standing_of(self, principal: str) -> tuple[str, str]:
        """How a user is Global Administrator of the whole tenant, and whether that was read or inferred.

        A role assignment has no end of its own: ends come from schedules alone. So where there are none to see, an
        active assignment counts as permanent, inferred. Raises UnexpectedShape.
        """
        assigned = any(
            _is(item, principal) and text(item, "roleDefinitionId").lower() == GLOBAL_ADMINISTRATOR
            for item in self.assignments
        )
        if not self.schedules:
            return (PERMANENT if assigned else NONE), INFERRED
        active = [item for item in self.active if _is(item, principal) and text(item, "memberType") == "Direct"]
        if assigned and not active:
            return PERMANENT, INFERRED
        if assigned and any(_lasts(item) for item in active):
            return PERMANENT, READ
        if active:
            return TIME_BOUND, READ
        return (ELIGIBLE if any(_is(item, principal) for item in self.eligible) else NONE), READ

    def users(self) -> dict[str, str]:
        """Principal names by id of the users who hold the role directly, for the whole tenant.

        An assignment that does not show its principal, as of a deleted one, is nobody's. Raises UnexpectedShape.
        """
        found = {}
        for item in self.assignments:
            principal = item.get("principal")
            if not isinstance(principal, Mapping) or text(item, "directoryScopeId") != WHOLE_TENANT:
                continue
            if text(principal, "@odata.type") == "#microsoft.graph.user":
                found[text(principal, "id")] = text(principal, "userPrincipalName")
        return found


def _is(item: Mapping[str, Any], principal: str) -> bool:
    same = text(item, "principalId").lower() == principal.lower()
    return same and text(item, "directoryScopeId") == WHOLE_TENANT


def _lasts(item: Mapping[str, Any]) -> bool:
    return text(item, "assignmentType") == "Assigned" and optional_text(item, "endDateTime") is None


def can_sign_in_without_help(user: Mapping[str, Any], federated: Iterable[str]) -> bool:
    """Whether an administrator can sign in when on-premises systems are down: enabled, a cloud-only member, on a domain
    that Entra itself signs in. Raises UnexpectedShape."""
    domain = text(user, "userPrincipalName").rpartition("@")[2].casefold()
    return (
        boolean(user, "accountEnabled")
        and kind_refusal(user, "") is None
        and domain not in {name.casefold() for name in federated}
    )


RESTRICTED_MANAGEMENT = (
    "In the restricted management administrative unit '{unit}', only roles that are assigned at this unit allow to "
    "change, disable or delete the account or to set its password. Global Administrators and applications with "
    "permissions alone cannot; nobody can set the password of a Global Administrator who is in it. Whoever must, takes "
    "the account out of the unit first."
)
ADMINISTRATOR = (
    "As a Global Administrator the account is out of reach of applications without a directory role: to set its "
    "password, disable, delete or restore it, an application needs the role Privileged Authentication Administrator."
)
UNDER_RESTRICTED_MANAGEMENT = (
    "{name} is under restricted management already: Graph refuses to change it, unless the application has a role that "
    "is assigned at its administrative unit."
)
