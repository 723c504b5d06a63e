# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: temporary_access_pass
short_description: Make or delete the Temporary Access Pass of a user
version_added: "0.1.0"
description:
  - Makes a Temporary Access Pass, with which a user signs in once, or for some time, to register a passkey or another
    method. It counts as MFA.
  - Graph tells the pass only in the answer to the request that makes it. The result of a task that made one holds it,
    and is not shown at any verbosity. It can be used as a variable. Seal it at once.
  - A valid pass that is there is kept, and the task changes nothing. It cannot be read again.
  - Before a pass is made, the authentication methods policy is checked. What it does not allow is refused with a
    sentence, in check mode too.
options:
  user:
    description:
      - The user, by user principal name or object ID. External guests sign in at home, and get no pass.
    type: str
    required: true
  lifetime_in_minutes:
    description:
      - How long the pass is good, within what the policy allows. 10 to 43200.
      - If not set, as long as the policy says.
    type: int
  start_date_time:
    description:
      - From when on the pass is good, in ISO 8601. Without an offset it is UTC.
      - If not set, from now on.
    type: str
  is_usable_once:
    description:
      - Whether the pass works only once. V(false) is refused where the policy demands one-time passes.
    type: bool
    default: true
  replace:
    description:
      - Whether a valid pass that is there is replaced. It stops working then. Every run with V(true) is a change.
    type: bool
    default: false
  state:
    description:
      - V(present) makes a pass where there is no valid one. One that has expired, or was used up, is replaced.
      - V(absent) deletes the pass, whether it is valid or not.
    type: str
    choices:
      - present
      - absent
    default: present
  wait_timeout:
    description:
      - Seconds to wait until Graph knows a user who was created a moment ago, and until it shows that a pass is gone.
    type: int
    default: 60
extends_documentation_fragment:
  - zerotrust.m365.graph
  - zerotrust.m365.graph.attributes
  - zerotrust.m365.graph.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: partial
    details: The diff is hidden together with the pass when one was made. A dry run shows it.
  idempotent:
    support: partial
    details:
      - O(replace=true) makes another pass in every run.
  async:
    support: none
    details: An async job would leave the pass in a file.
notes:
  - Reading needs the application permissions C(User.Read.All), C(UserAuthMethod-TAP.Read.All) and
    C(Policy.Read.AuthenticationMethod). C(LicenseAssignment.Read.All) lets a dry run tell of a missing licence.
  - Making and deleting a pass needs C(UserAuthMethod-TAP.ReadWrite.All). Whoever has it can sign in as any user. Give
    it to an application that serves nothing else.
  - Practitioners say that a Temporary Access Pass takes Microsoft Entra ID P1. The RV(effects) of a dry run tell where
    a tenant has none. Where Graph refuses for that reason, the error says that a licence is missing.
  - If the answer with the pass gets lost, on the network for instance, nobody knows the pass. Make another one with
    O(replace=true).
seealso:
  - module: zerotrust.m365.emergency_account
  - name: Configure Temporary Access Pass in Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/howto-authentication-temporary-access-pass
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Make a pass, with which a passkey can be registered
  zerotrust.m365.temporary_access_pass:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    user: emergency1@contoso.onmicrosoft.com
    lifetime_in_minutes: 60
  register: made

- name: Seal it at once
  ansible.builtin.copy:
    content: "{{ made.temporary_access_pass.temporary_access_pass | ansible.builtin.vault(vault_password) }}"
    dest: /srv/seals/emergency1.pass.yml
    mode: "0600"
  when: made.temporary_access_pass.temporary_access_pass is not none
  no_log: true

- name: The pass is not needed any more
  zerotrust.m365.temporary_access_pass:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    user: emergency1@contoso.onmicrosoft.com
    state: absent
"""

RETURN = r"""
temporary_access_pass:
  description: The pass, in check mode as a run would leave it. What only a run can tell is null there.
  returned: success
  type: dict
  contains:
    user_principal_name:
      description: The user.
      type: str
      sample: emergency1@contoso.onmicrosoft.com
    user_id:
      description: The object ID of the user.
      type: str
      sample: 4562bcc8-c436-4f95-b7c0-4f8ce89dca5e
    exists:
      description: Whether there is a pass, valid or not.
      type: bool
      sample: true
    id:
      description: The ID of the pass. Null when there is none.
      type: str
      sample: 6f1967b7-15e8-4935-ac26-d50770ed07a7
    temporary_access_pass:
      description:
        - The pass itself. A secret. Null unless this task made it.
        - A result that holds it is hidden as a whole.
      type: str
      sample: x7Kq9bTz
    lifetime_in_minutes:
      description: How long the pass is good. Null when there is none.
      type: int
      sample: 60
    is_usable_once:
      description: Whether the pass works only once. Null when there is none.
      type: bool
      sample: true
    start_date_time:
      description: From when on the pass is good. Null when there is none.
      type: str
      sample: "2026-11-23T09:00:00Z"
    end_date_time:
      description: Until when the pass is good. Null when there is none.
      type: str
      sample: "2026-11-23T10:00:00Z"
    is_usable:
      description: Whether the pass can be used now. Null when there is none.
      type: bool
      sample: true
    method_usability_reason:
      description: Why it can or cannot, in Graph's words, like V(EnabledByPolicy), V(NotYetValid), V(Expired),
        V(OneTimeUsed) or V(DisabledByPolicy). Null when there is none.
      type: str
      sample: EnabledByPolicy
effects:
  description: What an approver must know besides, in sentences. Empty when nothing changes.
  returned: success
  type: list
  elements: str
  sample: ["The pass that is there stops working."]
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: A Temporary Access Pass would be made for emergency1@contoso.onmicrosoft.com.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: GET
      path: /v1.0/users/{id}
      status: 200
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.temporary_access_pass import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
