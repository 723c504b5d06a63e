# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hardware OATH tokens, in beta only: uploaded for the tenant, assigned to a user, activated by a code.

Source: Microsoft's pages "hardwareOathTokenAuthenticationMethodDevice resource type", "hardwareOathAuthenticationMethod
resource type" and "Manage OATH tokens in Microsoft Entra ID"; RFC 4226 and RFC 6238 for the codes. Uploading and
assigning in bulk, by PATCH, is not simulated. Graph's words for a refusal are not public.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from collections.abc import Mapping
from typing import Any

from m365_simulator.graph.answers import answer_created, answer_list, answer_one, check_known, no_content
from m365_simulator.graph.audit import Target, record_change
from m365_simulator.graph.errors import bad_policy, not_found, not_licensed
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import BETA, Call, GraphResponse, Route
from m365_simulator.graph.user_methods import (
    OATH_DEVICE,
    PATH,
    answer_collection,
    answer_method,
    find_user_for_change,
    method_not_found,
    oath_devices_of,
    show_oath_method,
)
from m365_simulator.graph.users import find_user_of_methods
from m365_simulator.licences import FREE, tier_of
from m365_simulator.registration import note_registration
from m365_simulator.state import OBJECTS, Row

DEVICES = "/directory/authenticationMethodDevices/hardwareOathDevices"
METHODS = PATH + "hardwareOathMethods"
NAME = "hardwareOathMethods"
DEVICE = EntityType("hardwareOathTokenAuthenticationMethodDevice", OATH_DEVICE, page=100)
REGISTERED = "hardwareOneTimePasscode"
HASHES = {"hmacsha1": "sha1", "hmacsha256": "sha256"}
INTERVALS = (30, 60)
LONGEST_SECRET = 128
DIGITS = 6
STEPS_OFF = 1
"""So many intervals a token's clock may be off."""
AVAILABLE, ASSIGNED, ACTIVATED = "available", "assigned", "activated"
DEVICE_BODY = (
    "serialNumber",
    "manufacturer",
    "model",
    "secretKey",
    "timeIntervalInSeconds",
    "hashFunction",
    "assignTo",
    "displayName",
)


