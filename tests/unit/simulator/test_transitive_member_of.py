# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/users/{id}/transitiveMemberOf: what somebody belongs to through groups in groups."""

from __future__ import annotations

from ansible_collections.zerotrust.m365.tests.scenarios.asking import USERS, new_unit, new_user
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Client

GROUPS = "/v1.0/groups"


def new_group(client: Client, name: str, *members: str) -> str:
    body = {"displayName": name, "mailNickname": name, "mailEnabled": False, "securityEnabled": True}
    group: str = client.call("POST", GROUPS, body).body["id"]
    for member in members:
        put_in(client, f"{GROUPS}/{group}", member)
    return group


def put_in(client: Client, place: str, member: str) -> None:
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{member}"}
    assert client.call("POST", f"{place}/members/$ref", reference).status == 204


def test_groups_around_groups_and_their_units_are_shown_once(business: Client) -> None:
    person = new_user(business).body["id"]
    inner = new_group(business, "inner", person)
    outer = new_group(business, "outer", inner, person)
    put_in(business, f"{GROUPS}/{inner}", outer)  # round and round
    unit = new_unit(business)
    put_in(business, f"/v1.0/directory/administrativeUnits/{unit}", outer)
    found = business.get(f"{USERS}/{person}/transitiveMemberOf?$select=id").value
    assert sorted((one["@odata.type"], one["id"]) for one in found) == sorted(
        [
            ("#microsoft.graph.group", inner),
            ("#microsoft.graph.group", outer),
            ("#microsoft.graph.administrativeUnit", unit),
        ]
    )
    direct = [one["id"] for one in business.get(f"{USERS}/{person}/memberOf").value]
    assert sorted(direct) == sorted([inner, outer])


def test_somebody_who_is_not_there_belongs_nowhere(business: Client) -> None:
    assert business.get(f"{USERS}/nobody@contoso.example/transitiveMemberOf").status == 404
