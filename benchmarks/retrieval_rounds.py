"""Rounds, passages and tokens of the three modes of `retrieve`, on questions of known shape.

The searcher is **simulated**: a scripted policy that reads only its prompt (see
`workspan_evidence.simulated.searcher`). What is real is the strategy, BM25 and the account.
Expected for h hops and f ways: h·f rounds one at a time, h·⌈f/k⌉ with k = 3 queries at once, and at
f = 1 nothing gained by guesses, which are paid for in passages and prompts.

Run with ``python -m benchmarks.retrieval_rounds``; ``--smoke`` for a small run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import fmean

import anyio

from workspan.core.journal import Journal
from workspan.lab.retrieval import RetrievalMetrics, retrieval_metrics
from workspan.retrieval import search_tool
from workspan.retrieval.bm25 import Bm25
from workspan.runner import run
from workspan.strategies.retrieval.retrieve import Retrieve
from workspan.tasks.hops import Hops
from workspan_evidence.simulated.searcher import SimulatedSearcher

MODES = ("sequential", "parallel", "dependency")
K = 3
COUNTS = ("queries", "passages", "distinct", "tokens", "work", "span")
MEASURES = ("exact_match", "f1")


async def measure(
    shape: Hops, strategy: Retrieve, n: int, seed: int = 0
) -> Sequence[RetrievalMetrics]:
    """Run `n` tasks of a shape on one corpus, one after another."""
    tool = search_tool(Bm25.build(shape.passages(n, seed)))
    found = []
    for task in shape.load(n, seed):
        engine, journal = SimulatedSearcher(mode=strategy.mode, k=strategy.k), Journal()
        result = await run(strategy, task.problem, engine, journal=journal, tools={"search": tool})
        found.append(retrieval_metrics(task, result, journal))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Rounds of the three modes, simulated searcher.")
    parser.add_argument("--smoke", action="store_true", help="fewer shapes and problems")
    parser.add_argument("--rounds", type=int, default=40, help="rounds allowed (the paper's: 5)")
    options = parser.parse_args()
    shapes = [(2, 3)] if options.smoke else [(1, 6), (2, 1), (4, 1), (2, 3), (2, 6), (4, 3), (4, 6)]
    n = 3 if options.smoke else 20
    print("simulated searcher, no model: a token is a word")
    print(f"{n} problems a row, at most {options.rounds} rounds")
    columns = "queries | passages | distinct | tokens | work | span | EM | F1"
    print(f"| h | f | mode | rounds | expected | {columns} |")
    print("|---" * 13 + "|")
    for h, f in shapes:
        for mode in MODES:
            strategy = Retrieve(mode=mode, k=K, rounds=options.rounds)  # type: ignore[arg-type]
            rows = anyio.run(measure, Hops(h, f), strategy, n)
            expected = h * f if mode == "sequential" else h * -(-f // K)
            rounds = f"{fmean(row.rounds for row in rows):.1f}"
            means = [f"{fmean(getattr(row, name) for row in rows):.1f}" for name in COUNTS]
            right = [f"{fmean(getattr(row, name) for row in rows):.2f}" for name in MEASURES]
            row = [str(h), str(f), mode, rounds, str(expected), *means, *right]
            print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
