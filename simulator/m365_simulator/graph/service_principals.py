# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/servicePrincipals: the tenant's own application, and Microsoft Graph itself."""

from __future__ import annotations

from m365_simulator.graph.answers import answer_count, answer_list, answer_one
from m365_simulator.graph.errors import not_found
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import Call, GraphResponse, Route

SERVICE_PRINCIPAL = EntityType("servicePrincipal", "servicePrincipal", directory=True, page=100)


def list_service_principals(call: Call) -> GraphResponse:
    return answer_list(call, SERVICE_PRINCIPAL, "servicePrincipals{select}")


def count_service_principals(call: Call) -> GraphResponse:
    return answer_count(call, SERVICE_PRINCIPAL)


def get_service_principal(call: Call) -> GraphResponse:
    """By object id, or as servicePrincipals(appId='...')."""
    key, equals, value = call.id.partition("=")
    if equals and key == "appId":
        row = call.store.read_by_name("servicePrincipal", value)
    else:
        row = call.store.read("servicePrincipal", call.id)
    if row is None:
        raise not_found(call.id)
    return answer_one(call, SERVICE_PRINCIPAL, "servicePrincipals{select}/$entity", row.document)


ROUTES = [
    Route("GET", "/servicePrincipals", list_service_principals),
    Route("GET", "/servicePrincipals/$count", count_service_principals),
    Route("GET", "/servicePrincipals/{id}", get_service_principal),
]
