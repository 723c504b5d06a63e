# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the logs of Entra tell about some accounts (private to the collection). Pure functions.

Sources: the Graph reference of signIn (v1.0 and beta) and directoryAudit; Microsoft's page "Microsoft Entra data
retention": 7 days without a licence, 30 days with P1 or P2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from .facts import UnexpectedShape, objects, optional_text, text
from .second_factors import meant

KEPT_WITHOUT_LICENCE = timedelta(days=7)
KEPT_WITH_LICENCE = timedelta(days=30)

LICENCE, RETENTION, REFUSED = "licence", "retention", "refused"
PRESENT, DELETED, MISSING, BY_ID = "present", "deleted", "missing", "by_id"
# Microsoft's page "Microsoft Entra data retention": the audit log is there without a licence, the sign-in logs with P1.
NOT_FOR_A_LICENCE = (
    "A missing licence does not explain this, so the log counts as not read: run it again, and if that does not help, "
    "look at the log in the Microsoft Entra admin center."
)
INTERACTIVE, NON_INTERACTIVE = "interactive", "non_interactive"
APPLICATION, USER, UNKNOWN = "application", "user", "unknown"

MULTI_FACTOR, SINGLE_FACTOR = "multiFactorAuthentication", "singleFactorAuthentication"
# Methods of authenticationDetails that are two factors by themselves; in English, however the tenant is set.
TWO_FACTORS_AT_ONCE = ("passkey", "fido2", "windows hello")
# How additionalDetails begins where MFA took place, now or for the session. Others begin likewise: denied, skipped.
MFA_DONE = ("mfa completed", "mfa successfully completed", "mfa requirement satisfied")
MFA_SKIPPED = "mfa requirement skipped"

# What Python 3.10 does not take: the seven digits that Graph writes, and the letter.
_FRACTION = re.compile(r"^([^.]*)\.\d*([^.]*)$")
_ZULU = re.compile(r"[Zz]$")


def moment(written: str) -> datetime:
    """A date and time as people or Graph write it; without an offset it is UTC. Raises ValueError."""
    whole = _FRACTION.sub(r"\1\2", written.strip())
    found = datetime.fromisoformat(_ZULU.sub("+00:00", whole))
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def stamp(when: datetime) -> str:
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Account:
    """An account by its object id, in lower case, and what it is called. Only a missing one has no id."""

    asked: str
    id: str | None
    name: str
    found: str

    def as_result(self) -> dict[str, Any]:
        return {"asked": self.asked, "id": self.id, "user_principal_name": self.name, "found": self.found}


@dataclass(frozen=True)
class Log:
    """What a log tells. ``entries`` is None where nothing of it could be read. It is incomplete where ``reason`` says
    why; ``cause`` is then one word for that."""

    entries: list[dict[str, Any]] | None
    reason: str | None = None
    cause: str | None = None

    @property
    def complete(self) -> bool:
        return self.reason is None

    def as_result(self) -> dict[str, Any]:
        return {
            "completeness": "known" if self.complete else "unknown",
            "value": self.entries,
            "reason": self.reason,
            "cause": self.cause,
        }


def refused(message: str, *, for_licence: bool, excused: bool) -> Log:
    """A log of which nothing could be read. ``for_licence``: Graph says that a licence is missing. That excuses only
    where it can be true (``excused``): the logs of sign-ins need one, both the same; that of changes needs none."""
    if not for_licence:
        return Log(None, message, REFUSED)
    return Log(None, message, LICENCE) if excused else Log(None, f"{message} {NOT_FOR_A_LICENCE}", REFUSED)


def beyond_retention(since: datetime, now: datetime, licensed: bool) -> str | None:
    """Why a log cannot tell of the whole time, where it is not kept so long."""
    kept = KEPT_WITH_LICENCE if licensed else KEPT_WITHOUT_LICENCE
    if since >= now - kept:
        return None
    return (
        f"The log is kept for {kept.days} days: what happened between {stamp(since)} and {stamp(now - kept)} cannot "
        "be read any more."
    )


# Sign-ins


