# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests and people may ask of the simulator itself, beside Graph: /_admin on the same port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from m365_simulator.assumptions import ASSUMPTIONS
from m365_simulator.errors import SimulatorError
from m365_simulator.faults.plan import parse_plan
from m365_simulator.registered_methods import TEMPORARY_ACCESS_PASS
from m365_simulator.registration import register
from m365_simulator.role_terms import end_roles
from m365_simulator.sign_in_log import sign_in_by
from m365_simulator.sign_in_rules import Directory, judge, protection, protections, read_attempt
from m365_simulator.simulation import Simulation
from m365_simulator.tenants import Tenant

Handler = Callable[[Request], Awaitable[Response]]


def make_admin(simulation: Simulation, stop: Callable[[], None]) -> Router:
    """`stop` asks the server to end after this answer."""
    admin = _Admin(simulation, stop)
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/state", admin.state),
        ("GET", "/journal", admin.journal),
        ("DELETE", "/journal", admin.clear_journal),
        ("POST", "/reset", admin.reset),
        ("GET", "/clock", admin.clock),
        ("POST", "/clock", admin.move_clock),
        ("GET", "/faults", admin.faults),
        ("POST", "/faults", admin.add_fault),
        ("DELETE", "/faults", admin.clear_faults),
        ("GET", "/held", admin.held),
        ("DELETE", "/held", admin.release),
        ("GET", "/faults/plan", admin.fault_plan),
        ("POST", "/faults/plan", admin.load_fault_plan),
        ("GET", "/assumptions", admin.assumptions),
        ("POST", "/assumptions", admin.assume),
        ("POST", "/run", admin.start_run),
        ("GET", "/violations", admin.violations),
        ("POST", "/users/{user}/register", admin.register),
        ("POST", "/users/{user}/sign_in", admin.sign_in_by),
        ("GET", "/application", admin.application),
        ("POST", "/application", admin.change_application),
        ("GET", "/tokens", admin.tokens),
        ("POST", "/tokens/expire", admin.expire_tokens),
        ("POST", "/federated_token", admin.federated_token),
        ("POST", "/sign_in", admin.sign_in),
        ("GET", "/protection", admin.protection),
        ("POST", "/shutdown", admin.shutdown),
    ]
    routes = [Route(f"/_admin{path}", _guard(handler), methods=[method]) for method, path, handler in table]
    return Router(routes=routes, default=_unknown)


