# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rotation_decision
short_description: What a new password of an emergency account calls for
version_added: "0.1.0"
description:
  - Compares an account with the seal of its password, and the one of a new password that an interrupted run left.
positional: _input, sealed, pending, tenant_id
options:
  _input:
    description:
      - The account, RV(zerotrust.m365.emergency_account#module:emergency_account).
    type: dict
    required: true
  sealed:
    description:
      - What is sealed, without its secret. Empty when there is no seal.
    type: dict
    required: true
  pending:
    description:
      - What is sealed as pending, without its secret. Empty when there is none.
    type: dict
    required: true
  tenant_id:
    description:
      - The ID of the tenant.
    type: str
    required: true
  max_age_days:
    description:
      - A password that is at most so many days old is kept. With V(0) none is.
    type: int
    default: 0
  adopted:
    description:
      - Whether the password is kept elsewhere, so that it is left alone.
    type: bool
    default: false
  same_secret:
    description:
      - Whether both seals hold the same secret.
    type: bool
    default: false
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Show what is to be done
  ansible.builtin.debug:
    msg: "{{ (account | zerotrust.m365.rotation_decision(sealed, pending, tenant_id, max_age_days=90)).sentence }}"
"""

RETURN = r"""
_value:
  description:
    - C(decision), C(sentence), and C(opens).
    - C(decision) is C(rotate) (seal a new password as pending, set it, promote it), C(resume) (set the pending one,
      promote it), C(promote) (the pending one is set), C(clean) (it was promoted), C(keep) or C(stop).
    - C(opens) tells which password the account has, C(sealed), C(pending) or C(unknown).
  type: dict
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.rotation import decide_rotation, which_opens


def rotation_decision(
    account: Any,
    sealed: Any,
    pending: Any,
    tenant_id: Any,
    max_age_days: int = 0,
    adopted: bool = False,
    same_secret: bool = False,
) -> dict[str, str]:
    if not all(isinstance(one, Mapping) for one in (account, sealed, pending)):
        raise AnsibleFilterError("rotation_decision needs dictionaries: an account, and the seals of its passwords.")
    try:
        decision, sentence = decide_rotation(
            account,
            sealed,
            pending,
            str(tenant_id),
            max_age_days=int(max_age_days),
            now=datetime.now(timezone.utc),
            adopted=bool(adopted),
            same_secret=bool(same_secret),
        )
        opens = which_opens(account, sealed, pending)
    except (KeyError, ValueError) as error:
        raise AnsibleFilterError(
            f"rotation_decision needs an account in the form that zerotrust.m365.emergency_account returns: {error!r}"
        ) from error
    return {"decision": decision, "sentence": sentence, "opens": opens}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rotation_decision": rotation_decision}
