# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resources against a simulated tenant in this process: the collection's own client, over ASGI, without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.zerotrust.m365.plugins.module_utils._door import argument_spec
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import Progress, work
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import Resource
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.run import Run
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.clouds import Cloud
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.retry import RetryPolicy
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.session import Answer, HttpSession
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.sign_in import SignInService
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.token_source import TokenSource
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.tokens import AccessToken, read_token
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL, Client

WRITES = ("POST", "PATCH", "PUT", "DELETE")


class InProcess:
    """Stands in for the HTTP session and for the tokens of a client. ``sent`` has every method and path."""

    def __init__(self, simulated: Client) -> None:
        self.simulated = simulated
        self.policy = RetryPolicy(max_retries=0, max_wait=0.0, warn=lambda _: None)
        self.sent: list[tuple[str, str]] = []
        self._token: AccessToken | None = None

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        repeatable: bool = True,
        again: Callable[[int], None] = lambda _: None,
    ) -> Answer:
        path = url.removeprefix(URL)
        self.sent.append((method, path))
        answer = self.simulated.send(method, path, content=content or b"", headers=dict(headers))
        return Answer(answer.status, answer.headers, answer.content)

    def close(self) -> None:
        pass

    def token(self) -> AccessToken:
        if self._token is None:
            self._token = read_token(self.simulated.token())
        return self._token

    def renewed(self, token: AccessToken) -> None:
        return None

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.sent if method in WRITES and not path.endswith("/$batch")]


class Task:
    """Runs a resource with options as a task would, validated and with their defaults."""

    def __init__(self, resource: Resource, simulated: Client, cloud: str = "global") -> None:
        self.resource = resource
        self.simulated = simulated
        self.cloud = Cloud(cloud, URL, URL)
        self.wrote: list[tuple[str, str]] = []
        self.sent: list[tuple[str, str]] = []

    def run(self, *, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """The result with ``changed`` and ``diff``. Raises M365Error."""
        spec = argument_spec(self.resource)
        impatient = {"wait_timeout": 0} if "wait_timeout" in spec else {}
        validation = ArgumentSpecValidator(spec).validate({**impatient, **options})
        assert validation.error_messages == []
        session = InProcess(self.simulated)
        client = GraphClient(
            cloud=self.cloud,
            session=cast(HttpSession, session),
            tokens=cast(TokenSource, session),
            service=cast(SignInService, None),
            check_mode=check_mode,
            before_write=lambda: None,
        )
        progress = Progress()
        run = Run(validation.validated_parameters, client, check_mode, warn=lambda _: None, secret=lambda _: None)
        try:
            result = work(self.resource, run, progress)
        finally:
            self.wrote, self.sent = session.writes, session.sent
        return {**result, "changed": bool(progress.plan.changes), "diff": progress.plan.diff()}
