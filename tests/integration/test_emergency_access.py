# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/emergency_access.yml: sealed passwords, on tenants of every kind, stopped anywhere."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import (
    PlaybookRun,
    RunningPlaybook,
)
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import (
    Request,
    Simulator,
    Tenant,
    sent,
    writes,
)
from ansible_collections.zerotrust.m365.tests.integration.searching import secrets_shown

PLAYBOOK = "zerotrust.m365.emergency_access"
VAULT_PASSWORD = "a long vault password, kept elsewhere"
NAMES = ("emergency1", "emergency2")
TYPEABLE = re.compile("(?:[A-HJ-NP-Za-km-z2-9]{3}[+=*@?%/]){16}")


class Sealed:
    """The playbook on one tenant, and the folder of its seals, which tenants may share."""

    def __init__(self, simulator: Simulator, tenant: Tenant, play: Play, folder: Path) -> None:
        self.simulator, self.tenant, self._play = simulator, tenant, play
        self.folder = folder / "seals"
        self.folder.mkdir(exist_ok=True)
        self.vault_password_file = folder / "vault-password"
        self.vault_password_file.write_text(VAULT_PASSWORD + "\n", encoding="utf-8")

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
            "emergency_access_seal_folder": str(self.folder),
            "emergency_access_vault_password_file": str(self.vault_password_file),
            "emergency_access_allow_unproven": True,
        }

    def done(self, *options: str, **variables: Any) -> PlaybookRun:
        run = self.run(*options, **variables)
        assert run.return_code == 0, run.output
        return run

    def refused(self, words: str, *modes: str, **variables: Any) -> None:
        """A run fails with these words, and writes nothing, with each of the options: in a dry run and a real one."""
        for option in modes or ("--check", "--diff"):
            run = self.run(option, **variables)
            assert run.return_code == 2, run.output
            assert words in " ".join(one.message for one in run.results if one.failed), run.output
            assert self.wrote() == 0

    def wrote(self) -> int:
        return len(writes(self.simulator.journal(self.tenant)))

    def files(self) -> list[str]:
        found = (self.folder / self.tenant.tenant_id).rglob("*")
        return sorted(path.name for path in found if path.is_file())

    def path(self, name: str) -> Path:
        return self.folder / self.tenant.tenant_id / f"{name}.yml"

    def seal(self, name: str) -> dict[str, Any]:
        vault = VaultLib([("any", VaultSecret(VAULT_PASSWORD.encode()))])
        opened: dict[str, Any] = yaml.safe_load(vault.decrypt(self.path(name).read_text(encoding="utf-8")))
        return opened

    def write_seal(self, name: str, **changed: Any) -> None:
        secret = VaultSecret(VAULT_PASSWORD.encode())
        text = VaultLib().encrypt(json.dumps({**self.seal(name), **changed}), secret, "emergency_access")
        self.path(name).write_bytes(text)

    def users(self, name: str) -> list[dict[str, Any]]:
        users = self.simulator.state(self.tenant)["objects"]["user"]
        return [user for user in users if user["userPrincipalName"].startswith(f"{name}@")]

    def healthy(self) -> None:
        """One account of each name, a Global Administrator in the group, whose password is the sealed one."""
        state = self.simulator.state(self.tenant)
        holders = {role["principalId"] for role in state["objects"]["roleAssignment"]}
        (group,) = [one for one in state["objects"]["group"] if one["displayName"] == "Emergency access"]
        assert self.files() == [f"{name}.yml" for name in NAMES]
        assert self.seal(NAMES[0])["secret"] != self.seal(NAMES[1])["secret"]
        self.methods_are_prepared(group["id"])
        for name in NAMES:
            (user,) = self.users(name)
            seal = self.seal(name)
            assert TYPEABLE.fullmatch(seal["secret"])
            for characters in ("[a-z]", "[A-Z]", "[0-9]"):
                assert re.search(characters, seal["secret"])
            assert user["_private"]["passwordDigest"] == digest(user["id"], seal["secret"])
            assert seal["state"] == "live"
            assert seal["password_changed"] == user["lastPasswordChangeDateTime"]
            assert seal["tenant_id"] == self.tenant.tenant_id
            assert seal["user_principal_name"] == user["userPrincipalName"]
            assert self.path(name).stat().st_mode & 0o777 == 0o600
            assert self.path(name).parent.stat().st_mode & 0o777 == 0o700
            assert user["id"] in holders
            assert user["passwordPolicies"] == "DisablePasswordExpiration"
            assert {"group": group["id"], "member": user["id"]} in state["memberships"]

    def methods_are_prepared(self, group: str) -> None:
        """Passkeys and, where licensed, passes are for the group, which no campaign asks for something else."""
        objects = self.simulator.state(self.tenant)["objects"]
        (policy,) = objects["authenticationMethodsPolicy"]
        by_id = {one["id"]: one for one in objects["methodConfiguration"]}
        licensed = self.tenant.scenario not in ("greenfield", "hybrid", "legacy")
        assert by_id["Fido2"]["isSelfServiceRegistrationAllowed"]
        for name in ("Fido2", "TemporaryAccessPass") if licensed else ("Fido2",):
            assert by_id[name]["state"] == "enabled"
            assert {"all_users", group} & {target["id"] for target in by_id[name]["includeTargets"]}
        campaign = policy["registrationEnforcement"]["authenticationMethodsRegistrationCampaign"]
        assert group in [target["id"] for target in campaign["excludeTargets"]]


