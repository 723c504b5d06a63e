# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which enabled Conditional Access policies apply to an attempt, and what they demand.

Sources: Microsoft's pages "Conditional Access: Users and groups", "... Target resources", "... Conditions", "... Grant"
and "Authentication strengths", and the types of Microsoft Graph.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from m365_simulator.sign_in_rules.applications import is_application
from m365_simulator.sign_in_rules.attempt import Attempt
from m365_simulator.sign_in_rules.demands import Block, Consent, Control, Demand, Fact, MultiFactor
from m365_simulator.sign_in_rules.directory import Directory
from m365_simulator.sign_in_rules.methods import (
    ANY_MFA,
    PASSWORDLESS,
    PHISHING_RESISTANT,
    STRONG,
    registrable,
    registrable_without_password,
)
from m365_simulator.sign_in_rules.person import Person
from m365_simulator.sign_in_rules.three_valued import Maybe, all_of, any_of, negate

STRENGTHS = {
    "00000000-0000-0000-0000-000000000002": STRONG,
    "00000000-0000-0000-0000-000000000003": PASSWORDLESS,
    "00000000-0000-0000-0000-000000000004": PHISHING_RESISTANT,
}
MFA_TRUSTED_IPS = "00000000-0000-0000-0000-000000000000"
"""Stands in policies for the trusted ranges of the legacy MFA settings."""

FLOWS = {"deviceCode": "deviceCodeFlow", "authenticationTransfer": "authenticationTransfer"}
KINDS = ("Users", "Groups", "Roles")


def conditional_access_demands(directory: Directory, person: Person, attempt: Attempt) -> list[Demand]:
    """Of all policies that apply, or may apply. They do not depend on each other, nor on their order."""
    found = []
    for policy in directory.policies:
        applies, unknown = policy_applies(policy, directory, person, attempt)
        demand = None if applies is False else _demand(policy, directory, person, attempt)
        if demand is not None:
            controls, one_is_enough, verb = demand
            reason = f'The Conditional Access policy "{policy["displayName"]}" {verb}.'
            found.append(Demand(reason, controls, one_is_enough, applies, unknown))
    return found


def policy_applies(
    policy: Mapping[str, Any], directory: Directory, person: Person, attempt: Attempt
) -> tuple[Maybe, tuple[str, ...]]:
    """Whether, and which conditions are not known when that is not."""
    conditions = policy["conditions"]
    if conditions.get("clientApplications"):
        return False, ()  # for workload identities
    risks = (("signInRiskLevels", attempt.sign_in_risk), ("userRiskLevels", attempt.user_risk))
    met: dict[str, Maybe] = {
        "the user": _is_for_person(conditions.get("users") or {}, person),
        "the application": _is_for_application(conditions.get("applications") or {}, attempt),
        "the client application": _is_for_client(conditions.get("clientAppTypes") or (), attempt),
        "the place": _is_for_place(conditions.get("locations"), directory, attempt),
        "the platform": _is_for_platform(conditions.get("platforms"), attempt),
        "the device": _is_for_device(conditions, attempt),
        "the risk": all_of(_is_for_risk(conditions.get(name) or (), risk) for name, risk in risks),
        "the insider risk": None if conditions.get("insiderRiskLevels") else True,
        "the flow": _is_for_flow(conditions.get("authenticationFlows"), attempt),
    }
    applies = all_of(met.values())
    return applies, tuple(name for name, value in met.items() if value is None) if applies is None else ()


def _is_for_person(users: Mapping[str, Any], person: Person) -> Maybe:
    return all_of((_names_person(users, "include", person), negate(_names_person(users, "exclude", person))))


def _names_person(users: Mapping[str, Any], prefix: str, person: Person) -> Maybe:
    """By name, group, role (held over the whole tenant) or kind of guest."""
    names, groups, roles = ({str(id).lower() for id in users.get(f"{prefix}{kind}") or ()} for kind in KINDS)
    return any_of(
        (
            "all" in names,
            bool(person.id) and person.id in names,
            "guestsorexternalusers" in names and person.external is not None,
            bool(groups & person.groups),
            bool(roles & person.roles),
            _names_external(users.get(f"{prefix}GuestsOrExternalUsers"), person),
        )
    )


