# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Graph's published limits, and what each request costs.

Source: Microsoft Graph documentation, "Microsoft Graph service-specific throttling limits" (identity and access,
identity and access reports, identity protection and Conditional Access) and "Microsoft Graph throttling guidance".
Left out: the limits of one application over all tenants, and of one tenant over all applications, which an application
with one tenant cannot reach before its own.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from m365_simulator.clock import Pace

DIRECTORY, WRITES, REPORTS, CONDITIONAL_ACCESS = "directory", "writes", "reports", "conditional_access"

SMALL_BELOW, LARGE_ABOVE = 50, 500
"""Users of a tenant: fewer than 50 make it small, more than 500 large."""


@dataclass(frozen=True)
class Limit:
    """`amounts` by size of the tenant (small, medium, large) per `seconds`. `lowest` is the highest cost of a request,
    below which a limit would never let it pass. `retry_after` is decimal, whole, or None where Graph sends none.
    `information` and `scope` are what the headers x-ms-throttle-... say; empty where none is documented."""

    seconds: float
    amounts: tuple[int, int, int]
    retry_after: str | None
    information: str = ""
    scope: str = ""
    lowest: int = 1
    per_application: bool = True


LIMITS: dict[str, Limit] = {
    DIRECTORY: Limit(
        10, (3500, 5000, 8000), "decimal", "ResourceUnitLimitExceeded", "Tenant_Application/ReadWrite", lowest=6
    ),
    WRITES: Limit(150, (3000,) * 3, "decimal", "WriteLimitExceeded", "Tenant_Application/Write"),
    REPORTS: Limit(10, (5,) * 3, "whole"),
    CONDITIONAL_ACCESS: Limit(1, (1,) * 3, None, per_application=False),
}
"""That the scope of the limit of writes is called Write, and that reports send whole seconds, are assumptions."""

_COSTS: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("GET", ("applications",), 2),
    ("GET", ("applications", "*", "extensionproperties"), 2),
    ("GET", ("contracts",), 3),
    ("POST", ("directoryobjects", "getbyids"), 3),
    ("GET", ("domains", "*", "domainnamereferences"), 4),
    ("GET", ("groups", "*", "members"), 3),
    ("GET", ("groups", "*", "transitivemembers"), 5),
    ("GET", ("oauth2permissiongrants",), 2),
    ("GET", ("oauth2permissiongrants", "*"), 2),
    ("GET", ("subscribedskus",), 3),
    ("GET", ("users",), 2),
    ("POST", ("users", "*", "checkmembergroups"), 4),
    ("POST", ("users", "*", "checkmemberobjects"), 4),
    ("POST", ("users", "*", "getmembergroups"), 2),
    ("POST", ("users", "*", "getmemberobjects"), 2),
    ("GET", ("users", "*", "licensedetails"), 2),
    ("GET", ("users", "*", "memberof"), 2),
    ("GET", ("users", "*", "ownedobjects"), 2),
    ("GET", ("users", "*", "transitivememberof"), 2),
)
"""The paths that the documentation lists; every other one costs 1."""
_READING_POSTS = frozenset(
    {"getbyids", "checkmembergroups", "checkmemberobjects", "getmembergroups", "getmemberobjects"}
)


def resource_units(method: str, segments: list[str], options: Mapping[str, str]) -> int:
    """What a request to the directory costs. `segments` of its path and names of `options` are in lower case."""
    listed = (cost for verb, pattern, cost in _COSTS if verb == method and _fits(pattern, segments))
    cost = next(listed, 1)
    if method == "GET":
        cost -= "$select" in options
        cost += "$expand" in options
        top = options.get("$top", "")
        cost -= top.isdigit() and int(top) < 20
    return max(1, cost)


def _fits(pattern: tuple[str, ...], segments: list[str]) -> bool:
    return len(pattern) == len(segments) and all(
        part in ("*", segment) for part, segment in zip(pattern, segments, strict=True)
    )


def charges(method: str, segments: list[str], options: Mapping[str, str]) -> list[tuple[str, int]]:
    """The limits that a request counts against, each with its cost."""
    area = segments[:2]
    if area == ["identity", "conditionalaccess"] or area[:1] == ["identityprotection"]:
        return [(CONDITIONAL_ACCESS, 1)]
    if area[:1] in (["reports"], ["auditlogs"]):
        return [(REPORTS, 1)]
    charged = [(DIRECTORY, resource_units(method, segments, options))]
    if method != "GET" and not _READING_POSTS.intersection(segments[-1:]):
        charged.append((WRITES, 1))
    return charged


