# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.conditional_access_reach import Memberships
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape, known, unknown
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.second_factors import (
    ATTESTED,
    CERTIFICATE,
    HARDWARE_OATH_TOKEN,
    NONE,
    PASSKEY,
    PREPARED,
    REGISTERED,
    TOTP_TOKEN,
    UNKNOWN,
    Grade,
    end_of_pass,
    grade,
    has_certificate_ids,
    is_enabled_for,
    meant,
    registered_methods,
    registered_passkeys,
    used,
)

USER = "11111111-0000-4000-8000-000000000001"


def method(kind: str, **more: Any) -> dict[str, Any]:
    return {"@odata.type": f"#microsoft.graph.{kind}AuthenticationMethod", **more}


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ([], set()),
        ([method("password"), method("email"), method("qrCodePin")], set()),
        ([method("password"), method("fido2")], {"passkey"}),
        ([method("hardwareOath"), method("softwareOath")], {"hardware_oath_token", "totp_token"}),
        ([method("hardwareOath", device={"status": "activated"})], {"hardware_oath_token"}),
        ([method("hardwareOath", device={"status": None})], {"hardware_oath_token"}),
        ([method("hardwareOath", device={"status": "assigned"}), method("fido2")], {"passkey"}),
        ([method("fido2", device={"status": "assigned"})], {"passkey"}),
        ([method("temporaryAccessPass", isUsable=True)], {"temporary_access_pass"}),
        ([method("temporaryAccessPass", isUsable=False), method("temporaryAccessPass")], set()),
        ([method("phone", isUsable=False), method("microsoftAuthenticator")], {"phone", "microsoftAuthenticator"}),
    ],
)
def test_what_a_user_has_besides_a_password(methods: list[Any], expected: set[str]) -> None:
    assert registered_methods(methods) == expected


def test_passkeys_are_kept_as_graph_shows_them() -> None:
    passkeys = [method("fido2", aaGuid="1"), method("fido2", aaGuid="2", passkeyType="synced")]
    others = [method("password"), method("softwareOath"), method("temporaryAccessPass", isUsable=True)]
    assert registered_passkeys([*others, *passkeys, *others]) == passkeys
    with pytest.raises(UnexpectedShape, match=r"@odata\.type"):
        registered_passkeys([{"id": "1"}])


PASS = method("temporaryAccessPass", isUsable=True, startDateTime="2026-11-23T12:00:00Z", lifetimeInMinutes=60)


@pytest.mark.parametrize(
    ("methods", "end"),
    [
        ([method("password"), PASS], "2026-11-23T13:00:00Z"),
        ([{**PASS, "isUsable": False}], None),
        ([{**PASS, "lifetimeInMinutes": None}], None),
        ([method("fido2", startDateTime="2026-11-23T12:00:00Z", lifetimeInMinutes=60)], None),
        ([], None),
    ],
)
def test_when_a_pass_ends(methods: list[Any], end: str | None) -> None:
    assert end_of_pass(methods) == end


CODES = {"hardware_oath_token", "totp_token", "microsoftAuthenticator"}


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("Passkey (device-bound)", {"passkey"}),
        ("Passkey (Microsoft Authenticator)", {"passkey"}),
        ("FIDO2 security key", {"passkey"}),
        ("Temporary Access Pass", {"temporary_access_pass"}),
        ("OATH hardware token", {"hardware_oath_token"}),
        ("OATH verification code", CODES),
        ("X.509 Certificate", {"certificate"}),
        ("X.509 Certificate (Multifactor)", {"certificate"}),
        ("hardware_oath_token", {"hardware_oath_token"}),
        ("totp_token", {"totp_token"}),
        ("certificate", {"certificate"}),
        ("Password", set()),
        ("Previously satisfied", set()),
        ("A new passkey of tomorrow", set()),
    ],
)
def test_what_a_method_of_the_log_may_stand_for(name: str, factors: set[str]) -> None:
    assert meant([name]) == factors
    assert meant([name, "Password", "Temporary Access Pass"]) == factors | {"temporary_access_pass"}


@pytest.mark.parametrize(
    ("names", "owned", "factors"),
    [
        (["Password", "Passkey (synced)"], {"passkey"}, {"passkey"}),
        (["Passkey (synced)"], {"certificate"}, set()),
        (["OATH verification code"], {"totp_token", "passkey"}, {"totp_token"}),
        (["OATH verification code"], {"totp_token", "hardware_oath_token"}, set()),
        (["OATH verification code", "X.509 Certificate"], {*CODES, "certificate"}, {"certificate"}),
        ([], CODES, set()),
    ],
)
def test_a_name_that_may_stand_for_two_factors_tells_of_none(
    names: list[str], owned: set[str], factors: set[str]
) -> None:
    assert used(names, owned) == factors


def test_a_method_without_a_type_is_not_judged() -> None:
    with pytest.raises(UnexpectedShape, match=r"@odata\.type"):
        registered_methods([{"id": "1"}])


@pytest.mark.parametrize(
    ("information", "expected"),
    [(None, False), ({"certificateUserIds": []}, False), ({"certificateUserIds": ["X509:<SKI>1"]}, True)],
)
def test_whether_certificates_are_bound(information: Any, expected: bool) -> None:
    assert has_certificate_ids({"authorizationInfo": information}) is expected


