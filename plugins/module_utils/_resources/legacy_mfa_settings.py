# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the former MFA service, where Graph shows them (private to the collection).

No documentation of Microsoft names /beta/policies/mfaServicePolicy. Two live tools read it as applications with
Policy.Read.All, with these properties but the trusted ranges; Microsoft's support has told users to PATCH it. Which
permission that takes is not known, so none is asked for beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._engine.compare import held_by
from .._engine.plan import Plan
from .._engine.properties import Property, StateUnknown, current_values, wanted_values
from .._engine.resource import PropertyTable, Resource
from .._engine.run import Run
from .._graph.errors import GraphError, OptionError
from .._options import WAIT_OPTIONS
from .._policy import legacy_mfa_settings as rules
from .._policy import tenants
from .._policy.security_defaults import refused
from .facts import gather

SERVICE = PropertyTable(
    title="the settings of per-user MFA",
    path="/policies/mfaServicePolicy",
    version="beta",
    rows=(
        Property("allow_app_passwords", "allowAppPasswords", type="bool"),
        Property(
            "remember_mfa_on_trusted_device",
            "rememberMfaOnTrustedDevice",
            type="dict",
            compare=held_by,
            rows=(
                Property("enabled", "isEnabled", type="bool"),
                Property("days", "allowedNumberOfDays", type="int", nullable=True),
            ),
        ),
        Property(
            "trusted_ips",
            "trustedIps",
            type="dict",
            compare=held_by,
            rows=(
                Property("skip_mfa_for_federated_users", "skipMfaForFederatedUsers", type="bool"),
                Property(
                    "ip_ranges", "ipRanges", type="list", elements="str", nullable=True, canonical=rules.canonical_range
                ),
            ),
        ),
    ),
    unmanaged={"id": "there is but one"},
)

# Graph is not known to show the trusted ranges to everybody who sees the rest.
MAY_BE_HIDDEN = {("trusted_ips", "ip_ranges")}


@dataclass(frozen=True)
class Settings:
    """``values`` under option names, ``body`` as Graph answered. Both are empty, and ``reason`` is a sentence, when the
    settings are unknown. ``not_shown`` names the settings that Graph leaves out, with a dot between.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    not_shown: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return self.reason is None


def read_settings(run: Run) -> Settings:
    """What Graph shows, or why it is unknown. Warns, once in a run, of the interface that this takes."""
    if "warned" not in run.kept:
        run.kept["warned"] = True
        run.warn(rules.WARNING)
    elsewhere = rules.unknown_cloud(run.client.cloud.name)
    if elsewhere:
        return Settings(reason=elsewhere)
    try:
        body = run.client.get(SERVICE.path, version=SERVICE.version, action=f"read {SERVICE.title}")
        values = _whole(current_values(SERVICE.rows, body, SERVICE.path))
    except (GraphError, StateUnknown) as error:
        return Settings(reason=error.message)
    hidden = tuple(f"{one}.{below}" for one, below in sorted(MAY_BE_HIDDEN) if values[one][below] is None)
    return Settings(values, body, not_shown=hidden)


def _whole(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with each member, None where it may be hidden. Raises StateUnknown for any other that is missing."""
    whole: dict[str, Any] = {}
    for row in SERVICE.rows:
        value = values[row.option]
        if row.rows:
            missing = [one.graph for one in row.rows if one.option not in value and not _may_be_hidden(row, one)]
            if missing:
                reason = f"Graph's answer for {SERVICE.path} ({row.graph}) has no '{missing[0]}'; its state is unknown."
                raise StateUnknown(reason)
            value = {one.option: value.get(one.option) for one in row.rows}
        whole[row.option] = value
    return whole


def _may_be_hidden(row: Property, below: Property) -> bool:
    return (row.option, below.option) in MAY_BE_HIDDEN


class LegacyMfaSettings(Resource):
    name = "legacy_mfa_settings"
    options = {
        **SERVICE.arguments(),
        "accept_risks": {"type": "list", "elements": "str", "choices": list(rules.RISKS), "default": []},
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> Settings:
        wanted = wanted_values(SERVICE.rows, run.options)
        if not any(value != {} for value in wanted.values()):
            raise OptionError(f"Nothing was asked for: give one of {', '.join(row.option for row in SERVICE.rows)}.")
        wrong = rules.refused_values(run.options)
        if wrong:
            raise OptionError(" ".join(wrong))
        settings = read_settings(run)
        if not settings.known:
            reason = f"{rules.unknown_settings(str(settings.reason))} Nothing was written."
            raise StateUnknown(reason)
        _refuse_what_is_not_shown(wanted, settings)
        return settings

    def plan(self, run: Run, state: Settings) -> Plan:
        change = SERVICE.change(run, state.values, state.body)
        if change is None:
            return Plan(done="The settings of per-user MFA are as wanted.")
        after = rules.after_change(state.values, wanted_values(SERVICE.rows, run.options))
        app_passwords_change = after["allow_app_passwords"] != state.values["allow_app_passwords"]
        facts = gather(run.client, ("kind", *(["per_user_mfa"] if app_passwords_change else [])))
        _refuse_what_is_not_accepted(run, state.values, after, tenants.refusal(facts["kind"]))
        effects = rules.effects(state.values, after, facts.get("per_user_mfa"))
        return Plan(
            changes=[change],
            planned="The settings of per-user MFA would be changed.",
            done="The settings of per-user MFA were changed.",
            extra={
                "impact": {
                    "effects": effects,
                    "facts": {name: fact.as_result() for name, fact in sorted(facts.items())},
                }
            },
        )

    def reached(self, run: Run, plan: Plan, state: Settings) -> bool:
        return SERVICE.change(run, state.values, state.body) is None

    def result(self, run: Run, plan: Plan, state: Settings) -> dict[str, Any]:
        shown = rules.after_change(state.values, (plan.changes[0].after or {}) if plan.changes else {})
        return {"legacy_mfa_settings": shown, "impact": None}


def _refuse_what_is_not_shown(wanted: Mapping[str, Any], settings: Settings) -> None:
    """Raises StateUnknown where the task speaks of a setting that Graph leaves out."""
    asked = {f"{name}.{below}" for name, value in wanted.items() if isinstance(value, Mapping) for below in value}
    hidden = sorted(asked & set(settings.not_shown))
    if hidden:
        reason = f"{rules.unknown_settings(f'Graph does not show {hidden[0]}.')} Nothing was written."
        raise StateUnknown(reason)


def _refuse_what_is_not_accepted(
    run: Run, before: Mapping[str, Any], after: Mapping[str, Any], wrong_kind: str | None
) -> None:
    """Raises OptionError, in check mode just as in a run."""
    if wrong_kind:
        raise OptionError(wrong_kind)
    remember = after["remember_mfa_on_trusted_device"]
    changes = remember != before["remember_mfa_on_trusted_device"]
    if changes and remember["enabled"] and not 1 <= (remember["days"] or 0) <= rules.LONGEST_DAYS:
        reason = (
            f"The tenant has {remember['days']} as the number of days on which a device is remembered, which is not "
            f"from 1 to {rules.LONGEST_DAYS}: give remember_mfa_on_trusted_device.days as well."
        )
        raise OptionError(reason)
    standing = refused(rules.obstacles(before, after), list(run.options["accept_risks"]))
    if standing:
        raise OptionError(rules.refusal(standing))


RESOURCE = LegacyMfaSettings()
