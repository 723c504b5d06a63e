# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths and queries of Graph, built and checked (private to the collection). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from .errors import OptionError

VERSIONS = ("v1.0", "beta")

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\#]")
# Compiled here, in the controller's process, rather than anew in each of its workers.
_KEY = re.compile(r"\('.*'\)$")
_ARGUMENT = re.compile(r"=.+$")
_NAME = re.compile(r"[@.%\s]")
_GUID = re.compile(r"^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$", re.IGNORECASE)


def quote_string(value: str) -> str:
    """An OData string literal: in single quotes, single quotes doubled."""
    return "'" + value.replace("'", "''") + "'"


def path_segment(value: str) -> str:
    """An id or a name, percent-encoded for use as one segment of a path."""
    if value in ("", ".", ".."):
        raise OptionError(f"'{value}' cannot be an id or a name.")
    return _encoded(value, safe="")


def _encoded(text: str, safe: str) -> str:
    """Percent-encoded. Raises OptionError for half of a character, which YAML and JSON can write."""
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError:
        raise OptionError(f"'{text}' holds half of a character, which no name does.") from None


def is_guid(value: str) -> bool:
    return bool(_GUID.match(value))


def relative_url(path: str, parameters: Mapping[str, str] | None = None) -> str:
    """Path and query below the API's version, checked and encoded. Raises OptionError.

    A path may bring a query of its own; ``parameters`` are added to it.
    """
    bare, _mark, own_query = path.partition("?")
    if not bare.startswith("/") or "//" in bare or bare == "/":
        raise OptionError(f"A path must begin with one slash and hold no double one (like /users), but is '{path}'.")
    if _FORBIDDEN.search(bare) or re.search(r"[\x00-\x1f\x7f#]", own_query):
        raise OptionError(
            f"A path must not hold spaces, '#', backslashes or control characters; encode them: {path!r}."
        )
    decoded = [unquote(segment) for segment in bare.split("/")]
    if any(segment in (".", "..") or _controls(segment) for segment in decoded):
        raise OptionError(f"A path must not hold '.' or '..' as a segment, nor control characters: {path!r}.")
    query = [_encoded(own_query, safe="%$&=,:;'()*@!/?+-._~")] if own_query else []
    query += [
        f"{_encoded(name, safe='$@')}={_encoded(value, safe='$,:()*@')}" for name, value in (parameters or {}).items()
    ]
    # Non-ASCII characters are encoded; what is already encoded stays.
    encoded = _encoded(bare, safe="%$&=,:;'()*@!/+-._~")
    return f"{encoded}?{'&'.join(query)}" if query else encoded


def check_version(version: str) -> None:
    if version not in VERSIONS:
        raise OptionError(f"Unknown version '{version}' of Microsoft Graph. Known: {', '.join(VERSIONS)}.")


def below(link: str, base_url: str) -> str | None:
    """What follows ``base_url`` (scheme, host, port, version) in an absolute link; None if it leads elsewhere."""
    if not link.isascii() or re.search(r"[\x00-\x20\x7f\\#]", link):
        return None
    try:
        there, here = urlsplit(link), urlsplit(base_url)
        same_place = (there.scheme, there.hostname, there.port or 443) == (here.scheme, here.hostname, here.port or 443)
    except ValueError:
        return None
    if not same_place or there.username is not None or there.password is not None:
        return None
    prefix = f"{here.path}/"
    if not there.path.startswith(prefix) or any(unquote(part) in (".", "..") for part in there.path.split("/")):
        return None
    rest = there.path[len(prefix) - 1 :]
    return f"{rest}?{there.query}" if there.query else rest


def template(path: str) -> str:
    """A path without its query, with ids and names of objects replaced by ``{id}``: what a log may keep."""
    return "/".join(_masked(segment) for segment in path.partition("?")[0].split("/"))


def _masked(segment: str) -> str:
    segment = _KEY.sub("({id})", unquote(segment))
    segment = _ARGUMENT.sub("={id}", segment)
    if segment == "v1.0" or segment.startswith("microsoft.graph."):
        return segment
    long_and_mixed = len(segment) >= 20 and any(character.isdigit() for character in segment)
    return "{id}" if _GUID.match(segment) or long_and_mixed or _NAME.search(segment) else segment


def _controls(text: str) -> bool:
    return any(ord(character) < 32 or ord(character) == 127 for character in text)
