# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures as docs/benchmarks.md."""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ansible_collections.zerotrust.m365.tests.benchmarks import one_task, per_user_mfa
from ansible_collections.zerotrust.m365.tests.benchmarks.many_tenants import FanOut
from ansible_collections.zerotrust.m365.tests.benchmarks.measuring import Spread, ratios
from ansible_collections.zerotrust.m365.tests.benchmarks.requests_of_baseline import Requests
from ansible_collections.zerotrust.m365.tests.benchmarks.simulator import TENANTS, USERS, SimulatorCosts

NOT_REACHED = "**not reached**"
DISTRIBUTIONS = ("ansible-core", "msal", "requests", "urllib3")


@dataclass(frozen=True)
class Target:
    """A ratio of two cases, and what the median of its rounds should be."""

    above: str
    below: str
    wanted: float
    at_least: bool = False

    def row(self, costs: dict[str, list[float]]) -> list[str]:
        ratio = ratios(costs[self.above], costs[self.below])
        reached = ratio.median >= self.wanted if self.at_least else ratio.median <= self.wanted
        return [
            f"{self.above} / {self.below}",
            f"{'at least' if self.at_least else 'at most'} {self.wanted:g}",
            *(f"{value:.2f}" for value in (ratio.low, ratio.median, ratio.high)),
            "reached" if reached else NOT_REACHED,
        ]


TARGETS = (
    Target(one_task.ACTION, one_task.IDLE_ACTION, 3),
    Target(one_task.MODULE, one_task.ACTION, 6, at_least=True),
    Target(one_task.MODULE, one_task.IDLE_MODULE, 1.5),
    Target(one_task.ACTION_PUBLIC, one_task.IDLE_ACTION, 3),
    Target(one_task.MODULE_PUBLIC, one_task.ACTION_PUBLIC, 6, at_least=True),
    Target(one_task.MODULE_PUBLIC, one_task.IDLE_MODULE, 1.5),
)


SIMULATOR_HEADING = "## The simulator"


def document(
    costs: dict[str, list[float]],
    fan_out: FanOut,
    requests: Sequence[Requests],
    per_user_mfa_costs: per_user_mfa.Costs,
    simulator: SimulatorCosts,
) -> str:
    """Markdown. ``costs`` are CPU seconds per task, by case and round."""
    sections = [
        "# Benchmarks",
        about(),
        *one_converged_task(costs),
        *many_tenants(fan_out),
        *requests_made(requests),
        *per_user_mfa.sections(per_user_mfa_costs),
        *simulated(simulator),
    ]
    return "\n\n".join(sections) + "\n"


def with_simulator(text: str, simulator: SimulatorCosts) -> str:
    """An earlier document with new figures of the simulator, which stand at its end."""
    return text.partition(SIMULATOR_HEADING)[0].rstrip() + "\n\n" + "\n\n".join(simulated(simulator)) + "\n"


def with_per_user_mfa(text: str, costs: per_user_mfa.Costs) -> str:
    """An earlier document with new figures of per-user MFA, which stand before those of the simulator."""
    before, heading, simulator = text.partition(SIMULATOR_HEADING)
    before = before.partition(per_user_mfa.HEADING)[0].rstrip()
    return "\n\n".join([before, *per_user_mfa.sections(costs), f"{heading}{simulator}".rstrip()]) + "\n"


def about() -> str:
    """The machine and the versions."""
    libraries = ", ".join(f"{name} {version(name)}" for name in DISTRIBUTIONS)
    day = datetime.datetime.now(datetime.timezone.utc).date()
    return f"""\
`make bench` writes this file. Milliseconds of one machine say little about another: what counts are the ratios of cases
that took turns in the same run. No test asserts them.

Measured on {day} with {len(os.sched_getaffinity(0))} processors ({processor()}), Python {platform.python_version()},
{libraries}."""


