# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether declared emergency accounts would work when nothing else does (private to the collection). Pure functions.

The verdict comes from the essential checks: one that failed makes an account unusable, else one that is unknown makes
it unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .emergency_access_checks import (
    FAILED,
    NO_ACCOUNT,
    PASSED,
    SECURITY_DEFAULTS,
    UNKNOWN,
    Check,
    checks,
    grade_of,
    policies_that_catch,
    proof,
)
from .emergency_access_facts import Account, Others, Tenant
from .security_defaults import UNPROVEN_EMERGENCY_ACCESS, Obstacle, counted

USABLE, UNUSABLE = "usable", "unusable"


def report(tenant: Tenant, accounts: Sequence[Account], others: Others, wanted: int) -> dict[str, Any]:
    """The result of the module: each account with its checks, and whether there are enough that are usable.

    An object that was declared twice counts once.
    """
    shown = [_account(tenant, account, others) for account in accounts]
    counts = {
        verdict: len({_identity(one) for one in shown if one["verdict"] == verdict})
        for verdict in (USABLE, UNUSABLE, UNKNOWN)
    }
    return {
        "wanted": wanted,
        "usable": counts[USABLE],
        "unknown": counts[UNKNOWN],
        "proven": len({_identity(one) for one in shown if one["proven"]}),
        "ready_for_security_defaults": len({_identity(one) for one in shown if _is_ready(one)}),
        "enough": is_enough(counts[USABLE], counts[UNKNOWN], wanted),
        "accounts": shown,
        "policies_that_catch": {
            account.declared.user_principal_name: policies_that_catch(tenant, account) for account in accounts
        },
    }


def is_enough(usable: int, unknown_ones: int, wanted: int) -> bool | None:
    if usable >= wanted:
        return True
    return False if usable + unknown_ones < wanted else None


def sentence(result: Mapping[str, Any]) -> str:
    """One sentence about a report."""
    line = (
        f"{result['usable']} of {counted(result['wanted'], 'wanted emergency account', 'wanted emergency accounts')} "
        f"{'is' if result['usable'] == 1 else 'are'} usable, {result['proven']} proven by a drill"
    )
    return f"{line}; of {result['unknown']} it is unknown." if result["unknown"] else f"{line}."


def obstacles_to_enforcement(result: Mapping[str, Any] | None) -> list[Obstacle]:
    """What stands in the way of turning security defaults on. ``result`` is a report, None where none was asked for.

    An account counts when it is usable, and when security defaults are known to take its second factor.
    """
    if result is None:
        return [
            Obstacle(
                "No emergency accounts are declared, so nobody is known to get in when MFA keeps everybody else out. "
                "Declare them in emergency_access.",
                UNPROVEN_EMERGENCY_ACCESS,
            )
        ]
    if result["enough"] and result["ready_for_security_defaults"] >= result["wanted"]:
        return []
    reasons = [
        f"{account['user_principal_name']}: {check['sentence']}"
        for account in result["accounts"]
        for check in account["checks"]
        if (check["essential"] or check["name"] == SECURITY_DEFAULTS)
        and check["state"] != PASSED
        and check["sentence"] != NO_ACCOUNT
    ]
    return [Obstacle(" ".join([sentence(result), *reasons]), UNPROVEN_EMERGENCY_ACCESS)]


def _is_ready(shown: Mapping[str, Any]) -> bool:
    states = {check["name"]: check["state"] for check in shown["checks"]}
    return bool(shown["verdict"] == USABLE and states[SECURITY_DEFAULTS] == PASSED)


def _identity(shown: Mapping[str, Any]) -> str:
    return str(shown["id"] or shown["user_principal_name"]).lower()


def _account(tenant: Tenant, account: Account, others: Others) -> dict[str, Any]:
    declared, user = account.declared, account.user.value
    factor = grade_of(account)
    all_checks = checks(tenant, account, others)
    states = {check.name: check.state for check in all_checks}
    verdict = verdict_of(all_checks)
    return {
        "user_principal_name": declared.user_principal_name,
        "id": user.id if user else None,
        "verdict": verdict,
        "proven": verdict == USABLE
        and states["drill"] == PASSED
        and declared.drill is not None
        and declared.drill.enforcement
        and proof(tenant, account, user, declared.drill)[0] == PASSED,
        "second_factor": factor.name,
        "last_sign_in": account.sign_in.as_result(),
        "password_changed": user.password_changed if user else None,
        "checks": [check.as_result() for check in all_checks],
    }


def verdict_of(all_checks: Iterable[Check]) -> str:
    states = {check.state for check in all_checks if check.essential}
    if FAILED in states:
        return UNUSABLE
    return UNKNOWN if UNKNOWN in states else USABLE
