# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/organization, /domains, /subscribedSkus."""

from __future__ import annotations

from m365_simulator.graph.answers import answer_one, answer_plain_list
from m365_simulator.graph.errors import not_found
from m365_simulator.graph.odata import EntityType
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.state import OBJECTS

ORGANIZATION = EntityType("organization", "organization")
DOMAIN = EntityType("domain", "domain")
FEDERATION = EntityType("internalDomainFederation", "federation")
SKU = EntityType("subscribedSku", "subscribedSku")


def list_organizations(call: Call) -> GraphResponse:
    return answer_plain_list(call, "organization{select}", call.store.documents("organization"))


def get_organization(call: Call) -> GraphResponse:
    row = call.store.read("organization", call.id)
    if row is None:
        raise not_found(call.id)
    return answer_one(call, ORGANIZATION, "organization{select}/$entity", row.document)


def list_domains(call: Call) -> GraphResponse:
    return answer_plain_list(call, "domains{select}", call.store.documents("domain"))


def get_domain(call: Call) -> GraphResponse:
    row = call.store.read("domain", call.id)
    if row is None:
        raise not_found(call.id)
    return answer_one(call, DOMAIN, "domains{select}/$entity", row.document)


def list_federation(call: Call) -> GraphResponse:
    domain = call.store.read("domain", call.id)
    if domain is None:
        raise not_found(call.id)
    found = call.store.documents("federation", OBJECTS.c.name == call.id)
    return answer_plain_list(call, f"domains('{domain.id}')/federationConfiguration{{select}}", found)


def get_federation(call: Call) -> GraphResponse:
    id = call.parameters["federation"]
    row = call.store.read("federation", id)
    if row is None:
        raise not_found(id)
    return answer_one(call, FEDERATION, f"domains('{call.id}')/federationConfiguration/$entity", row.document)


def list_skus(call: Call) -> GraphResponse:
    return answer_plain_list(call, "subscribedSkus{select}", call.store.documents("subscribedSku"))


def get_sku(call: Call) -> GraphResponse:
    row = call.store.read("subscribedSku", call.id)
    if row is None:
        raise not_found(call.id)
    return answer_one(call, SKU, "subscribedSkus{select}/$entity", row.document)


ROUTES = [
    Route("GET", "/organization", list_organizations),
    Route("GET", "/organization/{id}", get_organization),
    Route("GET", "/domains", list_domains),
    Route("GET", "/domains/{id}", get_domain),
    Route("GET", "/domains/{id}/federationConfiguration", list_federation),
    Route("GET", "/domains/{id}/federationConfiguration/{federation}", get_federation),
    Route("GET", "/subscribedSkus", list_skus),
    Route("GET", "/subscribedSkus/{id}", get_sku),
]
