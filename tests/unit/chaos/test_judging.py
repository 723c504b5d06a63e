# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule by which a run under faults is judged: what it lets pass, and that it sees what it is for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.chaos.cases import WAYS, draw_case, without_faults
from ansible_collections.zerotrust.m365.tests.chaos.judging import complaints
from ansible_collections.zerotrust.m365.tests.chaos.predictions import disagreements
from ansible_collections.zerotrust.m365.tests.chaos.trials import HostRun, Trial
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import TaskResult
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Request, Tenant, Violation

TENANT = Tenant("tenant", "application", "the client's secret", "", "seed1", "contoso.onmicrosoft.com")
ANNA = {"id": "1", "userPrincipalName": "anna@contoso.com", "perUserMfaState": "enforced", "_private": {}}
REQUIREMENTS = "/users/1/authentication/requirements"
SEAL = {"secret": "correct horse battery staple", "state": "live"}
DIGEST = hashlib.sha256(b"2:correct horse battery staple").hexdigest()
BREAK_GLASS = {
    "id": "2",
    "userPrincipalName": "breakglass1@contoso.com",
    "perUserMfaState": "disabled",
    "_private": {"passwordDigest": DIGEST},
}


def state(*users: dict[str, Any], **objects: list[dict[str, Any]]) -> dict[str, Any]:
    return {"objects": {"user": list(users), **objects}, "memberships": []}


def task(action: str = "zerotrust.m365.security_defaults", failed: bool = False, **result: Any) -> TaskResult:
    return TaskResult("seed1", "A task", action, result.pop("changed", False), failed, False, False, result)


def request(method: str, path: str, wrote: bool = True) -> Request:
    return Request(1, "", method, path, "v1.0", "", 204, None, "tenant", wrote, None, None)


def run(*results: TaskResult, journal: tuple[Request, ...] = (), said: str = "", **recap: int) -> HostRun:
    failures = sum(one.failed for one in results)
    changed = sum(one.changed for one in results)
    counts = {"failures": failures, "unreachable": 0, "changed": changed, **recap}
    return HostRun(list(results), [], counts, list(journal), said)


def trial(playbook: str = "migrate_per_user_mfa_in_short", **happened: Any) -> Trial:
    """One that ended well, but for what ``happened``."""
    well: dict[str, Any] = {"before": state(ANNA), "after": state(ANNA), "faulted": run(), "rerun": run()}
    return Trial(draw_case(1, playbook), TENANT, Path(), **{**well, **happened})


def test_a_run_that_ended_well() -> None:
    assert complaints(trial()) == []


def test_a_clear_error_and_a_good_rerun() -> None:
    assert complaints(trial(faulted=run(task(failed=True, msg="Microsoft Graph answered 503.")))) == []


@pytest.mark.parametrize(("told", "wrong"), [("Microsoft Graph answered 503.", 0), ("KeyError: 'id'", 1)])
def test_the_items_of_a_loop_say_what_failed(told: str, wrong: int) -> None:
    loop = replace(run(task(failed=True, msg="One or more items failed")), items=[task(failed=True, msg=told)])
    assert len(complaints(trial(faulted=loop))) == wrong


def test_the_same_verdict_as_on_the_tenant_as_it_was() -> None:
    def refused(request: str) -> HostRun:
        return run(task(failed=True, msg=f"Classic policies are enabled. (request-id {request})"))

    assert complaints(trial(rerun=refused("a"), pristine=refused("b"))) == []


def test_an_emergency_account_whom_nothing_asks_any_more() -> None:
    found = Violation("mfa_protection", "tenant", ["2"], 1, "After a write.", 1, {})
    made = trial("emergency_access", after=state(ANNA, BREAK_GLASS), seals={"breakglass1": SEAL}, violations=[found])
    assert complaints(made) == []


