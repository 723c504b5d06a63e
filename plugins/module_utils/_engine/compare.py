# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When two JSON values mean the same to Graph (private to the collection). Pure functions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any


def same(wanted: Any, current: Any) -> bool:
    """Equal values; unlike Python's ``==``, true is not 1."""
    if isinstance(wanted, bool) or isinstance(current, bool):
        return wanted is current
    if isinstance(wanted, Mapping) and isinstance(current, Mapping):
        return wanted.keys() == current.keys() and all(same(wanted[key], current[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(current, list):
        return len(wanted) == len(current) and all(map(same, wanted, current))
    return bool(wanted == current)


def contains(current: Any, desired: Any) -> bool:
    """Whether an object shows everything that was declared of it.

    Objects are compared by the declared keys only, so that what Graph adds (``@odata`` annotations, ids, dates) does
    not count. Lists are compared as sets of values: same length, each declared item found once, in any order.
    """
    if isinstance(desired, Mapping):
        return isinstance(current, Mapping) and all(
            key in current and contains(current[key], value) for key, value in desired.items()
        )
    if isinstance(desired, list):
        if not isinstance(current, list) or len(current) != len(desired):
            return False
        return _each_found_once(*_without_equal_items(current, desired))
    return same(desired, current)


def held_by(wanted: Any, current: Any) -> bool:
    """``contains``, as properties compare: what was not written of an object does not count, nor a list's order."""
    return contains(current, wanted)


def _without_equal_items(current: list[Any], desired: list[Any]) -> tuple[list[Any], list[Any]]:
    """Both lists without the items that are equal in them, which may always be matched with each other."""
    left: dict[str, list[Any]] = defaultdict(list)
    for item in current:
        left[_as_text(item)].append(item)
    wanted = []
    for item in desired:
        equal = left[_as_text(item)]
        if equal:
            equal.pop()
        else:
            wanted.append(item)
    return [item for equal in left.values() for item in equal], wanted


def _as_text(item: Any) -> str:
    return json.dumps(item, sort_keys=True)


def _each_found_once(current: list[Any], desired: list[Any]) -> bool:
    """A perfect matching of declared items to present ones, since a partial item may fit several.

    Breadth-first augmenting paths: one for each declared item, over the items that an earlier one already took.
    """
    place_of: dict[int, int] = {}  # declared item -> its place in ``current``
    taken_by: dict[int, int] = {}  # the reverse
    for start in range(len(desired)):
        reached_by: dict[int, int] = {}
        queue = [start]
        free: int | None = None
        while queue and free is None:
            item = queue.pop(0)
            left = [place for place in range(len(current)) if place not in reached_by]
            for place in sorted(left, key=taken_by.__contains__):
                if not contains(current[place], desired[item]):
                    continue
                reached_by[place] = item
                if place not in taken_by:
                    free = place
                    break
                queue.append(taken_by[place])
        if free is None:
            return False
        while free is not None:
            item = reached_by[free]
            taken_by[free] = item
            place_of[item], free = free, place_of.get(item)
    return True


def restrict(current: Any, desired: Any) -> Any:
    """The part of ``current`` that ``desired`` speaks of: the 'before' of a diff without Graph's additions."""
    if isinstance(desired, Mapping) and isinstance(current, Mapping):
        return {key: restrict(current[key], desired[key]) for key in desired if key in current}
    return current
