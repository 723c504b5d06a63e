# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module, used as its documentation says: dry run, run, run again, dry run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.zerotrust.m365.tests.integration.comparing import comparable_run
from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import COLLECTIONS, plugged_in
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, token_requests, writes

COLLECTION = COLLECTIONS / "ansible_collections/zerotrust/m365"
TARGETS = Path(__file__).parent / "targets"

# For each module: the scenario that its target is written for, and the tasks that change something there.
MODULES: dict[str, tuple[str, list[str]]] = {
    "authentication_method": (
        "business",
        [
            "Passkeys for the emergency accounts, of one model, with a profile of their own",
            "Authenticator shows where a sign-in comes from, in its companions too",
        ],
    ),
    "authentication_methods_policy": (
        "business",
        [
            "Everybody but the emergency accounts is asked to register a passkey",
            "Settings that only beta has, beside one that v1.0 has",
        ],
    ),
    "certificate_user_ids": ("business", ["Bind the certificate of the safe"]),
    "conditional_access_exclusion": ("business", ["Keep the group out of every policy"]),
    "emergency_access_activity_info": ("business", []),
    "emergency_access_info": ("business", []),
    "emergency_account": ("business", ["Create an emergency account", "Mend the one that is there"]),
    "graph_info": ("business", []),
    "graph_request": (
        "business",
        [
            "Only administrators and guest inviters may invite guests",
            "A group exists",
            "A user with a password exists",
            "A Conditional Access policy is gone",
        ],
    ),
    "hardware_oath_token": ("business", ["Upload, assign and activate a token", "Put a token into stock"]),
    "legacy_mfa_settings": ("legacy", ["Tighten the service settings of per-user MFA"]),
    "legacy_mfa_settings_info": ("legacy", []),
    "login": ("greenfield", []),
    "passkey": ("business", ["Register the security key", "Remove the one of before"]),
    "per_user_mfa": ("hybrid", ["Give it to an administrator who has none"]),
    "per_user_mfa_info": ("legacy", []),
    "security_defaults": ("legacy", ["Turn security defaults on"]),
    "sign_in_sessions": ("business", ["Sign them out"]),
    "temporary_access_pass": ("business", ["Make a pass"]),
    "tenant_info": ("hybrid", []),
}

# How many writes those tasks make, where it is not one each.
WRITES = {"authentication_method": 3, "emergency_account": 4, "hardware_oath_token": 4, "sign_in_sessions": 2}

# Modules that meet a security key.
PLUGGED_IN = {"passkey"}

# Modules that warn of what they are.
WARNING = {"legacy_mfa_settings", "legacy_mfa_settings_info"}

# Tasks whose result holds a secret when they changed something, so that their diff is hidden with it.
HIDDEN = {"Make a pass"}


def shown(changes: list[tuple[str, str, Any]]) -> list[tuple[str, str, Any]]:
    return [(host, task, None if task in HIDDEN else diff) for host, task, diff in changes]


# A secret that goes in, and several requests. The others are compared in the deep tests.
THROUGH_BOTH_DOORS = ("emergency_account", "graph_request")


class Target:
    """The target playbook of a module, against a simulator."""

    def __init__(self, module: str, simulator: Simulator, play: Play, folder: Path, door: str) -> None:
        self.playbook = TARGETS / f"{module}.yml"
        self.simulator = simulator
        self.play = play
        self.door = door
        self.warns = module in WARNING
        self.tenant = simulator.tenant(MODULES[module][0])
        key = plugged_in(pin="safe-key-493716") if module in PLUGGED_IN else {}
        self.environment = {**simulator.environment(self.tenant), **key}
        self.folder = folder
        self.federated_token_file = folder / "federated_token"
        self.federated_token_file.write_text(simulator.federated_token(self.tenant), encoding="utf-8")

    def run(self, *options: str) -> Any:
        run = self.play(
            self.playbook,
            "--diff",
            *options,
            door=self.door,
            environment=self.environment,
            warns=self.warns,
            variables={
                "tenant_id": self.tenant.tenant_id,
                "client_id": self.tenant.client_id,
                "client_secret": self.tenant.client_secret,
                "certificate_path": self.tenant.certificate_path,
                "federated_token_file": str(self.federated_token_file),
                "managed_identity": self.simulator.managed_identity,
                "initial_domain": self.tenant.initial_domain,
                "new_password": "correct-Horse7-battery",
                "ledger_folder": str(self.folder),
                "security_key_pin": "safe-key-493716",
            },
        )
        assert run.return_code == 0, run.output
        assert "correct-Horse7-battery" not in run.output
        assert "safe-key-493716" not in run.output
        return run


