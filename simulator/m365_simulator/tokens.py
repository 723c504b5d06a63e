# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access tokens: signed JSON web tokens as Entra issues them to applications."""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any

import jwt

from m365_simulator.clock import Clock
from m365_simulator.keys import SigningKey, encode_base64url
from m365_simulator.tenants import Tenant

LIFETIME_SECONDS = 3599
CACHE_SIZE = 10_000
REMEMBERED = 1_000


@dataclass(frozen=True)
class Caller:
    """Who a valid token speaks for: tenant and application ids, the service principal, and the granted roles."""

    tenant_id: str
    app_id: str
    object_id: str
    roles: frozenset[str]


class InvalidToken(Exception):
    """Its text is what Graph says about it."""


class Tokens:
    """Issues and checks tokens. `audiences` are the names under which this simulator's Graph is known."""

    def __init__(self, key: SigningKey, clock: Clock, audiences: frozenset[str]) -> None:
        self._key, self._clock, self._audiences = key, clock, audiences
        self._generation = 0
        self._expired: set[str] = set()
        self._checked: dict[str, dict[str, Any]] = {}
        self.issued: deque[str] = deque(maxlen=REMEMBERED)
        """The last ones, for whoever looks where they have got to."""

    def issue(self, tenant: Tenant, *, audience: str, credential: str, wids: list[str], base: str) -> str:
        """`credential` is `1` for a secret and `2` for an assertion; `wids` are the app's directory roles."""
        application = tenant.application
        now = int(self._clock.now())
        token = self._key.sign(
            {
                "aud": audience,
                "iss": f"https://sts.windows.net/{tenant.id}/",
                "iat": now,
                "nbf": now,
                "exp": now + LIFETIME_SECONDS,
                "app_displayname": application.display_name,
                "appid": application.client_id,
                "appidacr": credential,
                "azp": application.client_id,
                "idp": f"https://sts.windows.net/{tenant.id}/",
                "idtyp": "app",
                "oid": application.object_id,
                "roles": sorted(application.permissions),
                "sub": application.object_id,
                "tenant_region_scope": tenant.region,
                "tid": tenant.id,
                "uti": f"{self._generation}.{encode_base64url(uuid.uuid4().bytes)}",
                "ver": "1.0",
                "wids": wids,
                "xms_idrel": "7 2",
            }
        )
        self.issued.append(token)
        return token

    def expire_all(self) -> None:
        """From now on no token issued so far is accepted."""
        self._generation += 1

    def expire(self, token: str) -> None:
        """From now on this token is not accepted. Raises InvalidToken when it never was one."""
        self._expired.add(str(self._verify(token)["uti"]))

    def check(self, token: str, audiences: frozenset[str] | None = None) -> Caller:
        """Raise InvalidToken unless signature, lifetime and audience are right; `audiences` None are Graph's."""
        claims = self._checked.get(token)
        if claims is None:
            claims = self._verify(token)
            if len(self._checked) >= CACHE_SIZE:
                self._checked.clear()
            self._checked[token] = claims
        now = self._clock.now()
        unique = str(claims["uti"])
        if now >= claims["exp"] or int(unique.partition(".")[0]) < self._generation or unique in self._expired:
            raise InvalidToken("Lifetime validation failed, the token is expired.")
        if now < claims["nbf"] - 300:
            raise InvalidToken("Lifetime validation failed, the token is not yet valid.")
        if claims["aud"] not in (self._audiences if audiences is None else audiences):
            raise InvalidToken("Access token validation failure. Invalid audience.")
        return Caller(claims["tid"], claims["appid"], claims["oid"], frozenset(claims.get("roles", ())))

    def _verify(self, token: str) -> dict[str, Any]:
        if not token:
            raise InvalidToken("Access token is empty.")
        if token.count(".") != 2:
            raise InvalidToken("IDX14100: JWT is not well formed, there are no dots (.).")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key.public_key,
                algorithms=["RS256"],
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                    "require": ["aud", "iss", "tid", "appid", "oid", "exp", "nbf", "uti"],
                },
            )
        except jwt.PyJWTError:
            raise InvalidToken("Access token validation failure. Invalid signature.") from None
        return claims
