# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may not get in under security defaults: by examples, and held to the simulator's own rules of sign-in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.authentication_methods import registration_reach
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.conditional_access_reach import Memberships
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.method_dependence import Methods, Person
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import (
    DIRECTORY_SYNCHRONIZATION_ACCOUNTS,
    GLOBAL_ADMINISTRATOR,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.security_defaults import (
    NO_WAY_IN,
    RISKS,
    UNKNOWN_WAYS_IN,
    Obstacle,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.ways_in import (
    BY_LEGACY_SETTINGS,
    CLOSED,
    OPEN,
    UNKNOWN,
    WaysIn,
    administrators,
    effects,
    exempt,
    legacy_settings_count,
    obstacles,
    way_in,
)
from ansible_collections.zerotrust.m365.tests.unit._policy.test_method_dependence import (
    GROUPS,
    configuration,
    person,
    policy,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import Scene
from m365_simulator.state import Store

AUTHENTICATOR = configuration("MicrosoftAuthenticator")
WITHOUT_PASSWORD = configuration(
    "MicrosoftAuthenticator", include=[{"id": "all_users", "authenticationMode": "deviceBasedPush"}]
)


def verdict(somebody: Person, *configurations: Any, legacy: bool = False) -> str:
    return way_in(Methods(policy(*configurations)), somebody, legacy=legacy)


@pytest.mark.parametrize(
    ("registered", "switched_on", "expected"),
    [
        ([], [], OPEN),
        (["email", "qrCode", "securityQuestion"], [], OPEN),
        (["mobilePhone"], [AUTHENTICATOR], CLOSED),
        (["mobilePhone", "email", "qrCode"], [AUTHENTICATOR, configuration("QRCodePin")], CLOSED),
        (["mobilePhone"], [configuration("Voice")], OPEN),
        (["mobilePhone", "microsoftAuthenticatorPush"], [AUTHENTICATOR], OPEN),
        (["windowsHelloForBusiness"], [], OPEN),
        (["temporaryAccessPass"], [], CLOSED),
        (["mobilePhone", "temporaryAccessPass"], [configuration("TemporaryAccessPass")], OPEN),
        (["microsoftAuthenticatorPasswordless"], [], CLOSED),
        (
            ["microsoftAuthenticatorPasswordless"],
            [configuration("MicrosoftAuthenticator", include=[{"id": "all_users", "authenticationMode": "push"}])],
            OPEN,
        ),
        (["mobilePhone"], [configuration("Sms", include=GROUPS[:1])], CLOSED),
        (["microsoftAuthenticator"], [WITHOUT_PASSWORD], UNKNOWN),
        (["microsoftAuthenticatorPush"], [WITHOUT_PASSWORD], CLOSED),
        (["microsoftAuthenticator", "microsoftAuthenticatorPasswordless"], [WITHOUT_PASSWORD], OPEN),
        (["microsoftAuthenticator"], [AUTHENTICATOR], OPEN),
        (["microsoftAuthenticator"], [], CLOSED),
        (["oneTimePasscode"], [], UNKNOWN),
        (["oneTimePasscode", "mobilePhone"], [], UNKNOWN),
        (["oneTimePasscode", "mobilePhone"], [configuration("Sms")], OPEN),
        (["appPassword", "none", "password"], [], OPEN),
    ],
)
def test_somebody_with_these_methods(registered: list[str], switched_on: list[Any], expected: str) -> None:
    assert verdict(person(*registered), *switched_on) == expected


def test_the_groups_of_somebody_decide() -> None:
    some = configuration("Sms", include=GROUPS[:1])
    assert verdict(person("mobilePhone", groups=GROUPS[:1]), some) == OPEN
    assert verdict(person("mobilePhone", groups=GROUPS[1:]), some) == CLOSED
    assert verdict(person("mobilePhone", complete=False), some) == UNKNOWN


@pytest.mark.parametrize(
    ("state", "counts"),
    [(None, False), ("migrationComplete", False), ("preMigration", True), ("migrationInProgress", True)],
)
def test_the_legacy_settings_count_until_the_migration_is_complete(state: str | None, counts: bool) -> None:
    assert legacy_settings_count({**policy(), "policyMigrationState": state}) is counts


def test_a_state_of_migration_that_nobody_knows_is_not_taken_for_complete() -> None:
    with pytest.raises(UnexpectedShape):
        legacy_settings_count({**policy(), "policyMigrationState": "unknownFutureValue"})


def test_what_the_legacy_settings_may_allow() -> None:
    assert verdict(person("mobilePhone"), legacy=True) == BY_LEGACY_SETTINGS
    assert verdict(person("fido2SecurityKey"), legacy=True) == CLOSED
    assert verdict(person("microsoftAuthenticator"), WITHOUT_PASSWORD, legacy=True) == BY_LEGACY_SETTINGS
    assert verdict(person("oneTimePasscode"), legacy=True) == UNKNOWN
    assert verdict(person("microsoftAuthenticatorPasswordless"), legacy=True) == BY_LEGACY_SETTINGS
    assert verdict(person("mobilePhone"), configuration("Sms"), legacy=True) == OPEN


# Who they are


def role(identity: str, protected: bool, *holders: tuple[str, str]) -> dict[str, Any]:
    return {
        "id": identity,
        "protected_by_security_defaults": protected,
        "holders": [{"id": name.upper(), "name": name, "type": kind} for name, kind in holders],
    }


def test_administrators_are_people_in_protected_roles() -> None:
    roles = {
        "roles": [
            role(GLOBAL_ADMINISTRATOR, True, ("ann", "user"), ("robot", "servicePrincipal")),
            role("reader", False, ("bob", "user")),
            role(DIRECTORY_SYNCHRONIZATION_ACCOUNTS, False, ("sync", "user")),
        ]
    }
    assert administrators(roles) == {"ann": "ann"}
    assert exempt(roles) == {"sync"}


# What is told

NOBODY: Mapping[str, list[str]] = MappingProxyType({})


def found(
    *, admins: Mapping[str, list[str]] = NOBODY, others: Mapping[str, list[str]] = NOBODY, **reasons: str
) -> WaysIn:
    """Names by verdict."""
    people = {
        Person(name, name, frozenset(), Memberships(frozenset())): said
        for group in (admins, others)
        for said, names in group.items()
        for name in names
    }
    return WaysIn(frozenset(name for names in admins.values() for name in names), people, **reasons)


def risks(ways: WaysIn) -> list[str | None]:
    return [obstacle.risk for obstacle in obstacles(ways)]


def test_nobody_is_told_of_who_gets_in() -> None:
    ways = found(admins={OPEN: ["ann"]}, others={OPEN: ["bob"]})
    assert (obstacles(ways), effects(ways)) == ([], [])


def test_who_may_not_get_in_is_named_administrators_first() -> None:
    ways = found(admins={CLOSED: ["zoe"]}, others={CLOSED: ["bob", "abe"], OPEN: ["cid"]})
    (obstacle,) = obstacles(ways)
    assert obstacle.risk == NO_WAY_IN
    start = "1 administrator ('zoe') and 2 other people ('abe', 'bob') may not get in any more: "
    assert obstacle.sentence.startswith(start)
    for way_out in ("authentication_method)", "register one that is on", "temporary_access_pass)"):
        assert way_out in obstacle.sentence
    (line,) = effects(ways)
    assert line.startswith(start)


def test_everything_is_told_to_the_letter() -> None:
    ways = found(
        admins={CLOSED: ["ann"], BY_LEGACY_SETTINGS: ["bea"], UNKNOWN: ["cyd", "ada"]},
        others={CLOSED: ["dan", "eve"], BY_LEGACY_SETTINGS: ["fay"], UNKNOWN: ["gus"]},
        unread_administrators="No.",
        unread_others="Nor.",
    )
    closed = (
        "1 administrator ('ann') and 2 other people ('dan', 'eve') may not get in any more: the authentication methods "
        "policy allows none of the methods for MFA that they have registered."
    )
    assert obstacles(ways) == [
        Obstacle(
            f"{closed} Switch one of these on for them (zerotrust.m365.authentication_method), have them register one "
            "that is on, or make them a Temporary Access Pass to do so (zerotrust.m365.temporary_access_pass).",
            NO_WAY_IN,
        ),
        Obstacle(
            "Whether 2 administrators can use anything that they have registered for MFA cannot be told: 'ada', 'cyd'.",
            UNKNOWN_WAYS_IN,
        ),
        Obstacle(
            "Whether administrators can use what they have registered for MFA could not be read; whoever cannot may "
            "not get in any more: No.",
            UNKNOWN_WAYS_IN,
        ),
    ]
    assert effects(ways) == [
        closed,
        (
            "Whether 1 administrator ('bea') and 1 other person ('fay') can use what they have registered for MFA is "
            "unknown: the authentication methods policy does not allow it, the legacy MFA settings, which Graph does "
            "not show, may."
        ),
        (
            "Whether 2 administrators ('ada', 'cyd') and 1 other person ('gus') can use what they have registered for "
            "MFA is unknown."
        ),
        "Whether administrators can use what they have registered for MFA is unknown: No.",
        "Whether other people can use what they have registered for MFA is unknown: Nor.",
    ]


def test_names_are_bounded() -> None:
    (obstacle,) = obstacles(found(others={CLOSED: [f"user{number:04}" for number in range(2000)]}))
    assert "2000 other people ('user0000', " in obstacle.sentence
    assert "and 1990 more)" in obstacle.sentence
    assert len(obstacle.sentence) < 600


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        (found(admins={UNKNOWN: ["ann"]}), [UNKNOWN_WAYS_IN]),
        (found(others={UNKNOWN: ["bob"]}), []),
        (found(admins={BY_LEGACY_SETTINGS: ["ann"]}, others={BY_LEGACY_SETTINGS: ["bob"]}), []),
        (found(unread_administrators="It is not allowed."), [UNKNOWN_WAYS_IN]),
        (found(unread_others="It is not allowed."), []),
    ],
    ids=["unclear administrator", "unclear other", "legacy settings", "unread administrators", "unread others"],
)
def test_what_is_unknown_is_always_told_and_of_administrators_an_obstacle(ways: WaysIn, expected: list[str]) -> None:
    assert risks(ways) == expected
    (line,) = effects(ways)
    assert "unknown" in line


def test_reasons_and_names_of_the_unknown_are_told() -> None:
    ways = found(admins={UNKNOWN: ["ann"], OPEN: ["zoe"]}, unread_administrators="WHY.", unread_others="WHEREFORE.")
    unclear, unread = obstacles(ways)
    assert unclear.sentence.endswith(
        "1 administrator can use anything that they have registered for MFA cannot be told: 'ann'."
    )
    assert unread.sentence.endswith(": WHY.")
    assert effects(ways)[1:] == [
        "Whether administrators can use what they have registered for MFA is unknown: WHY.",
        "Whether other people can use what they have registered for MFA is unknown: WHEREFORE.",
    ]
    assert effects(found(unread_others="WHY.")) == [
        "Whether people can use what they have registered for MFA is unknown: WHY."
    ]


@given(
    st.dictionaries(
        st.text("ab", max_size=3), st.sampled_from([OPEN, CLOSED, BY_LEGACY_SETTINGS, UNKNOWN]), max_size=9
    ),
    st.sets(st.text("ab", max_size=3)),
)
def test_a_closed_way_in_is_always_an_obstacle_by_name(verdicts: dict[str, str], admins: set[str]) -> None:
    people = {Person(name, name, frozenset(), Memberships(frozenset())): said for name, said in verdicts.items()}
    ways = WaysIn(frozenset(admins), people)
    assert (NO_WAY_IN in risks(ways)) is (CLOSED in verdicts.values())
    assert (UNKNOWN_WAYS_IN in risks(ways)) is any(verdicts.get(name) == UNKNOWN for name in admins)
    assert {*risks(ways)} <= {*RISKS}
    told = " ".join(effects(ways))
    assert all(f"'{name}'" in told for name, said in verdicts.items() if said != OPEN)


# Held to the simulator's rules of sign-in, which share no line with these

REGISTERED = (
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "microsoftAuthenticatorPush",
    "microsoftAuthenticatorPasswordless",
    "softwareOneTimePasscode",
    "hardwareOneTimePasscode",
    "fido2SecurityKey",
    "passKeySynced",
    "windowsHelloForBusiness",
    "email",
    "qrCode",
)
CONFIGURED = ("Sms", "Voice", "SoftwareOath", "HardwareOath", "Fido2")
TARGETS = ("all", "mine", "another", "all but mine")
switches = st.dictionaries(st.sampled_from(CONFIGURED), st.sampled_from(TARGETS), max_size=3)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    store = Store(None)
    yield store
    store.close()


def switch(scene: Scene, name: str, whom: str, mine: str) -> None:
    included = {"all": "all_users", "all but mine": "all_users", "mine": mine, "another": scene.group()}[whom]
    scene.method(
        name,
        state="enabled",
        includeTargets=[{"id": included, "targetType": "group"}],
        excludeTargets=[{"id": mine, "targetType": "group"}] if whom == "all but mine" else [],
    )


@pytest.mark.parametrize(
    ("value", "tokens", "said", "gets_in"),
    [
        ("microsoft_authenticator", "disabled", UNKNOWN, "yes"),
        ("another_application", "disabled", UNKNOWN, "no"),
        ("another_application", "enabled", OPEN, "yes"),
    ],
)
def test_a_token_that_only_the_authenticator_allows_may_be_of_another_application(
    store: Store, value: str, tokens: str, said: str, gets_in: str
) -> None:
    scene = Scene(store)
    scene.security_defaults(True)
    scene.migration("migrationComplete")
    scene.assume("registered_software_token", value)
    scene.enable("MicrosoftAuthenticator")
    scene.method("MicrosoftAuthenticator", isSoftwareOathEnabled=True)
    scene.method("SoftwareOath", state=tokens)
    me = scene.administrator("softwareOneTimePasscode")
    shown = {
        "policyMigrationState": "migrationComplete",
        "authenticationMethodConfigurations": scene.store.documents("methodConfiguration"),
    }
    somebody = Person(me, "me", frozenset({"softwareOneTimePasscode"}), Memberships(frozenset()))
    assert (way_in(Methods(shown), somebody, legacy=False), scene.protects(me)[1]) == (said, gets_in)


@pytest.mark.parametrize("examples", [60, pytest.param(600, marks=pytest.mark.deep)])
def test_who_is_said_to_get_in_does_and_who_is_not_does_not(store: Store, examples: int) -> None:
    """An administrator, asked for MFA at every sign-in, where anybody without a method may register one."""
    seen: Counter[tuple[str, str]] = Counter()

    @settings(max_examples=examples, derandomize=True, database=None, deadline=None)
    @given(
        st.lists(st.sampled_from(REGISTERED), unique=True, max_size=3),
        switches,
        st.sampled_from(["any", "push", "any", "push", "deviceBasedPush", None]),
        st.sampled_from(["migrationComplete", "migrationComplete", None, "preMigration"]),
        st.sampled_from(["all", "none"]),
    )
    def holds(
        registered: list[str], on: dict[str, str], mode: str | None, state: str | None, legacy_settings: str
    ) -> None:
        scene = Scene(store)
        scene.security_defaults(True)
        scene.migration(state)
        scene.assume("legacy_verification_options", legacy_settings)
        me = scene.administrator(*registered)
        mine = scene.group(me)
        target = {"id": "all_users", "targetType": "group", "authenticationMode": mode}
        scene.method("MicrosoftAuthenticator", state="enabled" if mode else "disabled", includeTargets=[target])
        for name, whom in on.items():
            switch(scene, name, whom, mine)
        shown = {
            "policyMigrationState": state,
            "authenticationMethodConfigurations": scene.store.documents("methodConfiguration"),
        }
        assume(registration_reach(shown) == "everybody")
        somebody = Person(me, "me", frozenset(registered), Memberships(frozenset({mine})))
        said = way_in(Methods(shown), somebody, legacy=legacy_settings_count(shown))
        gets_in = scene.protects(me)[1]
        seen[said, gets_in] += 1
        if said == BY_LEGACY_SETTINGS:
            assert gets_in == ("yes" if legacy_settings == "all" else "no")
        else:
            assert (said, gets_in) in {(OPEN, "yes"), (CLOSED, "no")}
        if said != OPEN:
            scene.assume("registration_in_place_of_lost_method", "yes")
            assert scene.protects(me)[1] == "yes"

    holds()
    assert {said for said, _gets_in in seen} == {OPEN, CLOSED, BY_LEGACY_SETTINGS}, seen
