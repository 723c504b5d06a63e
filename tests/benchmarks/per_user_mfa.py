# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What per-user MFA costs in large tenants: inventory, retirement under Graph's limit of writes, and a converged run.

Each figure is taken in a process of its own, which runs the resource as the action door does, or a bare loop of
requests. The simulator counts the requests.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(CHECKOUT / ".cache/collections"))

import requests
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.zerotrust.m365.plugins.module_utils._door import argument_spec
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.engine import execute
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import Resource
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import many_users
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.per_user_mfa import RESOURCE as PER_USER_MFA
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.per_user_mfa_info import RESOURCE as INVENTORY
from ansible_collections.zerotrust.m365.tests.benchmarks.measuring import BenchmarkFailed, ratios

MANY, FEWER, RETIRED = 100_000, 10_000, 10_000
PAGES = (
    "/v1.0/users?$select=id,userPrincipalName,accountEnabled,userType,onPremisesSyncEnabled,perUserMfaState&$top=999"
)
# Simulated seconds per second: Graph's limit of 3,000 writes in 150 seconds is one of 3,000 in 60. The simulator itself
# is not much faster than that.
TIME_SCALE = 2.5
LIMIT, SPAN = 3000, 150.0


# What runs in a process of its own


def bare_loop(address: Mapping[str, Any], _folder: Path) -> dict[str, Any]:
    """All pages, parsed and counted, and no more than that."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = address["ca_file"]
        session.headers["Authorization"] = f"Bearer {address['access_token']}"
        url, users = f"{address['graph_url']}{PAGES}", 0
        while url:
            body = session.get(url).json()
            users += len(body["value"])
            url = body.get("@odata.nextLink")
    return {"users": users}


def inventory(address: Mapping[str, Any], _folder: Path) -> dict[str, Any]:
    found = run(INVENTORY, address)["per_user_mfa"]
    if (found["completeness"], found["source"]) != ("known", "list"):
        raise BenchmarkFailed(str(found))
    return {"users": found["total"]}


def retirement(address: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Everybody's per-user MFA taken away, with the limit of writes as fast as the simulator's time goes."""
    many_users.SPAN = SPAN / TIME_SCALE
    result = run(
        PER_USER_MFA,
        address,
        state="disabled",
        all=True,
        settle_time=0,
        canary=5,
        ledger=str(folder / "ledger.jsonl"),
    )
    return {"users": result["per_user_mfa"]["changed"]}


