# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.filter.tenant_summary import FilterModule, tenant_summary
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import known, unknown
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.summary import LINES, tenant_lines
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values

VALUES: dict[str, Any] = {
    "organization": {
        "id": "0f1c1a80-0000-4000-8000-000000000001",
        "display_name": "Contoso",
        "created": None,
        "country": None,
        "synchronised": False,
    },
    "kind": "AAD",
    "region": {"scope": "EU", "cloud": "global"},
    "licences": {"tier": "free", "subscriptions": []},
    "domains": [
        {
            "name": "contoso.onmicrosoft.com",
            "authentication_type": "Managed",
            "initial": True,
            "default": True,
            "verified": True,
        }
    ],
    "federation": [
        {"domain": "one.example", "federated_idp_mfa_behavior": None, "issuer_uri": None},
        {"domain": "two.example", "federated_idp_mfa_behavior": "enforceMfaByFederatedIdp", "issuer_uri": None},
    ],
    "users": {
        "total": 43,
        "members": 41,
        "guests": 2,
        "other": 0,
        "synchronised": 3,
        "cloud_only": 40,
        "disabled": 5,
        "enabled_members": 36,
        "enabled_guests": 2,
    },
    "privileged_roles": {
        "roles": [],
        "protected_administrators": ["admin@contoso.example"],
        "other_administrators": [],
        "directory_synchronization_accounts": ["sync@c.example"],
    },
    "security_defaults": {"enabled": False},
    "conditional_access": {
        "enabled": ["MFA for all"],
        "enabledForReportingButNotEnforced": ["Block legacy", "Compliant devices"],
        "disabled": [],
    },
    "per_user_mfa": {"disabled": 30, "enabled": 6, "enforced": 4},
    "authentication_methods": {
        "migration_state": "preMigration",
        "enabled_methods": ["MicrosoftAuthenticator", "Sms"],
        "registration_reach": "some",
    },
}
TENANT = {name: known(value).as_result() for name, value in VALUES.items()}


def line(name: str, value: Any) -> str:
    (told,) = tenant_lines({name: known(value).as_result()})
    return told


def test_every_fact_has_a_line() -> None:
    assert set(VALUES) == set(LINES)
    assert len(tenant_lines(TENANT)) == len(LINES)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("organization", "Contoso, country not set, cloud only"),
        ("kind", "workforce tenant"),
        ("region", "EU (global)"),
        ("licences", "Microsoft Entra ID free"),
        ("domains", "1, initial contoso.onmicrosoft.com"),
        ("federation", "one.example (MFA not set), two.example (enforceMfaByFederatedIdp)"),
        ("users", "43 (41 members, 2 guests, 3 synchronised, 5 disabled)"),
        (
            "privileged_roles",
            "1 in the roles that security defaults protect, 0 in others; synchronisation accounts: sync@c.example",
        ),
        ("security_defaults", "off"),
        ("conditional_access", "1 enabled, 2 report-only, 0 disabled"),
        ("per_user_mfa", "4 enforced, 6 enabled, 30 disabled"),
        ("authentication_methods", "MicrosoftAuthenticator, Sms (preMigration); some can register MFA"),
    ],
)
def test_a_known_fact_is_told(name: str, words: str) -> None:
    assert line(name, VALUES[name]) == f"{LINES[name][0]:<24}{words}"


@pytest.mark.parametrize("name", LINES)
def test_an_unknown_fact_is_told_as_unknown_with_its_reason(name: str) -> None:
    (told,) = tenant_lines({name: unknown("A permission is missing.").as_result()})
    assert told == f"{LINES[name][0]:<24}UNKNOWN: A permission is missing."


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("kind", "AAD B2C", "AAD B2C: not supported, nothing will be changed"),
        (
            "organization",
            {**VALUES["organization"], "country": "NL", "synchronised": True},
            "Contoso, NL, synchronised from on premises",
        ),
        ("security_defaults", {"enabled": True}, "on"),
        ("federation", [], "none"),
        ("domains", [], "0, initial none"),
        (
            "domains",
            [{"name": name, "initial": name != "b.example"} for name in ("a.example", "b.example", "c.example")],
            "3, initial a.example, c.example",
        ),
        (
            "privileged_roles",
            {**VALUES["privileged_roles"], "directory_synchronization_accounts": ["a@c.example", "b@c.example"]},
            (
                "1 in the roles that security defaults protect, 0 in others; synchronisation accounts: "
                "a@c.example, b@c.example"
            ),
        ),
        (
            "privileged_roles",
            {**VALUES["privileged_roles"], "directory_synchronization_accounts": []},
            "1 in the roles that security defaults protect, 0 in others",
        ),
        (
            "authentication_methods",
            {**VALUES["authentication_methods"], "enabled_methods": []},
            "none (preMigration); some can register MFA",
        ),
        # A policy in an unfamiliar state is not left out.
        (
            "conditional_access",
            {**VALUES["conditional_access"], "unknownFutureValue": ["MFA for all"], "aState": []},
            "1 enabled, 2 report-only, 0 disabled, 0 aState, 1 unknownFutureValue",
        ),
    ],
)
def test_other_values_are_told(name: str, value: Any, words: str) -> None:
    assert line(name, value) == f"{LINES[name][0]:<24}{words}"


@given(st.lists(st.sampled_from(sorted(VALUES)), unique=True), st.sets(st.sampled_from(sorted(VALUES))))
def test_a_subset_is_told_in_the_fixed_order(names: list[str], not_known: set[str]) -> None:
    tenant = {name: unknown("Not read.").as_result() if name in not_known else TENANT[name] for name in names}
    told = tenant_lines(tenant)
    assert [one[:24].rstrip() for one in told] == [title for name, (title, _unused) in LINES.items() if name in names]
    assert sum("UNKNOWN" in one for one in told) == len(not_known.intersection(names))


def test_facts_without_a_line_are_passed_over() -> None:
    assert tenant_lines({"later": known(5).as_result()}) == []


def test_the_filter_gives_the_same_lines() -> None:
    assert FilterModule().filters()["tenant_summary"](TENANT) == tenant_lines(TENANT)


@given(json_values)
def test_the_filter_says_what_it_needs(value: Any) -> None:
    if isinstance(value, dict):
        assert tenant_summary(value) == []  # no name of a fact among them
    else:
        with pytest.raises(AnsibleFilterError, match="tenant_info"):
            tenant_summary(value)


@given(st.sampled_from(sorted(LINES)), json_values)
def test_the_filter_never_crashes_on_a_malformed_value(name: str, value: Any) -> None:
    assert len(_lines_or_filter_error({name: {"completeness": "known", "reason": None, "value": value}})) == 1
    assert len(_lines_or_filter_error({name: value})) == 1


def _lines_or_filter_error(tenant: dict[str, Any]) -> list[str]:
    """The lines, or the filter's own error as the only one; any other exception gets out."""
    try:
        return tenant_summary(tenant)
    except AnsibleFilterError as error:
        return [str(error)]
