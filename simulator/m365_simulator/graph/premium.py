# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What needs Entra ID P2 and is simulated only as far as its refusal: risky users.

With P2 they are answered as any address that the simulator does not have.
"""

from __future__ import annotations

from m365_simulator.graph.errors import GraphError, unknown_segment
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.licences import P2, tier_of

RISKY_USERS_PATH = "/identityProtection/riskyUsers"


def refuse_risky_users(call: Call) -> GraphResponse:
    if tier_of(call.store.documents("subscribedSku")) != P2:
        raise GraphError(403, "Forbidden", "Your tenant is not licensed for this feature.")
    raise unknown_segment("riskyUsers")


ROUTES = [Route("GET", RISKY_USERS_PATH, refuse_risky_users)]
