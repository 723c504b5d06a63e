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
    COVER_GONE,
    REFUSED,
    RESTORE,
    RESTORED,
    Entry,
    change,
    cover_gone,
    cover_seen,
    line,
    open_entries,
    other_tenants,
    policy_cover,
    taken_since,
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
    | st.sampled_from([COVER, COVER_GONE]).map(lambda event: line(event, "tenant", NOW, by="security_defaults"))
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


LATER, LAST = "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"
DEFAULTS = "security_defaults"


def seen(at: str, by: str = DEFAULTS) -> dict[str, Any]:
    return line(COVER, "tenant", at, by=by)


def gone(by: str = DEFAULTS) -> dict[str, Any]:
    return line(COVER_GONE, "tenant", LATER, by=by)


def test_when_cover_was_first_seen() -> None:
    assert cover_seen([]) == {}
    assert cover_seen([seen(NOW), seen(LATER), seen(LATER, "policy A")]) == {DEFAULTS: NOW, "policy A": LATER}


def test_cover_that_was_gone_counts_from_when_it_came_back() -> None:
    both = [seen(NOW), seen(NOW, "policy A"), gone()]
    assert cover_seen(both) == {"policy A": NOW}
    assert cover_seen([gone(), *both, gone(), seen(LATER), seen(LAST)]) == {DEFAULTS: LATER, "policy A": NOW}


ANN = Entry("a", "ann", "enforced", "disabled")


@pytest.mark.parametrize(
    ("events", "since"),
    [
        ([], ""),
        ([seen(NOW)], NOW),
        ([change(CHANGE, "tenant", NOW, ANN)], NOW),
        ([seen(NOW), change(CHANGE, "tenant", LATER, ANN), change(CHANGE, "tenant", LAST, ANN)], LATER),
        ([change(CHANGE, "tenant", NOW, ANN), change(RESTORED, "tenant", LATER, ANN)], LATER),
        ([change(CHANGE, "tenant", NOW, ANN), change(RESTORE, "tenant", LATER, ANN)], NOW),
        ([change(CHANGE, "tenant", NOW, ANN), gone(), seen(LAST)], LATER),
        ([change(CHANGE, "tenant", NOW, ANN), gone(), change(CHANGE, "tenant", LAST, ANN)], LAST),
        ([seen(NOW), change(CHANGED, "tenant", LATER, ANN)], NOW),
    ],
)
def test_since_when_it_is_taken_away(events: list[dict[str, Any]], since: str) -> None:
    assert taken_since(events) == since


@pytest.mark.parametrize(("event", "voids"), [(RESTORE, True), (RESTORED, True), (CHANGE, False), (CHANGED, False)])
def test_after_anything_was_put_back_all_cover_counts_anew(event: str, voids: bool) -> None:
    put_back = change(event, "tenant", LATER, Entry("a", "ann", "enforced", "disabled"))
    before = [seen(NOW), seen(NOW, "policy A"), put_back]
    assert cover_seen(before) == ({} if voids else {DEFAULTS: NOW, "policy A": NOW})
    assert cover_seen([*before, seen(LAST)])[DEFAULTS] == (LAST if voids else NOW)


@pytest.mark.parametrize(
    ("security_defaults", "policies", "missing"),
    [
        (True, ["A", "B"], []),
        (False, ["A", "B"], [DEFAULTS]),
        (None, ["A"], ["policy B"]),
        (True, [], ["policy A", "policy B"]),
        (True, ["security_defaults", "B"], ["policy A"]),
        (False, None, [DEFAULTS]),
        (None, None, []),
    ],
)
def test_what_is_not_there_any_more(
    security_defaults: bool | None, policies: list[str] | None, missing: list[str]
) -> None:
    known = [DEFAULTS, policy_cover("A"), policy_cover("B")]
    assert cover_gone(known, security_defaults, policies) == missing
    assert cover_gone([], security_defaults, policies) == []


@pytest.mark.parametrize(
    ("item", "words"),
    [({}, "'event' is missing"), ({"event": "cover", "by": "a"}, "'at' is missing")]
    + [({"event": event, "at": NOW}, "'by' is missing") for event in (COVER, COVER_GONE)],
)
def test_an_odd_line_about_cover_is_refused(item: dict[str, Any], words: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"^{words}$"):
        cover_seen([item])


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
