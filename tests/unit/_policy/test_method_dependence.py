# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who loses their only way in: never nobody when somebody does, whatever the policy and whatever is registered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.conditional_access_reach import Memberships
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import (
    Fact,
    UnexpectedShape,
    known,
    unknown,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.method_dependence import (
    ALLOWED_BY_LEGACY_SETTINGS,
    AUTHENTICATOR_APP,
    AUTHENTICATOR_LITE,
    CERTIFICATES,
    EMAILED_CODES,
    EXTERNAL_PROVIDER,
    EXTERNAL_TYPE,
    NOT_FOR_MFA,
    ONLY_WAY_IN,
    TEMPORARY,
    Methods,
    Passkey,
    Person,
    all_of,
    are_certificates_narrower,
    concerned,
    from_methods,
    from_registration_details,
    governed,
    invisible_obstacles,
    is_about_registration,
    is_on,
    lockout_obstacles,
    loses_the_only_way_in,
    narrowed,
    passkey_of,
    refusal,
    registration_obstacles,
    unreadable_obstacle,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.security_defaults import (
    LIMITED_REGISTRATION_METHODS,
    UNKNOWN_WAYS_IN,
    Obstacle,
)

GROUPS = ("11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002")
PROFILES = ("aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002")
MODELS = ("de1e552d-db1d-4423-a619-566b625cdc84", "90a3ccdf-635c-4729-a248-9b709135078f")
IDS = (
    "Fido2",
    "MicrosoftAuthenticator",
    "Sms",
    "Voice",
    "SoftwareOath",
    "HardwareOath",
    "QRCodePin",
    "TemporaryAccessPass",
)
REGISTERED = (
    "fido2SecurityKey",
    "passKeySynced",
    "microsoftAuthenticatorPush",
    "microsoftAuthenticatorPasswordless",
    AUTHENTICATOR_APP,
    "softwareOneTimePasscode",
    "hardwareOneTimePasscode",
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "windowsHelloForBusiness",
    "externalAuthMethod",
    "email",
    "qrCode",
    TEMPORARY,
)


def configuration(
    id: str, state: str = "enabled", include: Any = ("all_users",), exclude: Any = (), **more: Any
) -> Any:
    targets = [target if isinstance(target, dict) else {"id": target} for target in include]
    return {
        "id": id,
        "state": state,
        "includeTargets": targets,
        "excludeTargets": [{"id": group} for group in exclude],
        **more,
    }


def policy(*configurations: Any) -> dict[str, Any]:
    """Methods that are not given are disabled."""
    given_ids = {item["id"] for item in configurations}
    rest = [configuration(id, "disabled") for id in IDS if id not in given_ids]
    return {"policyMigrationState": None, "authenticationMethodConfigurations": [*configurations, *rest]}


def person(*methods: str, groups: Any = (), complete: bool = True, passkeys: Any = None) -> Person:
    return Person("1", "ann@contoso.example", frozenset(methods), Memberships(frozenset(groups), complete), passkeys)


def verdict(before: Any, after: Any, somebody: Person) -> bool | None:
    changed = governed(narrowed(before, after))
    return loses_the_only_way_in(Methods(before), Methods(after), somebody, changed)


SMS, SMS_OFF = policy(configuration("Sms")), policy(configuration("Sms", "disabled"))
PUSH = configuration("MicrosoftAuthenticator")


@pytest.mark.parametrize(
    ("before", "after", "somebody", "expected"),
    [
        (SMS, SMS_OFF, person("mobilePhone"), True),
        (SMS, SMS_OFF, person("mobilePhone", "email"), True),
        (SMS, SMS_OFF, person("mobilePhone", TEMPORARY), True),
        (SMS, SMS_OFF, person("mobilePhone", "windowsHelloForBusiness"), False),
        (SMS, SMS_OFF, person("microsoftAuthenticatorPush"), False),
        (SMS_OFF, SMS_OFF, person("mobilePhone"), False),
        (
            policy(configuration("Sms"), PUSH),
            policy(configuration("Sms", "disabled"), PUSH),
            person("mobilePhone"),
            True,
        ),
        (
            policy(configuration("Sms"), PUSH),
            policy(configuration("Sms", "disabled"), PUSH),
            person("mobilePhone", "microsoftAuthenticatorPush"),
            False,
        ),
        (
            policy(configuration("Sms"), configuration("Voice")),
            policy(configuration("Sms", "disabled"), configuration("Voice")),
            person("mobilePhone"),
            False,
        ),
        (SMS, policy(configuration("Sms", include=[GROUPS[0]])), person("mobilePhone"), True),
        (SMS, policy(configuration("Sms", include=[GROUPS[0]])), person("mobilePhone", groups=GROUPS), False),
        (SMS, policy(configuration("Sms", include=[GROUPS[0]])), person("mobilePhone", complete=False), None),
        (SMS, policy(configuration("Sms", exclude=[GROUPS[0]])), person("mobilePhone", groups=GROUPS), True),
        (SMS, policy(configuration("Sms", exclude=[GROUPS[0]])), person("mobilePhone"), False),
        (
            policy(configuration("Voice", isOfficePhoneAllowed=True)),
            policy(configuration("Voice", isOfficePhoneAllowed=False)),
            person("officePhone"),
            True,
        ),
        (
            policy(configuration("MicrosoftAuthenticator", isSoftwareOathEnabled=True)),
            policy(configuration("MicrosoftAuthenticator", isSoftwareOathEnabled=False)),
            person("softwareOneTimePasscode"),
            None,
        ),
        (
            policy(configuration("SoftwareOath"), configuration("MicrosoftAuthenticator", isSoftwareOathEnabled=True)),
            policy(configuration("MicrosoftAuthenticator", isSoftwareOathEnabled=True)),
            person("softwareOneTimePasscode"),
            None,
        ),
        (
            policy(configuration("MicrosoftAuthenticator", include=[{"id": "all_users", "authenticationMode": "any"}])),
            policy(
                configuration(
                    "MicrosoftAuthenticator", include=[{"id": "all_users", "authenticationMode": "deviceBasedPush"}]
                )
            ),
            person("microsoftAuthenticatorPush"),
            True,
        ),
    ],
)
def test_the_only_way_in(before: Any, after: Any, somebody: Person, expected: bool | None) -> None:
    assert verdict(before, after, somebody) is expected


def restrictions(kind: str, *models: str, enforced: bool = True) -> dict[str, Any]:
    return {"isEnforced": enforced, "enforcementType": kind, "aaGuids": list(models)}


def test_a_method_that_graph_does_not_show_is_unknown() -> None:
    """As v1.0 does with hardware OATH tokens."""
    before, after = (
        {"authenticationMethodConfigurations": [configuration("Sms", state), configuration("Voice", "disabled")]}
        for state in ("enabled", "disabled")
    )
    assert verdict(before, after, person("mobilePhone", "hardwareOneTimePasscode")) is None
    assert verdict(before, after, person("mobilePhone")) is True


KEYS = configuration("Fido2", keyRestrictions=restrictions("block", enforced=False))
KEY = (Passkey(MODELS[0].upper(), synced=False),)


@pytest.mark.parametrize(
    ("after", "passkeys", "expected"),
    [
        (restrictions("allow", MODELS[1]), KEY, True),
        (restrictions("allow", *MODELS), KEY, False),
        (restrictions("block", MODELS[0]), KEY, True),
        (restrictions("block", MODELS[1]), KEY, False),
        (restrictions("block", MODELS[0]), (*KEY, Passkey(MODELS[1], synced=None)), False),
        (restrictions("block", MODELS[0]), (Passkey(None, synced=None),), None),
        (restrictions("block", MODELS[0]), None, None),
        (restrictions("block"), None, None),
    ],
)
def test_a_model_of_keys_that_is_not_allowed_any_more(after: Any, passkeys: Any, expected: bool | None) -> None:
    later = policy(configuration("Fido2", keyRestrictions=after))
    assert verdict(policy(KEYS), later, person("fido2SecurityKey", passkeys=passkeys)) is expected


def profile(number: int, kinds: str, keys: Any = None) -> dict[str, Any]:
    keys = keys or restrictions("allow", enforced=False)
    return {"id": PROFILES[number], "name": str(number), "passkeyTypes": kinds, "keyRestrictions": keys}


def profiled(*profiles: Any, chosen: Any) -> dict[str, Any]:
    targets = [{"id": "all_users", "allowedPasskeyProfiles": list(chosen)}]
    return policy(configuration("Fido2", include=targets, passkeyProfiles=list(profiles), keyRestrictions=None))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (profiled(profile(0, "deviceBound"), chosen=PROFILES[:1]), True),
        (profiled(profile(0, "deviceBound,synced"), chosen=PROFILES[:1]), False),
        (profiled(profile(0, "deviceBound"), profile(1, "synced"), chosen=PROFILES[:1]), True),
        (profiled(profile(0, "deviceBound"), profile(1, "synced"), chosen=PROFILES), False),
        (profiled(profile(0, "deviceBound"), chosen=[]), False),
    ],
)
def test_a_passkey_profile_that_allows_less(after: Any, expected: bool) -> None:
    before = profiled(profile(0, "deviceBound,synced"), profile(1, "synced"), chosen=PROFILES[:1])
    assert verdict(before, after, person("passKeySynced")) is expected
    assert verdict(before, after, person("passKeyDeviceBound")) is False


