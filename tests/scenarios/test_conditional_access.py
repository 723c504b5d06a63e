# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios 44 to 50: Conditional Access."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    ACCESS,
    DEFAULTS_ARE_ON,
    DISABLED,
    ENABLED,
    LOCATIONS,
    MFA_FOR_ALL,
    NOBODY,
    POLICIES,
    REPORT_ONLY,
    advance,
    assume,
    refused,
    set_defaults,
    under,
    user_named,
    without_enabled_policies,
    write_policy,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Answer, Client

DELETED = f"{ACCESS}/deletedItems/policies"
DELETED_LOCATIONS = f"{ACCESS}/deletedItems/namedLocations"
OFFICE = {
    "@odata.type": "#microsoft.graph.ipNamedLocation",
    "displayName": "Office",
    "isTrusted": True,
    "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24"}],
}
DAY = 86400


def conditions(**changes: Any) -> dict[str, Any]:
    return {**MFA_FOR_ALL["conditions"], **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "on"},
        {"displayName": None},
        {"conditions": None},
        {"colour": "red"},
        {"conditions": conditions(colour={})},
        {"conditions": conditions(clientAppTypes=["telnet"])},
        {"conditions": conditions(clientAppTypes=[])},
        {"grantControls": {"operator": "OR", "builtInControls": ["handshake"]}},
        {"grantControls": None},
    ],
)
def test_scenario_44_a_policy_must_fit_the_schema(business: Client, changes: dict[str, Any]) -> None:
    before = business.get(POLICIES).value
    assert refused(write_policy(business, **changes), 400, "BadRequest").startswith("1007: ")
    assert business.get(POLICIES).value == before


def test_scenario_45_a_new_location_is_known_after_a_while(business: Client) -> None:
    def write(location: str) -> Answer:
        locations = {"includeLocations": ["All"], "excludeLocations": [location]}
        return write_policy(business, conditions=conditions(locations=locations))

    assert refused(write(NOBODY), 400, "BadRequest").startswith("1040: ")
    late = {"kind": "late_visibility", "path": "/namedLocations$", "seconds": 15}
    assert business.admin("POST", "/faults", late).status == 200
    location = business.call("POST", LOCATIONS, OFFICE).body["id"]
    assert refused(write(location), 400, "BadRequest").startswith("1040: ")
    advance(business, 16)
    assert write(location).status == 201


def test_scenario_46_policies_are_read_back_in_their_own_form(business: Client) -> None:
    flows = {"transferMethods": "deviceCodeFlow,authenticationTransfer"}
    made = write_policy(
        business,
        conditions=conditions(authenticationFlows=flows, platforms={}),
        grantControls={"operator": "AND", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}},
        sessionControls={"signInFrequency": None, "cloudAppSecurity": {"isEnabled": False}},
    ).body
    assert made["grantControls"]["operator"] == "OR"
    assert made["grantControls"]["authenticationStrength"]["displayName"] == "Phishing-resistant MFA"
    assert made["conditions"]["authenticationFlows"]["transferMethods"] == "authenticationTransfer,deviceCodeFlow"
    assert made["conditions"]["platforms"] is None
    assert made["conditions"]["users"]["excludeUsers"] == []
    assert made["sessionControls"] is None
    assert made["modifiedDateTime"] is None
    address = f"{POLICIES}/{made['id']}"
    assert business.call("PATCH", address, {"displayName": "Renamed"}).status == 204
    shown = business.get(address).body
    assert (shown["displayName"], shown["grantControls"]) == ("Renamed", made["grantControls"])
    assert shown["modifiedDateTime"] is not None
    two = write_policy(business, grantControls={"operator": "AND", "builtInControls": ["mfa", "compliantDevice"]})
    assert two.body["grantControls"]["operator"] == "AND"


