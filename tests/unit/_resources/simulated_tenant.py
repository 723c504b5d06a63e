# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource against a simulated tenant, both in this process: the collection's own client, and no network."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from urllib3.response import HTTPResponse

from ansible_collections.zerotrust.m365.plugins.module_utils._door import argument_spec
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import execute
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import Resource
from ansible_collections.zerotrust.m365.plugins.module_utils._graph import session
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL, Client
from m365_simulator.simulation import Simulation

OnRequest = Callable[[str, str, bytes], None]


class SimulatedTenant:
    """The first tenant of a simulation.

    ``on_request`` is called with method, path and body before each request, ``on_answer`` with the same after it.
    """

    def __init__(self, simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = Client(simulation, [])
        self.simulation = simulation
        self.store = simulation.store.tenant(simulation.first.number)
        self.warnings: list[str] = []
        self.on_request: OnRequest = lambda _method, _path, _body: None
        self.on_answer: OnRequest = lambda _method, _path, _body: None
        lock = threading.Lock()
        tenant = self

        class InProcess(session.HttpSession):
            def send(self, request: requests.PreparedRequest, **keywords: Any) -> requests.Response:
                parts = urlsplit(str(request.url))
                content = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
                with lock:
                    tenant.on_request(str(request.method), parts.path, content)
                    answer = tenant.client.send(
                        str(request.method),
                        f"{parts.path}?{parts.query}" if parts.query else parts.path,
                        content=content,
                        headers=dict(request.headers),
                    )
                    tenant.on_answer(str(request.method), parts.path, content)
                response = requests.Response()
                response.status_code = answer.status
                response.headers.update(answer.headers)
                response.raw = HTTPResponse(io.BytesIO(answer.content), preload_content=False)
                return response

        monkeypatch.setattr(session, "HttpSession", InProcess)

    def run(self, resource: Resource, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """One task. Its options are checked as Ansible does."""
        application = self.simulation.first.application
        given = {
            "graph_url": URL,
            "login_url": URL,
            "tenant_id": self.simulation.first.id,
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            **options,
        }
        validation = ArgumentSpecValidator(argument_spec(resource)).validate(given)
        assert validation.error_messages == []
        return execute(
            resource,
            validation.validated_parameters,
            environment={},
            check_mode=check_mode,
            warn=self.warnings.append,
            secret=lambda _: None,
        )

    def start_again(self) -> None:
        self.simulation.reset()
        self.client.kept_token = None

    def assume(self, **assumptions: str) -> None:
        self.client.admin("POST", "/assumptions", assumptions)

    def entries(self) -> list[dict[str, Any]]:
        """The requests to Graph so far, those inside of a batch included."""
        return [entry for entry in self.simulation.journal.entries() if entry["version"] is not None]

    def users(self) -> list[dict[str, Any]]:
        return self.store.documents("user")

    def user(self, name: str) -> dict[str, Any]:
        """By the beginning of the name."""
        (found,) = [user for user in self.users() if str(user["userPrincipalName"]).startswith(name)]
        return found

    def change(self, name: str, **changes: Any) -> None:
        """Behind Graph's back."""
        user = self.user(name)
        self.store.update("user", user["id"], document={**user, **changes})
        self.simulation.store.commit()

    def violations(self) -> list[str]:
        found = self.simulation.watch.found(self.simulation.first)
        return [str(finding["sentence"]) for finding in found["violations"]]


OpenTenant = Callable[[str], SimulatedTenant]
