# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passkeys that an application registers for a user, beside scenario 39."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    GLOBAL_ADMINISTRATOR,
    NOBODY,
    REGISTRATIONS,
    USERS,
    add_to_unit,
    advance,
    configure,
    give_role,
    keys_of,
    new_unit,
    new_user,
    refused,
    register_passkey,
    user_named,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Client
from ansible_collections.zerotrust.m365.tests.unit.simulator.software_authenticator import (
    BACKUP_ELIGIBLE,
    USER_PRESENT,
    USER_VERIFIED,
    SoftwareAuthenticator,
    encode,
)

MODEL = uuid.UUID("de1e552d-db1d-4423-a619-566b625cdc84")


@pytest.fixture
def person(business: Client) -> str:
    return str(new_user(business).body["id"])


def restrict(client: Client, enforcement: str, *models: uuid.UUID) -> None:
    restrictions = {
        "isEnforced": True,
        "enforcementType": enforcement,
        "aaGuids": [str(model) for model in models],
    }
    assert configure(client, "Fido2", keyRestrictions=restrictions).status == 204


def test_a_passkey_is_registered_shown_and_deleted(business: Client, person: str) -> None:
    key = SoftwareAuthenticator("certificate", aaguid=MODEL.bytes)
    made = register_passkey(business, person, key, displayName="Safe one")
    assert made.status == 201
    assert (made.body["id"], made.body["aaGuid"]) == (encode(key.credential_id), str(MODEL))
    assert (made.body["displayName"], made.body["attestationLevel"]) == ("Safe one", "attested")
    assert made.body["passkeyType"] == "deviceBound"
    (listed,) = business.get(keys_of(person)).value
    assert listed == {name: value for name, value in made.body.items() if name != "@odata.context"}
    assert business.get(f"{keys_of(person)}/{listed['id']}").status == 200
    assert listed["id"] in [item["id"] for item in business.get(f"{USERS}/{person}/authentication/methods").value]
    report = business.get(f"{REGISTRATIONS}/{person}").body
    assert (report["methodsRegistered"], report["isMfaRegistered"]) == (["passKeyDeviceBound"], True)

    refused(business.call("DELETE", f"{keys_of(person)}/{NOBODY}"), 404, "resourceNotFound")
    assert business.call("DELETE", f"{keys_of(person)}/{listed['id']}").status == 204
    assert business.get(keys_of(person)).value == []
    assert business.get(f"{REGISTRATIONS}/{person}").body["isMfaRegistered"] is False


def test_a_registered_passkey_lets_an_administrator_in(business: Client, person: str) -> None:
    attempt = {"user_id": person, "application": "MicrosoftAdminPortals", "methods": ["passKeyDeviceBound"]}
    give_role(business, person, GLOBAL_ADMINISTRATOR)
    assert business.admin("POST", "/sign_in", attempt).body["sign_in"] == "no"
    assert register_passkey(business, person, SoftwareAuthenticator()).status == 201
    assert business.admin("POST", "/sign_in", attempt).body["sign_in"] == "yes_after_mfa"


def test_registering_makes_enabled_enforced(business: Client, person: str) -> None:
    path = f"/beta/users/{person}/authentication/requirements"
    business.call("PATCH", path, {"perUserMfaState": "enabled"})
    assert register_passkey(business, person, SoftwareAuthenticator()).status == 201
    assert business.get(path).body["perUserMfaState"] == "enforced"


