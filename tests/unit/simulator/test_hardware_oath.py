# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardware OATH tokens, from upload to activation."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    DELETED_USERS,
    NOBODY,
    REGISTRATIONS,
    USERS,
    add_to_unit,
    advance,
    assume,
    configure,
    new_unit,
    new_user,
    refused,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Answer, Client
from m365_simulator.graph.hardware_oath import one_time_code

DEVICES = "/beta/directory/authenticationMethodDevices/hardwareOathDevices"
SHA1_SECRET = b"12345678901234567890"
SHA256_SECRET = b"12345678901234567890123456789012"
SECRETS = {"hmacsha1": SHA1_SECRET, "hmacsha256": SHA256_SECRET}


@pytest.mark.parametrize(
    ("seconds", "sha1", "sha256"),
    [
        (59, "94287082", "46119246"),
        (1111111109, "07081804", "68084774"),
        (1111111111, "14050471", "67062674"),
        (1234567890, "89005924", "91819424"),
        (2000000000, "69279037", "90698825"),
        (20000000000, "65353130", "77737706"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, sha1: str, sha256: str) -> None:
    """Appendix B of RFC 6238 has eight digits, of which six are the last ones."""
    assert one_time_code(SHA1_SECRET, seconds, 30, "hmacsha1") == sha1[2:]
    assert one_time_code(SHA256_SECRET, seconds, 30, "hmacsha256") == sha256[2:]


def upload(client: Client, **changes: Any) -> Answer:
    function = changes.get("hashFunction", "hmacsha1")
    body = {
        "serialNumber": "TOKEN-1",
        "manufacturer": "Contoso",
        "model": "T1",
        "secretKey": base64.b32encode(SECRETS.get(function, SHA1_SECRET)).decode(),
        "timeIntervalInSeconds": 30,
        "hashFunction": function,
        **changes,
    }
    return client.call("POST", DEVICES, body)


def methods_of(person: str) -> str:
    return f"/beta/users/{person}/authentication/hardwareOathMethods"


def code_now(client: Client, interval: int = 30, function: str = "hmacsha1", after: float = 0) -> str:
    return one_time_code(SECRETS[function], client.simulation.clock.now() + after, interval, function)


def status_of(client: Client, device: str) -> Any:
    return client.get(f"{DEVICES}/{device}").body["status"]


@pytest.fixture
def person(business: Client) -> str:
    configure(business, "HardwareOath", version="beta", state="enabled")
    return str(new_user(business).body["id"])


@pytest.mark.parametrize("function", SECRETS)
@pytest.mark.parametrize("interval", [30, 60])
def test_a_token_is_uploaded_assigned_and_activated(
    business: Client, person: str, function: str, interval: int
) -> None:
    made = upload(business, hashFunction=function, timeIntervalInSeconds=interval)
    assert (made.status, made.body["secretKey"], made.body["status"]) == (201, None, "available")
    device = made.body["id"]
    assigned = business.call("POST", methods_of(person), {"device": {"id": device}})
    assert (assigned.status, assigned.body["device"]["status"]) == (201, "assigned")
    assert assigned.body["device"]["assignedTo"]["id"] == person
    assert business.get(f"{REGISTRATIONS}/{person}").body["methodsRegistered"] == []

    activate = f"{methods_of(person)}/{device}/activate"
    code = code_now(business, interval, function)
    wrong = {"verificationCode": f"{(int(code) + 1) % 10**6:06}", "displayName": "In the safe"}
    refused(business.call("POST", activate, wrong), 400, "BadRequest")
    assert status_of(business, device) == "assigned"
    assert business.call("POST", activate, {**wrong, "verificationCode": code}).status == 204
    assert status_of(business, device) == "activated"
    refused(business.call("POST", activate, {"verificationCode": code}), 400, "BadRequest")
    assert business.get(f"{REGISTRATIONS}/{person}").body["methodsRegistered"] == ["hardwareOneTimePasscode"]
    (listed,) = business.get(methods_of(person)).value
    assert listed["device"]["displayName"] == "In the safe"
    typed = [item["@odata.type"] for item in business.get(f"/beta/users/{person}/authentication/methods").value]
    assert "#microsoft.graph.hardwareOathAuthenticationMethod" in typed


def test_an_activated_token_is_mfa(business: Client, person: str) -> None:
    attempt = {
        "user_id": person,
        "application": "MicrosoftAdminPortals",
        "methods": ["password", "hardwareOneTimePasscode"],
    }
    device = upload(business, assignTo={"id": person}).body["id"]
    assert business.admin("POST", "/sign_in", attempt).body["sign_in"] != "yes_after_mfa"
    path = f"{methods_of(person)}/{device}"
    assert business.call("POST", f"{path}/activate", {"verificationCode": code_now(business)}).status == 204
    assert business.admin("POST", "/sign_in", attempt).body["sign_in"] == "yes_after_mfa"
    assert business.call("POST", f"{path}/deactivate").status == 204
    assert business.admin("POST", "/sign_in", attempt).body["sign_in"] != "yes_after_mfa"
    assert business.call("DELETE", path).status == 204
    assert (status_of(business, device), business.get(methods_of(person)).value) == ("available", [])


@pytest.mark.parametrize(("after", "status"), [(-30, 204), (30, 204), (-90, 400), (90, 400)])
def test_a_token_may_be_one_interval_off(business: Client, person: str, after: float, status: int) -> None:
    device = upload(business, assignTo={"id": person}).body["id"]
    # To the middle of an interval, so that none ends on the way.
    advance(business, 15 - business.simulation.clock.now() % 30)
    body = {"verificationCode": code_now(business, after=after)}
    assert business.call("POST", f"{methods_of(person)}/{device}/activate", body).status == status


def test_assigning_and_activating_is_one_step_too(business: Client, person: str) -> None:
    upload(business)
    device = upload(business, serialNumber="TOKEN-2").body["id"]
    body = {"device": {"id": device}, "verificationCode": "000000" if code_now(business) != "000000" else "111111"}
    refused(business.call("POST", f"{methods_of(person)}/assignAndActivate", body), 400, "BadRequest")
    assert status_of(business, device) == "available", "all of it, or nothing"
    body["verificationCode"] = code_now(business)
    assert business.call("POST", f"{methods_of(person)}/assignAndActivate", body).status == 204
    by_number = f"{methods_of(person)}/assignAndActivateBySerialNumber"
    wanted = {"serialNumber": "TOKEN-1", "verificationCode": code_now(business)}
    assert business.call("POST", by_number, wanted).status == 204
    refused(business.call("POST", by_number, {**wanted, "serialNumber": "TOKEN-3"}), 404, "Request_ResourceNotFound")
    assert len(business.get(methods_of(person)).value) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"serialNumber": ""},
        {"manufacturer": None},
        {"secretKey": "not base32!"},
        {"secretKey": "A" * 136},
        {"secretKey": ""},
        {"timeIntervalInSeconds": 45},
        {"hashFunction": "md5"},
        {"unheard": 1},
    ],
)
def test_what_is_no_token_is_refused(business: Client, changes: dict[str, Any]) -> None:
    refused(upload(business, **changes), 400, "BadRequest")
    assert business.get(DEVICES).value == []