def test_external_methods_are_told_apart_by_nobody() -> None:
    one, other = (configuration(name, **{"@odata.type": EXTERNAL_TYPE, "appId": name}) for name in ("one", "other"))
    without = {**one, "state": "disabled"}
    somebody = person("externalAuthMethod")
    assert verdict(policy(one), policy(without), somebody) is True
    assert verdict(policy(one), policy(), somebody) is True
    assert verdict(policy(one, other), policy(without, other), somebody) is None
    elsewhere = policy({**one, "appId": "else"})
    assert invisible_obstacles(policy(one), elsewhere, narrowed(policy(one), elsewhere)) == [EXTERNAL_PROVIDER]
    assert invisible_obstacles(policy(one), policy(without), ["one"]) == []


def test_the_end_of_the_legacy_settings() -> None:
    methods = Methods(policy(PUSH, configuration("Sms", "disabled"), configuration("Voice", "disabled")))
    for registered, expected in ((["mobilePhone"], True), (["mobilePhone", "microsoftAuthenticatorPush"], False)):
        somebody = person(*registered)
        found = loses_the_only_way_in(methods, methods, somebody, ALLOWED_BY_LEGACY_SETTINGS, legacy=True)
        assert found is expected
        assert loses_the_only_way_in(methods, methods, somebody, ALLOWED_BY_LEGACY_SETTINGS) is False


@pytest.mark.parametrize(
    ("include", "complete", "lost"),
    [(["all_users"], True, False), (GROUPS[:1], True, True), (GROUPS[:1], False, None)],
)
def test_a_temporary_access_pass_is_a_way_in_today(include: Any, complete: bool, lost: bool | None) -> None:
    before, after = (
        Methods(policy(configuration("TemporaryAccessPass", include=one))) for one in (["all_users"], include)
    )
    assert loses_the_only_way_in(before, after, person(TEMPORARY, complete=complete), [TEMPORARY]) is lost


QR_CODE = configuration("QRCodePin")


@pytest.mark.parametrize(
    ("before", "after", "registered", "lost"),
    [
        ([QR_CODE, configuration("Sms")], [QR_CODE], ["qrCode", "mobilePhone"], True),
        ([QR_CODE, configuration("Sms")], [QR_CODE, configuration("Voice")], ["qrCode", "mobilePhone"], False),
        ([QR_CODE, configuration("Sms"), PUSH], [QR_CODE, PUSH], ["qrCode", "mobilePhone"], True),
        (
            [QR_CODE, configuration("Sms"), PUSH],
            [QR_CODE, PUSH],
            ["qrCode", "mobilePhone", "microsoftAuthenticatorPush"],
            False,
        ),
        ([QR_CODE, configuration("Sms")], [configuration("Sms")], ["qrCode", "mobilePhone"], False),
        ([QR_CODE, configuration("Sms")], [], ["qrCode", "mobilePhone"], True),
        ([QR_CODE], [], ["qrCode"], True),
        ([QR_CODE], [], ["qrCode", "mobilePhone"], True),
        ([QR_CODE], [], ["qrCode", "windowsHelloForBusiness"], False),
        ([QR_CODE, configuration("Sms")], [QR_CODE], ["qrCode"], False),
        ([QR_CODE, configuration("TemporaryAccessPass")], [QR_CODE], ["qrCode", TEMPORARY], True),
        ([QR_CODE, configuration("TemporaryAccessPass")], [configuration("TemporaryAccessPass")], ["qrCode"], True),
        (
            [QR_CODE, configuration("TemporaryAccessPass")],
            [configuration("TemporaryAccessPass")],
            ["qrCode", TEMPORARY],
            True,
        ),
    ],
)
def test_a_qr_code_takes_nobody_through_mfa(before: Any, after: Any, registered: list[str], lost: bool) -> None:
    assert verdict(policy(*before), policy(*after), person(*registered)) is lost


def test_whether_a_qr_code_is_lost_is_unknown_with_its_groups() -> None:
    for_a_group = configuration("QRCodePin", include=GROUPS[:1])
    for registered, lost in ((["qrCode"], None), (["qrCode", "windowsHelloForBusiness"], False)):
        assert verdict(policy(QR_CODE), policy(for_a_group), person(*registered, complete=False)) is lost


# Certificates, email


def certificates(**more: Any) -> dict[str, Any]:
    binding = {
        "x509CertificateField": "PrincipalName",
        "userProperty": "userPrincipalName",
        "trustAffinityLevel": "low",
    }
    modes = {
        "x509CertificateAuthenticationDefaultMode": "x509CertificateMultiFactor",
        "x509CertificateDefaultRequiredAffinityLevel": "low",
        "rules": [],
    }
    wanted = {"certificateUserBindings": [{**binding, "priority": 1}], "authenticationModeConfiguration": modes, **more}
    return policy(configuration("X509Certificate", **wanted))


OTHER = {"x509CertificateField": "RFC822Name", "userProperty": "userPrincipalName", "trustAffinityLevel": "low"}
FIRST = certificates()["authenticationMethodConfigurations"][0]["certificateUserBindings"][0]
MODES = certificates()["authenticationMethodConfigurations"][0]["authenticationModeConfiguration"]


@pytest.mark.parametrize(
    ("changed", "is_narrower"),
    [
        ({"certificateUserBindings": [OTHER]}, True),
        ({"certificateUserBindings": [{**FIRST, "priority": 2}, OTHER]}, False),
        ({"state": "disabled"}, True),
        ({"certificateAuthorityScopes": [{"subjectKeyIdentifier": "1"}]}, True),
        ({"requireCertificateSidAlignment": True}, True),
        ({"crlValidationConfiguration": {"state": "enabled"}}, True),
        ({"crlValidationConfiguration": {"state": "disabled"}}, False),
        ({"authenticationModeConfiguration": {**MODES, "rules": [{}]}}, True),
        ({"authenticationModeConfiguration": {**MODES, "x509CertificateDefaultRequiredAffinityLevel": "high"}}, True),
        ({"issuerHintsConfiguration": {"state": "enabled"}}, False),
        ({"excludeTargets": [{"id": GROUPS[0]}]}, True),
    ],
)
def test_certificates_that_may_not_be_good_any_more(changed: dict[str, Any], is_narrower: bool) -> None:
    before, after = certificates(), certificates()
    after["authenticationMethodConfigurations"][0].update(changed)
    found = narrowed(before, after)
    assert found == (["X509Certificate"] if is_narrower else [])
    assert invisible_obstacles(before, after, found) == ([CERTIFICATES] if is_narrower else [])


