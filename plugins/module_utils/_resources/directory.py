# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the names that people write to the objects that Graph knows (private to the collection)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._engine.properties import StateUnknown
from .._graph.batch import Read
from .._graph.client import GraphClient
from .._graph.errors import GraphError, NotFound, OptionError
from .._graph.query import is_guid, path_segment, quote_string
from .._policy.facts import UnexpectedShape, text

USER_SELECT = "id,userPrincipalName"
GROUP_SELECT = "id,displayName"


def find_users(client: GraphClient, names: Sequence[str]) -> dict[str, str]:
    """Principal names by id, of users written as principal names or ids. Raises OptionError for one who is missing."""
    reads = [
        Read(f"/users/{path_segment(name)}", parameters={"$select": USER_SELECT}, action=f"read the user {name}")
        for name in names
    ]
    return dict(_named(name, answer, "user", "userPrincipalName") for name, answer in _answers(client, names, reads))


def find_groups(client: GraphClient, names: Sequence[str]) -> dict[str, str]:
    """Display names by id, of groups written as display names or ids. Raises OptionError unless each is just one."""
    reads = [object_read("group", "/groups", name, GROUP_SELECT) for name in names]
    return dict(
        _named(name, _only(name, answer, "group"), "group", "displayName")
        for name, answer in _answers(client, names, reads)
    )


def object_read(kind: str, path: str, name: str, select: str) -> Read:
    """The read of an object that people write as a display name or an id. ``kind`` is the word for it."""
    if is_guid(name):
        return Read(f"{path}/{name}", parameters={"$select": select}, action=f"read the {kind} {name}")
    parameters = {"$filter": f"displayName eq {quote_string(name)}", "$select": select}
    return Read(path, parameters=parameters, collection=True, action=f"look for the {kind} '{name}'")


def only_object(kind: str, name: str, answer: Any) -> Mapping[str, Any]:
    """The one object in the answer to such a read. Raises OptionError unless it is just one, and GraphError."""
    if isinstance(answer, GraphError) and not isinstance(answer, NotFound):
        raise answer
    found: Mapping[str, Any] | None = None if isinstance(answer, NotFound) else _only(name, answer, kind)
    if found is None:
        raise OptionError(f"There is no {kind} '{name}' in this tenant.")
    return found


def _answers(client: GraphClient, names: Sequence[str], reads: Sequence[Read]) -> list[tuple[str, Any]]:
    """Each name with its answer, None where Graph does not know it. Raises GraphError."""
    found: list[tuple[str, Any]] = []
    for name, answer in zip(names, client.read_many(reads) if reads else [], strict=True):
        if isinstance(answer, GraphError) and not isinstance(answer, NotFound):
            raise answer
        found.append((name, None if isinstance(answer, NotFound) else answer))
    return found


def _only(name: str, answer: Any, kind: str) -> Any:
    if not isinstance(answer, list):
        return answer
    if len(answer) > 1:
        raise OptionError(f"{len(answer)} {kind}s are called '{name}'; give the id of the one that is meant.")
    return answer[0] if answer else None


def _named(name: str, answer: Mapping[str, Any] | None, kind: str, label: str) -> tuple[str, str]:
    if answer is None:
        raise OptionError(f"There is no {kind} '{name}' in this tenant.")
    try:
        return text(answer, "id"), text(answer, label)
    except UnexpectedShape as error:
        raise StateUnknown(f"Graph's answer for the {kind} '{name}' has an unexpected shape: {error}.") from None
