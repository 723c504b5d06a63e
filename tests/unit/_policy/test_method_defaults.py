# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.authentication_methods import (
    check_shape,
    includes_everybody,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.method_defaults import DEFAULTS


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_default_is_a_configuration_for_everybody(name: str) -> None:
    configuration = {"id": name, **DEFAULTS[name]}
    check_shape({"authenticationMethodConfigurations": [configuration]})
    assert includes_everybody(configuration) is (name != "Email")