ON, OFF = {"state": "enabled"}, {"state": "disabled"}
HIGH = {**MODES, "x509CertificateDefaultRequiredAffinityLevel": "high"}
ONE_FACTOR = {**MODES, "x509CertificateAuthenticationDefaultMode": "x509CertificateSingleFactor"}


@pytest.mark.parametrize(
    ("before", "after", "is_narrower"),
    [
        ({}, {}, False),
        ({"authenticationModeConfiguration": MODES}, {"authenticationModeConfiguration": HIGH}, True),
        ({"authenticationModeConfiguration": HIGH}, {"authenticationModeConfiguration": MODES}, False),
        ({"authenticationModeConfiguration": HIGH}, {"authenticationModeConfiguration": HIGH}, False),
        ({"authenticationModeConfiguration": MODES}, {"authenticationModeConfiguration": ONE_FACTOR}, True),
        ({"authenticationModeConfiguration": ONE_FACTOR}, {"authenticationModeConfiguration": MODES}, True),
        ({"authenticationModeConfiguration": None}, {"authenticationModeConfiguration": MODES}, True),
        ({"crlValidationConfiguration": ON}, {"crlValidationConfiguration": ON}, False),
        ({"crlValidationConfiguration": ON}, {"crlValidationConfiguration": {**ON, "exempted": []}}, True),
        ({"crlValidationConfiguration": ON}, {"crlValidationConfiguration": OFF}, False),
        ({"crlValidationConfiguration": OFF}, {"crlValidationConfiguration": ON}, True),
        ({"certificateAuthorityScopes": ["1"]}, {"certificateAuthorityScopes": ["1"]}, False),
        ({"certificateAuthorityScopes": ["1"]}, {"certificateAuthorityScopes": []}, True),
        ({"requireCertificateSidAlignment": True}, {"requireCertificateSidAlignment": True}, False),
        ({"requireCertificateSidAlignment": True}, {"requireCertificateSidAlignment": False}, False),
        ({"certificateUserBindings": [{**FIRST, "x@odata.type": "y"}]}, {"certificateUserBindings": [FIRST]}, False),
        ({"certificateUserBindings": [FIRST]}, {"certificateUserBindings": None}, True),
        ({"certificateUserBindings": [FIRST, OTHER]}, {"certificateUserBindings": [OTHER, FIRST]}, False),
    ],
)
def test_which_change_makes_certificates_good_for_less(
    before: dict[str, Any], after: dict[str, Any], is_narrower: bool
) -> None:
    assert are_certificates_narrower(before, after) is is_narrower


def test_guests_who_sign_in_with_a_code_by_email() -> None:
    open_to_guests, closed = (
        policy(configuration("Email", allowExternalIdToUseEmailOtp=on)) for on in ("default", "disabled")
    )
    assert invisible_obstacles(open_to_guests, closed, narrowed(open_to_guests, closed)) == [EMAILED_CODES]
    assert narrowed(closed, open_to_guests) == []
    assert invisible_obstacles(policy(), closed, ["Email"]) == [EMAILED_CODES]
    assert invisible_obstacles(open_to_guests, policy(), ["Email"]) == []
    off = policy(configuration("Email", "disabled", allowExternalIdToUseEmailOtp="default"))
    assert invisible_obstacles(open_to_guests, off, narrowed(open_to_guests, off)) == []


ZEROS = "00000000-0000-0000-0000-000000000000"


def lite(state: str = "enabled", include: str | None = "all_users", exclude: str | None = ZEROS) -> dict[str, Any]:
    targets = {"includeTarget": include, "excludeTarget": exclude}
    sides = {side: None if id is None else {"targetType": "group", "id": id} for side, id in targets.items()}
    return {"state": state, **sides}


@pytest.mark.parametrize(
    ("before", "after", "is_narrower"),
    [
        (lite(), lite("disabled"), True),
        (lite("default"), lite("disabled"), True),
        (None, lite("disabled"), True),
        (lite(), None, True),
        (lite(), lite("unknownFutureValue"), True),
        (lite("disabled"), lite("unknownFutureValue"), False),
        (lite("disabled"), lite(include=GROUPS[0]), False),
        (lite(), lite(), False),
        (lite(), lite("default"), False),
        (lite("default"), lite(), False),
        (None, lite(), False),
        (None, None, False),
        (lite(), lite(include=GROUPS[0]), True),
        (lite(), lite(include=None), True),
        (lite("default", GROUPS[0]), lite("enabled", GROUPS[0].upper()), False),
        (lite(include=GROUPS[0]), lite(include=GROUPS[1]), True),
        (lite(include=GROUPS[0]), lite(include="all_users"), False),
        (lite(), lite(exclude=GROUPS[0]), True),
        (lite(exclude=GROUPS[0]), lite(exclude=GROUPS[1]), True),
        (lite(exclude=GROUPS[0]), lite("default", exclude=GROUPS[0].upper()), False),
        (lite(exclude=GROUPS[0]), lite(exclude=ZEROS), False),
        (lite(exclude=GROUPS[0]), lite(exclude=None), False),
        (None, lite(exclude=GROUPS[0]), True),
    ],
)
def test_who_uses_authenticator_lite_is_not_known(before: Any, after: Any, is_narrower: bool) -> None:
    def on(feature: Any, state: str = "enabled") -> dict[str, Any]:
        settings = None if feature is None else {"companionAppAllowedState": feature}
        return policy(configuration("MicrosoftAuthenticator", state, featureSettings=settings))

    assert invisible_obstacles(on(before), on(after), []) == ([AUTHENTICATOR_LITE] if is_narrower else [])
    assert invisible_obstacles(on(before, "disabled"), on(after), []) == []


def test_authenticator_lite_is_named() -> None:
    assert AUTHENTICATOR_LITE.risk == UNKNOWN_WAYS_IN
    assert AUTHENTICATOR_LITE.sentence == (
        "People who approve sign-ins with Authenticator Lite in Outlook (companion_app_allowed_state) would not be "
        "able to any more. Who they are is not known. Have them set up Microsoft Authenticator first."
    )


@pytest.mark.parametrize("strange", ["on", {"companionAppAllowedState": 5}])
def test_features_that_cannot_be_read_are_refused(strange: Any) -> None:
    read = policy(configuration("MicrosoftAuthenticator"))
    with pytest.raises(UnexpectedShape):
        invisible_obstacles(policy(configuration("MicrosoftAuthenticator", featureSettings=strange)), read, [])


CODES_ON = configuration("MicrosoftAuthenticator", isSoftwareOathEnabled=True)
CODES_OF_SOME = configuration("MicrosoftAuthenticator", include=[GROUPS[0]], isSoftwareOathEnabled=True)
TOKENS_OF_SOME = configuration("SoftwareOath", include=[GROUPS[0]])


