"""The package's weights do what their model card says, on a few problems each."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest

from workspan.data.types import Message, Request
from workspan.testing.engine_suite import draw
from workspan_evidence.families.base import Family, Verdict
from workspan_evidence.families.lookups import Lookup
from workspan_evidence.families.serial import Compose, Rule110
from workspan_evidence.grammar import EOS, decode, encode
from workspan_evidence.reasoner.catalogue import FOLDER
from workspan_evidence.reasoner.engine import Reasoner

N = 20


def _asked(prompt: str, seed: int, prefix: str = "", stop: tuple[str, ...] = ()) -> Request:
    return Request(
        (Message("user", prompt),),
        max_tokens=250,
        temperature=1.0,
        seed=seed,
        prefix=prefix,
        stop=stop,
    )


def _verdicts(weights: str, family: Family[Any]) -> list[Verdict]:
    verdicts: list[Verdict] = []

    async def main() -> None:
        engine = Reasoner.open(weights)
        for seed in range(N):
            problem = family.problem(Random(seed))
            text, _, _ = await draw(engine, _asked(problem.text, seed))
            verdicts.append(family.check(problem, (*encode(text), EOS)))

    anyio.run(main)
    return verdicts


@pytest.mark.parametrize("family", [Rule110(4), Compose(4), Compose(16)], ids=str)
def test_steps_written_out_reach_the_answer(family: Rule110 | Compose) -> None:
    assert sum(verdict.found for verdict in _verdicts("serial", family)) >= 0.8 * N


@pytest.mark.parametrize("family", [Rule110(1, format="direct"), Compose(1, "direct")], ids=str)
def test_the_control_takes_one_step_at_once(family: Rule110 | Compose) -> None:
    assert sum(verdict.correct for verdict in _verdicts("serial-direct", family)) >= 0.8 * N


async def _looked_up(engine: Reasoner, family: Lookup, seed: int) -> Verdict:
    """Stop at each ``</search>``, give what the corpus has, and go on."""
    problem, chain = family.problem(Random(seed)), ""
    for turn in range(family.rounds + 1):
        asked = _asked(problem.text, 100 * seed + turn, chain, ("</search>",))
        text, _, _ = await draw(engine, asked)
        chain += text
        if "=" in text.split():
            break
        chain += " </search> "
        chain += decode(problem.inform(encode(chain)))
    return family.check(problem, (*encode(chain), EOS))


@pytest.mark.parametrize("family", [Lookup(3), Lookup(2, 2, 1), Lookup(2, 2, 2)], ids=str)
def test_a_chain_asks_waits_and_goes_on(family: Lookup) -> None:
    async def main() -> None:
        engine = Reasoner.open("lookups")
        verdicts = [await _looked_up(engine, family, seed) for seed in range(N)]
        assert sum(verdict.found for verdict in verdicts) >= 0.8 * N

    anyio.run(main)


def test_all_weights_stay_within_ten_megabytes() -> None:
    files: list[Path] = list(FOLDER.glob("*.safetensors"))
    assert 0 < sum(file.stat().st_size for file in files) <= 10e6
