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
from typing import Any

from .._graph.client import GraphClient
from .._graph.connect import connect
from .._graph.errors import ConnectionFailed, M365Error
from .plan import Plan, Request
from .resource import Resource, needs
from .run import Run, WriteGuard

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
    try:
        client = connect(
            options,
            environment=environment,
            check_mode=check_mode,
            warn=warn,
            secret=secret,
            before_write=WriteGuard(options.get("max_duration")),
        )
        run = Run(options=options, client=client, check_mode=check_mode, warn=warn, secret=secret)
        result = work(resource, run, progress)
    except M365Error as error:
        result = {"failed": True, **error.as_result()}
    except Exception as error:
        result = {
            "failed": True,
            "msg": f"Unexpected {type(error).__name__} in {resource.name}: {error}. This is a bug of zerotrust.m365.",
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
        run.client.require_permissions([need for change in plan.changes for need in needs(change.request)])
        for change in plan.changes:
            try:
                run.answers.append(send(run.client, change.request))
            except ConnectionFailed as error:
                progress.written += not error.certain  # it may have been done: say changed rather than not
                raise
            progress.written += 1
        state = verify(resource, run, plan)
    sentence = plan.planned if run.check_mode and plan.changes else plan.done
    return {"msg": sentence, **resource.result(run, plan, state), **plan.extra}


def send(client: GraphClient, request: Request) -> Any:
    """Make one change and return Graph's answer, None for an empty one."""
    where: dict[str, Any] = {"version": request.version, "headers": request.headers, "action": request.action}
    if request.method == "DELETE":
        client.delete(request.path, **where)
        return None
    if request.method == "POST":
        return client.post(request.path, request.body, creates=request.creates, **where)
    write = client.put if request.method == "PUT" else client.patch
    return write(request.path, request.body, **where)


def verify(resource: Resource, run: Run, plan: Plan) -> Any:
    """Read until Graph shows the changes; an app has no read-after-write guarantee (Microsoft's advice: poll)."""
    limit = float(run.options.get("wait_timeout") or 0)
    started = time.monotonic()
    wait = FIRST_WAIT
    while True:
        state = resource.read(run)
        if resource.reached(run, plan, state):
            return state
        left = limit - (time.monotonic() - started)
        if left <= 0:
            raise NotShown(
                f"Graph accepted the change of {', '.join(change.title for change in plan.changes)}, but did not show "
                f"it within {limit:.0f} seconds. Run the task again; raise wait_timeout if this goes on."
            )
        time.sleep(min(wait, left))
        wait = min(wait * 2, LONGEST_WAIT)
