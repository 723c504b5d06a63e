# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/identity/conditionalAccess/namedLocations."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Mapping
from typing import Any

from m365_simulator.graph.answers import answer_created, answer_list, answer_one, check_known, check_types, no_content
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.conditional_access import LOCATION_KIND, PATH, check_read
from m365_simulator.graph.errors import GraphError, bad_policy, not_licensed
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.licences import FREE, tier_of

LOCATION = EntityType("namedLocation", LOCATION_KIND)
DELETED_LOCATION_KIND = "deletedNamedLocation"
SUFFIX = "identity/conditionalAccess/namedLocations"

IP, COUNTRY = "#microsoft.graph.ipNamedLocation", "#microsoft.graph.countryNamedLocation"
DEFAULTS: dict[str, dict[str, Any]] = {
    IP: {"isTrusted": False, "ipRanges": []},
    COUNTRY: {
        "countriesAndRegions": [],
        "includeUnknownCountriesAndRegions": False,
        "countryLookupMethod": "clientIpAddress",
    },
}
"""The two types that can be made, and what each has beside its name."""
REQUIRED = {IP: "ipRanges", COUNTRY: "countriesAndRegions"}
READ_ONLY = ("id", "createdDateTime", "modifiedDateTime")


def list_locations(call: Call) -> GraphResponse:
    check_read(call)
    return answer_list(call, LOCATION, SUFFIX + "{select}")


def _find(call: Call) -> dict[str, Any]:
    row = call.store.read(LOCATION.kind, call.id)
    if row is None:
        raise GraphError(404, "ResourceNotFound", f"NamedLocation with id {call.id} does not exist in the directory.")
    return row.document


def get_location(call: Call) -> GraphResponse:
    check_read(call)
    return answer_one(call, LOCATION, SUFFIX + "/$entity", _find(call))


def create_location(call: Call) -> GraphResponse:
    _check_licence(call)
    body = call.body()
    type_name = str(body.get("@odata.type"))
    if type_name not in DEFAULTS:
        raise bad_policy("Cannot create an abstract class.")
    for name in ("displayName", REQUIRED[type_name]):
        if not body.get(name):
            raise bad_policy(f"A value is required for the property '{name}'.")
    location = {
        "@odata.type": type_name,
        "id": str(uuid.uuid4()),
        "displayName": "",
        "modifiedDateTime": call.clock.stamp(),
        "createdDateTime": call.clock.stamp(),
        **DEFAULTS[type_name],
    }
    location.update(_changes(body, location))
    call.store.insert(LOCATION.kind, location["id"], location)
    record_change(call, "Policy", "Add named location", location["id"], location["displayName"])
    return answer_created(call, SUFFIX + "/$entity", location)


def patch_location(call: Call) -> GraphResponse:
    _check_licence(call)
    stored = _find(call)
    body = call.body()
    if body.get("@odata.type") != stored["@odata.type"]:
        raise bad_policy("The type of the named location must be given, and cannot be changed.")
    location = {**stored, **_changes(body, stored), "modifiedDateTime": call.clock.stamp()}
    call.store.update(LOCATION.kind, stored["id"], document=location)
    record_change(call, "Policy", "Update named location", location["id"], location["displayName"])
    return no_content()


def delete_location(call: Call) -> GraphResponse:
    """Into the deleted items of Conditional Access, once it is no longer trusted. No public source has the text."""
    stored = _find(call)
    if stored.get("isTrusted"):
        status = int(call.assumes("trusted_location_refusal"))
        raise GraphError(status, "BadRequest" if status == 400 else "Conflict", "A trusted location cannot be deleted.")
    call.store.delete(LOCATION.kind, stored["id"])
    call.store.insert(DELETED_LOCATION_KIND, stored["id"], {**stored, "deletedDateTime": call.clock.stamp()})
    record_change(call, "Policy", "Delete named location", stored["id"], stored["displayName"])
    return no_content()


def _check_licence(call: Call) -> None:
    if tier_of(call.store.documents("subscribedSku")) == FREE:
        raise not_licensed()


def _changes(body: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """What is written, checked against the location so far."""
    check_known(body, known, str(known["@odata.type"]).removeprefix("#microsoft.graph."))
    changes = {name: value for name, value in body.items() if name not in READ_ONLY and "@odata." not in name}
    check_types(changes, {**known, "ipRanges": [{}], "countriesAndRegions": [""]}, "namedLocation")
    if None in changes.values():
        raise bad_policy("A null value was found for a property that is not nullable.")
    for item in changes.get("ipRanges", ()):
        _check_range(item.get("cidrAddress"))
    return changes


def _check_range(text: Any) -> None:
    try:
        if "/" not in str(text):
            raise ValueError
        ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        raise bad_policy(f"The IP range '{text}' is not valid.") from None


ROUTES = [
    Route("GET", PATH + "/namedLocations", list_locations),
    Route("POST", PATH + "/namedLocations", create_location),
    Route("GET", PATH + "/namedLocations/{id}", get_location),
    Route("PATCH", PATH + "/namedLocations/{id}", patch_location),
    Route("DELETE", PATH + "/namedLocations/{id}", delete_location),
]
