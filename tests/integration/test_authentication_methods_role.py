# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role authentication_methods on tenants of each kind, which are hosts of one inventory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes

ROLE = "zerotrust.m365.authentication_methods : "
ALL_OPTIONS = [
    "call_to_phone",
    "text_message_to_phone",
    "notification_through_mobile_app",
    "verification_code_from_mobile_app_or_hardware_token",
]
NOBODY = {"enabled_for": "nobody"}
LEGACY = {
    "authentication_methods_legacy_verification_options": ALL_OPTIONS,
    "authentication_methods_legacy_password_reset": {
        "enabled_for": "everybody",
        "methods": ["mobile_phone", "email", "security_questions"],
    },
}
BUSINESS = {
    "authentication_methods_legacy_verification_options": ALL_OPTIONS,
    "authentication_methods_legacy_password_reset": {
        "enabled_for": "selected",
        "group": "Research",
        "methods": ["email"],
    },
}

CONNECTION = (
    "tenant_id",
    "client_id",
    "client_secret",
    "graph_url",
    "login_url",
    "ca_path",
)
PLAYBOOK = [
    {
        "name": "Migrate",
        "hosts": "all",
        "gather_facts": False,
        "module_defaults": {
            "group/zerotrust.m365.all": {name: f"{{{{ m365_{name} }}}}" for name in CONNECTION},
        },
        "tasks": [
            {
                "name": "Migrate to the authentication methods policy",
                "ansible.builtin.import_role": {"name": "zerotrust.m365.authentication_methods"},
            },
            {
                "name": "Show the outcome",
                "ansible.builtin.debug": {
                    "msg": {
                        name: f"{{{{ authentication_methods_{name} }}}}" for name in ("verdict", "reason", "becomes")
                    }
                },
            },
        ],
    }
]


class Migration:
    """The role for some hosts: scenario, and variables, by the name of the host."""

    def __init__(
        self, folder: Path, simulator: Simulator, play: Play, hosts: dict[str, tuple[str, dict[str, Any]]]
    ) -> None:
        self.simulator, self.play = simulator, play
        self.tenants: dict[str, Tenant] = {
            name: simulator.tenant(scenario) for name, (scenario, _more) in hosts.items()
        }
        here = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        everyone = {
            name: {**simulator.host_variables(self.tenants[name]), **here, **variables}
            for name, (_scenario, variables) in hosts.items()
        }
        self.inventory, self.playbook = folder / "inventory.yml", folder / "playbook.yml"
        self.inventory.write_text(json.dumps({"all": {"hosts": everyone}}), encoding="utf-8")
        self.playbook.write_text(yaml.safe_dump(PLAYBOOK), encoding="utf-8")

    def run(self, *options: str, door: str = "action", warns: bool = False) -> PlaybookRun:
        self.simulator.forget()
        return self.play(self.playbook, "--diff", "--inventory", str(self.inventory), *options, door=door, warns=warns)

    def writes(self, host: str) -> int:
        return len(writes(self.simulator.journal(self.tenants[host])))

    def policy(self, host: str) -> dict[str, Any]:
        (found,) = self.simulator.state(self.tenants[host])["objects"]["authenticationMethodsPolicy"]
        return dict(found)

    def methods(self, host: str) -> dict[str, dict[str, Any]]:
        found = self.simulator.state(self.tenants[host])["objects"]["methodConfiguration"]
        return {one["id"]: one for one in found}


def outcome(run: PlaybookRun, host: str) -> dict[str, Any]:
    found: dict[str, Any] = run.task("Show the outcome", host).result["msg"]
    return found


def changed(run: PlaybookRun, host: str) -> list[str]:
    return [task.removeprefix(ROLE) for name, task, _diff in run.changes() if name == host]


EVERYTHING = ["Begin the migration", "Enable what the legacy settings allow", "Complete the migration"]


