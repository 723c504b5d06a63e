# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mapping against a model of its own: what somebody can use, said anew from Microsoft's pages."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.filter.legacy_method_mapping import (
    FilterModule,
    legacy_method_mapping,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy import legacy_methods as rules
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.legacy_methods import LegacySettings

# Four times as many examples as other tests have.
MANY = settings(max_examples=4 * settings().max_examples)
GROUPS = [f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3)]
METHODS = list(rules.ORDER)
NAMES = {"SoftwareOath": "software code", "HardwareOath": "hardware code", "Email": "email"}
OTHERS = ["Fido2", "TemporaryAccessPass"]

MFA = {
    "call_to_phone": {"call mobile", "call office"},
    "text_message_to_phone": {"text"},
    "notification_through_mobile_app": {"notification"},
    "verification_code_from_mobile_app_or_hardware_token": {"authenticator code", "software code", "hardware code"},
}
RESET = {
    "mobile_app_notification": {"notification"},
    "mobile_app_code": {"authenticator code", "software code"},
    "email": {"email"},
    "mobile_phone": {"text", "call mobile"},
    "office_phone": {"call office"},
    "security_questions": set[str](),
}


def by_policy(policy: dict[str, Any], groups: set[str]) -> set[str]:
    """What a member of these groups can use by the authentication methods policy."""
    found: set[str] = set()
    for configuration in policy["authenticationMethodConfigurations"]:
        if configuration["state"] != "enabled":
            continue
        mine = [one for one in configuration["includeTargets"] if one["id"] in groups | {"all_users"}]
        if not mine or any(one["id"] in groups | {"all_users"} for one in configuration["excludeTargets"]):
            continue
        name = configuration["id"]
        if name == "MicrosoftAuthenticator":
            modes = {one.get("authenticationMode", "any") for one in mine}
            found |= {"notification"} if modes & {"any", "push"} else set()
            found |= {"passwordless"} if modes & {"any", "deviceBasedPush"} else set()
            found |= {"authenticator code"} if configuration["isSoftwareOathEnabled"] else set()
        elif name == "Voice":
            found |= {"call mobile", "call office"} if configuration["isOfficePhoneAllowed"] else {"call mobile"}
        elif name == "Sms":
            found.add("text")
            found |= {"sign in by text"} if any(one.get("isUsableForSignIn") for one in mine) else set()
        else:
            found.add(NAMES.get(name, name))
    return found


def by_legacy(legacy: LegacySettings, groups: set[str]) -> set[str]:
    found = set().union(*(MFA[option] for option in legacy.verification_options))
    if legacy.reset_for == "everybody" or (legacy.reset_for == "selected" and legacy.reset_group in groups):
        found |= set().union(*(RESET[name] for name in legacy.reset_methods))
    return found


def applied(policy: dict[str, Any], wanted: list[dict[str, Any]]) -> dict[str, Any]:
    """The policy once the module authentication_method has made each of these so, as its documentation says."""
    policy = copy.deepcopy(policy)
    names = {"authentication_mode": "authenticationMode", "is_usable_for_sign_in": "isUsableForSignIn"}
    new = {"MicrosoftAuthenticator": {"authenticationMode": "any"}, "Sms": {"isUsableForSignIn": False}}
    for options in wanted:
        (one,) = [it for it in policy["authenticationMethodConfigurations"] if it["id"] == options["id"]]
        one["state"] = options["state"]
        edit = options["include_targets"]
        present = {target["id"]: target for target in one["includeTargets"]}
        result = {} if "set" in edit else dict(present)
        for target in [*edit.get("set", ()), *edit.get("add", ())]:
            written = {names[name]: value for name, value in target.items() if name != "group"}
            result[target["group"]] = {
                "id": target["group"],
                **present.get(target["group"], new.get(options["id"], {})),
                **written,
            }
        one["includeTargets"] = list(result.values())
        gone = options["exclude_targets"].get("remove")
        one["excludeTargets"] = [
            target for target in one["excludeTargets"] if gone is not None and target["id"] not in gone
        ]
        if "microsoft_authenticator" in options:
            one["isSoftwareOathEnabled"] = options["microsoft_authenticator"]["is_software_oath_enabled"]
        if "voice" in options:
            one["isOfficePhoneAllowed"] = options["voice"]["is_office_phone_allowed"]
    return policy


