# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about a tenant: one row each, read together in as few requests as Graph allows (private).

A row names its reads and a pure function that makes a value of their answers. An answer that is an error, or has an
unexpected shape, makes that one fact unknown, with the reason; the others are not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._graph.batch import Read
from .._graph.client import GraphClient
from .._graph.errors import GraphError, M365Error
from .._graph.query import path_segment
from .._policy import authentication_methods, conditional_access, licences
from .._policy.facts import (
    Fact,
    UnexpectedShape,
    boolean,
    known,
    objects,
    optional_boolean,
    optional_text,
    text,
    unknown,
)
from .._policy.roles import DIRECTORY_SYNCHRONIZATION_ACCOUNTS, PROTECTED_BY_SECURITY_DEFAULTS
from .._policy.users import USER_PROPERTIES, Accounts, UserCount

Answers = Sequence[Any]

ORGANIZATION = Read("/organization", collection=True, action="read the organization")
DOMAINS = Read("/domains", collection=True, action="list the domains")
SUBSCRIBED_SKUS = Read("/subscribedSkus", collection=True, action="list the subscriptions")
SECURITY_DEFAULTS = Read("/policies/identitySecurityDefaultsEnforcementPolicy", action="read security defaults")
METHODS_POLICY = Read("/policies/authenticationMethodsPolicy", action="read the authentication methods policy")
CONDITIONAL_ACCESS = Read(
    "/identity/conditionalAccess/policies",
    parameters={"$select": "id,displayName,state"},
    collection=True,
    action="list the Conditional Access policies",
)
ROLE_ASSIGNMENTS = Read(
    "/roleManagement/directory/roleAssignments",
    parameters={"$expand": "principal"},
    collection=True,
    action="list the role assignments",
)
ROLE_DEFINITIONS = Read(
    "/roleManagement/directory/roleDefinitions",
    parameters={"$select": "id,displayName,isBuiltIn"},
    collection=True,
    action="list the role definitions",
)
WITHOUT_METHODS_POLICY = "The authentication methods policy is unsupported in this cloud: Graph has none."


@dataclass(frozen=True)
class FactRow:
    """``follow`` gives further reads that depend on the first answers; ``derive`` gets all answers in order.

    ``unsupported`` is the sentence for a cloud in which Graph has none of it.
    """

    name: str
    reads: tuple[Read, ...]
    derive: Callable[[Answers, Answers], Any]
    follow: Callable[[Answers], list[Read]] = lambda _answers: []
    unsupported: str = ""


def _only_organization(answers: Answers) -> Mapping[str, Any]:
    (organizations,) = answers
    if len(organizations) != 1:
        raise UnexpectedShape(f"{len(organizations)} organizations were listed instead of one")
    organization: Mapping[str, Any] = organizations[0]
    return organization


def _organization(answers: Answers, _more: Answers) -> dict[str, Any]:
    organization = _only_organization(answers)
    return {
        "id": text(organization, "id"),
        "display_name": text(organization, "displayName"),
        "created": optional_text(organization, "createdDateTime"),
        "country": optional_text(organization, "countryLetterCode"),
        "synchronised": optional_boolean(organization, "onPremisesSyncEnabled") is True,
    }


def _kind(answers: Answers, _more: Answers) -> str:
    return text(_only_organization(answers), "tenantType")


def _domains(answers: Answers, _more: Answers) -> list[dict[str, Any]]:
    return [
        {
            "name": text(domain, "id"),
            "authentication_type": text(domain, "authenticationType"),
            "initial": boolean(domain, "isInitial"),
            "default": boolean(domain, "isDefault"),
            "verified": boolean(domain, "isVerified"),
        }
        for domain in sorted(answers[0], key=lambda domain: text(domain, "id"))
    ]


def _federated(answers: Answers) -> list[str]:
    return sorted(text(domain, "id") for domain in answers[0] if text(domain, "authenticationType") == "Federated")


# A federated domain that shows no configuration is still federated.
NOT_CONFIGURED = {"federatedIdpMfaBehavior": None, "issuerUri": None}


def _federation_reads(answers: Answers) -> list[Read]:
    return [
        Read(
            f"/domains/{path_segment(name)}/federationConfiguration",
            collection=True,
            action=f"read the federation of {name}",
        )
        for name in _federated(answers)
    ]


def _federation(answers: Answers, more: Answers) -> list[dict[str, Any]]:
    return [
        {
            "domain": name,
            "federated_idp_mfa_behavior": optional_text(configuration, "federatedIdpMfaBehavior"),
            "issuer_uri": optional_text(configuration, "issuerUri"),
        }
        for name, configurations in zip(_federated(answers), more, strict=True)
        for configuration in configurations or [NOT_CONFIGURED]
    ]


