# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's page "Security defaults in Microsoft Entra ID", effect by effect."""

from __future__ import annotations

import pytest

from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import Scene
from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.sign_in_rules.security_defaults import ADMINISTRATORS

PUSH, CODE, PHONE = "microsoftAuthenticatorPush", "softwareOneTimePasscode", "mobilePhone"
SIXTEEN = sorted(name for name, (template, _unused) in BUILT_IN_ROLES.items() if template in ADMINISTRATORS)


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.security_defaults()
    return scene


def test_there_are_sixteen_administrator_roles() -> None:
    assert len(SIXTEEN) == len(ADMINISTRATORS) == 16


@pytest.mark.parametrize("role", SIXTEEN)
def test_administrators_are_asked_at_every_sign_in(scene: Scene, role: str) -> None:
    assert scene.ask(scene.user(PUSH, roles=(role,)), familiar=True) == ("yes_after_mfa", "always")


@pytest.mark.parametrize("role", ["Global Reader", "Intune Administrator", "Reports Reader"])
def test_other_roles_are_asked_when_necessary(scene: Scene, role: str) -> None:
    assert scene.ask(scene.user(PUSH, roles=(role,)), familiar=True) == ("yes", "when_necessary")


def test_a_role_by_a_group_counts(scene: Scene) -> None:
    user = scene.user(PUSH)
    scene.assign("Global Administrator", scene.group(user))
    assert scene.ask(user)[1] == "always"


def test_ordinary_people_are_asked_where_they_are_not_known(scene: Scene) -> None:
    user = scene.user(PUSH)
    assert scene.ask(user, familiar=False) == ("yes_after_mfa", "when_necessary")
    assert scene.ask(user, familiar=True) == ("yes", "when_necessary")
    assert scene.ask(user) == ("unknown", "when_necessary")


def test_everybody_registers(scene: Scene) -> None:
    assert scene.ask(scene.user(), familiar=True) == ("yes_after_registration", "when_necessary")
    assert scene.ask(scene.administrator()) == ("yes_after_registration", "always")


def test_only_the_authenticator_and_code_applications_can_be_registered(scene: Scene) -> None:
    scene.enable("Sms", "Voice", "Fido2")
    scene.method("MicrosoftAuthenticator", state="disabled")
    user = scene.user()
    assert scene.ask(user, familiar=True) == ("no", "when_necessary")
    assert scene.protects(user)[1] == "no"
    scene.enable("SoftwareOath")
    assert scene.ask(user, familiar=True)[0] == "yes_after_registration"


def test_disabling_the_authenticator_under_security_defaults_locks_out(scene: Scene) -> None:
    """Microsoft's page warns of it."""
    administrator = scene.administrator(PUSH)
    assert scene.protects(administrator) == ("always", "yes")
    scene.method("MicrosoftAuthenticator", state="disabled")
    assert scene.ask(administrator) == ("no", "always")
    assert scene.protects(administrator)[1] == "no"


@pytest.mark.parametrize("client", ["other", "exchangeActiveSync"])
def test_legacy_authentication_is_blocked(scene: Scene, client: str) -> None:
    scene.assume("basic_authentication", "all")
    user = scene.user(PUSH, per_user_mfa="enforced", app_password=True)
    answer = scene.judge(user, client_app=client)
    assert answer.sign_in == "no"
    assert "Security defaults block legacy authentication." in answer.reasons


@pytest.mark.parametrize("application", ["AzureManagement", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"])
def test_azure_management_asks_everybody(scene: Scene, application: str) -> None:
    answer = scene.judge(scene.user(PUSH), application, familiar=True)
    assert (answer.sign_in, answer.mfa) == ("yes_after_mfa", "always")
    assert "Security defaults ask for MFA for Azure management." in answer.reasons


def test_azure_management_is_not_microsoft_graph(scene: Scene) -> None:
    assert scene.ask(scene.user(PUSH), "MicrosoftGraph", familiar=True) == ("yes", "when_necessary")


def test_the_synchronization_role_is_exempt(scene: Scene) -> None:
    user = scene.user(roles=("Directory Synchronization Accounts",))
    assert scene.ask(user) == ("yes", "never")
    assert scene.ask(user, client_app="other") == ("yes", "never")


def test_guests_are_as_members(scene: Scene) -> None:
    guest = scene.user(PUSH, kind="Guest", invited=True)
    assert scene.ask(guest, familiar=False) == ("yes_after_mfa", "when_necessary")
    assert scene.ask(scene.user(kind="Guest", invited=True), familiar=True)[0] == "yes_after_registration"


def test_there_are_no_exclusions(scene: Scene) -> None:
    """Emergency accounts are asked as every administrator is."""
    scene.enable("Fido2")
    assert scene.ask(scene.administrator("fido2SecurityKey")) == ("yes_after_mfa", "always")


def test_the_password_alone_is_not_enough_for_who_has_registered(scene: Scene) -> None:
    assert scene.ask(scene.administrator(PUSH), methods=("password",)) == ("no", "always")


def test_switched_off_they_demand_nothing(scene: Scene) -> None:
    scene.security_defaults(False)
    assert scene.ask(scene.administrator(PUSH)) == ("yes", "never")
    assert scene.ask(scene.user(), client_app="other") == ("yes", "never")


def test_per_user_mfa_goes_on_beside_them(scene: Scene) -> None:
    assert scene.ask(scene.user(PUSH, per_user_mfa="enforced"), familiar=True) == ("yes_after_mfa", "always")
