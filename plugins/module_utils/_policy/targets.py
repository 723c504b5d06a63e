# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of which a task owns a part: add, remove, set (private to the collection). Pure functions.

Graph replaces such a list as a whole, so what a task does not speak of is sent back as it was read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .facts import text

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Edit:
    """What a task wants of a list. Items have an ``id``; whatever else is written in them is wanted of that item.

    ``whole`` is None unless the list is to have just these items.
    """

    add: Sequence[Item] = ()
    remove: frozenset[str] = frozenset()
    whole: Sequence[Item] | None = None

    @property
    def contradiction(self) -> str | None:
        """Why this cannot be done, if so."""
        if self.whole is not None and (self.add or self.remove):
            return "'set' gives the whole list; it does not go together with 'add' or 'remove'"
        both = sorted({key(item) for item in self.add} & {identity.lower() for identity in self.remove})
        return f"both added and removed: {', '.join(both)}" if both else None


def key(item: Item) -> str:
    """Raises UnexpectedShape."""
    return text(item, "id").lower()


def edited(current: Iterable[Item], edit: Edit, new: Item | None = None) -> list[dict[str, Any]]:
    """The list that is wanted, without annotations. Present items keep their place and all that is not written.

    ``new`` is what a new item has besides what is written.
    """
    present = {key(item): without_annotations(item) for item in current}
    if edit.whole is not None:
        kept = {key(item) for item in edit.whole}
        present = {identity: item for identity, item in present.items() if identity in kept}
    for item in [*(edit.whole or ()), *edit.add]:
        present[key(item)] = {**present.get(key(item), new or {}), **item}
    gone = {identity.lower() for identity in edit.remove}
    return [item for identity, item in present.items() if identity not in gone]


def same_items(one: Iterable[Item], other: Iterable[Item]) -> bool:
    """Whether two lists hold the same items, annotations aside: they, and what is listed in them, in whatever order."""
    return _by_key(one) == _by_key(other)


def _by_key(items: Iterable[Item]) -> dict[str, Any]:
    return {key(item): _without_order({**without_annotations(item), "id": key(item)}) for item in items}


def _without_order(value: Any) -> Any:
    """For a comparison only."""
    if isinstance(value, Mapping):
        return {name: _without_order(item) for name, item in value.items()}
    if isinstance(value, list):
        return sorted((_without_order(item) for item in value), key=partial(json.dumps, sort_keys=True))
    return value


def without_annotations(value: Any) -> Any:
    """A copy without what OData adds: members whose name has an @. The type of an object stays."""
    if isinstance(value, Mapping):
        return {
            name: without_annotations(item) for name, item in value.items() if "@" not in name or name == "@odata.type"
        }
    if isinstance(value, list):
        return [without_annotations(item) for item in value]
    return value
