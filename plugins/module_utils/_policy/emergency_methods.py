# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the authentication methods policy lacks for the second factors of emergency accounts (private to the
collection). Pure functions.

Sources: Microsoft's pages "Manage emergency access accounts", "Enable passkeys (FIDO2)" and "Run a registration
campaign"; the known issue that passkeys are registered on behalf of a user only where self-service is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .facts import UnexpectedShape, text

PASSKEYS, PASSES, TOKENS = "Fido2", "TemporaryAccessPass", "SoftwareOath"
EVERYBODY = "all_users"


def wanting(policy: Mapping[str, Any], group: str, *, passes: bool, tokens: bool) -> dict[str, Any]:
    """What is to be changed so that the members of this group (an id) can register passkeys, by a Temporary Access Pass
    with ``passes``, and TOTP tokens with ``tokens``, and are not asked to register something else.

    ``methods`` are options of zerotrust.m365.authentication_method, one dictionary for each method that is to be
    changed; ``campaign`` is the registration campaign of zerotrust.m365.authentication_methods_policy, empty when
    nothing is. A method that is off is switched on for the group alone; one that is on keeps its groups. Raises
    UnexpectedShape for what is no such policy.
    """
    configurations = policy.get("authenticationMethodConfigurations")
    if not isinstance(configurations, list) or not all(isinstance(one, Mapping) for one in configurations):
        raise UnexpectedShape("the authentication methods policy has no list of methods")
    by_id = {text(one, "id"): one for one in configurations}
    wanted = [PASSKEYS, *([PASSES] if passes else []), *([TOKENS] if tokens else [])]
    methods = [_method(name, by_id.get(name, {}), group) for name in wanted]
    return {"methods": [method for method in methods if len(method) > 1], "campaign": _campaign(policy, group)}


def _method(name: str, configuration: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Options for one method: with nothing to do, its id alone."""
    options: dict[str, Any] = {"id": name}
    if configuration.get("state") != "enabled":
        options |= {"state": "enabled", "include_targets": {"set": [{"group": group}]}}
    elif not _ids(configuration, "includeTargets") & {EVERYBODY, group.lower()}:
        options |= {"include_targets": {"add": [{"group": group}]}}
    if group.lower() in _ids(configuration, "excludeTargets"):
        options |= {"exclude_targets": {"remove": [group]}}
    if name == PASSKEYS and configuration.get("isSelfServiceRegistrationAllowed") is not True:
        options |= {"fido2": {"is_self_service_registration_allowed": True}}
    return options


def _campaign(policy: Mapping[str, Any], group: str) -> dict[str, Any]:
    enforcement = policy.get("registrationEnforcement") or {}
    campaign = enforcement.get("authenticationMethodsRegistrationCampaign")
    if not isinstance(campaign, Mapping) or group.lower() in _ids(campaign, "excludeTargets"):
        return {}
    return {"exclude_targets": {"add": [group]}}


def _ids(holder: Mapping[str, Any], name: str) -> set[str]:
    targets = holder.get(name)
    if targets is None:
        return set()
    if not isinstance(targets, list) or not all(isinstance(target, Mapping) for target in targets):
        raise UnexpectedShape(f"{name!r} is no list of targets")
    return {text(target, "id").lower() for target in targets}
