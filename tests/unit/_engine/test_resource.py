# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.compare import held_by
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.plan import NOT_SHOWN, Request
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import Property, StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import PropertyTable, needs
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, run_of

TABLE = PropertyTable(
    title="the example policy",
    path="/policies/example",
    version="beta",
    rows=(
        Property("enabled", "isEnabled", type="bool"),
        Property("days", "reconfirmationInDays", type="int"),
        Property("code", "sharedSecret", write_only=True),
    ),
    body={"@odata.type": "#microsoft.graph.example"},
)
CURRENT = {"enabled": False, "days": 14}


def change(**options: Any) -> Any:
    return TABLE.change(run_of(FakeGraph(), options), CURRENT)


def test_a_table_reads_its_object_once() -> None:
    graph = FakeGraph({"/policies/example": {"isEnabled": False, "reconfirmationInDays": 14, "id": "x"}})
    assert TABLE.read(run_of(graph, {})) == CURRENT
    assert graph.sent == [("GET", "/policies/example", None)]
    assert graph.asked == [{"version": "beta", "action": "read the example policy"}]


def test_the_options_of_a_table_are_those_of_its_rows() -> None:
    assert TABLE.arguments() == {
        "enabled": {"type": "bool"},
        "days": {"type": "int"},
        "code": {"type": "str", "no_log": True},
    }


def test_a_table_cannot_read_an_incomplete_object() -> None:
    with pytest.raises(StateUnknown, match="Graph's answer for /policies/example has no 'reconfirmationInDays'"):
        TABLE.read(run_of(FakeGraph({"/policies/example": {"isEnabled": False}}), {}))


def test_no_difference_no_change() -> None:
    assert change() is None
    assert change(enabled=False, days=14) is None
    assert change(enabled=None, days=None, code=None) is None


def test_one_patch_holds_the_keys_that_differ_and_the_fixed_ones() -> None:
    made = change(enabled=True, days=14)
    assert made.outline() == Request(
        method="PATCH",
        path="/policies/example",
        version="beta",
        action="change the example policy",
        body={"@odata.type": "#microsoft.graph.example", "isEnabled": True},
    )


def test_the_diff_shows_what_is_managed_and_nothing_else() -> None:
    made = change(enabled=True)
    assert (made.title, made.before, made.after) == ("the example policy", {"enabled": False}, {"enabled": True})
    both = change(enabled=True, days=14)
    assert (both.before, both.after) == (CURRENT, {"enabled": True, "days": 14})


def test_a_secret_is_sent_but_not_shown() -> None:
    made = change(code="hunter-2")
    assert made.outline().body["sharedSecret"] == "hunter-2"
    assert made.after == {"code": f"{NOT_SHOWN} (changed)"}
    assert "hunter-2" not in repr(made)


def test_declared_permissions_count_before_the_table() -> None:
    path = "/policies/identitySecurityDefaultsEnforcementPolicy"
    declared = Request("PATCH", path, "change it", permissions=(frozenset(["Policy.ReadWrite.Everything"]),))
    (need,) = needs(declared)
    assert (need.what, need.all_of) == ("change it", (frozenset(["Policy.ReadWrite.Everything"]),))


def test_the_table_knows_what_security_defaults_need() -> None:
    (need,) = needs(Request("PATCH", "/policies/identitySecurityDefaultsEnforcementPolicy", "change it"))
    assert need.missing(["Policy.Read.All", "Policy.ReadWrite.SecurityDefaults"]) == ()
    assert need.missing(["Policy.ReadWrite.SecurityDefaults"]) == (frozenset(["Policy.Read.All"]),)


def test_an_unknown_path_needs_nothing_that_is_known() -> None:
    assert needs(Request("PATCH", "/somewhere/new", "change it")) == []


NESTED = PropertyTable(
    title="the example policy",
    path="/policies/example",
    rows=(
        Property(
            "remember",
            "remember",
            type="dict",
            compare=held_by,
            rows=(Property("enabled", "isEnabled", type="bool"), Property("days", "numberOfDays", type="int")),
        ),
    ),
)


def test_an_object_is_compared_by_what_was_written_and_sent_whole() -> None:
    body = {"remember": {"isEnabled": True, "numberOfDays": 90, "more": None, "x@odata.type": "y"}}
    graph = FakeGraph({"/policies/example": body})
    current = NESTED.read(run_of(graph, {}))
    assert NESTED.change(run_of(graph, {"remember": {"enabled": None, "days": 90}}), current, body) is None
    made = NESTED.change(run_of(graph, {"remember": {"enabled": None, "days": 7}}), current, body)
    assert made is not None
    assert (made.before, made.after) == ({"remember": {"days": 90}}, {"remember": {"days": 7}})
    assert made.outline().body == {"remember": {"isEnabled": True, "numberOfDays": 7, "more": None}}
