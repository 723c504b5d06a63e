# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.compare import contains, restrict, same
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import (
    at,
    json_objects,
    json_values,
    of_other_type,
    places,
    removed,
    replaced,
)


def shuffled(value: Any, order: random.Random) -> Any:
    """The same lists in another order, all the way down."""
    if isinstance(value, dict):
        return {name: shuffled(item, order) for name, item in value.items()}
    if isinstance(value, list):
        return order.sample([shuffled(item, order) for item in value], len(value))
    return value


def with_additions(value: Any) -> Any:
    """What Graph makes of a body: annotations and properties of its own in every object."""
    if isinstance(value, dict):
        kept = {name: with_additions(item) for name, item in value.items()}
        return {"@odata.type": "#microsoft.graph.added", **kept, "added by Graph": None}
    if isinstance(value, list):
        return [with_additions(item) for item in value]
    return value


@given(json_values)
def test_same_and_contains_are_reflexive(value: Any) -> None:
    other = copy.deepcopy(value)
    assert same(value, other)
    assert contains(other, value)
    assert contains(value, value)


@given(json_values, json_values)
def test_same_is_symmetric_and_implies_contains(one: Any, other: Any) -> None:
    assert same(one, other) is same(other, one)
    if same(one, other):
        assert contains(one, other)
        assert contains(other, one)


@given(json_values, st.randoms(use_true_random=False))
def test_the_order_of_lists_does_not_matter(value: Any, order: random.Random) -> None:
    assert contains(shuffled(value, order), value)


@given(json_values)
def test_what_graph_adds_does_not_matter(value: Any) -> None:
    assume(not any("added by Graph" in place or "@odata.type" in place for place in places(value)))
    assert contains(with_additions(value), value)


@given(json_objects, st.data())
def test_a_changed_leaf_is_noticed(value: dict[str, Any], data: st.DataObject) -> None:
    leaves = [place for place in places(value) if not isinstance(at(value, place), (dict, list))]
    assume(leaves)
    place = data.draw(st.sampled_from(leaves))
    # A value that occurs nowhere else, so that no other list item can take its place.
    changed = replaced(value, place, "a value that nothing has")
    assert not contains(changed, value)
    assert not contains(value, changed)
    assert not same(changed, value)


@given(json_objects, st.data())
def test_a_missing_key_or_list_item_is_noticed(value: dict[str, Any], data: st.DataObject) -> None:
    assume(value)
    place = data.draw(st.sampled_from(list(places(value))))
    assert not contains(removed(value, place), value)


@given(json_objects, st.data())
def test_another_type_is_noticed(value: dict[str, Any], data: st.DataObject) -> None:
    assume(value)
    place = data.draw(st.sampled_from([(name,) for name in value]))
    other = data.draw(st.sampled_from(of_other_type(at(value, place))))
    assume(other != at(value, place) or isinstance(other, bool) is not isinstance(at(value, place), bool))
    assert not same(replaced(value, place, other), value)


@pytest.mark.parametrize(("one", "other"), [(True, 1), (False, 0), (True, 1.0), (True, "true"), (None, False)])
def test_true_is_not_one(one: Any, other: Any) -> None:
    for compare in (same, contains):
        assert not compare(one, other)
        assert not compare(other, one)
        assert not compare({"list": [{"key": one}]}, {"list": [{"key": other}]})


@pytest.mark.parametrize(("one", "other"), [(None, ""), (None, []), (None, {}), ("", []), ({}, []), ("1", 1)])
def test_empty_values_of_different_kinds_differ(one: Any, other: Any) -> None:
    for compare in (same, contains):
        assert not compare(one, other)
        assert not compare(other, one)


def test_same_is_strict_about_order_and_keys() -> None:
    assert not same([1, 2], [2, 1])
    assert not same({"a": 1}, {"a": 1, "b": 2})
    assert same({"a": [1, {"b": None}]}, {"a": [1.0, {"b": None}]})


def test_a_missing_key_is_not_null() -> None:
    assert not contains({}, {"name": None})
    assert contains({"name": None}, {"name": None})


def test_each_declared_item_needs_an_item_of_its_own() -> None:
    assert not contains([1, 2], [1, 1])
    assert not contains([1, 1], [1, 2])
    assert not contains([1, 2, 3], [1, 2])
    assert contains([2, 1, 1], [1, 1, 2])


def test_partial_items_are_matched_even_when_the_first_choice_is_taken() -> None:
    current = [{"id": "a", "kind": "user"}, {"id": "b", "kind": "user"}]
    assert contains(current, [{"kind": "user"}, {"id": "a"}])
    assert contains(current, [{"kind": "user"}, {"id": "b"}])
    assert not contains(current, [{"id": "a"}, {"kind": "user", "id": "a"}])
    assert not contains([*current, {"id": "c", "kind": "user"}], [{"kind": "user"}, {"id": "a"}, {"id": "a"}])


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 1), max_size=3), max_size=5), st.data())
def test_partial_items_find_their_match(current: list[dict[str, int]], data: st.DataObject) -> None:
    names = [data.draw(st.sets(st.sampled_from(sorted(item)))) if item else set() for item in current]
    partial = [{name: item[name] for name in kept} for item, kept in zip(current, names, strict=True)]
    assert contains(current, data.draw(st.permutations(partial)))


def test_many_equal_items_are_compared() -> None:
    many = [{"targetType": "group"} for _unused in range(1000)]
    assert contains(many, copy.deepcopy(many))


@given(json_values, json_values)
def test_restriction_keeps_what_was_declared_and_nothing_more(current: Any, desired: Any) -> None:
    assert contains(restrict(current, desired), desired) is contains(current, desired)
    if isinstance(current, dict) and isinstance(desired, dict):
        assert set(restrict(current, desired)) == set(current) & set(desired)


@given(json_values)
def test_restriction_drops_what_graph_adds_to_objects(value: Any) -> None:
    assert restrict(value, value) == value
    if isinstance(value, dict) and not any(isinstance(at(value, place), list) for place in places(value)):
        assert restrict(with_additions(value), value) == value


def test_long_lists_in_another_order_are_compared_at_once() -> None:
    ranges = [{"cidrAddress": f"10.{number // 256}.{number % 256}.0/24"} for number in range(2000)]
    assert contains(ranges, ranges[::-1])


def test_an_item_that_was_found_is_not_found_again_for_a_partial_one() -> None:
    whole, other = {"name": "a", "mode": "single"}, {"name": "b", "mode": "single"}
    assert contains([whole, whole, other], [whole, {"name": "a"}, {"mode": "single"}])
    assert not contains([whole, whole, other], [whole, {"name": "a"}, {"name": "a"}])
