# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""read -> plan -> apply -> verify, for every resource (private to the collection).

Parameters in, result out. Only this file sets ``changed`` and ``diff``. Both doors call ``execute``; it never raises
an Exception, so that no door can differ in what it makes of one.
"""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .._graph.batch import is_doubtful
from .._graph.client import GraphClient
from .._graph.connect import connect
from .._graph.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    GraphError,
    M365Error,
    readable,
)
from .plan import Bulk, Plan, Request
from .resource import Resource, needs
from .run import Run, WriteGuard, starters_in

FIRST_WAIT = 0.25
LONGEST_WAIT = 5.0


class NotShown(M365Error):
    """Graph accepted every change, but reads do not show them within ``wait_timeout`` seconds."""


def execute(
    resource: Resource,
    options: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    check_mode: bool,
    warn: Callable[[str], None],
    secret: Callable[[str], None],
) -> dict[str, Any]:
    """Run one task and return its result, a failed one instead of an exception.

    ``secret`` is told every secret that the run meets; the door masks them in whatever it prints.
    """
    progress = Progress()
    client: GraphClient | None = None

    def tell(warning: str) -> None:
        warn(readable(warning))

    try:
        client = connect(
            options,
            environment=environment,
            check_mode=check_mode,
            warn=tell,
            secret=secret,
            before_write=WriteGuard(options.get("max_duration"), starters=starters_in(environment)),
        )
        run = Run(options=options, client=client, check_mode=check_mode, warn=tell, secret=secret)
        result = work(resource, run, progress)
    except M365Error as error:
        result = {"failed": True, **error.as_result()}
    except Exception as error:
        result = {
            "failed": True,
            "msg": readable(
                f"Unexpected {type(error).__name__} in {resource.name}: {error}. This is a bug of zerotrust.m365."
            ),
            "error": {"traceback": "".join(traceback.format_exception(error))},
        }
    finally:
        if client is not None:
            with contextlib.suppress(Exception):
                client.close()
    result["changed"] = progress.planned if check_mode and not result.get("failed") else progress.written > 0
    result["diff"] = progress.plan.diff()
    result["graph_calls"] = client.calls.as_result() if client is not None else []
    return result


class SomeRefused(M365Error):
    """Graph refused some of the changes; all others were made. ``refused`` are their titles and reasons."""

    def __init__(self, refused: Mapping[str, GraphError], made: int) -> None:
        self.refused = {title: error.message for title, error in refused.items()}
        reasons = " ".join(f"{title}: {reason}" for title, reason in self.refused.items())
        were = "change was" if len(self.refused) == 1 else "changes were"
        super().__init__(f"{len(self.refused)} {were} refused, {made} {'was' if made == 1 else 'were'} made. {reasons}")

    def details(self) -> dict[str, Any]:
        return {"refused": self.refused}


class NameTaken(M365Error):
    """Graph says that an object is there, which reads do not show. ``title`` is the change that was to create it."""

    def __init__(self, title: str, refusal: GraphError) -> None:
        super().__init__(refusal.message)
        self.title = title
        self._refusal = refusal

    def details(self) -> dict[str, Any]:
        return self._refusal.details()


class Progress:
    """How far a run has come; what a failed result still has to tell."""

    def __init__(self) -> None:
        self.plan = Plan()
        self.written = 0

    @property
    def planned(self) -> bool:
        return bool(self.plan.changes)


def work(resource: Resource, run: Run, progress: Progress) -> dict[str, Any]:
    state = resource.read(run)
    plan = progress.plan = resource.plan(run, state)
    if plan.changes and not run.check_mode:
        try:
            apply(run, progress, plan)
        except NameTaken as taken:
            plan = progress.plan = plan_around(resource, run, taken)
            apply(run, progress, plan)
        state = verify(resource, run, plan)
    sentence = plan.planned if run.check_mode and plan.changes else plan.done
    return {"msg": readable(sentence), **resource.result(run, plan, state), **plan.extra}


def apply(run: Run, progress: Progress, plan: Plan) -> None:
    """Make the changes of a plan. Raises NameTaken if its first one cannot be, because the object is there."""
    run.client.require_permissions([need for change in plan.changes for need in needs(change.outline())])
    refused: dict[str, GraphError] = {}
    for change in plan.changes:
        request = change.request_with(run.created)
        if request.bulk is not None:
            apply_bulk(run, progress, request, request.bulk)
            continue
        if request.make_body is not None:
            request = replace(request, body=request.make_body())
        try:
            answer = make(run, request)
        except GraphError as error:
            if request.creates and error.means_name_taken() and change is plan.changes[0]:
                raise NameTaken(change.title, error) from None
            progress.written += is_doubtful(error)  # as below
            if not plan.keep_going:
                raise
            refused[change.title] = error
            continue
        except (ConnectionFailed, DeadlineExceeded) as error:
            progress.written += is_doubtful(error)  # it may have been done: say changed rather than not
            raise
        progress.written += 1
        keep(run, request, answer)
    if refused:
        raise SomeRefused(refused, progress.written)


def apply_bulk(run: Run, progress: Progress, request: Request, bulk: Bulk) -> None:
    """Make one wave after the other. Raises what stopped a wave as a whole, and what its ``finish`` raises."""
    for wave in bulk.waves:
        requests = bulk.prepare(wave)
        if not requests:
            continue
        stopped: M365Error | None = None
        answers: dict[str, M365Error | None]
        try:
            responses = run.client.batch(
                [*requests.values()], version=request.version, action=request.action, patient=True
            )
            answers = {key: response.error for key, response in zip(requests, responses, strict=True)}
        except M365Error as error:
            stopped = error
            answers = dict.fromkeys(requests, error)
        progress.written += sum(error is None or is_doubtful(error) for error in answers.values())
        try:
            bulk.finish(answers)
        except M365Error:
            if stopped is None:
                raise
        if stopped is not None:
            raise stopped


def plan_around(resource: Resource, run: Run, taken: NameTaken) -> Plan:
    """The plan for an object that reads hid at first. Raises what Graph said if they go on hiding it."""
    poll = Poll(run)
    while poll.wait():
        plan = resource.plan(run, resource.read(run))
        if all(change.title != taken.title for change in plan.changes):
            return plan
    raise taken


def make(run: Run, request: Request) -> Any:
    """Make one change and return Graph's answer."""
    poll = Poll(run)
    while True:
        try:
            return send(run.client, request)
        except GraphError as error:
            if request.adds and error.means_already_there():
                return None
            if not request.replicates or not error.means_not_replicated() or not poll.wait():
                raise