def one_converged_task(costs: dict[str, list[float]]) -> list[str]:
    rounds = len(costs[one_task.ACTION])
    return [
        "## One converged task",
        f"""\
CPU milliseconds of a `security_defaults` task with a ready token that has nothing to change, in {rounds} rounds. It is
the user and system time of `ansible-playbook` and all its children: the difference of a play of {one_task.FEW} tasks
and one of {one_task.MANY_ACTIONS} (modules: {one_task.MANY_MODULES}), so that the start of Ansible is left out. The
simulator's work is not in it. With *public CAs* the CA file holds all that certifi carries, as for a real tenant;
otherwise only the simulator's own.""",
        table(
            ["case", "least", "median", "most"],
            ([case, *spread(values, 1000, 1)] for case, values in costs.items()),
        ),
        "The ratios of the rounds, each of figures of the same round:",
        table(
            ["ratio", "target", "least", "median", "most", "verdict"],
            (target.row(costs) for target in TARGETS),
        ),
    ]


def many_tenants(fan_out: FanOut) -> list[str]:
    token_requests = "reached" if fan_out.token_requests == {1} else NOT_REACHED
    return [
        "## Many tenants",
        f"""\
`baseline.yml` without its step `emergency_access` on {fan_out.tenants} simulated tenants that need no change, with
Ansible's usual five forks. Each tenant has {fan_out.tasks} tasks, {fan_out.own_tasks} of them the collection's own.
The start of Ansible is in it, and the simulator shares the processors; a real Graph answers more slowly and takes none
of them.""",
        table(
            ["case", "rounds", "tenants per minute: least", "median", "most", "CPU seconds per tenant: median"],
            (
                [case, str(len(values)), *spread(values, 1, 0), spread(fan_out.cpu_per_tenant[case], 1, 2)[1]]
                for case, values in fan_out.tenants_per_minute.items()
            ),
        ),
        f"""\
Each tenant was sent {listed(fan_out.requests)} HTTP requests, {listed(fan_out.token_requests)} of them for a token.
Target: exactly 1 token request per tenant, {token_requests}.""",
    ]


def requests_made(requests: Sequence[Requests]) -> list[str]:
    return [
        "## Requests",
        """\
`baseline.yml` on a tenant that needs no change. A `$batch` is one HTTP request; what it holds is counted apart. *Read
again* counts what an earlier task of the play had read too: a task trusts only what it has read itself. That no task
reads anything twice is asserted by the integration tests.""",
        table(
            [
                "scenario",
                "HTTP requests",
                "for a token",
                "OpenID metadata",
                "to Graph",
                "in $batch",
                "writes",
                "read again",
            ],
            ([f"`{one.scenario}`", *map(str, (one.over_http, *dataclasses.astuple(one)[1:]))] for one in requests),
        ),
    ]


def simulated(costs: SimulatorCosts) -> list[str]:
    day = datetime.datetime.now(datetime.timezone.utc).date()
    return [
        SIMULATOR_HEADING,
        f"""\
`tests/benchmarks/run.py --only-simulator` measures this and replaces this section. Tenants of the scenario `generated`
with seed 7, served by a process of its own over TLS; the start is until it listens. Measured on {day}, with a load of
{costs.load:.1f} before it began.""",
        table(
            ["figure", "target", "measured", "verdict"],
            (
                _limit(f"one tenant of {USERS:,} users: seconds to start", costs.large_start, 20, 1),
                ["the same in CPU seconds", "", f"{costs.large_cpu:.1f}", ""],
                _limit("a page of 999 of these users: milliseconds, median", costs.page * 1000, 150, 0),
                ["the same in CPU milliseconds of the simulator", "", f"{costs.page_cpu * 1000:.0f}", ""],
                _limit("peak memory of that process: MiB", costs.memory, 600, 0),
                [
                    f"{TENANTS} tenants with {costs.many_users:,} users together: seconds to start",
                    "",
                    f"{costs.many_start:.1f}",
                    "",
                ],
                ["the same in CPU seconds", "", f"{costs.many_cpu:.1f}", ""],
            ),
        ),
    ]


def _limit(figure: str, measured: float, most: float, digits: int) -> list[str]:
    verdict = "reached" if measured <= most else NOT_REACHED
    return [figure, f"at most {most:g}", f"{measured:.{digits}f}", verdict]


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _colon, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def spread(values: Sequence[float], factor: float, digits: int) -> list[str]:
    found = Spread.of(values)
    return [f"{value * factor:.{digits}f}" for value in (found.low, found.median, found.high)]


def listed(numbers: Iterable[int]) -> str:
    return " or ".join(str(number) for number in sorted(numbers))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column holds words, the others figures."""
    lines = [head, ["---", *("---:" for _unused in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
