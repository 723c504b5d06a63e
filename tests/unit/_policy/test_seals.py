# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealed secrets: cut and joined, and what a seal and an account call for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.module_utils._policy import seals

TENANT = "0f1c1a80-0000-4000-8000-000000000001"
NAME = "emergency1@contoso.onmicrosoft.com"
TIMES = [f"2026-11-23T{hour:02}:{minute:02}:00Z" for hour in range(8, 14) for minute in (0, 4, 30, 56)]

secrets = st.text(min_size=seals.MOST_PARTS, max_size=80)
counts = st.integers(1, seals.MOST_PARTS)
documents = st.builds(
    lambda secret, state: {"secret": secret, "state": state, "tenant_id": TENANT, "tried_until": TIMES[0]},
    secrets,
    st.sampled_from([seals.PENDING, seals.LIVE]),
)
SEAL: dict[str, Any] = {
    "state": seals.PENDING,
    "tenant_id": TENANT,
    "user_principal_name": NAME,
    "sealed": "2026-11-23T10:00:00Z",
    "tried_until": "2026-11-23T11:00:00Z",
    "password_changed": None,
}
ACCOUNT = {"id": "1", "user_principal_name": NAME, "last_password_change": "2026-11-23T10:30:00Z"}


@given(documents, counts)
def test_the_parts_make_the_document_again(document: dict[str, Any], parts: int) -> None:
    made = seals.cut(document, parts, "one")
    joined = seals.join(made)
    assert joined is not None
    assert {name: value for name, value in joined.items() if name != "seal"} == document
    assert "".join(part["secret"] for part in made) == document["secret"]
    lengths = [len(part["secret"]) for part in made]
    assert max(lengths) - min(lengths) <= 1
    # What was read is sealed again under the same name.
    assert seals.cut(joined, parts, "other") == made


@given(documents, st.integers(2, seals.MOST_PARTS), st.data())
def test_without_one_part_there_is_nothing(document: dict[str, Any], parts: int, data: st.DataObject) -> None:
    made: list[Any] = list(seals.cut(document, parts, "one"))
    made[data.draw(st.integers(0, parts - 1))] = None
    assert seals.join(made) is None


@given(documents, documents, st.integers(2, seals.MOST_PARTS), st.data())
def test_half_a_new_secret_is_no_secret(
    old: dict[str, Any], new: dict[str, Any], parts: int, data: st.DataObject
) -> None:
    written = data.draw(st.integers(1, parts - 1))
    assert seals.join(seals.cut(new, parts, "new")[:written] + seals.cut(old, parts, "old")[written:]) is None


@given(secrets, st.integers(2, seals.MOST_PARTS), st.data())
def test_half_made_live_is_not_live(secret: str, parts: int, data: st.DataObject) -> None:
    pending = seals.cut({**SEAL, "secret": secret}, parts, "one")
    whole = seals.join(pending)
    live = seals.cut({**(whole or {}), "state": seals.LIVE, "password_changed": TIMES[1]}, parts, "other")
    written = data.draw(st.integers(1, parts - 1))
    assert seals.join(live[:written] + pending[written:]) == whole


@given(documents, counts)
def test_another_number_of_parts_or_another_order_is_refused(document: dict[str, Any], parts: int) -> None:
    made = seals.cut(document, parts, "one")
    with pytest.raises(seals.Damaged, match="another number of parts"):
        seals.join([*made, None])
    if parts > 1:
        with pytest.raises(seals.Damaged, match="interchanged"):
            seals.join(made[::-1])


def test_nothing_is_nothing_and_no_secret_is_damage() -> None:
    assert seals.join([None]) is None
    with pytest.raises(seals.Damaged, match="no secret"):
        seals.join([{"state": seals.LIVE}])
    for document in ({}, {"secret": 1}, {"secret": "a"}):
        with pytest.raises(seals.Damaged, match="no secret"):
            seals.cut(document, 2, "one")


accounts = st.builds(
    lambda identity, changed: {"id": identity, "user_principal_name": NAME, "last_password_change": changed},
    st.sampled_from([None, "1"]),
    st.sampled_from([None, "nonsense", *TIMES]),
)
found_seals = st.none() | st.builds(
    lambda state, tenant, name, sealed, until, changed: {
        "state": state,
        "tenant_id": tenant,
        "user_principal_name": name,
        "sealed": sealed,
        "tried_until": until,
        "password_changed": changed,
    },
    st.sampled_from([seals.PENDING, seals.LIVE, seals.REFUSED]),
    st.sampled_from([TENANT, TENANT.upper(), "other"]),
    st.sampled_from([NAME, NAME.upper(), "other@contoso.onmicrosoft.com"]),
    *[st.sampled_from([None, "nonsense", *TIMES])] * 3,
)


@given(accounts, found_seals, st.booleans())
def test_no_decision_loses_a_password(account: dict[str, Any], seal: dict[str, Any] | None, adopted: bool) -> None:
    decision, sentence = seals.decide(account, seal, TENANT, adopted=adopted)
    assert sentence.endswith(".")
    foreign = seal is not None and (
        seal["tenant_id"].lower() != TENANT or seal["user_principal_name"].lower() != NAME.lower()
    )
    if foreign:
        assert decision == seals.STOP
    elif account["id"] is None:
        live = seal is not None and seal["state"] == seals.LIVE
        assert decision == (seals.CREATE_AGAIN if live else seals.CREATE)
    else:
        assert decision in (seals.KEEP, seals.PROMOTE, seals.STOP)
        # Nobody else's password is ever taken for the sealed one.
        changed = account["last_password_change"]
        if decision == seals.KEEP and not adopted:
            assert seal is not None
            assert seal["state"] == seals.LIVE
            assert seal["password_changed"] == changed
        if decision == seals.PROMOTE:
            assert seal is not None
            assert seal["state"] == seals.PENDING
            assert changed in TIMES
        if decision == seals.STOP:
            assert not adopted


@pytest.mark.parametrize(
    ("changed", "decision"),
    [
        ("2026-11-23T09:54:59Z", seals.STOP),
        ("2026-11-23T09:55:00Z", seals.PROMOTE),
        ("2026-11-23T10:30:00.1234567Z", seals.PROMOTE),
        ("2026-11-23T11:05:00Z", seals.PROMOTE),
        ("2026-11-23T11:05:01Z", seals.STOP),
        (None, seals.STOP),
    ],
)
def test_when_a_pending_password_is_the_one_of_the_account(changed: str | None, decision: str) -> None:
    assert seals.decide({**ACCOUNT, "last_password_change": changed}, SEAL, TENANT)[0] == decision


def test_a_password_that_was_refused_is_not_the_one_of_the_account() -> None:
    assert seals.decide(ACCOUNT, {**SEAL, "state": seals.REFUSED}, TENANT)[0] == seals.STOP
