# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that one simulator holds: tenants, state, keys, clock, journal, faults; and how it starts and resets."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from m365_simulator.assumptions import check_assumption
from m365_simulator.builder import build_tenant, describe_tenant
from m365_simulator.building.making import scenario_random
from m365_simulator.clock import Clock, to_stamp
from m365_simulator.drawing import Drawn, draw_scenario
from m365_simulator.errors import SimulatorError
from m365_simulator.faults.in_force import Faults
from m365_simulator.faults.plan import Plan, load_plan
from m365_simulator.graph.service import GraphService
from m365_simulator.journal import Journal
from m365_simulator.keys import SigningKey, make_certificate
from m365_simulator.objects import GRAPH_APP_ID, SECRET_FACTS
from m365_simulator.resource_manager import ResourceManager
from m365_simulator.scenarios import load_scenario
from m365_simulator.sign_in import SignInService
from m365_simulator.state import Store
from m365_simulator.tenants import Tenant
from m365_simulator.tokens import Tokens
from m365_simulator.watch import Watch
from m365_simulator.watch.judge import SignInRules


@dataclass(frozen=True)
class Options:
    """What a simulation is made of. `scenarios` are taken in turn when there are more tenants; `faults` is a plan."""

    scenarios: tuple[str, ...] = ("greenfield",)
    tenants: int | None = None
    users: int | None = None
    seed: int = 1
    state: Path | None = None
    assumptions: Mapping[str, str] | None = None
    faults: Path | None = None


