# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many requests in one: Graph's $batch (private to the collection).

Source: Microsoft Graph documentation, "Combine multiple HTTP requests using JSON batching": at most 20 items, answers
in any order, and each item throttled by itself with its own Retry-After.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from .answers import Asked, header
from .calls import Call
from .errors import ConnectionFailed, GraphError, M365Error, NoAnswer, Unavailable, UnreadableAnswer
from .retry import RETRY_STATUSES, may_be_done, refused, seconds_of

if TYPE_CHECKING:
    from .client import GraphClient

ITEMS_PER_BATCH = 20
# A patient batch waits out throttling for so long, and so often: what is throttled was not done, and others wait too.
PATIENT_WAIT, PATIENT_RETRIES = 300.0, 100
# Codes of requests without an answer of their own.
NOT_SENT, NO_ANSWER = "NotSent", "NoAnswer"
THREADS = 4
# Memory: reads that are larger than this, all pages together, are refused.
MAX_READ_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class BatchRequest:
    """``path`` is relative to the version, like /users/{id}. A POST that does not create may go twice."""

    method: str
    path: str
    body: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    creates: bool = True


@dataclass(frozen=True)
class BatchResponse:
    """``error`` is None when the item succeeded. ``status`` is 0 for an item that got no answer."""

    status: int
    body: Any = field(repr=False)
    headers: Mapping[str, str]
    error: GraphError | None


@dataclass(frozen=True)
class Read:
    """One thing to read: an object, or with ``collection`` all pages of a collection."""

    path: str
    version: str = "v1.0"
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    collection: bool = False
    action: str = ""


ReadResult: TypeAlias = "dict[str, Any] | list[dict[str, Any]] | GraphError"


@dataclass
class Item:
    """A request on its way: how often it was refused, how long it has waited, when it may go again, what came back.

    ``doubtful``: one of its attempts may have been done, whatever became of later ones.
    """

    call: Call
    refusals: int = 0
    doubtful: bool = False
    waited: float = 0.0
    ready_at: float = 0.0
    response: BatchResponse | None = None


