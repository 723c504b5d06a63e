# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generated people and drawn tenants: plausible, different, and consistent by Entra's rules whatever the seed."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from m365_simulator.builder import build_tenant, describe_tenant
from m365_simulator.building.making import REFERENCES, tenant_random
from m365_simulator.clock import days_before, to_stamp
from m365_simulator.directory_roles import GLOBAL_ADMINISTRATOR
from m365_simulator.drawing import draw_scenario
from m365_simulator.drawing.facts import MIGRATION_STATES, PROTECTIONS
from m365_simulator.drawing.people import METHOD_MIXES
from m365_simulator.graph.users import METHOD_TYPES
from m365_simulator.licences import tier_of
from m365_simulator.names import DEPARTMENTS
from m365_simulator.objects import PRIVATE_FACTS
from m365_simulator.population import ACCOUNT_KINDS, ADMINISTRATORS, REGISTRABLE_METHODS
from m365_simulator.scenarios import load_scenario, parse_scenario, scenario_names
from m365_simulator.sign_in_rules import Directory, protection
from m365_simulator.simulation import Options, Simulation
from m365_simulator.state import Row, Store, TenantStore
from m365_simulator.tenants import Tenant

NOW = 1795420000.0
GENERATED = load_scenario("generated")[1]
POLICY_WORDS = {"All", "None", "GuestsOrExternalUsers"}
LOCATION_WORDS = {"All", "AllTrusted"}


class Made:
    """One tenant in a store of its own."""

    def __init__(self, store: TenantStore, tenant: Tenant, scenario: dict[str, Any]) -> None:
        self.store, self.tenant, self.scenario = store, tenant, scenario

    def documents(self, kind: str) -> list[dict[str, Any]]:
        return self.store.documents(kind)

    def rows(self, kind: str) -> list[Row]:
        return self.store.rows(kind)

    def ids(self, *kinds: str) -> set[str]:
        return {row.id for kind in kinds for row in self.store.rows(kind)}

    @property
    def first_administrator(self) -> Row:
        name = self.scenario["people"]["named"][0]["name"]
        return next(row for row in self.rows("user") if row.document["displayName"] == name)


@contextlib.contextmanager
def made(scenario: dict[str, Any], seed: int, users: int | None = None) -> Iterator[Made]:
    """Past Simulation, which needs keys for every one."""
    store = Store(None)
    try:
        tenant = describe_tenant(scenario, "generated", number=0, repeat=0, seed=seed, now=NOW)
        build_tenant(store.tenant(0), tenant, scenario, repeat=0, seed=seed, now=NOW, users=users)
        yield Made(store.tenant(0), tenant, scenario)
    finally:
        store.close()


def drawn_scenario(seed: int, users: int | None = None) -> dict[str, Any]:
    return draw_scenario(tenant_random(seed, 0, "drawing"), GENERATED, users).scenario


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def check_rules(one: Made) -> None:
    """What holds in every tenant that Entra would let exist."""
    check_people(one)
    check_links(one)
    check_policies(one)
    check_sign_ins(one)
    for kind in ("conditionalAccessPolicy", "methodConfiguration"):
        assert not any(text.startswith(REFERENCES) for text in strings(one.documents(kind)))


def check_people(one: Made) -> None:
    users = one.rows("user")
    names = [row.document["userPrincipalName"].lower() for row in users]
    assert len(set(names)) == len(names)
    domains = {domain["id"]: domain for domain in one.documents("domain")}
    assert [domain["isDefault"] for domain in domains.values()].count(True) == 1
    for row in users:
        user, domain = row.document, row.document["userPrincipalName"].rpartition("@")[2]
        assert domain in domains
        assert ("#EXT#" in user["userPrincipalName"]) == (user["userType"] == "Guest")
        assert user["perUserMfaState"] in ("disabled", "enabled", "enforced")
        assert set(row.private) <= set(PRIVATE_FACTS)
        methods = row.private["methodsRegistered"]
        assert set(methods) <= set(REGISTRABLE_METHODS)
        assert methods or user["perUserMfaState"] != "enforced"
        assert user["createdDateTime"] <= user["lastPasswordChangeDateTime"] <= to_stamp(NOW)
        if domains[domain]["authenticationType"] == "Federated":
            assert user["onPremisesSyncEnabled"] is True
    deleted = one.rows("deletedUser")
    assert not {row.id for row in deleted} & {row.id for row in users}
    for row in deleted:
        assert days_before(NOW, 30) <= row.document["deletedDateTime"] <= to_stamp(NOW)
        assert row.document["userPrincipalName"].endswith(row.private["userPrincipalName"])
    licensed = sum(bool(row.document["assignedLicenses"]) for row in users)
    for sku in one.documents("subscribedSku"):
        assert sku["consumedUnits"] == licensed
        assert sku["capabilityStatus"] != "Enabled" or licensed <= sku["prepaidUnits"]["enabled"]


