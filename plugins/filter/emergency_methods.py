# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: emergency_methods
short_description: What the authentication methods policy lacks for emergency accounts
version_added: "0.1.0"
description:
  - Tells what to change, so that the members of a group can register passkeys, where wanted after signing in with a
    Temporary Access Pass, or TOTP tokens, and are not asked to register something else.
  - A method that is off is to be switched on for the group alone. One that is on keeps its groups. Passkeys need
    self-service registration, which is then allowed to everybody who may use them.
positional: _input, group
options:
  _input:
    description:
      - The authentication methods policy, as Graph returns it.
    type: dict
    required: true
  group:
    description:
      - The object ID of the group.
    type: str
    required: true
  passes:
    description:
      - Whether Temporary Access Passes are wanted.
    type: bool
    default: false
  tokens:
    description:
      - Whether TOTP tokens are wanted, which the policy calls software OATH tokens.
    type: bool
    default: false
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Read the policy
  zerotrust.m365.graph_info:
    path: /policies/authenticationMethodsPolicy
  register: policy

- name: Show what it lacks
  ansible.builtin.debug:
    msg: "{{ policy.result | zerotrust.m365.emergency_methods('11111111-2222-3333-4444-555555555555') }}"
"""

RETURN = r"""
_value:
  description:
    - C(methods) is a list of options for M(zerotrust.m365.authentication_method), one dictionary for each method that
      is to be changed.
    - C(campaign) is the option O(zerotrust.m365.authentication_methods_policy#module:registration_campaign). It is
      empty when nothing is to be changed.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.emergency_methods import wanting
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape


def emergency_methods(policy: Any, group: Any, passes: bool = False, tokens: bool = False) -> dict[str, Any]:
    if not isinstance(policy, Mapping) or not isinstance(group, str) or not group:
        raise AnsibleFilterError("emergency_methods needs the authentication methods policy, and the ID of a group.")
    try:
        return wanting(policy, str(group), passes=bool(passes), tokens=bool(tokens))
    except UnexpectedShape as error:
        raise AnsibleFilterError(f"emergency_methods cannot tell: {error}.") from None


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"emergency_methods": emergency_methods}
