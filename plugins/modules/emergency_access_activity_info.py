# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: emergency_access_activity_info
short_description: Tell who used or changed emergency accounts
version_added: "0.1.0"
description:
  - Tells which sign-ins there were by emergency (break-glass) accounts, successful or not, and which changes of the
    directory concerned them or were made by them. With who, when, from where.
  - The logs are searched by object ID. An account that was deleted during the last 30 days is still found by its name,
    and one that was renamed by its ID.
  - A log that cannot be read is V(unknown), with the reason. It is never taken as "nothing happened". So is the time
    before the log begins. Entra keeps its logs for 7 days, with Microsoft Entra ID P1 or P2 for 30 days.
options:
  accounts:
    description:
      - The accounts. The name before the C(@), which is completed with the tenant's initial domain, the whole user
        principal name, or the object ID.
      - An account that is named twice, by its name and its ID, counts once.
    type: list
    elements: str
    required: true
  since:
    description:
      - The earliest time to look at, like V(2026-11-23T09:00:00Z). Without an offset it is taken as UTC.
      - 24 hours before O(until) by default.
    type: str
  until:
    description:
      - The latest time to look at. Now by default.
    type: str
  overlap_hours:
    description:
      - So many hours before O(since) are looked at as well. Entries come into the logs minutes, sometimes hours after
        what they tell of, so a look that begins where the last one ended would miss some. Together with O(reported),
        each is told once.
    type: int
    default: 0
  reported:
    description:
      - IDs of entries that were reported before, RV(emergency_access_activity.entries) of an earlier look. They are
        still in the lists, but not among RV(emergency_access_activity.news).
    type: list
    elements: str
    default: []
  expected_initiators:
    description:
      - Who is expected to change the accounts, such as the application that rotates their passwords. Changes by them
        are in the lists, but not among RV(emergency_access_activity.news). Sign-ins never are expected.
      - Object IDs of users and of service principals (C(Object ID) of the enterprise application), or client IDs of
        applications. The audit log often leaves out the client ID, so name the object ID too.
    type: list
    elements: str
    default: []
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
  - "Application permissions: C(AuditLog.Read.All) and C(User.Read.All), and C(Domain.Read.All) where O(accounts) has
    names without a domain."
  - Without Microsoft Entra ID P1 there is no sign-in log to read. Changes of the directory are shown in every tenant.
  - Whether a successful sign-in was one with MFA, and by which methods, comes from the beta interface, just as
    non-interactive sign-ins do. Where it cannot be read, they are unknown.
seealso:
  - module: zerotrust.m365.emergency_access_info
  - name: Microsoft Entra data retention
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/monitoring-health/reference-reports-data-retention
  - name: Manage emergency access accounts in Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Look at what happened since yesterday
  zerotrust.m365.emergency_access_activity_info:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    accounts:
      - emergency1
      - emergency2
    expected_initiators:
      - 66666666-7777-8888-9999-000000000000
  register: activity

- name: Raise the alarm
  ansible.builtin.fail:
    msg: "{{ activity.emergency_access_activity.news | map(attribute='sentence') | join(' ') or activity.msg }}"
  when: activity.emergency_access_activity.seen is not false
