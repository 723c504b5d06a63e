# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret in output, results or files, at any verbosity, whether a task succeeds or fails."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote_plus

import certifi
import pytest

from ansible_collections.zerotrust.m365.tests.integration.conftest import Play
from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun
from ansible_collections.zerotrust.m365.tests.integration.running_simulator import Simulator, token_requests
from ansible_collections.zerotrust.m365.tests.integration.searching import (
    Search,
    key_lines,
    secrets_shown,
    token_parts,
)

PLAYBOOK = Path(__file__).parent / "playbooks/secrets.yml"
WRONG_SECRET = "wrong+But/still=Secret& 7#Zq"
# Access tokens, and the assertions that a certificate signs.
TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{20,}")
AWKWARD = "a\"b'c&<d> é\\+/="


@pytest.mark.parametrize("door", ["action", pytest.param("module", marks=pytest.mark.deep)])
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
        PLAYBOOK,
        *("--inventory", str(inventory), "--diff", "-vvvv"),
        door=door,
        environment=simulator.address(),
    )
    assert run.return_code == 0, run.output

    # It did what it is for: each secret was in play.
    failed = [one.task for one in run.results if one.failed]
    assert failed == [one.task for one in run.results if one.task.startswith(("Fail", "Sign in again"))]
    assert run.task("Turn security defaults on").changed
    assert len(token_requests(simulator.journal())) == 8

    secrets = {"client secret": tenant.client_secret, "wrong secret": WRONG_SECRET}
    for number, token in enumerate(simulator.tokens()):
        secrets |= token_parts(f"access token {number}", token)
    assert len(secrets) >= 2 + 2 * 3
    found = Search({**secrets, **key_lines(tenant.certificate_path)}).in_runs([run])
    found += [(str(path), "a token") for path in run.folder.rglob("*") if path.is_file() and holds_token(path)]
    assert found == []


def holds_token(path: Path) -> bool:
    return TOKEN.search(path.read_bytes()) is not None


# The search itself


@pytest.mark.parametrize(
    "shown",
    [
        AWKWARD.encode(),
        json.dumps({"msg": AWKWARD}).encode(),
        json.dumps({"msg": AWKWARD}, ensure_ascii=False).encode(),
        json.dumps(json.dumps({"msg": AWKWARD})).encode(),
        repr({"msg": AWKWARD}).encode(),
        quote_plus(AWKWARD).encode(),
        b"secret=a%22b%27c%26%3cd%3e%20%c3%a9%5c%2b%2f%3d",
        rb"a\u0022b\u0027c\u0026\u003cd\u003e\u0020\u00e9\u005c\u002b\u002f\u003d",
        rb"a\"b\u0027c\u0026\u003Cd\u003E \u00e9\\+/=",
        "<system-out>a&quot;b&#x27;c&amp;&lt;d&gt; é\\+/=</system-out>".encode(),
        "<system-out>a\"b'c&amp;&lt;d&gt; é\\+/=</system-out>".encode(),
        *(base64.b64encode(b"x" * before + AWKWARD.encode() + b"after it") for before in range(7)),
        *(base64.urlsafe_b64encode(b"x" * before + AWKWARD.encode()) for before in range(3)),
        b"\x00\xff binary" + AWKWARD.encode() + b"\xfe",
    ],
)
def test_a_secret_is_found_in_each_form(shown: bytes) -> None:
    search = Search({"it": AWKWARD, "another one": "of which there is nothing"})
    assert search.in_bytes(shown) == {"it"}


def test_what_a_run_left_is_searched_whole(tmp_path: Path) -> None:
    """In files of every kind, in their names, in output; but what the harness has put there does not count."""
    run = PlaybookRun(0, "", "", [], [], {}, {}, tmp_path)
    (tmp_path / "variables.json").write_text("The-secret", encoding="utf-8")
    assert secrets_shown([run], ["The-secret"]) == []
    (tmp_path / "temporary/The-secret").mkdir(parents=True)
    for name in ("stdout.txt", "results.jsonl", "temporary/module.zip"):
        (tmp_path / name).write_bytes(b"\0The-secret")
    (tmp_path / "seal.yml").write_text("$ANSIBLE_VAULT;1.2;AES256", encoding="utf-8")
    (tmp_path / "fine").write_text("The secret", encoding="utf-8")
    found = {place.removeprefix(f"{tmp_path}/") for place in secrets_shown([run], ["The-secret"])}
    assert found == {
        "stdout.txt: secret 0",
        "results.jsonl: secret 0",
        "temporary/The-secret: secret 0",
        "temporary/module.zip: secret 0",
        "seal.yml: a seal",
    }
