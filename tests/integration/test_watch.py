# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's watch fails a test in which a write breaks a rule, unless the test says that it will."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator

SECURITY_DEFAULTS = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"


def set_security_defaults(simulator: Simulator, enabled: bool) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.patch(
            simulator.graph_url + SECURITY_DEFAULTS,
            json={"isEnabled": enabled},
            headers={"Authorization": f"Bearer {simulator.access_token(simulator.tenant('locked'))}"},
            verify=simulator.ca_file,
            timeout=30,
        )
    assert answer.status_code == 204


def complaint(simulator: Simulator, test: Callable[[], None]) -> str:
    """What the harness says at the end of a test; nothing when it passes."""
    try:
        with simulator.watched():
            test()
    except AssertionError as error:
        return str(error)
    return ""


def test_a_violation_fails_the_test(running: Simulator) -> None:
    def test() -> None:
        set_security_defaults(running, False)
        set_security_defaults(running, True)

    assert complaint(running, test).startswith(f"mfa_protection: After PATCH {SECURITY_DEFAULTS} people are without ")


@pytest.mark.parametrize("forgets", ["reset", "a new run"])
def test_a_violation_is_not_forgotten(forgets: str, running: Simulator) -> None:
    def test() -> None:
        running.announce_run(check_mode=True)
        set_security_defaults(running, True)
        if forgets == "reset":
            running.reset()
        else:
            running.announce_run(check_mode=False)

    assert complaint(running, test).startswith(f"check_mode: PATCH {SECURITY_DEFAULTS} in check mode was accepted.")


def test_a_violation_on_purpose(running: Simulator) -> None:
    def test() -> None:
        running.expects_violation("mfa_protection", running.tenant("locked"))
        set_security_defaults(running, False)

    assert complaint(running, test) == ""


def test_a_violation_on_purpose_that_does_not_come(running: Simulator) -> None:
    def test() -> None:
        running.expects_violation("mfa_protection", running.tenant("locked"))
        set_security_defaults(running, True)

    assert complaint(running, test).startswith("A violation did not come.")


def test_a_violation_in_another_tenant_is_another_one(running: Simulator) -> None:
    def test() -> None:
        running.expects_violation("mfa_protection", running.tenant("legacy"))
        set_security_defaults(running, False)

    assert complaint(running, test).startswith("mfa_protection: ")
