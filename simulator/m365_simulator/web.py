# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP face: tells Graph, sign-in and administration apart by path, on one host and port."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from m365_simulator import resource_manager
from m365_simulator.admin import make_admin
from m365_simulator.faults.answers import intercepting
from m365_simulator.faults.plan import AFTER, BEFORE, HOLD, RESET, TRUNCATED, Asked
from m365_simulator.graph.errors import GraphError
from m365_simulator.graph.metadata import MINIMAL
from m365_simulator.graph.router import BOTH, GraphRequest, GraphResponse
from m365_simulator.graph.service import ConnectionReset
from m365_simulator.journal import Entry
from m365_simulator.sign_in import TOKEN_VERSIONS, SignInError
from m365_simulator.simulation import Simulation


class WebApplication:
    """An ASGI application. `stop` is called when the administration asks for the end."""

    def __init__(self, simulation: Simulation, stop: Callable[[], None]) -> None:
        self._simulation = simulation
        self._admin = make_admin(simulation, stop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _answer_lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        path = "/" + scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0].lstrip("/")
        first, _unused, rest = path[1:].partition("/")
        if first == "_admin":
            await self._admin(scope, receive, send)
            return
        request = Request(scope, receive)
        body, truncated = await request.body(), False
        try:
            if first.lower() in BOTH:
                response, truncated = await self._graph(request, first.lower(), "/" + rest, body)
            elif first == "_federation":
                response = self._federation(rest)
            elif request.url.hostname == resource_manager.HOST:
                response = self._resource_manager(request, path)
            else:
                response, truncated = await self._sign_in(request, path, body)
        except ConnectionReset:
            _abort(send)
            return
        response.headers["Date"] = formatdate(self._simulation.clock.now(), usegmt=True)
        if truncated:
            await _send_part(response, send)
        else:
            await response(scope, receive, send)

    async def _graph(self, request: Request, version: str, path: str, body: bytes) -> tuple[Response, bool]:
        """The answer, and whether it is to be cut on the way."""
        asked = GraphRequest(
            method=request.method,
            version=version,
            path=path,
            query=request.url.query,
            headers=dict(request.headers),
            body=body or None,
            base=_base(request),
        )
        answer = await self._simulation.graph.answer(asked)
        return _graph_response(answer), answer.truncated

    def _federation(self, rest: str) -> Response:
        """The identity provider behind federated credentials publishes its metadata and its key."""
        issuer = self._simulation.sign_in.federation_issuer
        if rest == ".well-known/openid-configuration":
            return _json(200, {"issuer": issuer, "jwks_uri": f"{issuer}/keys"})
        if rest == "keys":
            return _json(200, {"keys": [self._simulation.federation_key().web_key()]})
        return _json(404, {"error": "not_found"})

    def _resource_manager(self, request: Request, path: str) -> Response:
        entry = self._simulation.journal.begin(
            time=self._simulation.clock.stamp(),
            method=request.method,
            path=path,
            version=None,
            query=request.url.query,
        )
        authorization = request.headers.get("authorization", "")
        answer = self._simulation.resource_manager.answer(request.method, path, request.url.query, authorization)
        if answer.tenant is not None:
            entry.app, entry.tenant = answer.tenant.application.client_id, answer.tenant.id
        entry.status = answer.status
        return _json(answer.status, answer.body)

    async def _sign_in(self, request: Request, path: str, body: bytes) -> tuple[Response, bool]:
        entry = self._simulation.journal.begin(
            time=self._simulation.clock.stamp(),
            method=request.method,
            path=path,
            version=None,
            query=request.url.query,
        )
        response, truncated = await self._strike_sign_in(request, path, entry, BEFORE)
        if response is None:
            answered = self._answer_sign_in(request, path, body, entry)
            response, truncated = await self._strike_sign_in(request, path, entry, AFTER)
            response = response or answered
        entry.status = response.status_code
        return response, truncated

    async def _strike_sign_in(
        self, request: Request, path: str, entry: Entry, stage: str
    ) -> tuple[Response | None, bool]:
        """The answer that a fault gives, if any, and whether the right one is to be cut."""
        if self._simulation.faults.idle:
            return None, False
        asked = Asked(request.method, path, self._tenant_of(path), bears_token=False)
        struck = self._simulation.faults.take(asked, stage)
        if struck.name:
            entry.strike(struck.name)
        if struck.delay:
            await asyncio.sleep(struck.delay)
        fault = struck.fault
        if fault is None or fault.kind == TRUNCATED:
            return None, fault is not None
        if fault.kind == RESET:
            raise ConnectionReset
        if fault.kind == HOLD:
            entry.tenant = asked.tenant or None
            if not await self._simulation.faults.held.hold(entry, stage):
                raise ConnectionReset
            return None, False
        found = intercepting(fault)
        if found is not None:
            return _graph_response(found), False
        response = _json(fault.status, {"error": "temporarily_unavailable", "error_description": ""})
        if fault.retry_after is not None:
            response.headers["Retry-After"] = fault.retry_after
        return response, False

    def _tenant_of(self, path: str) -> str:
        """The id of the tenant that the path names by id or domain; empty when there is none."""
        try:
            return self._simulation.sign_in.find_tenant(path.split("/")[1]).id
        except SignInError:
            return ""

    def _answer_sign_in(self, request: Request, path: str, body: bytes, entry: Entry) -> Response:
        simulation = self._simulation
        base, host = _base(request), request.url.hostname or "localhost"
        tenant, *rest = [segment for segment in path.split("/") if segment] or [""]
        address = "/".join(rest).lower()
        correlation_id = request.headers.get("client-request-id", str(uuid.uuid4()))
        try:
            if request.method == "GET":
                document = simulation.sign_in.document(tenant, address, request.url.query, base, host)
                if document is not None:
                    return _json(200, document)
            if request.method == "POST" and address in TOKEN_VERSIONS:
                signed_in = simulation.sign_in.token(tenant, body, base, TOKEN_VERSIONS[address])
                entry.app, entry.tenant = signed_in.tenant.application.client_id, signed_in.tenant.id
                response = _json(200, signed_in.body)
                response.headers.update({"Cache-Control": "no-store", "client-request-id": correlation_id})
                return response
        except SignInError as error:
            return _json(error.status, error.body(simulation.clock.now(), correlation_id, base))
        error_body = GraphError(400, "BadRequest", "Invalid version.").body(
            date=simulation.clock.stamp(), request_id=correlation_id, client_request_id=correlation_id
        )
        return _json(400, error_body)


async def _answer_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _base(request: Request) -> str:
    """Graph's links bear the host that the client used."""
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"


def _json(status: int, body: Any) -> Response:
    return Response(_dump(body), status, media_type="application/json; charset=utf-8")


def _graph_response(answer: GraphResponse) -> Response:
    if answer.body is None or isinstance(answer.body, bytes):
        return Response(answer.body, answer.status, answer.headers)
    if isinstance(answer.body, int):
        return Response(str(answer.body), answer.status, answer.headers, media_type="text/plain")
    return Response(_dump(answer.body), answer.status, answer.headers, media_type=MINIMAL)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def _send_part(response: Response, send: Send) -> None:
    """Promise the whole body and send half of it. The server closes a connection whose answer does not end; an answer
    without a body is cut before its first byte."""
    body = bytes(response.body)
    if not body:
        _abort(send)
        return
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})


def _abort(send: Send) -> None:
    """Close the connection as a broken network does. Uvicorn's `send` is a method of its request cycle."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionError("The fault 'reset' works on the real server only.")
    transport.abort()
