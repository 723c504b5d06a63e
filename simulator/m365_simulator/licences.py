# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subscriptions and the tier of Entra ID that their service plans give.

Identifiers: Microsoft's page "Product names and service plan identifiers for licensing".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

FREE, P1, P2 = "free", "P1", "P2"

ENTRA_P1 = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
ENTRA_P2 = "eec0eb4f-6444-4f95-aba0-50c24d67f998"
WORKLOAD_IDENTITIES_PLANS = frozenset({"84c289f0-efcb-486f-8581-07f44fc9efad", "7dc0e92d-bf15-401d-907e-0884efe7c760"})
"""P1 and P2 for workload identities: what Conditional Access for service principals needs."""

SERVICE_PLANS: dict[str, tuple[str, str]] = {
    "AAD_PREMIUM": (ENTRA_P1, "User"),
    "AAD_PREMIUM_P2": (ENTRA_P2, "User"),
    "MFA_PREMIUM": ("8a256a2b-b617-496d-b51b-e76466e88db0", "User"),
    "EXCHANGE_S_STANDARD": ("9aaf7827-d63c-4b61-89c3-182f06f82e5c", "User"),
    "EXCHANGE_S_ENTERPRISE": ("efb87545-963c-4e0d-99df-69c6916d9eb0", "User"),
    "EXCHANGE_S_FOUNDATION": ("113feb6c-3fe4-4440-bddc-54d774bf0318", "Company"),
    "SHAREPOINTSTANDARD": ("c7699d2e-19aa-44de-8edf-1736da088ca1", "User"),
    "SHAREPOINTENTERPRISE": ("5dbe027f-2339-4123-9542-606e4d348a72", "User"),
    "TEAMS1": ("57ff2da0-773e-42df-b2af-ffb7a2317929", "User"),
    "INTUNE_A": ("c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "User"),
}

SUBSCRIPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "O365_BUSINESS_ESSENTIALS": (
        "3b555118-da6a-4418-894f-7df1e2096870",
        ("EXCHANGE_S_STANDARD", "SHAREPOINTSTANDARD", "TEAMS1"),
    ),
    "SPB": (
        "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46",
        ("AAD_PREMIUM", "MFA_PREMIUM", "EXCHANGE_S_STANDARD", "SHAREPOINTSTANDARD", "TEAMS1", "INTUNE_A"),
    ),
    "SPE_E5": (
        "06ebc4ee-1bb5-47dd-8120-11324bc54e06",
        (
            "AAD_PREMIUM",
            "AAD_PREMIUM_P2",
            "MFA_PREMIUM",
            "EXCHANGE_S_ENTERPRISE",
            "SHAREPOINTENTERPRISE",
            "TEAMS1",
            "INTUNE_A",
        ),
    ),
    "AAD_PREMIUM": ("078d2b04-f1bd-4111-bbd4-b4b1b354cef4", ("AAD_PREMIUM", "MFA_PREMIUM", "EXCHANGE_S_FOUNDATION")),
    "AAD_PREMIUM_P2": (
        "84a661c4-e949-4bd2-a560-ed7766fcaf2b",
        ("AAD_PREMIUM", "AAD_PREMIUM_P2", "MFA_PREMIUM", "EXCHANGE_S_FOUNDATION"),
    ),
}


def subscribed_sku(tenant_id: str, part_number: str, *, bought: int, consumed: int, status: str) -> dict[str, Any]:
    """One `subscribedSku` as Graph shows it."""
    sku_id, plans = SUBSCRIPTIONS[part_number]
    units = {"enabled": 0, "suspended": 0, "warning": 0, "lockedOut": 0}
    units[{"Enabled": "enabled", "Warning": "warning", "LockedOut": "lockedOut"}.get(status, "suspended")] = bought
    return {
        "id": f"{tenant_id}_{sku_id}",
        "accountId": tenant_id,
        "accountName": part_number,
        "appliesTo": "User",
        "capabilityStatus": status,
        "consumedUnits": consumed,
        "prepaidUnits": units,
        "skuId": sku_id,
        "skuPartNumber": part_number,
        "subscriptionIds": [],
        "servicePlans": [
            {
                "servicePlanId": SERVICE_PLANS[plan][0],
                "servicePlanName": plan,
                "provisioningStatus": "Success",
                "appliesTo": SERVICE_PLANS[plan][1],
            }
            for plan in plans
        ],
    }


def plans_of(skus: Iterable[dict[str, Any]]) -> set[str]:
    """The ids of provisioned service plans of subscriptions that are in force."""
    return {
        plan["servicePlanId"]
        for sku in skus
        if sku["capabilityStatus"] in ("Enabled", "Warning")
        for plan in sku["servicePlans"]
        if plan["provisioningStatus"] == "Success"
    }


def tier_of(skus: Iterable[dict[str, Any]]) -> str:
    """`free`, `P1` or `P2`."""
    plans = plans_of(skus)
    if ENTRA_P2 in plans:
        return P2
    return P1 if ENTRA_P1 in plans else FREE
