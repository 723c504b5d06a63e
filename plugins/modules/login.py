# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: login
short_description: Sign in to Microsoft Graph once for many tasks
version_added: "0.1.0"
description:
  - Signs in as an application and returns an access token, which other tasks get through C(module_defaults).
  - One sign-in serves a whole run. Without this module each task signs in by itself.
  - Use one task for each tenant. With C(run_once) the second tenant would get the token of the first.
  - The result of a successful sign-in is not shown at any verbosity, as it holds the token. It can be used as a
    variable.
extends_documentation_fragment:
  - zerotrust.m365.graph
  - zerotrust.m365.graph.attributes
attributes:
  check_mode:
    support: full
    details: It signs in, which changes nothing.
  diff_mode:
    support: N/A
    details: Nothing changes.
  idempotent:
    support: full
  async:
    support: none
    details: An async job would leave the token in a file.
seealso:
  - module: zerotrust.m365.tenant_info
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Harden every tenant of the inventory
  hosts: tenants
  connection: local
  gather_facts: false
  module_defaults:
    group/zerotrust.m365.all:
      tenant_id: "{{ tenant_id }}"
      access_token: "{{ graph_login.access_token | default(omit) }}"
  tasks:
    - name: Sign in once
      zerotrust.m365.login:
        tenant_id: "{{ tenant_id }}"
        client_id: "{{ client_id }}"
        client_certificate_path: "{{ client_certificate_path }}"
      register: graph_login
      tags: always

    - name: Turn security defaults on
      zerotrust.m365.security_defaults:
        enabled: true
"""

RETURN = r"""
access_token:
  description: The access token for Microsoft Graph. A secret; it is valid for about an hour.
  returned: success
  type: str
  sample: eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9...
expires:
  description: When the token expires, in UTC.
  returned: success
  type: str
  sample: "2026-11-23T12:00:00+00:00"
tenant_id:
  description: The directory (tenant) ID that was signed in to.
  returned: success
  type: str
  sample: 00000000-0000-0000-0000-000000000000
permissions:
  description: The application permissions that the token carries.
  returned: success
  type: list
  elements: str
  sample: ["Policy.Read.All", "User.Read.All"]
cloud:
  description: The cloud that was signed in to.
  returned: success
  type: str
  sample: global
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: Signed in to tenant 00000000-0000-0000-0000-000000000000; the token is valid until 2026-11-23T12:00:00+00:00.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample: [{"count": 1, "method": "GET", "path": "/v1.0/organization", "status": 200}]
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.login import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
