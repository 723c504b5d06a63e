# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: sealed_file
short_description: Encrypted files as they are
version_added: "0.1.0"
description:
  - Reads files on the machine that runs Ansible, and leaves them encrypted. Other ways to read a file open what Ansible
    Vault has encrypted when they can, and fail when they cannot.
  - With O(content), it writes them before, as P(ansible.builtin.password#lookup) does with its file. Each file is
    written under another name and then renamed, so there is never half a file. Files have the mode 0600. A folder that
    is missing is made with the mode 0700, but not the folder above it.
options:
  _terms:
    description:
      - The paths of the files.
    type: list
    elements: path
    required: true
  content:
    description:
      - The texts to write, one for each path. They must be encrypted. A lookup does not know about check mode, so do
        not look this up in it.
    type: list
    elements: str
  replacing:
    description:
      - The texts that the files hold until now, an empty one for a file that is not there. Where one holds another
        text, somebody else has written it meanwhile; then it fails, and nothing is written.
    type: list
    elements: str
  writable:
    description:
      - Whether to fail unless the files could be written.
    type: bool
    default: false
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Look whether a password is sealed
  ansible.builtin.debug:
    msg: "{{ lookup('zerotrust.m365.sealed_file', '/srv/seals/one.yml') | length > 0 }}"

- name: Seal a password
  ansible.builtin.set_fact:
    envelopes: >-
      {{ query('zerotrust.m365.sealed_file', '/srv/seals/one.yml', content=document | zerotrust.m365.seal(keys)) }}
  vars:
    document:
      secret: "{{ lookup('zerotrust.m365.emergency_password') }}"
    keys:
      - vault_id: safe
        vault_password_file: /root/safe
  no_log: true
"""

RETURN = r"""
_list:
  description: The texts that are in the files then, an empty one for a file that is not there.
  type: list
  elements: str
"""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.parsing.vault import is_encrypted
from ansible.plugins.lookup import LookupBase

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError, readable
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.files import MAX_FILE_BYTES, local_path

FILE_MODE = 0o600
FOLDER_MODE = 0o700


class LookupModule(LookupBase):
    def run(self, terms: list[Any], variables: Any = None, **kwargs: Any) -> list[str]:
        try:
            paths = [local_path("The path of a sealed file", str(term)) for term in terms]
        except OptionError as error:
            raise AnsibleLookupError(error.message) from None
        content = kwargs.get("content")
        try:
            if content is not None:
                _write_all(paths, [str(text) for text in content], kwargs.get("replacing"))
            if kwargs.get("writable"):
                _refuse_read_only(paths)
            return [_text(path) for path in paths]
        except OSError as error:
            refusal = f"The sealed file {error.filename} cannot be read or written: {error.strerror}."
            raise AnsibleLookupError(readable(refusal)) from None


def _write_all(paths: list[Path], content: list[str], replacing: list[Any] | None) -> None:
    if len(paths) != len(content) or not all(map(is_encrypted, content)):
        raise AnsibleLookupError("sealed_file writes one encrypted text to each path.")
    folders = sorted({path.parent for path in paths})
    for folder in folders:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    with ExitStack() as locks:
        for folder in folders:
            locks.enter_context(_locked(folder))
        if replacing is not None and [_text(path) for path in paths] != [str(text) for text in replacing]:
            raise AnsibleLookupError("Another run has written the sealed file meanwhile. Nothing was written.")
        for path, text in zip(paths, content, strict=True):
            _write(path, text)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Nobody else writes a sealed file there meanwhile, as far as the file system knows locks."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _keep_name(path.parent)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _keep_name(folder: Path) -> None:
    """A machine that stops now finds the file again under its name."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_read_only(paths: list[Path]) -> None:
    folders = {path.parent if path.parent.exists() else path.parent.parent for path in paths}
    for folder in sorted(folders):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise AnsibleLookupError(f"The folder for the seals, {folder}, cannot be written to. Nothing was written.")


def _text(path: Path) -> str:
    try:
        found = path.stat()
    except FileNotFoundError:
        return ""
    usual = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    if not usual or found.st_size > MAX_FILE_BYTES:  # a pipe would be waited for
        raise AnsibleLookupError(readable(f"The sealed file {path} is no regular file of 1 MiB at most."))
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise AnsibleLookupError(f"The sealed file {path} is no text.") from None
