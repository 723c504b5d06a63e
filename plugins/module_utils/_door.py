# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module door and the action door share, so that they cannot be told apart (private to the collection)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible.module_utils.common.parameters import remove_values

from ._engine.resource import Resource
from ._graph import session, sign_in
from ._graph.errors import MissingLibrary
from ._options import GRAPH_OPTIONS
from ._resources import graph_options

# Ansible stumbles over these with errors of Python's.
NOT_CONVERTIBLE = (
    "The options cannot be read: a number is too large, or something else is given where a dictionary with options is "
    "expected."
)


def missing_library() -> MissingLibrary | None:
    """The first of the required libraries that this Python cannot import."""
    for library, import_traceback in (
        ("requests", session.IMPORT_TRACEBACK),
        ("msal", sign_in.IMPORT_TRACEBACK),
        ("jmespath", graph_options.IMPORT_TRACEBACK),
    ):
        if import_traceback:
            return MissingLibrary(library, import_traceback)
    return None


def argument_spec(resource: Resource) -> dict[str, dict[str, Any]]:
    return {**GRAPH_OPTIONS, **{name: dict(argument) for name, argument in resource.options.items()}}


def secrets_in(resource: Resource, options: Mapping[str, Any]) -> Iterator[str]:
    """The values inside secret dictionaries: AnsibleModule misses them where the dictionary was written as text."""
    for name, argument in resource.options.items():
        if argument.get("no_log") and isinstance(options.get(name), dict):
            yield from _texts(options[name])


def secret_results(resource: Resource, result: Mapping[str, Any]) -> set[str]:
    """The secrets that are results themselves, as far as this result has them: a failed one never does."""
    found = set()
    for name in resource.secret_results:
        value: Any = None if result.get("failed") else result
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            found.add(value)
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
        yield str(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def masked(values: Mapping[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """A copy without the secrets, as AnsibleModule makes it of a result: true, false and null stay as they are."""
    kept = {name: value for name, value in values.items() if value is None or isinstance(value, bool)}
    return {**remove_values(dict(values), set(secrets)), **kept}
