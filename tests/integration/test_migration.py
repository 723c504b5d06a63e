# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/migrate_per_user_mfa.yml and the same steps of playbooks/baseline.yml, as a whole."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun, plugged_in
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator
from ansible_collections.zerotrust.m365.tests.integration.test_authentication_methods_role import (
    BUSINESS,
    EVERYTHING,
    LEGACY,
    changed,
)
from ansible_collections.zerotrust.m365.tests.integration.test_emergency_access import NAMES, Sealed
from ansible_collections.zerotrust.m365.tests.integration.test_emergency_access_factors import PIN
from ansible_collections.zerotrust.m365.tests.integration.test_per_user_mfa_retirement import (
    DEFAULTS,
    EXCLUDED,
    IN_SHORT,
    MIGRATE,
    Host,
    Make,
    cover_came_first,
    fleet,
    messages,
    reason,
    retired,
    states_in,
    verdict,
)

__all__ = ["fleet"]
BASELINE = "zerotrust.m365.baseline"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
METHODS_POLICY = "/policies/authenticationMethodsPolicy"
UNSUPPORTED = "unsupported in this cloud"
ON = "zerotrust.m365.security_defaults : Turn security defaults on"
# Steps that are not about the methods, and take long.
REST = "emergency_access,preflight,per_user_mfa_retirement"


# A cloud in which Graph has no authentication methods policy, as Microsoft Azure operated by 21Vianet


@pytest.mark.parametrize(
    ("playbook", "modes"),
    [
        (MIGRATE, [[]]),
        pytest.param(MIGRATE, [["--check"], []], marks=pytest.mark.deep, id="dry run"),
        pytest.param(BASELINE, [["--check"], []], marks=pytest.mark.deep, id="baseline"),
    ],
)
def test_unsupported_in_this_cloud(fleet: Make, simulator: Simulator, playbook: str, modes: list[list[str]]) -> None:
    """With the first look, and where that is told to go on with what is unknown: nothing is half done."""
    tenants = fleet(legacy=("legacy", LEGACY), lenient=("hybrid", {**LEGACY, "preflight_unknown_facts": "report"}))
    before = {name: host.states() for name, host in tenants.hosts.items()}
    simulator.strike(path=METHODS_POLICY, status=404, times=None)
    for options in modes:
        run = tenants.run("--skip-tags", "emergency_access", *options, playbook=playbook)
        assert run.return_code == 2, run.output
        for name, host in tenants.hosts.items():
            assert UNSUPPORTED in messages(run, name), run.output
            assert host.wrote() == []
            assert host.states() == before[name]
            assert not host.ledger.exists()
            assert verdict(run, name)["per_user_mfa_retirement"] == "not_run"
            assert verdict(run, name)["security_defaults"] == "not_run"


# The methods are enabled by the first step, and the migration is completed by the last, or one of the two does it all


@pytest.mark.parametrize("playbook", [MIGRATE, pytest.param(BASELINE, marks=pytest.mark.deep)])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(("--skip-tags", REST), [*EVERYTHING[:2], ON, EVERYTHING[2]], id="both"),
        pytest.param(("--tags", "migration_complete"), EVERYTHING, id="the last"),
        pytest.param(
            ("--skip-tags", f"authentication_methods,{REST}"),
            [ON, *EVERYTHING],
            id="without the first",
            marks=pytest.mark.deep,
        ),
        pytest.param(("--tags", "authentication_methods"), EVERYTHING[:2], id="the first", marks=pytest.mark.deep),
        pytest.param(
            ("--tags", "tagged", "--skip-tags", f"migration_complete,{REST}"),
            [*EVERYTHING[:2], ON],
            id="without the last",
            marks=pytest.mark.deep,
        ),
    ],
)
def test_a_dry_run_of_any_steps_is_what_they_do(
    fleet: Make, playbook: str, options: tuple[str, ...], expected: list[str]
) -> None:
    """Also where the inventory wants the migration to stay in progress. It warns of the end of SMS."""
    for_now = {**BUSINESS, "authentication_methods_complete": False}
    tenants = fleet(legacy=("legacy", LEGACY), for_now=("business", for_now))
    predicted = tenants.done(*options, "--check", playbook=playbook, warns=True)
    assert [host.wrote() for host in tenants.hosts.values()] == [[], []]
    done = tenants.done(*options, playbook=playbook, warns=True)
    for run, said in ((predicted, "drift"), (done, "changed")):
        assert changed(run, "legacy") == expected
        assert changed(run, "for_now") == EVERYTHING[1:2]
        for name, host in tenants.hosts.items():
            assert verdict(run, name)["authentication_methods"] == said
            assert written_by(run, name) == [path for path, _again in groupby(one.path for one in host.wrote())]
    for again in ((*options, "--check"), options):
        run = tenants.done(*again, playbook=playbook, warns=True)
        for name, host in tenants.hosts.items():
            assert run.changed(name) == 0
            assert host.wrote() == []
            assert verdict(run, name)["authentication_methods"] == "compliant"