def merged(plain: Iterable[Mapping[str, Any]], detailed: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each entry once, with what the more telling interface says of it. Raises UnexpectedShape."""
    found: dict[str, Mapping[str, Any]] = {}
    for entry in (*plain, *detailed):
        identity = text(entry, "id")
        found[identity] = {**found.get(identity, {}), **entry}
    return list(found.values())


def is_interactive(entry: Mapping[str, Any]) -> bool:
    """v1.0 lists interactive ones only, and beta says which are which."""
    types = entry.get("signInEventTypes")
    return not isinstance(types, list) or not types or "interactiveUser" in types


def sign_in(entry: Mapping[str, Any], accounts: Mapping[str, Account], reported: frozenset[str]) -> dict[str, Any]:
    """One entry of the sign-in log. Raises UnexpectedShape."""
    status = entry.get("status")
    code = status.get("errorCode") if isinstance(status, Mapping) else None
    if not isinstance(status, Mapping) or isinstance(code, bool) or not isinstance(code, int):
        raise UnexpectedShape("'status' does not say how a sign-in ended")
    account = accounts.get(text(entry, "userId").lower())
    if account is None:
        raise UnexpectedShape("a sign-in is of another user than was asked for")
    place = entry.get("location")
    place = place if isinstance(place, Mapping) else {}
    found = {
        "id": text(entry, "id"),
        "time": text(entry, "createdDateTime"),
        "account": account.id,
        "user_principal_name": account.name,
        "kind": INTERACTIVE if is_interactive(entry) else NON_INTERACTIVE,
        "outcome": "success" if code == 0 else "failure",
        "error_code": code,
        "failure_reason": None if code == 0 else _optional(status, "failureReason"),
        "mfa": _mfa(entry, status) if code == 0 else False,
        "methods": _methods(entry),
        "second_factors": sorted(meant(_methods(entry))),
        "application": _optional(entry, "appDisplayName") or _optional(entry, "appId"),
        "client": _optional(entry, "clientAppUsed"),
        "ip_address": _optional(entry, "ipAddress"),
        "city": _optional(place, "city"),
        "country": _optional(place, "countryOrRegion"),
        "reported": text(entry, "id") in reported,
    }
    return {**found, "sentence": _sign_in_sentence(found)}


def _optional(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    return value if isinstance(value, str) and value else None


def _steps(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The steps that succeeded, which only beta tells."""
    details = entry.get("authenticationDetails")
    steps = details if isinstance(details, list) else []
    return [step for step in steps if isinstance(step, Mapping) and step.get("succeeded") is True]


def _methods(entry: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(name for step in _steps(entry) if (name := _optional(step, "authenticationMethod"))))


def _mfa(entry: Mapping[str, Any], status: Mapping[str, Any]) -> bool | None:
    """Whether a successful sign-in was one with two factors; None where the log does not tell."""
    if any(name.lower().startswith(TWO_FACTORS_AT_ONCE) for name in _methods(entry)):
        return True
    details = (_optional(status, "additionalDetails") or "").lower()
    if details.startswith(MFA_SKIPPED):
        return False
    if entry.get("authenticationRequirement") == MULTI_FACTOR or details.startswith(MFA_DONE):
        return True
    return False if entry.get("authenticationRequirement") == SINGLE_FACTOR else None


def _sign_in_sentence(found: Mapping[str, Any]) -> str:
    how = "" if found["kind"] == INTERACTIVE else " non-interactively"
    where = f" to {found['application']}" if found["application"] else ""
    place = ", ".join(part for part in (found["city"], found["country"]) if part)
    source = f" from {found['ip_address']}" if found["ip_address"] else " from an unknown address"
    source += f" ({place})" if place else ""
    if found["outcome"] == "success":
        factors = {True: ", with MFA", False: ", without MFA", None: ""}[found["mfa"]]
        return f"{found['time']}: {found['user_principal_name']} signed in{how}{where}{source}{factors}."
    why = f"{found['error_code']}" + (f" {found['failure_reason']}" if found["failure_reason"] else "")
    return f"{found['time']}: {found['user_principal_name']} failed to sign in{how}{where}{source}: {why.rstrip('.')}."


# Changes of the directory


@dataclass(frozen=True)
class Self:
    """The application that looks: its client id and the id of its service principal, in lower case, where known."""

    client_id: str
    object_id: str


def change(
    entry: Mapping[str, Any],
    accounts: Mapping[str, Account],
    reported: frozenset[str],
    expected: frozenset[str],
    own: Self,
) -> dict[str, Any]:
    """One entry of the directory audit log. ``expected`` are ids in lower case. Raises UnexpectedShape."""
    by = _initiator(entry, own)
    targets = objects(entry, "targetResources")
    ids = {identity.lower() for item in targets if (identity := _optional(item, "id"))}
    targeted = [account.name for identity, account in accounts.items() if identity in ids]
    did_it = accounts.get(str(by["id"]).lower())
    if not targeted and did_it is None:
        raise UnexpectedShape("a change is of another object than was asked for")
    found = {
        "id": text(entry, "id"),
        "time": text(entry, "activityDateTime"),
        "activity": text(entry, "activityDisplayName"),
        "result": optional_text(entry, "result"),
        "accounts": targeted,
        "by_account": did_it is not None,
        "initiator": by,
        "others": [
            name
            for item in targets
            if str(_optional(item, "id")).lower() not in accounts
            and (name := _optional(item, "displayName") or _optional(item, "userPrincipalName"))
        ],
        "reported": text(entry, "id") in reported,
        "expected": _is_expected(by, expected, own),
    }
    return {**found, "sentence": _change_sentence(found)}


def _initiator(entry: Mapping[str, Any], own: Self) -> dict[str, Any]:
    by = entry.get("initiatedBy")
    by = by if isinstance(by, Mapping) else {}
    application, user = by.get("app"), by.get("user")
    if isinstance(user, Mapping) and _optional(user, "id"):
        return {
            "type": USER,
            "id": _optional(user, "id"),
            "application_id": None,
            "name": _optional(user, "userPrincipalName") or _optional(user, "displayName"),
            "ip_address": _optional(user, "ipAddress"),
            "own": False,
        }
    if isinstance(application, Mapping):
        identity, client = _optional(application, "servicePrincipalId"), _optional(application, "appId")
        return {
            "type": APPLICATION,
            "id": identity,
            "application_id": client,
            "name": _optional(application, "displayName") or _optional(application, "servicePrincipalName"),
            "ip_address": None,
            "own": bool(identity and identity.lower() == own.object_id)
            or bool(client and client.lower() == own.client_id),
        }
    return dict.fromkeys(("id", "application_id", "name", "ip_address")) | {"type": UNKNOWN, "own": False}


def _is_expected(by: Mapping[str, Any], expected: frozenset[str], own: Self) -> bool:
    """The log often leaves out the client id of an application; that of the one that looks is known all the same."""
    names = {str(by[key]).lower() for key in ("id", "application_id") if by[key]}
    return bool(names & expected) or (by["own"] and own.client_id in expected)


def _change_sentence(found: Mapping[str, Any]) -> str:
    by = found["initiator"]
    name = by["name"] or by["id"] or by["application_id"] or "somebody whom the log does not name"
    named = by["id"] or by["application_id"]
    kind = {APPLICATION: "the application ", USER: "", UNKNOWN: ""}[by["type"]]
    who = f"{kind}{name}" + (f" ({named})" if named and named != name else "")
    source = f" from {by['ip_address']}" if by["ip_address"] else ""
    about = (
        f" about {', '.join([*found['accounts'], *found['others']])}" if found["accounts"] or found["others"] else ""
    )
    result = "" if found["result"] in (None, "success") else f", which ended in {found['result']}"
    return f"{found['time']}: '{found['activity']}'{about}, by {who}{source}{result}."


# The whole


def newest_last(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each once, by time."""
    by_id = {str(entry["id"]): dict(entry) for entry in entries}
    return sorted(by_id.values(), key=lambda entry: (str(entry["time"]), str(entry["id"])))


def news(*logs: Log) -> list[dict[str, Any]]:
    """What was neither reported before nor expected, by time."""
    return newest_last(
        entry for log in logs for entry in log.entries or () if not entry["reported"] and not entry.get("expected")
    )


def seen(found: Sequence[Any], accounts: Iterable[Account], *logs: Log) -> bool | None:
    """Whether there is news; None where there is none that could be read."""
    if found:
        return True
    whole = all(log.complete for log in logs) and all(account.id for account in accounts)
    return False if whole else None
