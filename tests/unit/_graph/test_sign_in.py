# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""Signing in through msal: each kind, each failure in words, and how often anything is asked."""

import json
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import requests
import responses
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    ConnectionFailed,
    OptionError,
    SignInError,
)
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import (
    CLIENT,
    GRAPH,
    LOGIN,
    TENANT,
    Connect,
    Pem,
    Told,
    discovery,
    make_pem,
    make_token,
    token_answer,
)

TOKEN_URL = f"{LOGIN}/{TENANT}/oauth2/v2.0/token"
METADATA = f"{LOGIN}/{TENANT}/v2.0/.well-known/openid-configuration"
SECRET = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": "s3cret"}


def form(http: responses.RequestsMock, place: int = 1) -> dict[str, str]:
    body = http.calls[place].request.body
    assert isinstance(body, (str, bytes))
    return {name: values[0] for name, values in parse_qs(body if isinstance(body, str) else body.decode()).items()}


def refusal(code: int, text: str = "Some text.", error: str = "invalid_client") -> dict[str, Any]:
    return {
        "error": error,
        "error_description": f"AADSTS{code}: {text} Trace ID: t-1 Correlation ID: c-1",
        "error_codes": [code],
        "trace_id": "t-1",
        "correlation_id": "c-1",
    }


@pytest.fixture
def signing(connected: Connect) -> GraphClient:
    """A client that will sign in with a secret."""
    return connected(**SECRET)


@pytest.fixture(scope="session")
def pem() -> Pem:
    return make_pem(rsa.generate_private_key(65537, 2048))


# The kinds


def test_a_client_secret(signing: GraphClient, http: responses.RequestsMock, told: Told) -> None:
    token = make_token()
    discovery(http)
    http.post(TOKEN_URL, json=token_answer(token))
    assert signing.token().secret == token
    sent = form(http)
    assert sent["client_id"] == CLIENT
    assert sent["client_secret"] == "s3cret"
    assert sent["grant_type"] == "client_credentials"
    assert sent["scope"] == f"{GRAPH}/.default"
    assert {"s3cret", token} <= set(told.secrets)


def test_signing_in_is_lazy_and_happens_once(signing: GraphClient, http: responses.RequestsMock) -> None:
    assert len(http.calls) == 0
    discovery(http)
    http.post(TOKEN_URL, json=token_answer(make_token()))
    for _read in range(3):
        http.get(f"{GRAPH}/v1.0/users", json={"value": []})
    for _read in range(3):
        signing.list("/users")
    assert signing.openid_configuration(TENANT)["tenant_region_scope"] == "EU"
    assert len(http.calls) == 5


def test_metadata_needs_no_token_and_is_asked_once(signing: GraphClient, http: responses.RequestsMock) -> None:
    discovery(http)
    http.post(TOKEN_URL, json=token_answer(make_token()))
    signing.openid_configuration(TENANT)
    assert "Authorization" not in http.calls[0].request.headers
    signing.openid_configuration(TENANT)
    signing.token()
    assert len(http.calls) == 2


@pytest.mark.parametrize("passphrase", [None, "p4ss"])
def test_a_certificate(
    connected: Connect, http: responses.RequestsMock, pem: Pem, passphrase: str | None, tmp_path: Path, told: Told
) -> None:
    key = pem.private()
    if passphrase:
        encryption = BestAvailableEncryption(passphrase.encode())
        key = pem.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()
    path = tmp_path / "app.pem"
    path.write_text(pem.certificate + key)
    discovery(http)
    http.post(TOKEN_URL, json=token_answer(make_token()))
    connected(
        tenant_id=TENANT, client_id=CLIENT, client_certificate_path=str(path), client_certificate_passphrase=passphrase
    ).token()
    sent = form(http)
    assert sent["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assertion = jwt.decode(
        sent["client_assertion"], pem.key.public_key(), algorithms=["PS256", "RS256"], audience=TOKEN_URL
    )
    assert assertion["iss"] == assertion["sub"] == CLIENT
    assert any("PRIVATE KEY" in secret for secret in told.secrets)


