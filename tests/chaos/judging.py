# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold however much went wrong. Each rule gives the sentences of what it found; nothing found is well."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.zerotrust.m365.tests.chaos.trials import VAULT_PASSWORD, HostRun, Trial
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import TaskResult
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Request
from ansible_collections.zerotrust.m365.tests.integration.searching import forms

OF_A_USER = re.compile(r"/users/(?P<id>[^/]+)/authentication/requirements")
LONGEST_MESSAGE = 3000
UNCLEAR = re.compile(
    r"Traceback|MODULE FAILURE|(?i:unexpected (?:failure|exception|templating))|is undefined|has no attribute|"
    r"One or more items failed|conditional check|no message|probably a bug|Unhandled|dead state|object of type|"
    r"\b(?:Key|Type|Value|Attribute|Index|Recursion|Assertion|Unicode\w*)Error\b"
)
NO_TRACEBACK = "(traceback unavailable)"
"""What ansible-core puts there for a task that simply failed."""
PASSWORD_STATE = "live"


def complaints(trial: Trial) -> list[str]:
    """Everything that is wrong with a trial that was run."""
    return [
        *ended_clearly(trial),
        *converged(trial),
        *nothing_more_to_do(trial),
        *broke_no_rule(trial),
        *created_once(trial),
        *kept_in_ledger(trial),
        *sealed(trial),
        *showed_no_secret(trial),
    ]


def ended_clearly(trial: Trial) -> Iterator[str]:
    """With no fault at all, or with one that a person can read."""
    for name, run in _runs(trial):
        if not run.recap:
            yield f"{name}: the run did not reach its end"
        elif run.recap["unreachable"]:
            yield f"{name}: the host is called unreachable"
        elif run.failed and not run.failures:
            yield f"{name}: it failed, and no task did"
        for one in [*run.results, *run.items]:
            if one.failed and one.result.get("exception", NO_TRACEBACK) != NO_TRACEBACK:
                yield f"{name}: '{one.task}' ended in an exception: {one.result['exception']}"
        for one in run.failures[-1:] if run.failed else []:
            items = [item for item in run.items if item.failed and item.task == one.task]  # Ansible shows each of them
            yield from (f"{name}: {wrong}" for told in items or [one] for wrong in _unclear(told))


def _unclear(one: TaskResult) -> Iterator[str]:
    found = UNCLEAR.search(one.message)
    if found:
        yield f"'{one.task}' failed with the unclear words '{found[0]}': {one.message}"
    if not one.message.strip() or len(one.message) > LONGEST_MESSAGE:
        yield f"'{one.task}' failed with a message of {len(one.message)} characters"


def converged(trial: Trial) -> Iterator[str]:
    """Without faults it ends well, or just as it does on the tenant as it was."""
    run, pristine = trial.rerun, trial.pristine
    if run is None:
        yield "it was not run again"
    elif run.failed and (pristine is None or run.verdict != pristine.verdict):
        told = "" if pristine is None else f"; on the tenant as it was: {pristine.verdict[1] or 'it succeeds'}"
        yield f"it did not converge: {run.verdict[1]}{told}"


def nothing_more_to_do(trial: Trial) -> Iterator[str]:
    """The run after the one that converged is empty. One that changed nothing is that itself."""
    last = trial.once_more or trial.rerun
    if last is None:
        return
    if last.changed:
        yield f"one run more changed {last.changed} tasks: {', '.join(one.task for one in last.results if one.changed)}"
    elif last.accepted_writes and not last.failed:
        yield f"a run that changed nothing wrote: {_shown(last.accepted_writes)}"


def broke_no_rule(trial: Trial) -> Iterator[str]:
    """The simulator's watch found nothing. That Conditional Access asks a new emergency account for nothing any more is
    what it is for: it did not exist when the run began."""
    made = {user["id"] for user in _new_accounts(trial)}
    for violation in trial.violations:
        if (
            violation.rule == "mfa_protection"
            and violation.count == len(violation.users)
            and made >= {*violation.users}
        ):
            continue
        yield f"{violation.rule}: {violation.sentence}"


def created_once(trial: Trial) -> Iterator[str]:
    before, after = _counted(trial.before), _counted(trial.after)
    for what, number in after.items():
        if number > max(1, before[what]):
            yield f"{number} times there, and {before[what]} times before: {' '.join(map(str, what))}"


