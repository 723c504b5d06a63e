# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that every module of this collection shares (private to the collection).

Documented once, in ``plugins/doc_fragments/graph.py``. Environment variables are not Ansible fallbacks here: they are
read by ``_graph.connect``, which must know what was written on purpose and what came from the environment.
"""

from __future__ import annotations

from typing import Any

from ._graph.clouds import CLOUDS

GRAPH_OPTIONS: dict[str, dict[str, Any]] = {
    "tenant_id": {"type": "str"},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "client_certificate": {"type": "str", "no_log": True},
    "client_certificate_path": {"type": "path"},
    "client_certificate_passphrase": {"type": "str", "no_log": True},
    "federated_token_file": {"type": "path", "no_log": False},
    "managed_identity": {"type": "bool"},
    "access_token": {"type": "str", "no_log": True},
    "cloud": {"type": "str", "choices": list(CLOUDS)},
    "graph_url": {"type": "str"},
    "login_url": {"type": "str"},
    "ca_path": {"type": "path"},
    "proxy": {"type": "str"},
    "connect_timeout": {"type": "float", "default": 10.0},
    "read_timeout": {"type": "float", "default": 60.0},
    "max_retries": {"type": "int", "default": 6},
    "max_retry_wait": {"type": "float", "default": 120.0},
    "max_duration": {"type": "int"},
}

WAIT_OPTIONS: dict[str, dict[str, Any]] = {
    "wait_timeout": {"type": "int", "default": 60},
}
