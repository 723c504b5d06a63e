# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: legacy_mfa_settings
short_description: Change the service settings of per-user MFA through an interface without support
version_added: "0.1.0"
description:
  - Changes the service settings of per-user MFA. App passwords, on how many days people are not asked again on a
    device, and the places where nobody is asked.
  - B(Microsoft neither documents nor supports the interface that this takes), C(/beta/policies/mfaServicePolicy). Other
    tools read it, and Microsoft's support is reported to have told customers to change it there. It may be gone
    tomorrow. Nothing is written without V(undocumented_interface) in O(accept_risks), and the module warns at each use.
  - Where the interface is absent, refuses, or answers in another form, the settings are unknown. Then the module fails,
    names the page where a person sees them, and writes nothing.
  - Only what is written is looked at and changed, down to the single suboption. All of it is one request.
  - What makes MFA weaker needs V(weaker_mfa) in O(accept_risks) as well. All this is checked in check mode too, so a
    dry run refuses what the run would refuse.
options:
  allow_app_passwords:
    description:
      - Whether people with per-user MFA may make app passwords, with which programs sign in without MFA.
    type: bool
  remember_mfa_on_trusted_device:
    description:
      - Whether people may choose not to be asked again on a device.
    type: dict
    suboptions:
      enabled:
        description:
          - Whether they may.
        type: bool
      days:
        description:
          - For how many days, 1 to 365. Microsoft recommends sign-in frequency in Conditional Access instead where that
            is licensed.
        type: int
  trusted_ips:
    description:
      - Where people are not asked for MFA.
    type: dict
    suboptions:
      skip_mfa_for_federated_users:
        description:
          - Whether federated users who sign in from inside their organisation are not asked.
        type: bool
      ip_ranges:
        description:
          - All ranges of public addresses where nobody is asked for per-user MFA, as C(203.0.113.0/24). At most 50.
          - Where Graph does not show the present ranges, this suboption is refused, since their state is unknown.
        type: list
        elements: str
  accept_risks:
    description:
      - Risks to take on purpose, by name. The error message of a refused change names the risk it is about.
      - V(undocumented_interface) allows writing through an interface that Microsoft does not document. Needed for every
        change.
      - V(weaker_mfa) allows what makes MFA weaker. App passwords on, devices remembered at all or longer, federated
        users skipped, addresses trusted that were not.
    type: list
    elements: str
    default: []
    choices:
      - undocumented_interface
      - weaker_mfa
  wait_timeout:
    description:
      - Seconds to wait until Graph shows the change.
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
  - The application permission C(Policy.Read.All) is enough to read. Which permission changing takes is not published.
    C(Policy.ReadWrite.AuthenticationMethod) is the likely one. Besides, C(Organization.Read.All) is read before a
    change, and C(User.Read.All) to count the users with per-user MFA when app passwords change.
  - An object with suboptions is sent whole, with what Graph shows of it. Whether ranges that Graph does not show
    outlive such a change of O(trusted_ips) is unknown.
  - In the clouds V(usgov), V(usgov_dod) and V(china) the settings are unknown, so the module fails there.
seealso:
  - module: zerotrust.m365.legacy_mfa_settings_info
  - name: Configure Microsoft Entra multifactor authentication settings
    description: What the settings mean, in Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/howto-mfa-mfasettings
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: No app passwords, and devices remembered for a fortnight at most
  zerotrust.m365.legacy_mfa_settings:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    allow_app_passwords: false
    remember_mfa_on_trusted_device:
      days: 14
    accept_risks:
      - undocumented_interface

- name: No place is trusted
  zerotrust.m365.legacy_mfa_settings:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    trusted_ips:
      skip_mfa_for_federated_users: false
      ip_ranges: []
    accept_risks:
      - undocumented_interface
"""

RETURN = r"""
legacy_mfa_settings:
  description: The service settings of per-user MFA, in check mode those that a run would lead to.
  returned: success
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
        - Whether MFA is skipped for federated users inside their organisation (C(skip_mfa_for_federated_users)), and
          the addresses where nobody is asked (C(ip_ranges)). Null where Graph does not show the addresses.
      type: dict
      sample: {"ip_ranges": [], "skip_mfa_for_federated_users": false}
impact:
  description: What the change means. Null when nothing changes.
  returned: success
  type: dict
  contains:
    effects:
      description: The effects in sentences. What could not be read is called unknown.
      type: list
      elements: str
      sample: ["38 users have per-user MFA."]
    facts:
      description: The facts behind them, in the form of RV(zerotrust.m365.tenant_info#module:tenant).
      type: dict
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: The settings of per-user MFA were changed.
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
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.legacy_mfa_settings import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
