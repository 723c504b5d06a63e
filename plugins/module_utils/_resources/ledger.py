# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of JSON lines that only grows, and is on the disk before what it tells of is done (private)."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from .._graph.errors import M365Error, OptionError
from .._graph.files import local_path

OWNER_ONLY = 0o600
# A million users twice over.
MOST_BYTES = 512 * 1024 * 1024
# Longer than any line.
TAIL = 64 * 1024


class LedgerFailed(M365Error):
    """The ledger could not be written, so nothing of what it was to tell may be done."""


class Ledger:
    """``option`` names the option with the path. Nothing is made before the first ``append``."""

    def __init__(self, option: str, path: str) -> None:
        self._option = option
        self.path = local_path(option, path)

    def check(self) -> None:
        """Raises OptionError where it could not be written, in a dry run just as in a run."""
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            folder = self.path.parent
            if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
                self._refuse(f"the folder '{folder}' does not exist or cannot be written to")
            return
        except OSError as error:
            self._refuse(f"'{self.path}' cannot be used: {error.strerror}")
        if not stat.S_ISREG(found.st_mode):
            self._refuse(f"'{self.path}' is no regular file")
        if found.st_mode & 0o077:
            self._refuse(f"'{self.path}' is open to others than its owner; make it 0600")
        if not os.access(self.path, os.R_OK | os.W_OK):
            self._refuse(f"'{self.path}' cannot be read and written")

    def lines(self) -> list[dict[str, Any]]:
        """What it holds; a last line that was broken off is left out. Raises OptionError for a damaged one."""
        try:
            if self.path.stat().st_size > MOST_BYTES:
                self._refuse(f"'{self.path}' is larger than {MOST_BYTES // 1024 // 1024} MiB")
            content = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            self._refuse(f"'{self.path}' cannot be read: {error.strerror}")
        found = []
        for number, raw in enumerate(content[: _whole(content)].splitlines(), start=1):
            item = _read(raw)
            if item is None:
                self._refuse(f"line {number} of '{self.path}' is damaged")
            found.append(item)
        return found

    def append(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Add lines. When it returns they are on the disk. Raises LedgerFailed."""
        text = "".join(json.dumps(item, sort_keys=True) + "\n" for item in items)
        if not text:
            return
        try:
            is_new = not self.path.exists()
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, OWNER_ONLY)
            with os.fdopen(descriptor, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(_end_of_whole_lines(file))
                file.truncate()
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                _sync_folder(self.path.parent)
        except OSError as error:
            message = f"The ledger '{self.path}' could not be written: {error.strerror}. Nothing more was changed."
            raise LedgerFailed(message) from None

    def _refuse(self, why: str) -> NoReturn:
        raise OptionError(f"{self._option}: {why}.")


def _end_of_whole_lines(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - TAIL)
    file.seek(start)
    return start + _whole(file.read())


def _whole(content: bytes) -> int:
    """How much of it are whole lines. What was broken off was never relied on."""
    return content.rfind(b"\n") + 1


def _read(raw: bytes) -> dict[str, Any] | None:
    try:
        item = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return item if isinstance(item, dict) else None


def _sync_folder(folder: Path) -> None:
    """Have the name of a new file on the disk, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
