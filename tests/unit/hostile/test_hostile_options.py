# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option of every module with values that nobody should write: no crash, no write, and nothing comes apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._door import argument_spec
from ansible_collections.zerotrust.m365.tests.unit.hostile.conftest import OpenTenant, Variables
from ansible_collections.zerotrust.m365.tests.unit.hostile.every_module import (
    MODULE_NAMES,
    RESOURCES,
    SCENARIOS,
    usual_tasks,
)
from ansible_collections.zerotrust.m365.tests.unit.hostile.judging import leaves, unclean
from ansible_collections.zerotrust.m365.tests.unit.hostile.nonsense import (
    MARK,
    VALUES,
    OptionPath,
    is_secret,
    option_paths,
    taken_apart,
    with_option,
)
from ansible_collections.zerotrust.m365.tests.unit.hostile.replayed_tenant import ReplayedTenant

IN_EVERY_RUN, IN_DEEP_TESTS = 10, 400
# In these a user writes paths of Graph and parts of them; what leaves the host or the version is refused.
OWN_URLS = {"path", "read_path", "parameters"}


def faults(
    tenant: ReplayedTenant, module: str, options: Mapping[str, Any], path: OptionPath, value: Any
) -> tuple[list[str], dict[str, Any]]:
    resource = RESOURCES[module]
    result = tenant.run(resource, options)
    if "graph_calls" not in result:
        return [], result  # Ansible itself refused it, before anything of ours ran
    secrets = [value] if is_secret(argument_spec(resource), path) and isinstance(value, str) and len(value) > 8 else []
    found = unclean(result)
    found += [
        f"a secret is shown: {secret!r}" for secret in secrets for _path, leaf in leaves(result) if secret in str(leaf)
    ]
    found += [f"a dry run wrote: {sent.method} {sent.url}" for sent in tenant.writes]
    if path[0] not in OWN_URLS:
        found += [fault for sent in tenant.sent for fault in taken_apart(sent)]
    if result.get("failed") and not found and "error" not in result:
        again = tenant.run(resource, options, check_mode=False)
        found += [f"refused in a dry run, and written in a run: {sent.method} {sent.url}" for sent in tenant.writes]
        found += [] if again.get("failed") else ["refused in a dry run only"]
    return found, result


def fuzz(module: str, tenant: ReplayedTenant, variables: Mapping[str, Any], examples: int) -> None:
    spec = argument_spec(RESOURCES[module])
    tasks = [
        task for task in usual_tasks(module, variables) if not tenant.run(task.resource, task.options).get("failed")
    ]
    assert tasks

    @settings(max_examples=examples)
    @given(
        st.sampled_from(tasks),
        st.lists(st.tuples(st.sampled_from(sorted(option_paths(spec))), VALUES), min_size=1, max_size=3),
    )
    def nothing_gives(task: Any, changes: list[tuple[OptionPath, Any]]) -> None:
        options = dict(task.options)
        for path, value in changes:
            options = with_option(options, spec, path, value)
        path, value = changes[-1]
        found, result = faults(tenant, module, options, path, value)
        assert found == [], result

    nothing_gives()


def texts(spec: Mapping[str, Any], above: OptionPath = ()) -> Iterator[tuple[OptionPath, Any]]:
    """Every option that is free text, suboptions included, with what parts any text that is put in as it is."""
    everything = f"{MARK}' or '1' eq '1/../%2f?$top=1&a=b#c;{MARK}"
    for name, argument in spec.items():
        yield from texts(argument.get("options") or {}, (*above, name))
        if "choices" not in argument and "str" in (argument["type"], argument.get("elements")):
            yield (*above, name), [everything] if argument["type"] == "list" else everything


@pytest.mark.parametrize("module", MODULE_NAMES)
def test_what_parts_a_text(module: str, open_tenant: OpenTenant, variables: Variables) -> None:
    """Each free text of each module, so that none depends on what is drawn."""
    tenant = open_tenant(SCENARIOS[module])
    spec = argument_spec(RESOURCES[module])
    task = usual_tasks(module, variables(tenant))[0]
    wrong = {}
    for path, value in texts(RESOURCES[module].options):
        found, _result = faults(tenant, module, with_option(task.options, spec, path, value), path, value)
        if found:
            wrong[path] = found
    assert wrong == {}


@pytest.mark.parametrize("module", MODULE_NAMES)
def test_nonsense(module: str, open_tenant: OpenTenant, variables: Variables) -> None:
    tenant = open_tenant(SCENARIOS[module])
    fuzz(module, tenant, variables(tenant), IN_EVERY_RUN)


@pytest.mark.deep
@pytest.mark.parametrize("module", MODULE_NAMES)
def test_much_nonsense(module: str, open_tenant: OpenTenant, variables: Variables) -> None:
    tenant = open_tenant(SCENARIOS[module])
    fuzz(module, tenant, variables(tenant), IN_DEEP_TESTS)
