# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The per-user MFA state of everybody (private to the collection).

Graph's documented way is one request for each user. The list of users shows it too, in one request for 999 users, but
by a property that is not documented: so a sample is held against the documented way, and where the list does not show
it, or says something else, everybody is read that way, 20 in one request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from .._graph.batch import Read
from .._graph.client import GraphClient
from .._graph.errors import GraphError, NoAnswer, NotFound, PermissionMissing, Throttled, Unauthorized, Unavailable
from .._graph.query import path_segment
from .._policy.per_user_mfa import PROPERTY, USER_PROPERTIES, Sample, check_users, state_of

LIST, SINGLE = "list", "single_reads"
SAMPLE_SIZE = 20
PAGE_SIZE = "999"


class TakesPages(Protocol):
    def add(self, items: Sequence[Mapping[str, Any]]) -> None: ...


Taker = TypeVar("Taker", bound=TakesPages)


@dataclass(frozen=True)
class Origin:
    """Where the states came from: LIST or SINGLE. ``reason`` says why the list was not used.

    ``sample`` is how many users of the list were checked. ``doubt`` is a sentence where nothing could check it.
    """

    source: str
    sample: int = 0
    reason: str | None = None
    doubt: str | None = None


def requirements_path(identity: str) -> str:
    return f"/users/{path_segment(identity)}/authentication/requirements"


def read_everybody(
    client: GraphClient, new_taker: Callable[[], Taker], further: Sequence[str] = ()
) -> tuple[Taker, Origin]:
    """Give all users, page by page, to a taker, each with PROPERTY as it is. ``further`` properties are read, too.

    ``new_taker`` is called anew where the list turns out not to be of use, and everybody is read once more. Raises
    GraphError, and UnexpectedShape.
    """
    properties = (*USER_PROPERTIES, *further)
    taker = new_taker()
    sample = Sample(SAMPLE_SIZE)
    reason = _take_list(client, taker, sample, properties)
    if reason is None:
        chosen = sample.chosen()
        reason, doubt = _disagreement(client, chosen)
        if reason is None:
            return taker, Origin(LIST, sample=len(chosen), doubt=doubt)
    taker = new_taker()
    _take_singly(client, taker, properties)
    return taker, Origin(SINGLE, reason=reason)


def _take_list(client: GraphClient, taker: TakesPages, sample: Sample, properties: Iterable[str]) -> str | None:
    """Why the list is of no use; None when it was taken whole."""
    missing = f"The list of users does not show '{PROPERTY}'."
    try:
        for page in _pages(client, (*properties, PROPERTY)):
            if not sample.add(page):
                return missing
            taker.add(page)
    except GraphError as error:
        if error.status != 400:
            raise
        return f"{missing} {error.message}"
    return None


def _pages(client: GraphClient, properties: Iterable[str]) -> Iterable[list[dict[str, Any]]]:
    parameters = {"$select": ",".join(properties), "$top": PAGE_SIZE}
    for page in client.pages("/users", parameters=parameters, action="list the users"):
        check_users(page)
        yield page


def _disagreement(client: GraphClient, chosen: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Hold the sample against the documented way: why the list cannot be trusted, or why nothing can tell."""
    found = read_states(client, list(chosen))
    errors = [answer for answer in found.values() if isinstance(answer, GraphError)]
    different = [
        identity
        for identity, state in chosen.items()
        if not isinstance(found[identity], GraphError) and found[identity] != state
    ]
    if different:
        # Somebody may have changed it, or registered, between the two reads.
        different = [identity for identity, state in _listed(client, different).items() if state != found[identity]]
    if different:
        why = (
            f"The list of users shows another '{PROPERTY}' than 'authentication/requirements' does, for "
            f"{len(different)} of {len(chosen)} users that were looked at."
        )
        return why, None
    refusals = [error for error in errors if not isinstance(error, NotFound)]
    if refusals and len(errors) == len(chosen):
        return None, f"Nothing could check what the list of users shows: {refusals[0].message}"
    return None, None


def _listed(client: GraphClient, identities: Sequence[str]) -> dict[str, str | None]:
    """The undocumented property once more, of those who are still there."""
    reads = [
        Read(
            f"/users/{path_segment(identity)}",
            parameters={"$select": f"id,{PROPERTY}"},
            action="read the per-user MFA state of a user",
        )
        for identity in identities
    ]
    answers = zip(identities, client.read_many(reads), strict=True)
    return {identity: state_of(answer) for identity, answer in answers if isinstance(answer, dict)}


def read_states(client: GraphClient, identities: Sequence[str]) -> dict[str, str | GraphError | None]:
    """By object id the state, None where the answer shows none that is known, or the error; 20 in one request."""
    reads = [
        Read(requirements_path(identity), version="beta", action="read the per-user MFA state of a user")
        for identity in identities
    ]
    answers = zip(identities, client.read_many(reads) if reads else [], strict=True)
    return {
        identity: answer if isinstance(answer, GraphError) else state_of(answer) if isinstance(answer, dict) else None
        for identity, answer in answers
    }


def _take_singly(client: GraphClient, taker: TakesPages, properties: Iterable[str]) -> None:
    """Everybody, with states read one by one. Who is gone meanwhile is left out. Raises GraphError."""
    for page in _pages(client, properties):
        states = read_states(client, [str(user["id"]) for user in page])
        raise_what_concerns_all(states.values())
        there = [user for user in page if not isinstance(states[str(user["id"])], NotFound)]
        taker.add([{**user, PROPERTY: _or_none(states[str(user["id"])])} for user in there])


def _or_none(answer: str | GraphError | None) -> str | None:
    return answer if isinstance(answer, str) else None


def raise_what_concerns_all(states: Iterable[str | GraphError | None]) -> None:
    """Raises an error that is not about one user: a permission that is missing, throttling, no answer."""
    for answer in states:
        if isinstance(answer, (NoAnswer, Throttled, Unauthorized, Unavailable)):
            raise answer
        if isinstance(answer, PermissionMissing) and answer.missing:
            raise answer
