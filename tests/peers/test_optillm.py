"""optillm's proxy, as it stands: its approach "none" passes a request on.

A server of our own that says that it is simulated stands for the model behind it and counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from peer_runs import NAMES, Peer, hold, spend
from peers.conftest import Install
from real_servers import free_port, process, simulated, simulated_settled
from workspan.spec import STRATEGIES

pytestmark = [pytest.mark.peers, pytest.mark.timeout(1800)]

WORK = 300
NEEDS = (
    "numpy", "networkx", "openai<3", "httpx", "flask", "aiohttp", "requests", "z3-solver<=4.15.4.0",
    "cerebras_cloud_sdk", "math-verify", "PyYAML", "scipy", "sympy",
)  # fmt: skip
"""What its server imports; all that it depends on takes 7 GB."""


@pytest.fixture(scope="module")
def peer(installed: Install, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    python = installed("optillm", NEEDS, bare=("optillm==0.4.0",))
    folder = tmp_path_factory.mktemp("optillm")
    port = free_port()
    with simulated(folder / "model", "--text", "think of it", "--seeded", "--numbered") as behind:
        command = [str(python), "-c", "import optillm; optillm.main()", "--port", str(port)]
        command += ["--base-url", f"{behind}/v1", "--approach", "none"]
        variables = {"OPENAI_API_KEY": "none", "HOME": str(folder)}
        url = f"http://127.0.0.1:{port}/v1"
        with process(command, folder / "log", door=f"{url}/models", variables=variables):
            yield Peer("optillm", url, "simulated", partial(simulated_settled, behind))


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_accounts_for_what_was_decoded(peer: Peer, name: str) -> None:
    spent = spend(peer, STRATEGIES[name].example, WORK)
    hold(spent)
