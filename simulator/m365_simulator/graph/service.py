# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a request to its answer: token, fault, route, permission, handler, fault, journal."""

from __future__ import annotations

import random
import traceback
import uuid
from dataclasses import replace

from m365_simulator.clock import Clock
from m365_simulator.faults import RESET, Fault, Faults
from m365_simulator.graph import (
    authentication_methods,
    conditional_access,
    groups,
    organization,
    policies,
    reports,
    roles,
    security_defaults,
    service_principals,
    users,
)
from m365_simulator.graph.batch import answer_batch, refuse_nested
from m365_simulator.graph.errors import GraphError, invalid_token, method_not_allowed
from m365_simulator.graph.odata import Query
from m365_simulator.graph.permissions import PERMISSIONS, check_permissions
from m365_simulator.graph.router import Call, GraphRequest, GraphResponse, Route, Router, read_json
from m365_simulator.journal import Entry, Journal
from m365_simulator.state import Store
from m365_simulator.tenants import Tenant
from m365_simulator.tokens import Caller, InvalidToken, Tokens

ROUTES: list[Route] = [
    *organization.ROUTES,
    *security_defaults.ROUTES,
    *policies.ROUTES,
    *authentication_methods.ROUTES,
    *conditional_access.ROUTES,
    *users.ROUTES,
    *groups.ROUTES,
    *roles.ROUTES,
    *reports.ROUTES,
    *service_principals.ROUTES,
]

BATCH = "$batch"
DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Simulated","Slice":"E","Ring":"5","ScaleUnit":"001","RoleInstance":"SIM00000001"}}'
)


class ConnectionReset(Exception):
    """A fault wants the connection closed without an answer."""


class GraphService:
    """All tenants' Graph. `tenants` by id; state and journal are shared with the rest of the simulator."""

    def __init__(
        self,
        store: Store,
        tenants: dict[str, Tenant],
        tokens: Tokens,
        clock: Clock,
        journal: Journal,
        faults: Faults,
        rng: random.Random,
    ) -> None:
        self._store, self._tenants, self._tokens = store, tenants, tokens
        self._clock, self._journal, self._faults, self._rng = clock, journal, faults, rng
        self._router = Router(ROUTES)

    def answer(self, request: GraphRequest) -> GraphResponse:
        """The answer with Graph's headers. Raises ConnectionReset when a fault asks for it."""
        return self._answer(request, None)

    def _answer(self, request: GraphRequest, batch: int | None) -> GraphResponse:
        entry = self._journal.begin(
            time=self._clock.stamp(),
            method=request.method,
            path=request.path,
            version=request.version,
            query=request.query,
            batch=batch,
        )
        try:
            response = self._try(request, entry)
            self._store.commit()
        except GraphError as error:
            self._store.rollback()
            response = self._error_response(request, error)
        except ConnectionReset:
            raise
        except Exception:
            # A mistake of the simulator: shown to whoever runs it, and answered as Graph answers its own.
            self._store.rollback()
            traceback.print_exc()
            response = self._error_response(request, GraphError(500, "UnknownError", ""))
        entry.status = response.status
        response.headers.update(self._headers(request, response))
        return response

    def _try(self, request: GraphRequest, entry: Entry) -> GraphResponse:
        caller, tenant = self._authenticate(request)
        entry.app, entry.tenant = caller.app_id, caller.tenant_id
        self._strike(request, entry, "before")
        if request.path.strip("/").lower() == BATCH:
            return self._answer_batch(request, entry)
        route, parameters = self._router.find(request.method, request.version, request.path)
        if (route.method, route.template) in PERMISSIONS:
            check_permissions(route.method, route.template, caller.roles)
        call = Call(
            request=request,
            query=Query.parse(request.query),
            parameters=parameters,
            caller=caller,
            tenant=tenant,
            store=self._store.tenant(tenant.number),
            clock=self._clock,
        )
        response = route.handler(call)
        entry.wrote = request.method != "GET"
        # What follows may still fail the answer, but not undo the write.
        self._store.commit()
        self._strike(request, entry, "after")
        return response

    def _authenticate(self, request: GraphRequest) -> tuple[Caller, Tenant]:
        scheme, _unused, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise invalid_token("Access token is empty.")
        try:
            caller = self._tokens.check(token.strip())
        except InvalidToken as error:
            raise invalid_token(str(error)) from None
        tenant = self._tenants.get(caller.tenant_id)
        if tenant is None:
            raise invalid_token("Invalid tenant.")
        return caller, tenant

    def _answer_batch(self, request: GraphRequest, entry: Entry) -> GraphResponse:
        if entry.batch is not None:
            raise refuse_nested()
        if request.method != "POST":
            raise method_not_allowed()
        body = read_json(request.body)
        response = answer_batch(request, body, lambda item: self._answer(item, entry.number), self._rng)
        self._strike(request, entry, "after")
        return response

    def _strike(self, request: GraphRequest, entry: Entry, when: str) -> None:
        fault = self._faults.take(request.method, f"/{request.version}{request.path}", entry.tenant, when)
        if fault is None:
            return
        if fault.status == RESET:
            if entry.batch is None:
                raise ConnectionReset
            fault = replace(fault, status=503)
        raise fault_error(fault)

    def _error_response(self, request: GraphRequest, error: GraphError) -> GraphResponse:
        request_id, client_request_id = _request_ids(request)
        body = error.body(
            date=self._clock.stamp(),
            request_id=request_id,
            client_request_id=client_request_id,
            lower_case=request.path.startswith(("/reports", "/auditLogs")),
        )
        return GraphResponse(error.status, body, {**error.headers, "request-id": request_id})

    def _headers(self, request: GraphRequest, response: GraphResponse) -> dict[str, str]:
        request_id, client_request_id = _request_ids(request)
        request_id = response.headers.get("request-id", request_id)
        return {
            "request-id": request_id,
            "client-request-id": client_request_id or request_id,
            "x-ms-ags-diagnostic": DIAGNOSTIC,
            "x-ms-resource-unit": "1",
            "OData-Version": "4.0",
            "Cache-Control": "no-cache",
            "Strict-Transport-Security": "max-age=31536000",
            "Vary": "Accept-Encoding",
        }


def fault_error(fault: Fault) -> GraphError:
    """The error that the fault's status stands for, in Graph's words."""
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    status = int(fault.status)
    if status == 429:
        headers["x-ms-throttle-information"] = "ResourceUnitLimitExceeded"
        return GraphError(429, "TooManyRequests", "Too many requests.", headers=headers)
    return GraphError(status, "UnknownError", "", headers=headers)


def _request_ids(request: GraphRequest) -> tuple[str, str]:
    request_id = str(uuid.uuid4())
    return request_id, request.headers.get("client-request-id", request_id)
