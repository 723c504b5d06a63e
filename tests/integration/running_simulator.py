# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""m365-simulator in a process of its own, and what its journal says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from ansible_collections.zerotrust.m365.tests.contract.watching import Recorded, fail_on

SECONDS_TO_START = 120
SECONDS_TO_STOP = 10
WRITE_VERBS = ("POST", "PATCH", "PUT", "DELETE")


@dataclass(frozen=True)
class Tenant:
    """A simulated tenant, and how its application signs in."""

    tenant_id: str
    client_id: str
    client_secret: str
    certificate_path: str
    scenario: str
    initial_domain: str


@dataclass(frozen=True)
class Request:
    """One line of the journal. ``version`` is None for sign-in; ``batch`` is the number of the $batch around it;
    ``fault`` names what the simulator did to it."""

    number: int
    time: str
    method: str
    path: str
    version: str | None
    query: str
    status: int | None
    app: str | None
    tenant: str | None
    wrote: bool
    batch: int | None
    fault: str | None

    @property
    def sign_in(self) -> bool:
        return self.version is None

    def concerns(self, tenant: Tenant) -> bool:
        """Whether it is of this tenant; a sign-in that was refused belongs to nobody, but names it in its path."""
        return tenant.tenant_id in (self.tenant, self.path.split("/")[1])

    @property
    def write(self) -> bool:
        """Whether it asked for a change, granted or not; a $batch counts by what is in it."""
        return not self.sign_in and self.method in WRITE_VERBS and self.path != "/$batch"


@dataclass(frozen=True)
class Violation:
    """A rule of the simulator's watch that a write has broken; ``line`` is that write in the journal."""

    rule: str
    tenant: str | None
    users: list[str]
    count: int
    sentence: str
    journal: int
    line: dict[str, Any]