def keep(run: Run, request: Request, answer: Any) -> None:
    """Keep Graph's answer, and the id of what the request created."""
    run.answers.append(answer)
    if request.names:
        identity = answer.get("id") if isinstance(answer, Mapping) else None
        if not identity or not isinstance(identity, str):
            raise NotShown(f"Graph accepted to {request.action}, but did not say its id. Run the task again.")
        run.created[request.names] = identity


def send(client: GraphClient, request: Request) -> Any:
    """Send one request and return Graph's answer, None for an empty one."""
    where: dict[str, Any] = {"version": request.version, "headers": request.headers, "action": request.action}
    if request.method == "DELETE":
        client.delete(request.path, **where)
        return None
    if request.method == "POST":
        return client.post(request.path, request.body, creates=request.creates, **where)
    write = client.put if request.method == "PUT" else client.patch
    return write(request.path, request.body, **where)


class Poll:
    """Waits that grow, until ``wait_timeout`` seconds have passed since this was made."""

    def __init__(self, run: Run) -> None:
        self.limit = float(run.options.get("wait_timeout") or 0)
        self._started = time.monotonic()
        self._wait = FIRST_WAIT

    def wait(self) -> bool:
        """Sleep a while; at once False when the time is up."""
        left = self.limit - (time.monotonic() - self._started)
        if left <= 0:
            return False
        time.sleep(min(self._wait, left))
        self._wait = min(self._wait * 2, LONGEST_WAIT)
        return True


def verify(resource: Resource, run: Run, plan: Plan) -> Any:
    """Read until Graph shows the changes; an app has no read-after-write guarantee (Microsoft's advice: poll)."""
    poll = Poll(run)
    while True:
        state = resource.read(run)
        if resource.reached(run, plan, state):
            return state
        if not poll.wait():
            raise NotShown(
                f"Graph accepted the change of {', '.join(change.title for change in plan.changes)}, but did not show "
                f"it within {poll.limit:.0f} seconds. Run the task again; raise wait_timeout if this goes on."
            )
