# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What needs Entra ID P2 and is simulated only as far as its refusal: role schedules and risky users.

With P2 they are answered as any address that the simulator does not have.
"""

from __future__ import annotations

from m365_simulator.graph.errors import GraphError, unknown_segment
from m365_simulator.graph.permissions import SCHEDULES
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.licences import P2, tier_of

SCHEDULES_PATH = "/roleManagement/directory"
RISKY_USERS_PATH = "/identityProtection/riskyUsers"


def _has_p2(call: Call) -> bool:
    return tier_of(call.store.documents("subscribedSku")) == P2


def refuse_schedules(call: Call) -> GraphResponse:
    if not _has_p2(call):
        raise GraphError(
            400,
            "AadPremiumLicenseRequired",
            "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
        )
    raise unknown_segment(call.request.path.rstrip("/").rpartition("/")[2])


def refuse_risky_users(call: Call) -> GraphResponse:
    if not _has_p2(call):
        raise GraphError(403, "Forbidden", "Your tenant is not licensed for this feature.")
    raise unknown_segment("riskyUsers")


ROUTES = [
    *(Route("GET", f"{SCHEDULES_PATH}/{name}", refuse_schedules) for name in SCHEDULES),
    *(Route("POST", f"{SCHEDULES_PATH}/{name}", refuse_schedules) for name in SCHEDULES if name.endswith("Requests")),
    Route("GET", RISKY_USERS_PATH, refuse_risky_users),
]
