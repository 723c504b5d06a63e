# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import Scene
from m365_simulator.state import Store

# The same examples in every run, no example database, and no deadline, which a busy machine would miss.
settings.register_profile("repeatable", max_examples=50, derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def make_scene() -> Iterator[Callable[..., Scene]]:
    """A new scene in the place of the last one: one database is warm, and two hundred are not."""
    store = Store(None)
    yield lambda **options: Scene(store, **options)
    store.close()


@pytest.fixture
def scene(make_scene: Callable[..., Scene]) -> Scene:
    return make_scene()
