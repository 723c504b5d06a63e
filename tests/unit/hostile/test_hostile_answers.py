# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module against answers that are wrong in one place: the truth, unknown or a clean error may come of it.

The tasks are those of tests/integration/targets; each of their answers, sign-in and $batch included, is changed in
every place. Some of these changes are tried in every run, all of them in the deep tests.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.unit.hostile.conftest import OpenTenant, Variables
from ansible_collections.zerotrust.m365.tests.unit.hostile.every_module import (
    MODULE_NAMES,
    RESOURCES,
    SCENARIOS,
    usual_tasks,
)
from ansible_collections.zerotrust.m365.tests.unit.hostile.judging import doubts, too_good, unclean, unwanted_changes
from ansible_collections.zerotrust.m365.tests.unit.hostile.mutations import Mutation, mutations
from ansible_collections.zerotrust.m365.tests.unit.hostile.replayed_tenant import (
    Change,
    ReplayedTenant,
    Sent,
    unchanged,
)
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import Answer

IN_EVERY_RUN, IN_DEEP_TESTS, WHILE_IT_WRITES = 6, 1000, 60
# What they read is the user's own choice, and shown as it comes.
RAW = {"graph_info", "graph_request"}
# What changes a tenant.
WRITERS = [name for name in MODULE_NAMES if name != "login" and not name.endswith("_info")]
# A change that is right though something is missing: Graph leaves these out, or writes null, where there is nothing.
EMPTY_WHERE_MISSING = {
    ("excludeGroups",),
    ("excludeUsers",),
    ("displayName",),
    ("includeTargets",),
    ("@odata.nextLink",),
}


class Trial:
    """A dry run whose answers are changed. ``truth`` is what comes of it when they are not."""

    def __init__(self, tenant: ReplayedTenant, module: str, options: Mapping[str, Any]) -> None:
        self.tenant = tenant
        self.module = module
        waits = "wait_timeout" in RESOURCES[module].options
        self.options = {**options, **({"wait_timeout": 0} if waits else {})}
        self.secrets = [tenant.simulation.first.application.client_secret]
        self.answers: list[tuple[Sent, Answer]] = []
        tenant.change = self._note
        self.truth = self._run()
        tenant.change = unchanged

    def mutations(self) -> list[tuple[Mutation, Any]]:
        found = []
        for number, (_sent, answer) in enumerate(self.answers):
            try:
                document = json.loads(answer.content)
            except ValueError:
                continue
            found += [(mutation, document) for mutation in mutations(number, document)]
        return found

    def faults(self, mutation: Mutation, document: Any) -> list[str]:
        self.tenant.change = self._changing(mutation, document)
        result = self._run()
        self.tenant.change = unchanged
        found = unclean(result, self.secrets)
        empty = mutation.what in ("missing", "null") and mutation.place[-1:] in EMPTY_WHERE_MISSING
        if self.module not in RAW and not empty:
            found += too_good(result, self.truth) + unwanted_changes(result, self.truth)
        if self.tenant.writes:
            found.append(f"a dry run sent {self.tenant.writes[0].method} {self.tenant.writes[0].url}")
        return found

    def _changing(self, mutation: Mutation, document: Any) -> Change:
        content = json.dumps(mutation.of(document)).encode()
        place = iter(range(len(self.answers) + 1000))

        def change(sent: Sent, answer: Answer) -> Answer:
            hit = next(place) == mutation.number and sent.url == self.answers[mutation.number][0].url
            return replace(answer, content=content) if hit else answer

        return change

    def _run(self) -> dict[str, Any]:
        return self.tenant.run(RESOURCES[self.module], self.options)

    def _note(self, sent: Sent, answer: Answer) -> Answer:
        self.answers.append((sent, answer))
        return answer


class WritingTrial(Trial):
    """The same of a run that writes, on the tenant as it was at the start. ``folder`` is where it keeps files."""

    def __init__(self, tenant: ReplayedTenant, module: str, options: Mapping[str, Any], folder: Path) -> None:
        self.folder = folder
        super().__init__(tenant, module, options)
        self.stays = not self._dry_run().get("changed")

    def faults(self, mutation: Mutation, document: Any) -> list[str]:
        self.tenant.change = self._changing(mutation, document)
        result = self._run()
        self.tenant.change = unchanged
        found = unclean(result, self.secrets)
        found += [str(one["sentence"]) for one in self.tenant.violations()]
        as_sure = not result.get("failed") and doubts(result) <= doubts(self.truth)
        if as_sure and self.stays and self._dry_run().get("changed"):
            found.append(f"called done, and is not: {result.get('msg')}")
        return found

    def _run(self) -> dict[str, Any]:
        self.tenant.start_again()
        for file in self.folder.iterdir():
            file.unlink()
        return self.tenant.run(RESOURCES[self.module], self.options, check_mode=False)

    def _dry_run(self) -> dict[str, Any]:
        self.tenant.forget()
        return self.tenant.run(RESOURCES[self.module], self.options)


def wrong_results(trial: Trial, tried: list[tuple[Mutation, Any]]) -> dict[str, list[str]]:
    found = {
        f"{trial.answers[mutation.number][0].url}: {mutation.place} is {mutation.what}": trial.faults(
            mutation, document
        )
        for mutation, document in tried
    }
    return {what: faults for what, faults in found.items() if faults}


def try_module(module: str, tenant: ReplayedTenant, variables: Mapping[str, Any], most: int) -> None:
    drawing = random.Random(module)  # noqa: S311 - the same in every run
    trials = [Trial(tenant, module, task.options) for task in usual_tasks(module, variables)]
    trials = [trial for trial in trials if trial.answers]
    assert trials
    for trial in trials:
        every = trial.mutations()
        wrong = wrong_results(trial, drawing.sample(every, min(most, len(every))))
        assert wrong == {}


@pytest.mark.parametrize("module", MODULE_NAMES)
def test_one_wrong_place(module: str, open_tenant: OpenTenant, variables: Variables) -> None:
    tenant = open_tenant(SCENARIOS[module])
    try_module(module, tenant, variables(tenant), IN_EVERY_RUN)


@pytest.mark.deep
@pytest.mark.parametrize("module", MODULE_NAMES)
def test_every_wrong_place(module: str, open_tenant: OpenTenant, variables: Variables) -> None:
    tenant = open_tenant(SCENARIOS[module])
    try_module(module, tenant, variables(tenant), IN_DEEP_TESTS)


@pytest.mark.deep
@pytest.mark.parametrize("module", WRITERS)
def test_one_wrong_place_while_it_writes(
    module: str, open_tenant: OpenTenant, variables: Variables, tmp_path: Path
) -> None:
    tenant = open_tenant(SCENARIOS[module])
    drawing = random.Random(module)  # noqa: S311 - the same in every run
    trials = [WritingTrial(tenant, module, task.options, tmp_path) for task in usual_tasks(module, variables(tenant))]
    trials = [trial for trial in trials if trial.truth.get("changed")]
    assert trials
    for trial in trials:
        every = trial.mutations()
        assert wrong_results(trial, drawing.sample(every, min(WHILE_IT_WRITES, len(every)))) == {}
