# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's page "Enable per-user multifactor authentication", and the legacy service settings beside it."""

from __future__ import annotations

import pytest

from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import FEDERATED, Scene

PUSH = "microsoftAuthenticatorPush"
ASKED, NOT_ASKED, UNKNOWN = ("yes_after_mfa", "always"), ("yes", "never"), ("unknown", "unknown")


@pytest.mark.parametrize(
    ("state", "registered", "expected"),
    [
        ("disabled", True, NOT_ASKED),
        ("disabled", False, NOT_ASKED),
        ("enabled", True, ASKED),
        ("enabled", False, ("yes_after_registration", "always")),
        ("enforced", True, ASKED),
        ("enforced", False, ("yes_after_registration", "always")),
    ],
)
def test_the_three_states(scene: Scene, state: str, registered: bool, expected: tuple[str, str]) -> None:
    user = scene.user(*([PUSH] if registered else []), per_user_mfa=state)
    assert scene.ask(user) == expected
    assert scene.ask(user, client_app="mobileAppsAndDesktopClients") == expected


@pytest.mark.parametrize(("state", "passes"), [("disabled", "yes"), ("enabled", "yes"), ("enforced", "no")])
def test_legacy_protocols_take_the_password_until_it_is_enforced(scene: Scene, state: str, passes: str) -> None:
    user = scene.user(PUSH, per_user_mfa=state)
    assert scene.ask(user, client_app="other", methods=("password",)) == (passes, "never")
    assert scene.ask(user, client_app="other") == (passes, "never")


def test_app_passwords(scene: Scene) -> None:
    user = scene.user(PUSH, per_user_mfa="enforced", app_password=True)
    with_it, with_both = ("appPassword",), ("password", "appPassword")
    assert scene.ask(user, client_app="other", methods=with_it) == NOT_ASKED
    assert scene.ask(user, client_app="other", methods=with_both) == NOT_ASKED
    assert scene.ask(user, client_app="other") == NOT_ASKED
    assert scene.ask(user, client_app="other", methods=("password",))[0] == "no"
    assert scene.ask(user, methods=with_it)[0] == "no"  # a browser takes none
    assert scene.ask(scene.user(PUSH, per_user_mfa="enforced"), client_app="other", methods=with_it)[0] == "no"
    scene.service(allowAppPasswords=False)
    assert scene.ask(user, client_app="other", methods=with_it)[0] == "no"


def test_app_passwords_end_with_per_user_mfa(scene: Scene) -> None:
    user = scene.user(PUSH, app_password=True)
    assert scene.ask(user, client_app="other", methods=("appPassword",))[0] == "no"
    assert scene.ask(user, client_app="other", methods=("password",)) == NOT_ASKED


def test_trusted_ranges_are_not_asked(scene: Scene) -> None:
    scene.service(trustedIps={"skipMfaForFederatedUsers": False, "ipRanges": ["203.0.113.0/24", "2001:db8::/48"]})
    user = scene.user(PUSH, per_user_mfa="enforced")
    assert scene.ask(user, ip_address="203.0.113.1") == NOT_ASKED
    assert scene.ask(user, ip_address="2001:db8::1") == NOT_ASKED
    assert scene.ask(user, ip_address="203.0.114.1") == ASKED
    assert scene.ask(user, outside_named_locations=True) == ASKED
    answer = scene.judge(user)
    assert (answer.sign_in, answer.mfa) == UNKNOWN
    assert answer.reasons == ("Not certain, for lack of the place: Per-user MFA is enforced.",)


def test_trusted_ranges_are_no_business_of_conditional_access(scene: Scene) -> None:
    scene.service(trustedIps={"skipMfaForFederatedUsers": False, "ipRanges": ["203.0.113.0/24"]})
    scene.policy("mfa")
    assert scene.ask(scene.user(PUSH), ip_address="203.0.113.1") == ASKED


def test_federated_users_inside_the_network(scene: Scene) -> None:
    scene.service(trustedIps={"skipMfaForFederatedUsers": True, "ipRanges": []})
    federated = scene.user(PUSH, per_user_mfa="enforced", domain=FEDERATED)
    managed = scene.user(PUSH, per_user_mfa="enforced")
    assert scene.ask(federated, inside_corporate_network=True) == NOT_ASKED
    assert scene.ask(federated, inside_corporate_network=False) == ASKED
    assert scene.ask(federated) == UNKNOWN
    assert scene.ask(managed, inside_corporate_network=True) == ASKED


def test_remembered_devices(scene: Scene) -> None:
    user = scene.user(PUSH, per_user_mfa="enforced")
    assert scene.ask(user, remembered=True) == ASKED
    scene.service(rememberMfaOnTrustedDevice={"isEnabled": True, "allowedNumberOfDays": 30})
    assert scene.ask(user, remembered=True) == NOT_ASKED
    assert scene.ask(user, remembered=False) == ASKED
    assert scene.ask(user) == UNKNOWN


def test_it_adds_to_conditional_access(scene: Scene) -> None:
    user = scene.user(PUSH, per_user_mfa="enforced")
    scene.policy("compliantDevice")
    assert scene.ask(user, device_compliant=True) == ASKED
    assert scene.ask(user, device_compliant=False)[0] == "no"
