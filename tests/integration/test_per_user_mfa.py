# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant moved from per-user MFA to security defaults and back, by playbooks. The simulator's watch looks on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes

RETIRE: dict[str, Any] = {
    "name": "Take per-user MFA from everybody who is covered, wave by wave",
    "zerotrust.m365.per_user_mfa": {
        "state": "disabled",
        "all": True,
        "canary": 2,
        "wave_size": 12,
        "settle_time": 1,
        "ledger": "{{ ledger }}",
    },
    "register": "wave",
    "until": "wave.per_user_mfa.remaining == 0",
    "retries": 10,
    "delay": 0,
}
COVER: dict[str, Any] = {
    "name": "Turn security defaults on",
    "zerotrust.m365.security_defaults": {
        "enabled": True,
        "accept_risks": ["unproven_emergency_access", "unknown_registration_methods"],
    },
}
RESTORE: dict[str, Any] = {
    "name": "Put everything back",
    "zerotrust.m365.per_user_mfa": {"restore_from": "{{ ledger }}"},
}


def states(simulator: Simulator, tenant: Tenant) -> dict[str, str]:
    users = simulator.state(tenant)["objects"]["user"]
    return {user["userPrincipalName"]: user["perUserMfaState"] for user in users}


def test_from_per_user_mfa_to_security_defaults_and_back(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenant = simulator.tenant("legacy")
    ledger = tmp_path / "ledger.jsonl"

    def run(*tasks: dict[str, Any]) -> Any:
        playbook = tmp_path / "playbook.yml"
        playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]))
        done = play(playbook, environment=simulator.environment(tenant), variables={"ledger": str(ledger)})
        assert done.return_code == 0, done.output
        return done

    before = states(simulator, tenant)
    assert run(COVER, RETIRE).changed() == 2
    assert set(states(simulator, tenant).values()) == {"disabled"}
    paths = [request.path for request in writes(simulator.journal())]
    assert paths[0] == "/policies/identitySecurityDefaultsEnforcementPolicy"
    assert len(paths) == 1 + sum(state != "disabled" for state in before.values())
    assert len(set(paths)) == len(paths)

    simulator.forget()
    assert run(COVER, RETIRE).changed() == 0
    assert writes(simulator.journal()) == []

    assert run(RESTORE).changed() == 1
    assert states(simulator, tenant) == before
