# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a request to its answer: token, fault, route, permission, handler, fault, journal."""

from __future__ import annotations

import asyncio
import random
import traceback
import uuid
from dataclasses import replace
from urllib.parse import parse_qsl

from m365_simulator.clock import Clock
from m365_simulator.exchanges import Exchanges
from m365_simulator.faults.answers import Interception, intercepting
from m365_simulator.faults.in_force import Faults
from m365_simulator.faults.late import read_late, refusal_of_write
from m365_simulator.faults.past import Past
from m365_simulator.faults.plan import AFTER, BEFORE, HOLD, RESET, TOKEN_EXPIRED, TRUNCATED, WRITE, Asked, Fault
from m365_simulator.faults.throttling import charges, resource_units
from m365_simulator.graph import (
    administrative_units,
    applications,
    authentication_methods,
    conditional_access,
    deleted_items,
    directory_objects,
    further_policies,
    group_schedules,
    groups,
    hardware_oath,
    named_locations,
    organization,
    passkeys,
    policies,
    premium,
    reports,
    role_schedules,
    roles,
    security_defaults,
    service_principals,
    temporary_access_pass,
    user_methods,
    users,
    what_if,
)
from m365_simulator.graph.batch import answer_batch, refuse_nested
from m365_simulator.graph.errors import GraphError, UnknownSegment, invalid_token, method_not_allowed
from m365_simulator.graph.metadata import apply_wish
from m365_simulator.graph.odata import Query
from m365_simulator.graph.permissions import PERMISSIONS, check_permissions
from m365_simulator.graph.router import Call, GraphRequest, GraphResponse, Route, Router, read_json, split_path
from m365_simulator.journal import Entry, Journal
from m365_simulator.role_terms import end_roles
from m365_simulator.state import Store
from m365_simulator.tenants import Tenant
from m365_simulator.tokens import Caller, InvalidToken, Tokens
from m365_simulator.watch import Watch

