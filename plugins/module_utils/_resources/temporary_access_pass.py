# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Temporary Access Pass of a user as one resource (private to the collection).

The pass is told once, in the answer to the request that makes it. So nothing is read after that: a read that fails
would cost the pass.

Sources: the Graph reference of temporaryAccessPassAuthenticationMethod; Microsoft's page "Configure Temporary Access
Pass". That it takes Microsoft Entra ID P1 is what practitioners say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._engine.plan import NOT_SHOWN, Change, Plan, Request
from .._engine.properties import StateUnknown
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.batch import Read
from .._graph.errors import GraphError, OptionError
from .._graph.query import path_segment
from .._options import WAIT_OPTIONS
from .._policy import temporary_access_passes as rules
from .._policy.conditional_access_reach import Memberships
from .._policy.facts import UnexpectedShape, text
from .._policy.second_factors import is_enabled_for
from .directory import find_users
from .licence_notes import note_without_p1

CONFIGURATION = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass"
NOUN = "temporary_access_pass"

STOPS = "The pass that is there stops working."
KEPT = (
    "{name} has a valid Temporary Access Pass already, which is kept. It cannot be read again; make another one with "
    "'replace: true'."
)


@dataclass(frozen=True)
class State:
    """``passes`` are those that Graph shows, one at most. ``made`` is the answer of the request that made one in this
    run, with the pass itself. ``configuration`` and ``groups`` are read where a pass is wanted."""

    identity: str
    name: str
    passes: Sequence[Mapping[str, Any]]
    configuration: Mapping[str, Any] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    made: Mapping[str, Any] | None = None

    @property
    def path(self) -> str:
        return f"/users/{path_segment(self.identity)}/authentication/temporaryAccessPassMethods"

    @property
    def shown(self) -> Mapping[str, Any] | None:
        return self.made or (self.passes[0] if self.passes else None)


class TemporaryAccessPass(Resource):
    name = "temporary_access_pass"
    options = {
        "user": {"type": "str", "required": True},
        "lifetime_in_minutes": {"type": "int"},
        "start_date_time": {"type": "str"},
        "is_usable_once": {"type": "bool", "default": True},
        "replace": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **WAIT_OPTIONS,
    }
    secret_results = (f"{NOUN}.{NOUN}",)

    def read(self, run: Run) -> State:
        _refuse_bad_options(run.options)
        try:
            return _made(run) or _read(run)
        except UnexpectedShape as error:
            raise StateUnknown(f"Graph's answers about the pass have an unexpected shape: {error}.") from None

    def plan(self, run: Run, state: State) -> Plan:
        run.kept["user"] = (state.identity, state.name)
        try:
            return _removal(state) if run.options["state"] == "absent" else _creation(run, state)
        except UnexpectedShape as error:
            raise StateUnknown(f"Graph's answers about the pass have an unexpected shape: {error}.") from None

    def reached(self, run: Run, plan: Plan, state: State) -> bool:
        return state.made is not None or not state.passes

    def result(self, run: Run, plan: Plan, state: State) -> dict[str, Any]:
        predicts = run.check_mode and bool(plan.changes)
        shown = _predicted(run, state) if predicts else _shown(state.shown)
        return {NOUN: {"user_principal_name": state.name, "user_id": state.identity, **shown}, "effects": []}


def _refuse_bad_options(options: Mapping[str, Any]) -> None:
    """Raises OptionError for what is wrong whatever the tenant is like."""
    start, lifetime = options.get("start_date_time"), options.get("lifetime_in_minutes")
    if start is not None and rules.moment(start) is None:
        raise OptionError(
            f"'{start}' is no moment: write 'start_date_time' like 2026-12-01T09:00:00Z, or with an offset (+01:00)."
        )
    if lifetime is not None and not rules.SHORTEST <= lifetime <= rules.LONGEST:
        raise OptionError(f"'lifetime_in_minutes' must be {rules.SHORTEST} to {rules.LONGEST}, but is {lifetime}.")


# Reading


def _made(run: Run) -> State | None:
    """The state right after this run made a pass. Raises StateUnknown where the answer does not hold it."""
    if not run.answers or run.options["state"] == "absent":
        return None
    (answer,) = run.answers
    identity, name = run.kept["user"]
    secret = answer.get("temporaryAccessPass") if isinstance(answer, Mapping) else None
    if not isinstance(secret, str) or not secret:
        raise StateUnknown(
            f"Graph made a Temporary Access Pass for {name}, but did not tell it. Run the task again with 'replace: "
            "true'."
        )
    run.secret(secret)
    return State(identity, name, (), made=answer)


