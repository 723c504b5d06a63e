# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The weakest MFA of a user, whether there is a way in, and that equal people are judged once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import FEDERATED, Scene
from m365_simulator.sign_in_rules import Directory, protection, protections
from m365_simulator.simulation import Options, Simulation

PUSH, PHONE, KEY = "microsoftAuthenticatorPush", "mobilePhone", "fido2SecurityKey"
MODERN = ("browser", "mobileAppsAndDesktopClients")
LEGACY = ("exchangeActiveSync", "other")


def test_without_rules(scene: Scene) -> None:
    found = scene.protection(scene.user(PUSH))
    assert (found.mfa, found.way_in, found.administrator) == ("never", "yes", False)
    assert scene.protection(scene.administrator()).administrator


def test_by_security_defaults(scene: Scene) -> None:
    scene.security_defaults()
    assert scene.protects(scene.user(PUSH)) == ("when_necessary", "yes")
    assert scene.protects(scene.user()) == ("when_necessary", "yes")
    assert scene.protects(scene.administrator(PUSH)) == ("always", "yes")
    assert scene.protects(scene.user(roles=("Directory Synchronization Accounts",))) == ("never", "yes")


@pytest.mark.parametrize(("state", "expected"), [("disabled", "never"), ("enabled", "never"), ("enforced", "always")])
def test_by_per_user_mfa(scene: Scene, state: str, expected: str) -> None:
    """Who is merely enabled still gets in by a legacy protocol with the password alone."""
    found = scene.protection(scene.user(PUSH, per_user_mfa=state))
    assert (found.mfa, found.way_in) == (expected, "yes")
    assert found.modern_mfa == ("never" if state == "disabled" else "always")


def test_per_user_mfa_that_is_enabled_protects_where_no_legacy_protocol_is_left(scene: Scene) -> None:
    scene.assume("basic_authentication", "none")
    assert scene.protects(scene.user(PUSH, per_user_mfa="enabled")) == ("always", "yes")


def test_app_passwords_are_no_passwords(scene: Scene) -> None:
    assert scene.protects(scene.user(PUSH, per_user_mfa="enforced", app_password=True)) == ("always", "yes")


def test_by_a_policy_for_everything(scene: Scene) -> None:
    scene.policy("mfa")
    assert scene.protects(scene.user(PUSH)) == ("always", "yes")
    assert scene.protects(scene.user()) == ("always", "yes")


def test_a_policy_for_modern_clients_leaves_legacy_protocols(scene: Scene) -> None:
    scene.policy("mfa", clients=MODERN)
    user = scene.user(PUSH)
    found = scene.protection(user)
    assert (found.mfa, found.modern_mfa, found.way_in) == ("never", "always", "yes")
    assert found.reasons == ('The weakest sign-in is by "other" to Exchange Online: nothing is demanded.',)
    scene.policy("block", clients=LEGACY)
    assert scene.protects(user) == ("always", "yes")


def test_a_policy_for_some_applications_leaves_the_others(scene: Scene) -> None:
    scene.policy("mfa", applications={"includeApplications": ["Office365"]})
    assert scene.protects(scene.user(PUSH))[0] == "never"


def test_trusted_places_do_not_lower_it(scene: Scene) -> None:
    """The weakest is over sign-ins from anywhere else."""
    offices = scene.location("203.0.113.0/24", trusted=True)
    scene.policy("mfa", locations={"includeLocations": ["All"], "excludeLocations": [offices]})
    scene.service(
        trustedIps={"skipMfaForFederatedUsers": True, "ipRanges": ["203.0.113.0/24"]},
        rememberMfaOnTrustedDevice={"isEnabled": True, "allowedNumberOfDays": 90},
    )
    assert scene.protects(scene.user(PUSH)) == ("always", "yes")
    assert scene.protects(scene.user(PUSH, per_user_mfa="enforced", domain=FEDERATED)) == ("always", "yes")


def test_managed_devices_do_not_lower_it(scene: Scene) -> None:
    scene.policy("mfa", "compliantDevice")
    assert scene.protects(scene.user(PUSH)) == ("always", "yes")


def test_the_platform_is_the_choice_of_whoever_signs_in(scene: Scene) -> None:
    scene.policy("mfa", platforms={"includePlatforms": ["iOS", "android"]})
    assert scene.protects(scene.user(PUSH)) == ("never", "yes")


def test_risk_alone_is_no_protection(scene: Scene) -> None:
    scene.policy("mfa", signInRiskLevels=["high"])
    assert scene.protects(scene.user(PUSH)) == ("never", "yes")


def test_what_gets_nowhere_is_protected(scene: Scene) -> None:
    scene.policy("block")
    assert scene.protects(scene.user(PUSH)) == ("always", "no")