def test_whether_certificates_are_bound_is_never_guessed() -> None:
    with pytest.raises(UnexpectedShape, match="'authorizationInfo' is missing"):
        has_certificate_ids({})
    broken: list[Any] = [{}, {"certificateUserIds": None}, {"certificateUserIds": "X509:<SKI>1"}, "X509:<SKI>1", []]
    for information in broken:
        with pytest.raises(UnexpectedShape, match="'certificateUserIds' is no list"):
            has_certificate_ids({"authorizationInfo": information})


@pytest.mark.parametrize(
    ("expected", "attested", "methods", "certificate", "judged"),
    [
        (None, [], {"passkey"}, False, Grade(REGISTERED, frozenset({PASSKEY}), "Registered: passkey.")),
        (
            None,
            [CERTIFICATE],
            {"hardware_oath_token"},
            True,
            Grade(
                REGISTERED,
                frozenset({CERTIFICATE, HARDWARE_OATH_TOKEN}),
                "Registered: hardware OATH token.",
            ),
        ),
        (
            None,
            [TOTP_TOKEN],
            {"totp_token"},
            True,
            Grade(
                PREPARED,
                frozenset({CERTIFICATE, TOTP_TOKEN}),
                "Prepared: certificate. That it works is proven by a drill only.",
            ),
        ),
        (
            None,
            [TOTP_TOKEN],
            {"phone"},
            False,
            Grade(
                NONE,
                frozenset(),
                "It has no passkey and no other second factor. Registered, but not counted: phone. A TOTP token is "
                "vouched for, but Graph shows none: enrol it.",
            ),
        ),
        (
            TOTP_TOKEN,
            [TOTP_TOKEN],
            set(),
            False,
            Grade(
                NONE,
                frozenset(),
                "It has no TOTP token. A TOTP token is vouched for, but Graph shows none: enrol it.",
            ),
        ),
        (PASSKEY, [TOTP_TOKEN], set(), False, Grade(NONE, frozenset(), "It has no passkey.")),
        (
            None,
            [CERTIFICATE, HARDWARE_OATH_TOKEN, TOTP_TOKEN],
            set(),
            False,
            Grade(
                ATTESTED,
                frozenset({CERTIFICATE, HARDWARE_OATH_TOKEN}),
                "By the operator's word, for Graph does not show it or not whose it is: certificate, hardware OATH "
                "token.",
            ),
        ),
        (
            PASSKEY,
            [TOTP_TOKEN],
            {"totp_token"},
            True,
            Grade(NONE, frozenset(), "It has no passkey. Registered, but not counted: TOTP token."),
        ),
        (
            None,
            [TOTP_TOKEN],
            {"totp_token"},
            False,
            Grade(
                ATTESTED,
                frozenset({TOTP_TOKEN}),
                "By the operator's word, for Graph does not show it or not whose it is: TOTP token.",
            ),
        ),
        (None, [], set(), False, Grade(NONE, frozenset(), "It has no passkey and no other second factor.")),
    ],
)
def test_how_good_the_evidence_is(
    expected: str | None, attested: list[str], methods: set[str], certificate: bool, judged: Grade
) -> None:
    assert grade(expected, attested, known(frozenset(methods)), known(certificate)) == judged


def test_what_cannot_be_read_is_unknown_and_says_why() -> None:
    judged = grade(None, [], unknown("Could not list them."), known(value=False))
    sentence = "Whether it has a second factor could not be read: Could not list them."
    assert judged == Grade(UNKNOWN, frozenset(), sentence)


@pytest.mark.parametrize("expected", [None, TOTP_TOKEN])
def test_a_token_that_may_be_enrolled_or_not_is_unknown(expected: str | None) -> None:
    judged = grade(expected, [TOTP_TOKEN], unknown("Could not list them."), known(value=False))
    sentence = "Whether it has a second factor could not be read: Could not list them."
    assert judged == Grade(UNKNOWN, frozenset(), sentence)
    assert grade(None, [TOTP_TOKEN, CERTIFICATE], unknown("No."), unknown("No.")).factors == {CERTIFICATE}


def test_whether_there_is_a_certificate_is_known_without_the_methods() -> None:
    judged = grade(CERTIFICATE, [], unknown("Could not list them."), known(value=False))
    assert (judged.name, judged.sentence) == (NONE, "It has no certificate.")


@pytest.mark.parametrize(
    ("included", "excluded", "expected"),
    [([USER], [], True), ([USER.upper()], [], True), ([USER], [USER], False), ([], [], False), ([], [USER], False)],
)
def test_a_configuration_may_name_the_user(included: list[str], excluded: list[str], expected: bool) -> None:
    configuration = {
        "state": "enabled",
        "includeTargets": [{"id": target} for target in included],
        "excludeTargets": [{"id": target} for target in excluded],
    }
    assert is_enabled_for(configuration, USER, Memberships(frozenset())) is expected
    assert is_enabled_for({**configuration, "state": "disabled"}, USER, Memberships(frozenset())) is False
