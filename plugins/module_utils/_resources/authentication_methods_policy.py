# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the authentication methods policy itself as one resource (private to the collection).

Graph has some of them in v1.0 and others in beta only: one PATCH for each version that the task needs, and everything
is read, and its permissions are known, before the first of them.

Sources: the Graph reference "Update authenticationMethodsPolicy"; Microsoft's pages "Manage authentication methods"
(migration states), "Run a registration campaign", and "SMS and voice retirement" (the opt-out).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._engine.compare import held_by
from .._engine.plan import Change, Plan, Request
from .._engine.properties import Property, StateUnknown, arguments, wanted_values
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.errors import OptionError
from .._options import WAIT_OPTIONS
from .._policy.authentication_methods import (
    MIGRATION_STATES_IN_ORDER,
    check_shape,
    migration_refusal,
    migration_state,
)
from .._policy.facts import UnexpectedShape, objects, text
from .._policy.method_dependence import ONLY_WAY_IN
from .._policy.security_defaults import UNKNOWN_WAYS_IN
from .._policy.targets import edited, same_items, without_annotations
from .directory import EXPECTED_GROUPS
from .method_dependence import refuse_end_of_legacy_settings
from .method_tables import BETA, FEATURE_TARGET, THREE_STATES, V1, a_property
from .methods_policy import (
    POLICY,
    Groups,
    look_up,
    names_in,
    read_policy,
    readable_policy,
    refuse_too_large,
    targets_edit,
)

TITLE = "the authentication methods policy"

TARGET_METHOD = a_property(
    "targeted_authentication_method", "targetedAuthenticationMethod", choices=("microsoftAuthenticator", "fido2")
)
STATE = a_property("state", "state", choices=THREE_STATES)


@dataclass(frozen=True)
class Settings:
    """One object of the policy: where it is (a path of Graph's names), and its properties.

    ``include_rows`` are the properties of an included target beside the group, ``new_target`` their values where none
    is written; ``targets`` tells whether there are targets that can be added, removed and set. ``only_in_beta`` names
    properties of an object that v1.0 has otherwise, ``never_null`` the members that Graph wants in every PATCH.
    """

    option: str
    path: tuple[str, ...]
    rows: tuple[Property, ...]
    targets: bool = False
    include_rows: tuple[Property, ...] = ()
    new_target: tuple[tuple[str, Any], ...] = ()
    version: str = V1
    only_in_beta: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return self.option.replace("_", " ")

    def arguments(self) -> dict[str, Any]:
        options = arguments(self.rows)
        if self.targets:
            group = {"group": {"type": "str", "required": True}, **arguments(self.include_rows)}
            items = {"type": "list", "elements": "dict", "options": group}
            names = {"type": "list", "elements": "str"}
            options["include_targets"] = {"type": "dict", "options": {"add": items, "remove": names, "set": items}}
            options["exclude_targets"] = {"type": "dict", "options": {"add": names, "remove": names, "set": names}}
        return {"type": "dict", "options": options}

    def version_for(self, options: Mapping[str, Any]) -> str:
        """The version of Graph that has all that is written."""
        written = wanted_values(self.rows, options)
        return BETA if any(name in written for name in self.only_in_beta) else self.version


CAMPAIGN = Settings(
    "registration_campaign",
    ("registrationEnforcement", "authenticationMethodsRegistrationCampaign"),
    (
        STATE,
        a_property("snooze_duration_in_days", "snoozeDurationInDays", type="int"),
        a_property("enforce_registration_after_allowed_snoozes", "enforceRegistrationAfterAllowedSnoozes", type="bool"),
    ),
    targets=True,
    include_rows=(TARGET_METHOD,),
    new_target=(("targetedAuthenticationMethod", "microsoftAuthenticator"),),
    only_in_beta=("enforce_registration_after_allowed_snoozes",),
)
SYSTEM_PREFERRED = Settings(
    "system_credential_preferences", ("systemCredentialPreferences",), (STATE,), targets=True, version=BETA
)
SUSPICIOUS_ACTIVITY = Settings(
    "report_suspicious_activity_settings",
    ("reportSuspiciousActivitySettings",),
    (
        STATE,
        a_property(
            "include_target",
            "includeTarget",
            type="dict",
            compare=held_by,
            rows=(
                FEATURE_TARGET[0],
                a_property("target_type", "targetType", choices=("group", "user"), default="group"),
            ),
        ),
        a_property("voice_reporting_code", "voiceReportingCode", type="int"),
    ),
    version=BETA,
)
OPT_OUT = Settings(
    "opt_out_settings",
    ("optOutSettings",),
    (a_property("passkey_dynamic_migration", "passkeyDynamicMigration", type="bool"),),
    version=BETA,
)
SETTINGS = (CAMPAIGN, SYSTEM_PREFERRED, SUSPICIOUS_ACTIVITY, OPT_OUT)
MIGRATION_STATE = "policy_migration_state"

