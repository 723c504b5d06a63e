# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something is the only second factor of a user, so that taking it away could lock the user out (private to the
collection). Asked before it is taken away, in check mode just as in a run."""

from __future__ import annotations

from typing import Any

from .._engine.properties import StateUnknown
from .._engine.run import Run
from .._graph.batch import Read
from .._graph.errors import GraphError, OptionError
from .._graph.query import path_segment
from .._policy.facts import UnexpectedShape, text
from .._policy.roles import GLOBAL_ADMINISTRATOR
from .._policy.second_factors import TEMPORARY_ACCESS_PASS, registered_methods


def refuse_last_factor(run: Run, user: str, name: str, what: str, method: str | None, *, force: bool) -> None:
    """Raises OptionError if ``what``, the authentication method with this id, is all that the user has left besides a
    password and Temporary Access Passes. ``method`` is None for what is no authentication method, as a certificate.

    ``force`` allows it, but for Global Administrators never; and whoever may be one counts as one.
    """
    path = f"/users/{path_segment(user)}"
    methods, groups, administrators = run.client.read_many(
        [
            Read(f"{path}/authentication/methods", collection=True, action=f"read the second factors of {name}"),
            Read(
                f"{path}/transitiveMemberOf",
                parameters={"$select": "id"},
                collection=True,
                action=f"list the groups of {name}",
            ),
            Read(
                "/roleManagement/directory/roleAssignments",
                parameters={"$filter": f"roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'"},
                collection=True,
                action="list the Global Administrators",
            ),
        ]
    )
    if isinstance(methods, GraphError):
        raise methods
    try:
        left = registered_methods(one for one in _items(methods) if text(one, "id") != method)
        if left - {TEMPORARY_ACCESS_PASS}:
            return
        administrator = _may_be_administrator(user, groups, administrators)
    except UnexpectedShape as error:
        raise StateUnknown(f"Graph's answers about {name} have an unexpected shape: {error}.") from None
    only = f"{what} is the only second factor that Graph shows of {name}. Register another one first"
    if not force:
        raise OptionError(f"{only}, or take it away with 'force: true'.")
    if administrator:
        raise OptionError(f"{only}: 'force' does not reach a Global Administrator, or who may be one.")


def _may_be_administrator(user: str, groups: Any, assignments: Any) -> bool:
    if isinstance(groups, GraphError) or isinstance(assignments, GraphError):
        return True
    own = {user.lower(), *(text(group, "id").lower() for group in groups)}
    return any(
        text(one, "principalId").lower() in own and text(one, "roleDefinitionId").lower() == GLOBAL_ADMINISTRATOR
        for one in assignments
    )


def _items(answer: Any) -> list[Any]:
    if not isinstance(answer, list):
        raise UnexpectedShape("a list was expected")
    return answer
