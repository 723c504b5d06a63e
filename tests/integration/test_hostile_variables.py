# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every variable of every role with values that nobody should write: one clear error each, or none; never a write.

The variables come from the argument specs. Each host of one inventory is a case, so that a few runs try many.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, Tenant, writes
from ansible_collections.zerotrust.m365.tests.integration.test_modules import COLLECTION

IN_EVERY_RUN = 5
# Those whose runs are short. The others are tried in the deep tests.
SHORT_ROLES = ("per_user_mfa_retirement", "preflight", "security_defaults")
# Title of a window: what a terminal obeys, and no colour of Ansible's.
ESCAPE = "\x1b]0;zq7\x07"
NASTY = (
    f"zq7{ESCAPE}",
    "zq7' or displayName eq 'zq7",
    "zq7/../../beta/users?$filter=1#;%2f",
    "zq7\r\nAuthorization: Bearer x",
    "zq7\x00",
    "zq7\u202eabc\u2066",
    "zq7" + "A" * 5000,
    "",
    -1,
    10**30,
    ["zq7", {"zq7": [[["zq7"]]]}],
    {"zq7": {"zq7": None}},
)
UNREADABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LONGEST_MESSAGE = 4500


@dataclass(frozen=True)
class Entry:
    """A way into a role, and its options."""

    role: str
    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    entry: Entry
    option: tuple[str, ...]
    value: Any

    @property
    def variables(self) -> dict[str, Any]:
        """Of a list of dictionaries, the first has the wrong value; what else it must have is there."""
        specs = [self.entry.options]
        for name in self.option[:-1]:
            specs.append(specs[-1][name]["options"])
        value = self.value
        for place in range(len(self.option) - 1, 0, -1):
            required = {name: "zq7" for name, option in specs[place].items() if option.get("required")}
            holder = {**required, self.option[place]: value}
            value = [holder] if specs[place - 1][self.option[place - 1]]["type"] == "list" else holder
        return {self.option[0]: value}


def entries() -> list[Entry]:
    found = []
    for path in sorted((COLLECTION / "roles").glob("*/meta/argument_specs.yml")):
        for name, spec in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].items():
            found.append(Entry(path.parts[-3], name, spec.get("options") or {}))
    return found


def option_paths(options: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, option in options.items():
        yield (*above, name)
        yield from option_paths(option.get("options") or {}, (*above, name))


def all_cases(folder: Path) -> list[Case]:
    """Each option with each value; those that are paths also with what is no ordinary file or folder."""
    files = strange_files(folder)
    found = []
    for entry in entries():
        for option in option_paths(entry.options):
            found += [Case(entry, option, value) for value in NASTY]
            if option[-1].endswith(("_file", "folder")):
                found += [Case(entry, option, value) for value in files]
    return found


def strange_files(folder: Path) -> list[str]:
    (folder / "file").write_text("zq7", encoding="utf-8")
    (folder / "binary").write_bytes(bytes(range(256)))
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    with (folder / "huge").open("wb") as huge:
        huge.truncate(2**33)
    (folder / "folder").mkdir()
    return [str(folder / name) for name in ("file", "binary", "pipe", "loop", "huge", "folder", "missing/folder")]


class HostileRun:
    """One playbook over many hosts, each with its case; all of them are the same tenant."""

    def __init__(self, simulator: Simulator, tenant: Tenant, play: Play, folder: Path) -> None:
        self.simulator, self.tenant, self.play, self.folder = simulator, tenant, play, folder

    def run(self, cases: Mapping[str, Case], *options: str) -> PlaybookRun:
        for name in ("ledgers", "seals", "drills", "watch"):
            (self.folder / name).mkdir(exist_ok=True)
        usual = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "per_user_mfa_retirement_ledger_folder": str(self.folder / "ledgers"),
            "emergency_access_seal_folder": str(self.folder / "seals"),
            "emergency_access_drill_folder": str(self.folder / "drills"),
            "emergency_access_watch_state_folder": str(self.folder / "watch"),
            "emergency_access_vault_password": "a long vault password, kept elsewhere",
            "emergency_access_allow_unproven": True,
        }
        hosts = {name: case.variables for name, case in cases.items()}
        for name, case in cases.items():
            role = {"name": f"zerotrust.m365.{case.entry.role}", "tasks_from": case.entry.name}
            task = {"name": "Enter the role", "ansible.builtin.include_role": role}
            (self.folder / f"{name}.yml").write_text(yaml.safe_dump([task]), encoding="utf-8")
        inventory = self.folder / "inventory.yml"
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": usual}}), encoding="utf-8")
        playbook = self.folder / "playbook.yml"
        play = {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [{"name": "Try", "ansible.builtin.include_tasks": "{{ inventory_hostname }}.yml"}],
        }
        playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
        return self.play(
            playbook,
            *("--inventory", str(inventory), "--forks", "4", *options),
            door=None,
            environment={**self.simulator.environment(self.tenant), "ANSIBLE_DISPLAY_FAILED_STDERR": "false"},
        )

    def check(self, cases: Mapping[str, Case]) -> None:
        run = self.run(cases, "--check")
        assert "Traceback" not in run.output
        assert "This is a bug" not in run.output
        assert set(run.recap) == set(cases)
        wrong = {
            f"{name} ({cases[name].option} is {cases[name].value!r})": faults
            for name in cases
            if (faults := faults_of(run, name))
        }
        assert wrong == {}
        assert writes(self.simulator.journal()) == []