targets = st.builds(
    lambda group, mode, sign_in: {"id": group, "authenticationMode": mode, "isUsableForSignIn": sign_in},
    st.sampled_from(["all_users", *GROUPS]),
    st.sampled_from(["any", "push", "deviceBasedPush"]),
    st.booleans(),
)
distinct = st.lists(targets, max_size=3, unique_by=lambda target: target["id"])


def configurations(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "id": st.just(name),
            "state": st.sampled_from(["enabled", "disabled"]),
            "includeTargets": distinct,
            "excludeTargets": st.lists(st.sampled_from(GROUPS), unique=True, max_size=2).map(
                lambda groups: [{"id": group} for group in groups]
            ),
            "isSoftwareOathEnabled": st.booleans(),
            "isOfficePhoneAllowed": st.booleans(),
        }
    )


def off(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": name,
        "state": "disabled",
        "includeTargets": [{"id": "all_users", "isUsableForSignIn": True}],
        "excludeTargets": [],
        "isSoftwareOathEnabled": False,
        "isOfficePhoneAllowed": False,
        **properties,
    }


def policy_of(*changed: dict[str, Any], state: str | None = "preMigration") -> dict[str, Any]:
    others = {one["id"]: one for one in changed}
    return {
        "policyMigrationState": state,
        "authenticationMethodConfigurations": [others.get(name, off(name)) for name in [*METHODS, *OTHERS]],
    }


# Each configuration stands for itself, so one at a time is drawn.
policies = st.sampled_from([*METHODS, *OTHERS]).flatmap(configurations).map(policy_of)


def some_of(names: Any) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(sorted(names)))


legacy_settings = st.builds(
    lambda options, methods, reset_for, group: LegacySettings(
        options, methods, reset_for, group if reset_for == "selected" else None
    ),
    some_of(rules.VERIFICATION_OPTIONS),
    some_of(rules.RESET_METHODS),
    st.sampled_from(rules.RESET_FOR),
    st.sampled_from(GROUPS),
)
memberships = st.sets(st.sampled_from(GROUPS))


@MANY
@given(policies, legacy_settings, memberships)
def test_nobody_loses_a_method(policy: dict[str, Any], legacy: LegacySettings, groups: set[str]) -> None:
    """But who is in the group that may reset passwords, and in another one that is excluded: that is foretold."""
    before = by_policy(policy, groups) | by_legacy(legacy, groups)
    wanted = rules.methods_to_enable(policy, legacy)
    after = by_policy(applied(policy, wanted), groups)
    if not before <= after:
        excluded = [
            one["id"]
            for one in policy["authenticationMethodConfigurations"]
            if {target["id"] for target in one["excludeTargets"]} & groups - {legacy.reset_group}
        ]
        assert legacy.reset_group in groups
        assert [name for name in excluded if legacy.reach(name) == {legacy.reset_group}]
        assert any(line.startswith("Groups that are excluded stay so") for line in rules.warnings(policy, legacy))


@MANY
@given(policies, legacy_settings, memberships)
def test_an_exclusion_goes_on_keeping_those_from_a_method_whom_no_legacy_setting_gives_it(
    policy: dict[str, Any], legacy: LegacySettings, groups: set[str]
) -> None:
    after = applied(policy, rules.methods_to_enable(policy, legacy))
    for old, new in zip(
        policy["authenticationMethodConfigurations"], after["authenticationMethodConfigurations"], strict=True
    ):
        excluded, still = ({target["id"] for target in one["excludeTargets"]} for one in (old, new))
        reach = legacy.reach(old["id"])
        assert still == (set() if "all_users" in reach else excluded - reach)


