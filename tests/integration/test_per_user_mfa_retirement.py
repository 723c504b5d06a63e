# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role per_user_mfa_retirement, playbooks/migrate_per_user_mfa.yml and playbooks/restore_per_user_mfa.yml.

The simulator's watch is on in every test: after each accepted write nobody may have lost MFA.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Request, Simulator, Tenant, writes
from ansible_collections.zerotrust.m365.tests.integration.test_authentication_methods_role import LEGACY

MIGRATE, RESTORE = "zerotrust.m365.migrate_per_user_mfa", "zerotrust.m365.restore_per_user_mfa"
BASELINE = "zerotrust.m365.baseline"
ROLE = "zerotrust.m365.per_user_mfa_retirement : "
DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
OF_A_USER = "/authentication/requirements"
# The methods have tests of their own, and take long.
IN_SHORT = ("--tags", "security_defaults,per_user_mfa_retirement")
PERMISSION = "Policy.ReadWrite.AuthenticationMethod"

# Of the scenario per_user_mfa_retirement: whom a policy without conditions asks for MFA, and who else has per-user MFA.
COVERED = {f"{name}@treyresearch.example" for name in ("ada.vos", "lena.prins", "noor.visser")}
EXCLUDED = {
    "emergency1@treyresearch.onmicrosoft.com",
    "omar.ali@treyresearch.example",
    "paul.wit@treyresearch.example",
    "gina.gast_adatum.example#EXT#@treyresearch.onmicrosoft.com",
}


class Host:
    """One tenant, a host of the inventory. ``more`` are variables of it."""

    def __init__(self, simulator: Simulator, scenario: str, folder: Path, more: dict[str, Any]) -> None:
        self.simulator, self.more, self.folder = simulator, more, folder
        self.tenant: Tenant = simulator.tenant(scenario)

    @property
    def ledger(self) -> Path:
        return self.folder / f"{self.tenant.tenant_id}.jsonl"

    def variables(self) -> dict[str, Any]:
        return {
            **self.simulator.host_variables(self.tenant),
            "per_user_mfa_retirement_ledger_folder": str(self.folder),
            "per_user_mfa_retirement_settle_time": 0,
            "per_user_mfa_retirement_wave_size": 12,
            # Emergency accounts have tests of their own.
            "security_defaults_accept_risks": ["unproven_emergency_access"],
            **self.more,
        }

    def states(self) -> dict[str, str]:
        """By user principal name."""
        users = self.simulator.state(self.tenant)["objects"]["user"]
        return {user["userPrincipalName"]: user["perUserMfaState"] for user in users}

    def with_mfa(self) -> set[str]:
        return {name for name, state in self.states().items() if state != "disabled"}

    def wrote(self) -> list[Request]:
        return writes(self.simulator.journal(self.tenant))

    def changed_users(self) -> Counter[str]:
        """How often the state of a user was written, by the path of the request."""
        return Counter(request.path for request in self.wrote() if request.path.endswith(OF_A_USER))

    def paths_of(self, names: Iterable[str]) -> set[str]:
        """Where the states of these users are written."""
        ids = {user["userPrincipalName"]: user["id"] for user in self.simulator.state(self.tenant)["objects"]["user"]}
        return {f"/users/{ids[name]}{OF_A_USER}" for name in names}

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ledger.read_text(encoding="utf-8").splitlines()]

    def security_defaults_are_on(self) -> bool:
        (policy,) = self.simulator.state(self.tenant)["objects"]["securityDefaults"]
        return bool(policy["isEnabled"])


