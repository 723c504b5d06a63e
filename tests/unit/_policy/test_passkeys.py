# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.conditional_access_reach import Memberships
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.passkeys import Allowance, Rule

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


NOT_ENABLED = (
    "The authentication methods policy {} passkeys (FIDO2) for Ann, so none can be registered. Enable the method Fido2 "
    "for the account, or for a group that it is in."
).format
NO_SELF_SERVICE = (
    "The authentication methods policy does not allow self-service set-up of passkeys (FIDO2). Graph then refuses to "
    "register them for others, too (a known issue): allow it."
)
SYNCED_ONLY = (
    "The authentication methods policy allows Ann synced passkeys only, and none on security keys. Allow device-bound "
    "ones in a passkey profile."
)
NO_ATTESTATION = (
    "The authentication methods policy enforces attestation, but the security key gave none. Take a key that is "
    "certified by the FIDO Alliance."
)
NOT_THIS_MODEL = (
    f"The authentication methods policy does not allow security keys of this model: its AAGUID is {MODEL}. Allow it in "
    "the key restrictions of the method Fido2, or take another key."
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "disabled"}, NOT_ENABLED("does not enable")),
        ({"includeTargets": [{"id": GROUP}]}, NOT_ENABLED("does not enable")),
        ({"excludeTargets": [{"id": USER}]}, NOT_ENABLED("does not enable")),
        ({"includeTargets": [{"id": GROUP}], "complete": False}, NOT_ENABLED("does not show that it enables")),
        ({"isSelfServiceRegistrationAllowed": False}, NO_SELF_SERVICE),
    ],
)
def test_a_registration_that_graph_would_refuse_is_refused(changes: dict[str, Any], words: str) -> None:
    assert allowance(**changes).registration_refusal("Ann") == words


def test_a_registered_passkey_is_allowed_by_what_the_policy_says_now() -> None:
    passkey = {"aaGuid": MODEL.upper(), "passkeyType": "deviceBound"}
    blocked = {**NOT_RESTRICTED, "isEnforced": True}
    assert allowance(isAttestationEnforced=True, isSelfServiceRegistrationAllowed=False).allows(passkey) is True
    assert allowance(keyRestrictions=blocked).allows(passkey) is False
    assert allowance(keyRestrictions={**blocked, "enforcementType": "allow"}).allows(passkey) is True
    assert allowance(keyRestrictions={**blocked, "enforcementType": "allow", "aaGuids": []}).allows(passkey) is False
    assert allowance(state="disabled").allows(passkey) is False
    assert allowance(includeTargets=[{"id": GROUP}], complete=False).allows(passkey) is None
    for unseen in ({"aaGuid": None}, {}):
        assert allowance().allows(unseen) is True
        assert allowance(keyRestrictions=blocked).allows(unseen) is None
        assert allowance(keyRestrictions={**blocked, "enforcementType": "allow", "aaGuids": []}).allows(unseen) is False
    assert allowance(includeTargets=[{"id": USER}]).allows(passkey) is True
    assert allowance(includeTargets=[{"id": GROUP}]).allows(passkey) is False
    synced = [profile("a", "synced")]
    only_synced = allowance(includeTargets=[{**EVERYBODY, "allowedPasskeyProfiles": ["a"]}], passkeyProfiles=synced)
    assert only_synced.allows({"aaGuid": MODEL, "passkeyType": "synced"}) is True
    assert only_synced.allows({"aaGuid": MODEL, "passkeyType": None}) is False
    restricted = [profile("a", "synced", restrictions=blocked)]
    only_some = allowance(includeTargets=[{**EVERYBODY, "allowedPasskeyProfiles": ["a"]}], passkeyProfiles=restricted)
    assert only_some.allows({"passkeyType": "synced"}) is None
    assert only_some.allows({"passkeyType": "deviceBound"}) is False


def test_profiles_are_those_of_the_targets_that_mean_the_user() -> None:
    targets = [
        {**EVERYBODY, "allowedPasskeyProfiles": ["A"]},
        {"id": GROUP, "allowedPasskeyProfiles": ["B"]},
        {"id": "another", "allowedPasskeyProfiles": ["C"]},
    ]
    profiles = [profile("a", "synced"), profile("b", "deviceBound, synced", attested=True), profile("c", "deviceBound")]
    changes: dict[str, Any] = {"includeTargets": targets, "passkeyProfiles": profiles}
    assert allowance(**changes).registration_refusal("Ann") == SYNCED_ONLY
    member = allowance(groups=(GROUP,), **changes)
    assert member.registration_refusal("Ann") is None
    assert [sorted(rule.kinds or ()) for rule in member.rules() or ()] == [["synced"], ["deviceBound", "synced"]]
    assert member.key_refusal(MODEL, attested=True) is None
    assert member.key_refusal(MODEL, attested=False) == NO_ATTESTATION
    assert member.allows({"aaGuid": MODEL, "passkeyType": "synced"}) is True


