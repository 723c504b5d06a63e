# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which credential a task uses (private to the collection). Pure choice: reads no file, asks nobody.

Names of environment variables are those of AWX's built-in Azure credential and of Azure's SDKs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .clouds import GRAPH_APPLICATION_ID, Cloud
from .errors import OptionError
from .query import is_guid
from .tokens import AccessToken, NotAToken, read_token


@dataclass(frozen=True)
class ClientSecret:
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Certificate:
    """PEM with certificate and private key, as ``content`` or in the file ``path``."""

    client_id: str
    content: str | None = field(default=None, repr=False)
    path: str | None = None
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FederatedToken:
    """A file with a token of another issuer (workload identity), which that issuer renews."""

    client_id: str
    path: str


@dataclass(frozen=True)
class ManagedIdentity:
    """The identity of the machine: system-assigned, or the user-assigned one with this client id."""

    client_id: str | None = None


Credential: TypeAlias = "ClientSecret | Certificate | FederatedToken | ManagedIdentity"


@dataclass(frozen=True)
class Credentials:
    """What a run signs in with. At least one of ``access_token`` (used first) and ``credential`` is there.

    ``tenant_id`` is a GUID or a domain name, and None only where a token or the machine's identity says it.
    ``tenant_wanted`` is the one that the task names itself: a ready token must be of it.
    """

    tenant_id: str | None
    credential: Credential | None
    access_token: AccessToken | None
    tenant_wanted: str | None


# One row per kind: the options that choose it, and how a person calls it.
KINDS: dict[str, tuple[str, ...]] = {
    "a client secret (client_secret)": ("client_secret",),
    "a certificate (client_certificate or client_certificate_path)": ("client_certificate", "client_certificate_path"),
    "a federated token (federated_token_file)": ("federated_token_file",),
    "a managed identity (managed_identity)": ("managed_identity",),
}
TEXT_OPTIONS = (
    "tenant_id",
    "client_id",
    "client_secret",
    "client_certificate",
    "client_certificate_path",
    "client_certificate_passphrase",
    "federated_token_file",
    "access_token",
)
NOTHING_GIVEN = (
    "No credentials: give one of client_secret, client_certificate, client_certificate_path, federated_token_file, "
    "managed_identity or access_token, or set AZURE_CLIENT_SECRET, AZURE_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, "
    "AZURE_FEDERATED_TOKEN_FILE or M365_ACCESS_TOKEN in the environment."
)