def _read(run: Run) -> State:
    """Raises OptionError, GraphError, UnexpectedShape."""
    ((identity, name),) = find_users(run.client, [run.options["user"]]).items()
    path = State(identity, name, ()).path
    reads = [Read(path, collection=True, action=f"read the Temporary Access Pass of {name}")]
    if run.options["state"] == "present":
        reads += [
            Read(CONFIGURATION, action="read what the authentication methods policy says of Temporary Access Passes"),
            Read(
                f"/users/{path_segment(identity)}/transitiveMemberOf",
                parameters={"$select": "id"},
                collection=True,
                action=f"list the groups of {name}",
            ),
        ]
    answers: list[Any] = []
    for answer in run.client.read_many(reads):
        if isinstance(answer, GraphError):
            raise answer
        answers.append(answer)
    passes, *others = answers
    for one in passes:
        text(one, "id")
        rules.lasts(one)
    if not others:
        return State(identity, name, passes)
    configuration, groups = others
    return State(identity, name, passes, configuration, frozenset(text(group, "id").lower() for group in groups))


# Planning


def _removal(state: State) -> Plan:
    if not state.passes:
        return Plan(done=f"{state.name} has no Temporary Access Pass.")
    title = f"the Temporary Access Pass of {state.name}"
    changes = [
        Change(
            title,
            _properties(one),
            None,
            Request("DELETE", f"{state.path}/{path_segment(text(one, 'id'))}", f"delete {title}"),
        )
        for one in state.passes
    ]
    return Plan(
        changes,
        planned=f"The Temporary Access Pass of {state.name} would be deleted.",
        done=f"The Temporary Access Pass of {state.name} was deleted.",
        extra={"effects": [STOPS] if any(rules.lasts(one) for one in state.passes) else []},
    )


def _creation(run: Run, state: State) -> Plan:
    """Raises OptionError where a pass is to be made that cannot be; UnexpectedShape."""
    valid = any(rules.lasts(one) for one in state.passes)
    if valid and not run.options["replace"]:
        return Plan(done=KEPT.format(name=state.name))
    policy = rules.rules_of(state.configuration)
    wanted = _wanted(run.options, policy)
    enabled = is_enabled_for(state.configuration, state.identity.lower(), Memberships(state.groups))
    refusal = rules.kind_refusal(state.name) or rules.policy_refusal(
        policy, state.name, enabled, wanted["lifetime_in_minutes"], wanted["is_usable_once"]
    )
    if refusal:
        raise OptionError(refusal)
    title = f"the Temporary Access Pass of {state.name}"
    body = {"lifetimeInMinutes": wanted["lifetime_in_minutes"], "isUsableOnce": wanted["is_usable_once"]}
    if "start_date_time" in wanted:
        body["startDateTime"] = wanted["start_date_time"]
    change = Change(
        title,
        _properties(state.passes[0]) if state.passes else None,
        {**wanted, NOUN: NOT_SHOWN},
        Request("POST", state.path, f"make {title}", body, creates=True, replicates=True),
    )
    once = "once" if wanted["is_usable_once"] else "any number of times"
    effects = [STOPS] if valid else []
    return Plan(
        [change],
        planned=f"A Temporary Access Pass would be made for {state.name}.",
        done=f"A Temporary Access Pass was made for {state.name}. It works {once}, for {wanted['lifetime_in_minutes']} "
        "minutes, and cannot be read again.",
        extra={"effects": [*effects, *note_without_p1(run, "a Temporary Access Pass")]},
    )


def _wanted(options: Mapping[str, Any], policy: rules.Rules) -> dict[str, Any]:
    wanted: dict[str, Any] = {
        "lifetime_in_minutes": options.get("lifetime_in_minutes") or policy.default_lifetime,
        "is_usable_once": options["is_usable_once"],
    }
    start = options.get("start_date_time")
    begins = rules.moment(start) if start is not None else None
    if begins is not None:
        wanted["start_date_time"] = rules.as_graph_writes(begins)
    return wanted


# Saying

PROPERTIES = {
    "lifetime_in_minutes": "lifetimeInMinutes",
    "is_usable_once": "isUsableOnce",
    "start_date_time": "startDateTime",
}


def _properties(access_pass: Mapping[str, Any]) -> dict[str, Any]:
    """Of a pass that is there, for a diff."""
    shown = {name: access_pass.get(graph) for name, graph in PROPERTIES.items()}
    return {**shown, "method_usability_reason": access_pass.get("methodUsabilityReason"), NOUN: NOT_SHOWN}


def _shown(access_pass: Mapping[str, Any] | None) -> dict[str, Any]:
    """Null where there is no pass; ``made`` ones, and only those, hold the pass itself."""
    found = access_pass or {}
    return {
        "exists": access_pass is not None,
        "id": found.get("id"),
        NOUN: found.get("temporaryAccessPass"),
        **{name: found.get(graph) for name, graph in PROPERTIES.items()},
        "end_date_time": rules.end_of(found.get("startDateTime"), found.get("lifetimeInMinutes")),
        "is_usable": found.get("isUsable"),
        "method_usability_reason": found.get("methodUsabilityReason"),
    }


def _predicted(run: Run, state: State) -> dict[str, Any]:
    """What a run would lead to; null where only a run can tell."""
    if run.options["state"] == "absent":
        return _shown(None)
    wanted = _wanted(run.options, rules.rules_of(state.configuration))
    end = rules.end_of(wanted.get("start_date_time"), wanted["lifetime_in_minutes"])
    return {**_shown(None), "exists": True, **wanted, "end_date_time": end}


RESOURCE = TemporaryAccessPass()
