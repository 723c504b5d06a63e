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


def test_what_was_restored_is_done_with() -> None:
    one, other = (Entry(identity, "ann", "enforced", "disabled") for identity in "ab")
    made = [change(CHANGE, "tenant", NOW, entry) for entry in (one, one, other)]
    assert open_entries([*made, change(RESTORE, "tenant", NOW, one)]) == {"a": one, "b": other}
    assert open_entries([*made, change(RESTORED, "tenant", NOW, one)]) == {"b": other}
    assert open_entries([change(RESTORED, "tenant", NOW, one), *made]) == {"a": one, "b": other}


def test_what_a_line_says() -> None:
    assert line(COVER, "tenant", NOW, by="a") == {"event": "cover", "tenant_id": "tenant", "at": NOW, "by": "a"}
    assert change(RESTORE, "tenant", NOW, Entry("1", "ann", "enforced", "disabled")) == {
        "event": "restore",
        "tenant_id": "tenant",
        "at": NOW,
        "id": "1",
        "user_principal_name": "ann",
        "before": "enforced",
        "left": "disabled",
    }


def test_when_cover_was_first_seen() -> None:
    seen = [line(COVER, "tenant", stamp, by="security_defaults") for stamp in (NOW, "2026-12-01T00:00:00Z")]
    assert cover_seen(seen, "security_defaults") == NOW
    assert cover_seen(seen, "policy MFA for all") is None


def test_other_tenants_are_named() -> None:
    assert other_tenants([line(COVER, "mine", NOW, by="a"), line(COVER, "yours", NOW, by="a")], "mine") == ["yours"]


ODD: dict[str, dict[str, Any]] = {
    "'event' is missing": {},
    "the event 'more' is not known to this version": {"event": "more", "id": "1"},
    "'id' is missing": {"event": "change"},
    "'user_principal_name' is missing": {"event": "change", "id": "1"},
    "'before' is missing": {"event": "change", "id": "1", "user_principal_name": "a"},
    "'before' is 'on', which is no state of per-user MFA": {
        "event": "change",
        "id": "1",
        "user_principal_name": "a",
        "before": "on",
    },
    "'left' is missing": {"event": "change", "id": "1", "user_principal_name": "a", "before": "enabled"},
}


@pytest.mark.parametrize("words", ODD)
def test_an_odd_line_is_refused(words: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"^{words}$"):
        open_entries([ODD[words]])
