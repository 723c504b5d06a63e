# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that every area gives alike: a collection, a single entity, a count, nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from m365_simulator.graph.errors import bad_policy, bad_request
from m365_simulator.graph.odata import Condition, EntityType, check_selected, count_rows, list_rows, pick
from m365_simulator.graph.router import Call, GraphResponse
from m365_simulator.state import Row
from m365_simulator.words import words

Show = Callable[[Row], dict[str, Any]]

TIPS = "@microsoft.graph.tips"
EXPANDED = re.compile(r"[^,()]+(?:\([^()]*\))?")
"""One property of a $expand, with its own options."""


def answer_list(
    call: Call,
    entity: EntityType,
    suffix: str,
    *where: Condition,
    show: Show | None = None,
    expands: Mapping[str, Callable[[dict[str, Any]], Any]] | None = None,
) -> GraphResponse:
    """A page of a collection. `show` makes the whole entity out of a row; `expands` adds navigation properties."""
    check_selected(entity, call.query.select)
    expand = _expand(call, expands or {})
    page = list_rows(call.store, entity, call.query, call.consistent, *where)
    documents = [show(row) for row in page.rows] if show else [row.document for row in page.rows]
    body: dict[str, Any] = {"@odata.context": call.context(suffix)}
    body.update(_tips(call, suffix))
    if page.count is not None:
        body["@odata.count"] = page.count
    if page.following is not None:
        body["@odata.nextLink"] = next_link(call, page.following)
    body["value"] = [{**pick(entity, document, call.query.select), **expand(document)} for document in documents]
    return GraphResponse(200, body)


def next_link(call: Call, position: Mapping[str, int]) -> str:
    """Absolute, on the host that the client used, with all of its parameters."""
    return f"{call.request.base}/{call.version}{call.request.path}?{call.query.following(position)}"


def answer_plain_list(call: Call, suffix: str, items: Iterable[dict[str, Any]]) -> GraphResponse:
    """A short collection that Graph neither pages nor filters; only $select and $top work."""
    for option in ("$filter", "$orderby", "$search", "$expand", "$skip"):
        if option in call.query.options:
            raise bad_policy(f"Query option '{option[1:].capitalize()}' is not allowed.")
    top = call.query.number("$top")
    shown = [_select(item, call.query.select) for item in items][:top]
    return GraphResponse(200, {"@odata.context": call.context(suffix), "value": shown})


def answer_one(
    call: Call,
    entity: EntityType,
    suffix: str,
    document: dict[str, Any],
    expands: Mapping[str, Callable[[dict[str, Any]], Any]] | None = None,
) -> GraphResponse:
    check_selected(entity, call.query.select)
    expand = _expand(call, expands or {})
    shown = {**pick(entity, document, call.query.select), **expand(document)}
    return GraphResponse(200, {"@odata.context": call.context(suffix), **_tips(call, suffix), **shown})


def answer_created(call: Call, suffix: str, document: dict[str, Any]) -> GraphResponse:
    return GraphResponse(201, {"@odata.context": call.context(suffix), **document})


def answer_count(call: Call, entity: EntityType, *where: Condition) -> GraphResponse:
    """A bare number, as text."""
    return GraphResponse(200, count_rows(call.store, entity, call.query, call.consistent, *where))


def no_content() -> GraphResponse:
    return GraphResponse(204)


def check_known(body: Mapping[str, Any], allowed: Iterable[str], type_name: str) -> None:
    """Refuse properties that the type does not have. Annotations (`@odata...`) are not properties."""
    for name in body:
        if name not in allowed and "@odata." not in name:
            raise (
                bad_request(f"Invalid property '{name}'.")
                if type_name in ("user", "group")
                else bad_policy(
                    f"The property '{name}' does not exist on type 'microsoft.graph.{type_name}'. Make sure to only "
                    "use property names that are defined by the type."
                )
            )


def check_types(wanted: Any, known: Any, name: str) -> None:
    """Refuse a value whose JSON type is not that of the known one. What is null so far may become anything, and
    anything may become null; objects are compared member by member, lists by their first element."""
    if wanted is None or known is None:
        return
    if isinstance(known, bool) != isinstance(wanted, bool) or not isinstance(wanted, _json_type(known)):
        raise bad_policy(f"Cannot convert the value of '{name}' to the expected type.")
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            check_types(value, known.get(key), key)
    elif isinstance(wanted, list) and known:
        for value in wanted:
            check_types(value, known[0], name)


def _json_type(value: Any) -> type | tuple[type, ...]:
    for kind in (bool, str, list, dict):
        if isinstance(value, kind):
            return kind
    return (int, float)


def _select(item: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """One of several types in a collection keeps the name of its own. What is not known is not shown as null."""
    if not names:
        return item
    return {name: value for name, value in item.items() if name == "@odata.type" or name.partition("@")[0] in names}


def _expand(
    call: Call, expands: Mapping[str, Callable[[dict[str, Any]], Any]]
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    selected: dict[str, tuple[str, ...]] = {}
    for text in EXPANDED.findall(call.query.options.get("$expand", "")):
        name, _unused, options = text.strip().partition("(")
        if name not in expands:
            raise bad_policy(f"Parsing OData Select and Expand failed: Could not find a property named '{name}'.")
        key, _unused, names = options.removesuffix(")").partition("=")
        if options and key != "$select":
            raise bad_policy(f"Parsing OData Select and Expand failed: '{key}' is not allowed in $expand.")
        selected[name] = tuple(words(names.replace(",", " ")))
    if len(selected) > 1:
        raise bad_policy("Only one property can be expanded in a single query.")

    def expand(document: dict[str, Any]) -> dict[str, Any]:
        return {name: _part(expands[name](document), names) for name, names in selected.items()}

    return expand


def _part(expanded: Any, names: tuple[str, ...]) -> Any:
    """What a $select inside of $expand leaves of an object; nothing else is cut."""
    if not names or not isinstance(expanded, dict):
        return expanded
    return {name: value for name, value in expanded.items() if name in ("@odata.type", *names)}


def _tips(call: Call, suffix: str) -> dict[str, str]:
    """What Graph adds to answers without $select; clients must ignore it."""
    if call.query.select:
        return {}
    path = suffix.partition("{")[0].removesuffix("/$entity")
    return {
        TIPS: "Use $select to choose only the properties your app needs, as this can lead to performance improvements. "
        f"For example: GET {path}?$select=id"
    }