def check_links(one: Made) -> None:
    groups, members = one.ids("group"), one.ids("group", "user")
    inside: dict[str, set[str]] = {}
    for link in one.store.links():
        assert link["group"] in groups
        assert link["member"] in members
        inside.setdefault(link["group"], set()).add(link["member"])
    assert not any(group in around(inside, group) for group in groups)
    roles, holders = one.ids("roleDefinition"), one.ids("user", "group", "servicePrincipal")
    assignable = {group["id"] for group in one.documents("group") if group["isAssignableToRole"]}
    assert assignable == set() or tier_of(one.documents("subscribedSku")) != "free"
    for assignment in one.documents("roleAssignment"):
        assert assignment["roleDefinitionId"] in roles
        assert assignment["principalId"] in holders - (groups - assignable)
    for group in assignable:
        # Entra nests no groups in those that can hold roles.
        assert not inside.get(group, set()) & groups


def around(inside: dict[str, set[str]], group: str) -> set[str]:
    found: set[str] = set()
    waiting = [group]
    while waiting:
        new = inside.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found


def check_policies(one: Made) -> None:
    policies = one.documents("conditionalAccessPolicy")
    enabled = [policy for policy in policies if policy["state"] == "enabled"]
    (defaults,) = one.documents("securityDefaults")
    assert not (enabled and defaults["isEnabled"])
    tier = tier_of(one.documents("subscribedSku"))
    ran_out = "has run out" in one.scenario["description"]
    assert not policies or tier != "free" or ran_out
    users, groups, locations = one.ids("user"), one.ids("group"), one.ids("namedLocation")
    roles = one.ids("roleDefinition")
    for policy in policies:
        condition = policy["conditions"]
        whom = condition["users"]
        assert set(whom["includeUsers"] + whom["excludeUsers"]) <= users | POLICY_WORDS
        assert set(whom["includeGroups"] + whom["excludeGroups"]) <= groups
        assert set(whom["includeRoles"] + whom["excludeRoles"]) <= roles
        where = condition["locations"] or {}
        assert {*where.get("includeLocations", []), *where.get("excludeLocations", [])} <= locations | LOCATION_WORDS
        assert tier == "P2" or not (condition["signInRiskLevels"] or condition["userRiskLevels"])
    for configuration in one.documents("methodConfiguration"):
        for target in configuration["includeTargets"] + configuration["excludeTargets"]:
            assert target["id"] in groups | {"all_users"}


def check_sign_ins(one: Made) -> None:
    users = {row.id: row for row in one.rows("user")}
    for entry in one.documents("signIn"):
        legacy = entry["clientAppUsed"] not in ("Browser", "Mobile Apps and Desktop clients")
        private = users[entry["userId"]].private
        if legacy and entry["status"]["errorCode"] == 0:
            assert entry["clientAppUsed"] in private["legacyProtocols"]


def check_way_in(one: Made) -> None:
    """By the sign-in rules, which know nothing of how tenants are drawn."""
    first = one.first_administrator
    roles = {(item["principalId"], item["roleDefinitionId"]) for item in one.documents("roleAssignment")}
    assert (first.id, GLOBAL_ADMINISTRATOR) in roles
    found = protection(Directory.read(one.store, one.tenant, NOW), first.id)
    assert found.way_in == "yes", (one.scenario["description"], found)


@given(seed=st.integers(0, 2**40), users=st.none() | st.integers(1, 45))
@settings(max_examples=15)
@example(seed=7, users=0)
@example(seed=7, users=400)
def test_every_drawn_tenant_keeps_the_rules(seed: int, users: int | None) -> None:
    scenario = drawn_scenario(seed, users)
    parse_scenario(json.dumps(scenario), "drawn.yml")
    with made(scenario, seed, users) as one:
        check_rules(one)
        check_way_in(one)
        count = len(one.rows("user"))
        assert count == max(len(scenario["people"]["named"]), users or 0) if users is not None else 12 <= count <= 150


@pytest.mark.deep
def test_a_thousand_drawn_tenants_keep_the_rules() -> None:
    for seed in range(1000):
        with made(drawn_scenario(seed), seed) as one:
            check_rules(one)
            check_way_in(one)


