# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""Paths, queries, links and what the log shows of them."""

import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.query import (
    below,
    path_segment,
    quote_string,
    relative_url,
    template,
)

TEXT = st.text(st.characters(codec="utf-8"), min_size=1)


@given(TEXT)
@example("O'Neil")
@example("' or 1 eq 1 or '")
def test_a_literal_ends_where_it_should(value: str) -> None:
    literal = quote_string(value)
    assert literal[0] == literal[-1] == "'"
    inner = literal[1:-1]
    assert inner.replace("''", "'") == value
    assert "'" not in inner.replace("''", "")


@given(TEXT.filter(lambda value: value not in (".", "..")))
@example("ann_contoso.com#EXT#@fabrikam.onmicrosoft.com")
@example("a/../b")
@example("$value")
def test_a_segment_stays_one_segment(value: str) -> None:
    segment = path_segment(value)
    assert unquote(segment) == value
    assert re.fullmatch(r"[A-Za-z0-9._~%-]+", segment)


@given(TEXT.filter(lambda value: value not in (".", "..")))
def test_a_path_of_segments_is_accepted_unless_it_hides_controls(value: str) -> None:
    path = f"/users/{path_segment(value)}/authentication"
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        with pytest.raises(OptionError):
            relative_url(path)
    else:
        assert relative_url(path) == path


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_what_no_segment_can_be(value: str) -> None:
    with pytest.raises(OptionError):
        path_segment(value)


@given(st.dictionaries(st.sampled_from(["$filter", "$search", "$top"]), TEXT))
def test_parameters_survive(parameters: dict[str, str]) -> None:
    url = relative_url("/users", parameters)
    query = urlsplit(url).query
    pairs = dict(part.split("=", 1) for part in query.split("&")) if query else {}
    assert {unquote(name): unquote(value) for name, value in pairs.items()} == parameters


@given(TEXT)
def test_any_path_is_refused_or_stays_below_the_version(path: str) -> None:
    try:
        url = relative_url(path)
    except OptionError:
        return
    assert url.isascii()
    assert below(f"https://graph.example.com/v1.0{url}", "https://graph.example.com/v1.0") == url


def test_a_query_in_the_path_is_kept() -> None:
    assert relative_url("/users?$select=id, a&b=%23", {"$top": "5"}) == "/users?$select=id,%20a&b=%23&$top=5"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1.0/users/11111111-2222-3333-4444-555555555555", "/v1.0/users/{id}"),
        ("/v1.0/users/ann%40contoso.com/authentication/requirements", "/v1.0/users/{id}/authentication/requirements"),
        ("/v1.0/users('ann@contoso.com')/manager?$select=id", "/v1.0/users({id})/manager"),
        ("/v1.0/domains/contoso.com", "/v1.0/domains/{id}"),
        (
            "/beta/directoryRoles/roleTemplateId=abc/members/$ref",
            "/beta/directoryRoles/roleTemplateId={id}/members/$ref",
        ),
        (
            "/v1.0/roleManagement/directory/roleAssignments/lAPpYvVpN0KRkAEhdxReEJC2sEqbR_9Hr48lds9SGHI-1",
            "/v1.0/roleManagement/directory/roleAssignments/{id}",
        ),
        ("/v1.0/directory/deletedItems/microsoft.graph.user", "/v1.0/directory/deletedItems/microsoft.graph.user"),
        (
            "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
            "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
        ),
        ("/v1.0/$batch", "/v1.0/$batch"),
    ],
)
def test_the_log_masks_ids(path: str, shown: str) -> None:
    assert template(path) == shown


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/users/\udfff", {}),
        ("/users?$filter=\ud800", {}),
        ("/users", {"$filter": "\ud800"}),
        ("/users", {"\ud800": ""}),
    ],
    ids=range(4),
)
def test_half_of_a_character_is_refused(path: str, parameters: dict[str, str]) -> None:
    with pytest.raises(OptionError, match=r"\\ud.* holds half of a character"):
        relative_url(path, parameters)
    with pytest.raises(OptionError, match="holds half of a character"):
        path_segment("a\ud800")
