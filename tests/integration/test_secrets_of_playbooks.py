# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook at -vvvv, in success and failure, dry and real, through both doors and under ansible-runner.

Every byte that a run writes is searched for every secret in play: its output, log, reports, facts, temporary files,
what is kept about a tenant, and how its processes are started. The simulator is left out: it is given the secrets.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import AnsibleVaultError, VaultLib, VaultSecret
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from ansible_collections.zerotrust.m365.tests.integration.killing import Work, nothing_is_open_to_others
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import (
    BIN,
    HERE,
    STDERR,
    STDOUT,
    PlaybookRun,
    RunningPlaybook,
    bare_environment,
    collected,
    leftovers,
    plugged_in,
    reporting,
    wait_for_processes_of,
)
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import (
    WRITE_VERBS,
    Simulator,
    Tenant,
    credentials,
    writes,
)
from ansible_collections.zerotrust.m365.tests.integration.searching import VAULT, Search, key_lines, token_parts
from ansible_collections.zerotrust.m365.tests.integration.test_emergency_access import VAULT_PASSWORD
from ansible_collections.zerotrust.m365.tests.integration.test_emergency_access_factors import (
    ACCOUNTS,
    OATH_SECRET,
    PIN,
    SECRETS,
    TOTP_SECRET,
)
from ansible_collections.zerotrust.m365.tests.integration.test_emergency_access_factors import (
    SCENARIO as SECOND_FACTORS,
)
from ansible_collections.zerotrust.m365.tests.integration.test_killed import (
    RETIRE,
    Baseline,
    EmergencyAccess,
    EmergencyAccessDrill,
    EmergencyAccessRotate,
    EmergencyAccessWatch,
    Restore,
)

PLAYBOOKS = sorted(path.stem for path in (HERE.parents[1] / "playbooks").glob("*.yml"))
WRONG_SECRET = "wrong+But/still=Secret& 7#Zq"
WRONG_VAULT_PASSWORD = "no vault has <this> password, & none will"
WRONG_PASSPHRASE = 'not "the" passphrase of it'
PASSPHRASE = "the pass/phrase + of the key's file"
SEALED_BEFORE = "sealed&Before<this>run+1"
WITH_A_SECRET = ("pass", "oath", "totp")
MINUTES = 10  # a run of six tenants through the module door, on a busy machine
GRAPH = "/(v1.0|beta)/"
IDENTITY_HEADER = "identity header"
COMMAND = "runner/artifacts/run/command"
"""Where ansible-runner notes its command and its environment, as our README warns."""


class EveryFactor(EmergencyAccess):
    """emergency_access.yml with each second factor that has a secret, also a passkey on a software security key."""

    def variables(self) -> dict[str, Any]:
        attended = {"name": "attended", "second_factor": "passkey"}
        return {
            **super().variables(),
            "emergency_access_accounts": [*(one for one in ACCOUNTS if one["name"] in WITH_A_SECRET), attended],
            "emergency_access_secrets": {**SECRETS, "attended": {"passkey_pin": PIN}},
            "emergency_access_attended": True,
        }

    def is_done(self, run: PlaybookRun, host: str) -> None:
        assert run.recap[host]["failures"] == 0, run.output
        assert {"attended.yml", "oath.yml", "pass.pass.yml", "totp.totp.yml"} <= set(self.files())
        state = self.simulator.state(self.tenant)
        assert "fido2" in json.dumps(state["objects"]).lower()


class WholeBaseline(Baseline):
    """baseline.yml and migrate_per_user_mfa.yml with emergency accounts."""

    def __init__(self, simulator: Simulator, tenant: Tenant, folder: Path) -> None:
        super().__init__(simulator, tenant, folder)
        self.sealed = EmergencyAccess(simulator, tenant, folder)

    def variables(self) -> dict[str, Any]:
        return {**super().variables(), **self.sealed.variables()}

    def is_done(self, run: PlaybookRun, host: str) -> None:
        assert run.recap[host]["failures"] == 0, run.output
        self.sealed.healthy()
        assert self.noted()