class Batches:
    """Sends items in batches of one API version until each has its answer.

    ``patient``: items that are throttled are tried again for longer than single requests are.
    """

    def __init__(self, client: GraphClient, version: str, action: str, *, patient: bool = False) -> None:
        self._client = client
        self._policy = self._policy_when_throttled = client.policy
        if patient and client.policy.max_retries:
            self._policy_when_throttled = replace(
                client.policy,
                max_retries=max(PATIENT_RETRIES, client.policy.max_retries),
                max_wait=max(PATIENT_WAIT, client.policy.max_wait),
            )
        self._version = version
        self._action = action
        self._size = 0

    def run(self, requests: Sequence[BatchRequest]) -> list[BatchResponse]:
        calls = [
            self._client.call(
                request.method.upper(),
                request.path,
                version=self._version,
                parameters=request.parameters,
                headers=request.headers,
                action=self._action,
                body=request.body,
                repeatable=request.method.upper() != "POST" or not request.creates,
            )
            for request in requests
        ]
        return self._answers(calls)

    def read(self, reads: Sequence[Read]) -> list[ReadResult]:
        calls = [
            self._client.call(
                "GET",
                read.path,
                version=self._version,
                parameters=read.parameters,
                headers=read.headers,
                action=read.action,
            )
            for read in reads
        ]
        results: list[ReadResult] = [[] if read.collection else {} for read in reads]
        seen = [{call.url} for call in calls]
        pending = dict(enumerate(calls))
        while pending:
            following: dict[int, Call] = {}
            for (place, call), response in zip(pending.items(), self._answers(list(pending.values())), strict=True):
                try:
                    next_call = self._take(call, response, reads[place].collection, seen[place], results, place)
                except GraphError as error:
                    results[place] = error
                else:
                    if next_call is not None:
                        following[place] = next_call
            pending = following
        return results

    def _take(
        self,
        call: Call,
        response: BatchResponse,
        collection: bool,
        seen: set[str],
        results: list[ReadResult],
        place: int,
    ) -> Call | None:
        """Put an answer into its result. Returns the request for the next page. Raises GraphError."""
        if response.error:
            raise response.error
        if not collection:
            if not isinstance(response.body, dict):
                raise self._asked(call).unreadable(response.status, "it is no JSON object")
            results[place] = response.body
            return None
        page, following = self._client.page_of(call, response.status, response.body, seen)
        so_far = results[place]
        results[place] = [*so_far, *page] if isinstance(so_far, list) else page
        return following

    def _answers(self, calls: Sequence[Call]) -> list[BatchResponse]:
        self._client.refuse_in_check_mode(calls)
        items = [Item(call) for call in calls]
        failure: M365Error | None = None
        while failure is None:
            waiting = [item for item in items if item.response is None]
            if not waiting:
                break
            moment = min(item.ready_at for item in waiting)
            delay = moment - self._policy.clock()
            if delay > 0:
                self._policy.pause(delay)
            ready = [item for item in waiting if item.ready_at <= moment]
            failure = self._send_all(
                [ready[start : start + ITEMS_PER_BATCH] for start in range(0, len(ready), ITEMS_PER_BATCH)]
            )
            if failure is None:
                self._tell([item for item in ready if item.response is None])
        if failure is not None and all(item.response is None for item in items):
            if any(item.doubtful and item.call.writes for item in items) and not is_doubtful(failure):
                failure.doubt()
            raise failure
        return [item.response or self._unanswered(item, failure) for item in items]

    def _send_all(self, chunks: Sequence[list[Item]]) -> M365Error | None:
        """Send chunks, a few at a time. After a failure no further one is begun; those on their way are awaited."""
        if len(chunks) == 1:
            return self._send(chunks[0])
        pool = ThreadPoolExecutor(max_workers=THREADS)
        failure: M365Error | None = None
        try:
            queue = list(chunks)
            running: set[Future[M365Error | None]] = set()
            while running or (queue and failure is None):
                while queue and failure is None and len(running) < THREADS:
                    running.add(pool.submit(self._send, queue.pop(0)))
                done, running = wait(running, return_when="FIRST_COMPLETED")
                for future in done:
                    failure = future.result() or failure
        except BaseException:  # interrupted or timed out: nobody waits for the rest
            self._policy.stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
        return failure

    def _send(self, chunk: list[Item]) -> M365Error | None:
        """One $batch. Gives each item its answer or its time to be sent again; returns what stopped all of them."""
        requests = [_item(str(place), item.call) for place, item in enumerate(chunk)]
        outer = Call(
            "POST",
            self._version,
            "/$batch",
            "/$batch",
            action=self._action or next((item.call.action for item in chunk if item.call.action), ""),
            body={"requests": requests},
            writes=any(item.call.writes for item in chunk),
            repeatable=all(item.call.repeatable for item in chunk),
        )
        try:
            reply = self._client.send(outer)
            answers = reply.body.get("responses") if isinstance(reply.body, dict) else None
            if not isinstance(answers, list):
                raise self._asked(outer).unreadable(reply.status, "it is no answer to a $batch")
            self._size += reply.size
            if self._size > MAX_READ_BYTES:
                raise self._asked(outer).unreadable(
                    reply.status, "the answers are too large for memory; narrow the reads with $filter or $select"
                )
        except M365Error as error:
            if is_doubtful(error):
                for item in chunk:
                    item.doubtful = True
            return error
        for item in chunk:
            item.doubtful = item.doubtful or reply.doubtful
        by_id: dict[str, list[dict[str, Any]]] = {}
        for answer in answers:
            if isinstance(answer, dict):
                by_id.setdefault(str(answer.get("id")), []).append(answer)
        for place, item in enumerate(chunk):
            of_item = by_id.get(str(place), [])
            self._judge(item, of_item[0] if len(of_item) == 1 else None)  # of two, nobody knows which one is right
        return None

    def _judge(self, item: Item, answer: Mapping[str, Any] | None) -> None:
        status = answer.get("status") if answer else None
        if answer is None or isinstance(status, bool) or not isinstance(status, int) or not 200 <= status < 600:
            error = self._asked(item.call).unreadable(0, "the $batch came back without an answer to this request")
            item.response = BatchResponse(0, None, {}, error)
            return
        headers = answer.get("headers")
        headers = headers if isinstance(headers, dict) else {}
        where = f"/{self._version}{item.call.path}"
        self._client.calls.record(item.call.method, where, status, note=" (in $batch)")
        asked = seconds_of(header(headers, "Retry-After"), header(headers, "Date"))
        if status in RETRY_STATUSES and (item.call.repeatable or refused(status, asked)):
            policy = self._policy_when_throttled if status == 429 else self._policy
            seconds = policy.wait(asked, item.refusals, item.waited)
            if seconds is not None:
                item.doubtful = item.doubtful or may_be_done(status)
                item.refusals += 1
                item.waited += seconds
                item.ready_at = self._policy.clock() + seconds
                return
        body = answer.get("body")
        error_or_none = None if status < 300 else self._asked(item.call).error(status, body, headers)
        if error_or_none is not None and item.doubtful and item.call.writes and not is_doubtful(error_or_none):
            error_or_none.doubt()
        item.response = BatchResponse(status, body, headers, error_or_none)

    def _tell(self, again: Sequence[Item]) -> None:
        if again:
            soonest = min(item.ready_at for item in again) - self._policy.clock()
            self._policy.warn(
                f"{len(again)} requests of a $batch are throttled or failed for the moment; "
                f"trying them again from {max(0.0, soonest):.1f} seconds on."
            )

    def _unanswered(self, item: Item, failure: M365Error | None) -> BatchResponse:
        code, doubt = NOT_SENT, "it was not sent."
        if item.doubtful:
            code, doubt = NO_ANSWER, "it is not known whether it was done."
        cause = failure.message if failure else ""
        about = self._asked(item.call).about(0, {})
        return BatchResponse(0, None, {}, NoAnswer(**about, code=code, text=f"{doubt} {cause}".strip()))

    def _asked(self, call: Call) -> Asked:
        return self._client.asked(call)


def is_doubtful(error: M365Error) -> bool:
    """Whether a request that failed may have been done all the same, by its last attempt or an earlier one."""
    if error.maybe_done:
        return True
    if isinstance(error, ConnectionFailed):
        return not error.certain
    return isinstance(error, (Unavailable, UnreadableAnswer)) or (
        isinstance(error, NoAnswer) and error.code == NO_ANSWER
    )


def _item(identity: str, call: Call) -> dict[str, Any]:
    item: dict[str, Any] = {"id": identity, "method": call.method, "url": call.url}
    headers = dict(call.headers)
    if call.body is not None:
        item["body"] = call.body
        headers.setdefault("Content-Type", "application/json")
    if headers:
        item["headers"] = headers
    return item
