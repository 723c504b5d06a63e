# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate and its private key out of PEM text (private to the collection).

Loading cryptography takes as long as loading requests: only who signs in with a certificate imports this file.
"""

from __future__ import annotations

import hashlib
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from .credentials import Certificate
from .errors import MissingLibrary, OptionError
from .files import read_file

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class KeyPair:
    """PEM texts. ``certificates`` begins with the one that belongs to the key; ``sha1`` is its thumbprint, in hex."""

    private_key: str = field(repr=False)
    passphrase: str | None = field(repr=False)
    certificates: str
    sha1: str


def read_key_pair(credential: Certificate, secret: Callable[[str], None]) -> KeyPair:
    """Certificate and key, in whatever order they stand. Raises OptionError before anything is sent."""
    if IMPORT_TRACEBACK:
        raise MissingLibrary("cryptography", IMPORT_TRACEBACK)
    if credential.path:
        where = f"'{credential.path}'"
        text = read_file("client_certificate_path", credential.path)
    else:
        where = "client_certificate"
        text = credential.content or ""
    blocks = [(match.group(1), match.group(0)) for match in _BLOCK.finditer(text)]
    keys = [block for kind, block in blocks if kind.endswith("PRIVATE KEY")]
    certificates = [block for kind, block in blocks if kind == "CERTIFICATE"]
    for key in keys:
        secret(key)
    if len(keys) != 1:
        raise OptionError(f"{where} must hold one private key in PEM form, but holds {len(keys) or 'none'}.")
    if not certificates:
        raise OptionError(f"{where} holds a private key, but no certificate. Both are needed, in PEM form.")
    passphrase = credential.passphrase if "ENCRYPTED" in keys[0] else None
    public_key = _public_key(where, keys[0], passphrase)
    parsed = [_certificate(where, block) for block in certificates]
    matching = [place for place, certificate in enumerate(parsed) if _encoded(certificate.public_key()) == public_key]
    if not matching:
        raise OptionError(f"Certificate and private key in {where} do not belong together.")
    own = matching[0]
    others = [block for place, block in enumerate(certificates) if place != own]
    return KeyPair(
        private_key=keys[0],
        passphrase=passphrase,
        certificates="\n".join([certificates[own], *others]),
        sha1=hashlib.sha1(parsed[own].public_bytes(Encoding.DER), usedforsecurity=False).hexdigest(),
    )


IMPORT_TRACEBACK: str | None = None
try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
    from cryptography.x509 import Certificate as X509Certificate
    from cryptography.x509 import load_pem_x509_certificate
except ImportError:
    IMPORT_TRACEBACK = traceback.format_exc()
else:

    def _public_key(where: str, pem: str, passphrase: str | None) -> bytes:
        if "ENCRYPTED" in pem and not passphrase:
            raise OptionError(f"The private key in {where} is encrypted: give client_certificate_passphrase.")
        try:
            key = load_pem_private_key(pem.encode(), passphrase.encode() if passphrase else None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            wrong = "is the passphrase right?" if passphrase else "it is damaged, or of an unknown form."
            raise OptionError(f"The private key in {where} cannot be read: {wrong}") from None
        if not isinstance(key, RSAPrivateKey):
            raise OptionError(f"The private key in {where} is no RSA key, which Microsoft Entra needs.")
        return _encoded(key.public_key())

    def _certificate(where: str, pem: str) -> X509Certificate:
        try:
            return load_pem_x509_certificate(pem.encode())
        except ValueError:
            raise OptionError(f"A certificate in {where} cannot be read: it is damaged.") from None

    def _encoded(key: CertificatePublicKeyTypes) -> bytes:
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
