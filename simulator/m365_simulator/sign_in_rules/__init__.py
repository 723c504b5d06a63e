# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Could this user sign in to this application now, by this method and protocol, and would MFA be asked.

Answered from the state of a tenant alone; it knows nothing of HTTP.
"""

from m365_simulator.sign_in_rules.attempt import Answer, Attempt, Protection, read_attempt
from m365_simulator.sign_in_rules.directory import Directory
from m365_simulator.sign_in_rules.judging import judge
from m365_simulator.sign_in_rules.person import Person
from m365_simulator.sign_in_rules.protection import protection, protections

__all__ = [
    "Answer",
    "Attempt",
    "Directory",
    "Person",
    "Protection",
    "judge",
    "protection",
    "protections",
    "read_attempt",
]