def _counted(state: Mapping[str, Any]) -> Counter[tuple[Any, ...]]:
    """How often there is an object of what should be there once."""
    objects = state["objects"]
    return Counter(
        [
            *(("group", one["displayName"]) for one in objects.get("group", ())),
            *(("user", one["userPrincipalName"].lower()) for one in objects.get("user", ())),
            *(("policy", one["displayName"]) for one in objects.get("conditionalAccessPolicy", ())),
            *(
                ("role", one["roleDefinitionId"], one["principalId"], one["directoryScopeId"])
                for one in objects.get("roleAssignment", ())
            ),
            *(("token", one.get("serialNumber")) for one in objects.get("hardwareOathDevice", ())),
            *(("member", one["group"], one["member"]) for one in state["memberships"]),
        ]
    )


def kept_in_ledger(trial: Trial) -> Iterator[str]:
    """Before a state is changed, what it was is in the ledger; and what is there is what it was."""
    was = {user["id"]: user["perUserMfaState"] for user in trial.before["objects"]["user"]}
    noted: dict[str, list[str]] = {}
    for line in trial.ledger:
        if line["event"] == "change":
            noted.setdefault(line["id"], []).append(line["before"])
    if trial.case.way.retires:
        for name, run in _runs(trial):
            for request in run.accepted_writes:
                found = OF_A_USER.fullmatch(request.path)
                if found and found["id"] not in noted:
                    yield f"{name}: {request.method} {request.path} is not in the ledger"
        for user in trial.after["objects"]["user"]:
            if user["perUserMfaState"] == "disabled" and was.get(user["id"], "disabled") != "disabled":
                states = noted.get(user["id"], [])
                if states[-1:] != [was[user["id"]]]:
                    yield f"{user['userPrincipalName']} was {was[user['id']]}, and the ledger says {states}"
    else:
        for request in (one for _unused, run in _runs(trial) for one in run.accepted_writes):
            if OF_A_USER.fullmatch(request.path) and trial.case.playbook != "restore_per_user_mfa":
                yield f"{request.method} {request.path}: nobody asked for it"


def sealed(trial: Trial) -> Iterator[str]:
    """Every account that is there now and was not before has the sealed password, and every seal its account."""
    accounts = {user["userPrincipalName"].partition("@")[0]: user for user in _new_accounts(trial)}
    for name, user in accounts.items():
        seal = trial.seals.get(name)
        if seal is None:
            yield f"nobody holds the password of {name}"
            continue
        digest = hashlib.sha256(f"{user['id']}:{seal['secret']}".encode()).hexdigest()
        if digest != user["_private"]["passwordDigest"]:
            yield f"the password of {name} is not the sealed one"
        if _ended_well(trial) and seal["state"] != PASSWORD_STATE:
            yield f"the seal of {name} says {seal['state']}"
        if _ended_well(trial) and "temporaryAccessPass" in user["_private"] and f"{name}.pass" not in trial.seals:
            yield f"nobody holds the Temporary Access Pass of {name}"
    if _ended_well(trial):
        for name in trial.seals:
            if name.partition(".")[0] not in accounts:
                yield f"the seal {name} has no account"


def showed_no_secret(trial: Trial) -> Iterator[str]:
    secrets = {trial.tenant.client_secret, VAULT_PASSWORD, *(seal["secret"] for seal in trial.seals.values())}
    wanted = {form for secret in secrets for form in forms(secret)}
    for name, run in _runs(trial):
        if any(form in run.output for form in wanted):
            yield f"{name}: a secret was shown"


def _new_accounts(trial: Trial) -> list[dict[str, Any]]:
    """Emergency accounts that were made."""
    there = {user["id"] for user in trial.before["objects"]["user"]}
    names = {account["name"] for account in trial.case.variables["emergency_access_accounts"]}
    return [
        user
        for user in trial.after["objects"]["user"]
        if user["id"] not in there and user["userPrincipalName"].partition("@")[0] in names
    ]


def _ended_well(trial: Trial) -> bool:
    return trial.rerun is not None and not trial.rerun.failed


def _runs(trial: Trial) -> Iterator[tuple[str, HostRun]]:
    named = {"with faults": trial.faulted, "without faults": trial.rerun, "once more": trial.once_more}
    yield from ((name, run) for name, run in named.items() if run is not None)


def _shown(requests: list[Request]) -> str:
    return ", ".join(f"{request.method} {request.path}" for request in requests)