def faults_of(run: PlaybookRun, host: str) -> list[str]:
    failed = [one for one in run.results if one.host == host and one.failed and not one.ignored]
    if run.recap[host]["failures"] != len(failed) or len(failed) > 1:
        return [f"{len(failed)} errors: {[one.message for one in failed]}"]
    found = []
    for one in failed:
        if not one.message.strip():
            found.append(f"{one.task}: no message")
        if not one.action.startswith("zerotrust.m365."):
            continue  # Ansible itself quotes what its user wrote
        if len(one.message) > LONGEST_MESSAGE:
            found.append(f"{one.task}: a message of {len(one.message)} characters: {one.message[:300]}")
        if UNREADABLE.search(one.message):
            found.append(f"{one.task}: {one.message[:300]!r}")
    return found


def test_nonsense_in_some_variables(simulator: Simulator, play: Play, tmp_path: Path) -> None:
    cases = [case for case in all_cases(tmp_path) if case.entry.role in SHORT_ROLES]
    cases = random.Random(7).sample(cases, IN_EVERY_RUN)  # noqa: S311 - the same in every run
    hostile = HostileRun(simulator, simulator.tenant("legacy"), play, tmp_path)
    hostile.check({f"case{number}": case for number, case in enumerate(cases)})


@pytest.mark.deep
@pytest.mark.parametrize("entry", entries(), ids=lambda entry: f"{entry.role}-{entry.name}")
def test_nonsense_in_every_variable(entry: Entry, simulator: Simulator, play: Play, tmp_path: Path) -> None:
    cases = [case for case in all_cases(tmp_path) if case.entry == entry]
    cases = random.Random(7).sample(cases, min(25, len(cases)))  # noqa: S311 - the same in every run
    hostile = HostileRun(simulator, simulator.tenant("legacy"), play, tmp_path)
    hostile.check({f"case{number}": case for number, case in enumerate(cases)})


@pytest.mark.deep
@pytest.mark.parametrize("playbook", ["baseline", "emergency_access_watch"])
def test_nonsense_in_what_reaches_the_tenant(playbook: str, simulator: Simulator, play: Play, tmp_path: Path) -> None:
    """The variables `m365_*` of a playbook, each of which is an option of every module."""
    text = (COLLECTION / f"playbooks/{playbook}.yml").read_text(encoding="utf-8")
    variables = sorted(set(re.findall(r"\bm365_\w+", text)))
    assert len(variables) > 10
    cases = [(name, value) for name in variables for value in (*NASTY, *strange_files_of(name, tmp_path))]
    cases = random.Random(7).sample(cases, 40)  # noqa: S311 - the same in every run
    hosts = {f"case{number}": {name: value} for number, (name, value) in enumerate(cases)}
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    (tmp_path / "looks").mkdir()
    run = play(
        f"zerotrust.m365.{playbook}",
        *("--inventory", str(inventory), "--forks", "4", "--check"),
        door=None,
        environment=simulator.environment(simulator.tenant("legacy")),
        variables={
            "emergency_access_watch_state_folder": str(tmp_path / "looks"),
            "emergency_access_seal_folder": str(tmp_path / "looks"),
            "emergency_access_vault_password": "a long vault password, kept elsewhere",
        },
    )
    assert "Traceback" not in run.output
    assert "This is a bug" not in run.output
    assert set(run.recap) == set(hosts)
    for host, given in hosts.items():
        told = [one.message for one in run.of_collection(host) if one.failed]
        assert all(one and len(one) <= LONGEST_MESSAGE and not UNREADABLE.search(one) for one in told), (given, told)
    assert sum(one["failures"] for one in run.recap.values()) > len(hosts) / 2
    assert writes(simulator.journal()) == []


def strange_files_of(variable: str, folder: Path) -> list[str]:
    made = folder / variable
    made.mkdir()
    return strange_files(made) if variable.endswith(("_path", "_file")) else []
