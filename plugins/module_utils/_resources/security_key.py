# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The security key that is plugged into this machine (private to the collection).

The only file that knows python-fido2, which is needed for this alone and therefore may be missing.
Sources: WebAuthn Level 2, the Client to Authenticator Protocol, and the Graph reference of
webauthnPublicKeyCredential.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._engine.properties import StateUnknown
from .._graph.errors import M365Error

IMPORT_TRACEBACK: str | None = None
try:
    from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
    from fido2.ctap import CtapDevice, CtapError
    from fido2.ctap2.base import Ctap2, Info
    from fido2.ctap2.extensions import CredProtectExtension, HmacSecretExtension
    from fido2.ctap2.pin import ClientPin
    from fido2.hid import ConnectionFailure, CtapHidDevice
    from fido2.webauthn import PublicKeyCredentialCreationOptions

    class Operator(UserInteraction):
        """The person at the key, who has given the PIN beforehand: a task cannot ask."""

        def __init__(self, pin: str | None) -> None:
            self._pin = pin

        def request_pin(self, permissions: ClientPin.PERMISSION, rp_id: str | None) -> str | None:
            return self._pin

except Exception:  # besides ImportError: on a platform that it does not know, fido2 raises that
    IMPORT_TRACEBACK = traceback.format_exc()

REQUIREMENT = "fido2>=2.0.0"
NO_ATTESTATION = "none"


class SecurityKeyFailed(M365Error):
    """No security key, not the right one, or it refused. Nothing was registered."""


@dataclass(frozen=True)
class Credential:
    """``body`` is the publicKeyCredential that Graph takes; ``attested`` whether the key's maker vouches for it."""

    body: Mapping[str, Any]
    model: str
    attested: bool


def make_credential(
    options: Any, *, pin: str | None, seconds: int, check_model: Callable[[str], None], user: str
) -> Credential:
    """Have the only security key make a credential; somebody has to touch it within ``seconds``.

    ``options`` are the publicKey part of Graph's creation options. ``check_model`` is given the AAGUID of the key
    before anybody touches it, and may raise. Raises SecurityKeyFailed, StateUnknown.
    """
    parsed = _parsed(options, seconds)
    device = _only_device()
    try:
        info = _information(device)
        _refuse_unready(info, pin)
        check_model(str(info.aaguid))
        client = Fido2Client(
            device,
            client_data_collector=DefaultClientDataCollector(f"https://{parsed.rp.id}"),
            user_interaction=Operator(pin),
            extensions=[HmacSecretExtension(allow_hmac_secret=True), CredProtectExtension()],
        )
        made = client.make_credential(parsed)
    except ClientError as error:
        raise SecurityKeyFailed(_refusal(error, device, user, seconds)) from None
    except (CtapError, ConnectionFailure, OSError, ValueError) as error:
        raise SecurityKeyFailed(f"The security key cannot be used: {error}. Plug it in again, and try again.") from None
    finally:
        with contextlib.suppress(OSError):  # it may be gone
            device.close()
    response = made.response
    return Credential(
        body={
            "id": made.id,
            "response": {
                "clientDataJSON": response["clientDataJSON"],
                "attestationObject": response["attestationObject"],
            },
            "clientExtensionResults": dict(made.client_extension_results),
        },
        model=str(info.aaguid),
        attested=response.attestation_object.fmt != NO_ATTESTATION and "x5c" in response.attestation_object.att_stmt,
    )


def require_library() -> None:
    """Raises SecurityKeyFailed where python-fido2 cannot be imported."""
    if IMPORT_TRACEBACK is not None:
        reason = IMPORT_TRACEBACK.strip().splitlines()[-1]
        raise SecurityKeyFailed(
            "To register a passkey, the Python library fido2 (python-fido2) is needed on the machine with the security "
            f"key. Install it with: {sys.executable} -m pip install '{REQUIREMENT}' ({reason})"
        )


