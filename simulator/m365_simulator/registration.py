# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people do by themselves between two runs: they register authentication methods."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from m365_simulator.errors import SimulatorError
from m365_simulator.graph.reports import MFA_METHODS
from m365_simulator.graph.user_methods import invented_passkey
from m365_simulator.graph.users import METHOD_TYPES, MFA_STATE
from m365_simulator.sign_in_rules.methods import PASSKEYS
from m365_simulator.state import TenantStore


def register(store: TenantStore, user: str, methods: Iterable[str]) -> dict[str, object]:
    """Add methods (vocabulary of the registration report) to a user, by id or principal name; returns what stands then.

    A user whose per-user MFA is `enabled` becomes `enforced` with the first method that serves for MFA, as Microsoft's
    page "Enable per-user multifactor authentication" says. Raises SimulatorError.
    """
    row = store.read("user", user) or store.read_by_name("user", user)
    if row is None:
        raise SimulatorError(f"There is no user {user}.")
    wanted = list(methods)
    unknown = [name for name in wanted if name not in METHOD_TYPES]
    if unknown:
        raise SimulatorError(f"There is no method {unknown[0]!r}; choose from {', '.join(sorted(METHOD_TYPES))}.")
    registered = list(dict.fromkeys([*row.private.get("methodsRegistered", []), *wanted]))
    private = {**row.private, "methodsRegistered": registered}
    if "passkeys" in private:
        new = [invented_passkey(row, name, str(uuid.uuid4())) for name in wanted if name in PASSKEYS]
        private["passkeys"] = [*private["passkeys"], *new]
    document = note_registration(row.document, registered)
    store.update("user", row.id, document=document, private=private)
    return {"id": row.id, "methodsRegistered": registered, MFA_STATE: document[MFA_STATE]}


def note_registration(document: Mapping[str, Any], registered: Iterable[str]) -> dict[str, Any]:
    """The user as these methods make it: in per-user MFA, `enabled` becomes `enforced`."""
    if document[MFA_STATE] == "enabled" and any(name in MFA_METHODS for name in registered):
        return {**document, MFA_STATE: "enforced"}
    return dict(document)