"""

RETURN = r"""
emergency_access_activity:
  description: What the logs tell about the accounts.
  returned: success
  type: dict
  contains:
    since:
      description: The earliest time that was looked at, with O(overlap_hours).
      type: str
      sample: "2026-11-22T09:00:00Z"
    until:
      description: The latest time that was looked at.
      type: str
      sample: "2026-11-23T09:00:00Z"
    seen:
      description:
        - Whether there is news. Null where there is none in what could be read, but a log or a part of it could not be
          read, or an account is missing.
      type: bool
      sample: true
    news:
      description:
        - The sign-ins and changes that were neither reported before nor expected, by time, in the form of the lists
          below.
      type: list
      elements: dict
    accounts:
      description: The accounts that were looked for.
      type: list
      elements: dict
      contains:
        asked:
          description: How O(accounts) names it.
          type: str
          sample: emergency1
        id:
          description: The object ID. Null for an account that is not there.
          type: str
          sample: 2b31ac51-b855-40a5-a986-0a4ed23e9008
        user_principal_name:
          description: The user principal name, of a deleted account the one that it had.
          type: str
          sample: emergency1@contoso.onmicrosoft.com
        found:
          description:
            - V(present), V(deleted) or V(missing); V(by_id) when it was asked for, and found, by its object ID.
          type: str
          choices:
            - present
            - deleted
            - missing
            - by_id
          sample: present
    sign_ins:
      description: The interactive sign-ins, successful or not.
      type: dict
      contains:
        completeness:
          description: V(known), or V(unknown) when a part of it could not be read, or all.
          type: str
          sample: known
        reason:
          description: Why it is unknown; null when it is known.
          type: str
        cause:
          description:
            - V(licence), V(retention) (the log does not reach back so far) or V(refused). Null when it is known.
            - V(licence) only where neither log of sign-ins could be read, and never for changes of the directory, which
              need no licence. What Graph says of a licence elsewhere is V(refused).
          type: str
          choices:
            - licence
            - retention
            - refused
        value:
          description: The entries that could be read, by time. Null when none could be read.
          type: list
          elements: dict
          contains:
            id:
              description: The ID of the entry in the log.
              type: str
            time:
              description: When it happened.
              type: str
              sample: "2026-11-23T08:15:00Z"
            account:
              description: The object ID of the account.
              type: str
            user_principal_name:
              description: The name of the account.
              type: str
            kind:
              description: V(interactive) or V(non_interactive).
              type: str
            outcome:
              description: V(success) or V(failure).
              type: str
            error_code:
              description: Entra's error code, 0 for success.
              type: int
            failure_reason:
              description: Entra's words for the error.
              type: str
            mfa:
              description:
                - Whether it was successful with MFA. V(false) also where the log says that MFA was skipped, for a
                  remembered device or a location for instance. Null where the log does not tell.
              type: bool
            methods:
              description: The methods that succeeded, in Microsoft's words. Empty where the log does not tell.
              type: list
              elements: str
              sample:
                - Passkey (device-bound)
            second_factors:
              description:
                - What these methods may stand for, as far as their names are known, in the words of
                  O(zerotrust.m365.emergency_access_info#module:accounts[].second_factor) and C(microsoftAuthenticator).
                - V(temporary_access_pass) alone is the sign-in with which somebody registers a second factor.
              type: list
              elements: str
              sample:
                - passkey
            application:
              description: Where it signed in to.
              type: str
              sample: Azure Portal
            client:
              description: The kind of client, in Microsoft's words.
              type: str
              sample: Browser
            ip_address:
              description: The address that it came from.
              type: str
              sample: 198.51.100.9
            city:
              description: The city that Microsoft takes the address for.
              type: str
            country:
              description: Its country or region, as a code of two letters.
              type: str
              sample: NL
            reported:
              description: Whether O(reported) has it.
              type: bool
            sentence:
              description: All of it in one sentence.
              type: str
    non_interactive_sign_ins:
      description: The non-interactive sign-ins, in the form of RV(emergency_access_activity.sign_ins).
      type: dict
      sample: {"cause": null, "completeness": "known", "reason": null, "value": []}
    directory_changes:
      description: The changes of the directory about the accounts, and by them.
      type: dict
      contains:
        completeness:
          description: V(known), or V(unknown) when a part of it could not be read, or all.
          type: str
          sample: known
        reason:
          description: Why it is unknown; null when it is known.
          type: str
        cause:
          description: As in RV(emergency_access_activity.sign_ins.cause), but never V(licence).
          type: str
        value:
          description: The entries that could be read, by time. Null when none could be read.
          type: list
          elements: dict
          contains:
            id:
              description: The ID of the entry in the log.
              type: str
            time:
              description: When it happened.
              type: str
              sample: "2026-11-23T08:15:00Z"
            activity:
              description: What was done, in Microsoft's words.
              type: str
              sample: Reset user password
            result:
              description: How it ended, in Microsoft's words.
              type: str
              sample: success
            accounts:
              description: The names of the accounts that were changed.
              type: list
              elements: str
            by_account:
              description: Whether one of the accounts did it.
              type: bool
            others:
              description: Names of the other objects that it was about, such as a group.
              type: list
              elements: str
            initiator:
              description: Who did it.
              type: dict
              contains:
                type:
                  description: V(user), V(application), or V(unknown) where the log does not tell.
                  type: str
                id:
                  description: The object ID of the user or the service principal.
                  type: str
                application_id:
                  description: The client ID of the application, where the log has it.
                  type: str
                name:
                  description: The name.
                  type: str
                ip_address:
                  description: The address that a user came from, where the log has it.
                  type: str
                own:
                  description: Whether it is the application that this module signed in as.
                  type: bool
            reported:
              description: Whether O(reported) has it.
              type: bool
            expected:
              description: Whether it was done by one of O(expected_initiators).
              type: bool
            sentence:
              description: All of it in one sentence.
              type: str
    entries:
      description: The IDs of all entries that were found, for O(reported) of the next look.
      type: list
      elements: str
msg:
  description: A sentence or more about what was found.
  returned: always
  type: str
  sample: Nothing is known to have happened since 2026-11-22T09:00:00Z.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
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
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.emergency_access_activity_info import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
