# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one entry of a log is told as, to the letter."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.emergency_access_activity import (
    Account,
    Log,
    Self,
    beyond_retention,
    change,
    is_interactive,
    merged,
    moment,
    newest_last,
    news,
    refused,
    seen,
    sign_in,
    stamp,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape

ME, OTHER, ROBOT, CLIENT = "user-1", "user-2", "robot-1", "client-1"
NAME = "emergency1@contoso.onmicrosoft.com"
ACCOUNTS = {ME: Account("emergency1", ME, NAME, "present")}
OWN = Self(CLIENT, ROBOT)
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-23T12:00:00Z", NOON),
        (" 2026-11-23t12:00z ", NOON),
        ("2026-11-23 12:00:00.1234567Z", NOON),
        ("2026-11-23T12:00:00.999", NOON),
        ("2026-11-23T13:30:00+01:30", NOON),
        ("2026-11-23", NOON - timedelta(hours=12)),
    ],
)
@pytest.mark.usefixtures("in_tokyo")
def test_moments_are_read_as_people_and_graph_write_them(written: str, read: datetime) -> None:
    assert moment(written) == read
    assert moment(written).utcoffset() == timedelta(0)


@pytest.mark.usefixtures("in_tokyo")
def test_moments_are_written_in_utc() -> None:
    assert stamp(NOON) == "2026-11-23T12:00:00Z"
    assert stamp(NOON.astimezone(timezone(timedelta(hours=2)))) == "2026-11-23T12:00:00Z"
    for written in ("yesterday", "2026-11-23T12:00:00.1.2Z", "2026-11-23T12:00:00Z+01:00", "2026-11-23T12:00:00ZZ"):
        with pytest.raises(ValueError, match="Invalid isoformat string"):
            moment(written)


@pytest.mark.parametrize(("licensed", "days"), [(True, 30), (False, 7)])
def test_what_a_log_does_not_keep(licensed: bool, days: int) -> None:
    first = NOON - timedelta(days=days)
    assert beyond_retention(first, NOON, licensed) is None
    assert beyond_retention(first - timedelta(minutes=1), NOON, licensed) == (
        f"The log is kept for {days} days: what happened between {first:%Y-%m-%d}T11:59:00Z and "
        f"{first:%Y-%m-%d}T12:00:00Z cannot be read any more."
    )


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        (Log([]), {"completeness": "known", "value": [], "reason": None, "cause": None}),
        (
            Log(None, "Graph said no.", "refused"),
            {"completeness": "unknown", "value": None, "reason": "Graph said no.", "cause": "refused"},
        ),
    ],
)
def test_a_log_says_whether_it_is_complete(log: Log, shown: dict[str, Any]) -> None:
    assert log.as_result() == shown


@pytest.mark.parametrize("excused", [True, False])
def test_a_log_that_was_refused_is_unknown(excused: bool) -> None:
    assert refused("Graph said no.", for_licence=False, excused=excused) == Log(None, "Graph said no.", "refused")


def test_a_licence_excuses_only_a_log_that_needs_one() -> None:
    assert refused("No licence.", for_licence=True, excused=True) == Log(None, "No licence.", "licence")
    assert refused("No licence.", for_licence=True, excused=False) == Log(
        None,
        "No licence. A missing licence does not explain this, so the log counts as not read: run it again, and if that "
        "does not help, look at the log in the Microsoft Entra admin center.",
        "refused",
    )


def test_an_account_says_how_it_was_found() -> None:
    assert ACCOUNTS[ME].as_result() == {
        "asked": "emergency1",
        "id": ME,
        "user_principal_name": NAME,
        "found": "present",
    }


# Sign-ins

SIGN_IN: dict[str, Any] = {
    "id": "1",
    "createdDateTime": "2026-11-23T08:00:00Z",
    "userId": ME.upper(),
    "appDisplayName": "Azure Portal",
    "appId": "app-1",
    "clientAppUsed": "Browser",
    "ipAddress": "198.51.100.9",
    "location": {"city": "Utrecht", "countryOrRegion": "NL"},
    "status": {"errorCode": 0, "failureReason": "Other.", "additionalDetails": None},
}