@MANY
@given(policies, legacy_settings, memberships)
def test_phones_and_signing_in_by_text_are_never_switched_on_unasked(
    policy: dict[str, Any], legacy: LegacySettings, groups: set[str]
) -> None:
    before = by_policy(policy, groups)
    wanted = rules.methods_to_enable(policy, legacy)
    after = by_policy(applied(policy, wanted), groups)
    anybody = by_legacy(legacy, set(GROUPS))
    calls = {"call mobile", "call office"}
    for phone, by in (("text", {"text"}), ("call mobile", calls), ("call office", calls)):
        if phone in after - before:
            assert anybody & by
            assert rules.PHONE_ENDS in rules.warnings(policy, legacy)
    asked = {name for name, kinds in (("Sms", {"text"}), ("Voice", calls)) if anybody & kinds}
    assert {options["id"] for options in wanted} & {"Sms", "Voice"} == asked
    gained = "sign in by text" in after - before
    # A group that was excluded gets what was there for everybody else.
    assert not gained or any(
        one["id"] == "Sms" and one["state"] == "enabled" and one["excludeTargets"]
        for one in policy["authenticationMethodConfigurations"]
    )


@MANY
@given(policies, legacy_settings, memberships)
def test_whom_no_legacy_setting_reaches_it_gives_next_to_nothing(
    policy: dict[str, Any], legacy: LegacySettings, groups: set[str]
) -> None:
    """Only what a configuration has for everybody whom it includes, and what an exclusion kept from people."""
    excludes = any(
        one["state"] == "enabled" and one["excludeTargets"] for one in policy["authenticationMethodConfigurations"]
    )
    if by_legacy(legacy, groups) or excludes:
        return
    gained = by_policy(applied(policy, rules.methods_to_enable(policy, legacy)), groups) - by_policy(policy, groups)
    assert gained <= {"authenticator code", "call office"}


@given(policies, legacy_settings)
def test_what_has_no_legacy_setting_is_left_alone(policy: dict[str, Any], legacy: LegacySettings) -> None:
    after = applied(policy, rules.methods_to_enable(policy, legacy))
    legacy_methods = {name for name in METHODS if legacy.reach(name)}
    for old, new in zip(
        policy["authenticationMethodConfigurations"], after["authenticationMethodConfigurations"], strict=True
    ):
        if old["id"] not in legacy_methods:
            assert old == new


MODES = ("any", "push", "deviceBasedPush")


@pytest.mark.parametrize("by", ["all_users", GROUPS[0]])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sign_in", [True, False])
@pytest.mark.parametrize("name", ["MicrosoftAuthenticator", "Sms"])
def test_each_way_in_which_a_method_is_on(name: str, by: str, mode: str, sign_in: bool) -> None:
    target = {"id": by, "authenticationMode": mode, "isUsableForSignIn": sign_in}
    policy = policy_of(off(name, state="enabled", includeTargets=[target]))
    for legacy in (
        LegacySettings(frozenset(rules.VERIFICATION_OPTIONS)),
        LegacySettings(frozenset(), frozenset(rules.RESET_METHODS), "everybody"),
        LegacySettings(frozenset(), frozenset(rules.RESET_METHODS), "selected", GROUPS[0]),
    ):
        for groups in ({GROUPS[0]}, {GROUPS[1]}):
            before = by_policy(policy, groups) | by_legacy(legacy, groups)
            assert before <= by_policy(applied(policy, rules.methods_to_enable(policy, legacy)), groups)
        assert_no_reach_narrows(policy, legacy)


@MANY
@given(policies, legacy_settings)
def test_no_reach_narrows(policy: dict[str, Any], legacy: LegacySettings) -> None:
    assert_no_reach_narrows(policy, legacy)