def _names_external(wanted: Mapping[str, Any] | None, person: Person) -> Maybe:
    """The home tenant of a guest is not in the state, so a policy for some tenants may mean it or not."""
    kinds = {kind.strip() for kind in ((wanted or {}).get("guestOrExternalUserTypes") or "").split(",")}
    if person.external is None or person.external not in kinds:
        return False
    tenants = (wanted or {}).get("externalTenants") or {}
    enumerated = tenants.get("membershipKind") == "enumerated" or "members" in tenants
    return None if enumerated and person.invited else True


def _is_for_application(applications: Mapping[str, Any], attempt: Attempt) -> Maybe:
    if attempt.user_action is not None:
        return attempt.user_action in (applications.get("includeUserActions") or ())
    contexts = applications.get("includeAuthenticationContextClassReferences") or ()
    included = any_of(
        (
            *(is_application(attempt.application, name) for name in applications.get("includeApplications") or ()),
            bool(contexts) and attempt.authentication_context in contexts,
        )
    )
    excluded = any_of(
        is_application(attempt.application, name) for name in applications.get("excludeApplications") or ()
    )
    met = all_of((included, negate(excluded)))
    return None if applications.get("applicationFilter") and met is not False else met


def _is_for_client(wanted: Iterable[str], attempt: Attempt) -> bool:
    names = {"exchangeActiveSync" if name == "easSupported" else name for name in wanted}
    return not names or "all" in names or attempt.client_app in names


def _is_for_place(locations: Mapping[str, Any] | None, directory: Directory, attempt: Attempt) -> Maybe:
    if not locations:
        return True
    included = any_of(_is_place(name, directory, attempt) for name in locations.get("includeLocations") or ())
    excluded = any_of(_is_place(name, directory, attempt) for name in locations.get("excludeLocations") or ())
    return all_of((included, negate(excluded)))


def _is_place(name: Any, directory: Directory, attempt: Attempt) -> Maybe:
    if name == "All":
        return True
    if name == MFA_TRUSTED_IPS:
        return in_mfa_trusted_ips(directory, attempt)
    if name == "AllTrusted":
        trusted = [location for location in directory.locations.values() if location.get("isTrusted")]
        return any_of((in_mfa_trusted_ips(directory, attempt), *(in_location(item, attempt) for item in trusted)))
    location = directory.locations.get(str(name).lower())
    return None if location is None else in_location(location, attempt)


def in_location(location: Mapping[str, Any], attempt: Attempt) -> Maybe:
    """A namedLocation by address ranges or by countries."""
    if attempt.outside_named_locations:
        return False
    if "ipRanges" in location:
        return in_ranges((item.get("cidrAddress") for item in location["ipRanges"]), attempt)
    if "countriesAndRegions" in location:
        if attempt.country is None:
            return None
        return attempt.country.upper() in {str(country).upper() for country in location["countriesAndRegions"]}
    return None


def in_mfa_trusted_ips(directory: Directory, attempt: Attempt) -> Maybe:
    """Of the legacy MFA settings."""
    ranges = (directory.service.get("trustedIps") or {}).get("ipRanges") or ()
    if not ranges or attempt.outside_named_locations:
        return False
    return in_ranges(ranges, attempt)


def in_ranges(ranges: Iterable[Any], attempt: Attempt) -> Maybe:
    """Whether the address is in one of these; unknown for a range that cannot be read."""
    if attempt.ip_address is None:
        return None
    address = ipaddress.ip_address(attempt.ip_address)
    networks = [read_range(text) for text in ranges]
    return any_of(None if network is None else address in network for network in networks)


