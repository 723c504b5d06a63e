# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A security key made of software, as python-fido2 meets one that is plugged in: it speaks CTAP 2.1 over the library's
abstraction of devices. What it registers comes from the software authenticator, so it is as good as that.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.ctap import STATUS, CtapDevice, CtapError
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin, PinProtocolV2
from fido2.hid import CAPABILITY, CTAPHID

from ansible_collections.zerotrust.m365.tests.unit.simulator.software_authenticator import (
    USER_PRESENT,
    USER_VERIFIED,
    SoftwareAuthenticator,
)

ERR = CtapError.ERR
MODEL = bytes.fromhex("de1e552ddb1d4423a619566b625cdc84")
TRIES = 8


@dataclass
class SoftwareSecurityKey(CtapDevice):
    """``pin`` is set on it; with None it has none. ``finger`` verifies the user by itself. ``touched`` is whether
    somebody touches it. ``ctap2`` False makes it an old one. ``failure`` is an error for every registration.
    ``next_id`` is the id of the next credential, a random one where it is None.
    """

    attestation: str = "certificate"
    model: bytes = MODEL
    pin: str | None = None
    finger: bool = False
    touched: bool = True
    ctap2: bool = True
    failure: CtapError.ERR | None = None
    next_id: bytes | None = None
    tries: int = TRIES
    wrong_in_a_row: int = 0
    credentials: dict[bytes, str] = field(default_factory=dict)
    registrations: int = 0
    closed: int = 0
    _agreement: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    _token: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    @property
    def capabilities(self) -> int:
        return int(CAPABILITY.CBOR if self.ctap2 else CAPABILITY.WINK)

    @classmethod
    def list_devices(cls) -> Iterator[CtapDevice]:
        return iter(())

    def close(self) -> None:
        self.closed += 1

    def call(
        self,
        cmd: int,
        data: bytes = b"",
        event: Event | None = None,
        on_keepalive: Callable[[STATUS], None] | None = None,
    ) -> bytes:
        assert cmd == CTAPHID.CBOR
        arguments: Any = cbor.decode(data[1:]) if len(data) > 1 else {}
        try:
            if data[0] == Ctap2.CMD.GET_INFO:
                answer = self._information()
            elif data[0] == Ctap2.CMD.CLIENT_PIN:
                answer = self._client_pin(arguments)
            elif data[0] == Ctap2.CMD.GET_ASSERTION:
                answer = self._assertion(arguments)
            elif data[0] == Ctap2.CMD.MAKE_CREDENTIAL:
                answer = self._credential(arguments, event or Event(), on_keepalive)
            else:
                raise CtapError(ERR.INVALID_COMMAND)
        except CtapError as error:
            return bytes([error.code])
        return b"\0" + (cbor.encode(answer) if answer else b"")

    def _information(self) -> dict[int, Any]:
        options = {"rk": True, "up": True, "clientPin": self.pin is not None}
        if self.finger:
            options["uv"] = True
        return {
            1: ["FIDO_2_0", "FIDO_2_1"],
            2: ["credProtect", "hmac-secret"],
            3: self.model,
            4: options,
            5: 2048,
            6: [PinProtocolV2.VERSION],
        }

    def _client_pin(self, arguments: dict[int, Any]) -> dict[int, Any]:
        command = arguments[2]
        if command == ClientPin.CMD.GET_PIN_RETRIES:
            return {ClientPin.RESULT.PIN_RETRIES: self.tries}
        if command == ClientPin.CMD.GET_KEY_AGREEMENT:
            numbers = self._agreement.public_key().public_numbers()
            key = {1: 2, 3: -25, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
            return {ClientPin.RESULT.KEY_AGREEMENT: key}
        assert command == ClientPin.CMD.GET_TOKEN_USING_PIN_LEGACY
        protocol, secret = PinProtocolV2(), self._shared_secret(arguments[3])
        self._check_pin(protocol.decrypt(secret, arguments[6]))
        return {ClientPin.RESULT.PIN_UV_TOKEN: protocol.encrypt(secret, self._token)}

    def _shared_secret(self, other: dict[int, Any]) -> bytes:
        x, y = int.from_bytes(other[-2], "big"), int.from_bytes(other[-3], "big")
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        secret: bytes = PinProtocolV2().kdf(self._agreement.exchange(ec.ECDH(), public))
        return secret

    def _check_pin(self, hashed: bytes) -> None:
        """Eight wrong ones block it for good, three in a row until it is plugged in again."""
        if not self.tries:
            raise CtapError(ERR.PIN_BLOCKED)
        if self.wrong_in_a_row >= 3:
            raise CtapError(ERR.PIN_AUTH_BLOCKED)
        assert self.pin is not None
        if hmac.compare_digest(hashed, hashlib.sha256(self.pin.encode()).digest()[:16]):
            self.tries, self.wrong_in_a_row = TRIES, 0
            return
        self.tries -= 1
        self.wrong_in_a_row += 1
        raise CtapError(ERR.PIN_INVALID if self.tries else ERR.PIN_BLOCKED)

    def _assertion(self, arguments: dict[int, Any]) -> dict[int, Any]:
        """Asked silently for the credentials that Graph excludes: whether one of them is here."""
        for listed in arguments[3]:
            if self.credentials.get(listed["id"]) == arguments[1]:
                hashed = hashlib.sha256(arguments[1].encode()).digest()
                return {1: listed, 2: hashed + bytes(5), 3: b""}
        raise CtapError(ERR.NO_CREDENTIALS)

    def _credential(
        self, arguments: dict[int, Any], event: Event, on_keepalive: Callable[[STATUS], None] | None
    ) -> dict[int, Any]:
        if on_keepalive:
            on_keepalive(STATUS.UPNEEDED)
        if not self.touched:
            event.wait(20)
            raise CtapError(ERR.KEEPALIVE_CANCEL)
        if self.failure is not None:
            raise CtapError(self.failure)
        if any(listed["id"] in self.credentials for listed in arguments.get(5, ())):
            raise CtapError(ERR.CREDENTIAL_EXCLUDED)
        verified = arguments.get(7, {}).get("uv", False) and self.finger
        if 8 in arguments:
            wanted = PinProtocolV2().authenticate(self._token, arguments[1])
            if not hmac.compare_digest(wanted, arguments[8]):
                raise CtapError(ERR.PIN_AUTH_INVALID)
            verified = True
        assert arguments[7]["rk"]
        assert arguments[6] == {"credProtect": 1, "hmac-secret": True}
        return self._made(arguments, USER_PRESENT | (USER_VERIFIED if verified else 0))

    def _made(self, arguments: dict[int, Any], flags: int) -> dict[int, Any]:
        identity, relying_party = self.next_id or secrets.token_bytes(32), arguments[2]["id"]
        authenticator = SoftwareAuthenticator(
            self.attestation, aaguid=self.model, flags=flags, credential_id=identity, extensions=arguments[6]
        )
        name, data, statement = authenticator.attest(relying_party, arguments[1])
        self.credentials[identity] = relying_party
        self.registrations += 1
        return {1: name, 2: data, 3: statement}
