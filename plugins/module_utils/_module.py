# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module door: the one place that touches AnsibleModule (private to the collection)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ._door import NOT_CONVERTIBLE, argument_spec, masked, missing_library, secret_results, secrets_in
from ._engine.engine import execute
from ._engine.resource import Resource
from ._graph.errors import readable


class ReadableModule(AnsibleModule):
    """Ansible's own words about options quote them as they are."""

    def fail_json(self, msg: str, **keywords: Any) -> NoReturn:
        super().fail_json(readable(masked({"msg": msg}, self.no_log_values)["msg"]), **keywords)
        raise SystemExit(1)  # not reached: it says that this does not return


def run_module(resource: Resource) -> None:
    """Run a resource as a module: what every file in ``plugins/modules`` calls."""
    try:
        module = ReadableModule(argument_spec=argument_spec(resource), supports_check_mode=True)
    except (ArithmeticError, TypeError, ValueError):
        # There is no module yet that could say it.
        sys.stdout.write(json.dumps({"failed": True, "msg": NOT_CONVERTIBLE}))
        raise SystemExit(1) from None
    missing = missing_library()
    if missing:
        module.fail_json(msg=missing_required_lib(missing.library), exception=missing.import_traceback)
    module.no_log_values.update(secrets_in(resource, module.params))
    result = execute(
        resource,
        module.params,
        environment=os.environ,
        check_mode=module.check_mode,
        warn=module.warn,
        secret=module.no_log_values.add,
    )
    if result.pop("failed", False):
        module.fail_json(**result)
    _exit(module, resource, result)


def _exit(module: AnsibleModule, resource: Resource, result: Mapping[str, Any]) -> None:
    """Leave with success. A secret that is the very result is taken out of what AnsibleModule masks."""
    invocation = {"module_args": masked(module.params, module.no_log_values)}
    module.no_log_values -= secret_results(resource, result)
    module.exit_json(**result, invocation=invocation)
