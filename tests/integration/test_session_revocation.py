# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-in sessions are revoked after per-user MFA was taken away: the last step of the role per_user_mfa_retirement."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator
from ansible_collections.zerotrust.m365.tests.integration.test_per_user_mfa_retirement import (
    DEFAULTS,
    IN_SHORT,
    OFF_FIRST,
    ROLE,
    Fleet,
    Host,
    messages,
    retired,
    verdict,
)

REVOKE = "/revokeSignInSessions"
ADMINISTRATOR = "ada.jansen@fabrikam.com"
VARIABLES = {
    "per_user_mfa_retirement_revoke_sessions": True,
    "per_user_mfa_retirement_exclude_users": [ADMINISTRATOR],
    "per_user_mfa_retirement_settle_time": 1,
}
WAIT = f"{ROLE}Wait until security defaults have spread"


@pytest.mark.parametrize("playbook", ["migrate_per_user_mfa", "baseline"])
def test_what_the_application_may_not_do_is_named_before_anything_is_written(
    playbook: str, simulator: Simulator, play: Play, tmp_path: Path
) -> None:
    run = play(
        f"zerotrust.m365.{playbook}",
        environment=simulator.environment(simulator.tenant("reader")),
        variables={
            "per_user_mfa_retirement_ledger_folder": str(tmp_path),
            "per_user_mfa_retirement_revoke_sessions": True,
        },
    )
    assert run.return_code == 2
    assert "needs Policy.ReadWrite.AuthenticationMethod and User.RevokeSessions.All, which it has not" in run.output
    assert [request.path for request in simulator.journal() if not request.sign_in] == []
    assert list(tmp_path.iterdir()) == []


def valid_from(host: Host) -> dict[str, str]:
    """By user principal name."""
    users = host.simulator.state(host.tenant)["objects"]["user"]
    return {user["userPrincipalName"]: user["signInSessionsValidFromDateTime"] for user in users}


def revoked(host: Host) -> Counter[str]:
    return Counter(request.path for request in host.wrote() if request.path.endswith(REVOKE))


