# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest

from ansible_collections.zerotrust.m365.plugins.plugin_utils._action import process_environment


def environment() -> dict[str, str]:
    """All of it but what pytest itself changes while a test runs."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("AZURE_TENANT_ID", "of the shell")
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
    return environment()


def test_values_hold_for_the_time_of_the_task(before: dict[str, str]) -> None:
    with process_environment({"AZURE_TENANT_ID": "of the task", "AZURE_CLIENT_ID": "new"}):
        assert os.environ["AZURE_TENANT_ID"] == "of the task"
        assert os.environ["AZURE_CLIENT_ID"] == "new"
        assert os.environ["PATH"] == before["PATH"]
    assert environment() == before


def test_what_a_task_sets_or_removes_itself_does_not_last(before: dict[str, str]) -> None:
    with process_environment({}):
        os.environ["AZURE_CLIENT_ID"] = "left behind"
        del os.environ["AZURE_TENANT_ID"]
    assert environment() == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_environment_comes_back_after_any_exception(error: type[BaseException], before: dict[str, str]) -> None:
    with pytest.raises(error), process_environment({"AZURE_TENANT_ID": "of the task"}):
        raise error
    assert environment() == before


def test_one_loop_item_does_not_see_what_another_set(before: dict[str, str]) -> None:
    seen = []
    for values in ({"AZURE_CLIENT_ID": "first"}, {}, {"AZURE_CLIENT_ID": "third"}):
        with process_environment(values):
            seen.append(os.environ.get("AZURE_CLIENT_ID"))
    assert seen == ["first", None, "third"]


def test_values_become_text(before: dict[str, str]) -> None:
    with process_environment({"AZURE_CLIENT_ID": 5}):
        assert os.environ["AZURE_CLIENT_ID"] == "5"


@pytest.mark.parametrize("bad", [{"BAD": "b\0c"}, {"B=D": "c"}], ids=ascii)
def test_a_value_that_cannot_be_set_leaves_nothing_behind(bad: dict[str, str], before: dict[str, str]) -> None:
    with pytest.raises((ValueError, OSError)), process_environment({"AZURE_CLIENT_ID": "a", **bad}):
        pytest.fail("this cannot be an environment")
    assert environment() == before
