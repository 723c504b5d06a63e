# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.filter.rotation_decision import rotation_decision
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.rotation import decide_rotation, which_opens

TENANT = "0f1c1a80-0000-4000-8000-000000000001"
NAME = "emergency1@contoso.onmicrosoft.com"
NOW = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
OLD, BEGUN, SET, ENDED = "2026-10-01T08:00:00Z", "2026-11-23T10:00:00Z", "2026-11-23T10:00:01Z", "2026-11-23T11:00:00Z"


def account(changed: str | None = OLD, **more: Any) -> dict[str, Any]:
    return {"id": "1", "user_principal_name": NAME, "last_password_change": changed, **more}


def live(changed: str | None = OLD, **more: Any) -> dict[str, Any]:
    of_account = {"tenant_id": TENANT, "user_principal_name": NAME.upper()}
    return {"state": "live", **of_account, "password_changed": changed, **more}


def pending(**more: Any) -> dict[str, Any]:
    times = {"sealed": BEGUN, "tried_until": ENDED, "password_before": OLD}
    return {**live(None), "state": "pending", **times, **more}


def told(one: dict[str, Any], sealed: Any = None, waiting: Any = None, **more: Any) -> tuple[str, str]:
    options = {"max_age_days": 0, "now": NOW, **more}
    return decide_rotation(one, sealed or {}, waiting or {}, TENANT, **options)


def decided(one: dict[str, Any], sealed: Any = None, waiting: Any = None, **more: Any) -> str:
    return told(one, sealed, waiting, **more)[0]


@pytest.mark.parametrize(("days", "expected"), [(0, "rotate"), (52, "rotate"), (53, "rotate"), (54, "keep")])
def test_a_password_is_kept_until_it_is_old_enough(days: int, expected: str) -> None:
    """It is 53 days and 4 hours old."""
    assert decided(account(), live(), max_age_days=days) == expected


def test_a_password_is_kept_to_the_second() -> None:
    last = datetime(2026, 10, 11, 8, tzinfo=timezone.utc)
    assert decided(account(), live(), max_age_days=10, now=last) == "keep"
    assert decided(account(), live(), max_age_days=10, now=last + timedelta(seconds=1)) == "rotate"


@pytest.mark.parametrize(
    "sealed", [None, live(SET), live(state="refused"), pending(sealed=OLD, tried_until=OLD), {"state": "pending"}]
)
def test_a_password_that_nobody_is_known_to_hold_is_replaced(sealed: Any) -> None:
    if sealed == {"state": "pending"}:
        assert decided(account(), sealed, max_age_days=90) == "stop", "of another account"
    else:
        assert decided(account(), sealed, max_age_days=90) == "rotate"


@pytest.mark.parametrize(
    ("changed", "waiting", "expected"),
    [
        (OLD, pending(), "resume"),
        (SET, pending(), "promote"),
        (SET, pending(password_before=SET), "resume"),
        ("2026-11-23T12:00:00Z", pending(), "resume"),
        (None, pending(), "resume"),
        (SET, pending(state="promoted"), "rotate"),
        (SET, pending(tried_until=None), "resume"),
    ],
)
def test_what_is_pending_is_finished(changed: str | None, waiting: dict[str, Any], expected: str) -> None:
    assert decided(account(changed), live(), waiting, max_age_days=90) == expected
    assert decided(account(changed), live(), waiting, adopted=True) == (
        "keep" if waiting["state"] == "promoted" else expected
    )


def test_what_was_promoted_is_only_cleaned_up() -> None:
    assert decided(account(SET), live(SET), pending(), same_secret=True) == "clean"
    assert decided(account(SET), live(SET), pending(), same_secret=True, adopted=True) == "clean"
    assert decided(account(SET), live(), pending(state="promoted"), same_secret=True, max_age_days=90) == "rotate"


@pytest.mark.parametrize("changed", ["2026-11-23T10:00:02Z", "2026-11-23T11:30:00Z", None])
def test_what_was_promoted_is_replaced_when_the_password_was_changed_since(changed: str | None) -> None:
    """By hand, within the time of the run that promoted it or later; or nobody knows."""
    waiting = {"same_secret": True, "max_age_days": 90}
    decision, sentence = told(account(changed), live(SET), pending(), **waiting)
    assert decision == "rotate"
    assert sentence.startswith("it gets a new password. Before, ")
    adopted = told(account(changed), live(SET), pending(), adopted=True, **waiting)
    assert adopted == ("keep", "its password is kept elsewhere.")


def test_the_same_secret_is_not_promoted_before_its_seal_is_live() -> None:
    sealed = live(state="refused")
    assert decided(account(), sealed, pending(), same_secret=True) == "resume"
    assert decided(account(SET), sealed, pending(), same_secret=True) == "promote"
    assert decided(account(SET), live(SET), pending()) == "resume"


