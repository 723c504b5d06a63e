# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts as lines for a person (private to the collection). Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .conditional_access import DISABLED, ENABLED, REPORT_ONLY

WIDTH = 24


def tenant_lines(tenant: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One line for each fact of ``tenant_info``'s result, in a fixed order. Raises KeyError, TypeError."""
    lines = []
    for name, (title, describe) in LINES.items():
        if name not in tenant:
            continue
        fact = tenant[name]
        told = describe(fact["value"]) if fact["completeness"] == "known" else f"UNKNOWN: {fact['reason']}"
        lines.append(f"{title:<{WIDTH}}{told}")
    return lines


def _organization(value: Mapping[str, Any]) -> str:
    synchronised = "synchronised from on premises" if value["synchronised"] else "cloud only"
    return f"{value['display_name']}, {value['country'] or 'country not set'}, {synchronised}"


def _kind(value: str) -> str:
    return "workforce tenant" if value == "AAD" else f"{value}: not supported, nothing will be changed"


def _domains(value: list[Mapping[str, Any]]) -> str:
    initial = [domain["name"] for domain in value if domain["initial"]]
    return f"{len(value)}, initial {', '.join(initial) or 'none'}"


def _federation(value: list[Mapping[str, Any]]) -> str:
    return (
        ", ".join(f"{entry['domain']} ({entry['federated_idp_mfa_behavior'] or 'MFA not set'})" for entry in value)
        or "none"
    )


def _licences(value: Mapping[str, Any]) -> str:
    return f"Microsoft Entra ID {value['tier']}"


def _security_defaults(value: Mapping[str, Any]) -> str:
    return "on" if value["enabled"] else "off"


def _authentication_methods(value: Mapping[str, Any]) -> str:
    methods = ", ".join(value["enabled_methods"]) or "none"
    return f"{methods} ({value['migration_state']}); {value['registration_reach']} can register MFA"


def _conditional_access(value: Mapping[str, list[str]]) -> str:
    usual = {ENABLED: "enabled", REPORT_ONLY: "report-only", DISABLED: "disabled"}
    return ", ".join(
        [f"{len(value[state])} {title}" for state, title in usual.items()]
        + [f"{len(names)} {state}" for state, names in sorted(value.items()) if state not in usual]
    )


def _privileged_roles(value: Mapping[str, Any]) -> str:
    line = (
        f"{len(value['protected_administrators'])} in the roles that security defaults protect, "
        f"{len(value['other_administrators'])} in others"
    )
    exempt = value["directory_synchronization_accounts"]
    return f"{line}; synchronisation accounts: {', '.join(exempt)}" if exempt else line


def _users(value: Mapping[str, int]) -> str:
    return (
        f"{value['total']} ({value['members']} members, {value['guests']} guests, "
        f"{value['synchronised']} synchronised, {value['disabled']} disabled)"
    )


def _per_user_mfa(value: Mapping[str, int]) -> str:
    return f"{value['enforced']} enforced, {value['enabled']} enabled, {value['disabled']} disabled"


def _region(value: Mapping[str, str]) -> str:
    return f"{value['scope']} ({value['cloud']})"


LINES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "organization": ("Organization", _organization),
    "kind": ("Kind", _kind),
    "region": ("Region", _region),
    "licences": ("Licence", _licences),
    "domains": ("Domains", _domains),
    "federation": ("Federated domains", _federation),
    "users": ("Users", _users),
    "privileged_roles": ("Administrators", _privileged_roles),
    "security_defaults": ("Security defaults", _security_defaults),
    "conditional_access": ("Conditional Access", _conditional_access),
    "per_user_mfa": ("Per-user MFA", _per_user_mfa),
    "authentication_methods": ("Methods", _authentication_methods),
}
