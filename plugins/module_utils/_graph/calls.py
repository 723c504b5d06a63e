# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests as the client sends them, and the log of what was sent (private to the collection)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .query import template

MAX_ENTRIES = 500


@dataclass(frozen=True)
class Call:
    """One checked request. ``url`` follows the version, query included; ``path`` is it without the query.

    ``repeatable``: sending it twice does no harm. ``writes``: it is refused in check mode.
    """

    method: str
    version: str
    url: str
    path: str
    action: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    writes: bool = False
    repeatable: bool = True


@dataclass(frozen=True)
class Reply:
    """``body`` is the JSON value, or None for an empty answer. ``retried`` counts the attempts before this one.

    ``doubtful``: one of them may have been done.
    """

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)
    size: int = 0
    retried: int = 0
    doubtful: bool = False


class CallLog:
    """What was asked of Graph, in order, small enough for a task's result.

    Ids are masked and equal neighbours counted. Beyond MAX_ENTRIES the rest is counted in one last entry.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[list[Any]] = []

    def record(self, method: str, path: str, status: int, note: str = "") -> None:
        """One attempt. ``path`` begins with the API's version; ``status`` is 0 where no answer came."""
        call = [method, template(path) + note, status]
        with self._lock:
            if self._entries and (self._entries[-1][:3] == call or len(self._entries) > MAX_ENTRIES):
                self._entries[-1][3] += 1
            elif len(self._entries) == MAX_ENTRIES:
                self._entries.append(["(any)", "(more calls than are listed)", 0, 1])
            else:
                self._entries.append([*call, 1])

    def as_result(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"method": method, "path": path, "status": status, "count": count}
                for method, path, status, count in self._entries
            ]
