# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the legacy MFA and password reset settings become (private to the collection). Pure functions.

Source: the table in Microsoft's page "How to migrate MFA and SSPR policy settings to the authentication methods
policy". Until the migration is complete, a method can be used that any of the three allows. So each method is enabled
for everybody who has it by one of them. This only widens: no method is switched off, no group that has it is left out.
Whoever is in the group that may reset passwords and in a group that is excluded from a method as well loses it in the
end, as the exclusion keeps others from it whom no legacy setting reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .authentication_methods import ALL_USERS, MIGRATION_COMPLETE, migration_state
from .facts import objects, text

# The verification options of per-user MFA: the words of the portal, and the methods that each becomes.
VERIFICATION_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "call_to_phone": ("Call to phone", ("Voice",)),
    "text_message_to_phone": ("Text message to phone", ("Sms",)),
    "notification_through_mobile_app": ("Notification through mobile app", ("MicrosoftAuthenticator",)),
    "verification_code_from_mobile_app_or_hardware_token": (
        "Verification code from mobile app or hardware token",
        ("SoftwareOath", "HardwareOath", "MicrosoftAuthenticator"),
    ),
}

# The methods of self-service password reset. Security questions have no successor: they stay where they are.
RESET_METHODS: dict[str, tuple[str, tuple[str, ...]]] = {
    "mobile_app_notification": ("Mobile app notification", ("MicrosoftAuthenticator",)),
    "mobile_app_code": ("Mobile app code", ("MicrosoftAuthenticator", "SoftwareOath")),
    "email": ("Email", ("Email",)),
    "mobile_phone": ("Mobile phone", ("Voice", "Sms")),
    "office_phone": ("Office phone", ("Voice",)),
    "security_questions": ("Security questions", ()),
}
NOBODY, SELECTED, EVERYBODY = "nobody", "selected", "everybody"
RESET_FOR = (NOBODY, SELECTED, EVERYBODY)

# What a legacy setting allows besides the method as such. A call to a phone reached office phones as well.
CODES_OF_AUTHENTICATOR = frozenset({"verification_code_from_mobile_app_or_hardware_token", "mobile_app_code"})
OFFICE_PHONES = frozenset({"call_to_phone", "office_phone"})

PHONE = ("Sms", "Voice")
PHONE_ENDS = (
    "SMS and voice of Microsoft end on 1 February 2027. They are enabled only because a legacy setting allows them "
    "now; have people register passkeys or Microsoft Authenticator before that day."
)

STILL_EXCLUDED = (
    "Groups that are excluded stay so for {}: the legacy settings allow it only the group that may reset passwords, so "
    "others in them would gain it. Whoever is in both loses it once the migration is complete. Before that the run "
    "names whoever would have nothing else left. Take people who shall keep it out of the excluded groups."
)

WORDS = {
    "MicrosoftAuthenticator": "Microsoft Authenticator",
    "SoftwareOath": "software OATH tokens",
    "HardwareOath": "hardware OATH tokens",
    "Sms": "SMS",
    "Voice": "voice calls",
    "Email": "email codes",
}
ORDER = tuple(WORDS)

WHERE_MFA = "Users > Per-user MFA > Service settings, 'verification options'"
WHERE_RESET = "Password reset > Properties (for whom) and Password reset > Authentication methods (which)"


@dataclass(frozen=True)
class LegacySettings:
    """What the operator read in the portal, since Graph does not show it.

    ``verification_options`` are tenant-wide. ``reset_methods`` are for ``reset_for``, where V(selected) means the group
    ``reset_group`` (name or id).
    """

    verification_options: frozenset[str] = frozenset()
    reset_methods: frozenset[str] = frozenset()
    reset_for: str = NOBODY
    reset_group: str | None = None

    @property
    def settings(self) -> frozenset[str]:
        """The settings that allow somebody something."""
        return self.verification_options | (self.reset_methods if self.reset_for != NOBODY else frozenset())

    def reach(self, method: str) -> set[str]:
        """Who has a method by a legacy setting: ``all_users``, the group, or nobody."""
        reach = set()
        if any(method in VERIFICATION_OPTIONS[option][1] for option in self.verification_options):
            reach.add(ALL_USERS)
        if any(method in RESET_METHODS[name][1] for name in self.reset_methods):
            if self.reset_for == EVERYBODY:
                reach.add(ALL_USERS)
            elif self.reset_for == SELECTED and self.reset_group:
                reach.add(self.reset_group)
        return {ALL_USERS} if ALL_USERS in reach else reach


def missing_declarations(verification_options: Any, password_reset: Any) -> list[str]:
    """What the operator still has to look up, in sentences that say where. Empty when nothing is missing."""
    found = []
    if verification_options is None:
        found.append(f"which verification options are ticked, in the Microsoft Entra admin center under {WHERE_MFA}")
    if password_reset is None:
        found.append(
            "for whom and with which methods people reset their passwords, in the Microsoft Entra admin center under "
            f"{WHERE_RESET}"
        )
    return found