WORKS: dict[str, Callable[[Simulator, Tenant, Path], Work]] = {
    "baseline": WholeBaseline,
    "emergency_access": EmergencyAccess,
    "emergency_access_drill": EmergencyAccessDrill,
    "emergency_access_rotate": EmergencyAccessRotate,
    "emergency_access_watch": EmergencyAccessWatch,
    "migrate_per_user_mfa": WholeBaseline,
    "restore_per_user_mfa": Restore,
}
"""What each playbook of the collection has to do. One that is missing here fails its tests."""
SEALS = ("baseline", "emergency_access", "emergency_access_rotate", "migrate_per_user_mfa")
READS_ONLY = ("emergency_access_drill", "emergency_access_watch")
KINDS = ("secret", "certificate", "federated", "identity", "environment")
"""How an application signs in. Which one is taken where changes from playbook to playbook and from door to door."""
WAYS = ("action", "module", "runner")


@dataclass
class Host:
    """A tenant in a run, what becomes of it there, and the secrets that are in play for it, by name."""

    work: Work
    variables: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)


class Matrix:
    """One playbook on tenants of which one goes well, and the others fail, each in a way of its own."""

    def __init__(self, simulator: Simulator, playbook: str, way: str, folder: Path) -> None:
        self.simulator, self.playbook, self.way, self.folder = simulator, playbook, way, folder
        self.kept, self._given = folder / "kept", folder / "given"
        for made in (self.kept, self._given):
            made.mkdir(mode=0o700)
        self._first_kind = PLAYBOOKS.index(playbook) + WAYS.index(way)
        self._environment = dict(simulator.managed_identity)
        self._in_environment = {IDENTITY_HEADER, "security key PIN"}
        legacy = iter(simulator.tenants_of("legacy"))
        done = simulator.tenant(SECOND_FACTORS) if playbook == "emergency_access" else next(legacy)
        self.hosts = {"done": self._host(done, self._kind(0), "done")}
        self.hosts["refused"] = self._host(next(legacy), self._kind(1), "refused")
        self.hosts["renewed"] = self._host(next(legacy), self._kind(2), "renewed")
        self.hosts["wrong"] = self._host(next(legacy), "secret", "wrong")
        self.hosts["wrong"].variables["m365_client_secret"] = WRONG_SECRET
        self.hosts["locked"] = self._host(next(legacy), "certificate", "locked")
        self.hosts["locked"].variables["m365_client_certificate_passphrase"] = WRONG_PASSPHRASE
        if playbook in SEALS:
            self.hosts["vault"] = self._host(next(legacy), self._kind(3), "vault")
            self._lock_the_seals(self.hosts["vault"])
        for seal in seals_in(self.kept):  # as the role leaves them
            seal.chmod(0o600)
            seal.parent.chmod(0o700)
        self._own = self.kept / "vault-password"  # written by a user, too
        if self._own.exists():
            self._own.chmod(0o600)
        inventory = {name: host.variables for name, host in self.hosts.items()}
        self.inventory = self._give("inventory.json", json.dumps({"all": {"hosts": inventory}}))

    def _kind(self, number: int) -> str:
        return KINDS[(self._first_kind + number) % len(KINDS)]

    def _give(self, name: str, text: str) -> Path:
        """What a user writes: it may hold secrets, is not searched, and only its owner can read it."""
        path = self._given / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        return path

    def _host(self, tenant: Tenant, kind: str, name: str) -> Host:
        make = EveryFactor if tenant.scenario == SECOND_FACTORS else WORKS[self.playbook]
        work = make(self.simulator, tenant, self.kept)
        work.prepare()
        variables = {**self.simulator.host_variables(tenant), **work.variables()}
        secret = variables.pop("m365_client_secret")
        secrets = {"client secret": secret, **key_lines(tenant.certificate_path)}
        if kind == "secret":
            variables["m365_client_secret"] = secret
        elif kind == "certificate":
            path = self._give(f"{name}.pem", encrypted(tenant.certificate_path))
            secrets |= {f"encrypted {line}": text for line, text in key_lines(path).items()}
            variables["m365_client_certificate_path"] = str(path)
            variables["m365_client_certificate_passphrase"] = PASSPHRASE
        elif kind == "federated":
            token = self.simulator.federated_token(tenant)
            secrets |= token_parts("federated token", token)
            variables["m365_federated_token_file"] = str(self._give(f"{name}.jwt", token))
        elif kind == "identity":
            variables["m365_managed_identity"] = True
        else:
            del variables["m365_client_id"], variables["m365_tenant_id"]
            self._environment |= credentials(tenant)
            self._in_environment.add(f"{name}: client secret")
        return Host(work, variables, {f"{name}: {what}": text for what, text in secrets.items()})

    def _lock_the_seals(self, host: Host) -> None:
        """There is a seal, but the password that is given for the vault is another one."""
        path = self._give("wrong-vault-password", WRONG_VAULT_PASSWORD)
        if "emergency_access_vault_password" in host.variables:
            host.variables["emergency_access_vault_password"] = WRONG_VAULT_PASSWORD
        else:
            host.variables["emergency_access_vault_password_file"] = str(path)
        seal = self.kept / "seals" / host.work.tenant.tenant_id / "emergency1.yml"
        if not seal.exists():
            seal.parent.mkdir(mode=0o700)
            text = VaultLib().encrypt(json.dumps({"secret": SEALED_BEFORE}), VaultSecret(VAULT_PASSWORD.encode()))
            seal.touch(mode=0o600)
            seal.write_bytes(text)

    def strike(self, *, check: bool) -> None:
        """One tenant refuses what it is asked in the middle; the token of another one is no longer taken."""
        reads = check or self.playbook in READS_ONLY
        refused = {"method": "GET", "after": 1} if reads else {"method": list(WRITE_VERBS), "after": 2}
        tenants = {name: host.work.tenant.tenant_id for name, host in self.hosts.items()}
        self.simulator.strike(path=GRAPH, status=400, times=None, tenant=tenants["refused"], **refused)
        self.simulator.strike(path=GRAPH, kind="token_expired", method="GET", after=1, tenant=tenants["renewed"])

    def environment(self, folder: Path) -> dict[str, str]:
        """Whatever Ansible can be told to write, it writes; below ``folder``."""
        return {
            **plugged_in(PIN),
            **self._environment,
            "PYTHONPATH": str(HERE / "observed"),
            "OBSERVED_PATH": str(folder / "observed.jsonl"),
            "SOFTWARE_SECURITY_KEY": json.dumps({"pin": PIN}),
            "ANSIBLE_LOG_PATH": str(folder / "ansible.log"),
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "facts"),
            "ANSIBLE_RETRY_FILES_ENABLED": "true",
            "ANSIBLE_RETRY_FILES_SAVE_PATH": str(folder / "retry"),
            "ANSIBLE_CALLBACKS_ENABLED": "json_lines,ansible.builtin.junit,ansible.builtin.tree",
            "ANSIBLE_CALLBACK_TREE_DIR": str(folder / "tree"),
            "JUNIT_OUTPUT_DIR": str(folder / "junit"),
            "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "true",
            "ANSIBLE_SHOW_CUSTOM_STATS": "true",
            **({"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal"} if self._is_brief(folder) else {}),
        }

    def _is_brief(self, folder: Path) -> bool:
        """Another callback for the screen, which shows whole results its own way."""
        return self.way == "module" and folder.name == "check"

    def run(self, *options: str, **variables: Any) -> PlaybookRun:
        if self.way != "runner":
            return self.start(*options, **variables).wait(MINUTES)
        folder, settings, arguments = self._announced(options)
        path = self._give("variables.json", json.dumps({"m365_in_process": True, **variables}))
        whole = (*arguments, "--extra-vars", f"@{path}")
        return run_by_ansible_runner(folder, self.playbook, self.inventory, whole, settings)

    def start(self, *options: str, playbook: Path | None = None, **variables: Any) -> RunningPlaybook:
        """The playbook, or another one on the same hosts."""
        folder, settings, arguments = self._announced(options)
        return RunningPlaybook(
            folder,
            playbook or f"zerotrust.m365.{self.playbook}",
            *("--inventory", str(self.inventory), *arguments),
            environment=settings,
            variables={"m365_in_process": self.way != "module", **variables},
        )

    def _announced(self, options: Sequence[str]) -> tuple[Path, dict[str, str], tuple[str, ...]]:
        """Folder, environment and arguments of a run of which the simulator is told."""
        check = "--check" in options
        folder = self.folder / ("check" if check else "apply")
        self.simulator.forget()
        self.simulator.announce_run(check_mode=check)
        return folder, self.environment(folder), ("-vvvv", "--diff", "--forks", "4", *options)

    def secrets(self) -> dict[str, str]:
        """All that is in play by now, by name."""
        found = {
            "wrong client secret": WRONG_SECRET,
            "passphrase": PASSPHRASE,
            "wrong passphrase": WRONG_PASSPHRASE,
            "vault password": VAULT_PASSWORD,
            "wrong vault password": WRONG_VAULT_PASSWORD,
            "security key PIN": PIN,
            "OATH secret": OATH_SECRET,
            "TOTP secret": TOTP_SECRET,
            IDENTITY_HEADER: self.simulator.managed_identity["IDENTITY_HEADER"],
            **opened(self.kept),
        }
        for host in self.hosts.values():
            found |= host.secrets
        for number, token in enumerate(self.simulator.tokens()):
            found |= token_parts(f"access token {number}", token)
        return found

    def leaks(self, run: PlaybookRun, besides: Sequence[Path] = ()) -> list[tuple[str, str]]:
        """Place and name of each secret in what a run has written, and of each file that it wrote somewhere else."""
        secrets = self.secrets()
        observed = run.folder / "observed.jsonl"
        given = [run.folder / "variables.json", self._own]
        started = [observed, run.folder / COMMAND]
        found = Search(secrets).in_folders([run.folder, self.kept], [*given, *besides, *started])
        # Seals are where they belong only.
        found += Search({"a seal": VAULT}).in_folders([run.folder], given)
        # What the user has put into the environment is there for every process.
        for path in (path for path in started if path.exists()):
            assert path.stat().st_mode & 0o077 == 0
            shown = Search(secrets).in_bytes(path.read_bytes()) - self._in_environment
            found += [(str(path), name) for name in sorted(shown)]
        return found + [(path, "written") for path in written_elsewhere(observed, [run.folder, self.kept])]

    def assert_nothing_leaked(self, run: PlaybookRun) -> None:
        assert self.leaks(run) == []
        for name in ("temporary", "modules", "ansible/tmp"):
            assert leftovers(run.folder / name) == []
        self._only_the_owner_reads()

    def _only_the_owner_reads(self) -> None:
        for seal in seals_in(self.kept):
            assert seal.stat().st_mode & 0o777 == 0o600
            assert seal.parent.stat().st_mode & 0o777 == 0o700