UNMANAGED = {
    "id": "always the same",
    "displayName": "Microsoft's fixed text",
    "description": "Microsoft's fixed text",
    "deletedDateTime": "the policy cannot be deleted",
    "lastModifiedDateTime": "read-only",
    "policyVersion": "read-only",
    "authenticationMethodConfigurations": "the module authentication_method",
    "reconfirmationInDays": "in many answers it is missing, and Microsoft's pages do not say what it does",
    "microsoftAuthenticatorPlatformSettings": "in no answer that live tools have recorded",
}


@dataclass(frozen=True)
class Policy:
    """The whole policy by version of Graph, as far as the task needs it."""

    policies: Mapping[str, Mapping[str, Any]]
    groups: Groups


class AuthenticationMethodsPolicy(Resource):
    name = "authentication_methods_policy"
    options = {
        MIGRATION_STATE: {"type": "str", "choices": list(MIGRATION_STATES_IN_ORDER)},
        **{settings.option: settings.arguments() for settings in SETTINGS},
        "accept_risks": {
            "type": "list",
            "elements": "str",
            "choices": [ONLY_WAY_IN, UNKNOWN_WAYS_IN],
            "default": [],
        },
        "expected_configurations": {"type": "list", "elements": "dict", "default": []},
        **EXPECTED_GROUPS,
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> Policy:
        _refuse_bad_options(run)
        groups = look_up(run, _names(run))
        return Policy({version: read_policy(run, version) for version in _versions(run)}, groups)

    @readable_policy()
    def plan(self, run: Run, state: Policy) -> Plan:
        changes = _changes(run, state)
        if not changes:
            return Plan(done="The authentication methods policy is as wanted.")
        _refuse_what_is_not_safe(run, state, changes)
        what = ", ".join(name.replace("_", " ") for change in changes for name in change.after or {})
        return Plan(
            changes=changes,
            planned=f"The authentication methods policy would be changed ({what}).",
            done=f"The authentication methods policy was changed ({what}).",
        )

    @readable_policy()
    def reached(self, run: Run, plan: Plan, state: Policy) -> bool:
        return not _changes(run, state)

    @readable_policy()
    def result(self, run: Run, plan: Plan, state: Policy) -> dict[str, Any]:
        shown = _shown(run, state)
        if run.check_mode:
            for change in plan.changes:
                for name, value in (change.after or {}).items():
                    shown[name] = {**shown[name], **value} if isinstance(value, Mapping) else value
        return {"authentication_methods_policy": shown}


# Reading


def _refuse_bad_options(run: Run) -> None:
    """Raises OptionError."""
    written = [settings.option for settings in SETTINGS if run.options[settings.option] is not None]
    if run.options[MIGRATION_STATE] is None and not written:
        raise OptionError("Give at least one setting of the authentication methods policy.")
    days = (run.options[CAMPAIGN.option] or {}).get("snooze_duration_in_days")
    if days is not None and not 0 <= days <= 14:
        reason = f"registration_campaign.snooze_duration_in_days is 0 to 14, not {days}."
        raise OptionError(reason)


def _names(run: Run) -> list[str]:
    names: list[str] = []
    for settings in SETTINGS:
        written = run.options[settings.option] or {}
        names += names_in(written.get("include_targets")) + names_in(written.get("exclude_targets"))
    target = (run.options[SUSPICIOUS_ACTIVITY.option] or {}).get("include_target")
    return names + ([target["id"]] if target and target["target_type"] == "group" else [])


def _versions(run: Run) -> list[str]:
    """Those that the task needs. v1.0 is always one of them: it tells whether there is a policy at all."""
    used = {settings.version_for(run.options[settings.option]) for settings in SETTINGS if run.options[settings.option]}
    return [version for version in (V1, BETA) if version in {V1, *used}]


# Planning


def _changes(run: Run, state: Policy) -> list[Change]:
    """One PATCH for each version. Raises UnexpectedShape, StateUnknown, OptionError."""
    found = [_change(run, state, version) for version in state.policies]
    return [change for change in found if change]


def _change(run: Run, state: Policy, version: str) -> Change | None:
    """Raises UnexpectedShape, OptionError, StateUnknown."""
    policy = state.policies[version]
    body: dict[str, Any] = {}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    wanted_state = run.options[MIGRATION_STATE]
    if version == V1 and wanted_state is not None:
        current = migration_state(policy)
        if current != wanted_state:
            body["policyMigrationState"] = wanted_state
            before[MIGRATION_STATE], after[MIGRATION_STATE] = policy["policyMigrationState"], wanted_state
    for settings in SETTINGS:
        written = run.options[settings.option]
        if not written or settings.version_for(written) != version:
            continue
        present = _object(policy, settings, version)
        changed = _wanted(written, settings, present, state.groups)
        if changed:
            # The members of these objects are not nullable: each is sent whole.
            whole = {**without_annotations(present), **changed}
            body[settings.path[0]] = {settings.path[1]: whole} if len(settings.path) > 1 else whole
            before[settings.option] = _as_options(settings, present, state.groups, changed)
            after[settings.option] = _as_options(settings, whole, state.groups, changed)
    if not body:
        return None
    title = TITLE if version == V1 else f"{TITLE} ({version})"
    return Change(title, before, after, Request("PATCH", POLICY, f"change {title}", body, version=version))


def _object(policy: Mapping[str, Any], settings: Settings, version: str) -> Mapping[str, Any]:
    """Raises StateUnknown where Graph does not show it."""
    found: Any = policy
    for name in settings.path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        reason = (
            f"Graph's {version} does not show {'.'.join(settings.path)}, so the state of {settings.words} is unknown. "
            "Nothing was written."
        )
        raise StateUnknown(reason)
    return found


def _wanted(
    written: Mapping[str, Any], settings: Settings, present: Mapping[str, Any], groups: Groups
) -> dict[str, Any]:
    """What differs, by Graph's names. Raises UnexpectedShape, OptionError, StateUnknown."""
    changed: dict[str, Any] = {}
    values = wanted_values(settings.rows, written)
    if "include_target" in values:
        values["include_target"] = {**values["include_target"], "id": groups.id_of(values["include_target"]["id"])}
    for row in settings.rows:
        if row.option in values and not row.compare(values[row.option], row.read(present, settings.words)):
            changed[row.graph] = row.write(values[row.option], present.get(row.graph))
    for option, graph in TARGETS.items() if settings.targets else ():
        if written.get(option) is None:
            continue
        rows, new = (settings.include_rows, dict(settings.new_target)) if option == "include_targets" else ((), {})
        edit = targets_edit(f"{settings.option}.{option}", written[option], groups, rows)
        items = edited(objects(present, graph), edit, new)
        if not same_items(objects(present, graph), items):
            changed[graph] = items
    return changed


TARGETS = {"include_targets": "includeTargets", "exclude_targets": "excludeTargets"}


def _refuse_what_is_not_safe(run: Run, state: Policy, changes: list[Change]) -> None:
    """Raises OptionError."""
    policy = state.policies[V1]
    for change in changes:
        version = change.outline().version
        refuse_too_large(state.policies[version], {**state.policies[version], **change.outline().body})
    wanted = run.options[MIGRATION_STATE]
    if wanted is None or not any(MIGRATION_STATE in (change.after or {}) for change in changes):
        return
    refusal = migration_refusal(policy, wanted)
    if refusal:
        raise OptionError(refusal)
    if wanted == MIGRATION_STATES_IN_ORDER[-1]:
        refuse_end_of_legacy_settings(run, _expected(run, policy))


def _expected(run: Run, policy: Mapping[str, Any]) -> Mapping[str, Any]:
    """The policy as earlier tasks of this dry run would leave it. Raises OptionError, UnexpectedShape."""
    if not run.check_mode or not run.options["expected_configurations"]:
        return policy
    present = objects(policy, "authenticationMethodConfigurations")
    try:
        changed = {text(one, "id"): one for one in run.options["expected_configurations"]}
        check_shape({"authenticationMethodConfigurations": list(changed.values())})
    except UnexpectedShape as error:
        raise OptionError(f"expected_configurations: {error}. Give what authentication_method returned.") from None
    return {**policy, "authenticationMethodConfigurations": [changed.get(text(one, "id"), one) for one in present]}


# Saying


def _as_options(
    settings: Settings, present: Mapping[str, Any], groups: Groups, only: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """An object under option names; ``only`` names Graph's properties that are shown, None for all."""
    shown: dict[str, Any] = {
        row.option: row.read(present, settings.words)
        for row in settings.rows
        if row.graph in present and (only is None or row.graph in only)
    }
    for option, graph in TARGETS.items() if settings.targets else ():
        if graph in present and (only is None or graph in only):
            shown[option] = [_target(target, settings, groups) for target in objects(present, graph)]
    return shown


def _target(target: Mapping[str, Any], settings: Settings, groups: Groups) -> dict[str, Any]:
    identity = text(target, "id")
    return {
        "id": groups.known_id(identity),
        "target_type": text(target, "targetType"),
        "display_name": groups.name_of(identity),
        **{row.option: row.read(target, settings.words) for row in settings.include_rows if row.graph in target},
    }


def _shown(run: Run, state: Policy) -> dict[str, Any]:
    """What was read of the policy: settings that only beta shows are null unless the task writes one of beta."""
    shown: dict[str, Any] = {MIGRATION_STATE: state.policies[V1].get("policyMigrationState")}
    for settings in SETTINGS:
        version = settings.version_for(run.options[settings.option] or {})
        policy = state.policies.get(version)
        found: Any = policy
        for name in settings.path:
            found = found.get(name) if isinstance(found, Mapping) else None
        shown[settings.option] = _as_options(settings, found, state.groups) if isinstance(found, Mapping) else None
    return shown


RESOURCE = AuthenticationMethodsPolicy()