MISTAKES: dict[str, Callable[[], SoftwareAuthenticator]] = {
    "the origin": lambda: SoftwareAuthenticator(origin="https://login.microsoft.com.example.org"),
    "the type of the client data": lambda: SoftwareAuthenticator(client_data_type="webauthn.get"),
    "the verification of the user": lambda: SoftwareAuthenticator(flags=USER_PRESENT),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_wrong_registration_is_refused(business: Client, person: str, what: str) -> None:
    answer = register_passkey(business, person, MISTAKES[what]())
    assert what in refused(answer, 400, "BadRequest")
    assert business.get(keys_of(person)).value == []


def _other_challenge(options: dict[str, Any]) -> None:
    options["challenge"] = encode(bytes(40))


def _other_party(options: dict[str, Any]) -> None:
    options["rp"]["id"] = "login.example.org"


@pytest.mark.parametrize(("change", "what"), [(_other_challenge, "the challenge"), (_other_party, "the relying party")])
def test_what_was_not_asked_for_is_refused(
    business: Client, person: str, change: Callable[[dict[str, Any]], None], what: str
) -> None:
    options = copy.deepcopy(business.get(f"{keys_of(person)}/creationOptions").body["publicKey"])
    change(options)
    body = {"displayName": "x", "publicKeyCredential": SoftwareAuthenticator().create(options)}
    assert what in refused(business.call("POST", keys_of(person), body), 400, "BadRequest")


def test_a_signature_of_another_registration_is_refused(business: Client, person: str) -> None:
    options = business.get(f"{keys_of(person)}/creationOptions").body["publicKey"]
    key = SoftwareAuthenticator("self")
    first = key.create(options)
    key.attestation = "certificate"
    mixed = key.create({**options, "challenge": encode(b"another")})
    mixed["response"]["clientDataJSON"] = first["response"]["clientDataJSON"]
    answer = business.call("POST", keys_of(person), {"displayName": "x", "publicKeyCredential": mixed})
    assert "the attestation" in refused(answer, 400, "BadRequest")
    good = business.call("POST", keys_of(person), {"displayName": "x", "publicKeyCredential": first})
    assert good.status == 201


def test_a_challenge_is_for_one_user(business: Client, person: str) -> None:
    other = user_named(business, "Daan Mulder")
    options = business.get(f"{keys_of(other)}/creationOptions").body["publicKey"]
    body = {"displayName": "x", "publicKeyCredential": SoftwareAuthenticator().create(options)}
    assert "the challenge" in refused(business.call("POST", keys_of(person), body), 400, "BadRequest")


@pytest.mark.parametrize(
    "credential",
    [
        None,
        {},
        {"id": "x", "response": {}},
        {"id": "x", "response": {"clientDataJSON": "e30", "attestationObject": "oA"}},
        {"id": "x", "response": {"clientDataJSON": "!", "attestationObject": "!"}},
        {"id": 1, "response": {"clientDataJSON": 1, "attestationObject": 1}},
    ],
)
def test_what_is_no_registration_is_refused(business: Client, person: str, credential: Any) -> None:
    body = {"displayName": "x", "publicKeyCredential": credential}
    assert "cannot be read" in refused(business.call("POST", keys_of(person), body), 400, "BadRequest")


@pytest.mark.parametrize("name", ["", "x" * 31, 3, None])
def test_a_passkey_has_a_short_name(business: Client, person: str, name: Any) -> None:
    refused(register_passkey(business, person, SoftwareAuthenticator(), displayName=name), 400, "BadRequest")


def test_a_key_is_registered_once_and_excluded_from_then_on(business: Client, person: str) -> None:
    key = SoftwareAuthenticator()
    assert register_passkey(business, person, key).status == 201
    options = business.get(f"{keys_of(person)}/creationOptions").body["publicKey"]
    assert [item["id"] for item in options["excludeCredentials"]] == [encode(key.credential_id)]
    refused(register_passkey(business, person, key), 400, "BadRequest")


@pytest.mark.parametrize(("enforcement", "listed"), [("allow", True), ("block", False)])
def test_restrictions_by_model_hold(business: Client, person: str, enforcement: str, listed: bool) -> None:
    restrict(business, enforcement, MODEL)
    this, other = SoftwareAuthenticator(aaguid=MODEL.bytes), SoftwareAuthenticator(aaguid=uuid.uuid4().bytes)
    assert register_passkey(business, person, this).status == (201 if listed else 400)
    assert register_passkey(business, person, other).status == (400 if listed else 201)


@pytest.mark.parametrize("attestation", ["none", "self", "certificate"])
def test_an_attestation_can_be_asked_for(business: Client, person: str, attestation: str) -> None:
    configure(business, "Fido2", isAttestationEnforced=True)
    answer = register_passkey(business, person, SoftwareAuthenticator(attestation))
    assert answer.status == (201 if attestation == "certificate" else 400)


def test_a_synced_passkey_is_told_from_a_device_bound_one(business: Client, person: str) -> None:
    synced = SoftwareAuthenticator(flags=USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE)
    assert register_passkey(business, person, synced).body["passkeyType"] == "synced"
    assert business.get(f"{REGISTRATIONS}/{person}").body["methodsRegistered"] == ["passKeySynced"]


def test_the_scenarios_passkeys_stay_beside_new_ones(business: Client) -> None:
    emma = user_named(business, "Emma Peeters")
    (old,) = business.get(keys_of(emma)).value
    made = register_passkey(business, emma, SoftwareAuthenticator())
    assert [item["id"] for item in business.get(keys_of(emma)).value] == [old["id"], made.body["id"]]
    business.admin("POST", f"/users/{emma}/register", {"methods": ["fido2SecurityKey"]})
    assert len(business.get(keys_of(emma)).value) == 3
    assert business.call("DELETE", f"{keys_of(emma)}/{old['id']}").status == 204
    registered = business.get(f"{REGISTRATIONS}/{emma}").body["methodsRegistered"]
    assert set(registered) == {"microsoftAuthenticatorPush", "passKeyDeviceBound", "fido2SecurityKey"}


def test_the_only_passkey_of_a_scenario_can_be_deleted(business: Client) -> None:
    emma = user_named(business, "Emma Peeters")
    (old,) = business.get(keys_of(emma)).value
    assert business.call("DELETE", f"{keys_of(emma)}/{old['id']}").status == 204
    assert business.get(keys_of(emma)).value == []
    assert business.get(f"{REGISTRATIONS}/{emma}").body["methodsRegistered"] == ["microsoftAuthenticatorPush"]


def test_a_restricted_unit_and_a_missing_permission_keep_keys_out(business: Client, person: str) -> None:
    add_to_unit(business, new_unit(business, isMemberManagementRestricted=True), person)
    refused(register_passkey(business, person, SoftwareAuthenticator()), 403, "Authorization_RequestDenied")
    business.grant("UserAuthMethod-Passkey.Read.All")
    assert business.get(keys_of(person)).status == 200
    refused(business.get(f"{keys_of(person)}/creationOptions"), 403, "AccessDenied")


def test_options_are_those_of_one_second(business: Client, person: str) -> None:
    advance(business, 0)
    first = business.get(f"{keys_of(person)}/creationOptions").body
    advance(business, 2)
    second = business.get(f"{keys_of(person)}/creationOptions").body
    assert first["publicKey"]["challenge"] != second["publicKey"]["challenge"]
    assert first["challengeTimeoutDateTime"] < second["challengeTimeoutDateTime"]
