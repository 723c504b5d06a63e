# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which permissions each call needs, and Graph's words when one is missing."""

from __future__ import annotations

from typing import Any

import pytest

from m365_simulator.builder import DEFAULT_PERMISSIONS
from m365_simulator.graph.permissions import PERMISSIONS
from m365_simulator.graph.service import ROUTES

SCOPES_MISSING = "You cannot perform the requested operation, required scopes are missing in the token."


def test_every_route_has_its_permissions_and_every_row_its_route() -> None:
    routes = {(route.method, route.template) for route in ROUTES}
    assert routes - set(PERMISSIONS) == {("GET", "/me")}
    assert set(PERMISSIONS) <= routes


NOT_OF_THE_COLLECTION = {
    "/directoryObjects/{id}",
    "/directoryObjects/getByIds",
    "/policies/deviceRegistrationPolicy",
    "/policies/featureRolloutPolicies",
    "/policies/permissionGrantPolicies",
}
"""Only other clients ask for these, and they need permissions of their own."""


def test_the_shipped_application_may_do_all_but_what_other_clients_do() -> None:
    granted = frozenset(DEFAULT_PERMISSIONS)
    lacking = {path for (_method, path), needs in PERMISSIONS.items() if not all(need & granted for need in needs)}
    assert lacking == NOT_OF_THE_COLLECTION


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1.0/users", "Authorization_RequestDenied"),
        ("/v1.0/organization", "Authorization_RequestDenied"),
        ("/v1.0/roleManagement/directory/roleAssignments", "Authorization_RequestDenied"),
        ("/v1.0/policies/authenticationMethodsPolicy", "AccessDenied"),
        ("/v1.0/identity/conditionalAccess/policies", "AccessDenied"),
        ("/beta/users/x/authentication/requirements", "AccessDenied"),
        ("/v1.0/auditLogs/signIns", "Authentication_MSGraphPermissionMissing"),
    ],
)
def test_each_area_has_its_own_words(business: Any, path: str, code: str) -> None:
    business.grant("Application.Read.All")
    answer = business.get(path)
    assert (answer.status, answer.code) == (403, code)


@pytest.mark.parametrize(
    ("path", "enough"),
    [
        ("/domains/{domain}/federationConfiguration", "Domain.Read.All"),
        ("/domains/{domain}/federationConfiguration", "Domain-InternalFederation.Read.All"),
        ("/roleManagement/directory/roleAssignmentScheduleInstances", "RoleManagement.Read.Directory"),
        ("/roleManagement/directory/roleAssignmentScheduleInstances", "RoleAssignmentSchedule.Read.Directory"),
        ("/roleManagement/directory/roleEligibilityScheduleInstances", "RoleManagement.Read.Directory"),
    ],
)
def test_reading_the_directory_is_not_reading_all_of_it(hybrid: Any, path: str, enough: str) -> None:
    """The pages of these operations name neither Directory.Read.All nor Directory.ReadWrite.All."""
    (federated,) = [one["id"] for one in hybrid.get("/v1.0/domains").value if one["authenticationType"] == "Federated"]
    path = "/v1.0" + path.format(domain=federated)
    hybrid.grant("Directory.Read.All", "Directory.ReadWrite.All")
    assert (hybrid.get(path).status, hybrid.get(path).code) == (403, "Authorization_RequestDenied")
    hybrid.grant(enough)
    assert hybrid.get(path).status != 403


def test_permission_comes_before_licence_and_body(greenfield: Any) -> None:
    greenfield.grant("Policy.Read.All")
    answer = greenfield.call("POST", "/v1.0/identity/conditionalAccess/policies", {})
    assert answer.message == SCOPES_MISSING
