# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: emergency_access_info
short_description: Tell whether emergency accounts would work
version_added: "0.1.0"
description:
  - Tells of each declared emergency (break-glass) account whether it is usable, unusable, or unknown, with all reasons.
  - Emergency accounts are never guessed. Only accounts that O(accounts) names are looked at.
  - A check that cannot be read is V(unknown), with the reason that Graph gave. It is never taken as passed.
  - An account is C(usable) when it exists, is enabled, lives in the cloud only, is on the tenant's initial domain whose
    users sign in at Microsoft, has a password that does not expire, is Global Administrator actively and permanently,
    is caught by no enabled Conditional Access policy, and has a second factor that the tenant allows. One of these
    that fails makes it C(unusable), else one that is unknown makes it C(unknown).
  - An account is C(proven) when it is usable and a drill, not too long ago, succeeded with MFA enforced for everybody
    and with a second factor that it still has.
options:
  accounts:
    description:
      - The emergency accounts.
    type: list
    elements: dict
    required: true
    suboptions:
      user_principal_name:
        description:
          - The name before the C(@), or the whole user principal name on the tenant's initial domain. Names on another
            domain are refused.
        type: str
        required: true
      second_factor:
        description:
          - The second factor that the account is expected to have. Only this one counts then.
          - V(totp_token) is a token of its own that was enrolled like an authenticator app. Graph shows it as software
            OATH token.
          - V(temporary_access_pass) expects one that is usable now, for a passkey that is still to be registered. Until
            it is, the account is unusable, for the pass does not last. The sentence of the check says until when it can
            be done.
          - Without this option, a passkey, a hardware OATH token, a bound certificate, or one of O(accounts[].attested)
            counts.
        type: str
        choices: [passkey, certificate, hardware_oath_token, totp_token, temporary_access_pass]
      attested:
        description:
          - Second factors that the operator vouches for, since Graph does not show them or not whose they are. Passkeys
            are not among them, for Graph shows every one.
          - V(totp_token) counts only where Graph shows a software OATH token of the account as well.
        type: list
        elements: str
        choices: [certificate, hardware_oath_token, totp_token]
        default: []
      drill:
        description:
          - The last time that somebody signed in with the account to see that it works.
        type: dict
        suboptions:
          date:
            description:
              - The day of the drill as C(YYYY-MM-DD). Days in the future are refused.
              - Where Graph shows the last sign-in, a drill after which there was none does not count.
              - A drill on a day before the account was created does not count, for it was of an earlier account of this
                name. The day of creation is that of UTC.
            type: str
            required: true
          enforcement:
            description:
              - Whether MFA was enforced for everybody at that time, by security defaults or Conditional Access.
            type: bool
            default: false
          security_defaults:
            description:
              - Whether it was enforced by security defaults. Only such a drill proves that they take a passkey, a
                certificate or a hardware token, on which Microsoft's pages contradict each other.
            type: bool
            default: false
          methods:
            description:
              - With what the account signed in, in the words of the sign-in log, such as C(Passkey (device-bound)), or
                in those of O(accounts[].second_factor).
              - A drill proves the second factors among them, as long as the account has them and may use them, and no
                other one. A passkey that was registered after the day of the drill is another one. A name that is not
                known, or that may stand for two second factors of the account, proves none, and neither does a drill
                without names.
            type: list
            elements: str
            default: []
          by:
            description:
              - Who did it.
            type: str
  exclusion_group:
    description:
      - The group that Conditional Access policies exclude, by name or object ID. Whether the accounts are in it, and
        whether it is protected against others who join it or are put into it, are additional checks.
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
  - "Application permissions: C(Domain.Read.All), C(User.Read.All), C(GroupMember.Read.All), C(Policy.Read.All),
    C(RoleManagement.Read.Directory), C(UserAuthenticationMethod.Read.All), and for the last sign-in
    C(AuditLog.Read.All). Without one of them, the checks that need it are unknown."
  - Without Microsoft Entra ID P2 there are no schedules of roles to read. That an assignment is permanent is then
    inferred, and the sentence of the check says so. Without Microsoft Entra ID P1 the last sign-in is unknown.
  - Graph does not show whether a certificate of a user is registered, only its binding. So a certificate counts as
    V(prepared) until a drill proves it.
  - A passkey counts where the authentication methods policy takes it, by its model and kind, under the key restrictions
    of the method Fido2 or the passkey profiles of the account. Where Graph does not show these or the model, it is
    unknown.
