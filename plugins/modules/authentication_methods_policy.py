# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: authentication_methods_policy
short_description: Manage the settings of the authentication methods policy
version_added: "0.1.0"
description:
  - Manages what the authentication methods policy of Microsoft Entra ID says beside the methods themselves. That is the
    state of the migration from the legacy policies, the registration campaign, system-preferred MFA, reports of
    suspicious activity, and the opt-out from passkeys for people with SMS or voice. For the methods, see
    M(zerotrust.m365.authentication_method).
  - A task owns what it writes, and nothing else. What is not written is neither compared nor changed.
  - Graph has some of the settings in its beta version only. When a task writes some of both, everything is read and all
    permissions are checked before the first change.
options:
  policy_migration_state:
    description:
      - How far the migration from the legacy MFA and SSPR policies is.
      - With V(preMigration), the policy counts for signing in, and the legacy policies count as well. With
        V(migrationInProgress), the policy counts for resetting passwords too. With V(migrationComplete), the legacy
        policies count no more.
      - A tenant that began with V(preMigration) may go from any state to any other. One that began later never goes
        back to V(preMigration), and Graph refuses it. A tenant without a state, as new ones are, is complete. It stays
        without one, and other states are refused.
      - Before V(migrationComplete) the module looks for people who would lose their only way to sign in, because only
        the legacy policies allow what they have registered, and refuses to go on if there are any.
    type: str
    choices: [preMigration, migrationInProgress, migrationComplete]
  registration_campaign:
    description:
      - The campaign that asks people to register a method when they sign in.
    type: dict
    suboptions:
      state:
        description:
          - V(default) leaves the campaign to Microsoft.
        type: str
        choices: [default, enabled, disabled]
      snooze_duration_in_days:
        description:
          - After how many days somebody who has put it off is asked again, 0 to 14.
        type: int
      enforce_registration_after_allowed_snoozes:
        description:
          - Whether people must register after they have put it off three times. Graph has it in its beta version only.
        type: bool
      include_targets:
        description:
          - Who is asked. Give O(registration_campaign.include_targets.set), or
            O(registration_campaign.include_targets.add) and O(registration_campaign.include_targets.remove).
        type: dict
        suboptions:
          add:
            description:
              - Groups that are asked, beside those that are asked already.
            type: list
            elements: dict
            suboptions: &asked
              group:
                description:
                  - The group by display name or object ID, or V(all_users) for everybody.
                type: str
                required: true
              targeted_authentication_method:
                description:
                  - The method that people are to register. For a group that was not asked before, it is
                    V(microsoftAuthenticator) when not written.
                type: str
                choices: [microsoftAuthenticator, fido2]
          remove:
            description:
              - Groups that are not asked any more. A group that is deleted is removed by its object ID.
            type: list
            elements: str
          set:
            description:
              - All groups that are asked.
            type: list
            elements: dict
            suboptions: *asked
      exclude_targets: &excluded
        description:
          - Groups that this is not for, though they are included. Emergency accounts belong here. Give V(set), or
            V(add) and V(remove).
        type: dict
        suboptions:
          add:
            description:
              - Groups that are excluded, beside those that are excluded already. Display names or object IDs.
            type: list
            elements: str
          remove:
            description:
              - Groups that are not excluded any more.
            type: list
            elements: str
          set:
            description:
              - All groups that are excluded.
            type: list
            elements: str
  system_credential_preferences:
    description:
      - System-preferred MFA, which asks people for the most secure method that they have registered. Graph has it in
        its beta version only.
    type: dict
    suboptions:
      state:
        description:
          - V(default) leaves it to Microsoft, which means on.
        type: str
        choices: [default, enabled, disabled]
      include_targets:
        description:
          - For whom it is. Give O(system_credential_preferences.include_targets.set), or
            O(system_credential_preferences.include_targets.add) and
            O(system_credential_preferences.include_targets.remove).
        type: dict
        suboptions:
          add:
            description:
              - Groups that it is for, beside those that it is for already.
            type: list
            elements: dict
            suboptions: &preferred
              group:
                description:
                  - The group by display name or object ID, or V(all_users) for everybody.
                type: str
                required: true
          remove:
            description:
              - Groups that it is not for any more.
            type: list
            elements: str
          set:
            description:
              - All groups that it is for.
            type: list
            elements: dict
            suboptions: *preferred
      exclude_targets: *excluded
  report_suspicious_activity_settings:
    description:
      - Whether people can report an MFA request that they have not made. It raises their risk, which Microsoft Entra ID
        P2 can act upon. Graph has it in its beta version only.
    type: dict
    suboptions:
      state:
        description:
          - V(default) leaves it to Microsoft, which means off.
        type: str
        choices: [default, enabled, disabled]
      include_target:
        description:
          - Who can report.
        type: dict
        suboptions:
          id:
            description:
              - The group by display name or object ID, or V(all_users) for everybody.
            type: str
            required: true
          target_type:
            description:
              - What kind of object that is.
            type: str
            choices: [group, user]
            default: group
      voice_reporting_code:
        description:
          - The digit that reports a call. V(0) is Microsoft's default.
        type: int
  opt_out_settings:
    description:
      - Opt-outs from what Microsoft changes by itself. Graph has them in its beta version only, and not in its
        published metadata.
    type: dict
    suboptions:
      passkey_dynamic_migration:
        description:
          - Whether people who may use SMS or voice are not enabled for passkeys by Microsoft. It counts until 1
            February 2027, when Microsoft ends SMS and voice.
        type: bool
  accept_risks:
    description:
      - Risks to take on purpose, by name. The error message of a refused change names the risk it is about.
      - V(only_way_in) goes on though people lose their only way to sign in with more than a password.
      - V(unknown_ways_in) goes on though it is not known whether people do.
    type: list
    elements: str
    default: []
    choices:
      - only_way_in
      - unknown_ways_in
  wait_timeout:
    description:
      - Seconds to wait until Graph shows the change.
    type: int
    default: 60
  expected_configurations:
    description:
      - Methods as earlier tasks of the same play would leave them, so that the dry run of a play can predict this task
        too. They are the values RV(zerotrust.m365.authentication_method#module:expected_configuration) of these tasks.
      - In check mode the completion of the migration is judged by them. Outside check mode this has no effect.
    type: list
    elements: dict
    default: []
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
  - Reading needs the application permission C(Policy.Read.AuthenticationMethod), changing needs
    C(Policy.ReadWrite.AuthenticationMethod), in both versions of Graph. Groups are looked up with
    C(GroupMember.Read.All).
  - To find out who depends on the legacy policies, C(User.Read.All) and C(UserAuthenticationMethod.Read.All) are
    needed, and with Microsoft Entra ID P1 C(AuditLog.Read.All) for the report of registered methods. The report lags
    some hours, so enabled users whom it leaves out are read one by one, 20 in one request, and without the report
    everybody. Where these are more than 500, it is unknown. Graph does not show what the legacy policies allow, so
    whoever has registered a method that only they may allow, counts as depending on them.
  - The legacy policy for resetting passwords keeps counting for security questions, for the number of methods, and for
    administrators, whatever the migration state.
  - The policy holds at most 20 KB. A change that makes it larger is refused before anything is written.
  - Microsoft Azure operated by 21Vianet has no authentication methods policy. There the module fails, and says so.
seealso:
  - module: zerotrust.m365.authentication_method
  - name: Manage authentication methods for Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/concept-authentication-methods-manage
  - name: Run a registration campaign
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/how-to-mfa-registration-campaign
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: The migration from the legacy policies begins
  zerotrust.m365.authentication_methods_policy:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    policy_migration_state: migrationInProgress

- name: Everybody but the emergency accounts is asked to register a passkey
  zerotrust.m365.authentication_methods_policy:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    registration_campaign:
      state: enabled
      snooze_duration_in_days: 1
      include_targets:
        set:
          - group: all_users
            targeted_authentication_method: fido2
      exclude_targets:
        add:
          - Emergency access

- name: People can report suspicious MFA requests, and are asked for their most secure method
  zerotrust.m365.authentication_methods_policy:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    report_suspicious_activity_settings:
      state: enabled
    system_credential_preferences:
      state: enabled
"""

RETURN = r"""
authentication_methods_policy:
  description:
    - The settings, in check mode as a run would leave them. Those that only beta has are null when the task writes none
      of them.
  returned: success
  type: dict
  contains:
    policy_migration_state:
      description: The state of the migration. Null in a tenant without one, which is complete.
      type: str
      sample: migrationInProgress
    registration_campaign:
      description: The registration campaign.
      type: dict
      sample: {"exclude_targets": [], "include_targets": [], "snooze_duration_in_days": 1, "state": "enabled"}
    system_credential_preferences:
      description: System-preferred MFA.
      type: dict
    report_suspicious_activity_settings:
      description: Reports of suspicious activity.
      type: dict
    opt_out_settings:
      description: The opt-outs.
      type: dict
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: The authentication methods policy was changed (registration campaign).
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: GET
      path: /v1.0/policies/authenticationMethodsPolicy
      status: 200
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.authentication_methods_policy import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
