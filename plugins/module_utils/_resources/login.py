# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in once for a whole run (private to the collection)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from .._engine.plan import Plan
from .._engine.resource import Resource
from .._engine.run import Run
from .._graph.tokens import AccessToken


class Login(Resource):
    name = "login"
    secret_results = ("access_token",)

    def read(self, run: Run) -> AccessToken:
        return run.client.token()

    def plan(self, run: Run, state: AccessToken) -> Plan:
        return Plan(done=f"Signed in to tenant {state.tenant_id}; the token is valid until {_time(state)}.")

    def result(self, run: Run, plan: Plan, state: AccessToken) -> dict[str, Any]:
        return {
            "access_token": state.secret,
            "expires": _time(state),
            "tenant_id": state.tenant_id,
            "permissions": sorted(state.roles),
            "cloud": run.client.cloud.name,
        }


def _time(token: AccessToken) -> str:
    return datetime.fromtimestamp(token.expires_on, tz=timezone.utc).isoformat(timespec="seconds")


RESOURCE = Login()