def digest(user: str, password: str) -> str:
    return hashlib.sha256(f"{user}:{password}".encode()).hexdigest()


class Fleet:
    """The playbook on many tenants at once, the hosts of an inventory. ``more`` are variables of a host."""

    def __init__(self, hosts: dict[str, Sealed], play: Play, folder: Path, more: dict[str, dict[str, Any]]) -> None:
        self.hosts, self._play, self._inventory = hosts, play, folder / "inventory.yml"
        self.simulator = next(iter(hosts.values())).simulator
        self.runs: list[PlaybookRun] = []
        found = {
            host: {**self.simulator.host_variables(one.tenant), **one.variables(), **more.get(host, {})}
            for host, one in hosts.items()
        }
        self._inventory.write_text(json.dumps({"all": {"hosts": found}}), encoding="utf-8")

    def run(self, *options: str, hosts: Iterable[str] = ()) -> PlaybookRun:
        self.simulator.forget()
        limit = ("--limit", ",".join(hosts)) if hosts else ()
        inventory = ("--inventory", str(self._inventory), "--forks", "3", *limit)
        self.runs.append(self._play(PLAYBOOK, *inventory, *options))
        return self.runs[-1]

    def nothing_to_do(self, *options: str, hosts: Iterable[str]) -> None:
        run = self.run(*options, hosts=hosts)
        assert run.return_code == 0, run.output
        assert {host: run.changed(host) for host in hosts} == dict.fromkeys(hosts, 0), run.output
        assert [host for host in hosts if self.hosts[host].wrote()] == []

    def stop_after(self, host: str, requests: int) -> None:
        """So many requests are answered; one more takes effect, without the answer saying so; nothing does after it."""
        of_host = {"path": ".", "tenant": self.hosts[host].tenant.tenant_id, "status": 400, "after": requests}
        self.simulator.strike(**of_host, when="after")
        self.simulator.strike(**of_host, times=None)


def failed(run: PlaybookRun) -> set[str]:
    return {host for host, counts in run.recap.items() if counts["failures"]}


def messages(run: PlaybookRun, host: str) -> str:
    return " ".join(one.message for one in run.results if one.failed and one.host == host)


