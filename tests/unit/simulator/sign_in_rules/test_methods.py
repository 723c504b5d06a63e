# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's page "Manage authentication methods for Microsoft Entra ID": which registered methods count."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import Scene

PUSH, PASSWORDLESS, CODE = "microsoftAuthenticatorPush", "microsoftAuthenticatorPasswordless", "softwareOneTimePasscode"
PHONE, OFFICE, KEY, SYNCED = "mobilePhone", "officePhone", "fido2SecurityKey", "passKeySynced"
BY_METHOD = [
    (PUSH, "MicrosoftAuthenticator"),
    (PASSWORDLESS, "MicrosoftAuthenticator"),
    (CODE, "SoftwareOath"),
    ("hardwareOneTimePasscode", "HardwareOath"),
    (PHONE, "Sms"),
    (PHONE, "Voice"),
    ("alternateMobilePhone", "Voice"),
    (KEY, "Fido2"),
    ("passKeyDeviceBound", "Fido2"),
    (SYNCED, "Fido2"),
    ("temporaryAccessPass", "TemporaryAccessPass"),
]


@pytest.fixture
def scene(scene: Scene) -> Scene:
    """Everybody is asked for MFA, no method is on."""
    scene.policy("mfa")
    scene.method("MicrosoftAuthenticator", state="disabled")
    return scene


def works(scene: Scene, *methods: str) -> bool | None:
    """Whether a user with these methods gets through MFA; None when that is not known."""
    found = scene.ask(scene.user(*methods))[0]
    assert found in ("yes_after_mfa", "no", "unknown")
    return None if found == "unknown" else found == "yes_after_mfa"


@pytest.mark.parametrize(("method", "configuration"), BY_METHOD)
def test_a_method_counts_while_its_configuration_is_enabled(scene: Scene, method: str, configuration: str) -> None:
    assert not works(scene, method)
    scene.enable(configuration)
    assert works(scene, method)


@pytest.mark.parametrize("method", ["windowsHelloForBusiness", "macOsSecureEnclaveKey"])
def test_what_belongs_to_a_device_is_no_matter_of_the_policy(scene: Scene, method: str) -> None:
    assert works(scene, method)


@pytest.mark.parametrize("method", ["email", "securityQuestion", "qrCode", "password"])
def test_what_is_no_mfa(scene: Scene, method: str) -> None:
    scene.enable("Email", "QRCodePin")
    assert scene.ask(scene.user(method))[0] in ("no", "yes_after_registration")


def test_targets_by_group_and_exclusion(scene: Scene) -> None:
    inside, outside, excluded = scene.user(CODE), scene.user(CODE), scene.user(CODE)
    included = scene.group(scene.group(inside, excluded))
    scene.method(
        "SoftwareOath",
        state="enabled",
        includeTargets=[{"targetType": "group", "id": included.upper()}],
        excludeTargets=[{"targetType": "group", "id": scene.group(excluded)}],
    )
    assert [scene.ask(user)[0] for user in (inside, outside, excluded)] == ["yes_after_mfa", "no", "no"]


def test_targets_by_user_that_were_set_long_ago(scene: Scene) -> None:
    user, other = scene.user(CODE), scene.user(CODE)
    scene.method("SoftwareOath", state="enabled", includeTargets=[{"targetType": "user", "id": user}])
    assert [scene.ask(one)[0] for one in (user, other)] == ["yes_after_mfa", "no"]


def test_nobody_is_targeted(scene: Scene) -> None:
    scene.method("SoftwareOath", state="enabled", includeTargets=[])
    assert not works(scene, CODE)


@pytest.mark.parametrize(
    ("mode", "push", "passwordless"),
    [("any", True, True), ("push", True, True), ("deviceBasedPush", False, True)],
)
def test_modes_of_the_authenticator(scene: Scene, mode: str, push: bool, passwordless: bool) -> None:
    everyone = [{"targetType": "group", "id": "all_users", "authenticationMode": mode}]
    scene.method("MicrosoftAuthenticator", state="enabled", includeTargets=everyone)
    assert (works(scene, PUSH), works(scene, PASSWORDLESS)) == (push, passwordless)


def test_codes_of_the_authenticator(scene: Scene) -> None:
    scene.method("MicrosoftAuthenticator", isSoftwareOathEnabled=True)
    assert not works(scene, CODE)
    scene.enable("MicrosoftAuthenticator")
    assert works(scene, CODE)
    scene.assume("registered_software_token", "another_application")
    assert not works(scene, CODE)
    scene.enable("SoftwareOath")
    assert works(scene, CODE)


def test_office_phones(scene: Scene) -> None:
    scene.enable("Voice")
    assert not works(scene, OFFICE)
    scene.method("Voice", isOfficePhoneAllowed=True)
    assert works(scene, OFFICE)


