# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: emergency_password
short_description: A new password for an emergency account
version_added: "0.1.0"
description:
  - Makes a password of 64 characters, of lower case, upper case, digits and symbols, by the operating system's source
    of random numbers. It is in 16 groups of four, without letters and digits that are easily mistaken for others.
  - Each look at it makes a new one. Seal it before it is used, see P(zerotrust.m365.seal#filter).
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Seal a new password
  ansible.builtin.set_fact:
    envelopes: "{{ {'secret': lookup('zerotrust.m365.emergency_password')} | zerotrust.m365.seal(keys) }}"
  no_log: true
"""

RETURN = r"""
_list:
  description: The password.
  type: list
  elements: str
"""

import secrets
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.passwords import new_password


class LookupModule(LookupBase):
    def run(self, terms: list[Any], variables: Any = None, **kwargs: Any) -> list[str]:
        if terms or kwargs:
            raise AnsibleLookupError("emergency_password takes nothing.")
        return [new_password(secrets.choice)]
