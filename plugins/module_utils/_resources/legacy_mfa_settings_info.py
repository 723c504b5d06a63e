# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the former MFA service as they are, or why they are unknown (private to the collection)."""

from __future__ import annotations

from typing import Any

from .._engine.plan import Plan
from .._engine.resource import Resource
from .._engine.run import Run
from .._policy import legacy_mfa_settings as rules
from .legacy_mfa_settings import Settings, read_settings


class LegacyMfaSettingsInfo(Resource):
    name = "legacy_mfa_settings_info"

    def read(self, run: Run) -> Settings:
        return read_settings(run)

    def plan(self, run: Run, state: Settings) -> Plan:
        if not state.known:
            return Plan(done=rules.unknown_settings(str(state.reason)))
        hidden = f" except {', '.join(state.not_shown)}" if state.not_shown else ""
        return Plan(done=f"The settings of per-user MFA are known{hidden}.")

    def result(self, run: Run, plan: Plan, state: Settings) -> dict[str, Any]:
        return {
            "legacy_mfa_settings": {
                "completeness": "known" if state.known else "unknown",
                "reason": state.reason,
                "value": dict(state.values) if state.known else None,
                "not_shown": list(state.not_shown),
                "where_to_look": rules.PORTAL,
            }
        }


RESOURCE = LegacyMfaSettingsInfo()
