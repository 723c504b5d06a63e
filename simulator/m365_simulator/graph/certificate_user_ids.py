# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's certificateUserIds: which certificates are the user's, for certificate-based authentication.

Source: Microsoft's page "Map to the certificateUserIds attribute in Microsoft Entra ID": the patterns, at most ten
values, unique in the tenant. Graph's words for a refusal are not public.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import func, literal, select

from m365_simulator.graph.answers import check_known
from m365_simulator.graph.errors import GraphError, bad_request
from m365_simulator.graph.router import Call
from m365_simulator.state import OBJECTS, Row

PATTERN = re.compile(r"X509:(<PN>.+|<RFC822>.+|<S>.+|<I>.+<S>.+|<I>.+<SR>[0-9A-Fa-f]+|<SKI>.+|<SHA1-PUKEY>.+)")
MOST, LONGEST = 10, 1024


def read_authorization_info(call: Call, row: Row, value: Any) -> dict[str, list[str]]:
    """What a write of authorizationInfo makes of it. Raises Graph's 400."""
    info = value or {}
    check_known(info, ("certificateUserIds",), "user")
    ids = info.get("certificateUserIds") or []
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
        raise _invalid()
    if len(ids) > MOST or len(set(ids)) != len(ids):
        raise _invalid()
    for id in ids:
        if len(id) > LONGEST or PATTERN.fullmatch(id) is None:
            raise _invalid()
        if _is_taken(call, row, id):
            message = "Another object with the same value for property certificateUserIds already exists."
            detail = {"code": "ObjectConflict", "target": "certificateUserIds", "message": message}
            raise GraphError(400, "Request_BadRequest", message, details=[detail])
    return {"certificateUserIds": ids}


def _is_taken(call: Call, row: Row, id: str) -> bool:
    ids = func.json_each(OBJECTS.c.document, "$.authorizationInfo.certificateUserIds").table_valued("value")
    holds = select(literal(1)).select_from(ids).where(ids.c.value == id).exists()
    return call.store.count("user", OBJECTS.c.id != row.id, holds) > 0


def _invalid() -> GraphError:
    return bad_request("Invalid value specified for property 'authorizationInfo' of resource 'User'.")
