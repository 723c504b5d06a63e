# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate authorities, loaded once for all processes forked from this one (private to the collection).

Loading the public authorities takes 30 to 40 milliseconds of CPU, as much as the rest of a task that has nothing to
change. The context only saves time: where anything is unusual there is none, and requests loads for itself.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Mozilla's authorities are a quarter of a MiB.
MAX_BUNDLE_BYTES = 8 * 1024 * 1024

try:
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError:
    HAS_URLLIB3 = False
else:
    HAS_URLLIB3 = True


@dataclass(frozen=True)
class Loaded:
    """A context, and what the file held that it trusts."""

    content: bytes = field(repr=False)
    context: ssl.SSLContext


_LOADED: dict[str, Loaded] = {}


def preload(path: str) -> None:
    """Load a bundle before the process forks. Leaves out what is not an ordinary file of certificates; never raises."""
    try:
        content = _content(path)
        if content is None:
            return
        context = _context_trusting(path)
        if context is not None and _content(path) == content:
            _LOADED[path] = Loaded(content, context)
    except Exception:  # whoever needs these authorities will be told what is wrong with them
        return


def preloaded_context(path: str) -> ssl.SSLContext | None:
    """The context that was loaded from this very path, while the file still holds the same bytes; else None."""
    loaded = _LOADED.get(path)
    try:
        if loaded is None or _logs_keys() or _content(path) != loaded.content:
            return None
    except OSError:
        return None
    checks = loaded.context.verify_mode == ssl.CERT_REQUIRED and loaded.context.check_hostname
    return loaded.context if checks else None


def _content(path: str) -> bytes | None:
    """None for a folder, a pipe and what is too large. Raises OSError."""
    file = Path(path)
    return file.read_bytes() if file.is_file() and file.stat().st_size <= MAX_BUNDLE_BYTES else None


def _context_trusting(path: str) -> ssl.SSLContext | None:
    """As urllib3 makes it for one connection, and never looser than this. Raises OSError."""
    if not HAS_URLLIB3 or _logs_keys():
        return None
    context: Any = create_urllib3_context()
    if not isinstance(context, ssl.SSLContext):  # pyOpenSSL took its place
        return None
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    context.load_verify_locations(cafile=path)
    return context


def _logs_keys() -> bool:
    """Whether urllib3 would write the keys of connections to a file, which this task may say and the next may not."""
    return bool(os.environ.get("SSLKEYLOGFILE"))
