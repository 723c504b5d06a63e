# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios: what ships, what the schema refuses, and what each one promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from m365_simulator.errors import SimulatorError
from m365_simulator.licences import tier_of
from m365_simulator.scenarios import load_scenario, parse_scenario, scenario_names
from m365_simulator.simulation import Options, Simulation


def test_six_scenarios_ship() -> None:
    assert scenario_names() == ["business", "generated", "greenfield", "hybrid", "legacy", "locked"]


@pytest.mark.parametrize("name", ["business", "greenfield", "hybrid", "legacy", "locked"])
def test_shipped_scenario_has_what_every_tenant_needs(name: str, simulate: Callable[[str], Any]) -> None:
    client = simulate(name)
    holders = client.get("/v1.0/directoryRoles(roleTemplateId='62e90394-69f5-4237-9190-012177145e10')/members").value
    assert len([holder for holder in holders if holder["@odata.type"] == "#microsoft.graph.user"]) >= 2
    domains = client.get("/v1.0/domains").value
    assert [domain["isInitial"] for domain in domains].count(True) == 1
    assert [domain["isDefault"] for domain in domains].count(True) == 1
    organization = client.get("/v1.0/organization").value[0]
    assert organization["id"] == client.tenant.id
    assert organization["tenantType"] == "AAD"


def test_greenfield_is_free_and_unprotected(greenfield: Any) -> None:
    assert tier_of(greenfield.get("/v1.0/subscribedSkus").value) == "free"
    assert not greenfield.get("/v1.0/policies/identitySecurityDefaultsEnforcementPolicy").body["isEnabled"]
    assert greenfield.get("/v1.0/policies/authenticationMethodsPolicy").body["policyMigrationState"] is None


def test_legacy_has_forty_users_in_all_three_states(legacy: Any) -> None:
    users = legacy.get("/v1.0/users?$top=999&$select=perUserMfaState,userType").value
    assert len(users) == 40
    assert min(Counter(user["perUserMfaState"] for user in users).values()) >= 5
    assert "Guest" in {user["userType"] for user in users}
    policy = legacy.get("/v1.0/policies/authenticationMethodsPolicy").body
    assert policy["policyMigrationState"] == "preMigration"


def test_business_has_policies_in_every_state(business: Any) -> None:
    assert tier_of(business.get("/v1.0/subscribedSkus").value) == "P1"
    policies = business.get("/v1.0/identity/conditionalAccess/policies").value
    assert {policy["state"] for policy in policies} == {"enabled", "enabledForReportingButNotEnforced", "disabled"}
    group = business.get("/v1.0/groups?$filter=displayName eq 'Excluded from Conditional Access'").value[0]["id"]
    assert policies[0]["conditions"]["users"]["excludeGroups"] == [group]


def test_hybrid_has_a_sync_account_and_a_federated_domain(hybrid: Any) -> None:
    template = "d29b2b05-8046-44ba-8758-1e26182fcf32"
    members = hybrid.get(f"/v1.0/directoryRoles(roleTemplateId='{template}')/members").value
    assert [member["userPrincipalName"].startswith("Sync_") for member in members] == [True]
    federated = [item for item in hybrid.get("/v1.0/domains").value if item["authenticationType"] == "Federated"]
    found = hybrid.get(f"/v1.0/domains/{federated[0]['id']}/federationConfiguration").value
    assert found[0]["federatedIdpMfaBehavior"] == "acceptIfMfaDoneByFederatedIdp"
    synced = hybrid.get("/v1.0/users?$filter=onPremisesSyncEnabled eq true&$select=id&$top=999").value
    assert len(synced) > 20


def test_locked_has_security_defaults_on(locked: Any) -> None:
    assert locked.get("/v1.0/policies/identitySecurityDefaultsEnforcementPolicy").body["isEnabled"] is True


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "is not valid YAML"),
        ("colour: red", "unknown key 'colour'"),
        ("tenant: {kolour: red}", "unknown key 'kolour' in tenant"),
        ("tenant: 3", "tenant must be a mapping"),
        ("domains: {}", "domains must be a list"),
        ("people: {named: [{name: 3}]}", "people.named[0].name must be str"),
        ("people: {named: [{kind: guest}]}", "neither name nor user"),
        ("people: {named: [{name: A B, kind: robot}]}", "unknown kind of person, 'robot'"),
        ("people: {named: [{name: A B, roles: [King]}]}", "unknown directory role, 'King'"),
        ("people: {named: [{name: A B, per_user_mfa: maybe}]}", "unknown per-user MFA state"),
        ("subscriptions: [{part_number: GOLD}]", "unknown subscription, 'GOLD'"),
        ("security_defaults: {enabled: 1}", "security_defaults.enabled must be bool"),
        ("drawn: {colour: red}", "unknown key 'colour' in drawn"),
        ("drawn: {users: {least: 9, most: 3}}", "a most not below it"),
        ("drawn: {users: {least: 0}}", "a least of 1 or more"),
        ("drawn: {licences: {free: 0}}", "nor all 0"),
        ("drawn: {licences: {free: 1, P1: -1}}", "must not be negative"),
        ("drawn: {protections: {nothing: 0}}", "drawn.protections must not be negative, nor all 0"),
        ("drawn: {users: {most: 0}}", "a most not below it"),
        ("drawn: {licences: {gold: 1}}", "unknown key 'gold' in drawn.licences"),
        ("people: {named: [{name: A B, methods: [smoke]}]}", "unknown authentication method, 'smoke'"),
        ("people: {generated: {methods: [{methods: [smoke]}]}}", "unknown authentication method, 'smoke'"),
        ("people: {named: [{name: A B, legacy_protocols: [Gopher]}]}", "unknown legacy protocol, 'Gopher'"),
        ("groups: [{name: G, roles: [King], role_assignable: true}]", "unknown directory role, 'King'"),
        ("groups: [{name: G, roles: [Global Reader]}]", "G has roles but is not role_assignable"),
        ("groups: [{members: []}]", "a group has no name"),
        ("microsoft_managed_policies: perhaps", "unknown state of policies, 'perhaps'"),
        ("assumptions: {weather: fine}", "no assumption 'weather'"),
        ("- a", "the top level must be a mapping"),
    ],
)
def test_bad_scenario_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SimulatorError) as caught:
        parse_scenario(text, "mine.yml")
    assert sentence in str(caught.value)
    assert "mine.yml" in str(caught.value) or "assumption" in str(caught.value)