def test_a_certificate_by_content(connected: Connect, http: responses.RequestsMock, pem: Pem) -> None:
    discovery(http)
    http.post(TOKEN_URL, json=token_answer(make_token()))
    connected(tenant_id=TENANT, client_id=CLIENT, client_certificate=pem.private() + pem.certificate).token()
    assert "client_assertion" in form(http)


@pytest.mark.parametrize("kind", ["client_certificate_path", "federated_token_file"])
def test_an_unreadable_file_is_told_before_any_request(
    connected: Connect, http: responses.RequestsMock, tmp_path: Path, kind: str
) -> None:
    client = connected(tenant_id=TENANT, client_id=CLIENT, **{kind: str(tmp_path / "missing")})
    with pytest.raises(OptionError, match=f"{kind}: cannot read .*missing"):
        client.token()
    assert len(http.calls) == 0


def test_a_federated_token_is_read_at_each_use(
    connected: Connect, http: responses.RequestsMock, tmp_path: Path, told: Told
) -> None:
    path = tmp_path / "token"
    path.write_text("first-assertion\n")
    client = connected(tenant_id=TENANT, client_id=CLIENT, federated_token_file=str(path))
    discovery(http)
    http.post(TOKEN_URL, json=token_answer(make_token()))
    http.get(f"{GRAPH}/v1.0/users", status=401, json={})
    http.post(TOKEN_URL, json=token_answer(make_token(jti="2")))
    http.get(f"{GRAPH}/v1.0/users", json={"value": []})
    client.token()
    path.write_text("second-assertion\n")
    client.list("/users")
    assert [form(http, place)["client_assertion"] for place in (1, 3)] == ["first-assertion", "second-assertion"]
    assert {"first-assertion", "second-assertion"} <= set(told.secrets)


