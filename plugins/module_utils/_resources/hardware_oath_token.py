# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hardware OATH token as one resource, found by its serial number (private to the collection).

Three steps lead to a token that works: upload, assign, activate. Each is a change of its own, and what was done already
is seen in the token's state, so a run that was interrupted is finished by the next one.

Sources: the Graph reference (beta) of hardwareOathTokenAuthenticationMethodDevice and hardwareOathAuthenticationMethod;
Microsoft's page "Manage OATH tokens in Microsoft Entra ID".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._engine.plan import NOT_SHOWN, Change, Ids, Plan, Request
from .._engine.properties import StateUnknown
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.errors import NotFound, OptionError
from .._graph.query import path_segment
from .._options import WAIT_OPTIONS
from .._policy.facts import UnexpectedShape, optional_text, text
from .._policy.one_time_password import HASHES, LONGEST_SECRET, code_at, secret_bytes, without_gaps
from .directory import find_users
from .last_factor import refuse_last_factor
from .licence_notes import note_without_p1

DEVICES = "/directory/authenticationMethodDevices/hardwareOathDevices"
BETA = "beta"
NOUN = "hardware_oath_token"
AVAILABLE, ASSIGNED, ACTIVATED = "available", "assigned", "activated"
DEFAULT_INTERVAL, DEFAULT_HASH = 30, "hmacsha1"
# What is printed on a token, or burnt into it: options and Graph's names.
FIXED = {
    "manufacturer": "manufacturer",
    "model": "model",
    "time_interval_in_seconds": "timeIntervalInSeconds",
    "hash_function": "hashFunction",
}
USELESS = "The token cannot be used for signing in any more."


@dataclass(frozen=True)
class Person:
    id: str
    name: str

    @property
    def methods(self) -> str:
        return f"/users/{path_segment(self.id)}/authentication/hardwareOathMethods"


@dataclass(frozen=True)
class State:
    """``device`` is the token, None when it is not there. ``holder`` is the id of the user to whom it is assigned,
    ``method`` its id among that user's methods. ``person`` is the user of the task."""

    serial: str
    device: Mapping[str, Any] | None
    holder: str | None
    method: str | None
    person: Person | None

    @property
    def is_held(self) -> bool:
        """Whether the token is assigned to the user of the task."""
        return self.person is not None and self.holder is not None and self.holder.lower() == self.person.id.lower()

    @property
    def status(self) -> str | None:
        return None if self.device is None else text(self.device, "status")


class HardwareOathToken(Resource):
    name = "hardware_oath_token"
    options = {
        "serial_number": {"type": "str", "required": True},
        "manufacturer": {"type": "str"},
        "model": {"type": "str"},
        "secret_key": {"type": "str", "no_log": True},
        "time_interval_in_seconds": {"type": "int", "choices": [30, 60]},
        "hash_function": {"type": "str", "choices": list(HASHES)},
        "display_name": {"type": "str"},
        "user": {"type": "str"},
        "activate": {"type": "bool", "default": True},
        "force": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **WAIT_OPTIONS,
    }

    def read(self, run: Run) -> State:
        _refuse_bad_options(run)
        try:
            return _read(run)
        except UnexpectedShape as error:
            raise StateUnknown(f"Graph's answers about the token have an unexpected shape: {error}.") from None

    def plan(self, run: Run, state: State) -> Plan:
        try:
            return _removal(run, state) if run.options["state"] == "absent" else _provision(run, state)
        except UnexpectedShape as error:
            raise StateUnknown(f"Graph's answers about the token have an unexpected shape: {error}.") from None

    def reached(self, run: Run, plan: Plan, state: State) -> bool:
        if run.options["state"] == "absent":
            return state.device is None
        return not _steps(run, state)

    def result(self, run: Run, plan: Plan, state: State) -> dict[str, Any]:
        predicts = run.check_mode and bool(plan.changes)
        return {NOUN: _predicted(run, state) if predicts else _shown(state), "effects": []}


def _refuse_bad_options(run: Run) -> None:
    """Raises OptionError for what is wrong whatever the tenant is like."""
    if not run.options["serial_number"].strip():
        raise OptionError("The serial number must not be empty.")
    secret = run.options.get("secret_key")
    if secret is None:
        return
    run.secret(without_gaps(secret))
    if secret_bytes(secret) is None:
        raise OptionError(f"'secret_key' must be base32 (A-Z and 2-7), of at most {LONGEST_SECRET} characters.")


# Reading


def _read(run: Run) -> State:
    """Raises OptionError, GraphError, UnexpectedShape."""
    person = run.kept.get("person")
    if person is None and run.options.get("user") and run.options["state"] == "present":
        ((identity, name),) = find_users(run.client, [run.options["user"]]).items()
        person = run.kept["person"] = Person(identity, name)
    serial = run.options["serial_number"].strip()
    devices = run.client.list(DEVICES, version=BETA, action="list the hardware OATH tokens")
    found = [device for device in devices if text(device, "serialNumber").casefold() == serial.casefold()]
    if len(found) > 1:
        raise UnexpectedShape(f"{len(found)} tokens have the serial number {serial}")
    if not found:
        return State(serial, None, None, None, person)
    device = found[0]
    for name in ("id", "status"):
        text(device, name)
    holder = _holder(device)
    return State(serial, device, holder, _method(run, text(device, "id"), holder), person)