def refused_declarations(verification_options: Iterable[str], password_reset: Mapping[str, Any]) -> list[str]:
    """What is wrong with what was declared, in sentences."""
    found = []
    strange = sorted(set(verification_options) - set(VERIFICATION_OPTIONS))
    if strange:
        found.append(f"Unknown verification options: {', '.join(strange)}. Known: {', '.join(VERIFICATION_OPTIONS)}.")
    strange = sorted(set(password_reset) - {"enabled_for", "group", "methods"})
    if strange:
        found.append(f"Unknown in the password reset settings: {', '.join(strange)}.")
    enabled_for, methods = password_reset.get("enabled_for"), password_reset.get("methods") or []
    if enabled_for not in RESET_FOR:
        found.append(f"Password reset must be enabled_for one of {', '.join(RESET_FOR)}, not '{enabled_for}'.")
    strange = sorted(set(methods) - set(RESET_METHODS))
    if strange:
        found.append(f"Unknown methods of password reset: {', '.join(strange)}. Known: {', '.join(RESET_METHODS)}.")
    if enabled_for == SELECTED and not password_reset.get("group"):
        found.append("Password reset that is enabled for selected users needs their group.")
    if enabled_for in (NOBODY, EVERYBODY) and password_reset.get("group"):
        found.append(f"Password reset that is enabled for {enabled_for} has no group.")
    if enabled_for in (SELECTED, EVERYBODY) and not methods:
        found.append("Password reset that is enabled for somebody has at least one method.")
    return found


def declared(verification_options: Iterable[str], password_reset: Mapping[str, Any]) -> LegacySettings:
    """Of declarations that are not refused."""
    return LegacySettings(
        verification_options=frozenset(verification_options),
        reset_methods=frozenset(password_reset.get("methods") or []),
        reset_for=str(password_reset["enabled_for"]),
        reset_group=password_reset.get("group") or None,
    )


def methods_to_enable(policy: Mapping[str, Any], legacy: LegacySettings) -> list[dict[str, Any]]:
    """For each method that a legacy setting allows, the options of the module authentication_method.

    ``policy`` as Graph's beta shows it. Raises UnexpectedShape, and LookupError with a sentence for a method that the
    tenant's policy does not have.
    """
    found = {text(one, "id").lower(): one for one in objects(policy, "authenticationMethodConfigurations")}
    wanted = []
    for method in ORDER:
        reach = legacy.reach(method)
        if not reach:
            continue
        if method.lower() not in found:
            reason = (
                f"The legacy settings allow {WORDS[method]}, but the tenant's authentication methods policy does not "
                f"show {method}: whoever has nothing else would be locked out once the migration is complete."
            )
            raise LookupError(reason)
        wanted.append(_method_options(method, found[method.lower()], reach, legacy))
    return wanted


def _method_options(
    method: str, configuration: Mapping[str, Any], reach: set[str], legacy: LegacySettings
) -> dict[str, Any]:
    """Where the legacy settings reach everybody, exclusions go: they did not keep anybody from the method.

    Where they reach a group, they kept others from it. So all stay but that of this very group.
    """
    exclusions: dict[str, Any] = {"set": []} if ALL_USERS in reach else {"remove": sorted(reach)}
    enabled = text(configuration, "state") == "enabled"
    # Targets of a method that is off reach nobody, whatever they allow. They are not switched on with it.
    present = {text(one, "id").lower(): one for one in objects(configuration, "includeTargets")} if enabled else {}
    if ALL_USERS in present and _allows_notifications(method, present[ALL_USERS]):
        reach = {ALL_USERS}
    targets = [_target(method, group, present.get(group.lower()), enabled) for group in sorted(reach)]
    options: dict[str, Any] = {
        "id": method,
        "state": "enabled",
        "include_targets": {"add" if enabled else "set": targets},
        "exclude_targets": exclusions,
    }
    if method == "MicrosoftAuthenticator" and legacy.settings & CODES_OF_AUTHENTICATOR:
        options["microsoft_authenticator"] = {"is_software_oath_enabled": True}
    if method == "Voice" and legacy.settings & OFFICE_PHONES:
        options["voice"] = {"is_office_phone_allowed": True}
    return options


def _target(method: str, group: str, present: Mapping[str, Any] | None, enabled: bool) -> dict[str, Any]:
    """Notifications need another mode than passwordless sign-in only. Signing in by SMS alone was not allowed."""
    target: dict[str, Any] = {"group": group}
    if not _allows_notifications(method, present or {}):
        target["authentication_mode"] = "any"
    if method == "Sms" and not enabled:
        target["is_usable_for_sign_in"] = False
    return target


def _allows_notifications(method: str, target: Mapping[str, Any]) -> bool:
    return method != "MicrosoftAuthenticator" or target.get("authenticationMode") in ("any", "push")


