# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second factors that the role emergency_access brings about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun, plugged_in
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, writes
from ansible_collections.zerotrust.m365.tests.integration.searching import secrets_shown
from ansible_collections.zerotrust.m365.tests.integration.test_emergency_access import PLAYBOOK, Sealed, verdict

SCENARIO = "second_factors"
OATH_SECRET, TOTP_SECRET = "6PJ4UKIW33NNXYZAEHQNFUFTZF7WFTFB", "JBSWY3DPEHPK3PXPJBSWY3DP"
ACCOUNTS: list[dict[str, Any]] = [
    {"name": "pass", "second_factor": "temporary_access_pass", "temporary_access_pass": {"lifetime_in_minutes": 90}},
    {
        "name": "oath",
        "second_factor": "hardware_oath_token",
        "hardware_oath_token": {"serial_number": "GALT11420104", "manufacturer": "Thales", "model": "OTP 110"},
    },
    {
        "name": "certificate",
        "second_factor": "certificate",
        "certificate_user_ids": ["X509:<SKI>6f1c1a80d2b94d6f8a60a3d1b7c3e5f9d0a1b2c3"],
    },
    {"name": "totp", "second_factor": "totp_token"},
    # Is there already, with a passkey.
    {"name": "keyed", "display_name": "Keyed", "second_factor": "temporary_access_pass"},
]
PIN = "safe-key-493716"
FIVE: dict[str, Any] = {"emergency_access_accounts": ACCOUNTS, "emergency_access_adopt": ["keyed"]}
SECRETS = {"oath": {"hardware_oath_token_secret_key": OATH_SECRET}, "totp": {"totp_secret": TOTP_SECRET}}


@pytest.fixture
def sealed(simulator: Simulator, play: Play, tmp_path: Path) -> Sealed:
    return Sealed(simulator, simulator.tenant(SCENARIO), play, tmp_path)


def reason(run: PlaybookRun) -> str:
    facts = run.task("zerotrust.m365.emergency_access : Note the verdict").result["ansible_facts"]
    return str(facts["emergency_access_reason"])


def graded(run: PlaybookRun) -> dict[str, str]:
    facts = run.task("zerotrust.m365.emergency_access : Note the verdict").result["ansible_facts"]
    accounts = facts["emergency_access_health"]["accounts"]
    return {one["user_principal_name"].partition("@")[0]: one["second_factor"] for one in accounts}


def done(run: PlaybookRun) -> set[str]:
    """What a run did, or a dry run would do, about second factors and passes."""
    names = ("Make a pass", "Delete what is left", "Activate the hardware", "Bind the certificates")
    return {
        one.task.rpartition(" : ")[2].replace("account ", "")
        for one in run.results
        if one.changed and any(name in one.task for name in names)
    }


def test_a_pass_is_sealed_and_a_token_activated_before_the_role(sealed: Sealed) -> None:
    run = sealed.done(
        "-vvvv", "--diff", emergency_access_accounts=ACCOUNTS[:2], emergency_access_secrets={"oath": SECRETS["oath"]}
    )
    assert graded(run) == {"pass": "prepared", "oath": "registered"}
    seal = sealed.seal("pass.pass")
    assert len(seal["secret"]) == 8
    assert secrets_shown([run], [seal["secret"], OATH_SECRET]) == []
    order = [one.path.rpartition("/")[2] for one in sealed.simulator.journal(sealed.tenant) if one.wrote]
    assert order.index("temporaryAccessPassMethods") < order.index("roleAssignments")
    assert order.index("activate") < order.index("roleAssignments")


@pytest.mark.deep
def test_each_account_gets_its_second_factor(sealed: Sealed) -> None:
    """A dry run, a run, one that finds a pass that nobody has sealed, and a dry run; no secret is shown anywhere."""
    simulator, domain = sealed.simulator, sealed.tenant.initial_domain
    passes = "/authentication/temporaryAccessPassMethods"
    simulator.change(sealed.tenant, "POST", f"/users/keyed@{domain}{passes}", {})
    secrets = {"emergency_access_secrets": SECRETS}

    runs = [sealed.done("--check", **FIVE, **secrets)]
    assert done(runs[0]) == {"Delete what is left of a pass of keyed"}
    assert sealed.wrote() == 0
    assert sealed.files() == []

    runs.append(sealed.done("-vvvv", "--diff", **FIVE, **secrets))
    assert done(runs[1]) == {
        "Delete what is left of a pass of keyed",
        "Make a pass for pass",
        "Activate the hardware OATH token of oath",
        "Bind the certificates of certificate",
    }
    assert graded(runs[1]) == {
        "pass": "prepared",
        "oath": "registered",
        "certificate": "prepared",
        "totp": "none",
        "keyed": "registered",
    }
    first = sealed.seal("pass.pass")
    assert len(first["secret"]) == 8
    assert first["end"] > first["start"]
    assert sealed.seal("totp.totp")["secret"] == TOTP_SECRET

    # The pass is replaced, by somebody who has sealed nothing; what was sealed needs no secret any more.
    simulator.register(sealed.tenant, f"totp@{domain}", ["softwareOneTimePasscode"])
    simulator.change(sealed.tenant, "POST", f"/users/pass@{domain}{passes}", {})
    runs.append(sealed.done("-vvvv", "--diff", **FIVE))
    assert done(runs[2]) == {"Make a pass for pass"}
    assert sealed.wrote() == 1
    second = sealed.seal("pass.pass")
    assert second["pass_id"] != first["pass_id"]
    assert graded(runs[2]) == {**graded(runs[1]), "totp": "registered"}

    runs.append(sealed.done("--check", "-vvvv", **FIVE))
    assert done(runs[3]) == set()
    assert verdict(runs[3]) in ("compliant", "insufficient")
    assert sealed.wrote() == 0
    shown = [first["secret"], second["secret"], OATH_SECRET, TOTP_SECRET]
    assert secrets_shown(runs, shown) == []


