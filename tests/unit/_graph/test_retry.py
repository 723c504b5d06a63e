# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""How long to wait: pure arithmetic."""

from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.retry import RetryPolicy, refused, seconds_of


def policy(max_retries: int = 6, max_wait: float = 120.0, jitter: Callable[[], float] = lambda: 0.5) -> RetryPolicy:
    return RetryPolicy(max_retries=max_retries, max_wait=max_wait, warn=print, jitter=jitter)


@given(st.text())
def test_any_header_gives_seconds_or_nothing(text: str) -> None:
    seconds = seconds_of(text, text)
    assert seconds is None or seconds >= 0


@given(st.floats(0, 1e9, allow_nan=False))
def test_decimal_seconds(value: float) -> None:
    text = f"{value:.6f}"
    assert seconds_of(text) == float(text)


@given(
    st.integers(631152000, 3786912000).map(lambda seconds: datetime.fromtimestamp(seconds, timezone.utc)),
    st.integers(-100_000, 100_000),
)
def test_dates(sent: datetime, later: int) -> None:
    until = format_datetime(datetime.fromtimestamp(sent.timestamp() + later, timezone.utc), usegmt=True)
    assert seconds_of(until, format_datetime(sent, usegmt=True)) == max(0, later)
    assert seconds_of(until, None, now=sent.timestamp) == max(0, later)
    assert seconds_of(until, "yesterday", now=sent.timestamp) == max(0, later)


@pytest.mark.parametrize(
    "text", [None, "", " ", "-1", "+1", "1e3", "nan", "inf", "1,5", "soon", "\u0661", "0x10", "Mon, 99 Foo"]
)
def test_what_says_nothing(text: str | None) -> None:
    assert seconds_of(text) is None


@given(st.floats(0, 1), st.integers(0, 10), st.floats(0, 200), st.one_of(st.none(), st.floats(0, 1e6)))
def test_a_wait_keeps_all_bounds(jitter: float, earlier: int, waited: float, asked: float | None) -> None:
    seconds = policy(jitter=lambda: jitter).wait(asked, earlier, waited)
    if seconds is not None:
        assert earlier < 6
        assert waited + seconds <= 120.0 + 1e-9
        assert seconds > 0
        assert seconds >= (asked or 0)
    elif earlier < 6 and asked:
        assert waited + asked > 120.0


def test_waits_without_advice_grow() -> None:
    waits = [policy(max_wait=1000).wait(None, earlier, 0) for earlier in range(6)]
    assert waits == [0.75, 1.5, 3.0, 6.0, 12.0, 22.5]


def test_all_of_the_budget_may_be_asked_for() -> None:
    assert policy().wait(120.0, 0, 0.0) == 120.0
    assert policy().wait(120.1, 0, 0.0) is None


@pytest.mark.parametrize(
    ("status", "asked", "expected"),
    [(429, None, True), (429, 2.0, True), (503, 2.0, True), (503, None, False), (500, 2.0, False), (504, None, False)],
)
def test_what_a_server_surely_did_not_do(status: int, asked: float | None, expected: bool) -> None:
    assert refused(status, asked) is expected
