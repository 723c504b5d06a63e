# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: the list of changes that is at once the diff and the work (private to the collection)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NOT_SHOWN = "VALUE_NOT_SHOWN"


@dataclass(frozen=True)
class Request:
    """The Graph request that makes a change. ``action`` completes the sentence 'could not ...'."""

    method: str
    path: str
    action: str
    body: Any = field(default=None, repr=False)
    version: str = "v1.0"
    headers: Mapping[str, str] = field(default_factory=dict)
    creates: bool = False
    permissions: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class Change:
    """One change: what it is called, both sides under option names, and the request that makes it.

    ``before`` is None for what does not exist yet, ``after`` is None for what will be gone.
    """

    title: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    request: Request

    def diff(self) -> dict[str, Any]:
        return {
            "before_header": self.title,
            "after_header": self.title,
            "before": None if self.before is None else dict(self.before),
            "after": None if self.after is None else dict(self.after),
        }


@dataclass(frozen=True)
class Plan:
    """All changes of a task, in the order in which they are made, and one sentence about them.

    ``sentence`` is in the future tense of a dry run (``planned``) and in the past of a run (``done``).
    """

    changes: Sequence[Change] = ()
    planned: str = ""
    done: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    def diff(self) -> list[dict[str, Any]]:
        return [change.diff() for change in self.changes]
