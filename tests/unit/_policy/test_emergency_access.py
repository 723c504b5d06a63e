# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts about emergency accounts, from one that is healthy and everything that may be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.emergency_access import (
    is_enough,
    obstacles_to_enforcement,
    report,
    sentence,
    verdict_of,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.emergency_access_checks import (
    Check,
    checks,
    policies_that_catch,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.emergency_access_facts import (
    Account,
    Declared,
    Domain,
    Drill,
    Group,
    Others,
    Tenant,
    User,
    day_of,
    drill_day,
    group_of,
    groups_of,
    initial_domain,
    last_sign_in,
    user_of,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import (
    Fact,
    UnexpectedShape,
    known,
    unknown,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import GLOBAL_ADMINISTRATOR
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.security_defaults import (
    UNPROVEN_EMERGENCY_ACCESS,
    Obstacle,
)

TODAY = date(2026, 11, 23)
ME, GROUP, OTHER = "user-1", "group-1", "user-2"
INITIAL = "contoso.onmicrosoft.com"
READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
NOT_READ = unknown("Graph said no.")

MADE = date(2026, 1, 5)
PERSON = User(ME, f"emergency1@{INITIAL}", True, False, None, "DisablePasswordExpiration", "2026-10-01T08:00:00Z", MADE)
PASSKEYS_REFUSED = (
    "Enable the method Fido2 for the account, with key restrictions or a passkey profile that take its passkey, or "
    "register another one."
)
ROBOTS = {"includeServicePrincipals": ["robot-1"], "excludeServicePrincipals": []}
MODEL, ANOTHER_MODEL = "de1e552d-db1d-4423-a619-566b625cdc84", "90a3ccdf-635c-4729-a248-9b709135078f"
PASSKEYS_AT_WILL = {"isAttestationEnforced": False, "keyRestrictions": None}
DRILL = Drill(
    TODAY - timedelta(days=10), enforcement=True, by="Noor", security_defaults=True, methods=("Passkey (device-bound)",)
)
KEY = {"aaGuid": MODEL, "passkeyType": "deviceBound", "createdDateTime": "2026-11-13T23:00:00Z"}


def assignment(principal: str = ME, role: str = GLOBAL_ADMINISTRATOR, scope: str = "/") -> dict[str, Any]:
    return {"principalId": principal, "roleDefinitionId": role, "directoryScopeId": scope}


def schedule(principal: str = ME, end: str | None = None, kind: str = "Assigned") -> dict[str, Any]:
    return {**assignment(principal), "memberType": "Direct", "assignmentType": kind, "endDateTime": end}


def policy(name: str = "MFA", state: str = "enabled", **users: Any) -> dict[str, Any]:
    return {"id": name, "displayName": name, "state": state, "conditions": {"users": users}}


def restricted(kind: str, *models: str) -> dict[str, Any]:
    return {"isEnforced": True, "enforcementType": kind, "aaGuids": list(models)}


def only_with_profile(target: str, restrictions: dict[str, Any] | None, *, shown: bool = True) -> dict[str, Any]:
    """A policy with a passkey profile for a target, beside everybody."""
    profile = {"id": "profile-1", "passkeyTypes": "deviceBound", "keyRestrictions": restrictions}
    return allowing(
        "Fido2",
        includeTargets=[{"id": "all_users"}, {"id": target, "allowedPasskeyProfiles": ["profile-1"]}],
        passkeyProfiles=[profile] if shown else [],
    )


def allowing(*methods: str, migration: str = "migrationComplete", **method: Any) -> dict[str, Any]:
    target = {"includeTargets": [{"id": "all_users"}], "excludeTargets": [], "state": "enabled", **PASSKEYS_AT_WILL}
    target.update(method)
    return {
        "policyMigrationState": migration,
        "authenticationMethodConfigurations": [{"id": name, **target} for name in methods],
    }


@dataclass(frozen=True)
class Scene:
    tenant: Tenant
    account: Account
    others: Others

    def tenant_with(self, **changes: Any) -> Scene:
        return replace(self, tenant=replace(self.tenant, **changes))

    def account_with(self, **changes: Any) -> Scene:
        return replace(self, account=replace(self.account, **changes))

    def user_with(self, **changes: Any) -> Scene:
        return self.account_with(user=known(replace(PERSON, **changes)))

    def declared_with(self, **changes: Any) -> Scene:
        return self.account_with(declared=replace(self.account.declared, **changes))

    def states(self) -> dict[str, str]:
        return {check.name: check.state for check in self.checks()}

    def said(self, name: str) -> str:
        return next(check.sentence for check in self.checks() if check.name == name)

    def checks(self) -> list[Check]:
        return checks(self.tenant, self.account, self.others)

    def verdict(self) -> str:
        return verdict_of(self.checks())

    def report(self) -> dict[str, Any]:
        return report(self.tenant, [self.account], self.others, wanted=1)


HEALTHY = Scene(
    Tenant(
        domain=known(Domain(INITIAL, managed=True, password_validity=90)),
        policies=known([policy(includeUsers=["All"], excludeGroups=[GROUP.upper()])]),
        assignments=known([assignment()]),
        active=known([schedule()]),
        eligible=known([]),
        methods_policy=known(allowing("Fido2", "X509Certificate", "SoftwareOath", "HardwareOath")),
        exclusion_group=known([Group(GROUP, public=False, protected=True)]),
        security_defaults=known(False),
        drill_max_age_days=90,
        today=TODAY,
    ),
    Account(
        declared=Declared(PERSON.name, None, frozenset(), DRILL),
        user=known(PERSON),
        groups=known(frozenset([GROUP])),
        methods=known(frozenset(["passkey"])),
        passkeys=known([KEY]),
        pass_end=known(None),
        certificate=known(False),
        sign_in=known("2026-11-13T10:00:00Z"),
    ),
    Others(count=2, methods=frozenset(["microsoftAuthenticator"]), unread=None),
)


def test_a_healthy_account_passes_every_check_and_is_proven() -> None:
    assert set(HEALTHY.states().values()) == {"passed"}
    (shown,) = HEALTHY.report()["accounts"]
    assert (shown["verdict"], shown["proven"], shown["second_factor"], shown["id"]) == (
        "usable",
        True,
        "registered",
        ME,
    )
    assert HEALTHY.report() == {
        "wanted": 1,
        "usable": 1,
        "unknown": 0,
        "proven": 1,
        "ready_for_security_defaults": 1,
        "enough": True,
        "accounts": [
            {
                "user_principal_name": PERSON.name,
                "id": ME,
                "verdict": "usable",
                "proven": True,
                "second_factor": "registered",
                "last_sign_in": {"completeness": "known", "reason": None, "value": "2026-11-13T10:00:00Z"},
                "password_changed": "2026-10-01T08:00:00Z",
                "checks": [check.as_result() for check in HEALTHY.checks()],
            }
        ],
        "policies_that_catch": {PERSON.name: []},
    }


# What is wrong: the scene, the one check that tells, its state, the verdict, and a word of its sentence.
WRONG: dict[str, tuple[Scene, str, str, str, str]] = {
    "disabled": (HEALTHY.user_with(enabled=False), "enabled", "failed", "unusable", "disabled"),
    "synchronised": (HEALTHY.user_with(synchronised=True), "cloud_only", "failed", "unusable", "on premises"),
    "guest": (HEALTHY.user_with(guest=True), "cloud_only", "failed", "unusable", "guest"),
    "once synchronised": (HEALTHY.user_with(synchronised=False), "cloud_only", "passed", "usable", "once"),
    "renamed": (HEALTHY.user_with(name="e@x.example"), "initial_domain", "failed", "unusable", "e@x.example"),
    "federated": (
        HEALTHY.tenant_with(domain=known(Domain(INITIAL, False, None))),
        "initial_domain",
        "failed",
        "unusable",
        "federated",
    ),
    "domain unread": (HEALTHY.tenant_with(domain=NOT_READ), "initial_domain", "unknown", "unknown", "Graph said no."),
    "password expires": (
        HEALTHY.user_with(password_policies=None),
        "password_never_expires",
        "failed",
        "unusable",
        "DisablePasswordExpiration",
    ),
    "password never expires by domain": (
        HEALTHY.user_with(password_policies="None").tenant_with(domain=known(Domain(INITIAL, True, 2147483647))),
        "password_never_expires",
        "passed",
        "usable",
        "setting",
    ),
    "password may expire": (
        HEALTHY.user_with(password_policies="DisableStrongPassword").tenant_with(domain=NOT_READ),
        "password_never_expires",
        "unknown",
        "unknown",
        "Graph said no.",
    ),
    "no role": (
        HEALTHY.tenant_with(assignments=known([]), active=known([])),
        "global_administrator",
        "failed",
        "unusable",
        "not Global Administrator",
    ),
    "another role": (
        HEALTHY.tenant_with(assignments=known([assignment(role=READER)]), active=known([])),
        "global_administrator",
        "failed",
        "unusable",
        "not Global Administrator",
    ),
    "role of a part": (
        HEALTHY.tenant_with(assignments=known([assignment(scope="/administrativeUnits/1")]), active=known([])),
        "global_administrator",
        "failed",
        "unusable",
        "whole tenant",
    ),
    "eligible": (
        HEALTHY.tenant_with(assignments=known([]), active=known([]), eligible=known([schedule()])),
        "global_administrator",
        "failed",
        "unusable",
        "eligible",
    ),
    "time-bound": (
        HEALTHY.tenant_with(active=known([schedule(end="2026-12-01T00:00:00Z")])),
        "global_administrator",
        "failed",
        "unusable",
        "limited time",
    ),
    "activated": (
        HEALTHY.tenant_with(active=known([schedule(kind="Activated")])),
        "global_administrator",
        "failed",
        "unusable",
        "limited time",
    ),
    "no licence for schedules": (
        HEALTHY.tenant_with(active=known(None), eligible=known(None)),
        "global_administrator",
        "passed",
        "usable",
        "inferred",
    ),
    "schedules unread": (
        HEALTHY.tenant_with(active=NOT_READ),
        "global_administrator",
        "unknown",
        "unknown",
        "Graph said no.",
    ),
    "schedules odd": (
        HEALTHY.tenant_with(active=known([{"principalId": ME}])),
        "global_administrator",
        "unknown",
        "unknown",
        "unexpected shape",
    ),
    "no role, schedules unread": (
        HEALTHY.tenant_with(assignments=known([]), active=NOT_READ),
        "global_administrator",
        "failed",
        "unusable",
        "at present",
    ),
    "roles unread": (
        HEALTHY.tenant_with(assignments=NOT_READ),
        "global_administrator",
        "unknown",
        "unknown",
        "Graph said no.",
    ),
    "role through a group": (
        HEALTHY.tenant_with(assignments=known([assignment(GROUP)]), active=known([schedule(GROUP)])),
        "global_administrator",
        "unknown",
        "unknown",
        "through a group",
    ),
    "role through a group, no licence for schedules": (
        HEALTHY.tenant_with(assignments=known([assignment(GROUP)]), active=known(None), eligible=known(None)),
        "global_administrator",
        "passed",
        "usable",
        "through a group",
    ),
    "policy for all": (
        HEALTHY.tenant_with(policies=known([policy(includeUsers=["All"])])),
        "conditional_access",
        "failed",
        "unusable",
        "'MFA'",
    ),
    "policy for the account": (
        HEALTHY.tenant_with(policies=known([policy(includeUsers=[ME.upper()])])),
        "conditional_access",
        "failed",
        "unusable",
        "'MFA'",
    ),
    "policy for the group": (
        HEALTHY.tenant_with(policies=known([policy(includeGroups=[GROUP])])),
        "conditional_access",
        "failed",
        "unusable",
        "'MFA'",
    ),
    "policy for the role": (
        HEALTHY.tenant_with(policies=known([policy(includeRoles=[GLOBAL_ADMINISTRATOR])])),
        "conditional_access",
        "failed",
        "unusable",
        "'MFA'",
    ),
    "policy that excludes the role": (
        HEALTHY.tenant_with(policies=known([policy(includeUsers=["All"], excludeRoles=[GLOBAL_ADMINISTRATOR])])),
        "conditional_access",
        "passed",
        "usable",
        "No enabled",
    ),
    "policy that excludes the account": (
        HEALTHY.tenant_with(policies=known([policy(includeUsers=["All"], excludeUsers=[ME])])),
        "conditional_access",
        "passed",
        "usable",
        "No enabled",
    ),
    "policy for nobody": (
        HEALTHY.tenant_with(policies=known([policy(includeUsers=["None"])])),
        "conditional_access",
        "passed",
        "usable",
        "No enabled",
    ),
    "policy for guests": (
        HEALTHY.tenant_with(policies=known([policy(includeUsers=["GuestsOrExternalUsers"])])),
        "conditional_access",
        "passed",
        "usable",
        "No enabled",
    ),
    "report-only policy": (
        HEALTHY.tenant_with(policies=known([policy(state="enabledForReportingButNotEnforced", includeUsers=["All"])])),
        "conditional_access",
        "passed",
        "usable",
        "Once enabled, these would catch it too: 'MFA'.",
    ),
    "disabled policy": (
        HEALTHY.tenant_with(policies=known([policy(state="disabled", includeUsers=["All"])])),
        "conditional_access",
        "passed",
        "usable",
        "No enabled",
    ),
    "policy in a state of tomorrow": (
        HEALTHY.tenant_with(policies=known([policy(state="partlyEnabled", includeUsers=["All"])])),
        "conditional_access",
        "unknown",
        "unknown",
        "'MFA'",
    ),
    "policy of an odd shape": (
        HEALTHY.tenant_with(policies=known([{"displayName": "MFA", "state": "enabled", "conditions": None}])),
        "conditional_access",
        "unknown",
        "unknown",
        "'MFA'",
    ),
    "policy in a state that is no word": (
        HEALTHY.tenant_with(policies=known([{**policy(includeUsers=["All"]), "state": ["enabled"]}])),
        "conditional_access",
        "unknown",
        "unknown",
        "'MFA'",
    ),
    "policy for workloads": (
        HEALTHY.tenant_with(
            policies=known([{**policy(), "conditions": {"users": None, "clientApplications": ROBOTS}}])
        ),
        "excluded_from_every_policy",
        "passed",
        "usable",
        "excludes it",
    ),
    "policies unread": (
        HEALTHY.tenant_with(policies=NOT_READ),
        "conditional_access",
        "unknown",
        "unknown",
        "Graph said no.",
    ),
    "groups unread": (HEALTHY.account_with(groups=NOT_READ), "conditional_access", "unknown", "unknown", "'MFA'"),
    "no second factor": (
        HEALTHY.account_with(methods=known(frozenset(["phone"]))),
        "second_factor",
        "failed",
        "unusable",
        "not counted: phone",
    ),
    "methods unread": (
        HEALTHY.account_with(methods=NOT_READ),
        "second_factor",
        "unknown",
        "unknown",
        "Graph said no.",
    ),
    "another factor than expected": (
        HEALTHY.declared_with(second_factor="hardware_oath_token"),
        "second_factor",
        "failed",
        "unusable",
        "no hardware OATH token",
    ),
    "passkeys not allowed": (
        HEALTHY.tenant_with(methods_policy=known(allowing("Fido2", state="disabled"))),
        "second_factor",
        "failed",
        "unusable",
        "does not let it use: passkey",
    ),
    "passkeys allowed for others": (
        HEALTHY.tenant_with(methods_policy=known(allowing("Fido2", includeTargets=[{"id": "group-9"}]))),
        "second_factor",
        "failed",
        "unusable",
        "does not let it use: passkey",
    ),
    "passkeys allowed but for the group": (
        HEALTHY.tenant_with(methods_policy=known(allowing("Fido2", excludeTargets=[{"id": GROUP}]))),
        "second_factor",
        "failed",
        "unusable",
        "does not let it use: passkey",
    ),
    "the model of its passkey is blocked": (
        HEALTHY.tenant_with(methods_policy=known(allowing("Fido2", keyRestrictions=restricted("block", MODEL)))),
        "second_factor",
        "failed",
        "unusable",
        f"does not let it use: passkey. {PASSKEYS_REFUSED}",
    ),
    "other models only": (
        HEALTHY.tenant_with(
            methods_policy=known(allowing("Fido2", keyRestrictions=restricted("allow", ANOTHER_MODEL)))
        ),
        "second_factor",
        "failed",
        "unusable",
        "does not let it use: passkey",
    ),
    "the model of its passkey is allowed": (
        HEALTHY.tenant_with(methods_policy=known(allowing("Fido2", keyRestrictions=restricted("allow", MODEL)))),
        "second_factor",
        "passed",
        "usable",
        "Registered: passkey.",
    ),
    "one of two passkeys is allowed": (
        HEALTHY.tenant_with(
            methods_policy=known(allowing("Fido2", keyRestrictions=restricted("block", MODEL)))
        ).account_with(passkeys=known([{"aaGuid": MODEL}, {"aaGuid": ANOTHER_MODEL}])),
        "second_factor",
        "passed",
        "usable",
        "Registered: passkey.",
    ),
    "a passkey of a model that is not shown": (
        HEALTHY.tenant_with(
            methods_policy=known(allowing("Fido2", keyRestrictions=restricted("allow", MODEL)))
        ).account_with(passkeys=known([{"aaGuid": None}])),
        "second_factor",
        "unknown",
        "unknown",
        "cannot be told",
    ),
    "passkeys unread": (
        HEALTHY.account_with(passkeys=NOT_READ),
        "second_factor",
        "unknown",
        "unknown",
        "cannot be told",
    ),
    "a passkey profile that is not shown": (
        HEALTHY.tenant_with(methods_policy=known(only_with_profile(ME, None, shown=False))),
        "second_factor",
        "unknown",
        "unknown",
        "Whether the tenant's settings allow it cannot be told.",
    ),
    "a passkey profile without its model": (
        HEALTHY.tenant_with(methods_policy=known(only_with_profile(GROUP, restricted("block", MODEL)))),
        "second_factor",
        "failed",
        "unusable",
        "does not let it use: passkey",
    ),
    "a passkey profile with its model": (
        HEALTHY.tenant_with(methods_policy=known(only_with_profile(GROUP, restricted("allow", MODEL)))),
        "second_factor",
        "passed",
        "usable",
        "Registered: passkey.",
    ),
    "a passkey profile of a group that it may be in": (
        HEALTHY.tenant_with(
            methods_policy=known(only_with_profile(GROUP, restricted("block", MODEL))), policies=known([])
        ).account_with(groups=NOT_READ),
        "second_factor",
        "unknown",
        "unknown",
        "cannot be told",
    ),
    "passkeys restricted in a shape that nobody knows": (
        HEALTHY.tenant_with(methods_policy=known(allowing("Fido2", keyRestrictions={"isEnforced": True}))),
        "second_factor",
        "unknown",
        "unknown",
        "Graph's answer has an unexpected shape",
    ),
    "methods policy unread": (
        HEALTHY.tenant_with(methods_policy=NOT_READ),
        "second_factor",
        "unknown",
        "unknown",
        "Graph said no.",
    ),
    "not in the group": (
        HEALTHY.tenant_with(exclusion_group=known([Group("group-9", public=False, protected=True)])),
        "exclusion_group",
        "failed",
        "usable",
        "not in",
    ),
    "no such group": (HEALTHY.tenant_with(exclusion_group=known([])), "exclusion_group", "failed", "usable", "no such"),
    "two such groups": (
        HEALTHY.tenant_with(exclusion_group=known([Group(GROUP, False, True), Group("group-2", False, True)])),
        "exclusion_group",
        "unknown",
        "usable",
        "2 groups",
    ),
    "a pass alone": (
        HEALTHY.declared_with(second_factor="temporary_access_pass").account_with(
            methods=known(frozenset(["temporary_access_pass"])), pass_end=known("2026-11-23T13:00:00Z")
        ),
        "second_factor",
        "failed",
        "unusable",
        "Register the passkey before 2026-11-23T13:00:00Z.",
    ),
    "a pass that ends nobody knows when": (
        HEALTHY.declared_with(second_factor="temporary_access_pass").account_with(
            methods=known(frozenset(["temporary_access_pass"]))
        ),
        "second_factor",
        "failed",
        "unusable",
        "It has but a Temporary Access Pass, which does not last. Register the passkey before it ends.",
    ),
    "policy that misses it": (
        HEALTHY.tenant_with(policies=known([policy(includeUsers=[OTHER])])),
        "excluded_from_every_policy",
        "failed",
        "usable",
        "'MFA'",
    ),
    "the same factor as others": (
        replace(HEALTHY, others=Others(1, frozenset(["passkey"]), None)),
        "different_second_factor",
        "failed",
        "usable",
        "same second factor",
    ),
    "others unread": (
        replace(HEALTHY, others=Others(1, frozenset(), "Graph said no.")),
        "different_second_factor",
        "unknown",
        "usable",
        "Graph said no.",
    ),
    "sign-in unread": (HEALTHY.account_with(sign_in=NOT_READ), "last_sign_in", "unknown", "usable", "Graph said no."),
    "no drill": (HEALTHY.declared_with(drill=None), "drill", "failed", "usable", "No drill"),
    "old drill": (
        HEALTHY.declared_with(drill=Drill(TODAY - timedelta(days=91), True, "")),
        "drill",
        "failed",
        "usable",
        "91 days ago",
    ),
    "drill that Entra did not see": (
        HEALTHY.account_with(sign_in=known("2026-09-01T00:00:00Z")),
        "drill",
        "failed",
        "usable",
        "no sign-in",
    ),
    "drill of an account that never signed in": (
        HEALTHY.account_with(sign_in=known(None)),
        "drill",
        "failed",
        "usable",
        "no sign-in",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_shows_in_its_check_and_in_the_verdict(wrong: str) -> None:
    scene, name, state, verdict, word = WRONG[wrong]
    assert scene.states()[name] == state
    assert word in scene.said(name)
    assert scene.verdict() == verdict


def test_an_account_that_is_not_there_is_unusable_and_everything_else_of_it_unknown() -> None:
    gone = unknown("There is no such account.")
    scene = HEALTHY.account_with(user=known(None), groups=gone, methods=gone, certificate=gone, sign_in=gone)
    states = scene.states()
    assert list(states) == list(HEALTHY.states())
    assert scene.said("exists") == f"There is no account {PERSON.name}: it was never made, was deleted, or was renamed."
    assert scene.said("enabled") == "There is no such account."
    assert scene.verdict() == "unusable"
    assert states.pop("exists") == "failed"
    assert states.pop("drill") == "passed"
    assert set(states.values()) == {"unknown"}
    (shown,) = scene.report()["accounts"]
    assert (shown["id"], shown["password_changed"], shown["proven"]) == (None, None, False)
    assert policies_that_catch(scene.tenant, scene.account) is None


def test_an_account_that_could_not_be_read_is_unknown() -> None:
    scene = HEALTHY.account_with(user=NOT_READ)
    assert scene.verdict() == "unknown"
    assert "failed" not in scene.states().values()
    assert scene.said("exists") == "Whether it exists could not be read: Graph said no."
    assert scene.said("enabled") == "The account could not be read: Graph said no."


@pytest.mark.parametrize(
    ("expected", "attested", "methods", "certificate", "grade"),
    [
        (None, [], ["passkey"], False, "registered"),
        (None, [], ["hardware_oath_token"], False, "registered"),
        (None, [], ["totp_token"], False, "none"),
        (None, [], ["temporary_access_pass"], False, "none"),
        (None, [], [], True, "prepared"),
        (None, ["totp_token"], [], False, "none"),
        (None, ["totp_token"], ["totp_token"], False, "attested"),
        (None, ["totp_token"], None, False, "unknown"),
        (None, ["hardware_oath_token"], [], False, "attested"),
        (None, ["certificate"], [], True, "prepared"),
        ("certificate", [], ["passkey"], False, "none"),
        ("certificate", ["totp_token"], [], False, "none"),
        ("certificate", ["certificate"], [], False, "attested"),
        ("totp_token", [], ["totp_token"], False, "registered"),
        ("temporary_access_pass", [], ["temporary_access_pass"], False, "prepared"),
        (None, [], None, True, "prepared"),
        (None, [], None, False, "unknown"),
        (None, [], [], None, "unknown"),
        (None, ["certificate"], None, None, "attested"),
        ("passkey", ["certificate"], None, None, "unknown"),
    ],
)
def test_the_second_factor_is_called_what_its_evidence_is(
    expected: str | None, attested: list[str], methods: list[str] | None, certificate: bool | None, grade: str
) -> None:
    scene = HEALTHY.declared_with(second_factor=expected, attested=frozenset(attested)).account_with(
        methods=NOT_READ if methods is None else known(frozenset(methods)),
        certificate=NOT_READ if certificate is None else known(certificate),
    )
    assert scene.report()["accounts"][0]["second_factor"] == grade


def test_a_token_may_be_allowed_by_settings_that_graph_does_not_show() -> None:
    scene = HEALTHY.declared_with(attested=frozenset(["totp_token"]))
    scene = scene.account_with(methods=known(frozenset(["totp_token"])))
    for migration, state in (("migrationInProgress", "unknown"), ("migrationComplete", "failed")):
        off = known(allowing("SoftwareOath", state="disabled", migration=migration))
        assert scene.tenant_with(methods_policy=off).states()["second_factor"] == state


def test_a_token_may_be_allowed_to_the_account_by_its_id() -> None:
    scene = HEALTHY.declared_with(attested=frozenset(["totp_token"]))
    scene = scene.account_with(methods=known(frozenset(["totp_token"])))
    for whom, state in ((ME, "passed"), ("somebody-else", "failed")):
        policy_of_one = known(allowing("SoftwareOath", includeTargets=[{"id": whom}]))
        assert scene.tenant_with(methods_policy=policy_of_one).states()["second_factor"] == state


def test_a_token_that_nobody_has_enrolled_is_none() -> None:
    scene = HEALTHY.declared_with(attested=frozenset(["totp_token"])).account_with(
        methods=known(frozenset()), sign_in=NOT_READ
    )
    result = scene.report()
    assert (result["usable"], result["proven"], result["ready_for_security_defaults"]) == (0, 0, 0)
    (shown,) = result["accounts"]
    assert (shown["verdict"], shown["second_factor"]) == ("unusable", "none")
    assert scene.said("second_factor").endswith("A TOTP token is vouched for, but Graph shows none: enrol it.")
    enrolled = scene.account_with(methods=known(frozenset(["totp_token"])))
    assert (enrolled.verdict(), enrolled.report()["ready_for_security_defaults"]) == ("usable", 1)


@pytest.mark.parametrize(
    ("created", "state"),
    [
        (DRILL.day + timedelta(days=1), "failed"),
        (DRILL.day, "passed"),
        (DRILL.day - timedelta(days=1), "passed"),
        (None, "passed"),
    ],
)
@pytest.mark.parametrize("sign_in", [NOT_READ, HEALTHY.account.sign_in])
def test_a_drill_does_not_prove_an_account_that_was_made_after_it(
    created: date | None, state: str, sign_in: Fact
) -> None:
    scene = HEALTHY.user_with(created=created).account_with(sign_in=sign_in).tenant_with(security_defaults=known(True))
    result, proven = scene.report(), state == "passed"
    assert scene.states()["drill"] == state
    assert scene.states()["security_defaults"] == ("passed" if proven else "unknown")
    assert (result["proven"], result["ready_for_security_defaults"]) == (proven, proven)
    if not proven:
        assert scene.said("drill") == (
            "The last drill by Noor was on 2026-11-13, 10 days ago; it was of an earlier account of this name, for "
            "this one was created on 2026-11-14 (UTC). Do a drill with this one."
        )


def test_whether_others_use_certificates_is_not_known() -> None:
    scene = HEALTHY.account_with(methods=known(frozenset()), certificate=known(True))
    assert scene.states()["different_second_factor"] == "unknown"
    alone = replace(scene, others=Others(0, frozenset(), None))
    assert alone.states()["different_second_factor"] == "passed"


def test_without_enforcement_a_drill_proves_nothing() -> None:
    scene = HEALTHY.declared_with(drill=replace(DRILL, enforcement=False))
    assert scene.states()["drill"] == "passed"
    assert scene.report()["accounts"][0]["proven"] is False
    assert scene.report()["proven"] == 0


def test_a_drill_of_today_may_not_be_in_the_logs_yet() -> None:
    scene = HEALTHY.declared_with(drill=Drill(TODAY, True, "")).account_with(sign_in=known(None))
    assert scene.states()["drill"] == "passed"


def test_the_exclusion_group_is_checked_only_where_one_is_named() -> None:
    assert set(HEALTHY.states()) - set(HEALTHY.tenant_with(exclusion_group=known(None)).states()) == {
        "exclusion_group",
        "exclusion_group_protected",
    }


WHO_ADDS = "Its owners and every Groups Administrator can add members to the exclusion group"
NEW_GROUP = "Make a new group to which roles can be assigned, and name that one as the exclusion group."


@pytest.mark.parametrize(
    ("group", "policies", "state", "said"),
    [
        (
            known([Group(GROUP, public=False, protected=False)]),
            HEALTHY.tenant.policies,
            "failed",
            f"{WHO_ADDS}, who then escape the Conditional Access policies that exclude it. {NEW_GROUP}",
        ),
        (
            known([Group(GROUP, public=False, protected=False)]),
            known([]),
            "passed",
            "There are no Conditional Access policies to exclude its members from.",
        ),
        (
            known([Group(GROUP, public=False, protected=False)]),
            NOT_READ,
            "unknown",
            f"{WHO_ADDS}; whether there are Conditional Access policies could not be read: Graph said no.",
        ),
        (
            known([Group(GROUP, public=False, protected=True)]),
            NOT_READ,
            "passed",
            "Only highly privileged administrators can change the members of the exclusion group.",
        ),
        (
            known([Group(GROUP, public=True, protected=True)]),
            known([]),
            "failed",
            f"The exclusion group is public, so anybody can join it. Make it private at once. {NEW_GROUP}",
        ),
        (NOT_READ, known([]), "unknown", "The exclusion group could not be read: Graph said no."),
        (
            known([]),
            known([]),
            "unknown",
            "Who can change the members of the exclusion group is unknown, for it is not clear which it is.",
        ),
        (
            known([Group(GROUP, False, True)] * 2),
            known([]),
            "unknown",
            "Who can change the members of the exclusion group is unknown, for it is not clear which it is.",
        ),
    ],
)
def test_who_else_may_get_into_the_exclusion_group(group: Fact, policies: Fact, state: str, said: str) -> None:
    scene = HEALTHY.tenant_with(exclusion_group=group, policies=policies)
    (check,) = [one for one in scene.checks() if one.name == "exclusion_group_protected"]
    assert check == Check("exclusion_group_protected", state, said, essential=False)


GROUP_ITEM = {"id": "GROUP-1", "visibility": None, "isAssignableToRole": None, "isManagementRestricted": None}


@pytest.mark.parametrize(
    ("properties", "public", "protected"),
    [
        ({}, False, False),
        ({"visibility": "Private", "isAssignableToRole": False, "isManagementRestricted": False}, False, False),
        ({"visibility": "Public"}, True, False),
        ({"isAssignableToRole": True}, False, True),
        ({"isManagementRestricted": True}, False, True),
    ],
)
def test_a_group_as_graph_shows_one(properties: dict[str, Any], public: bool, protected: bool) -> None:
    assert group_of({**GROUP_ITEM, **properties}) == Group(GROUP, public, protected)


@pytest.mark.parametrize("name", GROUP_ITEM)
def test_a_group_that_is_not_shown_in_full_is_unexpected(name: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"^'{name}' is missing$"):
        group_of({one: value for one, value in GROUP_ITEM.items() if one != name})


# What a drill proves


def drilled(*methods: str, **changes: Any) -> Scene:
    return HEALTHY.declared_with(drill=replace(DRILL, methods=methods)).account_with(**changes)


def later(day: str) -> Fact:
    return known([{**KEY, "createdDateTime": day}])


def has(*methods: str) -> Fact:
    return known(frozenset(methods))


NOT_OLD = "The drill was done with passkey, but what the account has of it was registered later, or may not be used."
OATH_CODE = "OATH verification code"
CERTIFICATE_NOW = {"methods": has(), "passkeys": known([]), "certificate": known(True)}
TOKEN_NOW = {"methods": has("hardware_oath_token"), "passkeys": known([])}
NO_NAMES = (
    "The drill does not say with which second factor it was done, so it proves none. Do another one, or name the "
    "second factor among its methods."
)


def not_known(*names: str) -> str:
    return (
        f"The drill was done with {', '.join(names)}, which is not known to be a second factor that the account has "
        "now, so it proves none. Do a drill with the one that it has."
    )


@pytest.mark.parametrize(
    ("scene", "why"),
    [
        (drilled("Password", "Passkey (device-bound)"), None),
        (drilled("FIDO2 security key"), None),
        (drilled("passkey"), None),
        (drilled("Passkey (synced)", "Temporary Access Pass"), None),
        (drilled(), NO_NAMES),
        (drilled("Password", "Temporary Access Pass"), not_known("'Password'", "'Temporary Access Pass'")),
        (drilled("Previously satisfied"), not_known("'Previously satisfied'")),
        # The key A of the drill was replaced: by key B, by a certificate, by a token.
        (drilled("Passkey (device-bound)", passkeys=later("2026-11-14T00:00:00Z")), NOT_OLD),
        (drilled("Passkey (device-bound)", passkeys=later("soon")), NOT_OLD),
        (drilled("Passkey (device-bound)", passkeys=known([{"aaGuid": MODEL}])), NOT_OLD),
        (drilled("Passkey (device-bound)", **CERTIFICATE_NOW), not_known("'Passkey (device-bound)'")),
        (drilled("Passkey (device-bound)", **TOKEN_NOW), not_known("'Passkey (device-bound)'")),
        (drilled("Passkey (device-bound)", passkeys=known([{**later("2026-11-14").value[0]}, KEY])), None),
        (drilled("X.509 Certificate", **CERTIFICATE_NOW), None),
        (drilled("X.509 Certificate"), not_known("'X.509 Certificate'")),
        (drilled("OATH hardware token", **TOKEN_NOW), None),
        # A code comes from whatever the account has of them, if there is one only.
        (drilled(OATH_CODE, **TOKEN_NOW), None),
        (drilled(OATH_CODE), not_known(f"'{OATH_CODE}'")),
        (drilled(OATH_CODE, methods=has("hardware_oath_token", "totp_token")), not_known(f"'{OATH_CODE}'")),
        # The key of the drill is forbidden by now; the other one is younger.
        (
            drilled("Passkey (device-bound)", passkeys=known([KEY, {**KEY, "aaGuid": ANOTHER_MODEL}])).tenant_with(
                methods_policy=known(allowing("Fido2", keyRestrictions=restricted("block", MODEL)))
            ),
            None,
        ),
        (
            drilled(
                "Passkey (device-bound)",
                passkeys=known([KEY, {"aaGuid": ANOTHER_MODEL, "createdDateTime": "2026-11-20T00:00:00Z"}]),
            ).tenant_with(methods_policy=known(allowing("Fido2", keyRestrictions=restricted("block", MODEL)))),
            NOT_OLD,
        ),
    ],
)
def test_a_drill_proves_what_it_was_done_with(scene: Scene, why: str | None) -> None:
    said = "The last drill by Noor was on 2026-11-13, 10 days ago, with MFA enforced."
    assert scene.verdict() == "usable"
    assert scene.states()["drill"] == "passed"
    assert scene.said("drill") == said if why is None else scene.said("drill").startswith(f"{said} {why}")
    (shown,) = scene.report()["accounts"]
    assert shown["proven"] is (why is None)
    assert scene.states()["security_defaults"] == ("passed" if why is None else "unknown")
    assert why is None or why in scene.said("security_defaults")


@pytest.mark.parametrize(
    ("scene", "why"),
    [
        (drilled("passkey", methods=NOT_READ, certificate=known(True)), not_known("'passkey'")),
        (drilled("certificate", certificate=NOT_READ), not_known("'certificate'")),
        (drilled("passkey", passkeys=NOT_READ), "Whether the drill proves what it may use cannot be told."),
        (
            drilled("passkey").tenant_with(methods_policy=NOT_READ),
            "Whether the drill proves what it may use could not be read: Graph said no.",
        ),
        (
            drilled("passkey").tenant_with(methods_policy=known({})),
            (
                "Whether the drill proves what it may use could not be read: 'authenticationMethodConfigurations' is "
                "missing."
            ),
        ),
        # Without its methods, a code may be of any token.
        (
            drilled(OATH_CODE, methods=NOT_READ).declared_with(attested=frozenset(["hardware_oath_token"])),
            not_known(f"'{OATH_CODE}'"),
        ),
    ],
)
def test_what_a_drill_proves_may_be_unknown(scene: Scene, why: str) -> None:
    assert scene.states()["security_defaults"] == "unknown"
    assert scene.said("security_defaults").endswith(why)
    assert scene.said("drill").endswith(why)
    assert scene.report()["accounts"][0]["proven"] is False


@pytest.mark.parametrize(
    ("methods_policy", "state"), [(HEALTHY.tenant.methods_policy, "failed"), (NOT_READ, "unknown")]
)
def test_a_drill_that_may_prove_something_leaves_nothing_failed(methods_policy: Fact, state: str) -> None:
    """A TOTP token is vouched for that nobody has enrolled; the passkey was there on the day of the drill, or not."""
    scene = drilled("passkey", passkeys=later("2026-11-14T00:00:00Z")).declared_with(attested=frozenset(["totp_token"]))
    scene = scene.tenant_with(methods_policy=methods_policy)
    assert scene.states()["security_defaults"] == state
    assert scene.said("security_defaults").startswith("A TOTP token is vouched for, but Graph shows none: enrol it. ")


def test_a_code_of_the_authenticator_proves_no_token() -> None:
    scene = drilled(OATH_CODE, methods=has("hardware_oath_token", "microsoftAuthenticator"), passkeys=known([]))
    assert scene.said("drill").endswith(not_known(f"'{OATH_CODE}'"))
    assert scene.report()["accounts"][0]["proven"] is False


def test_a_pass_is_proven_by_no_drill() -> None:
    scene = drilled("temporary_access_pass", methods=has("temporary_access_pass"))
    scene = scene.declared_with(second_factor="temporary_access_pass")
    assert scene.said("drill").endswith(not_known("'temporary_access_pass'"))
    assert scene.states()["security_defaults"] == "unknown"


NO_DRILL = HEALTHY.declared_with(drill=None)
TOTP = NO_DRILL.declared_with(attested=frozenset(["totp_token"]))


@pytest.mark.parametrize(
    ("scene", "state", "words"),
    [
        (HEALTHY, "passed", "A drill with security defaults on has proven"),
        (HEALTHY.declared_with(drill=replace(DRILL, security_defaults=False)), "unknown", "Microsoft's own pages"),
        (HEALTHY.declared_with(drill=replace(DRILL, enforcement=False)), "unknown", "Keep a TOTP token besides"),
        (HEALTHY.declared_with(drill=replace(DRILL, day=TODAY - timedelta(days=91))), "unknown", "passkey"),
        (NO_DRILL, "unknown", "Whether security defaults take its second factor (passkey)"),
        (NO_DRILL.account_with(methods=known(frozenset())), "failed", "no passkey"),
        (NO_DRILL.account_with(methods=NOT_READ), "unknown", "could not be read"),
        (NO_DRILL.account_with(methods=known(frozenset(["microsoftAuthenticator"]))), "passed", "Authenticator"),
        (TOTP, "failed", "Graph shows none: enrol it"),
        (TOTP.account_with(methods=NOT_READ), "unknown", "Whether its TOTP token is enrolled"),
        (TOTP.account_with(methods=known(frozenset(["passkey", "totp_token"]))), "passed", "take its TOTP token"),
        # Somebody's phone, for nobody vouches for it.
        (NO_DRILL.account_with(methods=known(frozenset(["passkey", "totp_token"]))), "unknown", "(passkey)"),
        (
            TOTP.account_with(methods=known(frozenset(["totp_token"]))).tenant_with(
                methods_policy=known(allowing("Fido2"))
            ),
            "unknown",
            "cannot be told",
        ),
        (
            TOTP.account_with(methods=known(frozenset(["totp_token"]))).tenant_with(methods_policy=NOT_READ),
            "unknown",
            "could not be read",
        ),
    ],
)
def test_whether_security_defaults_take_the_second_factor(scene: Scene, state: str, words: str) -> None:
    (check,) = [one for one in scene.checks() if one.name == "security_defaults"]
    assert check.state == state
    assert words in check.sentence


@pytest.mark.parametrize(
    ("on", "state", "verdict"),
    [
        (known(False), "unknown", "usable"),
        (known(True), "unknown", "unknown"),
        (NOT_READ, "unknown", "unknown"),
    ],
)
def test_under_security_defaults_the_doubt_about_passkeys_counts(on: Fact, state: str, verdict: str) -> None:
    scene = NO_DRILL.tenant_with(security_defaults=on)
    assert (scene.states()["security_defaults"], scene.verdict()) == (state, verdict)
    assert scene.report()["ready_for_security_defaults"] == 0


def test_what_security_defaults_do_not_take_counts_only_where_they_may_be_on() -> None:
    without_factor = NO_DRILL.account_with(methods=known(frozenset()))
    said = "It has no passkey and no other second factor."
    name = "security_defaults"
    for scene, check in (
        (without_factor.tenant_with(security_defaults=known(False)), Check(name, "failed", said, essential=False)),
        (without_factor.tenant_with(security_defaults=known(True)), Check(name, "failed", said)),
        (
            without_factor.tenant_with(security_defaults=NOT_READ),
            Check(name, "unknown", f"{said} Whether security defaults are on could not be read: Graph said no."),
        ),
        (
            HEALTHY.tenant_with(security_defaults=NOT_READ),
            Check(name, "passed", "A drill with security defaults on has proven its second factor."),
        ),
    ):
        assert [one for one in scene.checks() if one.name == name] == [check]


def test_advice_is_told_from_what_counts() -> None:
    shown = {one["name"]: one for one in (check.as_result() for check in HEALTHY.checks())}
    sentence = "It is in the exclusion group."
    assert shown["exclusion_group"] == {
        "name": "exclusion_group",
        "state": "passed",
        "sentence": sentence,
        "essential": False,
    }
    assert shown["exists"] == {"name": "exists", "state": "passed", "sentence": "It exists.", "essential": True}


def test_security_defaults_are_not_turned_on_while_it_is_not_known_that_they_take_the_second_factor() -> None:
    assert obstacles_to_enforcement(HEALTHY.report()) == []
    assert HEALTHY.report()["ready_for_security_defaults"] == 1
    (obstacle,) = obstacles_to_enforcement(NO_DRILL.report())
    assert NO_DRILL.report()["enough"] is True
    assert obstacle.risk == UNPROVEN_EMERGENCY_ACCESS
    assert "Keep a TOTP token besides" in obstacle.sentence
    enrolled = TOTP.account_with(methods=known(frozenset(["passkey", "totp_token"])))
    assert obstacles_to_enforcement(enrolled.report()) == []


def test_an_object_that_is_declared_twice_counts_once() -> None:
    twice = replace(HEALTHY.account, declared=replace(HEALTHY.account.declared, user_principal_name="other@x"))
    result = report(HEALTHY.tenant, [HEALTHY.account, twice], HEALTHY.others, wanted=2)
    assert (result["usable"], result["proven"], result["enough"]) == (1, 1, False)
    assert sentence(result) == "1 of 2 wanted emergency accounts is usable, 1 proven by a drill."


def test_each_verdict_is_counted_by_itself() -> None:
    def named(name: str, scene: Scene, **changes: Any) -> Account:
        return scene.declared_with(user_principal_name=name, **changes).account

    accounts = [
        named("a", HEALTHY.user_with(id="a")),
        named("b", HEALTHY.user_with(id="b"), drill=None),
        named("c", HEALTHY.user_with(id="c", enabled=False)),
        named("D", HEALTHY.account_with(user=NOT_READ)),
        named("d", HEALTHY.account_with(user=NOT_READ)),
    ]
    tenant = replace(
        HEALTHY.tenant,
        assignments=known([assignment(one) for one in "abc"]),
        active=known([schedule(one) for one in "abc"]),
    )
    result = report(tenant, accounts, HEALTHY.others, wanted=3)
    assert [one["verdict"] for one in result["accounts"]] == ["usable", "usable", "unusable", "unknown", "unknown"]
    assert [result[name] for name in ("wanted", "usable", "unknown", "proven", "enough")] == [3, 2, 1, 1, None]
    assert result["ready_for_security_defaults"] == 1
    assert sentence(result) == ("2 of 3 wanted emergency accounts are usable, 1 proven by a drill; of 1 it is unknown.")
    assert sentence({**result, "wanted": 1, "usable": 1, "unknown": 0}) == (
        "1 of 1 wanted emergency account is usable, 1 proven by a drill."
    )


def test_what_stands_in_the_way_of_enforcement_is_told() -> None:
    (nobody,) = obstacles_to_enforcement(None)
    assert nobody == Obstacle(
        "No emergency accounts are declared, so nobody is known to get in when MFA keeps everybody else out. Declare "
        "them in emergency_access.",
        UNPROVEN_EMERGENCY_ACCESS,
    )
    gone = HEALTHY.account_with(user=known(None), declared=replace(HEALTHY.account.declared, drill=None))
    (obstacle,) = obstacles_to_enforcement(gone.report())
    assert obstacle == Obstacle(
        "0 of 1 wanted emergency account are usable, 0 proven by a drill. "
        f"{PERSON.name}: There is no account {PERSON.name}: it was never made, was deleted, or was renamed.",
        UNPROVEN_EMERGENCY_ACCESS,
    )
    several = HEALTHY.user_with(enabled=False).tenant_with(security_defaults=known(False)).declared_with(drill=None)
    (obstacle,) = obstacles_to_enforcement(several.report())
    assert obstacle.sentence.startswith(
        "0 of 1 wanted emergency account are usable, 0 proven by a drill. "
        f"{PERSON.name}: It is disabled: nobody can sign in. {PERSON.name}: Whether security defaults take its second"
    )


@given(st.integers(0, 5), st.integers(0, 5), st.integers(1, 5))
def test_enough_is_known_only_when_the_unknown_ones_do_not_matter(usable: int, unknown_ones: int, wanted: int) -> None:
    best, worst = usable + unknown_ones >= wanted, usable >= wanted
    assert is_enough(usable, unknown_ones, wanted) is (best if best == worst else None)


facts_of_tenant = [one.name for one in fields(Tenant) if one.type == "Fact"]
facts_of_account = [one.name for one in fields(Account) if one.type == "Fact"]
scenes = st.builds(
    lambda first, second: replace(
        WRONG[first][0],
        tenant=replace(
            WRONG[first][0].tenant,
            policies=WRONG[second][0].tenant.policies,
            active=WRONG[second][0].tenant.active,
        ),
        account=replace(
            WRONG[second][0].account,
            methods=WRONG[first][0].account.methods,
            passkeys=WRONG[first][0].account.passkeys,
        ),
    ),
    st.sampled_from(sorted(WRONG)),
    st.sampled_from(sorted(WRONG)),
)


@given(scenes, st.sets(st.sampled_from(facts_of_tenant)), st.sets(st.sampled_from(facts_of_account)))
def test_who_sees_less_never_says_better_or_worse_than_who_sees_more(
    scene: Scene, hidden: set[str], hidden_of_account: set[str]
) -> None:
    blind = scene.tenant_with(**dict.fromkeys(hidden, NOT_READ)).account_with(
        **dict.fromkeys(hidden_of_account, NOT_READ)
    )
    assert blind.verdict() in (scene.verdict(), "unknown")
    before, after = scene.states(), blind.states()
    essential = {check.name for check in scene.checks() if check.essential}
    assert all(after[name] in (before[name], "unknown") for name in essential)


@pytest.mark.parametrize(
    "written", ["2026-13-01", "2026-02-30", "20261101", "1.11.2026", "", "2026-11-1", "x-y-z", "2026-1\u0661-01"]
)
def test_what_is_no_date_is_refused(written: str) -> None:
    why = f"'{written}' is no date: write the day of a drill as YYYY-MM-DD."
    assert drill_day(written, TODAY) == (None, why)


def test_a_drill_in_the_future_is_refused() -> None:
    assert drill_day("2026-11-23", TODAY) == (TODAY, "")
    assert drill_day("2026-11-24", TODAY) == (None, "A drill on 2026-11-24 lies in the future.")


USER_ITEM: dict[str, Any] = {
    "id": "A",
    "userPrincipalName": f"me@{INITIAL}",
    "accountEnabled": True,
    "userType": "Member",
    "onPremisesSyncEnabled": False,
    "passwordPolicies": "DisableStrongPassword",
    "lastPasswordChangeDateTime": "2026-10-01T08:00:00Z",
    "createdDateTime": "2026-01-05T23:00:00Z",
}


def test_a_user_as_graph_shows_one() -> None:
    shown = User("a", f"me@{INITIAL}", True, False, False, "DisableStrongPassword", "2026-10-01T08:00:00Z", MADE)
    assert user_of(USER_ITEM) == shown
    nothing = dict.fromkeys(
        ("onPremisesSyncEnabled", "passwordPolicies", "lastPasswordChangeDateTime", "createdDateTime")
    )
    assert user_of({**USER_ITEM, **nothing, "userType": None}) == replace(
        shown, synchronised=None, password_policies=None, password_changed=None, created=None
    )
    with pytest.raises(UnexpectedShape, match=r"^'createdDateTime' is no date and time$"):
        user_of({**USER_ITEM, "createdDateTime": "long ago"})


@pytest.mark.parametrize(
    ("properties", "guest"),
    [
        ({"userType": "Guest"}, True),
        ({"userPrincipalName": f"me_x.example#EXT#@{INITIAL}"}, True),
        ({"userPrincipalName": f"me_x.example#ext#@{INITIAL}", "userType": "Guest"}, True),
        ({"userType": "guest"}, False),
    ],
)
def test_guests_are_told_by_their_name_too(properties: dict[str, Any], guest: bool) -> None:
    assert user_of({**USER_ITEM, **properties}).guest is guest


@pytest.mark.parametrize("name", USER_ITEM)
def test_a_user_who_is_not_shown_in_full_is_unexpected(name: str) -> None:
    for wrong in ({**USER_ITEM, name: 1}, {one: value for one, value in USER_ITEM.items() if one != name}):
        with pytest.raises(UnexpectedShape, match=f"^'{name}' is (no string|no boolean|missing)$"):
            user_of(wrong)


DOMAIN = {"id": INITIAL, "isInitial": True, "authenticationType": "Managed"}


@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ({}, Domain(INITIAL, True, None)),
        ({"passwordValidityPeriodInDays": 90}, Domain(INITIAL, True, 90)),
        ({"passwordValidityPeriodInDays": "90"}, Domain(INITIAL, True, None)),
        ({"authenticationType": "Federated"}, Domain(INITIAL, False, None)),
    ],
)
def test_the_initial_domain(properties: dict[str, Any], found: Domain) -> None:
    another = {"id": "contoso.example", "isInitial": False, "authenticationType": "Federated"}
    assert initial_domain([another, {**DOMAIN, **properties}, another]) == found


@pytest.mark.parametrize("count", [0, 2])
def test_there_is_one_initial_domain(count: int) -> None:
    with pytest.raises(UnexpectedShape, match=f"^{count} domains are the initial one instead of one$"):
        initial_domain([DOMAIN] * count)


@pytest.mark.parametrize("name", DOMAIN)
def test_a_domain_that_is_not_shown_in_full_is_unexpected(name: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"^'{name}' is missing$"):
        initial_domain([{one: value for one, value in DOMAIN.items() if one != name}])


def test_groups_are_told_from_what_else_somebody_is_a_member_of() -> None:
    kinds = ("group", "directoryRole", "administrativeUnit")
    items = [{"id": f"{kind}-A", "@odata.type": f"#microsoft.graph.{kind}"} for kind in kinds]
    assert groups_of(items) == {"group-a"}
    for broken in ({"id": "A"}, {"@odata.type": "#microsoft.graph.group"}):
        with pytest.raises(UnexpectedShape, match="is missing"):
            groups_of([broken])


@pytest.mark.parametrize(
    ("activity", "last"),
    [
        (None, None),
        ({"lastSuccessfulSignInDateTime": "2026-01-01T00:00:00Z", "lastSignInDateTime": "2026-02-01"}, "2026-01-01"),
        ({"lastSuccessfulSignInDateTime": None, "lastSignInDateTime": "2026-02-01"}, "2026-02-01"),
        ({"lastSignInDateTime": None}, None),
    ],
)
def test_the_last_sign_in_is_the_last_successful_one_where_graph_tells(activity: Any, last: str | None) -> None:
    found = last_sign_in({"signInActivity": activity})
    assert found == last if last is None else str(found).startswith(last)
    assert last_sign_in({}) is None


@pytest.mark.parametrize(
    ("activity", "words"),
    [
        ("2026-01-01", "an object was expected"),
        ({}, "'lastSignInDateTime' is missing"),
        ({"lastSuccessfulSignInDateTime": 1, "lastSignInDateTime": 1}, "'lastSignInDateTime' is no string"),
    ],
)
def test_sign_ins_of_another_shape_are_unexpected(activity: Any, words: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"^{words}$"):
        last_sign_in({"signInActivity": activity})


@pytest.mark.parametrize(
    ("stamp", "day"),
    [("2026-11-13T10:00:00Z", date(2026, 11, 13)), ("2026-11-13", date(2026, 11, 13)), ("soon", None), ("", None)],
)
def test_the_day_of_a_moment(stamp: str, day: date | None) -> None:
    assert day_of(stamp) == day


# At the edges


def test_what_catches_an_account_is_told_only_when_it_is_known() -> None:
    def caught(scene: Scene) -> list[str] | None:
        return policies_that_catch(scene.tenant, scene.account)

    catching = policy("Everybody", includeUsers=["All"])
    in_doubt = policy("Perhaps", includeUsers=["All"], excludeGroups=["another"])
    assert caught(HEALTHY.tenant_with(policies=known([catching]))) == ["Everybody"]
    assert caught(HEALTHY.tenant_with(policies=known([catching, in_doubt])).account_with(groups=NOT_READ)) is None
    assert caught(HEALTHY.tenant_with(policies=NOT_READ)) is None
    assert caught(HEALTHY.account_with(user=NOT_READ)) is None
    assert caught(HEALTHY.account_with(user=known(None))) is None


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({"id": "7", "displayName": "MFA"}, "'MFA'"),
        ({"id": "7", "displayName": None}, "'7'"),
        ({"id": None, "displayName": None}, "'a policy without a name'"),
    ],
)
def test_a_policy_is_called_by_what_it_has(names: dict[str, Any], shown: str) -> None:
    catching = {**policy(includeUsers=["All"]), **names}
    assert shown in HEALTHY.tenant_with(policies=known([catching])).said("conditional_access")


def test_without_knowing_its_roles_nothing_is_said_about_policies() -> None:
    states = HEALTHY.tenant_with(assignments=known([{"principalId": ME}])).states()
    assert (states["global_administrator"], states["conditional_access"]) == ("unknown", "unknown")


def test_another_role_through_a_group_is_not_the_wanted_one() -> None:
    scene = HEALTHY.tenant_with(assignments=known([assignment(GROUP, role=READER)]), active=known([]))
    assert scene.states()["global_administrator"] == "failed"


def test_without_schedules_a_role_through_a_group_is_inferred_to_last() -> None:
    scene = HEALTHY.tenant_with(assignments=known([assignment(GROUP)]), active=known(None), eligible=known(None))
    assert scene.states()["global_administrator"] == "passed"
    assert scene.said("global_administrator").endswith("permanence is inferred, since no schedule is shown.")


@pytest.mark.parametrize(("target", "state"), [(ME, "passed"), (OTHER, "failed")])
def test_a_totp_token_may_be_allowed_for_the_account_alone(target: str, state: str) -> None:
    allowed = allowing("SoftwareOath", includeTargets=[{"id": target}])
    scene = HEALTHY.tenant_with(methods_policy=known(allowed), security_defaults=known(True))
    scene = scene.declared_with(second_factor="totp_token", attested=frozenset(["totp_token"]), drill=None)
    assert scene.account_with(methods=known(frozenset(["totp_token"]))).states()["security_defaults"] == state


@pytest.mark.parametrize(
    ("days_ago", "last", "state"),
    [
        (1, None, "passed"),
        (2, None, "failed"),
        (10, "2026-11-13T10:00:00Z", "passed"),
        (10, "2026-11-12T10:00:00Z", "passed"),
        (10, "2026-11-11T10:00:00Z", "failed"),
        (91, "2026-11-13T10:00:00Z", "failed"),
        (90, "2026-11-13T10:00:00Z", "passed"),
    ],
)
def test_a_drill_counts_unless_entra_knows_better_or_it_is_too_old(days_ago: int, last: str | None, state: str) -> None:
    drill = replace(DRILL, day=TODAY - timedelta(days=days_ago))
    assert HEALTHY.declared_with(drill=drill).account_with(sign_in=known(last)).states()["drill"] == state


FOR_READERS = policy("For readers", includeRoles=[READER])


@pytest.mark.parametrize(
    ("scene", "state"),
    [
        (HEALTHY, "passed"),
        (HEALTHY.tenant_with(assignments=known([assignment(), assignment(role=READER)])), "failed"),
        (HEALTHY.tenant_with(assignments=known([assignment(), assignment(GROUP, role=READER)])), "failed"),
        (HEALTHY.tenant_with(assignments=known([assignment(), assignment(OTHER, role=READER)])), "passed"),
        (HEALTHY.tenant_with(assignments=known([assignment(role=READER, scope="/administrativeUnits/1")])), "passed"),
        # The role may come through a group, or may be there without being shown.
        (HEALTHY.account_with(groups=NOT_READ), "unknown"),
        (HEALTHY.tenant_with(assignments=NOT_READ), "unknown"),
    ],
)
def test_a_policy_for_a_role_catches_who_holds_it(scene: Scene, state: str) -> None:
    assert scene.tenant_with(policies=known([FOR_READERS])).states()["conditional_access"] == state


def test_who_holds_the_role_itself_needs_no_group_to_be_read() -> None:
    scene = HEALTHY.account_with(groups=NOT_READ)
    assert scene.states()["global_administrator"] == "passed"
    scene = scene.tenant_with(assignments=known([assignment(GROUP)]), active=known([]))
    assert scene.states()["global_administrator"] == "unknown"
    assert "through a group could not be read: Graph said no." in scene.said("global_administrator")


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, "is Global Administrator, active, permanently."),
        ({"active": known([])}, "active, permanence is inferred, since no schedule is shown."),
        ({"assignments": known([]), "active": known([])}, "is not Global Administrator of the whole tenant."),
        (
            {"assignments": known([]), "active": known([]), "eligible": NOT_READ},
            "of the whole tenant. Whether it is eligible could not be read: Graph said no.",
        ),
    ],
)
def test_how_it_holds_the_role_is_said(changes: dict[str, Any], end: str) -> None:
    assert HEALTHY.tenant_with(**changes).said("global_administrator").endswith(end)


