# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategies for JSON: anything at all, and documents with one place broken."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Place = tuple[Any, ...]

scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
json_objects: st.SearchStrategy[dict[str, Any]] = st.dictionaries(st.text(max_size=8), json_values, max_size=4)

# One of each type of JSON but null, which is often right.
OTHER_TYPES: tuple[Any, ...] = (True, 7, 1.5, "text", ["text"], {"name": "text"})


def places(document: Any) -> Iterator[Place]:
    """Every place inside a document, as the keys and indexes that lead there."""
    items: Any = ()
    if isinstance(document, dict):
        items = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    for key, value in items:
        yield (key,)
        for inner in places(value):
            yield (key, *inner)


def at(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


def replaced(document: Any, place: Place, value: Any) -> Any:
    """A copy with another value at one place."""
    result = copy.deepcopy(document)
    at(result, place[:-1])[place[-1]] = value
    return result


def removed(document: Any, place: Place) -> Any:
    """A copy without one key or list item."""
    result = copy.deepcopy(document)
    del at(result, place[:-1])[place[-1]]
    return result


def of_other_type(value: Any) -> list[Any]:
    """Values of every JSON type but the one of this value, and null."""
    return [other for other in OTHER_TYPES if type(other) is not type(value)]
