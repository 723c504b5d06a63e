# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a seed stands for: a tenant, a playbook, its variables, and what goes wrong meanwhile.

How often something occurs is made for much variety in few runs; no statistics stand behind it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from m365_simulator.assumptions import ASSUMPTIONS


@dataclass(frozen=True)
class Way:
    """A playbook, and how it is run. ``emergency``, ``methods`` and ``retires`` tell whether it makes emergency
    accounts, migrates the methods, and takes per-user MFA away."""

    playbook: str
    weight: float
    requests: int
    """Of a usual run: a fault that waits for one of them meets it more often than not."""
    options: tuple[str, ...] = ()
    emergency: bool = False
    methods: bool = False
    retires: bool = False


WITHOUT_EMERGENCY = ("--skip-tags", "emergency_access")
IN_SHORT = ("--tags", "security_defaults,per_user_mfa_retirement")
RESTORE, SHORT_MIGRATION = "restore_per_user_mfa", "migrate_per_user_mfa_in_short"
SHORT_BASELINE = "baseline_in_short"
WAYS = {
    "baseline": Way("baseline", 20, 11, WITHOUT_EMERGENCY),
    SHORT_BASELINE: Way("baseline", 58, 7, ("--tags", "security_defaults")),
    "baseline_and_retirement": Way("baseline", 6, 25, WITHOUT_EMERGENCY, retires=True),
    "baseline_without_emergency_access": Way("baseline", 2, 50, WITHOUT_EMERGENCY, methods=True, retires=True),
    "baseline_with_emergency_access": Way("baseline", 1, 60, emergency=True),
    "emergency_access": Way("emergency_access", 2, 50, emergency=True),
    SHORT_MIGRATION: Way("migrate_per_user_mfa", 5, 25, IN_SHORT, retires=True),
    "migrate_per_user_mfa": Way("migrate_per_user_mfa", 1, 50, WITHOUT_EMERGENCY, methods=True, retires=True),
    RESTORE: Way("restore_per_user_mfa", 5, 20),
}
"""By what they are called here. The weights keep 2,000 of them within an hour on two idle cores: what makes
emergency accounts takes ten times as long as what only turns security defaults on."""
USERS = {"least": 8, "most": 40}
LICENCES = {"free": 55, "P1": 20, "P2": 10, "lapsed": 15}
"""Where there are fewer Conditional Access policies, more is to be done."""
WITH_PER_USER_MFA = {
    "licences": {"free": 90, "P1": 10},
    "protections": {"per-user MFA": 80, "nothing": 10, "security defaults": 10},
}

TAKES_NO_WAY_IN = 0.7
"""Of the cases. In the others, security defaults wait where all that somebody has registered is switched off."""
REGISTRATION = "registration_in_place_of_lost_method"
UNSEEN = ("legacy_verification_options", "registered_software_token")
SETTLED = {REGISTRATION: "yes"}
"""Only where somebody takes the risk ``no_way_in`` on purpose, and where the legacy settings allow less than all, or
tokens are of another application than Microsoft Authenticator, which Graph does not show. Elsewhere nobody may be
locked out, even if Entra registers nothing in the place of what is off."""

SPREADS = "security_defaults_take_effect_after_seconds"
"""Not where per-user MFA is taken away: nobody waits here for what covers to spread (``settle_time``)."""

HIDDEN = ("security_defaults_hidden_blocker", "security_defaults_blocked_by", "security_defaults_blocked_answer")
"""Assumptions by which Graph refuses security defaults for a reason that cannot be read."""

VERIFICATION_OPTIONS = (
    "call_to_phone",
    "text_message_to_phone",
    "notification_through_mobile_app",
    "verification_code_from_mobile_app_or_hardware_token",
)
PASSWORD_RESET = ("mobile_app_notification", "mobile_app_code", "mobile_phone", "office_phone", "email")

FOR_GOOD = 900
"""Seconds of a Retry-After that nobody waits for, so that the request fails at once."""