def choose_credentials(
    options: Mapping[str, Any], environment: Mapping[str, str], cloud: Cloud, secret: Callable[[str], None]
) -> Credentials:
    """The one kind that the options name, else the first that the environment holds. Raises OptionError.

    A kind named by an option is never disturbed by the environment; only tenant and client id may come from there.
    ``secret`` is told every secret among options and environment before anything can go wrong.
    """
    for name in ("client_secret", "client_certificate", "client_certificate_passphrase", "access_token"):
        _tell(options.get(name), secret)
    for name in ("AZURE_CLIENT_SECRET", "AZURE_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "M365_ACCESS_TOKEN"):
        _tell(environment.get(name), secret)

    empty = [name for name in TEXT_OPTIONS if options.get(name) is not None and not str(options[name]).strip()]
    if empty:
        raise OptionError(f"{empty[0]} is given, but empty. Leave it out, or give it a value.")
    kinds = [kind for kind, names in KINDS.items() if any(options.get(name) for name in names)]
    if len(kinds) > 1:
        raise OptionError(f"Two kinds of credentials at once: {' and '.join(kinds)}. Give one of them.")
    if options.get("client_certificate") and options.get("client_certificate_path"):
        raise OptionError("Give either client_certificate or client_certificate_path, not both.")

    tenant_wanted = _tenant("tenant_id", options.get("tenant_id"))
    token_text = options.get("access_token") or (None if kinds else environment.get("M365_ACCESS_TOKEN"))
    token = _ready_token(token_text, tenant_wanted, cloud) if token_text else None

    credential: Credential | None = None
    if kinds:
        credential = _explicit(options, environment)
    elif token is None or _same_application(options, environment, token):
        credential = _from_environment(options, environment)
    if credential is None and token is None:
        raise OptionError(NOTHING_GIVEN)
    if options.get("client_certificate_passphrase") and credential and not isinstance(credential, Certificate):
        raise OptionError("client_certificate_passphrase is given, but no certificate.")
    tenant_id = tenant_wanted or (token.tenant_id if token else None)
    if credential is not None and not isinstance(credential, ManagedIdentity) and not tenant_id:
        tenant_id = _tenant("AZURE_TENANT_ID", _first(environment, "AZURE_TENANT_ID", "AZURE_TENANT"))
        if not tenant_id:
            raise OptionError("tenant_id is needed to sign in: give it, or set AZURE_TENANT_ID.")
    return Credentials(tenant_id, credential, token, tenant_wanted)


def _explicit(options: Mapping[str, Any], environment: Mapping[str, str]) -> Credential:
    if options.get("managed_identity"):
        return ManagedIdentity(_client("client_id", options.get("client_id")))
    client_id = _client_id(options, environment)
    if options.get("client_secret"):
        return ClientSecret(client_id, options["client_secret"])
    if options.get("federated_token_file"):
        return FederatedToken(client_id, options["federated_token_file"])
    return Certificate(
        client_id,
        content=options.get("client_certificate"),
        path=options.get("client_certificate_path"),
        passphrase=options.get("client_certificate_passphrase")
        or environment.get("AZURE_CLIENT_CERTIFICATE_PASSWORD")
        or None,
    )


def _from_environment(options: Mapping[str, Any], environment: Mapping[str, str]) -> Credential | None:
    secret = _first(environment, "AZURE_CLIENT_SECRET", "AZURE_SECRET")
    certificate = environment.get("AZURE_CLIENT_CERTIFICATE_PATH")
    token_file = environment.get("AZURE_FEDERATED_TOKEN_FILE")
    if secret:
        return ClientSecret(_client_id(options, environment), secret)
    if certificate:
        passphrase = options.get("client_certificate_passphrase") or environment.get(
            "AZURE_CLIENT_CERTIFICATE_PASSWORD"
        )
        return Certificate(_client_id(options, environment), path=certificate, passphrase=passphrase or None)
    if token_file:
        return FederatedToken(_client_id(options, environment), token_file)
    return None


def _same_application(options: Mapping[str, Any], environment: Mapping[str, str], token: AccessToken) -> bool:
    """Whether the environment's credential may renew a ready token: only if it is of the same application."""
    client_id = options.get("client_id") or environment.get("AZURE_CLIENT_ID") or ""
    return bool(token.client_id) and str(client_id).strip().lower() == token.client_id


def _ready_token(text: str, tenant_wanted: str | None, cloud: Cloud) -> AccessToken:
    """A token given ready. One for another tenant or another service is refused here, before any request."""
    try:
        token = read_token(text.strip())
    except NotAToken as error:
        raise OptionError(f"access_token is no access token of Microsoft Entra: {error}.") from None
    check_audience(token, cloud)
    if tenant_wanted and is_guid(tenant_wanted):
        check_tenant(token, tenant_wanted)
    return token


def check_audience(token: AccessToken, cloud: Cloud) -> None:
    if token.audience.rstrip("/").lower() not in (cloud.graph_url, GRAPH_APPLICATION_ID):
        raise OptionError(
            f"The access token is for '{token.audience}', not for Microsoft Graph at {cloud.graph_url}. "
            "Log in again for this cloud."
        )


def check_tenant(token: AccessToken, tenant_id: str, called: str = "") -> None:
    """``tenant_id`` is a GUID, ``called`` what the task names it. Raises OptionError if the token is of another one."""
    if token.tenant_id != tenant_id.lower():
        raise OptionError(
            f"The access token is of tenant {token.tenant_id or '(none)'}, but the task is for "
            f"tenant {called or tenant_id}. Log in to that tenant."
        )


def _client_id(options: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    client_id = _client("client_id", options.get("client_id")) or _client(
        "AZURE_CLIENT_ID", environment.get("AZURE_CLIENT_ID")
    )
    if not client_id:
        raise OptionError("client_id is needed to sign in: give it, or set AZURE_CLIENT_ID.")
    return client_id


def _client(name: str, value: str | None) -> str | None:
    if value and not is_guid(value.strip()):
        raise OptionError(f"{name} must be the application (client) id, a GUID, but is '{value}'.")
    return value.strip() if value else None


def _tenant(name: str, value: str | None) -> str | None:
    tenant = value.strip() if value else None
    if tenant and not is_guid(tenant):
        if tenant.lower() in ("common", "organizations", "consumers"):
            raise OptionError(f"{name} must name one tenant; '{tenant}' stands for many.")
        if not re.fullmatch(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,62})\.)+[a-z0-9-]{2,63}", tenant, re.IGNORECASE):
            raise OptionError(f"{name} must be a tenant's GUID or one of its domain names, but is '{value}'.")
    return tenant


def _first(environment: Mapping[str, str], *names: str) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)


def _tell(value: Any, secret: Callable[[str], None]) -> None:
    if isinstance(value, str) and value.strip():
        secret(value)
