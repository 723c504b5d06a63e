# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""Codes of sign-in errors."""

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.aadsts import MEANINGS, codes_in, meaning

KNOWN = [
    "7000215",
    "7000222",
    "7000218",
    "700027",
    "700024",
    "7000214",
    "7000277",
    "1000502",
    "700016",
    "7000112",
    "90002",
    "900023",
    "90038",
    "70021",
    "700213",
    "700211",
    "53003",
    "65001",
    "500011",
    "90033",
    "90024",
    "90055",
    "530032",
]


@pytest.mark.parametrize("code", KNOWN)
def test_each_code_has_a_meaning_and_an_advice(code: str) -> None:
    means, do = MEANINGS[code]
    assert means.endswith(".")
    assert do.endswith(".")
    assert meaning([code]) == (means, do)


def test_nothing_is_in_the_table_that_is_not_tested() -> None:
    assert set(MEANINGS) == set(KNOWN)


def test_codes_are_found_wherever_they_are() -> None:
    assert codes_in("AADSTS7000215: Invalid client secret.", [7000215]) == ["7000215"]
    assert codes_in("AADSTS50000: Oh. AADSTS700016: no app", ["50000", None, {"a": 1}, True]) == ["700016", "50000"]
    assert codes_in("") == []


def test_an_unknown_code_still_says_what_to_do() -> None:
    assert "sign-in log" in meaning(["12345"])[1]
