# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: seal_decision
short_description: What an emergency account and the seal of its password call for
version_added: "0.1.0"
description:
  - Compares an account with the seal of its password, and tells whether somebody holds its password.
positional: _input, seal, tenant_id
options:
  _input:
    description:
      - The account, RV(zerotrust.m365.emergency_account#module:emergency_account).
    type: dict
    required: true
  seal:
    description:
      - What is sealed, without its secret. Empty when there is no seal.
    type: dict
    required: true
  tenant_id:
    description:
      - The ID of the tenant.
    type: str
    required: true
  adopted:
    description:
      - Whether the password is kept elsewhere, so that no seal is asked for.
    type: bool
    default: false
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Show what is to be done
  ansible.builtin.debug:
    msg: "{{ (account | zerotrust.m365.seal_decision(seal, tenant_id)).sentence }}"
"""

RETURN = r"""
_value:
  description:
    - C(decision) and C(sentence).
    - C(create) means to seal a password, the pending one again if there is one, and to create the account with it.
      C(create_again) means the same with a new password, for an account that was deleted. C(promote) means to make the
      seal live. C(keep) means nothing. C(stop) means that nobody is known to hold the password.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.seals import decide


def seal_decision(account: Any, seal: Any, tenant_id: Any, adopted: bool = False) -> dict[str, str]:
    if not isinstance(account, Mapping) or not isinstance(seal, Mapping):
        raise AnsibleFilterError("seal_decision needs two dictionaries: an account, and the seal of its password.")
    try:
        decision, sentence = decide(account, seal, str(tenant_id), adopted=bool(adopted))
    except KeyError as error:
        raise AnsibleFilterError(
            f"seal_decision needs an account in the form that zerotrust.m365.emergency_account returns: {error!r}"
        ) from error
    return {"decision": decision, "sentence": sentence}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"seal_decision": seal_decision}
