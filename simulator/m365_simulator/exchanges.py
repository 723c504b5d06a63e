# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole exchanges with Graph, bodies included, for whoever wants to look at each; secrets masked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from m365_simulator.errors import SimulatorError
from m365_simulator.graph.router import GraphRequest, GraphResponse
from m365_simulator.journal import Entry

MASK = "********"
NOT_JSON = "(not JSON)"
SECRETS = frozenset(
    name.lower()
    for name in (
        "access_token",
        "client_assertion",
        "client_secret",
        "currentPassword",
        "key",
        "newPassword",
        "password",
        "pin",
        "refresh_token",
        "secretKey",
        "secretText",
        "temporaryAccessPass",
        "verificationCode",
    )
)
"""Members of bodies whose value is never shown, in lower case."""


@dataclass(frozen=True)
class Exchange:
    """A request to Graph and its answer. `number`, `batch`, `version`, `path` and `query` are those of the journal.

    A body is JSON, or None where there was none; a request that is no JSON is the text `NOT_JSON`.
    """

    number: int
    batch: int | None
    tenant: str | None
    version: str
    method: str
    path: str
    query: str
    request: Any
    status: int
    answer: Any


Observer = Callable[[Exchange], None]


class Exchanges:
    """Tells every observer of each exchange, the items of a $batch before the $batch itself."""

    def __init__(self) -> None:
        self.observers: list[Observer] = []

    def tell(self, entry: Entry, request: GraphRequest, response: GraphResponse) -> None:
        if not self.observers:
            return
        exchange = Exchange(
            number=entry.number,
            batch=entry.batch,
            tenant=entry.tenant,
            version=request.version,
            method=request.method,
            path=request.path,
            query=request.query,
            request=masked(_read(request.body)),
            status=response.status,
            answer=masked(response.body),
        )
        for observe in self.observers:
            observe(exchange)


class ExchangeFile:
    """An observer that writes each exchange as a line of JSON, to a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        """Raises SimulatorError when the file cannot be written."""
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        except OSError as error:
            raise SimulatorError(f"The file of exchanges {path} cannot be written: {error.strerror}.") from None
        self._file: TextIO = os.fdopen(descriptor, "w", encoding="utf-8")

    def __call__(self, exchange: Exchange) -> None:
        json.dump(asdict(exchange), self._file, ensure_ascii=False, separators=(",", ":"))
        self._file.write("\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def masked(value: Any) -> Any:
    """The same body with every secret replaced."""
    if isinstance(value, dict):
        return {name: _masked_member(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def _masked_member(name: str, value: Any) -> Any:
    return MASK if isinstance(value, str) and name.lower() in SECRETS else masked(value)


def _read(body: bytes | None) -> Any:
    if body is None:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return NOT_JSON
