# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody signs in between two runs: the sign-in rules judge it, and the sign-in log and signInActivity show it.

Codes and their sentences: Microsoft's page "Microsoft Entra authentication and authorization error codes".
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from m365_simulator.clock import Clock
from m365_simulator.errors import SimulatorError
from m365_simulator.registered_methods import TEMPORARY_ACCESS_PASS
from m365_simulator.sign_in_rules import Answer, Attempt, Directory, Person, judge, read_attempt
from m365_simulator.sign_in_rules.applications import (
    AZURE_CLI,
    AZURE_MANAGEMENT,
    AZURE_PORTAL,
    AZURE_POWERSHELL,
    EXCHANGE_ONLINE,
    MICROSOFT_365_ADMIN_CENTER,
    MICROSOFT_GRAPH,
    SHAREPOINT_ONLINE,
    TEAMS,
)
from m365_simulator.sign_in_rules.conditional_access import policy_applies
from m365_simulator.state import Row, TenantStore
from m365_simulator.tenants import Tenant

APPLICATIONS: dict[str, str] = {
    AZURE_CLI: "Microsoft Azure CLI",
    AZURE_MANAGEMENT: "Windows Azure Service Management API",
    AZURE_PORTAL: "Azure Portal",
    AZURE_POWERSHELL: "Microsoft Azure PowerShell",
    EXCHANGE_ONLINE: "Office 365 Exchange Online",
    MICROSOFT_365_ADMIN_CENTER: "Microsoft Office 365 Portal",
    MICROSOFT_GRAPH: "Microsoft Graph",
    SHAREPOINT_ONLINE: "Office 365 SharePoint Online",
    TEAMS: "Microsoft Teams",
}
SUITES = {
    "azuremanagement": AZURE_MANAGEMENT,
    "microsoftadminportals": AZURE_PORTAL,
    "microsoftgraph": MICROSOFT_GRAPH,
    "office365": EXCHANGE_ONLINE,
}
"""An application in the place of a name that stands for several."""
CLIENTS = {
    "browser": "Browser",
    "mobileAppsAndDesktopClients": "Mobile Apps and Desktop clients",
    "exchangeActiveSync": "Exchange ActiveSync",
    "other": "Authenticated SMTP",
}
ALL_WELL = (0, "Other.")
WRONG_PASSWORD = (50126, "Invalid username or password.")
DISABLED = (50057, "The user account is disabled.")
BLOCKED = (53003, "Access has been blocked by Conditional Access policies.")
MFA_MISSING = (50074, "Strong Authentication is required.")
MUST_REGISTER = (50072, "User needs to enroll for second factor authentication.")

METHOD_NAMES = {
    "password": "Password",
    "microsoftAuthenticatorPush": "Mobile app notification",
    "softwareOneTimePasscode": "OATH verification code",
    "hardwareOneTimePasscode": "OATH verification code",
    "mobilePhone": "Text message",
    "temporaryAccessPass": "Temporary Access Pass",
    "fido2SecurityKey": "Passkey (device-bound)",
    "passKeyDeviceBound": "Passkey (device-bound)",
    "passKeySynced": "Passkey (synced)",
    "windowsHelloForBusiness": "Windows Hello for Business",
    "x509CertificateMultiFactor": "X.509 Certificate",
}
"""authenticationMethod of authenticationDetails, which only beta has."""


