# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import Progress, work
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.batch import Read
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    GraphError,
    LicenceMissing,
    OptionError,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.tokens import AccessToken
from ansible_collections.zerotrust.m365.plugins.module_utils._policy import emergency_access_activity as activity
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.emergency_access_activity_info import (
    RESOURCE,
    window_of,
)
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph, not_found, refused, run_of
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values

INITIAL = "contoso.onmicrosoft.com"
NAME = f"emergency1@{INITIAL}"
ME = "c7a1d9f0-0000-4000-8000-000000000001"
OTHER = "c7a1d9f0-0000-4000-8000-000000000002"
APPLICATION = "c7a1d9f0-0000-4000-8000-00000000000a"
CLIENT = "c7a1d9f0-0000-4000-8000-00000000000c"
DOMAINS = [{"id": INITIAL, "isInitial": True, "authenticationType": "Managed", "passwordValidityPeriodInDays": 90}]
NO_LICENCE = LicenceMissing(action="read the log", status=403, code="Authentication_X", text="No premium license.")
OF_ENTRIES = st.lists(st.dictionaries(st.sampled_from(["id", "userId", "status", "createdDateTime"]), json_values))


class Logs(FakeGraph):
    """A tenant with these users and logs; ``filters`` are the questions that were asked of the logs."""

    def __init__(self, **logs: Any) -> None:
        super().__init__()
        self.logs: dict[str, Any] = {"plain": [], "detailed": [], "to": [], "by": [], **logs}
        self.people: dict[str, Any] = {NAME: {"id": ME.upper(), "userPrincipalName": NAME}}
        self.deleted: Any = []
        self.filters: dict[str, str] = {}

    def token(self) -> AccessToken:
        claims = {"appid": CLIENT, "oid": APPLICATION.upper()}
        return AccessToken(secret=self.secret, expires_on=1790000000, claims=claims)

    def read_many(self, reads: Sequence[Read]) -> list[Any]:
        return [self.answer(read) for read in reads]

    def answer(self, read: Read) -> Any:
        if read.path == "/domains":
            return DOMAINS
        if read.path.startswith("/directory/deletedItems"):
            return self.deleted
        if read.path.startswith("/users/"):
            name = read.path.removeprefix("/users/").replace("%40", "@")
            return self.people.get(name, not_found(read.path))
        wanted = read.parameters["$filter"]
        kind = "detailed" if read.version == "beta" else "plain"
        if read.path == "/auditLogs/directoryAudits":
            kind = "to" if "targetResources" in wanted else "by"
        self.filters[kind] = wanted
        return self.logs[kind]


def looked(graph: Logs, **options: Any) -> dict[str, Any]:
    defaults = {"accounts": ["emergency1"], "overlap_hours": 0, "reported": [], "expected_initiators": []}
    result = work(RESOURCE, run_of(graph, {**defaults, **options}, check_mode=True), Progress())
    found: dict[str, Any] = {**result["emergency_access_activity"], "msg": result["msg"]}
    return found


def signed_in(identity: str = "1", code: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "createdDateTime": "2026-11-23T08:00:00Z",
        "userId": ME.upper(),
        "appDisplayName": "Azure Portal",
        "ipAddress": "198.51.100.9",
        "clientAppUsed": "Browser",
        "location": {"city": "Utrecht", "state": "", "countryOrRegion": "NL"},
        "status": {"errorCode": code, "failureReason": "Other.", "additionalDetails": None},
        **more,
    }


def changed(identity: str = "Directory_1", target: str = ME, **by: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "activityDateTime": "2026-11-23T09:00:00.1234567Z",
        "activityDisplayName": "Add member to role",
        "result": "success",
        "initiatedBy": {"user": None, "app": None, **by},
        "targetResources": [
            {"id": target.upper(), "userPrincipalName": NAME, "displayName": None},
            {"id": "role", "displayName": "Global Administrator"},
        ],
    }


USER = {"id": OTHER, "userPrincipalName": "noor@contoso.example", "ipAddress": "203.0.113.5"}
ROBOT = {"appId": None, "servicePrincipalId": APPLICATION, "displayName": "Rotation"}


def test_nothing_happened_only_when_all_was_read() -> None:
    graph = Logs()
    found = looked(graph)
    assert found["seen"] is False
    assert found["accounts"] == [{"asked": "emergency1", "id": ME, "user_principal_name": NAME, "found": "present"}]
    assert found["msg"].startswith("Nothing is known to have happened since")
    for kind in graph.logs:
        assert looked(Logs(**{kind: refused()}))["seen"] is None


