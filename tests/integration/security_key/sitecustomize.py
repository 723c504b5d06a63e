# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugs a software security key into every Python of a playbook run, for the folder of this file is on its PYTHONPATH.

SOFTWARE_SECURITY_KEY says in JSON what the key is like. Its code is loaded by path: a packed module must not find the
checkout beside itself.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fido2.hid import CtapHidDevice

PLACE = Path(__file__).parents[2] / "unit/simulator"
PACKAGE = "ansible_collections.zerotrust.m365.tests.unit.simulator"


def load(name: str) -> Any:
    found = importlib.util.spec_from_file_location(f"{PACKAGE}.{name}", PLACE / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


def plugged_in() -> Iterator[Any]:
    load("software_authenticator")
    key = load("software_security_key").SoftwareSecurityKey(**json.loads(os.environ["SOFTWARE_SECURITY_KEY"]))
    key.next_id = bytes(range(32))  # the same in two runs that are compared
    yield key


CtapHidDevice.list_devices = plugged_in  # type: ignore[method-assign]