@pytest.mark.parametrize("name", [name for name in scenario_names() if name != "generated"])
def test_shipped_scenarios_keep_the_rules_at_any_size(name: str) -> None:
    scenario = load_scenario(name)[1]
    for users in (None, 0, 150):
        with made(scenario, 3, users) as one:
            check_rules(one)
            named = len(scenario["people"]["named"])
            assert users is None or len(one.rows("user")) == max(named, users)


@pytest.fixture(scope="module")
def tenants() -> Iterator[Simulation]:
    simulation = Simulation(Options(scenarios=("generated",), tenants=24, seed=7), ["https://localhost:8443"])
    yield simulation
    simulation.close()


def test_tenants_differ_and_the_seed_repeats_them(tenants: Simulation) -> None:
    states = [tenants.dump(tenant) for tenant in tenants.tenants.values()]
    for key in ("tenant_id", "initial_domain"):
        assert len({state[key] for state in states}) == len(states)
    domains = [domain["id"] for state in states for domain in state["objects"]["domain"]]
    assert len(set(domains)) == len(domains)
    assert len({state["drawn"]["description"] for state in states}) > 20
    again = Simulation(Options(scenarios=("generated",), tenants=3, seed=7), ["https://localhost:8443"])
    for state, tenant in zip(states, again.tenants.values(), strict=False):
        repeated = again.dump(tenant)
        assert repeated["drawn"] == state["drawn"]
        for kind in ("user", "group", "conditionalAccessPolicy", "roleAssignment"):
            assert [item["id"] for item in repeated["objects"].get(kind, [])] == [
                item["id"] for item in state["objects"].get(kind, [])
            ]
    again.close()


def test_state_says_what_was_drawn(open_simulation_client: Callable[..., Any]) -> None:
    client = open_simulation_client(scenarios=("generated", "locked"))
    state = client.admin("GET", "/state").body
    size = len(state["objects"]["user"])
    assert state["drawn"]["description"].startswith(f"Drawn: {size} users, ")
    facts, (defaults,) = state["drawn"]["facts"], state["objects"]["securityDefaults"]
    assert facts["users"] == size
    assert defaults["isEnabled"] == (facts["protection"] == "security defaults")
    parse_scenario(json.dumps(state["drawn"]["scenario"]), "saved.yml")
    assert "client_secret" not in json.dumps(state)
    second = [tenant.id for tenant in client.simulation.tenants.values()][1]
    assert client.admin("GET", f"/state?tenant={second}").body["drawn"] is None
    users = client.get("/v1.0/users?$top=999&$select=id").value
    client.admin("POST", "/reset")
    assert client.get("/v1.0/users?$top=999&$select=id").value == users
    assert client.admin("GET", "/state").body["drawn"] == state["drawn"]


def test_everything_occurs() -> None:
    """In 300 draws, so that a set of tenants for tests has some of each."""
    seen: dict[str, Counter[Any]] = {}

    def see(what: str, value: Any) -> None:
        seen.setdefault(what, Counter())[value] += 1

    for seed in range(300):
        scenario = drawn_scenario(seed)
        description = scenario["description"].removeprefix("Drawn: ").removesuffix(".").split(", ")
        see("licence", description[1])
        see("protection", description[2])
        see("synchronised", next(word for word in ("federated", "synchronised", "cloud only") if word in description))
        see("migration", scenario["authentication_methods_policy"]["migration_state"])
        see("managed", scenario.get("microsoft_managed_policies"))
        see("classic", scenario["tenant"]["classic_policies"])
        see("defaults", scenario["security_defaults"]["enabled"])
        named = scenario["people"]["named"]
        see("emergency", sum(str(person.get("user")).startswith("emergency.") for person in named))
        see("sole administrator", sum(person.get("roles") == ["Global Administrator"] for person in named) == 1)
        for person in named:
            see("kind", person.get("kind", "member"))
        for policy in scenario.get("conditional_access_policies", []):
            see("state", policy["state"])
            see("policy", policy["displayName"].partition(": ")[2])
    least = {what: min(counts.values()) for what, counts in seen.items()}
    assert all(count >= 3 for count in least.values()), least
    assert set(seen["licence"]) == {"free", "P1", "P2", "P1 that has run out"}
    assert len(seen["protection"]) == len(PROTECTIONS["P1"])
    assert set(seen["migration"]) == {None, *MIGRATION_STATES}
    assert set(seen["managed"]) == {None, "enabled", "enabledForReportingButNotEnforced"}
    assert set(seen["emergency"]) == {0, 1, 2}
    assert set(seen["kind"]) == {"member", "synced", "sync", "service", "guest"}
    assert set(seen["state"]) == {"enabled", "disabled", "enabledForReportingButNotEnforced"}
    assert len(seen["policy"]) == 15
    for what in ("classic", "defaults", "sole administrator"):
        assert set(seen[what]) == {True, False}


