# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates are a user's, for certificate-based authentication (private to the collection). Pure functions.

Source: Microsoft's page "Mapping to the certificateUserIds attribute in Microsoft Entra ID": the patterns, with
case-sensitive prefixes; at most 10 values (5 in older editions of the page) of at most 1024 characters; each value
belongs to one user of the tenant only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .facts import UnexpectedShape

MOST, LONGEST = 10, 1024
PATTERNS = (
    "X509:<PN>name",
    "X509:<RFC822>address",
    "X509:<I>issuer<S>subject",
    "X509:<S>subject",
    "X509:<SKI>identifier",
    "X509:<SHA1-PUKEY>hash",
    "X509:<I>issuer<SR>serial number",
)
_VALUE = r"[^\s<>](?:[^<>\x00-\x1f\x7f]*[^\s<>])?"
_PATTERN = re.compile(
    rf"X509:(?:<(?:PN|RFC822|S)>{_VALUE}|<I>{_VALUE}<S>{_VALUE}|<I>{_VALUE}<SR>[0-9A-Za-z]+|<(?:SKI|SHA1-PUKEY)>[^\s<>]+)"
)


def ids_of(user: Mapping[str, Any]) -> list[str]:
    """The ids that Graph shows of a user; none where it shows null. Raises UnexpectedShape."""
    if "authorizationInfo" not in user:
        raise UnexpectedShape("'authorizationInfo' is missing")
    information = user["authorizationInfo"]
    if information is None:
        return []
    found = information.get("certificateUserIds") if isinstance(information, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise UnexpectedShape("'certificateUserIds' is no list of strings")
    return found


def refusal(ids: Sequence[str]) -> str | None:
    """Why Entra would not take one of these ids; None when it would."""
    for one in ids:
        if len(one) > LONGEST:
            return f"certificate_user_ids: '{one[:40]}...' is longer than {LONGEST} characters."
        if not _PATTERN.fullmatch(one):
            return f"certificate_user_ids: '{one}' has none of the forms that Entra knows: {', '.join(PATTERNS)}."
    twice = sorted({one for one in ids if ids.count(one) > 1})
    return f"certificate_user_ids: '{twice[0]}' is named more than once." if twice else None


def wanted_ids(current: Sequence[str], given: Sequence[str], state: str) -> list[str]:
    """What the ids are to be. ``present`` adds to them, ``absent`` takes away, ``set`` replaces; order never counts."""
    if state == "present":
        return [*current, *(one for one in given if one not in current)]
    if state == "absent":
        return [one for one in current if one not in given]
    return list(current) if sorted(current) == sorted(given) else list(given)


def too_many(ids: Sequence[str], name: str) -> str | None:
    if len(ids) <= MOST:
        return None
    return f"{name} would have {len(ids)} certificate user IDs, but Entra allows {MOST}. Take some away."
