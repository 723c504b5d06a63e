# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios 40 to 43: what a licence opens."""

from __future__ import annotations

from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    DISABLED,
    ENABLED,
    GLOBAL_ADMINISTRATOR,
    LOCATIONS,
    MFA_FOR_ALL,
    POLICIES,
    REGISTRATIONS,
    REPORT_ONLY,
    USERS,
    assume,
    refused,
    under,
    user_named,
    write_policy,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Client

NOT_LICENSED = "Your tenant is not licensed for this feature. Please upgrade your subscription to access it."
NO_PREMIUM = ("Neither tenant is B2C or tenant doesn't have premium license",)
NEEDS_P2 = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."
RISK_NEEDS_P2 = (
    "1039: Cannot create or update policies with premium P2 features. Upgrade to a premium P2 license and try again."
)
NEEDS_WORKLOAD_IDENTITIES = (
    "1150: Cannot create or update policies with workload identity premium features. Upgrade to a workload identity "
    "premium P1 or P2 license and try again"
)
ENTRA_P2 = "eec0eb4f-6444-4f95-aba0-50c24d67f998"
WORKLOAD_IDENTITIES_P1 = "84c289f0-efcb-486f-8581-07f44fc9efad"
ROLES = "/v1.0/roleManagement/directory"
SCHEDULES = (
    "roleAssignmentScheduleRequests",
    "roleAssignmentSchedules",
    "roleAssignmentScheduleInstances",
    "roleEligibilityScheduleRequests",
    "roleEligibilitySchedules",
    "roleEligibilityScheduleInstances",
)


@under("conditional_access_read_on_free")
def test_scenario_40_no_policy_without_p1(greenfield: Client, conditional_access_read_on_free: str) -> None:
    assume(greenfield, conditional_access_read_on_free=conditional_access_read_on_free)
    for state in (ENABLED, DISABLED, REPORT_ONLY):
        assert refused(write_policy(greenfield, state=state), 403, "AccessDenied") == NOT_LICENSED
    for path in (POLICIES, LOCATIONS):
        answer = greenfield.get(path)
        assert answer.status == int(conditional_access_read_on_free)
        assert answer.status == 403 or answer.value == []


def test_scenario_41_no_reports_without_p1(greenfield: Client, business: Client) -> None:
    activity = f"{USERS}?$select=id,signInActivity&$top=1"
    for path in ("/v1.0/auditLogs/signIns", REGISTRATIONS, activity):
        message = refused(greenfield.get(path), 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
        assert message in NO_PREMIUM
        assert business.get(path).value != []
    assert greenfield.get("/v1.0/auditLogs/directoryAudits").status == 200


def test_scenario_42_no_schedules_and_no_risk_without_p2(greenfield: Client, business: Client) -> None:
    user = user_named(business, "Karim Ali")
    request = {"action": "adminAssign", "principalId": user, "roleDefinitionId": GLOBAL_ADMINISTRATOR}
    for name in SCHEDULES:
        assert refused(business.get(f"{ROLES}/{name}"), 400, "AadPremiumLicenseRequired") == NEEDS_P2
        if name.endswith("Requests"):
            answer = business.call("POST", f"{ROLES}/{name}", {**request, "directoryScopeId": "/"})
            assert refused(answer, 400, "AadPremiumLicenseRequired") == NEEDS_P2
    for risk in ("userRiskLevels", "signInRiskLevels"):
        conditions = {**MFA_FOR_ALL["conditions"], risk: ["high"]}
        assert refused(write_policy(business, conditions=conditions), 400, "BadRequest") == RISK_NEEDS_P2
    for client in (greenfield, business):
        message = refused(client.get("/v1.0/identityProtection/riskyUsers"), 403, "Forbidden")
        assert message == "Your tenant is not licensed for this feature."


def buy(client: Client, plan: str) -> None:
    """Put a service plan into the tenant's first subscription."""
    store = client.simulation.store.tenant(client.tenant.number)
    sku = store.documents("subscribedSku")[0]
    plans = [*sku["servicePlans"], {**sku["servicePlans"][0], "servicePlanId": plan}]
    store.update("subscribedSku", sku["id"], document={**sku, "servicePlans": plans})
    client.simulation.store.commit()


def test_with_p2_nothing_is_invented(business: Client) -> None:
    buy(business, ENTRA_P2)
    refused(business.get("/v1.0/identityProtection/riskyUsers"), 400, "BadRequest")
    conditions = {**MFA_FOR_ALL["conditions"], "userRiskLevels": ["high"]}
    assert write_policy(business, conditions=conditions).status == 201


def test_scenario_43_policies_for_applications_take_their_own_licence(business: Client) -> None:
    conditions = {
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]},
        "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]},
    }
    block = {"operator": "OR", "builtInControls": ["block"]}

    answer = write_policy(business, conditions=conditions, grantControls=block)
    assert refused(answer, 400, "BadRequest") == NEEDS_WORKLOAD_IDENTITIES
    buy(business, WORKLOAD_IDENTITIES_P1)
    made = write_policy(business, conditions=conditions, grantControls=block)
    assert (made.status, made.body["conditions"]["users"]["includeUsers"]) == (201, ["None"])
