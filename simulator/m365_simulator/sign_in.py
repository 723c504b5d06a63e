# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sign-in service: OpenID metadata, instance discovery and the token endpoint for applications."""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from m365_simulator.clock import Clock, to_stamp
from m365_simulator.discovery import instance_metadata, openid_metadata
from m365_simulator.keys import SigningKey, thumbprints
from m365_simulator.state import Store
from m365_simulator.tenants import Application, Tenant
from m365_simulator.tokens import LIFETIME_SECONDS, Tokens

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SHARED_TENANTS = ("common", "organizations", "consumers")
OTHER_RESOURCES = ("https://management.azure.com", "https://management.core.windows.net")
"""Tokens for these are issued, as Entra does, but Graph refuses them."""
CLOCK_SKEW_SECONDS = 300
METADATA_VERSIONS = {"v2.0/.well-known/openid-configuration": 2, ".well-known/openid-configuration": 1}
TOKEN_VERSIONS = {"oauth2/v2.0/token": 2, "oauth2/token": 1}


class SignInError(Exception):
    """An answer of the token endpoint, with its AADSTS code. Statuses as Entra gives them: 401 for invalid_client."""

    def __init__(self, error: str, code: int, text: str) -> None:
        super().__init__(text)
        self.error, self.code, self.text = error, code, text

    @property
    def status(self) -> int:
        return 401 if self.error == "invalid_client" else 400

    def body(self, now: float, correlation_id: str, login_url: str) -> dict[str, Any]:
        trace_id = str(uuid.uuid4())
        stamp = to_stamp(now).replace("T", " ")
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self.text} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {stamp}",
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"{login_url}/error?code={self.code}",
        }


@dataclass(frozen=True)
class SignedIn:
    """A successful sign-in: who, and the JSON to answer with."""

    tenant: Tenant
    body: dict[str, Any]


