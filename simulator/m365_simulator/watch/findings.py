# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the watch has found: a list with an end, however long the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from m365_simulator.journal import Entry

MOST_FINDINGS = 1000
MOST_USERS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """`users` are ids, at most MOST_USERS of the `count` that it is about; `entry` is the write that did it.
    `tenant` is None when no token said whose it was."""

    rule: str
    tenant: str | None
    users: tuple[str, ...]
    count: int
    sentence: str
    entry: Entry

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "tenant": self.tenant,
            "users": list(self.users),
            "count": self.count,
            "sentence": self.sentence,
            "journal": self.entry.number,
            "line": asdict(self.entry),
        }


@dataclass(slots=True)
class Findings:
    """The first MOST_FINDINGS, in order, and how many came after them."""

    kept: list[Finding] = field(default_factory=list)
    left_off: int = 0

    def add(self, finding: Finding) -> None:
        if len(self.kept) < MOST_FINDINGS:
            self.kept.append(finding)
        else:
            self.left_off += 1
