# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the authentication methods policy allows (private to the collection). Pure functions.

Source: Microsoft's pages "Manage authentication methods" and "How to migrate to the authentication methods policy".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .facts import UnexpectedShape, boolean, mapping, objects, optional_text, text, texts

MIGRATION_COMPLETE = "migrationComplete"
MIGRATION_STATES_IN_ORDER = ("preMigration", "migrationInProgress", MIGRATION_COMPLETE)
MIGRATION_STATES = frozenset(MIGRATION_STATES_IN_ORDER)

ALL_USERS = "all_users"

# What people may register under security defaults: Authenticator notifications, or codes of any OATH application.
AUTHENTICATOR = "MicrosoftAuthenticator"
SOFTWARE_OATH = "SoftwareOath"
OF_SECURITY_DEFAULTS = (AUTHENTICATOR, SOFTWARE_OATH)
# What people may register elsewhere while somebody waits for their second factor. No page of Microsoft says that they
# may register a passkey then.
REGISTRABLE = (*OF_SECURITY_DEFAULTS, "Sms", "Voice")
# The modes of the Authenticator in which it is a second factor beside the password. Other methods have none.
MODES_OF_SECOND_FACTOR = (None, "any", "push")

# Properties of a configuration, of its targets and of its passkey profiles that decide what people can use, wherever
# they are there.
BOOLEANS = (
    "isAttestationEnforced",
    "isOfficePhoneAllowed",
    "isSelfServiceRegistrationAllowed",
    "isSoftwareOathEnabled",
)
STRINGS = ("allowExternalIdToUseEmailOtp", "attestationEnforcement", "authenticationMode", "passkeyTypes", "targetType")
LISTS_OF_STRINGS = ("allowedPasskeyProfiles",)
LISTS_OF_OBJECTS = ("includeTargets", "excludeTargets", "passkeyProfiles", "certificateUserBindings")
OBJECTS = ("authenticationModeConfiguration", "crlValidationConfiguration")


def check_shape(policy: Mapping[str, Any]) -> None:
    """Raises UnexpectedShape unless all that decides what people can use is of the type that Microsoft documents.

    What is missing or null is left to whoever looks at it.
    """
    if "policyMigrationState" in policy:
        optional_text(policy, "policyMigrationState")
    for method in objects(policy, "authenticationMethodConfigurations"):
        text(method, "id")
        text(method, "state")
        _check_part(method)


def _check_part(part: Mapping[str, Any]) -> None:
    given = {name for name, value in part.items() if value is not None}
    for name in given.intersection(BOOLEANS):
        boolean(part, name)
    for name in given.intersection(STRINGS):
        text(part, name)
    for name in given.intersection(LISTS_OF_STRINGS):
        texts(part, name)
    for name in given.intersection(OBJECTS):
        mapping(part, name)
    for name in given.intersection(LISTS_OF_OBJECTS):
        for item in objects(part, name):
            if name != "certificateUserBindings":
                text(item, "id")
            _check_part(item)
    if "keyRestrictions" in given:
        restrictions = mapping(part, "keyRestrictions")
        if boolean(restrictions, "isEnforced"):
            text(restrictions, "enforcementType")
            texts(restrictions, "aaGuids")


def migration_state(policy: Mapping[str, Any]) -> str:
    """The migration state in effect. Tenants created lately answer null, which means complete (seen in live tools).

    Raises UnexpectedShape.
    """
    state = optional_text(policy, "policyMigrationState")
    if state is None:
        return MIGRATION_COMPLETE
    if state not in MIGRATION_STATES:
        raise UnexpectedShape(f"'policyMigrationState' is '{state}', which is no state that Microsoft documents")
    return state


def migration_refusal(policy: Mapping[str, Any], wanted: str) -> str | None:
    """Why the migration state cannot become another one, if so. Raises UnexpectedShape.

    Where the migration began (in ``preMigration``, or later) Graph does not show, so it decides about the way back.
    """
    if optional_text(policy, "policyMigrationState") is None and wanted != MIGRATION_COMPLETE:
        return (
            f"This tenant has no migration state, which means that its migration is complete. Graph accepts '{wanted}' "
            "for it without effect, so it was not written."
        )
    return None


def enabled_methods(policy: Mapping[str, Any]) -> list[str]:
    """Ids of the enabled method configurations, sorted. Raises UnexpectedShape."""
    return sorted(
        text(method, "id")
        for method in objects(policy, "authenticationMethodConfigurations")
        if text(method, "state") == "enabled"
    )


def registration_reach(policy: Mapping[str, Any], methods: Collection[str] = OF_SECURITY_DEFAULTS) -> str:
    """Who can register one of these methods, by this policy alone.

    ``everybody``: an enabled method includes all users and excludes nobody. ``some``: enabled, but for some users
    only. ``nobody``: none of them is enabled, or only as passwordless sign-in: no page of Microsoft says that
    people can register that while somebody waits for their second factor. Raises UnexpectedShape.
    """
    reach = "nobody"
    for method in objects(policy, "authenticationMethodConfigurations"):
        if text(method, "id").lower() not in {name.lower() for name in methods}:
            continue
        if text(method, "state") != "enabled":
            continue
        included = objects(method, "includeTargets")
        usable = [target for target in included if target.get("authenticationMode") in MODES_OF_SECOND_FACTOR]
        if included and not usable:
            continue
        if includes_everybody({**method, "includeTargets": usable}):
            return "everybody"
        reach = "some"
    return reach


def includes_everybody(method: Mapping[str, Any]) -> bool:
    """Whether a method configuration includes all users and excludes nobody. Raises UnexpectedShape."""
    included = any(text(target, "id") == ALL_USERS for target in objects(method, "includeTargets"))
    return included and not objects(method, "excludeTargets")
