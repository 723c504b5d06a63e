# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are not what was promised: one value of a JSON document missing, or of another type."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Place = tuple[str | int, ...]

MISSING = object()
DEEP = json.loads("[" * 90 + "]" * 90)
# What takes the place of a value. None of them is of the type of what it replaces.
WRONG: Mapping[str, Any] = {
    "missing": MISSING,
    "null": None,
    "true": True,
    "a number": 7,
    "a negative number": -1,
    "a huge number": 10**300,
    "a string": "Qz7",
    "half a character": "\ud800Qz7",
    "a list": [],
    "a list of null": [None],
    "a list of lists": [[]],
    "an object": {},
    "an object of null": {"id": None},
    "nested deeply": DEEP,
}
JSON_TYPES: Sequence[tuple[type, ...]] = ((bool,), (int, float), (str,), (list,), (dict,), (type(None),))


@dataclass(frozen=True)
class Mutation:
    """``number`` is that of the answer, in the order of a run; ``place`` is where in its JSON."""

    number: int
    place: Place
    what: str
    value: Any = field(repr=False, compare=False)

    def of(self, document: Any) -> Any:
        changed = copy.deepcopy(document)
        if not self.place:
            return None if self.value is MISSING else self.value
        holder = changed
        for step in self.place[:-1]:
            holder = holder[step]
        if self.value is MISSING:
            del holder[self.place[-1]]
        else:
            holder[self.place[-1]] = self.value
        return changed


def mutations(number: int, document: Any, alike: int = 1) -> Iterator[Mutation]:
    """Every one of an answer. Of the items of a list, the first ``alike`` and the last stand for all."""
    for place, present in places(document, alike):
        for what, value in WRONG.items():
            if value is MISSING and place and isinstance(place[-1], int):
                continue  # a list without one of its items is as right as with it
            if present is None and isinstance(value, (str, int, float)):
                continue  # what may be null may have a value
            if value is MISSING or not same_type(value, present):
                yield Mutation(number, place, what, value)


def places(document: Any, alike: int, here: Place = ()) -> Iterator[tuple[Place, Any]]:
    yield here, document
    if isinstance(document, dict):
        for name, value in document.items():
            yield from places(value, alike, (*here, name))
    elif isinstance(document, list):
        for number in sorted({*range(min(alike, len(document))), len(document) - 1} - {-1}):
            yield from places(document[number], alike, (*here, number))


def same_type(one: Any, other: Any) -> bool:
    """As JSON has it: true is no number."""

    def kind(value: Any) -> int:
        return next(number for number, types in enumerate(JSON_TYPES) if isinstance(value, types))

    return kind(one) == kind(other)
