# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""Which cloud is chosen, and that each has its own hosts."""

import pytest
import responses

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.clouds import CLOUDS, choose_cloud
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import (
    CLIENT,
    TENANT,
    Connect,
    make_token,
    token_answer,
)

URLS = {"M365_GRAPH_URL": "https://graph.example.com", "M365_LOGIN_URL": "https://login.example.com"}


@pytest.mark.parametrize(
    ("azure", "name"),
    [
        ("AzureCloud", "global"),
        ("AzurePublicCloud", "global"),
        ("AzureUSGovernment", "usgov"),
        ("azurechinacloud", "china"),
        ("usgov_dod", "usgov_dod"),
        ("", "global"),
    ],
)
def test_the_environment_names_a_cloud(azure: str, name: str) -> None:
    assert choose_cloud(None, None, None, {"AZURE_CLOUD_ENVIRONMENT": azure}).name == name
    assert choose_cloud("china", None, None, {"AZURE_CLOUD_ENVIRONMENT": azure}).name == "china"


def test_a_custom_cloud() -> None:
    cloud = choose_cloud(None, "https://Localhost:8443/", "https://127.0.0.1:8443", {"AZURE_CLOUD_ENVIRONMENT": "x"})
    assert (cloud.name, cloud.graph_url, cloud.login_url) == (
        "custom",
        "https://localhost:8443",
        "https://127.0.0.1:8443",
    )
    assert cloud.scope == "https://localhost:8443/.default"
    assert choose_cloud(None, None, None, URLS).graph_url == "https://graph.example.com"
    assert choose_cloud("global", None, None, URLS).name == "global"


@pytest.mark.parametrize(
    ("name", "graph_url", "login_url"),
    [
        ("mars", None, None),
        ("global", "https://a.example.com", "https://b.example.com"),
        (None, "https://a.example.com", None),
        (None, None, "https://a.example.com"),
        (None, "http://a.example.com", "https://b.example.com"),
        (None, "https://a.example.com/v1.0", "https://b.example.com"),
        (None, "https://a.example.com?x=y", "https://b.example.com"),
        (None, "https://eve:pw@a.example.com", "https://b.example.com"),
        (None, "https://a.example.com:x", "https://b.example.com"),
        (None, "https://a.example.com\n", "https://b.example.com"),
        (None, "https://", "https://b.example.com"),
        (None, "graph", "https://b.example.com"),
    ],
)
def test_what_is_no_cloud(name: str | None, graph_url: str | None, login_url: str | None) -> None:
    with pytest.raises(OptionError):
        choose_cloud(name, graph_url, login_url, {})


def test_an_unknown_name_in_the_environment_is_told() -> None:
    with pytest.raises(OptionError, match="AZURE_CLOUD_ENVIRONMENT is 'AzureMars'"):
        choose_cloud(None, None, None, {"AZURE_CLOUD_ENVIRONMENT": "AzureMars"})


@pytest.mark.parametrize("name", CLOUDS)
def test_each_cloud_signs_in_and_reads_at_its_own_hosts(
    connected: Connect, http: responses.RequestsMock, name: str
) -> None:
    cloud = CLOUDS[name]
    endpoint = f"{cloud.login_url}/{TENANT}/oauth2/v2.0/token"
    http.get(
        f"{cloud.login_url}/{TENANT}/v2.0/.well-known/openid-configuration",
        json={
            "issuer": f"{cloud.login_url}/{TENANT}/v2.0",
            "token_endpoint": endpoint,
            "authorization_endpoint": f"{cloud.login_url}/x",
        },
    )
    http.post(endpoint, json=token_answer(make_token(audience=cloud.graph_url)))
    http.get(f"{cloud.graph_url}/v1.0/organization", json={"value": []})
    client = connected(cloud=name, tenant_id=TENANT, client_id=CLIENT, client_secret="s3cret")
    assert client.list("/organization") == []
    body = http.calls[1].request.body
    assert isinstance(body, (str, bytes))
    sent = body.decode() if isinstance(body, bytes) else body
    assert f"scope={cloud.scope.replace(':', '%3A').replace('/', '%2F')}" in sent


def test_the_token_of_one_cloud_is_not_for_another(connected: Connect) -> None:
    with pytest.raises(OptionError, match="not for Microsoft Graph"):
        connected(cloud="usgov", access_token=make_token())
