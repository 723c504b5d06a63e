# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/reports/authenticationMethods/userRegistrationDetails and /auditLogs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import case, exists, func, literal, select

from m365_simulator.clock import to_stamp
from m365_simulator.graph.answers import answer_list, answer_one
from m365_simulator.graph.errors import GraphError, no_premium_licence, not_found
from m365_simulator.graph.odata import Column, Condition, EntityType
from m365_simulator.graph.router import BETA, Call, GraphResponse, Route
from m365_simulator.licences import FREE, tier_of
from m365_simulator.registered_methods import registered_methods
from m365_simulator.state import OBJECTS, Row
from m365_simulator.words import words

MFA_METHODS = (
    "microsoftAuthenticatorPush",
    "microsoftAuthenticatorPasswordless",
    "softwareOneTimePasscode",
    "hardwareOneTimePasscode",
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "fido2SecurityKey",
    "passKeyDeviceBound",
    "passKeySynced",
    "windowsHelloForBusiness",
)
PASSWORDLESS_METHODS = (
    "microsoftAuthenticatorPasswordless",
    "fido2SecurityKey",
    "passKeyDeviceBound",
    "passKeySynced",
    "windowsHelloForBusiness",
)
DEFAULT_METHODS = (
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "microsoftAuthenticatorPush",
    "softwareOneTimePasscode",
)
RESET_METHODS = ("mobilePhone", "alternateMobilePhone", "officePhone", "email", "microsoftAuthenticatorPush")
PREFERRED = {"microsoftAuthenticatorPush": "push", "softwareOneTimePasscode": "oath", "mobilePhone": "sms"}

ASSIGNMENTS = OBJECTS.alias("assignments")


def _has_method(methods: Iterable[str]) -> Column:
    items = func.json_each(OBJECTS.c.private, "$.methodsRegistered").table_valued("value")
    return exists(select(literal(1)).select_from(items).where(items.c.value.in_(tuple(methods))))


def _is_admin() -> Column:
    return exists(
        select(literal(1)).where(
            ASSIGNMENTS.c.tenant == OBJECTS.c.tenant,
            ASSIGNMENTS.c.kind == "roleAssignment",
            func.json_extract(ASSIGNMENTS.c.document, "$.principalId") == OBJECTS.c.id,
        )
    )


REGISTRATION = EntityType(
    "userRegistrationDetails",
    "user",
    properties=frozenset(
        words(
            """
        id userPrincipalName userDisplayName userType isAdmin isSsprRegistered isSsprEnabled isSsprCapable
        isMfaRegistered isMfaCapable isPasswordlessCapable lastUpdatedDateTime methodsRegistered
        isSystemPreferredAuthenticationMethodEnabled systemPreferredAuthenticationMethods
        userPreferredMethodForSecondaryAuthentication defaultMfaMethod
        """
        )
    ),
    filterable=frozenset(
        words(
            """
        id userPrincipalName userDisplayName userType isAdmin isSsprRegistered isMfaRegistered isMfaCapable
        isPasswordlessCapable
        """
        )
    ),
    page=1000,
    largest_page=1000,
    columns={
        "userDisplayName": lambda: func.json_extract(OBJECTS.c.document, "$.displayName"),
        "userType": lambda: func.lower(func.json_extract(OBJECTS.c.document, "$.userType")),
        "isAdmin": _is_admin,
        "isMfaRegistered": lambda: _has_method(MFA_METHODS),
        "isMfaCapable": lambda: _has_method(MFA_METHODS),
        "isPasswordlessCapable": lambda: _has_method(PASSWORDLESS_METHODS),
        "isSsprRegistered": lambda: _has_method(RESET_METHODS),
    },
)
EVENT_TYPES = "signInEventTypes"
IS_INTERACTIVE = func.json_extract(OBJECTS.c.document, "$.isInteractive") == 1


def _event_types() -> Column:
    return func.json_array(case((IS_INTERACTIVE, "interactiveUser"), else_="nonInteractiveUser"))


SIGN_IN = EntityType("signIn", "signIn", page=1000, largest_page=1000, lists={EVENT_TYPES: _event_types})
AUDIT = EntityType("directoryAudit", "directoryAudit", page=1000, largest_page=1000)

REGISTRATION_SUFFIX = "reports/authenticationMethods/userRegistrationDetails"


def _need_premium(call: Call) -> None:
    if tier_of(call.store.documents("subscribedSku")) == FREE:
        raise no_premium_licence()


