# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One method of the authentication methods policy as one resource (private to the collection).

Sources: the Graph reference "Update ...AuthenticationMethodConfiguration" (the type must be sent; a PATCH answers 204
and keeps what it does not name, but replaces lists; DELETE brings the default back), and Microsoft's pages "Manage
authentication methods" and "Enable passkeys (FIDO2)".
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._engine.compare import contains
from .._engine.plan import Change, Plan, Request
from .._engine.properties import Property, StateUnknown, current_values, wanted_values
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.errors import OptionError
from .._graph.query import is_guid, path_segment
from .._options import WAIT_OPTIONS
from .._policy.facts import UnexpectedShape, objects, text
from .._policy.method_defaults import DEFAULTS
from .._policy.method_dependence import RISKS
from .._policy.targets import edited, key, same_items, without_annotations
from .directory import EXPECTED_GROUPS
from .method_dependence import refuse_what_locks_out
from .method_tables import (
    ALL_METHODS,
    BETA,
    EXTERNAL,
    METHODS,
    PASSKEY_PROFILE,
    TARGET_ROWS,
    V1,
    Method,
    method_arguments,
)
from .methods_policy import (
    CONFIGURATIONS,
    Groups,
    checked_edit,
    look_up,
    names_in,
    read_policy,
    readable_policy,
    refuse_too_large,
    targets_edit,
)

DEFAULT = "default"
PHONE = ("Sms", "Voice")
PHONE_ENDS = (
    "Microsoft ends SMS and voice on 1 February 2027: whoever has nothing else then must register a passkey. Since 1 "
    "September 2026 people who may use SMS or voice may use passkeys too."
)
SIGN_IN_BY_PHONE = (
    "The method Sms lets people sign in with a phone number and a text message alone, without a password: some of its "
    "targets have is_usable_for_sign_in, which is Microsoft's default. Write is_usable_for_sign_in=false for them."
)

TARGETS = {"include_targets": "includeTargets", "exclude_targets": "excludeTargets"}
INCLUDED = {
    "group": {"type": "str", "required": True},
    **{option: row.argument() for option, row in TARGET_ROWS.items()},
}


def _edits(items: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "dict",
        "options": {"add": dict(items), "remove": {"type": "list", "elements": "str"}, "set": dict(items)},
    }


@dataclass(frozen=True)
class Configuration:
    """The configuration that the task is about: None where an external method is not there yet.

    ``policies`` has the whole policy by version of Graph, as far as the task needs it.
    """

    method: Method
    id: str
    found: Mapping[str, Mapping[str, Any] | None]
    policies: Mapping[str, Mapping[str, Any]]
    groups: Groups

    @property
    def version(self) -> str:
        """The version that the state and the targets are read and written in."""
        return self.method.versions[0]

    @property
    def main(self) -> Mapping[str, Any] | None:
        return self.found[self.version]

    @property
    def title(self) -> str:
        return f"the authentication method {self.id}"


