# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP exchange: TLS, proxies, time-outs, retries, bounds (private to the collection).

The only file that knows requests. Nothing of the environment reaches it but what ``Settings`` took from there: no
.netrc, which would replace the token, and no REQUESTS_CA_BUNDLE, which would replace ``ca_path``.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .authorities import MAX_BUNDLE_BYTES, preload, preloaded_context
from .clouds import Cloud
from .errors import ConnectionFailed, MissingLibrary, OptionError
from .files import local_path, read_bytes

COLLECTION_VERSION = "0.1.0"
USER_AGENT = f"zerotrust.m365/{COLLECTION_VERSION}"

# Graph's largest pages (999 users with many properties) are a few MiB.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
# An answer may come in parts, each within ``read_timeout``; all of it has to be there in so many times that.
TIMES_READ_TIMEOUT = 10
clock = time.monotonic

# By OpenSSL's codes: not yet valid, expired, for other names.
CERTIFICATE_ADVICE = {
    9: "Check this machine's clock, and who answers there.",
    10: "It has to be renewed by the server, or by a proxy that inspects TLS; or this machine's clock is wrong.",
    62: "Check the URL, and whether a proxy answers instead.",
}
UNKNOWN_AUTHORITY = "For a private authority or a proxy that inspects TLS, give its certificate with ca_path."


class AnswerTooLarge(Exception):
    """More than MAX_ANSWER_BYTES, after decompression."""


class UnknownEncoding(Exception):
    """Compressed in a way that was not asked for, or damaged."""


class AnswerTooSlow(Exception):
    """Not whole within TIMES_READ_TIMEOUT times the time-out for a part of it."""


class BoundedReader(io.RawIOBase):
    """What a server sends as one answer: no more, and for no longer, than any answer that is meant to be read.

    http.client reads headers line by line and leaves out what comes before the answer (100 Continue), without an end.
    """

    def __init__(self, inner: io.RawIOBase, seconds: float | None) -> None:
        self._inner = inner
        self._left = MAX_ANSWER_BYTES + 1024 * 1024
        self._until = None if seconds is None else clock() + TIMES_READ_TIMEOUT * seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._until is not None and clock() > self._until:
            raise AnswerTooSlow
        count: int | None = self._inner.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise AnswerTooLarge
        return count

    def close(self) -> None:
        self._inner.close()
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    """An answer of a connection whose time-out is that for a part of it."""

    def __init__(self, sock: socket.socket, *arguments: Any, **keywords: Any) -> None:
        super().__init__(sock, *arguments, **keywords)
        self.fp.close()
        raw: Any = sock.makefile("rb", buffering=0)
        self.fp = io.BufferedReader(BoundedReader(raw, sock.gettimeout()))


@dataclass(frozen=True)
class Answer:
    """``headers`` may be asked in any case; ``retried`` counts the attempts before this one.

    ``doubtful``: one of them may have been done.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    retried: int = 0
    doubtful: bool = False


@dataclass(frozen=True)
class Settings:
    """How to reach the two hosts. ``verify`` is a path, or True for the CAs that come with Python's libraries."""

    connect_timeout: float
    read_timeout: float
    verify: str | bool = True
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)

    def proxy_passwords(self) -> set[str]:
        """As written in the URL, and as meant."""
        written = {urlsplit(url).password or "" for url in self.proxies.values()}
        return {password for one in written for password in (one, unquote(one)) if password}


def choose_settings(options: Mapping[str, Any], environment: Mapping[str, str], cloud: Cloud) -> Settings:
    """From options, else from the environment as requests reads it. Raises OptionError."""
    require()
    return Settings(
        connect_timeout=_positive("connect_timeout", options.get("connect_timeout"), 10.0),
        read_timeout=_positive("read_timeout", options.get("read_timeout"), 60.0),
        verify=_authorities(options, environment),
        proxies=_proxies(options.get("proxy"), environment, (cloud.login_url, cloud.graph_url)),
    )


def _positive(option: str, value: Any, default: float) -> float:
    seconds = default if value is None else float(value)
    if not 0 < seconds < 86400:
        raise OptionError(f"{option} must be more than 0 seconds and less than a day, but is {seconds:g}.")
    return seconds


