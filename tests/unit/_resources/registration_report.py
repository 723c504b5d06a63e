# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report of registered methods that lags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.method_dependence import REPORT

PAGES = GraphClient.pages


def leave_out_of_report(monkeypatch: pytest.MonkeyPatch, start: str) -> None:
    """All whose principal name begins so; everybody with an empty ``start``."""

    def pages(client: GraphClient, path: str, **keywords: Any) -> Iterator[list[dict[str, Any]]]:
        for page in PAGES(client, path, **keywords):
            yield [item for item in page if path != REPORT or not item["userPrincipalName"].startswith(start)]

    monkeypatch.setattr(GraphClient, "pages", pages)
