# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other tests are held to the schema by."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.contract.watching import Recorded, check_answer, fail_on
from m365_simulator.exchanges import Exchange

CONTEXT = "https://localhost:1/v1.0/$metadata#users"


def listed(number: int = 1, **properties: Any) -> Exchange:
    answer = {"@odata.context": CONTEXT, "value": [properties]}
    return Exchange(number, None, None, "v1.0", "GET", "/users", "", None, 200, answer)


def test_a_lie_fails_the_test_that_sees_it() -> None:
    check_answer(listed(displayName="Ann"))
    with pytest.raises(AssertionError, match="user has no displayname, but a displayName"):
        check_answer(listed(displayname="Ann"))


def test_the_same_finding_is_said_once() -> None:
    fail_on([])
    with pytest.raises(AssertionError) as caught:
        fail_on(["a", "b", "a"])
    assert str(caught.value).splitlines()[1:] == ["a", "b"]


def test_a_file_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "exchanges.jsonl"
    recorded = Recorded(path)
    assert list(recorded.new()) == []
    lines = [json.dumps(asdict(exchange)) for exchange in (listed(), listed(2, nobody=1), listed(3, nobody=1))]
    path.write_text(f"{lines[0]}\n{lines[1]}\n{lines[2][:20]}", encoding="utf-8")
    assert [len(verdict.answer) for verdict in recorded.new()] == [0, 1]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert [verdict.answer for verdict in recorded.new()] == [["GET /v1.0/users, answer 200: user has no nobody"]]
    assert list(recorded.new()) == []
