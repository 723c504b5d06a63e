# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's rules about per-user MFA (private to the collection). Pure: fed page by page, so memory stays bounded.

Sources: Microsoft's page "Enable per-user Microsoft Entra multifactor authentication" and the Graph reference (beta),
"Update authentication method states". ``perUserMfaState`` as a property of users is not documented; live tools read it.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from .facts import UnexpectedShape, boolean, optional_boolean, optional_text, text

PROPERTY = "perUserMfaState"
DISABLED, ENABLED, ENFORCED = "disabled", "enabled", "enforced"
STATES = (DISABLED, ENABLED, ENFORCED)
UNKNOWN = "unknown"

USER_PROPERTIES = ("id", "userPrincipalName", "accountEnabled", "userType", "onPremisesSyncEnabled")
KINDS: Mapping[str | None, str] = {"Member": "member", "Guest": "guest"}
OTHER_KIND = "other"


def converged(wanted: str, current: str) -> bool:
    """Whether a state is as wanted. Entra makes ``enforced`` of ``enabled`` by itself once the user has registered."""
    return current == wanted or (wanted == ENABLED and current == ENFORCED)


def state_of(item: Mapping[str, Any]) -> str | None:
    """The state that Graph shows of a user; None when it shows none, or one that is not documented."""
    state = item.get(PROPERTY)
    return state if isinstance(state, str) and state in STATES else None


@dataclass(frozen=True)
class User:
    """A user as the inventory shows one. ``state`` is None when it could not be read."""

    id: str
    name: str
    state: str | None
    kind: str
    enabled: bool
    synchronised: bool

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> User:
        """Raises UnexpectedShape."""
        return cls(
            id=text(item, "id"),
            name=text(item, "userPrincipalName"),
            state=state_of(item),
            kind=KINDS.get(optional_text(item, "userType"), OTHER_KIND),
            enabled=boolean(item, "accountEnabled"),
            synchronised=optional_boolean(item, "onPremisesSyncEnabled") is True,
        )

    def as_result(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "user_principal_name": self.name,
            "state": self.state or UNKNOWN,
            "user_type": self.kind,
            "account_enabled": self.enabled,
            "synchronised": self.synchronised,
        }


@dataclass
class Inventory:
    """Counts over all users, and the first ``most`` users in the states that were asked for."""

    listed_states: frozenset[str] = frozenset()
    most: int = 0
    counts: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    listed: list[User] = field(default_factory=list)
    left_off: int = 0

    def add(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Count one page. Raises UnexpectedShape for a user whose properties are not as documented."""
        for item in items:
            user = User.read(item)
            state = user.state or UNKNOWN
            self.counts[(state, user.kind, user.enabled)] += 1
            if state in self.listed_states:
                if len(self.listed) < self.most:
                    self.listed.append(user)
                else:
                    self.left_off += 1

    @property
    def unknown(self) -> int:
        return self._count(state=UNKNOWN)

    def _count(self, state: str | None = None, kind: str | None = None, enabled: bool | None = None) -> int:
        return sum(
            count
            for (its_state, its_kind, is_enabled), count in self.counts.items()
            if state in (None, its_state) and kind in (None, its_kind) and enabled in (None, is_enabled)
        )

    def _states(self, **of: Any) -> dict[str, int]:
        return {state: self._count(state=state, **of) for state in (*STATES, UNKNOWN)}

    def as_result(self) -> dict[str, Any]:
        return {
            "total": self._count(),
            "states": self._states(),
            "by_user_type": {kind: self._states(kind=kind) for kind in (*KINDS.values(), OTHER_KIND)},
            "enabled_accounts": self._states(enabled=True),
            "disabled_accounts": self._states(enabled=False),
            "users": [user.as_result() for user in self.listed],
            "users_left_off": self.left_off,
        }


class Sample:
    """A few users of each state, every one with the same chance, however many there are.

    Those whose ids have the smallest checksums: the same users each time, so that a dry run and the run agree.
    """

    def __init__(self, size: int) -> None:
        self._each = -(-size // len(STATES))
        self._size = size
        self._kept: dict[str, list[tuple[int, str]]] = {state: [] for state in STATES}

    def add(self, items: Iterable[Mapping[str, Any]]) -> bool:
        """Look at a page; False once a user shows no state that is known. Raises UnexpectedShape."""
        for item in items:
            state = state_of(item)
            if state is None:
                return False
            identity, kept = text(item, "id"), self._kept[state]
            insort(kept, (crc32(identity.encode()), identity))
            del kept[self._each :]
        return True

    def chosen(self) -> dict[str, str]:
        """States by object id."""
        return dict(list(self._turns())[: self._size])

    def _turns(self) -> Iterator[tuple[str, str]]:
        """One of each state at a time."""
        for place in range(self._each):
            for state, kept in self._kept.items():
                if place < len(kept):
                    yield kept[place][1], state


def check_users(items: Any) -> None:
    """Raises UnexpectedShape unless these are objects with an id."""
    if not isinstance(items, list):
        raise UnexpectedShape("a page of users is no list")
    for item in items:
        text(item, "id")
