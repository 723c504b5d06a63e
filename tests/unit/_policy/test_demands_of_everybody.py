# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Conditional Access policies ask everybody for MFA: what the drill of the emergency accounts goes by."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.zerotrust.m365.plugins.filter.policies_that_demand_mfa import policies_that_demand_mfa


def policy(builtin: list[str], operator: str = "OR", **conditions: Any) -> dict[str, Any]:
    return {
        "displayName": "MFA",
        "state": "enabled",
        "conditions": {
            "users": {"includeUsers": ["All"], "excludeGroups": ["x"]},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
            "locations": None,
            "signInRiskLevels": [],
            **conditions,
        },
        "grantControls": {"operator": operator, "builtInControls": builtin, "authenticationStrength": None},
    }


def strength(identifier: str, *builtin: str, **more: Any) -> dict[str, Any]:
    grant = {"operator": "OR", "builtInControls": [*builtin], "authenticationStrength": {"id": identifier, **more}}
    return {**policy([]), "grantControls": grant}


RESISTANT = "00000000-0000-0000-0000-000000000004"
DEMANDING = {
    "mfa": (policy(["mfa"]), True),
    "mfa-and": (policy(["mfa", "compliantDevice"], "AND"), True),
    "mfa-or": (policy(["mfa", "compliantDevice"]), False),
    "strength": (strength(RESISTANT), True),
    "strength-or": (strength(RESISTANT, "compliantDevice"), False),
    "strength-of-a-password": (strength("own", requirementsSatisfied="none", allowedCombinations=["password"]), False),
    "block": (policy(["block"]), False),
    "session-only": ({**policy([]), "grantControls": None}, False),
    "report-only": ({**policy(["mfa"]), "state": "enabledForReportingButNotEnforced"}, False),
    "administrators": (policy(["mfa"], users={"includeUsers": [], "includeRoles": ["x"]}), False),
    "nobody": (policy(["mfa"], users={"includeUsers": None}), False),
    "one-application": (policy(["mfa"], applications={"includeApplications": ["Office365"]}), False),
    "all-but-one-application": (
        policy(["mfa"], applications={"includeApplications": ["All"], "excludeApplications": ["x"]}),
        False,
    ),
    "browsers": (policy(["mfa"], clientAppTypes=["browser"]), False),
    "abroad": (policy(["mfa"], locations={"includeLocations": ["AllTrusted"]}), False),
    "outside-the-office": (policy(["mfa"], locations={"includeLocations": ["All"], "excludeLocations": ["x"]}), False),
    "at-risk": (policy(["mfa"], signInRiskLevels=["high"]), False),
    "windows": (policy(["mfa"], platforms={"includePlatforms": ["windows"]}), False),
    "of-a-later-year": (policy(["mfa"], moonPhases=["full"]), False),
    "of-another-shape": ({"displayName": "MFA", "state": "enabled", "conditions": []}, False),
}


@pytest.mark.parametrize(("one", "demands"), DEMANDING.values(), ids=DEMANDING)
def test_which_policies_demand_mfa_of_everybody(one: dict[str, Any], demands: bool) -> None:
    assert policies_that_demand_mfa([one]) == (["MFA"] if demands else [])


@pytest.mark.parametrize("policies", [None, "x", [None], {"value": []}])
def test_what_is_no_list_of_policies_is_refused(policies: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="needs a list of Conditional Access policies"):
        policies_that_demand_mfa(policies)