def _licences(answers: Answers, _more: Answers) -> dict[str, Any]:
    skus = answers[0]
    return {"tier": licences.tier(skus), "subscriptions": sorted(text(sku, "skuPartNumber") for sku in skus)}


def _security_defaults(answers: Answers, _more: Answers) -> dict[str, Any]:
    return {"enabled": boolean(answers[0], "isEnabled")}


def _methods(answers: Answers, _more: Answers) -> dict[str, Any]:
    policy = answers[0]
    return {
        "migration_state": authentication_methods.migration_state(policy),
        "enabled_methods": authentication_methods.enabled_methods(policy),
        "registration_reach": authentication_methods.registration_reach(policy),
    }


def _conditional_access(answers: Answers, _more: Answers) -> dict[str, list[str]]:
    return conditional_access.by_state(answers[0])


def _is_group(principal: Mapping[str, Any]) -> bool:
    return text(principal, "@odata.type") == "#microsoft.graph.group"


def _principals(assignments: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for assignment in assignments:
        principal = assignment.get("principal")
        if not isinstance(principal, Mapping):
            raise UnexpectedShape("a role assignment does not show its principal")
        yield text(assignment, "roleDefinitionId"), principal


def _role_groups(answers: Answers) -> list[str]:
    return sorted({text(principal, "id") for _role, principal in _principals(answers[0]) if _is_group(principal)})


def _group_reads(answers: Answers) -> list[Read]:
    return [
        Read(
            f"/groups/{path_segment(group)}/transitiveMembers",
            parameters={"$select": "id,userPrincipalName,displayName"},
            collection=True,
            action="list the members of a group that holds a role",
        )
        for group in _role_groups(answers)
    ]


def _principal_name(principal: Mapping[str, Any]) -> str:
    name = principal.get("userPrincipalName") or principal.get("displayName")
    return name if name and isinstance(name, str) else text(principal, "id")


def _principal_kind(principal: Mapping[str, Any]) -> str:
    return text(principal, "@odata.type").rsplit(".", 1)[-1]


def _privileged_roles(answers: Answers, more: Answers) -> dict[str, Any]:
    assignments, definitions = answers
    names = {text(role, "id"): text(role, "displayName") for role in definitions}
    members = dict(zip(_role_groups(answers), more, strict=True))
    holders: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for role, principal in _principals(assignments):
        group = _principal_name(principal) if _is_group(principal) else None
        for holder in members[text(principal, "id")] if group else [principal]:
            kind = _principal_kind(holder)
            if kind in ("user", "servicePrincipal"):
                entry = {"name": _principal_name(holder), "id": text(holder, "id"), "type": kind, "through": group}
                holders.setdefault(role, {})[(text(holder, "id"), group or "")] = entry
    users: dict[str, set[str]] = {
        role: {entry["name"] for entry in found.values() if entry["type"] == "user"} for role, found in holders.items()
    }
    exempt = users.get(DIRECTORY_SYNCHRONIZATION_ACCOUNTS, set())
    protected = set().union(*(found for role, found in users.items() if role in PROTECTED_BY_SECURITY_DEFAULTS))
    return {
        "roles": [
            {
                "id": role,
                "name": names.get(role),
                "protected_by_security_defaults": role in PROTECTED_BY_SECURITY_DEFAULTS,
                "holders": sorted(found.values(), key=lambda entry: (entry["name"], entry["through"] or "")),
            }
            for role, found in sorted(holders.items(), key=lambda item: names.get(item[0]) or item[0])
        ],
        "protected_administrators": sorted(protected - exempt),
        "other_administrators": sorted(set().union(*users.values()) - protected - exempt),
        "directory_synchronization_accounts": sorted(exempt),
    }


FACTS: dict[str, FactRow] = {
    row.name: row
    for row in (
        FactRow("organization", (ORGANIZATION,), _organization),
        FactRow("kind", (ORGANIZATION,), _kind),
        FactRow("domains", (DOMAINS,), _domains),
        FactRow("federation", (DOMAINS,), _federation, follow=_federation_reads),
        FactRow("licences", (SUBSCRIBED_SKUS,), _licences),
        FactRow("security_defaults", (SECURITY_DEFAULTS,), _security_defaults),
        FactRow("authentication_methods", (METHODS_POLICY,), _methods, unsupported=WITHOUT_METHODS_POLICY),
        FactRow("conditional_access", (CONDITIONAL_ACCESS,), _conditional_access),
        FactRow("privileged_roles", (ROLE_ASSIGNMENTS, ROLE_DEFINITIONS), _privileged_roles, follow=_group_reads),
    )
}

USER_FACTS = ("users", "per_user_mfa")
REGION = "region"
ALL_FACTS = (*FACTS, *USER_FACTS, REGION)


def gather(
    client: GraphClient, names: Iterable[str], *, rows: Sequence[FactRow] = (), accounts: Accounts | None = None
) -> dict[str, Fact]:
    """The named facts, each known or unknown. Every read is made once, however many facts need it.

    ``rows`` are further facts. ``accounts`` is told of every user that is counted on the way.
    """
    asked = set(names)
    wanted = [name for name in ALL_FACTS if name in asked]
    facts = _gather_rows(client, [*(FACTS[name] for name in wanted if name in FACTS), *rows])
    if any(name in USER_FACTS for name in wanted):
        facts.update(_count_users(client, accounts))
    if REGION in wanted:
        facts[REGION] = _region(client)
    return {name: facts[name] for name in [*wanted, *(row.name for row in rows)]}


def _gather_rows(client: GraphClient, rows: Sequence[FactRow]) -> dict[str, Fact]:
    answers = _read_once(client, [read for row in rows for read in row.reads])
    follow: dict[str, list[Read]] = {}
    facts: dict[str, Fact] = {}
    for row in rows:
        try:
            follow[row.name] = row.follow(_successful(answers, row.reads))
        except (M365Error, UnexpectedShape) as error:
            facts[row.name] = unknown(_reason(error, row))
    more = _read_once(client, [read for reads in follow.values() for read in reads])
    for row in rows:
        if row.name in follow:
            facts[row.name] = _derive(row, answers, more, follow[row.name])
    return facts


def _derive(row: FactRow, answers: Mapping[int, Any], more: Mapping[int, Any], follow: Sequence[Read]) -> Fact:
    try:
        return known(row.derive(_successful(answers, row.reads), _successful(more, follow)))
    except (M365Error, UnexpectedShape) as error:
        return unknown(_reason(error, row))


def _read_once(client: GraphClient, reads: Sequence[Read]) -> dict[int, Any]:
    """Answers by the identity of their read; the module-level reads are shared between rows."""
    unique = list({id(read): read for read in reads}.values())
    if not unique:
        return {}
    return {id(read): answer for read, answer in zip(unique, client.read_many(unique), strict=True)}


def _successful(answers: Mapping[int, Any], reads: Sequence[Read]) -> list[Any]:
    """The answers of these reads. Raises the first error among them, or UnexpectedShape."""
    found: list[Any] = []
    for read in reads:
        answer = answers[id(read)]
        if isinstance(answer, M365Error):
            raise answer
        if read.collection:
            found.append(objects({read.path: answer}, read.path))
        elif isinstance(answer, Mapping):
            found.append(answer)
        else:
            raise UnexpectedShape(f"{read.path} is no object")
    return found


def _reason(error: Exception, row: FactRow | None = None) -> str:
    if row and row.unsupported and isinstance(error, GraphError) and error.means_unsupported():
        return row.unsupported
    return error.message if isinstance(error, M365Error) else f"Graph's answer has an unexpected shape: {error}."


def _count_users(client: GraphClient, accounts: Accounts | None) -> dict[str, Fact]:
    """All users, page by page: one request per 999, and no more memory than a page beside ``accounts``."""
    count = UserCount()
    try:
        for page in client.pages(
            "/users",
            parameters={"$select": ",".join(USER_PROPERTIES), "$top": "999"},
            action="list the users",
        ):
            count.add(page)
            if accounts is not None:
                accounts.add(page)
    except (M365Error, UnexpectedShape) as error:
        return {name: unknown(_reason(error)) for name in USER_FACTS}
    per_user_mfa = (
        unknown(f"Graph did not show 'perUserMfaState' of {count.per_user_mfa_unreadable} of {count.total} users.")
        if count.per_user_mfa_unreadable
        else known(count.per_user_mfa_states())
    )
    return {"users": known(count.people()), "per_user_mfa": per_user_mfa}


def _region(client: GraphClient) -> Fact:
    try:
        metadata = client.openid_configuration(client.token().tenant_id)
        return known({"scope": text(metadata, "tenant_region_scope"), "cloud": client.cloud.name})
    except (M365Error, UnexpectedShape) as error:
        return unknown(_reason(error))
