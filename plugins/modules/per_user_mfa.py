# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: per_user_mfa
short_description: Change the state of per-user MFA, without anybody losing MFA
version_added: "0.1.0"
description:
  - Brings the per-user MFA of chosen users to V(disabled), V(enabled) or V(enforced), thousands of them in one task.
  - V(disabled) needs cover. Security defaults must be on, or an enabled Conditional Access policy must demonstrably ask
    that very user for MFA at every resource. Who is not covered is named and skipped.
  - The state of each user is written to a ledger before it is changed, and O(restore_from) puts it back.
  - A run that was interrupted is finished by running the task again.
options:
  state:
    description:
      - The state that the users are to have.
      - For V(enabled), V(enforced) is as good. Entra makes the one of the other as soon as the user has registered.
      - Either O(state) or O(restore_from) is needed.
    type: str
    choices: [disabled, enabled, enforced]
  restore_from:
    description:
      - A ledger of this module. Each user of it gets back the state of before, provided that the user is still in the
        state in which this module left them. All others are named and skipped.
      - What was put back is noted in the same ledger, so that it is not put back twice.
      - Where V(disabled) is to be put back, that needs cover, too.
    type: path
  users:
    description:
      - The users, by user principal name or object ID.
    type: list
    elements: str
    default: []
  groups:
    description:
      - Groups, by display name or object ID. All users in them are meant, and those of the groups inside of them.
    type: list
    elements: str
    default: []
  all:
    description:
      - Everybody. Not together with O(users) or O(groups).
    type: bool
    default: false
  current_states:
    description:
      - Only users who are in one of these states now.
    type: list
    elements: str
    choices: [disabled, enabled, enforced]
    default: [disabled, enabled, enforced]
  exclude_users:
    description:
      - Users who are not meant. A name that nobody has is refused.
    type: list
    elements: str
    default: []
  exclude_groups:
    description:
      - Groups whose users are not meant, with the groups inside of them. A name that no group has is refused.
    type: list
    elements: str
    default: []
  require_cover:
    description:
      - Whether users keep their per-user MFA unless something else demonstrably covers them.
      - With V(false) people may be left without any MFA. The only use for it is the order that some of Microsoft's
        pages ask for, which takes per-user MFA away first.
    type: bool
    default: true
  uncovered:
    description:
      - What to do when users would be skipped. V(skip) changes the others, V(fail) fails the task before any write.
    type: str
    choices: [skip, fail]
    default: skip
  accept_trusted_locations:
    description:
      - Whether a Conditional Access policy counts that does not ask for MFA in trusted named locations, or from the
        trusted addresses of the legacy MFA settings.
    type: bool
    default: false
  weaker_cover_for:
    description:
      - Holders of directory roles outside the sixteen that security defaults ask for MFA at every sign-in, by user
        principal name or object ID. Under security defaults they keep their per-user MFA unless they are named here.
    type: list
    elements: str
    default: []
  cover_expected:
    description:
      - What earlier tasks of a dry run would have changed by then, which nothing in the tenant shows yet. Users are
        judged as if it were so, by the same rules as in the run.
      - For check mode only. In a run it is refused, for then only what is there covers anybody.
    type: dict
    suboptions:
      security_defaults:
        description:
          - Whether security defaults would be on. Without it they count as they are.
        type: bool
      excluded_users:
        description:
          - Users whom every Conditional Access policy would exclude, by user principal name or object ID.
        type: list
        elements: str
        default: []
  report_registration:
    description:
      - Whether to tell who of the users that would be changed has not registered for MFA yet, and will have to at the
        next sign-in.
      - It takes Microsoft Entra ID P1 and the application permissions C(AuditLog.Read.All) and C(Domain.Read.All), and
        a while in large tenants.
    type: bool
    default: false
  settle_time:
    description:
      - For how many seconds cover must have been there before users may rest on it. How far a change of policies has
        spread cannot be seen.
      - A Conditional Access policy tells when it was changed last. For security defaults the time counts from when this
        module first saw them on, which is noted in the ledger. Once a run saw them off, or put a state back, it counts
        anew. That they were switched off and on again between two runs cannot be seen.
      - Whoever is covered only by something that came after the task had decided is left as they are, with the verdict
        V(unknown).
      - Microsoft says that events take up to 15 minutes to spread ("Continuous access evaluation"). V(0) does not wait,
        where all cover is known to be old.
    type: int
    default: 900
  ledger:
    description:
      - The file that keeps the states of before, one JSON object a line. It is made with the mode C(0600), only grows,
        and one file serves as many runs for one tenant as wanted. Its folder must exist.
      - It stands on the machine that runs the module. Keep it until nobody wants the old states back.
      - Required with O(state).
    type: path
  canary:
    description:
      - So many users are changed first and read again. When one of them cannot be changed, the task stops there.
    type: int
    default: 0
  wave_size:
    description:
      - At most so many users are changed by this task. RV(per_user_mfa.remaining) tells how many are left for the next
        one.
    type: int
  max_changes:
    description:
      - The task is refused when more users than this would be changed, all waves together.
    type: int
  wait_timeout:
    description:
      - For how many seconds to wait until Graph shows the new states of a wave.
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
    details: One entry for all users, each with the state of before and after.
  idempotent:
    support: full
  async:
    support: full
