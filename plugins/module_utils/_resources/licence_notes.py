# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an approver must know of the licence before Graph is asked (private to the collection)."""

from __future__ import annotations

from .._engine.run import Run
from .facts import gather

NO_P1 = "The tenant has no Microsoft Entra ID P1, which {what} takes by what is known: Graph may refuse."


def note_without_p1(run: Run, what: str) -> list[str]:
    """A sentence where the tenant is known to have no P1. No refusal: Graph decides."""
    licences = gather(run.client, ("licences",))["licences"]
    return [NO_P1.format(what=what)] if licences.known and licences.value["tier"] == "free" else []
