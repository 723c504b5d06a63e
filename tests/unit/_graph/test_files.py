# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that options name, and that are not what anybody would name: each is told at once, and nothing is sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import ConnectionFailed, OptionError
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.ledger import Ledger
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import CLIENT, TENANT, Connect, Server


def pipe(path: Path) -> None:
    os.mkfifo(path)


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


def loop(path: Path) -> None:
    path.symlink_to(path)


def pipe_behind_a_link(path: Path) -> None:
    pipe(path.with_name("pipe"))
    path.symlink_to("pipe")


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


def missing(path: Path) -> None:
    assert not path.exists()


MADE: Mapping[str, Callable[[Path], None]] = {
    made.__name__: made for made in (pipe, huge, loop, pipe_behind_a_link, binary, missing)
}
WORDS = {
    "pipe": "it is no regular file",
    "pipe_behind_a_link": "it is no regular file",
    "huge": "is larger than",
    "loop": "cannot read .*: Too many levels of symbolic links",
    "missing": "cannot read .*: No such file or directory",
}
NAMES = ["ca\0path.pem", "\ud800.pem", "~no-such-user/a.pem", "a" * 5000, "a/" * 3000]


def file_options(path: str) -> list[dict[str, Any]]:
    signing_in = {"tenant_id": TENANT, "client_id": CLIENT}
    return [
        {**signing_in, "client_certificate_path": path},
        {**signing_in, "federated_token_file": path},
    ]


@pytest.mark.parametrize("kind", MADE)
def test_what_is_no_ordinary_file(connected: Connect, server: Server, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "named.pem"
    MADE[kind](path)
    trusted = {name: value for name, value in server.options().items() if name != "access_token"}
    for options in file_options(str(path)):
        with pytest.raises(OptionError, match=WORDS.get(kind, "is no text file")):
            connected(**trusted, **options).token()
    with pytest.raises(OptionError, match=f"ca_path: .*{WORDS.get(kind, 'holds no certificate in PEM form')}"):
        connected(**{**server.options(), "ca_path": str(path)})
    assert server.connections == 0


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_what_is_no_path(connected: Connect, server: Server, name: str) -> None:
    trusted = {key: value for key, value in server.options().items() if key != "access_token"}
    for options in file_options(name):
        with pytest.raises(OptionError, match=r"no path may hold|cannot read") as told:
            connected(**trusted, **options).token()
        assert len(told.value.message) < 1000
    with pytest.raises(OptionError, match=r"ca_path.*(no path may hold|cannot read)"):
        connected(**{**server.options(), "ca_path": name})
    with pytest.raises(OptionError, match=r"ledger.*(no path may hold|cannot be used|does not exist)"):
        Ledger("ledger", name).check()
    assert server.connections == 0


def test_an_empty_folder_of_authorities_trusts_nobody(connected: Connect, server: Server, tmp_path: Path) -> None:
    with pytest.raises(ConnectionFailed, match="is not trusted"):
        connected(**{**server.options(), "ca_path": str(tmp_path)}).list("/users")


@pytest.mark.parametrize("kind", ["pipe", "loop", "pipe_behind_a_link"])
def test_a_ledger_is_a_regular_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "ledger.jsonl"
    MADE[kind](path)
    with pytest.raises(OptionError, match="is no regular file"):
        Ledger("ledger", str(path)).check()


def test_a_huge_ledger_is_not_read(tmp_path: Path) -> None:
    huge(tmp_path / "ledger.jsonl")
    (tmp_path / "ledger.jsonl").chmod(0o600)
    with pytest.raises(OptionError, match="is larger than 512 MiB"):
        Ledger("ledger", str(tmp_path / "ledger.jsonl")).lines()
