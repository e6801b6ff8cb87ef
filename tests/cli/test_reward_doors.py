from __future__ import annotations

import json
import sys

import anyio
import pytest

from workspan.app.engines import open_engines
from workspan.engines.scoring import Reward
from workspan.errors import InputError
from workspan.testing.reward_server import SimulatedRewardServer


@pytest.mark.parametrize(
    ("door", "form", "is_logit"),
    [("reward", "pooling", False), ("classify", "classify", False), ("rerank", "rerank", True)],
)
def test_a_reward_model_is_opened_by_its_form(door: str, form: str, is_logit: bool) -> None:
    named = ["scripted", f"prm={door}:http://127.0.0.1:9"]
    opened = anyio.run(open_engines, named, ["prm=judge-7b"], ["prm=0.1/0"])
    prm = opened.engines["prm"]
    assert isinstance(prm, Reward)
    assert (prm.form, prm.is_logit, prm.model) == (form, is_logit, "judge-7b")
    assert prm.info.price is not None


def test_a_reward_model_without_an_address_is_refused() -> None:
    with pytest.raises(InputError, match="looks like http"):
        anyio.run(open_engines, ["scripted", "prm=reward:"])


def test_solve_searches_with_the_users_reward_model() -> None:
    server = SimulatedRewardServer()
    command = [sys.executable, "-m", "workspan", "solve", "What is 2 + 2?", "--kind", "number"]
    command += ["--strategy", "beam_search(n=4, width=2, verifier=process_reward, max_steps=4)"]

    async def main() -> bytes:
        async with server.serve():
            engines = ["-e", "scripted", "-e", f"prm=reward:{server.url}", "--json"]
            return (await anyio.run_process([*command, *engines])).stdout

    record = json.loads(anyio.run(main))
    assert record["answer"] in {"3", "4", "5"}
    assert record["calls"] > server.calls > 0