@pytest.mark.parametrize(
    ("restrictions", "expected"),
    [
        ({"isEnforced": False, "enforcementType": "allow", "aaGuids": []}, True),
        ({"isEnforced": True, "enforcementType": "block", "aaGuids": []}, True),
        ({"isEnforced": True, "enforcementType": "allow", "aaGuids": []}, False),
        ({"isEnforced": True, "enforcementType": "allow", "aaGuids": ["a"]}, None),
        ({"isEnforced": True, "enforcementType": "block", "aaGuids": ["a"]}, None),
    ],
)
def test_restrictions_by_model_of_key(scene: Scene, restrictions: dict[str, Any], expected: bool | None) -> None:
    scene.method("Fido2", state="enabled", keyRestrictions=restrictions)
    assert works(scene, KEY) is expected


def test_passkey_profiles(scene: Scene) -> None:
    free = {"isEnforced": False, "enforcementType": "block", "aaGuids": []}
    profile = {"id": "P1", "passkeyTypes": "deviceBound", "keyRestrictions": free}
    everyone = {"targetType": "group", "id": "all_users", "allowedPasskeyProfiles": ["p1"]}
    scene.method("Fido2", state="enabled", passkeyProfiles=[profile], includeTargets=[everyone])
    assert (works(scene, KEY), works(scene, SYNCED)) == (True, False)
    scene.method("Fido2", passkeyProfiles=[{**profile, "passkeyTypes": "deviceBound,synced"}])
    assert works(scene, SYNCED)


@pytest.mark.parametrize(
    ("default", "rules", "sign_in"),
    [
        ("x509CertificateMultiFactor", [], "yes_after_mfa"),
        ("x509CertificateSingleFactor", [], "no"),
        ("x509CertificateSingleFactor", [{"x509CertificateRuleType": "issuerSubject"}], "unknown"),
    ],
)
def test_certificates(scene: Scene, default: str, rules: list[Any], sign_in: str) -> None:
    """Graph shows no registered certificate, so the attempt brings it."""
    mode = {"x509CertificateAuthenticationDefaultMode": default, "rules": rules}
    scene.method("X509Certificate", authenticationModeConfiguration=mode)
    user, certificate = scene.user(), ("x509CertificateMultiFactor",)
    assert scene.ask(user, methods=certificate)[0] == "no"
    scene.enable("X509Certificate")
    assert scene.ask(user, methods=certificate)[0] == sign_in


def test_a_certificate_as_first_factor(scene: Scene) -> None:
    scene.enable("Fido2")
    user, brought = scene.user(KEY), ("x509CertificateSingleFactor",)
    scene.change_policy(scene.store.documents("conditionalAccessPolicy")[0]["id"], state="disabled")
    assert scene.ask(user, methods=brought)[0] == "no"
    scene.enable("X509Certificate")
    assert scene.ask(user, methods=brought)[0] == "yes"


def test_external_methods_count_where_plain_mfa_is_wanted(scene: Scene) -> None:
    external: dict[str, Any] = {
        "@odata.type": "#microsoft.graph.externalAuthenticationMethodConfiguration",
        "state": "disabled",
        "includeTargets": [{"targetType": "group", "id": "all_users"}],
    }
    scene.store.insert("methodConfiguration", "11111111-1111-4111-8111-111111111111", external)
    assert not works(scene, "externalAuthMethod")
    scene.enable("11111111-1111-4111-8111-111111111111")
    assert works(scene, "externalAuthMethod")


def test_who_has_registered_nothing_needs_something_to_register(scene: Scene) -> None:
    user = scene.user()
    assert scene.ask(user) == ("no", "always")
    scene.enable("Fido2", "TemporaryAccessPass")  # registered elsewhere, not in the middle of a sign-in
    assert scene.ask(user) == ("no", "always")
    scene.enable("Sms")
    assert scene.ask(user) == ("yes_after_registration", "always")
    assert scene.ask(user, methods=("password",)) == ("yes_after_registration", "always")


def test_an_attempt_brings_only_what_it_says(scene: Scene) -> None:
    scene.enable("SoftwareOath", "Sms", "Fido2")
    user = scene.user(CODE, PHONE, KEY)
    assert scene.ask(user, methods=("password",))[0] == "no"
    assert scene.ask(user, methods=("password", PHONE))[0] == "yes_after_mfa"
    assert scene.ask(user, methods=(KEY,))[0] == "yes_after_mfa"
    assert scene.ask(user, methods=(PHONE,))[0] == "no"
    assert scene.ask(user, methods=())[0] == "no"
    assert scene.ask(user, methods=("password", PUSH))[0] == "no"  # not registered


@pytest.mark.parametrize("state", ["preMigration", "migrationInProgress"])
@pytest.mark.parametrize("method", [PUSH, CODE, "hardwareOneTimePasscode", PHONE, "alternateMobilePhone", OFFICE])
def test_legacy_methods_count_until_the_migration_is_complete(scene: Scene, state: str, method: str) -> None:
    assert not works(scene, method)
    scene.migration(state)
    assert works(scene, method)


@pytest.mark.parametrize("method", [KEY, "temporaryAccessPass"])
def test_the_legacy_policies_have_no_newer_methods(scene: Scene, method: str) -> None:
    scene.migration("preMigration")
    assert scene.ask(scene.user(method))[0] == "no"


def test_no_migration_state_is_complete(scene: Scene) -> None:
    """Seen in new tenants: the property is null, and stays so."""
    scene.migration(None)
    assert not works(scene, PHONE)
