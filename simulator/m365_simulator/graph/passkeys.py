# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/users/{id}/authentication/fido2Methods: passkeys, and their registration on behalf of a user.

A registration is verified as WebAuthn says: challenge, origin, relying party, flags, the signature of the attestation.
Not verified is whose certificate made the attestation, as that takes the list of the FIDO Alliance.
Source: Microsoft's pages "fido2AuthenticationMethod: creationOptions", with its known issue, and "Create
fido2AuthenticationMethod". Graph's words for a refusal are not public.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from typing import Any

from cryptography.exceptions import InvalidSignature
from fido2 import cbor
from fido2.attestation.base import Attestation, InvalidAttestation
from fido2.rpid import verify_rp_id
from fido2.webauthn import AttestationObject, AuthenticatorData, CollectedClientData

from m365_simulator.clock import to_stamp
from m365_simulator.graph.answers import check_known, no_content
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import GraphError, bad_policy
from m365_simulator.graph.router import V1, Call, GraphResponse, Route
from m365_simulator.graph.user_methods import (
    PATH,
    answer_collection,
    answer_method,
    find_user_for_change,
    method_not_found,
    passkeys_of,
    person_of,
    show_passkey,
)
from m365_simulator.graph.users import find_user_of_methods
from m365_simulator.registration import note_registration
from m365_simulator.sign_in_rules.methods import PASSKEYS, PasskeyRule, passkey_rules
from m365_simulator.state import Row

NAME = "fido2Methods"
RELYING_PARTY = "login.microsoft.com"
SECONDS_VALID = 300
ALGORITHMS = (-7, -257)
"""ES256 and RS256, as COSE numbers them."""
MOST = 10
BODY = ("displayName", "publicKeyCredential")


def list_passkeys(call: Call) -> GraphResponse:
    row = find_user_of_methods(call)
    return answer_collection(call, row, NAME, [show_passkey(passkey) for passkey in passkeys_of(row)])


def _find(call: Call, row: Row) -> dict[str, Any]:
    for passkey in passkeys_of(row):
        if passkey["id"] == call.parameters["method"]:
            return passkey
    raise method_not_found(call.parameters["method"])


def get_passkey(call: Call) -> GraphResponse:
    row = find_user_of_methods(call)
    return answer_method(call, row, NAME, show_passkey(_find(call, row)))


