# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What gateways and networks answer in the place of Graph or of sign-in."""

from __future__ import annotations

from http import HTTPStatus

from m365_simulator.faults.plan import NOT_JSON, Fault
from m365_simulator.graph.router import GraphResponse

HTML = "text/html; charset=utf-8"
PORTAL_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head>"
    '<body><form action="/login"><input name="user"></form></body></html>\n'
)


class Interception(Exception):
    """Somebody else answered: `response` bears none of Graph's headers, and its body is bytes or None."""

    def __init__(self, response: GraphResponse) -> None:
        super().__init__(response.status)
        self.response = response


def intercepting(fault: Fault) -> GraphResponse | None:
    """The page or the empty answer that a fault gives; None when it answers as Graph does."""
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    if fault.kind == NOT_JSON:
        return GraphResponse(200, PORTAL_PAGE.encode(), {"Content-Type": HTML})
    if fault.body == "html":
        return GraphResponse(fault.status, _error_page(fault.status).encode(), {"Content-Type": HTML, **headers})
    if fault.body == "empty":
        return GraphResponse(fault.status, None, headers)
    return None


def _error_page(status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    title = f"{status} {phrase}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr>"
        "<center>Microsoft-Azure-Application-Gateway/v2</center>\r\n</body>\r\n</html>\r\n"
    )
