# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/directoryObjects: any object of the directory by its id, whatever its type.

Source: Microsoft's pages "Get directoryObject" and "directoryObject: getByIds".
"""

from __future__ import annotations

import uuid
from typing import Any

from m365_simulator.graph.answers import check_known
from m365_simulator.graph.applications import registration_id, show_application
from m365_simulator.graph.errors import bad_policy, bad_request, not_found
from m365_simulator.graph.groups import find_object, show_object
from m365_simulator.graph.restricted_management import UNIT
from m365_simulator.graph.roles import activated_roles
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.graph.service_principals import show_service_principal

MOST_IDS = 1000
EVERY_TYPE = "directoryObject"


def _find(call: Call, id: str) -> tuple[str, dict[str, Any]] | None:
    """The object's type and the object in full, with its type in it."""
    found = find_object(call.store, id)
    if found is not None:
        kind, row = found
        if kind == "servicePrincipal":
            return kind, _typed(kind, show_service_principal(call, row.document))
        return kind, show_object(kind, row.document)
    unit = call.store.read(UNIT, id)
    if unit is not None:
        return UNIT, _typed(UNIT, unit.document)
    if id.lower() == registration_id(call.tenant):
        return "application", _typed("application", show_application(call))
    for role in activated_roles(call):
        if role["id"] == id.lower():
            return "directoryRole", _typed("directoryRole", role)
    return None


def _typed(kind: str, document: dict[str, Any]) -> dict[str, Any]:
    return {"@odata.type": f"#microsoft.graph.{kind}", **document}


def _selected(call: Call, shown: dict[str, Any]) -> dict[str, Any]:
    """Objects of a type that has no such property are shown without it."""
    names = call.query.select
    if not names:
        return shown
    return {name: value for name, value in shown.items() if name in ("@odata.type", "id", *names)}


def get_object(call: Call) -> GraphResponse:
    try:
        id = str(uuid.UUID(call.id))
    except ValueError:
        raise bad_request(f"Invalid object identifier '{call.id}'.") from None
    found = _find(call, id)
    if found is None:
        raise not_found(id)
    shown = _selected(call, found[1])
    return GraphResponse(200, {"@odata.context": call.context("directoryObjects/$entity"), **shown})


def get_by_ids(call: Call) -> GraphResponse:
    """Ids that are not found are left out, as are objects of types that were not asked for."""
    body = call.body()
    check_known(body, ("ids", "types"), "directoryObject")
    ids, types = body.get("ids"), body.get("types") or [EVERY_TYPE]
    if not isinstance(ids, list) or not ids or not all(isinstance(id, str) for id in ids):
        raise bad_request("Invalid value specified for parameter 'ids': a collection of identifiers is required.")
    if len(ids) > MOST_IDS:
        raise bad_request(f"Too many identifiers: 'ids' takes at most {MOST_IDS}.")
    if not isinstance(types, list) or not all(isinstance(name, str) for name in types):
        raise bad_policy("Cannot convert the value of 'types' to the expected type.")
    wanted = {name.lower() for name in types}
    shown = []
    for id in dict.fromkeys(id.lower() for id in ids):
        try:
            uuid.UUID(id)
        except ValueError:
            raise bad_request(f"Invalid object identifier '{id}'.") from None
        found = _find(call, id)
        if found is not None and {found[0].lower(), EVERY_TYPE.lower()} & wanted:
            shown.append(_selected(call, found[1]))
    return GraphResponse(200, {"@odata.context": call.context("directoryObjects"), "value": shown})


ROUTES = [
    Route("GET", "/directoryObjects/{id}", get_object),
    Route("POST", "/directoryObjects/getByIds", get_by_ids, reads=True),
]
