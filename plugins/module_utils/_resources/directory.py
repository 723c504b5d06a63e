# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the names that people write to the objects that Graph knows (private to the collection)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from .._engine.properties import StateUnknown
from .._engine.run import Run
from .._graph.batch import Read
from .._graph.client import GraphClient
from .._graph.errors import GraphError, NotFound, OptionError
from .._graph.query import is_guid, path_segment, quote_string
from .._policy.facts import UnexpectedShape, text

USER_SELECT = "id,userPrincipalName"
GROUP_SELECT = "id,displayName"

EXPECTED_GROUPS: dict[str, dict[str, Any]] = {
    "expected_groups": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "display_name": {"type": "str", "required": True},
            "members": {"type": "list", "elements": "str", "default": []},
        },
    },
}
# What is derived from it is the id of no object, since Entra draws its ids by chance.
STAND_INS = UUID("6a5c2a3e-62b0-5b6f-9f0b-3c1f5c0d7e11")


@dataclass(frozen=True)
class ExpectedGroup:
    """A group that an earlier task of the same dry run would have made, with the principal names of its members."""

    name: str
    members: tuple[str, ...]

    @property
    def id(self) -> str:
        """Stands in for the id that Entra will draw."""
        return stand_in(self.name)


def stand_in(name: str) -> str:
    """An id for what is not there yet: always the same for a name."""
    return str(uuid5(STAND_INS, name.casefold()))


def expected_groups(run: Run) -> dict[str, ExpectedGroup]:
    """The groups of the option ``expected_groups`` by name in lower case. Outside check mode a group must be there."""
    if not run.check_mode:
        return {}
    rows = run.options.get("expected_groups") or []
    groups = [ExpectedGroup(row["display_name"], tuple(row["members"] or ())) for row in rows]
    return {group.name.casefold(): group for group in groups}


def find_users(client: GraphClient, names: Sequence[str]) -> dict[str, str]:
    """Principal names by id, of users written as principal names or ids. Raises OptionError for one who is missing."""
    reads = [
        Read(f"/users/{path_segment(name)}", parameters={"$select": USER_SELECT}, action=f"read the user {name}")
        for name in names
    ]
    return dict(_named(name, answer, "user", "userPrincipalName") for name, answer in _answers(client, names, reads))


def find_groups(
    client: GraphClient, names: Sequence[str], expected: Mapping[str, ExpectedGroup] | None = None
) -> dict[str, str]:
    """Display names by id, of groups written as display names or ids; ``expected`` ones may be missing. Raises
    OptionError unless each is just one."""
    reads = [object_read("group", "/groups", name, GROUP_SELECT) for name in names]
    found = {}
    for name, answer in _answers(client, names, reads):
        group = _only(name, answer, "group")
        coming = (expected or {}).get(name.casefold())
        identity, label = (
            (coming.id, coming.name) if coming and not group else _named(name, group, "group", "displayName")
        )
        found[identity] = label
    return found


def find_members(client: GraphClient, names: Collection[str]) -> dict[str, str]:
    """Principal names by id of the users who are to be in an expected group; not all of them need to be there yet."""
    reads = [
        Read(f"/users/{path_segment(name)}", parameters={"$select": USER_SELECT}, action=f"read the user {name}")
        for name in names
    ]
    return dict(
        _named(name, answer, "user", "userPrincipalName") if answer else (stand_in(name), name)
        for name, answer in _answers(client, [*names], reads)
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
