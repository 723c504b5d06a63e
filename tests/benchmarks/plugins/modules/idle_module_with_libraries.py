# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that imports msal and requests and does nothing: the least that a module speaking to Graph costs."""

from __future__ import annotations

import msal
import requests
from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    module.exit_json(changed=False, libraries={"msal": msal.__version__, "requests": requests.__version__})


if __name__ == "__main__":
    main()
