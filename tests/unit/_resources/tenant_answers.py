# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Graph answers about one small tenant: only properties that a fact is made of, each of the right shape.

Names and ids are made up; shapes are those of the Microsoft Graph v1.0 reference.
"""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.licences import PREMIUM_P1_PLAN
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import (
    DIRECTORY_SYNCHRONIZATION_ACCOUNTS,
    GLOBAL_ADMINISTRATOR,
)
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import TENANT_ID, FakeGraph

GROUP = "6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a01"
READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"

ORGANIZATION = "/organization"
DOMAINS = "/domains"
SKUS = "/subscribedSkus"
SECURITY_DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
METHODS = "/policies/authenticationMethodsPolicy"
CONDITIONAL_ACCESS = "/identity/conditionalAccess/policies"
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
DEFINITIONS = "/roleManagement/directory/roleDefinitions"
FEDERATION = "/domains/federated.example/federationConfiguration"
MEMBERS = f"/groups/{GROUP}/transitiveMembers"

# Which answers each fact is made of.
SOURCES: dict[str, tuple[str, ...]] = {
    "organization": (ORGANIZATION,),
    "kind": (ORGANIZATION,),
    "domains": (DOMAINS,),
    "federation": (DOMAINS, FEDERATION),
    "licences": (SKUS,),
    "security_defaults": (SECURITY_DEFAULTS,),
    "authentication_methods": (METHODS,),
    "conditional_access": (CONDITIONAL_ACCESS,),
    "privileged_roles": (ASSIGNMENTS, DEFINITIONS, MEMBERS),
}


def person(name: str, number: int, kind: str = "user") -> dict[str, Any]:
    """Of whatever kind; only a user has a name to sign in with."""
    names = {"userPrincipalName": f"{name}@contoso.example"} if kind == "user" else {"displayName": name}
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": f"b7a1d9f0-0000-4000-8000-{number:012}", **names}


def group() -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.group", "id": GROUP, "displayName": "Administrators"}


def domain(name: str, authentication: str, initial: bool = False) -> dict[str, Any]:
    return {
        "id": name,
        "authenticationType": authentication,
        "isInitial": initial,
        "isDefault": initial,
        "isVerified": True,
    }


def user(number: int, **properties: Any) -> dict[str, Any]:
    return {
        "id": f"c7a1d9f0-0000-4000-8000-{number:012}",
        "userPrincipalName": f"user{number}@contoso.example",
        "accountEnabled": True,
        "userType": "Member",
        "onPremisesSyncEnabled": None,
        "perUserMfaState": "disabled",
        **properties,
    }


PASSWORD = {"@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": "1"}
_ANSWERS: dict[str, Any] = {
    ORGANIZATION: [
        {
            "id": TENANT_ID,
            "displayName": "Contoso",
            "createdDateTime": "2019-03-04T05:06:07Z",
            "countryLetterCode": "DE",
            "onPremisesSyncEnabled": True,
            "tenantType": "AAD",
        }
    ],
    DOMAINS: [
        domain("federated.example", "Federated"),
        domain("contoso.onmicrosoft.com", "Managed", initial=True),
    ],
    SKUS: [
        {
            "skuPartNumber": "SPB",
            "capabilityStatus": "Enabled",
            "servicePlans": [{"servicePlanId": PREMIUM_P1_PLAN, "provisioningStatus": "Success"}],
        }
    ],
    SECURITY_DEFAULTS: {"isEnabled": False},
    METHODS: {
        "policyMigrationState": "preMigration",
        "authenticationMethodConfigurations": [
            {
                "id": "MicrosoftAuthenticator",
                "state": "enabled",
                "includeTargets": [{"id": "all_users"}],
                "excludeTargets": [],
            }
        ],
    },
    CONDITIONAL_ACCESS: [
        {"displayName": "MFA for all", "state": "disabled"},
        {"displayName": "Block legacy", "state": "enabledForReportingButNotEnforced"},
    ],
    ASSIGNMENTS: [
        {"roleDefinitionId": GLOBAL_ADMINISTRATOR, "principal": person("admin", 1)},
        {"roleDefinitionId": GLOBAL_ADMINISTRATOR, "principal": group()},
        {"roleDefinitionId": READERS, "principal": person("reader", 2)},
        {"roleDefinitionId": READERS, "principal": person("admin", 1)},
        {"roleDefinitionId": DIRECTORY_SYNCHRONIZATION_ACCOUNTS, "principal": person("Sync_DC01", 3)},
    ],
    **{f"/users/{person('anybody', number)['id']}/authentication/methods": [PASSWORD] for number in range(1, 10)},
    DEFINITIONS: [
        {"id": GLOBAL_ADMINISTRATOR, "displayName": "Global Administrator"},
        {"id": READERS, "displayName": "Directory Readers"},
        {"id": DIRECTORY_SYNCHRONIZATION_ACCOUNTS, "displayName": "Directory Synchronization Accounts"},
    ],
    FEDERATION: [{"federatedIdpMfaBehavior": "enforceMfaByFederatedIdp", "issuerUri": "https://sts.federated.example"}],
    MEMBERS: [person("member", 4), person("robot", 5, "servicePrincipal")],
}


def answers(**changes: Any) -> dict[str, Any]:
    """A fresh copy of all answers."""
    return copy.deepcopy({**_ANSWERS, **changes})


def tenant(**keywords: Any) -> FakeGraph:
    """A client of that tenant, which has three users on two pages."""
    return FakeGraph(
        **{
            "objects": answers(),
            "users": [
                [user(1, perUserMfaState="enforced"), user(2, userType="Guest", perUserMfaState="enabled")],
                [user(3, accountEnabled=False, onPremisesSyncEnabled=True)],
            ],
            "openid": {"tenant_region_scope": "EU"},
            **keywords,
        }
    )
