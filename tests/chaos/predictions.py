# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dry run against the run after it: which requests the diffs promise, and which were made.

Each entry of a diff is one request, but for those of the modules that change many users: there each user is one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.zerotrust.m365.tests.chaos.trials import HostRun, Trial
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import TaskResult

Asked = tuple[str, str]
"""A verb and a path. What did not exist before has the id NEW there."""
NEW = "NEW"
ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
UNREADABLE = re.compile(r"You must disable (Classic|Identity Protection) policies before enabling Security Defaults")
"""Graph does not show such policies, so a dry run cannot know of them. What the run made before was promised."""
PASS = re.compile(r"/temporaryAccessPassMethods$")
NOT_COMPARED = ("the account ", "the certificate user IDs of ", "the Temporary Access Pass of ")
"""How the entries begin that a run does not show, since a password is in the task, and those that a dry run does not
predict: the second factors of an account that is still to be made."""
METHODS_POLICY = "/policies/authenticationMethodsPolicy"
MODULE = "zerotrust.m365."
ALWAYS: dict[str, Asked] = {
    "security_defaults": ("PATCH", "/policies/identitySecurityDefaultsEnforcementPolicy"),
    "authentication_methods_policy": ("PATCH", METHODS_POLICY),
    "temporary_access_pass": ("POST", f"/users/{NEW}/authentication/temporaryAccessPassMethods"),
    "certificate_user_ids": ("PATCH", f"/users/{NEW}"),
}
OF_AN_ACCOUNT: dict[str, Asked] = {
    "the account ": ("POST", "/users"),
    "the membership of ": ("POST", f"/groups/{NEW}/members/$ref"),
    "the role Global Administrator of ": ("POST", "/roleManagement/directory/roleAssignments"),
}
"""By how the entries of emergency_account begin, for accounts and a group that are made."""


NOT_PROMISED = {ALWAYS["temporary_access_pass"], ALWAYS["certificate_user_ids"]}


class Before:
    """The ids in a tenant as it was before the run."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        objects = state["objects"]
        self.users = {one["userPrincipalName"]: one["id"] for one in objects["user"]}
        self.policies = {one["displayName"]: one["id"] for one in objects.get("conditionalAccessPolicy", ())}
        self._known = {one["id"] for kind in objects.values() for one in kind if "id" in one}

    def known(self, text: str, new: str = NEW) -> str:
        """A text with ``new`` in the place of the ids of what did not exist."""
        return ID.sub(lambda found: found[0] if found[0] in self._known else new, text)


def requests_of(result: TaskResult, entry: Mapping[str, Any], before: Before) -> list[Asked]:
    """What an entry in the diff of a module is in requests. KeyError: nobody has said so here for that module."""
    module, title = result.action.removeprefix(MODULE), str(entry["after_header"])
    arguments = result.result.get("invocation", {}).get("module_args", {})
    if module == "per_user_mfa":
        return [("PATCH", f"/users/{before.users[name]}/authentication/requirements") for name in entry["after"]]
    if module == "authentication_method":
        return [("PATCH", f"{METHODS_POLICY}/authenticationMethodConfigurations/{arguments['id']}")]
    if module == "graph_request":
        return [(arguments["method"], arguments["path"])]
    if module == "emergency_account":
        return [next(asked for words, asked in OF_AN_ACCOUNT.items() if title.startswith(words))]
    if module == "conditional_access_exclusion":
        name = title.removeprefix("the exclusions of '")[:-1]
        return [("PATCH", f"/identity/conditionalAccess/policies/{before.policies[name]}")]
    return [ALWAYS[module]]


def changes(run: HostRun) -> Iterator[tuple[TaskResult, Mapping[str, Any]]]:
    """Every entry of a diff, those of loops included, with the result that has it."""
    for one in [*run.results, *run.items]:
        is_loop = "results" in one.result
        if one.changed and not one.skipped and not is_loop and one.action.startswith(MODULE):
            for entry in one.diff or ():
                yield one, entry


def promised(run: HostRun, before: Before) -> Counter[Asked]:
    """The requests that the diffs of a run stand for, a dry one or not."""
    found: Counter[Asked] = Counter()
    for result, entry in changes(run):
        found.update(requests_of(result, entry, before))
    return found


def shown(run: HostRun, before: Before) -> Counter[str]:
    """What the diffs of a run say, without regard to the task and the wave: both sides of each entry or user."""
    found: Counter[str] = Counter()
    for result, entry in changes(run):
        was, after = entry["before"] or {}, entry["after"] or {}
        if result.action == f"{MODULE}per_user_mfa":
            found.update(f"{name}: {was.get(name)} to {state}" for name, state in after.items())
        elif not entry["after_header"].startswith(NOT_COMPARED):
            # A dry run sees the state from before the migration was begun where the run completes it.
            kept = {name: value for name, value in was.items() if name != "policy_migration_state"}
            # What is made has no id in a dry run.
            text = f"{entry['after_header']}: {kept} to {after}".replace("'id': None", f"'id': '{NEW}'")
            found[before.known(text)] += 1
    return found


def made(run: HostRun, before: Before) -> Counter[Asked]:
    """The writes in the journal, refused ones included, but for a pass that the tenant has no licence for: whether
    Graph makes one all the same is only known from trying."""
    asked = [
        (one.method, before.known(one.path))
        for one in run.journal
        if one.write and (one.wrote or not PASS.search(one.path))
    ]
    return Counter(asked)


def disagreements(trial: Trial) -> list[str]:
    """Where a dry run, the run and the one after it do not agree, in sentences. Nothing is as it should be."""
    dry, run, again = trial.predicted, trial.rerun, trial.once_more
    assert dry is not None
    assert run is not None
    assert again is not None
    before = Before(trial.before)
    promise = promised(dry, before)
    writes = Counter({asked: number for asked, number in made(run, before).items() if asked not in NOT_PROMISED})
    found: list[str] = []
    if run.failed and not dry.failed and UNREADABLE.search(run.verdict[1]):
        found += _differences("the run wrote and the dry run did not promise", writes - promise)
    elif dry.failed or run.failed:
        # A tenant that cannot be brought there: the dry run says so in the same words.
        if dry.verdict != run.verdict:
            found.append(f"the dry run ended with '{dry.verdict[1]}', the run with '{run.verdict[1]}'")
    else:
        found += _differences("the dry run shows and the run does not", shown(dry, before) - shown(run, before))
        found += _differences("the run shows and the dry run did not", shown(run, before) - shown(dry, before))
        found += _differences("the dry run promises and the run did not write", promise - writes)
        found += _differences("the run wrote and the dry run did not promise", writes - promise)
        if again.changed or made(again, before):
            found.append(f"the second run changed {again.changed} and wrote {dict(made(again, before))}")
    if made(dry, before):
        found.append(f"the dry run wrote {dict(made(dry, before))}")
    return found


def _differences(what: str, found: Iterable[Any]) -> Iterator[str]:
    for one in found:
        yield f"{what}: {one if isinstance(one, str) else ' '.join(one)}"
