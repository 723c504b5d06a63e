# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.sign_in_sessions import (
    VALID_FROM,
    is_external,
    is_revoked,
    whole_seconds,
)

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001
SINCE = datetime(2026, 11, 23, 8, tzinfo=timezone.utc)


def user(**properties: Any) -> dict[str, Any]:
    return {"userPrincipalName": "noor@contoso.example", "externalUserState": None, **properties}


@pytest.mark.parametrize(
    ("valid_from", "revoked"),
    [
        ("2026-11-23T07:59:59Z", False),
        ("2026-11-23T07:59:59.9999999Z", False),
        ("2026-11-23T08:00:00Z", True),
        ("2026-11-23T08:00:00.0000001Z", True),
        ("2026-11-23T08:59:59+01:00", False),
        ("2026-11-23T09:00:00+01:00", True),
        (None, False),
    ],
)
def test_what_counts_as_revoked(valid_from: str | None, revoked: bool) -> None:
    assert is_revoked({VALID_FROM: valid_from}, SINCE) is revoked


@given(MOMENTS, MOMENTS)
def test_nobody_counts_as_revoked_whose_sessions_are_older(valid_from: datetime, since: datetime) -> None:
    since = whole_seconds(since.isoformat())
    assert is_revoked({VALID_FROM: valid_from.isoformat()}, since) is (valid_from >= since)


@given(st.none() | st.booleans() | st.integers() | st.text() | MOMENTS.map(str) | st.lists(st.text()))
def test_what_is_unreadable_never_counts_as_revoked(value: Any) -> None:
    try:
        found = is_revoked({VALID_FROM: value}, SINCE)
    except UnexpectedShape:
        return
    assert found is (isinstance(value, str) and whole_seconds(value) >= SINCE)


@pytest.mark.parametrize("item", [{}, {VALID_FROM: "soon"}, {VALID_FROM: 1}, {VALID_FROM: "0001-01-01T00:00:00+09:00"}])
def test_what_is_unreadable_is_unknown(item: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedShape, match=VALID_FROM):
        is_revoked(item, SINCE)


@pytest.mark.parametrize(
    ("properties", "external"),
    [
        ({}, False),
        ({"userType": "Guest"}, False),
        ({"userPrincipalName": "noor_fabrikam.example#EXT#@contoso.onmicrosoft.com"}, True),
        ({"userPrincipalName": "noor_fabrikam.example#ext#@contoso.onmicrosoft.com"}, True),
        ({"externalUserState": "Accepted"}, True),
        ({"externalUserState": "PendingAcceptance"}, True),
    ],
)
def test_who_signs_in_elsewhere(properties: dict[str, Any], external: bool) -> None:
    assert is_external(user(**properties)) is external


@pytest.mark.parametrize("name", ["userPrincipalName", "externalUserState"])
def test_without_the_marks_it_is_unknown(name: str) -> None:
    item = user()
    del item[name]
    with pytest.raises(UnexpectedShape, match=name):
        is_external(item)


def test_seconds_are_whole_and_of_one_time_zone() -> None:
    assert whole_seconds("2026-11-23 09:00:00.75+01:00") == SINCE
    assert whole_seconds(f"{SINCE - timedelta(seconds=0)}") == SINCE
    assert whole_seconds("2026-11-23") == SINCE - timedelta(hours=8)
    for written in ("", "yesterday", "2026-13-01T00:00:00Z"):
        with pytest.raises(ValueError, match=r"."):
            whole_seconds(written)
    with pytest.raises(ValueError, match="it is out of range"):
        whole_seconds("0001-01-01T00:00:00+09:00")
