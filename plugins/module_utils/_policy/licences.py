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

from .facts import UnexpectedShape, objects, text

PREMIUM_P1_PLAN = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
PREMIUM_P2_PLAN = "eec0eb4f-6444-4f95-aba0-50c24d67f998"

# Whether a subscription in a state, or a plan in a state, works. One in its grace period (Warning) does.
SUBSCRIPTIONS_WORK = {"Enabled": True, "Warning": True, "Suspended": False, "Deleted": False, "LockedOut": False}
PLANS_WORK = {
    "Success": True,
    "Disabled": False,
    "Error": False,
    "PendingInput": False,
    "PendingActivation": False,
    "PendingProvisioning": False,
}


def working_plans(subscribed_skus: Iterable[Mapping[str, Any]]) -> set[str]:
    """Ids of the Entra plans that work today. Raises UnexpectedShape, also where their state is unknown to us."""
    plans = set()
    for sku in subscribed_skus:
        text(sku, "capabilityStatus")
        for plan in objects(sku, "servicePlans"):
            identity = text(plan, "servicePlanId").lower()
            if identity in (PREMIUM_P1_PLAN, PREMIUM_P2_PLAN):
                subscription = _works(sku, "capabilityStatus", SUBSCRIPTIONS_WORK)
                if _works(plan, "provisioningStatus", PLANS_WORK) and subscription:
                    plans.add(identity)
    return plans


def _works(item: Mapping[str, Any], name: str, known: Mapping[str, bool]) -> bool:
    state = text(item, name)
    if state not in known:
        raise UnexpectedShape(f"'{name}' is '{state}', which is no state that Microsoft documents")
    return known[state]


def tier(subscribed_skus: Iterable[Mapping[str, Any]]) -> str:
    """``free``, ``P1`` or ``P2``. Raises UnexpectedShape."""
    plans = working_plans(subscribed_skus)
    if PREMIUM_P2_PLAN in plans:
        return "P2"
    return "P1" if PREMIUM_P1_PLAN in plans else "free"
