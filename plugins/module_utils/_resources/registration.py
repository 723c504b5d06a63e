# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads who of some users has registered for MFA (private to the collection). The report takes Entra ID P1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._graph.client import GraphClient
from .._graph.errors import M365Error
from .._policy.registration import elsewhere, reported_by_id, summary
from .facts import gather

REPORT = "/reports/authenticationMethods/userRegistrationDetails"


def read_registration(client: GraphClient, names: Mapping[str, str]) -> dict[str, Any]:
    """Of users by id, with their principal names. What cannot be read leaves all of them unknown, and says why."""
    wanted = {identity.lower() for identity in names}
    reported: dict[str, bool] = {}
    reason = None
    try:
        for page in client.pages(REPORT, action="list who has registered for MFA"):
            reported.update((key, value) for key, value in reported_by_id(page).items() if key in wanted)
    except M365Error as error:
        reported, reason = {}, error.message
    federation = gather(client, ["federation"])["federation"]
    if reason is None and not federation.known:
        reason = f"Whether people do MFA on premises could not be read: {federation.reason}"
    return {
        "completeness": "known" if reason is None else "unknown",
        "reason": reason,
        **summary(names, reported, elsewhere(federation)),
    }
