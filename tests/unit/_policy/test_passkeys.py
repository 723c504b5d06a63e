# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.conditional_access_reach import Memberships
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.passkeys import Allowance

USER = "4562bcc8-c436-4f95-b7c0-4f8ce89dca5e"
GROUP = "6f5b4e0c-0c6e-4c5a-9a53-1d3f0f6b9a01"
MODEL = "de1e552d-db1d-4423-a619-566b625cdc84"
EVERYBODY: dict[str, Any] = {"id": "all_users", "targetType": "group"}
NOT_RESTRICTED = {"isEnforced": False, "enforcementType": "block", "aaGuids": [MODEL]}


def allowance(*, groups: tuple[str, ...] = (), complete: bool = True, **changes: Any) -> Allowance:
    configuration = {
        "id": "Fido2",
        "state": "enabled",
        "includeTargets": [EVERYBODY],
        "excludeTargets": [],
        "isSelfServiceRegistrationAllowed": True,
        "isAttestationEnforced": False,
        "keyRestrictions": NOT_RESTRICTED,
        "passkeyProfiles": [],
        **changes,
    }
    policy = {
        "policyMigrationState": None,
        "authenticationMethodConfigurations": [{"id": "Sms", "state": "disabled"}, configuration],
    }
    return Allowance(policy, USER, Memberships(frozenset(groups), complete))


def profile(name: str, kinds: str, *, attested: bool = False, restrictions: Any = None) -> dict[str, Any]:
    attestation = "registrationOnly" if attested else "disabled"
    return {
        "id": name,
        "passkeyTypes": kinds,
        "attestationEnforcement": attestation,
        "keyRestrictions": restrictions,
    }


def test_the_policy_of_everybody_lets_everybody() -> None:
    assert allowance().registration_refusal("Ann") is None
    assert allowance().key_refusal(MODEL, attested=False) is None
    assert allowance().allows({"aaGuid": MODEL, "passkeyType": "deviceBound"}) is True


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "disabled"}, "does not enable"),
        ({"includeTargets": [{"id": GROUP}]}, "does not enable"),
        ({"excludeTargets": [{"id": USER}]}, "does not enable"),
        ({"includeTargets": [{"id": GROUP}], "complete": False}, "does not show that it enables"),
        ({"isSelfServiceRegistrationAllowed": False}, "does not allow self-service set-up"),
    ],
)
def test_a_registration_that_graph_would_refuse_is_refused(changes: dict[str, Any], words: str) -> None:
    assert words in (allowance(**changes).registration_refusal("Ann") or "")


def test_a_registered_passkey_is_allowed_by_what_the_policy_says_now() -> None:
    passkey = {"aaGuid": MODEL.upper(), "passkeyType": "deviceBound"}
    blocked = {**NOT_RESTRICTED, "isEnforced": True}
    assert allowance(isAttestationEnforced=True, isSelfServiceRegistrationAllowed=False).allows(passkey) is True
    assert allowance(keyRestrictions=blocked).allows(passkey) is False
    assert allowance(keyRestrictions={**blocked, "enforcementType": "allow"}).allows(passkey) is True
    assert allowance(keyRestrictions={**blocked, "enforcementType": "allow", "aaGuids": []}).allows(passkey) is False
    assert allowance(state="disabled").allows(passkey) is False
    assert allowance(includeTargets=[{"id": GROUP}], complete=False).allows(passkey) is None
    assert allowance().allows({"aaGuid": None}) is None


def test_profiles_are_those_of_the_targets_that_mean_the_user() -> None:
    targets = [
        {**EVERYBODY, "allowedPasskeyProfiles": ["A"]},
        {"id": GROUP, "allowedPasskeyProfiles": ["B"]},
        {"id": "another", "allowedPasskeyProfiles": ["C"]},
    ]
    profiles = [profile("a", "synced"), profile("b", "deviceBound, synced", attested=True), profile("c", "deviceBound")]
    changes: dict[str, Any] = {"includeTargets": targets, "passkeyProfiles": profiles}
    assert "synced passkeys only" in (allowance(**changes).registration_refusal("Ann") or "")
    member = allowance(groups=(GROUP,), **changes)
    assert member.registration_refusal("Ann") is None
    assert member.key_refusal(MODEL, attested=True) is None
    assert "enforces attestation" in (member.key_refusal(MODEL, attested=False) or "")
    assert member.allows({"aaGuid": MODEL, "passkeyType": "synced"}) is True


def test_profiles_that_graph_does_not_show_are_left_to_graph() -> None:
    unseen = allowance(includeTargets=[{**EVERYBODY, "allowedPasskeyProfiles": ["a"]}], passkeyProfiles=None)
    assert unseen.registration_refusal("Ann") is None
    assert unseen.key_refusal(MODEL, attested=False) is None
    assert unseen.allows({"aaGuid": MODEL}) is None


def test_each_profile_is_judged_as_a_whole() -> None:
    """A model that one profile allows does not help where that one wants an attestation."""
    only = {"isEnforced": True, "enforcementType": "allow", "aaGuids": [MODEL]}
    other = {"isEnforced": True, "enforcementType": "block", "aaGuids": [MODEL]}
    profiles = [
        profile("a", "deviceBound", attested=True, restrictions=only),
        profile("b", "deviceBound", restrictions=other),
    ]
    both = allowance(includeTargets=[{**EVERYBODY, "allowedPasskeyProfiles": ["a", "b"]}], passkeyProfiles=profiles)
    assert "enforces attestation" in (both.key_refusal(MODEL, attested=False) or "")
    assert both.key_refusal(MODEL, attested=True) is None
    assert both.key_refusal("another", attested=False) is None
    alone = allowance(includeTargets=[{**EVERYBODY, "allowedPasskeyProfiles": ["b"]}], passkeyProfiles=profiles)
    assert MODEL in (alone.key_refusal(MODEL, attested=True) or "")


def test_a_policy_without_the_method_is_of_an_unexpected_shape() -> None:
    empty = Allowance({"authenticationMethodConfigurations": []}, USER, Memberships(frozenset()))
    assert "does not show that it enables" in (empty.registration_refusal("Ann") or "")
    with pytest.raises(UnexpectedShape):
        empty.rules()
    with pytest.raises(UnexpectedShape):
        allowance(isSelfServiceRegistrationAllowed=None).registration_refusal("Ann")
