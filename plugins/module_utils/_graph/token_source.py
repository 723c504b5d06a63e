# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token of a run: the ready one first, renewed in time (private to the collection)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .credentials import Credentials, check_tenant
from .errors import SignInError
from .query import is_guid
from .tokens import AccessToken

# Renewed so long before it expires, in seconds: longer than any single request takes.
RENEW_BEFORE = 300


class TokenSource:
    """Signs in at first need, and once more when the token is about to expire or was refused. Safe for threads.

    ``sign_in`` gives a fresh token; it is None when there is only a ready one.
    ``tenant_guid`` gives the GUID of a tenant from its domain name.
    """

    def __init__(
        self,
        credentials: Credentials,
        sign_in: Callable[[], AccessToken] | None,
        tenant_guid: Callable[[str], str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = credentials
        self._sign_in = sign_in
        self._tenant_guid = tenant_guid
        self._now = now
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._expires = 0.0

    def token(self) -> AccessToken:
        """Raises SignInError, OptionError (a token of another tenant), ConnectionFailed."""
        with self._lock:
            if self._token is None:
                ready = self._ready()
                if ready is None:
                    return self._fresh()
                self._token, self._expires = ready, float(ready.expires_on)
            left = self._expires - self._now()
            if self._sign_in and left < min(RENEW_BEFORE, (self._token.lifetime or RENEW_BEFORE) / 2):
                return self._fresh()
            if left <= 0:
                raise SignInError(
                    "The access token has expired, and there are no credentials to renew it: log in again, "
                    "or give credentials beside the token."
                )
            return self._token

    def renewed(self, refused: AccessToken) -> AccessToken | None:
        """Another token in place of one that Graph refused; None when there are no credentials for it."""
        with self._lock:
            if self._token is refused:
                if not self._sign_in:
                    return None
                return self._fresh()
            return self._token

    def _ready(self) -> AccessToken | None:
        token = self._credentials.access_token
        if token is not None:
            self._check_wanted(token)
        return token

    def _fresh(self) -> AccessToken:
        if self._sign_in is None:
            raise SignInError("There are no credentials to sign in with.")
        old, token = self._token, self._sign_in()
        if old is not None and token.tenant_id != old.tenant_id:
            raise SignInError(
                f"The credentials belong to tenant {token.tenant_id}, but the access token that they should renew "
                f"to tenant {old.tenant_id}."
            )
        self._check_wanted(token)
        # Counted from now where possible: a wrong clock must not make each fresh token look expired.
        self._expires = float(token.expires_on) if token.lifetime is None else self._now() + token.lifetime
        self._token = token
        return token

    def _check_wanted(self, token: AccessToken) -> None:
        wanted = self._credentials.tenant_wanted
        if wanted:
            check_tenant(token, wanted if is_guid(wanted) else self._tenant_guid(wanted), called=wanted)
