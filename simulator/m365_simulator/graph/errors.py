# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Graph's errors: codes and texts as users and live tools have recorded them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ADVANCED_QUERIES = (
    "Refer to https://aka.ms/graph-docs/advanced-queries for more information."  # the text that Graph itself sends
)


class GraphError(Exception):
    """An answer of 400 or more. `details` is the optional list beside the message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.headers, self.details = dict(headers or {}), details

    def body(self, *, date: str, request_id: str, client_request_id: str, lower_case: bool = False) -> dict[str, Any]:
        """The JSON body. Live services differ in the case of `innerError`; `lower_case` gives the other one."""
        inner: dict[str, Any] = {
            "date": date.rstrip("Z"),
            "request-id": request_id,
            "client-request-id": client_request_id,
        }
        if self.status == 429:
            inner = {"code": "429", **inner}
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = self.details
        error["innererror" if lower_case else "innerError"] = inner
        return {"error": error}


class UnknownSegment(GraphError):
    """An address that Graph does not have."""

    def as_not_found(self) -> GraphError:
        """The same, as an assumption would have it."""
        return GraphError(404, "ResourceNotFound", self.message)


def unknown_segment(segment: str) -> GraphError:
    return UnknownSegment(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def method_not_allowed() -> GraphError:
    return GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


def not_found(id: str) -> GraphError:
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{id}' does not exist or one of its queried reference-property objects are not present.",
    )


def bad_request(message: str) -> GraphError:
    """As directory objects say it."""
    return GraphError(400, "Request_BadRequest", message)


def bad_policy(message: str) -> GraphError:
    """As policies say it."""
    return GraphError(400, "BadRequest", message)


def unsupported_query(message: str) -> GraphError:
    return GraphError(400, "Request_UnsupportedQuery", message)


def unreadable_body() -> GraphError:
    return bad_policy(
        "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON "
        "format."
    )


def invalid_token(message: str) -> GraphError:
    return GraphError(
        401,
        "InvalidAuthenticationToken",
        message,
        headers={
            "WWW-Authenticate": 'Bearer realm="", client_id="00000003-0000-0000-c000-000000000000", '
            'error="invalid_token", error_description="The access token is not valid."'
        },
    )


def no_premium_licence() -> GraphError:
    return GraphError(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        "Neither tenant is B2C or tenant doesn't have premium license",
    )


def not_licensed() -> GraphError:
    return GraphError(
        403,
        "AccessDenied",
        "Your tenant is not licensed for this feature. Please upgrade your subscription to access it.",
    )
