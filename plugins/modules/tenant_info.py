# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_info
short_description: Read a Microsoft 365 tenant as it is
version_added: "0.1.0"
description:
  - Reads what decides how a tenant can be hardened, in as few requests as Microsoft Graph allows.
  - Each fact is either known, or unknown with the reason. A missing permission, a missing licence, a page that fails,
    or an answer of an unexpected form makes a fact unknown. It never becomes a default.
options:
  gather_subset:
    description:
      - The facts to read. V(all) reads all of them.
      - V(users) and V(per_user_mfa) read all users, one request for each 999 of them.
      - V(per_user_mfa) relies on C(perUserMfaState), a property of users that Microsoft does not document.
    type: list
    elements: str
    default: [all]
    choices:
      - all
      - organization
      - kind
      - domains
      - federation
      - licences
      - security_defaults
      - authentication_methods
      - conditional_access
      - privileged_roles
      - users
      - per_user_mfa
      - region
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
  - "Application permissions: C(Organization.Read.All), C(Domain.Read.All), C(LicenseAssignment.Read.All),
    C(Policy.Read.All), C(RoleManagement.Read.Directory), C(User.Read.All) and C(GroupMember.Read.All).
    C(Directory.Read.All), C(Domain.Read.All) and C(Policy.Read.All) cover all of them. Without one of them, the facts
    that need it are unknown."
seealso:
  - module: zerotrust.m365.graph_info
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Read everything
  zerotrust.m365.tenant_info:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
  register: contoso

- name: Stop unless the licence is known
  ansible.builtin.assert:
    that: contoso.tenant.licences.completeness == 'known'
    fail_msg: "{{ contoso.tenant.licences.reason }}"

- name: Read only what Conditional Access looks like
  zerotrust.m365.tenant_info:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    gather_subset:
      - conditional_access
      - licences
"""

RETURN = r"""
tenant:
  description: The facts that were asked for. The keys of O(gather_subset) that were not asked for are absent.
  returned: success
  type: dict
  contains:
    organization:
      description: Name, country and age of the organisation. All facts have the form that is shown here.
      type: dict
      returned: when asked for
      contains:
        completeness:
          description: V(known) or V(unknown).
          type: str
          sample: known
        reason:
          description: Why the fact is unknown; null when it is known.
          type: str
        value:
          description: The fact; null when it is unknown.
          type: dict
          sample:
            country: DE
            created: '2019-04-01T08:00:00Z'
            display_name: Contoso
            id: 00000000-0000-0000-0000-000000000000
            synchronised: false
    kind:
      description: Microsoft's C(tenantType). Only V(AAD), the ordinary workforce tenant, is ever written to.
      type: dict
      returned: when asked for
      sample: {"completeness": "known", "reason": null, "value": "AAD"}
    domains:
      description: The domains, each with how its users sign in.
      type: dict
      returned: when asked for
      sample:
        completeness: known
        reason: null
        value:
          - authentication_type: Managed
            default: true
            initial: true
            name: contoso.onmicrosoft.com
            verified: true
    federation:
      description: The federated domains. C(federated_idp_mfa_behavior) says whether MFA done on premises counts.
      type: dict
      returned: when asked for
      sample: {"completeness": "known", "reason": null, "value": []}
    licences:
      description: The tier of Microsoft Entra ID, V(free), V(P1) or V(P2), and the subscriptions.
      type: dict
      returned: when asked for
      sample:
        completeness: known
        reason: null
        value:
          subscriptions:
            - O365_BUSINESS_ESSENTIALS
          tier: free
    security_defaults:
      description: Whether security defaults are on.
      type: dict
      returned: when asked for
      sample: {"completeness": "known", "reason": null, "value": {"enabled": false}}
    authentication_methods:
      description:
        - The migration state of the authentication methods policy (null at Microsoft means complete), the enabled
          methods, and who may register one that satisfies security defaults (V(everybody), V(some) or V(nobody)).
      type: dict
      returned: when asked for
      sample:
        completeness: known
        reason: null
        value:
          enabled_methods:
            - MicrosoftAuthenticator
          migration_state: migrationComplete
          registration_reach: everybody
    conditional_access:
      description: The names of the Conditional Access policies by state.
      type: dict
      returned: when asked for
      sample:
        completeness: known
        reason: null
        value:
          disabled: []
          enabled: []
          enabledForReportingButNotEnforced: []
    privileged_roles:
      description:
        - Who holds which directory role, directly or through a group; who of them security defaults ask for MFA at
          every sign-in, who not, and the directory synchronisation accounts, which are exempt.
        - These are the active assignments. Eligible ones are not shown.
      type: dict
      returned: when asked for
      sample:
        completeness: known
        reason: null
        value:
          directory_synchronization_accounts: []
          other_administrators: []
          protected_administrators:
            - admin@contoso.onmicrosoft.com
          roles: []
    users:
      description: How many users there are, by type, source and state.
      type: dict
      returned: when asked for
      sample:
        completeness: known
        reason: null
        value:
          cloud_only: 40
          disabled: 2
          enabled_guests: 3
          enabled_members: 35
          guests: 3
          members: 37
          other: 0
          synchronised: 0
          total: 40
    per_user_mfa:
      description: How many users are in each state of per-user MFA.
      type: dict
      returned: when asked for
      sample:
        completeness: known
        reason: null
        value:
          disabled: 28
          enabled: 4
          enforced: 8
    region:
      description: The region of the tenant (C(tenant_region_scope) of its OpenID metadata) and the cloud.
      type: dict
      returned: when asked for
      sample: {"completeness": "known", "reason": null, "value": {"cloud": "global", "scope": "EU"}}
tenant_id:
  description: The directory (tenant) ID.
  returned: success
  type: str
  sample: 00000000-0000-0000-0000-000000000000
complete:
  description: Whether every fact that was asked for is known.
  returned: success
  type: bool
  sample: true
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: All 12 facts are known.
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample: [{"count": 1, "method": "POST", "path": "/v1.0/$batch", "status": 200}]
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.tenant_info import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