class Bucket:
    """`amount` tokens, each of which comes back `seconds` after it was taken: in no span of `seconds` is more than
    `amount` taken. Times are in seconds of any clock that does not go back."""

    def __init__(self, amount: int, seconds: float) -> None:
        self.amount, self.seconds = amount, seconds
        self._back: deque[tuple[float, int]] = deque()
        self._taken = 0

    def wait(self, now: float, cost: int) -> float:
        """Seconds until `cost` tokens are there; 0 when they are."""
        while self._back and self._back[0][0] <= now:
            self._taken -= self._back.popleft()[1]
        free = self.amount - self._taken
        if free >= cost:
            return 0.0
        for back, tokens in self._back:
            free += tokens
            if free >= cost:
                return back - now
        return math.inf

    def take(self, now: float, cost: int) -> None:
        self._back.append((now + self.seconds, cost))
        self._taken += cost

    def used(self, more: int = 0) -> float:
        """The part of the tokens that is out, or would be with `more`."""
        return (self._taken + more) / self.amount


@dataclass(frozen=True)
class Verdict:
    """`refused` names the limit that was reached; None when the request may pass."""

    refused: str | None
    headers: dict[str, str]


class Throttle:
    """The limits in force, for all tenants."""

    def __init__(self, amounts: Mapping[str, int], published: bool, pace: Pace) -> None:
        self._amounts = dict(amounts)
        self._names = frozenset(LIMITS if published else amounts)
        self._pace = pace
        self._buckets: dict[tuple[str, str, str], Bucket] = {}

    @property
    def on(self) -> bool:
        return bool(self._names)

    def forget(self, tenant: str) -> None:
        """A tenant starts again with full buckets."""
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if key[1] != tenant}

    def judge(
        self,
        charged: list[tuple[str, int]],
        tenant: str,
        application: str,
        users: Callable[[], int],
        *,
        accrues: bool,
    ) -> Verdict:
        """Take what a request costs, from all of its limits or from none. `users` counts those of the tenant, and is
        asked once. With `accrues` a refused request counts too."""
        now = self._pace.now()
        found = [
            (name, cost, self._bucket(name, tenant, application, users))
            for name, cost in charged
            if name in self._names
        ]
        waits = [(bucket.wait(now, cost), name, cost, bucket) for name, cost, bucket in found]
        longest = max((wait for wait, *_unused in waits), default=0.0)
        if longest > 0:
            _unused, name, cost, bucket = next(item for item in waits if item[0] == longest)
            headers = self._refusal(name, bucket, cost, longest, tenant, application)
            if accrues:
                for _wait, _name, more, accruing in waits:
                    accruing.take(now, more)
            return Verdict(name, headers)
        for _name, cost, bucket in found:
            bucket.take(now, cost)
        told = (bucket.used() for name, _cost, bucket in found if LIMITS[name].information)
        return Verdict(None, _percentage(max(told, default=0.0)))

    def _bucket(self, name: str, tenant: str, application: str, users: Callable[[], int]) -> Bucket:
        limit = LIMITS[name]
        key = (name, tenant, application if limit.per_application else "")
        if key not in self._buckets:
            amount = self._amounts.get(name)
            if amount is None:
                small, medium, large = limit.amounts
                count = users() if small != large else 0
                amount = small if count < SMALL_BELOW else medium if count <= LARGE_ABOVE else large
            self._buckets[key] = Bucket(amount, limit.seconds)
        return self._buckets[key]

    def _refusal(
        self, name: str, bucket: Bucket, cost: int, wait: float, tenant: str, application: str
    ) -> dict[str, str]:
        limit = LIMITS[name]
        headers = {}
        if limit.information:
            headers["x-ms-throttle-information"] = limit.information
            headers["x-ms-throttle-scope"] = f"{limit.scope}/{application}/{tenant}"
            headers.update(_percentage(bucket.used(cost)))
        real = self._pace.real(wait)
        if limit.retry_after == "decimal":
            # Never less than the wait, or a client that keeps to it comes too early.
            headers["Retry-After"] = f"{math.ceil(real * 1000) / 1000:.3f}"
        elif limit.retry_after == "whole":
            headers["Retry-After"] = str(max(1, math.ceil(real)))
        return headers


def _percentage(used: float) -> dict[str, str]:
    """Graph tells it above 0.8 only, and up to 1.8."""
    return {"x-ms-throttle-limit-percentage": f"{min(used, 1.8):.2f}"} if used > 0.8 else {}
