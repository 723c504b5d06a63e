# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the only second factor of a user is kept, whatever of it cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError, PermissionMissing
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import GLOBAL_ADMINISTRATOR
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.last_factor import refuse_last_factor
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, refused, run_of

METHODS, GROUPS, ROLES = (
    "/users/u1/authentication/methods",
    "/users/u1/transitiveMemberOf",
    "/roleManagement/directory/roleAssignments",
)
KEY = {"@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "id": "key"}
PASSWORD = {"@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": "password"}
PASS = {"@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod", "id": "pass", "isUsable": True}
TOKEN = {"@odata.type": "#microsoft.graph.softwareOathAuthenticationMethod", "id": "token"}
IN_ANOTHER_GROUP = [{"id": "another"}]


def administrator(principal: str) -> list[dict[str, str]]:
    return [{"principalId": principal, "roleDefinitionId": GLOBAL_ADMINISTRATOR.upper()}]


def take_away(methods: Any, groups: Any = (), roles: Any = (), *, force: bool = False) -> None:
    graph = FakeGraph({METHODS: methods, GROUPS: groups, ROLES: roles})
    refuse_last_factor(run_of(graph, {}), "u1", "u1@contoso.example", "The passkey", "key", force=force)


def test_whoever_has_another_factor_may_lose_this_one() -> None:
    take_away([PASSWORD, KEY, TOKEN], refused(), refused())


@pytest.mark.parametrize("methods", [[KEY], [KEY, PASSWORD], [KEY, PASSWORD, PASS]])
def test_the_only_one_is_kept_unless_it_is_forced(methods: Any) -> None:
    with pytest.raises(OptionError, match=r"only second factor .* of u1@contoso.example.*or take it away with 'force"):
        take_away(methods)
    take_away(methods, IN_ANOTHER_GROUP, administrator("somebody-else"), force=True)


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        ([], administrator("U1")),
        ([{"id": "G1"}], administrator("g1")),
        (refused(), []),
        ([], refused()),
    ],
)
def test_of_whoever_may_be_a_global_administrator_it_is_kept_even_so(groups: Any, roles: Any) -> None:
    with pytest.raises(OptionError, match="'force' does not reach a Global Administrator"):
        take_away([KEY], groups, roles, force=True)


@pytest.mark.parametrize(
    ("methods", "groups", "roles"),
    [
        ({}, [], []),
        ([{"@odata.type": None, "id": "1"}], [], []),
        ([{"@odata.type": "#microsoft.graph.fido2AuthenticationMethod"}], [], []),
        ([KEY], [{}], []),
        ([KEY], [], [{"principalId": "u1"}]),
    ],
)
def test_an_odd_answer_is_a_refusal(methods: Any, groups: Any, roles: Any) -> None:
    with pytest.raises(StateUnknown, match=r"answers about u1@contoso.example have an unexpected shape"):
        take_away(methods, groups, roles, force=True)


def test_methods_that_cannot_be_read_are_a_refusal() -> None:
    with pytest.raises(PermissionMissing):
        take_away(refused(), force=True)
