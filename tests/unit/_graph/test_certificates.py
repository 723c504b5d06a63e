# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""Certificate and key out of PEM text."""

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.certificates import KeyPair, read_key_pair
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.credentials import Certificate
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import CLIENT, Pem, make_pem


@pytest.fixture(scope="session")
def pem() -> Pem:
    return make_pem(rsa.generate_private_key(65537, 2048))


@pytest.fixture(scope="session")
def other() -> Pem:
    return make_pem(rsa.generate_private_key(65537, 2048))


def read(content: str, passphrase: str | None = None, told: list[str] | None = None) -> KeyPair:
    secrets: list[str] = [] if told is None else told
    return read_key_pair(Certificate(CLIENT, content=content, passphrase=passphrase), secrets.append)


@pytest.mark.parametrize("format", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("key_first", [True, False])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_any_order_and_form(pem: Pem, format: PrivateFormat, key_first: bool, newline: str) -> None:
    key = pem.key.private_bytes(Encoding.PEM, format, NoEncryption()).decode()
    parts = [key, "Bag Attributes\n    friendlyName: x\n", pem.certificate]
    told: list[str] = []
    text = "".join(parts if key_first else reversed(parts)).replace("\n", newline)
    pair = read(text, told=told)
    assert pair.certificates.replace("\r", "").strip() == pem.certificate.strip()
    assert pair.passphrase is None
    assert (
        pair.sha1
        == hashlib.sha1(base64.b64decode("".join(pem.certificate.split("\n")[1:-2])), usedforsecurity=False).hexdigest()
    )
    assert told == [pair.private_key]
    assert pair.private_key not in repr(pair)


def test_the_matching_certificate_comes_first(pem: Pem, other: Pem) -> None:
    pair = read(other.certificate + pem.certificate + pem.private())
    assert pair.certificates.startswith(pem.certificate.strip())
    assert other.certificate.strip() in pair.certificates


@pytest.mark.parametrize("format", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key(pem: Pem, format: PrivateFormat) -> None:
    key = pem.key.private_bytes(Encoding.PEM, format, BestAvailableEncryption(b"p4ss")).decode()
    assert read(key + pem.certificate, "p4ss").passphrase == "p4ss"
    with pytest.raises(OptionError, match="is the passphrase right"):
        read(key + pem.certificate, "wrong")
    with pytest.raises(OptionError, match="give client_certificate_passphrase"):
        read(key + pem.certificate)


def test_a_needless_passphrase_does_no_harm(pem: Pem) -> None:
    assert read(pem.private() + pem.certificate, "p4ss").passphrase is None


def test_a_file(pem: Pem, tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_text(pem.private() + pem.certificate)
    assert read_key_pair(Certificate(CLIENT, path=str(path)), print).certificates == pem.certificate.strip()


def failing(pem: Pem, other: Pem) -> list[tuple[str, str]]:
    elliptic = make_pem(ec.generate_private_key(ec.SECP256R1()))
    lines = pem.private().splitlines()
    broken = "\n".join([lines[0], *lines[2:], ""])
    return [
        ("", "must hold one private key in PEM form, but holds none"),
        (pem.certificate, "must hold one private key in PEM form, but holds none"),
        (pem.private(), "holds a private key, but no certificate"),
        (pem.private() + other.private() + pem.certificate, "holds 2"),
        (pem.private() + other.certificate, "do not belong together"),
        (broken + pem.certificate, "cannot be read: it is damaged"),
        (pem.private() + pem.certificate.replace("M", "N"), "certificate in client_certificate cannot be read"),
        (elliptic.private() + elliptic.certificate, "no RSA key"),
    ]


@pytest.mark.parametrize("case", range(8))
def test_what_cannot_be_used(pem: Pem, other: Pem, case: int) -> None:
    content, message = failing(pem, other)[case]
    with pytest.raises(OptionError, match=message) as caught:
        read(content)
    assert "-----BEGIN" not in caught.value.message
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot read '.*': No such file"), (b"0\x82\x0a\x3b\xff\xfe", "PKCS #12.*openssl")]
)
def test_an_unreadable_file(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "app.pfx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OptionError, match=message):
        read_key_pair(Certificate(CLIENT, path=str(path)), print)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot read"):
        read_key_pair(Certificate(CLIENT, path=str(tmp_path)), print)
