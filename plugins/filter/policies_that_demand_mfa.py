# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: policies_that_demand_mfa
short_description: Which Conditional Access policies ask everybody for MFA
version_added: "0.1.0"
description:
  - Names the enabled policies that ask all users for MFA at every sign-in to every resource, but for the users, groups
    and roles that a policy excludes.
  - A policy that is not understood in every part is not named.
positional: _input
options:
  _input:
    description:
      - The policies, as Graph returns them.
    type: list
    elements: dict
    required: true
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Read the policies
  zerotrust.m365.graph_info:
    path: /identity/conditionalAccess/policies
  register: policies

- name: Show those that ask everybody for MFA
  ansible.builtin.debug:
    msg: "{{ policies.result | zerotrust.m365.policies_that_demand_mfa }}"
"""

RETURN = r"""
_value:
  description:
    - The display names of the policies.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.coverage import demands_of_everybody


def policies_that_demand_mfa(policies: Any) -> list[str]:
    if not isinstance(policies, list) or not all(isinstance(policy, Mapping) for policy in policies):
        raise AnsibleFilterError("policies_that_demand_mfa needs a list of Conditional Access policies.")
    return [str(policy.get("displayName") or policy.get("id")) for policy in policies if demands_of_everybody(policy)]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"policies_that_demand_mfa": policies_that_demand_mfa}