def _parsed(options: Any, seconds: int) -> PublicKeyCredentialCreationOptions:
    try:
        parsed = PublicKeyCredentialCreationOptions.from_dict({**options, "timeout": seconds * 1000})
        if not parsed.rp.id or not isinstance(options["challenge"], str):
            raise ValueError("the relying party or the challenge is no string")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateUnknown(f"Graph's creation options of a passkey have an unexpected shape: {error}.") from None
    return parsed


def _only_device() -> CtapDevice:
    """Raises SecurityKeyFailed unless there is just one."""
    try:
        devices = list(CtapHidDevice.list_devices())
    except (CtapError, ConnectionFailure, OSError) as error:
        raise SecurityKeyFailed(f"The security keys of this machine cannot be listed: {error}.") from None
    if len(devices) == 1:
        return devices[0]
    for device in devices:
        device.close()
    if devices:
        raise SecurityKeyFailed(f"{len(devices)} security keys are plugged in. Leave only the one to register.")
    raise SecurityKeyFailed(
        "No security key is plugged into the machine on which this task runs, or its user may not use it. On Linux, "
        "the udev rules of the package libfido2 (or fido2-udev-rules) give the access; a container, as of an execution "
        "environment, sees no keys unless it is given the device."
    )


def _information(device: CtapDevice) -> Info:
    try:
        return Ctap2(device).info
    except ValueError:
        raise SecurityKeyFailed("The security key knows U2F only. A passkey takes a FIDO2 security key.") from None


def _refuse_unready(info: Info, pin: str | None) -> None:
    """A key that could not verify its user would have to be touched in vain. Raises SecurityKeyFailed."""
    if info.options.get("uv"):
        return
    if not info.options.get("clientPin"):
        raise SecurityKeyFailed(
            "The security key has no PIN yet. Set one with the tool of its maker or of the operating system first, and "
            "seal it with the key."
        )
    if not pin:
        raise SecurityKeyFailed(
            "The security key asks for its PIN: give the option 'pin', or with the role emergency_access passkey_pin "
            "of the account in emergency_access_secrets."
        )


def _refusal(error: ClientError, device: CtapDevice, user: str, seconds: int) -> str:
    """In words, by what the key said; or by what the library made of it."""
    said = error.cause.code if isinstance(error.cause, CtapError) else None
    if said in (CtapError.ERR.PIN_INVALID, CtapError.ERR.PIN_AUTH_INVALID):
        return f"The security key does not accept this PIN.{_tries_left(device)}"
    if said == CtapError.ERR.PIN_AUTH_BLOCKED:
        return "The security key takes no PIN any more until it has been unplugged and plugged in again."
    if said == CtapError.ERR.PIN_BLOCKED:
        return "The security key is blocked after too many wrong PINs. Reset it; all its passkeys will be gone."
    if said == CtapError.ERR.KEY_STORE_FULL:
        return "The security key has no room for another passkey."
    if error.code == ClientError.ERR.DEVICE_INELIGIBLE:
        return (
            f"This security key holds a passkey of {user} already, under another display name. Take another key, or "
            "remove that passkey first."
        )
    if error.code == ClientError.ERR.TIMEOUT:
        return f"Nobody touched the security key within {seconds} seconds. Run the task again; touch it when it blinks."
    if said == CtapError.ERR.UV_INVALID:
        return "The security key did not recognise its user."
    if said == CtapError.ERR.OPERATION_DENIED:
        return "At the security key, the registration was declined."
    return f"The security key cannot make this passkey: {error.cause or error.code.name}."


def _tries_left(device: CtapDevice) -> str:
    try:
        left, unplug_first = ClientPin(Ctap2(device)).get_pin_retries()
    except (CtapError, ConnectionFailure, OSError, ValueError):
        return ""
    return f" It takes {left} more before it blocks{', but has to be plugged in again first' if unplug_first else ''}."
