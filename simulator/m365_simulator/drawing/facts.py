# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few decisions from which the rest of a drawn tenant follows."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from m365_simulator.names import COMPANY_NAMES, COMPANY_TRADES

SUBSCRIPTIONS: dict[str, tuple[tuple[dict[str, str], ...], ...]] = {
    "free": (({"part_number": "O365_BUSINESS_ESSENTIALS"},),),
    "P1": (
        ({"part_number": "SPB"},),
        ({"part_number": "O365_BUSINESS_ESSENTIALS"}, {"part_number": "AAD_PREMIUM"}),
    ),
    "P2": (
        ({"part_number": "SPE_E5"},),
        ({"part_number": "SPB"}, {"part_number": "AAD_PREMIUM_P2"}),
    ),
    "lapsed": (({"part_number": "O365_BUSINESS_ESSENTIALS"}, {"part_number": "SPB", "status": "Suspended"}),),
}
"""What gives each licence: one of these is bought."""

PROTECTIONS: dict[str, dict[str, float]] = {
    "free": {"nothing": 25, "per-user MFA": 35, "security defaults": 40},
    "P1": {"nothing": 8, "per-user MFA": 12, "security defaults": 15, "Conditional Access": 65},
    "P2": {"nothing": 5, "per-user MFA": 5, "security defaults": 10, "Conditional Access": 80},
    "lapsed": {"per-user MFA": 20, "security defaults": 25, "Conditional Access": 55},
}
"""What asks for MFA, with weights, by licence."""

MIGRATION_STATES = {"preMigration": 25, "migrationInProgress": 35, "migrationComplete": 40}
NEWEST_WITH_MIGRATION = 120
"""Days: a younger tenant has no migration state, users report. Since when is an assumption."""


@dataclass(frozen=True)
class Facts:
    """`licence` and `protection` as in the tables above; `synchronised` is empty, `synchronised` or `federated`."""

    company: str
    users: int
    age_days: float
    licence: str
    subscriptions: tuple[dict[str, str], ...]
    protection: str
    per_user_mfa: tuple[float, float, float]
    """Weights of disabled, enabled and enforced."""
    synchronised: str
    migration_state: str | None
    global_administrators: int
    emergency_accounts: int
    classic_policies: bool

    @property
    def label(self) -> str:
        """The company's name as a part of domain names."""
        return self.company.replace(" ", "").lower()

    @property
    def federated_domain(self) -> str | None:
        return f"corp-{self.label}.example" if self.synchronised == "federated" else None

    @property
    def has_own_domain(self) -> bool:
        return bool(self.age_days > 30 or self.synchronised)

    @property
    def is_tiny(self) -> bool:
        """Too small for much variety."""
        return self.users < 12

    @property
    def has_enforced(self) -> bool:
        return self.per_user_mfa[2] > 0

    @property
    def may_have_policies(self) -> bool:
        """Of Conditional Access, in whatever state."""
        return self.licence != "free"

    def describe(self) -> str:
        """One line, for people."""
        parts = [f"{self.users} users", {"lapsed": "P1 that has run out"}.get(self.licence, self.licence)]
        parts.append("nothing asks for MFA" if self.protection == "nothing" else f"protected by {self.protection}")
        if self.protection != "per-user MFA" and self.per_user_mfa[0] < 1:
            parts.append("per-user MFA left over")
        parts.append(self.synchronised or "cloud only")
        parts.append(f"migration state {self.migration_state or 'null'}")
        parts.append(f"named Global Administrators: {self.global_administrators}")
        parts.append(f"emergency accounts: {self.emergency_accounts}")
        return "Drawn: " + ", ".join(parts) + "."


def weighted(rng: random.Random, weights: Mapping[str, float]) -> str:
    return rng.choices(tuple(weights), tuple(weights.values()))[0]


def draw_facts(rng: random.Random, limits: Mapping[str, Any], users: int | None) -> Facts:
    """`limits` is the key `drawn` of a scenario."""
    sizes = limits.get("users", {})
    least = sizes.get("least", min(12, sizes.get("most", 12)))
    most = sizes.get("most", max(150, least))
    size = round(math.exp(rng.uniform(math.log(least), math.log(most))))
    count = size if users is None else users
    licence = weighted(rng, limits.get("licences") or {"free": 40, "P1": 30, "P2": 15, "lapsed": 15})
    protection = weighted(rng, limits.get("protections") or PROTECTIONS[licence])
    young = licence != "lapsed" and rng.random() < 0.25
    age = round(rng.uniform(1, NEWEST_WITH_MIGRATION) if young else rng.uniform(NEWEST_WITH_MIGRATION, 5000), 2)
    leftover = rng.random() < 0.35
    if protection == "per-user MFA":
        enabled, enforced = rng.uniform(0, 0.4), rng.uniform(0.1, 0.6)
        weights = (round(1 - enabled - enforced, 3), round(enabled, 3), round(enforced, 3))
    elif leftover:
        weights = (0.8, round(rng.uniform(0.02, 0.1), 3), round(rng.uniform(0.02, 0.1), 3))
    else:
        weights = (1.0, 0.0, 0.0)
    return Facts(
        company=f"{rng.choice(COMPANY_NAMES)} {rng.choice(COMPANY_TRADES)}",
        users=count,
        age_days=age,
        licence=licence,
        subscriptions=rng.choice(SUBSCRIPTIONS[licence]),
        protection=protection,
        per_user_mfa=weights,
        synchronised=weighted(rng, {"": 60, "synchronised": 28, "federated": 12}),
        migration_state=None if age < NEWEST_WITH_MIGRATION else weighted(rng, MIGRATION_STATES),
        global_administrators=min(_administrators(rng, count), max(1, count // 4)),
        emergency_accounts=rng.choice((0, 0, 1, 2, 2)) if count >= 8 else 0,
        classic_policies=age > 2500 and protection in ("nothing", "per-user MFA") and rng.random() < 0.1,
    )


def _administrators(rng: random.Random, users: int) -> int:
    """Microsoft advises fewer than five; many have more."""
    return rng.randint(1, 3) + (rng.randint(0, 4) if users > 50 else 0)
