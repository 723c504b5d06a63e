# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.conditional_access import by_state
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import Fact, known, unknown
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.security_defaults import (
    LIMITED_REGISTRATION_METHODS,
    RISKS,
    UNKNOWN_CONDITIONAL_ACCESS,
    UNKNOWN_REGISTRATION_METHODS,
    UNPROTECTED_USERS,
    Obstacle,
    counted,
    effects,
    obstacles_to_disabling,
    obstacles_to_enabling,
    quoted,
    refusal,
    refused,
    summary,
)

WHY = "Could not list them: Microsoft Graph answered 403."
NO_POLICIES = known(by_state([]))
EVERYBODY = known({"migration_state": "migrationComplete", "registration_reach": "everybody"})


def access(*policies: tuple[str, str]) -> Fact:
    return known(by_state({"state": state, "displayName": name} for state, name in policies))


def methods(reach: str, migration: str = "migrationComplete") -> Fact:
    return known({"migration_state": migration, "registration_reach": reach})


access_facts = st.one_of(
    st.just(unknown(WHY)),
    st.lists(
        st.tuples(st.sampled_from(["enabled", "disabled", "enabledForReportingButNotEnforced"]), st.text()), max_size=12
    ).map(lambda policies: access(*policies)),
)
method_facts = st.one_of(
    st.just(unknown(WHY)),
    st.builds(
        methods,
        st.sampled_from(["everybody", "some", "nobody"]),
        st.sampled_from(["preMigration", "migrationInProgress", "migrationComplete", "unknownFutureValue"]),
    ),
)
obstacle_lists = st.lists(st.builds(Obstacle, st.text(min_size=1), st.sampled_from([None, *RISKS])), max_size=5)
risk_lists = st.lists(st.sampled_from(RISKS), unique=True)


def risks(obstacles: list[Obstacle]) -> list[str | None]:
    return [obstacle.risk for obstacle in obstacles]


def test_nothing_stands_in_the_way_of_a_tenant_without_conditional_access() -> None:
    assert obstacles_to_enabling(NO_POLICIES, EVERYBODY) == []


@given(access_facts, method_facts)
def test_an_unknown_fact_is_always_an_obstacle(conditional_access: Fact, registration: Fact) -> None:
    found = obstacles_to_enabling(conditional_access, registration)
    told = [obstacle.sentence for obstacle in found if obstacle.sentence.endswith(WHY)]
    assert len(told) == [conditional_access.known, registration.known].count(False)


@given(access_facts, method_facts)
def test_enabling_is_free_only_when_both_facts_are_known_and_safe(conditional_access: Fact, registration: Fact) -> None:
    safe = (
        conditional_access.known
        and registration.known
        and conditional_access.value["enabled"] == []
        and registration.value["registration_reach"] == "everybody"
    )
    assert (obstacles_to_enabling(conditional_access, registration) == []) is safe


def test_enabled_policies_are_named_and_cannot_be_accepted() -> None:
    (obstacle,) = obstacles_to_enabling(access(("enabled", "Block legacy"), ("enabled", "MFA for all")), EVERYBODY)
    assert obstacle.risk is None
    assert "2 Conditional Access policies are enabled" in obstacle.sentence
    assert "'Block legacy', 'MFA for all'" in obstacle.sentence


def test_one_enabled_policy_is_told_in_the_singular() -> None:
    (obstacle,) = obstacles_to_enabling(access(("enabled", "MFA for all")), EVERYBODY)
    assert "1 Conditional Access policy is enabled" in obstacle.sentence


@pytest.mark.parametrize("state", ["disabled", "enabledForReportingButNotEnforced"])
def test_policies_that_are_not_enabled_do_not_exclude_security_defaults(state: str) -> None:
    assert obstacles_to_enabling(access((state, "MFA for all")), EVERYBODY) == []


def test_a_policy_in_a_state_unknown_to_us_may_be_in_force() -> None:
    found = obstacles_to_enabling(access(("unknownFutureValue", "MFA for all")), EVERYBODY)
    assert risks(found) == [UNKNOWN_CONDITIONAL_ACCESS]
    assert "'MFA for all'" in found[0].sentence


def test_policies_in_an_unfamiliar_state_do_not_hide_the_enabled_ones() -> None:
    found = obstacles_to_enabling(access(("unknownFutureValue", "One"), ("enabled", "Another")), EVERYBODY)
    assert risks(refused(found, list(RISKS))) == [None]
    assert "'Another'" in refusal(refused(found, list(RISKS)), True)


def test_unknown_conditional_access_may_be_accepted_by_name() -> None:
    assert risks(obstacles_to_enabling(unknown(WHY), EVERYBODY)) == [UNKNOWN_CONDITIONAL_ACCESS]


def test_unknown_methods_may_be_accepted_by_name() -> None:
    assert risks(obstacles_to_enabling(NO_POLICIES, unknown(WHY))) == [UNKNOWN_REGISTRATION_METHODS]


def test_methods_for_some_may_be_accepted_by_name() -> None:
    assert risks(obstacles_to_enabling(NO_POLICIES, methods("some"))) == [LIMITED_REGISTRATION_METHODS]


def test_methods_for_nobody_cannot_be_accepted_once_the_migration_is_complete() -> None:
    assert risks(obstacles_to_enabling(NO_POLICIES, methods("nobody"))) == [None]


@pytest.mark.parametrize("migration", ["preMigration", "migrationInProgress", "unknownFutureValue", ""])
def test_before_the_migration_is_complete_the_legacy_settings_may_allow_more(migration: str) -> None:
    assert risks(obstacles_to_enabling(NO_POLICIES, methods("nobody", migration))) == [UNKNOWN_REGISTRATION_METHODS]