@pytest.mark.parametrize(
    ("one", "sealed", "waiting", "words"),
    [
        (account(id=None), {}, {}, "there is no such account: zerotrust.m365.emergency_access makes it."),
        (account(), live(tenant_id="another"), {}, "its seal is of another account or tenant."),
        (account(), live(), pending(tenant_id="another"), "its seal is of another account or tenant."),
        (
            account(),
            live(),
            pending(user_principal_name="emergency2@contoso.onmicrosoft.com"),
            "its seal is of another account or tenant.",
        ),
        (account(), {**live(), "tenant_id": None}, {}, "its seal is of another account or tenant."),
    ],
)
def test_what_only_people_can_decide_stops(one: Any, sealed: Any, waiting: Any, words: str) -> None:
    assert told(one, sealed, waiting) == ("stop", words)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((account(),), {"adopted": True}, ("keep", "its password is kept elsewhere.")),
        ((account(SET), live(SET), pending()), {"same_secret": True}, ("clean", "its new password is sealed already.")),
        ((account(SET), live(), pending()), {}, ("promote", "its new password was set by an interrupted run.")),
        (
            (account(), live(), pending()),
            {},
            ("resume", "its new password was sealed by an interrupted run, and is set."),
        ),
        ((account(), live()), {}, ("rotate", "it gets a new password: the old one is 53 days old.")),
        (
            (account(), live()),
            {"max_age_days": 54},
            ("keep", "its password is 53 days old, and sealed; it may be 54 days old."),
        ),
    ],
)
def test_what_is_to_be_done_is_told(arguments: Any, options: dict[str, Any], words: tuple[str, str]) -> None:
    assert told(*arguments, **options) == words


def test_why_a_seal_is_not_trusted_is_told() -> None:
    decision, sentence = told(account(), live(SET))
    assert decision == "rotate"
    assert sentence.startswith("it gets a new password. Before, ")


def test_names_and_tenants_are_compared_without_regard_to_case() -> None:
    sealed = live(user_principal_name=NAME.title(), tenant_id=TENANT.upper())
    assert decide_rotation(account(), sealed, {}, TENANT.upper(), max_age_days=90, now=NOW)[0] == "keep"


def test_an_adopted_password_is_left_alone() -> None:
    assert decided(account(), adopted=True) == "keep"


@pytest.mark.parametrize(
    ("changed", "sealed", "waiting", "expected"),
    [
        (OLD, live(), pending(), "sealed"),
        (SET, live(), pending(), "pending"),
        (SET, {}, pending(), "pending"),
        (SET, live(), {}, "unknown"),
        (OLD, {}, pending(), "unknown"),
        (None, live(), pending(), "unknown"),
        ("nonsense", live(), pending(), "unknown"),
        (OLD, live(state="refused"), {}, "unknown"),
        (SET, live(), pending(state="promoted"), "unknown"),
        (SET, live(), pending(sealed=None), "unknown"),
        (SET, live(), pending(tried_until="?"), "unknown"),
        (SET, live(), pending(password_before=SET), "unknown"),
        # Within the time of the run, for clocks that differ.
        ("2026-11-23T09:55:00Z", live(), pending(), "pending"),
        ("2026-11-23T09:54:59Z", live(), pending(), "unknown"),
        ("2026-11-23T11:05:00Z", live(), pending(), "pending"),
        ("2026-11-23T11:05:01Z", live(), pending(), "unknown"),
    ],
)
def test_which_password_opens(changed: str | None, sealed: Any, waiting: Any, expected: str) -> None:
    assert which_opens(account(changed), sealed, waiting) == expected


DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(["live", "pending", "promoted", "refused", None]),
        "tenant_id": st.just(TENANT),
        "user_principal_name": st.just(NAME),
        "password_changed": st.sampled_from([OLD, SET, None, "x", 1]),
        "password_before": st.sampled_from([OLD, SET, None]),
        "sealed": st.sampled_from([BEGUN, None, "x"]),
        "tried_until": st.sampled_from([ENDED, None, "x"]),
    },
)


@given(
    sealed=DOCUMENTS,
    waiting=DOCUMENTS,
    changed=st.sampled_from([OLD, SET, None]),
    same=st.booleans(),
    days=st.integers(0, 90),
)
def test_nothing_that_is_pending_is_forgotten(
    sealed: Any, waiting: Any, changed: str | None, same: bool, days: int
) -> None:
    """A new secret replaces a pending one only where that was promoted, or is none."""
    decision = decided(account(changed), sealed, waiting, same_secret=same, max_age_days=days)
    if waiting.get("state") != "pending":
        assert decision in ("rotate", "keep", "stop")
    elif same and sealed.get("state") == "live":
        assert decision in ("rotate", "clean", "stop")
    else:
        assert decision in ("resume", "promote", "stop")
    if decision in ("keep", "clean"):
        assert which_opens(account(changed), sealed, waiting) == "sealed"


def test_the_filter_says_the_same() -> None:
    told = rotation_decision(account(), live(), pending(), TENANT)
    assert told == {**told, "decision": "resume", "opens": "sealed"}
    for wrong in (None, {"id": "1"}):
        with pytest.raises(AnsibleFilterError, match="rotation_decision needs"):
            rotation_decision(wrong, {}, {}, TENANT)
