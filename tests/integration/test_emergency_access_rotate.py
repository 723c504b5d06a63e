# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/emergency_access_rotate.yml: a new password is sealed, set and promoted; one that opens is there always."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import GLOBAL_ADMINISTRATOR
from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun, RunningPlaybook
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes
from ansible_collections.zerotrust.m365.tests.integration.searching import secrets_shown

PLAYBOOK = "zerotrust.m365.emergency_access_rotate"
VAULT_PASSWORD = "a long vault password, kept elsewhere"
OLD = "correct-Horse7-battery"
PASSWORD_OF_NOBODY = "staple-Donkey8-capacitor"
LONG_AGO = "2020-02-29T12:00:00Z"


class Rotation:
    """The playbook on one tenant, which has sealed accounts that are Global Administrators."""

    def __init__(self, simulator: Simulator, tenant: Tenant, play: Play, folder: Path, names: list[str]) -> None:
        self.simulator, self.tenant, self._play, self.names = simulator, tenant, play, names
        self.folder = folder / "seals"
        (self.folder / tenant.tenant_id).mkdir(parents=True)
        for name in names:
            self._create(name)
            self.write_seal(
                name, secret=OLD, state="live", password_changed=self.user(name)["lastPasswordChangeDateTime"]
            )

    def _create(self, name: str) -> None:
        principal = f"{name}@{self.tenant.initial_domain}"
        profile = {"password": OLD, "forceChangePasswordNextSignIn": False}
        body = {
            "accountEnabled": True,
            "displayName": "Emergency access",
            "mailNickname": name,
            "userPrincipalName": principal,
            "passwordProfile": profile,
            "passwordPolicies": "DisablePasswordExpiration",
        }
        self.simulator.change(self.tenant, "POST", "/users", body)
        role = {
            "roleDefinitionId": GLOBAL_ADMINISTRATOR,
            "principalId": self.user(name)["id"],
            "directoryScopeId": "/",
        }
        self.simulator.change(self.tenant, "POST", "/roleManagement/directory/roleAssignments", role)

    def run(self, *options: str, environment: dict[str, str] | None = None, **variables: Any) -> PlaybookRun:
        self.simulator.forget()
        return self._play(
            PLAYBOOK,
            *options,
            environment={**self.simulator.environment(self.tenant), **(environment or {})},
            variables={**self.variables(), **variables},
        )

    def variables(self) -> dict[str, Any]:
        return {
            "emergency_access_accounts": [{"name": name} for name in self.names],
            "emergency_access_seal_folder": str(self.folder),
            "emergency_access_vault_password": VAULT_PASSWORD,
            "emergency_access_wait_timeout": 2,
        }

    def done(self, *options: str, **variables: Any) -> PlaybookRun:
        run = self.run(*options, **variables)
        assert run.return_code == 0, run.output
        return run

    def stopped(self, *options: str, **variables: Any) -> str:
        """The message with which a run fails."""
        run = self.run(*options, **variables)
        assert run.return_code == 2, run.output
        return run.results[-1].message

    def wrote(self) -> int:
        return len(writes(self.simulator.journal(self.tenant)))

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.folder / self.tenant.tenant_id).iterdir())

    def path(self, name: str) -> Path:
        return self.folder / self.tenant.tenant_id / f"{name}.yml"

    def seal(self, name: str) -> dict[str, Any]:
        vault = VaultLib([("any", VaultSecret(VAULT_PASSWORD.encode()))])
        opened: dict[str, Any] = yaml.safe_load(vault.decrypt(self.path(name).read_text(encoding="utf-8")))
        return opened

    def write_seal(self, name: str, **document: Any) -> None:
        account = name.partition(".pending")[0]
        whole = {
            "tenant_id": self.tenant.tenant_id,
            "user_principal_name": f"{account}@{self.tenant.initial_domain}",
            "sealed": LONG_AGO,
            "tried_until": LONG_AGO,
            **document,
        }
        text = VaultLib().encrypt(json.dumps(whole), VaultSecret(VAULT_PASSWORD.encode()), "emergency_access")
        self.path(name).write_bytes(text)

    def user(self, name: str) -> dict[str, Any]:
        users = self.simulator.state(self.tenant)["objects"]["user"]
        (user,) = [user for user in users if user["userPrincipalName"] == f"{name}@{self.tenant.initial_domain}"]
        return dict(user)

    def set_by_hand(self, name: str) -> None:
        profile = {"passwordProfile": {"password": PASSWORD_OF_NOBODY}}
        self.simulator.change(self.tenant, "PATCH", f"/users/{self.user(name)['id']}", profile)

    def opens(self, name: str, seal: str) -> bool:
        """Whether the password that is sealed so is the one of the account."""
        user = self.user(name)
        digest = hashlib.sha256(f"{user['id']}:{self.seal(seal)['secret']}".encode()).hexdigest()
        return bool(user["_private"]["passwordDigest"] == digest)

    def rotated(self) -> None:
        """Each account has the sealed password, which is a new one; the old one is kept, and nothing is pending."""
        for name in self.names:
            assert self.opens(name, name)
            seal = self.seal(name)
            assert (seal["state"], len(seal["secret"])) == ("live", 64)
            assert seal["password_changed"] == self.user(name)["lastPasswordChangeDateTime"]
            assert self.path(name).stat().st_mode & 0o777 == 0o600
            assert not self.path(f"{name}.pending").exists()
            assert OLD in [
                yaml.safe_load(VaultLib([("any", VaultSecret(VAULT_PASSWORD.encode()))]).decrypt(path.read_text()))[
                    "secret"
                ]
                for path in self.path(name).parent.glob(f"{name}.yml.*")
            ]