def test_when_the_password_was_changed_is_said_where_graph_tells() -> None:
    said = HEALTHY.said("password_never_expires")
    assert said == "Its password does not expire. It was changed last on 2026-10-01."
    assert HEALTHY.user_with(password_changed=None).said("password_never_expires") == "Its password does not expire."


# What is said


def test_what_is_said_of_a_healthy_account() -> None:
    assert {check.name: check.sentence for check in HEALTHY.checks()} == {
        "exists": "It exists.",
        "enabled": "It is enabled.",
        "cloud_only": "It lives in the cloud only.",
        "initial_domain": f"It is on the initial domain {INITIAL}, whose users sign in at Microsoft.",
        "password_never_expires": "Its password does not expire. It was changed last on 2026-10-01.",
        "global_administrator": "It is Global Administrator, active, permanently.",
        "conditional_access": "No enabled Conditional Access policy catches it.",
        "second_factor": "Registered: passkey.",
        "security_defaults": "A drill with security defaults on has proven its second factor.",
        "excluded_from_every_policy": "Every Conditional Access policy in use excludes it.",
        "exclusion_group": "It is in the exclusion group.",
        "exclusion_group_protected": (
            "Only highly privileged administrators can change the members of the exclusion group."
        ),
        "different_second_factor": "No other Global Administrator uses this second factor.",
        "last_sign_in": "Its last sign-in was on 2026-11-13.",
        "drill": "The last drill by Noor was on 2026-11-13, 10 days ago, with MFA enforced.",
    }


