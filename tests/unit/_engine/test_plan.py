# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.plan import NO_ID, Change, Plan, Request

REQUEST = Request(method="PATCH", path="/policies/x", action="change x", body={"password": "hidden-value"})


@pytest.mark.parametrize(
    ("before", "after"), [({"on": False}, {"on": True}), (None, {"on": True}), ({"on": True}, None)]
)
def test_the_diff_of_a_change_has_both_sides_under_its_title(before: Any, after: Any) -> None:
    assert Change("x", before, after, REQUEST).diff() == {
        "before_header": "x",
        "after_header": "x",
        "before": before,
        "after": after,
    }


def test_the_diff_of_a_plan_has_every_change_in_order() -> None:
    changes = [Change(title, None, {"title": title}, REQUEST) for title in ("second", "first", "third")]
    assert [entry["after_header"] for entry in Plan(changes).diff()] == ["second", "first", "third"]


def test_no_change_no_diff() -> None:
    assert Plan().diff() == []


def test_the_diff_is_a_copy() -> None:
    before = {"on": False}
    diff = Change("x", before, {"on": True}, REQUEST).diff()
    diff["before"]["on"] = "changed"
    assert before == {"on": False}


def test_a_request_does_not_show_its_body() -> None:
    assert "hidden-value" not in repr(REQUEST)
    assert "hidden-value" not in repr(Plan([Change("x", None, None, REQUEST)]))


def test_before_anything_is_created_the_outline_of_a_request_has_an_id_that_is_nobodys() -> None:
    change = Change("x", None, {}, lambda created: Request("POST", f"/users/{created['user']}/methods", "add a method"))
    assert change.outline().path == f"/users/{NO_ID}/methods"
    assert change.request_with({"user": "7"}).path == "/users/7/methods"