def signed_in(*reported: str, **more: Any) -> dict[str, Any]:
    return sign_in({**SIGN_IN, **more}, ACCOUNTS, frozenset(reported))


def test_a_sign_in_is_told_in_full() -> None:
    steps = [
        {"authenticationMethod": "Password", "succeeded": True},
        {"authenticationMethod": "Passkey (synced)", "succeeded": True},
        {"authenticationMethod": "Password", "succeeded": True},
        {"authenticationMethod": "Text message", "succeeded": False},
        {"authenticationMethod": "Voice", "succeeded": "true"},
        {"authenticationMethod": "", "succeeded": True},
        "?",
    ]
    assert signed_in("1", authenticationDetails=steps, signInEventTypes=["interactiveUser"]) == {
        "id": "1",
        "time": "2026-11-23T08:00:00Z",
        "account": ME,
        "user_principal_name": NAME,
        "kind": "interactive",
        "outcome": "success",
        "error_code": 0,
        "failure_reason": None,
        "mfa": True,
        "methods": ["Password", "Passkey (synced)"],
        "second_factors": ["passkey"],
        "application": "Azure Portal",
        "client": "Browser",
        "ip_address": "198.51.100.9",
        "city": "Utrecht",
        "country": "NL",
        "reported": True,
        "sentence": (
            f"2026-11-23T08:00:00Z: {NAME} signed in to Azure Portal from 198.51.100.9 (Utrecht, NL), with MFA."
        ),
    }


def test_an_attempt_of_which_little_is_known_is_told_in_full() -> None:
    bare = {name: SIGN_IN[name] for name in ("id", "createdDateTime", "userId")}
    status = {"errorCode": 50126, "additionalDetails": "MFA denied"}
    types = ["nonInteractiveUser"]
    assert sign_in({**bare, "status": status, "signInEventTypes": types}, ACCOUNTS, frozenset({"2"})) == {
        "id": "1",
        "time": "2026-11-23T08:00:00Z",
        "account": ME,
        "user_principal_name": NAME,
        "kind": "non_interactive",
        "outcome": "failure",
        "error_code": 50126,
        "failure_reason": None,
        "mfa": False,
        "methods": [],
        "second_factors": [],
        "application": None,
        "client": None,
        "ip_address": None,
        "city": None,
        "country": None,
        "reported": False,
        "sentence": (
            f"2026-11-23T08:00:00Z: {NAME} failed to sign in non-interactively from an unknown address: 50126."
        ),
    }


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ({}, "signed in to Azure Portal from 198.51.100.9 (Utrecht, NL)."),
        ({"authenticationRequirement": "singleFactorAuthentication"}, "(Utrecht, NL), without MFA."),
        ({"appDisplayName": ""}, "signed in to app-1 from 198.51.100.9 (Utrecht, NL)."),
        ({"location": {"countryOrRegion": "NL"}}, "from 198.51.100.9 (NL)."),
        ({"location": "NL", "appDisplayName": None, "appId": None}, f"{NAME} signed in from 198.51.100.9."),
        (
            {"status": {"errorCode": 50126, "failureReason": "Invalid password."}},
            "failed to sign in to Azure Portal from 198.51.100.9 (Utrecht, NL): 50126 Invalid password.",
        ),
    ],
)
def test_a_sign_in_is_told_in_a_sentence(more: dict[str, Any], end: str) -> None:
    assert signed_in(**more)["sentence"].endswith(end)


@pytest.mark.parametrize("shown", ["", 7, ["x"], None])
def test_what_is_no_text_is_not_told(shown: Any) -> None:
    found = signed_in(ipAddress=shown, appDisplayName=shown, location={"city": shown, "countryOrRegion": shown})
    assert (found["ip_address"], found["application"], found["city"], found["country"]) == (None, "app-1", None, None)


