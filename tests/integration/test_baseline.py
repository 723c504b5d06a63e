# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/baseline.yml on every scenario, on one tenant and on many."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import COLLECTIONS, PlaybookRun, TaskResult
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import (
    Request,
    Simulator,
    Tenant,
    sent,
    token_requests,
    writes,
)
from ansible_collections.zerotrust.m365.tests.integration.test_authentication_methods_role import LEGACY

BASELINE = "zerotrust.m365.baseline"
BY_PATH = COLLECTIONS / "ansible_collections/zerotrust/m365/playbooks/baseline.yml"
SECURITY_DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
TURN_ON = "zerotrust.m365.security_defaults : Turn security defaults on"
WITHOUT_EMERGENCY_ACCESS = (
    *("--skip-tags", "emergency_access"),
    "--extra-vars",
    json.dumps({"security_defaults_accept_risks": ["unproven_emergency_access"]}),
)
"""For what is not about emergency accounts."""
STEPS = ("emergency_access", "authentication_methods", "security_defaults", "per_user_mfa_retirement")
NOTHING_RUN = {**dict.fromkeys(STEPS, "not_run"), "failed": True}


@dataclass(frozen=True)
class Expected:
    """The verdict of a dry run, of the run, and of every run after it; and the requests that each kind of run costs.

    Requests are what goes over the wire to one tenant: sign-in, and Graph with a $batch as one.
    """

    verdicts: tuple[str, str, str]
    requests: tuple[int, int, int]

    @property
    def changes(self) -> int:
        return int(self.verdicts[1] == "changed")


EXPECTED: dict[str, Expected] = {
    "greenfield": Expected(("drift", "changed", "compliant"), (9, 11, 6)),
    "legacy": Expected(("drift", "changed", "compliant"), (10, 12, 6)),
    "business": Expected(("not_assessed", "not_assessed", "not_assessed"), (5, 5, 5)),
    "hybrid": Expected(("drift", "changed", "compliant"), (12, 14, 7)),
    "locked": Expected(("compliant", "compliant", "compliant"), (6, 6, 6)),
}


def verdict(run: PlaybookRun, host: str = "localhost") -> dict[str, Any]:
    """What the playbook handed to set_stats for a host."""
    found: dict[str, Any] = run.custom["_run"]["zerotrust_m365"][host]
    return found


def passed(run: PlaybookRun, expected: str, host: str = "localhost") -> None:
    assert run.return_code == 0, run.output
    assert verdict(run, host) == {**NOTHING_RUN, "security_defaults": expected, "failed": False}
    assert run.recap[host]["failures"] == run.recap[host]["unreachable"] == 0


@pytest.mark.parametrize("door", ["action", pytest.param("module", marks=pytest.mark.deep)])
@pytest.mark.parametrize(
    "scenario",
    # The demonstration and tests/chaos meet the other kinds of tenants.
    [pytest.param(name, marks=[] if name == "legacy" else pytest.mark.deep) for name in EXPECTED],
)
def test_four_runs(scenario: str, door: str, simulator: Simulator, play: Play) -> None:
    expected, tenant = EXPECTED[scenario], simulator.tenant(scenario)
    environment = simulator.environment(tenant)
    requests: list[int] = []

    def run(*options: str) -> PlaybookRun:
        simulator.forget()
        done = play(BASELINE, *WITHOUT_EMERGENCY_ACCESS, "--diff", *options, door=door, environment=environment)
        journal = simulator.journal()
        assert len(token_requests(journal)) == 1
        assert_nothing_read_twice(done.of_collection(), journal)
        requests.append(len(sent(journal)))
        return done

    predicted = run("--check")
    passed(predicted, expected.verdicts[0])
    assert len(predicted.changes()) == predicted.changed() == expected.changes
    assert writes(simulator.journal()) == []

    applied = run()
    passed(applied, expected.verdicts[1])
    assert applied.changes() == predicted.changes()
    assert applied.changed() == expected.changes
    assert [(write.method, write.path) for write in writes(simulator.journal())] == [
        ("PATCH", SECURITY_DEFAULTS)
    ] * expected.changes

    for options in ([], ["--check"]):
        again = run(*options)
        passed(again, expected.verdicts[2])
        assert again.changes() == []
        assert again.changed() == 0
        assert writes(simulator.journal()) == []

    assert requests == [*expected.requests, expected.requests[2]]


def assert_nothing_read_twice(tasks: list[TaskResult], journal: list[Request]) -> None:
    """No task reads a resource twice, except what it has written in between, to verify it."""
    for name, requests in by_task(tasks, [request for request in journal if not request.sign_in]):
        read: Counter[tuple[str | None, str, str]] = Counter()
        for request in requests:
            if request.write:
                read.pop((request.version, request.path, request.query), None)
            elif request.method == "GET":
                read[request.version, request.path, request.query] += 1
        assert [where for where, times in read.items() if times > 1] == [], name


