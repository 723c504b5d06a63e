# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module, and the tasks that its playbook in tests/integration/targets makes of it: found, not listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any

import yaml
from ansible.plugins.filter.core import strftime
from jinja2 import StrictUndefined, Undefined
from jinja2.exceptions import TemplateError, UndefinedError
from jinja2.nativetypes import NativeEnvironment

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import Resource
from ansible_collections.zerotrust.m365.tests.integration.test_modules import COLLECTION, MODULES, TARGETS

TEMPLATES = NativeEnvironment(undefined=StrictUndefined)
TEMPLATES.filters["strftime"] = strftime
TEMPLATES.globals["now"] = datetime.now

MODULE_NAMES = sorted(path.stem for path in (COLLECTION / "plugins/modules").glob("*.py"))
RESOURCES: Mapping[str, Resource] = {
    name: import_module(f"ansible_collections.zerotrust.m365.plugins.action.{name}").ActionModule.resource
    for name in MODULE_NAMES
}


# The tenant that the playbook of each module is written for.
SCENARIOS = {module: scenario for module, (scenario, _changes) in MODULES.items()}


@dataclass(frozen=True)
class UsualTask:
    """A task as the module's documentation has it. ``scenario`` is the tenant that it is written for."""

    module: str
    scenario: str
    name: str
    options: Mapping[str, Any] = field(repr=False)

    @property
    def resource(self) -> Resource:
        return RESOURCES[self.module]


def usual_tasks(module: str, variables: Mapping[str, Any]) -> list[UsualTask]:
    """Those that need the result of no other task."""
    scenario = SCENARIOS[module]
    (play,) = yaml.safe_load((TARGETS / f"{module}.yml").read_text(encoding="utf-8"))
    known = dict(variables)
    for name, value in play.get("vars", {}).items():
        with suppress(TemplateError):
            known[name] = _rendered(value, known)
    return [
        UsualTask(module, scenario, task["name"], options)
        for task in _tasks(play["tasks"], f"zerotrust.m365.{module}")
        if (options := _options(task[f"zerotrust.m365.{module}"], {**known, **task.get("vars", {})})) is not None
    ]


def _tasks(tasks: list[dict[str, Any]], action: str) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield from _tasks(task.get("block", []), action)
        if action in task:
            yield task


def _options(options: Any, variables: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        rendered = _rendered(options or {}, variables)
    except TemplateError:  # of something that only a run knows
        return None
    return rendered if isinstance(rendered, dict) else None


def _rendered(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and "{{" in value:
        rendered: Any = TEMPLATES.from_string(value).render(variables)
        if isinstance(rendered, Undefined):
            raise UndefinedError(value)
        return rendered
    if isinstance(value, Mapping):
        return {name: _rendered(item, variables) for name, item in value.items()}
    return [_rendered(item, variables) for item in value] if isinstance(value, list) else value