ROUTES: list[Route] = [
    *organization.ROUTES,
    *security_defaults.ROUTES,
    *policies.ROUTES,
    *authentication_methods.ROUTES,
    *conditional_access.ROUTES,
    *named_locations.ROUTES,
    *deleted_items.ROUTES,
    *premium.ROUTES,
    *what_if.ROUTES,
    *users.ROUTES,
    *user_methods.ROUTES,
    *temporary_access_pass.ROUTES,
    *passkeys.ROUTES,
    *hardware_oath.ROUTES,
    *groups.ROUTES,
    *group_schedules.ROUTES,
    *roles.ROUTES,
    *role_schedules.ROUTES,
    *administrative_units.ROUTES,
    *reports.ROUTES,
    *service_principals.ROUTES,
    *applications.ROUTES,
    *directory_objects.ROUTES,
    *further_policies.ROUTES,
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
        watch: Watch,
        rng: random.Random,
    ) -> None:
        self._store, self._tenants, self._tokens = store, tenants, tokens
        self._clock, self._journal, self._faults, self._rng = clock, journal, faults, rng
        self._watch = watch
        self._router = Router(ROUTES)
        self.exchanges = Exchanges()
        self._past = Past(store)
        self._roles_ended: dict[str, int] = {}

    async def answer(self, request: GraphRequest) -> GraphResponse:
        """The answer with Graph's headers. Raises ConnectionReset when a fault asks for it. Between two awaits no
        transaction is open, so that slow requests do not see or undo what others write."""
        return await self._answer(request, None)

    async def _answer(self, request: GraphRequest, batch: int | None) -> GraphResponse:
        entry = self._journal.begin(
            time=self._clock.stamp(),
            method=request.method,
            path=request.path,
            version=request.version,
            query=request.query,
            batch=batch,
        )
        try:
            response = await self._try(request, entry)
            self._store.commit()
        except GraphError as error:
            self._store.rollback()
            response = self._error_response(request, self._as_assumed(error, entry))
        except ConnectionReset:
            raise
        except Interception as interception:
            entry.status = interception.response.status
            return interception.response
        except Exception:
            # A mistake of the simulator: shown to whoever runs it, and answered as Graph answers its own.
            self._store.rollback()
            traceback.print_exc()
            response = self._error_response(request, GraphError(500, "UnknownError", ""))
        finally:
            self._watch.arrived(entry)
        entry.status = response.status
        response.headers.update(self._headers(request, response))
        self.exchanges.tell(entry, request, response)
        apply_wish(request, response)
        return response

    async def _try(self, request: GraphRequest, entry: Entry) -> GraphResponse:
        caller, tenant = self._authenticate(request)
        entry.app, entry.tenant = caller.app_id, caller.tenant_id
        self._end_roles(tenant)
        await self._strike(request, entry, BEFORE)
        if request.path.strip("/").lower() == BATCH:
            return await self._answer_batch(request, entry)
        headers = self._throttle(request, entry, tenant)
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
        write = self._watch.before(call, route)
        response = self._handle(call, route, entry)
        entry.wrote = route.writes
        # What follows may still fail the answer, but not undo the write.
        self._store.commit()
        if write is not None:
            self._watch.after(write, entry)
        response.truncated = await self._strike(request, entry, AFTER)
        response.headers.update(headers)
        self._note_link(request, entry, response)
        return response

    def _end_roles(self, tenant: Tenant) -> None:
        """Time-bound roles end by themselves; looked for once in a second."""
        now = self._clock.now()
        if self._roles_ended.get(tenant.id) == int(now):
            return
        if end_roles(self._store.tenant(tenant.number), now):
            self._store.commit()
        self._roles_ended[tenant.id] = int(now)

    def _handle(self, call: Call, route: Route, entry: Entry) -> GraphResponse:
        """What the handler answers; or what it would have answered before writes that are not seen yet."""

        def run() -> GraphResponse:
            return route.handler(call)

        waiting = self._faults.late(call.tenant.id)
        if not route.writes:
            if not waiting:
                return run()
            outcome, hidden = read_late(self._past, waiting, run)
            for late in hidden:
                entry.strike(late.fault.name)
            if isinstance(outcome, GraphError):
                raise outcome
            return outcome
        if waiting:
            refused = refusal_of_write(self._past, waiting, call.request, run, call.assumes("reference_to_new_object"))
            if refused:
                for late in refused[1]:
                    entry.strike(late.fault.name)
                raise refused[0]
        struck = self._faults.take(self._asked(call.request, entry), WRITE)
        if struck.fault is None:
            return run()
        entry.strike(struck.fault.name)
        with self._past.recorded() as changes:
            response = run()
        self._faults.hide(call.tenant.id, struck.fault, changes)
        return response

    def _throttle(self, request: GraphRequest, entry: Entry, tenant: Tenant) -> dict[str, str]:
        """The headers that tell how near the limits are. Raises Graph's 429 when one is reached."""
        throttle = self._faults.throttle(tenant.id)
        if not throttle.on:
            return {}
        verdict = throttle.judge(
            charges(request.method, *_charged(request)),
            tenant.id,
            entry.app or "",
            lambda: self._store.tenant(tenant.number).count("user"),
            accrues=tenant.assumptions["throttled_requests_count"] == "yes",
        )
        if verdict.refused is None:
            return verdict.headers
        entry.strike(f"throttling: {verdict.refused}")
        raise too_many_requests(verdict.headers)

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
        if tenant.assumptions["permission_takes_effect"] == "at_once":
            caller = replace(caller, roles=frozenset(tenant.application.permissions))
        return caller, tenant

    def _as_assumed(self, error: GraphError, entry: Entry) -> GraphError:
        """The error itself, but for an unknown address, which is a 404 if so assumed."""
        tenant = self._tenants.get(entry.tenant or "")
        if tenant and isinstance(error, UnknownSegment) and tenant.assumptions["unknown_segment"] == "404":
            return error.as_not_found()
        return error

    async def _answer_batch(self, request: GraphRequest, entry: Entry) -> GraphResponse:
        if entry.batch is not None:
            raise refuse_nested()
        if request.method != "POST":
            raise method_not_allowed()
        body = read_json(request.body)
        response = await answer_batch(request, body, lambda item: self._answer(item, entry.number), self._rng)
        response.truncated = await self._strike(request, entry, AFTER)
        return response

    def _asked(self, request: GraphRequest, entry: Entry) -> Asked:
        tenant = entry.tenant or ""
        page = self._faults.page(tenant, request.path, request.query)
        return Asked(request.method, f"/{request.version}{request.path}", tenant, page)

    async def _strike(self, request: GraphRequest, entry: Entry, stage: str) -> bool:
        """Whether the answer is to be cut. Raises what a fault makes of it."""
        if self._faults.idle:
            return False
        struck = self._faults.take(self._asked(request, entry), stage)
        if struck.name:
            entry.strike(struck.name)
        if struck.delay:
            await asyncio.sleep(struck.delay)
        fault = struck.fault
        if fault is None:
            return False
        if fault.kind == HOLD:
            if not await self._faults.held.hold(entry, stage):
                raise ConnectionReset
            return False
        if fault.kind == TOKEN_EXPIRED:
            self._tokens.expire(_bearer(request))
            raise invalid_token("Lifetime validation failed, the token is expired.")
        if fault.kind in (RESET, TRUNCATED):
            if entry.batch is not None:
                # An item has no connection of its own.
                raise fault_error(replace(fault, status=503))
            if fault.kind == TRUNCATED:
                return True
            raise ConnectionReset
        response = intercepting(fault)
        if response is not None:
            raise Interception(response)
        raise fault_error(fault)

    def _note_link(self, request: GraphRequest, entry: Entry, response: GraphResponse) -> None:
        if not self._faults.idle and isinstance(response.body, dict) and "@odata.nextLink" in response.body:
            link = response.body["@odata.nextLink"]
            self._faults.note_link(entry.tenant or "", request.path, request.query, link)

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
            "x-ms-resource-unit": str(resource_units(request.method, *_charged(request))),
            "OData-Version": "4.0",
            "Cache-Control": "no-cache",
            "Strict-Transport-Security": "max-age=31536000",
            "Vary": "Accept-Encoding",
        }


def fault_error(fault: Fault) -> GraphError:
    """The error that the fault's status stands for, in Graph's words."""
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    if fault.status == 429:
        return too_many_requests({**headers, "x-ms-throttle-information": "ResourceUnitLimitExceeded"})
    return GraphError(fault.status, fault.code, "", headers=headers)


def too_many_requests(headers: dict[str, str]) -> GraphError:
    return GraphError(429, "TooManyRequests", "Too many requests.", headers=headers)


def _charged(request: GraphRequest) -> tuple[list[str], dict[str, str]]:
    """What the cost of a request depends on: the segments of its path, and its query options."""
    options = {name.lower(): value for name, value in parse_qsl(request.query, keep_blank_values=True)}
    return [segment.lower() for segment in split_path(request.path)], options


def _bearer(request: GraphRequest) -> str:
    return request.headers.get("authorization", "").partition(" ")[2].strip()


def _request_ids(request: GraphRequest) -> tuple[str, str]:
    request_id = str(uuid.uuid4())
    return request_id, request.headers.get("client-request-id", request_id)
