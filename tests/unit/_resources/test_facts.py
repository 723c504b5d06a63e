# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    ConnectionFailed,
    LicenceMissing,
    M365Error,
    OptionError,
    PermissionMissing,
    SignInError,
    UnreadableAnswer,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import Fact, unknown
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import (
    DIRECTORY_SYNCHRONIZATION_ACCOUNTS,
    GLOBAL_ADMINISTRATOR,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.summary import tenant_lines
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.facts import ALL_FACTS, FACTS, gather
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import TENANT_ID, FakeGraph, refused
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import (
    OTHER_TYPES,
    Place,
    at,
    json_values,
    of_other_type,
    places,
    removed,
    replaced,
)
from ansible_collections.zerotrust.m365.tests.unit._resources.tenant_answers import (
    ASSIGNMENTS,
    CONDITIONAL_ACCESS,
    DOMAINS,
    FEDERATION,
    GROUP,
    MEMBERS,
    ORGANIZATION,
    READERS,
    SECURITY_DEFAULTS,
    SKUS,
    SOURCES,
    answers,
    domain,
    group,
    person,
    tenant,
    user,
)

# Where null is an answer that Microsoft documents, or that live tools have seen.
MAY_BE_NULL = {
    "createdDateTime",
    "countryLetterCode",
    "onPremisesSyncEnabled",
    "policyMigrationState",
    "federatedIdpMfaBehavior",
    "issuerUri",
}

# What a fact makes of an answer that it shares with another fact.
PART_OF_ANSWER = {
    "organization": {"id", "displayName", "createdDateTime", "countryLetterCode", "onPremisesSyncEnabled"},
    "kind": {"tenantType"},
}

NAMES_AND_SOURCES = [(name, path) for name, paths in SOURCES.items() for path in paths]


def decisive_places(name: str, path: str) -> list[Place]:
    """The places of an answer without which the fact is not known."""
    return [place for place in places(answers()[path]) if decides(name, path, place)]


def decides(name: str, path: str, place: Place) -> bool:
    if isinstance(place[-1], int):
        return False  # an item of a list may be there or not
    if name == "federation" and path == DOMAINS:
        federated = answers()[path][place[0]]["authenticationType"] == "Federated"
        return place[-1] in (["authenticationType", "id"] if federated else ["authenticationType"])
    if name == "privileged_roles" and place[-1] in ("userPrincipalName", "displayName"):
        return path not in (ASSIGNMENTS, MEMBERS)  # without a readable name, the id is shown
    return place[-1] in PART_OF_ANSWER.get(name, {place[-1]})


def gathered(graph: FakeGraph, names: Iterable[str]) -> dict[str, Fact]:
    return gather(graph.as_client(), names)


def fact_of(name: str, **changed: Any) -> Fact:
    """One fact, with some answers changed."""
    return gathered(tenant(objects={**answers(), **changed}), [name])[name]


def is_unknown(fact: Fact) -> bool:
    return bool(fact.reason) and fact == unknown(str(fact.reason))


def told_of(name: str, path: str, answer: Any) -> str:
    """What comes of an answer instead of an unknown fact; empty when the fact is unknown, as it should be."""
    try:
        fact = fact_of(name, **{path: answer})
    except Exception as error:
        return repr(error)
    return "" if is_unknown(fact) else repr(fact)


def test_every_fact_of_the_tenant() -> None:
    facts = gathered(tenant(), ALL_FACTS)
    assert {name: fact.value for name, fact in facts.items()} == {
        "organization": {
            "id": TENANT_ID,
            "display_name": "Contoso",
            "created": "2019-03-04T05:06:07Z",
            "country": "DE",
            "synchronised": True,
        },
        "kind": "AAD",
        "domains": [
            {
                "name": "contoso.onmicrosoft.com",
                "authentication_type": "Managed",
                "initial": True,
                "default": True,
                "verified": True,
            },
            {
                "name": "federated.example",
                "authentication_type": "Federated",
                "initial": False,
                "default": False,
                "verified": True,
            },
        ],
        "federation": [
            {
                "domain": "federated.example",
                "federated_idp_mfa_behavior": "enforceMfaByFederatedIdp",
                "issuer_uri": "https://sts.federated.example",
            }
        ],
        "licences": {"tier": "P1", "subscriptions": ["SPB"]},
        "security_defaults": {"enabled": False},
        "authentication_methods": {
            "migration_state": "preMigration",
            "enabled_methods": ["MicrosoftAuthenticator"],
            "registration_reach": "everybody",
        },
        "conditional_access": {
            "enabled": [],
            "enabledForReportingButNotEnforced": ["Block legacy"],
            "disabled": ["MFA for all"],
        },
        "privileged_roles": {
            "roles": [
                {
                    "id": READERS,
                    "name": "Directory Readers",
                    "protected_by_security_defaults": False,
                    "holders": [holder("admin", 1), holder("reader", 2)],
                },
                {
                    "id": DIRECTORY_SYNCHRONIZATION_ACCOUNTS,
                    "name": "Directory Synchronization Accounts",
                    "protected_by_security_defaults": False,
                    "holders": [holder("Sync_DC01", 3)],
                },
                {
                    "id": GLOBAL_ADMINISTRATOR,
                    "name": "Global Administrator",
                    "protected_by_security_defaults": True,
                    "holders": [
                        holder("admin", 1),
                        holder("member", 4, through="Administrators"),
                        holder("robot", 5, "servicePrincipal", through="Administrators"),
                    ],
                },
            ],
            "protected_administrators": ["admin@contoso.example", "member@contoso.example"],
            "other_administrators": ["reader@contoso.example"],
            "directory_synchronization_accounts": ["Sync_DC01@contoso.example"],
        },
        "users": {
            "total": 3,
            "members": 2,
            "guests": 1,
            "other": 0,
            "synchronised": 1,
            "cloud_only": 2,
            "disabled": 1,
            "enabled_members": 1,
            "enabled_guests": 1,
        },
        "per_user_mfa": {"disabled": 1, "enabled": 1, "enforced": 1},
        "region": {"scope": "EU", "cloud": "global"},
    }
    assert all(fact.known and fact.reason is None for fact in facts.values())


def holder(name: str, number: int, kind: str = "user", through: str | None = None) -> dict[str, Any]:
    shown = person(name, number, kind)
    label = shown["userPrincipalName" if kind == "user" else "displayName"]
    return {"name": label, "id": shown["id"], "type": kind, "through": through}


# What is asked of Graph


def test_everything_is_read_together_and_once() -> None:
    graph = tenant()
    gathered(graph, ALL_FACTS)
    first, follow_ups = graph.read_together
    paths = [read.path for read in first]
    assert len(paths) == len(set(paths))
    assert set(paths) == {path for sources in SOURCES.values() for path in sources} - {FEDERATION, MEMBERS}
    assert [read.path for read in follow_ups] == [FEDERATION, MEMBERS]
    assert [path for _unused, path, _unused in graph.sent] == [
        "/users",
        "/users",
        f"{TENANT_ID}/.well-known/openid-configuration",
    ]


@given(st.sets(st.sampled_from(ALL_FACTS)))
def test_only_what_is_asked_for_is_read(names: set[str]) -> None:
    graph = tenant()
    facts = gathered(graph, names)
    assert list(facts) == [name for name in ALL_FACTS if name in names]
    paths = [read.path for reads in graph.read_together for read in reads]
    assert len(paths) == len(set(paths))
    assert set(paths) == {path for name in names for path in SOURCES.get(name, ())}
    assert any(path == "/users" for _unused, path, _unused in graph.sent) is bool(names & {"users", "per_user_mfa"})
    assert any("openid" in path for _unused, path, _unused in graph.sent) is ("region" in names)


def test_nothing_is_read_for_nothing() -> None:
    graph = tenant()
    assert gathered(graph, []) == {}
    assert graph.read_together == []


def test_names_may_come_from_any_iterable() -> None:
    assert list(gathered(tenant(), iter(["kind", "organization"]))) == ["organization", "kind"]


def test_no_fact_is_left_out_of_these_tests() -> None:
    assert set(SOURCES) == set(FACTS)


def test_users_are_asked_for_with_the_properties_that_are_counted() -> None:
    graph = tenant()
    gathered(graph, ["users"])
    parameters = graph.asked[0]["parameters"]
    assert set(parameters["$select"].split(",")) >= {"accountEnabled", "userType", "onPremisesSyncEnabled"}
    assert parameters["$top"] == "999"


# Errors


@pytest.mark.parametrize(
    "error",
    [
        refused("read it"),
        LicenceMissing(action="read it", status=403, code="X", text="Not licensed."),
        UnreadableAnswer(action="read it", status=200, text="it is no JSON object"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("path", sorted({path for sources in SOURCES.values() for path in sources}))
def test_an_error_makes_just_its_own_facts_unknown(path: str, error: M365Error) -> None:
    facts = gathered(tenant(objects={**answers(), path: error}), ALL_FACTS)
    lost = {name for name, sources in SOURCES.items() if path in sources}
    assert {name for name, fact in facts.items() if not fact.known} == lost
    assert all(facts[name].reason == error.message and facts[name].value is None for name in lost)


def test_without_the_first_answers_nothing_is_asked_further() -> None:
    graph = tenant(objects={**answers(), DOMAINS: refused(), ASSIGNMENTS: refused()})
    gathered(graph, ["federation", "privileged_roles"])
    assert len(graph.read_together) == 1


@pytest.mark.parametrize(
    "error", [refused("list the users"), ConnectionFailed("Timed out.")], ids=lambda error: type(error).__name__
)
def test_a_failing_page_of_users_makes_their_counts_unknown(error: M365Error) -> None:
    facts = gathered(tenant(users=[[user(1)], error]), ALL_FACTS)
    assert {name for name, fact in facts.items() if not fact.known} == {"users", "per_user_mfa"}
    assert facts["users"].reason == facts["per_user_mfa"].reason == error.message


@pytest.mark.parametrize(
    "error", [SignInError("No such tenant."), ConnectionFailed("Timed out.")], ids=lambda error: type(error).__name__
)
def test_unreadable_metadata_makes_the_region_unknown(error: M365Error) -> None:
    facts = gathered(tenant(openid=error), ALL_FACTS)
    assert {name for name, fact in facts.items() if not fact.known} == {"region"}
    assert facts["region"].reason == error.message


def test_a_state_of_per_user_mfa_that_is_not_shown_leaves_the_other_counts_known() -> None:
    facts = gathered(tenant(users=[[user(1), user(2, perUserMfaState=None)]]), ["users", "per_user_mfa"])
    assert facts["users"].value["total"] == 2
    assert is_unknown(facts["per_user_mfa"])
    assert "1 of 2 users" in str(facts["per_user_mfa"].reason)


# Wrong shapes: never an exception, never a default that is called known


@pytest.mark.parametrize(("name", "path"), NAMES_AND_SOURCES)
def test_a_missing_property_makes_the_fact_unknown(name: str, path: str) -> None:
    told = {place: told_of(name, path, removed(answers()[path], place)) for place in decisive_places(name, path)}
    assert told
    assert {place: outcome for place, outcome in told.items() if outcome} == {}


@pytest.mark.parametrize(("name", "path"), NAMES_AND_SOURCES)
def test_a_property_of_another_type_makes_the_fact_unknown(name: str, path: str) -> None:
    told = {}
    for place in decisive_places(name, path):
        null = [] if place[-1] in MAY_BE_NULL else [None]
        for other in [*of_other_type(at(answers()[path], place)), *null]:
            told[(place, repr(other))] = told_of(name, path, replaced(answers()[path], place, other))
    assert told
    assert {case: outcome for case, outcome in told.items() if outcome} == {}


@pytest.mark.parametrize(("name", "path"), NAMES_AND_SOURCES)
def test_an_answer_of_another_shape_makes_the_fact_unknown(name: str, path: str) -> None:
    told = {repr(answer): told_of(name, path, answer) for answer in [None, *OTHER_TYPES, [None], [[]], {}]}
    assert {answer: outcome for answer, outcome in told.items() if outcome} == {}


@given(st.sampled_from(sorted({path for sources in SOURCES.values() for path in sources})), json_values)
def test_no_answer_breaks_the_other_facts(path: str, answer: Any) -> None:
    facts = gathered(tenant(objects={**answers(), path: answer}), ALL_FACTS)
    touched = {name for name, sources in SOURCES.items() if path in sources}
    assert all(facts[name].known for name in ALL_FACTS if name not in touched)
    tenant_lines({name: fact.as_result() for name, fact in facts.items()})


@given(st.lists(st.lists(json_values, max_size=3) | json_values, max_size=3))
def test_no_page_of_users_is_an_exception(pages: list[Any]) -> None:
    facts = gathered(tenant(users=[[user(1)], *pages]), ["users", "per_user_mfa"])
    assert facts["users"].known is all(page == [] for page in pages)


@given(json_values)
def test_no_metadata_is_an_exception(metadata: Any) -> None:
    assert is_unknown(gathered(tenant(openid=metadata), ["region"])["region"])
    assert is_unknown(gathered(tenant(openid={"tenant_region_scope": 5}), ["region"])["region"])


# Single facts


@pytest.mark.parametrize("count", [0, 2])
def test_another_number_of_organizations_is_unknown(count: int) -> None:
    listed = answers()[ORGANIZATION] * count
    assert "instead of one" in str(fact_of("organization", **{ORGANIZATION: listed}).reason)
    assert is_unknown(fact_of("kind", **{ORGANIZATION: listed}))


@pytest.mark.parametrize(("shown", "told"), [(True, True), (False, False), (None, False)])
def test_an_organization_that_never_synchronised_answers_null(shown: bool | None, told: bool) -> None:
    fact = fact_of("organization", **{ORGANIZATION: [{**answers()[ORGANIZATION][0], "onPremisesSyncEnabled": shown}]})
    assert fact.value["synchronised"] is told


def test_optional_properties_of_the_organization_may_be_null() -> None:
    organization = {**answers()[ORGANIZATION][0], "createdDateTime": None, "countryLetterCode": None}
    value = fact_of("organization", **{ORGANIZATION: [organization]}).value
    assert (value["created"], value["country"]) == (None, None)


def test_without_subscriptions_the_tier_is_free() -> None:
    assert fact_of("licences", **{SKUS: []}).value == {"tier": "free", "subscriptions": []}


def test_security_defaults_are_what_graph_says() -> None:
    assert fact_of("security_defaults", **{SECURITY_DEFAULTS: {"isEnabled": True}}).value == {"enabled": True}


def test_a_tenant_without_conditional_access_policies() -> None:
    value = fact_of("conditional_access", **{CONDITIONAL_ACCESS: []}).value
    assert value == {"enabled": [], "enabledForReportingButNotEnforced": [], "disabled": []}


def test_each_federated_domain_is_read_by_its_name() -> None:
    second = "/domains/xn--bcher-kva.example/federationConfiguration"
    domains = [domain("xn--bcher-kva.example", "Federated"), *answers()[DOMAINS]]
    graph = tenant(
        objects={**answers(), DOMAINS: domains, second: [{"federatedIdpMfaBehavior": None, "issuerUri": None}]}
    )
    value = gathered(graph, ["federation"])["federation"].value
    assert [entry["domain"] for entry in value] == ["federated.example", "xn--bcher-kva.example"]
    assert [read.path for read in graph.read_together[1]] == [FEDERATION, second]


def test_a_name_is_encoded_in_the_path() -> None:
    graph = tenant(objects={**answers(), DOMAINS: [domain("a/b?c", "Federated")]})
    gathered(graph, ["federation"])
    assert [read.path for read in graph.read_together[1]] == ["/domains/a%2Fb%3Fc/federationConfiguration"]


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_cannot_be_in_a_path_makes_the_fact_unknown(name: str) -> None:
    assert is_unknown(fact_of("federation", **{DOMAINS: [domain(name, "Federated")]}))


def test_without_federated_domains_nothing_more_is_read() -> None:
    graph = tenant(objects={**answers(), DOMAINS: [domain("contoso.onmicrosoft.com", "Managed", initial=True)]})
    assert gathered(graph, ["federation"])["federation"].value == []
    assert len(graph.read_together) == 1


def test_a_federated_domain_without_configuration_is_not_left_out() -> None:
    fact = fact_of("federation", **{FEDERATION: []})
    assert is_unknown(fact) or [entry["domain"] for entry in fact.value] == ["federated.example"]


# Role holders


def roles_of(assignments: list[dict[str, Any]], **changed: Any) -> Any:
    fact = fact_of("privileged_roles", **{ASSIGNMENTS: assignments, **changed})
    assert fact.known, fact.reason
    return fact.value


def assigned(role: str, principal: dict[str, Any]) -> dict[str, Any]:
    return {"roleDefinitionId": role, "principal": principal}


def test_somebody_who_holds_a_role_twice_is_one_person() -> None:
    value = roles_of(
        [
            assigned(GLOBAL_ADMINISTRATOR, person("admin", 1)),
            assigned(GLOBAL_ADMINISTRATOR, person("admin", 1)),
            assigned(GLOBAL_ADMINISTRATOR, group()),
        ],
        **{MEMBERS: [person("admin", 1)]},
    )
    assert value["protected_administrators"] == ["admin@contoso.example"]
    assert [entry["through"] for entry in value["roles"][0]["holders"]] == [None, "Administrators"]


def test_a_protected_administrator_is_not_counted_again_for_another_role() -> None:
    value = roles_of([assigned(READERS, person("admin", 1)), assigned(GLOBAL_ADMINISTRATOR, person("admin", 1))])
    assert value["protected_administrators"] == ["admin@contoso.example"]
    assert value["other_administrators"] == []


def test_synchronisation_accounts_are_exempt_wherever_they_are() -> None:
    sync = person("Sync_DC01", 3)
    roles = (DIRECTORY_SYNCHRONIZATION_ACCOUNTS, READERS, GLOBAL_ADMINISTRATOR)
    value = roles_of([assigned(role, sync) for role in roles])
    assert value["directory_synchronization_accounts"] == ["Sync_DC01@contoso.example"]
    assert value["protected_administrators"] == value["other_administrators"] == []


def test_applications_hold_roles_but_are_no_administrators_who_sign_in() -> None:
    value = roles_of([assigned(GLOBAL_ADMINISTRATOR, person("robot", 5, "servicePrincipal"))])
    assert value["protected_administrators"] == []
    assert [entry["type"] for entry in value["roles"][0]["holders"]] == ["servicePrincipal"]


def test_a_group_that_holds_two_roles_is_read_once() -> None:
    graph = tenant(
        objects={**answers(), ASSIGNMENTS: [assigned(READERS, group()), assigned(GLOBAL_ADMINISTRATOR, group())]}
    )
    value = gathered(graph, ["privileged_roles"])["privileged_roles"].value
    assert [read.path for read in graph.read_together[1]] == [MEMBERS]
    assert len(value["roles"]) == 2


def test_nested_groups_and_devices_hold_nothing() -> None:
    inside = [{**group(), "id": "7f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a02"}, person("pc", 6, "device"), person("member", 4)]
    value = roles_of([assigned(GLOBAL_ADMINISTRATOR, group())], **{MEMBERS: inside})
    assert value["protected_administrators"] == ["member@contoso.example"]


def test_an_empty_group_gives_no_holder() -> None:
    assert roles_of([assigned(GLOBAL_ADMINISTRATOR, group())], **{MEMBERS: []})["protected_administrators"] == []


def test_a_group_without_a_name_is_called_by_its_id() -> None:
    nameless = {**group(), "displayName": ""}
    value = roles_of([assigned(GLOBAL_ADMINISTRATOR, nameless)])
    assert {entry["through"] for entry in value["roles"][0]["holders"]} == {GROUP}


def test_somebody_without_a_name_is_called_by_the_id() -> None:
    nameless = {name: value for name, value in person("admin", 1).items() if name != "userPrincipalName"}
    assert roles_of([assigned(GLOBAL_ADMINISTRATOR, nameless)])["protected_administrators"] == [nameless["id"]]


def test_a_role_without_definition_is_kept_with_its_id() -> None:
    value = roles_of([assigned("a-custom-role", person("admin", 1))])
    assert [(role["id"], role["name"]) for role in value["roles"]] == [("a-custom-role", None)]
    assert value["other_administrators"] == ["admin@contoso.example"]


@pytest.mark.parametrize("principal", [None, "admin", []], ids=repr)
def test_an_assignment_that_hides_its_principal_makes_the_fact_unknown(principal: Any) -> None:
    assert is_unknown(fact_of("privileged_roles", **{ASSIGNMENTS: [assigned(READERS, principal)]}))


def test_an_error_names_the_permission_to_the_reader() -> None:
    error = PermissionMissing(action="list the domains", status=403, missing=["Domain.Read.All"])
    assert "Domain.Read.All" in str(fact_of("domains", **{DOMAINS: error}).reason)


def test_a_bad_id_is_no_crash() -> None:
    bad = {**group(), "id": ".."}
    fact = fact_of("privileged_roles", **{ASSIGNMENTS: [assigned(READERS, bad)]})
    assert is_unknown(fact)
    assert fact.reason == OptionError("'..' cannot be an id or a name.").message


def test_facts_come_in_their_own_order_whatever_was_asked() -> None:
    assert list(gathered(tenant(), ["region", "users", "kind"])) == ["kind", "users", "region"]


def test_an_empty_client_gives_only_unknown_facts() -> None:
    facts = gathered(FakeGraph(users=[refused()], openid=SignInError("No.")), ALL_FACTS)
    assert all(is_unknown(fact) for fact in facts.values())
