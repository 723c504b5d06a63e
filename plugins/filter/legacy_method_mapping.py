# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: legacy_method_mapping
short_description: What the legacy MFA and password reset settings become
version_added: "0.1.0"
description:
  - Computes which methods of the authentication methods policy have to be enabled, and for whom, before the migration
    to it is complete. It follows Microsoft's table, so that nobody loses a method that a legacy setting allows.
  - Microsoft Graph does not show the legacy settings. A person looks them up in the portal and declares them.
  - The result only widens. No method is switched off, and none is narrowed. SMS and voice are enabled only where a
    legacy setting allows them.
positional: _input, verification_options, password_reset
options:
  _input:
    description:
      - The authentication methods policy as Graph's beta version answers it, with its configurations.
    type: dict
    required: true
  verification_options:
    description:
      - The verification options of per-user MFA that are ticked. Null when nobody has looked.
      - V(call_to_phone), V(text_message_to_phone), V(notification_through_mobile_app) or
        V(verification_code_from_mobile_app_or_hardware_token).
    type: list
    elements: str
    required: true
  password_reset:
    description:
      - The settings of self-service password reset. Null when nobody has looked.
      - C(enabled_for) is V(nobody), V(selected) or V(everybody). C(group) is the name or object ID of the group of the
        selected users. C(methods) are V(mobile_app_notification), V(mobile_app_code), V(email), V(mobile_phone),
        V(office_phone) and V(security_questions).
    type: dict
    required: true
seealso:
  - module: zerotrust.m365.authentication_method
  - name: How to migrate to the authentication methods policy
    description: Microsoft's table.
    link: https://learn.microsoft.com/entra/identity/authentication/how-to-authentication-methods-manage
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Read the authentication methods policy
  zerotrust.m365.graph_info:
    path: /policies/authenticationMethodsPolicy
    api_version: beta
  register: policy

- name: Show what each legacy setting becomes
  ansible.builtin.debug:
    msg: "{{ (policy.result | zerotrust.m365.legacy_method_mapping(ticked, password_reset)).becomes }}"
  vars:
    ticked:
      - notification_through_mobile_app
    password_reset:
      enabled_for: everybody
      methods:
        - email
"""

RETURN = r"""
_value:
  description:
    - C(complete) tells whether the migration is complete, so that legacy settings count for nothing. C(state) is the
      state of the migration.
    - C(missing) has a sentence for each declaration that is missing, C(refused) for each that is wrong. If one of them
      has any, there is nothing in the others.
    - C(methods) has the options of M(zerotrust.m365.authentication_method) for each method. C(becomes) tells in
      sentences what each legacy setting becomes, C(warnings) what else a person should know.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.facts import UnexpectedShape
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.legacy_methods import mapping


def legacy_method_mapping(policy: Any, verification_options: Any, password_reset: Any) -> dict[str, Any]:
    if not isinstance(policy, Mapping):
        raise AnsibleFilterError("legacy_method_mapping needs the authentication methods policy, as Graph answers it.")
    if isinstance(verification_options, str) or not isinstance(verification_options, (Sequence, type(None))):
        raise AnsibleFilterError("legacy_method_mapping needs the verification options as a list, or null.")
    if not isinstance(password_reset, (Mapping, type(None))):
        raise AnsibleFilterError("legacy_method_mapping needs the password reset settings as a dictionary, or null.")
    try:
        return mapping(policy, verification_options, password_reset)
    except UnexpectedShape as error:
        raise AnsibleFilterError(f"The authentication methods policy cannot be read: {error}.") from error
    except LookupError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"legacy_method_mapping": legacy_method_mapping}
