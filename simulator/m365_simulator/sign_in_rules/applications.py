# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which application a name stands for (Microsoft's page "Conditional Access: Target resources")."""

from __future__ import annotations

from m365_simulator.sign_in_rules.three_valued import Maybe

EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
SHAREPOINT_ONLINE = "00000003-0000-0ff1-ce00-000000000000"
TEAMS = "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe"
MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
AZURE_MANAGEMENT = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
AZURE_PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
MICROSOFT_365_ADMIN_CENTER = "00000006-0000-0ff1-ce00-000000000000"
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
AZURE_POWERSHELL = "1950a258-227b-4e31-a9cf-717495945fc2"

SUITES: dict[str, frozenset[str]] = {
    "office365": frozenset({EXCHANGE_ONLINE, SHAREPOINT_ONLINE, TEAMS}),
    "microsoftadminportals": frozenset({AZURE_PORTAL, MICROSOFT_365_ADMIN_CENTER}),
}
"""The names that stand for several applications, and those of them that are known here."""

NAMES = {
    "azuremanagement": AZURE_MANAGEMENT,
    "microsoftgraph": MICROSOFT_GRAPH,
    AZURE_CLI: AZURE_MANAGEMENT,
    AZURE_POWERSHELL: AZURE_MANAGEMENT,
}
"""Azure's command line tools are clients: what they sign in to is Azure management."""


def is_application(asked: str, named: str) -> Maybe:
    """Whether an attempt at `asked` is one at what a policy calls `named`. An attempt at a suite does not say at which
    of its applications."""
    asked, named = _plain(asked), _plain(named)
    if named == "none":
        return False
    if named in ("all", asked):
        return True
    if asked in SUITES.get(named, ()):
        return True
    if named in SUITES.get(asked, ()):
        return None
    if asked == AZURE_PORTAL and named == AZURE_MANAGEMENT:
        return True
    return None if asked == "microsoftadminportals" and named == AZURE_MANAGEMENT else False


def is_azure_management(asked: str) -> Maybe:
    """Azure's portal, the Entra centre, the command line tools, the resource manager; not Microsoft Graph."""
    return is_application(asked, AZURE_MANAGEMENT)


def is_microsoft_portal(asked: str) -> Maybe:
    return is_application(asked, "MicrosoftAdminPortals")


def _plain(name: str) -> str:
    lower = str(name).lower()
    return NAMES.get(lower, lower)