def written_by(run: PlaybookRun, host: str) -> list[str]:
    """Where each change of a run, or of a dry run, is written, in order; a change may take several requests."""
    paths = {"authentication_methods_policy": METHODS_POLICY, "security_defaults": DEFAULTS}
    found = []
    for one in run.of_collection(host):
        path = paths.get(one.action.rpartition(".")[2])
        if one.changed and path:
            found.append(path)
        elif one.changed:
            found += [
                f"{METHODS_POLICY}/authenticationMethodConfigurations/{item.result['item']['id']}"
                for item in run.items
                if (item.host, item.task) == (host, one.task) and item.changed
            ]
    return found


@pytest.mark.deep
@pytest.mark.parametrize("playbook", [MIGRATE, BASELINE])
def test_who_wants_the_migration_completed_does_not_want_it_early(fleet: Make, playbook: str) -> None:
    """What comes from the command line beats what a playbook says."""
    tenants = fleet(legacy=("legacy", LEGACY))
    options = ("--skip-tags", REST, "--extra-vars", "authentication_methods_complete=true")
    predicted = tenants.done(*options, "--check", playbook=playbook, warns=True)
    done = tenants.done(*options, playbook=playbook, warns=True)
    assert changed(predicted, "legacy") == changed(done, "legacy") == [*EVERYTHING[:2], ON, EVERYTHING[2]]
    wrote = [request.path for request in tenants["legacy"].wrote()]
    assert wrote[-2:] == [DEFAULTS, METHODS_POLICY]
    assert tenants.done(*options, playbook=playbook).changed("legacy") == 0


# With the emergency accounts


@pytest.mark.deep
@pytest.mark.parametrize("playbook", [MIGRATE, BASELINE])
def test_with_emergency_access_end_to_end(simulator: Simulator, play: Play, tmp_path: Path, playbook: str) -> None:
    """No risk is taken: security defaults wait until both accounts hold what these surely take."""
    tenant = simulator.tenant("legacy")
    emergency, legacy = Sealed(simulator, tenant, play, tmp_path), Host(simulator, "legacy", tmp_path, {})
    had = legacy.with_mfa()
    variables = {
        **LEGACY,
        **emergency.variables(),
        **legacy.variables(),
        "emergency_access_allow_unproven": False,
        "security_defaults_accept_risks": [],
        "emergency_access_accounts": [{"name": name, "second_factor": "passkey"} for name in NAMES],
        "emergency_access_secrets": {name: {"passkey_pin": PIN} for name in NAMES},
        "emergency_access_attended": True,
    }

    def run(*options: str, warns: bool = False, returns: int = 0) -> PlaybookRun:
        simulator.forget()
        done = play(playbook, "--diff", *options, environment=plugged_in(PIN), variables=variables, warns=warns)
        assert done.return_code == returns, done.output
        assert PIN not in done.output
        return done

    # Whether somebody will register a passkey, a dry run cannot know.
    unproven = run("--check", returns=2)
    assert "0 of 2 wanted emergency accounts are usable" in messages(unproven, "localhost")
    assert legacy.wrote() == []
    # What the run makes, with somebody at the key, suffices for signing in, but not surely under security defaults.
    stopped = run(warns=True, returns=2)
    emergency.healthy()
    assert "Keep a TOTP token besides" in messages(stopped, "localhost")
    assert (legacy.with_mfa(), legacy.security_defaults_are_on()) == (had, False)
    assert not legacy.changed_users()
    for name in NAMES:
        simulator.register(tenant, emergency.users(name)[0]["id"], ["microsoftAuthenticatorPush"])

    predicted = run("--check", warns=True)
    assert legacy.wrote() == []
    done = run(warns=True)
    assert verdict(done, "localhost")["emergency_access"] == "compliant"
    assert legacy.security_defaults_are_on()
    assert legacy.with_mfa() == set()
    cover_came_first(legacy)
    assert states_in(done, "localhost") == states_in(predicted, "localhost")
    assert legacy.changed_users() == dict.fromkeys(legacy.paths_of(states_in(predicted, "localhost")[0]), 1)

    again = run()
    assert again.changed() == 0
    assert legacy.wrote() == []


