# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/emergency_access_drill.yml: what the sign-in log shows is recorded, and read back by the role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes

PLAYBOOK = "zerotrust.m365.emergency_access_drill"
PASSKEY = {"methods": ["fido2SecurityKey"], "ip_address": "198.51.100.9", "country": "NL"}
TODAY = datetime.now(timezone.utc).date().isoformat()
LOGGED = {
    "date": TODAY,
    "enforcement": True,
    "security_defaults": False,
    "methods": ["Passkey (device-bound)"],
    "by": "the sign-in log",
}


class Drill:
    """The playbook on one tenant, and the folder of its records. Nothing of it writes to the tenant."""

    def __init__(self, simulator: Simulator, tenant: Tenant, play: Play, folder: Path, names: list[str]) -> None:
        self.simulator, self.tenant, self.play = simulator, tenant, play
        self.names = names
        self.folder = folder / "drills"
        self.folder.mkdir()

    def run(self, *options: str, **variables: Any) -> PlaybookRun:
        self.simulator.forget()
        run = self.play(
            PLAYBOOK,
            *options,
            environment=self.simulator.environment(self.tenant),
            variables={
                "emergency_access_accounts": [{"name": name} for name in self.names],
                "emergency_access_drill_folder": str(self.folder),
                **variables,
            },
        )
        assert writes(self.simulator.journal(self.tenant)) == []
        return run

    def done(self, *options: str, **variables: Any) -> PlaybookRun:
        run = self.run(*options, **variables)
        assert run.return_code == 0, run.output
        return run

    def refused(self, words: str, **variables: Any) -> None:
        before = self.files()
        run = self.run(**variables)
        assert run.return_code == 2, run.output
        assert words in run.results[-1].message
        assert self.files() == before

    def sign_in_by(self, index: int, **attempt: Any) -> dict[str, Any]:
        name = f"{self.names[index]}@{self.tenant.initial_domain}"
        return self.simulator.sign_in_by(self.tenant, name, **{**PASSKEY, **attempt})

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def drills(self) -> dict[str, Any]:
        path = self.folder / f"{self.tenant.tenant_id}.yml"
        assert path.stat().st_mode & 0o777 == 0o600
        found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        return dict(found["emergency_access_drills"])


Make = Callable[..., Drill]


@pytest.fixture
def drill(simulator: Simulator, play: Play, tmp_path: Path) -> Make:
    return lambda scenario="emergency_access", names=("well", "alsowell"): Drill(
        simulator, simulator.tenant(scenario), play, tmp_path, list(names)
    )


def test_what_the_log_shows_is_recorded(drill: Make) -> None:
    """One of two signed in: it is recorded, and the other one fails the run."""
    rehearsal = drill()
    rehearsal.sign_in_by(0)
    rehearsal.sign_in_by(1, wrong_password=True)
    run = rehearsal.run()
    assert run.return_code == 2
    assert "alsowell@woodgrove.onmicrosoft.com did not sign in successfully" in run.results[-1].message
    assert rehearsal.drills() == {"well": LOGGED}


@pytest.mark.deep
def test_a_sign_in_with_a_pass_is_no_drill(drill: Make) -> None:
    """Nor is what follows in its session. Once somebody signs in with the passkey, that is the drill."""
    rehearsal = drill("emergency_access", ["well"])
    name = f"well@{rehearsal.tenant.initial_domain}"
    allowed = {
        "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration",
        "state": "enabled",
    }
    path = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass"
    rehearsal.simulator.change(rehearsal.tenant, "PATCH", path, allowed)
    passes = f"/users/{name}/authentication/temporaryAccessPassMethods"
    rehearsal.simulator.change(rehearsal.tenant, "POST", passes, {"isUsableOnce": True})
    rehearsal.sign_in_by(0, methods=["temporaryAccessPass"])
    rehearsal.sign_in_by(0, application="Office365", methods=["password"])
    rehearsal.refused("signed in with a Temporary Access Pass, which does not last, so this is no drill. Register the")
    rehearsal.sign_in_by(0)
    rehearsal.sign_in_by(0, application="Office365", methods=["password"])
    assert "It was done with Passkey (device-bound)." in rehearsal.done().output
    assert rehearsal.drills() == {"well": LOGGED}


