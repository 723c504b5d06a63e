# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What public sources leave open: every such assumption under each of its values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import STRENGTH, Scene
from m365_simulator.sign_in_rules.directory import epoch

PUSH, PHONE, CODE = "microsoftAuthenticatorPush", "mobilePhone", "softwareOneTimePasscode"
CONTESTED = ("fido2SecurityKey", "passKeySynced", "windowsHelloForBusiness", "hardwareOneTimePasscode")


@pytest.mark.parametrize(("value", "sign_in"), [("yes", "yes_after_mfa"), ("no", "yes_after_registration")])
@pytest.mark.parametrize("method", CONTESTED)
def test_passkeys_under_security_defaults(scene: Scene, method: str, value: str, sign_in: str) -> None:
    scene.enable("Fido2", "HardwareOath")
    scene.security_defaults()
    scene.assume("security_defaults_accept_passkeys", value)
    assert scene.ask(scene.administrator(method)) == (sign_in, "always")
    assert scene.ask(scene.administrator(PUSH)) == ("yes_after_mfa", "always")


@pytest.mark.parametrize(("value", "mfa"), [("yes", "always"), ("no", "when_necessary")])
def test_roles_over_an_administrative_unit(scene: Scene, value: str, mfa: str) -> None:
    scene.security_defaults()
    scene.assume("security_defaults_count_scoped_roles", value)
    user = scene.user(PUSH, roles=("User Administrator",), scope="/administrativeUnits/1")
    assert scene.protection(user).mfa == mfa
    assert scene.protection(user).administrator == (value == "yes")


@pytest.mark.parametrize(("value", "sign_in"), [("yes", "yes_after_mfa"), ("no", "yes_after_registration")])
def test_phones_under_security_defaults(scene: Scene, value: str, sign_in: str) -> None:
    scene.enable("Sms")
    scene.security_defaults()
    scene.assume("security_defaults_accept_phone", value)
    assert scene.ask(scene.administrator(PHONE)) == (sign_in, "always")
    scene.method("Sms", state="disabled")
    assert scene.ask(scene.administrator(PHONE)) == ("no", "always")


@pytest.mark.parametrize(
    ("value", "familiar", "sign_in"),
    [
        ("asked", False, "yes_after_mfa"),
        ("asked", True, "yes"),
        ("asked", None, "unknown"),
        ("not_asked", False, "yes"),
        ("not_asked", True, "yes"),
        ("not_asked", None, "yes"),
    ],
)
def test_what_when_necessary_means(scene: Scene, value: str, familiar: bool | None, sign_in: str) -> None:
    scene.security_defaults()
    scene.assume("security_defaults_when_necessary", value)
    user = scene.user(PUSH)
    assert scene.ask(user, familiar=familiar) == (sign_in, "when_necessary")
    assert scene.protects(user) == ("when_necessary", "yes")


@pytest.mark.parametrize("seconds", [0, 60, 900])
@pytest.mark.parametrize("on", [True, False])
def test_when_security_defaults_take_effect(scene: Scene, seconds: int, on: bool) -> None:
    scene.security_defaults(on)
    activity = f"{'Enable' if on else 'Disable'} security defaults"
    for stamp, name in (("2026-11-23T12:00:00Z", activity), ("2026-11-23T12:30:00Z", "Update user")):
        entry = {"activityDateTime": stamp, "activityDisplayName": name}
        scene.store.insert("directoryAudit", stamp, entry)
    scene.assume("security_defaults_take_effect_after_seconds", str(seconds))
    administrator, settled = scene.administrator(PUSH), ("always" if on else "never")
    scene.now = epoch("2026-11-23T12:00:00Z") + seconds - 1
    assert scene.protects(administrator) == ("unknown" if seconds else settled, "yes")
    assert scene.ask(scene.user(), client_app="other")[0] == ("unknown" if seconds else "no" if on else "yes")
    scene.now += 1
    assert scene.protects(administrator) == (settled, "yes")


@pytest.mark.parametrize(
    ("value", "created", "sign_in"),
    [
        ("new_tenants", "2026-06-30T23:59:59Z", "yes_after_mfa"),
        ("new_tenants", "2026-07-01T00:00:00Z", "no"),
        ("always", "2026-06-30T23:59:59Z", "no"),
        ("always", "2026-07-01T00:00:00Z", "no"),
    ],
)
def test_device_code_under_security_defaults(
    make_scene: Callable[..., Scene], value: str, created: str, sign_in: str
) -> None:
    scene = make_scene(created=created)
    scene.assume("security_defaults_block_device_code", value)
    administrator = scene.administrator(PUSH)
    assert scene.ask(administrator, flow="deviceCode")[0] == "yes"
    scene.security_defaults()
    assert scene.ask(administrator, flow="deviceCode")[0] == sign_in


@pytest.mark.parametrize(
    ("value", "created", "sign_in", "mfa"),
    [
        ("24_hours", "2026-11-22T12:00:01Z", "yes", "never"),
        ("24_hours", "2026-11-22T12:00:00Z", "yes_after_registration", "always"),
        ("none", "2026-11-22T12:00:01Z", "yes_after_registration", "always"),
    ],
)
def test_grace_of_a_new_tenant(
    make_scene: Callable[..., Scene], value: str, created: str, sign_in: str, mfa: str
) -> None:
    scene = make_scene(created=created)
    scene.security_defaults()
    scene.assume("security_defaults_grace_of_new_tenants", value)
    assert scene.ask(scene.administrator()) == (sign_in, mfa)
    assert scene.ask(scene.administrator(PUSH)) == ("yes_after_mfa", "always")
    assert scene.ask(scene.user(), client_app="other")[0] == "no"