def changes_shown(run: PlaybookRun, host: str) -> list[str]:
    """Every change that a run shows, or that a dry run predicts, in order of words. A group that is not there yet has
    no id."""
    found = []
    for one in [*run.of_collection(host), *(item for item in run.items if item.host == host)]:
        for change in (one.diff or []) if one.changed else []:
            for target in ((change["after"] or {}).get("registration_campaign") or {}).get("exclude_targets") or []:
                target["id"] = None
            found.append(json.dumps(change, sort_keys=True))
    return sorted(found)


Make = Callable[..., Sealed]


@pytest.fixture
def sealed(simulator: Simulator, play: Play, tmp_path: Path) -> Make:
    return lambda scenario="greenfield": Sealed(simulator, simulator.tenant(scenario), play, tmp_path)


def verdict(run: PlaybookRun, host: str | None = None) -> str:
    said: str = run.task("zerotrust.m365.emergency_access : Note the verdict", host).result["ansible_facts"][
        "emergency_access_verdict"
    ]
    return said


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no-vault-password": ("hybrid", {"emergency_access_vault_password_file": "/nowhere"}, "/nowhere is no file"),
    "foreign": (
        "emergency_account",
        {"emergency_access_accounts": [{"name": "emergency1@relecloud.example"}]},
        "not on the tenant's initial domain",
    ),
    "synced": (
        "emergency_account",
        {"emergency_access_accounts": [{"name": "emergency1"}, {"name": "synced"}]},
        "synchronised from on-premises",
    ),
}
"""Scenario, variables of the host, and what it is told."""
A_FEW = (16, 35)
"""After how many requests; test_stopped_at_every_single_request has all of them."""


