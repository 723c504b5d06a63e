# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any write of Microsoft Graph, made idempotent by what the user declares (private to the collection)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._engine.compare import contains, restrict
from .._engine.plan import NOT_SHOWN, Change, Plan, Request
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.errors import NotFound, OptionError
from .._options import WAIT_OPTIONS
from .graph_options import PATH_OPTIONS, check_expression, headers, search


@dataclass(frozen=True)
class Found:
    """What was read before the write: ``value`` is None when the object is not there."""

    readable: bool
    value: Any = None


class GraphRequest(Resource):
    name = "graph_request"
    options = {
        **PATH_OPTIONS,
        "method": {"type": "str", "required": True, "choices": ["POST", "PATCH", "PUT", "DELETE"]},
        "desired": {"type": "dict"},
        "body": {"type": "dict"},
        "secret_body": {"type": "dict", "no_log": True},
        "read_path": {"type": "str"},
        "read_query": {"type": "str"},
        "always": {"type": "bool", "default": False},
        "permissions": {"type": "list", "elements": "str", "default": []},
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> Found:
        options = run.options
        _check(options)
        if options["always"]:
            return Found(readable=False)
        path = options["read_path"] or options["path"]
        try:
            answer: Any = run.client.get(
                path, version=options["api_version"], headers=headers(options), action=f"read {path}"
            )
        except NotFound:
            return Found(readable=True)
        if options["read_query"]:
            answer = _one(search(options["read_query"], answer, "read_query"), options["read_query"])
        return Found(readable=True, value=answer)

    def plan(self, run: Run, state: Found) -> Plan:
        options = run.options
        method, path, desired = options["method"], options["path"], options["desired"]
        title = f"{method} {path}"
        if not state.readable:
            return self._planned(run, Change(title, None, {"request": title}, self._request(run)))
        if method == "DELETE":
            if state.value is None:
                return Plan(done=f"{path} does not exist.")
            return self._planned(run, Change(title, {"exists": True}, None, self._request(run)))
        if contains(state.value, desired):
            return Plan(done=f"{path} is as desired.")
        if method == "POST" and state.value is not None:
            raise OptionError(
                f"{options['read_path']} shows an object that differs from 'desired', and POST would create a second "
                "one. Change the existing object with PATCH, or make read_path and read_query more precise."
            )
        if method != "POST" and state.value is None:
            where = options["read_path"] or path
            raise OptionError(f"{where} does not exist, so there is nothing to change with {method}.")
        before = None if state.value is None else _shown(restrict(state.value, desired))
        after = _shown(desired)
        if options["secret_body"]:
            after = {**after, "secret_body": NOT_SHOWN}
        return self._planned(run, Change(title, before, after, self._request(run)))

    def reached(self, run: Run, plan: Plan, state: Found) -> bool:
        if not state.readable:
            return True
        if run.options["method"] == "DELETE":
            return state.value is None
        return contains(state.value, run.options["desired"])

    def result(self, run: Run, plan: Plan, state: Found) -> dict[str, Any]:
        answer = run.answers[0] if run.answers else None
        created = answer.get("id") if run.options["method"] == "POST" and isinstance(answer, Mapping) else None
        return {"resource": state.value if state.readable else _shown(answer), "created_id": created}

    def _planned(self, run: Run, change: Change) -> Plan:
        return Plan([change], planned=f"{change.title} would be sent.", done=f"{change.title} was sent.")

    def _request(self, run: Run) -> Request:
        options = run.options
        body = options["body"] if options["body"] is not None else options["desired"]
        if options["secret_body"]:
            body = merged(body or {}, options["secret_body"])
        return Request(
            method=options["method"],
            path=options["path"],
            version=options["api_version"],
            action=f"send {options['method']} {options['path']}",
            body=body,
            headers=headers(options),
            creates=options["method"] == "POST",
            permissions=tuple(frozenset([name]) for name in options["permissions"]),
        )


def _one(found: Any, expression: str) -> Any:
    """What a query found: a list of one is that one, an empty list is nothing. Raises OptionError for several."""
    if not isinstance(found, list):
        return found
    if len(found) > 1:
        raise OptionError(f"read_query '{expression}' finds {len(found)} objects; it must find one or none.")
    return found[0] if found else None


def _check(options: Mapping[str, Any]) -> None:
    """Raises OptionError for options that cannot make an idempotent request."""
    method = options["method"]
    if options["always"]:
        if options["desired"] or options["read_path"] or options["read_query"]:
            raise OptionError(
                "'desired', 'read_path' and 'read_query' say how to compare; with 'always: true' nothing is compared."
            )
        return
    if method == "DELETE":
        if options["desired"] is not None or options["body"] is not None:
            raise OptionError("DELETE takes neither 'desired' nor 'body': its desired state is that nothing is there.")
        return
    if not options["desired"]:
        raise OptionError(
            f"{method} needs 'desired', the properties that the object must show afterwards; it makes the request "
            "idempotent. For an action without a readable state, say 'always: true'."
        )
    if method == "POST" and not options["read_path"]:
        raise OptionError(
            "POST needs 'read_path' (and usually 'read_query'): where to look whether the object is already there."
        )
    check_expression(options["read_query"], "read_query")


# Microsoft's names of properties that hold secrets; newPassword and clientSecret are told by their end.
SECRET_PROPERTIES = {"passwordprofile", "secrettext", "secretkey", "temporaryaccesspass", "privatekey", "proof", "key"}
SECRET_ENDINGS = ("password", "secret", "token")


def _is_secret(name: str) -> bool:
    return name.lower() in SECRET_PROPERTIES or name.lower().endswith(SECRET_ENDINGS)


def _shown(value: Any) -> Any:
    """A value for the diff: properties that Microsoft uses for secrets are never shown."""
    if isinstance(value, Mapping):
        return {name: NOT_SHOWN if _is_secret(name) else _shown(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value


def merged(body: Mapping[str, Any], addition: Mapping[str, Any]) -> dict[str, Any]:
    """Both bodies, objects merged key by key; the addition wins."""
    result = dict(body)
    for name, value in addition.items():
        present = result.get(name)
        if isinstance(present, Mapping) and isinstance(value, Mapping):
            value = merged(present, value)
        result[name] = value
    return result


RESOURCE = GraphRequest()
