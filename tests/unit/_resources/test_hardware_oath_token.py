# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import Progress, work
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    GraphError,
    LicenceMissing,
    MissingPermissions,
    OptionError,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.one_time_password import code_at, secret_bytes
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import GLOBAL_ADMINISTRATOR
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.hardware_oath_token import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, refused, run_of

USER = "4562bcc8-c436-4f95-b7c0-4f8ce89dca5e"
OTHER = "4562bcc8-c436-4f95-b7c0-4f8ce89dca5f"
NAME = "ann@contoso.example"
TOKEN, METHOD = "token-1", "method-1"
SERIAL, SECRET = "GALT11420104", "ABCDEF2234567ABCDEF2234567"
DEVICES = "/directory/authenticationMethodDevices/hardwareOathDevices"
METHODS = f"/users/{USER}/authentication/hardwareOathMethods"
ACTIVATE = f"{METHODS}/{METHOD}/activate"
ALLOWED = frozenset(["Policy.ReadWrite.AuthenticationMethod", "UserAuthMethod-HardwareOATH.ReadWrite.All"])
WHOLE: dict[str, Any] = {"manufacturer": "Thales", "model": "OTP 110", "secret_key": SECRET, "user": NAME}


def device(status: str = "available", holder: str | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "id": TOKEN,
        "displayName": None,
        "serialNumber": SERIAL,
        "manufacturer": "Thales",
        "model": "OTP 110",
        "secretKey": None,
        "timeIntervalInSeconds": 30,
        "status": status,
        "hashFunction": "hmacsha1",
        "assignedTo": holder and {"id": holder, "displayName": "Somebody"},
        **properties,
    }


class Tenant(FakeGraph):
    """A tenant with its tokens. A code is taken when it is the one of this moment, by Graph's clock."""

    def __init__(self, *devices: dict[str, Any], roles: frozenset[str] = ALLOWED) -> None:
        super().__init__(roles=roles)
        self.devices = list(devices)
        self.clock = 1234567890.0
        self.answers: list[Any] = []
        self.objects = {
            "/users/ann%40contoso.example": {"id": USER, "userPrincipalName": NAME},
            "/subscribedSkus": [],
        }
        self.on_write = self._change

    def list(self, path: str, **keywords: Any) -> Any:
        assert keywords["version"] == "beta"
        if path in self.objects:
            raise self.objects[path]
        if path == DEVICES:
            return list(self.devices)
        holder = path.split("/")[2]
        held = [one for one in self.devices if one["assignedTo"] and one["assignedTo"]["id"] == holder]
        assert path == f"/users/{holder}/authentication/hardwareOathMethods"
        return [{"id": METHOD, "device": one} for one in held]

    def _change(self, method: str, path: str, body: Any) -> Any:
        assert self.asked[-1]["version"] == "beta"
        if self.answers and self.answers[0] is not None:
            raise self.answers.pop(0)
        del self.answers[:1]
        if method == "DELETE":
            if path.startswith(DEVICES):
                assert self.devices[0]["assignedTo"] is None
                self.devices = []
            else:
                self.devices[0] = {**self.devices[0], "status": "available", "assignedTo": None}
            return None
        if path == DEVICES:
            self.devices.append(device(**{name: body[name] for name in body if name not in ("secretKey", "id")}))
            return self.devices[-1]
        if path == METHODS:
            assert body == {"device": {"id": TOKEN}}
            self.devices[0] = {**self.devices[0], "status": "assigned", "assignedTo": {"id": USER}}
            return {"id": METHOD}
        assert path == ACTIVATE
        token = self.devices[0]
        secret = secret_bytes(SECRET)
        assert secret is not None
        interval, function = token["timeIntervalInSeconds"], token["hashFunction"] or "hmacsha1"
        assert body["verificationCode"] == code_at(secret, self.clock, interval=interval, hash_function=function)
        self.devices[0] = {**token, "status": "activated", "displayName": body.get("displayName")}
        return None


