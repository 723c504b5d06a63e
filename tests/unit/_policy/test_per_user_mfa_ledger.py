# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.per_user_mfa import STATES
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.per_user_mfa_ledger import (
    CHANGE,
    CHANGED,
    COVER,
    REFUSED,
    RESTORE,
    RESTORED,
    Entry,
    change,
    cover_seen,
    line,
    open_entries,
    other_tenants,
)

NOW = "2026-11-23T12:00:00Z"

entries = st.builds(
    Entry, st.sampled_from("ab"), st.just("name@b.example"), st.sampled_from(STATES), st.sampled_from(STATES)
)
lines = st.lists(
    st.builds(
        lambda event, entry: change(event, "tenant", NOW, entry),
        st.sampled_from([CHANGE, CHANGED, REFUSED, RESTORE, RESTORED]),
        entries,
    )
    | st.just(line(COVER, "tenant", NOW, by="security_defaults"))
)


@given(lines)
def test_what_is_open_is_the_last_change_that_was_neither_refused_nor_undone(several: list[dict[str, Any]]) -> None:
    found = open_entries(several)
    for identity in "ab":
        own = [one for one in several if one.get("id") == identity]
        since = max((place for place, one in enumerate(own) if one["event"] == RESTORED), default=-1)
        stack: list[Entry] = []
        for one in own[since + 1 :]:
            if one["event"] == CHANGE:
                stack.append(Entry(identity, one["user_principal_name"], one["before"], one["left"]))
            elif one["event"] == REFUSED and stack:
                stack.pop()
        assert found.get(identity) == (stack[-1] if stack else None)


@given(lines, entries)
def test_a_change_that_was_refused_changes_nothing(several: list[dict[str, Any]], entry: Entry) -> None:
    refused = [change(event, "tenant", NOW, entry) for event in (CHANGE, REFUSED)]
    assert open_entries([*several, *refused]) == open_entries(several)


def test_when_cover_was_first_seen() -> None:
    seen = [line(COVER, "tenant", stamp, by="security_defaults") for stamp in (NOW, "2026-12-01T00:00:00Z")]
    assert cover_seen(seen, "security_defaults") == NOW
    assert cover_seen(seen, "policy MFA for all") is None


def test_other_tenants_are_named() -> None:
    assert other_tenants([line(COVER, "mine", NOW, by="a"), line(COVER, "yours", NOW, by="a")], "mine") == ["yours"]


@pytest.mark.parametrize(
    "item",
    [{}, {"event": "more", "id": "1"}, {"event": "change"}, {"event": "change", "id": "1", "user_principal_name": "a"}],
)
def test_an_odd_line_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedShape):
        open_entries([item])