@pytest.mark.parametrize(
    ("on", "somebody", "usable"),
    [
        ([configuration("SoftwareOath")], {}, True),
        ([configuration("SoftwareOath"), CODES_ON], {}, True),
        ([CODES_ON], {}, None),
        ([CODES_OF_SOME], {}, False),
        ([CODES_OF_SOME], {"groups": [GROUPS[0]]}, None),
        ([CODES_OF_SOME], {"complete": False}, None),
        ([TOKENS_OF_SOME], {}, False),
        ([TOKENS_OF_SOME], {"groups": [GROUPS[0]]}, True),
        ([TOKENS_OF_SOME], {"complete": False}, None),
        ([TOKENS_OF_SOME, CODES_ON], {}, None),
        ([TOKENS_OF_SOME, CODES_ON], {"groups": [GROUPS[0]]}, True),
        ([configuration("MicrosoftAuthenticator", isSoftwareOathEnabled=False)], {}, False),
        ([configuration("MicrosoftAuthenticator", "disabled", isSoftwareOathEnabled=True)], {}, False),
    ],
)
def test_a_token_may_be_of_another_application_than_microsoft_authenticator(
    on: Any, somebody: Any, usable: bool | None
) -> None:
    token = "softwareOneTimePasscode"
    assert Methods(policy(*on)).allows(person(token, **somebody), token) is usable


# Registration


def test_security_defaults_need_methods_to_register() -> None:
    assert is_about_registration(["softwareoath"])
    assert not is_about_registration(["Fido2"])
    codes = ["softwareoath"]
    some = policy(configuration("SoftwareOath", include=[GROUPS[0]]))
    (limited,) = registration_obstacles(known(True), codes, some)
    assert limited.risk == LIMITED_REGISTRATION_METHODS
    (nobody,) = registration_obstacles(known(True), codes, policy(configuration("SoftwareOath", "disabled")))
    assert nobody.risk is None
    (unread,) = registration_obstacles(unknown("It was refused."), codes, policy(PUSH))
    assert unread.risk == LIMITED_REGISTRATION_METHODS
    assert "It was refused." in refusal([unread])


@pytest.mark.parametrize(
    ("changed", "after", "is_fine"),
    [
        ("SoftwareOath", policy(PUSH), True),
        ("MicrosoftAuthenticator", policy(configuration("Sms")), True),
        ("sms", policy(configuration("VOICE")), True),
        ("MicrosoftAuthenticator", policy(), False),
        ("MicrosoftAuthenticator", policy(configuration("Fido2")), False),
        ("Voice", policy(configuration("Sms", include=[GROUPS[0]])), False),
        ("Sms", policy(configuration("Sms", exclude=[GROUPS[0]])), False),
    ],
)
@pytest.mark.parametrize("on", [known(False), known(True), unknown("No.")])
def test_without_security_defaults_people_need_methods_to_register_too(
    on: Fact, changed: str, after: dict[str, Any], is_fine: bool
) -> None:
    """Conditional Access or per-user MFA may ask somebody for MFA who has registered nothing yet."""
    if changed.lower() in ("sms", "voice") or on == known(False):
        expected = [] if is_fine else [NO_REGISTRATION]
        assert registration_obstacles(on, [changed], after) == expected


NO_REGISTRATION = Obstacle(
    "None of Microsoft Authenticator, software OATH tokens, SMS and voice would be enabled for everybody: whoever has "
    "registered nothing yet and is asked for MFA could not register, and not get in. Switch another one on for "
    "everybody first.",
    LIMITED_REGISTRATION_METHODS,
)


# What is told


def test_names_and_risks_are_told() -> None:
    lost, unclear = lockout_obstacles([f"user{number:02}" for number in range(12)], ["zoe"], policy())
    assert (lost.risk, unclear.risk) == (ONLY_WAY_IN, UNKNOWN_WAYS_IN)
    assert "12 people lose" in lost.sentence
    assert "'user09' and 2 more" in lost.sentence
    assert "Whether 1 person loses" in unclear.sentence
    assert "legacy" not in lost.sentence
    (unfinished,) = lockout_obstacles(["ann"], [], {"policyMigrationState": "migrationInProgress"})
    assert "The legacy MFA settings may still allow" in unfinished.sentence
    assert "add 'only_way_in' to accept_risks" in refusal([lost])


