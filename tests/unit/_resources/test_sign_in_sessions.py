# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revoking sign-in sessions in simulated tenants in this process."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._resources import sign_in_sessions
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.sign_in_sessions import RESOURCE
from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_tenant import OpenTenant, SimulatedTenant
from ansible_collections.zerotrust.m365.tests.unit._resources.test_per_user_mfa import refuse

VALID_FROM = "signInSessionsValidFromDateTime"
REVOKE = "/revokeSignInSessions"
NAMED = ("sofia.martin", "daan.mulder", "karim.ali")


@pytest.fixture
def business(open_tenant: OpenTenant) -> SimulatedTenant:
    return open_tenant("business")


def now(tenant: SimulatedTenant, ahead: float = 0) -> str:
    stamp = datetime.fromtimestamp(int(tenant.simulation.clock.now()) + ahead, timezone.utc)
    return stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


def valid_from(tenant: SimulatedTenant) -> dict[str, str]:
    return {user["userPrincipalName"]: user[VALID_FROM] for user in tenant.users()}


def names(tenant: SimulatedTenant, *beginnings: str) -> list[str]:
    return [str(tenant.user(one)["userPrincipalName"]) for one in beginnings]


def guests(tenant: SimulatedTenant) -> set[str]:
    return {str(user["userPrincipalName"]) for user in tenant.users() if "#EXT#" in user["userPrincipalName"]}


def run(tenant: SimulatedTenant, **options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"revoked_since": now(tenant), "max_retries": 0, "wait_timeout": 1}
    given |= {} if {"users", "groups", "all"} & set(options) else {"all": True}
    tenant.simulation.journal.clear()
    return tenant.run(RESOURCE, **{**given, **options})


def writes(tenant: SimulatedTenant) -> list[dict[str, Any]]:
    return [entry for entry in tenant.entries() if entry["path"].endswith(REVOKE)]


def strike(tenant: SimulatedTenant, **fault: Any) -> None:
    tenant.client.admin("POST", "/faults", {"path": REVOKE, "method": "POST", **fault})


# Dry run, run, run again


def test_everybody_once_and_no_guest(business: SimulatedTenant) -> None:
    before, since = valid_from(business), now(business)
    elsewhere = guests(business)
    assert elsewhere
    predicted = run(business, revoked_since=since, check_mode=True)
    assert writes(business) == []
    assert predicted["changed"]
    result = run(business, revoked_since=since)
    after = valid_from(business)
    assert result["diff"] == predicted["diff"]
    found = result["sign_in_sessions"]
    assert found == predicted["sign_in_sessions"]
    assert {name for name in before if after[name] != before[name]} == before.keys() - elsewhere
    assert len(writes(business)) == found["changed"] == len(before) - len(elsewhere)
    assert set(found["external"]) == elsewhere
    assert found["selected"] == len(before)
    assert (found["as_wanted"], found["remaining"], found["gone"]) == (0, 0, [])
    assert found["revoked_since"] == since
    assert all(after[name] >= since for name in before.keys() - elsewhere)

    for check_mode in (False, True):
        again = run(business, revoked_since=since, check_mode=check_mode)
        assert not again["changed"]
        assert again["msg"] == "Nobody's sign-in sessions have to be revoked."
        assert again["sign_in_sessions"]["as_wanted"] == found["changed"]
        assert set(again["sign_in_sessions"]["external"]) == elsewhere
        assert writes(business) == []