def test_sealed_accounts_on_many_tenants(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    """A dry run, a run, which is stopped on some tenants, and the next one, with all that Ansible tells."""
    tenants = {"good": simulator.tenant("business")}
    tenants |= {f"stopped{n}": one for n, one in enumerate(simulator.tenants_of("greenfield")[: len(A_FEW)])}
    hosts = {host: Sealed(simulator, tenant, play, tmp_path) for host, tenant in tenants.items()}
    fleet = Fleet(hosts, play, tmp_path, {})
    good, *stopped = hosts.values()

    planned = fleet.run("--check", "--diff", hosts=["good"])
    assert planned.return_code == 0, planned.output
    predicted = changes_shown(planned, "good")
    assert good.wrote() == 0
    assert list(good.folder.iterdir()) == []

    for host, requests in zip(list(hosts)[1:], A_FEW, strict=True):
        fleet.stop_after(host, requests)
    run = fleet.run("--diff", "-vvvv")
    simulator.heal()
    assert failed(run) == set(hosts) - {"good"}, run.output
    good.healthy()
    # Their creation is hidden, for the sake of the password.
    created = [change for change in predicted if json.loads(change)["after_header"].startswith("the account ")]
    assert len(created) == len(NAMES)
    assert changes_shown(run, "good") == [change for change in predicted if change not in created]
    assert good.wrote() == len(predicted)
    assert verdict(run, "good") == "insufficient"
    before = {name: good.path(name).read_bytes() for name in NAMES}

    again = fleet.run("--diff", "-vvvv")
    assert failed(again) == set(), again.output
    assert again.changed("good") == 0, again.output
    assert good.wrote() == 0
    assert {name: good.path(name).read_bytes() for name in NAMES} == before
    for one in stopped:
        one.healthy()

    passwords = [one.seal(name)["secret"] for one in hosts.values() for name in NAMES]
    assert secrets_shown(fleet.runs, [*passwords, VAULT_PASSWORD]) == []
    for path in good.folder.rglob("*.yml"):
        assert path.read_text(encoding="utf-8").startswith("$ANSIBLE_VAULT;1.2;AES256;emergency_access\n")


@pytest.mark.deep
def test_what_is_refused_writes_nothing(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    """Neither to the tenant nor to a file, in a dry run and in a run, with the same words."""
    hosts = {host: Sealed(simulator, simulator.tenant(one[0]), play, tmp_path) for host, one in REFUSED.items()}
    fleet = Fleet(hosts, play, tmp_path, {host: more for host, (_scenario, more, _words) in REFUSED.items()})
    for mode in ("--check", "--diff"):
        run = fleet.run(mode)
        assert failed(run) == set(REFUSED), run.output
        for host, (_scenario, _more, words) in REFUSED.items():
            assert words in messages(run, host), messages(run, host)
            assert hosts[host].wrote() == 0
        assert list(hosts[host].folder.iterdir()) == []


@pytest.mark.deep
@pytest.mark.parametrize("scenario", ["greenfield", "business", "hybrid"])
def test_four_runs(scenario: str, sealed: Make) -> None:
    emergency = sealed(scenario)
    planned = emergency.done("--check", "--diff")
    assert emergency.wrote() == 0
    assert emergency.files() == []
    assert planned.changed() > 0

    emergency.done("--diff")
    emergency.healthy()

    for options in ([], ["--check"]):
        again = emergency.done("--diff", *options)
        assert again.changed() == 0, again.output
        assert emergency.wrote() == 0


# A run that is stopped, and the next one

AT_ONCE = 4


def stopping_points(journal: Sequence[Request], *, writes_only: bool) -> list[int]:
    """For each request that goes over the wire, how many the faults count before it: those in a $batch count, too."""
    points, before = [], 0
    for request in sent(journal):
        if request.write or not writes_only:
            points.append(before)
        before += 1 + sum(item.batch == request.number for item in journal)
    return points


def stop_everywhere(simulator: Simulator, play: Play, folder: Path, *, writes_only: bool) -> None:
    """As many tenants as a run makes requests, each stopped at another one. The next run finishes everything."""
    hosts = {f"tenant{n}": Sealed(simulator, one, play, folder) for n, one in enumerate(simulator.tenants)}
    fleet = Fleet(hosts, play, folder, {})
    first, *others = hosts
    assert fleet.run(hosts=[first]).return_code == 0
    points = stopping_points(simulator.journal(hosts[first].tenant), writes_only=writes_only)
    assert len(points) <= len(others), "more tenants are needed"
    stops = 0
    for start in range(0, len(points), AT_ONCE):
        some = dict(zip(others[start:], points[start : start + AT_ONCE], strict=False))
        for host, requests in some.items():
            fleet.stop_after(host, requests)
        stopped = fleet.run(hosts=some)
        simulator.heal()
        stops += len(failed(stopped))
        finished = fleet.run(hosts=some)
        assert failed(finished) == set(), finished.output
        for host in some:
            hosts[host].healthy()
    fleet.nothing_to_do("--check", hosts=list(some))
    # What is read at the end, to judge, may be unknown.
    assert stops > len(points) * 3 / 4


@pytest.mark.deep
@pytest.mark.parametrize(("scenario", "writes_only"), [("greenfield", False), ("business", True)])
def test_stopped_at_every_single_request(scenario: str, writes_only: bool, play: Play, tmp_path: Path) -> None:
    (tmp_path / "simulator").mkdir()
    simulator = Simulator(tmp_path / "simulator", [scenario] * (31 if writes_only else 101))
    try:
        with simulator.watched():
            stop_everywhere(simulator, play, tmp_path, writes_only=writes_only)
    finally:
        simulator.stop()


# What the seals and the accounts say of each other


@pytest.mark.deep
def test_an_account_without_a_seal(sealed: Make) -> None:
    emergency = sealed()
    emergency.done()
    emergency.path("emergency1").unlink()
    emergency.refused("its password is not sealed: nobody is known to hold it")
    adopted = emergency.done(emergency_access_adopt=["emergency1"])
    assert adopted.changed() == 0
    assert len(emergency.files()) == 1


@pytest.mark.deep
@pytest.mark.parametrize(
    ("seal", "words"),
    [
        ({"state": "pending", "sealed": "2020-01-01T00:00:00Z", "tried_until": "2020-01-01T01:00:00Z"}, "is not known"),
        ({"state": "pending", "sealed": "2099-01-01T00:00:00Z", "tried_until": "2099-01-01T01:00:00Z"}, "is not known"),
        ({"password_changed": "2020-01-01T00:00:00Z"}, "its password was changed after it was sealed"),
        ({"tenant_id": "11111111-2222-3333-4444-555555555555"}, "its seal is of another account or tenant"),
    ],
)
def test_a_seal_that_does_not_fit_its_account(seal: dict[str, Any], words: str, sealed: Make) -> None:
    emergency = sealed()
    emergency.done()
    emergency.write_seal("emergency1", **seal)
    emergency.refused(words)
    assert emergency.seal("emergency1") == {**emergency.seal("emergency1"), **seal}


def made_by_hand(emergency: Sealed) -> None:
    body = {
        "accountEnabled": True,
        "displayName": "Emergency access 1",
        "mailNickname": "emergency1",
        "userPrincipalName": f"emergency1@{emergency.tenant.initial_domain}",
        "passwordProfile": {"password": "somebody-Elses-1"},
    }
    emergency.simulator.change(emergency.tenant, "POST", "/users", body)


@pytest.mark.deep
def test_an_account_made_by_hand_after_a_refusal_has_another_password(simulator: Simulator, sealed: Make) -> None:
    emergency = sealed()
    simulator.strike(path="/users$", method="POST", status=403, tenant=emergency.tenant.tenant_id, times=None)
    run = emergency.run()
    assert run.return_code == 2
    assert "stays sealed; the next run uses it again" in messages(run, "localhost")
    assert emergency.seal("emergency1")["tried_until"] == ""
    simulator.heal()
    made_by_hand(emergency)
    emergency.refused("whether its password is the sealed one is not known")


@pytest.mark.deep
def test_a_module_that_died_may_have_made_the_account(simulator: Simulator, sealed: Make, tmp_path: Path) -> None:
    emergency = sealed()
    simulator.hold(emergency.tenant, path="/users$", method="POST", when="after")
    environment, variables = (
        simulator.environment(emergency.tenant),
        {**emergency.variables(), "m365_in_process": False},
    )
    running = RunningPlaybook(tmp_path / "run", PLAYBOOK, environment=environment, variables=variables)
    while not simulator.held(1) and not running.ended:
        pass
    assert running.kill_modules() == 1
    simulator.release(drop=True)
    run = running.wait()
    simulator.heal()
    assert "there is still no account" in run.results[-1].task.lower(), run.output
    assert len(emergency.users("emergency1")) == 1
    assert emergency.seal("emergency1")["tried_until"] != ""
    emergency.done()
    emergency.healthy()


@pytest.mark.deep
def test_an_account_that_somebody_else_makes_meanwhile(simulator: Simulator, sealed: Make, tmp_path: Path) -> None:
    """Just before it is created. Its password is not the one that was sealed for it, and never counts as that."""
    emergency = sealed()
    simulator.hold(emergency.tenant, path="/users$", method="POST")
    environment, variables = simulator.environment(emergency.tenant), {**emergency.variables(), "m365_in_process": True}
    running = RunningPlaybook(tmp_path / "run", PLAYBOOK, environment=environment, variables=variables)
    while not simulator.held(1) and not running.ended:
        pass
    made_by_hand(emergency)
    simulator.release()
    run = running.wait()
    assert run.return_code == 2
    assert "its password is not the sealed one" in messages(run, "localhost"), run.output
    simulator.heal()
    assert emergency.seal("emergency1")["state"] == "refused"
    emergency.refused("somebody else created it while it was to be created")
    assert len(emergency.users("emergency1")) == 1


@pytest.mark.deep
def test_an_account_that_was_deleted(sealed: Make) -> None:
    emergency = sealed("emergency_account")
    emergency.done()
    (user,) = emergency.users("emergency1")
    old = emergency.path("emergency1").read_bytes()
    emergency.simulator.change(emergency.tenant, "DELETE", f"/users/{user['id']}")
    emergency.refused("was deleted (object ID")
    assert emergency.path("emergency1").read_bytes() == old

    emergency.simulator.change(emergency.tenant, "DELETE", f"/directory/deletedItems/{user['id']}")
    again = emergency.done()
    told = " ".join(str(item.result.get("msg")) for item in again.items)
    assert "was deleted, and is created again with a new password" in told
    kept = emergency.path("emergency1").with_suffix(".yml.1")
    assert kept.read_bytes() == old
    kept.unlink()
    emergency.healthy()
    assert emergency.done().changed() == 0


@pytest.mark.deep
def test_an_account_that_was_deleted_is_restored(sealed: Make) -> None:
    emergency = sealed("emergency_account")
    emergency.done()
    (user,) = emergency.users("emergency2")
    emergency.simulator.change(emergency.tenant, "DELETE", f"/users/{user['id']}")
    emergency.done(emergency_access_restore=True)
    emergency.healthy()
    assert emergency.users("emergency2")[0]["id"] == user["id"]


@pytest.mark.deep
def test_what_happens_to_accounts_between_runs(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    """Disabled, demoted, taken out of the group, without its methods: mended. Under a federated domain: told."""
    emergency = Sealed(simulator, simulator.tenant("emergency_account"), play, tmp_path)
    emergency.done()
    passwords = [emergency.seal(name)["secret"] for name in NAMES]
    first, second = (emergency.users(name)[0]["id"] for name in NAMES)
    state = simulator.state(emergency.tenant)
    (group,) = [one["id"] for one in state["objects"]["group"] if one["displayName"] == "Emergency access"]
    for role in state["objects"]["roleAssignment"]:
        if role["principalId"] == second:
            emergency.simulator.change(
                emergency.tenant, "DELETE", f"/roleManagement/directory/roleAssignments/{role['id']}"
            )
    change = {"accountEnabled": False, "passwordPolicies": "None", "displayName": "Somebody"}
    simulator.change(emergency.tenant, "PATCH", f"/users/{first}", change)
    simulator.change(emergency.tenant, "DELETE", f"/groups/{group}/members/{first}/$ref")
    methods = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
    fido2 = {"@odata.type": "#microsoft.graph.fido2AuthenticationMethodConfiguration"}
    excluded = {"excludeTargets": [{"targetType": "group", "id": group}], "isSelfServiceRegistrationAllowed": False}
    simulator.change(emergency.tenant, "PATCH", f"{methods}/Fido2", fido2 | excluded)

    planned = emergency.done("--check", "--diff")
    assert emergency.wrote() == 0
    mended = emergency.done("--diff")
    assert {task for _host, task, _diff in planned.changes()} <= {task for _host, task, _diff in mended.changes()}
    emergency.healthy()
    assert [emergency.seal(name)["secret"] for name in NAMES] == passwords
    assert [emergency.users(name)[0]["id"] for name in NAMES] == [first, second]
    assert emergency.users(NAMES[0])[0]["accountEnabled"]
    assert emergency.done().changed() == 0

    domain = {"userPrincipalName": "emergency1@federated.example", "onPremisesImmutableId": "moved"}
    simulator.change(emergency.tenant, "PATCH", f"/users/{first}", domain)
    emergency.refused("emergency1@federated.example has the same name on another domain")
    assert len(emergency.files()) == len(NAMES)


# Other ways to seal


@pytest.mark.deep
def test_a_password_in_two_parts(sealed: Make, tmp_path: Path) -> None:
    """Each has half of it. A part that is lost, or of another seal, is no password."""
    emergency = sealed()
    folders = [tmp_path / "safe-a", tmp_path / "safe-b"]
    parts = []
    for number, folder in enumerate(folders, 1):
        folder.mkdir()
        key = {"vault_id": folder.name, "vault_password": f"vault password {number}"}
        parts.append({**key, "folder": str(folder)})
    split: dict[str, Any] = {"emergency_access_seal_parts": parts, "emergency_access_seal_folder": None}
    emergency.done(**split)
    assert list(emergency.folder.iterdir()) == []
    for name in NAMES:
        pieces = []
        for number, (folder, part) in enumerate(zip(folders, parts, strict=True), 1):
            text = (folder / emergency.tenant.tenant_id / f"{name}.part{number}.yml").read_text(encoding="utf-8")
            opened = yaml.safe_load(VaultLib([("any", VaultSecret(part["vault_password"].encode()))]).decrypt(text))
            assert opened["state"] == "live"
            assert len(opened["secret"]) == 32
            pieces.append(opened["secret"])
        (user,) = emergency.users(name)
        assert user["_private"]["passwordDigest"] == digest(user["id"], "".join(pieces))
    assert emergency.done("--check", **split).changed() == 0

    lost = folders[1] / emergency.tenant.tenant_id / "emergency1.part2.yml"
    other = lost.with_name("emergency2.part2.yml")
    lost.write_bytes(other.read_bytes())
    emergency.refused("its password is not sealed", **split)
    lost.unlink()
    emergency.refused("its password is not sealed", **split)
    parts[1]["vault_password"] = parts[0]["vault_password"]
    emergency.refused("vault password of its own", "--diff", **split)


OWN_SEAL = """
- name: Store
  ansible.builtin.copy:
    content: "{{ emergency_access_seal_document }}"
    dest: "{{ own_folder }}/{{ emergency_access_seal_key | replace('/', '-') }}"
    mode: "0600"
"""
OWN_UNSEAL = """
- name: Fetch
  ansible.builtin.set_fact:
    emergency_access_unsealed: "{{ lookup('ansible.builtin.file', file) if file is ansible.builtin.file else '' }}"
  vars:
    file: "{{ own_folder }}/{{ emergency_access_seal_key | replace('/', '-') }}"
"""


@pytest.mark.deep
def test_seals_by_own_tasks(sealed: Make, tmp_path: Path) -> None:
    """Stopped before an account is there, then finished: the password is the one that was stored first."""
    emergency = sealed()
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "seal.yml").write_text(OWN_SEAL, encoding="utf-8")
    (tmp_path / "unseal.yml").write_text(OWN_UNSEAL, encoding="utf-8")
    variables: dict[str, Any] = {
        "emergency_access_seal": "tasks",
        "emergency_access_seal_tasks": str(tmp_path / "seal.yml"),
        "emergency_access_unseal_tasks": str(tmp_path / "unseal.yml"),
        "own_folder": str(own),
    }
    emergency.simulator.strike(path="/users$", method="POST", status=400)
    stopped = emergency.run("-vvvv", "--diff", **variables)
    assert stopped.return_code == 2
    (file,) = own.iterdir()
    stored = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert stored["state"] == "pending"
    done = emergency.done("-vvvv", "--diff", **variables)
    passwords = []
    for name in NAMES:
        (user,) = emergency.users(name)
        document = yaml.safe_load((own / f"{emergency.tenant.tenant_id}-{name}").read_text(encoding="utf-8"))
        assert document["state"] == "live"
        assert user["_private"]["passwordDigest"] == digest(user["id"], document["secret"])
        passwords.append(document["secret"])
    assert passwords[0] == stored["secret"]
    assert emergency.done("--check", **variables).changed() == 0
    assert secrets_shown([stopped, done], passwords) == []


# What is refused


@pytest.mark.deep
def test_seals_that_cannot_be_made(sealed: Make, tmp_path: Path) -> None:
    emergency = sealed()
    file = tmp_path / "file"
    file.touch()
    for folder in (str(tmp_path / "missing"), str(file), ""):
        emergency.refused("is not there", "--diff", emergency_access_seal_folder=folder)
    emergency.refused("is empty", emergency_access_vault_password_file=str(file))
    emergency.refused("both emergency_access_seal_tasks", emergency_access_seal="tasks")
    emergency.refused("each only once", emergency_access_accounts=[{"name": "one"}, {"name": "ONE"}])
    for name in ("../one", "a" * 65, "", "one*"):
        emergency.refused("each only once", emergency_access_accounts=[{"name": name}])
    assert emergency.files() == []


@pytest.mark.deep
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("synced", "synchronised from on-premises"),
        ("emergency1@relecloud.example", "not on the tenant's initial domain"),
        ("renamed", "has the same name on another domain"),
    ],
)
def test_names_that_cannot_be_emergency_accounts(name: str, words: str, sealed: Make) -> None:
    emergency = sealed("emergency_account")
    emergency.refused(words, emergency_access_accounts=[{"name": "emergency1"}, {"name": name}][name[:4] == "emer" :])
    assert emergency.files() == []


