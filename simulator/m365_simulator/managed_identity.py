# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token endpoints that Azure gives to its own machines and apps, on a plain HTTP port of their own.

Shapes: Azure Instance Metadata Service (`/metadata/identity/oauth2/token`, header `Metadata: true`) and App Service
(`/msi/token`, header `X-IDENTITY-HEADER`).
"""

from __future__ import annotations

import hmac
from datetime import datetime, timezone

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from m365_simulator.sign_in import SignInError
from m365_simulator.simulation import Simulation
from m365_simulator.tenants import Tenant

METADATA_PATH = "/metadata/identity/oauth2/token"
APP_SERVICE_PATH = "/msi/token"


def make_managed_identity(simulation: Simulation, secret: str) -> Starlette:
    """`secret` is what X-IDENTITY-HEADER must carry. Without client_id the first tenant's application answers."""

    async def metadata(request: Request) -> Response:
        if request.headers.get("metadata", "").lower() != "true":
            return _error(400, "Required metadata header not specified")
        return _answer(simulation, request)

    async def app_service(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("x-identity-header", ""), secret):
            return _error(401, "The identity header is missing or wrong")
        return _answer(simulation, request)

    return Starlette(routes=[Route(METADATA_PATH, metadata), Route(APP_SERVICE_PATH, app_service)])


def _answer(simulation: Simulation, request: Request) -> Response:
    entry = simulation.journal.begin(
        time=simulation.clock.stamp(),
        method=request.method,
        path=request.url.path,
        version=None,
        query=request.url.query,
    )
    response = _token(simulation, request)
    entry.status = response.status_code
    return response


def _token(simulation: Simulation, request: Request) -> Response:
    client_id = request.query_params.get("client_id")
    tenant = _find(simulation, client_id)
    resource = request.query_params.get("resource", "")
    if tenant is None:
        return _error(400, "Identity not found")
    try:
        token, expires_on = simulation.sign_in.managed_identity_token(tenant, resource, simulation.url)
    except SignInError as error:
        return _error(400, f"AADSTS{error.code}: {error.text}")
    now = int(simulation.clock.now())
    return JSONResponse(
        {
            "access_token": token,
            "client_id": tenant.application.client_id,
            "expires_in": str(expires_on - now),
            "expires_on": str(expires_on),
            "ext_expires_in": str(expires_on - now),
            "not_before": str(now),
            "resource": resource,
            "token_type": "Bearer",
        },
        headers={"Date": datetime.fromtimestamp(now, timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")},
    )


def _find(simulation: Simulation, client_id: str | None) -> Tenant | None:
    if client_id is None:
        return simulation.first
    return next((item for item in simulation.tenants.values() if item.application.client_id == client_id), None)


def _error(status: int, description: str) -> Response:
    return JSONResponse({"error": "invalid_request", "error_description": description}, status)
