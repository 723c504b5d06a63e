# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The security key, by a software one that speaks CTAP to python-fido2."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fido2.client import ClientError
from fido2.ctap import CtapError
from fido2.hid import ConnectionFailure, CtapHidDevice

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import security_key
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.security_key import (
    Credential,
    SecurityKeyFailed,
    make_credential,
    require_library,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.software_authenticator import encode
from ansible_collections.zerotrust.m365.tests.unit.simulator.software_security_key import SoftwareSecurityKey

PIN = "safe-key-493716"
MODEL = "de1e552d-db1d-4423-a619-566b625cdc84"
ERR = CtapError.ERR


def options(*excluded: bytes, **changes: Any) -> dict[str, Any]:
    """The publicKey of Graph's creation options, as its reference shows it."""
    return {
        "rp": {"id": "login.microsoft.com", "name": "Microsoft"},
        "user": {"id": encode(b"OID:somebody"), "displayName": "Emergency", "name": "emergency1@contoso.example"},
        "challenge": encode(bytes(range(40))),
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}, {"type": "public-key", "alg": -257}],
        "timeout": 300000,
        "excludeCredentials": [{"id": encode(one), "type": "public-key", "transports": []} for one in excluded],
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
        **changes,
    }


Plug = Callable[..., None]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Plug:
    """Plug in just these keys."""

    def plug(*keys: SoftwareSecurityKey) -> None:
        monkeypatch.setattr(CtapHidDevice, "list_devices", lambda: iter(keys))

    plug()
    return plug


def any_model(_model: str) -> None:
    pass


def made(
    asked: Any = None, pin: str | None = PIN, seconds: int = 5, check: Callable[[str], None] = any_model
) -> Credential:
    return make_credential(asked or options(), pin=pin, seconds=seconds, check_model=check, user="emergency1")


def failure(**given: Any) -> str:
    with pytest.raises(SecurityKeyFailed) as caught:
        made(**given)
    assert PIN not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("key", [SoftwareSecurityKey(pin=PIN), SoftwareSecurityKey(finger=True)])
def test_a_key_makes_what_graph_takes(plug: Plug, key: SoftwareSecurityKey) -> None:
    plug(key)
    asked: list[str] = []
    credential = made(check=asked.append)
    assert asked == [MODEL]
    assert (credential.model, credential.attested) == (MODEL, True)
    assert set(credential.body) == {"id", "response", "clientExtensionResults"}
    assert credential.body["clientExtensionResults"] == {"hmacCreateSecret": True}
    assert set(credential.body["response"]) == {"clientDataJSON", "attestationObject"}
    assert [encode(one) for one in key.credentials] == [credential.body["id"]]
    assert list(key.credentials.values()) == ["login.microsoft.com"]
    assert key.closed == 1


@pytest.mark.parametrize("attestation", ["none", "self"])
def test_a_key_that_nobody_vouches_for_is_told(plug: Plug, attestation: str) -> None:
    plug(SoftwareSecurityKey(attestation, pin=PIN))
    assert made().attested is False


def test_the_relying_party_is_what_graph_says(plug: Plug) -> None:
    key = SoftwareSecurityKey(pin=PIN)
    plug(key)
    made(options(rp={"id": "login.microsoftonline.com", "name": "Microsoft"}))
    assert list(key.credentials.values()) == ["login.microsoftonline.com"]


def test_just_one_key_may_be_plugged_in(plug: Plug) -> None:
    assert failure().startswith("No security key is plugged into the machine")
    keys = [SoftwareSecurityKey(pin=PIN), SoftwareSecurityKey(pin=PIN)]
    plug(*keys)
    assert failure() == "2 security keys are plugged in. Leave only the one to register."
    assert [key.closed for key in keys] == [1, 1]


ASKS_FOR_PIN = (
    "The security key asks for its PIN: give the option 'pin', or with the role emergency_access passkey_pin of the "
    "account in emergency_access_secrets."
)


@pytest.mark.parametrize(
    ("key", "pin", "sentence"),
    [
        (SoftwareSecurityKey(pin=PIN), None, ASKS_FOR_PIN),
        (SoftwareSecurityKey(), PIN, "The security key has no PIN yet."),
        (SoftwareSecurityKey(ctap2=False), PIN, "The security key knows U2F only."),
    ],
)
def test_a_key_that_is_not_ready_is_not_touched(
    plug: Plug, key: SoftwareSecurityKey, pin: str | None, sentence: str
) -> None:
    plug(key)
    assert failure(pin=pin).startswith(sentence)
    assert (key.registrations, key.closed) == (0, 1)