class SignInService:
    """`audiences` are the resource names that stand for this Graph; `federation_key` signs federated assertions."""

    def __init__(
        self,
        store: Store,
        tenants: dict[str, Tenant],
        tokens: Tokens,
        clock: Clock,
        token_key: SigningKey,
        audiences: frozenset[str],
    ) -> None:
        self._store, self._tenants, self._tokens, self._clock = store, tenants, tokens, clock
        self._token_key, self._audiences = token_key, audiences
        self.federation_key: SigningKey | None = None
        self.federation_issuer = ""
        self.expected_login_urls: tuple[str, ...] = ()

    def find_tenant(self, name: str) -> Tenant:
        """By id or by any of its domains. Raises SignInError."""
        tenant = self._tenants.get(name.lower())
        if tenant is not None:
            return tenant
        for candidate in self._tenants.values():
            if self._store.tenant(candidate.number).read("domain", name) is not None:
                return candidate
        if not _is_guid(name) and "." not in name:
            raise SignInError(
                "invalid_request",
                900023,
                f"Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain.",
            )
        raise SignInError(
            "invalid_request",
            90002,
            f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct cloud. Check with your subscription administrator, this may happen if there are no active "
            "subscriptions for the tenant.",
        )

    def document(self, name: str, address: str, query: str, login_url: str, host: str) -> dict[str, Any] | None:
        """What a GET of `address` below a tenant's `name` shows; None when there is nothing. Raises SignInError."""
        if address in METADATA_VERSIONS:
            return self.openid_configuration(name, login_url, host, METADATA_VERSIONS[address])
        if address in ("discovery/v2.0/keys", "discovery/keys"):
            return self.keys()
        if address in TOKEN_VERSIONS:
            raise SignInError(
                "invalid_request", 900561, "The endpoint only accepts POST requests. Received a GET request."
            )
        if address == "discovery/instance":
            return self.instance_discovery(query, login_url, host)
        return None

    def openid_configuration(self, name: str, login_url: str, host: str, version: int) -> dict[str, Any]:
        """Raises SignInError for an unknown tenant."""
        tenant = None if name.lower() in SHARED_TENANTS else self.find_tenant(name)
        return openid_metadata(
            login_url=login_url,
            host=host,
            name=name if tenant is None else tenant.id,
            tenant_id=None if tenant is None else tenant.id,
            region=None if tenant is None else tenant.region,
            version=version,
        )

    def instance_discovery(self, query: str, login_url: str, host: str) -> dict[str, Any]:
        """Raises SignInError for an instance that is neither Microsoft's nor this one."""
        asked = parse_qs(query).get("authorization_endpoint", [f"{login_url}/common/oauth2/v2.0/authorize"])[0]
        own_hosts = frozenset(urlsplit(url).hostname or "" for url in (login_url, *self.expected_login_urls))
        found = instance_metadata(login_url, host, asked, own_hosts)
        if found is None:
            raise SignInError("invalid_instance", 50049, "Unknown or invalid instance.")
        return found

    def keys(self) -> dict[str, Any]:
        return {"keys": [self._token_key.web_key()]}

    def token(self, tenant_name: str, form: bytes, login_url: str, version: int = 2) -> SignedIn:
        """The client-credentials grant, at the token endpoint of version 1 or 2. Raises SignInError."""
        values = {key: items[0] for key, items in parse_qs(form.decode("utf-8", "replace")).items()}
        if tenant_name.lower() in SHARED_TENANTS:
            raise SignInError(
                "invalid_request",
                50059,
                "No tenant-identifying information found in either the request or implied by any provided credentials.",
            )
        tenant = self.find_tenant(tenant_name)
        grant = values.get("grant_type")
        if grant is None:
            raise _missing("grant_type")
        if grant != "client_credentials":
            raise SignInError(
                "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'."
            )
        application = self._application(tenant, values)
        credential = self._check_credential(tenant, application, values, login_url)
        audience = self._audience(values) if version == 2 else self._resource(_required(values, "resource"))
        token = self._tokens.issue(
            tenant, audience=audience, credential=credential, wids=self._directory_roles(tenant), base=login_url
        )
        body: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": LIFETIME_SECONDS,
            "ext_expires_in": LIFETIME_SECONDS,
            "access_token": token,
        }
        if version == 1:
            now = int(self._clock.now())
            times = {"expires_on": now + LIFETIME_SECONDS, "not_before": now}
            body = {name: str(value) for name, value in {**body, **times}.items()} | {"resource": values["resource"]}
        return SignedIn(tenant, body)

    def managed_identity_token(self, tenant: Tenant, resource: str, login_url: str) -> tuple[str, int]:
        """A token and its expiry (epoch seconds), without any credential. Raises SignInError."""
        audience = self._resource(resource)
        token = self._tokens.issue(
            tenant, audience=audience, credential="2", wids=self._directory_roles(tenant), base=login_url
        )
        return token, int(self._clock.now()) + LIFETIME_SECONDS

    def _application(self, tenant: Tenant, values: dict[str, str]) -> Application:
        client_id = values.get("client_id")
        if client_id is None:
            raise _missing("client_id")
        application = tenant.application
        if client_id.lower() != application.client_id:
            raise SignInError(
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory '{tenant.initial_domain}'. "
                "This can happen if the application has not been installed by the administrator of the tenant or "
                "consented to by any user in the tenant. You may have sent your authentication request to the wrong "
                "tenant.",
            )
        if not application.enabled:
            raise SignInError(
                "unauthorized_client",
                7000112,
                f"Application '{client_id}'({application.display_name}) is disabled.",
            )
        return application

    def _check_credential(
        self, tenant: Tenant, application: Application, values: dict[str, str], login_url: str
    ) -> str:
        """`1` for a secret, `2` for an assertion. Raises SignInError."""
        if "client_secret" in values:
            self._check_secret(application, values["client_secret"])
            return "1"
        if "client_assertion" in values:
            if values.get("client_assertion_type") != ASSERTION_TYPE:
                raise SignInError("invalid_request", 900144, "The client_assertion_type is not supported.")
            self._check_assertion(tenant, application, values["client_assertion"], login_url)
            return "2"
        raise SignInError(
            "invalid_client",
            7000218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )

    def _check_secret(self, application: Application, secret: str) -> None:
        if not hmac.compare_digest(secret.encode(), application.client_secret.encode()):
            raise SignInError(
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{application.client_id}'.",
            )
        if self._clock.now() >= application.secret_expires:
            raise SignInError(
                "invalid_client",
                7000222,
                f"The provided client secret keys for app '{application.client_id}' are expired. Visit the Azure "
                "portal to create new keys for your app, or consider using certificate credentials for added security.",
            )

    def _check_assertion(self, tenant: Tenant, application: Application, assertion: str, login_url: str) -> None:
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
            header = jwt.get_unverified_header(assertion)
        except jwt.PyJWTError:
            raise SignInError("invalid_request", 50027, "JWT token is invalid or malformed.") from None
        if claims.get("iss") == application.client_id:
            self._check_certificate(tenant, application, assertion, header, claims, login_url)
        else:
            self._check_federated(application, assertion, claims)

    def _check_certificate(
        self,
        tenant: Tenant,
        application: Application,
        assertion: str,
        header: dict[str, Any],
        claims: dict[str, Any],
        login_url: str,
    ) -> None:
        certificate = x509.load_pem_x509_certificate(application.certificate.encode())
        known = thumbprints(certificate)
        # msal pads these values, other clients do not.
        named = {name: str(header[name]).rstrip("=") for name in known if name in header}
        key = certificate.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        if not named or any(known[name] != value for name, value in named.items()):
            raise SignInError(
                "invalid_client",
                700027,
                "The certificate with identifier used to sign the client assertion is not registered on application. "
                f"[Reason - The key was not found., Thumbprint of key used by client: "
                f"'{next(iter(named.values()), '')}']",
            )
        try:
            jwt.decode(assertion, key, algorithms=["RS256", "PS256"], options=_SIGNATURE_ONLY)
        except jwt.PyJWTError:
            raise SignInError(
                "invalid_client",
                700027,
                "Client assertion failed signature validation. [Reason - The key was found, but use of the key to "
                "verify the signature failed.]",
            ) from None
        now = self._clock.now()
        if now >= certificate.not_valid_after_utc.timestamp() or now < certificate.not_valid_before_utc.timestamp():
            raise SignInError(
                "invalid_client", 1000502, "The provided certificate is not within its specified validity window."
            )
        self._check_window(claims)
        audiences = {f"{url}/{name}" for url in {login_url, *self.expected_login_urls} for name in self._names(tenant)}
        if claims.get("sub") != application.client_id or not _is_token_endpoint(str(claims.get("aud")), audiences):
            raise SignInError(
                "invalid_client",
                700023,
                "Client assertion audience claim does not match Realm issuer. Review the documentation at "
                "https://learn.microsoft.com/entra/identity-platform/certificate-credentials.",
            )

    def _check_federated(self, application: Application, assertion: str, claims: dict[str, Any]) -> None:
        issuer, subject, audience = claims.get("iss"), claims.get("sub"), claims.get("aud")
        if issuer != self.federation_issuer or self.federation_key is None:
            raise SignInError(
                "invalid_client",
                700211,
                f"No matching federated identity record found for presented assertion issuer '{issuer}'. Check your "
                "federated identity credential Subject, Audience and Issuer against the presented assertion.",
            )
        audiences = audience if isinstance(audience, list) else [audience]
        if subject != application.federation_subject or application.federation_audience not in audiences:
            raise SignInError(
                "invalid_client",
                70021,
                f"No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. "
                f"Assertion Subject: '{subject}'. Assertion Audience: '{audience}'.",
            )
        try:
            jwt.decode(assertion, self.federation_key.public_key, algorithms=["RS256"], options=_SIGNATURE_ONLY)
        except jwt.PyJWTError:
            raise SignInError(
                "invalid_client", 5000274, "The signature of the presented assertion could not be verified."
            ) from None
        self._check_window(claims)

    def _check_window(self, claims: dict[str, Any]) -> None:
        now = self._clock.now()
        try:
            starts, ends = float(claims.get("nbf", claims.get("iat", now))), float(claims["exp"])
        except (KeyError, TypeError, ValueError):
            starts, ends = now, 0.0
        if not starts - CLOCK_SKEW_SECONDS <= now < ends + CLOCK_SKEW_SECONDS:
            raise SignInError(
                "invalid_client",
                700024,
                f"Client assertion is not within its valid time range. Current time: {to_stamp(now)}, "
                f"assertion valid from {to_stamp(starts)}, expiry time of assertion {to_stamp(ends)}.",
            )

    def _names(self, tenant: Tenant) -> list[str]:
        domains = self._store.tenant(tenant.number).documents("domain")
        return [tenant.id, *(domain["id"].lower() for domain in domains)]

    def _audience(self, values: dict[str, str]) -> str:
        scope = _required(values, "scope")
        if not scope.endswith("/.default"):
            raise SignInError(
                "invalid_scope",
                70011,
                "The provided request must include a 'scope' input parameter. The provided value for the input "
                f"parameter 'scope' is not valid. The scope {scope} is not valid.",
            )
        return self._resource(scope.removesuffix("/.default"))

    def _resource(self, name: str) -> str:
        """The audience of the token, spelled as it was asked for."""
        resource = name.rstrip("/")
        if resource not in self._audiences and resource not in OTHER_RESOURCES:
            raise SignInError(
                "invalid_resource",
                500011,
                f"The resource principal named {resource} was not found in the tenant. This can happen if the "
                "application has not been installed by the administrator of the tenant or consented to by any user "
                "in the tenant. You might have sent your authentication request to the wrong tenant.",
            )
        return name

    def _directory_roles(self, tenant: Tenant) -> list[str]:
        assignments = self._store.tenant(tenant.number).documents("roleAssignment")
        own = tenant.application.object_id
        return sorted({item["roleDefinitionId"] for item in assignments if item["principalId"] == own})


_SIGNATURE_ONLY: Any = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


def _required(values: dict[str, str], name: str) -> str:
    value = values.get(name)
    if value is None:
        raise _missing(name)
    return value


def _missing(parameter: str) -> SignInError:
    return SignInError(
        "invalid_request", 900144, f"The request body must contain the following parameter: '{parameter}'."
    )


def _is_token_endpoint(audience: str, tenants: set[str]) -> bool:
    """Entra accepts the token endpoint in both versions, and the issuer."""
    return any(
        audience.lower() == f"{tenant}{suffix}".lower()
        for tenant in tenants
        for suffix in ("/oauth2/v2.0/token", "/oauth2/token", "/v2.0", "/")
    )


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