def worked(tenant: Tenant, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    given = {
        **dict.fromkeys(RESOURCE.options),
        "serial_number": SERIAL,
        "activate": True,
        "force": False,
        "state": "present",
        "wait_timeout": 0,
        **options,
    }
    return work(RESOURCE, run_of(tenant, given, check_mode), Progress())


def paths(tenant: Tenant) -> list[str]:
    return [f"{method} {path}" for method, path, _body in tenant.writes]


def test_a_token_is_uploaded_assigned_and_activated() -> None:
    tenant = Tenant()
    planned = worked(tenant, True, **WHOLE, display_name="Safe")
    assert tenant.writes == []
    result = worked(tenant, **WHOLE, display_name="Safe")
    assert paths(tenant) == [f"POST {DEVICES}", f"POST {METHODS}", f"POST {ACTIVATE}"]
    assert tenant.writes[0][2]["secretKey"] == SECRET
    shown = result["hardware_oath_token"]
    assert shown["status"] == "activated"
    assert {**planned["hardware_oath_token"], "id": TOKEN} == shown
    assert result["msg"] == f"The hardware OATH token {SERIAL} was uploaded, assigned to {NAME}, activated."
    again = worked(tenant, serial_number=SERIAL.lower(), **WHOLE)
    assert again["msg"] == f"The hardware OATH token {SERIAL.lower()} is as wanted."
    assert len(tenant.writes) == 3
    assert SECRET not in repr((planned, result, again))


@pytest.mark.parametrize(
    ("found", "left"),
    [
        (device("available"), 2),
        (device("assigned", USER), 1),
        (device("assigned", USER.upper()), 1),
        (device("failedActivation", USER), 1),
        (device("activated", USER), 0),
    ],
)
def test_the_next_run_finishes_what_was_interrupted(found: dict[str, Any], left: int) -> None:
    tenant = Tenant(found)
    worked(tenant, **WHOLE)
    assert paths(tenant) == [f"POST {METHODS}", f"POST {ACTIVATE}"][2 - left :]
    assert tenant.devices[0]["status"] == "activated"


def test_a_token_without_a_user_is_put_into_stock() -> None:
    tenant = Tenant()
    planned = worked(tenant, True, **{**WHOLE, "user": None})
    result = worked(tenant, **{**WHOLE, "user": None})
    assert paths(tenant) == [f"POST {DEVICES}"]
    assert result["hardware_oath_token"] == {**planned["hardware_oath_token"], "id": TOKEN}
    assert result["hardware_oath_token"]["status"] == "available"


def test_the_activation_can_be_left_to_the_user() -> None:
    tenant = Tenant(device())
    planned = worked(tenant, True, user=NAME, activate=False)
    result = worked(tenant, user=NAME, activate=False)
    assert paths(tenant) == [f"POST {METHODS}"]
    assert result["hardware_oath_token"] == planned["hardware_oath_token"]
    assert result["hardware_oath_token"]["status"] == "assigned"
    worked(tenant, user=NAME, activate=False)
    assert len(tenant.writes) == 1


@pytest.mark.parametrize(("interval", "function"), [(60, "hmacsha256"), (30, "hmacsha256"), (30, None)])
def test_the_code_is_made_as_the_token_makes_it(interval: int, function: str | None) -> None:
    tenant = Tenant(device("assigned", USER, timeIntervalInSeconds=interval, hashFunction=function))
    worked(tenant, secret_key=SECRET.lower(), user=NAME)
    assert paths(tenant) == [f"POST {ACTIVATE}"]


def test_the_code_is_computed_when_it_is_sent() -> None:
    tenant = Tenant()
    changed = tenant.on_write

    def slow(method: str, path: str, body: Any) -> Any:
        answer = changed(method, path, body)
        tenant.clock += 45
        return answer

    tenant.on_write = slow
    worked(tenant, **WHOLE)
    assert tenant.devices[0]["status"] == "activated"


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("found", "options", "words"),
    [
        (None, {}, "give manufacturer and model and secret_key"),
        (None, {**WHOLE, "model": None}, "To upload it, give model"),
        (None, {**WHOLE, "secret_key": "not base32!"}, "must be base32"),
        (None, {**WHOLE, "secret_key": "A" * 129}, "at most 128"),
        (None, {**WHOLE, "serial_number": " "}, "must not be empty"),
        (None, {**WHOLE, "user": "nobody@contoso.example"}, "There is no user 'nobody@contoso.example'"),
        (device("activated", OTHER), WHOLE, f"assigned to another user .object ID {OTHER}"),
        (device("assigned", OTHER), WHOLE, "assigned to another user"),
        (device(), {"user": NAME}, "give 'secret_key', or 'activate: false'"),
        (device("assigned", USER), {"user": NAME}, "give 'secret_key'"),
        (device(), {"model": "OTP 111"}, "with model OTP 110, not OTP 111"),
        (device(), {"hash_function": "hmacsha256"}, "with hash function hmacsha1, not hmacsha256"),
        (device(), {"time_interval_in_seconds": 60}, "with time interval in seconds 30, not 60"),
    ],
)
def test_refusals(found: Any, options: dict[str, Any], words: str, check_mode: bool) -> None:
    tenant = Tenant(*([found] if found else []))
    with pytest.raises(OptionError, match=words) as caught:
        worked(tenant, check_mode, **options)
    assert tenant.writes == []
    assert str(options.get("secret_key") or "?") not in caught.value.message


