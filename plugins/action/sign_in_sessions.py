# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.zerotrust.m365.plugins.module_utils._resources.sign_in_sessions import RESOURCE
from ansible_collections.zerotrust.m365.plugins.plugin_utils._action import ResourceAction


class ActionModule(ResourceAction):
    resource = RESOURCE
