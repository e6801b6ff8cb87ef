"""Votes on recorded chains of Qwen3-8B against published figures (`benchmarks.recorded_votes`).

Few seeds: accuracy within 2.5 points, tokens within 8 %. Figures: README of zhengkid/Parallel-Probe
(accuracy in %, tokens in thousands, sequential tokens in thousands).
"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import anyio
import pytest

from workspan.recordings.engine import ReplayEngine
from workspan.recordings.parquet import read_chains
from workspan.recordings.recording import Recording
from workspan.runner import Result, run
from workspan.spec import parse_strategy

CHAINS = Path(__file__).parents[3] / "shared" / "data" / "chains" / "parallel_probe_qwen3.parquet"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHAINS.exists(), reason="the recorded chains are not here: shared/data beside it"
    ),
]


@pytest.fixture(scope="module")
def aime24() -> Recording:
    pytest.importorskip("pyarrow")
    return read_chains(CHAINS, "Qwen/Qwen3-8B", ["aime24"])


def solve(recording: Recording, text: str, seeds: int) -> tuple[float, float, float]:
    """Return accuracy in %, and work and span in thousands."""
    strategy, results, right = parse_strategy(text), list[Result](), list[bool]()

    async def main() -> None:
        for seed in range(seeds):
            engine = ReplayEngine(recording)
            for problem in recording.problems:
                result = await run(strategy, problem, engine, seed=seed)
                results.append(result)
                right.append(result.answer.text == recording.references[problem.id])

    anyio.run(main)
    work, span = fmean(r.work for r in results), fmean(r.span for r in results)
    return 100 * fmean(right), work / 1000, span / 1000


def test_all_chains_are_there(aime24: Recording) -> None:
    # as counted when the file was made, beside it in CHECKS.json
    assert len(aime24.problems) == 30
    assert {len(chains) for chains in aime24.chains.values()} == {128}
    everything = [
        (chain.answer_at(500) == right, chain.answers[-1] == right, chain.tokens)
        for name, right in aime24.references.items()
        for chain in aime24.chains[name]
    ]
    first, last, tokens = (fmean(column) for column in zip(*everything, strict=True))
    assert (round(first, 4), round(last, 3), round(tokens)) == (0.0198, 0.757, 14229)


def test_self_consistency(aime24: Recording) -> None:
    accuracy, work, span = solve(aime24, "self_consistency(n=64, max_tokens=50000)", seeds=2)
    assert accuracy == pytest.approx(80.4, abs=2.5)
    assert work == pytest.approx(910.8, rel=0.08)
    assert span == pytest.approx(30.1, rel=0.08)


def test_adaptive_consistency_costs_a_quarter(aime24: Recording) -> None:
    accuracy, work, span = solve(aime24, "adaptive_consistency(n=64, max_tokens=50000)", seeds=6)
    assert accuracy == pytest.approx(80.4, abs=2.5)
    assert work == pytest.approx(226.0, rel=0.1)
    assert span == work  # one chain after another


def test_esc_costs_half(aime24: Recording) -> None:
    accuracy, work, span = solve(aime24, "esc(n=64, window=8, max_tokens=50000)", seeds=4)
    assert accuracy == pytest.approx(80.4, abs=2.5)
    assert work == pytest.approx(459.4, rel=0.12)
    assert span == pytest.approx(84.7, rel=0.12)


@pytest.mark.heavy
def test_parallel_probe_is_the_one_with_the_shortest_span(aime24: Recording) -> None:
    # sequential tokens there leave out the probes, charged here: about 4 tokens in 500
    accuracy, work, span = solve(aime24, "parallel_probe", seeds=1)
    assert accuracy == pytest.approx(81.5, abs=3.5)
    assert work == pytest.approx(730.8, rel=0.05)
    assert span == pytest.approx(20.3, rel=0.08)
