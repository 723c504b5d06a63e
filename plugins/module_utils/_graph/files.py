# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files that options name (private to the collection)."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import OptionError

MAX_FILE_BYTES = 1024 * 1024


def local_path(option: str, path: str) -> Path:
    """A path with ``~`` replaced. Raises OptionError for what cannot be one."""
    try:
        possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise OptionError(f"{option} holds characters that no path may hold.")
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path raises where ~ is nobody's


def read_bytes(option: str, path: Path, most: int) -> bytes:
    """The content of a regular file. Raises OptionError. Never waits, as reading a pipe would."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OptionError(f"{option}: cannot read '{path}': it is no regular file.")
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise OptionError(f"{option}: cannot read '{path}': {error.strerror}.") from None
    if len(content) > most:
        raise OptionError(f"{option}: '{path}' is larger than {most // 1024 // 1024} MiB.")
    return content


def read_file(option: str, path: str) -> str:
    """A small text file. Raises OptionError that names the file and why it cannot be read."""
    content = read_bytes(option, local_path(option, path), MAX_FILE_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise OptionError(
            f"{option}: '{path}' is no text file. A PKCS #12 file (.pfx) can be converted to PEM: "
            "openssl pkcs12 -in FILE.pfx -out FILE.pem -nodes"
        ) from None
