# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""Which credential is chosen, and what is refused before any request."""

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.clouds import CLOUDS
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.credentials import (
    Certificate,
    ClientSecret,
    Credentials,
    FederatedToken,
    ManagedIdentity,
    choose_credentials,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import CLIENT, TENANT, make_token

BASE = {"tenant_id": TENANT, "client_id": CLIENT}
AZURE = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}
OTHER = "99999999-7777-8888-9999-000000000000"


def choose(
    options: dict[str, Any], environment: dict[str, str] | None = None, told: list[str] | None = None
) -> Credentials:
    secrets: list[str] = [] if told is None else told
    return choose_credentials(options, environment or {}, CLOUDS["global"], secrets.append)


@pytest.mark.parametrize(
    ("options", "credential"),
    [
        ({**BASE, "client_secret": "s"}, ClientSecret(CLIENT, "s")),
        ({**BASE, "client_certificate": "pem"}, Certificate(CLIENT, content="pem")),
        (
            {**BASE, "client_certificate_path": "/c.pem", "client_certificate_passphrase": "p"},
            Certificate(CLIENT, path="/c.pem", passphrase="p"),
        ),
        ({**BASE, "federated_token_file": "/t"}, FederatedToken(CLIENT, "/t")),
        ({"managed_identity": True}, ManagedIdentity()),
        ({"managed_identity": True, "client_id": CLIENT}, ManagedIdentity(CLIENT)),
        ({**BASE, "managed_identity": False, "client_secret": "s"}, ClientSecret(CLIENT, "s")),
    ],
)
def test_each_explicit_kind(options: dict[str, Any], credential: object) -> None:
    assert choose(options).credential == credential
    # The environment of another kind never disturbs it, however odd it is.
    disturbing = {
        "AZURE_CLIENT_SECRET": "x",
        "AZURE_SECRET": "y",
        "AZURE_CLIENT_CERTIFICATE_PATH": "/x",
        "AZURE_FEDERATED_TOKEN_FILE": "/y",
        "M365_ACCESS_TOKEN": "no token",
    }
    assert choose(options, disturbing) == choose(options)


