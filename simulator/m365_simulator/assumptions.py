# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Behaviours that no public source settles. Each is a named switch, so that tests can run under every value."""

from __future__ import annotations

from dataclasses import dataclass

from m365_simulator.errors import SimulatorError


@dataclass(frozen=True)
class Assumption:
    values: tuple[str, ...]
    default: str
    meaning: str


ASSUMPTIONS: dict[str, Assumption] = {
    "security_defaults_blocked_by": Assumption(
        ("enabled", "any", "nothing"),
        "enabled",
        "which Conditional Access policies keep security defaults from being enabled",
    ),
    "security_defaults_blocked_answer": Assumption(
        ("400", "403", "ignored"),
        "400",
        "how Graph answers when they do; `ignored` is 204 with isEnabled left false",
    ),
    "conditional_access_read_on_free": Assumption(
        ("200", "403"), "200", "how Graph answers the list of Conditional Access policies to a tenant without P1"
    ),
    "mfa_service_policy": Assumption(
        ("200", "403", "404"), "200", "whether the undocumented /beta/policies/mfaServicePolicy is there"
    ),
    "user_mfa_state_in_list": Assumption(
        ("present", "absent"), "present", "whether users carry the undocumented property perUserMfaState"
    ),
}


def default_assumptions() -> dict[str, str]:
    return {name: assumption.default for name, assumption in ASSUMPTIONS.items()}


def check_assumption(name: str, value: str) -> None:
    """Raise SimulatorError when there is no such assumption, or it has no such value."""
    if name not in ASSUMPTIONS:
        raise SimulatorError(f"There is no assumption {name!r}; choose from {', '.join(sorted(ASSUMPTIONS))}.")
    if value not in ASSUMPTIONS[name].values:
        raise SimulatorError(
            f"The assumption {name} has no value {value!r}; choose from {', '.join(ASSUMPTIONS[name].values)}."
        )
