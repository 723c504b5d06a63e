# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A passkey of a user, on a security key that is plugged in where the task runs (private to the collection).

Sources: the Graph reference "fido2AuthenticationMethod: creationOptions" (the challenge lasts five minutes; global
cloud only) and "Create fido2AuthenticationMethod".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .._engine.engine import Poll
from .._engine.plan import Change, Plan, Request
from .._engine.properties import StateUnknown
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.batch import Read
from .._graph.errors import GraphError, NotFound, OptionError
from .._graph.query import path_segment
from .._options import WAIT_OPTIONS
from .._policy.conditional_access_reach import Memberships
from .._policy.emergency_access_facts import groups_of
from .._policy.facts import UnexpectedShape, objects, optional_text, text
from .._policy.passkeys import DEVICE_BOUND, SYNCED, Allowance
from . import security_key
from .directory import find_users
from .facts import METHODS_POLICY
from .last_factor import refuse_last_factor

LONGEST_NAME = 30
# Graph's challenge lasts 300 seconds; what is left is for the requests around the touch.
LONGEST_TOUCH = 240
NATIONAL_CLOUDS = ("usgov", "usgov_dod", "china")
T = TypeVar("T")
KINDS = {DEVICE_BOUND: "device_bound", SYNCED: "synced"}
ATTESTATIONS = {"attested": "attested", "notAttested": "not_attested"}


@dataclass(frozen=True)
class Person:
    """``allowance`` is what the policy says; None where the passkey is to be gone, whatever that is."""

    id: str
    name: str
    allowance: Allowance | None

    @property
    def path(self) -> str:
        return f"/users/{path_segment(self.id)}/authentication/fido2Methods"


@dataclass(frozen=True)
class State:
    """``passkeys`` are those of the wanted name."""

    person: Person
    passkeys: Sequence[Mapping[str, Any]]


