# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects in restricted management administrative units, which only roles scoped to such a unit may change.

Source: Microsoft's page "Restricted management administrative units in Microsoft Entra ID": the permissions of an
application do not apply there; it needs a directory role at the scope of the unit.
"""

from __future__ import annotations

from collections.abc import Collection

from m365_simulator.graph.errors import GraphError
from m365_simulator.graph.router import Call
from m365_simulator.state import TenantStore

UNIT = "administrativeUnit"
"""Its kind in the store; the links of a unit lead to its members."""
SCOPE = "/administrativeUnits/"
ALWAYS_ALLOWED = frozenset({"usageLocation"})
"""Of a user's properties. Licences, and memberships of groups, are allowed too."""


def restricting_units(store: TenantStore, id: str) -> list[str]:
    """The ids, lower case, of the restricted management units that an object is in."""
    rows = (store.read(UNIT, source) for source in store.sources(id))
    return [row.id.lower() for row in rows if row is not None and row.document["isMemberManagementRestricted"]]


def check_restriction(call: Call, id: str, properties: Collection[str] = ()) -> None:
    """Raise Graph's 403 when the object is in such a unit and the application has no role scoped to one of them.
    `properties` are those that a change is limited to, if it is."""
    if properties and ALWAYS_ALLOWED.issuperset(properties):
        return
    units = restricting_units(call.store, id)
    if not units:
        return
    scopes = {
        assignment["directoryScopeId"].lower()
        for assignment in call.store.documents("roleAssignment")
        if assignment["principalId"].lower() == call.caller.object_id.lower()
    }
    if scopes.isdisjoint(f"{SCOPE}{unit}".lower() for unit in units):
        raise restricted(call)


def restricted(call: Call) -> GraphError:
    """The words are those that users report; which code Graph gives them is an assumption."""
    return GraphError(
        403,
        call.assumes("restricted_management_refusal"),
        "Insufficient privileges to complete the operation. Target object is a member of a restricted management "
        "administrative unit and can only be modified by administrators scoped to that administrative unit. Check that "
        "you are assigned a role that has permission to perform the operation for this restricted management "
        "administrative unit.",
    )
