# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import known, unknown
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.tenants import refusal
from ansible_collections.zerotrust.m365.tests.unit._policy.json_values import json_values


def test_an_ordinary_workforce_tenant_may_be_changed() -> None:
    assert refusal(known("AAD")) is None


@pytest.mark.parametrize(
    ("kind", "words"),
    [("AAD B2C", "an Azure AD B2C tenant"), ("CIAM", "an external tenant for customers"), ("aad", "'aad'")],
)
def test_another_kind_is_refused_by_name(kind: str, words: str) -> None:
    sentence = refusal(known(kind))
    assert sentence is not None
    assert words in sentence


@given(json_values)
def test_nothing_but_a_workforce_tenant_is_accepted(kind: Any) -> None:
    assume(kind != "AAD")
    assert refusal(known(str(kind))) is not None


def test_an_unknown_kind_is_refused_with_the_reason() -> None:
    sentence = refusal(unknown("Could not read the organization."))
    assert sentence is not None
    assert "could not be read" in sentence
    assert sentence.endswith("Could not read the organization.")