def proven(rehearsal: Drill, **variables: Any) -> list[bool]:
    """What the role says of the accounts, in a dry run that adopts them."""
    run = rehearsal.play(
        "zerotrust.m365.emergency_access",
        "--check",
        environment=rehearsal.simulator.environment(rehearsal.tenant),
        variables={
            "emergency_access_accounts": [{"name": name} for name in rehearsal.names],
            "emergency_access_adopt": rehearsal.names,
            "emergency_access_group": "Drilled accounts",  # in that of the scenario there are more accounts
            "emergency_access_seal_folder": str(rehearsal.folder),
            "emergency_access_vault_password": "a long vault password, kept elsewhere",
            "emergency_access_drill_folder": str(rehearsal.folder),
            "emergency_access_allow_unproven": True,
            **variables,
        },
    )
    assert run.return_code == 0, run.output
    judged = run.task("zerotrust.m365.emergency_access : Look whether the accounts would work")
    return [account["proven"] for account in judged.result["emergency_access"]["accounts"]]


@pytest.mark.deep
def test_a_drill_comes_back_to_the_role(drill: Make) -> None:
    rehearsal = drill()
    assert proven(rehearsal) == [False, False]
    for index in (0, 1):
        rehearsal.sign_in_by(index)
    assert rehearsal.done("--check").changed() == 1
    assert rehearsal.files() == {}
    assert rehearsal.done("--diff", emergency_access_drill_attested_by="Noor Visser").changed() == 1
    assert rehearsal.drills() == {name: {**LOGGED, "by": "Noor Visser"} for name in rehearsal.names}
    assert rehearsal.done(emergency_access_drill_attested_by="Noor Visser").changed() == 0
    assert proven(rehearsal) == [True, True]
    older = [{"name": "well", "drill": {"date": "2020-02-29", "enforcement": False}}, {"name": "alsowell"}]
    assert proven(rehearsal, emergency_access_accounts=older) == [True, True]


@pytest.mark.deep
def test_a_record_of_one_account_keeps_those_of_the_others(drill: Make) -> None:
    rehearsal = drill()
    for index in (0, 1):
        rehearsal.sign_in_by(index)
        rehearsal.done(emergency_access_drill_accounts=[rehearsal.names[index]])
    assert list(rehearsal.drills()) == ["alsowell", "well"]
    rehearsal.refused(
        "names what is not in emergency_access_accounts: nobody", emergency_access_drill_accounts=["nobody"]
    )
    (path,) = rehearsal.folder.iterdir()
    path.write_text("[]", encoding="utf-8")
    rehearsal.refused("is damaged")


@pytest.mark.deep
def test_the_log_knows_better_than_anybody(drill: Make) -> None:
    rehearsal = drill("emergency_access", ["well"])
    attested = {"emergency_access_drill_attested_by": "Noor Visser"}
    run = rehearsal.run(**attested)
    assert "did not sign in successfully" in run.results[-1].message
    assert rehearsal.files() == {}
    for path in ("/auditLogs/signIns", "/conditionalAccess/policies"):
        rehearsal.simulator.fail(path, 403, times=None)
        rehearsal.refused("No drill was recorded" if "signIns" in path else "could not be read", **attested)
        rehearsal.simulator.heal()


@pytest.mark.deep
def test_without_a_log_somebody_must_have_seen_it(drill: Make) -> None:
    rehearsal = drill("greenfield", ["noor.visser"])
    rehearsal.refused("Say who saw the accounts sign in")
    for enabled in (False, True):
        if enabled:
            rehearsal.simulator.change(
                rehearsal.tenant, "PATCH", "/policies/identitySecurityDefaultsEnforcementPolicy", {"isEnabled": True}
            )
        named = {"emergency_access_drill_methods": ["passkey"]} if enabled else {}
        rehearsal.done(
            emergency_access_drill_attested_by="Tim Bakker", emergency_access_drill_date="2026-11-02", **named
        )
        drilled = {"date": "2026-11-02", "enforcement": enabled, "security_defaults": enabled, "by": "Tim Bakker"}
        assert rehearsal.drills() == {"noor.visser": {**drilled, "methods": ["passkey"] if enabled else []}}
    run = rehearsal.done(emergency_access_drill_attested_by="Tim Bakker")
    assert "this proves none. Name it in emergency_access_drill_methods." in run.output
    assert rehearsal.drills()["noor.visser"]["date"] == datetime.now(timezone.utc).date().isoformat()


@pytest.mark.deep
def test_a_sign_in_without_mfa_proves_little(drill: Make) -> None:
    """Nothing demands MFA of this one."""
    rehearsal = drill("business", ["emergency.one"])
    rehearsal.sign_in_by(0, application="Office365", methods=["password"])
    rehearsal.done()
    assert rehearsal.drills()["emergency.one"]["enforcement"] is False