def test_few_are_read_one_by_one_and_many_by_the_list(
    business: SimulatedTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {
        "groups": ["Sensitive work"],
        "users": [*names(business, *NAMED), *guests(business)],
        "exclude_users": names(business, "karim.ali"),
        "exclude_groups": ["Research"],
        "revoked_since": now(business),
        "check_mode": True,
    }
    few = run(business, **options)
    assert [entry for entry in business.entries() if entry["path"] == "/users"] == []
    monkeypatch.setattr(f"{sign_in_sessions.__name__}.FEW", 1)
    many = run(business, **options)
    assert len([entry for entry in business.entries() if entry["path"] == "/users"]) == 1
    assert few["diff"][0]["after"] == many["diff"][0]["after"]
    assert few["sign_in_sessions"] | {"external": None} == many["sign_in_sessions"] | {"external": None}
    elsewhere = set(few["sign_in_sessions"]["external"])
    assert elsewhere == set(many["sign_in_sessions"]["external"])
    assert elsewhere
    assert elsewhere <= guests(business)
    chosen = few["diff"][0]["after"]
    assert set(names(business, "sofia.martin", "daan.mulder")) <= chosen.keys()
    assert not set(names(business, "karim.ali")) & chosen.keys()
    assert all(user.get("department") != "Research" for user in business.users() if user["userPrincipalName"] in chosen)


def test_everybody_but_who_is_excluded(business: SimulatedTenant) -> None:
    kept = names(business, "karim.ali", "emergency.one")
    options = {"exclude_users": kept[:1], "exclude_groups": ["Excluded from Conditional Access"]}
    before = valid_from(business)
    result = run(business, **options)
    after = valid_from(business)
    assert {name for name in before if before[name] == after[name]} == guests(business) | set(kept)
    assert result["sign_in_sessions"]["selected"] == len(before) - 2


@pytest.mark.parametrize("option", ["users", "groups", "exclude_users", "exclude_groups"])
def test_a_name_that_nobody_has_is_refused(business: SimulatedTenant, option: str) -> None:
    everybody = {"all": True} if "exclude" in option else {}
    result = run(business, **{option: ["nobody@nowhere.example"]}, **everybody)
    assert result["failed"]
    assert "There is no" in result["msg"]
    assert writes(business) == []


# What is not revoked


def test_a_time_of_before_leaves_whom_it_may(business: SimulatedTenant) -> None:
    one, other = names(business, "daan.mulder", "karim.ali")
    business.change(one, **{VALID_FROM: "2026-01-01T00:00:00Z"})
    business.change(other, **{VALID_FROM: "2025-12-31T23:59:59Z"})
    result = run(business, users=[one, other], revoked_since="2026-01-01T00:00:00.9Z")
    assert result["diff"][0]["before"] == {other: "valid from 2025-12-31T23:59:59Z"}
    assert result["sign_in_sessions"]["as_wanted"] == 1


def test_who_never_had_a_time_is_revoked(business: SimulatedTenant) -> None:
    (name,) = names(business, "daan.mulder")
    business.change(name, **{VALID_FROM: None})
    result = run(business, users=[name])
    assert result["diff"][0]["before"] == {name: "valid"}
    assert business.user(name)[VALID_FROM] is not None


@pytest.mark.parametrize("value", ["soon", 20261123])
def test_a_time_that_cannot_be_read_stops_before_anything(business: SimulatedTenant, value: Any) -> None:
    (name,) = names(business, "daan.mulder")
    business.change(name, **{VALID_FROM: value})
    business.simulation.graph.exchanges.observers.clear()
    result = run(business)
    assert result["failed"]
    assert "unexpected shape" in result["msg"]
    assert name in result["msg"]
    assert writes(business) == []


def test_the_permission_is_named_before_the_first_write(business: SimulatedTenant) -> None:
    business.client.grant("User.ReadWrite.All", "Directory.ReadWrite.All")
    predicted = run(business, check_mode=True)
    assert predicted["changed"]
    result = run(business)
    assert result["failed"]
    assert "User.RevokeSessions.All" in result["msg"]
    assert writes(business) == []
    business.client.grant("User.Read.All", "User.RevokeSessions.All")
    assert not run(business).get("failed")


# Waves


def test_waves_are_tasks_of_their_own(business: SimulatedTenant) -> None:
    since = now(business)
    remaining = run(business, revoked_since=since, check_mode=True)["sign_in_sessions"]["changed"]
    total, waves = remaining, 0
    while remaining:
        result = run(business, revoked_since=since, wave_size=20, max_changes=remaining)
        waves += 1
        assert result["sign_in_sessions"]["changed"] == min(20, remaining)
        remaining -= min(20, remaining)
        assert result["sign_in_sessions"]["remaining"] == remaining
    assert waves == -(-total // 20)
    assert not run(business, revoked_since=since)["changed"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_too_many_are_refused(business: SimulatedTenant, check_mode: bool) -> None:
    result = run(business, users=names(business, *NAMED), max_changes=2, check_mode=check_mode)
    assert "3 users would be changed, which is more than max_changes allows (2)" in result["msg"]
    assert writes(business) == []


def test_one_refusal_does_not_keep_the_others(business: SimulatedTenant) -> None:
    refuse(business, "sofia.martin")
    before = valid_from(business)
    result = run(business, users=names(business, *NAMED))
    assert result["failed"]
    assert result["changed"]
    assert result["msg"].startswith(
        "The sessions of 1 user could not be revoked, all others were. 2 users were changed."
    )
    assert [name.split("@")[0] for name in result["error"]["refused"]] == ["sofia.martin"]
    assert result["error"]["remaining"] == 1
    after = valid_from(business)
    changed = {name.split("@")[0] for name in before if before[name] != after[name]}
    assert changed == {"daan.mulder", "karim.ali"}


def test_a_canary_that_fails_stops_the_rest(business: SimulatedTenant) -> None:
    first, *_others = sorted((business.user(one)["id"], one) for one in NAMED)
    refuse(business, first[1])
    before = valid_from(business)
    result = run(business, users=names(business, *NAMED), canary=1)
    assert result["failed"]
    assert not result["changed"]
    assert result["msg"].startswith("Stopped after the canary. 0 users were changed.")
    assert result["error"]["remaining"] == 3
    assert valid_from(business) == before


# Throttled, failing, lost


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 0.05, "times": 9},
        {"status": 503, "times": 2},
        pytest.param({"status": 503, "when": "after", "times": 3}, marks=pytest.mark.deep),
    ],
)
def test_throttled_and_failing_writes_are_done(business: SimulatedTenant, fault: dict[str, Any]) -> None:
    since = now(business)
    strike(business, **fault)
    result = run(business, revoked_since=since, max_retries=6)
    assert not result.get("failed"), result["msg"]
    assert not run(business, revoked_since=since)["changed"]


