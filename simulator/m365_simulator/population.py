# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generated people and accounts: guests, synchronised users, shared mailboxes, rooms, devices, service accounts,
administrators, per-user MFA, registrations.

Whatever was here first is drawn from the source `rng`, what came later from `facts`: so the ids of a seed stay.
"""

from __future__ import annotations

import random
import re
import unicodedata
from bisect import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from m365_simulator.clock import days_before
from m365_simulator.names import (
    DEPARTMENTS,
    DEVICES,
    GIVEN_NAMES,
    MAILBOXES,
    OFFICES,
    PARTNERS,
    ROOMS,
    SERVICES,
    SURNAMES,
)
from m365_simulator.words import words

REGISTRABLE_METHODS = words(
    """
    microsoftAuthenticatorPush microsoftAuthenticatorPasswordless softwareOneTimePasscode mobilePhone
    alternateMobilePhone officePhone email fido2SecurityKey passKeyDeviceBound windowsHelloForBusiness
    """
)
"""What Graph can show as a method of a user here, in the words of the registration report."""

REGISTERED_METHODS: tuple[tuple[tuple[str, ...], float], ...] = (
    (("microsoftAuthenticatorPush",), 40),
    (("microsoftAuthenticatorPush", "mobilePhone"), 25),
    (("mobilePhone",), 15),
    (("softwareOneTimePasscode",), 8),
    (("microsoftAuthenticatorPush", "softwareOneTimePasscode"), 6),
    (("passKeyDeviceBound", "microsoftAuthenticatorPush"), 4),
    (("windowsHelloForBusiness", "microsoftAuthenticatorPush"), 2),
)
"""What those who registered anything have registered, with weights, unless the scenario says otherwise."""

ADMINISTRATORS: tuple[tuple[tuple[str, ...], float], ...] = (
    (("Helpdesk Administrator",), 14),
    (("User Administrator",), 14),
    (("Exchange Administrator",), 8),
    (("SharePoint Administrator",), 5),
    (("Exchange Administrator", "SharePoint Administrator"), 5),
    (("Security Administrator",), 5),
    (("Conditional Access Administrator",), 3),
    (("Authentication Administrator",), 4),
    (("Authentication Policy Administrator",), 2),
    (("Privileged Role Administrator",), 2),
    (("Privileged Authentication Administrator",), 1),
    (("Application Administrator",), 4),
    (("Cloud Application Administrator",), 2),
    (("Password Administrator",), 2),
    (("Billing Administrator",), 4),
    (("Global Administrator",), 5),
    (("Global Reader",), 6),
    (("Security Reader",), 4),
    (("Security Operator",), 2),
    (("Reports Reader",), 6),
    (("Intune Administrator",), 4),
    (("License Administrator",), 4),
    (("Guest Inviter",), 3),
    (("Directory Readers",), 3),
    (("User Administrator", "License Administrator"), 4),
)
"""Roles of generated administrators, with weights. Some are none of the sixteen that security defaults watch."""

LEGACY_PROTOCOLS = ("Authenticated SMTP", "IMAP4", "POP3", "Exchange ActiveSync", "Other clients")
"""What the sign-in log calls the clients of legacy authentication."""

PENDING_GUESTS = 0.12
"""How many guests never accepted the invitation."""

ACCOUNT_KINDS = ("member", "guest", "synced", "service", "shared", "room", "device", "sync")
PEOPLE = ("member", "guest", "synced")


@dataclass(frozen=True)
class Place:
    """What people of one tenant have in common. `now` is epoch seconds, `age_days` the age of the tenant."""

    initial_domain: str
    default_domain: str
    country: str
    now: float
    age_days: float
    sku_ids: tuple[str, ...]
    synced_domain: str | None = None
    """Where generated synchronised users are, when it is not the default domain."""


class UserRow(NamedTuple):
    """What TenantStore.insert_many takes. objects.PRIVATE_FACTS explains `private`."""

    id: str
    name: str
    document: dict[str, Any]
    private: dict[str, Any]


class Weighted:
    """Values with weights, to draw from."""

    def __init__(self, choices: tuple[tuple[tuple[str, ...], float], ...]) -> None:
        self._values = [value for value, _unused in choices]
        self._weights = list(accumulate(weight for _unused, weight in choices))

    def draw(self, rng: random.Random) -> tuple[str, ...]:
        # As random.choices does, without its cost for each single value.
        return self._values[bisect(self._weights, rng.random() * self._weights[-1], 0, len(self._values) - 1)]


def new_id(rng: random.Random) -> str:
    """A GUID that depends on nothing but the seed."""
    digits = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def generate_people(
    rng: random.Random, facts: random.Random, place: Place, shares: Mapping[str, Any], count: int, taken: set[str]
) -> Iterator[tuple[UserRow, tuple[str, ...]]]:
    """`count` users by the shares of a scenario's `people.generated`, each with the names of the directory roles.

    `taken` holds principal names in use before the @, and grows.
    """
    kinds = _spread(
        rng,
        count,
        {
            "guest": shares.get("guests", 0),
            "synced": shares.get("synced", 0),
            "service": shares.get("service_accounts", 0),
            "shared": shares.get("shared_mailboxes", 0),
            "room": shares.get("rooms", 0),
            "device": shares.get("devices", 0),
        },
        "member",
    )
    domains = {"synced": place.synced_domain} if place.synced_domain else {}
    states = _spread(rng, count, dict(shares.get("per_user_mfa", {})), "disabled")
    blocked = _spread(rng, count, {"blocked": shares.get("blocked", 0)}, "open")
    ranks = _spread(facts, count, {"administrator": shares.get("administrators", 0)}, "")
    registered = shares.get("registered", 0.6)
    app_passwords = shares.get("app_passwords", 0)
    mixes = tuple((tuple(mix.get("methods", ())), mix.get("weight", 1)) for mix in shares.get("methods", ()))
    methods = Weighted(mixes or REGISTERED_METHODS)
    administrators = Weighted(ADMINISTRATORS)
    departments = tuple(DEPARTMENTS)
    for kind, state, access, rank in zip(kinds, states, blocked, ranks, strict=True):
        roles: tuple[str, ...] = ()
        person: dict[str, Any]
        if kind == "service":
            person = {"name": f"Service {rng.choice(SERVICES)}", "kind": kind}
            person["legacy_protocols"] = _some_protocols(facts)
        elif kind in ("shared", "room", "device"):
            person = _resource_account(facts, kind)
        else:
            department = rng.choice(departments)
            person = {
                "name": f"{rng.choice(GIVEN_NAMES)} {rng.choice(SURNAMES)}",
                "kind": kind,
                "department": department,
                "title": rng.choice(DEPARTMENTS[department]),
                "per_user_mfa": state if kind != "guest" else "disabled",
            }
            if kind in domains:
                person["domain"] = domains[kind]
            # Whoever is enforced has registered: the service makes enforced out of enabled by it.
            asks = person["per_user_mfa"]
            if asks == "enforced" or (asks != "enabled" and rng.random() < registered):
                person["methods"] = list(methods.draw(rng))
            if asks == "enforced" and facts.random() < app_passwords:
                person["app_passwords"] = facts.randint(1, 3)
                person["legacy_protocols"] = [facts.choice(LEGACY_PROTOCOLS[:4])]
            if kind == "guest" and facts.random() < PENDING_GUESTS:
                person.update(pending=True, methods=[])
            elif rank and kind != "guest":
                roles = administrators.draw(facts)
        person.setdefault("enabled", access == "open")
        yield make_user(rng, place, person, taken), roles


def _some_protocols(facts: random.Random) -> list[str]:
    """Of a service account: mostly one that sends mail, some that read it, some that sign in by nothing legacy."""
    drawn = facts.random()
    if drawn < 0.2:
        return []
    return [LEGACY_PROTOCOLS[0]] if drawn < 0.75 else [facts.choice(LEGACY_PROTOCOLS[:3])]


def _resource_account(facts: random.Random, kind: str) -> dict[str, Any]:
    """Rooms and shared mailboxes cannot sign in, except where somebody forgot it; devices can, with a password."""
    if kind == "room":
        return {"name": f"{facts.choice(ROOMS)} {facts.choice(OFFICES)}", "kind": kind, "enabled": facts.random() < 0.1}
    if kind == "shared":
        return {"name": facts.choice(MAILBOXES), "kind": kind, "enabled": facts.random() < 0.15}
    return {"name": f"{facts.choice(DEVICES)} {facts.choice(OFFICES)}", "kind": kind}


def make_user(rng: random.Random, place: Place, person: Mapping[str, Any], taken: set[str]) -> UserRow:
    """One user out of a scenario's description of a person."""
    kind = person.get("kind", "member")
    name = person.get("name") or person["user"]
    nickname = _free(person.get("user") or _nickname(name), taken)
    principal_name, mail = _addresses(rng, place, person, kind, nickname)
    age = rng.random() * place.age_days
    created = days_before(place.now, age)
    document: dict[str, Any] = {
        "id": new_id(rng),
        "userPrincipalName": principal_name,
        "displayName": name,
        "mailNickname": nickname,
        "accountEnabled": person.get("enabled", True),
        "userType": "Guest" if kind == "guest" else "Member",
        "createdDateTime": created,
        "lastPasswordChangeDateTime": days_before(place.now, rng.random() * age),
        "signInSessionsValidFromDateTime": created,
        "usageLocation": place.country,
        "businessPhones": [],
        "assignedLicenses": [],
        "perUserMfaState": person.get("per_user_mfa", "disabled"),
        "signInActivity": {
            "lastSignInDateTime": days_before(place.now, min(age, rng.random() * 45)),
            "lastNonInteractiveSignInDateTime": days_before(place.now, min(age, rng.random() * 3)),
        },
    }
    if mail:
        document["mail"] = mail
        document["proxyAddresses"] = [f"SMTP:{mail}"]
    if "department" in person:
        document["department"] = person["department"]
        document["officeLocation"] = rng.choice(OFFICES)
    if "title" in person:
        document["jobTitle"] = person["title"]
    _add_by_kind(rng, place, document, kind)
    if person.get("pending"):
        document["externalUserState"] = "PendingAcceptance"
    if person.get("pending") or (kind in ("room", "shared") and not document["accountEnabled"]):
        # Nobody has ever signed in there.
        del document["signInActivity"]
    private: dict[str, Any] = {"methodsRegistered": list(person.get("methods", []))}
    if kind not in PEOPLE:
        private["accountKind"] = kind
    if person.get("legacy_protocols"):
        private["legacyProtocols"] = list(person["legacy_protocols"])
    if person.get("app_passwords"):
        private["appPasswords"] = person["app_passwords"]
    return UserRow(document["id"], principal_name, document, private)