def test_graph_accepts_every_drawn_policy(
    tenants: Simulation, client_of: Callable[[Simulation], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is given the state that it has, so that Graph's checks of schema, licence and references run over it."""
    # Looking at everybody after every write costs much, and nothing changes here.
    monkeypatch.setattr(tenants.watch, "judge", lambda *_of_tenant: lambda _users: ())
    written = 0
    for tenant in list(tenants.tenants.values())[:14]:
        client = client_of(tenants)
        client.tenant = tenant
        if tier_of(client.get("/v1.0/subscribedSkus").value) == "free":
            continue
        for policy in client.get("/v1.0/identity/conditionalAccess/policies").value:
            path = f"/v1.0/identity/conditionalAccess/policies/{policy['id']}"
            assert client.call("PATCH", path, {"state": policy["state"]}).status == 204, policy
            now = client.get(path).body
            assert {name: now[name] for name in policy} == {**policy, "modifiedDateTime": now["modifiedDateTime"]}
            written += 1
    assert written > 40


def test_graph_shows_drawn_people(tenants: Simulation, client_of: Callable[[Simulation], Any]) -> None:
    kinds: set[str] = set()
    for tenant in list(tenants.tenants.values())[:10]:
        client = client_of(tenants)
        client.tenant = tenant
        rows = tenants.store.tenant(tenant.number).rows("user")
        assert len(client.get("/v1.0/users?$top=999&$select=id").value) == len(rows)
        different = {tuple(row.private["methodsRegistered"]): row for row in rows}
        for methods, row in different.items():
            shown = client.get(f"/v1.0/users/{row.id}/authentication/methods").value
            assert len(shown) == len(methods) + 1
        kinds |= {row.private.get("accountKind", "person") for row in rows}
    assert kinds == {"person", "service", "shared", "room", "device", "sync"}


def test_every_method_that_can_be_drawn_can_be_shown() -> None:
    assert set(REGISTRABLE_METHODS) <= set(METHOD_TYPES)
    drawn = {method for mixes in METHOD_MIXES.values() for methods, _unused in mixes for method in methods}
    assert drawn <= set(REGISTRABLE_METHODS)


def test_shares_decide_how_many_there_are() -> None:
    scenario = parse_scenario(
        """
        domains: [{name: wide.example, default: true}, {name: corp.wide.example, federation: {}}]
        subscriptions: [{part_number: SPB, bought: 10}]
        people:
          generated:
            count: 1000
            guests: 0.1
            synced: 0.3
            synced_domain: corp.wide.example
            service_accounts: 0.05
            shared_mailboxes: 0.04
            rooms: 0.03
            devices: 0.02
            administrators: 0.05
            blocked: 0.07
            deleted: 0.02
            registered: 1
            methods: [{methods: [mobilePhone]}, {methods: [mobilePhone, email], weight: 3}]
            app_passwords: 0.5
            per_user_mfa: {disabled: 0.5, enabled: 0.2, enforced: 0.3}
        groups:
          - {name: Sellers, departments: [Sales]}
        """,
        "wide.yml",
    )
    with made(scenario, 5, 2000) as one:
        check_rules_of_shares(one)


def check_rules_of_shares(one: Made) -> None:
    users = one.rows("user")
    kinds = Counter(row.private.get("accountKind", row.document["userType"]) for row in users)
    assert len(users) == 2000
    assert (kinds["service"], kinds["shared"], kinds["room"], kinds["device"]) == (100, 80, 60, 40)
    assert kinds["Guest"] == 200
    synced = [row.document for row in users if row.document.get("onPremisesSyncEnabled")]
    assert len(synced) == 600
    assert {user["userPrincipalName"].rpartition("@")[2] for user in synced} == {"corp.wide.example"}
    pending = [row for row in users if row.document.get("externalUserState") == "PendingAcceptance"]
    assert 5 < len(pending) < 60
    assert not any("signInActivity" in row.document or row.private["methodsRegistered"] for row in pending)
    assert len(one.rows("deletedUser")) == 40
    holders = {item["principalId"] for item in one.documents("roleAssignment")}
    # A guest or a machine that was drawn as administrator is none.
    assert 50 < len(holders) <= 100
    assert len({item["roleDefinitionId"] for item in one.documents("roleAssignment")}) > 10
    people = [row for row in users if row.document.get("department")]
    mixes = Counter(tuple(row.private["methodsRegistered"]) for row in people)
    assert set(mixes) == {(), ("mobilePhone",), ("mobilePhone", "email")}
    assert all(
        row.document["userType"] == "Guest" or row.document["perUserMfaState"] == "enabled"
        for row in people
        if not row.private["methodsRegistered"]
    )
    assert 2 < mixes[("mobilePhone", "email")] / mixes[("mobilePhone",)] < 4
    enforced = [row for row in users if row.document["perUserMfaState"] == "enforced"]
    assert 0.3 < sum("appPasswords" in row.private for row in enforced) / len(enforced) < 0.7
    assert not any("appPasswords" in row.private for row in users if row not in enforced)
    sellers = {row.id for row in users if row.document.get("department") == "Sales"}
    assert {link["member"] for link in one.store.links()} == sellers
    assert len(sellers) > 100


def test_service_accounts_show_in_the_sign_in_log(business: Any) -> None:
    legacy = "clientAppUsed eq 'Authenticated SMTP' and status/errorCode eq 0"
    entries = business.get(f"/v1.0/auditLogs/signIns?$filter={legacy}").value
    assert "svc.backup@contoso.example" in {entry["userPrincipalName"] for entry in entries}
    by_id = {user["id"]: user for user in business.admin("GET", "/state").body["objects"]["user"]}
    assert {by_id[entry["userId"]]["_private"]["accountKind"] for entry in entries} == {"service"}


def test_administrators_hold_roles_inside_and_outside_those_of_security_defaults() -> None:
    names = {role for roles, _unused in ADMINISTRATORS for role in roles}
    assert {"Global Reader", "Reports Reader", "Guest Inviter", "License Administrator"} <= names
    assert {"Helpdesk Administrator", "Exchange Administrator", "Billing Administrator"} <= names
    with made(drawn_scenario(7, 3000), 7, 3000) as one:
        held = Counter(item["roleDefinitionId"] for item in one.documents("roleAssignment"))
    with made(drawn_scenario(7, 30), 7, 30) as small:
        few = Counter(item["roleDefinitionId"] for item in small.documents("roleAssignment"))
    assert sum(few.values()) < sum(held.values()) < 3000 * 0.05
    assert len(few) < len(held)


def test_what_a_file_says_replaces_what_was_drawn(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(
        """
        drawn: {users: {least: 5, most: 5}, licences: {P2: 1}}
        security_defaults: {enabled: true}
        conditional_access_policies: []
        """
    )
    simulation = Simulation(Options(scenarios=(str(file),), tenants=8), ["https://localhost"])
    for tenant in simulation.tenants.values():
        store = simulation.store.tenant(tenant.number)
        assert tier_of(store.documents("subscribedSku")) == "P2"
        assert store.documents("securityDefaults")[0]["isEnabled"] is True
        assert not [row for row in store.rows("conditionalAccessPolicy") if not row.private]
        assert store.count("user") >= 5
    simulation.close()


@pytest.mark.parametrize(("sizes", "least", "most"), [({}, 12, 150), ({"least": 400}, 400, 400), ({"most": 5}, 5, 5)])
def test_size_is_drawn_between_limits(sizes: dict[str, int], least: int, most: int) -> None:
    content = {"drawn": {"users": sizes}}
    drawn = [draw_scenario(tenant_random(seed, 0, "drawing"), content, None).facts.users for seed in range(60)]
    assert least <= min(drawn)
    assert max(drawn) <= most
    assert (len(set(drawn)) > 20) == (least < most)


def test_departments_nest_in_divisions_in_all_staff() -> None:
    scenario = drawn_scenario(7, 100)
    with made(scenario, 7, 100) as one:
        groups = {group["displayName"]: group["id"] for group in one.documents("group")}
        assert {f"Department {name}" for name in DEPARTMENTS} <= set(groups)
        direct = one.store.members(groups["All staff"])
        assert {kind for kind, _unused in direct} == {"group"}
        staff = {row.id for kind, row in one.store.members(groups["All staff"], transitive=True) if kind == "user"}
        assert staff == {row.id for row in one.rows("user") if row.document.get("department")}


def test_kinds_of_accounts_are_documented() -> None:
    for kind in set(ACCOUNT_KINDS) - {"member", "guest", "synced"}:
        assert kind in PRIVATE_FACTS["accountKind"]
