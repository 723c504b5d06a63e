# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When and how long to wait before a request is sent again (private to the collection).

Source: Microsoft Graph documentation, "Microsoft Graph throttling guidance": honour Retry-After, which may be decimal
and may be missing; else back off exponentially. urllib3's own Retry raises on a decimal Retry-After and honours hours.
"""

from __future__ import annotations

import random
import re
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from .errors import ConnectionFailed, M365Error

RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})
FIRST_WAIT = 1.0
LONGEST_BACKOFF = 30.0
# Thirty years: what is longer is as long.
LONGEST_ASKED = 1e9
# A wrong host name or a closed port seldom heals; waiting a minute for it helps nobody.
UNREACHABLE_RETRIES = 2


def seconds_of(retry_after: str | None, date: str | None = None, now: Callable[[], float] = time.time) -> float | None:
    """The seconds that a Retry-After header asks for; None where it says nothing that can be understood.

    Decimal seconds or an HTTP date. A date is measured against the answer's own Date header where there is one, so
    that a wrong clock on this machine does no harm.
    """
    if not retry_after:
        return None
    if re.fullmatch(r"\s*[0-9]+(?:\.[0-9]*)?\s*", retry_after, re.ASCII):
        return min(float(retry_after), LONGEST_ASKED)
    until = timestamp(retry_after)
    if until is None:
        return None
    sent = timestamp(date)
    return max(0.0, until - (now() if sent is None else sent))


def timestamp(date: str | None) -> float | None:
    """Seconds since the epoch of an HTTP date; None where it is none."""
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


@dataclass(frozen=True)
class RetryPolicy:
    """Bounds and behaviour shared by all requests of a client.

    ``max_wait`` bounds the seconds waited in total for one request. ``stopped`` ends every wait at once.
    """

    max_retries: int
    max_wait: float
    warn: Callable[[str], None]
    stopped: threading.Event = field(default_factory=threading.Event)
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic

    def wait(self, asked: float | None, earlier: int, waited: float) -> float | None:
        """Seconds to wait before another attempt, after ``earlier`` ones and ``waited`` seconds; None for no more.

        ``asked`` is what Retry-After said. Jitter keeps a thousand tenants from coming back at the same moment.
        """
        if earlier >= self.max_retries or self.stopped.is_set():
            return None
        left = self.max_wait - waited
        if asked:
            seconds = min(asked + self.jitter() * min(1.0, asked / 10), max(asked, left))
        else:
            seconds = min(LONGEST_BACKOFF, FIRST_WAIT * 2**earlier) * (0.5 + self.jitter() / 2)
        return seconds if seconds <= left else None

    def pause(self, seconds: float) -> None:
        """Wait, unless the client is closed meanwhile."""
        self.stopped.wait(seconds)


@dataclass
class Earlier:
    """The attempts of one request that were followed by others. ``doubtful``: one of them may have been done."""

    doubtful: bool = False


IMPORT_TRACEBACK: str | None = None
try:
    from urllib3.exceptions import (
        ConnectTimeoutError,
        HTTPError,
        MaxRetryError,
        NewConnectionError,
        ProxyError,
        SSLError,
    )
    from urllib3.util.retry import Retry
except ImportError:
    IMPORT_TRACEBACK = traceback.format_exc()
else:

    class BoundedRetry(Retry):
        """urllib3's Retry with the waits of a RetryPolicy. One object per attempt; ``waited`` travels along.

        ``repeatable`` says whether the request may be sent again though the server may have acted on it. A request
        that was refused (429, or 503 with Retry-After) or never left may always be sent again. ``again`` is called
        before each further attempt with the status that caused it, 0 for none; what it raises ends the request.
        ``earlier`` travels along, too: what becomes of the last attempt says nothing of those before it.
        """

        def __init__(
            self,
            *arguments: Any,
            policy: RetryPolicy,
            repeatable: bool = True,
            again: Callable[[int], None] | None = None,
            earlier: Earlier | None = None,
            waited: float = 0.0,
            pause: float = 0.0,
            **keywords: Any,
        ) -> None:
            keywords.setdefault("total", None)  # the policy counts
            keywords.setdefault("allowed_methods", None)
            keywords.setdefault("redirect", False)
            keywords.setdefault("raise_on_status", False)
            keywords.setdefault("raise_on_redirect", False)
            super().__init__(*arguments, **keywords)
            self.policy = policy
            self.repeatable = repeatable
            self.again = again
            self.earlier = earlier or Earlier()
            self.waited = waited
            self.pause = pause

        def new(self, **keywords: Any) -> BoundedRetry:
            for name in ("policy", "repeatable", "again", "earlier", "waited", "pause"):
                keywords.setdefault(name, getattr(self, name))
            return super().new(**keywords)

        def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
            return status_code in RETRY_STATUSES

        def increment(
            self,
            method: str | None = None,
            url: str | None = None,
            response: Any = None,
            error: Exception | None = None,
            _pool: Any = None,
            _stacktrace: TracebackType | None = None,
        ) -> BoundedRetry:
            seconds = self._seconds(response, error)
            if seconds is None:
                raise MaxRetryError(_pool, url or "", error)
            if may_be_done(getattr(response, "status", 0)) if error is None else not never_sent(error):
                self.earlier.doubtful = True
            following = super().increment(method, url, response, error, _pool, _stacktrace)
            following.waited = self.waited + seconds
            following.pause = seconds
            return following

        def sleep(self, response: Any = None) -> None:
            last = self.history[-1]
            reason = f"answer {last.status} {_phrase(last.status)}" if last.status else "no answer"
            self.policy.warn(
                f"{last.method} {urlsplit(last.url or '').path}: {reason}; trying again in {self.pause:.1f} seconds "
                f"({len(self.history)} of at most {self.policy.max_retries} retries)."
            )
            self.policy.pause(self.pause)
            if self.policy.stopped.is_set():
                raise ConnectionFailed("Interrupted while waiting to try again.")
            if self.again:
                try:
                    self.again(last.status or 0)
                except M365Error as error:
                    if self.earlier.doubtful:
                        error.doubt()
                    raise

        def _seconds(self, response: Any, error: Exception | None) -> float | None:
            headers: Mapping[str, str] = getattr(response, "headers", None) or {}
            asked = seconds_of(headers.get("Retry-After"), headers.get("Date"))
            if error is not None:
                if not may_heal(error, len(self.history)) or not (self.repeatable or never_sent(error)):
                    return None
            elif not self.repeatable and not refused(getattr(response, "status", 0), asked):
                return None
            return self.policy.wait(asked, len(self.history), self.waited)

    def never_sent(error: BaseException) -> bool:
        """Whether the request surely did not reach the server."""
        inner = getattr(error, "original_error", error) if isinstance(error, ProxyError) else error
        return isinstance(inner, (ConnectTimeoutError, NewConnectionError))

    def may_heal(error: BaseException, earlier: int) -> bool:
        if isinstance(error, SSLError):
            return not any(isinstance(one, ssl.SSLCertVerificationError) or is_local(one) for one in causes(error))
        if isinstance(error, (ConnectTimeoutError, NewConnectionError, ProxyError)):
            return earlier < UNREACHABLE_RETRIES
        return isinstance(error, (HTTPError, OSError))

    def is_local(error: BaseException) -> bool:
        """Whether it is about certificates on this machine: OpenSSL reports what comes over the network from SSL."""
        return isinstance(error, ssl.SSLError) and getattr(error, "library", None) in ("ASN1", "PEM", "X509")

    def causes(error: BaseException) -> list[BaseException]:
        """An error and all that it wraps, outermost first."""
        found: list[BaseException] = []
        queue: list[Any] = [error]
        while queue:
            item = queue.pop(0)
            if isinstance(item, BaseException) and all(item is not one for one in found):
                found.append(item)
                queue += [getattr(item, "reason", None), *item.args, item.__cause__, item.__context__]
        return found


def refused(status: int, asked: float | None) -> bool:
    """Whether the server says that it did not act: throttled, or told to come back later."""
    return status == 429 or (status == 503 and asked is not None)


def may_be_done(status: int) -> bool:
    """Whether a write may have been done though it was answered by an error of this status."""
    return status >= 500


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown"
