# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: graph_info
short_description: Read anything from Microsoft Graph
version_added: "0.1.0"
description:
  - Sends a GET to any path of Microsoft Graph and follows all pages. For what has no module of its own.
  - A list is returned whole or not at all. A page that fails makes the task fail.
options:
  path:
    description:
      - The path below the version, for example V(/users), without a host. Query parameters go into O(parameters).
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
  parameters:
    description:
      - OData query parameters, for example C($select) or C($filter).
    type: dict
    default: {}
  all_pages:
    description:
      - Whether to follow the pages of a list to its end. With V(false), the first page is returned.
    type: bool
    default: true
  max_items:
    description:
      - Stop after this many items of a list.
    type: int
  query:
    description:
      - A JMESPath expression that is applied to the object, or to the list of all items.
    type: str
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
seealso:
  - module: zerotrust.m365.graph_request
  - name: Microsoft Graph REST API reference
    description: The paths, and the permissions they need.
    link: https://learn.microsoft.com/graph/api/overview
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: List the guests
  zerotrust.m365.graph_info:
    path: /users
    parameters:
      $filter: userType eq 'Guest'
      $select: id,userPrincipalName,createdDateTime
    query: "[].userPrincipalName"
  register: guests

- name: Count the users
  zerotrust.m365.graph_info:
    path: /users
    parameters:
      $count: true
      $top: 1
      $select: id
    headers:
      ConsistencyLevel: eventual
    max_items: 1

- name: Read the authentication methods policy
  zerotrust.m365.graph_info:
    path: /policies/authenticationMethodsPolicy
    api_version: beta
"""

RETURN = r"""
result:
  description: The object, or the list of items, or what O(query) found in it.
  returned: success
  type: raw
  sample: ["anna_partner.example#EXT#@contoso.onmicrosoft.com"]
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: Read 3 items.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample: [{"count": 1, "method": "GET", "path": "/v1.0/users", "status": 200}]
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.graph_info import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
