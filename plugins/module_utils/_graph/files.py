# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small text files that options name (private to the collection)."""

from __future__ import annotations

from pathlib import Path

from .errors import OptionError

MAX_FILE_BYTES = 1024 * 1024


def read_file(option: str, path: str) -> str:
    """A small text file. Raises OptionError that names the file and why it cannot be read."""
    try:
        with Path(path).expanduser().open("rb") as file:
            content = file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise OptionError(f"{option}: cannot read '{path}': {error.strerror}.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise OptionError(
            f"{option}: '{path}' is no text file. A PKCS #12 file (.pfx) can be converted to PEM: "
            "openssl pkcs12 -in FILE.pfx -out FILE.pem -nodes"
        ) from None