def test_an_empty_federated_token_file_is_told(connected: Connect, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("\n")
    with pytest.raises(SignInError, match="is empty"):
        connected(tenant_id=TENANT, client_id=CLIENT, federated_token_file=str(path)).token()


@pytest.mark.parametrize("client_id", [None, CLIENT])
def test_a_managed_identity(
    connected: Connect, http: responses.RequestsMock, client_id: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT", "MSI_ENDPOINT", "IDENTITY_SERVER_THUMBPRINT"):
        monkeypatch.delenv(name, raising=False)
    wanted = {"api-version": "2018-02-01", "resource": GRAPH, **({"client_id": client_id} if client_id else {})}
    token = make_token()
    http.get(
        "http://169.254.169.254/metadata/identity/oauth2/token",
        json={"access_token": token, "expires_in": "3599", "resource": GRAPH, "token_type": "Bearer"},
        match=[responses.matchers.query_param_matcher(wanted)],
    )
    environment = {"AZURE_CLIENT_ID": "99999999-7777-8888-9999-000000000000", "HTTPS_PROXY": "http://127.0.0.1:9"}
    assert connected(environment, managed_identity=True, client_id=client_id).token().secret == token


def test_no_managed_identity_is_told(connected: Connect, http: responses.RequestsMock) -> None:
    http.get(
        "http://169.254.169.254/metadata/identity/oauth2/token",
        body=requests.exceptions.ConnectTimeout("no route"),
    )
    with pytest.raises(SignInError, match="No managed identity answers on this machine"):
        connected(managed_identity=True).token()


def test_a_managed_identity_that_refuses(connected: Connect, http: responses.RequestsMock) -> None:
    http.get(
        "http://169.254.169.254/metadata/identity/oauth2/token",
        status=400,
        json={"error": "invalid_request", "error_description": "Identity not found"},
    )
    with pytest.raises(SignInError, match="invalid_request: Identity not found"):
        connected(managed_identity=True).token()


def test_a_managed_identity_of_another_tenant_is_refused(connected: Connect, http: responses.RequestsMock) -> None:
    http.get(
        "http://169.254.169.254/metadata/identity/oauth2/token",
        json={"access_token": make_token(), "expires_in": "3599"},
    )
    other = "99999999-2222-3333-4444-555555555555"
    with pytest.raises(OptionError, match=f"the task is for tenant {other}"):
        connected(managed_identity=True, tenant_id=other).token()


# A domain name as tenant


def test_a_ready_token_is_compared_with_a_domain_name(connected: Connect, http: responses.RequestsMock) -> None:
    discovery(http, "contoso.com")
    http.get(f"{GRAPH}/v1.0/users", json={"value": []})
    http.get(f"{GRAPH}/v1.0/users", json={"value": []})
    client = connected(access_token=make_token(), tenant_id="contoso.com")
    client.list("/users")
    client.list("/users")


def test_a_ready_token_of_another_domain_is_refused_before_any_graph_call(
    connected: Connect, http: responses.RequestsMock
) -> None:
    discovery(http, "contoso.com")
    token = make_token(tenant="99999999-2222-3333-4444-555555555555")
    with pytest.raises(OptionError, match=r"the task is for tenant contoso\.com"):
        connected(access_token=token, tenant_id="contoso.com").list("/users")


# Failures in words


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, 7000215, "secret's value, not its id"),
        (401, 7000222, "has expired"),
        (401, 7000218, "neither a secret nor an assertion"),
        (401, 700027, "not registered with the application"),
        (400, 700016, "does not exist in this tenant"),
        (400, 7000112, "disabled"),
        (400, 90038, "another national cloud"),
        (400, 53003, "Conditional Access"),
        (400, 12345, "sign-in log"),
    ],
)
def test_a_refusal_says_what_it_means_and_what_to_do(
    signing: GraphClient, http: responses.RequestsMock, status: int, code: int, words: str
) -> None:
    discovery(http)
    http.post(TOKEN_URL, status=status, json=refusal(code))
    with pytest.raises(SignInError) as caught:
        signing.token()
    message = caught.value.message
    assert message.startswith(f"Could not sign in (AADSTS{code}): ")
    assert words in message
    assert "c-1" in message
    assert caught.value.as_result()["error"] == {
        "codes": [f"AADSTS{code}"],
        "message": f"AADSTS{code}: Some text.",
        "correlation_id": "c-1",
        "trace_id": "t-1",
    }
    assert "s3cret" not in repr(caught.value.__dict__)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("code", [90002, 900023, 90038])
def test_an_unknown_tenant(signing: GraphClient, http: responses.RequestsMock, code: int) -> None:
    http.get(METADATA, status=400, json=refusal(code, error="invalid_tenant"))
    with pytest.raises(SignInError, match=f"AADSTS{code}"):
        signing.token()


def test_a_wrong_clock_is_measured(signing: GraphClient, http: responses.RequestsMock) -> None:
    discovery(http)
    http.post(TOKEN_URL, status=401, json=refusal(700024), headers={"Date": formatdate(time.time() + 900, usegmt=True)})
    with pytest.raises(SignInError, match=r"clock is about (89|90)\d seconds behind the service's"):
        signing.token()


@pytest.mark.parametrize("code", [90033, 90024, 90055])
def test_a_temporary_refusal_is_tried_again(
    signing: GraphClient, http: responses.RequestsMock, code: int, waits: list[float], told: Told
) -> None:
    token = make_token()
    discovery(http)
    http.post(TOKEN_URL, status=400, json=refusal(code))
    http.post(TOKEN_URL, status=400, json=refusal(code))
    http.post(TOKEN_URL, json=token_answer(token))
    assert signing.token().secret == token
    assert len(waits) == len(told.warnings) == 2


def test_a_temporary_refusal_that_lasts_is_told(
    connected: Connect, http: responses.RequestsMock, waits: list[float]
) -> None:
    discovery(http)
    for _attempt in range(3):
        http.post(TOKEN_URL, status=400, json=refusal(90033))
    with pytest.raises(SignInError, match=r"AADSTS90033.*Run the task again later"):
        connected(**SECRET, max_retries=2).token()


