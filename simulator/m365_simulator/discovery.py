# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sign-in service says about itself: OpenID metadata in both versions, and instance discovery.

Sources: Microsoft's pages "OpenID Connect on the Microsoft identity platform" and "National clouds"; the shape of the
documents as public clients (msal in several languages) read and mock them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Cloud:
    """`aliases` are the names of its sign-in service, the first one to be used, the second to cache under."""

    aliases: tuple[str, ...]
    graph_host: str
    instance: str
    old_graph_host: str = "graph.windows.net"

    def as_metadata(self) -> dict[str, Any]:
        return {
            "preferred_network": self.aliases[0],
            "preferred_cache": self.aliases[1] if self.graph_host == "graph.microsoft.com" else self.aliases[0],
            "aliases": list(self.aliases),
        }


CLOUDS = (
    Cloud(
        ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"),
        "graph.microsoft.com",
        "microsoftonline.com",
    ),
    Cloud(
        ("login.partner.microsoftonline.cn", "login.chinacloudapi.cn"),
        "microsoftgraph.chinacloudapi.cn",
        "partner.microsoftonline.cn",
        "graph.chinacloudapi.cn",
    ),
    Cloud(("login.microsoftonline.us", "login.usgovcloudapi.net"), "graph.microsoft.us", "microsoftonline.us"),
)

PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant id of everybody's personal accounts, which stands for `consumers`."""


def cloud_of(host: str) -> Cloud | None:
    return next((cloud for cloud in CLOUDS if host.lower() in cloud.aliases), None)


def openid_metadata(
    *, login_url: str, host: str, name: str, tenant_id: str | None, region: str | None, version: int
) -> dict[str, Any]:
    """The document of version 1 or 2. `name` is how the tenant stands in addresses; `tenant_id` None is any tenant.

    `host` is what the client called this service; under a name that is none of Microsoft's, it is Graph's host too.
    """
    cloud = cloud_of(host)
    path = f"{login_url}/{name}"
    endpoints = f"{path}/oauth2/v2.0" if version == 2 else f"{path}/oauth2"
    id = tenant_id or (PERSONAL_ACCOUNTS if name.lower() == "consumers" else "{tenantid}")
    graph_host = cloud.graph_host if cloud else host
    document: dict[str, Any] = {
        "token_endpoint": f"{endpoints}/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{path}/discovery/v2.0/keys" if version == 2 else f"{path}/discovery/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{login_url}/{id}/v2.0",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"https://{graph_host}/oidc/userinfo" if cloud else f"{login_url}/oidc/userinfo",
        "authorization_endpoint": f"{endpoints}/authorize",
        "device_authorization_endpoint": f"{endpoints}/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{endpoints}/logout",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "tid", "ver"],
        "kerberos_endpoint": f"{path}/kerberos",
        "tenant_region_scope": region,
        "cloud_instance_name": cloud.instance if cloud else host,
        "cloud_graph_host_name": cloud.old_graph_host if cloud else "graph.windows.net",
        "msgraph_host": graph_host,
        "rbac_url": "https://pas.windows.net",
    }
    if version == 1:
        document.update(
            scopes_supported=["openid"],
            response_types_supported=["code", "id_token", "code id_token", "token id_token", "token"],
            issuer=f"https://sts.windows.net/{id}/",
            userinfo_endpoint=f"{path}/openid/userinfo",
            microsoft_multi_refresh_token=True,
            check_session_iframe=f"{endpoints}/checksession",
        )
        del document["request_uri_parameter_supported"]
    return document


def instance_metadata(login_url: str, host: str, asked: str, own_hosts: frozenset[str]) -> dict[str, Any] | None:
    """The answer of instance discovery about the authorization endpoint `asked`; None for an unknown instance.

    Known are Microsoft's own sign-in hosts and the names of this simulator (`own_hosts`).
    """
    address = urlsplit(asked)
    named = address.hostname or ""
    if cloud_of(named) is None and named not in own_hosts:
        return None
    tenant = address.path.strip("/").partition("/")[0] or "common"
    version = "/v2.0" if "/oauth2/v2.0/" in address.path else ""
    base = f"https://{address.netloc}" if cloud_of(named) else login_url
    own = [] if cloud_of(host) else [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
    return {
        "tenant_discovery_endpoint": f"{base}/{tenant}{version}/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": own + [cloud.as_metadata() for cloud in CLOUDS],
    }