Make = Callable[..., Rotation]


@pytest.fixture
def rotation(simulator: Simulator, play: Play, tmp_path: Path) -> Make:
    return lambda scenario="emergency_account", names=("emergency1",): Rotation(
        simulator, simulator.tenant(scenario), play, tmp_path, list(names)
    )


def test_a_rotation_that_is_stopped_is_finished(rotation: Make) -> None:
    """A run is stopped when the password is set, and the next one finishes."""
    emergency = rotation()
    stopped = stop_after_the_write(emergency)
    assert "is not known: keep both" in stopped
    assert emergency.opens("emergency1", "emergency1.pending")
    assert emergency.files() == ["emergency1.pending.yml", "emergency1.yml"]
    emergency.done()
    emergency.rotated()
    assert emergency.wrote() == 0


@pytest.mark.deep
def test_old_seals_are_numbered_in_a_folder_of_any_name(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    folder = tmp_path / "seals [of] all*"
    folder.mkdir()
    emergency = Rotation(simulator, simulator.tenant("emergency_account"), play, folder, ["emergency1"])
    for _number in range(2):
        emergency.done()
        emergency.rotated()
    assert emergency.files() == ["emergency1.yml", "emergency1.yml.1", "emergency1.yml.2"]


@pytest.mark.deep
def test_two_accounts_one_after_the_other(rotation: Make) -> None:
    """A dry run, a run that is stopped when the first password is set, the next one, and a scheduled one."""
    emergency = rotation(names=["emergency1", "emergency2"])
    planned = emergency.done("--check", "--diff")
    assert (planned.changed(), emergency.wrote()) == (1, 0)
    assert emergency.files() == ["emergency1.yml", "emergency2.yml"]
    assert emergency.opens("emergency1", "emergency1")

    stopped = stop_after_the_write(emergency)
    assert "Whether it is the one sealed as emergency1 or the one sealed as emergency1.pending is not known" in stopped
    assert emergency.opens("emergency1", "emergency1.pending")
    assert emergency.opens("emergency2", "emergency2")
    assert emergency.files() == ["emergency1.pending.yml", "emergency1.yml", "emergency2.yml"]

    done = emergency.done("--diff", "-vvvv")
    emergency.rotated()
    assert emergency.wrote() == 1
    kept = emergency.done(emergency_access_rotate_max_age=90)
    assert (kept.changed(), emergency.wrote()) == (0, 0)
    passwords = [emergency.seal(name)["secret"] for name in emergency.names]
    assert secrets_shown([planned, done, kept], [*passwords, OLD, VAULT_PASSWORD]) == []


def stop_after_the_write(emergency: Rotation) -> str:
    """The first password is set, and then Graph shows nothing of users any more."""
    before = len(emergency.names) + 1
    emergency.simulator.strike(path="/users/", method="GET", status=400, after=before, times=None)
    message = emergency.stopped()
    emergency.simulator.heal()
    return message


REQUESTS = 23
"""Of the rotation of one password."""


@pytest.mark.deep
@pytest.mark.parametrize("index", range(REQUESTS))
def test_stopped_after_every_single_request(index: int, rotation: Make) -> None:
    """One request takes effect, without the answer saying so; nothing does after it."""
    emergency = rotation()
    emergency.simulator.strike(path=".", status=400, after=index, when="after")
    emergency.simulator.strike(path=".", status=400, after=index, times=None)
    emergency.run()
    emergency.simulator.heal()
    assert emergency.opens("emergency1", "emergency1") or emergency.opens("emergency1", "emergency1.pending")
    emergency.done()
    emergency.rotated()


@pytest.mark.deep
def test_a_refusal_names_the_role_and_keeps_both(rotation: Make) -> None:
    """The application of this tenant may not touch administrators. Once it may, the same password is set."""
    emergency = rotation("business", ["emergency1", "emergency2"])
    message = emergency.stopped()
    assert "Privileged Authentication Administrator" in message
    assert "It is the sealed one, as before." in message
    assert emergency.files() == ["emergency1.pending.yml", "emergency1.yml", "emergency2.yml"]
    assert emergency.opens("emergency1", "emergency1")
    pending = emergency.seal("emergency1.pending")
    emergency.stopped()
    assert emergency.seal("emergency1.pending")["secret"] == pending["secret"]
    emergency.path("emergency1").unlink()
    assert "Which password it has is not known, as before." in emergency.stopped()


@pytest.mark.deep
def test_what_is_set_by_hand_after_a_refusal_is_not_taken_for_the_pending_one(rotation: Make) -> None:
    emergency = rotation()
    emergency.simulator.strike(path="/users/", method="PATCH", status=403, times=None)
    assert "was not changed by this run. It is the sealed one, as before." in emergency.stopped()
    assert emergency.seal("emergency1.pending")["tried_until"] == ""
    emergency.simulator.heal()
    emergency.set_by_hand("emergency1")
    emergency.done()
    assert emergency.wrote() == 1
    emergency.rotated()


OTHERWISE_NAMED = {"emergency_access_accounts": [{"name": "emergency1", "display_name": "Break glass"}]}


@pytest.mark.deep
def test_a_refusal_is_certain_though_there_is_more_to_mend(rotation: Make) -> None:
    """The application of this tenant may change the display name of an administrator, but not the password."""
    emergency = rotation("business")
    assert "It is the sealed one, as before." in emergency.stopped(**OTHERWISE_NAMED)
    assert emergency.seal("emergency1.pending")["tried_until"] == ""
    assert emergency.user("emergency1")["displayName"] == "Emergency access"


@pytest.mark.deep
def test_what_could_not_be_mended_is_told_when_the_password_is_set(rotation: Make) -> None:
    emergency = rotation()
    emergency.simulator.strike(path="/users/", method="PATCH", status=403, after=1, times=None)
    message = emergency.stopped(**OTHERWISE_NAMED)
    assert "403" in message
    assert "is set, and sealed as emergency1. Whether all else about the account was mended is not known" in message
    emergency.rotated()


@pytest.mark.deep
def test_what_was_set_by_hand_meanwhile_is_not_taken_for_what_was_refused(rotation: Make, tmp_path: Path) -> None:
    """After the account was looked at, and before the new password of an administrator is refused."""
    emergency = rotation("business")
    running = held_at_the_write(emergency, tmp_path / "run", in_process=True)
    emergency.simulator.assume(emergency.tenant, {"sensitive_actions_by_applications": "allowed"})
    emergency.set_by_hand("emergency1")
    emergency.simulator.assume(emergency.tenant, {"sensitive_actions_by_applications": "refused"})
    emergency.simulator.release()
    run = running.wait()
    assert "was not changed by this run" in run.results[-1].message, run.output
    emergency.simulator.heal()
    assert emergency.files() == ["emergency1.pending.yml", "emergency1.yml"]
    assert emergency.seal("emergency1")["secret"] == OLD
    assert emergency.seal("emergency1.pending")["tried_until"] == ""


@pytest.mark.deep
@pytest.mark.parametrize("stage", ["before", "after"])
def test_a_module_that_died_has_not_been_refused(stage: str, rotation: Make, tmp_path: Path) -> None:
    emergency = rotation()
    running = held_at_the_write(emergency, tmp_path / "run", in_process=False, when=stage)
    assert running.kill_modules() == 1
    emergency.simulator.release(drop=True)
    run = running.wait()
    emergency.simulator.heal()
    assert run.return_code == 2, run.output
    if stage == "after":
        assert "is set, and sealed as emergency1." in run.results[-1].message
        emergency.rotated()
        return
    assert "is not known: keep both" in run.results[-1].message
    assert emergency.seal("emergency1.pending")["tried_until"] != ""
    emergency.done()
    emergency.rotated()


def held_at_the_write(emergency: Rotation, folder: Path, *, in_process: bool, when: str = "before") -> RunningPlaybook:
    """A run whose request to set the password waits."""
    simulator, tenant = emergency.simulator, emergency.tenant
    simulator.hold(tenant, path="/users/", method="PATCH", when=when)
    variables = {**emergency.variables(), "m365_in_process": in_process}
    running = RunningPlaybook(folder, PLAYBOOK, environment=simulator.environment(tenant), variables=variables)
    while not simulator.held(1) and not running.ended:
        pass
    return running


@pytest.mark.deep
def test_a_password_that_nobody_holds_is_replaced_whatever_its_age(rotation: Make) -> None:
    emergency = rotation()
    emergency.write_seal("emergency1", secret=OLD, state="live", password_changed=LONG_AGO)
    emergency.set_by_hand("emergency1")
    assert emergency.done(emergency_access_rotate_max_age=90).changed() == 1
    emergency.rotated()
    emergency.path("emergency1").unlink()
    assert emergency.done(emergency_access_rotate_max_age=90).changed() == 1
    assert emergency.opens("emergency1", "emergency1")


@pytest.mark.deep
def test_what_was_interrupted_while_it_was_promoted_is_finished(rotation: Make) -> None:
    emergency = rotation()
    emergency.done()
    sealed = emergency.seal("emergency1")
    emergency.write_seal("emergency1.pending", **{**sealed, "state": "pending", "password_changed": None})
    assert emergency.done().changed() == 0
    emergency.rotated()
    assert emergency.wrote() == 0
    # Before the seal took its place, but after the password was set.
    emergency.write_seal("emergency1.pending", **{**sealed, "state": "pending", "password_changed": None})
    emergency.write_seal("emergency1", secret=OLD, state="live", password_changed=LONG_AGO)
    assert emergency.done().changed() == 0
    emergency.rotated()
    assert emergency.seal("emergency1") == sealed
    assert emergency.wrote() == 0
    # After that, and a password was set by hand since.
    emergency.write_seal("emergency1.pending", **{**sealed, "state": "pending", "password_changed": None})
    emergency.set_by_hand("emergency1")
    assert emergency.done().changed() == 1
    emergency.rotated()
    assert emergency.seal("emergency1")["secret"] != sealed["secret"]


@pytest.mark.deep
def test_what_cannot_be_rotated_writes_nothing(rotation: Make) -> None:
    emergency = rotation(names=["emergency1", "emergency2"])
    for option in ("--check", "--diff"):
        variables = {"emergency_access_rotate_accounts": ["nobody"]}
        assert "names what is not in emergency_access_accounts: nobody" in emergency.stopped(option, **variables)
        accounts = {"emergency_access_accounts": [{"name": "emergency1"}, {"name": "missing"}]}
        assert "there is no such account" in emergency.stopped(option, **accounts)
        assert "is missing" in emergency.stopped(option, emergency_access_vault_password="")
    emergency.write_seal("emergency2", secret=OLD, state="live", password_changed=LONG_AGO, tenant_id="another")
    assert "its seal is of another account or tenant" in emergency.stopped()
    assert emergency.done(emergency_access_rotate_accounts=["emergency1"]).changed() == 1
    emergency.names = ["emergency1"]
    emergency.rotated()
    adopted = emergency.done(emergency_access_adopt=["emergency1"])
    assert (adopted.changed(), emergency.wrote()) == (0, 0)


OWN_SEAL = """
- name: Store
  ansible.builtin.copy:
    content: "{{ emergency_access_seal_document }}"
    dest: "{{ store }}/{{ emergency_access_seal_key | replace('/', '-') }}"
    mode: "0600"
"""
OWN_UNSEAL = """
- name: Fetch
  ansible.builtin.set_fact:
    emergency_access_unsealed: "{{ lookup('ansible.builtin.file', path) if path is ansible.builtin.exists else '' }}"
  vars:
    path: "{{ store }}/{{ emergency_access_seal_key | replace('/', '-') }}"
"""


@pytest.mark.deep
def test_own_seals_are_rotated_too(rotation: Make, tmp_path: Path) -> None:
    emergency = rotation()
    store = tmp_path / "store"
    store.mkdir()
    files = {"emergency_access_seal_tasks": OWN_SEAL, "emergency_access_unseal_tasks": OWN_UNSEAL}
    variables: dict[str, Any] = {"emergency_access_seal": "tasks", "store": str(store)}
    for name, tasks in files.items():
        variables[name] = str(tmp_path / f"{name}.yml")
        Path(variables[name]).write_text(tasks, encoding="utf-8")
    sealed = store / f"{emergency.tenant.tenant_id}-emergency1"
    sealed.write_text(json.dumps(emergency.seal("emergency1")), encoding="utf-8")
    for _run in range(2):
        assert emergency.done(**variables).changed() >= 1
        document = yaml.safe_load(sealed.read_text(encoding="utf-8"))
        assert document["state"] == "live"
        emergency.write_seal("emergency1", **document)
        assert emergency.opens("emergency1", "emergency1")
        pending = yaml.safe_load((store / f"{sealed.name}.pending").read_text(encoding="utf-8"))
        assert (pending["state"], pending["secret"]) == ("promoted", "-")
