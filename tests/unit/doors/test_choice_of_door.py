# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleActionFail

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import MissingLibrary
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import (
    login,
    security_defaults,
    temporary_access_pass,
)
from ansible_collections.zerotrust.m365.plugins.plugin_utils import _action
from ansible_collections.zerotrust.m365.plugins.plugin_utils._action import ResourceAction, without_secrets


class SecurityDefaultsAction(ResourceAction):
    resource = security_defaults.RESOURCE


class LoginAction(ResourceAction):
    resource = login.RESOURCE


class TemporaryAccessPassAction(ResourceAction):
    resource = temporary_access_pass.RESOURCE


class Door:
    """An action on a local connection, with what it did: ``here`` and ``handed_over`` hold the arguments."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, action: type[ResourceAction] = SecurityDefaultsAction) -> None:
        self.here: list[dict[str, Any]] = []
        self.handed_over: list[dict[str, Any]] = []
        self.environments: list[dict[str, str]] = []
        self.result: dict[str, Any] = {"changed": False}
        self.task = SimpleNamespace(
            action="zerotrust.m365.security_defaults",
            args={"enabled": True},
            async_val=0,
            become=None,
            check_mode=False,
            environment=[],
            timeout=0,
        )
        self.shell = SimpleNamespace(tmpdir=None, env_prefix=lambda **_values: "")
        self.connection = SimpleNamespace(
            transport="local", become=None, has_native_async=False, always_pipeline_modules=False, _shell=self.shell
        )
        self.play_context = SimpleNamespace(become=False)
        templar = SimpleNamespace(template=lambda value: value)
        self.action = action(self.task, self.connection, self.play_context, None, templar, None)
        monkeypatch.setattr(_action, "run_in_process", self._run_here)
        monkeypatch.setattr(self.action, "_execute_module", self._execute_module)
        monkeypatch.setattr(self.action, "_early_needs_tmp_path", lambda: False)
        monkeypatch.setattr(self.action, "_remove_tmp_path", lambda _path: None)

    def run(self, **variables: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.action.run(None, variables)
        assert len(self.here) + len(self.handed_over) == 1
        return result

    def _run_here(self, _resource: Any, arguments: Any, _name: str, _check_mode: bool) -> dict[str, Any]:
        self.here.append(dict(arguments))
        self.environments.append(dict(os.environ))
        return dict(self.result)

    def _execute_module(self, **keywords: Any) -> dict[str, Any]:
        self.handed_over.append(keywords)
        return dict(self.result)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setattr(sys, "platform", "linux")
    return Door(monkeypatch)


def test_a_local_task_runs_here(door: Door) -> None:
    assert door.run() == {"changed": False}
    assert door.here == [{"enabled": True}]


@pytest.mark.parametrize("choice", ["auto", True, "true", "yes", 1])
def test_the_variable_chooses_this_process(choice: Any, door: Door) -> None:
    door.run(m365_in_process=choice)
    assert door.here == [{"enabled": True}]


@pytest.mark.parametrize("choice", [False, "false", "no", 0])
def test_the_variable_chooses_the_module(choice: Any, door: Door) -> None:
    door.run(m365_in_process=choice)
    (handed,) = door.handed_over
    assert handed["module_name"] == "zerotrust.m365.security_defaults"
    assert handed["module_args"] == {"enabled": True}
    assert handed["wrap_async"] in (0, False)


@pytest.mark.parametrize("choice", ["sometimes", "", None, 7, []], ids=repr)
def test_a_choice_that_is_none_is_refused(choice: Any, door: Door) -> None:
    with pytest.raises(AnsibleActionFail, match="m365_in_process must be auto, true or false"):
        door.run(m365_in_process=choice)
    assert door.here == door.handed_over == []


@pytest.mark.parametrize("choice", ["auto", True])
@pytest.mark.parametrize("doubt", ["ssh", "async", "task become", "play become", "connection become", "library"])
def test_whatever_is_in_doubt_goes_to_the_module(
    doubt: str, choice: Any, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    if doubt == "ssh":
        door.connection.transport = "ssh"
    elif doubt == "async":
        door.task.async_val = 30
    elif doubt == "task become":
        door.task.become = True
    elif doubt == "play become":
        door.play_context.become = True
    elif doubt == "connection become":
        door.connection.become = SimpleNamespace(name="sudo")
    else:
        monkeypatch.setattr(_action, "missing_library", lambda: MissingLibrary("msal", "Traceback"))
    door.run(m365_in_process=choice)
    assert door.here == []
    assert bool(door.handed_over[0]["wrap_async"]) is (doubt == "async")


def test_macos_runs_here_only_when_told_to(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    door.run()
    assert door.here == []
    told = Door(monkeypatch)
    told.run(m365_in_process=True)
    assert told.handed_over == []


@pytest.mark.parametrize("in_process", [True, False])
def test_the_timeout_of_the_task_bounds_its_writes_behind_both_doors(in_process: bool, door: Door) -> None:
    door.task.timeout = 20
    door.run(m365_in_process=in_process)
    arguments = door.here[0] if in_process else door.handed_over[0]["module_args"]
    assert arguments == {"enabled": True, "max_duration": 20}
    assert door.task.args == {"enabled": True}


@pytest.mark.parametrize("in_process", [True, False])
def test_what_others_may_show_of_a_task_holds_no_secret(in_process: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its arguments nor its defaults; but another attempt at the same task has them."""
    given = {"enabled": True, "client_secret": "s3cret-value", "client_id": "s3cret-value"}
    first, second = Door(monkeypatch), Door(monkeypatch)
    task = second.action._task = first.task
    task.args, task.module_defaults = given, [{"group/zerotrust.m365.all": given}]
    for door in (first, second):
        monkeypatch.setattr(_action, "run_in_process", door._run_here)
        door.run(m365_in_process=in_process)
        assert (door.here[0] if in_process else door.handed_over[0]["module_args"]) == given
        assert "s3cret" not in repr((task.args, task.module_defaults))
        assert task.args["enabled"] is True


