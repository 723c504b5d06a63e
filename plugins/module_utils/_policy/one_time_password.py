# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The codes that an OATH token shows (private to the collection). Pure functions.

Sources: RFC 6238 (time-based codes) and RFC 4226 (codes from a counter); RFC 4648 for base32; Microsoft's page on the
resource type hardwareOathTokenAuthenticationMethodDevice for what a secret may be.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re

HASHES = {"hmacsha1": "sha1", "hmacsha256": "sha256"}
LONGEST_SECRET = 128
DIGITS = 6

_GAPS = re.compile(r"[\s-]+")


def without_gaps(written: str) -> str:
    """A secret in base32 as Graph takes it, from how people write it: in groups, in small letters, padded."""
    return _GAPS.sub("", written).rstrip("=").upper()


def secret_bytes(written: str) -> bytes | None:
    """What a secret in base32 stands for; None when it is none, or is longer than Graph takes."""
    plain = without_gaps(written)
    if not plain or len(plain) > LONGEST_SECRET:
        return None
    try:
        return base64.b32decode(plain + "=" * (-len(plain) % 8))
    except (binascii.Error, ValueError):
        return None


def code_at(secret: bytes, seconds: float, *, interval: int, hash_function: str, digits: int = DIGITS) -> str:
    """The code at a moment, in seconds since the epoch. ``interval`` in seconds, ``hash_function`` a key of HASHES."""
    counter = (int(seconds) // interval).to_bytes(8, "big")
    digest = hmac.digest(secret, counter, HASHES[hash_function])
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"
