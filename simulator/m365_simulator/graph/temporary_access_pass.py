# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/users/{id}/authentication/temporaryAccessPassMethods: one pass at a time, whose secret is told once and not kept.

Source: Microsoft's pages "Create temporaryAccessPassMethod" and "temporaryAccessPassAuthenticationMethod resource
type"; two refusals in the words that users reported. That a free tenant is refused is an assumption.
"""

from __future__ import annotations

import secrets
import string
import uuid
from typing import Any

from m365_simulator.clock import from_stamp, to_stamp
from m365_simulator.graph.answers import check_known, no_content
from m365_simulator.graph.audit import record_change
from m365_simulator.graph.errors import bad_policy, not_licensed
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.graph.user_methods import (
    PATH,
    answer_collection,
    answer_method,
    find_user_for_change,
    is_in_scope,
    method_not_found,
    show_access_pass,
)
from m365_simulator.graph.users import find_user_of_methods
from m365_simulator.licences import FREE, tier_of
from m365_simulator.registered_methods import TEMPORARY_ACCESS_PASS
from m365_simulator.state import Row

NAME = "temporaryAccessPassMethods"
MEMBERS = ("id", "createdDateTime", "startDateTime", "lifetimeInMinutes", "isUsableOnce", "temporaryAccessPass")
CHARACTERS = string.ascii_letters + string.digits


def list_passes(call: Call) -> GraphResponse:
    row = find_user_of_methods(call)
    shown = show_access_pass(call, row)
    return answer_collection(call, row, NAME, [shown] if shown else [])


def _find(call: Call, row: Row) -> dict[str, Any]:
    shown = show_access_pass(call, row)
    if shown is None or shown["id"] != call.parameters["method"].lower():
        raise method_not_found(call.parameters["method"])
    return shown


def get_pass(call: Call) -> GraphResponse:
    row = find_user_of_methods(call)
    return answer_method(call, row, NAME, _find(call, row))


def create_pass(call: Call) -> GraphResponse:
    """In the place of the one before."""
    row = find_user_for_change(call)
    if (
        tier_of(call.store.documents("subscribedSku")) == FREE
        and call.assumes("temporary_access_pass_on_free") == "refused"
    ):
        raise not_licensed()
    body = {name: value for name, value in call.body().items() if "@odata." not in name}
    check_known(body, MEMBERS, "temporaryAccessPassAuthenticationMethod")
    if "#EXT#" in row.document["userPrincipalName"].upper():
        raise bad_policy("Temporary Access Pass cannot be added to an external guest user.")
    if not is_in_scope(call, row, "TemporaryAccessPass"):
        raise bad_policy(
            "Converged UserCredentialPolicy does not allow creating or updating TemporaryAccessPass credential."
        )
    configuration = call.store.read("methodConfiguration", "TemporaryAccessPass")
    assert configuration is not None
    policy = configuration.document
    now = call.clock.now()
    access_pass = {
        "id": str(uuid.uuid4()),
        "createdDateTime": to_stamp(now),
        "startDateTime": to_stamp(_read_start(body.get("startDateTime"), now)),
        "lifetimeInMinutes": _read_lifetime(body.get("lifetimeInMinutes"), policy),
        "isUsableOnce": _read_once(body.get("isUsableOnce"), policy),
    }
    private = {**row.private, TEMPORARY_ACCESS_PASS: access_pass}
    call.store.update("user", row.id, private=private)
    name = row.document["userPrincipalName"]
    record_change(call, "User", "Admin registered temporary access pass method for user", row.id, name)
    shown = show_access_pass(call, row._replace(private=private))
    secret = "".join(secrets.choice(CHARACTERS) for _unused in range(policy["defaultLength"]))
    return answer_method(call, row, NAME, {**(shown or {}), "temporaryAccessPass": secret}, 201)


def _read_start(value: Any, now: float) -> float:
    if value is None:
        return now
    try:
        start = from_stamp(str(value))
    except ValueError:
        raise bad_policy("Cannot convert the value of 'startDateTime' to the expected type.") from None
    return max(start, now)


def _read_lifetime(value: Any, policy: dict[str, Any]) -> int:
    if value is None:
        return int(policy["defaultLifetimeInMinutes"])
    least, most = policy["minimumLifetimeInMinutes"], policy["maximumLifetimeInMinutes"]
    if not isinstance(value, int) or isinstance(value, bool):
        raise bad_policy("Cannot convert the value of 'lifetimeInMinutes' to the expected type.")
    if not least <= value <= most:
        raise bad_policy(f"The lifetimeInMinutes must be between {least} and {most}, as the policy says.")
    return value


def _read_once(value: Any, policy: dict[str, Any]) -> bool:
    if value is None:
        return bool(policy["isUsableOnce"])
    if not isinstance(value, bool):
        raise bad_policy("Cannot convert the value of 'isUsableOnce' to the expected type.")
    if policy["isUsableOnce"] and not value:
        raise bad_policy("The policy allows one-time Temporary Access Passes only.")
    return value


def delete_pass(call: Call) -> GraphResponse:
    row = find_user_for_change(call)
    _find(call, row)
    private = {name: value for name, value in row.private.items() if name != TEMPORARY_ACCESS_PASS}
    call.store.update("user", row.id, private=private)
    name = row.document["userPrincipalName"]
    record_change(call, "User", "Admin deleted temporary access pass method for user", row.id, name)
    return no_content()


ROUTES = [
    Route("GET", PATH + NAME, list_passes),
    Route("POST", PATH + NAME, create_pass),
    Route("GET", PATH + NAME + "/{method}", get_pass),
    Route("DELETE", PATH + NAME + "/{method}", delete_pass),
]