def test_a_sign_in_says_who_when_and_from_where() -> None:
    details: dict[str, Any] = {
        "authenticationRequirement": "singleFactorAuthentication",
        "authenticationDetails": [{"authenticationMethod": "Passkey (device-bound)", "succeeded": True}],
        "signInEventTypes": ["interactiveUser"],
    }
    found = looked(Logs(plain=[signed_in()], detailed=[signed_in(**details)]))
    (entry,) = found["sign_ins"]["value"]
    assert found["news"] == [entry]
    assert found["seen"] is True
    assert found["entries"] == ["1"]
    assert entry == {
        **entry,
        "account": ME,
        "user_principal_name": NAME,
        "outcome": "success",
        "mfa": True,
        "methods": ["Passkey (device-bound)"],
        "kind": "interactive",
        "reported": False,
    }
    assert entry["sentence"] == (
        f"2026-11-23T08:00:00Z: {NAME} signed in to Azure Portal from 198.51.100.9 (Utrecht, NL), with MFA."
    )


def test_an_attempt_that_failed_is_news_too() -> None:
    entry = signed_in(code=50126, status={"errorCode": 50126, "failureReason": "Invalid username or password."})
    (shown,) = looked(Logs(plain=[entry]))["news"]
    assert (shown["outcome"], shown["mfa"]) == ("failure", False)
    assert shown["sentence"].endswith("(Utrecht, NL): 50126 Invalid username or password.")


@pytest.mark.parametrize(
    ("details", "mfa"),
    [
        ({}, None),
        ({"authenticationRequirement": "multiFactorAuthentication"}, True),
        ({"authenticationRequirement": "singleFactorAuthentication"}, False),
        ({"status": {"errorCode": 0, "additionalDetails": "MFA completed in Azure AD"}}, True),
        ({"authenticationDetails": [{"authenticationMethod": "Passkey (synced)", "succeeded": False}]}, None),
        ({"authenticationDetails": "?"}, None),
    ],
)
def test_mfa_is_what_the_log_tells(details: dict[str, Any], mfa: bool | None) -> None:
    (shown,) = looked(Logs(plain=[signed_in(**details)]))["news"]
    assert shown["mfa"] is mfa


def test_non_interactive_ones_are_apart_and_each_is_told_once() -> None:
    silent = signed_in("2", signInEventTypes=["nonInteractiveUser"])
    found = looked(Logs(plain=[signed_in()], detailed=[signed_in(signInEventTypes=["interactiveUser"]), silent]))
    assert [entry["id"] for entry in found["news"]] == ["1", "2"]
    assert [entry["id"] for entry in found["sign_ins"]["value"]] == ["1"]
    (shown,) = found["non_interactive_sign_ins"]["value"]
    assert "signed in non-interactively" in shown["sentence"]

    found = looked(Logs(plain=[signed_in()], detailed=refused()))
    assert found["sign_ins"]["completeness"] == "known"
    assert found["non_interactive_sign_ins"] == {**found["non_interactive_sign_ins"], "cause": "refused", "value": None}


def test_a_change_says_by_whom() -> None:
    found = looked(Logs(to=[changed(user=USER)], by=[changed("Directory_2", target=OTHER, user={**USER, "id": ME})]))
    to, by = found["directory_changes"]["value"]
    assert to["sentence"] == (
        f"2026-11-23T09:00:00.1234567Z: 'Add member to role' about {NAME}, Global Administrator, by "
        f"noor@contoso.example ({OTHER}) from 203.0.113.5."
    )
    assert (to["by_account"], by["by_account"], by["accounts"]) == (False, True, [])
    assert found["news"] == [to, by]


def test_a_change_that_is_both_is_told_once() -> None:
    entry = changed(user={**USER, "id": ME})
    assert len(looked(Logs(to=[entry], by=[entry]))["news"]) == 1


@pytest.mark.parametrize(
    ("by", "expected", "is_expected"),
    [
        ({"app": ROBOT}, [], False),
        ({"app": ROBOT}, [APPLICATION.upper()], True),
        ({"app": ROBOT}, [CLIENT], True),  # the log has no client id, but it is the application that looks
        ({"app": {**ROBOT, "servicePrincipalId": OTHER}}, [CLIENT], False),
        ({"app": {**ROBOT, "servicePrincipalId": OTHER, "appId": "abc"}}, ["ABC"], True),
        ({"user": USER}, [OTHER], True),
        ({}, [APPLICATION], False),
    ],
)
def test_who_is_expected_is_no_news(by: dict[str, Any], expected: list[str], is_expected: bool) -> None:
    found = looked(Logs(to=[changed(**by)]), expected_initiators=expected)
    (entry,) = found["directory_changes"]["value"]
    assert entry["expected"] is is_expected
    assert found["seen"] is not is_expected
    assert ("somebody whom the log does not name" in entry["sentence"]) is (not by)


