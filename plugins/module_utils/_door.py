# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module door and the action door share, so that they cannot be told apart (private to the collection)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.module_utils.common.parameters import remove_values

from ._engine.resource import Resource
from ._options import GRAPH_OPTIONS


def argument_spec(resource: Resource) -> dict[str, dict[str, Any]]:
    return {**GRAPH_OPTIONS, **{name: dict(argument) for name, argument in resource.options.items()}}


def masked(values: Mapping[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """A copy without the secrets, as AnsibleModule makes it of a result: true, false and null stay as they are."""
    kept = {name: value for name, value in values.items() if value is None or isinstance(value, bool)}
    return {**remove_values(dict(values), set(secrets)), **kept}
