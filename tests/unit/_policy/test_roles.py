# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from uuid import UUID

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.roles import (
    DIRECTORY_SYNCHRONIZATION_ACCOUNTS,
    GLOBAL_ADMINISTRATOR,
    PROTECTED_BY_SECURITY_DEFAULTS,
)


def test_security_defaults_protect_sixteen_roles() -> None:
    assert len(PROTECTED_BY_SECURITY_DEFAULTS) == len(set(PROTECTED_BY_SECURITY_DEFAULTS.values())) == 16
    assert PROTECTED_BY_SECURITY_DEFAULTS[GLOBAL_ADMINISTRATOR] == "Global Administrator"


def test_synchronisation_accounts_are_exempt() -> None:
    assert DIRECTORY_SYNCHRONIZATION_ACCOUNTS not in PROTECTED_BY_SECURITY_DEFAULTS


def test_role_ids_are_spelled_as_graph_spells_them() -> None:
    ids = [*PROTECTED_BY_SECURITY_DEFAULTS, DIRECTORY_SYNCHRONIZATION_ACCOUNTS]
    assert ids == [str(UUID(role)) for role in ids]
