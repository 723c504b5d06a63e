# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Graph client: requests, pages, batches (private to the collection)."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .answers import Asked, header, read_json
from .batch import MAX_READ_BYTES, Batches, BatchRequest, BatchResponse, Read, ReadResult
from .calls import Call, CallLog, Reply
from .clouds import Cloud
from .errors import (
    ConnectionFailed,
    GraphError,
    M365Error,
    MissingPermissions,
    WriteInCheckMode,
)
from .permissions import Need, missing_names
from .query import below, check_version, relative_url
from .retry import RetryPolicy, timestamp
from .session import Answer, AnswerTooLarge, UnknownEncoding
from .sign_in import SignInService
from .token_source import TokenSource
from .tokens import AccessToken

if TYPE_CHECKING:
    from .session import HttpSession


# A million objects at Graph's usual 100 a page. A server can make up links without an end.
MAX_PAGES = 10_000

Object = dict[str, Any]
Objects = list[Object]
BatchResponses = list[BatchResponse]
ReadResults = list[ReadResult]


class GraphClient:
    """Speaks to one tenant through one cloud. Signs in at the first request that needs a token. Safe for threads.

    Every method raises OptionError for a path that cannot be, SignInError, ConnectionFailed, and GraphError or one
    of its subclasses. In check mode a write raises WriteInCheckMode before anything is sent.
    """

    def __init__(
        self,
        *,
        cloud: Cloud,
        session: HttpSession,
        tokens: TokenSource,
        service: SignInService,
        check_mode: bool,
        before_write: Callable[[], None],
    ) -> None:
        self.cloud = cloud
        self.check_mode = check_mode
        self.calls = CallLog()
        self._session = session
        self._tokens = tokens
        self._service = service
        self._before_write = before_write
        self._lock = threading.Lock()
        self._clock_off = 0.0

    @property
    def policy(self) -> RetryPolicy:
        return self._session.policy

    def token(self) -> AccessToken:
        """The token in use; signs in when there is none yet, renews it shortly before it expires."""
        return self._tokens.token()

    def openid_configuration(self, tenant_id: str) -> Object:
        """The public metadata of a tenant, by GUID or domain name. Needs no token, and is asked once per client."""
        return self._service.openid_configuration(tenant_id)

    def require_permissions(self, needs: Iterable[Need]) -> None:
        """Raises MissingPermissions that names everything the token lacks for ``needs``."""
        wanted = list(needs)
        if wanted:
            missing = missing_names(wanted, self.token().roles)
            if missing:
                raise MissingPermissions(missing)

    def now(self) -> float:
        """Seconds since the epoch by Graph's clock, as its last answer told it; before that, by this machine's."""
        return time.time() + self._clock_off

    def close(self) -> None:
        """Ends all waits and closes the connections."""
        self.policy.stopped.set()
        self._session.close()

    # Reading

    def get(
        self,
        path: str,
        *,
        version: str = "v1.0",
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        action: str = "",
    ) -> Object:
        """One object, or one page of a collection."""
        call = self.call("GET", path, version=version, parameters=parameters, headers=headers, action=action)
        reply = self.send(call)
        if not isinstance(reply.body, dict):
            raise self.asked(call).unreadable(reply.status, "it is no JSON object", reply.headers)
        return reply.body

    def list(
        self,
        path: str,
        *,
        version: str = "v1.0",
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        action: str = "",
        max_items: int | None = None,
    ) -> Objects:
        """All items of a collection, or at most ``max_items``. A page that fails makes the whole read fail."""
        items: Objects = []
        for page in self.pages(path, version=version, parameters=parameters, headers=headers, action=action):
            items += page
            if max_items is not None and len(items) >= max_items:
                return items[:max_items]
        return items

    def pages(
        self,
        path: str,
        *,
        version: str = "v1.0",
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        action: str = "",
    ) -> Iterator[Objects]:
        """The pages of a collection, each asked for when the one before has been used."""
        call = self.call("GET", path, version=version, parameters=parameters, headers=headers, action=action)
        return self._pages_from(call, None)

    def read(
        self,
        path: str,
        *,
        version: str = "v1.0",
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        action: str = "",
        all_pages: bool = True,
        max_items: int | None = None,
    ) -> dict[str, Any] | Objects:
        """Whatever is there: an object, or the items of a collection, which is told by its list ``value``."""
        call = self.call("GET", path, version=version, parameters=parameters, headers=headers, action=action)
        first = self.send(call)
        if not isinstance(first.body, dict):
            raise self.asked(call).unreadable(first.status, "it is no JSON object", first.headers)
        if not isinstance(first.body.get("value"), list):
            return first.body
        items: Objects = []
        for page in self._pages_from(call, first):
            items += page
            if not all_pages or (max_items is not None and len(items) >= max_items):
                break
        return items[:max_items]

    def _pages_from(self, call: Call, reply: Reply | None) -> Iterator[Objects]:
        """The pages from ``call`` on; ``reply`` is its answer where that has come already."""
        size, seen = 0, {call.url}
        while True:
            reply = reply or self.send(call)
            size += reply.size
            if size > MAX_READ_BYTES:
                raise self.asked(call).unreadable(
                    reply.status, "the collection is too large for memory; narrow it with $filter or $select"
                )
            page, following = self.page_of(call, reply.status, reply.body, seen)
            yield page
            if following is None:
                return
            call, reply = following, None

    # Writing

    def post(
        self,
        path: str,
        body: Any,
        *,
        version: str = "v1.0",
        headers: Mapping[str, str] | None = None,
        action: str = "",
        creates: bool = True,
    ) -> Object | None:
        """``creates``: sending it twice would make two. Such a request is repeated only if it surely did nothing."""
        return self._write("POST", path, body, version, headers, action, repeatable=not creates)

    def patch(
        self,
        path: str,
        body: Any,
        *,
        version: str = "v1.0",
        headers: Mapping[str, str] | None = None,
        action: str = "",
    ) -> Object | None:
        return self._write("PATCH", path, body, version, headers, action)

    def put(
        self,
        path: str,
        body: Any,
        *,
        version: str = "v1.0",
        headers: Mapping[str, str] | None = None,
        action: str = "",
    ) -> Object | None:
        return self._write("PUT", path, body, version, headers, action)

    def delete(
        self, path: str, *, version: str = "v1.0", headers: Mapping[str, str] | None = None, action: str = ""
    ) -> None:
        self._write("DELETE", path, None, version, headers, action)

    def _write(
        self,
        method: str,
        path: str,
        body: Any,
        version: str,
        headers: Mapping[str, str] | None,
        action: str,
        repeatable: bool = True,
    ) -> Object | None:
        call = self.call(
            method, path, version=version, headers=headers, action=action, body=body, repeatable=repeatable
        )
        reply = self.send(call)
        if reply.body is not None and not isinstance(reply.body, dict):
            raise self.asked(call).unreadable(reply.status, "it is no JSON object", reply.headers)
        return reply.body

    # Many at once

    def batch(
        self, requests: Sequence[BatchRequest], *, version: str = "v1.0", action: str = "", patient: bool = False
    ) -> BatchResponses:
        """Each request's own answer, in the order asked; 20 travel in one POST.

        Items that are throttled or fail for the moment are sent again by their own Retry-After; with ``patient``, those
        that are throttled for longer than the user's bounds for a single request. An item's failure is
        its ``error``. A failure of the whole is raised only while no item has an answer; later, the items without one
        carry it as their ``error``, with status 0.
        """
        return Batches(self, version, action, patient=patient).run(requests)

    def read_many(self, reads: Sequence[Read]) -> ReadResults:
        """Many reads in few requests, in the order asked: each is its object, its whole collection, or its error."""
        if len(reads) == 1:
            return [self._read_one(reads[0])]
        results: dict[int, ReadResult] = {}
        for version in dict.fromkeys(read.version for read in reads):
            places = [place for place, read in enumerate(reads) if read.version == version]
            found = Batches(self, version, "").read([reads[place] for place in places])
            results.update(zip(places, found, strict=True))
        return [results[place] for place in range(len(reads))]

    def _read_one(self, read: Read) -> ReadResult:
        ask = self.list if read.collection else self.get
        try:
            return ask(
                read.path, version=read.version, parameters=read.parameters, headers=read.headers, action=read.action
            )
        except GraphError as error:
            return error

    # The one way out

    def call(
        self,
        method: str,
        path: str,
        *,
        version: str,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        action: str = "",
        body: Any = None,
        repeatable: bool = True,
    ) -> Call:
        """A checked request. Raises OptionError."""
        check_version(version)
        return Call(
            method=method,
            version=version,
            url=relative_url(path, parameters),
            path=path.partition("?")[0],
            action=action,
            headers=dict(headers or {}),
            body=body,
            writes=method != "GET",
            repeatable=repeatable,
        )

    def send(self, call: Call) -> Reply:
        """Send a request, once more with a renewed token after a 401. Raises GraphError for 300 and above.

        What is raised says with ``maybe_done`` whether an earlier attempt of a write may have been done.
        """
        token = self._allowed(call)
        reply = self._attempt(call, token)
        doubtful = reply.doubtful
        if reply.status == 401:
            try:
                other = self._tokens.renewed(token)
                if other is not None:
                    token = self._allowed(call)
                    reply = self._attempt(call, token)
            except M365Error as error:
                if call.writes and doubtful:
                    error.doubt()
                raise
        doubtful = doubtful or reply.doubtful
        if reply.status >= 300:
            if call.method == "DELETE" and reply.status == 404 and reply.retried:
                return reply  # an earlier attempt has deleted it, though its answer was lost
            asked = self.asked(call, roles=token.roles, client_request_id=reply.headers.get("client-request-id", ""))
            refusal = asked.error(reply.status, reply.body, reply.headers)
            if call.writes and doubtful:
                refusal.doubt()
            raise refusal
        if reply.status < 200:
            raise self.asked(call).unreadable(reply.status, "it is not the final one", reply.headers)
        return reply

    def refuse_in_check_mode(self, calls: Iterable[Call]) -> None:
        """Raises WriteInCheckMode if one of them writes."""
        writes = [call for call in calls if call.writes] if self.check_mode else []
        if writes:
            raise WriteInCheckMode(
                f"{writes[0].method} {writes[0].path} was about to be sent in check mode. Nothing was sent. "
                "This is a bug of zerotrust.m365: please report it."
            )

    def _allowed(self, call: Call) -> AccessToken:
        self.refuse_in_check_mode([call])
        token = self.token()
        if call.writes:
            self._before_write()
        return token

    def _attempt(self, call: Call, token: AccessToken) -> Reply:
        client_request_id = str(uuid.uuid4())
        headers = {
            **call.headers,
            "Authorization": f"Bearer {token.secret}",
            "client-request-id": client_request_id,
        }
        content = None
        if call.body is not None:
            content = json.dumps(call.body).encode()
            headers.setdefault("Content-Type", "application/json")
        where = f"/{call.version}{call.path}"

        def again(status: int) -> None:
            self.calls.record(call.method, where, status)
            if call.writes:
                self._before_write()

        try:
            answer = self._session.exchange(
                call.method,
                f"{self.cloud.graph_url}/{call.version}{call.url}",
                headers=headers,
                content=content,
                repeatable=call.repeatable,
                again=again,
            )
        except AnswerTooLarge:
            self.calls.record(call.method, where, 200)
            raise self.asked(call).unreadable(200, "it is larger than this client accepts") from None
        except UnknownEncoding:
            self.calls.record(call.method, where, 200)
            raise self.asked(call).unreadable(200, "it is compressed in a way that was not asked for") from None
        except ConnectionFailed as error:
            self.calls.record(call.method, where, 0)
            what = call.action or f"complete {call.method} {call.path}"
            doubt = "" if not call.writes or error.certain else " It is not known whether the change was made."
            raise ConnectionFailed(f"Could not {what}: {error.message}{doubt}", certain=error.certain) from None
        self.calls.record(call.method, where, answer.status)
        told = timestamp(header(answer.headers, "Date"))
        if told is not None:
            self._clock_off = told - time.time()
        return self._reply(call, answer, client_request_id)

    def _reply(self, call: Call, answer: Answer, client_request_id: str) -> Reply:
        body = None
        if answer.content.strip():
            try:
                body = read_json(answer.content)
            except ValueError:
                if answer.status < 300:
                    asked = self.asked(call, client_request_id=client_request_id)
                    raise asked.unreadable(answer.status, "it is not JSON", answer.headers) from None
        headers = {**answer.headers, "client-request-id": client_request_id}
        return Reply(answer.status, headers, body, len(answer.content), answer.retried, answer.doubtful)

    def asked(self, call: Call, *, roles: frozenset[str] = frozenset(), client_request_id: str = "") -> Asked:
        return Asked(call.method, call.version, call.path, call.action, client_request_id, roles)

    def page_of(self, call: Call, status: int, body: Any, seen: set[str]) -> tuple[Objects, Call | None]:
        """The items of a page, and the request for the next one. ``seen`` collects the pages asked for so far."""
        items = body.get("value") if isinstance(body, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self.asked(call).unreadable(status, "it is no page of a collection ('value' is no list of objects)")
        link = body.get("@odata.nextLink")
        if link is None:
            return items, None
        url = below(link, f"{self.cloud.graph_url}/{call.version}") if isinstance(link, str) else None
        if url is None:
            raise self.asked(call).unreadable(status, "its @odata.nextLink leads to another host or version")
        if url in seen:
            raise self.asked(call).unreadable(status, "its @odata.nextLink leads back to a page that was read already")
        if len(seen) >= MAX_PAGES:
            raise self.asked(call).unreadable(status, f"the collection has more than {MAX_PAGES} pages")
        seen.add(url)
        return items, Call("GET", call.version, url, call.path, call.action, headers=call.headers)