def test_what_was_reported_is_no_news() -> None:
    logs = {"plain": [signed_in(), signed_in("2")], "to": [changed(app=ROBOT)]}
    first = looked(Logs(**logs))
    second = looked(Logs(**logs), reported=first["entries"])
    assert (len(first["news"]), second["news"], second["seen"]) == (3, [], False)
    assert second["entries"] == first["entries"]


def test_a_free_tenant_has_changes_only() -> None:
    found = looked(Logs(plain=NO_LICENCE, detailed=NO_LICENCE))
    assert found["seen"] is None
    assert (found["sign_ins"]["cause"], found["sign_ins"]["value"]) == ("licence", None)
    assert found["directory_changes"]["completeness"] == "known"
    assert "Who signed in" in found["msg"]


@pytest.mark.parametrize(
    ("logs", "causes"),
    [
        ({"plain": NO_LICENCE, "detailed": NO_LICENCE}, ("licence", "licence", None)),
        ({"plain": NO_LICENCE, "detailed": NO_LICENCE, "to": NO_LICENCE}, ("licence", "licence", "refused")),
        (dict.fromkeys(("plain", "detailed", "to", "by"), NO_LICENCE), ("licence", "licence", "refused")),
        ({"by": NO_LICENCE}, (None, None, "refused")),
        ({"detailed": NO_LICENCE}, (None, "refused", None)),
        ({"plain": NO_LICENCE}, ("refused", None, None)),
        ({"plain": NO_LICENCE, "detailed": refused()}, ("licence", "refused", None)),
        ({"plain": refused(), "detailed": NO_LICENCE}, ("refused", "licence", None)),
    ],
)
def test_a_licence_excuses_only_what_needs_it_when_nothing_says_that_it_is_there(
    logs: dict[str, Any], causes: tuple[str | None, ...]
) -> None:
    found = looked(Logs(**logs))
    shown = [found[name] for name in ("sign_ins", "non_interactive_sign_ins", "directory_changes")]
    assert tuple(log["cause"] for log in shown) == causes
    assert [log["value"] for log in shown] == [[] if cause is None else None for cause in causes]
    assert found["seen"] is None
    unexplained = found["msg"].count(activity.NOT_FOR_A_LICENCE)
    assert (unexplained > 0) is any(log["cause"] == "refused" and "premium" in log["reason"] for log in shown)


@pytest.mark.parametrize(
    ("answers", "cause"),
    [
        ((NO_LICENCE, NO_LICENCE), "licence"),
        ((NO_LICENCE, []), "refused"),
        (([], NO_LICENCE), "refused"),
        ((NO_LICENCE, refused()), "refused"),
    ],
)
def test_a_licence_excuses_only_when_it_is_missing_for_each_account(answers: tuple[Any, Any], cause: str) -> None:
    class OfTwo(Logs):
        def answer(self, read: Read) -> Any:
            found = super().answer(read)
            if read.path != "/auditLogs/signIns":
                return found
            return answers[0] if ME in read.parameters["$filter"] else answers[1]

    graph = OfTwo()
    graph.people[OTHER] = {"id": OTHER, "userPrincipalName": f"emergency2@{INITIAL}"}
    found = looked(graph, accounts=["emergency1", OTHER])
    for log in (found["sign_ins"], found["non_interactive_sign_ins"]):
        assert (log["cause"], log["value"]) == (cause, None)


@pytest.mark.parametrize(("licensed", "days"), [(True, 30), (False, 7)])
def test_the_time_before_the_log_is_unknown(licensed: bool, days: int) -> None:
    logs: dict[str, Any] = {} if licensed else {"plain": NO_LICENCE, "detailed": NO_LICENCE}
    for back, gap in ((days - 1, False), (days + 1, True)):
        since = activity.stamp(datetime.now(timezone.utc) - timedelta(days=back))
        changes = looked(Logs(**logs, to=[changed(app=ROBOT)]), since=since)["directory_changes"]
        assert (changes["cause"] == "retention") is gap
        assert len(changes["value"]) == 1
        assert ("cannot be read any more" in str(changes["reason"])) is gap


def test_the_questions_are_of_the_object_and_its_time() -> None:
    graph = Logs()
    looked(graph, since="2026-11-20T10:00:00+01:00", overlap_hours=3, until="2026-11-21 00:00:00")
    time = "ge 2026-11-20T06:00:00Z and {0} le 2026-11-21T00:00:00Z"
    assert graph.filters["plain"] == f"userId eq '{ME}' and createdDateTime {time.format('createdDateTime')}"
    assert graph.filters["detailed"].startswith(graph.filters["plain"])
    assert graph.filters["to"] == (
        f"activityDateTime {time.format('activityDateTime')} and targetResources/any(t: t/id eq '{ME}')"
    )
    assert graph.filters["by"].endswith(f"initiatedBy/user/id eq '{ME}'")
    graph = Logs()
    looked(graph)
    assert " le " not in graph.filters["plain"], "what a wrong clock of ours would take for the future is not missed"