def _guard(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except SimulatorError as error:
            return JSONResponse({"error": str(error)}, 400)

    return guarded


async def _unknown(scope: Any, receive: Any, send: Any) -> None:
    await JSONResponse({"error": "There is no such address under /_admin."}, 404)(scope, receive, send)


class _Admin:
    def __init__(self, simulation: Simulation, stop: Callable[[], None]) -> None:
        self._simulation, self._stop = simulation, stop

    async def state(self, request: Request) -> Response:
        return JSONResponse(self._simulation.dump(self._tenant(request)))

    async def journal(self, request: Request) -> Response:
        tenant = request.query_params.get("tenant")
        return JSONResponse(self._simulation.journal.entries(self._tenant(request).id if tenant else None))

    async def clear_journal(self, request: Request) -> Response:
        self._simulation.journal.clear()
        return JSONResponse({})

    async def reset(self, request: Request) -> Response:
        """With ?tenant=ID only that tenant's state, and neither journal, clock nor faults."""
        self._simulation.reset(self._tenant(request) if "tenant" in request.query_params else None)
        return JSONResponse({})

    async def clock(self, request: Request) -> Response:
        clock = self._simulation.clock
        return JSONResponse({"now": clock.stamp(), "offset_seconds": clock.offset})

    async def move_clock(self, request: Request) -> Response:
        seconds = (await _body(request)).get("advance_seconds")
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
            raise SimulatorError("advance_seconds must be a number.")
        self._simulation.clock.advance(seconds)
        return await self.clock(request)

    async def faults(self, request: Request) -> Response:
        return JSONResponse(self._simulation.faults.as_json())

    async def add_fault(self, request: Request) -> Response:
        """One fault more, for all tenants or for ?tenant=ID."""
        self._simulation.faults.add(await _body(request), self._named_tenant(request))
        return await self.faults(request)

    async def clear_faults(self, request: Request) -> Response:
        """With ?tenant=ID only the plan that this tenant has for itself."""
        self._simulation.faults.clear(self._named_tenant(request))
        return await self.faults(request)

    async def held(self, request: Request) -> Response:
        """What a fault of the kind hold lets wait. With ?wanted=N answered when there are so many, or after ?seconds=S
        (30)."""
        try:
            wanted = int(request.query_params.get("wanted", "0"))
            seconds = float(request.query_params.get("seconds", "30"))
        except ValueError:
            raise SimulatorError("wanted and seconds must be numbers.") from None
        held = self._simulation.faults.held
        await held.until(wanted, seconds)
        return JSONResponse(held.as_json())

    async def release(self, request: Request) -> Response:
        """All that wait go on, or those of ?tenant=ID. With ?drop=true their connections are closed instead, and what
        had not taken effect never does."""
        drop = request.query_params.get("drop", "false")
        if drop not in ("true", "false"):
            raise SimulatorError("drop must be true or false.")
        self._simulation.faults.held.release(self._named_tenant(request), drop=drop == "true")
        return JSONResponse({})

    async def fault_plan(self, request: Request) -> Response:
        return JSONResponse(self._simulation.faults.plan_as_json(self._named_tenant(request)))

    async def load_fault_plan(self, request: Request) -> Response:
        """A whole plan, YAML or JSON, in the place of all faults, or of the plan of ?tenant=ID."""
        try:
            text = (await request.body()).decode()
        except UnicodeDecodeError:
            raise SimulatorError("The plan that was sent is not UTF-8 text.") from None
        self._simulation.faults.load(parse_plan(text, "the plan that was sent"), self._named_tenant(request))
        return await self.fault_plan(request)

    async def assumptions(self, request: Request) -> Response:
        values = self._tenant(request).assumptions
        return JSONResponse(
            {
                name: {"value": values[name], "values": known.values, "meaning": known.meaning}
                for name, known in ASSUMPTIONS.items()
            }
        )

    async def assume(self, request: Request) -> Response:
        """A JSON object of names and values, for all tenants or for ?tenant=ID."""
        wanted = {name: str(value) for name, value in (await _body(request)).items()}
        for tenant in self._chosen(request):
            self._simulation.assume(tenant, wanted)
            self._simulation.watch.rebase(tenant)
        self._simulation.keep()
        return await self.assumptions(request)

    async def start_run(self, request: Request) -> Response:
        """A run begins, for all tenants or for ?tenant=ID: the watch holds what follows against the present state.
        `check_mode` (nothing may be written) and `emergency_accounts` (ids or principal names) may be given."""
        body = await _body(request)
        check_mode, accounts = body.get("check_mode", False), body.get("emergency_accounts", [])
        unknown = set(body) - {"check_mode", "emergency_accounts"}
        if unknown:
            raise SimulatorError(f"A run has no {', '.join(sorted(unknown))}.")
        if not isinstance(check_mode, bool):
            raise SimulatorError("check_mode must be true or false.")
        if not isinstance(accounts, list) or not all(isinstance(name, str) for name in accounts):
            raise SimulatorError("emergency_accounts must be a list of ids and principal names.")
        tenants = self._chosen(request)
        for tenant in tenants:
            self._simulation.watch.start(tenant, check_mode=check_mode, emergency_accounts=accounts)
        shown = {"check_mode": check_mode, "emergency_accounts": accounts}
        return JSONResponse({"tenants": [tenant.id for tenant in tenants], **shown})

    async def violations(self, request: Request) -> Response:
        """What the watch has found since the run began, in all tenants or in ?tenant=ID."""
        tenant = self._tenant(request) if "tenant" in request.query_params else None
        return JSONResponse(self._simulation.watch.found(tenant))

    async def register(self, request: Request) -> Response:
        """A user, by id or principal name, registers `methods` (a list)."""
        methods = (await _body(request)).get("methods")
        if not isinstance(methods, list) or not all(isinstance(name, str) for name in methods):
            raise SimulatorError("methods must be a list of authentication methods.")
        store = self._simulation.store.tenant(self._tenant(request).number)
        shown = register(store, request.path_params["user"], methods)
        self._simulation.store.commit()
        return JSONResponse(shown)

    async def sign_in_by(self, request: Request) -> Response:
        """A user, by id or principal name, signs in to `application`: as /sign_in, and the sign-in log has it. A failed
        one of somebody else with `wrong_password`."""
        tenant = self._tenant(request)
        store = self._simulation.store.tenant(tenant.number)
        end_roles(store, self._simulation.clock.now())
        body = await _body(request)
        done = sign_in_by(store, tenant, self._simulation.clock, request.path_params["user"], body)
        self._simulation.store.commit()
        if TEMPORARY_ACCESS_PASS in (body.get("methods") or ()):
            self._simulation.watch.rebase(tenant)  # it may be used up now
        return JSONResponse(done)

    async def application(self, request: Request) -> Response:
        return JSONResponse(self._simulation.dump(self._tenant(request))["application"])

    async def change_application(self, request: Request) -> Response:
        """`permissions` (a list), `enabled`, `secret_valid_days` (negative: expired), for all tenants or one.
        Tokens already issued keep their roles, as in Entra."""
        body = await _body(request)
        unknown = set(body) - {"permissions", "enabled", "secret_valid_days"}
        if unknown:
            raise SimulatorError(f"An application has no {', '.join(sorted(unknown))}.")
        for tenant in self._chosen(request):
            application = tenant.application
            if "permissions" in body:
                application.permissions = [str(name) for name in body["permissions"]]
            if "enabled" in body:
                application.enabled = bool(body["enabled"])
            if "secret_valid_days" in body:
                application.secret_expires = self._simulation.clock.now() + 86400 * float(body["secret_valid_days"])
        self._simulation.keep()
        return await self.application(request)

    async def tokens(self, _request: Request) -> Response:
        """The last access tokens issued, the oldest first."""
        return JSONResponse(list(self._simulation.tokens.issued))

    async def expire_tokens(self, request: Request) -> Response:
        """Every access token issued so far is refused from now on."""
        self._simulation.tokens.expire_all()
        return JSONResponse({})

    async def federated_token(self, request: Request) -> Response:
        """An assertion of the simulated identity provider: `subject`, `audience`, `expires_in` (seconds)."""
        body = await _body(request)
        application = self._tenant(request).application
        now = int(self._simulation.clock.now())
        key = self._simulation.federation_key()
        token = key.sign(
            {
                "iss": self._simulation.sign_in.federation_issuer,
                "sub": body.get("subject", application.federation_subject),
                "aud": body.get("audience", application.federation_audience),
                "iat": now,
                "nbf": now,
                "exp": now + int(body.get("expires_in", 3600)),
            }
        )
        return JSONResponse({"token": token})

    async def sign_in(self, request: Request) -> Response:
        """A JSON sign_in_rules.Attempt; nobody signs in by it."""
        attempt = read_attempt(await _body(request))
        return JSONResponse(asdict(judge(self._directory(request), attempt)))

    async def protection(self, request: Request) -> Response:
        """Of ?user=ID, an object; of everybody, a list of them with the id in `user_id`."""
        directory = self._directory(request)
        user = request.query_params.get("user")
        if user is None:
            return JSONResponse([{"user_id": id, **asdict(found)} for id, found in protections(directory)])
        if directory.person(user) is None:
            raise SimulatorError(f"There is no user {user}.")
        return JSONResponse(asdict(protection(directory, user)))

    async def shutdown(self, request: Request) -> Response:
        self._stop()
        return JSONResponse({})

    def _directory(self, request: Request) -> Directory:
        tenant, now = self._tenant(request), self._simulation.clock.now()
        store = self._simulation.store.tenant(tenant.number)
        if end_roles(store, now):
            self._simulation.store.commit()
        return Directory.read(store, tenant, now)

    def _tenant(self, request: Request) -> Tenant:
        """The one named by ?tenant=ID, else the first."""
        id = request.query_params.get("tenant")
        if id is None:
            return self._simulation.first
        tenant = self._simulation.tenants.get(id.lower())
        if tenant is None:
            raise SimulatorError(f"There is no tenant {id}.")
        return tenant

    def _named_tenant(self, request: Request) -> str | None:
        return self._tenant(request).id if "tenant" in request.query_params else None

    def _chosen(self, request: Request) -> list[Tenant]:
        if "tenant" in request.query_params:
            return [self._tenant(request)]
        return list(self._simulation.tenants.values())


async def _body(request: Request) -> dict[str, Any]:
    content = await request.body()
    if not content:
        return {}
    try:
        value = await request.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise SimulatorError("The body must be a JSON object.")
    return value