def sessions_in(run: PlaybookRun) -> tuple[dict[str, str], dict[str, str]]:
    """Before and after, by user, in the diffs of all tasks that revoked some."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for _host, task, diff in run.changes():
        if task.startswith(ROLE) and "sessions" in task:
            for one in diff:
                assert not before.keys() & one["before"].keys(), "a user in two tasks"
                before |= one["before"]
                after |= one["after"]
    return before, after


def told(run: PlaybookRun) -> str:
    """What the role says at its end."""
    (found,) = [
        one for one in run.results if one.task == f"{ROLE}Note the verdict with the sessions" and not one.skipped
    ]
    said: str = found.result["ansible_facts"]["per_user_mfa_retirement_reason"]
    return said


def a_second_after(time: str) -> str:
    return (datetime.fromisoformat(time.replace("Z", "+00:00")) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def waves(run: PlaybookRun) -> Iterable[str]:
    return [
        one.task.removeprefix(ROLE)
        for one in run.results
        if one.task.startswith(f"{ROLE}Revoke the sessions of wave") and not one.skipped
    ]


@pytest.mark.deep
@pytest.mark.parametrize("order", ["cover_first", "per_user_mfa_off_first"])
def test_everybody_signs_in_again_once(simulator: Simulator, play: Play, tmp_path: Path, order: str) -> None:
    """Dry run, a run whose canary fails, the next one, and one more."""
    off_first = order == "per_user_mfa_off_first"
    variables = {**(OFF_FIRST if off_first else {}), **VARIABLES}
    tenants = Fleet(simulator, play, tmp_path, {"legacy": ("legacy", variables)})
    legacy = tenants["legacy"]
    if off_first:
        simulator.expects_violation("mfa_protection", legacy.tenant)
    before = valid_from(legacy)
    elsewhere = {name for name in before if "#EXT#" in name}
    meant = before.keys() - elsewhere - {ADMINISTRATOR}
    assert elsewhere

    predicted = tenants.done(*IN_SHORT, "--check")
    assert legacy.wrote() == []
    assert not legacy.ledger.exists()
    assert sessions_in(predicted)[1] == dict.fromkeys(meant, "revoked")
    assert f"would be revoked: {len(meant)} of {len(before) - 1}." in told(predicted)
    assert f"sign in at another tenant, where they are not revoked: {len(elsewhere)}." in told(predicted)

    simulator.strike(path=REVOKE, method="POST", status=400, tenant=legacy.tenant.tenant_id)
    failed = tenants.run(*IN_SHORT)
    assert failed.return_code == 2
    assert "Stopped after the canary." in messages(failed, "legacy")
    assert verdict(failed, "legacy")["failed"]
    assert legacy.with_mfa() <= {ADMINISTRATOR}
    # Enforcement, then per-user MFA (or the other way round, as asked), and only then the sessions.
    paths = [request.path for request in legacy.wrote()]
    first = next(number for number, path in enumerate(paths) if path.endswith(REVOKE))
    assert sum(path.endswith(DEFAULTS) for path in paths[:first]) == 1
    assert sum(path.endswith("/authentication/requirements") for path in paths[first:]) == 0
    assert len(paths[first:]) == 5
    # In the usual order the module that took per-user MFA away has waited.
    assert len([one for one in failed.results if one.task == WAIT and not one.skipped]) == off_first
    done = {name for name, when in valid_from(legacy).items() if when != before[name]}
    assert len(done) == 4
    simulator.heal()

    run = tenants.done(*IN_SHORT)
    assert verdict(run, "legacy")["per_user_mfa_retirement"] == "changed"
    assert f"were revoked: {len(meant - done)} of {len(before) - 1}." in told(run)
    assert sessions_in(run)[1] == dict.fromkeys(meant - done, "revoked")
    assert waves(run) == [f"Revoke the sessions of wave {number}" for number in (1, 2, 3)]
    assert set(revoked(legacy).values()) == {1}
    assert len(revoked(legacy)) == len(meant - done)
    after = valid_from(legacy)
    began = legacy.lines()[0]["at"]
    assert all(after[name] >= began for name in meant)
    assert {name for name in before if after[name] == before[name]} == elsewhere | {ADMINISTRATOR}

    again = tenants.done(*IN_SHORT)
    assert again.changed("legacy") == 0
    assert legacy.wrote() == []
    assert f"were revoked: 0 of {len(before) - 1}." in told(again)
    assert retired(again, "legacy")[1:3] == (0, 0)

    # What covers was gone meanwhile, so somebody may have signed in without MFA.
    gone = {"event": "cover_gone", "at": a_second_after(max(after.values())), "tenant_id": legacy.tenant.tenant_id}
    with legacy.ledger.open("a", encoding="utf-8") as ledger:
        ledger.write(json.dumps({**gone, "by": "security_defaults"}) + "\n")
    predicted = tenants.done(*IN_SHORT, "--check")
    assert sessions_in(predicted)[1] == dict.fromkeys(meant, "revoked")


@pytest.mark.deep
def test_without_a_ledger_it_has_to_be_said_since_when(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    """Nobody has per-user MFA here."""
    tenants = Fleet(
        simulator, play, tmp_path, {"greenfield": ("greenfield", {"per_user_mfa_retirement_revoke_sessions": True})}
    )
    greenfield = tenants["greenfield"]
    before = valid_from(greenfield)
    for options in (["--check"], []):
        run = tenants.run(*IN_SHORT, *options)
        assert run.return_code == 2
        assert "Say that time in per_user_mfa_retirement_revoked_since." in messages(run, "greenfield")
        assert revoked(greenfield) == {}
    since = {"per_user_mfa_retirement_revoked_since": max(before.values())[:10]}
    predicted = tenants.done(*IN_SHORT, "--check", **since)
    run = tenants.done(*IN_SHORT, **since)
    assert sessions_in(run) == sessions_in(predicted)
    assert len(revoked(greenfield)) == len(sessions_in(run)[1]) > 0
    assert tenants.done(*IN_SHORT, **since).changed("greenfield") == 0
