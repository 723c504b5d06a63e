# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A security key in a playbook: what it refuses is told alike by both doors, and its PIN by neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.zerotrust.m365.tests.integration.comparing import without_moments
from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import leftovers, plugged_in
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, writes

PIN, WRONG_PIN = "safe-key-493716", "wrong-key-804152"
USER = "boardroom@contoso.example"


def task(name: str, door: str, **options: Any) -> dict[str, Any]:
    given = {"user": USER, "display_name": "Safe in Utrecht", "pin": "{{ pin }}", "touch_timeout": 10, **options}
    return {
        "name": f"{name}, through the {door}",
        "zerotrust.m365.passkey": given,
        "vars": {"m365_in_process": door == "action"},
        "ignore_errors": True,
    }


@pytest.mark.deep
@pytest.mark.parametrize(
    "tasks",
    [
        pytest.param({"A wrong PIN": {"pin": "{{ wrong_pin }}"}}, id="wrong"),
        pytest.param(
            {"No PIN": {"pin": ""}, "No name": {"display_name": ""}, "Register": {}},
            id="others",
        ),
    ],
)
def test_the_pin_is_told_nowhere(
    simulator: Simulator, play: Play, tmp_path: Path, tasks: dict[str, dict[str, Any]]
) -> None:
    tenant = simulator.tenant("business")
    playbook = tmp_path / "playbook.yml"
    steps = [task(name, door, **options) for name, options in tasks.items() for door in ("action", "module")]
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": steps}]))
    run = play(
        playbook,
        "--diff",
        "-vvvv",
        door=None,
        environment={**simulator.environment(tenant), **plugged_in(PIN)},
        variables={"pin": PIN, "wrong_pin": WRONG_PIN},
    )
    told = [run.output, *(path.read_text("utf-8", "replace") for path in leftovers(run.folder))]
    told += [(run.folder / "results.jsonl").read_text("utf-8")]
    for secret in (PIN, WRONG_PIN):
        assert not any(secret in text for text in told)
    results = {one.task: one for one in run.of_collection()}
    for name in tasks:
        through_action, through_module = (results[f"{name}, through the {door}"] for door in ("action", "module"))
        if name == "Register":
            assert (through_action.changed, through_module.changed) == (True, False)
            continue
        assert through_action.failed
        assert without_moments(through_action.result) == without_moments(through_module.result)
    if "A wrong PIN" in tasks:
        message = results["A wrong PIN, through the action"].message
        assert message == "The security key does not accept this PIN. It takes 7 more before it blocks."
        assert writes(simulator.journal(tenant)) == []
