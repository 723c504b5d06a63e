# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local connection under another name: stands for any machine but the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
name: elsewhere
short_description: The local connection under another name, for the tests
description:
  - Runs commands on this machine, but is not the connection named local.
options: {}
extends_documentation_fragment:
  - connection_pipelining
"""

from ansible.plugins.connection.local import Connection as LocalConnection


class Connection(LocalConnection):
    transport = "elsewhere"
