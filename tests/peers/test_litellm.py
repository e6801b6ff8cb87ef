"""LiteLLM's proxy in front of llama.cpp's server, held against llama.cpp's own counters."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from functools import partial

import pytest

from peer_runs import NAMES, Peer, hold, spend
from peers.conftest import Install
from real_servers import free_port, process, settled
from workspan.errors import UnsupportedCapability
from workspan.spec import STRATEGIES

pytestmark = [pytest.mark.peers, pytest.mark.timeout(1800)]

WORK = 160
PACKAGES = ("litellm[proxy]==1.106.12",)
VARIABLES = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # nothing is fetched
    "LITELLM_TELEMETRY": "False",
    "NO_DOCS": "True",
}


@pytest.fixture(scope="module")
def peer(
    installed: Install, llama: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    python = installed("litellm-proxy", PACKAGES)
    folder = tmp_path_factory.mktemp("litellm")
    behind = {"model": "openai/small", "api_base": f"{llama}/v1", "api_key": "none"}
    config = {
        "model_list": [{"model_name": "small", "litellm_params": behind}],
        "litellm_settings": {"telemetry": False},
    }
    (folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
    address = f"http://127.0.0.1:{free_port()}"
    command = [str(python.with_name("litellm")), "--config", str(folder / "config.yaml")]
    command += ["--host", "127.0.0.1", "--port", address.rpartition(":")[2]]
    key = f"sk-{secrets.token_hex(32)}"  # it refuses to start without one
    variables = {**VARIABLES, "HOME": str(folder), "LITELLM_MASTER_KEY": key}
    door = f"{address}/health/liveliness"
    with process(command, folder / "log", door=door, variables=variables):
        options = {"api_key": key}
        yield Peer("LiteLLM", f"{address}/v1", None, partial(settled, llama), options)


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_accounts_for_what_was_decoded(peer: Peer, name: str) -> None:
    spent = spend(peer, STRATEGIES[name].example, WORK)
    hold(spent)
    if isinstance(spent.error, UnsupportedCapability):
        pytest.skip(f"the proxy is not asked to continue: {spent.error}")
    assert spent.error is None
    if not spent.usage.unseen_tokens:
        assert spent.usage.source == "measured"
        assert spent.truth.decoded <= WORK


def test_log_probabilities_get_through(peer: Peer) -> None:
    spent = spend(peer, STRATEGIES["confidence_vote"].example, WORK)
    assert "no_logprobs" not in spent.notices
    assert spent.usage.output_tokens == spent.truth.decoded