class Fleet:
    """The playbooks on many tenants at once: scenario and variables by the name of the host."""

    def __init__(
        self, simulator: Simulator, play: Play, folder: Path, hosts: dict[str, tuple[str, dict[str, Any]]]
    ) -> None:
        self.simulator, self.play, self.folder = simulator, play, folder
        self.ledgers = folder / "ledgers"
        self.ledgers.mkdir()
        self.hosts = {name: Host(simulator, scenario, self.ledgers, more) for name, (scenario, more) in hosts.items()}

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def inventory(self) -> Path:
        path = self.folder / "inventory.yml"
        hosts = {name: host.variables() for name, host in self.hosts.items()}
        path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        return path

    def options(self, playbook: str, hosts: Iterable[str] = ()) -> list[str]:
        return [
            *("--inventory", str(self.inventory()), "--diff", "--forks", "3"),
            *(("--skip-tags", "emergency_access") if playbook == MIGRATE else ()),
            *(("--limit", ",".join(hosts)) if hosts else ()),
        ]

    def run(
        self,
        *options: str,
        playbook: str = MIGRATE,
        hosts: Iterable[str] = (),
        door: str = "action",
        warns: bool = False,
        **more: Any,
    ) -> PlaybookRun:
        """``more`` are variables of all hosts. Where SMS is migrated, there is a warning of its end."""
        self.simulator.forget()
        given = self.options(playbook, hosts)
        return self.play(playbook, *given, *options, warns=warns, door=door, variables=more)

    def done(self, *options: str, **more: Any) -> PlaybookRun:
        run = self.run(*options, **more)
        assert run.return_code == 0, run.output
        return run


Make = Callable[..., Fleet]


@pytest.fixture
def fleet(simulator: Simulator, play: Play, tmp_path: Path) -> Make:
    return lambda **hosts: Fleet(simulator, play, tmp_path, hosts)


def verdict(run: PlaybookRun, host: str) -> dict[str, Any]:
    found: dict[str, Any] = run.custom["_run"]["zerotrust_m365"][host]
    return found


def retired(run: PlaybookRun, host: str) -> tuple[str, int, int, int]:
    """Verdict, and how many were changed, remain, and were skipped."""
    told = verdict(run, host)
    counts = told["counts"]
    return told["per_user_mfa_retirement"], counts["changed"], counts["remaining"], counts["skipped"]