def test_what_people_have_registered() -> None:
    item = {"id": "1", "userPrincipalName": "ann", "methodsRegistered": ["mobilePhone"]}
    assert from_registration_details(item) == ("1", "ann", frozenset({"mobilePhone"}))
    with pytest.raises(UnexpectedShape):
        from_registration_details({"id": "1", "userPrincipalName": "ann"})
    listed: list[dict[str, Any]] = [
        {"@odata.type": "#microsoft.graph.passwordAuthenticationMethod"},
        {"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "phoneType": "office"},
        {"@odata.type": "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod"},
        {"@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod", "isUsable": False},
        {"@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "aaGuid": MODELS[0], "passkeyType": "synced"},
        {"@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "aaGuid": ""},
    ]
    methods, passkeys = from_methods(listed)
    assert methods == {"password", "officePhone", AUTHENTICATOR_APP, "fido2SecurityKey"}
    assert passkeys == (Passkey(MODELS[0], synced=True), Passkey(None, None))


# Whatever the policy


def targets(**extra: Any) -> st.SearchStrategy[list[dict[str, Any]]]:
    target = st.fixed_dictionaries({"id": st.sampled_from(["all_users", *GROUPS]), **extra})
    return st.lists(target, max_size=3, unique_by=lambda item: str(item["id"]))


def key_restrictions() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "isEnforced": st.booleans(),
            "enforcementType": st.sampled_from(["allow", "block"]),
            "aaGuids": st.lists(st.sampled_from(MODELS), unique=True),
        }
    )


def configurations(id: str) -> st.SearchStrategy[dict[str, Any]]:
    extra: dict[str, Any] = {}
    more: dict[str, Any] = {}
    if id == "Fido2":
        extra["allowedPasskeyProfiles"] = st.lists(st.sampled_from(PROFILES), unique=True)
        more["keyRestrictions"] = key_restrictions()
        one = {
            "id": st.sampled_from(PROFILES),
            "passkeyTypes": st.sampled_from(["deviceBound", "synced", "deviceBound,synced"]),
            "keyRestrictions": key_restrictions(),
        }
        more["passkeyProfiles"] = st.lists(
            st.fixed_dictionaries(one), max_size=2, unique_by=lambda item: str(item["id"])
        )
    if id == "MicrosoftAuthenticator":
        extra["authenticationMode"] = st.sampled_from(["any", "push", "deviceBasedPush"])
        more["isSoftwareOathEnabled"] = st.booleans()
    if id == "Voice":
        more["isOfficePhoneAllowed"] = st.booleans()
    return st.fixed_dictionaries(
        {
            "id": st.just(id),
            "state": st.sampled_from(["enabled", "enabled", "disabled"]),
            "includeTargets": targets(**extra),
            "excludeTargets": targets(),
            **more,
        }
    )


policies = st.tuples(*(configurations(id) for id in IDS)).map(lambda found: policy(*found))
people = st.builds(
    Person,
    id=st.just("1"),
    name=st.just("ann"),
    methods=st.frozensets(st.sampled_from(REGISTERED), max_size=4),
    groups=st.builds(Memberships, st.frozensets(st.sampled_from(GROUPS)), st.booleans()),
    passkeys=st.none()
    | st.lists(st.builds(Passkey, st.sampled_from(MODELS) | st.none(), st.booleans() | st.none()), max_size=2).map(
        tuple
    ),
)


def ways(methods: Methods, somebody: Person, answer: Any) -> set[str]:
    return {method for method in somebody.methods if methods.allows(somebody, method) in answer}


@given(policies, policies, people)
def test_nobody_is_called_safe_who_is_locked_out(before: Any, after: Any, somebody: Person) -> None:
    lost = ways(Methods(before), somebody, (True,)) - ways(Methods(after), somebody, (True, None))
    perhaps_left = ways(Methods(after), somebody, (True, None)) - {TEMPORARY}
    if (lost and not perhaps_left) or (lost - NOT_FOR_MFA and not perhaps_left - NOT_FOR_MFA):
        assert verdict(before, after, somebody) is True


@given(policies, policies, people)
def test_safe_is_who_keeps_a_way_or_loses_none(before: Any, after: Any, somebody: Person) -> None:
    if verdict(before, after, somebody) is False:
        kept = ways(Methods(after), somebody, (True,)) - {TEMPORARY}
        lost = ways(Methods(before), somebody, (True,)) - ways(Methods(after), somebody, (True,))
        assert kept or not lost
        assert kept - NOT_FOR_MFA or not lost - NOT_FOR_MFA


@given(policies, policies, people)
def test_what_is_not_narrowed_takes_nothing_away(before: Any, after: Any, somebody: Person) -> None:
    """So the quick look at the configurations never misses a change that needs the slow one."""
    untouched = frozenset(IDS) - frozenset(narrowed(before, after))
    for method in somebody.methods - governed(frozenset(IDS) - untouched):
        if Methods(before).allows(somebody, method) is True:
            assert Methods(after).allows(somebody, method) is True, method


@given(policies, people)
def test_no_change_locks_nobody_out(unchanged: Any, somebody: Person) -> None:
    assert narrowed(unchanged, unchanged) == []
    assert verdict(unchanged, unchanged, somebody) is False


# Each way in which a configuration allows less


def keyed(**more: Any) -> Any:
    return configuration("Fido2", include=[{"id": "all_users"}, {"id": GROUPS[0]}], **more)


ALLOW_ONE, ALLOW_BOTH = restrictions("allow", MODELS[0]), restrictions("allow", MODELS[1].upper(), MODELS[0])
BLOCK_ONE, BLOCK_BOTH = restrictions("block", MODELS[0]), restrictions("block", MODELS[1].upper(), MODELS[0])
OPEN_KEYS = restrictions("block", MODELS[0], enforced=False)
FIRST_PROFILE, SECOND_PROFILE = profile(0, "deviceBound, synced"), profile(1, "synced")
USES_SECOND = [{"id": "all_users", "allowedPasskeyProfiles": [PROFILES[1].upper()]}]


def authenticator(mode: str | None, **more: Any) -> Any:
    target = {"id": "all_users"} | ({} if mode is None else {"authenticationMode": mode})
    return configuration("MicrosoftAuthenticator", include=[target], **more)


@pytest.mark.parametrize(
    ("before", "after", "is_narrower"),
    [
        (configuration("Sms"), configuration("Sms", "disabled"), True),
        (configuration("Sms", "disabled"), configuration("Sms"), False),
        (configuration("Sms", "disabled"), configuration("Sms", "disabled", include=[]), False),
        (configuration("Sms"), None, True),
        (configuration("Sms"), configuration("SMS"), False),
        (configuration("Sms"), configuration("Sms", include=["all_users", GROUPS[0]]), False),
        (configuration("Sms", include=[GROUPS[0]]), configuration("Sms", include=[GROUPS[0].upper()]), False),
        (configuration("Sms", include=GROUPS), configuration("Sms", include=GROUPS[:1]), True),
        (configuration("Sms"), configuration("Sms", exclude=GROUPS[:1]), True),
        (configuration("Sms", exclude=GROUPS), configuration("Sms", exclude=GROUPS[:1]), False),
        (authenticator("push"), authenticator("any"), False),
        (authenticator("push"), authenticator("deviceBasedPush"), True),
        (authenticator("push"), authenticator("push"), False),
        (authenticator("any"), authenticator("push"), True),
        (authenticator(None), authenticator("any"), False),
        (authenticator("any"), authenticator(None), False),
        (authenticator("push"), authenticator(None), False),
        (authenticator(None), authenticator("push"), True),
        (authenticator("any", isSoftwareOathEnabled=True), authenticator("any", isSoftwareOathEnabled=False), True),
        (authenticator("any", isSoftwareOathEnabled=False), authenticator("any", isSoftwareOathEnabled=True), False),
        (configuration("Voice", isOfficePhoneAllowed=True), configuration("Voice"), True),
        (configuration("Voice", isOfficePhoneAllowed=None), configuration("Voice"), False),
        (configuration("x", appId="1"), configuration("x", appId="2"), True),
        (configuration("x", openIdConnectSetting={"a": 1}), configuration("x", openIdConnectSetting={"a": 2}), True),
        (configuration("x", appId="1"), configuration("x", appId="1", displayName="y"), False),
        (keyed(keyRestrictions=OPEN_KEYS), keyed(keyRestrictions=BLOCK_ONE), True),
        (keyed(keyRestrictions=None), keyed(keyRestrictions=ALLOW_ONE), True),
        (keyed(keyRestrictions=BLOCK_ONE), keyed(keyRestrictions=OPEN_KEYS), False),
        (keyed(keyRestrictions=BLOCK_ONE), keyed(keyRestrictions=None), False),
        (keyed(keyRestrictions=BLOCK_ONE), keyed(keyRestrictions=ALLOW_ONE), True),
        (keyed(keyRestrictions=ALLOW_ONE), keyed(keyRestrictions=ALLOW_BOTH), False),
        (keyed(keyRestrictions=ALLOW_BOTH), keyed(keyRestrictions=ALLOW_ONE), True),
        (keyed(keyRestrictions=BLOCK_ONE), keyed(keyRestrictions=BLOCK_BOTH), True),
        (keyed(keyRestrictions=BLOCK_BOTH), keyed(keyRestrictions=BLOCK_ONE), False),
        (keyed(keyRestrictions=ALLOW_ONE), keyed(keyRestrictions={**ALLOW_ONE, "aaGuids": [MODELS[0].upper()]}), False),
        (keyed(keyRestrictions=BLOCK_ONE), keyed(keyRestrictions={**BLOCK_ONE, "aaGuids": [MODELS[0].upper()]}), False),
        (keyed(passkeyProfiles=[FIRST_PROFILE]), keyed(passkeyProfiles=[FIRST_PROFILE, SECOND_PROFILE]), False),
        (keyed(passkeyProfiles=[FIRST_PROFILE]), keyed(passkeyProfiles=[profile(0, "synced,deviceBound")]), False),
        (keyed(passkeyProfiles=[FIRST_PROFILE, SECOND_PROFILE]), keyed(passkeyProfiles=[FIRST_PROFILE]), True),
        (keyed(passkeyProfiles=[FIRST_PROFILE]), keyed(passkeyProfiles=None), True),
        (keyed(passkeyProfiles=[FIRST_PROFILE]), keyed(passkeyProfiles=[profile(0, "synced")]), True),
        (keyed(passkeyProfiles=[profile(0, "synced")]), keyed(passkeyProfiles=[FIRST_PROFILE]), False),
        (
            keyed(passkeyProfiles=[FIRST_PROFILE]),
            keyed(passkeyProfiles=[{**FIRST_PROFILE, "id": PROFILES[0].upper(), "keyRestrictions": ALLOW_ONE}]),
            True,
        ),
        # A profile that targets name already.
        (
            configuration("Fido2", include=USES_SECOND, passkeyProfiles=[FIRST_PROFILE]),
            configuration("Fido2", include=USES_SECOND, passkeyProfiles=[FIRST_PROFILE, SECOND_PROFILE]),
            True,
        ),
        (
            configuration("Fido2", include=USES_SECOND, passkeyProfiles=[SECOND_PROFILE]),
            configuration("Fido2", include=USES_SECOND, passkeyProfiles=[FIRST_PROFILE, SECOND_PROFILE]),
            False,
        ),
        (
            configuration("Fido2", include=USES_SECOND),
            configuration("Fido2", include=[{"id": "all_users", "allowedPasskeyProfiles": []}]),
            True,
        ),
        (
            configuration("Fido2", include=[{"id": "all_users", "allowedPasskeyProfiles": None}]),
            configuration("Fido2", include=[{"id": "all_users", "allowedPasskeyProfiles": []}]),
            False,
        ),
        (
            configuration("Email", allowExternalIdToUseEmailOtp="enabled"),
            configuration("Email", allowExternalIdToUseEmailOtp="disabled"),
            True,
        ),
        (
            configuration("Email", allowExternalIdToUseEmailOtp="disabled"),
            configuration("Email", allowExternalIdToUseEmailOtp="disabled"),
            False,
        ),
        (
            configuration("Email", allowExternalIdToUseEmailOtp="enabled"),
            configuration("Email", allowExternalIdToUseEmailOtp="default"),
            False,
        ),
    ],
)
def test_what_is_narrower(before: Any, after: Any, is_narrower: bool) -> None:
    other = configuration("HardwareOath")
    earlier = {"authenticationMethodConfigurations": [other, before]}
    later = {"authenticationMethodConfigurations": [after, other] if after else [other]}
    assert narrowed(earlier, later) == ([before["id"]] if is_narrower else [])


def test_what_cannot_be_compared_is_unexpected() -> None:
    good = {"authenticationMethodConfigurations": [configuration("Sms")]}
    with pytest.raises(UnexpectedShape):
        narrowed({"authenticationMethodConfigurations": [configuration("Sms", isOfficePhoneAllowed="no")]}, good)
    with pytest.raises(UnexpectedShape):
        Methods({"authenticationMethodConfigurations": [configuration("Sms", isOfficePhoneAllowed="no")]})


# Who can use what

EVERY_METHOD = (
    "fido2SecurityKey",
    "passKeyDeviceBound",
    "passKeyDeviceBoundAuthenticator",
    "passKeyDeviceBoundWindowsHello",
    "passKeySynced",
    "microsoftAuthenticatorPush",
    "microsoftAuthenticatorPasswordless",
    AUTHENTICATOR_APP,
    "softwareOneTimePasscode",
    "hardwareOneTimePasscode",
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    TEMPORARY,
    "qrCode",
    "externalAuthMethod",
)
ALL_PASSKEYS, AUTHENTICATOR_METHODS = {*EVERY_METHOD[:5]}, EVERY_METHOD[5:8]


@pytest.mark.parametrize(
    ("on", "usable"),
    [
        (configuration("Fido2"), ALL_PASSKEYS),
        (authenticator("any"), {*AUTHENTICATOR_METHODS}),
        (authenticator(None), {*AUTHENTICATOR_METHODS}),
        (authenticator("push"), {"microsoftAuthenticatorPush", AUTHENTICATOR_APP}),
        (
            authenticator("push", isSoftwareOathEnabled=True),
            {"microsoftAuthenticatorPush", AUTHENTICATOR_APP},
        ),
        (authenticator("push", state="disabled", isSoftwareOathEnabled=True), set()),
        (configuration("SoftwareOath"), {"softwareOneTimePasscode"}),
        (configuration("HardwareOath"), {"hardwareOneTimePasscode"}),
        (configuration("Sms"), {"mobilePhone"}),
        (configuration("Voice"), {"mobilePhone", "alternateMobilePhone"}),
        (configuration("Voice", isOfficePhoneAllowed=True), {"mobilePhone", "alternateMobilePhone", "officePhone"}),
        (configuration("TemporaryAccessPass"), {TEMPORARY}),
        (configuration("QRCodePin"), {"qrCode"}),
        (configuration("own", **{"@odata.type": EXTERNAL_TYPE}), {"externalAuthMethod"}),
        (configuration("own"), set()),
    ],
)
def test_what_each_configuration_lets_people_use(on: Any, usable: set[str]) -> None:
    methods = Methods(policy(on, *([] if on["id"] == "QRCodePin" else [configuration("QRCodePin", "disabled")])))
    somebody = person(*EVERY_METHOD)
    assert {method for method in EVERY_METHOD if methods.allows(somebody, method)} == usable
    untold = {"softwareOneTimePasscode"} if on.get("isSoftwareOathEnabled") and on["state"] == "enabled" else set()
    assert {methods.allows(somebody, method) for method in {*EVERY_METHOD} - usable - untold} <= {False}
    assert {methods.allows(somebody, method) for method in untold} <= {None}
    assert methods.allows(somebody, "windowsHelloForBusiness") is True
    assert methods.allows(somebody, "macOsSecureEnclaveKey") is True
    assert {methods.allows(somebody, method) for method in NOT_FOR_MFA - {"qrCode"}} == {False}
    assert methods.allows(somebody, "oneTimePasscode") is None


@pytest.mark.parametrize(
    ("mode", "state", "usable"),
    [
        ("deviceBasedPush", "enabled", (False, True, None)),
        ("deviceBasedPush", "disabled", (False, False, False)),
        ("push", "enabled", (True, False, True)),
        ("push", "disabled", (False, False, False)),
        ("any", "enabled", (True, True, True)),
    ],
)
def test_for_what_an_authenticator_is_set_up_its_list_does_not_tell(
    mode: str, state: str, usable: tuple[bool | None, ...]
) -> None:
    methods = Methods(policy(authenticator(mode, state=state)))
    assert tuple(methods.allows(person(), method) for method in AUTHENTICATOR_METHODS) == usable


@pytest.mark.parametrize(
    ("mode", "groups", "complete", "usable"),
    [
        ("deviceBasedPush", [], True, False),
        ("deviceBasedPush", GROUPS, True, None),
        ("deviceBasedPush", [], False, None),
        ("push", [], False, None),
        ("push", [], True, False),
        ("push", GROUPS, True, True),
    ],
)
def test_an_authenticator_of_a_group(mode: str, groups: Any, complete: bool, usable: bool | None) -> None:
    some = configuration("MicrosoftAuthenticator", include=[{"id": GROUPS[0], "authenticationMode": mode}])
    assert Methods(policy(some)).allows(person(groups=groups, complete=complete), AUTHENTICATOR_APP) is usable


@pytest.mark.parametrize("before", ["deviceBasedPush", "any"])
@pytest.mark.parametrize(
    ("registered", "lost"),
    [
        ([AUTHENTICATOR_APP], {"deviceBasedPush": None, "any": True}),
        ([AUTHENTICATOR_APP, "microsoftAuthenticatorPasswordless"], {"deviceBasedPush": True, "any": True}),
        ([AUTHENTICATOR_APP, "windowsHelloForBusiness"], {"deviceBasedPush": False, "any": False}),
    ],
)
def test_an_authenticator_that_may_be_the_only_way_in(before: str, registered: list[str], lost: Any) -> None:
    off = authenticator(before, state="disabled")
    assert verdict(policy(authenticator(before)), policy(off), person(*registered)) is lost[before]


@pytest.mark.parametrize(("registered", "lost"), [([AUTHENTICATOR_APP], None), ([REGISTERED[3]], False)])
def test_an_authenticator_that_may_go_on_without_password(registered: list[str], lost: bool | None) -> None:
    before, after = (policy(authenticator(mode)) for mode in ("any", "deviceBasedPush"))
    assert verdict(before, after, person(*registered)) is lost


@pytest.mark.parametrize(
    ("registered", "lost"),
    [
        (["oneTimePasscode"], None),
        (["oneTimePasscode", "mobilePhone"], None),
        (["oneTimePasscode", "email"], None),
        (["oneTimePasscode", "windowsHelloForBusiness"], False),
        (["email"], False),
    ],
)
def test_a_method_that_nobody_knows_may_be_lost_and_may_be_left(registered: list[str], lost: bool | None) -> None:
    assert verdict(SMS, SMS_OFF, person(*registered)) is lost
    legacy = loses_the_only_way_in(
        Methods(SMS_OFF), Methods(SMS_OFF), person(*registered), ["mobilePhone"], legacy=True
    )
    assert legacy is lost


def test_whoever_loses_a_qr_code_may_have_a_method_left_that_nobody_knows() -> None:
    assert verdict(policy(configuration("QRCodePin")), policy(), person("qrCode", "oneTimePasscode")) is None


def test_what_a_change_concerns() -> None:
    changed = ["mobilePhone", "qrCode", "officePhone"]
    registered = {"mobilePhone", "qrCode", "fido2SecurityKey", "windowsHelloForBusiness", "fido", *NOT_FOR_MFA}
    assert concerned(frozenset(registered), changed) == {"mobilePhone", "qrCode", "fido"}
    assert concerned(frozenset({*EVERY_METHOD, *NOT_FOR_MFA}), []) == frozenset()


@pytest.mark.parametrize("method", [one for one in EVERY_METHOD if one != "externalAuthMethod"])
def test_what_graph_does_not_show_is_not_known(method: str) -> None:
    assert Methods({"authenticationMethodConfigurations": []}).allows(person(method), method) is None


@pytest.mark.parametrize(
    ("include", "exclude", "groups", "complete", "usable"),
    [
        ([], [], [], True, False),
        (["1"], [], [], True, True),
        (["2"], [], [], True, False),
        (["ALL_USERS"], [], [], True, True),
        (GROUPS[:1], [], GROUPS, True, True),
        (GROUPS[:1], [], [], False, None),
        (["all_users"], GROUPS[:1], [], False, None),
        (["all_users"], GROUPS[:1], GROUPS, True, False),
        (["all_users"], ["1"], [], True, False),
        (GROUPS[:1], GROUPS[1:], [], False, None),
        (["2"], GROUPS[1:], [], False, None),
    ],
)
def test_whom_a_configuration_is_for(
    include: Any, exclude: Any, groups: Any, complete: bool, usable: bool | None
) -> None:
    somebody = person("mobilePhone", groups=groups, complete=complete)
    for name, method in (("Sms", "mobilePhone"), ("Fido2", "fido2SecurityKey"), (PUSH["id"], REGISTERED[2])):
        methods = Methods(policy(configuration(name, include=include, exclude=exclude)))
        assert methods.allows(somebody, method) is usable


def test_the_groups_that_decide() -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    methods = Methods(
        policy(
            configuration("Sms", include=["all_users", GROUPS[0].upper()], exclude=[nobody]),
            configuration("Voice", include=[], exclude=[GROUPS[1]]),
            configuration("Email", "disabled", include=["aaaaaaaa-0000-4000-8000-00000000000f"]),
        )
    )
    assert methods.groups() == {*GROUPS}


@pytest.mark.parametrize(
    ("kinds", "keys", "passkeys", "bound", "synced"),
    [
        ("deviceBound,synced", None, None, True, True),
        ("synced, deviceBound", OPEN_KEYS, None, True, True),
        ("synced", None, None, False, True),
        ("deviceBound", None, None, True, False),
        ("deviceBound", ALLOW_ONE, None, None, False),
        ("synced", ALLOW_ONE, None, False, None),
        ("synced", None, (Passkey(MODELS[0], synced=None),), None, None),
        ("deviceBound,synced", None, (Passkey(MODELS[0], synced=None),), True, True),
        ("synced", None, (Passkey(MODELS[0], synced=False),), False, False),
        ("synced", ALLOW_ONE, (Passkey(MODELS[0].upper(), synced=True),), True, True),
        ("synced", ALLOW_ONE, (Passkey(MODELS[1], synced=True),), False, False),
        ("synced", ALLOW_ONE, (Passkey(None, synced=True),), None, None),
        ("synced", BLOCK_ONE, (Passkey(MODELS[1], synced=True), Passkey(MODELS[0], synced=True)), True, True),
        ("synced", BLOCK_ONE, (), False, False),
    ],
)
def test_which_passkeys_a_profile_lets_people_use(
    kinds: str, keys: Any, passkeys: Any, bound: bool | None, synced: bool | None
) -> None:
    rule = {"id": PROFILES[0].upper(), "passkeyTypes": kinds, "keyRestrictions": keys}
    by_profile = configuration("Fido2", include=[{"id": "1", "allowedPasskeyProfiles": [PROFILES[0]]}])
    methods = Methods(policy({**by_profile, "passkeyProfiles": [profile(1, "none"), rule]}))
    somebody = person(passkeys=passkeys)
    assert methods.allows(somebody, "passKeyDeviceBound") is bound
    assert methods.allows(somebody, "passKeySynced") is synced
    whole = Methods(policy(configuration("Fido2", passkeyTypes=kinds, keyRestrictions=keys)))
    assert whole.allows(somebody, "passKeySynced") is synced


def test_a_profile_that_is_not_shown_leaves_the_restrictions_for_all() -> None:
    unseen = [{"id": "all_users", "allowedPasskeyProfiles": ["unseen"]}]
    for keys, usable in ((OPEN_KEYS, True), (BLOCK_ONE, False)):
        methods = Methods(policy(configuration("Fido2", include=unseen, keyRestrictions=keys)))
        assert methods.allows(person(passkeys=KEY), "fido2SecurityKey") is usable


@pytest.mark.parametrize(
    ("states", "usable"),
    [([], False), (["enabled"] * 2, True), (["disabled"] * 2, False), (["enabled", "disabled"], None)],
)
def test_which_external_method_somebody_has_is_not_known(states: list[str], usable: bool | None) -> None:
    kind = {"@odata.type": EXTERNAL_TYPE}
    external = [configuration(f"own{place}", state, **kind) for place, state in enumerate(states)]
    assert Methods(policy(*external)).allows(person("externalAuthMethod"), "externalAuthMethod") is usable


@pytest.mark.parametrize(
    ("ids", "methods"),
    [
        (["FIDO2"], ALL_PASSKEYS),
        (["Sms", "Voice"], {"mobilePhone", "alternateMobilePhone", "officePhone"}),
        (["X509Certificate", "Email"], set()),
        (["something else"], {"externalAuthMethod"}),
        ([], set()),
    ],
)
def test_which_methods_a_configuration_decides_about(ids: list[str], methods: set[str]) -> None:
    assert governed(ids) == methods


def test_all_of_is_no_where_one_is_no() -> None:
    assert [all_of(one) for one in ([], [True], [True, None], [None, False], [True, False])] == [
        True,
        True,
        None,
        False,
        False,
    ]


# What is told, to the letter

UNFINISHED = {"policyMigrationState": "migrationInProgress"}
LEGACY_MAY = (
    " The legacy MFA settings may still allow the method, for the migration is not complete; Graph does not show them."
)


@pytest.mark.parametrize(("whole", "legacy"), [({"policyMigrationState": None}, ""), (UNFINISHED, LEGACY_MAY)])
def test_who_is_locked_out_is_told(whole: dict[str, Any], legacy: str) -> None:
    assert lockout_obstacles([], [], whole) == []
    assert lockout_obstacles(["zoe", "ann"], ["bob"], whole) == [
        Obstacle(
            "2 people lose the only way to sign in with more than a password: 'ann', 'zoe'. Have them register another "
            f"method that is enabled for them.{legacy}",
            ONLY_WAY_IN,
        ),
        Obstacle(
            f"Whether 1 person loses the only way to sign in with more than a password cannot be told: 'bob'.{legacy}",
            UNKNOWN_WAYS_IN,
        ),
    ]
    assert lockout_obstacles(["ann"], ["zoe", "bob"], whole) == [
        Obstacle(
            "1 person loses the only way to sign in with more than a password: 'ann'. Have them register another "
            f"method that is enabled for them.{legacy}",
            ONLY_WAY_IN,
        ),
        Obstacle(
            "Whether 2 people lose the only way to sign in with more than a password cannot be told: 'bob', 'zoe'."
            f"{legacy}",
            UNKNOWN_WAYS_IN,
        ),
    ]


def test_what_could_not_be_read_is_told() -> None:
    assert unreadable_obstacle("No.") == Obstacle(
        "Who loses the only way to sign in could not be read: No.", UNKNOWN_WAYS_IN
    )


def test_what_security_defaults_leave_people_to_register_is_told() -> None:
    some, none = policy(configuration("SoftwareOath", include=[GROUPS[0]])), policy(configuration("Sms"))
    codes = ["SoftwareOath"]
    assert registration_obstacles(known(True), codes, some) == [
        Obstacle(
            "Security defaults are on, and fewer people could register Microsoft Authenticator or software OATH "
            "tokens, which are all that people can register then.",
            LIMITED_REGISTRATION_METHODS,
        )
    ]
    assert registration_obstacles(known(True), codes, none) == [
        Obstacle(
            "Security defaults are on, and neither notifications of Microsoft Authenticator nor software OATH "
            "tokens would be enabled: whoever has to register could not, administrators included."
        )
    ]
    assert registration_obstacles(unknown("No."), codes, none) == [
        Obstacle(
            "Whether security defaults are on could not be read. While they are, people can register Microsoft "
            "Authenticator and software OATH tokens only: No.",
            LIMITED_REGISTRATION_METHODS,
        )
    ]


def test_a_refusal_names_the_risks_that_may_be_accepted() -> None:
    assert refusal([Obstacle("One.", "a_risk"), Obstacle("Two.")]) == (
        "The authentication methods policy was not changed. One. To go on all the same, add 'a_risk' to accept_risks. "
        "Two."
    )


@pytest.mark.parametrize(
    ("changed", "about"),
    [
        (["SOFTWAREOATH"], True),
        (["microsoftAuthenticator"], True),
        (["SMS", "Fido2"], True),
        (["voice"], True),
        (["Email", "Fido2"], False),
        ([], False),
    ],
)
def test_which_changes_are_about_registration(changed: list[str], about: bool) -> None:
    assert is_about_registration(changed) is about


@pytest.mark.parametrize(
    ("before", "after", "obstacles"),
    [
        (configuration("X509Certificate"), configuration("X509Certificate", "disabled"), [CERTIFICATES]),
        (
            configuration("Email", allowExternalIdToUseEmailOtp="disabled"),
            configuration("Email", allowExternalIdToUseEmailOtp="disabled"),
            [],
        ),
        (
            configuration("Email", allowExternalIdToUseEmailOtp="default"),
            configuration("Email", allowExternalIdToUseEmailOtp="disabled"),
            [EMAILED_CODES],
        ),
        (
            configuration("Email"),
            configuration("Email", allowExternalIdToUseEmailOtp="disabled"),
            [EMAILED_CODES],
        ),
        (configuration("Sms", appId="1"), configuration("Sms", appId="2"), []),
        (configuration("own", appId="1"), configuration("own", appId="2"), [EXTERNAL_PROVIDER]),
        (
            configuration("own", openIdConnectSetting={"a": 1}),
            configuration("own", openIdConnectSetting=None),
            [EXTERNAL_PROVIDER],
        ),
        (configuration("own", appId="1"), configuration("own", appId="1", displayName="x"), []),
        (configuration("own", appId="1"), configuration("another", appId="1"), []),
    ],
)
def test_what_graph_does_not_show_of_a_change_is_told(before: Any, after: Any, obstacles: Any) -> None:
    assert invisible_obstacles(policy(before), policy(after), [before["id"].upper()]) == obstacles


# What people have registered


@pytest.mark.parametrize(
    ("kind", "more", "methods"),
    [
        ("microsoftAuthenticator", {}, {AUTHENTICATOR_APP}),
        ("passwordlessMicrosoftAuthenticator", {}, {"microsoftAuthenticatorPasswordless"}),
        ("softwareOath", {}, {"softwareOneTimePasscode"}),
        ("hardwareOath", {}, {"hardwareOneTimePasscode"}),
        ("hardwareOath", {"device": {"status": "activated"}}, {"hardwareOneTimePasscode"}),
        ("hardwareOath", {"device": {"status": None}}, {"hardwareOneTimePasscode"}),
        ("hardwareOath", {"device": {"status": "assigned"}}, set()),
        ("windowsHelloForBusiness", {}, {"windowsHelloForBusiness"}),
        ("platformCredential", {}, {"macOsSecureEnclaveKey"}),
        ("external", {}, {"externalAuthMethod"}),
        ("qrCodePin", {}, {"qrCode"}),
        ("password", {}, {"password"}),
        ("email", {}, {"email"}),
        ("resourceAccountKey", {}, {"resourceAccountKey"}),
        ("phone", {"phoneType": "mobile"}, {"mobilePhone"}),
        ("phone", {"phoneType": "alternateMobile"}, {"alternateMobilePhone"}),
        ("phone", {"phoneType": "office"}, {"officePhone"}),
        ("phone", {"phoneType": "later"}, {"later"}),
        ("temporaryAccessPass", {}, {TEMPORARY}),
        ("temporaryAccessPass", {"isUsable": None}, {TEMPORARY}),
        ("temporaryAccessPass", {"isUsable": True}, {TEMPORARY}),
        ("temporaryAccessPass", {"isUsable": False}, set()),
    ],
)
def test_each_registered_method(kind: str, more: dict[str, Any], methods: set[str]) -> None:
    item = {"@odata.type": f"#microsoft.graph.{kind}AuthenticationMethod", **more}
    found, passkeys = from_methods([item])
    assert (set(found), passkeys) == (methods, ())
    mobile = {"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "phoneType": "mobile"}
    assert from_methods([item, mobile])[0] == methods | {"mobilePhone"}, "whatever stands before it"


@pytest.mark.parametrize(
    ("shown", "passkey"),
    [
        ({"aaGuid": MODELS[0], "passkeyType": "synced"}, Passkey(MODELS[0], synced=True)),
        ({"aaGuid": MODELS[0], "passkeyType": "deviceBound"}, Passkey(MODELS[0], synced=False)),
        ({"aaGuid": "", "passkeyType": "later"}, Passkey(None, synced=None)),
        ({"aaGuid": 5, "passkeyType": ["synced"]}, Passkey(None, synced=None)),
        ({}, Passkey(None, synced=None)),
    ],
)
def test_a_passkey_as_graph_shows_one(shown: dict[str, Any], passkey: Passkey) -> None:
    assert passkey_of(shown) == passkey


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"id": "1", "userPrincipalName": "ann", "methodsRegistered": None}, "'methodsRegistered' is no list"),
        ({"id": 1, "userPrincipalName": "ann", "methodsRegistered": []}, "'id' is no string"),
        ({"id": "1", "methodsRegistered": []}, "'userPrincipalName' is missing"),
    ],
)
def test_a_report_of_another_shape_is_unexpected(item: dict[str, Any], words: str) -> None:
    with pytest.raises(UnexpectedShape, match=words):
        from_registration_details(item)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({}, "'@odata.type' is missing"),
        ({"@odata.type": "#microsoft.graph.phoneAuthenticationMethod"}, "'phoneType' is missing"),
        (
            {"@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod", "isUsable": "no"},
            "'isUsable' is no boolean",
        ),
    ],
)
def test_a_method_of_another_shape_is_unexpected(item: dict[str, Any], words: str) -> None:
    with pytest.raises(UnexpectedShape, match=words):
        from_methods([item])


@pytest.mark.parametrize("on", [True, False])
def test_whether_security_defaults_are_on(on: bool) -> None:
    assert is_on({"isEnabled": on}) is on
    with pytest.raises(UnexpectedShape, match="'isEnabled' is missing"):
        is_on({})
