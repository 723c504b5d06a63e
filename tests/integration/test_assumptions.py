# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection under every value of what no public source settles: one tenant for each value, one run for all.

Whatever Graph turns out to do, a module changes what it says, or fails with Graph's words, and never calls compliant
what it could not read or bring about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import m365_simulator.graph
from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator
from m365_simulator.assumptions import ASSUMPTIONS

PLAYBOOK = Path(__file__).parent / "playbooks" / "assumptions.yml"
DEFAULTS, FACTS, READ, WRITE, AGAIN, ACCOUNT = (
    "Switch security defaults",
    "Read facts",
    "Read anything",
    "Write anything",
    "Write again until it is accepted",
    "Keep an emergency account",
)

PASS, TOKEN = "Make a Temporary Access Pass", "Upload a hardware OATH token"

METHODS = "/policies/authenticationMethodsPolicy"
CONFIGURATIONS = f"{METHODS}/authenticationMethodConfigurations"
ACCESS = "/identity/conditionalAccess"
ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
UNITS = "/directory/administrativeUnits"
STANDING = "emergency_account.global_administrator"
NOBODY = "11111111-2222-4333-8444-555555555555"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"

# What the tenants are. Each is as small as can be.


def policy(name: str, state: str) -> dict[str, Any]:
    return {
        "displayName": name,
        "state": state,
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": ["All"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    }


def tenant(enabled: bool = False, part_number: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "security_defaults": {"enabled": enabled},
        "subscriptions": [{"part_number": part_number, "bought": 5}] if part_number else [],
        "people": {
            "named": [
                {"name": "Noor Visser", "roles": ["Global Administrator"], "methods": ["microsoftAuthenticatorPush"]},
                {"name": "Lena Fischer", "roles": ["User Administrator"]},
            ]
        },
        **more,
    }


P1 = "SPB"
OFFICE = {
    "@odata.type": "#microsoft.graph.ipNamedLocation",
    "displayName": "Office",
    "isTrusted": True,
    "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24"}],
}
SCENARIOS: dict[str, dict[str, Any]] = {
    "free": tenant(authentication_methods_policy={"migration_state": "migrationInProgress"}),
    "free_with_defaults": tenant(enabled=True),
    "free_with_passes": tenant(
        authentication_methods_policy={"methods": {"TemporaryAccessPass": {"state": "enabled"}}}
    ),
    "external_email": tenant(
        authentication_methods_policy={"methods": {"Email": {"allowExternalIdToUseEmailOtp": "enabled"}}}
    ),
    "reporting": tenant(
        part_number=P1,
        conditional_access_policies=[policy("Only reported", "enabledForReportingButNotEnforced")],
        named_locations=[OFFICE],
    ),
    "premium_with_defaults": tenant(enabled=True, part_number=P1),
    "emergency": tenant(
        part_number="SPE_E5",
        people={
            "named": [
                {"name": "Noor Visser", "roles": ["Global Administrator"], "methods": ["microsoftAuthenticatorPush"]},
                {"name": "Emergency1", "domain": "initial", "roles": ["Global Administrator"]},
            ]
        },
        application={"roles": ["Privileged Authentication Administrator"]},
    ),
    "restricted": tenant(
        part_number="SPE_E5",
        people={
            "named": [
                {"name": "Noor Visser", "roles": ["Global Administrator"], "methods": ["microsoftAuthenticatorPush"]},
                {"name": "Emergency1", "domain": "initial", "roles": ["Global Administrator"]},
            ]
        },
        administrative_units=[{"name": "Emergency", "restricted": True, "members": ["user:emergency1"]}],
        application={"roles": ["Privileged Authentication Administrator"]},
    ),
    "full": tenant(
        part_number=P1, conditional_access_policies=[policy(f"Policy {number}", "disabled") for number in range(242)]
    ),
}

# What is expected


@dataclass(frozen=True)
class Result:
    """Of one task: whether it changed something, or the pattern of the message with which it failed; and what its
    result shows, by dotted path."""

    changed: bool = False
    failed: str | None = None
    shows: dict[str, Any] = field(default_factory=dict)


