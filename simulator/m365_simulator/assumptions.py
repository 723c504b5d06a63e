# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Behaviours that no public source settles. Each is a named switch, so that tests can run under every value."""

from __future__ import annotations

from dataclasses import dataclass

from m365_simulator.errors import SimulatorError


@dataclass(frozen=True)
class Assumption:
    values: tuple[str, ...]
    default: str
    meaning: str


ASSUMPTIONS: dict[str, Assumption] = {
    "security_defaults_blocked_by": Assumption(
        ("enabled", "any", "nothing"),
        "enabled",
        "which Conditional Access policies keep security defaults from being enabled",
    ),
    "security_defaults_blocked_answer": Assumption(
        ("400", "403", "ignored"),
        "400",
        "how Graph answers when they do; `ignored` is 204 with isEnabled left false",
    ),
    "conditional_access_read_on_free": Assumption(
        ("200", "403"), "200", "how Graph answers the list of Conditional Access policies to a tenant without P1"
    ),
    "mfa_service_policy": Assumption(
        ("200", "403", "404"), "200", "whether the undocumented /beta/policies/mfaServicePolicy is there"
    ),
    "user_mfa_state_in_list": Assumption(
        ("present", "absent"), "present", "whether users carry the undocumented property perUserMfaState"
    ),
    "security_defaults_hidden_blocker": Assumption(
        ("none", "classic", "identityProtection"),
        "none",
        "what else, which Graph does not show, keeps security defaults from being enabled, as the portals say it does",
    ),
    "security_defaults_same_value": Assumption(
        ("204", "400"), "204", "how Graph answers a write that leaves security defaults as they are"
    ),
    "security_defaults_off_after_seconds": Assumption(
        ("0", "3", "300"),
        "0",
        "how long Conditional Access still refuses enabled policies after security defaults were switched off",
    ),
    "disabled_policy_under_security_defaults": Assumption(
        ("accepted", "refused"), "accepted", "whether a disabled policy may be written while security defaults are on"
    ),
    "managed_policies_after_security_defaults": Assumption(
        ("enabled", "enabledForReportingButNotEnforced", "none"),
        "enabled",
        "the state of the Microsoft-managed policies that appear when a tenant with P1 switches security defaults off",
    ),
    "managed_policy_refusal": Assumption(
        ("400", "403"),
        "400",
        "how Graph refuses to delete a Microsoft-managed policy, or to change more than is allowed",
    ),
    "conditional_access_policy_limit": Assumption(
        ("244", "240", "195"), "244", "how many Conditional Access policies a tenant may have, the managed ones apart"
    ),
    "conditional_access_limit_refusal": Assumption(
        ("400", "403"), "400", "how Graph refuses one more Conditional Access policy than that"
    ),
    "trusted_location_refusal": Assumption(
        ("400", "409"), "400", "how Graph refuses to delete a named location that is still trusted"
    ),
    "migration_back_refusal": Assumption(
        ("400", "ignored"),
        "400",
        "how Graph refuses preMigration to a tenant that began later; `ignored` is 204 without effect",
    ),
    "method_type_refusal": Assumption(
        ("abstract", "unresolved"), "abstract", "the words for a method configuration that is written without its type"
    ),
    "methods_policy_size_refusal": Assumption(
        ("400", "413"), "400", "how Graph refuses an authentication methods policy of more than 20 KB"
    ),
    "user_as_method_target": Assumption(
        ("accepted", "refused"), "accepted", "whether a single user may be written as a target of a method"
    ),
    "snooze_refusal": Assumption(
        ("400", "clamped"), "400", "what becomes of a snooze of less than 0 or more than 14 days"
    ),
    "incomplete_campaign": Assumption(
        ("400", "merged"), "400", "what becomes of a registration campaign that is written in part"
    ),
    "email_method_refusal": Assumption(
        ("400", "403"), "400", "how Graph refuses to disable the email method while external users need it"
    ),
    "beta_setting_in_v1": Assumption(
        ("400", "ignored"), "400", "what becomes of a setting that only beta has, written in v1.0"
    ),
    "unknown_segment": Assumption(("400", "404"), "400", "how Graph answers an address that it does not have"),
    "user_mfa_state_filter": Assumption(
        ("refused", "works"), "refused", "whether $filter reaches the undocumented property perUserMfaState"
    ),
    "methods_of_missing_user": Assumption(
        ("404", "403"),
        "404",
        "how Graph answers for the authentication of a user who was just deleted or is not yet there",
    ),
    "last_global_administrator_refusal": Assumption(
        ("400", "403"), "400", "how Graph refuses to delete the last Global Administrator, or to take the role away"
    ),
    "role_assigned_twice": Assumption(
        ("400", "409"), "400", "how Graph refuses a role assignment that is already there"
    ),
    "sensitive_actions_by_applications": Assumption(
        ("refused", "allowed"),
        "refused",
        "whether an application without a directory role is kept from sensitive actions on administrators",
    ),
    "roles_of_restored_user": Assumption(
        ("restored", "lost"), "restored", "whether a user who is restored has the directory roles of before"
    ),
    "what_if_without_information": Assumption(
        ("does_not_apply", "applies"),
        "does_not_apply",
        "what the what-if evaluation says of a policy whose conditions ask for what the request does not tell",
    ),
    "permission_takes_effect": Assumption(
        ("new_token", "at_once"), "new_token", "when a permission that is granted or revoked reaches the application"
    ),
    "security_defaults_count_scoped_roles": Assumption(
        ("yes", "no"),
        "yes",
        "whether an administrator's role over one administrative unit is asked for MFA at every sign-in",
    ),
    "security_defaults_accept_passkeys": Assumption(
        ("yes", "no"),
        "yes",
        "whether passkeys, Windows Hello, certificates and hardware tokens satisfy security defaults, on which "
        "Microsoft's pages contradict each other",
    ),
    "security_defaults_accept_phone": Assumption(
        ("yes", "no"), "yes", "whether SMS and voice satisfy security defaults for those who have registered them"
    ),
    "security_defaults_when_necessary": Assumption(
        ("asked", "not_asked"),
        "asked",
        "whether security defaults ask ordinary users for MFA from a place or device they have not signed in from",
    ),
    "security_defaults_take_effect_after_seconds": Assumption(
        ("0", "60", "900"), "0", "how long it is not certain whether a change of security defaults has reached sign-in"
    ),
    "security_defaults_block_device_code": Assumption(
        ("new_tenants", "always"),
        "new_tenants",
        "whether security defaults block the device code flow only in tenants created since July 2026",
    ),
    "security_defaults_grace_of_new_tenants": Assumption(
        ("24_hours", "none"), "24_hours", "how long after its creation the people of a tenant can put registration off"
    ),
    "guest_mfa_from_home_tenant": Assumption(
        ("not_trusted", "trusted"), "not_trusted", "whether MFA that a guest has done at home counts here"
    ),
    "registration_in_place_of_lost_method": Assumption(
        ("no", "yes"),
        "no",
        "whether somebody whose registered methods are all disabled may register another one while signing in",
    ),
    "registered_software_token": Assumption(
        ("microsoft_authenticator", "another_application"),
        "microsoft_authenticator",
        "which application a registered software token is of, which Graph does not show: isSoftwareOathEnabled allows "
        "the codes of Microsoft Authenticator only (DOC), those of another application take the method SoftwareOath",
    ),
    "registration_for_authentication_strength": Assumption(
        ("no", "yes"),
        "no",
        "whether somebody without a method that a stronger authentication strength wants may register it on the way in",
    ),
    "phone_after_january_2027": Assumption(
        ("ended", "customer_telecom"),
        "ended",
        "whether SMS and voice end on 1 February 2027, or the tenant has a provider of its own for them",
    ),
    "legacy_verification_options": Assumption(
        ("all", "application", "none"),
        "all",
        "which methods the legacy MFA settings, which Graph does not show, allow until the migration is complete",
    ),
    "basic_authentication": Assumption(
        ("smtp_only", "all", "none"), "smtp_only", "by which legacy protocols Exchange Online still takes a password"
    ),
    "reference_to_new_object": Assumption(
        ("400", "404"),
        "400",
        "how Graph refuses a write whose body names an object that is not visible yet (in the path it is 404)",
    ),
    "restricted_management_refusal": Assumption(
        ("Authorization_RequestDenied", "accessDenied"),
        "Authorization_RequestDenied",
        "the code of the 403 for writes to an object in a restricted management administrative unit",
    ),
    "restricted_management_on_free": Assumption(
        ("refused", "accepted"),
        "refused",
        "whether Graph creates a restricted management administrative unit in a tenant without P1",
    ),
    "temporary_access_pass_on_free": Assumption(
        ("refused", "accepted"),
        "refused",
        "whether Graph creates a Temporary Access Pass in a tenant without P1, which practitioners say it takes",
    ),
    "sign_in_log_delay_seconds": Assumption(
        ("0", "300"), "0", "how long after a sign-in the sign-in log has it, which Microsoft says can be minutes"
    ),
    "hardware_oath_on_free": Assumption(
        ("refused", "accepted"), "refused", "whether Graph takes a hardware OATH token in a tenant without P1"
    ),
    "throttled_requests_count": Assumption(
        ("no", "yes"), "no", "whether a request that was throttled counts against the limit too"
    ),
}


def default_assumptions() -> dict[str, str]:
    return {name: assumption.default for name, assumption in ASSUMPTIONS.items()}


def check_assumption(name: str, value: str) -> None:
    """Raise SimulatorError when there is no such assumption, or it has no such value."""
    if name not in ASSUMPTIONS:
        raise SimulatorError(f"There is no assumption {name!r}; choose from {', '.join(sorted(ASSUMPTIONS))}.")
    if value not in ASSUMPTIONS[name].values:
        raise SimulatorError(
            f"The assumption {name} has no value {value!r}; choose from {', '.join(ASSUMPTIONS[name].values)}."
        )