class AuthenticationMethod(Resource):
    name = "authentication_method"
    options = {
        "id": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["enabled", "disabled", DEFAULT]},
        "include_targets": _edits({"type": "list", "elements": "dict", "options": INCLUDED}),
        "exclude_targets": _edits({"type": "list", "elements": "str"}),
        **method_arguments(),
        "accept_risks": {"type": "list", "elements": "str", "choices": list(RISKS), "default": []},
        **EXPECTED_GROUPS,
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> Configuration:
        method = _method(run)
        _refuse_bad_options(run, method)
        groups = look_up(run, _names(run))
        policies = {version: read_policy(run, version) for version in _versions(run, method)}
        with readable_policy():
            found = {version: _find(policy, method, run.options["id"]) for version, policy in policies.items()}
            main = found[method.versions[0]]
            identity = method.id or (text(main, "displayName") if main else run.options["id"])
        _refuse_missing(run, method, main)
        if run.options["state"] == "enabled" and method.id in PHONE and "warned" not in run.kept:
            run.kept["warned"] = True
            run.warn(PHONE_ENDS)
        return Configuration(method, identity, found, policies, groups)

    @readable_policy()
    def plan(self, run: Run, state: Configuration) -> Plan:
        changes = _changes(run, state)
        if not changes:
            return Plan(done=f"The authentication method {state.id} is as wanted.")
        before = _policy_with(state, _found_of_other_versions(state, changes))
        after = before
        for part in changes:
            after = _policy_with(state, part.body, after)
        refuse_too_large(before, after)
        refuse_what_locks_out(run, before, after)
        _warn_of_phones(run, state, after)
        run.kept["expected"] = _find(after, state.method, state.id)
        what = _what(changes)
        return Plan(
            changes=[part.change for part in changes],
            planned=f"The authentication method {state.id} would be {what}.",
            done=f"The authentication method {state.id} was {what}.",
        )

    @readable_policy()
    def reached(self, run: Run, plan: Plan, state: Configuration) -> bool:
        if not _changes(run, state):
            return True
        if run.options["state"] != DEFAULT or state.main is None:
            return False
        # A default that this version does not know: it is whatever is there after the reset. Where that is what was
        # there before, reads may only be late.
        since = run.kept.setdefault("reset at", time.monotonic())
        is_as_before = _as_options(state, state.main) == plan.changes[0].before
        if is_as_before and time.monotonic() - since < run.options["wait_timeout"] / 2:
            return False
        run.warn(
            f"The default of the authentication method {state.id} is not the one that this version of zerotrust.m365 "
            "knows, so every run resets it again."
        )
        return True

    @readable_policy()
    def result(self, run: Run, plan: Plan, state: Configuration) -> dict[str, Any]:
        shown = _shown(state)
        expected = run.kept.get("expected") if run.check_mode else None
        if run.check_mode:
            for change in plan.changes:
                shown = _merged(shown, change.after)
            if plan.changes and plan.changes[-1].after is None:
                shown = {"id": state.id, "exists": False, "state": None}
        return {"authentication_method": shown, "expected_configuration": expected}


@dataclass(frozen=True)
class Part:
    """What is written in one version of Graph. ``body`` is None for a reset."""

    version: str
    change: Change
    body: Mapping[str, Any] | None


# Reading


def _method(run: Run) -> Method:
    wanted = run.options["id"].casefold()
    return next((method for method in METHODS if method.id.casefold() == wanted), EXTERNAL)


def _refuse_bad_options(run: Run, method: Method) -> None:
    """Raises OptionError."""
    strange = [other.option for other in ALL_METHODS if other.option and run.options[other.option] is not None]
    strange = [option for option in strange if option != method.option]
    if strange:
        reason = f"{', '.join(strange)} is not for the method {run.options['id']}."
        raise OptionError(reason)
    written = [option for option in (*TARGETS, method.option) if option and run.options[option] is not None]
    if run.options["state"] == DEFAULT and written:
        reason = f"state=default resets the whole method: it does not go together with {', '.join(written)}."
        raise OptionError(reason)
    if run.options["state"] is None and not written:
        raise OptionError("Give 'state', targets or settings: what the method is to be.")


def _refuse_missing(run: Run, method: Method, found: Mapping[str, Any] | None) -> None:
    """Raises OptionError, unless the task tells enough to create an external method."""
    if found is not None or (method is EXTERNAL and run.options["state"] == DEFAULT):
        return
    if method is not EXTERNAL:
        reason = f"The authentication methods policy of this tenant has no method {method.id}."
        raise OptionError(reason)
    settings = wanted_values(EXTERNAL.rows, run.options["external"] or {})
    if is_guid(run.options["id"]) or not {"app_id", "open_id_connect_setting"} <= set(settings):
        known = ", ".join(method.id for method in METHODS)
        reason = (
            f"There is no authentication method '{run.options['id']}' in this tenant. Known are {known}, and external "
            "methods by display name or id. To create an external method, give its display name as 'id', and "
            "'external' with app_id and open_id_connect_setting."
        )
        raise OptionError(reason)


def _names(run: Run) -> list[str]:
    names = [name for option in TARGETS for name in names_in(run.options[option])]
    features = (run.options["microsoft_authenticator"] or {}).get("feature_settings") or {}
    for feature in features.values():
        for side in ("include_target", "exclude_target"):
            target = (feature or {}).get(side)
            if target and target["target_type"] == "group" and not is_guid(target["id"]):
                names.append(target["id"])
    return names