CHANGED, UNCHANGED = Result(changed=True), Result()


def failed(pattern: str) -> Result:
    return Result(failed=pattern)


@dataclass(frozen=True)
class Case:
    """A tenant, what its host does, and what comes of it under each value of an assumption.

    ``variables`` are those of playbooks/assumptions.yml, empty for the baseline. ``results`` are by value and task; for
    the baseline the task is its verdict. ``also`` are other assumptions.
    """

    assumption: str
    scenario: str
    variables: dict[str, Any]
    results: dict[str, dict[str, Result]]
    also: dict[str, str] = field(default_factory=dict)


TURN_ON = {"security_defaults": {"enabled": True, "accept_risks": ["unproven_emergency_access"]}}
TURN_OFF = {"security_defaults": {"enabled": False, "accept_risks": ["unprotected_users"]}}


def write(method: str, path: str, **more: Any) -> dict[str, Any]:
    return {"graph_request": {"method": method, "path": path, **more}}


def configure(name: str, **changes: Any) -> dict[str, Any]:
    type_name = f"#microsoft.graph.{name[0].lower()}{name[1:]}AuthenticationMethodConfiguration"
    return write("PATCH", f"{CONFIGURATIONS}/{name}", desired=changes, body={"@odata.type": type_name, **changes})


def create_policy(state: str) -> dict[str, Any]:
    found = {"read_path": f"{ACCESS}/policies", "read_query": "value[?displayName=='New'] | [0]"}
    return write("POST", f"{ACCESS}/policies", desired={"displayName": "New"}, body=policy("New", state), **found)


def of_task(task: str, **results: Result) -> dict[str, dict[str, Result]]:
    """By value; a value that is a number begins with an underscore."""
    return {value.lstrip("_"): {task: result} for value, result in results.items()}


def alike(task: str, assumption: str, result: Result) -> dict[str, dict[str, Result]]:
    return {value: {task: result} for value in ASSUMPTIONS[assumption].values}


BLOCKED = failed("Conditional Access policies are enabled in the tenant")
DEFAULTS_ARE_ON = failed("Security Defaults is enabled in the tenant")
NOT_SHOWN = failed("Graph accepted the change of .*, but did not show it within")
BLOCKERS = "security_defaults_blocked_by"

