# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules that change many users share: who is meant, how fast it may go, and how failures are told (private)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._graph.client import GraphClient
from .._graph.errors import M365Error, OptionError
from .._graph.query import path_segment
from .._graph.retry import RetryPolicy
from .._policy.facts import text
from .directory import find_groups, find_users

SELECTING = ("users", "groups", "all")
# So many users are read one by one; for more, everybody is read by the list.
FEW = 200
WAVE = 200
PAGE_SIZE = "999"
MOST_NAMED = 20
MOST_LISTED = 1000
# Graph's published limit of writes by one application in one tenant: so many in any so many seconds. Keeping to it is
# faster than being throttled.
MOST_WRITES, SPAN = 3000, 150.0


class SomeFailed(M365Error):
    """Some users could not be changed, or the waves were stopped. ``failures`` are sentences by name."""

    def __init__(self, lead: str, failures: Mapping[str, str], changed: int, remaining: int) -> None:
        self.failures, self.changed, self.remaining = dict(failures), changed, remaining
        shown = " ".join(f"{name}: {why}" for name, why in list(failures.items())[:MOST_NAMED])
        more = f" And {len(failures) - MOST_NAMED} more." if len(failures) > MOST_NAMED else ""
        said = f"{changed} {'user was' if changed == 1 else 'users were'} changed."
        super().__init__(f"{lead} {said} {shown}{more}".strip())

    def details(self) -> dict[str, Any]:
        return {"refused": self.failures, "changed": self.changed, "remaining": self.remaining}


@dataclass
class Pace:
    """Keeps the writes of a run within Graph's limit."""

    policy: RetryPolicy
    sent: deque[tuple[float, int]] = field(default_factory=deque)

    def wait_for(self, count: int) -> None:
        """Wait until so many more writes are within the limit."""
        while self.sent and sum(number for _when, number in self.sent) + count > MOST_WRITES:
            self.policy.pause(self.sent.popleft()[0] + SPAN - self.policy.clock())

    def note(self, count: int) -> None:
        """So many writes were sent just now."""
        self.sent.append((self.policy.clock(), count))


def refuse_bad_selection(options: Mapping[str, Any], about: str) -> None:
    """Raises OptionError unless ``users``, ``groups`` or ``all`` say who is meant. ``about`` completes 'whose ...'."""
    selecting = [name for name in SELECTING if options[name]]
    if not selecting:
        raise OptionError(f"Give 'users', 'groups' or 'all': whose {about}.")
    if options["all"] and len(selecting) > 1:
        raise OptionError("'all' is everybody; give no 'users' or 'groups' with it.")


def refuse_small_numbers(options: Mapping[str, Any], least_of: Mapping[str, int]) -> None:
    """Raises OptionError for a number that is given and less than the least one of its option."""
    for name, least in least_of.items():
        if options[name] is not None and options[name] < least:
            raise OptionError(f"{name} must be at least {least}, but is {options[name]}.")


def refuse_too_many(options: Mapping[str, Any], count: int) -> None:
    """Raises OptionError where more users would be changed than ``max_changes`` allows."""
    most = options["max_changes"]
    if most is not None and count > most:
        raise OptionError(
            f"{users_in_words(count)} would be changed, which is more than max_changes allows ({most}). "
            "Nothing was changed."
        )


def meant_users(client: GraphClient, users: Sequence[str], groups: Sequence[str]) -> frozenset[str]:
    """Ids in lower case of users and of those in groups, however deep. Raises OptionError for a name nobody has."""
    found = {identity.lower() for identity in find_users(client, list(dict.fromkeys(users)))} if users else set()
    for group in find_groups(client, list(dict.fromkeys(groups))) if groups else ():
        for page in client.pages(
            f"/groups/{path_segment(group)}/transitiveMembers",
            parameters={"$select": "id", "$top": PAGE_SIZE},
            action="list the members of a group",
        ):
            found.update(
                text(member, "id").lower() for member in page if text(member, "@odata.type") == "#microsoft.graph.user"
            )
    return frozenset(found)


def cut_into_waves(ids: Sequence[str], canary: int) -> list[Sequence[str]]:
    """The canary, if any, and then waves."""
    cut = [ids[:canary], *(ids[start : start + WAVE] for start in range(canary, len(ids), WAVE))]
    return [wave for wave in cut if wave]


def users_in_words(count: int) -> str:
    return f"{count} {'user' if count == 1 else 'users'}"
