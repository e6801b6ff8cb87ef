"""its-hub's server, its-iaas: no cap gets through it, and an answer comes whole, without usage.

A server of our own that says that it is simulated stands for the model behind it and counts.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from functools import partial

import pytest

from peer_runs import NAMES, SCORED, Peer, hold, spend
from peers.conftest import Install
from real_servers import free_port, process, simulated, simulated_settled
from workspan.errors import UnsupportedCapability
from workspan.spec import STRATEGIES

pytestmark = [pytest.mark.peers, pytest.mark.timeout(1800)]

WORK = 300
PACKAGES = ("its-hub[iaas,lm]==1.2.0",)


MODELS = {
    "brief": ("--text", "think of it", "--seeded", "--numbered"),
    "long": ("--text", "word " * 399 + "42"),  # past every cap: none gets through
}


@pytest.fixture(scope="module", params=MODELS)
def peer(
    request: pytest.FixtureRequest, installed: Install, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    python = installed("its-iaas", PACKAGES)
    folder = tmp_path_factory.mktemp("its-iaas")
    address = f"http://127.0.0.1:{free_port()}"
    command = [str(python.with_name("its-iaas")), "--port", address.rpartition(":")[2]]
    with (
        simulated(folder / "model", *MODELS[request.param]) as behind,
        process(command, folder / "log", door=f"{address}/v1/models"),
    ):
        configured = {
            "endpoint": f"{behind}/v1",
            "model": "simulated",
            "api_key": "none",
            "alg": "self-consistency",
            "budget": 1,
            "regex_patterns": ["(.+)"],
        }
        posted = urllib.request.Request(
            f"{address}/configure",
            json.dumps(configured).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(posted, timeout=60) as response:
            assert response.status == 200
        yield Peer(
            f"its-iaas, {request.param} answers",
            f"{address}/v1",
            None,
            partial(simulated_settled, behind),
        )


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_accounts_for_what_was_decoded(peer: Peer, name: str) -> None:
    spent = spend(peer, STRATEGIES[name].example, WORK)
    hold(spent)
    if isinstance(spent.error, UnsupportedCapability):
        pytest.skip(f"its-iaas does not continue: {spent.error}")
    if name in SCORED:
        assert "log-probabilities" in str(spent.error)
    else:
        assert spent.error is None


def test_what_it_loses_is_said(peer: Peer) -> None:
    """A stream of it has no usage; beyond the cap an answer is kept, marked and named."""
    for cap, source in ((100, "measured"), (300, "estimated")):
        spent = spend(peer, f"single(max_tokens={cap})", cap)
        hold(spent)
        assert spent.result is not None
        assert spent.usage.source == source
        assert ("no_usage" in spent.notices) == (source == "estimated")
        assert ("ignores_cap" in spent.notices) == (spent.truth.decoded > cap)
        assert spent.result.overrun >= spent.truth.decoded - cap
        assert spent.result.answer.text is not None
