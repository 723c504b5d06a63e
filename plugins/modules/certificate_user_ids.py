# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_user_ids
short_description: Say which certificates are a user's, for certificate-based authentication
version_added: "0.1.0"
description:
  - Keeps the certificate user IDs of a cloud-only user, such as an emergency account. They bind certificates to the
    user, so that somebody who presents such a certificate signs in as this user.
  - This prepares a sign-in with a certificate, and no more. The certificate authority has to be trusted by the tenant,
    the method X509Certificate enabled for the user, and a rule of its user bindings has to name the field. Microsoft
    Graph shows no certificate of a user. Only a sign-in proves that it works.
options:
  user:
    description:
      - The user, by user principal name or object ID.
    type: str
    required: true
  certificate_user_ids:
    description:
      - The IDs, each of one of the forms that Entra knows. C(X509:<PN>name), C(X509:<RFC822>address),
        C(X509:<I>issuer<S>subject), C(X509:<S>subject), C(X509:<SKI>identifier), C(X509:<SHA1-PUKEY>hash) or
        C(X509:<I>issuer<SR>serial number). What stands between angle brackets is case-sensitive.
      - Entra trusts the forms with C(<SKI>), C(<SHA1-PUKEY>) and C(<SR>) more than the others (high affinity), since
        they name one certificate or key. Prefer them for emergency accounts.
      - A user has at most 10 of at most 1024 characters, and an ID belongs to one user of the tenant only.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) adds the IDs to those that the user has.
      - V(absent) takes them away.
      - V(set) makes them the only ones. An empty list takes all away.
      - To take the last ID away is refused where no second factor of the user shows in Graph. A Temporary Access Pass
        does not count as one.
    type: str
    choices:
      - present
      - absent
      - set
    default: present
  force:
    description:
      - Allows to take the last ID away though Graph shows no second factor of the user, but never from a Global
        Administrator. Register another factor first.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait until Graph shows a change.
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
  - Reading needs the application permission C(User.Read.All), changing C(User.ReadWrite.All). Taking the last ID away
    reads C(UserAuthenticationMethod.Read.All), C(GroupMember.Read.All) and C(RoleManagement.Read.Directory) besides.
  - To change the IDs of an administrator, the application needs the directory role Privileged Authentication
    Administrator besides. So bind a certificate to an emergency account before it gets its role.
  - The IDs of a synchronised user come from on-premises Active Directory, and are refused here.
  - Who may change certificate user IDs, and has a certificate of a trusted authority, can become that user.
seealso:
  - module: zerotrust.m365.emergency_access_info
  - module: zerotrust.m365.emergency_account
  - module: zerotrust.m365.passkey
  - name: Mapping to the certificateUserIds attribute in Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/concept-certificate-based-authentication-certificateuserids
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: The certificate on the card in the safe is the emergency account's
  zerotrust.m365.certificate_user_ids:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    user: emergency2@contoso.onmicrosoft.com
    certificate_user_ids:
      - X509:<SKI>6f1c1a80d2b94d6f8a60a3d1b7c3e5f9d0a1b2c3

- name: After the card was replaced, only the new certificate is
  zerotrust.m365.certificate_user_ids:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    user: emergency2@contoso.onmicrosoft.com
    certificate_user_ids:
      - X509:<SKI>0d2b94d6f8a60a3d1b7c3e5f9d0a1b2c36f1c1a8
    state: set
"""

RETURN = r"""
certificate_user_ids:
  description: The binding, in check mode as a run would leave it.
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
      sample: emergency2@contoso.onmicrosoft.com
    ids:
      description: All certificate user IDs of the user, sorted.
      type: list
      elements: str
      sample: ["X509:<SKI>6f1c1a80d2b94d6f8a60a3d1b7c3e5f9d0a1b2c3"]
    second_factor:
      description: V(prepared) where there are any. Whether a certificate works is proven by a sign-in only.
      type: str
      choices:
        - prepared
        - none
      sample: prepared
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: The certificate user IDs of emergency2@contoso.onmicrosoft.com were changed.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: PATCH
      path: /v1.0/users/{id}
      status: 204
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "Authorization_RequestDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.certificate_user_ids import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
