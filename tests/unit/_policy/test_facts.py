# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import (
    UnexpectedShape,
    boolean,
    known,
    mapping,
    objects,
    optional_boolean,
    optional_text,
    text,
    texts,
    unknown,
)
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values


@given(json_values)
def test_a_known_fact_keeps_its_value_and_has_no_reason(value: Any) -> None:
    assert known(value).as_result() == {"completeness": "known", "reason": None, "value": value}


def test_an_unknown_fact_has_a_reason_and_no_value() -> None:
    fact = unknown("The page failed.")
    assert fact.known is False
    assert fact.as_result() == {"completeness": "unknown", "reason": "The page failed.", "value": None}


def test_false_and_empty_values_are_known() -> None:
    values: list[Any] = [False, 0, "", [], None]
    assert [known(value).completeness for value in values] == ["known"] * 5


@given(json_values)
def test_readers_return_the_very_value_or_raise(value: Any) -> None:
    fits: dict[Callable[[Any, str], Any], bool] = {
        text: isinstance(value, str),
        optional_text: value is None or isinstance(value, str),
        boolean: isinstance(value, bool),
        optional_boolean: value is None or isinstance(value, bool),
        objects: isinstance(value, list) and all(isinstance(entry, dict) for entry in value),
        texts: isinstance(value, list) and all(isinstance(entry, str) for entry in value),
        mapping: isinstance(value, dict),
    }
    for read, expected in fits.items():
        if expected:
            assert read({"name": value}, "name") is value
        else:
            with pytest.raises(UnexpectedShape, match="'name'"):
                read({"name": value}, "name")


READERS = (text, optional_text, boolean, optional_boolean, objects, texts, mapping)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("item", [{}, {"other": "x"}], ids=repr)
def test_a_missing_property_is_unexpected(read: Callable[[Any, str], Any], item: Any) -> None:
    with pytest.raises(UnexpectedShape, match=r"^'name' is missing$"):
        read(item, "name")


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("item", [None, "name", ["name"], 5], ids=repr)
def test_what_is_no_object_is_unexpected(read: Callable[[Any, str], Any], item: Any) -> None:
    with pytest.raises(UnexpectedShape, match=r"^an object was expected$"):
        read(item, "name")