def show_registration(row: Row, admins: set[str], now: float, beta: bool) -> dict[str, Any]:
    """`now` in seconds since the epoch."""
    methods = registered_methods(row.private, now)
    registered = any(method in MFA_METHODS for method in methods)
    reset = any(method in RESET_METHODS for method in methods)
    preferred = next((PREFERRED[method] for method in methods if method in PREFERRED), "none")
    details = {
        "id": row.id,
        "userPrincipalName": row.document["userPrincipalName"],
        "userDisplayName": row.document["displayName"],
        "userType": row.document["userType"].lower(),
        "isAdmin": row.id in admins,
        "isSsprRegistered": reset,
        "isSsprEnabled": False,
        "isSsprCapable": False,
        "isMfaRegistered": registered,
        "isMfaCapable": registered,
        "isPasswordlessCapable": any(method in PASSWORDLESS_METHODS for method in methods),
        "lastUpdatedDateTime": to_stamp(now),
        "methodsRegistered": methods,
        "isSystemPreferredAuthenticationMethodEnabled": True,
        "systemPreferredAuthenticationMethods": [preferred] if preferred != "none" else [],
        "userPreferredMethodForSecondaryAuthentication": preferred,
    }
    if beta:
        details["defaultMfaMethod"] = next((method for method in methods if method in DEFAULT_METHODS), "none")
    return details


def _admins(call: Call) -> set[str]:
    return {assignment["principalId"] for assignment in call.store.documents("roleAssignment")}


def list_registrations(call: Call) -> GraphResponse:
    _need_premium(call)
    admins, now, beta = _admins(call), call.clock.now(), call.version == BETA
    return answer_list(
        call, REGISTRATION, REGISTRATION_SUFFIX, show=lambda row: show_registration(row, admins, now, beta)
    )


def get_registration(call: Call) -> GraphResponse:
    _need_premium(call)
    row = call.store.read("user", call.id)
    if row is None:
        raise not_found(call.id)
    details = show_registration(row, _admins(call), call.clock.now(), call.version == BETA)
    return answer_one(call, REGISTRATION, REGISTRATION_SUFFIX + "/$entity", details)


def list_sign_ins(call: Call) -> GraphResponse:
    _need_premium(call)
    query = call.query
    if "$orderby" not in query.options:
        query = replace(query, options={**query.options, "$orderby": "createdDateTime desc"})
    return answer_list(
        replace(call, query=query),
        SIGN_IN,
        "auditLogs/signIns",
        *_arrived(call),
        *_of_event_types(call),
        show=lambda row: _show_sign_in(call, row),
    )


def _arrived(call: Call) -> tuple[Condition, ...]:
    """An entry is not there at once, if so assumed."""
    delay = int(call.assumes("sign_in_log_delay_seconds"))
    if not delay:
        return ()
    return (func.json_extract(OBJECTS.c.document, "$.createdDateTime") <= to_stamp(call.clock.now() - delay),)


def _of_event_types(call: Call) -> tuple[Condition, ...]:
    """Only interactive ones, unless in beta a filter says which (Graph reference of signIn in beta)."""
    asked = call.version == BETA and EVENT_TYPES in call.query.options.get("$filter", "")
    return () if asked else (IS_INTERACTIVE,)


def _show_sign_in(call: Call, row: Row) -> dict[str, Any]:
    if call.version != BETA:
        return row.document
    types = ["interactiveUser" if row.document["isInteractive"] else "nonInteractiveUser"]
    return {**row.document, **row.private, EVENT_TYPES: types}


def list_audits(call: Call) -> GraphResponse:
    return answer_list(call, AUDIT, "auditLogs/directoryAudits")


def _get_log(call: Call, entity: EntityType) -> GraphResponse:
    row = call.store.read(entity.kind, call.id)
    if row is None:
        raise GraphError(404, "ResourceNotFound", f"Resource '{call.id}' does not exist.")
    shown = _show_sign_in(call, row) if entity is SIGN_IN else row.document
    return answer_one(call, entity, f"auditLogs/{entity.name}s/$entity", shown)


def get_sign_in(call: Call) -> GraphResponse:
    _need_premium(call)
    return _get_log(call, SIGN_IN)


def get_audit(call: Call) -> GraphResponse:
    return _get_log(call, AUDIT)


ROUTES = [
    Route("GET", "/reports/authenticationMethods/userRegistrationDetails", list_registrations),
    Route("GET", "/reports/authenticationMethods/userRegistrationDetails/{id}", get_registration),
    Route("GET", "/auditLogs/signIns", list_sign_ins),
    Route("GET", "/auditLogs/signIns/{id}", get_sign_in),
    Route("GET", "/auditLogs/directoryAudits", list_audits),
    Route("GET", "/auditLogs/directoryAudits/{id}", get_audit),
]
