# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/emergency_access_watch.yml: what happens to an emergency account raises an alarm, once."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes

PLAYBOOK = "zerotrust.m365.emergency_access_watch"
ROLE = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.import_role:
        name: zerotrust.m365.emergency_access
        tasks_from: watch
"""
KEEP = "zerotrust.m365.emergency_access : Keep the time of this look"
RAISE = "zerotrust.m365.emergency_access : Raise the alarm"
PASSKEY = {"methods": ["fido2SecurityKey"], "ip_address": "198.51.100.9", "country": "NL"}


class Watch:
    """The playbook on one tenant, and the folder of its last looks. Nothing of it writes to the tenant."""

    def __init__(self, simulator: Simulator, tenant: Tenant, play: Play, folder: Path, names: list[str]) -> None:
        self.simulator, self.tenant, self._play = simulator, tenant, play
        self.names = names
        self.playbook: str | Path = PLAYBOOK
        self.folder = folder / "looks"
        self.folder.mkdir()

    def run(self, *options: str, **variables: Any) -> PlaybookRun:
        self.simulator.forget()
        run = self._play(
            self.playbook,
            *options,
            environment=self.simulator.environment(self.tenant),
            variables=self.variables(**variables),
        )
        assert writes(self.simulator.journal(self.tenant)) == []
        assert run.changed() == 0
        return run

    def variables(self, **more: Any) -> dict[str, Any]:
        return {
            "emergency_access_accounts": [{"name": name} for name in self.names],
            "emergency_access_watch_state_folder": str(self.folder),
            **more,
        }

    def killed(self, task: str) -> None:
        """A run that is killed when this task begins."""
        run = self._play(
            self.playbook,
            environment={
                **self.simulator.environment(self.tenant),
                "ANSIBLE_CALLBACKS_ENABLED": "json_lines,killed_at_task",
                "KILLED_AT_TASK": task,
            },
            variables=self.variables(),
        )
        assert run.return_code == -signal.SIGKILL, run.output

    def quiet(self, *options: str, **variables: Any) -> list[str]:
        run = self.run(*options, **variables)
        assert run.return_code == 0, run.output
        assert told(run)["verdict"] == "quiet"
        return report(run)

    def alarm(self, *options: str, verdict: str = "alarm", **variables: Any) -> list[str]:
        run = self.run(*options, **variables)
        assert run.return_code == 2, run.output
        assert told(run)["verdict"] == verdict
        assert report(run)[0] in failure(run)
        return report(run)

    def look(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return found

    @property
    def file(self) -> Path:
        return self.folder / f"{self.tenant.tenant_id}.json"

    def name(self, index: int) -> str:
        return f"{self.names[index]}@{self.tenant.initial_domain}"

    def identity(self, index: int) -> str:
        users = self.simulator.state(self.tenant)["objects"]["user"]
        return next(str(user["id"]) for user in users if user["userPrincipalName"] == self.name(index))


def told(run: PlaybookRun) -> dict[str, Any]:
    found: dict[str, Any] = run.custom["_run"]["zerotrust_m365"]["localhost"]["emergency_access_watch"]
    return found


def report(run: PlaybookRun) -> list[str]:
    found: list[str] = told(run)["report"]
    return found


def failure(run: PlaybookRun) -> str:
    """What the run failed with at last."""
    return [one.message for one in run.results if one.failed][-1]


def not_before(when: str) -> str:
    """A time after that of an entry, and until then it waits."""
    since = datetime.fromisoformat(when[:19]).replace(tzinfo=timezone.utc) + timedelta(seconds=1)
    while datetime.now(timezone.utc) < since + timedelta(seconds=1):
        time.sleep(0.1)
    return since.strftime("%Y-%m-%dT%H:%M:%SZ")


Make = Callable[..., Watch]


@pytest.fixture
def watch(simulator: Simulator, play: Play, tmp_path: Path) -> Make:
    return lambda scenario="emergency_access", names=("well", "alsowell"): Watch(
        simulator, simulator.tenant(scenario), play, tmp_path, list(names)
    )


def test_sign_ins_and_changes_raise_one_alarm(watch: Make) -> None:
    watched = watch()
    simulator, tenant = watched.simulator, watched.tenant
    watched.quiet()
    assert watched.file.stat().st_mode & 0o777 == 0o600

    simulator.sign_in_by(tenant, watched.name(0), **PASSKEY)
    simulator.sign_in_by(tenant, watched.name(1), wrong_password=True)
    simulator.sign_in_by(tenant, "noor.visser@woodgrove.example", methods=["password", "microsoftAuthenticatorPush"])
    simulator.change(tenant, "PATCH", f"/users/{watched.identity(1)}", {"displayName": "Renamed"})
    found = watched.alarm()
    assert len([line for line in found if "happened since" not in line]) == 3
    (good,) = [line for line in found if "signed in" in line]
    assert f"{watched.name(0)} signed in to Azure Portal from 198.51.100.9 (NL), with MFA" in good
    (bad,) = [line for line in found if "failed to sign in" in line]
    assert f"{watched.name(1)} failed to sign in to Azure Portal from" in bad
    assert "50126 Invalid username or password" in bad
    (changed,) = [line for line in found if "'Update user'" in line]
    assert f"about {watched.name(1)}, by the application" in changed

    watched.quiet()


@pytest.mark.deep
def test_a_dry_run_keeps_no_look_and_what_was_reported_can_be_asked_for_again(watch: Make) -> None:
    watched = watch()
    watched.simulator.sign_in_by(watched.tenant, watched.name(0), **PASSKEY)
    watched.alarm("--check")
    assert not watched.file.exists()
    watched.alarm()
    watched.quiet()
    assert "signed in" in watched.alarm(emergency_access_watch_since="2026-01-01T00:00:00Z")[0]


@pytest.mark.deep
def test_an_entry_that_comes_late_is_not_lost(watch: Make) -> None:
    watched = watch()
    watched.simulator.assume(watched.tenant, {"sign_in_log_delay_seconds": "300"})
    watched.quiet()
    watched.simulator.sign_in_by(watched.tenant, watched.name(0), **PASSKEY)
    watched.quiet()
    watched.simulator.assume(watched.tenant, {"sign_in_log_delay_seconds": "0"})
    assert watched.name(0) in watched.alarm()[0]
    watched.quiet()


@pytest.mark.deep
def test_a_free_tenant_says_that_it_sees_changes_only(watch: Make) -> None:
    watched = watch("greenfield", ["emergency1"])
    simulator, tenant = watched.simulator, watched.tenant
    body = {
        "accountEnabled": True,
        "displayName": "Emergency",
        "mailNickname": "emergency1",
        "userPrincipalName": watched.name(0),
        "passwordProfile": {"password": "correct-Horse7-battery"},
    }
    assert f"{watched.name(0)} does not exist." in watched.alarm()
    simulator.change(tenant, "POST", "/users", body)
    assert "'Add user'" in watched.alarm()[0]
    simulator.sign_in_by(tenant, watched.name(0), methods=["password"])
    (note, *_rest) = watched.quiet()
    assert "only changes of the directory were looked at, no sign-ins" in note
    identity = watched.identity(0)
    simulator.change(tenant, "DELETE", f"/users/{identity}")
    found = watched.alarm()
    assert "'Delete user'" in found[0]
    assert f"{watched.name(0)} was deleted." in found


@pytest.mark.deep
def test_an_account_that_was_renamed_is_watched_by_its_id(watch: Make) -> None:
    watched = watch()
    watched.quiet()
    identity, name = watched.identity(0), watched.name(0)
    watched.simulator.change(
        watched.tenant, "PATCH", f"/users/{identity}", {"userPrincipalName": "hidden@woodgrove.example"}
    )
    found = watched.alarm()
    assert "'Update user'" in found[0]
    assert f"{name} does not exist." in found
    watched.simulator.sign_in_by(watched.tenant, identity, **PASSKEY)
    assert "hidden@woodgrove.example signed in" in watched.alarm()[0]


@pytest.mark.deep
def test_a_look_that_fails_keeps_the_old_one(watch: Make) -> None:
    watched = watch()
    watched.quiet()
    before = watched.file.read_bytes()
    watched.simulator.sign_in_by(watched.tenant, watched.name(0), **PASSKEY)
    for path, verdict in (("/directoryAudits", "alarm"), ("/auditLogs/signIns", "unread"), ("/users/", "unread")):
        watched.simulator.fail(path, 403, times=None)
        watched.alarm(verdict=verdict)
        watched.simulator.heal()
        assert watched.file.read_bytes() == before
    assert "signed in" in watched.alarm()[0]
    watched.quiet()

    watched.file.write_text("{}", encoding="utf-8")
    assert "damaged" in watched.alarm(verdict="unread")[0]


@pytest.mark.deep
def test_what_our_own_application_does_is_shown_but_expected(watch: Make) -> None:
    watched = watch()
    watched.quiet()
    watched.simulator.change(watched.tenant, "PATCH", f"/users/{watched.identity(0)}", {"displayName": "Renamed"})
    found = watched.quiet(emergency_access_watch_expected=[watched.tenant.client_id])
    assert found[0].startswith("Expected: ")
    assert "'Update user'" in found[0]


@pytest.mark.deep
def test_without_a_folder_each_run_looks_at_the_last_hours(watch: Make) -> None:
    watched = watch()
    watched.simulator.sign_in_by(watched.tenant, watched.name(0), **PASSKEY)
    watched.simulator.sign_in_by(watched.tenant, watched.name(0), interactive=False, **PASSKEY)
    for _run in range(2):
        found = watched.alarm(emergency_access_watch_state_folder="")
        assert len([line for line in found if "signed in non-interactively" in line]) == 1
    assert list(watched.folder.iterdir()) == []
    found = watched.alarm(emergency_access_watch_state_folder="", emergency_access_watch_hours=24 * 31)
    assert any("cannot be read any more" in line for line in found)
    missing = watched.run(emergency_access_watch_state_folder="/nowhere")
    assert "is not there" in failure(missing)


# What nobody read, and what nobody was told, comes again


@pytest.mark.deep
def test_a_look_since_a_later_time_skips_nothing(watch: Make) -> None:
    watched = watch()
    entry = watched.simulator.sign_in_by(watched.tenant, watched.name(0), **PASSKEY)
    since = not_before(entry["createdDateTime"])
    watched.quiet(emergency_access_watch_since=since)
    assert watched.look()["until"] < entry["createdDateTime"], "the first look has not taken place"
    assert "signed in" in watched.alarm(emergency_access_watch_overlap_hours=0)[0]
    until = watched.look()["until"]

    entry = watched.simulator.sign_in_by(watched.tenant, watched.name(1), **PASSKEY)
    watched.quiet(emergency_access_watch_since=not_before(entry["createdDateTime"]))
    assert watched.look()["until"] == until
    assert watched.name(1) in watched.alarm(emergency_access_watch_overlap_hours=0)[0]
    assert watched.look()["until"] > until
    watched.quiet(emergency_access_watch_overlap_hours=0)


@pytest.mark.deep
def test_a_look_since_a_later_time_has_nothing_reported_twice(watch: Make) -> None:
    watched = watch()
    first = watched.simulator.sign_in_by(watched.tenant, watched.name(0), **PASSKEY)
    watched.alarm()
    since = not_before(first["createdDateTime"])
    watched.simulator.sign_in_by(watched.tenant, watched.name(1), **PASSKEY)
    found = watched.alarm(emergency_access_watch_since=since)
    assert watched.name(1) in found[0]
    assert len([line for line in found if "signed in" in line]) == 1
    watched.quiet()
    watched.quiet()


@pytest.mark.deep
@pytest.mark.parametrize("of_role", [False, True])
def test_a_run_that_is_killed_is_told_again(watch: Make, tmp_path: Path, of_role: bool) -> None:
    watched = watch()
    tasks = ["Note what was found", "Show what was found", "Raise the alarm"]
    if of_role:
        watched.playbook = tmp_path / "role.yml"
        watched.playbook.write_text(ROLE, encoding="utf-8")
    else:
        tasks += [
            "Hand the verdict to AWX",
            "Fail when there is an alarm, or when it is not known whether there should be one",
        ]
    assert watched.run().return_code == 0
    before = watched.file.read_bytes()
    watched.simulator.sign_in_by(watched.tenant, watched.name(0), **PASSKEY)
    for task in (*tasks, "Keep the time of this look"):
        watched.killed(task)
        assert watched.file.read_bytes() == before, task

    run = watched.run()
    assert run.return_code == 2, run.output
    assert f"{watched.name(0)} signed in" in run.task(RAISE).message
    assert f"{watched.name(0)} signed in" in failure(run)
    assert not run.task(KEEP).skipped
    assert run.results[-1].task == KEEP
    assert watched.run().return_code == 0


@pytest.mark.deep
def test_each_tenant_has_its_alarm_and_its_look(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    """One host fails, and the others go on; the look of each is kept, but of the one that could not sign in."""
    tenants = {"loud": "emergency_access", "still": "business", "unknown": "legacy"}
    found = {host: simulator.tenant(scenario) for host, scenario in tenants.items()}
    hosts = {
        host: {**simulator.host_variables(tenant), "emergency_access_accounts": [{"name": "well"}]}
        for host, tenant in found.items()
    }
    administrator = next(
        user["id"] for user in simulator.state(found["still"])["objects"]["user"] if user["accountEnabled"]
    )
    hosts["still"]["emergency_access_accounts"] = [{"name": administrator}]
    hosts["unknown"]["m365_client_secret"] = "not-the-secret"
    simulator.sign_in_by(found["loud"], f"well@{found['loud'].initial_domain}", **PASSKEY)
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    looks = tmp_path / "looks"
    looks.mkdir()
    run = play(
        PLAYBOOK,
        *("--inventory", str(inventory)),
        variables={"emergency_access_watch_state_folder": str(looks), "emergency_access_watch_hours": 1},
    )
    assert run.return_code == 2, run.output
    verdicts = {
        host: told["emergency_access_watch"]["verdict"] for host, told in run.custom["_run"]["zerotrust_m365"].items()
    }
    assert verdicts == {"loud": "alarm", "still": "quiet", "unknown": "unread"}
    assert {host: one["failures"] for host, one in run.recap.items()} == {"loud": 1, "still": 0, "unknown": 1}
    assert {path.stem for path in looks.iterdir()} == {found["loud"].tenant_id, found["still"].tenant_id}


@pytest.mark.deep
@pytest.mark.parametrize(
    ("scenario", "path", "log"),
    [
        ("greenfield", "/directoryAudits", "audit"),
        ("emergency_access", "/directoryAudits", "audit"),
        ("emergency_access", "/beta/auditLogs/signIns", "sign-in"),
        ("emergency_access", "/v1.0/auditLogs/signIns", "sign-in"),
    ],
)
def test_a_licence_does_not_excuse_what_it_does_not_explain(watch: Make, scenario: str, path: str, log: str) -> None:
    watched = watch(scenario)
    users = watched.simulator.state(watched.tenant)["objects"]["user"]
    watched.names = [next(str(user["id"]) for user in users if user["accountEnabled"])]
    watched.quiet(emergency_access_watch_hours=1)
    before = watched.file.read_bytes()
    watched.simulator.fail(path, 403, times=None, code="AadPremiumLicenseRequired")
    found = watched.alarm(verdict="unread")
    assert found[0].startswith("Not all could be read: ")
    assert f"{log} log" in found[0]
    assert "A missing licence does not explain this" in found[0]
    assert not any("only changes of the directory were looked at" in line for line in found)
    assert watched.file.read_bytes() == before
