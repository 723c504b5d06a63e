# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: conditional_access_exclusion
short_description: Keep accounts or groups out of every Conditional Access policy
version_added: "0.1.0"
description:
  - Excludes users and groups from all Conditional Access policies of a tenant, whatever their state, those that came
    since the last run and Microsoft-managed ones included. Nothing else in a policy is changed.
  - It is made for the group of the emergency accounts. Microsoft asks to exclude these accounts from every policy, so
    that a mistake in one cannot lock everybody out.
  - In Microsoft-managed policies users are excluded, not groups. There the module excludes the present members of the
    groups, one by one. Members who come later are excluded by the next run.
  - Policies about workload identities apply to service principals only, never to people. The module leaves them alone
    and does not count them.
  - A policy that Graph does not let the module change is named in the failure at the end; all others are changed.
options:
  users:
    description:
      - The users to exclude, by user principal name or object ID.
    type: list
    elements: str
    default: []
  groups:
    description:
      - The groups to exclude, by display name or object ID. A name must belong to one group only.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(present) excludes them, V(absent) ends their exclusion. The exclusions of others are left alone.
      - V(absent) can put an emergency account back under policies that lock it out.
    type: str
    choices:
      - present
      - absent
    default: present
  wait_timeout:
    description:
      - Seconds to wait until Graph shows the change.
    type: int
    default: 60
extends_documentation_fragment:
  - zerotrust.m365.graph
  - zerotrust.m365.graph.expected_groups
  - zerotrust.m365.graph.attributes
  - zerotrust.m365.graph.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  async:
    support: full
notes:
  - Needs the application permissions C(Policy.Read.All), C(Policy.ReadWrite.ConditionalAccess), C(User.Read.All) and
    C(GroupMember.Read.All). Conditional Access needs Microsoft Entra ID P1.
  - Microsoft allows about one request to these policies each second and tenant. The module waits when Graph says so.
seealso:
  - module: zerotrust.m365.security_defaults
  - name: Manage emergency access accounts in Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Keep the emergency accounts out of every Conditional Access policy
  zerotrust.m365.conditional_access_exclusion:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    groups:
      - Emergency access

- name: See which policies would catch an account
  zerotrust.m365.conditional_access_exclusion:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    users:
      - emergency1@contoso.onmicrosoft.com
  check_mode: true
  diff: true
"""

RETURN = r"""
policies:
  description:
    - All Conditional Access policies but those about workload identities, in check mode as a run would leave them.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The object ID of the policy.
      type: str
      sample: 2b31ac51-b855-40a5-a986-0a4ed23e9008
    display_name:
      description: The name of the policy.
      type: str
      sample: Require MFA for everybody
    state:
      description: The state of the policy, in Microsoft's words.
      type: str
      sample: enabledForReportingButNotEnforced
    managed:
      description: Whether Microsoft manages the policy.
      type: bool
      sample: false
    excluded:
      description: Whether all users and groups of the task are excluded from it.
      type: bool
      sample: true
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: 2 of 9 Conditional Access policies were changed.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: GET
      path: /v1.0/identity/conditionalAccess/policies
      status: 200
error:
  description: What Graph or the sign-in answered. Where some policies could not be changed, their names and reasons.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.conditional_access_exclusion import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