def _holder(device: Mapping[str, Any]) -> str | None:
    if "assignedTo" not in device:
        raise UnexpectedShape("'assignedTo' is missing")
    assigned = device["assignedTo"]
    return None if assigned is None else optional_text(assigned, "id")


def _method(run: Run, device: str, holder: str | None) -> str | None:
    """The id of the token among the methods of its holder; None when it is not among them (yet, or any more)."""
    if holder is None:
        return None
    path = Person(holder, holder).methods
    try:
        methods = run.client.list(path, version=BETA, action=f"list the hardware OATH tokens of the user {holder}")
    except NotFound:
        return None  # a deleted user
    for method in methods:
        if text(method, "id").lower() == device.lower() or _is_of(method.get("device"), device):
            return text(method, "id")
    return None


def _is_of(shown: Any, device: str) -> bool:
    return isinstance(shown, Mapping) and str(shown.get("id")).lower() == device.lower()


# Planning


def _provision(run: Run, state: State) -> Plan:
    """Raises OptionError, UnexpectedShape."""
    refusal = _refusal(run.options, state)
    if refusal:
        raise OptionError(refusal)
    steps = _steps(run, state)
    if not steps:
        return Plan(done=f"The hardware OATH token {state.serial} is as wanted.")
    words = ", ".join(step.words for step in steps)
    effects = [] if state.device is not None else note_without_p1(run, "the upload of hardware OATH tokens")
    return Plan(
        [step.change for step in steps],
        planned=f"The hardware OATH token {state.serial} would be {words}.",
        done=f"The hardware OATH token {state.serial} was {words}.",
        extra={"effects": effects},
    )


def _refusal(options: Mapping[str, Any], state: State) -> str | None:
    """Why the token cannot be what it is to be. Raises UnexpectedShape."""
    secret = options.get("secret_key")
    if state.device is None:
        missing = [name for name in ("manufacturer", "model", "secret_key") if not options.get(name)]
        if missing:
            return f"There is no hardware OATH token {state.serial}. To upload it, give {' and '.join(missing)}."
    else:
        for option, name in FIXED.items():
            current = _fixed(state.device, name)
            if options.get(option) is not None and options[option] != current:
                return (
                    f"The hardware OATH token {state.serial} is there with {option.replace('_', ' ')} {current}, not "
                    f"{options[option]}, which cannot be changed. Delete it first (state: absent) if it is wrong."
                )
    if state.person is None:
        return None
    if state.holder is not None and not state.is_held:
        return (
            f"The hardware OATH token {state.serial} is assigned to another user (object ID {state.holder}). Take it "
            "away there first (state: absent)."
        )
    if options["activate"] and not secret and not (state.is_held and state.status == ACTIVATED):
        return (
            f"To activate the hardware OATH token {state.serial}, a code is computed from its secret: give "
            "'secret_key', or 'activate: false'."
        )
    return None


def _fixed(device: Mapping[str, Any], name: str) -> Any:
    value = device.get(name)
    return DEFAULT_HASH if value is None and name == "hashFunction" else value


@dataclass(frozen=True)
class Step:
    """A change, and the words for it that follow "was" or "would be"."""

    change: Change
    words: str


def _steps(run: Run, state: State) -> list[Step]:
    """In the order in which they are made. Raises UnexpectedShape."""
    steps = [] if state.device is not None else [_upload(run, state)]
    person = state.person
    if person is None:
        return steps
    if not state.is_held:
        steps.append(_assignment(state, person))
    if run.options["activate"] and not (state.is_held and state.status == ACTIVATED):
        steps.append(_activation(run, state, person))
    return steps


def _upload(run: Run, state: State) -> Step:
    options = run.options
    shown = {
        "serial_number": state.serial,
        "manufacturer": options["manufacturer"],
        "model": options["model"],
        "time_interval_in_seconds": options.get("time_interval_in_seconds") or DEFAULT_INTERVAL,
        "hash_function": options.get("hash_function") or DEFAULT_HASH,
        "display_name": options.get("display_name"),
    }
    body = {
        "serialNumber": state.serial,
        **{name: shown[option] for option, name in FIXED.items()},
        "secretKey": without_gaps(options["secret_key"]),
    }
    if options.get("display_name"):
        body["displayName"] = options["display_name"]
    title = f"the hardware OATH token {state.serial}"
    request = Request("POST", DEVICES, f"upload {title}", body, version=BETA, creates=True, names="device")
    return Step(Change(title, None, {**shown, "secret_key": NOT_SHOWN}, request), "uploaded")


