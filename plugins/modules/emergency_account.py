# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: emergency_account
short_description: Keep an emergency account (break glass account) there and usable
version_added: "0.1.0"
description:
  - Creates an emergency account, restores it, mends it, sets its password, or deletes it. All that Microsoft asks of
    such an account is one resource. It is a cloud-only member on the tenant's initial domain, it is enabled, its
    password never expires, it is Global Administrator actively and permanently, and it is in the group that Conditional
    Access policies exclude.
  - The password is set when the account is created, before it gets the role. Afterwards an application without a
    directory role may not set it any more. It is never read, compared or shown.
  - A run that is interrupted is finished by the next one. It finds an account whose creation was not answered, and it
    waits while Graph does not show yet what was done.
  - What is refused, is refused in check mode too, before anything is written. That is a name on another domain, a
    federated initial domain, a synchronised user or a guest of that name, a deleted account of that name, a weak
    password, a group or an administrative unit that does not suit, and a tenant for customers.
options:
  user_principal_name:
    description:
      - The name of the account. Either the part before the C(@) alone, or the whole name on the tenant's initial domain
        (C(contoso.onmicrosoft.com)). Names on other domains are refused.
    type: str
    required: true
  display_name:
    description:
      - The display name of the account.
    type: str
    default: Emergency access
  password:
    description:
      - The password of the account. Needed when the account is to be created, and with O(update_password=always).
      - 8 to 256 printable ASCII characters, of three of these classes at least (lower case, upper case, digits,
        symbols), without a word of the account's names.
      - Store it in a safe place before this module uses it. Nobody can read it back.
    type: str
  update_password:
    description:
      - V(on_create) sets the password only when the account is created.
      - V(always) sets it in every run, which therefore always is a change. For an account that is Global Administrator,
        an application may do so only with the directory role Privileged Authentication Administrator.
    type: str
    choices:
      - on_create
      - always
    default: on_create
  assign_role:
    description:
      - Whether the account is to be Global Administrator of the whole tenant, actively and permanently. Being eligible
        for the role, or having it until some day, is not enough. Then the permanent assignment is made.
      - V(false) leaves the roles of the account alone.
    type: bool
    default: true
  exclusion_group:
    description:
      - The group that all Conditional Access policies exclude, by display name or object ID. The account becomes a
        member. See M(zerotrust.m365.conditional_access_exclusion) for the policies. A public group, which anybody can
        join, is refused.
    type: str
  administrative_unit:
    description:
      - A restricted management administrative unit, by display name or object ID. The account is put into it, as the
        last change. Needs Microsoft Entra ID P1.
      - Afterwards only roles that are assigned at this unit allow to change the account. The RV(effects) tell what that
        locks out.
    type: str
  restore:
    description:
      - Whether an account of that name that was deleted during the last 30 days is restored. It keeps its password.
      - V(false) refuses to go on while there is such an account.
    type: bool
    default: false
  state:
    description:
      - V(present) makes the account what it is to be.
      - V(absent) deletes it. This needs O(force=true), and another enabled and cloud-only user on a managed domain who
        is permanently Global Administrator. What Graph does not show counts as missing.
    type: str
    choices:
      - present
      - absent
    default: present
  force:
    description:
      - Allows to delete the account with O(state=absent).
      - Allows to create an account though a Global Administrator has the same name on another domain, and could be the
        emergency account after somebody renamed it.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait until Graph shows a change, and until it knows an account that was created a moment ago.
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
    support: partial
    details:
      - O(update_password=always) sets the password in every run.
  async:
    support: full