@pytest.mark.deep
def test_a_seal_that_cannot_be_opened(sealed: Make, tmp_path: Path) -> None:
    emergency = sealed()
    emergency.done()
    other = tmp_path / "other"
    other.write_text("another vault password", encoding="utf-8")
    emergency.refused("cannot be opened", emergency_access_vault_password_file=str(other))


@pytest.mark.deep
def test_too_few_usable_accounts_stop_the_role(sealed: Make) -> None:
    emergency = sealed("business")
    run = emergency.run(emergency_access_allow_unproven=False)
    assert run.return_code == 2
    assert verdict(run) == "insufficient"
    emergency.healthy()
    totp = [{"name": name, "second_factor": "totp_token", "attested": ["totp_token"]} for name in NAMES]
    assert verdict(emergency.run("--check", emergency_access_accounts=totp)) == "insufficient"
    for name in NAMES:
        emergency.simulator.register(
            emergency.tenant, f"{name}@{emergency.tenant.initial_domain}", ["softwareOneTimePasscode"]
        )
    assert verdict(emergency.run("--check", emergency_access_accounts=totp)) == "drift"  # other display names


# Secrets


@pytest.mark.deep
@pytest.mark.parametrize("door", ["action", "module"])
def test_no_password_is_shown(door: str, sealed: Make) -> None:
    """Neither where it works nor where it fails. Ansible itself knows the vault password here, and could open seals."""
    emergency = sealed()
    knows = {"ANSIBLE_VAULT_PASSWORD_FILE": str(emergency.vault_password_file)}
    emergency.simulator.strike(path="/users$", method="POST", status=400)
    runs = [
        emergency.run("-vvvv", "--diff", environment=knows, m365_in_process=door == "action") for _again in range(2)
    ]
    assert [run.return_code for run in runs] == [2, 0]
    emergency.healthy()
    passwords = [emergency.seal(name)["secret"] for name in NAMES]
    assert secrets_shown(runs, [*passwords, VAULT_PASSWORD]) == []


def test_nobody_else_gets_past_conditional_access(sealed: Make) -> None:
    """A group of that name that has other members is not excluded from the policies that ask these for MFA."""
    emergency = sealed("business")
    group = {"displayName": "Emergency access", "mailEnabled": False, "mailNickname": "e", "securityEnabled": True}
    emergency.simulator.change(emergency.tenant, "POST", "/groups", group)
    objects = emergency.simulator.state(emergency.tenant)["objects"]
    (made,) = [one for one in objects["group"] if one["displayName"] == "Emergency access"]
    member = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{objects['user'][0]['id']}"}
    emergency.simulator.change(emergency.tenant, "POST", f"/groups/{made['id']}/members/$ref", member)
    emergency.refused(f"not in emergency_access_accounts: {objects['user'][0]['displayName']}. Every", "--check")
    assert emergency.files() == []
