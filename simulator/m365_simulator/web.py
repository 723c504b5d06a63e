# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP face: tells Graph, sign-in and administration apart by path, on one host and port."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from m365_simulator.admin import make_admin
from m365_simulator.faults import RESET
from m365_simulator.graph.errors import GraphError
from m365_simulator.graph.router import BOTH, GraphRequest, GraphResponse
from m365_simulator.graph.service import ConnectionReset
from m365_simulator.journal import Entry
from m365_simulator.sign_in import SignInError
from m365_simulator.simulation import Simulation

GRAPH_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


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
        body = await request.body()
        try:
            if first.lower() in BOTH:
                response = self._graph(request, first.lower(), "/" + rest, body)
            elif first == "_federation":
                response = self._federation(rest)
            else:
                response = self._sign_in(request, path, body)
        except ConnectionReset:
            _abort(send)
            return
        response.headers["Date"] = formatdate(self._simulation.clock.now(), usegmt=True)
        await response(scope, receive, send)

    def _graph(self, request: Request, version: str, path: str, body: bytes) -> Response:
        asked = GraphRequest(
            method=request.method,
            version=version,
            path=path,
            query=request.url.query,
            headers=dict(request.headers),
            body=body or None,
            base=_base(request),
        )
        return _graph_response(self._simulation.graph.answer(asked))

    def _federation(self, rest: str) -> Response:
        """The identity provider behind federated credentials publishes its metadata and its key."""
        issuer = self._simulation.sign_in.federation_issuer
        if rest == ".well-known/openid-configuration":
            return _json(200, {"issuer": issuer, "jwks_uri": f"{issuer}/keys"})
        if rest == "keys":
            return _json(200, {"keys": [self._simulation.federation_key().web_key()]})
        return _json(404, {"error": "not_found"})

    def _sign_in(self, request: Request, path: str, body: bytes) -> Response:
        entry = self._simulation.journal.begin(
            time=self._simulation.clock.stamp(),
            method=request.method,
            path=path,
            version=None,
            query=request.url.query,
        )
        fault = self._simulation.faults.take(request.method, path, None, "before")
        if fault is not None:
            if fault.status == RESET:
                raise ConnectionReset
            response = _json(int(fault.status), {"error": "temporarily_unavailable", "error_description": ""})
            if fault.retry_after is not None:
                response.headers["Retry-After"] = fault.retry_after
        else:
            response = self._answer_sign_in(request, path, body, entry)
        entry.status = response.status_code
        return response

    def _answer_sign_in(self, request: Request, path: str, body: bytes, entry: Entry) -> Response:
        simulation = self._simulation
        base, host = _base(request), request.url.hostname or "localhost"
        tenant, *rest = [segment for segment in path.split("/") if segment] or [""]
        address = "/".join(rest).lower()
        correlation_id = request.headers.get("client-request-id", str(uuid.uuid4()))
        try:
            if request.method == "GET" and address in (
                "v2.0/.well-known/openid-configuration",
                ".well-known/openid-configuration",
            ):
                return _json(200, simulation.sign_in.openid_configuration(tenant, base, host))
            if request.method == "GET" and address in ("discovery/v2.0/keys", "discovery/keys"):
                return _json(200, simulation.sign_in.keys())
            if request.method == "GET" and address == "discovery/instance":
                return _json(200, simulation.sign_in.instance_discovery(base, host))
            if request.method == "POST" and address == "oauth2/v2.0/token":
                signed_in = simulation.sign_in.token(tenant, body, base)
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
    if answer.body is None:
        return Response(status_code=answer.status, headers=answer.headers)
    if isinstance(answer.body, int):
        return Response(str(answer.body), answer.status, answer.headers, media_type="text/plain")
    return Response(_dump(answer.body), answer.status, answer.headers, media_type=GRAPH_JSON)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _abort(send: Send) -> None:
    """Close the connection as a broken network does. Uvicorn's `send` is a method of its request cycle."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionError("The fault 'reset' works on the real server only.")
    transport.abort()
