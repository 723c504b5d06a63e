# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Named people that every tenant has some of, and the shares of the generated ones."""

from __future__ import annotations

import random
from typing import Any

from m365_simulator.drawing.facts import Facts
from m365_simulator.names import GIVEN_NAMES, SURNAMES

METHOD_MIXES: dict[str, tuple[tuple[tuple[str, ...], float], ...]] = {
    "phones": (
        (("mobilePhone",), 60),
        (("mobilePhone", "officePhone"), 10),
        (("mobilePhone", "email"), 10),
        (("microsoftAuthenticatorPush", "mobilePhone"), 20),
    ),
    "authenticator": (
        (("microsoftAuthenticatorPush",), 55),
        (("microsoftAuthenticatorPush", "mobilePhone"), 20),
        (("microsoftAuthenticatorPush", "mobilePhone", "alternateMobilePhone"), 5),
        (("softwareOneTimePasscode",), 10),
        (("mobilePhone",), 10),
    ),
    "modern": (
        (("passKeyDeviceBound",), 15),
        (("passKeyDeviceBound", "microsoftAuthenticatorPush"), 20),
        (("windowsHelloForBusiness", "microsoftAuthenticatorPush"), 25),
        (("microsoftAuthenticatorPasswordless", "microsoftAuthenticatorPush"), 15),
        (("fido2SecurityKey",), 5),
        (("microsoftAuthenticatorPush",), 20),
    ),
}
"""Registered methods with weights, by the style of a tenant."""

EMERGENCY_METHODS: tuple[list[str], ...] = (["fido2SecurityKey"], ["passKeyDeviceBound"], ["fido2SecurityKey"], [])
SERVICE_NAMES = ("Service scan to mail", "Service backup", "Service invoices", "Service monitoring")


def draw_people(rng: random.Random, facts: Facts) -> dict[str, Any]:
    """The key `people` of a scenario. The first person named is the Global Administrator who always gets in."""
    names = _different_names(rng)
    named = [
        _first_administrator(rng, facts, names.pop()),
        *(_administrator(rng, facts, names.pop()) for _unused in range(facts.global_administrators - 1)),
        *(_emergency_account(rng, number) for number in ("one", "two")[: facts.emergency_accounts]),
        *_synchronization_account(rng, facts),
    ]
    if not facts.is_tiny:
        named += _service_accounts(rng)
        if rng.random() < 0.15:
            gone = {"name": names.pop(), "roles": ["Global Administrator"], "enabled": False, "department": "IT"}
            named.append(gone)
        if rng.random() < 0.1:
            role = rng.choice(("Helpdesk Administrator", "Global Reader"))
            named.append({"name": names.pop(), "kind": "guest", "roles": [role]})
    return {"named": named, "generated": {"count": max(0, facts.users - len(named)), **_shares(rng, facts)}}


def _first_administrator(rng: random.Random, facts: Facts, name: str) -> dict[str, Any]:
    others = rng.choice(((), ("mobilePhone",), ("softwareOneTimePasscode",), ("passKeyDeviceBound",)))
    in_initial_domain = facts.synchronised or rng.random() < 0.3
    return {
        "name": name,
        **({"domain": "initial"} if in_initial_domain else {}),
        "roles": ["Global Administrator"],
        "department": "IT",
        "methods": ["microsoftAuthenticatorPush", *others],
        "per_user_mfa": "enforced" if facts.has_enforced and rng.random() < 0.7 else "disabled",
    }


def _administrator(rng: random.Random, facts: Facts, name: str) -> dict[str, Any]:
    methods = rng.choice(([], ["mobilePhone"], ["microsoftAuthenticatorPush"], ["mobilePhone", "email"]))
    person: dict[str, Any] = {"name": name, "roles": ["Global Administrator"], "department": "IT", "methods": methods}
    if facts.synchronised and rng.random() < 0.3:
        person["kind"] = "synced"
    elif facts.has_enforced and methods:
        person["per_user_mfa"] = rng.choice(("disabled", "enforced"))
    return person


def _emergency_account(rng: random.Random, number: str) -> dict[str, Any]:
    return {
        "name": f"Emergency {number}",
        "user": f"emergency.{number}",
        "domain": "initial",
        "roles": ["Global Administrator"],
        "methods": rng.choice(EMERGENCY_METHODS),
    }


def _synchronization_account(rng: random.Random, facts: Facts) -> list[dict[str, Any]]:
    """Newer versions of the synchronization sign in as an application, and leave the account behind or have none."""
    if not facts.synchronised or rng.random() < 0.4:
        return []
    account = {"name": "On-Premises Directory Synchronization Service Account", "kind": "sync"}
    user = f"Sync_DC01_{rng.getrandbits(48):012x}"
    return [{**account, "user": user, "roles": ["Directory Synchronization Accounts"]}]


def _service_accounts(rng: random.Random) -> list[dict[str, Any]]:
    accounts: list[dict[str, Any]] = []
    for name in rng.sample(SERVICE_NAMES, rng.randint(0, 2)):
        account: dict[str, Any] = {"name": name, "user": f"svc.{name.rpartition(' ')[2]}", "kind": "service"}
        if rng.random() < 0.7:
            account["legacy_protocols"] = ["Authenticated SMTP"]
        accounts.append(account)
    return accounts


def _different_names(rng: random.Random) -> list[str]:
    given, surnames = rng.sample(GIVEN_NAMES, 12), rng.sample(SURNAMES, 12)
    return [f"{one} {other}" for one, other in zip(given, surnames, strict=True)]


def _shares(rng: random.Random, facts: Facts) -> dict[str, Any]:
    style = rng.choice(tuple(METHOD_MIXES))
    disabled, enabled, enforced = facts.per_user_mfa
    domain = {"synced_domain": facts.federated_domain} if facts.federated_domain else {}
    return {
        "guests": _some(rng, 0.7, 0.25),
        "synced": round(rng.uniform(0.5, 0.9), 3) if facts.synchronised else 0.0,
        **domain,
        "service_accounts": _some(rng, 0.5, 0.05),
        "shared_mailboxes": _some(rng, 0.7, 0.1),
        "rooms": _some(rng, 0.5, 0.06),
        "devices": _some(rng, 0.3, 0.03),
        "administrators": 0.0 if facts.is_tiny else round(min(0.08, rng.uniform(0.3, 1.0) / facts.users**0.5), 4),
        "blocked": _some(rng, 0.7, 0.08),
        "deleted": _some(rng, 0.5, 0.05),
        "registered": round(rng.uniform(0.05, 0.95), 3),
        "methods": [{"methods": list(methods), "weight": weight} for methods, weight in METHOD_MIXES[style]],
        "app_passwords": _some(rng, 0.5, 0.4),
        "per_user_mfa": {"disabled": disabled, "enabled": enabled, "enforced": enforced},
    }


def _some(rng: random.Random, chance: float, most: float) -> float:
    """None at all, or a share."""
    return round(rng.uniform(most / 10, most), 3) if rng.random() < chance else 0.0
