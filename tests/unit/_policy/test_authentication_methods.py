# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.authentication_methods import (
    BOOLEANS,
    LISTS_OF_OBJECTS,
    LISTS_OF_STRINGS,
    MIGRATION_COMPLETE,
    MIGRATION_STATES,
    MIGRATION_STATES_IN_ORDER,
    OBJECTS,
    STRINGS,
    check_shape,
    enabled_methods,
    includes_everybody,
    migration_refusal,
    migration_state,
    registration_reach,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape

ALL_USERS = {"id": "all_users", "targetType": "group"}
PILOT = {"id": "6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a01", "targetType": "group"}
PASSWORDLESS = {**ALL_USERS, "authenticationMode": "deviceBasedPush"}

target_lists = st.lists(st.sampled_from([ALL_USERS, PILOT]), max_size=3)
methods = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["MicrosoftAuthenticator", "SoftwareOath", "Sms", "Fido2", "softwareoath"]),
        "state": st.sampled_from(["enabled", "disabled"]),
        "includeTargets": target_lists,
        "excludeTargets": target_lists,
    }
)
method_lists = st.lists(methods, max_size=6)


def method(
    name: str,
    state: str = "enabled",
    include: list[dict[str, str]] | None = None,
    exclude: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    return {
        "id": name,
        "state": state,
        "includeTargets": [ALL_USERS] if include is None else include,
        "excludeTargets": exclude or [],
    }


def policy(*configurations: Any) -> dict[str, Any]:
    return {"policyMigrationState": "migrationComplete", "authenticationMethodConfigurations": list(configurations)}


@given(methods)
def test_exclusions_never_count_as_everybody(configuration: dict[str, Any]) -> None:
    everybody = ALL_USERS in configuration["includeTargets"] and configuration["excludeTargets"] == []
    assert includes_everybody(configuration) is everybody


@given(method_lists)
def test_reach(configurations: list[dict[str, Any]]) -> None:
    usable = [
        one
        for one in configurations
        if one["state"] == "enabled" and one["id"].lower() in ("microsoftauthenticator", "softwareoath")
    ]
    reach = registration_reach(policy(*configurations))
    if not usable:
        assert reach == "nobody"
    else:
        assert reach == ("everybody" if any(map(includes_everybody, usable)) else "some")


@given(method_lists, methods)
def test_excluding_somebody_everywhere_is_never_everybody(
    configurations: list[dict[str, Any]], another: dict[str, Any]
) -> None:
    excluding = [{**one, "excludeTargets": [PILOT]} for one in [*configurations, another]]
    assert registration_reach(policy(*excluding)) != "everybody"


@pytest.mark.parametrize("name", ["MicrosoftAuthenticator", "SoftwareOath", "microsoftauthenticator"])
def test_one_method_for_everybody_is_enough(name: str) -> None:
    assert registration_reach(policy(method("Fido2"), method(name))) == "everybody"


@pytest.mark.parametrize("name", ["Sms", "Voice", "Email", "Fido2", "TemporaryAccessPass", "HardwareOath"])
def test_other_methods_do_not_help(name: str) -> None:
    assert registration_reach(policy(method(name))) == "nobody"


def test_a_disabled_method_does_not_count() -> None:
    assert registration_reach(policy(method("SoftwareOath", state="disabled"))) == "nobody"


def test_two_methods_for_some_are_not_everybody() -> None:
    authenticator = method("MicrosoftAuthenticator", exclude=[PILOT])
    codes = method("SoftwareOath", include=[PILOT])
    assert registration_reach(policy(authenticator, codes)) == "some"


def test_an_enabled_method_without_targets_reaches_some_at_most() -> None:
    assert registration_reach(policy(method("MicrosoftAuthenticator", include=[]))) == "some"


@pytest.mark.parametrize("mode", ["deviceBasedPush", "aModeOfTheFuture"])
def test_only_passwordless_sign_in_is_nothing_to_register(mode: str) -> None:
    authenticator = method("MicrosoftAuthenticator", include=[{**ALL_USERS, "authenticationMode": mode}])
    assert registration_reach(policy(authenticator)) == "nobody"
    assert registration_reach(policy(authenticator, method("SoftwareOath"))) == "everybody"


@pytest.mark.parametrize("mode", ["any", "push"])
def test_notifications_are_something_to_register(mode: str) -> None:
    authenticator = method("MicrosoftAuthenticator", include=[{**ALL_USERS, "authenticationMode": mode}])
    assert registration_reach(policy(authenticator)) == "everybody"


def test_passwordless_sign_in_for_all_and_notifications_for_some_reach_some() -> None:
    assert registration_reach(policy(method("MicrosoftAuthenticator", include=[PASSWORDLESS, PILOT]))) == "some"


@pytest.mark.parametrize("name", ["includeTargets", "excludeTargets"])
@pytest.mark.parametrize("targets", [None, "all_users", {"id": "all_users"}, [None], ["all_users"], 1], ids=repr)
def test_malformed_targets_are_unexpected(name: str, targets: Any) -> None:
    configuration = {**method("MicrosoftAuthenticator"), name: targets}
    with pytest.raises(UnexpectedShape):
        includes_everybody(configuration)
    with pytest.raises(UnexpectedShape):
        registration_reach(policy(configuration))


@pytest.mark.parametrize("name", ["id", "state", "includeTargets", "excludeTargets"])
def test_a_missing_property_is_unexpected(name: str) -> None:
    configuration = {key: value for key, value in method("MicrosoftAuthenticator").items() if key != name}
    with pytest.raises(UnexpectedShape):
        registration_reach(policy(configuration))


@pytest.mark.parametrize("target", [{}, {"id": None}, {"id": 1}], ids=repr)
def test_a_target_without_id_is_unexpected(target: Any) -> None:
    with pytest.raises(UnexpectedShape):
        includes_everybody(method("MicrosoftAuthenticator", include=[target]))


@pytest.mark.parametrize("configurations", [None, {}, "all", [None], ["Sms"], 3], ids=repr)
def test_malformed_configurations_are_unexpected(configurations: Any) -> None:
    malformed = {"authenticationMethodConfigurations": configurations}
    with pytest.raises(UnexpectedShape):
        registration_reach(malformed)
    with pytest.raises(UnexpectedShape):
        enabled_methods(malformed)
    with pytest.raises(UnexpectedShape):
        registration_reach({})


@given(method_lists)
def test_enabled_methods(configurations: list[dict[str, Any]]) -> None:
    listed = enabled_methods(policy(*configurations))
    assert listed == sorted(one["id"] for one in configurations if one["state"] == "enabled")


# The shape of all that decides what people can use

OF_ANOTHER_TYPE: list[tuple[tuple[str, ...], list[Any], str]] = [
    (BOOLEANS, ["true", 1], "no boolean"),
    (STRINGS, [True, ["any"]], "no string"),
    (LISTS_OF_STRINGS, ["a", [1]], "no list of strings"),
    (LISTS_OF_OBJECTS, [{}, ["a"]], "no list of objects"),
    ((*OBJECTS, "keyRestrictions"), [[], "a"], "no object"),
]
PLACES = ("method", "includeTargets", "excludeTargets", "passkeyProfiles", "certificateUserBindings")


def part_of(place: str, part: dict[str, Any]) -> dict[str, Any]:
    """A policy with this in a method, or in an object of one of its lists."""
    bare = {"id": "Fido2", "state": "enabled"}
    if place == "method":
        return policy({**bare, **part})
    return policy({**bare, place: [{**({} if place == "certificateUserBindings" else {"id": "1"}), **part}]})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("names", "values", "words"), OF_ANOTHER_TYPE)
