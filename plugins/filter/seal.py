# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: seal
short_description: A secret as texts that Ansible Vault has encrypted
version_added: "0.1.0"
description:
  - Encrypts a document with a secret in it. P(zerotrust.m365.unseal#filter) opens it, and C(ansible-vault view) too.
  - With several keys, the secret is cut into as many pieces. Each becomes a text of its own, with the rest of the
    document. All of them are needed to have the secret.
  - Each look at the result encrypts anew, with another salt.
positional: _input
options:
  _input:
    description:
      - The document. Its key C(secret) holds what is secret, a text.
    type: dict
    required: true
  keys:
    description:
      - One dictionary for each part, with C(vault_id), and either C(vault_password), or C(vault_password_file), the
        path of a file that holds it. A file that is executable is refused, since it is not run.
      - One at least and four at most, each with a vault ID and a password of its own.
    type: list
    elements: dict
    required: true
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Seal a password
  ansible.builtin.copy:
    content: "{{ document | zerotrust.m365.seal([{'vault_id': 'safe', 'vault_password_file': '/root/safe'}]) | first }}"
    dest: /srv/seals/emergency1.yml
    mode: "0600"
  vars:
    document:
      secret: "{{ lookup('zerotrust.m365.emergency_password') }}"
  no_log: true
"""

RETURN = r"""
_value:
  description: The encrypted texts, one for each key, in their order.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.zerotrust.m365.plugins.plugin_utils._vault import sealed


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"seal": sealed}