SINGLE, MULTI = "singleFactorAuthentication", "multiFactorAuthentication"
PASSKEY_USED = {"authenticationDetails": [{"authenticationMethod": "FIDO2 security key", "succeeded": True}]}


def told(details: str, requirement: str | None = None) -> dict[str, Any]:
    return {"status": {"errorCode": 0, "additionalDetails": details}, "authenticationRequirement": requirement}


@pytest.mark.parametrize(
    ("more", "mfa"),
    [
        ({}, None),
        ({"authenticationRequirement": "multiFactorAuthentication"}, True),
        ({"authenticationRequirement": "singleFactorAuthentication"}, False),
        ({"authenticationDetails": [{"authenticationMethod": "FIDO2 security key", "succeeded": True}]}, True),
        ({"authenticationDetails": [{"authenticationMethod": "Windows Hello", "succeeded": True}]}, True),
        ({"authenticationDetails": [{"authenticationMethod": "A passkey", "succeeded": True}]}, None),
        ({"status": {"errorCode": 0, "additionalDetails": "mfa requirement satisfied"}}, True),
        ({"status": {"errorCode": 0, "additionalDetails": "No MFA required"}}, None),
        ({"status": {"errorCode": 0, "additionalDetails": "MFAs"}}, None),
        (told("MFA completed in Azure AD"), True),
        (told("MFA successfully completed"), True),
        (told("MFA requirement satisfied by claim in the token", SINGLE), True),
        (told("MFA requirement skipped due to registered device"), False),
        (told("MFA requirement skipped due to location", SINGLE), False),
        (told("MFA Requirement Skipped due to remembered device", MULTI), False),
        ({**told("MFA requirement skipped due to IP address"), **PASSKEY_USED}, True),
        (told("MFA required in Azure AD", SINGLE), False),
        (told("MFA required in Azure AD"), None),
        (told("MFA denied; user declined the authentication"), None),
        (told("Not skipped", MULTI), True),
    ],
)
def test_mfa_is_known_only_where_the_log_tells(more: dict[str, Any], mfa: bool | None) -> None:
    assert signed_in(**more)["mfa"] is mfa


@pytest.mark.parametrize(
    ("types", "interactive"),
    [
        (None, True),
        ([], True),
        ("nonInteractiveUser", True),
        (["interactiveUser"], True),
        (["nonInteractiveUser", "interactiveUser"], True),
        (["nonInteractiveUser"], False),
    ],
)
def test_which_sign_ins_are_interactive(types: Any, interactive: bool) -> None:
    assert is_interactive({"signInEventTypes": types}) is interactive
    assert is_interactive({}) is True


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"status": None}, "'status' does not say how a sign-in ended"),
        ({"status": {"errorCode": "0"}}, "'status' does not say how a sign-in ended"),
        ({"status": {"errorCode": False}}, "'status' does not say how a sign-in ended"),
        ({"userId": OTHER}, "a sign-in is of another user than was asked for"),
        ({"createdDateTime": None}, "'createdDateTime' is no string"),
        ({"id": 1}, "'id' is no string"),
    ],
)
def test_a_sign_in_of_another_shape_is_unexpected(more: dict[str, Any], words: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"^{re.escape(words)}$"):
        signed_in(**more)


def test_what_both_interfaces_tell_of_an_entry_is_one() -> None:
    plain: list[dict[str, Any]] = [{"id": "1", "a": 1, "b": 1}, {"id": "2"}]
    detailed: list[dict[str, Any]] = [{"id": "3"}, {"id": "1", "b": 2}]
    assert merged(plain, detailed) == [{"id": "1", "a": 1, "b": 2}, {"id": "2"}, {"id": "3"}]
    with pytest.raises(UnexpectedShape):
        merged([{}], [])


# Changes of the directory

