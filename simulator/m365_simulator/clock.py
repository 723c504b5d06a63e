# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated time, which tests can move."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone

SECONDS_PER_DAY = 86400
STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")


class Clock:
    """Real time plus an offset in seconds. Everything the simulator dates, signs or expires follows it."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds

    def stamp(self) -> str:
        """Now, as Graph writes it: whole seconds, UTC."""
        return to_stamp(self.now())


class Pace:
    """How fast simulated waiting goes: `scale` simulated seconds per real second, from an arbitrary start. What is
    dated or expires follows the clock itself; moving the clock moves this too."""

    def __init__(self, clock: Clock, scale: float = 1.0) -> None:
        self._clock, self.scale = clock, scale

    def now(self) -> float:
        """Simulated seconds since that start."""
        return time.monotonic() * self.scale + self._clock.offset

    def real(self, seconds: float) -> float:
        """The real seconds that so many simulated ones take."""
        return seconds / self.scale


def to_stamp(epoch: float) -> str:
    """`2026-11-23T04:35:00Z` for seconds since the epoch."""
    return datetime.fromtimestamp(int(epoch), timezone.utc).isoformat()[:19] + "Z"


def days_before(epoch: float, days: float) -> str:
    """The stamp of `days` days before `epoch`."""
    return to_stamp(epoch - days * SECONDS_PER_DAY)


def from_stamp(text: str) -> float:
    """Seconds since the epoch, whole ones, of a time as Graph takes it. Raises ValueError."""
    match = STAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time")
    return float(int(datetime.fromisoformat(match[1] + match[2].replace("Z", "+00:00")).timestamp()))
