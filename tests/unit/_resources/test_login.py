# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.zerotrust.m365.plugins.module_utils._resources.login import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import TENANT_ID, FakeGraph, run_of


def test_the_token_is_returned_with_what_it_is_good_for() -> None:
    run = run_of(FakeGraph(roles=frozenset(["User.Read.All", "Policy.Read.All"])), {})
    token = RESOURCE.read(run)
    plan = RESOURCE.plan(run, token)
    assert RESOURCE.result(run, plan, token) == {
        "access_token": "header.payload.signature",
        "expires": "2026-09-21T14:13:20+00:00",
        "tenant_id": TENANT_ID,
        "permissions": ["Policy.Read.All", "User.Read.All"],
        "cloud": "global",
    }


def test_nothing_but_the_token_itself_holds_the_token() -> None:
    run = run_of(FakeGraph(secret="a.very.secret"), {})
    token = RESOURCE.read(run)
    plan = RESOURCE.plan(run, token)
    result = RESOURCE.result(run, plan, token)
    assert RESOURCE.secret_results == ("access_token",)
    assert [name for name, value in result.items() if "a.very.secret" in repr(value)] == ["access_token"]
    assert "a.very.secret" not in repr((token, plan))
    assert plan.changes == ()