def _written(run: Run, state_method: Method, groups: Groups) -> dict[str, Any]:
    """The settings that the task writes, under option names, group names replaced by ids."""
    values = wanted_values(state_method.rows, (run.options[state_method.option] if state_method.option else None) or {})
    for feature in (values.get("feature_settings") or {}).values():
        for side in ("include_target", "exclude_target"):
            if side in feature and feature[side]["target_type"] == "group":
                feature[side] = {**feature[side], "id": groups.id_of(feature[side]["id"])}
    return values


def _version_of(method: Method, option: str, value: Any) -> str:
    """The version of Graph that a setting is written in: the first that knows it and all that is written below it."""
    only = {method.only_in[path] for path in _paths(option, value) if path in method.only_in}
    return BETA if BETA in only else method.versions[0]


def _paths(option: str, value: Any) -> list[str]:
    below = [f"{option}.{name}" for name in value] if isinstance(value, Mapping) else []
    return [option, *below]


def _versions(run: Run, method: Method) -> list[str]:
    written = wanted_values(method.rows, (run.options[method.option] if method.option else None) or {})
    used = {method.versions[0], *(_version_of(method, option, value) for option, value in written.items())}
    return [version for version in (V1, BETA) if version in used]


def _find(policy: Mapping[str, Any], method: Method, asked: str) -> Mapping[str, Any] | None:
    """Raises UnexpectedShape."""
    for configuration in objects(policy, "authenticationMethodConfigurations"):
        if method is not EXTERNAL:
            if text(configuration, "id").casefold() == method.id.casefold():
                return configuration
        elif text(configuration, "@odata.type") == EXTERNAL.type_name and asked.casefold() in (
            text(configuration, "id").casefold(),
            text(configuration, "displayName").casefold(),
        ):
            return configuration
    return None


# Planning


def _changes(run: Run, state: Configuration) -> list[Part]:
    """Raises OptionError, StateUnknown."""
    try:
        if run.options["state"] == DEFAULT:
            return _reset(state)
        if state.main is None:
            return [_creation(run, state)]
        found = [_difference(run, state, version) for version in state.found]
    except UnexpectedShape as error:
        reason = f"Graph's answer for {state.title} cannot be read: {error}. Nothing was written."
        raise StateUnknown(reason) from None
    return [part for part in found if part]


def _reset(state: Configuration) -> list[Part]:
    if state.main is None:
        return []
    known = DEFAULTS.get(state.method.id)
    if known is not None and contains(without_annotations(state.main), known):
        return []
    request = Request("DELETE", _path(state), f"reset {state.title}", version=state.version)
    before = _as_options(state, state.main)
    after = None if known is None else _as_options(state, _default(state.method, state.main), known)
    return [Part(state.version, Change(state.title, before, after, request), None)]


