# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan of faults, read from YAML or JSON. simulator/README.md, section Faults, explains every key."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from m365_simulator.errors import SimulatorError
from m365_simulator.faults.throttling import LIMITS

ERROR, RESET, SLOW, TRUNCATED, NOT_JSON = "error", "reset", "slow", "truncated", "not_json"
TOKEN_EXPIRED, LATE_VISIBILITY, STALE, HOLD = "token_expired", "late_visibility", "stale", "hold"

BEFORE, AFTER, WRITE = "before", "after", "write"
"""When a fault strikes: before the request takes effect, after it, or (those that hide a write) while it does."""

OBJECT, LIST = "object", "list"
WHERE = (OBJECT, LIST, WRITE)

VERBS = ("GET", "POST", "PATCH", "PUT", "DELETE")
BODIES = ("graph", "html", "empty")
LONGEST_SECONDS = 86_400 * 30
LARGEST_COUNT = 1_000_000

_MATCHING = frozenset({"path", "method", "kind", "name", "tenant", "times", "after", "probability"})
_ANSWERING = _MATCHING | {"page"}
_HIDING = _MATCHING | {"seconds", "reads", "where", "share"}
KINDS: dict[str, frozenset[str]] = {
    ERROR: _ANSWERING | {"status", "code", "retry_after", "body", "when"},
    RESET: _ANSWERING | {"status", "when"},
    SLOW: _ANSWERING | {"seconds", "when"},
    TRUNCATED: _ANSWERING,
    NOT_JSON: _ANSWERING | {"when"},
    TOKEN_EXPIRED: _ANSWERING,
    LATE_VISIBILITY: _HIDING,
    STALE: _HIDING,
    HOLD: _ANSWERING | {"when"},
}
"""The kinds of faults, and the keys that each may have."""


@dataclass(frozen=True)
class Asked:
    """What a fault is matched against. `path` begins with the version (`/v1.0/users`), at sign-in with the tenant;
    `tenant` is its id, empty where it is unknown; `page` counts the pages of a collection from 1; `bears_token` is
    false at sign-in."""

    method: str
    path: str
    tenant: str
    page: int | None = None
    bears_token: bool = True


@dataclass(frozen=True)
class Fault:
    """`path` is searched for in the whole path. `times` None strikes always, `after` lets the first ones pass;
    both count per tenant. `seconds` are simulated ones. `share` is the part of the reads that see the old state."""

    path: re.Pattern[str]
    kind: str
    name: str
    methods: tuple[str, ...] | None = None
    status: int = 0
    code: str = "UnknownError"
    retry_after: str | None = None
    body: str = BODIES[0]
    stage: str = BEFORE
    times: int | None = 1
    after: int = 0
    probability: float | None = None
    page: int | None = None
    tenant: str | None = None
    seconds: float | None = None
    reads: int | None = None
    where: tuple[str, ...] = ()
    share: float = 1.0

    def matches(self, asked: Asked) -> bool:
        return (
            (self.methods is None or asked.method in self.methods)
            and (self.tenant is None or asked.tenant == self.tenant)
            and (asked.bears_token or self.kind != TOKEN_EXPIRED)
            and (self.page is None or (asked.page == self.page and asked.method == "GET"))
            and self.path.search(asked.path) is not None
        )


@dataclass(frozen=True)
class Plan:
    """`time_scale` is simulated seconds per real second. `limits` are amounts by name, see throttling.LIMITS; with
    `throttling` those not named are the published ones, otherwise they are off."""

    seed: int = 1
    time_scale: float = 1.0
    throttling: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def load_plan(path: Path) -> Plan:
    """Raise SimulatorError when the file cannot be read, or is no plan."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is not UTF-8 text"
        raise SimulatorError(f"The plan of faults {path} cannot be read: {reason}.") from None
    return parse_plan(text, f"the plan of faults {path}")


def parse_plan(text: str, where: str) -> Plan:
    """Raise SimulatorError with one sentence when the text is no YAML or no plan; `where` is named in it."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise SimulatorError(f"{_sentence(where)}{line}, is not valid YAML: {problem}.") from None
    except (ValueError, RecursionError, OverflowError):
        # A date that is none, a number of thousands of digits, brackets without end.
        raise SimulatorError(f"{_sentence(where)} is not valid YAML: a value in it cannot be read.") from None
    return read_plan({} if content is None else content, where)