def assert_no_reach_narrows(policy: dict[str, Any], legacy: LegacySettings) -> None:
    """Target by target: what an enabled method includes it goes on including, with what it allowed there."""
    after = applied(policy, rules.methods_to_enable(policy, legacy))
    for old, new in zip(
        policy["authenticationMethodConfigurations"], after["authenticationMethodConfigurations"], strict=True
    ):
        if old["state"] != "enabled":
            continue
        assert new["state"] == "enabled"
        kept = {target["id"]: target for target in new["includeTargets"]}
        for target in old["includeTargets"]:
            assert kept[target["id"]]["isUsableForSignIn"] == target["isUsableForSignIn"]
            assert kept[target["id"]]["authenticationMode"] in (target["authenticationMode"], "any")
        assert {one["id"] for one in new["excludeTargets"]} <= {one["id"] for one in old["excludeTargets"]}


@MANY
@given(policies, legacy_settings)
def test_a_second_time_nothing_is_left_to_do(policy: dict[str, Any], legacy: LegacySettings) -> None:
    after = applied(policy, rules.methods_to_enable(policy, legacy))
    assert applied(after, rules.methods_to_enable(after, legacy)) == after


@given(policies, legacy_settings)
def test_every_legacy_setting_has_its_sentence(policy: dict[str, Any], legacy: LegacySettings) -> None:
    lines = rules.what_becomes(policy, legacy)
    for option in legacy.verification_options:
        assert sum(f"'{rules.VERIFICATION_OPTIONS[option][0]}'" in line for line in lines) == 1
    told = [line for line in lines if line.startswith("Password reset, ")]
    assert len(told) == (0 if legacy.reset_for == "nobody" else len(legacy.reset_methods))


# The table, row by row


EVERYBODY = {"set": [{"group": "all_users"}]}
AUTHENTICATOR = {"set": [{"group": "all_users", "authentication_mode": "any"}]}
TEXT = {"set": [{"group": "all_users", "is_usable_for_sign_in": False}]}


def options(name: str, include: Any, **more: Any) -> dict[str, Any]:
    """Exclusions go as far as the legacy settings reach."""
    groups = [target["group"] for targets in include.values() for target in targets]
    exclude = {"set": []} if "all_users" in groups else {"remove": groups}
    return {"id": name, "state": "enabled", "include_targets": include, "exclude_targets": exclude, **more}


CODES = options("MicrosoftAuthenticator", AUTHENTICATOR, microsoft_authenticator={"is_software_oath_enabled": True})
OFFICE = options("Voice", EVERYBODY, voice={"is_office_phone_allowed": True})


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("call_to_phone", [OFFICE]),
        ("text_message_to_phone", [options("Sms", TEXT)]),
        ("notification_through_mobile_app", [options("MicrosoftAuthenticator", AUTHENTICATOR)]),
        (
            "verification_code_from_mobile_app_or_hardware_token",
            [CODES, options("SoftwareOath", EVERYBODY), options("HardwareOath", EVERYBODY)],
        ),
    ],
)
def test_the_table_for_per_user_mfa(option: str, expected: list[dict[str, Any]]) -> None:
    assert rules.methods_to_enable(policy_of(), LegacySettings(frozenset([option]))) == expected


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("mobile_app_notification", [options("MicrosoftAuthenticator", AUTHENTICATOR)]),
        ("mobile_app_code", [CODES, options("SoftwareOath", EVERYBODY)]),
        ("email", [options("Email", EVERYBODY)]),
        ("mobile_phone", [options("Sms", TEXT), options("Voice", EVERYBODY)]),
        ("office_phone", [OFFICE]),
        ("security_questions", []),
    ],
)
def test_the_table_for_password_reset(method: str, expected: list[dict[str, Any]]) -> None:
    legacy = LegacySettings(reset_methods=frozenset([method]), reset_for="everybody")
    assert rules.methods_to_enable(policy_of(), legacy) == expected
    assert rules.methods_to_enable(policy_of(), LegacySettings(reset_methods=frozenset([method]))) == []


def test_selected_users_are_their_group() -> None:
    legacy = LegacySettings(reset_methods=frozenset(["email"]), reset_for="selected", reset_group="Sales")
    off_now = rules.methods_to_enable(policy_of(), legacy)
    assert off_now == [options("Email", {"set": [{"group": "Sales"}]})]
    on = off("Email", state="enabled", includeTargets=[{"id": GROUPS[0]}])
    assert rules.methods_to_enable(policy_of(on), legacy) == [options("Email", {"add": [{"group": "Sales"}]})]