def read_range(text: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(str(text), strict=False)
    except ValueError:
        return None


def _is_for_platform(platforms: Mapping[str, Any] | None, attempt: Attempt) -> Maybe:
    if not platforms:
        return True
    included = [str(name).lower() for name in platforms.get("includePlatforms") or ()]
    excluded = [str(name).lower() for name in platforms.get("excludePlatforms") or ()]
    if attempt.platform is None:
        return True if "all" in included and not excluded else None
    return ("all" in included or attempt.platform.lower() in included) and attempt.platform.lower() not in excluded


def _is_for_device(conditions: Mapping[str, Any], attempt: Attempt) -> Maybe:
    """The rule of a filter is not read here: the attempt says whether it matches."""
    if conditions.get("deviceStates"):
        return None
    chosen = (conditions.get("devices") or {}).get("deviceFilter")
    if not chosen:
        return True
    matches = attempt.device_filter_matches
    return matches if chosen.get("mode") == "include" else negate(matches)


def _is_for_risk(levels: Iterable[str], risk: str | None) -> Maybe:
    wanted = set(levels)
    if not wanted:
        return True
    return None if risk is None else risk in wanted


def _is_for_flow(flows: Mapping[str, Any] | None, attempt: Attempt) -> bool:
    wanted = {name.strip() for name in ((flows or {}).get("transferMethods") or "").split(",")} - {"", "none"}
    return not wanted or FLOWS.get(attempt.flow) in wanted


def _demand(
    policy: Mapping[str, Any], directory: Directory, person: Person, attempt: Attempt
) -> tuple[tuple[Control, ...], bool, str] | None:
    """The controls, whether one is enough, and a verb for it. None for session controls only."""
    grant = policy.get("grantControls") or {}
    built_in = list(grant.get("builtInControls") or ())
    if "block" in built_in:
        return (Block(),), False, "blocks"
    controls: dict[str, Control] = {
        name: _built_in_control(name, policy, directory, person, attempt) for name in built_in
    }
    strength = grant.get("authenticationStrength")
    if strength:
        name = f'the authentication strength "{strength.get("displayName") or strength["id"]}"'
        controls[name] = _strength_control(strength, policy, directory, person, attempt)
    controls.update(dict.fromkeys(grant.get("termsOfUse") or (), Consent()))
    controls.update(dict.fromkeys(grant.get("customAuthenticationFactors") or (), _not_known(attempt)))
    if not controls:
        return None
    operator = grant.get("operator") or "OR"
    return tuple(controls.values()), operator == "OR", f"demands {f' {operator} '.join(controls)}"


def _built_in_control(
    name: str, policy: Mapping[str, Any], directory: Directory, person: Person, attempt: Attempt
) -> Control:
    facts: dict[str, Maybe] = {
        "compliantDevice": attempt.device_compliant,
        "domainJoinedDevice": attempt.device_hybrid_joined,
        "approvedApplication": attempt.approved_application,
        "compliantApplication": attempt.compliant_application,
    }
    if name in facts:
        # Of the legacy protocols only ActiveSync tells anything, and that of phones.
        told = not attempt.legacy or (attempt.client_app == "exchangeActiveSync" and name != "domainJoinedDevice")
        return Fact(facts[name] if told else False)
    if name == "mfa" or name in ("passwordChange", "riskRemediation"):
        # A new password is set only after MFA.
        asked = is_asked_again(policy, directory, attempt) if name == "mfa" else True
        return MultiFactor(ANY_MFA, registrable(directory, person) if name == "mfa" else frozenset(), asked=asked)
    return _not_known(attempt)


def _not_known(attempt: Attempt) -> Fact:
    """A control that is not modelled here; no legacy protocol meets any."""
    return Fact(False if attempt.legacy else None)


def _strength_control(
    strength: Mapping[str, Any], policy: Mapping[str, Any], directory: Directory, person: Person, attempt: Attempt
) -> MultiFactor:
    """A strength that nothing registered can meet is met by a new method only under an assumption, but for the plain
    one, whose methods everybody can register on the way in."""
    accepts: frozenset[str] | None = STRENGTHS.get(strength["id"])
    if accepts is None and strength.get("allowedCombinations"):
        accepts = frozenset(strength["allowedCombinations"])
    new = (accepts or frozenset()) & registrable(directory, person)
    if not new and directory.assumes("registration_for_authentication_strength") == "yes":
        new = (accepts or frozenset()) & registrable_without_password(directory, person)
    return MultiFactor(accepts, new, asked=is_asked_again(policy, directory, attempt))


def is_asked_again(policy: Mapping[str, Any], directory: Directory, attempt: Attempt) -> Maybe:
    """False on a device that remembers MFA. A sign-in frequency takes the place of that legacy setting."""
    frequency = (policy.get("sessionControls") or {}).get("signInFrequency") or {}
    if frequency.get("isEnabled"):
        return True
    return not_remembered(directory, attempt)


def not_remembered(directory: Directory, attempt: Attempt) -> Maybe:
    remember = directory.service.get("rememberMfaOnTrustedDevice") or {}
    return negate(attempt.remembered) if remember.get("isEnabled") else True
