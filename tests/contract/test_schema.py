# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables in schema/ are what Microsoft's packages say, and whole."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.contract import make_schema
from ansible_collections.zerotrust.m365.tests.contract.checking import JSON_TYPES, PATTERNS
from ansible_collections.zerotrust.m365.tests.contract.make_schema import REQUIREMENTS, TABLES, wanted_paths
from ansible_collections.zerotrust.m365.tests.contract.tables import VERSIONS, read_table

PRIMITIVES = {*JSON_TYPES, *PATTERNS, "bytes"}


@cache
def site_packages() -> Path:
    return make_schema.install_sdks()


@pytest.mark.deep
@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_is_what_the_package_says(version: str) -> None:
    made = make_schema.as_text(make_schema.make_table(site_packages(), version))
    assert TABLES[version].read_text(encoding="utf-8") == made


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_is_of_the_pinned_package(version: str) -> None:
    assert read_table(version)["sdk"].replace(" ", "==") in REQUIREMENTS.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("version", VERSIONS)
def test_bases_and_bodies_are_in_the_table(version: str) -> None:
    table = read_table(version)
    wanted = {base for kind in table["types"].values() for base in [kind.get("base"), *kind.get("derived", ())] if base}
    wanted |= {name for methods in table["paths"].values() for name in bodies(methods) if name not in PRIMITIVES}
    assert not wanted - set(table["types"])


def bodies(methods: dict[str, Any]) -> Iterator[str]:
    for method in methods.values():
        for body in (method.get("request"), method.get("answer")):
            if isinstance(body, dict):
                yield from [body["page"]] if "page" in body else ()
            elif body is not None:
                yield body


def test_every_line_of_paths_is_somewhere() -> None:
    found = {path for version in VERSIONS for path in read_table(version)["paths"]}
    useless = [
        line
        for line in wanted_paths()
        if line != "/me" and not any(path == line or path.startswith(line.removesuffix("**")) for path in found)
    ]
    assert not useless
    assert wanted_paths() == sorted(wanted_paths(), key=lambda line: line.replace("/", "\0"))