def test_a_wrong_pin_is_tried_once(plug: Plug) -> None:
    key = SoftwareSecurityKey(pin=PIN)
    plug(key)
    assert failure(pin="000000") == "The security key does not accept this PIN. It takes 7 more before it blocks."
    assert key.tries == 7
    failure(pin="000000")
    failure(pin="000000")
    assert failure() == "The security key takes no PIN any more until it has been unplugged and plugged in again."
    assert key.tries == 5
    key.tries = 0
    assert failure().startswith("The security key is blocked after too many wrong PINs.")


def test_a_key_is_registered_once(plug: Plug) -> None:
    key = SoftwareSecurityKey(pin=PIN)
    plug(key)
    made()
    held = next(iter(key.credentials))
    assert failure(asked=options(b"another", held)).startswith(
        "This security key holds a passkey of emergency1 already"
    )
    made(options(b"another"))


def test_nobody_touches_the_key(plug: Plug) -> None:
    plug(SoftwareSecurityKey(pin=PIN, touched=False))
    assert failure(seconds=1).startswith("Nobody touched the security key within 1 seconds.")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ERR.KEY_STORE_FULL, "The security key has no room for another passkey."),
        (ERR.UV_INVALID, "The security key did not recognise its user."),
        (ERR.OPERATION_DENIED, "At the security key, the registration was declined."),
        (ERR.USER_ACTION_TIMEOUT, "Nobody touched the security key"),
        (ERR.OTHER, "The security key cannot make this passkey: CTAP error: 0x7F - OTHER."),
    ],
)
def test_what_the_key_refuses_is_said(plug: Plug, error: CtapError.ERR, sentence: str) -> None:
    plug(SoftwareSecurityKey(pin=PIN, failure=error))
    assert failure().startswith(sentence)


@pytest.mark.parametrize("error", [OSError("gone"), ConnectionFailure("Wrong channel"), CtapError(ERR.INVALID_CHANNEL)])
def test_a_key_that_is_pulled_out_is_told(plug: Plug, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    key = SoftwareSecurityKey(pin=PIN)
    plug(key)

    def pulled_out(*_arguments: Any, **_more: Any) -> bytes:
        raise error

    monkeypatch.setattr(key, "call", pulled_out)
    monkeypatch.setattr(key, "close", pulled_out if isinstance(error, OSError) else key.close)
    assert failure().startswith("The security key cannot be used: ")
    assert isinstance(error, OSError) or key.closed == 1


def test_keys_that_cannot_be_listed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> Any:
        raise PermissionError("not you")

    monkeypatch.setattr(CtapHidDevice, "list_devices", refused)
    assert failure() == "The security keys of this machine cannot be listed: not you."


def test_a_refused_model_is_not_touched(plug: Plug) -> None:
    key = SoftwareSecurityKey(pin=PIN)
    plug(key)

    def refuse(model: str) -> None:
        raise OptionError(model)

    with pytest.raises(OptionError, match=MODEL):
        made(check=refuse)
    assert (key.registrations, key.closed, key.tries) == (0, 1, 8)


@pytest.mark.parametrize(
    "asked", [{}, {"rp": {}}, [1], options(challenge=3), options(rp=None), options(pubKeyCredParams="x"), "x"]
)
def test_options_of_an_unexpected_shape_are_told(plug: Plug, asked: Any) -> None:
    key = SoftwareSecurityKey(pin=PIN)
    plug(key)
    with pytest.raises(StateUnknown, match="creation options of a passkey have an unexpected shape"):
        make_credential(asked, pin=PIN, seconds=1, check_model=any_model, user="somebody")
    assert key.registrations == 0


def test_every_error_of_the_library_has_a_sentence(plug: Plug) -> None:
    key = SoftwareSecurityKey()
    for code in ClientError.ERR:
        assert security_key._refusal(ClientError(code), key, "somebody", 1).endswith(".")


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "fido2":
            raise ImportError("No module named 'fido2'")
sys.meta_path.insert(0, Missing())
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import passkey
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.security_key import *
try:
    require_library()
except SecurityKeyFailed as error:
    print(error.message)
"""


def test_a_missing_library_is_named_with_what_to_install() -> None:
    require_library()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", WITHOUT], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert f"{sys.executable} -m pip install 'fido2>=2.0.0'" in done.stdout
    assert "No module named 'fido2'" in done.stdout