def test_turning_off_always_needs_a_decision() -> None:
    (obstacle,) = obstacles_to_disabling()
    assert obstacle.risk == UNPROTECTED_USERS
    assert "leaves everybody without MFA" in obstacle.sentence


@given(obstacle_lists, risk_lists)
def test_only_accepted_risks_are_taken(obstacles: list[Obstacle], accepted: list[str]) -> None:
    left = refused(obstacles, accepted)
    assert all(obstacle.risk is None or obstacle.risk not in accepted for obstacle in left)
    assert all(obstacle in left or obstacle.risk in accepted for obstacle in obstacles)


@given(obstacle_lists)
def test_an_obstacle_without_risk_can_never_be_accepted(obstacles: list[Obstacle]) -> None:
    assert refused(obstacles, list(RISKS)) == [obstacle for obstacle in obstacles if obstacle.risk is None]


@given(obstacle_lists, st.booleans())
def test_a_refusal_says_every_obstacle_and_names_its_risk(obstacles: list[Obstacle], enabled: bool) -> None:
    message = refusal(obstacles, enabled)
    assert message.startswith(f"Security defaults were not turned {'on' if enabled else 'off'}. ")
    for obstacle in obstacles:
        assert obstacle.sentence in message
        if obstacle.risk:
            assert f"{obstacle.sentence} To go on all the same, add '{obstacle.risk}' to accept_risks." in message
    assert message.count("accept_risks") >= sum(obstacle.risk is not None for obstacle in obstacles)


def test_a_refusal_offers_no_way_round_an_obstacle_without_risk() -> None:
    message = refusal([Obstacle("Two policies are enabled.")], True)
    assert message == "Security defaults were not turned on. Two policies are enabled."


def all_known(tier: str = "free", **values: Any) -> dict[str, Fact]:
    facts = {
        "users": {"enabled_members": 40, "enabled_guests": 1},
        "privileged_roles": {
            "protected_administrators": ["admin@contoso.example"],
            "other_administrators": ["a@contoso.example", "b@contoso.example"],
            "directory_synchronization_accounts": ["Sync_DC01@contoso.example"],
        },
        "per_user_mfa": {"disabled": 30, "enabled": 6, "enforced": 4},
        "licences": {"tier": tier},
        **values,
    }
    return {name: known(value) for name, value in facts.items()}


def test_effects_of_turning_on_count_the_people() -> None:
    told = "\n".join(effects(True, all_known()))
    assert "40 members and 1 guest must register" in told
    assert "1 administrator does MFA at every sign-in" in told
    assert "'Sync_DC01@contoso.example'" in told
    assert "2 holders of roles outside the sixteen" in told
    assert "10 users still have per-user MFA" in told


def test_effects_of_turning_off_count_who_keeps_per_user_mfa() -> None:
    told = "\n".join(effects(False, all_known()))
    assert "Nobody is asked for MFA by security defaults any more" in told
    assert "Per-user MFA remains for 10 users." in told
    assert "managed Conditional Access policies" not in told


@pytest.mark.parametrize("tier", ["P1", "P2"])
def test_effects_of_turning_off_with_a_premium_licence_warn_of_managed_policies(tier: str) -> None:
    told = "\n".join(effects(False, all_known(tier)))
    assert f"With {tier}, Microsoft then creates managed Conditional Access policies by itself" in told


@pytest.mark.parametrize("tier", ["P1", "P2"])
def test_effects_of_turning_on_mention_conditional_access_where_it_is_licensed(tier: str) -> None:
    assert any(f"is licensed ({tier})" in line for line in effects(True, all_known(tier)))
    assert not any("is licensed" in line for line in effects(True, all_known("free")))


USED = {True: ("users", "privileged_roles", "per_user_mfa", "licences"), False: ("per_user_mfa", "licences")}


@pytest.mark.parametrize(("enabled", "name"), [(enabled, name) for enabled in USED for name in USED[enabled]])
def test_what_is_unknown_is_called_unknown_with_its_reason(enabled: bool, name: str) -> None:
    told = effects(enabled, {**all_known(), name: unknown(WHY)})
    lines = [line for line in told if WHY in line]
    assert len(lines) == 1
    assert "unknown" in lines[0]
    assert not any(character.isdigit() for character in lines[0].replace("403", ""))


@pytest.mark.parametrize("enabled", [True, False])
def test_effects_with_everything_unknown_state_no_count(enabled: bool) -> None:
    told = effects(enabled, dict.fromkeys(all_known(), unknown("Not read.")))
    assert sum("unknown" in line for line in told) == len(USED[enabled])
    assert not any(character.isdigit() for line in told for character in line)


def test_summary_has_the_sentences_and_the_facts_behind_them() -> None:
    facts = {**all_known(), "users": unknown(WHY)}
    told = summary(True, facts)
    assert told["effects"] == effects(True, facts)
    assert told["facts"] == {name: fact.as_result() for name, fact in facts.items()}
    assert told["facts"]["users"] == {"completeness": "unknown", "reason": WHY, "value": None}


@pytest.mark.parametrize(("count", "words"), [(0, "0 users"), (1, "1 user"), (2, "2 users")])
def test_counted(count: int, words: str) -> None:
    assert counted(count, "user", "users") == words


@given(st.lists(st.text(max_size=5), max_size=30))
def test_quoted_names_ten_and_counts_the_others(names: list[str]) -> None:
    told = quoted(names)
    assert told.startswith(", ".join(f"'{name}'" for name in names[:10]))
    assert told.endswith(f" and {len(names) - 10} more") is (len(names) > 10)


def test_ten_names_are_all_there_are() -> None:
    assert quoted(["a"] * 10) == ", ".join(["'a'"] * 10)
