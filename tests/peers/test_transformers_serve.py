"""`transformers serve` with a small untrained Llama, held against the passes of the model."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from peer_runs import NAMES, SCORED, Peer, hold, spend
from peers.conftest import Install
from real_servers import Counters, free_port, process
from workspan.errors import UnsupportedCapability
from workspan.spec import STRATEGIES

pytestmark = [pytest.mark.peers, pytest.mark.timeout(1800)]

WORK = 300
PACKAGES = ("transformers[serving]==5.24.0", "torch==2.13.0")
SIDE = Path(__file__).with_name("transformers_side")


def passes(counts: Path) -> Counters:
    """Read the model's own count of its passes when it stands."""
    looks: list[Counters] = []
    while len(looks) < 10 or len(set(looks[-10:])) > 1:
        decoded, read = map(int, (counts.read_text().split() or ["0", "0"])[:2])
        looks.append(Counters(decoded, read, 0, is_busy=False))
        time.sleep(0.1)
    return looks[-1]


@pytest.fixture(scope="module")
def peer(installed: Install, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    python = str(installed("transformers-serve", PACKAGES))
    folder = tmp_path_factory.mktemp("transformers")
    model, counts, port = folder / "untrained-llama", folder / "counts", free_port()
    subprocess.run([python, str(SIDE / "untrained_llama.py"), str(model)], check=True)
    command = [python, str(SIDE / "counted_serve.py"), str(counts), "serve", str(model)]
    command += ["--port", str(port), "--host", "127.0.0.1", "--device", "cpu"]
    variables = {"HF_HUB_OFFLINE": "1", "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    address = f"http://127.0.0.1:{port}"
    with process(command, folder / "log", door=f"{address}/health", variables=variables):
        yield Peer("transformers serve", f"{address}/v1", str(model), partial(passes, counts))


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_accounts_for_what_was_decoded(peer: Peer, name: str) -> None:
    spent = spend(peer, STRATEGIES[name].example, WORK)
    hold(spent)
    if isinstance(spent.error, UnsupportedCapability):
        pytest.skip(f"it does not continue: {spent.error}")
    if name in SCORED:  # it leaves `logprobs` out without a word
        assert "log-probabilities" in str(spent.error)
    else:
        assert spent.error is None
    if not spent.usage.unseen_tokens:
        assert spent.usage.source == "measured"
        assert spent.usage.prefill == spent.truth.read


def test_it_ignores_n_and_every_choice_is_drawn_alone(peer: Peer) -> None:
    spent = spend(peer, "self_consistency(n=4, max_tokens=40)", WORK, n_per_request=4)
    hold(spent)
    assert spent.result is not None
    assert spent.usage.calls == 4
    assert spent.usage.output_tokens == spent.truth.decoded