def test_a_token_is_there_once_and_one_users(business: Client, person: str) -> None:
    device = upload(business).body["id"]
    refused(upload(business), 400, "BadRequest")
    refused(upload(business, serialNumber="2", assignTo={"id": NOBODY}), 404, "Request_ResourceNotFound")
    assert business.call("POST", methods_of(person), {"device": {"id": device}}).status == 201
    refused(business.call("POST", methods_of(person), {"device": {"id": device}}), 400, "BadRequest")
    refused(business.call("DELETE", f"{DEVICES}/{device}"), 400, "BadRequest")
    refused(business.call("POST", methods_of(person), {"device": {"id": NOBODY}}), 404, "Request_ResourceNotFound")
    refused(business.call("POST", methods_of(person), {}), 400, "BadRequest")
    refused(business.call("POST", f"{methods_of(person)}/{NOBODY}/activate", {}), 404, "resourceNotFound")
    business.call("DELETE", f"{methods_of(person)}/{device}")
    assert business.call("DELETE", f"{DEVICES}/{device}").status == 204


def test_who_is_gone_for_good_holds_no_token(business: Client, person: str) -> None:
    device = upload(business, assignTo={"id": person}).body["id"]
    business.call("DELETE", f"{USERS}/{person}")
    assert status_of(business, device) == "assigned", "the user may come back"
    business.call("DELETE", f"{DELETED_USERS}/{person}")
    assert status_of(business, device) == "available"


def test_the_secret_is_nowhere_shown(business: Client, person: str) -> None:
    upload(business, assignTo={"id": person})
    secret = base64.b32encode(SHA1_SECRET)
    for path in ("/state", "/journal"):
        assert secret not in business.admin("GET", path).content
    for path in (DEVICES, methods_of(person), f"/beta/users/{person}/authentication/methods"):
        assert secret not in business.get(path).content
    assert "hardwareOathDevice" in business.admin("GET", "/state").body["objects"]


@pytest.mark.parametrize("answer", ["refused", "accepted"])
def test_an_upload_takes_a_licence_if_so_assumed(greenfield: Client, answer: str) -> None:
    assume(greenfield, hardware_oath_on_free=answer)
    assert upload(greenfield).status == {"refused": 403, "accepted": 201}[answer]


def test_only_beta_has_tokens(business: Client, person: str) -> None:
    for path in (DEVICES, methods_of(person)):
        refused(business.get(path.replace("/beta", "/v1.0")), 400, "BadRequest")


def test_permissions_and_a_restricted_unit_keep_tokens_out(business: Client, person: str) -> None:
    device = upload(business).body["id"]
    business.grant("UserAuthMethod-HardwareOATH.ReadWrite.All")
    refused(upload(business, serialNumber="2"), 403, "Authorization_RequestDenied")
    assert business.get(methods_of(person)).status == 200
    business.simulation.reset()
    business.kept_token = None
    person = str(new_user(business).body["id"])
    device = upload(business).body["id"]
    add_to_unit(business, new_unit(business, isMemberManagementRestricted=True), person)
    answer = business.call("POST", methods_of(person), {"device": {"id": device}})
    refused(answer, 403, "Authorization_RequestDenied")
