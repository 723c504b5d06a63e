# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As much of Azure Resource Manager as Azure's own clients ask of at sign-in, for a tenant without subscriptions.

Served under its host name only (`--hostname management.azure.com`). Sources: Microsoft's pages "Subscriptions - List"
and "Tenants - List" of the REST reference, and "Troubleshoot common Azure deployment errors"; texts of errors as
users have reported them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from m365_simulator.state import Store
from m365_simulator.tenants import Tenant
from m365_simulator.tokens import InvalidToken, Tokens

HOST = "management.azure.com"
AUDIENCES = frozenset(
    f"{name}{slash}"
    for name in ("https://management.azure.com", "https://management.core.windows.net")
    for slash in ("", "/")
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    tenant: Tenant | None = None


class ResourceManager:
    def __init__(self, store: Store, tenants: Mapping[str, Tenant], tokens: Tokens) -> None:
        self._store, self._tenants, self._tokens = store, tenants, tokens

    def answer(self, method: str, path: str, query: str, authorization: str) -> Answer:
        """`authorization` is the header's value, empty when there was none."""
        scheme, _unused, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return _error(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        try:
            caller = self._tokens.check(token.strip(), AUDIENCES)
        except InvalidToken as error:
            return _error(401, "InvalidAuthenticationToken", str(error))
        tenant = self._tenants.get(caller.tenant_id)
        if tenant is None:
            return _error(401, "InvalidAuthenticationToken", "The access token is from the wrong issuer.")
        if "api-version" not in parse_qs(query):
            text = "The api-version query parameter (?api-version=) is required for all requests."
            return _error(400, "MissingApiVersionParameter", text, tenant)
        return self._answer(method, [part for part in path.split("/") if part], tenant)

    def _answer(self, method: str, segments: list[str], tenant: Tenant) -> Answer:
        if method == "GET" and [part.lower() for part in segments] == ["tenants"]:
            return Answer(200, {"value": [self._show_tenant(tenant)]}, tenant)
        if method == "GET" and [part.lower() for part in segments] == ["subscriptions"]:
            # True of these tenants: they bought Microsoft 365, and nobody gave them any Azure.
            return Answer(200, {"value": [], "count": {"type": "Total", "value": 0}}, tenant)
        if len(segments) > 1 and segments[0].lower() == "subscriptions":
            text = f"The subscription '{segments[1]}' could not be found."
            return _error(404, "SubscriptionNotFound", text, tenant)
        text = f"The resource type could not be found in the namespace '/{'/'.join(segments)}'."
        return _error(404, "InvalidResourceType", text, tenant)

    def _show_tenant(self, tenant: Tenant) -> dict[str, Any]:
        store = self._store.tenant(tenant.number)
        organization = store.documents("organization")[0]
        domains = store.documents("domain")
        return {
            "id": f"/tenants/{tenant.id}",
            "tenantId": tenant.id,
            "countryCode": organization["countryLetterCode"],
            "displayName": organization["displayName"],
            "domains": [domain["id"] for domain in domains],
            "tenantCategory": "Home",
            "defaultDomain": next(domain["id"] for domain in domains if domain["isDefault"]),
            "tenantType": tenant.kind,
        }


def _error(status: int, code: str, message: str, tenant: Tenant | None = None) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}}, tenant)