def encrypted(certificate_path: str) -> str:
    """A PEM file as one with a passphrase."""
    pem = Path(certificate_path).read_bytes()
    key = load_pem_private_key(pem, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE.encode())
    )
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    certificate = pem[pem.index(begin) : pem.index(end) + len(end)]
    return (key + certificate + b"\n").decode()


def seals_in(folder: Path) -> list[Path]:
    return [
        path for path in sorted(folder.rglob("*")) if path.is_file() and path.read_bytes().startswith(VAULT.encode())
    ]


def opened(folder: Path) -> dict[str, str]:
    """What is sealed below a folder, by name: passwords, passes, and the secrets of tokens."""
    found = {}
    for path in seals_in(folder):
        for password in (VAULT_PASSWORD, WRONG_VAULT_PASSWORD):
            try:
                text = VaultLib([("any", VaultSecret(password.encode()))]).decrypt(path.read_bytes())
            except AnsibleVaultError:
                continue
            found[f"{path.parent.name}/{path.name}"] = str(yaml.safe_load(text)["secret"])
    assert len(found) == len(seals_in(folder))
    return found


def events(observed: Path) -> Iterator[dict[str, Any]]:
    for line in observed.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def written_elsewhere(observed: Path, folders: list[Path]) -> list[str]:
    """The files outside of some folders that were opened for writing; compiled Python and devices do not count."""
    paths = {event["path"] for event in events(observed) if event["event"] == "write"}
    inside = (*(f"{folder}{os.sep}" for folder in folders), "/dev/", "/proc/")
    return sorted(path for path in paths if not path.startswith(inside) and f"{os.sep}__pycache__{os.sep}" not in path)


