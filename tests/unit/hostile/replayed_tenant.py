# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated tenant in this process whose answers a test may change on their way to the collection.

What only reads is answered from memory the second time: a dry run against changed answers takes milliseconds.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
import requests
from urllib3.response import HTTPResponse

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import Resource
from ansible_collections.zerotrust.m365.plugins.module_utils._graph import session
from ansible_collections.zerotrust.m365.plugins.plugin_utils._action import run_in_process
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL, Answer, Client
from m365_simulator.simulation import Simulation


@dataclass(frozen=True)
class Sent:
    """One HTTP request, as it would have left. ``url`` is absolute."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def reads(self) -> bool:
        return self.method == "GET" or self.url.endswith(("/$batch", "/token"))


Change = Callable[[Sent, Answer], Answer]


def unchanged(_sent: Sent, answer: Answer) -> Answer:
    return answer


class ReplayedTenant:
    """The first tenant of a simulation. ``change`` may give another answer than the simulator's.

    ``sent`` has the requests of the last run, in order.
    """

    def __init__(self, simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
        self.simulation = simulation
        self.client = Client(simulation, [])
        self.sent: list[Sent] = []
        self.change: Change = unchanged
        self._kept: dict[tuple[str, str, bytes], Answer] = {}
        self._lock = threading.Lock()
        self._keeps = False
        self._now = time.time()
        tenant = self

        class InProcess(session.HttpSession):
            def send(self, request: requests.PreparedRequest, **keywords: Any) -> requests.Response:
                return tenant._respond(request)

        monkeypatch.setattr(session, "HttpSession", InProcess)
        monkeypatch.setattr("time.sleep", lambda _seconds: None)

    def run(self, resource: Resource, options: Mapping[str, Any], *, check_mode: bool = True) -> dict[str, Any]:
        """One task through the action's own path. Signs in by secret unless the options say otherwise."""
        application = self.simulation.first.application
        given = {
            "graph_url": URL,
            "login_url": URL,
            "tenant_id": self.simulation.first.id,
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "max_retries": 0,
            **options,
        }
        given = {name: value for name, value in given.items() if value is not None}
        self.sent, self._keeps = [], check_mode
        with mock.patch("time.time", return_value=self._now):  # or else results would tell the time of the run
            return run_in_process(resource, given, f"zerotrust.m365.{resource.name}", check_mode)

    def start_again(self) -> None:
        self.simulation.reset()
        self.client.kept_token = None
        self.forget()

    def forget(self) -> None:
        """What dry runs were answered, for something was written since."""
        self._kept.clear()

    def violations(self) -> list[dict[str, Any]]:
        """What the simulator's watch says of all writes so far."""
        found: list[dict[str, Any]] = self.simulation.watch.found(self.simulation.first)["violations"]
        return found

    @property
    def writes(self) -> list[Sent]:
        return [sent for sent in self.sent if not sent.reads]

    def _respond(self, request: requests.PreparedRequest) -> requests.Response:
        content = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        sent = Sent(str(request.method), str(request.url), dict(request.headers), content)
        parts = urlsplit(sent.url)
        if f"{parts.scheme}://{parts.netloc}" != URL:
            raise requests.ConnectionError("nobody there")
        key = (sent.method, sent.url, content)
        with self._lock:
            self.sent.append(sent)
            answer = self._kept.get(key) if self._keeps else None
            if answer is None:
                path = f"{parts.path}?{parts.query}" if parts.query else parts.path
                answer = self.client.send(sent.method, path, content=content, headers=dict(sent.headers))
                if self._keeps and sent.reads:
                    self._kept[key] = answer
            answer = self.change(sent, answer)
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response.raw = HTTPResponse(io.BytesIO(answer.content), preload_content=False)
        return response