USER = {"id": OTHER, "userPrincipalName": "noor@contoso.example", "displayName": "Noor", "ipAddress": "203.0.113.5"}
APPLICATION = {"servicePrincipalId": ROBOT, "appId": None, "displayName": "Rotation", "servicePrincipalName": "sp"}
CHANGE: dict[str, Any] = {
    "id": "Directory_1",
    "activityDateTime": "2026-11-23T09:00:00Z",
    "activityDisplayName": "Add member to role",
    "result": "success",
    "initiatedBy": {"user": USER, "app": None},
    "targetResources": [
        {"id": ME.upper(), "userPrincipalName": NAME},
        {"id": "role-1", "displayName": "Global Administrator", "userPrincipalName": "?"},
        {"id": OTHER, "displayName": None, "userPrincipalName": "noor@contoso.example"},
        {"id": None, "displayName": "Nameless", "userPrincipalName": None},
        {"id": "role-2"},
    ],
}


def changed(*reported: str, expected: tuple[str, ...] = (), own: Self = OWN, **more: Any) -> dict[str, Any]:
    return change({**CHANGE, **more}, ACCOUNTS, frozenset(reported), frozenset(expected), own)


def test_a_change_is_told_in_full() -> None:
    assert changed("Directory_1") == {
        "id": "Directory_1",
        "time": "2026-11-23T09:00:00Z",
        "activity": "Add member to role",
        "result": "success",
        "accounts": [NAME],
        "by_account": False,
        "initiator": {
            "type": "user",
            "id": OTHER,
            "application_id": None,
            "name": "noor@contoso.example",
            "ip_address": "203.0.113.5",
            "own": False,
        },
        "others": ["Global Administrator", "noor@contoso.example", "Nameless"],
        "reported": True,
        "expected": False,
        "sentence": (
            f"2026-11-23T09:00:00Z: 'Add member to role' about {NAME}, Global Administrator, noor@contoso.example, "
            f"Nameless, by noor@contoso.example ({OTHER}) from 203.0.113.5."
        ),
    }


@pytest.mark.parametrize(
    ("by", "initiator"),
    [
        (
            {"app": APPLICATION},
            {"type": "application", "id": ROBOT, "application_id": None, "name": "Rotation", "own": True},
        ),
        (
            {"app": {"servicePrincipalId": ROBOT.upper(), "servicePrincipalName": "sp"}},
            {"type": "application", "id": ROBOT.upper(), "application_id": None, "name": "sp", "own": True},
        ),
        (
            {"app": {"appId": CLIENT.upper()}, "user": {}},
            {"type": "application", "id": None, "application_id": CLIENT.upper(), "name": None, "own": True},
        ),
        (
            {"app": {"appId": "another", "servicePrincipalId": OTHER}},
            {"type": "application", "id": OTHER, "application_id": "another", "name": None, "own": False},
        ),
        (
            {"user": {"id": OTHER, "displayName": "Noor"}},
            {"type": "user", "id": OTHER, "application_id": None, "name": "Noor", "own": False},
        ),
        ({}, {"type": "unknown", "id": None, "application_id": None, "name": None, "own": False}),
        (None, {"type": "unknown", "id": None, "application_id": None, "name": None, "own": False}),
    ],
)
def test_who_made_a_change(by: Any, initiator: dict[str, Any]) -> None:
    assert changed(initiatedBy=by)["initiator"] == {**initiator, "ip_address": None}


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"initiatedBy": {"app": APPLICATION}}, f"by the application Rotation ({ROBOT})."),
        ({"initiatedBy": {"app": {"appId": CLIENT}}}, f"by the application {CLIENT}."),
        ({"initiatedBy": {"app": {"appId": CLIENT, "displayName": "R"}}}, f"by the application R ({CLIENT})."),
        ({"initiatedBy": {"user": {"id": OTHER}}}, f", by {OTHER}."),
        ({"initiatedBy": {}}, ", by somebody whom the log does not name."),
        ({"initiatedBy": {}, "result": None}, ", by somebody whom the log does not name."),
        ({"initiatedBy": {}, "result": "failure"}, "the log does not name, which ended in failure."),
        (
            {"initiatedBy": {"user": {"id": ME}}, "targetResources": [{"id": "role-1"}]},
            f"2026-11-23T09:00:00Z: 'Add member to role', by {ME}.",
        ),
        (
            {"initiatedBy": {"user": {"id": ME}}, "targetResources": [{"id": "1", "displayName": "Staff"}]},
            f"'Add member to role' about Staff, by {ME}.",
        ),
        ({"initiatedBy": {}, "targetResources": [{"id": ME}]}, f"'Add member to role' about {NAME}, by somebody"),
    ],
)
def test_a_change_is_told_in_a_sentence(more: dict[str, Any], sentence: str) -> None:
    assert sentence in changed(**more)["sentence"]


