# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: hardware_oath_token
short_description: Upload a hardware OATH token, assign it to a user, and activate it
version_added: "0.1.0"
description:
  - Takes a hardware OATH token (TOTP) from the list of its maker to a second factor that works. It is uploaded,
    assigned to a user, and activated with the code that it shows at that moment. The code is computed from the secret
    of the token (RFC 6238), so nobody has to read it off.
  - A token is found by its serial number. A run that was interrupted is finished by the next one, whatever was done.
  - The secret is sent once, at the upload. It is never read back, compared or shown.
options:
  serial_number:
    description:
      - The serial number of the token.
    type: str
    required: true
  manufacturer:
    description:
      - The manufacturer. Needed for the upload. For a token that is there, it must be the same.
    type: str
  model:
    description:
      - The model. Needed for the upload. For a token that is there, it must be the same.
    type: str
  secret_key:
    description:
      - The secret of the token in base32, at most 128 characters. Blanks and hyphens are left out. Needed for the
        upload and for the activation.
    type: str
  time_interval_in_seconds:
    description:
      - After how many seconds the token shows another code. If not set, a new token gets V(30). For a token that is
        there, it must be the same.
    type: int
    choices:
      - 30
      - 60
  hash_function:
    description:
      - The hash function of the token. If not set, a new token gets V(hmacsha1). For a token that is there, it must be
        the same.
    type: str
    choices:
      - hmacsha1
      - hmacsha256
  display_name:
    description:
      - What the token is called. It is written at the upload and at the activation, and not compared later.
    type: str
  user:
    description:
      - The user to whom the token is assigned, by user principal name or object ID. A token that another user has is
        refused.
      - If not set, the token is uploaded only, and stays with whom it is assigned to.
    type: str
  activate:
    description:
      - Whether the token is activated for O(user). V(false) leaves the activation to the user, and an active token
        active.
    type: bool
    default: true
  force:
    description:
      - Allows to delete an activated token with O(state=absent) though it is the only second factor that Graph shows of
        its user. Never that of a Global Administrator.
    type: bool
    default: false
  state:
    description:
      - V(present) uploads, assigns and activates the token, as far as that is not done.
      - V(absent) takes the token away from its user and deletes it.
    type: str
    choices:
      - present
      - absent
    default: present
  wait_timeout:
    description:
      - Seconds to wait until Graph shows a change, and until it knows a user who was created a moment ago.
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
    support: full
  idempotent:
    support: full
  async:
    support: full
notes:
  - This part of Microsoft Graph is in its beta version, and in the global cloud only.
  - Reading needs the application permissions C(Policy.Read.All), C(User.Read.All) and
    C(UserAuthMethod-HardwareOATH.Read.All). O(state=absent) also needs C(UserAuthenticationMethod.Read.All) and
    C(RoleManagement.Read.Directory), to tell whether the token is the only second factor of its user.
  - Uploading and deleting needs C(Policy.ReadWrite.AuthenticationMethod), assigning and activating
    C(UserAuthMethod-HardwareOATH.ReadWrite.All).
  - Uploading tokens takes Microsoft Entra ID P1. Where Graph refuses for that reason, the error says that a licence is
    missing. The RV(effects) of a dry run tell it before.
  - Without P1, use a programmable TOTP token. It is enrolled like an authenticator app. Sign in as the user, add an
    authenticator app under security info, choose to use another one, and burn the secret of the QR code into the token
    with its maker's application. Graph shows it as a software OATH token afterwards, which could as well be somebody's
    phone. So tell M(zerotrust.m365.emergency_access_info) of it as V(totp_token) under C(attested).
  - For the code, the time is taken from the answers of Graph, so a wrong clock of this machine does no harm. The clock
    of the token itself is not known. One that runs wrong is noticed at the first sign-in only.
  - The method must be enabled for the user in the authentication methods policy (C(HardwareOath)). This module does not
    look there. M(zerotrust.m365.emergency_access_info) does.
seealso:
  - module: zerotrust.m365.emergency_access_info
  - name: Manage OATH tokens in Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/how-to-mfa-manage-oath-tokens
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: An emergency account has a hardware token that works
  zerotrust.m365.hardware_oath_token:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    serial_number: GALT11420104
    manufacturer: Thales
    model: OTP 110 Token
    secret_key: "{{ sealed_secret_of_the_token }}"
    user: emergency1@contoso.onmicrosoft.com

- name: Tokens are in stock
  zerotrust.m365.hardware_oath_token:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    serial_number: "{{ item.serial_number }}"
    manufacturer: Thales
    model: OTP 110 Token
    secret_key: "{{ item.secret_key }}"
  loop: "{{ tokens }}"
  loop_control:
    label: "{{ item.serial_number }}"

- name: A lost token is gone
  zerotrust.m365.hardware_oath_token:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    serial_number: GALT11420104
    state: absent
"""

RETURN = r"""
hardware_oath_token:
  description: The token, in check mode as a run would leave it. What only a run can tell is null there.
  returned: success
  type: dict
  contains:
    exists:
      description: Whether the token is there.
      type: bool
      sample: true
    id:
      description: The ID of the token. Null when there is none.
      type: str
      sample: 3dee0e53-f50f-43ef-85c0-b44689f2d66d
    serial_number:
      description: The serial number.
      type: str
      sample: GALT11420104
    display_name:
      description: What the token is called. Null when there is none, or it has no name.
      type: str
      sample: Safe in the basement
    manufacturer:
      description: The manufacturer. Null when there is no token.
      type: str
      sample: Thales
    model:
      description: The model. Null when there is no token.
      type: str
      sample: OTP 110 Token
    time_interval_in_seconds:
      description: After how many seconds the token shows another code. Null when there is none.
      type: int
      sample: 30
    hash_function:
      description: The hash function. Null when there is no token.
      type: str
      sample: hmacsha1
    status:
      description: What was done with the token. Null when there is none.
      type: str
      choices:
        - available
        - assigned
        - activated
        - failedActivation
      sample: activated
    user_id:
      description: The object ID of the user to whom it is assigned. Null when there is none.
      type: str
      sample: 4562bcc8-c436-4f95-b7c0-4f8ce89dca5e
effects:
  description: What an approver must know besides, in sentences. Empty when nothing changes.
  returned: success
  type: list
  elements: str
  sample: []
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: The hardware OATH token GALT11420104 was uploaded, assigned to emergency1@contoso.onmicrosoft.com, activated.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: GET
      path: /beta/directory/authenticationMethodDevices/hardwareOathDevices
      status: 200
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.hardware_oath_token import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