LOST = {**ANNA, "perUserMfaState": "disabled"}
LINE = {"event": "change", "id": "1", "before": "enforced"}
GROUP = {"displayName": "Emergency access"}
WRITE = request("PATCH", REQUIREMENTS)
WRONG: dict[str, tuple[Callable[[], Trial], str]] = {
    "no end": (lambda: trial(faulted=HostRun([], [], {}, [], "")), "did not reach its end"),
    "unreachable": (lambda: trial(faulted=run(unreachable=1)), "unreachable"),
    "exception": (
        lambda: trial(faulted=run(task(failed=True, msg="It broke.", exception="Traceback ..."))),
        "ended in an exception",
    ),
    "failed without a task": (lambda: trial(faulted=run(failures=1)), "no task did"),
    "unclear": (lambda: trial(faulted=run(task(failed=True, msg="KeyError: 'id'"))), "unclear words 'KeyError'"),
    "all items": (lambda: trial(faulted=run(task(failed=True, msg="One or more items failed"))), "unclear words"),
    "silent": (lambda: trial(faulted=run(task(failed=True, msg=" "))), "message of 1 characters"),
    "endless": (lambda: trial(faulted=run(task(failed=True, msg="very " * 999))), "message of 4995 characters"),
    "stuck": (lambda: trial(rerun=run(task(failed=True, msg="No."))), "did not converge: No."),
    "stuck, where it would not be": (
        lambda: trial(rerun=run(task(failed=True, msg="No.")), pristine=run()),
        "as it was: it succeeds",
    ),
    "stuck elsewhere": (
        lambda: trial(
            rerun=run(task(failed=True, msg="No.")), pristine=run(task(failed=True, msg="Classic policies."))
        ),
        "as it was: Classic policies.",
    ),
    "not run again": (lambda: trial(rerun=None), "was not run again"),
    "never done": (
        lambda: trial(rerun=run(task(changed=True)), once_more=run(task(changed=True))),
        "one run more changed 1 tasks: A task",
    ),
    "changes in secret": (
        lambda: trial(rerun=run(journal=(request("POST", "/groups"),))),
        "a run that changed nothing wrote: POST /groups",
    ),
    "a rule was broken": (
        lambda: trial(violations=[Violation("way_in", "tenant", ["1"], 1, "Anna lost it.", 1, {})]),
        "way_in: Anna lost it.",
    ),
    "somebody lost MFA": (
        lambda: trial(violations=[Violation("mfa_protection", "tenant", ["1"], 1, "Anna lost it.", 1, {})]),
        "mfa_protection: Anna lost it.",
    ),
    "more lost MFA than are named": (
        lambda: trial(
            "emergency_access",
            after=state(ANNA, BREAK_GLASS),
            seals={"breakglass1": SEAL},
            violations=[Violation("mfa_protection", "tenant", ["2"], 21, "All lost it.", 1, {})],
        ),
        "mfa_protection: All lost it.",
    ),
    "a group too many": (lambda: trial(after=state(ANNA, group=[GROUP, GROUP])), "2 times there, and 0 times before"),
    "an account too many": (lambda: trial(after=state(ANNA, {**ANNA, "id": "3"})), "2 times there, and 1 times"),
    "not in the ledger": (lambda: trial(faulted=run(journal=(WRITE,))), f"PATCH {REQUIREMENTS} is not in the ledger"),
    "lost without a ledger": (lambda: trial(after=state(LOST)), "was enforced, and the ledger says []"),
    "another state in the ledger": (
        lambda: trial(after=state(LOST), ledger=[{**LINE, "before": "enabled"}]),
        "was enforced, and the ledger says ['enabled']",
    ),
    "nobody asked for it": (
        lambda: trial("baseline", faulted=run(journal=(WRITE,))),
        f"PATCH {REQUIREMENTS}: nobody asked for it",
    ),
    "no seal": (lambda: trial("emergency_access", after=state(ANNA, BREAK_GLASS)), "nobody holds the password"),
    "another password": (
        lambda: trial(
            "emergency_access", after=state(ANNA, BREAK_GLASS), seals={"breakglass1": {**SEAL, "secret": "wrong"}}
        ),
        "is not the sealed one",
    ),
    "a seal that is pending": (
        lambda: trial(
            "emergency_access", after=state(ANNA, BREAK_GLASS), seals={"breakglass1": {**SEAL, "state": "pending"}}
        ),
        "the seal of breakglass1 says pending",
    ),
    "a seal without an account": (
        lambda: trial("emergency_access", seals={"breakglass1": SEAL}),
        "the seal breakglass1 has no account",
    ),
    "a pass that nobody holds": (
        lambda: trial(
            "emergency_access",
            after=state(ANNA, {**BREAK_GLASS, "_private": {"passwordDigest": DIGEST, "temporaryAccessPass": {}}}),
            seals={"breakglass1": SEAL},
        ),
        "nobody holds the Temporary Access Pass",
    ),
    "a secret": (lambda: trial(rerun=run(said="it is dGhlIGNsaWVudCdzIHNlY3JldA")), "a secret was shown"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_seen(name: str) -> None:
    make, words = WRONG[name]
    (found,) = complaints(make())
    assert words in found


def test_what_is_in_the_ledger_may_be_changed() -> None:
    assert complaints(trial(after=state(LOST), ledger=[LINE], faulted=run(journal=(WRITE,)))) == []


# A dry run against the run

USERS = {
    "before": {"anna@contoso.com": "enforced"},
    "after": {"anna@contoso.com": "disabled"},
    "after_header": "states",
}
DEFAULTS = {"before": {"enabled": False}, "after": {"enabled": True}, "after_header": "security defaults"}
WRITES = (request("PATCH", "/policies/identitySecurityDefaultsEnforcementPolicy"), WRITE)


def changing(*journal: Request, users: bool = True, defaults: bool = True) -> HostRun:
    results = [task(changed=True, diff=[DEFAULTS])] if defaults else []
    results += [task("zerotrust.m365.per_user_mfa", changed=True, diff=[USERS])] if users else []
    return run(*results, journal=journal)


def compared(dry: HostRun, done: HostRun, again: HostRun) -> list[str]:
    return disagreements(trial(predicted=dry, rerun=done, once_more=again))


def test_a_dry_run_that_was_right() -> None:
    assert compared(changing(), changing(*WRITES), run()) == []


@pytest.mark.parametrize(
    ("dry", "done", "again", "words"),
    [
        (changing(users=False), changing(*WRITES), run(), "the run shows and the dry run did not: anna@contoso.com"),
        (changing(), changing(*WRITES, users=False), run(), "the dry run shows and the run does not: anna@contoso.com"),
        (changing(), changing(WRITE), run(), "the run did not write: PATCH /policies/identitySecurityDefaults"),
        (changing(), changing(*WRITES, WRITE), run(), f"the dry run did not promise: PATCH {REQUIREMENTS}"),
        (changing(*WRITES), changing(*WRITES), run(), "the dry run wrote"),
        (changing(), changing(*WRITES), changing(), "the second run changed 2"),
        (changing(), changing(*WRITES), run(journal=WRITES), "the second run changed 0 and wrote"),
        (run(), run(task(failed=True, msg="No.")), run(), "the dry run ended with '', the run with 'No.'"),
        (run(task(failed=True, msg="No.")), changing(*WRITES), run(), "the dry run ended with 'No.', the run with ''"),
    ],
)
def test_a_dry_run_that_was_wrong_is_seen(dry: HostRun, done: HostRun, again: HostRun, words: str) -> None:
    assert any(words in found for found in compared(dry, done, again))


def test_what_cannot_be_read_may_stop_the_run_after_what_was_promised() -> None:
    words = "You must disable Classic policies before enabling Security Defaults."
    stopped = task(failed=True, msg=words)
    assert compared(changing(), run(stopped, journal=WRITES), run()) == []
    (found,) = compared(changing(users=False), run(stopped, journal=WRITES), run())
    assert found == f"the run wrote and the dry run did not promise: PATCH {REQUIREMENTS}"


def test_both_refuse() -> None:
    refused = run(task(failed=True, msg="No."))
    assert compared(refused, refused, refused) == []


# What is drawn


def test_a_seed_is_the_same_every_time_and_no_other() -> None:
    assert draw_case(7) == draw_case(7)
    assert len({str(draw_case(seed).faults) for seed in range(200)}) == 200
    assert {draw_case(seed).playbook for seed in range(300)} == set(WAYS)


def test_people_may_only_be_locked_out_where_somebody_takes_that_risk_or_graph_does_not_show_it() -> None:
    for case in map(draw_case, range(300)):
        assumptions = case.scenario["assumptions"]
        takes_it = "no_way_in" in case.variables["security_defaults_accept_risks"]
        if takes_it or assumptions.keys() & {"legacy_verification_options", "registered_software_token"}:
            assert assumptions["registration_in_place_of_lost_method"] == "yes"
    drawn = [
        case.scenario["assumptions"].get("registration_in_place_of_lost_method") for case in map(draw_case, range(300))
    ]
    assert drawn.count(None) > 50


def test_a_dry_run_meets_no_fault_and_nothing_that_cannot_be_read() -> None:
    hidden = next(
        case
        for case in map(draw_case, range(999))
        if "security_defaults_hidden_blocker" in case.scenario["assumptions"]
    )
    shown = without_faults(hidden)
    assert shown.faults == {}
    assert "security_defaults_hidden_blocker" not in shown.scenario["assumptions"]
