# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.temporary_access_passes import (
    Rules,
    as_graph_writes,
    end_of,
    kind_refusal,
    lasts,
    moment,
    policy_refusal,
    rules_of,
)

CONFIGURATION: dict[str, Any] = {
    "defaultLifetimeInMinutes": 60,
    "minimumLifetimeInMinutes": 30,
    "maximumLifetimeInMinutes": 480,
    "isUsableOnce": False,
}
RULES = Rules(default_lifetime=60, shortest=30, longest=480, one_time_only=False)


def test_the_rules_of_a_policy() -> None:
    assert rules_of(CONFIGURATION) == RULES


@pytest.mark.parametrize("name", CONFIGURATION)
@pytest.mark.parametrize("value", [None, "60", 1.5, True, "missing"])
def test_a_policy_that_cannot_be_read_is_no_default(name: str, value: Any) -> None:
    if name == "isUsableOnce" and value is True:
        value = 1
    changed = {key: entry for key, entry in {**CONFIGURATION, name: value}.items() if entry != "missing"}
    with pytest.raises(UnexpectedShape, match=f"'{name}' is (no number|no boolean|missing)$"):
        rules_of(changed)


NOT_ALLOWED = (
    "The authentication methods policy does not allow ann@contoso.example a Temporary Access Pass: enable the method "
    "TemporaryAccessPass there, for a group that the user is in."
)


def too_long_or_short(minutes: int) -> str:
    return (
        f"A Temporary Access Pass of {minutes} minutes is not allowed: the authentication methods policy demands 30 to "
        "480 minutes."
    )


@pytest.mark.parametrize(
    ("enabled", "lifetime", "once", "words"),
    [
        (True, 30, True, None),
        (True, 480, False, None),
        (
            None,
            60,
            True,
            (
                "Whether the authentication methods policy allows ann@contoso.example a Temporary Access Pass could "
                "not be told."
            ),
        ),
        (False, 60, True, NOT_ALLOWED),
        (True, 29, True, too_long_or_short(29)),
        (True, 481, True, too_long_or_short(481)),
    ],
)
def test_what_the_policy_refuses(enabled: bool | None, lifetime: int, once: bool, words: str | None) -> None:
    assert policy_refusal(RULES, "ann@contoso.example", enabled, lifetime, once) == words


def test_one_time_passes_only() -> None:
    rules = Rules(default_lifetime=60, shortest=30, longest=480, one_time_only=True)
    assert policy_refusal(rules, "ann", True, 60, True) is None
    assert policy_refusal(rules, "ann", True, 60, False) == (
        "The authentication methods policy demands that every Temporary Access Pass works only once: leave out "
        "'is_usable_once: false'."
    )


def test_external_guests_are_told_by_their_name() -> None:
    assert kind_refusal("ann@contoso.example") is None
    name = "ann_fabrikam.example#EXT#@contoso.onmicrosoft.com"
    assert kind_refusal(name) == (
        f"{name} is an external guest, who signs in at home: Entra makes no Temporary Access Pass for them."
    )


@pytest.mark.parametrize(
    ("usable", "reason", "valid"),
    [
        (True, "EnabledByPolicy", True),
        (False, "NotYetValid", True),
        (False, "Expired", False),
        (False, "OneTimeUsed", False),
        (False, "DisabledByPolicy", False),
    ],
)
def test_which_passes_last(usable: bool, reason: str, valid: bool) -> None:
    assert lasts({"isUsable": usable, "methodUsabilityReason": reason}) is valid


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ({}, "'isUsable' is missing"),
        ({"isUsable": None}, "'isUsable' is no boolean"),
        ({"isUsable": False}, "'methodUsabilityReason' is missing"),
    ],
)
def test_a_pass_without_its_state_is_unexpected(shown: dict[str, Any], words: str) -> None:
    with pytest.raises(UnexpectedShape, match=words):
        lasts(shown)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z"),
        ("2026-12-01T09:00", "2026-12-01T09:00:00Z"),
        ("2026-12-01 09:00:00", "2026-12-01T09:00:00Z"),
        ("2026-12-01T09:00:00.1234567Z", "2026-12-01T09:00:00Z"),
        ("2026-12-01T09:00:00+01:00", "2026-12-01T08:00:00Z"),
        ("2026-12-01T00:00:00-05:30", "2026-12-01T05:30:00Z"),
        (" 2026-12-01t09:00z ", "2026-12-01T09:00:00Z"),
    ],
)
@pytest.mark.usefixtures("in_tokyo")
def test_moments(written: str, read: str) -> None:
    found = moment(written)
    assert found is not None
    assert as_graph_writes(found) == read


@pytest.mark.parametrize(
    "written",
    ["", "tomorrow", "2026-12-01", "2026-13-01T09:00:00Z", "2026-12-01T25:00Z", "9:00", "0001-01-01T00:00+09:00"],
)
def test_what_is_no_moment(written: str) -> None:
    assert moment(written) is None


@pytest.mark.parametrize(
    ("start", "lifetime", "end"),
    [
        ("2026-12-01T23:30:00Z", 60, "2026-12-02T00:30:00Z"),
        (None, 60, None),
        ("2026-12-01T23:30:00Z", None, None),
        ("soon", 60, None),
        (20261201, 60, None),
        ("2026-12-01T23:30:00Z", True, None),
        ("2026-12-01T23:30:00Z", "60", None),
        ("9999-12-31T23:59:00Z", 60, None),
    ],
)
def test_the_end_of_a_pass(start: Any, lifetime: Any, end: str | None) -> None:
    assert end_of(start, lifetime) == end
