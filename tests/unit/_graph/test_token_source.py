# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""When a token is renewed, and how often anybody signs in."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.credentials import ClientSecret, Credentials
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.token_source import TokenSource
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.tokens import AccessToken, read_token
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import CLIENT, TENANT, make_token


class SignIns:
    """Gives numbered tokens and counts."""

    def __init__(self, lifetime: int = 3600) -> None:
        self.count = 0
        self.lifetime = lifetime

    def __call__(self) -> AccessToken:
        self.count += 1
        now = int(time.time())
        return read_token(make_token(jti=self.count, iat=now, exp=now + self.lifetime))


def source(signing: SignIns, now: Callable[[], float] = time.time, ready: AccessToken | None = None) -> TokenSource:
    credentials = Credentials(TENANT, ClientSecret(CLIENT, "s"), ready, None)
    return TokenSource(credentials, signing, lambda name: name, now)


def test_one_token_serves_many() -> None:
    signing = SignIns()
    tokens = source(signing)
    assert len({tokens.token().secret for _use in range(5)}) == 1
    assert signing.count == 1


def test_threads_share_one_sign_in() -> None:
    signing = SignIns()
    tokens = source(signing)
    together = threading.Barrier(8)

    def use(_number: int) -> str:
        together.wait(10)
        return tokens.token().secret

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(use, range(8)))) == 1
    assert signing.count == 1


def test_threads_share_one_renewal() -> None:
    signing = SignIns()
    tokens = source(signing)
    refused = tokens.token()
    with ThreadPoolExecutor(8) as pool:
        renewed = list(pool.map(lambda _number: tokens.renewed(refused), range(8)))
    assert len({token.secret for token in renewed if token}) == 1
    assert signing.count == 2


def test_a_token_is_renewed_five_minutes_before_its_end() -> None:
    clock = [time.time()]
    signing = SignIns()
    tokens = source(signing, lambda: clock[0])
    tokens.token()
    clock[0] += 3600 - 310
    tokens.token()
    assert signing.count == 1
    clock[0] += 20
    tokens.token()
    tokens.token()
    assert signing.count == 2


def test_short_lived_tokens_are_not_renewed_at_every_use() -> None:
    signing = SignIns(lifetime=120)
    tokens = source(signing)
    for _use in range(5):
        tokens.token()
    assert signing.count == 1


@pytest.mark.parametrize("offset", [-86400, 86400])
def test_a_wrong_clock_does_not_sign_in_again_and_again(offset: int) -> None:
    signing = SignIns()
    tokens = source(signing, lambda: time.time() + offset)
    for _use in range(5):
        tokens.token()
    assert signing.count == 1


def test_a_ready_token_is_used_first() -> None:
    signing = SignIns()
    ready = read_token(make_token())
    tokens = source(signing, ready=ready)
    assert tokens.token() is ready
    assert signing.count == 0
    renewed = tokens.renewed(ready)
    assert renewed is not None
    assert renewed is not ready
    assert tokens.token() is renewed
    assert tokens.renewed(ready) is renewed
    assert signing.count == 1
