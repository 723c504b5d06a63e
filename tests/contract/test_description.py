# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""schemathesis against the simulator's own description, with Microsoft's types: no crash, and no schema lie."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
import schemathesis
import urllib3
from hypothesis import HealthCheck, Phase, given, settings
from requests.adapters import HTTPAdapter
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ansible_collections.zerotrust.m365.tests.contract.driving import BASE, Driver
from ansible_collections.zerotrust.m365.tests.contract.joining import join
from ansible_collections.zerotrust.m365.tests.contract.watching import contract, fail_on
from m365_simulator.description import describe
from m365_simulator.graph.service import ROUTES
from m365_simulator.simulation import Options, Simulation
from m365_simulator.web import WebApplication

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = sorted(f"{route.method} /{version}{route.template}" for route in ROUTES for version in route.versions)
SAMPLE = OPERATIONS[::8]
"""Of these, a few requests in every test run; of all, and more requests, in the deep tests."""


class InProcess(HTTPAdapter):
    """Carries requests to a simulator in this process, over ASGI."""

    def __init__(self, application: WebApplication) -> None:
        super().__init__()
        self._application = application

    def send(self, request: requests.PreparedRequest, *_unused: Any, **_more: Any) -> requests.Response:
        address = urlsplit(str(request.url))
        content = request.body.encode() if isinstance(request.body, str) else request.body or b""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "https",
            "path": unquote(address.path),
            "raw_path": address.path.encode(),
            "query_string": address.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), _latin(value)) for name, value in request.headers.items()],
            "server": ("localhost", 8443),
            "client": ("127.0.0.1", 1),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def take(message: Any) -> None:
            sent.append(message)

        asyncio.run(self._application(scope, receive, take))
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        body = io.BytesIO(b"".join(part.get("body", b"") for part in sent[1:]))
        raw = urllib3.HTTPResponse(body, headers, sent[0]["status"], preload_content=False)
        return self.build_response(request, raw)


def _latin(value: str | bytes) -> bytes:
    return value.encode("latin-1") if isinstance(value, str) else value


@dataclass
class Target:
    """The operations of the description, and a session that reaches the simulator they describe."""

    operations: dict[str, Any]
    session: requests.Session
    token: str

    def try_out(self, name: str, examples: int, fits: bool = True) -> None:
        """Requests that fit the description, or do not; the same ones in every run."""

        mode: Any = GenerationMode.POSITIVE if fits else GenerationMode.NEGATIVE

        @given(case=self.operations[name].as_strategy(generation_mode=mode))
        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def send(case: Any) -> None:
            headers = {"Authorization": f"Bearer {self.token}"}
            case.call_and_validate(base_url=BASE, session=self.session, headers=headers, checks=CHECKS)

        send()


@contextmanager
def open_target(names: Sequence[str]) -> Iterator[Target]:
    description = describe()
    paths = {name.partition(" ")[2] for name in names}
    description["paths"] = {path: description["paths"][path] for path in paths}
    simulation = Simulation(Options(scenarios=("business",), users=12), [BASE])
    driver = Driver(simulation)
    schema = schemathesis.openapi.from_dict(join(description, contract().tables, driver.ids))
    valid = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    operations = {operation.definition.raw["operationId"]: operation for operation in valid}
    session = requests.Session()
    session.mount(BASE, InProcess(WebApplication(simulation, lambda: None)))
    simulation.graph.exchanges.observers[:] = [lambda exchange: fail_on(contract().judge(exchange).answer)]
    try:
        yield Target(operations, session, driver.token)
    finally:
        simulation.close()


@pytest.fixture(scope="module")
def sample() -> Iterator[Target]:
    with open_target(SAMPLE) as target:
        yield target


@pytest.fixture(scope="module")
def everything() -> Iterator[Target]:
    with open_target(OPERATIONS) as target:
        yield target


def test_every_route_is_described() -> None:
    paths = describe()["paths"]
    described = {operation["operationId"] for methods in paths.values() for operation in methods.values()}
    assert described == set(OPERATIONS)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_few_requests(sample: Target, name: str) -> None:
    sample.try_out(name, 3)


@pytest.mark.deep
@pytest.mark.parametrize("fits", [True, False], ids=["fitting", "not fitting"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_many_requests(everything: Target, name: str, fits: bool) -> None:
    everything.try_out(name, 15, fits)