@dataclass(frozen=True)
class Case:
    """``scenario`` and ``faults`` are as the simulator reads them, ``variables`` those of the host."""

    seed: int
    playbook: str
    scenario: Mapping[str, Any]
    variables: Mapping[str, Any]
    faults: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of its host, and of its scenario."""
        return f"seed{self.seed}"

    @property
    def way(self) -> Way:
        return WAYS[self.playbook]


def draw_case(seed: int, playbook: str | None = None) -> Case:
    """The same one every time. ``playbook`` is one of WAYS; None draws that too."""
    weights = [way.weight for way in WAYS.values()]
    playbook = playbook or _random(seed, "playbook").choices(tuple(WAYS), weights)[0]
    return Case(
        seed=seed,
        playbook=playbook,
        scenario=_scenario(seed, WAYS[playbook]),
        variables=_variables(_random(seed, "variables"), WAYS[playbook], _takes_no_way_in(seed, WAYS[playbook])),
        faults=_plan(_random(seed, "faults"), seed, WAYS[playbook].requests),
    )


def without_faults(case: Case) -> Case:
    """The same with nothing in the way that Graph does not show: a dry run cannot predict that."""
    seen = {name: value for name, value in case.scenario["assumptions"].items() if name not in HIDDEN}
    return replace(case, faults={}, scenario={**case.scenario, "assumptions": seen})


def _random(seed: int, purpose: str) -> random.Random:
    return random.Random(f"{seed}/{purpose}")


def _scenario(seed: int, way: Way) -> dict[str, Any]:
    rng = _random(seed, "assumptions")
    assumptions = {
        name: rng.choice([value for value in known.values if value != known.default])
        for name, known in sorted(ASSUMPTIONS.items())
        if rng.random() < 0.06 and not (way.retires and name == SPREADS)
    }
    more: dict[str, Any] = WITH_PER_USER_MFA if way.retires or way is WAYS[RESTORE] else {"licences": LICENCES}
    if _takes_no_way_in(seed, way) or assumptions.keys() & {*UNSEEN}:
        assumptions |= SETTLED
    return {"seed": seed, "drawn": {"users": USERS, **more}, "assumptions": assumptions}


def _takes_no_way_in(seed: int, way: Way) -> bool:
    """Where states are to be given back, they have to be taken away first."""
    return way is WAYS[RESTORE] or _random(seed, "no way in").random() < TAKES_NO_WAY_IN


def _variables(rng: random.Random, way: Way, takes_no_way_in: bool) -> dict[str, Any]:
    """Without the folders."""
    reset = {"enabled_for": "everybody", "methods": _some(rng, PASSWORD_RESET)}
    legacy = {
        "authentication_methods_legacy_verification_options": _some(rng, VERIFICATION_OPTIONS),
        "authentication_methods_legacy_password_reset": rng.choice(({"enabled_for": "nobody"}, reset)),
    }
    return {
        "security_defaults_accept_risks": ["unproven_emergency_access", *(["no_way_in"] if takes_no_way_in else [])],
        **(legacy if way.methods else {}),
        "per_user_mfa_retirement_settle_time": 0,
        "per_user_mfa_retirement_canary": rng.randint(0, 5),
        "per_user_mfa_retirement_wave_size": rng.randint(3, 20),
        "emergency_access_accounts": [_account(rng, number) for number in range(1, rng.choice((1, 1, 2)) + 1)],
        "emergency_access_allow_unproven": True,
        "emergency_access_wanted": 1,
        "preflight_show_summary": rng.random() < 0.2,
    }


def _account(rng: random.Random, number: int) -> dict[str, Any]:
    account: dict[str, Any] = {"name": f"breakglass{number}", "display_name": f"Break glass {number}"}
    drawn = rng.random()
    if drawn < 0.25:
        account["second_factor"] = "temporary_access_pass"
    elif drawn < 0.4:
        account.update(second_factor="certificate", certificate_user_ids=[f"X509:<PN>breakglass{number}@example.com"])
    elif drawn < 0.5:
        account.update(attested=["totp_token"])
    return account


def _some(rng: random.Random, values: tuple[str, ...]) -> list[str]:
    return [value for value in values if rng.random() < 0.5]


def _plan(rng: random.Random, seed: int, requests: int) -> dict[str, Any]:
    plan: dict[str, Any] = {
        "seed": seed,
        "time_scale": 20,
        "faults": [_fault(rng, requests) for _unused in range(rng.choice((1, 1, 2, 2, 3, 4)))],
    }
    if rng.random() < 0.1:
        plan["limits"] = rng.choice(({"directory": 12}, {"writes": 8}, {"conditional_access": 1}, {"reports": 1}))
    return plan


def _fault(rng: random.Random, requests: int) -> dict[str, Any]:
    kind = rng.choices(tuple(KINDS), [weight for weight, _unused in KINDS.values()])[0]
    where = {"path": rng.choices(PATHS, (80, 8, 6, 4, 2))[0]}
    many: dict[str, Any] = {"after": rng.randrange(requests), "times": rng.choice((1, 1, 1, 2, 3))}
    if rng.random() < 0.15:
        many = {"probability": round(rng.uniform(0.02, 0.1), 3), "times": rng.randint(1, 4)}
    return {**where, **many, **KINDS[kind][1](rng)}


GRAPH = r"^/(v1\.0|beta)/(?!\$batch)"
"""Neither sign-in nor a $batch, whose verbs say nothing of what they write."""
PATHS = (".", "/users", "/policies/", "/groups|/directoryRoles|/roleManagement", "/token$")


def _passing(rng: random.Random) -> dict[str, Any]:
    """Goes by within the retries of the client."""
    status = rng.choice((429, 429, 500, 502, 503, 504))
    return {"status": status, "retry_after": rng.choice((0, 0.05, 0.3, 1)), **_body(rng)}


def _without_retry_after(rng: random.Random) -> dict[str, Any]:
    return {
        "status": rng.choice((429, 500, 503, 504)),
        "times": 1,
        "when": rng.choice(("before", "after")),
        **_body(rng),
    }


def _final(rng: random.Random) -> dict[str, Any]:
    """No retry helps."""
    if rng.random() < 0.4:
        return {"status": rng.choice((429, 503)), "retry_after": FOR_GOOD, "times": None}
    return {"status": rng.choice((400, 403, 404, 409, 500)), "times": rng.choice((1, None)), **_body(rng)}


def _body(rng: random.Random) -> dict[str, Any]:
    return {"body": rng.choice(("graph", "graph", "html", "empty"))}


def _lost_answer(rng: random.Random) -> dict[str, Any]:
    """The write took effect, but nobody is told so."""
    lost = rng.choice(({"status": "reset"}, {"status": 504, "body": "html"}, {"kind": "not_json"}, {"status": 400}))
    return {
        **lost,
        "path": GRAPH,
        "method": ["POST", "PATCH", "PUT", "DELETE"],
        "when": "after",
        "after": rng.randrange(8),
    }


def _reset(rng: random.Random) -> dict[str, Any]:
    return {"status": "reset", "when": rng.choice(("before", "after"))}


def _slow(rng: random.Random) -> dict[str, Any]:
    return {"kind": "slow", "seconds": rng.choice((2, 5, 20))}


def _unreadable(rng: random.Random) -> dict[str, Any]:
    return {"kind": rng.choice(("truncated", "not_json"))}


def _token_expired(rng: random.Random) -> dict[str, Any]:
    return {"kind": "token_expired"}


def _late(rng: random.Random) -> dict[str, Any]:
    how_long = rng.choice(({"reads": rng.randint(1, 4)}, {"seconds": rng.randint(5, 60)}))
    return {"kind": "late_visibility", "path": GRAPH, "method": "POST", "after": rng.randrange(6), **how_long}


def _stale(rng: random.Random) -> dict[str, Any]:
    how_long = rng.choice(({"reads": rng.randint(1, 4)}, {"seconds": rng.randint(5, 60)}))
    return {"kind": "stale", "path": GRAPH, "after": rng.randrange(8), "share": rng.choice((0.5, 1)), **how_long}


KINDS = {
    "passing": (22, _passing),
    "without_retry_after": (10, _without_retry_after),
    "final": (14, _final),
    "lost_answer": (16, _lost_answer),
    "reset": (10, _reset),
    "slow": (3, _slow),
    "unreadable": (8, _unreadable),
    "token_expired": (5, _token_expired),
    "late": (6, _late),
    "stale": (10, _stale),
}
"""Weights, and what draws the keys of a fault."""