def run_by_ansible_runner(
    folder: Path, playbook: str, inventory: Path, options: tuple[str, ...], environment: Mapping[str, str]
) -> PlaybookRun:
    """As AWX runs a playbook: its artifacts, one file for each event, lie in ``folder``."""
    folder.mkdir()
    lines = folder / "results.jsonl"
    lines.touch()
    command: list[str | Path] = [BIN / "ansible-runner", "run", folder / "runner", "--ident", "run"]
    command += ["--playbook", f"zerotrust.m365.{playbook}", "--inventory", inventory, f"--cmdline={' '.join(options)}"]
    (folder / "runner").mkdir()
    with (folder / STDOUT).open("wb") as stdout, (folder / STDERR).open("wb") as stderr:
        done = subprocess.run(
            command,
            check=False,
            cwd=folder,
            env={**bare_environment(folder), **reporting(lines), **environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            timeout=MINUTES * 60,
        )
    wait_for_processes_of(folder)
    return collected(done.returncode, lines, folder)


@pytest.fixture
def matrix(tmp_path: Path) -> Iterator[Callable[[str, str], Matrix]]:
    (tmp_path / "simulator").mkdir()
    simulator = Simulator(tmp_path / "simulator", [SECOND_FACTORS_FILE, *["legacy"] * 6])
    try:
        with simulator.watched():
            yield lambda playbook, way: Matrix(simulator, playbook, way, tmp_path)
    finally:
        simulator.stop()


SECOND_FACTORS_FILE = str(HERE / f"scenarios/{SECOND_FACTORS}.yml")


@pytest.mark.deep
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_no_secret_is_written_anywhere(playbook: str, way: str, matrix: Callable[[str, str], Matrix]) -> None:
    """A dry run, then a run, each on a tenant where all goes well and on others where something fails."""
    runs = matrix(playbook, way)
    if playbook == "restore_per_user_mfa":
        retire(runs)
    for options in (["--check"], []):
        runs.strike(check=bool(options))
        run = runs.run(*options)
        runs.simulator.heal()
        failed = {host for host, counts in run.recap.items() if counts["failures"]}
        assert {"wrong", "locked"} <= failed, run.output
        assert ("vault" in failed) == ("vault" in runs.hosts), run.output
        if not options:
            assert "refused" in failed, run.output
            runs.hosts["done"].work.is_done(run, "done")
        tenants = {name: host.work.tenant for name, host in runs.hosts.items()}
        journals = {name: runs.simulator.journal(tenant) for name, tenant in tenants.items()}
        assert any(one.fault for one in journals["refused"])
        assert any(one.fault for one in journals["renewed"])
        assert not writes(journals["wrong"]) + writes(journals["locked"])
        assert len(runs.simulator.tokens()) >= 3
        runs.assert_nothing_leaked(run)
        nothing_is_open_to_others([runs.kept])


# kill -9 in the middle of a run, with a new password in the memory of what is killed


@pytest.mark.deep
@pytest.mark.parametrize(
    ("kind", "pipelining"), [("worker", True), ("module", True), ("everything", True), ("everything", False)]
)
def test_what_is_killed_leaves_no_secret(
    kind: str, pipelining: bool, matrix: Callable[[str, str], Matrix], tmp_path: Path
) -> None:
    """Without pipelining Ansible itself puts a module and its arguments into a file, in a folder closed to others."""
    runs = matrix("emergency_access", "action" if kind == "worker" else "module")
    tenant = runs.hosts["refused"].work.tenant
    runs.simulator.hold(tenant, path="/users$", method="POST")
    running = runs.start("--limit", "refused", ansible_pipelining=pipelining)
    assert any(runs.simulator.held(1) for _look in range(10))
    if kind == "everything":
        running.kill()
    kills = {"worker": running.kill_workers, "module": running.kill_modules, "everything": running.kill_family}
    assert kills[kind]() > 0
    runs.simulator.release(tenant, drop=True)
    run = running.wait(MINUTES)
    wait_for_processes_of(run.folder)
    assert run.return_code != 0
    files = [path for path in leftovers(run.folder / "modules") if path.name.startswith("AnsiballZ_")]
    assert len(files) == (not pipelining)
    assert runs.leaks(run, files) == []
    for file in files:
        assert Search(runs.secrets()).in_bytes(file.read_bytes()) != set()
        assert file.parent.stat().st_mode & 0o777 == 0o700
    nothing_is_open_to_others([runs.kept, run.folder / "modules", run.folder / "temporary", run.folder / "ansible"])


# The harness itself

LEAKS = """
- hosts: wrong
  gather_facts: false
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - name: Show it
      ansible.builtin.debug:
        msg: "{{ m365_client_secret | b64encode }}"
    - name: Write it
      ansible.builtin.copy:
        content: "{{ m365_client_secret | urlencode }}"
        dest: "{{ lookup('ansible.builtin.env', 'HOME') }}/left"
        mode: "0600"
      diff: false
      no_log: true
    - name: Write elsewhere
      ansible.builtin.copy:
        content: nothing
        dest: "{{ inventory_dir }}/left"
        mode: "0600"
    - name: Start something with it
      ansible.builtin.command: echo {{ m365_client_secret | quote }}
      changed_when: false
      no_log: true
    - name: Keep it
      ansible.builtin.set_fact:
        kept: "{{ m365_client_secret }}"
        cacheable: true
      no_log: true
"""


@pytest.mark.deep
def test_a_leak_is_found_wherever_it_is(matrix: Callable[[str, str], Matrix], tmp_path: Path) -> None:
    runs = matrix("emergency_access_watch", "action")
    playbook = tmp_path / "leaks.yml"
    playbook.write_text(LEAKS, encoding="utf-8")
    run = runs.start(playbook=playbook).wait()
    assert run.return_code == 0, run.output
    found = {(place.removeprefix(f"{run.folder}/").partition("-")[0], name) for place, name in runs.leaks(run)}
    places = ("stdout.txt", "results.jsonl", "ansible.log", "junit/leaks", "left", "observed.jsonl", "facts/s1_wrong")
    assert found == {
        *((place, "wrong client secret") for place in places),
        (str(tmp_path / "given/left"), "written"),
    }


def retire(runs: Matrix) -> None:
    """Take per-user MFA away, so that there is a ledger to restore from."""
    playbook = runs.folder / "retire.yml"
    playbook.write_text(RETIRE, encoding="utf-8")
    hosts = {
        name: {**runs.simulator.host_variables(host.work.tenant), **host.work.variables()}
        for name, host in runs.hosts.items()
    }
    inventory = runs.folder / "retire.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    run = RunningPlaybook(runs.folder / "retired", playbook, "--inventory", str(inventory)).wait()
    assert run.return_code == 0, run.output
