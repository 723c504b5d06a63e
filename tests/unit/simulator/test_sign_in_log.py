# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sign-in between two runs leaves behind, as a drill does."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    USERS,
    advance,
    assume,
    configure,
    new_user,
    passes_of,
    user_named,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Answer, Client

SIGN_INS = "/v1.0/auditLogs/signIns"
PORTALS = "MicrosoftAdminPortals"


def sign_in(client: Client, person: str, **body: Any) -> Answer:
    return client.admin("POST", f"/users/{person}/sign_in", {"application": PORTALS, **body})


def log_of(client: Client, person: str, version: str = "v1.0") -> list[dict[str, Any]]:
    return client.get(f"/{version}/auditLogs/signIns?$filter=userId eq '{person}'").value


def activity_of(client: Client, person: str) -> dict[str, Any]:
    shown: dict[str, Any] = client.get(f"{USERS}/{person}?$select=signInActivity").body["signInActivity"]
    return shown


@pytest.fixture
def emergency(business: Client) -> str:
    return user_named(business, "Emergency one")


def test_a_drill_is_in_the_log_and_on_the_user(business: Client, emergency: str) -> None:
    before = len(log_of(business, emergency))
    done = sign_in(business, emergency, methods=["fido2SecurityKey"], ip_address="198.51.100.9", country="NL")
    assert done.body["sign_in"] == "yes_after_mfa"
    entry, *rest = log_of(business, emergency)
    assert len(rest) == before, "the newest is the first"
    assert entry == {**entry, **done.body["entry"]}
    assert (entry["status"]["errorCode"], entry["appDisplayName"]) == (0, "Azure Portal")
    assert (entry["ipAddress"], entry["location"]["countryOrRegion"]) == ("198.51.100.9", "NL")
    activity = activity_of(business, emergency)
    assert activity["lastSuccessfulSignInDateTime"] == activity["lastSignInDateTime"] == entry["createdDateTime"]
    assert activity["lastSuccessfulSignInRequestId"] == entry["id"]


def test_only_beta_tells_by_which_method(business: Client, emergency: str) -> None:
    entry = sign_in(business, emergency, methods=["fido2SecurityKey"]).body["entry"]
    assert "authenticationDetails" not in business.get(f"{SIGN_INS}/{entry['id']}").body
    shown = business.get(f"/beta/auditLogs/signIns/{entry['id']}").body
    assert [step["authenticationMethod"] for step in shown["authenticationDetails"]] == ["Passkey (device-bound)"]
    assert shown["authenticationRequirement"] == "multiFactorAuthentication"


def test_non_interactive_ones_are_listed_when_asked_for(business: Client, emergency: str) -> None:
    before = [entry["id"] for entry in log_of(business, emergency)]
    activity = activity_of(business, emergency)
    entry = sign_in(business, emergency, methods=["fido2SecurityKey"], interactive=False).body["entry"]
    for version in ("v1.0", "beta"):
        assert [entry["id"] for entry in log_of(business, emergency, version)] == before
    filters = "signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')"
    path = f"/beta/auditLogs/signIns?$filter=userId eq '{emergency}' and {filters}"
    shown = {one["id"]: one["signInEventTypes"] for one in business.get(path).value}
    assert shown == {entry["id"]: ["nonInteractiveUser"], **{one: ["interactiveUser"] for one in before}}
    only = business.get(path.replace("t eq 'interactiveUser' or ", "")).value
    assert [one["id"] for one in only] == [entry["id"]]
    after = activity_of(business, emergency)
    assert after["lastNonInteractiveSignInDateTime"] == entry["createdDateTime"]
    assert after.get("lastSignInDateTime") == activity.get("lastSignInDateTime")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"wrong_password": True}, 50126),
        ({"methods": ["password"]}, 50074),
        ({"methods": ["password"], "client_app": "other", "application": "Office365"}, 53003),
    ],
)
def test_a_failed_sign_in_is_no_success(business: Client, body: dict[str, Any], code: int) -> None:
    person = user_named(business, "Karim Ali")
    before = activity_of(business, person)
    entry = sign_in(business, person, **body).body["entry"]
    assert entry["status"]["errorCode"] == code
    after = activity_of(business, person)
    assert after["lastSignInDateTime"] == entry["createdDateTime"]
    assert after.get("lastSuccessfulSignInDateTime") == before.get("lastSuccessfulSignInDateTime")


