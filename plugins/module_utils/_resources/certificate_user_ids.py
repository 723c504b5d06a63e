# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates that are bound to a user by their certificate user IDs (private to the collection)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._engine.plan import Change, Plan, Request
from .._engine.properties import StateUnknown
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.errors import NotFound, OptionError
from .._graph.permissions import USERS_WRITE
from .._graph.query import path_segment
from .._options import WAIT_OPTIONS
from .._policy import certificate_user_ids as rules
from .._policy.facts import UnexpectedShape, optional_boolean, text
from .._policy.second_factors import NONE, PREPARED
from .last_factor import refuse_last_factor

SELECT = "id,userPrincipalName,onPremisesSyncEnabled,authorizationInfo"


@dataclass(frozen=True)
class State:
    id: str
    name: str
    synchronised: bool
    ids: Sequence[str]


class CertificateUserIds(Resource):
    name = "certificate_user_ids"
    options = {
        "user": {"type": "str", "required": True},
        "certificate_user_ids": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent", "set"], "default": "present"},
        "force": {"type": "bool", "default": False},
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> State:
        given, asked = run.options["certificate_user_ids"], run.options["user"]
        refusal = rules.refusal(given)
        if refusal is None and not given and run.options["state"] != "set":
            refusal = "certificate_user_ids is empty; only 'state: set' takes that."
        if refusal:
            raise OptionError(refusal)
        try:
            user = run.client.get(
                f"/users/{path_segment(run.kept.get('user') or asked)}",
                parameters={"$select": SELECT},
                action=f"read the user {asked}",
            )
        except NotFound:
            raise OptionError(f"There is no user '{asked}' in this tenant.") from None
        try:
            run.kept["user"] = text(user, "id")
            synchronised = optional_boolean(user, "onPremisesSyncEnabled") is True
            return State(text(user, "id"), text(user, "userPrincipalName"), synchronised, rules.ids_of(user))
        except UnexpectedShape as error:
            raise StateUnknown(f"Graph's answer for the user {asked} has an unexpected shape: {error}.") from None

    def plan(self, run: Run, state: State) -> Plan:
        wanted = _wanted(run, state)
        if sorted(wanted) == sorted(state.ids):
            return Plan(done=f"The certificate user IDs of {state.name} are as wanted.")
        if state.synchronised:
            raise OptionError(
                f"{state.name} is synchronised from on-premises Active Directory: the certificate user IDs are changed "
                "there, and Entra Connect brings them."
            )
        refusal = rules.too_many(wanted, state.name)
        if refusal:
            raise OptionError(refusal)
        if not wanted:
            refuse_last_factor(run, state.id, state.name, "The certificate", None, force=run.options["force"])
        title = f"the certificate user IDs of {state.name}"
        change = Change(
            title=title,
            before={"certificate_user_ids": sorted(state.ids)},
            after={"certificate_user_ids": sorted(wanted)},
            request=Request(
                method="PATCH",
                path=f"/users/{path_segment(state.id)}",
                action=f"change {title}",
                body={"authorizationInfo": {"certificateUserIds": wanted}},
                replicates=True,
                permissions=(frozenset(USERS_WRITE),),
            ),
        )
        return Plan(
            [change],
            planned=f"The certificate user IDs of {state.name} would be changed.",
            done=f"The certificate user IDs of {state.name} were changed.",
        )

    def reached(self, run: Run, plan: Plan, state: State) -> bool:
        return sorted(_wanted(run, state)) == sorted(state.ids)

    def result(self, run: Run, plan: Plan, state: State) -> dict[str, Any]:
        ids = sorted(_wanted(run, state))
        return {
            "certificate_user_ids": {
                "user_id": state.id,
                "user_principal_name": state.name,
                "ids": ids,
                "second_factor": PREPARED if ids else NONE,
            }
        }


def _wanted(run: Run, state: State) -> list[str]:
    return rules.wanted_ids(state.ids, run.options["certificate_user_ids"], run.options["state"])


RESOURCE = CertificateUserIds()