def test_arguments_of_no_type_are_all_hidden() -> None:
    shown = without_secrets(security_defaults.RESOURCE, {"client_secret": "s3cret-value", "enabled": object()})
    assert set(shown) == {"client_secret", "enabled"}
    assert "object" not in repr(shown)


def test_max_duration_of_the_task_counts_before_its_timeout(door: Door) -> None:
    door.task.timeout = 20
    door.task.args["max_duration"] = 10
    door.run()
    assert door.here[0]["max_duration"] == 10


def test_the_environment_of_the_task_holds_for_the_task(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_TENANT_ID", raising=False)
    door.task.environment = [{"AZURE_TENANT_ID": "contoso.example"}]
    door.run()
    assert door.environments[0]["AZURE_TENANT_ID"] == "contoso.example"
    assert "AZURE_TENANT_ID" not in os.environ


@pytest.mark.parametrize("in_process", [True, False])
@pytest.mark.parametrize("failed", [True, False])
def test_only_a_successful_login_is_hidden(failed: bool, in_process: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    door = Door(monkeypatch, LoginAction)
    door.result = {"failed": failed, "access_token": "header.payload.signature"}
    assert door.run(m365_in_process=in_process).get("_ansible_no_log", False) is not failed


@pytest.mark.parametrize("variables", [{}, {"ansible_inject_invocation": True}, {"ansible_inject_invocation": False}])
def test_invocation_is_added_where_ansible_adds_it_for_modules(
    variables: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_a_setting = "INJECT_INVOCATION" in constants.config.get_configuration_definitions()  # from 2.21
    wanted = constants.config.get_config_value("INJECT_INVOCATION", variables=variables) if is_a_setting else True
    real = _action.run_in_process
    door = Door(monkeypatch)
    monkeypatch.setattr(_action, "run_in_process", real)
    door.task.args = {"nothing": 1}
    result = door.action.run(None, variables)
    assert result["failed"] is True
    assert ("invocation" in result) is wanted


@pytest.mark.parametrize("in_process", [True, False])
@pytest.mark.parametrize("secret", ["x7Kq9", None])
def test_a_result_is_hidden_when_it_holds_a_secret(
    secret: str | None, in_process: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    door = Door(monkeypatch, TemporaryAccessPassAction)
    door.result = {"changed": True, "temporary_access_pass": {"exists": True, "temporary_access_pass": secret}}
    result = door.run(m365_in_process=in_process)
    assert result.pop("_ansible_no_log", False) is (secret is not None)
    assert result == door.result


def test_other_results_are_not_hidden(door: Door) -> None:
    assert "_ansible_no_log" not in door.run()