class Passkey(Resource):
    name = "passkey"
    options = {
        "user": {"type": "str", "required": True},
        "display_name": {"type": "str", "required": True},
        "pin": {"type": "str", "no_log": True},
        "touch_timeout": {"type": "int", "default": 120},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force": {"type": "bool", "default": False},
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> State:
        _refuse_bad_options(run)
        try:
            person = run.kept.get("person") or _person(run)
            run.kept["person"] = person
            wanted = run.options["display_name"]
            passkeys = [one for one in _passkeys(run, person) if optional_text(one, "displayName") == wanted]
            for passkey in passkeys:
                text(passkey, "id")
        except UnexpectedShape as error:
            raise _unexpected(run, error) from None
        return State(person, passkeys)

    def plan(self, run: Run, state: State) -> Plan:
        wanted, name = run.options["display_name"], state.person.name
        title = f"the passkey '{wanted}' of {name}"
        allowance = state.person.allowance
        if allowance is None:
            return _removal(run, state, title)
        if state.passkeys:
            return Plan(done=f"{name} has the passkey '{wanted}'.")
        try:
            refusal = allowance.registration_refusal(name)
        except UnexpectedShape as error:
            raise _unexpected(run, error) from None
        if refusal:
            raise OptionError(refusal)
        change = Change(
            title=title,
            before=None,
            after={"display_name": wanted},
            request=Request(
                method="POST",
                path=state.person.path,
                action=f"register {title}",
                make_body=lambda: _registration(run, state.person, allowance),
                creates=True,
                replicates=True,
            ),
        )
        return Plan(
            [change],
            planned=f"{name} would get the passkey '{wanted}', by a security key that somebody has to touch.",
            done=f"{name} got the passkey '{wanted}'.",
        )

    def reached(self, run: Run, plan: Plan, state: State) -> bool:
        return bool(state.passkeys) is (run.options["state"] == "present")

    def result(self, run: Run, plan: Plan, state: State) -> dict[str, Any]:
        """In check mode a new passkey is predicted, as far as that is possible without the key."""
        present = run.options["state"] == "present"
        passkey = state.passkeys[0] if state.passkeys and present else {}
        allowance, allowed = state.person.allowance, None
        try:
            if allowance is not None:
                allowed = allowance.allows(passkey) if passkey else True
        except UnexpectedShape as error:
            raise _unexpected(run, error) from None
        return {
            "passkey": {
                "user_id": state.person.id,
                "user_principal_name": state.person.name,
                "display_name": run.options["display_name"],
                "exists": present,
                "id": passkey.get("id"),
                "aaguid": passkey.get("aaGuid"),
                "model": passkey.get("model"),
                "kind": KINDS.get(str(passkey.get("passkeyType"))),
                "attestation": ATTESTATIONS.get(str(passkey.get("attestationLevel"))),
                "created": passkey.get("createdDateTime"),
                "allowed": allowed,
            }
        }


def _refuse_bad_options(run: Run) -> None:
    """Raises OptionError for what is wrong whatever the tenant is like."""
    if run.client.cloud.name in NATIONAL_CLOUDS:
        raise OptionError(
            f"Microsoft Graph registers no passkeys for others in the cloud '{run.client.cloud.name}', in the global "
            "one only."
        )
    name = run.options["display_name"]
    if not 1 <= len(name) <= LONGEST_NAME or name != name.strip():
        raise OptionError(
            f"display_name must have 1 to {LONGEST_NAME} characters, without a blank at either end, but is '{name}'."
        )
    if not 1 <= run.options["touch_timeout"] <= LONGEST_TOUCH:
        raise OptionError(
            f"touch_timeout must be 1 to {LONGEST_TOUCH} seconds, for Graph waits no longer than five minutes for the "
            f"whole registration, but is {run.options['touch_timeout']}."
        )


def _person(run: Run) -> Person:
    """Raises OptionError for a user who is missing, UnexpectedShape, GraphError."""
    ((identity, name),) = find_users(run.client, [run.options["user"]]).items()
    if run.options["state"] == "absent":
        return Person(identity, name, None)
    policy, groups = run.client.read_many(
        [
            METHODS_POLICY,
            Read(
                f"/users/{path_segment(identity)}/transitiveMemberOf",
                parameters={"$select": "id"},
                collection=True,
                action=f"list the groups of {name}",
            ),
        ]
    )
    for answer in (policy, groups):
        if isinstance(answer, GraphError):
            raise answer
    shown: Any = policy
    memberships = Memberships(groups_of(objects({"value": groups}, "value")))
    return Person(identity, name, Allowance(shown, identity.lower(), memberships))


def _passkeys(run: Run, person: Person) -> list[Mapping[str, Any]]:
    """All of this person. Raises UnexpectedShape, GraphError."""
    action = f"list the passkeys of {person.name}"
    return objects({"value": _patiently(run, lambda: run.client.list(person.path, action=action))}, "value")


def _registration(run: Run, person: Person, allowance: Allowance) -> dict[str, Any]:
    """The body of the registration, made by the security key. Raises SecurityKeyFailed, OptionError, GraphError."""
    security_key.require_library()
    action = f"begin to register a passkey for {person.name}"
    answer = _patiently(run, lambda: run.client.get(f"{person.path}/creationOptions", action=action))

    def check(model: str, *, attested: bool = True) -> None:
        refusal = allowance.key_refusal(model, attested=attested)
        if refusal:
            raise OptionError(refusal)

    made = security_key.make_credential(
        answer.get("publicKey"),
        pin=run.options.get("pin"),
        seconds=run.options["touch_timeout"],
        check_model=check,
        user=person.name,
    )
    check(made.model, attested=made.attested)
    return {"displayName": run.options["display_name"], "publicKeyCredential": made.body}


def _patiently(run: Run, read: Callable[[], T]) -> T:
    """Read, waiting while Graph does not know a user who was created a moment ago here."""
    poll = Poll(run)
    while True:
        try:
            return read()
        except NotFound:
            if not poll.wait():
                raise


def _removal(run: Run, state: State, title: str) -> Plan:
    wanted, name = run.options["display_name"], state.person.name
    if not state.passkeys:
        return Plan(done=f"{name} has no passkey '{wanted}'.")
    if len(state.passkeys) > 1:
        raise OptionError(
            f"{name} has {len(state.passkeys)} passkeys with the display name '{wanted}': which one is meant cannot "
            "be told. Rename the others, in My security info or the Entra admin center."
        )
    (passkey,) = state.passkeys
    identity = text(passkey, "id")
    what = f"The passkey '{wanted}'"
    refuse_last_factor(run, state.person.id, name, what, identity, force=run.options["force"])
    change = Change(
        title=title,
        before={"display_name": wanted},
        after=None,
        request=Request("DELETE", f"{state.person.path}/{path_segment(identity)}", f"remove {title}"),
    )
    return Plan(
        [change],
        planned=f"The passkey '{wanted}' of {name} would be removed.",
        done=f"The passkey '{wanted}' of {name} was removed.",
    )


def _unexpected(run: Run, error: UnexpectedShape) -> StateUnknown:
    return StateUnknown(f"Graph's answers about {run.options['user']} have an unexpected shape: {error}.")


RESOURCE = Passkey()
