# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.licences import tier, working_plans

P1 = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
P2 = "eec0eb4f-6444-4f95-aba0-50c24d67f998"
EXCHANGE = "efb87545-963c-4e0d-99df-69c6916d9eb0"
WORKING = ("Enabled", "Warning")
ENDED = ("Suspended", "Deleted", "LockedOut")
NOT_PROVISIONED = ("Disabled", "PendingInput", "PendingActivation", "PendingProvisioning", "Error")


def sku(*plans: str, subscription: str = "Enabled", provisioning: str = "Success") -> dict[str, Any]:
    return {
        "capabilityStatus": subscription,
        "servicePlans": [{"servicePlanId": plan, "provisioningStatus": provisioning} for plan in plans],
    }


plans = st.fixed_dictionaries(
    {
        "servicePlanId": st.sampled_from([P1, P1.upper(), P2, P2.upper(), EXCHANGE]),
        "provisioningStatus": st.sampled_from(["Success", *NOT_PROVISIONED]),
    }
)
skus = st.lists(
    st.fixed_dictionaries(
        {
            "capabilityStatus": st.sampled_from([*WORKING, *ENDED]),
            "servicePlans": st.lists(plans, max_size=4),
        }
    ),
    max_size=4,
)


@given(skus)
def test_tier_is_the_highest_plan_that_works(subscribed: list[dict[str, Any]]) -> None:
    working = {
        plan["servicePlanId"].lower()
        for one in subscribed
        for plan in one["servicePlans"]
        if one["capabilityStatus"] in WORKING and plan["provisioningStatus"] == "Success"
    }
    assert tier(subscribed) == ("P2" if P2 in working else "P1" if P1 in working else "free")


@given(skus, skus)
def test_more_subscriptions_never_lower_the_tier(some: list[dict[str, Any]], more: list[dict[str, Any]]) -> None:
    order = ["free", "P1", "P2"]
    assert order.index(tier([*some, *more])) == max(order.index(tier(some)), order.index(tier(more)))


@pytest.mark.parametrize("subscription", WORKING)
def test_a_subscription_in_its_grace_period_works(subscription: str) -> None:
    assert tier([sku(P1, subscription=subscription)]) == "P1"


@pytest.mark.parametrize("subscription", ENDED)
def test_an_ended_subscription_gives_nothing(subscription: str) -> None:
    assert tier([sku(P2, subscription=subscription)]) == "free"


@pytest.mark.parametrize("provisioning", NOT_PROVISIONED)
def test_a_plan_that_is_not_provisioned_gives_nothing(provisioning: str) -> None:
    assert tier([sku(P2, provisioning=provisioning)]) == "free"


def test_no_subscription_is_free() -> None:
    assert tier([]) == "free"


def test_working_plans_are_in_lower_case() -> None:
    assert working_plans([sku(P1.upper(), EXCHANGE)]) == {P1}


MALFORMED: dict[str, Any] = {
    "no status": {"servicePlans": []},
    "null status": {"capabilityStatus": None, "servicePlans": []},
    "no plans": {"capabilityStatus": "Enabled"},
    "null plans": {"capabilityStatus": "Enabled", "servicePlans": None},
    "plans in an object": {"capabilityStatus": "Enabled", "servicePlans": {P2: "Success"}},
    "a plan that is a string": {"capabilityStatus": "Enabled", "servicePlans": [P2]},
    "a plan without id": {"capabilityStatus": "Enabled", "servicePlans": [{"provisioningStatus": "Success"}]},
    "a plan without status": {"capabilityStatus": "Enabled", "servicePlans": [{"servicePlanId": P2}]},
    "an id that is a number": {
        "capabilityStatus": "Enabled",
        "servicePlans": [{"servicePlanId": 5, "provisioningStatus": "Success"}],
    },
    "a string": "ENTERPRISEPACK",
    "a list": [],
    "null": None,
}


@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_subscription_is_never_free(malformed: Any) -> None:
    with pytest.raises(UnexpectedShape):
        tier([malformed])
    with pytest.raises(UnexpectedShape):
        tier([sku(P2), malformed])


@pytest.mark.parametrize("state", [{"subscription": "Paused"}, {"provisioning": "Half"}])
def test_a_premium_plan_in_a_state_unknown_to_us_is_unexpected(state: dict[str, str]) -> None:
    with pytest.raises(UnexpectedShape, match="no state that Microsoft documents"):
        tier([sku(P2, **state)])
