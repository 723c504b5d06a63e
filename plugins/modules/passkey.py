# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: passkey
short_description: Register a passkey for a user on a security key that is plugged in, or remove one
version_added: "0.1.0"
description:
  - Registers a passkey (FIDO2) for a user, such as an emergency account, without the user. The security key is plugged
    into the machine on which the task runs, and somebody touches it while the task waits.
  - Asks Microsoft Graph for a challenge, has the security key answer it, registers the answer, and reads it back. All
    of it is done as an application, and works in the free tier.
  - A passkey is told by its display name. Where the user has one of that name, nothing is done, and no security key is
    needed.
  - What is refused, is refused in check mode too, before anybody touches the key. That is a user for whom the
    authentication methods policy does not enable passkeys, a policy without self-service set-up, with which Graph
    registers none for others either (a known issue), a policy that allows synced passkeys only, and a national cloud.
  - What only the security key can tell is told before it is touched. That is a model (AAGUID) that the policy does not
    allow, a key without a PIN, a missing O(pin), and a key that knows U2F only. A key without attestation, where the
    policy enforces attestation, is told after the touch. Graph is not asked to register it.
options:
  user:
    description:
      - The user, by user principal name or object ID.
    type: str
    required: true
  display_name:
    description:
      - What the passkey is called at the user, 1 to 30 characters. Best says where the key lies, or its number.
    type: str
    required: true
  pin:
    description:
      - The PIN of the security key. Not needed for a key that verifies its user by itself, as by a finger.
      - A task cannot ask for it. Use C(vars_prompt) in the play, or a vault.
      - Write it in quotes. YAML reads digits with a zero in front as another number.
      - A wrong PIN is tried once, and never again in the same run. Security keys block after eight wrong ones.
    type: str
  touch_timeout:
    description:
      - Seconds to wait for somebody to touch the security key, at most 240. Graph gives five minutes for the whole
        registration.
    type: int
    default: 120
  state:
    description:
      - V(present) registers a passkey of this display name where the user has none.
      - V(absent) removes it. It is refused where no other second factor of the user shows in Graph. A Temporary Access
        Pass does not count as one, and neither does a certificate. The security key itself is not needed, and keeps
        what it holds.
    type: str
    choices:
      - present
      - absent
    default: present
  force:
    description:
      - Allows O(state=absent) to remove the only second factor of a user, though never that of a Global Administrator.
        Register another one first.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait until Graph shows a change, and until it knows a user who was created a moment ago.
    type: int
    default: 60
extends_documentation_fragment:
  - zerotrust.m365.graph
  - zerotrust.m365.graph.attributes
  - zerotrust.m365.graph.action_group
requirements:
  - fido2 >= 2.0.0 (python-fido2), to register a passkey, not in check mode nor to remove one
attributes:
  check_mode:
    support: full
    details:
      - Needs no security key. What only the key can tell is null.
  diff_mode:
    support: full
  idempotent:
    support: full
  async:
    support: full
notes:
  - Reading needs the application permissions C(User.Read.All), C(GroupMember.Read.All),
    C(UserAuthMethod-Passkey.Read.All) and C(Policy.Read.AuthenticationMethod). Registering and removing need
    C(UserAuthMethod-Passkey.ReadWrite.All). O(state=absent) reads C(UserAuthenticationMethod.Read.All) and
    C(RoleManagement.Read.Directory) besides. Who may register passkeys for others can become any user of the tenant.
  - The task cannot say when to touch the key. It blinks. Tell the person before, with M(ansible.builtin.pause) for
    example.
  - Just one security key may be plugged in, for the task cannot ask which one is meant. Register for one user at a
    time. Use C(throttle=1) where a play has many hosts.
  - On Linux, udev rules give ordinary users the access to security keys. A container, such as an execution environment,
    sees none unless it is given the device. So run this at a workstation.
  - Microsoft Graph registers passkeys for others in the global cloud only.
  - Microsoft's portals take a passkey as multifactor authentication. Whether security defaults do, is told differently
    by Microsoft's own pages. Prove it by a drill with the defaults on.
seealso:
  - module: zerotrust.m365.certificate_user_ids
  - module: zerotrust.m365.emergency_access_info
  - module: zerotrust.m365.emergency_account
  - name: Enable passkeys (FIDO2) in Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/how-to-enable-passkey-fido2
  - name: Create fido2AuthenticationMethod
    description: Microsoft's documentation of the Graph request.
    link: https://learn.microsoft.com/graph/api/authentication-post-fido2methods
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Say what is next
  ansible.builtin.pause:
    prompt: Plug in the security key of emergency1 and press Enter. Touch it when it blinks

- name: The emergency account has the passkey of the safe
  zerotrust.m365.passkey:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    user: emergency1@contoso.onmicrosoft.com
    display_name: Safe in Utrecht
    pin: "{{ security_key_pin }}" # asked for by vars_prompt in the play

- name: Remove a key that was lost, once another one is registered
  zerotrust.m365.passkey:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    user: emergency1@contoso.onmicrosoft.com
    display_name: Safe in Delft
    state: absent
"""

RETURN = r"""
passkey:
  description: The passkey, in check mode as a run would leave it.
  returned: success
  type: dict
  contains:
    user_id:
      description: The object ID of the user.
      type: str
      sample: 4562bcc8-c436-4f95-b7c0-4f8ce89dca5e
    user_principal_name:
      description: The user principal name.
      type: str
      sample: emergency1@contoso.onmicrosoft.com
    display_name:
      description: The display name of the passkey.
      type: str
      sample: Safe in Utrecht
    exists:
      description: Whether the user has it.
      type: bool
      sample: true
    id:
      description: The ID of the passkey. Null when there is none, or in check mode would be a new one. So are all
        values below but RV(passkey.allowed).
      type: str
      sample: -2_GRUg2-HYz6_1YG4YRAQ2
    aaguid:
      description: The model of the security key, as its AAGUID.
      type: str
      sample: de1e552d-db1d-4423-a619-566b625cdc84
    model:
      description: The model of the security key, as Graph calls it.
      type: str
      sample: NFC key
    kind:
      description: Whether the passkey stays in one device.
      type: str
      choices:
        - device_bound
        - synced
      sample: device_bound
    attestation:
      description: Whether the maker of the key vouched for it at registration.
      type: str
      choices:
        - attested
        - not_attested
      sample: attested
    created:
      description: When the passkey was registered.
      type: str
      sample: "2026-11-23T12:00:00Z"
    allowed:
      description: Whether the authentication methods policy lets the user sign in with this passkey. Null when that
        cannot be told, and with O(state=absent).
      type: bool
      sample: true
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: emergency1@contoso.onmicrosoft.com got the passkey 'Safe in Utrecht'.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: POST
      path: /v1.0/users/{id}/authentication/fido2Methods
      status: 201
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.passkey import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
