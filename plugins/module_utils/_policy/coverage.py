# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something else than per-user MFA demonstrably asks a user for MFA (private to the collection). Pure.

Sources: Microsoft's pages "Conditional Access: Users and groups", "... Target resources", "... Conditions",
"... Grant", "Authentication strengths", "Security defaults in Microsoft Entra ID", and the types of Graph v1.0.

A closed list decides. A policy covers somebody only where every property of it is known here, none narrows it, and
everybody it lets through did MFA. Whatever is not known counts against it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .conditional_access import ENABLED
from .conditional_access_reach import (
    KINDS_OF_GUESTS,
    ORDINARY_MEMBER,
    Named,
    Person,
    Reach,
    is_about_workloads,
)
from .facts import UnexpectedShape, optional_text, text
from .roles import DIRECTORY_SYNCHRONIZATION_ACCOUNTS, PROTECTED_BY_SECURITY_DEFAULTS

SECURITY_DEFAULTS, CONDITIONAL_ACCESS = "security_defaults", "conditional_access"
ALWAYS, WHEN_NECESSARY = "always", "when_necessary"

# All trusted named locations, and the trusted addresses of the legacy MFA settings.
TRUSTED_PLACES = frozenset({"alltrusted", "00000000-0000-0000-0000-000000000000"})

# Of these the value decides. Every other property must be absent or null, or it is not known what it does.
POLICY_PROPERTIES = frozenset({"id", "displayName", "state", "conditions", "grantControls", "sessionControls"})
WITHOUT_EFFECT = frozenset({"description", "createdDateTime", "modifiedDateTime", "templateId"})
CONDITIONS = frozenset({"users", "applications", "clientAppTypes", "locations", "platforms"})
# Graph shows these as an empty list where they are not set.
EMPTY_CONDITIONS = frozenset({"userRiskLevels", "signInRiskLevels", "servicePrincipalRiskLevels"})
USERS = frozenset(
    f"{verb}{whom}" for verb in ("include", "exclude") for whom in ("Users", "Groups", "Roles", "GuestsOrExternalUsers")
)
APPLICATIONS = frozenset({"includeApplications", "excludeApplications"})
INSTEAD_OF_APPLICATIONS = frozenset({"includeUserActions", "includeAuthenticationContextClassReferences"})
GRANT_CONTROLS = frozenset(
    {"operator", "builtInControls", "customAuthenticationFactors", "termsOfUse", "authenticationStrength"}
)
SESSION_CONTROLS = frozenset(
    {
        "applicationEnforcedRestrictions",
        "cloudAppSecurity",
        "disableResilienceDefaults",
        "persistentBrowser",
        "secureSignInSession",
        "signInFrequency",
    }
)
EVERY_CLIENT = frozenset({"browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"})
MFA = "mfa"
# Under AND these only add to MFA.
FURTHER_CONTROLS = frozenset({"compliantDevice", "domainJoinedDevice", "approvedApplication", "compliantApplication"})

BUILT_IN_STRENGTHS = frozenset(f"00000000-0000-0000-0000-00000000000{number}" for number in (2, 3, 4))
# The combinations of the built-in strength for MFA.
MULTI_FACTOR = frozenset(
    {
        "windowsHelloForBusiness",
        "fido2",
        "x509CertificateMultiFactor",
        "deviceBasedPush",
        "temporaryAccessPassOneTime",
        "temporaryAccessPassMultiUse",
        "federatedMultiFactor",
        *(
            f"password,{other}"
            for other in ("microsoftAuthenticatorPush", "softwareOath", "hardwareOath", "sms", "voice")
        ),
        *(
            f"{other},federatedSingleFactor"
            for other in ("microsoftAuthenticatorPush", "softwareOath", "hardwareOath", "sms", "voice")
        ),
    }
)


COVERED, WEAKER, UNCOVERED, UNKNOWN = "covered", "weaker", "uncovered", "unknown"


