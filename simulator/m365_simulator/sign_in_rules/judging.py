# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All rules together: could this user sign in now, and would MFA be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from m365_simulator.sign_in_rules.applications import is_azure_management, is_microsoft_portal
from m365_simulator.sign_in_rules.attempt import Answer, Attempt
from m365_simulator.sign_in_rules.conditional_access import conditional_access_demands
from m365_simulator.sign_in_rules.demands import (
    AFTER_MFA,
    MFA,
    SIGN_IN,
    Block,
    Demand,
    MultiFactor,
    Situation,
    level,
    rank,
)
from m365_simulator.sign_in_rules.directory import Directory
from m365_simulator.sign_in_rules.methods import (
    ANY_MFA,
    can_identify,
    has_registered,
    lost_the_phone,
    registrable,
    usable_combinations,
)
from m365_simulator.sign_in_rules.per_user_mfa import app_password_works, per_user_mfa_demands
from m365_simulator.sign_in_rules.person import Person
from m365_simulator.sign_in_rules.security_defaults import security_defaults_demands
from m365_simulator.sign_in_rules.three_valued import Maybe, any_of, negate

REGISTERING = "urn:user:registersecurityinfo"


def judge(directory: Directory, attempt: Attempt) -> Answer:
    """The answer for one attempt. What the attempt leaves unknown makes it "unknown" only where that matters."""
    person = directory.person(attempt.user_id)
    if person is None:
        deleted = directory.is_deleted(attempt.user_id)
        return Answer("no", "unknown", ("The account is deleted." if deleted else "There is no such user.",))
    outcome = look(directory, person, attempt)
    mfa = MFA[outcome.asked] if outcome.asked == outcome.asked_at_most else "unknown"
    if not person.enabled:
        return Answer("no", mfa, ("The account is disabled.", *outcome.reasons))
    sign_in = SIGN_IN[outcome.best] if outcome.best == outcome.worst else "unknown"
    return Answer(sign_in, mfa, outcome.reasons or ("Nothing asks for more than the first factor.",))


@dataclass(frozen=True)
class Outcome:
    """`best` and `worst` are levels, `asked` and `asked_at_most` ranks of demands.py: the two ends of what the
    unknown leaves open."""

    best: int
    worst: int
    asked: int
    asked_at_most: int
    reasons: tuple[str, ...]


def look(directory: Directory, person: Person, attempt: Attempt) -> Outcome:
    """One attempt of a person whose account is taken to be enabled."""
    demands = _all_demands(directory, person, attempt)
    situation = _situation(directory, person, attempt)
    return Outcome(
        best=level(demands, situation, favourable=True),
        worst=level(demands, situation, favourable=False),
        asked=rank(demands, situation, favourable=True),
        asked_at_most=rank(demands, situation, favourable=False),
        reasons=tuple(dict.fromkeys(demand.sentence() for demand in demands)),
    )


def _all_demands(directory: Directory, person: Person, attempt: Attempt) -> list[Demand]:
    return [
        *_plain_demands(directory, person, attempt),
        *_mandatory_mfa_demands(directory, person, attempt),
        *security_defaults_demands(directory, person, attempt),
        *per_user_mfa_demands(directory, person, attempt),
        *conditional_access_demands(directory, person, attempt),
    ]


def _plain_demands(directory: Directory, person: Person, attempt: Attempt) -> list[Demand]:
    """What holds without any policy."""
    if attempt.legacy:
        reason = _legacy_refusal(directory, person, attempt)
        return [Demand(reason, (Block(),))] if reason else []
    applies = negate(can_identify(directory, person, attempt))
    if applies is False:
        return []
    reason = "The attempt brings nothing that a sign-in can begin with."
    return [Demand(reason, (Block(),), applies=applies, unknown=("the state of the method",))]


def _legacy_refusal(directory: Directory, person: Person, attempt: Attempt) -> str | None:
    """Exchange Online ended basic authentication in 2022, but for SMTP AUTH; other services have none."""
    if person.invited:
        return "A guest signs in at home, and has nothing here that a legacy protocol reaches."
    served = directory.assumes("basic_authentication")
    if served == "none" or (served == "smtp_only" and attempt.client_app == "exchangeActiveSync"):
        return "Exchange Online no longer takes a password by this protocol."
    brings_password = attempt.methods is None or "password" in attempt.methods
    if not brings_password and not app_password_works(directory, person, attempt):
        return "A legacy protocol takes a password or an app password only."
    return None


def _mandatory_mfa_demands(directory: Directory, person: Person, attempt: Attempt) -> list[Demand]:
    """Microsoft's own demand at its portals and for changes by Azure management; no policy excludes anybody from it
    (Microsoft's page "Planning for mandatory multifactor authentication")."""
    if attempt.legacy or attempt.user_action is not None:
        return []
    applies = any_of((is_microsoft_portal(attempt.application), is_azure_management(attempt.application)))
    if applies is False:
        return []
    control = MultiFactor(ANY_MFA, registrable(directory, person))
    reason = "Microsoft demands MFA of everybody at its administration portals and for Azure management."
    return [Demand(reason, (control,), applies=applies, unknown=("the application",))]


def _situation(directory: Directory, person: Person, attempt: Attempt) -> Situation:
    combinations = usable_combinations(directory, person, attempt)

    def may_register(favourable: bool) -> bool:
        return _may_register(directory, person, attempt, combinations, favourable)

    return Situation(directory, person, attempt, combinations, may_register)


def _may_register(
    directory: Directory, person: Person, attempt: Attempt, combinations: Mapping[str, Maybe], favourable: bool
) -> bool:
    """Whether the person may register a method on the way in, which is a user action that policies can reach."""
    if person.federation == "enforceMfaByFederatedIdp" or attempt.user_action is not None:
        return False
    own = usable_combinations(directory, person, replace(attempt, methods=None))
    own.pop("federatedMultiFactor", None)
    if _usable(own, favourable):
        may = _usable(combinations, favourable)  # who has a method must show it first
    else:
        after_loss = directory.assumes("registration_in_place_of_lost_method") == "yes"
        may = after_loss or not has_registered(person) or lost_the_phone(directory, person)
    if not may:
        return False
    registering = replace(attempt, user_action=REGISTERING)
    demands = conditional_access_demands(directory, person, registering)
    situation = Situation(directory, person, registering, combinations, lambda _favourable: False)
    return level(demands, situation, favourable=favourable) <= AFTER_MFA


def _usable(combinations: Mapping[str, Maybe], favourable: bool) -> bool:
    return any(value or favourable for value in combinations.values())
