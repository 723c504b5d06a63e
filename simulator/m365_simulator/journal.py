# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ordered record of every request to Graph and to sign-in, batch items included."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Entry:
    """One request. `number` counts from 1 in the order of arrival; `time` is a stamp of the simulated clock.

    `path` carries no version: that stands in `version` (v1.0, beta, or None for sign-in). `wrote` is true for a write
    verb that was accepted, whatever answer a fault made of it. `batch` is the number of the surrounding $batch.
    `fault` names what struck the request, or made its answer an old one; several are parted by `; `.
    """

    number: int
    time: str
    method: str
    path: str
    version: str | None
    query: str
    status: int | None = None
    app: str | None = None
    tenant: str | None = None
    wrote: bool = False
    batch: int | None = None
    fault: str | None = None

    def strike(self, fault: str) -> None:
        self.fault = fault if self.fault is None else f"{self.fault}; {fault}"


class Journal:
    """Kept in memory, for as long as the process lives."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._number = 0

    def begin(
        self, *, time: str, method: str, path: str, version: str | None, query: str, batch: int | None = None
    ) -> Entry:
        """Record that a request arrived; the caller fills in the rest when it has been answered."""
        self._number += 1
        entry = Entry(self._number, time, method, path, version, query, batch=batch)
        self._entries.append(entry)
        return entry

    def entries(self, tenant: str | None = None) -> list[dict[str, Any]]:
        """All entries, or those of one tenant id."""
        return [asdict(entry) for entry in self._entries if tenant is None or entry.tenant == tenant]

    def clear(self) -> None:
        """Forget the entries; the numbering goes on."""
        self._entries.clear()