@pytest.mark.parametrize("door", ["action", pytest.param("module", marks=pytest.mark.deep)])
def test_every_kind_of_tenant(door: str, simulator: Simulator, play: Play, tmp_path: Path) -> None:
    migration = Migration(
        tmp_path,
        simulator,
        play,
        {
            "legacy": ("legacy", LEGACY),
            "business": ("business", BUSINESS),
            "greenfield": ("greenfield", {}),
            "undeclared": ("hybrid", {"authentication_methods_legacy_verification_options": []}),
            "elsewhere": ("locked", LEGACY),
        },
    )
    elsewhere = migration.tenants["elsewhere"].tenant_id
    simulator.strike(path="/policies/authenticationMethodsPolicy", status=404, tenant=elsewhere, times=None)

    def check(run: PlaybookRun, verdicts: tuple[str, str]) -> None:
        assert outcome(run, "legacy")["verdict"] == verdicts[0]
        assert outcome(run, "business")["verdict"] == verdicts[1]
        assert outcome(run, "greenfield")["verdict"] == "compliant"
        assert outcome(run, "greenfield")["reason"].startswith("The migration is complete")
        assert outcome(run, "elsewhere")["verdict"] == "unsupported"
        assert "unsupported in this cloud" in outcome(run, "elsewhere")["reason"]
        stopped = run.task(f"{ROLE}Stop where somebody has to look first", "undeclared")
        assert stopped.failed
        assert "Password reset > Properties" in stopped.message
        assert "Per-user MFA" not in stopped.message
        assert [migration.writes(host) for host in ("greenfield", "undeclared", "elsewhere")] == [0, 0, 0]
        assert run.recap["undeclared"]["failures"] == 1

    predicted = migration.run("--check", door=door, warns=True)
    check(predicted, ("drift", "drift"))
    assert changed(predicted, "legacy") == EVERYTHING
    assert changed(predicted, "business") == EVERYTHING[1:]
    assert (migration.writes("legacy"), migration.writes("business")) == (0, 0)

    done = migration.run(door=door, warns=True)
    check(done, ("changed", "changed"))
    assert all(changed(done, host) == changed(predicted, host) for host in migration.tenants)
    for host in ("legacy", "business"):
        shown = done.task(f"{ROLE}Show what each legacy setting becomes", host).result["msg"]
        assert shown[:-1] == outcome(done, host)["becomes"]
        assert "1 February 2027" in shown[-1]
        assert migration.policy(host)["policyMigrationState"] == "migrationComplete"
        methods = migration.methods(host)
        for method in ("MicrosoftAuthenticator", "SoftwareOath", "HardwareOath", "Sms", "Voice", "Email"):
            assert methods[method]["state"] == "enabled", method
        assert methods["MicrosoftAuthenticator"]["isSoftwareOathEnabled"]
        assert methods["Voice"]["isOfficePhoneAllowed"]
    # SMS was on for everybody in one tenant, with signing in by SMS as it was; in the other it is switched on without.
    assert migration.methods("business")["Sms"]["includeTargets"][0]["isUsableForSignIn"] is False
    assert migration.methods("business")["Fido2"]["state"] == "enabled"
    (staff,) = migration.methods("business")["Email"]["includeTargets"]
    assert staff["id"] != "all_users"

    again = migration.run(door=door)
    check(again, ("compliant", "compliant"))
    assert again.changes() == []
    assert migration.writes("legacy") == migration.writes("business") == 0