@dataclass(frozen=True)
class Cover:
    """What asks somebody for MFA. ``by`` is SECURITY_DEFAULTS or CONDITIONAL_ACCESS, ``name`` that of the policy."""

    by: str
    asks: str
    name: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether somebody is covered. WEAKER: an administrator would be asked only when Entra finds it necessary.

    ``cover`` is there for COVERED and WEAKER; ``reason`` is a sentence for all but COVERED.
    """

    state: str
    cover: Cover | None = None
    reason: str = ""


@dataclass(frozen=True)
class MfaPolicy:
    """An enabled policy that asks everybody in its reach for MFA. ``changed`` is when it last was, as Graph writes."""

    name: str
    reach: Reach
    changed: str | None


@dataclass(frozen=True)
class Defences:
    """What a tenant has against sign-ins without MFA.

    ``security_defaults`` is None when not known. ``gaps`` has, by name, what keeps an enabled policy that speaks of MFA
    from covering anybody. ``unread`` is a sentence where something could not be read.
    """

    security_defaults: bool | None
    policies: tuple[MfaPolicy, ...] = ()
    gaps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: str = ""

    def groups(self) -> frozenset[str]:
        """Ids of the groups whose members decide who is covered."""
        return frozenset().union(*(side.groups for side in self._sides()))

    def roles(self) -> frozenset[str]:
        """Ids of the roles whose holders decide it."""
        return frozenset().union(*(side.roles for side in self._sides()))

    def _sides(self) -> Iterator[Named]:
        for policy in self.policies:
            yield from (policy.reach.included, policy.reach.excluded)


def defences(
    security_defaults: bool | None,
    policies: Iterable[Mapping[str, Any]],
    trusted_locations: Collection[str] | None = None,
    unread: str = "",
) -> Defences:
    """Read what a tenant has.

    ``trusted_locations`` are ids of named locations that may go without MFA; None when no place may.
    """
    covering: list[MfaPolicy] = []
    gaps: dict[str, tuple[str, ...]] = {}
    for policy in policies:
        if policy.get("state") != ENABLED or is_about_workloads(policy) or not _speaks_of_mfa(policy):
            continue
        name = str(policy.get("displayName") or policy.get("id") or "a policy without a name")
        try:
            found = shortcomings(policy, trusted_locations)
            if not found:
                covering.append(MfaPolicy(name, Reach.read(policy), _changed(policy)))
        except UnexpectedShape as error:
            found = [f"it has an unexpected shape: {error}"]
        if found:
            gaps[name] = tuple(found)
    return Defences(security_defaults, tuple(covering), gaps, unread)


def once_excluded(tenant: Defences, people: Collection[str]) -> Defences:
    """What a tenant has once every policy excludes these people, too; their ids in lower case."""
    if not people:
        return tenant
    return replace(tenant, policies=tuple(_excluding(policy, frozenset(people)) for policy in tenant.policies))


def _excluding(policy: MfaPolicy, people: frozenset[str]) -> MfaPolicy:
    excluded = replace(policy.reach.excluded, people=policy.reach.excluded.people | people)
    return replace(policy, reach=replace(policy.reach, excluded=excluded))


def shortcomings(policy: Mapping[str, Any], trusted_locations: Collection[str] | None = None) -> list[str]:
    """Why a policy does not ask everybody in its reach for MFA at every sign-in; empty when it does.

    Each completes the sentence "it does not cover, for ...". Raises UnexpectedShape.
    """
    conditions = _object(policy, "conditions")
    found = [] if text(policy, "state") == ENABLED else ["it is not enabled"]
    found += _unfamiliar(policy, POLICY_PROPERTIES | WITHOUT_EFFECT, "property")
    found += _unfamiliar(conditions, CONDITIONS | EMPTY_CONDITIONS, "condition")
    found += [f"it is for some of {name} only" for name in sorted(EMPTY_CONDITIONS) if conditions.get(name)]
    found += _unfamiliar(_object(conditions, "users"), USERS, "condition on users")
    found += _shortcomings_of_applications(_object(conditions, "applications"))
    clients = set(_texts(conditions, "clientAppTypes"))
    if not ("all" in clients or clients >= EVERY_CLIENT):
        found.append("it is for some kinds of clients only")
    found += _shortcomings_of_places(conditions, trusted_locations)
    found += _shortcomings_of_platforms(conditions)
    found += _shortcomings_of_grant(_object(policy, "grantControls"))
    if policy.get("sessionControls") is not None:
        found += _unfamiliar(_object(policy, "sessionControls"), SESSION_CONTROLS, "session control")
    return found


def demands_of_everybody(policy: Mapping[str, Any]) -> bool:
    """Whether it asks all but whom it excludes for MFA at every sign-in. False where it is not understood."""
    try:
        users = _object(_object(policy, "conditions"), "users")
        return not shortcomings(policy) and "All" in _texts(users, "includeUsers")
    except UnexpectedShape:
        return False


def _shortcomings_of_applications(applications: Mapping[str, Any]) -> Iterator[str]:
    if _texts(applications, "includeApplications") != ["All"]:
        yield "it is not for all resources"
    if _texts(applications, "excludeApplications"):
        yield "it excludes resources"
    if any(_texts(applications, name) for name in INSTEAD_OF_APPLICATIONS):
        yield "it is for user actions or authentication contexts"
    yield from _unfamiliar(applications, APPLICATIONS | INSTEAD_OF_APPLICATIONS, "condition on resources")


def _shortcomings_of_places(conditions: Mapping[str, Any], trusted: Collection[str] | None) -> Iterator[str]:
    if conditions.get("locations") is None:
        return
    places = _object(conditions, "locations")
    yield from _unfamiliar(places, frozenset({"includeLocations", "excludeLocations"}), "condition on places")
    if _texts(places, "includeLocations") != ["All"]:
        yield "it is for some places only"
    excluded = {name.lower() for name in _texts(places, "excludeLocations")}
    if excluded and trusted is None:
        yield "it excludes places"
    elif not excluded <= TRUSTED_PLACES | {name.lower() for name in trusted or ()}:
        yield "it excludes places that are not known to be trusted"


def _shortcomings_of_platforms(conditions: Mapping[str, Any]) -> Iterator[str]:
    if conditions.get("platforms") is None:
        return
    platforms = _object(conditions, "platforms")
    yield from _unfamiliar(platforms, frozenset({"includePlatforms", "excludePlatforms"}), "condition on platforms")
    if _texts(platforms, "includePlatforms") != ["all"] or _texts(platforms, "excludePlatforms"):
        yield "it is for some platforms only"


def _shortcomings_of_grant(grant: Mapping[str, Any]) -> Iterator[str]:
    yield from _unfamiliar(grant, GRANT_CONTROLS, "control")
    operator = text(grant, "operator")
    built_in = _texts(grant, "builtInControls")
    further = [*_texts(grant, "customAuthenticationFactors"), *_texts(grant, "termsOfUse")]
    strength = grant.get("authenticationStrength")
    strong = strength is not None and _is_multi_factor(_object(grant, "authenticationStrength"))
    if strength is not None and not strong:
        yield "its authentication strength is not known to be MFA"
    unfamiliar = sorted({*built_in} - {MFA} - FURTHER_CONTROLS)
    if unfamiliar:
        yield f"it has controls that are not known to keep MFA: {', '.join(unfamiliar)}"
    if operator not in ("AND", "OR"):
        yield f"it combines its controls by '{operator}'"
    elif operator == "OR" and (further or [name for name in built_in if name != MFA]):
        yield "it accepts something else instead of MFA"
    elif MFA not in built_in and not strong:
        yield "it does not require MFA"


def _is_multi_factor(strength: Mapping[str, Any]) -> bool:
    if strength.get("id") in BUILT_IN_STRENGTHS:
        return True
    allowed = _texts(strength, "allowedCombinations")
    return strength.get("requirementsSatisfied") == MFA and bool(allowed) and MULTI_FACTOR.issuperset(allowed)


def _speaks_of_mfa(policy: Mapping[str, Any]) -> bool:
    """Whether somebody may take a policy for one that requires MFA."""
    grant = policy.get("grantControls")
    if not isinstance(grant, Mapping):
        return False
    controls = grant.get("builtInControls")
    return bool(grant.get("authenticationStrength")) or (isinstance(controls, list) and MFA in controls)


def _changed(policy: Mapping[str, Any]) -> str | None:
    for name in ("modifiedDateTime", "createdDateTime"):
        if policy.get(name) is not None:
            return optional_text(policy, name)
    return None


def _unfamiliar(item: Mapping[str, Any], known: Collection[str], noun: str) -> list[str]:
    """What is set without being known here. Graph's annotations mean nothing, and null means not set."""
    names = sorted(name for name in item if name not in known and "@" not in name and item[name] is not None)
    return [f"it has a {noun} that is not known to leave everybody covered: {', '.join(names)}"] if names else []


