# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Graph client that answers from memory, for what stands above the client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.run import Run
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.batch import Read
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.calls import CallLog
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.clouds import CLOUDS
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    GraphError,
    MissingPermissions,
    NotFound,
    PermissionMissing,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.permissions import Need, missing_names
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.tokens import AccessToken

TENANT_ID = "0f1c1a80-0000-4000-8000-000000000001"


def refused(action: str = "read it", text: str = "Not allowed.") -> GraphError:
    return PermissionMissing(action=action, status=403, code="AccessDenied", text=text)


def not_found(path: str) -> GraphError:
    return NotFound(action=f"read {path}", status=404, code="ResourceNotFound", text="It does not exist.", path=path)


@dataclass
class FakeGraph:
    """``objects`` are the answers by path: values, functions that return one, or exceptions to raise.

    ``on_write`` makes the change of a write, given method, path and body; what it returns is Graph's answer.
    ``sent`` holds every request in order: (method, path, body); ``asked`` its keywords.
    """

    objects: dict[str, Any] = field(default_factory=dict)
    on_write: Callable[[str, str, Any], Any] = lambda _method, _path, _body: None
    users: Sequence[Any] = ()
    openid: Any = None
    roles: frozenset[str] = frozenset()
    secret: str = "header.payload.signature"
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    read_together: list[list[Read]] = field(default_factory=list)
    closed: int = 0
    clock: float = 1790000000.0

    cloud = CLOUDS["global"]
    check_mode = False

    def __post_init__(self) -> None:
        self.calls = CallLog()

    @property
    def writes(self) -> list[tuple[str, str, Any]]:
        return [entry for entry in self.sent if entry[0] != "GET"]

    def as_client(self) -> GraphClient:
        return cast(GraphClient, self)

    def close(self) -> None:
        self.closed += 1

    def now(self) -> float:
        return self.clock

    def token(self) -> AccessToken:
        return AccessToken(secret=self.secret, expires_on=1790000000, claims={"tid": TENANT_ID, "roles": [*self.roles]})

    def require_permissions(self, needs: Iterable[Need]) -> None:
        missing = missing_names(list(needs), self.roles)
        if missing:
            raise MissingPermissions(missing)

    def openid_configuration(self, tenant_id: str) -> Any:
        self.sent.append(("GET", f"{tenant_id}/.well-known/openid-configuration", None))
        return answered(self.openid)

    def get(self, path: str, **keywords: Any) -> Any:
        self._record("GET", path, None, keywords)
        if path not in self.objects:
            raise not_found(path)
        return answered(self.objects[path])

    def read(self, path: str, **keywords: Any) -> Any:
        return self.get(path, **keywords)

    def pages(self, path: str, **keywords: Any) -> Iterator[Any]:
        for page in self.users:
            self._record("GET", path, None, keywords)
            yield answered(page)

    def read_many(self, reads: Sequence[Read]) -> list[Any]:
        self.read_together.append(list(reads))
        return [self.objects.get(read.path, not_found(read.path)) for read in reads]

    def post(self, path: str, body: Any, **keywords: Any) -> Any:
        return self._write("POST", path, body, keywords)

    def patch(self, path: str, body: Any, **keywords: Any) -> Any:
        return self._write("PATCH", path, body, keywords)

    def put(self, path: str, body: Any, **keywords: Any) -> Any:
        return self._write("PUT", path, body, keywords)

    def delete(self, path: str, **keywords: Any) -> None:
        self._write("DELETE", path, None, keywords)

    def _write(self, method: str, path: str, body: Any, keywords: dict[str, Any]) -> Any:
        self._record(method, path, body, keywords)
        return answered(self.on_write(method, path, body))

    def _record(self, method: str, path: str, body: Any, keywords: dict[str, Any]) -> None:
        self.sent.append((method, path, body))
        self.asked.append(keywords)
        self.calls.record(method, f"/v1.0{path}", 200)


def answered(answer: Any) -> Any:
    answer = answer() if callable(answer) else answer
    if isinstance(answer, BaseException):
        raise answer
    return answer


def run_of(graph: FakeGraph, options: Mapping[str, Any], check_mode: bool = False) -> Run:
    return Run(
        options=options, client=graph.as_client(), check_mode=check_mode, warn=lambda _: None, secret=lambda _: None
    )
