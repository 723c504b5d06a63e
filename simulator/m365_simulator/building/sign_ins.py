# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sign-in log."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from m365_simulator.building.making import Making
from m365_simulator.clock import days_before
from m365_simulator.population import LEGACY_PROTOCOLS, new_id

MODERN_CLIENTS = ("Browser", "Mobile Apps and Desktop clients")
ELSEWHERE = ("BR", "CN", "RU", "VN")
SPRAYED = 0.2
"""How many attempts of strangers there are for each sign-in by a legacy protocol."""


def build_sign_ins(making: Making) -> None:
    """Modern sign-ins of some users, legacy ones of those who use such protocols, and some attempts from outside."""
    wanted = making.scenario.get("sign_ins", {})
    if not making.signers or not wanted:
        return
    rng = making.random("sign-ins")
    count = min(wanted.get("most", 300), 4 * len(making.signers))
    moments = sorted(rng.uniform(0, wanted.get("days", 7)) for _unused in range(count))
    for days in moments:
        entry = _entry(making, rng, wanted.get("legacy_share", 0.0), days)
        making.add("signIn", entry["id"], entry)


def _entry(making: Making, rng: random.Random, legacy_share: float, days: float) -> dict[str, Any]:
    stamp = days_before(making.now, days)
    country = making.about.get("country", "NL")
    if making.legacy_signers and rng.random() < legacy_share:
        signer = rng.choice(making.legacy_signers)
        client = rng.choice(signer.private["legacyProtocols"])
        return _sign_in(rng, signer.document, client, stamp, country, failed=rng.random() < 0.05)
    signer = rng.choice(making.signers)
    if rng.random() < legacy_share * SPRAYED:
        # Passwords tried from outside make anybody look like a user of legacy protocols, but never succeed.
        client = rng.choice(LEGACY_PROTOCOLS[:3])
        return _sign_in(rng, signer.document, client, stamp, rng.choice(ELSEWHERE), failed=True)
    return _sign_in(rng, signer.document, rng.choice(MODERN_CLIENTS), stamp, country, failed=rng.random() < 0.05)


def _sign_in(
    rng: random.Random, user: Mapping[str, Any], client: str, stamp: str, country: str, *, failed: bool
) -> dict[str, Any]:
    network = "198.51.100" if country in ELSEWHERE else "203.0.113"
    return {
        "id": new_id(rng),
        "createdDateTime": stamp,
        "userDisplayName": user["displayName"],
        "userPrincipalName": user["userPrincipalName"],
        "userId": user["id"],
        "appId": "00000002-0000-0ff1-ce00-000000000000",
        "appDisplayName": "Office 365 Exchange Online",
        "ipAddress": f"{network}.{rng.randrange(1, 255)}",
        "clientAppUsed": client,
        "correlationId": new_id(rng),
        "conditionalAccessStatus": "notApplied",
        "isInteractive": True,
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes_v2": [],
        "resourceDisplayName": "Office 365 Exchange Online",
        "resourceId": "00000002-0000-0ff1-ce00-000000000000",
        "status": {
            "errorCode": 50126 if failed else 0,
            "failureReason": "Invalid username or password." if failed else "Other.",
            "additionalDetails": None,
        },
        "deviceDetail": {
            "deviceId": "",
            "displayName": "",
            "operatingSystem": "Windows",
            "browser": "Edge",
            "isCompliant": False,
            "isManaged": False,
            "trustType": "",
        },
        "location": {"city": "", "state": "", "countryOrRegion": country, "geoCoordinates": None},
        "appliedConditionalAccessPolicies": [],
    }