@pytest.mark.parametrize(("status", "attempts"), [(429, 7), (500, 7), (503, 7)])
def test_an_outage_of_the_service_is_told(
    signing: GraphClient, http: responses.RequestsMock, status: int, attempts: int
) -> None:
    discovery(http)
    for _attempt in range(attempts):
        http.post(TOKEN_URL, status=status, body="<html>")
    with pytest.raises(SignInError, match=f"login.microsoftonline.com answered {status}. Run the task again later"):
        signing.token()


@pytest.mark.parametrize("status", [200, 302, 400, 404])
@pytest.mark.parametrize("body", ["", "<html>", "[]", "7", '{"token_type": 1}', '{"access_token": 5}', "{" * 5000])
def test_no_answer_of_the_token_endpoint_makes_a_traceback(
    signing: GraphClient, http: responses.RequestsMock, status: int, body: str
) -> None:
    discovery(http)
    http.post(TOKEN_URL, status=status, body=body)
    with pytest.raises(SignInError) as caught:
        signing.token()
    assert "login.microsoftonline.com" in caught.value.message


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a.e30.c"])
def test_a_token_that_cannot_be_read_is_told(signing: GraphClient, http: responses.RequestsMock, token: str) -> None:
    discovery(http)
    http.post(TOKEN_URL, json=token_answer(token))
    with pytest.raises(SignInError, match="token that cannot be used") as caught:
        signing.token()
    assert token not in caught.value.message


@pytest.mark.parametrize("status", [200, 302, 404])
@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"token_endpoint": 5}'])
def test_no_metadata_makes_a_traceback(
    signing: GraphClient, http: responses.RequestsMock, status: int, body: str
) -> None:
    http.get(METADATA, status=status, body=body)
    with pytest.raises(SignInError):
        signing.token()


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("https://evil.example.com/token", "cannot be used"),
        ("http://login.microsoftonline.com/token", "cannot be used"),
        ("https://login.microsoftonline.com@evil.example.com/token", "cannot be used"),
        ("https://login.microsoftonline.us/token", "another cloud: its sign-in service is login.microsoftonline.us"),
    ],
)
def test_credentials_are_sent_to_the_chosen_service_only(
    signing: GraphClient, http: responses.RequestsMock, endpoint: str, words: str
) -> None:
    metadata = {"issuer": f"{LOGIN}/{TENANT}/v2.0", "token_endpoint": endpoint, "authorization_endpoint": endpoint}
    http.get(METADATA, json=metadata)
    with pytest.raises(SignInError, match=words):
        signing.token()
    assert len(http.calls) == 1


def test_another_name_of_the_same_service_is_fine(connected: Connect, http: responses.RequestsMock) -> None:
    login = "https://login.chinacloudapi.cn"
    endpoint = f"https://login.partner.microsoftonline.cn/{TENANT}/oauth2/v2.0/token"
    metadata = {"issuer": f"{login}/{TENANT}/v2.0", "token_endpoint": endpoint, "authorization_endpoint": endpoint}
    http.get(f"{login}/{TENANT}/v2.0/.well-known/openid-configuration", json=metadata)
    http.post(endpoint, json=token_answer(make_token()))
    assert connected(**SECRET, cloud="china").token().tenant_id == TENANT


def test_an_unreachable_service_is_told(signing: GraphClient, http: responses.RequestsMock) -> None:
    http.get(METADATA, body=requests.exceptions.ReadTimeout("slow"))
    with pytest.raises(ConnectionFailed, match=r"login\.microsoftonline\.com did not answer"):
        signing.token()


def test_no_error_holds_the_secret(signing: GraphClient, http: responses.RequestsMock) -> None:
    discovery(http)
    http.post(TOKEN_URL, status=400, body=json.dumps({"error": "x", "error_description": "no code here"}))
    with pytest.raises(SignInError, match="x: no code here") as caught:
        signing.token()
    assert "s3cret" not in repr([caught.value, caught.value.as_result(), caught.value.__context__])
