# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy import legacy_mfa_settings as rules
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import known, unknown


def settings(
    *, app_passwords: bool = False, enabled: bool = False, days: Any = 14, skip: bool = False, ranges: Any = ()
) -> dict[str, Any]:
    return {
        "allow_app_passwords": app_passwords,
        "remember_mfa_on_trusted_device": {"enabled": enabled, "days": days},
        "trusted_ips": {
            "skip_mfa_for_federated_users": skip,
            "ip_ranges": None if ranges is None else list(ranges),
        },
    }


STRICT = settings()

MORE_OFTEN = "people are asked more often."
NOT_AT = "Nobody is asked for per-user MFA at these addresses any more:"
TOO_AT = "People with per-user MFA are asked for it at these addresses too:"
REMEMBERED = "Who ticks it when signing in is not asked for MFA on that device for"

# Before, after, what is weaker then, and what is stricter the other way.
CHANGES: dict[str, tuple[Any, Any, str, str]] = {
    "app passwords": (
        STRICT,
        settings(app_passwords=True),
        "People with per-user MFA may make app passwords, with which mail clients and the like sign in without MFA.",
        (
            "People with per-user MFA can make no new app passwords for mail clients, printers and the like. Whether "
            "those that they have go on working is not documented."
        ),
    ),
    "devices are remembered": (
        STRICT,
        settings(enabled=True, days=7),
        f"{REMEMBERED} 7 days.",
        f"Devices on which people did MFA are remembered no longer; {MORE_OFTEN}",
    ),
    "for a day longer": (
        settings(enabled=True),
        settings(enabled=True, days=15),
        f"{REMEMBERED} 15 days instead of 14 days.",
        f"Devices on which people did MFA are remembered 14 days; {MORE_OFTEN}",
    ),
    "for one day": (
        settings(enabled=True, days=0),
        settings(enabled=True, days=1),
        f"{REMEMBERED} 1 day.",
        f"Devices on which people did MFA are remembered no longer; {MORE_OFTEN}",
    ),
    "federated users": (
        STRICT,
        settings(skip=True),
        "Federated users who sign in from inside their organisation are not asked for MFA.",
        "Federated users are asked for MFA inside their organisation too.",
    ),
    "addresses": (
        STRICT,
        settings(ranges=["203.0.113.0/24", "2001:db8::/32"]),
        f"{NOT_AT} 203.0.113.0/24, 2001:db8::/32.",
        f"{TOO_AT} 203.0.113.0/24, 2001:db8::/32.",
    ),
    "more addresses": (
        settings(ranges=["203.0.113.0/24"]),
        settings(ranges=["203.0.112.0/23"]),
        f"{NOT_AT} 203.0.112.0/23.",
        f"{TOO_AT} 203.0.112.0/23.",
    ),
    "another range": (
        settings(ranges=["203.0.113.0/24"]),
        settings(ranges=["203.0.113.0/24", "2001:db8::/32"]),
        f"{NOT_AT} 2001:db8::/32.",
        f"{TOO_AT} 2001:db8::/32.",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_weaker_one_way_is_stricter_the_other(change: str) -> None:
    before, after, weaker, stricter = CHANGES[change]
    assert (rules.weaker(before, after), rules.stricter(before, after)) == ([weaker], [])
    there, back = after, before
    assert (rules.weaker(there, back), rules.stricter(there, back)) == ([], [stricter])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (settings(days=1), settings(days=365)),
        (settings(ranges=["203.0.113.0/25", "203.0.113.128/25"]), settings(ranges=["203.0.113.0/24"])),
        (settings(ranges=["10.0.0.0/8", "odd"]), settings(ranges=["odd", "10.0.0.0/8"])),
    ],
    ids=["days that count for nothing", "the same addresses", "the same ranges"],
)
def test_what_is_neither(before: Any, after: Any) -> None:
    assert rules.weaker(before, after) == []
    assert rules.stricter(before, after) == []
    assert rules.effects(before, after, None)[0] == "Nobody is asked for MFA more or less often than now."


def test_a_range_that_cannot_be_read_counts_as_new() -> None:
    assert rules.untrusted_before(["10.0.0.0/8"], ["nonsense"]) == ["nonsense"]


networks = st.builds(
    lambda address, bits: str(ipaddress.ip_network((address << 4, bits), strict=False)),
    st.integers(min_value=0, max_value=2**28 - 1).map(lambda number: number & 0xFF),
    st.integers(min_value=24, max_value=32),
)


def addresses(ranges: list[str]) -> set[Any]:
    return {address for text in ranges for address in ipaddress.ip_network(text)}


@given(st.lists(networks, max_size=5), st.lists(networks, max_size=5))
def test_ranges_are_new_just_when_an_address_is(before: list[str], after: list[str]) -> None:
    new = rules.untrusted_before(before, after)
    assert bool(new) == bool(addresses(after) - addresses(before))


flags = st.booleans()
any_settings = st.builds(
    settings,
    app_passwords=flags,
    enabled=flags,
    days=st.one_of(st.none(), st.integers(-1, 400)),
    skip=flags,
    ranges=st.one_of(st.none(), st.lists(networks, max_size=3)),
)


