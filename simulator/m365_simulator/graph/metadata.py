# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much an answer says about itself: `Accept: application/json;odata.metadata=none` leaves contexts and types out.

Source: OData JSON Format 4.0, "Controlling the Amount of Control Information in Responses". `full` is answered as
`minimal`, which is the default.
"""

from __future__ import annotations

from typing import Any

from m365_simulator.graph.router import GraphRequest, GraphResponse

MINIMAL = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
NONE = MINIMAL.replace("minimal", "none")
"""Values of Content-Type."""

ALWAYS = ("@odata.nextLink", "@odata.count", "@odata.deltaLink")


def apply_wish(request: GraphRequest, response: GraphResponse) -> None:
    """Strip the answer if that is what its request accepts. Errors say nothing about themselves anyway."""
    wish = request.headers.get("accept", "").lower().replace(" ", "")
    if "odata.metadata=none" in wish and isinstance(response.body, dict):
        response.body = _stripped(response.body)
        response.headers["Content-Type"] = NONE


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _stripped(inner) for name, inner in value.items() if "@odata." not in name or name in ALWAYS}
    if isinstance(value, list):
        return [_stripped(inner) for inner in value]
    return value
