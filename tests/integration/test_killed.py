# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of ansible-playbook, of Ansible's worker and of the module, at every request of every playbook.

One simulator has a tenant for each request of a run. Some of them at a time are hosts of one run, each is held at a
request of its own, and then all are killed at once. The next run, without kills, finishes each of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ansible_collections.zerotrust.m365.tests.integration.killing import (
    KINDS,
    Killer,
    Point,
    Work,
    no_secret_is_left,
    nothing_is_open_to_others,
    points,
)
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import (
    PlaybookRun,
    RunningPlaybook,
    wait_for_processes_of,
)
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import (
    Request,
    Simulator,
    Tenant,
    writes,
)
from ansible_collections.zerotrust.m365.tests.integration.test_authentication_methods_role import BUSINESS, LEGACY
from ansible_collections.zerotrust.m365.tests.integration.test_emergency_access import (
    NAMES,
    VAULT_PASSWORD,
    Sealed,
    digest,
)
from ansible_collections.zerotrust.m365.tests.integration.test_emergency_access_rotate import OLD, Rotation
from ansible_collections.zerotrust.m365.tests.integration.test_emergency_access_rotate import (
    VAULT_PASSWORD as VAULT_PASSWORD_OF_ROTATION,
)

SECURITY_DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
PRIVILEGED_AUTHENTICATION_ADMINISTRATOR = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
PASSWORD_OF_NOBODY = "staple-Donkey8-capacitor"
WITHOUT_EMERGENCY_ACCESS = ("--skip-tags", "emergency_access")


def nobody_plays(*unused: Any, **also_unused: Any) -> PlaybookRun:
    raise AssertionError("a Work is run by its Killer")


class EmergencyAccess(Sealed):
    """emergency_access.yml, which makes the accounts."""

    def __init__(self, simulator: Simulator, tenant: Tenant, folder: Path) -> None:
        super().__init__(simulator, tenant, nobody_plays, folder)

    def prepare(self) -> None:
        """There is no account."""

    def kept(self) -> tuple[Any, ...]:
        return tuple((file, self.seal(file.removesuffix(".yml"))["state"]) for file in self.files())

    def secrets(self) -> list[str]:
        return [VAULT_PASSWORD, *(self.seal(file.removesuffix(".yml"))["secret"] for file in self.files())]

    def nothing_is_lost(self) -> None:
        """The password of each account that is there is sealed."""
        for name in NAMES:
            for user in self.users(name):
                assert user["_private"]["passwordDigest"] == digest(user["id"], self.seal(name)["secret"])

    def is_done(self, run: PlaybookRun, host: str) -> None:
        assert run.recap[host]["failures"] == 0, run.output
        self.healthy()


class EmergencyAccessRotate(Rotation):
    """emergency_access_rotate.yml, for one account. The application may set the passwords of administrators."""

    def __init__(self, simulator: Simulator, tenant: Tenant, folder: Path) -> None:
        super().__init__(simulator, tenant, nobody_plays, folder, ["emergency1"])

    def prepare(self) -> None:
        self.path("emergency1").chmod(0o600)
        principals = self.simulator.state(self.tenant)["objects"]["servicePrincipal"]
        (own,) = [one["id"] for one in principals if one["appId"] == self.tenant.client_id]
        role = {
            "roleDefinitionId": PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
            "principalId": own,
            "directoryScopeId": "/",
        }
        self.simulator.change(self.tenant, "POST", "/roleManagement/directory/roleAssignments", role)

    def kept(self) -> tuple[Any, ...]:
        return tuple((file, self.seal(file.removesuffix(".yml"))["state"]) for file in self._seals())

    def secrets(self) -> list[str]:
        sealed = [self.seal(file.removesuffix(".yml"))["secret"] for file in self._seals()]
        return [VAULT_PASSWORD_OF_ROTATION, OLD, *sealed]

    def _seals(self) -> list[str]:
        return [file for file in self.files() if file.endswith(".yml")]

    def nothing_is_lost(self) -> None:
        """The password that the account has is one of the sealed ones."""
        pending = "emergency1.pending"
        assert self.opens("emergency1", "emergency1") or self.opens("emergency1", pending)

    def is_done(self, run: PlaybookRun, host: str) -> None:
        assert run.recap[host]["failures"] == 0, run.output
        self.rotated()


