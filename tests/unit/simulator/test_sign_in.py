# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token endpoint and its errors; Microsoft's msal against the real server."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jwt
import msal
import pytest
import requests
from cryptography import x509

from m365_simulator.keys import SigningKey, make_certificate, thumbprints

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def error(answer: Any) -> tuple[int, str, int]:
    body = answer.body
    assert body["error_description"].startswith(f"AADSTS{body['error_codes'][0]}: ")
    assert body["correlation_id"] in body["error_description"]
    return answer.status, body["error"], body["error_codes"][0]


def certificate_assertion(client: Any, key: SigningKey | None = None, algorithm: str = "PS256", **changes: Any) -> str:
    """What msal sends for a certificate; `changes` are claims, `header` a header."""
    application = client.tenant.application
    certificate = x509.load_pem_x509_certificate(application.certificate.encode())
    now = int(client.simulation.clock.now())
    header = changes.pop("header", {"x5t#S256": thumbprints(certificate)["x5t#S256"]})
    claims = {
        "iss": application.client_id,
        "sub": application.client_id,
        "aud": f"https://localhost:8443/{client.tenant.id}/oauth2/v2.0/token",
        "nbf": now,
        "exp": now + 600,
        **changes,
    }
    signing = key or client.simulation.client_key
    return jwt.encode(claims, signing.private_key, algorithm=algorithm, headers=header)


def sign_in_by_assertion(client: Any, assertion: str) -> Any:
    return client.sign_in(client_secret=None, client_assertion_type=ASSERTION_TYPE, client_assertion=assertion)


def test_token_carries_the_claims_that_graph_tokens_have(greenfield: Any) -> None:
    answer = greenfield.sign_in()
    assert answer.status == 200
    assert answer.body["expires_in"] == 3599
    keys = greenfield.send("GET", f"/{greenfield.tenant.id}/discovery/v2.0/keys").body["keys"]
    key = jwt.PyJWK(keys[0])
    claims = jwt.decode(answer.body["access_token"], key, algorithms=["RS256"], audience="https://localhost:8443")
    application = greenfield.tenant.application
    assert claims["tid"] == greenfield.tenant.id
    assert claims["appid"] == claims["azp"] == application.client_id
    assert claims["oid"] == application.object_id
    assert claims["exp"] - claims["iat"] == 3599
    assert "Policy.Read.All" in claims["roles"]
    assert jwt.get_unverified_header(answer.body["access_token"])["kid"] == keys[0]["kid"]


def test_tenant_may_be_named_by_any_of_its_domains(legacy: Any) -> None:
    assert legacy.sign_in("fabrikam.com").status == 200
    assert legacy.sign_in("FABRIKAM.onmicrosoft.com").status == 200


@pytest.mark.parametrize(
    ("tenant", "changes", "expected"),
    [
        (None, {"client_secret": "wrong"}, (401, "invalid_client", 7000215)),
        (None, {"client_secret": None}, (401, "invalid_client", 7000218)),
        (None, {"client_id": "11111111-2222-4333-8444-555555555555"}, (400, "unauthorized_client", 700016)),
        (None, {"client_id": None}, (400, "invalid_request", 900144)),
        (None, {"scope": "User.Read"}, (400, "invalid_scope", 70011)),
        (None, {"scope": None}, (400, "invalid_request", 900144)),
        (None, {"scope": "https://graph.microsoft.us/.default"}, (400, "invalid_resource", 500011)),
        (None, {"grant_type": "password"}, (400, "unsupported_grant_type", 70003)),
        ("11111111-2222-4333-8444-555555555555", {}, (400, "invalid_request", 90002)),
        ("nowhere.example", {}, (400, "invalid_request", 90002)),
        ("nonsense", {}, (400, "invalid_request", 900023)),
    ],
)
def test_refusals(greenfield: Any, tenant: str | None, changes: dict[str, Any], expected: tuple[int, str, int]) -> None:
    assert error(greenfield.sign_in(tenant, **changes)) == expected


def test_expired_secret_and_disabled_application(greenfield: Any) -> None:
    greenfield.admin("POST", "/application", {"secret_valid_days": -1})
    assert error(greenfield.sign_in()) == (401, "invalid_client", 7000222)
    assert error(greenfield.sign_in(client_secret="wrong")) == (401, "invalid_client", 7000215)
    greenfield.admin("POST", "/application", {"enabled": False})
    assert error(greenfield.sign_in()) == (400, "unauthorized_client", 7000112)


def test_secret_expires_with_the_clock(greenfield: Any) -> None:
    greenfield.admin("POST", "/clock", {"advance_seconds": 181 * 86400})
    assert error(greenfield.sign_in()) == (401, "invalid_client", 7000222)


@pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
def test_certificate(greenfield: Any, algorithm: str) -> None:
    assert sign_in_by_assertion(greenfield, certificate_assertion(greenfield, algorithm=algorithm)).status == 200


def test_certificate_by_sha1_thumbprint_and_v1_audience(greenfield: Any) -> None:
    certificate = x509.load_pem_x509_certificate(greenfield.tenant.application.certificate.encode())
    assertion = certificate_assertion(
        greenfield,
        header={"x5t": thumbprints(certificate)["x5t"]},
        aud=f"https://localhost:8443/{greenfield.tenant.initial_domain}/oauth2/token",
    )
    assert sign_in_by_assertion(greenfield, assertion).status == 200


def test_certificate_refusals(greenfield: Any) -> None:
    stranger = SigningKey.generate()
    other = x509.load_pem_x509_certificate(make_certificate(stranger, "other", time.time()).encode())
    cases = [
        (certificate_assertion(greenfield, key=stranger), 700027),
        (certificate_assertion(greenfield, key=stranger, header={"x5t": thumbprints(other)["x5t"]}), 700027),
        (certificate_assertion(greenfield, header={}), 700027),
        (certificate_assertion(greenfield, exp=1_000_000), 700024),
        (certificate_assertion(greenfield, nbf=4_000_000_000, exp=4_000_000_600), 700024),
        (certificate_assertion(greenfield, aud="https://localhost:8443/elsewhere/oauth2/v2.0/token"), 700023),
    ]
    assert [error(sign_in_by_assertion(greenfield, assertion))[2] for assertion, _unused in cases] == [
        code for _unused, code in cases
    ]
    assert error(sign_in_by_assertion(greenfield, "no token at all")) == (400, "invalid_request", 50027)


def test_certificate_whose_time_is_over(greenfield: Any) -> None:
    greenfield.admin("POST", "/clock", {"advance_seconds": 400 * 86400})
    assert error(sign_in_by_assertion(greenfield, certificate_assertion(greenfield)))[2] == 1000502


def test_federated_assertion(greenfield: Any) -> None:
    token = greenfield.admin("POST", "/federated_token", {}).body["token"]
    assert sign_in_by_assertion(greenfield, token).status == 200
    issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
    metadata = greenfield.send("GET", "/_federation/.well-known/openid-configuration").body
    assert metadata["issuer"] == issuer
    assert greenfield.send("GET", "/_federation/keys").body["keys"][0]["kty"] == "RSA"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"subject": "system:serviceaccount:other:job"}, 70021),
        ({"audience": "api://Elsewhere"}, 70021),
        ({"expires_in": -3600}, 700024),
    ],
)
def test_federated_refusals(greenfield: Any, body: dict[str, Any], code: int) -> None:
    token = greenfield.admin("POST", "/federated_token", body).body["token"]
    assert error(sign_in_by_assertion(greenfield, token))[2] == code


def test_federated_assertion_of_a_stranger(greenfield: Any) -> None:
    claims = jwt.decode(
        greenfield.admin("POST", "/federated_token", {}).body["token"], options={"verify_signature": False}
    )
    stranger = SigningKey.generate()
    assert error(sign_in_by_assertion(greenfield, stranger.sign(claims)))[2] == 5000274
    assert error(sign_in_by_assertion(greenfield, stranger.sign({**claims, "iss": "https://elsewhere"})))[2] == 700211


def test_openid_configuration(greenfield: Any) -> None:
    found = greenfield.send("GET", f"/{greenfield.tenant.initial_domain}/v2.0/.well-known/openid-configuration").body
    assert found["issuer"] == f"https://localhost:8443/{greenfield.tenant.id}/v2.0"
    assert found["token_endpoint"] == f"https://localhost:8443/{greenfield.tenant.id}/oauth2/v2.0/token"
    assert found["tenant_region_scope"] == "EU"
    assert found["msgraph_host"] == "localhost"
    unknown = greenfield.send("GET", "/nowhere.example/v2.0/.well-known/openid-configuration")
    assert error(unknown) == (400, "invalid_request", 90002)


def test_token_for_another_resource_is_no_use_to_graph(greenfield: Any) -> None:
    token = greenfield.sign_in(scope="https://management.azure.com/.default").body["access_token"]
    answer = greenfield.get("/v1.0/organization", token=token)
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
    assert "audience" in answer.message