CASES = [
    Case(BLOCKERS, "reporting", TURN_ON, of_task(DEFAULTS, enabled=CHANGED, nothing=CHANGED, any=BLOCKED)),
    Case(
        "security_defaults_blocked_answer",
        "reporting",
        TURN_ON,
        of_task(DEFAULTS, _400=BLOCKED, _403=BLOCKED, ignored=NOT_SHOWN),
        also={BLOCKERS: "any"},
    ),
    Case(
        "security_defaults_hidden_blocker",
        "free",
        TURN_ON,
        of_task(
            DEFAULTS,
            none=CHANGED,
            classic=failed("Classic policies are enabled"),
            identityProtection=failed("Identity Protection policies are enabled"),
        ),
    ),
    Case(
        "security_defaults_same_value",
        "free_with_defaults",
        TURN_ON,
        alike(DEFAULTS, "security_defaults_same_value", UNCHANGED),
    ),
    Case(
        "managed_policies_after_security_defaults",
        "premium_with_defaults",
        TURN_OFF,
        alike(DEFAULTS, "managed_policies_after_security_defaults", CHANGED),
    ),
    Case(
        "managed_policy_refusal",
        "premium_with_defaults",
        {
            **TURN_OFF,
            "graph_info": {"path": f"{ACCESS}/policies", "query": "[0].id"},
            **write("DELETE", f"{ACCESS}/policies/{{{{ found.result }}}}"),
        },
        {
            value: {DEFAULTS: CHANGED, READ: UNCHANGED, WRITE: failed("Microsoft-managed policies cannot be")}
            for value in ("400", "403")
        },
    ),
    Case(
        "security_defaults_off_after_seconds",
        "premium_with_defaults",
        {**TURN_OFF, **create_policy("enabled")},
        {"0": {DEFAULTS: CHANGED, WRITE: CHANGED}, "300": {DEFAULTS: CHANGED, WRITE: DEFAULTS_ARE_ON}},
    ),
    Case(
        "security_defaults_off_after_seconds",
        "premium_with_defaults",
        {**TURN_OFF, "again": create_policy("enabled")["graph_request"]},
        {"3": {DEFAULTS: CHANGED, AGAIN: CHANGED}},
    ),
    Case(
        "disabled_policy_under_security_defaults",
        "premium_with_defaults",
        create_policy("disabled"),
        of_task(WRITE, accepted=CHANGED, refused=DEFAULTS_ARE_ON),
    ),
    Case(
        "conditional_access_policy_limit",
        "full",
        create_policy("disabled"),
        of_task(WRITE, _244=CHANGED, _240=failed("maximum number"), _195=failed("maximum number")),
    ),
    Case(
        "conditional_access_limit_refusal",
        "full",
        create_policy("disabled"),
        of_task(WRITE, _400=failed("maximum number"), _403=failed("maximum number")),
        also={"conditional_access_policy_limit": "240"},
    ),
    Case(
        "trusted_location_refusal",
        "reporting",
        {
            "graph_info": {"path": f"{ACCESS}/namedLocations", "query": "[0].id"},
            **write("DELETE", f"{ACCESS}/namedLocations/{{{{ found.result }}}}"),
        },
        {value: {READ: UNCHANGED, WRITE: failed("trusted location cannot be deleted")} for value in ("400", "409")},
    ),
    Case(
        "conditional_access_read_on_free",
        "free",
        {**TURN_ON, "tenant_info": ["conditional_access"]},
        {
            "200": {DEFAULTS: CHANGED, FACTS: Result(shows={"tenant.conditional_access.completeness": "known"})},
            "403": {
                DEFAULTS: failed("could not be read.*not licensed"),
                FACTS: Result(
                    shows={"tenant.conditional_access.completeness": "unknown", "tenant.conditional_access.value": None}
                ),
            },
        },
    ),
    Case(
        "user_mfa_state_in_list",
        "free",
        {**TURN_ON, "tenant_info": ["per_user_mfa"]},
        {
            value: {
                DEFAULTS: Result(changed=True, shows={"impact.facts.per_user_mfa.completeness": completeness}),
                FACTS: Result(shows={"tenant.per_user_mfa.completeness": completeness}),
            }
            for value, completeness in (("present", "known"), ("absent", "unknown"))
        },
    ),
    Case(
        "user_mfa_state_filter",
        "free",
        {"graph_info": {"path": "/users", "parameters": {"$filter": "perUserMfaState eq 'disabled'", "$select": "id"}}},
        of_task(READ, works=UNCHANGED, refused=failed("query filter clause")),
    ),
    Case(
        "methods_of_missing_user",
        "free",
        {"graph_info": {"path": f"/users/{NOBODY}/authentication/requirements", "api_version": "beta"}},
        of_task(READ, _404=failed("does not exist"), _403=failed("Authorization failed")),
    ),
    Case(
        "mfa_service_policy",
        "free",
        {"graph_info": {"path": "/policies/mfaServicePolicy", "api_version": "beta"}},
        of_task(
            READ,
            _200=Result(shows={"result.id": "mfaServicePolicy"}),
            _403=failed("required scopes are missing"),
            _404=failed("Resource not found for the segment"),
        ),
    ),
    Case(
        "unknown_segment",
        "free",
        {"graph_info": {"path": "/nonsense"}},
        alike(READ, "unknown_segment", failed("Resource not found for the segment 'nonsense'")),
    ),
    Case(
        "migration_back_refusal",
        "free",
        write("PATCH", METHODS, desired={"policyMigrationState": "preMigration"}),
        of_task(WRITE, _400=failed("cannot be set to preMigration"), ignored=NOT_SHOWN),
    ),
    Case(
        "method_type_refusal",
        "free",
        write("PATCH", f"{CONFIGURATIONS}/Sms", desired={"state": "enabled"}),
        of_task(WRITE, abstract=failed("abstract class"), unresolved=failed("could not be resolved")),
    ),
    Case(
        "methods_policy_size_refusal",
        "free",
        configure(
            "Sms",
            includeTargets=[{"targetType": "group", "id": f"00000000-0000-4000-8000-{n:012}"} for n in range(200)],
        ),
        alike(WRITE, "methods_policy_size_refusal", failed("20 KB")),
    ),
    Case(
        "user_as_method_target",
        "free",
        configure("Sms", includeTargets=[{"targetType": "user", "id": NOBODY, "isRegistrationRequired": False}]),
        of_task(WRITE, accepted=CHANGED, refused=failed("must be a group")),
    ),
    Case(
        "snooze_refusal",
        "free",
        write(
            "PATCH",
            METHODS,
            desired={
                "registrationEnforcement": {
                    "authenticationMethodsRegistrationCampaign": {
                        "snoozeDurationInDays": 15,
                        "state": "enabled",
                        "excludeTargets": [],
                        "includeTargets": [],
                    }
                }
            },
        ),
        of_task(WRITE, _400=failed("between 0 and 14"), clamped=NOT_SHOWN),
    ),
    Case(
        "incomplete_campaign",
        "free",
        write(
            "PATCH",
            METHODS,
            desired={"registrationEnforcement": {"authenticationMethodsRegistrationCampaign": {"state": "enabled"}}},
        ),
        of_task(WRITE, _400=failed("not nullable"), merged=CHANGED),
    ),
    Case(
        "email_method_refusal",
        "external_email",
        configure("Email", state="disabled"),
        alike(WRITE, "email_method_refusal", failed("email method cannot be disabled")),
    ),
    Case(
        "beta_setting_in_v1",
        "free",
        write("PATCH", METHODS, desired={"optOutSettings": {"passkeyDynamicMigration": True}}),
        of_task(WRITE, _400=failed("optOutSettings"), ignored=NOT_SHOWN),
    ),
    Case(
        "last_global_administrator_refusal",
        "free",
        write("DELETE", "/users/noor.visser@{{ initial_domain }}"),
        alike(WRITE, "last_global_administrator_refusal", failed("last Global Administrator")),
        also={"sensitive_actions_by_applications": "allowed"},
    ),
    Case(
        "sensitive_actions_by_applications",
        "free",
        write(
            "PATCH",
            "/users/lena.fischer@{{ initial_domain }}",
            desired={"accountEnabled": False},
            read_path="/users/lena.fischer@{{ initial_domain }}?$select=accountEnabled",
        ),
        of_task(WRITE, allowed=CHANGED, refused=failed("Insufficient privileges")),
    ),
    Case(
        "role_assigned_twice",
        "free",
        {
            "graph_info": {
                "path": ASSIGNMENTS,
                "query": f"[?roleDefinitionId=='{USER_ADMINISTRATOR}'].principalId | [0]",
            },
            **write(
                "POST",
                ASSIGNMENTS,
                body={
                    "roleDefinitionId": USER_ADMINISTRATOR,
                    "principalId": "{{ found.result }}",
                    "directoryScopeId": "/",
                },
                always=True,
            ),
        },
        {value: {READ: UNCHANGED, WRITE: failed("conflicting object")} for value in ("400", "409")},
    ),
    Case(
        "restricted_management_on_free",
        "free",
        write(
            "POST",
            UNITS,
            read_path=UNITS,
            read_query="value[?displayName=='New'] | [0]",
            desired={"displayName": "New"},
            body={"displayName": "New", "isMemberManagementRestricted": True},
        ),
        of_task(WRITE, refused=failed("premium license"), accepted=CHANGED),
    ),
    Case(
        "restricted_management_refusal",
        "restricted",
        {"emergency_account": {"password": "Correct-Horse-Battery-7", "update_password": "always"}},
        alike(ACCOUNT, "restricted_management_refusal", failed("restricted management administrative unit")),
    ),
    Case(
        "roles_of_restored_user",
        "emergency",
        {**write("DELETE", "/users/emergency1@{{ initial_domain }}"), "emergency_account": {"restore": True}},
        {
            value: {WRITE: CHANGED, ACCOUNT: Result(changed=True, shows={STANDING: "permanent"})}
            for value in ("restored", "lost")
        },
    ),
    Case(
        "temporary_access_pass_on_free",
        "free_with_passes",
        {"temporary_access_pass": {"user": "lena.fischer@{{ initial_domain }}"}},
        of_task(PASS, accepted=CHANGED, refused=failed("lacks the licence")),
    ),
    Case(
        "hardware_oath_on_free",
        "free",
        {"hardware_oath_token": {"secret_key": "6PJ4UKIW33NNXYZAEHQNFUFTZF7WFTFB"}},
        of_task(TOKEN, accepted=CHANGED, refused=failed("lacks the licence")),
    ),
]