seealso:
  - module: zerotrust.m365.conditional_access_exclusion
  - module: zerotrust.m365.tenant_info
  - name: Manage emergency access accounts in Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Look at the emergency accounts
  zerotrust.m365.emergency_access_info:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    accounts:
      - user_principal_name: emergency1
        second_factor: passkey
        drill:
          date: "2026-11-02"
          enforcement: true
          methods:
            - passkey
          by: Noor Visser
      - user_principal_name: emergency2
        attested:
          - totp_token
    exclusion_group: Emergency access
  register: emergency

- name: Stop unless enough of them are usable
  ansible.builtin.assert:
    that: emergency.emergency_access.enough is true
    fail_msg: "{{ emergency.msg }}"

- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ item.checks | rejectattr('state', 'eq', 'passed') | map(attribute='sentence') }}"
  loop: "{{ emergency.emergency_access.accounts }}"
  loop_control:
    label: "{{ item.user_principal_name }}"
"""

RETURN = r"""
emergency_access:
  description: The health of the declared accounts.
  returned: success
  type: dict
  contains:
    wanted:
      description: How many usable accounts there must be.
      type: int
      sample: 2
    usable:
      description: How many accounts are usable. An account that was declared twice counts once.
      type: int
      sample: 2
    unknown:
      description: Of how many accounts it is unknown.
      type: int
      sample: 0
    proven:
      description:
        - How many usable accounts a drill has proven, with MFA enforced and a second factor that they still have.
      type: int
      sample: 1
    ready_for_security_defaults:
      description:
        - How many usable accounts have a second factor that security defaults are known to take. A TOTP token does that
          is vouched for and that Graph shows, and what a drill with the defaults on has proven.
      type: int
      sample: 1
    enough:
      description: Whether enough accounts are usable. Null when that depends on accounts of which it is unknown.
      type: bool
      sample: true
    accounts:
      description: The accounts, in the order in which they were declared.
      type: list
      elements: dict
      contains:
        user_principal_name:
          description: The whole user principal name; only the part before the C(@) where the domain could not be read.
          type: str
          sample: emergency1@contoso.onmicrosoft.com
        id:
          description: The object ID, or null where the account was not found or could not be read.
          type: str
          sample: 2b31ac51-b855-40a5-a986-0a4ed23e9008
        verdict:
          description: V(usable), V(unusable) or V(unknown), by the essential checks.
          type: str
          sample: usable
        proven:
          description:
            - Whether the account is usable, and a drill that is not too old succeeded with MFA enforced and with a
              second factor that it still has.
          type: bool
          sample: true
        second_factor:
          description:
            - V(registered) when Graph shows it, V(prepared) when Graph shows that it may work, V(attested) by the
              operator's word, V(none), or V(unknown).
          type: str
          sample: registered
        last_sign_in:
          description:
            - When the account last signed in. RV(emergency_access.accounts[].last_sign_in.value) is a date and time, or
              null for never.
          type: dict
          contains:
            completeness:
              description: V(known) or V(unknown).
              type: str
              sample: known
            reason:
              description: Why it is unknown; null when it is known.
              type: str
            value:
              description: The date and time; null for never, and when it is unknown.
              type: str
              sample: "2026-11-02T09:15:00Z"
        password_changed:
          description: When the password was changed last, or null.
          type: str
          sample: "2026-10-30T08:00:00Z"
        checks:
          description: What was checked.
          type: list
          elements: dict
          contains:
            name:
              description:
                - Essential are V(exists), V(enabled), V(cloud_only), V(initial_domain), V(password_never_expires),
                  V(global_administrator), V(conditional_access), V(second_factor), and, unless security defaults are
                  off, V(security_defaults), which tells whether they take its second factor.
                - The others are V(excluded_from_every_policy), V(exclusion_group), V(exclusion_group_protected),
                  V(different_second_factor), V(last_sign_in) and V(drill).
              type: str
              sample: conditional_access
            state:
              description: V(passed), V(failed) or V(unknown).
              type: str
              sample: passed
            sentence:
              description: What was found.
              type: str
              sample: No enabled Conditional Access policy catches it.
            essential:
              description: Whether the verdict depends on it.
              type: bool
              sample: true
    policies_that_catch:
      description:
        - For each account, by its name, the names of the enabled Conditional Access policies that catch it. Null where
          that is unknown.
      type: dict
      sample: {"emergency1@contoso.onmicrosoft.com": ["Require MFA for everybody"]}
msg:
  description: One sentence about what was found.
  returned: always
  type: str
  sample: 2 of 2 wanted emergency accounts are usable, 1 proven by a drill.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 3
      method: POST
      path: /v1.0/$batch
      status: 200
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.emergency_access_info import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