@pytest.mark.parametrize(
    ("value", "brought", "sign_in"),
    [
        ("not_trusted", ("password", "federatedMfa"), "yes_after_registration"),
        ("trusted", ("password", "federatedMfa"), "yes_after_mfa"),
        ("not_trusted", None, "yes_after_registration"),
        ("trusted", None, "unknown"),
    ],
)
def test_mfa_of_guests_at_home(scene: Scene, value: str, brought: tuple[str, ...] | None, sign_in: str) -> None:
    scene.policy("mfa")
    scene.assume("guest_mfa_from_home_tenant", value)
    guest = scene.user(kind="Guest", invited=True)
    assert scene.ask(guest, methods=brought) == (sign_in, "always")
    assert scene.protects(guest) == ("always", "yes")


@pytest.mark.parametrize(("value", "sign_in"), [("no", "no"), ("yes", "yes_after_registration")])
def test_registration_in_place_of_a_lost_method(scene: Scene, value: str, sign_in: str) -> None:
    scene.policy("mfa")
    scene.assume("registration_in_place_of_lost_method", value)
    assert scene.ask(scene.user(PHONE)) == (sign_in, "always")


@pytest.mark.parametrize(("value", "sign_in"), [("no", "no"), ("yes", "yes_after_registration")])
def test_registration_for_a_strength(scene: Scene, value: str, sign_in: str) -> None:
    scene.policy(strength=f"{STRENGTH}4")
    scene.assume("registration_for_authentication_strength", value)
    assert scene.ask(scene.user(PUSH)) == ("no", "always")
    scene.enable("Fido2")
    assert scene.ask(scene.user(PUSH)) == (sign_in, "always")


@pytest.mark.parametrize("state", ["migrationComplete", "preMigration"])
@pytest.mark.parametrize(
    ("value", "day", "sign_in"),
    [
        ("ended", "2027-01-31T23:59:59Z", "yes_after_mfa"),
        ("ended", "2027-02-01T00:00:00Z", "yes_after_registration"),
        ("customer_telecom", "2027-02-01T00:00:00Z", "yes_after_mfa"),
    ],
)
def test_the_end_of_sms_and_voice(scene: Scene, state: str, value: str, day: str, sign_in: str) -> None:
    """Microsoft's page: whoever has nothing else registers a passkey, and gets no further without."""
    scene.method("MicrosoftAuthenticator", state="disabled")
    scene.enable("Sms", "Voice", "Fido2")
    scene.migration(state)
    scene.assume("legacy_verification_options", "all" if sign_in == "yes_after_mfa" else "none")
    scene.assume("phone_after_january_2027", value)
    scene.policy("mfa")
    scene.now = epoch(day)
    assert scene.ask(scene.user(PHONE)) == (sign_in, "always")
    assert scene.ask(scene.user(PHONE, "fido2SecurityKey"))[0] == "yes_after_mfa"
    scene.method("Fido2", state="disabled")
    assert scene.protects(scene.user(PHONE))[1] == ("yes" if sign_in == "yes_after_mfa" else "no")


@pytest.mark.parametrize(
    ("value", "working"), [("all", {PUSH, CODE, PHONE}), ("application", {PUSH, CODE}), ("none", set())]
)
def test_legacy_verification_options(scene: Scene, value: str, working: set[str]) -> None:
    scene.method("MicrosoftAuthenticator", state="disabled")
    scene.migration("preMigration")
    scene.policy("mfa")
    scene.assume("legacy_verification_options", value)
    users = {method: scene.user(method) for method in (PUSH, CODE, PHONE)}
    assert {method for method, user in users.items() if scene.ask(user)[0] == "yes_after_mfa"} == working
    assert scene.ask(scene.user())[0] == ("yes_after_registration" if working else "no")


@pytest.mark.parametrize(
    ("value", "sign_in"), [("microsoft_authenticator", "yes_after_mfa"), ("another_application", "no")]
)
def test_which_application_a_registered_token_is_of(scene: Scene, value: str, sign_in: str) -> None:
    """Whoever has none yet can register one of the Authenticator all the same."""
    passwordless = [{"targetType": "group", "id": "all_users", "authenticationMode": "deviceBasedPush"}]
    scene.method("MicrosoftAuthenticator", state="enabled", isSoftwareOathEnabled=True, includeTargets=passwordless)
    scene.policy("mfa")
    scene.assume("registered_software_token", value)
    assert scene.ask(scene.user(CODE)) == (sign_in, "always")
    assert scene.ask(scene.user()) == ("yes_after_registration", "always")
    scene.enable("SoftwareOath")
    assert scene.ask(scene.user(CODE)) == ("yes_after_mfa", "always")


@pytest.mark.parametrize(
    ("value", "passes"),
    [("smtp_only", {"other"}), ("all", {"other", "exchangeActiveSync"}), ("none", set())],
)
def test_basic_authentication(scene: Scene, value: str, passes: set[str]) -> None:
    scene.assume("basic_authentication", value)
    user = scene.user(PUSH)
    found = {client for client in ("other", "exchangeActiveSync") if scene.ask(user, client_app=client)[0] == "yes"}
    assert found == passes