class Baseline:
    """baseline.yml and migrate_per_user_mfa.yml without emergency accounts: methods, enforcement, retirement."""

    declared: ClassVar[dict[str, dict[str, Any]]] = {"legacy": LEGACY, "business": BUSINESS}

    def __init__(self, simulator: Simulator, tenant: Tenant, folder: Path) -> None:
        self.simulator, self.tenant, self.folder = simulator, tenant, folder / "ledgers"
        self.folder.mkdir(exist_ok=True)
        self.ledger = self.folder / f"{tenant.tenant_id}.jsonl"
        self.before: dict[str, str] = {}

    def prepare(self) -> None:
        """Who is to lose per-user MFA has it; in the tenant `business` nobody has."""
        if self.tenant.scenario == "business":
            members = [user for user in self._users() if user["userType"] == "Member" and user["accountEnabled"]]
            for user in members[:4]:
                self._give(user["id"], "enforced")
        self.before = self.states()

    def _give(self, user: str, state: str) -> None:
        path = f"/users/{user}/authentication/requirements"
        self.simulator.change(self.tenant, "PATCH", path, {"perUserMfaState": state}, version="beta")

    def _users(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.simulator.state(self.tenant)["objects"]["user"]
        return found

    def states(self) -> dict[str, str]:
        return {user["userPrincipalName"]: user["perUserMfaState"] for user in self._users()}

    def variables(self) -> dict[str, Any]:
        return {
            **self.declared[self.tenant.scenario],
            "per_user_mfa_retirement_ledger_folder": str(self.folder),
            "per_user_mfa_retirement_settle_time": 0,
            "per_user_mfa_retirement_wave_size": 12,
            "security_defaults_accept_risks": ["unproven_emergency_access"],
        }

    def lines(self) -> list[dict[str, Any]]:
        if not self.ledger.exists():
            return []
        whole = self.ledger.read_text(encoding="utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def noted(self) -> dict[str, str]:
        """The state of before that the ledger has of each user."""
        return {line["user_principal_name"]: line["before"] for line in self.lines() if line["event"] == "change"}

    def kept(self) -> tuple[Any, ...]:
        return tuple(sorted(Counter(line["event"] for line in self.lines()).items()))

    def secrets(self) -> list[str]:
        return []

    def nothing_is_lost(self) -> None:
        """The ledger has the state of before of everybody whose state is another now."""
        noted = self.noted()
        for name, state in self.states().items():
            assert state == self.before[name] or noted[name] == self.before[name]

    def is_done(self, run: PlaybookRun, host: str) -> None:
        assert run.recap[host]["failures"] == 0, run.output
        told = run.custom["_run"]["zerotrust_m365"][host]
        expected = {"legacy": ("changed", "compliant"), "business": ("changed", "incomplete", "compliant")}
        assert told["per_user_mfa_retirement"] in expected[self.tenant.scenario]
        assert told["authentication_methods"] in ("changed", "compliant")
        left = {name for name, state in self.states().items() if state != "disabled"}
        assert {name for name in left if self.states()[name] != self.before[name]} == set()
        changed = {name: state for name, state in self.before.items() if self.states()[name] != state}
        assert changed
        assert self.noted() == changed
        if self.tenant.scenario == "legacy":
            assert left == set()
        (policy,) = self.simulator.state(self.tenant)["objects"]["authenticationMethodsPolicy"]
        assert policy["policyMigrationState"] == "migrationComplete"


class Restore(Baseline):
    """restore_per_user_mfa.yml, after a migration whose ledger is written here, as the role writes it."""

    def prepare(self) -> None:
        super().prepare()
        if self.tenant.scenario == "legacy":
            self.simulator.change(self.tenant, "PATCH", SECURITY_DEFAULTS, {"isEnabled": True})

    def is_done(self, run: PlaybookRun, host: str) -> None:
        assert run.recap[host]["failures"] == 0, run.output
        assert self.states() == self.before

    def nothing_is_lost(self) -> None:
        noted = self.noted()
        for name, state in self.states().items():
            assert state == self.before[name] or noted[name] == self.before[name]


RETIRE = """
- name: Retire
  hosts: all
  gather_facts: false
  vars:
    ansible_connection: local
  tasks:
    - name: Take per-user MFA away
      zerotrust.m365.per_user_mfa:
        tenant_id: "{{ m365_tenant_id }}"
        client_id: "{{ m365_client_id }}"
        client_secret: "{{ m365_client_secret }}"
        graph_url: "{{ m365_graph_url }}"
        login_url: "{{ m365_login_url }}"
        ca_path: "{{ m365_ca_path }}"
        state: disabled
        all: true
        settle_time: 0
        ledger: "{{ per_user_mfa_retirement_ledger_folder }}/{{ m365_tenant_id }}.jsonl"
"""


class EmergencyAccessWatch:
    """emergency_access_watch.yml, which keeps the time of its look, and raises an alarm each time: nobody is there."""

    def __init__(self, simulator: Simulator, tenant: Tenant, folder: Path) -> None:
        self.simulator, self.tenant, self.folder = simulator, tenant, folder / "looks"
        self.folder.mkdir(exist_ok=True)
        self.file = self.folder / f"{tenant.tenant_id}.json"

    def prepare(self) -> None:
        """There is nothing to watch."""

    def variables(self) -> dict[str, Any]:
        return {"emergency_access_watch_state_folder": str(self.folder)}

    def kept(self) -> tuple[Any, ...]:
        return (self.file.exists(),)

    def secrets(self) -> list[str]:
        return []

    def nothing_is_lost(self) -> None:
        """A look is whole, or not there."""
        if self.file.exists():
            assert json.loads(self.file.read_text(encoding="utf-8"))["tenant_id"] == self.tenant.tenant_id

    def is_done(self, run: PlaybookRun, host: str) -> None:
        assert run.custom["_run"]["zerotrust_m365"][host]["emergency_access_watch"]["verdict"] == "alarm"
        assert self.kept() == (True,)
        self.nothing_is_lost()


class EmergencyAccessDrill(EmergencyAccessWatch):
    """emergency_access_drill.yml, which records that somebody signed in."""

    def __init__(self, simulator: Simulator, tenant: Tenant, folder: Path) -> None:
        super().__init__(simulator, tenant, folder)
        self.file = self.folder / f"{tenant.tenant_id}.yml"
        self.name = f"emergency1@{tenant.initial_domain}"

    def prepare(self) -> None:
        body = {
            "accountEnabled": True,
            "displayName": "Emergency access",
            "mailNickname": "emergency1",
            "userPrincipalName": self.name,
            "passwordProfile": {"password": PASSWORD_OF_NOBODY, "forceChangePasswordNextSignIn": False},
        }
        self.simulator.change(self.tenant, "POST", "/users", body)
        self.simulator.register(self.tenant, self.name, ["softwareOneTimePasscode"])
        self.simulator.sign_in_by(self.tenant, self.name, methods=["password", "softwareOneTimePasscode"])

    def variables(self) -> dict[str, Any]:
        return {
            "emergency_access_accounts": [{"name": "emergency1"}],
            "emergency_access_drill_folder": str(self.folder),
            "emergency_access_drill_attested_by": "Noor Visser",
        }

    def nothing_is_lost(self) -> None:
        if self.file.exists():
            assert "Noor Visser" in self.file.read_text(encoding="utf-8")

    def is_done(self, run: PlaybookRun, host: str) -> None:
        assert run.recap[host]["failures"] == 0, run.output
        assert self.kept() == (True,)
        self.nothing_is_lost()


WORKS: dict[str, tuple[Callable[[Simulator, Tenant, Path], Work], tuple[str, ...]]] = {
    "emergency_access": (EmergencyAccess, ()),
    "emergency_access_rotate": (EmergencyAccessRotate, ()),
    "emergency_access_watch": (EmergencyAccessWatch, ()),
    "emergency_access_drill": (EmergencyAccessDrill, ()),
    "baseline": (Baseline, WITHOUT_EMERGENCY_ACCESS),
    "migrate_per_user_mfa": (Baseline, WITHOUT_EMERGENCY_ACCESS),
    "restore_per_user_mfa": (Restore, ()),
}
"""By playbook: what it does, and its options."""
TENANTS = 24
"""That are killed in one test, each once."""
PARTS = {
    ("emergency_access", "legacy"): 3,
    ("emergency_access", "business"): 4,
    ("emergency_access_rotate", "legacy"): 1,
    ("emergency_access_rotate", "business"): 1,
    ("emergency_access_watch", "legacy"): 1,
    ("emergency_access_watch", "business"): 1,
    ("emergency_access_drill", "legacy"): 1,
    ("emergency_access_drill", "business"): 1,
    ("baseline", "legacy"): 5,
    ("baseline", "business"): 3,
    ("migrate_per_user_mfa", "legacy"): 5,
    ("migrate_per_user_mfa", "business"): 3,
    ("restore_per_user_mfa", "legacy"): 3,
    ("restore_per_user_mfa", "business"): 2,
}
"""In so many tests are the requests of a playbook parted, of which the last one fails when they are too few."""
AT_ONCE = 4


class Killing:
    """A simulator with some tenants of one scenario, of which the first one only shows which requests there are."""

    def __init__(self, simulator: Simulator, playbook: str, folder: Path) -> None:
        make, options = WORKS[playbook]
        self.works = {f"tenant{number}": make(simulator, one, folder) for number, one in enumerate(simulator.tenants)}
        for work in self.works.values():
            work.prepare()
        self.killer = Killer(simulator, f"zerotrust.m365.{playbook}", options, folder, self.works)
        if playbook == "restore_per_user_mfa":
            (folder / "retire.yml").write_text(RETIRE, encoding="utf-8")
            self.killer.run(self.works, playbook=folder / "retire.yml")
        first = next(iter(self.works))
        simulator.forget()
        self.works[first].is_done(self.killer.run([first]), first)
        self.points = points(simulator.journal(self.works[first].tenant))

    def everywhere(self, part: int, parts: int, first_kind: int) -> None:
        """At a part of the requests. What is killed changes from request to request."""
        size = -(-len(self.points) // parts)
        assert size <= TENANTS, f"{len(self.points)} requests need more parts"
        of_kind: dict[str, dict[str, Point]] = {kind: {} for kind in KINDS}
        hosts = list(self.works)[1:]
        for number, point in enumerate(self.points[part * size : (part + 1) * size]):
            of_kind[KINDS[(number + first_kind) % len(KINDS)]][hosts[number]] = point
        again: dict[Any, str] = {}
        for kind, chosen in of_kind.items():
            for start in range(0, len(chosen), AT_ONCE):
                some = dict(list(chosen.items())[start : start + AT_ONCE])
                for host in self.killer.kill(kind, some):
                    again.setdefault(self.killer.left(host), host)
        self.killer.run_again(list(again.values()))


@pytest.mark.parametrize("door", ["module", pytest.param("action", marks=pytest.mark.deep)])
def test_an_orphan_writes_nothing(door: str, simulator: Simulator, tmp_path: Path) -> None:
    """ansible-playbook is killed while what it has started reads what it would write."""
    tenant = simulator.tenant("greenfield")
    simulator.hold(tenant, 1, path=SECURITY_DEFAULTS, method="GET", when="after")
    run = RunningPlaybook(
        tmp_path / "run",
        "zerotrust.m365.baseline",
        *WITHOUT_EMERGENCY_ACCESS,
        environment=simulator.environment(tenant),
        variables={
            "m365_in_process": door == "action",
            "security_defaults_accept_risks": ["unproven_emergency_access"],
        },
    )
    while not simulator.held(1) and not run.ended:
        pass
    run.kill()
    simulator.release()
    wait_for_processes_of(run.wait().folder)
    assert writes(simulator.journal()) == []


def request(number: int, method: str = "GET", **more: Any) -> Request:
    version = more.pop("version", "v1.0")
    known = {"time": "", "query": "", "app": None, "tenant": None, "fault": None, "batch": None, "wrote": False}
    return Request(
        **{**known, "number": number, "method": method, "path": f"/{number}", "status": 200, **more}, version=version
    )


def test_where_a_run_is_killed() -> None:
    """Faults that strike afterwards meet what is in a $batch before it, and no error."""
    journal = [
        request(1, "POST", version=None, status=401),
        request(2, status=404),
        request(3, "POST"),
        request(4, "PATCH", batch=3, status=204, wrote=True),
        request(5, "GET", batch=3),
        request(6, "PATCH", status=204, wrote=True),
    ]
    assert points(journal) == [
        Point(0, 0, "after", drop=False),
        Point(1, 1, "before", drop=False),
        Point(2, 3, "after", drop=False),
        Point(3, 1, "after", drop=True),
        Point(5, 4, "after", drop=False),
        Point(5, 5, "before", drop=True),
    ]


def test_what_is_open_to_others_is_found(tmp_path: Path) -> None:
    for name in ("open", "closed/open", "open-folder/open", "private"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch(mode=0o600 if name == "private" else 0o644)
    (tmp_path / "closed").chmod(0o700)
    with pytest.raises(AssertionError) as caught:
        nothing_is_open_to_others([tmp_path])
    assert sorted(line.split()[0].rpartition("/")[0] for line in caught.value.args[0]) == [
        str(tmp_path),
        str(tmp_path / "open-folder"),
    ]


@pytest.mark.parametrize("text", ["of-it: VGhlLXNlY3JldA", "eyJ0eXAiOiJKV1QifQ.eyJhdWQ"])
def test_what_is_left_of_a_secret_is_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").touch()
    (tmp_path / "left").write_text(text, encoding="utf-8")
    run = PlaybookRun(0, "", "", [], [], {}, {}, tmp_path)
    with pytest.raises(AssertionError):
        no_secret_is_left(run, ["The-secret"])
    (tmp_path / "left").write_text("nothing", encoding="utf-8")
    no_secret_is_left(run, ["The-secret"])


def test_killed_at_every_request(
    playbook: str, scenario: str, part: int, parts: int, first_kind: int, tmp_path: Path
) -> None:
    (tmp_path / "simulator").mkdir()
    simulator = Simulator(tmp_path / "simulator", [scenario] * (TENANTS + 1))
    try:
        with simulator.watched():
            killing = Killing(simulator, playbook, tmp_path)
            killing.everywhere(part, parts, first_kind)
            print(f"{playbook} on {scenario}, part {part + 1} of {parts}: {killing.killer.kills}")
    finally:
        simulator.stop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All kinds in three rounds, of which the first is in `make test-deep`, and the others are in `make endurance`."""
    if "first_kind" not in metafunc.fixturenames:
        return
    metafunc.parametrize(
        ("playbook", "scenario", "part", "parts", "first_kind"),
        [
            pytest.param(
                *(playbook, scenario, part, parts, kind),
                id=f"{playbook}-{scenario}-{part + 1}-{KINDS[kind]}",
                marks=pytest.mark.endurance if kind else pytest.mark.deep,
            )
            for kind in range(len(KINDS))
            for (playbook, scenario), parts in PARTS.items()
            for part in range(parts)
        ],
    )
