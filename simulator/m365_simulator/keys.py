# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys and certificates: the TLS authority, the key that signs tokens, and the certificates of applications."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

RSA_BITS = 2048


class SigningKey:
    """An RSA key that signs JSON web tokens and publishes its public half as a JSON web key."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self.private_key = key
        self.public_key = key.public_key()
        public = self.public_key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.key_id = encode_base64url(hashlib.sha1(public, usedforsecurity=False).digest())

    @classmethod
    def generate(cls) -> SigningKey:
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS))

    @classmethod
    def from_pem(cls, pem: str) -> SigningKey:
        """A key of our own making, which needs no validation."""
        key = serialization.load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(key, rsa.RSAPrivateKey)
        return cls(key)

    @property
    def pem(self) -> str:
        return self.private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.private_key, algorithm="RS256", headers={"kid": self.key_id})

    def web_key(self) -> dict[str, Any]:
        numbers: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.public_key))
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": numbers["n"],
            "e": numbers["e"],
        }


def make_certificate(key: SigningKey, common_name: str, now: float, days: int = 365) -> str:
    """A self-signed certificate (PEM) for an application's key, valid from a day before `now` (epoch seconds)."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    moment = datetime.fromtimestamp(now, timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=days))
        .sign(key.private_key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def thumbprints(certificate: x509.Certificate) -> dict[str, str]:
    """The values that a client assertion may carry in its header: `x5t` (SHA-1) and `x5t#S256`."""
    return {
        "x5t": encode_base64url(certificate.fingerprint(hashes.SHA1())),
        "x5t#S256": encode_base64url(certificate.fingerprint(hashes.SHA256())),
    }


def encode_base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
