# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: legacy_mfa_settings_info
short_description: Read the service settings of per-user MFA, where Graph shows them
version_added: "0.1.0"
description:
  - Reads the service settings of per-user MFA. App passwords, on how many days people are not asked again on a device,
    and the places where nobody is asked.
  - B(Microsoft neither documents nor supports the interface that this takes), C(/beta/policies/mfaServicePolicy). Other
    tools read it, so it has been there. The module warns of this at each use.
  - Where the interface is absent, refuses, or answers in another form, the settings are unknown, with the reason and
    the page where a person sees them. They never become a default.
  - It does not show the verification options of per-user MFA nor the settings of self-service password reset. Graph has
    no interface for these.
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
  - The application permission C(Policy.Read.All) is enough in the tenants where other tools read the settings.
  - In the clouds V(usgov), V(usgov_dod) and V(china) the settings are unknown. Nobody has reported the interface there,
    so it is not asked.
seealso:
  - module: zerotrust.m365.legacy_mfa_settings
  - name: Configure Microsoft Entra multifactor authentication settings
    description: What the settings mean, in Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/howto-mfa-mfasettings
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Read the service settings of per-user MFA
  zerotrust.m365.legacy_mfa_settings_info:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
  register: per_user_mfa

- name: Show whether app passwords are allowed, or why that is unknown
  ansible.builtin.debug:
    msg: >-
      {{ per_user_mfa.legacy_mfa_settings.reason
      or per_user_mfa.legacy_mfa_settings.value.allow_app_passwords }}
"""

RETURN = r"""
legacy_mfa_settings:
  description: The service settings of per-user MFA.
  returned: success
  type: dict
  contains:
    completeness:
      description: V(known) or V(unknown).
      type: str
      sample: known
    reason:
      description: Why the settings are unknown. Null when they are known.
      type: str
      sample: null
    value:
      description: The settings. Null when they are unknown.
      type: dict
      contains:
        allow_app_passwords:
          description: Whether people with per-user MFA may make app passwords.
          type: bool
          sample: false
        remember_mfa_on_trusted_device:
          description: Whether C(enabled), and for how many C(days).
          type: dict
          sample: {"days": 14, "enabled": true}
        trusted_ips:
          description:
            - Whether MFA is skipped for federated users inside their organisation (C(skip_mfa_for_federated_users)),
              and the addresses where nobody is asked (C(ip_ranges)). Null where Graph does not show the addresses.
          type: dict
          sample: {"ip_ranges": ["203.0.113.0/24"], "skip_mfa_for_federated_users": false}
    not_shown:
      description: Settings that Graph leaves out, so that they are unknown, as V(trusted_ips.ip_ranges).
      type: list
      elements: str
      sample: []
    where_to_look:
      description: Where a person sees the settings.
      type: str
      sample: in the Microsoft Entra admin center under Users > Per-user MFA > Service settings
msg:
  description: One sentence about what was found.
  returned: always
  type: str
  sample: The settings of per-user MFA are known.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: GET
      path: /beta/policies/mfaServicePolicy
      status: 200
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.legacy_mfa_settings_info import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
