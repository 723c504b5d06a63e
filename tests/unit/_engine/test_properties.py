# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.compare import held_by
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.plan import NOT_SHOWN
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import (
    JSON_TYPES,
    Property,
    StateUnknown,
    arguments,
    current_values,
    differing,
    shown,
    wanted_values,
)
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values

PATH = "/policies/example"
ROWS = (
    Property("enabled", "isEnabled", type="bool", required=True),
    Property("state", "state", choices=("default", "enabled", "disabled"), default="default"),
    Property("days", "reconfirmationInDays", type="int", nullable=True),
    Property("names", "displayNames", type="list", elements="str"),
    Property("password", "passwordProfile", type="dict", write_only=True),
)
BODY = {"isEnabled": True, "state": "enabled", "reconfirmationInDays": None, "displayNames": ["a"], "@odata.type": "x"}
CURRENT = {"enabled": True, "state": "enabled", "days": None, "names": ["a"]}

FITS = {
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: value.__class__ is int,
    "float": lambda value: type(value) in (int, float),
    "str": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, list),
    "dict": lambda value: isinstance(value, dict),
}


def test_a_table_is_an_argument_spec() -> None:
    assert arguments(ROWS) == {
        "enabled": {"type": "bool", "required": True},
        "state": {"type": "str", "choices": ["default", "enabled", "disabled"], "default": "default"},
        "days": {"type": "int"},
        "names": {"type": "list", "elements": "str"},
        "password": {"type": "dict", "no_log": True},
    }


def test_ansible_accepts_the_argument_spec() -> None:
    validation = ArgumentSpecValidator(arguments(ROWS)).validate({"enabled": "yes", "password": {"value": "hunter-2"}})
    assert validation.error_messages == []
    assert validation.validated_parameters["enabled"] is True
    assert validation.validated_parameters["state"] == "default"
    assert "hunter-2" in validation._no_log_values


@given(st.sampled_from(sorted(JSON_TYPES)), json_values, st.booleans())
def test_a_value_is_read_when_its_type_fits_and_is_unknown_otherwise(kind: str, value: Any, nullable: bool) -> None:
    row = Property("option", "graphName", type=kind, nullable=nullable)
    if FITS[kind](value) or (value is None and nullable):
        assert row.read({"graphName": value}, PATH) is value
    else:
        with pytest.raises(StateUnknown, match=f"{PATH} has a 'graphName' that is no {kind}"):
            row.read({"graphName": value}, PATH)


@pytest.mark.parametrize("nullable", [True, False])
def test_a_missing_property_is_unknown_not_a_default(nullable: bool) -> None:
    row = Property("option", "graphName", default="default", nullable=nullable)
    with pytest.raises(StateUnknown, match="has no 'graphName'"):
        row.read({"graphname": "x"}, PATH)


def test_an_error_about_a_value_does_not_quote_it() -> None:
    with pytest.raises(StateUnknown) as caught:
        Property("option", "graphName", type="bool").read({"graphName": "maybe-a-secret"}, PATH)
    assert "maybe-a-secret" not in str(caught.value)


def test_current_values_are_under_option_names_without_what_is_write_only() -> None:
    assert current_values(ROWS, BODY, PATH) == CURRENT


@pytest.mark.parametrize("name", ["isEnabled", "state", "reconfirmationInDays", "displayNames"])
def test_one_unknown_property_makes_the_whole_state_unknown(name: str) -> None:
    with pytest.raises(StateUnknown):
        current_values(ROWS, {key: value for key, value in BODY.items() if key != name}, PATH)


def test_what_the_user_did_not_write_is_not_managed() -> None:
    options: dict[str, Any] = {"enabled": False, "state": None, "names": [], "other": 1}
    assert wanted_values(ROWS, options) == {"enabled": False, "names": []}


def test_false_zero_and_empty_values_are_managed() -> None:
    options: dict[str, Any] = {"enabled": False, "days": 0, "state": "", "names": []}
    assert wanted_values(ROWS, options) == options


def test_only_rows_that_differ_are_sent() -> None:
    wanted = {"enabled": True, "state": "disabled", "names": ["a"]}
    assert list(differing(ROWS, wanted, CURRENT)) == ["state"]


def test_nothing_differs_from_itself() -> None:
    assert differing(ROWS, {name: value for name, value in CURRENT.items() if value is not None}, CURRENT) == {}


@given(json_values, json_values)
def test_rows_are_compared_by_their_own_comparison(wanted: Any, current: Any) -> None:
    always_same = Property("option", "graphName", compare=lambda _wanted, _current: True)
    never_same = Property("option", "graphName", compare=lambda _wanted, _current: False)
    assert differing([always_same], {"option": wanted}, {"option": current}) == {}
    assert differing([never_same], {"option": wanted}, {"option": current}) == {"option": never_same}


def test_true_is_not_one_in_a_table() -> None:
    assert list(differing(ROWS, {"enabled": True}, {**CURRENT, "enabled": 1})) == ["enabled"]


def test_write_only_values_always_differ() -> None:
    assert list(differing(ROWS, {"password": {"value": "x"}}, CURRENT)) == ["password"]


def test_everything_wanted_differs_from_what_does_not_exist() -> None:
    assert list(differing(ROWS, {"enabled": False, "names": []}, None)) == ["enabled", "names"]


