# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: the list of changes that is at once the diff and the work (private to the collection)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._graph.batch import BatchRequest
from .._graph.errors import M365Error

NOT_SHOWN = "VALUE_NOT_SHOWN"


@dataclass(frozen=True)
class Bulk:
    """Many requests of one kind, one for each object, sent in waves; 20 of them travel in one $batch.

    ``waves`` hold the ids of objects, wave by wave. Right before each, ``prepare`` makes its requests, by id: it puts
    on disk what must be there before the writes, and leaves out what needs none any more. ``finish`` is told Graph's
    answer to each, None for success, and reads the objects again. What either raises ends the run.
    """

    waves: Sequence[Sequence[str]]
    prepare: Callable[[Sequence[str]], Mapping[str, BatchRequest]]
    finish: Callable[[Mapping[str, M365Error | None]], None]


@dataclass(frozen=True)
class Request:
    """The Graph request that makes a change. ``action`` completes the sentence 'could not ...'.

    A request that ``creates`` is never repeated blindly; ``names`` is the name (``user``) under which later requests of
    the plan find the id of what it created. ``replicates`` says that it names objects that may have been created a
    moment ago, so that a refusal for not knowing them is waited out. ``adds`` says that it adds a link, so that the
    answer 'it is there already' is as good as success. ``make_body`` makes the body right before the request is sent,
    and only then, where that takes somebody at a security key; what it raises ends the run. A request with ``bulk``
    stands for many: its path and permissions are those of each.
    """

    method: str
    path: str
    action: str
    body: Any = field(default=None, repr=False)
    version: str = "v1.0"
    headers: Mapping[str, str] = field(default_factory=dict)
    creates: bool = False
    names: str = ""
    replicates: bool = False
    adds: bool = False
    make_body: Callable[[], Any] | None = field(default=None, repr=False)
    permissions: tuple[frozenset[str], ...] = ()
    bulk: Bulk | None = field(default=None, repr=False)


Ids = Mapping[str, str]
MakeRequest = Callable[[Ids], Request]
NO_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Change:
    """One change: what it is called, both sides under option names, and the request that makes it.

    ``before`` is None for what does not exist yet, ``after`` is None for what will be gone. ``request`` may be a pure
    function of the ids that earlier changes of the plan created, by the names that they gave them.
    """

    title: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    request: Request | MakeRequest

    def request_with(self, created: Ids) -> Request:
        return self.request if isinstance(self.request, Request) else self.request(created)

    def outline(self) -> Request:
        """The request before anything is created: its method, path and permissions count, not its ids."""
        return self.request_with(defaultdict(lambda: NO_ID))

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

    The sentence is in the future tense for a dry run (``planned``) and in the past for a run (``done``). With
    ``keep_going`` a refused change does not keep the later ones from being made; the run fails at its end.
    """

    changes: Sequence[Change] = ()
    planned: str = ""
    done: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    keep_going: bool = False

    def diff(self) -> list[dict[str, Any]]:
        return [change.diff() for change in self.changes]