@pytest.mark.parametrize(
    ("legacy", "reach"),
    [
        (LegacySettings(), set()),
        (LegacySettings(reset_methods=frozenset(["mobile_phone"])), set()),
        # A group counts only where password reset is for selected users.
        (LegacySettings(reset_methods=frozenset(["mobile_phone"]), reset_group="Sales"), set()),
        (LegacySettings(reset_methods=frozenset(["mobile_phone"]), reset_for="selected"), set()),
        (LegacySettings(reset_methods=frozenset(["email"]), reset_for="everybody"), set()),
        (LegacySettings(reset_methods=frozenset(["mobile_phone"]), reset_for="everybody"), {"all_users"}),
        (
            LegacySettings(reset_methods=frozenset(["mobile_phone"]), reset_for="selected", reset_group="Sales"),
            {"Sales"},
        ),
        (
            LegacySettings(
                frozenset(["text_message_to_phone"]),
                frozenset(["mobile_phone"]),
                reset_for="selected",
                reset_group="Sales",
            ),
            {"all_users"},
        ),
    ],
)
def test_whom_a_method_reaches_by_legacy_settings(legacy: LegacySettings, reach: set[str]) -> None:
    assert legacy.reach("Sms") == reach


def test_what_is_on_for_everybody_stays_as_it_is() -> None:
    on = off("Sms", state="enabled")
    legacy = LegacySettings(frozenset(["text_message_to_phone"]))
    assert rules.methods_to_enable(policy_of(on), legacy) == [options("Sms", {"add": [{"group": "all_users"}]})]


def test_a_method_that_the_policy_does_not_show_stops_it() -> None:
    policy = policy_of()
    policy["authenticationMethodConfigurations"].pop(METHODS.index("HardwareOath"))
    code = LegacySettings(frozenset(["verification_code_from_mobile_app_or_hardware_token"]))
    with pytest.raises(LookupError, match="does not show HardwareOath: whoever has nothing else would be locked out"):
        rules.methods_to_enable(policy, code)
    assert rules.methods_to_enable(policy, LegacySettings(frozenset(["call_to_phone"])))


def test_what_becomes_of_each_says_what_is_on_now() -> None:
    policy = policy_of(
        off("Sms", state="enabled", excludeTargets=[{"id": GROUPS[0]}]),
        off("Voice", state="enabled", includeTargets=[{"id": GROUPS[0]}, {"id": GROUPS[1]}]),
        off("Email", state="enabled", includeTargets=[]),
    )
    legacy = LegacySettings(
        frozenset(["notification_through_mobile_app"]),
        frozenset(["mobile_phone", "email", "security_questions"]),
        "selected",
        "Sales",
    )
    text_messages = "SMS (on now, 1 group still excluded)"
    assert rules.what_becomes(policy, legacy) == [
        "Per-user MFA, 'Notification through mobile app': Microsoft Authenticator (off now) for everybody.",
        "Password reset, 'Email': email codes (on now, but for nobody) for the group Sales.",
        f"Password reset, 'Mobile phone': voice calls (on now for 2 groups), {text_messages} for the group Sales.",
        "Password reset, 'Security questions': they stay in the settings of password reset.",
    ]
    assert rules.what_becomes(policy, LegacySettings()) == [
        "Per-user MFA: no verification option is ticked.",
        "Password reset: it is enabled for nobody.",
    ]


