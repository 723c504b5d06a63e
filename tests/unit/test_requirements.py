# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stated in two places is the same in both."""

from __future__ import annotations

from pathlib import Path

import yaml

from ansible_collections.zerotrust.m365.plugins.doc_fragments.graph import ModuleDocFragment

ROOT = Path(__file__).resolve().parents[2]


def test_the_documented_libraries_are_those_of_the_execution_environment() -> None:
    lines = (ROOT / "meta/ee-requirements.txt").read_text(encoding="utf-8").splitlines()
    installed = [line.replace(">=", " >= ") for line in lines if line and not line.startswith("#")]
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["requirements"]
    assert documented == ["python >= 3.10", *installed]