def test_profiles_that_graph_does_not_show_are_left_to_graph() -> None:
    unseen = allowance(includeTargets=[{**EVERYBODY, "allowedPasskeyProfiles": ["a"]}], passkeyProfiles=None)
    assert unseen.registration_refusal("Ann") is None
    assert unseen.key_refusal(MODEL, attested=False) is None
    assert unseen.allows({"aaGuid": MODEL}) is None


def test_profiles_of_a_group_that_the_user_may_be_in_are_not_left_out() -> None:
    profiled = {"id": GROUP, "allowedPasskeyProfiles": ["a"]}
    changes: dict[str, Any] = {"passkeyProfiles": [profile("a", "synced")], "complete": False}
    passkey = {"aaGuid": MODEL, "passkeyType": "deviceBound"}
    assert allowance(includeTargets=[EVERYBODY, profiled], **changes).allows(passkey) is None
    assert allowance(includeTargets=[EVERYBODY, {**profiled, "id": USER}], **changes).allows(passkey) is False
    assert allowance(includeTargets=[EVERYBODY, {"id": GROUP}], **changes).allows(passkey) is True
    assert allowance(includeTargets=[EVERYBODY, profiled], **{**changes, "complete": True}).allows(passkey) is True


def test_each_profile_is_judged_as_a_whole() -> None:
    """A model that one profile allows does not help where that one wants an attestation."""
    only = {"isEnforced": True, "enforcementType": "allow", "aaGuids": [MODEL]}
    other = {"isEnforced": True, "enforcementType": "block", "aaGuids": [MODEL]}
    profiles = [
        profile("a", "deviceBound", attested=True, restrictions=only),
        profile("b", "deviceBound", restrictions=other),
    ]
    both = allowance(includeTargets=[{**EVERYBODY, "allowedPasskeyProfiles": ["a", "b"]}], passkeyProfiles=profiles)
    assert both.key_refusal(MODEL, attested=False) == NO_ATTESTATION
    assert both.key_refusal(MODEL, attested=True) is None
    assert both.key_refusal("another", attested=False) is None
    alone = allowance(includeTargets=[{**EVERYBODY, "allowedPasskeyProfiles": ["b"]}], passkeyProfiles=profiles)
    assert alone.key_refusal(MODEL, attested=True) == NOT_THIS_MODEL


def test_a_policy_without_the_method_is_of_an_unexpected_shape() -> None:
    empty = Allowance({"authenticationMethodConfigurations": []}, USER, Memberships(frozenset()))
    assert empty.registration_refusal("Ann") == NOT_ENABLED("does not show that it enables")
    with pytest.raises(UnexpectedShape, match="the method 'Fido2' is missing"):
        empty.rules()
    with pytest.raises(UnexpectedShape, match="'isSelfServiceRegistrationAllowed' is no boolean"):
        allowance(isSelfServiceRegistrationAllowed=None).registration_refusal("Ann")
    with pytest.raises(UnexpectedShape, match="'isAttestationEnforced' is no boolean"):
        allowance(isAttestationEnforced=None).rules()
    with pytest.raises(UnexpectedShape, match="'isAttestationEnforced' is no boolean"):
        allowance(isAttestationEnforced="yes", includeTargets=[]).rules()


ONLY_THIS_MODEL = {"isEnforced": True, "enforcementType": "allow", "aaGuids": [MODEL.upper()]}


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, [Rule(None, attested=False, models=frozenset(), allows=False)]),
        ({"keyRestrictions": None}, [Rule(None, attested=False, models=frozenset(), allows=False)]),
        (
            {"isAttestationEnforced": True, "keyRestrictions": ONLY_THIS_MODEL},
            [Rule(None, attested=True, models=frozenset({MODEL}), allows=True)],
        ),
        (
            {"keyRestrictions": {**ONLY_THIS_MODEL, "enforcementType": "block"}},
            [Rule(None, attested=False, models=frozenset({MODEL}), allows=False)],
        ),
        ({"includeTargets": [{"id": "another", "allowedPasskeyProfiles": ["a"]}]}, None),
        (
            {"includeTargets": [{"id": USER.upper(), "allowedPasskeyProfiles": ["B", "A"]}]},
            [
                Rule(frozenset({"synced"}), attested=False, models=frozenset(), allows=False),
                Rule(frozenset({"deviceBound", "synced"}), attested=True, models=frozenset({MODEL}), allows=True),
            ],
        ),
        ({"includeTargets": [{"id": "ALL_USERS", "allowedPasskeyProfiles": ["a", "unseen"]}]}, "unseen"),
    ],
)
def test_which_conditions_a_passkey_may_meet(changes: dict[str, Any], rules: Any) -> None:
    profiles = [
        profile("A", "synced"),
        profile("b", " deviceBound, synced", attested=True, restrictions=ONLY_THIS_MODEL),
    ]
    found = allowance(passkeyProfiles=profiles, **changes).rules()
    if rules is None:  # whom no profile concerns
        rules = [Rule(None, attested=False, models=frozenset(), allows=False)]
    assert found == (None if rules == "unseen" else rules)
