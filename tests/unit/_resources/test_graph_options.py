# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import MissingLibrary, OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import graph_options
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.graph_options import (
    check_expression,
    headers,
    search,
    text_values,
)
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values


def test_scalars_become_text_as_odata_spells_them() -> None:
    given_values = {"$count": True, "$top": 5, "$filter": "a eq 'b'", "off": False, "half": 0.5}
    assert text_values(given_values, "parameters") == {
        "$count": "true",
        "$top": "5",
        "$filter": "a eq 'b'",
        "off": "false",
        "half": "0.5",
    }


@pytest.mark.parametrize("value", [None, [], ["a"], {}, {"a": 1}], ids=repr)
def test_other_values_are_refused_by_name(value: Any) -> None:
    with pytest.raises(OptionError, match=r"parameters: '\$select' must be a string, a number or a boolean"):
        text_values({"$select": value}, "parameters")


@pytest.mark.parametrize(
    "name", ["Authorization", "authorization", "HOST", "Content-Length", "Content-Type", "client-request-id"]
)
def test_headers_of_the_client_cannot_be_given(name: str) -> None:
    with pytest.raises(OptionError, match=f"'{name}' is set by the module"):
        headers({"headers": {name: "mine"}})


@pytest.mark.parametrize(
    "name",
    ["", "-", " ", "Authorization ", " Authorization", "Authorization:", "X\r\nAuthorization", "Ünicode", "a\x00b"],
)
def test_a_name_that_is_no_header_is_refused(name: str) -> None:
    with pytest.raises(OptionError):
        headers({"headers": {name: "x"}})


@pytest.mark.parametrize(
    "value", ["a\r\nAuthorization: Bearer x", "a\nb", "a\rb", "a\x00b", "a\x7fb", " leading", "\u2713"], ids=ascii
)
def test_a_value_that_no_header_can_carry_is_refused(value: str) -> None:
    with pytest.raises(OptionError, match="no valid header"):
        headers({"headers": {"X-Note": value}})


def test_a_refused_header_is_not_quoted() -> None:
    with pytest.raises(OptionError) as caught:
        headers({"headers": {"Authorization": "Bearer a-secret"}})
    assert "a-secret" not in caught.value.message


@given(
    st.dictionaries(
        st.from_regex(r"X-[A-Za-z0-9-]{1,10}", fullmatch=True),
        st.from_regex(r"[!-~]([ -~]{0,10}[!-~])?", fullmatch=True),
        max_size=3,
    )
)
def test_ordinary_headers_are_kept(given_headers: dict[str, str]) -> None:
    assert headers({"headers": given_headers}) == given_headers


def test_a_header_may_be_a_number_or_a_boolean() -> None:
    assert headers({"headers": {"X-Depth": 1, "X-Flag": True}}) == {"X-Depth": "1", "X-Flag": "true"}


def test_search_finds() -> None:
    document = [{"name": "b", "on": True}, {"name": "a", "on": False}]
    assert search("[?on].name", document, "query") == ["b"]
    assert search("sort_by(@, &name)[0].name", document, "query") == "a"


@pytest.mark.parametrize("expression", ["[?", "a..b", "nothing(@)", "sort_by(@)", "&", "[?a > 'text']", "[::0]"])
def test_a_wrong_expression_is_refused_with_its_option(expression: str) -> None:
    with pytest.raises(OptionError, match="read_query"):
        search(expression, [{"a": 1}], "read_query")


def test_an_endless_expression_is_refused() -> None:
    with pytest.raises(OptionError, match="query"):
        check_expression("(" * 5000 + "a" + ")" * 5000, "query")


@pytest.mark.parametrize("expression", ["[?", "a..b", "&", "[", '"open'])
def test_an_unreadable_expression_is_refused_beforehand(expression: str) -> None:
    with pytest.raises(OptionError, match="query"):
        check_expression(expression, "query")


@pytest.mark.parametrize(
    "expression",
    ["sort_by(@, &displayName)", "join(',', [].displayName)", "max_by(@, &total).id", "length(value)", None, ""],
)
def test_an_expression_that_only_fits_the_answer_is_not_refused_beforehand(expression: str | None) -> None:
    check_expression(expression, "query")


@given(st.text(max_size=12), json_values)
def test_no_expression_is_an_exception(expression: str, document: Any) -> None:
    with suppress(OptionError):
        search(expression, document, "query")


@pytest.mark.parametrize("use", [lambda: search("a", {}, "query"), lambda: check_expression("a", "query")])
def test_a_missing_library_is_named(use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_options, "IMPORT_TRACEBACK", "Traceback: no module named jmespath")
    with pytest.raises(MissingLibrary) as caught:
        use()
    assert (caught.value.library, caught.value.import_traceback) == ("jmespath", "Traceback: no module named jmespath")
