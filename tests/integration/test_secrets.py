# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret in output, results or files, at any verbosity, whether a task succeeds or fails."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

import certifi
import pytest

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import leftovers
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, token_requests

SECRETS = Path(__file__).parent / "playbooks/secrets.yml"
WRONG_SECRET = "wrong+But/still=Secret& 7#Zq"
# Access tokens, and the assertions that a certificate signs.
TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{20,}")


def forms(secret: str) -> set[str]:
    """A secret as it is, within JSON, within a URL, and in base64."""
    encoded = secret.encode()
    return {
        secret,
        json.dumps(secret)[1:-1],
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(encoded).decode().rstrip("="),
        base64.urlsafe_b64encode(encoded).decode().rstrip("="),
    }


def key_lines(certificate_path: str) -> set[str]:
    """The lines of the private key in a PEM file."""
    key = Path(certificate_path).read_text(encoding="utf-8").partition("PRIVATE KEY-----")[2]
    lines = {line for line in key.splitlines() if len(line) == 64}
    assert len(lines) > 10
    return lines


@pytest.mark.parametrize("door", ["action", "module"])
def test_nothing_leaks(door: str, simulator: Simulator, play: Play, tmp_path: Path) -> None:
    tenant = simulator.tenant("awkward_secret")
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "tenant_id": tenant.tenant_id,
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "certificate_path": tenant.certificate_path,
        "wrong_secret": WRONG_SECRET,
        "wrong_ca_path": certifi.where(),
    }
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(json.dumps({"all": {"hosts": {"tenant": variables}}}), encoding="utf-8")
    run = play(
        SECRETS,
        *("--inventory", str(inventory), "--diff", "-vvvv"),
        door=door,
        environment=simulator.address(),
    )
    assert run.return_code == 0, run.output

    # It did what it is for: each secret was in play.
    failed = [one.task for one in run.results if one.failed]
    assert failed == [one.task for one in run.results if one.task.startswith(("Fail", "Sign in again"))]
    assert run.task("Turn security defaults on").changed
    assert len(token_requests(simulator.journal())) == 5

    secrets = forms(tenant.client_secret) | forms(WRONG_SECRET) | key_lines(tenant.certificate_path)
    places = {"stdout": run.stdout, "stderr": run.stderr}
    places.update({str(path): path.read_text("utf-8", "replace") for path in leftovers(run.folder)})
    shown = run.folder / "results.jsonl"
    places["results"] = shown.read_text(encoding="utf-8")
    found = [(place, secret) for place, text in places.items() for secret in secrets if secret in text]
    found += [(place, token) for place, text in places.items() for token in TOKEN.findall(text)]
    assert found == []
