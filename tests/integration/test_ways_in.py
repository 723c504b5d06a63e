# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security defaults are not turned on over people whose registered methods are all switched off."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, sent, writes
from ansible_collections.zerotrust.m365.tests.integration.test_baseline import BASELINE, SECURITY_DEFAULTS, TURN_ON

REQUEST = re.compile(r" \(request-id \S+\)")
LICENCES = ("switched_off", "switched_off_licensed")
MODES: tuple[tuple[str, ...], ...] = (("--check",), ())
UNPROVEN = "unproven_emergency_access"
METHODS = "/authentication/methods"
REPORT = "/reports/authenticationMethods/userRegistrationDetails"
SMS = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Sms"
SMS_ON = {"@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration", "state": "enabled"}
VOICE, VOICE_ON = (
    SMS.replace("Sms", "Voice"),
    {
        "@odata.type": "#microsoft.graph.voiceAuthenticationMethodConfiguration",
        "state": "enabled",
        "isOfficePhoneAllowed": True,
    },
)
ASSUMED = "registration_in_place_of_lost_method"


class Step:
    """The step security_defaults of the baseline on one tenant."""

    def __init__(self, simulator: Simulator, play: Play, tenant: Tenant) -> None:
        self.simulator, self.play, self.tenant = simulator, play, tenant

    def run(self, *options: str, risks: tuple[str, ...] = (), **variables: Any) -> PlaybookRun:
        self.simulator.forget()
        return self.play(
            BASELINE,
            *("--tags", "security_defaults", "--diff"),
            *options,
            environment=self.simulator.environment(self.tenant),
            variables={"security_defaults_accept_risks": [UNPROVEN, *risks], **variables},
        )

    def refused(self, risk: str, **variables: Any) -> str:
        """What a dry run and a run say with the same words, without a write."""
        messages = []
        for options in MODES:
            run = self.run(*options, **variables)
            assert run.return_code == 2, run.output
            assert writes(self.simulator.journal()) == []
            messages.append(REQUEST.sub("", run.task(TURN_ON).message))
        assert messages[0] == messages[1]
        assert f"add '{risk}' to accept_risks" in messages[0]
        return messages[0]

    def turned_on(self, **variables: Any) -> list[str]:
        """The effects that a dry run predicts, and a run tells too. The run after it reads the state, and no more."""
        effects = []
        for options in MODES:
            run = self.run(*options, **variables)
            assert run.return_code == 0, run.output
            assert [write.path for write in writes(self.simulator.journal())] == (
                [] if options else [SECURITY_DEFAULTS]
            )
            effects.append([REQUEST.sub("", line) for line in run.task(TURN_ON).result["impact"]["effects"]])
            assert run.changed() == 1
        assert effects[0] == effects[1]
        again = self.run(**variables)
        assert (again.return_code, again.changed()) == (0, 0)
        assert again.task(TURN_ON).result["graph_calls"] == [
            {"count": 1, "method": "GET", "path": f"/v1.0{SECURITY_DEFAULTS}", "status": 200}
        ]
        assert [one.path for one in sent(self.simulator.journal()) if METHODS in one.path or one.path == REPORT] == []
        told: list[str] = effects[0]
        return told

    def name(self, user: str) -> str:
        return f"{user}@{self.tenant.initial_domain}"


@pytest.fixture
def step(simulator: Simulator, play: Play, request: pytest.FixtureRequest) -> Step:
    return Step(simulator, play, simulator.tenant(request.param))


def about_ways_in(effects: list[str]) -> list[str]:
    return [line for line in effects if "registered" in line]


@pytest.mark.parametrize("step", [LICENCES[0], pytest.param(LICENCES[1], marks=pytest.mark.deep)], indirect=True)
def test_who_may_not_get_in_is_named_and_can_be_helped(step: Step, simulator: Simulator) -> None:
    message = step.refused("no_way_in")
    assert (
        f"3 administrators ('{step.name('emergency.one')}', '{step.name('lena.fischer')}', "
        f"'{step.name('tim.bakker')}') and 1 other person ('{step.name('omar.haddad')}') may not get in any more: "
    ) in message
    simulator.change(step.tenant, "PATCH", SMS, SMS_ON)
    simulator.change(step.tenant, "PATCH", VOICE, VOICE_ON)
    assert about_ways_in(step.turned_on()) == []


@pytest.mark.deep
@pytest.mark.parametrize("assumed", ["no", "yes"])
@pytest.mark.parametrize("step", LICENCES[:1], indirect=True)
def test_who_takes_the_risk_goes_on(step: Step, simulator: Simulator, assumed: str) -> None:
    """Whether people are locked out then depends on what Entra lets them register, which nobody says."""
    simulator.assume(step.tenant, {ASSUMED: assumed})
    if assumed == "no":
        simulator.expects_violation("way_in", step.tenant)
    (line,) = about_ways_in(step.turned_on(risks=("no_way_in",)))
    assert line.startswith("3 administrators (")


@pytest.mark.deep
@pytest.mark.parametrize("step", LICENCES[:1], indirect=True)
def test_declared_emergency_accounts_are_judged_once(step: Step) -> None:
    """As emergency accounts."""
    declared = {"accounts": [{"user_principal_name": "emergency.one"}], "wanted": 1}
    message = step.refused("no_way_in", risks=(), security_defaults_emergency_access=declared)
    assert "2 administrators (" in message
    assert "emergency.one" not in message
    run = step.run("--check", security_defaults_accept_risks=[], security_defaults_emergency_access=declared)
    told = run.task(TURN_ON).message
    assert "0 of 1 wanted emergency account are usable" in told
    assert f"'{step.name('emergency.one')}'" not in told


@pytest.mark.deep
@pytest.mark.parametrize("step", LICENCES, indirect=True)
def test_what_cannot_be_read_is_unknown(step: Step, simulator: Simulator) -> None:
    simulator.change(step.tenant, "PATCH", SMS, SMS_ON)
    simulator.change(step.tenant, "PATCH", VOICE, VOICE_ON)
    simulator.fail(f"{METHODS}$|{REPORT}$", 403, times=None)
    message = step.refused("unknown_ways_in")
    assert "Whether administrators can use what they have registered for MFA could not be read" in message
    assert "UserAuthenticationMethod.Read.All" in message
    lines = about_ways_in(step.turned_on(risks=("unknown_ways_in",)))
    assert [line.partition(" is unknown: ")[0] for line in lines] == [
        "Whether administrators can use what they have registered for MFA",
        "Whether other people can use what they have registered for MFA",
    ]


@pytest.mark.deep
@pytest.mark.parametrize("step", LICENCES[1:], indirect=True)
@pytest.mark.parametrize("unread", [f"{METHODS}$", f"{REPORT}$"], ids=["methods", "report"])
def test_one_source_stands_in_for_the_other(step: Step, simulator: Simulator, unread: str) -> None:
    simulator.fail(unread, 403, times=None)
    message = step.refused("no_way_in")
    assert "unknown_ways_in" not in message
    assert "3 administrators (" in message
    assert f"1 other person ('{step.name('omar.haddad')}')" in message


@pytest.mark.deep
@pytest.mark.parametrize("step", LICENCES[:1], indirect=True)
def test_until_the_migration_is_complete_the_legacy_settings_may_allow_it(step: Step, simulator: Simulator) -> None:
    simulator.change(
        step.tenant, "PATCH", "/policies/authenticationMethodsPolicy", {"policyMigrationState": "migrationInProgress"}
    )
    (line,) = about_ways_in(step.turned_on())
    assert line.startswith("Whether 3 administrators (")
    assert "the legacy MFA settings, which Graph does not show, may" in line
