# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens, read without checking their signature: Graph does that (private to the collection)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What Python can show as a date.
END_OF_9999 = 253_402_300_800
_VISIBLE = re.compile(r"[!-~]+")


class NotAToken(ValueError):
    """A string that is no JSON web token with an expiry. Its message never quotes the string."""


@dataclass(frozen=True)
class AccessToken:
    """``expires_on`` is in seconds since 1970. Only ``secret`` is secret; it is not shown."""

    secret: str = field(repr=False)
    expires_on: int
    claims: Mapping[str, Any] = field(repr=False)

    @property
    def tenant_id(self) -> str:
        return self._text("tid").lower()

    @property
    def client_id(self) -> str:
        return (self._text("appid") or self._text("azp")).lower()

    @property
    def audience(self) -> str:
        return self._text("aud")

    @property
    def lifetime(self) -> int | None:
        """Seconds from issue to expiry, whatever this machine's clock says; None where the token does not tell."""
        issued = self.claims.get("iat")
        if isinstance(issued, bool) or not isinstance(issued, (int, float)):
            return None
        return max(0, self.expires_on - int(issued))

    @property
    def roles(self) -> frozenset[str]:
        """The granted permissions: an application's (``roles``), or a user's (``scp``)."""
        roles = self.claims.get("roles")
        granted = [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
        return frozenset([*granted, *self._text("scp").split()])

    def _text(self, claim: str) -> str:
        value = self.claims.get(claim)
        return value if isinstance(value, str) else ""


def read_token(secret: str) -> AccessToken:
    """The token with its claims. Raises NotAToken."""
    parts = secret.split(".")
    if len(parts) != 3 or not _VISIBLE.fullmatch(secret):
        raise NotAToken("it is not of the form header.payload.signature")
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        raise NotAToken("its payload is no JSON") from None
    if not isinstance(claims, dict):
        raise NotAToken("its payload is no JSON object")
    expires_on = claims.get("exp")
    if isinstance(expires_on, bool) or not isinstance(expires_on, (int, float)) or not 0 < expires_on < END_OF_9999:
        raise NotAToken("it says no expiry")
    return AccessToken(secret=secret, expires_on=int(expires_on), claims=claims)
