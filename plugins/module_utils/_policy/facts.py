# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fact is known or unknown, and says why (private to the collection). Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fact:
    """What is known of one subject. ``value`` is None, and ``reason`` a sentence, when it is unknown."""

    known: bool
    value: Any = None
    reason: str | None = None

    @property
    def completeness(self) -> str:
        return "known" if self.known else "unknown"

    def as_result(self) -> dict[str, Any]:
        return {"completeness": self.completeness, "reason": self.reason, "value": self.value}


def known(value: Any) -> Fact:
    return Fact(known=True, value=value)


def unknown(reason: str) -> Fact:
    return Fact(known=False, reason=reason)


class UnexpectedShape(ValueError):
    """An answer of Graph lacks a property or has one of another type: the fact is unknown, not a default."""


def text(item: Any, name: str) -> str:
    value = _property(item, name)
    if not isinstance(value, str):
        raise UnexpectedShape(f"'{name}' is no string")
    return value


def optional_text(item: Any, name: str) -> str | None:
    """A string, or None where Graph answers null. A missing property is still unexpected."""
    return None if _property(item, name) is None else text(item, name)


def boolean(item: Any, name: str) -> bool:
    value = _property(item, name)
    if not isinstance(value, bool):
        raise UnexpectedShape(f"'{name}' is no boolean")
    return value


def optional_boolean(item: Any, name: str) -> bool | None:
    """A boolean, or None where Graph answers null. A missing property is still unexpected."""
    return None if _property(item, name) is None else boolean(item, name)


def objects(item: Any, name: str) -> list[Mapping[str, Any]]:
    value = _property(item, name)
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise UnexpectedShape(f"'{name}' is no list of objects")
    return value


def texts(item: Any, name: str) -> list[str]:
    value = _property(item, name)
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise UnexpectedShape(f"'{name}' is no list of strings")
    return value


def mapping(item: Any, name: str) -> Mapping[str, Any]:
    value = _property(item, name)
    if not isinstance(value, Mapping):
        raise UnexpectedShape(f"'{name}' is no object")
    return value


def _property(item: Any, name: str) -> Any:
    if not isinstance(item, Mapping):
        raise UnexpectedShape("an object was expected")
    if name not in item:
        raise UnexpectedShape(f"'{name}' is missing")
    return item[name]
