# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generated people: names, departments, guests, synchronised users, service accounts, per-user MFA, registrations."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from m365_simulator.clock import days_before
from m365_simulator.words import words

GIVEN_NAMES = words(
    """
    Aaliyah Adam Agnes Ahmed Aisha Alba Amara Amir Ana Anders Anouk Aylin Beatriz Bilal Bram Camille Carlos Chen
    Chloe Daan Daniel Dilan Eline Elif Emma Erik Esra Fatima Femke Finn Freya Giulia Hanna Hassan Hugo Ines
    Ingrid Isa Ivan Jade Jan Jonas Julia Kai Karim Kofi Lars Laura Leila Lena Liam Linh Lotte Lucas Luca Maja
    Malik Maria Marta Mateo Mei Mila Mohamed Nadia Naomi Nina Noah Nora Olga Omar Oscar Pablo Petra Priya Rania
    Ravi Ruben Sanne Sara Sem Sofia Soren Stijn Sven Tariq Tess Thomas Tim Tuan Vera Viktor Wanda Wei Yara Yusuf
    Zoe
    """
)

SURNAMES = words(
    """
    Abbas Adeyemi Ali Andersen Bakker Bauer Berg Bianchi Bos Brouwer Chen Costa Dekker Demir Diaz Dijkstra
    Dubois Ferrari Fischer Garcia Gomez Haddad Hansen Hendriks Hoffmann Huang Ibrahim Ivanov Jansen Johansson
    Kaya Keller Khan Kim Klein Kowalski Kumar Larsen Lee Lopez Maas Martin Meijer Mendes Meyer Moreau Mulder
    Nguyen Nielsen Novak Okafor Olsen Patel Peeters Pereira Peters Popov Prins Rossi Roux Santos Sato Schmidt
    Schneider Shah Silva Singh Smit Sorensen Suzuki Tanaka Torres Tran Visser Vos Wagner Wang Weber Willems Wolf
    Yilmaz Young Zhang Zimmer
    """
)

DEPARTMENTS: dict[str, tuple[str, ...]] = {
    "Sales": ("Account manager", "Sales lead", "Sales engineer"),
    "Operations": ("Planner", "Operator", "Shift lead"),
    "Finance": ("Controller", "Accountant", "Payroll officer"),
    "Human Resources": ("Recruiter", "HR adviser"),
    "IT": ("System engineer", "Support engineer"),
    "Marketing": ("Content editor", "Campaign manager"),
    "Research": ("Researcher", "Laboratory technician"),
}

OFFICES = ("Amsterdam", "Berlin", "Lyon", "Oslo", "Porto")
SERVICES = ("scanner", "backup", "crm", "ticketing", "monitoring", "printer", "fax", "invoice", "newsletter", "alarm")
PARTNERS = ("adatum.example", "proseware.example", "litware.example", "wingtip.example")

REGISTERED_METHODS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("microsoftAuthenticatorPush",), 40),
    (("microsoftAuthenticatorPush", "mobilePhone"), 25),
    (("mobilePhone",), 15),
    (("softwareOneTimePasscode",), 8),
    (("microsoftAuthenticatorPush", "softwareOneTimePasscode"), 6),
    (("passKeyDeviceBound", "microsoftAuthenticatorPush"), 4),
    (("windowsHelloForBusiness", "microsoftAuthenticatorPush"), 2),
)

METHOD_CHOICES = [methods for methods, _unused in REGISTERED_METHODS]
METHOD_WEIGHTS = list(accumulate(weight for _unused, weight in REGISTERED_METHODS))

UserRow = tuple[str, str, dict[str, Any], dict[str, Any]]
"""id, principal name, document, private: what TenantStore.insert_many takes."""


@dataclass(frozen=True)
class Place:
    """What people of one tenant have in common. `now` is epoch seconds, `age_days` the age of the tenant."""

    initial_domain: str
    default_domain: str
    country: str
    now: float
    age_days: float
    sku_ids: tuple[str, ...]


def new_id(rng: random.Random) -> str:
    """A GUID that depends on nothing but the seed."""
    digits = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def generate_people(
    rng: random.Random, place: Place, shares: Mapping[str, Any], count: int, taken: set[str]
) -> Iterator[UserRow]:
    """`count` people by the shares of a scenario's `people.generated`. `taken` holds names in use, and grows."""
    kinds = _spread(
        rng,
        count,
        {
            "guest": shares.get("guests", 0),
            "synced": shares.get("synced", 0),
            "service": shares.get("service_accounts", 0),
        },
        "member",
    )
    states = _spread(rng, count, dict(shares.get("per_user_mfa", {})), "disabled")
    blocked = _spread(rng, count, {"blocked": shares.get("blocked", 0)}, "open")
    registered = shares.get("registered", 0.6)
    for kind, state, access in zip(kinds, states, blocked, strict=True):
        if kind == "service":
            person: dict[str, Any] = {"name": f"Service {rng.choice(SERVICES)}", "kind": kind}
        else:
            department = rng.choice(tuple(DEPARTMENTS))
            person = {
                "name": f"{rng.choice(GIVEN_NAMES)} {rng.choice(SURNAMES)}",
                "kind": kind,
                "department": department,
                "title": rng.choice(DEPARTMENTS[department]),
                "per_user_mfa": state if kind != "guest" else "disabled",
            }
            # Whoever is enforced has registered: the service makes enforced out of enabled by it.
            asks = person["per_user_mfa"]
            if asks == "enforced" or (asks != "enabled" and rng.random() < registered):
                person["methods"] = list(_choose_methods(rng))
        person["enabled"] = access == "open"
        yield make_user(rng, place, person, taken)


def make_user(rng: random.Random, place: Place, person: Mapping[str, Any], taken: set[str]) -> UserRow:
    """One user out of a scenario's description of a person."""
    kind = person.get("kind", "member")
    name = person.get("name") or person["user"]
    nickname = _free(person.get("user") or _nickname(name), taken)
    principal_name, mail = _addresses(rng, place, person, kind, nickname)
    age = rng.uniform(0, place.age_days)
    created = days_before(place.now, age)
    document: dict[str, Any] = {
        "id": new_id(rng),
        "userPrincipalName": principal_name,
        "displayName": name,
        "mailNickname": nickname,
        "accountEnabled": person.get("enabled", True),
        "userType": "Guest" if kind == "guest" else "Member",
        "createdDateTime": created,
        "lastPasswordChangeDateTime": days_before(place.now, rng.uniform(0, age)),
        "signInSessionsValidFromDateTime": created,
        "usageLocation": place.country,
        "businessPhones": [],
        "assignedLicenses": [],
        "perUserMfaState": person.get("per_user_mfa", "disabled"),
        "signInActivity": {
            "lastSignInDateTime": days_before(place.now, min(age, rng.uniform(0, 45))),
            "lastNonInteractiveSignInDateTime": days_before(place.now, min(age, rng.uniform(0, 3))),
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
    return document["id"], principal_name, document, {"methodsRegistered": list(person.get("methods", []))}


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


def _choose_methods(rng: random.Random) -> tuple[str, ...]:
    return rng.choices(METHOD_CHOICES, cum_weights=METHOD_WEIGHTS)[0]


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
