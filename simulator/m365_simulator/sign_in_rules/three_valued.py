# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three-valued logic: True, False, and None for what is not known."""

from __future__ import annotations

from collections.abc import Iterable

Maybe = bool | None


def any_of(values: Iterable[Maybe]) -> Maybe:
    """True when one is; unknown when one may be."""
    seen = set(values)
    if True in seen:
        return True
    return None if None in seen else False


def all_of(values: Iterable[Maybe]) -> Maybe:
    """False when one is; unknown when one may be."""
    seen = set(values)
    if False in seen:
        return False
    return None if None in seen else True


def negate(value: Maybe) -> Maybe:
    return None if value is None else not value
