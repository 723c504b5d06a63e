# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that nobody should write, drawn from an argument spec."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit

from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.tests.unit.hostile.replayed_tenant import Sent
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL

OptionPath = tuple[str, ...]

# Stands at both ends of a hostile text: whoever takes the text apart parts them.
MARK = "zq7"
NASTY = (
    "",
    "'",
    "''",
    "' or displayName eq '",
    "') or (1 eq 1",
    '"',
    "\\",
    "/",
    "/../../beta/",
    "..",
    "%2f..%2f",
    "%00",
    "%",
    "?$filter=1&$top=1",
    "&$expand=manager",
    "#",
    ";",
    "a b",
    "+",
    "\x00",
    "\r\nAuthorization: Bearer x\r\n",
    "\n",
    "\t",
    "\x1b[31mred\x1b[0m",
    "\x9b31m",
    "\x7f",
    "\u202eabc\u202c",
    "\u2066\u200f",
    "\u2028",
    "e\u0301\u0323" * 3,
    "\u212a\u017f\u0130",
    "\ufb01\u1e9e",
    "\ud800",
    "\udcff",
    "\ufeff",
    "\uffff",
    "\U0001f469\u200d\U0001f4bb",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{{ lookup('ansible.builtin.env', 'HOME') }}",
    "$(id)",
    "${HOME}",
    "~",
    "<script>",
    "%s%n",
    "{0.__class__}",
    "null",
    "A" * 5000,
    "A " * 5000,
)
TEXTS = st.one_of(
    st.sampled_from([f"{MARK}{nasty}{MARK}" for nasty in NASTY]),
    st.text(max_size=30).map(lambda text: f"{MARK}{text.replace(MARK, '')}{MARK}"),
    st.sampled_from(
        ["", " ", ".", "..", "/", "'", "\x00", "\ud800", "-1", "1e400", "0x10", "nan", "~no-such-user/x", "all_users"]
    ),
)
SCALARS = st.one_of(
    TEXTS,
    st.integers(min_value=-(10**30), max_value=10**30),
    st.sampled_from([10**4000, -1, 0, 2**31, 2**63]),
    st.floats(),
    st.booleans(),
    st.none(),
)
VALUES = st.one_of(
    TEXTS,
    SCALARS,
    st.lists(TEXTS, min_size=1, max_size=3),
    st.lists(SCALARS, max_size=3),
    st.dictionaries(TEXTS, SCALARS, max_size=3),
    st.sampled_from([json.loads("[" * 200 + "]" * 200), {"a": {"b": {"c": [[{}]]}}}, ["x"] * 1000]),
)


def option_paths(spec: Mapping[str, Any], above: OptionPath = ()) -> Iterator[OptionPath]:
    """Every option, suboptions included."""
    for name, argument in spec.items():
        yield (*above, name)
        yield from option_paths(argument.get("options") or {}, (*above, name))


def is_secret(spec: Mapping[str, Any], path: OptionPath) -> bool:
    argument: Mapping[str, Any] = {"options": spec}
    for name in path:
        argument = argument["options"][name]
        if argument.get("no_log"):
            return True
    return False


def with_option(options: Mapping[str, Any], spec: Mapping[str, Any], path: OptionPath, value: Any) -> dict[str, Any]:
    """A copy with one option, or suboption, of this value; of a list of dictionaries, in its first."""
    changed = copy.deepcopy(dict(options))
    holder: Any = changed
    arguments: Mapping[str, Any] = spec
    for name in path[:-1]:
        inner = holder.get(name)
        if arguments[name]["type"] == "list":
            inner = inner if isinstance(inner, list) and inner and isinstance(inner[0], dict) else [{}]
            holder[name] = inner
            holder = inner[0]
        else:
            holder[name] = inner if isinstance(inner, dict) else {}
            holder = holder[name]
        arguments = arguments[name]["options"]
    holder[path[-1]] = value
    return changed


LITERAL = re.compile(r"'(?:[^']|'')*'")


def taken_apart(sent: Sent) -> list[str]:
    """Where a text of a user's became more than one value of a request; also for what travels in a $batch."""
    lines = [f"{name}: {value}" for name, value in sent.headers.items()]
    found = [f"a header breaks: {line!r}" for line in lines if re.search(r"[\r\n]", line)]
    urls = [sent.url]
    if sent.url.endswith("/$batch"):
        version = sent.url.removesuffix("/$batch")
        urls += [f"{version}{request['url']}" for request in json.loads(sent.content)["requests"]]
    return found + [f"{what}: {url[:300]!r}" for url in urls for what in _taken_apart(url)]


def _taken_apart(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}" != URL or parts.fragment or not url.isascii():
        yield "another place"
    segments = [unquote(segment) for segment in parts.path.split("/")]
    if any(segment in (".", "..") or segment.count(MARK) % 2 for segment in segments):
        yield "a segment of its own"
    for parameter in parts.query.split("&"):
        text = unquote_plus(parameter)
        if text.count(MARK) % 2:
            yield "a parameter of its own"
        parted = any(literal.count(MARK) % 2 for literal in LITERAL.findall(text))
        if text.startswith("$filter=") and (parted or MARK in LITERAL.sub("", text)):
            yield "outside of its quotes"