def what_becomes(policy: Mapping[str, Any], legacy: LegacySettings) -> list[str]:
    """One sentence for each legacy setting. Raises UnexpectedShape."""
    lines = [
        f"Per-user MFA, '{words}': {_become(methods, {ALL_USERS}, policy, legacy)}"
        for option, (words, methods) in VERIFICATION_OPTIONS.items()
        if option in legacy.verification_options
    ]
    if not lines:
        lines.append("Per-user MFA: no verification option is ticked.")
    if legacy.reset_for == NOBODY:
        return [*lines, "Password reset: it is enabled for nobody."]
    reach = {ALL_USERS} if legacy.reset_for == EVERYBODY else {str(legacy.reset_group)}
    for name, (words, methods) in RESET_METHODS.items():
        if name in legacy.reset_methods:
            become = (
                _become(methods, reach, policy, legacy) if methods else "they stay in the settings of password reset."
            )
            lines.append(f"Password reset, '{words}': {become}")
    return lines


def _become(methods: Iterable[str], reach: set[str], policy: Mapping[str, Any], legacy: LegacySettings) -> str:
    found = {text(one, "id").lower(): one for one in objects(policy, "authenticationMethodConfigurations")}
    whom = "everybody" if ALL_USERS in reach else f"the group {', '.join(sorted(reach))}"
    parts = [f"{WORDS[method]} ({_now(found.get(method.lower()), legacy.reach(method))})" for method in methods]
    return f"{', '.join(parts)} for {whom}."


def _now(configuration: Mapping[str, Any] | None, reach: set[str]) -> str:
    """What the policy says today, and what becomes of its exclusions where the legacy settings have this reach."""
    if configuration is None:
        return "not in this tenant's policy"
    excluded = objects(configuration, "excludeTargets")
    stay = _excluded_still(configuration, reach)
    ends = [f"{_groups(excluded[len(stay) :])} no longer excluded"] if len(excluded) > len(stay) else []
    ends += [f"{_groups(stay)} still excluded"] if stay else []
    return ", ".join([_on_now(configuration), *ends])


def _on_now(configuration: Mapping[str, Any]) -> str:
    if text(configuration, "state") != "enabled":
        return "off now"
    included = objects(configuration, "includeTargets")
    if any(text(target, "id") == ALL_USERS for target in included):
        return "on now"
    return f"on now for {_groups(included)}" if included else "on now, but for nobody"


def _excluded_still(configuration: Mapping[str, Any], reach: set[str]) -> list[Mapping[str, Any]]:
    """A group that is declared by its name is not told from the others here."""
    if ALL_USERS in reach:
        return []
    gone = {group.lower() for group in reach}
    return [one for one in objects(configuration, "excludeTargets") if text(one, "id").lower() not in gone]


def _groups(targets: list[Mapping[str, Any]]) -> str:
    return "1 group" if len(targets) == 1 else f"{len(targets)} groups"


def warnings(policy: Mapping[str, Any], legacy: LegacySettings) -> list[str]:
    """Raises UnexpectedShape."""
    found = [PHONE_ENDS] if any(legacy.reach(method) for method in PHONE) else []
    excluding = [
        WORDS[method]
        for method, one in _configurations(policy)
        if legacy.reach(method) and _excluded_still(one, legacy.reach(method))
    ]
    return [*found, STILL_EXCLUDED.format(", ".join(excluding))] if excluding else found


def _configurations(policy: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Those that a legacy setting can become, in this order, with their ids."""
    found = {text(one, "id").lower(): one for one in objects(policy, "authenticationMethodConfigurations")}
    return [(method, found[method.lower()]) for method in ORDER if method.lower() in found]


def mapping(policy: Mapping[str, Any], verification_options: Any, password_reset: Any) -> dict[str, Any]:
    """What the role works with: {complete, state, missing, refused, methods, becomes, warnings}.

    Where the migration is complete, the legacy settings count for nothing, so nothing has to be declared. Raises
    UnexpectedShape, LookupError.
    """
    state = migration_state(policy)
    result: dict[str, Any] = {
        "complete": state == MIGRATION_COMPLETE,
        "state": state,
        "missing": [],
        "refused": [],
        "methods": [],
        "becomes": [],
        "warnings": [],
    }
    if result["complete"]:
        return result
    result["missing"] = missing_declarations(verification_options, password_reset)
    result["refused"] = refused_declarations(
        [] if verification_options is None else verification_options,
        {"enabled_for": NOBODY} if password_reset is None else password_reset,
    )
    if not result["missing"] and not result["refused"]:
        legacy = declared(verification_options, password_reset)
        result["methods"] = methods_to_enable(policy, legacy)
        result["becomes"] = what_becomes(policy, legacy)
        result["warnings"] = warnings(policy, legacy)
    return result
