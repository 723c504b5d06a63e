# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the other tests here would say of a collection that gives: none of them passes because nothing can fail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import Property
from ansible_collections.zerotrust.m365.tests.unit.hostile.conftest import OpenTenant, Variables
from ansible_collections.zerotrust.m365.tests.unit.hostile.every_module import (
    SCENARIOS,
    usual_tasks,
)
from ansible_collections.zerotrust.m365.tests.unit.hostile.judging import too_good, unclean, unwanted_changes
from ansible_collections.zerotrust.m365.tests.unit.hostile.mutations import mutations
from ansible_collections.zerotrust.m365.tests.unit.hostile.nonsense import taken_apart
from ansible_collections.zerotrust.m365.tests.unit.hostile.replayed_tenant import ReplayedTenant, Sent
from ansible_collections.zerotrust.m365.tests.unit.hostile.test_hostile_answers import Trial, wrong_results
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL

TRUTH: dict[str, Any] = {
    "msg": "One thing would be changed.",
    "changed": True,
    "diff": [{"after_header": "security defaults", "before": {"enabled": False}, "after": {"enabled": True}}],
    "accounts": [{"verdict": "unusable", "fact": {"completeness": "unknown"}}],
    "usable": 0,
    "enough": False,
}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"msg": ""}, "no message"),
        ({"msg": "Unexpected KeyError in login: 'a'. This is a bug of zerotrust.m365."}, "a crash"),
        ({"msg": "a" * 5000}, "5000 characters"),
        ({"msg": "\x1b[31mred"}, "not readable"),
        ({"msg": "a\nb"}, "not readable"),
        ({"msg": "\u202eabc"}, "not readable"),
        ({"warnings": ["\x9b31m"]}, "a warning"),
        ({"invocation": {"a": ["hunter-2"]}}, "a secret is shown"),
    ],
)
def test_what_is_unclean(changes: dict[str, Any], word: str) -> None:
    assert unclean(TRUTH, ["hunter-2"]) == []
    (fault,) = unclean({**TRUTH, **changes}, ["hunter-2"])
    assert word in fault


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"changed": False}, "called as wanted"),
        ({"accounts": [{"verdict": "usable", "fact": {"completeness": "unknown"}}]}, "verdict is 'usable'"),
        ({"accounts": [{"verdict": "unusable", "fact": {"completeness": "known"}}]}, "is known, in truth unknown"),
        ({"usable": 1}, "usable is 1"),
        ({"enough": True}, "enough is True"),
    ],
)
def test_what_is_too_good(changes: dict[str, Any], word: str) -> None:
    assert too_good(TRUTH, TRUTH) == []
    (fault,) = too_good({**TRUTH, **changes}, TRUTH)
    assert word in fault
    assert too_good({**TRUTH, **changes, "failed": True}, TRUTH) == []
    assert "did not" in too_good(TRUTH, {"failed": True, "msg": "No."})[0]
    assert too_good({**TRUTH, "changed": False, "verdict": "unknown"}, TRUTH) == []


def test_a_change_that_nobody_asked_for() -> None:
    assert unwanted_changes(TRUTH, TRUTH) == []
    other = {"after_header": "security defaults", "after": {"enabled": False}}
    assert len(unwanted_changes({**TRUTH, "diff": [other]}, TRUTH)) == 1
    assert unwanted_changes({**TRUTH, "diff": [other], "failed": True}, TRUTH) == []


@pytest.mark.parametrize(
    ("url", "word"),
    [
        (f"{URL}/v1.0/users/zq7a/bzq7", "a segment of its own"),
        (f"{URL}/v1.0/users/zq7a?bzq7", "a segment of its own"),
        (f"{URL}/v1.0/../beta/users", "a segment of its own"),
        (f"{URL}/v1.0/users?$filter=a eq 'zq7'zq7'", "outside of its quotes"),
        (f"{URL}/v1.0/users?$filter=a eq 'zq7' or '1' eq '1zq7'", "outside of its quotes"),
        (f"{URL}/v1.0/users?$filter=a eq 'zq7&$top=1zq7'", "a parameter of its own"),
        (f"{URL}/v1.0/users/zq7a#zq7", "another place"),
        ("https://localhost/v1.0/users", "another place"),
    ],
)
def test_what_comes_apart(url: str, word: str) -> None:
    right = f"{URL}/v1.0/users/zq7a%2Fbzq7?$filter=a%20eq%20'zq7''%26zq7'"
    assert taken_apart(Sent("GET", right, {}, b"")) == []
    assert any(word in fault for fault in taken_apart(Sent("GET", url, {}, b"")))
    inside = json.dumps({"requests": [{"id": "0", "url": url.removeprefix(f"{URL}/v1.0")}]}).encode()
    if word != "another place":
        assert any(word in fault for fault in taken_apart(Sent("POST", f"{URL}/v1.0/$batch", {}, inside)))
    assert len(taken_apart(Sent("GET", right, {"X": "a\r\nb"}, b""))) == 1


def test_every_place_of_an_answer_is_changed() -> None:
    found = list(mutations(0, {"value": [{"id": "1", "isEnabled": True}, {"id": "2"}, {"id": "3"}]}))
    assert {mutation.place for mutation in found} == {
        (),
        ("value",),
        *((("value", number)) for number in (0, 2)),
        *((("value", number, "id")) for number in (0, 2)),
        ("value", 0, "isEnabled"),
    }
    assert all(mutation.value is not True for mutation in found if mutation.place[-1:] == ("isEnabled",))


def faults_about_security_defaults(tenant: ReplayedTenant, variables: Mapping[str, Any]) -> list[str]:
    """What is found when the one property that the module is about is wrong."""
    module = "security_defaults"
    trial = Trial(tenant, module, usual_tasks(module, variables)[0].options)
    assert trial.truth["changed"]
    wrong = wrong_results(trial, [one for one in trial.mutations() if one[0].place == ("isEnabled",)])
    return [fault for faults in wrong.values() for fault in faults]


@pytest.mark.parametrize(
    ("read", "word"),
    [
        (lambda row, body, _path: body[row.graph], "a crash"),
        (lambda row, body, _path: body.get(row.graph) is not False, "called as wanted"),
    ],
    ids=["no look at the type", "a default for what is missing"],
)
def test_a_careless_module_is_found_out(
    read: Any, word: str, open_tenant: OpenTenant, variables: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = open_tenant(SCENARIOS["security_defaults"])
    assert faults_about_security_defaults(tenant, variables(tenant)) == []
    monkeypatch.setattr(Property, "read", read)
    assert any(word in fault for fault in faults_about_security_defaults(tenant, variables(tenant)))