def converged(address: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    result = run(PER_USER_MFA, address, state="disabled", all=True, ledger=str(folder / "ledger.jsonl"))
    if result["changed"]:
        raise BenchmarkFailed(str(result["per_user_mfa"]))
    return {"users": result["per_user_mfa"]["selected"]}


def run(resource_: Resource, address: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    given = {
        "graph_url": address["graph_url"],
        "login_url": address["login_url"],
        "ca_path": address["ca_file"],
        "tenant_id": address["tenant_id"],
        "access_token": address["access_token"],
        **options,
    }
    validation = ArgumentSpecValidator(argument_spec(resource_)).validate(given)
    result = execute(
        resource_,
        validation.validated_parameters,
        environment={},
        check_mode=False,
        warn=lambda _: None,
        secret=lambda _: None,
    )
    if validation.error_messages or result.get("failed"):
        raise BenchmarkFailed(str(validation.error_messages or result["msg"]))
    return result


PROGRAMS: dict[str, Callable[[Mapping[str, Any], Path], dict[str, Any]]] = {
    "bare": bare_loop,
    "inventory": inventory,
    "retirement": retirement,
    "converged": converged,
}


def child(program: str, folder: Path) -> None:
    """Prints the seconds, and the peak memory in MiB before and after."""
    address = json.loads((folder / "address.json").read_text(encoding="utf-8"))
    before, begun = peak_memory(), time.monotonic()
    told = PROGRAMS[program](address, folder)
    print(json.dumps({**told, "seconds": time.monotonic() - begun, "memory": peak_memory(), "memory_before": before}))


def peak_memory() -> float:
    """MiB. Unlike what getrusage tells, it begins anew with the program."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise BenchmarkFailed("The system does not tell the peak memory of a process.")


# What measures


@dataclass(frozen=True)
class Costs:
    """``inventory`` and ``bare`` are seconds by round; memory is MiB, peak, by number of users."""

    inventory: list[float]
    bare: list[float]
    inventory_requests: int
    memory: dict[int, float]
    retirement_seconds: float
    retirement_writes: int
    throttled: int
    ledger_is_exact: bool
    all_disabled: bool
    converged_seconds: float
    converged_requests: int
    converged_writes: int

    @property
    def allowed_seconds(self) -> float:
        """The least in which the limit lets so many writes through: a span for every 3,000 that others follow."""
        return ((self.retirement_writes - 1) // LIMIT) * SPAN / TIME_SCALE

    @property
    def rate(self) -> float:
        """The part of the allowed rate."""
        return self.allowed_seconds / self.retirement_seconds


class Tenant:
    """A simulator with one large tenant."""

    def __init__(self, folder: Path, ready: Mapping[str, Any]) -> None:
        self.folder, self._ready = folder, ready
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ready["ca_file"]
        form = {
            "grant_type": "client_credentials",
            "client_id": ready["client_id"],
            "client_secret": ready["client_secret"],
            "scope": f"{ready['graph_url']}/.default",
        }
        token = self._session.post(f"{ready['login_url']}/{ready['tenant_id']}/oauth2/v2.0/token", data=form)
        names = ("graph_url", "login_url", "ca_file", "tenant_id")
        address = {**{name: ready[name] for name in names}, "access_token": token.json()["access_token"]}
        (folder / "address.json").write_text(json.dumps(address), encoding="utf-8")

    def run(self, program: str) -> dict[str, Any]:
        command = [sys.executable, __file__, program, str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchmarkFailed(done.stderr)
        told: dict[str, Any] = json.loads(done.stdout)
        print(f"{program}: {told}", flush=True)
        return told

    def journal(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._admin("GET", "/journal")
        return [entry for entry in found if entry["version"]]

    def forget(self) -> None:
        self._admin("DELETE", "/journal")

    def states(self) -> list[str]:
        return [user["perUserMfaState"] for user in self._admin("GET", "/state")["objects"]["user"]]

    def _admin(self, method: str, path: str) -> Any:
        return self._session.request(method, f"{self._ready['admin_url']}{path}").json()


@contextmanager
def simulated(users: int, *, throttled: bool = False) -> Iterator[Tenant]:
    """Security defaults on, and per-user MFA of everybody enforced."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        scenario: dict[str, Any] = {
            "description": "Many people, all with per-user MFA.",
            "tenant": {"display_name": "Large", "initial_domain": "large", "age_days": 1000},
            "security_defaults": {"enabled": True},
            "people": {
                "named": [{"name": "Ada Jansen", "roles": ["Global Administrator"], "per_user_mfa": "enforced"}],
                "generated": {"count": users - 1, "registered": 1.0, "per_user_mfa": {"enforced": 1.0}},
            },
        }
        (folder / "large.yml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
        plan = {"time_scale": TIME_SCALE, "limits": {"writes": LIMIT}} if throttled else {}
        (folder / "plan.yml").write_text(yaml.safe_dump(plan), encoding="utf-8")
        command = [sys.executable, "-m", "m365_simulator", "serve", "--ready-file", str(folder / "ready.json")]
        command += ["--scenario", str(folder / "large.yml"), *(["--faults", str(folder / "plan.yml")] if plan else [])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            if not said.startswith("Simulating"):
                raise BenchmarkFailed(f"The simulator did not start: {said}")
            yield Tenant(folder, json.loads((folder / "ready.json").read_text(encoding="utf-8")))
        finally:
            process.terminate()
            process.communicate(timeout=60)


def costs_of_per_user_mfa(rounds: int) -> Costs:
    seconds: dict[str, list[float]] = {"bare": [], "inventory": []}
    memory: dict[int, float] = {}
    with simulated(MANY) as tenant:
        tenant.run("bare")
        tenant.forget()
        for _unused in range(rounds):
            for program in ("bare", "inventory"):
                seconds[program].append(tenant.run(program)["seconds"])
        memory[MANY] = tenant.run("inventory")["memory"]
        sent = [entry for entry in tenant.journal() if entry["batch"] is None]
        bare = [entry for entry in sent if entry["path"] == "/users"]
        inventory_requests = (len(sent) - len(bare)) // (rounds + 1) + len(bare) // (2 * rounds + 1)
    with simulated(FEWER) as tenant:
        memory[FEWER] = tenant.run("inventory")["memory"]
    return _of_retirement(seconds, inventory_requests, memory)


def _of_retirement(seconds: Mapping[str, list[float]], inventory_requests: int, memory: dict[int, float]) -> Costs:
    with simulated(RETIRED, throttled=True) as tenant:
        told = tenant.run("retirement")
        patches = [entry for entry in tenant.journal() if entry["method"] == "PATCH"]
        accepted = [entry["path"] for entry in patches if entry["wrote"]]
        ledger = (tenant.folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
        entries = [json.loads(line) for line in ledger]
        exact = all(
            sorted(one["id"] for one in entries if one["event"] == event)
            == sorted(path.split("/")[2] for path in accepted)
            for event in ("change", "changed")
        ) and {(one["before"], one["left"]) for one in entries} == {("enforced", "disabled")}
        states = set(tenant.states())
        tenant.forget()
        again = tenant.run("converged")
        journal = tenant.journal()
    return Costs(
        inventory=seconds["inventory"],
        bare=seconds["bare"],
        inventory_requests=inventory_requests,
        memory=memory,
        retirement_seconds=told["seconds"],
        retirement_writes=len(accepted),
        throttled=sum(entry["status"] == 429 for entry in patches),
        ledger_is_exact=exact and len(set(accepted)) == len(accepted),
        all_disabled=states == {"disabled"},
        converged_seconds=again["seconds"],
        converged_requests=sum(entry["batch"] is None for entry in journal),
        converged_writes=sum(entry["wrote"] for entry in journal),
    )


# What is told


def sections(costs: Costs) -> list[str]:
    """Of docs/benchmarks.md."""
    loop = ratios(costs.inventory, costs.bare)
    growth = costs.memory[MANY] / costs.memory[FEWER]
    sound = costs.ledger_is_exact and costs.all_disabled and costs.retirement_writes == RETIRED
    rows = [
        _row(
            f"inventory of {MANY:,} users: requests",
            f"at most {_most_pages()}",
            costs.inventory_requests,
            _most_pages(),
        ),
        _row("its seconds / those of a bare loop over the same pages, median", "at most 1.3", loop.median, 1.3),
        _row(f"its peak memory / that with {FEWER:,} users", "at most 1.5", growth, 1.5),
        [
            f"retirement of {RETIRED:,} users: part of the write rate that the limit allows",
            "at least 0.9",
            f"{costs.rate:.2f}",
            _verdict(costs.rate >= 0.9),
        ],
        ["no write lost or doubled, and the ledger exact", "yes", "yes" if sound else "no", _verdict(sound)],
        ["writes that were throttled meanwhile", "", str(costs.throttled), ""],
        _row(f"a converged run over {RETIRED:,} users: writes", "0", costs.converged_writes, 0),
        _row("its requests", f"at most {_most_requests()}", costs.converged_requests, _most_requests()),
    ]
    lines = ["| figure | target | measured | verdict |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return [
        HEADING,
        f"""\
The modules `per_user_mfa_info` and `per_user_mfa` against one simulated tenant, run as the action door does in a
process of their own. The simulator keeps to Graph's limit of {LIMIT:,} writes in {SPAN:.0f} seconds, in a time that
goes {TIME_SCALE:g} times as fast.""",
        "\n".join(lines),
    ]


HEADING = "## Per-user MFA"


def _most_pages() -> int:
    return 2 * -(-MANY // 1000) + 5


def _most_requests() -> int:
    """Pages of 999, and one batch for the sample."""
    return -(-RETIRED // 999) + 1


def _row(figure: str, target: str, measured: float, most: float) -> list[str]:
    shown = str(measured) if isinstance(measured, int) else f"{measured:.2f}"
    return [figure, target, shown, _verdict(measured <= most)]


def _verdict(reached: bool) -> str:
    return "reached" if reached else "**not reached**"


if __name__ == "__main__":
    child(sys.argv[1], Path(sys.argv[2]))
