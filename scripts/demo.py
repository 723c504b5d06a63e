"""Harden a simulated tenant before the reader's eyes: before, dry run, apply, apply again, after.

The real collection talks to the simulator as it would to Microsoft Graph. Ends with 0 only when every step did what the
demonstration says it does; the simulator is stopped in any case.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import requests

SCENARIO = "legacy"
SECONDS_TO_START = 20
EMERGENCY_ACCESS = "zerotrust.m365.emergency_access"
BASELINE = "zerotrust.m365.baseline"
EMERGENCY_ACCOUNTS = ("emergency1", "emergency2")
# What the steps between the first and the last need not repeat.
WITHOUT_SUMMARY = ("--extra-vars", '{"preflight_show_summary": false}')
NOTHING_TO_TELL = re.compile(r"TASK \[.*\] \*+\n((ok: \[localhost\]( => \(item=.*\))?|included: .*)\n)+")
RECAP = re.compile(r"^localhost\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
REAL_TENANT = f"""\
For a real tenant, register an application in Entra ID and give it the permissions that the README lists, and make
emergency accounts as docs/emergency-access.md tells, which also says what emergency.yml holds. Then:
  export AZURE_TENANT_ID=... AZURE_CLIENT_ID=... AZURE_CLIENT_CERTIFICATE_PATH=/path/to/certificate-and-key.pem
  ansible-playbook {BASELINE} -e @emergency.yml --check --diff     # read it, and run it again without --check
"""


class StepFailed(Exception):
    """A step of the demonstration did not do what it should."""


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n\N{BOX DRAWINGS HEAVY HORIZONTAL}{text:\N{BOX DRAWINGS HEAVY HORIZONTAL}<99}\n", flush=True)


@contextlib.contextmanager
def simulator(folder: Path) -> Iterator[dict[str, Any]]:
    """Run the simulator and give what its ready file says. Raises StepFailed when it does not start."""
    ready, log = folder / "ready.json", folder / "simulator.log"
    command = ["m365-simulator", "serve", "--scenario", SCENARIO, "--port", "0", "--ready-file", str(ready)]
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise StepFailed(f"The simulator did not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.05)
        yield json.loads(ready.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment_for(tenant: dict[str, Any]) -> dict[str, str]:
    """Give the environment of the playbooks: readable output, and no credentials but those of the simulated tenant."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "M365_"))},
        "AZURE_TENANT_ID": tenant["tenant_id"],
        "AZURE_CLIENT_ID": tenant["client_id"],
        "AZURE_CLIENT_CERTIFICATE_PATH": tenant["certificate_path"],
        "M365_GRAPH_URL": tenant["graph_url"],
        "M365_LOGIN_URL": tenant["login_url"],
        "M365_CA_PATH": tenant["ca_file"],
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_FORCE_COLOR": str(sys.stdout.isatty()).lower(),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }


def worth_reading(lines: Iterable[str]) -> Iterator[str]:
    """Give Ansible's output block by block, without the tasks of which it says no more than ok."""
    block = ""
    for line in lines:
        if line.strip():
            block += line
            continue
        if not NOTHING_TO_TELL.fullmatch(COLOUR.sub("", block)):
            yield block + line
        block = ""
    yield block


def declare(folder: Path, *attested: str) -> tuple[str, str]:
    """Write what the playbooks must know of emergency access, and give the options that name it."""
    seals, password, variables = folder / "seals", folder / "seal-password", folder / "emergency.yml"
    seals.mkdir(exist_ok=True)
    password.write_text("of this demonstration only\n", encoding="utf-8")
    declared = {
        "emergency_access_seal_folder": str(seals),
        "emergency_access_vault_password_file": str(password),
        "emergency_access_accounts": [
            {"name": name, "second_factor": "totp_token", "attested": attested} for name in EMERGENCY_ACCOUNTS
        ],
    }
    variables.write_text(json.dumps(declared, indent=2), encoding="utf-8")
    return "--extra-vars", f"@{variables}"


