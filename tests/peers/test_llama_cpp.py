"""Every strategy on llama.cpp's own server, held against the server's own counters."""

from __future__ import annotations

from functools import partial

import pytest

from peer_runs import NAMES, Peer, hold, spend
from real_servers import settled
from workspan.spec import STRATEGIES

pytestmark = [pytest.mark.peers, pytest.mark.timeout(1800)]

WORK = 160


@pytest.fixture(scope="module")
def peer(llama: str) -> Peer:
    return Peer("llama.cpp", f"{llama}/v1", None, partial(settled, llama))


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_accounts_for_what_was_decoded(peer: Peer, name: str) -> None:
    spent = spend(peer, STRATEGIES[name].example, WORK)
    hold(spent)
    assert spent.error is None
    assert spent.usage.work > 0
    assert spent.truth.decoded <= WORK
    if not spent.usage.unseen_tokens:  # a call that was cut early may not have been read
        assert spent.usage.input_tokens == spent.truth.read + spent.truth.cached
