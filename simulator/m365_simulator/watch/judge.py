# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The watch asks the sign-in rules, and remembers what they said of people in the same situation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from m365_simulator.sign_in_rules import Directory, Person, Protection, protection, protections
from m365_simulator.state import TenantStore
from m365_simulator.tenants import Tenant
from m365_simulator.watch.run import Look

FEW = 50
"""So many people are read one by one; more are found among all."""
SECONDS_OLD = 60
REMEMBERED = 8
OF_ITS_OWN = ("now", "known_protections", "evaluations")


class SignInRules:
    """A directory serves again when only people have changed. What was answered for a person serves for every equal
    one, in whichever tenant, as long as all settings are equal and the minute is the same."""

    def __init__(self) -> None:
        self._directories: dict[str, Directory] = {}
        self._known: dict[str, dict[Person, Protection]] = {}

    def __call__(self, store: TenantStore, tenant: Tenant, now: float, only_people_changed: bool) -> Look:
        directory = self._directories.get(tenant.id)
        if directory is None or not only_people_changed or not _is_fresh(directory, now):
            directory = self._directories[tenant.id] = Directory.read(store, tenant, now)
            directory.known_protections = self._remembered(_settings(directory))
        else:
            directory.forget_people()
        return lambda users: _protections(directory, users)

    def _remembered(self, settings: str) -> dict[Person, Protection]:
        known = self._known.pop(settings, {})
        self._known[settings] = known
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return known


def _is_fresh(directory: Directory, now: float) -> bool:
    return abs(now - directory.now) < SECONDS_OLD and directory.security_defaults is not None


def _settings(directory: Directory) -> str:
    """All that an answer depends on but the person, and the moment within its minute."""
    settings = {name: value for name, value in vars(directory).items() if name[0] != "_" and name not in OF_ITS_OWN}
    return json.dumps([settings, directory.now // SECONDS_OLD], sort_keys=True, default=str)


def _protections(directory: Directory, users: Sequence[str] | None) -> Iterator[tuple[str, Protection]]:
    if users is not None and len(users) <= FEW:
        yield from ((user, protection(directory, user)) for user in users)
    else:
        wanted = None if users is None else set(users)
        yield from ((user, found) for user, found in protections(directory) if wanted is None or user in wanted)