def test_unknown_scenario_and_unreadable_file() -> None:
    with pytest.raises(SimulatorError, match="no scenario 'nowhere'; choose from business"):
        load_scenario("nowhere")
    with pytest.raises(SimulatorError, match="cannot be read: No such file"):
        load_scenario("/nonexistent/mine.yml")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("groups: [{name: G, members: ['user:Nobody']}]", "unknown 'user:Nobody'"),
        ("authentication_methods_policy: {methods: {Smoke: {}}}", "unknown method, 'Smoke'"),
    ],
)
def test_reference_to_nothing_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(text)
    with pytest.raises(SimulatorError, match=sentence):
        Simulation(Options(scenarios=(str(file),)), ["https://localhost"])


def test_empty_file_is_a_tenant(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text("")
    simulation = Simulation(Options(scenarios=(str(file),)), ["https://localhost"])
    assert simulation.first.initial_domain == "mine.onmicrosoft.com"
    simulation.close()


def test_tenants_are_told_apart_and_the_seed_decides_ids() -> None:
    def make(seed: int) -> list[tuple[str, str, str]]:
        options = Options(scenarios=("greenfield", "locked"), tenants=3, seed=seed)
        simulation = Simulation(options, ["https://localhost"])
        found = [(t.id, t.initial_domain, t.application.client_id) for t in simulation.tenants.values()]
        names = [simulation.dump(tenant)["objects"]["domain"][0]["id"] for tenant in simulation.tenants.values()]
        assert names == [domain for _unused, domain, _unused in found]
        simulation.close()
        return found

    first, again, other = make(7), make(7), make(8)
    assert first == again
    assert len({id for id, _unused, _unused in (*first, *other)}) == 6
    assert [domain for _unused, domain, _unused in first] == [
        "northwind.onmicrosoft.com",
        "tailspin.onmicrosoft.com",
        "northwind2.onmicrosoft.com",
    ]


def test_a_scenario_with_a_seed_of_its_own_is_the_same_tenant_anywhere(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yml"
    mine.write_text("seed: 11\ndrawn: {users: {least: 3, most: 9}}\n", encoding="utf-8")

    def make(*scenarios: str, seed: int) -> Any:
        simulation = Simulation(Options(scenarios=scenarios, seed=seed), ["https://localhost"])
        found = list(simulation.tenants.values())[-1]
        dumped = simulation.dump(found)
        simulation.close()
        return dumped["tenant_id"], dumped["application"]["client_id"], [one["id"] for one in dumped["objects"]["user"]]

    assert make(str(mine), seed=1) == make("greenfield", "generated", str(mine), seed=5)
    with pytest.raises(SimulatorError, match="has the seed of an earlier tenant"):
        make(str(mine), str(mine), seed=1)


def test_what_asks_for_mfa_in_a_drawn_tenant_may_be_chosen(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yml"
    mine.write_text("drawn: {protections: {per-user MFA: 1}}", encoding="utf-8")
    simulation = Simulation(Options(scenarios=(str(mine),), tenants=6, users=3), ["https://localhost"])
    drawn = [simulation.dump(tenant)["drawn"]["facts"]["protection"] for tenant in simulation.tenants.values()]
    simulation.close()
    assert drawn == ["per-user MFA"] * 6


def test_number_of_users_and_their_variety() -> None:
    simulation = Simulation(Options(scenarios=("legacy",), users=300), ["https://localhost"])
    users = simulation.store.tenant(0).documents("user")
    simulation.close()
    assert len(users) == 300
    assert len({user["userPrincipalName"].lower() for user in users}) == 300
    assert len({user.get("department") for user in users}) > 5
    assert {user["perUserMfaState"] for user in users} == {"disabled", "enabled", "enforced"}
    assert {user["accountEnabled"] for user in users} == {True, False}