def states_in(run: PlaybookRun, host: str) -> tuple[dict[str, str], dict[str, str]]:
    """The states of before and after, by user, in the diffs of all tasks that changed some."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for name, task, diff in run.changes():
        if name == host and task.startswith(ROLE):
            for one in diff:
                assert not before.keys() & one["before"].keys(), "a user in two tasks"
                before |= one["before"]
                after |= one["after"]
    return before, after


def messages(run: PlaybookRun, host: str) -> str:
    return " ".join(one.message for one in run.results if one.failed and one.host == host)


def reason(run: PlaybookRun, host: str) -> str:
    (found,) = [
        one for one in run.results if one.task == f"{ROLE}Note the verdict" and one.host == host and not one.skipped
    ]
    said: str = found.result["ansible_facts"]["per_user_mfa_retirement_reason"]
    return said


# A dry run, a run, the next one, and back


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.deep)], ids=["in short", "whole"])
def test_migrated_and_put_back(fleet: Make, whole: bool) -> None:
    """A tenant that gets security defaults, one with Conditional Access, and one whose application may only read."""
    steps = () if whole else IN_SHORT
    all_of_them = fleet(legacy=("legacy", LEGACY), policies=("per_user_mfa_retirement", {}), powerless=("reader", {}))
    legacy, policies, powerless = all_of_them.hosts.values()
    before = legacy.states()
    assert set(before.values()) == {"disabled", "enabled", "enforced"}
    assert policies.with_mfa() == COVERED | EXCLUDED
    had = legacy.with_mfa()

    predicted = all_of_them.done("--check", *steps, hosts=["legacy"], warns=whole)
    assert legacy.wrote() == []
    assert list(all_of_them.ledgers.iterdir()) == []
    assert retired(predicted, "legacy") == ("drift", len(had), 0, 0)
    assert "as it will be once security defaults are on" in reason(predicted, "legacy")

    run = all_of_them.run(*steps, warns=whole)
    assert {host for host, counts in run.recap.items() if counts["failures"]} == {"powerless"}, run.output
    assert PERMISSION in messages(run, "powerless")
    assert powerless.wrote() == []

    assert retired(run, "legacy") == ("changed", len(had), 0, 0)
    assert retired(run, "policies") == ("incomplete", len(COVERED), 0, len(EXCLUDED))
    assert states_in(run, "legacy") == states_in(predicted, "legacy")
    cover_came_first(legacy)
    assert set(legacy.changed_users().values()) == {1}
    assert len(legacy.changed_users()) == len(had)
    assert legacy.with_mfa() == set()
    assert policies.with_mfa() == EXCLUDED
    assert policies.changed_users().total() == len(policies.wrote()) == len(COVERED)
    for name in EXCLUDED:
        assert name in reason(run, "policies")

    waves = [one for one in run.results if one.host == "legacy" and one.task.startswith(f"{ROLE}Change ")]
    assert [one.task.removeprefix(ROLE) for one in waves] == [
        "Change the canary",
        "Change the others, wave by wave",
        "Change wave 1",
        "Change wave 2",
    ]
    assert [one.result["per_user_mfa"]["remaining"] for one in waves if "per_user_mfa" in one.result] == [19, 7, 0]
    ledgers_are_right(legacy, before, had)

    again = all_of_them.done(*steps, hosts=["legacy"])
    assert retired(again, "legacy") == ("compliant", 0, 0, 0)
    assert again.changed("legacy") == 0
    assert legacy.wrote() == []

    back = all_of_them.done(playbook=RESTORE, hosts=["legacy"])
    assert verdict(back, "legacy")["restore_per_user_mfa"] == "changed"
    assert legacy.states() == before


def cover_came_first(host: Host) -> None:
    """In the journal, security defaults were on before the first state of a user was written."""
    accepted = [request.path for request in host.wrote() if request.status in (200, 204)]
    first = next(number for number, path in enumerate(accepted) if path.endswith(OF_A_USER))
    assert DEFAULTS in accepted[:first]


def ledgers_are_right(host: Host, before: dict[str, str], changed: set[str]) -> None:
    assert host.ledger.stat().st_mode & 0o777 == 0o600
    noted = {line["user_principal_name"]: line["before"] for line in host.lines() if line["event"] == "change"}
    assert noted == {name: before[name] for name in changed}


# On every kind of tenant


@pytest.mark.deep
@pytest.mark.parametrize("door", ["action", "module"])
def test_four_runs_and_back(fleet: Make, door: str) -> None:
    nothing_ticked = {**LEGACY, "authentication_methods_legacy_password_reset": {"enabled_for": "nobody"}}
    tenants = fleet(
        greenfield=("greenfield", {}),
        hybrid=("hybrid", nothing_ticked),
        policies=("per_user_mfa_retirement", {"per_user_mfa_retirement_exclude_groups": ["Emergency access"]}),
    )
    before = {name: host.states() for name, host in tenants.hosts.items()}
    predicted = tenants.done("--check", warns=True, door=door)
    assert [host.wrote() for host in tenants.hosts.values()] == [[], [], []]
    run = tenants.done(warns=True, door=door)
    for name in tenants.hosts:
        assert states_in(run, name) == states_in(predicted, name)
    assert retired(predicted, "policies") == ("drift", len(COVERED), 0, len(EXCLUDED) - 1)
    assert retired(run, "greenfield") == ("compliant", 0, 0, 0)
    assert retired(run, "hybrid")[0] == "changed"
    # The emergency account was excluded: it is left as it is, and no word is lost about it.
    assert retired(run, "policies") == ("incomplete", len(COVERED), 0, len(EXCLUDED) - 1)
    for options in ([], ["--check"]):
        again = tenants.done(*options, door=door)
        assert [again.changed(name) for name in tenants.hosts] == [0, 0, 0]
        assert [host.wrote() for host in tenants.hosts.values()] == [[], [], []]

    with_states = ("hybrid", "policies")
    planned = tenants.done("--check", playbook=RESTORE, hosts=with_states, door=door)
    assert [tenants[name].wrote() for name in with_states] == [[], []]
    back = tenants.done(playbook=RESTORE, hosts=with_states, door=door)
    for name in with_states:
        assert states_in(back, name) == states_in(planned, name)
        assert verdict(planned, name)["restore_per_user_mfa"] == "drift"
        assert verdict(back, name)["restore_per_user_mfa"] == "changed"
        assert tenants[name].states() == before[name]
    again = tenants.done(playbook=RESTORE, hosts=with_states, door=door)
    assert [again.changed(name) for name in with_states] == [0, 0]
    assert [verdict(again, name)["restore_per_user_mfa"] for name in with_states] == ["compliant"] * 2


@pytest.mark.deep
def test_nothing_is_removed_where_nothing_covers(fleet: Make) -> None:
    """The role alone, without anything that would cover anybody."""
    tenants = fleet(legacy=("legacy", {}))
    legacy = tenants["legacy"]
    before = legacy.states()
    for options in (["--check"], []):
        run = tenants.done("--tags", "per_user_mfa_retirement", *options)
        assert retired(run, "legacy") == ("incomplete", 0, 0, len(legacy.with_mfa()))
        assert "Security defaults are off." in reason(run, "legacy")
        assert legacy.wrote() == []
    assert legacy.states() == before
    assert not legacy.ledger.exists()


# What stops it


@pytest.mark.deep
@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"per_user_mfa_retirement_ledger_folder": "/nowhere"}, "/nowhere"),
        ({"per_user_mfa_retirement_max_changes": 2}, "max_changes"),
        ({"per_user_mfa_retirement_uncovered": "fail"}, "would be skipped, and nobody may be"),
        ({"per_user_mfa_retirement_wave_size": 0}, "wave_size must be at least 1"),
        ({"per_user_mfa_retirement_exclude_groups": ["Nobody's"]}, "Nobody's"),
        ({"per_user_mfa_retirement_order": "per_user_mfa_off_first"}, "not taken away first"),
    ],
    ids=lambda value: next(iter(value)).removeprefix("per_user_mfa_retirement_") if isinstance(value, dict) else "",
)
def test_what_is_refused_is_refused_before_anybody_is_changed(
    fleet: Make, variables: dict[str, Any], words: str
) -> None:
    tenants = fleet(policies=("per_user_mfa_retirement", variables))
    policies = tenants["policies"]
    for options in (["--check"], []):
        run = tenants.run("--tags", "preflight,per_user_mfa_retirement", *options)
        assert run.return_code == 2
        assert words in messages(run, "policies"), run.output
        assert policies.wrote() == []
        assert verdict(run, "policies")["failed"]
        assert verdict(run, "policies")["per_user_mfa_retirement"] in ("not_assessed", "not_run")
    assert not policies.ledger.exists()


@pytest.mark.deep
def test_the_canary_may_be_all_for_now(fleet: Make) -> None:
    stopping = {**LEGACY, "per_user_mfa_retirement_after_canary": "stop", "per_user_mfa_retirement_canary": 3}
    tenants = fleet(legacy=("legacy", stopping))
    had = len(tenants["legacy"].with_mfa())
    run = tenants.done(warns=True)
    assert retired(run, "legacy") == ("incomplete", 3, had - 3, 0)
    assert "stopped after the canary, as asked" in reason(run, "legacy")
    assert len(tenants["legacy"].with_mfa()) == had - 3
    run = tenants.done(per_user_mfa_retirement_after_canary="go_on", per_user_mfa_retirement_max_changes=had - 3)
    assert retired(run, "legacy") == ("changed", had - 3, 0, 0)
    assert tenants["legacy"].with_mfa() == set()


@pytest.mark.deep
def test_a_canary_that_fails_is_the_end_of_it(fleet: Make, simulator: Simulator) -> None:
    tenants = fleet(policies=("per_user_mfa_retirement", {"per_user_mfa_retirement_canary": 2}))
    policies = tenants["policies"]
    simulator.strike(path=OF_A_USER, method="PATCH", status=400, tenant=policies.tenant.tenant_id)
    run = tenants.run()
    assert run.return_code == 2
    assert "Stopped after the canary." in messages(run, "policies")
    assert len(policies.wrote()) == 2
    assert verdict(run, "policies")["failed"]
    simulator.heal()
    run = tenants.done()
    assert retired(run, "policies") == ("incomplete", len(COVERED) - 1, 0, len(EXCLUDED))
    assert policies.with_mfa() == EXCLUDED


def cover_lines(host: Host) -> list[str]:
    return [line["event"] for line in host.lines() if line["event"] in ("cover", "cover_gone")]


def waited(host: Host) -> float:
    """Seconds from when security defaults were last noted to the next change."""
    lines = host.lines()
    last = max(number for number, line in enumerate(lines) if line["event"] == "cover")
    change = next(line for line in lines[last:] if line["event"] == "change")
    began, ended = (datetime.fromisoformat(line["at"].replace("Z", "+00:00")) for line in (lines[last], change))
    return (ended - began).total_seconds()


@pytest.mark.deep
def test_security_defaults_that_come_back_have_to_spread_again(fleet: Make, simulator: Simulator) -> None:
    """Somebody switched them off and gave a user per-user MFA instead. The ledger has seen them long ago.

    The run that turns them on again ends before it takes per-user MFA away.
    """
    tenants = fleet(legacy=("legacy", LEGACY))
    legacy = tenants["legacy"]
    tenants.done(warns=True, per_user_mfa_retirement_settle_time=1)
    simulator.expects_violation("mfa_protection", legacy.tenant)
    simulator.change(legacy.tenant, "PATCH", DEFAULTS, {"isEnabled": False})
    (path, *_others) = legacy.paths_of(legacy.states())
    simulator.change(legacy.tenant, "PATCH", path, {"perUserMfaState": "enforced"}, version="beta")
    tenants.done("--check")
    assert cover_lines(legacy) == ["cover"]
    tenants.done("--tags", "preflight,security_defaults")
    assert cover_lines(legacy) == ["cover", "cover_gone"]
    tenants.done(per_user_mfa_retirement_settle_time=3)
    assert legacy.changed_users() == {path: 1}
    assert cover_lines(legacy) == ["cover", "cover_gone", "cover"]
    assert waited(legacy) >= 3
    noted = legacy.lines()
    tenants.done("--tags", "security_defaults")
    assert legacy.lines() == noted


# The other order

OFF_FIRST = {
    **LEGACY,
    "per_user_mfa_retirement_order": "per_user_mfa_off_first",
    "per_user_mfa_retirement_accept_risks": ["gap_without_mfa"],
}
TAKEN_FROM_ALL = """
- hosts: all
  gather_facts: false
  vars:
    ansible_connection: local
  tasks:
    - name: Take per-user MFA away though nothing covers
      zerotrust.m365.per_user_mfa:
        tenant_id: "{{ m365_tenant_id }}"
        client_id: "{{ m365_client_id }}"
        client_secret: "{{ m365_client_secret }}"
        graph_url: "{{ m365_graph_url }}"
        login_url: "{{ m365_login_url }}"
        ca_path: "{{ m365_ca_path }}"
        state: disabled
        all: true
        require_cover: false
        ledger: "{{ per_user_mfa_retirement_ledger_folder }}/{{ m365_tenant_id }}.jsonl"
