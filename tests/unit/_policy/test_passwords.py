# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.emergency_accounts import (
    name_refusal,
    password_refusal,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.passwords import SYMBOLS, new_password

NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'.-_!#^~"


@given(st.integers(0), st.sampled_from([101, 103, 1009]), st.text(alphabet=NAME_CHARACTERS, min_size=1, max_size=64))
def test_entra_takes_every_password(start: int, step: int, name: str) -> None:
    draws = count(start, step)
    password = new_password(lambda characters: characters[next(draws) % len(characters)])
    assert re.fullmatch(f"([A-HJ-NP-Za-km-z2-9]{{3}}[{re.escape(SYMBOLS)}]){{16}}", password)
    for characters in ("[a-z]", "[A-Z]", "[0-9]"):
        assert re.search(characters, password)
    assert password_refusal(password, [name, "Emergency access"]) is None


def test_no_name_of_an_account_has_a_symbol_of_a_password() -> None:
    assert all(name_refusal(f"a{symbol}b") for symbol in SYMBOLS if symbol != "@")


def test_a_class_that_is_missing_is_drawn_for_again() -> None:
    draws = iter(["a"] * 48 + ["a", "B", "3"] * 16 + ["+"] * 16)
    assert new_password(lambda _characters: next(draws)) == "aB3+" * 16
