# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What per-user MFA and its legacy service settings demand (Microsoft's page "Enable per-user multifactor
authentication"; the settings as live tools read them from mfaServicePolicy)."""

from __future__ import annotations

from m365_simulator.sign_in_rules.attempt import Attempt
from m365_simulator.sign_in_rules.conditional_access import in_mfa_trusted_ips, not_remembered
from m365_simulator.sign_in_rules.demands import Block, Demand, MultiFactor
from m365_simulator.sign_in_rules.directory import Directory
from m365_simulator.sign_in_rules.methods import ANY_MFA, registrable
from m365_simulator.sign_in_rules.person import Person
from m365_simulator.sign_in_rules.three_valued import Maybe, all_of, any_of, negate


def per_user_mfa_demands(directory: Directory, person: Person, attempt: Attempt) -> list[Demand]:
    state = person.per_user_mfa
    if state == "disabled" or attempt.user_action is not None:
        return []
    if attempt.legacy:
        if state == "enabled" or app_password_works(directory, person, attempt):
            return []
        return [Demand("Per-user MFA is enforced: a legacy protocol needs an app password.", (Block(),))]
    applies = negate(any_of((in_mfa_trusted_ips(directory, attempt), _skips_federated(directory, person, attempt))))
    if applies is False:
        return []
    control = MultiFactor(ANY_MFA, registrable(directory, person), asked=not_remembered(directory, attempt))
    unknown = ("the place",) if applies is None else ()
    return [Demand(f"Per-user MFA is {state}.", (control,), applies=applies, unknown=unknown)]


def app_password_works(directory: Directory, person: Person, attempt: Attempt) -> bool:
    """One was made, the settings allow it, and the attempt brings it. Without per-user MFA they are void."""
    return (
        "appPassword" in person.methods
        and person.per_user_mfa != "disabled"
        and bool(directory.service.get("allowAppPasswords"))
        and (attempt.methods is None or "appPassword" in attempt.methods)
    )


def _skips_federated(directory: Directory, person: Person, attempt: Attempt) -> Maybe:
    skips = bool((directory.service.get("trustedIps") or {}).get("skipMfaForFederatedUsers"))
    inside = False if attempt.outside_named_locations else attempt.inside_corporate_network
    return all_of((skips and person.federation is not None, inside))
