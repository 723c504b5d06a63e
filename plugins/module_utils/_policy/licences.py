# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tier of Microsoft Entra ID a tenant is licensed for (private to the collection). Pure functions.

Source: Microsoft's product names and service plan identifiers for licensing (plan ids of AAD_PREMIUM and
AAD_PREMIUM_P2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .facts import objects, text

PREMIUM_P1_PLAN = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
PREMIUM_P2_PLAN = "eec0eb4f-6444-4f95-aba0-50c24d67f998"

# A subscription in its grace period (Warning) still works.
WORKING_SUBSCRIPTIONS = {"Enabled", "Warning"}


def working_plans(subscribed_skus: Iterable[Mapping[str, Any]]) -> set[str]:
    """Ids of the service plans that work today. Raises UnexpectedShape."""
    return {
        text(plan, "servicePlanId").lower()
        for sku in subscribed_skus
        if text(sku, "capabilityStatus") in WORKING_SUBSCRIPTIONS
        for plan in objects(sku, "servicePlans")
        if text(plan, "provisioningStatus") == "Success"
    }


def tier(subscribed_skus: Iterable[Mapping[str, Any]]) -> str:
    """``free``, ``P1`` or ``P2``. Raises UnexpectedShape."""
    plans = working_plans(subscribed_skus)
    if PREMIUM_P2_PLAN in plans:
        return "P2"
    return "P1" if PREMIUM_P1_PLAN in plans else "free"
