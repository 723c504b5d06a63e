# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action door: the one place that touches ActionBase (private to the collection).

Runs a resource inside the controller's worker, without packing and starting a module. It hands over to the module of
the same name wherever the two could differ: another connection than local, async, become, a missing library, macOS.
Ansible.netcommon calls the same idea direct execution.
"""

from __future__ import annotations

import datetime
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.zerotrust.m365.plugins.module_utils._door import (
    NOT_CONVERTIBLE,
    argument_spec,
    masked,
    missing_library,
    secret_results,
    secrets_in,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import execute
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import Resource
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.run import STARTED_BY, is_gone
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import readable
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.session import preload_authorities

DOOR_VARIABLE = "m365_in_process"
INJECT_INVOCATION = "INJECT_INVOCATION"
GIVEN = "_m365_given"
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

# Ansible loads this file once, before it forks a worker for each task.
preload_authorities(os.environ)


class ResourceAction(ActionBase):
    """One line per resource: a subclass that names it."""

    resource: ClassVar[Resource]

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = task_vars or {}
        result: dict[str, Any] = super().run(tmp, variables)
        arguments = self._take_arguments()
        if self._task.timeout and arguments.get("max_duration") is None:
            arguments["max_duration"] = self._task.timeout
        here = self._in_process(variables)
        result.update(self._run_here(arguments, variables) if here else self._hand_over(arguments, variables))
        if secret_results(self.resource, result):
            result["_ansible_no_log"] = True
            # ansible-core 2.16 forgets the line above when it puts the results of a loop together.
            self._task.no_log = True
        if is_gone(_ansible_itself()):
            # There is nobody to take the result, and a worker would wait for ever to hand it over.
            os._exit(1)
        return result

    def _take_arguments(self) -> dict[str, Any]:
        """What the task was given. In its place stays what callbacks and ``ansible_failed_task`` may show of it.

        Another attempt (``until``) is of the same task, but has an action plugin of its own.
        """
        given: dict[str, Any] = getattr(self._task, GIVEN, None) or dict(self._task.args)
        setattr(self._task, GIVEN, given)
        self._task.args = without_secrets(self.resource, given)
        self._task.module_defaults = []  # they are among the arguments by now
        return dict(given)

    def _in_process(self, variables: Mapping[str, Any]) -> bool:
        """Whether the resource may run in this process; anything doubtful goes to the module."""
        choice = self._templar.template(variables.get(DOOR_VARIABLE, "auto"))
        if choice != "auto":
            try:
                choice = boolean(choice)
            except TypeError:
                raise AnsibleActionFail(f"{DOOR_VARIABLE} must be auto, true or false, not '{choice}'.") from None
        if choice is False or (choice == "auto" and sys.platform == "darwin"):
            return False
        become = self._task.become or self._play_context.become or self._connection.become
        return (
            self._connection.transport == "local" and not self._task.async_val and not become and not missing_library()
        )

    def _hand_over(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        wrap_async = self._task.async_val and not self._connection.has_native_async
        given = self._task.environment
        if self._connection.transport == "local" and not self._task.async_val:
            # A module outlives us when we are killed, and can look for us on the same machine.
            waiting = {STARTED_BY: f"{_ansible_itself()} {os.getpid()}"}
            self._task.environment = [*(given if isinstance(given, list) else [given]), waiting]
        try:
            result: dict[str, Any] = self._execute_module(
                module_name=self._task.action, module_args=arguments, task_vars=variables, wrap_async=wrap_async
            )
        finally:
            self._task.environment = given
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _run_here(self, arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        with process_environment({**environment, STARTED_BY: str(_ansible_itself())}):
            result = run_in_process(self.resource, arguments, self._task.action, bool(self._task.check_mode))
        if not self._shows_invocation(variables):
            result.pop("invocation", None)
        return result

    def _shows_invocation(self, variables: Mapping[str, Any]) -> bool:
        """Whether Ansible leaves ``invocation`` in a module's result; a setting since ansible-core 2.21."""
        if INJECT_INVOCATION not in constants.config.get_configuration_definitions():
            return True
        return bool(constants.config.get_config_value(INJECT_INVOCATION, variables=variables))


def without_secrets(resource: Resource, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which no value of a secret option is left, wherever it stands."""
    spec = argument_spec(resource)
    hidden = {name: HIDDEN for name in arguments if spec.get(name, {}).get("no_log")}
    try:
        secrets = {str(arguments[name]) for name in hidden if arguments[name]}
        secrets.update(secrets_in(resource, arguments))
        return {**masked(arguments, secrets), **hidden}
    except (AnsibleError, ArithmeticError, RecursionError, TypeError, ValueError):
        return dict.fromkeys(arguments, HIDDEN)  # of a type that no option has; the door says so


def _ansible_itself() -> int:
    """The process that started this worker, alive or not."""
    parent = multiprocessing.parent_process()
    return os.getppid() if parent is None or parent.pid is None else parent.pid


def run_in_process(resource: Resource, arguments: Mapping[str, Any], name: str, check_mode: bool) -> dict[str, Any]:
    """Validate as AnsibleModule does, execute, and mask as AnsibleModule does."""
    secrets: set[str] = set()
    warnings: list[str] = []
    try:
        validation = ArgumentSpecValidator(argument_spec(resource)).validate(plain(arguments))
    except (ArithmeticError, TypeError, ValueError):
        return {"failed": True, "msg": NOT_CONVERTIBLE}
    secrets.update(validation._no_log_values)
    options = validation.validated_parameters
    if validation.error_messages:
        message = validation.errors.msg
        if isinstance(validation.errors[0], UnsupportedError):
            message = f"Unsupported parameters for ({name}) module: {message}"
        result = {"failed": True, "msg": readable(masked({"msg": message}, secrets)["msg"])}
    else:
        secrets.update(secrets_in(resource, options))
        result = execute(
            resource,
            options,
            environment=os.environ,
            check_mode=check_mode,
            warn=warnings.append,
            secret=secrets.add,
        )
    invocation = masked({"module_args": options}, secrets)
    result = {**masked(result, secrets - secret_results(resource, result)), "invocation": invocation}
    if warnings:
        result["warnings"] = [masked({"warning": warning}, secrets)["warning"] for warning in dict.fromkeys(warnings)]
    return result


def plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as a module would receive them: through JSON, without Ansible's own string and date types."""
    result: dict[str, Any] = json.loads(json.dumps(_with_plain_keys(arguments), default=_as_module_receives))
    return result


def _with_plain_keys(value: Any) -> Any:
    """JSON's keys are strings; YAML also allows dates."""
    if isinstance(value, Mapping):
        return {
            key.isoformat() if isinstance(key, (datetime.date, datetime.time)) else key: _with_plain_keys(item)
            for key, item in value.items()
        }
    return [_with_plain_keys(item) for item in value] if isinstance(value, list) else value


def _as_module_receives(value: Any) -> Any:
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


@contextmanager
def process_environment(values: Mapping[str, Any]) -> Iterator[None]:
    """The task's ``environment`` for the time of the task: a worker runs all items of a loop."""
    before = dict(os.environ)
    try:
        os.environ.update({name: str(value) for name, value in values.items()})
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
