# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of per-user MFA where Graph does not show them, or does not take them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, writes

OPTIONS = {"allow_app_passwords": False, "accept_risks": ["undocumented_interface"]}
TASKS: list[dict[str, Any]] = [
    {"name": "Read", "zerotrust.m365.legacy_mfa_settings_info": {}},
    {"name": "Change", "zerotrust.m365.legacy_mfa_settings": OPTIONS},
]
PAGE = "in the Microsoft Entra admin center under Users > Per-user MFA > Service settings"


@pytest.mark.deep
@pytest.mark.parametrize("answer", ["404", "403"])
def test_where_graph_does_not_show_them(answer: str, simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenant = simulator.tenant("legacy")
    simulator.assume(tenant, {"mfa_service_policy": answer})
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": TASKS}]))
    for options in (["--check"], []):
        run = play(playbook, *options, environment=simulator.environment(tenant), warns=True)
        assert run.return_code == 2
        found = run.task("Read").result["legacy_mfa_settings"]
        assert (found["completeness"], found["value"]) == ("unknown", None)
        assert answer in found["reason"]
        assert PAGE in run.task("Read").message
        assert PAGE in run.task("Change").message
        assert run.task("Change").message.endswith("Nothing was written.")
    assert writes(simulator.journal()) == []


@pytest.mark.deep
def test_a_refused_change_is_an_error_and_no_change(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenant = simulator.tenant("legacy")
    simulator.strike(path="/policies/mfaServicePolicy", method="PATCH", status=403, times=None)
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": TASKS}]))
    run = play(playbook, environment=simulator.environment(tenant), warns=True)
    assert run.return_code == 2
    assert run.task("Change").message.startswith("Could not change the settings of per-user MFA: ")
    assert not run.task("Change").changed