def _default(method: Method, current: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration after a reset. Of what this version does not know the default of, it is as before."""
    known = dict(DEFAULTS[method.id])
    present = {key(target): target for target in objects(current, "includeTargets")}
    included = known.pop("includeTargets")
    parts = {name: value for name, value in known.items() if isinstance(value, Mapping)}
    return {
        **current,
        **known,
        **{name: {**(current.get(name) or {}), **value} for name, value in parts.items()},
        "includeTargets": [{**method.new_target, **present.get(key(target), {}), **target} for target in included],
    }


def _creation(run: Run, state: Configuration) -> Part:
    body = {"@odata.type": EXTERNAL.type_name, "displayName": run.options["id"], **_wanted(run, state, state.version)}
    body = {"state": "disabled", "excludeTargets": [], **body}
    request = Request("POST", CONFIGURATIONS, f"create {state.title}", body, creates=True)
    return Part(state.version, Change(state.title, None, _as_options(state, body, body), request), body)


def _difference(run: Run, state: Configuration, version: str) -> Part | None:
    """One PATCH with what differs, in one version of Graph."""
    current = state.found[version]
    if current is None:
        reason = f"Graph's {version} does not show {state.title}; its state is unknown. Nothing was written."
        raise StateUnknown(reason)
    body = _wanted(run, state, version)
    if not body:
        return None
    body = {"@odata.type": state.method.type_name, **body}
    change = Change(
        title=state.title if version == state.version else f"{state.title} ({version})",
        before=_as_options(state, current, body),
        after=_as_options(state, {**current, **body}, body),
        request=Request("PATCH", _path(state), f"change {state.title}", body, version=version),
    )
    return Part(version, change, body)


def _wanted(run: Run, state: Configuration, version: str) -> dict[str, Any]:
    """What is to be written in this version of Graph, by Graph's names. Raises UnexpectedShape, OptionError."""
    current: Mapping[str, Any] = state.found[version] or {}
    body: dict[str, Any] = {}
    if version == state.version:
        if run.options["state"] is not None and run.options["state"] != current.get("state"):
            body["state"] = run.options["state"]
        profiles = _profiles(run, current)
        if profiles is not None:
            body["passkeyProfiles"] = profiles
        body.update(_targets(run, state, current, profiles))
    for row in state.method.rows:
        value = _written(run, state.method, state.groups).get(row.option)
        if value is None or _version_of(state.method, row.option, value) != version:
            continue
        if not current or not row.compare(value, row.read(current, CONFIGURATIONS)):
            body[row.graph] = row.write(value, current.get(row.graph))
    return body


def _targets(
    run: Run, state: Configuration, current: Mapping[str, Any], profiles: Sequence[Mapping[str, Any]] | None
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for option, graph in TARGETS.items():
        if run.options[option] is None:
            continue
        rows = state.method.target_rows if option == "include_targets" else ()
        edit = targets_edit(option, run.options[option], state.groups, rows)
        present = objects(current, graph) if current else []
        if profiles is None and current:
            profiles = current.get("passkeyProfiles") or []
        new = state.method.new_target if option == "include_targets" else None
        items = [_with_profile_ids(item, profiles or []) for item in edited(present, edit, new)]
        if not same_items(present, items):
            if option == "include_targets" and current.get("passkeyProfiles"):
                _refuse_unread_profiles(state, items)
            found[graph] = items
    return found


def _refuse_unread_profiles(state: Configuration, targets: Iterable[Mapping[str, Any]]) -> None:
    """Targets are written as a whole. Raises StateUnknown where nobody says which profiles one of them is allowed."""
    for target in targets:
        if not isinstance(target.get("allowedPasskeyProfiles"), list):
            raise StateUnknown(
                f"Graph does not show which passkey profiles the target {state.groups.shown(text(target, 'id'))} of "
                f"{state.title} is allowed, so they would be lost. Nothing was written. Name them in "
                "allowed_passkey_profiles of that target."
            )


def _with_profile_ids(target: dict[str, Any], profiles: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Profiles may be written by name. Raises OptionError, UnexpectedShape."""
    asked = target.get("allowedPasskeyProfiles")
    if not asked:
        return target
    known = {text(profile, "name").casefold(): text(profile, "id") for profile in profiles}
    ids = []
    for name in asked:
        identity = name if is_guid(name) else known.get(name.casefold())
        if identity is None:
            reason = f"There is no passkey profile '{name}'. Known are: {', '.join(sorted(known)) or 'none'}."
            raise OptionError(reason)
        ids.append(identity)
    return {**target, "allowedPasskeyProfiles": ids}


def _profiles(run: Run, current: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The passkey profiles that are wanted; None where the task leaves them alone."""
    edit = (run.options["fido2"] or {}).get("passkey_profiles")
    if edit is None:
        return None
    present = objects(current, "passkeyProfiles")
    ids = {text(profile, "name").casefold(): text(profile, "id").lower() for profile in present}

    def identity(name: str) -> str:
        return ids.get(name.casefold(), name.lower())

    def item(written: Mapping[str, Any]) -> dict[str, Any]:
        values = wanted_values(PASSKEY_PROFILE, written)
        name = written["name"]
        known = (
            values.get("id")
            or ids.get(name.casefold())
            or str(uuid.uuid5(uuid.NAMESPACE_OID, f"passkey profile {name}"))
        )
        profile = next((one for one in present if text(one, "id").lower() == known), NEW_PROFILE)
        wanted = {
            row.graph: row.write(values[row.option], profile.get(row.graph))
            for row in PASSKEY_PROFILE
            if row.option in values and not _holds(row, profile, values[row.option])
        }
        return {**wanted, "id": profile.get("id", known)}

    wanted = edited(present, checked_edit("fido2.passkey_profiles", edit, item, identity), NEW_PROFILE)
    return None if same_items(present, wanted) else wanted


NEW_PROFILE: dict[str, Any] = {
    "passkeyTypes": "deviceBound",
    "attestationEnforcement": "disabled",
    "keyRestrictions": {"isEnforced": False, "enforcementType": "allow", "aaGuids": []},
}


def _holds(row: Property, profile: Mapping[str, Any], value: Any) -> bool:
    return row.graph in profile and contains(row.read(profile, "passkeyProfiles"), value)


def _path(state: Configuration) -> str:
    identity = state.method.id or text(state.main, "id")
    return f"{CONFIGURATIONS}/{path_segment(identity)}"


def _found_of_other_versions(state: Configuration, changes: Sequence[Part]) -> dict[str, Any]:
    """What is changed in a version of Graph other than that of the policy that is looked at, as it was found."""
    return {
        name: (state.found[part.version] or {}).get(name)
        for part in changes
        if part.version != state.version
        for name in part.body or {}
    }


def _policy_with(
    state: Configuration, body: Mapping[str, Any] | None, policy: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The policy with other properties of the configuration; with its default, or without it, where there are none."""
    policy = state.policies[state.version] if policy is None else policy
    known = DEFAULTS.get(state.method.id)
    configurations = []
    for configuration in objects(policy, "authenticationMethodConfigurations"):
        same = state.main is not None and text(configuration, "id") == text(state.main, "id")
        if not same:
            configurations.append(configuration)
        elif body is not None or known is not None:
            configurations.append({**configuration, **(body if body is not None else known or {})})
    if state.main is None and body:
        configurations.append({"id": state.id, "includeTargets": [], **body})
    return {**policy, "authenticationMethodConfigurations": configurations}


def _warn_of_phones(run: Run, state: Configuration, policy: Mapping[str, Any]) -> None:
    """Text messages may be switched on for signing in without a password, because that is Microsoft's default."""
    found = _find(policy, state.method, state.id)
    written = run.options["include_targets"] or {}
    if state.method.id != "Sms" or run.options["state"] != "enabled" or found is None:
        return
    asked = [item.get("is_usable_for_sign_in") for name in ("add", "set") for item in written.get(name) or []]
    if True not in asked and any(target.get("isUsableForSignIn") for target in objects(found, "includeTargets")):
        run.warn(SIGN_IN_BY_PHONE)


def _what(parts: Sequence[Part]) -> str:
    if parts[0].change.before is None:
        return "created"
    if parts[0].body is None:
        return "removed" if parts[0].change.after is None else "reset to its default"
    words = [name.replace("_", " ") for part in parts for name in part.change.after or {}]
    return f"changed ({', '.join(words)})"


# Saying


def _as_options(
    state: Configuration, configuration: Mapping[str, Any], only: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A configuration under option names; ``only`` names Graph's properties that are shown, None for all."""
    shown: dict[str, Any] = {}

    def is_shown(graph: str) -> bool:
        return graph in configuration and (only is None or graph in only)

    if is_shown("state"):
        shown["state"] = configuration["state"]
    for option, graph in TARGETS.items():
        if is_shown(graph):
            shown[option] = [_target(target, state) for target in objects(configuration, graph)]
    settings = current_values([row for row in state.method.rows if is_shown(row.graph)], configuration, CONFIGURATIONS)
    if is_shown("passkeyProfiles"):
        settings["passkey_profiles"] = [
            current_values(PASSKEY_PROFILE, profile, CONFIGURATIONS)
            for profile in objects(configuration, "passkeyProfiles")
        ]
    if settings:
        shown[state.method.option] = settings
    return shown


def _target(target: Mapping[str, Any], state: Configuration) -> dict[str, Any]:
    rows = [row for row in state.method.target_rows if row.graph in target]
    return {
        "id": state.groups.known_id(text(target, "id")),
        "target_type": text(target, "targetType") if "targetType" in target else "group",
        "display_name": state.groups.name_of(text(target, "id")),
        **current_values(rows, target, CONFIGURATIONS),
    }


def _shown(state: Configuration) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": state.id, "exists": state.main is not None, "state": None}
    for version in state.found:
        shown = _merged(shown, _as_options(state, state.found[version] or {}))
    return shown


def _merged(shown: Mapping[str, Any], changes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Settings of a method lie in a dictionary of their own, of which a change has a part."""
    found = dict(shown)
    for name, value in (changes or {}).items():
        found[name] = {**found.get(name, {}), **value} if isinstance(value, Mapping) else value
    if changes:
        found["exists"] = True
    return found


RESOURCE = AuthenticationMethod()