VERDICT = "verdict"
BASELINE = [
    Case(BLOCKERS, "reporting", {}, of_task(VERDICT, enabled=CHANGED, nothing=CHANGED, any=BLOCKED)),
    Case(
        "security_defaults_blocked_answer",
        "reporting",
        {},
        of_task(VERDICT, _400=BLOCKED, _403=BLOCKED, ignored=NOT_SHOWN),
        also={BLOCKERS: "any"},
    ),
    Case(
        "conditional_access_read_on_free",
        "free",
        {},
        of_task(VERDICT, _200=CHANGED, _403=failed("not licensed for this feature")),
    ),
    Case("user_mfa_state_in_list", "free", {}, of_task(VERDICT, present=CHANGED, absent=CHANGED)),
    Case(
        "security_defaults_same_value",
        "free_with_defaults",
        {},
        alike(VERDICT, "security_defaults_same_value", UNCHANGED),
    ),
]

# Assumptions that decide what Graph answers, but whose value no module can tell, each with the reason.
UNSEEN = {
    "reference_to_new_object": "shows under a fault of late visibility only",
    "throttled_requests_count": "shows under throttling only",
    "what_if_without_information": "the collection does not ask what-if yet",
    "permission_takes_effect": "every run signs in anew",
    "sign_in_log_delay_seconds": "somebody must sign in between two runs, as in test_emergency_access_watch",
}


