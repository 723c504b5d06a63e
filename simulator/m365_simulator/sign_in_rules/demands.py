# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule can demand of a sign-in, and how far an attempt meets it.

What is not known is judged twice, once as favourable as it can be and once as unfavourable: every rule here only ever
makes a sign-in harder, so where both come to the same, everything between does too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from m365_simulator.sign_in_rules.attempt import Attempt, Mfa, SignIn
from m365_simulator.sign_in_rules.directory import Directory
from m365_simulator.sign_in_rules.methods import has_registered
from m365_simulator.sign_in_rules.person import Person
from m365_simulator.sign_in_rules.three_valued import Maybe

YES, AFTER_MFA, AFTER_REGISTRATION, NO = range(4)
SIGN_IN: tuple[SignIn, ...] = ("yes", "yes_after_mfa", "yes_after_registration", "no")
NEVER, WHEN_NECESSARY, ALWAYS = range(3)
MFA: tuple[Mfa, ...] = ("never", "when_necessary", "always")


@dataclass(frozen=True)
class Situation:
    """Somebody in front of the rules. `combinations` are of the attempt, see methods.usable_combinations;
    `may_register` says, for a favourable or unfavourable view, whether a method may be registered on the way in."""

    directory: Directory
    person: Person
    attempt: Attempt
    combinations: Mapping[str, Maybe]
    may_register: Callable[[bool], bool]


@dataclass(frozen=True)
class Block:
    pass


@dataclass(frozen=True)
class MultiFactor:
    """MFA by one of `accepts`. `registrable` may be registered on the way in. `rank` is ALWAYS or WHEN_NECESSARY;
    `asked` whether it is asked this time. `accepts` None is a custom strength whose combinations are not known."""

    accepts: frozenset[str] | None
    registrable: frozenset[str]
    rank: int = ALWAYS
    asked: Maybe = True


@dataclass(frozen=True)
class Registration:
    """A method for MFA is registered, or becomes so on the way in; `skip` while that can be put off."""

    accepts: frozenset[str]
    registrable: frozenset[str]
    skip: bool


@dataclass(frozen=True)
class Fact:
    """Something about the device or the program, which holds or does not."""

    holds: Maybe


@dataclass(frozen=True)
class Consent:
    """Terms of use: whoever sees a page can accept them."""


Control = Block | MultiFactor | Registration | Fact | Consent


@dataclass(frozen=True)
class Demand:
    """`controls` of which all are to be met, or one when `one_is_enough`. `applies` is True or unknown (None), for
    lack of what `unknown` names. `reason` is a sentence."""

    reason: str
    controls: tuple[Control, ...]
    one_is_enough: bool = False
    applies: Maybe = True
    unknown: tuple[str, ...] = field(default=(), compare=False)

    def sentence(self) -> str:
        if self.applies:
            return self.reason
        return f"Not certain, for lack of {' and '.join(self.unknown)}: {self.reason}"


def level(demands: Iterable[Demand], situation: Situation, *, favourable: bool) -> int:
    """How the sign-in ends under all demands: YES to NO."""
    return max((_level_of(demand, situation, favourable) for demand in demands), default=YES)


def rank(demands: Iterable[Demand], situation: Situation, *, favourable: bool) -> int:
    """What of MFA is demanded: NEVER to ALWAYS. What the person has registered plays no part."""
    return max((_rank_of(demand, situation, favourable) for demand in demands), default=NEVER)


def _level_of(demand: Demand, situation: Situation, favourable: bool) -> int:
    if demand.applies is None and favourable:
        return YES
    levels = [_level(control, situation, favourable) for control in demand.controls]
    return min(levels) if demand.one_is_enough else max(levels)


def _rank_of(demand: Demand, situation: Situation, favourable: bool) -> int:
    if demand.applies is None and favourable:
        return NEVER
    ranks = [_rank(control, favourable) for control in demand.controls if isinstance(control, MultiFactor)]
    others = [control for control in demand.controls if not isinstance(control, MultiFactor)]
    if demand.one_is_enough and any(_level(control, situation, favourable) == YES for control in others):
        return NEVER
    return max(ranks, default=NEVER)


def _rank(control: MultiFactor, favourable: bool) -> int:
    """What is asked when necessary stays so, whether or not it is asked this time."""
    if control.rank == ALWAYS and (control.asked is False or (control.asked is None and favourable)):
        return NEVER
    return control.rank


def _level(control: Control, situation: Situation, favourable: bool) -> int:
    match control:
        case Block():
            return NO
        case Fact():
            holds = favourable if control.holds is None else control.holds
            return YES if holds else NO
        case Consent():
            return NO if situation.attempt.legacy else YES
        case Registration():
            return _level_of_registration(control, situation, favourable)
        case MultiFactor():
            asked = not favourable if control.asked is None else control.asked
            return _level_of_mfa(control, situation, favourable) if asked else YES


def _level_of_registration(control: Registration, situation: Situation, favourable: bool) -> int:
    if has_registered(situation.person) or control.skip:
        return YES
    reached = _level_of_mfa(MultiFactor(control.accepts, control.registrable), situation, favourable)
    return YES if reached == AFTER_MFA else reached


def _level_of_mfa(control: MultiFactor, situation: Situation, favourable: bool) -> int:
    if situation.attempt.legacy:
        return NO
    if control.accepts is None:
        return AFTER_MFA if favourable and situation.combinations else NO
    for combination in control.accepts & situation.combinations.keys():
        if situation.combinations[combination] or favourable:
            return AFTER_MFA
    if control.registrable and situation.may_register(favourable):
        return AFTER_REGISTRATION
    return NO