# Who is meant


def test_an_account_that_was_deleted_is_found_by_its_name_and_id() -> None:
    hidden = {"id": ME, "userPrincipalName": f"{ME.replace('-', '')}{NAME}"}
    for asked in ("emergency1", NAME, ME):
        graph = Logs(to=[changed(app=ROBOT)])
        graph.people, graph.deleted = {}, [hidden]
        found = looked(graph, accounts=[asked])
        assert [one["found"] for one in found["accounts"]] == ["deleted"]
        assert found["accounts"][0]["user_principal_name"] == NAME
        assert f"{NAME} was deleted." in found["msg"]
        assert len(found["news"]) == 1


def test_an_account_that_is_nowhere_is_not_quiet() -> None:
    graph = Logs()
    graph.people = {}
    found = looked(graph)
    assert (found["seen"], found["accounts"][0]["found"], found["accounts"][0]["id"]) == (None, "missing", None)
    assert graph.filters == {}
    found = looked(graph, accounts=[ME])
    assert found["accounts"][0]["id"] == ME
    assert graph.filters["plain"].startswith(f"userId eq '{ME}'")


def test_an_account_that_was_renamed_is_found_by_its_id() -> None:
    graph = Logs(plain=[signed_in()])
    graph.people = {ME: {"id": ME, "userPrincipalName": "hidden@contoso.example"}}
    found = looked(graph, accounts=["emergency1", ME])
    assert [one["found"] for one in found["accounts"]] == ["missing", "by_id"]
    assert "hidden@contoso.example signed in" in found["news"][0]["sentence"]


def test_one_object_counts_once() -> None:
    graph = Logs()
    graph.people[ME] = graph.people[NAME]
    for accounts in (["emergency1", ME], [ME, "emergency1", NAME]):
        (account,) = looked(graph, accounts=accounts)["accounts"]
        assert account["found"] == "present"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"accounts": []}, "at least one"),
        ({"accounts": ["a b"]}, "cannot be a user principal name"),
        ({"accounts": ["x" * 65]}, "too long"),
        ({"since": "yesterday"}, "must be a date and time"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "must be a date and time"),
        ({"since": "2026-11-23", "until": "2026-11-22"}, "must lie before until"),
        ({"overlap_hours": -1}, "must not be negative"),
        ({"overlap_hours": 10**8}, "too large"),
    ],
)
def test_bad_options_are_refused_before_anything_is_sent(options: dict[str, Any], words: str) -> None:
    graph = Logs()
    with pytest.raises(OptionError, match=re.escape(words)):
        looked(graph, **options)
    assert graph.filters == {}


@pytest.mark.parametrize("where", ["people", "deleted"])
def test_accounts_that_cannot_be_read_are_an_error(where: str) -> None:
    graph = Logs()
    graph.people = {NAME: refused()} if where == "people" else {}
    graph.deleted = refused()
    with pytest.raises(GraphError):
        looked(graph)


@pytest.mark.parametrize(
    "logs",
    [
        {"plain": [{}]},
        {"plain": [signed_in(status={})]},
        {"plain": [signed_in(status={"errorCode": True})]},
        {"plain": [signed_in(userId=OTHER)]},
        {"to": [{**changed(user=USER), "targetResources": None}]},
        {"to": [changed(target=OTHER, user=USER)]},
    ],
)
def test_an_answer_of_another_shape_is_no_silence(logs: dict[str, Any]) -> None:
    with pytest.raises(StateUnknown):
        looked(Logs(**logs))


@given(plain=OF_ENTRIES, to=OF_ENTRIES)
def test_any_answer_is_told_or_unknown(plain: Any, to: Any) -> None:
    try:
        found = looked(Logs(plain=plain, to=to))
    except StateUnknown:
        return
    assert found["seen"] is bool(plain or to)


@given(seconds=st.integers(0, 4_000_000_000), digits=st.sampled_from(["", ".1", ".1234567"]))
def test_times_are_read_as_they_are_written(seconds: int, digits: str) -> None:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    written = activity.stamp(moment)
    assert activity.moment(written.replace("Z", f"{digits}Z")) == moment
    assert activity.stamp(activity.moment(written)) == written


def test_the_window_is_a_day_by_default() -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
    window = window_of({"overlap_hours": 0}, now)
    assert (window.start, window.until) == (now - timedelta(hours=24), now)
