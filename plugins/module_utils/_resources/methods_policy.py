# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the authentication methods policy, and the groups that tasks name (private to the collection).

Sources: Microsoft's page "Manage authentication methods" (the policy holds at most 20 KB) and the Graph reference of
authenticationMethodsPolicy, which is not in every national cloud.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .._engine.properties import Properties, StateUnknown, wanted_values
from .._engine.run import Run
from .._graph.errors import GraphError, M365Error, OptionError
from .._graph.query import is_guid
from .._policy.authentication_methods import ALL_USERS, check_shape
from .._policy.facts import UnexpectedShape
from .._policy.targets import Edit, without_annotations
from .directory import expected_groups, find_groups

POLICY = "/policies/authenticationMethodsPolicy"
CONFIGURATIONS = f"{POLICY}/authenticationMethodConfigurations"
LARGEST_BYTES = 20 * 1024


class Unsupported(M365Error):
    """The cloud of this tenant has no authentication methods policy."""


def read_policy(run: Run, version: str = "v1.0") -> dict[str, Any]:
    """The policy with all its configurations, in one request. Raises Unsupported, StateUnknown."""
    kind = "" if version == "v1.0" else " (beta)"
    try:
        policy = run.client.get(POLICY, version=version, action=f"read the authentication methods policy{kind}")
    except GraphError as error:
        if error.means_unsupported():
            reason = (
                f"The authentication methods policy is unsupported in this cloud ({run.client.cloud.name}): Graph has "
                f"none{kind}. Nothing was written."
            )
            raise Unsupported(reason) from None
        raise
    with readable_policy():
        check_shape(policy)
    return policy


@contextmanager
def readable_policy() -> Iterator[None]:
    """What looks at the policy. Raises StateUnknown where it is not as Microsoft documents it."""
    try:
        yield
    except UnexpectedShape as error:
        reason = f"The authentication methods policy cannot be read: {error}. Nothing was written."
        raise StateUnknown(reason) from None


def bytes_of(policy: Mapping[str, Any]) -> int:
    """How large the policy is as compact JSON. What exactly Microsoft counts is not public."""
    return len(json.dumps(without_annotations(policy), separators=(",", ":")).encode())


def refuse_too_large(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raises OptionError for a change that makes the policy larger than Graph saves."""
    old, new = bytes_of(before), bytes_of(after)
    if new > LARGEST_BYTES and new > old:
        reason = (
            f"The authentication methods policy would have {new} bytes, and Graph saves at most {LARGEST_BYTES}. "
            "Nothing was written. Put people into fewer, larger groups."
        )
        raise OptionError(reason)


@dataclass(frozen=True)
class Groups:
    """Groups that the task names: ``ids`` by what it calls them (lower case), ``names`` by id (lower case).

    ``expected`` are ids that stand in for groups which are not there yet, in a dry run.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    expected: frozenset[str] = frozenset()

    def id_of(self, name: str) -> str:
        return self.ids.get(name.casefold(), name.lower())

    def known_id(self, identity: str) -> str | None:
        """None for a group that is not there yet."""
        return None if identity.lower() in self.expected else identity

    def name_of(self, identity: str) -> str | None:
        return self.names.get(identity.lower())

    def shown(self, identity: str) -> str:
        return self.names.get(identity.lower(), identity)


def look_up(run: Run, names: Iterable[str]) -> Groups:
    """Raises OptionError for a group that is missing or not unique. Asks Graph once in a run."""
    wanted = sorted({name for name in names if name.casefold() != ALL_USERS}, key=str.casefold)
    if "groups" not in run.kept:
        expected = expected_groups(run)
        found = find_groups(run.client, wanted, expected)
        ids = {label.casefold(): identity.lower() for identity, label in found.items()}
        ids.update({identity.casefold(): identity.lower() for identity in found})
        for name in wanted:
            if name.casefold() not in ids:
                reason = f"The group that Graph finds as '{name}' has another name. Write its object ID."
                raise OptionError(reason)
        names = {identity.lower(): label for identity, label in found.items()}
        run.kept["groups"] = Groups(ids, names, frozenset(group.id for group in expected.values()))
    groups: Groups = run.kept["groups"]
    return groups


def names_in(edit: Mapping[str, Any] | None) -> list[str]:
    """The groups that an option with add, remove and set names. What is removed by its id need not be there."""
    if edit is None:
        return []
    found = [*(edit.get("add") or []), *(edit.get("set") or [])]
    named = [item["group"] if isinstance(item, Mapping) else item for item in found]
    return named + [name for name in edit.get("remove") or [] if not is_guid(name)]


def targets_edit(option: str, edit: Mapping[str, Any], groups: Groups, rows: Properties = ()) -> Edit:
    """An option with add, remove and set as Graph's targets. ``rows`` are the properties of a target that may be
    written beside the group. Raises OptionError."""

    def target(written: Any) -> dict[str, Any]:
        if isinstance(written, str):
            return {"id": groups.id_of(written), "targetType": "group"}
        properties = wanted_values(rows, written)
        strange = sorted(name for name, value in written.items() if value is not None and name not in properties)
        if strange != ["group"]:
            raise OptionError(f"{option}: a target of this method has no {', '.join(set(strange) - {'group'})}.")
        return {
            "id": groups.id_of(written["group"]),
            "targetType": "group",
            **{row.graph: row.write(properties[row.option]) for row in rows if row.option in properties},
        }

    return checked_edit(option, edit, target, groups.id_of)


def checked_edit(
    option: str, edit: Mapping[str, Any], item: Callable[[Any], dict[str, Any]], identity: Callable[[str], str]
) -> Edit:
    """``item`` makes Graph's item of a written one, ``identity`` its id of a name. Raises OptionError."""
    whole = edit.get("set")
    found = Edit(
        add=[item(written) for written in edit.get("add") or []],
        remove=frozenset(identity(name) for name in edit.get("remove") or []),
        whole=None if whole is None else [item(written) for written in whole],
    )
    if found.contradiction:
        reason = f"{option}: {found.contradiction}."
        raise OptionError(reason)
    return found