"""


@pytest.mark.deep
def test_the_other_order_needs_the_risk_by_its_name(fleet: Make) -> None:
    tenants = fleet(legacy=("legacy", {**OFF_FIRST, "per_user_mfa_retirement_accept_risks": []}))
    legacy = tenants["legacy"]
    for options in (["--check"], []):
        run = tenants.run("--skip-tags", "authentication_methods,migration_complete,emergency_access", *options)
        assert run.return_code == 2
        assert "gap_without_mfa" in messages(run, "legacy")
        assert "a stolen password is enough" in messages(run, "legacy")
        assert legacy.wrote() == []


@pytest.mark.deep
@pytest.mark.parametrize(
    ("options", "variables"),
    [
        (("--tags", "preflight,per_user_mfa_retirement"), {}),
        (("--skip-tags", "authentication_methods,security_defaults"), {}),
        (("--skip-tags", "authentication_methods"), {"security_defaults_enabled": False}),
    ],
    ids=["tags", "skipped", "off"],
)
def test_the_other_order_needs_something_that_closes_the_gap(
    fleet: Make, options: tuple[str, ...], variables: dict[str, Any]
) -> None:
    tenants = fleet(legacy=("legacy", {**OFF_FIRST, **variables}))
    for modes in (["--check"], []):
        run = tenants.run(*options, *modes)
        assert run.return_code == 2
        assert "Security defaults would not be turned on after it" in messages(run, "legacy"), run.output
        assert tenants["legacy"].wrote() == []


@pytest.mark.deep
def test_the_other_order_says_the_gap_it_opens(fleet: Make, simulator: Simulator) -> None:
    tenants = fleet(legacy=("legacy", OFF_FIRST))
    legacy = tenants["legacy"]
    simulator.expects_violation("mfa_protection", legacy.tenant)
    had = len(legacy.with_mfa())
    predicted = tenants.done("--check", warns=True)
    assert retired(predicted, "legacy") == ("drift", had, 0, 0)
    assert legacy.wrote() == []
    run = tenants.done(warns=True)
    assert retired(run, "legacy") == ("changed", had, 0, 0)
    for one in (predicted, run):
        assert f"Nothing else is known to cover {had} of them" in reason(one, "legacy")
    assert legacy.security_defaults_are_on()
    accepted = [request.path for request in legacy.wrote()]
    assert next(number for number, path in enumerate(accepted) if path.endswith(DEFAULTS)) > had
    again = tenants.done()
    assert again.changed("legacy") == 0


@pytest.mark.deep
def test_in_the_other_order_a_failure_gives_per_user_mfa_back(fleet: Make, simulator: Simulator) -> None:
    tenants = fleet(legacy=("legacy", OFF_FIRST))
    legacy = tenants["legacy"]
    simulator.expects_violation("mfa_protection", legacy.tenant)
    before = legacy.states()
    simulator.strike(path=DEFAULTS, method="PATCH", status=400, tenant=legacy.tenant.tenant_id, times=None)
    run = tenants.run(warns=True)
    assert run.return_code == 2
    assert not legacy.security_defaults_are_on()
    assert legacy.states() == before
    assert legacy.changed_users().total() == 2 * len(legacy.with_mfa())
    assert "restore_per_user_mfa" not in messages(run, "legacy")


@pytest.mark.deep
@pytest.mark.parametrize(
    "careful",
    [{"per_user_mfa_retirement_after_canary": "stop"}, {"per_user_mfa_retirement_max_changes": 10}],
    ids=["canary", "bound"],
)
def test_what_an_interrupted_run_took_is_given_back_whatever_the_bounds(
    fleet: Make, simulator: Simulator, careful: dict[str, Any]
) -> None:
    """Everybody has lost per-user MFA, and what should have come next cannot."""
    tenants = fleet(legacy=("legacy", {**OFF_FIRST, **careful}))
    legacy = tenants["legacy"]
    simulator.expects_violation("mfa_protection", legacy.tenant)
    before = legacy.states()
    interrupted = tenants.folder / "interrupted.yml"
    interrupted.write_text(TAKEN_FROM_ALL, encoding="utf-8")
    tenants.done(playbook=str(interrupted))
    assert legacy.with_mfa() == set()
    simulator.strike(path=DEFAULTS, method="PATCH", status=400, tenant=legacy.tenant.tenant_id, times=None)
    run = tenants.run(warns=True)
    assert run.return_code == 2
    assert legacy.states() == before
    assert "restore_per_user_mfa" not in messages(run, "legacy")


@pytest.mark.deep
def test_who_stays_without_mfa_is_said(fleet: Make, simulator: Simulator) -> None:
    tenants = fleet(legacy=("legacy", OFF_FIRST))
    legacy = tenants["legacy"]
    simulator.expects_violation("mfa_protection", legacy.tenant)
    interrupted = tenants.folder / "interrupted.yml"
    interrupted.write_text(TAKEN_FROM_ALL, encoding="utf-8")
    tenants.done(playbook=str(interrupted))
    for path in (DEFAULTS, OF_A_USER):
        simulator.strike(path=path, method="PATCH", status=400, tenant=legacy.tenant.tenant_id, times=None)
    run = tenants.run(warns=True)
    assert run.return_code == 2
    assert legacy.with_mfa() == set()
    assert "Run zerotrust.m365.restore_per_user_mfa at once." in messages(run, "legacy")


@pytest.mark.deep
@pytest.mark.parametrize(
    ("options", "variables"),
    [
        (("--tags", "per_user_mfa_retirement"), {}),
        ((), {"security_defaults_enabled": False}),
    ],
    ids=["tags", "off"],
)
def test_the_baseline_does_not_go_the_other_way(
    fleet: Make, options: tuple[str, ...], variables: dict[str, Any]
) -> None:
    """It has nothing that would close the gap."""
    tenants = fleet(legacy=("legacy", {**OFF_FIRST, **variables}))
    for modes in (["--check"], []):
        run = tenants.run("--skip-tags", "emergency_access", *options, *modes, playbook=BASELINE)
        assert run.return_code == 2
        assert "zerotrust.m365.migrate_per_user_mfa goes the other way" in messages(run, "legacy"), run.output
        assert tenants["legacy"].wrote() == []
