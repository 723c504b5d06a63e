# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may come of a task that was given nonsense. Every rule returns what is wrong, in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

LONGEST_MESSAGE = 4500
UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

# Words of a result that call something fine, wherever they stand.
FINE_WORDS = frozenset({"covered", "passed", "permanent", "proven", "registered", "usable"})
# Members of a result that call something fine when they are true.
FINE_WHEN_TRUE = frozenset({"complete", "enough", "excluded", "proven"})
# Members that count what is fine.
FINE_WHEN_MORE = frozenset({"changed_users", "covered", "proven", "usable"})

Path = tuple[str | int, ...]


def unclean(result: Mapping[str, Any], secrets: Iterable[str] = ()) -> list[str]:
    """A crash, a message that nobody can read, a secret."""
    found = []
    message = result.get("msg")
    shown = json.dumps(result)
    if not isinstance(message, str) or not message.strip():
        return [f"no message: {message!r}"]
    if "This is a bug" in message or "traceback" in (result.get("error") or {}):
        found.append(f"a crash: {message} {(result.get('error') or {}).get('traceback', '')[-600:]}")
    if len(message) > LONGEST_MESSAGE:
        found.append(f"a message of {len(message)} characters")
    if UNREADABLE.search(message):
        found.append(f"a message that is not readable: {message!r}")
    if any(UNREADABLE.search(warning) for warning in result.get("warnings", [])):
        found.append("a warning that is not readable")
    found += [f"a secret is shown: {secret[:4]}..." for secret in secrets if secret in shown]
    return found


def too_good(result: Mapping[str, Any], truth: Mapping[str, Any]) -> list[str]:
    """What a result calls fine, or as wanted, and the truth does not. A failed result calls nothing fine."""
    if result.get("failed"):
        return []
    found = []
    if truth.get("failed"):
        found.append(f"a task that had to fail did not: {result.get('msg')}")
    if truth.get("changed") and not result.get("changed") and doubts(result) <= doubts(truth):
        found.append(f"called as wanted: {result.get('msg')}")
    told = dict(leaves(truth))
    for path, value in leaves(result):
        if path[0] in ("diff", "graph_calls", "invocation", "msg", "warnings"):
            continue
        if is_fine(path[-1], value) and not same_or_less(value, told.get(path)):
            found.append(f"{'.'.join(map(str, path))} is {value!r}, in truth {told.get(path)!r}")
    right = set(known_facts(truth))
    wrongly_known = [path for path in known_facts(result) if path not in right]
    return found + [f"{'.'.join(map(str, path))} is known, in truth unknown" for path in wrongly_known]


def doubts(result: Mapping[str, Any]) -> int:
    """How often a result says that something is not known."""
    words = [str(value).lower() for _path, value in leaves(result)]
    return sum("unknown" in word or "could not be read" in word for word in words)


def unwanted_changes(result: Mapping[str, Any], truth: Mapping[str, Any]) -> list[str]:
    """Changes of a dry run that lead to what the truth does not lead to, by its changes or by the state it shows."""
    if result.get("failed"):
        return []
    right = {change.get("after_header"): _timeless(change.get("after")) for change in truth.get("diff", [])}
    shown = [_timeless(value) for value in truth.values() if isinstance(value, Mapping)]
    found = []
    for change in result.get("diff", []):
        header, before, after = change.get("after_header"), _timeless(change.get("before")), _timeless(change["after"])
        new, same = _not_before(before, after), right.get(header, [])
        if after != same and not any(_within(new, state) for state in [same, *shown]):
            found.append(f"a change that nobody asked for: {header}: {after}")
    return found


def is_fine(name: str | int, value: Any) -> bool:
    if isinstance(value, bool):
        return value and name in FINE_WHEN_TRUE
    if isinstance(value, int):
        return value > 0 and name in FINE_WHEN_MORE
    return isinstance(value, str) and value in FINE_WORDS


def same_or_less(value: Any, right: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return isinstance(right, int) and value <= right
    return bool(value == right)


def known_facts(value: Any, here: Path = ()) -> Iterator[Path]:
    """Every part of a result that says of itself that it is known."""
    if isinstance(value, Mapping):
        if value.get("completeness") == "known":
            yield here
        for name, item in value.items():
            yield from known_facts(item, (*here, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from known_facts(item, (*here, place))


def leaves(value: Any, here: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, (*here, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, (*here, place))
    else:
        yield here, value


def _timeless(value: Any) -> Any:
    return json.loads(TIME.sub("", json.dumps(value)))


def _not_before(before: Any, after: Any) -> Any:
    """What of the state after a change was not there before: a list is shown whole, and sent back as it was read."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        changed = {name: value for name, value in after.items() if name not in before or value != before[name]}
        return {name: _not_before(before.get(name), value) for name, value in changed.items()}
    if isinstance(before, list) and isinstance(after, list):
        return [item for item in after if item not in before]
    return after


def _within(value: Any, whole: Any) -> bool:
    if isinstance(value, Mapping) and isinstance(whole, Mapping):
        return all(name in whole and _within(item, whole[name]) for name, item in value.items())
    if isinstance(value, list) and isinstance(whole, list):
        return all(item in whole for item in value)
    return bool(value == whole)