def test_what_was_given_once_need_not_be_given_again() -> None:
    tenant = Tenant(device("activated", USER, hashFunction=None))
    assert "is as wanted" in worked(tenant, user=NAME, hash_function="hmacsha1")["msg"]
    assert "is as wanted" in worked(tenant)["msg"]
    assert tenant.writes == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"serialNumber": None},
        {"status": None},
        {"assignedTo": "x"},
        {"timeIntervalInSeconds": None},
        {"hashFunction": "md5"},
    ],
)
def test_what_cannot_be_understood_is_not_written(wrong: dict[str, Any]) -> None:
    tenant = Tenant(device(**wrong))
    with pytest.raises(StateUnknown):
        worked(tenant, secret_key=SECRET, user=NAME)
    assert tenant.writes == []


def test_two_tokens_of_one_number_are_not_told_apart() -> None:
    tenant = Tenant(device(), device(id="token-2"))
    with pytest.raises(StateUnknown, match="2 tokens have the serial number"):
        worked(tenant, **WHOLE)


@pytest.mark.parametrize("path", [DEVICES, METHODS])
def test_what_cannot_be_read_is_not_written(path: str) -> None:
    tenant = Tenant(device("assigned", USER))
    tenant.objects[path] = refused("read it")
    with pytest.raises(GraphError):
        worked(tenant, **WHOLE)
    assert tenant.writes == []


def test_a_refusal_for_the_licence_is_named_and_foreseen() -> None:
    tenant = Tenant()
    assert "no Microsoft Entra ID P1" in worked(tenant, True, **WHOLE)["effects"][0]
    text = "Your tenant is not licensed for this feature."
    tenant.answers = [LicenceMissing(action="upload it", status=403, code="AccessDenied", text=text)]
    with pytest.raises(LicenceMissing, match="lacks the licence"):
        worked(tenant, **WHOLE)
    assert len(tenant.writes) == 1


def test_missing_permissions_are_told_before_anything_is_sent() -> None:
    tenant = Tenant(roles=frozenset(["Policy.ReadWrite.AuthenticationMethod"]))
    with pytest.raises(MissingPermissions, match=r"UserAuthMethod-HardwareOATH\.ReadWrite\.All"):
        worked(tenant, **WHOLE)
    assert tenant.writes == []


def methods_of_user(tenant: Tenant, *types: str, administrator: bool = False) -> None:
    tenant.objects[f"/users/{USER}/authentication/methods"] = [
        {"@odata.type": f"#microsoft.graph.{name}AuthenticationMethod", "id": name} for name in ("password", *types)
    ]
    tenant.objects[f"/users/{USER}/transitiveMemberOf"] = []
    tenant.objects["/roleManagement/directory/roleAssignments"] = (
        [{"principalId": USER, "roleDefinitionId": GLOBAL_ADMINISTRATOR}] if administrator else []
    )


@pytest.mark.parametrize(
    ("found", "deletes"),
    [
        (device(), [f"{DEVICES}/{TOKEN}"]),
        (device("assigned", USER), [f"{METHODS}/{METHOD}", f"{DEVICES}/{TOKEN}"]),
        (device("activated", USER), [f"{METHODS}/{METHOD}", f"{DEVICES}/{TOKEN}"]),
    ],
)
def test_a_token_is_taken_away_and_deleted(found: dict[str, Any], deletes: list[str]) -> None:
    tenant = Tenant(found)
    methods_of_user(tenant, "fido2")
    planned = worked(tenant, True, state="absent")
    result = worked(tenant, state="absent")
    assert paths(tenant) == [f"DELETE {path}" for path in deletes]
    assert result["hardware_oath_token"] == planned["hardware_oath_token"]
    assert not result["hardware_oath_token"]["exists"]
    assert worked(tenant, state="absent")["msg"] == f"There is no hardware OATH token {SERIAL}."


@pytest.mark.parametrize(
    ("force", "administrator", "words"),
    [(False, False, "'force: true'"), (False, True, "'force: true'"), (True, True, "Global Administrator")],
)
def test_the_only_second_factor_is_not_taken_away(force: bool, administrator: bool, words: str) -> None:
    tenant = Tenant(device("activated", USER))
    methods_of_user(tenant, administrator=administrator)
    with pytest.raises(OptionError, match=words):
        worked(tenant, state="absent", force=force)
    assert tenant.writes == []


def test_the_only_second_factor_is_taken_away_by_force() -> None:
    tenant = Tenant(device("activated", USER))
    methods_of_user(tenant)
    worked(tenant, state="absent", force=True)
    assert tenant.devices == []
