# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios drawn from a seed: each a plausible tenant that keeps Entra's rules.

How often something occurs is an assumption of ours, made to have much variety in few tenants; no statistics stand
behind it. What can occur together follows Entra:

- no Conditional Access policy is enabled while security defaults are on;
- there are Conditional Access policies only with Entra ID P1, or left over from P1 that has run out;
- the first Global Administrator is a cloud account that is enabled, has Microsoft Authenticator, and is spared by
  every policy that could refuse it. The others, emergency accounts too, may be locked out, as it happens.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from m365_simulator.drawing.conditional_access import draw_conditional_access
from m365_simulator.drawing.facts import Facts, draw_facts
from m365_simulator.drawing.groups import draw_groups
from m365_simulator.drawing.people import draw_people
from m365_simulator.drawing.policies import draw_policies
from m365_simulator.names import COUNTRIES

BEHAVIOURS = ("acceptIfMfaDoneByFederatedIdp", "enforceMfaByFederatedIdp", "rejectMfaByFederatedIdp", None)


class Drawn(NamedTuple):
    """What was decided, and the scenario that follows from it."""

    facts: Facts
    scenario: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """For people and for tests that choose among tenants. No secret is in it."""
        scenario = {key: value for key, value in self.scenario.items() if key != "application"}
        return {"description": self.facts.describe(), "facts": asdict(self.facts), "scenario": scenario}


def draw_scenario(rng: random.Random, content: Mapping[str, Any], users: int | None) -> Drawn:
    """What is not said in `content`, a scenario with the key `drawn`. `users` None draws the size too.

    A key of the top level that `content` has replaces what was drawn; keeping the rules is then up to its author.
    """
    facts = draw_facts(rng, content["drawn"], users)
    people = draw_people(rng, facts)
    drawn: dict[str, Any] = {
        **_draw_company(rng, facts),
        "people": people,
        **draw_groups(rng, facts, people["named"]),
        **draw_policies(rng, facts),
        **draw_conditional_access(rng, facts, people["named"][0]["name"]),
        "sign_ins": {"days": rng.choice((7, 14, 30)), "most": 50, "legacy_share": round(rng.uniform(0, 0.3), 3)},
    }
    given = {name: value for name, value in content.items() if name != "drawn"}
    return Drawn(facts, {**drawn, **given, "description": facts.describe()})


def _draw_company(rng: random.Random, facts: Facts) -> dict[str, Any]:
    country, region = rng.choice(COUNTRIES)
    domains: list[dict[str, Any]] = []
    if facts.has_own_domain:
        domains.append({"name": f"{facts.label}.example", "default": True})
    if facts.federated_domain:
        domains.append(
            {"name": facts.federated_domain, "federation": {"federatedIdpMfaBehavior": rng.choice(BEHAVIOURS)}}
        )
    return {
        "tenant": {
            "display_name": facts.company,
            "initial_domain": facts.label,
            "country": country,
            "region": region,
            "age_days": facts.age_days,
            "classic_policies": facts.classic_policies,
        },
        "domains": domains,
        "subscriptions": [{**subscription, "bought": facts.users + 5} for subscription in facts.subscriptions],
    }
