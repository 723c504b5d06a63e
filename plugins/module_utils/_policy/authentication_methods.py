# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the authentication methods policy allows (private to the collection). Pure functions.

Source: Microsoft's pages "Manage authentication methods" and "How to migrate to the authentication methods policy".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .facts import UnexpectedShape, objects, optional_text, text

MIGRATION_COMPLETE = "migrationComplete"
MIGRATION_STATES_IN_ORDER = ("preMigration", "migrationInProgress", MIGRATION_COMPLETE)
MIGRATION_STATES = frozenset(MIGRATION_STATES_IN_ORDER)

ALL_USERS = "all_users"

# What people may register under security defaults: Authenticator notifications, or codes of any OATH application.
AUTHENTICATOR = "MicrosoftAuthenticator"
SOFTWARE_OATH = "SoftwareOath"


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


def registration_reach(policy: Mapping[str, Any]) -> str:
    """Who can register a method that satisfies security defaults, by this policy alone.

    ``everybody``: an enabled method includes all users and excludes nobody. ``some``: enabled, but for some users
    only. ``nobody``: neither method is enabled. Raises UnexpectedShape.
    """
    reach = "nobody"
    for method in objects(policy, "authenticationMethodConfigurations"):
        if text(method, "id").lower() not in (AUTHENTICATOR.lower(), SOFTWARE_OATH.lower()):
            continue
        if text(method, "state") != "enabled":
            continue
        if includes_everybody(method):
            return "everybody"
        reach = "some"
    return reach


def includes_everybody(method: Mapping[str, Any]) -> bool:
    """Whether a method configuration includes all users and excludes nobody. Raises UnexpectedShape."""
    included = any(text(target, "id") == ALL_USERS for target in objects(method, "includeTargets"))
    return included and not objects(method, "excludeTargets")