def one_time_code(secret: bytes, seconds: float, interval: int, function: str) -> str:
    """The code of RFC 6238 at a time in seconds since the epoch; `function` is a key of HASHES."""
    counter = int(seconds // interval).to_bytes(8, "big")
    digest = hmac.digest(secret, counter, HASHES[function])
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def list_devices(call: Call) -> GraphResponse:
    return answer_list(call, DEVICE, "directory/authenticationMethodDevices/hardwareOathDevices{select}")


def _find_device(call: Call, id: str) -> Row:
    row = call.store.read(OATH_DEVICE, id)
    if row is None:
        raise not_found(id)
    return row


def get_device(call: Call) -> GraphResponse:
    suffix = "directory/authenticationMethodDevices/hardwareOathDevices/$entity"
    return answer_one(call, DEVICE, suffix, _find_device(call, call.id).document)


def create_device(call: Call) -> GraphResponse:
    if tier_of(call.store.documents("subscribedSku")) == FREE and call.assumes("hardware_oath_on_free") == "refused":
        raise not_licensed()
    body = {name: value for name, value in call.body().items() if "@odata." not in name}
    check_known(body, DEVICE_BODY, DEVICE.name)
    for name in ("serialNumber", "manufacturer", "model", "secretKey"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise bad_policy(f"A value is required for property '{name}'.")
    if body.get("timeIntervalInSeconds") not in INTERVALS:
        raise bad_policy("The timeIntervalInSeconds must be 30 or 60.")
    function = body.get("hashFunction") or "hmacsha1"
    if function not in HASHES:
        raise bad_policy(f"Requested value '{function}' was not found.")
    _read_secret(body["secretKey"])
    if any(item["serialNumber"] == body["serialNumber"] for item in call.store.documents(OATH_DEVICE)):
        raise bad_policy("A hardware OATH token with this serial number is there already.")
    device = {
        "id": str(uuid.uuid4()),
        "displayName": body.get("displayName"),
        "serialNumber": body["serialNumber"],
        "manufacturer": body["manufacturer"],
        "model": body["model"],
        "secretKey": None,
        "timeIntervalInSeconds": body["timeIntervalInSeconds"],
        "status": AVAILABLE,
        "hashFunction": function,
        "lastUsedDateTime": None,
        "assignedTo": None,
    }
    user = _assignee(call, body.get("assignTo"))
    call.store.insert(OATH_DEVICE, device["id"], device, private={"secretKey": body["secretKey"]})
    record_change(call, "Device", "Add hardware OATH token", device["id"], device["serialNumber"])
    if user is not None:
        _assign(call, user, device["id"])
    return answer_created(
        call,
        "directory/authenticationMethodDevices/hardwareOathDevices/$entity",
        _find_device(call, device["id"]).document,
    )


def _assignee(call: Call, assign_to: Any) -> Row | None:
    if assign_to is None:
        return None
    id = assign_to.get("id") if isinstance(assign_to, dict) else None
    row = call.store.read("user", str(id))
    if row is None:
        raise not_found(str(id))
    return row


def _read_secret(text: str) -> bytes:
    """Of base32, with or without padding. Raises Graph's 400."""
    plain = text.rstrip("=").upper()
    try:
        secret = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except (binascii.Error, ValueError):
        secret = b""
    if not secret or len(text) > LONGEST_SECRET:
        raise bad_policy(f"The secretKey must be base32, of at most {LONGEST_SECRET} characters.")
    return secret


def delete_device(call: Call) -> GraphResponse:
    row = _find_device(call, call.id)
    if row.document["status"] != AVAILABLE:
        raise bad_policy("A hardware OATH token that is assigned cannot be deleted.")
    call.store.delete(OATH_DEVICE, row.id)
    record_change(call, "Device", "Delete hardware OATH token", row.id, row.document["serialNumber"])
    return no_content()


def list_methods(call: Call) -> GraphResponse:
    row = find_user_of_methods(call)
    return answer_collection(call, row, NAME, [show_oath_method(device) for device in oath_devices_of(call, row)])


def _find_method(call: Call, row: Row) -> Row:
    for device in oath_devices_of(call, row):
        if device.id.lower() == call.parameters["method"].lower():
            return device
    raise method_not_found(call.parameters["method"])


def get_method(call: Call) -> GraphResponse:
    row = find_user_of_methods(call)
    return answer_method(call, row, NAME, show_oath_method(_find_method(call, row)))


def assign(call: Call) -> GraphResponse:
    row = find_user_for_change(call)
    device = _assign(call, row, _device_id(call))
    return answer_method(call, row, NAME, show_oath_method(device), 201)


def _device_id(call: Call) -> str:
    device = call.body().get("device")
    id = device.get("id") if isinstance(device, dict) else None
    if not isinstance(id, str):
        raise bad_policy("A value is required for property 'device'.")
    return id


def _assign(call: Call, user: Row, id: str) -> Row:
    device = _find_device(call, id)
    if device.document["status"] != AVAILABLE:
        raise bad_policy("The hardware OATH token is assigned already.")
    person = {"id": user.id, "displayName": user.document["displayName"]}
    _keep(call, device, {"status": ASSIGNED, "assignedTo": person}, user.id)
    _record(call, "Admin assigned hardware OATH token to user", user, device)
    return _find_device(call, id)


def activate(call: Call) -> GraphResponse:
    row = find_user_for_change(call)
    _activate(call, row, _find_method(call, row), call.body())
    return no_content()


def assign_and_activate(call: Call) -> GraphResponse:
    row = find_user_for_change(call)
    _activate(call, row, _assign(call, row, _device_id(call)), call.body())
    return no_content()


def assign_and_activate_by_serial_number(call: Call) -> GraphResponse:
    row = find_user_for_change(call)
    body = call.body()
    for device in call.store.rows(OATH_DEVICE):
        if device.document["serialNumber"] == body.get("serialNumber"):
            _activate(call, row, _assign(call, row, device.id), body)
            return no_content()
    raise not_found(str(body.get("serialNumber")))


def _activate(call: Call, user: Row, device: Row, body: Mapping[str, Any]) -> None:
    if device.document["status"] == ACTIVATED:
        raise bad_policy("The hardware OATH token is activated already.")
    secret = _read_secret(device.private["secretKey"])
    interval, function = device.document["timeIntervalInSeconds"], device.document["hashFunction"]
    codes = {
        one_time_code(secret, call.clock.now() + step * interval, interval, function)
        for step in range(-STEPS_OFF, STEPS_OFF + 1)
    }
    if body.get("verificationCode") not in codes:
        raise bad_policy("The verification code is not valid.")
    changes: dict[str, Any] = {"status": ACTIVATED}
    if body.get("displayName"):
        changes["displayName"] = body["displayName"]
    _keep(call, device, changes, user.id)
    _note(call, user)
    _record(call, "Admin activated hardware OATH token of user", user, device)


def deactivate(call: Call) -> GraphResponse:
    row = find_user_for_change(call)
    device = _find_method(call, row)
    _keep(call, device, {"status": ASSIGNED}, row.id)
    _note(call, row)
    _record(call, "Admin deactivated hardware OATH token of user", row, device)
    return no_content()


def delete_method(call: Call) -> GraphResponse:
    """The token is there for others then."""
    row = find_user_for_change(call)
    device = _find_method(call, row)
    _keep(call, device, {"status": AVAILABLE, "assignedTo": None}, "")
    _note(call, row)
    _record(call, "Admin deleted hardware OATH method of user", row, device)
    return no_content()


def release_tokens(call: Call, user: str) -> None:
    """Of somebody who is gone for good."""
    for device in call.store.rows(OATH_DEVICE, OBJECTS.c.name == user):
        _keep(call, device, {"status": AVAILABLE, "assignedTo": None}, "")


def _keep(call: Call, device: Row, changes: Mapping[str, Any], user: str) -> None:
    call.store.update(OATH_DEVICE, device.id, document={**device.document, **changes}, name=user)


def _note(call: Call, user: Row) -> None:
    """Whether one of the user's tokens is activated, among what the user has registered."""
    others = [name for name in user.private.get("methodsRegistered", ()) if name != REGISTERED]
    active = any(device.document["status"] == ACTIVATED for device in oath_devices_of(call, user))
    registered = [*others, REGISTERED] if active else others
    private = {**user.private, "methodsRegistered": registered}
    call.store.update("user", user.id, document=note_registration(user.document, registered), private=private)


def _record(call: Call, activity: str, user: Row, device: Row) -> None:
    token = Target("Device", device.id, device.document["serialNumber"])
    record_change(call, "User", activity, user.id, user.document["userPrincipalName"], token)


ROUTES = [
    Route("GET", DEVICES, list_devices, (BETA,)),
    Route("POST", DEVICES, create_device, (BETA,)),
    Route("GET", DEVICES + "/{id}", get_device, (BETA,)),
    Route("DELETE", DEVICES + "/{id}", delete_device, (BETA,)),
    Route("GET", METHODS, list_methods, (BETA,)),
    Route("POST", METHODS, assign, (BETA,)),
    Route("POST", METHODS + "/assignAndActivate", assign_and_activate, (BETA,)),
    Route("POST", METHODS + "/assignAndActivateBySerialNumber", assign_and_activate_by_serial_number, (BETA,)),
    Route("GET", METHODS + "/{method}", get_method, (BETA,)),
    Route("DELETE", METHODS + "/{method}", delete_method, (BETA,)),
    Route("POST", METHODS + "/{method}/activate", activate, (BETA,)),
    Route("POST", METHODS + "/{method}/deactivate", deactivate, (BETA,)),
]