def read_plan(content: Any, where: str) -> Plan:
    """Raise SimulatorError with one sentence."""
    label = _sentence(where)
    if not isinstance(content, dict):
        raise SimulatorError(f"{label} must be a mapping.")
    _check_keys(content, ("seed", "time_scale", "throttling", "limits", "faults"), label)
    found = [read_fault(fault, f"fault {n} of {where}") for n, fault in enumerate(_list(content, "faults", label), 1)]
    return Plan(
        seed=_whole(content.get("seed", 1), "seed", label, None),
        time_scale=_number(content.get("time_scale", 1), "time_scale", label, 0.001, 1_000_000),
        throttling=_boolean(content.get("throttling", False), "throttling", label),
        limits=_read_limits(content.get("limits", {}), label),
        faults=tuple(found),
    )


def read_fault(content: Any, where: str) -> Fault:
    """Raise SimulatorError with one sentence."""
    label = _sentence(where)
    if not isinstance(content, dict):
        raise SimulatorError(f"{label} must be a mapping.")
    kind = _kind(content, label)
    _check_keys(content, KINDS[kind], f"{label} (of the kind {kind})")
    path = _pattern(content.get("path"), label)
    status = _whole(content.get("status"), "status", label, 400, 599) if kind == ERROR else 0
    methods = _methods(content.get("method"), label)
    probability = content.get("probability")
    if probability is not None:
        probability = _number(probability, "probability", label, 0, 1)
    times = content.get("times", 1 if probability is None else None)
    if kind in (LATE_VISIBILITY, STALE):
        methods = _writing(methods, kind, label)
    page = content.get("page")
    if page is not None and methods is not None and "GET" not in methods:
        raise SimulatorError(f"{label}: only a GET has pages, so page and this method never meet.")
    name = content.get("name")
    return Fault(
        path=path,
        kind=kind,
        name=f"{status or kind.replace('_', ' ')} at {path.pattern[:60]}"
        if name is None
        else _text(name, "name", label),
        methods=methods,
        status=status,
        code=_text(content.get("code", Fault.code), "code", label),
        retry_after=_retry_after(content.get("retry_after"), label),
        body=_one_of(content.get("body", BODIES[0]), "body", BODIES, label),
        stage=_stage(content, kind, label),
        times=None if times is None else _whole(times, "times", label, 1, LARGEST_COUNT, "or null for always"),
        after=_whole(content.get("after", 0), "after", label, 0, LARGEST_COUNT),
        probability=probability,
        page=None if page is None else _whole(page, "page", label, 1, LARGEST_COUNT),
        tenant=_text(content["tenant"], "tenant", label).lower() if content.get("tenant") is not None else None,
        **_duration(content, kind, label),
        where=_where(content, kind, label),
        share=_number(content.get("share", 1), "share", label, 0, 1),
    )


def _kind(content: Mapping[str, Any], label: str) -> str:
    """By itself a status says it: a number is an error, `reset` a reset."""
    status = content.get("status")
    if "kind" in content:
        kind = _one_of(content["kind"], "kind", KINDS, label)
        if kind == RESET and status not in (None, RESET):
            raise SimulatorError(f"{label} (of the kind reset) has no status.")
        return kind
    if status == RESET:
        return RESET
    if status is None:
        raise SimulatorError(
            f"{label} needs a status (400 to 599, or reset) or a kind: choose from {', '.join(KINDS)}."
        )
    _whole(status, "status", label, 400, 599, "or reset")
    return ERROR


def _stage(content: Mapping[str, Any], kind: str, label: str) -> str:
    if kind in (LATE_VISIBILITY, STALE):
        return WRITE
    if kind == TRUNCATED:
        return AFTER
    return _one_of(content.get("when", BEFORE), "when", (BEFORE, AFTER), label)


def _duration(content: Mapping[str, Any], kind: str, label: str) -> dict[str, Any]:
    seconds, reads = content.get("seconds"), content.get("reads")
    if kind == SLOW and seconds is None:
        raise SimulatorError(f"{label} needs seconds: how long the answer takes.")
    if kind in (LATE_VISIBILITY, STALE) and (seconds is None) == (reads is None):
        raise SimulatorError(f"{label} needs either seconds or reads: how long the old state is seen.")
    return {
        "seconds": None if seconds is None else _number(seconds, "seconds", label, 0, LONGEST_SECONDS),
        "reads": None if reads is None else _whole(reads, "reads", label, 1, LARGEST_COUNT),
    }


