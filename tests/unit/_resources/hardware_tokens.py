# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hardware tokens of people in a simulated tenant. v1.0 does not list them among somebody's methods."""

from __future__ import annotations

import base64

from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Client
from m365_simulator.graph.hardware_oath import one_time_code

DEVICES = "/beta/directory/authenticationMethodDevices/hardwareOathDevices"
SECRET = b"12345678901234567890"


def assign_token(simulated: Client, user: str) -> str:
    """The path of a token that is not activated yet. ``user`` is an id."""
    token = {
        "serialNumber": "1",
        "manufacturer": "Contoso",
        "model": "T1",
        "secretKey": base64.b32encode(SECRET).decode(),
        "timeIntervalInSeconds": 30,
        "assignTo": {"id": user},
    }
    made = simulated.call("POST", DEVICES, token)
    assert made.status == 201, made.content
    return f"/beta/users/{user}/authentication/hardwareOathMethods/{made.body['id']}"


def activate_token(simulated: Client, path: str) -> None:
    code = one_time_code(SECRET, simulated.simulation.clock.now(), 30, "hmacsha1")
    answer = simulated.call("POST", f"{path}/activate", {"verificationCode": code})
    assert answer.status == 204, answer.content


def forget_methods(simulated: Client, user: str) -> None:
    """Of somebody without a token, all but the password."""
    store = simulated.simulation.store.tenant(0)
    row = store.read("user", user)
    assert row is not None
    store.update("user", user, private={**row.private, "methodsRegistered": []})


def leave_only_a_token(simulated: Client, user: str) -> None:
    """An activated one; its method must be enabled."""
    forget_methods(simulated, user)
    activate_token(simulated, assign_token(simulated, user))
