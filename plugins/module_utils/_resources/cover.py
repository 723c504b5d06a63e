# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what in a tenant asks users for MFA, in one ``$batch`` (private to the collection)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from .._graph.batch import Read
from .._graph.client import GraphClient
from .._graph.errors import GraphError, M365Error
from .._policy.coverage import Defences, defences, once_excluded
from .._policy.facts import Fact, UnexpectedShape, boolean, known, objects, optional_text, text, unknown
from .facts import ORGANIZATION, SECURITY_DEFAULTS

GRACE = timedelta(hours=24)

POLICIES = Read("/identity/conditionalAccess/policies", collection=True, action="list the Conditional Access policies")
LOCATIONS = Read("/identity/conditionalAccess/namedLocations", collection=True, action="list the named locations")


@dataclass(frozen=True)
class TenantCover:
    """``kind`` is the fact whether this is an ordinary tenant."""

    defences: Defences
    kind: Fact


@dataclass(frozen=True)
class Expected:
    """What earlier steps would have changed, where a dry run has to judge by that.

    ``security_defaults`` is whether they would be on, None where no step would change them. ``excluded`` are ids, in
    lower case, of people whom every Conditional Access policy would exclude.
    """

    security_defaults: bool | None = None
    excluded: frozenset[str] = frozenset()


def read_tenant_cover(client: GraphClient, *, trusted_locations: bool, expected: Expected | None = None) -> TenantCover:
    """``trusted_locations`` says whether these may go without MFA. What cannot be read covers nobody."""
    expected = expected or Expected()
    reads = [SECURITY_DEFAULTS, POLICIES, ORGANIZATION, *([LOCATIONS] if trusted_locations else [])]
    answers = dict(zip([read.path for read in reads], client.read_many(reads), strict=True))
    unread: list[str] = []
    security_defaults = _security_defaults(answers, client.now(), unread, expected.security_defaults)
    policies = _listed(answers[POLICIES.path], "the Conditional Access policies", unread)
    trusted: list[str] | None = None
    if trusted_locations:
        trusted = _trusted(_listed(answers[LOCATIONS.path], "the named locations", unread))
    found = defences(security_defaults, policies, trusted, " ".join(unread))
    return TenantCover(once_excluded(found, expected.excluded), _kind(answers))


def _kind(answers: Mapping[str, Any]) -> Fact:
    try:
        return known(text(_organization(answers), "tenantType"))
    except (M365Error, UnexpectedShape) as error:
        return unknown(_reason(error))


def _security_defaults(answers: Mapping[str, Any], now: float, unread: list[str], expected: bool | None) -> bool | None:
    """Whether they are, or are expected to be, in force for everybody; None when that is not known."""
    try:
        answer = answers[SECURITY_DEFAULTS.path]
        if isinstance(answer, GraphError):
            raise answer
        enabled = boolean(answer, "isEnabled")
        if not (enabled if expected is None else expected):
            return False
        created = optional_text(_organization(answers), "createdDateTime")
        moment = datetime.fromisoformat(created.replace("Z", "+00:00")) if created else None
    except (M365Error, UnexpectedShape, ValueError) as error:
        unread.append(f"Whether security defaults cover everybody could not be read: {_reason(error)}")
        return None
    if moment is None or datetime.fromtimestamp(now, timezone.utc) - moment < GRACE:
        unread.append("In the first 24 hours of a tenant, security defaults let people put registration off.")
        return None
    return True


def _organization(answers: Mapping[str, Any]) -> Mapping[str, Any]:
    answer = answers[ORGANIZATION.path]
    if isinstance(answer, GraphError):
        raise answer
    if not isinstance(answer, list) or len(answer) != 1:
        raise UnexpectedShape("not one organization was listed")
    return objects({"value": answer}, "value")[0]


def _listed(answer: Any, what: str, unread: list[str]) -> list[Mapping[str, Any]]:
    if isinstance(answer, list):
        return answer
    unread.append(f"Not read: {what}. {_reason(answer)}")
    return []


def _trusted(locations: Iterable[Mapping[str, Any]]) -> list[str]:
    """Ids of the locations that are marked as trusted, which only address ranges can be."""
    return [str(location.get("id")) for location in locations if location.get("isTrusted") is True]


def _reason(error: Any) -> str:
    return error.message if isinstance(error, M365Error) else f"Graph's answer has an unexpected shape: {error}."