@pytest.mark.parametrize(
    ("environment", "credential"),
    [
        ({**AZURE, "AZURE_CLIENT_SECRET": "s", "AZURE_SECRET": "t"}, ClientSecret(CLIENT, "s")),
        ({"AZURE_TENANT": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_SECRET": "t"}, ClientSecret(CLIENT, "t")),
        (
            {
                **AZURE,
                "AZURE_CLIENT_CERTIFICATE_PATH": "/c.pem",
                "AZURE_CLIENT_CERTIFICATE_PASSWORD": "p",
                "AZURE_FEDERATED_TOKEN_FILE": "/t",
            },
            Certificate(CLIENT, path="/c.pem", passphrase="p"),
        ),
        ({**AZURE, "AZURE_FEDERATED_TOKEN_FILE": "/t"}, FederatedToken(CLIENT, "/t")),
        ({**AZURE, "AZURE_SECRET": "s", "AZURE_CLIENT_CERTIFICATE_PATH": "/c.pem"}, ClientSecret(CLIENT, "s")),
    ],
)
def test_the_environment_when_nothing_is_explicit(environment: dict[str, str], credential: object) -> None:
    chosen = choose({}, environment)
    assert chosen.credential == credential
    assert chosen.tenant_id == TENANT
    assert chosen.tenant_wanted is None


def test_options_beat_the_environment() -> None:
    chosen = choose({"tenant_id": "contoso.com", "client_id": OTHER}, {**AZURE, "AZURE_SECRET": "s"})
    assert chosen.credential == ClientSecret(OTHER, "s")
    assert chosen.tenant_id == "contoso.com"


KINDS = {
    "client_secret": "s3cret",
    "client_certificate": "pem",
    "client_certificate_path": "/c",
    "federated_token_file": "/t",
    "managed_identity": True,
}


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
def test_two_explicit_kinds_are_one_clear_sentence(first: str, second: str) -> None:
    options = {**BASE, first: KINDS[first], second: KINDS[second]}
    if first == second:
        assert choose(options).credential is not None
        return
    with pytest.raises(OptionError) as caught:
        choose(options)
    for name in (first, second):
        assert name in caught.value.message
    assert "s3cret" not in caught.value.message


def test_none_at_all_is_one_clear_sentence() -> None:
    with pytest.raises(OptionError, match="No credentials: give one of client_secret"):
        choose({}, AZURE)


@pytest.mark.parametrize("name", [*BASE, "client_secret", "client_certificate_path", "access_token"])
@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_option_is_refused(name: str, empty: str) -> None:
    with pytest.raises(OptionError, match=f"{name} is given, but empty"):
        choose({**BASE, "client_secret": "s", name: empty}, {**AZURE, "AZURE_SECRET": "s"})


def test_an_empty_variable_is_not_there() -> None:
    with pytest.raises(OptionError, match="No credentials"):
        choose({}, {**AZURE, "AZURE_SECRET": "", "M365_ACCESS_TOKEN": ""})


@pytest.mark.parametrize("missing", ["tenant_id", "client_id"])
def test_tenant_and_client_are_needed(missing: str) -> None:
    options: dict[str, Any] = {**BASE, "client_secret": "s"}
    del options[missing]
    with pytest.raises(OptionError, match=f"{missing} is needed"):
        choose(options)


@pytest.mark.parametrize(
    "tenant", ["common", "Organizations", "not a tenant", "x/y", "contoso", "a..b", "..", "https://a.b"]
)
def test_a_tenant_must_be_one(tenant: str) -> None:
    with pytest.raises(OptionError, match="tenant"):
        choose({**BASE, "tenant_id": tenant, "client_secret": "s"})


@pytest.mark.parametrize("client", ["app", "../x", TENANT + "0"])
def test_a_client_id_must_be_a_guid(client: str) -> None:
    with pytest.raises(OptionError, match="client_id must be"):
        choose({**BASE, "client_id": client, "client_secret": "s"})


def test_two_certificates_are_refused() -> None:
    with pytest.raises(OptionError, match="client_certificate or client_certificate_path"):
        choose({**BASE, "client_certificate": "pem", "client_certificate_path": "/c"})


def test_a_passphrase_needs_a_certificate() -> None:
    with pytest.raises(OptionError, match="no certificate"):
        choose({**BASE, "client_secret": "s", "client_certificate_passphrase": "p"})


# A ready token


@pytest.mark.parametrize(
    "audience", ["https://graph.microsoft.com", "https://graph.microsoft.com/", "00000003-0000-0000-c000-000000000000"]
)
def test_a_ready_token_is_enough(audience: str) -> None:
    token = make_token(audience=audience)
    chosen = choose({"access_token": token})
    assert chosen.access_token is not None
    assert chosen.access_token.secret == token
    assert chosen.credential is None


def test_a_ready_token_may_come_with_a_credential() -> None:
    chosen = choose({"access_token": make_token(), "client_id": CLIENT, "client_secret": "s"})
    assert chosen.access_token is not None
    assert chosen.credential == ClientSecret(CLIENT, "s")
    assert chosen.tenant_id == TENANT


def test_the_environment_may_hold_the_token() -> None:
    assert choose({}, {"M365_ACCESS_TOKEN": make_token()}).access_token is not None
    assert choose({**BASE, "client_secret": "s"}, {"M365_ACCESS_TOKEN": make_token()}).access_token is None


@pytest.mark.parametrize(
    ("environment", "renewable"),
    [
        ({**AZURE, "AZURE_SECRET": "s"}, True),
        ({**AZURE, "AZURE_CLIENT_ID": OTHER, "AZURE_SECRET": "s"}, False),
        ({"AZURE_SECRET": "s"}, False),
        ({"AZURE_CLIENT_ID": "nonsense", "AZURE_SECRET": "s", "AZURE_TENANT_ID": "common"}, False),
    ],
)
def test_the_environment_renews_a_ready_token_of_the_same_application_only(
    environment: dict[str, str], renewable: bool
) -> None:
    chosen = choose({"access_token": make_token()}, environment)
    assert (chosen.credential is not None) is renewable


def test_a_token_of_another_tenant_is_refused() -> None:
    with pytest.raises(OptionError, match=f"of tenant {TENANT}, but the task is for tenant {OTHER}"):
        choose({"access_token": make_token(), "tenant_id": OTHER})
    assert choose({"access_token": make_token(), "tenant_id": TENANT.upper()}).access_token is not None


@pytest.mark.parametrize("audience", ["https://graph.microsoft.us", "https://management.azure.com", ""])
def test_a_token_for_another_service_is_refused(audience: str) -> None:
    with pytest.raises(OptionError, match="not for Microsoft Graph at https://graph"):
        choose({"access_token": make_token(audience=audience)})


@pytest.mark.parametrize(
    "text",
    [
        "opaque",
        "a.b",
        "a.b.c",
        "a.bm8.c",
        "a.W10.c",
        "a.e30.c",
        "é.e30.c",
        make_token(exp="soon"),
        make_token(exp=True),
    ],
)
def test_what_is_no_token_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(OptionError, match="no access token of Microsoft Entra") as caught:
        choose({"access_token": text})
    assert text not in caught.value.message


# Secrets


def test_every_secret_is_told_even_when_the_choice_fails() -> None:
    told: list[str] = []
    options = {
        "client_secret": "one",
        "client_certificate": "two",
        "client_certificate_passphrase": "three",
        "access_token": "four",
    }
    environment = {
        "AZURE_CLIENT_SECRET": "five",
        "AZURE_SECRET": "six",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": "seven",
        "M365_ACCESS_TOKEN": "eight",
    }
    with pytest.raises(OptionError):
        choose(options, environment, told)
    assert set(told) == {"one", "two", "three", "four", "five", "six", "seven", "eight"}


def test_no_secret_is_shown() -> None:
    token = make_token()
    shown = repr(
        [
            choose({**BASE, "client_secret": "s3cret", "access_token": token}),
            choose({**BASE, "client_certificate": "s3cret", "client_certificate_passphrase": "s3cret"}),
        ]
    )
    assert "s3cret" not in shown
    assert token not in shown
    assert token.split(".")[1] not in shown