def _where(content: Mapping[str, Any], kind: str, label: str) -> tuple[str, ...]:
    if kind not in (LATE_VISIBILITY, STALE):
        return ()
    default = WHERE if kind == LATE_VISIBILITY else (OBJECT, LIST)
    if content.get("where") is None:
        return default
    named = content["where"] if isinstance(content["where"], list) else [content["where"]]
    if not named:
        raise SimulatorError(f"{label}: where is empty; choose from {', '.join(WHERE)}.")
    return tuple(_one_of(one, "where", WHERE, label) for one in named)


def _writing(methods: tuple[str, ...] | None, kind: str, label: str) -> tuple[str, ...]:
    """What is hidden is a write: a creation, or any."""
    if methods is None:
        return ("POST",) if kind == LATE_VISIBILITY else VERBS[1:]
    if "GET" in methods:
        raise SimulatorError(f"{label} (of the kind {kind}) strikes writes, so its method cannot be GET.")
    return methods


def _methods(value: Any, label: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    named = value if isinstance(value, list) else [value]
    if not named:
        raise SimulatorError(f"{label}: method is empty; choose from {', '.join(VERBS)}.")
    return tuple(_one_of(str(one).upper() if isinstance(one, str) else one, "method", VERBS, label) for one in named)


def _pattern(value: Any, label: str) -> re.Pattern[str]:
    if not isinstance(value, str) or not value:
        raise SimulatorError(f"{label} needs a path: a regular expression.")
    try:
        return re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise SimulatorError(f"{label}: its path is no regular expression: {_short(error)}.") from None


def _retry_after(value: Any, label: str) -> str | None:
    """As it is to be sent: seconds, a date, or something that no client understands."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[ -~]{1,100}", value) and value.strip() == value:
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LONGEST_SECONDS:
        return f"{value:g}" if value == int(value) else f"{value:.3f}".rstrip("0")
    raise SimulatorError(f"{label}: retry_after must be seconds or plain text, not {_short(value)}.")


def _read_limits(value: Any, label: str) -> dict[str, int]:
    if not isinstance(value, dict):
        raise SimulatorError(f"{label}: limits must be a mapping.")
    _check_keys(value, LIMITS, f"{label}, in its limits,")
    return {name: _whole(amount, name, label, LIMITS[name].lowest, 10**9) for name, amount in value.items()}


# Values


def _check_keys(content: Mapping[Any, Any], allowed: Collection[str], label: str) -> None:
    for key in content:
        if key not in allowed:
            raise SimulatorError(f"{label} has no {_short(key)}; allowed are {', '.join(sorted(allowed))}.")


def _list(content: Mapping[str, Any], key: str, label: str) -> list[Any]:
    value = content.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise SimulatorError(f"{label}: {key} must be a list.")
    return value


def _whole(value: Any, key: str, label: str, lowest: int | None, highest: int | None = None, more: str = "") -> int:
    fits = isinstance(value, int) and not isinstance(value, bool)
    if fits and lowest is not None:
        fits = value >= lowest
    if fits and highest is not None:
        fits = value <= highest
    if not fits:
        bounds = "" if lowest is None else f" from {lowest}" + ("" if highest is None else f" to {highest}")
        raise SimulatorError(
            f"{label}: {key} must be a whole number{bounds}{', ' + more if more else ''}, not {_short(value)}."
        )
    return int(value)


def _number(value: Any, key: str, label: str, lowest: float, highest: float) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (number and math.isfinite(float(min(value, 10**30))) and lowest <= value <= highest):
        raise SimulatorError(f"{label}: {key} must be a number from {lowest:g} to {highest:g}, not {_short(value)}.")
    return float(value)


def _boolean(value: Any, key: str, label: str) -> bool:
    if not isinstance(value, bool):
        raise SimulatorError(f"{label}: {key} must be true or false, not {_short(value)}.")
    return value


def _text(value: Any, key: str, label: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SimulatorError(f"{label}: {key} must be a text, not {_short(value)}.")
    return value


def _one_of(value: Any, key: str, allowed: Collection[str], label: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise SimulatorError(f"{label}: {key} must be one of {', '.join(allowed)}, not {_short(value)}.")
    return value


def _sentence(where: str) -> str:
    return where[:1].upper() + where[1:]


def _short(value: Any) -> str:
    """On one line, however long or deep it is."""
    try:
        text = str(value) if isinstance(value, BaseException) else repr(value)
    except (RecursionError, ValueError):
        return f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."