@pytest.mark.parametrize(
    ("by", "expected", "is_expected"),
    [
        ({"user": USER}, (OTHER,), True),
        ({"user": {**USER, "id": OTHER.upper()}}, (OTHER,), True),
        ({"user": USER}, (CLIENT,), False),
        ({"app": {"appId": "APP-2"}}, ("app-2",), True),
        ({"app": APPLICATION}, (CLIENT,), True),
        ({"app": APPLICATION}, ("another",), False),
        ({}, ("none",), False),
    ],
)
def test_who_was_expected_to_make_a_change(by: Any, expected: tuple[str, ...], is_expected: bool) -> None:
    assert changed(initiatedBy=by, expected=expected)["expected"] is is_expected


def test_nobody_is_taken_for_an_application_whose_ids_are_not_known() -> None:
    found = changed(initiatedBy={"app": {"displayName": "Odd"}}, own=Self("", ""), expected=("",))
    assert (found["initiator"]["own"], found["expected"]) == (False, False)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"targetResources": [{"id": OTHER}]}, "a change is of another object than was asked for"),
        ({"targetResources": [], "initiatedBy": None}, "a change is of another object than was asked for"),
        ({"targetResources": None}, "'targetResources' is no list of objects"),
        ({"activityDateTime": None}, "'activityDateTime' is no string"),
        ({"activityDisplayName": None}, "'activityDisplayName' is no string"),
        ({"result": 1}, "'result' is no string"),
        ({"id": None}, "'id' is no string"),
    ],
)
def test_a_change_of_another_shape_is_unexpected(more: dict[str, Any], words: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"^{re.escape(words)}$"):
        changed(**more)


# The whole


def entry(identity: str, time: str = "1", reported: bool = False, **more: Any) -> dict[str, Any]:
    return {"id": identity, "time": time, "reported": reported, **more}


def test_news_is_what_was_neither_reported_nor_expected_and_each_once() -> None:
    first = Log([entry("b", "2"), entry("a", "2"), entry("c", reported=True)])
    second = Log([entry("d", "1", expected=False), entry("e", expected=True), entry("a", "2")], "Not all.", "refused")
    assert [one["id"] for one in news(first, Log(None), second)] == ["d", "a", "b"]
    assert newest_last([entry("1", "2", more=1), entry("1", "2", more=2)]) == [entry("1", "2", more=2)]


@pytest.mark.parametrize(
    ("found", "accounts", "logs", "whole"),
    [
        ([1], [Account("x", None, "x", "missing")], [Log(None, "No.")], True),
        ([], list(ACCOUNTS.values()), [Log([]), Log([])], False),
        ([], list(ACCOUNTS.values()), [Log([]), Log([], "Not all.")], None),
        ([], [*ACCOUNTS.values(), Account("x", None, "x", "missing")], [Log([])], None),
    ],
)
def test_silence_is_known_only_where_everything_was_read(
    found: list[Any], accounts: list[Account], logs: list[Log], whole: bool | None
) -> None:
    assert seen(found, accounts, *logs) is whole