def sign_in_by(store: TenantStore, tenant: Tenant, clock: Clock, user: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """An attempt of `user` (id or principal name), with the right credentials unless `wrong_password` is true, and
    interactive unless `interactive` is false; the rest of `body` is a sign_in_rules.Attempt.

    Returns `sign_in`, `mfa` and `reasons` of the rules, and the `entry` in the log. Raises SimulatorError, also when
    the attempt leaves open how it ends.
    """
    row = store.read("user", user) or store.read_by_name("user", user)
    if row is None:
        raise SimulatorError(f"There is no user {user}.")
    wrong = body.get("wrong_password", False)
    asked = {name: value for name, value in body.items() if name not in ("wrong_password", "interactive")}
    attempt = read_attempt({**asked, "user_id": row.id})
    directory = Directory.read(store, tenant, clock.now())
    answer = judge(directory, attempt)
    if answer.sign_in == "unknown" and not wrong:
        raise SimulatorError(f"It is open how this sign-in ends: {' '.join(answer.reasons)}")
    person = directory.person(row.id)
    assert person is not None
    applied = [] if wrong else _applied(directory, person, attempt, answer)
    status = WRONG_PASSWORD if wrong else _status(person, answer, applied)
    entry = {
        **_entry(clock, row, attempt, answer, status, applied),
        "isInteractive": body.get("interactive", True) is not False,
    }
    store.insert("signIn", entry["id"], entry, private=_only_in_beta(clock, attempt, person, answer, status))
    _note_on_user(store, row, entry, attempt)
    return {"sign_in": answer.sign_in, "mfa": answer.mfa, "reasons": list(answer.reasons), "entry": entry}


def _applied(directory: Directory, person: Person, attempt: Attempt, answer: Answer) -> list[dict[str, Any]]:
    """The enabled Conditional Access policies that apply, with what came of them."""
    passed = answer.sign_in in ("yes", "yes_after_mfa")
    return [
        {
            "id": policy["id"],
            "displayName": policy["displayName"],
            "enforcedGrantControls": [
                control[:1].upper() + control[1:]
                for control in (policy.get("grantControls") or {}).get("builtInControls", ())
            ],
            "enforcedSessionControls": [],
            "result": "success" if passed else "failure",
        }
        for policy in directory.policies
        if policy_applies(policy, directory, person, attempt)[0] is True
    ]


def _status(person: Person, answer: Answer, applied: list[dict[str, Any]]) -> tuple[int, str]:
    if not person.enabled:
        return DISABLED
    if answer.sign_in in ("yes", "yes_after_mfa"):
        return ALL_WELL
    if answer.sign_in == "yes_after_registration":
        return MUST_REGISTER
    if any("Block" in policy["enforcedGrantControls"] for policy in applied):
        return BLOCKED
    return MFA_MISSING if answer.mfa in ("always", "when_necessary") else WRONG_PASSWORD


def _entry(
    clock: Clock,
    row: Row,
    attempt: Attempt,
    answer: Answer,
    status: tuple[int, str],
    applied: list[dict[str, Any]],
) -> dict[str, Any]:
    application = SUITES.get(attempt.application.lower(), attempt.application)
    code, reason = status
    with_mfa = code == 0 and answer.sign_in == "yes_after_mfa"
    return {
        "id": str(uuid.uuid4()),
        "createdDateTime": clock.stamp(),
        "userDisplayName": row.document["displayName"],
        "userPrincipalName": row.document["userPrincipalName"],
        "userId": row.id,
        "appId": application,
        "appDisplayName": APPLICATIONS.get(application.lower()),
        "ipAddress": attempt.ip_address or "203.0.113.77",
        "clientAppUsed": CLIENTS[attempt.client_app],
        "correlationId": str(uuid.uuid4()),
        "conditionalAccessStatus": applied[0]["result"] if applied else "notApplied",
        "riskDetail": "none",
        "riskLevelAggregated": attempt.user_risk or "none",
        "riskLevelDuringSignIn": attempt.sign_in_risk or "none",
        "riskState": "none",
        "riskEventTypes_v2": [],
        "resourceDisplayName": APPLICATIONS.get(application.lower()),
        "resourceId": application,
        "status": {
            "errorCode": code,
            "failureReason": reason,
            "additionalDetails": "MFA completed in Azure AD" if with_mfa else None,
        },
        "deviceDetail": {
            "deviceId": "",
            "displayName": "",
            "operatingSystem": attempt.platform or "Windows",
            "browser": "Edge",
            "isCompliant": bool(attempt.device_compliant),
            "isManaged": bool(attempt.device_compliant),
            "trustType": "",
        },
        "location": {"city": "", "state": "", "countryOrRegion": attempt.country or "", "geoCoordinates": None},
        "appliedConditionalAccessPolicies": applied,
    }


def _only_in_beta(
    clock: Clock, attempt: Attempt, person: Person, answer: Answer, status: tuple[int, str]
) -> dict[str, Any]:
    """Members of the entry."""
    used = attempt.methods
    if used is None:
        used = ("password", *sorted(person.methods)[:1]) if answer.sign_in == "yes_after_mfa" else ("password",)
    return {
        "authenticationRequirement": (
            "multiFactorAuthentication" if answer.mfa in ("always", "when_necessary") else "singleFactorAuthentication"
        ),
        "authenticationDetails": [
            {
                "authenticationMethod": METHOD_NAMES.get(name, name),
                "authenticationMethodDetail": None,
                "authenticationStepDateTime": clock.stamp(),
                "authenticationStepRequirement": None,
                "authenticationStepResultDetail": None,
                "succeeded": status != WRONG_PASSWORD,
            }
            for name in used
        ],
    }


def _note_on_user(store: TenantStore, row: Row, entry: Mapping[str, Any], attempt: Attempt) -> None:
    """signInActivity; and a one-time pass is used up."""
    stamp, request = entry["createdDateTime"], entry["id"]
    kind = "lastSignIn" if entry["isInteractive"] else "lastNonInteractiveSignIn"
    activity = {
        **(row.document.get("signInActivity") or {}),
        f"{kind}DateTime": stamp,
        f"{kind}RequestId": request,
    }
    private = dict(row.private)
    if entry["status"]["errorCode"] == 0:
        activity.update(lastSuccessfulSignInDateTime=stamp, lastSuccessfulSignInRequestId=request)
        if TEMPORARY_ACCESS_PASS in (attempt.methods or ()):
            private[TEMPORARY_ACCESS_PASS] = {**private[TEMPORARY_ACCESS_PASS], "used": True}
    store.update("user", row.id, document={**row.document, "signInActivity": activity}, private=private)
