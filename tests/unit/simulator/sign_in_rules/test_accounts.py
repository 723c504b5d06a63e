# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts that are not there or not open, guests, legacy protocols, and Microsoft's own demand for MFA."""

from __future__ import annotations

import pytest

from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import Scene

PUSH, KEY = "microsoftAuthenticatorPush", "fido2SecurityKey"


def test_a_disabled_account_gets_nowhere(scene: Scene) -> None:
    answer = scene.judge(scene.user(PUSH, enabled=False))
    assert (answer.sign_in, answer.mfa) == ("no", "never")
    assert answer.reasons[0] == "The account is disabled."
    assert scene.protects(scene.user(PUSH, enabled=False)) == ("never", "no")


def test_a_deleted_account_gets_nowhere(scene: Scene) -> None:
    user = scene.user(PUSH)
    row = scene.store.read("user", user)
    assert row is not None
    scene.store.delete("user", user)
    scene.store.insert("deletedUser", user, row.document)
    assert scene.judge(user).reasons == ("The account is deleted.",)
    assert scene.ask(user) == ("no", "unknown")
    assert scene.protects(user) == ("unknown", "no")


def test_nobody(scene: Scene) -> None:
    assert scene.judge("nobody@contoso.example").reasons == ("There is no such user.",)


def test_a_user_by_principal_name_in_any_case(scene: Scene) -> None:
    scene.user()
    assert scene.ask("USER1@contoso.example") == ("yes", "never")


@pytest.mark.parametrize("application", ["MicrosoftAdminPortals", "AzureManagement"])
def test_mandatory_mfa_is_for_everybody(scene: Scene, application: str) -> None:
    """Microsoft's page "Planning for mandatory multifactor authentication": no policy and no state excludes anybody."""
    scene.enable("Fido2")
    emergency, nothing = scene.administrator(KEY), scene.administrator()
    scene.policy("mfa", users={"includeUsers": ["All"], "excludeUsers": [emergency, nothing]})
    assert scene.ask(emergency, application) == ("yes_after_mfa", "always")
    assert scene.ask(nothing, application) == ("yes_after_registration", "always")
    assert scene.ask(emergency, "MicrosoftGraph") == ("yes", "never")
    assert scene.ask(emergency, "Office365") == ("yes", "never")


def test_the_synchronization_role_is_not_excluded_from_mandatory_mfa(scene: Scene) -> None:
    scene.security_defaults()
    user = scene.user(roles=("Directory Synchronization Accounts",))
    assert scene.ask(user, "AzureManagement")[1] == "always"


def test_guests_have_nothing_that_legacy_protocols_reach(scene: Scene) -> None:
    guest = scene.user(kind="Guest", invited=True)
    assert scene.ask(guest, client_app="other") == ("no", "never")
    assert scene.ask(guest) == ("yes", "never")
    assert scene.ask(scene.user(kind="Guest"), client_app="other") == ("yes", "never")


def test_legacy_protocols_take_passwords_only(scene: Scene) -> None:
    scene.enable("Fido2")
    user = scene.user(KEY)
    assert scene.ask(user, client_app="other", methods=(KEY,))[0] == "no"
    assert scene.ask(user, client_app="other", methods=("password",))[0] == "yes"


def test_device_code_is_a_flow_like_others_without_rules(scene: Scene) -> None:
    assert scene.ask(scene.user(), flow="deviceCode") == ("yes", "never")
