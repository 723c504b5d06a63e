# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.summary import tenant_lines
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.facts import ALL_FACTS
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.tenant_info import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import TENANT_ID, refused, run_of
from ansible_collections.zerotrust.m365.tests.unit._resources.tenant_answers import DOMAINS, SKUS, answers, tenant


def test_all_facts_are_returned_with_their_completeness() -> None:
    run = run_of(tenant(), {"gather_subset": ["all"]})
    state = RESOURCE.read(run)
    plan = RESOURCE.plan(run, state)
    result = RESOURCE.result(run, plan, state)
    assert list(result["tenant"]) == list(ALL_FACTS)
    assert {fact["completeness"] for fact in result["tenant"].values()} == {"known"}
    assert (result["complete"], result["tenant_id"]) == (True, TENANT_ID)
    assert (plan.changes, plan.done) == ((), f"All {len(ALL_FACTS)} facts are known.")
    assert len(tenant_lines(result["tenant"])) == len(ALL_FACTS)


def test_what_is_unknown_is_named_and_the_tenant_is_not_complete() -> None:
    run = run_of(tenant(objects={**answers(), DOMAINS: refused(), SKUS: refused()}), {"gather_subset": ["all"]})
    state = RESOURCE.read(run)
    plan = RESOURCE.plan(run, state)
    result = RESOURCE.result(run, plan, state)
    assert result["complete"] is False
    count = len(ALL_FACTS)
    assert plan.done == f"{count - 3} of {count} facts are known; unknown: domains, federation, licences."
    assert result["tenant"]["licences"] == {"completeness": "unknown", "reason": refused().message, "value": None}


@pytest.mark.parametrize("subset", [["kind"], ["kind", "users"], ["region", "kind"]])
def test_only_the_subset_is_returned(subset: list[str]) -> None:
    run = run_of(tenant(), {"gather_subset": subset})
    state = RESOURCE.read(run)
    assert set(RESOURCE.result(run, RESOURCE.plan(run, state), state)["tenant"]) == set(subset)


def test_all_wins_over_a_subset() -> None:
    assert set(RESOURCE.read(run_of(tenant(), {"gather_subset": ["kind", "all"]}))) == set(ALL_FACTS)
