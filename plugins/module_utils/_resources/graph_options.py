# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that both escape hatches share, and JMESPath (private to the collection)."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any

from .._graph.errors import MissingLibrary, OptionError

try:
    import jmespath
    from jmespath.exceptions import JMESPathError
except ImportError:
    IMPORT_TRACEBACK: str | None = traceback.format_exc()
else:
    IMPORT_TRACEBACK = None

PATH_OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "str", "required": True},
    "api_version": {"type": "str", "choices": ["v1.0", "beta"], "default": "v1.0"},
    "headers": {"type": "dict", "default": {}},
}

# These are the client's own: a user's value would reach another tenant, break the checks, or leak the token.
RESERVED_HEADERS = {"authorization", "host", "content-length", "content-type", "transfer-encoding", "client-request-id"}


def text_values(values: Mapping[str, Any], option: str) -> dict[str, str]:
    """A dictionary of scalars as strings, booleans in OData's spelling. Raises OptionError."""
    texts = {}
    for name, value in values.items():
        if isinstance(value, bool):
            texts[name] = "true" if value else "false"
        elif isinstance(value, (str, int, float)):
            texts[name] = str(value)
        else:
            raise OptionError(f"{option}: '{name}' must be a string, a number or a boolean.")
    return texts


def headers(options: Mapping[str, Any]) -> dict[str, str]:
    """The user's headers. Raises OptionError for one that belongs to the client."""
    given = text_values(options["headers"], "headers")
    for name, value in given.items():
        if name.lower() in RESERVED_HEADERS:
            raise OptionError(f"headers: '{name}' is set by the module and cannot be given.")
        sendable = value.isascii() and value.isprintable() and value == value.strip()
        if not name.isascii() or not name.replace("-", "").isalnum() or not sendable:
            raise OptionError(f"headers: '{name}' is no valid header.")
    return given


def check_expression(expression: str | None, option: str) -> None:
    """Raises OptionError for an expression that JMESPath cannot read."""
    if expression:
        _evaluate(option, lambda: jmespath.compile(expression))


def search(expression: str, document: Any, option: str) -> Any:
    """What a JMESPath expression finds. Raises OptionError where it does not fit the document."""
    return _evaluate(option, lambda: jmespath.search(expression, document))


def _evaluate(option: str, evaluate: Callable[[], Any]) -> Any:
    if IMPORT_TRACEBACK is not None:
        raise MissingLibrary("jmespath", IMPORT_TRACEBACK)
    try:
        return evaluate()
    except RecursionError:
        raise OptionError(f"{option}, a JMESPath expression, is nested too deeply.") from None
    except (JMESPathError, TypeError, ValueError) as error:  # jmespath lets some of Python's own errors through
        raise OptionError(f"{option}, a JMESPath expression, does not work: {error}") from None
