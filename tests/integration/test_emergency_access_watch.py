# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/emergency_access_watch.yml: what happens to an emergency account raises an alarm, once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes

PLAYBOOK = "zerotrust.m365.emergency_access_watch"
PASSKEY = {"methods": ["fido2SecurityKey"], "ip_address": "198.51.100.9", "country": "NL"}


class Watch:
    """The playbook on one tenant, and the folder of its last looks. Nothing of it writes to the tenant."""

    def __init__(self, simulator: Simulator, tenant: Tenant, play: Play, folder: Path, names: list[str]) -> None:
        self.simulator, self.tenant, self._play = simulator, tenant, play
        self.names = names
        self.folder = folder / "looks"
        self.folder.mkdir()

    def run(self, *options: str, **variables: Any) -> PlaybookRun:
        self.simulator.forget()
        run = self._play(
            PLAYBOOK,
            *options,
            environment=self.simulator.environment(self.tenant),
            variables={
                "emergency_access_accounts": [{"name": name} for name in self.names],
                "emergency_access_watch_state_folder": str(self.folder),
                **variables,
            },
        )
        assert writes(self.simulator.journal(self.tenant)) == []
        assert run.changed() == 0
        return run

    def quiet(self, *options: str, **variables: Any) -> list[str]:
        run = self.run(*options, **variables)
        assert run.return_code == 0, run.output
        assert told(run)["verdict"] == "quiet"
        return report(run)

    def alarm(self, *options: str, verdict: str = "alarm", **variables: Any) -> list[str]:
        run = self.run(*options, **variables)
        assert run.return_code == 2, run.output
        assert told(run)["verdict"] == verdict
        assert report(run)[0] in run.results[-1].message
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
    assert "is not there" in missing.results[-1].message
