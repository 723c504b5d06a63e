# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures that tests ask for at run time, by path, verb and count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from m365_simulator.errors import SimulatorError

RESET = "reset"


@dataclass
class Fault:
    """`path` is a regular expression searched for in the whole path (`/v1.0/users`); `method` None means any verb.

    `status` is an HTTP status, or `reset` to close the connection without an answer. `retry_after` is sent as it
    stands. `times` is how often it still strikes (None: always). `when` says whether the request took effect first.
    `tenant` (an id) limits it to one tenant.
    """

    path: str
    status: int | str
    method: str | None = None
    retry_after: str | None = None
    times: int | None = 1
    when: str = "before"
    tenant: str | None = None

    def strikes(self, method: str, path: str, tenant: str | None, when: str) -> bool:
        return (
            self.when == when
            and self.times != 0
            and (self.method is None or self.method == method)
            and (self.tenant is None or self.tenant == tenant)
            and re.search(self.path, path) is not None
        )


class Faults:
    """The faults in force, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, body: Mapping[str, Any]) -> None:
        """Raise SimulatorError when `body` does not describe a fault."""
        self._faults.append(read_fault(body))

    def take(self, method: str, path: str, tenant: str | None, when: str) -> Fault | None:
        """The fault that strikes this request, counted down; None when there is none."""
        for fault in self._faults:
            if fault.strikes(method, path, tenant, when):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def clear(self) -> None:
        self._faults.clear()

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]


def read_fault(body: Mapping[str, Any]) -> Fault:
    unknown = set(body) - set(Fault.__dataclass_fields__)
    if unknown:
        raise SimulatorError(f"A fault has no {', '.join(sorted(unknown))}.")
    if not isinstance(body.get("path"), str):
        raise SimulatorError("A fault needs a path: a regular expression.")
    try:
        re.compile(body["path"])
    except re.error as error:
        raise SimulatorError(f"The path of the fault is no regular expression: {error}.") from None
    status = body.get("status")
    if status != RESET and not (isinstance(status, int) and 400 <= status <= 599):
        raise SimulatorError("A fault needs a status: 400 to 599, or 'reset'.")
    if body.get("when", "before") not in ("before", "after"):
        raise SimulatorError("`when` of a fault is 'before' or 'after'.")
    times = body.get("times", 1)
    if times is not None and not isinstance(times, int):
        raise SimulatorError("`times` of a fault is a whole number, or null for always.")
    retry_after = body.get("retry_after")
    method = body.get("method")
    return Fault(
        path=body["path"],
        status=status,
        method=None if method is None else str(method).upper(),
        retry_after=None if retry_after is None else str(retry_after),
        times=times,
        when=body.get("when", "before"),
        tenant=body.get("tenant"),
    )