@pytest.mark.parametrize("state", ["enabled", "disabled"])
@pytest.mark.parametrize(
    ("options", "group", "edit", "told"),
    [
        (["text_message_to_phone"], "Sales", {"set": []}, "2 groups no longer excluded"),
        ([], "Sales", {"remove": ["Sales"]}, "2 groups still excluded"),
        ([], GROUPS[0].upper(), {"remove": [GROUPS[0].upper()]}, "1 group no longer excluded, 1 group still excluded"),
    ],
)
def test_exclusions_stay_where_the_legacy_settings_reach_a_group(
    state: str, options: list[str], group: str, edit: dict[str, Any], told: str
) -> None:
    """Administrators who are excluded from SMS get it by no legacy setting."""
    policy = policy_of(off("Sms", state=state, excludeTargets=[{"id": GROUPS[0]}, {"id": GROUPS[1]}]))
    reset = {"enabled_for": "selected", "group": group, "methods": ["mobile_phone"]}
    found = rules.mapping(policy, options, reset)
    assert [one["exclude_targets"] for one in found["methods"] if one["id"] == "Sms"] == [edit]
    now = {"enabled": "on now", "disabled": "off now"}[state]
    assert found["becomes"][-1].endswith(f"SMS ({now}, {told}) for the group {group}.")
    warned = [] if options else [rules.STILL_EXCLUDED.format("SMS")]
    assert found["warnings"] == [rules.PHONE_ENDS, *warned]


def test_every_method_that_keeps_its_exclusions_is_named_and_no_other() -> None:
    excluded = [off(name, excludeTargets=[{"id": GROUPS[1]}]) for name in METHODS]
    legacy = LegacySettings(reset_methods=frozenset(["mobile_app_code"]), reset_for="selected", reset_group="Sales")
    named = rules.STILL_EXCLUDED.format("Microsoft Authenticator, software OATH tokens")
    assert rules.warnings(policy_of(*excluded), legacy) == [named]
    assert rules.warnings(policy_of(), legacy) == []


# What the role works with

NOTHING = {"enabled_for": "nobody"}


@pytest.mark.parametrize("state", ["migrationComplete", None])
def test_where_the_migration_is_complete_nothing_has_to_be_declared(state: str | None) -> None:
    found = rules.mapping(policy_of(state=state), None, None)
    assert found["complete"]
    assert (found["missing"], found["refused"], found["methods"], found["becomes"]) == ([], [], [], [])


@pytest.mark.parametrize("state", ["preMigration", "migrationInProgress"])
@pytest.mark.parametrize(
    ("verification_options", "password_reset", "places"),
    [
        (None, None, [rules.WHERE_MFA, rules.WHERE_RESET]),
        (None, NOTHING, [rules.WHERE_MFA]),
        ([], None, [rules.WHERE_RESET]),
    ],
)
def test_what_is_not_declared_is_said_with_the_place(
    state: str, verification_options: Any, password_reset: Any, places: list[str]
) -> None:
    found = rules.mapping(policy_of(state=state), verification_options, password_reset)
    assert len(found["missing"]) == len(places)
    assert all(line.endswith(f" under {place}") for place, line in zip(places, found["missing"], strict=True))
    assert not found["complete"]
    assert (found["refused"], found["methods"], found["becomes"]) == ([], [], [])


OPTIONS_KNOWN = (
    "call_to_phone, text_message_to_phone, notification_through_mobile_app, "
    "verification_code_from_mobile_app_or_hardware_token"
)
METHODS_KNOWN = "mobile_app_notification, mobile_app_code, email, mobile_phone, office_phone, security_questions"


@pytest.mark.parametrize(
    ("verification_options", "password_reset", "lines"),
    [
        (["sms", "fax"], NOTHING, [f"Unknown verification options: fax, sms. Known: {OPTIONS_KNOWN}."]),
        (
            [],
            {"enabled_for": "some"},
            ["Password reset must be enabled_for one of nobody, selected, everybody, not 'some'."],
        ),
        ([], {}, ["Password reset must be enabled_for one of nobody, selected, everybody, not 'None'."]),
        (
            [],
            {"enabled_for": "everybody", "methods": ["sms", "fax", "email"]},
            [f"Unknown methods of password reset: fax, sms. Known: {METHODS_KNOWN}."],
        ),
        (
            [],
            {"enabled_for": "everybody", "methods": []},
            ["Password reset that is enabled for somebody has at least one method."],
        ),
        (
            [],
            {"enabled_for": "selected", "methods": ["email"]},
            ["Password reset that is enabled for selected users needs their group."],
        ),
        (
            [],
            {"enabled_for": "selected"},
            [
                "Password reset that is enabled for selected users needs their group.",
                "Password reset that is enabled for somebody has at least one method.",
            ],
        ),
        (
            [],
            {"enabled_for": "everybody", "group": "Sales", "methods": ["email"]},
            ["Password reset that is enabled for everybody has no group."],
        ),
        ([], {"enabled_for": "nobody", "group": "Sales"}, ["Password reset that is enabled for nobody has no group."]),
        (
            [],
            {**NOTHING, "methods": None, "group": None, "gates": 2, "days": 1},
            ["Unknown in the password reset settings: days, gates."],
        ),
    ],
)
def test_what_is_declared_wrongly_is_refused(verification_options: Any, password_reset: Any, lines: list[str]) -> None:
    found = rules.mapping(policy_of(), verification_options, password_reset)
    assert (found["refused"], found["methods"], found["becomes"]) == (lines, [], [])


