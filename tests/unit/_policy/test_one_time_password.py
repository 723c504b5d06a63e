# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._policy.one_time_password import (
    LONGEST_SECRET,
    code_at,
    secret_bytes,
    without_gaps,
)
from m365_simulator.graph.hardware_oath import one_time_code

# RFC 6238, appendix B. Its secrets are as long as the digests, which its text does not say but its program does.
SECRETS = {"hmacsha1": b"12345678901234567890", "hmacsha256": b"12345678901234567890123456789012"}
VECTORS = [
    (59, "94287082", "46119246"),
    (1111111109, "07081804", "68084774"),
    (1111111111, "14050471", "67062674"),
    (1234567890, "89005924", "91819424"),
    (2000000000, "69279037", "90698825"),
    (20000000000, "65353130", "77737706"),
]


@pytest.mark.parametrize(("seconds", "sha1", "sha256"), VECTORS)
def test_the_vectors_of_the_rfc(seconds: int, sha1: str, sha256: str) -> None:
    for function, code in (("hmacsha1", sha1), ("hmacsha256", sha256)):
        secret = SECRETS[function]
        assert code_at(secret, seconds, interval=30, hash_function=function, digits=8) == code
        # Tokens show the last six digits.
        assert code_at(secret, seconds, interval=30, hash_function=function) == code[-6:]


def test_the_vectors_of_the_rfc_for_counters() -> None:
    """RFC 4226, appendix D."""
    codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
    secret = SECRETS["hmacsha1"]
    assert [code_at(secret, 60 * n + 59.9, interval=60, hash_function="hmacsha1") for n in range(10)] == codes


@pytest.mark.parametrize("interval", [30, 60])
@pytest.mark.parametrize("function", ["hmacsha1", "hmacsha256"])
def test_the_simulator_computes_the_same_by_itself(interval: int, function: str) -> None:
    for seconds in (0, 29.99, 30, 59, 60, 1790000000.5):
        mine = code_at(b"a secret of mine", seconds, interval=interval, hash_function=function)
        assert mine == one_time_code(b"a secret of mine", seconds, interval, function)


@pytest.mark.parametrize(
    "written", ["JBSWY3DPEHPK3PXP", "jbsw y3dp ehpk 3pxp", "JBSW-Y3DP-EHPK-3PXP", "jbswy3dpehpk3pxp===="]
)
def test_a_secret_is_read_however_it_is_written(written: str) -> None:
    assert secret_bytes(written) == base64.b32decode("JBSWY3DPEHPK3PXP")
    assert without_gaps(written) == "JBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(
    "written", ["", "====", "JBSWY3DPEHPK3PX1", "A", "not base32!", "ÄBSWY3DP", "A" * (LONGEST_SECRET + 1)]
)
def test_what_is_no_secret(written: str) -> None:
    assert secret_bytes(written) is None


@pytest.mark.parametrize("length", [2, 4, 5, 7, 8, 26])
def test_a_secret_may_be_written_without_padding(length: int) -> None:
    plain = ("JBSWY3DP" * 4)[: length - 1] + "X"
    padded = plain + "=" * (8 * -(-length // 8) - length)
    assert without_gaps(padded) == plain
    assert secret_bytes(plain) == secret_bytes(padded) == base64.b32decode(padded)


def test_the_longest_secret() -> None:
    assert secret_bytes("A" * LONGEST_SECRET) == bytes(80)
