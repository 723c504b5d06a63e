# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: unseal
short_description: The document that was sealed
version_added: "0.1.0"
description:
  - Opens what P(zerotrust.m365.seal#filter) has sealed. Use it in tasks with C(no_log), and make no fact of it.
positional: _input
options:
  _input:
    description:
      - The encrypted texts, one for each key, in their order. An empty text stands for a part that is not there.
    type: list
    elements: str
    required: true
  keys:
    description:
      - The keys, as for P(zerotrust.m365.seal#filter).
    type: list
    elements: dict
    required: true
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Use a sealed password
  zerotrust.m365.emergency_account:
    user_principal_name: emergency1
    password: "{{ (envelopes | zerotrust.m365.unseal(keys)).secret }}"
    update_password: always
  vars:
    keys:
      - vault_id: safe
        vault_password_file: /root/safe
    envelopes:
      - "{{ lookup('zerotrust.m365.sealed_file', '/srv/seals/emergency1.yml') }}"
  no_log: true
"""

RETURN = r"""
_value:
  description:
    - The document. Empty when no part is there, and when there are parts of which no complete seal was made, as a run
      that is interrupted leaves them. The filter fails for parts that cannot be opened, or do not belong together.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.zerotrust.m365.plugins.plugin_utils._vault import unsealed


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"unseal": unsealed}