class Simulator:
    """A running simulator with one tenant for each of the scenarios, which are names or files.

    ``options`` are more of its own on the command line. With ``record``, `held_to_schema` sees its exchanges.
    """

    def __init__(self, folder: Path, scenarios: Sequence[str], *options: str, record: bool = False) -> None:
        self._ready_file = folder / "ready.json"
        self._log = folder / "simulator.log"
        exchanges = folder / "exchanges.jsonl"
        command: list[str | Path] = [Path(sys.executable).parent / "m365-simulator", "serve"]
        command += [word for scenario in scenarios for word in ("--scenario", scenario)]
        command += ["--port", "0", "--ready-file", self._ready_file, "--managed-identity-port", "0", *options]
        command += ["--exchanges", exchanges] if record else []
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            ready = self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self.graph_url: str = ready["graph_url"]
        self.login_url: str = ready["login_url"]
        self.ca_file: str = ready["ca_file"]
        self.managed_identity = {
            "IDENTITY_ENDPOINT": ready["managed_identity_endpoint"],
            "IDENTITY_HEADER": ready["managed_identity_header"],
        }
        self.tenants = [Tenant(**{name: one[name] for name in Tenant.__annotations__}) for one in ready["tenants"]]
        self._admin_url: str = ready["admin_url"]
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = self.ca_file
        self._violations: list[Violation] = []
        self._expected: list[tuple[str, Tenant]] = []
        self._exchanges = Recorded(exchanges)
        self._wrong_requests: list[str] = []

    def _wait_until_ready(self) -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._ready_file.exists():
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                how = "did not start in time" if ended is None else f"ended with {ended}"
                raise RuntimeError(f"The simulator {how}:\n{self._log.read_text(encoding='utf-8')}")
            time.sleep(0.05)
        ready: dict[str, Any] = json.loads(self._ready_file.read_text(encoding="utf-8"))
        return ready

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def memory(self) -> int:
        """In bytes, what it has of it now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        return 1024 * int(status.partition("VmRSS:")[2].split()[0])

    def tenant(self, scenario: str) -> Tenant:
        """The first tenant of a scenario."""
        return self.tenants_of(scenario)[0]

    def tenants_of(self, scenario: str) -> list[Tenant]:
        return [tenant for tenant in self.tenants if tenant.scenario == scenario]

    # What the tests ask of it

    def reset(self) -> None:
        """All tenants as they were at the start, no faults, the right time, and an empty journal."""
        self._keep_violations()
        self._admin("POST", "/reset")

    def reset_tenant(self, tenant: Tenant) -> None:
        """One tenant as it was at the start; journal, time and faults stay."""
        self._admin("POST", "/reset", {"tenant": tenant.tenant_id})

    # What its watch says

    def violations(self) -> list[Violation]:
        """Since the run was announced."""
        return [Violation(**one) for one in self._admin("GET", "/violations")["violations"]]

    def announce_run(self, *, check_mode: bool, emergency_accounts: Iterable[str] = ()) -> None:
        """What is there now is what the watch holds the following writes against; in check mode there may be none."""
        self._keep_violations()
        self._admin("POST", "/run", body={"check_mode": check_mode, "emergency_accounts": list(emergency_accounts)})

    def expects_violation(self, rule: str, tenant: Tenant) -> None:
        """This test breaks a rule on purpose; it fails unless that happens."""
        self._expected.append((rule, tenant))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """As at the start, for one test. Fails on a violation that was not expected, and on one that did not come."""
        self.reset()
        self._violations, self._expected = [], []
        yield
        self._keep_violations()
        expected = {(rule, tenant.tenant_id) for rule, tenant in self._expected}
        surprises = [one for one in self._violations if (one.rule, one.tenant) not in expected]
        assert not surprises, "\n".join(f"{one.rule}: {one.sentence}" for one in surprises)
        assert expected == {(one.rule, one.tenant) for one in self._violations}, "A violation did not come."

    # What Microsoft's schema says

    def expects_wrong_request(self, path: str) -> None:
        """This test sends, on purpose, what Microsoft's schema does not have; it fails unless that happens.

        ``path`` is a regular expression for the whole of ``METHOD /version/path``.
        """
        self._wrong_requests.append(path)

    @contextmanager
    def held_to_schema(self) -> Iterator[None]:
        """Fails on a request or an answer, since the start of this test, that is not as Microsoft's schema has it."""
        self._wrong_requests = []
        yield
        wrong = [re.compile(path) for path in self._wrong_requests]
        findings: list[str] = []
        met: set[str] = set()
        for verdict in self._exchanges.new():
            matching = [path.pattern for path in wrong if path.fullmatch(verdict.what)]
            findings += verdict.answer if matching else verdict.request + verdict.answer
            met.update(matching if verdict.request else ())
        fail_on(findings)
        assert met == set(self._wrong_requests), "A wrong request did not come."

    def _keep_violations(self) -> None:
        """Before the simulator forgets them."""
        self._violations += self.violations()

    def forget(self) -> None:
        """Empty the journal."""
        self._admin("DELETE", "/journal")

    def journal(self, tenant: Tenant | None = None) -> list[Request]:
        """Every request since the last ``forget``, in order; of one tenant, or of all."""
        requests = [Request(**line) for line in self._admin("GET", "/journal")]
        return [request for request in requests if tenant is None or request.concerns(tenant)]

    def state(self, tenant: Tenant) -> Any:
        return self._admin("GET", "/state", parameters={"tenant": tenant.tenant_id})

    def tokens(self) -> list[str]:
        """The last access tokens that were issued, to anybody."""
        found: list[str] = self._admin("GET", "/tokens")
        return found

    def federated_token(self, tenant: Tenant) -> str:
        """What the identity provider that the tenant's application trusts would put into a file."""
        answer = self._admin("POST", "/federated_token", parameters={"tenant": tenant.tenant_id}, body={})
        token: str = answer["token"]
        return token

    def assume(self, tenant: Tenant, assumptions: Mapping[str, str]) -> None:
        """Settle for one tenant what no public source settles."""
        self._admin("POST", "/assumptions", parameters={"tenant": tenant.tenant_id}, body=dict(assumptions))

    def fail(self, path: str, status: int | str, **more: Any) -> None:
        """Make a coming request fail. ``path`` is a regular expression; see the simulator's README for the rest."""
        self._admin("POST", "/faults", body={"path": path, "status": status, **more})

    def strike(self, **fault: Any) -> None:
        """Put one fault in force, with the keys of a plan of faults."""
        self._admin("POST", "/faults", body=fault)

    def plan(self, tenant: Tenant, faults: Mapping[str, Any]) -> None:
        """Give one tenant a plan of faults of its own."""
        self._admin("POST", "/faults/plan", {"tenant": tenant.tenant_id}, dict(faults))

    def hold(self, tenant: Tenant, after: int = 0, **fault: Any) -> None:
        """Let a request wait, with the keys of a plan of faults: by default the one after so many of this tenant."""
        self.strike(**{"path": ".", "kind": "hold", "tenant": tenant.tenant_id, "after": after, **fault})

    def held(self, wanted: int = 0, seconds: float = 30) -> list[dict[str, Any]]:
        """The requests that wait, once there are so many, or after so many seconds."""
        found: list[dict[str, Any]] = self._admin("GET", "/held", {"wanted": wanted, "seconds": min(seconds, 25)})
        return found

    def release(self, tenant: Tenant | None = None, *, drop: bool = False) -> None:
        """Requests that wait go on, of one tenant or of all; or their connections are closed, and what had not taken
        effect never does."""
        of_one = {} if tenant is None else {"tenant": tenant.tenant_id}
        self._admin("DELETE", "/held", {"drop": "true" if drop else "false", **of_one})

    def heal(self) -> None:
        """No faults any more, and all writes are visible."""
        self._admin("DELETE", "/faults")

    def register(self, tenant: Tenant, user: str, methods: list[str]) -> None:
        """A user, by id or principal name, registers methods."""
        self._admin("POST", f"/users/{user}/register", {"tenant": tenant.tenant_id}, {"methods": methods})

    def sign_in_by(self, tenant: Tenant, user: str, **attempt: Any) -> dict[str, Any]:
        """A user, by id or principal name, signs in to a portal. Returns the entry of the sign-in log."""
        body = {"application": "MicrosoftAdminPortals", **attempt}
        answer = self._admin("POST", f"/users/{user}/sign_in", {"tenant": tenant.tenant_id}, body)
        entry: dict[str, Any] = answer["entry"]
        return entry

    def change_application(self, tenant: Tenant, **changed: Any) -> None:
        """``permissions``, ``enabled``, ``secret_valid_days`` (negative: expired) of a tenant's application."""
        self._admin("POST", "/application", {"tenant": tenant.tenant_id}, changed)

    def advance(self, seconds: float) -> None:
        """Set the simulator's clock forward; ``reset`` sets it right."""
        self._admin("POST", "/clock", body={"advance_seconds": seconds})

    def change(self, tenant: Tenant, method: str, path: str, body: Any = None, version: str = "v1.0") -> None:
        """Do to the tenant what somebody else might, by the permissions of its application."""
        answer = self._session.request(
            method,
            f"{self.graph_url}/{version}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.access_token(tenant)}"},
            timeout=30,
        )
        answer.raise_for_status()

    def _admin(self, method: str, path: str, parameters: Any = None, body: Any = None) -> Any:
        answer = self._session.request(method, self._admin_url + path, params=parameters, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    # Signing in without the collection

    def access_token(self, tenant: Tenant) -> str:
        answer = self._session.post(
            f"{self.login_url}/{tenant.tenant_id}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": tenant.client_id,
                "client_secret": tenant.client_secret,
                "scope": f"{self.graph_url}/.default",
            },
            timeout=30,
        )
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    # How the collection signs in

    def environment(self, tenant: Tenant) -> dict[str, str]:
        return {**self.address(), **credentials(tenant)}

    def address(self) -> dict[str, str]:
        return {"M365_GRAPH_URL": self.graph_url, "M365_LOGIN_URL": self.login_url, "M365_CA_PATH": self.ca_file}

    def host_variables(self, tenant: Tenant) -> dict[str, str]:
        """The variables of playbooks/baseline.yml for a tenant that is a host of an inventory."""
        return {
            "m365_tenant_id": tenant.tenant_id,
            "m365_client_id": tenant.client_id,
            "m365_client_secret": tenant.client_secret,
            "m365_graph_url": self.graph_url,
            "m365_login_url": self.login_url,
            "m365_ca_path": self.ca_file,
        }


def credentials(tenant: Tenant) -> dict[str, str]:
    return {
        "AZURE_TENANT_ID": tenant.tenant_id,
        "AZURE_CLIENT_ID": tenant.client_id,
        "AZURE_CLIENT_SECRET": tenant.client_secret,
    }


def writes(journal: Sequence[Request]) -> list[Request]:
    return [request for request in journal if request.write]


def token_requests(journal: Sequence[Request]) -> list[Request]:
    return [request for request in journal if request.sign_in and request.path.endswith("/token")]


def sent(journal: Sequence[Request]) -> list[Request]:
    """What went over the wire: the items of a $batch count as the one request that carried them."""
    return [request for request in journal if request.batch is None]
