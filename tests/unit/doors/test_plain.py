# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments as a module would receive them, whatever types Ansible's YAML loader gives."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from ansible.parsing import vault
from ansible.parsing.dataloader import DataLoader
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._engine import engine
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import graph_info
from ansible_collections.zerotrust.m365.plugins.plugin_utils._action import plain, run_in_process
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values

YAML = """
text: plain text
umlaut: "\u00e4\u00f6\u00fc \u2713"
number: 5
fraction: 1.5
big: 123456789012345678901234567890
yes: true
nothing:
date: 2026-11-23
moment: 2026-11-23T12:34:56Z
list: [a, 1, 2026-11-23, {inner: b}]
dictionary:
  nested: {deep: 2026-01-01}
  5: a number as a key
unsafe: !unsafe "{{ not a template }}"
"""


def as_ansible_sends(arguments: Any) -> Any:
    """What this ansible-core makes of a task's arguments on their way to a module."""
    try:
        from ansible.module_utils._internal._json._profiles._module_legacy_c2m import Encoder
    except ImportError:  # before 2.19
        from ansible.parsing.ajson import AnsibleJSONEncoder

        return json.loads(json.dumps(arguments, cls=AnsibleJSONEncoder, vault_to_text=True))
    return json.loads(json.dumps(arguments, cls=Encoder))


def types_in(value: Any) -> set[type]:
    if isinstance(value, dict):
        return {dict}.union(*(types_in(item) for pair in value.items() for item in pair))
    if isinstance(value, list):
        return {list}.union(*map(types_in, value))
    return {type(value)}


@given(st.dictionaries(st.text(), json_values))
def test_json_is_left_as_it_is(arguments: dict[str, Any]) -> None:
    assert plain(arguments) == arguments


def test_yaml_arrives_as_a_module_would_receive_it() -> None:
    arguments = DataLoader().load(YAML)
    assert plain(arguments) == as_ansible_sends(arguments)
    assert plain(arguments)["date"] == "2026-11-23"
    assert plain(arguments)["dictionary"] == {"nested": {"deep": "2026-01-01"}, "5": "a number as a key"}
    assert plain(arguments)["unsafe"] == "{{ not a template }}"


def test_nothing_but_json_types_is_left() -> None:
    left = types_in(plain(DataLoader().load(YAML)))
    assert left == {dict, list, str, int, float, bool, type(None)}


@pytest.mark.parametrize(
    "value",
    [
        datetime.date(2026, 11, 23),
        datetime.datetime(2026, 11, 23, 12, 34, 56),  # noqa: DTZ001 - YAML gives dates without a zone
        datetime.datetime(2026, 11, 23, 12, 34, 56, 7, tzinfo=datetime.timezone.utc),
        (1, "a"),
        ["a", (datetime.date(2026, 11, 23),)],
        {"inner": {1: True, None: "b"}},
    ],
    ids=repr,
)
def test_values_from_templates_arrive_as_a_module_would_receive_them(value: Any) -> None:
    assert plain({"value": value}) == as_ansible_sends({"value": value})


def test_a_set_arrives_as_a_list() -> None:
    assert plain({"value": {"a"}, "frozen": frozenset(["b"])}) == {"value": ["a"], "frozen": ["b"]}


def test_arguments_are_not_changed() -> None:
    arguments = {"when": datetime.date(2026, 11, 23), "list": [(1, 2)]}
    plain(arguments)
    assert arguments == {"when": datetime.date(2026, 11, 23), "list": [(1, 2)]}


def test_a_vaulted_string_arrives_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [("default", vault.VaultSecret(b"the vault's password"))]
    if hasattr(vault, "VaultSecretsContext"):  # from 2.19
        monkeypatch.setattr(vault.VaultSecretsContext, "_current", vault.VaultSecretsContext(secrets))
    encrypted = vault.VaultLib(secrets).encrypt("hunter-2", secrets[0][1]).decode()
    loader = DataLoader()
    loader.set_vault_secrets(secrets)
    arguments = loader.load("client_secret: !vault |\n  " + encrypted.replace("\n", "\n  ") + "\n")
    assert arguments["client_secret"].__class__ is not str
    assert plain(arguments) == {"client_secret": "hunter-2"}
    assert plain(arguments)["client_secret"].__class__ is str


def test_a_date_as_an_option_works_like_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = FakeGraph({"/users": [{"hired": "2026-11-23"}]})
    monkeypatch.setattr(engine, "connect", lambda _options, **_keywords: graph)
    arguments = DataLoader().load("{path: /users, parameters: {$filter: 2026-11-23}, query: '[0].hired'}")
    result = run_in_process(graph_info.RESOURCE, arguments, "zerotrust.m365.graph_info", False)
    assert result["result"] == "2026-11-23"
    assert graph.asked[0]["parameters"] == {"$filter": "2026-11-23"}
    assert result["invocation"]["module_args"]["parameters"] == {"$filter": "2026-11-23"}


@pytest.mark.parametrize("key", ["2026-11-23", "2026-11-23T12:34:56Z", "true", "1.5", ""])
def test_no_key_that_yaml_allows_is_an_exception(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "connect", lambda _options, **_keywords: FakeGraph({"/users": []}))
    arguments = DataLoader().load(f"{{path: /users, parameters: {{? {key} : a}}}}")
    result = run_in_process(graph_info.RESOURCE, arguments, "zerotrust.m365.graph_info", False)
    assert isinstance(result["msg"], str)
