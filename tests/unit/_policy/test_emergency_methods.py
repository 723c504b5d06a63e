# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.zerotrust.m365.plugins.filter.emergency_methods import FilterModule
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.emergency_methods import wanting
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape

GROUP, OTHER = "0f1c1a80-0000-4000-8000-00000000000A", "0f1c1a80-0000-4000-8000-00000000000b"

targets = st.none() | st.lists(st.sampled_from([GROUP.lower(), GROUP, OTHER, "all_users"]), max_size=3).map(
    lambda ids: [{"id": identity} for identity in ids]
)
methods = st.builds(
    lambda name, state, include, exclude, allowed: {
        "id": name,
        "state": state,
        "includeTargets": include,
        "excludeTargets": exclude,
        "isSelfServiceRegistrationAllowed": allowed,
    },
    st.sampled_from(["Fido2", "TemporaryAccessPass", "SoftwareOath", "Sms"]),
    st.sampled_from(["enabled", "disabled"]),
    targets,
    targets,
    st.sampled_from([True, False, None]),
)
policies = st.builds(
    lambda configurations, excluded: {
        "authenticationMethodConfigurations": configurations,
        "registrationEnforcement": {"authenticationMethodsRegistrationCampaign": {"excludeTargets": excluded}},
    },
    st.lists(methods, unique_by=lambda method: method["id"]),
    targets,
)


def applied(policy: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The policy after the changes, as the modules make them."""
    by_id = {one["id"]: dict(one) for one in policy["authenticationMethodConfigurations"]}
    for options in wanted["methods"]:
        method = by_id.setdefault(options["id"], {"id": options["id"], "includeTargets": [], "excludeTargets": []})
        include = options.get("include_targets", {})
        kept = [] if "set" in include else method["includeTargets"] or []
        method["includeTargets"] = kept + [{"id": one["group"]} for one in include.get("set", include.get("add", []))]
        removed = {one.lower() for one in options.get("exclude_targets", {}).get("remove", [])}
        method["excludeTargets"] = [one for one in method["excludeTargets"] or [] if one["id"].lower() not in removed]
        method["state"] = options.get("state", method.get("state"))
        allowed = options.get("fido2", {}).get("is_self_service_registration_allowed")
        method["isSelfServiceRegistrationAllowed"] = allowed or method.get("isSelfServiceRegistrationAllowed")
    excluded = policy["registrationEnforcement"]["authenticationMethodsRegistrationCampaign"]["excludeTargets"] or []
    added = wanted["campaign"].get("exclude_targets", {}).get("add", [])
    campaign = {"excludeTargets": excluded + [{"id": one} for one in added]}
    return {
        "authenticationMethodConfigurations": list(by_id.values()),
        "registrationEnforcement": {"authenticationMethodsRegistrationCampaign": campaign},
    }


def ids(method: dict[str, Any], name: str) -> set[str]:
    return {one["id"].lower() for one in method.get(name) or []}


@given(policies, st.booleans(), st.booleans())
def test_afterwards_nothing_is_wanting_and_nobody_lost_anything(
    policy: dict[str, Any], passes: bool, tokens: bool
) -> None:
    wanted = wanting(policy, GROUP, passes=passes, tokens=tokens)
    after = applied(policy, wanted)
    assert wanting(after, GROUP, passes=passes, tokens=tokens) == {"methods": [], "campaign": {}}

    before = {one["id"]: one for one in policy["authenticationMethodConfigurations"]}
    for method in after["authenticationMethodConfigurations"]:
        old = before.get(method["id"], {"state": "disabled"})
        if not {"Fido2": True, "TemporaryAccessPass": passes, "SoftwareOath": tokens, "Sms": False}[method["id"]]:
            assert method == old
            continue
        assert method["state"] == "enabled"
        assert ids(method, "includeTargets") & {"all_users", GROUP.lower()}
        assert GROUP.lower() not in ids(method, "excludeTargets")
        if old["state"] == "enabled":
            assert ids(method, "includeTargets") >= ids(old, "includeTargets")
            assert ids(method, "excludeTargets") <= ids(old, "excludeTargets")
        else:
            assert ids(method, "includeTargets") == {GROUP.lower()}


def test_a_policy_without_a_campaign_needs_none() -> None:
    policy: dict[str, Any] = {"authenticationMethodConfigurations": [], "registrationEnforcement": None}
    assert wanting(policy, GROUP, passes=False, tokens=False)["campaign"] == {}


def on(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "state": "enabled", "includeTargets": [{"id": OTHER}], "excludeTargets": [], **more}


def test_what_is_wanting_in_full() -> None:
    policy = {
        "authenticationMethodConfigurations": [
            on("Fido2", excludeTargets=[{"id": GROUP.lower()}], isSelfServiceRegistrationAllowed=False),
            on("SoftwareOath", state="disabled"),
        ],
        "registrationEnforcement": {"authenticationMethodsRegistrationCampaign": {"excludeTargets": None}},
    }
    of_the_group = {"state": "enabled", "include_targets": {"set": [{"group": GROUP}]}}
    assert wanting(policy, GROUP, passes=True, tokens=True) == {
        "methods": [
            {
                "id": "Fido2",
                "include_targets": {"add": [{"group": GROUP}]},
                "exclude_targets": {"remove": [GROUP]},
                "fido2": {"is_self_service_registration_allowed": True},
            },
            {"id": "TemporaryAccessPass", **of_the_group},
            {"id": "SoftwareOath", **of_the_group},
        ],
        "campaign": {"exclude_targets": {"add": [GROUP]}},
    }


NO_METHODS = "the authentication methods policy has no list of methods"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({}, NO_METHODS),
        ({"authenticationMethodConfigurations": ["Fido2"]}, NO_METHODS),
        ({"authenticationMethodConfigurations": [{"state": "enabled"}]}, "'id' is missing"),
        (
            {"authenticationMethodConfigurations": [on("Fido2", includeTargets=["all_users"])]},
            "'includeTargets' is no list of targets",
        ),
        (
            {"authenticationMethodConfigurations": [on("Fido2", excludeTargets={})]},
            "'excludeTargets' is no list of targets",
        ),
        ({"authenticationMethodConfigurations": [on("Fido2", includeTargets=[{}])]}, "'id' is missing"),
    ],
)
def test_what_is_no_policy_is_refused(policy: dict[str, Any], words: str) -> None:
    with pytest.raises(UnexpectedShape, match=f"^{words}$"):
        wanting(policy, GROUP, passes=False, tokens=False)
    use = FilterModule().filters()["emergency_methods"]
    with pytest.raises(AnsibleFilterError, match="cannot tell"):
        use(policy, GROUP)
    with pytest.raises(AnsibleFilterError, match="needs"):
        use(policy, "")
