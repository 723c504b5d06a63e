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
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape, known, unknown
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.method_dependence import (
    ALLOWED_BY_LEGACY_SETTINGS,
    CERTIFICATES,
    EMAILED_CODES,
    EXTERNAL_PROVIDER,
    EXTERNAL_TYPE,
    ONLY_WAY_IN,
    TEMPORARY,
    UNKNOWN_WAYS_IN,
    Methods,
    Passkey,
    Person,
    from_methods,
    from_registration_details,
    governed,
    invisible_obstacles,
    is_about_registration,
    lockout_obstacles,
    loses_the_only_way_in,
    narrowed,
    refusal,
    registration_obstacles,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.security_defaults import (
    LIMITED_REGISTRATION_METHODS,
)

GROUPS = ("11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002")
PROFILES = ("aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002")
MODELS = ("de1e552d-db1d-4423-a619-566b625cdc84", "90a3ccdf-635c-4729-a248-9b709135078f")
IDS = ("Fido2", "MicrosoftAuthenticator", "Sms", "Voice", "SoftwareOath", "HardwareOath", "TemporaryAccessPass")
REGISTERED = (
    "fido2SecurityKey",
    "passKeySynced",
    "microsoftAuthenticatorPush",
    "microsoftAuthenticatorPasswordless",
    "softwareOneTimePasscode",
    "hardwareOneTimePasscode",
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "windowsHelloForBusiness",
    "externalAuthMethod",
    "email",
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
            True,
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


def test_guests_who_sign_in_with_a_code_by_email() -> None:
    open_to_guests, closed = (
        policy(configuration("Email", allowExternalIdToUseEmailOtp=on)) for on in ("default", "disabled")
    )
    assert invisible_obstacles(open_to_guests, closed, narrowed(open_to_guests, closed)) == [EMAILED_CODES]
    assert narrowed(closed, open_to_guests) == []
    off = policy(configuration("Email", "disabled", allowExternalIdToUseEmailOtp="default"))
    assert invisible_obstacles(open_to_guests, off, narrowed(open_to_guests, off)) == []


# Security defaults


def test_security_defaults_need_methods_to_register() -> None:
    assert is_about_registration(["softwareoath"])
    assert not is_about_registration(["Sms"])
    some = policy(configuration("SoftwareOath", include=[GROUPS[0]]))
    assert registration_obstacles(known(False), policy()) == []
    (limited,) = registration_obstacles(known(True), some)
    assert limited.risk == LIMITED_REGISTRATION_METHODS
    (nobody,) = registration_obstacles(known(True), policy(configuration("SoftwareOath", "disabled")))
    assert nobody.risk is None
    (unread,) = registration_obstacles(unknown("It was refused."), policy(PUSH))
    assert unread.risk == LIMITED_REGISTRATION_METHODS
    assert "It was refused." in refusal([unread])


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
    assert methods == {"officePhone", "microsoftAuthenticatorPush", "fido2SecurityKey"}
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
    if lost and not perhaps_left:
        assert verdict(before, after, somebody) is True


@given(policies, policies, people)
def test_safe_is_who_keeps_a_way_or_loses_none(before: Any, after: Any, somebody: Person) -> None:
    if verdict(before, after, somebody) is False:
        kept = ways(Methods(after), somebody, (True,)) - {TEMPORARY}
        lost = ways(Methods(before), somebody, (True,)) - ways(Methods(after), somebody, (True,))
        assert kept or not lost


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
