# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets every test fail that sees the simulator, or the collection, leave Microsoft's schema."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.zerotrust.m365.tests.contract.checking import Contract, Verdict
from m365_simulator.exchanges import Exchange

ADVICE = (
    "Not as Microsoft's schema has it. A path that is missing from the tables goes into tests/contract/paths.txt "
    "(then run tests/contract/make_schema.py); what is known to be there nevertheless, into exceptions.yml."
)

# Ids, addresses with a port, and stamps in errors.
DIFFERENT_EACH_TIME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|localhost:\d+|\d\d:\d\d:\d\d")


@cache
def contract() -> Contract:
    return Contract()


def check_answer(exchange: Exchange) -> None:
    """For a simulation in this process, where requests may be wrong on purpose: an accepted one may not."""
    fail_on(contract().check(exchange, every_request=False))


def fail_on(findings: list[str]) -> None:
    different = list(dict.fromkeys(findings))
    assert not different, "\n".join([ADVICE, *different])


class Recorded:
    """The file that `m365-simulator serve --exchanges` writes, read as it grows, and judged."""

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, 0
        self._judged: dict[str, Verdict] = {}

    def new(self) -> Iterator[Verdict]:
        """On each exchange that was written since the last time."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._read += len(line)
                yield self._judge(json.loads(line))

    def _judge(self, line: dict[str, Any]) -> Verdict:
        """Most exchanges of a test run are like one before."""
        content = json.dumps({**line, "number": 0, "batch": None, "tenant": None}, sort_keys=True)
        key = hashlib.sha256(DIFFERENT_EACH_TIME.sub("", content).encode()).hexdigest()
        if key not in self._judged:
            self._judged[key] = contract().judge(Exchange(**line))
        return self._judged[key]
