# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user has registered at a moment, out of the private part of the user in the store.

`methodsRegistered` there holds what lasts; a Temporary Access Pass comes and goes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from m365_simulator.clock import from_stamp

TEMPORARY_ACCESS_PASS = "temporaryAccessPass"
USABLE, EXPIRED, NOT_YET, USED = "EnabledByPolicy", "Expired", "NotYetValid", "OneTimeUsed"
"""methodUsabilityReason, by Microsoft's page "temporaryAccessPassAuthenticationMethod resource type"."""


def registered_methods(private: Mapping[str, Any], now: float) -> list[str]:
    """In the words of the registration report, without repetition; `now` in seconds since the epoch."""
    methods = list(dict.fromkeys(private.get("methodsRegistered", ())))
    access_pass = private.get(TEMPORARY_ACCESS_PASS)
    if access_pass is not None and usability(access_pass, now) == USABLE:
        methods.append(TEMPORARY_ACCESS_PASS)
    return methods


def usability(access_pass: Mapping[str, Any], now: float) -> str:
    """Of a Temporary Access Pass, whatever the policy says."""
    if access_pass["isUsableOnce"] and access_pass.get("used"):
        return USED
    start = from_stamp(access_pass["startDateTime"])
    if now < start:
        return NOT_YET
    return EXPIRED if now >= start + 60 * access_pass["lifetimeInMinutes"] else USABLE