def creation_options(call: Call) -> GraphResponse:
    """Nothing is kept of them: the challenge says itself whom it is for, and until when."""
    row = find_user_of_methods(call)
    _rules(call, row)
    expires = int(call.clock.now()) + SECONDS_VALID
    known = [passkey["credential"]["id"] for passkey in passkeys_of(row) if "credential" in passkey]
    options = {
        "rp": {"id": RELYING_PARTY, "name": "Microsoft"},
        "user": {
            "id": encode(f"OID:{row.id}".encode()),
            "displayName": row.document["displayName"],
            "name": row.document["userPrincipalName"],
        },
        "challenge": encode(_challenge(call, row, expires)),
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
        "timeout": SECONDS_VALID * 1000,
        "excludeCredentials": [{"id": id, "type": "public-key", "transports": []} for id in known],
        "authenticatorSelection": {
            "authenticatorAttachment": "cross-platform",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "direct",
        "extensions": {
            "hmacCreateSecret": True,
            "enforceCredentialProtectionPolicy": True,
            "credentialProtectionPolicy": "userVerificationOptional",
        },
    }
    context = call.context("microsoft.graph.webauthnCredentialCreationOptions")
    stamp = to_stamp(expires)
    return GraphResponse(200, {"@odata.context": context, "challengeTimeoutDateTime": stamp, "publicKey": options})


def _rules(call: Call, row: Row) -> list[PasskeyRule]:
    """What the policy allows this user. Raises Graph's 400 where it is nothing, or without self-service set-up."""
    rules = passkey_rules(*person_of(call, row))
    if not rules:
        raise bad_policy("The user is not enabled for passkeys (FIDO2) in the authentication methods policy.")
    configuration = call.store.read("methodConfiguration", "Fido2")
    assert configuration is not None
    if not configuration.document["isSelfServiceRegistrationAllowed"]:
        raise bad_policy("Self-service set up is not allowed in the passkey (FIDO2) authentication methods policy.")
    return rules


def _challenge(call: Call, row: Row, expires: int) -> bytes:
    """Only this tenant can make it, and it is of use for one user until one second."""
    start = expires.to_bytes(8, "big")
    key = call.tenant.application.client_secret.encode()
    return start + hmac.digest(key, f"passkey/{call.tenant.id}/{row.id}".encode() + start, "sha256")


def create_passkey(call: Call) -> GraphResponse:
    row = find_user_for_change(call)
    rules = _rules(call, row)
    body = {name: value for name, value in call.body().items() if "@odata." not in name}
    check_known(body, BODY, "fido2AuthenticationMethod")
    name = body.get("displayName")
    if not isinstance(name, str) or not 1 <= len(name) <= 30:
        raise bad_policy("The displayName of a passkey must have between 1 and 30 characters.")
    data, statement = _read_registration(call, row, body.get("publicKeyCredential"))
    passkey = _passkey(call, name, data, statement)
    if not any(_allows(rule, passkey) for rule in rules):
        raise bad_policy("The passkey is not allowed by the authentication methods policy.")
    known = passkeys_of(row)
    if len(known) >= MOST:
        raise bad_policy(f"A user can have at most {MOST} passkeys.")
    if passkey["id"] in [other["id"] for other in known]:
        raise bad_policy("The passkey is registered already.")
    _keep(call, row, [*known, passkey])
    principal = row.document["userPrincipalName"]
    record_change(call, "User", "Admin registered fido2 authentication method for user", row.id, principal)
    return answer_method(call, row, NAME, show_passkey(passkey), 201)


def _allows(rule: PasskeyRule, passkey: dict[str, Any]) -> bool:
    if rule.kinds is not None and passkey["passkeyType"] not in rule.kinds:
        return False
    if rule.attested and passkey["attestationLevel"] != "attested":
        return False
    restrictions = rule.restrictions or {}
    if not restrictions.get("isEnforced"):
        return True
    listed = passkey["aaGuid"] in [str(id).lower() for id in restrictions.get("aaGuids") or ()]
    return listed == (restrictions.get("enforcementType") == "allow")


def _read_registration(call: Call, row: Row, credential: Any) -> tuple[AuthenticatorData, AttestationObject]:
    """What the authenticator made, once all of it is verified. Raises Graph's 400."""
    try:
        response = credential["response"]
        raw_client_data = decode(response["clientDataJSON"])
        client_data = CollectedClientData(raw_client_data)
        statement = AttestationObject(decode(response["attestationObject"]))
        data = statement.auth_data
        id = decode(credential["id"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise bad_policy("The publicKeyCredential cannot be read.") from None
    _check_client_data(call, row, client_data)
    if not hmac.compare_digest(data.rp_id_hash, hashlib.sha256(RELYING_PARTY.encode()).digest()):
        raise _wrong("the relying party")
    if data.credential_data is None or data.credential_data.credential_id != id:
        raise _wrong("the credential")
    if not data.is_user_present() or not data.is_user_verified():
        raise _wrong("the verification of the user")
    if data.credential_data.public_key.get(3) not in ALGORITHMS:
        raise _wrong("the algorithm of the key")
    try:
        Attestation.for_type(statement.fmt)().verify(statement.att_stmt, data, hashlib.sha256(raw_client_data).digest())
    except (InvalidSignature, InvalidAttestation, ValueError, KeyError, TypeError):
        raise _wrong("the attestation") from None
    return data, statement


def _check_client_data(call: Call, row: Row, client_data: CollectedClientData) -> None:
    if client_data.type != "webauthn.create":
        raise _wrong("the type of the client data")
    if not verify_rp_id(RELYING_PARTY, client_data.origin):
        raise _wrong("the origin")
    challenge = client_data.challenge
    expires = int.from_bytes(challenge[:8], "big")
    if len(challenge) != 40 or not hmac.compare_digest(challenge, _challenge(call, row, expires)):
        raise _wrong("the challenge")
    if call.clock.now() >= expires:
        raise bad_policy("The challenge has expired.")


def _wrong(what: str) -> GraphError:
    return bad_policy(f"The passkey could not be verified: {what} is wrong.")


def _passkey(call: Call, name: str, data: AuthenticatorData, statement: AttestationObject) -> dict[str, Any]:
    """As it is kept, see user_methods.passkeys_of."""
    assert data.credential_data is not None
    id = encode(data.credential_data.credential_id)
    certificates: list[bytes] = list(statement.att_stmt.get("x5c", ()))
    synced = bool(data.flags & AuthenticatorData.FLAG.BE)
    return {
        "id": id,
        "displayName": name,
        "createdDateTime": call.clock.stamp(),
        "aaGuid": str(uuid.UUID(bytes=bytes(data.credential_data.aaguid))),
        "model": "Security key" if certificates else "Passkey",
        "attestationCertificates": [hashlib.sha256(certificate).hexdigest() for certificate in certificates],
        "attestationLevel": "attested" if certificates else "notAttested",
        "passkeyType": "synced" if synced else "deviceBound",
        "method": "passKeySynced" if synced else "passKeyDeviceBound",
        "credential": {"id": id, "publicKey": encode(cbor.encode(dict(data.credential_data.public_key)))},
    }


def _keep(call: Call, row: Row, passkeys: list[dict[str, Any]]) -> None:
    others = [name for name in row.private.get("methodsRegistered", ()) if name not in PASSKEYS]
    registered = [*others, *dict.fromkeys(passkey["method"] for passkey in passkeys)]
    private = {**row.private, "passkeys": passkeys, "methodsRegistered": registered}
    call.store.update("user", row.id, document=note_registration(row.document, registered), private=private)


def delete_passkey(call: Call) -> GraphResponse:
    row = find_user_for_change(call)
    gone = _find(call, row)
    _keep(call, row, [passkey for passkey in passkeys_of(row) if passkey["id"] != gone["id"]])
    principal = row.document["userPrincipalName"]
    record_change(call, "User", "Admin deleted fido2 authentication method for user", row.id, principal)
    return no_content()


def encode(content: bytes) -> str:
    """Base64url without padding, as all binary data of passkeys is."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("no base64url without padding")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


ROUTES = [
    Route("GET", PATH + NAME, list_passkeys),
    Route("POST", PATH + NAME, create_passkey),
    Route("GET", PATH + NAME + "/creationOptions", creation_options, (V1,)),
    Route("GET", PATH + NAME + "/{method}", get_passkey),
    Route("DELETE", PATH + NAME + "/{method}", delete_passkey),
]