notes:
  - Reading needs the application permissions C(Domain.Read.All), C(Organization.Read.All), C(User.Read.All),
    C(RoleManagement.Read.Directory), C(GroupMember.Read.All), and C(AdministrativeUnit.Read.All) for
    O(administrative_unit).
  - Changing needs C(User.ReadWrite.All), C(RoleManagement.ReadWrite.Directory), C(GroupMember.ReadWrite.All), and
    C(AdministrativeUnit.ReadWrite.All) for O(administrative_unit). These permissions can lead to Global Administrator.
    Give them to an application that serves nothing else.
  - To set the password of an account that is Global Administrator, to enable, delete or restore it, the application
    needs the directory role Privileged Authentication Administrator besides.
  - Without Microsoft Entra ID P2, Graph does not show whether a role assignment has an end. Such assignments have none,
    so one that is there counts as permanent, and RV(emergency_account.permanence) says V(inferred).
seealso:
  - module: zerotrust.m365.conditional_access_exclusion
  - module: zerotrust.m365.security_defaults
  - name: Manage emergency access accounts in Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access
  - name: Restricted management administrative units in Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: An emergency account exists and is usable
  zerotrust.m365.emergency_account:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    user_principal_name: emergency1
    password: "{{ sealed_password }}"
    exclusion_group: Emergency access
  register: emergency1

- name: See what it would take to mend it
  zerotrust.m365.emergency_account:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    user_principal_name: emergency1@contoso.onmicrosoft.com
    restore: true
    exclusion_group: Emergency access
  check_mode: true
  diff: true

- name: Set a new password
  zerotrust.m365.emergency_account:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    user_principal_name: emergency1
    password: "{{ newly_sealed_password }}"
    update_password: always

- name: An emergency account that is not needed any more is deleted
  zerotrust.m365.emergency_account:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    user_principal_name: emergency3
    state: absent
    force: true
"""

RETURN = r"""
emergency_account:
  description: The account, in check mode as a run would leave it.
  returned: success
  type: dict
  contains:
    id:
      description: The object ID. Null when there is no account, or in check mode would be a new one.
      type: str
      sample: 4562bcc8-c436-4f95-b7c0-4f8ce89dca5e
    user_principal_name:
      description: The whole name on the initial domain.
      type: str
      sample: emergency1@contoso.onmicrosoft.com
    display_name:
      description: The display name. Null when there is no account.
      type: str
      sample: Emergency access
    enabled:
      description: Whether the account is enabled. Null when there is no account.
      type: bool
      sample: true
    exists:
      description: Whether the account is there.
      type: bool
      sample: true
    password_never_expires:
      description: Whether the password never expires. Null when there is no account.
      type: bool
      sample: true
    password_set:
      description: Whether this run set the password, or in check mode would set it.
      type: bool
      sample: false
    last_password_change:
      description: When the password was last changed, as Graph showed it. Null when there is no account, and in check
        mode when the password would be set.
      type: str
      sample: "2026-11-23T09:00:00Z"
    global_administrator:
      description: How the account is Global Administrator of the whole tenant.
      type: str
      choices:
        - permanent
        - time_bound
        - eligible
        - none
        - unknown
      sample: permanent
    permanence:
      description: Whether that was read, or inferred from an assignment for which Graph shows no schedule.
      type: str
      choices:
        - read
        - inferred
      sample: inferred
    exclusion_group:
      description: The group of O(exclusion_group). Null when the task names none.
      type: dict
      contains:
        id:
          description: The object ID.
          type: str
        display_name:
          description: The display name.
          type: str
        member:
          description: Whether the account is a direct member.
          type: bool
    administrative_unit:
      description: The administrative unit of O(administrative_unit). Null when the task names none.
      type: dict
      contains:
        id:
          description: The object ID.
          type: str
        display_name:
          description: The display name.
          type: str
        member:
          description: Whether the account is a member.
          type: bool
effects:
  description: What the changes mean for those who manage the account, in sentences. Empty when nothing changes.
  returned: success
  type: list
  elements: str
  sample: []
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: emergency1@contoso.onmicrosoft.com was created and made Global Administrator permanently.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: GET
      path: /v1.0/domains
      status: 200
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "Authorization_RequestDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.emergency_account import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