def test_what_is_write_only_is_never_shown() -> None:
    values = shown(ROWS, {"enabled": True, "password": {"value": "hunter-2"}})
    assert values == {"enabled": True, "password": NOT_SHOWN}


def test_what_does_not_exist_is_shown_as_null() -> None:
    assert shown(ROWS, None) is None


# Objects with properties of their own

RESTRICTIONS = Property(
    "restrictions",
    "keyRestrictions",
    type="dict",
    compare=held_by,
    not_sent=("shownOnly",),
    rows=(
        Property("is_enforced", "isEnforced", type="bool"),
        Property("models", "aaGuids", type="list", elements="str", canonical=str.lower, compare=held_by, public=True),
        Property("kinds", "passkeyTypes", type="list", elements="str", choices=("bound", "synced"), flags=True),
    ),
)
RULES = Property(
    "rules",
    "rules",
    type="list",
    elements="dict",
    compare=held_by,
    rows=(Property("name", "ruleName", required=True), Property("mode", "ruleMode", choices=("single", "multi"))),
)
PRESENT = {
    "keyRestrictions": {
        "isEnforced": True,
        "aaGuids": ["AB"],
        "passkeyTypes": "synced, bound",
        "shownOnly": 1,
        "x@odata.context": "y",
        "other": 2,
    },
    "rules": [{"ruleName": "one", "ruleMode": "single", "id": "7"}],
}


def test_a_table_below_a_table_is_an_argument_spec() -> None:
    spec = arguments([RESTRICTIONS, RULES])
    assert spec["restrictions"]["options"]["kinds"] == {
        "type": "list",
        "elements": "str",
        "choices": ["bound", "synced"],
    }
    assert spec["restrictions"]["options"]["models"]["no_log"] is False
    assert spec["rules"]["options"]["name"] == {"type": "str", "required": True}


def test_objects_are_read_and_written_under_both_names() -> None:
    current = current_values([RESTRICTIONS, RULES], PRESENT, PATH)
    assert current == {
        "restrictions": {"is_enforced": True, "models": ["ab"], "kinds": ["bound", "synced"]},
        "rules": [{"name": "one", "mode": "single"}],
    }
    wanted = wanted_values(
        [RESTRICTIONS, RULES],
        {
            "restrictions": {"is_enforced": None, "models": ["CD", "AB"], "kinds": ["synced", "bound"]},
            "rules": [{"name": "one", "mode": None}],
        },
    )
    assert wanted == {
        "restrictions": {"models": ["cd", "ab"], "kinds": ["bound", "synced"]},
        "rules": [{"name": "one"}],
    }
    # What was not written of the one rule does not count; one model more does.
    assert list(differing([RESTRICTIONS, RULES], wanted, current)) == ["restrictions"]
    assert RESTRICTIONS.write(wanted["restrictions"], PRESENT["keyRestrictions"]) == {
        "isEnforced": True,
        "aaGuids": ["cd", "ab"],
        "passkeyTypes": "bound,synced",
        "other": 2,
    }
    assert RULES.write(wanted["rules"]) == [{"ruleName": "one"}]


@pytest.mark.parametrize(
    ("row", "answer", "what"),
    [
        (RESTRICTIONS, {"keyRestrictions": []}, "a 'keyRestrictions' that is no dict"),
        (
            RESTRICTIONS,
            {"keyRestrictions": {"isEnforced": "yes"}},
            "(keyRestrictions) has a 'isEnforced' that is no bool",
        ),
        (RESTRICTIONS, {"keyRestrictions": {"passkeyTypes": ["bound"]}}, "a 'passkeyTypes' that is no str"),
        (RESTRICTIONS, {"keyRestrictions": {"aaGuids": [1]}}, "a 'aaGuids' with an item that is no str"),
        (RULES, {"rules": ["one"]}, "(rules) has an item that is no dict"),
        (RULES, {"rules": [{"ruleName": None}]}, "(rules) has a 'ruleName' that is no str"),
        (RULES, {}, "no 'rules'"),
    ],
)
def test_an_object_of_another_shape_is_unknown_and_is_told_where(row: Property, answer: Any, what: str) -> None:
    with pytest.raises(StateUnknown, match=re.escape(what)) as caught:
        current_values([row], answer, PATH)
    assert f"Graph's answer for {PATH}" in str(caught.value)


def test_of_what_does_not_exist_nothing_is_kept() -> None:
    assert RESTRICTIONS.write({"is_enforced": True}) == {"isEnforced": True}


def test_an_object_in_an_object_keeps_what_was_not_written() -> None:
    outer = Property("outer", "outer", type="dict", rows=(RESTRICTIONS, Property("mode", "mode")))
    present = {"keyRestrictions": {"isEnforced": True, "other": 2}, "mode": "single"}
    assert outer.write({"restrictions": {"is_enforced": False}}, present) == {
        "keyRestrictions": {"isEnforced": False, "other": 2},
        "mode": "single",
    }


def test_a_single_value_has_a_form_in_which_it_is_compared() -> None:
    row = Property("address", "mail", canonical=str.lower, nullable=True)
    assert row.read({"mail": "A@x"}, PATH) == row.wanted("a@X") == "a@x"
    assert row.read({"mail": None}, PATH) is row.wanted(None) is None
