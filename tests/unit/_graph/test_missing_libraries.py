# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""Without its libraries every file still imports, and what needs them says which one."""

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
    import importlib, pkgutil, sys

    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in {missing!r}:
                raise ImportError(name)

    sys.meta_path.insert(0, Missing())
    import ansible_collections.zerotrust.m365.plugins.module_utils._graph as graph
    for module in pkgutil.iter_modules(graph.__path__):
        importlib.import_module(graph.__name__ + "." + module.name)
    from ansible_collections.zerotrust.m365.plugins.module_utils._graph.connect import connect
    from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import MissingLibrary
    guid = "11111111-2222-3333-4444-555555555555"
    options = {{"tenant_id": guid, "client_id": guid, {credential}}}
    try:
        client = connect(
            options, environment={{}}, check_mode=True, warn=print, secret=len, before_write=print
        )
        client.token()
    except MissingLibrary as error:
        print(error.library, "Error" in error.import_traceback, guid in error.message)
"""


@pytest.mark.parametrize(
    ("missing", "credential", "library"),
    [
        (["requests"], '"client_secret": "s"', "requests"),
        (["urllib3"], '"client_secret": "s"', "requests"),
        (["msal"], '"client_secret": "s"', "msal"),
        (["cryptography"], '"client_certificate": "x"', "cryptography"),
        (["requests", "urllib3", "msal", "cryptography", "jwt"], '"client_secret": "s"', "requests"),
    ],
)
def test_a_missing_library_is_named(missing: list[str], credential: str, library: str) -> None:
    program = textwrap.dedent(PROGRAM).format(missing=missing, credential=credential)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.split() == [library, "True", "False"]
