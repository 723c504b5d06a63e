# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sign-in rules know of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

INTERNAL_GUEST = "internalGuest"
INVITED_GUEST = "b2bCollaborationGuest"
INVITED_MEMBER = "b2bCollaborationMember"


@dataclass(frozen=True)
class Person:
    """All on which a sign-in depends and nothing else, so that people in the same situation are equal.

    id: lower case; empty for one whom no policy names.
    enabled: accountEnabled.
    external: which of Microsoft's guestOrExternalUserTypes; None for an ordinary member.
    per_user_mfa: disabled, enabled or enforced.
    methods: methodsRegistered.
    federation: federatedIdpMfaBehavior of the domain; empty when it has none set; None for a managed domain.
    roles: template ids of directory roles held over the whole tenant, also by a role-assignable group.
    scoped_roles: those held over an administrative unit only.
    groups: ids, lower case, of the groups that a policy names, however deep inside of them the person is.
    """

    id: str
    enabled: bool
    external: str | None
    per_user_mfa: str
    methods: frozenset[str]
    federation: str | None
    roles: frozenset[str]
    scoped_roles: frozenset[str]
    groups: frozenset[str]

    @property
    def invited(self) -> bool:
        """Signs in at another tenant."""
        return self.external in (INVITED_GUEST, INVITED_MEMBER)


def external_type(user: Mapping[str, Any]) -> str | None:
    """Which guestOrExternalUserTypes a user is, by Microsoft's page "Conditional Access: Users and groups"."""
    invited = "#EXT#" in user["userPrincipalName"].upper()
    if user.get("userType") == "Guest":
        return INVITED_GUEST if invited else INTERNAL_GUEST
    return INVITED_MEMBER if invited else None