def _authorities(options: Mapping[str, Any], environment: Mapping[str, str]) -> str | bool:
    named = _named_authorities(options, environment)
    if named is None:
        return True
    name, authorities = named
    if not os.path.isdir(authorities):  # noqa: PTH112 - Path raises for some names that cannot be
        _check_bundle(name, authorities)
    return str(authorities)


def _named_authorities(options: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[str, Path] | None:
    """What names them, and where they are."""
    for name, path in (
        ("ca_path", options.get("ca_path")),
        ("M365_CA_PATH", environment.get("M365_CA_PATH")),
        ("REQUESTS_CA_BUNDLE", environment.get("REQUESTS_CA_BUNDLE")),
        ("CURL_CA_BUNDLE", environment.get("CURL_CA_BUNDLE")),
    ):
        if path:
            return name, local_path(name, str(path))
    return None


def preload_authorities(environment: Mapping[str, str]) -> None:
    """Load those that this environment names, for the processes that will be forked from this one. Never raises."""
    if IMPORT_TRACEBACK:
        return
    try:
        named = _named_authorities({}, environment)
    except OptionError:  # whoever needs them will be told
        return
    preload(str(named[1]) if named else requests.utils.DEFAULT_CA_BUNDLE_PATH)


def _check_bundle(name: str, path: Path) -> None:
    if b"-----BEGIN " not in read_bytes(name, path, MAX_BUNDLE_BYTES):
        raise OptionError(f"{name}: '{path}' holds no certificate in PEM form.")


def _proxies(proxy: str | None, environment: Mapping[str, str], urls: tuple[str, ...]) -> dict[str, str]:
    """A proxy for each of the two hosts that needs one. The option beats HTTPS_PROXY; NO_PROXY holds for both.

    By host, not by scheme: the managed identity's endpoint is never to be asked through a proxy.
    """
    if proxy and not proxy.lower().startswith(("http://", "https://", "socks5://", "socks5h://")):
        raise OptionError("proxy must be a URL (like http://proxy.example.com:8080).")
    chosen = proxy or next(
        (
            environment[name]
            for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
            if environment.get(name)
        ),
        None,
    )
    if not chosen:
        return {}
    no_proxy = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [url for url in urls if not _bypassed(url, no_proxy)]
    return {f"https://{urlsplit(url).hostname}": chosen for url in hosts}


def require() -> None:
    """Raises MissingLibrary when requests cannot be imported."""
    if IMPORT_TRACEBACK:
        raise MissingLibrary("requests", IMPORT_TRACEBACK)


IMPORT_TRACEBACK: str | None = None
try:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.utils import should_bypass_proxies
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError, ProtocolError
    from urllib3.util.retry import Retry

    from .retry import BoundedRetry, Earlier, RetryPolicy, causes, is_local, never_sent
except ImportError:
    IMPORT_TRACEBACK = traceback.format_exc()
else:

    def _bypassed(url: str, no_proxy: str) -> bool:
        return bool(no_proxy) and should_bypass_proxies(url, no_proxy)

    class BoundedHTTPConnection(HTTPConnection):
        response_class = BoundedResponse

    class BoundedHTTPSConnection(HTTPSConnection):
        response_class = BoundedResponse

    class BoundedHTTPPool(HTTPConnectionPool):
        ConnectionCls = BoundedHTTPConnection

    class BoundedHTTPSPool(HTTPSConnectionPool):
        ConnectionCls = BoundedHTTPSConnection

    POOLS = {"http": BoundedHTTPPool, "https": BoundedHTTPSPool}

    class RetryingAdapter(HTTPAdapter):
        """requests knows one Retry for all requests; this adapter takes that of the request at hand."""

        def __init__(self, retry: BoundedRetry) -> None:
            self._usual = retry
            self._current = threading.local()
            super().__init__(pool_connections=4, pool_maxsize=8)

        def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
            super().init_poolmanager(*arguments, **keywords)
            self.poolmanager.pool_classes_by_scheme = POOLS

        def proxy_manager_for(self, proxy: str, **keywords: Any) -> Any:
            manager: Any = super().proxy_manager_for(proxy, **keywords)
            manager.pool_classes_by_scheme = POOLS
            return manager

        @property
        def max_retries(self) -> Retry:
            retry: Retry = getattr(self._current, "retry", None) or self._usual
            return retry

        @max_retries.setter
        def max_retries(self, value: Retry) -> None:
            """HTTPAdapter's constructor sets its own default, which is not wanted."""

        def send(
            self, request: requests.PreparedRequest, *arguments: Any, retry: BoundedRetry | None = None, **keywords: Any
        ) -> requests.Response:
            self._current.retry = retry
            try:
                return super().send(request, *arguments, **keywords)
            finally:
                self._current.retry = None

    class OneContextAdapter(RetryingAdapter):
        """Makes every TLS connection by one context, which has its authorities loaded. requests loads none then."""

        def __init__(self, retry: BoundedRetry, context: ssl.SSLContext) -> None:
            self._context = context
            super().__init__(retry)

        def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
            super().init_poolmanager(*arguments, **{**keywords, "ssl_context": self._context})

        def proxy_manager_for(self, proxy: str, **keywords: Any) -> Any:
            return super().proxy_manager_for(proxy, **{**keywords, "ssl_context": self._context})

        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
            """``conn`` is the pool of connections to come; authorities that it names are loaded into their context."""
            if getattr(conn, "conn_kw", {}).get("ssl_context") is self._context:
                conn.cert_reqs = "CERT_REQUIRED"
                conn.ca_certs = conn.ca_cert_dir = None
            else:  # without a context, naming none would mean those of the system
                usual: Any = super()
                usual.cert_verify(conn, url, verify, cert)

    class HttpSession(requests.Session):
        """Keeps connections alive, follows no redirect, keeps no cookie. msal uses it as its ``http_client`` too."""

        def __init__(self, settings: Settings, policy: RetryPolicy) -> None:
            super().__init__()
            self.settings = settings
            self.policy = policy
            self.trust_env = False
            self.verify = settings.verify
            self.proxies = dict(settings.proxies)
            self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            self.headers["User-Agent"] = USER_AGENT
            self.headers["Accept-Encoding"] = "gzip"  # all that read_whole knows
            retry, context = BoundedRetry(policy=policy), _preloaded(settings)
            adapter = OneContextAdapter(retry, context) if context else RetryingAdapter(retry)
            self.mount("https://", adapter)
            self.mount("http://", adapter)  # managed identity endpoints; every other URL is checked to be https

        def send(self, request: requests.PreparedRequest, **keywords: Any) -> requests.Response:
            if keywords.get("timeout") is None:
                keywords["timeout"] = (self.settings.connect_timeout, self.settings.read_timeout)
            keywords["allow_redirects"] = False
            return super().send(request, **keywords)

        def exchange(
            self,
            method: str,
            url: str,
            *,
            headers: Mapping[str, str],
            content: bytes | None = None,
            repeatable: bool = True,
            again: Callable[[int], None] | None = None,
        ) -> Answer:
            """Send, and read the whole answer. Raises ConnectionFailed, AnswerTooLarge, and what ``again`` raises.

            What is too slow, too large or in an unknown encoding would be so again: it is not asked for once more.
            """
            request = self.prepare_request(requests.Request(method, url, headers=dict(headers), data=content))
            earlier = Earlier()
            retry = BoundedRetry(policy=self.policy, repeatable=repeatable, again=again, earlier=earlier)
            while True:
                try:
                    with self.send(request, stream=True, retry=retry) as response:
                        retry = getattr(response.raw, "retries", None) or retry
                        try:
                            whole = read_whole(response)
                            return Answer(
                                response.status_code, response.headers, whole, len(retry.history), earlier.doubtful
                            )
                        except (OSError, HTTPError) as error:  # broken off in the middle: urllib3 is done already
                            broken = ProtocolError(str(error))
                    retry = retry.increment(method, url, error=broken)
                    retry.sleep()
                except AnswerTooSlow:
                    limit = TIMES_READ_TIMEOUT * self.settings.read_timeout
                    raise ConnectionFailed(
                        f"{urlsplit(url).netloc} did not complete its answer within {limit:g} seconds, which is "
                        f"{TIMES_READ_TIMEOUT} times read_timeout."
                    ) from None
                except (OSError, ValueError, MaxRetryError) as error:
                    failed = connection_failed(error, url, self.settings)
                    failed.certain = failed.certain and not earlier.doubtful
                    raise failed from None

    def _preloaded(settings: Settings) -> ssl.SSLContext | None:
        """None where requests is to load the authorities itself, as for the certificate of a proxy."""
        if any(proxy.lower().startswith("https:") for proxy in settings.proxies.values()):
            return None
        return preloaded_context(
            requests.utils.DEFAULT_CA_BUNDLE_PATH if settings.verify is True else str(settings.verify)
        )

    def read_whole(response: requests.Response) -> bytes:
        content = bytearray()
        for chunk in _decoded(response.raw, response.headers.get("Content-Encoding", "")):
            content += chunk
            if len(content) > MAX_ANSWER_BYTES:
                raise AnswerTooLarge
        if getattr(response.raw, "length_remaining", 0):  # urllib3 1.26 lets it pass
            raise ProtocolError("the answer is shorter than announced")
        return bytes(content)

    def _decoded(raw: Any, encoding: str) -> Iterator[bytes]:
        """An answer in parts. Older versions of urllib3 decompress without a bound for the size of a part."""
        if encoding.strip().lower() not in ("", "identity", "gzip", "x-gzip"):
            raise UnknownEncoding
        parts: Iterator[bytes] = raw.stream(CHUNK_BYTES, decode_content=False)
        if encoding.strip().lower() in ("", "identity"):
            yield from parts
            return
        gzip = zlib.decompressobj(16 + zlib.MAX_WBITS)
        for part in parts:
            while part and not gzip.eof:
                try:
                    yield gzip.decompress(part, CHUNK_BYTES)
                except zlib.error:
                    raise UnknownEncoding from None
                part = gzip.unconsumed_tail
        if not gzip.eof:
            raise ProtocolError("the compressed answer is not whole")

    def connection_failed(error: Exception, url: str, settings: Settings) -> ConnectionFailed:
        """The error in words, with what to check. Never quotes the proxy's URL, which may hold a password."""
        host = urlsplit(url).netloc
        found = causes(error)

        def has(*kinds: type[BaseException]) -> BaseException | None:
            return next((one for one in found if isinstance(one, kinds)), None)

        certain = any(never_sent(one) for one in found)
        untrusted = has(ssl.SSLCertVerificationError)
        if isinstance(untrusted, ssl.SSLCertVerificationError):
            return ConnectionFailed(
                f"The certificate of {host} is not trusted: {untrusted.verify_message or 'verification failed'}. "
                f"{CERTIFICATE_ADVICE.get(untrusted.verify_code, UNKNOWN_AUTHORITY)}",
                certain=True,
            )
        if any(is_local(one) for one in found):
            return ConnectionFailed(
                f"The certificates of the authorities to trust cannot be read: '{settings.verify}' is damaged.",
                certain=True,
            )
        if has(requests.exceptions.ProxyError):
            return ConnectionFailed(
                f"Could not reach {host} through the proxy. Check proxy, or HTTPS_PROXY and NO_PROXY.", certain=certain
            )
        if has(requests.exceptions.SSLError):
            return ConnectionFailed(f"No TLS connection to {host}: {_innermost(found)}. Check the URL and the proxy.")
        if has(requests.exceptions.ConnectTimeout):
            return ConnectionFailed(
                f"{host} accepted no connection within {settings.connect_timeout:g} seconds. "
                "Check the network, the firewall and the proxy; connect_timeout is the limit.",
                certain=certain,
            )
        if has(socket.gaierror):
            return ConnectionFailed(
                f"The name of {host} cannot be resolved. Check the URL, DNS and the proxy.", certain=certain
            )
        if has(NewConnectionError):
            return ConnectionFailed(
                f"{host} cannot be reached: {_innermost(found)}. Check the URL, the firewall and the proxy.",
                certain=certain,
            )
        if has(requests.exceptions.ReadTimeout) or "timed out" in str(error):
            return ConnectionFailed(
                f"{host} did not answer within {settings.read_timeout:g} seconds. read_timeout is the limit."
            )
        return ConnectionFailed(f"The connection to {host} broke off: {_innermost(found)}.")

    def _innermost(found: list[BaseException]) -> str:
        last = found[-1]
        return str(getattr(last, "strerror", None) or type(last).__name__)