def four_runs(module: str, simulator: Simulator, play: Play, folder: Path, door: str) -> Any:
    """Dry run, run, run again, dry run again. Returns the run that changed the tenant."""
    expected = MODULES[module][1]
    target = Target(module, simulator, play, folder, door)

    predicted = target.run("--check")
    assert [task for _host, task, _diff in predicted.changes()] == expected
    assert all(diff for _host, _task, diff in predicted.changes())
    assert writes(simulator.journal()) == []

    applied = target.run()
    assert applied.changes() == shown(predicted.changes())
    assert len(writes(simulator.journal())) == WRITES.get(module, len(expected))

    simulator.forget()
    for options in ([], ["--check"]):
        again = target.run(*options)
        assert again.changes() == []
        assert again.changed() == 0
    assert writes(simulator.journal()) == []
    return applied


@pytest.mark.parametrize("module", [module for module in MODULES if module not in THROUGH_BOTH_DOORS])
def test_four_runs(module: str, simulator: Simulator, play: Play, tmp_path: Path) -> None:
    four_runs(module, simulator, play, tmp_path, "action")


@pytest.mark.parametrize(
    "module",
    [pytest.param(module, marks=[] if module in THROUGH_BOTH_DOORS else pytest.mark.deep) for module in MODULES],
)
def test_four_runs_and_the_same_through_the_module(
    module: str, simulator: Simulator, play: Play, tmp_path: Path
) -> None:
    through_action = four_runs(module, simulator, play, tmp_path, "action")
    simulator.reset()
    through_module = Target(module, simulator, play, tmp_path, "module").run()
    assert comparable_run(through_module) == comparable_run(through_action)


@pytest.mark.deep
@pytest.mark.parametrize("module", MODULES)
def test_four_runs_through_the_module(module: str, simulator: Simulator, play: Play, tmp_path: Path) -> None:
    four_runs(module, simulator, play, tmp_path, "module")


def test_login_hides_its_result(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    run = Target("login", simulator, play, tmp_path, "action").run("-vvvv")
    logins = [one for one in run.results if one.action == "zerotrust.m365.login"]
    assert len(logins) == 7
    assert all("censored" in one.result and "access_token" not in one.result for one in logins)
    # One for each login, none for the task that was handed a token.
    assert len(token_requests(simulator.journal())) == 7


def test_an_action_without_a_state_is_always_a_change(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenant = simulator.tenant("greenfield")
    user = simulator.state(tenant)["objects"]["user"][0]["id"]
    action = {"method": "POST", "path": f"/users/{user}/revokeSignInSessions", "always": True}
    task = {"name": "Sign the user out", "zerotrust.m365.graph_request": action}
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    environment = simulator.environment(tenant)
    for options, sent in ((["--check"], 0), ([], 1), ([], 2)):
        run = play(playbook, *options, environment=environment)
        assert run.return_code == 0, run.output
        assert run.changed() == 1
        assert len(writes(simulator.journal())) == sent


def names(folder: str, suffix: str = ".py") -> set[str]:
    return {path.stem for path in (COLLECTION / folder).glob(f"*{suffix}")}


def test_every_module_has_a_target() -> None:
    modules = names("plugins/modules")
    assert modules
    assert names("tests/integration/targets", ".yml") == modules
    assert set(MODULES) == modules


def test_every_target_uses_its_module() -> None:
    for module in MODULES:
        (play,) = yaml.safe_load((TARGETS / f"{module}.yml").read_text(encoding="utf-8"))
        assert any(f"zerotrust.m365.{module}" in task for task in play["tasks"]), module


def test_every_module_has_an_action() -> None:
    assert names("plugins/action") == names("plugins/modules")


def test_the_action_group_has_every_module_but_login() -> None:
    runtime = yaml.safe_load((COLLECTION / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert set(runtime["action_groups"]["all"]) == names("plugins/modules") - {"login"}
