# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.targets import (
    Edit,
    edited,
    key,
    same_items,
    without_annotations,
)

names = st.sampled_from(["a", "b", "c", "d", "A", "B"])
items = st.fixed_dictionaries({"id": names, "mode": st.sampled_from(["any", "push"])})
lists = st.lists(items, max_size=4, unique_by=key)
partial = st.lists(st.fixed_dictionaries({"id": names}), max_size=3, unique_by=key)


def ids(found: Any) -> set[str]:
    return {key(item) for item in found}


@given(lists, lists, st.frozensets(names, max_size=2))
def test_added_is_there_removed_is_not_and_the_rest_stays(current: Any, add: Any, remove: Any) -> None:
    edit = Edit(add=add, remove=remove)
    if edit.contradiction:
        return
    found = edited(current, edit)
    gone = {name.lower() for name in remove}
    assert ids(found) == (ids(current) | ids(add)) - gone
    untouched = [item for item in current if key(item) not in ids(add) | gone]
    assert [item for item in found if key(item) not in ids(add)] == untouched
    assert same_items(edited(found, edit), found), "the second time changes nothing"


@given(lists, partial)
def test_set_keeps_what_is_not_written_of_an_item(current: Any, whole: Any) -> None:
    found = edited(current, Edit(whole=whole), {"mode": "new"})
    assert ids(found) == ids(whole)
    modes = {key(item): item["mode"] for item in current}
    assert all(item["mode"] == modes.get(key(item), "new") for item in found)
    assert same_items(edited(found, Edit(whole=whole)), found)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Edit(), None),
        (Edit(whole=[]), None),
        (Edit(add=[{"id": "a"}], remove=frozenset({"b"})), None),
        (
            Edit(add=[{"id": "a"}], whole=[]),
            "'set' gives the whole list; it does not go together with 'add' or 'remove'",
        ),
        (Edit(add=[{"id": "A"}], remove=frozenset({"a"})), "both added and removed: a"),
    ],
)
def test_contradictions(edit: Edit, words: str | None) -> None:
    assert edit.contradiction == words


def test_who_is_removed_is_told_without_regard_to_case() -> None:
    for present, gone in (("a", "A"), ("A", "a"), ("A", "A")):
        assert edited([{"id": present}, {"id": "b"}], Edit(remove=frozenset({gone}))) == [{"id": "b"}]


def test_annotations_neither_count_nor_are_sent() -> None:
    shown = {"@odata.context": "x", "@odata.type": "#t", "list@odata.context": "y", "list": [{"id": "a", "x@y": 1}]}
    assert without_annotations(shown) == {"@odata.type": "#t", "list": [{"id": "a"}]}
    assert same_items([{"id": "a", "x@y": 1}, {"id": "b"}], [{"id": "B"}, {"id": "a"}])
    assert not same_items([{"id": "a"}], [{"id": "a", "mode": "any"}])
    with pytest.raises(UnexpectedShape):
        key({"name": "a"})


def test_what_an_item_lists_has_no_order() -> None:
    one = {
        "id": "a",
        "allowedPasskeyProfiles": ["1", "2"],
        "keys": {"aaGuids": ["3", "4"]},
        "parts": [{"x": 1}, {"x": 2}],
    }
    other = {
        "id": "a",
        "parts": [{"x": 2}, {"x": 1}],
        "keys": {"aaGuids": ["4", "3"]},
        "allowedPasskeyProfiles": ["2", "1"],
    }
    assert same_items([one], [other])
    for name, value in (
        ("allowedPasskeyProfiles", ["1"]),
        ("allowedPasskeyProfiles", ["1", "2", "2"]),
        ("keys", {"aaGuids": ["3"]}),
        ("parts", [{"x": 1}, {"x": 1}]),
    ):
        assert not same_items([one], [{**other, name: value}])


def test_the_order_of_members_of_what_is_listed_in_an_item_does_not_count() -> None:
    one = [{"id": "1", "listed": [{"a": 1, "b": 2}, {"b": 1, "a": 2}]}]
    other = [{"id": "1", "listed": [{"b": 2, "a": 1}, {"a": 2, "b": 1}]}]
    assert same_items(one, other)
