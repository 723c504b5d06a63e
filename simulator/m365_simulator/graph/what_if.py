# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/identity/conditionalAccess/evaluate: which policies would apply to a sign-in of a user.

Source: Graph reference, conditionalAccessRoot: evaluate, and its types. Sign-ins of service principals are not
simulated. What becomes of a policy that asks for what the request does not tell is an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from m365_simulator.errors import SimulatorError
from m365_simulator.graph.answers import check_known
from m365_simulator.graph.conditional_access import PATH, POLICY, check_read
from m365_simulator.graph.errors import bad_policy
from m365_simulator.graph.router import Call, GraphResponse, Route
from m365_simulator.sign_in_rules import Attempt, Directory, Person, read_attempt
from m365_simulator.sign_in_rules.conditional_access import policy_applies
from m365_simulator.sign_in_rules.three_valued import Maybe, any_of

MEMBERS = ("signInIdentity", "signInContext", "signInConditions", "appliedPoliciesOnly")
CONDITIONS = (
    "devicePlatform",
    "clientAppType",
    "country",
    "ipAddress",
    "signInRiskLevel",
    "userRiskLevel",
    "insiderRiskLevel",
    "servicePrincipalRiskLevel",
    "authenticationFlow",
    "deviceInfo",
)
USER_ACTIONS = {
    "registerSecurityInformation": "urn:user:registersecurityinfo",
    "registerOrJoinDevices": "urn:user:registerdevice",
}
FLOWS = {"deviceCodeFlow": "deviceCode", "authenticationTransfer": "authenticationTransfer"}
STATES = ("enabled", "enabledForReportingButNotEnforced")

REASONS: dict[str, tuple[str, ...]] = {
    "users": ("users",),
    "application": ("applications",),
    "clientApps": ("clientAppTypes",),
    "location": ("locations",),
    "devicePlatform": ("platforms",),
    "devices": ("devices", "deviceStates"),
    "signInRisk": ("signInRiskLevels",),
    "userRisk": ("userRiskLevels",),
    "insiderRisk": ("insiderRiskLevels",),
    "authenticationFlow": ("authenticationFlows",),
}
"""Of Microsoft's whatIfAnalysisReasons, each with the conditions that it is about."""


def evaluate(call: Call) -> GraphResponse:
    check_read(call)
    body = call.body()
    check_known(body, MEMBERS, "evaluate")
    attempts = _attempts(body)
    directory = Directory.read(call.store, call.tenant, call.clock.now(), STATES)
    person = directory.person(attempts[0].user_id)
    if person is None:
        raise bad_policy(f"The user {attempts[0].user_id} does not exist.")
    results = [_result(call, policy, directory, person, attempts) for policy in call.store.documents(POLICY.kind)]
    if body.get("appliedPoliciesOnly"):
        results = [result for result in results if result["policyApplies"]]
    context = call.context("Collection(microsoft.graph.whatIfAnalysisResult)")
    return GraphResponse(200, {"@odata.context": context, "value": results})


def _attempts(body: Mapping[str, Any]) -> list[Attempt]:
    """One for each application that the request names."""
    identity, context = _object(body, "signInIdentity"), _object(body, "signInContext")
    conditions = _object(body, "signInConditions")
    check_known(conditions, CONDITIONS, "signInConditions")
    if identity.get("@odata.type") != "#microsoft.graph.userSignIn" or not isinstance(identity.get("userId"), str):
        raise bad_policy("signInIdentity must be a microsoft.graph.userSignIn with a userId.")
    flow = str(_object(conditions, "authenticationFlow").get("transferMethod"))
    wanted = {
        "user_id": identity["userId"],
        "client_app": conditions.get("clientAppType") or "browser",
        "flow": FLOWS.get(flow, "interactive"),
        "platform": conditions.get("devicePlatform"),
        "country": conditions.get("country"),
        "ip_address": conditions.get("ipAddress"),
        "sign_in_risk": conditions.get("signInRiskLevel"),
        "user_risk": conditions.get("userRiskLevel"),
        "device_compliant": _object(conditions, "deviceInfo").get("isCompliant"),
    }
    try:
        return [read_attempt({**wanted, **target}) for target in _targets(context)]
    except SimulatorError as error:
        raise bad_policy(str(error)) from None


def _targets(context: Mapping[str, Any]) -> list[dict[str, Any]]:
    kind = str(context.get("@odata.type")).removeprefix("#microsoft.graph.")
    applications = context.get("includeApplications")
    if kind == "applicationContext" and isinstance(applications, list) and applications:
        return [{"application": name} for name in applications]
    action = USER_ACTIONS.get(str(context.get("userAction")))
    if kind == "userActionContext" and action:
        return [{"application": "None", "user_action": action}]
    if kind == "authContext" and isinstance(context.get("authenticationContextValue"), str):
        return [{"application": "None", "authentication_context": context["authenticationContextValue"]}]
    raise bad_policy("signInContext must name applications, a user action or an authentication context.")


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    if found is not None and not isinstance(found, dict):
        raise bad_policy(f"The value of '{name}' must be an object.")
    return found or {}


def _result(
    call: Call, policy: dict[str, Any], directory: Directory, person: Person, attempts: list[Attempt]
) -> dict[str, Any]:
    """The policy with what the evaluation says of it."""
    if policy["state"] not in STATES:
        return {**policy, "policyApplies": False, "analysisReasons": "policyNotEnabled"}
    if policy["conditions"].get("clientApplications"):
        return {**policy, "policyApplies": False, "analysisReasons": "workloadIdentities"}
    applies = _applies(policy, directory, person, attempts)
    reasons = [] if applies else _reasons(policy, directory, person, attempts)
    if applies is None:
        reasons.insert(0, "notEnoughInformation")
        applies = call.assumes("what_if_without_information") == "applies"
    return {**policy, "policyApplies": applies, "analysisReasons": ",".join(reasons) or "notSet"}


def _applies(policy: Mapping[str, Any], directory: Directory, person: Person, attempts: list[Attempt]) -> Maybe:
    return any_of(policy_applies(policy, directory, person, attempt)[0] for attempt in attempts)


def _reasons(policy: Mapping[str, Any], directory: Directory, person: Person, attempts: list[Attempt]) -> list[str]:
    """The conditions that are not met, each looked at as if the others were."""
    found = []
    for reason, names in REASONS.items():
        own = {name: policy["conditions"].get(name) for name in names}
        others = {"users": {"includeUsers": ["All"]}, "applications": _every_target(attempts)}
        if _applies({"conditions": {**others, **own}}, directory, person, attempts) is not True:
            found.append(reason)
    return found


def _every_target(attempts: list[Attempt]) -> dict[str, Any]:
    actions = [attempt.user_action for attempt in attempts if attempt.user_action]
    return {"includeUserActions": actions} if actions else {"includeApplications": ["All"]}


ROUTES = [Route("POST", PATH + "/evaluate", evaluate, reads=True)]
