"""optillm's proxy, as it stands: its approach "none" passes a request on.

A server of our own that says that it is simulated stands for the model behind it and counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from peer_runs import NAMES, SCORED, Peer, hold, spend
from peers.conftest import Install
from real_servers import free_port, process, simulated, simulated_settled
from workspan.errors import UnsupportedCapability
from workspan.spec import STRATEGIES
from workspan.testing.environments import OPTILLM, OPTILLM_NEEDS

pytestmark = [pytest.mark.peers, pytest.mark.timeout(1800)]

WORK = 300


@pytest.fixture(scope="module")
def peer(installed: Install, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    python = installed("optillm", OPTILLM_NEEDS, bare=(OPTILLM,))
    folder = tmp_path_factory.mktemp("optillm")
    port = free_port()
    with simulated(folder / "model", "--text", "think of it", "--seeded", "--numbered") as behind:
        command = [str(python), "-c", "import optillm; optillm.main()", "--port", str(port)]
        command += ["--base-url", f"{behind}/v1"]
        variables = {"OPENAI_API_KEY": "none", "HOME": str(folder)}
        url = f"http://127.0.0.1:{port}/v1"
        with process(command, folder / "log", door=f"{url}/models", variables=variables):
            settled = partial(simulated_settled, behind)
            yield Peer("optillm", url, "none-simulated", settled)


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_accounts_for_what_was_decoded(peer: Peer, name: str) -> None:
    spent = spend(peer, STRATEGIES[name].example, WORK)
    hold(spent)
    if isinstance(spent.error, UnsupportedCapability):
        pytest.skip(f"optillm does not continue: {spent.error}")
    if name in SCORED:  # the model behind it sends none
        assert "log-probabilities" in str(spent.error)
    else:
        assert spent.error is None
    if not spent.usage.unseen_tokens:
        assert spent.usage.source == "measured"


@pytest.mark.parametrize("approach", ["bon", "moa"])
def test_its_own_votes_are_counted_where_it_counts_them(peer: Peer, approach: str) -> None:
    """An approach asks several times: its whole reply adds that up, its stream says nothing."""
    voting = replace(peer, model=f"{approach}-simulated")
    whole = spend(voting, "single(max_tokens=300)", WORK, streams=False)
    assert whole.truth.decoded <= whole.account
    assert "no_usage" not in whole.notices
    streamed = spend(voting, "single(max_tokens=300)", WORK)
    assert "no_usage" in streamed.notices
    assert streamed.usage.source == "estimated"
