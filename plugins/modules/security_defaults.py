# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: security_defaults
short_description: Turn security defaults of Microsoft Entra ID on or off
version_added: "0.1.0"
description:
  - Turns security defaults of a tenant on or off, and says beforehand whom that concerns.
  - Security defaults are the baseline of Microsoft Entra ID that needs no licence. Everybody registers for MFA,
    administrators do MFA at every sign-in, others when Entra finds it necessary, legacy authentication and the device
    code flow are blocked. They know no exclusions.
  - Before a change the module reads what decides whether it is safe. Enabled Conditional Access policies exclude
    security defaults. Without Microsoft Authenticator or software OATH tokens for everybody, they lock people
    out. So they do with whoever has registered only methods that the authentication methods policy has switched off.
    And there must be emergency accounts that work when nothing else does. What cannot be read counts as unsafe.
  - All this is checked in check mode too, so a dry run refuses what the run would refuse.
options:
  enabled:
    description:
      - Whether security defaults are on.
    type: bool
    required: true
  emergency_access:
    description:
      - The emergency accounts of the tenant. When security defaults are to be turned on, enough of them must be usable.
      - Not looked at when nothing changes, or to turn security defaults off.
    type: dict
    suboptions:
      accounts:
        description:
          - The emergency accounts.
        type: list
        elements: dict
        required: true
        suboptions:
          user_principal_name:
            description:
              - The name before the C(@), or the whole user principal name on the tenant's initial domain.
            type: str
            required: true
          second_factor:
            description:
              - The second factor that the account is expected to have, as in
                O(zerotrust.m365.emergency_access_info#module:accounts[].second_factor).
            type: str
            choices: [passkey, certificate, hardware_oath_token, totp_token, temporary_access_pass]
          attested:
            description:
              - Second factors that the operator vouches for, as in
                O(zerotrust.m365.emergency_access_info#module:accounts[].attested).
            type: list
            elements: str
            choices: [certificate, hardware_oath_token, totp_token]
            default: []
          drill:
            description:
              - The last drill, as in O(zerotrust.m365.emergency_access_info#module:accounts[].drill).
            type: dict
            suboptions:
              date:
                description:
                  - The day of the drill as C(YYYY-MM-DD).
                type: str
                required: true
              enforcement:
                description:
                  - Whether MFA was enforced for everybody at that time.
                type: bool
                default: false
              security_defaults:
                description:
                  - Whether it was enforced by security defaults.
                type: bool
                default: false
              methods:
                description:
                  - With what the account signed in. Without it, a drill proves no second factor.
                type: list
                elements: str
                default: []
              by:
                description:
                  - Who did it.
                type: str
      exclusion_group:
        description:
          - The group that Conditional Access policies exclude, by name or object ID.
        type: str
      wanted:
        description:
          - How many usable accounts there must be.
        type: int
        default: 2
      drill_max_age_days:
        description:
          - How many days ago the last drill may be.
        type: int
        default: 90
  ledger:
    description:
      - The ledger of M(zerotrust.m365.per_user_mfa) of this tenant, where it is kept. Before security defaults are
        turned on, it is noted there that they were off. Then nobody loses per-user MFA before they have spread, even
        where the ledger knows them from an earlier time and the run ends in between.
      - A ledger that is not there yet is not begun. Not looked at to turn security defaults off.
    type: path
  accept_risks:
    description:
      - Risks to take on purpose, by name. The error message of a refused change names the risk it is about.
      - V(unknown_conditional_access) goes on though the Conditional Access policies could not be read.
      - V(unknown_registration_methods) goes on though it is not known which methods people may register.
      - V(limited_registration_methods) goes on though only some users may register Microsoft Authenticator or software
        OATH tokens. The others are locked out.
      - V(no_way_in) goes on though the authentication methods policy allows none of the methods for MFA that some
        people have registered. They are named. Security defaults ask for MFA, and whether Entra then lets them register
        another method is not documented. Declared emergency accounts are judged as such, and not here.
      - V(unknown_ways_in) goes on though it is not known whether administrators can use what they have registered.
      - V(unprotected_users) is needed to turn security defaults off. Nobody can be covered by Conditional Access before
        they are off.
      - V(unproven_emergency_access) goes on though O(emergency_access) is missing, or fewer accounts than wanted are
        known to be usable with a second factor that security defaults take. Microsoft's pages contradict each other on
        whether they take passkeys. Until a drill with the defaults on proves it, a TOTP token besides is what counts.
        Meant for a first run, before second factors are registered.
    type: list
    elements: str
    default: []
    choices:
      - unknown_conditional_access
      - unknown_registration_methods
      - limited_registration_methods
      - no_way_in
      - unknown_ways_in
      - unprotected_users
      - unproven_emergency_access
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
  - Reading needs the application permission C(Policy.Read.All), changing needs C(Policy.ReadWrite.SecurityDefaults)
    besides. To tell whom a change concerns, C(User.Read.All), C(RoleManagement.Read.Directory),
    C(LicenseAssignment.Read.All) and C(Organization.Read.All) are read; C(Directory.Read.All) covers these four. What
    people have registered takes C(UserAuthenticationMethod.Read.All), and with Microsoft Entra ID P1
    C(AuditLog.Read.All) for the report of registered methods. Where the policy names groups, C(GroupMember.Read.All) or
    C(Directory.Read.All) is needed. What O(emergency_access) needs besides, M(zerotrust.m365.emergency_access_info)
    tells.
  - What people have registered is read when security defaults are to be turned on, of administrators 20 in one request.
    Of everybody else it is read from the report. It lags some hours, so of enabled users whom it leaves out, and
    without Microsoft Entra ID P1 of everybody, it is read in the same way as of administrators, up to 500 people. Of
    more people than that it stays unknown, which is told in RV(impact.effects) and does not stand in the way. Nor does
    it where only the legacy MFA settings, which Graph does not show, may allow a method, until the migration to the
    authentication methods policy is complete.
seealso:
  - module: zerotrust.m365.authentication_method
  - module: zerotrust.m365.emergency_access_info
  - module: zerotrust.m365.temporary_access_pass
  - module: zerotrust.m365.tenant_info
  - name: Security defaults in Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/fundamentals/security-defaults
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: See what turning security defaults on would mean
  zerotrust.m365.security_defaults:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    enabled: true
    emergency_access: &emergency_access
      accounts:
        - user_principal_name: emergency1
        - user_principal_name: emergency2
          attested:
            - totp_token
  check_mode: true
  diff: true
  register: security_defaults_preview

- name: Show it
  ansible.builtin.debug:
    var: security_defaults_preview.impact.effects

- name: Turn security defaults on
  zerotrust.m365.security_defaults:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    enabled: true
    emergency_access: *emergency_access

- name: Turn them off, when Conditional Access policies are ready to be enabled right after
  zerotrust.m365.security_defaults:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    enabled: false
    accept_risks:
      - unprotected_users
"""

RETURN = r"""
security_defaults:
  description: The state of security defaults, in check mode the state that a run would lead to.
  returned: success
  type: dict
  contains:
    enabled:
      description: Whether security defaults are on.
      type: bool
      sample: true
impact:
  description: What the change means and for whom. Null when nothing changes.
  returned: success
  type: dict
  contains:
    effects:
      description:
        - The effects in sentences. Who may not get in any more is named, ten of them. What could not be read is called
          unknown.
      type: list
      elements: str
      sample: ["5 administrators do MFA at every sign-in."]
    facts:
      description: The facts behind them, in the form of RV(zerotrust.m365.tenant_info#module:tenant).
      type: dict
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: Security defaults are on.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: GET
      path: /v1.0/policies/identitySecurityDefaultsEnforcementPolicy
      status: 200
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.security_defaults import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
