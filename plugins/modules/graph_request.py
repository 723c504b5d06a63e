# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: graph_request
short_description: Write anything to Microsoft Graph, idempotently
version_added: "0.1.0"
description:
  - Sends a write to any path of Microsoft Graph, unless what it is for is already there. For what has no module of its
    own.
  - You declare in O(desired) what the object must show. The module reads first, sends the request only when something
    differs, and reads again until Graph shows it.
  - None of the safety rules of the other modules apply. Do not switch security settings with it.
options:
  path:
    description:
      - The path below the version, for example V(/users), without a host.
      - Put names into it with the filter P(ansible.builtin.urlencode#filter).
    type: str
    required: true
  api_version:
    description:
      - The version of Microsoft Graph. What is only in V(beta) may change without notice.
    type: str
    choices: [v1.0, beta]
    default: v1.0
  headers:
    description:
      - Further request headers, for example C(ConsistencyLevel).
    type: dict
    default: {}
  method:
    description:
      - The method of the write.
    type: str
    required: true
    choices: [POST, PATCH, PUT, DELETE]
  desired:
    description:
      - The properties that the object must show afterwards. Properties that are not named are not compared. The order
        of lists does not matter.
      - Required unless O(method=DELETE) or O(always=true).
    type: dict
  body:
    description:
      - The body to send where it is not the same as O(desired).
    type: dict
  secret_body:
    description:
      - Properties that are added to the body but never compared or shown, such as passwords.
    type: dict
  read_path:
    description:
      - Where to read the object, if not at O(path). May carry query parameters.
      - Required with O(method=POST), which creates the object when it is not found there.
    type: str
  read_query:
    description:
      - A JMESPath expression that finds the object in the answer of O(read_path), for example V(value[0]). Where it
        finds nothing, the object does not exist.
    type: str
  always:
    description:
      - Send the request each time, without comparing. For actions that have no state to read. The task is then always
        changed.
    type: bool
    default: false
  permissions:
    description:
      - Application permissions that the request needs. They are compared with the token before anything is sent. Not
        needed for paths that the collection knows.
    type: list
    elements: str
    default: []
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
    support: partial
    details: Except with O(always=true).
  async:
    support: full
seealso:
  - module: zerotrust.m365.graph_info
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Only administrators and guest inviters may invite guests
  zerotrust.m365.graph_request:
    method: PATCH
    path: /policies/authorizationPolicy
    desired:
      allowInvitesFrom: adminsAndGuestInviters

- name: A group exists
  zerotrust.m365.graph_request:
    method: POST
    path: /groups
    desired:
      displayName: Emergency access
    body:
      displayName: Emergency access
      mailEnabled: false
      mailNickname: emergency-access
      securityEnabled: true
    read_path: /groups?$filter=displayName eq 'Emergency access'
    read_query: value[0]

- name: A named location is gone
  zerotrust.m365.graph_request:
    method: DELETE
    path: /identity/conditionalAccess/namedLocations/5e7615a1-8b1f-4bbd-8d5e-a53d0a0c1a34

- name: Sign a user out everywhere
  zerotrust.m365.graph_request:
    method: POST
    path: "/users/{{ 'anna@contoso.example' | urlencode }}/revokeSignInSessions"
    always: true
"""

RETURN = r"""
resource:
  description:
    - The object as Graph shows it after the write, in check mode as it shows it now. Null when it does not exist.
    - With O(always=true), what Graph answered, without the properties that hold secrets.
  returned: success
  type: dict
  sample: {"allowInvitesFrom": "adminsAndGuestInviters"}
created_id:
  description: The ID in the answer to a POST. Null where nothing was created, or the answer has none.
  returned: success
  type: str
  sample: 9e630dbc-bcde-4f6c-b9eb-b72c7e326693
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: PATCH /policies/authorizationPolicy was sent.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample: [{"count": 1, "method": "PATCH", "path": "/v1.0/policies/authorizationPolicy", "status": 204}]
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.graph_request import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