def test_policies_that_stood_in_the_way_are_named(business: Client) -> None:
    person = user_named(business, "Karim Ali")
    entry = sign_in(business, person, methods=["password"], client_app="other", application="Office365").body["entry"]
    assert entry["conditionalAccessStatus"] == "failure"
    assert "CA002: Block legacy authentication" in [
        policy["displayName"] for policy in entry["appliedConditionalAccessPolicies"]
    ]
    emergency = user_named(business, "Emergency one")
    entry = sign_in(business, emergency, methods=["fido2SecurityKey"]).body["entry"]
    assert (entry["conditionalAccessStatus"], entry["appliedConditionalAccessPolicies"]) == ("notApplied", [])


def test_who_is_disabled_or_has_to_register_does_not_get_in(business: Client) -> None:
    person = str(new_user(business).body["id"])
    assert sign_in(business, person).body["entry"]["status"]["errorCode"] == 50072
    business.call("PATCH", f"{USERS}/{person}", {"accountEnabled": False})
    assert sign_in(business, person).body["entry"]["status"]["errorCode"] == 50057


def test_a_one_time_pass_is_used_up(business: Client) -> None:
    person = user_named(business, "Daan Mulder")
    assert business.call("POST", passes_of(person), {}).status == 201
    assert sign_in(business, person, methods=["temporaryAccessPass"]).body["sign_in"] == "yes_after_mfa"
    (found,) = business.get(passes_of(person)).value
    assert (found["isUsable"], found["methodUsabilityReason"]) == (False, "OneTimeUsed")
    assert sign_in(business, person, methods=["temporaryAccessPass"]).body["sign_in"] == "no"

    configure(business, "TemporaryAccessPass", isUsableOnce=False)
    assert business.call("POST", passes_of(person), {}).status == 201
    for _time in range(2):
        assert sign_in(business, person, methods=["temporaryAccessPass"]).body["sign_in"] == "yes_after_mfa"


def test_what_is_open_is_not_written(business: Client, emergency: str) -> None:
    restrictions = {"isEnforced": True, "enforcementType": "allow", "aaGuids": ["de1e552d-db1d-4423-a619-566b625cdc84"]}
    configure(business, "Fido2", keyRestrictions=restrictions)
    before = len(log_of(business, emergency))
    refusal = sign_in(business, emergency, methods=["fido2SecurityKey"])
    assert refusal.status == 400
    assert "open" in refusal.body["error"]
    assert len(log_of(business, emergency)) == before
    assert sign_in(business, "nobody@contoso.example").status == 400


@pytest.mark.parametrize("seconds", ["0", "300"])
def test_the_log_comes_late_if_so_assumed(business: Client, emergency: str, seconds: str) -> None:
    assume(business, sign_in_log_delay_seconds=seconds)
    before = len(log_of(business, emergency))
    sign_in(business, emergency, methods=["fido2SecurityKey"])
    assert len(log_of(business, emergency)) == before + (seconds == "0")
    advance(business, 301)
    assert len(log_of(business, emergency)) == before + 1


def test_the_log_is_newest_first_over_pages(business: Client, emergency: str) -> None:
    sign_in(business, emergency, methods=["fido2SecurityKey"])
    answer = business.get(f"{SIGN_INS}?$top=40")
    found = answer.value
    while "@odata.nextLink" in answer.body:
        answer = business.get(answer.body["@odata.nextLink"].removeprefix("https://localhost:8443"))
        found += answer.value
    stamps = [entry["createdDateTime"] for entry in found]
    assert stamps == sorted(stamps, reverse=True)
    assert len({entry["id"] for entry in found}) == len(found) > 80


def test_without_p1_the_log_is_written_but_not_shown(greenfield: Client) -> None:
    person = user_named(greenfield, "Omar Haddad")
    assert sign_in(greenfield, person, wrong_password=True).status == 200
    assert greenfield.get(SIGN_INS).status == 403
    kept = greenfield.admin("GET", "/state").body["objects"]["signIn"]
    assert person in [entry["userId"] for entry in kept]
