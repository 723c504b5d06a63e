# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What security defaults demand (Microsoft's page "Security defaults in Microsoft Entra ID")."""

from __future__ import annotations

from datetime import datetime, timezone

from m365_simulator.directory_roles import BUILT_IN_ROLES
from m365_simulator.sign_in_rules.applications import is_azure_management
from m365_simulator.sign_in_rules.attempt import Attempt
from m365_simulator.sign_in_rules.demands import WHEN_NECESSARY, Block, Demand, MultiFactor, Registration
from m365_simulator.sign_in_rules.directory import Directory
from m365_simulator.sign_in_rules.methods import PHONE, STRONG, has_registered, registrable
from m365_simulator.sign_in_rules.person import Person
from m365_simulator.sign_in_rules.three_valued import Maybe, all_of

ADMINISTRATORS = frozenset(
    BUILT_IN_ROLES[name][0]
    for name in (
        "Global Administrator",
        "Application Administrator",
        "Authentication Administrator",
        "Authentication Policy Administrator",
        "Billing Administrator",
        "Cloud Application Administrator",
        "Conditional Access Administrator",
        "Exchange Administrator",
        "Helpdesk Administrator",
        "Identity Governance Administrator",
        "Password Administrator",
        "Privileged Authentication Administrator",
        "Privileged Role Administrator",
        "Security Administrator",
        "SharePoint Administrator",
        "User Administrator",
    )
)
"""The sixteen roles that are asked at every sign-in."""
EXEMPT = BUILT_IN_ROLES["Directory Synchronization Accounts"][0]

BLOCKS_DEVICE_CODE_SINCE = datetime(2026, 7, 1, tzinfo=timezone.utc).timestamp()
GRACE_SECONDS = 24 * 3600
APPLICATION_METHODS = frozenset({"password,microsoftAuthenticatorPush", "password,softwareOath"})
"""All that can be registered under security defaults: the Authenticator, or any application for one-time codes."""
CONTESTED = frozenset({"fido2", "windowsHelloForBusiness", "x509CertificateMultiFactor", "password,hardwareOath"})
"""What Microsoft's licensing page leaves out for security defaults, and its page on mandatory MFA accepts."""


def is_administrator(directory: Directory, person: Person) -> bool:
    scoped = directory.assumes("security_defaults_count_scoped_roles") == "yes"
    return bool(ADMINISTRATORS & (person.roles | person.scoped_roles if scoped else person.roles))


def security_defaults_demands(directory: Directory, person: Person, attempt: Attempt) -> list[Demand]:
    """There are no exclusions but the one role, and guests are as members."""
    applies = directory.security_defaults
    if applies is False or EXEMPT in person.roles or attempt.user_action is not None:
        return []
    if attempt.legacy:
        return [_demand("Security defaults block legacy authentication.", Block(), applies)]
    if attempt.flow == "deviceCode" and _blocks_device_code(directory):
        return [_demand("Security defaults block the device code flow.", Block(), applies)]
    accepts = accepted_methods(directory)
    new = APPLICATION_METHODS & registrable(directory, person)
    if _in_grace(directory) and not has_registered(person):
        register = Registration(accepts, new, skip=True)
        return [_demand("In the first 24 hours of a tenant, registration for MFA can be put off.", register, applies)]
    demands = [
        _demand("Security defaults make everybody register for MFA.", Registration(accepts, new, skip=False), applies)
    ]
    if is_administrator(directory, person):
        demands.append(
            _demand(
                "Security defaults ask administrators for MFA at every sign-in.", MultiFactor(accepts, new), applies
            )
        )
        return demands
    azure = all_of((applies, is_azure_management(attempt.application)))
    if azure is not False:
        demands.append(_demand("Security defaults ask for MFA for Azure management.", MultiFactor(accepts, new), azure))
    demands.append(
        _demand(
            "Security defaults ask for MFA when Entra finds it necessary.",
            MultiFactor(accepts, new, WHEN_NECESSARY, _is_necessary(directory, attempt)),
            applies,
        )
    )
    return demands


def accepted_methods(directory: Directory) -> frozenset[str]:
    accepts = STRONG | {"external"}
    if directory.assumes("security_defaults_accept_passkeys") == "no":
        accepts -= CONTESTED
    if directory.assumes("security_defaults_accept_phone") == "no":
        accepts -= set(PHONE)
    return accepts


def _demand(reason: str, control: Block | MultiFactor | Registration, applies: Maybe) -> Demand:
    return Demand(reason, (control,), applies=applies, unknown=("certainty that they are in force here and now",))


def _is_necessary(directory: Directory, attempt: Attempt) -> Maybe:
    """Entra does not say by what it judges; an unfamiliar place or device is what its page names."""
    if directory.assumes("security_defaults_when_necessary") == "not_asked":
        return False
    return None if attempt.familiar is None else not attempt.familiar


def _blocks_device_code(directory: Directory) -> bool:
    if directory.assumes("security_defaults_block_device_code") == "always":
        return True
    return directory.created >= BLOCKS_DEVICE_CODE_SINCE


def _in_grace(directory: Directory) -> bool:
    return (
        directory.assumes("security_defaults_grace_of_new_tenants") == "24_hours"
        and directory.now < directory.created + GRACE_SECONDS
    )
