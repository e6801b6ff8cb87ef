"""Questions of known shape, searched with one query a round and with several."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, TypeAlias

import anyio
import numpy as np

from workspan.claims.chains import Floats
from workspan.journal import Journal
from workspan.lab.retrieval import RetrievalMetrics, retrieval_metrics
from workspan.retrieval import search_tool
from workspan.retrieval.bm25 import Bm25
from workspan.runner import run
from workspan.strategies.retrieval.retrieve import Retrieve
from workspan.tasks.hops import Hops
from workspan.testing.simulated_searcher import SimulatedSearcher

Mode: TypeAlias = Literal["sequential", "parallel"]

QUERIES = 3
"""A round, at most."""
ON = "real strategy, BM25 and accounts; the searcher is a simulated policy, no model"


@lru_cache
def searched(
    hops: int, ways: int, mode: Mode, problems: int, seed: int
) -> tuple[RetrievalMetrics, ...]:
    """Run the strategy `retrieve` in one of its modes on questions of one shape."""
    return anyio.run(_searched, Hops(hops, ways), mode, problems, seed)


async def _searched(
    shape: Hops, mode: Mode, problems: int, seed: int
) -> tuple[RetrievalMetrics, ...]:
    tool = search_tool(Bm25.build(shape.passages(problems, seed)))
    strategy, found = Retrieve(mode=mode, k=QUERIES, rounds=40), []
    for task in shape.load(problems, seed):
        engine, journal = SimulatedSearcher(mode=mode, k=QUERIES), Journal()
        result = await run(strategy, task.problem, engine, journal=journal, tools={"search": tool})
        found.append(retrieval_metrics(task, result, journal))
    return tuple(found)


def column(found: tuple[RetrievalMetrics, ...], name: str) -> Floats:
    """Return one measure of every problem."""
    return np.array([getattr(one, name) for one in found], dtype=np.float64)