def test_what_decides_is_of_the_documented_type(
    place: str, names: tuple[str, ...], values: list[Any], words: str
) -> None:
    for name in names:
        check_shape(part_of(place, {name: None}))
        for value in values:
            with pytest.raises(UnexpectedShape, match=f"^'{name}' is {words}$"):
                check_shape(part_of(place, {name: value}))


@pytest.mark.parametrize("place", [*PLACES[1:4]])
def test_what_is_in_a_list_has_an_id(place: str) -> None:
    with pytest.raises(UnexpectedShape, match=r"^'id' is missing$"):
        check_shape(policy({"id": "Fido2", "state": "enabled", place: [{}]}))
    check_shape(part_of("certificateUserBindings", {}))


@pytest.mark.parametrize(
    ("restrictions", "words"),
    [
        ({}, "'isEnforced' is missing"),
        ({"isEnforced": 1}, "'isEnforced' is no boolean"),
        ({"isEnforced": True}, "'enforcementType' is missing"),
        ({"isEnforced": True, "enforcementType": None, "aaGuids": []}, "'enforcementType' is no string"),
        ({"isEnforced": True, "enforcementType": "allow"}, "'aaGuids' is missing"),
        ({"isEnforced": True, "enforcementType": "allow", "aaGuids": [1]}, "'aaGuids' is no list of strings"),
    ],
)
def test_restrictions_that_are_enforced_are_whole(restrictions: dict[str, Any], words: str) -> None:
    for good in ({"isEnforced": False, "aaGuids": 1}, {"isEnforced": True, "enforcementType": "x", "aaGuids": ["1"]}):
        check_shape(part_of("method", {"keyRestrictions": good}))
    for place in ("method", "passkeyProfiles"):
        with pytest.raises(UnexpectedShape, match=f"^{words}$"):
            check_shape(part_of(place, {"keyRestrictions": restrictions}))


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        ({}, "'authenticationMethodConfigurations' is missing"),
        (policy({"state": "enabled"}), "'id' is missing"),
        (policy(method("Fido2"), {"id": "Sms"}), "'state' is missing"),
        ({**policy(), "policyMigrationState": 1}, "'policyMigrationState' is no string"),
    ],
)
def test_a_policy_without_what_every_method_has_is_unexpected(whole: dict[str, Any], words: str) -> None:
    check_shape({"authenticationMethodConfigurations": []})
    check_shape({**policy(method("Fido2")), "policyMigrationState": None})
    with pytest.raises(UnexpectedShape, match=f"^{words}$"):
        check_shape(whole)


