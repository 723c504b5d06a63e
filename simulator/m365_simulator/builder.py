# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turns a scenario into the objects of one tenant. The same scenario, seed and start give the same objects."""

from __future__ import annotations

import contextlib
import gc
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from m365_simulator.assumptions import default_assumptions
from m365_simulator.building.administrative_units import build_administrative_units
from m365_simulator.building.company import build_domains, build_organization, build_subscriptions
from m365_simulator.building.conditional_access import build_conditional_access
from m365_simulator.building.groups import build_groups
from m365_simulator.building.making import Making, numbered, scenario_random
from m365_simulator.building.people import build_people
from m365_simulator.building.policies import build_policies
from m365_simulator.building.service_principals import build_service_principals
from m365_simulator.building.sign_ins import build_sign_ins
from m365_simulator.objects import role_definitions
from m365_simulator.population import new_id
from m365_simulator.state import TenantStore
from m365_simulator.tenants import Application, Tenant

DEFAULT_PERMISSIONS = (
    "AdministrativeUnit.ReadWrite.All",
    "Application.Read.All",
    "AuditLog.Read.All",
    "Domain.Read.All",
    "Group.ReadWrite.All",
    "IdentityRiskyUser.Read.All",
    "LicenseAssignment.Read.All",
    "Organization.Read.All",
    "Policy.Read.All",
    "Policy.ReadWrite.AuthenticationMethod",
    "Policy.ReadWrite.Authorization",
    "Policy.ReadWrite.ConditionalAccess",
    "Policy.ReadWrite.SecurityDefaults",
    "PrivilegedAssignmentSchedule.Read.AzureADGroup",
    "PrivilegedEligibilitySchedule.Read.AzureADGroup",
    "RoleManagement.ReadWrite.Directory",
    "User.ReadWrite.All",
    "User.RevokeSessions.All",
    "UserAuthenticationMethod.ReadWrite.All",
)


def describe_tenant(
    scenario: Mapping[str, Any], name: str, *, number: int, repeat: int, seed: int, now: float
) -> Tenant:
    """The tenant itself and its application. `repeat` counts earlier tenants of the same scenario.

    The certificate is added by the caller, which owns the keys.
    """
    rng = scenario_random(scenario, seed, number, "tenant")
    about = scenario.get("tenant", {})
    label = numbered(about.get("initial_domain", name), repeat)
    wanted = scenario.get("application", {})
    application = Application(
        client_id=new_id(rng),
        object_id=new_id(rng),
        display_name=wanted.get("display_name", "Zero trust baseline"),
        client_secret=wanted.get("client_secret") or secrets.token_urlsafe(30),
        secret_expires=now + wanted.get("secret_valid_days", 180) * 86400,
        certificate="",
        permissions=list(wanted.get("permissions", DEFAULT_PERMISSIONS)),
    )
    return Tenant(
        number=number,
        id=new_id(rng),
        scenario=name,
        initial_domain=f"{label}.onmicrosoft.com",
        region=about.get("region", "EU"),
        kind=about.get("kind", "AAD"),
        application=application,
        assumptions={**default_assumptions(), **{k: str(v) for k, v in scenario.get("assumptions", {}).items()}},
    )


def build_tenant(
    store: TenantStore,
    tenant: Tenant,
    scenario: Mapping[str, Any],
    *,
    repeat: int,
    seed: int,
    now: float,
    users: int | None,
) -> None:
    """Fill an empty TenantStore. `users` is the total number of users wanted, None for the scenario's own."""
    making = Making(store, tenant, scenario, repeat, seed, now, users)
    with _without_garbage_collection():
        _build(making)


def _build(making: Making) -> None:
    domains = build_domains(making)
    skus = build_subscriptions(making)
    build_organization(making, domains, skus)
    for definition in role_definitions():
        making.add("roleDefinition", definition["id"], definition)
    build_people(making, domains, skus)
    build_groups(making)
    build_administrative_units(making)
    build_service_principals(making)
    build_policies(making)
    build_conditional_access(making)
    build_sign_ins(making)
    making.finish()


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Nothing made here refers to itself, and looking for such things is a fifth of the cost of a large tenant."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
