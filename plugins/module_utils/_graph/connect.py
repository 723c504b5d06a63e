# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a task's options to a client (private to the collection)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from . import session as http
from .client import GraphClient
from .clouds import choose_cloud
from .credentials import choose_credentials
from .errors import OptionError, SignInError
from .retry import RetryPolicy
from .sign_in import SignInService, sign_in
from .token_source import TokenSource


def connect(
    options: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    check_mode: bool,
    warn: Callable[[str], None],
    secret: Callable[[str], None],
    before_write: Callable[[], None],
) -> GraphClient:
    """A client that signs in at its first need of a token. Nothing is sent here.

    ``options`` are those of GRAPH_OPTIONS, checked for type by Ansible; any may be missing or None.
    ``secret`` is told every secret met, ``warn`` every retry, ``before_write`` is asked before each write attempt.
    Raises OptionError, MissingLibrary.
    """
    http.require()
    cloud = choose_cloud(options.get("cloud"), options.get("graph_url"), options.get("login_url"), environment)
    credentials = choose_credentials(options, environment, cloud, secret)
    policy = RetryPolicy(
        max_retries=_count(options.get("max_retries"), 6),
        max_wait=_seconds(options.get("max_retry_wait"), 120.0),
        warn=_one_at_a_time(warn),
    )
    settings = http.choose_settings(options, environment, cloud)
    for password in settings.proxy_passwords():
        secret(password)
    session = http.HttpSession(settings, policy)
    service = SignInService(cloud, session)

    credential = credentials.credential

    def tenant_guid(name: str) -> str:
        return guid_of_issuer(service.openid_configuration(name), name)

    return GraphClient(
        cloud=cloud,
        session=session,
        tokens=TokenSource(
            credentials,
            (lambda: sign_in(credential, credentials.tenant_id, service, secret)) if credential else None,
            tenant_guid,
        ),
        service=service,
        check_mode=check_mode,
        before_write=before_write,
    )


def guid_of_issuer(configuration: Mapping[str, Any], tenant: str) -> str:
    """The tenant's GUID, which is the first part of the path of its issuer."""
    issuer = configuration.get("issuer")
    parts = issuer.split("/") if isinstance(issuer, str) else []
    if len(parts) < 4 or not parts[3]:
        raise SignInError(f"The sign-in service does not tell the id of tenant {tenant}.")
    return parts[3].lower()


def _count(value: Any, default: int) -> int:
    count = default if value is None else int(value)
    if not 0 <= count <= 100:
        raise OptionError(f"max_retries must be between 0 and 100, but is {count}.")
    return count


def _seconds(value: Any, default: float) -> float:
    seconds = default if value is None else float(value)
    if not 0 <= seconds <= 86400:
        raise OptionError(f"max_retry_wait must be between 0 and 86400 seconds, but is {seconds:g}.")
    return seconds


def _one_at_a_time(warn: Callable[[str], None]) -> Callable[[str], None]:
    lock = threading.Lock()

    def locked(message: str) -> None:
        with lock:
            warn(message)

    return locked