def _addresses(
    rng: random.Random, place: Place, person: Mapping[str, Any], kind: str, nickname: str
) -> tuple[str, str | None]:
    """The principal name, and the mail address of those who have one."""
    if kind == "guest":
        partner = rng.choice(PARTNERS)
        return f"{nickname}_{partner}#EXT#@{place.initial_domain}", f"{nickname}@{partner}"
    domain = person.get("domain", place.default_domain)
    if kind == "sync" or domain == "initial":
        domain = place.initial_domain
    principal_name = f"{nickname}@{domain}"
    return principal_name, None if kind == "sync" else principal_name


def _add_by_kind(rng: random.Random, place: Place, document: dict[str, Any], kind: str) -> None:
    if kind in ("member", "synced", "guest"):
        given, _unused, surname = document["displayName"].partition(" ")
        document.update(givenName=given, surname=surname, preferredLanguage="en-US")
    if kind in ("member", "synced"):
        document["assignedLicenses"] = [{"disabledPlans": [], "skuId": sku_id} for sku_id in place.sku_ids]
    if kind == "guest":
        document.update(creationType="Invitation", externalUserState="Accepted")
    if kind in ("synced", "sync"):
        document["passwordPolicies"] = "DisablePasswordExpiration"
    if kind == "synced":
        document.update(
            onPremisesSyncEnabled=True,
            onPremisesImmutableId=f"{rng.getrandbits(96):024x}",
            onPremisesSamAccountName=document["mailNickname"][:20],
            onPremisesLastSyncDateTime=days_before(place.now, 0.02),
        )


def _spread(rng: random.Random, count: int, shares: dict[str, float], rest: str) -> list[str]:
    """Values in the given shares (of 1, or of their sum when that is more), each with a share at least once."""
    total = max(1.0, sum(shares.values()))
    values: list[str] = []
    for value, share in shares.items():
        if share > 0:
            values.extend([value] * max(1, round(count * share / total)))
    values = values[:count]
    values.extend([rest] * (count - len(values)))
    rng.shuffle(values)
    return values


@lru_cache(maxsize=16384)
def _nickname(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", ".", plain).strip(".") or "user"


def _free(nickname: str, taken: set[str]) -> str:
    candidate, number = nickname, 2
    while candidate.lower() in taken:
        candidate = f"{nickname}{number}"
        number += 1
    taken.add(candidate.lower())
    return candidate
