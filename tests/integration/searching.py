# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for secrets in every byte that runs have written: each as it is, and as it looks within something else."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import ahocorasick

from ansible_collections.zerotrust.m365.tests.integration.running_playbook import PlaybookRun

VAULT = "$ANSIBLE_VAULT"
"""How the text of a seal begins."""
PUT_THERE = ("variables.json",)
"""What the harness itself has put into the folder of a run: whatever a user writes into an inventory."""
SHORTEST = 6


def forms(secret: str) -> set[str]:
    """A secret as it is; within JSON, YAML, Python, HTML, a URL, a shell's quotes; and anywhere within base64."""
    as_json = json.dumps(secret)[1:-1]
    escaped = {
        as_json,
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(as_json)[1:-1],
        repr(secret)[1:-1],
        secret.replace("'", "''"),
        secret.replace("'", "'\"'\"'"),
        "".join(f"\\u{ord(one):04x}" for one in secret),
        *(_with_escapes(secret, digits, kept) for digits in ("04x", "04X") for kept in ("", " ")),
        *(_with_escapes(as_json, digits, set(as_json) - set("&<>'")) for digits in ("04x", "04X")),
        html.escape(secret),
        html.escape(secret, quote=False),
        html.escape(secret).replace("&#x27;", "&#39;"),
        html.escape(as_json),
        html.escape(as_json, quote=False),
    }
    in_url = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    in_url |= {quote(one) for one in in_url} | {_lower_case_escapes(one) for one in in_url}
    return {secret} | escaped | in_url | set(_in_base64(secret.encode()))


def _with_escapes(text: str, digits: str, kept: Container[str]) -> str:
    """With JSON's escapes for all but ASCII letters, digits and what is ``kept``."""
    return "".join(
        one if one in kept or (one.isascii() and one.isalnum()) else f"\\u{ord(one):{digits}}" for one in text
    )


def _lower_case_escapes(encoded: str) -> str:
    first, *others = encoded.split("%")
    return first + "".join(f"%{one[:2].lower()}{one[2:]}" for one in others)


def _in_base64(secret: bytes) -> Iterator[str]:
    """What the secret alone decides of its encoding, wherever it begins in what was encoded."""
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(bytes(before) + secret).decode()
            yield encoded[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]


class Search:
    """For secrets, by their names. A place is a file, or the name of one."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._automaton = ahocorasick.Automaton()
        for name, secret in secrets.items():
            assert len(secret) >= SHORTEST, f"{name} is too short to be looked for"
            for form in forms(secret):
                self._automaton.add_word(form.encode().decode("latin-1"), name)
        self._automaton.make_automaton()

    def in_bytes(self, content: bytes) -> set[str]:
        """The names of the secrets that are there."""
        return {name for _end, name in self._automaton.iter(content.decode("latin-1"))}

    def in_folders(self, folders: Iterable[Path], besides: Iterable[Path] = ()) -> list[tuple[str, str]]:
        """Place and secret, in all files and their names but for those ``besides``."""
        left_out = set(besides)
        found = []
        for path in (path for folder in folders for path in sorted(folder.rglob("*")) if path not in left_out):
            names = self.in_bytes(str(path).encode())
            if path.is_file() and not path.is_symlink():
                names |= self.in_bytes(path.read_bytes())
            found += [(str(path), name) for name in sorted(names)]
        return found

    def in_runs(self, runs: Iterable[PlaybookRun]) -> list[tuple[str, str]]:
        """In all that runs have shown and left in their homes: output, results, logs, reports, temporary files."""
        folders = [run.folder for run in runs]
        return self.in_folders(folders, [folder / name for folder in folders for name in PUT_THERE])


def secrets_shown(runs: Iterable[PlaybookRun], secrets: Iterable[str]) -> list[str]:
    """Where the runs left one of the secrets, or the text of a seal."""
    wanted = {"a seal": VAULT, **{f"secret {number}": one for number, one in enumerate(secrets)}}
    return [f"{place}: {name}" for place, name in Search(wanted).in_runs(runs)]


def key_lines(certificate_path: str | Path) -> dict[str, str]:
    """The lines of the private key in a PEM file, by name."""
    key = Path(certificate_path).read_text(encoding="utf-8").partition("PRIVATE KEY-----")[2].partition("-----END")[0]
    lines = {f"private key, line {number}": line for number, line in enumerate(key.splitlines()) if len(line) == 64}
    assert len(lines) > 10
    return lines


def token_parts(name: str, token: str) -> dict[str, str]:
    """The claims and the signature of a JSON web token: whatever shows a part of it is found."""
    _header, claims, signature = token.split(".")
    return {f"{name}, claims": claims, f"{name}, signature": signature}