@pytest.mark.deep
def test_interrupted_early_or_late_it_ends_the_same(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    migration = Migration(tmp_path, simulator, play, {"legacy": ("legacy", LEGACY)})
    migration.run(warns=True)
    count = migration.writes("legacy")
    assert count > 3
    wanted = (without_dates(migration.policy("legacy")), without_dates(migration.methods("legacy")))
    for left in (0, count // 2, count - 1):
        simulator.reset()
        simulator.strike(
            path="/policies/authenticationMethodsPolicy", method="PATCH", status=400, after=left, times=None
        )
        assert migration.run(warns=left > 0).return_code == 2  # of SMS it warns where it comes that far
        assert migration.policy("legacy")["policyMigrationState"] != "migrationComplete"
        simulator.heal()
        assert migration.run(warns=True).return_code == 0
        assert (without_dates(migration.policy("legacy")), without_dates(migration.methods("legacy"))) == wanted
        assert migration.run().changes() == []


def without_dates(value: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in value.items() if not name.endswith("DateTime")}


@pytest.mark.deep
def test_what_stops_it_leaves_everything_as_it_was(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    """A refused answer is no unsupported cloud, and a declaration that cannot be right is not guessed at."""
    wrong_group = {"enabled_for": "selected", "methods": ["email"]}
    migration = Migration(
        tmp_path,
        simulator,
        play,
        {
            "refused": ("legacy", LEGACY),
            "without_group": ("hybrid", {**LEGACY, "authentication_methods_legacy_password_reset": wrong_group}),
            "misspelt": ("business", {**LEGACY, "authentication_methods_legacy_verification_options": ["sms"]}),
        },
    )
    refused = migration.tenants["refused"].tenant_id
    simulator.strike(path="/policies/authenticationMethodsPolicy", status=403, tenant=refused, times=None)
    for options in (["--check"], []):
        run = migration.run(*options)
        assert run.task(f"{ROLE}Read the authentication methods policy", "refused").failed
        stopped = run.task(f"{ROLE}Stop where the declaration is wrong", "without_group")
        assert "for selected users needs their group. " not in stopped.message
        assert stopped.message.endswith("needs their group.")
        assert [run.recap[host]["failures"] for host in migration.tenants] == [1, 1, 1]
        assert [migration.writes(host) for host in migration.tenants] == [0, 0, 0]


@pytest.mark.deep
def test_whoever_has_only_what_was_not_declared_keeps_it_from_being_completed(
    simulator: Simulator, play: Play, tmp_path: Path
) -> None:
    nothing = {
        "authentication_methods_legacy_verification_options": ["notification_through_mobile_app"],
        "authentication_methods_legacy_password_reset": {"enabled_for": "nobody"},
    }
    migration = Migration(tmp_path, simulator, play, {"hybrid": ("hybrid", nothing)})
    text = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Sms"
    of_type = "#microsoft.graph.smsAuthenticationMethodConfiguration"
    simulator.change(migration.tenants["hybrid"], "PATCH", text, {"@odata.type": of_type, "state": "disabled"})
    run = migration.run()
    assert run.return_code == 2
    refusal = run.task(f"{ROLE}Complete the migration", "hybrid")
    assert "only_way_in" in refusal.message
    assert migration.policy("hybrid")["policyMigrationState"] == "migrationInProgress"


@pytest.mark.deep
def test_the_migration_may_stay_in_progress(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    for_now = {**LEGACY, "authentication_methods_complete": False}
    migration = Migration(tmp_path, simulator, play, {"legacy": ("legacy", for_now)})
    run = migration.run("--check", warns=True)
    assert outcome(run, "legacy")["verdict"] == "drift"
    assert "would be enabled" in outcome(run, "legacy")["reason"]
    run = migration.run(warns=True)
    assert changed(run, "legacy") == EVERYTHING[:2]
    assert outcome(run, "legacy")["reason"].endswith("stays in progress, as asked.")
    assert migration.policy("legacy")["policyMigrationState"] == "migrationInProgress"
    assert outcome(migration.run(warns=True), "legacy")["verdict"] == "compliant"
    later = Migration(tmp_path, simulator, play, {"legacy": ("legacy", LEGACY)})
    run = later.run(warns=True)
    assert changed(run, "legacy") == EVERYTHING[2:]
    assert later.policy("legacy")["policyMigrationState"] == "migrationComplete"
