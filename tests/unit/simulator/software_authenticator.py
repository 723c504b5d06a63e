# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A security key made of software: it makes a credential as WebAuthn says, and can be made to do it wrong."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fido2 import cbor

ORIGIN = "https://login.microsoft.com"
USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, ATTESTED_DATA, EXTENSION_DATA = 0x01, 0x04, 0x08, 0x40, 0x80


def encode(content: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@dataclass
class SoftwareAuthenticator:
    """`attestation` is none, self or certificate. What differs from `flags` and `origin` as they are is a mistake."""

    attestation: str = "none"
    aaguid: bytes = bytes(16)
    flags: int = USER_PRESENT | USER_VERIFIED
    origin: str = ORIGIN
    client_data_type: str = "webauthn.create"
    extensions: Mapping[str, Any] = field(default_factory=dict)
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The publicKeyCredential that Graph takes, out of its creation options' publicKey."""
        client_data = json.dumps(
            {"type": self.client_data_type, "challenge": options["challenge"], "origin": self.origin},
            separators=(",", ":"),
        ).encode()
        name, data, statement = self.attest(options["rp"]["id"], hashlib.sha256(client_data).digest())
        attestation = cbor.encode({"fmt": name, "attStmt": statement, "authData": data})
        return {
            "id": encode(self.credential_id),
            "response": {"clientDataJSON": encode(client_data), "attestationObject": encode(attestation)},
            "clientExtensionResults": {"hmacCreateSecret": True},
        }

    def attest(self, relying_party: str, client_data_hash: bytes) -> tuple[str, bytes, dict[str, Any]]:
        """What an authenticator answers: the format of the attestation, the authenticator data, the statement."""
        data = self._authenticator_data(relying_party)
        name, statement = self._statement(data + client_data_hash)
        return name, data, statement

    def _authenticator_data(self, relying_party: str) -> bytes:
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        flags = self.flags | ATTESTED_DATA | (EXTENSION_DATA if self.extensions else 0)
        start = hashlib.sha256(relying_party.encode()).digest() + struct.pack(">BI", flags, 0)
        identity = struct.pack(">H", len(self.credential_id)) + self.credential_id
        extensions = cbor.encode(self.extensions) if self.extensions else b""
        return start + self.aaguid + identity + cbor.encode(public) + extensions

    def _statement(self, signed: bytes) -> tuple[str, dict[str, Any]]:
        if self.attestation == "none":
            return "none", {}
        if self.attestation == "self":
            return "packed", {"alg": -7, "sig": self.key.sign(signed, ec.ECDSA(hashes.SHA256()))}
        key = ec.generate_private_key(ec.SECP256R1())
        signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return "packed", {"alg": -7, "sig": signature, "x5c": [self._certificate(key)]}

    def _certificate(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        """With what WebAuthn asks of an attestation certificate."""
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "NL"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Software"),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
                x509.NameAttribute(NameOID.COMMON_NAME, "Software key"),
            ]
        )
        now = datetime.datetime.now(datetime.timezone.utc)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4"), b"\x04\x10" + self.aaguid),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.DER)
