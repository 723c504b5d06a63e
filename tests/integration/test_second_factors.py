# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary Access Passes and hardware OATH tokens against the simulator.

Where no playbook is needed, the resource is run in this process, as the action door does it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.zerotrust.m365.plugins.module_utils._door import argument_spec
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import execute
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import Resource
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import (
    hardware_oath_token,
    temporary_access_pass,
)
from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes

METHODS = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
TOKEN = {
    "serial_number": "GALT11420104",
    "manufacturer": "Thales",
    "model": "OTP 110 Token",
    "secret_key": "6PJ4UKIW33NNXYZAEHQNFUFTZF7WFTFB",
}


class Doing:
    """Runs resources against one tenant of the simulator."""

    def __init__(self, simulator: Simulator, scenario: str) -> None:
        self.simulator = simulator
        self.tenant: Tenant = simulator.tenant(scenario)
        self._access_token = simulator.access_token(self.tenant)

    def run(self, resource: Resource, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        self.simulator.announce_run(check_mode=check_mode)
        validation = ArgumentSpecValidator(argument_spec(resource)).validate(
            {
                "graph_url": self.simulator.graph_url,
                "login_url": self.simulator.login_url,
                "ca_path": self.simulator.ca_file,
                "access_token": self._access_token,
                "wait_timeout": 20,
                "max_retries": 0,
                **options,
            }
        )
        assert validation.error_messages == []
        return execute(
            resource,
            validation.validated_parameters,
            environment={},
            check_mode=check_mode,
            warn=lambda _: None,
            secret=lambda _: None,
        )

    def access_pass(self, **options: Any) -> dict[str, Any]:
        return self.run(temporary_access_pass.RESOURCE, **options)

    def token(self, **options: Any) -> dict[str, Any]:
        return self.run(hardware_oath_token.RESOURCE, **options)

    def wrote(self) -> int:
        return len(writes(self.simulator.journal(self.tenant)))

    @property
    def emergency(self) -> str:
        return f"emergency.one@{self.tenant.initial_domain}"


@pytest.fixture
def business(simulator: Simulator) -> Doing:
    return Doing(simulator, "business")


def test_a_pass_is_kept_replaced_and_deleted(business: Doing) -> None:
    planned = business.access_pass(user=business.emergency, check_mode=True)
    first = business.access_pass(user=business.emergency)
    kept = business.access_pass(user=business.emergency, lifetime_in_minutes=120)
    other = business.access_pass(user=business.emergency, replace=True)
    gone = business.access_pass(user=business.emergency, state="absent")
    assert [one["changed"] for one in (planned, first, kept, other, gone)] == [True, True, False, True, True]
    assert planned["diff"] == first["diff"]
    told = [one["temporary_access_pass"]["temporary_access_pass"] for one in (planned, first, kept, other, gone)]
    assert told[0] is told[2] is told[4] is None
    assert told[1] != told[3]
    assert kept["temporary_access_pass"] == {**first["temporary_access_pass"], "temporary_access_pass": None}
    for one in (first, other):
        secret = one["temporary_access_pass"].pop("temporary_access_pass")
        assert secret not in json.dumps(one)
    assert business.wrote() == 3
    assert not business.access_pass(user=business.emergency, state="absent")["changed"]


def test_what_the_policy_does_not_allow_is_refused_before_graph_would(business: Doing) -> None:
    for check_mode in (True, False):
        for options, words in (
            ({"lifetime_in_minutes": 600}, "60 to 480 minutes"),
            ({"is_usable_once": False}, "works only once"),
            ({"user": "viktor.popov"}, "There is no user"),
        ):
            given: dict[str, Any] = {"user": business.emergency, **options}
            refused = business.access_pass(check_mode=check_mode, **given)
            assert refused["failed"]
            assert words in refused["msg"]
    guests = [
        user["userPrincipalName"]
        for user in business.simulator.state(business.tenant)["objects"]["user"]
        if "#EXT#" in user["userPrincipalName"]
    ]
    assert "external guest" in business.access_pass(user=guests[0])["msg"]
    assert business.wrote() == 0


def test_a_method_that_is_off_and_a_tenant_without_a_licence(simulator: Simulator) -> None:
    free = Doing(simulator, "greenfield")
    user = simulator.state(free.tenant)["objects"]["user"][0]["userPrincipalName"]
    assert "does not allow" in free.access_pass(user=user)["msg"]
    assert free.wrote() == 0
    on = {
        "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration",
        "state": "enabled",
    }
    simulator.change(free.tenant, "PATCH", f"{METHODS}/TemporaryAccessPass", on)
    planned = free.access_pass(user=user, check_mode=True)
    assert "no Microsoft Entra ID P1" in planned["effects"][0]
    refused = free.access_pass(user=user)
    assert "lacks the licence" in refused["msg"]
    assert refused["error"]["status"] == 403
    token = free.token(**TOKEN, user=user)
    assert "lacks the licence" in token["msg"]
    simulator.assume(free.tenant, {"temporary_access_pass_on_free": "accepted", "hardware_oath_on_free": "accepted"})
    assert free.access_pass(user=user)["changed"]
    assert free.token(**TOKEN, user=user)["changed"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("stopped_at", [1, 2, 3])
def test_a_token_is_finished_by_the_next_run(business: Doing, stopped_at: int, when: str) -> None:
    options = {**TOKEN, "user": business.emergency}
    path = ("/hardwareOathDevices$", "/hardwareOathMethods$", "/activate$")[stopped_at - 1]
    business.simulator.fail(path, 503, method="POST", when=when)
    broken = business.token(**options)
    assert broken["failed"]
    assert broken["changed"]  # it may have been done
    business.simulator.heal()
    done = business.token(**options)
    assert not done.get("failed"), done["msg"]
    assert done["hardware_oath_token"]["status"] == "activated"
    assert len(done["diff"]) == (4 if when == "before" else 3) - stopped_at
    assert not business.token(**options)["changed"]
    assert TOKEN["secret_key"] not in json.dumps([broken, done])


def test_a_wrong_clock_of_this_machine_does_no_harm(business: Doing) -> None:
    business.simulator.advance(3000)
    assert business.token(**TOKEN, user=business.emergency)["hardware_oath_token"]["status"] == "activated"


def test_a_token_of_somebody_else_is_left_alone_and_the_last_factor_too(business: Doing) -> None:
    mine = business.token(**TOKEN, user=business.emergency)
    assert mine["changed"]
    assert "assigned to another user" in business.token(**TOKEN, user="daan.mulder@contoso.example")["msg"]
    # The emergency account has a security key besides.
    gone = business.token(serial_number=TOKEN["serial_number"], state="absent")
    assert gone["changed"]
    assert not business.token(serial_number=TOKEN["serial_number"], state="absent")["changed"]


def test_no_secret_is_shown_at_any_verbosity(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    """Through both doors; the passes are kept in files by tasks that must be hidden by their own no_log."""
    tenant = simulator.tenant("business")
    tasks: list[dict[str, Any]] = []
    for number, in_process in enumerate((True, False)):
        ask = {"user": f"emergency.one@{tenant.initial_domain}", "replace": True}
        keep = {"content": "{{ made.temporary_access_pass.temporary_access_pass }}", "dest": f"{tmp_path}/{number}"}
        token = {**TOKEN, "serial_number": f"{number}", "user": f"emergency.one@{tenant.initial_domain}"}
        doors = {"m365_in_process": in_process}
        tasks += [
            {
                "name": f"Pass {number}",
                "zerotrust.m365.temporary_access_pass": ask,
                "register": "made",
                "loop": [1],
                "vars": doors,
            },
            {"set_fact": {"made": "{{ made.results[0] }}"}, "no_log": True},
            {"ansible.builtin.copy": {**keep, "mode": "0600"}, "no_log": True, "diff": False},
            {"name": f"Token {number}", "zerotrust.m365.hardware_oath_token": token, "vars": doors},
        ]
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    run = play(playbook, "-vvvv", "--diff", door=None, environment=simulator.environment(tenant))
    assert run.return_code == 0, run.output
    passes = [(tmp_path / str(number)).read_text(encoding="utf-8") for number in range(2)]
    assert len({*passes}) == 2
    assert all(len(one) == 8 for one in passes)
    for secret in (*passes, TOKEN["secret_key"]):
        assert secret not in run.output
        assert secret not in json.dumps([one.result for one in [*run.results, *run.items]])
        for file in run.folder.rglob("*"):
            assert not file.is_file() or secret.encode() not in file.read_bytes(), file
    assert [run.task(f"Pass {number}").changed for number in range(2)] == [True, True]
    assert len(run.task("Token 0").diff) == len(run.task("Token 1").diff) == 3