def test_tokens_that_graph_refuses(greenfield: Any) -> None:
    token = greenfield.token()
    assert greenfield.send("GET", "/v1.0/organization").message == "Access token is empty."
    assert "not well formed" in greenfield.get("/v1.0/organization", token="x").message
    assert "signature" in greenfield.get("/v1.0/organization", token=token[:-8] + "AAAAAAAA").message
    greenfield.admin("POST", "/clock", {"advance_seconds": 3600})
    answer = greenfield.get("/v1.0/organization", token=token)
    assert (answer.status, answer.message) == (401, "Lifetime validation failed, the token is expired.")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_all_tokens_can_be_expired_at_once(greenfield: Any) -> None:
    token = greenfield.token()
    assert greenfield.get("/v1.0/organization", token=token).status == 200
    greenfield.admin("POST", "/tokens/expire")
    assert greenfield.get("/v1.0/organization", token=token).status == 401
    assert greenfield.get("/v1.0/organization").status == 200


def test_tokens_are_remembered(greenfield: Any) -> None:
    tokens = [greenfield.token(), greenfield.token()]
    assert greenfield.admin("GET", "/tokens").body[-2:] == tokens


def test_a_token_keeps_the_roles_it_was_issued_with(greenfield: Any) -> None:
    token = greenfield.token()
    greenfield.grant("User.Read.All")
    assert greenfield.get("/v1.0/organization", token=token).status == 200
    assert greenfield.get("/v1.0/organization").status == 403


class Msal:
    """msal with the simulator's certificate authority, whatever the environment says."""

    def __init__(self, server: Any) -> None:
        self.server = server

    def application(self, credential: Any, tenant: str | None = None) -> msal.ConfidentialClientApplication:
        ready = self.server.ready
        return msal.ConfidentialClientApplication(
            ready["client_id"],
            authority=f"{ready['login_url']}/{tenant or ready['tenant_id']}",
            client_credential=credential,
            instance_discovery=False,
            http_client=self.server.session,
        )

    def token(self, credential: Any, tenant: str | None = None) -> dict[str, Any]:
        scope = f"{self.server.ready['graph_url']}/.default"
        found: dict[str, Any] = self.application(credential, tenant).acquire_token_for_client([scope])
        return found


def read_organization(server: Any, token: str) -> str:
    url = f"{server.ready['graph_url']}/v1.0/organization"
    answer = server.session.get(url, headers={"Authorization": f"Bearer {token}"})
    return str(answer.json()["value"][0]["id"])


def test_msal_signs_in_by_secret(server: Any) -> None:
    found = Msal(server).token(server.ready["client_secret"])
    assert "access_token" in found, found
    assert read_organization(server, found["access_token"]) == server.ready["tenant_id"]


def test_msal_reads_errors(server: Any) -> None:
    assert Msal(server).token("wrong")["error_codes"] == [7000215]


def test_msal_signs_in_by_certificate(server: Any) -> None:
    pem = Path(server.ready["certificate_path"]).read_text()
    certificate = pem[: pem.index("-----BEGIN PRIVATE KEY-----")]
    private_key = pem[pem.index("-----BEGIN PRIVATE KEY-----") :]
    found = Msal(server).token({"private_key": private_key, "public_certificate": certificate})
    assert "access_token" in found, found
    assert read_organization(server, found["access_token"]) == server.ready["tenant_id"]


def test_msal_signs_in_by_federation(server: Any) -> None:
    assertion = server.admin("POST", "/federated_token", {}).json()["token"]
    found = Msal(server).token({"client_assertion": lambda: assertion})
    assert "access_token" in found, found
    assert read_organization(server, found["access_token"]) == server.ready["tenant_id"]


@pytest.mark.parametrize("kind", ["app service", "instance metadata"])
def test_msal_signs_in_by_managed_identity(server: Any, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    ready = server.ready
    if kind == "app service":
        monkeypatch.setenv("IDENTITY_ENDPOINT", ready["managed_identity_endpoint"])
        monkeypatch.setenv("IDENTITY_HEADER", ready["managed_identity_header"])
    else:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", ready["managed_identity_host"])
    with requests.Session() as session:
        session.trust_env = False
        client = msal.ManagedIdentityClient(
            msal.UserAssignedManagedIdentity(client_id=ready["client_id"]), http_client=session
        )
        found = client.acquire_token_for_client(resource=ready["graph_url"])
    assert read_organization(server, found["access_token"]) == ready["tenant_id"]


def test_managed_identity_needs_its_header(server: Any) -> None:
    endpoint, resource = server.ready["managed_identity_endpoint"], {"resource": server.ready["graph_url"]}
    assert server.session.get(endpoint, params=resource).status_code == 401
    headers = {"X-IDENTITY-HEADER": server.ready["managed_identity_header"]}
    stranger = {**resource, "client_id": "11111111-2222-4333-8444-555555555555"}
    assert server.session.get(endpoint, params=stranger, headers=headers).status_code == 400