DOUBTED = policy(includeUsers=["All"], excludeGroups=["another"])
CATCHING = policy(includeUsers=["All"])
LATER = policy("Later", state="enabledForReportingButNotEnforced", includeUsers=["All"])


@pytest.mark.parametrize(
    ("scene", "name", "sentence"),
    [
        (
            HEALTHY.user_with(synchronised=False),
            "cloud_only",
            "It lives in the cloud only. It was synchronised once.",
        ),
        (
            HEALTHY.tenant_with(policies=known([CATCHING])),
            "conditional_access",
            "Enabled Conditional Access policies catch it: 'MFA'.",
        ),
        (
            HEALTHY.tenant_with(policies=known([CATCHING, LATER])),
            "conditional_access",
            "Enabled Conditional Access policies catch it: 'MFA'. Once enabled, these would catch it too: 'Later'.",
        ),
        (
            HEALTHY.tenant_with(policies=known([DOUBTED])).account_with(groups=unknown("No groups.")),
            "conditional_access",
            "Whether these Conditional Access policies catch it is unknown: 'MFA'. Not read: No groups.",
        ),
        (
            HEALTHY.tenant_with(policies=known([FOR_READERS]), assignments=unknown("No roles.")),
            "conditional_access",
            "Whether these Conditional Access policies catch it is unknown: 'For readers'. Not read: No roles.",
        ),
        (
            HEALTHY.tenant_with(policies=known([policy(state="of tomorrow", includeUsers=["All"]), LATER])),
            "conditional_access",
            (
                "Whether these Conditional Access policies catch it is unknown: 'MFA'. Once enabled, these would "
                "catch it too: 'Later'."
            ),
        ),
        (
            HEALTHY.tenant_with(methods_policy=known({"authenticationMethodConfigurations": None})),
            "second_factor",
            (
                "Registered: passkey. Whether it may be used could not be read: Graph's answer has an unexpected "
                "shape: 'authenticationMethodConfigurations' is no list of objects."
            ),
        ),
        (
            HEALTHY.tenant_with(methods_policy=known(allowing("Fido2", state="disabled"))),
            "second_factor",
            f"Registered: passkey. The authentication methods policy does not let it use: passkey. {PASSKEYS_REFUSED}",
        ),
        (
            HEALTHY.tenant_with(methods_policy=known(allowing("Email"))),
            "second_factor",
            "Registered: passkey. Whether the tenant's settings allow it cannot be told.",
        ),
        (
            replace(HEALTHY, others=Others(0, frozenset(), None)),
            "different_second_factor",
            "There are no other Global Administrators.",
        ),
        (HEALTHY.account_with(sign_in=known(None)), "last_sign_in", "No sign-in is recorded."),
        (
            HEALTHY.declared_with(drill=Drill(TODAY, False, "")),
            "drill",
            "The last drill was on 2026-11-23, 0 days ago, without MFA enforced, which proves little.",
        ),
        # The operator's day may be ahead of ours.
        (
            HEALTHY.declared_with(drill=Drill(TODAY + timedelta(days=1), True, "Noor", methods=("passkey",))),
            "drill",
            "The last drill by Noor was on 2026-11-24, 0 days ago, with MFA enforced.",
        ),
    ],
)
def test_what_is_said(scene: Scene, name: str, sentence: str) -> None:
    assert scene.said(name) == sentence


@pytest.mark.parametrize(("methods", "state"), [(known(frozenset(["phone"])), "failed"), (NOT_READ, "unknown")])
def test_without_a_second_factor_there_is_none_to_differ(methods: Fact, state: str) -> None:
    assert HEALTHY.account_with(methods=methods).states()["different_second_factor"] == state


@pytest.mark.parametrize(("target", "state"), [(ME, "passed"), (OTHER, "failed")])
def test_a_second_factor_may_be_allowed_for_the_account_alone(target: str, state: str) -> None:
    allowed = allowing("Fido2", includeTargets=[{"id": target}])
    assert HEALTHY.tenant_with(methods_policy=known(allowed)).states()["second_factor"] == state