def test_scenario_47_deleted_policies_can_come_back(business: Client) -> None:
    policy = write_policy(business).body
    assert business.get(DELETED).value == []
    assert business.call("DELETE", f"{POLICIES}/{policy['id']}").status == 204
    assert business.get(f"{POLICIES}/{policy['id']}").status == 404
    (deleted,) = business.get(DELETED).value
    assert (deleted["id"], deleted["displayName"]) == (policy["id"], policy["displayName"])
    assert deleted["deletedDateTime"] is not None
    assert business.get(f"{DELETED}/{policy['id']}").body["state"] == policy["state"]

    assert business.call("POST", f"{DELETED}/{policy['id']}/restore").status == 200
    assert business.get(DELETED).value == []
    restored = business.get(f"{POLICIES}/{policy['id']}").body
    assert restored["conditions"] == policy["conditions"]

    business.call("DELETE", f"{POLICIES}/{policy['id']}")
    assert business.call("DELETE", f"{DELETED}/{policy['id']}").status == 204
    for method, path in (("GET", ""), ("POST", "/restore"), ("DELETE", "")):
        refused(business.call(method, f"{DELETED}/{policy['id']}{path}"), 404, "ResourceNotFound")


def test_deleted_items_of_conditional_access_end(business: Client) -> None:
    policy = write_policy(business).body["id"]
    business.call("DELETE", f"{POLICIES}/{policy}")
    advance(business, 29 * DAY)
    assert business.get(f"{DELETED}/{policy}").status == 200
    advance(business, 2 * DAY)
    assert business.get(f"{DELETED}/{policy}").status == 404


def test_an_enabled_policy_does_not_come_back_under_security_defaults(business: Client) -> None:
    policy = write_policy(business, state=ENABLED).body["id"]
    business.call("DELETE", f"{POLICIES}/{policy}")
    assert set_defaults(without_enabled_policies(business), True).status == 204
    answer = business.call("POST", f"{DELETED}/{policy}/restore")
    assert refused(answer, 400, "BadRequest") == DEFAULTS_ARE_ON


@under("trusted_location_refusal")
def test_scenario_48_trusted_locations_stay(business: Client, trusted_location_refusal: str) -> None:
    assume(business, trusted_location_refusal=trusted_location_refusal)
    made = business.call("POST", LOCATIONS, OFFICE)
    assert (made.status, made.body["isTrusted"]) == (201, True)
    address = f"{LOCATIONS}/{made.body['id']}"
    assert business.call("DELETE", address).status == int(trusted_location_refusal)
    assert business.get(address).status == 200
    change = {"@odata.type": OFFICE["@odata.type"], "isTrusted": False}
    assert business.call("PATCH", address, change).status == 204
    assert business.call("DELETE", address).status == 204
    assert business.get(address).status == 404
    assert [item["id"] for item in business.get(DELETED_LOCATIONS).value] == [made.body["id"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"@odata.type": "#microsoft.graph.namedLocation"},
        {"displayName": ""},
        {"ipRanges": []},
        {"ipRanges": [{"cidrAddress": "198.51.100.0"}]},
        {"ipRanges": [{"cidrAddress": "somewhere/8"}]},
        {"isTrusted": "yes"},
        {"colour": "red"},
    ],
)
def test_locations_that_are_refused(business: Client, changes: dict[str, Any]) -> None:
    before = business.get(LOCATIONS).value
    refused(business.call("POST", LOCATIONS, {**OFFICE, **changes}), 400, "BadRequest")
    assert business.get(LOCATIONS).value == before


EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"


def what_if(client: Client, user: str, applied_only: bool = False, **changes: Any) -> Answer:
    body = {
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": user},
        "signInContext": {
            "@odata.type": "#microsoft.graph.applicationContext",
            "includeApplications": [EXCHANGE_ONLINE],
        },
        "signInConditions": {"clientAppType": "browser", "ipAddress": "198.51.100.7", "country": "NL"},
        "appliedPoliciesOnly": applied_only,
        **changes,
    }
    return client.call("POST", f"{ACCESS}/evaluate", body)


