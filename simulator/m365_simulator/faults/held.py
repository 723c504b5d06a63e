# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that wait until they are released, so that a test does something at that very moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from m365_simulator.journal import Entry


@dataclass
class _Waiting:
    entry: Entry
    stage: str
    released: asyncio.Event = field(default_factory=asyncio.Event)
    dropped: bool = False


class Held:
    """All of them, of all tenants, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._came = asyncio.Condition()

    async def hold(self, entry: Entry, stage: str) -> bool:
        """Wait. False when the request was dropped: its connection is to be closed, and what it has not done yet is
        never done."""
        waiting = _Waiting(entry, stage)
        self._waiting.append(waiting)
        try:
            async with self._came:
                self._came.notify_all()
            await waiting.released.wait()
        finally:
            self._waiting.remove(waiting)
        return not waiting.dropped

    async def until(self, count: int, seconds: float) -> None:
        """Return when so many wait, or after so many real seconds."""

        async def enough() -> None:
            async with self._came:
                await self._came.wait_for(lambda: len(self.as_json()) >= count)

        try:
            await asyncio.wait_for(enough(), seconds)
        except asyncio.TimeoutError:
            return

    def release(self, tenant: str | None = None, *, drop: bool = False) -> None:
        """Let all go on, or those of one tenant; or close their connections."""
        for waiting in self._waiting:
            if tenant in (None, waiting.entry.tenant):
                waiting.dropped = drop
                waiting.released.set()

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {
                "number": one.entry.number,
                "tenant": one.entry.tenant,
                "method": one.entry.method,
                "path": one.entry.path,
                "when": one.stage,
            }
            for one in self._waiting
            if not one.released.is_set()
        ]
