# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: per_user_mfa_info
short_description: Count the states of per-user MFA
version_added: "0.1.0"
description:
  - Counts all users of a tenant by their state of per-user MFA (V(disabled), V(enabled) or V(enforced)), by the type of
    user, and by whether the account is enabled. Lists the users in some states, where asked to.
  - It takes two requests for 1,000 users. The list of users shows the state by a property that Microsoft does not
    document, so a sample of up to 20 users is held against the documented way. Where the list does not show it, or says
    something else, everybody is read the documented way, 20 users in one request, with a warning.
  - However many users there are, they are counted page by page.
options:
  states:
    description:
      - The users in these states are listed.
    type: list
    elements: str
    choices: [disabled, enabled, enforced, unknown]
    default: []
  max_listed:
    description:
      - How many users are listed at most. The others are only counted, also in
        RV(per_user_mfa.users_left_off).
    type: int
    default: 1000
extends_documentation_fragment:
  - zerotrust.m365.graph
  - zerotrust.m365.graph.attributes
  - zerotrust.m365.graph.action_group
attributes:
  check_mode:
    support: full
    details: It only reads.
  diff_mode:
    support: N/A
    details: Nothing changes.
  idempotent:
    support: full
  async:
    support: full
notes:
  - "Application permissions: C(User.Read.All) and C(Policy.Read.All). Without the second one the sample cannot be
    checked, and the result is V(unknown)."
  - That a user has per-user MFA does not say that nothing else asks the user for MFA, nor that the user has registered
    for it.
seealso:
  - module: zerotrust.m365.per_user_mfa
  - module: zerotrust.m365.tenant_info
  - name: Enable per-user Microsoft Entra multifactor authentication
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/howto-mfa-userstates
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Count the users who still have per-user MFA
  zerotrust.m365.per_user_mfa_info:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    states:
      - enabled
      - enforced
  register: inventory

- name: Stop where that is not known
  ansible.builtin.assert:
    that: inventory.per_user_mfa.completeness == 'known'
    fail_msg: "{{ inventory.msg }}"

- name: Show who they are
  ansible.builtin.debug:
    msg: "{{ inventory.per_user_mfa.users | map(attribute='user_principal_name') }}"
"""

RETURN = r"""
per_user_mfa:
  description: The inventory.
  returned: success
  type: dict
  contains:
    completeness:
      description: V(known), or V(unknown) where the state of a user could not be read or nothing could check the list.
      type: str
      sample: known
    reason:
      description: Why it is unknown; null when it is known.
      type: str
    source:
      description: V(list) for the list of users, V(single_reads) for the documented way.
      type: str
      sample: list
    source_reason:
      description: Why the list of users was not used; null when it was.
      type: str
    sample:
      description: How many users of the list were held against the documented way.
      type: int
      sample: 20
    total:
      description: How many users there are.
      type: int
      sample: 250
    states:
      description: How many users are in each state.
      type: dict
      sample: {"disabled": 200, "enabled": 10, "enforced": 40, "unknown": 0}
    by_user_type:
      description: The same for members, guests, and users whose type is neither.
      type: dict
      sample:
        member: {"disabled": 190, "enabled": 10, "enforced": 40, "unknown": 0}
        guest: {"disabled": 10, "enabled": 0, "enforced": 0, "unknown": 0}
        other: {"disabled": 0, "enabled": 0, "enforced": 0, "unknown": 0}
    enabled_accounts:
      description: The same for accounts that are enabled.
      type: dict
      sample: {"disabled": 180, "enabled": 10, "enforced": 39, "unknown": 0}
    disabled_accounts:
      description: The same for accounts that are not.
      type: dict
      sample: {"disabled": 20, "enabled": 0, "enforced": 1, "unknown": 0}
    users:
      description: The users in the states that were asked for, in Graph's order.
      type: list
      elements: dict
      contains:
        id:
          description: The object ID.
          type: str
          sample: 2b31ac51-b855-40a5-a986-0a4ed23e9008
        user_principal_name:
          description: The user principal name.
          type: str
          sample: noor.visser@contoso.example
        state:
          description: V(disabled), V(enabled), V(enforced) or V(unknown).
          type: str
          sample: enforced
        user_type:
          description: V(member), V(guest) or V(other).
          type: str
          sample: member
        account_enabled:
          description: Whether the account is enabled.
          type: bool
          sample: true
        synchronised:
          description: Whether the account is synchronised from a directory on premises.
          type: bool
          sample: false
    users_left_off:
      description: How many users in these states are not listed, for there are more than O(max_listed).
      type: int
      sample: 0
msg:
  description: One sentence about what was found.
  returned: always
  type: str
  sample: 50 of 250 users have per-user MFA.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: GET
      path: /v1.0/users
      status: 200
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "Authorization_RequestDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.per_user_mfa_info import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
