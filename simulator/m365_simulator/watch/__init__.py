# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invariant watch: after every accepted write, whether an administrator can still sign in, nobody lost their MFA and
nobody their only way in; and that a run in check mode writes nothing."""

from m365_simulator.watch.run import RULES, Watch

__all__ = ["RULES", "Watch"]