# A dry run names the very users


@pytest.mark.deep
@pytest.mark.parametrize("whole", [False, True], ids=["in short", "whole"])
def test_a_dry_run_names_the_very_users_whom_the_run_changes(fleet: Make, simulator: Simulator, whole: bool) -> None:
    """Where security defaults come on in between, and where policies and nested groups decide."""
    tenants = fleet(
        legacy=("legacy", LEGACY),
        policies=("per_user_mfa_retirement", {}),
        hybrid=("hybrid", LEGACY),
    )
    readers = {name: give_role(tenants[name], GLOBAL_READER) for name in ("legacy", "hybrid")}
    steps = ("--skip-tags", "emergency_access") if whole else IN_SHORT
    predicted = tenants.done(*steps, "--check", warns=whole)
    assert [host.wrote() for host in tenants.hosts.values()] == [[], [], []]
    done = tenants.done(*steps, warns=whole)
    for name, host in tenants.hosts.items():
        before, after = states_in(predicted, name)
        assert (before, after) == states_in(done, name)
        assert host.changed_users() == dict.fromkeys(host.paths_of(before), 1)
        assert set(after.values()) == {"disabled"}
        kept = host.with_mfa()
        assert not kept & after.keys()
        assert {one for one in kept if one in reason(predicted, name)} == {
            one for one in kept if one in reason(done, name)
        }
        assert retired(predicted, name)[1:] == retired(done, name)[1:]
    for name, reader in readers.items():
        assert reader in tenants[name].with_mfa()
        assert reader in reason(predicted, name)
    assert tenants["policies"].with_mfa() == EXCLUDED


def give_role(host: Host, role: str) -> str:
    """The name of somebody with per-user MFA and no role, who gets this one."""
    objects = host.simulator.state(host.tenant)["objects"]
    holders = {assignment["principalId"] for assignment in objects["roleAssignment"]}
    user = next(one for one in objects["user"] if one["perUserMfaState"] == "enforced" and one["id"] not in holders)
    body = {"principalId": user["id"], "roleDefinitionId": role, "directoryScopeId": "/"}
    host.simulator.change(host.tenant, "POST", "/roleManagement/directory/roleAssignments", body)
    return str(user["userPrincipalName"])


@pytest.mark.deep
def test_a_dry_run_knows_that_emergency_accounts_will_be_excluded(
    fleet: Make, simulator: Simulator, play: Play, tmp_path: Path
) -> None:
    """One that is there already is covered by a policy now, and will not be once its group is kept out of all."""
    tenants = fleet(policies=("per_user_mfa_retirement", {}))
    policies = tenants["policies"]
    # What keeps emergency accounts out of the policies takes away what asked the new one for MFA, and is meant to.
    simulator.expects_violation("mfa_protection", policies.tenant)
    for policy in simulator.state(policies.tenant)["objects"]["conditionalAccessPolicy"]:
        users = {**policy["conditions"]["users"], "excludeGroups": []}
        body = {"conditions": {"users": users}}
        simulator.change(policies.tenant, "PATCH", f"/identity/conditionalAccess/policies/{policy['id']}", body)
    emergency = Sealed(simulator, policies.tenant, play, tmp_path)
    variables = {**emergency.variables(), "emergency_access_adopt": ["emergency1"]}

    def run(*options: str) -> PlaybookRun:
        simulator.forget()
        tags = ("--tags", "preflight,emergency_access,security_defaults,per_user_mfa_retirement")
        done = play(MIGRATE, "--inventory", str(tenants.inventory()), "--diff", *tags, *options, variables=variables)
        assert done.return_code == 0, done.output
        return done

    predicted = run("--check")
    assert policies.wrote() == []
    done = run()
    account = next(name for name in policies.states() if name.startswith("emergency1@"))
    assert account in policies.with_mfa()
    assert states_in(predicted, "policies") == states_in(done, "policies")
    assert policies.changed_users() == dict.fromkeys(policies.paths_of(states_in(predicted, "policies")[0]), 1)
    for one in (predicted, done):
        assert account in reason(one, "policies")
