# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for every tenant, person and attempt."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import FEDERATED, STRENGTH, Scene
from m365_simulator.directory_roles import GLOBAL_ADMINISTRATOR
from m365_simulator.sign_in_rules import Attempt, judge, protection
from m365_simulator.sign_in_rules.applications import EXCHANGE_ONLINE
from m365_simulator.sign_in_rules.attempt import METHODS, RISKS, VALUES

REGISTERED = (
    "microsoftAuthenticatorPush",
    "softwareOneTimePasscode",
    "mobilePhone",
    "fido2SecurityKey",
    "windowsHelloForBusiness",
    "temporaryAccessPass",
)
CONTROLS = ("mfa", "block", "compliantDevice", "domainJoinedDevice", "approvedApplication", "passwordChange")
APPLICATIONS = ("Office365", "AzureManagement", "MicrosoftAdminPortals", "MicrosoftGraph", "an application")
FEDERATIONS = (None, "acceptIfMfaDoneByFederatedIdp", "enforceMfaByFederatedIdp", "rejectMfaByFederatedIdp")

people = st.fixed_dictionaries(
    {
        "methods": st.lists(st.sampled_from(REGISTERED), unique=True, max_size=3),
        "roles": st.sampled_from([(), ("Global Administrator",), ("Global Reader",)]),
        "per_user_mfa": st.sampled_from(["disabled", "enabled", "enforced"]),
        "kind": st.sampled_from(["Member", "Guest"]),
        "invited": st.booleans(),
        "domain": st.sampled_from(["contoso.example", FEDERATED]),
        "app_password": st.booleans(),
    }
)
policies = st.fixed_dictionaries(
    {
        "controls": st.lists(st.sampled_from(CONTROLS), unique=True, max_size=2),
        "strength": st.sampled_from([None, None, f"{STRENGTH}2", f"{STRENGTH}4"]),
        "operator": st.sampled_from(["AND", "OR"]),
        "applications": st.sampled_from([["All"], ["Office365"], [EXCHANGE_ONLINE]]),
        "clients": st.sampled_from([("all",), ("browser",), ("exchangeActiveSync", "other")]),
        "place": st.sampled_from([None, "offices", "outside offices"]),
        "platforms": st.sampled_from([None, {"includePlatforms": ["iOS", "windows"]}]),
        "risks": st.sampled_from([[], ["high"]]),
        "device_filter": st.sampled_from([None, "include", "exclude"]),
        "who": st.sampled_from(["All", "role", "guests"]),
        "registering": st.sampled_from([False, False, False, True]),
    }
)
tenants = st.fixed_dictionaries(
    {
        "policies": st.lists(policies, max_size=3),
        "security_defaults": st.booleans(),
        "migration": st.sampled_from([None, "preMigration", "migrationComplete"]),
        "enabled": st.lists(st.sampled_from(["Sms", "SoftwareOath", "Fido2", "TemporaryAccessPass"]), unique=True),
        "remember": st.booleans(),
        "trusted": st.booleans(),
        "federation": st.sampled_from(FEDERATIONS),
        "restricted_keys": st.booleans(),
        "guest_mfa": st.sampled_from(["trusted", "not_trusted"]),
    }
)
maybe = st.sampled_from([None, True, False])
attempts = st.builds(
    Attempt,
    user_id=st.just(""),
    application=st.sampled_from(APPLICATIONS),
    client_app=st.sampled_from(VALUES["client_app"]),
    flow=st.sampled_from(VALUES["flow"]),
    methods=st.none() | st.lists(st.sampled_from(METHODS), unique=True, max_size=3).map(tuple),
    ip_address=st.sampled_from([None, "203.0.113.1", "192.0.2.1"]),
    familiar=maybe,
    remembered=maybe,
    platform=st.sampled_from([None, "iOS", "linux"]),
    device_compliant=maybe,
    device_hybrid_joined=maybe,
    device_filter_matches=maybe,
    approved_application=maybe,
    sign_in_risk=st.sampled_from([None, *RISKS]),
)
SIGN_IN = ("yes", "yes_after_mfa", "yes_after_registration", "no")
MFA = ("never", "when_necessary", "always")
OPEN: dict[str, tuple[Any, ...]] = {
    "ip_address": ("203.0.113.1", "192.0.2.1"),
    "platform": ("iOS", "linux"),
    "sign_in_risk": RISKS,
    **dict.fromkeys(
        ("familiar", "remembered", "device_compliant", "device_hybrid_joined", "device_filter_matches"), (True, False)
    ),
    "approved_application": (True, False),
    "inside_corporate_network": (True, False),
}