notes:
  - "Application permissions to look: C(User.Read.All), C(GroupMember.Read.All), C(Policy.Read.All),
    C(Organization.Read.All) and C(RoleManagement.Read.Directory). To write: C(Policy.ReadWrite.AuthenticationMethod).
    What cannot be read covers nobody."
  - "An enabled Conditional Access policy covers a user when it includes the user, by user, group (with the groups
    inside), active permanent role or kind of guest, and excludes the user in none of these ways; when it is for all
    resources, without exception, and for all clients; when it has no condition on places, platforms, devices, risk or
    authentication flows; and when everybody must do MFA to pass it. Report-only policies, alternatives to MFA, custom
    authentication strengths with single-factor methods, and any property that this version does not know make it cover
    nobody. RV(per_user_mfa.gaps) tells what is in the way, policy by policy."
  - A role that somebody can activate, or holds for a time only, does not make a policy cover them, but may exclude
    them. The same goes for groups that somebody can join by Privileged Identity Management, or is in for a time only.
    To know these takes the application permissions C(PrivilegedEligibilitySchedule.Read.AzureADGroup) and
    C(PrivilegedAssignmentSchedule.Read.AzureADGroup). Where they cannot be read, RV(per_user_mfa.notes) says so, and
    people are judged by the groups that they are in now. Without Microsoft Entra ID P2 nobody can join so.
  - Security defaults ask ordinary users for MFA only when Entra finds it necessary, which is less often than per-user
    MFA does. They count as cover, as Microsoft recommends, and RV(per_user_mfa.notes) says for how many. In the first
    24 hours of a tenant they do not count.
  - Before each wave of 200 users, what covers them is read again, with their groups and roles, and their states are.
    When security defaults or a policy that somebody rests on is switched off, or changed, meanwhile, the task stops.
    Whoever is not covered any more because of their groups or roles is named among RV(per_user_mfa.skipped). That takes
    two requests for a wave, and one more for every 20 users where policies or roles name groups. A run that has
    nothing to change reads none of it.
  - The writes keep to Graph's published limit, 3,000 in 150 seconds. What is throttled all the same is tried again for
    up to 300 seconds, or O(max_retry_wait) where that is more.
  - With V(disabled) registered methods stay. App passwords of the user do not work any more.
seealso:
  - module: zerotrust.m365.per_user_mfa_info
  - module: zerotrust.m365.security_defaults
  - name: Enable per-user Microsoft Entra multifactor authentication
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/howto-mfa-userstates
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Take per-user MFA from everybody who is covered by something else
  zerotrust.m365.per_user_mfa:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    state: disabled
    all: true
    exclude_groups:
      - Emergency access
    canary: 5
    max_changes: 500
    ledger: /var/lib/zerotrust/contoso-per-user-mfa.jsonl
  register: retirement

- name: Show who was left as they are
  ansible.builtin.debug:
    msg: "{{ item.user_principal_name }}: {{ item.reason }}"
  loop: "{{ retirement.per_user_mfa.skipped }}"
  loop_control:
    label: "{{ item.user_principal_name }}"

- name: Go on wave by wave, until nobody is left
  zerotrust.m365.per_user_mfa:
    state: disabled
    all: true
    wave_size: 500
    ledger: /var/lib/zerotrust/contoso-per-user-mfa.jsonl
  register: wave
  until: wave is failed or ansible_check_mode or wave.per_user_mfa.remaining == 0
  retries: 100
  delay: 0