@under("what_if_without_information")
def test_scenario_49_what_if_tells_which_policies_apply(business: Client, what_if_without_information: str) -> None:
    assume(business, what_if_without_information=what_if_without_information)
    administrator, emergency = user_named(business, "Karim Ali"), user_named(business, "Emergency one")
    journal = len(business.admin("GET", "/journal").body)

    def applying(user: str, **changes: Any) -> dict[str, str]:
        """By number of the policy: its state, for those that apply; otherwise the reasons."""
        return {
            item["displayName"][:5]: item["state"] if item["policyApplies"] else item["analysisReasons"]
            for item in what_if(business, user, **changes).value
        }

    assert applying(administrator) == {
        "CA001": ENABLED,
        "CA002": "clientApps",
        "CA003": "users",
        "CA004": REPORT_ONLY,
        "CA005": "policyNotEnabled",
    }
    assert set(applying(emergency).values()) == {"users", "users,clientApps", "policyNotEnabled"}
    legacy_client = {"signInConditions": {"clientAppType": "other", "ipAddress": "198.51.100.7"}}
    assert applying(administrator, **legacy_client)["CA002"] == ENABLED
    applied = what_if(business, administrator, applied_only=True).value
    assert [item["displayName"][:5] for item in applied] == ["CA001", "CA004"]

    locations = {"includeLocations": ["All"], "excludeLocations": [business.get(LOCATIONS).value[0]["id"]]}
    write_policy(business, displayName="CA006", conditions=conditions(locations=locations))
    nowhere = applying(administrator, signInConditions={"clientAppType": "browser"})["CA006"]
    assert nowhere == (REPORT_ONLY if what_if_without_information == "applies" else "notEnoughInformation,location")
    assert applying(administrator)["CA006"] == REPORT_ONLY
    at_the_office = {"signInConditions": {"clientAppType": "browser", "ipAddress": "203.0.113.9"}}
    assert applying(administrator, **at_the_office)["CA006"] == "location"
    wrote = [line["method"] for line in business.admin("GET", "/journal").body[journal:] if line["wrote"]]
    assert wrote == ["POST"], "asking is no write; the policy was one"


@pytest.mark.parametrize(
    "changes",
    [
        {"signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": NOBODY}},
        {"signInIdentity": {}},
        {"signInContext": None},
        {"signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": []}},
        {"signInConditions": {"clientAppType": "telnet"}},
        {"signInConditions": {"ipAddress": "somewhere"}},
        {"signInConditions": []},
    ],
)
def test_what_if_refuses_what_it_cannot_read(business: Client, changes: dict[str, Any]) -> None:
    refused(what_if(business, user_named(business, "Karim Ali"), **changes), 400, "BadRequest")


@under("conditional_access_limit_refusal")
@under("conditional_access_policy_limit")
def test_scenario_50_policies_are_limited_in_number(
    business: Client, conditional_access_policy_limit: str, conditional_access_limit_refusal: str
) -> None:
    assume(
        business,
        conditional_access_policy_limit=conditional_access_policy_limit,
        conditional_access_limit_refusal=conditional_access_limit_refusal,
    )
    store = business.simulation.store.tenant(business.tenant.number)
    there = business.get(POLICIES).value
    room = int(conditional_access_policy_limit) - len(there)
    like = {**there[0], "state": DISABLED}
    store.insert_many("conditionalAccessPolicy", ((f"{n}", "", {**like, "id": f"{n}"}, {}) for n in range(room - 1)))
    business.simulation.store.commit()
    assert write_policy(business, state=REPORT_ONLY).status == 201
    for state in (ENABLED, DISABLED, REPORT_ONLY):
        assert write_policy(business, state=state).status == int(conditional_access_limit_refusal)
    assert business.call("DELETE", f"{POLICIES}/0").status == 204
    assert write_policy(business).status == 201
