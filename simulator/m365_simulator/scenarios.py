# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios: what a tenant looks like at the start, as YAML.

The schema is `SCHEMA` below; simulator/README.md explains each key. Inside Conditional Access policies and group
members, `user:NAME`, `group:NAME`, `role:NAME` and `location:NAME` stand for the id of that object.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from pathlib import Path
from types import NoneType
from typing import Any

import yaml

from m365_simulator.assumptions import check_assumption
from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.errors import SimulatorError
from m365_simulator.licences import SUBSCRIPTIONS
from m365_simulator.population import ACCOUNT_KINDS, LEGACY_PROTOCOLS, REGISTRABLE_METHODS

PACKAGE_FOLDER = "scenarios"

LICENCES = ("free", "P1", "P2", "lapsed")
"""What a drawn tenant can have; `lapsed` is P1 that has run out, with the policies of that time left."""

PROTECTIONS = ("nothing", "per-user MFA", "security defaults")
"""What can ask for MFA in a drawn tenant of whatever licence."""

ANY: dict[str, Any] = {}
NUMBER = (int, float)

PERSON: dict[str, Any] = {
    "name": str,
    "user": str,
    "domain": str,
    "kind": str,
    "roles": [str],
    "eligible_roles": [str],
    "time_bound_roles": [{"role": str, "days": NUMBER, "activated": bool}],
    "per_user_mfa": str,
    "methods": [str],
    "enabled": bool,
    "department": str,
    "title": str,
    "legacy_protocols": [str],
    "app_passwords": int,
}

SCHEMA: dict[str, Any] = {
    "description": str,
    "seed": int,
    "drawn": {
        "users": {"least": int, "most": int},
        "licences": dict.fromkeys(LICENCES, NUMBER),
        "protections": dict.fromkeys(PROTECTIONS, NUMBER),
    },
    "tenant": {
        "display_name": str,
        "initial_domain": str,
        "country": str,
        "region": str,
        "kind": str,
        "age_days": NUMBER,
        "classic_policies": bool,
    },
    "domains": [{"name": str, "default": bool, "federation": ANY}],
    "subscriptions": [{"part_number": str, "bought": int, "status": str}],
    "security_defaults": {"enabled": bool, "upsell": {"action": str, "due_in_days": NUMBER}},
    "authentication_methods_policy": {"migration_state": (str, NoneType), "settings": ANY, "methods": ANY},
    "mfa_service_policy": ANY,
    "authorization_policy": ANY,
    "people": {
        "named": [PERSON],
        "generated": {
            "count": int,
            "guests": NUMBER,
            "synced": NUMBER,
            "synced_domain": str,
            "service_accounts": NUMBER,
            "shared_mailboxes": NUMBER,
            "rooms": NUMBER,
            "devices": NUMBER,
            "administrators": NUMBER,
            "blocked": NUMBER,
            "deleted": NUMBER,
            "registered": NUMBER,
            "methods": [{"methods": [str], "weight": NUMBER}],
            "app_passwords": NUMBER,
            "per_user_mfa": {"disabled": NUMBER, "enabled": NUMBER, "enforced": NUMBER},
        },
    },
    "groups": [
        {
            "name": str,
            "description": str,
            "role_assignable": bool,
            "members": [str],
            "eligible_members": [str],
            "departments": [str],
            "roles": [str],
        }
    ],
    "administrative_units": [{"name": str, "description": str, "restricted": bool, "members": [str]}],
    "named_locations": [ANY],
    "conditional_access_policies": [ANY],
    "microsoft_managed_policies": str,
    "sign_ins": {"days": int, "legacy_share": NUMBER, "most": int},
    "application": {
        "display_name": str,
        "client_secret": str,
        "secret_valid_days": NUMBER,
        "permissions": [str],
        "roles": [str],
    },
    "assumptions": ANY,
}

POLICY_STATES = ("enabled", "disabled", "enabledForReportingButNotEnforced")
MFA_STATES = ("disabled", "enabled", "enforced")


def scenario_names() -> list[str]:
    """The scenarios that come with the simulator."""
    folder = resources.files("m365_simulator").joinpath(PACKAGE_FOLDER)
    return sorted(entry.name[: -len(".yml")] for entry in folder.iterdir() if entry.name.endswith(".yml"))


def load_scenario(name_or_file: str) -> tuple[str, dict[str, Any]]:
    """The name and content of a shipped scenario, or of a YAML file. Raises SimulatorError."""
    if name_or_file.endswith((".yml", ".yaml")):
        path = Path(name_or_file)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise SimulatorError(f"The scenario file {path} cannot be read: {reason}.") from None
        return path.stem, parse_scenario(text, str(path))
    if name_or_file not in scenario_names():
        raise SimulatorError(
            f"There is no scenario {name_or_file!r}; choose from {', '.join(scenario_names())}, or give a .yml file."
        )
    text = resources.files("m365_simulator").joinpath(PACKAGE_FOLDER).joinpath(f"{name_or_file}.yml").read_text("utf-8")
    return name_or_file, parse_scenario(text, name_or_file)