@pytest.mark.parametrize(
    ("password_reset", "becomes"),
    [
        (NOTHING, "Password reset: it is enabled for nobody."),
        (
            {"enabled_for": "everybody", "methods": ["email"]},
            "Password reset, 'Email': email codes (off now) for everybody.",
        ),
        (
            {"enabled_for": "selected", "group": "Sales", "methods": ["email"]},
            "Password reset, 'Email': email codes (off now) for the group Sales.",
        ),
    ],
)
def test_what_the_role_works_with_in_full(password_reset: dict[str, Any], becomes: str) -> None:
    found = rules.mapping(policy_of(), ["text_message_to_phone"], password_reset)
    group = password_reset.get("group", "all_users")
    assert found == {
        "complete": False,
        "state": "preMigration",
        "missing": [],
        "refused": [],
        "methods": [
            options("Sms", TEXT),
            *([options("Email", {"set": [{"group": group}]})] if password_reset != NOTHING else []),
        ],
        "becomes": ["Per-user MFA, 'Text message to phone': SMS (off now) for everybody.", becomes],
        "warnings": [rules.PHONE_ENDS],
    }


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"state": "enabled"}, "on now"),
        ({"state": "enabled", "excludeTargets": [{"id": "1"}, {"id": "2"}]}, "on now, 2 groups no longer excluded"),
        ({"state": "enabled", "includeTargets": [{"id": "1"}]}, "on now for 1 group"),
        ({"id": "Another"}, "not in this tenant's policy"),
    ],
)
def test_what_the_policy_says_today(now: dict[str, Any], told: str) -> None:
    policy = {"authenticationMethodConfigurations": [{**off("HardwareOath"), **now}, off("SoftwareOath")]}
    legacy = LegacySettings(reset_methods=frozenset(["email"]), reset_for="everybody")
    assert rules.what_becomes({"authenticationMethodConfigurations": [{**off("Email"), **now}]}, legacy)[1] == (
        f"Password reset, 'Email': email codes ({told}) for everybody."
    )
    code = LegacySettings(frozenset(["verification_code_from_mobile_app_or_hardware_token"]))
    assert rules.what_becomes(policy, code)[0] == (
        "Per-user MFA, 'Verification code from mobile app or hardware token': software OATH tokens (off now), "
        f"hardware OATH tokens ({told}), Microsoft Authenticator (not in this tenant's policy) for everybody."
    )


@pytest.mark.parametrize(
    ("present", "mode", "target"),
    [
        ("all_users", "any", {"group": "all_users"}),
        ("all_users", "push", {"group": "all_users"}),
        ("all_users", "deviceBasedPush", {"group": GROUPS[0], "authentication_mode": "any"}),
        (GROUPS[0], "any", {"group": GROUPS[0]}),
        (GROUPS[0], "push", {"group": GROUPS[0]}),
        (GROUPS[0], "deviceBasedPush", {"group": GROUPS[0], "authentication_mode": "any"}),
        (GROUPS[1], "any", {"group": GROUPS[0], "authentication_mode": "any"}),
    ],
)
def test_notifications_need_a_mode_that_has_them(present: str, mode: str, target: dict[str, Any]) -> None:
    on = off("MicrosoftAuthenticator", state="enabled", includeTargets=[{"id": present, "authenticationMode": mode}])
    methods = frozenset(["mobile_app_notification"])
    legacy = LegacySettings(reset_methods=methods, reset_for="selected", reset_group=GROUPS[0])
    expected = [{**options("MicrosoftAuthenticator", {"add": [target]}), "exclude_targets": {"remove": [GROUPS[0]]}}]
    assert rules.methods_to_enable(policy_of(on), legacy) == expected


