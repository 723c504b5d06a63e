# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has registered for MFA, as far as that can be told (private to the collection). Pure functions.

Source: Microsoft's pages "userRegistrationDetails resource type" and "internalDomainFederation resource type": where
the federated identity provider does MFA, Entra has nothing registered, and the report shows the user as not registered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .facts import Fact

REGISTERED, UNREGISTERED, UNKNOWN = "registered", "unregistered", "unknown"
ENTRA_DOES_MFA = "rejectMfaByFederatedIdp"


def elsewhere(federation: Fact) -> frozenset[str] | None:
    """The domains whose people may do MFA on premises; None when that is not known.

    ``federation`` is the fact of that name: a list of {domain, federated_idp_mfa_behavior}.
    """
    if not federation.known:
        return None
    return frozenset(
        str(item["domain"]).lower() for item in federation.value if item["federated_idp_mfa_behavior"] != ENTRA_DOES_MFA
    )


def registered(name: str, reported: bool | None, domains: frozenset[str] | None) -> str:
    """REGISTERED, UNREGISTERED or UNKNOWN. ``reported`` is isMfaRegistered, None for somebody whom it leaves out."""
    if reported:
        return REGISTERED
    if reported is None or domains is None or name.rpartition("@")[2].lower() in domains:
        return UNKNOWN
    return UNREGISTERED


def summary(names: Mapping[str, str], reported: Mapping[str, bool], domains: frozenset[str] | None) -> dict[str, Any]:
    """Principal names by id, sorted into registered (a count), unregistered and unknown (names)."""
    found: dict[str, list[str]] = {REGISTERED: [], UNREGISTERED: [], UNKNOWN: []}
    for identity, name in names.items():
        found[registered(name, reported.get(identity.lower()), domains)].append(name)
    return {
        "registered": len(found[REGISTERED]),
        "unregistered": sorted(found[UNREGISTERED]),
        "unknown": sorted(found[UNKNOWN]),
    }


def reported_by_id(page: Iterable[Mapping[str, Any]]) -> dict[str, bool]:
    """isMfaRegistered by id in lower case, of those for whom it is shown."""
    return {
        str(item["id"]).lower(): item["isMfaRegistered"]
        for item in page
        if isinstance(item.get("id"), str) and isinstance(item.get("isMfaRegistered"), bool)
    }