def enrol_tokens(tenant: dict[str, Any]) -> None:
    """What somebody does at a browser: sign in with each emergency account, and enrol a TOTP token."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy
        session.verify = tenant["ca_file"]
        for name in EMERGENCY_ACCOUNTS:
            user = f"{name}@{tenant['tenants'][0]['initial_domain']}"
            answer = session.post(
                f"{tenant['admin_url']}/users/{user}/register",
                params={"tenant": tenant["tenant_id"]},
                json={"methods": ["softwareOneTimePasscode"]},
                timeout=SECONDS_TO_START,
            )
            answer.raise_for_status()
            print(f"{user} has a TOTP token.")


def play(environment: dict[str, str], playbook: str, *options: str) -> int:
    """Run a playbook and return how many tasks changed something. Raises StepFailed."""
    command = ["ansible-playbook", playbook, *options]
    print(f"$ {shlex.join(command)}\n", flush=True)
    shown = ""
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            for block in worth_reading(process.stdout or ()):
                print(block, end="", flush=True)
                shown += block
        except BaseException:
            process.terminate()
            raise
    recap = RECAP.search(COLOUR.sub("", shown))
    if process.returncode or recap is None:
        raise StepFailed(f"ansible-playbook ended with exit code {process.returncode}")
    changed, unreachable, failed = (int(number) for number in recap.groups())
    if unreachable or failed:
        raise StepFailed("A task failed")
    return changed


def demonstrate(folder: Path) -> None:
    """Show it all. Raises StepFailed at the first step that goes wrong."""
    title(f" A simulated tenant, scenario '{SCENARIO}' ")
    with simulator(folder) as tenant:
        print(f"Microsoft Graph and sign-in are played at {tenant['graph_url']}. Tasks that only say ok are left out.")
        environment = environment_for(tenant)
        begin = time.monotonic()

        declared = declare(folder)

        title(" 1. The tenant before ")
        play(environment, BASELINE, "--tags", "preflight")
        title(" 2. Emergency accounts, their passwords sealed; their second factors are still to come ")
        if not play(
            environment, EMERGENCY_ACCESS, *declared, "--extra-vars", '{"emergency_access_allow_unproven": true}'
        ):
            raise StepFailed("The run should have made emergency accounts")
        title(" 3. Somebody enrols a TOTP token for each of them ")
        enrol_tokens(tenant)
        declare(folder, "totp_token")
        title(" 4. A dry run of the baseline: what would change ")
        if not play(environment, BASELINE, *declared, "--check", "--diff", *WITHOUT_SUMMARY):
            raise StepFailed("The dry run should have announced a change")
        title(" 5. Apply it ")
        if not play(environment, BASELINE, *declared, "--diff", *WITHOUT_SUMMARY):
            raise StepFailed("The run should have changed something")
        title(" 6. Once more: nothing is left to change ")
        if play(environment, BASELINE, *declared, *WITHOUT_SUMMARY):
            raise StepFailed("The second run should have said changed=0")
        title(" 7. The tenant after ")
        play(environment, BASELINE, "--tags", "preflight")
        seconds = time.monotonic() - begin
    title(f" Done; the playbooks took {seconds:.0f} seconds, and the simulator is stopped ")
    print(REAL_TENANT, end="")


def interrupt(*_signal: object) -> None:
    """Treat a request to end as Ctrl-C, so that the simulator is stopped then too."""
    raise KeyboardInterrupt


def main() -> int:
    """Run the demonstration and return its exit code."""
    # Also where a parent has SIGINT ignored, as in a background job of a script.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    with tempfile.TemporaryDirectory(prefix="m365-demo-") as folder:
        try:
            demonstrate(Path(folder))
        except StepFailed as failure:
            print(f"\nThe demonstration failed: {failure}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nInterrupted; the simulator is stopped.", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