def by_task(tasks: list[TaskResult], journal: list[Request]) -> Iterator[tuple[str, list[Request]]]:
    """The requests that each task of a host has made, told apart by the number that its result says."""
    left = list(journal)
    for task in tasks:
        calls = task.result.get("graph_calls", [])  # a hidden result has none: login, which asks Graph nothing
        count = sum(call["count"] for call in calls)
        assert count <= len(left)
        yield task.task, left[:count]
        left = left[count:]
    assert left == []


def inventory(folder: Path, simulator: Simulator, tenants: list[Tenant], changed: dict[str, dict[str, Any]]) -> str:
    """An inventory with the hosts tenant0, tenant1 and so on. ``changed`` holds variables that they have besides."""
    hosts = {
        f"tenant{number}": {**simulator.host_variables(tenant), **changed.get(f"tenant{number}", {})}
        for number, tenant in enumerate(tenants)
    }
    path = folder / "inventory.yml"
    path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    return str(path)


def enabled(simulator: Simulator, tenant: Tenant) -> bool:
    """Whether security defaults of a tenant were written on since the journal was emptied."""
    return [write.path for write in writes(simulator.journal(tenant)) if write.wrote] == [SECURITY_DEFAULTS]


@pytest.mark.parametrize("door", ["action", pytest.param("module", marks=pytest.mark.deep)])
def test_many_tenants_of_which_one_fails(door: str, simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenants = simulator.tenants_of("greenfield")
    hosts = inventory(tmp_path, simulator, tenants, {"tenant1": {"m365_client_secret": "not-the-secret"}})
    run = play(BASELINE, *WITHOUT_EMERGENCY_ACCESS, "--inventory", hosts, door=door)

    assert run.return_code == 2
    assert [enabled(simulator, tenant) for tenant in tenants] == [True, False, True]
    assert [len(token_requests(simulator.journal(tenant))) for tenant in tenants] == [1, 1, 1]
    for host in ("tenant0", "tenant2"):
        assert run.recap[host]["failures"] == 0
        assert run.recap[host]["changed"] == 1
        assert verdict(run, host)["security_defaults"] == "changed"
    assert run.recap["tenant1"]["failures"] == 1
    assert run.recap["tenant1"]["rescued"] == 1
    assert verdict(run, "tenant1") == NOTHING_RUN
    assert run.task("Sign in", "tenant1").message.startswith("Could not sign in (AADSTS7000215): ")
    assert run.task("Fail when the baseline was not reached", "tenant1").message.startswith(
        "Sign in: Could not sign in"
    )


def test_hosts_whose_group_variables_choose_another_connection(
    simulator: Simulator, play: Play, tmp_path: Path
) -> None:
    tenants = simulator.tenants_of("greenfield")
    elsewhere = {"ansible_connection": "ssh", "ansible_host": "203.0.113.1"}
    hosts = inventory(tmp_path, simulator, tenants, {f"tenant{number}": elsewhere for number in range(3)})
    run = play(BASELINE, *WITHOUT_EMERGENCY_ACCESS, "--inventory", hosts, "--check")
    for host in ("tenant0", "tenant1", "tenant2"):
        passed(run, "drift", host)


def test_by_path_and_without_inventory(simulator: Simulator, play: Play) -> None:
    tenant = simulator.tenant("greenfield")
    run = play(BY_PATH, *WITHOUT_EMERGENCY_ACCESS, "--check", environment=simulator.environment(tenant))
    passed(run, "drift")


def test_security_defaults_alone(simulator: Simulator, play: Play) -> None:
    tenant = simulator.tenant("legacy")
    run = play(
        BASELINE,
        *WITHOUT_EMERGENCY_ACCESS,
        *("--tags", "security_defaults"),
        environment={**simulator.environment(tenant), "ANSIBLE_SHOW_CUSTOM_STATS": "true"},
    )
    passed(run, "changed")
    assert enabled(simulator, tenant)
    assert len(token_requests(simulator.journal())) == 1
    # The role has to find out by itself what preflight would have told it.
    assert [one.action for one in run.of_collection()] == [
        "zerotrust.m365.login",
        "zerotrust.m365.tenant_info",
        "zerotrust.m365.security_defaults",
    ]
    shown = run.stdout.partition("CUSTOM STATS:")[2]
    assert '"security_defaults": "changed"' in shown


def test_preflight_alone(simulator: Simulator, play: Play) -> None:
    tenant = simulator.tenant("legacy")
    run = play(BASELINE, *WITHOUT_EMERGENCY_ACCESS, "--tags", "preflight", environment=simulator.environment(tenant))
    passed(run, "not_run")
    assert writes(simulator.journal()) == []
    summary = run.task("zerotrust.m365.preflight : Show the tenant").result["msg"]
    assert "Security defaults       off" in summary
    assert run.task("Show the verdict").result["msg"] == ["Nothing was assessed."]


def test_an_unknown_fact_stops_the_play(simulator: Simulator, play: Play) -> None:
    tenant = simulator.tenant("greenfield")
    simulator.fail("/subscribedSkus", 403, times=None)
    run = play(BASELINE, *WITHOUT_EMERGENCY_ACCESS, environment=simulator.environment(tenant))
    assert run.return_code == 2
    message = run.task("Fail when the baseline was not reached").message
    assert "Facts that later roles rely on are unknown, so nothing was changed. licences: " in message
    assert "Missing permission: LicenseAssignment.Read.All" in message
    assert verdict(run) == NOTHING_RUN
    assert writes(simulator.journal()) == []


def test_a_tenant_of_another_kind_is_left_alone(simulator: Simulator, play: Play) -> None:
    tenant = simulator.tenant("customers")
    run = play(BASELINE, *WITHOUT_EMERGENCY_ACCESS, environment=simulator.environment(tenant))
    assert run.return_code == 2
    assert "This is a tenant of the kind 'CIAM'" in run.task("Fail when the baseline was not reached").message
    assert writes(simulator.journal()) == []


def test_conditional_access_may_be_an_error(simulator: Simulator, play: Play) -> None:
    tenant = simulator.tenant("business")
    run = play(
        BASELINE,
        *WITHOUT_EMERGENCY_ACCESS,
        environment=simulator.environment(tenant),
        variables={"security_defaults_beside_conditional_access": "fail"},
    )
    assert run.return_code == 2
    message = run.task(TURN_ON).message
    assert "3 Conditional Access policies are enabled" in message
    assert "'CA001: Require MFA for administrators'" in message
    assert writes(simulator.journal()) == []


def test_booleans_from_the_command_line(simulator: Simulator, play: Play) -> None:
    """``--extra-vars name=value`` gives strings."""
    tenant = simulator.tenant("business")
    run = play(
        BASELINE,
        *WITHOUT_EMERGENCY_ACCESS,
        *("--extra-vars", "preflight_show_summary=false", "--extra-vars", "security_defaults_enabled=false"),
        environment=simulator.environment(tenant),
    )
    passed(run, "compliant")
    assert run.task("zerotrust.m365.preflight : Show the tenant").skipped
    assert run.task("Show the verdict").result["msg"] == ["Security defaults are off."]


# Emergency access comes first

EMERGENCY_ACCOUNTS = ("emergency1", "emergency2")


def test_nothing_is_enforced_before_emergency_access_would_work(
    simulator: Simulator, play: Play, tmp_path: Path
) -> None:
    """From the first run to the nightly one, as the guide tells it."""
    tenant = simulator.tenant("legacy")
    vault_password, seals = tmp_path / "vault-password", tmp_path / "seals"
    vault_password.write_text("kept elsewhere", encoding="utf-8")
    seals.mkdir()
    sealing = {"emergency_access_seal_folder": str(seals), "emergency_access_vault_password_file": str(vault_password)}
    declared = {
        "emergency_access_accounts": [{"name": name, "attested": ["totp_token"]} for name in EMERGENCY_ACCOUNTS]
    }

    def run(*options: str, **variables: Any) -> PlaybookRun:
        simulator.forget()
        return play(BASELINE, "--diff", *options, environment=simulator.environment(tenant), variables=variables)

    first = run(**sealing)
    assert first.return_code == 2
    assert verdict(first) == {**NOTHING_RUN, "emergency_access": "insufficient"}
    assert "0 of 2 wanted emergency accounts are usable" in first.task("Fail when the baseline was not reached").message
    assert not enabled(simulator, tenant)

    unproven = run("--check", **sealing, emergency_access_allow_unproven=True)
    assert unproven.return_code == 0, unproven.output
    drift = {"emergency_access": "insufficient", "security_defaults": "drift", "failed": False}
    assert verdict(unproven) == {**NOTHING_RUN, **drift}
    told = unproven.task("Show the verdict").result["msg"]
    assert any(line.startswith("Fewer emergency accounts than wanted are known to be usable.") for line in told)

    for name in EMERGENCY_ACCOUNTS:
        simulator.register(tenant, f"{name}@{tenant.initial_domain}", ["softwareOneTimePasscode"])
    applied = run(**sealing, **declared)
    assert applied.return_code == 0, applied.output
    assert verdict(applied)["security_defaults"] == "changed"
    assert [write.path for write in writes(simulator.journal(tenant)) if write.wrote][-1] == SECURITY_DEFAULTS

    # Neither seals nor vault password are at hand at night.
    nightly = run("--check", **declared, emergency_access_seal="none")
    assert nightly.return_code == 0, nightly.output
    compliant = {"emergency_access": "compliant", "security_defaults": "compliant", "failed": False}
    assert verdict(nightly) == {**NOTHING_RUN, **compliant}
    assert nightly.changed() == 0
    assert writes(simulator.journal(tenant)) == []


def test_without_seals_no_account_is_made(simulator: Simulator, play: Play) -> None:
    tenant = simulator.tenant("greenfield")
    run = play(BASELINE, environment=simulator.environment(tenant), variables={"emergency_access_seal": "none"})
    assert run.return_code == 2
    message = run.task("Fail when the baseline was not reached").message
    assert (
        f"emergency1@{tenant.initial_domain}, emergency2@{tenant.initial_domain}: there is no such account" in message
    )
    assert writes(simulator.journal(tenant)) == []


def test_a_dry_run_fails_on_drift_where_that_is_asked_for(simulator: Simulator, play: Play) -> None:
    """On a schedule nobody sees but that a job fails. Without the variable it ends well, as in the four runs above."""
    tenant = simulator.tenant("greenfield")

    def run(*options: str, fail_on_drift: bool) -> PlaybookRun:
        return play(
            BASELINE,
            *WITHOUT_EMERGENCY_ACCESS,
            *options,
            environment=simulator.environment(tenant),
            variables={"baseline_fail_on_drift": fail_on_drift},
        )

    passed(run("--check", fail_on_drift=False), "drift")
    drifted = run("--check", fail_on_drift=True)
    assert drifted.return_code == 2
    assert verdict(drifted) == {**NOTHING_RUN, "security_defaults": "drift", "failed": False}
    said = drifted.task("Fail when a dry run found drift, where that is asked for").message
    assert said == " ".join(drifted.task("Show the verdict").result["msg"])
    passed(run(fail_on_drift=True), "changed")
    passed(run("--check", fail_on_drift=True), "compliant")


@pytest.mark.deep
def test_all_of_it(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    """Emergency access, methods, enforcement, retirement, migration complete. It warns of the end of SMS."""
    tenant = simulator.tenant("legacy")
    for folder in ("seals", "ledgers"):
        (tmp_path / folder).mkdir()
    declared = {
        "emergency_access_seal_folder": str(tmp_path / "seals"),
        "emergency_access_vault_password": "kept elsewhere",
        "emergency_access_accounts": [{"name": name, "attested": ["totp_token"]} for name in EMERGENCY_ACCOUNTS],
        **LEGACY,
        "per_user_mfa_retirement_ledger_folder": str(tmp_path / "ledgers"),
        "per_user_mfa_retirement_settle_time": 0,
    }

    def run(*options: str, warns: bool = False, **variables: Any) -> PlaybookRun:
        simulator.forget()
        environment = simulator.environment(tenant)
        variables = {**declared, **variables}
        return play(BASELINE, "--diff", *options, environment=environment, variables=variables, warns=warns)

    only_accounts = run("--tags", "emergency_access", emergency_access_allow_unproven=True)
    assert only_accounts.return_code == 0, only_accounts.output
    for name in EMERGENCY_ACCOUNTS:
        simulator.register(tenant, f"{name}@{tenant.initial_domain}", ["softwareOneTimePasscode"])

    predicted = run("--check", warns=True)
    assert predicted.return_code == 0, predicted.output
    assert writes(simulator.journal(tenant)) == []

    applied = run(warns=True)
    assert applied.return_code == 0, applied.output
    assert verdict(applied) == {
        "emergency_access": "compliant",
        "authentication_methods": "changed",
        "security_defaults": "changed",
        "per_user_mfa_retirement": "changed",
        "failed": False,
    }
    assert {step: verdict(predicted)[step] for step in STEPS} == {
        step: "drift" if said == "changed" else said for step, said in verdict(applied).items() if step != "failed"
    }
    paths = [write.path for write in writes(simulator.journal(tenant)) if write.wrote]
    enforced = paths.index(SECURITY_DEFAULTS)
    retired = [number for number, path in enumerate(paths) if path.endswith("/authentication/requirements")]
    assert retired
    assert enforced < min(retired)
    assert paths[-1] == "/policies/authenticationMethodsPolicy"

    for options in ([], ["--check"]):
        again = run(*options)
        assert again.return_code == 0, again.output
        assert {verdict(again)[step] for step in STEPS} == {"compliant"}
        assert again.changed() == 0
        assert writes(simulator.journal(tenant)) == []
