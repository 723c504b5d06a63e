# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import known, unknown
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.registration import (
    elsewhere,
    registered,
    reported_by_id,
    summary,
)


def federation(behaviour: str | None) -> Any:
    return known([{"domain": "Corp.example", "federated_idp_mfa_behavior": behaviour}])


@pytest.mark.parametrize(
    ("behaviour", "state"),
    [
        ("acceptIfMfaDoneByFederatedIdp", "unknown"),
        ("enforceMfaByFederatedIdp", "unknown"),
        (None, "unknown"),
        ("rejectMfaByFederatedIdp", "unregistered"),
    ],
)
def test_who_may_do_mfa_on_premises_is_not_called_unregistered(behaviour: str | None, state: str) -> None:
    domains = elsewhere(federation(behaviour))
    assert registered("ana@corp.example", False, domains) == state
    assert registered("ana@corp.example", True, domains) == "registered"
    assert registered("ana@contoso.example", False, domains) == "unregistered"


@pytest.mark.parametrize(("reported", "state"), [(True, "registered"), (False, "unknown"), (None, "unknown")])
def test_without_the_domains_only_who_is_registered_is_known(reported: bool | None, state: str) -> None:
    assert elsewhere(unknown("Not allowed.")) is None
    assert registered("ana@contoso.example", reported, None) == state


def test_everybody_is_in_one_place() -> None:
    names = {"A": "a@contoso.example", "B": "b@contoso.example", "C": "c@contoso.example"}
    reported = reported_by_id(
        [{"id": "a", "isMfaRegistered": True}, {"id": "b", "isMfaRegistered": False}, {"id": "c"}, {}]
    )
    assert summary(names, reported, frozenset()) == {
        "registered": 1,
        "unregistered": ["b@contoso.example"],
        "unknown": ["c@contoso.example"],
    }
