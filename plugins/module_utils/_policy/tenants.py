# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tenants this collection may write to (private to the collection). Pure functions."""

from __future__ import annotations

from .facts import Fact

WORKFORCE = "AAD"

KINDS = {
    WORKFORCE: "an ordinary workforce tenant",
    "AAD B2C": "an Azure AD B2C tenant",
    "CIAM": "an external tenant for customers",
}


def describe_kind(tenant_type: str) -> str:
    return KINDS.get(tenant_type, f"a tenant of the kind '{tenant_type}'")


def refusal(kind: Fact) -> str | None:
    """Why nothing may be written here, or None for an ordinary workforce tenant. ``kind`` holds tenantType."""
    if not kind.known:
        return f"What kind of tenant this is could not be read, so nothing is written: {kind.reason}"
    if kind.value != WORKFORCE:
        return f"This is {describe_kind(kind.value)}; zerotrust.m365 only changes ordinary workforce tenants."
    return None