def test_null_means_that_the_migration_is_complete() -> None:
    assert migration_state({"policyMigrationState": None}) == MIGRATION_COMPLETE


@pytest.mark.parametrize("state", sorted(MIGRATION_STATES))
def test_a_known_migration_state_is_kept(state: str) -> None:
    assert migration_state({"policyMigrationState": state}) == state


@given(st.text().filter(lambda state: state != MIGRATION_COMPLETE))
@example("")
@example("MigrationComplete")
def test_no_other_text_means_that_the_migration_is_complete(state: str) -> None:
    assert _state_or_unexpected(state) != MIGRATION_COMPLETE


@pytest.mark.parametrize("malformed", [True, False, 0, [], {}, ["migrationComplete"]], ids=repr)
def test_a_malformed_migration_state_is_unexpected(malformed: Any) -> None:
    with pytest.raises(UnexpectedShape):
        migration_state({"policyMigrationState": malformed})


@given(st.sampled_from([None, *MIGRATION_STATES_IN_ORDER]), st.sampled_from(MIGRATION_STATES_IN_ORDER))
def test_without_a_migration_state_there_is_no_other(current: str | None, wanted: str) -> None:
    """Whether a tenant that has one may go back to the first, only Graph knows."""
    refusal = migration_refusal({"policyMigrationState": current}, wanted)
    if current is not None or wanted == MIGRATION_COMPLETE:
        assert refusal is None
    else:
        assert refusal == (
            "This tenant has no migration state, which means that its migration is complete. Graph accepts "
            f"'{wanted}' for it without effect, so it was not written."
        )


def test_a_missing_migration_state_is_unexpected() -> None:
    with pytest.raises(UnexpectedShape, match="'policyMigrationState' is missing"):
        migration_state({})
    with pytest.raises(UnexpectedShape, match="'policyMigrationState' is 'x', which is no state that Microsoft"):
        migration_state({"policyMigrationState": "x"})


def _state_or_unexpected(state: str) -> str:
    try:
        return migration_state({"policyMigrationState": state})
    except UnexpectedShape:
        return "unexpected"