def of_graph() -> set[str]:
    """The assumptions that the simulated Graph looks at; the others are about signing in."""
    package = Path(m365_simulator.graph.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in package.glob("*.py"))
    return {name for name in ASSUMPTIONS if f'"{name}"' in source}


@dataclass(frozen=True)
class Host:
    """One tenant under one value."""

    name: str
    case: Case
    value: str

    @property
    def results(self) -> dict[str, Result]:
        return self.case.results[self.value]


def hosts(cases: list[Case], prefix: str) -> list[Host]:
    return [
        Host(f"{prefix}{number}_{case.assumption}_{value}", case, value)
        for number, case in enumerate(cases)
        for value in case.results
    ]


MODULE_HOSTS, BASELINE_HOSTS = hosts(CASES, "m"), hosts(BASELINE, "b")
HOSTS = [*MODULE_HOSTS, *BASELINE_HOSTS]


@pytest.fixture(scope="module")
def assuming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator with a tenant for each host."""
    folder = tmp_path_factory.mktemp("assuming")
    for name, content in SCENARIOS.items():
        (folder / f"{name}.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    scenarios = [str(folder / f"{host.case.scenario}.yml") for host in HOSTS]
    simulator = Simulator(folder, scenarios, record=True)
    yield simulator
    simulator.stop()


def run_all(simulator: Simulator, play: Play, folder: Path, chosen: list[Host], door: str) -> PlaybookRun:
    simulator.reset()
    groups: dict[str, dict[str, Any]] = {"baseline": {}}
    for host, one in zip(HOSTS, simulator.tenants, strict=True):
        if host not in chosen:
            continue
        simulator.assume(one, {**host.case.also, host.case.assumption: host.value})
        variables = {**simulator.host_variables(one), "initial_domain": one.initial_domain, **host.case.variables}
        for group in host.case.variables or ("baseline",):
            groups.setdefault(group, {})[host.name] = variables
    inventory = folder / "inventory.yml"
    inventory.write_text(json.dumps({name: {"hosts": found} for name, found in groups.items()}), encoding="utf-8")
    # Emergency accounts are looked at with the modules.
    without = ("--skip-tags", "emergency_access")
    return play(PLAYBOOK, "--inventory", str(inventory), "--forks", "8", *without, door=door)


def look_up(result: dict[str, Any], path: str) -> Any:
    found: Any = result
    for name in path.split("."):
        found = found[name]
    return found


def check_modules(run: PlaybookRun, host: Host) -> None:
    tasks = {one.task: one for one in run.of_collection(host.name)}
    assert set(tasks) == set(host.results)
    for name, expected in host.results.items():
        task = tasks[name]
        if expected.failed is not None:
            assert task.failed, f"{host.name}: {task.message}"
            assert re.search(expected.failed, task.message, re.DOTALL), f"{host.name}: {task.message}"
            assert task.changed is (expected is NOT_SHOWN), f"{host.name}: what was sent was a change"
        else:
            assert not task.failed, f"{host.name}: {task.message}"
            assert task.changed is expected.changed, f"{host.name}: {task.message}"
        for path, value in expected.shows.items():
            assert look_up(task.result, path) == value, host.name


def check_baseline(run: PlaybookRun, host: Host) -> None:
    found = run.custom["_run"]["zerotrust_m365"][host.name]
    expected = host.results[VERDICT]
    assert found["failed"] is (expected.failed is not None), host.name
    if expected.failed is not None:
        assert found["security_defaults"] == "not_run", host.name
        message = run.task("Fail when the baseline was not reached", host.name).message
        assert re.search(expected.failed, message, re.DOTALL), f"{host.name}: {message}"
    else:
        assert found["security_defaults"] == ("changed" if expected.changed else "compliant"), host.name


def use_all(simulator: Simulator, play: Play, folder: Path, baselines: list[Host], door: str) -> None:
    with simulator.held_to_schema():
        # An address that is not there, a write without its type, and what v1.0 does not have and may ignore.
        for wrong in ("GET /v1.0/nonsense", f"PATCH /v1.0{CONFIGURATIONS}/Sms", f"PATCH /v1.0{METHODS}"):
            simulator.expects_wrong_request(wrong)
        run = run_all(simulator, play, folder, [*MODULE_HOSTS, *baselines], door)
    assert "Traceback" not in run.output
    for host in MODULE_HOSTS:
        check_modules(run, host)
    for host in baselines:
        check_baseline(run, host)


def test_the_collection_under_every_assumption(assuming: Simulator, play: Play, tmp_path: Path) -> None:
    """The baseline, whose runs take longer, only where it comes out differently."""
    different = [host for host in BASELINE_HOSTS if host.results[VERDICT].failed or host.value == "absent"]
    use_all(assuming, play, tmp_path, different, "action")


@pytest.mark.deep
def test_all_baselines_under_every_assumption(assuming: Simulator, play: Play, tmp_path: Path) -> None:
    use_all(assuming, play, tmp_path, BASELINE_HOSTS, "action")


@pytest.mark.deep
def test_the_modules_under_every_assumption(assuming: Simulator, play: Play, tmp_path: Path) -> None:
    use_all(assuming, play, tmp_path, [], "module")


def test_every_value_of_every_assumption_is_tried() -> None:
    tried: dict[str, set[str]] = {}
    for host in HOSTS:
        tried.setdefault(host.case.assumption, set()).add(host.value)
    assert set(tried).isdisjoint(UNSEEN)
    assert tried == {name: set(ASSUMPTIONS[name].values) for name in of_graph() - set(UNSEEN)}
    assert set(UNSEEN) <= of_graph()