SEAL_TASKS = """
- name: Store
  ansible.builtin.copy:
    content: "{{ emergency_access_seal_document }}"
    dest: "{{ store }}/{{ emergency_access_seal_key | basename }}"
    mode: "0600"
  when: emergency_access_seal_key is not search('[.]pass$')
- name: Fail
  ansible.builtin.fail:
  when: emergency_access_seal_key is search('[.]pass$')
"""
UNSEAL_TASKS = """
- name: Fetch
  ansible.builtin.set_fact:
    emergency_access_unsealed: "{{ lookup('ansible.builtin.file', file) if file is exists else '' }}"
  vars:
    file: "{{ store }}/{{ emergency_access_seal_key | basename }}"
"""


@pytest.mark.deep
def test_a_pass_that_cannot_be_sealed_is_deleted_again(sealed: Sealed, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (tmp_path / "seal.yml").write_text(SEAL_TASKS, encoding="utf-8")
    (tmp_path / "unseal.yml").write_text(UNSEAL_TASKS, encoding="utf-8")
    run = sealed.run(
        emergency_access_accounts=ACCOUNTS[:1],
        emergency_access_seal="tasks",
        emergency_access_seal_tasks=str(tmp_path / "seal.yml"),
        emergency_access_unseal_tasks=str(tmp_path / "unseal.yml"),
        store=str(store),
    )
    assert run.return_code == 2
    assert "could not be sealed. It was deleted again." in " ".join(one.message for one in run.results if one.failed)
    passes = [one for one in writes(sealed.simulator.journal(sealed.tenant)) if "temporaryAccessPass" in one.path]
    assert [(one.method, one.wrote) for one in passes] == [("POST", True), ("DELETE", True)]


@pytest.mark.deep
def test_what_cannot_be_done_is_told_and_keeps_no_account_from_its_role(
    simulator: Simulator, play: Play, tmp_path: Path
) -> None:
    free = Sealed(simulator, simulator.tenant("greenfield"), play, tmp_path)
    run = free.done(emergency_access_accounts=ACCOUNTS[:3], emergency_access_secrets=SECRETS)
    assert "does not allow pass@" in reason(run)
    assert "lacks the licence" in reason(run)
    assert graded(run) == {"pass": "none", "oath": "none", "certificate": "prepared"}
    holders = {role["principalId"] for role in simulator.state(free.tenant)["objects"]["roleAssignment"]}
    assert all(free.users(account["name"])[0]["id"] in holders for account in ACCOUNTS[:3])
    again = free.done("--check", emergency_access_accounts=ACCOUNTS[:3], emergency_access_secrets=SECRETS)
    assert done(again) == {"Activate the hardware OATH token of oath"}


@pytest.mark.deep
def test_a_totp_secret_that_is_none_is_refused_and_another_one_is_kept_beside(sealed: Sealed) -> None:
    accounts: dict[str, Any] = {"emergency_access_accounts": ACCOUNTS[3:4]}
    run = sealed.run(**accounts, emergency_access_secrets={"totp": {"totp_secret": "not base32 at all!"}})
    assert run.return_code == 2
    assert "must be base32" in " ".join(one.message for one in run.results if one.failed)
    for secret in (TOTP_SECRET, OATH_SECRET, OATH_SECRET.lower()):
        sealed.done(**accounts, emergency_access_secrets={"totp": {"totp_secret": secret}})
    assert sealed.seal("totp.totp")["secret"] == OATH_SECRET
    assert [name for name in sealed.files() if "totp.totp" in name] == ["totp.totp.yml", "totp.totp.yml.1"]


@pytest.mark.deep
def test_a_passkey_is_registered_only_when_somebody_is_there(sealed: Sealed) -> None:
    accounts: dict[str, Any] = {"emergency_access_accounts": [{"name": "attended", "second_factor": "passkey"}]}
    alone = sealed.done(**accounts)
    assert not [one for one in alone.results if "passkey" in one.action and not one.skipped]
    asked = [one.task.rpartition(" : ")[2] for one in alone.results if not one.skipped]
    assert "Look for passkeys of attended" in asked
    there = sealed.done("--check", **accounts, emergency_access_attended=True)
    (registered,) = [one for one in there.results if one.action == "zerotrust.m365.passkey"]
    assert registered.changed


@pytest.mark.deep
def test_a_passkey_is_registered_on_the_key_that_is_plugged_in(
    sealed: Sealed, simulator: Simulator, play: Play
) -> None:
    """Nobody answers the prompt here: Ansible goes on, and warns that it did."""
    variables = {
        **sealed.variables(),
        "emergency_access_accounts": [{"name": "attended", "second_factor": "passkey"}],
        "emergency_access_secrets": {"attended": {"passkey_pin": PIN}},
        "emergency_access_attended": True,
    }
    environment = {**simulator.environment(sealed.tenant), **plugged_in(PIN)}
    there = play(PLAYBOOK, "-vvvv", "--diff", environment=environment, variables=variables, warns=True)
    assert there.return_code == 0, there.output
    assert graded(there) == {"attended": "registered"}
    assert secrets_shown([there], [PIN]) == []

    # The second time there is one, so nobody is asked.
    again = play(PLAYBOOK, environment=environment, variables=variables)
    assert again.return_code == 0, again.output
    assert again.changed() == 0
    assert not [one for one in again.results if one.action == "zerotrust.m365.passkey" and not one.skipped]
