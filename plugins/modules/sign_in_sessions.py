# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: sign_in_sessions
short_description: Revoke the sign-in sessions of users, so that they sign in again
version_added: "0.1.0"
description:
  - Revokes the sign-in sessions of chosen users, thousands of them in one task. Whoever signed in before MFA was asked
    for has to sign in again, and then with MFA.
  - Users whose sessions were revoked since O(revoked_since) already are left as they are.
  - A run that was interrupted is finished by running the task again.
options:
  state:
    description:
      - Sessions can only be revoked.
    type: str
    choices: [revoked]
    default: revoked
  revoked_since:
    description:
      - A date and time in ISO 8601, in UTC where it has no offset. Users of whom Graph shows that no session from
        before it is valid are done.
      - Write a fixed time, such as the one when MFA came into force. One that moves with every run makes every run
        revoke the sessions anew.
      - Fractions of a second are left off, for Graph shows none. What is up to 300 seconds ahead of Graph's clock is
        waited for; what is further ahead is refused.
    type: str
    required: true
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
  canary:
    description:
      - The sessions of so many users are revoked first and read again. When that fails for one of them, the task stops
        there.
    type: int
    default: 0
  wave_size:
    description:
      - The sessions of at most so many users are revoked by this task. RV(sign_in_sessions.remaining) tells how many
        are left for the next one.
    type: int
  max_changes:
    description:
      - The task is refused when the sessions of more users than this would be revoked, all waves together.
    type: int
  wait_timeout:
    description:
      - For how many seconds to wait until Graph shows that the sessions of a wave are revoked.
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
    details: One entry for all users, each with the time from which sessions were valid before.
  idempotent:
    support: full
  async:
    support: full
notes:
  - "Application permissions to look: C(User.Read.All), and C(GroupMember.Read.All) where groups are named. To revoke:
    C(User.RevokeSessions.All). By Microsoft's documentation, no other application permission will do."
  - Everybody who is meant has to sign in again, in every application and on every device. Emergency accounts, too,
    which does them no harm; O(exclude_users) and O(exclude_groups) leave them out.
  - External users sign in at their home tenant, where this cannot reach. They are left as they are, and
    RV(sign_in_sessions.external) names them. They are told by C(#EXT#) in the name or by the state of an invitation; a
    guest account that was made in this tenant has neither, and its sessions are revoked.
  - What was revoked cannot be brought back. Access tokens that were handed out before live on until they expire, mostly
    for about an hour, except at services with continuous access evaluation. Microsoft says that it may take a few
    minutes until a revocation takes effect.
  - The writes keep to Graph's published limit, 3,000 in 150 seconds. What is throttled all the same is tried again for
    up to 300 seconds, or O(max_retry_wait) where that is more.
seealso:
  - module: zerotrust.m365.per_user_mfa
  - module: zerotrust.m365.security_defaults
  - name: "user: revokeSignInSessions"
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/graph/api/user-revokesigninsessions
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Whoever signed in before MFA was asked for signs in again
  zerotrust.m365.sign_in_sessions:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    revoked_since: "2026-11-23T08:00:00Z"
    all: true
    exclude_groups:
      - Emergency access
    canary: 5
  register: revocation

- name: Show who signs in elsewhere
  ansible.builtin.debug:
    msg: "{{ revocation.sign_in_sessions.external }}"

- name: Go on wave by wave, until nobody is left
  zerotrust.m365.sign_in_sessions:
    revoked_since: "2026-11-23T08:00:00Z"
    all: true
    wave_size: 500
  register: wave
  until: wave is failed or ansible_check_mode or wave.sign_in_sessions.remaining == 0
  retries: 100
  delay: 0

- name: Sign one user out, once, whose laptop was lost that morning
  zerotrust.m365.sign_in_sessions:
    revoked_since: "2026-11-23T09:30:00+01:00"
    users:
      - anna@contoso.example
"""

RETURN = r"""
sign_in_sessions:
  description: What was done. In check mode, what would be.
  returned: success
  type: dict
  contains:
    revoked_since:
      description: The time that was asked for, in UTC.
      type: str
      sample: "2026-11-23T08:00:00Z"
    selected:
      description: How many users are meant.
      type: int
      sample: 250
    as_wanted:
      description: Of how many of them the sessions were revoked since then already.
      type: int
      sample: 200
    changed:
      description: Of how many users the sessions were revoked by this task.
      type: int
      sample: 45
    remaining:
      description: Of how many users they are left to be revoked by the next task, because of O(wave_size).
      type: int
      sample: 0
    external:
      description: Users who are meant, but sign in at another tenant, or may. At most 1,000 of them.
      type: list
      elements: str
      sample: ["anna_partner.example#EXT#@contoso.onmicrosoft.com"]
    external_left_off:
      description: How many more sign in elsewhere.
      type: int
      sample: 0
    gone:
      description: Users who were deleted while the task ran.
      type: list
      elements: str
      sample: []
msg:
  description: One sentence about what was done.
  returned: always
  type: str
  sample: The sign-in sessions of 45 users were revoked.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 45
      method: POST
      path: /v1.0/users/{id}/revokeSignInSessions (in $batch)
      status: 200
error:
  description: What Graph or the sign-in answered. For users whose sessions could not be revoked,
    RV(ignore:error.refused) has the reasons by name.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"changed": 44, "refused": {"noor.visser@contoso.example": "Not allowed."}, "remaining": 1}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.sign_in_sessions import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