def parse_scenario(text: str, where: str) -> dict[str, Any]:
    """Raise SimulatorError when the text is no YAML or does not follow the schema."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise SimulatorError(f"The scenario {where}{line} is not valid YAML: {problem}.") from None
    if content is None:
        content = {}
    _check(content, SCHEMA, "", where)
    _check_values(content, where)
    return dict(content)


def _check(value: Any, schema: Any, path: str, where: str) -> None:
    if schema is ANY:
        if not isinstance(value, dict):
            raise SimulatorError(f"In the scenario {where}, {path} must be a mapping.")
    elif isinstance(schema, dict):
        if not isinstance(value, dict):
            raise SimulatorError(f"In the scenario {where}, {path or 'the top level'} must be a mapping.")
        for key, inner in value.items():
            if key not in schema:
                at = f" in {path}" if path else ""
                raise SimulatorError(
                    f"The scenario {where} has an unknown key {key!r}{at}; allowed are {', '.join(sorted(schema))}."
                )
            _check(inner, schema[key], f"{path}.{key}" if path else str(key), where)
    elif isinstance(schema, list):
        if not isinstance(value, list):
            raise SimulatorError(f"In the scenario {where}, {path} must be a list.")
        for index, inner in enumerate(value):
            _check(inner, schema[0], f"{path}[{index}]", where)
    elif not isinstance(value, schema) or (isinstance(value, bool) and schema is not bool):
        kinds = schema if isinstance(schema, tuple) else (schema,)
        names = " or ".join("null" if kind is NoneType else kind.__name__ for kind in kinds)
        raise SimulatorError(f"In the scenario {where}, {path} must be {names}.")


def _check_values(content: Mapping[str, Any], where: str) -> None:
    for value, allowed, what in _names(content):
        if value not in allowed:
            raise SimulatorError(f"The scenario {where} names an unknown {what}, {value!r}.")
    for person in content.get("people", {}).get("named", []):
        if not (person.get("name") or person.get("user")):
            raise SimulatorError(f"In the scenario {where}, a named person has neither name nor user.")
    for key, what in (
        ("groups", "a group"),
        ("administrative_units", "an administrative unit"),
        ("domains", "a domain"),
    ):
        if not all(item.get("name") for item in content.get(key, [])):
            raise SimulatorError(f"In the scenario {where}, {what} has no name.")
    for group in content.get("groups", []):
        if group.get("roles") and not group.get("role_assignable"):
            raise SimulatorError(f"In the scenario {where}, {group['name']} has roles but is not role_assignable.")
    _check_drawn(content.get("drawn", {}), where)
    for name, value in content.get("assumptions", {}).items():
        check_assumption(name, str(value))


def _check_drawn(drawn: Mapping[str, Any], where: str) -> None:
    sizes = drawn.get("users", {})
    least = sizes.get("least", 1)
    if not 1 <= least <= sizes.get("most", least):
        raise SimulatorError(
            f"In the scenario {where}, drawn.users must have a least of 1 or more, and a most not below it."
        )
    for name in ("licences", "protections"):
        weights = drawn.get(name, {}).values()
        if weights and (min(weights) < 0 or not sum(weights)):
            raise SimulatorError(
                f"In the scenario {where}, the weights of drawn.{name} must not be negative, nor all 0."
            )


def _names(content: Mapping[str, Any]) -> Iterator[tuple[Any, Collection[Any], str]]:
    """Every word that must be one of a list: the word, the list, and what it is."""
    people = content.get("people", {})
    named = people.get("named", [])
    for subscription in content.get("subscriptions", []):
        yield subscription.get("part_number"), SUBSCRIPTIONS, "subscription"
    for person in named:
        yield person.get("kind", "member"), ACCOUNT_KINDS, "kind of person"
        yield person.get("per_user_mfa", "disabled"), MFA_STATES, "per-user MFA state"
        for role in person.get("eligible_roles", []):
            yield role, BUILT_IN_ROLES, "directory role"
        for bound in person.get("time_bound_roles", []):
            yield bound.get("role"), BUILT_IN_ROLES, "directory role"
        for protocol in person.get("legacy_protocols", []):
            yield protocol, LEGACY_PROTOCOLS, "legacy protocol"
    for registered in (*named, *people.get("generated", {}).get("methods", [])):
        for method in registered.get("methods", []):
            yield method, REGISTRABLE_METHODS, "authentication method"
    for holder in (*named, *content.get("groups", []), content.get("application", {})):
        for role in holder.get("roles", []):
            yield role, BUILT_IN_ROLES, "directory role"
    if "microsoft_managed_policies" in content:
        yield content["microsoft_managed_policies"], POLICY_STATES, "state of policies"