@pytest.fixture(params=[8, pytest.param(50, marks=pytest.mark.deep)])
def examples(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def build(scene: Scene, tenant: dict[str, Any], person: dict[str, Any]) -> str:
    """The id of the person, in a tenant with these settings."""
    scene.migration(tenant["migration"])
    scene.enable(*tenant["enabled"])
    if tenant["restricted_keys"]:
        scene.method("Fido2", keyRestrictions={"isEnforced": True, "enforcementType": "allow", "aaGuids": ["a"]})
    scene.service(
        rememberMfaOnTrustedDevice={"isEnabled": tenant["remember"], "allowedNumberOfDays": 14},
        trustedIps={
            "skipMfaForFederatedUsers": tenant["trusted"],
            "ipRanges": ["203.0.113.0/24"] if tenant["trusted"] else [],
        },
    )
    scene.federation(tenant["federation"])
    scene.security_defaults(tenant["security_defaults"])
    scene.assume("guest_mfa_from_home_tenant", tenant["guest_mfa"])
    offices = scene.location("203.0.113.0/24", trusted=True)
    for policy in tenant["policies"]:
        add_policy(scene, policy, offices)
    return scene.user(*person["methods"], **{name: value for name, value in person.items() if name != "methods"})


def add_policy(scene: Scene, policy: dict[str, Any], offices: str, **more: Any) -> str:
    users: dict[str, Any] = {
        "All": {"includeUsers": ["All"]},
        "role": {"includeRoles": [GLOBAL_ADMINISTRATOR]},
        "guests": {"includeUsers": ["GuestsOrExternalUsers"]},
    }[policy["who"]]
    places = {
        None: None,
        "offices": {"includeLocations": [offices]},
        "outside offices": {"includeLocations": ["All"], "excludeLocations": [offices]},
    }
    chosen = {"includeApplications": policy["applications"]}
    if policy["registering"]:
        chosen = {"includeUserActions": ["urn:user:registersecurityinfo"]}
    mode = policy["device_filter"]
    return scene.policy(
        *policy["controls"],
        strength=policy["strength"],
        operator=policy["operator"],
        applications=chosen,
        clients=policy["clients"],
        users=dict(users),
        locations=places[policy["place"]],
        platforms=policy["platforms"],
        signInRiskLevels=policy["risks"],
        devices={"deviceFilter": {"mode": mode, "rule": ""}} if mode else None,
        **more,
    )


def may_be(value: str, order: tuple[str, ...]) -> tuple[int, int]:
    """The ends of what an answer leaves open."""
    return (0, len(order) - 1) if value == "unknown" else (order.index(value),) * 2


def test_knowing_more_only_refines_the_unknown(make_scene: Callable[..., Scene], examples: int) -> None:
    @settings(max_examples=examples)
    @given(tenants, people, attempts, st.randoms(use_true_random=False))
    def holds(tenant: dict[str, Any], person: dict[str, Any], attempt: Attempt, rng: random.Random) -> None:
        scene = make_scene()
        attempt = replace(attempt, user_id=build(scene, tenant, person))
        directory = scene.directory()
        little = judge(directory, attempt)
        for _unused in range(5):
            open_now = [name for name in OPEN if asdict(attempt)[name] is None]
            told = {name: rng.choice(OPEN[name]) for name in open_now if rng.random() < 0.7}
            more = judge(directory, replace(attempt, **told))
            assert little.sign_in in ("unknown", more.sign_in)
            assert little.mfa in ("unknown", more.mfa)

    holds()


def test_a_disabled_account_is_always_refused(make_scene: Callable[..., Scene], examples: int) -> None:
    @settings(max_examples=examples)
    @given(tenants, people, attempts)
    def holds(tenant: dict[str, Any], person: dict[str, Any], attempt: Attempt) -> None:
        scene = make_scene()
        user = build(scene, tenant, person)
        open_mfa, mfa = judge(scene.directory(), replace(attempt, user_id=user)).mfa, scene.protection(user).mfa
        scene.change_user(user, accountEnabled=False)
        answer = judge(scene.directory(), replace(attempt, user_id=user))
        assert (answer.sign_in, answer.mfa) == ("no", open_mfa)
        assert scene.protects(user) == (mfa, "no")

    holds()


def test_an_exclusion_never_makes_it_stronger(make_scene: Callable[..., Scene], examples: int) -> None:
    @settings(max_examples=examples)
    @given(tenants, people, attempts)
    def holds(tenant: dict[str, Any], person: dict[str, Any], attempt: Attempt) -> None:
        assume(tenant["policies"])
        scene = make_scene()
        user = build(scene, tenant, person)
        attempt = replace(attempt, user_id=user)
        before = judge(scene.directory(), attempt)
        policy = scene.store.documents("conditionalAccessPolicy")[0]
        users = {**policy["conditions"]["users"], "excludeUsers": [user]}
        scene.change_policy(policy["id"], conditions={**policy["conditions"], "users": users})
        after = judge(scene.directory(), attempt)
        assert may_be(after.mfa, MFA)[0] <= may_be(before.mfa, MFA)[1]
        assert may_be(after.sign_in, SIGN_IN)[0] <= may_be(before.sign_in, SIGN_IN)[1]
        if policy["grantControls"] is None:
            assert after == before

    holds()


def test_policies_that_are_not_enabled_change_nothing(make_scene: Callable[..., Scene], examples: int) -> None:
    @settings(max_examples=examples)
    @given(tenants, people, attempts, policies, st.sampled_from(["disabled", "enabledForReportingButNotEnforced"]))
    def holds(
        tenant: dict[str, Any], person: dict[str, Any], attempt: Attempt, policy: dict[str, Any], state: str
    ) -> None:
        scene = make_scene()
        attempt = replace(attempt, user_id=build(scene, tenant, person))
        before = judge(scene.directory(), attempt)
        add_policy(scene, policy, scene.location("198.51.100.0/24"), state=state)
        assert judge(scene.directory(), attempt) == before

    holds()


def test_security_defaults_never_lower_it(make_scene: Callable[..., Scene], examples: int) -> None:
    @settings(max_examples=examples)
    @given(tenants, people, attempts)
    def holds(tenant: dict[str, Any], person: dict[str, Any], attempt: Attempt) -> None:
        scene = make_scene()
        user = build(scene, {**tenant, "security_defaults": False}, person)
        attempt = replace(attempt, user_id=user)
        without, weakest = judge(scene.directory(), attempt), scene.protection(user).mfa
        scene.security_defaults()
        with_them = judge(scene.directory(), attempt)
        assert may_be(with_them.mfa, MFA)[1] >= may_be(without.mfa, MFA)[0]
        assert may_be(with_them.sign_in, SIGN_IN)[1] >= may_be(without.sign_in, SIGN_IN)[0]
        protected = may_be(scene.protection(user).mfa, MFA)
        assert protected[1] >= may_be(weakest, MFA)[0]
        assert protected[0] >= MFA.index("when_necessary")

    holds()


def test_the_order_of_policies_does_not_matter(make_scene: Callable[..., Scene], examples: int) -> None:
    @settings(max_examples=examples)
    @given(tenants, people, attempts, st.randoms(use_true_random=False))
    def holds(tenant: dict[str, Any], person: dict[str, Any], attempt: Attempt, rng: random.Random) -> None:
        answers = []
        for _unused in range(2):
            scene = make_scene()
            user = build(scene, tenant, person)
            found = judge(scene.directory(), replace(attempt, user_id=user))
            answers.append((found.sign_in, found.mfa, scene.protects(user)))
            tenant = {**tenant, "policies": rng.sample(tenant["policies"], len(tenant["policies"]))}
        assert answers[0] == answers[1]

    holds()


def test_block_wins(make_scene: Callable[..., Scene], examples: int) -> None:
    @settings(max_examples=examples)
    @given(tenants, people, attempts)
    def holds(tenant: dict[str, Any], person: dict[str, Any], attempt: Attempt) -> None:
        scene = make_scene()
        attempt = replace(attempt, user_id=build(scene, tenant, person))
        mfa = judge(scene.directory(), attempt).mfa
        scene.policy("block")
        answer = judge(scene.directory(), attempt)
        assert (answer.sign_in, answer.mfa) == ("no", mfa)

    holds()


def test_the_protection_agrees_with_the_answers(make_scene: Callable[..., Scene], examples: int) -> None:
    """Nobody is called protected who gets in from nowhere in particular with no MFA, and a way in is one."""

    @settings(max_examples=examples)
    @given(tenants, people, policies)
    def holds(tenant: dict[str, Any], person: dict[str, Any], policy: dict[str, Any]) -> None:
        scene = make_scene()
        user = build(scene, tenant, person)
        directory = scene.directory()
        found = protection(directory, user)
        outside = Attempt(
            user,
            EXCHANGE_ONLINE,
            outside_named_locations=True,
            familiar=False,
            remembered=False,
            device_compliant=False,
            device_hybrid_joined=False,
            approved_application=False,
            sign_in_risk="none",
            user_risk="none",
            platform="linux",
            device_filter_matches=policy["device_filter"] == "include",
        )
        for client in VALUES["client_app"]:
            methods = ("password",) if client in ("other", "exchangeActiveSync") else None
            answer = judge(directory, replace(outside, client_app=client, methods=methods))
            if answer.sign_in != "no" and answer.mfa == "never":
                assert found.mfa in ("never", "unknown")
            if answer.sign_in not in ("no", "unknown") and methods is None and not found.administrator:
                assert found.way_in != "no"

    holds()
