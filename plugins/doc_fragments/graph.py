# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    # Signing in to Microsoft Graph and talking to it: the options of every module.
    DOCUMENTATION = r"""
requirements:
  - python >= 3.10
  - msal >= 1.29.0
  - requests >= 2.28.0
  - jmespath >= 1.0.0
options:
  tenant_id:
    description:
      - The tenant to sign in to, as its directory (tenant) ID or one of its verified domain names.
      - If not set, the environment variable E(AZURE_TENANT_ID) is used, then E(AZURE_TENANT).
      - With a ready O(access_token) it is optional; where both are given, a token of another tenant is refused.
    type: str
  client_id:
    description:
      - The application (client) ID of the app registration to sign in as.
      - With O(managed_identity=true), the client ID of a user-assigned managed identity.
      - If not set, the environment variable E(AZURE_CLIENT_ID) is used, except for managed identities.
    type: str
  client_secret:
    description:
      - A client secret of the app registration. The value, not the ID of the secret.
      - If no way to sign in is given, the environment variable E(AZURE_CLIENT_SECRET) is used, then E(AZURE_SECRET),
        which AWX's Microsoft Azure Resource Manager credential sets.
    type: str
  client_certificate:
    description:
      - A certificate of the app registration and its private key, as PEM content.
    type: str
  client_certificate_path:
    description:
      - Path of a PEM file that holds a certificate of the app registration and its private key.
      - If no way to sign in is given, the environment variable E(AZURE_CLIENT_CERTIFICATE_PATH) is used.
    type: path
  client_certificate_passphrase:
    description:
      - The passphrase of the private key in O(client_certificate) or O(client_certificate_path).
      - If not set, the environment variable E(AZURE_CLIENT_CERTIFICATE_PASSWORD) is used.
    type: str
  federated_token_file:
    description:
      - Path of a file with the token of an external identity provider (workload identity federation). It is read again
        at each sign-in.
      - If no way to sign in is given, the environment variable E(AZURE_FEDERATED_TOKEN_FILE) is used.
    type: path
  managed_identity:
    description:
      - Sign in as the managed identity of the Azure machine that runs the task. The user-assigned one of O(client_id)
        where that is given, otherwise the system-assigned one.
    type: bool
  access_token:
    description:
      - A ready access token for Microsoft Graph, usually the one that M(zerotrust.m365.login) returns.
      - It may come with one other way to sign in. Then the token is used first, and renewed when it is about to
        expire.
      - A token of another tenant, or for another service, is refused before anything is sent.
      - If no way to sign in is given, the environment variable E(M365_ACCESS_TOKEN) is used.
    type: str
  cloud:
    description:
      - The Microsoft cloud that the tenant is in. V(usgov) is US Government L4 (GCC High), V(usgov_dod) is L5 (DoD),
        V(china) is operated by 21Vianet.
      - If not set, the environment variable E(AZURE_CLOUD_ENVIRONMENT) is used (V(AzureCloud), V(AzureUSGovernment),
        V(AzureChinaCloud)), and V(global) if that is not set either.
    type: str
    choices: [global, usgov, usgov_dod, china]
  graph_url:
    description:
      - The URL of Microsoft Graph where it is none of O(cloud), a simulator for example. Needs O(login_url).
      - If not set, the environment variable E(M365_GRAPH_URL) is used.
    type: str
  login_url:
    description:
      - The URL to sign in at where it is none of O(cloud). Needs O(graph_url).
      - If not set, the environment variable E(M365_LOGIN_URL) is used.
    type: str
  ca_path:
    description:
      - Path of a PEM file with the certificate authorities to trust instead of the built-in ones. TLS is always
        verified. This option wins over E(REQUESTS_CA_BUNDLE) and E(CURL_CA_BUNDLE).
      - If not set, the environment variable E(M365_CA_PATH) is used.
    type: path
  proxy:
    description:
      - The URL of the proxy for all requests. Without it, E(HTTPS_PROXY) is used. E(NO_PROXY) is honoured in both
        cases.
    type: str
  connect_timeout:
    description:
      - Seconds to wait for a connection.
    type: float
    default: 10.0
  read_timeout:
    description:
      - Seconds to wait for each part of an answer. All of it has to be there in ten times that.
    type: float
    default: 60.0
  max_retries:
    description:
      - How often a request is sent again when Graph is throttling (429), fails (500, 502, 503, 504), or does not
        answer. Each retry shows as a warning. A request that creates something is not repeated once it may have
        arrived.
    type: int
    default: 6
  max_retry_wait:
    description:
      - Seconds to wait at most in all retries of one request together, whatever Graph asks for.
    type: float
    default: 120.0
  max_duration:
    description:
      - No write starts when the task has run for this many seconds. The task then fails, and a later run goes on from
        the state it finds.
      - If not set, the C(timeout) of the task is used.
    type: int
notes:
  - The modules sign in as an application. Signing in as a user, with a password or a device code, is not offered, since
    security defaults and mandatory MFA block it.
  - On a controller that has the required libraries, tasks with C(connection=local) run inside the worker process, which
    is many times faster than starting a module. Set the variable C(m365_in_process) to V(false) to always start the
    module, to V(true) to run in the worker on macOS too.
"""

    ATTRIBUTES = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status that a run would have, changing nothing.
  diff_mode:
    description: Returns what would change, or has changed, when in diff mode.
  idempotent:
    description: When run twice in a row, the second run changes nothing and says so.
  async:
    description: Supports being used with the C(async) keyword.
"""

    ACTION_GROUP = r"""
attributes:
  action_group:
    description: Use C(group/zerotrust.m365.all) in C(module_defaults) to set options once for all modules.
    support: full
    membership:
      - zerotrust.m365.all
"""

    EXPECTED_GROUPS = r"""
options:
  expected_groups:
    description:
      - Groups that an earlier task of the same play would make, so that the dry run of a play can predict this task
        too.
      - In check mode a group of this display name may be missing. Its object ID is then null in the result and in the
        diff.
      - Outside check mode this has no effect. A group that the task names must be there.
    type: list
    elements: dict
    default: []
    suboptions:
      display_name:
        description:
          - The display name of the group.
        type: str
        required: true
      members:
        description:
          - The user principal names of those who would be its members.
        type: list
        elements: str
        default: []
"""
