# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graph's answers, read with suspicion (private to the collection). Pure: no answer can crash it.

Source: Microsoft Graph documentation, "Microsoft Graph error responses and resource types"; the casing of innerError
and of request-id varies in live answers. A 403 for a licence is told from one for a permission by its text.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from .errors import (
    Conflict,
    GraphError,
    LicenceMissing,
    NotFound,
    PermissionMissing,
    Throttled,
    Unauthorized,
    Unavailable,
    UnreadableAnswer,
)
from .permissions import missing_names, needs_of
from .retry import seconds_of

LICENCE_WORDS = ("licens", "premium")
CONSENT_WORDS = ("scopes are missing", "insufficient privileges")
LICENCE_CODES = ("aadpremiumlicenserequired", "authentication_requestfromnonpremiumtenantorb2ctenant")
MAX_TEXT = 1000
# Graph nests some ten levels.
MAX_DEPTH = 100


@dataclass(frozen=True)
class Asked:
    """What an answer belongs to: enough to word an error."""

    method: str
    version: str
    path: str
    action: str
    client_request_id: str = ""
    roles: frozenset[str] = frozenset()

    def unreadable(self, status: int, why: str, headers: Mapping[str, str] | None = None) -> UnreadableAnswer:
        return UnreadableAnswer(**self.about(status, headers or {}), text=why)

    def error(self, status: int, body: Any, headers: Mapping[str, str]) -> GraphError:
        """The error that an answer of 300 and above stands for."""
        if 300 <= status < 400:
            return self.unreadable(status, "a redirect, which is not followed", headers)
        code, text, request_id = read_error(body)
        about = {**self.about(status, headers), "code": code, "text": text}
        about["request_id"] = about["request_id"] or request_id
        kind = kind_of(status, code, text)
        if kind is PermissionMissing:
            need = needs_of(self.method, self.version, self.path)
            missing = missing_names([need], self.roles) if need else {}
            if need and not missing and not says_permission(code, text):
                return GraphError(**about)  # the application has what it needs: Graph's own words are the reason
            return PermissionMissing(
                missing=[name for names in missing.values() for name in names], role=need.role if need else "", **about
            )
        asked = seconds_of(header(headers, "Retry-After"), header(headers, "Date"))
        if kind is Throttled and asked:
            about["advice"] = (
                f"Graph asks to wait {asked:.0f} seconds more: run the task later, or raise max_retry_wait."
            )
        return kind(**about)

    def about(self, status: int, headers: Mapping[str, str]) -> dict[str, Any]:
        """What every GraphError wants to know."""
        return {
            "action": self.action or f"complete {self.method} {self.path}",
            "status": status,
            "method": self.method,
            "path": f"/{self.version}{self.path}",
            "request_id": header(headers, "request-id"),
            "client_request_id": self.client_request_id,
        }


def kind_of(status: int, code: str, text: str) -> type[GraphError]:
    """Which error a status, a code and a message mean."""
    words = text.lower()
    licence = code.lower() in LICENCE_CODES or any(word in words for word in LICENCE_WORDS)
    if licence and status in (400, 403):
        return LicenceMissing
    if status == 403:
        return PermissionMissing
    if status >= 500:
        return Unavailable
    return {401: Unauthorized, 404: NotFound, 410: NotFound, 409: Conflict, 412: Conflict, 429: Throttled}.get(
        status, GraphError
    )


def says_permission(code: str, text: str) -> bool:
    """Whether a 403 is about a permission by its own words; one without words may be."""
    words = text.lower()
    return not words or code == "Authorization_RequestDenied" or any(word in words for word in CONSENT_WORDS)


def read_error(body: Any) -> tuple[str, str, str]:
    """Code, message and request id of an error's body; empty strings for what is not there."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):  # the form of OAuth
        return error[:MAX_TEXT], _string(body, "error_description"), ""
    if not isinstance(error, Mapping):
        return "", "", ""
    inner = next((error[name] for name in error if str(name).lower() == "innererror"), None)
    request_id = _string(inner, "request-id") or _string(inner, "requestId") or _string(inner, "requestid")
    return _string(error, "code"), _string(error, "message"), request_id


def read_json(content: bytes) -> Any:
    """The JSON of an answer. Raises ValueError for what is no JSON to everybody: NaN, a number without an end, a name
    twice in one object; and for what is nested so deeply that reading it would take all of Python's stack.

    Half of a character, as where a name was cut, becomes a replacement character: it could not be shown, nor sent back.
    """
    text = content.decode("utf-8-sig")
    try:
        document = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _SURROGATE.search(text):
        document = _DECODER.decode(_whole_characters(json.dumps(document, ensure_ascii=False)))
    level = [document]
    for _depth in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return document
    raise ValueError("nested too deeply")


def _whole_characters(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_DECODER = json.JSONDecoder(object_pairs_hook=_named_once, parse_constant=_no_constant, parse_float=_finite)


def header(headers: Mapping[str, Any], name: str) -> str:
    """A header in any case; those of a $batch come in a plain object. Empty when missing."""
    value = next((headers[key] for key in headers if str(key).lower() == name.lower()), "")
    return value if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else ""


def _string(item: Any, name: str) -> str:
    value = item.get(name) if isinstance(item, Mapping) else None
    return value[:MAX_TEXT] if isinstance(value, str) else ""