def _assignment(state: State, person: Person) -> Step:
    title = f"the user of the hardware OATH token {state.serial}"

    def request(created: Ids) -> Request:
        device = created["device"] if state.device is None else text(state.device, "id")
        return Request(
            "POST",
            person.methods,
            f"assign the hardware OATH token {state.serial} to {person.name}",
            {"device": {"id": device}},
            version=BETA,
            creates=True,
            names="method",
            replicates=True,
        )

    return Step(Change(title, {"user": None}, {"user": person.name}, request), f"assigned to {person.name}")


def _activation(run: Run, state: State, person: Person) -> Step:
    """The code is computed right before it is sent, by Graph's clock."""
    title = f"the activation of the hardware OATH token {state.serial}"
    interval, function = _ticking(run.options, state.device)

    def body() -> dict[str, Any]:
        secret = secret_bytes(run.options["secret_key"]) or b""  # it was looked at before
        code = code_at(secret, run.client.now(), interval=interval, hash_function=function)
        run.secret(code)
        name = run.options.get("display_name")
        return {"verificationCode": code, **({"displayName": name} if name else {})}

    def request(created: Ids) -> Request:
        if state.is_held and state.method is None:
            raise StateUnknown(
                f"The hardware OATH token {state.serial} is assigned to {person.name}, but Graph does not show it "
                "among the user's methods. Run the task again."
            )
        method = created["method"] if state.method is None else state.method
        return Request(
            "POST",
            f"{person.methods}/{path_segment(method)}/activate",
            f"activate the hardware OATH token {state.serial} of {person.name}",
            version=BETA,
            replicates=True,
            make_body=body,
        )

    before = {"status": state.status if state.is_held else AVAILABLE}
    return Step(Change(title, before, {"status": ACTIVATED}, request), "activated")


def _ticking(options: Mapping[str, Any], device: Mapping[str, Any] | None) -> tuple[int, str]:
    """How the token makes its codes: seconds and hash function. Raises UnexpectedShape."""
    if device is None:
        return (
            options.get("time_interval_in_seconds") or DEFAULT_INTERVAL,
            options.get("hash_function") or DEFAULT_HASH,
        )
    interval, function = _fixed(device, "timeIntervalInSeconds"), _fixed(device, "hashFunction")
    if not isinstance(interval, int) or isinstance(interval, bool) or interval <= 0:
        raise UnexpectedShape("'timeIntervalInSeconds' is no number")
    if function not in HASHES:
        raise UnexpectedShape(f"'hashFunction' is '{function}', which is not known")
    return interval, function


def _removal(run: Run, state: State) -> Plan:
    """Raises OptionError for the last factor of a user; UnexpectedShape."""
    device = state.device
    if device is None:
        return Plan(done=f"There is no hardware OATH token {state.serial}.")
    title = f"the hardware OATH token {state.serial}"
    changes = []
    if state.holder is not None and state.method is not None:
        if state.status == ACTIVATED:
            # The list of methods that is looked at there has no hardware tokens, so another one does not count.
            refuse_last_factor(
                run, state.holder, f"the user {state.holder}", title, None, force=bool(run.options["force"])
            )
        path = f"{Person(state.holder, state.holder).methods}/{path_segment(state.method)}"
        changes.append(
            Change(
                f"the user of {title}",
                {"user": state.holder},
                {"user": None},
                Request("DELETE", path, f"take {title} away from the user {state.holder}", version=BETA),
            )
        )
    before = {"serial_number": state.serial, **{option: _fixed(device, name) for option, name in FIXED.items()}}
    path = f"{DEVICES}/{path_segment(text(device, 'id'))}"
    changes.append(Change(title, before, None, Request("DELETE", path, f"delete {title}", version=BETA)))
    return Plan(
        changes,
        planned=f"The hardware OATH token {state.serial} would be deleted.",
        done=f"The hardware OATH token {state.serial} was deleted.",
        extra={"effects": [USELESS] if state.status == ACTIVATED else []},
    )


# Saying


def _shown(state: State) -> dict[str, Any]:
    device = state.device or {}
    return {
        "exists": state.device is not None,
        "id": device.get("id"),
        "serial_number": state.serial,
        "display_name": device.get("displayName"),
        **{option: _fixed(device, name) if device else None for option, name in FIXED.items()},
        "status": state.status,
        "user_id": state.holder,
    }


def _predicted(run: Run, state: State) -> dict[str, Any]:
    """What a run would lead to; null where only a run can tell."""
    found = _shown(state)
    if run.options["state"] == "absent":
        return {**dict.fromkeys(found), "exists": False, "serial_number": state.serial}
    steps = _steps(run, state)
    made: dict[str, Any] = {}
    for step in steps:
        made.update(step.change.after or {})
    if state.device is None:
        made.setdefault("status", ASSIGNED if "user" in made else AVAILABLE)
    if "user" in made:
        made.setdefault("status", ASSIGNED)
        made["user_id"] = state.person and state.person.id
    if run.options.get("display_name") and made.get("status") == ACTIVATED:
        made["display_name"] = run.options["display_name"]
    return {**found, "exists": True, **{name: value for name, value in made.items() if name in found}}


RESOURCE = HardwareOathToken()