def test_what_is_not_known_stays_so(scene: Scene) -> None:
    scene.policy("mfa", applications={"includeApplications": ["All"], "applicationFilter": {"mode": "include"}})
    assert scene.protects(scene.user(PUSH)) == ("unknown", "yes")
    scene.policy("compliantDevice")
    assert scene.protects(scene.user(PUSH))[1] == "unknown"


def test_a_way_in_from_the_office_is_one(scene: Scene) -> None:
    offices = scene.location("203.0.113.0/24", trusted=True)
    scene.policy("block", locations={"includeLocations": ["All"], "excludeLocations": [offices]})
    assert scene.protects(scene.user(PUSH)) == ("always", "yes")


def test_a_way_in_from_one_country_is_one(scene: Scene) -> None:
    home = scene.location(countries=("NL",))
    scene.policy("block", locations={"includeLocations": ["All"], "excludeLocations": [home]})
    assert scene.protects(scene.user(PUSH)) == ("always", "yes")


def test_administrators_need_their_portals_or_graph(scene: Scene) -> None:
    administrator, user = scene.administrator(PUSH), scene.user(PUSH)
    scene.policy("block", applications={"includeApplications": ["MicrosoftAdminPortals"]})
    assert scene.protects(administrator)[1] == "yes"
    scene.policy("block", applications={"includeApplications": ["MicrosoftGraph"]})
    assert scene.protects(administrator)[1] == "no"
    assert scene.protects(user)[1] == "yes"


def test_removing_the_only_method_takes_the_way_in(scene: Scene) -> None:
    scene.enable("Sms")
    scene.policy("mfa")
    user, other = scene.user(PHONE), scene.user(PHONE, PUSH)
    assert (scene.protects(user), scene.protects(other)) == (("always", "yes"), ("always", "yes"))
    scene.method("Sms", state="disabled")
    assert (scene.protects(user), scene.protects(other)) == (("always", "no"), ("always", "yes"))


def test_a_restriction_of_keys_leaves_the_way_in_open_to_doubt(scene: Scene) -> None:
    scene.enable("Fido2")
    scene.policy("mfa")
    user = scene.user(KEY)
    assert scene.protects(user)[1] == "yes"
    scene.method("Fido2", keyRestrictions={"isEnforced": True, "enforcementType": "allow", "aaGuids": ["a"]})
    assert scene.protects(user)[1] == "unknown"


def test_a_disabled_account_keeps_its_protection_and_loses_its_way_in(scene: Scene) -> None:
    scene.policy("mfa")
    user = scene.user(PUSH)
    scene.change_user(user, accountEnabled=False)
    assert scene.protects(user) == ("always", "no")


def test_people_are_the_same_one_by_one_and_together(scene: Scene) -> None:
    users = [scene.user(PUSH, roles=("Global Reader",) if number % 3 else ()) for number in range(70)]
    scene.assign("User Administrator", scene.group(*users[:7]))
    inner = scene.group(*users[5:40])
    outer = scene.group(inner, users[60])
    scene.store.link(inner, outer)
    scene.policy("mfa", users={"includeGroups": [outer], "excludeUsers": [users[30]]})
    together = dict(scene.directory().people())
    assert len(together) == 70
    expected = [together[user] for user in users]
    first, second, all_of_them = scene.directory(), scene.directory(), scene.directory()
    assert [*(first.person(user) for user in users[:35]), *(second.person(user) for user in users[35:])] == expected
    assert [all_of_them.person(user) for user in users] == expected


def test_equal_people_are_judged_once(scene: Scene) -> None:
    for number in range(300):
        scene.user(PUSH if number % 2 else PHONE, per_user_mfa="enforced" if number % 3 else "disabled")
    scene.policy("mfa", users={"includeUsers": [scene.user(PUSH)]})
    directory = scene.directory()
    assert len(list(protections(directory))) == 301
    assert directory.evaluations == 5
    for id, found in protections(directory):
        assert protection(directory, id) is found
    assert directory.evaluations == 5


@pytest.fixture
def open_simulation() -> Callable[..., Simulation]:
    return lambda **options: Simulation(Options(**options), ["https://localhost:8443"])


@pytest.mark.deep
@pytest.mark.parametrize("scenario", ["legacy", "business", "hybrid", "locked"])
def test_ten_thousand_people_are_few_situations(open_simulation: Callable[..., Simulation], scenario: str) -> None:
    simulation = open_simulation(scenarios=(scenario,), users=10000)
    store = simulation.store.tenant(simulation.first.number)
    directory = Directory.read(store, simulation.first, simulation.clock.now())
    assert len(list(protections(directory))) == 10000
    assert directory.evaluations < 300
    simulation.close()