def test_an_answer_that_is_lost_is_read_again(business: SimulatedTenant) -> None:
    strike(business, status=504, when="after", times=4)
    result = run(business)
    assert not result.get("failed"), result["msg"]


def test_a_tenant_that_stays_throttled_stops_the_run(business: SimulatedTenant) -> None:
    before, since = valid_from(business), now(business)
    strike(business, status=429, times=None)
    result = run(business, revoked_since=since)
    assert result["failed"]
    assert not result["changed"]
    assert result["msg"].startswith("Stopped: Graph does not revoke the sessions.")
    assert valid_from(business) == before
    business.client.admin("DELETE", "/faults")
    assert not run(business, revoked_since=since).get("failed")


def test_what_is_accepted_but_not_shown_does_not_count(
    business: SimulatedTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graph answers 200 and the time stays as it was."""
    before = valid_from(business)
    (name,) = names(business, "karim.ali")

    def undo(method: str, path: str, body: bytes) -> None:
        if REVOKE.encode() in body:
            business.change(name, **{VALID_FROM: before[name]})

    business.on_answer = undo
    result = run(business, users=names(business, *NAMED), wait_timeout=0)
    assert result["failed"]
    assert result["error"]["refused"] == {name: "Graph accepted it, but does not show it."}
    assert result["error"]["changed"] == 2


def test_what_cannot_be_read_again_does_not_count(business: SimulatedTenant) -> None:
    (name,) = names(business, "karim.ali")
    identity = business.user(name)["id"]

    def break_reading(method: str, path: str, body: bytes) -> None:
        if REVOKE.encode() in body:
            business.client.admin(
                "POST", "/faults", {"path": f"/users/{identity}", "method": "GET", "status": 403, "times": None}
            )

    business.on_answer = break_reading
    result = run(business, users=names(business, *NAMED), wait_timeout=0)
    assert result["failed"]
    assert list(result["error"]["refused"]) == [name]
    assert result["error"]["refused"][name] != "Graph accepted it, but does not show it."


def test_who_is_deleted_meanwhile_is_told(business: SimulatedTenant) -> None:
    (name,) = names(business, "karim.ali")

    def look(method: str, path: str, body: bytes) -> None:
        if REVOKE.encode() in body:
            business.store.delete("user", business.user(name)["id"])
            business.on_request = lambda _method, _path, _body: None

    business.on_request = look
    result = run(business, users=names(business, *NAMED))
    assert not result.get("failed"), result["msg"]
    assert result["sign_in_sessions"]["gone"] == [name]
    assert result["sign_in_sessions"]["changed"] == 2


# Time


def test_a_time_just_ahead_is_waited_for(business: SimulatedTenant, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def pause(_policy: Any, seconds: float) -> None:
        waited.append(seconds)
        business.simulation.clock.advance(seconds)

    retry = "ansible_collections.zerotrust.m365.plugins.module_utils._graph.retry"
    monkeypatch.setattr(f"{retry}.RetryPolicy.pause", pause)
    options: dict[str, Any] = {"revoked_since": now(business, ahead=120), "users": names(business, *NAMED)}
    assert run(business, check_mode=True, **options)["changed"]
    assert waited == []
    result = run(business, **options)
    assert not result.get("failed"), result["msg"]
    assert [115 < seconds <= 121 for seconds in waited] == [True]
    assert not run(business, **options)["changed"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_the_future_is_refused(business: SimulatedTenant, check_mode: bool) -> None:
    result = run(business, revoked_since=now(business, ahead=400), check_mode=check_mode)
    assert result["failed"]
    assert "revoked_since is in the future" in result["msg"]
    assert writes(business) == []


# Bad input


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"all": False}, "Give 'users', 'groups' or 'all': whose sessions it is about."),
        ({"all": True, "users": ["a"]}, "'all' is everybody"),
        ({"canary": -1}, "canary must be at least 0"),
        ({"wave_size": 0}, "wave_size must be at least 1"),
        ({"max_changes": -1}, "max_changes must be at least 0"),
        ({"revoked_since": "yesterday"}, "revoked_since is no date and time like 2026-11-23T08:00:00Z: 'yesterday'."),
        ({"revoked_since": ""}, "revoked_since is no date and time"),
    ],
)
def test_bad_input(business: SimulatedTenant, options: dict[str, Any], words: str) -> None:
    result = run(business, **{"all": True, **options})
    assert result["failed"]
    assert words in result["msg"]
    assert business.entries() == []
