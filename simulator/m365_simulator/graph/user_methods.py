# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/users/{id}/authentication/methods, and the same by type.

What a scenario says that somebody registered is shown with invented members; what was registered through Graph, with
its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from m365_simulator.graph.answers import answer_plain_list
from m365_simulator.graph.errors import GraphError
from m365_simulator.graph.restricted_management import check_restriction
from m365_simulator.graph.router import BETA, Call, GraphResponse, Handler, Route
from m365_simulator.graph.users import METHOD_TYPES, PASSWORD_METHOD, find_user_of_methods
from m365_simulator.registered_methods import TEMPORARY_ACCESS_PASS, USABLE, usability
from m365_simulator.sign_in_rules import Directory, Person
from m365_simulator.sign_in_rules.methods import PASSKEYS, is_method_allowed
from m365_simulator.state import OBJECTS, Row

PATH = "/users/{id}/authentication/"
TYPE = "@odata.type"
OATH_DEVICE = "hardwareOathDevice"
"""The kind in the store. The name of one there is the id of the user to whom it is assigned."""

COLLECTIONS: dict[str, str] = {
    "emailMethods": "email",
    "microsoftAuthenticatorMethods": "microsoftAuthenticator",
    "passwordMethods": "password",
    "phoneMethods": "phone",
    "softwareOathMethods": "softwareOath",
    "windowsHelloForBusinessMethods": "windowsHelloForBusiness",
}
"""Lists that can only be read here, to the type in them."""


def find_user_for_change(call: Call) -> Row:
    """Raises Graph's 404, and the 403 of a restricted management unit."""
    row = find_user_of_methods(call)
    check_restriction(call, row.id)
    return row


def person_of(call: Call, row: Row) -> tuple[Directory, Person]:
    """The user as the policies on methods see it."""
    directory = Directory.read(call.store, call.tenant, call.clock.now())
    person = directory.person(row.id)
    assert person is not None
    return directory, person


def is_in_scope(call: Call, row: Row, configuration: str) -> bool:
    """Whether the authentication methods policy enables the method for this user."""
    return is_method_allowed(*person_of(call, row), configuration)


def method_not_found(id: str) -> GraphError:
    return GraphError(404, "resourceNotFound", f"The authentication method '{id}' was not found.")


def passkeys_of(row: Row) -> list[dict[str, Any]]:
    """Each as Graph shows it, with the name that the registration report has for it under `method`, and, where it was
    registered through Graph, its `credential`."""
    kept: list[dict[str, Any]] | None = row.private.get("passkeys")
    if kept is not None:
        return kept
    names = [name for name in row.private.get("methodsRegistered", ()) if name in PASSKEYS]
    return [invented_passkey(row, name, str(uuid.uuid5(uuid.UUID(row.id), name))) for name in names]


def invented_passkey(row: Row, name: str, id: str) -> dict[str, Any]:
    """Of a method in METHOD_TYPES."""
    return {**_invented(row, name), "id": id, "method": name}


def _invented(row: Row, name: str) -> dict[str, Any]:
    return {"createdDateTime": row.document["createdDateTime"], **METHOD_TYPES[name][1]}


def show_passkey(passkey: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in passkey.items() if name not in ("method", "credential")}


def show_access_pass(call: Call, row: Row) -> dict[str, Any] | None:
    """Without the secret, which is nowhere kept."""
    access_pass = row.private.get(TEMPORARY_ACCESS_PASS)
    if access_pass is None:
        return None
    reason = usability(access_pass, call.clock.now())
    if reason == USABLE and not is_in_scope(call, row, "TemporaryAccessPass"):
        reason = "DisabledByPolicy"
    shown = {name: value for name, value in access_pass.items() if name != "used"}
    return {**shown, "temporaryAccessPass": None, "isUsable": reason == USABLE, "methodUsabilityReason": reason}


def oath_devices_of(call: Call, row: Row) -> list[Row]:
    """The hardware OATH tokens assigned to a user, activated or not."""
    return call.store.rows(OATH_DEVICE, OBJECTS.c.name == row.id)


def show_oath_method(device: Row) -> dict[str, Any]:
    """Its id is that of the token."""
    return {"id": device.id, "createdDateTime": None, "device": device.document}


def methods_of(call: Call, row: Row) -> list[dict[str, Any]]:
    """All, each with its type."""
    created = row.document["createdDateTime"]
    changed = row.document.get("lastPasswordChangeDateTime", created)
    found = [_typed("password", {"id": PASSWORD_METHOD, "password": None, "createdDateTime": changed})]
    for name in row.private.get("methodsRegistered", []):
        if name in METHOD_TYPES and name not in PASSKEYS:
            members = {"id": str(uuid.uuid5(uuid.UUID(row.id), name)), **_invented(row, name)}
            found.append(_typed(METHOD_TYPES[name][0], members))
    found += [_typed("fido2", show_passkey(passkey)) for passkey in passkeys_of(row)]
    if call.version == BETA:
        found += [_typed("hardwareOath", show_oath_method(device)) for device in oath_devices_of(call, row)]
    access_pass = show_access_pass(call, row)
    return [*found, _typed("temporaryAccessPass", access_pass)] if access_pass else found


def _typed(type_name: str, members: dict[str, Any]) -> dict[str, Any]:
    return {TYPE: f"#microsoft.graph.{type_name}AuthenticationMethod", **members}


def list_methods(call: Call) -> GraphResponse:
    row = find_user_of_methods(call)
    return answer_plain_list(call, f"users('{row.id}')/authentication/methods", methods_of(call, row))


def answer_collection(call: Call, row: Row, name: str, items: Iterable[dict[str, Any]]) -> GraphResponse:
    return answer_plain_list(call, f"users('{row.id}')/authentication/{name}", items)


def answer_method(call: Call, row: Row, name: str, item: dict[str, Any], status: int = 200) -> GraphResponse:
    context = call.context(f"users('{row.id}')/authentication/{name}/$entity")
    return GraphResponse(status, {"@odata.context": context, **item})


def _lists(name: str, type_name: str) -> Handler:
    def answer(call: Call) -> GraphResponse:
        row = find_user_of_methods(call)
        wanted = _typed(type_name, {})[TYPE]
        items = [method for method in methods_of(call, row) if method[TYPE] == wanted]
        return answer_collection(call, row, name, ({k: v for k, v in item.items() if k != TYPE} for item in items))

    return answer


ROUTES = [
    Route("GET", PATH + "methods", list_methods),
    *(Route("GET", PATH + name, _lists(name, type_name)) for name, type_name in COLLECTIONS.items()),
]