@pytest.mark.parametrize("shown", ["abcdef00-0000-4000-8000-000000000001", "ABCDEF00-0000-4000-8000-000000000001"])
def test_ids_of_methods_and_groups_are_told_apart_without_regard_to_case(shown: str) -> None:
    group = "Abcdef00-0000-4000-8000-000000000001"
    on = off("microsoftauthenticator", state="enabled", includeTargets=[{"id": shown, "authenticationMode": "push"}])
    methods = frozenset(["mobile_app_notification", "office_phone"])
    legacy = LegacySettings(reset_methods=methods, reset_for="selected", reset_group=group)
    policy = {"authenticationMethodConfigurations": [on, off("VOICE")]}
    assert rules.methods_to_enable(policy, legacy) == [
        options("MicrosoftAuthenticator", {"add": [{"group": group}]}),
        options("Voice", {"set": [{"group": group}]}, voice={"is_office_phone_allowed": True}),
    ]


def test_nothing_ticked_anywhere_is_a_declaration() -> None:
    found = rules.mapping(policy_of(), [], NOTHING)
    assert (found["missing"], found["refused"], found["methods"], found["warnings"]) == ([], [], [], [])
    assert len(found["becomes"]) == 2


def test_phones_come_with_the_date_of_their_end() -> None:
    found = rules.mapping(policy_of(), ["text_message_to_phone"], NOTHING)
    assert found["warnings"] == [rules.PHONE_ENDS]
    assert rules.mapping(policy_of(), ["notification_through_mobile_app"], NOTHING)["warnings"] == []


@pytest.mark.parametrize("policy", [{}, {"policyMigrationState": "new"}, {"policyMigrationState": "preMigration"}])
def test_a_policy_that_cannot_be_read_is_unknown(policy: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedShape):
        rules.mapping(policy, [], NOTHING)


# The filter


def test_the_filter_is_the_mapping() -> None:
    found = FilterModule().filters()["legacy_method_mapping"](policy_of(), ["call_to_phone"], NOTHING)
    assert found == rules.mapping(policy_of(), ["call_to_phone"], NOTHING)
    assert found["methods"] == [OFFICE]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("policy", [], NOTHING), "needs the authentication methods policy"),
        ((policy_of(), "call_to_phone", NOTHING), "as a list, or null"),
        ((policy_of(), 5, NOTHING), "as a list, or null"),
        ((policy_of(), [], "nobody"), "as a dictionary, or null"),
        (({}, [], NOTHING), "cannot be read: 'policyMigrationState' is missing"),
        (
            (
                {"policyMigrationState": "preMigration", "authenticationMethodConfigurations": []},
                ["call_to_phone"],
                NOTHING,
            ),
            "does not show Voice",
        ),
    ],
)
def test_the_filter_says_what_it_needs(arguments: Any, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        legacy_method_mapping(*arguments)


def test_the_role_takes_what_the_rules_know() -> None:
    specs = Path(__file__).parents[3] / "roles/authentication_methods/meta/argument_specs.yml"
    options = yaml.safe_load(specs.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    reset = options["authentication_methods_legacy_password_reset"]["options"]
    ticked = options["authentication_methods_legacy_verification_options"]["choices"]
    assert ticked == list(rules.VERIFICATION_OPTIONS)
    assert reset["methods"]["choices"] == list(rules.RESET_METHODS)
    assert reset["enabled_for"]["choices"] == list(rules.RESET_FOR)