@given(any_settings, any_settings)
def test_every_weakening_stands_in_the_way(before: dict[str, Any], after: dict[str, Any]) -> None:
    risks = [obstacle.risk for obstacle in rules.obstacles(before, after)]
    assert risks[0] == rules.UNDOCUMENTED_INTERFACE
    assert (rules.WEAKER_MFA in risks) == bool(rules.weaker(before, after))
    assert rules.effects(before, after, None)


@given(any_settings)
def test_nothing_is_weaker_than_itself(one: dict[str, Any]) -> None:
    assert rules.weaker(one, one) == []
    assert rules.stricter(one, one) == []


WHERE = "in the Microsoft Entra admin center under Users > Per-user MFA > Service settings."
UNDOCUMENTED = (
    "These settings can only be changed through /beta/policies/mfaServicePolicy, which Microsoft neither documents nor "
    f"supports; a person changes them {WHERE}"
)


def test_what_is_refused_says_how_to_go_on_all_the_same() -> None:
    after = settings(app_passwords=True, skip=True)
    lines = " ".join(rules.weaker(STRICT, after))
    assert rules.refusal(rules.obstacles(STRICT, after)) == (
        f"The settings of per-user MFA were not changed. {UNDOCUMENTED} To go on all the same, add "
        f"'undocumented_interface' to accept_risks. This makes MFA weaker. {lines} To go on all the same, add "
        "'weaker_mfa' to accept_risks."
    )


def test_what_is_unknown_says_where_a_person_looks() -> None:
    assert rules.unknown_settings("No.") == (
        f"The settings of per-user MFA are unknown: No. A person sees them {WHERE}"
    )


def test_an_approver_is_told_everything() -> None:
    before, after = settings(ranges=["10.0.0.0/8"]), settings(app_passwords=True)
    location = "Conditional Access policies that name the location 'MFA trusted IPs' follow these addresses."
    one = known({"disabled": 0, "enabled": 1, "enforced": 0})
    assert rules.effects(before, after, one) == [
        *rules.weaker(before, after),
        *rules.stricter(before, after),
        "1 user has per-user MFA.",
        location,
    ]
    assert rules.effects(settings(ranges=None), settings(ranges=["10.0.0.0/8"]), None)[1:] == [
        location,
        f"Graph does not show the trusted addresses, so whether they stay as they are is unknown: look {WHERE}",
    ]


def test_an_approver_is_told_how_many_have_per_user_mfa() -> None:
    counted = known({"disabled": 5, "enabled": 1, "enforced": 2})
    assert rules.effects(STRICT, settings(app_passwords=True), counted)[-1] == "3 users have per-user MFA."
    lines = rules.effects(STRICT, settings(app_passwords=True), unknown("Refused."))
    assert lines[-1] == "How many users have per-user MFA is unknown: Refused."


def test_hidden_ranges_are_called_unknown() -> None:
    lines = rules.effects(settings(ranges=None), settings(ranges=None, skip=True), None)
    assert "Graph does not show the trusted addresses" in lines[-1]
    assert "Per-user MFA > Service settings" in lines[-1]


def test_only_what_is_wanted_changes() -> None:
    wanted = {"remember_mfa_on_trusted_device": {"days": 30}, "allow_app_passwords": True}
    assert rules.after_change(STRICT, wanted) == settings(app_passwords=True, days=30)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"remember_mfa_on_trusted_device": {"days": 0}}, "must be from 1 to 365, but is 0"),
        ({"remember_mfa_on_trusted_device": {"days": 366}}, "but is 366"),
        ({"trusted_ips": {"ip_ranges": ["203.0.113.0/33"]}}, "203.0.113.0/33"),
        ({"trusted_ips": {"ip_ranges": ["203.0.113.7/24"]}}, "host bits set"),
        ({"trusted_ips": {"ip_ranges": [f"10.0.{part}.0/24" for part in range(51)]}}, "at most 50 ranges, but has 51"),
    ],
)
def test_bad_values_are_named(options: dict[str, Any], words: str) -> None:
    (sentence,) = rules.refused_values(options)
    assert words in sentence


def test_good_values_are_not() -> None:
    ranges = ["203.0.113.7", "2001:db8::/32"]
    wanted = {"remember_mfa_on_trusted_device": {"days": 365}, "trusted_ips": {"ip_ranges": ranges}}
    assert rules.refused_values(wanted) == []
    assert rules.refused_values({"allow_app_passwords": True}) == []
    assert rules.refused_values({"remember_mfa_on_trusted_device": {"days": 1}}) == []
    most = [f"10.0.{part}.0/24" for part in range(50)]
    assert rules.refused_values({"trusted_ips": {"ip_ranges": most}, "remember_mfa_on_trusted_device": None}) == []


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("203.0.113.7", "203.0.113.7/32"), ("2001:DB8::/32", "2001:db8::/32"), ("10.1.2.3/8", "10.0.0.0/8"), ("?", "?")],
)
def test_one_form_for_each_range(text: str, canonical: str) -> None:
    assert rules.canonical_range(text) == canonical


@pytest.mark.parametrize("cloud", ["usgov", "usgov_dod", "china"])
def test_other_clouds_are_unknown(cloud: str) -> None:
    assert f"'{cloud}' is not known" in str(rules.unknown_cloud(cloud))


@pytest.mark.parametrize("cloud", ["global", "custom"])
def test_where_it_has_been_seen(cloud: str) -> None:
    assert rules.unknown_cloud(cloud) is None
