# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents as texts that Ansible Vault encrypts, with ansible-core's own library (private to the collection)."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from ansible.errors import AnsibleError, AnsibleFilterError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import OptionError, readable
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.files import MAX_FILE_BYTES, local_path
from ansible_collections.zerotrust.m365.plugins.module_utils._policy import seals

BYTES_OF_NAME = 8


def sealed(document: Any, keys: Any) -> list[str]:
    """The document as one encrypted text for each key. Raises AnsibleFilterError."""
    if not isinstance(document, Mapping):
        raise AnsibleFilterError("What is to be sealed must be a dictionary.")
    opened = _passwords(keys)
    plain = json.loads(json.dumps(document))  # plain types, which YAML knows: Ansible hands over types of its own
    try:
        parts = seals.cut(plain, len(opened), secrets.token_hex(BYTES_OF_NAME))
    except seals.Damaged as error:
        raise AnsibleFilterError(str(error)) from None
    texts = [yaml.safe_dump(part, sort_keys=False) for part in parts]
    return [
        to_text(VaultLib().encrypt(to_bytes(text), VaultSecret(password), vault_id))
        for text, (vault_id, password) in zip(texts, opened, strict=True)
    ]


def unsealed(envelopes: Any, keys: Any) -> dict[str, Any]:
    """The document of these encrypted texts, one for each key and empty where there is none; empty when nothing is
    sealed. Raises AnsibleFilterError for what cannot be opened, in a sentence without a secret."""
    if isinstance(envelopes, str) or not isinstance(envelopes, Sequence):
        raise AnsibleFilterError("What is to be opened must be a list.")
    opened = _passwords(keys)
    if len(envelopes) != len(opened):
        raise AnsibleFilterError("A seal has as many parts as there are vault IDs.")
    found = [_opened(text, *key) if text else None for text, key in zip(envelopes, opened, strict=True)]
    try:
        return seals.join(found) or {}
    except seals.Damaged as error:
        raise AnsibleFilterError(str(error)) from None


def _opened(text: str, vault_id: str, password: bytes) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(VaultLib([(vault_id, VaultSecret(password))]).decrypt(to_bytes(text)))
    except (AnsibleError, yaml.YAMLError):
        document = None
    if not isinstance(document, Mapping):
        refusal = f"It is damaged, or was sealed with another vault password than that of '{vault_id}'."
        raise AnsibleFilterError(refusal)
    return document


def _passwords(keys: Any) -> list[tuple[str, bytes]]:
    """Vault IDs and passwords. Raises AnsibleFilterError."""
    if not isinstance(keys, Sequence) or not keys or not all(isinstance(key, Mapping) for key in keys):
        raise AnsibleFilterError("Seals take a list of one vault ID at least.")
    found = [(str(key.get("vault_id") or "emergency_access"), _password(key)) for key in keys]
    if len(found) > seals.MOST_PARTS:
        raise AnsibleFilterError(
            f"A seal has {seals.MOST_PARTS} parts at most: who has all but one must not guess the last."
        )
    if len({vault_id for vault_id, _password in found}) < len(found):
        raise AnsibleFilterError("Each part of a seal takes a vault ID of its own.")
    if len({password for _vault_id, password in found}) < len(found):
        raise AnsibleFilterError("Each part of a seal takes a vault password of its own.")
    return found


def _password(key: Mapping[str, Any]) -> bytes:
    given = key.get("vault_password")
    password: bytes = to_bytes(given) if given else _read(key.get("vault_password_file"))
    if not password.strip():
        raise AnsibleFilterError("The vault password for the seals is empty.")
    return password


def _read(path: Any) -> bytes:
    """As Ansible reads a vault password file, but never run as a program."""
    if not path:
        refusal = (
            "The vault password for the seals is missing. Set emergency_access_vault_password_file to the file that "
            "holds it, or emergency_access_vault_password; with emergency_access_seal_parts, vault_password_file or "
            "vault_password of each part."
        )
        raise AnsibleFilterError(refusal)
    try:
        file = local_path("The file with the vault password for the seals", str(path))
    except OptionError as error:
        raise AnsibleFilterError(error.message) from None
    if not os.path.isfile(file):  # noqa: PTH113 - Path raises for some names that cannot be
        raise AnsibleFilterError(readable(f"The vault password for the seals is missing: {file} is no file."))
    if os.access(file, os.X_OK):
        raise AnsibleFilterError(
            f"The file with the vault password for the seals, {file}, is executable. It would have to be run, which is "
            "not done: take that permission away if it holds the password, or give the password itself."
        )
    if file.stat().st_size > MAX_FILE_BYTES:
        raise AnsibleFilterError(f"The vault password for the seals cannot be read: {file} is larger than 1 MiB.")
    try:
        return file.read_bytes().strip()
    except OSError as error:
        refusal = f"The vault password for the seals cannot be read: {error.strerror}: {file}."
        raise AnsibleFilterError(refusal) from None
