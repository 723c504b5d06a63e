# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users, named and generated, and the directory roles that they hold."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from m365_simulator.building.making import Making
from m365_simulator.clock import days_before
from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.graph.users import DELETED_KIND, ONLY_WHILE_DELETED
from m365_simulator.population import Place, UserRow, generate_people, make_user


def build_people(making: Making, domains: list[dict[str, Any]], skus: list[dict[str, Any]]) -> None:
    rng, facts = making.random("people"), making.random("facts about people")
    people = making.scenario.get("people", {})
    generated = people.get("generated", {})
    synced_domain = generated.get("synced_domain")
    place = Place(
        initial_domain=making.tenant.initial_domain,
        default_domain=next(domain["id"] for domain in domains if domain["isDefault"]),
        country=making.about.get("country", "NL"),
        now=making.now,
        age_days=making.age_days,
        sku_ids=tuple(sku["skuId"] for sku in skus),
        synced_domain=making.numbered(synced_domain) if synced_domain else None,
    )
    taken: set[str] = set()
    named: list[tuple[UserRow, tuple[str, ...]]] = []
    for person in people.get("named", []):
        if "domain" in person and person["domain"] != "initial":
            person = {**person, "domain": making.numbered(person["domain"])}
        row = make_user(rng, place, person, taken)
        named.append((row, tuple(person.get("roles", ()))))
        _limited_roles(making, row.id, person)
        making.ids[f"user:{person.get('user') or person['name']}"] = row.id
        making.ids[f"user:{row.document['mailNickname']}"] = row.id
    count = generated.get("count", 0) if making.users is None else max(0, making.users - len(named))
    licensed = 0
    assignments: list[tuple[str, str]] = []

    def counted() -> Iterator[UserRow]:
        nonlocal licensed
        for row, roles in (*named, *generate_people(rng, facts, place, generated, count, taken)):
            licensed += bool(row.document["assignedLicenses"])
            assignments.extend((BUILT_IN_ROLES[role][0], row.id) for role in roles)
            making.note_user(row)
            yield row

    making.store.insert_many("user", counted())
    _count_licences(making, skus, licensed)
    for role, principal in assignments:
        making.assign(role, principal)
    _delete_some(making, place, round((count + len(named)) * generated.get("deleted", 0)), taken)


def _limited_roles(making: Making, id: str, person: Mapping[str, Any]) -> None:
    """Those that a named person is eligible for, or has for a time."""
    for name in person.get("eligible_roles", ()):
        making.make_eligible(BUILT_IN_ROLES[name][0], id)
    for bound in person.get("time_bound_roles", ()):
        role = BUILT_IN_ROLES[bound["role"]][0]
        making.assign_until(role, id, bound.get("days", 30), activated=bound.get("activated", False))


def _count_licences(making: Making, skus: list[dict[str, Any]], licensed: int) -> None:
    for sku in skus:
        sku["consumedUnits"] = licensed
        enabled = sku["prepaidUnits"]["enabled"]
        sku["prepaidUnits"]["enabled"] = max(enabled, licensed) if enabled else 0
        making.add("subscribedSku", sku["id"], sku)


def _delete_some(making: Making, place: Place, count: int, taken: set[str]) -> None:
    """Users beside the others, who were deleted in the last 30 days: as Graph's DELETE leaves them."""
    rng, facts = making.random("deleted people"), making.random("facts about deleted people")
    people = generate_people(rng, facts, place, {}, count, taken)
    for row, _unused in people:
        gone = max(days_before(place.now, facts.random() * 30), row.document["createdDateTime"])
        name = f"{uuid.UUID(row.id).hex}{row.name}"
        before = dict(zip(ONLY_WHILE_DELETED, (row.name, [], []), strict=True))
        document = {**row.document, "deletedDateTime": gone, "userPrincipalName": name}
        making.add(DELETED_KIND, row.id, document, private={**row.private, **before})