def _object(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = item.get(name)
    if not isinstance(value, Mapping):
        raise UnexpectedShape(f"'{name}' is no object")
    return value


def _texts(item: Mapping[str, Any], name: str) -> list[str]:
    """A list of strings; Graph writes null or nothing for an empty one. Raises UnexpectedShape."""
    value = item.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise UnexpectedShape(f"'{name}' is no list of strings")
    return value


def verdict(person: Person, tenant: Defences) -> Verdict:
    """Whether something in force asks this very person for MFA, at every resource."""
    doubtful = []
    for policy in tenant.policies:
        caught = policy.reach.catches(person)
        if caught:
            return Verdict(COVERED, Cover(CONDITIONAL_ACCESS, ALWAYS, policy.name))
        if caught is None:
            doubtful.append(policy.name)
    if tenant.security_defaults:
        return _by_security_defaults(person)
    if doubtful:
        return Verdict(UNKNOWN, reason=f"Whether these policies cover the user is not known: {_quoted(doubtful)}.")
    if tenant.unread:
        return Verdict(UNKNOWN, reason=tenant.unread)
    return Verdict(UNCOVERED, reason=_why_not(person, tenant))


def _by_security_defaults(person: Person) -> Verdict:
    """Everybody is covered, but for one role; holders of the sixteen roles are asked at every sign-in."""
    exempt = person.roles.one_of([DIRECTORY_SYNCHRONIZATION_ACCOUNTS])
    if exempt:
        return Verdict(UNCOVERED, reason="Security defaults exempt directory synchronisation accounts.")
    if exempt is None:
        return Verdict(UNKNOWN, reason="Which roles the user holds, or may hold, is not known well enough.")
    if person.roles.ids & PROTECTED_BY_SECURITY_DEFAULTS.keys():
        return Verdict(COVERED, Cover(SECURITY_DEFAULTS, ALWAYS))
    when_necessary = Cover(SECURITY_DEFAULTS, WHEN_NECESSARY)
    if person.roles.ids | person.roles.sometimes:
        reason = (
            "The user holds, or may hold, a directory role, and security defaults would ask for MFA only when Entra "
            "finds it necessary."
        )
        return Verdict(WEAKER, when_necessary, reason)
    return Verdict(COVERED, when_necessary)


def _why_not(person: Person, tenant: Defences) -> str:
    sentences = ["Security defaults are off."]
    excluding = [policy.name for policy in tenant.policies if policy.reach.included.names(person) is not False]
    missing = [policy.name for policy in tenant.policies if policy.name not in excluding]
    if excluding:
        sentences.append(f"These policies require MFA, but exclude the user: {_quoted(excluding)}.")
    if missing:
        sentences.append(f"These policies require MFA, but do not include the user: {_quoted(missing)}.")
    if not tenant.policies:
        sentences.append("No enabled Conditional Access policy requires MFA for all resources without conditions.")
    return " ".join(sentences)


def _quoted(names: list[str], most: int = 5) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


PLAIN_MEMBER = frozenset({ORDINARY_MEMBER})
MARKED_MEMBER = PLAIN_MEMBER | {"b2bCollaborationMember", "otherExternalUser"}


def kinds_of_guest(user: Mapping[str, Any]) -> frozenset[str] | None:
    """All of KINDS_OF_GUESTS, and ORDINARY_MEMBER, that a user of Graph may be; None when that is not shown.

    Nothing in Graph says it outright. An invitation, an external state or ``#EXT#`` in the name mark somebody who signs
    in elsewhere; members may have kept the mark when they were made internal.
    """
    try:
        kind = optional_text(user, "userType")
        marks = [
            "#EXT#" in text(user, "userPrincipalName").upper(),
            optional_text(user, "creationType") == "Invitation",
            optional_text(user, "externalUserState") is not None,
        ]
    except UnexpectedShape:
        return None
    if kind == "Member":
        return MARKED_MEMBER if any(marks) else PLAIN_MEMBER
    if kind == "Guest":
        return frozenset({"b2bCollaborationGuest", "otherExternalUser", *([] if all(marks) else ["internalGuest"])})
    return frozenset({ORDINARY_MEMBER, *KINDS_OF_GUESTS})
