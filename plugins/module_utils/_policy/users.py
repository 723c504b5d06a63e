# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting and noting the people of a tenant (private to the collection). Pure: fed page by page.

``perUserMfaState`` is a property of users that Microsoft does not document but live tools read in bulk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .facts import UnexpectedShape, boolean, optional_boolean, optional_text, text

USER_PROPERTIES = ("id", "userPrincipalName", "accountEnabled", "userType", "onPremisesSyncEnabled", "perUserMfaState")
PER_USER_MFA_STATES = ("disabled", "enabled", "enforced")


@dataclass
class Accounts:
    """Who is disabled, and who is enabled: principal names by id, in lower case."""

    disabled: set[str] = field(default_factory=set)
    enabled: dict[str, str] = field(default_factory=dict)

    def add(self, users: Sequence[Mapping[str, Any]]) -> None:
        """Note one page. Raises UnexpectedShape."""
        for user in users:
            identity = text(user, "id").lower()
            if not boolean(user, "accountEnabled"):
                self.disabled.add(identity)
            else:
                self.enabled[identity] = text(user, "userPrincipalName")


@dataclass
class UserCount:
    """Counts over all users; ``per_user_mfa_unreadable`` counts those whose per-user MFA state was not shown."""

    total: int = 0
    members: int = 0
    guests: int = 0
    other: int = 0
    synchronised: int = 0
    cloud_only: int = 0
    disabled: int = 0
    enabled_members: int = 0
    enabled_guests: int = 0
    per_user_mfa: Counter[str] = field(default_factory=Counter)
    per_user_mfa_unreadable: int = 0

    def add(self, users: Sequence[Mapping[str, Any]]) -> None:
        """Count one page. Raises UnexpectedShape for a user whose properties are not as documented."""
        if not isinstance(users, list):
            raise UnexpectedShape("a page of users is no list")
        for user in users:
            self._add(user)

    def _add(self, user: Mapping[str, Any]) -> None:
        text(user, "id")
        enabled = boolean(user, "accountEnabled")
        synchronised = optional_boolean(user, "onPremisesSyncEnabled")
        kind = optional_text(user, "userType")
        self.total += 1
        self.disabled += not enabled
        self.synchronised += synchronised is True
        self.cloud_only += synchronised is not True
        self.members += kind == "Member"
        self.guests += kind == "Guest"
        self.other += kind not in ("Member", "Guest")
        self.enabled_members += enabled and kind != "Guest"
        self.enabled_guests += enabled and kind == "Guest"
        state = user.get("perUserMfaState")
        if state in PER_USER_MFA_STATES:
            self.per_user_mfa[state] += 1
        else:
            self.per_user_mfa_unreadable += 1

    def people(self) -> dict[str, int]:
        return {
            "total": self.total,
            "members": self.members,
            "guests": self.guests,
            "other": self.other,
            "synchronised": self.synchronised,
            "cloud_only": self.cloud_only,
            "disabled": self.disabled,
            "enabled_members": self.enabled_members,
            "enabled_guests": self.enabled_guests,
        }

    def per_user_mfa_states(self) -> dict[str, int]:
        return {state: self.per_user_mfa[state] for state in PER_USER_MFA_STATES}
