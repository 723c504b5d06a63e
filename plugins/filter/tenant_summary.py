# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_summary
short_description: The facts about a tenant as lines for a person
version_added: "0.1.0"
description:
  - Turns the facts that M(zerotrust.m365.tenant_info) returns into a few lines of text.
  - What is unknown is called unknown, with the reason.
positional: _input
options:
  _input:
    description:
      - The facts, RV(zerotrust.m365.tenant_info#module:tenant).
    type: dict
    required: true
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Read the tenant
  zerotrust.m365.tenant_info:
  register: contoso

- name: Show it
  ansible.builtin.debug:
    msg: "{{ contoso.tenant | zerotrust.m365.tenant_summary }}"
"""

RETURN = r"""
_value:
  description: The lines, one for each fact.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.summary import tenant_lines


def tenant_summary(tenant: Any) -> list[str]:
    if not isinstance(tenant, Mapping):
        raise AnsibleFilterError(
            "tenant_summary needs the dictionary 'tenant' that zerotrust.m365.tenant_info returns."
        )
    try:
        return tenant_lines(tenant)
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(
            f"tenant_summary needs facts in the form that zerotrust.m365.tenant_info returns: {error!r}"
        ) from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"tenant_summary": tenant_summary}
