# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""Fixtures of the Graph client's tests."""

import gc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import responses
import trustme
from responses.registries import OrderedRegistry

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.connect import connect
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.retry import RetryPolicy
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import Connect, Server, Told, make_token


@pytest.fixture
def nothing_is_collected() -> Iterator[None]:
    """What other tests have left would fail if it were taken away while the stack is full, and this one be blamed."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def connected(told: Told) -> Iterator[Connect]:
    """Connects with the options given; no environment, no check mode unless asked."""
    clients: list[GraphClient] = []

    def make(
        environment: Mapping[str, str] | None = None,
        check_mode: bool = False,
        before_write: Callable[[], None] | None = None,
        warn: Callable[[str], None] | None = None,
        **options: Any,
    ) -> GraphClient:
        client = connect(
            options,
            environment=environment or {},
            check_mode=check_mode,
            warn=warn or told.warnings.append,
            secret=told.secrets.append,
            before_write=before_write or told.before_write,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connected: Connect) -> GraphClient:
    """A client with a ready token for the global cloud."""
    return connected(access_token=make_token())


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the client would have waited; it waits none of them."""
    seconds: list[float] = []
    monkeypatch.setattr(RetryPolicy, "pause", lambda _policy, wait: seconds.append(wait))
    return seconds


@pytest.fixture
def http() -> Iterator[responses.RequestsMock]:
    """An ordered script of requests: one more, one less or another one fails the test."""
    with responses.RequestsMock(registry=OrderedRegistry, assert_all_requests_are_fired=True) as script:
        yield script


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("localhost")


@pytest.fixture
def server(authority: trustme.CA, certificate: trustme.LeafCert, tmp_path: Path) -> Iterator[Server]:
    made = Server(authority, certificate, tmp_path)
    yield made
    made.close()