- name: Put everything back
  zerotrust.m365.per_user_mfa:
    restore_from: /var/lib/zerotrust/contoso-per-user-mfa.jsonl
"""

RETURN = r"""
per_user_mfa:
  description: What was done, and what was not and why. In check mode, what would be.
  returned: success
  type: dict
  contains:
    state:
      description: The state that was asked for; null with O(restore_from).
      type: str
      sample: disabled
    selected:
      description: How many users are meant.
      type: int
      sample: 250
    as_wanted:
      description: How many of them were as wanted already.
      type: int
      sample: 200
    changed:
      description: How many users were changed by this task.
      type: int
      sample: 45
    remaining:
      description: How many users are left to be changed by the next task, because of O(wave_size).
      type: int
      sample: 0
    skipped:
      description: Users who were left as they are, at most 1,000 of them.
      type: list
      elements: dict
      contains:
        id:
          description: The object ID.
          type: str
          sample: 2b31ac51-b855-40a5-a986-0a4ed23e9008
        user_principal_name:
          description: The user principal name.
          type: str
          sample: noor.visser@contoso.example
        state:
          description: The state of per-user MFA, or V(unknown).
          type: str
          sample: enforced
        verdict:
          description:
            - V(uncovered); V(weaker), see O(weaker_cover_for); V(unknown); and with O(restore_from) V(changed_since) or
              V(gone).
          type: str
          sample: uncovered
        reason:
          description: Why, in sentences.
          type: str
          sample: "Security defaults are off. These policies require MFA, but exclude the user: 'MFA for all'."
    skipped_left_off:
      description: How many more were left as they are.
      type: int
      sample: 0
    gone:
      description: Users who were deleted while the task ran.
      type: list
      elements: str
      sample: []
    cover:
      description: What covers the users who lose per-user MFA, all waves together.
      type: list
      elements: dict
      contains:
        by:
          description: V(security_defaults) or V(conditional_access).
          type: str
          sample: conditional_access
        policy:
          description: The name of the policy; null for security defaults.
          type: str
          sample: MFA for all
        asks:
          description: V(always), or V(when_necessary) by Entra's judgement.
          type: str
          sample: always
        users:
          description: How many users rest on it.
          type: int
          sample: 45
    gaps:
      description: For each enabled policy that speaks of MFA but covers nobody, what is in the way.
      type: dict
      sample: {"MFA outside the offices": ["it excludes places"]}
    registration:
      description: Who has registered for MFA; null without O(report_registration), or when nobody is changed.
      type: dict
      contains:
        completeness:
          description: V(known), or V(unknown) where something could not be read.
          type: str
          sample: known
        reason:
          description: Why it is unknown; null when it is known.
          type: str
        registered:
          description: How many users have registered.
          type: int
          sample: 40
        unregistered:
          description: Users who have not.
          type: list
          elements: str
          sample: [noor.visser@contoso.example]
        unknown:
          description:
            - Users of whom it is not known. They are missing in Microsoft's report, or it shows nothing registered
              while the identity provider of their federated domain may do MFA itself.
          type: list
          elements: str
          sample: []
    notes:
      description: What an approver should know, in sentences.
      type: list
      elements: str
      sample: []
    ledger:
      description: The file with the states of before.
      type: str
      sample: /var/lib/zerotrust/contoso-per-user-mfa.jsonl
    since:
      description:
        - By the ledger, since when per-user MFA is being taken away, at the beginning of the task. That is the first
          change after states were last put back or what covers users was last seen to be gone. Null where no ledger
          was there.
        - Whoever signed in before that may have done so without MFA, see M(zerotrust.m365.sign_in_sessions).
      type: str
      sample: "2026-11-02T08:00:00Z"
msg:
  description: One sentence about what was done.
  returned: always
  type: str
  sample: Per-user MFA was changed for 45 users. 5 users were left as they are, for the reasons given.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 45
      method: PATCH
      path: /beta/users/{id}/authentication/requirements (in $batch)
      status: 204
error:
  description: What Graph or the sign-in answered. For users who could not be changed, RV(ignore:error.refused) has the
    reasons by name.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"changed": 44, "refused": {"noor.visser@contoso.example": "Not allowed."}, "remaining": 1}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.per_user_mfa import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