class Simulation:
    """`urls` are the addresses under which this simulator answers, the first one being the preferred. Raises
    SimulatorError for bad options or an unusable state file."""

    def __init__(self, options: Options, urls: Sequence[str]) -> None:
        self.clock, self.journal = Clock(), Journal()
        self.faults = Faults(self.clock)
        faults = Plan() if options.faults is None else load_plan(options.faults)
        self.url = urls[0]
        self.store = Store(options.state)
        self._drawn_scenarios: dict[int, Drawn] = {}
        kept = self.store.setting("plan")
        try:
            plan = self._make_plan(options) if kept is None else _check_same(kept, options)
            self._plan: dict[str, Any] = plan
            self.token_key = self._key("token key")
            self.client_key = self._key("client key")
            if kept is None:
                self.tenants = self._create_tenants()
            else:
                self.tenants = {item["id"]: Tenant.from_json(item) for item in self.store.setting("tenants")}
            self._wanted_assumptions = dict(options.assumptions or {})
            for tenant in self.tenants.values():
                self.assume(tenant, self._wanted_assumptions)
            self.keep()
            self.faults.tenants = frozenset(self.tenants)
            self.faults.start(faults)
        except BaseException:
            self.store.close()
            raise
        audiences = frozenset({*urls, *(f"{url}/" for url in urls), GRAPH_APP_ID})
        self.tokens = Tokens(self.token_key, self.clock, audiences)
        self.sign_in = SignInService(self.store, self.tenants, self.tokens, self.clock, self.token_key, audiences)
        self.resource_manager = ResourceManager(self.store, self.tenants, self.tokens)
        self.sign_in.expected_login_urls = tuple(urls)
        self.sign_in.federation_issuer = f"{self.url}/_federation"
        if self.store.setting("federation key") is not None:
            self.federation_key()
        self.watch = Watch(self.store, self.tenants, self.clock, SignInRules())
        self.graph = GraphService(
            self.store,
            self.tenants,
            self.tokens,
            self.clock,
            self.journal,
            self.faults,
            self.watch,
            random.Random(f"{plan['seed']}/answers"),
        )

    @property
    def first(self) -> Tenant:
        return next(iter(self.tenants.values()))

    def federation_key(self) -> SigningKey:
        """Made when first wanted: most runs never sign in by federation."""
        if self.sign_in.federation_key is None:
            self.sign_in.federation_key = self._key("federation key")
            self.store.commit()
        return self.sign_in.federation_key

    def reset(self, tenant: Tenant | None = None) -> None:
        """Back to the start: state, applications and their permissions, and, for all tenants, clock, journal and
        faults too. Ids and secrets stay, so that clients need nothing new."""
        for item in self.tenants.values() if tenant is None else (tenant,):
            fresh = self._describe(item.number)
            fresh.application.client_secret = item.application.client_secret
            fresh.application.certificate = item.application.certificate
            item.application, item.assumptions = fresh.application, fresh.assumptions
            self.assume(item, self._wanted_assumptions)
            self.store.tenant(item.number).clear()
            self._build(item)
            self.faults.forget(item.id)
            self.watch.start(item)
        if tenant is None:
            self.clock.offset = 0.0
            self.journal.clear()
            self.faults.restart()
        self.keep()

    def assume(self, tenant: Tenant, wanted: Mapping[str, str]) -> None:
        """Raises SimulatorError for an unknown assumption or value."""
        for name, value in wanted.items():
            check_assumption(name, value)
            tenant.assumptions[name] = value

    def keep(self) -> None:
        """Write applications and assumptions, which tests may change, to the state."""
        self.store.keep_setting("plan", self._plan)
        self.store.keep_setting("tenants", [tenant.as_json() for tenant in self.tenants.values()])
        self.store.commit()

    def dump(self, tenant: Tenant) -> dict[str, Any]:
        """The whole state of one tenant, with what Graph does not show under `_private`. No secret is in it.

        `drawn` says what was drawn from the seed, in a tenant that was, and is else null.
        """
        store = self.store.tenant(tenant.number)
        application = tenant.as_json()["application"]
        del application["client_secret"]
        drawn = self._drawn(tenant.number)
        objects = {
            kind: [
                {**row.document, "_private": _without_secrets(row.private)} if row.private else row.document
                for row in store.rows(kind)
            ]
            for kind in store.kinds()
        }
        return {
            "tenant_id": tenant.id,
            "scenario": tenant.scenario,
            "initial_domain": tenant.initial_domain,
            "region": tenant.region,
            "kind": tenant.kind,
            "application": application,
            "assumptions": tenant.assumptions,
            "drawn": None if drawn is None else drawn.as_json(),
            "objects": objects,
            "memberships": store.links(),
        }

    def close(self) -> None:
        self.store.close()

    def _make_plan(self, options: Options) -> dict[str, Any]:
        count = options.tenants or len(options.scenarios)
        loaded = [load_scenario(name) for name in options.scenarios]
        return {
            "asked": _asked(options),
            "scenarios": loaded,
            "count": count,
            "seed": options.seed,
            "users": options.users,
            "started": float(int(self.clock.now())),
        }

    def _key(self, name: str) -> SigningKey:
        pem = self.store.setting(name)
        if pem is None:
            key = SigningKey.generate()
            self.store.keep_setting(name, key.pem)
            return key
        return SigningKey.from_pem(pem)

    def _scenario_of(self, number: int) -> tuple[str, dict[str, Any], int]:
        scenarios = self._plan["scenarios"]
        name, content = scenarios[number % len(scenarios)]
        drawn = self._drawn(number)
        content = content if drawn is None else drawn.scenario
        repeat = sum(scenarios[earlier % len(scenarios)][0] == name for earlier in range(number))
        return name, content, repeat

    def _drawn(self, number: int) -> Drawn | None:
        """Of a tenant whose scenario is drawn from the seed; None for the others."""
        scenarios = self._plan["scenarios"]
        content = scenarios[number % len(scenarios)][1]
        if "drawn" in content and number not in self._drawn_scenarios:
            rng = scenario_random(content, self._plan["seed"], number, "drawing")
            self._drawn_scenarios[number] = draw_scenario(rng, content, self._plan["users"])
        return self._drawn_scenarios.get(number)

    def _describe(self, number: int) -> Tenant:
        name, content, repeat = self._scenario_of(number)
        return describe_tenant(
            content, name, number=number, repeat=repeat, seed=self._plan["seed"], now=self._plan["started"]
        )

    def _create_tenants(self) -> dict[str, Tenant]:
        tenants: dict[str, Tenant] = {}
        for number in range(self._plan["count"]):
            tenant = self._describe(number)
            if tenant.id in tenants:
                raise SimulatorError(f"The scenario {tenant.scenario} has the seed of an earlier tenant.")
            tenant.application.certificate = make_certificate(
                self.client_key, tenant.application.display_name, self._plan["started"]
            )
            self._build(tenant)
            tenants[tenant.id] = tenant
        return tenants

    def _build(self, tenant: Tenant) -> None:
        _unused, content, repeat = self._scenario_of(tenant.number)
        build_tenant(
            self.store.tenant(tenant.number),
            tenant,
            content,
            repeat=repeat,
            seed=self._plan["seed"],
            now=self._plan["started"],
            users=self._plan["users"],
        )


def _without_secrets(private: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in private.items() if name not in SECRET_FACTS}


def _asked(options: Options) -> dict[str, Any]:
    return {
        "scenarios": list(options.scenarios),
        "tenants": options.tenants,
        "users": options.users,
        "seed": options.seed,
    }


def _check_same(kept: dict[str, Any], options: Options) -> dict[str, Any]:
    if kept["asked"] != _asked(options):
        was = kept["asked"]
        raise SimulatorError(
            f"The state file {options.state} was made with other options (scenario {', '.join(was['scenarios'])}, "
            f"tenants {was['tenants']}, users {was['users']}, seed {was['seed']}, at {to_stamp(kept['started'])}); "
            "give the same ones, or another file."
        )
    return kept
